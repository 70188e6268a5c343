/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev dgram: a frame is a datagram; UDP, multicast, unix sockets, or a descriptor. */
#include "util/osdep.h"
#include <glib.h>
#include "net/net-dgram.h"
#include "qapi/sockets.h"
#include "qapi/types-net.h"

typedef struct DgramNet {
    NetDgram *d;
    char *what;
} DgramNet;

static NetDgram *open_one(NetBackend *n, const NetdevDgramOptions *o, Error **errp)
{
    bool fd = o->local && o->local->type == SOCKET_ADDRESS_TYPE_FD;
    int number;

    if (o->remote && net_dgram_is_mcast(o->remote)) {
        if (o->local && o->local->type != SOCKET_ADDRESS_TYPE_INET) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'local' of a multicast group must be of type inet");
            return NULL;
        }
        return net_dgram_open_mcast(o->remote, o->local ? o->local->u.inet.host : NULL, n, errp);
    }
    if (!o->local) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "dgram requires local= parameter");
        error_hint(errp, "only with a multicast address as 'remote' it may be absent");
        return NULL;
    }
    if (fd && o->remote) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "don't set remote with local.fd");
        return NULL;
    }
    if (fd) {
        number = net_take_fd(o->local->u.fd.str, errp);
        return number < 0 ? NULL : net_dgram_new(number, NULL, 0, n);
    }
    if (!o->remote) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "dgram requires remote= parameter");
        return NULL;
    }
    return net_dgram_open(o->remote, o->local, n, errp);
}

static bool dgram_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevDgramOptions o = { 0 };
    DgramNet *s = n->state;

    if (!net_decode(n, &qapi_type_NetdevDgramOptions, opts, &o, errp)) {
        return false;
    }
    s->d = open_one(n, &o, errp);
    if (s->d) {
        char *a = o.local ? socket_address_text(o.local) : NULL;
        char *b = o.remote ? socket_address_text(o.remote) : NULL;

        s->what = g_strdup_printf("%s <-> %s", a ? a : "any", b ? b : "its peer");
        free(a);
        free(b);
    }
    qapi_clear_struct(&qapi_type_NetdevDgramOptions, &o);
    return s->d;
}

static void dgram_close(NetBackend *n)
{
    DgramNet *s = n->state;

    net_dgram_free(s->d);
    g_free(s->what);
}

static void dgram_send(NetBackend *n, const uint8_t *frame, size_t len)
{
    net_dgram_send(((DgramNet *)n->state)->d, frame, len);
}

static void dgram_resume(NetBackend *n)
{
    net_dgram_resume(((DgramNet *)n->state)->d);
}

static char *dgram_info(NetBackend *n)
{
    return g_strdup(((DgramNet *)n->state)->what);
}

static NetBackendType type_dgram = {
    .name = "dgram", .state_size = sizeof(DgramNet), .open = dgram_open, .close = dgram_close,
    .send = dgram_send, .resume = dgram_resume, .info = dgram_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_dgram);
}
