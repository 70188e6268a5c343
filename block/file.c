/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers "file" and "host_device": a file or block device of the host.
 * Requests go to worker threads or the kernel's queues (aio=). With O_DIRECT
 * (cache.direct) those that aren't aligned are bounced, and a write of a part
 * of a block reads the rest of it first.
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "block/file.h"
#include "util/fdset.h"
#include "util/iov.h"
#include "util/thread-pool.h"

/* --- requests --- */

static int coroutine_fn run(FileState *s, FileJob *j)
{
    if (j->what == JOB_READ || j->what == JOB_WRITE) {
        int r = file_job_now(s, j);

        if (r != -EAGAIN) {
            return r;
        }
    }
    if (s->aio != AIO_THREADS && (j->what == JOB_READ || j->what == JOB_WRITE || j->what == JOB_FLUSH)) {
        int r = s->aio == AIO_NATIVE ? file_native(j) : file_aio(s, j);

        if (r != -ENOTSUP) {
            return r;
        }
    }
    return thread_pool_co_fast(file_job, j);
}

static bool fits(const FileState *s, uint64_t offset, const struct iovec *iov, size_t niov)
{
    uint64_t bits = offset;

    for (size_t i = 0; i < niov; i++) {
        bits |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
    }
    return (bits & (s->alignment - 1)) == 0;
}

/* By way of an aligned buffer. */
static int coroutine_fn bounce(FileState *s, FileJob *j)
{
    size_t len = iov_size(j->iov, j->niov);
    uint64_t first = ALIGN_DOWN(j->offset, s->alignment);
    size_t room = ALIGN_UP(j->offset + len, (uint64_t)s->alignment) - first;
    bool write = j->what == JOB_WRITE, partial = write && room != len;
    struct iovec v = { NULL, room };
    FileJob in = { .fd = s->fd, .what = JOB_READ, .offset = first, .iov = &v, .niov = 1 };
    FileJob out = { .fd = s->fd, .what = JOB_WRITE, .offset = first, .iov = &v, .niov = 1 };
    int r = 0;

    if (posix_memalign(&v.iov_base, MAX(s->alignment, (uint32_t)sizeof(void *)), room)) {
        return -ENOMEM;
    }
    if (partial) {
        co_mutex_lock(&s->unaligned);
    }
    if (!write || partial) {
        r = run(s, &in);
    }
    if (r == 0 && write) {
        iov_to_buf(j->iov, j->niov, 0, (uint8_t *)v.iov_base + (j->offset - first), len);
        r = run(s, &out);
    } else if (r == 0) {
        iov_from_buf(j->iov, j->niov, 0, (uint8_t *)v.iov_base + (j->offset - first), len);
    }
    if (partial) {
        co_mutex_unlock(&s->unaligned);
    }
    free(v.iov_base);
    return r;
}

static int coroutine_fn transfer(BlockNode *n, bool write, uint64_t offset, const struct iovec *iov,
                                 size_t niov)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = write ? JOB_WRITE : JOB_READ, .offset = offset, .iov = iov,
                  .niov = niov };

    return s->alignment == 1 || fits(s, offset, iov, niov) ? run(s, &j) : bounce(s, &j);
}

static int coroutine_fn file_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                       size_t niov)
{
    return transfer(n, false, offset, iov, niov);
}

static void longer(FileState *s, int64_t end)
{
    int64_t now = atomic_load(&s->length);

    while (now < end && !atomic_compare_exchange_weak(&s->length, &now, end)) {
    }
}

static int coroutine_fn file_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                        size_t niov)
{
    int r = transfer(n, true, offset, iov, niov);

    if (r == 0) {
        longer(n->state, offset + iov_size(iov, niov));
    }
    return r;
}

static int coroutine_fn file_co_flush(BlockNode *n)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_FLUSH };

    return run(s, &j);
}

