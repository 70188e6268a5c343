/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is told of a node's writes: dirty bitmaps, and the jobs that copy it.
 * A node has a BlockTrack as soon as somebody asks for one; it comes, goes
 * and gets new watchers in the main thread, while the node's requests are held
 * (block_drain_begin). Requests themselves need no lock.
 */
#ifndef BLOCK_TRACK_H
#define BLOCK_TRACK_H

#include "block/block.h"
#include "util/bitmap.h"
#include "util/coroutine.h"

/* --- ranges that are being worked on, in bytes --- */

typedef struct BlockRange {
    uint64_t first, end;
    bool alone;                     /* nobody else works on any byte of it */
    struct BlockRange *next;
} BlockRange;

typedef struct BlockRanges {
    CoMutex lock;
    CoQueue changed;
    BlockRange *held;
} BlockRanges;

void block_ranges_init(BlockRanges *r);
void block_ranges_destroy(BlockRanges *r);      /* nobody holds one */
/* Yield until it can be had. @held lives until it is let go. */
void coroutine_fn block_range_take(BlockRanges *r, BlockRange *held, uint64_t first, uint64_t len,
                                   bool alone);
void coroutine_fn block_range_drop(BlockRanges *r, BlockRange *held);

/* --- dirty bitmaps --- */

typedef struct BlockBitmap {
    char *name;                     /* NULL: a job's own */
    struct BlockTrack *track;
    unsigned shift;                 /* log2 of the bytes a bit */
    uint64_t size;                  /* bytes of the disk */
    uint64_t *map;                  /* guarded by the track's lock, as the next */
    bool enabled;                   /* writes are marked */
    bool persistent, inconsistent;
    const char *busy;               /* who uses it: others keep off; NULL: nobody */
    struct BlockBitmap *next;
} BlockBitmap;

/* --- watchers --- */

typedef enum BlockChange { BLOCK_WRITES, BLOCK_ZEROES, BLOCK_DISCARDS } BlockChange;

typedef struct BlockWatcher {
    /* Before the node changes; a failure is the request's. NULL: nothing. */
    int coroutine_fn (*before)(void *opaque, uint64_t offset, uint64_t len);
    /* After it has; @iov only for writes. Its result is the request's. NULL: nothing. */
    int coroutine_fn (*after)(void *opaque, BlockChange what, uint64_t offset, uint64_t len,
                              const struct iovec *iov, size_t niov, unsigned flags);
    void *opaque;
    struct BlockWatcher *next;
} BlockWatcher;

typedef struct BlockTrack {
    BlockNode *n;                   /* back pointer */
    Mutex lock;
    BlockBitmap *bitmaps;           /* oldest first; owned */
    BlockWatcher *watchers;         /* not owned */
    BlockRanges ranges;             /* of the node's changes, while ordered is set */
    unsigned ordered;               /* somebody needs that changes and copies don't overlap */
    unsigned exclusive;             /* somebody needs that changes don't overlap each other */
} BlockTrack;

/* Main thread, the node's requests are held. Made when there is none. */
BlockTrack *block_track(BlockNode *n);
void block_track_free(BlockNode *n);
void block_watch(BlockNode *n, BlockWatcher *w);
void block_unwatch(BlockNode *n, BlockWatcher *w);

/* The node's changes, as block_co_pwritev and the others do them. */
typedef struct BlockRequest {
    BlockChange what;
    uint64_t offset, len;
    const struct iovec *iov;
    size_t niov;
    unsigned flags;
} BlockRequest;
int coroutine_fn block_tracked(BlockNode *n, const BlockRequest *rq,
                               int coroutine_fn (*change)(BlockNode *n, const BlockRequest *rq));
/* Everything on the node may have changed. */
void block_track_all_dirty(BlockNode *n);
void block_track_resize(BlockNode *n, uint64_t size);

/* --- bitmap.c --- */

/* @name may be NULL. The node's requests are held. */
BlockBitmap *block_bitmap_new(BlockNode *n, const char *name, unsigned shift, Error **errp);
void block_bitmap_free(BlockBitmap *b);
BlockBitmap *block_bitmap_find(BlockNode *n, const char *name, Error **errp);
/* Whether it may be changed; errp says who is in the way. */
bool block_bitmap_usable(const BlockBitmap *b, bool write, Error **errp);
void block_bitmap_mark(BlockBitmap *b, uint64_t offset, uint64_t len);
void block_bitmap_clear(BlockBitmap *b, uint64_t offset, uint64_t len);
/* Adds @from's marks. The granularities may differ. */
void block_bitmap_merge(BlockBitmap *to, BlockBitmap *from);
/* All marks go to @copy (bitmap_new of as many bits, by the caller; NULL: they are dropped). */
void block_bitmap_take(BlockBitmap *b, uint64_t *copy);
void block_bitmap_add_bits(BlockBitmap *b, const uint64_t *map);
uint64_t *block_bitmap_copy(BlockBitmap *b);
uint64_t block_bitmap_bits(const BlockBitmap *b);
uint64_t block_bitmap_count(BlockBitmap *b);        /* bytes */
/* The first marked piece at or after *@offset, at most @max bytes. False: there is none. */
bool block_bitmap_next(BlockBitmap *b, uint64_t *offset, uint64_t max, uint64_t *len);
/* Whether the node's image can keep one more, of that name. */
bool block_can_store_bitmap(BlockNode *n, const char *name, Error **errp);
void block_forget_stored_bitmap(BlockNode *n, const char *name);
/* What granularity one gets that doesn't ask for any: a cluster, at least 64 KiB. */
unsigned block_bitmap_default_shift(BlockNode *n);

#endif
