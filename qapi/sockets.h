/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stream and datagram sockets by the schema's SocketAddress. Libc only. All
 * descriptors are close-on-exec and non-blocking; the caller owns them.
 */
#ifndef QAPI_SOCKETS_H
#define QAPI_SOCKETS_H

#include "util/osdep.h"
#include "qapi/types-sockets.h"

/*
 * Listen; -1 with *errp set. Host names are looked up (may block). A stale
 * socket file is replaced. An address of type fd is a listening socket already.
 */
int socket_listen(const SocketAddress *addr, int backlog, Error **errp);
/*
 * Connect and wait for it; -1 with *errp set.
 */
int socket_connect(const SocketAddress *addr, Error **errp);
/*
 * Begin to connect: *in_progress says whether to wait until the descriptor is
 * writable and then to ask socket_connect_result().
 */
int socket_connect_start(const SocketAddress *addr, bool *in_progress, Error **errp);
/* 0, or the errno of a connection that was begun. */
int socket_connect_result(int fd);
/* A UDP socket bound to @local (may be NULL) and connected to @remote. */
int socket_datagram(const SocketAddress *remote, const SocketAddress *local, Error **errp);
/* The next client of a listening socket, or -1 with errno set. */
int socket_accept(int listen_fd);
void socket_set_nodelay(int fd, bool on);
/* Remove the file of a unix socket that was listened on. */
void socket_unlink(const SocketAddress *addr);

/* The address that the descriptor is bound to, or its peer's; NULL on failure. */
SocketAddress *socket_local_address(int fd, Error **errp);
SocketAddress *socket_peer_address(int fd, Error **errp);
/* "tcp:127.0.0.1:5000", "unix:/path"; malloc'd. */
char *socket_address_text(const SocketAddress *addr);
NetworkAddressFamily socket_family(int fd);

/* "HOST:PORT", "[IPV6]:PORT" or ":PORT"; NULL with *errp set. */
InetSocketAddress *inet_parse(const char *text, Error **errp);
/* "unix:F", "tcp:H:P" (or only "H:P"), "fd:N", "vsock:C:P". */
SocketAddress *socket_address_parse(const char *text, Error **errp);
SocketAddress *socket_address_from_legacy(const SocketAddressLegacy *legacy);

#endif
