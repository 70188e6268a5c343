/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames as datagrams: one each, over UDP, a multicast group or unix sockets. Big lock. */
#ifndef NET_NET_DGRAM_H
#define NET_NET_DGRAM_H

#include <sys/socket.h>
#include "net/net.h"
#include "qapi/types-sockets.h"

typedef struct NetDgram NetDgram;

/* Takes @fd, which doesn't block. @to (@to_len bytes, 0: connected) is where frames are sent. */
NetDgram *net_dgram_new(int fd, const struct sockaddr *to, socklen_t to_len, NetBackend *n);
/* Bound to @local; both are of type inet, or unix. */
NetDgram *net_dgram_open(const SocketAddress *remote, const SocketAddress *local, NetBackend *n,
                         Error **errp);
/* A member of the IPv4 group @group; @interface: address of the host's side, NULL: any. */
NetDgram *net_dgram_open_mcast(const SocketAddress *group, const char *interface, NetBackend *n,
                               Error **errp);
bool net_dgram_is_mcast(const SocketAddress *a);
void net_dgram_free(NetDgram *d);       /* NULL is allowed, as for resume */
void net_dgram_send(NetDgram *d, const uint8_t *frame, size_t len);
void net_dgram_resume(NetDgram *d);

#endif
