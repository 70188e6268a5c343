/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parent of PCI Express ports: bridges with a link. Root and downstream ports have a slot, where functions come and
 * go while the guest runs: natively (PCIe 6.7, by the slot's registers), or by the firmware's tables. Big lock.
 */
#ifndef HW_PCI_PCIE_PORT_H
#define HW_PCI_PCIE_PORT_H

#include "hw/pci/bridge.h"
#include "hw/pci/pcie.h"

#define TYPE_PCIE_PORT  "pcie-port"
#define TYPE_PCIE_SLOT  "pcie-slot"

/* .data of a port's type. */
typedef struct PciePortKind {
    PciBridgeKind bridge;
    uint8_t type;               /* PCI_EXP_ROOT_PORT ... */
    uint8_t msi_vectors;        /* 0: it has MSI-X with one */
    uint16_t ssvid, ssid;       /* subsystem ids; 0: none */
} PciePortKind;

typedef struct PciePort {
    PciBridge bridge;
    /* Properties. */
    uint8_t port, chassis;
    uint16_t slot;
    bool hotplug, power_controller, disable_acs;
    int speed, width;
    uint32_t bus_reserve;
    uint64_t io_reserve, mem_reserve, pref32_reserve, pref64_reserve;
    uint32_t aer_log_max;
    bool notified;              /* recomputed: an enabled event of the slot is set */
    bool aer_notified;          /* recomputed: an enabled error message of a root port has come */
} PciePort;
static inline PciePort *PCIE_PORT(const void *obj)
{
    return (PciePort *)object_cast(obj, TYPE_PCIE_PORT);
}

/* The slot (hw/pci/pcie-slot.c): from realize, reset, after a config write (@old: the control register before) and
 * from post_load. */
void pcie_slot_init(PciePort *s);
void pcie_slot_reset(PciePort *s);
void pcie_slot_written(PciePort *s, uint16_t old);
void pcie_slot_loaded(PciePort *s);
/* hw/pci/pcie-port.c: a message for something new, or the pin's level. */
void pcie_port_interrupt(PciePort *s, bool news);
bool pcie_port_is_root(const PciePort *s);
/* Error messages (hw/pci/pcie-aer.c): the root registers are others. @tell: the guest may have to know. */
void pcie_aer_root_changed(PciePort *s, bool tell);
static inline uint16_t pcie_slot_control(const PciePort *s)
{
    const PCIDevice *pci = &s->bridge.pci;

    return pci_get_word(pci->config + pci->exp_cap + PCI_EXP_SLTCTL);
}

#endif
