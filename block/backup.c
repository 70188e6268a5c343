/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The job "backup": a copy of a disk as it was when the job began. What the
 * guest is about to overwrite is copied before (in the loop of its request);
 * the job copies the rest. Clusters being copied are locked (Backup.ranges).
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"

typedef struct Backup {
    Job *j;
    BlockNode *from, *to;
    MirrorSyncMode sync;
    BlockdevOnError on_source_error, on_target_error;
    BlockBitmap *bitmap;
    BitmapSyncMode bitmap_mode;
    uint64_t *taken;                /* the bitmap's marks when it began */
    bool compress;
    uint64_t len;
    unsigned shift;                 /* log2 of a cluster */
    Mutex lock;
    uint64_t *todo;                 /* under the lock; a bit a cluster */
    BlockRanges ranges;
    BlockWatcher watcher;
    int error;                      /* main loop */
    bool again;                     /* something failed and is tried again, but not at once */
    int cbw_error;                  /* atomic: before a guest's write */
} Backup;

static uint64_t clusters(const Backup *s)
{
    return (s->len + BIT64(s->shift) - 1) >> s->shift;
}

static bool take(Backup *s, uint64_t cluster)
{
    bool was;

    mutex_lock(&s->lock);
    was = bitmap_test(s->todo, cluster);
    bitmap_clear_bit(s->todo, cluster);
    mutex_unlock(&s->lock);
    return was;
}

static void give_back(Backup *s, uint64_t cluster)
{
    mutex_lock(&s->lock);
    bitmap_set_bit(s->todo, cluster);
    mutex_unlock(&s->lock);
}

static int coroutine_fn copy_compressed(Backup *s, uint64_t offset, uint64_t len, bool *reading)
{
    struct iovec v = { g_malloc(len), len };
    int r;

    *reading = true;
    r = block_co_preadv(s->from, offset, &v, 1);
    if (r == 0) {
        *reading = false;
        r = s->to->drv->co_write_compressed(s->to, offset, v.iov_base, len);
    }
    g_free(v.iov_base);
    return r;
}

/* What is to be done of [offset, offset + len), which are whole clusters; their range is held. */
static int coroutine_fn copy_clusters(Backup *s, uint64_t offset, uint64_t len, bool *reading)
{
    uint64_t end = offset + len;
    int r = 0;

    while (offset < end && r == 0) {
        uint64_t c = offset >> s->shift, first = c, n;

        if (!take(s, c)) {
            offset += BIT64(s->shift);
            continue;
        }
        while (!s->compress && (c + 1) << s->shift < end && take(s, c + 1)) {
            c++;
        }
        n = MIN((c + 1) << s->shift, s->len) - offset;
        r = s->compress ? copy_compressed(s, offset, n, reading)
                        : block_copy_range(s->from, s->to, offset, n, true, reading);
        for (; r < 0 && first <= c; first++) {
            give_back(s, first);
        }
        offset += (c - (offset >> s->shift) + 1) << s->shift;
    }
    return r;
}

/* Any loop. A copy that fails is the job's affair, not the guest's. */
static int coroutine_fn before_write(void *opaque, uint64_t offset, uint64_t len)
{
    Backup *s = opaque;
    uint64_t size = BIT64(s->shift), first = ALIGN_DOWN(offset, size);
    uint64_t n = ALIGN_UP(offset + len, size) - first;
    BlockRange held;
    bool reading, any;
    int r = 0;

    if (offset >= s->len) {
        return 0;
    }
    block_range_take(&s->ranges, &held, first, n, true);
    mutex_lock(&s->lock);
    any = bitmap_any(s->todo, first >> s->shift, MIN(n >> s->shift, clusters(s) - (first >> s->shift)));
    mutex_unlock(&s->lock);
    if (any && !__atomic_load_n(&s->cbw_error, __ATOMIC_RELAXED)) {
        r = copy_clusters(s, first, MIN(n, s->len - first), &reading);
    }
    block_range_drop(&s->ranges, &held);
    if (r < 0) {
        __atomic_store_n(&s->cbw_error, r, __ATOMIC_RELAXED);
    }
    return 0;
}

