/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev socket: frames to another emulator over TCP (listen, connect), UDP, a multicast group, or a socket
 * that is open already.
 */
#include "util/osdep.h"
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net/net-dgram.h"
#include "net/net-frames.h"
#include "qapi/sockets.h"
#include "qapi/types-net.h"

typedef struct SocketNet {
    NetBackend *net;
    NetLink *link;              /* connected */
    NetDgram *dgram;
    FdWatch *watch;             /* of a listening or connecting socket */
    int fd;                     /* of watch; -1: none */
    char *what;                 /* for people */
} SocketNet;

static void got_frame(void *opaque, UNUSED const NetOffload *o, const uint8_t *frame, size_t len)
{
    net_deliver(((SocketNet *)opaque)->net, frame, len);
}

static bool is_busy(void *opaque)
{
    return net_is_busy(((SocketNet *)opaque)->net);
}

static void link_closed(void *opaque)
{
    SocketNet *s = opaque;

    net_link_free(s->link);
    s->link = NULL;
    if (s->watch) {
        fd_watch_set(s->watch, FD_READ);        /* a server waits for the next one */
    }
}

static const NetLinkOps link_ops = { got_frame, is_busy, link_closed };

static void client_waiting(int fd, UNUSED unsigned events, void *opaque)
{
    SocketNet *s = opaque;
    int client = socket_accept(fd);

    if (client >= 0) {
        socket_set_nodelay(client, true);
        s->link = net_link_new(client, &link_ops, s);
        fd_watch_set(s->watch, 0);
    }
}

static void stop_watching(SocketNet *s)
{
    fd_watch_remove(s->watch);
    s->watch = NULL;
}

static void connect_done(int fd, UNUSED unsigned events, void *opaque)
{
    SocketNet *s = opaque;

    stop_watching(s);
    s->fd = -1;
    if (socket_connect_result(fd)) {
        close(fd);
        return;
    }
    socket_set_nodelay(fd, true);
    s->link = net_link_new(fd, &link_ops, s);
}

static SocketAddress *address(const char *text, Error **errp)
{
    InetSocketAddress *inet = inet_parse(text, errp);
    SocketAddress *a;

    if (!inet) {
        return NULL;
    }
    a = qapi_new(SocketAddress);
    a->type = SOCKET_ADDRESS_TYPE_INET;
    a->u.inet = *inet;
    free(inet);
    return a;
}

static bool open_stream(SocketNet *s, const char *text, bool server, Error **errp)
{
    SocketAddress *a = address(text, errp);
    bool in_progress = false;

    if (!a) {
        return false;
    }
    s->fd = server ? socket_listen(a, 1, errp) : socket_connect_start(a, &in_progress, errp);
    qapi_free_SocketAddress(a);
    if (s->fd < 0) {
        return false;
    }
    s->watch = fd_watch_new_on(main_event_loop(), s->fd, server ? FD_READ : FD_WRITE,
                               server ? client_waiting : connect_done, s);
    return true;
}

static bool open_fd(SocketNet *s, const char *name, Error **errp)
{
    int fd = net_take_fd(name, errp), type = 0;
    socklen_t len = sizeof(type);

    if (fd < 0) {
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        (type != SOCK_STREAM && type != SOCK_DGRAM)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "file descriptor '%s' is no stream or datagram socket", name);
        close(fd);
        return false;
    }
    if (type == SOCK_STREAM) {
        s->link = net_link_new(fd, &link_ops, s);
    } else {
        s->dgram = net_dgram_new(fd, NULL, 0, s->net);
    }
    return true;
}

static bool open_udp(SocketNet *s, const NetdevSocketOptions *o, Error **errp)
{
    SocketAddress *remote = address(o->udp ? o->udp : o->mcast, errp), *local = NULL;

    if (!remote) {
        return false;
    }
    if (o->udp && !(local = address(o->localaddr, errp))) {
        qapi_free_SocketAddress(remote);
        return false;
    }
    s->dgram = o->udp ? net_dgram_open(remote, local, s->net, errp)
                      : net_dgram_open_mcast(remote, o->localaddr, s->net, errp);
    qapi_free_SocketAddress(remote);
    qapi_free_SocketAddress(local);
    return s->dgram;
}

static void socket_close(NetBackend *n)
{
    SocketNet *s = n->state;

    stop_watching(s);
    net_link_free(s->link);
    net_dgram_free(s->dgram);
    if (s->fd >= 0) {
        close(s->fd);
    }
    g_free(s->what);
}

static bool open_with(SocketNet *s, const NetdevSocketOptions *o, Error **errp)
{
    unsigned given = !!o->fd + !!o->listen + !!o->connect + !!o->mcast + !!o->udp;

    if (given != 1) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "exactly one of fd=, listen=, connect=, mcast= or udp= is "
                   "required");
        return false;
    }
    if (o->localaddr && !o->mcast && !o->udp) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "localaddr= is only valid with mcast= or udp=");
        return false;
    }
    if (o->udp && !o->localaddr) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "localaddr= is mandatory with udp=");
        return false;
    }
    s->what = g_strdup_printf("%s %s", o->fd ? "fd" : o->listen ? "listen" : o->connect ? "connect" :
                              o->mcast ? "mcast" : "udp", o->fd ? o->fd : o->listen ? o->listen :
                              o->connect ? o->connect : o->mcast ? o->mcast : o->udp);
    return o->fd ? open_fd(s, o->fd, errp)
           : o->listen || o->connect ? open_stream(s, o->listen ? o->listen : o->connect, o->listen, errp)
           : open_udp(s, o, errp);
}

static bool socket_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevSocketOptions o = { 0 };
    SocketNet *s = n->state;
    bool ok;

    s->net = n;
    s->fd = -1;
    if (!net_decode(n, &qapi_type_NetdevSocketOptions, opts, &o, errp)) {
        return false;
    }
    ok = open_with(s, &o, errp);
    qapi_clear_struct(&qapi_type_NetdevSocketOptions, &o);
    if (!ok) {
        socket_close(n);
    }
    return ok;
}

static void socket_send(NetBackend *n, const uint8_t *frame, size_t len)
{
    SocketNet *s = n->state;

    if (s->link) {
        net_link_send(s->link, frame, len);
    } else if (s->dgram) {
        net_dgram_send(s->dgram, frame, len);
    }
}

static void socket_resume(NetBackend *n)
{
    SocketNet *s = n->state;

    net_link_resume(s->link);
    net_dgram_resume(s->dgram);
}

static char *socket_info(NetBackend *n)
{
    SocketNet *s = n->state;

    return g_strdup_printf("%s%s", s->what, s->link || s->dgram ? "" : ", not connected");
}

static NetBackendType type_socket = {
    .name = "socket", .state_size = sizeof(SocketNet), .open = socket_open, .close = socket_close,
    .send = socket_send, .resume = socket_resume, .info = socket_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_socket);
}
