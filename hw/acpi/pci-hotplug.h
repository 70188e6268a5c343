/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that come and go on the root bus while the guest runs: registers that the DSDT's methods use,
 * a design of QEMU's. A general-purpose event tells the guest to look. Big lock.
 *
 *   0 PCIU  a bit for each slot where something came; cleared by reading, byte by byte
 *   4 PCID  a bit for each slot whose function the user wants back
 *   8 B0EJ  written by _EJ0: the functions of these slots are switched off and go
 *  12 PRMV  a bit for each slot whose function may go
 */
#ifndef HW_ACPI_PCI_HOTPLUG_H
#define HW_ACPI_PCI_HOTPLUG_H

#include "hw/pci/pci.h"

#define PCI_HOTPLUG_IO      0xae00
#define PCI_HOTPLUG_LEN     16
enum { PCI_HOTPLUG_EVENT = 1 };         /* number of the general-purpose event */

typedef struct PciHotplug {
    PCIBus *bus;
    uint32_t up, down;
    MemRegion io;
    void (*event)(void *opaque);        /* raise the general-purpose event */
    void *opaque;
} PciHotplug;

/* From @owner's realize: @bus gets its hot-plug from here. */
void pci_hotplug_init(PciHotplug *h, Device *owner, PCIBus *bus, MemRegion *io,
                      void (*event)(void *opaque), void *opaque);
void pci_hotplug_cleanup(PciHotplug *h);
/* What the guest was asked for goes now: it will not answer any more. */
void pci_hotplug_reset(PciHotplug *h);
/* May all functions of @slot go? */
bool pci_hotplug_removable(const PCIBus *bus, unsigned slot);

#endif
