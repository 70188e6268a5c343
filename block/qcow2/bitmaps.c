/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: dirty bitmaps that are kept in the image (Spec "Bitmaps extension", "Bitmap directory"). They are
 * read at opening and written at closing; in between their entries say "in use" in the file, so that
 * after a crash nobody believes them.
 */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "block/track.h"
#include "util/bswap.h"

enum { ENTRY = 24, IN_USE = 1, AUTO = 2, TYPE_DIRTY = 1, EXT_LEN = 24 };
#define MAX_BITMAPS         65535
#define MAX_DIRECTORY       (64 * MIB)
#define MAX_BITMAP_BYTES    (512 * MIB)

static Extension *extension(Qcow2 *s)
{
    for (guint i = 0; s->extensions && i < s->extensions->len; i++) {
        Extension *e = &g_array_index(s->extensions, Extension, i);

        if (e->type == EXT_BITMAPS && e->len >= EXT_LEN) {
            return e;
        }
    }
    return NULL;
}

/* The directory in memory, checked as far as its entries lie in it; NULL with errp set. */
static uint8_t *coroutine_fn read_directory(Qcow2 *s, uint64_t *size, uint32_t *count, Error **errp)
{
    const Extension *e = extension(s);
    uint64_t offset = load_be64(e->data + 16), at = 0;
    uint8_t *b;
    int r;

    *count = load_be32(e->data);
    *size = load_be64(e->data + 8);
    if (*size > MAX_DIRECTORY || *count > MAX_BITMAPS || offset & (s->cluster_size - 1)) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the bitmap directory at offset 0x%" PRIx64 " has %u bitmaps and %"
                   PRIu64 " bytes; accepted: whole clusters' offsets, 64 MiB", offset, *count, *size);
        return NULL;
    }
    b = g_malloc0(*size + ENTRY);
    r = qcow2_read(s, offset, b, *size);
    if (r < 0) {
        error_set_errno(errp, -r, "can't read the bitmap directory at offset 0x%" PRIx64, offset);
        g_free(b);
        return NULL;
    }
    for (uint32_t i = 0; i < *count; i++) {
        uint64_t len = at + ENTRY > *size ? UINT64_MAX
                       : ENTRY + (uint64_t)load_be16(b + at + 18) + load_be32(b + at + 20);

        if (len == UINT64_MAX || len > *size - at) {
            error_setf(errp, ERR_IMAGE_CORRUPT, "entry %u of the bitmap directory at offset 0x%" PRIx64
                       " is longer than it", i, offset);
            g_free(b);
            return NULL;
        }
        at = MIN(at + ALIGN_UP(len, UINT64_C(8)), *size);
    }
    return b;
}

static uint64_t next_entry(const uint8_t *e)
{
    return ALIGN_UP(ENTRY + (uint64_t)load_be16(e + 18) + load_be32(e + 20), UINT64_C(8));
}

static uint64_t table_entries(const Qcow2 *s, const BlockBitmap *b)
{
    return clusters_for(s, (block_bitmap_bits(b) + 7) / 8);
}

/* --- reading --- */

/* Spec "Bitmap data": bit i is bit i % 8 of byte i / 8. */
static void put_bits(BlockBitmap *b, uint64_t first, const uint8_t *bytes, uint64_t n)
{
    uint64_t bits = block_bitmap_bits(b);

    for (uint64_t i = 0; i < n; i++) {
        for (unsigned k = 0; bytes[i] && k < 8; k++) {
            uint64_t bit = (first + i) * 8 + k;

            if (bytes[i] >> k & 1 && bit < bits) {
                bitmap_set_bit(b->map, bit);
            }
        }
    }
}

static bool coroutine_fn read_data(Qcow2 *s, BlockBitmap *b, uint64_t table, uint32_t entries, Error **errp)
{
    uint64_t *t = g_new(uint64_t, entries + 1);
    uint8_t *cluster = g_malloc(s->cluster_size);
    int r = qcow2_read(s, table, t, entries * UINT64_C(8));

    for (uint32_t i = 0; i < entries && r == 0; i++) {
        uint64_t e = load_be64(&t[i]), offset = e & OFFSET_MASK;

        if (offset & (s->cluster_size - 1) || e & ~(OFFSET_MASK | 1)) {
            r = -EINVAL;
        } else if (offset) {
            r = qcow2_read(s, offset, cluster, s->cluster_size);
        } else {
            memset(cluster, e & 1 ? 0xff : 0, s->cluster_size);
        }
        if (r == 0) {
            put_bits(b, i * s->cluster_size, cluster, s->cluster_size);
        }
    }
    g_free(cluster);
    g_free(t);
    if (r < 0) {
        error_set_errno(errp, -r, "can't read the bitmap '%s', whose table is at offset 0x%" PRIx64, b->name, table);
    }
    return r == 0;
}

