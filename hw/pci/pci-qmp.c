/* SPDX-License-Identifier: GPL-2.0-or-later */
/* query-pci: what the guest's firmware has set up, read from config space; errors of functions. */
#include "util/osdep.h"
#include "hw/pci/pcie.h"
#include "qapi/commands-pci.h"
#include "qobject/error.h"

/* Class and subclass (PCI 3.0, appendix D); the first row that fits. */
static const struct { uint16_t class, mask; const char *desc; } classes[] = {
    { 0x0001, 0xffff, "VGA controller" },
    { 0x0100, 0xffff, "SCSI controller" },
    { 0x0101, 0xffff, "IDE controller" },
    { 0x0102, 0xffff, "Floppy controller" },
    { 0x0104, 0xffff, "RAID controller" },
    { 0x0106, 0xffff, "SATA controller" },
    { 0x0108, 0xffff, "NVMe controller" },
    { 0x0100, 0xff00, "Storage controller" },
    { 0x0200, 0xffff, "Ethernet controller" },
    { 0x0200, 0xff00, "Network controller" },
    { 0x0300, 0xffff, "VGA controller" },
    { 0x0300, 0xff00, "Display controller" },
    { 0x0401, 0xffff, "Audio controller" },
    { 0x0403, 0xffff, "Audio controller" },
    { 0x0400, 0xff00, "Multimedia controller" },
    { 0x0500, 0xffff, "RAM controller" },
    { 0x0500, 0xff00, "Memory controller" },
    { 0x0600, 0xffff, "Host bridge" },
    { 0x0601, 0xffff, "ISA bridge" },
    { 0x0604, 0xffff, "PCI bridge" },
    { 0x0600, 0xff00, "Bridge" },
    { 0x0700, 0xffff, "Serial port" },
    { 0x0701, 0xffff, "Parallel port" },
    { 0x0700, 0xff00, "Communication controller" },
    { 0x0880, 0xffff, "System peripheral" },
    { 0x0900, 0xff00, "Input device" },
    { 0x0c03, 0xffff, "USB controller" },
    { 0x0c05, 0xffff, "SMBus" },
    { 0x0c00, 0xff00, "Serial bus controller" },
};

static PciDeviceClass *class_info(const PCIDevice *pci)
{
    PciDeviceClass *info = qapi_new(PciDeviceClass);
    uint16_t class = pci_get_word(pci->config + PCI_CLASS_DEVICE);

    info->class = class;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if ((class & classes[i].mask) == classes[i].class) {
            info->desc = strdup(classes[i].desc);
            break;
        }
    }
    return info;
}

static PciMemoryRegionList *regions(const PCIDevice *pci)
{
    PciMemoryRegionList *list = qapi_new(PciMemoryRegionList);

    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        const PciBar *bar = &pci->bars[i];
        PciMemoryRegion *r;

        if (!bar->mr) {
            continue;
        }
        r = qapi_new(PciMemoryRegion);
        r->bar = i;
        r->type = strdup(bar->type == PCI_BAR_IO ? "io" : "memory");
        r->address = bar->addr == PCI_BAR_UNMAPPED ? -1 : (int64_t)bar->addr;
        r->size = (int64_t)bar->size;
        if (bar->type != PCI_BAR_IO) {
            QAPI_SET(r, prefetch, bar->type == PCI_BAR_MEM32_PREFETCH ||
                                  bar->type == PCI_BAR_MEM64_PREFETCH);
            QAPI_SET(r, mem_type_64, bar->type == PCI_BAR_MEM64 ||
                                     bar->type == PCI_BAR_MEM64_PREFETCH);
        }
        qapi_list_append(list, r);
    }
    return list;
}

static PciMemoryRange *range(uint64_t base, uint64_t limit)
{
    PciMemoryRange *r = qapi_new(PciMemoryRange);

    r->base = (int64_t)base;
    r->limit = (int64_t)limit;
    return r;
}

static PciDeviceInfoList *devices_on(PCIBus *bus);

