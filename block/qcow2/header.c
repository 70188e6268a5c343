/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: the header and its extensions (Spec "Header", "Header extensions", "Feature name table"). */
#include "util/osdep.h"
#include "config.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

#define BAD(...)        (error_setf(errp, ERR_IMAGE_CORRUPT, __VA_ARGS__), false)

static const struct {
    uint8_t type, bit;              /* 0 incompatible, 1 compatible, 2 autoclear */
    const char *name;
} features[] = {
    { 0, 0, "dirty bit" }, { 0, 1, "corrupt bit" }, { 0, 2, "external data file" },
    { 0, 3, "compression type" }, { 0, 4, "extended L2 entries" }, { 1, 0, "lazy refcounts" },
    { 2, 0, "bitmaps" }, { 2, 1, "raw external data" },
};

void qcow2_set_geometry(Qcow2 *s)
{
    s->cluster_size = UINT64_C(1) << s->cluster_bits;
    s->l2_entry_size = s->incompat & INCOMPAT_EXTENDED_L2 ? 16 : 8;
    s->l2_bits = s->cluster_bits - (extended_l2(s) ? 4 : 3);
    s->sub_bits = s->cluster_bits - (extended_l2(s) ? 5 : 0);
    s->refcount_bits = 1U << s->refcount_order;
    s->rb_bits = s->cluster_bits + 3 - s->refcount_order;
    s->refcount_max = s->refcount_order == 6 ? INT64_MAX : BIT64(s->refcount_bits) - 1;
}

void qcow2_free_extensions(Qcow2 *s)
{
    for (guint i = 0; s->extensions && i < s->extensions->len; i++) {
        g_free(g_array_index(s->extensions, Extension, i).data);
    }
    if (s->extensions) {
        g_array_free(s->extensions, true);
        s->extensions = NULL;
    }
}

/* --- reading --- */

/* The image's own names of features that we don't know, for the message. */
static char *feature_name(const Qcow2 *s, unsigned bit)
{
    for (guint i = 0; i < s->extensions->len; i++) {
        const Extension *e = &g_array_index(s->extensions, Extension, i);

        for (uint32_t at = 0; e->type == EXT_FEATURES && at + 48 <= e->len; at += 48) {
            if (e->data[at] == 0 && e->data[at + 1] == bit) {
                char *name = g_strndup((const char *)e->data + at + 2, 46);

                for (char *c = name; *c; c++) {
                    *c = *c < ' ' || *c > '~' ? '?' : *c;
                }
                return name;
            }
        }
    }
    return g_strdup_printf("bit %u", bit);
}

static bool check_features(const Qcow2 *s, Error **errp)
{
    uint64_t known = INCOMPAT_DIRTY | INCOMPAT_CORRUPT | INCOMPAT_COMPRESSION | INCOMPAT_EXTENDED_L2;

    for (unsigned bit = 0; bit < 64; bit++) {
        if (s->incompat & ~known & BIT64(bit)) {
            char *name = feature_name(s, bit);

            error_setf(errp, ERR_NOT_SUPPORTED, "the image needs the feature '%s' (header, byte %d: "
                       "0x%" PRIx64 "), which isn't supported", name, HDR_INCOMPAT, s->incompat);
            g_free(name);
            return false;
        }
    }
    return true;
}

static bool parse_extensions(Qcow2 *s, const uint8_t *b, uint64_t at, uint64_t end, Error **errp)
{
    s->extensions = g_array_new(false, true, sizeof(Extension));
    while (at + 8 <= end) {
        Extension e = { .type = load_be32(b + at), .len = load_be32(b + at + 4) };

        if (e.type == EXT_END) {
            return true;
        }
        if (e.len > MIN(end - at - 8, MAX_EXTENSION)) {
            return BAD("header extension 0x%08x at byte %" PRIu64 " is %u bytes long, past the end of "
                       "the header", e.type, at, e.len);
        }
        e.data = g_memdup2(b + at + 8, e.len);
        if (e.type == (uint32_t)EXT_BACKING_FORMAT) {
            g_free(s->backing_format);
            s->backing_format = g_strndup((const char *)e.data, e.len);
            g_free(e.data);
        } else {
            g_array_append_val(s->extensions, e);
        }
        at += 8 + ALIGN_UP((uint64_t)e.len, 8U);
    }
    return true;
}

