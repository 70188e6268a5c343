/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * djMEMC: memory controller of the Quadra 610, 650 and 800. Ten banks of RAM, which the ROM puts one behind the other when it has
 * found out how large they are. Until it moves the first one, all RAM lies at 0.
 *
 * The board gives the RAM and maps djmemc_ram() at 0 and the registers. Big lock.
 */
#ifndef HW_MISC_DJMEMC_H
#define HW_MISC_DJMEMC_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_DJMEMC     "djMEMC"
#define DJMEMC_SIZE     0x1000
#define DJMEMC_SPACE    0x40000000u     /* that RAM may lie in */

/* Before it is realized. Lent. */
void djmemc_set_ram(Device *dev, MemRegion *ram);
MemRegion *djmemc_regs(Device *dev);
MemRegion *djmemc_ram(Device *dev);

#endif
