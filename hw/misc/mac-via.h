/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two VIAs of a Quadra. VIA1: clock chip, ADB transceiver (bus "adb.0"), A/UX interrupt mode, 60.15 Hz and
 * one-second ticks. VIA2: interrupts of slots, SCSI, sound; power.
 *
 * Lines. VIA1: out "irq", out "auxmode" (1: A/UX interrupts), out "floppy-sel" (PA5). VIA2: in "nubus" (slots 9 to E and internal
 * video, 0 to 6), in "scsi", in "scsi-drq", in "asc"; out "irq". Region 0 of each: 8 Kbytes.
 *
 * Source: Guide to the Macintosh Family Hardware, 2nd ed., chapters 4, 5, 8; Macintosh Quadra 800
 * Developer Note. Big lock.
 */
#ifndef HW_MISC_MAC_VIA_H
#define HW_MISC_MAC_VIA_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_MAC_VIA1   "mos6522-q800-via1"
#define TYPE_MAC_VIA2   "mos6522-q800-via2"
#define MAC_VIA_SIZE    0x2000

MemRegion *mac_via1_region(Device *via);
MemRegion *mac_via2_region(Device *via);

#endif
