/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where threads wait for locks and conditions, and for how long: counted by object and place in the source while
 * profiling is on. Off, it costs a test of a flag. Any thread.
 */
#ifndef UTIL_LOCK_PROFILE_H
#define UTIL_LOCK_PROFILE_H

#include "util/osdep.h"
#include <glib.h>

typedef enum LockKind { LOCK_BIG, LOCK_MUTEX, LOCK_COND } LockKind;

typedef struct LockWaits {
    LockKind kind;
    const void *object;         /* one of them */
    unsigned objects;           /* how many, of the same place; 1 if they aren't merged */
    const char *site;           /* "util/timer.c:120", static */
    uint64_t count;
    uint64_t wait_ns;           /* of all of them */
} LockWaits;

/* Counts stay when it is switched off. */
void lock_profile_set(bool on);
bool lock_profile_is_on(void);
void lock_profile_reset(void);
/* LockWaits, unordered; @merge: the objects of one place are one entry. Free with g_array_unref(). */
GArray *lock_profile_get(bool merge);
/* Waits that had no room. */
uint64_t lock_profile_lost(void);

/* Private to those that lock. */
extern _Atomic bool lock_profile_on;
void lock_profile_add(LockKind kind, const void *object, const char *site, int64_t ns);

#endif
