/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cfi.pflash01: a flash memory of Intel's command set, which a board maps. Big lock. */
#ifndef HW_BLOCK_PFLASH_CFI01_H
#define HW_BLOCK_PFLASH_CFI01_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_PFLASH_CFI01   "cfi.pflash01"

/* One bank of a PC: bytes wide, blocks of 4 KiB, its contents @blockdev's; "system.flash@n". Lent; NULL with errp set.
 * The region has the image's size. */
Device *pflash_cfi01_create(unsigned n, const char *blockdev, Error **errp);
MemRegion *pflash_cfi01_region(Device *dev);

#endif
