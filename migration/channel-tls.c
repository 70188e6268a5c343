/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Channels inside of TLS: the source is the client. */
#include "util/osdep.h"
#include "migration/channel.h"

#include <glib.h>
#include <poll.h>
#include "crypto/tls-session.h"
#include "migration/channel-int.h"

typedef struct TlsChannel {
    MigChannel parent;
    MigChannel *below;          /* owned; a channel on a descriptor */
    TlsSession *session;
} TlsChannel;

static ssize_t failed(const char *what, Error **errp)
{
    error_set_errno(errp, errno, "can't %s the migration stream (TLS)", what);
    return -1;
}

static ssize_t tls_channel_read(MigChannel *c, void *buf, size_t len, Error **errp)
{
    TlsChannel *t = (TlsChannel *)c;

    for (;;) {
        ssize_t n = tls_read(t->session, buf, len);

        if (n >= 0) {
            return n;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return failed("read", errp);
        }
        if (errno == EAGAIN && !mig_fd_wait(t->below, POLLIN, errp)) {
            return -1;
        }
    }
}

static ssize_t tls_channel_write(MigChannel *c, const void *buf, size_t len, Error **errp)
{
    TlsChannel *t = (TlsChannel *)c;

    for (;;) {
        ssize_t n = tls_write(t->session, buf, len);

        if (n >= 0) {
            return n;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return failed("write", errp);
        }
        if (errno == EAGAIN && !mig_fd_wait(t->below, POLLOUT, errp)) {
            return -1;
        }
    }
}

static void tls_channel_interrupt(MigChannel *c)
{
    mig_channel_interrupt(((TlsChannel *)c)->below);
}

static bool tls_channel_finish(MigChannel *c, Error **errp)
{
    TlsChannel *t = (TlsChannel *)c;

    tls_bye(t->session);
    return mig_channel_finish(t->below, errp);
}

static void tls_channel_free(MigChannel *c)
{
    TlsChannel *t = (TlsChannel *)c;

    tls_session_free(t->session);
    mig_channel_free(t->below);
    g_free(t);
}

static const MigChannelOps tls_channel_ops = {
    .read = tls_channel_read, .write = tls_channel_write, .interrupt = tls_channel_interrupt,
    .finish = tls_channel_finish, .free = tls_channel_free,
};

MigChannel *mig_channel_new_tls(MigChannel *below, TlsCreds *creds, const char *hostname,
                                const char *authz, Error **errp)
{
    TlsSession *session = tls_session_new_fd(creds, hostname, authz, mig_fd_of(below), errp);
    TlsProgress p = session ? TLS_WANT_READ : TLS_FAILED;
    TlsChannel *t;

    while (session && (p = tls_handshake(session, errp)) != TLS_DONE && p != TLS_FAILED) {
        if (!mig_fd_wait(below, p == TLS_WANT_READ ? POLLIN : POLLOUT, errp)) {
            p = TLS_FAILED;
            break;
        }
    }
    if (p != TLS_DONE) {
        tls_session_free(session);
        mig_channel_free(below);
        return NULL;
    }
    t = g_new0(TlsChannel, 1);
    t->parent.ops = &tls_channel_ops;
    t->below = below;
    t->session = session;
    return &t->parent;
}
