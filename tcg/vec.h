/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector operations of the IR: the row of each and the reference functions that
 * the interpreter, and hosts without an instruction for it, call.
 */
#ifndef TCG_VEC_H
#define TCG_VEC_H

#include "tcg/ir.h"

/* How an x86-64 host encodes a row. d: result; a, b: operands (xmm or gpr). */
typedef enum IrVecForm {
    IR_VF_VV,           /* op d(=a), b         two operands, a overwritten */
    IR_VF_VV_IMM,       /* op d(=a), b, imm8 */
    IR_VF_MV,           /* op d, a             one operand, d only written */
    IR_VF_MV_IMM,       /* op d, a, imm8 */
    IR_VF_SHIFT_IMM,    /* op /ext d(=a), imm8 */
    IR_VF_VG,           /* op d(xmm), a(gpr)   ext 1: REX.W */
    IR_VF_VVG,          /* op d(=a), b(gpr)    cvtsi2sd; ext 1: REX.W */
    IR_VF_VVG_IMM,      /* op d(=a), b(gpr), imm8   pinsr* */
    IR_VF_GV,           /* op d(gpr), a(xmm)   ext 1: REX.W */
    IR_VF_GV_IMM,       /* op d(gpr), a(xmm), imm8 with d in ModRM.reg */
    IR_VF_GV_ST,        /* op d(gpr), a(xmm) with a in ModRM.reg (movd, movq) */
    IR_VF_GV_ST_IMM,    /* the same with imm8 (pextr*) */
    IR_VF_FLAGS,        /* op a, b; result: EFLAGS ZF PF CF (others 0) as I32 */
    IR_VF_VV_X0,        /* op d(=a), b, third operand c in XMM0 (blendv*, sha256rnds2) */
    IR_VF_MV_ST_IMM,    /* op d, a, imm8 with a in ModRM.reg (vcvtps2ph) */
    IR_VF_FMA,          /* op d(=c), a, b      form 231 */
    IR_VF_STRCMP,       /* pcmp?str?: a, b, imm; EAX/EDX lengths: helper only */
    IR_VF_NONE,         /* no host instruction: always the function */
    IR_VF_FP = 0x80,    /* or'ed: uses the FP environment */
    IR_VF_VV_FP = IR_VF_VV | IR_VF_FP,
    IR_VF_VV_IMM_FP = IR_VF_VV_IMM | IR_VF_FP,
    IR_VF_MV_FP = IR_VF_MV | IR_VF_FP,
    IR_VF_MV_IMM_FP = IR_VF_MV_IMM | IR_VF_FP,
    IR_VF_VVG_FP = IR_VF_VVG | IR_VF_FP,
    IR_VF_GV_FP = IR_VF_GV | IR_VF_FP,
    IR_VF_FLAGS_FP = IR_VF_FLAGS | IR_VF_FP,
    IR_VF_MV_ST_IMM_FP = IR_VF_MV_ST_IMM | IR_VF_FP,
    IR_VF_FMA_FP = IR_VF_FMA | IR_VF_FP,
} IrVecForm;

typedef enum IrVecFeature {
    IR_VX_SSE2, IR_VX_SSE3, IR_VX_SSSE3, IR_VX_SSE41, IR_VX_SSE42, IR_VX_AES,
    IR_VX_PCLMUL, IR_VX_SHA,
    IR_VX_AVX, IR_VX_AVX2, IR_VX_FMA, IR_VX_F16C,       /* in VEX encoding only */
    IR_VX_NONE,
} IrVecFeature;

/* Lanes in guest (little-endian lane number) order: b[0] is the lowest byte on
 * every host; use the accessors of tcg/vec-interp.h for wider lanes. */
typedef union VecReg {
    uint8_t b[16];
    uint64_t q[2];          /* q[0] the low half, host byte order */
} __attribute__((aligned(16))) VecReg;

struct FpEnv;               /* tcg/fpenv.h */

/* @d may be the same as an operand. General-register operands and results are
 * in q[0]. @env: rounding mode and sticky flags, as x86's MXCSR. */
typedef void IrVecFn(VecReg *d, const VecReg *a, const VecReg *b,
                     const VecReg *c, uint8_t imm, struct FpEnv *env);

typedef struct IrVecInfo {
    const char *name;
    uint8_t form;           /* IrVecForm */
    IrType result;
    const char *args;       /* a letter each: V, l, q */
    uint8_t pp, map, opcode, ext;
    uint8_t feature;        /* IrVecFeature */
    IrVecFn *fn;
} IrVecInfo;

extern const IrVecInfo ir_vec_info[IR_VEC_NUM];

#endif
