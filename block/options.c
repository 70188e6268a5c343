/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of nodes as people and programs write them; names of images. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "qobject/json.h"

bool block_bool_option(const QDict *opts, const char *key, bool otherwise)
{
    QObject *o = qdict_get(opts, key);
    const char *text;
    bool v;

    if (!o || qobject_get_bool(o, key, &v, NULL)) {
        return o ? v : otherwise;
    }
    text = qobject_get_str(o, key, NULL);
    return text && (!strcmp(text, "on") || !strcmp(text, "true") || !strcmp(text, "yes") ||
                    !strcmp(text, "y"));
}

bool block_size_option(const QDict *opts, const char *key, uint64_t *v, Error **errp)
{
    static const char units[] = "bkmgtpe";
    QObject *o = qdict_get(opts, key);
    const char *text, *unit;
    char *end;
    double f;

    if (!o || qobject_get_uint(o, key, v, NULL)) {
        return true;
    }
    text = qobject_get_str(o, key, NULL);
    if (text && *text >= '0' && *text <= '9') {
        *v = strtoull(text, &end, 0);
        if (*end == 0) {
            return true;
        }
        f = g_ascii_strtod(text, &end);
        unit = *end ? strchr(units, g_ascii_tolower(*end)) : NULL;
        if (unit && (!end[1] || (g_ascii_tolower(end[1]) == 'b' && !end[2]))) {
            f *= (double)BIT64(10 * (unit - units));
            if (f < 9.2e18) {
                *v = f;
                return true;
            }
        }
    }
    error_setf(errp, ERR_WRONG_TYPE, "'%s' isn't a number of bytes", key);
    error_argument(errp, key, text, "a number, with k, M, G, T, P or E");
    return false;
}

/* "nbd:", "http:": a name with a protocol, which has no folder. */
static bool has_protocol(const char *name)
{
    size_t n = strcspn(name, ":/");

    return name[n] == ':' && n > 0;
}

char *block_backing_path(const char *image, const char *backing)
{
    char *folder, *path;

    if (!image || g_path_is_absolute(backing) || has_protocol(backing)) {
        return g_strdup(backing);
    }
    folder = g_path_get_dirname(image);
    path = strcmp(folder, ".") || strncmp(image, ".", 1) == 0
           ? g_build_filename(folder, backing, NULL) : g_strdup(backing);
    g_free(folder);
    return path;
}

/* nbd://HOST[:PORT]/EXPORT, nbd+unix:///EXPORT?socket=PATH (doc/uri.md of the NBD project). */
static QDict *nbd_uri(const char *name, Error **errp)
{
    GUri *u = g_uri_parse(name, G_URI_FLAGS_NON_DNS, NULL);
    const char *path = u ? g_uri_get_path(u) : "", *socket = NULL;
    GHashTable *query = NULL;
    QDict *d = NULL;

    if (u && g_uri_get_query(u)) {
        query = g_uri_parse_params(g_uri_get_query(u), -1, "&;", G_URI_PARAMS_NONE, NULL);
        socket = query ? g_hash_table_lookup(query, "socket") : NULL;
    }
    if (u && socket && g_str_has_prefix(g_uri_get_scheme(u), "nbd+unix")) {
        d = qdict_from_fmt("{'driver': 'nbd', 'server.type': 'unix', 'server.path': %s}", socket);
    } else if (u && g_uri_get_host(u) && *g_uri_get_host(u) && strcmp(g_uri_get_scheme(u), "nbd+unix")) {
        char *port = g_strdup_printf("%d", g_uri_get_port(u) > 0 ? g_uri_get_port(u) : 10809);

        d = qdict_from_fmt("{'driver': 'nbd', 'server.type': 'inet', 'server.host': %s, 'server.port': %s}",
                           g_uri_get_host(u), port);
        g_free(port);
    } else {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't nbd://HOST[:PORT]/EXPORT or "
                   "nbd+unix:///EXPORT?socket=PATH", name);
    }
    if (d) {
        path += *path == '/';
        qdict_put_str(d, "export", path);
    }
    if (query) {
        g_hash_table_unref(query);
    }
    if (u) {
        g_uri_unref(u);
    }
    return d;
}

/* nbd:HOST:PORT[:exportname=NAME], nbd:unix:PATH[:exportname=NAME] */
static QDict *nbd_words(const char *name, Error **errp)
{
    const char *export = strstr(name, ":exportname=");
    char *rest = g_strndup(name + 4, (export ? (size_t)(export - name) : strlen(name)) - 4);
    char *port = strrchr(rest, ':');
    QDict *d = NULL;

    if (g_str_has_prefix(rest, "unix:")) {
        d = qdict_from_fmt("{'driver': 'nbd', 'server.type': 'unix', 'server.path': %s}", rest + 5);
    } else if (port) {
        *port++ = 0;
        d = qdict_from_fmt("{'driver': 'nbd', 'server.type': 'inet', 'server.host': %s, 'server.port': %s}", rest,
                           port);
    } else {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't nbd:HOST:PORT or nbd:unix:PATH", name);
    }
    if (d && export) {
        qdict_put_str(d, "export", export + 12);
    }
    g_free(rest);
    return d;
}

QDict *block_filename_options(const char *name, Error **errp)
{
    if (g_str_has_prefix(name, "json:")) {
        return json_parse_dict(name + 5, errp);
    }
    if (g_str_has_prefix(name, "nbd://") || g_str_has_prefix(name, "nbd+")) {
        return nbd_uri(name, errp);
    }
    if (g_str_has_prefix(name, "nbd:")) {
        return nbd_words(name, errp);
    }
    if (g_str_has_prefix(name, "null-co://") || g_str_has_prefix(name, "null-aio://")) {
        return qdict_from_fmt("{'driver': %s}", name[5] == 'c' ? "null-co" : "null-aio");
    }
    if (g_str_has_prefix(name, "blkdebug:")) {
        /* blkdebug:CONFIG:IMAGE */
        const char *image = strchr(name + 9, ':');
        char *config;
        QDict *d;

        if (!image) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' isn't blkdebug:CONFIG:IMAGE", name);
            return NULL;
        }
        config = g_strndup(name + 9, image - name - 9);
        d = qdict_from_fmt("{'driver': 'blkdebug', 'image.filename': %s, 'image.driver': 'file'}",
                           image + 1);
        if (*config) {
            qdict_put_str(d, "config", config);
        }
        g_free(config);
        return d;
    }
    if (g_str_has_prefix(name, "file:")) {
        name += 5;
    } else if (g_str_has_prefix(name, "host_device:")) {
        return qdict_from_fmt("{'driver': 'host_device', 'filename': %s}", name + 12);
    } else if (has_protocol(name) && !g_file_test(name, G_FILE_TEST_EXISTS)) {
        char *protocol = g_strndup(name, strcspn(name, ":"));

        error_setf(errp, ERR_NOT_SUPPORTED, "Unknown protocol '%s'", protocol);
        g_free(protocol);
        return NULL;
    }
    return qdict_from_fmt("{'driver': 'file', 'filename': %s}", name);
}
