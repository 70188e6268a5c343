/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The jobs "mirror" and "commit" of the image on top: a copy that follows the
 * guest's writes. A bitmap of the source says what the copy misses; what is
 * copied is locked (Mirror.ranges), so that an older copy never overtakes a newer one.
 * When all is copied the job is ready; in the end the last bit goes over while the guest's
 * requests wait, and the copy takes the source's place.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"
#include "util/iov.h"

#define REST_BYTES  (4 * MIB)       /* what may be left for when the guest waits */

typedef struct Mirror {
    Job *j;
    BlockNode *from, *to, *replaces, *end, *backing;
    MirrorSyncMode sync;
    BlockdevOnError on_source_error, on_target_error;
    BlockBitmap *dirty;
    BlockRanges ranges;
    BlockWatcher watcher;           /* blocking */
    bool blocking, watching, unmap, commit, to_was_read_only, took_place;
    bool again;                     /* something failed and is tried again, but not at once */
    int error;
    uint64_t copied, in_flight;
} Mirror;

static void tell_progress(Mirror *s)
{
    job_progress(s->j, s->copied, s->copied + s->in_flight + block_bitmap_count(s->dirty));
}

static int failed(Mirror *s, bool reading, int r)
{
    BlockErrorAction a = job_failure(s->j, reading ? s->on_source_error : s->on_target_error, reading, -r);

    if (a == BLOCK_ERROR_REPORT && s->error == 0) {
        s->error = r;
    }
    s->again = true;
    return r;
}

static void mark_dirty(Mirror *s, uint64_t offset, uint64_t len)
{
    MUTEX_GUARD(&s->dirty->track->lock);
    block_bitmap_mark(s->dirty, offset, len);
}

/* What is marked of the range. */
static int coroutine_fn copy_marked(Mirror *s, uint64_t offset, uint64_t len, bool *reading)
{
    uint64_t end = offset + len, n;
    int r = 0;

    while (r == 0 && block_bitmap_next(s->dirty, &offset, end - offset, &n) && offset < end) {
        n = MIN(n, end - offset);
        block_bitmap_clear(s->dirty, offset, n);
        r = block_copy_range(s->from, s->to, offset, n, s->unmap, reading);
        if (r < 0) {
            mark_dirty(s, offset, n);
        }
        offset += n;
    }
    return r;
}

static void coroutine_fn mirror_piece(Job *j, void *opaque, uint64_t offset, uint64_t len)
{
    Mirror *s = opaque;
    bool reading = true;
    BlockRange held;
    int r;

    (void)j;
    s->in_flight += len;
    block_range_take(&s->ranges, &held, offset, len, true);
    r = copy_marked(s, offset, len, &reading);
    block_range_drop(&s->ranges, &held);
    s->in_flight -= len;
    if (r < 0) {
        failed(s, reading, r);
    } else {
        s->copied += len;
    }
}

/* --- guest's writes that wait for the copy; any loop --- */

typedef struct LateFailure {
    Mirror *s;
    int error;
} LateFailure;

static void tell_failure(void *opaque)
{
    LateFailure *f = opaque;

    failed(f->s, false, f->error);
    job_wake(f->s->j);
    g_free(f);
}

static int coroutine_fn after_change(void *opaque, BlockChange what, uint64_t offset, uint64_t len,
                                     const struct iovec *iov, size_t niov, unsigned flags)
{
    Mirror *s = opaque;
    uint64_t grain = BIT64(s->dirty->shift), first = ALIGN_DOWN(offset, grain);
    BlockRange held;
    int r;

    block_range_take(&s->ranges, &held, first, ALIGN_UP(offset + len, grain) - first, true);
    r = what == BLOCK_WRITES ? block_co_pwritev(s->to, offset, iov, niov)
        : what == BLOCK_ZEROES ? block_co_zero(s->to, offset, len, flags)
        : block_co_discard(s->to, offset, len);
    if (r < 0) {
        LateFailure *f = g_new(LateFailure, 1);

        /* The guest's own write is done: it is the copy that suffers. */
        mark_dirty(s, offset, len);
        *f = (LateFailure){ s, r };
        bh_once(NULL, tell_failure, f);
    }
    block_range_drop(&s->ranges, &held);
    return 0;
}

/* --- the run --- */

