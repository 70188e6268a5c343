/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about dirty bitmaps. Each can be undone, for transactions. */
#include "util/osdep.h"
#include <glib.h>
#include "block/bitmap-qmp.h"
#include "block/block-qmp.h"
#include "block/copy.h"
#include "qapi/commands-block-jobs.h"

static BlockNode *node_of(const char *name, Error **errp)
{
    BlockNode *n = NULL;

    for (BlockBackend *b = blk_first(); b && !n; b = b->next) {
        n = !strcmp(b->id, name) ? b->node : NULL;
    }
    n = n ? n : block_node_find(name);
    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "Cannot find device='%s' nor node-name='%s'", name, name);
    }
    return n;
}

BlockBitmap *block_qmp_bitmap(const char *node, const char *name, Error **errp)
{
    BlockNode *n = node_of(node, errp);

    return n ? block_bitmap_find(n, name, errp) : NULL;
}

static BlockBitmap *bitmap_of(const char *node, const char *name, bool write, Error **errp)
{
    BlockNode *n = node_of(node, errp);
    BlockBitmap *b = n ? block_bitmap_find(n, name, errp) : NULL;

    return b && block_bitmap_usable(b, write, errp) ? b : NULL;
}

bool block_do_bitmap_add(const BlockDirtyBitmapAdd *a, BitmapUndo *u, Error **errp)
{
    BlockNode *n = node_of(a->node, errp);
    unsigned shift;
    BlockHold h;

    if (!n) {
        return false;
    }
    if (a->has_granularity && (a->granularity < 512 || !IS_POWER_OF_2(a->granularity))) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Granularity must be power of 2, and at least 512");
        return false;
    }
    if (a->has_persistent && a->persistent && !block_can_store_bitmap(n, a->name, errp)) {
        return false;
    }
    shift = a->has_granularity ? (unsigned)__builtin_ctz(a->granularity) : block_bitmap_default_shift(n);
    block_hold(n, &h);
    u->bitmap = block_bitmap_new(n, a->name, shift, errp);
    if (u->bitmap) {
        u->what = BITMAP_ADDED;
        u->bitmap->persistent = a->has_persistent && a->persistent;
        u->bitmap->enabled = !a->has_disabled || !a->disabled;
    }
    block_release(&h);
    return u->bitmap;
}

bool block_do_bitmap_remove(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp)
{
    BlockNode *n = node_of(a->node, errp);
    BlockBitmap *b = n ? block_bitmap_find(n, a->name, errp) : NULL;

    if (!b) {
        return false;
    }
    if (!b->inconsistent && !block_bitmap_usable(b, true, errp)) {
        return false;
    }
    /* It goes when all else has gone well. */
    *u = (BitmapUndo){ BITMAP_REMOVED, b, NULL, b->enabled };
    b->busy = "remove";
    return true;
}

bool block_do_bitmap_clear(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp)
{
    BlockBitmap *b = bitmap_of(a->node, a->name, true, errp);

    if (b) {
        *u = (BitmapUndo){ BITMAP_CLEARED, b, block_bitmap_copy(b), b->enabled };
        block_bitmap_take(b, NULL);
    }
    return b;
}

static bool switch_on(const BlockDirtyBitmap *a, bool on, BitmapUndo *u, Error **errp)
{
    BlockBitmap *b = bitmap_of(a->node, a->name, true, errp);

    if (b) {
        *u = (BitmapUndo){ BITMAP_SWITCHED, b, NULL, b->enabled };
        mutex_lock(&b->track->lock);
        b->enabled = on;
        mutex_unlock(&b->track->lock);
    }
    return b;
}

bool block_do_bitmap_enable(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp)
{
    return switch_on(a, true, u, errp);
}

bool block_do_bitmap_disable(const BlockDirtyBitmap *a, BitmapUndo *u, Error **errp)
{
    return switch_on(a, false, u, errp);
}

