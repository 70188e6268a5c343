/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8254 programmable interval timer.
 *
 * Source: Intel 82C54 data sheet, order 231244 ("DS").
 * Counters are not stepped: the count is computed from the time when it was
 * loaded. Departures: a count is loaded at the write and not one clock later;
 * one that is written while modes 2 and 3 run is in force at once instead of
 * at the end of the period.
 */
#include "util/osdep.h"
#include "hw/timer/i8254.h"
#include "hw/timer/i8254-state.h"

#include "util/host-utils.h"
#include "util/thread.h"
#include "util/timer.h"

#define NUM_CHANNELS    3
#define REG_CONTROL     3
#define IOBASE          0x40

/* DS, "Control word format". */
#define CW_RW_SHIFT     4
#define CW_MODE_SHIFT   1
#define CW_BCD          BIT(0)
/* Between edges that come late, at most. */
#define CATCH_UP_NS     NS_PER_MS
enum { RW_LATCH, RW_LSB, RW_MSB, RW_WORD };
/* DS, "Read-back command format": active low. */
#define RB_NO_COUNT     BIT(5)
#define RB_NO_STATUS    BIT(4)
#define STATUS_OUT      BIT(7)
#define STATUS_NULL     BIT(6)

typedef struct PitChannel {
    uint8_t mode;               /* 0 to 5 */
    uint8_t rw;                 /* RW_LSB ... RW_WORD */
    bool bcd, gate;
    bool loaded;                /* a count was written since the control word */
    bool triggered;             /* modes 1 and 5: a gate edge came */
    bool write_msb, read_msb;   /* which half is next, in RW_WORD */
    uint8_t write_low;
    uint8_t latched;            /* bytes of the latched count still unread */
    uint16_t latch;
    bool status_latched;
    uint8_t status;
    uint32_t count;             /* clocks: 1 to 65536, 10000 in BCD */
    int64_t start_ns;           /* when counting began, gaps left out */
    int64_t stopped_ns;         /* gate low: time counted until then; else -1 */
    /* Who loaded the count and hasn't looked at it yet; for how long it has had to wait for a processor. */
    pthread_t loader;
    int64_t loader_waited_ns;   /* -1: nobody */
} PitChannel;

typedef struct PitState {
    ISADevice isa;
    MemRegion io;
    IrqLine *out0;
    Timer timer;                /* counter 0's next edge */
    int64_t edge_ns;            /* when that is due; INT64_MAX: never */
    bool irq_enabled;
    uint32_t iobase;
    PitChannel ch[NUM_CHANNELS];
} PitState;

DEFINE_CAST(I8254, PitState, TYPE_I8254)

static int64_t ticks_of_ns(int64_t ns)
{
    return (int64_t)muldiv64((uint64_t)ns, I8254_HZ, NS_PER_SECOND);
}

/* The first ns at which @ticks have passed. */
static int64_t ns_of_ticks(int64_t ticks)
{
    return (int64_t)muldiv64_up((uint64_t)ticks, NS_PER_SECOND, I8254_HZ);
}

/* Clocks since the count was loaded. */
static int64_t pit_elapsed(const PitChannel *c, int64_t now)
{
    int64_t ns = c->stopped_ns >= 0 ? c->stopped_ns : now - c->start_ns;

    return ticks_of_ns(MAX(ns, 0));
}

static bool pit_running(const PitChannel *c)
{
    return c->loaded && ((c->mode != 1 && c->mode != 5) || c->triggered);
}

/* The counting element, as a number of clocks still to go. */
static uint32_t pit_count(const PitChannel *c, int64_t now)
{
    int64_t n = c->count, d;
    int64_t wrap = c->bcd ? 10000 : 65536;

    if (!pit_running(c)) {
        return c->count % (uint32_t)wrap;
    }
    d = pit_elapsed(c, now);
    switch (c->mode) {
    case 2:
        return (uint32_t)(n - d % n);
    case 3:                     /* DS: counts by two, twice a period */
        return (uint32_t)(n - (2 * d) % n);
    default:                    /* goes on below zero */
        return (uint32_t)(((n - d) % wrap + wrap) % wrap);
    }
}

static bool pit_out(const PitChannel *c, int64_t now)
{
    int64_t n = c->count, d;

    if (!pit_running(c)) {
        return c->mode != 0;
    }
    d = pit_elapsed(c, now);
    switch (c->mode) {
    case 0:
    case 1:
        return d >= n;
    case 2:
        return !c->gate || d % n != n - 1;
    case 3:
        return !c->gate || d % n < (n + 1) / 2;
    default:
        return d != n;          /* strobe of one clock */
    }
}

/* Clock at which OUT next does what an edge-triggered input sees, after
 * clock @d; -1: never. */