static bool check_table(const Qcow2 *s, const char *what, uint64_t offset, uint64_t bytes,
                        uint64_t max, Error **errp)
{
    if (bytes > max) {
        return BAD("the %s has %" PRIu64 " bytes; accepted: up to %" PRIu64, what, bytes, max);
    }
    if (bytes && (offset & (s->cluster_size - 1) || offset < s->cluster_size ||
                  (int64_t)MIN(offset, (uint64_t)INT64_MAX) >= block_length(s->n->file))) {
        return BAD("the %s is at offset 0x%" PRIx64 ", which isn't a cluster behind the header and in "
                   "the file", what, offset);
    }
    return true;
}

static bool parse_fields(Qcow2 *s, const uint8_t *b, Error **errp)
{
    s->version = load_be32(b + 4);
    s->cluster_bits = load_be32(b + 20);
    s->size = load_be64(b + HDR_SIZE);
    s->l1_size = load_be32(b + HDR_L1_SIZE);
    s->l1_offset = load_be64(b + HDR_L1_OFFSET);
    s->rt_offset = load_be64(b + HDR_RT_OFFSET);
    s->rt_clusters = load_be32(b + HDR_RT_CLUSTERS);
    s->nb_snapshots = load_be32(b + HDR_NB_SNAPSHOTS);
    s->snapshots_offset = load_be64(b + HDR_SNAPSHOTS_OFFSET);
    s->refcount_order = 4;
    s->header_length = HDR_V2_LENGTH;
    if (load_be32(b) != QCOW2_MAGIC) {
        return BAD("the file doesn't begin with 'QFI\\xfb': it is no qcow2 image");
    }
    if (s->version < 2 || s->version > 3) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the version (byte 4) is %u; accepted: 2, 3", s->version);
        return false;
    }
    if (s->cluster_bits < MIN_CLUSTER_BITS || s->cluster_bits > MAX_CLUSTER_BITS) {
        return BAD("cluster_bits (byte 20) is %u; accepted: %d to %d", s->cluster_bits,
                   MIN_CLUSTER_BITS, MAX_CLUSTER_BITS);
    }
    s->crypt_method = load_be32(b + HDR_CRYPT);
    if (s->crypt_method && s->crypt_method != CRYPT_LUKS) {
        error_setf(errp, ERR_NOT_SUPPORTED, "crypt_method (byte 32) is %u; accepted: 0 (none), 2 (LUKS)", s->crypt_method);
        return false;
    }
    if (s->version == 3) {
        s->incompat = load_be64(b + HDR_INCOMPAT);
        s->compat = load_be64(b + HDR_COMPAT);
        s->autoclear = load_be64(b + HDR_AUTOCLEAR);
        s->refcount_order = load_be32(b + HDR_REFCOUNT_ORDER);
        s->header_length = load_be32(b + HDR_LENGTH);
        if (s->refcount_order > 6) {
            return BAD("refcount_order (byte 96) is %u; accepted: 0 to 6", s->refcount_order);
        }
        if (s->header_length < HDR_V3_LENGTH || s->header_length % 8 ||
            s->header_length > BIT64(s->cluster_bits)) {
            return BAD("header_length (byte 100) is %u; accepted: 104 to a cluster, in steps of 8",
                       s->header_length);
        }
        s->compression = s->header_length > HDR_COMPRESSION ? b[HDR_COMPRESSION] : 0;
    }
    return true;
}

