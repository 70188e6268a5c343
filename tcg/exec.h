/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract at run time between generated code (or the interpreter), the
 * execution loop (accel/tcg/) and the targets.
 *
 * TcgEnv is the first member of every target's CPU state; the CPU pointer of
 * generated code points to it, and globals' offsets count from it. It belongs
 * to the vCPU's thread; other threads only write @exit_request (atomically).
 *
 * PC. In generated code the virtual PC isn't a constant: it is
 *     pc_bias + offset,  offset = entry_offset + (address - entry address)
 * where entry_offset is the region's entry offset in its physical page (0 to 4095). What "virtual
 * PC" means is the target's affair (x86: EIP/RIP without the segment base);
 * TargetOps.pc_mask narrows it (16-bit IP). At every region exit the CPU's PC
 * has been stored in @pc, except on chained jumps inside a page, where
 * pc_bias stays valid and nothing is stored.
 * A region has two entries: the full one is given the virtual PC (where is the back end's affair;
 * enter() takes it from @pc), and sets pc_bias = pc - entry_offset; the chained one, for same-page jumps,
 * finds pc_bias right. Region addresses are compared as physical.
 *
 * Jump cache. Cross-page and indirect jumps look up @jc[jc_index(pc)]
 * inline: full match of pc and of (mode | generation << 32) enters the
 * region by its full entry; else the code leaves to the execution loop with
 * @pc set. The loop fills the entry. C code invalidates everything by a new @generation.
 *
 * Exit requests. Region entries and loop back edges test @exit_request (and
 * take from @budget under icount); non-zero leaves with the PC stored and
 * everything in its home.
 *
 * TLB. One direct-mapped table for the data side of each MMU mode,
 * TLB_MODES of them, in arrays at the CPU state's end, so that they are at constant displacements from the CPU
 * pointer. Index i: (addr >> 12) & tlb[mode].mask. A hit for an access of n bytes: the page of the last
 * byte, (addr + n - 1) & -4096, equals tag_{read,write}[i]; the host address is then addr + addend[i]. An access
 * across pages misses, as the index is the first byte's. What may be written may be read: a tag_write comes with a
 * tag_read. TLB_NO_TAG isn't the number
 * of a page and never hits, whatever address the guest makes up.
 * Pages with MMIO, watchpoints, sub-page permissions, and for writes pages
 * with code or clean dirty-bits have no tag for that kind of access: the slow path does them.
 */
#ifndef TCG_EXEC_H
#define TCG_EXEC_H

#include "tcg/ir.h"

#define TLB_MODES           6
#define TLB_MAX_BITS        13
#define TLB_NO_TAG          ((uint64_t)1 << 63 | 0x800)  /* never page-aligned */
#define TCG_PAGE_BITS       12
#define TCG_PAGE_SIZE       4096

/* How many entries a table has now, in two forms. */
typedef struct TlbFast {
    uint64_t mask;          /* entries - 1 */
    uint64_t field;         /* of an address, as BEXTR wants it: position, length << 8 */
} TlbFast;

static inline TlbFast tlb_fast(unsigned bits)
{
    return (TlbFast){ ((uint64_t)1 << bits) - 1, TCG_PAGE_BITS | bits << 8 };
}

/* Room for the most. Of the three, the entries of an index aren't in the same set of the host's cache. */
#define TLB_ROOM            ((1u << TLB_MAX_BITS) + 16)

typedef struct TlbTable {
    uint64_t addend[TLB_ROOM];          /* host address - guest address */
    uint64_t tag_read[TLB_ROOM];        /* page address or TLB_NO_TAG */
    uint64_t tag_write[TLB_ROOM];
} TlbTable;

/*
 * Page hints: the page of the last access of one kind (mode, read or write) that was made in a
 * certain way, such as off a certain register. Generated code tries it before the TLB: it hits
 * if address + @minus_page < @limit; the host address is then address + @addend. Only generated code fills them, from
 * TLB hits; whoever takes anything out of the TLB empties them all (limit 0).
 */
typedef struct TcgHint {
    uint64_t minus_page, addend;
    uint64_t limit;         /* TCG_HINT_LIMIT: what an access of any size may begin at */
    uint64_t unused;
} TcgHint;
#define TCG_HINTS           22
#define TCG_HINT_LIMIT      (TCG_PAGE_SIZE - 31)

/*
 * Guesses: a load through a pointer that may be anywhere goes to where the addend of an earlier one from
 * the same place leads, and only compares with the TLB's on the side, as neighbouring pages mostly have the same: what waits for the
 * load then doesn't wait for the TLB. Where it keeps being wrong it isn't tried for a while.
 */
typedef struct TcgGuess {
    uint64_t addend;
    uint32_t left;          /* below TCG_GUESS_PAUSE: wrong so often that it isn't tried */
    uint32_t unused;
} TcgGuess;
#define TCG_GUESSES         64
#define TCG_GUESS_PAUSE     1024
#define TCG_GUESS_WRONG     (TCG_GUESS_PAUSE + 64)
#define TCG_GUESS_NONE      1   /* not an addend */

/* What a back end may do, so that each can be measured by leaving it out; all but guesses on by
 * default, set before the first region is made. */
