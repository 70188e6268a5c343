/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "vmdk": extents in files beside the descriptor (VMDK "The Extent Description"), each a part of the disk, one after the other:
 *
 *   RW 4192256 SPARSE "disk-s001.vmdk"         a sparse file, as vmdk.c has them
 *   RW 4192256 FLAT "disk-f001.vmdk" 0         the bytes themselves, from that sector on (VMFS: the same)
 *   RW 63 ZERO                                 zeros
 *
 * A descriptor is a stranger's: it names files in its own folder, nothing else.
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/stat.h>
#include "block/growing/vmdk.h"
#include "qapi/types-block.h"
#include "util/bswap.h"
#include "util/iov.h"

#define BAD(...)        (error_setf(errp, ERR_IMAGE_CORRUPT, __VA_ARGS__), false)

typedef struct Extent {
    uint64_t first, end;            /* bytes of the disk */
    uint64_t offset;                /* FLAT: where they begin in the file */
    BlockNode *node;                /* a reference; NULL: zeros */
    char *name;
    bool sparse, read_only;
} Extent;

struct VmdkExtents {
    Extent *items;
    unsigned n;
};

/* --- opening --- */

/* In the folder of @n's file. */
static BlockNode *open_file(BlockNode *n, const char *name, bool read_only, Error **errp)
{
    g_autofree char *folder = NULL, *path = NULL;
    BlockNode *file;
    QDict *d;

    if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > 255) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "an extent is in '%.255s'; accepted: names of files in the descriptor's folder", name);
        return NULL;
    }
    if (!n->filename) {
        error_setf(errp, ERR_NOT_SUPPORTED, "the descriptor has no folder, in which its extents could be");
        return NULL;
    }
    folder = g_path_get_dirname(n->filename);
    path = strcmp(folder, ".") || *n->filename == '.' ? g_build_filename(folder, name, NULL) : g_strdup(name);
    d = qdict_from_fmt("{'driver': 'file', 'filename': %s, 'read-only': %i, 'force-share': %i, 'cache.direct': %i, 'cache.no-flush': %i,"
                       " 'discard': %s}", path, read_only, n->force_share, n->direct, n->no_flush, n->discard ? "unmap" : "ignore");
    file = block_node_open(d, errp);
    qobject_unref(d);
    return file;
}

typedef struct Magic {
    BlockNode *file;
    uint8_t b[4];
    Error **errp;
    bool ok;
} Magic;

static void coroutine_fn magic_entry(void *opaque)
{
    Magic *m = opaque;

    m->ok = format_load(m->file, 0, m->b, sizeof(m->b), m->errp);
}

/* The sparse image in @file, whose reference goes. A descriptor isn't one: it might name itself. */
static BlockNode *open_sparse(BlockNode *file, bool read_only, Error **errp)
{
    Magic m = { .file = file, .errp = errp };
    BlockNode *n = NULL;
    QDict *d;

    block_run(magic_entry, &m);
    if (m.ok && load_be32(m.b) != 0x4b444d56) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the extent '%s' doesn't begin with 'KDMV'", file->filename);
    } else if (m.ok) {
        d = qdict_from_fmt("{'driver': 'vmdk', 'file': %s, 'read-only': %i}", file->name, read_only);
        n = block_node_open(d, errp);
        qobject_unref(d);
    }
    block_node_unref(file);
    return n;
}

static bool open_extent(BlockNode *n, Extent *x, Error **errp)
{
    bool read_only = n->read_only || x->read_only;
    BlockNode *file = open_file(n, x->name, read_only, errp);
    uint64_t bytes = x->end - x->first;
    int64_t length;

    x->node = file && x->sparse ? open_sparse(file, read_only, errp) : file;
    length = x->node ? block_length(x->node) : 0;
    if (x->node && (length < 0 || x->offset > (uint64_t)length || bytes > (uint64_t)length - x->offset)) {
        return BAD("the extent '%s' has %" PRId64 " bytes, fewer than the %" PRIu64 " from byte %" PRIu64 " on that the descriptor says",
                   x->name, length, bytes, x->offset);
    }
    return x->node;
}