static int64_t pit_next_edge(const PitChannel *c, int64_t d)
{
    int64_t n = c->count, phase;

    if (!pit_running(c) || c->stopped_ns >= 0) {
        return -1;
    }
    switch (c->mode) {
    case 0:
    case 1:
        return d < n ? n : -1;
    case 2:
        return (d / n + 1) * n;
    case 3:
        phase = d % n;
        return phase < (n + 1) / 2 ? d - phase + (n + 1) / 2 : d - phase + n;
    default:
        return d <= n ? n + 1 : -1;
    }
}

/* Counter 0's output, and the timer for the next edge after clock @d. */
static void pit_schedule(PitState *s, int64_t d)
{
    PitChannel *c = &s->ch[0];
    int64_t edge = s->irq_enabled ? pit_next_edge(c, d) : -1;

    if (edge < 0) {
        s->edge_ns = INT64_MAX;
        timer_del(&s->timer);
    } else {
        s->edge_ns = c->start_ns + ns_of_ticks(edge);
        timer_mod_ns(&s->timer, s->edge_ns);
    }
}

static void pit_restart(PitState *s)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    if (s->irq_enabled) {
        irq_set(s->out0, pit_out(&s->ch[0], now));
    }
    pit_schedule(s, pit_elapsed(&s->ch[0], now));
}

static void pit_timer(void *opaque)
{
    PitState *s = opaque;
    PitChannel *c = &s->ch[0];
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), edge = s->edge_ns, gap;

    /* Missed edges are made up for, but not without end. */
    if (now - edge > NS_PER_SECOND) {
        edge = now;
    }
    if (c->mode == 2 || c->mode >= 4) {
        irq_lower(s->out0);     /* the pulse of one clock before this edge */
        irq_raise(s->out0);
    } else {
        irq_set(s->out0, pit_out(c, edge));
    }
    pit_schedule(s, pit_elapsed(c, edge));
    /* Edges that are made up for come apart, or a CPU that wasn't running sees several as one. */
    gap = MIN(CATCH_UP_NS, ns_of_ticks(c->count) / 4);
    if (s->edge_ns < now + gap) {
        timer_mod_ns(&s->timer, now + gap);
    }
}

static uint16_t pit_visible_count(const PitChannel *c, int64_t now)
{
    uint32_t n = pit_count(c, now);

    if (c->bcd) {
        return (uint16_t)(n / 1000 % 10 << 12 | n / 100 % 10 << 8 |
                          n / 10 % 10 << 4 | n % 10);
    }
    /* DS, mode 3: the lowest bit of an odd count is not in the counter. */
    return (uint16_t)(c->mode == 3 ? n & ~1u : n);
}

static void pit_load(PitState *s, unsigned i, uint16_t val)
{
    PitChannel *c = &s->ch[i];
    uint32_t n = val;

    if (c->bcd) {
        n = (val >> 12) * 1000u + (val >> 8 & 15) * 100u + (val >> 4 & 15) * 10u +
            (val & 15);
    }
    c->count = n ? n : c->bcd ? 10000 : 65536;
    if (c->mode >= 2 && c->mode <= 3 && c->count == 1) {
        c->count = 2;           /* DS: illegal; no edge could come of it */
    }
    c->loaded = true;
    if (c->mode != 1 && c->mode != 5) {
        c->start_ns = clock_get_ns(CLOCK_VIRTUAL);
        c->stopped_ns = c->gate ? -1 : 0;
    }
    c->loader_waited_ns = -1;
    if (i == 2 && c->mode == 0) {
        c->loader = pthread_self();
        c->loader_waited_ns = clock_waited_ns();
    }
    if (i == 0) {
        pit_restart(s);
    }
}

/*
 * Counter 2 is what guests measure other clocks with: they load a count, look at that clock, and poll the output. A host
 * with other things to do may stop the processor between the first two, for longer than the count lasts, and the guest
 * would find its TSC to be many times slower than it is. Such a gap isn't counted.
 */
static void pit_first_look(PitChannel *c, int64_t now)
{
    int64_t gap;

    if (c->loader_waited_ns < 0) {
        return;
    }
    if (pthread_equal(c->loader, pthread_self())) {
        gap = clock_waited_ns() - c->loader_waited_ns;
        c->start_ns += MIN(MAX(gap, 0), MAX(now - c->start_ns, 0));
    }
    c->loader_waited_ns = -1;
}

static void pit_latch_count(PitChannel *c, int64_t now)
{
    if (!c->latched) {
        c->latch = pit_visible_count(c, now);
        c->latched = c->rw == RW_WORD ? 2 : 1;
    }
}

