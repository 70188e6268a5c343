/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "vmdk": VMware's disks of one sparse file. Source: "Virtual Disk Format 5.0" ("VMDK").
 *
 *   header (512 bytes), embedded descriptor (text), two grain directories with their grain tables, grains
 *
 * A grain directory's entries are the sectors of grain tables, of 512 entries each; those are the sectors of grains, of 64 KiB for
 * most. All numbers are little endian. Kinds: monolithicSparse, and streamOptimized, whose grains are compressed, each behind a
 * marker; such an image is written by compressed writes only (qemu-img convert), each grain once.
 *
 * Where the descriptor is a file of its own (monolithicFlat, twoGbMaxExtentSparse, twoGbMaxExtentFlat, vmfs), all is vmdk-extents.c's.
 *
 * Not there: images that are based on others (a parent), the ESX server's COWD files.
 */
#include "util/osdep.h"
#include <zlib.h>
#include "block/growing/growing.h"
#include "block/growing/vmdk.h"
#include "qapi/types-block.h"
#include "util/bswap.h"
#include "util/guest-random.h"
#include "util/iov.h"
#include "util/thread-pool.h"

#define VMDK_MAGIC      0x564d444bU     /* "KDMV" */
/* VMDK "Hosted Sparse Extent Header". */
enum { HDR_VERSION = 4, HDR_FLAGS = 8, HDR_CAPACITY = 12, HDR_GRAIN = 20, HDR_DESCRIPTOR = 28, HDR_DESCRIPTOR_SIZE = 36,
       HDR_GTES = 44, HDR_RGD = 48, HDR_GD = 56, HDR_OVERHEAD = 64, HDR_UNCLEAN = 72, HDR_NEWLINES = 73, HDR_COMPRESS = 77,
       HDR_BYTES = 512 };
enum { FLAG_NEWLINES = 1 << 0, FLAG_RGD = 1 << 1, FLAG_ZERO_GRAINS = 1 << 2, FLAG_COMPRESSED = 1 << 16, FLAG_MARKERS = 1 << 17 };
enum { COMPRESS_NONE, COMPRESS_DEFLATE };
#define DESCRIPTOR_BEGIN "# Disk DescriptorFile"
#define GTES            512             /* entries of a grain table */
#define GT_BYTES        (GTES * 4)
#define GT_SECTORS      (GT_BYTES / 512)
#define GD_AT_END       UINT64_MAX
#define MARKER_BYTES    12              /* VMDK "Compressed grain marker": sector of the disk, size of the data */
#define DESCRIPTOR_MAX  (64 * KIB)
#define GRAIN_DEFAULT   128             /* sectors */
#define DESCRIPTOR_ROOM 20              /* sectors, of a new image's */
#define EXTENT_SECTORS  UINT64_C(4194304)       /* "twoGbMax" */

typedef struct Vmdk {
    Growing grow;                   /* first */
    VmdkExtents *extents;           /* in other files; NULL: this one is all, and the rest is of it */
    bool is_descriptor;
    uint32_t flags;
    uint32_t *gd, *rgd;             /* grain directories, host byte order; owned; rgd may be NULL */
    uint64_t gd_offset, rgd_offset;
    bool gd_changed;
    char *descriptor;               /* owned; NUL after descriptor_size bytes */
    uint64_t descriptor_offset, descriptor_size;
} Vmdk;

static Vmdk *of(Growing *g)
{
    return (Vmdk *)g;
}

static uint64_t gd_bytes(uint64_t tables)
{
    return ALIGN_UP(tables * 4, UINT64_C(512));
}

/* --- the map --- */

static uint64_t vmdk_page_at(Growing *g, uint64_t page)
{
    return of(g)->gd[page] * UINT64_C(512);
}

static uint64_t vmdk_copy_at(Growing *g, uint64_t page)
{
    return of(g)->rgd ? of(g)->rgd[page] * UINT64_C(512) : 0;
}

static int coroutine_fn vmdk_find(Growing *g, uint64_t block, GrowPlace *p)
{
    Vmdk *s = of(g);
    uint8_t *e;
    int r = grow_map_get(g, block * 4, &e);
    uint32_t v;

    if (r < 0) {
        return r;
    }
    v = load_le32(e);
    if (v == 0 || (v == 1 && s->flags & FLAG_ZERO_GRAINS)) {
        *p = (GrowPlace){ v ? GROW_ZERO : GROW_HOLE, 0 };
    } else {
        *p = (GrowPlace){ s->flags & FLAG_COMPRESSED ? GROW_PACKED : GROW_DATA, v * UINT64_C(512) };
    }
    return 0;
}

