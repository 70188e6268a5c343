/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82093AA I/O APIC, with the EOI register of later versions (20h).
 *
 * Source: Intel 82093AA data sheet, 290566 ("DS"); the EOI register is in the
 * ICH9 data sheet, 316972, 13.5.5.
 * An interrupt leaves as a write of an MSI to the system memory (SDM 3A
 * 10.11), so interrupt remapping needs nothing here. Polarity is kept but
 * has no effect: the board's lines carry "asserted".
 */
#include "util/osdep.h"
#include "hw/intc/ioapic.h"

#include "hw/core/state-view.h"
#include "hw/intc/apic.h"
#include "util/log.h"

/* DS 3.1: registers reached directly ... */
#define IOREGSEL        0x00
#define IOWIN           0x10
#define IOEOI           0x40
#define MMIO_SIZE       0x1000
/* ... and through them (DS 3.2). */
#define REG_ID          0x00
#define REG_VERSION     0x01
#define REG_ARBITRATION 0x02
#define REG_REDIR       0x10
#define ID_SHIFT        24
#define ID_MASK         0x0f
#define VERSION         0x20

/* DS 3.2.4: redirection entry. */
#define REDIR_VECTOR    0xff
#define REDIR_MODE(e)   ((unsigned)((e) >> 8) & 7)
#define REDIR_LOGICAL   BIT64(11)
#define REDIR_STATUS    BIT64(12)
#define REDIR_REMOTE_IRR BIT64(14)
#define REDIR_LEVEL     BIT64(15)
#define REDIR_MASKED    BIT64(16)
#define REDIR_DEST(e)   ((uint32_t)((e) >> 56))
#define REDIR_READ_ONLY (REDIR_STATUS | REDIR_REMOTE_IRR)
#define REDIR_DEFINED   (UINT64_C(0x1ffff) | UINT64_C(0xff) << 56)

typedef struct IoapicState {
    Device dev;
    MemRegion mmio;
    ApicEoiListener eoi;
    uint32_t pins;                      /* levels of the inputs */
    uint8_t id, select;
    uint64_t redir[IOAPIC_PINS];
} IoapicState;

DEFINE_CAST(IOAPIC, IoapicState, TYPE_IOAPIC)

static void ioapic_deliver(const IoapicState *s, unsigned n)
{
    uint64_t e = s->redir[n];
    hwaddr addr = APIC_MSI_BASE | REDIR_DEST(e) << 12 | (e & REDIR_LOGICAL ? 4 : 0);
    uint32_t data = (uint32_t)(e & REDIR_VECTOR) | REDIR_MODE(e) << 8;

    if (e & REDIR_LEVEL) {
        data |= BIT(15) | BIT(14);
    }
    address_space_st32_le(&address_space_memory, addr, data, MEM_ATTRS_NONE, NULL);
}

/* A level-triggered pin interrupts while it is asserted and the one before
 * has been answered (DS 3.2.4, remote IRR). */
static void ioapic_service_level(IoapicState *s, unsigned n)
{
    uint64_t e = s->redir[n];

    if ((e & REDIR_LEVEL) && (s->pins & BIT(n)) && !(e & (REDIR_MASKED | REDIR_REMOTE_IRR))) {
        s->redir[n] |= REDIR_REMOTE_IRR;
        ioapic_deliver(s, n);
    }
}

static void ioapic_set_pin(void *opaque, int n, int level)
{
    IoapicState *s = IOAPIC(opaque);
    uint32_t bit = BIT((unsigned)n);
    bool rises = level && !(s->pins & bit);

    s->pins = level ? s->pins | bit : s->pins & ~bit;
    if (s->redir[n] & REDIR_LEVEL) {
        ioapic_service_level(s, (unsigned)n);
    } else if (rises && !(s->redir[n] & REDIR_MASKED)) {
        ioapic_deliver(s, (unsigned)n);     /* DS: a masked edge is lost */
    }
}

