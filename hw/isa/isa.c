/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ISA bus. */
#include "util/osdep.h"
#include "hw/isa/isa.h"

#include <glib.h>

static char *isa_device_path(const Device *dev)
{
    const ISADevice *isa = ISA_DEVICE(dev);

    if (!isa->num_ports) {
        return NULL;
    }
    return g_strdup_printf("isa@%04x", isa->ports[0].start);
}

static char *isa_fw_path(const Device *dev, const char *name)
{
    const ISADevice *isa = ISA_DEVICE(dev);

    return isa->num_ports ? g_strdup_printf("%s@%04x", name, isa->ports[0].start)
                          : g_strdup(name);
}

static const BusType isa_bus_type = {
    .name = TYPE_ISA_BUS, .size = sizeof(ISABus), .device_path = isa_device_path,
    .fw_path = isa_fw_path,
};
BUS_TYPE(isa_bus_type)

ISABus *isa_bus_new(Device *bridge, const char *name, MemRegion *mem,
                    MemRegion *io)
{
    ISABus *bus = ISA_BUS(bus_new(TYPE_ISA_BUS, bridge, name ? name : "isa.0"));

    bus->mem = mem;
    bus->io = io;
    return bus;
}

void isa_bus_set_irqs(ISABus *bus, IrqLine *const *lines)
{
    memcpy(bus->irqs, lines, sizeof(bus->irqs));
}

void isa_bus_set_dma(ISABus *bus, IsaDma *dma, bool high)
{
    bus->dma[high] = dma;
}

void isa_register_ioport(ISADevice *isa, MemRegion *mr, uint16_t start)
{
    assert(isa->num_ports < ISA_MAX_PORTS);
    isa->ports[isa->num_ports].mr = mr;
    isa->ports[isa->num_ports].start = start;
    isa->num_ports++;
    memory_region_add(isa_bus(isa)->io, start, mr);
}

IrqLine *isa_bus_get_irq(ISABus *bus, unsigned n)
{
    return n < ISA_NUM_IRQS ? bus->irqs[n] : NULL;
}

IrqLine *isa_get_irq(ISADevice *isa, unsigned n)
{
    return isa_bus_get_irq(isa_bus(isa), n);
}

MemRegion *isa_mem(ISADevice *isa)
{
    return isa_bus(isa)->mem;
}

MemRegion *isa_io(ISADevice *isa)
{
    return isa_bus(isa)->io;
}

IsaDma *isa_get_dma(ISABus *bus, int channel)
{
    return channel >= 0 && channel < ISA_NUM_DMA ? bus->dma[channel >= 4] : NULL;
}

ISADevice *isa_create(ISABus *bus, const char *type, Error **errp)
{
    Device *dev = device_new(type);

    assert(object_is_a(dev, TYPE_ISA_DEVICE));
    return device_realize_unref(dev, &bus->bus, errp) ? ISA_DEVICE(dev) : NULL;
}

static void isa_device_unrealize(Device *dev)
{
    ISADevice *isa = ISA_DEVICE(dev);

    while (isa->num_ports) {
        MemRegion *mr = isa->ports[--isa->num_ports].mr;

        /* The device's own unrealize ran first and may have cleaned it up. */
        if (mr->container) {
            memory_region_del(mr->container, mr);
        }
    }
}

static const DeviceType isa_device_type = {
    .name = TYPE_ISA_DEVICE, .parent = TYPE_DEVICE, .size = sizeof(ISADevice),
    .abstract = true, .bus_type = TYPE_ISA_BUS, .unrealize = isa_device_unrealize,
};
DEVICE_TYPE(isa_device_type)
