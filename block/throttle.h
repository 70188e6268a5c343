/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of bandwidth and requests: leaky buckets, in groups that several back
 * ends or nodes may share. A request is put into its buckets at once and waits
 * until they have leaked enough, so that all wait in the order they came in.
 * Functions but throttle_co_wait: big lock. A group has a lock of its own.
 */
#ifndef BLOCK_THROTTLE_H
#define BLOCK_THROTTLE_H

#include "qobject/error.h"
#include "qobject/qobject.h"

typedef struct ThrottleGroup ThrottleGroup;

enum { THROTTLE_BPS, THROTTLE_BPS_RD, THROTTLE_BPS_WR, THROTTLE_IOPS, THROTTLE_IOPS_RD,
       THROTTLE_IOPS_WR, THROTTLE_BUCKETS };

typedef struct ThrottleConfig {
    uint64_t avg[THROTTLE_BUCKETS];     /* a second; 0: no limit */
    uint64_t max[THROTTLE_BUCKETS];     /* a second in a burst; 0: a tenth of a second's avg at once */
    uint64_t length[THROTTLE_BUCKETS];  /* seconds of a burst, at least 1 */
    uint64_t iops_size;                 /* bytes that count as one request; 0: any number does */
} ThrottleConfig;

/* From members PREFIX + "iops-total", "bps-read-max" ... of @opts. False if none is there, or if they
 * are wrong: then errp is set. */
bool throttle_parse(const QDict *opts, const char *prefix, ThrottleConfig *c, Error **errp);
bool throttle_check(const ThrottleConfig *c, Error **errp);
bool throttle_enabled(const ThrottleConfig *c);

/* The group of that name (of an -object throttle-group, or one made here); a reference. */
ThrottleGroup *throttle_group_get(const char *name);
ThrottleGroup *throttle_group_find(const char *name);   /* NULL: there is none; a reference */
void throttle_group_put(ThrottleGroup *g);              /* NULL is allowed */
const char *throttle_group_name(const ThrottleGroup *g);
void throttle_group_set(ThrottleGroup *g, const ThrottleConfig *c);
ThrottleConfig throttle_group_config(ThrottleGroup *g);
/* Until a request of @bytes may go on, or *@hurry isn't 0 (somebody drains). */
void coroutine_fn throttle_co_wait(ThrottleGroup *g, bool write, uint64_t bytes,
                                   const unsigned *hurry);

#endif
