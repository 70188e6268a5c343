/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include <fcntl.h>
#include <unistd.h>
#include "net/filter.h"
#include "net/net.h"
#include "qapi/qapi-command.h"
#include "qom/object.h"

#define QUEUE_BUSY      (NET_QUEUE_MAX / 4)     /* back ends that can wait do from then on */

static NetBackendType *types;           /* registry */
static NetBackend *backends;            /* registry */
static unsigned macs;                   /* numbers given out */
static bool stopped;                    /* the VM doesn't run */

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

Object *net_device(const NetBackend *n)
{
    Object *o = n->owner;

    return o && !g_strcmp0(o->name, "virtio-backend") ? o->parent : o;
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

static bool check_options(const NetBackendType *t, const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        const char *const *o = t->options;

        while (o && *o && strcmp(*o, e->key)) {
            o++;
        }
        if (o && !*o) {
            g_autofree char *list = g_strjoinv(", ", (char **)t->options);

            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "network back end '%s' has no option '%s'",
                       t->name, e->key);
            error_argument(errp, e->key, NULL, list);
            return false;
        }
    }
    return true;
}

/* "addr.type" becomes a member of "addr"; "type" and "id" of the whole stay away. NULL: both "a" and
 * "a.b" are there. */
static QDict *nested(const QDict *opts, Error **errp)
{
    QDict *d = qdict_new();

    QDICT_FOR_EACH(e, opts) {
        g_auto(GStrv) parts = g_strsplit(e->key, ".", 4);
        QDict *at = d;

        if (!strcmp(e->key, "type") || !strcmp(e->key, "id")) {
            continue;
        }
        for (unsigned i = 0; parts[i]; i++) {
            QDict *below;

            if (!parts[i + 1]) {
                if (qdict_has(at, parts[i])) {
                    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is given beside parts of it", e->key);
                    qobject_unref(d);
                    return NULL;
                }
                qdict_put(at, parts[i], qobject_ref(e->value));
                break;
            }
            if (!qdict_has(at, parts[i])) {
                qdict_put(at, parts[i], qdict_new());
            }
            below = qobject_to_dict(qdict_get(at, parts[i]));
            if (!below || qobject_to_dict(qdict_get(opts, parts[i]))) {
                error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is given beside '%s'", e->key, parts[i]);
                qobject_unref(d);
                return NULL;
            }
            at = below;
        }
    }
    return d;
}

bool net_decode(const NetBackend *n, const QapiType *type, const QDict *opts, void *out, Error **errp)
{
    return qapi_decode_struct(type, opts, n->lead->from_text ? QAPI_DECODE_KEYVAL : 0, out, errp);
}

static NetBackend *new_queue(const char *id, const NetBackendType *t)
{
    NetBackend *n = g_new0(NetBackend, 1);

    n->id = g_strdup(id);
    n->type = t;
    n->queue_tail = &n->queue;
    n->state = g_malloc0(MAX(t->state_size, 1));
    n->lead = n;
    return n;
}

NetBackend *net_add_queue(NetBackend *lead)
{
    NetBackend *n = new_queue(lead->id, lead->type), *last = lead;

    while (last->next_queue) {
        last = last->next_queue;
    }
    last->next_queue = n;
    n->lead = lead;
    n->queue_index = last->queue_index + 1;
    return n;
}

NetBackend *net_queue(NetBackend *n, unsigned i)
{
    while (n && i--) {
        n = n->next_queue;
    }
    return n;
}

unsigned net_queues(const NetBackend *n)
{
    unsigned num = 0;

    for (; n; n = n->next_queue) {
        num++;
    }
    return num;
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

static void free_queues(NetBackend *n)
{
    while (n) {
        NetBackend *next = n->next_queue;

        queue_clear(n);
        g_free(n->state);
        g_free(n->id);
        g_free(n);
        n = next;
    }
}

bool netdev_add(const QDict *opts, bool from_text, Error **errp)
{
    const char *type = qdict_get_str(opts, "type", errp);
    const char *id = type ? qdict_get_str(opts, "id", errp) : NULL;
    const NetBackendType *t;
    QOBJECT_AUTO QDict *own = NULL;
    NetBackend *n;

    if (!id || !(t = find_type(type, errp)) || !(own = nested(opts, errp)) ||
        !check_options(t, own, errp)) {
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
    n = new_queue(id, t);
    n->from_text = from_text;
    if (!t->open(n, own, errp)) {
        free_queues(n);
        return false;
    }
    for (NetBackend *q = n; q; q = q->next_queue) {
        q->open = true;
    }
    n->next = backends;
    backends = n;
    return true;
}

static void close_queues(NetBackend *n)
{
    net_filters_forget(n);
    for (NetBackend *q = n; q; q = q->next_queue) {
        q->open = false;
        if (q->type->close) {
            q->type->close(q);
        }
        queue_clear(q);
    }
}

bool netdev_del(const char *id, Error **errp)
{
    NetBackend *n = net_find(id);

    if (!n) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_BACKEND,
                        "Device '%s' not found", id);
        return false;
    }
    if (n->hub_port) {
        error_setf(errp, ERR_IN_USE, "network back end '%s' is used by the hub's port '%s'", id,
                   n->hub_port->id);
        return false;
    }
    for (NetBackend **pp = &backends; *pp; pp = &(*pp)->next) {
        if (*pp == n) {
            *pp = n->next;
            break;
        }
    }
    close_queues(n);
    if (!n->owner) {
        free_queues(n);
        return true;
    }
    /* The device goes on with a cable that leads nowhere. */
    n->gone = true;
    for (NetBackend *q = n; q; q = q->next_queue) {
        q->link_down = true;
    }
    if (n->ops && n->ops->link_changed) {
        n->ops->link_changed(n->opaque, false);
    }
    return true;
}

