/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket: a stream socket, as a server (one client at a time) or as a client
 * (with reconnection). Telnet (RFC 854) on request; descriptors that come with
 * the data of unix sockets are kept for chr_fe_take_fd().
 */
#include "util/osdep.h"
#include <sys/socket.h>
#include <unistd.h>
#include "chardev/char-int.h"
#include "chardev/char-telnet.h"
#include "qapi/sockets.h"
#include "util/timer.h"

#define READ_MAX    4096
#define FDS_MAX     16

typedef struct SocketChardev {
    Chardev parent;
    SocketAddress *addr;
    bool is_server, is_telnet, nodelay;
    int reconnect_s;            /* 0: never */
    int listen_fd, fd;          /* -1: none */
    FdWatch *listen_watch, *in_watch, *out_watch;
    Timer reconnect;
    TelnetState telnet;
    int fds[FDS_MAX];           /* received, not yet taken */
    size_t n_fds;
} SocketChardev;

static void socket_poll(SocketChardev *s);
static void start_connect(void *opaque);

static void set_filename(SocketChardev *s)
{
    SocketAddress *peer = s->fd >= 0 ? socket_peer_address(s->fd, NULL) : NULL;
    SocketAddress *own = s->listen_fd >= 0 ? socket_local_address(s->listen_fd, NULL) : NULL;
    char *a = socket_address_text(own ? own : s->addr);
    char *b = peer && peer->type == SOCKET_ADDRESS_TYPE_INET ? socket_address_text(peer) : NULL;

    /* "telnet:" instead of "tcp:" where that is what is spoken. */
    const char *tail = s->is_telnet && !strncmp(a, "tcp:", 4) ? a + 4 : a;

    g_free(s->parent.filename);
    s->parent.filename = g_strdup_printf("%s%s%s%s%s%s", s->fd < 0 ? "disconnected:" : "",
                                         tail != a ? "telnet:" : "", tail,
                                         s->is_server ? ",server=on" : "",
                                         b ? " <-> " : "", b ? b + 4 : "");
    qapi_free_SocketAddress(peer);
    qapi_free_SocketAddress(own);
    free(a);
    free(b);
}

static void drop_fds(SocketChardev *s)
{
    for (size_t i = 0; i < s->n_fds; i++) {
        close(s->fds[i]);
    }
    s->n_fds = 0;
}

static void drop_connection(SocketChardev *s)
{
    fd_watch_remove(s->in_watch);
    fd_watch_remove(s->out_watch);
    s->in_watch = s->out_watch = NULL;
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    drop_fds(s);
}

static void schedule_reconnect(SocketChardev *s)
{
    if (s->reconnect_s > 0 && !s->is_server) {
        timer_mod_ns(&s->reconnect, clock_get_ns(CLOCK_RT) + s->reconnect_s * NS_PER_SECOND);
    }
}

static void disconnected(SocketChardev *s)
{
    bool was_open = s->parent.be_open;

    drop_connection(s);
    set_filename(s);
    if (s->listen_watch) {
        fd_watch_set(s->listen_watch, FD_READ);     /* the next client may come */
    }
    schedule_reconnect(s);
    if (was_open) {
        chr_be_event(&s->parent, CHR_EVENT_CLOSED);
    }
}

/* ----------------------------------------------------------- traffic */

