/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 6522 Versatile Interface Adapter.
 *
 * Source: Synertek SY6522 data sheet. Not modelled: pulse counting by T2, T1's output on PB7, handshake
 * outputs on CA2 and CB2, the shift register under T2 or the system clock.
 */
#include "util/osdep.h"
#include "hw/misc/via6522.h"
#include "util/host-utils.h"

#define ACR_T1_FREE     BIT(6)
#define IFR_BITS        0x7f

const char *const via6522_reg_names[VIA_REGS] = {
    "ORB", "ORA", "DDRB", "DDRA", "T1C-L", "T1C-H", "T1L-L", "T1L-H", "T2C-L", "T2C-H", "SR", "ACR",
    "PCR", "IFR", "IER", "ORA (no handshake)",
};

static void update_irq(Via6522 *v)
{
    irq_set(v->irq, (v->ifr & v->ier & IFR_BITS) != 0);
}

void via6522_set_flags(Via6522 *v, uint8_t mask, bool set)
{
    v->ifr = set ? v->ifr | mask : v->ifr & (uint8_t)~mask;
    update_irq(v);
}

/* -------------------------------------------------------------------- timers */

static int64_t now_ticks(const Via6522 *v)
{
    return (int64_t)muldiv64((uint64_t)clock_get_ns(CLOCK_VIRTUAL), v->hz, (uint32_t)NS_PER_SECOND);
}

static int64_t ticks_ns(const Via6522 *v, int64_t ticks)
{
    return (int64_t)muldiv64((uint64_t)ticks, (uint32_t)NS_PER_SECOND, v->hz) + 1;
}

/* DS figure 14, 15: the interrupt comes when the counter has passed zero; then it is loaded anew, which
 * takes a cycle. */
static int64_t t1_period(const Via6522 *v)
{
    return (int64_t)v->t1_latch + 2;
}

static void t1_schedule(Via6522 *v)
{
    timer_mod_ns(&v->t1, ticks_ns(v, v->t1_start + t1_period(v)));
}

static void t1_fired(void *opaque)
{
    Via6522 *v = opaque;

    if (!v->t1_armed) {
        return;
    }
    if (now_ticks(v) - v->t1_start < t1_period(v)) {    /* told already by catch_up */
        t1_schedule(v);
        return;
    }
    if (v->acr & ACR_T1_FREE) {
        int64_t now = now_ticks(v), period = t1_period(v);

        v->t1_start += MAX((now - v->t1_start) / period, 1) * period;
        t1_schedule(v);
    } else {
        v->t1_armed = false;
    }
    via6522_set_flags(v, VIA_T1, true);
}

static void t2_fired(void *opaque)
{
    Via6522 *v = opaque;

    if (v->t2_armed && now_ticks(v) - v->t2_start >= (int64_t)v->t2_count + 2) {
        v->t2_armed = false;
        via6522_set_flags(v, VIA_T2, true);
    }
}

/* Software may look between a counter's end and the callback: what it sees must agree. */
static void catch_up(Via6522 *v)
{
    int64_t now = now_ticks(v);

    if (v->t1_armed && now - v->t1_start >= t1_period(v)) {
        t1_fired(v);
    }
    if (v->t2_armed && now - v->t2_start >= (int64_t)v->t2_count + 2) {
        t2_fired(v);
    }
}

static uint16_t t1_counter(const Via6522 *v)
{
    int64_t d = now_ticks(v) - v->t1_start;

    if (v->acr & ACR_T1_FREE) {
        d %= t1_period(v);
    }
    return (uint16_t)(v->t1_latch - d);
}

static uint16_t t2_counter(const Via6522 *v)
{
    return (uint16_t)(v->t2_count - (now_ticks(v) - v->t2_start));
}

static void t1_load(Via6522 *v)
{
    v->t1_start = now_ticks(v);
    v->t1_armed = true;
    t1_schedule(v);
}

/*
 * T1 counts on through FFFF when one interval is over. Told to run freely only then, as happens to software that starts
 * the timer first and is held up, it reloads and interrupts from its next zero on.
 */
static void t1_go_on(Via6522 *v)
{
    int64_t over = now_ticks(v) - v->t1_start - t1_period(v);

    if (!v->t1_armed && over >= 0) {
        v->t1_start += (over / 0x10000 + 1) * 0x10000;
        v->t1_armed = true;
    }
}

/* --------------------------------------------------------------------- lines */

static bool independent(const Via6522 *v, uint8_t line)
{
    unsigned mode = line == VIA_CA2 ? v->pcr >> 1 & 7 : v->pcr >> 5 & 7;

    return mode == 1 || mode == 3;
}

/* Which edge counts (DS figure 10, PCR). */
static bool wants_rise(const Via6522 *v, uint8_t line)
{
    switch (line) {
    case VIA_CA1: return v->pcr & 1;
    case VIA_CB1: return v->pcr & 0x10;
    case VIA_CA2: return v->pcr & 4;
    default: return v->pcr & 0x40;
    }
}