static bool coroutine_fn mark_allocated(Mirror *s)
{
    uint64_t len = s->dirty->size;

    for (uint64_t offset = 0; offset < len;) {
        BlockStatus st;
        BlockNode *where;
        unsigned depth;
        int r;

        if (!job_pause_point(s->j)) {
            return false;
        }
        r = block_co_status_above(s->from, s->end, offset, len - offset, &st, &where, &depth);
        if (r < 0) {
            s->error = r;
            return true;
        }
        if (st.allocated || (st.zero && s->end)) {
            mark_dirty(s, offset, st.len);
        }
        offset += st.len;
    }
    return true;
}

/* One way through the bitmap. */
static bool coroutine_fn pass(Mirror *s)
{
    uint64_t len;

    for (uint64_t offset = 0; s->error == 0 && block_bitmap_next(s->dirty, &offset, BLOCK_COPY_MAX, &len);
         offset += len) {
        if (!job_piece(s->j, mirror_piece, s, offset, len)) {
            return false;
        }
        tell_progress(s);
    }
    job_pieces_end(s->j);
    tell_progress(s);
    return true;
}

static bool coroutine_fn mirror_run(Job *j, void *opaque, Error **errp)
{
    Mirror *s = opaque;

    if (s->sync == MIRROR_SYNC_MODE_FULL) {
        mark_dirty(s, 0, s->dirty->size);
    } else if (s->sync == MIRROR_SYNC_MODE_TOP && !mark_allocated(s)) {
        return false;
    }
    while (s->error == 0) {
        uint64_t left;

        if (!job_pause_point(j) || !pass(s)) {
            return job_cancelled_softly(j);
        }
        left = block_bitmap_count(s->dirty);
        if (s->error == 0 && left <= REST_BYTES) {
            int r = left == 0 || !job_ready(j) ? block_co_flush(s->to) : 0;

            if (r < 0) {
                failed(s, false, r);
                continue;
            }
            if (left == 0 || job_ready(j)) {
                job_set_ready(j);
            }
            if (job_completing(j)) {
                return true;
            }
        }
        if (block_bitmap_count(s->dirty) == 0 || job_ready(j) || s->again) {
            s->again = false;
            job_wait_ns(j, 100 * NS_PER_MS);
        }
    }
    error_setf(errp, ERR_HOST, "%s", strerror(-s->error));
    return false;
}

/* --- the end --- */

typedef struct Rest {
    Mirror *s;
    int result;
} Rest;

static void coroutine_fn copy_rest(void *opaque)
{
    Rest *r = opaque;
    bool reading;

    r->result = copy_marked(r->s, 0, r->s->dirty->size, &reading);
    if (r->result == 0) {
        r->result = block_co_flush(r->s->to);
    }
}

static void stop_watching(Mirror *s)
{
    if (s->watching) {
        block_unwatch(s->from, &s->watcher);
        s->from->track->exclusive--;
        s->watching = false;
    }
}

static bool take_place(Mirror *s, Error **errp)
{
    int64_t was = block_length(s->replaces);

    if (s->backing && !s->to->backing && s->to->drv->has_backing &&
        !block_change_backing(s->to, s->backing, s->to->backing_file ? NULL
                              : block_skip_filters(s->backing)->filename, errp)) {
        return false;
    }
    block_node_replace(s->replaces, s->to, s->to);
    s->took_place = true;
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (block_length(s->to) != was && block_node_uses(b->node, s->to) && b->ops && b->ops->resized) {
            b->ops->resized(b->opaque);
        }
    }
    return true;
}

static bool mirror_prepare(Job *j, void *opaque, Error **errp)
{
    Mirror *s = opaque;
    Rest rest = { s, 0 };
    BlockHold h;
    bool ok = true;

    block_hold(s->from, &h);
    block_run(copy_rest, &rest);
    if (rest.result < 0) {
        error_setf(errp, ERR_HOST, "%s", strerror(-rest.result));
        ok = false;
    }
    tell_progress(s);
    stop_watching(s);
    if (ok && job_completing(j)) {
        ok = take_place(s, errp);
    }
    block_release(&h);
    return ok;
}

static void mirror_clean(void *opaque)
{
    Mirror *s = opaque;
    BlockHold h;

    block_hold(s->from, &h);
    stop_watching(s);
    block_bitmap_free(s->dirty);
    if (s->to_was_read_only && !s->took_place) {
        block_node_set_read_only(s->to, true, NULL);
    }
    block_release(&h);
    block_ranges_destroy(&s->ranges);
    g_free(s);
}

