/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/coroutine.h"
#include "util/main-loop.h"
#include "util/thread-pool.h"
#include <fenv.h>
#include <unistd.h>

typedef struct Steps {
    char text[64];
    Coroutine *co;
    bool done;
    bool quiet;                 /* nothing of it is under way any more */
} Steps;

static void say(Steps *s, char c)
{
    size_t n = strlen(s->text);

    s->text[n] = c;
    s->text[n + 1] = 0;
}

static void three_steps(void *opaque)
{
    Steps *s = opaque;

    say(s, '1');
    co_yield();
    say(s, '2');
    co_yield();
    say(s, '3');
}

TEST(coroutine, yield_returns_to_who_entered)
{
    Steps s = { 0 };
    Coroutine *co = co_new(three_steps, &s);

    check_true(t, !in_coroutine(), "outside");
    say(&s, 'a');
    co_enter(co);
    say(&s, 'b');
    co_enter(co);
    say(&s, 'c');
    co_enter(co);
    say(&s, 'd');
    check_str(t, s.text, "a1b2c3d", "order");
}

static void inner(void *opaque)
{
    Steps *s = opaque;

    say(s, 'i');
    co_yield();
    say(s, 'j');
}

static void outer(void *opaque)
{
    Steps *s = opaque;
    Coroutine *self = co_self();

    s->co = co_new(inner, s);
    say(s, 'o');
    co_enter(s->co);
    say(s, 'p');
    s->done = co_self() == self;
    co_yield();
    say(s, 'q');
}

TEST(coroutine, nested)
{
    Steps s = { 0 };
    Coroutine *co = co_new(outer, &s);

    co_enter(co);
    check_true(t, s.done, "self is the outer one again");
    co_enter(s.co);
    co_enter(co);
    check_str(t, s.text, "oipjq", "the inner one was finished from outside");
}

static void rounding(UNUSED void *opaque)
{
    fesetround(FE_UPWARD);
    co_yield();
    *(bool *)opaque = fegetround() == FE_UPWARD;
    fesetround(FE_TONEAREST);
}

TEST(coroutine, floating_point_control_is_its_own)
{
    bool kept = false;
    Coroutine *co = co_new(rounding, &kept);

    co_enter(co);
    check_int(t, fegetround(), FE_TONEAREST, "outside");
    co_enter(co);
    check_true(t, kept, "inside");
}

static void count(void *opaque)
{
    char use_some_stack[1000];

    memset(use_some_stack, 1, sizeof(use_some_stack));
    co_yield();
    *(int *)opaque += use_some_stack[999];
}

TEST(coroutine, many)
{
    enum { N = 500 };
    Coroutine *co[N];
    int n = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            co[i] = co_new(count, &n);
            co_enter(co[i]);
        }
        for (int i = 0; i < N; i++) {
            co_enter(co[i]);
        }
    }
    check_int(t, n, 3 * N, "each ended once");
}

static void sleeper(void *opaque)
{
    Steps *s = opaque;

    say(s, 'x');
    co_sleep_ns(CLOCK_VIRTUAL, 100);
    say(s, 'y');
    co_pause();
    say(s, 'z');
    s->done = true;
}

TEST(coroutine, sleeping_and_pausing)
{
    Steps s = { 0 };

    main_loop_init();
    virtual_clock_set_manual(true);
    co_start(sleeper, &s);
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + 99);
    check_str(t, s.text, "x", "not yet");
    virtual_clock_advance_to(clock_get_ns(CLOCK_VIRTUAL) + 1);
    check_str(t, s.text, "xy", "now");
    main_loop_run_until(&s.done);
    check_str(t, s.text, "xyz", "after a pause");
    virtual_clock_set_manual(false);
}

typedef struct Pipe {
    int fd[2];
    char got[4];
    bool done;
} Pipe;

static void pipe_reader(void *opaque)
{
    Pipe *p = opaque;

    for (int i = 0; i < 3; i++) {
        if (co_wait_fd(p->fd[0], FD_READ) & FD_READ) {
            i -= read(p->fd[0], p->got + i, 1) != 1;
        }
    }
    p->done = true;
}

TEST(coroutine, waits_for_files)
{
    Pipe p = { 0 };

    main_loop_init();
    if (!check_int(t, pipe(p.fd), 0, "pipe")) {
        return;
    }
    co_start(pipe_reader, &p);
    main_loop_iterate(false);
    check_str(t, p.got, "", "nothing yet");
    check_int(t, write(p.fd[1], "abc", 3), 3, "write");
    main_loop_run_until(&p.done);
    check_str(t, p.got, "abc", "read");
    close(p.fd[0]);
    close(p.fd[1]);
}

typedef struct Shared {
    CoMutex mutex;
    CoQueue queue;
    int inside, worst, turns, running;
    char order[16];
    bool done;
} Shared;

