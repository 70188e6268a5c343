/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/bitmaps.h"

#include <glib.h>
#include "block/block.h"
#include "block/copy.h"
#include "block/track.h"
#include "migration/options.h"
#include "util/bswap.h"

/* A record has at most so many bytes of a map; bounds for what a stream may make us keep. */
#define PIECE_MAX       (256 * KIB)
#define BITMAPS_MAX     65535
#define BYTES_MAX       (4 * GIB)

enum { IS_PERSISTENT = BIT(0), IS_ENABLED = BIT(1) };

/* Bytes of the map from @at on: bit i of it is bit i % 8 of byte i / 8. What no piece has is zero. */
typedef struct Piece {
    uint64_t at;
    size_t len;
    uint8_t data[];
} Piece;

typedef struct Saved {
    char *node, *name;          /* as the stream has them */
    uint64_t size;              /* of the disk */
    uint8_t shift, flags;
    GPtrArray *pieces;          /* of Piece */
} Saved;

struct MigBitmaps {
    GPtrArray *all;             /* of Saved */
    uint64_t bytes;
};

static void saved_free(void *opaque)
{
    Saved *s = opaque;

    g_free(s->node);
    g_free(s->name);
    g_ptr_array_unref(s->pieces);
    g_free(s);
}

MigBitmaps *mig_bitmaps_new(void)
{
    MigBitmaps *m = g_new0(MigBitmaps, 1);

    m->all = g_ptr_array_new_with_free_func(saved_free);
    return m;
}

void mig_bitmaps_free(MigBitmaps *m)
{
    if (m) {
        g_ptr_array_unref(m->all);
        g_free(m);
    }
}

static Saved *add(MigBitmaps *m, char *node, char *name)
{
    Saved *s = g_new0(Saved, 1);

    s->node = node;
    s->name = name;
    s->pieces = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(m->all, s);
    return s;
}

static void add_piece(MigBitmaps *m, Saved *s, uint64_t at, const void *data, size_t len)
{
    Piece *p = g_malloc(sizeof(*p) + len);

    p->at = at;
    p->len = len;
    memcpy(p->data, data, len);
    g_ptr_array_add(s->pieces, p);
    m->bytes += len;
}

static uint64_t map_bytes(uint64_t size, unsigned shift)
{
    return ((size >> shift) + ((size & (BIT64(shift) - 1)) != 0) + 7) / 8;
}

/* ------------------------------------------------------------------- names */

typedef BitmapMigrationNodeAlias NodeAlias;
typedef BitmapMigrationBitmapAlias BitmapAlias;

/* The rows of the mapping: by the name here, or by that in the stream. */
static const NodeAlias *find_node_alias(const char *name, bool in_stream)
{
    const BitmapMigrationNodeAliasList *list = mig_params()->block_bitmap_mapping;

    for (size_t i = 0; list && i < list->n; i++) {
        const NodeAlias *a = list->items[i];

        if (!strcmp(in_stream ? a->alias : a->node_name, name)) {
            return a;
        }
    }
    return NULL;
}

static const BitmapAlias *find_bitmap_alias(const NodeAlias *node, const char *name, bool in_stream)
{
    for (size_t i = 0; i < node->bitmaps->n; i++) {
        const BitmapAlias *a = node->bitmaps->items[i];

        if (!strcmp(in_stream ? a->alias : a->name, name)) {
            return a;
        }
    }
    return NULL;
}

static bool given_twice(const char *what, const char *name, Error **errp)
{
    error_setf(errp, ERR_INVALID_ARGUMENT, "block-bitmap-mapping: %s '%s' is given twice", what, name);
    error_argument(errp, "block-bitmap-mapping", name, "each name once");
    return false;
}

static bool check_node(const NodeAlias *node, Error **errp)
{
    for (size_t i = 0; i < node->bitmaps->n; i++) {
        const BitmapAlias *a = node->bitmaps->items[i];

        if (strlen(a->alias) > UINT8_MAX || strlen(a->name) > UINT8_MAX) {
            error_setf(errp, ERR_OUT_OF_RANGE, "block-bitmap-mapping: the bitmap's name or alias '%.20s...' is "
                       "too long; accepted: 255 bytes", strlen(a->alias) > UINT8_MAX ? a->alias : a->name);
            return false;
        }
        if (find_bitmap_alias(node, a->name, false) != a) {
            return given_twice("bitmap", a->name, errp);
        }
        if (find_bitmap_alias(node, a->alias, true) != a) {
            return given_twice("the bitmap's alias", a->alias, errp);
        }
    }
    return true;
}

