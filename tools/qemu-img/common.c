/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "tools/qemu-img/img.h"
#include <unistd.h>
#include "qapi/commands-objects.h"

int img_complain(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "qemu-img: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    return 1;
}

int img_fail(Error *err)
{
    img_complain("%s", error_message(err));
    if (error_hint_text(err)) {
        fprintf(stderr, "%s\n", error_hint_text(err));
    }
    error_free(err);
    return 1;
}

bool img_size(const char *text, const char *what, uint64_t *size)
{
    QDict *d = qdict_from_fmt("{'size': %s}", text);
    bool ok = block_size_option(d, "size", size, NULL) && *size <= INT64_MAX;

    qobject_unref(d);
    if (!ok) {
        img_complain("Invalid %s specified. You may use k, M, G, T, P or E suffixes for ", what);
        img_complain("kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
    }
    return ok;
}

/* Three significant digits, of the unit that gives at most four before the point. */
char *img_size_text(uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double v = bytes;
    unsigned i = 0;

    while (v >= 1000 && i < ARRAY_SIZE(units) - 1) {
        v /= 1024;
        i++;
    }
    return g_strdup_printf("%0.3g %s", v, units[i]);
}

bool img_options(const char *text, QDict *opts)
{
    while (*text) {
        GString *key = g_string_new(""), *value = g_string_new("");
        bool in_value = false, ok;

        for (; *text; text++) {
            if (*text == ',' && text[1] != ',') {
                text++;
                break;
            }
            if (*text == ',') {
                text++;
            }
            if (*text == '=' && !in_value) {
                in_value = true;
            } else {
                g_string_append_c(in_value ? value : key, *text);
            }
        }
        ok = key->len > 0;
        if (ok) {
            qdict_put_str(opts, key->str, in_value ? value->str : "on");
        }
        g_string_free(key, true);
        g_string_free(value, true);
        if (!ok) {
            img_complain("Invalid option list: %s", text);
            return false;
        }
    }
    return true;
}

bool img_wants_help(const char *text)
{
    return text && (!strcmp(text, "help") || !strcmp(text, "?"));
}

/* --- opening --- */

static void cache_options(QDict *d, const char *cache)
{
    if (cache && (!strcmp(cache, "none") || !strcmp(cache, "off") || !strcmp(cache, "directsync"))) {
        qdict_put_bool(d, "cache.direct", true);
    }
    if (cache && !strcmp(cache, "unsafe")) {
        qdict_put_bool(d, "cache.no-flush", true);
    }
}

static BlockNode *open_image(const char *name, const char *format, const char *cache, const char *secret, unsigned flags)
{
    QDict *d = qdict_new(), *file;
    Error *err = NULL;
    BlockNode *n;

    if (flags & IMG_IMAGE_OPTS) {
        if (!img_options(name, d)) {
            qobject_unref(d);
            return NULL;
        }
    } else {
        file = block_filename_options(name, &err);
        if (!file) {
            qobject_unref(d);
            img_fail(err);
            return NULL;
        }
        if (qdict_has(file, "file")) {
            qobject_unref(d);
            d = file;
        } else {
            qdict_put(d, "file", file);
        }
        if (format) {
            qdict_put_str(d, "driver", format);
        }
    }
    qdict_put_bool(d, "read-only", !(flags & IMG_RW));
    if (flags & IMG_RW) {
        qdict_put_str(d, "discard", "unmap");
    }
    if (flags & IMG_FORCE_SHARE) {
        qdict_put_bool(d, "force-share", true);
    }
    if (flags & IMG_CHECK) {
        qdict_put_bool(d, "x-check-only", true);
    }
    cache_options(d, cache);
    if (secret) {
        qdict_put_str(d, format && !strcmp(format, "luks") ? "key-secret" : "encrypt.key-secret", secret);
    }
    if (flags & IMG_NO_BACKING) {
        /* Formats without one don't know the option: probe first. */
        QDict *probe = qobject_to_dict(qobject_copy((QObject *)d));

        n = format && strcmp(format, "qcow2") ? NULL : (qdict_put_null(probe, "backing"),
                                                        block_node_open(probe, &err));
        qobject_unref(probe);
        if (!n && !(format && !strcmp(format, "qcow2"))) {
            error_free(err);
            err = NULL;
            n = block_node_open(d, &err);
        }
    } else {
        n = block_node_open(d, &err);
    }
    qobject_unref(d);
    if (!n) {
        error_prepend(&err, "Could not open '%s': ", name);
        img_fail(err);
    }
    return n;
}

BlockNode *img_open(const char *name, const char *format, const char *cache, unsigned flags)
{
    return open_image(name, format, cache, NULL, flags);
}

BlockNode *img_open_with_secret(const char *name, const char *format, const char *cache, const char *secret)
{
    return open_image(name, format, cache, secret, IMG_RW);
}

/* --- creating --- */

static bool is_size(const char *key)
{
    return !strcmp(key, "size") || !strcmp(key, "cluster_size") || !strcmp(key, "block_size") || !strcmp(key, "log_size") || g_str_has_suffix(key, "iter-time") || !strcmp(key, "refcount_bits");
}

static bool is_bool(const char *key)
{
    return !strcmp(key, "lazy_refcounts") || !strcmp(key, "extended_l2") || !strcmp(key, "static") || !strcmp(key, "force_size");
}

bool img_typed_options(const char *format, QDict *opts, Error **errp)
{
    const BlockDriver *drv = block_driver_find(format);
    QDict *typed = qdict_new();

    if (!drv || !drv->co_create || !strcmp(format, "file")) {
        error_setf(errp, ERR_NO_SUCH_TYPE, "Unknown file format '%s'", format);
        qobject_unref(typed);
        return false;
    }
    QDICT_FOR_EACH(e, opts) {
        const char *const *o = drv->create_options;
        uint64_t v;

        while (*o && strcmp(*o, e->key)) {
            o++;
        }
        if (!*o) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "Invalid parameter '%s'", e->key);
            qobject_unref(typed);
            return false;
        }
        if (is_size(e->key)) {
            if (!block_size_option(opts, e->key, &v, errp)) {
                qobject_unref(typed);
                return false;
            }
            qdict_put_uint(typed, e->key, v);
        } else if (is_bool(e->key)) {
            qdict_put_bool(typed, e->key, block_bool_option(opts, e->key, false));
        }
    }
    QDICT_FOR_EACH(e, typed) {
        qdict_put(opts, e->key, qobject_ref(e->value));
    }
    qobject_unref(typed);
    return true;
}

