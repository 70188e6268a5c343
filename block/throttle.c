/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "block/throttle.h"
#include "block/block.h"
#include "qom/object.h"
#include "util/coroutine.h"
#include "util/timer.h"

#define SLICE_NS        (50 * NS_PER_MS)        /* how long nobody looks whether there is hurry */

struct ThrottleGroup {
    char *name;
    unsigned refs;
    Mutex lock;                         /* guards the rest */
    ThrottleConfig c;
    double level[THROTTLE_BUCKETS];     /* units that are in the bucket */
    double burst[THROTTLE_BUCKETS];     /* the same for the rate of a burst */
    int64_t leaked_ns;                  /* up to when they have leaked */
    ThrottleGroup *next;
};

static ThrottleGroup *groups;           /* registry, by name */

static const char *const keys[THROTTLE_BUCKETS] = { "bps-total", "bps-read", "bps-write", "iops-total",
                                                    "iops-read", "iops-write" };

/* --- settings --- */

static bool member(const QDict *opts, const char *prefix, const char *key, const char *suffix,
                   uint64_t *v, bool *any, Error **errp)
{
    char *name = g_strdup_printf("%s%s%s", prefix, key, suffix);
    bool ok = true;

    if (qdict_has(opts, name)) {
        *any = true;
        ok = block_size_option(opts, name, v, errp);
    }
    g_free(name);
    return ok;
}

bool throttle_check(const ThrottleConfig *c, Error **errp)
{
    for (int i = 0; i < THROTTLE_BUCKETS; i++) {
        if (c->avg[i] > UINT64_C(1000000000000000) || c->max[i] > UINT64_C(1000000000000000)) {
            error_setf(errp, ERR_OUT_OF_RANGE, "bps/iops/max values must be within [0, 1000000000000000]");
            return false;
        }
        if (c->max[i] && !c->avg[i]) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "bps_max/iops_max require corresponding bps/iops values");
            return false;
        }
        if (c->max[i] && c->max[i] < c->avg[i]) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "bps_max/iops_max cannot be lower than bps/iops");
            return false;
        }
        if (c->length[i] > 1 && !c->max[i]) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "burst length set without burst rate");
            return false;
        }
        if (i % 3 && c->avg[i] && c->avg[i / 3 * 3]) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "bps/iops/max total values and read/write values cannot "
                       "be used at the same time");
            return false;
        }
    }
    return true;
}

bool throttle_parse(const QDict *opts, const char *prefix, ThrottleConfig *c, Error **errp)
{
    bool any = false;

    for (int i = 0; i < THROTTLE_BUCKETS; i++) {
        if (!member(opts, prefix, keys[i], "", &c->avg[i], &any, errp) ||
            !member(opts, prefix, keys[i], "-max", &c->max[i], &any, errp) ||
            !member(opts, prefix, keys[i], "-max-length", &c->length[i], &any, errp)) {
            return false;
        }
    }
    return member(opts, prefix, "iops-size", "", &c->iops_size, &any, errp) && any &&
           throttle_check(c, errp);
}

bool throttle_enabled(const ThrottleConfig *c)
{
    for (int i = 0; i < THROTTLE_BUCKETS; i++) {
        if (c->avg[i]) {
            return true;
        }
    }
    return false;
}

/* --- groups --- */

ThrottleGroup *throttle_group_find(const char *name)
{
    for (ThrottleGroup *g = groups; g; g = g->next) {
        if (strcmp(g->name, name) == 0) {
            g->refs++;
            return g;
        }
    }
    return NULL;
}

ThrottleGroup *throttle_group_get(const char *name)
{
    ThrottleGroup *g = throttle_group_find(name);

    if (!g) {
        g = g_new0(ThrottleGroup, 1);
        g->name = g_strdup(name);
        g->refs = 1;
        mutex_init(&g->lock);
        g->next = groups;
        groups = g;
    }
    return g;
}

void throttle_group_put(ThrottleGroup *g)
{
    ThrottleGroup **pp = &groups;

    if (!g || --g->refs > 0) {
        return;
    }
    while (*pp != g) {
        pp = &(*pp)->next;
    }
    *pp = g->next;
    mutex_destroy(&g->lock);
    g_free(g->name);
    g_free(g);
}

const char *throttle_group_name(const ThrottleGroup *g)
{
    return g->name;
}

void throttle_group_set(ThrottleGroup *g, const ThrottleConfig *c)
{
    MUTEX_GUARD(&g->lock);
    g->c = *c;
    memset(g->level, 0, sizeof(g->level));
    memset(g->burst, 0, sizeof(g->burst));
    g->leaked_ns = clock_get_ns(CLOCK_RT);
}

ThrottleConfig throttle_group_config(ThrottleGroup *g)
{
    MUTEX_GUARD(&g->lock);
    return g->c;
}

/* --- waiting --- */

static void leak(ThrottleGroup *g, int64_t now)
{
    double s = (double)(now - g->leaked_ns) / NS_PER_SECOND;

    g->leaked_ns = now;
    for (int i = 0; i < THROTTLE_BUCKETS; i++) {
        g->level[i] = MAX(g->level[i] - g->c.avg[i] * s, 0.0);
        g->burst[i] = MAX(g->burst[i] - g->c.max[i] * s, 0.0);
    }
}

/* Puts @units into a bucket; how many seconds until what is in it fits. */
static double put(ThrottleGroup *g, int i, double units)
{
    const ThrottleConfig *c = &g->c;
    double room, wait;

    if (!c->avg[i]) {
        return 0;
    }
    room = c->max[i] ? (double)c->max[i] * MAX(c->length[i], UINT64_C(1)) : c->avg[i] / 10.0;
    /* What is in before this request must fit: one that is larger than the bucket may go some time. */
    wait = (g->level[i] - room) / c->avg[i];
    g->level[i] += units;
    if (c->max[i] && c->length[i] > 1) {
        wait = MAX(wait, (g->burst[i] - c->max[i] / 10.0) / c->max[i]);
        g->burst[i] += units;
    }
    return wait;
}

