/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvpanic (ISA) and pvpanic-pci: one byte by which a guest's kernel tells that it has crashed.
 *
 * Source: QEMU's document "pvpanic device" (docs/specs/pvpanic): reading gives the events that are
 * offered, writing one of those reports it. Linux: drivers/misc/pvpanic.
 */
#include "util/osdep.h"
#include "hw/core/runstate.h"
#include "hw/isa/isa.h"
#include "hw/pci/pci.h"
#include "util/log.h"

enum { PVPANIC_PANICKED = BIT(0), PVPANIC_CRASH_LOADED = BIT(1), PVPANIC_EVENTS = 3 };

typedef struct PvpanicIsa {
    ISADevice isa;
    MemRegion io;
    uint32_t ioport;
    uint8_t events;
} PvpanicIsa;
DEFINE_CAST(PVPANIC_ISA, PvpanicIsa, "pvpanic")

typedef struct PvpanicPci {
    PCIDevice pci;
    MemRegion mem;
    uint8_t events;
} PvpanicPci;
DEFINE_CAST(PVPANIC_PCI, PvpanicPci, "pvpanic-pci")

static MemResult pvpanic_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = *(uint8_t *)opaque;
    return MEM_OK;
}

static MemResult pvpanic_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                               UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    uint8_t event = (uint8_t)val & *(uint8_t *)opaque;

    if (val & 0xff & ~PVPANIC_EVENTS) {
        log_guest_error("pvpanic", "unknown event 0x%02x", (unsigned)val & 0xff);
    }
    if (event & PVPANIC_PANICKED) {
        system_guest_panicked(NULL);
    } else if (event & PVPANIC_CRASH_LOADED) {
        system_guest_crashloaded(NULL);
    }
    return MEM_OK;
}

static const MemOps pvpanic_ops = {
    .read = pvpanic_read, .write = pvpanic_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static bool isa_realize(Device *dev, Error **errp)
{
    PvpanicIsa *s = PVPANIC_ISA(dev);

    if (s->ioport > UINT16_MAX) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'ioport' is 0x%x; accepted: 0 to 0xffff",
                   s->ioport);
        return false;
    }
    memory_region_init_io(&s->io, s, &pvpanic_ops, &s->events, "pvpanic", 1);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->ioport);
    return true;
}

static void isa_unrealize(Device *dev)
{
    memory_region_cleanup(&PVPANIC_ISA(dev)->io);
}

static bool pci_realize_pvpanic(Device *dev, UNUSED Error **errp)
{
    PvpanicPci *s = PVPANIC_PCI(dev);

    memory_region_init_io(&s->mem, s, &pvpanic_ops, &s->events, "pvpanic-pci", 16);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mem);
    return true;
}

static void pci_unrealize_pvpanic(Device *dev)
{
    memory_region_cleanup(&PVPANIC_PCI(dev)->mem);
}

static const Property isa_props[] = {
    PROP_U32("ioport", PvpanicIsa, ioport, 0x505, "port"),
    PROP_U8_RANGE("events", PvpanicIsa, events, PVPANIC_EVENTS, 0, PVPANIC_EVENTS,
                  "events offered: 1 panicked, 2 crash kernel loaded"),
    PROP_END
};

static const DeviceType isa_type = {
    .name = "pvpanic", .parent = TYPE_ISA_DEVICE, .size = sizeof(PvpanicIsa),
    .desc = "the guest's crash report, at a port", .category = DEVICE_MISC, .props = isa_props,
    .realize = isa_realize, .unrealize = isa_unrealize,
};
DEVICE_TYPE(isa_type)

static const VmField pci_fields[] = { VM_PCI(PvpanicPci, pci), VM_END };

static const Property pci_props[] = {
    PROP_U8_RANGE("events", PvpanicPci, events, PVPANIC_EVENTS, 0, PVPANIC_EVENTS,
                  "events offered: 1 panicked, 2 crash kernel loaded"),
    PROP_END
};

static const DeviceType pci_type = {
    .name = "pvpanic-pci", .parent = TYPE_PCI_DEVICE, .size = sizeof(PvpanicPci),
    .desc = "the guest's crash report, in PCI memory", .category = DEVICE_MISC,
    .pci = { .vendor = 0x1b36, .device = 0x0011, .class_code = 0x088000, .revision = 1,
             .pin = PCI_PIN_NONE },
    .props = pci_props, .realize = pci_realize_pvpanic, .unrealize = pci_unrealize_pvpanic,
    .vm = { 1, pci_fields },
};
DEVICE_TYPE(pci_type)
