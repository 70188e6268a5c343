/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of PCI functions by ACPI methods. */
#include "util/osdep.h"
#include "hw/acpi/pci-hotplug.h"

#include <glib.h>
#include "util/log.h"
#include "util/main-loop.h"

#define NUM_SLOTS   32
#define NUM_FNS     8
enum { REG_UP, REG_DOWN, REG_EJECT, REG_REMOVABLE, REG_BUS };

/* May all functions of @slot go, or come? */
static bool is_removable(const PCIBus *bus, unsigned slot)
{
    for (unsigned fn = 0; fn < NUM_FNS; fn++) {
        const PCIDevice *pci = bus->devices[PCI_DEVFN(slot, fn)];

        if (pci && !device_type_is_hotpluggable(pci->dev.obj.type)) {
            return false;
        }
    }
    return slot >= PCI_SLOT(bus->devfn_min) && slot < bus->num_slots;
}

static uint32_t removable(const PCIBus *bus)
{
    uint32_t bits = 0;

    for (unsigned slot = 0; slot < NUM_SLOTS; slot++) {
        bits |= is_removable(bus, slot) ? BIT(slot) : 0;
    }
    return bits;
}

/* Its BSEL; -1: functions there don't come and go by this. */
static int number_of(const PciHotplug *h, const PCIBus *bus)
{
    for (unsigned i = 0; i < h->n; i++) {
        if (h->bus[i] == bus) {
            return (int)i;
        }
    }
    return -1;
}

/* Devices go in the main loop: their threads and requests are waited for there. */
static void remove_device(void *dev)
{
    if (((Device *)dev)->realized) {
        device_unplug_done(dev);
    }
    object_unref(dev);
}

static void eject(PciHotplug *h, unsigned n, unsigned slot)
{
    PCIBus *bus = h->bus[n];

    h->down[n] &= ~BIT(slot);
    for (unsigned fn = 0; fn < NUM_FNS && is_removable(bus, slot); fn++) {
        PCIDevice *pci = bus->devices[PCI_DEVFN(slot, fn)];

        if (pci) {
            bh_once(NULL, remove_device, object_ref(pci));
        }
    }
}

static MemResult hotplug_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    PciHotplug *h = opaque;
    unsigned shift = addr % 4 * 8, n = h->selected;

    *val = 0;
    if (addr / 4 == REG_BUS) {
        *val = n >> shift & 0xff;
    } else if (n < h->n) {
        switch (addr / 4) {
        case REG_UP:
            *val = h->up[n] >> shift & 0xff;
            h->up[n] &= ~(0xffu << shift);
            break;
        case REG_DOWN: *val = h->down[n] >> shift & 0xff; break;
        case REG_REMOVABLE: *val = removable(h->bus[n]) >> shift & 0xff; break;
        }
    }
    return MEM_OK;
}

static MemResult hotplug_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    PciHotplug *h = opaque;
    unsigned first = addr % 4 * 8;

    if (addr / 4 == REG_BUS) {
        h->selected = (h->selected & ~(0xffu << first)) | (uint32_t)(val & 0xff) << first;
    } else if (addr / 4 != REG_EJECT || h->selected >= h->n) {
        log_guest_error("pci-hotplug", "write to register %u, bus %u of %u", (unsigned)addr, h->selected, h->n);
    } else {
        for (unsigned i = 0; i < 8; i++) {
            if (val & BIT(i)) {
                eject(h, h->selected, first + i);
            }
        }
    }
    return MEM_OK;
}

static const MemOps hotplug_ops = {
    .read = hotplug_read, .write = hotplug_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { 1, 1 },
};

static void plugged(void *opaque, PCIDevice *pci)
{
    PciHotplug *h = opaque;

    h->up[number_of(h, pci_bus(pci))] |= BIT(PCI_SLOT(pci->devfn));
    h->event(h->opaque);
}

static void unplug_request(void *opaque, PCIDevice *pci)
{
    PciHotplug *h = opaque;

    h->down[number_of(h, pci_bus(pci))] |= BIT(PCI_SLOT(pci->devfn));
    h->event(h->opaque);
}

static const PciHotplugOps bus_ops = { plugged, unplug_request };

void pci_hotplug_reset(PciHotplug *h)
{
    for (unsigned n = 0; n < h->n; n++) {
        for (unsigned slot = 0; slot < NUM_SLOTS; slot++) {
            if (h->down[n] & BIT(slot)) {
                eject(h, n, slot);
            }
        }
        h->up[n] = 0;
    }
    h->selected = 0;
}

static void add_bus(PciHotplug *h, PCIBus *bus)
{
    if (h->n < PCI_HOTPLUG_BUSES) {
        h->bus[h->n++] = bus;
        bus->acpi_hotplug = true;
        pci_bus_set_hotplug(bus, &bus_ops, h);
        if (bus->changed) {
            bus->changed(bus);
        }
    }
}

/* A port without a slot for it has nothing that comes; a switch's inner bus has ports only. */
static int add_bridge(PCIDevice *pci, void *opaque)
{
    PCIBus *bus = pci_bridge_bus(pci);

    if (bus && (bus->hotplug || !pcie_bus_is_port(bus)) && !bus->acpi_hotplug) {
        add_bus(opaque, bus);
    }
    return 0;
}

