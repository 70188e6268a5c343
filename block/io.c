/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of nodes: checked against the node, given to its driver; lengths, limits, coroutines from outside. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
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

int coroutine_fn block_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                  size_t niov)
{
    int r = n->read_only ? -EROFS : n->inactive ? -EPERM : check_range(n, offset, iov_size(iov, niov));

    if (r == 0 && n->detect_zeroes && all_zero(iov, niov)) {
        return block_co_zero(n, offset, iov_size(iov, niov),
                             n->detect_zeroes == DETECT_ZEROES_UNMAP ? BLOCK_ZERO_UNMAP : 0);
    }
    return r < 0 ? r : n->drv->co_pwritev(n, offset, iov, niov);
}

int coroutine_fn block_co_flush(BlockNode *n)
{
    return n->drv->co_flush && !n->no_flush ? n->drv->co_flush(n) : 0;
}

int coroutine_fn block_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    int r = n->read_only ? -EROFS : n->inactive ? -EPERM : check_range(n, offset, len);

    return r < 0 ? r : n->drv->co_discard && n->discard ? n->drv->co_discard(n, offset, len) : 0;
}

int coroutine_fn block_co_write_zeros(BlockNode *n, uint64_t offset, uint64_t len)
{
    static const uint8_t zeros[64 * 1024];
    int r = n->read_only ? -EROFS : n->inactive ? -EPERM : check_range(n, offset, len);

    while (r == 0 && len > 0) {
        struct iovec v = { (void *)zeros, MIN(len, sizeof(zeros)) };

        r = n->drv->co_pwritev(n, offset, &v, 1);
        offset += v.iov_len;
        len -= v.iov_len;
    }
    return r;
}

int coroutine_fn block_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    int r = n->read_only ? -EROFS : n->inactive ? -EPERM : check_range(n, offset, len);

    if (r == 0 && len == 0) {
        return 0;
    }
    if (r == 0 && n->drv->co_zero) {
        r = n->drv->co_zero(n, offset, len, n->discard ? flags : flags & ~BLOCK_ZERO_UNMAP);
        if (r != -ENOTSUP) {
            return r;
        }
        r = 0;
    }
    return r < 0 ? r : block_co_write_zeros(n, offset, len);
}

int coroutine_fn block_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    if (n->drv->co_status) {
        return n->drv->co_status(n, offset, len, st);
    }
    *st = (BlockStatus){ .len = len, .allocated = true, .data = true, .has_offset = true,
                         .offset = offset };
    return 0;
}

int coroutine_fn block_co_chain_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st,
                                       BlockNode **where, unsigned *depth)
{
    *depth = 0;
    *where = n;
    for (;;) {
        int64_t length;
        int r = block_co_status(*where, offset, len, st);

        if (r < 0) {
            return r;
        }
        len = st->len;
        if (st->allocated || !(*where)->backing) {
            break;
        }
        length = block_length((*where)->backing);
        if (length < 0) {
            return length;
        }
        if (offset >= (uint64_t)length) {
            st->zero = true;            /* the image below ends before this */
            break;
        }
        len = MIN(len, length - offset);
        *where = (*where)->backing;
        ++*depth;
    }
    return 0;
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
    block_drain_begin(n);
    block_run(truncate_entry, &t);
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
}
