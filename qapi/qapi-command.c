/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a command by the schema's tables, and sending events. */
#include "util/osdep.h"
#include "qapi/qapi-command.h"

const QapiCommand *qapi_find_command(const QapiSchema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_commands; i++) {
        if (!strcmp(schema->commands[i]->name, name)) {
            return schema->commands[i];
        }
    }
    return NULL;
}

/* A handler that fails must say why; this stands in where one doesn't. */
static void no_reason(const QapiCommand *cmd, Error **errp, Error *err)
{
    if (!err) {
        error_setf(&err, ERR_GENERIC, "command '%s' failed", cmd->name);
    }
    error_propagate(errp, err);
}

static QObject *run_raw(const QapiCommand *cmd, const QDict *args, Error **errp)
{
    QDict *empty = args ? NULL : qdict_new();
    QObject *result;
    Error *err = NULL;

    if (cmd->raw) {
        result = cmd->raw(args ? args : empty, &err);
    } else {
        result = cmd->raw_bool(args ? args : empty, &err) ? QOBJECT(qdict_new()) : NULL;
    }
    qobject_unref(empty);
    if (!result) {
        no_reason(cmd, errp, err);
    }
    return result;
}

QObject *qapi_dispatch(const QapiCommand *cmd, const QDict *args, Error **errp)
{
    static const QapiType no_args = { .name = "no arguments", .kind = QAPI_STRUCT };
    const QapiType *type = cmd->args ? cmd->args : &no_args;
    /* Room for any pointer or scalar. */
    union { void *p; int64_t i; double d; } ret = { NULL };
    void *in;
    QObject *result = NULL;
    Error *err = NULL;

    if (!cmd->call) {
        return run_raw(cmd, args, errp);
    }
    in = qapi_alloc(MAX(type->size, (size_t)1));
    if (args || type->n_members) {
        QDict *empty = args ? NULL : qdict_new();
        bool ok = qapi_decode_struct(type, args ? args : empty, 0, in, errp);

        qobject_unref(empty);
        if (!ok) {
            free(in);
            return NULL;
        }
    }
    if (!cmd->call(in, &ret, &err)) {
        no_reason(cmd, errp, err);
    } else if (!cmd->ret) {
        result = QOBJECT(qdict_new());
    } else if (cmd->ret->kind == QAPI_ARRAY && !ret.p) {
        result = QOBJECT(qlist_new());          /* NULL is an empty list */
    } else {
        result = qapi_encode(cmd->ret, &ret);
    }
    if (cmd->ret) {
        qapi_clear(cmd->ret, &ret);
    }
    qapi_clear_struct(type, in);
    free(in);
    return result;
}

/* ------------------------------------------------- what the monitor brings */

/* Set once at start-up. */
static QapiDeferred *(*defer_hook)(void);
static void (*done_hook)(QapiDeferred *d, QObject *result, Error *err);
static int (*take_fd_hook)(const char *name, Error **errp);

void qapi_set_defer_hooks(QapiDeferred *(*defer)(void),
                          void (*done)(QapiDeferred *d, QObject *result, Error *err))
{
    defer_hook = defer;
    done_hook = done;
}

QapiDeferred *qapi_defer(void)
{
    return defer_hook ? defer_hook() : NULL;
}

void qapi_deferred_done(QapiDeferred *d, QObject *result, Error *err)
{
    if (d && done_hook) {
        done_hook(d, result, err);
    } else {
        qobject_unref(result);
        error_free(err);
    }
}

void qapi_set_fd_source(int (*take)(const char *name, Error **errp))
{
    take_fd_hook = take;
}

int qapi_take_fd(const char *name, Error **errp)
{
    if (!take_fd_hook) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "File descriptor named '%s' has not been found", name);
        return -1;
    }
    return take_fd_hook(name, errp);
}

/* -------------------------------------------------------------- events */

/* Set once at start-up by the monitor, before other threads exist. */
static void (*event_sink)(const QapiEvent *event, const QDict *data);

void qapi_event_set_sink(void (*sink)(const QapiEvent *event, const QDict *data))
{
    event_sink = sink;
}

void qapi_event_emit(const QapiEvent *event, const void *args)
{
    QDict *data;

    if (!event_sink) {
        return;
    }
    data = args ? qapi_encode_struct(event->args, args) : NULL;
    event_sink(event, data);
    qobject_unref(data);
}
