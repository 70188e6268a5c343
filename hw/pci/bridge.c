/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI-to-PCI bridges: windows, the bus behind one, its reset.
 *
 * Source: PCI-to-PCI Bridge Architecture 1.2 ("B"). Memory and I/O that lie in its windows go to the bus behind
 * it; interrupt pins are swizzled (B 9.1) and configuration cycles routed by hw/pci/bus.c.
 * Not modelled: master aborts as errors, the secondary bus's reset of state other than its functions', delayed
 * transactions.
 */
#include "util/osdep.h"
#include "hw/pci/bridge.h"

#define CONTROL_VGA     BIT(3)          /* B 3.2.5.18: VGA addresses pass */
#define CONTROL_RESET   BIT(6)
#define IO_32           1               /* B 3.2.5.6: the window has 32 bits */
#define PREF_64         1               /* B 3.2.5.9 */

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

void pci_bridge_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
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

static bool bridge_realize(Device *dev, UNUSED Error **errp)
{
    PciBridge *s = PCI_BRIDGE(dev);
    PCIBus *up = pci_bus(&s->pci);
    const PciBridgeKind *kind = device_data(dev);
    static const char *const names[PCI_BRIDGE_WINDOWS] = { "bridge-io", "bridge-mem", "bridge-prefetch", "bridge-vga-mem",
                                                "bridge-vga-io1", "bridge-vga-io2" };

    memory_region_init(&s->mem, s, "pci-bridge-mem", UINT64_MAX);
    memory_region_init(&s->io, s, "pci-bridge-io", 64 * KIB);
    s->secondary = PCI_BUS(bus_new(kind->bus, dev, dev->id));
    s->secondary->bridge = &s->pci;
    s->secondary->mem = &s->mem;
    s->secondary->io = &s->io;
    s->secondary->dma = up->dma;
    s->secondary->devfn_min = PCI_DEVFN(kind->first_slot, 0);
    s->secondary->num_slots = kind->num_slots;
    for (unsigned i = 0; i < PCI_BRIDGE_WINDOWS; i++) {
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

    for (unsigned i = 0; i < PCI_BRIDGE_WINDOWS; i++) {
        memory_region_cleanup(&s->window[i]);
    }
    memory_region_cleanup(&s->mem);
    memory_region_cleanup(&s->io);
}

void pci_bridge_update(PciBridge *s)
{
    update_windows(s);
}

static const DeviceType bridge_type = {
    .name = TYPE_PCI_BRIDGE, .parent = TYPE_PCI_DEVICE, .desc = "PCI-to-PCI bridge", .abstract = true,
    .size = sizeof(PciBridge), .category = DEVICE_BRIDGE,
    .pci = { .class_code = 0x060400, .header_type = 1, .config_write = pci_bridge_config_write },
    .realize = bridge_realize, .unrealize = bridge_unrealize, .reset_hold = bridge_reset_hold,
};
DEVICE_TYPE(bridge_type)
