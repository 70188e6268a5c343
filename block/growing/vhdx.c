/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "vhdx": Hyper-V's hard disk images.
 *
 *   0 to 1 MiB   identifier, two headers, two region tables
 *   then         log, block allocation table (BAT), metadata, blocks, each at a multiple of 1 MiB
 *
 * The log is replayed when an image is opened for writing. It isn't written: an entry of the BAT has eight bytes within a sector,
 * and is written when the block that it tells of is in the file. Not there: differencing images (with a parent).
 */
#include "util/osdep.h"
#include "block/growing/vhdx.h"
#include "util/bswap.h"
#include "util/crc32c.h"
#include "util/guest-random.h"

/* VHDX 2.2.3.2, 2.6.2: as they are in the file. */
const uint8_t vhdx_guid_bat[16] = { 0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08 };
const uint8_t vhdx_guid_metadata[16] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
const uint8_t vhdx_guid_parameters[16] = { 0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b };
const uint8_t vhdx_guid_size[16] = { 0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8 };
const uint8_t vhdx_guid_page_83[16] = { 0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46 };
const uint8_t vhdx_guid_logical[16] = { 0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f };
const uint8_t vhdx_guid_physical[16] = { 0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56 };
const uint8_t vhdx_guid_parent[16] = { 0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c };

#define CHUNK_SECTORS   (UINT64_C(1) << 23)     /* VHDX 2.5: sectors that one sector bitmap tells of */
#define DISK_MAX        (UINT64_C(64) << 40)

uint32_t vhdx_checksum(const uint8_t *b, size_t len, size_t at)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc32c(0, b, at);

    return crc32c(crc32c(crc, zeros, 4), b + at + 4, len - at - 4);
}

/* --- the table --- */

/* A sector bitmap's entry follows each chunk's entries. */
static uint64_t entry_at(const Vhdx *s, uint64_t block)
{
    return (block + block / s->chunk) * 8;
}

static int coroutine_fn vhdx_find(Growing *g, uint64_t block, GrowPlace *p)
{
    uint8_t *e;
    int r = grow_map_get(g, entry_at((Vhdx *)g, block), &e);
    uint64_t v;

    if (r < 0) {
        return r;
    }
    v = load_le64(e);
    switch (v & BAT_STATE) {
    case BAT_NOT_PRESENT:
    case BAT_UNDEFINED:
        *p = (GrowPlace){ GROW_HOLE, 0 };
        return 0;
    case BAT_ZERO:
    case BAT_UNMAPPED:
        *p = (GrowPlace){ GROW_ZERO, 0 };
        return 0;
    case BAT_FULLY_PRESENT:
        *p = (GrowPlace){ GROW_DATA, v & BAT_OFFSET };
        return 0;
    default:
        return grow_broken(g, "block %" PRIu64 " has the state %u in the table; accepted: 0 to 3, 6", block, (unsigned)(v & BAT_STATE));
    }
}

static int coroutine_fn vhdx_place(Growing *g, uint64_t block, uint64_t offset)
{
    uint64_t at = entry_at((Vhdx *)g, block);
    uint8_t *e;
    int r = grow_map_get(g, at, &e);

    if (r == 0) {
        store_le64(e, offset | BAT_FULLY_PRESENT);
        grow_map_changed(g, at);
    }
    return r;
}

/* --- headers --- */

bool coroutine_fn vhdx_write_header(Vhdx *s, BlockNode *file, Error **errp)
{
    store_le64(s->header + HEAD_SEQUENCE, load_le64(s->header + HEAD_SEQUENCE) + 1);
    store_le32(s->header + HEAD_SUM, vhdx_checksum(s->header, VHDX_HEADER_BYTES, HEAD_SUM));
    s->second = !s->second;
    return format_store(file, s->second ? VHDX_HEADER_2 : VHDX_HEADER_1, s->header, VHDX_HEADER_BYTES, errp);
}

/* VHDX 2.2.2: before the file is changed it gets new identities, so that what was known of it doesn't count any more. Both headers
 * are written, one after the other is in the file. */
