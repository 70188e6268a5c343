/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Q35 host bridge (82Q35 MCH), and the 945GM's: PCI Express, and what the processor sees where. Big lock. */
#ifndef HW_PCI_HOST_Q35_H
#define HW_PCI_HOST_Q35_H

#include "hw/pci-host/pc-host.h"

#define TYPE_Q35_HOST   "q35-pcihost"
#define TYPE_MCH_COMMON "mch-common"
#define TYPE_MCH        "mch"
#define TYPE_MCH_945GM  "mch-945gm"

/* @type: TYPE_MCH, TYPE_MCH_945GM. In: system, io, ram, of which @low bytes from address 0 are there already in system; out: the others, lent. False
 * with errp set. */
bool q35_create(PcHostBoard *board, const char *type, uint64_t low, Error **errp);
/* Where config space is, when firmware has enabled PCIEXBAR; false: nowhere. */
bool q35_ecam(PCIDevice *mch, uint64_t *base, uint64_t *size);

#endif
