/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver "vpc": Virtual PC's hard disk images, fixed and dynamic. Source: "Virtual Hard Disk Image Format Specification" 1.0 ("VHD").
 *
 *   fixed     the disk as it is, then the footer
 *   dynamic   a copy of the footer, a header of 1024 bytes, the block allocation table, blocks, the footer. A block's data has a
 *             bitmap of its sectors before it
 *
 * All numbers are big endian. The bitmaps of a dynamic disk are written as ones and not looked at: what was never written in a
 * block is zeros anyhow. The footer at the end goes where a new block is put and is written again behind it; until then its copy
 * counts. Not there: differencing disks (type 4).
 */
#include "util/osdep.h"
#include "block/growing/growing.h"
#include "util/bswap.h"
#include "util/guest-random.h"
#include <time.h>

enum { VHD_FIXED = 2, VHD_DYNAMIC = 3, VHD_DIFFERENCING = 4 };
/* VHD "Hard Disk Footer Format". */
enum { FTR_FEATURES = 8, FTR_VERSION = 12, FTR_DATA = 16, FTR_TIME = 24, FTR_CREATOR = 28, FTR_CREATOR_VERSION = 32, FTR_HOST = 36,
       FTR_ORIGINAL_SIZE = 40, FTR_SIZE = 48, FTR_CYLINDERS = 56, FTR_HEADS = 58, FTR_SECTORS = 59, FTR_TYPE = 60, FTR_SUM = 64,
       FTR_UUID = 68, FTR_BYTES = 512 };
/* VHD "Dynamic Disk Header Format". */
enum { DYN_DATA = 8, DYN_TABLE = 16, DYN_VERSION = 24, DYN_ENTRIES = 28, DYN_BLOCK = 32, DYN_SUM = 36, DYN_BYTES = 1024 };
#define VHD_BLOCK       (2 * MIB)
#define VHD_UNUSED      0xffffffffU
#define VHD_EPOCH_SEC   946684800           /* 2000-01-01 UTC */
/* The largest geometry that an ATA disk can tell, in sectors. */
#define CHS_MAX         (UINT64_C(65535) * 16 * 255)
/* VHD "Hard Disk Footer Format", current size: 2040 GiB is what the table and its sector numbers reach. */
#define VHD_MAX         (UINT64_C(2040) * GIB)

typedef struct Vpc {
    Growing grow;                   /* first; of a fixed disk only the node and the size are in use */
    bool fixed;
    uint8_t footer[FTR_BYTES];
    uint8_t *bitmap;                /* what a new block has before its data; owned */
} Vpc;

/* VHD "Checksum": the complement of the sum of all bytes but the checksum's. */
static uint32_t checksum(const uint8_t *b, size_t len, size_t at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i >= at && i < at + 4 ? 0 : b[i];
    }
    return ~sum;
}

static int coroutine_fn vpc_find(Growing *g, uint64_t block, GrowPlace *p)
{
    uint8_t *e;
    int r = grow_map_get(g, block * 4, &e);
    uint32_t v;

    if (r < 0) {
        return r;
    }
    v = load_be32(e);
    *p = (GrowPlace){ v == VHD_UNUSED ? GROW_HOLE : GROW_DATA, v == VHD_UNUSED ? 0 : v * UINT64_C(512) + g->lead };
    return 0;
}

static int coroutine_fn vpc_place(Growing *g, uint64_t block, uint64_t offset)
{
    uint8_t *e;
    int r = grow_map_get(g, block * 4, &e);

    if (r == 0 && (offset - g->lead) / 512 >= VHD_UNUSED) {
        return -EFBIG;
    }
    if (r == 0) {
        store_be32(e, (offset - g->lead) / 512);
        grow_map_changed(g, block * 4);
    }
    return r;
}

static int coroutine_fn vpc_lead(Growing *g, uint64_t offset)
{
    return format_write(g->n->file, offset, ((Vpc *)g)->bitmap, g->lead);
}

static int coroutine_fn vpc_finish(Growing *g)
{
    return format_write(g->n->file, g->end, ((Vpc *)g)->footer, FTR_BYTES);
}

