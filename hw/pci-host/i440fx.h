/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 440FX host bridge: PCI, and what the processor sees where below 1 MiB.
 * Big lock. */
#ifndef HW_PCI_HOST_I440FX_H
#define HW_PCI_HOST_I440FX_H

#include "hw/pci/pci.h"

#define TYPE_I440FX_HOST    "i440FX-pcihost"
#define TYPE_I440FX         "i440FX"

typedef struct I440fxBoard {
    MemRegion *system, *io;     /* what the CPUs see */
    MemRegion *ram;             /* all of it, from offset 0 */
    MemRegion *pci;             /* container made here: PCI memory space */
    AddressSpace *smm;          /* the same for CPUs in SMM */
    Device *host;
    PCIBus *bus;                /* "pci.0" */
} I440fxBoard;

/* In: system, io, ram, which must be there already at its places in system;
 * out: the others, lent. False with errp set. */
bool i440fx_create(I440fxBoard *board, Error **errp);
/* What a byte access to port CF9h reaches; lent for ever. */
void i440fx_set_cf9(Device *host, MemRegion *mr);

#endif