static void mutex_user(void *opaque)
{
    Shared *s = opaque;

    for (int i = 0; i < 5; i++) {
        co_mutex_lock(&s->mutex);
        s->inside++;
        s->worst = MAX(s->worst, s->inside);
        co_pause();
        s->inside--;
        s->turns++;
        co_mutex_unlock(&s->mutex);
    }
    s->done = --s->running == 0;
}

TEST(coroutine, mutex_keeps_others_out_across_yields)
{
    Shared s = { 0 };

    main_loop_init();
    co_mutex_init(&s.mutex);
    for (s.running = 0; s.running < 4;) {
        s.running++;
        co_start(mutex_user, &s);
    }
    main_loop_run_until(&s.done);
    check_int(t, s.worst, 1, "one at a time");
    check_int(t, s.turns, 20, "all turns");
    co_mutex_destroy(&s.mutex);
}

static void queue_user(void *opaque)
{
    Shared *s = opaque;
    int me = s->running++;

    co_mutex_lock(&s->mutex);
    co_queue_wait(&s->queue, &s->mutex);
    s->order[strlen(s->order)] = '0' + me;
    s->done = --s->running == 0;
    co_mutex_unlock(&s->mutex);
}

TEST(coroutine, queue_wakes_in_order)
{
    Shared s = { 0 };

    main_loop_init();
    co_mutex_init(&s.mutex);
    co_queue_init(&s.queue);
    for (int i = 0; i < 4; i++) {
        co_start(queue_user, &s);
    }
    check_true(t, !co_queue_empty(&s.queue), "they wait");
    check_true(t, co_queue_next(&s.queue), "one");
    main_loop_iterate(false);
    check_str(t, s.order, "0", "the first");
    co_queue_all(&s.queue);
    main_loop_run_until(&s.done);
    check_str(t, s.order, "0123", "in the order of arrival");
    check_true(t, !co_queue_next(&s.queue), "nobody left");
    co_queue_destroy(&s.queue);
    co_mutex_destroy(&s.mutex);
}

static void waits_for_wake(void *opaque)
{
    Steps *s = opaque;

    s->co = co_self();
    for (int i = 0; i < 1000; i++) {
        co_yield();
    }
    __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
    main_loop_quit();
}

static int wake_it(void *opaque)
{
    co_wake(((Steps *)opaque)->co);
    return 7;
}

static void woke_it(void *opaque, UNUSED int result)
{
    Steps *s = opaque;

    if (!s->done) {
        thread_pool_submit(wake_it, s, woke_it, s);
    } else {
        s->quiet = true;
    }
}

TEST(coroutine, woken_by_other_threads)
{
    Steps s = { 0 };

    main_loop_init();
    co_start(waits_for_wake, &s);
    thread_pool_submit(wake_it, &s, woke_it, &s);
    main_loop_run();
    check_true(t, s.done, "1000 times");
    main_loop_run_until(&s.quiet);
}

static int twice(void *arg)
{
    return 2 * *(int *)arg;
}

typedef struct Pooled {
    int in[50], sum, left;
    bool done;
} Pooled;

typedef struct PooledOne {
    Pooled *all;
    int i;
} PooledOne;

static void pooled(void *opaque)
{
    PooledOne one = *(PooledOne *)opaque;

    one.all->sum += thread_pool_co(twice, &one.all->in[one.i]);
    one.all->done = --one.all->left == 0;
}

TEST(thread_pool, coroutines_wait_for_workers)
{
    Pooled p = { .left = ARRAY_SIZE(p.in) };

    main_loop_init();
    for (int i = 0; i < (int)ARRAY_SIZE(p.in); i++) {
        p.in[i] = i;
        co_start(pooled, &(PooledOne){ &p, i });
    }
    main_loop_run_until(&p.done);
    check_int(t, p.sum, 49 * 50, "sum of all results");
}

static int wait_for_event(void *arg)
{
    event_wait(arg);
    return 0;
}

static void note_result(void *opaque, int result)
{
    *(int *)opaque = result;
}

TEST(thread_pool, what_has_not_begun_can_be_cancelled)
{
    enum { N = 40 };            /* more than there are workers */
    Event go;
    ThreadPoolJob *job[N];
    int result[N], cancelled = 0, left = N;

    main_loop_init();
    event_init(&go, false);
    for (int i = 0; i < N; i++) {
        result[i] = 99;
        job[i] = thread_pool_submit(wait_for_event, &go, note_result, &result[i]);
    }
    for (int i = 33; i < N; i++) {
        cancelled += thread_pool_cancel(job[i]);
    }
    event_set(&go);
    while (left) {
        main_loop_iterate(true);
        left = 0;
        for (int i = 0; i < N; i++) {
            left += result[i] == 99;
        }
    }
    check_int(t, cancelled, N - 33, "the last ones waited");
    check_int(t, result[N - 1], -ECANCELED, "result of a cancelled job");
    check_int(t, result[0], 0, "result of a job that ran");
}
