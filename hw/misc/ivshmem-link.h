/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of an ivshmem server: one connection, over a character device, that
 * brings shared memory, an id, and an eventfd for each vector of each peer.
 *
 * Source: "Device Specification for Inter-VM shared memory device" ("IVSHMEM"), the
 * client-server protocol, version 0. Each message is a little-endian 64-bit number, with
 * at most one file descriptor. All that comes is checked; a server that breaks the
 * protocol is hung up on.
 *
 * Big lock, except where said. The owner embeds an IvshmemLink.
 */
#ifndef HW_MISC_IVSHMEM_LINK_H
#define HW_MISC_IVSHMEM_LINK_H

#include "chardev/chardev.h"
#include "hw/core/device.h"
#include "hw/core/runstate.h"
#include "memory/memory.h"

#define IVSHMEM_IDS             65536
/* Eventfds that one link keeps: what a server may make us hold open. */
#define IVSHMEM_MAX_FDS         16384

typedef struct IvshmemLink IvshmemLink;
typedef struct IvshmemPeer IvshmemPeer;
typedef struct IvshmemVector IvshmemVector;

typedef struct IvshmemLinkOps {
    /* A peer rang. @vector: below the number given to ivshmem_link_open(). */
    void (*rung)(void *opaque, unsigned vector);
    /* A peer left; may be NULL. */
    void (*peer_gone)(void *opaque, uint16_t id);
} IvshmemLinkOps;

typedef enum IvshmemStage {
    IVSHMEM_WANT_VERSION, IVSHMEM_WANT_ID, IVSHMEM_WANT_MEMORY, IVSHMEM_READY, IVSHMEM_LOST,
} IvshmemStage;

struct IvshmemLink {
    CharFrontend fe;
    const IvshmemLinkOps *ops;
    void *opaque;
    char *name;                     /* of the device, for messages */
    IvshmemStage stage;
    uint16_t id;                    /* once the stage is past WANT_ID */
    Device *dev;                    /* whose RAM the memory is */
    MemRegion memory;               /* RAM, shared, all of it */
    Chardev *broker_chr;            /* our own connection to a broker */
    unsigned vectors;
    uint8_t buf[8];                 /* of the message that is coming */
    unsigned have;
    IvshmemVector *own;             /* [vectors]: what peers ring */
    IvshmemPeer **peers;            /* [IVSHMEM_IDS], ourselves too; read under RCU */
    size_t fds;
    RunstateListener listener;      /* rings wait while the VM is stopped */
};

/*
 * Connect to @chr's server, or else to @broker (either may be NULL), and wait for id and memory. @vectors: 1 and up. False: closed
 * again, as ivshmem_link_close() leaves it.
 */
bool ivshmem_link_open(IvshmemLink *l, Device *dev, Chardev *chr, Object *broker, unsigned vectors,
                       const IvshmemLinkOps *ops, void *opaque, Error **errp);
/* Hangs up: the server tells the others that we left. The memory must not be mapped. Does nothing to a link of zeros. */
void ivshmem_link_close(IvshmemLink *l);
/* Any thread. Nothing happens if there is no such peer or vector. */
void ivshmem_link_ring(IvshmemLink *l, uint16_t id, uint16_t vector);
/* All peers but ourselves. */
void ivshmem_link_ring_all(IvshmemLink *l, uint16_t vector);

#endif
