/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs on block devices, while a back end writes beside them: what the copy holds in the end. */
#include "util/osdep.h"
#include <glib.h>
#include "block/copy.h"
#include "tests/lib/image.h"

#define SIZE    (6 * MIB + 4096)

/* A disk, what must be on it, and a second one. */
typedef struct Disks {
    Test *t;
    BlockBackend *b;
    uint8_t *model;
    uint32_t seed;
} Disks;

static uint32_t random_number(Disks *d)
{
    d->seed = d->seed * 1664525 + 1013904223;
    return d->seed >> 8;
}

static char *path_of(Test *t, const char *name)
{
    return g_build_filename(test_tmpdir(t), name, NULL);
}

/* A new image NAME.qcow2 based on @below (may be NULL), as node NAME. */
static BlockNode *image(Test *t, const char *name, BlockNode *below, uint64_t size)
{
    char *file = g_strdup_printf("%s.qcow2", name), *path = path_of(t, file);
    QDict *opts;
    BlockNode *n;

    if (!block_create_qcow2(path, size, below ? below->filename : NULL, below ? below->drv->name : NULL, NULL)) {
        test_fail(t, "can't create %s", path);
    }
    opts = qdict_from_fmt("{'driver': 'qcow2', 'node-name': %s, 'discard': 'unmap', "
                          "'file': {'driver': 'file', 'filename': %s}}", name, path);
    if (below) {
        qdict_put_str(opts, "backing", below->name);
    } else {
        qdict_put(opts, "backing", qnull());
    }
    n = block_node_open(opts, NULL);
    check_true(t, n, "the image opens");
    qobject_unref(opts);
    g_free(path);
    g_free(file);
    return n;
}

typedef struct Write {
    BlockBackend *b;
    uint64_t offset;
    struct iovec v;
    bool zero, done;
    int result;
} Write;

static void coroutine_fn write_entry(void *opaque)
{
    Write *w = opaque;

    w->result = w->zero ? blk_co_zero(w->b, w->offset, w->v.iov_len, BLOCK_ZERO_UNMAP)
                        : blk_co_pwritev(w->b, w->offset, &w->v, 1);
    w->done = true;
}

static void write_some(Disks *d, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        Write w = { .b = d->b, .offset = random_number(d) % (SIZE / 512) * 512,
                    .zero = random_number(d) % 4 == 0 };
        uint8_t fill = w.zero ? 0 : random_number(d) % 255 + 1;

        w.v.iov_len = (random_number(d) % 300 + 1) * 512;
        w.v.iov_len = MIN(w.v.iov_len, SIZE - w.offset);
        memset(d->model + w.offset, fill, w.v.iov_len);
        w.v.iov_base = d->model + w.offset;
        co_start(write_entry, &w);
        main_loop_run_until(&w.done);
        check_int(d->t, w.result, 0, "a write");
    }
}

static void holds_model(Disks *d, BlockNode *n, const uint8_t *model, const char *what)
{
    uint8_t *buf = g_malloc(SIZE);

    check_int(d->t, image_read(n, 0, buf, SIZE), 0, what);
    if (memcmp(buf, model, SIZE)) {
        uint64_t i = 0;

        while (buf[i] == model[i]) {
            i++;
        }
        test_fail(d->t, "%s: differs at 0x%" PRIx64 ": 0x%02x, not 0x%02x", what, i, buf[i], model[i]);
    }
    g_free(buf);
}

static void begin(Disks *d, Test *t, BlockNode *n)
{
    *d = (Disks){ .t = t, .b = blk_new("disk", NULL), .model = g_malloc0(SIZE), .seed = 1 };
    blk_insert(d->b, n, NULL);
}

static void end(Disks *d)
{
    blk_delete(d->b);
    g_free(d->model);
}

static JobStatus status(const char *id)
{
    Job *j = job_find(id, false, NULL);
    JobInfo *info = j ? job_info(j) : NULL;
    JobStatus s = info ? info->status : JOB_STATUS_NULL;

    if (info) {
        qapi_free_JobInfo(info);
    }
    return s;
}