static const GrowFormat vpc_format = { .find = vpc_find, .place = vpc_place, .lead = vpc_lead, .finish = vpc_finish };

/* --- opening --- */

static int vpc_probe(const uint8_t *b, size_t len)
{
    return len >= FTR_BYTES && !memcmp(b, "conectix", 8) ? 100 : 0;
}

/* How large the disk is: those who made it by its geometry let the guest see that much only. */
static uint64_t disk_size(const uint8_t *f)
{
    static const char by_geometry[][5] = { "vpc ", "vs  ", "qemu" };
    uint64_t size = load_be64(f + FTR_SIZE) & ~UINT64_C(511);
    uint64_t chs = (uint64_t)load_be16(f + FTR_CYLINDERS) * f[FTR_HEADS] * f[FTR_SECTORS];

    for (size_t i = 0; i < ARRAY_SIZE(by_geometry); i++) {
        if (!memcmp(f + FTR_CREATOR, by_geometry[i], 4) && chs && chs < CHS_MAX) {
            return MIN(size, chs * 512);
        }
    }
    return size;
}

static bool footer_is_sound(const uint8_t *f)
{
    return !memcmp(f, "conectix", 8) && load_be32(f + FTR_SUM) == checksum(f, FTR_BYTES, FTR_SUM);
}

/* A dynamic disk's copy is at the beginning; a fixed one has none, and its footer may be 511 bytes long (VHD "Hard Disk Footer
 * Format": those of before Virtual PC 2004). */
static bool coroutine_fn read_footer(Vpc *s, BlockNode *n, Error **errp)
{
    int64_t length = block_length(n->file);
    uint8_t *f = s->footer;

    if (length < FTR_BYTES) {
        return GROW_BAD("the file has %" PRId64 " bytes, less than a footer's 512", length);
    }
    if (!format_load(n->file, 0, f, FTR_BYTES, errp)) {
        return false;
    }
    if (footer_is_sound(f) && load_be32(f + FTR_TYPE) != VHD_FIXED) {
        return true;
    }
    if (!format_load(n->file, ALIGN_UP(length, INT64_C(512)) - 512, f,
                          length % 512 ? (size_t)(length % 512) : FTR_BYTES, errp)) {
        return false;
    }
    if (!footer_is_sound(f)) {
        return GROW_BAD("there is no footer 'conectix' with a good checksum at the file's end (nor at its beginning): it is no VHD "
                        "image, or damaged");
    }
    return true;
}

static bool coroutine_fn read_dynamic(Vpc *s, BlockNode *n, Error **errp)
{
    Growing *g = &s->grow;
    uint64_t at = load_be64(s->footer + FTR_DATA), bits, last = 0;
    uint8_t h[DYN_BYTES], *map;
    uint32_t entries;

    if (at % 512 || at > INT64_MAX - DYN_BYTES) {
        return GROW_BAD("the dynamic disk header (footer, byte 16) is at offset 0x%" PRIx64 "; accepted: multiples of 512", at);
    }
    if (!format_load(n->file, at, h, sizeof(h), errp)) {
        return false;
    }
    if (memcmp(h, "cxsparse", 8) || load_be32(h + DYN_SUM) != checksum(h, DYN_BYTES, DYN_SUM)) {
        return GROW_BAD("there is no dynamic disk header 'cxsparse' with a good checksum at offset 0x%" PRIx64, at);
    }
    entries = load_be32(h + DYN_ENTRIES);
    g->block_size = load_be32(h + DYN_BLOCK);
    g->map_offset = load_be64(h + DYN_TABLE);
    if (!IS_POWER_OF_2(g->block_size) || g->block_size < 4096 || g->block_size > GROW_BLOCK_MAX) {
        return GROW_BAD("a block (dynamic header, byte 32) has %" PRIu64 " bytes; accepted: powers of two from 4096 to %" PRIu64,
                        g->block_size, GROW_BLOCK_MAX);
    }
    if (entries > GROW_MAP_MAX / 4 || (uint64_t)entries * g->block_size < g->size) {
        return GROW_BAD("the table (dynamic header, byte 28) has %u entries; accepted: %" PRIu64 " to %" PRIu64, entries,
                        DIV_ROUND_UP(g->size, g->block_size), GROW_MAP_MAX / 4);
    }
    if (g->map_offset % 512 || g->map_offset < FTR_BYTES || g->map_offset > INT64_MAX - GROW_MAP_MAX) {
        return GROW_BAD("the table (dynamic header, byte 16) is at offset 0x%" PRIx64 "; accepted: multiples of 512 behind the "
                        "footer's copy", g->map_offset);
    }
    bits = ALIGN_UP(g->block_size / 512 / 8, UINT64_C(512));
    s->bitmap = g_malloc(bits);
    memset(s->bitmap, 0xff, bits);
    g->lead = bits;
    g->align = 512;
    g->page_bytes = 512;
    g->pages = DIV_ROUND_UP(entries * UINT64_C(4), UINT64_C(512));
    g->first = FTR_BYTES;
    /* The next block goes behind the last one, where the footer is, if it is there. */
    map = g_malloc(g->pages * 512);
    if (!format_load(n->file, g->map_offset, map, g->pages * 512, errp)) {
        g_free(map);
        return false;
    }
    for (uint32_t i = 0; i < entries; i++) {
        uint32_t v = load_be32(map + i * 4UL);

        last = v == VHD_UNUSED ? last : MAX(last, v * UINT64_C(512) + bits + g->block_size);
    }
    g_free(map);
    g->end = MAX(last, MAX(g->map_offset + g->pages * 512, at + DYN_BYTES));
    return true;
}

