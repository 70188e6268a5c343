/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * High precision event timers: one block, three timers, 100 MHz.
 *
 * Source: Intel, IA-PC HPET Specification 1.0a ("HPET").
 * Missed periods are skipped: an interrupt that comes late comes once.
 */
#include "util/osdep.h"
#include "hw/timer/hpet.h"

#include "util/log.h"
#include "util/timer.h"

/* HPET 2.3: registers. */
#define REG_CAP         0x000
#define REG_CONFIG      0x010
#define REG_STATUS      0x020
#define REG_COUNTER     0x0f0
#define REG_TIMER0      0x100
#define TIMER_STRIDE    0x20
#define TIMER_CONFIG    0x00
#define TIMER_COMPARE   0x08
#define TIMER_FSB       0x10
#define MMIO_SIZE       0x400

#define PERIOD_FS       10000000        /* femtoseconds: 10 ns */
#define NS_PER_TICK     10
#define NUM_TIMERS      3
#define MAX_TIMERS      32
#define CAP_64BIT       BIT64(13)
#define CAP_LEGACY      BIT64(15)
#define CAP_VENDOR      (UINT64_C(0x8086) << 16)
#define CONFIG_ENABLE   BIT64(0)
#define CONFIG_LEGACY   BIT64(1)

/* HPET 2.3.8: timer configuration. */
#define T_LEVEL         BIT64(1)
#define T_INT_ENABLE    BIT64(2)
#define T_PERIODIC      BIT64(3)
#define T_PERIODIC_CAP  BIT64(4)
#define T_64BIT_CAP     BIT64(5)
#define T_VALUE_SET     BIT64(6)
#define T_32BIT         BIT64(8)
#define T_ROUTE(c)      ((unsigned)((c) >> 9) & 31)
#define T_FSB_ENABLE    BIT64(14)
#define T_FSB_CAP       BIT64(15)
#define T_WRITABLE      (UINT64_C(0x3f0e) | T_VALUE_SET | T_32BIT)
#define T_ROUTE_CAP_SHIFT 32

#define LEGACY_PIT_IRQ  0
#define LEGACY_RTC_IRQ  8

typedef struct HpetTimer {
    struct HpetState *hpet;
    Timer timer;
    uint64_t config, compare, period, fsb;
    uint64_t due;               /* count at which the timer is armed to fire */
} HpetTimer;

typedef struct HpetState {
    Device dev;
    MemRegion mmio;
    IrqLine *irqs[HPET_NUM_IRQS];
    HpetTimer t[MAX_TIMERS];
    uint64_t config, status;
    uint64_t counter;           /* while halted */
    uint64_t base;              /* while running: the counter less the clock's ticks */
    uint8_t legacy_in;          /* levels of the inputs, one bit each */
    /* Properties. */
    uint8_t num_timers;
    bool msi;
    uint32_t intcap;
} HpetState;

DEFINE_CAST(HPET, HpetState, TYPE_HPET)

static bool hpet_running(const HpetState *s)
{
    return s->config & CONFIG_ENABLE;
}

static uint64_t clock_ticks(void)
{
    return (uint64_t)clock_get_ns(CLOCK_VIRTUAL) / NS_PER_TICK;
}

static uint64_t hpet_counter(const HpetState *s)
{
    return hpet_running(s) ? clock_ticks() + s->base : s->counter;
}

static unsigned timer_index(const HpetTimer *t)
{
    return (unsigned)(t - t->hpet->t);
}

/* HPET 2.3.8: with legacy replacement timers 0 and 1 have fixed routes. */
static unsigned timer_route(const HpetTimer *t)
{
    unsigned n = timer_index(t);

    if ((t->hpet->config & CONFIG_LEGACY) && n <= 1) {
        return n ? LEGACY_RTC_IRQ : LEGACY_PIT_IRQ;
    }
    return T_ROUTE(t->config);
}

