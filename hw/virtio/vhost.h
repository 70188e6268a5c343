/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues of a virtio device that another process serves (net/vhost-user.h): while the driver and the VM run, it
 * has the rings, the guest's memory, and eventfds for the notifications both ways. Split rings. Big lock, but
 * for the driver's notifications.
 *
 * While it runs what it writes into memory isn't tracked, so the machine can't be migrated.
 */
#ifndef HW_VIRTIO_VHOST_H
#define HW_VIRTIO_VHOST_H

#include "hw/virtio/virtio.h"
#include "net/vhost-user.h"

typedef struct VhostDev VhostDev;
/* @rings: the first ones of @v's, at most. NULL with *errp set. */
VhostDev *vhost_dev_new(VirtIODevice *v, VhostUser *u, unsigned rings, Error **errp);
void vhost_dev_free(VhostDev *d);       /* NULL is allowed; stops */
/* The first @rings go to the other side, or all come back. */
void vhost_dev_start(VhostDev *d, unsigned rings, unsigned enabled);
void vhost_dev_stop(VhostDev *d);
bool vhost_dev_is_started(const VhostDev *d);
/* Of the started rings the first @enabled are used. */
void vhost_dev_enable(VhostDev *d, unsigned enabled);
/* What the other side has of ring @i of the started ones, for people. False if it has nothing of it. */
typedef struct VhostRingInfo {
    int kick_fd, call_fd;
    const void *part[3];        /* descriptors, available and used ring in this process */
} VhostRingInfo;
bool vhost_dev_ring(const VhostDev *d, unsigned i, VhostRingInfo *info);
/* Who serves it, and how much it has: rings at most, pieces of memory (NULL: nobody asks). */
const VhostUser *vhost_dev_peer(const VhostDev *d, unsigned *rings, unsigned *regions);
/* Features by bit number that the device may offer at most. */
uint64_t vhost_dev_limit(const VhostDev *d);

#endif
