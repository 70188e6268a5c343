/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/coroutine.h"
#include "util/coroutine-int.h"
#include "util/main-loop.h"

struct Coroutine {
    CoContext context;
    CoStack stack;              /* owned */
    CoroutineEntry *entry;
    void *opaque;
    CoContext *entered_from;    /* while running: where a yield goes */
    Coroutine *outer;           /* while running: the coroutine that entered it */
    EventLoop *home;            /* of the thread that entered it last */
    _Atomic bool woken;         /* a bottom half will enter it */
    bool ended;
};

typedef struct PerThread {
    CoContext own;
    bool own_known;
    Coroutine *running;
} PerThread;

static _Thread_local PerThread per_thread;

/* Not inline: a coroutine may come back in another thread, and the compiler
 * must not keep the address of the first one's variable. */
static __attribute__((noinline)) PerThread *this_thread(void)
{
    PerThread *p = &per_thread;

    __asm__ volatile("" : "+r"(p));
    return p;
}

static void first(void *opaque)
{
    Coroutine *co = opaque;

    co_context_arrived(co->entered_from);
    co->entry(co->opaque);
    co->ended = true;
    co_context_switch(&co->context, co->entered_from, true);
    assert(!"an ended coroutine is never entered");
}

Coroutine *co_new(CoroutineEntry *entry, void *opaque)
{
    Coroutine *co = calloc(1, sizeof(*co));

    if (!co) {
        abort();
    }
    co->entry = entry;
    co->opaque = opaque;
    co->home = current_event_loop();
    co->stack = co_stack_get();
    co_context_init(&co->context, co->stack, first, co);
    return co;
}

static void destroy(Coroutine *co)
{
    co_context_cleanup(&co->context);
    co_stack_put(co->stack);
    free(co);
}

void co_enter(Coroutine *co)
{
    PerThread *self = this_thread();
    CoContext *from;

    assert(!co->entered_from && !co->ended);
    if (!self->own_known) {
        co_context_init_thread(&self->own);
        self->own_known = true;
    }
    from = self->running ? &self->running->context : &self->own;
    co->outer = self->running;
    co->entered_from = from;
    co->home = current_event_loop();
    self->running = co;
    co_context_switch(from, &co->context, false);
    /* Whoever yields or ends has set running back. */
    if (co->ended) {
        this_thread()->running = co->outer;
        destroy(co);
    }
}

void co_start(CoroutineEntry *entry, void *opaque)
{
    co_enter(co_new(entry, opaque));
}

void coroutine_fn co_yield(void)
{
    PerThread *self = this_thread();
    Coroutine *co = self->running;
    CoContext *to = co->entered_from;

    self->running = co->outer;
    co->entered_from = NULL;
    co_context_switch(&co->context, to, false);
}

Coroutine *co_self(void)
{
    Coroutine *co = this_thread()->running;

    assert(co);
    return co;
}

bool in_coroutine(void)
{
    return this_thread()->running;
}

static void enter_woken(void *opaque)
{
    Coroutine *co = opaque;

    atomic_store(&co->woken, false);
    co_enter(co);
}

void co_schedule(EventLoop *loop, Coroutine *co)
{
    bool already = atomic_exchange(&co->woken, true);

    assert(!already);
    bh_once(loop, enter_woken, co);
}

void co_wake(Coroutine *co)
{
    co_schedule(co->home, co);
}

void coroutine_fn co_pause(void)
{
    co_wake(co_self());
    co_yield();
}

/* ------------------------------------------------------ time and files */

static void enter_again(void *opaque)
{
    co_enter(opaque);
}

void coroutine_fn co_sleep_ns(ClockId clock, int64_t ns)
{
    Coroutine *co = co_self();
    Timer timer;

    timer_init_on(&timer, co->home, clock, enter_again, co);
    timer_mod_ns(&timer, clock_get_ns(clock) + ns);
    co_yield();
}

typedef struct FdWait {
    Coroutine *co;
    FdWatch *watch;
    unsigned events;
} FdWait;

static void fd_ready(UNUSED int fd, unsigned events, void *opaque)
{
    FdWait *w = opaque;

    w->events = events;
    fd_watch_remove(w->watch);
    co_enter(w->co);
}

unsigned coroutine_fn co_wait_fd(int fd, unsigned events)
{
    FdWait w = { .co = co_self() };

    w.watch = fd_watch_new_on(w.co->home, fd, events, fd_ready, &w);
    co_yield();
    return w.events;
}

/* -------------------------------------------------------------- queues */

struct CoWaiter {
    Coroutine *co;
    struct CoWaiter *next;
};

void co_queue_init(CoQueue *q)
{
    q->first = NULL;
    q->last = &q->first;
    mutex_init(&q->lock);
}

void co_queue_destroy(CoQueue *q)
{
    assert(!q->first);
    mutex_destroy(&q->lock);
}

/* Both: the queue's lock is held. */
static void add_waiter(CoQueue *q, struct CoWaiter *w)
{
    w->next = NULL;
    *q->last = w;
    q->last = &w->next;
}

static Coroutine *take_waiter(CoQueue *q)
{
    struct CoWaiter *w = q->first;

    if (!w) {
        return NULL;
    }
    q->first = w->next;
    if (!q->first) {
        q->last = &q->first;
    }
    return w->co;
}

void coroutine_fn co_queue_wait(CoQueue *q, CoMutex *m)
{
    struct CoWaiter w = { .co = co_self() };

    mutex_lock(&q->lock);
    add_waiter(q, &w);
    mutex_unlock(&q->lock);
    if (m) {
        co_mutex_unlock(m);
    }
    co_yield();
    if (m) {
        co_mutex_lock(m);
    }
}

bool co_queue_next(CoQueue *q)
{
    Coroutine *co;

    mutex_lock(&q->lock);
    co = take_waiter(q);
    mutex_unlock(&q->lock);
    if (co) {
        co_wake(co);
    }
    return co;
}

void co_queue_all(CoQueue *q)
{
    while (co_queue_next(q)) {
    }
}

bool co_queue_empty(CoQueue *q)
{
    MUTEX_GUARD(&q->lock);
    return !q->first;
}

/* --------------------------------------------------------------- mutex */

void co_mutex_init(CoMutex *m)
{
    co_queue_init(&m->waiters);
    m->locked = false;
    m->holder = NULL;
}

void co_mutex_destroy(CoMutex *m)
{
    assert(!m->locked);
    co_queue_destroy(&m->waiters);
}

void coroutine_fn co_mutex_lock(CoMutex *m)
{
    Coroutine *self = co_self();
    struct CoWaiter w = { .co = self };
    bool wait;

    mutex_lock(&m->waiters.lock);
    assert(m->holder != self);
    wait = m->locked;
    if (wait) {
        add_waiter(&m->waiters, &w);
    } else {
        m->locked = true;
        m->holder = self;
    }
    mutex_unlock(&m->waiters.lock);
    if (wait) {
        co_yield();             /* whoever unlocks hands the lock over */
    }
}

void coroutine_fn co_mutex_unlock(CoMutex *m)
{
    Coroutine *next;

    mutex_lock(&m->waiters.lock);
    assert(m->holder == co_self());
    next = take_waiter(&m->waiters);
    m->holder = next;
    m->locked = next;
    mutex_unlock(&m->waiters.lock);
    if (next) {
        co_wake(next);
    }
}