bool mig_bitmap_mapping_check(const BitmapMigrationNodeAliasList *list, Error **errp)
{
    for (size_t i = 0; i < list->n; i++) {
        const NodeAlias *a = list->items[i];

        if (!*a->alias || strlen(a->alias) > UINT8_MAX) {
            error_setf(errp, ERR_OUT_OF_RANGE, "block-bitmap-mapping: the alias of node '%s' has %zu bytes; "
                       "accepted: 1 to 255", a->node_name, strlen(a->alias));
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (!strcmp(list->items[k]->node_name, a->node_name)) {
                return given_twice("node", a->node_name, errp);
            }
            if (!strcmp(list->items[k]->alias, a->alias)) {
                return given_twice("the node's alias", a->alias, errp);
            }
        }
        if (!check_node(a, errp)) {
            return false;
        }
    }
    return true;
}

/* What both sides call the node when nobody says: the drive, else a name that somebody has given. */
static const char *common_name(const BlockNode *n)
{
    for (const BlockBackend *b = blk_first(); b; b = b->next) {
        if (b->node == n && *b->id && !b->anonymous) {
            return b->id;
        }
    }
    return *n->name != '#' ? n->name : NULL;
}

static BlockNode *named_node(const char *name)
{
    BlockBackend *b = blk_find(name);

    return b && b->node ? b->node : block_node_find(name);
}

/* -------------------------------------------------------------------- save */

static void save_map(MigBitmaps *m, Saved *s, const uint64_t *map)
{
    uint64_t bytes = map_bytes(s->size, s->shift);
    g_autofree uint8_t *piece = g_malloc(PIECE_MAX);

    for (uint64_t at = 0; at < bytes; at += PIECE_MAX) {
        size_t len = (size_t)MIN(bytes - at, PIECE_MAX);
        uint64_t any = 0;

        for (size_t i = 0; i < len; i += 8) {
            uint64_t word = map[(at + i) / 8];

            any |= word;
            store_le64(piece + i, word);
        }
        if (any) {
            add_piece(m, s, at, piece, len);
        }
    }
}

static bool save_one(MigBitmaps *m, BlockBitmap *b, const char *node, const char *name, Error **errp)
{
    uint64_t *map;
    Saved *s;

    if (!block_bitmap_usable(b, false, errp)) {
        error_prepend(errp, "node '%s' can't be moved with its bitmaps: ", b->track->n->name);
        return false;
    }
    if (!node) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "the bitmap '%s' is of a node whose name '%s' nobody has given: "
                   "it can't be found at the destination", b->name, b->track->n->name);
        error_hint(errp, "give the node a 'node-name', or name it in block-bitmap-mapping");
        return false;
    }
    s = add(m, g_strdup(node), g_strdup(name));
    s->size = b->size;
    s->shift = (uint8_t)b->shift;
    s->flags = (uint8_t)((b->persistent ? IS_PERSISTENT : 0) | (b->enabled ? IS_ENABLED : 0));
    map = block_bitmap_copy(b);
    save_map(m, s, map);
    free(map);
    return true;
}

static bool save_node(MigBitmaps *m, BlockNode *n, Error **errp)
{
    bool mapped = mig_params()->block_bitmap_mapping;
    const NodeAlias *row = mapped ? find_node_alias(n->name, false) : NULL;

    if (mapped && !row) {
        return true;            /* those that aren't named stay here */
    }
    for (BlockBitmap *b = n->track ? n->track->bitmaps : NULL; b; b = b->next) {
        const BitmapAlias *alias = b->name && row ? find_bitmap_alias(row, b->name, false) : NULL;

        if (!b->name || (mapped && !alias)) {
            continue;
        }
        if (!save_one(m, b, row ? row->alias : common_name(n), alias ? alias->alias : b->name, errp)) {
            return false;
        }
    }
    return true;
}

