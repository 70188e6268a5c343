/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device-state view: what devices hold, snapshots of it, differences, watches. */
#include "util/osdep.h"
#include "hw/core/state-view.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-device-state.h"

QDict *hmp_device_state_args(const QDict *args, const char **command)
{
    QDict *query = qdict_new();
    const char *path = qdict_str_or(args, "path", NULL), *diff = qdict_str_or(args, "diff", NULL);

    if (path) {
        qdict_put_str(query, "path", path);
    }
    if (diff) {
        *command = "compare-device-state";
        qdict_put_str(query, "from", diff);
    } else if (qdict_bool_or(args, "all", false)) {
        qdict_put_bool(query, "all", true);
    }
    return query;
}

bool hmp_show_device_state(Hmp *hmp, const char *path, bool all)
{
    Error *err = NULL;
    DeviceStateInfoList *list = qmp_query_device_state(path, true, all, &err);
    g_autofree char *text = NULL;

    if (hmp_error(hmp, err)) {
        return false;
    }
    text = device_state_text(list, all);
    hmp_printf(hmp, "%s", text);
    qapi_free_DeviceStateInfoList(list);
    return true;
}

/* On one line; what consists of others as {name value, ...}. */
static char *change_text(const DeviceStateField *f)
{
    g_autofree char *value = NULL;
    GString *s;

    if (!f) {
        return g_strdup("nothing");
    }
    s = g_string_new(NULL);
    value = device_state_value_text(f);
    g_string_append(s, value);
    for (size_t i = 0; f->fields && i < f->fields->n; i++) {
        g_autofree char *part = change_text(f->fields->items[i]);

        g_string_append_printf(s, "%s%s %s", i ? ", " : s->len ? " {" : "{", f->fields->items[i]->name, part);
    }
    if (f->fields) {
        g_string_append(s, f->fields->n ? "}" : s->len ? "" : "empty");
    }
    return g_string_free(s, FALSE);
}

static void show_change(Hmp *hmp, const DeviceStateChange *c, int depth)
{
    g_autofree char *was = change_text(c->was), *is = change_text(c->is);

    if (strlen(was) + strlen(is) > 60) {
        hmp_printf(hmp, "%*s%s:\n%*swas %s\n%*sis  %s\n", depth, "", c->field, depth + 2, "", was, depth + 2, "", is);
    } else {
        hmp_printf(hmp, "%*s%s: %s -> %s\n", depth, "", c->field, was, is);
    }
}

/* The saved state, then what each printer makes of it. */
static void show_changes(Hmp *hmp, const DeviceStateChangeList *changes)
{
    const char *printer = NULL;

    for (size_t i = 0; i < changes->n; i++) {
        const DeviceStateChange *c = changes->items[i];

        if (g_strcmp0(c->printer, printer)) {
            printer = c->printer;
            hmp_printf(hmp, "  %s\n", printer);
        }
        show_change(hmp, c, printer ? 4 : 2);
    }
}

static void show_difference(Hmp *hmp, const char *from, const char *path)
{
    Error *err = NULL;
    DeviceStateDifferenceList *list = qmp_compare_device_state(from, NULL, path, &err);

    if (hmp_error(hmp, err)) {
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        const DeviceStateDifference *d = list->items[i];

        hmp_printf(hmp, "%s%s (%s)%s\n", i ? "\n" : "", d->path ? d->path : d->section, d->type,
                   d->gone ? " has gone" : d->new ? " is new" : "");
        show_changes(hmp, d->changes);
    }
    if (!list->n) {
        hmp_printf(hmp, "Nothing has changed\n");
    }
    qapi_free_DeviceStateDifferenceList(list);
}

void hmp_info_device_state(Hmp *hmp, const QDict *args)
{
    const char *path = qdict_str_or(args, "path", NULL), *diff = qdict_str_or(args, "diff", NULL);

    if (diff) {
        show_difference(hmp, diff, path);
    } else {
        hmp_show_device_state(hmp, path, qdict_bool_or(args, "all", false));
    }
}

/* ------------------------------------------------------------- snapshots */

void hmp_device_state_snapshot(Hmp *hmp, const QDict *args)
{
    const char *name = qdict_str_or(args, "name", "");
    Error *err = NULL;

    if (qdict_bool_or(args, "delete", false)) {
        qmp_device_state_snapshot_delete(name, &err);
    } else {
        qmp_device_state_snapshot(name, qdict_str_or(args, "path", NULL), &err);
    }
    hmp_error(hmp, err);
}

void hmp_info_device_state_snapshots(Hmp *hmp, const QDict *args)
{
    DeviceStateSnapshotInfoList *list = qmp_query_device_state_snapshots(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const DeviceStateSnapshotInfo *s = list->items[i];

        hmp_printf(hmp, "%s: %u devices, %" PRIu64 " bytes, at %" PRId64 ".%09" PRId64 " s\n", s->name,
                   s->devices, s->size, s->clock / 1000000000, s->clock % 1000000000);
    }
    if (!list->n) {
        hmp_printf(hmp, "There is no snapshot of devices\n");
    }
    qapi_free_DeviceStateSnapshotInfoList(list);
}

/* --------------------------------------------------------------- watches */

void hmp_device_state_watch(Hmp *hmp, const QDict *args)
{
    const char *path = qdict_str_or(args, "path", ""), *field = qdict_str_or(args, "field", "");
    g_autofree char *own = g_strdup_printf("%s.%s", path, field);
    Error *err = NULL;

    qmp_device_state_watch(qdict_str_or(args, "id", own), path, field, true,
                           qdict_bool_or(args, "stop", false) ? DEVICE_STATE_WATCH_ACTION_STOP
                                                              : DEVICE_STATE_WATCH_ACTION_REPORT, NULL, &err);
    hmp_error(hmp, err);
}

void hmp_device_state_unwatch(Hmp *hmp, const QDict *args)
{
    Error *err = NULL;

    qmp_device_state_watch_delete(qdict_str_or(args, "id", ""), &err);
    hmp_error(hmp, err);
}

void hmp_info_device_state_watches(Hmp *hmp, const QDict *args)
{
    DeviceStateWatchInfoList *list = qmp_query_device_state_watches(NULL);

    (void)args;
    for (size_t i = 0; i < list->n; i++) {
        const DeviceStateWatchInfo *w = list->items[i];
        g_autofree char *value = w->current ? device_state_value_text(w->current) : g_strdup("not there");

        hmp_printf(hmp, "%s: %s %s = %s, changed %" PRIu64 " times%s%s\n", w->id, w->path, w->field, value,
                   w->changes, w->action == DEVICE_STATE_WATCH_ACTION_STOP ? ", stops the machine" : "",
                   w->gone ? ", the device has gone" : "");
    }
    if (!list->n) {
        hmp_printf(hmp, "Nothing is watched\n");
    }
    qapi_free_DeviceStateWatchInfoList(list);
}