/* A killed process leaves no footer at the end; it is written with the next changes. */
static bool coroutine_fn look_at_end(Vpc *s, BlockNode *n, Error **errp)
{
    int64_t length = block_length(n->file);
    uint8_t f[FTR_BYTES];

    s->grow.finish_due = (uint64_t)length < s->grow.end + FTR_BYTES;
    if (s->grow.finish_due) {
        return true;
    }
    if (!format_load(n->file, s->grow.end, f, sizeof(f), errp)) {
        return false;
    }
    if (memcmp(f, s->footer, FTR_BYTES)) {
        s->grow.finish_due = true;
        /* Others put something else between the blocks and the footer: it stays. */
        if (!format_load(n->file, length / 512 * 512 - FTR_BYTES, f, sizeof(f), errp)) {
            return false;
        }
        if (!memcmp(f, s->footer, FTR_BYTES)) {
            s->grow.end = length / 512 * 512 - FTR_BYTES;
            s->grow.finish_due = false;
        }
    }
    return true;
}

static bool coroutine_fn read_image(BlockNode *n, Error **errp)
{
    Vpc *s = n->state;
    int64_t length = block_length(n->file);
    uint32_t type;

    if (!read_footer(s, n, errp)) {
        return false;
    }
    type = load_be32(s->footer + FTR_TYPE);
    if (load_be32(s->footer + FTR_VERSION) >> 16 != 1) {
        return GROW_UNSUPPORTED("the version (footer, byte 12) is 0x%x; accepted: 0x10000", load_be32(s->footer + FTR_VERSION));
    }
    s->grow.size = disk_size(s->footer);
    if (s->grow.size > VHD_MAX) {
        return GROW_BAD("the disk (footer, byte 48) has %" PRIu64 " bytes; accepted: up to %" PRIu64, s->grow.size, VHD_MAX);
    }
    if (type == VHD_DYNAMIC) {
        return read_dynamic(s, n, errp) && look_at_end(s, n, errp);
    }
    s->fixed = true;
    if (type != VHD_FIXED) {
        return GROW_UNSUPPORTED("the disk's type (footer, byte 60) is %u%s; accepted: 2 (fixed), 3 (dynamic)", type,
                                type == VHD_DIFFERENCING ? ", which is based on another one" : "");
    }
    if (s->grow.size > (uint64_t)length - FTR_BYTES + 1) {
        return GROW_BAD("the disk (footer, byte 48) has %" PRIu64 " bytes, more than the file's %" PRId64 " have room for",
                        s->grow.size, length);
    }
    return true;
}

