/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of nodes: checked against the node, given to its driver; lengths, limits, coroutines from outside. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "block/job.h"
#include "block/track.h"
#include "qapi/events-block-ops.h"
#include "util/coroutine.h"
#include "util/iov.h"

int64_t block_length(BlockNode *n)
{
    return n->drv->length(n);
}

void block_limits(BlockNode *n, BlockLimits *l)
{
    if (n->file) {
        block_limits(n->file, l);
    }
    if (n->drv->limits) {
        n->drv->limits(n, l);
    }
}

static int check_range(BlockNode *n, uint64_t offset, uint64_t len)
{
    int64_t length;

    if (n->grows) {
        return offset > INT64_MAX || len > INT64_MAX - offset ? -EFBIG : 0;
    }
    length = block_length(n);
    if (length < 0) {
        return length;
    }
    return offset > (uint64_t)length || len > (uint64_t)length - offset ? -EIO : 0;
}

static bool all_zero(const struct iovec *iov, size_t niov)
{
    for (size_t i = 0; i < niov; i++) {
        const uint8_t *p = iov[i].iov_base;
        size_t len = iov[i].iov_len;

        if (len && (p[0] || memcmp(p, p + 1, len - 1))) {
            return false;
        }
    }
    return true;
}

int coroutine_fn block_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                 size_t niov)
{
    int r = check_range(n, offset, iov_size(iov, niov));

    return r < 0 ? r : n->drv->co_preadv(n, offset, iov, niov);
}

static int coroutine_fn do_write(BlockNode *n, const BlockRequest *rq)
{
    return n->drv->co_pwritev(n, rq->offset, rq->iov, rq->niov);
}

static int coroutine_fn do_discard(BlockNode *n, const BlockRequest *rq)
{
    return n->drv->co_discard(n, rq->offset, rq->len);
}

static int coroutine_fn do_write_zeros(BlockNode *n, const BlockRequest *rq)
{
    static const uint8_t zeros[64 * 1024];
    uint64_t offset = rq->offset, len = rq->len;
    int r = 0;

    while (r == 0 && len > 0) {
        struct iovec v = { (void *)zeros, MIN(len, sizeof(zeros)) };

        r = n->drv->co_pwritev(n, offset, &v, 1);
        offset += v.iov_len;
        len -= v.iov_len;
    }
    return r;
}

static int coroutine_fn do_zero(BlockNode *n, const BlockRequest *rq)
{
    int r = n->drv->co_zero ? n->drv->co_zero(n, rq->offset, rq->len,
                                              n->discard ? rq->flags : rq->flags & ~BLOCK_ZERO_UNMAP)
                            : -ENOTSUP;

    return r == -ENOTSUP ? do_write_zeros(n, rq) : r;
}

/* Once: the image's owner gives it more space and sets the next threshold. */
static void check_threshold(BlockNode *n, uint64_t end)
{
    uint64_t threshold = atomic_load(&n->write_threshold);

    if (threshold && end > threshold &&
        atomic_compare_exchange_strong(&n->write_threshold, &threshold, 0)) {
        qapi_event_send_block_write_threshold(n->name, end - threshold, threshold);
    }
}

/* What wants to know of changes is told. */
static int coroutine_fn change(BlockNode *n, const BlockRequest *rq,
                               int coroutine_fn (*how)(BlockNode *n, const BlockRequest *rq))
{
    int r = n->read_only ? -EROFS : n->inactive ? -EPERM : check_range(n, rq->offset, rq->len);

    if (r == 0) {
        if (rq->what != BLOCK_DISCARDS) {
            check_threshold(n, rq->offset + rq->len);
        }
        r = n->track ? block_tracked(n, rq, how) : how(n, rq);
    }
    if (r == 0 && rq->what != BLOCK_DISCARDS) {
        uint64_t now = atomic_load(&n->wr_highest), end = rq->offset + rq->len;

        while (now < end && !atomic_compare_exchange_weak(&n->wr_highest, &now, end)) {
        }
    }
    return r;
}

int coroutine_fn block_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                  size_t niov)
{
    BlockRequest rq = { BLOCK_WRITES, offset, iov_size(iov, niov), iov, niov, 0 };

    if (n->detect_zeroes && all_zero(iov, niov)) {
        return block_co_zero(n, offset, rq.len,
                             n->detect_zeroes == DETECT_ZEROES_UNMAP ? BLOCK_ZERO_UNMAP : 0);
    }
    return change(n, &rq, do_write);
}

int coroutine_fn block_co_flush(BlockNode *n)
{
    return n->drv->co_flush && !n->no_flush ? n->drv->co_flush(n) : 0;
}

