/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port 92h: fast A20 gate and fast reset.
 *
 * Source: 82371SB data sheet, 290550, 2.5.10 ("PIIX3").
 */
#include "util/osdep.h"

#include "hw/core/runstate.h"
#include "hw/isa/isa.h"

#define TYPE_PORT92     "port92"
#define P92_FAST_INIT   BIT(0)
#define P92_FAST_A20    BIT(1)

typedef struct Port92 {
    ISADevice isa;
    MemRegion io;
    IrqLine *a20;
    uint8_t value;
} Port92;

DEFINE_CAST(PORT92, Port92, TYPE_PORT92)

static MemResult port92_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = ((Port92 *)opaque)->value;
    return MEM_OK;
}

static MemResult port92_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Port92 *s = opaque;
    uint8_t old = s->value;

    s->value = val & (P92_FAST_INIT | P92_FAST_A20);
    irq_set(s->a20, !!(val & P92_FAST_A20));
    if (~old & val & P92_FAST_INIT) {       /* PIIX3: a 0 to 1 transition */
        system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
    return MEM_OK;
}

static const MemOps port92_ops = {
    .read = port92_read, .write = port92_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void port92_reset_hold(Device *dev)
{
    PORT92(dev)->value = 0;
    irq_lower(PORT92(dev)->a20);
}

static void port92_init(Device *dev)
{
    device_init_irq_out(dev, "a20", &PORT92(dev)->a20, 1);
}

static bool port92_realize(Device *dev, UNUSED Error **errp)
{
    Port92 *s = PORT92(dev);

    memory_region_init_io(&s->io, s, &port92_ops, s, TYPE_PORT92, 1);
    isa_register_ioport(&s->isa, &s->io, 0x92);
    return true;
}

static void port92_unrealize(Device *dev)
{
    memory_region_cleanup(&PORT92(dev)->io);
}

static bool port92_post_load(void *opaque, UNUSED Error **errp)
{
    irq_set(((Port92 *)opaque)->a20, !!(((Port92 *)opaque)->value & P92_FAST_A20));
    return true;
}

static const VmField port92_fields[] = { VM_U8_RANGE(Port92, value, 0, 3), VM_END };

static const VmMeaning port92_meanings[] = {
    { "value", "port 92h", .flags = FLAGS({ "FAST_INIT", 1 }, { "FAST_A20", 2 }) },
    { .name = NULL }
};
static const DeviceType port92_type = {
    .name = TYPE_PORT92, .parent = TYPE_ISA_DEVICE, .size = sizeof(Port92),
    .desc = "fast A20 gate and reset", .not_user_creatable = true,
    .init = port92_init, .realize = port92_realize, .unrealize = port92_unrealize,
    .reset_hold = port92_reset_hold,
    .vm = { 1, port92_fields, .post_load = port92_post_load, .meanings = port92_meanings },
};
DEVICE_TYPE(port92_type)
