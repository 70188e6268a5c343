/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about network back ends. */
#include "util/osdep.h"
#include <glib.h>
#include "net/net.h"
#include "qapi/commands-net.h"
#include "qom/object.h"

bool qmp_netdev_add(const QDict *args, Error **errp)
{
    return netdev_add(args, errp);
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
        if (i->owner == owner) {
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
        n->link_down = !up;
        if (n->ops && n->ops->link_changed) {
            n->ops->link_changed(n->opaque, up);
        }
    }
    return true;
}

NetworkInfoList *qmp_x_query_network(Error **errp)
{
    NetworkInfoList *list = qapi_new(NetworkInfoList);

    (void)errp;
    for (NetBackend *n = net_first(); n; n = n->next) {
        NetworkInfo *info = qapi_new(NetworkInfo);
        char *path = n->owner ? object_canonical_path(n->owner) : NULL;
        char *details = n->type->info ? n->type->info(n) : NULL;

        info->id = strdup(n->id);
        info->type = strdup(n->type->name);
        info->link_up = !n->link_down;
        info->device = path ? strdup(path) : NULL;
        info->rx_packets = n->rx_frames;
        info->rx_bytes = n->rx_bytes;
        info->rx_dropped = n->rx_dropped;
        info->tx_packets = n->tx_frames;
        info->tx_bytes = n->tx_bytes;
        info->details = details ? strdup(details) : NULL;
        qapi_list_append(list, info);
        g_free(path);
        g_free(details);
    }
    return list;
}
