/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to questions about what isn't there, and about the log's items. */
#include "util/osdep.h"
#include <glib.h>
#include "monitor/monitor-int.h"
#include "qapi/commands-stats.h"
#include "qapi/commands-tpm.h"
#include "qapi/commands-trace.h"
#include "util/log.h"

StatsResultList *qmp_query_stats(UNUSED const StatsFilter *filter, UNUSED Error **errp)
{
    return qapi_new(StatsResultList);
}

StatsSchemaList *qmp_query_stats_schemas(UNUSED bool has_provider,
                                         UNUSED StatsProvider provider, UNUSED Error **errp)
{
    return qapi_new(StatsSchemaList);
}

TpmModelList *qmp_query_tpm_models(UNUSED Error **errp)
{
    return qapi_new(TpmModelList);
}

TpmTypeList *qmp_query_tpm_types(UNUSED Error **errp)
{
    return qapi_new(TpmTypeList);
}

/* -------------------------------------------------------------- tracing */

/* The items that @name, a name or pattern, means; 0 with *errp set. */
static uint32_t find_items(const char *name, bool has_vcpu, Error **errp)
{
    uint32_t mask = 0;

    if (has_vcpu) {
        error_setf(errp, ERR_NOT_SUPPORTED, "no event belongs to a vCPU");
        error_argument(errp, "vcpu", NULL, NULL);
        return 0;
    }
    for (const LogItem *item = log_items; item->name; item++) {
        if (g_pattern_match_simple(name, item->name)) {
            mask |= item->mask;
        }
    }
    /* A pattern may well match nothing; a name must be one. */
    if (!mask && !strpbrk(name, "*?")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "unknown event \"%s\"", name);
        error_argument(errp, "name", name, "an item of -d help, or a pattern");
    }
    return mask;
}

TraceEventInfoList *qmp_trace_event_get_state(const char *name, bool has_vcpu,
                                              UNUSED int64_t vcpu, Error **errp)
{
    TraceEventInfoList *list;
    Error *err = NULL;
    uint32_t mask = find_items(name, has_vcpu, &err);

    if (err) {
        error_propagate(errp, err);
        return NULL;
    }
    list = qapi_new(TraceEventInfoList);
    for (const LogItem *item = log_items; item->name; item++) {
        if (item->mask & mask) {
            TraceEventInfo *info = qapi_new(TraceEventInfo);

            info->name = strdup(item->name);
            info->state = log_is_on(item->mask) ? TRACE_EVENT_STATE_ENABLED
                                                : TRACE_EVENT_STATE_DISABLED;
            qapi_list_append(list, info);
        }
    }
    return list;
}

bool qmp_trace_event_set_state(const char *name, bool enable, UNUSED bool has_ignore_unavailable,
                               UNUSED bool ignore_unavailable, bool has_vcpu,
                               UNUSED int64_t vcpu, Error **errp)
{
    Error *err = NULL;
    uint32_t mask = find_items(name, has_vcpu, &err);

    if (err) {
        error_propagate(errp, err);
        return false;
    }
    log_set_mask(enable ? log_mask | mask : log_mask & ~mask);
    return true;
}
