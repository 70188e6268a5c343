/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets by SocketAddress: POSIX.1-2017 sockets, unix(7), ip(7), vsock(7). */
#include "util/osdep.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "qapi/sockets.h"

static char *text_fmt(const char *fmt, ...) PRINTF_LIKE(1, 2);
static char *text_fmt(const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;

    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0) {
        abort();        /* no memory for a few bytes */
    }
    va_end(ap);
    return s;
}

static int new_socket(int family, int type, Error **errp)
{
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        error_set_errno(errp, errno, "can't make a socket");
    }
    return fd;
}

/* ---------------------------------------------------------------- inet */

static struct addrinfo *inet_lookup(const InetSocketAddress *addr, int type, bool passive,
                                    Error **errp)
{
    struct addrinfo hints = { .ai_socktype = type, .ai_family = AF_UNSPEC }, *list;
    const char *host = addr->host && *addr->host ? addr->host : NULL;
    const char *port = addr->port && *addr->port ? addr->port : "0";
    bool no4 = addr->has_ipv4 && !addr->ipv4, no6 = addr->has_ipv6 && !addr->ipv6;
    int rc;

    if (no4 && no6) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "neither ipv4 nor ipv6 is allowed for '%s'",
                   host ? host : "");
        return NULL;
    }
    if (no6 || (addr->has_ipv4 && addr->ipv4 && !addr->has_ipv6)) {
        hints.ai_family = AF_INET;
    } else if (no4 || (addr->has_ipv6 && addr->ipv6 && !addr->has_ipv4)) {
        hints.ai_family = AF_INET6;
    }
    hints.ai_flags = (passive ? AI_PASSIVE : 0) |
                     (addr->has_numeric && addr->numeric ? AI_NUMERICHOST : 0);
    rc = getaddrinfo(host, port, &hints, &list);
    if (rc) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "address resolution failed for '%s:%s': %s",
                   host ? host : "", port, gai_strerror(rc));
        return NULL;
    }
    return list;
}

static void set_port(struct addrinfo *ai, unsigned port)
{
    if (ai->ai_family == AF_INET) {
        ((struct sockaddr_in *)ai->ai_addr)->sin_port = htons(port);
    } else if (ai->ai_family == AF_INET6) {
        ((struct sockaddr_in6 *)ai->ai_addr)->sin6_port = htons(port);
    }
}

static unsigned get_port(const struct addrinfo *ai)
{
    if (ai->ai_family == AF_INET) {
        return ntohs(((struct sockaddr_in *)ai->ai_addr)->sin_port);
    }
    if (ai->ai_family == AF_INET6) {
        return ntohs(((struct sockaddr_in6 *)ai->ai_addr)->sin6_port);
    }
    return 0;
}

static int listen_inet(const InetSocketAddress *addr, int backlog, Error **errp)
{
    struct addrinfo *list = inet_lookup(addr, SOCK_STREAM, true, errp);
    int fd = -1, saved = 0;

    for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next) {
        unsigned first = get_port(ai), last = addr->has_to ? MAX(addr->to, first) : first;

        for (unsigned port = first; port <= last && fd < 0; port++) {
            int one = 1;

            fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (fd < 0) {
                saved = errno;
                break;
            }
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
            if (ai->ai_family == AF_INET6) {
                int v6only = addr->has_ipv4 && !addr->ipv4;

                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
            }
            set_port(ai, port);
            if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, backlog) < 0) {
                saved = errno;
                close(fd);
                fd = -1;
            }
        }
    }
    if (list) {
        freeaddrinfo(list);
        if (fd < 0) {
            error_set_errno(errp, saved, "can't listen on '%s:%s'", addr->host, addr->port);
        }
    }
    return fd;
}