static bool check_fields(Qcow2 *s, Error **errp)
{
    uint64_t l1_bytes = s->l1_size * UINT64_C(8), rt_bytes;

    if (!check_features(s, errp)) {
        return false;
    }
    qcow2_set_geometry(s);
    rt_bytes = s->rt_clusters * s->cluster_size;
    if (extended_l2(s) && s->cluster_bits < 14) {
        return BAD("cluster_bits (byte 20) is %u; with extended L2 entries accepted: 14 to %d",
                   s->cluster_bits, MAX_CLUSTER_BITS);
    }
    if (!(s->incompat & INCOMPAT_COMPRESSION) != !s->compression || s->compression > 1) {
        return BAD("the compression type (byte 104) is %u, and the feature bits are 0x%" PRIx64,
                   s->compression, s->incompat);
    }
#ifndef CONFIG_ZSTD
    if (s->compression) {
        error_setf(errp, ERR_NOT_SUPPORTED, "zstd isn't built in");
        return false;
    }
#endif
    if (s->size > (BIT64(61) - 1) ||
        s->size > (MAX_L1_BYTES / 8) << MIN(s->cluster_bits + s->l2_bits, 38U)) {
        return BAD("the size (byte 24) is %" PRIu64 ", more than the L1 table may map", s->size);
    }
    if (s->l1_size < qcow2_l1_for(s, s->size)) {
        return BAD("the L1 table (byte 36) has %u entries; the size needs %" PRIu64, s->l1_size,
                   qcow2_l1_for(s, s->size));
    }
    if (s->nb_snapshots > MAX_SNAPSHOTS) {
        return BAD("there are %u snapshots (byte 60); accepted: up to %d", s->nb_snapshots,
                   MAX_SNAPSHOTS);
    }
    if (s->rt_clusters == 0) {
        return BAD("there is no refcount table (byte 56 is 0)");
    }
    return check_table(s, "L1 table (byte 36)", s->l1_offset, l1_bytes, MAX_L1_BYTES, errp) &&
           check_table(s, "refcount table (byte 48)", s->rt_offset, rt_bytes, MAX_REFTABLE_BYTES,
                       errp) &&
           check_table(s, "snapshot table (byte 64)", s->snapshots_offset, s->nb_snapshots * 40,
                       MAX_SNAPSHOT_TABLE, errp);
}

static uint64_t *coroutine_fn read_table(Qcow2 *s, const char *what, uint64_t offset, uint64_t entries,
                                         uint64_t room, Error **errp)
{
    uint64_t *t = g_try_malloc0(MAX(room, UINT64_C(1)) * 8);
    int r = !t ? -ENOMEM : entries ? qcow2_read(s, offset, t, entries * 8) : 0;

    if (r < 0) {
        error_set_errno(errp, -r, "can't read the %s at offset 0x%" PRIx64, what, offset);
        g_free(t);
        return NULL;
    }
    for (uint64_t i = 0; i < entries; i++) {
        t[i] = load_be64(&t[i]);
    }
    return t;
}

bool coroutine_fn qcow2_read_header(Qcow2 *s, Error **errp)
{
    uint8_t b[HDR_OUR_LENGTH] = { 0 }, *cluster;
    uint64_t backing;
    uint32_t backing_len;
    bool ok;
    int r = qcow2_read(s, 0, b, sizeof(b));

    if (r < 0) {
        error_set_errno(errp, -r, "can't read the header");
        return false;
    }
    if (!parse_fields(s, b, errp)) {
        return false;
    }
    s->cluster_size = UINT64_C(1) << s->cluster_bits;
    cluster = g_malloc(s->cluster_size);
    r = qcow2_read(s, 0, cluster, s->cluster_size);
    backing = load_be64(b + HDR_BACKING_OFFSET);
    backing_len = load_be32(b + HDR_BACKING_SIZE);
    ok = r < 0 ? (error_set_errno(errp, -r, "can't read the header"), false)
         : parse_extensions(s, cluster, s->header_length, backing ? MIN(backing, s->cluster_size)
                            : s->cluster_size, errp);
    if (ok && s->header_length > HDR_OUR_LENGTH) {
        s->header_tail = g_memdup2(cluster + HDR_OUR_LENGTH, s->header_length - HDR_OUR_LENGTH);
    }
    if (ok && backing) {
        if (backing_len > MAX_BACKING_NAME || backing >= s->cluster_size ||
            backing_len > s->cluster_size - backing) {
            ok = BAD("the backing file's name (byte 8) is at offset 0x%" PRIx64 ", %u bytes; accepted: "
                     "up to %d bytes in the first cluster", backing, backing_len, MAX_BACKING_NAME);
        } else {
            s->backing_file = g_strndup((const char *)cluster + backing, backing_len);
        }
    }
    g_free(cluster);
    if (!ok || !check_fields(s, errp)) {
        return false;
    }
    s->l1 = read_table(s, "L1 table", s->l1_offset, s->l1_size,
                       ALIGN_UP(s->l1_size * UINT64_C(8), s->cluster_size) / 8, errp);
    s->rt_size = s->rt_clusters * s->cluster_size / 8;
    s->rt = s->l1 ? read_table(s, "refcount table", s->rt_offset, s->rt_size, s->rt_size, errp) : NULL;
    return s->rt;
}