/* A grain table for a directory's entry that has none, behind @*end. */
static int new_table(uint32_t *entry, uint64_t *end)
{
    if (*end / 512 > UINT32_MAX - GT_SECTORS) {
        return -EFBIG;
    }
    *entry = *end / 512;
    *end += GT_BYTES;
    return 0;
}

static int coroutine_fn vmdk_place(Growing *g, uint64_t block, uint64_t offset)
{
    Vmdk *s = of(g);
    uint64_t page = block / GTES, end = ALIGN_UP(MAX(g->end, offset + g->block_size), UINT64_C(512));
    uint8_t *e;
    int r;

    if (offset / 512 > UINT32_MAX) {
        return -EFBIG;
    }
    r = grow_map_get(g, block * 4, &e);
    if (r == 0 && !s->gd[page]) {
        r = new_table(&s->gd[page], &end);
        if (r == 0 && s->rgd) {
            r = new_table(&s->rgd[page], &end);
        }
        s->gd_changed = true;
        g->end = end;
    }
    if (r == 0) {
        store_le32(e, offset / 512);
        grow_map_changed(g, block * 4);
    }
    return r;
}

/* The image isn't what others know by its content id any more (VMDK "The Header": CID). */
static int coroutine_fn vmdk_begin(Growing *g)
{
    Vmdk *s = of(g);
    char *at = s->descriptor, digits[9];
    uint32_t cid;

    while (at && strncmp(at, "CID=", 4)) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (!at || strspn(at + 4, "0123456789abcdefABCDEF") != 8) {
        return 0;
    }
    guest_random_bytes(&cid, sizeof(cid));
    snprintf(digits, sizeof(digits), "%08x", MIN(cid, UINT32_C(0xfffffffd)));
    memcpy(at + 4, digits, 8);
    return format_write(g->n->file, s->descriptor_offset + (at + 4 - s->descriptor), digits, 8);
}

static int coroutine_fn write_directory(Growing *g, uint64_t offset, const uint32_t *gd)
{
    uint8_t *b = g_malloc0(MAX(gd_bytes(g->pages), UINT64_C(1)));
    int r;

    for (uint64_t i = 0; i < g->pages; i++) {
        store_le32(b + i * 4, gd[i]);
    }
    r = format_write(g->n->file, offset, b, gd_bytes(g->pages));
    g_free(b);
    return r;
}

static int coroutine_fn vmdk_finish(Growing *g)
{
    Vmdk *s = of(g);
    int r = s->gd_changed ? write_directory(g, s->gd_offset, s->gd) : 0;

    if (r == 0 && s->gd_changed && s->rgd) {
        r = write_directory(g, s->rgd_offset, s->rgd);
    }
    s->gd_changed &= r < 0;
    return r;
}

/* --- compressed grains --- */

typedef struct Pack {
    const uint8_t *in;
    uint8_t *out;
    uLongf in_len, out_len;         /* out_len: the room, then what is used */
} Pack;

static int unpack_job(void *opaque)
{
    Pack *j = opaque;

    return uncompress(j->out, &j->out_len, j->in, j->in_len) == Z_OK ? 0 : -EIO;
}

static int pack_job(void *opaque)
{
    Pack *j = opaque;

    return compress(j->out, &j->out_len, j->in, j->in_len) == Z_OK ? 0 : -EIO;
}

static int coroutine_fn vmdk_unpack(Growing *g, const GrowPlace *p, uint8_t *out)
{
    uint8_t marker[MARKER_BYTES], *in;
    uint32_t size;
    Pack j;
    int r = format_read(g->n->file, p->offset, marker, sizeof(marker));

    size = load_le32(marker + 8);
    if (r < 0 || size == 0 || size > 2 * g->block_size) {
        return r < 0 ? r : -EIO;
    }
    in = g_malloc(size);
    r = format_read(g->n->file, p->offset + MARKER_BYTES, in, size);
    if (r == 0) {
        j = (Pack){ in, out, size, g->block_size };
        r = thread_pool_co(unpack_job, &j);
        /* The disk's last grain may be short. */
        memset(out + j.out_len, 0, r < 0 ? 0 : g->block_size - j.out_len);
    }
    g_free(in);
    return r;
}

/* Under the lock: a marker and the data, up to a multiple of 512 bytes. */
static int coroutine_fn put_packed(Growing *g, uint64_t block, const uint8_t *data, size_t len)
{
    uint64_t at = ALIGN_UP(g->end, UINT64_C(512));
    uint8_t *b = g_malloc0(ALIGN_UP(MARKER_BYTES + len, (size_t)512));
    GrowPlace p;
    int r = vmdk_find(g, block, &p);

    if (r == 0 && p.kind == GROW_PACKED) {
        r = -EEXIST;
    }
    store_le64(b, block * (g->block_size / 512));
    store_le32(b + 8, len);
    memcpy(b + MARKER_BYTES, data, len);
    if (r == 0) {
        r = format_write(g->n->file, at, b, ALIGN_UP(MARKER_BYTES + len, (size_t)512));
    }
    if (r == 0) {
        r = vmdk_place(g, block, at);
    }
    if (r == 0) {
        g->end = MAX(g->end, at + ALIGN_UP(MARKER_BYTES + len, (size_t)512));
        g->finish_due = true;
    }
    g_free(b);
    return r;
}

