/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev hubport: a port of a hub. What comes in at one port goes out at all others of the same number. A
 * port has a device, or with "netdev" another back end, behind it.
 */
#include "util/osdep.h"
#include <glib.h>
#include "net/net.h"
#include "qapi/types-net.h"

#define HUB_PORTS_MAX   1024

typedef struct HubPort {
    NetBackend *net;
    NetBackend *peer;           /* "netdev"; NULL: a device has the port */
    int32_t hub;
    bool sending;               /* a loop of hubs comes back to where it started */
    struct HubPort *next;
} HubPort;

static HubPort *hub_ports;      /* registry */

static void spread(HubPort *from, const uint8_t *frame, size_t len)
{
    if (from->sending) {
        return;
    }
    from->sending = true;
    for (HubPort *p = hub_ports; p; p = p->next) {
        if (p == from || p->hub != from->hub || p->sending) {
            continue;
        }
        if (p->peer) {
            net_send(p->peer, frame, len);
        } else {
            net_deliver(p->net, frame, len);
        }
    }
    from->sending = false;
}

static void hub_send(NetBackend *n, const uint8_t *frame, size_t len)
{
    spread(n->state, frame, len);
}

/* From the back end behind the port. */
static void peer_receive(void *opaque, const uint8_t *frame, size_t len)
{
    HubPort *p = opaque;

    if (!p->net->link_down) {
        spread(p, frame, len);
    }
}

static const NetDeviceOps peer_ops = { .receive = peer_receive };

static bool take_peer(HubPort *p, const char *id, Error **errp)
{
    NetBackend *peer = net_find(id);

    if (!peer) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no network back end '%s'", id);
        error_argument(errp, "netdev", id, "the id of a network back end");
        return false;
    }
    if (peer->owner || peer->hub_port) {
        error_setf(errp, ERR_IN_USE, "network back end '%s' is in use already", id);
        return false;
    }
    if (peer->vhost) {
        error_setf(errp, ERR_NOT_SUPPORTED, "network back end '%s' bypasses the emulator; a hub can't have "
                   "it", id);
        return false;
    }
    p->peer = peer;
    peer->hub_port = p->net;
    net_connect(peer, &peer_ops, p);
    return true;
}

static bool hub_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevHubPortOptions o = { 0 };
    HubPort *p = n->state;
    unsigned num = 0;
    bool ok = true;

    if (!net_decode(n, &qapi_type_NetdevHubPortOptions, opts, &o, errp)) {
        return false;
    }
    for (HubPort *i = hub_ports; i; i = i->next) {
        num++;
    }
    p->net = n;
    p->hub = o.hubid;
    if (num >= HUB_PORTS_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there are %u hub ports; accepted: no more than that", num);
        ok = false;
    } else if (o.netdev) {
        ok = take_peer(p, o.netdev, errp);
    }
    qapi_clear_struct(&qapi_type_NetdevHubPortOptions, &o);
    if (ok) {
        p->next = hub_ports;
        hub_ports = p;
    }
    return ok;
}

static void hub_close(NetBackend *n)
{
    HubPort *p = n->state;

    for (HubPort **pp = &hub_ports; *pp; pp = &(*pp)->next) {
        if (*pp == p) {
            *pp = p->next;
            break;
        }
    }
    if (p->peer) {
        net_disconnect(p->peer);
        p->peer->hub_port = NULL;
    }
}

static char *hub_info(NetBackend *n)
{
    HubPort *p = n->state;

    return g_strdup_printf("hub %d%s%s", p->hub, p->peer ? ", with back end " : "",
                           p->peer ? p->peer->id : "");
}

static NetBackendType type_hubport = {
    .name = "hubport", .state_size = sizeof(HubPort), .open = hub_open, .close = hub_close,
    .send = hub_send, .info = hub_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_hubport);
}
