/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ROM of a Macintosh from the image that its owner has.
 *
 * It lies at 40800000 and, as its upper address lines aren't decoded, all over 40000000 to 40FFFFFF. From reset to the first
 * access there it is seen at 0 as well (the overlay), for the reset vector. The vector leads there, so that the
 * first access is the first instruction: for software the overlay ends with the reset. An image whose vector leads
 * elsewhere is refused. Big lock.
 */
#ifndef HW_M68K_Q800_ROM_H
#define HW_M68K_Q800_ROM_H

#include "memory/memory.h"

#define MAC_ROM_SPACE       0x40000000u
#define MAC_ROM_SPACE_SIZE  0x01000000u
#define MAC_ROM_MIN         0x40000u
#define MAC_ROM_MAX         0x400000u
#define MAC_ROM_COPIES      (MAC_ROM_SPACE_SIZE / MAC_ROM_MIN)

typedef struct MacRom {
    MemRegion rom, overlay, restart, copy[MAC_ROM_COPIES];
    bool loaded;
} MacRom;

/* @name: as -bios says. 256 Kbytes to 4 Mbytes, a power of two. */
bool mac_rom_init(MacRom *r, void *owner, const char *name, Error **errp);
/* In the place of a ROM where there is none: what Linux jumps to for a restart, 40800000 + A, asks for a reset. */
bool mac_rom_stand_in(MacRom *r, void *owner, Error **errp);
/* Does nothing without a ROM. */
void mac_rom_overlay(MacRom *r, bool on);

#endif
