/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor's commands that are a QMP command with other words. */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "monitor/hmp-cmds.h"
#include "qapi/qapi-command.h"
#include "qobject/json.h"

QObject *hmp_qmp(Hmp *hmp, const char *command, QDict *args)
{
    const QapiCommand *cmd = qapi_find_command(&qapi_schema, command);
    Error *err = NULL;
    QObject *result = NULL;

    if (cmd) {
        result = qapi_dispatch(cmd, args, &err);
    } else {
        error_setf(&err, ERR_NO_SUCH_COMMAND, "The command %s has not been found", command);
    }
    qobject_unref(args);
    hmp_error(hmp, err);
    return result;
}

bool hmp_qmp_ok(Hmp *hmp, const char *command, QDict *args)
{
    QObject *result = hmp_qmp(hmp, command, args);

    qobject_unref(result);
    return result != NULL;
}

void hmp_qmp_text(Hmp *hmp, const char *command)
{
    QObject *result = hmp_qmp(hmp, command, NULL);

    hmp_printf(hmp, "%s", qdict_str_or(qobject_to_dict(result), "human-readable-text", ""));
    qobject_unref(result);
}

/* Puts what @from has under @name into @to as @as. */
static void move(QDict *to, const char *as, const QDict *from, const char *name)
{
    QObject *o = qdict_get(from, name);

    if (o) {
        qdict_put(to, as, qobject_ref(o));
    }
}

/* ------------------------------------------------------------------ jobs */

static void job_command(Hmp *hmp, const QDict *args, const char *command)
{
    QDict *d = qdict_new();

    move(d, "device", args, "device");
    hmp_qmp_ok(hmp, command, d);
}

void hmp_block_job_cancel(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_new();

    move(d, "device", args, "device");
    move(d, "force", args, "force");
    hmp_qmp_ok(hmp, "block-job-cancel", d);
}

void hmp_block_job_complete(Hmp *hmp, const QDict *args)
{
    job_command(hmp, args, "block-job-complete");
}

void hmp_block_job_pause(Hmp *hmp, const QDict *args)
{
    job_command(hmp, args, "block-job-pause");
}

void hmp_block_job_resume(Hmp *hmp, const QDict *args)
{
    job_command(hmp, args, "block-job-resume");
}

void hmp_block_job_set_speed(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_new();

    move(d, "device", args, "device");
    move(d, "speed", args, "speed");
    hmp_qmp_ok(hmp, "block-job-set-speed", d);
}

void hmp_block_stream(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_new();

    move(d, "device", args, "device");
    move(d, "base", args, "base");
    move(d, "speed", args, "speed");
    hmp_qmp_ok(hmp, "block-stream", d);
}

static QDict *copy_arguments(const QDict *args)
{
    QDict *d = qdict_new();

    move(d, "device", args, "device");
    move(d, "target", args, "target");
    move(d, "format", args, "format");
    qdict_put_str(d, "sync", qdict_bool_or(args, "full", false) ? "full" : "top");
    qdict_put_str(d, "mode", qdict_bool_or(args, "reuse", false) ? "existing" : "absolute-paths");
    return d;
}

void hmp_drive_mirror(Hmp *hmp, const QDict *args)
{
    hmp_qmp_ok(hmp, "drive-mirror", copy_arguments(args));
}

void hmp_drive_backup(Hmp *hmp, const QDict *args)
{
    QDict *d = copy_arguments(args);

    move(d, "compress", args, "compress");
    hmp_qmp_ok(hmp, "drive-backup", d);
}

void hmp_info_block_jobs(Hmp *hmp, const QDict *args)
{
    QObject *list = hmp_qmp(hmp, "query-block-jobs", NULL);

    (void)args;
    if (list && !qlist_size(qobject_to_list(list))) {
        hmp_printf(hmp, "No active jobs\n");
    }
    for (size_t i = 0; list && i < qlist_size(qobject_to_list(list)); i++) {
        const QDict *j = qobject_to_dict(qlist_get(qobject_to_list(list), i));

        hmp_printf(hmp, "Type %s, device %s: Completed %" PRId64 " of %" PRId64
                   " bytes, speed limit %" PRId64 " bytes/s\n", qdict_str_or(j, "type", ""),
                   qdict_str_or(j, "device", ""), qdict_int_or(j, "offset", 0),
                   qdict_int_or(j, "len", 0), qdict_int_or(j, "speed", 0));
    }
    qobject_unref(list);
}

