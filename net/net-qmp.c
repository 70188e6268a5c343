/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about network back ends. */
#include "util/osdep.h"
#include <glib.h>
#include "net/announce.h"
#include "net/net.h"
#include "qapi/commands-net.h"
#include "qapi/events-net.h"
#include "qom/object.h"

bool qmp_netdev_add(const QDict *args, Error **errp)
{
    return netdev_add(args, false, errp);
}

bool qmp_netdev_del(const char *id, Error **errp)
{
    return netdev_del(id, errp);
}

/* By the back end's id, or by the guest's device that has it. */
static NetBackend *find_backend(const char *name)
{
    NetBackend *n = net_find(name);
    Object *owner = n ? NULL : object_resolve_path(name, NULL);

    for (NetBackend *i = net_first(); i && owner; i = i->next) {
        if (net_device(i) == owner || i->owner == owner) {
            return i;
        }
    }
    return n;
}

bool qmp_set_link(const char *name, bool up, Error **errp)
{
    NetBackend *n = find_backend(name);

    if (!n) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_BACKEND,
                        "Device '%s' not found", name);
        error_argument(errp, "name", name, "the id of a network back end or device");
        return false;
    }
    if (n->link_down == up) {
        for (NetBackend *q = n; q; q = q->next_queue) {
            q->link_down = !up;
        }
        if (n->ops && n->ops->link_changed) {
            n->ops->link_changed(n->opaque, up);
        }
        for (NetBackend *q = up ? n : NULL; q; q = q->next_queue) {
            net_flush(q);
        }
    }
    return true;
}

NetworkInfoList *qmp_x_query_network(UNUSED Error **errp)
{
    NetworkInfoList *list = qapi_new(NetworkInfoList);

    for (NetBackend *n = net_first(); n; n = n->next) {
        NetworkInfo *info = qapi_new(NetworkInfo);
        char *path = n->owner ? object_canonical_path(n->owner) : NULL;
        char *details = n->type->info ? n->type->info(n) : NULL;

        info->id = strdup(n->id);
        info->type = strdup(n->type->name);
        info->link_up = !n->link_down;
        info->device = path ? strdup(path) : NULL;
        info->details = details ? strdup(details) : NULL;
        for (NetBackend *q = n; q; q = q->next_queue) {
            info->rx_packets += q->rx_frames;
            info->rx_bytes += q->rx_bytes;
            info->rx_dropped += q->rx_dropped;
            info->tx_packets += q->tx_frames;
            info->tx_bytes += q->tx_bytes;
        }
        qapi_list_append(list, info);
        g_free(path);
        g_free(details);
    }
    return list;
}

/* --- receive filters --- */

/* The user's id, or what it is called in the tree. */
static char *device_name(const NetBackend *n)
{
    const Object *o = net_device(n);

    return strdup(o && o->name ? o->name : "");
}

RxFilterInfoList *qmp_query_rx_filter(const char *name, Error **errp)
{
    RxFilterInfoList *list = qapi_new(RxFilterInfoList);
    bool found = false;

    for (NetBackend *n = net_first(); n; n = n->next) {
        RxFilterInfo *info;
        char *own;

        if (!n->owner || !n->ops || (name && find_backend(name) != n)) {
            continue;
        }
        found = true;
        if (!n->ops->rx_filter) {
            if (name) {
                error_setf(errp, ERR_NOT_SUPPORTED, "net client(%s) doesn't support rx-filter querying",
                           name);
                goto fail;
            }
            continue;
        }
        own = device_name(n);
        info = n->ops->rx_filter(n->opaque);
        info->name = own;
        n->rx_filter_asked = true;
        qapi_list_append(list, info);
    }
    if (name && !found) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "invalid net client name: %s", name);
        error_argument(errp, "name", name, "the id of a network device");
        goto fail;
    }
    return list;
fail:
    qapi_free_RxFilterInfoList(list);
    return NULL;
}

void net_rx_filter_changed(NetBackend *n)
{
    g_autofree char *path = n && n->owner ? object_canonical_path(n->owner) : NULL;

    if (path && n->rx_filter_asked) {
        char *name = device_name(n);

        n->rx_filter_asked = false;
        qapi_event_send_nic_rx_filter_changed(g_str_has_prefix(path, "/machine/peripheral/") ? name : NULL,
                                              path);
        free(name);
    }
}

/* --- announcements --- */

bool qmp_announce_self(int64_t initial, int64_t max, int64_t rounds, int64_t step, const strList *interfaces,
                       UNUSED const char *id, Error **errp)
{
    static const struct { const char *name; int64_t max; } limits[] = {
        { "initial", 100000 }, { "max", 100000 }, { "rounds", 1000 }, { "step", 10000 } };
    const int64_t values[] = { initial, max, rounds, step };

    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        if (values[i] < (i == 2) || values[i] > limits[i].max) {
            error_setf(errp, ERR_OUT_OF_RANGE, "Parameter '%s' expects a value from %d to %" PRId64,
                       limits[i].name, i == 2, limits[i].max);
            return false;
        }
    }
    net_announce(initial, max, rounds, step, interfaces);
    return true;
}
