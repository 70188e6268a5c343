/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A server of 9P2000.L and 9P2000.u, for transports that give it requests one by one.
 *
 * Sources: the Plan 9 manual, section 5 ("9P2000"); the 9P2000.u draft RFC; protocol.md of diod and Linux's
 * include/net/9p/9p.h ("9P2000.L").
 *
 * Each request is a coroutine of the main loop, whose file system calls run in worker threads; what belongs to a P9
 * is under the big lock. Messages are hostile: what can't be is an error message, or, when no answer fits, a
 * broken request.
 */
#ifndef HW_9P_P9_H
#define HW_9P_P9_H

#include "fsdev/fsdev.h"

#define P9_MSIZE_MAX    (16 * MIB)
#define P9_MSIZE_MIN    4096
#define P9_FIDS_MAX     (1u << 20)

typedef struct P9 P9;

/* One request; embedded by the transport. */
typedef struct P9Io {
    const struct iovec *out, *in;       /* message, and room for the answer */
    unsigned n_out, n_in;
    size_t out_bytes, in_bytes;
    /* Big lock; @len: of the answer; 0: there is none, since the message is none. */
    void (*done)(struct P9Io *io, size_t len);
    uint64_t generation;                /* the transport's */
} P9Io;

/* @fs is lent; @name for messages. */
P9 *p9_new(FsDev *fs, const char *name);
/* No request may be under way. */
void p9_free(P9 *p);
void p9_request(P9 *p, P9Io *io);
unsigned p9_under_way(const P9 *p);
/* As if the client had just come: all fids are gone. */
void p9_reset(P9 *p);

#endif
