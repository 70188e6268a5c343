/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: new images, and images of another size. */
#include "util/osdep.h"
#include "config.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

/* --- creating --- */

static bool options(Qcow2 *s, const QDict *opts, char **preallocation, Error **errp)
{
    const char *compat = qdict_str_or(opts, "compat", "1.1");
    const char *compression = qdict_str_or(opts, "compression_type", "zlib");
    uint64_t cluster = qdict_int_or(opts, "cluster_size", 65536);
    uint64_t bits = qdict_int_or(opts, "refcount_bits", 16);
    bool lazy = qdict_bool_or(opts, "lazy_refcounts", false);
    bool extended = qdict_bool_or(opts, "extended_l2", false);

    s->size = qdict_int_or(opts, "size", 0);
    *preallocation = g_strdup(qdict_str_or(opts, "preallocation", "off"));
    if (!strcmp(compat, "0.10") || !strcmp(compat, "v2")) {
        s->version = 2;
    } else if (!strcmp(compat, "1.1") || !strcmp(compat, "v3")) {
        s->version = 3;
    } else {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'compat' is '%s'; accepted: 0.10, 1.1", compat);
        return false;
    }
    if (!IS_POWER_OF_2(cluster) || cluster < 512 || cluster > 2 * MIB) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Cluster size must be a power of two between 512 and 2048k");
        return false;
    }
    if (!IS_POWER_OF_2(bits) || bits > 64) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Refcount width must be a power of two and may not exceed 64 "
                   "bits");
        return false;
    }
    s->cluster_bits = __builtin_ctzll(cluster);
    s->refcount_order = __builtin_ctzll(bits);
    if (s->version == 2 && (bits != 16 || lazy || extended || strcmp(compression, "zlib"))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "refcount_bits, lazy_refcounts, extended_l2 and "
                   "compression_type need compatibility level 1.1 and above (use compat=1.1)");
        return false;
    }
    if (extended && cluster < 16384) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Extended L2 entries are only supported with cluster sizes of "
                   "at least 16384 bytes");
        return false;
    }
#ifndef CONFIG_ZSTD
    if (!strcmp(compression, "zstd")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "zstd isn't built in");
        return false;
    }
#endif
    if (!strcmp(compression, "zstd")) {
        s->compression = 1;
        s->incompat |= INCOMPAT_COMPRESSION;
    } else if (strcmp(compression, "zlib")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'compression_type' is '%s'; accepted: zlib, zstd",
                   compression);
        return false;
    }
    s->incompat |= extended ? INCOMPAT_EXTENDED_L2 : 0;
    s->compat = lazy ? COMPAT_LAZY_REFCOUNTS : 0;
    s->backing_file = g_strdup(qdict_str_or(opts, "backing_file", NULL));
    s->backing_format = g_strdup(qdict_str_or(opts, "backing_fmt", NULL));
    if (s->backing_file && strlen(s->backing_file) > MAX_BACKING_NAME) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the backing file's name has %zu bytes; accepted: up to %d",
                   strlen(s->backing_file), MAX_BACKING_NAME);
        return false;
    }
    return true;
}

