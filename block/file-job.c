/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files: system calls that block, for worker threads. */
#include "util/osdep.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <unistd.h>
#include "block/file.h"
#include "util/iov.h"
#include "util/main-loop.h"

/* All of it, whatever the kernel does at a time; what is past the end of the file reads as zeros. */
static int transfer(const FileJob *j)
{
    struct iovec *v = malloc(MAX(j->niov, (size_t)1) * sizeof(*v)), *at = v;
    size_t left = j->niov, todo;
    uint64_t offset = j->offset;
    int r = 0;

    if (!v) {
        return -ENOMEM;
    }
    memcpy(v, j->iov, j->niov * sizeof(*v));
    todo = iov_size(v, left);
    while (todo > 0 && r == 0) {
        int count = MIN(left, (size_t)IOV_MAX);
        ssize_t n = j->what == JOB_READ ? preadv(j->fd, at, count, offset)
                                        : pwritev(j->fd, at, count, offset);

        if (n > 0) {
            iov_drop_front(&at, &left, n);
            offset += n;
            todo -= n;
        } else if (n == 0 && j->what == JOB_READ) {
            iov_memset(at, left, 0, 0, todo);
            todo = 0;
        } else if (n == 0) {
            r = -ENOSPC;
        } else if (errno != EINTR) {
            r = -errno;
        }
    }
    free(v);
    return r;
}

static int punch(const FileJob *j)
{
    int mode = FALLOC_FL_KEEP_SIZE | (j->what == JOB_ZERO ? FALLOC_FL_ZERO_RANGE
                                                          : FALLOC_FL_PUNCH_HOLE);

    while (fallocate(j->fd, mode, j->offset, j->len) < 0) {
        if (errno != EINTR) {
            return errno == EOPNOTSUPP || errno == ENODEV || errno == EINVAL ? -ENOTSUP : -errno;
        }
    }
    return 0;
}

/* Holes of the file, as far as its file system tells. */
static int status(const FileJob *j)
{
    off_t data = lseek(j->fd, j->offset, SEEK_DATA), hole;
    bool have = data >= 0 || errno == ENXIO;

    *j->status = (BlockStatus){ .len = j->len, .allocated = true, .data = true, .has_offset = true,
                                .offset = j->offset };
    if (!have) {
        return 0;
    }
    if (data < 0 || (uint64_t)data > j->offset) {
        j->status->data = false;
        j->status->zero = true;
        j->status->len = data < 0 ? j->len : MIN(j->len, data - j->offset);
        return 0;
    }
    hole = lseek(j->fd, j->offset, SEEK_HOLE);
    if (hole > (off_t)j->offset) {
        j->status->len = MIN(j->len, hole - j->offset);
    }
    return 0;
}

int file_job(void *job)
{
    FileJob *j = job;

    switch (j->what) {
    case JOB_READ:
    case JOB_WRITE:
        return transfer(j);
    case JOB_FLUSH:
        return fdatasync(j->fd) < 0 ? -errno : 0;
    case JOB_TRUNCATE:
        return ftruncate(j->fd, j->len) < 0 ? -errno : 0;
    case JOB_STATUS:
        return status(j);
    default:
        return punch(j);
    }
}

/*
 * A small access of what the host has in memory takes less time than waking a thread. Reads by
 * RWF_NOWAIT (preadv2(2)) give what the page cache has; where it has nothing several times
 * running, it is asked less often. What the page cache holds isn't part of a run that can be repeated.
 */
int file_job_now(FileState *s, const FileJob *j)
{
    size_t len = iov_size(j->iov, j->niov);
    unsigned misses = atomic_load(&s->misses);
    ssize_t n;

    if (main_loop_is_counted() || len > FILE_NOW_BYTES || j->niov > IOV_MAX || s->alignment > 1 || s->is_device) {
        return -EAGAIN;
    }
    if (s->in_memory) {
        n = j->what == JOB_READ ? preadv(j->fd, j->iov, j->niov, j->offset)
                                : pwritev(j->fd, j->iov, j->niov, j->offset);
    } else if (j->what == JOB_READ && (misses < 8 || misses % 64 == 0)) {
        n = preadv2(j->fd, j->iov, j->niov, j->offset, RWF_NOWAIT);
    } else {
        if (j->what == JOB_READ) {
            atomic_store(&s->misses, misses + 1);
        }
        return -EAGAIN;
    }
    if (j->what == JOB_READ) {
        atomic_store(&s->misses, n == (ssize_t)len ? 0 : misses + 1);
    }
    return n == (ssize_t)len ? 0 : -EAGAIN;
}
