/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compressed format of kdump ("KDUMP" in makedumpfile's diskdump_mod.h), in makedumpfile's
 * flattened form: pieces with their place in the file before each, so that it can go through a pipe.
 *
 *     block 0           header
 *     block 1 and on    sub-header, notes
 *     then              two bitmaps of page frames: those that exist, those that are in the file
 *     then              a descriptor for each page in the file
 *     then              the pages, compressed where that helps; all pages of zeros are one
 */
#include "util/osdep.h"
#include <zlib.h>
#include "dump/dump.h"
#include "util/bswap.h"

#define BLOCK       4096
#define PAGE_SHIFT  12
#define FLAT_HEADER 4096
#define DATA_MAX    (1 * MIB)       /* of pages kept before they are written */
#define COMPRESSED_ZLIB 1           /* page_desc.flags */

/* Little-endian; packed by construction. */
typedef struct KdumpHeader {
    char signature[8];
    uint32_t version;
    char utsname[6][65];
    uint8_t pad[6];
    uint64_t seconds, microseconds;
    uint32_t status, block_size, sub_blocks, bitmap_blocks, max_mapnr, total_ram_blocks,
             device_blocks, written_blocks, current_cpu, nr_cpus;
} KdumpHeader;
_Static_assert(offsetof(KdumpHeader, seconds) == 408, "as the C compiler of a 64-bit Linux has it");

typedef struct KdumpSubHeader {
    uint64_t phys_base;
    uint32_t dump_level, split;
    uint64_t start_pfn, end_pfn, vmcoreinfo_offset, vmcoreinfo_size, note_offset, note_size,
             erase_offset, erase_size, start_pfn_64, end_pfn_64, max_mapnr_64;
} KdumpSubHeader;

typedef struct PageDesc {
    uint64_t offset;
    uint32_t size, flags;
    uint64_t page_flags;
} PageDesc;

typedef struct Writer {
    Dump *d;
    uint64_t num_pages, max_pfn;
    uint64_t bitmap_at, desc_at, data_at;
    uint64_t bitmap_len;        /* of one of the two */
} Writer;

/* A piece: its place and size, big-endian, then its bytes. */
static bool write_at(const Dump *d, uint64_t offset, const void *buf, size_t len, Error **errp)
{
    uint64_t head[2] = { host_to_be64(offset), host_to_be64(len) };

    return dump_write(d, head, sizeof(head), errp) && dump_write(d, buf, len, errp);
}

static bool write_flat_header(const Dump *d, Error **errp)
{
    uint8_t head[FLAT_HEADER] = "makedumpfile";
    uint64_t one = host_to_be64(1);

    memcpy(head + 16, &one, 8);         /* type */
    memcpy(head + 24, &one, 8);         /* version */
    return dump_write(d, head, sizeof(head), errp);
}

static uint64_t in_blocks(uint64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK;
}

static void lay_out(Writer *w)
{
    const GArray *ranges = w->d->ranges;

    for (unsigned i = 0; i < ranges->len; i++) {
        const DumpRange *r = &g_array_index(ranges, DumpRange, i);

        w->num_pages += r->size >> PAGE_SHIFT;
        w->max_pfn = (r->start + r->size) >> PAGE_SHIFT;
    }
    w->bitmap_len = in_blocks((w->max_pfn + 7) / 8) * BLOCK;
    w->bitmap_at = BLOCK + in_blocks(sizeof(KdumpSubHeader) + w->d->notes->len) * BLOCK;
    w->desc_at = w->bitmap_at + 2 * w->bitmap_len;
    w->data_at = w->desc_at + w->num_pages * sizeof(PageDesc);
}

static bool write_header(const Writer *w, Error **errp)
{
    KdumpHeader h = {
        .signature = "KDUMP   ", .version = host_to_le32(6), .status = host_to_le32(1),
        .block_size = host_to_le32(BLOCK),
        .sub_blocks = host_to_le32(w->bitmap_at / BLOCK - 1),
        .bitmap_blocks = host_to_le32(2 * w->bitmap_len / BLOCK),
        .max_mapnr = host_to_le32(MIN(w->max_pfn, UINT32_MAX)),
        .nr_cpus = host_to_le32(w->d->num_cpus),
    };
    KdumpSubHeader sub = {
        .dump_level = host_to_le32(1),          /* pages of zeros are one */
        .note_offset = host_to_le64(BLOCK + sizeof(sub)),
        .note_size = host_to_le64(w->d->notes->len),
        .max_mapnr_64 = host_to_le64(w->max_pfn),
    };

    snprintf(h.utsname[4], sizeof(h.utsname[4]), "%s", "x86_64");
    return write_at(w->d, 0, &h, sizeof(h), errp) &&
           write_at(w->d, BLOCK, &sub, sizeof(sub), errp) &&
           write_at(w->d, BLOCK + sizeof(sub), w->d->notes->data, w->d->notes->len, errp);
}

/* Every page that exists is in the file: both bitmaps are the same. */
static bool write_bitmaps(const Writer *w, Error **errp)
{
    uint8_t block[BLOCK];

    for (uint64_t at = 0; at < w->bitmap_len; at += BLOCK) {
        uint64_t first = at * 8, last = first + BLOCK * 8;

        memset(block, 0, sizeof(block));
        for (unsigned i = 0; i < w->d->ranges->len; i++) {
            const DumpRange *r = &g_array_index(w->d->ranges, DumpRange, i);
            uint64_t from = MAX(first, r->start >> PAGE_SHIFT);
            uint64_t to = MIN(last, (r->start + r->size) >> PAGE_SHIFT);

            for (uint64_t pfn = from; pfn < to; pfn++) {
                block[(pfn - first) / 8] |= 1 << (pfn & 7);
            }
        }
        if (!write_at(w->d, w->bitmap_at + at, block, BLOCK, errp) ||
            !write_at(w->d, w->bitmap_at + w->bitmap_len + at, block, BLOCK, errp)) {
            return false;
        }
    }
    return true;
}

static bool is_zero(const uint8_t *page)
{
    return !page[0] && !memcmp(page, page + 1, BLOCK - 1);
}

/* Descriptors and pages that wait to be written. */
typedef struct Batch {
    GByteArray *descs, *data;
    uint64_t descs_at, data_at;
} Batch;

static bool flush(const Writer *w, Batch *b, Error **errp)
{
    bool ok = (!b->descs->len ||
               write_at(w->d, b->descs_at, b->descs->data, b->descs->len, errp)) &&
              (!b->data->len || write_at(w->d, b->data_at, b->data->data, b->data->len, errp));

    b->descs_at += b->descs->len;
    b->data_at += b->data->len;
    g_byte_array_set_size(b->descs, 0);
    g_byte_array_set_size(b->data, 0);
    return ok;
}

static void add_page(Batch *b, const uint8_t *page, uint64_t zero_at)
{
    uint8_t packed[BLOCK + 64];
    uLongf len = sizeof(packed);
    bool smaller;
    PageDesc desc;

    if (is_zero(page)) {
        desc = (PageDesc){ .offset = host_to_le64(zero_at), .size = host_to_le32(BLOCK) };
        g_byte_array_append(b->descs, (void *)&desc, sizeof(desc));
        return;
    }
    smaller = compress2(packed, &len, page, BLOCK, Z_BEST_SPEED) == Z_OK && len < BLOCK;
    desc = (PageDesc){
        .offset = host_to_le64(b->data_at + b->data->len),
        .size = host_to_le32(smaller ? (uint32_t)len : BLOCK),
        .flags = host_to_le32(smaller ? COMPRESSED_ZLIB : 0),
    };
    g_byte_array_append(b->descs, (void *)&desc, sizeof(desc));
    g_byte_array_append(b->data, smaller ? packed : page, smaller ? len : BLOCK);
}

static bool write_pages(Writer *w, Error **errp)
{
    Batch b = { g_byte_array_new(), g_byte_array_new(), w->desc_at, w->data_at };
    uint8_t page[BLOCK] = { 0 };
    bool ok = true;

    g_byte_array_append(b.data, page, BLOCK);   /* the page of zeros comes first */
    for (unsigned i = 0; ok && i < w->d->ranges->len; i++) {
        const DumpRange *r = &g_array_index(w->d->ranges, DumpRange, i);

        for (uint64_t at = 0; ok && at < r->size; at += BLOCK) {
            dump_read(r->start + at, page, BLOCK);
            add_page(&b, page, w->data_at);
            w->d->completed += BLOCK;
            if (b.data->len > DATA_MAX || b.descs->len > DATA_MAX) {
                ok = flush(w, &b, errp);
            }
        }
    }
    ok = ok && flush(w, &b, errp);
    g_byte_array_unref(b.descs);
    g_byte_array_unref(b.data);
    return ok;
}

bool dump_write_kdump(Dump *d, Error **errp)
{
    Writer w = { .d = d };
    uint64_t end[2] = { UINT64_MAX, UINT64_MAX };       /* of the flattened form */

    lay_out(&w);
    return write_flat_header(d, errp) && write_header(&w, errp) && write_bitmaps(&w, errp) &&
           write_pages(&w, errp) && dump_write(d, end, sizeof(end), errp);
}
