/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -drive: a back end, its image, and where the board shall put it. */
#include "util/osdep.h"
#include <glib.h>
#include <unistd.h>
#include "block/block.h"
#include "block/throttle.h"

static const char *const interfaces[] = { "default", "none", "ide", "scsi", "floppy", "pflash",
                                          "mtd", "sd", "virtio", "xen", NULL };

/* Members of -drive that aren't handed to the block layer. */
static const char *const own_keys[] = { "if", "bus", "unit", "index", "media", "id", "file",
                                        "format", "readonly", "read-only", "cache", "aio", "snapshot",
                                        "werror", "rerror", "serial", "copy-on-read", "addr",
                                        "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr",
                                        "bps_max", "bps_rd_max", "bps_wr_max", "iops_max",
                                        "iops_rd_max", "iops_wr_max", "iops_size", "group",
                                        "driver", "cache.writeback", "cache.direct", "cache.no-flush",
                                        NULL };

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
        error_argument(errp, key, text, NULL);
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
    error_argument(errp, key, text, NULL);
    return false;
}

static const struct {
    const char *name;
    bool direct, no_flush, writeback;
} cache_modes[] = {
    { "none", true, false, true }, { "off", true, false, true }, { "writeback", false, false, true },
    { "writethrough", false, false, false }, { "directsync", true, false, false },
    { "unsafe", false, true, true },
};

/* cache=MODE is short for three options, which may also be given themselves. */
static bool cache_options(BlockBackend *b, const QDict *opts, QDict *d, Error **errp)
{
    const char *mode = qdict_str_or(opts, "cache", "writeback");
    size_t i = 0;

    while (i < ARRAY_SIZE(cache_modes) && strcmp(cache_modes[i].name, mode)) {
        i++;
    }
    if (i == ARRAY_SIZE(cache_modes)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'cache' is '%s'; accepted: none, writeback, "
                   "writethrough, directsync, unsafe", mode);
        return false;
    }
    b->write_cache = block_bool_option(opts, "cache.writeback", cache_modes[i].writeback);
    qdict_put_bool(d, "cache.direct", block_bool_option(opts, "cache.direct", cache_modes[i].direct));
    qdict_put_bool(d, "cache.no-flush", block_bool_option(opts, "cache.no-flush",
                                                          cache_modes[i].no_flush));
    return true;
}

/* Options of the nodes: the format's on top of the file's. */
static QDict *node_options(BlockBackend *b, const QDict *opts, const char *file, Error **errp)
{
    const char *format = qdict_str_or(opts, "format", qdict_str_or(opts, "driver", NULL));
    QDict *d = qdict_new(), *f = file ? block_filename_options(file, errp) : qdict_new();

    if (!f || !cache_options(b, opts, d, errp)) {
        qobject_unref(d);
        qobject_unref(f);
        return NULL;
    }
    QDICT_FOR_EACH(e, opts) {
        if (g_str_has_prefix(e->key, "file.") && qdict_size(f)) {
            qdict_put(f, e->key + 5, qobject_ref(e->value));    /* of what file= names */
        } else if (!in_list(own_keys, e->key) && !g_str_has_prefix(e->key, "throttling.")) {
            qdict_put(d, e->key, qobject_ref(e->value));
        }
    }
    if (format) {
        qdict_put_str(d, "driver", format);
    }
    qdict_put_bool(d, "read-only", b->read_only);
    qdict_put_bool(d, "auto-read-only", true);
    if (qdict_has(opts, "aio")) {
        qdict_put(f, "aio", qobject_ref(qdict_get(opts, "aio")));
    }
    if (qdict_has(f, "file") || qdict_has(f, "image.filename")) {
        /* json: with a format of its own, blkdebug: the whole tree but the cache. */
        QDICT_FOR_EACH(e, f) {
            qdict_put(d, e->key, qobject_ref(e->value));
        }
    } else if (qdict_size(f)) {
        qdict_put(d, "file", qobject_ref(f));
    }
    qobject_unref(f);
    return d;
}

static void warn_guessed(const BlockNode *n)
{
    fprintf(stderr, "qemu-system: warning: Image format was not specified for '%s' and probing "
            "guessed raw.\n         Automatically detecting the format is dangerous for raw images, "
            "write operations on block 0 will be restricted.\n"
            "         Specify the 'raw' format explicitly to remove the restrictions.\n",
            n->filename ? n->filename : n->name);
}

/* A node on top of @n, which it takes over. */
static BlockNode *on_top(BlockNode *n, QDict *opts, Error **errp)
{
    BlockNode *top = n ? block_node_open(opts, errp) : NULL;

    qobject_unref(opts);
    block_node_unref(n);
    return top;
}

typedef struct Create {
    BlockNode *file;
    uint64_t size;
    Error **errp;
    bool ok;
} Create;

static void coroutine_fn create_entry(void *opaque)
{
    Create *c = opaque;
    QDict *opts = qdict_from_fmt("{'size': %lld}", (long long)c->size);

    c->ok = block_driver_find("qcow2")->co_create(c->file, opts, c->errp);
    qobject_unref(opts);
}