static int coroutine_fn vhdx_begin(Growing *g)
{
    Vhdx *s = (Vhdx *)g;

    guest_random_bytes(s->header + HEAD_FILE_GUID, 16);
    guest_random_bytes(s->header + HEAD_DATA_GUID, 16);
    for (unsigned i = 0; i < 2; i++) {
        if (!vhdx_write_header(s, g->n->file, NULL) || block_co_flush(g->n->file) < 0) {
            return -EIO;
        }
    }
    return 0;
}

static const GrowFormat vhdx_format = { .find = vhdx_find, .place = vhdx_place, .begin = vhdx_begin };

static bool header_is_sound(const uint8_t *h)
{
    return !memcmp(h, "head", 4) && load_le32(h + HEAD_SUM) == vhdx_checksum(h, VHDX_HEADER_BYTES, HEAD_SUM);
}

/* The one with the higher number counts, if its checksum is right. */
static bool coroutine_fn read_headers(Vhdx *s, BlockNode *n, Error **errp)
{
    uint8_t *other = g_malloc(VHDX_HEADER_BYTES), id[8];
    bool first, second, ok = format_load(n->file, 0, id, sizeof(id), errp) &&
                             format_load(n->file, VHDX_HEADER_1, s->header, VHDX_HEADER_BYTES, errp) &&
                             format_load(n->file, VHDX_HEADER_2, other, VHDX_HEADER_BYTES, errp);

    if (!ok) {
        g_free(other);
        return false;
    }
    first = header_is_sound(s->header);
    second = header_is_sound(other);
    s->second = second && (!first || load_le64(other + HEAD_SEQUENCE) > load_le64(s->header + HEAD_SEQUENCE));
    if (s->second) {
        memcpy(s->header, other, VHDX_HEADER_BYTES);
    }
    g_free(other);
    if (memcmp(id, "vhdxfile", 8)) {
        return GROW_BAD("the file doesn't begin with 'vhdxfile': it is no VHDX image");
    }
    if (!first && !second) {
        return GROW_BAD("neither of the headers, at offsets 0x10000 and 0x20000, has 'head' and a good checksum");
    }
    if (load_le16(s->header + HEAD_VERSION) != 1 || load_le16(s->header + HEAD_LOG_VERSION) != 0) {
        return GROW_UNSUPPORTED("the version (header, byte 66) is %u, and the log's %u; accepted: 1 and 0",
                                load_le16(s->header + HEAD_VERSION), load_le16(s->header + HEAD_LOG_VERSION));
    }
    s->log_offset = load_le64(s->header + HEAD_LOG_OFFSET);
    s->log_length = load_le32(s->header + HEAD_LOG_LENGTH);
    if (s->log_offset % MIB || s->log_length % MIB || (s->log_length && s->log_offset < VHDX_SECTION_BYTES) ||
        s->log_offset > INT64_MAX - s->log_length) {
        return GROW_BAD("the log (header, byte 68) has %" PRIu64 " bytes at offset 0x%" PRIx64 "; accepted: multiples of 1 MiB behind the "
                        "headers", s->log_length, s->log_offset);
    }
    return true;
}

/* --- regions and metadata --- */

typedef struct Region {
    uint64_t offset, length;
} Region;

static bool parse_regions(const uint8_t *t, Region *bat, Region *metadata, Error **errp)
{
    uint32_t count = load_le32(t + REGI_COUNT);

    if (memcmp(t, "regi", 4) || load_le32(t + REGI_SUM) != vhdx_checksum(t, VHDX_REGIONS_BYTES, REGI_SUM)) {
        return GROW_BAD("neither of the region tables, at offsets 0x30000 and 0x40000, has 'regi' and a good checksum");
    }
    if (count > VHDX_MAX_ENTRIES) {
        return GROW_BAD("the region table has %u entries (byte 8); accepted: up to %d", count, VHDX_MAX_ENTRIES);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *e = t + REGI_ENTRIES + i * ENTRY_BYTES;
        Region r = { load_le64(e + 16), load_le32(e + 24) };

        if (r.offset % MIB || r.offset < VHDX_SECTION_BYTES || r.length % MIB || r.offset > INT64_MAX - r.length) {
            return GROW_BAD("region %u has %" PRIu64 " bytes at offset 0x%" PRIx64 "; accepted: multiples of 1 MiB behind the headers",
                            i, r.length, r.offset);
        }
        if (!memcmp(e, vhdx_guid_bat, 16)) {
            *bat = r;
        } else if (!memcmp(e, vhdx_guid_metadata, 16)) {
            *metadata = r;
        } else if (load_le32(e + 28) & 1) {
            return GROW_UNSUPPORTED("region %u is required and isn't known", i);
        }
    }
    if (!bat->length || metadata->length < VHDX_METADATA_BYTES) {
        return GROW_BAD("the regions don't have a block allocation table and metadata");
    }
    return true;
}