static void ioapic_end(IoapicState *s, uint8_t vector)
{
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        if ((s->redir[n] & REDIR_LEVEL) && (s->redir[n] & REDIR_REMOTE_IRR) &&
            (s->redir[n] & REDIR_VECTOR) == vector) {
            s->redir[n] &= ~REDIR_REMOTE_IRR;
            ioapic_service_level(s, n);
        }
    }
}

static void ioapic_eoi_broadcast(ApicEoiListener *l, uint8_t vector)
{
    ioapic_end(container_of(l, IoapicState, eoi), vector);
}

static uint32_t ioapic_read_reg(const IoapicState *s)
{
    unsigned n = (s->select - REG_REDIR) / 2u;

    switch (s->select) {
    case REG_ID:
    case REG_ARBITRATION:
        return (uint32_t)s->id << ID_SHIFT;
    case REG_VERSION:
        return VERSION | (IOAPIC_PINS - 1) << 16;
    }
    if (s->select < REG_REDIR || n >= IOAPIC_PINS) {
        return 0;
    }
    return (uint32_t)(s->select & 1 ? s->redir[n] >> 32 : s->redir[n]);
}

static void ioapic_write_redir(IoapicState *s, unsigned n, bool high, uint32_t val)
{
    uint64_t old = s->redir[n], e;

    e = high ? (old & UINT32_MAX) | (uint64_t)val << 32 : (old & ~(uint64_t)UINT32_MAX) | val;
    e = (e & REDIR_DEFINED & ~REDIR_READ_ONLY) | (old & REDIR_READ_ONLY);
    if (!(e & REDIR_LEVEL)) {
        e &= ~REDIR_REMOTE_IRR;         /* an edge needs no answer */
    }
    s->redir[n] = e;
    ioapic_service_level(s, n);
}

static void ioapic_write_reg(IoapicState *s, uint32_t val)
{
    unsigned n = (s->select - REG_REDIR) / 2u;

    if (s->select == REG_ID) {
        s->id = val >> ID_SHIFT & ID_MASK;
    } else if (s->select >= REG_REDIR && n < IOAPIC_PINS) {
        ioapic_write_redir(s, n, s->select & 1, val);
    } else {
        log_guest_error(TYPE_IOAPIC, "write to register 0x%02x", s->select);
    }
}

static MemResult ioapic_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                             UNUSED MemAttrs attrs)
{
    IoapicState *s = opaque;

    *val = addr == IOREGSEL ? s->select : addr == IOWIN ? ioapic_read_reg(s) : 0;
    return MEM_OK;
}

static MemResult ioapic_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    IoapicState *s = opaque;

    switch (addr) {
    case IOREGSEL:
        s->select = (uint8_t)val;
        break;
    case IOWIN:
        ioapic_write_reg(s, (uint32_t)val);
        break;
    case IOEOI:
        ioapic_end(s, (uint8_t)val);
        break;
    }
    return MEM_OK;
}

static const MemOps ioapic_ops = {
    .read = ioapic_read, .write = ioapic_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 4, .max = 4 },
};

static void ioapic_reset_hold(Device *dev)
{
    IoapicState *s = IOAPIC(dev);

    s->id = s->select = 0;
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        s->redir[n] = REDIR_MASKED;
    }
}

static void ioapic_init(Device *dev)
{
    device_init_irq_in(dev, NULL, ioapic_set_pin, IOAPIC_PINS);
}

static bool ioapic_realize(Device *dev, UNUSED Error **errp)
{
    IoapicState *s = IOAPIC(dev);

    memory_region_init_io(&s->mmio, s, &ioapic_ops, s, TYPE_IOAPIC, MMIO_SIZE);
    s->eoi.eoi = ioapic_eoi_broadcast;
    apic_add_eoi_listener(&s->eoi);
    ioapic_reset_hold(dev);
    return true;
}

