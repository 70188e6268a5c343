/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the TCG accelerator keeps for each vCPU, and the interfaces between
 * its files: the loop (exec.c), the soft MMU (softmmu.c, tlb.c), the
 * translations (region.c, translate.c), debugging (debug.c).
 *
 * A VcpuTcg belongs to its vCPU's thread. Others may set env->exit_request,
 * and, holding @tlb_lock, take write permission out of fast TLB entries
 * (tlb_untag_writes); they empty jump-cache entries through region.c.
 */
#ifndef ACCEL_TCG_VCPU_H
#define ACCEL_TCG_VCPU_H

#include <setjmp.h>
#include "accel/tcg/stats.h"
#include "accel/tcg/target-ops.h"
#include "util/patience.h"
#include "util/thread.h"

#define TLB_MIN_BITS    8
#define LARGE_FILTER    8192    /* bits of filters, powers of two */
#define CODE_FILTER     16384
#define JC_LOCAL_MAX    2048
#define TLB_USED_MAX    512     /* entries remembered, to flush only those */

/* All that is known of a TLB entry; the fast entry of the same index has the
 * tags of what generated code may do by itself. */
typedef struct TlbFull {
    uint64_t vpage;             /* TLB_NO_TAG: empty */
    uint64_t phys;
    uint8_t *host;              /* host address of the page; NULL: MMIO, or a
                                   page that isn't one region's alone */
    RamBlock *ram;              /* with host */
    uint64_t ram_offset;        /* of the page in @ram */
    MemRegion *mr;              /* MMIO: whole page of this region */
    hwaddr mr_offset;
    MemAttrs attrs;
    uint8_t prot;               /* 1 << MmuAccess */
    bool readonly;              /* host memory that ignores stores (ROM), or
                                   hands them to mr (ROMD) */
    bool global;
    bool watch;                 /* a debugger or the guest watches bytes of it */
    bool guest_watch;
    uint8_t as_index;           /* of the CPU's address spaces */
} TlbFull;

typedef struct TlbUsed {
    unsigned n;                 /* may be past TLB_USED_MAX: not all are listed */
    uint16_t list[TLB_USED_MAX];
} TlbUsed;

/* Large pages of up to 4 MiB: a filter by 2 MiB, and the largest size seen (0: there are none). */
typedef struct TlbLarge {
    uint64_t any;
    uint64_t filter[LARGE_FILTER / 64];
} TlbLarge;

typedef struct TlbMode {
    TlbFull *full;
    unsigned bits;              /* log2 of the number of entries */
    /* Which have been filled since they were last cleared: those that aren't global, those that are. */
    TlbUsed used[2];
    unsigned n_global;          /* global entries there are */
    unsigned fills;             /* since the last flush */
    unsigned flushes_sparse;    /* in a row, that saw few fills */
    TlbLarge large[2];          /* not global, global */
    /* One range that covers all larger ones; mask 0: none. */
    uint64_t huge_start, huge_mask;
} TlbMode;

typedef struct TlbSpaces TlbSpaces;         /* tlb-spaces.c */

typedef struct TcgStats {
    uint64_t left[TCG_LEFT_NUM];        /* why generated code came back (stats.h) */
    uint64_t lookups, leaves, chained;
    uint64_t tlb_fills, tlb_kept, tlb_flushes, page_flushes, slow_ld, slow_st, mmio;
    uint64_t exceptions, interrupts, smc_retries;
} TcgStats;

typedef struct TcgWatch {
    uint64_t addr, len;
    uint8_t access;             /* 1 << MmuAccess */
} TcgWatch;

/* What -accel tcg,... and the back end were told; set before any vCPU runs. */
typedef struct TcgOptions {
    /* Each can be left out, to see what it brings. */
    bool guarded_code;          /* granules that change often become hot (region.h) */
    bool regions;               /* translations have branches and loops inside */
    bool links;                 /* jumps inside a page go straight to their target */
    bool jump_cache;            /* others find it without C */
    bool optimise;              /* all of the optimiser, not the backward pass alone */
    bool tiers;                 /* all that only for what is entered often: */
    int32_t hot_entries;        /* this many times */
    FILE *perf_map;             /* /tmp/perf-PID.map, or NULL */
} TcgOptions;
extern TcgOptions tcg_options;

