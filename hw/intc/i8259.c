/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8259A programmable interrupt controller, as PCs have it: two of them, and
 * an edge/level control register each.
 *
 * Sources: Intel 8259A data sheet, order 231468 ("DS"); 82371SB data sheet,
 * 290550, 2.5.11 for the ELCR ("PIIX3").
 * Departures: a request that goes away before it was acknowledged stays
 * latched in edge mode (guests never rely on losing one). Not modelled: the
 * MCS-80 mode and buffered mode, which PCs can't use.
 */
#include "util/osdep.h"
#include "hw/core/state-view.h"
#include "hw/intc/i8259.h"

#include "util/log.h"

/* DS, "Initialization command words". */
#define ICW1_INIT       BIT(4)
#define ICW1_LTIM       BIT(3)      /* ignored: the ELCR replaces it (PIIX3) */
#define ICW1_SNGL       BIT(1)
#define ICW1_IC4        BIT(0)
#define ICW4_SFNM       BIT(4)
#define ICW4_AEOI       BIT(1)
/* DS, "Operation command words". */
#define OCW_IS_3        BIT(3)
#define OCW3_ESMM       BIT(6)
#define OCW3_SMM        BIT(5)
#define OCW3_POLL       BIT(2)
#define OCW3_RR         BIT(1)
#define OCW3_RIS        BIT(0)
enum {                              /* OCW2: R, SL, EOI */
    OCW2_ROTATE_AEOI_CLEAR, OCW2_EOI, OCW2_NOP, OCW2_EOI_SPECIFIC,
    OCW2_ROTATE_AEOI_SET, OCW2_EOI_ROTATE, OCW2_SET_PRIORITY,
    OCW2_EOI_SPECIFIC_ROTATE,
};
enum { EXPECT_OCW, EXPECT_ICW2, EXPECT_ICW3, EXPECT_ICW4 };

#define CASCADE_INPUT   2

typedef struct I8259State {
    ISADevice isa;
    MemRegion io, elcr_io;
    IrqLine *intr;                  /* output INT */
    struct I8259State *slave;       /* of the master; borrowed */
    /* Properties. */
    uint32_t iobase, elcr_addr;
    uint8_t elcr_mask;              /* bits the ELCR has */
    bool master;
    /* State. */
    uint8_t irr, imr, isr;
    uint8_t pins;                   /* levels of the inputs */
    uint8_t elcr;                   /* 1: level-triggered */
    uint8_t vector_base;            /* ICW2 */
    uint8_t highest;                /* input of highest priority now */
    uint8_t expect;                 /* what a write to port 1 is */
    bool read_isr, poll, special_mask, auto_eoi, rotate_on_aeoi;
    bool special_nested, single, icw4_follows;
} I8259State;

DEFINE_CAST(I8259, I8259State, TYPE_I8259)

/* Place in the order of priorities of the first set bit; 8: none. */
static unsigned i8259_rank(const I8259State *s, uint8_t bits)
{
    for (unsigned rank = 0; rank < 8; rank++) {
        if (bits & BIT((rank + s->highest) & 7)) {
            return rank;
        }
    }
    return 8;
}

/* The input that would be acknowledged now; -1: none. */
static int i8259_pending(const I8259State *s)
{
    uint8_t serving = s->isr;
    unsigned request = i8259_rank(s, s->irr & (uint8_t)~s->imr);

    /* DS, "Special mask mode": masked levels in service hold nothing up. */
    if (s->special_mask) {
        serving &= (uint8_t)~s->imr;
    }
    /* DS, "Special fully nested mode": a slave may interrupt itself. */
    if (s->special_nested && s->master) {
        serving &= (uint8_t)~BIT(CASCADE_INPUT);
    }
    if (request < i8259_rank(s, serving)) {
        return (int)((request + s->highest) & 7);
    }
    return -1;
}

static void i8259_update(I8259State *s)
{
    irq_set(s->intr, i8259_pending(s) >= 0);
}

static void i8259_set_input(void *opaque, int n, int level)
{
    I8259State *s = I8259(opaque);
    uint8_t bit = (uint8_t)BIT(n);

    if (level) {
        if ((s->elcr & bit) || !(s->pins & bit)) {
            s->irr |= bit;
        }
        s->pins |= bit;
    } else {
        s->pins &= (uint8_t)~bit;
        if (s->elcr & bit) {
            s->irr &= (uint8_t)~bit;
        }
    }
    i8259_update(s);
}

