/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job "stream": what an image shows of those below becomes its own. */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"

typedef struct Stream {
    BlockNode *top, *base;
    char *backing_file;
    BlockdevOnError on_error;
    uint64_t len;
    int error;
    bool was_read_only, ordered;
} Stream;

/* What isn't in the image yet; nobody writes to this range meanwhile. */
static int coroutine_fn fill(Stream *s, uint64_t offset, uint64_t len)
{
    while (len > 0) {
        struct iovec v = { NULL, len };
        BlockStatus st;
        int r = block_co_status(s->top, offset, len, &st);

        v.iov_len = st.len;
        if (r == 0 && !st.allocated) {
            BlockStatus below;
            BlockNode *where;
            unsigned depth;

            r = block_co_status_above(s->top, s->base, offset, st.len, &below, &where, &depth);
            if (r == 0 && below.zero && s->top->drv->co_zero) {
                v.iov_len = st.len = below.len;
                r = s->top->drv->co_zero(s->top, offset, below.len, 0);
            } else if (r == 0 && posix_memalign(&v.iov_base, 4096, v.iov_len)) {
                r = -ENOMEM;
            } else if (r == 0) {
                r = block_co_preadv(s->top, offset, &v, 1);
                r = r < 0 ? r : block_co_fill(s->top, offset, &v, 1);
                free(v.iov_base);
            }
        }
        if (r < 0) {
            return r;
        }
        offset += st.len;
        len -= st.len;
    }
    return 0;
}

static void coroutine_fn stream_piece(Job *j, void *opaque, uint64_t offset, uint64_t len)
{
    Stream *s = opaque;
    BlockRange held;
    int r;

    block_range_take(&s->top->track->ranges, &held, offset, len, true);
    r = fill(s, offset, len);
    block_range_drop(&s->top->track->ranges, &held);
    if (r < 0 && job_failure(j, s->on_error, true, -r) == BLOCK_ERROR_STOP) {
        /* A piece can't wait: the job pauses when all have ended, and this range comes again. */
        s->error = s->error ? s->error : -EAGAIN;
        return;
    }
    if (r < 0 && (s->error == 0 || s->error == -EAGAIN)) {
        s->error = r;
    }
    job_advance(j, len);
}

static bool stream_wanted(const void *opaque, const BlockStatus *st, const BlockNode *where)
{
    const Stream *s = opaque;

    return st->allocated ? where != block_skip_filters(s->top) : st->zero && s->base;
}

static bool stream_goes_on(const void *opaque)
{
    const Stream *s = opaque;

    return s->error == 0 || s->on_error == BLOCKDEV_ON_ERROR_IGNORE;
}

static bool coroutine_fn stream_run(Job *j, void *opaque, Error **errp)
{
    Stream *s = opaque;
    const BlockPass pass = { s->top, s->base, s->len, stream_wanted, stream_piece, stream_goes_on };

    do {
        s->error = 0;
        if (!block_pass(j, &pass, s, &s->error)) {
            return false;
        }
    } while (s->error == -EAGAIN);
    if (s->error) {
        error_setf(errp, ERR_HOST, "%s", strerror(-s->error));
    }
    return s->error == 0;
}

static bool stream_prepare(UNUSED Job *j, void *opaque, Error **errp)
{
    Stream *s = opaque;
    BlockNode *base = block_skip_filters(s->base);
    const char *file = s->backing_file ? s->backing_file : base ? base->filename : NULL;
    BlockHold h;
    bool ok;

    if (!s->top->backing) {
        return true;
    }
    block_hold(s->top, &h);
    ok = block_change_backing(s->top, s->base, file, errp);
    block_release(&h);
    return ok;
}

static void stream_clean(void *opaque)
{
    Stream *s = opaque;
    BlockHold h;

    block_hold(s->top, &h);
    if (s->ordered) {
        s->top->track->ordered--;
    }
    if (s->was_read_only) {
        Error *err = NULL;

        if (!block_node_set_read_only(s->top, true, &err)) {
            error_free(err);
        }
    }
    block_release(&h);
    g_free(s->backing_file);
    g_free(s);
}

static const JobOps stream_ops = {
    .type = JOB_TYPE_STREAM, .block_job = true, .run = stream_run, .prepare = stream_prepare,
    .clean = stream_clean,
};

Job *block_stream_start(const BlockJobSpec *spec, BlockNode *top, BlockNode *base, const char *backing_file,
                        Error **errp)
{
    BlockHold h;
    Stream *s;
    Job *j;

    for (BlockNode *n = top; n && n != base; n = block_below(n)) {
        if (!block_node_free(n, errp)) {
            return NULL;
        }
    }
    if (!top->drv->co_change_backing) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Driver '%s' of node '%s' does not support streaming",
                   top->drv->name, top->name);
        return NULL;
    }
    s = g_new0(Stream, 1);
    j = block_job_new(spec, &stream_ops, s, errp);
    if (!j) {
        g_free(s);
        return NULL;
    }
    block_hold(top, &h);
    s->was_read_only = top->read_only;
    if (!block_node_set_read_only(top, false, errp)) {
        block_release(&h);
        job_discard(j);
        g_free(s);
        return NULL;
    }
    s->top = top;
    s->base = base;
    if (base) {
        job_keep_node(j, base);
    }
    s->backing_file = g_strdup(backing_file);
    s->on_error = spec->on_source_error;
    s->len = MAX(block_length(top), INT64_C(0));
    block_track(top)->ordered++;
    s->ordered = true;
    for (BlockNode *n = top; n && n != base; n = block_below(n)) {
        job_take_node(j, n);
    }
    block_release(&h);
    if (!spec->wait) {
        job_go(j);
    }
    return j;
}