typedef struct TcgSwitches {
    bool page_hints;        /* the above */
    bool guesses;           /* likewise; off: see docs/code-generator-x86_64.md */
    bool page_sharing;      /* accesses off one value share the look-up of their page */
    bool residents;         /* variables beside the pinned ones stay in registers */
    bool quick_thunks;      /* the first tier's accesses aren't inline */
    bool bulk;              /* repeated string instructions use whole pages, and vectors where they are short */
} TcgSwitches;
extern TcgSwitches tcg_switches;

#define JC_BITS             14
#define JC_SIZE             (1u << JC_BITS)
#define JC_MASK             (JC_SIZE - 1)

typedef struct JumpCacheEntry {
    uint64_t pc;
    uint64_t mode_gen;      /* as TcgEnv.mode_gen when it was filled; 0: empty */
    void *code;             /* the full entry */
    void *region;
} JumpCacheEntry;

static inline unsigned jc_index(uint64_t pc)
{
    return (pc ^ pc >> JC_BITS) & JC_MASK;
}

typedef struct TcgEnv TcgEnv;
struct TcgEnv {
    /* Offsets below 128 encode shortest: the hottest first. */
    uint32_t exit_request;      /* atomic; non-zero: leave at the next edge */
    int32_t budget;             /* icount: instructions left; < 0 leaves */
    uint64_t pc;                /* virtual PC, valid outside generated code */
    uint64_t pc_bias;
    uint64_t mode_gen;          /* mode word | generation << 32 */
    JumpCacheEntry *jc;
    TlbFast tlb[TLB_MODES];

    /* Live floating-point environment of the guest (see tcg/fpenv.h): what
     * generated code loads into the host's unit. */
    uint32_t fp_mxcsr;          /* x86 MXCSR layout, exceptions masked */
    uint16_t fp_fcw;            /* x87 control word, exceptions masked */
    uint16_t fp_fsw;            /* sticky exception bits collected */
    uint8_t fp_unmasked;        /* MXCSR's exceptions that the guest hasn't masked: for
                                   vector operations in software (ir_vec_soft) */
    uint8_t fp_step[2];         /* FpEnv.step of those operations, since the target cleared them */
    uint32_t host_mxcsr;        /* saved while generated code runs */
    uint16_t host_fcw;

    /* For the unwinder: what thunks save on the way to C. */
    uint64_t host_regs[16];
    uint8_t host_vregs[16][32] __attribute__((aligned(32)));
    void *host_sp;
    void *cpu;                  /* the CPUState; for accel and helpers */
    void *jit_ra;               /* return address into generated code of the
                                   current helper call or slow path; NULL
                                   outside */
    unsigned as_index;          /* CPUState.as[] of tcg_phys_ld/st/cmpxchg; the
                                   target sets it (x86: 1 in SMM) */
    uint8_t spill[1024] __attribute__((aligned(32)));   /* back end's */
    TcgHint hint[TLB_MODES][2][TCG_HINTS];      /* [][1]: writes */
    TcgGuess guess[TCG_GUESSES];
    TlbTable tlb_table[TLB_MODES];      /* large; a page is touched when it is used */
};

/* Zero in a state of @size bytes all but the TLB's tables. */
static inline void tcg_env_clear(TcgEnv *env, size_t size)
{
    size_t behind = offsetof(TcgEnv, tlb_table) + sizeof(env->tlb_table);

    memset(env, 0, offsetof(TcgEnv, tlb_table));
    memset((char *)env + behind, 0, size - behind);
}

/* --- what a back end or the interpreter offers (tcg/<host>/, tcg/interp.c) --- */

typedef struct TcgRegion TcgRegion;     /* finished translation; accel/tcg/region.h extends */

/* A patchable direct exit (IR_GOTO) of finished code. */
typedef struct TcgExit {
    bool same_page;             /* destination's bytes begin in the entry's page ... */
    uint16_t pc_offset;         /* ... there */
} TcgExit;

/* Finished code and its tables; owned by the accelerator after tcg_codegen. */
typedef struct TcgCode {
    uint8_t *code;              /* executable address: chained entry */
    uint8_t *full_entry;
    uint32_t size;              /* bytes */
    uint16_t n_exits;
    uint8_t arena;              /* where in the cache it is */
    bool full;                  /* why there is none: the arena is full; else the region is too large */
    const TcgExit *exits;
    void *tables;               /* the back end's */
} TcgCode;

/* Why generated code returned. */
typedef struct TcgLeave {
    uint32_t reason;            /* IR_EXIT_*, or one of these: */
    uint32_t exit_index;        /* TCG_LEAVE_GOTO: which exit of @from */
    void *from;                 /* the TcgCode's user pointer, to be chained; or NULL */
} TcgLeave;
enum { TCG_LEAVE_GOTO = 0x100, TCG_LEAVE_REQUEST = 0x101, TCG_LEAVE_LOOKUP = 0x102,
       TCG_LEAVE_STALE = 0x103,     /* a guard of @from doesn't hold; PC is its entry */
       TCG_LEAVE_HOT = 0x104 };     /* @from was entered often (IrRegion.heat); likewise */

