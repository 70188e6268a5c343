/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/main-loop.h"
#include "util/event-loop-int.h"
#include <glib.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#define LOOP_TIMERS { \
        [0 ... CLOCK__MAX - 1] = { .lock = MUTEX_INITIALIZER } \
    }

/* The main loop exists from the start, so that timers need no order of set-up. */
static EventLoop main_loop = { .timers = LOOP_TIMERS };
static EventLoop *other_loops;          /* under loops_lock */
static Mutex loops_lock = MUTEX_INITIALIZER;
static _Thread_local EventLoop *loop_of_thread;

static Mutex big_mutex = MUTEX_BRIEF;
static _Thread_local bool big_held;

/* Who holds the main loop (main_loop_hold). Big lock. */
static struct {
    bool held, wanted;          /* the main loop stands before it */
    Cond cond;
    void (*round_is_over)(void);
} gate = { .cond = { PTHREAD_COND_INITIALIZER } };
static _Thread_local bool gate_mine;

/* ------------------------------------------------------------ big lock */

void (*_Atomic big_lock_observer)(void);
static _Thread_local bool observing;

void big_lock_observe(void (*observer)(void))
{
    assert(big_held);
    atomic_store(&big_lock_observer, observer);
}

void big_lock_step_slow(void)
{
    void (*observer)(void) = atomic_load(&big_lock_observer);

    /* What it looks at may be reached by steps again. */
    if (observer && big_held && !observing) {
        observing = true;
        observer();
        observing = false;
    }
}

void big_lock_at(const char *site)
{
    assert(!big_held);
    mutex_lock_big_at(&big_mutex, site);
    big_held = true;
}

void big_unlock(void)
{
    assert(big_held);
    big_lock_step();
    big_held = false;
    mutex_unlock(&big_mutex);
}

bool big_lock_held(void)
{
    return big_held;
}

static void open_gate(void)
{
    if (gate_mine) {
        gate.held = false;
        cond_broadcast(&gate.cond);
    }
}

static void close_gate(void)
{
    if (gate_mine) {
        gate.held = true;
    }
}

void big_lock_wait_at(Cond *c, const char *site)
{
    assert(big_held);
    big_lock_step();
    open_gate();
    big_held = false;
    cond_wait_at(c, &big_mutex, site);
    big_held = true;
    close_gate();
}

bool big_lock_wait_ns_at(Cond *c, int64_t ns, const char *site)
{
    bool signalled;

    assert(big_held);
    big_lock_step();
    open_gate();
    big_held = false;
    signalled = cond_wait_ns_at(c, &big_mutex, ns, site);
    big_held = true;
    close_gate();
    return signalled;
}

void big_lock_rest(void)
{
    open_gate();
    big_unlock();
    g_usleep(100);
    big_lock();
    close_gate();
}

/* --------------------------------------------------------------- loops */

EventLoop *main_event_loop(void)
{
    return &main_loop;
}

EventLoop *current_event_loop(void)
{
    return loop_of_thread ? loop_of_thread : &main_loop;
}

bool in_main_thread(void)
{
    return loop_of_thread == &main_loop;
}

bool in_io_thread(void)
{
    return loop_of_thread && loop_of_thread != &main_loop;
}

struct _GMainContext *event_loop_context(EventLoop *loop)
{
    return loop == &main_loop ? g_main_context_default() : loop->context;
}

void event_loop_kick(EventLoop *loop)
{
    /* The loop's own thread isn't waiting, and looks again before it does. */
    if (loop != loop_of_thread) {
        atomic_store(&loop->kicked, true);
        if (atomic_load(&loop->polling)) {
            g_main_context_wakeup(event_loop_context(loop));
        }
    }
}

void event_loop_set_max_batch(EventLoop *loop, unsigned n)
{
    atomic_store(&loop->max_batch, n);
}

unsigned event_loop_max_batch(const EventLoop *loop)
{
    return atomic_load(&loop->max_batch);
}

void event_loops_kick_all(void)
{
    event_loop_kick(&main_loop);
    MUTEX_GUARD(&loops_lock);
    for (EventLoop *l = other_loops; l; l = l->next) {
        event_loop_kick(l);
    }
}

static bool bh_run(EventLoop *loop);
static bool bh_waiting(EventLoop *loop);

