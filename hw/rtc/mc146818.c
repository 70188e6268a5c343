/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MC146818A real-time clock and CMOS RAM.
 *
 * Source: Motorola MC146818A data sheet ("DS"). The century at 32h and the
 * index port's NMI bit are PC conventions.
 * The time is the clock's (property "clock") plus an offset that changes when
 * the guest sets it. Updates take no time that a guest could see but for the
 * UIP bit. Not modelled: daylight saving (DSE reads back), the square wave.
 */
#include "util/osdep.h"
#include "hw/rtc/mc146818.h"
#include "hw/rtc/mc146818-state.h"
#include "hw/rtc/rtc-base.h"

#include <glib.h>
#include <time.h>
#include "hw/core/runstate.h"
#include "qapi/commands-misc.h"
#include "qapi/events-machine.h"
#include "util/host-utils.h"
#include "util/timer.h"

/* DS, figure 12 (address map). */
enum { RTC_SECONDS, RTC_SECONDS_ALARM, RTC_MINUTES, RTC_MINUTES_ALARM, RTC_HOURS,
       RTC_HOURS_ALARM, RTC_WEEKDAY, RTC_DAY, RTC_MONTH, RTC_YEAR,
       RTC_A, RTC_B, RTC_C, RTC_D, RTC_RAM, RTC_CENTURY = 0x32, RTC_SIZE = 128 };
#define A_UIP           BIT(7)
#define A_DV            (7u << 4)
#define A_DV_32KHZ      (2u << 4)
#define A_DV_RESET      (6u << 4)       /* 11x: held in reset */
#define A_RS            0x0f
#define B_SET           BIT(7)
#define B_PIE           BIT(6)
#define B_AIE           BIT(5)
#define B_UIE           BIT(4)
#define B_DM            BIT(2)          /* binary */
#define B_24H           BIT(1)
#define C_IRQF          BIT(7)
#define C_PF            BIT(6)
#define C_AF            BIT(5)
#define C_UF            BIT(4)
#define D_VRT           BIT(7)
#define HOUR_PM         0x80
#define ALARM_ANY       0xc0            /* DS: two most significant bits set */

#define IOBASE          0x70
#define IRQ_RTC         8
/* DS, "Update cycle": UIP rises 244 us before; a first update comes half a
 * second after the divider's reset was let go. */
#define UIP_NS          (244 * NS_PER_US)
#define FIRST_UPDATE_NS (NS_PER_SECOND / 2)
#define PERIODIC_HZ     32768

/* A date far from ours doesn't fit a count of nanoseconds: it is taken as the
 * nearest of these (seconds since 1970; years 1811 and 2191). */
#define RTC_EARLIEST    INT64_C(-5000000000)
#define RTC_LATEST      INT64_C(7000000000)

enum { LOST_TICK_DISCARD, LOST_TICK_SLEW };
static const char *const lost_tick_policies[] = { "discard", "slew", NULL };
#define LOST_TICKS_MAX  100000          /* more and the guest does nothing else */

typedef struct RtcState {
    ISADevice isa;
    MemRegion io;
    IrqLine *irq;
    Timer periodic, update;
    /* Properties. */
    char *base;
    int clock;
    int32_t base_year;
    int lost_tick_policy;
    /* State. */
    uint8_t cmos[RTC_SIZE];             /* time bytes are current when frozen */
    uint8_t index;
    int64_t offset_ns;                  /* the guest's time is clock + this */
    int64_t base_offset_ns;             /* what offset_ns was at the start */
    int64_t frozen_ns;                  /* fraction kept while SET */
    int64_t last_tick;                  /* number of the last period seen; 0: none */
    uint32_t lost_ticks;                /* to be made up for */
} RtcState;

DEFINE_CAST(RTC, RtcState, TYPE_MC146818_RTC)

static const ClockId rtc_clocks[] = { CLOCK_HOST, CLOCK_RT, CLOCK_VIRTUAL };
static const char *const rtc_clock_names[] = { "host", "rt", "vm", NULL };

