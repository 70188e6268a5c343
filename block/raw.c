/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Driver "raw": the bytes of another node as they are, or a window of them. */
#include "util/osdep.h"
#include <glib.h>
#include "block/format.h"
#include "util/iov.h"

typedef struct RawState {
    uint64_t offset, size;          /* size 0: to the end */
    bool window;
} RawState;

static bool raw_open(BlockNode *n, const QDict *opts, Error **errp)
{
    RawState *s = n->state;
    int64_t len = block_length(n->file);

    if (!block_size_option(opts, "offset", &s->offset, errp) ||
        !block_size_option(opts, "size", &s->size, errp)) {
        return false;
    }
    if (len >= 0 && (s->offset > (uint64_t)len || s->size > (uint64_t)len - s->offset)) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "offset %" PRIu64 " and size %" PRIu64 " aren't within the %" PRId64
                   " bytes of '%s'", s->offset, s->size, len, n->file->name);
        return false;
    }
    n->read_only |= n->file->read_only;
    s->window = s->offset || s->size;
    n->filename = g_strdup(n->file->filename);
    return true;
}

static int64_t raw_length(BlockNode *n)
{
    RawState *s = n->state;
    int64_t len = block_length(n->file);

    return s->size ? (int64_t)s->size : len < 0 ? len : len - (int64_t)s->offset;
}

static int coroutine_fn raw_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                      size_t niov)
{
    return block_co_preadv(n->file, offset + ((RawState *)n->state)->offset, iov, niov);
}

/* An image whose format was guessed: a guest must not make another format of it, which the next
 * start would then open, with files of the host that it names. */
static bool would_be_probed(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    uint8_t head[512] = { 0 };

    if (!n->probed || offset >= sizeof(head)) {
        return false;
    }
    iov_to_buf(iov, niov, 0, head + offset, sizeof(head) - offset);
    for (const BlockDriver *d = block_driver_first(); d; d = d->next) {
        if (d->probe && d->probe(head, sizeof(head)) > 0) {
            return true;
        }
    }
    return false;
}

static int coroutine_fn raw_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                       size_t niov)
{
    if (would_be_probed(n, offset, iov, niov)) {
        return -EPERM;
    }
    return block_co_pwritev(n->file, offset + ((RawState *)n->state)->offset, iov, niov);
}

static int coroutine_fn raw_co_flush(BlockNode *n)
{
    return block_co_flush(n->file);
}

static int coroutine_fn raw_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    return block_co_discard(n->file, offset + ((RawState *)n->state)->offset, len);
}

static int coroutine_fn raw_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    return block_co_zero(n->file, offset + ((RawState *)n->state)->offset, len, flags);
}

static int coroutine_fn raw_co_truncate(BlockNode *n, uint64_t length, Error **errp)
{
    RawState *s = n->state;

    if (s->window) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s' is a window of its file and can't be resized",
                   n->name);
        return -ENOTSUP;
    }
    return format_truncate_file(n, length, errp);
}

static int coroutine_fn raw_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    RawState *s = n->state;
    int r = block_co_status(n->file, offset + s->offset, len, st);

    st->allocated = true;
    st->has_offset = true;
    st->offset = offset + s->offset;
    return r;
}

static bool coroutine_fn raw_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    uint64_t size = qdict_int_or(opts, "size", 0);

    if (!file->drv->co_truncate) {
        if ((uint64_t)block_length(file) >= size) {
            return true;
        }
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' has %" PRId64 " bytes, less than %" PRIu64,
                   file->filename, block_length(file), size);
        return false;
    }
    return file->drv->co_truncate(file, size, errp) == 0;
}

static int raw_probe(UNUSED const uint8_t *head, UNUSED size_t len)
{
    return 0;                           /* what nothing else is */
}

static const char *const raw_create_options[] = { "size", "preallocation", NULL };
static const char *const raw_options[] = { "file", "offset", "size", NULL };

static BlockDriver driver_raw = {
    .name = "raw", .options = raw_options, .state_size = sizeof(RawState), .open = raw_open,
    .length = raw_length, .co_preadv = raw_co_preadv, .co_pwritev = raw_co_pwritev,
    .co_flush = raw_co_flush, .co_discard = raw_co_discard, .co_zero = raw_co_zero,
    .co_truncate = raw_co_truncate, .co_status = raw_co_status, .probe = raw_probe,
    .co_create = raw_co_create, .create_options = raw_create_options,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_raw);
}
