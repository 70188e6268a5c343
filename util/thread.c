/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/thread.h"
#include "util/lock-profile.h"
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What POSIX returns only for misuse. */
static void must(int err, const char *what)
{
    if (unlikely(err)) {
        fprintf(stderr, "qemu-system: %s: %s\n", what, strerror(err));
        abort();
    }
}

void mutex_init(Mutex *m)
{
    must(pthread_mutex_init(&m->m, NULL), "mutex_init");
}

void mutex_init_recursive(Mutex *m)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    must(pthread_mutex_init(&m->m, &attr), "mutex_init_recursive");
    pthread_mutexattr_destroy(&attr);
}

void mutex_destroy(Mutex *m)
{
    must(pthread_mutex_destroy(&m->m), "mutex_destroy");
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

/* When a wait that is to be counted begins; -1: it isn't. */
static int64_t wait_begins(void)
{
    return unlikely(atomic_load_explicit(&lock_profile_on, memory_order_relaxed)) ? now_ns() : -1;
}

static void wait_ends(int64_t start, LockKind kind, const void *object, const char *site)
{
    if (unlikely(start >= 0)) {
        lock_profile_add(kind, object, site, now_ns() - start);
    }
}

static void lock(Mutex *m, LockKind kind, const char *site)
{
    int64_t start = wait_begins();

    must(pthread_mutex_lock(&m->m), "mutex_lock");
    wait_ends(start, kind, m, site);
}

void mutex_lock_at(Mutex *m, const char *site)
{
    lock(m, LOCK_MUTEX, site);
}

void mutex_lock_big_at(Mutex *m, const char *site)
{
    lock(m, LOCK_BIG, site);
}

bool mutex_trylock(Mutex *m)
{
    int err = pthread_mutex_trylock(&m->m);

    if (err == EBUSY) {
        return false;
    }
    must(err, "mutex_trylock");
    return true;
}

void mutex_unlock(Mutex *m)
{
    must(pthread_mutex_unlock(&m->m), "mutex_unlock");
}

void cond_init(Cond *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    must(pthread_cond_init(&c->c, &attr), "cond_init");
    pthread_condattr_destroy(&attr);
}

void cond_destroy(Cond *c)
{
    must(pthread_cond_destroy(&c->c), "cond_destroy");
}

void cond_signal(Cond *c)
{
    must(pthread_cond_signal(&c->c), "cond_signal");
}

void cond_broadcast(Cond *c)
{
    must(pthread_cond_broadcast(&c->c), "cond_broadcast");
}

void cond_wait_at(Cond *c, Mutex *m, const char *site)
{
    int64_t start = wait_begins();

    must(pthread_cond_wait(&c->c, &m->m), "cond_wait");
    wait_ends(start, LOCK_COND, c, site);
}

bool cond_wait_ns_at(Cond *c, Mutex *m, int64_t ns, const char *site)
{
    int64_t start = wait_begins();
    struct timespec ts;
    int err;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ns = MAX(ns, 0);
    ts.tv_sec += ns / NS_PER_SECOND;
    ts.tv_nsec += ns % NS_PER_SECOND;
    if (ts.tv_nsec >= NS_PER_SECOND) {
        ts.tv_nsec -= NS_PER_SECOND;
        ts.tv_sec++;
    }
    err = pthread_cond_timedwait(&c->c, &m->m, &ts);
    wait_ends(start, LOCK_COND, c, site);
    if (err == ETIMEDOUT) {
        return false;
    }
    must(err, "cond_wait_ns");
    return true;
}

/* Values of an event: 0 reset, 1 set, 2 reset and somebody waits. */

static long futex(_Atomic uint32_t *word, int op, uint32_t value)
{
    return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

void event_init(Event *e, bool set)
{
    atomic_init(&e->value, set);
}

void event_set(Event *e)
{
    if (atomic_load(&e->value) != 1 && atomic_exchange(&e->value, 1) == 2) {
        futex(&e->value, FUTEX_WAKE, INT_MAX);
    }
}

void event_reset(Event *e)
{
    uint32_t one = 1;

    atomic_compare_exchange_strong(&e->value, &one, 0);
}

void event_wait(Event *e)
{
    for (;;) {
        uint32_t v = atomic_load(&e->value);

        if (v == 1) {
            return;
        }
        if (v == 2 || atomic_compare_exchange_strong(&e->value, &v, 2)) {
            futex(&e->value, FUTEX_WAIT, 2);
        }
    }
}

typedef struct Start {
    char name[16];
    void *(*fn)(void *opaque);
    void *opaque;
} Start;

static void *thread_start(void *opaque)
{
    Start s = *(Start *)opaque;

    free(opaque);
    pthread_setname_np(pthread_self(), s.name);
    return s.fn(s.opaque);
}

static void create(pthread_t *id, const pthread_attr_t *attr, const char *name,
                   void *(*fn)(void *opaque), void *opaque)
{
    Start *s = calloc(1, sizeof(*s));
    sigset_t all, old;

    must(s ? 0 : ENOMEM, "thread_create");
    snprintf(s->name, sizeof(s->name), "%s", name);
    s->fn = fn;
    s->opaque = opaque;
    /* Signals are the main thread's. Those that a fault raises are not masked. */
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    must(pthread_create(id, attr, thread_start, s), "thread_create");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void thread_create(Thread *t, const char *name, void *(*fn)(void *opaque), void *opaque)
{
    create(&t->id, NULL, name, fn, opaque);
}

void thread_create_detached(const char *name, void *(*fn)(void *opaque), void *opaque)
{
    pthread_attr_t attr;
    pthread_t id;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    create(&id, &attr, name, fn, opaque);
    pthread_attr_destroy(&attr);
}

void *thread_join(Thread *t)
{
    void *result;

    must(pthread_join(t->id, &result), "thread_join");
    return result;
}

bool thread_is_self(const Thread *t)
{
    return pthread_equal(t->id, pthread_self());
}

int thread_tid(void)
{
    return syscall(SYS_gettid);
}