static int64_t wait_ns(EventLoop *loop, bool block, int glib_ms)
{
    int64_t ns, glib_ns = glib_ms * NS_PER_MS;

    /* The order counts: whoever kicks after this look sees @polling. */
    if (!block || atomic_exchange(&loop->kicked, false) || bh_waiting(loop) ||
        atomic_load(&loop->quit)) {
        return 0;
    }
    ns = timers_wait_ns(loop);
    if (glib_ms < 0) {
        return ns;
    }
    return ns < 0 ? glib_ns : MIN(ns, glib_ns);
}

static bool iterate(EventLoop *loop, bool block)
{
    GMainContext *context = event_loop_context(loop);
    GPollFD on_stack[64], *fds = on_stack;
    int room = ARRAY_SIZE(on_stack), n, prio, glib_ms;
    struct timespec ts;
    int64_t ns;
    bool any = false;

    g_main_context_prepare(context, &prio);
    while ((n = g_main_context_query(context, prio, &glib_ms, fds, room)) > room) {
        if (fds != on_stack) {
            g_free(fds);
        }
        room = n;
        fds = g_new(GPollFD, room);
    }

    atomic_store(&loop->polling, true);
    ns = wait_ns(loop, block, glib_ms);
    ts = (struct timespec){ ns / NS_PER_SECOND, ns % NS_PER_SECOND };
    if (loop == &main_loop) {
        big_unlock();
    }
    /* GPollFD is laid out as struct pollfd (GLib, "GPollFD"). */
    if (ppoll((struct pollfd *)fds, n, ns < 0 ? NULL : &ts, NULL) < 0) {
        for (int i = 0; i < n; i++) {
            fds[i].revents = 0;
        }
    }
    if (loop == &main_loop) {
        big_lock();
        while (unlikely(gate.held)) {
            gate.wanted = true;
            big_lock_wait(&gate.cond);
        }
    }
    atomic_store(&loop->polling, false);

    if (g_main_context_check(context, prio, fds, n)) {
        g_main_context_dispatch(context);
        any = true;
    }
    if (fds != on_stack) {
        g_free(fds);
    }
    any |= bh_run(loop);
    any |= timers_run(loop);
    if (loop == &main_loop) {
        gate.wanted = false;
        if (gate.round_is_over) {
            gate.round_is_over();
        }
    }
    return any;
}

_Static_assert(sizeof(GPollFD) == sizeof(struct pollfd), "poll() takes GPollFDs");