static void pit_read_back(PitState *s, uint8_t cmd)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    for (unsigned i = 0; i < NUM_CHANNELS; i++) {
        PitChannel *c = &s->ch[i];

        if (!(cmd & BIT(i + 1))) {
            continue;
        }
        pit_first_look(c, now);
        if (!(cmd & RB_NO_COUNT)) {
            pit_latch_count(c, now);
        }
        if (!(cmd & RB_NO_STATUS) && !c->status_latched) {
            c->status_latched = true;
            c->status = (uint8_t)((pit_out(c, now) ? STATUS_OUT : 0) |
                                  (c->loaded ? 0 : STATUS_NULL) |
                                  c->rw << CW_RW_SHIFT |
                                  c->mode << CW_MODE_SHIFT | c->bcd);
        }
    }
}

static void pit_write_control(PitState *s, uint8_t val)
{
    unsigned i = val >> 6, rw = val >> CW_RW_SHIFT & 3;
    PitChannel *c;

    if (i == NUM_CHANNELS) {
        pit_read_back(s, val);
        return;
    }
    c = &s->ch[i];
    if (rw == RW_LATCH) {
        pit_first_look(c, clock_get_ns(CLOCK_VIRTUAL));
        pit_latch_count(c, clock_get_ns(CLOCK_VIRTUAL));
        return;
    }
    c->rw = (uint8_t)rw;
    c->mode = val >> CW_MODE_SHIFT & 7;
    if (c->mode > 5) {
        c->mode -= 4;           /* DS: X10 and X11 are modes 2 and 3 */
    }
    c->bcd = val & CW_BCD;
    c->loaded = c->triggered = c->write_msb = c->read_msb = false;
    c->latched = 0;
    c->status_latched = false;
    c->stopped_ns = c->gate ? -1 : 0;
    if (i == 0) {
        pit_restart(s);
    }
}

static MemResult pit_write(void *opaque, hwaddr addr, uint64_t val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    PitState *s = opaque;
    PitChannel *c = &s->ch[addr % NUM_CHANNELS];

    if (addr == REG_CONTROL) {
        pit_write_control(s, (uint8_t)val);
    } else if (c->rw == RW_LSB) {
        pit_load(s, (unsigned)addr, (uint8_t)val);
    } else if (c->rw == RW_MSB) {
        pit_load(s, (unsigned)addr, (uint16_t)((val & 0xff) << 8));
    } else if (!c->write_msb) {
        c->write_low = (uint8_t)val;
        c->write_msb = true;
        if (c->mode == 0) {     /* DS: the first byte disables counting */
            c->loaded = false;
            if (addr == 0) {
                pit_restart(s);
            }
        }
    } else {
        c->write_msb = false;
        pit_load(s, (unsigned)addr, (uint16_t)((val & 0xff) << 8 | c->write_low));
    }
    return MEM_OK;
}

static MemResult pit_read(void *opaque, hwaddr addr, uint64_t *val,
                          UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    PitState *s = opaque;
    PitChannel *c = &s->ch[addr % NUM_CHANNELS];
    bool msb = c->rw == RW_MSB;
    uint16_t count;

    if (addr == REG_CONTROL) {
        *val = 0xff;            /* DS, "Read operations": no read of it */
        return MEM_OK;
    }
    if (c->status_latched) {
        c->status_latched = false;
        *val = c->status;
        return MEM_OK;
    }
    if (c->rw == RW_WORD) {
        msb = c->read_msb;
        c->read_msb = !c->read_msb;
    }
    if (c->latched) {
        c->latched--;
        count = c->latch;
    } else {
        pit_first_look(c, clock_get_ns(CLOCK_VIRTUAL));
        count = pit_visible_count(c, clock_get_ns(CLOCK_VIRTUAL));
    }
    *val = msb ? count >> 8 : count & 0xff;
    return MEM_OK;
}

