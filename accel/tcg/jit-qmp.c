/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's window into the code generator. */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/stats.h"
#include "qapi/commands-machine.h"

static double per(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

/* Places in translated code that call a helper, rather than doing the work inline. */
static void append_helpers(GString *s, uint64_t insns)
{
    TcgHelperCount *list = g_new(TcgHelperCount, TCG_HELPERS_MAX);
    unsigned n = tcg_helper_counts(list);
    uint64_t sum = 0;

    for (unsigned k = 0; k < n; k++) {
        sum += list[k].places;
    }
    g_string_append_printf(s, "Helper calls          %" PRIu64 " places (%.2f of 100 guest "
                           "instructions)\n", sum, 100 * per(sum, insns));
    for (unsigned k = 0; k < n; k++) {
        g_string_append_printf(s, "    %-20s %10" PRIu64 "\n", list[k].name, list[k].places);
    }
    g_free(list);
}

static void append_left(GString *s, const TcgInfo *i)
{
    static const char *const why[TCG_LEFT_NUM] = {
        [TCG_LEFT_LINK] = "unlinked jump", [TCG_LEFT_LOOKUP] = "look-up",
        [TCG_LEFT_REQUEST] = "request", [TCG_LEFT_NEXT] = "mode",
        [TCG_LEFT_IRQ] = "interrupts", [TCG_LEFT_STALE] = "patched code",
        [TCG_LEFT_HOT] = "hot region",
        [TCG_LEFT_FAULT] = "fault", [TCG_LEFT_OTHER] = "other",
    };

    g_string_append(s, "Exits because of     ");
    for (unsigned k = 0; k < TCG_LEFT_NUM; k++) {
        g_string_append_printf(s, "%s %s %" PRIu64, k ? "," : "", why[k], i->left[k]);
    }
    g_string_append_c(s, '\n');
}

HumanReadableText *qmp_x_query_jit(Error **errp)
{
    TcgInfo i = tcg_info();
    HumanReadableText *text;
    GString *s;

    if (!i.backend) {
        error_setf(errp, ERR_WRONG_STATE,
                   "JIT information is only available with accel=tcg");
        return NULL;
    }
    s = g_string_new(NULL);
    g_string_append_printf(s, "Back end              %s\n", i.backend);
    g_string_append_printf(s, "Code cache            %" PRIu64 " of %" PRIu64 " KiB used\n",
                           i.cache_used / 1024, i.cache_size / 1024);
    g_string_append_printf(s, "Regions               %" PRIu64 " translated, %" PRIu64
                           " valid, %" PRIu64 " invalidated\n", i.regions, i.live,
                           i.invalidated);
    g_string_append_printf(s, "Guest code            %" PRIu64 " instructions, %" PRIu64
                           " bytes (%.1f instructions a region)\n", i.guest_insns,
                           i.guest_bytes, per(i.guest_insns, i.regions));
    g_string_append_printf(s, "Host code             %" PRIu64 " bytes (%.2f a guest byte)\n",
                           i.code_bytes, per(i.code_bytes, i.guest_bytes));
    g_string_append_printf(s, "Translation           %.3f s, %.1f MB of guest code a second\n",
                           i.translate_ns / 1e9, per(i.guest_bytes * 1000, i.translate_ns));
    g_string_append_printf(s, "Patched code          %" PRIu64 " regions compared at entry, %"
                           PRIu64 " times not as they were\n", i.guarded, i.stale);
    g_string_append_printf(s, "Cache flushes         %" PRIu64 "\n", i.flushes);
    g_string_append_printf(s, "Jumps                 %" PRIu64 " chained, %" PRIu64
                           " look-ups, %" PRIu64 " exits\n", i.chained, i.lookups, i.leaves);
    append_left(s, &i);
    g_string_append_printf(s, "TLB                   %" PRIu64 " fills, %" PRIu64
                           " flushes, %" PRIu64 " of one page\n", i.tlb_fills, i.tlb_flushes,
                           i.page_flushes);
    g_string_append_printf(s, "Slow memory accesses  %" PRIu64 " loads, %" PRIu64
                           " stores, of these %" PRIu64 " to devices\n", i.slow_loads,
                           i.slow_stores, i.mmio);
    g_string_append_printf(s, "Events                %" PRIu64 " exceptions, %" PRIu64
                           " interrupts, %" PRIu64 " self-modifying stores\n", i.exceptions,
                           i.interrupts, i.smc_retries);
    append_helpers(s, i.guest_insns);
    text = qapi_new(HumanReadableText);
    text->human_readable_text = g_string_free(s, false);
    return text;
}
