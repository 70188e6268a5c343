/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Back ends: what devices hold, with media that come and go, statistics, requests with callbacks. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "qom/object.h"
#include "util/coroutine.h"
#include "util/iov.h"
#include "util/main-loop.h"
#include "util/timer.h"

static BlockBackend *backends;          /* registry */

BlockBackend *blk_first(void)
{
    return backends;
}

static BlockBackend *find(const char *id)
{
    for (BlockBackend *b = backends; b; b = b->next) {
        if (strcmp(b->id, id) == 0) {
            return b;
        }
    }
    return NULL;
}

BlockBackend *blk_find(const char *id)
{
    BlockBackend *b = find(id);
    BlockNode *n = b ? NULL : block_node_find(id);

    if (n) {
        b = blk_new(id, NULL);
        blk_insert(b, n, NULL);
    }
    return b;
}

BlockBackend *blk_new(const char *id, Error **errp)
{
    BlockBackend *b;

    if (find(id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is a drive '%s' already", id);
        return NULL;
    }
    b = g_new0(BlockBackend, 1);
    b->id = g_strdup(id);
    b->on_write_error = BLOCK_ERROR_ENOSPC;
    b->next = backends;
    backends = b;
    return b;
}

void blk_delete(BlockBackend *b)
{
    for (BlockBackend **pp = &backends; *pp; pp = &(*pp)->next) {
        if (*pp == b) {
            *pp = b->next;
            break;
        }
    }
    blk_drain(b);
    block_node_unref(b->node);
    g_free(b->id);
    g_free(b);
}

bool blk_insert(BlockBackend *b, BlockNode *n, Error **errp)
{
    if (b->node) {
        error_setf(errp, ERR_IN_USE, "drive '%s' has a medium", b->id);
        return false;
    }
    b->node = block_node_ref(n);
    if (b->ops && b->ops->media_changed) {
        b->ops->media_changed(b->opaque, true);
    }
    return true;
}

void blk_eject(BlockBackend *b)
{
    BlockNode *n = b->node;

    if (n) {
        blk_drain(b);
        b->node = NULL;
        block_node_unref(n);
        if (b->ops && b->ops->media_changed) {
            b->ops->media_changed(b->opaque, false);
        }
    }
}

void blk_set_device_ops(BlockBackend *b, const BlockDeviceOps *ops, void *opaque)
{
    b->ops = ops;
    b->opaque = opaque;
}

bool blk_has_medium(const BlockBackend *b)
{
    return b->node;
}

uint64_t blk_length(BlockBackend *b)
{
    int64_t n = b->node ? block_length(b->node) : 0;

    return n < 0 ? 0 : n;
}

bool blk_is_read_only(const BlockBackend *b)
{
    return b->read_only || (b->node && b->node->read_only);
}

/* --- requests --- */

int coroutine_fn blk_co_preadv(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                               size_t niov)
{
    int64_t t = clock_get_ns(CLOCK_RT);
    int r = b->node ? block_co_preadv(b->node, offset, iov, niov) : -ENOMEDIUM;

    b->stats.rd_ns += clock_get_ns(CLOCK_RT) - t;
    b->stats.rd_ops++;
    b->stats.rd_bytes += iov_size(iov, niov);
    b->stats.rd_failed += r < 0;
    return r;
}

int coroutine_fn blk_co_pwritev(BlockBackend *b, uint64_t offset, const struct iovec *iov,
                                size_t niov)
{
    int64_t t = clock_get_ns(CLOCK_RT);
    int r = !b->node ? -ENOMEDIUM : b->read_only ? -EROFS
            : block_co_pwritev(b->node, offset, iov, niov);

    b->stats.wr_ns += clock_get_ns(CLOCK_RT) - t;
    b->stats.wr_ops++;
    b->stats.wr_bytes += iov_size(iov, niov);
    b->stats.wr_failed += r < 0;
    return r;
}

int coroutine_fn blk_co_flush(BlockBackend *b)
{
    int64_t t = clock_get_ns(CLOCK_RT);
    int r = b->node ? block_co_flush(b->node) : -ENOMEDIUM;

    b->stats.flush_ns += clock_get_ns(CLOCK_RT) - t;
    b->stats.flush_ops++;
    b->stats.flush_failed += r < 0;
    return r;
}

int coroutine_fn blk_co_discard(BlockBackend *b, uint64_t offset, uint64_t len)
{
    b->stats.discard_ops++;
    return !b->node ? -ENOMEDIUM : b->read_only ? -EROFS
           : block_co_discard(b->node, offset, len);
}

typedef struct AioRequest {
    BlockBackend *blk;
    enum { AIO_READ, AIO_WRITE, AIO_FLUSH, AIO_DISCARD } what;
    uint64_t offset, len;
    const struct iovec *iov;
    size_t niov;
    BlkDone *done;
    void *opaque;
    int result;
    bool returned;              /* blk_aio_... has returned to the device */
} AioRequest;

static void complete(void *opaque)
{
    AioRequest *r = opaque;

    r->blk->in_flight--;
    r->done(r->opaque, r->result);
    g_free(r);
}

static void coroutine_fn aio_entry(void *opaque)
{
    AioRequest *r = opaque;

    switch (r->what) {
    case AIO_READ:
        r->result = blk_co_preadv(r->blk, r->offset, r->iov, r->niov);
        break;
    case AIO_WRITE:
        r->result = blk_co_pwritev(r->blk, r->offset, r->iov, r->niov);
        break;
    case AIO_FLUSH:
        r->result = blk_co_flush(r->blk);
        break;
    default:
        r->result = blk_co_discard(r->blk, r->offset, r->len);
    }
    if (r->returned) {
        complete(r);
    } else {
        bh_once(NULL, complete, r);
    }
}

/* Devices ask from vCPU threads; the coroutine belongs to the main loop. */
static void aio_start(void *opaque)
{
    AioRequest *r = opaque;

    r->returned = true;
    co_start(aio_entry, r);
}

static void submit(const AioRequest *r)
{
    AioRequest *copy = g_memdup2(r, sizeof(*r));

    copy->blk->in_flight++;
    bh_once(NULL, aio_start, copy);
}

void blk_aio_rw(BlockBackend *b, bool write, uint64_t offset, const struct iovec *iov,
                size_t niov, BlkDone *done, void *opaque)
{
    submit(&(AioRequest){ .blk = b, .what = write ? AIO_WRITE : AIO_READ, .offset = offset,
                          .iov = iov, .niov = niov, .done = done, .opaque = opaque });
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

void blk_drain(BlockBackend *b)
{
    while (b->in_flight) {
        if (in_main_thread()) {
            main_loop_iterate(true);
        } else {
            /* Only the main loop can finish them. */
            big_unlock();
            g_usleep(100);
            big_lock();
        }
    }
}

void blk_drain_all(void)
{
    for (BlockBackend *b = backends; b; b = b->next) {
        blk_drain(b);
    }
}

/* --- properties of kind "drive" --- */

static void *attach(Object *owner, const char *id, Error **errp)
{
    BlockBackend *b = blk_find(id);

    if (!b) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no drive or block node '%s'", id);
        return NULL;
    }
    if (b->owner) {
        error_setf(errp, ERR_IN_USE, "drive '%s' is used by another device", id);
        return NULL;
    }
    b->owner = owner;
    return b;
}

static void detach(UNUSED Object *owner, void *backend)
{
    BlockBackend *b = backend;

    b->owner = NULL;
    b->ops = NULL;
}

static const char *backend_id(void *backend)
{
    return ((BlockBackend *)backend)->id;
}

static const BackendKind drive_kind = { attach, detach, backend_id };

static void CONSTRUCTOR register_kind(void)
{
    backend_kind_register(PROP_KIND_DRIVE, &drive_kind);
}
