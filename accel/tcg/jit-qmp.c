/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's window into the code generator. */
#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/profile.h"
#include "accel/tcg/stats.h"
#include "qapi/commands-machine.h"

#define HOTTEST     32

static double per(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

static JitLeaveReason reason(unsigned left)
{
    static const JitLeaveReason reasons[TCG_LEFT_NUM] = {
        [TCG_LEFT_LINK] = JIT_LEAVE_REASON_UNLINKED_JUMP,
        [TCG_LEFT_LOOKUP] = JIT_LEAVE_REASON_LOOK_UP,
        [TCG_LEFT_REQUEST] = JIT_LEAVE_REASON_REQUEST, [TCG_LEFT_NEXT] = JIT_LEAVE_REASON_MODE,
        [TCG_LEFT_IRQ] = JIT_LEAVE_REASON_INTERRUPTS,
        [TCG_LEFT_STALE] = JIT_LEAVE_REASON_PATCHED_CODE,
        [TCG_LEFT_HOT] = JIT_LEAVE_REASON_HOT_REGION, [TCG_LEFT_FAULT] = JIT_LEAVE_REASON_FAULT,
        [TCG_LEFT_OTHER] = JIT_LEAVE_REASON_OTHER,
    };

    return reasons[left];
}

static void add_tiers(JitInfo *j, const TcgInfo *i)
{
    for (unsigned k = 0; k < 2; k++) {
        const TcgTierInfo *from = &i->tier[k];
        JitTier *t = qapi_new(JitTier);

        t->name = k ? JIT_TIER_NAME_OPTIMISED : JIT_TIER_NAME_QUICK;
        t->regions = from->regions;
        t->guest_instructions = from->guest_insns;
        t->guest_bytes = from->guest_bytes;
        t->host_bytes = from->code_bytes;
        t->nanoseconds = from->ns;
        t->guest_bytes_per_second = (uint64_t)(per(from->guest_bytes, from->ns) * 1e9);
        qapi_list_append(j->tiers, t);
    }
}

/* Places in translated code that call a helper, rather than doing the work inline. */
static void add_helpers(JitInfo *j)
{
    TcgHelperCount *list = g_new(TcgHelperCount, TCG_HELPERS_MAX);
    unsigned n = tcg_helper_counts(list);

    for (unsigned k = 0; k < n; k++) {
        JitHelper *h = qapi_new(JitHelper);

        h->name = strdup(list[k].name);
        h->places = list[k].places;
        qapi_list_append(j->helpers, h);
    }
    g_free(list);
}

static void add_samples(JitInfo *j)
{
    ProfilePlace list[HOTTEST];
    unsigned n = profile_top(list, HOTTEST, &j->samples_taken);

    for (unsigned k = 0; k < n; k++) {
        JitSample *s = qapi_new(JitSample);
        const char *symbol = tcg_symbol(list[k].pc, &s->offset);

        s->pc = list[k].pc;
        s->mode = list[k].mode;
        s->samples = list[k].samples;
        if (symbol) {
            s->symbol = strdup(symbol);
            s->has_offset = true;
        }
        qapi_list_append(j->hottest, s);
    }
}

JitInfo *qmp_query_jit(Error **errp)
{
    TcgInfo i = tcg_info();
    JitInfo *j;

    if (!i.backend) {
        error_setf(errp, ERR_WRONG_STATE,
                   "JIT information is only available with accel=tcg");
        return NULL;
    }
    j = qapi_new(JitInfo);
    j->tiers = qapi_new(JitTierList);
    j->leaves = qapi_new(JitLeaveList);
    j->helpers = qapi_new(JitHelperList);
    j->hottest = qapi_new(JitSampleList);
    j->backend = strdup(i.backend);
    j->cache_size = i.cache_size;
    j->cache_used = i.cache_used;
    j->regions_valid = i.live;
    j->regions_invalidated = i.invalidated;
    j->cache_flushes = i.flushes;
    j->cache_reclaims = i.reclaimed;
    add_tiers(j, &i);
    j->guarded_regions = i.guarded;
    j->guards_failed = i.stale;
    j->jumps_linked = i.chained;
    j->look_ups = i.lookups;
    for (unsigned k = 0; k < TCG_LEFT_NUM; k++) {
        JitLeave *l = qapi_new(JitLeave);

        l->reason = reason(k);
        l->count = i.left[k];
        qapi_list_append(j->leaves, l);
    }
    j->tlb_fills = i.tlb_fills;
    j->tlb_kept = i.tlb_kept;
    j->tlb_flushes = i.tlb_flushes;
    j->tlb_page_flushes = i.page_flushes;
    j->slow_loads = i.slow_loads;
    j->slow_stores = i.slow_stores;
    j->device_accesses = i.mmio;
    j->slow_per_leave = per(i.slow_loads + i.slow_stores, i.leaves);
    j->exceptions = i.exceptions;
    j->interrupts = i.interrupts;
    j->self_modifying_stores = i.smc_retries;
    add_helpers(j);
    add_samples(j);
    return j;
}

static void show_tiers(GString *s, const JitInfo *j)
{
    for (size_t k = 0; k < j->tiers->n; k++) {
        const JitTier *t = j->tiers->items[k];

        g_string_append_printf(s, "Tier %-16s %" PRIu64 " regions of %.1f instructions, %" PRIu64
                               " bytes of guest code, %.2f host bytes for each, %.3f s, "
                               "%.1f MB a second\n", JitTierName_name(t->name), t->regions,
                               per(t->guest_instructions, t->regions), t->guest_bytes,
                               per(t->host_bytes, t->guest_bytes), t->nanoseconds / 1e9,
                               t->guest_bytes_per_second / 1e6);
    }
}

static void show_helpers(GString *s, const JitInfo *j)
{
    uint64_t places = 0, insns = 0;

    for (size_t k = 0; k < j->helpers->n; k++) {
        places += j->helpers->items[k]->places;
    }
    for (size_t k = 0; k < j->tiers->n; k++) {
        insns += j->tiers->items[k]->guest_instructions;
    }
    g_string_append_printf(s, "Helper calls          %" PRIu64 " places (%.2f of 100 guest "
                           "instructions)\n", places, 100 * per(places, insns));
    for (size_t k = 0; k < j->helpers->n; k++) {
        g_string_append_printf(s, "    %-20s %10" PRIu64 "\n", j->helpers->items[k]->name,
                               j->helpers->items[k]->places);
    }
}

static void show_samples(GString *s, const JitInfo *j)
{
    if (!j->samples_taken) {
        return;
    }
    g_string_append_printf(s, "Profile               %" PRIu64 " samples\n", j->samples_taken);
    for (size_t k = 0; k < j->hottest->n; k++) {
        const JitSample *h = j->hottest->items[k];

        g_string_append_printf(s, "    %5.1f %%  %016" PRIx64 " mode %08" PRIx64,
                               100 * per(h->samples, j->samples_taken), h->pc, h->mode);
        if (h->symbol) {
            g_string_append_printf(s, " %s+0x%" PRIx64, h->symbol, h->offset);
        }
        g_string_append_c(s, '\n');
    }
}

/* For people: what query-jit says. */
HumanReadableText *qmp_x_query_jit(Error **errp)
{
    JitInfo *j = qmp_query_jit(errp);
    HumanReadableText *text;
    GString *s;

    if (!j) {
        return NULL;
    }
    s = g_string_new(NULL);
    g_string_append_printf(s, "Back end              %s\n", j->backend);
    g_string_append_printf(s, "Code cache            %" PRIu64 " of %" PRIu64
                           " KiB used, parts reclaimed %" PRIu64 " times, flushed %" PRIu64 " times\n",
                           j->cache_used / 1024, j->cache_size / 1024, j->cache_reclaims, j->cache_flushes);
    g_string_append_printf(s, "Regions               %" PRIu64 " valid, %" PRIu64
                           " invalidated\n", j->regions_valid, j->regions_invalidated);
    show_tiers(s, j);
    g_string_append_printf(s, "Patched code          %" PRIu64 " regions compared at entry, %"
                           PRIu64 " times not as they were\n", j->guarded_regions,
                           j->guards_failed);
    g_string_append_printf(s, "Jumps                 %" PRIu64 " chained, %" PRIu64
                           " look-ups\n", j->jumps_linked, j->look_ups);
    g_string_append(s, "Exits because of     ");
    for (size_t k = 0; k < j->leaves->n; k++) {
        g_string_append_printf(s, "%s %s %" PRIu64, k ? "," : "",
                               JitLeaveReason_name(j->leaves->items[k]->reason),
                               j->leaves->items[k]->count);
    }
    g_string_append_printf(s, "\nTLB                   %" PRIu64 " fills, %" PRIu64 " of them kept, %" PRIu64
                           " flushes, %" PRIu64 " of one page\n", j->tlb_fills, j->tlb_kept, j->tlb_flushes,
                           j->tlb_page_flushes);
    g_string_append_printf(s, "Slow memory accesses  %" PRIu64 " loads, %" PRIu64
                           " stores, of these %" PRIu64 " to devices; %.2f for each exit\n",
                           j->slow_loads, j->slow_stores, j->device_accesses, j->slow_per_leave);
    g_string_append_printf(s, "Events                %" PRIu64 " exceptions, %" PRIu64
                           " interrupts, %" PRIu64 " self-modifying stores\n", j->exceptions,
                           j->interrupts, j->self_modifying_stores);
    show_helpers(s, j);
    show_samples(s, j);
    qapi_free_JitInfo(j);
    text = qapi_new(HumanReadableText);
    text->human_readable_text = g_string_free(s, false);
    return text;
}
