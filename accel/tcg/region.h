/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translated regions: found by physical entry address and mode, watched
 * for writes to their bytes in granules of 64, chained to each other.
 *
 * A granule whose bytes keep being rewritten becomes hot: regions of it aren't
 * watched any more but compare their bytes at each entry (IrGuard), and take patched immediates from memory.
 *
 * All functions but region_find take the translation lock themselves unless they
 * say otherwise. A region that was invalidated stays allocated until the arena of the code cache that it is in
 * is needed again, since a vCPU may still be running in it.
 */
#ifndef ACCEL_TCG_REGION_H
#define ACCEL_TCG_REGION_H

#include "accel/tcg/vcpu.h"
#include "config.h"
#ifdef CONFIG_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#define REGION_MAX_JC   6

/* An exit of a region, and whom it is chained to. */
typedef struct RegionLink {
    struct TcgRegion *to;       /* or NULL */
    struct RegionLink *next;    /* of those that lead there */
    struct TcgRegion *from;
} RegionLink;

/* One translation. Its fields don't change after region_insert, but for what
 * the lock protects: chains, jump-cache slots, list links. */
struct TcgRegion {
    /* The key, and what else is looked at when it is looked for: together in the processor's cache. */
    struct TcgRegion *_Atomic hash_next;
    ram_addr_t entry;           /* RAM address of the first byte */
    /* Where its bytes are: page 0 from entry - below on, page 1 from its start. */
    ram_addr_t page1;           /* RAM_ADDR_INVALID: touches one page only */
    uint32_t mode;
    bool one_insn;
    bool transient;             /* from MMIO: not in the table, run once */
    bool guarded;               /* of hot granules: watches nothing */
    _Atomic bool invalid;
    _Atomic bool unsettled;     /* a store that didn't know that its page is watched may be under way */
    bool jc_overflow;           /* in more jump-cache slots than are listed */
    uint8_t n_jc;
    uint16_t jc[REGION_MAX_JC];
    TcgCode code;
    uint16_t bytes;
    uint16_t below;             /* of them before the entry */
    uint16_t bytes0;            /* of them in page 0 */
    uint16_t n_insns;
    bool optimised;             /* of the second tier */
    int32_t heat;               /* entries until it is optimised; generated code counts */
    uint32_t n_guards;
    struct TcgRegion *page_next[2];
    RegionLink *incoming;       /* exits that are chained to us */
    RegionLink *links;          /* by exit; behind them is @copy */
    uint8_t *copy;              /* its bytes when it was translated */
    uint64_t pc;                /* a virtual PC it was seen at, for people */
    IrGuard *guards;            /* n_guards of them, if guarded */
};

/* RAM address of its lowest byte in page 0. */
static inline ram_addr_t region_start(const struct TcgRegion *r)
{
    return r->entry - r->below;
}

void region_init(const TcgBackend *be);
/* Lock-free. The next one in the table after @after (NULL: the first), or NULL:
 * there may be several that differ in their second page. */
struct TcgRegion *region_find(ram_addr_t entry, uint32_t mode, bool one_insn,
                              struct TcgRegion *after);
/* With @bytes and @code known: room for its links and the copy of its bytes. */
void region_alloc_tail(struct TcgRegion *r);
/* One that isn't in the table. */
void region_free(struct TcgRegion *r);
void region_lock(void);
void region_unlock(void);
/* With the lock: put a new one into the table and mark its pages. If its bytes have changed
 * since they were read, it is dropped at once. */
void region_insert(struct TcgRegion *r, RamBlock *b0, uint64_t off0, RamBlock *b1, uint64_t off1);
/* Generated code leads into regions of another vCPU, by jumps that are patched in when the region is whole:
 * ThreadSanitizer doesn't see that. */
static inline void region_published(UNUSED struct TcgRegion *r)
{
#ifdef CONFIG_TSAN
    __tsan_release(r);
#endif
}
static inline void region_met(UNUSED struct TcgRegion *r /* may be NULL */)
{
#ifdef CONFIG_TSAN
    if (r) {
        __tsan_acquire(r);
    }
#endif
}
/* With the lock: @new, which begins where @old does, takes its place. */
void region_replace(struct TcgRegion *old, struct TcgRegion *new);
/* Other vCPUs have passed an edge since @r was inserted: it may be run, if its bytes are still
 * the same. Else it is dropped. */
void region_settle(struct TcgRegion *r);
/* Chain exit @n of @from to @to if both are still valid. */
void region_link(struct TcgRegion *from, unsigned n, struct TcgRegion *to);
/* Note that @r was put into jump-cache slot @index of some vCPU. */
void region_note_jc(struct TcgRegion *r, unsigned index);
/* Is there a translation of any of these bytes in one page? Lock-free, exact to 64 bytes. */
bool region_watches(ram_addr_t addr, unsigned len);
/* Or of any byte of the page? */
bool region_watches_page(ram_addr_t addr);
/* Does @r contain one of these bytes? */
bool region_contains(const struct TcgRegion *r, ram_addr_t addr, uint64_t len);
/* Bytes were written: drop the translations that have one that is another now. */
void region_invalidate(ram_addr_t addr, uint64_t len);
/* The bytes are gone: drop the translations that have any of them. */
void region_forget(ram_addr_t addr, uint64_t len);
/* Granules of a page that are hot now, lock held. A granule that has been left alone for a
 * second isn't any more. */
uint64_t region_hot(ram_addr_t page);
/* Were any of these bytes of a page changed while it was being made hot? Lock held. */
bool region_patched(ram_addr_t addr, unsigned len);
/* A guard of @r didn't hold: note what has changed, and let nothing jump straight to it. */
void region_stale(struct TcgRegion *r);
/* Are the bytes of guarded @r, but for those it takes from memory, what they were? Under RCU. */
bool region_holds(const struct TcgRegion *r);
/* Lock held, with each translation: drop a few of the oldest if their arena is needed next. */
void region_drain(void);
/* Lock held: new code goes to the next arena of the cache from now on. False: that isn't empty yet. */
bool region_next_arena(void);
/* Drop everything; no vCPU is in generated code, lock held. */
void region_flush_all(void);
/* How often that has happened: all pointers to regions of before are stale. */
uint64_t region_flushes(void);
/* Changes with each flush, and whenever dropped regions are going to be freed. A pointer to a region that was got in one RCU read
 * section may be used in the next if this is still what it was at the first one's beginning. */
uint64_t region_epoch(void);

typedef struct RegionStats {
    TcgTierInfo tier[2];
    uint64_t live, invalidated, replaced, flushes, reclaimed, guarded, stale;
} RegionStats;
RegionStats region_stats(void);
/* Statistics of a new translation; with the lock. */
void region_count(const struct TcgRegion *r, int64_t ns);

#endif