/* Iterates until the job has that status; with writes meanwhile. */
static void until(Disks *d, const char *id, JobStatus wanted, bool writes)
{
    for (int i = 0; status(id) != wanted; i++) {
        if (status(id) == JOB_STATUS_CONCLUDED) {
            break;
        }
        if (writes && i < 60) {
            write_some(d, 1);           /* runs the loop as well */
        } else {
            main_loop_iterate(true);
        }
    }
    check_str(d->t, JobStatus_name(status(id)), JobStatus_name(wanted), "the job's status");
}

/* The error of a job that has ended, which is forgotten. */
static void ends_with(Disks *d, const char *id, const char *error)
{
    Job *j;
    JobInfo *info;

    until(d, id, JOB_STATUS_CONCLUDED, false);
    j = job_find(id, false, NULL);
    if (!j) {
        return;
    }
    info = job_info(j);
    check_str(d->t, info->error ? info->error : "", error, "the job's error");
    qapi_free_JobInfo(info);
    check_true(d->t, job_dismiss(j, NULL), "it is dismissed");
}

static Job *started(Disks *d, Job *j, Error **err)
{
    if (!j) {
        test_fail(d->t, "no job: %s", error_message(*err));
        error_free(*err);
        *err = NULL;
    }
    return j;
}

static void mirror(Test *t, bool blocking, bool pivot)
{
    BlockJobSpec spec = { .id = "m", .device = "disk", .manual_dismiss = true };
    BlockMirrorSpec m = { .sync = MIRROR_SYNC_MODE_FULL, .unmap = true, .blocking = blocking };
    Disks d;
    Error *err = NULL;

    main_loop_init();
    m.from = m.replaces = image(t, "a", NULL, SIZE);
    m.to = image(t, "b", NULL, SIZE);
    begin(&d, t, m.from);
    write_some(&d, 60);
    if (!started(&d, block_mirror_start(&spec, &m, &err), &err)) {
        return;
    }
    check_true(t, !block_truncate(m.from, 2 * SIZE, NULL), "the source has to keep its size");
    check_true(t, !block_mirror_start(&spec, &m, NULL), "and is in use");
    until(&d, "m", JOB_STATUS_READY, true);
    write_some(&d, 20);
    job_pause(job_find("m", true, NULL), NULL);
    until(&d, "m", JOB_STATUS_STANDBY, false);
    write_some(&d, 5);
    check_true(t, !job_complete(job_find("m", true, NULL), NULL), "one that is paused can't complete");
    job_resume(job_find("m", true, NULL), NULL);
    until(&d, "m", JOB_STATUS_READY, false);
    if (pivot) {
        check_true(t, job_complete(job_find("m", true, NULL), NULL), "it completes");
    } else {
        check_true(t, job_cancel(job_find("m", true, NULL), false, NULL), "it ends");
    }
    ends_with(&d, "m", "");
    check_true(t, d.b->node == (pivot ? m.to : m.from), "the disk is the copy, or isn't");
    holds_model(&d, m.to, d.model, "the copy");
    write_some(&d, 10);
    holds_model(&d, d.b->node, d.model, "the disk");
    end(&d);
    block_node_unref(m.from);
    block_node_unref(m.to);
}

TEST(jobs, mirror) { mirror(t, false, true); }
TEST(jobs, mirror_blocking) { mirror(t, true, true); }
TEST(jobs, mirror_to_a_copy) { mirror(t, false, false); }

TEST(jobs, mirror_cancelled)
{
    BlockJobSpec spec = { .id = "m", .device = "disk", .manual_dismiss = true, .speed = 65536 };
    BlockMirrorSpec m = { .sync = MIRROR_SYNC_MODE_FULL };
    Disks d;
    Error *err = NULL;

    main_loop_init();
    m.from = m.replaces = image(t, "a", NULL, SIZE);
    m.to = image(t, "b", NULL, SIZE);
    begin(&d, t, m.from);
    write_some(&d, 20);
    started(&d, block_mirror_start(&spec, &m, &err), &err);
    until(&d, "m", JOB_STATUS_RUNNING, false);
    write_some(&d, 3);
    check_int(t, status("m"), JOB_STATUS_RUNNING, "it is slow");
    check_true(t, job_cancel(job_find("m", true, NULL), false, NULL), "it is cancelled");
    ends_with(&d, "m", "Operation canceled");
    check_true(t, d.b->node == m.from && !m.from->job && !m.to->job, "nothing has changed");
    write_some(&d, 3);
    holds_model(&d, m.from, d.model, "the disk");
    end(&d);
    block_node_unref(m.from);
    block_node_unref(m.to);
}