static int64_t rtc_now_ns(const RtcState *s)
{
    return clock_get_ns(rtc_clocks[s->clock]) + s->offset_ns;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Does time stand still? */
static bool rtc_frozen(const RtcState *s)
{
    return (s->cmos[RTC_B] & B_SET) || (s->cmos[RTC_A] & A_DV_RESET) == A_DV_RESET;
}

static uint8_t rtc_to_reg(const RtcState *s, int v)
{
    return (uint8_t)(s->cmos[RTC_B] & B_DM ? v : v / 10 << 4 | v % 10);
}

static int rtc_from_reg(const RtcState *s, uint8_t v)
{
    return s->cmos[RTC_B] & B_DM ? v : (v >> 4) * 10 + (v & 15);
}

static uint8_t rtc_hour_to_reg(const RtcState *s, int hour)
{
    if (s->cmos[RTC_B] & B_24H) {
        return rtc_to_reg(s, hour);
    }
    return rtc_to_reg(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static int rtc_hour_from_reg(const RtcState *s, uint8_t v)
{
    if (s->cmos[RTC_B] & B_24H) {
        return rtc_from_reg(s, v);
    }
    return rtc_from_reg(s, v & 0x7f) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* Put a time, in seconds since 1970, into the registers. */
static void rtc_fill_registers(RtcState *s, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm)) {
        return;
    }
    s->cmos[RTC_SECONDS] = rtc_to_reg(s, tm.tm_sec);
    s->cmos[RTC_MINUTES] = rtc_to_reg(s, tm.tm_min);
    s->cmos[RTC_HOURS] = rtc_hour_to_reg(s, tm.tm_hour);
    s->cmos[RTC_WEEKDAY] = rtc_to_reg(s, tm.tm_wday + 1);
    s->cmos[RTC_DAY] = rtc_to_reg(s, tm.tm_mday);
    s->cmos[RTC_MONTH] = rtc_to_reg(s, tm.tm_mon + 1);
    s->cmos[RTC_YEAR] = rtc_to_reg(s, (tm.tm_year + 1900 - s->base_year) % 100);
    s->cmos[RTC_CENTURY] = rtc_to_reg(s, (tm.tm_year + 1900 - s->base_year) / 100 % 100);
}

/* The time that the registers show; nonsense in them becomes some time. */
static int64_t rtc_read_registers(const RtcState *s)
{
    struct tm tm = {
        .tm_sec = rtc_from_reg(s, s->cmos[RTC_SECONDS]),
        .tm_min = rtc_from_reg(s, s->cmos[RTC_MINUTES]),
        .tm_hour = rtc_hour_from_reg(s, s->cmos[RTC_HOURS]),
        .tm_mday = rtc_from_reg(s, s->cmos[RTC_DAY]),
        .tm_mon = rtc_from_reg(s, s->cmos[RTC_MONTH]) - 1,
        .tm_year = rtc_from_reg(s, s->cmos[RTC_YEAR]) + s->base_year +
                   rtc_from_reg(s, s->cmos[RTC_CENTURY]) * 100 - 1900,
    };

    return (int64_t)timegm(&tm);
}

static void rtc_refresh(RtcState *s)
{
    if (!rtc_frozen(s)) {
        rtc_fill_registers(s, floor_div(rtc_now_ns(s), NS_PER_SECOND));
    }
}

static void rtc_update_irq(RtcState *s)
{
    uint8_t c = s->cmos[RTC_C] & (C_PF | C_AF | C_UF);

    /* DS, "Register C": the enable bits have the flags' places. */
    if (c & s->cmos[RTC_B]) {
        c |= C_IRQF;
    }
    s->cmos[RTC_C] = c;
    irq_set(s->irq, c & C_IRQF ? 1 : 0);
}

/* Period of the periodic interrupt (DS, table 5); 0: none. */
static int64_t rtc_period_clocks(const RtcState *s)
{
    unsigned rs = s->cmos[RTC_A] & A_RS;

    if (!rs || (s->cmos[RTC_A] & A_DV) != A_DV_32KHZ) {
        return 0;
    }
    return INT64_C(1) << ((rs <= 2 ? rs + 7 : rs) - 1);
}

/* Nobody can see PF rise again while it is set and doesn't interrupt. */
static void rtc_arm_periodic(RtcState *s)
{
    int64_t clocks = rtc_period_clocks(s), next;

    if (!clocks || ((s->cmos[RTC_C] & C_PF) && !(s->cmos[RTC_B] & B_PIE))) {
        s->last_tick = s->lost_ticks = 0;
        timer_del(&s->periodic);
        return;
    }
    next = (int64_t)muldiv64((uint64_t)clock_get_ns(CLOCK_VIRTUAL), PERIODIC_HZ, NS_PER_SECOND);
    next = (next / clocks + 1) * clocks;
    timer_mod_ns(&s->periodic, (int64_t)muldiv64_up((uint64_t)next, NS_PER_SECOND, PERIODIC_HZ));
}

/* Ticks that went by unseen, since the host was late or the guest hadn't taken the last one. */
static void rtc_count_lost(RtcState *s)
{
    int64_t clocks = rtc_period_clocks(s), tick, lost;

    if (!clocks || !(s->cmos[RTC_B] & B_PIE)) {
        return;
    }
    tick = (int64_t)muldiv64((uint64_t)clock_get_ns(CLOCK_VIRTUAL), PERIODIC_HZ, NS_PER_SECOND) / clocks;
    lost = s->last_tick && tick > s->last_tick ? tick - s->last_tick - 1 : 0;
    lost += (s->cmos[RTC_C] & C_PF) != 0;
    s->lost_ticks = (uint32_t)MIN(s->lost_ticks + lost, LOST_TICKS_MAX);
    s->last_tick = tick;
}

static void rtc_periodic_timer(void *opaque)
{
    RtcState *s = opaque;

    if (s->lost_tick_policy == LOST_TICK_SLEW) {
        rtc_count_lost(s);
    }
    s->cmos[RTC_C] |= C_PF;
    rtc_update_irq(s);
    rtc_arm_periodic(s);
}

/* An update ends at each full second; it is waited for when it can be seen:
 * UF is clear, or there may be an alarm. */
static void rtc_arm_update(RtcState *s)
{
    int64_t now = rtc_now_ns(s), next;

    if (rtc_frozen(s) || ((s->cmos[RTC_C] & C_UF) && !(s->cmos[RTC_B] & (B_UIE | B_AIE)))) {
        timer_del(&s->update);
        return;
    }
    next = (floor_div(now, NS_PER_SECOND) + 1) * NS_PER_SECOND;
    timer_mod_ns(&s->update, next - s->offset_ns);
}

static bool rtc_alarm_byte_matches(const RtcState *s, unsigned alarm, unsigned reg)
{
    return s->cmos[alarm] >= ALARM_ANY || s->cmos[alarm] == s->cmos[reg];
}

static void rtc_update_timer(void *opaque)
{
    RtcState *s = opaque;

    rtc_refresh(s);
    s->cmos[RTC_C] |= C_UF;
    if (rtc_alarm_byte_matches(s, RTC_SECONDS_ALARM, RTC_SECONDS) &&
        rtc_alarm_byte_matches(s, RTC_MINUTES_ALARM, RTC_MINUTES) &&
        rtc_alarm_byte_matches(s, RTC_HOURS_ALARM, RTC_HOURS)) {
        s->cmos[RTC_C] |= C_AF;
        if (s->cmos[RTC_B] & B_AIE) {
            system_wakeup_request(WAKEUP_RTC, NULL);
        }
    }
    rtc_update_irq(s);
    rtc_arm_update(s);
}

int64_t mc146818_offset_s(Device *rtc)
{
    RtcState *s = RTC(rtc);

    return floor_div(s->offset_ns - s->base_offset_ns + NS_PER_SECOND / 2, NS_PER_SECOND);
}

static void rtc_time_was_set(RtcState *s)
{
    char *path = object_canonical_path(s);

    qapi_event_send_rtc_change(mc146818_offset_s(&s->isa.dev), path ? path : "");
    g_free(path);
}

/* Time runs again from what the registers say, @ns into the second. */
static void rtc_thaw(RtcState *s, int64_t ns)
{
    int64_t old = s->offset_ns, date = rtc_read_registers(s);
    int64_t change;

    date = MIN(MAX(date, RTC_EARLIEST), RTC_LATEST);
    s->offset_ns = date * NS_PER_SECOND + ns - clock_get_ns(rtc_clocks[s->clock]);
    if (__builtin_sub_overflow(s->offset_ns, old, &change) ||
        change >= NS_PER_SECOND || change <= -NS_PER_SECOND) {
        rtc_time_was_set(s);
    }
}

static void rtc_write_control(RtcState *s, unsigned reg, uint8_t val)
{
    bool was_frozen = rtc_frozen(s), divider_reset = false;

    rtc_refresh(s);
    if (reg == RTC_A) {
        divider_reset = (s->cmos[RTC_A] & A_DV_RESET) == A_DV_RESET;
        s->cmos[RTC_A] = val & (uint8_t)~A_UIP;
    } else {
        if (val & B_SET) {
            val &= (uint8_t)~B_UIE;     /* DS: SET clears UIE */
        }
        s->cmos[RTC_B] = val;
    }
    if (!was_frozen && rtc_frozen(s)) {
        s->frozen_ns = rtc_now_ns(s) - floor_div(rtc_now_ns(s), NS_PER_SECOND) * NS_PER_SECOND;
    } else if (was_frozen && !rtc_frozen(s)) {
        rtc_thaw(s, divider_reset ? FIRST_UPDATE_NS : s->frozen_ns);
    } else {
        rtc_refresh(s);         /* the format may have changed */
    }
    rtc_update_irq(s);
    rtc_arm_periodic(s);
    rtc_arm_update(s);
}

static void rtc_write_data(RtcState *s, uint8_t val)
{
    switch (s->index) {
    case RTC_SECONDS:
    case RTC_MINUTES:
    case RTC_HOURS:
    case RTC_WEEKDAY:
    case RTC_DAY:
    case RTC_MONTH:
    case RTC_YEAR:
    case RTC_CENTURY:
        if (rtc_frozen(s)) {
            s->cmos[s->index] = val;
        } else {                /* takes effect at once */
            int64_t now = rtc_now_ns(s);

            rtc_refresh(s);
            s->cmos[s->index] = val;
            rtc_thaw(s, now - floor_div(now, NS_PER_SECOND) * NS_PER_SECOND);
            rtc_arm_update(s);
        }
        break;
    case RTC_A:
    case RTC_B:
        rtc_write_control(s, s->index, val);
        break;
    case RTC_C:
    case RTC_D:
        break;                  /* DS: read-only */
    default:
        s->cmos[s->index] = val;
        break;
    }
}

static bool rtc_update_in_progress(const RtcState *s)
{
    int64_t now = rtc_now_ns(s);

    return !rtc_frozen(s) && now - floor_div(now, NS_PER_SECOND) * NS_PER_SECOND >=
                             NS_PER_SECOND - UIP_NS;
}

static uint8_t rtc_read_data(RtcState *s, bool debug)
{
    uint8_t val;

    if (s->index <= RTC_YEAR || s->index == RTC_CENTURY) {
        rtc_refresh(s);
    }
    val = s->cmos[s->index];
    if (s->index == RTC_A && rtc_update_in_progress(s)) {
        val |= A_UIP;
    } else if (s->index == RTC_C && !debug) {
        s->cmos[RTC_C] = 0;     /* DS: all flags are cleared by the read */
        rtc_update_irq(s);
        if (s->lost_ticks) {
            s->lost_ticks--;
            s->cmos[RTC_C] = C_PF;
            rtc_update_irq(s);
        }
        rtc_arm_periodic(s);
        rtc_arm_update(s);
    }
    return val;
}

static MemResult rtc_read(void *opaque, hwaddr addr, uint64_t *val,
                          UNUSED unsigned size, MemAttrs attrs)
{
    /* The index port is write-only. */
    *val = addr & 1 ? rtc_read_data(opaque, attrs.debug) : 0xff;
    return MEM_OK;
}

static MemResult rtc_write(void *opaque, hwaddr addr, uint64_t val,
                           UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    RtcState *s = opaque;

    if (addr & 1) {
        rtc_write_data(s, (uint8_t)val);
    } else {
        s->index = val & 0x7f;  /* bit 7 masks NMI, which has no source here */
    }
    return MEM_OK;
}

static const MemOps rtc_ops = {
    .read = rtc_read, .write = rtc_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

void mc146818_cmos_set(Device *rtc, unsigned addr, uint8_t val)
{
    assert(addr >= RTC_RAM && addr < RTC_SIZE);
    RTC(rtc)->cmos[addr] = val;
}

uint8_t mc146818_cmos_get(Device *rtc, unsigned addr)
{
    assert(addr < RTC_SIZE);
    return RTC(rtc)->cmos[addr];
}

/* A reset leaves the time and the RAM (DS, RESET pin). */
static void rtc_reset_hold(Device *dev)
{
    RtcState *s = RTC(dev);

    s->cmos[RTC_B] &= (uint8_t)~(B_PIE | B_AIE | B_UIE | BIT(3));
    s->cmos[RTC_C] = 0;
    s->last_tick = s->lost_ticks = 0;
    rtc_update_irq(s);
    rtc_arm_periodic(s);
    rtc_arm_update(s);
}

static void rtc_init(Device *dev)
{
    RtcState *s = RTC(dev);

    device_init_irq_out(dev, NULL, &s->irq, 1);
}

static bool rtc_realize(Device *dev, Error **errp)
{
    RtcState *s = RTC(dev);

    if (!rtc_base_offset(s->base, rtc_clocks[s->clock], &s->offset_ns, errp)) {
        return false;
    }
    s->base_offset_ns = s->offset_ns;
    s->cmos[RTC_A] = A_DV_32KHZ | 6;
    s->cmos[RTC_B] = B_24H;
    s->cmos[RTC_D] = D_VRT;
    timer_init_ns(&s->periodic, CLOCK_VIRTUAL, rtc_periodic_timer, s);
    timer_init_ns(&s->update, rtc_clocks[s->clock], rtc_update_timer, s);
    if (!s->irq) {
        s->irq = isa_get_irq(&s->isa, IRQ_RTC);
    }
    memory_region_init_io(&s->io, s, &rtc_ops, s, "rtc", 2);
    isa_register_ioport(&s->isa, &s->io, IOBASE);
    rtc_refresh(s);
    return true;
}

static void rtc_unrealize(Device *dev)
{
    RtcState *s = RTC(dev);

    timer_del(&s->periodic);
    timer_del(&s->update);
    memory_region_cleanup(&s->io);
}

static bool rtc_post_load(void *opaque, UNUSED Error **errp)
{
    RtcState *s = opaque;

    rtc_update_irq(s);
    rtc_arm_periodic(s);
    rtc_arm_update(s);
    return true;
}

static const VmField rtc_fields[] = {
    VM_U8_ARRAY(RtcState, cmos), VM_U8_RANGE(RtcState, index, 0, 0x7f),
    VM_I64(RtcState, offset_ns), VM_I64(RtcState, base_offset_ns),
    VM_I64(RtcState, frozen_ns), VM_I64(RtcState, last_tick), VM_U32_RANGE(RtcState, lost_ticks, 0, LOST_TICKS_MAX), VM_END
};

static const Property rtc_props[] = {
    PROP_STR("base", RtcState, base, NULL, "utc, localtime or a date"),
    PROP_ENUM("clock", RtcState, clock, 0, rtc_clock_names, "what drives it"),
    PROP_ENUM("lost_tick_policy", RtcState, lost_tick_policy, LOST_TICK_DISCARD, lost_tick_policies,
              "periodic interrupts that the guest couldn't take: forget them, or give them later"),
    PROP_I32("base_year", RtcState, base_year, 0, "year that the registers show as 00"),
    PROP_END
};

static const DeviceType rtc_type = {
    .name = TYPE_MC146818_RTC, .parent = TYPE_ISA_DEVICE, .size = sizeof(RtcState),
    .desc = "MC146818A real-time clock", .not_user_creatable = true,
    .props = rtc_props, .init = rtc_init, .realize = rtc_realize,
    .unrealize = rtc_unrealize, .reset_hold = rtc_reset_hold,
    .vm = { 1, rtc_fields, .post_load = rtc_post_load, .meanings = rtc_meanings },
    .printers = rtc_printers,
};
DEVICE_TYPE(rtc_type)

static int forget_ticks(Device *dev, UNUSED void *opaque)
{
    if (object_is_a(dev, TYPE_MC146818_RTC)) {
        RTC(dev)->lost_ticks = 0;
    }
    return 0;
}

bool qmp_rtc_reset_reinjection(UNUSED Error **errp)
{
    device_foreach(forget_ticks, NULL);
    return true;
}