static void timer_lower(HpetTimer *t)
{
    irq_lower(t->hpet->irqs[timer_route(t)]);
}

static void timer_interrupt(HpetTimer *t)
{
    HpetState *s = t->hpet;

    if (t->config & T_LEVEL) {
        s->status |= BIT64(timer_index(t));
    }
    if (!(t->config & T_INT_ENABLE)) {
        return;
    }
    if ((t->config & T_FSB_ENABLE) && (t->config & T_FSB_CAP)) {
        address_space_st32_le(&address_space_memory, t->fsb >> 32, (uint32_t)t->fsb,
                              MEM_ATTRS_NONE, NULL);
    } else if (t->config & T_LEVEL) {
        irq_raise(s->irqs[timer_route(t)]);
    } else {
        irq_pulse(s->irqs[timer_route(t)]);
    }
}

/* Fire when @delta more ticks have been counted. */
static void timer_arm_in(HpetTimer *t, uint64_t now, uint64_t delta)
{
    uint64_t ticks = clock_ticks();

    t->due = now + delta;
    if (delta > INT64_MAX / NS_PER_TICK - ticks) {
        timer_del(&t->timer);   /* centuries away */
    } else {
        timer_mod_ns(&t->timer, (int64_t)(ticks + delta) * NS_PER_TICK);
    }
}

/* For when the counter will next equal the comparator. */
static void timer_arm(HpetTimer *t)
{
    uint64_t now, delta;

    if (!hpet_running(t->hpet)) {
        timer_del(&t->timer);
        return;
    }
    now = hpet_counter(t->hpet);
    delta = t->compare - now;
    timer_arm_in(t, now, t->config & T_32BIT ? (uint32_t)delta : delta);
}

static void hpet_timer_fired(void *opaque)
{
    HpetTimer *t = opaque;
    uint64_t period = t->config & T_32BIT ? (uint32_t)t->period : t->period;

    if ((t->config & T_PERIODIC) && period) {
        uint64_t late = hpet_counter(t->hpet) - t->due;

        t->compare += (late / period + 1) * period;
        if (t->config & T_32BIT) {
            t->compare = (uint32_t)t->compare;
        }
        timer_arm(t);
    } else if (t->config & T_32BIT) {
        /* HPET 2.3.9.2.1: a 32-bit one-shot comes again at each wrap. */
        uint64_t now = hpet_counter(t->hpet);

        timer_arm_in(t, now, t->due + BIT64(32) - now);
    }
    timer_interrupt(t);
}

static void hpet_route_legacy(HpetState *s)
{
    if (!(s->config & CONFIG_LEGACY)) {
        irq_set(s->irqs[LEGACY_PIT_IRQ], s->legacy_in & 1);
        irq_set(s->irqs[LEGACY_RTC_IRQ], s->legacy_in >> 1 & 1);
    }
}

static void hpet_legacy_in(void *opaque, int n, int level)
{
    HpetState *s = HPET(opaque);

    s->legacy_in = (uint8_t)((s->legacy_in & ~BIT(n)) | (level ? BIT(n) : 0));
    if (!(s->config & CONFIG_LEGACY)) {
        irq_set(s->irqs[n ? LEGACY_RTC_IRQ : LEGACY_PIT_IRQ], level);
    }
}

static void hpet_write_config(HpetState *s, uint64_t val)
{
    uint64_t changed = (s->config ^ val) & (CONFIG_ENABLE | CONFIG_LEGACY);
    uint64_t counter = hpet_counter(s);

    if (changed & CONFIG_LEGACY) {      /* nothing stays behind on either route */
        irq_lower(s->irqs[LEGACY_PIT_IRQ]);
        irq_lower(s->irqs[LEGACY_RTC_IRQ]);
    }
    s->config = val & (CONFIG_ENABLE | CONFIG_LEGACY);
    if (changed & CONFIG_ENABLE) {
        s->counter = counter;
        s->base = counter - clock_ticks();
        for (unsigned i = 0; i < s->num_timers; i++) {
            timer_arm(&s->t[i]);
        }
    }
    if (changed & CONFIG_LEGACY) {
        hpet_route_legacy(s);
    }
}

