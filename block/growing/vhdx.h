/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VHDX, inside of the driver. Source: "[MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format" ("VHDX" and a section below).
 *
 *   vhdx.c         opening, the block allocation table, headers        vhdx-log.c      replaying the log
 *   vhdx-create.c  new images
 */
#ifndef BLOCK_GROWING_VHDX_H
#define BLOCK_GROWING_VHDX_H

#include "block/growing/growing.h"

/* VHDX 2.2: where the parts of the header section are. */
enum { VHDX_HEADER_1 = 64 * 1024, VHDX_HEADER_2 = 128 * 1024, VHDX_REGIONS_1 = 192 * 1024, VHDX_REGIONS_2 = 256 * 1024,
       VHDX_HEADER_BYTES = 4096, VHDX_REGIONS_BYTES = 64 * 1024, VHDX_SECTION_BYTES = 1024 * 1024 };
/* VHDX 2.2.2 "Headers". */
enum { HEAD_SUM = 4, HEAD_SEQUENCE = 8, HEAD_FILE_GUID = 16, HEAD_DATA_GUID = 32, HEAD_LOG_GUID = 48, HEAD_LOG_VERSION = 64,
       HEAD_VERSION = 66, HEAD_LOG_LENGTH = 68, HEAD_LOG_OFFSET = 72 };
/* VHDX 2.2.3 "Region Table"; 2.6.1 "Metadata Table". */
enum { REGI_SUM = 4, REGI_COUNT = 8, REGI_ENTRIES = 16, META_COUNT = 10, META_ENTRIES = 32, ENTRY_BYTES = 32,
       VHDX_MAX_ENTRIES = 2047, VHDX_METADATA_BYTES = 64 * 1024 };
enum { META_IS_USER = 1, META_IS_DISK = 2, META_IS_REQUIRED = 4 };
/* VHDX 2.5.1 "BAT Entry". */
enum { BAT_NOT_PRESENT, BAT_UNDEFINED, BAT_ZERO, BAT_UNMAPPED, BAT_FULLY_PRESENT = 6, BAT_PARTIALLY_PRESENT = 7 };
#define BAT_STATE       7U
#define BAT_OFFSET      UINT64_C(0xfffffffffff00000)

typedef struct Vhdx {
    Growing grow;                   /* first */
    uint8_t header[VHDX_HEADER_BYTES];      /* the current one */
    bool second;                    /* it is the one at VHDX_HEADER_2 */
    uint64_t log_offset, log_length;
    uint64_t chunk;                 /* blocks from one sector bitmap's entry in the table to the next (VHDX 2.5) */
} Vhdx;

extern const uint8_t vhdx_guid_bat[16], vhdx_guid_metadata[16], vhdx_guid_parameters[16], vhdx_guid_size[16],
    vhdx_guid_page_83[16], vhdx_guid_logical[16], vhdx_guid_physical[16], vhdx_guid_parent[16];

/* Of a structure of @len bytes whose checksum is at @at (VHDX 2.1: CRC-32C). */
uint32_t vhdx_checksum(const uint8_t *b, size_t len, size_t at);

/* What the log has is done, and the log is empty then. The node is writable. */
bool coroutine_fn vhdx_replay_log(Vhdx *s, BlockNode *n, Error **errp);
/* The header that isn't current gets new contents with the next sequence number, and is current then. */
bool coroutine_fn vhdx_write_header(Vhdx *s, BlockNode *file, Error **errp);

bool coroutine_fn vhdx_co_create(BlockNode *file, const QDict *opts, Error **errp);

#endif
