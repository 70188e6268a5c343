/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * National Semiconductor DP83932 "SONIC" Ethernet controller. The board maps dp8393x_regs(): 64 registers of 16
 * bits, (4 << it_shift) / 2 bytes apart, in the last two bytes of each place when big_endian. Output "irq".
 *
 * Source: DP83932C data sheet ("DS"). Big lock.
 */
#ifndef HW_NET_DP8393X_H
#define HW_NET_DP8393X_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_DP8393X    "dp8393x"

MemRegion *dp8393x_regs(Device *dev);
/* Six bytes. */
const uint8_t *dp8393x_mac(Device *dev);

#endif
