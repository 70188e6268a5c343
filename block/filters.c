/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes that show another one: "throttle" (limits), "copy-on-read" (what is read from below stays). */
#include "util/osdep.h"
#include <glib.h>
#include "block/format.h"
#include "block/throttle.h"
#include "util/coroutine.h"
#include "util/iov.h"

static int64_t filter_length(BlockNode *n)
{
    return block_length(n->file);
}

static int coroutine_fn filter_co_flush(BlockNode *n)
{
    return block_co_flush(n->file);
}

static int coroutine_fn filter_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    return block_co_status(n->file, offset, len, st);
}

static void filter_opened(BlockNode *n)
{
    n->read_only |= n->file->read_only;
    n->discard = true;                  /* the node below decides */
    n->filename = g_strdup(n->file->filename);
}

/* --- throttle --- */

typedef struct ThrottleNode {
    ThrottleGroup *group;
    unsigned hurry;
} ThrottleNode;

static bool throttle_open(BlockNode *n, const QDict *opts, Error **errp)
{
    ThrottleNode *s = n->state;
    const char *name = qdict_get_str(opts, "throttle-group", errp);

    if (!name) {
        return false;
    }
    s->group = throttle_group_find(name);
    if (!s->group) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Throttle group '%s' does not exist", name);
        return false;
    }
    filter_opened(n);
    return true;
}

static void throttle_close(BlockNode *n)
{
    throttle_group_put(((ThrottleNode *)n->state)->group);
}

static void coroutine_fn wait(BlockNode *n, bool write, uint64_t bytes)
{
    ThrottleNode *s = n->state;

    throttle_co_wait(s->group, write, bytes, &s->hurry);
}

static int coroutine_fn throttle_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                           size_t niov)
{
    wait(n, false, iov_size(iov, niov));
    return block_co_preadv(n->file, offset, iov, niov);
}

static int coroutine_fn throttle_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                            size_t niov)
{
    wait(n, true, iov_size(iov, niov));
    return block_co_pwritev(n->file, offset, iov, niov);
}

static int coroutine_fn throttle_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    wait(n, true, len);
    return block_co_discard(n->file, offset, len);
}

static int coroutine_fn throttle_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    wait(n, true, len);
    return block_co_zero(n->file, offset, len, flags);
}

static const char *const throttle_options[] = { "file", "throttle-group", NULL };

static BlockDriver driver_throttle = {
    .name = "throttle", .options = throttle_options, .state_size = sizeof(ThrottleNode),
    .is_filter = true, .open = throttle_open, .close = throttle_close, .length = filter_length,
    .co_preadv = throttle_co_preadv, .co_pwritev = throttle_co_pwritev, .co_flush = filter_co_flush,
    .co_discard = throttle_co_discard, .co_zero = throttle_co_zero,
    .co_truncate = format_truncate_file, .co_status = filter_co_status,
};

/* --- copy-on-read --- */

typedef struct CorNode {
    CoMutex lock;                       /* a copy must not undo a write */
} CorNode;

static bool cor_open(BlockNode *n, UNUSED const QDict *opts, UNUSED Error **errp)
{
    filter_opened(n);
    co_mutex_init(&((CorNode *)n->state)->lock);
    return true;
}

static void cor_close(BlockNode *n)
{
    co_mutex_destroy(&((CorNode *)n->state)->lock);
}

/* Reads a piece and keeps it in the image on top. */
static int coroutine_fn read_and_keep(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                      size_t niov)
{
    CorNode *s = n->state;
    size_t len = iov_size(iov, niov), done = 0;
    struct iovec *slice = g_new(struct iovec, niov);
    int r;

    co_mutex_lock(&s->lock);
    r = block_co_preadv(n->file, offset, iov, niov);
    while (r == 0 && done < len) {
        BlockStatus st;

        r = block_co_status(n->file, offset + done, len - done, &st);
        if (r == 0 && !st.allocated) {
            size_t count = iov_slice(slice, niov, iov, niov, done, st.len);

            r = block_co_pwritev(n->file, offset + done, slice, count);
        }
        done += r == 0 ? st.len : 0;
    }
    co_mutex_unlock(&s->lock);
    g_free(slice);
    return r;
}

static int coroutine_fn cor_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                      size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;

    while (done < len && !n->read_only) {
        BlockStatus st;
        int r = block_co_status(n->file, offset + done, len - done, &st);

        if (r < 0) {
            return r;
        }
        if (!st.allocated) {
            return read_and_keep(n, offset, iov, niov);
        }
        done += st.len;
    }
    return block_co_preadv(n->file, offset, iov, niov);
}

static int coroutine_fn cor_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                       size_t niov)
{
    CorNode *s = n->state;
    int r;

    co_mutex_lock(&s->lock);
    r = block_co_pwritev(n->file, offset, iov, niov);
    co_mutex_unlock(&s->lock);
    return r;
}

static int coroutine_fn cor_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    CorNode *s = n->state;
    int r;

    co_mutex_lock(&s->lock);
    r = block_co_discard(n->file, offset, len);
    co_mutex_unlock(&s->lock);
    return r;
}

static int coroutine_fn cor_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    CorNode *s = n->state;
    int r;

    co_mutex_lock(&s->lock);
    r = block_co_zero(n->file, offset, len, flags);
    co_mutex_unlock(&s->lock);
    return r;
}

static const char *const cor_options[] = { "file", "bottom", NULL };

static BlockDriver driver_cor = {
    .name = "copy-on-read", .options = cor_options, .state_size = sizeof(CorNode), .is_filter = true,
    .open = cor_open, .close = cor_close, .length = filter_length, .co_preadv = cor_co_preadv,
    .co_pwritev = cor_co_pwritev, .co_flush = filter_co_flush, .co_discard = cor_co_discard,
    .co_zero = cor_co_zero, .co_truncate = format_truncate_file, .co_status = filter_co_status,
};

static void CONSTRUCTOR register_drivers(void)
{
    block_driver_register(&driver_throttle);
    block_driver_register(&driver_cor);
}
