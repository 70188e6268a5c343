/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"
#include "util/thread.h"
#include "util/timer.h"
#include <unistd.h>

typedef struct Trace {
    int n, at[16];
    int64_t when[16];
} Trace;

typedef struct Mark {
    Trace *trace;
    int id;
    BottomHalf *bh;
    Timer timer;
} Mark;

static void mark(void *opaque)
{
    Mark *m = opaque;

    if (m->trace->n < 16) {
        m->trace->when[m->trace->n] = clock_get_ns(CLOCK_VIRTUAL);
        m->trace->at[m->trace->n] = m->id;
    }
    m->trace->n++;
}

TEST(main_loop, big_lock_is_held_in_the_main_thread)
{
    main_loop_init();
    check_true(t, big_lock_held(), "after init");
    check_true(t, in_main_thread(), "main thread");
    big_unlock();
    check_true(t, !big_lock_held(), "after unlock");
    big_lock();
}

TEST(main_loop, bottom_halves_run_once_in_order)
{
    Trace trace = { 0 };
    Mark m[3] = { { .id = 0 }, { .id = 1 }, { .id = 2 } };

    main_loop_init();
    for (int i = 0; i < 3; i++) {
        m[i].trace = &trace;
        m[i].bh = bh_new(mark, &m[i]);
    }
    bh_schedule(m[2].bh);
    bh_schedule(m[0].bh);
    bh_schedule(m[2].bh);
    bh_schedule(m[1].bh);
    bh_cancel(m[1].bh);
    check_int(t, trace.n, 0, "nothing runs while scheduling");
    main_loop_iterate(false);
    check_int(t, trace.n, 2, "scheduled twice runs once, cancelled doesn't");
    check_int(t, trace.at[0], 2, "first scheduled");
    check_int(t, trace.at[1], 0, "second scheduled");
    bh_schedule(m[1].bh);
    main_loop_iterate(false);
    check_int(t, trace.n, 3, "after a cancel it can be scheduled again");
    for (int i = 0; i < 3; i++) {
        bh_schedule(m[i].bh);
        bh_delete(m[i].bh);
    }
    main_loop_iterate(false);
    check_int(t, trace.n, 3, "deleted ones don't run");
}

static void nested_inner(void *opaque)
{
    *(bool *)opaque = true;
}

static void nested_outer(void *opaque)
{
    main_loop_run_until(opaque);
}

TEST(main_loop, a_round_inside_a_callback_sees_the_rest)
{
    bool done = false;

    main_loop_init();
    bh_once(NULL, nested_outer, &done);
    bh_once(NULL, nested_inner, &done);
    main_loop_iterate(true);
    check_true(t, done, "the second ran inside the first");
}

typedef struct Storm {
    BottomHalf *bh;
    _Atomic int sent;
    int seen;
} Storm;

#define STORM 20000

static void storm_bh(void *opaque)
{
    Storm *s = opaque;

    s->seen = atomic_load(&s->sent);
    if (s->seen == 2 * STORM) {
        main_loop_quit();
    }
}

static void *storm_thread(void *opaque)
{
    Storm *s = opaque;

    for (int i = 0; i < STORM; i++) {
        atomic_fetch_add(&s->sent, 1);
        bh_schedule(s->bh);
    }
    return NULL;
}

TEST(main_loop, no_schedule_from_other_threads_is_lost)
{
    Storm s = { 0 };
    Thread th[2];

    main_loop_init();
    s.bh = bh_new(storm_bh, &s);
    thread_create(&th[0], "storm", storm_thread, &s);
    thread_create(&th[1], "storm", storm_thread, &s);
    main_loop_run();
    check_int(t, s.seen, 2 * STORM, "the last schedule was seen");
    thread_join(&th[0]);
    thread_join(&th[1]);
    bh_delete(s.bh);
    main_loop_iterate(false);
}

typedef struct Echo {
    FdWatch *w;
    char got[8];
    int n;
    unsigned last;
    bool done;
} Echo;

static void echo_ready(int fd, unsigned events, void *opaque)
{
    Echo *e = opaque;
    ssize_t n = 0;

    e->last = events;
    if (events & FD_READ) {
        n = read(fd, e->got + e->n, sizeof(e->got) - e->n);
        e->n += MAX(n, 0);
    }
    if (n <= 0) {
        fd_watch_remove(e->w);
        e->done = true;
    }
}

