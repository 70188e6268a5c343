/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of a record into RAM, by two threads. Whoever touches a page first has the host's kernel clear it, or the
 * huge page around it, which takes longer than all else that is done for a page that arrives.
 */
#ifndef MIGRATION_RAM_PLACE_H
#define MIGRATION_RAM_PLACE_H

#include "memory/ram.h"

typedef struct RamPlacer RamPlacer;

RamPlacer *ram_placer_new(void);
/* Nobody places anything. NULL is allowed. */
void ram_placer_free(RamPlacer *p);
/* The @n entries of a record about @b, big-endian as they came, all RAM_PAGE_ZERO or RAM_PAGE_PLAIN and of pages that @b has; @data:
 * the contents of those that are plain, one after the other. Any thread, several at a time. */
void ram_place(RamPlacer *p, RamBlock *b, const uint8_t *entries, uint32_t n, const uint8_t *data);

#endif
