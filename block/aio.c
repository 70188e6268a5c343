/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of back ends: counted, held while the graph changes, with callbacks
 * for devices, and what follows when they fail.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "block/throttle.h"
#include "qapi/events-block.h"
#include "util/coroutine.h"
#include "util/iov.h"
#include "util/timer.h"

static void (*stop_machine)(void);      /* registry: system/'s hook */

void block_set_stop_hook(void (*stop)(void))
{
    stop_machine = stop;
}

/* --- coming in and going out --- */

typedef struct BlkWaiter {
    Coroutine *co;
    struct BlkWaiter *next;
} BlkWaiter;

static void coroutine_fn enter(BlockBackend *b)
{
    BlkWaiter w = { .co = co_self() };

    mutex_lock(&b->lock);
    while (b->quiesced) {
        BlkWaiter **end = &b->waiters;

        while (*end) {
            end = &(*end)->next;
        }
        w.next = NULL;
        *end = &w;
        mutex_unlock(&b->lock);
        co_yield();
        mutex_lock(&b->lock);
    }
    b->in_flight++;
    mutex_unlock(&b->lock);
}

/* Whoever drains, in the main thread, looks again. (The back end's loop tells nothing: it may be another
 * by now.) */
static void leave(BlockBackend *b, unsigned *count)
{
    bool last;

    mutex_lock(&b->lock);
    last = --*count == 0;
    mutex_unlock(&b->lock);
    /* @b may be gone now. */
    if (last && !in_main_thread() && (!big_lock_held() || main_loop_is_waited_for())) {
        event_loop_kick(main_event_loop());
    }
}

typedef enum Kind { AIO_READ, AIO_WRITE, AIO_FLUSH, AIO_DISCARD, AIO_ZERO } Kind;

/* Adds a request to the statistics. */
static void account(BlockBackend *b, Kind what, uint64_t offset, uint64_t len, int64_t begin,
                    int result)
{
    int64_t now = clock_get_ns(CLOCK_RT), ns = now - begin;
    BlockStats *s = &b->stats;
    bool failed = result < 0;

    mutex_lock(&b->lock);
    s->last_ns = now;
    switch (what) {
    case AIO_READ:
        s->rd_ops += !failed;
        s->rd_bytes += failed ? 0 : len;
        s->rd_ns += ns;
        s->rd_failed += failed;
        latency_count(&b->latency.kind[LATENCY_READ], ns);
        break;
    case AIO_WRITE:
    case AIO_ZERO:
        s->wr_ops += !failed;
        s->wr_bytes += failed ? 0 : len;
        s->wr_ns += ns;
        s->wr_failed += failed;
        latency_count(&b->latency.kind[LATENCY_WRITE], ns);
        s->wr_highest = failed ? s->wr_highest : MAX(s->wr_highest, offset + len);
        break;
    case AIO_FLUSH:
        s->flush_ops += !failed;
        s->flush_ns += ns;
        s->flush_failed += failed;
        latency_count(&b->latency.kind[LATENCY_FLUSH], ns);
        break;
    case AIO_DISCARD:
        s->discard_ops += !failed;
        s->discard_bytes += failed ? 0 : len;
        s->discard_ns += ns;
        s->discard_failed += failed;
    }
    mutex_unlock(&b->lock);
}

/* --- in coroutines --- */

static int coroutine_fn to_node(BlockBackend *b, Kind what, uint64_t offset, uint64_t len,
                                const struct iovec *iov, size_t niov, unsigned flags)
{
    BlockNode *n = b->node;
    bool changes = what == AIO_WRITE || what == AIO_ZERO;
    int r;

    if (!n) {
        return -ENOMEDIUM;
    }
    if ((changes || what == AIO_DISCARD) && b->read_only) {
        return -EROFS;
    }
    if (n->grows && (offset > blk_length(b) || len > blk_length(b) - offset)) {
        return -EIO;                    /* a file grows, a disk doesn't */
    }
    switch (what) {
    case AIO_READ:
        return block_co_preadv(n, offset, iov, niov);
    case AIO_FLUSH:
        return block_co_flush(n);
    case AIO_DISCARD:
        return block_co_discard(n, offset, len);
    case AIO_WRITE:
        r = block_co_pwritev(n, offset, iov, niov);
        break;
    default:
        r = block_co_zero(n, offset, len, flags);
    }
    if (r == 0 && !__atomic_load_n(&b->write_cache, __ATOMIC_RELAXED)) {
        r = block_co_flush(n);
    }
    return r;
}

