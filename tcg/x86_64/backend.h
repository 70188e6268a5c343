/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the x86-64 back end (docs/code-generator-x86_64.md).
 *
 * Host registers: RSP the frame below, RBP the CPU pointer; the pinned
 * globals; up to two more integer and some vector variables that the region
 * keeps in a register ("resident"); the others hold temporaries.
 * A variable that isn't resident is always current at its home in memory, a
 * resident one always in its register: block edges need no code.
 */
#ifndef TCG_X86_64_BACKEND_H
#define TCG_X86_64_BACKEND_H

#include "tcg/exec.h"
#include "tcg/vec.h"
#include "tcg/x86_64/asm.h"

#define N_PINNED        8
#define N_SPILL         192             /* of 8 bytes */
#define N_LOCAL_HOMES   64              /* of 16 bytes */
#define N_SCRATCH_VREG  4               /* xmm0.. are never resident */

/* The frame, from RSP (16-byte aligned) up. */
enum {
    FR_ARG0 = 0,                        /* to slow paths: address; result */
    FR_ARG1 = 8,                        /* value */
    FR_ARG2 = 16,                       /* expected value */
    FR_ARG3 = 24,                       /* memop (32 bits) */
    FR_ARG4 = 28,                       /* operation (32 bits) */
    FR_BUF = 32,                        /* 32 bytes: wide values */
    FR_SPILL = 64,
    FR_LOCALS = FR_SPILL + 8 * N_SPILL,
    FR_LEAVE = FR_LOCALS + 16 * N_LOCAL_HOMES,      /* TcgLeave * of enter() */
    FR_FP_OUT = FR_LEAVE + 8,           /* the host's FP environment is loaded */
    FR_SIZE = FR_FP_OUT + 16,           /* 8 modulo 16: six pushes, return address */
};

#define ENV(field)  mem_b(R_RBP, (int32_t)offsetof(TcgEnv, field))
#define ENV_REG(r)  mem_b(R_RBP, (int32_t)(offsetof(TcgEnv, host_regs) + 8 * (r)))
#define ENV_VREG(r) mem_b(R_RBP, (int32_t)(offsetof(TcgEnv, host_vregs) + 32 * ((r) & 15)))

/* Where a value is, besides a register and a spill slot. */
enum {
    V_CONST = 1,        /* its operation says what it is */
    V_HOME = 2,         /* equal to variable @var in memory */
    V_FOLDED = 4,       /* computed by its only user's address mode */
    V_DEFINED = 8,
    V_SNAP = 16,        /* a widening or bits taken out that snapshots alone name: they do it */
};

typedef struct Val {
    uint32_t last_use;          /* position of the last user, 0: none */
    uint32_t n_uses;            /* by operations, and by snapshots: */
    uint32_t n_pended;
    uint32_t user;              /* the last user seen by the first pass */
    uint32_t epos;              /* where its code is emitted (folded: later) */
    uint32_t next;              /* next value in the same register */
    uint32_t second;            /* DIV: its SECOND */
    uint32_t hint_pos;          /* the PUT that takes the value ... */
    uint16_t hint_var;          /* ... to this variable */
    uint16_t var;               /* V_HOME */
    int16_t slot;               /* spill slot, -1: none */
    int8_t reg;
    uint8_t flags;
    uint8_t zbits;              /* bits of the register from here on are 0 */
    bool pended;                /* named by a snapshot */
    bool has_shl;               /* its address mode has a scaled index */
} Val;

typedef struct SnapItem {
    uint16_t var;
    uint8_t kind;               /* PL_* */
    uint8_t reg;
    uint16_t bits;              /* integers: 64, or zero-extended from here ... */
    uint8_t shift, unused;      /* ... what lies this far up */
    int64_t val;                /* slot offset from RSP, constant, env offset */
} SnapItem;
enum { PL_REG, PL_VREG, PL_SLOT, PL_CONST, PL_HOME };