/* A line of the descriptor. */
static bool parse(VmdkExtents *e, const char *line, Error **errp)
{
    uint64_t first = e->n ? e->items[e->n - 1].end : 0;
    char access[9], kind[9], name[256] = "";
    unsigned long long sectors, offset = 0;
    int got = sscanf(line, "%8s %19llu %8s \"%255[^\"\r\n]\" %19llu", access, &sectors, kind, name, &offset);
    Extent *x = &e->items[e->n];

    if (got < 3 || sectors > (INT64_MAX - first) / 512 || offset > INT64_MAX / 512) {
        return BAD("the extent '%.80s' isn't of the form 'RW SECTORS KIND \"FILE\" SECTOR'", line);
    }
    *x = (Extent){ .first = first, .end = first + sectors * 512, .offset = offset * 512, .sparse = !strcmp(kind, "SPARSE"),
                   .read_only = !strcmp(access, "RDONLY") };
    if (!x->sparse && strcmp(kind, "FLAT") && strcmp(kind, "VMFS") && strcmp(kind, "ZERO")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "an extent is of the kind '%s'; accepted: FLAT, SPARSE, VMFS, ZERO", kind);
        return false;
    }
    if (strcmp(kind, "ZERO")) {
        x->name = g_strdup(name);
    }
    x->offset = x->sparse ? 0 : x->offset;
    e->n++;
    return true;
}

VmdkExtents *vmdk_extents_open(BlockNode *n, const char *text, Error **errp)
{
    VmdkExtents *e = g_new0(VmdkExtents, 1);
    char **lines = g_strsplit(text, "\n", -1);
    bool ok = true;

    e->items = g_new0(Extent, VMDK_EXTENTS_MAX);
    for (char **l = lines; ok && *l; l++) {
        g_strstrip(*l);
        if (!g_str_has_prefix(*l, "RW ") && !g_str_has_prefix(*l, "RDONLY ") && !g_str_has_prefix(*l, "NOACCESS ")) {
            continue;
        }
        if (e->n == VMDK_EXTENTS_MAX) {
            ok = BAD("the descriptor has more than %d extents", VMDK_EXTENTS_MAX);
        } else if (g_str_has_prefix(*l, "NOACCESS ")) {
            ok = BAD("the extent '%.80s' may not be read", *l);
        } else {
            ok = parse(e, *l, errp);
        }
    }
    g_strfreev(lines);
    if (ok && !e->n) {
        ok = BAD("the descriptor has no extents");
    }
    for (unsigned i = 0; ok && i < e->n; i++) {
        ok = !e->items[i].name || open_extent(n, &e->items[i], errp);
    }
    if (!ok) {
        vmdk_extents_close(e);
        return NULL;
    }
    return e;
}

void vmdk_extents_close(VmdkExtents *e)
{
    for (unsigned i = 0; e && i < e->n; i++) {
        block_node_unref(e->items[i].node);
        g_free(e->items[i].name);
    }
    if (e) {
        g_free(e->items);
    }
    g_free(e);
}

/* --- requests --- */

uint64_t vmdk_extents_size(const VmdkExtents *e)
{
    return e->items[e->n - 1].end;
}