static int coroutine_fn request(BlockBackend *b, Kind what, uint64_t offset, uint64_t len,
                                const struct iovec *iov, size_t niov, unsigned flags)
{
    int64_t begin = clock_get_ns(CLOCK_RT);
    int r;

    if (b->throttle && what != AIO_FLUSH) {
        throttle_co_wait(b->throttle, what != AIO_READ, len, &b->hurry);
    }
    enter(b);
    r = to_node(b, what, offset, len, iov, niov, flags);
    account(b, what, offset, len, begin, r);
    leave(b, &b->in_flight);
    return r;
}

int coroutine_fn blk_co_preadv(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                               size_t niov)
{
    return request(b, AIO_READ, offset, iov_size(iov, niov), iov, niov, 0);
}

int coroutine_fn blk_co_pwritev(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                                size_t niov)
{
    return request(b, AIO_WRITE, offset, iov_size(iov, niov), iov, niov, 0);
}

int coroutine_fn blk_co_flush(BlockBackend *b)
{
    return request(b, AIO_FLUSH, 0, 0, NULL, 0, 0);
}

int coroutine_fn blk_co_discard(BlockBackend *b, uint64_t offset, uint64_t len)
{
    return request(b, AIO_DISCARD, offset, len, NULL, 0, 0);
}

int coroutine_fn blk_co_zero(BlockBackend *b, uint64_t offset, uint64_t len, unsigned flags)
{
    return request(b, AIO_ZERO, offset, len, NULL, 0, flags);
}

int coroutine_fn blk_co_status(BlockBackend *b, uint64_t offset, uint64_t len, BlockStatus *st, unsigned *depth)
{
    BlockNode *where;
    int r;

    enter(b);
    r = b->node ? block_co_chain_status(b->node, offset, len, st, &where, depth) : -ENOMEDIUM;
    leave(b, &b->in_flight);
    return r;
}

/* --- with callbacks --- */

typedef struct AioRequest {
    BlockBackend *blk;
    Kind what;
    uint64_t offset, len;
    unsigned flags;
    const struct iovec *iov;
    size_t niov;
    BlkDone *done;
    void *opaque;
    int result;
    bool returned;              /* blk_aio_... has returned to the device */
    bool may_end_now, ended;    /* for blk_aio_rw_now: without a callback */
    struct AioRequest *next;    /* while held */
} AioRequest;

static void complete(void *opaque)
{
    AioRequest *r = opaque;
    BlockBackend *b = r->blk;
    bool main_loop = b->loop == main_event_loop();

    /* A callback under the big lock may drain, so it isn't waited for itself; one in an I/O
     * thread must have returned before whoever drains goes on. */
    if (main_loop) {
        leave(b, &b->submitted);
    }
    r->done(r->opaque, r->result);
    g_free(r);
    if (!main_loop) {
        leave(b, &b->submitted);
    }
}

/* --- failures --- */

typedef struct Failure {
    BlockBackend *blk;
    Kind what;
    int error;
    BlockErrorAction action;
} Failure;

static BlockErrorAction action_for(const BlockBackend *b, Kind what, int error)
{
    BlockErrorAction a = what == AIO_READ ? b->on_read_error : b->on_write_error;

    if (a == BLOCK_ERROR_ENOSPC) {
        a = error == ENOSPC ? BLOCK_ERROR_STOP : BLOCK_ERROR_REPORT;
    }
    return a == BLOCK_ERROR_STOP && !stop_machine ? BLOCK_ERROR_REPORT : a;
}

/* Main loop. */
static void tell_failure(void *opaque)
{
    Failure *f = opaque;
    BlockBackend *b = f->blk;
    BlockIoErrorAction action = f->action == BLOCK_ERROR_STOP ? BLOCK_IO_ERROR_ACTION_STOP
                                : f->action == BLOCK_ERROR_IGNORE ? BLOCK_IO_ERROR_ACTION_IGNORE
                                : BLOCK_IO_ERROR_ACTION_REPORT;

    if (f->action == BLOCK_ERROR_STOP) {
        b->io_status = b->io_status ? b->io_status : f->error;
    }
    qapi_event_send_block_io_error(b->id, b->node ? b->node->name : NULL,
                                   f->what == AIO_READ ? IO_OPERATION_TYPE_READ
                                                       : IO_OPERATION_TYPE_WRITE,
                                   action, f->action == BLOCK_ERROR_STOP, f->error == ENOSPC,
                                   strerror(f->error));
    if (f->action == BLOCK_ERROR_STOP) {
        stop_machine();
    }
    leave(b, &b->submitted);
    g_free(f);
}

