/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channels: what a stream is written to or read from. Reads and writes block
 * the thread that makes them; mig_channel_interrupt(), from any thread, makes
 * them fail from then on. One thread reads, one writes.
 */
#ifndef MIGRATION_CHANNEL_H
#define MIGRATION_CHANNEL_H

#include "util/osdep.h"
#include "qapi/types-sockets.h"
#include "qobject/error.h"

typedef struct MigChannel MigChannel;

typedef struct MigChannelOps {
    /* Some bytes, at least one; 0: the end; -1 with *errp set. */
    ssize_t (*read)(MigChannel *c, void *buf, size_t len, Error **errp);
    ssize_t (*write)(MigChannel *c, const void *buf, size_t len, Error **errp);
    void (*interrupt)(MigChannel *c);
    /* All is written: wait for whoever takes it. May be NULL. */
    bool (*finish)(MigChannel *c, Error **errp);
    void (*free)(MigChannel *c);
} MigChannelOps;

struct MigChannel {
    const MigChannelOps *ops;
    _Atomic bool interrupted;
};

bool mig_channel_read(MigChannel *c, void *buf, size_t len, Error **errp);
/* As mig_channel_read; true with *@end when the stream ends before the first byte. */
bool mig_channel_read_or_end(MigChannel *c, void *buf, size_t len, bool *end, Error **errp);
bool mig_channel_write(MigChannel *c, const void *buf, size_t len, Error **errp);
void mig_channel_interrupt(MigChannel *c);
bool mig_channel_finish(MigChannel *c, Error **errp);
void mig_channel_free(MigChannel *c);           /* NULL is allowed */

/* Takes @fd, which becomes non-blocking. @pid: a process to wait for, or 0. */
MigChannel *mig_channel_new_fd(int fd, int pid);

struct TlsCreds;
/* The same in TLS: @below (on a descriptor) is taken, also on failure. Shakes hands, and so may block.
 * @hostname: a client's, of the server's certificate; @authz: a server's; see crypto/tls-session.h. */
MigChannel *mig_channel_new_tls(MigChannel *below, struct TlsCreds *creds, const char *hostname,
                                const char *authz, Error **errp);

/* A place that a stream goes to or comes from, parsed. */
typedef enum { MIG_URI_SOCKET, MIG_URI_FD, MIG_URI_EXEC, MIG_URI_FILE } MigUriKind;
typedef struct MigUri {
    MigUriKind kind;
    SocketAddress *address;     /* sockets; owned */
    char *text;                 /* command, or path; owned */
    uint64_t offset;            /* in the file */
    int fd;                     /* owned; -1: none */
} MigUri;

/* "tcp:H:P", "unix:F", "exec:C", "fd:N", "file:F[,offset=N]"; an fd is taken from
 * the monitor's. Big lock. */
bool mig_uri_parse(const char *text, MigUri *uri, Error **errp);
void mig_uri_cleanup(MigUri *uri);
/* For writing. May block: in a thread of its own. @uri's fd is taken. */
MigChannel *mig_uri_open_out(MigUri *uri, const _Atomic bool *give_up, Error **errp);
/* For reading; not for sockets, which are listened on. @uri's fd is taken. */
MigChannel *mig_uri_open_in(MigUri *uri, Error **errp);

/* What gives descriptors their names (getfd), set at start-up. */
void mig_set_fd_source(int (*take)(const char *name, Error **errp));

#endif
