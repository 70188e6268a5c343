/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI buses: interrupt routing, addressing of configuration cycles, and host
 * bridges with configuration mechanism #1.
 *
 * Sources: PCI Local Bus Specification 3.0 ("PCI"), 3.2.2.3 and 2.2.6.
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci-int.h"

static char *pci_device_path(const Device *dev)
{
    const PCIDevice *pci = PCI_DEVICE(dev);
    PCIBus *bus = pci_bus(pci);
    g_autofree char *up = NULL;

    if (!bus->bridge) {
        return g_strdup_printf("0000:00:%02x.%x", PCI_SLOT(pci->devfn), PCI_FUNC(pci->devfn));
    }
    up = pci_device_path(&bus->bridge->dev);
    return g_strdup_printf("%s:%02x.%x", up, PCI_SLOT(pci->devfn), PCI_FUNC(pci->devfn));
}

/* PCI Bus Binding to IEEE 1275, 2.1 and table 1: names come from the class. */
static const char *class_name(uint32_t class_code)
{
    static const struct { uint16_t class; const char *name; } names[] = {
        { 0x0100, "scsi" }, { 0x0101, "ide" }, { 0x0102, "fdc" }, { 0x0106, "sata" },
        { 0x0200, "ethernet" }, { 0x0300, "VGA" }, { 0x0380, "display" },
        { 0x0400, "video" }, { 0x0401, "sound" }, { 0x0403, "sound" },
        { 0x0500, "memory" }, { 0x0600, "host" }, { 0x0601, "isa" }, { 0x0604, "pci-bridge" },
        { 0x0780, "communication-controller" }, { 0x0c03, "usb" }, { 0x0c05, "smb" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].class == class_code >> 8) {
            return names[i].name;
        }
    }
    return NULL;
}

static char *pci_fw_path(const Device *dev, const char *name)
{
    const PCIDevice *pci = PCI_DEVICE(dev);
    const char *by_class = class_name(pci->info.class_code);

    /* A type that says nothing is known by its class. */
    if (by_class && !strcmp(name, object_type_name(dev))) {
        name = by_class;
    }
    return PCI_FUNC(pci->devfn)
           ? g_strdup_printf("%s@%x,%x", name, PCI_SLOT(pci->devfn), PCI_FUNC(pci->devfn))
           : g_strdup_printf("%s@%x", name, PCI_SLOT(pci->devfn));
}

static void pci_plugged(Device *dev)
{
    PCIBus *bus = PCI_BUS(dev->bus);

    if (bus->hotplug) {
        bus->hotplug->plugged(bus->hotplug_opaque, PCI_DEVICE(dev));
    }
}

static bool pci_unplug_request(Device *dev)
{
    PCIBus *bus = PCI_BUS(dev->bus);

    if (bus->hotplug) {
        bus->hotplug->unplug_request(bus->hotplug_opaque, PCI_DEVICE(dev));
    }
    return bus->hotplug != NULL;
}

void pci_bus_set_hotplug(PCIBus *bus, const PciHotplugOps *ops, void *opaque)
{
    bus->hotplug = ops;
    bus->hotplug_opaque = opaque;
}

static const BusType pci_bus_type = {
    .name = TYPE_PCI_BUS, .size = sizeof(PCIBus), .device_path = pci_device_path,
    .fw_path = pci_fw_path, .plugged = pci_plugged, .unplug_request = pci_unplug_request,
};
BUS_TYPE(pci_bus_type)

static const BusType pcie_bus_type = {
    .name = TYPE_PCIE_BUS, .parent = TYPE_PCI_BUS, .size = sizeof(PCIBus),
    .device_path = pci_device_path, .fw_path = pci_fw_path, .plugged = pci_plugged,
    .unplug_request = pci_unplug_request,
};
BUS_TYPE(pcie_bus_type)

PCIBus *pci_root_bus_new(Device *host, const char *type, const char *name,
                         MemRegion *mem, MemRegion *io, uint8_t devfn_min)
{
    PCIBus *bus = PCI_BUS(bus_new(type, host, name));

    bus->mem = mem;
    bus->io = io;
    bus->devfn_min = devfn_min;
    bus->num_slots = 32;
    bus->dma = &address_space_memory;
    return bus;
}

