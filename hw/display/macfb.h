/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Macintosh frame buffer with Quadra's DAFB palette: video memory, a control block. The board maps the two
 * regions. Output "irq": vertical blanking. Big lock.
 */
#ifndef HW_DISPLAY_MACFB_H
#define HW_DISPLAY_MACFB_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_MACFB      "nubus-macfb"
#define MACFB_VRAM_SIZE (4 * MIB)
#define MACFB_REGS_SIZE 0x1000

MemRegion *macfb_vram(Device *dev);
MemRegion *macfb_regs(Device *dev);
/* The mode at reset: pixels, bits a pixel, bytes a line. */
void macfb_mode(Device *dev, uint32_t *width, uint32_t *height, uint32_t *depth, uint32_t *stride);

#endif
