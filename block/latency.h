/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a back end's requests take, counted in bins (block-latency-histogram-set). The
 * histograms of a back end are guarded by its lock.
 */
#ifndef BLOCK_LATENCY_H
#define BLOCK_LATENCY_H

#include "util/osdep.h"

typedef enum LatencyKind { LATENCY_READ, LATENCY_WRITE, LATENCY_FLUSH, LATENCY_NUM } LatencyKind;

typedef struct LatencyHistogram {
    size_t n;                   /* of boundaries; there is one bin more */
    uint64_t *boundaries;       /* ns, rising; owned; NULL: nothing is counted */
    uint64_t *bins;             /* owned */
} LatencyHistogram;

typedef struct BlockLatency {
    LatencyHistogram kind[LATENCY_NUM];
} BlockLatency;

/* Begins again with empty bins. */
void latency_set(LatencyHistogram *h, const uint64_t *boundaries, size_t n);
void latency_clear(LatencyHistogram *h);
void latency_count(LatencyHistogram *h, uint64_t ns);

#endif