static void ioapic_unrealize(Device *dev)
{
    apic_remove_eoi_listener(&IOAPIC(dev)->eoi);
    memory_region_cleanup(&IOAPIC(dev)->mmio);
}

static bool ioapic_post_load(void *opaque, Error **errp)
{
    IoapicState *s = opaque;

    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        if (s->redir[n] & ~REDIR_DEFINED) {
            error_setf(errp, ERR_STATE_INVALID, "redirection entry %u has reserved bits", n);
            return false;
        }
    }
    return true;
}

static const VmField ioapic_fields[] = {
    VM_U32_RANGE(IoapicState, pins, 0, BIT(IOAPIC_PINS) - 1),
    VM_U8_RANGE(IoapicState, id, 0, ID_MASK), VM_U8(IoapicState, select),
    VM_U64_ARRAY(IoapicState, redir), VM_END
};

static char *redir_text(uint64_t e)
{
    static const char *const modes[] = { "fixed", "lowest priority", "SMI", "reserved", "NMI", "INIT", "reserved",
                                         "ExtINT" };

    return g_strdup_printf("vector 0x%02x, %s, to %s 0x%02x%s%s", (unsigned)(e & REDIR_VECTOR), modes[REDIR_MODE(e)],
                           e & REDIR_LOGICAL ? "logical" : "APIC", REDIR_DEST(e),
                           e & REDIR_LEVEL ? ", level" : ", edge", e & REDIR_MASKED ? ", masked" : "");
}

static const VmMeaning ioapic_meanings[] = {
    { "id", "IOAPICID" },
    { "pins", "levels of the inputs" }, { "select", "register behind IOWIN" },
    { "redir", "redirection table", .text = redir_text,
      .flags = FLAGS({ "VECTOR", REDIR_VECTOR }, { "LOGICAL", (uint32_t)REDIR_LOGICAL },
                     { "PENDING", (uint32_t)REDIR_STATUS }, { "REMOTE_IRR", (uint32_t)REDIR_REMOTE_IRR },
                     { "LEVEL", (uint32_t)REDIR_LEVEL }, { "MASKED", (uint32_t)REDIR_MASKED }) },
    { .name = NULL }
};

static void print_inputs(StateView *v, StateNode *into)
{
    uint32_t pins = (uint32_t)state_view_get(v, "pins");

    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        uint64_t e = state_view_get(v, "redir[%u]", n);
        g_autofree char *text = redir_text(e), *name = g_strdup_printf("input%u", n);

        if ((pins & BIT(n)) || (e & REDIR_REMOTE_IRR)) {
            StateNode *s = state_add_struct(into, name);

            state_add_bool(s, "asserted", pins & BIT(n));
            state_add_bool(s, "in-service", e & REDIR_REMOTE_IRR);
            state_mean(s, "%s", text);
        }
    }
}

static const DeviceType ioapic_type = {
    .name = TYPE_IOAPIC, .size = sizeof(IoapicState), .desc = "I/O APIC",
    .not_user_creatable = true, .init = ioapic_init, .realize = ioapic_realize,
    .unrealize = ioapic_unrealize, .reset_hold = ioapic_reset_hold,
    .vm = { 1, ioapic_fields, .post_load = ioapic_post_load, .meanings = ioapic_meanings },
    .printers = STATE_PRINTERS({ "inputs", "those that are asserted, or wait for their EOI", print_inputs }),
};
DEVICE_TYPE(ioapic_type)

Device *ioapic_create(void *owner, MemRegion *memory, hwaddr addr, Error **errp)
{
    Device *dev = device_new(TYPE_IOAPIC);

    object_add_child(owner, TYPE_IOAPIC, dev);
    if (!device_realize_unref(dev, NULL, errp)) {
        return NULL;
    }
    memory_region_add_overlap(memory, addr, &IOAPIC(dev)->mmio, 1);
    return dev;
}
