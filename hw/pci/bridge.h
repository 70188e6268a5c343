/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parent of PCI-to-PCI bridges, PCI Express ports among them: the type 1 header, its windows, the bus behind it, which
 * is called by the device's id. A type's .data is (or begins with) a PciBridgeKind. Big lock.
 */
#ifndef HW_PCI_BRIDGE_H
#define HW_PCI_BRIDGE_H

#include "hw/pci/pci.h"

#define TYPE_PCI_BRIDGE     "base-pci-bridge"

typedef struct PciBridgeKind {
    const char *bus;            /* type of the bus behind it */
    uint8_t first_slot;         /* where devices go that name no slot */
    uint8_t num_slots;
} PciBridgeKind;

enum { WIN_IO, WIN_MEM, WIN_PREF, WIN_VGA_MEM, WIN_VGA_IO1, WIN_VGA_IO2, PCI_BRIDGE_WINDOWS };

typedef struct PciBridge {
    PCIDevice pci;
    PCIBus *secondary;
    MemRegion mem, io;          /* address spaces of the bus behind it */
    MemRegion window[PCI_BRIDGE_WINDOWS];       /* aliases of them, on our own bus */
} PciBridge;
static inline PciBridge *PCI_BRIDGE(const void *obj)
{
    return (PciBridge *)object_cast(obj, TYPE_PCI_BRIDGE);
}

/* Types that have a .config_write of their own call it. */
void pci_bridge_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len);
/* From .post_load. */
void pci_bridge_update(PciBridge *s);

#endif
