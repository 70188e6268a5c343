/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcie-pci-bridge: a bridge from PCI Express to a conventional bus of 31 slots. There is no standard hot-plug
 * controller: functions come and go by ACPI.
 *
 * Source: PCI Express to PCI/PCI-X Bridge Specification 1.0.
 */
#include "util/osdep.h"
#include "hw/pci/bridge.h"
#include "hw/pci/pcie.h"

typedef struct PciePciBridge {
    PciBridge bridge;
    int msi;                    /* property */
} PciePciBridge;

static bool bridge_realize(Device *dev, Error **errp)
{
    static const PcieLink link = { .speed = 1, .width = 1 };
    PciePciBridge *s = (PciePciBridge *)PCI_BRIDGE(dev);
    PCIDevice *pci = &s->bridge.pci;

    if (!object_is_a(pci_bus(pci), TYPE_PCIE_BUS)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "pcie-pci-bridge can't be on bus '%s'; accepted: a PCI Express bus",
                   pci_bus(pci)->bus.name);
        return false;
    }
    if (!pcie_add_capability(pci, 0, PCI_EXP_TO_PCI, &link, errp) || !pci_add_pm(pci, errp) ||
        (s->msi != ON_OFF_AUTO_OFF && !msi_init(pci, 0, 1, true, false, errp))) {
        return false;
    }
    pcie_add_aer(pci, false);
    return true;
}

static bool bridge_post_load(void *opaque, UNUSED Error **errp)
{
    pci_bridge_update(opaque);
    return true;
}

static const VmField bridge_fields[] = { VM_PCI(PciePciBridge, bridge.pci), VM_END };

static const Property bridge_props[] = {
    PROP_ON_OFF_AUTO("msi", PciePciBridge, msi, ON_OFF_AUTO_AUTO, "message-signalled interrupts are offered"),
    PROP_END
};

/* Slot 0 would be a hot-plug controller's. */
static const PciBridgeKind bridge_kind = { TYPE_PCI_BUS, 1, 32 };

static const DeviceType bridge_type = {
    .name = "pcie-pci-bridge", .parent = TYPE_PCI_BRIDGE, .desc = "PCI Express to PCI bridge",
    .size = sizeof(PciePciBridge), .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x1b36, .device = 0x000e, .pin = PCI_PIN_NONE, .express = true },
    .props = bridge_props, .realize = bridge_realize, .vm = { 1, bridge_fields, .post_load = bridge_post_load },
    .data = &bridge_kind,
};
DEVICE_TYPE(bridge_type)
