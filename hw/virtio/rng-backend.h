/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources of random bytes: -object rng-random (a file of the host), rng-builtin (the host kernel's
 * generator). A source may be shared. Big lock.
 */
#ifndef HW_VIRTIO_RNG_BACKEND_H
#define HW_VIRTIO_RNG_BACKEND_H

#include "qom/object.h"
#include "util/main-loop.h"

#define TYPE_RNG_BACKEND    "rng-backend"

typedef struct RngBackend {
    Object obj;
    char *filename;             /* rng-random */
    bool opened;
    int fd;                     /* -1: the kernel's generator */
} RngBackend;
DEFINE_CAST(RNG_BACKEND, RngBackend, TYPE_RNG_BACKEND)

/* Up to @len bytes that are there now; 0: none, wait for rng_wait's watch. */
size_t rng_read(RngBackend *b, void *buf, size_t len);
/* Calls @fn in the main loop when there may be some. The watch is the caller's; NULL: never empty. */
FdWatch *rng_wait(RngBackend *b, FdFn *fn, void *opaque);

#endif