static int coroutine_fn vmdk_co_write_compressed(BlockNode *n, uint64_t offset, const void *buf, size_t len)
{
    Growing *g = n->state;
    uint8_t *whole;
    Pack j;
    int r;

    if (of(g)->extents || !(of(g)->flags & FLAG_COMPRESSED)) {
        return -ENOTSUP;
    }
    if (offset % g->block_size || len > g->block_size) {
        return -EINVAL;
    }
    whole = g_malloc0(g->block_size);
    memcpy(whole, buf, len);
    j = (Pack){ whole, NULL, g->block_size, compressBound(g->block_size) };
    j.out = g_malloc(j.out_len);
    r = thread_pool_co(pack_job, &j);
    if (r == 0) {
        co_mutex_lock(&g->lock);
        r = g->broken ? -EIO : put_packed(g, offset / g->block_size, j.out, j.out_len);
        co_mutex_unlock(&g->lock);
    }
    g_free(j.out);
    g_free(whole);
    return r;
}

/* A stream has its grains once, and compressed. */
static int coroutine_fn vmdk_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    Growing *g = n->state;
    size_t len = iov_size(iov, niov), done = 0;
    uint8_t *b;
    int r = 0;

    if (of(g)->extents) {
        return vmdk_extents_rw(of(g)->extents, true, offset, iov, niov);
    }
    if (!(of(g)->flags & FLAG_COMPRESSED)) {
        return grow_co_pwritev(n, offset, iov, niov);
    }
    if (offset % g->block_size || (len % g->block_size && offset + len != g->size)) {
        return -ENOTSUP;
    }
    b = g_malloc(g->block_size);
    while (done < len && r == 0) {
        size_t part = MIN(len - done, g->block_size);

        iov_to_buf(iov, niov, done, b, part);
        r = vmdk_co_write_compressed(n, offset + done, b, part);
        done += part;
    }
    g_free(b);
    return r;
}

static const GrowFormat vmdk_format = {
    .find = vmdk_find, .place = vmdk_place, .begin = vmdk_begin, .finish = vmdk_finish, .unpack = vmdk_unpack,
    .page_at = vmdk_page_at, .copy_at = vmdk_copy_at,
};

/* --- the disk, wherever it is --- */

static int64_t vmdk_length(BlockNode *n)
{
    Vmdk *s = n->state;

    return s->extents ? (int64_t)vmdk_extents_size(s->extents) : grow_length(n);
}

static int coroutine_fn vmdk_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    Vmdk *s = n->state;

    return s->extents ? vmdk_extents_rw(s->extents, false, offset, iov, niov) : grow_co_preadv(n, offset, iov, niov);
}

static int coroutine_fn vmdk_co_flush(BlockNode *n)
{
    Vmdk *s = n->state;

    return s->extents ? vmdk_extents_flush(s->extents) : grow_co_flush(n);
}

static int coroutine_fn vmdk_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    Vmdk *s = n->state;

    return s->extents ? vmdk_extents_zero(s->extents, offset, len, flags) : grow_co_zero(n, offset, len, flags);
}

static int coroutine_fn vmdk_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    Vmdk *s = n->state;

    return s->extents ? vmdk_extents_status(s->extents, offset, len, st) : grow_co_status(n, offset, len, st);
}

static int coroutine_fn vmdk_co_check(BlockNode *n, unsigned fix, BlockCheck *result, Error **errp)
{
    Vmdk *s = n->state;

    return s->extents ? vmdk_extents_check(s->extents, fix, result, errp) : grow_co_check(n, fix, result, errp);
}

static bool vmdk_inactivate(BlockNode *n, Error **errp)
{
    return ((Vmdk *)n->state)->extents ? true : grow_inactivate(n, errp);
}

static bool vmdk_reopen(BlockNode *n, bool read_only, Error **errp)
{
    Vmdk *s = n->state;

    return s->extents ? vmdk_extents_reopen(s->extents, read_only, errp) : grow_reopen(n, read_only, errp);
}

static void vmdk_limits(BlockNode *n, BlockLimits *l)
{
    if (((Vmdk *)n->state)->extents) {
        l->request_alignment = l->memory_alignment = 0;
    } else {
        grow_limits(n, l);
    }
}