static bool coroutine_fn load_one(Qcow2 *s, const uint8_t *e, Error **errp)
{
    uint32_t entries = load_be32(e + 8), flags = load_be32(e + 12), extra = load_be32(e + 20);
    char *name = g_strndup((const char *)e + ENTRY + extra, load_be16(e + 18));
    uint64_t table = load_be64(e);
    BlockBitmap *b = block_bitmap_find(s->n, name, NULL);
    bool ok = true;

    block_bitmap_free(b);               /* the image is read again */
    if (e[16] != TYPE_DIRTY || e[17] < 9 || e[17] > 31 || extra ||
        (block_length(s->n) >> e[17]) / 8 > (int64_t)MAX_BITMAP_BYTES) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the bitmap '%s' has the type %u, the granularity 2^%u and %u bytes more; "
                   "accepted: 1, 2^9 to 2^31, up to 512 MiB of bits, 0", name, e[16], e[17], extra);
        g_free(name);
        return false;
    }
    b = block_bitmap_new(s->n, name, e[17], errp);
    g_free(name);
    if (!b) {
        return false;
    }
    b->persistent = true;
    b->enabled = flags & AUTO;
    b->inconsistent = flags & IN_USE;
    if (!b->inconsistent && (entries != table_entries(s, b) || table & (s->cluster_size - 1))) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the bitmap '%s' has %u clusters from offset 0x%" PRIx64 " on; the disk "
                   "needs %" PRIu64, b->name, entries, table, table_entries(s, b));
        ok = false;
    }
    return ok && (b->inconsistent || read_data(s, b, table, entries, errp));
}

int coroutine_fn qcow2_mark_bitmaps_in_use(Qcow2 *s)
{
    const Extension *e = extension(s);
    uint64_t size, at = 0;
    uint32_t count;
    uint8_t *b;
    int r = 0;

    if (!e || !(s->autoclear & AUTOCLEAR_BITMAPS)) {
        return 0;
    }
    b = read_directory(s, &size, &count, NULL);
    if (!b) {
        return -EIO;
    }
    for (uint32_t i = 0; i < count; i++) {
        store_be32(b + at + 12, load_be32(b + at + 12) | IN_USE);
        at += next_entry(b + at);
    }
    r = qcow2_write(s, load_be64(e->data + 16), b, size);
    g_free(b);
    return r == 0 ? format_barrier(s->n) : r;
}

bool coroutine_fn qcow2_load_bitmaps(Qcow2 *s, Error **errp)
{
    uint64_t size, at = 0;
    uint32_t count;
    bool ok = true;
    uint8_t *b;

    if (!extension(s) || !(s->autoclear & AUTOCLEAR_BITMAPS)) {
        return true;
    }
    b = read_directory(s, &size, &count, errp);
    for (uint32_t i = 0; b && i < count && ok; i++) {
        ok = load_one(s, b + at, errp);
        at += next_entry(b + at);
    }
    g_free(b);
    if (!b || !ok) {
        return false;
    }
    if (!s->n->read_only && qcow2_mark_bitmaps_in_use(s) < 0) {
        error_setf(errp, ERR_HOST, "can't write the bitmap directory");
        return false;
    }
    return true;
}

/* --- writing --- */

static int coroutine_fn write_clusters(Qcow2 *s, const void *data, uint64_t len, uint64_t *offset)
{
    int64_t r = qcow2_alloc(s, clusters_for(s, len), true, offset);

    return r < 0 ? r : qcow2_write(s, *offset, data, len);
}

/* Its data and table; an entry for the directory. */
static int coroutine_fn store_one(Qcow2 *s, BlockBitmap *b, GByteArray *directory)
{
    uint64_t entries = table_entries(s, b), bits = block_bitmap_bits(b), table = 0;
    uint64_t *t = g_new0(uint64_t, entries + 1);
    uint8_t *cluster = g_malloc(s->cluster_size), e[ENTRY] = { 0 }, zeros[8] = { 0 };
    int r = 0;

    for (uint64_t i = 0; i < entries && r == 0; i++) {
        uint64_t first = i * s->cluster_size * 8, n = MIN(bits - first, s->cluster_size * 8), offset;

        if (!b->inconsistent && bitmap_any(b->map, first, n)) {
            memset(cluster, 0, s->cluster_size);
            for (uint64_t k = 0; k < n; k++) {
                cluster[k / 8] |= bitmap_test(b->map, first + k) << (k % 8);
            }
            r = write_clusters(s, cluster, s->cluster_size, &offset);
            store_be64(&t[i], offset);
        }
    }
    if (r == 0) {
        r = write_clusters(s, t, MAX(entries, UINT64_C(1)) * 8, &table);
    }
    store_be64(e, table);
    store_be32(e + 8, entries);
    store_be32(e + 12, (b->enabled ? AUTO : 0) | (b->inconsistent ? IN_USE : 0));
    e[16] = TYPE_DIRTY;
    e[17] = b->shift;
    store_be16(e + 18, strlen(b->name));
    g_byte_array_append(directory, e, sizeof(e));
    g_byte_array_append(directory, (uint8_t *)b->name, strlen(b->name));
    g_byte_array_append(directory, zeros, ALIGN_UP(directory->len, 8U) - directory->len);
    g_free(cluster);
    g_free(t);
    return r;
}