static bool is_output(const Via6522 *v, uint8_t line)
{
    return (line == VIA_CA2 && (v->pcr & 8)) || (line == VIA_CB2 && (v->pcr & 0x80));
}

void via6522_set_line(Via6522 *v, uint8_t line, bool level)
{
    bool *p = line == VIA_CA1 ? &v->ca1 : line == VIA_CA2 ? &v->ca2 : line == VIA_CB1 ? &v->cb1 : &v->cb2;

    if (*p != level) {
        *p = level;
        if (level == wants_rise(v, line) && !is_output(v, line)) {
            via6522_set_flags(v, line, true);
        }
    }
}

void via6522_set_pins(Via6522 *v, bool port_b, uint8_t mask, uint8_t level)
{
    uint8_t *p = port_b ? &v->pins_b : &v->pins_a;

    *p = (uint8_t)((*p & ~mask) | (level & mask));
}

/* Reading or writing a port answers its lines' interrupts (DS, IFR). */
static void port_used(Via6522 *v, uint8_t one, uint8_t two)
{
    via6522_set_flags(v, (uint8_t)(one | (independent(v, two) ? 0 : two)), false);
}

/* ------------------------------------------------------------------- registers */

uint8_t via6522_read(Via6522 *v, unsigned reg, bool debug)
{
    uint8_t val;

    if (!debug) {
        catch_up(v);
    }
    switch (reg) {
    case VIA_ORB:
        val = (uint8_t)((v->orb & v->ddrb) | (v->pins_b & ~v->ddrb));
        if (!debug) {
            port_used(v, VIA_CB1, VIA_CB2);
        }
        return val;
    case VIA_ORA: case VIA_ORA_NH:
        if (reg == VIA_ORA && !debug) {
            port_used(v, VIA_CA1, VIA_CA2);
        }
        return (uint8_t)((v->ora & v->ddra) | (v->pins_a & ~v->ddra));
    case VIA_DDRB: return v->ddrb;
    case VIA_DDRA: return v->ddra;
    case VIA_T1CL:
        val = (uint8_t)t1_counter(v);
        if (!debug) {
            via6522_set_flags(v, VIA_T1, false);
        }
        return val;
    case VIA_T1CH: return (uint8_t)(t1_counter(v) >> 8);
    case VIA_T1LL: return (uint8_t)v->t1_latch;
    case VIA_T1LH: return (uint8_t)(v->t1_latch >> 8);
    case VIA_T2CL:
        val = (uint8_t)t2_counter(v);
        if (!debug) {
            via6522_set_flags(v, VIA_T2, false);
        }
        return val;
    case VIA_T2CH: return (uint8_t)(t2_counter(v) >> 8);
    case VIA_SR:
        val = v->sr;
        if (!debug) {
            via6522_set_flags(v, VIA_SHIFT, false);
            if (v->ops->shift) {
                v->ops->shift(v->opaque, false);
            }
        }
        return val;
    case VIA_ACR: return v->acr;
    case VIA_PCR: return v->pcr;
    case VIA_IFR: return (uint8_t)(v->ifr | (v->ifr & v->ier & IFR_BITS ? VIA_ANY : 0));
    default: return v->ier | VIA_ANY;
    }
}

static void put_b(Via6522 *v, uint8_t orb, uint8_t ddrb)
{
    uint8_t old = via6522_out_b(v);

    v->orb = orb;
    v->ddrb = ddrb;
    if (v->ops->port_b) {
        v->ops->port_b(v->opaque, via6522_out_b(v), old);
    }
}

static void put_a(Via6522 *v, uint8_t ora, uint8_t ddra)
{
    uint8_t old = via6522_out_a(v);

    v->ora = ora;
    v->ddra = ddra;
    if (v->ops->port_a) {
        v->ops->port_a(v->opaque, via6522_out_a(v), old);
    }
}

void via6522_write(Via6522 *v, unsigned reg, uint8_t val)
{
    switch (reg) {
    case VIA_ORB:
        port_used(v, VIA_CB1, VIA_CB2);
        put_b(v, val, v->ddrb);
        break;
    case VIA_ORA: case VIA_ORA_NH:
        if (reg == VIA_ORA) {
            port_used(v, VIA_CA1, VIA_CA2);
        }
        put_a(v, val, v->ddra);
        break;
    case VIA_DDRB: put_b(v, v->orb, val); break;
    case VIA_DDRA: put_a(v, v->ora, val); break;
    case VIA_T1CL: case VIA_T1LL:
        v->t1_latch = (uint16_t)((v->t1_latch & 0xff00) | val);
        break;
    case VIA_T1CH:
        v->t1_latch = (uint16_t)((v->t1_latch & 0xff) | val << 8);
        t1_load(v);
        via6522_set_flags(v, VIA_T1, false);
        break;
    case VIA_T1LH:
        v->t1_latch = (uint16_t)((v->t1_latch & 0xff) | val << 8);
        via6522_set_flags(v, VIA_T1, false);
        break;
    case VIA_T2CL: v->t2_latch = val; break;
    case VIA_T2CH:
        v->t2_count = (uint16_t)(val << 8 | v->t2_latch);
        v->t2_start = now_ticks(v);
        v->t2_armed = true;
        timer_mod_ns(&v->t2, ticks_ns(v, v->t2_start + v->t2_count + 2));
        via6522_set_flags(v, VIA_T2, false);
        break;
    case VIA_SR:
        v->sr = val;
        via6522_set_flags(v, VIA_SHIFT, false);
        if (v->ops->shift) {
            v->ops->shift(v->opaque, true);
        }
        break;
    case VIA_ACR:
        v->acr = val;
        if (val & ACR_T1_FREE) {
            t1_go_on(v);
        }
        if (v->t1_armed) {
            t1_schedule(v);
        }
        break;
    case VIA_PCR: v->pcr = val; break;
    case VIA_IFR: via6522_set_flags(v, val & IFR_BITS, false); break;
    default:
        v->ier = val & VIA_ANY ? v->ier | (val & IFR_BITS) : v->ier & (uint8_t)~val;
        update_irq(v);
        break;
    }
}