static int connect_inet(const InetSocketAddress *addr, bool *in_progress, Error **errp)
{
    struct addrinfo *list = inet_lookup(addr, SOCK_STREAM, false, errp);
    int fd = -1, saved = 0;

    for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
            saved = errno;
            continue;
        }
        if (addr->has_keep_alive && addr->keep_alive) {
            int one = 1;

            setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
        }
        *in_progress = false;
        if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0) {
            break;
        }
        saved = errno;
        if (saved == EINPROGRESS) {
            struct pollfd pfd = { .fd = fd, .events = POLLOUT };

            /* With other addresses left, see at once if this one refuses. */
            *in_progress = true;
            if (!ai->ai_next || poll(&pfd, 1, 50) <= 0 || !socket_connect_result(fd)) {
                break;
            }
            saved = ECONNREFUSED;
        }
        close(fd);
        fd = -1;
    }
    if (list) {
        freeaddrinfo(list);
        if (fd < 0) {
            error_set_errno(errp, saved, "can't connect to '%s:%s'", addr->host, addr->port);
        }
    }
    return fd;
}

/* ---------------------------------------------------------------- unix */

static bool unix_address(const UnixSocketAddress *addr, struct sockaddr_un *un, socklen_t *len,
                         Error **errp)
{
    bool abstract = addr->has_abstract && addr->abstract;
    size_t path_len = strlen(addr->path), max = sizeof(un->sun_path) - 1;

    memset(un, 0, sizeof(*un));
    un->sun_family = AF_UNIX;
    if (path_len > max || !path_len) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "socket path '%s' has %zu bytes; accepted: 1 to %zu", addr->path, path_len,
                   max);
        return false;
    }
    memcpy(un->sun_path + abstract, addr->path, path_len);
    *len = abstract && !(addr->has_tight && !addr->tight)
           ? offsetof(struct sockaddr_un, sun_path) + 1 + path_len : sizeof(*un);
    return true;
}

static int listen_unix(const UnixSocketAddress *addr, int backlog, Error **errp)
{
    struct sockaddr_un un;
    struct stat st;
    socklen_t len;
    int fd;

    if (!unix_address(addr, &un, &len, errp) || (fd = new_socket(AF_UNIX, SOCK_STREAM, errp)) < 0) {
        return -1;
    }
    /* A file left by an earlier run is in the way; anything else isn't ours. */
    if (un.sun_path[0] && stat(un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(un.sun_path);
    }
    if (bind(fd, (struct sockaddr *)&un, len) < 0 || listen(fd, backlog) < 0) {
        error_set_errno(errp, errno, "can't listen on socket '%s'", addr->path);
        close(fd);
        return -1;
    }
    return fd;
}

static int connect_unix(const UnixSocketAddress *addr, bool *in_progress, Error **errp)
{
    struct sockaddr_un un;
    socklen_t len;
    int fd;

    *in_progress = false;
    if (!unix_address(addr, &un, &len, errp) || (fd = new_socket(AF_UNIX, SOCK_STREAM, errp)) < 0) {
        return -1;
    }
    if (connect(fd, (struct sockaddr *)&un, len) < 0) {
        error_set_errno(errp, errno, "can't connect to socket '%s'", addr->path);
        close(fd);
        return -1;
    }
    return fd;
}

/* ------------------------------------------------------------------ fd */

static int use_fd(const String *addr, Error **errp)
{
    char *end;
    long fd = strtol(addr->str, &end, 10);
    int flags;

    if (*end || end == addr->str || fd < 0 || fd > INT32_MAX) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't the number of a file descriptor",
                   addr->str);
        return -1;
    }
    flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
        error_set_errno(errp, errno, "file descriptor %ld", fd);
        return -1;
    }
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static int no_vsock(Error **errp)
{
    error_setf(errp, ERR_NOT_SUPPORTED, "vsock addresses are not supported here");
    return -1;
}

int socket_listen(const SocketAddress *addr, int backlog, Error **errp)
{
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return listen_inet(&addr->u.inet, backlog, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return listen_unix(&addr->u.q_unix, backlog, errp);
    case SOCKET_ADDRESS_TYPE_FD:
        return use_fd(&addr->u.fd, errp);
    default:
        return no_vsock(errp);
    }
}

int socket_connect_start(const SocketAddress *addr, bool *in_progress, Error **errp)
{
    *in_progress = false;
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return connect_inet(&addr->u.inet, in_progress, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return connect_unix(&addr->u.q_unix, in_progress, errp);
    case SOCKET_ADDRESS_TYPE_FD:
        return use_fd(&addr->u.fd, errp);
    default:
        return no_vsock(errp);
    }
}

