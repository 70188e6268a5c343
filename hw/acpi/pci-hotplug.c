/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of the root bus by ACPI methods. */
#include "util/osdep.h"
#include "hw/acpi/pci-hotplug.h"

#include "util/log.h"
#include "util/main-loop.h"

#define NUM_SLOTS   32
#define NUM_FNS     8

bool pci_hotplug_removable(const PCIBus *bus, unsigned slot)
{
    for (unsigned fn = 0; fn < NUM_FNS; fn++) {
        const PCIDevice *pci = bus->devices[PCI_DEVFN(slot, fn)];

        if (pci && !device_type_is_hotpluggable(pci->dev.obj.type)) {
            return false;
        }
    }
    return slot != 0;
}

static uint32_t removable(const PCIBus *bus)
{
    uint32_t bits = 0;

    for (unsigned slot = 0; slot < NUM_SLOTS; slot++) {
        bits |= pci_hotplug_removable(bus, slot) ? BIT(slot) : 0;
    }
    return bits;
}

/* Devices go in the main loop: their threads and requests are waited for there. */
static void remove_device(void *dev)
{
    if (((Device *)dev)->realized) {
        device_unplug_done(dev);
    }
    object_unref(dev);
}

static void eject(PciHotplug *h, unsigned slot)
{
    h->down &= ~BIT(slot);
    for (unsigned fn = 0; fn < NUM_FNS && pci_hotplug_removable(h->bus, slot); fn++) {
        PCIDevice *pci = h->bus->devices[PCI_DEVFN(slot, fn)];

        if (pci) {
            bh_once(NULL, remove_device, object_ref(pci));
        }
    }
}

static MemResult hotplug_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    PciHotplug *h = opaque;
    unsigned shift = addr % 4 * 8;

    switch (addr / 4) {
    case 0:
        *val = h->up >> shift & 0xff;
        h->up &= ~(0xffu << shift);
        break;
    case 1: *val = h->down >> shift & 0xff; break;
    case 3: *val = removable(h->bus) >> shift & 0xff; break;
    default: *val = 0;
    }
    return MEM_OK;
}

static MemResult hotplug_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    unsigned first = addr % 4 * 8;

    if (addr / 4 != 2) {
        log_guest_error("pci-hotplug", "write to read-only register %u", (unsigned)addr);
        return MEM_OK;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (val & BIT(i)) {
            eject(opaque, first + i);
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

    h->up |= BIT(PCI_SLOT(pci->devfn));
    h->event(h->opaque);
}

static void unplug_request(void *opaque, PCIDevice *pci)
{
    PciHotplug *h = opaque;

    h->down |= BIT(PCI_SLOT(pci->devfn));
    h->event(h->opaque);
}

static const PciHotplugOps bus_ops = { plugged, unplug_request };

void pci_hotplug_reset(PciHotplug *h)
{
    for (unsigned slot = 0; slot < NUM_SLOTS; slot++) {
        if (h->down & BIT(slot)) {
            eject(h, slot);
        }
    }
    h->up = 0;
}

void pci_hotplug_init(PciHotplug *h, Device *owner, PCIBus *bus, MemRegion *io,
                      void (*event)(void *opaque), void *opaque)
{
    h->bus = bus;
    h->event = event;
    h->opaque = opaque;
    memory_region_init_io(&h->io, owner, &hotplug_ops, h, "acpi-pci-hotplug", PCI_HOTPLUG_LEN);
    memory_region_add(io, PCI_HOTPLUG_IO, &h->io);
    pci_bus_set_hotplug(bus, &bus_ops, h);
}

void pci_hotplug_cleanup(PciHotplug *h)
{
    pci_bus_set_hotplug(h->bus, NULL, NULL);
    memory_region_cleanup(&h->io);
}
