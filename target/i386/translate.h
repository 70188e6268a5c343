/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What translators of instructions (functions X86TrFn, registered by mnemonic with
 * X86_HANDLERS) use. A translator reads operands, emits IR, and writes results:
 * registers and flags after the instruction's last operation that may fault.
 *
 * Values of guest registers are taken with x86_reg and operands with x86_get; types
 * are IR_I8 to IR_I64 by operand size (x86_type). After a helper that writes globals,
 * or ir_block_begin, call x86_forget (x86_call does it where needed).
 *
 * Flags. The translator knows statically what would compute them (X86Flags);
 * nothing is stored while only snapshots need them. Between blocks of a region
 * that knowledge is part of the block's key, expressed in registers, constants and
 * three locals (FlagDesc in translate.c). A translator that makes blocks of its own
 * calls x86_flags_store first; in its new blocks the flags are dynamic (in globals).
 */
#ifndef TARGET_I386_TRANSLATE_H
#define TARGET_I386_TRANSLATE_H

#include "target/i386/decode.h"
#include "target/i386/state.h"

/* cc_op = kind + log2 of the width in bytes. */
typedef struct X86Flags {
    bool dynamic;       /* cc_op is not known: op, a, b, c are values of CC_OP, CC_DST,
                           CC_SRC, CC_SRC2, or IR_NO_VALUE: as in the global */
    uint8_t kind;       /* CC_ADD ...; CC_EFLAGS: b (I32) holds them */
    uint8_t size;       /* log2 of bytes */
    IrValue op, a, b, c;
    IrValue res;        /* the result, if the translator has it */
    IrValue cf;         /* CC_EFLAGS, or by x86_set_cf_of(): CF as a value of its own (not zero: set), if known */
    bool over;          /* by x86_set_cf_of(): X86Tr.fl_base but for CF and OF, which are X86Tr.fl_over (I32) */
} X86Flags;

typedef struct X86Block X86Block;

typedef struct X86Tr {
    TcgTranslate *t;
    IrRegion *ir;
    X86State *s;        /* for features (constant) and limits */
    uint32_t mode;      /* MW_* */
    bool code64;
    unsigned bits;      /* of CS: 16, 32, 64 */
    unsigned cpl;
    IrMemOp mmu;        /* IR_MO_MMU_IDX of data accesses, with IR_MO_ALIGN under MW_AC */
    unsigned max_insns, n_insns;
    bool one;           /* one instruction a region: TF, shadow, single step */
    bool no_step;       /* MOV SS, POP SS: no #DB of TF after it */
    bool hot;           /* of code that is rewritten often (tcg_code_hot) */
    bool hold;          /* STI: the next instruction must follow in the same block */

    /* The instruction. */
    uint64_t pc, next_pc;
    X86Insn insn;
    bool ended;         /* its block has been terminated */
    IrValue addr;       /* linear address of its memory operand (x86_get_rmw) */
    struct { IrValue lin, second; } split[4];   /* 8086, alone: words whose second byte may be */
    unsigned n_split;                           /* at the segment's beginning */

    /* The open block. */
    IrValue reg[16][4]; /* known values by log2 of size */
    X86Flags fl, fl_base;
    IrValue fl_over;
    uint8_t st_known, st_empty; /* x87 tags known in block st_block (x87-ir.c) */
    IrBlockId st_block;
    IrBlockId x87_block;        /* the block in which x87_insn was the last instruction of the x87 */
    IrValue x87_insn, x87_fdp;
    IrVar fl_local[3];
    IrValue fl_local_value[3];

    X86Block *blocks;
    unsigned n_blocks, n_code_blocks;
    uint32_t below, high;   /* bytes used, before the entry and from there on */
} X86Tr;