typedef struct SnapRec {
    uint32_t ra;                /* offset of the return address in the code */
    int32_t pc_offset;
    uint32_t aux;
    uint32_t first;             /* of items */
    uint16_t icount;
    int16_t charge;             /* instructions of its block that were begun before: to be charged when
                                   the block is left here */
    uint8_t n;
    uint8_t at_home;            /* of a helper that may have changed globals before it raises: all are
                                   in memory, what registers had is old */
} SnapRec;

/* In the code cache before each region's code. */
typedef struct RegionHead {
    const struct ThunkSet *thunks;
    void *user;
    uint32_t code_size;
    uint32_t tables;            /* tables.c: their offset from this header */
    uint16_t n_snaps, n_exits;
    uint8_t n_residents;        /* globals in registers, pinned ones too */
    bool wide;                  /* the index of snapshots */
    uint16_t unused;
} RegionHead;

/* A jump that can be patched. */
typedef struct HostExit {
    uint32_t at;                /* its displacement's offset in the code */
    uint32_t unlinked;          /* what that is while it isn't linked */
} HostExit;

/* A snapshot of finished code. */
typedef struct SnapView {
    int32_t pc_offset, charge;
    uint32_t icount, aux;
    bool at_home;
    unsigned n, n_residents;
    SnapItem items[IR_SNAP_MAX_PENDING];
    SnapItem residents[R_NUM];
} SnapView;

/* Code shared by the regions of one table of globals. Run-time addresses. */
typedef struct ThunkSet {
    const IrGlobalTable *globals;
    unsigned n_pinned;
    IrVar pinned_var[N_PINNED];
    uint8_t *enter, *leave, *leave_c;
    uint8_t *lookup;            /* leave for the execution loop; the PC is in RAX */
    uint8_t *probe;             /* to where RAX, the PC, leads */
    uint8_t *request;           /* leave for a request at the pc_bias + RCX */
    uint8_t *edge;              /* leave by the snapshot of the call */
    uint8_t *dump;              /* all integer registers to env, sets jit_ra */
    uint8_t *sync, *reload;     /* pinned globals to their homes and back */
    uint8_t *fp_out, *fp_in;    /* guest's FP environment to env and back */
    uint8_t *slow[2][6];        /* [vector registers too][SLOW_*] */
    /* Of the first tier, where code is to be small: integers of 1 to 8 bytes at RAX, to RAX and from RDX.
     * RCX and R11 are scratch. No vector register is in use. */
    uint8_t *quick_ld[TLB_MODES][4], *quick_st[TLB_MODES][4];
    /* RCX bytes to RDX, from RAX or of the pattern in RAX; gives them or 0 in RAX. RCX, RDX, R11 and XMM0 to XMM3 (XMM0) are scratch. */
    uint8_t *copy[TLB_MODES], *fill[TLB_MODES];
} ThunkSet;
enum { SLOW_LD, SLOW_ST, SLOW_LD_BUF, SLOW_ST_BUF, SLOW_PROBE, SLOW_ATOMIC };

/* Code that is emitted behind the region's last block. */
typedef struct Stub {
    uint8_t kind;               /* ST_* */
    uint8_t slow;               /* SLOW_* */
    bool vregs;
    uint8_t type;
    int8_t addr, value, expect, dst;    /* registers, R_NONE */
    uint32_t from[2];           /* displacements that come here, 0: none */
    uint32_t back;              /* position to go on at */
    uint32_t snap;              /* index into Cg.snaps, UINT32_MAX: none */
    IrMemOp memop;
    uint32_t aux;               /* atomic's op; probe: write; exit: reason */
    int8_t tc_page, tc_add, tc_t;       /* registers of the page cache, R_NONE */
    int32_t hint;               /* offset of the page hint that didn't hold, or of the guess, or 0 */
    bool lookup;                /* look the page up before the slow path ... */
    bool write, reads;          /* where it may be written; a load, which needs only to read */
    uint32_t access;            /* ... and go on here */
    uint64_t imm, imm2;         /* value when @value is R_NONE; PC offset */
    int32_t mem;                /* wide value in the frame at this offset */
} Stub;
enum {
    ST_SLOW,
    ST_LEAVE,           /* from the region's entry, on an exit request */
    ST_EDGE,            /* from a back edge, likewise */
    ST_UNLINKED,        /* where an exit that isn't linked goes */
    ST_LOOKUP,          /* jump cache miss */
    ST_STALE,           /* from a guard */
    ST_HOT,             /* entered often enough */
    ST_GUESS,           /* a guess of an addend was wrong */
};

