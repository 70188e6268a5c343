/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "accel/tcg/icount.h"

#include "hw/core/runstate.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* Instructions of a slice: what the monitor and other CPUs wait for at most. */
#define SLICE_ALONE     1000000
#define SLICE_OF_MANY   50000
/* shift=auto: how often it is looked at, and what difference is left alone. */
#define ADJUST_NS       (100 * NS_PER_MS)
#define ADJUST_SLACK_NS (20 * NS_PER_MS)
/* align=on: less isn't worth a sleep. */
#define ALIGN_SLACK_NS  (3 * NS_PER_MS)

bool tcg_icount;

static struct {
    IcountOptions opts;
    int64_t executed;           /* as of the last look */
    int64_t slice_end;          /* number of the instruction that ends the slice */
    VcpuTcg *running;           /* in a slice; its budget counts from @executed + @granted */
    int32_t granted;
    CPUState *turn;             /* NULL: nobody's */
    /* Guest time is @base_ns, and from @base_insns on 2^shift ns for each instruction. */
    int64_t base_ns, base_insns;
    int64_t adjusted_ns, host_ns, guest_ns;     /* shift=auto, align: looked at; where both began */
    bool (*busy)(void);
} ic;

int64_t icount_executed(void)
{
    const VcpuTcg *v = __atomic_load_n(&ic.running, __ATOMIC_RELAXED);
    int64_t n = ic.executed;

    return v ? n + ic.granted - __atomic_load_n(&v->env->budget, __ATOMIC_RELAXED) : n;
}

static int64_t time_now(UNUSED void *opaque)
{
    return ic.base_ns + ((icount_executed() - ic.base_insns) << ic.opts.shift);
}

static void set_time(int64_t ns, UNUSED void *opaque)
{
    ic.base_ns = ns;
    ic.base_insns = icount_executed();
    ic.host_ns = clock_get_ns(CLOCK_RT);
    ic.guest_ns = ns;
}

/* The main loop has come to the end of a round. */
static void round_is_over(void)
{
    if (ic.turn) {
        cond_broadcast(&ic.turn->halt_cond);
    }
}

void icount_start(const IcountOptions *o)
{
    tcg_icount = true;
    ic.opts = *o;
    ic.host_ns = clock_get_ns(CLOCK_RT);
    virtual_clock_set_source(time_now, set_time, NULL);
    main_loop_set_round_hook(round_is_over);
}

void icount_set_busy(bool (*busy)(void))
{
    ic.busy = busy;
}

void icount_kick(void)
{
    CPUState *cpu = __atomic_load_n(&ic.turn, __ATOMIC_RELAXED);

    if (cpu) {
        cond_broadcast(&cpu->halt_cond);
    }
}

/* ------------------------------------------------------------------ turns */

static bool wants_to_run(CPUState *cpu)
{
    return cpu->created && !cpu->stop && !cpu->stopped && (!cpu->halted || cpu_has_work(cpu));
}

static void give_turn(CPUState *cpu)
{
    ic.turn = cpu;
    if (cpu) {
        cond_broadcast(&cpu->halt_cond);
    }
}

bool icount_has_turn(CPUState *cpu)
{
    if (!ic.turn) {
        ic.turn = cpu;
    }
    return ic.turn == cpu;
}

/* The next one behind @cpu that has something to do; NULL: none, @cpu neither. */
static CPUState *next_cpu(CPUState *cpu)
{
    CPUState *c = cpu;

    do {
        c = c->next ? c->next : cpu_by_index(0);
        if (wants_to_run(c)) {
            return c;
        }
    } while (c != cpu);
    return NULL;
}

void icount_leave(CPUState *cpu)
{
    if (ic.turn == cpu) {
        CPUState *next = next_cpu(cpu);

        give_turn(next == cpu ? NULL : next);
    }
}

/* --------------------------------------------------------- between slices */

static bool must_stop(const CPUState *cpu)
{
    return cpu->stop || cpu->stopped || cpu->unplug || !runstate_is_running();
}

/* Until the main loop has done all that it knows of; what that leads to comes at this instruction. */
static void settle(CPUState *cpu)
{
    while (!must_stop(cpu) && (!main_loop_is_quiet() || (ic.busy && ic.busy()))) {
        main_loop_kick();
        big_lock_wait(&cpu->halt_cond);
    }
}

/* Timers that are due and what follows from them, until there is nothing. */
static void do_what_is_due(CPUState *cpu)
{
    do {
        settle(cpu);
    } while (!must_stop(cpu) && virtual_timers_run());
}