static void vmdk_info(BlockNode *n, BlockFormatInfo *info)
{
    if (of(n->state)->extents) {
        *info = (BlockFormatInfo){ .cluster_size = vmdk_extents_cluster_size(of(n->state)->extents),
                                   .other_files = vmdk_extents_actual_size(of(n->state)->extents) };
        return;
    }
    grow_info(n, info);
    info->only_compressed = of(n->state)->flags & FLAG_COMPRESSED;
}

/* --- opening --- */

static int vmdk_probe(const uint8_t *b, size_t len)
{
    return len >= HDR_BYTES && load_le32(b) == VMDK_MAGIC ? 100
           : len >= 21 && !memcmp(b, DESCRIPTOR_BEGIN, 21) ? 100 : 0;
}

/* The value of a descriptor's line "key=value" or "key = "value""; freed by the caller. */
static char *value_of(const char *descriptor, const char *key)
{
    size_t len = strlen(key);

    for (const char *at = descriptor; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        const char *v = at + strspn(at, " \t"), *sign;

        if (strncmp(v, key, len)) {
            continue;
        }
        sign = v + len + strspn(v + len, " \t");
        if (*sign == '=') {
            v = sign + 1 + strspn(sign + 1, " \t\"");
            return g_strndup(v, strcspn(v, "\"\r\n"));
        }
    }
    return NULL;
}

/* Content ids are eight digits in hex. */
static int64_t id_of(const Vmdk *s, const char *key, uint32_t otherwise)
{
    char *text = s->descriptor ? value_of(s->descriptor, key) : NULL;
    int64_t id = text ? (int64_t)(g_ascii_strtoull(text, NULL, 16) & UINT32_MAX) : otherwise;

    g_free(text);
    return id;
}

/* Where there is one file, that is the image's only extent. */
static ImageInfoSpecific *vmdk_specific(BlockNode *n)
{
    Vmdk *s = n->state;
    ImageInfoSpecific *all = qapi_new(ImageInfoSpecific);
    ImageInfoSpecificVmdk *v = qapi_new(ImageInfoSpecificVmdk);
    ImageInfo *extent;
    char *kind = s->descriptor ? value_of(s->descriptor, "createType") : NULL;

    v->create_type = strdup(kind ? kind : "");
    g_free(kind);
    v->cid = id_of(s, "CID", 0);
    v->parent_cid = id_of(s, "parentCID", UINT32_MAX);
    all->type = IMAGE_INFO_SPECIFIC_KIND_VMDK;
    all->u.vmdk.data = v;
    if (s->extents) {
        v->extents = vmdk_extents_info(s->extents);
        return all;
    }
    extent = qapi_new(ImageInfo);
    extent->filename = strdup(n->filename ? n->filename : "");
    extent->format = strdup("");
    extent->virtual_size = s->grow.size;
    QAPI_SET(extent, cluster_size, (int64_t)s->grow.block_size);
    if (s->flags & FLAG_COMPRESSED) {
        QAPI_SET(extent, compressed, true);
    }
    v->extents = qapi_new(ImageInfoList);
    qapi_list_append(v->extents, extent);
    return all;
}

static bool coroutine_fn read_descriptor(Vmdk *s, BlockNode *n, Error **errp)
{
    char *parent, *kind;
    bool ok = true;

    if (!s->descriptor_size) {
        return true;
    }
    s->descriptor = g_malloc0(s->descriptor_size + 1);
    if (!format_load(n->file, s->descriptor_offset, s->descriptor, s->descriptor_size, errp)) {
        return false;
    }
    parent = value_of(s->descriptor, "parentCID");
    kind = value_of(s->descriptor, "createType");
    if (parent && g_ascii_strcasecmp(parent, "ffffffff")) {
        ok = GROW_UNSUPPORTED("the image is based on another one (parentCID=%.8s), which isn't supported", parent);
    } else if (s->is_descriptor && (!kind || (strcmp(kind, "monolithicFlat") && strcmp(kind, "twoGbMaxExtentSparse") &&
                                              strcmp(kind, "twoGbMaxExtentFlat") && strcmp(kind, "vmfs")))) {
        ok = GROW_UNSUPPORTED("the kind of image (createType) is '%.32s'; accepted in a descriptor's file: monolithicFlat, "
                              "twoGbMaxExtentSparse, twoGbMaxExtentFlat, vmfs", kind ? kind : "");
    } else if (!s->is_descriptor && kind && strcmp(kind, "monolithicSparse") && strcmp(kind, "streamOptimized")) {
        ok = GROW_UNSUPPORTED("the kind of image (createType) is '%.32s'; accepted: monolithicSparse, streamOptimized", kind);
    }
    g_free(parent);
    g_free(kind);
    return ok;
}

