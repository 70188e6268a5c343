/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host bridges of PCs have in common: PCI memory space below the RAM, CONFIG_ADDRESS and CONFIG_DATA at CF8h,
 * with the reset control register at CF9h between them. Big lock.
 */
#ifndef HW_PCI_HOST_PC_HOST_H
#define HW_PCI_HOST_PC_HOST_H

#include "hw/pci/pci.h"

#define TYPE_PC_PCI_HOST    "pc-pci-host"

typedef struct PcHost {
    PCIHost parent;
    MemRegion pci_memory;
    MemRegion nobody;           /* what no device answers below 1 MiB */
    MemRegion *io;              /* set before it is realized */
    MemRegion conf_io;          /* CF8h to CFBh */
    MemRegion *narrow;          /* what CF9h is on PCI; may be NULL */
} PcHost;
static inline PcHost *PC_HOST(const void *obj)
{
    return (PcHost *)object_cast(obj, TYPE_PC_PCI_HOST);
}

typedef struct PcHostBoard {
    MemRegion *system, *io;     /* what the CPUs see */
    MemRegion *ram;             /* all of it, from offset 0 */
    MemRegion *pci;             /* container made here: PCI memory space */
    AddressSpace *smm;          /* the same for CPUs in SMM */
    Device *host;
    PCIBus *bus;                /* "pci.0" or "pcie.0" */
    PCIDevice *bridge;          /* function 0 of slot 0 */
} PcHostBoard;

/* The first step of making a host bridge: @type, child @name of the machine, realized. NULL with errp set. */
PcHost *pc_host_create(PcHostBoard *board, const char *type, const char *name, Error **errp);
/* What a byte access to port CF9h reaches; lent for ever. */
void pc_host_set_cf9(Device *host, MemRegion *mr);

#endif
