/* SPDX-License-Identifier: GPL-2.0-or-later */
/* query-command-line-options: the table of options, for management tools. */
#include "util/osdep.h"
#include "qapi/types-misc.h"
#include "system/config.h"
#include "system/qmp-options.h"

/* Parameters that tools look for before they use them. */
static const struct { const char *option, *name; CommandLineParameterType type; } parameters[] = {
    { "machine", "type", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "accel", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "memory-backend", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "usb", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "machine", "dump-guest-core", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "boot-opts", "order", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "boot-opts", "once", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "boot-opts", "menu", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "boot-opts", "strict", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "boot-opts", "reboot-timeout", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "name", "guest", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "name", "process", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "name", "debug-threads", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "msg", "timestamp", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "mon", "chardev", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "mon", "mode", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "mon", "pretty", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "mon", "permissions", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "smp-opts", "cpus", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "smp-opts", "sockets", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "smp-opts", "dies", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "smp-opts", "cores", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "smp-opts", "threads", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "smp-opts", "maxcpus", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "machine", "firmware", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "dtb", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "append", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "initrd", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "machine", "kernel", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "sandbox", "resourcecontrol", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "sandbox", "spawn", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "sandbox", "elevateprivileges", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "sandbox", "obsolete", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "sandbox", "enable", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "power-control", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "audiodev", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "non-adaptive", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "lossy", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "sasl-authz", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "tls-authz", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "sasl", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "key-delay-ms", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "vnc", "lock-key-sync", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "reverse", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "password-secret", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "password", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "ipv6", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "ipv4", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "vnc", "to", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "vnc", "connections", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "vnc", "head", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "vnc", "display", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "share", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "tls-creds", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "websocket", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "vnc", "vnc", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "action", "watchdog", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "action", "panic", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "action", "reboot", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "action", "shutdown", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fsdev", "dmode", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "fsdev", "fmode", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "fsdev", "multidevs", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fsdev", "readonly", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "fsdev", "writeout", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fsdev", "security_model", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fsdev", "path", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fsdev", "fsdriver", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "virtfs", "dmode", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "virtfs", "fmode", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "virtfs", "multidevs", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "virtfs", "readonly", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "virtfs", "writeout", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "virtfs", "security_model", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "virtfs", "path", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "virtfs", "fsdriver", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "virtfs", "mount_tag", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fw_cfg", "string", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fw_cfg", "file", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "fw_cfg", "name", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "overcommit", "cpu-pm", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "overcommit", "mem-lock", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "add-fd", "opaque", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "add-fd", "set", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "add-fd", "fd", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "boot-opts", "splash-time", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "boot-opts", "splash", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "global", "value", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "global", "property", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "global", "driver", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "rtc", "driftfix", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "rtc", "clock", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "rtc", "base", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "abstract", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "tight", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "clipboard", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "mouse", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "logappend", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "logfile", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "append", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "chardev", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "size", COMMAND_LINE_PARAMETER_TYPE_SIZE },
    { "chardev", "signal", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "mux", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "rows", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "chardev", "cols", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "chardev", "height", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "chardev", "width", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "chardev", "websocket", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "tls-authz", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "tls-creds", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "telnet", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "reconnect", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "chardev", "nodelay", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "delay", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "server", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "wait", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "ipv6", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "ipv4", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "chardev", "to", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "chardev", "localport", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "localaddr", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "fd", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "port", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "host", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "path", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "chardev", "backend", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "copy-on-read", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "werror", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "rerror", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "read-only", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "file", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "if", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "media", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "index", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "unit", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "bus", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "detect-zeroes", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "throttling.group", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "throttling.iops-size", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.bps-write-max", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.bps-read-max", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.bps-total-max", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.iops-write-max", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.iops-read-max", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.iops-total-max", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.bps-write", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.bps-read", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.bps-total", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.iops-write", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.iops-read", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "throttling.iops-total", COMMAND_LINE_PARAMETER_TYPE_NUMBER },
    { "drive", "werror", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "format", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "cache.writeback", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "aio", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "snapshot", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "force-share", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "discard", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "auto-read-only", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "cache.no-flush", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "cache.direct", COMMAND_LINE_PARAMETER_TYPE_BOOLEAN },
    { "drive", "driver", COMMAND_LINE_PARAMETER_TYPE_STRING },
    { "drive", "node-name", COMMAND_LINE_PARAMETER_TYPE_STRING },
};

/* Two options are known by other names than the command line's. */
static const char *query_name(const char *option)
{
    return !strcmp(option, "boot") ? "boot-opts" : !strcmp(option, "smp") ? "smp-opts" : option;
}

CommandLineOptionInfoList *command_line_options(void)
{
    CommandLineOptionInfoList *list = qapi_new(CommandLineOptionInfoList);

    for (const Option *o = config_options; o->name; o++) {
        CommandLineOptionInfo *info;

        if (!o->has_arg) {
            continue;
        }
        info = qapi_new(CommandLineOptionInfo);
        info->option = strdup(query_name(o->name));
        info->parameters = qapi_new(CommandLineParameterInfoList);
        for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
            if (!strcmp(parameters[i].option, info->option)) {
                CommandLineParameterInfo *p = qapi_new(CommandLineParameterInfo);

                p->name = strdup(parameters[i].name);
                p->type = parameters[i].type;
                qapi_list_append(info->parameters, p);
            }
        }
        qapi_list_append(list, info);
    }
    return list;
}
