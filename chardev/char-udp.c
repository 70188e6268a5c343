/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp: each write is a packet, each packet received is input. */
#include "util/osdep.h"
#include <sys/socket.h>
#include <unistd.h>
#include "chardev/char-int.h"
#include "qapi/sockets.h"

typedef struct UdpChardev {
    Chardev parent;
    int fd;
    FdWatch *watch;
    uint8_t packet[65536];
    size_t len, pos;            /* of what the front end hasn't taken yet */
} UdpChardev;

static void udp_deliver(UdpChardev *s)
{
    while (s->pos < s->len) {
        size_t n = MIN(chr_be_can_receive(&s->parent), s->len - s->pos);
        size_t pos = s->pos;

        if (!n) {
            return;
        }
        s->pos += n;
        chr_be_receive(&s->parent, s->packet + pos, n);
    }
}

static void udp_readable(int fd, unsigned events, void *opaque)
{
    UdpChardev *s = opaque;
    ssize_t n;

    (void)events;
    n = recv(fd, s->packet, sizeof(s->packet), 0);
    if (n > 0) {
        s->len = n;
        s->pos = 0;
        udp_deliver(s);
        fd_watch_set(s->watch, s->pos == s->len ? FD_READ : 0);
    }
}

static bool udp_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    UdpChardev *s = (UdpChardev *)chr;
    const ChardevUdp *opts = backend->u.udp.data;
    SocketAddress *remote = socket_address_from_legacy(opts->remote);
    SocketAddress *local = opts->local ? socket_address_from_legacy(opts->local) : NULL;

    s->fd = socket_datagram(remote, local, errp);
    if (s->fd >= 0) {
        char *text = socket_address_text(remote);

        chr->filename = g_strdup_printf("udp:%s", strncmp(text, "tcp:", 4) ? text : text + 4);
        free(text);
        s->watch = fd_watch_new(s->fd, FD_READ, udp_readable, s);
        chr_be_event(chr, CHR_EVENT_OPENED);
    }
    qapi_free_SocketAddress(remote);
    qapi_free_SocketAddress(local);
    return s->fd >= 0;
}

static void udp_close(Chardev *chr)
{
    UdpChardev *s = (UdpChardev *)chr;

    fd_watch_remove(s->watch);
    if (s->fd >= 0) {
        close(s->fd);
    }
}

/* A packet that the host doesn't take is lost, as packets may be. */
static ssize_t udp_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    size_t n = MIN(len, (size_t)65507);         /* RFC 768: the largest that IPv4 carries */

    return send(((UdpChardev *)chr)->fd, buf, n, 0) < 0 ? -1 : (ssize_t)n;
}

static void udp_accept_input(Chardev *chr)
{
    UdpChardev *s = (UdpChardev *)chr;

    udp_deliver(s);
    if (s->watch && s->pos == s->len) {
        fd_watch_set(s->watch, FD_READ);
    }
}

const ChardevOps chr_udp_ops = {
    .kind = CHARDEV_BACKEND_KIND_UDP,
    .args = "host=H,port=P[,localaddr=H][,localport=P][,ipv4=on|off][,ipv6=on|off]",
    .size = sizeof(UdpChardev), .open = udp_open, .close = udp_close, .write = udp_write,
    .accept_input = udp_accept_input,
};
