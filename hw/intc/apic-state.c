/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state of a local APIC means (Intel SDM 3A, chapter 11). */
#include "util/osdep.h"
#include "hw/intc/apic-state.h"

static char *lvt_text(uint64_t e)
{
    static const char *const modes[] = { "fixed", "reserved", "SMI", "reserved", "NMI", "INIT", "reserved",
                                         "ExtINT" };
    unsigned mode = (unsigned)(e >> 8) & 7;

    return g_strdup_printf("%s%s", modes[mode], e & BIT(16) ? ", masked" : "");
}

static char *icr_text(uint64_t icr)
{
    static const char *const modes[] = { "fixed", "lowest priority", "SMI", "reserved", "NMI", "INIT", "startup",
                                         "reserved" };
    static const char *const targets[] = { NULL, "itself", "all", "all others" };
    unsigned target = (unsigned)(icr >> 18) & 3;

    if (target) {
        return g_strdup_printf("%s to %s", modes[icr >> 8 & 7], targets[target]);
    }
    return g_strdup_printf("%s to %s 0x%x", modes[icr >> 8 & 7], icr & BIT(11) ? "logical" : "APIC",
                           (unsigned)(icr >> 32));
}

const VmMeaning apic_meanings[] = {
    { "xapic_id", "ID register, bits 31:24" }, { "esr_new", "errors since ESR was written" },
    { "sipi_vector", "of the start-up IPI" },
    { "deadline", "IA32_TSC_DEADLINE" },
    { "base", "IA32_APIC_BASE", .flags = FLAGS({ "BSP", BIT(8) }, { "X2APIC", BIT(10) }, { "EN", BIT(11) }) },
    { "tpr", "task priority" }, { "ldr", "logical destination" }, { "dfr", "destination format" },
    { "svr", "spurious vector", .flags = FLAGS({ "VECTOR", 0xff }, { "ENABLE", BIT(8) }, { "FOCUS", BIT(9) },
                                               { "NO_EOI_BROADCAST", BIT(12) }) },
    { "esr", "error status", .flags = FLAGS({ "SEND_VECTOR", BIT(5) }, { "RECV_VECTOR", BIT(6) },
                                            { "REGISTER", BIT(7) }) },
    { "lvt", "local vector table", ELEMENTS("timer", "thermal", "performance", "LINT0", "LINT1", "error"),
      .text = lvt_text,
      .flags = FLAGS({ "VECTOR", 0xff }, { "PENDING", BIT(12) }, { "POLARITY", BIT(13) }, { "REMOTE_IRR", BIT(14) },
                     { "LEVEL", BIT(15) }, { "MASKED", BIT(16) }) },
    { "dcr", "divider of the timer", .flags = FLAGS({ "DIV", 0xb }) },
    { "init_count", "of the timer" }, { "icr", "interrupt command", .text = icr_text },
    { "irr", "requested vectors, a bit each" }, { "isr", "vectors in service, a bit each" },
    { "tmr", "vectors that are level-triggered, a bit each" }, { "lint", "levels of LINT0, LINT1" },
    { .name = NULL }
};

static void print_vectors(StateView *v, StateNode *into)
{
    state_view_add_set_bits(v, into, "pending", "irr")->help = "vectors";
    state_view_add_set_bits(v, into, "in-service", "isr")->help = "vectors";
    state_view_add_set_bits(v, into, "level-triggered", "tmr")->help = "vectors";
}

static void print_timer(StateView *v, StateNode *into)
{
    static const char *const modes[] = { "one-shot", "periodic", "TSC deadline", "reserved" };
    uint32_t lvt = (uint32_t)state_view_get(v, "lvt.timer"), dcr = (uint32_t)state_view_get(v, "dcr");
    /* Figure 11-10. */
    unsigned shift = (((dcr & 3) | (dcr >> 1 & 4)) + 1) & 7;
    uint64_t count = state_view_get(v, "init_count"), ns = count << shift;
    StateNode *n = state_add_text(into, "mode", modes[lvt >> 17 & 3]);

    state_add_uint(into, "divider", UINT64_C(1) << shift, 32);
    n = state_add_uint(into, "count", count, 32);
    if (!count) {
        state_mean(n, "stopped");
    } else if ((lvt >> 17 & 3) == 1) {
        state_mean(n, "every %" PRIu64 ".%03u us, %" PRIu64 " Hz", ns / 1000, (unsigned)(ns % 1000),
                   UINT64_C(1000000000) / (ns ? ns : 1));
    } else {
        state_mean(n, "%" PRIu64 ".%03u us after it was loaded", ns / 1000, (unsigned)(ns % 1000));
    }
}

const StatePrinter apic_printers[] = {
    { "vectors", "by number", print_vectors }, { "timer", "as it is programmed", print_timer }, { NULL, NULL, NULL }
};
