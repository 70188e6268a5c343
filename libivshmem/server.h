/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server's side: gives out shared memory, ids and eventfds, tells all clients who comes and leaves.
 * It never blocks and has no loop of its own: when ivshmem_server_fd() is readable, call ivshmem_server_run().
 * Clients send nothing; one that does, or that doesn't take what it is sent, is hung up on.
 */
#ifndef LIBIVSHMEM_SERVER_H
#define LIBIVSHMEM_SERVER_H

#include "util/osdep.h"
#include "libivshmem/ivshmem.h"

#define IVSHMEM_VECTORS_MAX     2048
#define IVSHMEM_CLIENTS_MAX     65536

typedef struct IvshmemServer IvshmemServer;

typedef struct IvshmemServerOptions {
    const char *socket;         /* where to listen; NULL: nowhere */
    int memory;                 /* descriptor; stays the caller's, and must outlive the server */
    unsigned vectors;           /* of each client; 1 to IVSHMEM_VECTORS_MAX */
    unsigned clients;           /* at most; 1 to IVSHMEM_CLIENTS_MAX */
    void (*log)(void *opaque, const char *text);        /* NULL: silent */
    void *opaque;
} IvshmemServerOptions;

/* A socket file that nobody listens at is replaced. NULL on failure. */
IvshmemServer *ivshmem_server_new(const IvshmemServerOptions *options, char *err);
/* Hangs up on all; removes the socket. NULL is allowed. */
void ivshmem_server_free(IvshmemServer *s);
int ivshmem_server_fd(const IvshmemServer *s);
void ivshmem_server_run(IvshmemServer *s);
/* A client by a connection that is there; takes @sock. All it needs to be ready is in the socket at
 * return. Its id, or a negative errno. */
int ivshmem_server_add(IvshmemServer *s, int sock);
unsigned ivshmem_server_clients(const IvshmemServer *s);

/* Where the memory comes from. */
typedef enum IvshmemMemoryKind {
    IVSHMEM_MEMORY_POSIX,       /* shm_open(@name); made, or grown to @size */
    IVSHMEM_MEMORY_DIR,         /* a nameless file in the folder @name, of hugetlbfs for instance */
    IVSHMEM_MEMORY_MEMFD,       /* nameless; it can't be shrunk */
    IVSHMEM_MEMORY_HUGE,        /* the same, of huge pages of the host's default size */
} IvshmemMemoryKind;
/* @size is rounded up to whole pages. The descriptor, -1 on failure. */
int ivshmem_memory_new(IvshmemMemoryKind kind, const char *name, uint64_t size, char *err);

#endif