PCIBus *pci_bus_root(PCIBus *bus)
{
    while (bus->bridge) {
        bus = pci_bus(bus->bridge);
    }
    return bus;
}

int pci_bus_number(const PCIBus *bus)
{
    return bus->bridge ? bus->bridge->config[PCI_SECONDARY_BUS] : 0;
}

/* --- interrupts --- */

void pci_bus_set_irqs(PCIBus *bus, PciSetIrqFn set_irq, PciMapIrqFn map_irq,
                      void *opaque, int num_irqs)
{
    assert(num_irqs <= PCI_MAX_IRQS);
    bus->set_irq = set_irq;
    bus->map_irq = map_irq;
    bus->irq_opaque = opaque;
    bus->num_irqs = num_irqs;
    memset(bus->irq_count, 0, sizeof(bus->irq_count));
}

void pci_bus_set_iommu(PCIBus *bus, PciIommuFn fn, void *opaque)
{
    bus->iommu = fn;
    bus->iommu_opaque = opaque;
}

int pci_swizzle(PCIDevice *pci, int pin)
{
    return (PCI_SLOT(pci->devfn) + pin) % PCI_NUM_PINS;
}

/* The root bus and its input that the function's pin leads to; -1: none. */
static int route(PCIDevice *pci, PCIBus **root)
{
    int pin = pci->config[PCI_INTERRUPT_PIN] - 1, n;
    PCIBus *bus = pci_bus(pci);

    if (pin < 0) {
        return -1;
    }
    while (bus->bridge) {
        pin = pci_swizzle(pci, pin);
        pci = bus->bridge;
        bus = pci_bus(pci);
    }
    *root = bus;
    if (!bus->set_irq || !bus->map_irq) {
        return -1;
    }
    n = bus->map_irq(pci, pin);
    return n >= 0 && n < bus->num_irqs ? n : -1;
}

void pci_update_irq(PCIDevice *pci)
{
    uint8_t *status = pci->config + PCI_STATUS;
    bool level;
    PCIBus *root;
    int n;

    if (!pci->config) {
        return;
    }
    /* PCI 6.2.3: the status bit shows the function's wish in any case. */
    *status = (uint8_t)((*status & ~PCI_STATUS_INTERRUPT) |
                        (pci->irq_level ? PCI_STATUS_INTERRUPT : 0));
    level = pci->irq_level &&
            !(pci_get_word(pci->config + PCI_COMMAND) & PCI_COMMAND_INTX_OFF);
    if (level == pci->irq_driven) {
        return;
    }
    pci->irq_driven = level;
    n = route(pci, &root);
    if (n >= 0) {
        root->irq_count[n] += level ? 1 : -1;
        root->set_irq(root->irq_opaque, n, root->irq_count[n] > 0);
    }
}

void pci_set_irq(PCIDevice *pci, int level)
{
    pci->irq_level = level;
    pci_update_irq(pci);
}

static void irq_line_set(void *opaque, UNUSED int n, int level)
{
    pci_set_irq(opaque, level);
}

IrqLine *pci_irq_line(PCIDevice *pci)
{
    if (!pci->irq) {
        pci->irq = irq_new(irq_line_set, pci, 0);
    }
    return pci->irq;
}

static int count_irq(PCIDevice *pci, UNUSED void *opaque)
{
    PCIBus *root;
    int n = pci->irq_driven ? route(pci, &root) : -1;

    if (n >= 0) {
        root->irq_count[n]++;
    }
    return 0;
}

void pci_bus_irq_changed(PCIBus *bus)
{
    bus = pci_bus_root(bus);
    memset(bus->irq_count, 0, sizeof(bus->irq_count));
    pci_bus_foreach(bus, count_irq, NULL);
    for (int n = 0; n < bus->num_irqs && bus->set_irq; n++) {
        bus->set_irq(bus->irq_opaque, n, bus->irq_count[n] > 0);
    }
}

