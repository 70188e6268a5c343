/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-state: what devices held when a machine was saved, as query-device-state shows it of a running one. */
#include "util/osdep.h"
#include "tools/qemu-state/state.h"

#include <getopt.h>
#include "qobject/json.h"
#include "util/main-loop.h"

static int usage(FILE *f)
{
    fprintf(f, "usage: qemu-state [--json] [--all] [--snapshot NAME] [--no-memory] FILE [DEVICE]\n"
               "       qemu-state --list IMAGE\n\n"
               "Shows what devices held when a machine was saved: FILE is a migration stream (migrate file:FILE; -: from\n"
               "standard input) or an image with an internal snapshot (savevm). DEVICE is a type, the name of a section,\n"
               "or the beginning of one.\n\n"
               "  --json           the result of query-device-state\n"
               "  --all            long lists to their end, and the data that passes through devices\n"
               "  --snapshot NAME  the snapshot of the image, by name or id\n"
               "  --no-memory      don't read the guest's memory; what printers find there is left out\n"
               "  --list           the snapshots of the image\n");
    return f == stderr;
}

static int fail(Error *err)
{
    fprintf(stderr, "qemu-state: %s\n", error_message(err));
    if (error_hint_text(err)) {
        fprintf(stderr, "%s\n", error_hint_text(err));
    }
    error_free(err);
    return 1;
}

typedef struct Show {
    const char *device;         /* NULL: all */
    const StateMemory *memory;
    bool all;
    DeviceStateInfoList *list;
} Show;

/* "0000:00:01.1/piix3-ide#1": the type is behind the last slash. */
static char *type_of(const char *section)
{
    const char *slash = strrchr(section, '/');
    char *name = g_strdup(slash ? slash + 1 : section), *mark = strrchr(name, '#');

    if (mark) {
        *mark = '\0';
    }
    return name;
}

static void show(const char *name, const void *data, size_t len, void *opaque)
{
    Show *s = opaque;
    g_autofree char *type = type_of(name);
    DeviceStateInfo *info;

    if (s->device && strcmp(s->device, type) && !g_str_has_prefix(name, s->device)) {
        return;
    }
    info = state_view_make(type_find(type), NULL, data, len, s->memory, s->all);
    info->path = strdup(name);
    info->section = strdup(name);
    if (!*info->type) {
        free(info->type);
        info->type = strdup(type);
    }
    qapi_list_append(s->list, info);
}

static int print(const Show *s, bool json)
{
    char *text;

    if (!s->list->n) {
        fprintf(stderr, "qemu-state: there is no device '%s' in the file\n", s->device ? s->device : "");
        return 1;
    }
    if (json) {
        QObject *o = qapi_encode(&qapi_type_DeviceStateInfoList, &s->list);

        text = json_write(o, JSON_PRETTY);
        printf("%s\n", text);
        free(text);
        qobject_unref(o);
    } else {
        text = device_state_text(s->list, s->all);
        printf("%s", text);
        g_free(text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' }, { "all", no_argument, NULL, 'a' },
        { "snapshot", required_argument, NULL, 's' }, { "no-memory", no_argument, NULL, 'm' },
        { "list", no_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 }
    };
    bool json = false, list = false;
    const char *snapshot = NULL;
    Stream stream = { .with_memory = true };
    Show s = { 0 };
    StateMemory memory;
    Error *err = NULL;
    int c, status;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'j': json = true; break;
        case 'a': s.all = true; break;
        case 's': snapshot = optarg; break;
        case 'm': stream.with_memory = false; break;
        case 'l': list = true; break;
        case 'h': return usage(stdout);
        case 'V': printf("qemu-state version 7.2.0 (qemu-system 0.1)\n"); return 0;
        default: return usage(stderr);
        }
    }
    if (optind >= argc || argc - optind > 2) {
        return usage(stderr);
    }
    main_loop_init();
    if (list) {
        return stream_list(argv[optind], &err) ? 0 : fail(err);
    }
    s.device = argc - optind == 2 ? argv[optind + 1] : NULL;
    s.list = qapi_new(DeviceStateInfoList);
    if (!stream_open(&stream, argv[optind], snapshot, &err)) {
        stream_cleanup(&stream);
        return fail(err);
    }
    memory = stream_memory(&stream);
    s.memory = stream.ranges->len ? &memory : NULL;
    mig_devices_foreach(stream.devices, show, &s);
    status = print(&s, json);
    qapi_free_DeviceStateInfoList(s.list);
    stream_cleanup(&stream);
    return status;
}