/* True: the request is held until the machine goes on. */
static bool handle_failure(AioRequest *r)
{
    BlockBackend *b = r->blk;
    Failure *f;

    if (r->result >= 0 || r->result == -ENOMEDIUM || r->result == -ECANCELED) {
        return false;
    }
    f = g_new(Failure, 1);
    *f = (Failure){ b, r->what, -r->result, action_for(b, r->what, -r->result) };
    if (f->action == BLOCK_ERROR_IGNORE) {
        r->result = 0;
    }
    mutex_lock(&b->lock);
    b->submitted++;                     /* the telling counts, so that the back end stays */
    if (f->action == BLOCK_ERROR_STOP) {
        AioRequest **end = &b->held;

        while (*end) {
            end = &(*end)->next;
        }
        r->next = NULL;
        *end = r;
        b->submitted--;                 /* a held one doesn't: nobody waits for it */
    }
    mutex_unlock(&b->lock);
    bh_once(NULL, tell_failure, f);
    return f->action == BLOCK_ERROR_STOP;
}

static void coroutine_fn aio_entry(void *opaque)
{
    AioRequest *r = opaque;

    r->result = request(r->blk, r->what, r->offset, r->len, r->iov, r->niov, r->flags);
    if (handle_failure(r)) {
        return;
    }
    if (r->returned) {
        complete(r);
    } else if (r->may_end_now) {
        r->ended = true;
    } else {
        bh_once(r->blk->loop, complete, r);
    }
}

static void aio_start(void *opaque)
{
    AioRequest *r = opaque;

    r->returned = true;
    co_start(aio_entry, r);
}

/* The thread that runs the loop begins at once. A vCPU's does too, under the big lock: it stands for
 * the main loop. */
static bool may_start_here(const BlockBackend *b)
{
    return b->loop == main_event_loop() ? big_lock_held() : current_event_loop() == b->loop;
}

static void submit(const AioRequest *r)
{
    BlockBackend *b = r->blk;
    AioRequest *copy = g_memdup2(r, sizeof(*r));

    mutex_lock(&b->lock);
    b->submitted++;
    mutex_unlock(&b->lock);
    if (may_start_here(b) && !in_coroutine()) {
        co_start(aio_entry, copy);
        /* Still there: if it has ended, its completion waits for this thread or its lock. */
        copy->returned = true;
    } else {
        bh_once(b->loop, aio_start, copy);
    }
}

void blk_aio_rw(BlockBackend *b, bool write, uint64_t offset, const struct iovec *iov,
                size_t niov, BlkDone *done, void *opaque)
{
    submit(&(AioRequest){ .blk = b, .what = write ? AIO_WRITE : AIO_READ, .offset = offset,
                          .len = iov_size(iov, niov), .iov = iov, .niov = niov, .done = done,
                          .opaque = opaque });
}

bool blk_aio_rw_now(BlockBackend *b, bool write, uint64_t offset, const struct iovec *iov, size_t niov,
                    BlkDone *done, void *opaque, int *result)
{
    AioRequest *r;

    if (!may_start_here(b) || in_coroutine()) {
        blk_aio_rw(b, write, offset, iov, niov, done, opaque);
        return false;
    }
    r = g_new(AioRequest, 1);
    *r = (AioRequest){ .blk = b, .what = write ? AIO_WRITE : AIO_READ, .offset = offset,
                       .len = iov_size(iov, niov), .iov = iov, .niov = niov, .done = done,
                       .opaque = opaque, .may_end_now = true };
    mutex_lock(&b->lock);
    b->submitted++;
    mutex_unlock(&b->lock);
    co_start(aio_entry, r);
    if (!r->ended) {
        r->returned = true;             /* as in submit() */
        return false;
    }
    *result = r->result;
    g_free(r);
    leave(b, &b->submitted);
    return true;
}