void img_print_create_options(const char *format)
{
    const BlockDriver *drv = block_driver_find(format);

    if (!drv || !drv->create_options) {
        printf("Format driver '%s' does not support image creation\n", format);
        return;
    }
    printf("Supported %s options:\n", format);
    for (const char *const *o = drv->create_options; *o; o++) {
        printf("  %s=<%s>\n", *o, is_size(*o) ? "size" : is_bool(*o) ? "bool (on/off)" : "str");
    }
}

typedef struct Make {
    const BlockDriver *drv;
    BlockNode *file;
    const QDict *opts;
    Error **errp;
    bool ok;
} Make;

static void coroutine_fn make_entry(void *opaque)
{
    Make *m = opaque;

    m->ok = m->drv->co_create(m->file, m->opts, m->errp);
}

bool img_make(const char *name, const char *format, QDict *opts, Error **errp)
{
    QDict *file = qdict_from_fmt("{'filename': %s, 'size': 0}", name), *open;
    Make m = { .drv = block_driver_find("file"), .opts = file, .errp = errp };

    if (!strcmp(format, "raw")) {
        qdict_put_uint(file, "size", qdict_int_or(opts, "size", 0));
        qdict_put_str(file, "preallocation", qdict_str_or(opts, "preallocation", "off"));
    }
    block_run(make_entry, &m);
    qobject_unref(file);
    if (!m.ok || !strcmp(format, "raw")) {
        return m.ok;
    }
    open = qdict_from_fmt("{'driver': 'file', 'filename': %s}", name);
    m.file = block_node_open(open, errp);
    qobject_unref(open);
    if (!m.file) {
        return false;
    }
    m.drv = block_driver_find(format);
    m.opts = opts;
    block_run(make_entry, &m);
    block_node_unref(m.file);
    return m.ok;
}

/* --- progress --- */

void img_progress(ImgProgress *p, double percent)
{
    if (p->on && (percent - p->last >= 1 || percent < p->last || percent >= 100)) {
        printf("    (%3.2f/100%%)\r", percent);
        fflush(stdout);
        p->last = percent;
    }
}

void img_progress_end(ImgProgress *p)
{
    if (p->on) {
        printf("    (100.00/100%%)\n");
    }
}

/* --- options --- */

enum { OPT_OUTPUT = 0x100, OPT_IMAGE_OPTS, OPT_OBJECT };

static bool output(const char *text, bool *json)
{
    *json = !strcmp(text, "json");
    if (!*json && strcmp(text, "human")) {
        img_complain("--output must be used with human or json as argument.");
        return false;
    }
    return true;
}

bool img_object(const char *text)
{
    char *all = g_strconcat(g_str_has_prefix(text, "qom-type=") ? "" : "qom-type=", text, NULL);
    QDict *d = qdict_new();
    Error *err = NULL;
    bool ok = img_options(all, d) && (qmp_object_add(d, &err) || img_fail(err) == 0);

    qobject_unref(d);
    g_free(all);
    return ok;
}

int img_getopt(int argc, char **argv, const char *shorts, unsigned takes, const struct option *longs, ImgOptions *o)
{
    struct option all[16];
    unsigned n = 0;
    int c;

    all[n++] = (struct option){ "object", required_argument, NULL, OPT_OBJECT };
    if (strchr(shorts, 'U')) {
        all[n++] = (struct option){ "force-share", no_argument, NULL, 'U' };
    }
    if (takes & IMG_TAKES_OUTPUT) {
        all[n++] = (struct option){ "output", required_argument, NULL, OPT_OUTPUT };
    }
    if (takes & IMG_TAKES_IMAGE_OPTS) {
        all[n++] = (struct option){ "image-opts", no_argument, NULL, OPT_IMAGE_OPTS };
    }
    while (longs && longs->name && n < ARRAY_SIZE(all) - 1) {
        all[n++] = *longs++;
    }
    all[n] = (struct option){ 0 };
    while ((c = getopt_long(argc, argv, shorts, all, NULL)) != -1) {
        switch (c) {
        case 'f':
            o->format = optarg;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'p':
            o->progress = true;
            break;
        case 'U':
            o->flags |= IMG_FORCE_SHARE;
            break;
        case OPT_IMAGE_OPTS:
            o->flags |= IMG_IMAGE_OPTS;
            break;
        case OPT_OBJECT:
            if (!img_object(optarg)) {
                return '?';
            }
            break;
        case OPT_OUTPUT:
            if (!output(optarg, &o->json)) {
                return '?';
            }
            break;
        default:
            return c;
        }
    }
    return -1;
}