/* base <- mid <- top, each with writes of its own. */
static void chain(Test *t, Disks *d, BlockNode *n[3])
{
    main_loop_init();
    n[0] = image(t, "base", NULL, 3 * MIB);
    begin(d, t, n[0]);
    for (int i = 0; i < 2; i++) {
        uint8_t *buf = g_malloc(64 * KIB);

        memset(buf, 0x11, 64 * KIB);
        memset(d->model + i * 2 * MIB, 0x11, 64 * KIB);
        image_write(n[0], i * 2 * MIB, buf, 64 * KIB);
        g_free(buf);
    }
    n[1] = image(t, "mid", n[0], SIZE);
    blk_eject(d->b);
    blk_insert(d->b, n[1], NULL);
    write_some(d, 12);
    n[2] = image(t, "top", n[1], SIZE);
    blk_eject(d->b);
    blk_insert(d->b, n[2], NULL);
    block_node_set_read_only(n[1], true, NULL);
    block_node_set_read_only(n[0], true, NULL);
    write_some(d, 12);
}

static void chain_end(Disks *d, BlockNode *n[3])
{
    char *paths[3];

    end(d);
    for (int i = 2; i >= 0; i--) {
        paths[i] = g_strdup(n[i]->filename);
        block_node_unref(n[i]);
    }
    for (int i = 0; i < 3; i++) {
        image_must_be_sound(d->t, paths[i], false, "an image of the chain");
        g_free(paths[i]);
    }
}

TEST(jobs, stream)
{
    BlockJobSpec spec = { .id = "s", .device = "disk", .manual_dismiss = true };
    BlockNode *n[3];
    Disks d;
    Error *err = NULL;

    chain(t, &d, n);
    started(&d, block_stream_start(&spec, n[2], n[0], NULL, &err), &err);
    until(&d, "s", JOB_STATUS_CONCLUDED, true);
    ends_with(&d, "s", "");
    check_true(t, n[2]->backing == n[0], "the one between is left out");
    check_str(t, n[2]->backing_file, n[0]->filename, "in the file too");
    holds_model(&d, n[2], d.model, "the disk");
    started(&d, block_stream_start(&spec, n[2], NULL, NULL, &err), &err);
    until(&d, "s", JOB_STATUS_CONCLUDED, true);
    ends_with(&d, "s", "");
    check_true(t, !n[2]->backing && !n[2]->backing_file, "nothing is below");
    holds_model(&d, n[2], d.model, "the disk");
    chain_end(&d, n);
}

TEST(jobs, commit_between)
{
    BlockJobSpec spec = { .id = "c", .device = "disk", .manual_dismiss = true };
    BlockNode *n[3];
    Disks d;
    Error *err = NULL;

    chain(t, &d, n);
    started(&d, block_commit_start(&spec, n[2], n[1], n[0], NULL, &err), &err);
    until(&d, "c", JOB_STATUS_CONCLUDED, true);
    ends_with(&d, "c", "");
    check_true(t, n[2]->backing == n[0] && n[0]->read_only, "the base is below, and not written any more");
    holds_model(&d, n[2], d.model, "the disk");
    chain_end(&d, n);
}

TEST(jobs, commit_top)
{
    BlockJobSpec spec = { .id = "c", .device = "disk", .manual_dismiss = true };
    BlockMirrorSpec m = { .sync = MIRROR_SYNC_MODE_TOP, .unmap = true, .commit = true };
    BlockNode *n[3];
    Disks d;
    Error *err = NULL;

    chain(t, &d, n);
    m.from = m.replaces = n[2];
    m.to = m.end = n[0];
    started(&d, block_mirror_start(&spec, &m, &err), &err);
    until(&d, "c", JOB_STATUS_READY, true);
    write_some(&d, 5);
    check_true(t, job_complete(job_find("c", true, NULL), NULL), "it completes");
    ends_with(&d, "c", "");
    check_true(t, d.b->node == n[0] && !n[0]->read_only, "the base is the disk");
    holds_model(&d, n[0], d.model, "the disk");
    write_some(&d, 5);
    holds_model(&d, n[0], d.model, "the disk, written");
    chain_end(&d, n);
}

