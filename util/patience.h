/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking again and again for a moment before sleeping. To wake a thread takes the host longer (on a processor that has gone to
 * sleep 20 us and more) than many a thing takes that is waited for: an answer from another guest, a small file read by a worker.
 *
 *     patience_begin(&p);
 *     while (!has_come && patience_lasts(&p)) {
 *     }
 *     ... sleep, if it hasn't come ...
 *     patience_end(&p);
 *
 * How long it lasts is learnt from how long the waits before were, sleep included: nothing, where they are long. A Patience belongs to one
 * thread; zeros are a new one. Locks that others need to bring what is waited for must not be held.
 */
#ifndef UTIL_PATIENCE_H
#define UTIL_PATIENCE_H

#include "util/osdep.h"

#define PATIENCE_MAX_NS     (200 * 1000)

typedef struct Patience {
    int64_t ns;                 /* it lasts, 0 to PATIENCE_MAX_NS */
    int64_t since;              /* CLOCK_MONOTONIC, when this wait began */
    bool looking;               /* counted among those who look */
} Patience;

/* No more threads look at a time than there are processors, and none on a single one. */
void patience_begin(Patience *p);
/* False: sleep. It doesn't give the processor away: others would have it for far longer than all this lasts. */
bool patience_lasts(Patience *p);
/* The wait is over: patience_learn() how long it was. */
void patience_end(Patience *p);
void patience_learn(Patience *p, int64_t took_ns);

#endif
