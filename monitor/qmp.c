/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP: the server's side of the QEMU Machine Protocol ("spec" below is its
 * published specification). One JSON object a line from here, any white space
 * from the client.
 */
#include "util/osdep.h"
#include "monitor/monitor-int.h"
#include "monitor/version.h"
#include "qapi/qapi-command.h"
#include "qobject/json.h"
#include "util/main-loop.h"

/* Commands that wait; with more, nothing is read until some are done. */
#define QUEUE_MAX   8
#define READ_BYTES  4096

static const JsonLimits limits = { .depth = 1024, .bytes = 64 * MIB };

typedef struct QmpRequest {
    QObject *input;             /* owned; NULL: err says why */
    Error *err;
} QmpRequest;

typedef struct QmpMonitor {
    Monitor parent;
    JsonReader *reader;
    GQueue *queue;              /* of QmpRequest *, owned */
    BottomHalf *bh;             /* runs the first of the queue */
    MonitorPermissions permissions;
    bool pretty;
    bool negotiated;            /* commands are accepted */
    bool oob;
    QapiDeferred *deferred;     /* an answer that comes later; NULL: none is awaited */
    const QmpRequest *current;  /* in-band command that runs now */
} QmpMonitor;

struct QapiDeferred {
    QmpMonitor *s;              /* NULL: the client has gone */
    QObject *id;                /* owned; may be NULL */
};

static void send_object(QmpMonitor *s, const QDict *dict)
{
    char *text = json_write(QOBJECT(dict), s->pretty ? JSON_PRETTY : JSON_COMPACT);
    size_t len = strlen(text);

    /* Spec 2.1: each ends with CR LF. */
    text = realloc(text, len + 3);
    memcpy(text + len, "\r\n", 3);
    monitor_write(&s->parent, text, len + 2);
    free(text);
}

static void send_greeting(QmpMonitor *s)
{
    QDict *d = qdict_from_fmt("{'QMP': {'version': {'qemu': {'micro': %d, 'minor': %d, "
                              "'major': %d}, 'package': %s}, 'capabilities': ['oob']}}",
                              VERSION_MICRO, VERSION_MINOR, VERSION_MAJOR, VERSION_PACKAGE);

    send_object(s, d);
    qobject_unref(d);
}

/* ---------------------------------------------------------------- errors */

/*
 * Clients look at class and desc; what more we know is in data, where the
 * specification has nothing.
 */
