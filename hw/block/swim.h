/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SWIM, the Macintosh's floppy controller (IWM and ISM register sets): the chip without drives.
 * Registers lie 512 bytes apart. Big lock.
 *
 * Source: SWIM Chip User's Reference, Apple 343-0061 ("UR").
 */
#ifndef HW_BLOCK_SWIM_H
#define HW_BLOCK_SWIM_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_SWIM   "swim"
#define SWIM_SIZE   0x2000

MemRegion *swim_region(Device *dev);

#endif
