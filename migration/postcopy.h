/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receiving side of post-copy: the guest runs while pages are missing. Whoever touches one waits in the
 * kernel (userfaultfd); a thread of ours hears of it and asks the source for that page first.
 *
 * The thread that reads the stream calls all of this.
 */
#ifndef MIGRATION_POSTCOPY_H
#define MIGRATION_POSTCOPY_H

#include "memory/ram.h"

typedef struct Postcopy Postcopy;

/* False, naming the block, when this host can't do it for all of @blocks. */
bool postcopy_check(RamBlock *const *blocks, size_t n, Error **errp);
/* From now on all accesses to pages that aren't there wait. @request: from the fault thread, once for each
 * page that is wanted. @blocks must stay. */
Postcopy *postcopy_new(RamBlock *const *blocks, size_t n,
                       void (*request)(void *opaque, uint32_t block, uint64_t page), void *opaque,
                       Error **errp);
/* Its contents aren't valid: it is taken away. */
void postcopy_discard(Postcopy *p, uint32_t block, uint64_t page, uint64_t n);
/* A bit for each page of the block that was taken away and hasn't come. */
const uint64_t *postcopy_missing(const Postcopy *p, uint32_t block);
/* Requests may have been lost: once more for each page that is waited for. */
void postcopy_ask_again(Postcopy *p);
/* A page has come; whoever waits for it goes on. @data: MEM_PAGE_SIZE bytes. */
bool postcopy_place(Postcopy *p, uint32_t block, uint64_t page, const uint8_t *data, Error **errp);
/* All pages are there (or never will be: then those who wait get what is there). */
void postcopy_free(Postcopy *p);                /* NULL is allowed */

#endif
