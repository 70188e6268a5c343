/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function: its life, configuration space, and base address registers.
 *
 * Sources: PCI Local Bus Specification 3.0 ("PCI").
 */
#include "util/osdep.h"
#include "util/bswap.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci-int.h"

#include "hw/core/machine.h"
#include "hw/pci/pcie.h"
#include "qobject/qobject.h"
#include "util/log.h"

/* --- what a type says about itself --- */

#define TAKE(field) \
    do { \
        if (from->field) { \
            info->field = from->field; \
        } \
    } while (0)

static void resolve_info(const Type *type, PciInfo *info)
{
    const DeviceType *dt = device_type_of(type);
    const PciInfo *from;

    if (strcmp(type_name(type), TYPE_PCI_DEVICE)) {
        resolve_info(type_parent(type), info);
    }
    from = &dt->pci;
    TAKE(vendor);
    TAKE(device);
    TAKE(class_code);
    TAKE(revision);
    TAKE(subsystem_vendor);
    TAKE(subsystem);
    TAKE(pin);
    TAKE(header_type);
    TAKE(express);
    TAKE(express_at_port);
    TAKE(multifunction);
    TAKE(romfile);
    TAKE(config_read);
    TAKE(config_write);
}

/* --- base address registers (PCI 6.2.5) --- */

static unsigned bar_offset(const PCIDevice *pci, int n)
{
    if (n != PCI_ROM_SLOT) {
        return PCI_BASE_ADDRESS_0 + 4 * n;
    }
    return pci->info.header_type == 1 ? PCI_BRIDGE_ROM_ADDRESS : PCI_ROM_ADDRESS;
}

static bool bar_is_64(const PciBar *bar)
{
    return bar->type == PCI_BAR_MEM64 || bar->type == PCI_BAR_MEM64_PREFETCH;
}

void pci_register_bar(PCIDevice *pci, int n, PciBarType type, MemRegion *mr)
{
    static const uint8_t type_bits[] = {
        [PCI_BAR_IO] = 0x1, [PCI_BAR_MEM32] = 0x0, [PCI_BAR_MEM64] = 0x4,
        [PCI_BAR_MEM32_PREFETCH] = 0x8, [PCI_BAR_MEM64_PREFETCH] = 0xc,
    };
    PciBar *bar = &pci->bars[n];
    uint64_t size = memory_region_size(mr), mask;
    unsigned off = bar_offset(pci, n);

    assert(n >= 0 && n < PCI_NUM_REGIONS && !bar->mr);
    assert(IS_POWER_OF_2(size) && size >= (type == PCI_BAR_IO ? 4 : 16));
    *bar = (PciBar){ .mr = mr, .type = type, .size = size, .addr = PCI_BAR_UNMAPPED };
    if (!mr->owner) {
        mr->owner = &pci->dev.obj;
    }
    mask = ~(size - 1);
    if (n == PCI_ROM_SLOT) {
        mask |= 1;              /* enable bit */
    }
    pci_set_long(pci->config + off, n == PCI_ROM_SLOT ? 0 : type_bits[type]);
    pci_set_long(pci->wmask + off, (uint32_t)mask);
    if (bar_is_64(bar)) {
        pci_set_long(pci->wmask + off + 4, (uint32_t)(mask >> 32));
    }
}

hwaddr pci_bar_address(const PCIDevice *pci, int n)
{
    return pci->bars[n].mr ? pci->bars[n].addr : PCI_BAR_UNMAPPED;
}

