/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events: callbacks by name, and those that are kept for whoever waits. */
#include "util/osdep.h"
#include "libqmp/client-int.h"

static bool is_event(const QDict *d, const char *name)
{
    return !name || !strcmp(qdict_str_or(d, "event", ""), name);
}

static bool has_name(const Subscription *s, const char *name)
{
    return !s->dead && (name && s->name ? !strcmp(s->name, name) : name == s->name);
}

/* Takes the dead ones that nobody is in out of the list; what they hold is freed without the lock. */
static void reap_locked(QmpClient *c)
{
    for (Subscription **p = &c->subscriptions; *p;) {
        Subscription *s = *p;

        if (!s->dead || s->running) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        pthread_mutex_unlock(&c->lock);
        if (s->free_opaque) {
            s->free_opaque(s->opaque);
        }
        free(s->name);
        free(s);
        pthread_mutex_lock(&c->lock);
        p = &c->subscriptions;
    }
}

void qmp_client_on_event(QmpClient *c, const char *name, QmpEventFn *fn, void *opaque,
                         void (*free_opaque)(void *opaque))
{
    pthread_mutex_lock(&c->lock);
    for (Subscription *s = c->subscriptions; s; s = s->next) {
        s->dead |= has_name(s, name);
    }
    if (fn) {
        Subscription *s = calloc(1, sizeof(*s));

        if (!s) {
            abort();
        }
        s->name = name ? strdup(name) : NULL;
        s->fn = fn;
        s->opaque = opaque;
        s->free_opaque = free_opaque;
        s->next = c->subscriptions;
        c->subscriptions = s;
    }
    reap_locked(c);
    pthread_mutex_unlock(&c->lock);
}

static Subscription *find_subscription(QmpClient *c, const char *name)
{
    for (Subscription *s = c->subscriptions; s; s = s->next) {
        if (has_name(s, name)) {
            return s;
        }
    }
    return name ? find_subscription(c, NULL) : NULL;
}

void qmp_tell_event_locked(QmpClient *c, QDict *event)
{
    Subscription *s = find_subscription(c, qdict_str_or(event, "event", ""));

    if (!s) {
        if (qlist_size(c->kept) >= QMP_EVENTS_KEPT) {
            qobject_unref(qlist_take(c->kept, 0));
        }
        qlist_append(c->kept, event);
        pthread_cond_broadcast(&c->changed);
        return;
    }
    s->running++;
    pthread_mutex_unlock(&c->lock);
    s->fn(c, event, s->opaque);
    qobject_unref(event);
    pthread_mutex_lock(&c->lock);
    s->running--;
    reap_locked(c);
}

void qmp_events_free(QmpClient *c)
{
    while (c->subscriptions) {
        Subscription *s = c->subscriptions;

        c->subscriptions = s->next;
        if (s->free_opaque) {
            s->free_opaque(s->opaque);
        }
        free(s->name);
        free(s);
    }
    qobject_unref(c->kept);
}

/* -------------------------------------------------------------- waiting */

typedef struct Wanted {
    const char *name;
    QDict *event;
} Wanted;

static bool take_kept(QmpClient *c, void *opaque)
{
    Wanted *w = opaque;

    for (size_t i = 0; i < qlist_size(c->kept); i++) {
        if (is_event(qobject_to_dict(qlist_get(c->kept, i)), w->name)) {
            w->event = qobject_to_dict(qlist_take(c->kept, i));
            return true;
        }
    }
    return false;
}

QDict *qmp_wait_event(QmpClient *c, const char *name, int timeout_ms, Error **errp)
{
    Wanted w = { name, NULL };

    pthread_mutex_lock(&c->lock);
    qmp_run_locked(c, take_kept, &w, qmp_deadline(timeout_ms), errp);
    pthread_mutex_unlock(&c->lock);
    return w.event;
}

void qmp_drop_events(QmpClient *c)
{
    pthread_mutex_lock(&c->lock);
    qobject_unref(c->kept);
    c->kept = qlist_new();
    pthread_mutex_unlock(&c->lock);
}