static int coroutine_fn file_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_DISCARD, .offset = offset, .len = len };
    int r;

    if (s->is_device) {
        /* Only whole blocks can go. */
        uint64_t first = ALIGN_UP(offset, UINT64_C(4096)), end = ALIGN_DOWN(offset + len, UINT64_C(4096));

        if (first >= end) {
            return 0;
        }
        j.offset = first;
        j.len = end - first;
    }
    r = thread_pool_co(file_job, &j);
    if (r == 0) {
        atomic_fetch_add_explicit(&s->discards_ok, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&s->discarded_bytes, len, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&s->discards_failed, 1, memory_order_relaxed);
    }
    return r == -ENOTSUP ? 0 : r;
}

bool file_discards(const BlockNode *n, FileDiscards *d)
{
    FileState *s = n->state;

    if (n->drv->co_discard != file_co_discard) {
        return false;
    }
    *d = (FileDiscards){ atomic_load(&s->discards_ok), atomic_load(&s->discards_failed), atomic_load(&s->discarded_bytes) };
    return true;
}

/* A hole reads as zeros in a file; what a device's discarded blocks read as is its own affair. */
static int coroutine_fn file_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .offset = offset, .len = len,
                  .what = flags & BLOCK_ZERO_UNMAP && !s->is_device ? JOB_DISCARD : JOB_ZERO };
    int r;

    if (s->is_device && (offset | len) % 512) {
        return -ENOTSUP;
    }
    r = thread_pool_co(file_job, &j);
    if (r == 0 && !s->is_device && (int64_t)(offset + len) > atomic_load(&s->length)) {
        FileJob t = { .fd = s->fd, .what = JOB_TRUNCATE, .len = offset + len };

        r = thread_pool_co(file_job, &t);
        if (r == 0) {
            longer(s, offset + len);
        }
    }
    return r;
}

static int coroutine_fn file_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_STATUS, .offset = offset, .len = len, .status = st };

    return thread_pool_co(file_job, &j);
}

static int coroutine_fn file_co_truncate(BlockNode *n, uint64_t length, Error **errp)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_TRUNCATE, .len = length };
    int r;

    if (s->is_device) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'%s' is a device and can't be resized", n->filename);
        return -ENOTSUP;
    }
    r = thread_pool_co(file_job, &j);
    if (r < 0) {
        error_set_errno(errp, -r, "can't resize '%s' to %" PRIu64 " bytes", n->filename, length);
    } else {
        atomic_store(&s->length, length);
    }
    return r;
}

/* --- opening --- */

static void file_limits(BlockNode *n, BlockLimits *l)
{
    FileState *s = n->state;

    *l = (BlockLimits){ .logical_block = 512, .physical_block = 512, .request_alignment = s->alignment,
                        .memory_alignment = s->alignment, .discard_granularity = s->st_blksize,
                        .discard_zeroes = !s->is_device };
    if (s->is_device) {
        unsigned v;
        int i;

        l->discard_granularity = 0;
        l->logical_block = ioctl(s->fd, BLKSSZGET, &i) == 0 ? i : 512;
        l->physical_block = ioctl(s->fd, BLKPBSZGET, &v) == 0 ? v : 512;
        l->min_io = ioctl(s->fd, BLKIOMIN, &v) == 0 ? v : 0;
        l->opt_io = ioctl(s->fd, BLKIOOPT, &v) == 0 ? v : 0;
    }
}

/* What the kernel accepts with O_DIRECT: tried out, from the smallest on. */
static uint32_t direct_alignment(int fd, bool is_device)
{
    void *buf;
    uint32_t a;
    int i;

    if (is_device && ioctl(fd, BLKSSZGET, &i) == 0 && IS_POWER_OF_2(i) && i >= 512) {
        return i;
    }
    if (posix_memalign(&buf, 64 * 1024, 64 * 1024)) {
        return 4096;
    }
    for (a = 512; a < 64 * 1024; a *= 2) {
        if (pread(fd, (uint8_t *)buf + a, a, 0) >= 0 || errno != EINVAL) {
            break;
        }
    }
    free(buf);
    return a;
}