/* Second half of an acknowledge cycle (DS, "Interrupt sequence"). */
static void i8259_accept(I8259State *s, int n)
{
    uint8_t bit = (uint8_t)BIT(n);

    if (!s->auto_eoi) {
        s->isr |= bit;
    } else if (s->rotate_on_aeoi) {
        s->highest = (uint8_t)((n + 1) & 7);
    }
    if (!(s->elcr & bit)) {
        s->irr &= (uint8_t)~bit;
    }
    i8259_update(s);
}

int i8259_ack(void *master)
{
    I8259State *s = I8259(master);
    int n = i8259_pending(s);

    if (n < 0) {
        return s->vector_base + 7;      /* DS: the default level 7 */
    }
    if (n == CASCADE_INPUT && s->slave) {
        I8259State *slave = s->slave;
        int m = i8259_pending(slave);

        i8259_accept(s, n);
        if (m < 0) {
            return slave->vector_base + 7;
        }
        i8259_accept(slave, m);
        return slave->vector_base + m;
    }
    i8259_accept(s, n);
    return s->vector_base + n;
}

static void i8259_eoi(I8259State *s, unsigned n, bool rotate)
{
    s->isr &= (uint8_t)~BIT(n);
    if (rotate) {
        s->highest = (uint8_t)((n + 1) & 7);
    }
}

static void i8259_write_ocw2(I8259State *s, uint8_t val)
{
    unsigned op = val >> 5, n = val & 7, rank;

    switch (op) {
    case OCW2_ROTATE_AEOI_CLEAR:
    case OCW2_ROTATE_AEOI_SET:
        s->rotate_on_aeoi = op == OCW2_ROTATE_AEOI_SET;
        break;
    case OCW2_EOI:
    case OCW2_EOI_ROTATE:
        rank = i8259_rank(s, s->special_mask ? s->isr & (uint8_t)~s->imr
                                             : s->isr);
        if (rank < 8) {
            i8259_eoi(s, (rank + s->highest) & 7, op == OCW2_EOI_ROTATE);
        }
        break;
    case OCW2_EOI_SPECIFIC:
    case OCW2_EOI_SPECIFIC_ROTATE:
        i8259_eoi(s, n, op == OCW2_EOI_SPECIFIC_ROTATE);
        break;
    case OCW2_SET_PRIORITY:
        s->highest = (uint8_t)((n + 1) & 7);
        break;
    case OCW2_NOP:
        break;
    }
}

static void i8259_write_ocw3(I8259State *s, uint8_t val)
{
    if (val & OCW3_POLL) {
        s->poll = true;
    }
    if (val & OCW3_RR) {
        s->read_isr = val & OCW3_RIS;
    }
    if (val & OCW3_ESMM) {
        s->special_mask = val & OCW3_SMM;
    }
}

/* DS, "Initialization command word 1": what it clears. */
static void i8259_start_init(I8259State *s, uint8_t icw1)
{
    s->irr = s->pins & s->elcr;     /* the edge sense circuit is reset */
    s->imr = s->isr = 0;
    s->highest = 0;
    s->special_mask = s->read_isr = s->poll = false;
    s->auto_eoi = s->rotate_on_aeoi = s->special_nested = false;
    s->single = icw1 & ICW1_SNGL;
    s->icw4_follows = icw1 & ICW1_IC4;
    s->expect = EXPECT_ICW2;
}

static void i8259_write_port1(I8259State *s, uint8_t val)
{
    switch (s->expect) {
    case EXPECT_OCW:
        s->imr = val;
        break;
    case EXPECT_ICW2:
        s->vector_base = val & 0xf8;
        s->expect = !s->single ? EXPECT_ICW3 :
                    s->icw4_follows ? EXPECT_ICW4 : EXPECT_OCW;
        break;
    case EXPECT_ICW3:               /* the cascade is wired */
        s->expect = s->icw4_follows ? EXPECT_ICW4 : EXPECT_OCW;
        break;
    default:
        s->special_nested = val & ICW4_SFNM;
        s->auto_eoi = val & ICW4_AEOI;
        s->expect = EXPECT_OCW;
        break;
    }
}

static MemResult i8259_write(void *opaque, hwaddr addr, uint64_t val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    I8259State *s = opaque;

    if (addr == 1) {
        i8259_write_port1(s, (uint8_t)val);
    } else if (val & ICW1_INIT) {
        i8259_start_init(s, (uint8_t)val);
    } else if (val & OCW_IS_3) {
        i8259_write_ocw3(s, (uint8_t)val);
    } else {
        i8259_write_ocw2(s, (uint8_t)val);
    }
    i8259_update(s);
    return MEM_OK;
}