/* Where the guest wants it; PCI_BAR_UNMAPPED when nowhere. */
static hwaddr wanted_address(const PCIDevice *pci, int n)
{
    const PciBar *bar = &pci->bars[n];
    const uint8_t *reg = pci->config + bar_offset(pci, n);
    uint16_t cmd = pci_get_word(pci->config + PCI_COMMAND);
    hwaddr addr, last;

    if (!(cmd & (bar->type == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
        return PCI_BAR_UNMAPPED;
    }
    addr = pci_get_long(reg);
    if (n == PCI_ROM_SLOT && !(addr & 1)) {
        return PCI_BAR_UNMAPPED;
    }
    if (bar_is_64(bar)) {
        addr |= (hwaddr)pci_get_long(reg + 4) << 32;
    }
    addr &= ~(bar->size - 1);
    last = addr + bar->size - 1;
    /* All ones is the sizing pattern (PCI 6.2.5.1), zero what a reset leaves;
     * neither is an address that software means. */
    if (!addr || last < addr || last == UINT64_MAX ||
        (!bar_is_64(bar) && last >= UINT32_MAX) ||
        (bar->type == PCI_BAR_IO && last > 0xffff)) {
        return PCI_BAR_UNMAPPED;
    }
    return addr;
}

void pci_update_mappings(PCIDevice *pci)
{
    PCIBus *bus = pci_bus(pci);

    memory_transaction_begin();
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        PciBar *bar = &pci->bars[n];
        MemRegion *space = bar->type == PCI_BAR_IO ? bus->io : bus->mem;
        hwaddr want;

        if (!bar->mr || !space) {
            continue;
        }
        want = wanted_address(pci, n);
        if (want == bar->addr) {
            continue;
        }
        if (bar->addr != PCI_BAR_UNMAPPED) {
            memory_region_del(space, bar->mr);
        }
        bar->addr = want;
        if (want != PCI_BAR_UNMAPPED) {
            memory_region_add_overlap(space, want, bar->mr, 1);
        }
    }
    memory_transaction_commit();
}

/* --- configuration space --- */

uint32_t pci_default_config_read(PCIDevice *pci, uint32_t addr, unsigned len)
{
    uint32_t val = 0;

    if (len > 4 || addr >= pci->config_size || len > pci->config_size - addr) {
        return UINT32_MAX;
    }
    for (unsigned i = 0; i < len; i++) {
        val |= (uint32_t)pci->config[addr + i] << (8 * i);
    }
    return val;
}

static void apply_command(PCIDevice *pci)
{
    bool master = pci_get_word(pci->config + PCI_COMMAND) & PCI_COMMAND_MASTER;

    memory_region_set_enabled(&pci->dma_alias, master);
    pci_update_irq(pci);
}

void pci_default_config_write(PCIDevice *pci, uint32_t addr, uint32_t val,
                              unsigned len)
{
    if (len > 4 || addr >= pci->config_size || len > pci->config_size - addr) {
        return;
    }
    for (unsigned i = 0; i < len; i++) {
        uint8_t b = (uint8_t)(val >> (8 * i)), *c = &pci->config[addr + i];
        uint8_t w = pci->wmask[addr + i], w1c = pci->w1cmask[addr + i];

        *c = (uint8_t)((*c & ~w) | (b & w));
        *c &= (uint8_t)~(b & w1c);
    }
    if (pci_config_touches(addr, len, PCI_COMMAND, 2)) {
        apply_command(pci);
    }
    if (pci_config_touches(addr, len, PCI_COMMAND, 2) ||
        pci_config_touches(addr, len, PCI_BASE_ADDRESS_0, 4 * PCI_NUM_BARS) ||
        pci_config_touches(addr, len, bar_offset(pci, PCI_ROM_SLOT), 4)) {
        pci_update_mappings(pci);
    }
    msi_config_written(pci, addr, len);
    msix_config_written(pci, addr, len);
}

void pci_config_applied(PCIDevice *pci)
{
    apply_command(pci);
    pci_update_mappings(pci);
}

static void init_config(PCIDevice *pci)
{
    const PciInfo *info = &pci->info;
    uint8_t *c = pci->config, *w = pci->wmask;
    uint8_t pin = info->pin;

    pci_set_word(c + PCI_VENDOR_ID, info->vendor);
    pci_set_word(c + PCI_DEVICE_ID, info->device);
    c[PCI_REVISION_ID] = info->revision;
    c[PCI_CLASS_PROG] = (uint8_t)info->class_code;
    pci_set_word(c + PCI_CLASS_DEVICE, (uint16_t)(info->class_code >> 8));
    c[PCI_HEADER_TYPE] = info->header_type;
    pci_set_word(w + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
                 PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
                 PCI_COMMAND_INTX_OFF);
    pci_set_word(pci->w1cmask + PCI_STATUS, PCI_STATUS_PARITY | PCI_STATUS_SIG_TABORT |
                 PCI_STATUS_REC_TABORT | PCI_STATUS_REC_MABORT | PCI_STATUS_SIG_SERR |
                 PCI_STATUS_DET_PARITY);
    w[PCI_CACHE_LINE_SIZE] = 0xff;
    w[PCI_INTERRUPT_LINE] = 0xff;
    /* Bridges have no interrupt of their own unless they say so. */
    if (pin == PCI_PIN_A && info->class_code >> 16 == 0x06) {
        pin = PCI_PIN_NONE;
    }
    c[PCI_INTERRUPT_PIN] = pin == PCI_PIN_NONE ? 0 : (uint8_t)(pin + 1);
    if (info->header_type == 0) {
        pci_set_word(c + PCI_SUBSYSTEM_VENDOR_ID, info->subsystem_vendor);
        pci_set_word(c + PCI_SUBSYSTEM_ID, info->subsystem);
    } else {
        /* PCI-to-PCI Bridge Architecture 1.2, 3.2. */
        memset(w + PCI_PRIMARY_BUS, 0xff, 4);
        w[PCI_IO_BASE] = 0xf0;
        w[PCI_IO_LIMIT] = 0xf0;
        for (unsigned r = PCI_MEMORY_BASE; r <= PCI_PREF_MEMORY_LIMIT; r += 2) {
            pci_set_word(w + r, 0xfff0);
        }
        memset(w + PCI_PREF_BASE_UPPER32, 0xff, 8);
        pci_set_word(w + PCI_BRIDGE_CONTROL, 0x0fff);
        pci_set_word(pci->w1cmask + PCI_SEC_STATUS, 0xf900);
    }
}

/* --- the place on the bus --- */

static bool place(PCIDevice *pci, PCIBus *bus, Error **errp)
{
    PCIDevice *fn0;

    if (current_machine() && current_machine()->ready && !bus->hotplug) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Bus '%s' does not support hotplugging", bus->bus.name);
        error_argument(errp, "bus", bus->bus.name, "a bus behind a port, or the root bus of machine pc");
        return false;
    }
    if (pci->devfn < 0) {
        for (int devfn = bus->devfn_min; devfn < PCI_DEVFN(bus->num_slots, 0); devfn += 8) {
            if (!bus->devices[devfn]) {
                pci->devfn = devfn;
                break;
            }
        }
        if (pci->devfn < 0) {
            error_setf(errp, ERR_IN_USE, "PCI: no slot/function available for %s, all in use",
                       object_type_name(pci));
            return false;
        }
    }
    if (PCI_SLOT(pci->devfn) >= bus->num_slots) {
        error_setf(errp, ERR_OUT_OF_RANGE, "PCI: slot %d is not valid for %s; bus '%s' has slots 0 to %d",
                   PCI_SLOT(pci->devfn), object_type_name(pci), bus->bus.name, bus->num_slots - 1);
        error_argument(errp, "addr", NULL, "a slot that the bus has");
        return false;
    }
    if (bus->devices[pci->devfn]) {
        error_setf(errp, ERR_IN_USE,
                   "PCI: slot %d function %d not available for %s, in use by %s",
                   PCI_SLOT(pci->devfn), PCI_FUNC(pci->devfn), object_type_name(pci),
                   object_type_name(bus->devices[pci->devfn]));
        error_argument(errp, "addr", NULL, "a free slot");
        return false;
    }
    /* PCI 3.2.2.3.4: software looks at other functions only if the first
     * says that there are some. */
    fn0 = bus->devices[PCI_DEVFN(PCI_SLOT(pci->devfn), 0)];
    if (PCI_FUNC(pci->devfn) && fn0 && !fn0->multifunction) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "PCI: %02x.%x: function 0 of the slot is not multifunction",
                   PCI_SLOT(pci->devfn), PCI_FUNC(pci->devfn));
        error_hint(errp, "give the device of function 0 multifunction=on");
        return false;
    }
    bus->devices[pci->devfn] = pci;
    pci->on_bus = true;
    return true;
}

