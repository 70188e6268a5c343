/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coroutines: functions with a stack of their own that can wait in the middle.
 *
 * A coroutine runs in the thread that enters it, until it yields or returns;
 * then co_enter() returns to its caller. It may be entered again by any one
 * thread. Where it waits for something it must arrange beforehand for somebody
 * to wake it: co_wake() from any thread makes its home loop (that it was last
 * running in) enter it again. Functions marked coroutine_fn may yield and are
 * called in coroutines only; what other coroutines can change must be read anew
 * after each.
 */
#ifndef UTIL_COROUTINE_H
#define UTIL_COROUTINE_H

#include "util/osdep.h"
#include "util/thread.h"
#include "util/timer.h"

typedef struct Coroutine Coroutine;
typedef void CoroutineEntry(void *opaque);

/* Frees itself when @entry returns. Does not run before co_enter(). */
Coroutine *co_new(CoroutineEntry *entry, void *opaque);
/* Run it until it yields or ends. It must not be running or scheduled. */
void co_enter(Coroutine *co);
/* co_new() and co_enter() in one. */
void co_start(CoroutineEntry *entry, void *opaque);
/* Have it entered by its home loop soon. Any thread; once for each yield. */
void co_wake(Coroutine *co);
/* Have it entered by this loop soon. */
void co_schedule(EventLoop *loop, Coroutine *co);

void coroutine_fn co_yield(void);
Coroutine *co_self(void);       /* the running coroutine; asserts that there is one */
bool in_coroutine(void);

/* Yield until the clock has gone on by @ns. */
void coroutine_fn co_sleep_ns(ClockId clock, int64_t ns);
/* Yield until @fd is ready for one of @events (FD_READ ...); returns which. */
unsigned coroutine_fn co_wait_fd(int fd, unsigned events);
/* Let other events of the loop be handled. */
void coroutine_fn co_pause(void);

/* --- queues: coroutines that wait for each other, in the order of arrival --- */

typedef struct CoQueue {
    struct CoWaiter *first, **last;     /* under @lock */
    Mutex lock;
} CoQueue;

void co_queue_init(CoQueue *q);
void co_queue_destroy(CoQueue *q);      /* nobody waits */
struct CoMutex;
/* Yield until co_queue_next() picks this one. @m (may be NULL) is unlocked
 * while waiting and locked at return. */
void coroutine_fn co_queue_wait(CoQueue *q, struct CoMutex *m);
/* Wake the first; false if nobody waits. Any thread. */
bool co_queue_next(CoQueue *q);
void co_queue_all(CoQueue *q);
bool co_queue_empty(CoQueue *q);

/* --- mutex: held across yields; fair; works between threads --- */

typedef struct CoMutex {
    CoQueue waiters;            /* its lock guards @locked as well */
    bool locked;
    Coroutine *holder;
} CoMutex;

void co_mutex_init(CoMutex *m);
void co_mutex_destroy(CoMutex *m);
void coroutine_fn co_mutex_lock(CoMutex *m);
void coroutine_fn co_mutex_unlock(CoMutex *m);

#endif
