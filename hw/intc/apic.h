/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APICs as other interrupt controllers see them: the bus between
 * them. What a CPU does with its own is in hw/core/apic.h. Big lock.
 *
 * A message is also a 32-bit write of @data into the region at
 * APIC_MSI_BASE of the system memory (and so of each device's view of it):
 * SDM 3A 10.11. That is the way for MSIs and for an IOAPIC.
 */
#ifndef HW_INTC_APIC_H
#define HW_INTC_APIC_H

#include "hw/core/apic.h"

#define APIC_MSI_BASE       0xfee00000u
#define APIC_MSI_SIZE       0x100000u

/* Delivery modes (SDM 3A 10.5.1). */
enum {
    APIC_DM_FIXED = 0, APIC_DM_LOWEST = 1, APIC_DM_SMI = 2, APIC_DM_NMI = 4,
    APIC_DM_INIT = 5, APIC_DM_STARTUP = 6, APIC_DM_EXTINT = 7,
};

/*
 * Send to all APICs that @dest names; 0xff (xAPIC) is everybody.
 * @logical: destination mode. @level: trigger mode, decides whether EOI is
 * broadcast. Returns to how many it went; -1: @mode isn't one.
 */
int apic_deliver(uint32_t dest, bool logical, unsigned mode, uint8_t vector,
                 bool level);

/* Told when a level-triggered vector ends at any APIC: IOAPICs. */
typedef struct ApicEoiListener {
    void (*eoi)(struct ApicEoiListener *l, uint8_t vector);
    struct ApicEoiListener *next;       /* private */
} ApicEoiListener;
void apic_add_eoi_listener(ApicEoiListener *l);
void apic_remove_eoi_listener(ApicEoiListener *l);

#endif