typedef struct Cg {
    Asm a;
    IrRegion *r;
    void *user;
    const ThunkSet *th;
    uint8_t *rw, *rx;           /* the two addresses of a.start */
    bool fail;
    /* Variables. */
    int8_t var_reg[IR_MAX_GLOBALS + N_LOCAL_HOMES];     /* R_NONE: at home */
    bool var_dirty[IR_MAX_GLOBALS + N_LOCAL_HOMES];     /* written somewhere */
    IrVar reg_var[R_NUM];       /* IR_NO_VAR */
    uint32_t temps;             /* mask of registers for temporaries */
    bool uses_vregs;
    /* Values. */
    Val *val;
    uint32_t cap_val;
    uint32_t head[R_NUM];       /* values in each register */
    uint32_t locked;            /* registers of the operation at hand */
    uint32_t slot_until[N_SPILL];       /* position of the last use */
    uint32_t pos;               /* operation at hand */
    uint32_t block_end;         /* position after the block's last operation */
    uint32_t *lazy;             /* values with V_HOME */
    uint32_t n_lazy, cap_lazy;
    /* The page cache: while @tc_root is not 0, accesses off this value (reads alone, if not @tc_write) first
     * compare with the page whose negative is in @tc_page, and whose addend in @tc_add. */
    uint32_t held;              /* these two registers, or 0 */
    IrValue tc_root;
    uint64_t chased;            /* globals that are loaded through pointers (page-hint.c) */
    int8_t tc_page, tc_add;
    bool tc_write;
    IrMemOp tc_mmu;
    IrBlockId block;
    uint32_t *layout;           /* blocks in order of emission */
    uint32_t n_layout;
    uint32_t *order;            /* their places in it */
    uint32_t *block_pos;        /* positions, UINT32_MAX: not yet emitted */
    uint32_t cap_blocks;
    /* Tables under construction. */
    struct { uint32_t at; IrBlockId to; } *fix;
    uint32_t n_fix, cap_fix;
    Stub *stubs;
    uint32_t n_stubs, cap_stubs;
    uint32_t *stale;            /* displacements of jumps from guards */
    uint32_t n_stale, cap_stale;
    SnapRec *snaps;
    uint32_t n_snaps, cap_snaps;
    SnapItem *items;
    uint32_t n_items, cap_items;
    TcgExit *exits;
    HostExit *host_exits;       /* n_exits, too */
    uint32_t n_exits, cap_exits, cap_host_exits;
    uint32_t *item_at;          /* tables.c */
    uint32_t cap_item_at;
    struct { uint32_t at; uint64_t lo, hi; } *pool;
    uint32_t n_pool, cap_pool;
    uint32_t leave_pos;         /* where the code is that leaves as this region, 0: not yet */
    IrValue x87_top;            /* value left in ST(0), 0: none */
} Cg;

#define GROW(array, n, cap) \
    do { \
        if ((n) >= (cap)) { \
            (cap) = (cap) ? (cap) * 2 : 64; \
            (array) = cg_realloc((array), (size_t)(cap) * sizeof(*(array))); \
        } \
    } while (0)
void *cg_realloc(void *p, size_t n);