static void keep_fds(Chardev *chr, struct msghdr *msg)
{
    SocketChardev *s = (SocketChardev *)chr;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        size_t n;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (s->n_fds < FDS_MAX) {
                s->fds[s->n_fds++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

static void socket_readable(int fd, unsigned events, void *opaque)
{
    SocketChardev *s = opaque;
    uint8_t buf[READ_MAX];
    char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
    size_t room = chr_be_can_receive(&s->parent);
    struct iovec iov = { buf, MIN(room, sizeof(buf)) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = sizeof(control) };
    ssize_t n;

    (void)events;
    if (!room) {
        socket_poll(s);
        return;
    }
    n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        disconnected(s);
        return;
    }
    keep_fds(&s->parent, &msg);
    if (s->is_telnet) {
        bool is_break = false;

        n = telnet_input(&s->telnet, buf, n, &is_break);
        if (is_break) {
            chr_be_event(&s->parent, CHR_EVENT_BREAK);
        }
    }
    if (n) {
        chr_be_receive(&s->parent, buf, n);
    }
    if (s->fd == fd) {
        socket_poll(s);
    }
}

/* The front end takes nothing now: see at least whether the peer goes away. */
static void socket_hangup(int fd, unsigned events, void *opaque)
{
    char c;

    (void)events;
    if (recv(fd, &c, 1, MSG_PEEK) == 0) {
        disconnected(opaque);
    }
}

static void socket_poll(SocketChardev *s)
{
    fd_watch_remove(s->in_watch);
    s->in_watch = NULL;
    if (s->fd < 0 || !s->parent.be_open) {
        return;
    }
    if (chr_be_can_receive(&s->parent) > 0) {
        s->in_watch = fd_watch_new(s->fd, FD_READ, socket_readable, s);
    } else {
        s->in_watch = fd_watch_new(s->fd, FD_HANGUP, socket_hangup, s);
    }
}

static void socket_writable(int fd, unsigned events, void *opaque)
{
    SocketChardev *s = opaque;

    (void)fd;
    (void)events;
    fd_watch_remove(s->out_watch);
    s->out_watch = NULL;
    chr_be_flush(&s->parent);
}

static ssize_t socket_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    SocketChardev *s = (SocketChardev *)chr;
    ssize_t n;

    if (s->fd < 0) {
        return -1;
    }
    do {
        n = send(s->fd, buf, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        /* Reading finds out that the peer is gone; its last words come first. */
        return -1;
    }
    n = MAX(n, 0);
    if ((size_t)n < len && !s->out_watch) {
        s->out_watch = fd_watch_new(s->fd, FD_WRITE, socket_writable, s);
    }
    return n;
}

/* ---------------------------------------------------------- connecting */

static void connected(SocketChardev *s, int fd)
{
    s->fd = fd;
    if (s->nodelay || s->is_telnet) {
        socket_set_nodelay(fd, true);
    }
    if (s->listen_watch) {
        fd_watch_set(s->listen_watch, 0);           /* one client at a time */
    }
    set_filename(s);
    if (s->is_telnet) {
        size_t len;
        const uint8_t *hello = telnet_start(&s->telnet, &len);

        /* Fits the buffer of a socket that nothing was sent on yet. */
        if (send(fd, hello, len, MSG_NOSIGNAL) < 0) {
            disconnected(s);
            return;
        }
    }
    chr_be_event(&s->parent, CHR_EVENT_OPENED);
    socket_poll(s);
}

static void client_waiting(int fd, unsigned events, void *opaque)
{
    SocketChardev *s = opaque;
    int client = socket_accept(fd);

    (void)events;
    if (client >= 0) {
        connected(s, client);
    }
}

static void connect_done(int fd, unsigned events, void *opaque)
{
    SocketChardev *s = opaque;

    (void)events;
    fd_watch_remove(s->out_watch);
    s->out_watch = NULL;
    if (socket_connect_result(fd)) {
        s->fd = -1;
        close(fd);
        schedule_reconnect(s);
        return;
    }
    connected(s, fd);
}

static void start_connect(void *opaque)
{
    SocketChardev *s = opaque;
    bool in_progress;
    int fd;

    if (s->fd >= 0) {
        return;
    }
    fd = socket_connect_start(s->addr, &in_progress, NULL);
    if (fd < 0) {
        schedule_reconnect(s);
    } else if (in_progress) {
        s->fd = fd;
        s->out_watch = fd_watch_new(fd, FD_WRITE, connect_done, s);
    } else {
        connected(s, fd);
    }
}

static bool open_server(SocketChardev *s, bool wait, Error **errp)
{
    s->listen_fd = socket_listen(s->addr, 1, errp);
    if (s->listen_fd < 0) {
        return false;
    }
    s->listen_watch = fd_watch_new(s->listen_fd, FD_READ, client_waiting, s);
    set_filename(s);
    if (wait) {
        fprintf(stderr, "qemu-system: waiting for connection on: %s\n",
                s->parent.filename);
        main_loop_run_until(&s->parent.be_open);
    }
    return true;
}

static bool open_client(SocketChardev *s, Error **errp)
{
    int fd;

    if (s->reconnect_s > 0) {
        set_filename(s);
        start_connect(s);       /* if it isn't there, try again later */
        return true;
    }
    fd = socket_connect(s->addr, errp);
    if (fd < 0) {
        return false;
    }
    connected(s, fd);
    return true;
}

static bool check_options(const ChardevSocket *opts, bool is_server, Error **errp)
{
    const char *bad = opts->has_tn3270 && opts->tn3270 ? "tn3270"
                      : opts->has_websocket && opts->websocket ? "websocket"
                      : opts->tls_creds ? "tls-creds" : opts->tls_authz ? "tls-authz" : NULL;

    if (bad) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'%s' option is not supported for socket chardev",
                   bad);
        return false;
    }
    if (!is_server && opts->has_wait) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'wait' option is incompatible with socket in client connect mode");
        return false;
    }
    if (is_server && opts->has_reconnect && opts->reconnect) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "'reconnect' option is incompatible with socket in server listen mode");
        return false;
    }
    if (opts->has_reconnect && (opts->reconnect < 0 || opts->reconnect > INT32_MAX)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'reconnect' is a number of seconds, not negative");
        return false;
    }
    return true;
}

