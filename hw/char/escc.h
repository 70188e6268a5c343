/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zilog Z85C30 SCC and its kin: two asynchronous serial channels with one interrupt output "irq".
 * The board maps escc_region(): control B, control A, data B, data A, a byte each at a stride of 1 << it_shift
 * bytes ("bit_swap" of other boards isn't needed here). Properties chrA, chrB, frequency. Big lock.
 *
 * Source: Zilog SCC/ESCC User's Manual UM010903 ("UM").
 */
#ifndef HW_CHAR_ESCC_H
#define HW_CHAR_ESCC_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_ESCC   "escc"

MemRegion *escc_region(Device *dev);

#endif