static bool option_aio(BlockNode *n, const QDict *opts, Error **errp)
{
    static const char *const names[] = { "threads", "native", "io_uring" };
    const char *text = qdict_str_or(opts, "aio", "threads");
    FileState *s = n->state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], text) == 0) {
            s->aio = i;
            if (i == AIO_NATIVE && !n->direct) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "aio=native was specified, but it requires "
                           "cache.direct=on, which was not specified");
                return false;
            }
            return i == AIO_THREADS || (i == AIO_NATIVE ? file_native_check(errp) : file_aio_check(i, errp));
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'aio' is '%s'; accepted: threads, native, io_uring", text);
    return false;
}

static bool option_batch(BlockNode *n, const QDict *opts, Error **errp)
{
    FileState *s = n->state;
    uint64_t v = 0;

    if (!block_size_option(opts, "aio-max-batch", &v, errp)) {
        return false;
    }
    if (v > INT32_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'aio-max-batch' is %" PRIu64 "; accepted: 0 to %d", v, INT32_MAX);
        return false;
    }
    s->max_batch = v;
    s->drop_cache = block_bool_option(opts, "drop-cache", true);
    s->check_dropped = block_bool_option(opts, "x-check-cache-dropped", false);
    return true;
}

static bool option_locking(BlockNode *n, const QDict *opts, Error **errp)
{
    const char *text = qdict_str_or(opts, "locking", "auto");
    FileState *s = n->state;

    if (strcmp(text, "auto") && strcmp(text, "on") && strcmp(text, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'locking' is '%s'; accepted: auto, on, off", text);
        return false;
    }
    s->locked = strcmp(text, "off") && !n->force_share;
    if (n->force_share && !n->read_only) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "force-share=on can only be used with read-only images");
        return false;
    }
    return true;
}

static int open_fd(BlockNode *n, const char *name, bool read_only)
{
    int flags = O_CLOEXEC | O_NOCTTY | (n->direct ? O_DIRECT : 0);

    return fdset_open(name, flags | (read_only ? O_RDONLY : O_RDWR), 0);
}