static void hpet_write_status(HpetState *s, uint64_t val)
{
    for (unsigned i = 0; i < s->num_timers; i++) {
        if (s->status & val & BIT64(i)) {
            s->status &= ~BIT64(i);
            timer_lower(&s->t[i]);
        }
    }
}

static void hpet_write_counter(HpetState *s, uint64_t val)
{
    if (hpet_running(s)) {
        log_guest_error(TYPE_HPET, "main counter written while it runs");
        return;
    }
    s->counter = val;
}

static void timer_write_config(HpetTimer *t, uint64_t val)
{
    uint64_t old = t->config;

    if ((old & T_LEVEL) && (t->hpet->status & BIT64(timer_index(t))) &&
        (old ^ val) & (T_LEVEL | T_INT_ENABLE | UINT64_C(0x3e00))) {
        timer_lower(t);
    }
    t->config = (old & ~(T_WRITABLE | T_FSB_ENABLE)) | (val & T_WRITABLE) |
                (old & T_FSB_CAP ? val & T_FSB_ENABLE : 0);
    if (t->config & T_32BIT) {
        t->compare = (uint32_t)t->compare;
        t->period = (uint32_t)t->period;
    }
    if ((old ^ t->config) & (T_32BIT | T_PERIODIC)) {
        timer_arm(t);
    }
    if (!(old & T_INT_ENABLE) && (t->config & T_INT_ENABLE) && (t->config & T_LEVEL) &&
        (t->hpet->status & BIT64(timer_index(t)))) {
        irq_raise(t->hpet->irqs[timer_route(t)]);
    }
}

/* HPET 2.3.9.2.2: in periodic mode the accumulator is written only after
 * VAL_SET; each write sets the period. */
static void timer_write_compare(HpetTimer *t, uint64_t val)
{
    if (t->config & T_32BIT) {
        val = (uint32_t)val;
    }
    if (!(t->config & T_PERIODIC) || (t->config & T_VALUE_SET)) {
        t->compare = val;
    }
    if (t->config & T_PERIODIC) {
        t->period = val;
    }
    t->config &= ~T_VALUE_SET;
    timer_arm(t);
}

/* Registers are of 64 bits; half of one may be accessed (HPET 2.3.1). */
static uint64_t hpet_read_reg(HpetState *s, unsigned reg)
{
    HpetTimer *t = &s->t[(reg - REG_TIMER0) / TIMER_STRIDE % MAX_TIMERS];

    switch (reg) {
    case REG_CAP:
        return UINT64_C(1) | (uint64_t)(s->num_timers - 1) << 8 | CAP_64BIT | CAP_LEGACY |
               CAP_VENDOR | (uint64_t)PERIOD_FS << 32;
    case REG_CONFIG:
        return s->config;
    case REG_STATUS:
        return s->status;
    case REG_COUNTER:
        return hpet_counter(s);
    }
    if (reg < REG_TIMER0 || timer_index(t) >= s->num_timers) {
        return 0;
    }
    switch ((reg - REG_TIMER0) % TIMER_STRIDE) {
    case TIMER_CONFIG:
        return t->config;
    case TIMER_COMPARE:
        return t->compare;
    case TIMER_FSB:
        return t->fsb;
    default:
        return 0;
    }
}

