/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the jobs on block devices share: copying a range, standing still, parts of chains. Big lock. */
#ifndef BLOCK_COPY_H
#define BLOCK_COPY_H

#include "block/job.h"
#include "block/track.h"

enum { BLOCK_COPY_MAX = 1024 * 1024 };      /* bytes of a piece */

/* Parameters that all of these jobs have. */
typedef struct BlockJobSpec {
    const char *id;                 /* NULL: the device's, @device */
    const char *device;
    bool manual_finalize, manual_dismiss;
    int64_t speed;
    BlockdevOnError on_source_error, on_target_error;
    JobTxn *txn;
    bool wait;                      /* the caller calls job_go, or job_discard */
} BlockJobSpec;
/* job_new with the id, speed and nodes of @s checked. */
Job *block_job_new(const BlockJobSpec *s, const JobOps *ops, void *opaque, Error **errp);

/* Requests of all back ends above a node wait, and jobs stand still. */
typedef struct BlockHold {
    BlockBackend **held;
    size_t count;
} BlockHold;
void block_hold(BlockNode *n, BlockHold *h);
void block_release(BlockHold *h);

/* At most BLOCK_COPY_MAX bytes; zeros stay zeros. *@reading tells which side a failure was on. @unmap:
 * zeros may become holes. Images that are longer than the other one's end read as zeros. */
int coroutine_fn block_copy_range(BlockNode *from, BlockNode *to, uint64_t offset, uint64_t len, bool unmap,
                                  bool *reading);
/* What a job does with an image, piece by piece. */
typedef struct BlockPass {
    BlockNode *top, *base;          /* the images looked at: from @top down to above @base (NULL: all) */
    uint64_t len;
    /* Is there something to do? @where: the node that has it. What is left out counts as done. */
    bool (*wanted)(const void *opaque, const BlockStatus *st, const BlockNode *where);
    JobPieceFn *piece;
    bool (*goes_on)(const void *opaque);    /* after what has happened so far */
} BlockPass;
/* Runs @piece over them and waits for the last. False: the job was cancelled. *@error: the chain can't be read. */
bool coroutine_fn block_pass(Job *j, const BlockPass *p, void *opaque, int *error);
/* A copy of what is read anyway: neither bitmaps nor watchers are told. */
int coroutine_fn block_co_fill(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov);
/* The node whose image below is @n, in the chain of @top; NULL: there is none. */
BlockNode *block_overlay_of(BlockNode *top, BlockNode *n);
/* By file name, in the chain below @top. */
BlockNode *block_find_in_chain(BlockNode *top, const char *filename);
/* @n gets another image below, in memory and (@file not NULL, or @below NULL) in its file. Requests are held. */
bool block_change_backing(BlockNode *n, BlockNode *below, const char *file, Error **errp);
int block_flush_now(BlockNode *n);
/* A node for @filename, which is made with @format and @size unless it exists. */
BlockNode *block_open_target(BlockNode *source, const char *filename, const char *format, bool make,
                             BlockNode *backing, const char *node_name, Error **errp);

/* --- the jobs: NULL with errp set --- */

/* @base: stays below; NULL: nothing does. @backing_file: how it is written; NULL: its file name. */
Job *block_stream_start(const BlockJobSpec *s, BlockNode *top, BlockNode *base, const char *backing_file,
                        Error **errp);
/* @root: the device's; @top isn't it. */
Job *block_commit_start(const BlockJobSpec *s, BlockNode *root, BlockNode *top, BlockNode *base,
                        const char *backing_file, Error **errp);

/* Copies what @b's image holds into the one below and empties it. Waits; events are handled meanwhile. */
bool block_commit_down(BlockBackend *b, Error **errp);

typedef struct BlockMirrorSpec {
    BlockNode *from, *to;           /* @from: what is read and watched */
    BlockNode *replaces;            /* what @to replaces in the end */
    BlockNode *end;                 /* MIRROR_SYNC_MODE_TOP: not copied, as what is below it */
    MirrorSyncMode sync;
    uint32_t granularity;           /* 0: default */
    bool unmap, blocking;           /* guest's writes wait for the copy's */
    bool commit;                    /* @to is below @from */
    BlockNode *backing;             /* what @to gets as the image below in the end; NULL: it keeps its own */
} BlockMirrorSpec;
Job *block_mirror_start(const BlockJobSpec *s, const BlockMirrorSpec *m, Error **errp);

typedef struct BlockBackupSpec {
    BlockNode *from, *to;
    MirrorSyncMode sync;
    BlockBitmap *bitmap;            /* may be NULL */
    BitmapSyncMode bitmap_mode;
    bool compress;
} BlockBackupSpec;
Job *block_backup_start(const BlockJobSpec *s, const BlockBackupSpec *b, Error **errp);

#endif
