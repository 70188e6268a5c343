/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI Express ports: pcie-root-port, ioh3420; the switch of x3130-upstream and xio3130-downstream.
 *
 * Sources: PCI Express Base 4.0 ("PCIe"); Intel 5520/5500 chipset data sheet 321328 (IOH 3420's ids); TI XIO3130 data
 * sheet SLLS693 (the switch's ids). The vendor-specific capability tells firmware what to reserve behind a port
 * ("PCI-to-PCI bridge resource reservation", an agreement of QEMU's with SeaBIOS and OVMF).
 */
#include "util/osdep.h"
#include "hw/pci/pcie-port.h"

#define PORT_CAP_EXPRESS    0x90
#define RTCTL_RW            0x000f
#define RESERVE_LEN         32
#define RESERVE_TYPE        1
#define NOT_GIVEN32         UINT32_MAX
#define NOT_GIVEN64         UINT64_MAX
#define SSVID_SIZEOF        8

static const char *const speed_names[] = { "2_5", "5", "8", "16", NULL };
static const char *const width_names[] = { "1", "2", "4", "8", "12", "16", "32", NULL };
static const uint8_t widths[] = { 1, 2, 4, 8, 12, 16, 32 };

static const PciePortKind *kind_of(const PciePort *s)
{
    return device_data(&s->bridge.pci.dev);
}

bool pcie_port_is_root(const PciePort *s)
{
    return kind_of(s)->type == PCI_EXP_ROOT_PORT;
}

/* PCIe 6.7.3.4, 6.2.4.1.2: a message when the first event is set, a level on the pin. */
void pcie_port_interrupt(PciePort *s, bool news)
{
    PCIDevice *pci = &s->bridge.pci;

    if (msix_enabled(pci)) {
        if (news) {
            msix_notify(pci, 0);
        }
    } else if (msi_enabled(pci)) {
        if (news) {
            msi_notify(pci, 0);
        }
    } else {
        pci_set_irq(pci, s->notified || s->aer_notified);
    }
}

static bool add_reserve(PciePort *s, Error **errp)
{
    PCIDevice *pci = &s->bridge.pci;
    uint8_t at;

    if (kind_of(s)->type != PCI_EXP_ROOT_PORT || (s->bus_reserve == NOT_GIVEN32 && s->io_reserve == NOT_GIVEN64 && s->mem_reserve == NOT_GIVEN64 &&
        s->pref32_reserve == NOT_GIVEN64 && s->pref64_reserve == NOT_GIVEN64)) {
        return true;
    }
    if (s->pref32_reserve != NOT_GIVEN64 && s->pref64_reserve != NOT_GIVEN64) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'pref32-reserve' and 'pref64-reserve' are both given; accepted: one");
        return false;
    }
    at = pci_add_capability(pci, PCI_CAP_ID_VENDOR, 0, RESERVE_LEN, errp);
    if (!at) {
        return false;
    }
    pci->config[at + 2] = RESERVE_LEN;
    pci->config[at + 3] = RESERVE_TYPE;
    pci_set_long(pci->config + at + 4, s->bus_reserve);
    pci_set_long(pci->config + at + 8, (uint32_t)s->io_reserve);
    pci_set_long(pci->config + at + 12, (uint32_t)(s->io_reserve >> 32));
    pci_set_long(pci->config + at + 16, (uint32_t)s->mem_reserve);
    pci_set_long(pci->config + at + 20, (uint32_t)s->pref32_reserve);
    pci_set_long(pci->config + at + 24, (uint32_t)s->pref64_reserve);
    pci_set_long(pci->config + at + 28, (uint32_t)(s->pref64_reserve >> 32));
    return true;
}

static bool add_messages(PciePort *s, Error **errp)
{
    const PciePortKind *kind = kind_of(s);
    PCIDevice *pci = &s->bridge.pci;

    return kind->msi_vectors ? msi_init(pci, 0, kind->msi_vectors, true, true, errp)
                             : msix_init_exclusive_bar(pci, 1, 0, errp);
}

static bool add_subsystem(PciePort *s, Error **errp)
{
    const PciePortKind *kind = kind_of(s);
    PCIDevice *pci = &s->bridge.pci;
    uint8_t at;

    if (!kind->ssvid) {
        return true;
    }
    at = pci_add_capability(pci, PCI_CAP_ID_SSVID, 0, SSVID_SIZEOF, errp);
    if (at) {
        pci_set_word(pci->config + at + 4, kind->ssvid);
        pci_set_word(pci->config + at + 6, kind->ssid);
    }
    return at;
}

static bool port_realize(Device *dev, Error **errp)
{
    PciePort *s = PCIE_PORT(dev);
    PCIDevice *pci = &s->bridge.pci;
    const PciePortKind *kind = kind_of(s);
    const PcieLink link = { .speed = (uint8_t)(s->speed + 1), .width = widths[s->width], .port = s->port };
    PCIBus *up = pci_bus(pci);

    if (!object_is_a(up, TYPE_PCIE_BUS) ||
        (kind->type == PCI_EXP_UPSTREAM && !pcie_bus_is_port(up)) ||
        (kind->type == PCI_EXP_DOWNSTREAM && (!up->bridge || !object_is_a(up->bridge, "x3130-upstream"))) ||
        (kind->type == PCI_EXP_ROOT_PORT && up->bridge)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "%s can't be on bus '%s'; accepted: %s", object_type_name(dev),
                   up->bus.name, kind->type == PCI_EXP_ROOT_PORT ? "a PCI Express root bus" :
                                 kind->type == PCI_EXP_UPSTREAM ? "the bus of a PCI Express port" :
                                                                  "the bus of x3130-upstream");
        return false;
    }
    if (!pcie_add_capability(pci, PORT_CAP_EXPRESS, kind->type, &link, errp) || !add_messages(s, errp) ||
        !add_subsystem(s, errp) || !add_reserve(s, errp) || !pci_add_pm(pci, errp)) {
        return false;
    }
    pci->config[PCI_INTERRUPT_PIN] = 1;         /* INTA#: other bridges have none */
    pcie_add_aer(pci, kind->type == PCI_EXP_ROOT_PORT);
    if (!s->disable_acs && kind->type != PCI_EXP_UPSTREAM) {
        pcie_add_acs(pci);
    }
    if (kind->type == PCI_EXP_ROOT_PORT) {
        pci_set_word(pci->wmask + pci->exp_cap + PCI_EXP_RTCTL, RTCTL_RW);
    }
    if (kind->type != PCI_EXP_UPSTREAM) {
        pcie_slot_init(s);
    }
    return true;
}

static void port_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    PciePort *s = PCIE_PORT(pci);
    uint16_t old = pcie_slot_control(s);

    pci_bridge_config_write(pci, addr, val, len);
    if (pci_config_touches(addr, len, pci->exp_cap + PCI_EXP_SLTCTL, 4)) {
        pcie_slot_written(s, old);
    }
    if (pci_config_touches(addr, len, pci->aer_cap + PCI_ERR_ROOT_COMMAND, 8)) {
        pcie_aer_root_changed(s, true);
    }
}