TEST(main_loop, fd_watch_reads_and_sees_the_end)
{
    Echo e = { 0 };
    int p[2];

    main_loop_init();
    if (!check_int(t, pipe(p), 0, "pipe")) {
        return;
    }
    e.w = fd_watch_new(p[0], FD_READ, echo_ready, &e);
    main_loop_iterate(false);
    check_int(t, e.n, 0, "nothing to read");
    check_int(t, write(p[1], "abc", 3), 3, "write");
    main_loop_iterate(true);
    check_int(t, e.n, 3, "read");
    fd_watch_set(e.w, 0);
    check_int(t, write(p[1], "de", 2), 2, "write");
    main_loop_iterate(false);
    check_int(t, e.n, 3, "switched off");
    fd_watch_set(e.w, FD_READ);
    main_loop_iterate(true);
    check_int(t, e.n, 5, "switched on");
    close(p[1]);
    main_loop_run_until(&e.done);
    check_true(t, e.last & FD_HANGUP, "hang-up is told");
    close(p[0]);
}

static void in_other_loop(void *opaque)
{
    *(EventLoop **)opaque = current_event_loop();
    check_true(NULL, !big_lock_held(), "I/O threads don't have the big lock");
    main_loop_quit();
}

TEST(main_loop, other_loop_runs_its_own)
{
    EventLoop *loop, *seen = NULL;

    main_loop_init();
    loop = event_loop_new("io");
    bh_once(loop, in_other_loop, &seen);
    main_loop_run();
    event_loop_free(loop);
    check_true(t, seen == loop, "ran in the other loop");
}

/* Counts as often as it can; changed with the loop parked, and without a lock. */
typedef struct Counter {
    EventLoop *loop;
    unsigned n, wanted;
    bool end, ended;
} Counter;

static void count(void *opaque)
{
    Counter *c = opaque;

    c->n++;
    if (c->n % 16 == 0) {
        big_lock();                     /* a callback may want it while it is waited for */
        big_unlock();
    }
    if (c->end) {
        c->ended = true;
    } else {
        bh_once(c->loop, count, c);
    }
}

static void *park_often(void *opaque)
{
    Counter *c = opaque;

    for (int i = 0; i < 200; i++) {
        big_lock();
        event_loop_park(c->loop);
        event_loop_park(c->loop);
        c->wanted++;
        event_loop_unpark(c->loop);
        c->n += 1000;
        event_loop_unpark(c->loop);
        big_unlock();
    }
    return NULL;
}

TEST(main_loop, a_parked_loop_stands_still)
{
    Counter c = { 0 };
    Thread other[2];
    bool ended = false;
    unsigned seen;

    main_loop_init();
    c.loop = event_loop_new("io");
    bh_once(c.loop, count, &c);
    for (int i = 0; i < 2; i++) {
        thread_create(&other[i], "parks", park_often, &c);
    }
    for (int i = 0; i < 200; i++) {
        LOOP_PARKED(c.loop);
        seen = c.n;
        /* Another thread may change it, the loop doesn't. */
        check_true(t, c.n == seen, "nothing runs there");
        c.n += 1000;
    }
    big_unlock();
    for (int i = 0; i < 2; i++) {
        thread_join(&other[i]);
    }
    big_lock();
    check_int(t, c.wanted, 400, "no change was lost");
    event_loop_park(c.loop);
    check_true(t, c.n >= 600 * 1000, "of the loop's own data neither");
    c.end = true;
    event_loop_unpark(c.loop);
    while (!ended) {
        LOOP_PARKED(c.loop);
        ended = c.ended;
    }
    event_loop_free(c.loop);
    event_loop_park(NULL);
    event_loop_park(main_event_loop());
    event_loop_unpark(main_event_loop());
    check_true(t, big_lock_held(), "the main loop has nothing to stand still for");
}

TEST(timer, manual_time_fires_in_order_at_the_deadline)
{
    Trace trace = { 0 };
    Mark m[4] = { { .id = 0 }, { .id = 1 }, { .id = 2 }, { .id = 3 } };
    int64_t base;

    main_loop_init();
    virtual_clock_set_manual(true);
    base = clock_get_ns(CLOCK_VIRTUAL);
    for (int i = 0; i < 4; i++) {
        m[i].trace = &trace;
        timer_init_ns(&m[i].timer, CLOCK_VIRTUAL, mark, &m[i]);
    }
    check_int(t, timer_expire_ns(&m[0].timer), -1, "not pending");
    timer_mod_ns(&m[0].timer, base + 300);
    timer_mod_ns(&m[1].timer, base + 100);
    timer_mod_ns(&m[2].timer, base + 300);
    timer_mod_ns(&m[3].timer, base + 200);
    check_int(t, clock_deadline_ns(CLOCK_VIRTUAL), base + 100, "next deadline");
    timer_mod_ns(&m[1].timer, base + 400);
    timer_mod_anticipate_ns(&m[1].timer, base + 500);
    check_int(t, timer_expire_ns(&m[1].timer), base + 400, "anticipate never delays");
    timer_del(&m[3].timer);
    check_true(t, !timer_pending(&m[3].timer), "deleted");
    virtual_clock_advance_to(base + 350);
    check_int(t, trace.n, 2, "two are due");
    check_int(t, trace.at[0], 0, "equal deadlines: first set, first fired");
    check_int(t, trace.at[1], 2, "then the other");
    check_int(t, trace.when[0], base + 300, "the clock is at the deadline");
    check_int(t, clock_get_ns(CLOCK_VIRTUAL), base + 350, "and ends where told");
    virtual_clock_advance_to(base + 10);
    check_int(t, clock_get_ns(CLOCK_VIRTUAL), base + 350, "never back");
    virtual_clock_advance_to(base + 400);
    check_int(t, trace.n, 3, "the last");
    virtual_clock_set_manual(false);
}

