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
