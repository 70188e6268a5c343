/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's "commit": what the image on top holds goes into the one below, and the one on top is
 * empty then. Nothing else changes; the guest's requests wait for it.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"

typedef struct CommitDown {
    BlockNode *root, *top, *base;
    GPtrArray *held;                /* back ends whose requests wait */
    bool base_was_read_only;
    bool *over;                     /* the caller's, as the next */
    char **failure;
} CommitDown;

static int coroutine_fn copy_down(Job *j, CommitDown *s, uint64_t end)
{
    int r = 0;

    for (uint64_t at = 0, len; at < end && r == 0; at += len) {
        BlockStatus st;
        bool reading;

        if (!job_pause_point(j)) {
            return -ECANCELED;
        }
        r = block_co_status(s->top, at, MIN(end - at, (uint64_t)BLOCK_COPY_MAX), &st);
        len = r == 0 ? st.len : 0;
        if (r == 0 && st.allocated) {
            r = block_copy_range(s->top, s->base, at, len, true, &reading);
        }
        job_advance(j, len);
    }
    return r;
}

static bool coroutine_fn commit_down_run(Job *j, void *opaque, Error **errp)
{
    CommitDown *s = opaque;
    uint64_t end = (uint64_t)MAX(block_length(s->top), INT64_C(0));
    int r;

    job_progress(j, 0, end);
    r = copy_down(j, s, end);
    r = r < 0 ? r : block_co_flush(s->base);
    if (r == 0 && s->top->drv->co_make_empty) {
        r = s->top->drv->co_make_empty(s->top);
    }
    if (r < 0) {
        *s->failure = g_strdup(strerror(-r));
        error_setf(errp, ERR_HOST, "%s", *s->failure);
    }
    return r == 0;
}

/* Jobs go on, unlike with block_hold: this one is one. */
static void hold_requests(CommitDown *s)
{
    s->held = g_ptr_array_new();
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (block_node_uses(b->node, s->root)) {
            blk_drain_begin(b);
            g_ptr_array_add(s->held, b);
        }
    }
}

static void let_go(CommitDown *s)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (g_ptr_array_find(s->held, b, NULL)) {       /* some may be gone, with their devices */
            blk_drain_end(b);
        }
    }
    g_ptr_array_free(s->held, TRUE);
}

static void commit_down_clean(void *opaque)
{
    CommitDown *s = opaque;

    if (s->base_was_read_only) {
        block_node_set_read_only(s->base, true, NULL);
    }
    let_go(s);
    *s->over = true;
    g_free(s);
}

static const JobOps commit_down_ops = {
    .type = JOB_TYPE_COMMIT, .block_job = true, .run = commit_down_run, .clean = commit_down_clean,
};

static bool can_grow(BlockNode *base, const BlockNode *top, Error **errp)
{
    int64_t length = block_length((BlockNode *)top);

    return block_length(base) >= length || block_truncate(base, (uint64_t)length, errp);
}

bool block_commit_down(BlockBackend *b, Error **errp)
{
    BlockNode *top = block_skip_filters(b->node), *base = top ? block_skip_filters(top->backing) : NULL;
    BlockJobSpec spec = { .id = b->anonymous ? "commit" : NULL, .device = b->id };
    bool over = false, was_read_only;
    char *failure = NULL;
    CommitDown *s;
    Job *j;

    if (!base) {
        error_setf(errp, ERR_NOT_SUPPORTED, "device '%s' has no image below: nothing can be committed", b->id);
        return false;
    }
    if (top->read_only) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the image of '%s' is read-only", b->id);
        return false;
    }
    if (!block_node_free(b->node, errp) || !block_node_free(top, errp) || !block_node_free(base, errp)) {
        return false;
    }
    was_read_only = base->read_only;
    s = g_new0(CommitDown, 1);
    j = block_job_new(&spec, &commit_down_ops, s, errp);
    if (!j) {
        g_free(s);
        return false;
    }
    if (!block_node_set_read_only(base, false, errp) || !can_grow(base, top, errp)) {
        if (was_read_only) {
            block_node_set_read_only(base, true, NULL);
        }
        job_discard(j);
        g_free(s);
        return false;
    }
    *s = (CommitDown){ .root = b->node, .top = top, .base = base, .base_was_read_only = was_read_only,
                       .over = &over, .failure = &failure };
    job_take_node(j, top);
    job_take_node(j, base);
    if (s->root != top) {
        job_keep_node(j, s->root);
    }
    hold_requests(s);
    job_go(j);
    main_loop_run_until(&over);
    if (failure) {
        error_setf(errp, ERR_HOST, "commit of '%s' has failed: %s", b->id, failure);
        g_free(failure);
        return false;
    }
    return true;
}