static void coroutine_fn backup_piece(Job *j, void *opaque, uint64_t offset, uint64_t len)
{
    Backup *s = opaque;
    bool reading = true;
    BlockRange held;
    int r;

    block_range_take(&s->ranges, &held, offset, ALIGN_UP(len, BIT64(s->shift)), true);
    r = copy_clusters(s, offset, len, &reading);
    block_range_drop(&s->ranges, &held);
    if (r < 0) {
        BlockErrorAction a = job_failure(j, reading ? s->on_source_error : s->on_target_error, reading, -r);

        if (a == BLOCK_ERROR_REPORT && s->error == 0) {
            s->error = r;
        }
        s->again = true;
    } else {
        job_advance(j, len);
    }
}

static uint64_t left(Backup *s)
{
    uint64_t n;

    mutex_lock(&s->lock);
    n = bitmap_count(s->todo, clusters(s));
    mutex_unlock(&s->lock);
    return n;
}

/* The next clusters that are to be copied. */
static bool next(Backup *s, uint64_t *offset, uint64_t *len)
{
    uint64_t total = clusters(s), first, end;

    MUTEX_GUARD(&s->lock);
    first = bitmap_find_set(s->todo, total, *offset >> s->shift);
    if (first >= total) {
        return false;
    }
    end = bitmap_find_clear(s->todo, MIN(total, first + MAX((uint64_t)BLOCK_COPY_MAX >> s->shift, UINT64_C(1))),
                            first);
    *offset = first << s->shift;
    *len = MIN(end << s->shift, s->len) - *offset;
    return true;
}

static bool coroutine_fn drop_unallocated(Backup *s)
{
    BlockNode *image = block_skip_filters(s->from);

    for (uint64_t offset = 0; offset < s->len;) {
        uint64_t end = MIN(s->len, offset + BIT64(s->shift));
        bool any = false;

        for (uint64_t at = offset; at < end && !any;) {
            BlockStatus st;
            int r = block_co_status(image, at, end - at, &st);

            any = r < 0 || st.allocated;
            at += r < 0 ? end - at : st.len;
        }
        if (!any) {
            take(s, offset >> s->shift);
            job_advance(s->j, end - offset);
        }
        offset = end;
        if (!job_pause_point(s->j)) {
            return false;
        }
    }
    return true;
}

static bool coroutine_fn backup_run(Job *j, void *opaque, Error **errp)
{
    Backup *s = opaque;
    uint64_t offset = 0, len;

    job_progress(j, 0, MIN(left(s) << s->shift, s->len));
    if (s->sync == MIRROR_SYNC_MODE_TOP && !drop_unallocated(s)) {
        return false;
    }
    while (s->error == 0 && __atomic_load_n(&s->cbw_error, __ATOMIC_RELAXED) == 0) {
        if (!job_pause_point(j)) {
            return false;
        }
        if (s->sync == MIRROR_SYNC_MODE_NONE) {
            job_wait_ns(j, 100 * NS_PER_MS);
        } else if (next(s, &offset, &len)) {
            if (!job_piece(j, backup_piece, s, offset, len)) {
                return false;
            }
            offset += len;
        } else {
            /* What failed and is to be tried again comes once more. */
            job_pieces_end(j);
            if (s->again) {
                s->again = false;
                job_wait_ns(j, 100 * NS_PER_MS);
            }
            offset = 0;
            if (s->error == 0 && !next(s, &offset, &len)) {
                break;
            }
            offset = 0;
        }
    }
    job_pieces_end(j);
    if (s->error == 0) {
        s->error = __atomic_load_n(&s->cbw_error, __ATOMIC_RELAXED);
    }
    if (s->error == 0) {
        s->error = block_co_flush(s->to);
    }
    if (s->error) {
        error_setf(errp, ERR_HOST, "%s", strerror(-s->error));
    }
    return s->error == 0;
}

/* --- the end --- */

/* The marks of clusters that weren't copied. */
static void add_not_copied(Backup *s)
{
    uint64_t total = clusters(s);

    MUTEX_GUARD(&s->bitmap->track->lock);
    BITMAP_FOR_EACH(i, s->todo, total) {
        block_bitmap_mark(s->bitmap, (uint64_t)i << s->shift, BIT64(s->shift));
    }
}

static void backup_commit(UNUSED Job *j, void *opaque)
{
    Backup *s = opaque;

    if (s->bitmap && s->bitmap_mode == BITMAP_SYNC_MODE_NEVER) {
        block_bitmap_add_bits(s->bitmap, s->taken);
    }
}