static void hpet_write_reg(HpetState *s, unsigned reg, uint64_t val)
{
    HpetTimer *t = &s->t[(reg - REG_TIMER0) / TIMER_STRIDE % MAX_TIMERS];

    switch (reg) {
    case REG_CAP:
        return;
    case REG_CONFIG:
        hpet_write_config(s, val);
        return;
    case REG_STATUS:
        hpet_write_status(s, val);
        return;
    case REG_COUNTER:
        hpet_write_counter(s, val);
        return;
    }
    if (reg < REG_TIMER0 || timer_index(t) >= s->num_timers) {
        return;
    }
    switch ((reg - REG_TIMER0) % TIMER_STRIDE) {
    case TIMER_CONFIG:
        timer_write_config(t, val);
        break;
    case TIMER_COMPARE:
        timer_write_compare(t, val);
        break;
    case TIMER_FSB:
        t->fsb = val;
        break;
    }
}

static MemResult hpet_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                           UNUSED MemAttrs attrs)
{
    uint64_t v = hpet_read_reg(opaque, addr & ~7u);

    *val = size == 4 && (addr & 4) ? v >> 32 : v;
    return MEM_OK;
}

static MemResult hpet_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                            UNUSED MemAttrs attrs)
{
    HpetState *s = opaque;
    unsigned reg = addr & ~7u;

    if (size == 4) {
        /* The other half keeps its value; status bits aren't cleared by it. */
        uint64_t old = reg == REG_STATUS ? 0 : hpet_read_reg(s, reg);

        val = addr & 4 ? (old & UINT32_MAX) | val << 32
                       : (old & ~(uint64_t)UINT32_MAX) | (uint32_t)val;
        if ((addr & 4) && reg >= REG_TIMER0 && (reg & 0x1f) == TIMER_COMPARE) {
            HpetTimer *t = &s->t[(reg - REG_TIMER0) / TIMER_STRIDE % MAX_TIMERS];

            /* The lower half has taken VAL_SET: this one belongs to it. */
            if ((t->config & (T_PERIODIC | T_VALUE_SET)) == T_PERIODIC) {
                t->compare = (t->compare & UINT32_MAX) | (val & ~(uint64_t)UINT32_MAX);
                t->period = val;
                timer_arm(t);
                return MEM_OK;
            }
        }
    }
    hpet_write_reg(s, reg, val);
    return MEM_OK;
}

static const MemOps hpet_ops = {
    .read = hpet_read, .write = hpet_write, .order = MEM_LE,
    .valid = { 4, 8 }, .impl = { .min = 4, .max = 8 },
};

static void hpet_reset_hold(Device *dev)
{
    HpetState *s = HPET(dev);

    s->config = s->status = s->counter = 0;
    for (unsigned i = 0; i < s->num_timers; i++) {
        HpetTimer *t = &s->t[i];

        timer_del(&t->timer);
        t->config = T_PERIODIC_CAP | T_64BIT_CAP | (s->msi ? T_FSB_CAP : 0) |
                    (uint64_t)s->intcap << T_ROUTE_CAP_SHIFT;
        t->compare = UINT64_MAX;
        t->period = t->fsb = t->due = 0;
    }
    hpet_route_legacy(s);
}

static void hpet_init(Device *dev)
{
    HpetState *s = HPET(dev);

    device_init_irq_in(dev, "legacy", hpet_legacy_in, 2);
    device_init_irq_out(dev, NULL, s->irqs, HPET_NUM_IRQS);
    for (unsigned i = 0; i < MAX_TIMERS; i++) {
        s->t[i].hpet = s;
        timer_init_ns(&s->t[i].timer, CLOCK_VIRTUAL, hpet_timer_fired, &s->t[i]);
    }
}

static bool hpet_realize(Device *dev, UNUSED Error **errp)
{
    HpetState *s = HPET(dev);

    memory_region_init_io(&s->mmio, s, &hpet_ops, s, TYPE_HPET, MMIO_SIZE);
    hpet_reset_hold(dev);
    return true;
}

static void hpet_unrealize(Device *dev)
{
    HpetState *s = HPET(dev);

    for (unsigned i = 0; i < MAX_TIMERS; i++) {
        timer_del(&s->t[i].timer);
    }
    memory_region_cleanup(&s->mmio);
}