/* Header, refcount table, one refcount block, L1 table, encryption header: in this order, each from a cluster on. */
static int coroutine_fn write_skeleton(Qcow2 *s, const QDict *encrypt, LuksChoice *choice, Error **errp)
{
    uint64_t l1_bytes, used, blocks = 1;
    uint8_t *b;
    int r = 0;

    s->l1_size = MAX(qcow2_l1_for(s, s->size), UINT64_C(1));
    l1_bytes = ALIGN_UP(s->l1_size * UINT64_C(8), s->cluster_size);
    s->rt_clusters = 1;
    used = 2 + blocks + (l1_bytes >> s->cluster_bits) + clusters_for(s, s->crypt_length);
    while (blocks << s->rb_bits < used) {
        blocks++;
        used++;
    }
    while (s->rt_clusters * s->cluster_size / 8 < blocks) {
        s->rt_clusters++;
        used++;
        if (blocks << s->rb_bits < used) {
            blocks++;
            used++;
        }
    }
    s->rt_offset = s->cluster_size;
    s->l1_offset = (1 + s->rt_clusters + blocks) << s->cluster_bits;
    b = g_malloc0(MAX(s->rt_clusters * s->cluster_size, s->cluster_size));
    for (uint64_t i = 0; i < blocks; i++) {
        store_be64(b + i * 8, (1 + s->rt_clusters + i) << s->cluster_bits);
    }
    r = qcow2_write(s, s->rt_offset, b, s->rt_clusters * s->cluster_size);
    for (uint64_t i = 0; i < blocks && r == 0; i++) {
        memset(b, 0, s->cluster_size);
        for (uint64_t c = i << s->rb_bits; c < MIN(used, (i + 1) << s->rb_bits); c++) {
            qcow2_refcount_write(s, b, c & ((UINT64_C(1) << s->rb_bits) - 1), 1);
        }
        r = qcow2_write(s, (1 + s->rt_clusters + i) << s->cluster_bits, b, s->cluster_size);
    }
    g_free(b);
    b = g_malloc0(l1_bytes);
    if (r == 0) {
        r = qcow2_write(s, s->l1_offset, b, l1_bytes);
    }
    g_free(b);
    if (r < 0) {
        error_set_errno(errp, -r, "can't write '%s'", s->n->file->filename);
        return r;
    }
    s->crypt_offset = s->l1_offset + l1_bytes;
    if (s->crypt_method && !qcow2_make_crypt(s, encrypt, choice, errp)) {
        return -EIO;
    }
    return qcow2_write_header(s, errp);
}

/* The host's space of a run of clusters. */
static int coroutine_fn take_space(BlockNode *file, uint64_t host, uint64_t len, const char *how)
{
    int r = 0;

    if ((int64_t)(host + len) > block_length(file)) {
        r = file->drv->co_truncate(file, host + len, NULL);
    }
    if (r == 0 && !strcmp(how, "falloc")) {
        r = block_co_zero(file, host, len, 0);
    } else if (!strcmp(how, "full")) {
        r = r < 0 ? r : block_co_write_zeros(file, host, len);
    }
    return r;
}

/* Every cluster gets its place; with falloc and full the host's space too. */
static int coroutine_fn preallocate(BlockNode *file, uint64_t size, const QDict *encrypt, const char *how, Error **errp)
{
    QDict *opts = qdict_from_fmt("{'driver': 'qcow2', 'file': %s}", file->name);
    BlockNode *n;
    Qcow2 *s;
    int64_t got = 0;
    int r = 0;

    if (encrypt) {
        qdict_put_str(opts, "encrypt.key-secret", qdict_str_or(encrypt, "key-secret", ""));
    }
    n = block_node_open(opts, errp);
    qobject_unref(opts);
    if (!n) {
        return -EIO;
    }
    s = n->state;
    co_mutex_lock(&s->lock);
    for (uint64_t at = 0; at < size && r == 0; at += (uint64_t)got << s->cluster_bits) {
        uint64_t table = (UINT64_C(1) << s->l2_bits) - l2_index_of(s, at), host;

        got = qcow2_alloc(s, MIN(table, clusters_for(s, size - at)), false, &host);
        r = got < 0 ? got : qcow2_link(s, at, (uint64_t)got << s->cluster_bits, host, true);
        if (r == 0) {
            r = take_space(file, host, (uint64_t)got << s->cluster_bits, how);
        }
    }
    if (r == 0) {
        r = qcow2_write_tables(s);
    }
    co_mutex_unlock(&s->lock);
    if (r < 0) {
        error_set_errno(errp, -r, "can't preallocate");
    }
    block_node_unref(n);
    return r;
}