static void port_reset_hold(Device *dev)
{
    PCIDevice *pci = PCI_DEVICE(dev);

    pci_set_word(pci->config + pci->exp_cap + PCI_EXP_RTCTL, 0);
    pcie_aer_root_changed(PCIE_PORT(dev), false);
    pcie_slot_reset(PCIE_PORT(dev));
}

static bool port_post_load(void *opaque, UNUSED Error **errp)
{
    PciePort *s = opaque;

    pci_bridge_update(&s->bridge);
    pcie_slot_loaded(s);
    pcie_aer_root_changed(s, false);
    return true;
}

static const VmField port_fields[] = { VM_PCI(PciePort, bridge.pci), VM_END };

static const Property port_props[] = {
    PROP_U8("port", PciePort, port, 0, "number of the port in its link capability"),
    PROP_ENUM("x-speed", PciePort, speed, 3, speed_names, "GT/s of the link"),
    PROP_ENUM("x-width", PciePort, width, 6, width_names, "lanes of the link"),
    PROP_U32("aer_log_max", PciePort, aer_log_max, 8, "accepted for compatibility: one packet header is kept"),
    PROP_END
};

static const DeviceType port_type = {
    .name = TYPE_PCIE_PORT, .parent = TYPE_PCI_BRIDGE, .size = sizeof(PciePort), .abstract = true,
    .props = port_props, .realize = port_realize, .reset_hold = port_reset_hold,
    .vm = { 1, port_fields, .post_load = port_post_load },
    .pci = { .express = true, .config_write = port_config_write },
};
DEVICE_TYPE(port_type)

