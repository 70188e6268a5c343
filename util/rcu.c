/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Epochs: a reader notes the epoch in which its section began. A writer begins
 * a new epoch and waits until no reader is in an older one. A reader that read
 * the old epoch but stores it after the writer has looked is harmless: its store
 * comes before its loads (see rcu_read_lock), and so after the writer's
 * publication; the next writer waits for it.
 */
#include "util/osdep.h"
#include "util/rcu.h"
#include "util/main-loop.h"
#include "util/thread.h"
#include <sched.h>
#include <time.h>

typedef struct Registered {
    RcuReader *reader;          /* the thread's own variable */
    struct Registered *next;
} Registered;

typedef struct RcuCall {
    void (*fn)(void *arg);
    void *arg;
    bool in_main_loop;
    struct RcuCall *next;
} RcuCall;

_Thread_local RcuReader rcu_reader;
_Atomic uint64_t rcu_epoch = 1;

static Mutex readers_lock = MUTEX_INITIALIZER;
static Registered *readers;             /* under readers_lock */
static Mutex sync_lock = MUTEX_INITIALIZER;     /* one grace period at a time */
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;

static Mutex calls_lock = MUTEX_INITIALIZER;
static pthread_cond_t calls_cond = PTHREAD_COND_INITIALIZER;
static RcuCall *calls, **calls_end = &calls;    /* under calls_lock, oldest first */
static bool calls_thread;               /* it has been started */

/* ------------------------------------------------------------- readers */

static void unregister_thread(void *opaque)
{
    Registered *me = opaque;

    MUTEX_GUARD(&readers_lock);
    for (Registered **p = &readers; *p; p = &(*p)->next) {
        if (*p == me) {
            *p = me->next;
            break;
        }
    }
    free(me);
}

static void make_key(void)
{
    if (pthread_key_create(&exit_key, unregister_thread)) {
        abort();
    }
}

void rcu_register_thread(void)
{
    Registered *me = calloc(1, sizeof(*me));

    if (!me) {
        abort();
    }
    pthread_once(&exit_once, make_key);
    pthread_setspecific(exit_key, me);
    me->reader = &rcu_reader;
    mutex_lock(&readers_lock);
    me->next = readers;
    readers = me;
    mutex_unlock(&readers_lock);
    rcu_reader.registered = true;
}

static bool reader_before(uint64_t epoch)
{
    MUTEX_GUARD(&readers_lock);
    for (Registered *r = readers; r; r = r->next) {
        uint64_t e = atomic_load(&r->reader->epoch);

        if (e && e < epoch) {
            return true;
        }
    }
    return false;
}

void rcu_synchronize(void)
{
    uint64_t epoch;

    assert(!rcu_reader.depth);
    MUTEX_GUARD(&sync_lock);
    epoch = atomic_fetch_add(&rcu_epoch, 1) + 1;
    for (int tries = 0; reader_before(epoch); tries++) {
        if (tries < 10) {
            sched_yield();
        } else {
            /* Readers don't wake anybody, to be cheap. */
            nanosleep(&(struct timespec){ .tv_nsec = tries < 100 ? 50000 : 500000 }, NULL);
        }
    }
}

/* --------------------------------------------------------------- calls */

static void *calls_run(UNUSED void *opaque)
{
    for (;;) {
        RcuCall *list, *next;

        mutex_lock(&calls_lock);
        while (!calls) {
            pthread_cond_wait(&calls_cond, &calls_lock.m);
        }
        list = calls;
        calls = NULL;
        calls_end = &calls;
        mutex_unlock(&calls_lock);

        rcu_synchronize();
        for (; list; list = next) {
            next = list->next;
            if (list->in_main_loop) {
                bh_once(NULL, list->fn, list->arg);
            } else {
                list->fn(list->arg);
            }
            free(list);
        }
    }
    return NULL;
}

static void add_call(void (*fn)(void *arg), void *arg, bool in_main_loop)
{
    RcuCall *c = malloc(sizeof(*c));
    bool start;

    if (!c) {
        abort();
    }
    *c = (RcuCall){ fn, arg, in_main_loop, NULL };
    mutex_lock(&calls_lock);
    *calls_end = c;
    calls_end = &c->next;
    start = !calls_thread;
    calls_thread = true;
    pthread_cond_signal(&calls_cond);
    mutex_unlock(&calls_lock);
    if (start) {
        thread_create_detached("rcu", calls_run, NULL);
    }
}

void rcu_call(void (*fn)(void *arg), void *arg)
{
    add_call(fn, arg, false);
}

void rcu_call_free(void *p)
{
    add_call(free, p, false);
}

void rcu_call_main(void (*fn)(void *arg), void *arg)
{
    add_call(fn, arg, true);
}

static void drained(void *arg)
{
    event_set(arg);
}

void rcu_drain(void)
{
    Event done;

    event_init(&done, false);
    rcu_call(drained, &done);
    event_wait(&done);
}