/* The kernel wakes sleepers up to 50 us late unless told otherwise (prctl(2)). */
static void be_punctual(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

void main_loop_init(void)
{
    if (loop_of_thread == &main_loop) {
        return;
    }
    loop_of_thread = &main_loop;
    be_punctual();
    if (!g_main_context_acquire(g_main_context_default())) {
        assert(!"the main context is free");
    }
    if (!big_held) {
        big_lock();
    }
}

bool main_loop_iterate(bool block)
{
    bool any;

    assert(in_main_thread());
    main_loop.waits++;
    any = iterate(&main_loop, block);
    main_loop.waits--;
    return any;
}

bool main_loop_is_waited_for(void)
{
    assert(big_held);
    return main_loop.waits;
}

void main_loop_round(void)
{
    assert(in_main_thread());
    iterate(&main_loop, true);
}

void main_loop_run(void)
{
    while (!atomic_load(&main_loop.quit)) {
        main_loop_round();
    }
    atomic_store(&main_loop.quit, false);
}

void main_loop_run_until(const bool *done)
{
    while (!__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
        main_loop_iterate(true);
    }
}

void main_loop_hold(void)
{
    assert(!in_main_thread() && !gate.held);
    gate_mine = true;
    gate.held = true;
}

void main_loop_release(void)
{
    open_gate();
    gate_mine = false;
}

bool main_loop_is_quiet(void)
{
    return !gate.wanted && !bh_waiting(&main_loop);
}

void main_loop_kick(void)
{
    event_loop_kick(&main_loop);
}

void main_loop_set_round_hook(void (*fn)(void))
{
    gate.round_is_over = fn;
}

bool main_loop_is_counted(void)
{
    return gate.round_is_over;
}

void main_loop_quit(void)
{
    atomic_store(&main_loop.quit, true);
    event_loop_kick(&main_loop);
}

static void *loop_thread(void *opaque)
{
    EventLoop *loop = opaque;

    loop_of_thread = loop;
    be_punctual();
    g_main_context_push_thread_default(loop->context);
    while (!atomic_load(&loop->quit)) {
        iterate(loop, true);
    }
    /* What was deleted or scheduled last. */
    while (bh_run(loop)) {
    }
    g_main_context_pop_thread_default(loop->context);
    return NULL;
}

EventLoop *event_loop_new(const char *name)
{
    EventLoop *loop = g_new0(EventLoop, 1);

    loop->context = g_main_context_new();
    mutex_init(&loop->park_lock);
    cond_init(&loop->park_cond);
    timers_init(loop);
    mutex_lock(&loops_lock);
    loop->next = other_loops;
    other_loops = loop;
    mutex_unlock(&loops_lock);
    thread_create(&loop->thread, name, loop_thread, loop);
    return loop;
}

static void stand_parked(void *opaque)
{
    EventLoop *loop = opaque;
    MUTEX_GUARD(&loop->park_lock);

    loop->parked = true;
    cond_broadcast(&loop->park_cond);
    while (loop->parks) {
        cond_wait(&loop->park_cond, &loop->park_lock);
    }
    loop->parked = false;
}

void event_loop_park(EventLoop *loop)
{
    bool parked;

    if (!loop || loop == &main_loop) {
        return;
    }
    assert(big_held && !in_io_thread());
    mutex_lock(&loop->park_lock);
    if (!loop->parks++) {
        bh_once(loop, stand_parked, loop);
    }
    parked = loop->parked;
    mutex_unlock(&loop->park_lock);
    if (parked) {
        return;
    }
    /* A callback there may want the big lock before it returns. */
    big_unlock();
    mutex_lock(&loop->park_lock);
    while (!loop->parked) {
        cond_wait(&loop->park_cond, &loop->park_lock);
    }
    mutex_unlock(&loop->park_lock);
    big_lock();
}

void event_loop_unpark(EventLoop *loop)
{
    if (loop && loop != &main_loop) {
        MUTEX_GUARD(&loop->park_lock);
        if (!--loop->parks) {
            cond_broadcast(&loop->park_cond);
        }
    }
}

void event_loop_free(EventLoop *loop)
{
    atomic_store(&loop->quit, true);
    event_loop_kick(loop);
    thread_join(&loop->thread);
    mutex_lock(&loops_lock);
    for (EventLoop **p = &other_loops; *p; p = &(*p)->next) {
        if (*p == loop) {
            *p = loop->next;
            break;
        }
    }
    mutex_unlock(&loops_lock);
    timers_cleanup(loop);
    cond_destroy(&loop->park_cond);
    mutex_destroy(&loop->park_lock);
    g_main_context_unref(loop->context);
    g_free(loop);
}

/* ------------------------------------------------------- bottom halves */

enum {
    BH_LISTED = 1,              /* on bh_new or bh_ready */
    BH_WANTED = 2,              /* to be called when its turn comes */
    BH_DELETED = 4,             /* to be freed when its turn comes */
    BH_ONCE = 8,                /* freed after the call */
};

struct BottomHalf {
    EventLoop *loop;
    BhFn *cb;
    void *opaque;
    _Atomic unsigned flags;
    BottomHalf *next;           /* valid while BH_LISTED */
};

BottomHalf *bh_new_on(EventLoop *loop, BhFn *cb, void *opaque)
{
    BottomHalf *bh = g_new0(BottomHalf, 1);

    bh->loop = loop ? loop : &main_loop;
    bh->cb = cb;
    bh->opaque = opaque;
    return bh;
}

BottomHalf *bh_new(BhFn *cb, void *opaque)
{
    return bh_new_on(current_event_loop(), cb, opaque);
}

static void bh_list(BottomHalf *bh, unsigned flags)
{
    EventLoop *loop = bh->loop;

    if (!(atomic_fetch_or(&bh->flags, flags | BH_LISTED) & BH_LISTED)) {
        /* Once it is listed another thread may run and free it. */
        bh->next = atomic_load(&loop->bh_new);
        while (!atomic_compare_exchange_weak(&loop->bh_new, &bh->next, bh)) {
        }
        event_loop_kick(loop);
    }
}

void bh_schedule(BottomHalf *bh)
{
    bh_list(bh, BH_WANTED);
}

void bh_cancel(BottomHalf *bh)
{
    atomic_fetch_and(&bh->flags, ~BH_WANTED);
}

void bh_delete(BottomHalf *bh)
{
    if (bh) {
        bh_cancel(bh);
        bh_list(bh, BH_DELETED);
    }
}

void bh_once(EventLoop *loop, BhFn *cb, void *opaque)
{
    BottomHalf *bh = bh_new_on(loop, cb, opaque);

    bh_list(bh, BH_WANTED | BH_ONCE);
}

static bool bh_waiting(EventLoop *loop)
{
    return loop->bh_ready || atomic_load(&loop->bh_new);
}

/* Moves what was pushed to the end of bh_ready, in the order of scheduling. */
static void bh_collect(EventLoop *loop)
{
    BottomHalf *bh = atomic_exchange(&loop->bh_new, NULL), *list = NULL, *next;
    BottomHalf *newest = bh;

    for (; bh; bh = next) {
        next = bh->next;
        bh->next = list;
        list = bh;
    }
    if (list) {
        if (!loop->bh_ready) {
            loop->bh_ready_end = &loop->bh_ready;
        }
        *loop->bh_ready_end = list;
        loop->bh_ready_end = &newest->next;
    }
}

/* What callbacks schedule runs in the next round; a round inside a callback
 * takes over what this one has left. */
static bool bh_run(EventLoop *loop)
{
    bool any = false;
    BottomHalf *bh;

    bh_collect(loop);
    while ((bh = loop->bh_ready)) {
        unsigned flags;

        loop->bh_ready = bh->next;
        flags = atomic_fetch_and(&bh->flags, ~(BH_LISTED | BH_WANTED));
        if (flags & BH_DELETED) {
            g_free(bh);
        } else if (flags & BH_WANTED) {
            any = true;
            bh->cb(bh->opaque);
            big_lock_step();
            if (flags & BH_ONCE) {
                g_free(bh);
            }
        }
    }
    return any;
}

/* ---------------------------------------------------------- fd watches */

struct FdWatch {
    GSource source;             /* first: GLib casts to it */
    int fd;
    unsigned events;            /* asked for */
    void *tag;                  /* GLib's handle while @events isn't 0 */
    FdFn *cb;
    void *opaque;
};

static gboolean fd_watch_dispatch(GSource *source, UNUSED GSourceFunc cb,
                                  UNUSED gpointer data)
{
    FdWatch *w = (FdWatch *)source;
    GIOCondition c = w->tag ? g_source_query_unix_fd(source, w->tag) : 0;
    unsigned events = (c & G_IO_IN ? FD_READ : 0) | (c & G_IO_OUT ? FD_WRITE : 0);

    if (c & (G_IO_HUP | G_IO_ERR | G_IO_NVAL)) {
        /* Reading or writing tells the rest. */
        events |= FD_HANGUP | (w->events & (FD_READ | FD_WRITE));
    }
    if (events) {
        w->cb(w->fd, events, w->opaque);
        big_lock_step();
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs fd_watch_funcs = { .dispatch = fd_watch_dispatch };

FdWatch *fd_watch_new_on(EventLoop *loop, int fd, unsigned events, FdFn *cb, void *opaque)
{
    GSource *source = g_source_new(&fd_watch_funcs, sizeof(FdWatch));
    FdWatch *w = (FdWatch *)source;

    w->fd = fd;
    w->cb = cb;
    w->opaque = opaque;
    g_source_set_can_recurse(source, TRUE);
    fd_watch_set(w, events);
    g_source_attach(source, event_loop_context(loop ? loop : &main_loop));
    return w;
}

FdWatch *fd_watch_new(int fd, unsigned events, FdFn *cb, void *opaque)
{
    return fd_watch_new_on(current_event_loop(), fd, events, cb, opaque);
}

void fd_watch_set(FdWatch *w, unsigned events)
{
    GIOCondition c = (events & FD_READ ? G_IO_IN : 0) | (events & FD_WRITE ? G_IO_OUT : 0) |
                     (events ? G_IO_HUP | G_IO_ERR : 0);

    w->events = events;
    if (!events) {
        if (w->tag) {
            g_source_remove_unix_fd(&w->source, w->tag);
            w->tag = NULL;
        }
    } else if (w->tag) {
        g_source_modify_unix_fd(&w->source, w->tag, c);
    } else {
        w->tag = g_source_add_unix_fd(&w->source, w->fd, c);
    }
}

void fd_watch_remove(FdWatch *w)
{
    if (w) {
        g_source_destroy(&w->source);
        g_source_unref(&w->source);
    }
}
