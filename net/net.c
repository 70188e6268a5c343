/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include "net/net.h"
#include "qom/object.h"

static NetBackendType *types;           /* registry */
static NetBackend *backends;            /* registry */
static unsigned macs;                   /* numbers given out */

void net_backend_type_register(NetBackendType *t)
{
    t->next = types;
    types = t;
}

NetBackend *net_first(void)
{
    return backends;
}

NetBackend *net_find(const char *id)
{
    for (NetBackend *n = backends; n; n = n->next) {
        if (strcmp(n->id, id) == 0) {
            return n;
        }
    }
    return NULL;
}

MacAddr net_new_mac(void)
{
    return (MacAddr){ { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 + macs++ } };
}

static const NetBackendType *find_type(const char *name, Error **errp)
{
    GString *list;

    for (const NetBackendType *t = types; t; t = t->next) {
        if (strcmp(t->name, name) == 0) {
            return t;
        }
    }
    list = g_string_new("");
    for (const NetBackendType *t = types; t; t = t->next) {
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", t->name);
    }
    error_setf(errp, ERR_NO_SUCH_TYPE, "there is no network back end '%s'; accepted: %s", name,
               list->str);
    g_string_free(list, true);
    return NULL;
}

/* "a", or the part before the dot or bracket in lists like "hostfwd". */
static bool check_options(const NetBackendType *t, const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        const char *const *o = t->options;

        while (*o && strcmp(*o, e->key)) {
            o++;
        }
        if (!*o && strcmp(e->key, "type") && strcmp(e->key, "id")) {
            g_autofree char *list = g_strjoinv(", ", (char **)t->options);

            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "network back end '%s' has no option '%s'",
                       t->name, e->key);
            error_argument(errp, e->key, NULL, list);
            return false;
        }
    }
    return true;
}

bool netdev_add(const QDict *opts, Error **errp)
{
    const char *type = qdict_get_str(opts, "type", errp);
    const char *id = type ? qdict_get_str(opts, "id", errp) : NULL;
    const NetBackendType *t;
    NetBackend *n;

    if (!id || !(t = find_type(type, errp)) || !check_options(t, opts, errp)) {
        return false;
    }
    if (!id_is_valid(id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'%s' is no id; accepted: a letter, then letters, digits, '-', '.', '_'", id);
        return false;
    }
    if (net_find(id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is a network back end '%s' already", id);
        return false;
    }
    n = g_new0(NetBackend, 1);
    n->id = g_strdup(id);
    n->type = t;
    n->queue_tail = &n->queue;
    n->state = g_malloc0(MAX(t->state_size, 1));
    if (!t->open(n, opts, errp)) {
        g_free(n->state);
        g_free(n->id);
        g_free(n);
        return false;
    }
    n->next = backends;
    backends = n;
    return true;
}

static void queue_clear(NetBackend *n)
{
    while (n->queue) {
        NetFrame *f = n->queue;

        n->queue = f->next;
        g_free(f);
    }
    n->queue_tail = &n->queue;
    n->queued = 0;
}

bool netdev_del(const char *id, Error **errp)
{
    NetBackend *n = net_find(id);

    if (!n) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_BACKEND,
                        "there is no network back end '%s'", id);
        return false;
    }
    if (n->owner) {
        error_setf(errp, ERR_IN_USE, "network back end '%s' is used by a device", id);
        return false;
    }
    for (NetBackend **pp = &backends; *pp; pp = &(*pp)->next) {
        if (*pp == n) {
            *pp = n->next;
            break;
        }
    }
    if (n->type->close) {
        n->type->close(n);
    }
    queue_clear(n);
    g_free(n->state);
    g_free(n->id);
    g_free(n);
    return true;
}

/* --- devices --- */

void net_connect(NetBackend *n, const NetDeviceOps *ops, void *opaque)
{
    if (n) {
        n->ops = ops;
        n->opaque = opaque;
    }
}

void net_disconnect(NetBackend *n)
{
    if (n) {
        n->ops = NULL;
        queue_clear(n);
    }
}

void net_send(NetBackend *n, const void *frame, size_t len)
{
    if (n && !n->link_down && len <= NET_FRAME_MAX) {
        n->tx_frames++;
        n->tx_bytes += len;
        n->type->send(n, frame, len);
    }
}

bool net_can_deliver(const NetBackend *n)
{
    return n->ops && !n->link_down && (!n->ops->can_receive || n->ops->can_receive(n->opaque));
}

static void give(NetBackend *n, const uint8_t *frame, size_t len)
{
    n->rx_frames++;
    n->rx_bytes += len;
    n->delivering = true;
    n->ops->receive(n->opaque, frame, len);
    n->delivering = false;
}

/* Frames that come while the device handles one (it answers to itself) wait. */
void net_deliver(NetBackend *n, const void *frame, size_t len)
{
    NetFrame *f;

    if (!n->ops || n->link_down || len > NET_FRAME_MAX || n->queued >= NET_QUEUE_MAX) {
        n->rx_dropped++;
        return;
    }
    if (!n->queue && !n->delivering && net_can_deliver(n)) {
        give(n, frame, len);
        return;
    }
    f = g_malloc(sizeof(*f) + len);
    f->next = NULL;
    f->len = len;
    memcpy(f->data, frame, len);
    *n->queue_tail = f;
    n->queue_tail = &f->next;
    n->queued++;
    if (!n->delivering) {
        net_flush(n);
    }
}

void net_flush(NetBackend *n)
{
    if (!n || n->delivering) {
        return;
    }
    while (n->queue && net_can_deliver(n)) {
        NetFrame *f = n->queue;

        n->queue = f->next;
        if (!n->queue) {
            n->queue_tail = &n->queue;
        }
        n->queued--;
        give(n, f->data, f->len);
        g_free(f);
    }
    if (!n->queue && n->type->resume) {
        n->type->resume(n);
    }
}

/* --- properties of kind "netdev" --- */

static void *attach(Object *owner, const char *id, Error **errp)
{
    NetBackend *n = net_find(id);

    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no network back end '%s'", id);
        return NULL;
    }
    if (n->owner) {
        error_setf(errp, ERR_IN_USE, "network back end '%s' is used by another device", id);
        return NULL;
    }
    n->owner = owner;
    return n;
}

static void detach(UNUSED Object *owner, void *backend)
{
    NetBackend *n = backend;

    n->owner = NULL;
    net_disconnect(n);
}

static const char *backend_id(void *backend)
{
    return ((NetBackend *)backend)->id;
}

static const BackendKind netdev_kind = { attach, detach, backend_id };

static void CONSTRUCTOR register_kind(void)
{
    backend_kind_register(PROP_KIND_NETDEV, &netdev_kind);
}
