/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the 8254 is programmed to do, in words. */
#include "util/osdep.h"
#include "hw/timer/i8254.h"
#include "hw/timer/i8254-state.h"

const VmMeaning pit_channel_meanings[] = {
    { "write_low", "low half of a count, whose other half is to come" }, { "latch", "the count that was latched" },
    { "status", "the status that was latched", .flags = FLAGS({ "BCD", 1 }, { "MODE", 0x0e }, { "RW", 0x30 },
      { "NULL_COUNT", 0x40 },
      { "OUTPUT", 0x80 }) },
    { "mode", "counting mode", VALUES("interrupt on terminal count", "one-shot", "rate generator", "square wave",
                                      "software strobe", "hardware strobe") },
    { "rw", "how the count is accessed", VALUES("latch", "low byte", "high byte", "low, then high byte") },
    { "latched", "bytes of the latched count still unread" }, { "count", "clocks of 1193182 Hz" },
    { "stopped_ns", "time counted when the gate went low; -1: it counts" },
    { .name = NULL }
};

static void print_channels(StateView *v, StateNode *into)
{
    static const char *const names[] = { "timer0 (IRQ0)", "timer1 (refresh)", "timer2 (speaker)" };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        uint64_t count = state_view_get(v, "ch[%u].count", i), mode = state_view_get(v, "ch[%u].mode", i);
        uint64_t mhz = count ? I8254_HZ * UINT64_C(1000) / count : 0;
        StateNode *n = state_add_uint(into, names[i], count, 32);

        if (!state_view_get(v, "ch[%u].loaded", i)) {
            state_mean(n, "waits for a count");
        } else if (mode == 2 || mode == 3) {
            state_mean(n, "%" PRIu64 ".%03u Hz%s", mhz / 1000, (unsigned)(mhz % 1000),
                       state_view_get(v, "ch[%u].gate", i) ? "" : ", gate low");
        } else {
            state_mean(n, "%" PRIu64 " us once%s", count * 1000000 / I8254_HZ,
                       state_view_get(v, "ch[%u].gate", i) ? "" : ", gate low");
        }
    }
}

const StatePrinter pit_printers[] = {
    { "timers", "what they are programmed to do", print_channels }, { NULL, NULL, NULL }
};