/* --- writing --- */

int coroutine_fn qcow2_write_be32(Qcow2 *s, uint64_t offset, uint32_t v)
{
    uint8_t b[4];

    store_be32(b, v);
    return qcow2_write(s, offset, b, sizeof(b));
}

int coroutine_fn qcow2_write_be64(Qcow2 *s, uint64_t offset, uint64_t v)
{
    uint8_t b[8];

    store_be64(b, v);
    return qcow2_write(s, offset, b, sizeof(b));
}

int coroutine_fn qcow2_set_dirty(Qcow2 *s, bool on)
{
    uint64_t v = on ? s->incompat | INCOMPAT_DIRTY : s->incompat & ~(uint64_t)INCOMPAT_DIRTY;
    int r = 0;

    if (s->version < 3) {
        return 0;
    }
    if (v != s->incompat) {
        r = qcow2_write_be64(s, HDR_INCOMPAT, v);
        if (r == 0) {
            r = format_barrier(s->n);
        }
    }
    if (r == 0) {
        s->incompat = v;
        s->dirty_set = on;
    }
    return r;
}

static uint64_t put_extension(GByteArray *b, uint32_t type, const void *data, uint32_t len)
{
    static const uint8_t zeros[8];
    uint8_t h[8];

    store_be32(h, type);
    store_be32(h + 4, len);
    g_byte_array_append(b, h, 8);
    g_byte_array_append(b, data ? data : zeros, data ? len : 0);
    g_byte_array_append(b, zeros, ALIGN_UP(len, 8U) - len);
    return b->len;
}

static void put_features(GByteArray *b)
{
    uint8_t table[ARRAY_SIZE(features) * 48] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        table[i * 48] = features[i].type;
        table[i * 48 + 1] = features[i].bit;
        memcpy(table + i * 48 + 2, features[i].name, strlen(features[i].name));
    }
    put_extension(b, EXT_FEATURES, table, sizeof(table));
}

/* The fields; byte arrays of zeros for what isn't set. */
static void put_fields(const Qcow2 *s, uint8_t *b)
{
    store_be32(b, QCOW2_MAGIC);
    store_be32(b + 4, s->version);
    store_be32(b + 20, s->cluster_bits);
    store_be64(b + HDR_SIZE, s->size);
    store_be32(b + HDR_CRYPT, s->crypt_method);
    store_be32(b + HDR_L1_SIZE, s->l1_size);
    store_be64(b + HDR_L1_OFFSET, s->l1_offset);
    store_be64(b + HDR_RT_OFFSET, s->rt_offset);
    store_be32(b + HDR_RT_CLUSTERS, s->rt_clusters);
    store_be32(b + HDR_NB_SNAPSHOTS, s->nb_snapshots);
    store_be64(b + HDR_SNAPSHOTS_OFFSET, s->snapshots_offset);
    if (s->version >= 3) {
        store_be64(b + HDR_INCOMPAT, s->incompat);
        store_be64(b + HDR_COMPAT, s->compat);
        store_be64(b + HDR_AUTOCLEAR, s->autoclear);
        store_be32(b + HDR_REFCOUNT_ORDER, s->refcount_order);
        store_be32(b + HDR_LENGTH, s->header_length);
        b[HDR_COMPRESSION] = s->compression;
    }
}