static AddressSpace *dma_target(PCIDevice *pci)
{
    PCIBus *bus = pci_bus(pci);
    int devfn = pci->devfn;

    /* The nearest IOMMU towards the host decides. */
    for (PCIBus *b = bus; b; b = b->bridge ? pci_bus(b->bridge) : NULL) {
        if (b->iommu) {
            AddressSpace *as = b->iommu(b, b->iommu_opaque, devfn);

            if (as) {
                return as;
            }
        }
        if (b->bridge) {
            devfn = b->bridge->devfn;
        } else if (b->dma) {
            return b->dma;
        }
    }
    return &address_space_memory;
}

static bool pci_device_realize(Device *dev, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(dev);
    PCIBus *bus = pci_bus(pci);

    pci->info = (PciInfo){ 0 };
    resolve_info(dev->obj.type, &pci->info);
    pci->multifunction |= pci->info.multifunction;
    if (!place(pci, bus, errp)) {
        return false;
    }
    pci->config_size = pci->info.express || (pci->info.express_at_port && pcie_bus_is_port(bus))
                       ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
    pci->config = g_malloc0(pci->config_size);
    pci->wmask = g_malloc0(pci->config_size);
    pci->w1cmask = g_malloc0(pci->config_size);
    pci->hwmask = g_malloc0(pci->config_size);
    pci->used = g_malloc0(pci->config_size);
    init_config(pci);
    memory_region_init(&pci->dma_root, pci, "bus master container", UINT64_MAX);
    memory_region_init_alias(&pci->dma_alias, pci, "bus master", dma_target(pci)->root, 0,
                             UINT64_MAX);
    memory_region_set_enabled(&pci->dma_alias, false);
    memory_region_add(&pci->dma_root, 0, &pci->dma_alias);
    address_space_init(&pci->dma_as, &pci->dma_root, object_type_name(pci));
    return true;
}

