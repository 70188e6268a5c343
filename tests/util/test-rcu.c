/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"
#include "util/rcu.h"
#include "util/thread.h"

typedef struct Value {
    int a, b;                   /* equal while alive */
} Value;

typedef struct Box {
    Value *value;
    _Atomic bool stop;
    _Atomic int wrong;
    _Atomic long reads;
} Box;

static void *reader(void *opaque)
{
    Box *box = opaque;

    while (!atomic_load(&box->stop)) {
        RCU_READ_GUARD();
        const Value *v = rcu_load(&box->value);

        if (v->a != v->b) {
            atomic_fetch_add(&box->wrong, 1);
        }
        atomic_fetch_add(&box->reads, 1);
    }
    return NULL;
}

static void retire(void *arg)
{
    Value *v = arg;

    v->a = -1;                  /* a reader that still had it would see this */
    free(v);
}

static Value *value_new(int n)
{
    Value *v = malloc(sizeof(*v));

    *v = (Value){ n, n };
    return v;
}

TEST(rcu, readers_never_see_a_retired_value)
{
    Box box = { .value = value_new(0) };
    Thread th[2];

    for (int i = 0; i < 2; i++) {
        thread_create(&th[i], "reader", reader, &box);
    }
    for (int i = 1; i < 300 || atomic_load(&box.reads) < 300; i++) {
        Value *old = box.value;

        rcu_store(&box.value, value_new(i));
        if (i % 10) {
            rcu_call(retire, old);
        } else {
            rcu_synchronize();
            retire(old);
        }
    }
    atomic_store(&box.stop, true);
    for (int i = 0; i < 2; i++) {
        thread_join(&th[i]);
    }
    rcu_drain();
    free(box.value);
    check_int(t, box.wrong, 0, "values seen half retired");
}

static void set_flag(void *arg)
{
    atomic_store((_Atomic bool *)arg, true);
}

TEST(rcu, a_call_waits_for_open_sections)
{
    _Atomic bool done = false;

    rcu_read_lock();
    rcu_read_lock();
    rcu_call(set_flag, (void *)&done);
    rcu_read_unlock();
    for (int i = 0; i < 100; i++) {
        thread_tid();
    }
    check_true(t, !atomic_load(&done), "the outer section is still open");
    rcu_read_unlock();
    rcu_drain();
    check_true(t, atomic_load(&done), "then it ran");
}

typedef struct InMain {
    bool locked, done;
} InMain;

static void in_main(void *arg)
{
    InMain *m = arg;

    m->locked = big_lock_held() && in_main_thread();
    m->done = true;
}

TEST(rcu, calls_in_the_main_loop_have_the_big_lock)
{
    InMain m = { 0 };

    main_loop_init();
    rcu_call_main(in_main, &m);
    main_loop_run_until(&m.done);
    check_true(t, m.locked, "held");
}

static void *setter(void *opaque)
{
    event_set(opaque);
    return NULL;
}

TEST(thread, events)
{
    for (int i = 0; i < 200; i++) {
        Event e;
        Thread th;

        event_init(&e, false);
        thread_create(&th, "setter", setter, &e);
        event_wait(&e);
        check_true(t, event_is_set(&e), "set");
        event_reset(&e);
        check_true(t, !event_is_set(&e), "reset");
        thread_join(&th);
    }
}

TEST(thread, waiting_with_a_limit)
{
    Mutex m;
    Cond c;

    mutex_init(&m);
    cond_init(&c);
    mutex_lock(&m);
    check_true(t, !cond_wait_ns(&c, &m, 1000), "nobody signals");
    check_true(t, !mutex_trylock(&m), "held again");
    mutex_unlock(&m);
    cond_destroy(&c);
    mutex_destroy(&m);
}
