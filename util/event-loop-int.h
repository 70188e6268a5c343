/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What main-loop.c and timer.c know of each other's state.
 */
#ifndef UTIL_EVENT_LOOP_INT_H
#define UTIL_EVENT_LOOP_INT_H

#include "util/main-loop.h"
#include "util/timer.h"

/* A binary heap by deadline, then by order. */
typedef struct TimerList {
    Mutex lock;
    Timer **heap;               /* owned array of borrowed timers */
    size_t n, room;
    uint64_t next_order;
} TimerList;

struct EventLoop {
    struct _GMainContext *context;
    TimerList timers[CLOCK__MAX];
    _Atomic(BottomHalf *) bh_new;       /* pushed by any thread, newest first */
    BottomHalf *bh_ready, **bh_ready_end;   /* the loop's thread only, oldest first */
    _Atomic bool polling;       /* a kick must wake it */
    _Atomic bool kicked;        /* since the last look */
    _Atomic bool quit;
    _Atomic unsigned max_batch;
    unsigned waits;             /* main loop, big lock: rounds that wait for something particular */
    Mutex park_lock;            /* not for the main loop: parks, parked */
    Cond park_cond;             /* either has changed */
    unsigned parks;             /* that weren't undone */
    bool parked;                /* it stands still, until parks is 0 */
    Thread thread;
    EventLoop *next;            /* list of all loops, under its lock */
};

/* Fire what is due in this loop; true if anything was. */
bool timers_run(EventLoop *loop);
/* Nanoseconds of host time until the loop's next timer; -1: none. */
int64_t timers_wait_ns(EventLoop *loop);
void timers_init(EventLoop *loop);
void timers_cleanup(EventLoop *loop);
void event_loops_kick_all(void);

#endif