bool coroutine_fn qcow2_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    BlockNode shell = { .file = file };
    Qcow2 s = { .n = &shell };
    QDict *encrypt = block_nested_options(opts, "encrypt");
    LuksChoice choice = { 0 };
    char *how = NULL;
    int r = -1;

    if (options(&s, opts, &how, errp) && qcow2_choose_crypt(&s, encrypt, &choice, errp)) {
        qcow2_set_geometry(&s);
        if (strcmp(how, "off") && strcmp(how, "metadata") && strcmp(how, "falloc") &&
            strcmp(how, "full")) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'preallocation' is '%s'; accepted: off, metadata, "
                       "falloc, full", how);
        } else if (s.backing_file && strcmp(how, "off")) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "Backing file and preallocation cannot be used at "
                       "the same time");
        } else if (s.size > (MAX_L1_BYTES / 8) << (s.cluster_bits + s.l2_bits)) {
            error_setf(errp, ERR_OUT_OF_RANGE, "The image size is too large for file format 'qcow2' (try "
                       "using a larger cluster size)");
        } else {
            r = write_skeleton(&s, encrypt, &choice, errp);
            if (r == 0 && strcmp(how, "off")) {
                r = preallocate(file, s.size, encrypt, how, errp);
            }
        }
    }
    qcow2_free_extensions(&s);
    qobject_unref(encrypt);
    g_free(how);
    g_free(s.backing_file);
    g_free(s.backing_format);
    return r == 0;
}

/* --- resizing --- */

/* What a smaller disk has no more: it must not come back when it grows again. */
static int coroutine_fn cut(Qcow2 *s, uint64_t length)
{
    uint64_t first = clusters_for(s, length), end = clusters_for(s, s->size);

    return first < end ? qcow2_drop(s, first << s->cluster_bits, end - first, false, true) : 0;
}

int coroutine_fn qcow2_co_truncate(BlockNode *n, uint64_t length, Error **errp)
{
    Qcow2 *s = n->state;
    uint64_t old = s->size;
    int r = 0;

    if (length & 511) {
        error_setf(errp, ERR_OUT_OF_RANGE, "The new size must be a multiple of 512");
        return -EINVAL;
    }
    if (s->nb_snapshots && (s->version < 3 || length < old)) {
        error_setf(errp, ERR_NOT_SUPPORTED, s->version < 3
                   ? "Can't resize a version 2 image which has snapshots"
                   : "Can't shrink an image which has snapshots");
        return -ENOTSUP;
    }
    if (length > (MAX_L1_BYTES / 8) << (s->cluster_bits + s->l2_bits)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the new size is more than clusters of %" PRIu64
                   " bytes allow", s->cluster_size);
        return -EFBIG;
    }
    co_mutex_lock(&s->lock);
    if (length < old) {
        r = cut(s, length);
    } else {
        r = qcow2_grow_l1(s, qcow2_l1_for(s, length), true);
    }
    if (r == 0) {
        r = qcow2_write_tables(s);
    }
    if (r == 0) {
        r = qcow2_write_be64(s, HDR_SIZE, length);
    }
    if (r == 0) {
        __atomic_store_n(&s->size, length, __ATOMIC_RELAXED);
        r = format_barrier(s->n);
    }
    co_mutex_unlock(&s->lock);
    if (r == 0 && length < old && length & (s->cluster_size - 1)) {
        /* The end of the last cluster is data no more. */
        uint64_t tail = MIN(old, ALIGN_UP(length, s->cluster_size)) - length;
        struct iovec v = { g_malloc0(tail), tail };

        r = qcow2_pwrite(s, length, &v, 1);
        g_free(v.iov_base);
    }
    if (r == 0 && length > old && n->backing && block_length(n->backing) > (int64_t)old) {
        r = qcow2_co_zero(n, old, MIN(length, (uint64_t)block_length(n->backing)) - old, 0);
    }
    if (r < 0) {
        error_set_errno(errp, -r, "can't resize '%s'", n->filename);
    }
    return r;
}
