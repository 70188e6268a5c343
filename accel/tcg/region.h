/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translated regions: found by physical entry address and mode, watched
 * for writes to their bytes in granules of 64, chained to each other.
 *
 * All functions but region_find take the translation lock themselves unless they
 * say otherwise. A region that was invalidated stays allocated until the
 * whole code cache is flushed, since a vCPU may still be running in it.
 */
#ifndef ACCEL_TCG_REGION_H
#define ACCEL_TCG_REGION_H

#include "accel/tcg/vcpu.h"

#define REGION_MAX_JC   6

typedef struct RegionLink {
    struct TcgRegion *from;
    uint16_t exit;
    struct RegionLink *next;
} RegionLink;

/* One translation. Its fields don't change after region_insert, but for what
 * the lock protects: chains, jump-cache slots, list links. */
struct TcgRegion {
    TcgCode code;
    const TcgBackend *be;
    /* The key. */
    ram_addr_t entry;           /* RAM address of the first byte */
    uint32_t mode;
    bool one_insn;
    bool transient;             /* from MMIO: not in the table, run once */
    /* Where its bytes are: page 0 from the entry on, page 1 from its start. */
    ram_addr_t page1;           /* RAM_ADDR_INVALID: touches one page only */
    uint32_t bytes;
    uint16_t bytes0;            /* of them in page 0 */
    _Atomic bool invalid;
    bool jc_overflow;           /* in more jump-cache slots than are listed */
    uint8_t n_jc;
    uint16_t jc[REGION_MAX_JC];
    struct TcgRegion *_Atomic hash_next;
    struct TcgRegion *page_next[2];
    RegionLink *incoming;       /* exits that are chained to us */
    struct TcgRegion **linked;  /* by exit: whom it is chained to */
    uint64_t pc;                /* a virtual PC it was seen at, for people */
    uint32_t n_insns;
};

void region_init(const TcgBackend *be);
/* Lock-free. The next one in the table after @after (NULL: the first), or NULL:
 * there may be several that differ in their second page. */
struct TcgRegion *region_find(ram_addr_t entry, uint32_t mode, bool one_insn,
                              struct TcgRegion *after);
void region_lock(void);
void region_unlock(void);
/* With the lock: put a new one into the table and mark its pages. */
void region_insert(struct TcgRegion *r, RamBlock *b0, uint64_t off0, RamBlock *b1, uint64_t off1);
/* Chain exit @n of @from to @to if both are still valid. */
void region_link(struct TcgRegion *from, unsigned n, struct TcgRegion *to);
/* Note that @r was put into jump-cache slot @index of some vCPU. */
void region_note_jc(struct TcgRegion *r, unsigned index);
/* Is there a translation of any of these bytes in one page? Lock-free, exact to 64 bytes. */
bool region_watches(ram_addr_t addr, unsigned len);
/* Does @r contain one of these bytes? */
bool region_contains(const struct TcgRegion *r, ram_addr_t addr, uint64_t len);
/* Bytes were written: drop the translations that have one of them. */
void region_invalidate(ram_addr_t addr, uint64_t len);
/* Drop everything; no vCPU is in generated code, lock held. */
void region_flush_all(void);
/* How often that has happened: pointers to regions of before are stale. */
uint64_t region_flushes(void);

typedef struct RegionStats {
    uint64_t regions, live, guest_insns, guest_bytes, code_bytes, invalidated, flushes;
} RegionStats;
RegionStats region_stats(void);
/* Statistics of a new translation; with the lock. */
void region_count(uint32_t insns, uint32_t bytes, uint32_t code_size);

#endif
