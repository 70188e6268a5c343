/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/timer.h"
#include "util/event-loop-int.h"
#include "util/main-loop.h"
#include "util/thread.h"
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

/* A host clock that is set ahead makes its timers at most this late. */
#define HOST_CLOCK_LOOK_NS  NS_PER_SECOND

typedef enum VirtualMode {
    VIRTUAL_HOST,               /* host time while running */
    VIRTUAL_MANUAL,             /* moved by virtual_clock_advance_to() */
    VIRTUAL_SOURCE,             /* read from a function */
} VirtualMode;

/*
 * Guest time. Written under @lock between two increments of @seq; readers
 * retry when @seq is odd or has changed.
 */
static struct {
    Mutex lock;
    _Atomic unsigned seq;
    _Atomic bool running;
    _Atomic int64_t offset;     /* running: to add to the host's time; else the time */
    _Atomic int mode;           /* VirtualMode */
    _Atomic int64_t manual_ns;
    _Atomic(int64_t (*)(void *)) source;
    void (*set_source)(int64_t, void *);
    _Atomic(void *) source_opaque;
} guest_clock = { .lock = MUTEX_INITIALIZER };

static int64_t host_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

static int64_t guest_host_ns(void)
{
    unsigned seq;
    int64_t ns;

    do {
        while ((seq = atomic_load(&guest_clock.seq)) & 1) {
        }
        ns = atomic_load(&guest_clock.offset);
        if (atomic_load(&guest_clock.running)) {
            ns += host_ns(CLOCK_MONOTONIC);
        }
    } while (atomic_load(&guest_clock.seq) != seq);
    return ns;
}

int64_t clock_get_ns(ClockId clock)
{
    int mode;

    switch (clock) {
    case CLOCK_RT:
        return host_ns(CLOCK_MONOTONIC);
    case CLOCK_HOST:
        return host_ns(CLOCK_REALTIME);
    default:
        mode = atomic_load(&guest_clock.mode);
        if (mode == VIRTUAL_MANUAL) {
            return atomic_load(&guest_clock.manual_ns);
        }
        if (mode == VIRTUAL_SOURCE && clock == CLOCK_VIRTUAL) {
            return atomic_load(&guest_clock.source)(atomic_load(&guest_clock.source_opaque));
        }
        return guest_host_ns();
    }
}

int64_t clock_waited_ns(void)
{
    char text[64];
    int64_t waited = 0;
    ssize_t n;
    int fd;

    if (atomic_load(&guest_clock.mode) == VIRTUAL_MANUAL || atomic_load(&guest_clock.mode) == VIRTUAL_SOURCE) {
        return 0;
    }
    /* Linux, Documentation/scheduler/sched-stats: ran, waited (both in ns), slices. */
    fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[MAX(n, 0)] = '\0';
    return sscanf(text, "%*u %" SCNd64, &waited) == 1 ? waited : 0;
}

static void change_begin(void)
{
    mutex_lock(&guest_clock.lock);
    atomic_fetch_add(&guest_clock.seq, 1);
}

static void change_end(void)
{
    atomic_fetch_add(&guest_clock.seq, 1);
    mutex_unlock(&guest_clock.lock);
    event_loops_kick_all();
}

void clock_enable(bool run)
{
    int64_t now = host_ns(CLOCK_MONOTONIC);

    change_begin();
    if (run != atomic_load(&guest_clock.running)) {
        atomic_fetch_add(&guest_clock.offset, run ? -now : now);
        atomic_store(&guest_clock.running, run);
    }
    change_end();
}

void virtual_clock_set_ns(int64_t ns)
{
    int64_t now = host_ns(CLOCK_MONOTONIC);

    change_begin();
    atomic_store(&guest_clock.offset, atomic_load(&guest_clock.running) ? ns - now : ns);
    atomic_store(&guest_clock.manual_ns, ns);
    if (atomic_load(&guest_clock.mode) == VIRTUAL_SOURCE) {
        guest_clock.set_source(ns, atomic_load(&guest_clock.source_opaque));
    }
    change_end();
}

void virtual_clock_set_manual(bool manual)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    change_begin();
    atomic_store(&guest_clock.manual_ns, now);
    atomic_store(&guest_clock.mode, manual ? VIRTUAL_MANUAL : VIRTUAL_HOST);
    change_end();
}

void virtual_clock_set_source(int64_t (*get)(void *opaque), void (*set)(int64_t ns, void *opaque),
                              void *opaque)
{
    change_begin();
    guest_clock.set_source = set;
    if (get) {
        atomic_store(&guest_clock.source_opaque, opaque);
        atomic_store(&guest_clock.source, get);
    }
    atomic_store(&guest_clock.mode, get ? VIRTUAL_SOURCE : VIRTUAL_HOST);
    change_end();
}

