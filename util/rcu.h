/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-copy-update: readers of a published pointer take no lock, writers
 * publish a new version and have the old one freed when no reader can hold it.
 *
 *     reader:  rcu_read_lock(); v = rcu_load(&p); ... rcu_read_unlock();
 *     writer:  (its own lock held) old = p; rcu_store(&p, new); rcu_call(fn, old);
 *
 * Read sections nest, may be entered by any thread without registration, and
 * should be short: a long one delays reclaiming, nothing else. Inside one,
 * rcu_synchronize() must not be called; rcu_call() may be.
 */
#ifndef UTIL_RCU_H
#define UTIL_RCU_H

#include "util/osdep.h"

typedef struct RcuReader {
    _Atomic uint64_t epoch;     /* 0 outside of read sections; read by writers */
    unsigned depth;             /* owned by the thread */
    bool registered;
} RcuReader;

extern _Thread_local RcuReader rcu_reader;
extern _Atomic uint64_t rcu_epoch;

void rcu_register_thread(void);         /* called by the first rcu_read_lock() */

/* GCC may test the flags of the addition that makes this address, as UBSan's check for NULL does, but
 * the linker makes an LEA of it in a program, which sets none. The barrier has the register tested. */
static inline RcuReader *rcu_me(void)
{
    RcuReader *r = &rcu_reader;

    __asm__("" : "+r"(r));
    return r;
}

static inline void rcu_read_lock(void)
{
    RcuReader *r = rcu_me();

    if (r->depth++ == 0) {
        if (unlikely(!r->registered)) {
            rcu_register_thread();
        }
        /* Ordered before the section's loads: a writer that misses this store
         * published its new version before we read. */
        atomic_store(&r->epoch, atomic_load_explicit(&rcu_epoch, memory_order_relaxed));
    }
}

static inline void rcu_read_unlock(void)
{
    RcuReader *r = rcu_me();

    assert(r->depth > 0);
    if (--r->depth == 0) {
        atomic_store_explicit(&r->epoch, 0, memory_order_release);
    }
}

#define rcu_load(pp)        __atomic_load_n(pp, __ATOMIC_ACQUIRE)
#define rcu_store(pp, v)    __atomic_store_n(pp, v, __ATOMIC_RELEASE)

/* RCU_READ_GUARD(); is a read section until the end of the block. */
static inline void rcu_guard_end(UNUSED int *unused)
{
    rcu_read_unlock();
}
#define RCU_READ_GUARD() RCU_READ_GUARD_(__COUNTER__)
#define RCU_READ_GUARD_(n) RCU_READ_GUARD__(n)
#define RCU_READ_GUARD__(n) \
    UNUSED __attribute__((cleanup(rcu_guard_end))) int rcu_guard_##n = \
        (rcu_read_lock(), 0)

/* Wait until every read section that is open now has ended. May block long:
 * do not hold the big lock, which a reader may be waiting for. */
void rcu_synchronize(void);

/* Call fn(arg) once all present readers have left, on a thread of its own
 * without any lock. Any context. */
void rcu_call(void (*fn)(void *arg), void *arg);
/* The same with free(). */
void rcu_call_free(void *p);
/* The same in the main loop, with the big lock held. */
void rcu_call_main(void (*fn)(void *arg), void *arg);
/* Wait until all calls made so far have been done (those of rcu_call_main()
 * have been handed to the main loop). Not with the big lock held. */
void rcu_drain(void);

#endif