static bool coroutine_fn read_regions(BlockNode *n, Region *bat, Region *metadata, Error **errp)
{
    uint8_t *t = g_malloc(VHDX_REGIONS_BYTES);
    bool ok = format_load(n->file, VHDX_REGIONS_1, t, VHDX_REGIONS_BYTES, errp);

    if (ok && (memcmp(t, "regi", 4) || load_le32(t + REGI_SUM) != vhdx_checksum(t, VHDX_REGIONS_BYTES, REGI_SUM))) {
        ok = format_load(n->file, VHDX_REGIONS_2, t, VHDX_REGIONS_BYTES, errp);
    }
    ok = ok && parse_regions(t, bat, metadata, errp);
    g_free(t);
    return ok;
}

typedef struct Facts {
    uint32_t block_size, flags, logical, physical;
    uint64_t size;
    unsigned found;                 /* bits, by the order of items[] */
} Facts;

/* One item of the metadata that has a number for us. */
static bool coroutine_fn read_item(BlockNode *n, const Region *m, const uint8_t *e, Facts *f, Error **errp)
{
    static const struct { const uint8_t *guid; uint8_t bytes; } items[] = {
        { vhdx_guid_parameters, 8 }, { vhdx_guid_size, 8 }, { vhdx_guid_logical, 4 }, { vhdx_guid_physical, 4 },
        { vhdx_guid_page_83, 16 }, { vhdx_guid_parent, 0 },
    };
    uint32_t offset = load_le32(e + 16), length = load_le32(e + 20), flags = load_le32(e + 24);
    uint8_t b[16] = { 0 };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(items) && memcmp(e, items[i].guid, 16); i++) {
    }
    if (i == ARRAY_SIZE(items)) {
        return !(flags & META_IS_REQUIRED) || flags & META_IS_USER || GROW_UNSUPPORTED("an item of the metadata is required and isn't known");
    }
    if (length < items[i].bytes || offset < VHDX_METADATA_BYTES || offset > m->length || length > m->length - offset) {
        return GROW_BAD("item %u of the metadata has %u bytes at 0x%x; accepted: at least %u within the region's %" PRIu64, i, length,
                        offset, items[i].bytes, m->length);
    }
    if (!format_load(n->file, m->offset + offset, b, items[i].bytes, errp)) {
        return false;
    }
    f->found |= 1U << i;
    switch (i) {
    case 0:
        f->block_size = load_le32(b);
        f->flags = load_le32(b + 4);
        break;
    case 1:
        f->size = load_le64(b);
        break;
    case 2:
        f->logical = load_le32(b);
        break;
    case 3:
        f->physical = load_le32(b);
        break;
    }
    return true;
}

static bool coroutine_fn read_metadata(BlockNode *n, const Region *m, Facts *f, Error **errp)
{
    uint8_t *t = g_malloc(VHDX_METADATA_BYTES);
    bool ok = format_load(n->file, m->offset, t, VHDX_METADATA_BYTES, errp);
    uint16_t count = load_le16(t + META_COUNT);

    if (ok && (memcmp(t, "metadata", 8) || count > VHDX_MAX_ENTRIES)) {
        ok = GROW_BAD("the metadata at offset 0x%" PRIx64 " doesn't begin with 'metadata' and at most %d items", m->offset,
                      VHDX_MAX_ENTRIES);
    }
    for (uint16_t i = 0; ok && i < count; i++) {
        ok = read_item(n, m, t + META_ENTRIES + i * ENTRY_BYTES, f, errp);
    }
    g_free(t);
    if (ok && (f->found & 0x0f) != 0x0f) {
        ok = GROW_BAD("the metadata doesn't have all of block size, disk size, logical and physical sector size");
    }
    return ok;
}

