/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client-server protocol of "Device Specification for Inter-VM shared memory device", version 0:
 * little-endian 64-bit numbers from the server, each with at most one descriptor (SCM_RIGHTS).
 */
#ifndef LIBIVSHMEM_PROTO_H
#define LIBIVSHMEM_PROTO_H

#include "util/osdep.h"

#define IVSHMEM_PROTOCOL    0
#define IVSHMEM_MEMORY      (-1)
#define IVSHMEM_IDS_MAX     65536

typedef struct IvshmemReader {
    uint8_t buf[8];
    unsigned have;
    int fd;                     /* came with these bytes; -1 */
} IvshmemReader;

void ivshmem_reader_init(IvshmemReader *r);
void ivshmem_reader_cleanup(IvshmemReader *r);
/* 1: *number and *fd (-1; the caller's) are a message. 0: not yet all there. Negative: errno; -EPIPE at the
 * end, -EPROTO for several descriptors. */
int ivshmem_read(IvshmemReader *r, int sock, int64_t *number, int *fd);
/* As sendmsg: 0, or a negative errno; -EAGAIN, and nothing is sent. @fd -1: none. */
int ivshmem_write(int sock, int64_t number, int fd);

#endif
