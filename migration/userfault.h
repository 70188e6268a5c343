/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to RAM that wait in the kernel until we have seen to the page (userfaultfd). Used by post-copy, for pages
 * that aren't there, and by background snapshots, for writes to pages that haven't been saved.
 *
 * No lock: whoever made it calls the functions, and nobody else.
 */
#ifndef MIGRATION_USERFAULT_H
#define MIGRATION_USERFAULT_H

#include "memory/ram.h"

typedef struct Userfault Userfault;

typedef enum UserfaultKind {
    USERFAULT_MISSING,          /* any access to a page that isn't there */
    USERFAULT_WRITE,            /* a write to a page that is protected */
} UserfaultKind;

/* Somebody waits for page @page of block @block; told in a thread of ours, once for each who waits, or more often. */
typedef void UserfaultFn(void *opaque, uint32_t block, uint64_t page);

/* False, naming the block, when this host can't do it for all of @blocks. @what wants it, "post-copy". */
bool userfault_check(RamBlock *const *blocks, size_t n, UserfaultKind kind, const char *what, Error **errp);
/* From now on accesses wait. @blocks must stay. NULL with errp set. */
Userfault *userfault_new(RamBlock *const *blocks, size_t n, UserfaultKind kind, const char *what, UserfaultFn *fn,
                         void *opaque, Error **errp);
/* Whoever still waits goes on with what is there. NULL is allowed. */
void userfault_free(Userfault *u);
/* For the ioctls of ioctl_userfaultfd(2). */
int userfault_fd(const Userfault *u);
/* USERFAULT_WRITE: from now on writes wait, or go on. Whole pages. */
bool userfault_protect(Userfault *u, uint32_t block, uint64_t page, uint64_t n, bool on, Error **errp);

#endif