static bool vpc_open(BlockNode *n, UNUSED const QDict *opts, Error **errp)
{
    Vpc *s = n->state;

    if (!format_open(n, "VHD image", read_image, errp)) {
        g_clear_pointer(&s->bitmap, g_free);
        return false;
    }
    if (s->fixed) {
        s->grow.block_size = MAX(ALIGN_UP(s->grow.size, UINT64_C(512)), UINT64_C(512));
    }
    grow_init(&s->grow, n, &vpc_format);
    return true;
}

static void vpc_close(BlockNode *n)
{
    Vpc *s = n->state;

    grow_close(&s->grow);
    g_clear_pointer(&s->bitmap, g_free);
}

/* --- requests: a fixed disk is its file --- */

static bool is_fixed(BlockNode *n)
{
    return ((Vpc *)n->state)->fixed;
}

static int coroutine_fn vpc_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return is_fixed(n) ? block_co_preadv(n->file, offset, iov, niov) : grow_co_preadv(n, offset, iov, niov);
}

static int coroutine_fn vpc_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return is_fixed(n) ? block_co_pwritev(n->file, offset, iov, niov) : grow_co_pwritev(n, offset, iov, niov);
}

static int coroutine_fn vpc_co_flush(BlockNode *n)
{
    return is_fixed(n) ? block_co_flush(n->file) : grow_co_flush(n);
}

static int coroutine_fn vpc_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    return is_fixed(n) ? block_co_zero(n->file, offset, len, flags) : grow_co_zero(n, offset, len, flags);
}

static int coroutine_fn vpc_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    int r;

    if (!is_fixed(n)) {
        return grow_co_status(n, offset, len, st);
    }
    r = block_co_status(n->file, offset, len, st);
    st->allocated = st->has_offset = true;
    st->offset = offset;
    return r;
}

static int coroutine_fn vpc_co_check(BlockNode *n, unsigned fix, BlockCheck *c, Error **errp)
{
    return is_fixed(n) ? 0 : grow_co_check(n, fix, c, errp);
}

static bool vpc_reopen(BlockNode *n, bool read_only, Error **errp)
{
    return is_fixed(n) || grow_reopen(n, read_only, errp);
}

static void vpc_info(BlockNode *n, BlockFormatInfo *info)
{
    if (!is_fixed(n)) {
        grow_info(n, info);
    }
}

/* --- making --- */

/* VHD, appendix "CHS Calculation". */
static void geometry(uint64_t sectors, uint16_t *cylinders, uint8_t *heads, uint8_t *per_track)
{
    uint64_t tracks;

    sectors = MIN(sectors, CHS_MAX);
    if (sectors >= UINT64_C(65535) * 16 * 63) {
        *per_track = 255;
        *heads = 16;
        *cylinders = sectors / *per_track / *heads;
        return;
    }
    *per_track = 17;
    tracks = sectors / *per_track;
    *heads = MAX((tracks + 1023) / 1024, UINT64_C(4));
    if (tracks >= *heads * UINT64_C(1024) || *heads > 16) {
        *per_track = 31;
        *heads = 16;
        tracks = sectors / *per_track;
    }
    if (tracks >= *heads * UINT64_C(1024)) {
        *per_track = 63;
        *heads = 16;
        tracks = sectors / *per_track;
    }
    *cylinders = tracks / *heads;
}

