/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "net/net-dgram.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>
#include "util/main-loop.h"

#define FRAMES_PER_RUN  64

struct NetDgram {
    int fd;
    FdWatch *watch;
    NetBackend *net;
    struct sockaddr_storage to;
    socklen_t to_len;
    char *path;                 /* of a unix socket of ours: goes with it */
};

static void readable(int fd, UNUSED unsigned events, void *opaque)
{
    NetDgram *d = opaque;
    uint8_t buf[65536];

    for (unsigned i = 0; i < FRAMES_PER_RUN; i++) {
        ssize_t n;

        if (net_is_busy(d->net)) {
            fd_watch_set(d->watch, 0);
            return;
        }
        n = recv(fd, buf, sizeof(buf), 0);
        if (n < 0) {
            return;
        }
        if (n) {
            net_deliver(d->net, buf, n);
        }
    }
}

NetDgram *net_dgram_new(int fd, const struct sockaddr *to, socklen_t to_len, NetBackend *n)
{
    NetDgram *d = g_new0(NetDgram, 1);

    d->fd = fd;
    d->net = n;
    if (to_len) {
        memcpy(&d->to, to, MIN(to_len, sizeof(d->to)));
        d->to_len = MIN(to_len, sizeof(d->to));
    }
    d->watch = fd_watch_new_on(main_event_loop(), fd, FD_READ, readable, d);
    return d;
}

void net_dgram_free(NetDgram *d)
{
    if (d) {
        fd_watch_remove(d->watch);
        close(d->fd);
        if (d->path) {
            unlink(d->path);
        }
        g_free(d->path);
        g_free(d);
    }
}

/* A datagram that the host doesn't take is lost, as frames may be. */
void net_dgram_send(NetDgram *d, const uint8_t *frame, size_t len)
{
    ssize_t n;

    do {
        n = d->to_len ? sendto(d->fd, frame, len, MSG_NOSIGNAL, (struct sockaddr *)&d->to, d->to_len)
                      : send(d->fd, frame, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
}

void net_dgram_resume(NetDgram *d)
{
    if (d) {
        fd_watch_set(d->watch, FD_READ);
    }
}

/* --- addresses --- */

static bool lookup(const InetSocketAddress *a, int family, struct sockaddr_storage *out, socklen_t *len,
                   Error **errp)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_family = family }, *list;
    int rc = getaddrinfo(*a->host ? a->host : "0.0.0.0", *a->port ? a->port : "0", &hints, &list);

    if (rc) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "address resolution failed for '%s:%s': %s", a->host,
                   a->port, gai_strerror(rc));
        return false;
    }
    memcpy(out, list->ai_addr, list->ai_addrlen);
    *len = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

static bool unix_address(const char *path, struct sockaddr_storage *out, socklen_t *len, Error **errp)
{
    struct sockaddr_un *un = (struct sockaddr_un *)out;

    memset(un, 0, sizeof(*un));
    un->sun_family = AF_UNIX;
    if (!*path || strlen(path) >= sizeof(un->sun_path)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "socket path '%s' has %zu bytes; accepted: 1 to %zu", path,
                   strlen(path), sizeof(un->sun_path) - 1);
        return false;
    }
    memcpy(un->sun_path, path, strlen(path));
    *len = sizeof(*un);
    return true;
}

static int new_socket(int family, Error **errp)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (fd < 0) {
        error_set_errno(errp, errno, "can't make a datagram socket");
    } else {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    return fd;
}

NetDgram *net_dgram_open(const SocketAddress *remote, const SocketAddress *local, NetBackend *n,
                         Error **errp)
{
    struct sockaddr_storage to, own;
    socklen_t to_len, own_len;
    bool is_unix = remote->type == SOCKET_ADDRESS_TYPE_UNIX;
    NetDgram *d;
    int fd;

    if (remote->type != local->type || (!is_unix && remote->type != SOCKET_ADDRESS_TYPE_INET)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'local' and 'remote' must both be of type inet, or unix");
        return NULL;
    }
    if (is_unix ? !unix_address(remote->u.q_unix.path, &to, &to_len, errp) ||
                  !unix_address(local->u.q_unix.path, &own, &own_len, errp)
                : !lookup(&remote->u.inet, AF_UNSPEC, &to, &to_len, errp) ||
                  !lookup(&local->u.inet, to.ss_family, &own, &own_len, errp)) {
        return NULL;
    }
    fd = new_socket(to.ss_family, errp);
    if (fd < 0) {
        return NULL;
    }
    if (is_unix) {
        unlink(local->u.q_unix.path);           /* left by an earlier run */
    }
    if (bind(fd, (struct sockaddr *)&own, own_len) < 0) {
        error_set_errno(errp, errno, "can't bind a datagram socket to '%s'",
                        is_unix ? local->u.q_unix.path : local->u.inet.port);
        close(fd);
        return NULL;
    }
    d = net_dgram_new(fd, (struct sockaddr *)&to, to_len, n);
    d->path = is_unix ? g_strdup(local->u.q_unix.path) : NULL;
    return d;
}

bool net_dgram_is_mcast(const SocketAddress *a)
{
    struct sockaddr_storage ss;
    socklen_t len;

    return a->type == SOCKET_ADDRESS_TYPE_INET && lookup(&a->u.inet, AF_INET, &ss, &len, NULL) &&
           IN_MULTICAST(ntohl(((struct sockaddr_in *)&ss)->sin_addr.s_addr));
}

NetDgram *net_dgram_open_mcast(const SocketAddress *group, const char *interface, NetBackend *n,
                               Error **errp)
{
    struct sockaddr_storage ss;
    struct sockaddr_in *to = (struct sockaddr_in *)&ss;
    struct ip_mreq join = { .imr_interface.s_addr = htonl(INADDR_ANY) };
    socklen_t len;
    uint8_t loop = 1;
    int fd;

    if (!net_dgram_is_mcast(group)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no IPv4 multicast address; accepted: 224.0.0.0 to "
                   "239.255.255.255", group->type == SOCKET_ADDRESS_TYPE_INET ? group->u.inet.host : "");
        return NULL;
    }
    if (!lookup(&group->u.inet, AF_INET, &ss, &len, errp)) {
        return NULL;
    }
    if (interface && inet_pton(AF_INET, interface, &join.imr_interface) != 1) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no IPv4 address of an interface", interface);
        return NULL;
    }
    join.imr_multiaddr = to->sin_addr;
    fd = new_socket(AF_INET, errp);
    if (fd < 0) {
        return NULL;
    }
    /* Members on this host hear each other. */
    if (bind(fd, (struct sockaddr *)to, len) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof(loop)) < 0 ||
        (interface && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join.imr_interface,
                                 sizeof(join.imr_interface)) < 0)) {
        error_set_errno(errp, errno, "can't join the multicast group '%s:%s'", group->u.inet.host,
                        group->u.inet.port);
        close(fd);
        return NULL;
    }
    return net_dgram_new(fd, (struct sockaddr *)to, len, n);
}
