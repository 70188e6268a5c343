/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job "commit", of images that aren't written: what they hold goes into one below. The image on top is
 * committed by mirror.c. */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"

typedef struct Commit {
    BlockNode *root, *overlay, *top, *base;
    char *backing_file;
    BlockdevOnError on_error;
    uint64_t len;
    int error;
    bool base_was_read_only, overlay_was_read_only;
} Commit;

static void coroutine_fn commit_piece(Job *j, void *opaque, uint64_t offset, uint64_t len)
{
    Commit *s = opaque;
    bool reading;
    int r = block_copy_range(s->top, s->base, offset, len, true, &reading);

    if (r < 0) {
        BlockErrorAction a = job_failure(j, s->on_error, reading, -r);

        if (a != BLOCK_ERROR_REPORT) {
            s->error = s->error ? s->error : -EAGAIN;
            return;
        }
        s->error = s->error && s->error != -EAGAIN ? s->error : r;
    }
    job_advance(j, len);
}

static bool commit_wanted(UNUSED const void *opaque, const BlockStatus *st, UNUSED const BlockNode *where)
{
    return st->allocated || st->zero;
}

/* What has failed but may be tried again doesn't keep the rest from being done. */
static bool commit_goes_on(const void *opaque)
{
    const Commit *s = opaque;

    return s->error == 0 || s->error == -EAGAIN;
}

static bool coroutine_fn commit_run(Job *j, void *opaque, Error **errp)
{
    Commit *s = opaque;
    const BlockPass pass = { s->top, s->base, s->len, commit_wanted, commit_piece, commit_goes_on };

    do {
        s->error = 0;
        if (!block_pass(j, &pass, s, &s->error)) {
            return false;
        }
        if (s->error == -EAGAIN && s->on_error == BLOCKDEV_ON_ERROR_IGNORE) {
            job_wait_ns(j, 100 * NS_PER_MS);
        }
    } while (s->error == -EAGAIN);
    if (s->error == 0) {
        s->error = block_co_flush(s->base);
    }
    if (s->error) {
        error_setf(errp, ERR_HOST, "%s", strerror(-s->error));
    }
    return s->error == 0;
}

static bool commit_prepare(UNUSED Job *j, void *opaque, Error **errp)
{
    Commit *s = opaque;
    const char *file = s->backing_file ? s->backing_file : s->base->filename;
    BlockHold h;
    bool ok;

    block_hold(s->overlay, &h);
    s->overlay_was_read_only = s->overlay->read_only;
    ok = block_node_set_read_only(s->overlay, false, errp) &&
         block_change_backing(s->overlay, s->base, file, errp);
    if (s->overlay_was_read_only) {
        block_node_set_read_only(s->overlay, true, NULL);
    }
    block_release(&h);
    return ok;
}

static void commit_clean(void *opaque)
{
    Commit *s = opaque;
    BlockHold h;

    block_hold(s->root, &h);
    if (s->base_was_read_only) {
        block_node_set_read_only(s->base, true, NULL);
    }
    block_release(&h);
    g_free(s->backing_file);
    g_free(s);
}

static const JobOps commit_ops = {
    .type = JOB_TYPE_COMMIT, .block_job = true, .run = commit_run, .prepare = commit_prepare,
    .clean = commit_clean,
};

Job *block_commit_start(const BlockJobSpec *spec, BlockNode *root, BlockNode *top, BlockNode *base,
                        const char *backing_file, Error **errp)
{
    BlockNode *overlay = block_overlay_of(root, top);
    BlockHold h;
    Commit *s;
    Job *j;
    bool ok;

    if (!overlay) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Could not find overlay image for %s", top->name);
        return NULL;
    }
    for (BlockNode *n = overlay;; n = block_below(n)) {
        if (!block_node_free(n, errp)) {
            return NULL;
        }
        if (n == base) {
            break;
        }
    }
    s = g_new0(Commit, 1);
    j = block_job_new(spec, &commit_ops, s, errp);
    if (!j) {
        g_free(s);
        return NULL;
    }
    s->base_was_read_only = base->read_only;
    s->len = MAX(block_length(top), INT64_C(0));
    block_hold(root, &h);
    ok = block_node_set_read_only(base, false, errp) &&
         (block_length(base) >= block_length(top) || block_truncate(base, block_length(top), errp));
    if (!ok && s->base_was_read_only) {
        block_node_set_read_only(base, true, NULL);
    }
    if (ok) {
        s->root = root;
        s->overlay = overlay;
        s->top = top;
        s->base = base;
        job_keep_node(j, root);
        s->backing_file = g_strdup(backing_file);
        s->on_error = spec->on_source_error;
        for (BlockNode *n = overlay; n != base; n = block_below(n)) {
            job_take_node(j, n);
        }
        job_take_node(j, base);
    }
    block_release(&h);
    if (!ok) {
        job_discard(j);
        g_free(s);
        return NULL;
    }
    if (!spec->wait) {
        job_go(j);
    }
    return j;
}
