/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers "file" (a file or block device of the host, by worker threads),
 * "raw" (the bytes of another node as they are, or a window of them), and "null-co" (reads as
 * zeros, for tests).
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "block/block.h"
#include "util/iov.h"
#include "util/thread-pool.h"

/* --- file --- */

typedef struct FileState {
    int fd;
    int64_t length;
    bool is_device;
    uint32_t st_blksize;
} FileState;

typedef struct FileJob {
    int fd;
    enum { JOB_READ, JOB_WRITE, JOB_FLUSH, JOB_DISCARD, JOB_ZERO, JOB_TRUNCATE } what;
    uint64_t offset, len;
    const struct iovec *iov;
    size_t niov;
} FileJob;

/* All of it, whatever the kernel does at a time; what is past the end of the file reads as zeros. */
static int transfer(const FileJob *j)
{
    uint64_t offset = j->offset;

    for (size_t i = 0; i < j->niov; i++) {
        uint8_t *p = j->iov[i].iov_base;
        size_t left = j->iov[i].iov_len;

        while (left > 0) {
            ssize_t n = j->what == JOB_READ ? pread(j->fd, p, left, offset)
                                            : pwrite(j->fd, p, left, offset);

            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n < 0) {
                return -errno;
            }
            if (n == 0) {
                if (j->what == JOB_WRITE) {
                    return -ENOSPC;
                }
                memset(p, 0, left);
                n = left;
            }
            p += n;
            offset += n;
            left -= n;
        }
    }
    return 0;
}

static int file_job(void *arg)
{
    FileJob *j = arg;
    int mode;

    switch (j->what) {
    case JOB_READ:
    case JOB_WRITE:
        return transfer(j);
    case JOB_FLUSH:
        return fdatasync(j->fd) < 0 ? -errno : 0;
    case JOB_TRUNCATE:
        return ftruncate(j->fd, j->len) < 0 ? -errno : 0;
    default:
        mode = FALLOC_FL_KEEP_SIZE | (j->what == JOB_ZERO ? FALLOC_FL_ZERO_RANGE
                                                          : FALLOC_FL_PUNCH_HOLE);
        if (fallocate(j->fd, mode, j->offset, j->len) < 0) {
            return errno == EOPNOTSUPP || errno == ENODEV ? -ENOTSUP : -errno;
        }
        return 0;
    }
}

static int coroutine_fn file_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                       size_t niov)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_READ, .offset = offset, .iov = iov, .niov = niov };

    return thread_pool_co(file_job, &j);
}

static int coroutine_fn file_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                        size_t niov)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_WRITE, .offset = offset, .iov = iov, .niov = niov };

    return thread_pool_co(file_job, &j);
}

static int coroutine_fn file_co_flush(BlockNode *n)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_FLUSH };

    return thread_pool_co(file_job, &j);
}

static int coroutine_fn file_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .what = JOB_DISCARD, .offset = offset, .len = len };
    int r = thread_pool_co(file_job, &j);

    return r == -ENOTSUP ? 0 : r;
}

/* A hole reads as zeros in a file; what a device's discarded blocks read as is its own affair. */
static int coroutine_fn file_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    FileState *s = n->state;
    FileJob j = { .fd = s->fd, .offset = offset, .len = len,
                  .what = flags & BLOCK_ZERO_UNMAP && !s->is_device ? JOB_DISCARD : JOB_ZERO };

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
        s->length = length;
    }
    return r;
}

