/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libivshmem: messages between guests, and between guests and their host, through the shared memory of
 * an ivshmem device. It needs the C library only. A program of the host connects to the server
 * (ivshmem_connect), a program of a guest opens the PCI function (ivshmem_open); from then on both
 * do the same.
 *
 * One thread at a time may use an Ivshmem. Functions that return an int return a negative errno value when
 * they fail. Where @err is given, it is NULL or has room for IVSHMEM_ERR_LEN characters, and gets a sentence.
 */
#ifndef LIBIVSHMEM_IVSHMEM_H
#define LIBIVSHMEM_IVSHMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IVSHMEM_ERR_LEN     200

typedef struct Ivshmem Ivshmem;

/* To the server at @socket, and wait for its greeting. NULL on failure. */
Ivshmem *ivshmem_connect(const char *socket, char *err);
/*
 * The device of this guest at @address ("0000:00:04.0"; NULL: the first one there is). Bound to vfio-pci, it
 * tells all its vectors; bound to uio_pci_generic, a device without MSI-X (vectors=0) is waited for by its interrupt.
 * Without a driver it is looked at again and again.
 */
Ivshmem *ivshmem_open(const char *address, char *err);
void ivshmem_close(Ivshmem *iv);

/* All of the memory. Others may change it at any time. */
void *ivshmem_memory(const Ivshmem *iv, size_t *size);
unsigned ivshmem_id(const Ivshmem *iv);
/* How many others are there, and up to @max of their ids. A guest can't know: -ENOTSUP. */
int ivshmem_peers(Ivshmem *iv, uint16_t *ids, int max);
/* How many vectors the peer has; -ENOENT: it isn't there; -ENOTSUP: a guest can't know. */
int ivshmem_peer_vectors(const Ivshmem *iv, unsigned peer);

/* Ring a peer's vector. All written to the memory before is there when it looks. A guest isn't told
 * whether there is such a peer. */
int ivshmem_notify(Ivshmem *iv, unsigned peer, unsigned vector);
/*
 * Wait until somebody has rung, or a peer came or left; @timeout_ms -1: for ever. 1, with the vectors that were
 * rung in @vectors (may be NULL; of the first 32; a guest without MSI-X or VFIO sees bit 0 for any), 0 after the time. It
 * may return 1 for nothing: look whether there is what was waited for. -EPIPE: the server is gone.
 */
int ivshmem_wait(Ivshmem *iv, int timeout_ms, uint32_t *vectors);
/* Readable when ivshmem_wait(iv, 0, ...) has something to say; -ENOTSUP for a device that is looked at. */
int ivshmem_fd(const Ivshmem *iv);

/* ------------------------------------------------------------------ rings */

/*
 * A ring of messages from one producer to one consumer. Messages are made in the shared memory itself and
 * read there: nothing is copied. All numbers in it are little-endian 32-bit words, so guests of other
 * architectures read it too (docs/ivshmem.md has a picture). Neither side trusts the other: an index
 * that can't be is -EBADMSG, and no access leaves the ring; what is read in place may still change.
 */
typedef struct IvshmemRing {
    uint8_t *base;              /* of its header */
    uint32_t size;              /* bytes of data: a power of two */
    uint32_t mine;              /* our index, which we don't read back */
    uint32_t seen;              /* the other side's index when we last looked */
    uint32_t pending;           /* bytes reserved, or shown by peek */
} IvshmemRing;

#define IVSHMEM_RING_HEADER     320     /* bytes before the data */
#define IVSHMEM_RING_DATA_MIN   64
#define IVSHMEM_RING_DATA_MAX   (1u << 30)

/* The largest power of two that fits into @bytes with the header; 0: nothing does. */
uint32_t ivshmem_ring_fit(size_t bytes);
/* Format: the producer, once. @size as above. @base is aligned to 64 bytes. */
int ivshmem_ring_create(IvshmemRing *r, void *base, uint32_t size);
/* Use one that is there, at most @bytes large. -EAGAIN: not formatted yet. */
int ivshmem_ring_attach(IvshmemRing *r, void *base, size_t bytes, bool producer);

/* Producer: room for a message of @len bytes; NULL with errno EAGAIN (full), EMSGSIZE (never), EBADMSG. */
void *ivshmem_ring_reserve(IvshmemRing *r, uint32_t len);
/* It is written; @len at most what was reserved. 1: the consumer waits, ring it. */
int ivshmem_ring_commit(IvshmemRing *r, uint32_t len);
/* Consumer: the oldest message; NULL with errno EAGAIN (empty), EBADMSG. */
const void *ivshmem_ring_peek(IvshmemRing *r, uint32_t *len);
/* Done with it. 1: the producer waits for room, and half of the ring is free: ring it. */
int ivshmem_ring_release(IvshmemRing *r);
/* Before waiting: true if there is still nothing to read (room for @len bytes), and the other side will ring. */
bool ivshmem_ring_sleep_empty(IvshmemRing *r);
bool ivshmem_ring_sleep_full(IvshmemRing *r, uint32_t len);

/*
 * A ring for each pair out of @peers, by ids, in all of the memory but its first 4096 bytes: where the one from
 * @from to @to is, and how many bytes it may have. NULL: too many peers for that memory.
 */
void *ivshmem_ring_place(const Ivshmem *iv, unsigned peers, unsigned from, unsigned to, size_t *bytes);
/* Send or receive by copying, waiting up to @timeout_ms, and ring @peer when it waits. receive returns the length;
 * -ETIMEDOUT, -EMSGSIZE. */
int ivshmem_send(Ivshmem *iv, IvshmemRing *r, unsigned peer, const void *data, uint32_t len, int timeout_ms);
int ivshmem_receive(Ivshmem *iv, IvshmemRing *r, unsigned peer, void *data, uint32_t room, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