static MemResult i8259_read(void *opaque, hwaddr addr, uint64_t *val,
                            UNUSED unsigned size, MemAttrs attrs)
{
    I8259State *s = opaque;

    if (s->poll && !attrs.debug) {
        int n = i8259_pending(s);   /* DS, "Poll command": an acknowledge */

        s->poll = false;
        *val = 0;
        if (n >= 0) {
            *val = 0x80 | (unsigned)n;
            i8259_accept(s, n);
        }
    } else if (addr == 1) {
        *val = s->imr;
    } else {
        *val = s->read_isr ? s->isr : s->irr;
    }
    return MEM_OK;
}

static const MemOps i8259_ops = {
    .read = i8259_read, .write = i8259_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static MemResult i8259_elcr_write(void *opaque, UNUSED hwaddr addr,
                                  uint64_t val, UNUSED unsigned size,
                                  UNUSED MemAttrs attrs)
{
    I8259State *s = opaque;

    s->elcr = (uint8_t)val & s->elcr_mask;
    /* What is level-triggered now follows its pin. */
    s->irr = (uint8_t)((s->irr & ~s->elcr) | (s->pins & s->elcr));
    i8259_update(s);
    return MEM_OK;
}

static MemResult i8259_elcr_read(void *opaque, UNUSED hwaddr addr,
                                 uint64_t *val, UNUSED unsigned size,
                                 UNUSED MemAttrs attrs)
{
    *val = ((I8259State *)opaque)->elcr;
    return MEM_OK;
}

static const MemOps i8259_elcr_ops = {
    .read = i8259_elcr_read, .write = i8259_elcr_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

/* The pins are not ours to change: devices drive them anew. */
static void i8259_reset_hold(Device *dev)
{
    I8259State *s = I8259(dev);

    s->elcr = 0;
    i8259_start_init(s, ICW1_IC4);
    s->irr = 0;
    s->vector_base = 0;
    s->expect = EXPECT_OCW;
    i8259_update(s);
}

static bool i8259_realize(Device *dev, UNUSED Error **errp)
{
    I8259State *s = I8259(dev);

    memory_region_init_io(&s->io, s, &i8259_ops, s, "pic", 2);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    memory_region_init_io(&s->elcr_io, s, &i8259_elcr_ops, s, "elcr", 1);
    isa_register_ioport(&s->isa, &s->elcr_io, (uint16_t)s->elcr_addr);
    return true;
}

static void i8259_unrealize(Device *dev)
{
    I8259State *s = I8259(dev);

    memory_region_cleanup(&s->io);
    memory_region_cleanup(&s->elcr_io);
}

static void i8259_init(Device *dev)
{
    I8259State *s = I8259(dev);

    device_init_irq_in(dev, NULL, i8259_set_input, 8);
    device_init_irq_out(dev, NULL, &s->intr, 1);
}

static bool i8259_post_load(void *opaque, UNUSED Error **errp)
{
    i8259_update(opaque);
    return true;
}

static const VmField i8259_fields[] = {
    VM_U8(I8259State, irr), VM_U8(I8259State, imr), VM_U8(I8259State, isr),
    VM_U8(I8259State, pins), VM_U8(I8259State, elcr),
    VM_U8(I8259State, vector_base), VM_U8_RANGE(I8259State, highest, 0, 7),
    VM_U8_RANGE(I8259State, expect, EXPECT_OCW, EXPECT_ICW4),
    VM_BOOL(I8259State, read_isr), VM_BOOL(I8259State, poll),
    VM_BOOL(I8259State, special_mask), VM_BOOL(I8259State, auto_eoi),
    VM_BOOL(I8259State, rotate_on_aeoi), VM_BOOL(I8259State, special_nested),
    VM_BOOL(I8259State, single), VM_BOOL(I8259State, icw4_follows),
    VM_END
};

#define INPUTS FLAGS({ "IR0", BIT(0) }, { "IR1", BIT(1) }, { "IR2", BIT(2) }, { "IR3", BIT(3) }, \
                     { "IR4", BIT(4) }, { "IR5", BIT(5) }, { "IR6", BIT(6) }, { "IR7", BIT(7) })

static const VmMeaning i8259_meanings[] = {
    { "irr", "interrupt requests", .flags = INPUTS }, { "imr", "masked", .flags = INPUTS },
    { "isr", "in service", .flags = INPUTS }, { "pins", "levels of the inputs", .flags = INPUTS },
    { "elcr", "level-triggered", .flags = INPUTS }, { "vector_base", "vector of input 0" },
    { "highest", "input of highest priority" },
    { "expect", "what the next write is", VALUES("OCW", "ICW2", "ICW3", "ICW4") },
    { .name = NULL }
};

/* As the guest's priorities are now. */
static void print_vectors(StateView *v, StateNode *into)
{
    unsigned irr = (unsigned)state_view_get(v, "irr"), imr = (unsigned)state_view_get(v, "imr");
    unsigned isr = (unsigned)state_view_get(v, "isr"), base = (unsigned)state_view_get(v, "vector_base");
    StateNode *pending = state_add_queue(into, "pending"), *service = state_add_queue(into, "in-service");

    for (unsigned rank = 0; rank < 8; rank++) {
        unsigned n = (rank + (unsigned)state_view_get(v, "highest")) & 7;

        for (int in_service = 0; in_service < 2; in_service++) {
            if ((in_service ? isr : irr) & BIT(n)) {
                StateNode *e = state_add_element(in_service ? service : pending, STATE_STRUCT);

                state_add_uint(e, "input", n, 8);
                state_add_uint(e, "vector", (base & 0xf8) + n, 8);
                if (!in_service) {
                    state_add_bool(e, "masked", imr & BIT(n));
                }
            }
        }
    }
}

static const Property i8259_props[] = {
    PROP_U32("iobase", I8259State, iobase, UINT32_MAX, "first of the two ports"),
    PROP_U32("elcr_addr", I8259State, elcr_addr, UINT32_MAX, "port of the ELCR"),
    PROP_U8("elcr_mask", I8259State, elcr_mask, UINT8_MAX,
            "inputs that may be level-triggered"),
    PROP_BOOL("master", I8259State, master, false, "it drives the CPU"),
    PROP_END
};

static const DeviceType i8259_type = {
    .name = TYPE_I8259, .parent = TYPE_ISA_DEVICE, .size = sizeof(I8259State),
    .desc = "8259A interrupt controller", .not_user_creatable = true,
    .props = i8259_props, .init = i8259_init, .realize = i8259_realize,
    .unrealize = i8259_unrealize, .reset_hold = i8259_reset_hold,
    .vm = { 1, i8259_fields, .post_load = i8259_post_load, .meanings = i8259_meanings },
    .printers = STATE_PRINTERS({ "vectors", "requests in order of priority", print_vectors }),
};
DEVICE_TYPE(i8259_type)

static I8259State *i8259_create(ISABus *bus, uint32_t iobase, uint32_t elcr,
                                uint8_t elcr_mask, bool master, Error **errp)
{
    Device *dev = device_new(TYPE_I8259);

    if (!object_set_uint(dev, "iobase", iobase, errp) ||
        !object_set_uint(dev, "elcr_addr", elcr, errp) ||
        !object_set_uint(dev, "elcr_mask", elcr_mask, errp) ||
        !object_set_bool(dev, "master", master, errp)) {
        object_unref(dev);
        return NULL;
    }
    return device_realize_unref(dev, &bus->bus, errp) ? I8259(dev) : NULL;
}

Device *i8259_create_pair(ISABus *bus, IrqLine *intr,
                          IrqLine *lines[ISA_NUM_IRQS], Error **errp)
{
    I8259State *master, *slave;

    /* PIIX3 2.5.11: IRQ0, 1, 2, 8 and 13 are always edge-triggered. */
    master = i8259_create(bus, 0x20, 0x4d0, 0xf8, true, errp);
    if (!master) {
        return NULL;
    }
    slave = i8259_create(bus, 0xa0, 0x4d1, 0xde, false, errp);
    if (!slave) {
        return NULL;
    }
    master->slave = slave;
    device_connect_irq_out(&master->isa.dev, NULL, 0, intr);
    device_connect_irq_out(&slave->isa.dev, NULL, 0,
                           device_irq_in(&master->isa.dev, NULL, CASCADE_INPUT));
    for (int i = 0; i < ISA_NUM_IRQS; i++) {
        I8259State *s = i < 8 ? master : slave;

        lines[i] = i == CASCADE_INPUT ? NULL
                                      : device_irq_in(&s->isa.dev, NULL, i & 7);
    }
    return &master->isa.dev;
}
