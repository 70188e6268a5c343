/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What translators of instructions (m68k_tr_*) use.
 *
 * Registers are read and written through tr->reg[]: m68k_put_* notes a new value, which
 * later reads of the same instruction see, and which is PUT at the instruction's end, or by
 * m68k_commit before a helper that may raise after it. So a fault finds the registers as they were
 * at the start, whatever (An)+ and -(An) did.
 *
 * Codes. tr->cc and tr->x are recipes (state.h), pending values for snapshots; between blocks of a
 * region they are passed as part of the block's key where they can be expressed by registers and
 * constants (FlagDesc in translate.c).
 */
#ifndef TARGET_M68K_TRANSLATE_H
#define TARGET_M68K_TRANSLATE_H

#include "target/m68k/decode.h"
#include "target/m68k/state.h"

typedef struct Recipe {
    bool dynamic;               /* only the globals know */
    uint8_t kind, size;         /* CC_*; log2 of bytes */
    IrValue a, b;               /* of the size's type; CC_FLAGS: I32; b of CC_SHIFT and behind: I32 */
    IrValue res, dst;           /* if known: CC_CMP's difference; CC_SUB's minuend */
} Recipe;

/* A condition as the IR has it. */
typedef struct M68kCond {
    IrCond c;
    IrType t;
    IrValue a, b;
} M68kCond;

/* An effective address. */
typedef struct Ea {
    uint8_t index;              /* ea_index() */
    uint8_t reg, size;          /* size: log2 of bytes */
    IrValue addr;               /* memory: I64, 32 bits of it */
    IrValue imm;                /* immediate, of the size's type */
    uint16_t aux;               /* AUX_* beside the size */
} Ea;

typedef struct M68kBlock M68kBlock;

typedef struct M68kTr {
    TcgTranslate *t;
    IrRegion *ir;
    const M68kState *s;         /* for the model's features only */
    uint32_t mode, features;
    IrMemOp mo;                 /* byte order and MMU mode */
    unsigned max_insns, n_insns;
    bool one, hot;

    /* The instruction. */
    uint32_t pc, next;          /* its address; of the word to be fetched next */
    uint16_t op;
    const M68kInsn *row;
    uint8_t ahead[22];          /* its bytes, as many as were read ahead */
    uint32_t ahead_at;
    unsigned ahead_n;
    bool fetch_failed;          /* an extension word isn't to be had */
    bool ended;
    bool jumps;                 /* changed the flow (T0) */

    /* The open block. reg[]: known values (I64, zero-extended), D0 to A7; dirty: not PUT yet. */
    IrValue reg[16];
    uint16_t dirty;
    Recipe cc, x;
    uint8_t codes_due;          /* DUE_*: not yet pending */

    /* translate-fpd.c. Of the open block (fp_block): registers known to be doubles, and to have 24 bits only; what
     * the condition codes compare (0: they are elsewhere); fl_cmd if it is known. */
    uint16_t fp_block;
    bool slow;                  /* the instruction is done by a helper */
    bool fp_checked;            /* fp_fast was tested */
    uint8_t fp_known, fp_single;
    IrValue fcc_a, fcc_b;
    uint32_t fl_cmd;
    IrValue before[16];         /* reg[] at the instruction's start */

    M68kBlock *blocks;
    unsigned n_blocks, n_code_blocks;
    uint32_t high;
} M68kTr;

/* --- sizes --- */
static inline IrType m68k_type(unsigned size)
{
    return size == 0 ? IR_I8 : size == 1 ? IR_I16 : IR_I32;
}
/* Bits 7-6 of the first word. */
static inline unsigned m68k_size(const M68kTr *tr) { return tr->op >> 6 & 3; }
static inline IrValue m68k_const(M68kTr *tr, unsigned size, uint32_t v)
{
    return ir_const(tr->ir, m68k_type(size), v);
}

/* --- code --- */
uint16_t m68k_word(M68kTr *tr);         /* the next extension word; 0 and fetch_failed */
uint32_t m68k_long(M68kTr *tr);
IrValue m68k_pc(M68kTr *tr, uint32_t pc);       /* I64: the virtual address */

/* --- registers: 0-7 D, 8-15 A --- */
IrValue m68k_reg64(M68kTr *tr, unsigned r);
IrValue m68k_reg(M68kTr *tr, unsigned r, unsigned size);
void m68k_put_reg64(M68kTr *tr, unsigned r, IrValue v);        /* I64, upper half zero */
/* D registers keep the bits above a narrow value. */
void m68k_put_reg(M68kTr *tr, unsigned r, unsigned size, IrValue v);
void m68k_put_areg_sx(M68kTr *tr, unsigned n, unsigned size, IrValue v);  /* sign-extended */
void m68k_commit(M68kTr *tr);           /* PUT what is dirty */
void m68k_forget(M68kTr *tr);           /* a helper may have written registers */

