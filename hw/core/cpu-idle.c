/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devices put off until a CPU has nothing else to do. */
#include "util/osdep.h"
#include "hw/core/cpu.h"

#include "util/main-loop.h"

void cpu_idle_work_init(CpuIdleWork *w, void (*fn)(void *opaque), void *opaque)
{
    *w = (CpuIdleWork){ .fn = fn, .opaque = opaque };
}

void cpu_before_idle(CPUState *cpu, CpuIdleWork *w)
{
    if (w->cpu == cpu) {
        return;
    }
    cpu_idle_work_forget(w);
    w->cpu = cpu;
    w->next = cpu->idle_work;
    cpu->idle_work = w;
}

void cpu_idle_work_forget(CpuIdleWork *w)
{
    if (w->cpu) {
        CpuIdleWork **at = &w->cpu->idle_work;

        while (*at != w) {
            at = &(*at)->next;
        }
        *at = w->next;
        w->cpu = NULL;
    }
}

void cpu_run_idle_work(CPUState *cpu)
{
    while (cpu->idle_work) {
        CpuIdleWork *w = cpu->idle_work;

        cpu_idle_work_forget(w);
        w->fn(w->opaque);
        big_lock_step();
    }
}

void cpu_forget_idle_work(CPUState *cpu)
{
    while (cpu->idle_work) {
        cpu_idle_work_forget(cpu->idle_work);
    }
}
