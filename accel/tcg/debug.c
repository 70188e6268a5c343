/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "accel/tcg/debug.h"
#include "accel/tcg/region.h"

static TcgDebugFn callback;     /* registry: the debugger's */

void tcg_debug_set_callback(TcgDebugFn fn)
{
    callback = fn;
}

void tcg_debug_stop(VcpuTcg *v)
{
    bool watch = v->watch_hit;

    v->watch_hit = false;
    v->debug_hit = false;
    if (callback) {
        v->cpu->stop = true;        /* it doesn't go on before the machine stands */
        callback(v->cpu, watch, v->debug_addr);
    }
}

/* Translations end before breakpoints and don't look at watchpoints: start anew. */
static void start_anew(void)
{
    region_lock();
    region_flush_all();
    region_unlock();
    CPU_FOREACH(cpu) {
        if (cpu->accel) {
            tcg_tlb_flush(((VcpuTcg *)cpu->accel)->env);
        }
    }
}

bool tcg_breakpoint_insert(uint64_t pc)
{
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;
        unsigned i = 0;

        if (!v) {
            return false;
        }
        while (i < v->n_breakpoints && v->breakpoints[i] < pc) {
            i++;
        }
        if (i < v->n_breakpoints && v->breakpoints[i] == pc) {
            return false;
        }
        v->breakpoints = g_renew(uint64_t, v->breakpoints, v->n_breakpoints + 1);
        memmove(&v->breakpoints[i + 1], &v->breakpoints[i],
                (v->n_breakpoints - i) * sizeof(uint64_t));
        v->breakpoints[i] = pc;
        v->n_breakpoints++;
    }
    start_anew();
    return true;
}

bool tcg_breakpoint_remove(uint64_t pc)
{
    bool found = false;

    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        for (unsigned i = 0; v && i < v->n_breakpoints; i++) {
            if (v->breakpoints[i] == pc) {
                v->n_breakpoints--;
                memmove(&v->breakpoints[i], &v->breakpoints[i + 1],
                        (v->n_breakpoints - i) * sizeof(uint64_t));
                found = true;
            }
        }
    }
    start_anew();
    return found;
}

static uint8_t watch_mask(bool read, bool write)
{
    return (read ? 1 << MMU_READ : 0) | (write ? 1 << MMU_WRITE : 0);
}

bool tcg_watchpoint_insert(uint64_t addr, uint64_t len, bool read, bool write)
{
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (!v) {
            return false;
        }
        v->watches = g_renew(TcgWatch, v->watches, v->n_watches + 1);
        v->watches[v->n_watches++] = (TcgWatch){ addr, len, watch_mask(read, write) };
    }
    start_anew();
    return true;
}

bool tcg_watchpoint_remove(uint64_t addr, uint64_t len, bool read, bool write)
{
    bool found = false;

    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        for (unsigned i = 0; v && i < v->n_watches; i++) {
            TcgWatch *w = &v->watches[i];

            if (w->addr == addr && w->len == len && w->access == watch_mask(read, write)) {
                *w = v->watches[--v->n_watches];
                found = true;
                break;
            }
        }
    }
    start_anew();
    return found;
}

void tcg_debug_remove_all(void)
{
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (v) {
            v->n_breakpoints = v->n_watches = 0;
            v->single_step = false;
        }
    }
    start_anew();
}

void tcg_single_step(CPUState *cpu, bool on)
{
    VcpuTcg *v = cpu->accel;

    if (v) {
        v->single_step = on;
    }
}
