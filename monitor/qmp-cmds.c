/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about the monitor itself and the emulator as a whole. */
#include "util/osdep.h"
#include <unistd.h>
#include "chardev/chardev.h"
#include "hw/core/runstate.h"
#include "monitor/monitor-int.h"
#include "monitor/version.h"
#include "qapi/commands-control.h"
#include "qapi/commands-introspect.h"
#include "qapi/commands-misc.h"

/* Set by system/ at start-up. */
static char *vm_name;
static CommandLineOptionInfoList *(*options_query)(void);

void monitor_set_name(const char *name)
{
    g_free(vm_name);
    vm_name = g_strdup(name);
}

void monitor_set_options_query(CommandLineOptionInfoList *(*query)(void))
{
    options_query = query;
}

bool qmp_qmp_capabilities(const QMPCapabilityList *enable, Error **errp)
{
    bool oob = false;

    for (size_t i = 0; enable && i < enable->n; i++) {
        oob |= enable->items[i] == QMP_CAPABILITY_OOB;
    }
    return qmp_monitor_negotiate(monitor_current, oob, errp);
}

VersionInfo *qmp_query_version(Error **errp)
{
    VersionInfo *info = qapi_new(VersionInfo);

    (void)errp;
    info->qemu = qapi_new(VersionTriple);
    info->qemu->major = VERSION_MAJOR;
    info->qemu->minor = VERSION_MINOR;
    info->qemu->micro = VERSION_MICRO;
    info->package = strdup(VERSION_PACKAGE);
    return info;
}

CommandInfoList *qmp_query_commands(Error **errp)
{
    CommandInfoList *list = qapi_new(CommandInfoList);

    (void)errp;
    for (size_t i = 0; i < qapi_schema.n_commands; i++) {
        CommandInfo *info = qapi_new(CommandInfo);

        info->name = strdup(qapi_schema.commands[i]->name);
        qapi_list_append(list, info);
    }
    return list;
}

QObject *qmp_query_qmp_schema(const QDict *args, Error **errp)
{
    if (qdict_size(args)) {
        error_setf(errp, ERR_UNKNOWN_ARGUMENT, "Parameter '%s' is unexpected",
                   qdict_entry(args, 0)->key);
        return NULL;
    }
    return qapi_introspect(&qapi_schema);
}

bool qmp_quit(Error **errp)
{
    (void)errp;
    system_shutdown_request(SHUTDOWN_CAUSE_HOST_QMP_QUIT);
    return true;
}

char *qmp_human_monitor_command(const char *command_line, bool has_cpu_index, int64_t cpu_index,
                                Error **errp)
{
    if (has_cpu_index && (cpu_index < 0 || cpu_index > INT32_MAX)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'cpu-index' expects a CPU number");
        return NULL;
    }
    return hmp_run(command_line, has_cpu_index ? (int)cpu_index : -1);
}

NameInfo *qmp_query_name(Error **errp)
{
    NameInfo *info = qapi_new(NameInfo);

    (void)errp;
    info->name = vm_name ? strdup(vm_name) : NULL;
    return info;
}

CommandLineOptionInfoList *qmp_query_command_line_options(const char *option, Error **errp)
{
    CommandLineOptionInfoList *all, *found;

    all = options_query ? options_query() : qapi_new(CommandLineOptionInfoList);
    if (!option) {
        return all;
    }
    found = qapi_new(CommandLineOptionInfoList);
    for (size_t i = 0; i < all->n; i++) {
        if (!strcmp(all->items[i]->option, option)) {
            qapi_list_append(found, qapi_clone_CommandLineOptionInfo(all->items[i]));
        }
    }
    qapi_free_CommandLineOptionInfoList(all);
    if (!found->n) {
        qapi_free_CommandLineOptionInfoList(found);
        error_setf(errp, ERR_NO_SUCH_OPTION, "invalid option name: %s", option);
        return NULL;
    }
    return found;
}

/* Hooks by protocol; ui/ adds "vnc". */
static struct {
    const char *protocol;
    bool (*add)(int fd, bool skipauth, bool tls, Error **errp);
} client_hooks[4];

void monitor_set_client_hook(const char *protocol,
                             bool (*add)(int fd, bool skipauth, bool tls, Error **errp))
{
    for (size_t i = 0; i < ARRAY_SIZE(client_hooks); i++) {
        if (!client_hooks[i].protocol || !strcmp(client_hooks[i].protocol, protocol)) {
            client_hooks[i].protocol = protocol;
            client_hooks[i].add = add;
            return;
        }
    }
}

bool qmp_add_client(const char *protocol, const char *fdname, bool has_skipauth, bool skipauth,
                    bool has_tls, bool tls, Error **errp)
{
    int fd = monitor_take_fd(fdname, errp);
    bool ok = false, found = false;

    if (fd < 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(client_hooks) && client_hooks[i].protocol; i++) {
        if (!strcmp(client_hooks[i].protocol, protocol)) {
            found = true;
            ok = client_hooks[i].add(fd, has_skipauth && skipauth, has_tls && tls, errp);
        }
    }
    if (!found && chardev_find(protocol)) {
        found = true;
        ok = chardev_add_client(chardev_find(protocol), fd, errp);
    }
    if (!found) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "protocol '%s' is invalid", protocol);
    }
    if (!ok) {
        close(fd);
    }
    return ok;
}
