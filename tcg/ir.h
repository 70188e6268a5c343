/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intermediate representation: what front ends (target/<arch>/) build,
 * the optimiser rewrites, and a back end (tcg/<host>/) or the interpreter
 * executes.
 *
 * A region is a single-entry graph of blocks. A block is a straight list of
 * operations; it may be left in the middle by a conditional branch (IR_BRCOND)
 * and ends with exactly one terminator (IR_JMP, IR_GOTO, IR_GOTO_IND, IR_EXIT,
 * IR_UNREACHABLE). Control enters a block only at its top.
 *
 * Values are single-assignment and are used only in the block that defines
 * them, after the definition. What crosses a block edge lives in a variable:
 *   - a global: one item of guest state with a home at an offset from the
 *     CPU pointer (a guest register, a part of the lazy flags ...);
 *   - a local: a scratch variable of this region (loop counters of string
 *     instructions and the like), lost when the region is left.
 * IR_GET reads a variable, IR_PUT writes it. The back end keeps globals in
 * host registers across the region: the first few of a target's list are
 * pinned to the same host register in every region, others get a register
 * where that pays; which it is never shows in the IR.
 *
 * Types. I8 to I64 are bits without sign; operations say how they read them.
 * A value narrower than its host register leaves the upper bits undefined:
 * widen with IR_ZEXT or IR_SEXT. Conditions are values of type I8 that are 0
 * or 1. F32, F64 and F80 are IEEE values; V128 and V256 are vectors whose
 * operations name their lanes. Memory holds V128 in guest byte order 0..15.
 *
 * Precise state. ir_insn_start() opens a guest instruction. Each operation
 * that may leave the region by a fault (loads, stores, helpers that may
 * raise, IR_EXIT_IF) takes a snapshot: the instruction's PC, how many guest
 * instructions were begun before it in the region, and the pending values.
 * The variables then hold the state at the instruction's start, because a front end
 * writes registers (IR_PUT) after the instruction's last operation that may
 * fault, or on purpose before it (a string instruction's steps).
 * A pending value (ir_pend) says: "the architected value of global G is V,
 * though no IR_PUT was made". It costs nothing at run time except that V
 * (and nothing else) stays alive up to the last snapshot that names it. Lazy
 * flags are made so. At the end of a block the front end either makes the
 * puts (ir_commit_pending) or has the next block assume the same recipe.
 * A branch (IR_JMP, IR_BRCOND) to a block that was begun before it, a back edge,
 * takes a snapshot too: the target block's PC and aux, with the values that
 * are pending at the branch. Leaving there on an exit request stores these.
 *
 * Ownership: an IrRegion owns all its memory; it is built, optimised and
 * consumed by one thread. Everything is freed or reused by ir_region_reset.
 */
#ifndef TCG_IR_H
#define TCG_IR_H

#include "util/osdep.h"

typedef enum IrType {
    IR_VOID, IR_I8, IR_I16, IR_I32, IR_I64,
    IR_F32, IR_F64, IR_F80, IR_V128, IR_V256,
    IR_TYPE_NUM
} IrType;

/* Width of the type in bits: 0, 8, 16, 32, 64, 32, 64, 80, 128, 256. */
extern const uint16_t ir_type_widths[IR_TYPE_NUM];
static inline unsigned ir_type_bits(IrType t) { return ir_type_widths[t]; }

typedef uint32_t IrValue;           /* 0: no value */
typedef uint16_t IrBlockId;
typedef uint16_t IrVar;             /* globals first, then locals */

#define IR_NO_VALUE     0
#define IR_NO_VAR       UINT16_MAX
#define IR_NO_BLOCK     UINT16_MAX
#define IR_MAX_GLOBALS  128
#define IR_MAX_ARGS     6

/* Conditions of IR_SETCOND, IR_SELECT and IR_BRCOND on two integers. */
typedef enum IrCond {
    IR_EQ, IR_NE,
    IR_LT, IR_GE, IR_LE, IR_GT,             /* signed */
    IR_LTU, IR_GEU, IR_LEU, IR_GTU,         /* unsigned */
    IR_TST_Z, IR_TST_NZ,                    /* (a & b) == 0, != 0 */
    IR_COND_NUM
} IrCond;

IrCond ir_cond_invert(IrCond c);
IrCond ir_cond_swap(IrCond c);              /* the operands change places */

/*
 * What kind of x86 arithmetic the operation IR_X86FLAGS takes the flags of
 * (OF, SF, ZF, AF, PF, CF at their places in EFLAGS; undefined ones as the
 * reference implementation in tcg/x86flags.h says, so that all agree).
 */
typedef enum IrX86Flags {
    IR_XF_ADD, IR_XF_ADC, IR_XF_SUB, IR_XF_SBB, /* a, b, carry in (c bit 0) */
    IR_XF_LOGIC,                            /* a: result; OF = CF = AF = 0 */
    IR_XF_INC, IR_XF_DEC,                   /* a: operand; c bit 0: CF kept */
    IR_XF_SHL, IR_XF_SHR, IR_XF_SAR,        /* a: operand, b: count 1..width-1
                                               (8/16-bit types: up to 31) */
    IR_XF_NUM
} IrX86Flags;

/* Memory operand of IR_LD, IR_ST and the atomics. */
typedef uint32_t IrMemOp;
enum {
    IR_MO_8 = 0, IR_MO_16, IR_MO_32, IR_MO_64, IR_MO_128, IR_MO_256,
    IR_MO_80 = 7,                   /* x87 extended: 10 bytes */
    IR_MO_SIZE = 7,                 /* mask: log2 of the size in bytes, or 7 */
    IR_MO_SIGN = 8,                 /* sign-extend to the result type */
    IR_MO_BE = 16,                  /* big-endian guest data */
    IR_MO_ALIGN = 32,               /* fault (TargetOps.unaligned) if not
                                       aligned to its size */
    IR_MO_ATOMIC = 64,              /* single-copy atomic even when it isn't
                                       aligned (x86 LOCK): slow path if so */
    IR_MO_PROBE_W = 128,            /* a load that checks for write first: the
                                       first half of a read-modify-write */
    IR_MO_MMU_SHIFT = 8,            /* MMU mode index, 4 bits */
    IR_MO_MMU = 0xf00,
};
#define IR_MO_MMU_IDX(n)   ((IrMemOp)(n) << IR_MO_MMU_SHIFT)
/* Bytes accessed: 1, 2, 4, 8, 16, 32, or 10. */
static inline unsigned ir_mo_bytes(IrMemOp m)
{
    return (m & IR_MO_SIZE) == IR_MO_80 ? 10 : 1u << (m & IR_MO_SIZE);
}

/* Operations: tcg/ops.def, one row each. */
typedef enum IrOpcode {
#define IR_OP(sym, name, nargs, restype, argtypes, flags) IR_##sym,
#include "tcg/ops.def"
#undef IR_OP
    IR_OPCODE_NUM
} IrOpcode;

/* Vector operations, the sub-opcode of IR_VEC: tcg/vec-ops.def. */
typedef enum IrVecOp {
#define VEC_OP(sym, ...) IR_V_##sym,
#include "tcg/vec-ops.def"
#undef VEC_OP
    IR_VEC_NUM
} IrVecOp;

/* Flags of a row in ops.def. */
enum {
    IR_F_SIDE    = 1,       /* has an effect besides its result: not removed */
    IR_F_SNAP    = 2,       /* may fault: takes a snapshot */
    IR_F_TERM    = 4,       /* terminates a block */
    IR_F_COMM    = 8,       /* first two operands commute (never FP) */
    IR_F_BRANCH  = 16,      /* names a block */
    IR_F_FPENV   = 32,      /* reads rounding, sets sticky flags: not moved
                               across IR_FENV or helpers that touch them */
};

/* What a helper does to guest state besides its arguments and result. */
enum {
    IR_H_PURE       = 1,    /* result depends on arguments alone; no effects */
    IR_H_RAISES     = 2,    /* may leave by an exception: takes a snapshot */
    IR_H_READS      = 4,    /* may read any global: all homes in memory are
                               made current before the call */
    IR_H_WRITES     = 8,    /* may write any global: all are reloaded after */
    IR_H_FP         = 16,   /* runs C floating point: called with the host's
                               default FP environment */
    IR_H_NORETURN   = 32,   /* always leaves by an exception */
    IR_H_FPENV      = 64,   /* reads or writes the guest's live FP environment
                               in TcgEnv.fp_*: current there before the call,
                               taken from there after it */
};

/*
 * A C function that generated code calls. Integer arguments up to 64 bits
 * and pointers only, at most IR_MAX_ARGS of them; the result is IR_VOID or
 * an integer type. The CPU pointer is passed first when type_args begins
 * with 'e'. V128/F80 operands are passed by writing them to a global.
 * Helpers are const objects in the target's files.
 */
typedef struct IrHelper {
    const char *name;
    void *fn;
    const char *sig;        /* "r:args" of b w l q (I8..I64), v (void), e (env,
                               as the first argument): e.g. "q:eql" */
    uint32_t flags;         /* IR_H_* */
    /* With READS/WRITES clear: bit masks of the globals that it may read or
     * write after all (globals 0..63). */
    uint64_t reads, writes;
} IrHelper;

/* One item of guest state. Offsets are from the CPU pointer (TcgEnv *). */
typedef struct IrGlobal {
    const char *name;
    IrType type;
    int32_t offset;
} IrGlobal;

/* The target's list. The first integer globals (I32/I64) up to the back
 * end's number of pinned registers are pinned, in this order of rank (but TcgEnv.pc_bias
 * never). */
typedef struct IrGlobalTable {
    const IrGlobal *globals;
    unsigned count;         /* up to IR_MAX_GLOBALS */
} IrGlobalTable;

/* A pending value: global @var has the architected value @value. */
typedef struct IrPending {
    IrVar var;
    IrValue value;
} IrPending;

#define IR_SNAP_MAX_PENDING 6

typedef struct IrSnapshot {
    int32_t pc_offset;      /* PC of the instruction less PC bias (exec.h) */
    uint16_t icount;        /* guest instructions begun before this one */
    uint8_t n_pending;
    IrPending pending[IR_SNAP_MAX_PENDING];
    uint32_t aux;           /* the target's word (ir_insn_start) */
} IrSnapshot;

typedef struct IrOp {
    uint8_t opcode;         /* IrOpcode */
    uint8_t type;           /* result type, or the operands' where void */
    uint8_t cond;           /* IrCond, IrX86Flags kind, jump hint; IR_VEC: in software */
    uint8_t nargs;
    uint16_t vop;           /* IrVecOp of IR_VEC */
    uint16_t var;           /* IR_GET, IR_PUT */
    IrValue arg[4];         /* the helper's arguments 4 and 5: extra[] */
    union {
        uint64_t imm;       /* constant; position | length << 8; immediate */
        double imm_f64;
        IrMemOp memop;
        const IrHelper *helper;
        struct { IrBlockId target; uint8_t likely;
                 uint16_t icount; } br; /* instructions begun in this block */
        int64_t pc_offset;  /* IR_GOTO: destination less the PC bias */
    };
    uint32_t snap;          /* index of the snapshot, or 0 */
    IrValue extra[2];
} IrOp;

/*
 * A block's operations are ops[first..last], @last its terminator; both 0: not
 * begun, or removed by the optimiser as unreachable. Blocks lie in the ops array in
 * the order of IrRegion.order. An edge to a block that doesn't lie further down is a
 * back edge (and has a snapshot); there, as at the region's entry, the exit request
 * is tested.
 * Under count_insns a block's @n_insns (a taken IR_BRCOND: its br.icount) are
 * taken from the budget when it is left; the region's entry and its back edges
 * leave when the budget is smaller than the region's n_insns.
 */
typedef struct IrBlock {
    IrValue first, last;
    uint16_t flags;
    uint16_t depth;         /* loops around it, as the front end sees it */
    uint32_t n_preds;       /* filled by ir_finish */
    /* PC at the block's top less the PC bias: of the instruction opened by
     * ir_insn_start (ir_insn_at) before any other operation of the block, else of the
     * one that was open when the block began (whose restart the variables then
     * allow). */
    int32_t pc_offset;
    uint32_t aux;           /* and that instruction's aux word */
    uint16_t icount;        /* guest instructions begun before it in the region */
    uint16_t n_insns;       /* guest instructions begun in it */
} IrBlock;
enum {
    IR_BLOCK_COLD = 1, IR_BLOCK_LOOP_HEADER = 2,
    IR_BLOCK_NO_EXIT = 4,   /* set by the front end: the state at its top is in
                               the middle of an instruction: back edges to it
                               test nothing */
};

/* Hints of IR_GOTO_IND, in cond. */
enum { IR_JUMP_PLAIN, IR_JUMP_CALL, IR_JUMP_RET };

/*
 * IR_EXIT's reason, in imm: given to the execution loop, which acts.
 * The front end has put everything (PC too, with ir_put_pc) before.
 */
enum {
    IR_EXIT_NEXT,           /* look up the next region (mode may have changed) */
    IR_EXIT_IRQ_CHECK,      /* look at interrupts first (sti, popf, iret ...) */
    IR_EXIT_HALT,           /* the CPU's halted flag was set */
    IR_EXIT_INSN_LIMIT,     /* one-instruction region ended */
    IR_EXIT_DEBUG,
};

/* Code bytes that the region was made from and that nobody watches: it may be run only while
 * the @size bytes (1, 4 or 8) at @host are @value (little-endian). */
typedef struct IrGuard {
    const uint8_t *host;
    uint64_t value;
    unsigned size;
} IrGuard;

typedef struct IrRegion IrRegion;
struct IrRegion {
    const IrGlobalTable *globals;
    IrOp *ops;              /* ops[1..n_ops-1]; ops[0] is unused */
    uint32_t n_ops, cap_ops;
    IrBlock *blocks;        /* block 0 is the entry */
    uint32_t n_blocks, cap_blocks;
    IrSnapshot *snaps;      /* snaps[1..] */
    uint32_t n_snaps, cap_snaps;
    IrType *locals;         /* types of variables IR_MAX_GLOBALS + n */
    uint32_t n_locals, cap_locals;
    /* The guest code behind it. */
    int32_t entry_offset;   /* offset of the entry in its physical page */
    uint32_t n_insns;
    bool count_insns;       /* -icount: budget is kept exactly */
    uint64_t mode;          /* mode word */
    /* Construction. */
    IrBlockId cur;          /* IR_NO_BLOCK: none open */
    IrSnapshot state;       /* what the next snapshot will say */
    uint32_t last_snap;     /* reused while the state doesn't change */
    /* Values that the front end will pend before somebody looks: it calls ir_pend_later(), and is asked once, when the next
     * snapshot or commit needs them. Most are another's by then. */
    void (*pend_due)(struct IrRegion *r, void *opaque);
    void *pend_opaque;
    bool due;
    bool overflow;          /* too big: the front end ends the region */
    bool raw;               /* emit as asked: no folding, no sharing (tests);
                               ir_region_reset leaves it alone */
    IrBlockId *order;       /* the begun blocks as they lie in ops */
    uint32_t n_order, cap_order;
    IrGuard *guards;        /* tested at each entry, else TCG_LEAVE_STALE */
    uint32_t n_guards, cap_guards;
    bool quick;             /* to be had fast rather than to be fast: the first tier */
    int32_t *heat;          /* taken down by one at each entry; below 0: TCG_LEAVE_HOT. Or NULL */
    struct IrBuild *build;  /* the builder's own tables */
};

/* Soft limits, which set @overflow, leave room for any one guest instruction. */
#define IR_SOFT_OPS     6000
#define IR_SOFT_BLOCKS  600
#define IR_SOFT_LOCALS  64

/* What a row of ops.def says. */
typedef struct IrOpInfo {
    const char *name;
    uint8_t nargs, flags;
    char result;
    const char *args;
} IrOpInfo;
extern const IrOpInfo ir_op_info[IR_OPCODE_NUM];
extern const char *const ir_type_name[IR_TYPE_NUM];
extern const char *const ir_cond_name[IR_COND_NUM];
extern const char *const ir_x86flags_name[IR_XF_NUM];
/* Flags of this very operation: a pure helper's call and a vector operation
 * without floating point have fewer than their row. */
unsigned ir_op_flags_of(const IrOp *o);
static inline unsigned ir_op_flags(const IrOp *o)
{
    unsigned f = ir_op_info[o->opcode].flags;

    return o->opcode == IR_CALL || o->opcode == IR_VEC || (f & IR_F_BRANCH) ? ir_op_flags_of(o) : f;
}

/* Operand @i, 0 to nargs-1. IR_X86FLAGS leaves unused ones IR_NO_VALUE. */
static inline IrValue ir_arg(const IrOp *o, unsigned i)
{
    return i < 4 ? o->arg[i] : o->extra[i - 4];
}
static inline IrValue *ir_arg_ptr(IrOp *o, unsigned i)
{
    return i < 4 ? &o->arg[i] : &o->extra[i - 4];
}

static inline bool ir_var_is_global(IrVar v) { return v < IR_MAX_GLOBALS; }
IrType ir_var_type(const IrRegion *r, IrVar v);

IrRegion *ir_region_new(void);
void ir_region_reset(IrRegion *r, const IrGlobalTable *globals);
void ir_region_free(IrRegion *r);

/* --- building: tcg/builder.c. Each emits into the open block. --- */

IrBlockId ir_block_new(IrRegion *r);
/* Continue in @b; a block that is still open jumps there. A block may be begun once. */
void ir_block_begin(IrRegion *r, IrBlockId b);
IrVar ir_local_new(IrRegion *r, IrType t);

/* @pc_offset: PC of the instruction less the PC bias; @aux as the target likes
 * (returned to it on unwinding). */
void ir_insn_start(IrRegion *r, int32_t pc_offset, uint32_t aux);
/* The same without counting an instruction: for a block that only leaves, at the instruction that it stands for. */
void ir_insn_at(IrRegion *r, int32_t pc_offset, uint32_t aux);
/* Until its PUT, commit or the block's end, ir_get gives @v for the global. What
 * is pending is committed by itself before IR_GOTO, IR_GOTO_IND, IR_EXIT and helpers
 * that read or write the global; not before branches. */
void ir_pend(IrRegion *r, IrVar global, IrValue v);
/* Forget what is pending for @global (its IR_PUT does so too). */
void ir_unpend(IrRegion *r, IrVar global);
/* IR_PUT everything that is pending, and forget it. */
static inline void ir_pend_later(IrRegion *r)
{
    r->due = true;
    r->last_snap = 0;
}
void ir_commit_pending(IrRegion *r);

/* Constants are folded, simple identities applied, GETs forwarded and equal pure
 * operations of a block shared as they are built. F32 and F64: @v is the bits. */
IrValue ir_const(IrRegion *r, IrType t, uint64_t v);
static inline IrValue ir_i8(IrRegion *r, uint8_t v) { return ir_const(r, IR_I8, v); }
static inline IrValue ir_i16(IrRegion *r, uint16_t v) { return ir_const(r, IR_I16, v); }
static inline IrValue ir_i32(IrRegion *r, uint32_t v) { return ir_const(r, IR_I32, v); }
static inline IrValue ir_i64(IrRegion *r, uint64_t v) { return ir_const(r, IR_I64, v); }
IrValue ir_vconst(IrRegion *r, uint64_t lo, uint64_t hi);       /* V128 */
static inline bool ir_is_const(const IrRegion *r, IrValue v, uint64_t *imm)
{
    if (r->ops[v].opcode != IR_CONST) {
        return false;
    }
    if (imm) {
        *imm = r->ops[v].imm;
    }
    return true;
}
static inline IrType ir_value_type(const IrRegion *r, IrValue v)
{
    return r->ops[v].type;
}

IrValue ir_get(IrRegion *r, IrVar v);
void ir_put(IrRegion *r, IrVar v, IrValue x);

/* @t is the type of operands and result. */
IrValue ir_bin(IrRegion *r, IrOpcode op, IrType t, IrValue a, IrValue b);
IrValue ir_un(IrRegion *r, IrOpcode op, IrType t, IrValue a);
#define IR_BIN_FN(name, OP) \
static inline IrValue ir_##name(IrRegion *r, IrType t, IrValue a, IrValue b) \
{ return ir_bin(r, IR_##OP, t, a, b); }
IR_BIN_FN(add, ADD) IR_BIN_FN(sub, SUB) IR_BIN_FN(mul, MUL)
IR_BIN_FN(and, AND) IR_BIN_FN(or, OR) IR_BIN_FN(xor, XOR)
IR_BIN_FN(shl, SHL) IR_BIN_FN(shr, SHR) IR_BIN_FN(sar, SAR)
IR_BIN_FN(rotl, ROTL) IR_BIN_FN(rotr, ROTR)
IR_BIN_FN(mulhu, MULHU) IR_BIN_FN(mulhs, MULHS)
#undef IR_BIN_FN
IrValue ir_zext(IrRegion *r, IrType to, IrValue a);     /* same width: a */
IrValue ir_sext(IrRegion *r, IrType to, IrValue a);
IrValue ir_trunc(IrRegion *r, IrType to, IrValue a);
/* Bits pos..pos+len-1 of @a, zero- or sign-extended to its type. */
IrValue ir_extract(IrRegion *r, IrType t, IrValue a, unsigned pos, unsigned len);
IrValue ir_sextract(IrRegion *r, IrType t, IrValue a, unsigned pos, unsigned len);
/* @base with bits pos..pos+len-1 replaced by the low bits of @v (same type). */
IrValue ir_deposit(IrRegion *r, IrType t, IrValue base, IrValue v,
                   unsigned pos, unsigned len);
/* @t: type of @a and @b. setcond gives I8; select gives x (condition true) or
 * y, of type @rt. */
IrValue ir_setcond(IrRegion *r, IrCond c, IrType t, IrValue a, IrValue b);
IrValue ir_select(IrRegion *r, IrCond c, IrType t, IrValue a, IrValue b,
                  IrType rt, IrValue x, IrValue y);
/* Floating point; the others by ir_bin and ir_un. @to of ir_fcvt an F type. */
IrValue ir_fcmp(IrRegion *r, IrType t, IrValue a, IrValue b, bool signaling);
IrValue ir_fcvt(IrRegion *r, IrType to, IrValue a);
IrValue ir_ftoi(IrRegion *r, IrType to, IrValue a, bool truncate);
IrValue ir_fbits(IrRegion *r, IrType to, IrValue a);
/* EFLAGS bits as I32; @c is I8 (IR_NO_VALUE: 0); see IrX86Flags. */
IrValue ir_x86flags(IrRegion *r, IrX86Flags kind, IrType t, IrValue a,
                    IrValue b, IrValue c);
/* Double-width division: (hi:lo) / d of type @t. The front end has made sure
 * that d isn't 0 and the quotient fits. The second of the pair with ir_second. */
IrValue ir_div2(IrRegion *r, bool is_signed, IrType t, IrValue hi, IrValue lo,
                IrValue d);                     /* quotient */
IrValue ir_second(IrRegion *r, IrValue pair);   /* remainder */

/* Guest memory; @addr is I64: what the MMU mode of @mo sees (x86: linear). */
IrValue ir_ld(IrRegion *r, IrType t, IrValue addr, IrMemOp mo);
void ir_st(IrRegion *r, IrValue addr, IrValue v, IrMemOp mo);
/* Fault now if [addr, addr+size of mo) may not be written (read). */
void ir_probe(IrRegion *r, IrValue addr, IrMemOp mo, bool write);
/* Sequentially consistent; give the old value. op: IR_ATOMIC_XCHG ... */
IrValue ir_atomic(IrRegion *r, IrOpcode op, IrType t, IrValue addr, IrValue v,
                  IrMemOp mo);
IrValue ir_cmpxchg(IrRegion *r, IrType t, IrValue addr, IrValue expect,
                   IrValue v, IrMemOp mo);
/* @n bytes (I64) in one page of RAM each that the TLB has: gives @n. Else, or if there are none or more than IR_BULK_MAX, or
 * the copy would read what it wrote: gives 0, and nothing was done. The bytes are written in no order, some of them twice.
 * The pattern is of 8 bytes, little-endian; @n a multiple of its period. */
#define IR_BULK_MAX     256
IrValue ir_copy(IrRegion *r, IrValue to, IrValue from, IrValue n, IrMemOp mmu);
IrValue ir_fill(IrRegion *r, IrValue at, IrValue pattern, IrValue n, IrMemOp mmu);
void ir_fence(IrRegion *r);
/* CPU-state memory that is no global (segment limits, control registers ...):
 * @offset from the CPU pointer. Not tracked: never alias a global's home. */
IrValue ir_ld_env(IrRegion *r, IrType t, int32_t offset);
void ir_st_env(IrRegion *r, int32_t offset, IrValue v);
/* Bytes of guest code that change so often that they are data: an I8 to I64 at @host, which
 * must stay readable as long as the region is valid. */
IrValue ir_ld_code(IrRegion *r, IrType t, const void *host);
/* Run the region only while these 1, 4 or 8 bytes are so. */
void ir_guard(IrRegion *r, const uint8_t *host, unsigned size, uint64_t value);

/* n arguments besides the CPU pointer. Result IR_NO_VALUE for void. */
IrValue ir_call(IrRegion *r, const IrHelper *h, unsigned n, const IrValue *args);
#define IR_CALL(r, h, ...) ir_call(r, h, \
    sizeof((IrValue[]){0, ##__VA_ARGS__}) / sizeof(IrValue) - 1, \
    (IrValue[]){0, ##__VA_ARGS__} + 1)

/* Vector, 1 to 3 operands, @imm where the row has one. Result type as the row. */
IrValue ir_vec(IrRegion *r, IrVecOp vop, IrValue a, IrValue b, IrValue c,
               uint8_t imm);
/* The same by the reference function, which knows what unmasked exceptions change
 * (underflow without loss): TcgEnv.fp_unmasked. */
IrValue ir_vec_soft(IrRegion *r, IrVecOp vop, IrValue a, IrValue b, IrValue c,
                    uint8_t imm);

/* Branches. ir_brcond goes to @target if the condition holds, else goes on in
 * the same block. */
void ir_brcond(IrRegion *r, IrCond c, IrType t, IrValue a, IrValue b,
               IrBlockId target);
void ir_jmp(IrRegion *r, IrBlockId target);
/* Leave for another PC: constant (PC bias + offset), or computed. */
void ir_goto(IrRegion *r, int64_t pc_offset);
void ir_goto_ind(IrRegion *r, IrValue pc, unsigned hint);
/* The virtual PC that @pc_offset stands for: the bias plus a constant. The bias is
 * a GET where the target has a global with the home TcgEnv.pc_bias, else IR_LD_ENV. */
IrValue ir_pc(IrRegion *r, int64_t pc_offset);
/* Set the CPU's PC before IR_EXIT or a helper that reads it. */
void ir_put_pc(IrRegion *r, int64_t pc_offset);
void ir_put_pc_value(IrRegion *r, IrValue pc);
void ir_exit(IrRegion *r, unsigned reason);
/* Ends the block after a helper that doesn't return. */
void ir_unreachable(IrRegion *r);

/* Fix up predecessors, mark loop headers; every begun block is terminated. */
void ir_finish(IrRegion *r);

/* --- the other passes --- */

/* Check every rule above; false with a text in @why (static buffer, 256 bytes). */
bool ir_verify(const IrRegion *r, char *why, size_t why_size);
/* A listing that is fit for a bug report. */
void ir_print(const IrRegion *r, FILE *f);
/* What the builder can't see: constants across blocks, decided branches, unreachable
 * blocks, dead code and dead puts (across blocks). Removed operations become IR_NOP
 * or disappear. Linear time. */
void ir_optimise(IrRegion *r);
/* One backward pass: dead code and dead puts only. For the fast tier. */
void ir_optimise_fast(IrRegion *r);
/* A copy of a finished region without the builder's tables: to be printed, executed,
 * or optimised; freed with ir_region_free. */
IrRegion *ir_region_clone(const IrRegion *r);

#endif