/* ------------------------------------------------------------------ dump */

void hmp_dump_guest_memory(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_new();
    g_autofree char *protocol = g_strconcat("file:", qdict_str_or(args, "filename", ""), NULL);
    static const struct { const char *flag, *format; } formats[] = {
        { "zlib", "kdump-zlib" }, { "lzo", "kdump-lzo" }, { "snappy", "kdump-snappy" },
        { "windmp", "win-dmp" },
    };

    qdict_put_bool(d, "paging", qdict_bool_or(args, "paging", false));
    qdict_put_str(d, "protocol", protocol);
    /* In the background always: the monitor waits for nothing. */
    qdict_put_bool(d, "detach", true);
    move(d, "begin", args, "begin");
    move(d, "length", args, "length");
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (qdict_bool_or(args, formats[i].flag, false)) {
            qdict_put_str(d, "format", formats[i].format);
        }
    }
    if (hmp_qmp_ok(hmp, "dump-guest-memory", d)) {
        hmp_printf(hmp, "the dump is being made; \"info dump\" shows how far it is\n");
    }
}

void hmp_info_dump(Hmp *hmp, const QDict *args)
{
    QObject *o = hmp_qmp(hmp, "query-dump", NULL);
    const QDict *d = qobject_to_dict(o);
    int64_t total = qdict_int_or(d, "total", 0);

    (void)args;
    hmp_printf(hmp, "Status: %s\n", qdict_str_or(d, "status", ""));
    if (total) {
        hmp_printf(hmp, "Finished: %.2f %%\n", 100.0 * qdict_int_or(d, "completed", 0) / total);
    }
    qobject_unref(o);
}

/* ----------------------------------------------------------------- trace */

void hmp_trace_event(Hmp *hmp, const QDict *args)
{
    QDict *d = qdict_new();

    move(d, "name", args, "name");
    move(d, "enable", args, "option");
    move(d, "vcpu", args, "vcpu");
    hmp_qmp_ok(hmp, "trace-event-set-state", d);
}

QDict *hmp_same_args(const QDict *args, UNUSED const char **command)
{
    return qobject_to_dict(qobject_copy(QOBJECT(args)));
}

QDict *hmp_trace_events_args(const QDict *args, UNUSED const char **command)
{
    QDict *d = qdict_from_fmt("{'name': %s}", qdict_str_or(args, "name", "*"));

    move(d, "vcpu", args, "vcpu");
    return d;
}

void hmp_info_trace_events(Hmp *hmp, const QDict *args)
{
    QObject *list = hmp_qmp(hmp, "trace-event-get-state", hmp_trace_events_args(args, NULL));

    for (size_t i = 0; list && i < qlist_size(qobject_to_list(list)); i++) {
        const QDict *e = qobject_to_dict(qlist_get(qobject_to_list(list), i));

        hmp_printf(hmp, "%s : state %d\n", qdict_str_or(e, "name", ""),
                   !strcmp(qdict_str_or(e, "state", ""), "enabled"));
    }
    qobject_unref(list);
}

/* ------------------------------------------------------ text and results */

void hmp_info_irq(Hmp *hmp, const QDict *args)
{
    (void)args;
    hmp_qmp_text(hmp, "x-query-irq");
}

void hmp_info_numa(Hmp *hmp, const QDict *args)
{
    (void)args;
    hmp_qmp_text(hmp, "x-query-numa");
}

void hmp_info_roms(Hmp *hmp, const QDict *args)
{
    (void)args;
    hmp_qmp_text(hmp, "x-query-roms");
}

/* A result as people read it: names and values, deeper ones indented. */
static void show_value(Hmp *hmp, const char *name, const QObject *o, int depth)
{
    const QDict *d = qobject_to_dict(o);
    const QList *l = qobject_to_list(o);

    if (d) {
        if (name) {
            hmp_printf(hmp, "%*s%s:\n", 2 * depth, "", name);
        }
        QDICT_FOR_EACH(e, d) {
            show_value(hmp, e->key, e->value, depth + (name != NULL));
        }
    } else if (l) {
        hmp_printf(hmp, "%*s%s:\n", 2 * depth, "", name ? name : "");
        for (size_t i = 0; i < qlist_size(l); i++) {
            show_value(hmp, qobject_to_dict(qlist_get(l, i)) ? "-" : "", qlist_get(l, i), depth + 1);
        }
    } else {
        const QString *s = qobject_to_string(o);
        char *text = s ? NULL : json_write(o, JSON_COMPACT);

        hmp_printf(hmp, "%*s%s%s%s\n", 2 * depth, "", name ? name : "", name && *name ? ": " : "",
                   s ? s->str : text);
        free(text);
    }
}