static bool socket_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    SocketChardev *s = (SocketChardev *)chr;
    const ChardevSocket *opts = backend->u.socket.data;

    s->fd = s->listen_fd = -1;
    s->is_server = !opts->has_server || opts->server;
    timer_init_ns(&s->reconnect, CLOCK_RT, start_connect, s);
    if (!check_options(opts, s->is_server, errp)) {
        return false;
    }
    s->is_telnet = opts->has_telnet && opts->telnet;
    s->nodelay = opts->has_nodelay && opts->nodelay;
    s->reconnect_s = opts->has_reconnect ? opts->reconnect : 0;
    s->addr = socket_address_from_legacy(opts->addr);
    return s->is_server ? open_server(s, opts->has_wait && opts->wait, errp)
                        : open_client(s, errp);
}

static void socket_close(Chardev *chr)
{
    SocketChardev *s = (SocketChardev *)chr;

    timer_del(&s->reconnect);
    drop_connection(s);
    fd_watch_remove(s->listen_watch);
    if (s->listen_fd >= 0) {
        close(s->listen_fd);
        socket_unlink(s->addr);
    }
    qapi_free_SocketAddress(s->addr);
}

static void socket_accept_input(Chardev *chr)
{
    socket_poll((SocketChardev *)chr);
}

static void socket_disconnect(Chardev *chr)
{
    SocketChardev *s = (SocketChardev *)chr;

    if (chr->be_open) {
        disconnected(s);
    }
}

static bool socket_add_client(Chardev *chr, int fd, Error **errp)
{
    SocketChardev *s = (SocketChardev *)chr;

    if (!s->is_server || s->fd >= 0) {
        error_setf(errp, ERR_WRONG_STATE, "character device '%s' doesn't wait for a client",
                   chr->id);
        return false;
    }
    connected(s, fd);
    return true;
}

static int socket_take_fd(Chardev *chr)
{
    SocketChardev *s = (SocketChardev *)chr;
    int fd;

    if (!s->n_fds) {
        return -1;
    }
    fd = s->fds[0];
    s->n_fds--;
    memmove(s->fds, s->fds + 1, s->n_fds * sizeof(int));
    return fd;
}

static int socket_fd(Chardev *chr)
{
    SocketChardev *s = (SocketChardev *)chr;

    return chr->be_open ? s->fd : -1;
}

const ChardevOps chr_socket_ops = {
    .kind = CHARDEV_BACKEND_KIND_SOCKET,
    .args = "host=H,port=P|path=F|fd=N[,server=on][,wait=off][,reconnect=SECONDS]"
            "[,telnet=on][,nodelay=on][,to=P][,ipv4=on|off][,ipv6=on|off][,abstract=on]",
    .size = sizeof(SocketChardev), .open = socket_open, .close = socket_close,
    .write = socket_write, .accept_input = socket_accept_input,
    .disconnect = socket_disconnect, .add_client = socket_add_client,
    .take_fd = socket_take_fd, .keep_fds = keep_fds, .socket_fd = socket_fd,
};