static inline IrOp *cg_op(Cg *cg, IrValue v) { return &cg->r->ops[v]; }
static inline bool type_is_int(IrType t) { return t >= IR_I8 && t <= IR_I64; }
static inline bool type_is_vec(IrType t)
{
    return t == IR_F32 || t == IR_F64 || t == IR_V128;
}
static inline unsigned type_bytes(IrType t)
{
    return t == IR_F80 ? 10 : ir_type_bits(t) / 8;
}

/* --- regalloc.c --- */
void ra_region(Cg *cg);                     /* choose residents, count uses */
void ra_block(Cg *cg, IrBlockId b);
/* The value in a register of its class, until the operation's end. */
int ra_use(Cg *cg, IrValue v);
bool ra_const(Cg *cg, IrValue v, uint64_t *imm);
/* Usable as a sign-extended 32-bit immediate of @type. */
bool ra_imm32(Cg *cg, IrValue v, IrType type, int32_t *imm);
/* A memory operand of an I32/I64/V128 value that isn't in a register. */
bool ra_mem(Cg *cg, IrValue v, Mem *m);
/* A free register for the operation at hand. */
int ra_scratch(Cg *cg);
int ra_spare(Cg *cg);           /* one that is free anyway, or R_NONE */
int ra_scratch_v(Cg *cg);
/* This very register, emptied. */
void ra_fixed(Cg *cg, int r);
/* Like ra_use, into register @r, which becomes scratch for the operation. */
void ra_use_fixed(Cg *cg, IrValue v, int r);
/* A register for result @v: @prefer if it is free then, none of @avoid (mask). Operands
 * that end here don't count as live: nothing may be written to it while they
 * are needed, unless they are in @avoid. */
int ra_def(Cg *cg, IrValue v, int prefer, uint32_t avoid);
/* Put the result, made in scratch or fixed register @r, there for good. */
void ra_def_at(Cg *cg, IrValue v, int r);
/* @v is the same bits as @of, which is a register's (no code). */
void ra_alias(Cg *cg, IrValue v, IrValue of);
bool ra_dies(Cg *cg, IrValue v);            /* no use after this operation */
void ra_done(Cg *cg);
void ra_get(Cg *cg, IrValue v, IrVar var);
void ra_put(Cg *cg, IrVar var, IrValue v);
Mem ra_home(Cg *cg, IrVar var);
int ra_slot(Cg *cg, IrValue v, unsigned bytes);     /* own slot of an F80: offset from RSP */
/* All lazily read globals into registers (@vars: mask of 0..63, or all). */
void ra_force_lazy(Cg *cg, IrVar var);
/* The variable in @r is about to change: copy what is needed of its old value. */
void ra_overwritten(Cg *cg, int r);
/* Mask of registers that hold what is needed after the operation. */
uint32_t ra_live_after(Cg *cg);
uint32_t ra_live_now(Cg *cg);               /* before it */
void ra_drop_page(Cg *cg);                  /* forget the page cache */
uint32_t ra_snapshot(Cg *cg, uint32_t snap);        /* index into cg->snaps */
Mem ra_address(Cg *cg, IrValue v);          /* address mode of a folded sum */
void cg_load(Cg *cg, IrType t, int reg, Mem m);
void cg_store(Cg *cg, IrType t, int reg, Mem m);
void cg_move(Cg *cg, IrType t, int d, int s);