/* The one with the byte, which is the disk's; those without bytes are none. */
static Extent *extent_of(VmdkExtents *e, uint64_t offset)
{
    unsigned lo = 0, hi = e->n;

    while (lo + 1 < hi) {
        unsigned middle = lo + (hi - lo) / 2;

        if (e->items[middle].first <= offset) {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    return &e->items[lo];
}

static uint64_t in_node(const Extent *x, uint64_t offset)
{
    return x->offset + (offset - x->first);
}

int coroutine_fn vmdk_extents_rw(VmdkExtents *e, bool write, uint64_t offset, const struct iovec *iov, size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;
    struct iovec *slice = g_new(struct iovec, niov);
    int r = 0;

    while (done < len && r == 0) {
        uint64_t at = offset + done;
        Extent *x = extent_of(e, at);
        size_t part = MIN((uint64_t)(len - done), x->end - at), n = iov_slice(slice, niov, iov, niov, done, part);

        if (write) {
            r = x->read_only || !x->node ? -EACCES : block_co_pwritev(x->node, in_node(x, at), slice, n);
        } else if (x->node) {
            r = block_co_preadv(x->node, in_node(x, at), slice, n);
        } else {
            iov_memset(slice, n, 0, 0, part);
        }
        done += part;
    }
    g_free(slice);
    return r;
}

int coroutine_fn vmdk_extents_flush(VmdkExtents *e)
{
    int r = 0;

    for (unsigned i = 0; i < e->n && r == 0; i++) {
        r = e->items[i].node && !e->items[i].node->read_only ? block_co_flush(e->items[i].node) : 0;
    }
    return r;
}

int coroutine_fn vmdk_extents_zero(VmdkExtents *e, uint64_t offset, uint64_t len, unsigned flags)
{
    int r = 0;

    while (len && r == 0) {
        Extent *x = extent_of(e, offset);
        uint64_t part = MIN(len, x->end - offset);

        r = !x->node ? 0 : x->read_only ? -EACCES : block_co_zero(x->node, in_node(x, offset), part, flags);
        offset += part;
        len -= part;
    }
    return r;
}

int coroutine_fn vmdk_extents_status(VmdkExtents *e, uint64_t offset, uint64_t len, BlockStatus *st)
{
    Extent *x = extent_of(e, offset);
    int r = 0;

    len = MIN(len, x->end - offset);
    if (x->node) {
        r = block_co_status(x->node, in_node(x, offset), len, st);
        st->has_offset = false;     /* in which of the files? */
        st->allocated = true;
    } else {
        *st = (BlockStatus){ .len = len, .allocated = true, .zero = true };
    }
    return r;
}

int coroutine_fn vmdk_extents_check(VmdkExtents *e, unsigned fix, BlockCheck *result, Error **errp)
{
    int r = 0;

    for (unsigned i = 0; i < e->n && r == 0; i++) {
        BlockNode *n = e->items[i].node;
        BlockCheck one = { .tell = result->tell, .opaque = result->opaque };

        if (!n || !e->items[i].sparse) {
            continue;
        }
        r = n->drv->co_check(n, fix, &one, errp);
        result->corruptions += one.corruptions;
        result->leaks += one.leaks;
        result->total += one.total;
        result->allocated += one.allocated;
        result->compressed += one.compressed;
        result->fragmented += one.fragmented;
    }
    return r;
}

bool vmdk_extents_reopen(VmdkExtents *e, bool read_only, Error **errp)
{
    for (unsigned i = 0; i < e->n; i++) {
        BlockNode *n = e->items[i].node;

        if (n && !e->items[i].read_only && !block_node_set_read_only(n, read_only, errp)) {
            return false;
        }
    }
    return true;
}

/* --- facts --- */

uint64_t vmdk_extents_actual_size(const VmdkExtents *e)
{
    uint64_t bytes = 0;
    struct stat st;

    for (unsigned i = 0; i < e->n; i++) {
        if (e->items[i].node && stat(e->items[i].node->filename, &st) == 0) {
            bytes += (uint64_t)st.st_blocks * 512;
        }
    }
    return bytes;
}

uint64_t vmdk_extents_cluster_size(const VmdkExtents *e)
{
    BlockFormatInfo f = { 0 };

    if (e->items[0].sparse) {
        e->items[0].node->drv->info(e->items[0].node, &f);
    }
    return f.cluster_size;
}

ImageInfoList *vmdk_extents_info(const VmdkExtents *e)
{
    ImageInfoList *l = qapi_new(ImageInfoList);

    for (unsigned i = 0; i < e->n; i++) {
        const Extent *x = &e->items[i];
        ImageInfo *info = x->name ? qapi_new(ImageInfo) : NULL;
        BlockFormatInfo f = { 0 };

        if (!info) {
            continue;
        }
        info->filename = strdup(x->node->filename);
        info->format = strdup(x->sparse ? "SPARSE" : "FLAT");
        info->virtual_size = (int64_t)(x->end - x->first);
        if (x->sparse) {
            x->node->drv->info(x->node, &f);
            QAPI_SET(info, cluster_size, (int64_t)f.cluster_size);
        }
        qapi_list_append(l, info);
    }
    return l;
}
