/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "vdi": images of VirtualBox, version 1.1.
 *
 *   0      header, 512 bytes
 *   512    the map: a number for each block of the disk, which of the file's blocks holds it (little endian, 32 bits)
 *   then   the file's blocks, of 1 MiB, from a multiple of that or of 512 on
 *
 * Not there: differencing images (type 4), which name the image below by an identity only, and undo images.
 */
#include "util/osdep.h"
#include "block/growing/growing.h"
#include "util/bswap.h"
#include "util/guest-random.h"

#define VDI_SIGNATURE   0xbeda107fU
#define VDI_TEXT        "<<< Oracle VM VirtualBox Disk Image >>>\n"
#define VDI_VERSION     0x00010001U
#define VDI_BLOCK       MIB

enum { VDI_DYNAMIC = 1, VDI_STATIC = 2 };
/* Where the header has its fields. */
enum { HDR_SIGNATURE = 0x40, HDR_VERSION = 0x44, HDR_HEADER_SIZE = 0x48, HDR_TYPE = 0x4c, HDR_MAP = 0x154, HDR_DATA = 0x158,
       HDR_SECTOR = 0x168, HDR_SIZE = 0x170, HDR_BLOCK = 0x178, HDR_EXTRA = 0x17c, HDR_BLOCKS = 0x180, HDR_ALLOCATED = 0x184,
       HDR_UUID = 0x188, HDR_UUID_SNAPSHOT = 0x198, HDR_UUID_LINK = 0x1a8, HDR_UUID_PARENT = 0x1b8, HDR_BYTES = 512 };
/* Entries of the map. */
#define MAP_NONE        0xffffffffU
#define MAP_ZERO        0xfffffffeU
#define MAP_PAGE        512        /* the map ends at a multiple of this */

typedef struct Vdi {
    Growing grow;                   /* first */
    uint64_t data;                  /* where the file's blocks begin */
    uint32_t allocated;             /* of them */
} Vdi;

static int coroutine_fn vdi_find(Growing *g, uint64_t block, GrowPlace *p)
{
    Vdi *s = (Vdi *)g;
    uint8_t *e;
    int r = grow_map_get(g, block * 4, &e);
    uint32_t v;

    if (r < 0) {
        return r;
    }
    v = load_le32(e);
    *p = (GrowPlace){ v == MAP_NONE ? GROW_HOLE : v == MAP_ZERO ? GROW_ZERO : GROW_DATA, 0 };
    if (p->kind == GROW_DATA) {
        p->offset = s->data + (uint64_t)v * g->block_size;
    }
    return 0;
}

static int coroutine_fn vdi_place(Growing *g, uint64_t block, uint64_t offset)
{
    Vdi *s = (Vdi *)g;
    uint8_t *e;
    int r = grow_map_get(g, block * 4, &e);

    if (r == 0) {
        store_le32(e, (offset - s->data) / g->block_size);
        grow_map_changed(g, block * 4);
        s->allocated++;
    }
    return r;
}

static int coroutine_fn vdi_finish(Growing *g)
{
    uint8_t b[4];

    store_le32(b, ((Vdi *)g)->allocated);
    return format_write(g->n->file, HDR_ALLOCATED, b, sizeof(b));
}

static const GrowFormat vdi_format = { .find = vdi_find, .place = vdi_place, .finish = vdi_finish };

/* --- opening --- */

static int vdi_probe(const uint8_t *b, size_t len)
{
    return len >= HDR_BYTES && load_le32(b + HDR_SIGNATURE) == VDI_SIGNATURE ? 100 : 0;
}

static bool check_kind(const uint8_t *b, Error **errp)
{
    uint32_t version = load_le32(b + HDR_VERSION), type = load_le32(b + HDR_TYPE);
    static const uint8_t none[16];

    if (load_le32(b + HDR_SIGNATURE) != VDI_SIGNATURE) {
        return GROW_BAD("byte 0x40 doesn't have the signature 0x%08x: it is no VDI image", VDI_SIGNATURE);
    }
    if (version != VDI_VERSION) {
        return GROW_UNSUPPORTED("the version (byte 0x44) is %u.%u; accepted: 1.1", version >> 16, version & 0xffff);
    }
    if (type != VDI_DYNAMIC && type != VDI_STATIC) {
        return GROW_UNSUPPORTED("the image's type (byte 0x4c) is %u; accepted: 1 (grows), 2 (full size)", type);
    }
    if (memcmp(b + HDR_UUID_LINK, none, 16) || memcmp(b + HDR_UUID_PARENT, none, 16)) {
        return GROW_UNSUPPORTED("the image is based on another one (byte 0x1a8), which isn't supported");
    }
    return true;
}

