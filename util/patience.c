/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/patience.h"

#include <glib.h>
#include <time.h>

#define FIRST_NS    (10 * 1000)
#define LOOKS       8               /* between two looks at the clock */

static _Atomic int lookers;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#else
    __asm__ volatile("" ::: "memory");
#endif
}

static int places(void)
{
    static _Atomic int n;
    int have = atomic_load_explicit(&n, memory_order_relaxed);

    if (!have) {
        have = (int)g_get_num_processors();
        atomic_store_explicit(&n, have, memory_order_relaxed);
    }
    return have > 1 ? have : 0;
}

static void look_no_more(Patience *p)
{
    if (p->looking) {
        p->looking = false;
        atomic_fetch_sub(&lookers, 1);
    }
}

void patience_begin(Patience *p)
{
    p->since = now_ns();
    if (p->ns) {
        p->looking = true;
        if (atomic_fetch_add(&lookers, 1) >= places()) {
            look_no_more(p);
        }
    }
}

bool patience_lasts(Patience *p)
{
    if (!p->looking) {
        return false;
    }
    for (int i = 0; i < LOOKS; i++) {
        relax();
    }
    if (now_ns() - p->since < p->ns) {
        return true;
    }
    look_no_more(p);
    return false;
}

void patience_end(Patience *p)
{
    look_no_more(p);
    patience_learn(p, now_ns() - p->since);
}

void patience_learn(Patience *p, int64_t took)
{
    if (took > PATIENCE_MAX_NS) {
        p->ns = p->ns / 2 < FIRST_NS ? 0 : p->ns / 2;
    } else if (took > p->ns) {
        p->ns = MIN(MAX(2 * p->ns, FIRST_NS), PATIENCE_MAX_NS);
    }
}
