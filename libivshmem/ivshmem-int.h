/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two kinds of Ivshmem have in common. */
#ifndef LIBIVSHMEM_IVSHMEM_INT_H
#define LIBIVSHMEM_IVSHMEM_INT_H

#include "util/osdep.h"
#include "libivshmem/ivshmem.h"

typedef struct IvshmemOps {
    int (*peers)(Ivshmem *iv, uint16_t *ids, int max);
    int (*peer_vectors)(const Ivshmem *iv, unsigned peer);
    int (*notify)(Ivshmem *iv, unsigned peer, unsigned vector);
    int (*wait)(Ivshmem *iv, int timeout_ms, uint32_t *vectors);
    int (*fd)(const Ivshmem *iv);
    void (*close)(Ivshmem *iv);
} IvshmemOps;

struct Ivshmem {
    const IvshmemOps *ops;
    uint8_t *memory;            /* mapped */
    size_t size;
    unsigned id;
};

/* @err may be NULL. */
void ivshmem_err(char *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
