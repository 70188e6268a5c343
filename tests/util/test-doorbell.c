/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/doorbell.h"
#include "tests/lib/test.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "util/main-loop.h"

typedef struct Bell {
    Doorbell *bell;
    int fd;
    bool remove;                /* itself, when it is rung */
    unsigned rung;
    bool by_main;
} Bell;

static void rung(void *opaque)
{
    Bell *b = opaque;

    b->rung++;
    b->by_main = in_main_thread();
    if (b->remove) {
        doorbell_remove(b->bell);
        b->bell = NULL;
    }
}

static void bell_new(Bell *b)
{
    *b = (Bell){ .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    b->bell = doorbell_new(b->fd, rung, b);
}

static void bell_free(Bell *b)
{
    doorbell_remove(b->bell);
    close(b->fd);
}

/* Rounds that don't wait, as long as there is something. */
static void settle(void)
{
    while (main_loop_iterate(false)) {
    }
}

TEST(doorbell, in_the_main_loop)
{
    Bell a, b;

    main_loop_init();
    bell_new(&a);
    bell_new(&b);
    settle();
    check_int(t, a.rung + b.rung, 0, "nobody rang");
    eventfd_write(a.fd, 1);
    eventfd_write(b.fd, 1);
    eventfd_write(b.fd, 5);
    settle();
    check_int(t, a.rung, 1, "one");
    check_int(t, b.rung, 1, "the other: rings that come together are one");
    doorbell_enable(a.bell, false);
    eventfd_write(a.fd, 1);
    settle();
    check_int(t, a.rung, 1, "off");
    doorbell_enable(a.bell, true);
    settle();
    check_int(t, a.rung, 2, "it has waited");
    a.remove = true;
    eventfd_write(a.fd, 1);
    settle();
    check_int(t, a.rung, 3, "removes itself");
    eventfd_write(a.fd, 1);
    settle();
    check_int(t, a.rung, 3, "and isn't heard any more");
    b.remove = true;
    eventfd_write(b.fd, 1);
    settle();
    check_int(t, b.rung, 2, "the last one removes itself");
    bell_free(&a);
    bell_free(&b);
    check_true(t, !doorbell_watch_begin(), "there are none");
}

/* A thread as an idle vCPU's. */
typedef struct Watcher {
    Test *t;
    int wake;
    Bell *bell;
    Event watching;
    Cond cond;
    bool again;
    unsigned rounds;            /* which it has made */
} Watcher;

static void *watcher(void *opaque)
{
    Watcher *w = opaque;

    big_lock();
    while (w->again) {
        if (!check_true(w->t, doorbell_watch_begin(), "the bells are ours")) {
            break;
        }
        event_set(&w->watching);
        big_unlock();
        doorbell_watch(w->wake);
        big_lock();
        event_reset(&w->watching);
        doorbell_watch_end();
        w->rounds++;
        cond_broadcast(&w->cond);
    }
    big_unlock();
    return NULL;
}

/* As the main loop, until it watches again. */
static void until_it_watches(Watcher *w)
{
    big_unlock();
    event_wait(&w->watching);
    big_lock();
}

TEST(doorbell, in_a_thread_that_waits)
{
    Watcher w = { .t = t, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .again = true };
    Thread thread;
    Bell b;

    main_loop_init();
    bell_new(&b);
    event_init(&w.watching, false);
    cond_init(&w.cond);
    thread_create(&thread, "watcher", watcher, &w);
    until_it_watches(&w);
    check_true(t, !doorbell_watch_begin(), "one at a time");
    for (unsigned i = 1; i <= 100; i++) {
        until_it_watches(&w);
        eventfd_write(b.fd, 1);
        while (w.rounds < i) {
            big_lock_wait(&w.cond);
        }
        check_int(t, b.rung, i, "rung");
        check_true(t, !b.by_main, "in its thread");
        check_true(t, !main_loop_iterate(false), "the main loop has nothing to do");
    }
    until_it_watches(&w);
    w.again = false;
    eventfd_write(w.wake, 1);
    big_unlock();
    thread_join(&thread);
    big_lock();
    check_int(t, b.rung, 100, "woken for something else");
    eventfd_write(b.fd, 1);
    settle();
    check_int(t, b.rung, 101, "the main loop's again");
    check_true(t, b.by_main, "in its thread");
    /* The last bell goes while somebody watches. */
    check_true(t, doorbell_watch_begin(), "ours");
    bell_free(&b);
    doorbell_watch_end();
    check_true(t, !doorbell_watch_begin(), "there are none");
    cond_destroy(&w.cond);
    close(w.wake);
}

/* Watches after each of which @rings bells of others are rung; gives the number of the first that looked before it slept, or 0. */
static unsigned first_that_looks(int wake, unsigned rings, unsigned watches)
{
    for (unsigned n = 1; n <= watches; n++) {
        for (unsigned k = 0; k < rings; k++) {
            doorbell_rang();
        }
        eventfd_write(wake, 1);
        if (doorbell_watch(wake)) {
            return n;
        }
    }
    return 0;
}

TEST(doorbell, looks_where_questions_and_answers_take_turns)
{
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    Bell b;

    main_loop_init();
    bell_new(&b);
    check_true(t, doorbell_watch_begin(), "ours");
    check_int(t, first_that_looks(wake, 0, 20), 0, "nobody is rung");
    check_int(t, first_that_looks(wake, 2, 20), 0, "a stream: several rings for one");
    check_int(t, first_that_looks(wake, 1, 20), DOORBELL_TURNS, "one ring each");
    check_int(t, first_that_looks(wake, 1, 20), 1, "as long as that goes on");
    check_int(t, first_that_looks(wake, 0, 1), 0, "until there was none");
    check_int(t, first_that_looks(wake, 1, DOORBELL_TURNS - 1), 0, "it begins anew");
    check_int(t, first_that_looks(wake, 1, 1), 1, "after as many turns");
    check_int(t, first_that_looks(wake, 3, 1), 0, "or until there were several");
    check_int(t, first_that_looks(wake, 1, 20), DOORBELL_TURNS, "and anew");
    doorbell_watch_end();
    bell_free(&b);
    close(wake);
}
