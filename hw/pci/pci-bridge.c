/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-bridge: a PCI-to-PCI bridge with a bus of 31 slots behind it.
 *
 * Source: PCI-to-PCI Bridge Architecture 1.2 ("B"). Memory and I/O that lie in its windows go to the bus behind
 * it; interrupt pins are swizzled (B 9.1) and configuration cycles routed by hw/pci/bus.c.
 * Not modelled: the standard hot-plug controller, master aborts as errors, the secondary bus's reset of state
 * other than its functions', delayed transactions.
 */
#include "util/osdep.h"
#include "hw/pci/pci.h"


#define CONTROL_VGA     BIT(3)          /* B 3.2.5.18: VGA addresses pass */
#define CONTROL_RESET   BIT(6)
#define IO_32           1               /* B 3.2.5.6: the window has 32 bits */
#define PREF_64         1               /* B 3.2.5.9 */

enum { WIN_IO, WIN_MEM, WIN_PREF, WIN_VGA_MEM, WIN_VGA_IO1, WIN_VGA_IO2, WIN_NUM };

typedef struct PciBridge {
    PCIDevice pci;
    uint8_t chassis;            /* properties */
    int msi, shpc;
    PCIBus *secondary;
    MemRegion mem, io;          /* address spaces of the bus behind it */
    MemRegion window[WIN_NUM];  /* aliases of them, on our own bus */
} PciBridge;
static PciBridge *PCI_BRIDGE(const void *obj)
{
    return (PciBridge *)object_cast(obj, "pci-bridge");
}

static void set_window(PciBridge *s, unsigned w, bool on, uint64_t base, uint64_t limit)
{
    MemRegion *mr = &s->window[w];

    memory_region_set_enabled(mr, on && base <= limit);
    if (on && base <= limit) {
        memory_region_set_address(mr, base);
        memory_region_set_alias_offset(mr, base);
        memory_region_set_size(mr, limit - base == UINT64_MAX ? UINT64_MAX : limit - base + 1);
    }
}

