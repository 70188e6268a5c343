/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the drivers "file" and "host_device": what their parts know of each other. Blocking
 * parts run in worker threads, on a FileState that stays as long as requests do.
 */
#ifndef BLOCK_FILE_H
#define BLOCK_FILE_H

#include "block/block.h"
#include "util/coroutine.h"

typedef struct FileState {
    int fd;
    _Atomic int64_t length;
    bool is_device;
    bool locked;                    /* image locking is on */
    uint32_t st_blksize;
    uint32_t alignment;             /* of O_DIRECT requests: 1 without */
    enum { AIO_THREADS, AIO_NATIVE, AIO_URING } aio;
    uint32_t max_batch;             /* of requests that are handed over together; 0: no limit of this file's */
    bool drop_cache, check_dropped; /* when the image becomes active: what the host has of it goes; it must be gone */
    bool in_memory;                 /* a file system without a disk: nothing waits */
    _Atomic unsigned misses;        /* how many small reads the cache didn't have, one after another */
    _Atomic uint64_t discards_ok, discards_failed, discarded_bytes;
    CoMutex unaligned;              /* held by requests that read, change and write a block */
} FileState;

/* What became of the guest's discards; false: the node is no file. */
typedef struct FileDiscards {
    uint64_t ok, failed, bytes;
} FileDiscards;
bool file_discards(const BlockNode *n, FileDiscards *d);

typedef struct FileJob {
    int fd;
    enum { JOB_READ, JOB_WRITE, JOB_FLUSH, JOB_DISCARD, JOB_ZERO, JOB_TRUNCATE, JOB_STATUS } what;
    uint64_t offset, len;
    const struct iovec *iov;
    size_t niov;
    BlockStatus *status;
    int64_t length;
} FileJob;

/* --- file-job.c: what blocks --- */
int file_job(void *job);
/* Reads and writes that can be done at once, without waiting for a disk; -EAGAIN: they can't. */
enum { FILE_NOW_BYTES = 512 * 1024 };
int file_job_now(FileState *s, const FileJob *j);

/* --- file-lock.c: OFD locks, as other programs that use images take them --- */
bool file_lock(int fd, const char *name, bool write, Error **errp);
void file_unlock(int fd);
/* The rights become those of a reader or a writer; on failure they stay what they were. */
bool file_relock(int fd, const char *name, bool write, Error **errp);

/* --- file-cache.c --- */

/* What the host's cache has of the file is forgotten; with @check it fails when something is there still. Blocks. */
bool file_drop_cache(int fd, const char *name, bool check, Error **errp);

/* --- file-native.c: aio=native; -ENOTSUP: use a thread --- */
int coroutine_fn file_native(const FileJob *job);
bool file_native_check(Error **errp);
void file_native_forget(EventLoop *loop);

/* --- file-aio.c: io_uring; -ENOTSUP: use a thread --- */
int coroutine_fn file_aio(FileState *s, const FileJob *job);
/* Whether the kernel and the build have it; errp says why not. */
bool file_aio_check(int kind, Error **errp);

#endif
