/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ISA bus, and firmware's paths of what sits on it. */
#include "util/osdep.h"
#include "hw/core/boot.h"
#include "hw/isa/isa.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "util/main-loop.h"

typedef struct Card {
    ISADevice isa;
    MemRegion ports;
    uint32_t base;
    int32_t bootindex;
    uint8_t last;
    IrqLine *irq;
} Card;

static MemResult card_read(void *opaque, hwaddr addr, uint64_t *val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = ((Card *)opaque)->last + addr;
    return MEM_OK;
}

static MemResult card_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                            UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Card *c = opaque;

    c->last = (uint8_t)val;
    irq_set(c->irq, val & 1);
    return MEM_OK;
}

static const MemOps card_ops = {
    .read = card_read, .write = card_write, .impl = { .min = 1, .max = 1 },
};

static bool card_realize(Device *dev, Error **errp)
{
    Card *c = (Card *)dev;

    memory_region_init_io(&c->ports, c, &card_ops, c, "card", 4);
    isa_register_ioport(&c->isa, &c->ports, (uint16_t)c->base);
    c->irq = isa_get_irq(&c->isa, 5);
    if (!boot_add(dev, c->bootindex, "/disk@0", errp)) {
        memory_region_cleanup(&c->ports);
        return false;
    }
    return true;
}

static void card_unrealize(Device *dev)
{
    boot_remove(dev);
    memory_region_cleanup(&((Card *)dev)->ports);
}

static const Property card_props[] = {
    PROP_U32("iobase", Card, base, 0x300, "first port"),
    PROP_BOOTINDEX(Card, bootindex),
    PROP_END
};
static const DeviceType card_type = {
    .name = "test-card", .parent = TYPE_ISA_DEVICE, .size = sizeof(Card), .fw_name = "card",
    .props = card_props, .realize = card_realize, .unrealize = card_unrealize,
};
DEVICE_TYPE(card_type)

static const DeviceType bridge_type = {
    .name = "test-isa-bridge", .size = sizeof(Device), .fw_name = "isa@1",
};
DEVICE_TYPE(bridge_type)

static int level5;
static void irq5(UNUSED void *opaque, int n, int level)
{
    level5 = n == 5 ? level : level5;
}

TEST(isa, ports_lines_paths)
{
    Device *bridge, *a = NULL, *b, *c;
    IrqLine **lines = irq_new_array(irq5, NULL, ISA_NUM_IRQS);
    g_autofree char *path = NULL, *order = NULL, *after = NULL;
    Error *err = NULL;
    ISABus *bus;

    main_loop_init();
    bridge = device_new("test-isa-bridge");
    device_realize_unref(bridge, NULL, &err);
    bus = isa_bus_new(bridge, NULL, system_memory(), system_io());
    isa_bus_set_irqs(bus, lines);
    check_true(t, bus_find("isa.0", NULL) == &bus->bus, "its name");
    check_true(t, !isa_bus_get_irq(bus, 16), "sixteen lines");

    a = device_new("test-card");
    object_set_uint(a, "bootindex", 7, NULL);
    check_true(t, device_realize_unref(a, &bus->bus, &err), "a card");
    address_space_st8(&address_space_io, 0x301, 0x41, MEM_ATTRS_NONE, NULL);
    check_int(t, level5, 1, "its line");
    check_u16(t, address_space_ld16_le(&address_space_io, 0x302, MEM_ATTRS_NONE, NULL), 0x4443,
              "a word is two byte cycles");
    path = device_bus_path(a);
    check_str(t, path, "isa@0300", "its place");

    b = device_new("test-card");
    object_set_uint(b, "iobase", 0x310, NULL);
    object_set_uint(b, "bootindex", 2, NULL);
    check_true(t, device_realize_unref(b, &bus->bus, &err), "another one");
    order = boot_order_text();
    check_str(t, order, "/isa@1/card@0310/disk@0\n/isa@1/card@0300/disk@0", "boot order");
    c = device_new("test-card");
    object_set_uint(c, "bootindex", 2, NULL);
    check_true(t, !device_realize_unref(c, &bus->bus, &err), "an index that is taken");
    check_str(t, error_message(err), "The bootindex 2 has already been used", "says so");
    error_free(err);

    device_delete(b);
    after = boot_order_text();
    check_str(t, after, "/isa@1/card@0300/disk@0", "gone with its device");
    check_u8(t, address_space_ld8(&address_space_io, 0x310, MEM_ATTRS_NONE, NULL), 0xff,
             "its ports too");
    device_delete(bridge);
    irq_free_array(lines, ISA_NUM_IRQS);
    while (main_loop_iterate(false)) {
    }
}