static bool hpet_post_load(void *opaque, UNUSED Error **errp)
{
    HpetState *s = opaque;

    hpet_route_legacy(s);
    for (unsigned i = 0; i < s->num_timers; i++) {
        if (s->status & BIT64(i)) {
            irq_raise(s->irqs[timer_route(&s->t[i])]);
        }
        timer_arm(&s->t[i]);
    }
    return true;
}

static const VmField hpet_timer_fields[] = {
    VM_U64(HpetTimer, config), VM_U64(HpetTimer, compare), VM_U64(HpetTimer, period),
    VM_U64(HpetTimer, fsb), VM_END
};
static const VmMeaning hpet_timer_meanings[] = {
    { "config", "Timer n Configuration and Capabilities", .flags = FLAGS({ "INT_TYPE_LEVEL", 2 }, { "INT_ENB", 4 },
      { "PERIODIC", 8 },
      { "PER_INT_CAP", 0x10 }, { "SIZE_CAP_64", 0x20 }, { "VAL_SET", 0x40 }, { "32MODE", 0x100 }, { "INT_ROUTE", 0x3e00 },
      { "FSB_EN", 0x4000 }, { "FSB_INT_DEL_CAP", 0x8000 }) },
    { "compare", "Timer n Comparator Value" },
    { "period", "what a periodic timer adds to its comparator" },
    { "fsb", "Timer n FSB Interrupt Route: the value in its low half, the address in its high one" },
    { .name = NULL }
};
static const VmState hpet_timer_vm = { 1, hpet_timer_fields, .name = "timer", .meanings = hpet_timer_meanings };

static const VmField hpet_fields[] = {
    VM_U64(HpetState, config), VM_U64(HpetState, status), VM_U64(HpetState, counter),
    VM_U64(HpetState, base), VM_U8_RANGE(HpetState, legacy_in, 0, 3),
    VM_STRUCT_ARRAY(HpetState, t, hpet_timer_vm), VM_END
};
static const VmMeaning hpet_meanings[] = {
    { "config", "General Configuration", .flags = FLAGS({ "ENABLE_CNF", 1 }, { "LEG_RT_CNF", 2 }) },
    { "status", "General Interrupt Status, a bit for each timer" },
    { "counter", "Main Counter Value, where it is halted" },
    { "base", "while it runs: what the counter is ahead of the guest's clock, in 10 ns" },
    { "legacy_in", "levels of what it replaces", .flags = FLAGS({ "8254", 1 }, { "RTC", 2 }) },
    { .name = NULL }
};

static const Property hpet_props[] = {
    PROP_U8_RANGE("timers", HpetState, num_timers, NUM_TIMERS, 3, MAX_TIMERS, "number of timers"),
    PROP_BOOL("msi", HpetState, msi, false, "timers can send messages"),
    PROP_U32("hpet-intcap", HpetState, intcap, 0x00f00004, "interrupts that can be routed to"),
    PROP_END
};

static const DeviceType hpet_type = {
    .name = TYPE_HPET, .size = sizeof(HpetState), .desc = "high precision event timer",
    .not_user_creatable = true, .props = hpet_props, .init = hpet_init,
    .realize = hpet_realize, .unrealize = hpet_unrealize, .reset_hold = hpet_reset_hold,
    .vm = { 1, hpet_fields, .post_load = hpet_post_load, .meanings = hpet_meanings },
};
DEVICE_TYPE(hpet_type)

Device *hpet_create(MemRegion *memory, hwaddr addr, IrqLine **irqs, unsigned n, Error **errp)
{
    Device *dev = device_new(TYPE_HPET);

    for (unsigned i = 0; i < n && i < HPET_NUM_IRQS; i++) {
        device_connect_irq_out(dev, NULL, (int)i, irqs[i]);
    }
    if (!device_realize_unref(dev, NULL, errp)) {
        return NULL;
    }
    memory_region_add_overlap(memory, addr, &HPET(dev)->mmio, 1);
    return dev;
}