/* What the file had; its extension is @data. Nobody refers to it any more. */
static void coroutine_fn free_old(Qcow2 *s, const uint8_t *directory, uint64_t size, uint32_t count, uint64_t offset)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t table = load_be64(directory + at), n = load_be32(directory + at + 8);
        uint64_t *t = n <= MAX_BITMAP_BYTES / 512 ? g_try_new(uint64_t, n + 1) : NULL;

        if (t && !(table & (s->cluster_size - 1)) && table && qcow2_read(s, table, t, n * 8) == 0) {
            for (uint64_t k = 0; k < n; k++) {
                uint64_t data = load_be64(&t[k]) & OFFSET_MASK;

                if (data && !(data & (s->cluster_size - 1))) {
                    qcow2_free_later(s, data, s->cluster_size, false);
                }
            }
            qcow2_free_later(s, table, MAX(n, UINT64_C(1)) * 8, false);
        }
        g_free(t);
        at += next_entry(directory + at);
    }
    qcow2_free_later(s, offset, MAX(size, UINT64_C(1)), false);
}

static void set_extension(Qcow2 *s, uint32_t count, uint64_t size, uint64_t offset)
{
    Extension *e = extension(s), fresh = { .type = EXT_BITMAPS, .len = EXT_LEN };

    if (count == 0) {
        for (guint i = 0; e && i < s->extensions->len; i++) {
            if (&g_array_index(s->extensions, Extension, i) == e) {
                g_free(e->data);
                g_array_remove_index(s->extensions, i);
                break;
            }
        }
        s->autoclear &= ~(uint64_t)AUTOCLEAR_BITMAPS;
        return;
    }
    if (!e) {
        fresh.data = g_malloc0(EXT_LEN);
        g_array_append_val(s->extensions, fresh);
        e = extension(s);
    }
    store_be32(e->data, count);
    store_be32(e->data + 4, 0);
    store_be64(e->data + 8, size);
    store_be64(e->data + 16, offset);
    s->autoclear |= AUTOCLEAR_BITMAPS;
}

/* New ones first, then the header that names them, then the old ones go. */
int coroutine_fn qcow2_store_bitmaps(Qcow2 *s)
{
    BlockTrack *track = s->n->track;
    bool had = extension(s) && s->autoclear & AUTOCLEAR_BITMAPS;
    uint64_t old_size = 0, old_offset = had ? load_be64(extension(s)->data + 16) : 0, offset = 0;
    uint32_t old_count = 0, count = 0;
    GByteArray *directory;
    uint8_t *old = NULL;
    int r = 0;

    for (BlockBitmap *b = track ? track->bitmaps : NULL; b; b = b->next) {
        count += b->persistent;
    }
    if (!had && !count) {
        return 0;
    }
    if (had) {
        old = read_directory(s, &old_size, &old_count, NULL);
    }
    directory = g_byte_array_new();
    for (BlockBitmap *b = track ? track->bitmaps : NULL; b && r == 0; b = b->next) {
        r = b->persistent ? store_one(s, b, directory) : 0;
    }
    if (r == 0 && count) {
        r = write_clusters(s, directory->data, directory->len, &offset);
    }
    r = r == 0 ? qcow2_write_all(s) : r;
    r = r == 0 ? format_barrier(s->n) : r;
    if (r == 0) {
        set_extension(s, count, directory->len, offset);
        r = qcow2_write_header(s, NULL);
    }
    r = r == 0 ? format_barrier(s->n) : r;
    if (r == 0 && old) {
        free_old(s, old, old_size, old_count, old_offset);
    }
    g_byte_array_unref(directory);
    g_free(old);
    return r;
}

bool qcow2_can_store_bitmap(BlockNode *n, UNUSED const char *name, Error **errp)
{
    Qcow2 *s = n->state;
    unsigned count = 0;

    for (BlockBitmap *b = n->track ? n->track->bitmaps : NULL; b; b = b->next) {
        count += b->persistent;
    }
    if (s->version < 3) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Cannot store dirty bitmaps in qcow2 v2 files");
    } else if (count >= MAX_BITMAPS) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Maximum number of persistent bitmaps is already reached");
    } else {
        return true;
    }
    return false;
}