static bool look(BlockNode *n, const char *name, Error **errp)
{
    FileState *s = n->state;
    struct statfs fs;
    struct stat st;

    if (fstat(s->fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
        error_setf(errp, ERR_FILE_FORMAT, "'%s' is no file and no block device", name);
        return false;
    }
    s->is_device = S_ISBLK(st.st_mode);
    s->st_blksize = st.st_blksize;
    s->in_memory = fstatfs(s->fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
    s->alignment = n->direct ? direct_alignment(s->fd, s->is_device) : 1;
    atomic_store(&s->length, lseek(s->fd, 0, SEEK_END));
    n->grows = !s->is_device;
    return !s->locked || n->inactive || file_lock(s->fd, name, !n->read_only, errp);
}

static bool file_open(BlockNode *n, const QDict *opts, Error **errp)
{
    FileState *s = n->state;
    const char *name = qdict_get_str(opts, "filename", errp);

    if (!name) {
        return false;
    }
    if (!option_aio(n, opts, errp) || !option_batch(n, opts, errp) || !option_locking(n, opts, errp)) {
        return false;
    }
    s->fd = open_fd(n, name, n->read_only);
    if (s->fd < 0 && !n->read_only && n->auto_read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        s->fd = open_fd(n, name, true);
        n->read_only = true;
    }
    if (s->fd < 0) {
        error_set_errno(errp, errno, "Could not open '%s'", name);
        return false;
    }
    if (!look(n, name, errp)) {
        close(s->fd);
        return false;
    }
    co_mutex_init(&s->unaligned);
    n->filename = g_strdup(name);
    return true;
}

static void file_close(BlockNode *n)
{
    FileState *s = n->state;

    co_mutex_destroy(&s->unaligned);
    close(s->fd);
}

static bool file_inactivate(BlockNode *n, UNUSED Error **errp)
{
    FileState *s = n->state;

    if (s->locked) {
        file_unlock(s->fd);
    }
    return true;
}

static bool file_reopen(BlockNode *n, bool read_only, Error **errp)
{
    FileState *s = n->state;
    int fd = open_fd(n, n->filename, read_only), old = s->fd;

    if (fd < 0) {
        error_set_errno(errp, errno, "Could not open '%s'", n->filename);
        return false;
    }
    if (s->locked && !file_relock(old, n->filename, !read_only, errp)) {
        close(fd);
        return false;
    }
    /* Another host has written to it: what this one has in memory is of before. */
    if (n->inactive && s->drop_cache && !n->direct && !s->in_memory &&
        !file_drop_cache(fd, n->filename, s->check_dropped, errp)) {
        close(fd);
        return false;
    }
    /* The locks go with the old description; the new one takes its own. */
    s->fd = fd;
    atomic_store(&s->length, lseek(fd, 0, SEEK_END));
    close(old);
    if (s->locked && !file_lock(fd, n->filename, !read_only, errp)) {
        return false;
    }
    return true;
}

static int64_t file_length(BlockNode *n)
{
    return atomic_load(&((FileState *)n->state)->length);
}

/* --- creating --- */

static bool coroutine_fn file_co_create(UNUSED BlockNode *file, const QDict *opts, Error **errp)
{
    const char *name = qdict_get_str(opts, "filename", errp);
    uint64_t size = qdict_int_or(opts, "size", 0);
    const char *how = qdict_str_or(opts, "preallocation", "off");
    int fd, r = 0;

    if (!name) {
        return false;
    }
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        error_set_errno(errp, errno, "Could not create '%s'", name);
        return false;
    }
    if (!file_lock(fd, name, true, errp)) {
        close(fd);
        return false;
    }
    r = ftruncate(fd, 0) < 0 || ftruncate(fd, size) < 0 ? errno : 0;
    if (r == 0 && (!strcmp(how, "falloc") || !strcmp(how, "full")) && size) {
        r = posix_fallocate(fd, 0, size);
    }
    close(fd);
    if (r) {
        error_set_errno(errp, r, "Could not resize '%s' to %" PRIu64 " bytes", name, size);
    }
    return r == 0;
}

static const char *const file_options[] = { "filename", "aio", "locking", "pr-manager",
                                            "drop-cache", "x-check-cache-dropped", "aio-max-batch",
                                            NULL };
static const char *const file_create_options[] = { "filename", "size", "preallocation", NULL };

static BlockDriver driver_file = {
    .name = "file", .options = file_options, .state_size = sizeof(FileState),
    .open = file_open, .close = file_close, .length = file_length,
    .co_preadv = file_co_preadv, .co_pwritev = file_co_pwritev, .co_flush = file_co_flush,
    .co_discard = file_co_discard, .co_zero = file_co_zero, .co_truncate = file_co_truncate,
    .limits = file_limits, .co_status = file_co_status, .reopen = file_reopen, .inactivate = file_inactivate,
    .co_create = file_co_create, .create_options = file_create_options,
};

static BlockDriver driver_host_device = {
    .name = "host_device", .options = file_options, .state_size = sizeof(FileState),
    .open = file_open, .close = file_close, .length = file_length,
    .co_preadv = file_co_preadv, .co_pwritev = file_co_pwritev, .co_flush = file_co_flush,
    .co_discard = file_co_discard, .co_zero = file_co_zero, .co_truncate = file_co_truncate,
    .limits = file_limits, .reopen = file_reopen, .inactivate = file_inactivate,
};

static void CONSTRUCTOR register_drivers(void)
{
    block_driver_register(&driver_file);
    block_driver_register(&driver_host_device);
}
