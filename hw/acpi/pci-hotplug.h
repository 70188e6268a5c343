/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that come and go while the guest runs, on the root bus and behind bridges: registers that the DSDT's
 * methods use, a design of QEMU's ("QEMU<->ACPI BIOS PCI hotplug interface"). A general-purpose event tells the guest
 * to look. Big lock.
 *
 *   0  PCIU  a bit for each slot where something came; cleared by reading, byte by byte
 *   4  PCID  a bit for each slot whose function the user wants back
 *   8  B0EJ  written by _EJ0: the functions of these slots are switched off and go
 *  12  PRMV  a bit for each slot whose function may go
 *  16  BNUM  selects the bus that the others are about, by the number that the DSDT calls BSEL
 */
#ifndef HW_ACPI_PCI_HOTPLUG_H
#define HW_ACPI_PCI_HOTPLUG_H

#include "hw/acpi/aml-build.h"
#include "hw/pci/pci.h"

#define PCI_HOTPLUG_LEN     24
#define PCI_HOTPLUG_BUSES   256
enum { PCI_HOTPLUG_EVENT = 1 };         /* number of the general-purpose event */

typedef struct PciHotplug PciHotplug;
struct PciHotplug {
    PCIBus *root, *bus[PCI_HOTPLUG_BUSES];      /* by BSEL; n of them */
    unsigned n;
    uint32_t up[PCI_HOTPLUG_BUSES], down[PCI_HOTPLUG_BUSES], selected;
    uint16_t port;
    MemRegion io;
    void (*event)(void *opaque);        /* raise the general-purpose event */
    void *opaque;
};

/* From @owner's realize. @root: also its functions, not only those behind bridges. */
void pci_hotplug_init(PciHotplug *h, Device *owner, PCIBus *bus, bool root, MemRegion *io, uint16_t port,
                      void (*event)(void *opaque), void *opaque);
/* When all devices are there: the buses of bridges. */
void pci_hotplug_add_bridges(PciHotplug *h);
void pci_hotplug_cleanup(PciHotplug *h);
/* What the guest was asked for goes now: it will not answer any more. */
void pci_hotplug_reset(PciHotplug *h);
/* In the scope of the root bus: devices for slots and bridges, and PCNT for the event. */
void pci_hotplug_put_aml(Aml *a, const PciHotplug *h);

#endif
