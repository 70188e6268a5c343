/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sender and receiver of RAM agree on. A RAMP record:
 *   u32 block (its number in CONF)   u32 number of pages
 *   for each page: u64 number of the page << 4 | kind
 *   for each page that has data: plain 4096 bytes; xbzrle u16 length, that many bytes
 */
#ifndef MIGRATION_RAM_INT_H
#define MIGRATION_RAM_INT_H

#include "util/osdep.h"
#include "qobject/error.h"

#define RAM_PAGE_KIND_BITS  4

typedef enum RamPageKind { RAM_PAGE_ZERO, RAM_PAGE_PLAIN, RAM_PAGE_XBZRLE } RamPageKind;

bool page_is_zero(const uint8_t *page);

struct MigWriter;
/* DISC records with the pages of @block whose bits are set: at least one, even when there is none. */
bool ram_put_ranges(struct MigWriter *w, uint32_t block, const uint64_t *map, uint64_t pages, Error **errp);

#endif