/* --- types and registers --- */
static inline IrType x86_type(unsigned bytes)
{
    return bytes == 1 ? IR_I8 : bytes == 2 ? IR_I16 : bytes == 4 ? IR_I32 : IR_I64;
}
static inline unsigned x86_log2(unsigned bytes)
{
    return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
}
/* Low @bytes of a register; x86_put_reg: 4 clears the upper half, 1 and 2 keep the rest. */
IrValue x86_reg(X86Tr *tr, unsigned reg, unsigned bytes);
void x86_put_reg(X86Tr *tr, unsigned reg, unsigned bytes, IrValue v);
/* Forget what is known of the registers. */
void x86_forget(X86Tr *tr);

/* --- operands --- */
/* Value of operand @n in its size (immediates: in operand 0's size where theirs is smaller). */
IrValue x86_get(X86Tr *tr, const X86Insn *i, unsigned n);
/* The same for the destination of a read-modify-write: memory is checked for write, and its
 * address kept for x86_put. */
IrValue x86_get_rmw(X86Tr *tr, const X86Insn *i, unsigned n);
void x86_put(X86Tr *tr, const X86Insn *i, unsigned n, IrValue v);
/* If these bytes of the instruction are patched all the time: what they are when it runs,
 * sign-extended to @size. Else IR_NO_VALUE. */
IrValue x86_code_bytes(X86Tr *tr, unsigned at, unsigned enc, unsigned size);
/* Offset of the memory operand in its segment (LEA), as I64. */
IrValue x86_offset(X86Tr *tr, const X86Insn *i);
/* Linear address of the memory operand: segment checks for @bytes made. */
IrValue x86_address(X86Tr *tr, const X86Insn *i, unsigned bytes, bool write);
/* The same of any segment and offset (I64, already cut to the address size). */
IrValue x86_linear_address(X86Tr *tr, unsigned seg, IrValue off, unsigned bytes, bool write);
/* Memory at a linear address; 1, 2, 4 or 8 bytes. */
IrValue x86_load(X86Tr *tr, IrValue lin, unsigned bytes);
/* A far pointer in memory: offset in the operand size, selector. */
void x86_load_pointer(X86Tr *tr, const X86Insn *i, IrValue *off, IrValue *sel);
void x86_store(X86Tr *tr, IrValue lin, IrValue v);
/* Memory operation word for @bytes (also 10, 16), MMU mode included. */
IrMemOp x86_memop(X86Tr *tr, unsigned bytes);
/* Stack. Size of the stack pointer, of an address size. */
unsigned x86_stack_size(const X86Tr *tr);
/* Linear address of SS:(@off, in the stack's size, moved by @delta). */
IrValue x86_stack_address(X86Tr *tr, IrValue off, int64_t delta, unsigned bytes, bool write);
void x86_push(X86Tr *tr, IrValue v);    /* one value; then commits SP */

/* --- flags --- */
/* @res: the result, helps to express @a later; IR_NO_VALUE if there is none. */
void x86_set_flags(X86Tr *tr, unsigned kind, unsigned bytes, IrValue a, IrValue b, IrValue c,
                   IrValue res);
void x86_set_flags_value(X86Tr *tr, IrValue eflags);    /* I32, arithmetic bits */
void x86_set_flags_logic(X86Tr *tr, unsigned bytes, IrValue res);
IrValue x86_flags_value(X86Tr *tr);     /* I32: the arithmetic flags */
/* If @cond (EQ/NE of I8-typed count etc.) given: keep the old flags unless it holds. */
void x86_set_flags_if(X86Tr *tr, IrCond c, IrType t, IrValue x, IrValue y, const X86Flags *new);
void x86_flags_store(X86Tr *tr);        /* to the globals; the flags are dynamic then */

/* One of the 16 conditions (SDM vol. 1, appendix B). */
typedef struct X86Cond {
    IrCond c;
    IrType t;
    IrValue a, b;
} X86Cond;
X86Cond x86_cond(X86Tr *tr, unsigned cond);
IrValue x86_carry(X86Tr *tr);           /* CF as I8, 0 or 1 */

/* EFLAGS bits of @mask replaced by those of @v (I32); @cf as in X86Flags. */
void x86_change_flags(X86Tr *tr, uint32_t mask, IrValue v, IrValue cf);
/* CF and OF are those of @bits (I32, at their places), if @n of type @nt isn't 0 (IR_NO_VALUE: always); the others stay, and
 * needn't be computed for that. @cf as in X86Flags. */