void blk_aio_flush(BlockBackend *b, BlkDone *done, void *opaque)
{
    submit(&(AioRequest){ .blk = b, .what = AIO_FLUSH, .done = done, .opaque = opaque });
}

void blk_aio_discard(BlockBackend *b, uint64_t offset, uint64_t len, BlkDone *done, void *opaque)
{
    submit(&(AioRequest){ .blk = b, .what = AIO_DISCARD, .offset = offset, .len = len,
                          .done = done, .opaque = opaque });
}

void blk_aio_zero(BlockBackend *b, uint64_t offset, uint64_t len, bool may_unmap, BlkDone *done,
                  void *opaque)
{
    submit(&(AioRequest){ .blk = b, .what = AIO_ZERO, .offset = offset, .len = len,
                          .flags = may_unmap ? BLOCK_ZERO_UNMAP : 0, .done = done,
                          .opaque = opaque });
}

/* --- held requests --- */

static AioRequest *take_held(BlockBackend *b)
{
    AioRequest *list;

    mutex_lock(&b->lock);
    list = b->held;
    b->held = NULL;
    for (AioRequest *r = list; r; r = r->next) {
        b->submitted++;
    }
    mutex_unlock(&b->lock);
    return list;
}

void blk_retry_held(void)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        AioRequest *next;

        b->io_status = 0;
        for (AioRequest *r = take_held(b); r; r = next) {
            next = r->next;
            bh_once(b->loop, aio_start, r);
        }
    }
}

void blk_cancel_held(BlockBackend *b)
{
    AioRequest *next;

    for (AioRequest *r = take_held(b); r; r = next) {
        next = r->next;
        if (b->loop == main_event_loop()) {
            complete(r);
        } else {
            bh_once(b->loop, complete, r);
        }
    }
    b->io_status = 0;
}

bool blk_any_held(void)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        MUTEX_GUARD(&b->lock);
        if (b->held) {
            return true;
        }
    }
    return false;
}

/* --- draining --- */

static bool busy(BlockBackend *b)
{
    MUTEX_GUARD(&b->lock);
    /* What waits for the end of a pause can't be waited for. */
    return b->quiesced ? b->in_flight : b->submitted || b->in_flight;
}

void blk_drain(BlockBackend *b)
{
    __atomic_fetch_add(&b->hurry, 1, __ATOMIC_RELAXED);
    while (busy(b)) {
        if (in_main_thread()) {
            main_loop_iterate(true);
        } else {
            /* Only the main loop can finish them. */
            big_lock_rest();
        }
    }
    __atomic_fetch_sub(&b->hurry, 1, __ATOMIC_RELAXED);
}

bool blk_any_in_flight(void)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (busy(b)) {
            return true;
        }
    }
    return false;
}

void blk_drain_all(void)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        blk_drain(b);
    }
}

void blk_drain_begin(BlockBackend *b)
{
    mutex_lock(&b->lock);
    b->quiesced++;
    mutex_unlock(&b->lock);
    blk_drain(b);
}

void blk_drain_end(BlockBackend *b)
{
    BlkWaiter *list = NULL, *next;

    mutex_lock(&b->lock);
    assert(b->quiesced);
    if (--b->quiesced == 0) {
        list = b->waiters;
        b->waiters = NULL;
    }
    mutex_unlock(&b->lock);
    for (; list; list = next) {
        next = list->next;              /* it is on the stack of the one that is woken */
        co_wake(list->co);
    }
}

static bool loop_in_use(const EventLoop *loop)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (b->loop == loop) {
            return true;
        }
    }
    return false;
}

void blk_set_loop(BlockBackend *b, EventLoop *loop)
{
    EventLoop *old = b->loop;

    blk_drain_begin(b);
    b->loop = loop ? loop : main_event_loop();
    blk_drain_end(b);
    /* The I/O thread may end now. */
    if (old != main_event_loop() && !loop_in_use(old)) {
        block_forget_loop(old);
    }
}

void blk_set_throttle(BlockBackend *b, ThrottleGroup *g)
{
    ThrottleGroup *old = b->throttle;

    if (g == old) {
        return;
    }
    blk_drain_begin(b);
    b->throttle = g ? throttle_group_get(throttle_group_name(g)) : NULL;
    blk_drain_end(b);
    throttle_group_put(old);
}