/* The footer but its checksum. The disk gets as long as its geometry says, which guests of Virtual PC go by, unless @exact. */
static uint64_t put_footer(uint8_t *f, uint64_t size, uint32_t type, bool exact)
{
    uint64_t sectors = DIV_ROUND_UP(size, 512), asked = sectors;
    uint16_t cylinders;
    uint8_t heads, per_track;

    geometry(sectors, &cylinders, &heads, &per_track);
    while (!exact && asked < CHS_MAX && (uint64_t)cylinders * heads * per_track < asked) {
        geometry(++sectors, &cylinders, &heads, &per_track);
    }
    sectors = exact || asked >= CHS_MAX ? asked : (uint64_t)cylinders * heads * per_track;
    memset(f, 0, FTR_BYTES);
    memcpy(f, "conectix", 8);
    store_be32(f + FTR_FEATURES, 2);                /* "reserved, must be set" */
    store_be32(f + FTR_VERSION, 0x00010000);
    store_be64(f + FTR_DATA, type == VHD_FIXED ? UINT64_MAX : FTR_BYTES);
    store_be32(f + FTR_TIME, (uint32_t)(time(NULL) - VHD_EPOCH_SEC));
    /* Names that others know: the first one's size is the geometry's. */
    memcpy(f + FTR_CREATOR, exact ? "qem2" : "qemu", 4);
    store_be16(f + FTR_CREATOR_VERSION, 5);
    store_be16(f + FTR_CREATOR_VERSION + 2, 3);
    memcpy(f + FTR_HOST, "Wi2k", 4);
    store_be64(f + FTR_ORIGINAL_SIZE, sectors * 512);
    store_be64(f + FTR_SIZE, sectors * 512);
    store_be16(f + FTR_CYLINDERS, cylinders);
    f[FTR_HEADS] = heads;
    f[FTR_SECTORS] = per_track;
    store_be32(f + FTR_TYPE, type);
    guest_random_bytes(f + FTR_UUID, 16);
    store_be32(f + FTR_SUM, checksum(f, FTR_BYTES, FTR_SUM));
    return sectors * 512;
}

static bool coroutine_fn make_dynamic(BlockNode *file, const uint8_t *footer, uint64_t size, Error **errp)
{
    uint64_t entries = DIV_ROUND_UP(size, VHD_BLOCK), table = ALIGN_UP(entries * 4, UINT64_C(512)), at = FTR_BYTES + DYN_BYTES;
    uint8_t h[DYN_BYTES] = "cxsparse", *map = g_malloc(MAX(table, UINT64_C(1)));
    bool ok;

    memset(map, 0xff, table);
    store_be64(h + DYN_DATA, UINT64_MAX);
    store_be64(h + DYN_TABLE, at);
    store_be32(h + DYN_VERSION, 0x00010000);
    store_be32(h + DYN_ENTRIES, entries);
    store_be32(h + DYN_BLOCK, VHD_BLOCK);
    store_be32(h + DYN_SUM, checksum(h, DYN_BYTES, DYN_SUM));
    ok = format_set_length(file, at + table, errp) && format_store(file, at, map, table, errp) &&
         format_store(file, FTR_BYTES, h, sizeof(h), errp) && format_store(file, 0, footer, FTR_BYTES, errp) &&
         format_store(file, at + table, footer, FTR_BYTES, errp);
    g_free(map);
    return ok;
}

static bool coroutine_fn vpc_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    const char *kind = qdict_str_or(opts, "subformat", "dynamic");
    uint64_t size = qdict_int_or(opts, "size", 0);
    bool fixed = !strcmp(kind, "fixed");
    uint8_t footer[FTR_BYTES];

    if (!fixed && strcmp(kind, "dynamic")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'subformat' is '%s'; accepted: dynamic, fixed", kind);
        return false;
    }
    if (size > VHD_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a VHD image of %" PRIu64 " bytes can't be made; accepted: up to %" PRIu64, size, VHD_MAX);
        return false;
    }
    size = put_footer(footer, size, fixed ? VHD_FIXED : VHD_DYNAMIC, qdict_bool_or(opts, "force_size", false));
    return fixed ? format_set_length(file, size, errp) && format_store(file, size, footer, FTR_BYTES, errp)
                 : make_dynamic(file, footer, size, errp);
}

static const char *const vpc_options[] = { "file", NULL };
static const char *const vpc_create_options[] = { "size", "subformat", "force_size", NULL };

static BlockDriver driver_vpc = {
    .name = "vpc", .options = vpc_options, .has_map = true, .state_size = sizeof(Vpc), .open = vpc_open, .close = vpc_close,
    .length = grow_length, .co_preadv = vpc_co_preadv, .co_pwritev = vpc_co_pwritev, .co_flush = vpc_co_flush,
    .co_zero = vpc_co_zero, .limits = grow_limits, .info = vpc_info, .co_status = vpc_co_status, .co_check = vpc_co_check,
    .inactivate = grow_inactivate, .reopen = vpc_reopen, .probe = vpc_probe,
    .co_create = vpc_co_create, .create_options = vpc_create_options,
};

static void CONSTRUCTOR register_driver(void)
{
    block_driver_register(&driver_vpc);
}