static bool check_header(Vmdk *s, BlockNode *n, const uint8_t *h, Error **errp)
{
    uint64_t capacity = load_le64(h + HDR_CAPACITY), grain = load_le64(h + HDR_GRAIN), at = load_le64(h + HDR_DESCRIPTOR);
    uint32_t version = load_le32(h + HDR_VERSION);
    uint16_t compress = load_le16(h + HDR_COMPRESS);
    Growing *g = &s->grow;

    if (load_le32(h) != VMDK_MAGIC) {
        return GROW_BAD("the file doesn't begin with 'KDMV': it is no VMDK image");
    }
    if (version < 1 || version > 3) {
        return GROW_UNSUPPORTED("the version (byte 4) is %u; accepted: 1, 2, 3", version);
    }
    s->flags = load_le32(h + HDR_FLAGS);
    if (s->flags & FLAG_NEWLINES && memcmp(h + HDR_NEWLINES, "\n \r\n", 4)) {
        return GROW_BAD("the newlines at byte 73 are others: the file was copied as text");
    }
    if ((s->flags & FLAG_COMPRESSED ? COMPRESS_DEFLATE : COMPRESS_NONE) != compress) {
        return GROW_UNSUPPORTED("the compression (byte 77) is %u, and the flags (byte 8) are 0x%x; accepted: deflate with its "
                                "flag, or none", compress, s->flags);
    }
    if (!IS_POWER_OF_2(grain) || grain < 8 || grain > GROW_BLOCK_MAX / 512) {
        return GROW_BAD("a grain (byte 20) has %" PRIu64 " sectors; accepted: powers of two from 8 to %" PRIu64, grain,
                        GROW_BLOCK_MAX / 512);
    }
    if (load_le32(h + HDR_GTES) != GTES) {
        return GROW_UNSUPPORTED("a grain table (byte 44) has %u entries; accepted: %d", load_le32(h + HDR_GTES), GTES);
    }
    if (capacity > INT64_MAX / 512 || DIV_ROUND_UP(capacity, grain) > GROW_MAP_MAX / 4) {
        return GROW_BAD("the disk (byte 12) has %" PRIu64 " sectors; accepted: up to %" PRIu64 " grains", capacity, GROW_MAP_MAX / 4);
    }
    s->descriptor_size = load_le64(h + HDR_DESCRIPTOR_SIZE);
    if (s->descriptor_size > DESCRIPTOR_MAX / 512 || at > INT64_MAX / 1024) {
        return GROW_BAD("the descriptor (byte 28) has %" PRIu64 " sectors, at sector %" PRIu64 "; accepted: up to %" PRIu64,
                        s->descriptor_size, at, DESCRIPTOR_MAX / 512);
    }
    s->descriptor_offset = at * 512;
    s->descriptor_size = at ? s->descriptor_size * 512 : 0;
    g->size = capacity * 512;
    g->block_size = grain * 512;
    g->page_bytes = GT_BYTES;
    g->pages = DIV_ROUND_UP(DIV_ROUND_UP(capacity, grain), (uint64_t)GTES);
    g->first = HDR_BYTES;
    g->align = s->flags & FLAG_COMPRESSED ? 512 : g->block_size;
    g->end = ALIGN_UP((uint64_t)block_length(n->file), UINT64_C(512));
    return true;
}

static uint32_t *coroutine_fn read_directory(Vmdk *s, BlockNode *n, const char *what, uint64_t sector, uint64_t *offset, Error **errp)
{
    uint64_t entries = s->grow.pages;
    uint32_t *gd;

    if (!sector || sector > INT64_MAX / 1024) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the %s is at sector %" PRIu64 "; accepted: one behind the header", what, sector);
        return NULL;
    }
    *offset = sector * 512;
    gd = g_new0(uint32_t, MAX(entries, UINT64_C(1)));
    if (!format_load(n->file, *offset, gd, entries * 4, errp)) {
        error_prepend(errp, "the %s: ", what);
        g_free(gd);
        return NULL;
    }
    for (uint64_t i = 0; i < entries; i++) {
        gd[i] = load_le32(&gd[i]);
    }
    return gd;
}

/* A stream's header doesn't know where its grain directory is going to be; the footer does (VMDK "Stream-Optimized"). */
static bool coroutine_fn read_footer(BlockNode *n, uint8_t *h, Error **errp)
{
    int64_t length = block_length(n->file);
    uint8_t f[HDR_BYTES];

    if (length < 4 * HDR_BYTES) {
        return GROW_BAD("the grain directory is said to be at the end, but there is no footer");
    }
    if (!format_load(n->file, length / 512 * 512 - 2 * HDR_BYTES, f, sizeof(f), errp)) {
        return false;
    }
    if (load_le32(f) != VMDK_MAGIC || load_le64(f + HDR_GD) == GD_AT_END) {
        return GROW_BAD("the grain directory is said to be at the end, but there is no footer");
    }
    memcpy(h, f, HDR_BYTES);
    return true;
}

