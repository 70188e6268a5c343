/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev stream: frames with their lengths over a stream socket, as a server for one client at a time or as
 * a client that may try again. */
#include "util/osdep.h"
#include <glib.h>
#include <unistd.h>
#include "net/net-frames.h"
#include "qapi/events-net.h"
#include "qapi/sockets.h"
#include "qapi/types-net.h"
#include "util/timer.h"

typedef struct StreamNet {
    NetBackend *net;
    SocketAddress *addr;
    bool server;
    uint32_t reconnect_s;       /* 0: never */
    NetLink *link;
    FdWatch *watch;             /* of fd */
    int fd;                     /* listening or connecting; -1: none */
    Timer again;
} StreamNet;

static void start_connect(void *opaque);

static void got_frame(void *opaque, UNUSED const NetOffload *o, const uint8_t *frame, size_t len)
{
    net_deliver(((StreamNet *)opaque)->net, frame, len);
}

static bool is_busy(void *opaque)
{
    return net_is_busy(((StreamNet *)opaque)->net);
}

static void try_later(StreamNet *s)
{
    if (!s->server && s->reconnect_s) {
        timer_mod_ns(&s->again, clock_get_ns(CLOCK_RT) + s->reconnect_s * NS_PER_SECOND);
    }
}

static void link_closed(void *opaque)
{
    StreamNet *s = opaque;

    net_link_free(s->link);
    s->link = NULL;
    qapi_event_send_netdev_stream_disconnected(s->net->id);
    if (s->server) {
        fd_watch_set(s->watch, FD_READ);
    }
    try_later(s);
}

static const NetLinkOps link_ops = { got_frame, is_busy, link_closed };

static void connected(StreamNet *s, int fd)
{
    SocketAddress *peer = socket_peer_address(fd, NULL);

    socket_set_nodelay(fd, true);
    s->link = net_link_new(fd, &link_ops, s);
    qapi_event_send_netdev_stream_connected(s->net->id, peer ? peer : s->addr);
    qapi_free_SocketAddress(peer);
}

static void client_waiting(int fd, UNUSED unsigned events, void *opaque)
{
    StreamNet *s = opaque;
    int client = socket_accept(fd);

    if (client >= 0) {
        fd_watch_set(s->watch, 0);
        connected(s, client);
    }
}

static void connect_done(int fd, UNUSED unsigned events, void *opaque)
{
    StreamNet *s = opaque;

    fd_watch_remove(s->watch);
    s->watch = NULL;
    s->fd = -1;
    if (socket_connect_result(fd)) {
        close(fd);
        try_later(s);
    } else {
        connected(s, fd);
    }
}

static bool connect_once(StreamNet *s, Error **errp)
{
    bool in_progress;
    int fd;

    if (s->addr->type == SOCKET_ADDRESS_TYPE_FD) {
        fd = net_take_fd(s->addr->u.fd.str, errp);
        in_progress = false;
    } else {
        fd = socket_connect_start(s->addr, &in_progress, errp);
    }
    if (fd >= 0 && in_progress) {
        s->fd = fd;
        s->watch = fd_watch_new_on(main_event_loop(), fd, FD_WRITE, connect_done, s);
    } else if (fd >= 0) {
        connected(s, fd);
    }
    return fd >= 0;
}

static void start_connect(void *opaque)
{
    if (!connect_once(opaque, NULL)) {
        try_later(opaque);
    }
}

static void stream_close(NetBackend *n)
{
    StreamNet *s = n->state;

    timer_del(&s->again);
    fd_watch_remove(s->watch);
    net_link_free(s->link);
    if (s->fd >= 0) {
        close(s->fd);
        if (s->server) {
            socket_unlink(s->addr);
        }
    }
    qapi_free_SocketAddress(s->addr);
}

static bool start(StreamNet *s, Error **errp)
{
    Error *err = NULL;

    if (s->server && s->reconnect_s) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'reconnect' option is incompatible with socket in server "
                   "mode");
        return false;
    }
    if (s->server) {
        s->fd = s->addr->type == SOCKET_ADDRESS_TYPE_FD ? net_take_fd(s->addr->u.fd.str, errp)
                                                        : socket_listen(s->addr, 1, errp);
        if (s->fd >= 0) {
            s->watch = fd_watch_new_on(main_event_loop(), s->fd, FD_READ, client_waiting, s);
        }
        return s->fd >= 0;
    }
    if (!connect_once(s, &err)) {
        if (!s->reconnect_s) {
            error_propagate(errp, err);
            return false;
        }
        error_free(err);
        try_later(s);
    }
    return true;
}

static bool stream_open(NetBackend *n, const QDict *opts, Error **errp)
{
    NetdevStreamOptions o = { 0 };
    StreamNet *s = n->state;

    if (!net_decode(n, &qapi_type_NetdevStreamOptions, opts, &o, errp)) {
        return false;
    }
    s->net = n;
    s->fd = -1;
    s->server = o.has_server && o.server;
    s->reconnect_s = o.has_reconnect ? o.reconnect : 0;
    s->addr = o.addr;
    o.addr = NULL;
    qapi_clear_struct(&qapi_type_NetdevStreamOptions, &o);
    timer_init_ns(&s->again, CLOCK_RT, start_connect, s);
    if (!start(s, errp)) {
        stream_close(n);
        return false;
    }
    return true;
}

static void stream_send(NetBackend *n, const uint8_t *frame, size_t len)
{
    StreamNet *s = n->state;

    if (s->link) {
        net_link_send(s->link, frame, len);
    }
}

static void stream_resume(NetBackend *n)
{
    net_link_resume(((StreamNet *)n->state)->link);
}

static char *stream_info(NetBackend *n)
{
    StreamNet *s = n->state;
    char *a = socket_address_text(s->addr);
    char *text = g_strdup_printf("%s %s%s", s->server ? "server" : "client", a,
                                 s->link ? "" : ", not connected");

    free(a);
    return text;
}

static NetBackendType type_stream = {
    .name = "stream", .state_size = sizeof(StreamNet), .open = stream_open, .close = stream_close,
    .send = stream_send, .resume = stream_resume, .info = stream_info,
};

static void CONSTRUCTOR register_type(void)
{
    net_backend_type_register(&type_stream);
}