void coroutine_fn throttle_co_wait(ThrottleGroup *g, bool write, uint64_t bytes, const unsigned *hurry)
{
    int64_t now = clock_get_ns(CLOCK_RT), until;
    double units, wait = 0;

    mutex_lock(&g->lock);
    leak(g, now);
    units = g->c.iops_size ? MAX(1.0, (double)bytes / g->c.iops_size) : 1;
    for (int i = 0; i < THROTTLE_BUCKETS; i++) {
        if (i % 3 == 0 || (i % 3 == 2) == write) {
            double w = put(g, i, i < THROTTLE_IOPS ? bytes : units);

            wait = MAX(wait, w);
        }
    }
    mutex_unlock(&g->lock);
    until = now + (int64_t)(MIN(wait, 3600.0) * NS_PER_SECOND);
    while ((now = clock_get_ns(CLOCK_RT)) < until && !__atomic_load_n(hurry, __ATOMIC_RELAXED)) {
        co_sleep_ns(CLOCK_RT, MIN(until - now, SLICE_NS));
    }
}

/* --- -object throttle-group --- */

#define TYPE_THROTTLE_GROUP "throttle-group"

typedef struct ThrottleObject {
    Object obj;
    ThrottleGroup *group;
    ThrottleConfig c;
} ThrottleObject;

DEFINE_CAST(THROTTLE_OBJECT, ThrottleObject, TYPE_THROTTLE_GROUP)

static bool throttle_complete(Object *obj, Error **errp)
{
    ThrottleObject *o = THROTTLE_OBJECT(obj);
    ThrottleGroup *g = throttle_group_find(obj->name);

    if (g) {
        throttle_group_put(g);
        error_setf(errp, ERR_DUPLICATE_ID, "A group with this name already exists");
        return false;
    }
    if (!throttle_check(&o->c, errp)) {
        return false;
    }
    o->group = throttle_group_get(obj->name);
    throttle_group_set(o->group, &o->c);
    return true;
}

static void throttle_finalize(Object *obj)
{
    throttle_group_put(THROTTLE_OBJECT(obj)->group);
}

static bool throttle_can_be_deleted(Object *obj, Error **errp)
{
    ThrottleObject *o = THROTTLE_OBJECT(obj);

    if (o->group && o->group->refs > 1) {
        error_setf(errp, ERR_IN_USE, "throttle group '%s' is in use", obj->name);
        return false;
    }
    return true;
}

static QObject *get_limits(Object *obj, UNUSED const Property *prop, UNUSED Error **errp)
{
    ThrottleObject *o = THROTTLE_OBJECT(obj);
    ThrottleConfig c = o->group ? throttle_group_config(o->group) : o->c;
    QDict *d = qdict_new();

    for (int i = 0; i < THROTTLE_BUCKETS; i++) {
        char *max = g_strdup_printf("%s-max", keys[i]), *len = g_strdup_printf("%s-max-length", keys[i]);

        qdict_put_uint(d, keys[i], c.avg[i]);
        qdict_put_uint(d, max, c.max[i]);
        qdict_put_uint(d, len, MAX(c.length[i], UINT64_C(1)));
        g_free(max);
        g_free(len);
    }
    qdict_put_uint(d, "iops-size", c.iops_size);
    return (QObject *)d;
}

static bool set_limits(Object *obj, UNUSED const Property *prop, const QObject *value, Error **errp)
{
    ThrottleObject *o = THROTTLE_OBJECT(obj);
    ThrottleConfig c = o->group ? throttle_group_config(o->group) : o->c;
    QDict *d = qobject_get_dict(value, "limits", errp);
    Error *err = NULL;

    if (!d) {
        return false;
    }
    if (!throttle_parse(d, "", &c, &err) && err) {
        error_propagate(errp, err);
        return false;
    }
    o->c = c;
    if (o->group) {
        throttle_group_set(o->group, &c);
    }
    return true;
}

#define LIMIT(key, nr) \
    PROP_U64("x-" key, ThrottleObject, c.avg[nr], 0, "limit a second; 0: none"), \
    PROP_U64("x-" key "-max", ThrottleObject, c.max[nr], 0, "limit in a burst"), \
    PROP_U64("x-" key "-max-length", ThrottleObject, c.length[nr], 1, "seconds of a burst")

static const Property throttle_props[] = {
    LIMIT("bps-total", THROTTLE_BPS), LIMIT("bps-read", THROTTLE_BPS_RD),
    LIMIT("bps-write", THROTTLE_BPS_WR), LIMIT("iops-total", THROTTLE_IOPS),
    LIMIT("iops-read", THROTTLE_IOPS_RD), LIMIT("iops-write", THROTTLE_IOPS_WR),
    PROP_U64("x-iops-size", ThrottleObject, c.iops_size, 0, "bytes that count as one request"),
    { .name = "limits", .desc = "all limits as an object", .kind = PROP_KIND_CUSTOM,
      .type = "ThrottleLimits", .get = get_limits, .set = set_limits, .flags = PROP_F_RUNTIME },
    PROP_END
};

static const TypeInfo throttle_type = {
    .name = TYPE_THROTTLE_GROUP, .desc = "limits of bandwidth and requests that disks share",
    .size = sizeof(ThrottleObject), .user_creatable = true, .props = throttle_props,
    .complete = throttle_complete, .finalize = throttle_finalize,
    .can_be_deleted = throttle_can_be_deleted,
};
TYPE(throttle_type)