/* --- who is there --- */

PCIBus *pci_bridge_bus(const PCIDevice *pci)
{
    for (Bus *b = pci->dev.buses; b; b = b->sibling) {
        if (object_is_a(b, TYPE_PCI_BUS) && PCI_BUS(b)->bridge == pci) {
            return PCI_BUS(b);
        }
    }
    return NULL;
}

int pci_bus_foreach(PCIBus *bus, int (*fn)(PCIDevice *pci, void *opaque),
                    void *opaque)
{
    for (int i = 0; i < 256; i++) {
        PCIDevice *pci = bus->devices[i];
        PCIBus *sub;
        int ret;

        if (!pci) {
            continue;
        }
        ret = fn(pci, opaque);
        if (ret) {
            return ret;
        }
        sub = bus->devices[i] ? pci_bridge_bus(bus->devices[i]) : NULL;
        ret = sub ? pci_bus_foreach(sub, fn, opaque) : 0;
        if (ret) {
            return ret;
        }
    }
    return 0;
}

static PCIBus *find_bus(PCIBus *bus, uint8_t nr, unsigned depth)
{
    if (pci_bus_number(bus) == nr && (nr || !bus->bridge)) {
        return bus;
    }
    for (int i = 0; i < 256 && depth < 8; i++) {
        PCIDevice *pci = bus->devices[i];
        PCIBus *sub = pci && pci->info.header_type == 1 ? pci_bridge_bus(pci) : NULL;

        /* A bridge passes on what lies in its range (bridge spec 3.1.2.1). */
        if (sub && nr >= pci->config[PCI_SECONDARY_BUS] &&
            nr <= pci->config[PCI_SUBORDINATE_BUS] && pci->config[PCI_SECONDARY_BUS]) {
            return find_bus(sub, nr, depth + 1);
        }
    }
    return NULL;
}

PCIDevice *pci_bus_find_device(PCIBus *root, uint8_t bus_nr, uint8_t devfn)
{
    PCIBus *bus = find_bus(root, bus_nr, 0);

    return bus ? bus->devices[devfn] : NULL;
}

/* --- configuration cycles --- */

static PCIDevice *target(PCIBus *root, uint32_t bdf)
{
    PCIDevice *pci = pci_bus_find_device(root, (uint8_t)(bdf >> 8), (uint8_t)bdf);

    return pci && pci->dev.realized && !pci_bus(pci)->powered_off ? pci : NULL;
}

static uint32_t config_read(PCIDevice *pci, uint32_t reg, unsigned len)
{
    return !pci || reg + len > pci->config_size ? UINT32_MAX >> (32 - 8 * len) :
           pci->info.config_read ? pci->info.config_read(pci, reg, len) :
           pci_default_config_read(pci, reg, len);
}

static void config_write(PCIDevice *pci, uint32_t reg, uint32_t val, unsigned len)
{
    if (!pci || reg + len > pci->config_size) {
        return;
    }
    if (pci->info.config_write) {
        pci->info.config_write(pci, reg, val, len);
    } else {
        pci_default_config_write(pci, reg, val, len);
    }
}

uint32_t pci_data_read(PCIBus *root, uint32_t addr, unsigned len)
{
    return config_read(target(root, addr >> 8 & 0xffff), addr & 0xff, len);
}

void pci_data_write(PCIBus *root, uint32_t addr, uint32_t val, unsigned len)
{
    config_write(target(root, addr >> 8 & 0xffff), addr & 0xff, val, len);
}

/* --- mechanism #1 (PCI 3.2.2.3.2) --- */

#define CONFIG_ENABLE   BIT(31)

static MemResult conf_read(void *opaque, hwaddr addr, uint64_t *val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = ((PCIHost *)opaque)->config_address >> (8 * addr);
    return MEM_OK;
}

