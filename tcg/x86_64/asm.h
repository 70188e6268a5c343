/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An encoder of x86-64 instructions (Intel SDM vol. 2, chapter 2). It writes to
 * a buffer and knows nothing about the IR; labels are the caller's.
 */
#ifndef TCG_X86_64_ASM_H
#define TCG_X86_64_ASM_H

#include "util/osdep.h"

/* Register numbers; vector registers are told apart by R_XMM0. */
enum {
    R_RAX, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI,
    R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15,
    R_XMM0, R_NUM = R_XMM0 + 16, R_NONE = -1,
};
static inline bool reg_is_xmm(int r) { return r >= R_XMM0; }

/* Conditions of jcc, setcc and cmovcc. */
enum { X_O, X_NO, X_B, X_AE, X_E, X_NE, X_BE, X_A, X_S, X_NS, X_P, X_NP, X_L, X_GE, X_LE, X_G };

/* An opcode: byte, map, mandatory prefix, operand size. */
enum {
    X_0F = 0x100, X_0F38 = 0x200, X_0F3A = 0x300, X_MAP = 0x300,
    X_66 = 0x1000, X_F3 = 0x2000, X_F2 = 0x3000, X_PP = 0x3000,
    X_W = 0x10000,              /* REX.W or VEX.W */
    X_REG8 = 0x20000,           /* the ModRM.reg operand is a byte register */
    X_RM8 = 0x40000,            /* the ModRM.rm operand is */
    X_LOCK = 0x80000,
};

/* ALU operations with the encodings op << 3 and 0x81 /op. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
/* Shifts: 0xc1 /op, 0xd3 /op. */
enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR = 7 };

typedef struct Mem {
    int8_t base, index;         /* R_NONE: none; base R_NONE: absolute or RIP */
    uint8_t scale;              /* log2 */
    bool rip;                   /* disp is filled in later (asm_patch32) */
    int32_t disp;
} Mem;
static inline Mem mem_b(int base, int32_t disp)
{
    return (Mem){ (int8_t)base, R_NONE, 0, false, disp };
}
static inline Mem mem_bi(int base, int index, unsigned scale, int32_t disp)
{
    return (Mem){ (int8_t)base, (int8_t)index, (uint8_t)scale, false, disp };
}

/* What the host's flags hold (for the fusion of compares and branches):
 * forgotten by each instruction that changes them. */
typedef struct AsmFlags {
    uint8_t kind;               /* FL_* */
    uint8_t type;               /* IrType of the operands */
    uint32_t a, b;              /* IR values */
} AsmFlags;
enum { FL_NONE, FL_RESULT /* ZF SF of value a */, FL_CMP /* a against b */ };

typedef struct Asm {
    uint8_t *p;                 /* where the next byte goes (writable view) */
    uint8_t *start, *end;
    AsmFlags flags;
    uint32_t features;          /* 1 << IrVecFeature */
    bool has_avx, has_bmi1, has_bmi2, has_lzcnt, has_popcnt, has_movbe;
} Asm;

static inline uint32_t asm_pos(const Asm *a) { return (uint32_t)(a->p - a->start); }
static inline void x_byte(Asm *a, uint8_t b) { *a->p++ = b; }
void x_imm32(Asm *a, uint32_t v);
void x_imm64(Asm *a, uint64_t v);
void asm_patch32(Asm *a, uint32_t at, uint32_t v);

/* Opcode with register operands; immediates are added by the caller. */
void x_rr(Asm *a, uint32_t op, int reg, int rm);
void x_rm(Asm *a, uint32_t op, int reg, Mem m);
/* VEX.128 (L = 0); @v is VEX.vvvv, 0 where unused and 15 was meant: pass R_NONE. */
void x_vrr(Asm *a, uint32_t op, int reg, int v, int rm);
void x_vrm(Asm *a, uint32_t op, int reg, int v, Mem m);

/* @w: 64-bit operation. */
void x_mov_rr(Asm *a, bool w, int d, int s);
void x_mov_ri(Asm *a, int d, uint64_t imm);         /* whole register; keeps flags */
void x_ld(Asm *a, bool w, int d, Mem m);            /* 32 or 64 bits */
void x_st(Asm *a, unsigned bytes, int s, Mem m);    /* 1, 2, 4, 8 */
void x_st_imm(Asm *a, unsigned bytes, uint64_t imm, Mem m);
void x_lea(Asm *a, bool w, int d, Mem m);
void x_neg(Asm *a, int d);                  /* 64 bits */
void x_alu_rr(Asm *a, unsigned op, bool w, int d, int s);
void x_alu_ri(Asm *a, unsigned op, bool w, int d, int32_t imm);
void x_alu_rm(Asm *a, unsigned op, bool w, int d, Mem m);
void x_alu_mi(Asm *a, unsigned op, bool w, Mem m, int32_t imm);
void x_test_rr(Asm *a, bool w, int d, int s);
void x_shift_i(Asm *a, unsigned op, bool w, int d, unsigned n);
void x_shift_cl(Asm *a, unsigned op, bool w, int d);
void x_movzx(Asm *a, unsigned from_bytes, int d, int s);         /* 1, 2, 4 */
void x_movsx(Asm *a, unsigned from_bytes, bool w, int d, int s);
void x_jmp_r(Asm *a, int r);
void x_nops(Asm *a, unsigned n);
/* rel32 forms; give the position of the displacement. */
uint32_t x_jmp(Asm *a);
uint32_t x_jcc(Asm *a, unsigned cc);
uint32_t x_call(Asm *a);
void asm_bind(Asm *a, uint32_t at);                 /* a displacement: to here */
void asm_bind_to(Asm *a, uint32_t at, uint32_t pos);
/* To earlier code of this buffer, the short form where it fits. */
void x_jmp_back(Asm *a, uint32_t pos);
void x_jcc_back(Asm *a, unsigned cc, uint32_t pos);
/* To an address in the run-time view (@rx of the next byte is given). */
static inline void x_flags_lost(Asm *a) { a->flags.kind = FL_NONE; }

/* movaps between vector registers, 16-byte unaligned loads and stores. */
void x_movaps(Asm *a, int d, int s);
void x_vld(Asm *a, unsigned bytes, int d, Mem m);   /* 4, 8, 16 */
void x_vst(Asm *a, unsigned bytes, int s, Mem m);

#endif