TEST(jobs, backup_of_a_moment)
{
    BlockJobSpec spec = { .id = "b", .device = "disk", .manual_dismiss = true, .speed = 8 * MIB };
    BlockBackupSpec b = { .sync = MIRROR_SYNC_MODE_FULL };
    uint8_t *then;
    BlockHold h;
    Disks d;
    Error *err = NULL;

    main_loop_init();
    b.from = image(t, "a", NULL, SIZE);
    b.to = image(t, "b", NULL, SIZE);
    begin(&d, t, b.from);
    write_some(&d, 60);
    then = g_memdup2(d.model, SIZE);
    block_hold(b.from, &h);
    b.bitmap = block_bitmap_new(b.from, "marks", 16, NULL);
    block_release(&h);
    check_true(t, !block_bitmap_new(b.from, "marks", 16, NULL), "a name is taken");
    {
        BlockBitmap *marks = b.bitmap;

        b.bitmap = NULL;
        started(&d, block_backup_start(&spec, &b, &err), &err);
        until(&d, "b", JOB_STATUS_CONCLUDED, true);
        ends_with(&d, "b", "");
        holds_model(&d, b.to, then, "the backup");
        check_true(t, block_bitmap_count(marks) > 0, "what was written is marked");
        b.bitmap = marks;
    }
    g_free(then);
    then = g_memdup2(d.model, SIZE);
    b.sync = MIRROR_SYNC_MODE_INCREMENTAL;
    started(&d, block_backup_start(&spec, &b, &err), &err);
    check_true(t, !block_bitmap_usable(b.bitmap, false, NULL), "the bitmap is in use");
    until(&d, "b", JOB_STATUS_CONCLUDED, true);
    ends_with(&d, "b", "");
    holds_model(&d, b.to, then, "what had changed went into it");
    b.bitmap_mode = BITMAP_SYNC_MODE_ON_SUCCESS;
    spec.speed = 1024;
    {
        uint64_t count = block_bitmap_count(b.bitmap);

        started(&d, block_backup_start(&spec, &b, &err), &err);
        check_int(t, block_bitmap_count(b.bitmap), 0, "a backup takes the marks");
        until(&d, "b", JOB_STATUS_RUNNING, false);
        job_cancel(job_find("b", true, NULL), true, NULL);
        ends_with(&d, "b", "Operation canceled");
        check_int(t, block_bitmap_count(b.bitmap), count, "and gives them back when it fails");
    }
    end(&d);
    g_free(then);
    block_node_unref(b.from);
    block_node_unref(b.to);
}

TEST(jobs, errors)
{
    BlockJobSpec spec = { .id = "m", .device = "disk", .manual_dismiss = true };
    BlockMirrorSpec m = { .sync = MIRROR_SYNC_MODE_FULL };
    QDict *opts = qdict_from_fmt("{'driver': 'blkdebug', 'image': {'driver': 'null-co', 'size': %lld}, "
                                 "'node-name': 'bad', 'inject-error': [{'event': 'none', 'iotype': 'write', "
                                 "'once': true, 'errno': 28}]}", (long long)SIZE);
    Disks d;
    Error *err = NULL;
    Job *j;

    main_loop_init();
    m.from = m.replaces = image(t, "a", NULL, SIZE);
    m.to = block_node_open(opts, &err);
    qobject_unref(opts);
    if (!m.to) {
        test_fail(t, "%s", error_message(err));
        error_free(err);
        return;
    }
    begin(&d, t, m.from);
    write_some(&d, 10);
    spec.on_target_error = BLOCKDEV_ON_ERROR_ENOSPC;
    j = started(&d, block_mirror_start(&spec, &m, &err), &err);
    until(&d, "m", JOB_STATUS_PAUSED, false);
    {
        struct BlockJobInfo *info = job_block_info(j);

        check_int(t, info->io_status, BLOCK_DEVICE_IO_STATUS_NOSPACE, "why it pauses");
        qapi_free_BlockJobInfo(info);
    }
    check_true(t, job_resume(j, NULL), "it goes on");
    until(&d, "m", JOB_STATUS_READY, false);
    check_true(t, job_cancel(j, true, NULL), "and is cancelled");
    ends_with(&d, "m", "Operation canceled");
    end(&d);
    block_node_unref(m.from);
    block_node_unref(m.to);
}