#define TCG_ARENAS_MAX      16

typedef struct TcgBackend {
    const char *name;
    unsigned pinned;            /* number of pinned globals */
    /* Once at start-up for a CPU class. @rw and @rx: the code cache's two views. */
    bool (*init)(const IrGlobalTable *globals, uint8_t *rw, uint8_t *rx,
                 size_t size);
    /* Translate @r (verified, optimised). @user is handed back in TcgLeave.from.
     * Returns false when the arena that is being filled is full (TcgCode.full: fill another, or flush, and try
     * again) or the region is too large. Thread-safe against running code; one compiler at a time. */
    bool (*codegen)(IrRegion *r, void *user, TcgCode *out);
    /* Run from @full_entry of @code; env->pc is set. Returns when code leaves. */
    void (*enter)(TcgEnv *env, const TcgCode *code, TcgLeave *leave);
    /* Chain exit @n of @from to the chained entry of @to (NULL: undo). Safe while other threads run it. */
    void (*link)(TcgCode *from, unsigned n, TcgCode *to);
    /* After a fault at return address @ra (TcgEnv.jit_ra): bring every
     * global to its home as of the instruction's start, set env->pc, and give
     * the snapshot's icount and aux. False if @ra isn't in generated code. */
    bool (*unwind)(TcgEnv *env, void *ra, uint32_t *icount, uint32_t *aux);
    /* The @user pointer of the code that @ra is in (as for unwind), or NULL. */
    void *(*find)(TcgEnv *env, void *ra);
    /* Forget everything in the cache (no thread runs in it); the first arena is filled then. */
    void (*flush)(void);
    /*
     * The cache is a row of arenas, filled in turns: their number, and which one is being filled; may be NULL (one).
     * arena_free: forget what is in one (no thread runs in it); arena_fill: code goes to that one from now on, which
     * is empty.
     */
    unsigned (*arenas)(unsigned *filling);
    void (*arena_free)(unsigned n);
    void (*arena_fill)(unsigned n);
    void (*code_free)(TcgCode *code);   /* tables only, not code bytes */
    /* Leave generated code from C, after unwind: return to the caller of enter with @leave reason. */
    void (*leave)(TcgEnv *env, uint32_t reason) NORETURN;
    /* Bytes used, for statistics. */
    size_t (*used)(void);
    /* Where in the cache code goes next; NULL: nowhere. */
    size_t (*position)(void);
} TcgBackend;

extern const TcgBackend tcg_backend_x86_64;     /* only on such hosts */
extern const TcgBackend tcg_backend_interp;

/* --- what the accelerator offers to generated code (accel/tcg/softmmu.c) --- */

/*
 * Slow path of a load, store, probe or atomic: TLB miss, MMIO, page crossing,
 * watchpoint, fault. @ra: the address after the call in generated code (the
 * interpreter: a token that its unwind understands). They return or unwind
 * and leave. Values up to 64 bits in @v / the result; wider through @buf (guest byte
 * order, 10, 16 or 32 bytes).
 */
#define TCG_WEAK __attribute__((weak))      /* tcg/ links without accel/ */
TCG_WEAK uint64_t tcg_slow_ld(TcgEnv *env, uint64_t addr, uint32_t memop, void *ra);
TCG_WEAK void tcg_slow_st(TcgEnv *env, uint64_t addr, uint64_t v, uint32_t memop, void *ra);
TCG_WEAK void tcg_slow_ld_buf(TcgEnv *env, uint64_t addr, void *buf, uint32_t memop, void *ra);
TCG_WEAK void tcg_slow_st_buf(TcgEnv *env, uint64_t addr, const void *buf, uint32_t memop,
                              void *ra);
TCG_WEAK void tcg_slow_probe(TcgEnv *env, uint64_t addr, uint32_t memop, uint32_t write,
                             void *ra);
/* @op: IR_ATOMIC_*; @expect for CMPXCHG. Gives the old value. */
TCG_WEAK uint64_t tcg_slow_atomic(TcgEnv *env, uint64_t addr, uint64_t v, uint64_t expect,
                                  uint32_t memop, uint32_t op, void *ra);

/* What back ends and the interpreter really call: the functions above, unless a
 * test puts its own there before the back end's init. */
typedef struct TcgSlowPaths {
    uint64_t (*ld)(TcgEnv *env, uint64_t addr, uint32_t memop, void *ra);
    void (*st)(TcgEnv *env, uint64_t addr, uint64_t v, uint32_t memop, void *ra);
    void (*ld_buf)(TcgEnv *env, uint64_t addr, void *buf, uint32_t memop, void *ra);
    void (*st_buf)(TcgEnv *env, uint64_t addr, const void *buf, uint32_t memop, void *ra);
    void (*probe)(TcgEnv *env, uint64_t addr, uint32_t memop, uint32_t write, void *ra);
    uint64_t (*atomic)(TcgEnv *env, uint64_t addr, uint64_t v, uint64_t expect,
                       uint32_t memop, uint32_t op, void *ra);
} TcgSlowPaths;
extern TcgSlowPaths tcg_slow_paths;

#endif
