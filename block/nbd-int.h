/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the NBD server's parts share: nbd-server.c has the socket, the clients and the exports, nbd-options.c
 * negotiates, nbd-contexts.c knows what each piece of an export is, nbd-requests.c serves. A client is a coroutine that
 * reads, and one for each request. All of it runs in the main loop, under the big lock.
 */
#ifndef BLOCK_NBD_INT_H
#define BLOCK_NBD_INT_H

#include <glib.h>
#include "block/nbd.h"

struct NbdExport {
    char *id, *name, *description;
    uint64_t serial;                /* no other export ever has it */
    BlockBackend *blk;
    bool writable, allocation_depth;
    BlockBitmap **bitmaps;          /* busy by this export, which has a reference to each one's node */
    size_t n_bitmaps;
    unsigned clients;
    NbdExport *next;
};

typedef struct NbdPeer {
    NbdStream st;
    NbdExport *e;                   /* once it has chosen one, and while it is told of one: it lives as long */
    TlsCreds *creds;                /* the server's; NULL: connections are plain */
    const char *authz;
    CoMutex sending;
    unsigned requests;              /* in flight */
    Coroutine *waiting;             /* the reader, for a request's end */
    bool no_zeroes, structured, gone;
    bool *contexts;                 /* by id, which it has chosen; owned; NULL: none */
    uint64_t contexts_of;           /* serial of the export that they are of */
    struct NbdPeer *next;
} NbdPeer;

/* --- nbd-server.c --- */

NbdExport *nbd_export_by_name(const char *name, size_t len);
NbdExport *nbd_export_first(void);

/* --- nbd-options.c --- */

/* False: the client leaves, or errp says why. Else it has an export. */
bool coroutine_fn nbd_negotiate(NbdPeer *c, Error **errp);

/* --- nbd-contexts.c: P "Metadata querying" --- */

/* Ids of contexts; bitmaps follow, in the export's order. */
enum { NBD_CONTEXT_ALLOCATION, NBD_CONTEXT_DEPTH, NBD_CONTEXT_BITMAPS };

unsigned nbd_contexts(const NbdExport *e);
/* Freed by the caller; NULL: the export doesn't offer it. */
char *nbd_context_name(const NbdExport *e, unsigned id);
/* Appends what a context says from @offset on, at most @max extents and at most @len bytes; at least one extent when
 * it returns 0. There may be less than @len when more would take long. */
int coroutine_fn nbd_find_extents(NbdPeer *c, unsigned id, uint64_t offset, uint32_t len, unsigned max,
                                  GArray *extents);

/* --- nbd-requests.c --- */

/* False: the client has left, or what it sends makes no sense. */
bool coroutine_fn nbd_one_request(NbdPeer *c, Error **errp);
void coroutine_fn nbd_wait_for_requests(NbdPeer *c, unsigned most);

#endif
