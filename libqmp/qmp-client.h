/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A synchronous QMP client: connect, send a command, wait for its answer, wait
 * for events. Works with any server of the protocol. One thread at a time uses
 * a client; there is none behind the scenes. Libc and qobject/ only.
 */
#ifndef LIBQMP_QMP_CLIENT_H
#define LIBQMP_QMP_CLIENT_H

#include "util/osdep.h"
#include "qobject/error.h"
#include "qobject/qobject.h"

typedef struct QmpClient QmpClient;

/*
 * Connect to "unix:PATH", "tcp:HOST:PORT" or "fd:NUMBER" (which is taken), read
 * the greeting and negotiate. A socket that isn't there yet is tried again for
 * up to @timeout_ms. NULL with *errp set.
 */
QmpClient *qmp_client_new(const char *address, int timeout_ms, Error **errp);
/* The same for a connected socket, which is taken, also on failure. */
QmpClient *qmp_client_new_fd(int fd, int timeout_ms, Error **errp);
void qmp_client_free(QmpClient *c);             /* NULL is allowed */

/* How long each wait may last; -1 for ever. Default: what connecting had. */
void qmp_client_set_timeout(QmpClient *c, int timeout_ms);
/* The greeting's "QMP" object, borrowed. */
const QDict *qmp_client_greeting(const QmpClient *c);
int qmp_client_fd(const QmpClient *c);

/*
 * Run @command with @args (taken; may be NULL). The result is the caller's; NULL
 * with *errp set: the server's error with its class and text, ERR_EOF when the
 * server has gone, ERR_PROTOCOL, ERR_HOST. Events that come meanwhile are kept.
 */
QObject *qmp_cmd(QmpClient *c, const char *command, QDict *args, Error **errp);
/* As qmp_cmd, and sends a file descriptor along (unix sockets); @fd stays the caller's. */
QObject *qmp_cmd_fd(QmpClient *c, const char *command, QDict *args, int fd, Error **errp);
/* Arguments as for qdict_from_fmt(). */
QObject *qmp_cmd_fmt(QmpClient *c, Error **errp, const char *command, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* For commands whose result doesn't matter. */
bool qmp_cmd_ok(QmpClient *c, const char *command, QDict *args, Error **errp);
/* A line of the human monitor; the text is freed with free(). */
char *qmp_hmp(QmpClient *c, const char *line, Error **errp);

/*
 * The oldest kept event of that name (NULL: of any), else the next that comes
 * within @timeout_ms (-1: for ever). The caller's; NULL with *errp set.
 */
QDict *qmp_wait_event(QmpClient *c, const char *name, int timeout_ms, Error **errp);
void qmp_drop_events(QmpClient *c);

#endif
