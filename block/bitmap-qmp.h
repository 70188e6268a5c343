/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What transactions share with the commands about bitmaps: actions, and how they are undone. Big lock. */
#ifndef BLOCK_BITMAP_QMP_H
#define BLOCK_BITMAP_QMP_H

#include "block/track.h"
#include "qapi/types-block-jobs.h"

typedef struct BitmapUndo {
    enum { BITMAP_NOTHING, BITMAP_ADDED, BITMAP_REMOVED, BITMAP_CLEARED, BITMAP_SWITCHED } what;
    BlockBitmap *bitmap;
    uint64_t *map;                  /* owned */
    bool enabled;
} BitmapUndo;

bool block_do_bitmap_add(const BlockDirtyBitmapAdd *a, BitmapUndo *u, Error **errp);
bool block_do_bitmap_remove(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp);
bool block_do_bitmap_clear(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp);
bool block_do_bitmap_enable(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp);
bool block_do_bitmap_disable(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp);
bool block_do_bitmap_merge(const BlockDirtyBitmapMerge *a, BitmapUndo *u, Error **errp);
/* One or the other, after an action. */
void block_bitmap_undo(BitmapUndo *u);
void block_bitmap_done(BitmapUndo *u);

/* Of a node's name, or a back end's id. */
BlockBitmap *block_qmp_bitmap(const char *node, const char *name, Error **errp);
BlockDirtyInfoList *block_qmp_bitmaps(BlockNode *n);

#endif