bool block_do_bitmap_merge(const BlockDirtyBitmapMerge *a, BitmapUndo *u, Error **errp)
{
    BlockBitmap *to = bitmap_of(a->node, a->target, true, errp);

    if (!to) {
        return false;
    }
    *u = (BitmapUndo){ BITMAP_CLEARED, to, block_bitmap_copy(to), to->enabled };
    for (size_t i = 0; i < a->bitmaps->n; i++) {
        const BlockDirtyBitmapOrStr *o = a->bitmaps->items[i];
        bool local = o->alt == BLOCK_DIRTY_BITMAP_OR_STR_ALT_LOCAL;
        BlockBitmap *from = bitmap_of(local ? a->node : o->u.external.node,
                                      local ? o->u.local : o->u.external.name, false, errp);

        if (!from) {
            block_bitmap_undo(u);
            return false;
        }
        if (from->size != to->size) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "Bitmaps are of different sizes (destination size is %"
                       PRIu64 " and source size is %" PRIu64 ") and can't be merged", to->size, from->size);
            block_bitmap_undo(u);
            return false;
        }
        block_bitmap_merge(to, from);
    }
    return true;
}

void block_bitmap_undo(BitmapUndo *u)
{
    BlockBitmap *b = u->bitmap;

    switch (u->what) {
    case BITMAP_ADDED:
        block_bitmap_free(b);
        break;
    case BITMAP_CLEARED:
        block_bitmap_take(b, NULL);
        block_bitmap_add_bits(b, u->map);
        free(u->map);
        break;
    case BITMAP_SWITCHED:
        b->enabled = u->enabled;
        break;
    case BITMAP_REMOVED:
        b->busy = NULL;
        break;
    case BITMAP_NOTHING:
        break;
    }
    *u = (BitmapUndo){ 0 };
}

void block_bitmap_done(BitmapUndo *u)
{
    if (u->what == BITMAP_REMOVED) {
        BlockHold h;
        BlockNode *n = u->bitmap->track->n;

        block_hold(n, &h);
        if (u->bitmap->persistent) {
            block_forget_stored_bitmap(n, u->bitmap->name);
        }
        block_bitmap_free(u->bitmap);
        block_release(&h);
    }
    free(u->map);
    *u = (BitmapUndo){ 0 };
}

/* --- commands --- */

#define ALONE(name, type)                                                                   \
    bool qmp_block_dirty_##name(const type *arg, Error **errp)                              \
    {                                                                                       \
        BitmapUndo u = { 0 };                                                               \
        bool ok = block_do_##name(arg, &u, errp);                                           \
                                                                                            \
        block_bitmap_done(&u);                                                              \
        return ok;                                                                          \
    }

ALONE(bitmap_add, BlockDirtyBitmapAdd)
ALONE(bitmap_remove, BlockDirtyBitmap)
ALONE(bitmap_clear, BlockDirtyBitmap)
ALONE(bitmap_enable, BlockDirtyBitmap)
ALONE(bitmap_disable, BlockDirtyBitmap)
ALONE(bitmap_merge, BlockDirtyBitmapMerge)

BlockDirtyInfoList *block_qmp_bitmaps(BlockNode *n)
{
    BlockDirtyInfoList *list = qapi_new(BlockDirtyInfoList);

    for (BlockBitmap *b = n->track ? n->track->bitmaps : NULL; b; b = b->next) {
        BlockDirtyInfo *info = qapi_new(BlockDirtyInfo);

        info->name = b->name ? strdup(b->name) : NULL;
        info->count = (int64_t)block_bitmap_count(b);
        info->granularity = (uint32_t)BIT64(b->shift);
        info->recording = b->enabled && !b->inconsistent;
        info->busy = b->busy;
        info->persistent = b->persistent;
        if (b->inconsistent) {
            QAPI_SET(info, inconsistent, true);
        }
        qapi_list_append(list, info);
    }
    return list;
}