MigBitmaps *mig_bitmaps_save(Error **errp)
{
    MigBitmaps *m = mig_bitmaps_new();

    for (BlockNode *n = block_node_first(); n; n = n->next) {
        if (!save_node(m, n, errp)) {
            mig_bitmaps_free(m);
            return NULL;
        }
    }
    return m;
}

static bool write_piece(const Saved *s, uint64_t at, const void *data, size_t len, MigWriter *w, Error **errp)
{
    mig_begin(w, MIG_BITM);
    mig_put_u16(w, (uint16_t)strlen(s->node));
    mig_put(w, s->node, strlen(s->node));
    mig_put_u16(w, (uint16_t)strlen(s->name));
    mig_put(w, s->name, strlen(s->name));
    mig_put_u8(w, s->flags);
    mig_put_u8(w, s->shift);
    mig_put_u64(w, s->size);
    mig_put_u64(w, at);
    mig_put(w, data, len);
    return mig_end(w, errp);
}

bool mig_bitmaps_write(const MigBitmaps *m, MigWriter *w, Error **errp)
{
    for (guint i = 0; i < m->all->len; i++) {
        const Saved *s = m->all->pdata[i];
        bool ok = s->pieces->len || write_piece(s, 0, "", 0, w, errp);

        for (guint k = 0; ok && k < s->pieces->len; k++) {
            const Piece *p = s->pieces->pdata[k];

            ok = write_piece(s, p->at, p->data, p->len, w, errp);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* -------------------------------------------------------------------- load */

static char *get_name(MigReader *r, Error **errp)
{
    const char *at;
    uint16_t len;
    char *name;

    if (!mig_get_u16(r, &len, errp) || !(at = mig_get(r, len, errp))) {
        return NULL;
    }
    name = g_strndup(at, len);
    if (!*name || strlen(name) != len || !g_utf8_validate(name, -1, NULL)) {
        error_setf(errp, ERR_STATE_INVALID, "a dirty bitmap of the stream has no valid name");
        g_free(name);
        return NULL;
    }
    return name;
}

/* Pieces of one bitmap follow each other. */
static Saved *find_or_add(MigBitmaps *m, char *node, char *name, const Saved *form, Error **errp)
{
    Saved *s = NULL;

    for (guint i = 0; i < m->all->len; i++) {
        s = m->all->pdata[i];
        if (!strcmp(s->node, node) && !strcmp(s->name, name)) {
            break;
        }
        s = NULL;
    }
    if (!s && m->all->len < BITMAPS_MAX) {
        s = add(m, g_strdup(node), g_strdup(name));
        s->size = form->size;
        s->shift = form->shift;
        s->flags = form->flags;
    }
    if (!s || s->size != form->size || s->shift != form->shift || s->flags != form->flags) {
        error_setf(errp, ERR_STATE_INVALID, s ? "the stream has two bitmaps '%s' of node '%s'"
                   : "the stream has too many bitmaps: '%s' of node '%s'", name, node);
        return NULL;
    }
    return s;
}

bool mig_bitmaps_read(MigBitmaps *m, MigReader *r, Error **errp)
{
    g_autofree char *node = get_name(r, errp), *name = node ? get_name(r, errp) : NULL;
    Saved form, *s;
    uint64_t at, end;
    size_t len;

    if (!name || !mig_get_u8(r, &form.flags, errp) || !mig_get_u8(r, &form.shift, errp) ||
        !mig_get_u64(r, &form.size, errp) || !mig_get_u64(r, &at, errp)) {
        return false;
    }
    len = mig_left(r);
    if (form.shift < 9 || form.shift > 31 || form.flags & ~(IS_PERSISTENT | IS_ENABLED) || at % 8 ||
        __builtin_add_overflow(at, len, &end) || end > map_bytes(form.size, form.shift) || m->bytes + len > BYTES_MAX) {
        error_setf(errp, ERR_STATE_INVALID, "the bitmap '%s' of node '%s' has the granularity 2^%u and %zu bytes at "
                   "%" PRIu64 "; the disk has %" PRIu64 " bytes", name, node, form.shift, len, at, form.size);
        return false;
    }
    s = find_or_add(m, node, name, &form, errp);
    if (s && len) {
        add_piece(m, s, at, mig_get(r, len, NULL), len);
    }
    return s;
}

/* As the mapping has it, which must name all that comes if it is there. */
static BlockNode *find_target(const Saved *s, const char **name, bool *persistent, Error **errp)
{
    const NodeAlias *row = find_node_alias(s->node, true);
    const BitmapAlias *alias = row ? find_bitmap_alias(row, s->name, true) : NULL;
    BlockNode *n;

    if (mig_params()->block_bitmap_mapping && !alias) {
        error_setf(errp, ERR_STATE_INVALID, "the stream has a bitmap '%s' of node '%s', which block-bitmap-mapping "
                   "doesn't name", s->name, s->node);
        return NULL;
    }
    n = row ? block_node_find(row->node_name) : named_node(s->node);
    if (!n) {
        error_setf(errp, ERR_STATE_INVALID, "the stream has a bitmap '%s' of node '%s', which isn't here", s->name,
                   row ? row->node_name : s->node);
        return NULL;
    }
    *name = alias ? alias->name : s->name;
    *persistent = s->flags & IS_PERSISTENT;
    if (alias && alias->transform && alias->transform->has_persistent) {
        *persistent = alias->transform->persistent;
    }
    return n;
}

/* The bitmap that gets the contents, empty. The node's requests are held. */
static BlockBitmap *make_target(BlockNode *n, const char *name, const Saved *s, bool persistent, Error **errp)
{
    BlockBitmap *b = block_bitmap_find(n, name, NULL);

    if (b && b->inconsistent) {
        block_bitmap_free(b);           /* of an image that the source has left open; ours is better */
        b = NULL;
    }
    if (!b) {
        if (persistent && !block_can_store_bitmap(n, name, errp)) {
            return NULL;
        }
        b = block_bitmap_new(n, name, s->shift, errp);
    } else if (!block_bitmap_usable(b, true, errp)) {
        return NULL;
    } else if (b->shift != s->shift) {
        error_setf(errp, ERR_STATE_INVALID, "it is here already with the granularity %" PRIu64,
                   (uint64_t)BIT64(b->shift));
        return NULL;
    }
    if (b && b->size != s->size) {
        error_setf(errp, ERR_STATE_INVALID, "the disk has %" PRIu64 " bytes here, %" PRIu64 " there", b->size,
                   s->size);
        return NULL;
    }
    return b;
}

static void fill_target(BlockBitmap *b, const Saved *s, bool persistent)
{
    uint64_t bits = MAX(block_bitmap_bits(b), UINT64_C(1)), *map = bitmap_new(bits);

    for (guint i = 0; i < s->pieces->len; i++) {
        const Piece *p = s->pieces->pdata[i];

        for (size_t k = 0; k < p->len; k++) {
            map[(p->at + k) / 8] |= (uint64_t)p->data[k] << (k % 8 * 8);
        }
    }
    bitmap_clear(map, block_bitmap_bits(b), BITMAP_WORDS(bits) * 64 - block_bitmap_bits(b));
    block_bitmap_take(b, NULL);
    block_bitmap_add_bits(b, map);
    free(map);
    mutex_lock(&b->track->lock);
    b->enabled = s->flags & IS_ENABLED;
    b->persistent = persistent;
    mutex_unlock(&b->track->lock);
}

static bool load_one(const Saved *s, Error **errp)
{
    const char *name = NULL;
    bool persistent = false;
    BlockNode *n = find_target(s, &name, &persistent, errp);
    BlockBitmap *b;
    BlockHold h;

    if (!n) {
        return false;
    }
    block_hold(n, &h);
    b = make_target(n, name, s, persistent, errp);
    if (b) {
        fill_target(b, s, persistent);
    } else {
        error_prepend(errp, "the bitmap '%s' of node '%s': ", name, n->name);
    }
    block_release(&h);
    return b;
}

bool mig_bitmaps_load(MigBitmaps *m, Error **errp)
{
    for (guint i = 0; i < m->all->len; i++) {
        if (!load_one(m->all->pdata[i], errp)) {
            return false;
        }
    }
    return true;
}
