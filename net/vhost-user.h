/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The emulator's side of the vhost-user protocol ("Vhost-user Protocol" of the virtio back end makers' shared
 * documentation): a process at the other end of a unix socket gets the guest's memory and serves the queues
 * of a virtio device. Each question waits for its answer; the other side is not trusted with more than the guest's
 * memory. Big lock.
 */
#ifndef NET_VHOST_USER_H
#define NET_VHOST_USER_H

#include "net/net.h"

#define VHOST_USER_REGIONS_MAX  8
#define VHOST_USER_PAIRS_MAX    64

/* A piece of guest memory that both have mapped. */
typedef struct VhostRegion {
    uint64_t guest_addr, size, host_addr, fd_offset;
    int fd;
} VhostRegion;

/* A queue; addresses are those of our mapping. */
typedef struct VhostRing {
    unsigned index;
    uint32_t num, base;         /* descriptors, where it goes on */
    uint64_t desc, avail, used;
    int kick_fd, call_fd;       /* eventfds: the driver's notifications, the other side's */
} VhostRing;

/* What a device wants to hear. */
typedef struct VhostUserOps {
    void (*connected)(void *opaque);
    void (*disconnected)(void *opaque);
} VhostUserOps;

typedef struct VhostUser VhostUser;
/* NULL: @n is of another type. */
VhostUser *vhost_user_of(NetBackend *n);
void vhost_user_set_ops(VhostUser *u, const VhostUserOps *ops, void *opaque);
bool vhost_user_is_connected(const VhostUser *u);
uint64_t vhost_user_features(const VhostUser *u);
/* What was agreed on: its own feature that says there are others, features of the protocol by bit, pairs of queues. */
uint64_t vhost_user_backend_features(const VhostUser *u);
uint64_t vhost_user_protocol(const VhostUser *u);
unsigned vhost_user_pairs(const VhostUser *u);
bool vhost_user_set_features(VhostUser *u, uint64_t features, Error **errp);
bool vhost_user_set_memory(VhostUser *u, const VhostRegion *r, unsigned n, Error **errp);
bool vhost_user_start_ring(VhostUser *u, const VhostRing *r, Error **errp);
bool vhost_user_enable_ring(VhostUser *u, unsigned index, bool on, Error **errp);
/* It gives the ring back; *base is where it has stopped. */
bool vhost_user_stop_ring(VhostUser *u, unsigned index, uint32_t *base, Error **errp);

#endif
