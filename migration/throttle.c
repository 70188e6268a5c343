/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slowing vCPUs down, so that a migration can follow their writes. */
#include "util/osdep.h"
#include "migration/migration.h"

#include "hw/core/cpu.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* vCPUs run this long between two sleeps. */
#define SLICE_NS    (10 * NS_PER_MS)

/* Big lock; @percent is read by anybody. */
static struct {
    _Atomic unsigned percent;
    Timer timer;
} throttle;

/* On the vCPU's thread. A stop, or anything else that wants the vCPU, ends the sleep. */
static void sleep_cpu(CPUState *cpu, void *data)
{
    int64_t end = clock_get_ns(CLOCK_RT) + (int64_t)(uintptr_t)data, now;

    while (!cpu->stop && throttle.percent && (now = clock_get_ns(CLOCK_RT)) < end) {
        big_lock_wait_ns(&cpu->halt_cond, end - now);
    }
}

static void tick(void *opaque)
{
    unsigned pct = throttle.percent;
    int64_t asleep = SLICE_NS * pct / (100 - pct);

    (void)opaque;
    if (!pct) {
        return;
    }
    CPU_FOREACH(cpu) {
        if (!cpu->stopped && !cpu_has_queued_work(cpu)) {
            async_run_on_cpu(cpu, sleep_cpu, (void *)(uintptr_t)asleep);
        }
    }
    timer_mod_ns(&throttle.timer, clock_get_ns(CLOCK_VIRTUAL_RT) + SLICE_NS + asleep);
}

void cpu_throttle_set(unsigned percent)
{
    bool was = throttle.percent;

    throttle.percent = MIN(percent, 99u);
    if (!was && percent) {
        timer_del(&throttle.timer);
        timer_init_ns(&throttle.timer, CLOCK_VIRTUAL_RT, tick, NULL);
        timer_mod_ns(&throttle.timer, clock_get_ns(CLOCK_VIRTUAL_RT) + SLICE_NS);
    } else if (!percent) {
        timer_del(&throttle.timer);
    }
}

unsigned cpu_throttle_get(void)
{
    return throttle.percent;
}