/* Registers of a type 1 header (PCI-to-PCI bridge 1.2, 3.2.5). */
static PciBridgeInfo *bridge_info(PCIDevice *pci)
{
    PciBridgeInfo *info = qapi_new(PciBridgeInfo);
    PciBusInfo *b = qapi_new(PciBusInfo);
    const uint8_t *c = pci->config;

    info->bus = b;
    b->number = c[PCI_PRIMARY_BUS];
    b->secondary = c[PCI_SECONDARY_BUS];
    b->subordinate = c[PCI_SUBORDINATE_BUS];
    b->io_range = range((uint64_t)(c[PCI_IO_BASE] & 0xf0) << 8,
                        (uint64_t)(c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff);
    b->memory_range = range((uint64_t)(pci_get_word(c + PCI_MEMORY_BASE) & 0xfff0) << 16,
                            (uint64_t)(pci_get_word(c + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff);
    b->prefetchable_range =
        range((uint64_t)(pci_get_word(c + PCI_PREF_MEMORY_BASE) & 0xfff0) << 16 |
              (uint64_t)pci_get_long(c + PCI_PREF_BASE_UPPER32) << 32,
              (uint64_t)(pci_get_word(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff |
              (uint64_t)pci_get_long(c + PCI_PREF_LIMIT_UPPER32) << 32);
    for (Bus *sub = pci->dev.buses; sub; sub = sub->sibling) {
        if (object_is_a(sub, TYPE_PCI_BUS)) {
            info->devices = devices_on(PCI_BUS(sub));
            break;
        }
    }
    return info;
}

static PciDeviceInfo *device_info(PCIBus *bus, PCIDevice *pci)
{
    PciDeviceInfo *info = qapi_new(PciDeviceInfo);

    info->bus = pci_bus_number(bus);
    info->slot = PCI_SLOT(pci->devfn);
    info->function = PCI_FUNC(pci->devfn);
    info->class_info = class_info(pci);
    info->id = qapi_new(PciDeviceId);
    info->id->vendor = pci_get_word(pci->config + PCI_VENDOR_ID);
    info->id->device = pci_get_word(pci->config + PCI_DEVICE_ID);
    info->qdev_id = strdup(pci->dev.id ? pci->dev.id : "");
    info->irq_pin = pci->config[PCI_INTERRUPT_PIN];
    if (info->irq_pin) {
        QAPI_SET(info, irq, pci->config[PCI_INTERRUPT_LINE]);
    }
    info->regions = regions(pci);
    if ((pci->config[PCI_HEADER_TYPE] & 0x7f) == 1) {
        info->pci_bridge = bridge_info(pci);
    } else {
        QAPI_SET(info->id, subsystem_vendor,
                 pci_get_word(pci->config + PCI_SUBSYSTEM_VENDOR_ID));
        QAPI_SET(info->id, subsystem, pci_get_word(pci->config + PCI_SUBSYSTEM_ID));
    }
    return info;
}

static PciDeviceInfoList *devices_on(PCIBus *bus)
{
    PciDeviceInfoList *list = qapi_new(PciDeviceInfoList);

    for (size_t i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        if (bus->devices[i]) {
            qapi_list_append(list, device_info(bus, bus->devices[i]));
        }
    }
    return list;
}

static int add_root(Bus *bus, void *opaque)
{
    PciRootInfoList *list = opaque;

    if (object_is_a(bus, TYPE_PCI_BUS) && !PCI_BUS(bus)->bridge) {
        PciRootInfo *info = qapi_new(PciRootInfo);

        info->bus = pci_bus_number(PCI_BUS(bus));
        info->devices = devices_on(PCI_BUS(bus));
        qapi_list_append(list, info);
    }
    return 0;
}

PciRootInfoList *qmp_query_pci(Error **errp)
{
    PciRootInfoList *list = qapi_new(PciRootInfoList);

    (void)errp;
    bus_foreach(add_root, list);
    return list;
}

/* ---------------------------------------------------------------- errors */

/* Four words or none. */
static bool words_of(const uint32List *list, const char *name, uint32_t words[4], const uint32_t **out, Error **errp)
{
    *out = NULL;
    if (!list) {
        return true;
    }
    if (list->n != 4) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' has %zu words; accepted: 4", name, list->n);
        error_argument(errp, name, NULL, "4 words");
        return false;
    }
    memcpy(words, list->items, 4 * sizeof(*words));
    *out = words;
    return true;
}

PciErrorPlace *qmp_pcie_aer_inject_error(const char *id, const char *error, bool has_correctable, bool is_correctable,
                                         bool has_advisory, bool advisory, const uint32List *header,
                                         const uint32List *prefix, Error **errp)
{
    Device *dev = device_find(id);
    PciErrorPlace *place;
    PcieError e = { .advisory = has_advisory && advisory };
    uint32_t words[2][4];
    PCIDevice *pci;
    PCIBus *root;

    if (!dev || !dev->realized) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE, "Device '%s' not found", id);
        error_argument(errp, "id", id, "the id or path of a device");
        return NULL;
    }
    if (!object_is_a(dev, TYPE_PCI_DEVICE)) {
        error_setf(errp, ERR_WRONG_TYPE, "'%s' isn't a PCI function", id);
        error_argument(errp, "id", id, "a PCI function");
        return NULL;
    }
    pci = PCI_DEVICE(dev);
    if (!words_of(header, "header", words[0], &e.header, errp) || !words_of(prefix, "prefix", words[1], &e.prefix, errp) ||
        !pcie_aer_error(error, has_correctable && is_correctable, &e, errp) || !pcie_aer_inject(pci, &e, errp)) {
        return NULL;
    }
    for (root = pci_bus(pci); root->bridge; root = pci_bus(root->bridge)) {
    }
    place = qapi_new(PciErrorPlace);
    place->id = strdup(id);
    place->root_bus = strdup(root->bus.name);
    place->bus = (uint8_t)pci_bus_number(pci_bus(pci));
    place->slot = PCI_SLOT(pci->devfn);
    place->function = PCI_FUNC(pci->devfn);
    return place;
}
