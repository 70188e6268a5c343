/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A serial port on the ISA bus: a 16550A at one of the four usual places.
 */
#include "util/osdep.h"

#include "hw/char/serial16550.h"
#include "hw/isa/isa.h"

#define TYPE_ISA_SERIAL "isa-serial"
#define MAX_PORTS       4
#define CLOCK_HZ        1843200         /* the PC's crystal */
#define UNSET           UINT32_MAX

static const struct { uint16_t iobase; uint8_t irq; } com_ports[MAX_PORTS] = {
    { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 },
};

typedef struct SerialIsa {
    ISADevice isa;
    MemRegion io;
    Uart uart;
    /* Properties. */
    uint32_t index, iobase, irq;
    Chardev *chr;
} SerialIsa;

DEFINE_CAST(SERIAL_ISA, SerialIsa, TYPE_ISA_SERIAL)

typedef struct PortScan { const SerialIsa *self; uint32_t used; } PortScan;

static int serial_isa_note_used(Device *dev, void *opaque)
{
    PortScan *scan = opaque;

    if (object_is_a(dev, TYPE_ISA_SERIAL) && SERIAL_ISA(dev) != scan->self &&
        SERIAL_ISA(dev)->index < MAX_PORTS) {
        scan->used |= BIT(SERIAL_ISA(dev)->index);
    }
    return 0;
}

/* Without an index: the lowest that no other port has. */
static bool serial_isa_choose_place(SerialIsa *s, Error **errp)
{
    if (s->index == UNSET) {
        PortScan scan = { s, 0 };

        device_foreach(serial_isa_note_used, &scan);
        s->index = 0;
        while (s->index < MAX_PORTS && (scan.used & BIT(s->index))) {
            s->index++;
        }
    }
    if (s->index >= MAX_PORTS && (s->iobase == UNSET || s->irq == UNSET)) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "there are %d serial ports on ISA; others need 'iobase' and 'irq'", MAX_PORTS);
        return false;
    }
    if (s->iobase == UNSET) {
        s->iobase = com_ports[s->index].iobase;
    }
    if (s->irq == UNSET) {
        s->irq = com_ports[s->index].irq;
    }
    if (s->irq >= ISA_NUM_IRQS || s->iobase > UINT16_MAX - UART_REGS) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s' is out of range",
                   s->irq >= ISA_NUM_IRQS ? "irq" : "iobase");
        return false;
    }
    return true;
}

static void serial_isa_reset_hold(Device *dev)
{
    uart_reset(&SERIAL_ISA(dev)->uart);
}

static bool serial_isa_realize(Device *dev, Error **errp)
{
    SerialIsa *s = SERIAL_ISA(dev);

    if (!serial_isa_choose_place(s, errp)) {
        return false;
    }
    s->uart.irq = isa_get_irq(&s->isa, s->irq);
    if (!uart_init(&s->uart, s->chr, CLOCK_HZ, errp)) {
        return false;
    }
    memory_region_init_io(&s->io, s, &uart_mem_ops, &s->uart, "serial", UART_REGS);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    return true;
}

static void serial_isa_unrealize(Device *dev)
{
    SerialIsa *s = SERIAL_ISA(dev);

    memory_region_cleanup(&s->io);
    uart_cleanup(&s->uart);
}

static const VmField serial_isa_fields[] = { VM_STRUCT(SerialIsa, uart, uart_vm), VM_END };

static const Property serial_isa_props[] = {
    PROP_U32("index", SerialIsa, index, UNSET, "0 to 3: COM1 to COM4"),
    PROP_U32("iobase", SerialIsa, iobase, UNSET, "first of the eight ports"),
    PROP_U32("irq", SerialIsa, irq, UNSET, "ISA interrupt"),
    PROP_CHARDEV("chardev", SerialIsa, chr, "back end of the line"),
    PROP_END
};

static const DeviceType serial_isa_type = {
    .name = TYPE_ISA_SERIAL, .parent = TYPE_ISA_DEVICE, .size = sizeof(SerialIsa),
    .desc = "serial port (16550A)", .category = DEVICE_INPUT,
    .props = serial_isa_props, .realize = serial_isa_realize,
    .unrealize = serial_isa_unrealize, .reset_hold = serial_isa_reset_hold,
    .vm = { 1, serial_isa_fields },
};
DEVICE_TYPE(serial_isa_type)