void x86_set_cf_of(X86Tr *tr, IrValue bits, IrValue cf, IrType nt, IrValue n);
/* Flags are ZF alone, from @zero (I8); the others 0. */
void x86_set_zf_only(X86Tr *tr, IrValue zero);

/* --- blocks of the instruction's own (after x86_flags_store) --- */
void x86_begin_block(X86Tr *tr, IrBlockId b);

/* --- leaving --- */
/* Each ends the block; the flags are stored as needed. */
void x86_jump(X86Tr *tr, uint64_t pc);              /* inside the region or out */
void x86_jump_value(X86Tr *tr, IrValue pc, unsigned hint);     /* I64 */
void x86_jump_if(X86Tr *tr, X86Cond c, uint64_t pc);   /* else goes on */
void x86_leave(X86Tr *tr, uint64_t pc);             /* out of the region always */
/* PC is in its home already (a helper wrote it) or goes there now. */
void x86_exit(X86Tr *tr, unsigned reason);
/* Go on where a helper has set PC and, where it changed, the mode word (x86_mode_sync). */
void x86_go_on(X86Tr *tr);
void x86_exit_next(X86Tr *tr, unsigned reason);     /* at the next instruction */
/* The mode word is @mode from here on: nothing has to be left for that. */
void x86_put_mode(X86Tr *tr, uint32_t mode);
/* If the helper's result @new_mode isn't the mode word, leave after this instruction; where TcgEnv.mode_gen has it
 * already (@synced), that needs no way by the execution loop. */
void x86_exit_if_mode(X86Tr *tr, IrValue new_mode, bool synced);
void x86_exit_if(X86Tr *tr, IrCond c, IrType t, IrValue a, IrValue b, unsigned reason);
/* Raise: always, or if the condition holds. */
void x86_fault(X86Tr *tr, int vector);              /* without error code */
void x86_fault_code(X86Tr *tr, int vector, uint32_t error);
#define X86_RETRY_ALONE 0x100   /* no vector: run the instruction as a region of its own (tr->one) */
void x86_fault_if(X86Tr *tr, IrCond c, IrType t, IrValue a, IrValue b, int vector,
                  bool has_error, uint32_t error);
/* Call, then forget the registers if it writes them. */
IrValue x86_call(X86Tr *tr, const IrHelper *h, unsigned n, const IrValue *args);
#define X86_CALL(tr, h, ...) x86_call(tr, h, \
    sizeof((IrValue[]){0, ##__VA_ARGS__}) / sizeof(IrValue) - 1, \
    (IrValue[]){0, ##__VA_ARGS__} + 1)

/* EDX:EAX, upper halves cleared on writing. */
IrValue x86_edx_eax(X86Tr *tr);
void x86_put_edx_eax(X86Tr *tr, IrValue v);
/* EIP/RIP of the next instruction, cut to @bytes. */
IrValue x86_next_pc(X86Tr *tr, unsigned bytes);
/* The instruction at @pc, if it lies well inside the entry's page (from the entry on). */
bool x86_peek(X86Tr *tr, uint64_t pc, X86Insn *i);
/* Does the CPU have the feature XF_*? */
bool x86_insn_has(const X86State *s, unsigned xf);

/* i8086.c: two words in memory, of which the second may lie at the segment's beginning (8086, 286). */
bool x86_wraps_words(const X86Tr *tr);
void x86_load_words(X86Tr *tr, const X86Insn *i, IrValue *first, IrValue *second);
/* A string operation's faults, where the 286 has moved its registers by then. @src: reads DS:SI; @dst: ES:DI. */
void x86_string_286(X86Tr *tr, const X86Insn *i, bool src, bool dst, bool dst_first,
                    bool writes);
/* What processors before the 486 do otherwise; true if that was all of the instruction. */
bool x86_old_insn(X86Tr *tr, const X86Insn *i);

/* The whole: TargetOps.translate. */
void x86_translate(TcgTranslate *t);

#endif