void pci_hotplug_add_bridges(PciHotplug *h)
{
    pci_bus_foreach(h->root, add_bridge, h);
}

void pci_hotplug_init(PciHotplug *h, Device *owner, PCIBus *bus, bool root, MemRegion *io, uint16_t port,
                      void (*event)(void *opaque), void *opaque)
{
    h->root = bus;
    h->port = port;
    h->event = event;
    h->opaque = opaque;
    memory_region_init_io(&h->io, owner, &hotplug_ops, h, "acpi-pci-hotplug", PCI_HOTPLUG_LEN);
    memory_region_add(io, port, &h->io);
    if (root) {
        add_bus(h, bus);
    }
}

void pci_hotplug_cleanup(PciHotplug *h)
{
    for (unsigned n = 0; n < h->n; n++) {
        h->bus[n]->acpi_hotplug = false;
        pci_bus_set_hotplug(h->bus[n], NULL, NULL);
    }
    h->n = 0;
    memory_region_cleanup(&h->io);
}

/* --- the methods --- */

static void put_slot(Aml *a, int bsel, unsigned slot)
{
    char name[8];

    snprintf(name, sizeof(name), "S%02X_", slot << 3 & 0xff);
    aml_device(a, name);
    aml_name(a, "_SUN");
    aml_int(a, slot);
    aml_name(a, "_ADR");
    aml_int(a, slot << 16);
    aml_method(a, "_EJ0", 1, true);
    aml_call(a, "\\_SB.PCI0.PCEJ");
    aml_int(a, (unsigned)bsel);
    aml_int(a, UINT64_C(1) << slot);
    aml_end(a);
    aml_end(a);
}

/* DVNT (slots, notice): tells the devices of the bus whose scope it is in (ACPI 3.0, 5.6.4). */
static void put_notify(Aml *a, const PCIBus *bus)
{
    aml_method(a, "DVNT", 2, false);
    for (unsigned slot = 0; slot < NUM_SLOTS; slot++) {
        char name[8];

        if (is_removable(bus, slot)) {
            snprintf(name, sizeof(name), "S%02X_", slot << 3);
            aml_if(a);
            aml_and(a);
            aml_arg(a, 0);
            aml_int(a, UINT64_C(1) << slot);
            aml_none(a);
            aml_notify(a);
            aml_ref(a, name);
            aml_arg(a, 1);
            aml_end(a);
        }
    }
    aml_end(a);
}

static void put_bus(Aml *a, const PciHotplug *h, const PCIBus *bus)
{
    int bsel = number_of(h, bus);

    for (unsigned slot = 0; slot < NUM_SLOTS && bsel >= 0; slot++) {
        if (is_removable(bus, slot)) {
            put_slot(a, bsel, slot);
        }
    }
    if (bsel >= 0) {
        put_notify(a, bus);
    }
    for (int devfn = 0; devfn < 256; devfn++) {
        const PCIBus *behind = bus->devices[devfn] ? pci_bridge_bus(bus->devices[devfn]) : NULL;
        char name[8];

        if (behind) {
            snprintf(name, sizeof(name), "S%02X_", (unsigned)devfn & 0xff);
            aml_device(a, name);
            aml_name(a, "_ADR");
            aml_int(a, (unsigned)PCI_SLOT(devfn) << 16 | (unsigned)PCI_FUNC(devfn));
            put_bus(a, h, behind);
            aml_end(a);
        }
    }
}

/* The path of @bus below the root's scope, with a dot at its end. */
static void put_path(GString *path, const PCIBus *bus)
{
    if (bus->bridge) {
        put_path(path, pci_bus(bus->bridge));
        g_string_append_printf(path, "S%02X_.", (unsigned)bus->bridge->devfn);
    }
}

static void put_scan(Aml *a, const PciHotplug *h)
{
    static const struct { const char *field; unsigned notice; } causes[] = {
        { "PCIU", 1 }, { "PCID", 3 },           /* device check, eject request */
    };

    aml_method(a, "PCNT", 0, true);
    aml_acquire(a, "BLCK");
    for (unsigned n = 0; n < h->n; n++) {
        g_autoptr(GString) path = g_string_new("^");

        put_path(path, h->bus[n]);
        g_string_append(path, "DVNT");
        aml_store(a);
        aml_int(a, n);
        aml_ref(a, "BNUM");
        for (unsigned i = 0; i < ARRAY_SIZE(causes); i++) {
            aml_call(a, path->str);
            aml_ref(a, causes[i].field);
            aml_int(a, causes[i].notice);
        }
    }
    aml_release(a, "BLCK");
    aml_end(a);
}

void pci_hotplug_put_aml(Aml *a, const PciHotplug *h)
{
    static const char *const fields[] = { "PCIU", "PCID", "B0EJ", "PRMV", "BNUM", NULL };

    aml_op_region(a, "PCST", AML_SPACE_IO, h->port, PCI_HOTPLUG_LEN);
    aml_dword_field(a, "PCST", fields);
    aml_mutex(a, "BLCK");
    aml_method(a, "PCEJ", 2, true);             /* bus, slots */
    aml_acquire(a, "BLCK");
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "BNUM");
    aml_store(a);
    aml_arg(a, 1);
    aml_ref(a, "B0EJ");
    aml_release(a, "BLCK");
    aml_end(a);
    put_bus(a, h, h->root);
    put_scan(a, h);
}