void virtual_clock_kick(void)
{
    event_loops_kick_all();
}

/* ---------------------------------------------------------------- heap */

static bool before(const Timer *a, const Timer *b)
{
    return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns
                                            : a->order < b->order;
}

static void put(TimerList *l, size_t i, Timer *t)
{
    l->heap[i] = t;
    t->heap_pos = i + 1;
}

static void sift_up(TimerList *l, size_t i, Timer *t)
{
    while (i && before(t, l->heap[(i - 1) / 2])) {
        put(l, i, l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(l, i, t);
}

static void sift_down(TimerList *l, size_t i, Timer *t)
{
    size_t child;

    while ((child = 2 * i + 1) < l->n) {
        if (child + 1 < l->n && before(l->heap[child + 1], l->heap[child])) {
            child++;
        }
        if (!before(l->heap[child], t)) {
            break;
        }
        put(l, i, l->heap[child]);
        i = child;
    }
    put(l, i, t);
}

static void heap_remove(TimerList *l, Timer *t)
{
    size_t i = t->heap_pos - 1;
    Timer *last = l->heap[--l->n];

    t->heap_pos = 0;
    if (last != t) {
        if (before(last, t)) {
            sift_up(l, i, last);
        } else {
            sift_down(l, i, last);
        }
    }
}

static void heap_insert(TimerList *l, Timer *t)
{
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 16;
        l->heap = realloc(l->heap, l->room * sizeof(*l->heap));
        if (!l->heap) {
            abort();
        }
    }
    l->n++;
    sift_up(l, l->n - 1, t);
}

/* -------------------------------------------------------------- timers */

static EventLoop *loop_of(const Timer *t)
{
    return t->loop ? t->loop : main_event_loop();
}

static TimerList *list_of(const Timer *t)
{
    return &loop_of(t)->timers[t->clock];
}

void timer_init_on(Timer *t, EventLoop *loop, ClockId clock, TimerFn *cb, void *opaque)
{
    *t = (Timer){ .clock = clock, .cb = cb, .opaque = opaque, .loop = loop };
}

void timer_init_ns(Timer *t, ClockId clock, TimerFn *cb, void *opaque)
{
    timer_init_on(t, NULL, clock, cb, opaque);
}

static void modify(Timer *t, int64_t deadline_ns, bool only_earlier)
{
    TimerList *l = list_of(t);
    bool first;

    deadline_ns = MAX(deadline_ns, 0);
    mutex_lock(&l->lock);
    if (t->heap_pos) {
        if (only_earlier && t->deadline_ns <= deadline_ns) {
            mutex_unlock(&l->lock);
            return;
        }
        heap_remove(l, t);
    }
    t->deadline_ns = deadline_ns;
    t->order = l->next_order++;
    heap_insert(l, t);
    first = l->heap[0] == t;
    mutex_unlock(&l->lock);
    if (first) {
        event_loop_kick(loop_of(t));
    }
}

void timer_mod_ns(Timer *t, int64_t deadline_ns)
{
    modify(t, deadline_ns, false);
}

void timer_mod_anticipate_ns(Timer *t, int64_t deadline_ns)
{
    modify(t, deadline_ns, true);
}

void timer_del(Timer *t)
{
    TimerList *l = list_of(t);

    MUTEX_GUARD(&l->lock);
    if (t->heap_pos) {
        heap_remove(l, t);
    }
}

bool timer_pending(const Timer *t)
{
    MUTEX_GUARD(&list_of(t)->lock);
    return t->heap_pos;
}

int64_t timer_expire_ns(const Timer *t)
{
    MUTEX_GUARD(&list_of(t)->lock);
    return t->heap_pos ? t->deadline_ns : -1;
}

Timer *timer_new_ns(ClockId clock, TimerFn *cb, void *opaque)
{
    Timer *t = malloc(sizeof(*t));

    if (!t) {
        abort();
    }
    timer_init_ns(t, clock, cb, opaque);
    return t;
}

void timer_free(Timer *t)
{
    if (t) {
        timer_del(t);
        free(t);
    }
}

/* --------------------------------------------------------------- loops */

void timers_init(EventLoop *loop)
{
    for (int i = 0; i < CLOCK__MAX; i++) {
        mutex_init(&loop->timers[i].lock);
    }
}

void timers_cleanup(EventLoop *loop)
{
    for (int i = 0; i < CLOCK__MAX; i++) {
        assert(!loop->timers[i].n);
        mutex_destroy(&loop->timers[i].lock);
        free(loop->timers[i].heap);
    }
}

static int64_t first_deadline(TimerList *l)
{
    MUTEX_GUARD(&l->lock);
    return l->n ? l->heap[0]->deadline_ns : -1;
}

int64_t clock_deadline_ns(ClockId clock)
{
    return first_deadline(&main_event_loop()->timers[clock]);
}

/* Timers of a guest that is stopped wait, even those that are due. */
static bool may_fire(int clock)
{
    return clock == CLOCK_RT || clock == CLOCK_HOST ||
           atomic_load(&guest_clock.running) ||
           atomic_load(&guest_clock.mode) == VIRTUAL_MANUAL;
}

/* Somebody else fires them. */
static bool is_driven(const EventLoop *loop, int clock)
{
    return clock == CLOCK_VIRTUAL && loop == main_event_loop() &&
           atomic_load(&guest_clock.mode) == VIRTUAL_SOURCE;
}

int64_t timers_wait_ns(EventLoop *loop)
{
    int64_t wait = -1;

    for (int clock = 0; clock < CLOCK__MAX; clock++) {
        int64_t deadline = first_deadline(&loop->timers[clock]), ns;
        int mode = atomic_load(&guest_clock.mode);

        if (deadline < 0 || !may_fire(clock) || is_driven(loop, clock)) {
            continue;
        }
        /* Read once: MAX() would look at the clock twice, and the deadline may pass in between. */
        ns = deadline - clock_get_ns(clock);
        ns = MAX(ns, 0);
        if (ns > 0 && ((clock == CLOCK_VIRTUAL && mode != VIRTUAL_HOST) ||
                       (clock == CLOCK_VIRTUAL_RT && mode == VIRTUAL_MANUAL))) {
            continue;               /* host time doesn't bring it nearer */
        }
        if (clock == CLOCK_HOST) {
            ns = MIN(ns, HOST_CLOCK_LOOK_NS);
        }
        wait = wait < 0 ? ns : MIN(wait, ns);
    }
    return wait;
}

/*
 * The first timer that is due at @now and was set before @order, taken off the
 * list. A callback that sets a timer for the past gets it in the next round.
 */
static Timer *take_due(TimerList *l, int64_t now, uint64_t order)
{
    Timer *t;

    MUTEX_GUARD(&l->lock);
    if (!l->n) {
        return NULL;
    }
    t = l->heap[0];
    if (t->deadline_ns > now || t->order >= order) {
        return NULL;
    }
    heap_remove(l, t);
    return t;
}

static bool run_clock(EventLoop *loop, int clock)
{
    TimerList *l = &loop->timers[clock];
    bool any = false;
    uint64_t order;
    Timer *t;

    if (first_deadline(l) < 0 || !may_fire(clock)) {
        return false;
    }
    mutex_lock(&l->lock);
    order = l->next_order;
    mutex_unlock(&l->lock);
    while (may_fire(clock) && (t = take_due(l, clock_get_ns(clock), order))) {
        t->cb(t->opaque);
        big_lock_step();
        any = true;
    }
    return any;
}

bool timers_run(EventLoop *loop)
{
    bool any = false;

    for (int clock = 0; clock < CLOCK__MAX; clock++) {
        any |= !is_driven(loop, clock) && run_clock(loop, clock);
    }
    return any;
}

bool virtual_timers_run(void)
{
    return run_clock(main_event_loop(), CLOCK_VIRTUAL);
}

void virtual_clock_advance_to(int64_t ns)
{
    TimerList *lists[] = {
        &main_event_loop()->timers[CLOCK_VIRTUAL],
        &main_event_loop()->timers[CLOCK_VIRTUAL_RT],
    };

    assert(atomic_load(&guest_clock.mode) == VIRTUAL_MANUAL);
    for (;;) {
        int64_t a = first_deadline(lists[0]), b = first_deadline(lists[1]);
        TimerList *l = b < 0 || (a >= 0 && a <= b) ? lists[0] : lists[1];
        int64_t deadline = l == lists[0] ? a : b;
        Timer *t;

        if (deadline < 0 || deadline > ns) {
            break;
        }
        if (deadline > atomic_load(&guest_clock.manual_ns)) {
            atomic_store(&guest_clock.manual_ns, deadline);
        }
        t = take_due(l, deadline, UINT64_MAX);
        if (t) {
            t->cb(t->opaque);
            big_lock_step();
        }
    }
    if (ns > atomic_load(&guest_clock.manual_ns)) {
        atomic_store(&guest_clock.manual_ns, ns);
    }
}