static MemResult conf_write(void *opaque, hwaddr addr, uint64_t val,
                            unsigned size, UNUSED MemAttrs attrs)
{
    /* Only a full DWORD write sets the latch; narrower ones are I/O cycles
     * to nobody. */
    if (addr == 0 && size == 4) {
        ((PCIHost *)opaque)->config_address = (uint32_t)val & ~UINT32_C(0x7f000003);
    }
    return MEM_OK;
}

static const MemOps conf_ops = { .read = conf_read, .write = conf_write };

static MemResult data_read(void *opaque, hwaddr addr, uint64_t *val,
                           unsigned size, UNUSED MemAttrs attrs)
{
    PCIHost *host = opaque;

    *val = host->config_address & CONFIG_ENABLE && host->bus
           ? pci_data_read(host->bus, host->config_address | (uint32_t)addr, size)
           : UINT32_MAX;
    return MEM_OK;
}

static MemResult data_write(void *opaque, hwaddr addr, uint64_t val,
                            unsigned size, UNUSED MemAttrs attrs)
{
    PCIHost *host = opaque;

    if (host->config_address & CONFIG_ENABLE && host->bus) {
        pci_data_write(host->bus, host->config_address | (uint32_t)addr, (uint32_t)val,
                       size);
    }
    return MEM_OK;
}

static const MemOps data_ops = { .read = data_read, .write = data_write };

static bool pci_host_realize(Device *dev, UNUSED Error **errp)
{
    PCIHost *host = PCI_HOST(dev);

    memory_region_init_io(&host->conf, host, &conf_ops, host, "pci-conf-idx", 4);
    memory_region_init_io(&host->data, host, &data_ops, host, "pci-conf-data", 4);
    return true;
}

static void pci_host_unrealize(Device *dev)
{
    PCIHost *host = PCI_HOST(dev);

    memory_region_cleanup(&host->conf);
    memory_region_cleanup(&host->data);
    host->bus = NULL;
}

static void pci_host_reset(Device *dev)
{
    PCI_HOST(dev)->config_address = 0;
}

static const VmField pci_host_fields[] = { VM_U32(PCIHost, config_address), VM_END };
static const VmMeaning pci_host_meanings[] = {
    { "config_address", "CONFIG_ADDRESS", .flags = FLAGS({ "REGISTER", 0xfc }, { "FUNCTION", 0x700 }, { "DEVICE", 0xf800 },
      { "BUS", 0xff0000 },
      { "ENABLE", 0x80000000 }) },
    { .name = NULL }
};
const VmState pci_host_vm = { 1, pci_host_fields, .name = "pci-host", .meanings = pci_host_meanings };

static const DeviceType pci_host_type = {
    .name = TYPE_PCI_HOST, .size = sizeof(PCIHost), .abstract = true,
    .category = DEVICE_BRIDGE, .fw_name = "pci", .realize = pci_host_realize,
    .unrealize = pci_host_unrealize, .reset_hold = pci_host_reset,
    .vm = { 1, pci_host_fields, .meanings = pci_host_meanings },
};
DEVICE_TYPE(pci_host_type)

/* --- ECAM (PCIe 7.2.2): bus, devfn, register in the address --- */

static MemResult ecam_read(void *opaque, hwaddr addr, uint64_t *val,
                           unsigned size, UNUSED MemAttrs attrs)
{
    PCIHost *host = opaque;

    *val = host->bus ? config_read(target(host->bus, (uint32_t)(addr >> 12)), addr & 0xfff,
                                   size)
                     : UINT32_MAX;
    return MEM_OK;
}

static MemResult ecam_write(void *opaque, hwaddr addr, uint64_t val,
                            unsigned size, UNUSED MemAttrs attrs)
{
    PCIHost *host = opaque;

    if (host->bus) {
        config_write(target(host->bus, (uint32_t)(addr >> 12)), addr & 0xfff,
                     (uint32_t)val, size);
    }
    return MEM_OK;
}

static const MemOps ecam_ops = { .read = ecam_read, .write = ecam_write };

void pcie_init_ecam(MemRegion *mr, void *owner, PCIHost *host, uint64_t size)
{
    memory_region_init_io(mr, owner, &ecam_ops, host, "pcie-mmcfg-mmio", size);
}
