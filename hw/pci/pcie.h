/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express: its capability, extended capabilities, slots of ports.
 *
 * Source: PCI Express Base 4.0 ("PCIe"). All from realize of a function whose config space has PCIE_CONFIG_SIZE
 * bytes. Big lock.
 */
#ifndef HW_PCI_PCIE_H
#define HW_PCI_PCIE_H

#include "hw/pci/pci.h"

/* A port's link (PCIe 7.5.3.6): speed 1 to 5 is 2.5 to 32 GT/s; width in lanes. */
typedef struct PcieLink {
    uint8_t speed, width, port;
} PcieLink;

/* The capability (PCIe 7.5.3), at @offset or (0) where there is room. */
bool pcie_add_capability(PCIDevice *pci, uint8_t offset, unsigned type, const PcieLink *link, Error **errp);
/* Of an endpoint: behind a port, or part of the root complex. Nothing on a conventional bus. */
bool pcie_add_endpoint(PCIDevice *pci, Error **errp);
/* An extended capability of @size bytes behind the last one; its offset. The first one is at 100h. */
unsigned pcie_add_extended(PCIDevice *pci, uint16_t id, unsigned version, unsigned size);
/* Advanced error reporting; @root: with the registers of a root port. Errors are found only when pcie_aer_inject() says so. */
void pcie_add_aer(PCIDevice *pci, bool root);
/* From the reset of a function with AER. */
void pcie_aer_reset(PCIDevice *pci);
/* An error for a function to find. */
typedef struct PcieError {
    bool correctable;
    bool advisory;              /* not correctable, but not fatal and handled elsewhere (PCIe 6.2.3.2.4) */
    uint32_t bit;               /* of the status register */
    const uint32_t *header, *prefix;    /* four words each of the packet's, or NULL */
} PcieError;
/* Sets @e's kind of error from its name ("POISON_TLP") or its bit as a number; @correctable says whose bit that is. */
bool pcie_aer_error(const char *text, bool correctable, PcieError *e, Error **errp);
/* The function's registers tell of the error, and a root port above of its message, if the guest wants that. */
bool pcie_aer_inject(PCIDevice *pci, const PcieError *e, Error **errp);
/* Access control services of a port: all that there is. */
void pcie_add_acs(PCIDevice *pci);
void pcie_add_serial_number(PCIDevice *pci, uint64_t number);
/* From reset: what a software reset leaves in the control registers. */
void pcie_reset(PCIDevice *pci);

#endif
