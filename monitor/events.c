/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events on their way to the monitors: from any thread, in order, some of them
 * at most once a second (the last one wins), so that no guest can flood a
 * client.
 */
#include "util/osdep.h"
#include "monitor/monitor-int.h"
#include "qapi/qapi-command.h"
#include "util/main-loop.h"
#include "util/thread.h"
#include "util/timer.h"

/* Events that the guest can cause as often as it likes; by the member named. */
static const struct { const char *name, *by; } limited[] = {
    { "RTC_CHANGE", NULL }, { "WATCHDOG", NULL }, { "BALLOON_CHANGE", NULL },
    { "QUORUM_REPORT_BAD", NULL }, { "QUORUM_FAILURE", NULL }, { "VSERPORT_CHANGE", "id" },
    { "MEMORY_DEVICE_SIZE_CHANGE", "qom-path" }, { "DEVICE_STATE_CHANGED", "id" },
};
#define PERIOD_NS   NS_PER_SECOND

typedef struct Throttle {
    char *key;
    QDict *last;                /* came within the period; NULL: none */
    Timer timer;
} Throttle;

static struct {
    Mutex lock;                 /* guards @queue */
    GQueue *queue;              /* of QDict *, owned */
    BottomHalf *bh;
    GHashTable *throttles;      /* by key; big lock */
} events;

static void throttle_free(void *p)
{
    Throttle *th = p;

    timer_del(&th->timer);
    qobject_unref(th->last);
    g_free(th->key);
    g_free(th);
}

static void throttle_expired(void *opaque)
{
    Throttle *th = opaque;
    QDict *last = th->last;

    th->last = NULL;
    if (!last) {
        g_hash_table_remove(events.throttles, th->key);
        return;
    }
    monitor_broadcast(last);
    qobject_unref(last);
    timer_mod_ns(&th->timer, clock_get_ns(CLOCK_RT) + PERIOD_NS);
}

/* NULL if there is no limit on this event. */
static char *throttle_key(const QDict *event)
{
    const char *name = qdict_str_or(event, "event", "");

    for (size_t i = 0; i < ARRAY_SIZE(limited); i++) {
        if (!strcmp(limited[i].name, name)) {
            const QDict *data = qobject_to_dict(qdict_get(event, "data"));
            const char *by = limited[i].by && data ? qdict_str_or(data, limited[i].by, "") : "";

            return g_strdup_printf("%s %s", name, by);
        }
    }
    return NULL;
}

static void deliver(QDict *event)
{
    char *key = throttle_key(event);
    Throttle *th;

    if (!key) {
        monitor_broadcast(event);
        return;
    }
    th = g_hash_table_lookup(events.throttles, key);
    if (th) {
        qobject_unref(th->last);
        th->last = qobject_ref(event);
        g_free(key);
        return;
    }
    th = g_new0(Throttle, 1);
    th->key = key;
    timer_init_ns(&th->timer, CLOCK_RT, throttle_expired, th);
    timer_mod_ns(&th->timer, clock_get_ns(CLOCK_RT) + PERIOD_NS);
    g_hash_table_insert(events.throttles, th->key, th);
    monitor_broadcast(event);
}

static void deliver_all(void *opaque)
{
    (void)opaque;
    for (;;) {
        QDict *event;

        mutex_lock(&events.lock);
        event = g_queue_pop_head(events.queue);
        mutex_unlock(&events.lock);
        if (!event) {
            return;
        }
        deliver(event);
        qobject_unref(event);
    }
}

static void event_sink(const QapiEvent *event, const QDict *data)
{
    int64_t now = g_get_real_time();
    QDict *d = qdict_from_fmt("{'timestamp': {'seconds': %lld, 'microseconds': %lld}, "
                              "'event': %s}", (long long)(now / G_USEC_PER_SEC),
                              (long long)(now % G_USEC_PER_SEC), event->name);

    if (data) {
        qdict_put(d, "data", qobject_ref((QDict *)data));
    }
    mutex_lock(&events.lock);
    g_queue_push_tail(events.queue, d);
    mutex_unlock(&events.lock);
    if (in_main_thread() && big_lock_held()) {
        deliver_all(NULL);
    } else {
        bh_schedule(events.bh);
    }
}

void monitor_events_init(void)
{
    if (events.queue) {
        return;
    }
    mutex_init(&events.lock);
    events.queue = g_queue_new();
    events.throttles = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, throttle_free);
    events.bh = bh_new_on(main_event_loop(), deliver_all, NULL);
    qapi_event_set_sink(event_sink);
}

static void drop(void *p)
{
    qobject_unref((QDict *)p);
}

void monitor_events_cleanup(void)
{
    if (!events.queue) {
        return;
    }
    qapi_event_set_sink(NULL);
    bh_delete(events.bh);
    g_hash_table_unref(events.throttles);
    g_queue_free_full(events.queue, drop);
    mutex_destroy(&events.lock);
    memset(&events, 0, sizeof(events));
}