/* B 3.2.5.6 to 3.2.5.11: bases and limits, with their upper halves. */
static void update_windows(PciBridge *s)
{
    const uint8_t *c = s->pci.config;
    uint16_t command = pci_get_word(c + PCI_COMMAND), control = pci_get_word(c + PCI_BRIDGE_CONTROL);
    bool mem = command & PCI_COMMAND_MEMORY, io = command & PCI_COMMAND_IO, vga = control & CONTROL_VGA;

    memory_transaction_begin();
    set_window(s, WIN_IO, io,
               (c[PCI_IO_BASE] & 0xf0u) << 8 | (uint32_t)pci_get_word(c + PCI_IO_BASE_UPPER16) << 16,
               (c[PCI_IO_LIMIT] & 0xf0u) << 8 | 0xfff | (uint32_t)pci_get_word(c + PCI_IO_LIMIT_UPPER16) << 16);
    set_window(s, WIN_MEM, mem, (uint64_t)(pci_get_word(c + PCI_MEMORY_BASE) & 0xfff0) << 16,
               (uint64_t)(pci_get_word(c + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff);
    set_window(s, WIN_PREF, mem,
               (uint64_t)(pci_get_word(c + PCI_PREF_MEMORY_BASE) & 0xfff0) << 16 |
               (uint64_t)pci_get_long(c + PCI_PREF_BASE_UPPER32) << 32,
               (uint64_t)(pci_get_word(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff |
               (uint64_t)pci_get_long(c + PCI_PREF_LIMIT_UPPER32) << 32);
    set_window(s, WIN_VGA_MEM, mem && vga, 0xa0000, 0xbffff);
    set_window(s, WIN_VGA_IO1, io && vga, 0x3b0, 0x3bb);
    set_window(s, WIN_VGA_IO2, io && vga, 0x3c0, 0x3df);
    memory_transaction_commit();
}

static void bridge_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    PciBridge *s = PCI_BRIDGE(pci);
    uint16_t old = pci_get_word(pci->config + PCI_BRIDGE_CONTROL), now;

    pci_default_config_write(pci, addr, val, len);
    if (pci_config_touches(addr, len, PCI_COMMAND, 2) ||
        pci_config_touches(addr, len, PCI_IO_BASE, PCI_IO_LIMIT_UPPER16 + 2 - PCI_IO_BASE) ||
        pci_config_touches(addr, len, PCI_BRIDGE_CONTROL, 2)) {
        update_windows(s);
    }
    now = pci_get_word(pci->config + PCI_BRIDGE_CONTROL);
    if (now & ~old & CONTROL_RESET) {
        for (unsigned i = 0; i < ARRAY_SIZE(s->secondary->devices); i++) {
            if (s->secondary->devices[i]) {
                device_reset(&s->secondary->devices[i]->dev, RESET_COLD);
            }
        }
    }
}

static void bridge_reset_hold(Device *dev)
{
    PciBridge *s = PCI_BRIDGE(dev);
    uint8_t *c = s->pci.config;

    memset(c + PCI_PRIMARY_BUS, 0, 4);
    c[PCI_IO_BASE] = c[PCI_IO_LIMIT] = IO_32;
    memset(c + PCI_MEMORY_BASE, 0, 4);
    pci_set_word(c + PCI_PREF_MEMORY_BASE, PREF_64);
    pci_set_word(c + PCI_PREF_MEMORY_LIMIT, PREF_64);
    memset(c + PCI_PREF_BASE_UPPER32, 0, 12);
    pci_set_word(c + PCI_BRIDGE_CONTROL, 0);
    update_windows(s);
}

static bool bridge_realize(Device *dev, Error **errp)
{
    PciBridge *s = PCI_BRIDGE(dev);
    PCIBus *up = pci_bus(&s->pci);
    static const char *const names[WIN_NUM] = { "bridge-io", "bridge-mem", "bridge-prefetch", "bridge-vga-mem",
                                                "bridge-vga-io1", "bridge-vga-io2" };

    if (!s->chassis) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'chassis_nr' is 0; accepted: 1 to 255");
        return false;
    }
    if (s->shpc == ON_OFF_AUTO_ON) {
        error_setf(errp, ERR_NOT_SUPPORTED, "property 'shpc' is on: there is no standard hot-plug controller");
        return false;
    }
    if (s->msi != ON_OFF_AUTO_OFF && !msi_init(&s->pci, 0, 1, true, false, errp)) {
        return false;
    }
    memory_region_init(&s->mem, s, "pci-bridge-mem", UINT64_MAX);
    memory_region_init(&s->io, s, "pci-bridge-io", 64 * KIB);
    s->secondary = PCI_BUS(bus_new(TYPE_PCI_BUS, dev, dev->id));
    s->secondary->bridge = &s->pci;
    s->secondary->mem = &s->mem;
    s->secondary->io = &s->io;
    s->secondary->dma = up->dma;
    s->secondary->devfn_min = PCI_DEVFN(1, 0);          /* slot 0 would be a hot-plug controller's */
    for (unsigned i = 0; i < WIN_NUM; i++) {
        bool is_io = i == WIN_IO || i >= WIN_VGA_IO1;

        memory_region_init_alias(&s->window[i], s, names[i], is_io ? &s->io : &s->mem, 0, 4);
        memory_region_set_enabled(&s->window[i], false);
        memory_region_add_overlap(is_io ? up->io : up->mem, 0, &s->window[i], 1);
    }
    return true;
}

static void bridge_unrealize(Device *dev)
{
    PciBridge *s = PCI_BRIDGE(dev);

    for (unsigned i = 0; i < WIN_NUM; i++) {
        memory_region_cleanup(&s->window[i]);
    }
    memory_region_cleanup(&s->mem);
    memory_region_cleanup(&s->io);
}

static bool bridge_post_load(void *opaque, UNUSED Error **errp)
{
    update_windows(opaque);
    return true;
}

static const VmField bridge_fields[] = { VM_PCI(PciBridge, pci), VM_END };

static const Property bridge_props[] = {
    PROP_U8("chassis_nr", PciBridge, chassis, 0, "number of the chassis, not 0"),
    PROP_ON_OFF_AUTO("msi", PciBridge, msi, ON_OFF_AUTO_AUTO, "message-signalled interrupts are offered"),
    PROP_ON_OFF_AUTO("shpc", PciBridge, shpc, ON_OFF_AUTO_OFF, "standard hot-plug controller; must be off"),
    PROP_END
};

static const DeviceType bridge_type = {
    .name = "pci-bridge", .parent = TYPE_PCI_DEVICE, .desc = "PCI-to-PCI bridge",
    .size = sizeof(PciBridge), .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x1b36, .device = 0x0001, .class_code = 0x060400, .header_type = 1,
             .pin = PCI_PIN_NONE, .config_write = bridge_config_write },
    .props = bridge_props, .realize = bridge_realize, .unrealize = bridge_unrealize,
    .reset_hold = bridge_reset_hold, .vm = { 1, bridge_fields, .post_load = bridge_post_load },
};
DEVICE_TYPE(bridge_type)
