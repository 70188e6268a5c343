/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers, in nanoseconds.
 *
 *   CLOCK_VIRTUAL     guest time: from 0, stands still while the VM is stopped
 *   CLOCK_VIRTUAL_RT  as VIRTUAL; stays with the host's time where an
 *                     instruction counter drives VIRTUAL
 *   CLOCK_RT          host time since some point, always runs, never jumps
 *   CLOCK_HOST        wall-clock time since 1970, jumps when the host's is set
 *
 * A timer belongs to the struct that it is embedded in. It fires once for each
 * timer_mod_ns(), in its event loop: the main loop unless timer_init_on() said
 * otherwise. In the main loop the big lock is held during the callback.
 * timer_mod_ns(), timer_del() and timer_pending() may be called from any
 * thread; to be sure that the callback isn't running, hold the big lock.
 */
#ifndef UTIL_TIMER_H
#define UTIL_TIMER_H

#include "util/osdep.h"

typedef struct EventLoop EventLoop;

typedef enum ClockId {
    CLOCK_VIRTUAL,
    CLOCK_VIRTUAL_RT,
    CLOCK_RT,
    CLOCK_HOST,
    CLOCK__MAX
} ClockId;

#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_US   INT64_C(1000)

/* Any thread, no lock. */
int64_t clock_get_ns(ClockId clock);
static inline int64_t clock_get_ms(ClockId clock)
{
    return clock_get_ns(clock) / NS_PER_MS;
}

/* How much of CLOCK_VIRTUAL the calling thread has waited for a processor since it began, while the host ran
 * others. 0 where another clock drives it, or the host doesn't tell. A system call or three: not for hot paths. */
int64_t clock_waited_ns(void);

typedef void TimerFn(void *opaque);

typedef struct Timer {
    ClockId clock;
    TimerFn *cb;
    void *opaque;
    EventLoop *loop;            /* NULL: the main loop */
    /* Below: owned by the loop's list and its lock. */
    int64_t deadline_ns;
    uint64_t order;             /* equal deadlines fire in order of timer_mod_ns() */
    size_t heap_pos;            /* position + 1, 0: not pending */
} Timer;

/* @t is all zero or was cleaned up by timer_del(). No other thread has it. */
void timer_init_ns(Timer *t, ClockId clock, TimerFn *cb, void *opaque);
void timer_init_on(Timer *t, EventLoop *loop, ClockId clock, TimerFn *cb, void *opaque);
/* Fire when the clock reaches @deadline_ns; at once if it has. Replaces the
 * earlier deadline of a pending timer. Far times saturate: INT64_MAX is never. */
void timer_mod_ns(Timer *t, int64_t deadline_ns);
/* The same only if not pending or pending for later. */
void timer_mod_anticipate_ns(Timer *t, int64_t deadline_ns);
/* Not pending afterwards. An all-zero timer is allowed. */
void timer_del(Timer *t);
bool timer_pending(const Timer *t);
/* The deadline, -1 if not pending. */
int64_t timer_expire_ns(const Timer *t);

/* For timers on the heap: all in one, freed by timer_free(). */
Timer *timer_new_ns(ClockId clock, TimerFn *cb, void *opaque);
void timer_free(Timer *t);      /* NULL is allowed */

/* The earliest deadline of this clock's timers in the main loop; -1: none. */
int64_t clock_deadline_ns(ClockId clock);

/* --- for the run state, accelerators and migration; big lock held --- */

/* Let VIRTUAL and VIRTUAL_RT run or stand still. They start standing still. */
void clock_enable(bool run);
/* Set the virtual time, e.g. from a snapshot. */
void virtual_clock_set_ns(int64_t ns);
/* From now on VIRTUAL moves by virtual_clock_advance_to() only (-accel qtest). */
void virtual_clock_set_manual(bool manual);
/*
 * Manual mode: move to @ns, firing each timer of the main loop in order, with
 * the clock at its deadline exactly. Earlier times than now are ignored.
 */
void virtual_clock_advance_to(int64_t ns);
/*
 * VIRTUAL is read from @get (an instruction counter) instead of the host; NULL returns to the host's time.
 * @get is called from any thread; @set by virtual_clock_set_ns(). The main loop doesn't fire its timers of
 * this clock any more: whoever drives it does, by virtual_timers_run(), with the big lock.
 */
void virtual_clock_set_source(int64_t (*get)(void *opaque), void (*set)(int64_t ns, void *opaque),
                              void *opaque);
/* Fire the main loop's VIRTUAL timers that are due; true: there were any. */
bool virtual_timers_run(void);
/* The source has jumped: look at the timers again. */
void virtual_clock_kick(void);

#endif
