/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -drive: a back end, its image, and where the board shall put it. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"

static const char *const interfaces[] = { "default", "none", "ide", "scsi", "floppy", "pflash",
                                          "mtd", "sd", "virtio", "xen", NULL };

/* Members of -drive that aren't handed to the block layer. */
static const char *const own_keys[] = { "if", "bus", "unit", "index", "media", "id", "file",
                                        "format", "readonly", "read-only", "cache", "aio", "snapshot",
                                        "werror", "rerror", "serial", "copy-on-read", "addr", NULL };

static bool in_list(const char *const *list, const char *key)
{
    for (; *list; list++) {
        if (strcmp(*list, key) == 0) {
            return true;
        }
    }
    return false;
}

static bool number(const QDict *opts, const char *key, int *v, Error **errp)
{
    const char *text = qdict_str_or(opts, key, NULL);
    char *end;
    long n;

    *v = -1;
    if (!text) {
        return true;
    }
    n = strtol(text, &end, 10);
    if (end == text || *end || n < 0 || n > 255) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is '%s'; accepted: 0 to 255", key, text);
        return false;
    }
    *v = n;
    return true;
}

static bool error_action(const QDict *opts, const char *key, BlockErrorAction *a, Error **errp)
{
    static const char *const names[] = { "report", "ignore", "stop", "enospc", NULL };
    const char *text = qdict_str_or(opts, key, NULL);

    if (!text) {
        return true;
    }
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            *a = i;
            return true;
        }
    }
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: report, ignore, stop, enospc",
               key, text);
    return false;
}

/* Options of the nodes: the format's on top of the file's. */
static QDict *node_options(const QDict *opts, const char *file, bool read_only, Error **errp)
{
    const char *format = qdict_str_or(opts, "format", "raw");
    const char *cache = qdict_str_or(opts, "cache", "writeback");
    QDict *d = qdict_new(), *f = qdict_new();

    qdict_put_str(d, "driver", format);
    qdict_put_bool(d, "read-only", read_only);
    if (strcmp(cache, "unsafe") == 0) {
        qdict_put_bool(d, "cache.no-flush", true);
    } else if (strcmp(cache, "none") && strcmp(cache, "writeback") &&
               strcmp(cache, "writethrough") && strcmp(cache, "directsync")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'cache' is '%s'; accepted: none, writeback, "
                   "writethrough, directsync, unsafe", cache);
        qobject_unref(d);
        qobject_unref(f);
        return NULL;
    }
    QDICT_FOR_EACH(e, opts) {
        if (!in_list(own_keys, e->key)) {
            qdict_put(d, e->key, qobject_ref(e->value));
        }
    }
    if (g_str_has_prefix(file, "null-co://")) {
        qdict_put_str(f, "driver", "null-co");
    } else {
        qdict_put_str(f, "driver", "file");
        qdict_put_str(f, "filename", g_str_has_prefix(file, "file:") ? file + 5 : file);
    }
    qdict_put_bool(f, "read-only", read_only);
    qdict_put(d, "file", f);
    return d;
}

static bool open_image(BlockBackend *b, const QDict *opts, const char *file, Error **errp)
{
    QDict *d = node_options(opts, file, b->read_only, errp);
    BlockNode *n = d ? block_node_open(d, errp) : NULL;

    qobject_unref(d);
    if (n) {
        blk_insert(b, n, NULL);
        block_node_unref(n);
    }
    return n;
}

void drive_spec_cleanup(DriveSpec *d)
{
    g_free(d->interface);
    g_free(d->blockdev);
    *d = (DriveSpec){ 0 };
}

static bool read_only_option(const QDict *opts, bool *v, Error **errp)
{
    const char *text = qdict_str_or(opts, "readonly", qdict_str_or(opts, "read-only", "off"));

    *v = strcmp(text, "on") == 0;
    if (!*v && strcmp(text, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'readonly' is '%s'; accepted: on, off", text);
        return false;
    }
    return true;
}

bool drive_add(const QDict *opts, const char *default_if, DriveSpec *out, Error **errp)
{
    const char *iface = qdict_str_or(opts, "if", "default");
    const char *media = qdict_str_or(opts, "media", "disk");
    const char *file = qdict_str_or(opts, "file", NULL), *id = qdict_str_or(opts, "id", NULL);
    DriveSpec d = { .cdrom = strcmp(media, "cdrom") == 0 };
    BlockBackend *b;
    bool read_only;
    char *name;

    if (!in_list(interfaces, iface)) {
        char *list = g_strjoinv(", ", (char **)interfaces);

        error_setf(errp, ERR_INVALID_ARGUMENT, "'if' is '%s'; accepted: %s", iface, list);
        g_free(list);
        return false;
    }
    if (!d.cdrom && strcmp(media, "disk")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'media' is '%s'; accepted: disk, cdrom", media);
        return false;
    }
    if (!strcmp(iface, "default")) {
        iface = default_if;
    }
    if (!number(opts, "bus", &d.bus, errp) || !number(opts, "unit", &d.unit, errp) ||
        !number(opts, "index", &d.index, errp) || !read_only_option(opts, &read_only, errp)) {
        return false;
    }
    name = id ? g_strdup(id) : NULL;
    for (int i = 0; !name; i++) {
        name = g_strdup_printf("%s%d-%s%d", iface, d.index >= 0 ? d.index / 2 : MAX(d.bus, 0),
                               d.cdrom ? "cd" : "hd", d.index >= 0 ? d.index % 2 + i
                               : MAX(d.unit, 0) + i);
        if (blk_find(name)) {
            g_free(name);
            name = NULL;
        }
    }
    b = blk_new(name, errp);
    g_free(name);
    if (!b) {
        return false;
    }
    b->removable = d.cdrom || !strcmp(iface, "floppy");
    b->read_only = d.cdrom || read_only;
    if (!error_action(opts, "rerror", &b->on_read_error, errp) ||
        !error_action(opts, "werror", &b->on_write_error, errp) ||
        (file && *file && !open_image(b, opts, file, errp))) {
        blk_delete(b);
        return false;
    }
    d.interface = g_strdup(iface);
    d.blockdev = g_strdup(b->id);
    *out = d;
    return true;
}
