/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: opening, closing, the driver's table. */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

#define L2_CACHE_BYTES  (32 * MIB)
#define RB_CACHE_BYTES  (256 * KIB)

typedef struct Open {
    Qcow2 *s;
    uint64_t l2_bytes, rb_bytes;    /* of the caches */
    const QDict *opts;
    Error **errp;
    bool ok;
} Open;

/* After a crash the refcounts are counted anew, before anything is written. */
static bool coroutine_fn mend(Qcow2 *s, Error **errp)
{
    BlockCheck result = { 0 };

    if (s->n->read_only || !(s->incompat & INCOMPAT_DIRTY)) {
        return true;
    }
    if (qcow2_co_check(s->n, BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS, &result, errp) < 0) {
        return false;
    }
    if (s->incompat & INCOMPAT_DIRTY) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the image wasn't closed properly, and of %" PRIu64
                   " errors only %" PRIu64 " could be mended", result.corruptions,
                   result.corruptions_fixed);
        return false;
    }
    return true;
}

/* Bits that we don't know (Spec "autoclear_features"). */
static bool coroutine_fn clear_features(Qcow2 *s, Error **errp)
{
    uint64_t known = s->autoclear & AUTOCLEAR_BITMAPS;
    int r;

    if (s->n->read_only || s->autoclear == known) {
        return true;
    }
    r = qcow2_write_be64(s, HDR_AUTOCLEAR, known);
    if (r < 0) {
        error_set_errno(errp, -r, "can't write the header");
        return false;
    }
    s->autoclear = known;
    return true;
}

/* Of an image that is opened to be looked at: what can be read of them. */
static bool coroutine_fn look_at_bitmaps(Qcow2 *s)
{
    Error *ignored = NULL;

    if (s->n->read_only && !qcow2_load_bitmaps(s, &ignored)) {
        error_free(ignored);
    }
    return true;
}

static bool coroutine_fn open_image(Open *o, Error **errp)
{
    Qcow2 *s = o->s;
    BlockNode *n = s->n;

    if (!qcow2_read_header(s, errp) || !qcow2_open_crypt(s, o->opts, errp)) {
        return false;
    }
    if (s->incompat & INCOMPAT_CORRUPT && !n->read_only && !n->check_only) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the image is marked corrupt; it can be opened read-only, "
                   "and mended with 'qemu-img check -r all'");
        return false;
    }
    qcow2_cache_init(&s->l2_cache, o->l2_bytes / s->cluster_size, true);
    qcow2_cache_init(&s->rb_cache, o->rb_bytes / s->cluster_size, false);
    return qcow2_read_snapshots(s, errp) &&
           (n->check_only || mend(s, errp)) && clear_features(s, errp) &&
           (n->check_only ? look_at_bitmaps(s) : qcow2_load_bitmaps(s, errp));
}

static void coroutine_fn open_entry(void *opaque)
{
    Open *o = opaque;

    o->ok = open_image(o, o->errp);
}

/* cache-size is for both; where one is given, the other gets the rest. */
static bool cache_sizes(Open *o, const QDict *opts, Error **errp)
{
    uint64_t both = 0;
    bool l2 = qdict_has(opts, "l2-cache-size"), rb = qdict_has(opts, "refcount-cache-size");

    o->l2_bytes = L2_CACHE_BYTES;
    o->rb_bytes = RB_CACHE_BYTES;
    if (!block_size_option(opts, "cache-size", &both, errp) ||
        !block_size_option(opts, "l2-cache-size", &o->l2_bytes, errp) ||
        !block_size_option(opts, "refcount-cache-size", &o->rb_bytes, errp)) {
        return false;
    }
    if (both && ((l2 && o->l2_bytes > both) || (rb && o->rb_bytes > both) || (l2 && rb))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "cache-size, l2-cache-size and refcount-cache-size may not "
                   "be set at the same time, nor be larger than the whole");
        return false;
    }
    if (both) {
        o->rb_bytes = rb ? o->rb_bytes : l2 ? both - o->l2_bytes : MIN(RB_CACHE_BYTES, both / 4);
        o->l2_bytes = l2 ? o->l2_bytes : both - o->rb_bytes;
    }
    if (o->l2_bytes > GIB || o->rb_bytes > GIB) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a cache is larger than 1G");
        return false;
    }
    return true;
}

