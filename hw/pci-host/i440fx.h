/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 440FX host bridge: PCI, and what the processor sees where below 1 MiB.
 * Big lock. */
#ifndef HW_PCI_HOST_I440FX_H
#define HW_PCI_HOST_I440FX_H

#include "hw/pci-host/pc-host.h"

#define TYPE_I440FX_HOST    "i440FX-pcihost"
#define TYPE_I440FX         "i440FX"

/* In: system, io, ram, which must be there already at its places in system;
 * out: the others, lent. False with errp set. */
bool i440fx_create(PcHostBoard *board, Error **errp);
#endif
