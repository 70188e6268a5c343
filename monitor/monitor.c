/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all monitors have in common: the list, output, the command line. */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/runstate.h"
#include "monitor/monitor-int.h"
#include "qapi/qapi-command.h"
#include "util/timer.h"

#define CONGESTED_BYTES     (4 * MIB)
/* A client that doesn't read its events for so long has lost them. */
#define DROP_BYTES          (256 * MIB)

Monitor *monitor_list;
Monitor *monitor_current;

void monitor_add(Monitor *mon)
{
    Monitor **p = &monitor_list;

    while (*p) {
        p = &(*p)->next;
    }
    *p = mon;
    if (!mon->out) {
        mon->out = g_string_new(NULL);
    }
}

void monitor_flush(Monitor *mon)
{
    size_t n = chr_fe_write(&mon->fe, mon->out->str, mon->out->len);

    g_string_erase(mon->out, 0, n);
}

void monitor_write(Monitor *mon, const char *text, size_t len)
{
    if (mon->out->len + len > DROP_BYTES) {
        return;
    }
    g_string_append_len(mon->out, text, len);
    monitor_flush(mon);
}

bool monitor_is_early(void)
{
    const Machine *m = current_machine();

    return m && !m->ready;
}

bool monitor_is_congested(const Monitor *mon)
{
    return mon->out->len > CONGESTED_BYTES;
}

void monitor_broadcast(const QDict *event)
{
    for (Monitor *mon = monitor_list; mon; mon = mon->next) {
        if (mon->kind->event) {
            mon->kind->event(mon, event);
        }
    }
}

static bool hmp_on_mux(Chardev *mux, Error **errp)
{
    return monitor_new_hmp(mux, true, errp);
}

static void exit_by_user(void)
{
    system_shutdown_request(SHUTDOWN_CAUSE_HOST_UI);
}

void monitor_init(void)
{
    chardev_set_monitor_hook(hmp_on_mux);
    chardev_set_exit_hook(exit_by_user);
    qapi_set_fd_source(monitor_take_fd);
    qmp_defer_init();
    monitor_events_init();
}

/* Whoever reads what we have said last has a second for it: a pipe holds less than a long answer. */
static void say_the_rest(void)
{
    int64_t end = clock_get_ns(CLOCK_RT) + 1000 * NS_PER_MS;

    for (Monitor *mon = monitor_list; mon; mon = mon->next) {
        while (clock_get_ns(CLOCK_RT) < end) {
            monitor_flush(mon);
            if (!chr_fe_pending(&mon->fe) && !mon->out->len) {
                break;
            }
            g_usleep(1000);
        }
    }
}

void monitor_cleanup(void)
{
    say_the_rest();
    while (monitor_list) {
        Monitor *mon = monitor_list;

        monitor_list = mon->next;
        monitor_flush(mon);
        chr_fe_deinit(&mon->fe);
        g_string_free(mon->out, true);
        mon->kind->free(mon);
    }
    monitor_events_cleanup();
    monitor_fds_cleanup();
}

/* -------------------------------------------------------- command line */

static bool check_keys(const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        if (strcmp(e->key, "chardev") && strcmp(e->key, "mode") && strcmp(e->key, "pretty") &&
            strcmp(e->key, "id") && strcmp(e->key, "permissions")) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "-mon: Invalid parameter '%s'", e->key);
            error_argument(errp, e->key, NULL, "chardev, mode, pretty, permissions, id");
            error_hint(errp, "accepted: chardev, mode, pretty, permissions, id");
            return false;
        }
    }
    return true;
}

bool monitor_new_from_opts(const QDict *opts, Error **errp)
{
    const char *id = qdict_str_or(opts, "chardev", NULL);
    const char *mode = qdict_str_or(opts, "mode", "readline");
    MonitorPermissions permissions = MONITOR_FULL;
    bool pretty = false;
    Chardev *chr;

    if (!check_keys(opts, errp)) {
        return false;
    }
    if (qdict_has(opts, "pretty") &&
        !qapi_decode(&qapi_type_bool, qdict_get(opts, "pretty"), "pretty", QAPI_DECODE_KEYVAL,
                     &pretty, errp)) {
        return false;
    }
    if (qdict_has(opts, "permissions") &&
        !monitor_permissions_parse(qdict_str_or(opts, "permissions", ""), &permissions, errp)) {
        return false;
    }
    if (!id) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "-mon: Parameter 'chardev' is missing");
        return false;
    }
    chr = chardev_find(id);
    if (!chr) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "chardev \"%s\" not found", id);
        error_argument(errp, "chardev", id, NULL);
        return false;
    }
    if (!strcmp(mode, "readline")) {
        if (qdict_has(opts, "pretty")) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'pretty' is not compatible with HMP monitors");
            return false;
        }
        if (permissions != MONITOR_FULL) {
            error_setf(errp, ERR_INVALID_ARGUMENT,
                       "'permissions' is not compatible with HMP monitors");
            return false;
        }
        return monitor_new_hmp(chr, true, errp);
    }
    if (!strcmp(mode, "control")) {
        return monitor_new_qmp(chr, pretty, permissions, errp);
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "-mon: unknown monitor mode '%s'", mode);
    error_argument(errp, "mode", mode, "readline, control");
    error_hint(errp, "accepted: readline, control");
    return false;
}

bool monitor_new_from_spec(const char *spec, MonitorMode mode, Error **errp)
{
    Chardev *chr = chardev_find(spec);
    Error *err = NULL;
    bool ok;

    if (!strcmp(spec, "none")) {
        return true;
    }
    if (!chr) {
        char *id = chardev_new_id("compat_monitor");

        chr = chardev_new_from_spec(id, spec, &err);
        g_free(id);
    }
    ok = chr && (mode == MONITOR_HMP ? monitor_new_hmp(chr, true, &err)
                                     : monitor_new_qmp(chr, mode == MONITOR_QMP_PRETTY,
                                                       MONITOR_FULL, &err));
    error_propagate(errp, err);
    return ok;
}