static bool check_facts(Vhdx *s, const Facts *f, const Region *bat, Error **errp)
{
    Growing *g = &s->grow;
    uint64_t blocks;

    if (f->flags & 2) {
        return GROW_UNSUPPORTED("the image is based on another one, which isn't supported");
    }
    if (!IS_POWER_OF_2(f->block_size) || f->block_size < MIB || f->block_size > GROW_BLOCK_MAX) {
        return GROW_BAD("a block has %u bytes; accepted: powers of two from 1 MiB to 256 MiB", f->block_size);
    }
    if (f->logical != 512 && f->logical != 4096) {
        return GROW_BAD("a logical sector has %u bytes; accepted: 512, 4096", f->logical);
    }
    if (f->size % f->logical || f->size > DISK_MAX) {
        return GROW_BAD("the disk has %" PRIu64 " bytes; accepted: multiples of the sector's %u, up to 64 TiB", f->size, f->logical);
    }
    g->size = f->size;
    g->block_size = f->block_size;
    s->chunk = CHUNK_SECTORS * f->logical / f->block_size;
    blocks = DIV_ROUND_UP(f->size, (uint64_t)f->block_size);
    if (bat->length > GROW_MAP_MAX || (blocks && entry_at(s, blocks - 1) + 8 > bat->length)) {
        return GROW_BAD("the block allocation table has %" PRIu64 " bytes; %" PRIu64 " blocks need %" PRIu64 ", accepted: up to %" PRIu64,
                        bat->length, blocks, blocks ? entry_at(s, blocks - 1) + 8 : 0, GROW_MAP_MAX);
    }
    g->map_offset = bat->offset;
    g->page_bytes = 4096;
    g->pages = bat->length / 4096;
    g->first = VHDX_SECTION_BYTES;
    g->align = MIB;
    return true;
}

/* --- opening --- */

static int vhdx_probe(const uint8_t *b, size_t len)
{
    return len >= 8 && !memcmp(b, "vhdxfile", 8) ? 100 : 0;
}

static bool coroutine_fn read_image(BlockNode *n, Error **errp)
{
    static const uint8_t none[16];
    Region bat = { 0 }, metadata = { 0 };
    Vhdx *s = n->state;
    Facts f = { 0 };
    int64_t length;

    if (!read_headers(s, n, errp)) {
        return false;
    }
    if (memcmp(s->header + HEAD_LOG_GUID, none, 16)) {
        if (n->read_only || n->inactive) {
            error_setf(errp, ERR_IMAGE_CORRUPT, "it wasn't closed properly: its log has to be replayed, for which it must be writable");
            return false;
        }
        if (!vhdx_replay_log(s, n, errp)) {
            return false;
        }
    }
    if (!read_regions(n, &bat, &metadata, errp) || !read_metadata(n, &metadata, &f, errp) || !check_facts(s, &f, &bat, errp)) {
        return false;
    }
    length = block_length(n->file);
    if (length < 0 || bat.offset + bat.length > (uint64_t)length) {
        return GROW_BAD("the block allocation table at offset 0x%" PRIx64 " isn't within the file's %" PRId64 " bytes", bat.offset, length);
    }
    s->grow.end = ALIGN_UP((uint64_t)length, MIB);
    return true;
}

static bool vhdx_open(BlockNode *n, UNUSED const QDict *opts, Error **errp)
{
    Vhdx *s = n->state;

    if (!format_open(n, "VHDX image", read_image, errp)) {
        return false;
    }
    grow_init(&s->grow, n, &vhdx_format);
    return true;
}

static void vhdx_close(BlockNode *n)
{
    grow_close(n->state);
}

static const char *const vhdx_options[] = { "file", NULL };
static const char *const vhdx_create_options[] = { "size", "log_size", "block_size", "subformat", NULL };

static BlockDriver driver_vhdx = {
    .name = "vhdx", .options = vhdx_options, .state_size = sizeof(Vhdx), .open = vhdx_open, .close = vhdx_close, GROW_ROW,
    .co_pwritev = grow_co_pwritev, .info = grow_info, .probe = vhdx_probe, .co_create = vhdx_co_create,
    .create_options = vhdx_create_options,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_vhdx);
}
