/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of records into RAM, by threads of their own while the next records come in. Whoever touches a page first has the
 * host's kernel clear it, or the huge page around it, which takes longer than all else that is done for a page that arrives.
 */
#ifndef MIGRATION_RAM_PLACE_H
#define MIGRATION_RAM_PLACE_H

#include "memory/ram.h"
#include "migration/stream.h"

typedef struct RamPlacer RamPlacer;

/* The @n entries of a record about @block, big-endian as they came, all RAM_PAGE_ZERO or RAM_PAGE_PLAIN and of pages that it has;
 * @data: the contents of those that are plain, one after the other. */
typedef struct RamPages {
    RamBlock *block;
    const uint8_t *entries, *data;
    uint32_t n;
} RamPages;

RamPlacer *ram_placer_new(void);
/* When all is in its place. NULL is allowed. */
void ram_placer_free(RamPlacer *p);
/* At once. Any thread. */
void ram_place(const RamPages *pages);
/* Some time before ram_placer_wait() returns, in any order. What @r has read, of which @pages is a part, is taken from it. Waits
 * while much waits already. One thread uses a placer. */
void ram_place_later(RamPlacer *p, const RamPages *pages, MigReader *r);
void ram_placer_wait(RamPlacer *p);

#endif