typedef struct VcpuTcg {
    CPUState *cpu;
    TcgEnv *env;
    const TargetOps *ops;
    const TcgBackend *be;
    TlbMode tlb[TLB_MODES];
    TlbSpaces *spaces;          /* NULL: none of the address spaces had a tag yet */
    Mutex tlb_lock;
    uint32_t generation;        /* of the address space, for the jump cache */
    uint64_t code_base;         /* address of virtual PC 0, for the same */
    JumpCacheEntry *jc;
    uint16_t jc_local[JC_LOCAL_MAX];            /* entries whose mapping isn't global */
    unsigned n_jc_local;                        /* past the maximum: not all are listed */
    /* Filters of the pages that entries are in: of global mappings, and of others, which jc_local lists. */
    uint64_t jc_pages[CODE_FILTER / 64], jc_local_pages[CODE_FILTER / 64];
    sigjmp_buf unwind;          /* of tcg_raise outside generated code */
    _Atomic bool in_code;       /* generated code is on the stack */
    _Atomic uint64_t edges;     /* times the loop was at its top */
    bool exclusive;             /* between exclusive_begin and _end */
    _Atomic bool running;       /* inside vcpu_exec's loop */
    int wake;                   /* an eventfd for kicks; -1: never needed yet */
    _Atomic bool watching;      /* doorbells, and @wake */
    _Atomic bool kicked;        /* since it began to look for that */
    Patience patience;
    bool excp_pending;
    struct TcgRegion *transient;        /* the last one that isn't in the table, to be freed; or NULL */
    struct TcgRegion *hot;      /* wants to be optimised (TCG_LEAVE_HOT), or NULL */
    uint64_t epoch;             /* region_epoch() at the loop's top */
    _Atomic bool hints_stale;   /* another thread has taken permissions away */
    bool tlb_crowded;           /* tlb_grow is wanted */
    _Atomic bool sample;        /* tell profile.c where it is at the next edge */
    bool single_insn;           /* the next region is one instruction long */
    bool check_irq;
    bool did_io;                /* -icount: a device was asked */
    bool debug_hit;             /* stop for the debugger */
    uint64_t debug_addr;        /* of the watchpoint that hit */
    bool watch_hit;
    TcgStats stats;
    /* Debugging; changed with the vCPU stopped. */
    uint64_t *breakpoints;      /* sorted */
    unsigned n_breakpoints;
    TcgWatch *watches;
    unsigned n_watches;
    bool single_step;           /* by the debugger */
} VcpuTcg;

static inline VcpuTcg *vcpu_of(TcgEnv *env)
{
    return ((CPUState *)env->cpu)->accel;
}

/* --- tlb.c --- */
void tlb_init(VcpuTcg *v);
void tlb_cleanup(VcpuTcg *v);
/*
 * The entry for @addr, filled if need be. Faults are raised (@raise) or give
 * NULL. Under RCU read lock.
 */
TlbFull *tlb_get(VcpuTcg *v, uint64_t addr, MmuAccess access, unsigned mmu, bool raise);
/* Make tables larger that turned out too small. Between regions. */
void tlb_grow(VcpuTcg *v);
/* Forget the page hints of generated code. */
void tlb_hints_clear(VcpuTcg *v);
/* What the jump cache holds is worth nothing from now on. */
void tlb_new_generation(VcpuTcg *v);
/* Jump-cache entry @index leads to code in the page of @address. */
void tlb_note_code(VcpuTcg *v, unsigned index, uint64_t address, bool global);
/* Take the write tags of a RAM range out of every mode's fast entries. Any thread. */
void tlb_untag_writes(VcpuTcg *v, ram_addr_t addr, uint64_t len);

/* Drop what isn't global. */
void tlb_drop_local(VcpuTcg *v);

/* --- tlb-spaces.c --- */
/* What is kept for a page of the current address space, or NULL; good until the next tlb_keep. */
const TlbFull *tlb_kept(VcpuTcg *v, uint64_t page, unsigned mmu);
void tlb_keep(VcpuTcg *v, unsigned mmu, const TlbFull *f);
void tlb_kept_forget_page(VcpuTcg *v, uint64_t page);
void tlb_kept_forget_all(VcpuTcg *v);

/* --- softmmu.c --- */
void softmmu_init(void);

/* --- tcg-accel.c --- */
/* What has been written of the code cache needn't be mapped writable any more. Under the translation lock. */
void tcg_cache_trim(void);

/* --- translate.c --- */
/* Translate at virtual @pc, which the MMU sees as @address. Raises if it can't be fetched.
 * @hot: the region that this one, optimised, is to replace, or NULL. */
struct TcgRegion *tcg_translate(VcpuTcg *v, uint64_t pc, uint64_t address, struct TcgRegion *hot);

/* --- exec.c --- */
/* Run until something needs the outer loop. Big lock held at call and return. */
typedef enum { VCPU_HALTED, VCPU_REQUEST, VCPU_DEBUG } VcpuExit;
VcpuExit vcpu_exec(VcpuTcg *v);
/* Free the region of VcpuTcg.transient. Outside generated code. */
void tcg_drop_transient(VcpuTcg *v);
/* Unwind to the current instruction if generated code called us. */
void vcpu_unwind(VcpuTcg *v);
/* Back to vcpu_exec's loop; state must be whole. */
void vcpu_leave(VcpuTcg *v) NORETURN;
/* All other vCPUs stand outside of vcpu_exec's loop between these. Big lock not held. */
void exclusive_begin(VcpuTcg *self);
void exclusive_end(VcpuTcg *self);

#endif