int coroutine_fn qcow2_write_header(Qcow2 *s, Error **errp)
{
    GByteArray *b = g_byte_array_new();
    size_t name = s->backing_file ? strlen(s->backing_file) : 0;
    bool have_features = false;
    int r;

    s->header_length = s->version < 3 ? HDR_V2_LENGTH
                       : MAX(s->header_length, (uint32_t)HDR_OUR_LENGTH);
    g_byte_array_set_size(b, s->header_length);
    memset(b->data, 0, b->len);
    put_fields(s, b->data);
    if (s->header_tail) {
        memcpy(b->data + HDR_OUR_LENGTH, s->header_tail, s->header_length - HDR_OUR_LENGTH);
    }
    if (s->backing_format && *s->backing_format) {
        put_extension(b, EXT_BACKING_FORMAT, s->backing_format, strlen(s->backing_format));
    }
    for (guint i = 0; s->extensions && i < s->extensions->len; i++) {
        const Extension *e = &g_array_index(s->extensions, Extension, i);

        have_features |= e->type == EXT_FEATURES;
        put_extension(b, e->type, e->data, e->len);
    }
    /* It helps those who don't know a feature; where there is no room, they guess. */
    if (s->version >= 3 && !have_features &&
        b->len + ARRAY_SIZE(features) * 48 + 16 + name <= s->cluster_size) {
        put_features(b);
    }
    put_extension(b, EXT_END, NULL, 0);
    if (b->len + name > s->cluster_size) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the header with the name '%s' doesn't fit into a cluster of "
                   "%" PRIu64 " bytes", s->backing_file ? s->backing_file : "", s->cluster_size);
        g_byte_array_unref(b);
        return -ENOSPC;
    }
    if (name) {
        store_be64(b->data + HDR_BACKING_OFFSET, b->len);
        store_be32(b->data + HDR_BACKING_SIZE, name);
        g_byte_array_append(b, (uint8_t *)s->backing_file, name);
    }
    while (b->len < s->cluster_size) {
        uint8_t zeros[512] = { 0 };

        g_byte_array_append(b, zeros, MIN(sizeof(zeros), s->cluster_size - b->len));
    }
    r = qcow2_write(s, 0, b->data, b->len);
    if (r < 0) {
        error_set_errno(errp, -r, "can't write the header");
    }
    g_byte_array_unref(b);
    return r;
}

int coroutine_fn qcow2_co_change_backing(BlockNode *n, const char *file, const char *format,
                                         Error **errp)
{
    Qcow2 *s = n->state;
    char *old_file = s->backing_file, *old_format = s->backing_format;
    int r;

    if (file && strlen(file) > MAX_BACKING_NAME) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the backing file's name has %zu bytes; accepted: up to %d",
                   strlen(file), MAX_BACKING_NAME);
        return -EINVAL;
    }
    co_mutex_lock(&s->lock);
    s->backing_file = g_strdup(file);
    s->backing_format = g_strdup(format);
    r = qcow2_write_tables(s);
    if (r == 0) {
        r = qcow2_write_header(s, errp);
    } else {
        error_set_errno(errp, -r, "can't write tables");
    }
    if (r < 0) {
        g_free(s->backing_file);
        g_free(s->backing_format);
        s->backing_file = old_file;
        s->backing_format = old_format;
    } else {
        g_free(old_file);
        g_free(old_format);
        g_free(n->backing_file);
        g_free(n->backing_format);
        n->backing_file = g_strdup(file);
        n->backing_format = g_strdup(format);
    }
    co_mutex_unlock(&s->lock);
    return r;
}
