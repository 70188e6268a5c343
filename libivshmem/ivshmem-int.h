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

/* Registers in BAR 0, little-endian. */
enum { IVSHMEM_INTRMASK = 0, IVSHMEM_INTRSTATUS = 4, IVSHMEM_IVPOSITION = 8, IVSHMEM_DOORBELL = 12 };

/* Where the link @name of a PCI function leads, its last component. False: there is none. */
bool ivshmem_pci_link(const char *address, const char *name, char *text, size_t room);
/* A function that is bound to vfio-pci. */
Ivshmem *ivshmem_open_vfio(const char *address, char *err);

/* @err may be NULL. */
void ivshmem_err(char *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