int coroutine_fn block_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    BlockRequest rq = { BLOCK_DISCARDS, offset, len, NULL, 0, 0 };

    if (!n->drv->co_discard || !n->discard) {
        return n->read_only ? -EROFS : n->inactive ? -EPERM : check_range(n, offset, len);
    }
    return change(n, &rq, do_discard);
}

int coroutine_fn block_co_write_zeros(BlockNode *n, uint64_t offset, uint64_t len)
{
    BlockRequest rq = { BLOCK_ZEROES, offset, len, NULL, 0, 0 };

    return change(n, &rq, do_write_zeros);
}

int coroutine_fn block_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    BlockRequest rq = { BLOCK_ZEROES, offset, len, NULL, 0, flags };

    return change(n, &rq, do_zero);
}

int coroutine_fn block_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    while (n->drv->is_filter && n->file) {
        n = n->file;
    }
    if (n->drv->co_status) {
        return n->drv->co_status(n, offset, len, st);
    }
    *st = (BlockStatus){ .len = len, .allocated = true, .data = true, .has_offset = true,
                         .offset = offset };
    return 0;
}

BlockNode *block_skip_filters(BlockNode *n)
{
    while (n && n->drv->is_filter && n->file) {
        n = n->file;
    }
    return n;
}

BlockNode *block_below(BlockNode *n)
{
    n = block_skip_filters(n);
    return n ? n->backing : NULL;
}

int coroutine_fn block_co_status_above(BlockNode *n, const BlockNode *end, uint64_t offset, uint64_t len,
                                       BlockStatus *st, BlockNode **where, unsigned *depth)
{
    *depth = 0;
    *where = n;
    for (;;) {
        BlockNode *below = block_below(*where);
        int64_t length;
        int r = block_co_status(*where, offset, len, st);

        if (r < 0) {
            return r;
        }
        len = st->len;
        if (st->allocated || !below || below == end) {
            break;
        }
        length = block_length(below);
        if (length < 0) {
            return length;
        }
        if (offset >= (uint64_t)length) {
            st->zero = true;            /* the image below ends before this */
            break;
        }
        len = MIN(len, length - offset);
        *where = below;
        ++*depth;
    }
    return 0;
}

int coroutine_fn block_co_chain_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st,
                                       BlockNode **where, unsigned *depth)
{
    return block_co_status_above(n, NULL, offset, len, st, where, depth);
}

/* --- from outside of coroutines --- */

typedef struct Run {
    void (*fn)(void *opaque);
    void *opaque;
    bool done;
} Run;

static void coroutine_fn run_entry(void *opaque)
{
    Run *r = opaque;

    r->fn(r->opaque);
    __atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
    event_loop_kick(main_event_loop());
}

void block_run(void (*fn)(void *opaque), void *opaque)
{
    Run r = { fn, opaque, false };

    if (in_coroutine()) {
        fn(opaque);
        return;
    }
    co_start(run_entry, &r);
    while (!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE)) {
        if (in_main_thread()) {
            main_loop_iterate(true);
        } else {
            /* The main loop finishes it. */
            big_unlock();
            g_usleep(100);
            big_lock();
        }
    }
}

/* --- resizing --- */

typedef struct Truncate {
    BlockNode *n;
    uint64_t length;
    Error **errp;
    int result;
} Truncate;

static void coroutine_fn truncate_entry(void *opaque)
{
    Truncate *t = opaque;

    t->result = t->n->drv->co_truncate(t->n, t->length, t->errp);
}

bool block_node_uses(const BlockNode *top, const BlockNode *n)
{
    for (; top; top = top->file) {
        if (top == n || (top->backing && block_node_uses(top->backing, n))) {
            return true;
        }
    }
    return false;
}

bool block_truncate(BlockNode *n, uint64_t length, Error **errp)
{
    Truncate t = { n, length, errp, 0 };

    if (!n->drv->co_truncate) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s': driver '%s' can't resize images", n->name,
                   n->drv->name);
        return false;
    }
    if (n->read_only) {
        error_setf(errp, ERR_PERMISSION, "node '%s' is read-only", n->name);
        return false;
    }
    if (!block_node_free(n, errp)) {
        return false;
    }
    block_drain_begin(n);
    block_run(truncate_entry, &t);
    if (t.result == 0) {
        block_track_resize(n, length);
    }
    block_drain_end(n);
    if (t.result < 0) {
        return false;
    }
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (block_node_uses(b->node, n) && b->ops && b->ops->resized) {
            b->ops->resized(b->opaque);
        }
    }
    return true;
}

void block_drain_begin(BlockNode *n)
{
    jobs_hold();
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (block_node_uses(b->node, n)) {
            blk_drain_begin(b);
        }
    }
}

void block_drain_end(BlockNode *n)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (block_node_uses(b->node, n)) {
            blk_drain_end(b);
        }
    }
    jobs_let_go();
}
