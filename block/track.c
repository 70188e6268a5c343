/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/track.h"
#include <glib.h>

/* --- ranges --- */

void block_ranges_init(BlockRanges *r)
{
    co_mutex_init(&r->lock);
    co_queue_init(&r->changed);
    r->held = NULL;
}

void block_ranges_destroy(BlockRanges *r)
{
    co_mutex_destroy(&r->lock);
    co_queue_destroy(&r->changed);
}

static bool in_the_way(const BlockRanges *r, const BlockRange *wanted)
{
    for (const BlockRange *h = r->held; h; h = h->next) {
        if ((h->alone || wanted->alone) && h->first < wanted->end && wanted->first < h->end) {
            return true;
        }
    }
    return false;
}

void coroutine_fn block_range_take(BlockRanges *r, BlockRange *held, uint64_t first, uint64_t len,
                                   bool alone)
{
    *held = (BlockRange){ .first = first, .end = first + len, .alone = alone };
    co_mutex_lock(&r->lock);
    while (in_the_way(r, held)) {
        co_queue_wait(&r->changed, &r->lock);
    }
    held->next = r->held;
    r->held = held;
    co_mutex_unlock(&r->lock);
}

void coroutine_fn block_range_drop(BlockRanges *r, BlockRange *held)
{
    BlockRange **pp = &r->held;

    co_mutex_lock(&r->lock);
    while (*pp != held) {
        pp = &(*pp)->next;
    }
    *pp = held->next;
    co_queue_all(&r->changed);
    co_mutex_unlock(&r->lock);
}

/* --- tracks --- */

BlockTrack *block_track(BlockNode *n)
{
    if (!n->track) {
        BlockTrack *t = g_new0(BlockTrack, 1);

        t->n = n;
        mutex_init(&t->lock);
        block_ranges_init(&t->ranges);
        n->track = t;
    }
    return n->track;
}

void block_track_free(BlockNode *n)
{
    BlockTrack *t = n->track;

    if (t) {
        assert(!t->watchers);
        while (t->bitmaps) {
            block_bitmap_free(t->bitmaps);
        }
        block_ranges_destroy(&t->ranges);
        mutex_destroy(&t->lock);
        g_free(t);
        n->track = NULL;
    }
}

void block_watch(BlockNode *n, BlockWatcher *w)
{
    BlockTrack *t = block_track(n);

    w->next = t->watchers;
    t->watchers = w;
}

void block_unwatch(BlockNode *n, BlockWatcher *w)
{
    BlockWatcher **pp = &n->track->watchers;

    while (*pp != w) {
        pp = &(*pp)->next;
    }
    *pp = w->next;
}

/* --- requests --- */

static void mark(BlockTrack *t, uint64_t offset, uint64_t len)
{
    MUTEX_GUARD(&t->lock);
    for (BlockBitmap *b = t->bitmaps; b; b = b->next) {
        if (b->enabled) {
            block_bitmap_mark(b, offset, len);
        }
    }
}

int coroutine_fn block_tracked(BlockNode *n, const BlockRequest *rq,
                               int coroutine_fn (*change)(BlockNode *n, const BlockRequest *rq))
{
    BlockTrack *t = n->track;
    bool ordered = t->ordered || t->exclusive;
    BlockRange held;
    int r = 0;

    if (rq->len == 0) {
        return change(n, rq);
    }
    if (ordered) {
        block_range_take(&t->ranges, &held, rq->offset, rq->len, t->exclusive);
    }
    for (BlockWatcher *w = t->watchers; w && r == 0; w = w->next) {
        r = w->before ? w->before(w->opaque, rq->offset, rq->len) : 0;
    }
    if (r == 0) {
        r = change(n, rq);
        /* Even when it failed: nobody knows what is there now. */
        mark(t, rq->offset, rq->len);
    }
    for (BlockWatcher *w = t->watchers; w && r == 0; w = w->next) {
        r = w->after ? w->after(w->opaque, rq->what, rq->offset, rq->len, rq->iov, rq->niov, rq->flags)
                     : 0;
    }
    if (ordered) {
        block_range_drop(&t->ranges, &held);
    }
    return r;
}

void block_track_all_dirty(BlockNode *n)
{
    if (n->track) {
        mark(n->track, 0, UINT64_MAX);
    }
}

void block_track_resize(BlockNode *n, uint64_t size)
{
    BlockTrack *t = n->track;

    if (!t) {
        return;
    }
    MUTEX_GUARD(&t->lock);
    for (BlockBitmap *b = t->bitmaps; b; b = b->next) {
        uint64_t old = block_bitmap_bits(b), *map;

        b->size = size;
        map = bitmap_new(MAX(block_bitmap_bits(b), UINT64_C(1)));
        memcpy(map, b->map, BITMAP_WORDS(MIN(old, block_bitmap_bits(b))) * 8);
        if (old > block_bitmap_bits(b)) {
            bitmap_clear(map, block_bitmap_bits(b),
                         BITMAP_WORDS(block_bitmap_bits(b)) * 64 - block_bitmap_bits(b));
        }
        free(b->map);
        b->map = map;
    }
}
