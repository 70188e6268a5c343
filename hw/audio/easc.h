/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apple's sound chip as the Quadra 800's I/O chip has it: two queues of 8-bit samples, played at 22.25 kHz, with an interrupt
 * when the second one is half empty. IRQ output: "irq". The board maps the region.
 */
#ifndef HW_AUDIO_EASC_H
#define HW_AUDIO_EASC_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_EASC   "apple-sound-chip"
#define EASC_SIZE   0x2000

MemRegion *easc_region(Device *easc);

#endif
