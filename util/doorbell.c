/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/doorbell.h"

#include <glib.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "util/main-loop.h"
#include "util/patience.h"

#define AT_ONCE     64              /* rings that are answered before others have their turn */

struct Doorbell {
    int fd;
    DoorbellFn *fn;
    void *opaque;
};

/*
 * The bells are in @set. The main loop looks at @outer, which has nothing but @set in it, and not even that while
 * another thread watches: so the main loop is left alone without being told.
 */
static struct {
    unsigned n;
    int set, outer;
    bool watched;                   /* by another thread than the main loop's */
    FdWatch *main;
    Patience patience;              /* the watcher's */
    atomic_uint rang;               /* other processes' bells, since the last watch */
    unsigned turns;                 /* watches in a row, up to DOORBELL_TURNS, with one ring before each */
} bells = { .set = -1, .outer = -1 };

static void change(int set, int op, int fd, uint32_t events, void *ptr)
{
    struct epoll_event e = { .events = events, .data.ptr = ptr };

    if (epoll_ctl(set, op, fd, &e) < 0) {
        assert(!"an eventfd can be waited for");
    }
}

static void answer(void)
{
    struct epoll_event e;

    for (unsigned i = 0; i < AT_ONCE && bells.n && epoll_wait(bells.set, &e, 1, 0) == 1; i++) {
        Doorbell *b = e.data.ptr;
        eventfd_t times;

        if (eventfd_read(b->fd, &times) == 0) {
            b->fn(b->opaque);
            big_lock_step();
        }
        if (bells.n == 1) {
            break;                  /* it has just been read */
        }
    }
}

static void main_loop_rung(UNUSED int fd, UNUSED unsigned events, UNUSED void *opaque)
{
    answer();
}

static void set_up(void)
{
    bells.set = epoll_create1(EPOLL_CLOEXEC);
    bells.outer = epoll_create1(EPOLL_CLOEXEC);
    if (bells.set < 0 || bells.outer < 0) {
        g_error("no descriptor for doorbells: %s", g_strerror(errno));
    }
    change(bells.outer, EPOLL_CTL_ADD, bells.set, EPOLLIN, NULL);
    bells.main = fd_watch_new_on(main_event_loop(), bells.outer, FD_READ, main_loop_rung, NULL);
}

static void tear_down(void)
{
    fd_watch_remove(bells.main);
    close(bells.outer);
    close(bells.set);
    bells.main = NULL;
    bells.set = bells.outer = -1;
}

Doorbell *doorbell_new(int fd, DoorbellFn *fn, void *opaque)
{
    Doorbell *b = g_new0(Doorbell, 1);

    assert(big_lock_held());
    *b = (Doorbell){ .fd = fd, .fn = fn, .opaque = opaque };
    if (bells.set < 0) {
        set_up();
    }
    bells.n++;
    change(bells.set, EPOLL_CTL_ADD, fd, EPOLLIN, b);
    return b;
}

void doorbell_enable(Doorbell *b, bool on)
{
    change(bells.set, EPOLL_CTL_MOD, b->fd, on ? EPOLLIN : 0, b);
}

void doorbell_remove(Doorbell *b)
{
    assert(big_lock_held());
    if (b) {
        change(bells.set, EPOLL_CTL_DEL, b->fd, 0, NULL);
        g_free(b);
        if (--bells.n == 0 && !bells.watched) {
            tear_down();
        }
    }
}

/* --- a thread that watches --- */

bool doorbell_watch_begin(void)
{
    if (!bells.n || bells.watched) {
        return false;
    }
    bells.watched = true;
    change(bells.outer, EPOLL_CTL_MOD, bells.set, 0, NULL);
    return true;
}

bool doorbell_watch(int wake)
{
    struct pollfd p[2] = { { wake, POLLIN, 0 }, { bells.set, POLLIN, 0 } };
    eventfd_t times;
    int n;

    bells.turns = atomic_exchange(&bells.rang, 0) == 1 ? MIN(bells.turns + 1, DOORBELL_TURNS) : 0;
    bool looks = bells.turns == DOORBELL_TURNS;

    if (looks) {
        patience_begin(&bells.patience);
        do {
            n = poll(p, ARRAY_SIZE(p), 0);
        } while (n == 0 && patience_lasts(&bells.patience));
        if (n == 0) {
            n = poll(p, ARRAY_SIZE(p), -1);
        }
        patience_end(&bells.patience);
    } else {
        n = poll(p, ARRAY_SIZE(p), -1);
    }
    if (n > 0 && p[0].revents) {
        eventfd_read(wake, &times);
    }
    return looks;
}

void doorbell_watch_end(void)
{
    answer();
    bells.watched = false;
    if (bells.n) {
        change(bells.outer, EPOLL_CTL_MOD, bells.set, EPOLLIN, NULL);
    } else {
        tear_down();
    }
}

void doorbell_rang(void)
{
    atomic_fetch_add_explicit(&bells.rang, 1, memory_order_relaxed);
}
