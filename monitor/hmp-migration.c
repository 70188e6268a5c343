/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands about migration. */
#include "util/osdep.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-migration.h"

/* ------------------------------------------------------------- commands */

void hmp_migrate(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_migrate(qdict_str_or(args, "uri", ""), true, qdict_bool_or(args, "blk", false), true,
                qdict_bool_or(args, "inc", false), false, false, true,
                qdict_bool_or(args, "resume", false), &err);
    hmp_error(hmp, err);
}

void hmp_migrate_incoming(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_migrate_incoming(qdict_str_or(args, "uri", ""), &err);
    hmp_error(hmp, err);
}

void hmp_migrate_cancel(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    (void)args;
    qmp_migrate_cancel(&err);
    hmp_error(hmp, err);
}

void hmp_migrate_pause(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    (void)args;
    qmp_migrate_pause(&err);
    hmp_error(hmp, err);
}

void hmp_migrate_start_postcopy(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    (void)args;
    qmp_migrate_start_postcopy(&err);
    hmp_error(hmp, err);
}

void hmp_migrate_continue(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;
    int state = qapi_enum_parse(&qapi_type_MigrationStatus, qdict_str_or(args, "state", ""),
                                "state", &err);

    if (state >= 0) {
        qmp_migrate_continue(state, &err);
    }
    hmp_error(hmp, err);
}

void hmp_migrate_set_capability(Hmp *hmp, const QDict *args)
{
    MigrationCapabilityStatus one = { .state = qdict_bool_or(args, "state", false) };
    MigrationCapabilityStatus *item = &one;
    MigrationCapabilityStatusList list = { 1, &item };
    Error *err = NULL;
    int cap = qapi_enum_parse(&qapi_type_MigrationCapability,
                              qdict_str_or(args, "capability", ""), "capability", &err);

    if (cap >= 0) {
        one.capability = cap;
        qmp_migrate_set_capabilities(&list, &err);
    }
    hmp_error(hmp, err);
}

void hmp_complete_capability(GPtrArray *candidates, const char *prefix)
{
    for (int i = 0; i < MIGRATION_CAPABILITY__MAX; i++) {
        hmp_candidate(candidates, prefix, MigrationCapability_name(i));
    }
}

void hmp_migrate_set_parameter(Hmp *hmp, const QDict *args)
{
    MigrateSetParameters set = { 0 };
    Error *err = NULL;
    QDict *d = qdict_new();

    /* By the schema: names, types and suffixes of sizes are those of the QMP command. */
    qdict_put_str(d, qdict_str_or(args, "parameter", ""), qdict_str_or(args, "value", ""));
    if (qapi_decode_struct(&qapi_type_MigrateSetParameters, d, QAPI_DECODE_KEYVAL, &set, &err)) {
        qmp_migrate_set_parameters(&set, &err);
        qapi_clear_struct(&qapi_type_MigrateSetParameters, &set);
    }
    qobject_unref(d);
    hmp_error(hmp, err);
}

void hmp_complete_parameter(GPtrArray *candidates, const char *prefix)
{
    for (size_t i = 0; i < qapi_type_MigrateSetParameters.n_members; i++) {
        hmp_candidate(candidates, prefix, qapi_type_MigrateSetParameters.members[i].name);
    }
}

/* ----------------------------------------------------------------- info */

static void show_ram(Hmp *hmp, const MigrationStats *s)
{
    hmp_printf(hmp, "transferred ram: %" PRId64 " kbytes\n", s->transferred >> 10);
    hmp_printf(hmp, "throughput: %0.2f mbps\n", s->mbps);
    hmp_printf(hmp, "remaining ram: %" PRId64 " kbytes\n", s->remaining >> 10);
    hmp_printf(hmp, "total ram: %" PRId64 " kbytes\n", s->total >> 10);
    hmp_printf(hmp, "duplicate: %" PRId64 " pages\n", s->duplicate);
    hmp_printf(hmp, "skipped: %" PRId64 " pages\n", s->skipped);
    hmp_printf(hmp, "normal: %" PRId64 " pages\n", s->normal);
    hmp_printf(hmp, "normal bytes: %" PRId64 " kbytes\n", s->normal_bytes >> 10);
    hmp_printf(hmp, "dirty sync count: %" PRId64 "\n", s->dirty_sync_count);
    hmp_printf(hmp, "page size: %" PRId64 " kbytes\n", s->page_size >> 10);
    hmp_printf(hmp, "multifd bytes: %" PRIu64 " kbytes\n", s->multifd_bytes >> 10);
    hmp_printf(hmp, "pages-per-second: %" PRIu64 "\n", s->pages_per_second);
    if (s->dirty_pages_rate) {
        hmp_printf(hmp, "dirty pages rate: %" PRId64 " pages\n", s->dirty_pages_rate);
    }
    hmp_printf(hmp, "precopy ram: %" PRIu64 " kbytes\n", s->precopy_bytes >> 10);
    hmp_printf(hmp, "downtime ram: %" PRIu64 " kbytes\n", s->downtime_bytes >> 10);
}