/*
 * Firmware runs a ROM only if its data structure names the function's own device (PCI 6.3.1.2). One file serves
 * several devices of a type, as virtio's with and without the legacy interface: its images get the number of
 * this one. The sum of a PC's image stays zero by a byte that its header has spare (6.3.3.1).
 */
static void rom_set_device(PCIDevice *pci, uint8_t *rom, size_t len)
{
    uint16_t vendor = load_le16(pci->config + PCI_VENDOR_ID);
    uint16_t device = load_le16(pci->config + PCI_DEVICE_ID);
    size_t size;

    for (size_t at = 0; len - at > 0x1a && load_le16(rom + at) == 0xaa55; at += size) {
        size_t data = at + load_le16(rom + at + 0x18);
        uint8_t *d = rom + data, before;

        if (data > len - 0x18 || memcmp(d, "PCIR", 4) || load_le16(d + 4) != vendor) {
            return;
        }
        before = (uint8_t)(d[6] + d[7]);
        store_le16(d + 6, device);
        if (d[0x14] == 0) {
            rom[at + 6] -= (uint8_t)(d[6] + d[7] - before);
        }
        size = load_le16(d + 0x10) * (size_t)512;
        if (d[0x15] & 0x80 || !size || size > len - at) {
            return;
        }
    }
}

/*
 * The expansion ROM (PCI 6.3.1): a file, as large as the next power of two. A
 * display shows nothing before its own BIOS has run; other functions only can't
 * be booted from when the file of their type isn't installed.
 */
static bool load_rom(PCIDevice *pci, Error **errp)
{
    const char *name = pci->romfile ? pci->romfile : pci->info.romfile;
    bool is_display = pci->info.class_code >> 16 == 0x03;
    g_autofree char *path = NULL, *data = NULL;
    uint64_t size = 2048;
    gsize len;

    if (!name || !*name || !pci->rom_bar || pci->bars[PCI_ROM_SLOT].mr) {
        return true;
    }
    path = firmware_find_checked(name, pci->romfile || is_display ? errp : NULL);
    if (!path) {
        return !pci->romfile && !is_display;
    }
    if (!g_file_get_contents(path, &data, &len, NULL) || !len) {
        error_setf(errp, ERR_HOST, "could not read romfile \"%s\"", path);
        error_argument(errp, "romfile", path, "a readable file");
        return false;
    }
    if (len > 16 * MIB) {
        error_setf(errp, ERR_OUT_OF_RANGE, "romfile \"%s\" is too large", name);
        return false;
    }
    while (size < len) {
        size *= 2;
    }
    if (!memory_region_init_rom(&pci->rom, pci, "rom", size, errp)) {
        return false;
    }
    if (!pci->romfile) {
        rom_set_device(pci, (uint8_t *)data, len);
    }
    memcpy(memory_region_ram_ptr(&pci->rom), data, len);
    pci_register_bar(pci, PCI_ROM_SLOT, PCI_BAR_MEM32, &pci->rom);
    return true;
}