/* A file that is nothing but a descriptor. */
static bool coroutine_fn read_descriptor_file(BlockNode *n, Error **errp)
{
    Vmdk *s = n->state;
    int64_t length = block_length(n->file);

    if (length > (int64_t)DESCRIPTOR_MAX) {
        return GROW_BAD("the descriptor has %" PRId64 " bytes; accepted: up to %" PRIu64, length, DESCRIPTOR_MAX);
    }
    s->is_descriptor = true;
    s->descriptor_size = MAX(length, INT64_C(0));
    return read_descriptor(s, n, errp);
}

static bool coroutine_fn read_image(BlockNode *n, Error **errp)
{
    Vmdk *s = n->state;
    uint8_t h[HDR_BYTES] = { 0 };

    if (block_length(n->file) >= (int64_t)strlen(DESCRIPTOR_BEGIN) && !format_load(n->file, 0, h, strlen(DESCRIPTOR_BEGIN), errp)) {
        return false;
    }
    if (!memcmp(h, DESCRIPTOR_BEGIN, strlen(DESCRIPTOR_BEGIN))) {
        return read_descriptor_file(n, errp);
    }
    if (!format_load(n->file, 0, h, sizeof(h), errp) ||
        (load_le32(h) == VMDK_MAGIC && load_le64(h + HDR_GD) == GD_AT_END && !read_footer(n, h, errp)) ||
        !check_header(s, n, h, errp) || !read_descriptor(s, n, errp)) {
        return false;
    }
    s->gd = read_directory(s, n, "grain directory (byte 56)", load_le64(h + HDR_GD), &s->gd_offset, errp);
    if (s->gd && s->flags & FLAG_RGD) {
        s->rgd = read_directory(s, n, "second grain directory (byte 48)", load_le64(h + HDR_RGD), &s->rgd_offset, errp);
        return s->rgd;
    }
    return s->gd;
}

static void free_state(Vmdk *s)
{
    g_clear_pointer(&s->gd, g_free);
    g_clear_pointer(&s->rgd, g_free);
    g_clear_pointer(&s->descriptor, g_free);
}

static bool vmdk_open(BlockNode *n, UNUSED const QDict *opts, Error **errp)
{
    Vmdk *s = n->state;

    if (!format_open(n, "VMDK image", read_image, errp)) {
        free_state(s);
        return false;
    }
    if (s->is_descriptor) {
        s->extents = vmdk_extents_open(n, s->descriptor, errp);
        if (!s->extents) {
            error_prepend(errp, "VMDK image '%s': ", n->filename ? n->filename : n->file->name);
            free_state(s);
        }
        return s->extents;
    }
    grow_init(&s->grow, n, &vmdk_format);
    return true;
}

static void vmdk_close(BlockNode *n)
{
    Vmdk *s = n->state;

    if (s->extents) {
        vmdk_extents_close(s->extents);
    } else {
        grow_close(&s->grow);
    }
    free_state(n->state);
}

/* --- making --- */

/* A number in the descriptor. */
static const char *version(const QDict *opts, const char *key, const char *otherwise, Error **errp)
{
    const char *text = qdict_str_or(opts, key, otherwise);

    if (!*text || strlen(text) > 10 || text[strspn(text, "0123456789")]) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%.32s'; accepted: numbers of up to 10 digits", key, text);
        return NULL;
    }
    return text;
}

/* For messages, and in the descriptor: no quotes, no lines. */
static char *plain_name(const char *name)
{
    char *base = g_path_get_basename(name ? name : "disk.vmdk");

    for (char *c = base; *c; c++) {
        *c = *c == '"' || (uint8_t)*c < ' ' ? '_' : *c;
    }
    return base;
}

/* @extents: the lines that tell of them. */
static char *make_descriptor(const char *extents, uint64_t sectors, const char *kind, const QDict *opts, Error **errp)
{
    const char *adapter = qdict_str_or(opts, "adapter_type", "ide"), *hw = version(opts, "hwversion", "4", errp);
    const char *tools = hw ? version(opts, "toolsversion", "2147483647", errp) : NULL;
    bool ide = !strcmp(adapter, "ide");
    uint32_t cid;

    if (!tools) {
        return NULL;
    }
    if (!ide && strcmp(adapter, "lsilogic") && strcmp(adapter, "buslogic") && strcmp(adapter, "legacyESX")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'adapter_type' is '%s'; accepted: ide, buslogic, lsilogic, legacyESX", adapter);
        return NULL;
    }
    guest_random_bytes(&cid, sizeof(cid));
    return g_strdup_printf(DESCRIPTOR_BEGIN "\nversion=1\nCID=%08x\nparentCID=ffffffff\ncreateType=\"%s\"\n\n"
                           "# Extent description\n%s\n# The Disk Data Base\n#DDB\n\n"
                           "ddb.virtualHWVersion = \"%s\"\nddb.geometry.cylinders = \"%" PRIu64 "\"\n"
                           "ddb.geometry.heads = \"%d\"\nddb.geometry.sectors = \"63\"\nddb.adapterType = \"%s\"\n"
                           "ddb.toolsVersion = \"%s\"\n",
                           MIN(cid, UINT32_C(0xfffffffd)), kind, extents, hw, sectors / (63 * (ide ? 16 : 255)), ide ? 16 : 255,
                           adapter, tools);
}

