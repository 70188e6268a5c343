/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VHDX: new images. Log, metadata and block allocation table come in this order, from 1 MiB on. */
#include "util/osdep.h"
#include "block/growing/vhdx.h"
#include "util/bswap.h"
#include "util/guest-random.h"

#define LOG_DEFAULT     MIB
#define METADATA_AT     VHDX_METADATA_BYTES     /* where the items are in their region */

/* As large as the disk makes it sensible, when nobody says. */
static uint64_t default_block(uint64_t size)
{
    return size > 32 * (UINT64_C(1) << 40) ? 64 * MIB : size > (100 * GIB) ? 32 * MIB : size > GIB ? 16 * MIB : 8 * MIB;
}

static void put_region(uint8_t *e, const uint8_t guid[16], uint64_t offset, uint64_t length)
{
    memcpy(e, guid, 16);
    store_le64(e + 16, offset);
    store_le32(e + 24, length);
    store_le32(e + 28, 1);
}

static bool coroutine_fn put_regions(BlockNode *file, uint64_t metadata, uint64_t bat, uint64_t bat_length, Error **errp)
{
    uint8_t *t = g_malloc0(VHDX_REGIONS_BYTES);
    bool ok;

    memcpy(t, "regi", 4);
    store_le32(t + REGI_COUNT, 2);
    put_region(t + REGI_ENTRIES, vhdx_guid_bat, bat, bat_length);
    put_region(t + REGI_ENTRIES + ENTRY_BYTES, vhdx_guid_metadata, metadata, MIB);
    store_le32(t + REGI_SUM, vhdx_checksum(t, VHDX_REGIONS_BYTES, REGI_SUM));
    ok = format_store(file, VHDX_REGIONS_1, t, VHDX_REGIONS_BYTES, errp) &&
         format_store(file, VHDX_REGIONS_2, t, VHDX_REGIONS_BYTES, errp);
    g_free(t);
    return ok;
}

static void put_item(uint8_t *t, unsigned i, const uint8_t guid[16], unsigned at, unsigned length, uint32_t flags)
{
    uint8_t *e = t + META_ENTRIES + i * ENTRY_BYTES;

    memcpy(e, guid, 16);
    store_le32(e + 16, METADATA_AT + at);
    store_le32(e + 20, length);
    store_le32(e + 24, flags);
}

static bool coroutine_fn put_metadata(BlockNode *file, uint64_t offset, uint64_t size, uint64_t block, bool full, Error **errp)
{
    uint8_t *t = g_malloc0(METADATA_AT + 64), *items = t + METADATA_AT;
    bool ok;

    memcpy(t, "metadata", 8);
    store_le16(t + META_COUNT, 5);
    put_item(t, 0, vhdx_guid_parameters, 0, 8, META_IS_REQUIRED);
    put_item(t, 1, vhdx_guid_size, 8, 8, META_IS_REQUIRED | META_IS_DISK);
    put_item(t, 2, vhdx_guid_page_83, 16, 16, META_IS_REQUIRED | META_IS_DISK);
    put_item(t, 3, vhdx_guid_logical, 32, 4, META_IS_REQUIRED | META_IS_DISK);
    put_item(t, 4, vhdx_guid_physical, 36, 4, META_IS_REQUIRED | META_IS_DISK);
    store_le32(items, block);
    store_le32(items + 4, full);                /* VHDX 2.6.2.1: blocks stay allocated */
    store_le64(items + 8, size);
    guest_random_bytes(items + 16, 16);
    store_le32(items + 32, 512);
    store_le32(items + 36, 512);
    ok = format_store(file, offset, t, METADATA_AT + 64, errp);
    g_free(t);
    return ok;
}