void net_cleanup(void)
{
    for (NetBackend *n = backends; n; n = n->next) {
        close_queues(n);
    }
}

int net_take_fd(const char *name, Error **errp)
{
    int fd = qapi_take_fd(name, errp);

    if (fd >= 0 && (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)) {
        error_set_errno(errp, errno, "file descriptor '%s'", name);
        close(fd);
        return -1;
    }
    return fd;
}

char *net_help(void)
{
    GString *s = g_string_new("Available netdev backend types:\n");

    for (const NetBackendType *t = types; t; t = t->next) {
        g_string_append_printf(s, "%s\n", t->name);
    }
    return g_string_free(s, false);
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

unsigned net_can(const NetBackend *n)
{
    return n ? n->can : 0;
}

void net_set_device_can(NetBackend *n, unsigned can)
{
    if (n && n->open && n->type->set_device_can) {
        n->type->set_device_can(n, can);
    }
}

void net_enable_queue(NetBackend *n, bool on)
{
    if (n && n->open && n->type->enable_queue) {
        n->type->enable_queue(n, on);
    }
}

void net_pass_to_backend(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    if (!n->open) {
        return;
    }
    if (o && n->type->send_offload) {
        n->type->send_offload(n, o, frame, len);
    } else {
        n->type->send(n, frame, len);
    }
}

void net_send_offload(NetBackend *n, const NetOffload *o, const void *frame, size_t len)
{
    if (!n || n->link_down || len > NET_FRAME_MAX) {
        return;
    }
    n->tx_frames++;
    n->tx_bytes += len;
    if (n->filters) {
        net_filter_pass(n, NULL, NET_QUEUE_RX, o, frame, len);
    } else {
        net_pass_to_backend(n, o, frame, len);
    }
}

void net_send(NetBackend *n, const void *frame, size_t len)
{
    net_send_offload(n, NULL, frame, len);
}

bool net_can_deliver(const NetBackend *n)
{
    return !stopped && n->ops && !n->link_down &&
           (!n->ops->can_receive || n->ops->can_receive(n->opaque));
}

bool net_is_busy(const NetBackend *n)
{
    return n->queued >= QUEUE_BUSY;
}

static void give(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    n->rx_frames++;
    n->rx_bytes += len;
    n->delivering = true;
    if (o && n->ops->receive_offload) {
        n->ops->receive_offload(n->opaque, o, frame, len);
    } else {
        n->ops->receive(n->opaque, frame, len);
    }
    n->delivering = false;
}

/* Frames that come while the device handles one (it answers to itself) wait. */
void net_pass_to_device(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    NetFrame *f;

    if (!n->ops || n->link_down || n->queued >= NET_QUEUE_MAX) {
        n->rx_dropped++;
        return;
    }
    if (!n->queue && !n->delivering && net_can_deliver(n)) {
        give(n, o, frame, len);
        return;
    }
    f = g_malloc(sizeof(*f) + len);
    f->next = NULL;
    f->len = len;
    f->has_offload = o;
    f->offload = o ? *o : (NetOffload){ 0 };
    memcpy(f->data, frame, len);
    *n->queue_tail = f;
    n->queue_tail = &f->next;
    n->queued++;
    if (!n->delivering) {
        net_flush(n);
    }
}

void net_deliver_offload(NetBackend *n, const NetOffload *o, const void *frame, size_t len)
{
    if (len > NET_FRAME_MAX) {
        n->rx_dropped++;
    } else if (n->filters) {
        net_filter_pass(n, NULL, NET_QUEUE_TX, o, frame, len);
    } else {
        net_pass_to_device(n, o, frame, len);
    }
}

void net_deliver(NetBackend *n, const void *frame, size_t len)
{
    net_deliver_offload(n, NULL, frame, len);
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
        give(n, f->has_offload ? &f->offload : NULL, f->data, f->len);
        g_free(f);
    }
    if (!n->queue && n->open && n->type->resume) {
        n->type->resume(n);
    }
}

void net_set_running(bool running)
{
    stopped = !running;
    for (NetBackend *n = running ? backends : NULL; n; n = n->next) {
        for (NetBackend *q = n; q; q = q->next_queue) {
            net_flush(q);
        }
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
    if (n->owner || n->hub_port) {
        error_setf(errp, ERR_IN_USE, "network back end '%s' is used by %s", id,
                   n->owner ? "another device" : "a hub's port");
        return NULL;
    }
    n->owner = owner;
    return n;
}

static void detach(UNUSED Object *owner, void *backend)
{
    NetBackend *n = backend;

    n->owner = NULL;
    for (NetBackend *q = n; q; q = q->next_queue) {
        net_disconnect(q);
    }
    if (n->gone) {
        free_queues(n);
    }
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