/* A directory at @sector and the tables that it names behind it. */
static bool coroutine_fn put_directory(BlockNode *file, uint64_t sector, uint64_t tables, Error **errp)
{
    uint8_t *b = g_malloc0(MAX(gd_bytes(tables), UINT64_C(1)));
    bool ok;

    for (uint64_t i = 0; i < tables; i++) {
        store_le32(b + i * 4, sector + gd_bytes(tables) / 512 + i * GT_SECTORS);
    }
    ok = format_store(file, sector * 512, b, gd_bytes(tables), errp);
    g_free(b);
    return ok;
}

/* A sparse file; @text: its descriptor, NULL if that is in another file. */
static bool coroutine_fn make_sparse(BlockNode *file, uint64_t sectors, bool stream, const char *text, Error **errp)
{
    uint64_t tables = DIV_ROUND_UP(DIV_ROUND_UP(sectors, GRAIN_DEFAULT), (uint64_t)GTES);
    uint64_t at = text ? 1 : 0, room = text ? DESCRIPTOR_ROOM : 0;      /* of the descriptor, in sectors */
    uint64_t set = gd_bytes(tables) / 512 + tables * GT_SECTORS, rgd = 1 + room, gd = rgd + set;
    uint64_t overhead = ALIGN_UP(gd + set, (uint64_t)GRAIN_DEFAULT);
    uint8_t h[HDR_BYTES] = { 0 }, *descriptor_sectors;
    bool ok;

    store_le32(h, VMDK_MAGIC);
    store_le32(h + HDR_VERSION, stream ? 3 : 1);
    store_le32(h + HDR_FLAGS, FLAG_NEWLINES | FLAG_RGD | (stream ? FLAG_COMPRESSED | FLAG_MARKERS : 0));
    store_le64(h + HDR_CAPACITY, sectors);
    store_le64(h + HDR_GRAIN, GRAIN_DEFAULT);
    store_le64(h + HDR_DESCRIPTOR, at);
    store_le64(h + HDR_DESCRIPTOR_SIZE, room);
    store_le32(h + HDR_GTES, GTES);
    store_le64(h + HDR_RGD, rgd);
    store_le64(h + HDR_GD, gd);
    store_le64(h + HDR_OVERHEAD, overhead);
    memcpy(h + HDR_NEWLINES, "\n \r\n", 4);
    store_le16(h + HDR_COMPRESS, stream ? COMPRESS_DEFLATE : COMPRESS_NONE);
    ok = format_set_length(file, overhead * 512, errp) && put_directory(file, rgd, tables, errp) &&
         put_directory(file, gd, tables, errp);
    if (ok && text) {
        descriptor_sectors = g_malloc0(room * 512);
        memcpy(descriptor_sectors, text, strlen(text));
        ok = format_store(file, at * 512, descriptor_sectors, room * 512, errp);
        g_free(descriptor_sectors);
    }
    return ok && format_store(file, 0, h, sizeof(h), errp);
}

/* Another file beside the descriptor's. */
static bool coroutine_fn make_extent(const char *path, uint64_t sectors, bool sparse, Error **errp)
{
    QDict *opts = qdict_from_fmt("{'filename': %s, 'size': %llu}", path, sparse ? 0ULL : (unsigned long long)sectors * 512);
    bool ok = block_driver_find("file")->co_create(NULL, opts, errp);
    BlockNode *file;

    qobject_unref(opts);
    if (!ok || !sparse) {
        return ok;
    }
    opts = qdict_from_fmt("{'driver': 'file', 'filename': %s}", path);
    file = block_node_open(opts, errp);
    qobject_unref(opts);
    ok = file && make_sparse(file, sectors, false, NULL, errp);
    block_node_unref(file);
    return ok;
}

