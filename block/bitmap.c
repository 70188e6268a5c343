/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty bitmaps: what was written since somebody last asked. */
#include "util/osdep.h"
#include <glib.h>
#include "block/track.h"

enum { MAX_NAME = 1023, MIN_SHIFT = 9, MAX_SHIFT = 31 };

uint64_t block_bitmap_bits(const BlockBitmap *b)
{
    return (b->size + (BIT64(b->shift) - 1)) >> b->shift;
}

unsigned block_bitmap_default_shift(BlockNode *n)
{
    BlockFormatInfo f = { 0 };

    if (n->drv->info) {
        n->drv->info(n, &f);
    }
    return f.cluster_size ? MIN(MAX(__builtin_ctzll(f.cluster_size), 12), 16) : 16;
}

BlockBitmap *block_bitmap_new(BlockNode *n, const char *name, unsigned shift, Error **errp)
{
    BlockTrack *t = block_track(n);
    BlockBitmap *b, **end = &t->bitmaps;
    int64_t size = block_length(n);

    if (size < 0) {
        error_set_errno(errp, -size, "could not get length of device");
        return NULL;
    }
    if (shift < MIN_SHIFT || shift > MAX_SHIFT) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Granularity must be power of 2, and at least 512");
        return NULL;
    }
    if (name && (!*name || strlen(name) > MAX_NAME)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, *name ? "Bitmap name is too long"
                   : "Bitmap name cannot be empty");
        return NULL;
    }
    for (; *end; end = &(*end)->next) {
        if (name && (*end)->name && strcmp((*end)->name, name) == 0) {
            error_setf(errp, ERR_DUPLICATE_ID, "Bitmap already exists: %s", name);
            return NULL;
        }
    }
    b = g_new0(BlockBitmap, 1);
    *b = (BlockBitmap){ .name = g_strdup(name), .track = t, .shift = shift, .size = size,
                        .enabled = true };
    b->map = bitmap_new(MAX(block_bitmap_bits(b), UINT64_C(1)));
    mutex_lock(&t->lock);
    *end = b;
    mutex_unlock(&t->lock);
    return b;
}

void block_bitmap_free(BlockBitmap *b)
{
    BlockBitmap **pp;

    if (!b) {
        return;
    }
    mutex_lock(&b->track->lock);
    for (pp = &b->track->bitmaps; *pp != b; pp = &(*pp)->next) {
    }
    *pp = b->next;
    mutex_unlock(&b->track->lock);
    free(b->map);
    g_free(b->name);
    g_free(b);
}

BlockBitmap *block_bitmap_find(BlockNode *n, const char *name, Error **errp)
{
    for (BlockBitmap *b = n->track ? n->track->bitmaps : NULL; b; b = b->next) {
        if (b->name && strcmp(b->name, name) == 0) {
            return b;
        }
    }
    error_setf(errp, ERR_NO_SUCH_OBJECT, "Dirty bitmap '%s' not found", name);
    return NULL;
}

bool block_bitmap_usable(const BlockBitmap *b, bool write, Error **errp)
{
    if (b->busy) {
        error_setf(errp, ERR_IN_USE, "Bitmap '%s' is currently in use by another operation and cannot be used",
                   b->name);
    } else if (b->inconsistent) {
        error_setf(errp, ERR_WRONG_STATE, "Bitmap '%s' is inconsistent and cannot be used", b->name);
        error_hint(errp, "Try block-dirty-bitmap-remove to delete this bitmap from disk");
    } else if (write && b->persistent && b->track->n->read_only) {
        error_setf(errp, ERR_PERMISSION, "Bitmap '%s' is readonly and cannot be modified", b->name);
    } else {
        return true;
    }
    return false;
}

/* Under the track's lock. */
static void change(BlockBitmap *b, uint64_t offset, uint64_t len, bool on)
{
    uint64_t first, end;

    if (offset >= b->size || len == 0) {
        return;
    }
    len = MIN(len, b->size - offset);
    first = offset >> b->shift;
    end = (offset + len - 1) >> b->shift;
    if (on) {
        bitmap_set(b->map, first, end - first + 1);
    } else {
        bitmap_clear(b->map, first, end - first + 1);
    }
}

void block_bitmap_mark(BlockBitmap *b, uint64_t offset, uint64_t len)
{
    change(b, offset, len, true);
}

void block_bitmap_clear(BlockBitmap *b, uint64_t offset, uint64_t len)
{
    MUTEX_GUARD(&b->track->lock);
    change(b, offset, len, false);
}

uint64_t block_bitmap_count(BlockBitmap *b)
{
    uint64_t bits = block_bitmap_bits(b), n;

    MUTEX_GUARD(&b->track->lock);
    n = bitmap_count(b->map, bits) << b->shift;
    return n;
}

uint64_t *block_bitmap_copy(BlockBitmap *b)
{
    uint64_t bits = MAX(block_bitmap_bits(b), UINT64_C(1)), *map = bitmap_new(bits);

    MUTEX_GUARD(&b->track->lock);
    memcpy(map, b->map, BITMAP_WORDS(bits) * 8);
    return map;
}

void block_bitmap_take(BlockBitmap *b, uint64_t *copy)
{
    size_t bytes = BITMAP_WORDS(MAX(block_bitmap_bits(b), UINT64_C(1))) * 8;

    MUTEX_GUARD(&b->track->lock);
    if (copy) {
        memcpy(copy, b->map, bytes);
    }
    memset(b->map, 0, bytes);
}

void block_bitmap_add_bits(BlockBitmap *b, const uint64_t *map)
{
    MUTEX_GUARD(&b->track->lock);
    for (size_t i = 0; i < BITMAP_WORDS(block_bitmap_bits(b)); i++) {
        b->map[i] |= map[i];
    }
}

void block_bitmap_merge(BlockBitmap *to, BlockBitmap *from)
{
    uint64_t *map = block_bitmap_copy(from), bits = block_bitmap_bits(from);

    if (to->shift == from->shift && to->size == from->size) {
        block_bitmap_add_bits(to, map);
    } else {
        MUTEX_GUARD(&to->track->lock);
        BITMAP_FOR_EACH(i, map, bits) {
            change(to, (uint64_t)i << from->shift, BIT64(from->shift), true);
        }
    }
    free(map);
}

bool block_bitmap_next(BlockBitmap *b, uint64_t *offset, uint64_t max, uint64_t *len)
{
    uint64_t bits, first, end;

    MUTEX_GUARD(&b->track->lock);
    bits = block_bitmap_bits(b);
    first = *offset >= b->size ? bits : bitmap_find_set(b->map, bits, *offset >> b->shift);
    if (first >= bits) {
        return false;
    }
    end = bitmap_find_clear(b->map, MIN(bits, first + MAX(max >> b->shift, UINT64_C(1))), first);
    *offset = MAX(*offset, first << b->shift);
    *len = MIN(end << b->shift, b->size) - *offset;
    return true;
}

/* --- in images --- */

bool block_can_store_bitmap(BlockNode *n, const char *name, Error **errp)
{
    if (!n->drv->can_store_bitmap) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Cannot store dirty bitmaps in file '%s'",
                   n->filename ? n->filename : n->name);
        return false;
    }
    if (n->read_only) {
        error_setf(errp, ERR_PERMISSION, "Block node is read-only");
        return false;
    }
    return n->drv->can_store_bitmap(n, name, errp);
}

void block_forget_stored_bitmap(BlockNode *n, const char *name)
{
    if (n->drv->forget_bitmap) {
        n->drv->forget_bitmap(n, name);
    }
}