static void adjust(void)
{
    int64_t host = clock_get_ns(CLOCK_RT), ahead;

    if (host - ic.adjusted_ns < ADJUST_NS) {
        return;
    }
    ic.adjusted_ns = host;
    ahead = (time_now(NULL) - ic.guest_ns) - (host - ic.host_ns);
    if (ahead > ADJUST_SLACK_NS && ic.opts.shift > 0) {
        set_time(time_now(NULL), NULL);
        ic.opts.shift--;
    } else if (ahead < -ADJUST_SLACK_NS && ic.opts.shift < ICOUNT_SHIFT_MAX) {
        set_time(time_now(NULL), NULL);
        ic.opts.shift++;
    }
}

static void align(CPUState *cpu)
{
    int64_t until = ic.host_ns + (time_now(NULL) - ic.guest_ns), left;

    while (!must_stop(cpu) && (left = until - clock_get_ns(CLOCK_RT)) > ALIGN_SLACK_NS) {
        big_lock_wait_ns(&cpu->halt_cond, left);
    }
}

/* Nobody has anything to do. Time goes on to the next deadline, or somebody comes before. */
static void be_idle(CPUState *cpu)
{
    int64_t deadline = clock_deadline_ns(CLOCK_VIRTUAL), now = time_now(NULL), began;

    if (deadline < 0) {
        if (!next_cpu(cpu) && !must_stop(cpu) && !cpu_has_queued_work(cpu)) {
            big_lock_wait(&cpu->halt_cond);
        }
        return;
    }
    began = clock_get_ns(CLOCK_RT);
    while (ic.opts.sleep) {
        int64_t gone = clock_get_ns(CLOCK_RT) - began;

        if (gone >= deadline - now) {
            break;
        }
        if (next_cpu(cpu) || must_stop(cpu) || cpu_has_queued_work(cpu)) {
            ic.base_ns += MAX(gone, 0);         /* it is from outside */
            return;
        }
        if (clock_deadline_ns(CLOCK_VIRTUAL) != deadline) {
            ic.base_ns += MAX(gone, 0);
            return;
        }
        big_lock_wait_ns(&cpu->halt_cond, deadline - now - gone);
    }
    ic.base_ns += MAX(deadline - now, 0);
    do_what_is_due(cpu);
}

/* ----------------------------------------------------------------- slices */

/* Up to the end of the slice, or the next deadline. */
static void grant(VcpuTcg *v)
{
    int64_t deadline = clock_deadline_ns(CLOCK_VIRTUAL), now = time_now(NULL), n;

    n = ic.slice_end - ic.executed;
    if (deadline >= 0) {
        int64_t ns = MAX(deadline - now, 0), until = ns >> ic.opts.shift;

        until += (until << ic.opts.shift) < ns;
        n = MIN(n, until);
    }
    ic.granted = (int32_t)MAX(n, 0);
    v->env->budget = ic.granted;
}

static void count(VcpuTcg *v)
{
    ic.executed += ic.granted - v->env->budget;
    ic.granted = v->env->budget;
}

bool icount_begin(VcpuTcg *v)
{
    CPUState *cpu = v->cpu;

    if (ic.running == v) {
        return true;            /* it was interrupted, and goes on */
    }
    if (!wants_to_run(cpu)) {
        CPUState *next = next_cpu(cpu);

        if (next) {
            give_turn(next);
        } else {
            do_what_is_due(cpu);
            if (!next_cpu(cpu) && !must_stop(cpu)) {
                be_idle(cpu);
            }
        }
        return false;
    }
    ic.slice_end = ic.executed + (cpu_count() > 1 ? SLICE_OF_MANY : SLICE_ALONE);
    grant(v);
    main_loop_hold();
    ic.running = v;
    return true;
}

void icount_look_again(VcpuTcg *v)
{
    count(v);
    grant(v);
}

void icount_end(VcpuTcg *v, bool halted)
{
    CPUState *cpu = v->cpu;

    if (!halted && v->env->budget > 0 && !must_stop(cpu)) {
        return;                 /* only interrupted */
    }
    count(v);
    ic.running = NULL;
    ic.granted = 0;
    main_loop_release();
    do_what_is_due(cpu);
    if (ic.opts.automatic) {
        adjust();
    }
    if (ic.opts.align) {
        align(cpu);
    }
    if (ic.executed >= ic.slice_end || halted) {
        CPUState *next = next_cpu(cpu);

        if (next) {
            give_turn(next);
        }
    }
}
