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
