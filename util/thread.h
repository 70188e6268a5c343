/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads, mutexes, condition variables, events. Thin over POSIX threads;
 * misuse (unlocking what isn't locked, destroying what is) is a programmer's
 * mistake and ends the program. The emulator's one big lock is in main-loop.h.
 */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#include "util/osdep.h"
#include <pthread.h>

typedef struct Mutex {
    pthread_mutex_t m;
} Mutex;

typedef struct Cond {
    pthread_cond_t c;           /* waits by CLOCK_MONOTONIC */
} Cond;

#define MUTEX_INITIALIZER { PTHREAD_MUTEX_INITIALIZER }
/* For one that is held for moments: whoever finds it taken looks a few times before he sleeps. */
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
#define MUTEX_BRIEF { PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP }
#else
#define MUTEX_BRIEF MUTEX_INITIALIZER
#endif

void mutex_init(Mutex *m);
void mutex_init_recursive(Mutex *m);
void mutex_destroy(Mutex *m);
/* Locks and waits know the place they are at, for util/lock-profile.h. */
#define mutex_lock(m)           mutex_lock_at(m, CALL_SITE)
#define CALL_SITE               __FILE__ ":" CALL_SITE_LINE(__LINE__)
#define CALL_SITE_LINE(line)    CALL_SITE_TEXT(line)
#define CALL_SITE_TEXT(line)    #line
void mutex_lock_at(Mutex *m, const char *site);
void mutex_lock_big_at(Mutex *m, const char *site);      /* the big lock's */
bool mutex_trylock(Mutex *m) MUST_CHECK;
void mutex_unlock(Mutex *m);

/* MUTEX_GUARD(&m); holds the mutex until the end of the block. */
static inline void mutex_guard_end(Mutex **m)
{
    mutex_unlock(*m);
}
#define MUTEX_GUARD(mutex) MUTEX_GUARD_(mutex, __COUNTER__)
#define MUTEX_GUARD_(mutex, n) MUTEX_GUARD__(mutex, n)
#define MUTEX_GUARD__(mutex, n) \
    UNUSED __attribute__((cleanup(mutex_guard_end))) Mutex *mutex_guard_##n = \
        (mutex_lock(mutex), (mutex))

void cond_init(Cond *c);
void cond_destroy(Cond *c);
void cond_signal(Cond *c);
void cond_broadcast(Cond *c);
#define cond_wait(c, m)         cond_wait_at(c, m, CALL_SITE)
void cond_wait_at(Cond *c, Mutex *m, const char *site);
/* False if @ns nanoseconds have passed without a signal. */
#define cond_wait_ns(c, m, ns)  cond_wait_ns_at(c, m, ns, CALL_SITE)
bool cond_wait_ns_at(Cond *c, Mutex *m, int64_t ns, const char *site);

/* An event stays set until it is reset; set and test are cheap. */
typedef struct Event {
    _Atomic uint32_t value;
} Event;

void event_init(Event *e, bool set);
void event_set(Event *e);
void event_reset(Event *e);
void event_wait(Event *e);      /* until set; returns at once if it is */
static inline bool event_is_set(Event *e)
{
    return atomic_load(&e->value) == 1;
}

typedef struct Thread {
    pthread_t id;
} Thread;

/* @name is copied, 15 bytes of it show in debuggers. */
void thread_create(Thread *t, const char *name, void *(*fn)(void *opaque), void *opaque);
/* As thread_create(); the thread cannot be joined. */
void thread_create_detached(const char *name, void *(*fn)(void *opaque), void *opaque);
void *thread_join(Thread *t);
bool thread_is_self(const Thread *t);
/* The kernel's id of the calling thread, as ps and gdb show it. */
int thread_tid(void);

#endif