static bool pci_device_realize_done(Device *dev, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(dev);

    if (pci->multifunction) {
        pci->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI;
    }
    if (!load_rom(pci, errp)) {
        return false;
    }
    if (pci_bus(pci)->changed) {
        pci_bus(pci)->changed(pci_bus(pci));
    }
    return true;
}

static void pci_device_unrealize(Device *dev)
{
    PCIDevice *pci = PCI_DEVICE(dev);
    PCIBus *bus = pci_bus(pci);

    pci->irq_level = false;
    pci_update_irq(pci);
    for (int n = 0; n < PCI_NUM_REGIONS; n++) {
        PciBar *bar = &pci->bars[n];

        if (bar->mr && bar->addr != PCI_BAR_UNMAPPED && bar->mr->container) {
            memory_region_del(bar->mr->container, bar->mr);
        }
        *bar = (PciBar){ .mr = NULL };
    }
    msix_cleanup(pci);
    memory_region_cleanup(&pci->rom);
    address_space_cleanup(&pci->dma_as);
    memory_region_cleanup(&pci->dma_alias);
    memory_region_cleanup(&pci->dma_root);
    if (pci->on_bus) {
        bus->devices[pci->devfn] = NULL;
        pci->on_bus = false;
        if (bus->changed) {
            bus->changed(bus);
        }
    }
    pci->pm_cap = pci->msi_cap = pci->msix_cap = pci->exp_cap = 0;
    pci->aer_cap = 0;
}

static void free_config(PCIDevice *pci)
{
    g_clear_pointer(&pci->config, g_free);
    g_clear_pointer(&pci->wmask, g_free);
    g_clear_pointer(&pci->w1cmask, g_free);
    g_clear_pointer(&pci->hwmask, g_free);
    g_clear_pointer(&pci->used, g_free);
}

static void pci_device_init(Device *dev)
{
    PCI_DEVICE(dev)->devfn = -1;
}

static void pci_device_finalize(Device *dev)
{
    PCIDevice *pci = PCI_DEVICE(dev);

    free_config(pci);
    irq_free(pci->irq);
}

/* What the guest may write goes back to zero; BAR types and the like stay. */
static void clear_writable(PCIDevice *pci, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        pci->config[i] &= (uint8_t)~(pci->wmask[i] | pci->w1cmask[i]);
    }
}

static void pci_device_reset(Device *dev)
{
    PCIDevice *pci = PCI_DEVICE(dev);

    pci->irq_level = false;
    clear_writable(pci, PCI_COMMAND, 4);
    clear_writable(pci, PCI_CACHE_LINE_SIZE, 1);
    clear_writable(pci, PCI_INTERRUPT_LINE, 1);
    clear_writable(pci, PCI_BASE_ADDRESS_0,
                   pci->info.header_type == 1 ? 0x40 - PCI_BASE_ADDRESS_0 : 24);
    clear_writable(pci, bar_offset(pci, PCI_ROM_SLOT), 4);
    if (pci->pm_cap) {
        clear_writable(pci, pci->pm_cap + PCI_PM_CTRL, 2);
    }
    pcie_reset(pci);
    msi_reset(pci);
    msix_reset(pci);
    pci_config_applied(pci);
}

/* --- properties --- */

/* "addr": "SLOT", "SLOT.FN" in hex, or a number that is the devfn. */
static bool set_addr(Object *obj, UNUSED const Property *p, const QObject *v, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(obj);
    QNum *num = qobject_to_num(v);
    int64_t i;

    if (num) {
        if (qnum_to_int(num, &i) && i >= -1 && i <= 255) {
            pci->devfn = (int32_t)i;
            return true;
        }
    } else if (qobject_type(v) == QTYPE_STRING) {
        unsigned slot, fn = 0;
        int used = 0;
        const char *s = qstring_value(v);

        if ((sscanf(s, "%x.%x%n", &slot, &fn, &used) == 2 ||
             (fn = 0, used = 0, sscanf(s, "%x%n", &slot, &used) == 1)) &&
            used == (int)strlen(s) && slot < 32 && fn < 8) {
            pci->devfn = PCI_DEVFN((int)slot, (int)fn);
            return true;
        }
    }
    error_setf(errp, ERR_PROPERTY_RANGE,
               "property '%s.addr' has no such slot; accepted: SLOT or SLOT.FUNCTION in hex, "
               "slots 0 to 1f, functions 0 to 7", object_type_name(obj));
    error_argument(errp, "addr", NULL, "SLOT[.FUNCTION]");
    return false;
}

