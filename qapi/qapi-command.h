/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema's commands and events at run time. The monitor looks commands up
 * and runs them; whoever has news calls the generated qapi_event_send_*().
 */
#ifndef QAPI_QAPI_COMMAND_H
#define QAPI_QAPI_COMMAND_H

#include "util/osdep.h"
#include "qapi/qapi-type.h"

typedef struct QapiCommand {
    const char *name;
    const QapiType *args;               /* NULL: none */
    const QapiType *ret;                /* NULL: none, an empty object on the wire */
    /* Exactly one of the three: typed; raw with a result; raw without one. */
    bool (*call)(void *args, void *ret_slot, Error **errp);
    QObject *(*raw)(const QDict *args, Error **errp);
    bool (*raw_bool)(const QDict *args, Error **errp);
    bool oob;                           /* may run out of band */
    bool preconfig;                     /* allowed before the machine exists */
    bool coroutine;
    bool no_response;                   /* success isn't answered */
    const char *const *features;        /* NULL-terminated; NULL: none */
} QapiCommand;

typedef struct QapiEvent {
    const char *name;
    const QapiType *args;               /* NULL: none */
    const char *const *features;
} QapiEvent;

typedef struct QapiSchema {
    const QapiCommand *const *commands; /* NULL-terminated */
    size_t n_commands;
    const QapiEvent *const *events;     /* NULL-terminated */
    size_t n_events;
} QapiSchema;

extern const QapiSchema qapi_schema;

/* NULL if there is none. */
const QapiCommand *qapi_find_command(const QapiSchema *schema, const char *name);
/*
 * Check @args (may be NULL) against the schema, run the handler, and give its
 * result as a new reference (an empty object if the command has none). NULL
 * with *errp set on failure.
 */
QObject *qapi_dispatch(const QapiCommand *cmd, const QDict *args, Error **errp);

/*
 * Answers that take time. A handler that has begun something takes the answer with it and
 * returns true (its own result, if any, is dropped); the session runs no further command
 * until it comes. NULL: nobody can wait for it. Big lock.
 */
typedef struct QapiDeferred QapiDeferred;
QapiDeferred *qapi_defer(void);
/* Takes @result or @err. NULL is allowed: both are freed. */
void qapi_deferred_done(QapiDeferred *d, QObject *result, Error *err);
/* What the monitor, who sends answers, sets at start-up. */
void qapi_set_defer_hooks(QapiDeferred *(*defer)(void),
                          void (*done)(QapiDeferred *d, QObject *result, Error *err));

/* A file descriptor that the client has sent and named (getfd), the caller's from now on; -1 with
 * *errp set. */
int qapi_take_fd(const char *name, Error **errp);
void qapi_set_fd_source(int (*take)(const char *name, Error **errp));

/* What query-qmp-schema answers: a list of SchemaInfo, types by number. */
QObject *qapi_introspect(const QapiSchema *schema);

/*
 * For generated code: build the event's data from the struct @args and hand it
 * to the sink; without a sink (tests of a device) events are dropped.
 */
void qapi_event_emit(const QapiEvent *event, const void *args);
/* @data may be NULL and is borrowed. Called from any thread. */
void qapi_event_set_sink(void (*sink)(const QapiEvent *event, const QDict *data));

#endif
