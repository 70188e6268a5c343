/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SWIM: the Macintosh's floppy controller, IWM and ISM in one, and its Sony drives. Sixteen registers, 512 bytes apart. The bus
 * "floppy-bus.0" takes up to two drives ("floppy"); image sizes: 1440 and 720 Kbytes (MFM), 800 and 400 Kbytes (GCR).
 * IRQ input "sel": the drives' fourth address line, which a VIA drives.
 *
 * Source: SWIM Chip User's Reference, rev. 1.5 ("UR"); what Linux's drivers/block/swim.c expects of drives. Big lock.
 */
#ifndef HW_BLOCK_SWIM_H
#define HW_BLOCK_SWIM_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_SWIM   "swim"
#define SWIM_SIZE   0x2000

MemRegion *swim_region(Device *dev);

#endif