int socket_connect_result(int fd)
{
    int err = 0;
    socklen_t len = sizeof(err);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

int socket_connect(const SocketAddress *addr, Error **errp)
{
    bool in_progress;
    int fd = socket_connect_start(addr, &in_progress, errp);

    if (fd >= 0 && in_progress) {
        struct pollfd pfd = { .fd = fd, .events = POLLOUT };
        int err;

        while (poll(&pfd, 1, -1) < 0 && errno == EINTR) {
        }
        err = socket_connect_result(fd);
        if (err) {
            char *text = socket_address_text(addr);

            error_set_errno(errp, err, "can't connect to '%s'", text);
            free(text);
            close(fd);
            return -1;
        }
    }
    return fd;
}

int socket_datagram(const SocketAddress *remote, const SocketAddress *local, Error **errp)
{
    struct addrinfo *peer = NULL, *own = NULL;
    int fd = -1, one = 1;

    if (remote->type != SOCKET_ADDRESS_TYPE_INET ||
        (local && local->type != SOCKET_ADDRESS_TYPE_INET)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "datagrams need addresses of type inet");
        return -1;
    }
    peer = inet_lookup(&remote->u.inet, SOCK_DGRAM, false, errp);
    if (!peer) {
        return -1;
    }
    if (local && !(own = inet_lookup(&local->u.inet, SOCK_DGRAM, true, errp))) {
        freeaddrinfo(peer);
        return -1;
    }
    fd = new_socket(peer->ai_family, SOCK_DGRAM, errp);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if ((own && bind(fd, own->ai_addr, own->ai_addrlen) < 0) ||
            connect(fd, peer->ai_addr, peer->ai_addrlen) < 0) {
            error_set_errno(errp, errno, "can't set up UDP with '%s:%s'", remote->u.inet.host,
                            remote->u.inet.port);
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(peer);
    if (own) {
        freeaddrinfo(own);
    }
    return fd;
}

int socket_accept(int listen_fd)
{
    int fd;

    do {
        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

void socket_set_nodelay(int fd, bool on)
{
    int value = on;

    /* Fails for unix sockets, which have no such delay. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
}

void socket_unlink(const SocketAddress *addr)
{
    if (addr->type == SOCKET_ADDRESS_TYPE_UNIX &&
        !(addr->u.q_unix.has_abstract && addr->u.q_unix.abstract)) {
        unlink(addr->u.q_unix.path);
    }
}

/* ------------------------------------------------------- addresses as text */

static SocketAddress *address_from(const struct sockaddr_storage *ss, socklen_t len, Error **errp)
{
    SocketAddress *addr = qapi_new(SocketAddress);

    if (ss->ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)ss;
        size_t max = len - offsetof(struct sockaddr_un, sun_path);
        bool abstract = max > 1 && !un->sun_path[0];

        addr->type = SOCKET_ADDRESS_TYPE_UNIX;
        addr->u.q_unix.path = text_fmt("%.*s", (int)(max ? max - abstract : 0),
                                       un->sun_path + abstract);
        addr->u.q_unix.has_abstract = addr->u.q_unix.abstract = abstract;
    } else {
        char host[256], port[32];
        int rc = getnameinfo((const struct sockaddr *)ss, len, host, sizeof(host), port,
                             sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);

        if (rc) {
            error_setf(errp, ERR_HOST, "can't tell a socket's address: %s", gai_strerror(rc));
            free(addr);
            return NULL;
        }
        addr->type = SOCKET_ADDRESS_TYPE_INET;
        addr->u.inet.host = text_fmt("%s", host);
        addr->u.inet.port = text_fmt("%s", port);
        if (ss->ss_family == AF_INET6) {
            QAPI_SET(&addr->u.inet, ipv6, true);
        } else {
            QAPI_SET(&addr->u.inet, ipv4, true);
        }
    }
    return addr;
}

SocketAddress *socket_local_address(int fd, Error **errp)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0) {
        error_set_errno(errp, errno, "can't tell a socket's address");
        return NULL;
    }
    return address_from(&ss, len, errp);
}

SocketAddress *socket_peer_address(int fd, Error **errp)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);

    if (getpeername(fd, (struct sockaddr *)&ss, &len) < 0) {
        error_set_errno(errp, errno, "can't tell the address of a socket's peer");
        return NULL;
    }
    return address_from(&ss, len, errp);
}