static const MemOps pit_ops = {
    .read = pit_read, .write = pit_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

/* DS, "Gate pin operations summary". */
static void pit_set_gate(void *opaque, int n, int level)
{
    PitState *s = I8254(opaque);
    PitChannel *c = &s->ch[n];
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    if (c->gate == !!level) {
        return;
    }
    c->gate = level;
    c->loader_waited_ns = -1;
    if (c->mode == 1 || c->mode == 5) {
        if (level && c->loaded) {
            c->triggered = true;
            c->start_ns = now;
        }
        c->stopped_ns = -1;
    } else if (!level) {
        c->stopped_ns = MAX(now - c->start_ns, 0);
    } else {
        /* Modes 2 and 3 begin anew, 0 and 4 go on. */
        c->start_ns = c->mode == 2 || c->mode == 3 ? now : now - c->stopped_ns;
        c->stopped_ns = -1;
    }
    if (n == 0) {
        pit_restart(s);
    }
}

bool i8254_out(Device *pit, unsigned channel)
{
    PitChannel *c = &I8254(pit)->ch[channel];
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    pit_first_look(c, now);
    return pit_out(c, now);
}

unsigned i8254_tone_hz(Device *pit, unsigned channel)
{
    const PitChannel *c = &I8254(pit)->ch[channel];

    return c->mode == 3 && c->loaded && c->gate ? I8254_HZ / c->count : 0;
}

void i8254_set_irq_enabled(Device *pit, bool enabled)
{
    PitState *s = I8254(pit);

    s->irq_enabled = enabled;
    if (!enabled) {
        irq_lower(s->out0);
    }
    pit_restart(s);
}

static void pit_reset_hold(Device *dev)
{
    PitState *s = I8254(dev);

    for (unsigned i = 0; i < NUM_CHANNELS; i++) {
        s->ch[i] = (PitChannel) {
            .mode = 3, .rw = RW_WORD, .gate = i != 2, .count = 65536,
            .loaded = true, .stopped_ns = i == 2 ? 0 : -1,
            .start_ns = clock_get_ns(CLOCK_VIRTUAL), .loader_waited_ns = -1,
        };
    }
    s->irq_enabled = true;
    pit_restart(s);
}

static void pit_init(Device *dev)
{
    PitState *s = I8254(dev);

    timer_init_ns(&s->timer, CLOCK_VIRTUAL, pit_timer, s);
    device_init_irq_in(dev, "gate", pit_set_gate, NUM_CHANNELS);
    device_init_irq_out(dev, NULL, &s->out0, 1);
}

static bool pit_realize(Device *dev, UNUSED Error **errp)
{
    PitState *s = I8254(dev);

    memory_region_init_io(&s->io, s, &pit_ops, s, "pit", 4);
    isa_register_ioport(&s->isa, &s->io, (uint16_t)s->iobase);
    pit_reset_hold(dev);
    return true;
}

static void pit_unrealize(Device *dev)
{
    PitState *s = I8254(dev);

    timer_del(&s->timer);
    memory_region_cleanup(&s->io);
}

static bool pit_post_load(void *opaque, Error **errp)
{
    const int64_t far = INT64_C(1) << 61;       /* differences must not overflow */
    PitState *s = opaque;

    for (unsigned i = 0; i < NUM_CHANNELS; i++) {
        PitChannel *c = &s->ch[i];

        c->loader_waited_ns = -1;
        if (c->start_ns < -far || c->start_ns > far || c->stopped_ns < -1 ||
            c->stopped_ns > far || (c->loaded && c->mode >= 2 && c->mode <= 3 && c->count < 2)) {
            error_setf(errp, ERR_STATE_INVALID, "counter %u is out of range", i);
            return false;
        }
    }
    pit_restart(s);
    return true;
}

static const VmField pit_channel_fields[] = {
    VM_U8_RANGE(PitChannel, mode, 0, 5),
    VM_U8_RANGE(PitChannel, rw, RW_LSB, RW_WORD),
    VM_BOOL(PitChannel, bcd), VM_BOOL(PitChannel, gate),
    VM_BOOL(PitChannel, loaded), VM_BOOL(PitChannel, triggered),
    VM_BOOL(PitChannel, write_msb), VM_BOOL(PitChannel, read_msb),
    VM_U8(PitChannel, write_low), VM_U8_RANGE(PitChannel, latched, 0, 2),
    VM_U16(PitChannel, latch), VM_BOOL(PitChannel, status_latched),
    VM_U8(PitChannel, status), VM_U32_RANGE(PitChannel, count, 1, 65536),
    VM_I64(PitChannel, start_ns), VM_I64(PitChannel, stopped_ns),
    VM_END
};
static const VmState pit_channel_vm = {
    1, pit_channel_fields, .name = "channel", .meanings = pit_channel_meanings,
};

static const VmField pit_fields[] = {
    VM_STRUCT_ARRAY(PitState, ch, pit_channel_vm),
    VM_BOOL(PitState, irq_enabled), VM_END
};

static const Property pit_props[] = {
    PROP_U32("iobase", PitState, iobase, IOBASE, "first of the four ports"),
    PROP_END
};

static const DeviceType pit_type = {
    .name = TYPE_I8254, .parent = TYPE_ISA_DEVICE, .size = sizeof(PitState),
    .desc = "8254 interval timer", .not_user_creatable = true,
    .props = pit_props, .init = pit_init, .realize = pit_realize,
    .unrealize = pit_unrealize, .reset_hold = pit_reset_hold,
    .vm = { 1, pit_fields, .post_load = pit_post_load }, .printers = pit_printers,
};
DEVICE_TYPE(pit_type)