/* snapshot=on: writes go to a file without a name, which ends with the program. */
static BlockNode *temporary_overlay(BlockNode *n, Error **errp)
{
    const char *dir = g_getenv("TMPDIR");
    char *name = g_strdup_printf("%s/vl.XXXXXX", dir ? dir : "/var/tmp");
    int fd = g_mkstemp(name);
    Create c = { .size = block_length(n), .errp = errp };
    QDict *file;

    if (fd < 0) {
        error_set_errno(errp, errno, "Could not create temporary file '%s'", name);
        g_free(name);
        block_node_unref(n);
        return NULL;
    }
    file = qdict_from_fmt("{'driver': 'file', 'filename': %s, 'cache.no-flush': true, 'discard': 'unmap'}",
                          name);
    c.file = block_node_open(file, errp);
    qobject_unref(file);
    unlink(name);
    close(fd);
    g_free(name);
    if (c.file) {
        block_run(create_entry, &c);
    }
    if (!c.ok) {
        block_node_unref(c.file);
        block_node_unref(n);
        return NULL;
    }
    n = on_top(n, qdict_from_fmt("{'driver': 'qcow2', 'file': %s, 'backing': %s, 'cache.no-flush': true, "
                                 "'discard': 'unmap'}", c.file->name, n->name), errp);
    block_node_unref(c.file);
    return n;
}

static bool open_image(BlockBackend *b, const QDict *opts, const char *file, Error **errp)
{
    bool read_only = b->read_only, snapshot = block_bool_option(opts, "snapshot", false) && !read_only;
    BlockNode *n;
    QDict *d;

    b->read_only |= snapshot;           /* of the image, when it is opened */
    d = node_options(b, opts, file, errp);
    b->read_only = read_only;
    n = d ? block_node_open(d, errp) : NULL;
    qobject_unref(d);
    if (n && n->probed && !read_only) {
        warn_guessed(n);
    }
    if (n && snapshot) {
        n = temporary_overlay(n, errp);
    }
    if (n && block_bool_option(opts, "copy-on-read", false)) {
        if (read_only) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "copy-on-read can't be used with a read-only image");
            block_node_unref(n);
            return false;
        }
        n = on_top(n, qdict_from_fmt("{'driver': 'copy-on-read', 'file': %s}", n->name), errp);
    }
    if (n) {
        blk_insert(b, n, NULL);
        block_node_unref(n);
    }
    return n;
}

/* throttling.*, and the short names that came before. */
static bool limits(BlockBackend *b, const QDict *opts, Error **errp)
{
    static const char *const old[][2] = {
        { "bps", "bps-total" }, { "bps_rd", "bps-read" }, { "bps_wr", "bps-write" },
        { "iops", "iops-total" }, { "iops_rd", "iops-read" }, { "iops_wr", "iops-write" },
        { "bps_max", "bps-total-max" }, { "bps_rd_max", "bps-read-max" },
        { "bps_wr_max", "bps-write-max" }, { "iops_max", "iops-total-max" },
        { "iops_rd_max", "iops-read-max" }, { "iops_wr_max", "iops-write-max" },
        { "iops_size", "iops-size" }, { "group", "group" },
    };
    QDict *d = qdict_new();
    ThrottleConfig c = { { 0 } };
    Error *err = NULL;
    bool some;

    QDICT_FOR_EACH(e, opts) {
        const char *name = g_str_has_prefix(e->key, "throttling.") ? e->key + 11 : NULL;

        for (size_t i = 0; i < ARRAY_SIZE(old) && !name; i++) {
            name = strcmp(old[i][0], e->key) ? NULL : old[i][1];
        }
        if (name) {
            qdict_put(d, name, qobject_ref(e->value));
        }
    }
    some = throttle_parse(d, "", &c, &err);
    if (some && throttle_enabled(&c)) {
        ThrottleGroup *g = throttle_group_get(qdict_str_or(d, "group", b->id));

        throttle_group_set(g, &c);
        blk_set_throttle(b, g);
        throttle_group_put(g);
    }
    qobject_unref(d);
    error_propagate(errp, err);
    return !err;
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
        error_argument(errp, qdict_has(opts, "readonly") ? "readonly" : "read-only", text, NULL);
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
        error_argument(errp, "if", iface, NULL);
        g_free(list);
        return false;
    }
    if (!d.cdrom && strcmp(media, "disk")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'media' is '%s'; accepted: disk, cdrom", media);
        error_argument(errp, "media", media, NULL);
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
        !error_action(opts, "werror", &b->on_write_error, errp) || !limits(b, opts, errp) ||
        (file && *file && !open_image(b, opts, file, errp))) {
        blk_delete(b);
        return false;
    }
    d.interface = g_strdup(iface);
    d.blockdev = g_strdup(b->id);
    *out = d;
    return true;
}
