/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug console: a port that sends what is written to it to a byte stream.
 * Firmware finds it by reading a known value ("readback") from it.
 */
#include "util/osdep.h"

#include "chardev/chardev.h"
#include "hw/isa/isa.h"

#define TYPE_DEBUGCON   "isa-debugcon"

typedef struct Debugcon {
    ISADevice isa;
    MemRegion io;
    CharFrontend fe;
    Chardev *chr;
    uint32_t iobase, readback;
} Debugcon;

DEFINE_CAST(DEBUGCON, Debugcon, TYPE_DEBUGCON)

static MemResult debugcon_write(void *opaque, UNUSED hwaddr addr, uint64_t val,
                                UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    uint8_t byte = (uint8_t)val;

    chr_fe_write_all(&((Debugcon *)opaque)->fe, &byte, 1);
    return MEM_OK;
}

static MemResult debugcon_read(void *opaque, UNUSED hwaddr addr, uint64_t *val,
                               UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = ((Debugcon *)opaque)->readback;
    return MEM_OK;
}

static const MemOps debugcon_ops = {
    .read = debugcon_read, .write = debugcon_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static bool debugcon_realize(Device *dev, Error **errp)
{
    Debugcon *s = DEBUGCON(dev);

    if (!s->chr) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'chardev' must name the byte stream");
        return false;
    }
    if (s->iobase > UINT16_MAX) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'iobase' is 0x%" PRIx32
                   "; accepted: 0 to 0xffff", s->iobase);
        return false;
    }
    if (!chr_fe_init(&s->fe, s->chr, errp)) {
        return false;
    }
    memory_region_init_io(&s->io, s, &debugcon_ops, s, TYPE_DEBUGCON, 1);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void debugcon_unrealize(Device *dev)
{
    Debugcon *s = DEBUGCON(dev);

    memory_region_cleanup(&s->io);
    chr_fe_deinit(&s->fe);
}

static const Property debugcon_props[] = {
    PROP_U32("iobase", Debugcon, iobase, 0xe9, "port"),
    PROP_CHARDEV("chardev", Debugcon, chr, "where the bytes go"),
    PROP_U32("readback", Debugcon, readback, 0xe9, "what a read of the port returns"),
    PROP_END
};

static const DeviceType debugcon_type = {
    .name = TYPE_DEBUGCON, .parent = TYPE_ISA_DEVICE, .size = sizeof(Debugcon),
    .desc = "debug console of firmware", .category = DEVICE_MISC,
    .props = debugcon_props, .realize = debugcon_realize, .unrealize = debugcon_unrealize,
};
DEVICE_TYPE(debugcon_type)
