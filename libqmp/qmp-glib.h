/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of QMP in GLib's main loop: callbacks of commands and events then run from the loop.
 * Needs GLib; the library itself doesn't.
 *
 *     GSource *s = qmp_client_source_new(c, lost, NULL);
 *     g_source_attach(s, NULL);
 *
 * The source must be destroyed before the client is freed. After a reconnect, make a new one.
 */
#ifndef LIBQMP_QMP_GLIB_H
#define LIBQMP_QMP_GLIB_H

#include <glib.h>
#include <poll.h>
#include "libqmp/qmp-client.h"

typedef struct QmpSource {
    GSource source;
    QmpClient *c;               /* borrowed */
    gpointer tag;
    /* Called once when the connection has gone; may be NULL. @err is lent. */
    void (*lost)(QmpClient *c, const Error *err, void *opaque);
    void *opaque;
} QmpSource;

/* Poll's bits and GLib's are the same on Linux, but nobody promises that. */
static inline GIOCondition qmp_source_condition_(QmpSource *s)
{
    short events = qmp_client_poll_events(s->c);

    return (GIOCondition)(G_IO_IN | G_IO_HUP | G_IO_ERR | (events & POLLOUT ? G_IO_OUT : 0));
}

static inline gboolean qmp_source_prepare_(GSource *source, gint *timeout)
{
    QmpSource *s = (QmpSource *)source;

    *timeout = qmp_client_poll_timeout(s->c);
    if (s->tag) {
        g_source_modify_unix_fd(source, s->tag, qmp_source_condition_(s));
    }
    return *timeout == 0;
}

static inline gboolean qmp_source_check_(GSource *source)
{
    QmpSource *s = (QmpSource *)source;

    return (s->tag && g_source_query_unix_fd(source, s->tag)) || qmp_client_poll_timeout(s->c) == 0;
}

static inline gboolean qmp_source_dispatch_(GSource *source, GSourceFunc callback, gpointer data)
{
    QmpSource *s = (QmpSource *)source;
    Error *err = NULL;

    (void)callback;
    (void)data;
    if (qmp_client_dispatch(s->c, &err)) {
        return G_SOURCE_CONTINUE;
    }
    if (s->lost) {
        s->lost(s->c, err, s->opaque);
    }
    error_free(err);
    return G_SOURCE_REMOVE;
}

static inline GSource *qmp_client_source_new(QmpClient *c,
                                             void (*lost)(QmpClient *c, const Error *err,
                                                          void *opaque), void *opaque)
{
    static GSourceFuncs funcs = { qmp_source_prepare_, qmp_source_check_, qmp_source_dispatch_,
                                  NULL, NULL, NULL };
    GSource *source = g_source_new(&funcs, sizeof(QmpSource));
    QmpSource *s = (QmpSource *)source;

    s->c = c;
    s->lost = lost;
    s->opaque = opaque;
    if (qmp_client_fd(c) >= 0) {
        s->tag = g_source_add_unix_fd(source, qmp_client_fd(c), qmp_source_condition_(s));
    }
    return source;
}

#endif
