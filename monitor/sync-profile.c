/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where threads wait for locks: util/lock-profile.h for monitors. */
#include "util/osdep.h"
#include "monitor/hmp-cmds.h"
#include "qapi/commands-misc.h"
#include "util/lock-profile.h"

#define MAX_DEFAULT     10

bool qmp_x_sync_profile(SyncProfileAction action, UNUSED Error **errp)
{
    if (action == SYNC_PROFILE_ACTION_RESET) {
        lock_profile_reset();
    } else {
        lock_profile_set(action == SYNC_PROFILE_ACTION_ON);
    }
    return true;
}

static int compare(double a, double b, const char *site_a, const char *site_b)
{
    return a < b ? 1 : a > b ? -1 : strcmp(site_a, site_b);
}

static int by_total(const void *a, const void *b)
{
    const LockWaits *x = a, *y = b;

    return compare((double)x->wait_ns, (double)y->wait_ns, x->site, y->site);
}

static int by_mean(const void *a, const void *b)
{
    const LockWaits *x = a, *y = b;

    return compare((double)x->wait_ns / (double)x->count, (double)y->wait_ns / (double)y->count, x->site, y->site);
}

static SyncWaits *waits_of(const LockWaits *w)
{
    static const SyncObjectType types[] = {
        [LOCK_BIG] = SYNC_OBJECT_TYPE_BIG_LOCK, [LOCK_MUTEX] = SYNC_OBJECT_TYPE_MUTEX,
        [LOCK_COND] = SYNC_OBJECT_TYPE_CONDITION,
    };
    SyncWaits *s = qapi_new(SyncWaits);

    s->type = types[w->kind];
    s->has_object = w->objects == 1;
    s->object = s->has_object ? (uintptr_t)w->object : 0;
    s->objects = w->objects;
    s->site = strdup(w->site);
    s->count = w->count;
    s->wait_ns = w->wait_ns;
    return s;
}

SyncProfile *qmp_x_query_sync_profile(bool has_mean, bool mean, bool has_by_object, bool by_object, bool has_max, uint32_t max,
                                      UNUSED Error **errp)
{
    GArray *all = lock_profile_get(!(has_by_object && by_object));
    SyncProfile *p = qapi_new(SyncProfile);

    p->enabled = lock_profile_is_on();
    p->lost = lock_profile_lost();
    p->waits = qapi_new(SyncWaitsList);
    g_array_sort(all, has_mean && mean ? by_mean : by_total);
    for (unsigned i = 0; i < all->len && i < (has_max ? max : MAX_DEFAULT); i++) {
        qapi_list_append(p->waits, waits_of(&g_array_index(all, LockWaits, i)));
    }
    g_array_unref(all);
    return p;
}

/* ------------------------------------------------------------------ HMP */

void hmp_sync_profile(Hmp *hmp, const QDict *args)
{
    const char *op = qdict_str_or(args, "op", NULL);
    Error *err = NULL;
    int action;

    if (!op) {
        hmp_printf(hmp, "sync-profile is %s\n", lock_profile_is_on() ? "on" : "off");
        return;
    }
    action = qapi_enum_parse(&qapi_type_SyncProfileAction, op, "op", &err);
    if (action >= 0) {
        qmp_x_sync_profile(action, &err);
    }
    hmp_error(hmp, err);
}

void hmp_complete_sync_profile(GPtrArray *candidates, const char *prefix)
{
    for (int i = 0; i < SYNC_PROFILE_ACTION__MAX; i++) {
        hmp_candidate(candidates, prefix, SyncProfileAction_name(i));
    }
}

QDict *hmp_sync_profile_args(const QDict *args, UNUSED const char **command)
{
    int64_t max = qdict_int_or(args, "max", MAX_DEFAULT);
    QDict *query = qdict_new();

    qdict_put_bool(query, "mean", qdict_bool_or(args, "mean", false));
    qdict_put_bool(query, "by-object", qdict_bool_or(args, "no_coalesce", false));
    qdict_put_int(query, "max", MIN(MAX(max, 0), UINT32_MAX));
    return query;
}

void hmp_info_sync_profile(Hmp *hmp, const QDict *args)
{
    int64_t max = qdict_int_or(args, "max", MAX_DEFAULT);
    SyncProfile *p = qmp_x_query_sync_profile(true, qdict_bool_or(args, "mean", false), true,
                                              qdict_bool_or(args, "no_coalesce", false), true,
                                              (uint32_t)MIN(MAX(max, 0), UINT32_MAX), NULL);

    hmp_printf(hmp, "%-10s %18s  %-36s %13s %12s %13s\n", "Type", "Object", "Call site", "Wait time (s)", "Count", "Average (us)");
    for (size_t i = 0; i < p->waits->n; i++) {
        const SyncWaits *w = p->waits->items[i];
        char object[24];

        if (w->has_object) {
            snprintf(object, sizeof(object), "0x%" PRIx64, w->object);
        } else {
            snprintf(object, sizeof(object), "[%u]", w->objects);
        }
        hmp_printf(hmp, "%-10s %18s  %-36s %13.5f %12" PRIu64 " %13.2f\n", SyncObjectType_name(w->type), object, w->site,
                   (double)w->wait_ns / 1e9, w->count, (double)w->wait_ns / 1e3 / (double)w->count);
    }
    if (p->lost) {
        hmp_printf(hmp, "and %" PRIu64 " waits of places and objects that there was no room for\n", p->lost);
    }
    qapi_free_SyncProfile(p);
}