static QObject *get_addr(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qnum_from_int(PCI_DEVICE(obj)->devfn);
}

static const Property pci_device_props[] = {
    PROP_CUSTOM("addr", "int32", get_addr, set_addr,
                "Slot and optional function number, example: 06.0 or 06"),
    PROP_STR("romfile", PCIDevice, romfile, NULL, "file of the expansion ROM"),
    PROP_U32_RANGE("rombar", PCIDevice, rom_bar, 1, 0, 1, "1: show the expansion ROM to the guest"),
    PROP_BOOL("multifunction", PCIDevice, multifunction, false,
              "function 0 of several in one slot"),
    PROP_END
};

static AddressSpace *pci_device_dma_space(Device *dev)
{
    return pci_dma_as(PCI_DEVICE(dev));
}

static const DeviceType pci_device_type = {
    .name = TYPE_PCI_DEVICE, .parent = TYPE_DEVICE, .size = sizeof(PCIDevice),
    .abstract = true, .bus_type = TYPE_PCI_BUS, .props = pci_device_props,
    .init = pci_device_init, .finalize = pci_device_finalize,
    .realize = pci_device_realize, .realize_done = pci_device_realize_done,
    .unrealize = pci_device_unrealize, .reset_hold = pci_device_reset,
    .pci = { .subsystem_vendor = 0x1af4, .subsystem = 0x1100 }, .dma_space = pci_device_dma_space,
};
DEVICE_TYPE(pci_device_type)

PCIDevice *pci_new(int devfn, const char *type)
{
    PCIDevice *pci = PCI_DEVICE(device_new(type));

    assert(object_is_a(pci, TYPE_PCI_DEVICE));
    pci->devfn = devfn;
    return pci;
}

bool pci_realize(PCIDevice *pci, PCIBus *bus, Error **errp)
{
    return device_realize(&pci->dev, &bus->bus, errp);
}

PCIDevice *pci_create(PCIBus *bus, int devfn, const char *type, Error **errp)
{
    PCIDevice *pci = pci_new(devfn, type);

    return device_realize_unref(&pci->dev, &bus->bus, errp) ? pci : NULL;
}

/* --- DMA --- */

uint16_t pci_requester_id(const PCIDevice *pci)
{
    return (uint16_t)(pci_bus_number(pci_bus(pci)) << 8 | pci->devfn);
}

MemAttrs pci_attrs(const PCIDevice *pci)
{
    return (MemAttrs){ .requester_id = pci_requester_id(pci) };
}

MemResult pci_dma_rw(PCIDevice *pci, hwaddr addr, void *buf, hwaddr len,
                     bool is_write)
{
    return address_space_rw(&pci->dma_as, addr, pci_attrs(pci), buf, len, is_write);
}

MemResult pci_dma_read(PCIDevice *pci, hwaddr addr, void *buf, hwaddr len)
{
    return address_space_read(&pci->dma_as, addr, pci_attrs(pci), buf, len);
}

MemResult pci_dma_write(PCIDevice *pci, hwaddr addr, const void *buf,
                        hwaddr len)
{
    return address_space_write(&pci->dma_as, addr, pci_attrs(pci), buf, len);
}

void *pci_dma_map(PCIDevice *pci, hwaddr addr, hwaddr *len, bool is_write)
{
    return address_space_map(&pci->dma_as, addr, len, is_write, pci_attrs(pci));
}

void pci_dma_unmap(PCIDevice *pci, void *host, hwaddr len, bool is_write,
                   hwaddr access_len)
{
    address_space_unmap(&pci->dma_as, host, len, is_write, access_len);
}

uint32_t pci_dma_ld32(PCIDevice *pci, hwaddr addr, MemResult *result)
{
    return address_space_ld32_le(&pci->dma_as, addr, pci_attrs(pci), result);
}

void pci_dma_st32(PCIDevice *pci, hwaddr addr, uint32_t val, MemResult *result)
{
    address_space_st32_le(&pci->dma_as, addr, val, pci_attrs(pci), result);
}