static void free_state(Qcow2 *s)
{
    qcow2_free_snapshots(s);
    qcow2_free_extensions(s);
    qcow2_cache_free(&s->l2_cache);
    qcow2_cache_free(&s->rb_cache);
    g_free(s->header_tail);
    g_free(s->backing_file);
    g_free(s->backing_format);
    g_free(s->l1);
    g_free(s->rt);
    g_array_free(s->frees, true);
    co_queue_destroy(&s->alloc_ended);
    co_mutex_destroy(&s->lock);
    co_mutex_destroy(&s->crypt_header);
    luks_io_free(&s->crypt);
}

static bool qcow2_open(BlockNode *n, const QDict *opts, Error **errp)
{
    Qcow2 *s = n->state;
    Open o = { .s = s, .opts = opts, .errp = errp };

    if (!cache_sizes(&o, opts, errp)) {
        return false;
    }
    s->n = n;
    s->newest = &s->oldest;
    s->free_hint = 1;
    s->frees = g_array_new(false, false, sizeof(FreeLater));
    co_mutex_init(&s->lock);
    co_queue_init(&s->alloc_ended);
    co_mutex_init(&s->crypt_header);
    luks_io_init(&s->crypt);
    n->read_only |= n->file->read_only;
    n->filename = g_strdup(n->file->filename);
    block_run(open_entry, &o);
    if (!o.ok) {
        error_prepend(errp, "qcow2 image '%s': ", n->filename ? n->filename : n->file->name);
        free_state(s);
        return false;
    }
    n->backing_file = g_strdup(s->backing_file);
    n->backing_format = g_strdup(s->backing_format);
    s->lazy = block_bool_option(opts, "lazy-refcounts", s->compat & COMPAT_LAZY_REFCOUNTS) &&
              s->version >= 3 && !n->read_only;
    s->discard_passes = block_bool_option(opts, "pass-discard-request", n->discard);
    return true;
}

static void coroutine_fn close_entry(void *opaque)
{
    Qcow2 *s = opaque;
    int r;

    co_mutex_lock(&s->lock);
    r = s->broken ? -EIO : s->n->check_only ? 0 : qcow2_store_bitmaps(s);
    r = r == 0 ? qcow2_write_all(s) : r;
    if (r == 0 && s->frees->len) {
        r = qcow2_write_all(s);
    }
    if (r == 0) {
        r = format_barrier(s->n);
    }
    if (r == 0 && s->dirty_set && !s->keep_dirty) {
        qcow2_set_dirty(s, false);
    }
    format_close_failed(s->n, r);
    co_mutex_unlock(&s->lock);
}

static void qcow2_close(BlockNode *n)
{
    Qcow2 *s = n->state;

    if (!n->read_only) {
        block_run(close_entry, s);
    }
    free_state(s);
}

static bool qcow2_inactivate(BlockNode *n, Error **errp)
{
    Qcow2 *s = n->state;

    block_run(close_entry, s);
    if (s->broken) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the image '%s' is corrupt", n->filename);
    }
    return !s->broken;
}

static void coroutine_fn in_use_entry(void *opaque)
{
    Qcow2 *s = opaque;

    co_mutex_lock(&s->lock);
    qcow2_mark_bitmaps_in_use(s);
    co_mutex_unlock(&s->lock);
}

/* Read-only: as if it were closed. */
static bool qcow2_reopen(BlockNode *n, bool read_only, Error **errp)
{
    Qcow2 *s = n->state;

    if (read_only) {
        block_run(close_entry, s);
    } else if (!(s->incompat & (INCOMPAT_CORRUPT | INCOMPAT_DIRTY))) {
        block_run(in_use_entry, s);
    } else if (s->incompat & (INCOMPAT_CORRUPT | INCOMPAT_DIRTY)) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the image '%s' is corrupt or wasn't closed properly",
                   n->filename);
        return false;
    }
    return !s->broken || read_only;
}

