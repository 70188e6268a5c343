/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-bridge: a conventional PCI-to-PCI bridge with a bus of 31 slots behind it. There is no standard hot-plug
 * controller: functions come and go by ACPI.
 */
#include "util/osdep.h"
#include "hw/pci/bridge.h"

typedef struct ConventionalBridge {
    PciBridge bridge;
    uint8_t chassis;            /* properties */
    int msi, shpc;
} ConventionalBridge;

static bool conventional_realize(Device *dev, Error **errp)
{
    ConventionalBridge *s = (ConventionalBridge *)PCI_BRIDGE(dev);

    if (!s->chassis) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'chassis_nr' is 0; accepted: 1 to 255");
        return false;
    }
    if (s->shpc == ON_OFF_AUTO_ON) {
        error_setf(errp, ERR_NOT_SUPPORTED, "property 'shpc' is on: there is no standard hot-plug controller");
        return false;
    }
    return s->msi == ON_OFF_AUTO_OFF || msi_init(&s->bridge.pci, 0, 1, true, false, errp);
}

static bool conventional_post_load(void *opaque, UNUSED Error **errp)
{
    pci_bridge_update(opaque);
    return true;
}

static const VmField conventional_fields[] = { VM_PCI(ConventionalBridge, bridge.pci), VM_END };

static const Property conventional_props[] = {
    PROP_U8("chassis_nr", ConventionalBridge, chassis, 0, "number of the chassis, not 0"),
    PROP_ON_OFF_AUTO("msi", ConventionalBridge, msi, ON_OFF_AUTO_AUTO, "message-signalled interrupts are offered"),
    PROP_ON_OFF_AUTO("shpc", ConventionalBridge, shpc, ON_OFF_AUTO_OFF, "standard hot-plug controller; must be off"),
    PROP_END
};

/* Slot 0 would be a hot-plug controller's. */
static const PciBridgeKind conventional_kind = { TYPE_PCI_BUS, 1, 32 };

static const DeviceType conventional_type = {
    .name = "pci-bridge", .parent = TYPE_PCI_BRIDGE, .desc = "PCI-to-PCI bridge",
    .size = sizeof(ConventionalBridge), .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x1b36, .device = 0x0001, .pin = PCI_PIN_NONE },
    .props = conventional_props, .realize = conventional_realize,
    .vm = { 1, conventional_fields, .post_load = conventional_post_load }, .data = &conventional_kind,
};
DEVICE_TYPE(conventional_type)