static const JobOps mirror_ops = {
    .type = JOB_TYPE_MIRROR, .block_job = true, .run = mirror_run, .prepare = mirror_prepare,
    .clean = mirror_clean, .ends_well_when_cancelled = true,
};

static const JobOps active_commit_ops = {
    .type = JOB_TYPE_COMMIT, .block_job = true, .run = mirror_run, .prepare = mirror_prepare,
    .clean = mirror_clean, .ends_well_when_cancelled = true,
};

static bool check(const BlockMirrorSpec *m, Error **errp)
{
    int64_t from = block_length(m->from), to = block_length(m->to);

    if (m->from == m->to) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Can't mirror node into itself");
    } else if (m->granularity && (m->granularity < 512 || m->granularity > 64 * MIB)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'granularity' expects a value in range [512B, 64MB]");
    } else if (!IS_POWER_OF_2(m->granularity ? m->granularity : 512)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'granularity' expects a power of 2");
    } else if (m->sync == MIRROR_SYNC_MODE_INCREMENTAL || m->sync == MIRROR_SYNC_MODE_BITMAP) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Sync mode '%s' not supported", MirrorSyncMode_name(m->sync));
    } else if (!m->commit && m->to->read_only) {
        error_setf(errp, ERR_PERMISSION, "Block node is read-only");
    } else if (from < 0 || to < 0) {
        error_set_errno(errp, from < 0 ? -from : -to, "could not get length of device");
    } else if (!m->commit && !m->to->grows && to < from) {
        error_setf(errp, ERR_OUT_OF_RANGE, "node '%s' has %lld bytes, the copy's node '%s' only %lld",
                   m->from->name, (long long)from, m->to->name, (long long)to);
    } else {
        return true;
    }
    return false;
}

static bool nodes_are_free(const BlockMirrorSpec *m, Error **errp)
{
    for (BlockNode *n = m->from; n && n != m->end; n = m->commit ? block_below(n) : NULL) {
        if (!block_node_free(n, errp)) {
            return false;
        }
    }
    return block_node_free(m->to, errp) && block_node_free(m->replaces, errp);
}

Job *block_mirror_start(const BlockJobSpec *spec, const BlockMirrorSpec *m, Error **errp)
{
    unsigned shift = m->granularity ? (unsigned)__builtin_ctz(m->granularity)
                     : block_bitmap_default_shift(m->to);
    BlockHold h;
    Mirror *s;
    Job *j;
    bool ok;

    if (!check(m, errp) || !nodes_are_free(m, errp)) {
        return NULL;
    }
    s = g_new0(Mirror, 1);
    j = block_job_new(spec, m->commit ? &active_commit_ops : &mirror_ops, s, errp);
    if (!j) {
        g_free(s);
        return NULL;
    }
    *s = (Mirror){ .j = j, .from = m->from, .to = m->to, .replaces = m->replaces, .end = m->end,
                   .backing = m->backing, .sync = m->sync, .on_source_error = spec->on_source_error,
                   .on_target_error = spec->on_target_error, .blocking = m->blocking, .unmap = m->unmap,
                   .commit = m->commit, .to_was_read_only = m->to->read_only };
    block_hold(m->from, &h);
    ok = (!m->commit || (block_node_set_read_only(m->to, false, errp) &&
                         (block_length(m->to) >= block_length(m->from) ||
                          block_truncate(m->to, block_length(m->from), errp))));
    s->dirty = ok ? block_bitmap_new(m->from, NULL, shift, errp) : NULL;
    if (s->dirty) {
        if (s->backing) {
            job_keep_node(j, s->backing);
        }
        block_ranges_init(&s->ranges);
        if (s->blocking) {
            s->dirty->enabled = false;
            s->watcher = (BlockWatcher){ .after = after_change, .opaque = s };
            block_watch(s->from, &s->watcher);
            s->from->track->exclusive++;
            s->watching = true;
        }
        for (BlockNode *n = m->from; n && n != m->end; n = m->commit ? block_below(n) : NULL) {
            job_take_node(j, n);
        }
        job_take_node(j, m->to);
        if (m->replaces != m->from) {
            job_take_node(j, m->replaces);
        }
    } else if (s->to_was_read_only) {
        block_node_set_read_only(m->to, true, NULL);
    }
    block_release(&h);
    if (!s->dirty) {
        job_discard(j);
        g_free(s);
        return NULL;
    }
    if (!spec->wait) {
        job_go(j);
    }
    return j;
}
