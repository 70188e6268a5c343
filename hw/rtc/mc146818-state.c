/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an MC146818 clock is programmed to do. */
#include "util/osdep.h"
#include "hw/rtc/mc146818-state.h"

/* DS, figure 12; the rest is memory that firmware uses. */
const VmMeaning rtc_meanings[] = {
    { "cmos", "registers and memory", ELEMENTS("seconds", "seconds-alarm", "minutes", "minutes-alarm", "hours",
                                               "hours-alarm", "weekday", "day", "month", "year", "A", "B", "C", "D") },
    { "index", "byte that the data port reaches" }, { "offset_ns", "the guest's time is the clock plus this" },
    { "frozen_ns", "fraction of a second while the clock is set" }, { "lost_ticks", "periods to be made up for" },
    { .name = NULL }
};

static uint64_t cmos(const StateView *v, const char *name)
{
    return state_view_get(v, "cmos.%s", name);
}

/* Of a time's byte, binary or BCD. */
static unsigned number(const StateView *v, uint64_t b)
{
    return (unsigned)(cmos(v, "B") & 4 ? b : (b >> 4) * 10 + (b & 15));
}

static void print_control(StateView *v, StateNode *into)
{
    StateNode *a = state_add_uint(into, "A", cmos(v, "A"), 8), *n;
    unsigned rate = (unsigned)a->u & 15;

    state_add_flags(a, FLAGS({ "UIP", BIT(7) }, { "DV", 0x70 }, { "RS", 0x0f }));
    if (rate) {
        /* DS, table 5: rates 1 and 2 are those of 8 and 9. */
        unsigned hz = 32768u >> ((rate < 3 ? rate + 7 : rate) - 1);

        state_mean(a, "periodic interrupt at %u Hz", hz);
    }
    n = state_add_uint(into, "B", cmos(v, "B"), 8);
    state_add_flags(n, FLAGS({ "SET", BIT(7) }, { "PIE", BIT(6) }, { "AIE", BIT(5) }, { "UIE", BIT(4) },
                             { "SQWE", BIT(3) }, { "DM", BIT(2) }, { "24H", BIT(1) }, { "DSE", BIT(0) }));
    n = state_add_uint(into, "C", cmos(v, "C"), 8);
    state_add_flags(n, FLAGS({ "IRQF", BIT(7) }, { "PF", BIT(6) }, { "AF", BIT(5) }, { "UF", BIT(4) }));
    n = state_add_uint(into, "D", cmos(v, "D"), 8);
    state_add_flags(n, FLAGS({ "VRT", BIT(7) }));
}

static void alarm_part(GString *s, const StateView *v, const char *name, const char *separator)
{
    uint64_t b = cmos(v, name);

    /* DS: the two highest bits mean any. */
    if ((b & 0xc0) == 0xc0) {
        g_string_append_printf(s, "**%s", separator);
    } else {
        g_string_append_printf(s, "%02u%s", number(v, b), separator);
    }
}

static void print_alarm(StateView *v, StateNode *into)
{
    g_autoptr(GString) s = g_string_new(NULL);
    StateNode *n;

    alarm_part(s, v, "hours-alarm", ":");
    alarm_part(s, v, "minutes-alarm", ":");
    alarm_part(s, v, "seconds-alarm", "");
    n = state_add_text(into, "alarm", s->str);
    state_mean(n, "interrupt %s", cmos(v, "B") & BIT(5) ? "on" : "off");
}

const StatePrinter rtc_printers[] = {
    { "control", "registers A to D", print_control }, { "alarm", "hours, minutes, seconds; ** is any", print_alarm },
    { NULL, NULL, NULL }
};