typedef struct Periodic {
    Timer timer;
    int64_t next, period;
    int n;
} Periodic;

static void periodic(void *opaque)
{
    Periodic *p = opaque;

    p->n++;
    p->next += p->period;
    timer_mod_ns(&p->timer, p->next);
}

TEST(timer, periodic_in_manual_time)
{
    Periodic p = { .period = 1000 };

    main_loop_init();
    virtual_clock_set_manual(true);
    p.next = clock_get_ns(CLOCK_VIRTUAL) + p.period;
    timer_init_ns(&p.timer, CLOCK_VIRTUAL, periodic, &p);
    timer_mod_ns(&p.timer, p.next);
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + 1000 * 1000);
    check_int(t, p.n, 1000, "one for each period");
    timer_del(&p.timer);
    virtual_clock_set_manual(false);
}

TEST(timer, heap_of_many)
{
    enum { N = 500 };
    static Mark m[N];
    Trace trace = { 0 };
    uint32_t r = 1;
    int left = 0;
    int64_t base, last = 0;

    main_loop_init();
    virtual_clock_set_manual(true);
    base = clock_get_ns(CLOCK_VIRTUAL);
    for (int i = 0; i < N; i++) {
        m[i] = (Mark){ .trace = &trace, .id = i };
        m[i].trace = &trace;
        timer_init_ns(&m[i].timer, CLOCK_VIRTUAL, mark, &m[i]);
    }
    for (int i = 0; i < 20 * N; i++) {
        r = r * 1664525 + 1013904223;
        if (r >> 30 == 0) {
            timer_del(&m[i % N].timer);
        } else {
            timer_mod_ns(&m[i % N].timer, base + (r >> 8) % 1000);
        }
    }
    for (int i = 0; i < N; i++) {
        left += timer_pending(&m[i].timer);
    }
    while (clock_deadline_ns(CLOCK_VIRTUAL) >= 0) {
        check_true(t, clock_deadline_ns(CLOCK_VIRTUAL) >= last, "sorted");
        last = clock_deadline_ns(CLOCK_VIRTUAL);
        virtual_clock_advance_to(last);
    }
    check_int(t, trace.n, left, "each pending one fired once");
    virtual_clock_set_manual(false);
}

static void quit(UNUSED void *opaque)
{
    main_loop_quit();
}

TEST(timer, host_time_wakes_the_loop)
{
    Timer timer;
    int64_t before = clock_get_ns(CLOCK_RT);

    main_loop_init();
    timer_init_ns(&timer, CLOCK_RT, quit, NULL);
    timer_mod_ns(&timer, before + 5 * NS_PER_MS);
    main_loop_run();
    check_true(t, clock_get_ns(CLOCK_RT) >= before + 5 * NS_PER_MS, "not before its time");
}

TEST(timer, guest_time_stands_still_when_stopped)
{
    Trace trace = { 0 };
    Mark m = { .trace = &trace, .id = 0 };
    int64_t now;

    main_loop_init();
    clock_enable(false);
    now = clock_get_ns(CLOCK_VIRTUAL);
    timer_init_ns(&m.timer, CLOCK_VIRTUAL, mark, &m);
    timer_mod_ns(&m.timer, now);
    main_loop_iterate(false);
    check_int(t, trace.n, 0, "a due timer waits while stopped");
    check_int(t, clock_get_ns(CLOCK_VIRTUAL), now, "no time has passed");
    clock_enable(true);
    while (!trace.n) {
        main_loop_iterate(true);
    }
    check_true(t, clock_get_ns(CLOCK_VIRTUAL) > now, "time passes when running");
    clock_enable(false);
    virtual_clock_set_ns(12345);
    check_int(t, clock_get_ns(CLOCK_VIRTUAL), 12345, "set");
    virtual_clock_set_ns(0);
}