static QDict *error_to_dict(const Error *err)
{
    QDict *d = qdict_new(), *data = qdict_new();
    const struct { const char *name, *value; } more[] = {
        { "code", error_code_name(error_code(err)) },
        { "subject", error_subject_path(err) },
        { "argument", error_argument_name(err) },
        { "value", error_argument_value(err) },
        { "accepted", error_argument_accepted(err) },
        { "hint", error_hint_text(err) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
        if (more[i].value) {
            qdict_put_str(data, more[i].name, more[i].value);
        }
    }
    qdict_put_str(d, "class", error_class_name(error_class(err)));
    qdict_put_str(d, "desc", error_message(err));
    qdict_put(d, "data", data);
    return d;
}

/* Takes @result or @err; @id is borrowed and may be NULL. */
static void send_response(QmpMonitor *s, QObject *result, Error *err, QObject *id)
{
    QDict *d = qdict_new();

    if (err) {
        qdict_put(d, "error", error_to_dict(err));
        error_free(err);
    } else {
        qdict_put(d, "return", result);
    }
    if (id) {
        qdict_put(d, "id", qobject_ref(id));
    }
    send_object(s, d);
    qobject_unref(d);
}

/* ------------------------------------------------------------ execution */

typedef struct Call {
    const char *name;           /* borrowed, as the next ones */
    const QDict *args;          /* may be NULL */
    bool oob;
} Call;

/* Spec 2.3: {"execute": ..., "arguments": ..., "id": ...}. */
static bool check_request(const QmpMonitor *s, const QObject *input, Call *call, Error **errp)
{
    const QDict *dict = qobject_to_dict(input);
    const QObject *name = NULL, *args = NULL;

    if (!dict) {
        error_setf(errp, ERR_PROTOCOL, "QMP input must be a JSON object");
        return false;
    }
    QDICT_FOR_EACH(e, dict) {
        if (!strcmp(e->key, "execute") || (!strcmp(e->key, "exec-oob") && s->oob)) {
            if (name) {
                error_setf(errp, ERR_PROTOCOL, "QMP input member '%s' clashes with 'exec-oob'",
                           "execute");
                return false;
            }
            name = e->value;
            call->oob = e->key[4] == '-';
            if (!qobject_to_string(name)) {
                error_setf(errp, ERR_PROTOCOL, "QMP input member '%s' must be a string", e->key);
                return false;
            }
        } else if (!strcmp(e->key, "arguments")) {
            args = e->value;
            if (!qobject_to_dict(args)) {
                error_setf(errp, ERR_PROTOCOL, "QMP input member 'arguments' must be an object");
                return false;
            }
        } else if (strcmp(e->key, "id")) {
            error_setf(errp, ERR_PROTOCOL, "QMP input member '%.200s' is unexpected", e->key);
            return false;
        }
    }
    if (!name) {
        error_setf(errp, ERR_PROTOCOL, "QMP input lacks member 'execute'");
        return false;
    }
    call->name = qstring_value(name);
    call->args = qobject_to_dict(args);
    return true;
}

/*
 * The command's table, if this client may call it now. The negotiation mode of
 * spec 2.5 knows one command, the command mode all others.
 */
static const QapiCommand *find_command(const QmpMonitor *s, const Call *call, Error **errp)
{
    const QapiCommand *cmd = qapi_find_command(&qapi_schema, call->name);
    bool negotiates = !strcmp(call->name, "qmp_capabilities");

    if (!s->negotiated && !negotiates) {
        error_set_class(errp, ERROR_CLASS_COMMAND_NOT_FOUND, ERR_WRONG_STATE,
                        "Expecting capabilities negotiation with 'qmp_capabilities'");
        return NULL;
    }
    if (s->negotiated && negotiates) {
        error_set_class(errp, ERROR_CLASS_COMMAND_NOT_FOUND, ERR_WRONG_STATE,
                        "Capabilities negotiation is already complete, command ignored");
        return NULL;
    }
    if (!cmd) {
        error_set_class(errp, ERROR_CLASS_COMMAND_NOT_FOUND, ERR_NO_SUCH_COMMAND,
                        "The command %.200s has not been found", call->name);
        return NULL;
    }
    if (call->oob && !cmd->oob) {
        error_setf(errp, ERR_NOT_SUPPORTED, "The command %s does not support OOB", call->name);
        return NULL;
    }
    if (!cmd->preconfig && monitor_is_early()) {
        error_setf(errp, ERR_WRONG_STATE, "The command '%s' is permitted only after machine "
                   "initialization has completed", call->name);
        error_hint(errp, "x-exit-preconfig makes the machine");
        return NULL;
    }
    return monitor_permits(s->permissions, call->name, errp) ? cmd : NULL;
}

static void execute(QmpMonitor *s, QmpRequest *req)
{
    QObject *result = NULL, *id = NULL;
    const QapiCommand *cmd = NULL;
    Error *err = req->err;
    Call call = { NULL, NULL, false };

    req->err = NULL;
    if (req->input) {
        Monitor *outer = monitor_current;

        id = qobject_to_dict(req->input) ? qdict_get(qobject_to_dict(req->input), "id") : NULL;
        if (check_request(s, req->input, &call, &err) && (cmd = find_command(s, &call, &err))) {
            monitor_current = &s->parent;
            result = qapi_dispatch(cmd, call.args, &err);
            monitor_current = outer;
        }
    }
    if (req == s->current && s->deferred && !err) {
        qobject_unref(result);          /* the answer comes later */
    } else if (err || !cmd->no_response) {
        send_response(s, result, err, id);
    } else {
        qobject_unref(result);
    }
}

static void request_free(void *p)
{
    QmpRequest *req = p;

    qobject_unref(req->input);
    error_free(req->err);
    g_free(req);
}

static void run_queue(void *opaque)
{
    QmpMonitor *s = opaque;
    /* A command that waits runs the main loop: the next one has to wait, too. */
    QmpRequest *req = s->deferred || s->current ? NULL : g_queue_pop_head(s->queue);

    if (!req) {
        return;
    }
    s->current = req;
    execute(s, req);
    s->current = NULL;
    request_free(req);
    if (!g_queue_is_empty(s->queue)) {
        bh_schedule(s->bh);
    }
    chr_fe_accept_input(&s->parent.fe);
}

/* ------------------------------------------------ answers that come later */

static void forget_deferred(QmpMonitor *s)
{
    if (s->deferred) {
        s->deferred->s = NULL;
        s->deferred = NULL;
    }
}

static void deferred_done(QapiDeferred *d, QObject *result, Error *err)
{
    QmpMonitor *s = d->s;

    if (s) {
        s->deferred = NULL;
        send_response(s, result, err, d->id);
        bh_schedule(s->bh);
    } else {
        qobject_unref(result);
        error_free(err);
    }
    qobject_unref(d->id);
    g_free(d);
}

/* -------------------------------------------------------------- traffic */

static size_t qmp_can_receive(void *opaque)
{
    QmpMonitor *s = opaque;

    return g_queue_get_length(s->queue) < QUEUE_MAX && !monitor_is_congested(&s->parent)
           ? READ_BYTES : 0;
}

static bool is_oob(const QmpMonitor *s, const QObject *input)
{
    return s->oob && input && qobject_to_dict(input) &&
           qdict_has(qobject_to_dict(input), "exec-oob");
}

static void qmp_receive(void *opaque, const uint8_t *buf, size_t len)
{
    QmpMonitor *s = opaque;
    QObject *value;
    Error *err;

    json_reader_feed(s->reader, buf, len);
    while (value = NULL, err = NULL, json_reader_next(s->reader, &value, &err)) {
        QmpRequest *req = g_new0(QmpRequest, 1);

        req->input = value;
        req->err = err;
        if (is_oob(s, value)) {
            execute(s, req);            /* overtakes what waits */
            request_free(req);
        } else {
            g_queue_push_tail(s->queue, req);
            bh_schedule(s->bh);
        }
    }
}

static void start_session(QmpMonitor *s)
{
    json_reader_free(s->reader);
    s->reader = json_reader_new(&limits);
    s->negotiated = s->oob = false;
    forget_deferred(s);
    g_queue_clear_full(s->queue, request_free);
    g_string_truncate(s->parent.out, 0);
}

static void qmp_chr_event(void *opaque, ChrEvent event)
{
    QmpMonitor *s = opaque;

    if (event == CHR_EVENT_OPENED) {
        start_session(s);
        send_greeting(s);
    } else if (event == CHR_EVENT_CLOSED) {
        start_session(s);
    }
}

static void qmp_writable(void *opaque)
{
    QmpMonitor *s = opaque;

    monitor_flush(&s->parent);
    chr_fe_accept_input(&s->parent.fe);
}

static const ChrHandlers qmp_handlers = {
    .can_receive = qmp_can_receive, .receive = qmp_receive, .event = qmp_chr_event,
    .writable = qmp_writable,
};

static void qmp_event(Monitor *mon, const QDict *event)
{
    QmpMonitor *s = (QmpMonitor *)mon;

    if (s->negotiated && chr_fe_is_open(&mon->fe)) {
        send_object(s, event);
    }
}

static void qmp_free(Monitor *mon)
{
    QmpMonitor *s = (QmpMonitor *)mon;

    forget_deferred(s);
    bh_delete(s->bh);
    json_reader_free(s->reader);
    g_queue_free_full(s->queue, request_free);
    g_free(s);
}

static const MonitorKind qmp_kind = { .event = qmp_event, .free = qmp_free };

static QapiDeferred *defer(void)
{
    QmpMonitor *s = (QmpMonitor *)monitor_current;
    QapiDeferred *d;

    if (!s || s->parent.kind != &qmp_kind || !s->current || s->deferred) {
        return NULL;
    }
    d = g_new0(QapiDeferred, 1);
    d->s = s;
    d->id = qobject_ref(qdict_get(qobject_to_dict(s->current->input), "id"));
    s->deferred = d;
    return d;
}

void qmp_defer_init(void)
{
    qapi_set_defer_hooks(defer, deferred_done);
}

bool qmp_monitor_negotiate(Monitor *mon, bool oob, Error **errp)
{
    QmpMonitor *s = (QmpMonitor *)mon;

    if (!mon || mon->kind != &qmp_kind) {
        error_setf(errp, ERR_WRONG_STATE, "there is nothing to negotiate here");
        return false;
    }
    s->negotiated = true;
    s->oob = oob;
    return true;
}

bool monitor_new_qmp(Chardev *chr, bool pretty, MonitorPermissions permissions, Error **errp)
{
    QmpMonitor *s;

    if (chardev_is_mux(chr)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "QMP is not supported with multiplexed chardev '%s'",
                   chardev_id(chr));
        return false;
    }
    s = g_new0(QmpMonitor, 1);
    if (!chr_fe_init(&s->parent.fe, chr, errp)) {
        g_free(s);
        return false;
    }
    s->parent.kind = &qmp_kind;
    s->pretty = pretty;
    s->permissions = permissions;
    s->queue = g_queue_new();
    s->reader = json_reader_new(&limits);
    s->bh = bh_new_on(main_event_loop(), run_queue, s);
    monitor_add(&s->parent);
    chr_fe_set_handlers(&s->parent.fe, &qmp_handlers, s);
    return true;
}
