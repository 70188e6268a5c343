/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of the TCG accelerator since start-up, for "info jit" and query-jit. */
#ifndef ACCEL_TCG_STATS_H
#define ACCEL_TCG_STATS_H

#include "util/osdep.h"

/* Why generated code came back to the execution loop. */
enum { TCG_LEFT_LINK,           /* a jump inside a page that wasn't linked yet */
       TCG_LEFT_LOOKUP,         /* another jump whose target the jump cache didn't have */
       TCG_LEFT_REQUEST,        /* asked to: interrupts, stops, other threads' wishes */
       TCG_LEFT_NEXT,           /* the instruction may have changed the mode */
       TCG_LEFT_IRQ,            /* it may have let interrupts in */
       TCG_LEFT_STALE,          /* guarded code has changed */
       TCG_LEFT_HOT,            /* a region that wants to be optimised */
       TCG_LEFT_FAULT,          /* exception, or an instruction to be run alone */
       TCG_LEFT_OTHER, TCG_LEFT_NUM };

/* Translations of one tier: quick, optimised. */
typedef struct TcgTierInfo {
    uint64_t regions, guest_insns, guest_bytes, code_bytes, ns;
} TcgTierInfo;

typedef struct TcgInfo {
    const char *backend;        /* NULL: TCG isn't in use */
    uint64_t cache_size, cache_used;    /* bytes */
    TcgTierInfo tier[2];
    uint64_t live;              /* valid now */
    uint64_t invalidated, flushes;
    uint64_t reclaimed;         /* arenas of the cache, for new code */
    uint64_t lookups, leaves, chained, left[TCG_LEFT_NUM];
    uint64_t guarded, stale;    /* regions of code that is patched often; that didn't hold */
    uint64_t tlb_fills, tlb_kept, tlb_flushes, page_flushes;
    uint64_t slow_loads, slow_stores, mmio;
    uint64_t exceptions, interrupts, smc_retries;
} TcgInfo;

/* A helper that translated code calls, and from how many places (of all regions ever made). */
typedef struct TcgHelperCount {
    const char *name;
    uint64_t places;
} TcgHelperCount;
#define TCG_HELPERS_MAX     512
/* Fills @list, most places first; returns the number. Big lock. */
unsigned tcg_helper_counts(TcgHelperCount list[TCG_HELPERS_MAX]);

/* Sums over all vCPUs; read without stopping them. Big lock. */
TcgInfo tcg_info(void);

#endif
