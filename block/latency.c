/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/latency.h"

#include <glib.h>

void latency_set(LatencyHistogram *h, const uint64_t *boundaries, size_t n)
{
    latency_clear(h);
    h->n = n;
    h->boundaries = g_new(uint64_t, n + 1);
    if (n) {
        memcpy(h->boundaries, boundaries, n * sizeof(*boundaries));
    }
    h->bins = g_new0(uint64_t, n + 1);
}

void latency_clear(LatencyHistogram *h)
{
    g_free(h->boundaries);
    g_free(h->bins);
    *h = (LatencyHistogram){ 0 };
}

/* A bin reaches from its lower boundary to just below its upper one. */
void latency_count(LatencyHistogram *h, uint64_t ns)
{
    size_t from = 0, to = h->n;

    if (!h->boundaries) {
        return;
    }
    while (from < to) {
        size_t middle = (from + to) / 2;

        if (h->boundaries[middle] <= ns) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    h->bins[from]++;
}