/* --- operands (ea.c) --- */
/* Decode and compute the address; (An)+ and -(An) take effect in tr->reg. */
Ea m68k_ea(M68kTr *tr, unsigned mode, unsigned reg, unsigned size);
static inline Ea m68k_ea_src(M68kTr *tr, unsigned size)
{
    return m68k_ea(tr, tr->op >> 3 & 7, tr->op & 7, size);
}
/* Address only (LEA, JMP, MOVEM ...): no change of the register. */
Ea m68k_ea_control(M68kTr *tr);
IrValue m68k_get(M68kTr *tr, Ea *ea);
IrValue m68k_get_rmw(M68kTr *tr, Ea *ea);       /* memory: checked for write */
void m68k_put(M68kTr *tr, Ea *ea, IrValue v);
static inline bool m68k_ea_is_mem(const Ea *ea)
{
    return ea->index >= 2 && ea->index != 11;
}
/* 68000: registers are what they are by now when an access behind this fails: no instruction is begun anew. */
void m68k_commit_000(M68kTr *tr);
/* Memory at an address (I64). */
IrValue m68k_ld(M68kTr *tr, IrValue addr, unsigned size, unsigned aux);
void m68k_st(M68kTr *tr, IrValue addr, unsigned size, IrValue v, unsigned aux);
/* @addr plus a constant, in 32 bits, as I64. */
IrValue m68k_addr_add(M68kTr *tr, IrValue addr, int32_t d);
/* Stack. */
void m68k_push32(M68kTr *tr, IrValue v);        /* I32 */

/* --- codes (cc.c) --- */
enum { DUE_CC = 1, DUE_X = 2 };
void m68k_pend_codes(IrRegion *ir, void *tr);   /* IrRegion.pend_due */
void m68k_set_cc(M68kTr *tr, unsigned kind, unsigned size, IrValue a, IrValue b, IrValue res,
                 IrValue dst);
/* The same for X too. */
void m68k_set_cc_x(M68kTr *tr, unsigned kind, unsigned size, IrValue a, IrValue b, IrValue dst);
static inline void m68k_set_logic(M68kTr *tr, unsigned size, IrValue res)
{
    m68k_set_cc(tr, CC_LOGIC, size, res, IR_NO_VALUE, res, IR_NO_VALUE);
}
void m68k_set_flags(M68kTr *tr, IrValue nzvc);          /* I32 */
void m68k_set_x(M68kTr *tr, IrValue x);                 /* I32, 0 or 1 */
IrValue m68k_flags(M68kTr *tr);                         /* N Z V C, I32 */
IrValue m68k_x(M68kTr *tr);                             /* I32 */
IrValue m68k_ccr(M68kTr *tr);                           /* all five, I32 */
void m68k_put_ccr(M68kTr *tr, IrValue ccr);
/* N and Z of a value, as I32 at their places. */
IrValue m68k_nz(M68kTr *tr, unsigned size, IrValue v);
/* Z is cleared by a result that isn't zero, and kept by one that is: NEGX, ADDX, ABCD. @nvc: the others. */
void m68k_set_sticky_z(M68kTr *tr, unsigned size, IrValue res, IrValue nvc);
M68kCond m68k_cond(M68kTr *tr, unsigned cond);
IrValue m68k_bool(M68kTr *tr, M68kCond c);      /* I8 */
/* Write the recipes to the globals; they are dynamic then. */
void m68k_store_flags(M68kTr *tr);

/* --- leaving; each ends the block --- */
void m68k_jump(M68kTr *tr, uint32_t pc);
void m68k_jump_if(M68kTr *tr, M68kCond c, uint32_t pc);        /* else goes on */
void m68k_jump_value(M68kTr *tr, IrValue pc, unsigned hint);   /* I64 */
/* 68000: an address error if @target (I32) is odd; @words from the instruction is where its prefetch stands. Nothing elsewhere. */
void m68k_check_target(M68kTr *tr, IrValue target, uint32_t words);
void m68k_exit_next(M68kTr *tr, unsigned reason);      /* at the next instruction */
void m68k_exit(M68kTr *tr, unsigned reason);           /* a helper has set PC */
void m68k_go_on(M68kTr *tr, bool traced);               /* likewise; through the jump cache. @traced: if T0 or T1 say so */
/* Exception @vector with the stacked PC at @pc (of this instruction, or tr->next). */
void m68k_except(M68kTr *tr, int vector, uint32_t pc);
/* The same with the instruction's address in a format 2 frame where the model has it. */
void m68k_except2(M68kTr *tr, int vector);
void m68k_except2_if(M68kTr *tr, M68kCond c, int vector);
void m68k_illegal(M68kTr *tr);
/* If @c holds, the instruction is begun anew with tr->slow, and the region left behind it. Nothing of it has been
 * stored; tr->before has the registers. */
void m68k_slow_if(M68kTr *tr, M68kCond c);
/* In user mode: raises and gives false. */
bool m68k_privileged(M68kTr *tr);

/* --- FPU (translate-fpu.c, translate-fpd.c) --- */
/* An operand's place; (An)+ and -(An) step by the format's size. False: not allowed, raised. */
bool m68k_fp_ea(M68kTr *tr, unsigned format, bool store, Ea *ea);
/* @lo: I64; @hi: I32, of extended and packed formats the first long word. */
void m68k_fp_load(M68kTr *tr, unsigned format, Ea *ea, IrValue *lo, IrValue *hi);
void m68k_fp_store(M68kTr *tr, unsigned format, Ea *ea, IrValue r);
/* Arithmetic and moves of doubles as host code; false: a helper must do it, and nothing was emitted. */
bool m68k_fpd_gen(M68kTr *tr, uint16_t cmd);
/* The condition codes as a comparison; false: a helper knows them. */
bool m68k_fpd_cond(M68kTr *tr, unsigned pred, M68kCond *c);
/* A helper of the FPU has run: it may have changed register @dst (-1: any). */
void m68k_fpd_forget(M68kTr *tr, int dst);

IrValue m68k_call(M68kTr *tr, const IrHelper *h, unsigned n, const IrValue *args);
#define M68K_CALL(tr, h, ...) m68k_call(tr, h, \
    sizeof((IrValue[]){0, ##__VA_ARGS__}) / sizeof(IrValue) - 1, \
    (IrValue[]){0, ##__VA_ARGS__} + 1)

#endif
