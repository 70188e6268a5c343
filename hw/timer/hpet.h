/* SPDX-License-Identifier: GPL-2.0-or-later */
/* High precision event timer of a PC. Big lock. */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_HPET       "hpet"
#define HPET_NUM_IRQS   32

/*
 * Outputs (unnamed): interrupts by number. Inputs "legacy": 0 the 8254's OUT0,
 * 1 the clock's interrupt; they go on to outputs 0 and 8 unless legacy
 * replacement is on.
 *
 * Made with the outputs connected to @irqs (@n of them), mapped at @addr.
 */
Device *hpet_create(MemRegion *memory, hwaddr addr, IrqLine **irqs, unsigned n, Error **errp);

#endif
