/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O APIC. Big lock. */
#ifndef HW_INTC_IOAPIC_H
#define HW_INTC_IOAPIC_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_IOAPIC     "ioapic"
#define IOAPIC_PINS     24

/* Made as child "ioapic" of @owner, realized, mapped at @addr of @memory. Its inputs are the unnamed
 * lines; a level of 1 means asserted, whatever the pin's polarity. */
Device *ioapic_create(void *owner, MemRegion *memory, hwaddr addr, Error **errp);

#endif