static const Property slot_props[] = {
    PROP_U8("chassis", PciePort, chassis, 0, "number of the chassis that the slot is in"),
    PROP_U16("slot", PciePort, slot, 0, "number of the slot in its chassis"),
    PROP_BOOL("hotplug", PciePort, hotplug, true, "functions come and go while the guest runs"),
    PROP_BOOL("power_controller_present", PciePort, power_controller, true, "the slot's power can be switched"),
    PROP_BOOL("disable-acs", PciePort, disable_acs, false, "no access control services"),
    PROP_END
};

static const DeviceType slot_type = {
    .name = TYPE_PCIE_SLOT, .parent = TYPE_PCIE_PORT, .abstract = true, .props = slot_props,
};
DEVICE_TYPE(slot_type)

static const Property root_props[] = {
    PROP_U32("bus-reserve", PciePort, bus_reserve, NOT_GIVEN32, "buses that firmware reserves; 4294967295: its choice"),
    PROP_SIZE("io-reserve", PciePort, io_reserve, NOT_GIVEN64, "I/O space that firmware reserves"),
    PROP_SIZE("mem-reserve", PciePort, mem_reserve, NOT_GIVEN64, "memory space that firmware reserves"),
    PROP_SIZE("pref32-reserve", PciePort, pref32_reserve, NOT_GIVEN64, "prefetchable space below 4 GiB, as well"),
    PROP_SIZE("pref64-reserve", PciePort, pref64_reserve, NOT_GIVEN64, "prefetchable space anywhere, as well"),
    PROP_END
};

static const PciePortKind root_kind = { { TYPE_PCIE_BUS, 0, 1 }, PCI_EXP_ROOT_PORT, 0, 0, 0 };
static const DeviceType root_type = {
    .name = "pcie-root-port", .parent = TYPE_PCIE_SLOT, .desc = "PCI Express Root Port", .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x1b36, .device = 0x000c }, .props = root_props, .data = &root_kind,
};
DEVICE_TYPE(root_type)

static const PciePortKind ioh3420_kind = { { TYPE_PCIE_BUS, 0, 1 }, PCI_EXP_ROOT_PORT, 2, 0x8086, 0 };
static const DeviceType ioh3420_type = {
    .name = "ioh3420", .parent = TYPE_PCIE_SLOT, .desc = "Intel IOH device id 3420 PCIE Root Port",
    .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x3420, .revision = 2 }, .props = root_props,
    .data = &ioh3420_kind,
};
DEVICE_TYPE(ioh3420_type)

static const PciePortKind upstream_kind = { { TYPE_PCIE_BUS, 0, 32 }, PCI_EXP_UPSTREAM, 1, 0x104c, 0 };
static const DeviceType upstream_type = {
    .name = "x3130-upstream", .parent = TYPE_PCIE_PORT, .desc = "TI X3130 Upstream Port of PCI Express Switch",
    .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x104c, .device = 0x8232, .revision = 2 }, .data = &upstream_kind,
};
DEVICE_TYPE(upstream_type)

static const PciePortKind downstream_kind = { { TYPE_PCIE_BUS, 0, 1 }, PCI_EXP_DOWNSTREAM, 1, 0x104c, 0 };
static const DeviceType downstream_type = {
    .name = "xio3130-downstream", .parent = TYPE_PCIE_SLOT, .desc = "TI X3130 Downstream Port of PCI Express Switch",
    .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x104c, .device = 0x8233, .revision = 1 }, .data = &downstream_kind,
};
DEVICE_TYPE(downstream_type)