NetworkAddressFamily socket_family(int fd)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0) {
        switch (ss.ss_family) {
        case AF_INET:
            return NETWORK_ADDRESS_FAMILY_IPV4;
        case AF_INET6:
            return NETWORK_ADDRESS_FAMILY_IPV6;
        case AF_UNIX:
            return NETWORK_ADDRESS_FAMILY_UNIX;
        default:
            break;
        }
    }
    return NETWORK_ADDRESS_FAMILY_UNKNOWN;
}

char *socket_address_text(const SocketAddress *addr)
{
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return text_fmt(strchr(addr->u.inet.host, ':') ? "tcp:[%s]:%s" : "tcp:%s:%s",
                        addr->u.inet.host, addr->u.inet.port);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return text_fmt("unix:%s", addr->u.q_unix.path);
    case SOCKET_ADDRESS_TYPE_FD:
        return text_fmt("fd:%s", addr->u.fd.str);
    default:
        return text_fmt("vsock:%s:%s", addr->u.vsock.cid, addr->u.vsock.port);
    }
}

InetSocketAddress *inet_parse(const char *text, Error **errp)
{
    const char *host = text, *end, *port;
    InetSocketAddress *addr;

    if (*text == '[') {                         /* RFC 3986 3.2.2: IP-literal */
        host++;
        end = strchr(host, ']');
        port = end && end[1] == ':' ? end + 2 : NULL;
    } else {
        end = strrchr(text, ':');
        port = end ? end + 1 : NULL;
    }
    if (!port || !*port || strlen(port) > 32) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't an address of the form HOST:PORT",
                   text);
        return NULL;
    }
    addr = qapi_new(InetSocketAddress);
    addr->host = text_fmt("%.*s", (int)(end - host), host);
    addr->port = text_fmt("%s", port);
    return addr;
}

SocketAddress *socket_address_parse(const char *text, Error **errp)
{
    SocketAddress *addr = qapi_new(SocketAddress);
    InetSocketAddress *inet;

    if (!strncmp(text, "unix:", 5)) {
        addr->type = SOCKET_ADDRESS_TYPE_UNIX;
        addr->u.q_unix.path = text_fmt("%s", text + 5);
    } else if (!strncmp(text, "fd:", 3)) {
        addr->type = SOCKET_ADDRESS_TYPE_FD;
        addr->u.fd.str = text_fmt("%s", text + 3);
    } else if (!strncmp(text, "vsock:", 6) && strchr(text + 6, ':')) {
        addr->type = SOCKET_ADDRESS_TYPE_VSOCK;
        addr->u.vsock.cid = text_fmt("%.*s", (int)strcspn(text + 6, ":"), text + 6);
        addr->u.vsock.port = text_fmt("%s", strchr(text + 6, ':') + 1);
    } else {
        inet = inet_parse(strncmp(text, "tcp:", 4) ? text : text + 4, errp);
        if (!inet) {
            free(addr);
            return NULL;
        }
        addr->type = SOCKET_ADDRESS_TYPE_INET;
        addr->u.inet = *inet;
        free(inet);
    }
    return addr;
}

SocketAddress *socket_address_from_legacy(const SocketAddressLegacy *legacy)
{
    SocketAddress *addr = qapi_new(SocketAddress);
    void *copy;

    addr->type = legacy->type;
    switch (legacy->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        copy = qapi_clone_InetSocketAddress(legacy->u.inet.data);
        addr->u.inet = *(InetSocketAddress *)copy;
        break;
    case SOCKET_ADDRESS_TYPE_UNIX:
        copy = qapi_clone_UnixSocketAddress(legacy->u.q_unix.data);
        addr->u.q_unix = *(UnixSocketAddress *)copy;
        break;
    case SOCKET_ADDRESS_TYPE_FD:
        copy = qapi_clone_String(legacy->u.fd.data);
        addr->u.fd = *(String *)copy;
        break;
    default:
        copy = qapi_clone_VsockSocketAddress(legacy->u.vsock.data);
        addr->u.vsock = *(VsockSocketAddress *)copy;
        break;
    }
    free(copy);
    return addr;
}