static void backup_abort(UNUSED Job *j, void *opaque)
{
    Backup *s = opaque;

    if (s->bitmap && s->bitmap_mode == BITMAP_SYNC_MODE_ALWAYS) {
        add_not_copied(s);
    } else if (s->bitmap) {
        block_bitmap_add_bits(s->bitmap, s->taken);
    }
}

static void free_backup(Backup *s)
{
    mutex_destroy(&s->lock);
    free(s->todo);
    free(s->taken);
    g_free(s);
}

static void backup_clean(void *opaque)
{
    Backup *s = opaque;
    BlockHold h;

    block_hold(s->from, &h);
    block_unwatch(s->from, &s->watcher);
    block_release(&h);
    if (s->bitmap) {
        s->bitmap->busy = NULL;
    }
    block_ranges_destroy(&s->ranges);
    free_backup(s);
}

static const JobOps backup_ops = {
    .type = JOB_TYPE_BACKUP, .block_job = true, .run = backup_run, .commit = backup_commit,
    .abort = backup_abort, .clean = backup_clean,
};

static bool check(const BlockBackupSpec *b, Error **errp)
{
    bool by_bitmap = b->sync == MIRROR_SYNC_MODE_BITMAP || b->sync == MIRROR_SYNC_MODE_INCREMENTAL;

    if (b->from == b->to) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Source and target cannot be the same");
    } else if (b->to->read_only) {
        error_setf(errp, ERR_PERMISSION, "Block node is read-only");
    } else if (b->compress && !b->to->drv->co_write_compressed) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Compression is not supported for this drive %s", b->to->name);
    } else if (by_bitmap && !b->bitmap) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "must provide a valid bitmap name for '%s' sync mode",
                   MirrorSyncMode_name(b->sync));
    } else if (block_length(b->from) != block_length(b->to) && !b->to->grows) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Source and target image have different sizes");
    } else {
        return block_node_free(b->from, errp) && block_node_free(b->to, errp) &&
               (!b->bitmap || block_bitmap_usable(b->bitmap, b->bitmap_mode != BITMAP_SYNC_MODE_NEVER, errp));
    }
    return false;
}

/* Which clusters are to be copied. */
static void plan(Backup *s)
{
    uint64_t total = clusters(s);

    s->todo = bitmap_new(MAX(total, UINT64_C(1)));
    if (!s->bitmap) {
        bitmap_set(s->todo, 0, total);
        return;
    }
    s->taken = bitmap_new(MAX(block_bitmap_bits(s->bitmap), UINT64_C(1)));
    block_bitmap_take(s->bitmap, s->taken);
    BITMAP_FOR_EACH(i, s->taken, block_bitmap_bits(s->bitmap)) {
        uint64_t first = ((uint64_t)i << s->bitmap->shift) >> s->shift;
        uint64_t last = (MIN(((uint64_t)i + 1) << s->bitmap->shift, s->len) - 1) >> s->shift;

        bitmap_set(s->todo, first, last - first + 1);
    }
}

Job *block_backup_start(const BlockJobSpec *spec, const BlockBackupSpec *b, Error **errp)
{
    BlockFormatInfo f = { 0 };
    BlockHold h;
    Backup *s;
    Job *j;

    if (!check(b, errp)) {
        return NULL;
    }
    s = g_new0(Backup, 1);
    j = block_job_new(spec, &backup_ops, s, errp);
    if (!j) {
        g_free(s);
        return NULL;
    }
    if (b->to->drv->info) {
        b->to->drv->info(b->to, &f);
    }
    *s = (Backup){ .j = j, .from = b->from, .to = b->to, .sync = b->sync,
                   .on_source_error = spec->on_source_error, .on_target_error = spec->on_target_error,
                   .bitmap = b->bitmap, .bitmap_mode = b->bitmap_mode, .compress = b->compress,
                   .shift = b->compress && f.cluster_size ? __builtin_ctzll(f.cluster_size)
                            : f.cluster_size > 64 * KIB ? __builtin_ctzll(f.cluster_size) : 16,
                   .watcher = { .before = before_write, .opaque = s } };
    mutex_init(&s->lock);
    block_ranges_init(&s->ranges);
    block_hold(b->from, &h);
    s->len = MAX(block_length(b->from), INT64_C(0));
    if (s->bitmap) {
        s->bitmap->busy = "backup";
    }
    plan(s);
    block_watch(s->from, &s->watcher);
    job_take_node(j, s->from);
    job_take_node(j, s->to);
    block_release(&h);
    if (!spec->wait) {
        job_go(j);
    }
    return j;
}