void hmp_info_migrate(Hmp *hmp, const QDict *args)
{
    MigrationInfo *info = qmp_query_migrate(NULL);

    (void)args;
    for (size_t i = 0; info->blocked_reasons && i < info->blocked_reasons->n; i++) {
        hmp_printf(hmp, "%s%s\n", i ? "" : "Outgoing migration blocked:\n",
                   info->blocked_reasons->items[i]);
    }
    if (info->has_status) {
        hmp_printf(hmp, "Migration status: %s%s%s%s\n", MigrationStatus_name(info->status),
                   info->error_desc ? " (" : "", info->error_desc ? info->error_desc : "",
                   info->error_desc ? ")" : "");
    }
    if (info->has_total_time) {
        hmp_printf(hmp, "total time: %" PRId64 " ms\n", info->total_time);
    }
    if (info->has_expected_downtime) {
        hmp_printf(hmp, "expected downtime: %" PRId64 " ms\n", info->expected_downtime);
    }
    if (info->has_downtime) {
        hmp_printf(hmp, "downtime: %" PRId64 " ms\n", info->downtime);
    }
    if (info->has_setup_time) {
        hmp_printf(hmp, "setup: %" PRId64 " ms\n", info->setup_time);
    }
    if (info->ram) {
        show_ram(hmp, info->ram);
    }
    if (info->xbzrle_cache) {
        const XBZRLECacheStats *x = info->xbzrle_cache;

        hmp_printf(hmp, "cache size: %" PRIu64 " bytes\n", x->cache_size);
        hmp_printf(hmp, "xbzrle transferred: %" PRId64 " kbytes\n", x->bytes >> 10);
        hmp_printf(hmp, "xbzrle pages: %" PRId64 " pages\n", x->pages);
        hmp_printf(hmp, "xbzrle cache miss: %" PRId64 " pages\n", x->cache_miss);
        hmp_printf(hmp, "xbzrle cache miss rate: %0.2f\n", x->cache_miss_rate);
        hmp_printf(hmp, "xbzrle encoding rate: %0.2f\n", x->encoding_rate);
        hmp_printf(hmp, "xbzrle overflow: %" PRId64 "\n", x->overflow);
    }
    if (info->has_cpu_throttle_percentage) {
        hmp_printf(hmp, "cpu throttle percentage: %" PRId64 "\n", info->cpu_throttle_percentage);
    }
    qapi_free_MigrationInfo(info);
}

void hmp_info_migrate_capabilities(Hmp *hmp, const QDict *args)
{
    MigrationCapabilityStatusList *list = qmp_query_migrate_capabilities(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        hmp_printf(hmp, "%s: %s\n", MigrationCapability_name(list->items[i]->capability),
                   list->items[i]->state ? "on" : "off");
    }
    qapi_free_MigrationCapabilityStatusList(list);
}

void hmp_info_migrate_parameters(Hmp *hmp, const QDict *args)
{
    MigrationParameters *p = qmp_query_migrate_parameters(NULL);
    QDict *d = qapi_encode_struct(&qapi_type_MigrationParameters, p);

    (void)args;
    QDICT_FOR_EACH(e, d) {
        int64_t number;
        bool on;

        if (qobject_get_int(e->value, e->key, &number, NULL)) {
            hmp_printf(hmp, "%s: %" PRId64 "%s\n", e->key, number,
                       !strcmp(e->key, "max-bandwidth") ? " bytes/second" :
                       !strcmp(e->key, "downtime-limit") ? " ms" : "");
        } else if (qobject_get_bool(e->value, e->key, &on, NULL)) {
            hmp_printf(hmp, "%s: %s\n", e->key, on ? "on" : "off");
        } else if (qobject_to_string(e->value)) {
            hmp_printf(hmp, "%s: '%s'\n", e->key, qstring_value(e->value));
        }
    }
    qobject_unref(d);
    qapi_free_MigrationParameters(p);
}