static bool check_geometry(Vdi *s, const uint8_t *b, Error **errp)
{
    Growing *g = &s->grow;
    uint32_t sector = load_le32(b + HDR_SECTOR), extra = load_le32(b + HDR_EXTRA), blocks = load_le32(b + HDR_BLOCKS);
    uint64_t bytes = load_le64(b + HDR_SIZE);

    g->map_offset = load_le32(b + HDR_MAP);
    s->data = load_le32(b + HDR_DATA);
    s->allocated = load_le32(b + HDR_ALLOCATED);
    g->block_size = load_le32(b + HDR_BLOCK);
    if (sector != 512) {
        return GROW_UNSUPPORTED("a sector (byte 0x168) has %u bytes; accepted: 512", sector);
    }
    if (g->block_size != VDI_BLOCK || extra) {
        return GROW_UNSUPPORTED("a block (byte 0x178) has %" PRIu64 " bytes, and %u more; accepted: 1048576 and none", g->block_size,
                                extra);
    }
    if (bytes > blocks * VDI_BLOCK || bytes > INT64_MAX) {
        return GROW_BAD("the disk (byte 0x170) has %" PRIu64 " bytes, more than the map's %u blocks", bytes, blocks);
    }
    if (blocks > GROW_MAP_MAX / 4 || s->allocated > blocks) {
        return GROW_BAD("there are %u blocks (byte 0x180), and %u in use (byte 0x184); accepted: up to %" PRIu64, blocks,
                        s->allocated, GROW_MAP_MAX / 4);
    }
    if (g->map_offset % 512 || g->map_offset < HDR_BYTES) {
        return GROW_BAD("the map (byte 0x154) is at offset 0x%" PRIx64 "; accepted: multiples of 512 behind the header",
                        g->map_offset);
    }
    if (s->data % 512 || s->data < g->map_offset + ALIGN_UP(blocks * UINT64_C(4), (uint64_t)MAP_PAGE)) {
        return GROW_BAD("the data (byte 0x158) is at offset 0x%" PRIx64 "; accepted: multiples of 512 behind the map", s->data);
    }
    /* Older ones told a size that isn't one of sectors. */
    g->size = ALIGN_UP(bytes, UINT64_C(512));
    g->page_bytes = MAP_PAGE;
    g->pages = DIV_ROUND_UP(blocks * UINT64_C(4), MAP_PAGE);
    g->first = s->data;
    g->align = 1;
    g->end = s->data + s->allocated * g->block_size;
    return true;
}

static bool coroutine_fn read_image(BlockNode *n, Error **errp)
{
    uint8_t b[HDR_BYTES];

    return format_load(n->file, 0, b, sizeof(b), errp) && check_kind(b, errp) && check_geometry(n->state, b, errp);
}

static bool vdi_open(BlockNode *n, UNUSED const QDict *opts, Error **errp)
{
    Vdi *s = n->state;

    if (!format_open(n, "VDI image", read_image, errp)) {
        return false;
    }
    grow_init(&s->grow, n, &vdi_format);
    return true;
}

static void vdi_close(BlockNode *n)
{
    grow_close(&((Vdi *)n->state)->grow);
}

/* --- making --- */

static bool coroutine_fn vdi_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    uint64_t size = qdict_int_or(opts, "size", 0), blocks = DIV_ROUND_UP(size, VDI_BLOCK), map, data;
    bool full = qdict_bool_or(opts, "static", !strcmp(qdict_str_or(opts, "preallocation", "off"), "metadata")), ok;
    uint8_t b[HDR_BYTES] = VDI_TEXT, *m;

    if (blocks > GROW_MAP_MAX / 4) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a VDI image of %" PRIu64 " bytes can't be made; accepted: up to %" PRIu64, size,
                   GROW_MAP_MAX / 4 * VDI_BLOCK);
        return false;
    }
    map = ALIGN_UP(blocks * 4, (uint64_t)MAP_PAGE);
    data = HDR_BYTES + map;
    store_le32(b + HDR_SIGNATURE, VDI_SIGNATURE);
    store_le32(b + HDR_VERSION, VDI_VERSION);
    store_le32(b + HDR_HEADER_SIZE, 0x180);
    store_le32(b + HDR_TYPE, full ? VDI_STATIC : VDI_DYNAMIC);
    store_le32(b + HDR_MAP, HDR_BYTES);
    store_le32(b + HDR_DATA, data);
    store_le32(b + HDR_SECTOR, 512);
    store_le64(b + HDR_SIZE, size);
    store_le32(b + HDR_BLOCK, VDI_BLOCK);
    store_le32(b + HDR_BLOCKS, blocks);
    store_le32(b + HDR_ALLOCATED, full ? blocks : 0);
    guest_random_bytes(b + HDR_UUID, 16);
    guest_random_bytes(b + HDR_UUID_SNAPSHOT, 16);
    m = g_malloc(MAX(map, UINT64_C(1)));
    memset(m, 0xff, map);
    for (uint64_t i = 0; full && i < blocks; i++) {
        store_le32(m + i * 4, i);
    }
    ok = format_set_length(file, data + (full ? blocks * VDI_BLOCK : 0), errp) &&
         format_store(file, HDR_BYTES, m, map, errp) && format_store(file, 0, b, sizeof(b), errp);
    g_free(m);
    return ok;
}

static const char *const vdi_options[] = { "file", NULL };
static const char *const vdi_create_options[] = { "size", "static", "preallocation", NULL };

static BlockDriver driver_vdi = {
    .name = "vdi", .options = vdi_options, .state_size = sizeof(Vdi), .open = vdi_open, .close = vdi_close, GROW_ROW,
    .co_pwritev = grow_co_pwritev, .info = grow_info, .probe = vdi_probe, .co_create = vdi_co_create,
    .create_options = vdi_create_options,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_vdi);
}
