/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of QMP: connect, send commands, wait for their answers or be called when they come, be
 * called for events. Works with any server of the protocol. Libc only; qmp-calls.h adds a typed
 * function of each command, qmp-glib.h a source for GLib's main loop.
 *
 * Threads: there is none behind the scenes. Any number of threads may use a client at a time; whoever
 * waits reads for all. Callbacks run in the thread that has read what they are about, that is inside
 * of qmp_cmd...(), qmp_wait_event() or qmp_client_dispatch(), with no lock held; they may call
 * anything here but qmp_client_free(). Only one thread may free a client, with no other inside.
 *
 * An Error tells class and text of the server's error; its code is ERR_EOF when the connection has
 * gone, ERR_HOST for a timeout or what the operating system refuses, ERR_PROTOCOL for an answer
 * that can't be.
 */
#ifndef LIBQMP_QMP_CLIENT_H
#define LIBQMP_QMP_CLIENT_H

#include "util/osdep.h"
#include "qobject/error.h"
#include "qobject/qobject.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QmpClient QmpClient;

/* ---------------------------------------------------------- connecting */

typedef struct QmpOptions {
    int timeout_ms;             /* of each wait; -1: for ever */
    bool oob;                   /* negotiate out-of-band execution, if the server has it */
    bool reconnect;             /* a command that finds the connection gone connects again */
} QmpOptions;

/*
 * Connect to "unix:PATH", "tcp:HOST:PORT" or "fd:NUMBER" (which is taken), read the greeting and
 * negotiate. A socket that isn't there yet is tried again for up to the timeout. NULL with *errp
 * set.
 */
QmpClient *qmp_client_open(const char *address, const QmpOptions *options, Error **errp);
/* The same with that timeout and nothing else. */
QmpClient *qmp_client_new(const char *address, int timeout_ms, Error **errp);
/* The same for a connected socket, which is taken, also on failure. */
QmpClient *qmp_client_new_fd(int fd, int timeout_ms, Error **errp);
/* NULL is allowed. Commands under way are dropped without their callbacks. */
void qmp_client_free(QmpClient *c);
/*
 * Connect anew to the same address. Commands under way fail with ERR_EOF; subscriptions stay.
 * False with *errp set, for a client of a descriptor too.
 */
bool qmp_client_reconnect(QmpClient *c, Error **errp);
bool qmp_client_is_connected(QmpClient *c);

/* How long each wait may last; -1 for ever. Default: what connecting had. */
void qmp_client_set_timeout(QmpClient *c, int timeout_ms);
/* The greeting's "QMP" object, borrowed until a reconnect. */
const QDict *qmp_client_greeting(const QmpClient *c);

/* ------------------------------------------------------------ commands */

/*
 * Run @command with @args (taken; may be NULL). The result is the caller's; NULL with *errp set.
 * Events that come meanwhile are delivered, or kept for qmp_wait_event().
 */
QObject *qmp_cmd(QmpClient *c, const char *command, QDict *args, Error **errp);
/* As qmp_cmd, and sends a file descriptor along (unix sockets); @fd stays the caller's. */
QObject *qmp_cmd_fd(QmpClient *c, const char *command, QDict *args, int fd, Error **errp);
/* The next command of this client, whatever calls it, takes @fd along; it stays the caller's. For the
 * typed functions of getfd and add-fd. */
bool qmp_client_attach_fd(QmpClient *c, int fd, Error **errp);
/* As qmp_cmd, out of band; QmpOptions.oob must have been given. */
QObject *qmp_cmd_oob(QmpClient *c, const char *command, QDict *args, Error **errp);
/* Arguments as for qdict_from_fmt(). */
QObject *qmp_cmd_fmt(QmpClient *c, Error **errp, const char *command, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* For commands whose result doesn't matter. */
bool qmp_cmd_ok(QmpClient *c, const char *command, QDict *args, Error **errp);
/* A line of the human monitor; the text is freed with free(). */
char *qmp_hmp(QmpClient *c, const char *line, Error **errp);

/* ---------------------------------------------------- without waiting */

/* @result or @err is the callee's from now on; the other one is NULL. */
typedef void QmpDoneFn(QmpClient *c, QObject *result, Error *err, void *opaque);
/*
 * Send the command; @done is called when its answer has come, or has not within the client's
 * timeout, or when the connection has gone; NULL: nobody wants to know. @fd: -1, or sent along. Returns its number, -1 with
 * *errp set (then @done isn't called).
 */
int64_t qmp_cmd_async(QmpClient *c, const char *command, QDict *args, int fd, QmpDoneFn *done,
                      void *opaque, Error **errp);
/* @done won't be called any more; false if it was, or there is no such command. */
bool qmp_cmd_forget(QmpClient *c, int64_t number);

/* For a main loop: poll the descriptor (-1: not connected) for these events (POLLIN, POLLOUT), for at
 * most so long (ms, -1: for ever), then dispatch, which never waits. */
int qmp_client_fd(const QmpClient *c);
short qmp_client_poll_events(QmpClient *c);
int qmp_client_poll_timeout(QmpClient *c);
/* False with *errp set when the connection has gone. */
bool qmp_client_dispatch(QmpClient *c, Error **errp);

/* -------------------------------------------------------------- events */

/* @event: the whole object, with its time and data; lent. */
typedef void QmpEventFn(QmpClient *c, const QDict *event, void *opaque);
/*
 * Call @fn for each event of that name (NULL: for all that have no other). NULL for @fn ends that.
 * @free_opaque, if any, is called with @opaque when it is over.
 */
void qmp_client_on_event(QmpClient *c, const char *name, QmpEventFn *fn, void *opaque,
                         void (*free_opaque)(void *opaque));
/*
 * Events without a callback are kept, the last QMP_EVENTS_KEPT of them. The oldest kept of that name
 * (NULL: of any), else the next that comes within @timeout_ms (-1: for ever). The caller's; NULL
 * with *errp set.
 */
#define QMP_EVENTS_KEPT     10000
QDict *qmp_wait_event(QmpClient *c, const char *name, int timeout_ms, Error **errp);
void qmp_drop_events(QmpClient *c);

#ifdef __cplusplus
}
#endif

#endif