void hmp_info_virtio(Hmp *hmp, const QDict *args)
{
    QObject *list = hmp_qmp(hmp, "x-query-virtio", NULL);

    (void)args;
    if (list && !qlist_size(qobject_to_list(list))) {
        hmp_printf(hmp, "No VirtIO devices\n");
    }
    for (size_t i = 0; list && i < qlist_size(qobject_to_list(list)); i++) {
        const QDict *v = qobject_to_dict(qlist_get(qobject_to_list(list), i));

        hmp_printf(hmp, "%s [%s]\n", qdict_str_or(v, "path", ""), qdict_str_or(v, "name", ""));
    }
    qobject_unref(list);
}

static void show_result(Hmp *hmp, const char *command, const QDict *args)
{
    QObject *o = hmp_qmp(hmp, command, qobject_to_dict(qobject_copy(QOBJECT(args))));

    if (o) {
        show_value(hmp, NULL, o, 0);
    }
    qobject_unref(o);
}

void hmp_info_virtio_status(Hmp *hmp, const QDict *args)
{
    show_result(hmp, "x-query-virtio-status", args);
}

void hmp_info_virtio_vhost_queue_status(Hmp *hmp, const QDict *args)
{
    show_result(hmp, "x-query-virtio-vhost-queue-status", args);
}

void hmp_info_virtio_queue_status(Hmp *hmp, const QDict *args)
{
    show_result(hmp, "x-query-virtio-queue-status", args);
}

void hmp_info_virtio_queue_element(Hmp *hmp, const QDict *args)
{
    show_result(hmp, "x-query-virtio-queue-element", args);
}

void hmp_info_vm_generation_id(Hmp *hmp, const QDict *args)
{
    QObject *o = hmp_qmp(hmp, "query-vm-generation-id", NULL);

    (void)args;
    if (o) {
        hmp_printf(hmp, "%s\n", qdict_str_or(qobject_to_dict(o), "guid", ""));
    }
    qobject_unref(o);
}

QDict *hmp_stats_args(const QDict *args, UNUSED const char **command)
{
    const char *provider = qdict_str_or(args, "provider", NULL), *names = qdict_str_or(args, "names", NULL);
    QDict *query = qdict_from_fmt("{'target': %s}", qdict_str_or(args, "target", "vm"));

    if (provider) {
        QDict *request = qdict_from_fmt("{'provider': %s}", provider);

        if (names && strcmp(names, "*")) {
            g_auto(GStrv) each = g_strsplit(names, ",", -1);
            QList *list = qlist_new();

            for (char **n = each; *n; n++) {
                qlist_append(list, qstring_from(*n));
            }
            qdict_put(request, "names", QOBJECT(list));
        }
        qdict_put(query, "providers", QOBJECT(qlist_from_fmt("[%p]", request)));
    }
    return query;
}

void hmp_info_stats(Hmp *hmp, const QDict *args)
{
    QObject *o = hmp_qmp(hmp, "query-stats", hmp_stats_args(args, NULL));

    if (o && !qlist_size(qobject_to_list(o))) {
        hmp_printf(hmp, "no provider keeps statistics\n");
    } else if (o) {
        show_value(hmp, "stats", o, 0);
    }
    qobject_unref(o);
}

void hmp_info_tpm(Hmp *hmp, const QDict *args)
{
    (void)args;
    hmp_printf(hmp, "TPM device not supported\n");
}

void hmp_info_yank(Hmp *hmp, const QDict *args)
{
    QObject *o = hmp_qmp(hmp, "query-yank", NULL);

    (void)args;
    if (o) {
        show_value(hmp, "connections", o, 0);
    }
    qobject_unref(o);
}

void hmp_chardev_change(Hmp *hmp, const QDict *args)
{
    const char *id = qdict_str_or(args, "id", "");
    Error *err = NULL;
    QDict *opts = hmp_keyval(qdict_str_or(args, "args", ""), "backend", &err);

    if (opts) {
        qdict_put_str(opts, "id", id);
        chardev_change_from_opts(opts, &err);
        qobject_unref(opts);
    }
    hmp_error(hmp, err);
}