/* DS: RESET clears all but the timers and the shift register. */
void via6522_reset(Via6522 *v)
{
    v->ora = v->orb = v->ddra = v->ddrb = v->acr = v->pcr = v->ifr = v->ier = 0;
    v->t1_armed = v->t2_armed = false;
    timer_del(&v->t1);
    timer_del(&v->t2);
    update_irq(v);
}

void via6522_init(Via6522 *v, const Via6522Ops *ops, void *opaque, uint32_t hz)
{
    v->ops = ops;
    v->opaque = opaque;
    v->hz = hz;
    v->t1_latch = 0xffff;
    v->pins_a = v->pins_b = 0xff;
    v->ca1 = v->ca2 = v->cb1 = v->cb2 = true;
    timer_init_ns(&v->t1, CLOCK_VIRTUAL, t1_fired, v);
    timer_init_ns(&v->t2, CLOCK_VIRTUAL, t2_fired, v);
}

void via6522_cleanup(Via6522 *v)
{
    timer_del(&v->t1);
    timer_del(&v->t2);
}

static bool via6522_post_load(void *opaque, UNUSED Error **errp)
{
    Via6522 *v = opaque;

    v->ifr &= IFR_BITS;
    v->ier &= IFR_BITS;
    update_irq(v);
    return true;
}

static const VmField via6522_fields[] = {
    VM_U8(Via6522, ora), VM_U8(Via6522, orb), VM_U8(Via6522, ddra), VM_U8(Via6522, ddrb),
    VM_U8(Via6522, sr), VM_U8(Via6522, acr), VM_U8(Via6522, pcr), VM_U8(Via6522, ifr),
    VM_U8(Via6522, ier), VM_U8(Via6522, pins_a), VM_U8(Via6522, pins_b), VM_BOOL(Via6522, ca1),
    VM_BOOL(Via6522, ca2), VM_BOOL(Via6522, cb1), VM_BOOL(Via6522, cb2), VM_U16(Via6522, t1_latch),
    VM_U16(Via6522, t2_count), VM_U8(Via6522, t2_latch), VM_BOOL(Via6522, t1_armed),
    VM_BOOL(Via6522, t2_armed), VM_I64(Via6522, t1_start), VM_I64(Via6522, t2_start),
    VM_TIMER(Via6522, t1), VM_TIMER(Via6522, t2), VM_END
};
#define LINES FLAGS({ "CA2", VIA_CA2 }, { "CA1", VIA_CA1 }, { "SR", VIA_SHIFT }, { "CB2", VIA_CB2 }, \
                    { "CB1", VIA_CB1 }, { "T2", VIA_T2 }, { "T1", VIA_T1 })

static const VmMeaning via6522_meanings[] = {
    { "t1_latch", "T1L" }, { "t2_count", "T2C, as it was loaded" }, { "t2_latch", "T2L-L" },
    { "ora", "ORA" }, { "orb", "ORB" }, { "ddra", "DDRA: bits that are outputs" },
    { "ddrb", "DDRB: bits that are outputs" }, { "sr", "SR, the shift register" },
    { "acr", "ACR", .flags = FLAGS({ "PA_LATCH", 1 }, { "PB_LATCH", 2 }, { "SR_MODE", 0x1c }, { "T2_PULSES", 0x20 },
                                   { "T1_FREE", ACR_T1_FREE }, { "T1_PB7", 0x80 }) },
    { "pcr", "PCR", .flags = FLAGS({ "CA1", 1 }, { "CA2", 0x0e }, { "CB1", 0x10 }, { "CB2", 0xe0 }) },
    { "ifr", "IFR: interrupts that are pending", .flags = LINES },
    { "ier", "IER: interrupts that are enabled", .flags = LINES },
    { "pins_a", "port A from outside" }, { "pins_b", "port B from outside" },
    { "t1_start", "tick at which timer 1 was loaded" }, { "t2_start", "tick at which timer 2 was loaded" },
    { .name = NULL }
};

const VmState via6522_vm = { 1, via6522_fields, .name = "via6522", .post_load = via6522_post_load, .meanings = via6522_meanings };
