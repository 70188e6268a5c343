/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of hw/pci/ only. */
#ifndef HW_PCI_PCI_INT_H
#define HW_PCI_PCI_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "hw/pci/pci.h"

#define MSIX_MAX_VECTORS    2048

struct MsixState {
    unsigned vectors;
    uint8_t *table;             /* PCI_MSIX_ENTRY_SIZE bytes a vector */
    uint64_t *pending;
    MemRegion table_mr, pba_mr, exclusive_bar;
    bool has_bar;
    void (*changed)(PCIDevice *pci, unsigned vector);
};

/* From config space to what it controls. */
void pci_update_mappings(PCIDevice *pci);
void pci_update_irq(PCIDevice *pci);
void pci_config_applied(PCIDevice *pci);    /* all of it, after a load */

/* VmKind.show of vm_kind_pci. */
bool pci_state_show(VmReader *r, const VmField *f, size_t bytes, StateNode *into, Error **errp);

void msi_config_written(PCIDevice *pci, uint32_t addr, unsigned len);
void msi_reset(PCIDevice *pci);
/* Where the pending bits are; 0 if there are none. */
unsigned msi_pending_offset(const PCIDevice *pci);
void msix_config_written(PCIDevice *pci, uint32_t addr, unsigned len);
void msix_reset(PCIDevice *pci);

#endif