/* --- emit-*.c: true if the operation was theirs --- */
bool emit_int(Cg *cg, IrValue i, IrOp *op);
bool emit_mem(Cg *cg, IrValue i, IrOp *op);
bool emit_control(Cg *cg, IrValue i, IrOp *op);
bool emit_call(Cg *cg, IrValue i, IrOp *op);
bool emit_fp(Cg *cg, IrValue i, IrOp *op);
bool emit_vec(Cg *cg, IrValue i, IrOp *op);
bool emit_x87(Cg *cg, IrValue i, IrOp *op);
/* Compare, give the condition code. */
unsigned emit_compare(Cg *cg, IrCond c, IrType t, IrValue a, IrValue b);
void emit_entry(Cg *cg, uint32_t *chained);
void emit_stubs(Cg *cg);
void emit_tlb_index(Asm *a, int e, int addr, IrMemOp mo);
/* @t: the page of the last of @n bytes at @addr. */
void emit_last_page(Asm *a, int t, int addr, unsigned n);
/* Of the entry with the index in @e. */
Mem emit_tlb_tag(int e, IrMemOp mo, bool write);
Mem emit_tlb_addend(int e, IrMemOp mo);
void emit_load_residents(Cg *cg, bool all, uint64_t mask);
Stub *cg_stub(Cg *cg, unsigned kind);
/* Call a C function with the values as integer arguments; result (or
 * IR_NO_VALUE) defined. For operations without host instruction. */
void emit_call_pure(Cg *cg, void *fn, IrValue result, unsigned n, const IrValue *args,
                    uint64_t last);         /* one more argument: a constant */
void emit_save_live(Cg *cg, uint32_t mask);
void emit_restore_live(Cg *cg, uint32_t mask);
void cg_call_thunk(Cg *cg, const uint8_t *fn);
void cg_call_abs(Cg *cg, const void *fn);       /* clobbers RAX if far */
void cg_jmp_abs(Cg *cg, const void *fn);
/* fn(env, a, b) of C with the guest's FP environment collected if @fp. */
void emit_call_env(Cg *cg, void *fn, uint32_t a, uint32_t b, bool fp);
void cg_pool(Cg *cg, uint64_t lo, uint64_t hi);
void cg_vop(Cg *cg, uint32_t op, int d, int ra, int rb);
void cg_flags_value(Cg *cg, IrValue i);
void cg_ah_value(Cg *cg, IrValue i);        /* flags that are in AH already */
void x87_save(Cg *cg, IrValue v);               /* have @v in memory */
void x87_drop(Cg *cg);                          /* empty the unit */
void x87_put(Cg *cg, IrVar var, IrValue v);
void cg_load_v128(Cg *cg, int reg, uint64_t lo, uint64_t hi);

/* --- page-hint.c --- */
void hint_region(Cg *cg);       /* look at the region's pointers */
/* Offset of the hint for an access, from the CPU pointer; -1: none. */
int hint_of(Cg *cg, IrValue addr, IrMemOp mo, bool write);

/* --- thunks.c --- */
/* @rx_delta: run-time less writable address. */
void emit_jump_probe(Asm *a, uint32_t miss[2]);
void thunks_emit(ThunkSet *t, const IrGlobalTable *g, Asm *a, intptr_t rx_delta);
extern const uint8_t cg_pinned_regs[N_PINNED];
#define CALLER_SAVED (1u << R_RAX | 1u << R_RCX | 1u << R_RDX | 1u << R_RSI | 1u << R_RDI | \
                      0xfu << R_R8 | 0xffff0000u)

/* --- tables.c --- */
/* Append the tables to the code of the region that begins at @head, and note them in @h. False: no room, or too many. */
bool tables_write(Cg *cg, RegionHead *h, const uint8_t *head, const SnapItem *residents, unsigned n_residents);
const HostExit *tables_exits(const RegionHead *h);
/* The snapshot of return address @ra, an offset in the code. */
bool tables_find(const RegionHead *h, uint32_t ra, SnapView *v);

/* --- codegen.c --- */
const RegionHead *cache_find(const void *ra);   /* region around a host PC */

/* --- unwind.c --- */
bool x86_64_unwind(TcgEnv *env, void *ra, uint32_t *icount, uint32_t *aux);
void x86_64_leave(TcgEnv *env, uint32_t reason) NORETURN;
void x86_64_leave_edge(TcgEnv *env) NORETURN;   /* from generated code */
extern const uint8_t *x86_64_leave_c;           /* run-time address, after init */

#endif