/* All blocks in a row behind the table; it is written in pieces. */
static bool coroutine_fn put_full_table(BlockNode *file, uint64_t bat, uint64_t data, uint64_t blocks, uint64_t block, uint64_t chunk,
                                        Error **errp)
{
    uint64_t entries = blocks + (blocks ? (blocks - 1) / chunk : 0);
    uint8_t b[4096];
    bool ok = true;

    for (uint64_t i = 0; i < entries && ok; i += sizeof(b) / 8) {
        memset(b, 0, sizeof(b));
        for (uint64_t j = i; j < MIN(entries, i + sizeof(b) / 8); j++) {
            if ((j + 1) % (chunk + 1)) {        /* not a sector bitmap's */
                store_le64(b + (j - i) * 8, (data + (j - j / (chunk + 1)) * block) | BAT_FULLY_PRESENT);
            }
        }
        ok = format_store(file, bat + i * 8, b, sizeof(b), errp);
    }
    return ok;
}

static bool coroutine_fn put_headers(BlockNode *file, uint64_t log, uint64_t log_length, Error **errp)
{
    static const char creator[] = "qemu-system";
    uint8_t id[512] = "vhdxfile";
    Vhdx s = { .second = true };

    for (size_t i = 0; i < sizeof(creator) - 1; i++) {
        store_le16(id + 8 + i * 2, (uint8_t)creator[i]);
    }
    memcpy(s.header, "head", 4);
    guest_random_bytes(s.header + HEAD_FILE_GUID, 16);
    guest_random_bytes(s.header + HEAD_DATA_GUID, 16);
    store_le16(s.header + HEAD_VERSION, 1);
    store_le32(s.header + HEAD_LOG_LENGTH, log_length);
    store_le64(s.header + HEAD_LOG_OFFSET, log);
    return vhdx_write_header(&s, file, errp) && vhdx_write_header(&s, file, errp) &&
           format_store(file, 0, id, sizeof(id), errp);
}

bool coroutine_fn vhdx_co_create(BlockNode *file, const QDict *opts, Error **errp)
{
    uint64_t size = qdict_int_or(opts, "size", 0), log = qdict_int_or(opts, "log_size", LOG_DEFAULT), log_at = VHDX_SECTION_BYTES;
    uint64_t block = qdict_int_or(opts, "block_size", 0), chunk, blocks, entries, bat_length, metadata, bat, data;
    const char *kind = qdict_str_or(opts, "subformat", "dynamic");
    bool full = !strcmp(kind, "fixed");

    block = block ? block : default_block(size);
    if (!full && strcmp(kind, "dynamic")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'subformat' is '%s'; accepted: dynamic, fixed", kind);
        return false;
    }
    if (size > (UINT64_C(64) << 40)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "a VHDX image of %" PRIu64 " bytes can't be made; accepted: up to 64 TiB", size);
        return false;
    }
    if (!IS_POWER_OF_2(block) || block < MIB || block > GROW_BLOCK_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'block_size' is %" PRIu64 "; accepted: powers of two from 1 MiB to 256 MiB", block);
        return false;
    }
    if (log < MIB || log % MIB || log > UINT32_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'log_size' is %" PRIu64 "; accepted: multiples of 1 MiB below 4 GiB", log);
        return false;
    }
    chunk = (UINT64_C(1) << 23) * 512 / block;
    blocks = DIV_ROUND_UP(size, block);
    entries = blocks + (blocks ? (blocks - 1) / chunk : 0);
    bat_length = ALIGN_UP(MAX(entries * 8, UINT64_C(1)), MIB);
    if (bat_length > GROW_MAP_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "%" PRIu64 " blocks of %" PRIu64 " bytes are too many; accepted: larger ones ('block_size')",
                   blocks, block);
        return false;
    }
    metadata = log_at + log;
    bat = metadata + MIB;
    data = bat + bat_length;
    return format_set_length(file, data + (full ? blocks * block : 0), errp) &&
           (!full || put_full_table(file, bat, data, blocks, block, chunk, errp)) &&
           put_metadata(file, metadata, size, block, full, errp) && put_regions(file, metadata, bat, bat_length, errp) &&
           put_headers(file, log_at, log, errp);
}
