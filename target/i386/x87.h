/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 operations as the translator (x87.c) hands them to the reference in C (helper-x87.c): the whole
 * instruction, stack faults and unmasked exceptions included.
 */
#ifndef TARGET_I386_X87_H
#define TARGET_I386_X87_H

#include "target/i386/sse.h"

typedef enum X87Op {
    X87_ADD, X87_MUL, X87_SUB, X87_SUBR, X87_DIV, X87_DIVR,
    X87_COM, X87_UCOM, X87_COMI, X87_UCOMI, X87_TST, X87_XAM,
    X87_LD, X87_ST, X87_ISTT, X87_XCH, X87_CHS, X87_ABS, X87_SQRT, X87_RNDINT,
    X87_LDC, X87_F2XM1, X87_YL2X, X87_YL2XP1, X87_PTAN, X87_PATAN, X87_XTRACT, X87_PREM,
    X87_PREM1, X87_SCALE, X87_SIN, X87_COS, X87_SINCOS, X87_DECSTP, X87_INCSTP, X87_FREE,
    X87_CMOV, X87_BLD, X87_BSTP, X87_NOP,
} X87Op;

/* Where the other operand is. */
typedef enum X87Mem { X87_STACK, X87_F32, X87_F64, X87_F80, X87_I16, X87_I32, X87_I64 } X87Mem;

/* The word of an instruction: operation, operand, ST(i), how many are popped after, whether ST(i) is
 * written instead of ST(0); for X87_LDC the number of the constant. */
#define X87_WORD(op, mem, i, pops, to_i) \
    ((uint32_t)(op) | (uint32_t)(mem) << 8 | (uint32_t)(i) << 12 | (uint32_t)(pops) << 16 | \
     (uint32_t)(to_i) << 18)

/* As IR (x87-ir.c); false: nothing was emitted, the reference must do it. */
bool x87_ir(X86Tr *tr, const X86Insn *insn, X87Op op, X87Mem mem, unsigned i, unsigned pops,
            bool to_i, bool writes);

/* (word, address or 0, MMU mode): gives the arithmetic flags for COMI, else 0. */
extern const IrHelper helper_x87;
/* Control: FNINIT, FNCLEX, FLDCW, FNSTSW; and images: (address, operand size, MMU mode). */
extern const IrHelper helper_fninit, helper_fnclex, helper_fldcw, helper_fnstsw, helper_fnstenv,
    helper_fldenv, helper_fnsave, helper_frstor, helper_x87_wait;

#endif