static int64_t qcow2_length(BlockNode *n)
{
    Qcow2 *s = n->state;

    return __atomic_load_n(&s->size, __ATOMIC_RELAXED);
}

static void qcow2_info(BlockNode *n, BlockFormatInfo *info)
{
    Qcow2 *s = n->state;

    *info = (BlockFormatInfo){
        .is_qcow2 = true, .cluster_size = s->cluster_size, .dirty = s->incompat & INCOMPAT_DIRTY,
        .corrupt = s->incompat & INCOMPAT_CORRUPT || s->broken, .compat = s->version < 3 ? "0.10" : "1.1",
        .compression = s->compression ? "zstd" : "zlib", .v3 = s->version >= 3,
        .lazy_refcounts = s->compat & COMPAT_LAZY_REFCOUNTS, .refcount_bits = s->refcount_bits,
        .extended_l2 = extended_l2(s), .encrypted = s->crypt_method, .new_has_noise = s->crypt_method,
        .luks = s->crypt_method ? &s->luks : NULL, .vm_state_offset = qcow2_vmstate_offset(s),
    };
}

static int qcow2_probe(const uint8_t *b, size_t len)
{
    return len >= 8 && load_be32(b) == QCOW2_MAGIC && load_be32(b + 4) >= 2 ? 100 : 0;
}

static void qcow2_limits(BlockNode *n, BlockLimits *l)
{
    Qcow2 *s = n->state;

    l->discard_granularity = s->cluster_size;
    l->discard_zeroes = true;
    l->request_alignment = l->memory_alignment = 0;
}

static const char *const qcow2_options[] = {
    "file", "backing", "lazy-refcounts", "pass-discard-request", "pass-discard-snapshot",
    "pass-discard-other", "overlap-check", "cache-size", "l2-cache-size", "l2-cache-entry-size",
    "refcount-cache-size", "cache-clean-interval", "encrypt", NULL,
};

static const char *const qcow2_create_options[] = {
    "size", "compat", "backing_file", "backing_fmt", "cluster_size", "preallocation", "lazy_refcounts",
    "refcount_bits", "extended_l2", "compression_type", "encrypt.format", "encrypt.key-secret", "encrypt.cipher-alg",
    "encrypt.cipher-mode", "encrypt.ivgen-alg", "encrypt.ivgen-hash-alg", "encrypt.hash-alg", "encrypt.iter-time", NULL,
};

static BlockDriver driver_qcow2 = {
    .name = "qcow2", .options = qcow2_options, .state_size = sizeof(Qcow2), .open = qcow2_open,
    .close = qcow2_close, .length = qcow2_length, .has_backing = true, .has_map = true, .probe = qcow2_probe,
    .co_preadv = qcow2_co_preadv, .co_pwritev = qcow2_co_pwritev, .co_flush = qcow2_co_flush,
    .co_discard = qcow2_co_discard, .co_zero = qcow2_co_zero, .co_truncate = qcow2_co_truncate,
    .reopen = qcow2_reopen, .inactivate = qcow2_inactivate, .limits = qcow2_limits, .info = qcow2_info, .co_status = qcow2_co_status,
    .co_write_compressed = qcow2_co_write_compressed, .co_check = qcow2_co_check,
    .co_create = qcow2_co_create, .co_amend = qcow2_co_amend, .create_options = qcow2_create_options,
    .co_make_empty = qcow2_co_make_empty, .co_change_backing = qcow2_co_change_backing,
    .co_snapshot_create = qcow2_co_snapshot_create, .co_snapshot_goto = qcow2_co_snapshot_goto,
    .co_snapshot_look = qcow2_co_snapshot_look,
    .co_snapshot_delete = qcow2_co_snapshot_delete, .snapshot_list = qcow2_snapshot_list,
    .co_vmstate = qcow2_co_vmstate, .can_store_bitmap = qcow2_can_store_bitmap,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_qcow2);
}
