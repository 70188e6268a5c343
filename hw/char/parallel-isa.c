/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-parallel: the standard parallel port (SPP) with a printer that is never out of paper: each
 * strobe sends the data byte to a byte stream.
 *
 * Source: IBM PC AT Technical Reference, "Printer adapter" ("TR"); IEEE 1284 for the names of lines.
 * Not modelled: reading from the peripheral, EPP and ECP.
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "hw/isa/isa.h"

#define TYPE_ISA_PARALLEL   "isa-parallel"
enum { REG_DATA = 0, REG_STATUS = 1, REG_CONTROL = 2, IO_SIZE = 8 };
enum { STATUS_NOT_BUSY = 0x80, STATUS_NOT_ACK = 0x40, STATUS_SELECT = 0x10, STATUS_NOT_ERROR = 0x08 };
enum { CTRL_STROBE = BIT(0), CTRL_NOT_INIT = BIT(2), CTRL_SELECT = BIT(3), CTRL_INT = BIT(4),
       CTRL_DIR = BIT(5), CTRL_RW = 0x3f };

typedef struct ParallelState {
    ISADevice isa;
    MemRegion io;
    CharFrontend fe;
    Chardev *chr;
    IrqLine *irq;
    uint32_t index, iobase, irq_nr;     /* UINT32_MAX: by index, and free one */
    uint8_t data, control;
} ParallelState;
DEFINE_CAST(PARALLEL, ParallelState, TYPE_ISA_PARALLEL)

static MemResult parallel_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    ParallelState *s = opaque;

    switch (addr) {
    case REG_DATA:
        *val = s->control & CTRL_DIR ? 0xff : s->data;
        break;
    case REG_STATUS:
        *val = STATUS_NOT_BUSY | STATUS_NOT_ACK | STATUS_SELECT | STATUS_NOT_ERROR;
        break;
    case REG_CONTROL:
        *val = 0xc0 | s->control;
        break;
    default:
        *val = 0xff;
        break;
    }
    return MEM_OK;
}

static MemResult parallel_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                                UNUSED MemAttrs attrs)
{
    ParallelState *s = opaque;
    uint8_t old = s->control;

    if (addr == REG_DATA) {
        s->data = (uint8_t)val;
    } else if (addr == REG_CONTROL) {
        s->control = val & CTRL_RW;
        /* TR: the printer takes the byte at the strobe's leading edge, and acknowledges. */
        if ((s->control & CTRL_STROBE) && !(old & CTRL_STROBE) && (s->control & CTRL_NOT_INIT) &&
            !(s->control & CTRL_DIR)) {
            chr_fe_write_all(&s->fe, &s->data, 1);
        }
        if (!(s->control & CTRL_STROBE) && (old & CTRL_STROBE) && (s->control & CTRL_INT)) {
            irq_pulse(s->irq);
        }
    }
    return MEM_OK;
}

static const MemOps parallel_ops = {
    .read = parallel_read, .write = parallel_write, .order = MEM_LE, .valid = { 1, 4 },
    .impl = { .min = 1, .max = 1 },
};

static void parallel_reset_hold(Device *dev)
{
    ParallelState *s = PARALLEL(dev);

    s->data = 0;
    s->control = CTRL_NOT_INIT | CTRL_SELECT;
}

static int count_ports(Device *dev, void *opaque)
{
    uint32_t *next = opaque;

    if (object_is_a(dev, TYPE_ISA_PARALLEL)) {
        *next = MAX(*next, PARALLEL(dev)->index + 1);
    }
    return 0;
}

static bool parallel_realize(Device *dev, Error **errp)
{
    static const uint16_t bases[] = { 0x378, 0x278, 0x3bc };
    ParallelState *s = PARALLEL(dev);
    uint32_t next = 0;

    if (!s->chr) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'chardev' must name the byte stream");
        return false;
    }
    device_foreach(count_ports, &next);
    if (s->index == UINT32_MAX) {
        s->index = next;
    }
    if (s->index >= ARRAY_SIZE(bases) || s->irq_nr >= ISA_NUM_IRQS) {
        error_setf(errp, ERR_PROPERTY_RANGE, "parallel port %u at interrupt %u; accepted: index 0 to "
                   "2, irq 0 to 15", s->index, s->irq_nr);
        return false;
    }
    if (s->iobase == UINT32_MAX) {
        s->iobase = bases[s->index];
    }
    if (s->iobase > UINT16_MAX - IO_SIZE) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'iobase' is 0x%x; accepted: 0 to 0xfff7",
                   s->iobase);
        return false;
    }
    if (!chr_fe_init(&s->fe, s->chr, errp)) {
        return false;
    }
    s->irq = isa_get_irq(&s->isa, s->irq_nr);
    memory_region_init_io(&s->io, s, &parallel_ops, s, "parallel", s->iobase == 0x3bc ? 4 : IO_SIZE);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void parallel_unrealize(Device *dev)
{
    ParallelState *s = PARALLEL(dev);

    chr_fe_deinit(&s->fe);
    memory_region_cleanup(&s->io);
}

static const VmField parallel_fields[] = {
    VM_U8(ParallelState, data), VM_U8_RANGE(ParallelState, control, 0, CTRL_RW), VM_END
};
static const VmMeaning parallel_meanings[] = {
    { "data", "data register" },
    { "control", "control register", .flags = FLAGS({ "STROBE", 1 }, { "AUTO_FEED", 2 }, { "INIT", 4 }, { "SELECT", 8 },
      { "INT_ENABLE", 0x10 },
      { "DIRECTION", 0x20 }) },
    { .name = NULL }
};

static const Property parallel_props[] = {
    PROP_U32("index", ParallelState, index, UINT32_MAX, "which port: 0 to 2; default: the next one"),
    PROP_U32("iobase", ParallelState, iobase, UINT32_MAX, "first port; default: by index"),
    PROP_U32("irq", ParallelState, irq_nr, 7, "interrupt"),
    PROP_CHARDEV("chardev", ParallelState, chr, "where the bytes go"),
    PROP_END
};

static const DeviceType parallel_type = {
    .name = TYPE_ISA_PARALLEL, .parent = TYPE_ISA_DEVICE, .size = sizeof(ParallelState),
    .desc = "parallel port", .category = DEVICE_MISC, .fw_name = "parallel",
    .props = parallel_props, .realize = parallel_realize, .unrealize = parallel_unrealize,
    .reset_hold = parallel_reset_hold, .vm = { 1, parallel_fields, .meanings = parallel_meanings },
};
DEVICE_TYPE(parallel_type)