static void file_limits(BlockNode *n, BlockLimits *l)
{
    FileState *s = n->state;

    *l = (BlockLimits){ .logical_block = 512, .physical_block = 512,
                        .discard_granularity = s->st_blksize, .discard_zeroes = !s->is_device };
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

static bool file_open(BlockNode *n, const QDict *opts, Error **errp)
{
    FileState *s = n->state;
    const char *name = qdict_get_str(opts, "filename", errp);
    int flags = O_CLOEXEC | (n->direct ? O_DIRECT : 0);
    struct stat st;

    if (!name) {
        return false;
    }
    s->fd = open(name, flags | (n->read_only ? O_RDONLY : O_RDWR));
    if (s->fd < 0 && !n->read_only && n->auto_read_only && (errno == EACCES || errno == EROFS)) {
        s->fd = open(name, flags | O_RDONLY);
        n->read_only = true;
    }
    if (s->fd < 0) {
        error_set_errno(errp, errno, "can't open '%s'", name);
        return false;
    }
    if (fstat(s->fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
        error_setf(errp, ERR_FILE_FORMAT, "'%s' is no file and no block device", name);
        close(s->fd);
        return false;
    }
    s->is_device = S_ISBLK(st.st_mode);
    s->st_blksize = st.st_blksize;
    s->length = lseek(s->fd, 0, SEEK_END);
    n->filename = g_strdup(name);
    return true;
}

static void file_close(BlockNode *n)
{
    close(((FileState *)n->state)->fd);
}

static int64_t file_length(BlockNode *n)
{
    return ((FileState *)n->state)->length;
}

static const char *const file_options[] = { "filename", "aio", "locking", "pr-manager", NULL };

static BlockDriver driver_file = {
    .name = "file", .options = file_options, .state_size = sizeof(FileState),
    .open = file_open, .close = file_close, .length = file_length,
    .co_preadv = file_co_preadv, .co_pwritev = file_co_pwritev, .co_flush = file_co_flush,
    .co_discard = file_co_discard, .co_zero = file_co_zero, .co_truncate = file_co_truncate,
    .limits = file_limits,
};

static BlockDriver driver_host_device = {
    .name = "host_device", .options = file_options, .state_size = sizeof(FileState),
    .open = file_open, .close = file_close, .length = file_length,
    .co_preadv = file_co_preadv, .co_pwritev = file_co_pwritev, .co_flush = file_co_flush,
    .co_discard = file_co_discard, .co_zero = file_co_zero, .co_truncate = file_co_truncate,
    .limits = file_limits,
};

/* --- raw --- */

typedef struct RawState {
    uint64_t offset, size;          /* size 0: to the end */
} RawState;

static bool size_option(const QDict *opts, const char *key, uint64_t *v, Error **errp)
{
    QObject *o = qdict_get(opts, key);
    const char *text;
    char *end;

    if (!o || qobject_get_uint(o, key, v, NULL)) {
        return true;
    }
    text = qobject_get_str(o, key, NULL);
    *v = text ? strtoull(text, &end, 0) : 0;
    if (!text || *end || end == text) {
        error_setf(errp, ERR_WRONG_TYPE, "'%s' isn't a number of bytes", key);
        return false;
    }
    return true;
}

static bool raw_open(BlockNode *n, const QDict *opts, Error **errp)
{
    RawState *s = n->state;
    int64_t len = block_length(n->file);

    if (!size_option(opts, "offset", &s->offset, errp) ||
        !size_option(opts, "size", &s->size, errp)) {
        return false;
    }
    if (len >= 0 && (s->offset > (uint64_t)len || s->size > (uint64_t)len - s->offset)) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "offset %" PRIu64 " and size %" PRIu64 " aren't within the %" PRId64
                   " bytes of '%s'", s->offset, s->size, len, n->file->name);
        return false;
    }
    n->read_only |= n->file->read_only;
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

static int coroutine_fn raw_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov,
                                       size_t niov)
{
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

    if (s->size || s->offset) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s' is a window of its file and can't be resized",
                   n->name);
        return -ENOTSUP;
    }
    if (!n->file->drv->co_truncate) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s': driver '%s' can't resize images",
                   n->file->name, n->file->drv->name);
        return -ENOTSUP;
    }
    return n->file->drv->co_truncate(n->file, length, errp);
}

static const char *const raw_options[] = { "file", "offset", "size", NULL };

static BlockDriver driver_raw = {
    .name = "raw", .options = raw_options, .state_size = sizeof(RawState), .open = raw_open,
    .length = raw_length, .co_preadv = raw_co_preadv, .co_pwritev = raw_co_pwritev,
    .co_flush = raw_co_flush, .co_discard = raw_co_discard, .co_zero = raw_co_zero,
    .co_truncate = raw_co_truncate,
};

/* --- null-co --- */

typedef struct NullState {
    uint64_t size;
} NullState;

static bool null_open(BlockNode *n, const QDict *opts, Error **errp)
{
    NullState *s = n->state;

    s->size = GIB;
    return size_option(opts, "size", &s->size, errp);
}

static int64_t null_length(BlockNode *n)
{
    return ((NullState *)n->state)->size;
}

static int coroutine_fn null_co_preadv(UNUSED BlockNode *n, UNUSED uint64_t offset,
                                       const struct iovec *iov, size_t niov)
{
    iov_memset(iov, niov, 0, 0, iov_size(iov, niov));
    return 0;
}

static int coroutine_fn null_co_pwritev(UNUSED BlockNode *n, UNUSED uint64_t offset,
                                        UNUSED const struct iovec *iov, UNUSED size_t niov)
{
    return 0;
}

static const char *const null_options[] = { "size", "read-zeroes", "latency-ns", NULL };

static BlockDriver driver_null = {
    .name = "null-co", .options = null_options, .state_size = sizeof(NullState),
    .open = null_open, .length = null_length, .co_preadv = null_co_preadv,
    .co_pwritev = null_co_pwritev,
};

static void CONSTRUCTOR register_drivers(void)
{
    block_driver_register(&driver_file);
    block_driver_register(&driver_host_device);
    block_driver_register(&driver_raw);
    block_driver_register(&driver_null);
}