/* monolithicFlat: NAME-flat.vmdk; twoGbMaxExtentFlat: NAME-f001.vmdk and so on; -Sparse: NAME-s001.vmdk. */
static bool coroutine_fn make_extents(BlockNode *file, uint64_t sectors, const char *kind, const QDict *opts, Error **errp)
{
    bool sparse = !strcmp(kind, "twoGbMaxExtentSparse"), one = !strcmp(kind, "monolithicFlat"), ok = true;
    uint64_t most = one ? MAX(sectors, UINT64_C(1)) : EXTENT_SECTORS, at = 0;
    size_t end = file->filename && g_str_has_suffix(file->filename, ".vmdk") ? strlen(".vmdk") : 0;
    GString *lines = g_string_new("");
    char *text;

    if (!file->filename || DIV_ROUND_UP(sectors, most) > VMDK_EXTENTS_MAX) {
        g_string_free(lines, true);
        error_setf(errp, ERR_NOT_SUPPORTED, "an image of the kind %s can't be made here; accepted: names of files, and up to %d extents", kind,
                   VMDK_EXTENTS_MAX);
        return false;
    }
    for (unsigned i = 1; ok && (at < sectors || i == 1); i++) {
        uint64_t part = MIN(sectors - at, most);
        g_autofree char *path = one ? g_strdup_printf("%.*s-flat.vmdk", (int)(strlen(file->filename) - end), file->filename)
                                    : g_strdup_printf("%.*s-%c%03u.vmdk", (int)(strlen(file->filename) - end), file->filename,
                                                      sparse ? 's' : 'f', i);
        g_autofree char *name = g_path_get_basename(path), *plain = plain_name(name);

        if (strcmp(name, plain)) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "a descriptor can't name '%s'; accepted: names without quotes and lines", plain);
            ok = false;
        } else {
            g_string_append_printf(lines, "RW %" PRIu64 " %s \"%s\"%s\n", part, sparse ? "SPARSE" : "FLAT", name, sparse ? "" : " 0");
            ok = make_extent(path, part, sparse, errp);
        }
        at += part;
    }
    text = ok ? make_descriptor(lines->str, sectors, kind, opts, errp) : NULL;
    ok = text && format_set_length(file, strlen(text), errp) && format_store(file, 0, text, strlen(text), errp);
    g_string_free(lines, true);
    g_free(text);
    return ok;
}

static bool coroutine_fn vmdk_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    static const char *const kinds[] = { "monolithicSparse", "streamOptimized", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat" };
    const char *kind = qdict_str_or(opts, "subformat", kinds[0]);
    uint64_t sectors = DIV_ROUND_UP((uint64_t)qdict_int_or(opts, "size", 0), 512);
    char *base, *line, *text;
    size_t k = 0;
    bool ok;

    while (k < ARRAY_SIZE(kinds) && strcmp(kind, kinds[k])) {
        k++;
    }
    if (k == ARRAY_SIZE(kinds)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'subformat' is '%s'; accepted: monolithicSparse, streamOptimized, monolithicFlat, "
                   "twoGbMaxExtentSparse, twoGbMaxExtentFlat", kind);
        return false;
    }
    if (k >= 2) {
        return make_extents(file, sectors, kind, opts, errp);
    }
    if (DIV_ROUND_UP(sectors, GRAIN_DEFAULT) > GROW_MAP_MAX / 4) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a VMDK image of %" PRIu64 " sectors can't be made; accepted: up to %" PRIu64, sectors,
                   GROW_MAP_MAX / 4 * GRAIN_DEFAULT);
        return false;
    }
    base = plain_name(file->filename);
    line = g_strdup_printf("RW %" PRIu64 " SPARSE \"%s\"\n", sectors, base);
    text = make_descriptor(line, sectors, kind, opts, errp);
    if (text && strlen(text) > DESCRIPTOR_ROOM * 512) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the file's name is too long for the image's descriptor");
        g_clear_pointer(&text, g_free);
    }
    ok = text && make_sparse(file, sectors, k == 1, text, errp);
    g_free(text);
    g_free(line);
    g_free(base);
    return ok;
}

static const char *const vmdk_options[] = { "file", NULL };
static const char *const vmdk_create_options[] = { "size", "subformat", "adapter_type", "hwversion", "toolsversion", NULL };

static BlockDriver driver_vmdk = {
    .name = "vmdk", .options = vmdk_options, .state_size = sizeof(Vmdk), .open = vmdk_open, .close = vmdk_close, .has_map = true,
    .length = vmdk_length, .co_preadv = vmdk_co_preadv, .co_flush = vmdk_co_flush, .co_zero = vmdk_co_zero, .limits = vmdk_limits,
    .co_status = vmdk_co_status, .co_check = vmdk_co_check, .inactivate = vmdk_inactivate, .reopen = vmdk_reopen,
    .co_pwritev = vmdk_co_pwritev, .info = vmdk_info, .specific = vmdk_specific, .co_write_compressed = vmdk_co_write_compressed, .probe = vmdk_probe, .co_create = vmdk_co_create,
    .create_options = vmdk_create_options,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_vmdk);
}
