/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all network filters have in common: their place, direction and status. */
#include "util/osdep.h"
#include "net/filter.h"

#include <glib.h>
#include "qobject/qobject.h"

static const NetFilterOps *filter_ops(const NetFilter *f)
{
    return type_info(f->obj.type)->data;
}

/* The one before @f for frames to the back end: they pass in the opposite order. */
static NetFilter *before(const NetBackend *n, const NetFilter *f)
{
    NetFilter *p = n->filters;

    if (p == f) {
        return NULL;
    }
    while (p && p->next != f) {
        p = p->next;
    }
    return p;
}

void net_filter_pass(NetBackend *n, NetFilter *after, NetDirection dir, const NetOffload *o,
                     const uint8_t *frame, size_t len)
{
    bool to_device = dir == NET_QUEUE_TX;
    NetFilter *f = to_device ? after ? after->next : n->filters : before(n, after);

    while (f) {
        if (f->on && (f->queue == NET_QUEUE_ALL || f->queue == (int)dir) &&
            filter_ops(f)->frame(f, dir, o, frame, len)) {
            return;
        }
        f = to_device ? f->next : before(n, f);
    }
    if (to_device) {
        net_pass_to_device(n, o, frame, len);
    } else {
        net_pass_to_backend(n, o, frame, len);
    }
}

static void unlink_filter(NetFilter *f)
{
    for (NetFilter **p = f->net ? &f->net->filters : NULL; p && *p; p = &(*p)->next) {
        if (*p == f) {
            *p = f->next;
            break;
        }
    }
    f->net = NULL;
}

void net_filters_forget(NetBackend *n)
{
    while (n->filters) {
        NetFilter *f = n->filters;

        if (filter_ops(f)->cleanup) {
            filter_ops(f)->cleanup(f);
        }
        unlink_filter(f);
    }
}

void net_filter_set_on(NetFilter *f, bool on)
{
    if (f->on != on) {
        f->on = on;
        if (f->net && filter_ops(f)->status_changed) {
            filter_ops(f)->status_changed(f);
        }
    }
}

/* Where "position" and "insert" say: NULL with *errp set when they are wrong. */
static NetFilter **place(NetFilter *f, NetBackend *n, Error **errp)
{
    NetFilter **p = &n->filters;
    bool is_before = f->insert && !strcmp(f->insert, "before");
    const char *id;

    if (f->insert && !is_before && strcmp(f->insert, "behind")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'insert' is '%s'; accepted: before, behind", f->insert);
        return NULL;
    }
    if (f->position && !strcmp(f->position, "head")) {
        return p;
    }
    if (!f->position || !strcmp(f->position, "tail")) {
        while (*p) {
            p = &(*p)->next;
        }
        return p;
    }
    id = g_str_has_prefix(f->position, "id=") ? f->position + 3 : "";
    while (*p && g_strcmp0((*p)->obj.name, id)) {
        p = &(*p)->next;
    }
    if (!*p) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'position' is '%s'; accepted: head, tail, id=ID of a "
                   "filter of the same network", f->position);
        return NULL;
    }
    return is_before ? p : &(*p)->next;
}

static bool filter_complete(Object *obj, Error **errp)
{
    NetFilter *f = NETFILTER(obj), **p;
    NetBackend *n;

    if (!f->netdev) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "a network filter needs 'netdev', the id of a back end");
        return false;
    }
    n = net_find(f->netdev);
    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no network back end '%s'", f->netdev);
        error_argument(errp, "netdev", f->netdev, "the id of a network back end");
        return false;
    }
    if (net_queues(n) > 1 || n->vhost) {
        error_setf(errp, ERR_NOT_SUPPORTED, "network back end '%s' %s, which a filter can't", f->netdev,
                   n->vhost ? "bypasses the emulator" : "has several queues");
        return false;
    }
    p = place(f, n, errp);
    if (!p || (filter_ops(f)->setup && !filter_ops(f)->setup(f, errp))) {
        return false;
    }
    f->net = n;
    f->next = *p;
    *p = f;
    return true;
}

static void filter_finalize(Object *obj)
{
    NetFilter *f = NETFILTER(obj);

    if (f->net) {
        if (filter_ops(f)->cleanup) {
            filter_ops(f)->cleanup(f);
        }
        unlink_filter(f);
    }
}

static QObject *get_status(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qstring_from(NETFILTER(obj)->on ? "on" : "off");
}

static bool set_status(Object *obj, UNUSED const Property *p, const QObject *value, Error **errp)
{
    const char *text = qobject_get_str(value, "status", errp);

    if (!text) {
        return false;
    }
    if (strcmp(text, "on") && strcmp(text, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'status' is '%s'; accepted: on, off", text);
        return false;
    }
    net_filter_set_on(NETFILTER(obj), !strcmp(text, "on"));
    return true;
}

static void filter_init(Object *obj)
{
    NETFILTER(obj)->on = true;
}

static const char *const queue_names[] = { "all", "rx", "tx", NULL };
static const Property filter_props[] = {
    PROP_STR("netdev", NetFilter, netdev, NULL, "id of the network back end"),
    PROP_ENUM("queue", NetFilter, queue, NET_QUEUE_ALL, queue_names,
              "rx: frames from the device, tx: frames to it, or all"),
    PROP_STR("position", NetFilter, position, NULL, "head, tail, or id=ID of another filter"),
    PROP_STR("insert", NetFilter, insert, NULL, "before or behind that other filter"),
    { .name = "status", .desc = "on or off", .kind = PROP_KIND_CUSTOM, .type = "str",
      .flags = PROP_F_RUNTIME, .get = get_status, .set = set_status },
    PROP_END
};

static const TypeInfo filter_type = {
    .name = TYPE_NETFILTER, .size = sizeof(NetFilter), .abstract = true, .user_creatable = true,
    .props = filter_props, .init = filter_init, .finalize = filter_finalize,
    .complete = filter_complete,
};
TYPE(filter_type)
