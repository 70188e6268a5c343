/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of the driver "nbd": nbd-connect.c makes a connection, nbd-receive.c takes what comes over it,
 * nbd-client.c has the requests and makes the connection again when it is lost.
 */
#ifndef BLOCK_NBD_CLIENT_H
#define BLOCK_NBD_CLIENT_H

#include "block/nbd.h"

/* Where the disk is. */
typedef struct NbdTarget {
    SocketAddress *address;         /* owned */
    TlsCreds *creds;                /* a reference, or NULL */
    char *export, *hostname;        /* owned; the server's name, as TLS checks it, or NULL */
    char *context;                  /* owned; which metadata context tells what is allocated */
} NbdTarget;

/* A connection, as it was negotiated. */
typedef struct NbdLink {
    NbdStream st;
    uint64_t size;
    uint16_t flags;
    bool structured;                /* reads are answered in chunks */
    bool has_context;               /* the server has the target's context */
    uint32_t context;               /* its number */
} NbdLink;

/* --- nbd-connect.c --- */

/* One attempt; what has begun can be broken off with nbd_shut(&l->st), where l->st.fd isn't -1. */
bool coroutine_fn nbd_connect(NbdLink *l, const NbdTarget *t, Error **errp);
void nbd_link_close(NbdLink *l);

/* --- nbd-receive.c --- */

/* A request that waits for its answer. */
typedef struct NbdWait {
    uint16_t type, flags;
    uint64_t cookie, offset;
    uint32_t len;
    const struct iovec *iov;        /* of reads and writes */
    size_t niov;
    NbdExtent *extent;              /* of a block status */
    Coroutine *co;
    int result;
    uint32_t got;                   /* bytes or extents, in chunks that have come */
    struct NbdWait *next;
} NbdWait;

/* The next message. False: the connection is lost, or what comes makes no sense. *@done: the request that has its
 * answer now, and isn't in *@sent any more; NULL: none yet. */
bool coroutine_fn nbd_receive(NbdLink *l, NbdWait **sent, NbdWait **done);

#endif
