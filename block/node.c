/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes: opening from options, the list of all, requests checked against the node. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "block/node-int.h"
#include "block/track.h"
#include "util/iov.h"

static BlockDriver *drivers;            /* registry */
static BlockNode *nodes;                /* registry of all open nodes */
static unsigned anonymous;              /* numbers of names made up */

#define DEPTH_MAX       200             /* images one on another */

void block_driver_register(BlockDriver *drv)
{
    drv->next = drivers;
    drivers = drv;
}

const BlockDriver *block_driver_find(const char *name)
{
    for (const BlockDriver *d = drivers; d; d = d->next) {
        if (strcmp(d->name, name) == 0) {
            return d;
        }
    }
    return NULL;
}

const BlockDriver *block_driver_first(void)
{
    return drivers;
}

BlockNode *block_node_first(void)
{
    return nodes;
}

BlockNode *block_node_find(const char *name)
{
    for (BlockNode *n = nodes; n; n = n->next) {
        if (strcmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

BlockNode *block_node_ref(BlockNode *n)
{
    n->refs++;
    return n;
}

static void free_node(BlockNode *n)
{
    block_track_free(n);
    block_node_unref(n->backing);
    block_node_unref(n->file);
    g_free(n->state);
    g_free(n->name);
    g_free(n->filename);
    g_free(n->backing_file);
    g_free(n->backing_format);
    qobject_unref(n->opts);
    g_free(n);
}

void block_node_unref(BlockNode *n)
{
    if (!n || --n->refs > 0) {
        return;
    }
    for (BlockNode **pp = &nodes; *pp; pp = &(*pp)->next) {
        if (*pp == n) {
            *pp = n->next;
            break;
        }
    }
    block_driver_close(n);
    free_node(n);
}

/* --- options --- */

static const char *const common_options[] = {
    "driver", "node-name", "read-only", "auto-read-only", "discard", "detect-zeroes", "cache",
    "cache.direct", "cache.no-flush", "force-share", "x-check-only", NULL,
};

static bool in_list(const char *const *list, const char *key)
{
    for (; list && *list; list++) {
        if (strcmp(*list, key) == 0) {
            return true;
        }
    }
    return false;
}

/* A bool that may be the text "on" or "off". */
static bool flag(const QDict *opts, const char *key, bool *value, Error **errp)
{
    QObject *o = qdict_get(opts, key);
    const char *text;

    if (!o || qobject_get_bool(o, key, value, NULL)) {
        return true;
    }
    text = qobject_get_str(o, key, NULL);
    if (text && (!strcmp(text, "on") || !strcmp(text, "true") || !strcmp(text, "yes"))) {
        *value = true;
    } else if (text && (!strcmp(text, "off") || !strcmp(text, "false") || !strcmp(text, "no"))) {
        *value = false;
    } else {
        error_setf(errp, ERR_WRONG_TYPE, "'%s' is %s; accepted: on, off", key,
                   text ? text : qobject_type_text(o));
        return false;
    }
    return true;
}

static bool is_child_key(const BlockDriver *drv, const char *key)
{
    static const char *const children[] = { "file", "backing", "image" };

    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        size_t len = strlen(children[i]);

        if (!strncmp(key, children[i], len) && (key[len] == 0 || key[len] == '.')) {
            return i != 1 ? in_list(drv->options, children[i]) : drv->has_backing;
        }
    }
    return false;
}

static bool check_options(const BlockDriver *drv, const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        bool known = in_list(common_options, e->key) || in_list(drv->options, e->key) ||
                     is_child_key(drv, e->key);

        /* "limits.iops-total", "inject-error.0.event": parts of one option. */
        for (const char *dot = strchr(e->key, '.'); dot && !known; dot = strchr(dot + 1, '.')) {
            char *whole = g_strndup(e->key, dot - e->key);

            known = in_list(drv->options, whole);
            g_free(whole);
        }
        if (!known) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "block driver '%s' has no option '%s'",
                       drv->name, e->key);
            return false;
        }
    }
    return true;
}

/* --- children --- */

/* What a child gets from its parent unless it says otherwise. */
static void inherit(QDict *d, const BlockNode *n, bool read_only)
{
    if (!qdict_has(d, "read-only")) {
        qdict_put_bool(d, "read-only", read_only);
    }
    if (!qdict_has(d, "auto-read-only")) {
        qdict_put_bool(d, "auto-read-only", n->auto_read_only);
    }
    if (!qdict_has(d, "force-share")) {
        qdict_put_bool(d, "force-share", n->force_share && read_only);
    }
    if (!qdict_has(d, "cache") && !qdict_has(d, "cache.direct")) {
        qdict_put_bool(d, "cache.direct", n->direct);
    }
    if (!qdict_has(d, "cache") && !qdict_has(d, "cache.no-flush")) {
        qdict_put_bool(d, "cache.no-flush", n->no_flush);
    }
    if (!qdict_has(d, "discard")) {
        qdict_put_str(d, "discard", n->discard ? "unmap" : "ignore");
    }
}

QDict *block_nested_options(const QDict *opts, const char *key)
{
    QObject *o = qdict_get(opts, key);
    size_t len = strlen(key);
    QDict *d;

    if (o && qobject_to_dict(o)) {
        return qobject_to_dict(qobject_copy(o));
    }
    d = qdict_new();
    QDICT_FOR_EACH(e, opts) {
        if (strncmp(e->key, key, len) == 0 && e->key[len] == '.') {
            qdict_put(d, e->key + len + 1, qobject_ref(e->value));
        }
    }
    if (qdict_size(d) == 0) {
        qobject_unref(d);
        return NULL;
    }
    return d;
}

static BlockNode *named(const BlockNode *n, const QDict *opts, const char *key, Error **errp)
{
    const char *name = qdict_str_or(opts, key, NULL);
    BlockNode *child = name ? block_node_find(name) : NULL;

    if (name && !child) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no node '%s' (option '%s' of '%s')",
                   name, key, n->name);
    }
    return child ? block_node_ref(child) : NULL;
}

static BlockNode *open_node(const QDict *opts, unsigned depth, Error **errp);

/* The child "file" or "image": a node's name, a nested object, or keys "file.x". */
static bool open_child(BlockNode *n, const char *key, const QDict *opts, unsigned depth, Error **errp)
{
    QDict *d;

    if (qobject_to_string(qdict_get(opts, key))) {
        n->file = named(n, opts, key, errp);
        return n->file;
    }
    d = block_nested_options(opts, key);
    if (!d) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "block driver '%s' needs '%s'",
                   n->drv ? n->drv->name : "raw", key);
        return false;
    }
    if (!qdict_has(d, "driver") && qdict_has(d, "filename")) {
        qdict_put_str(d, "driver", "file");
    }
    inherit(d, n, n->read_only);
    n->file = open_node(d, depth + 1, errp);
    qobject_unref(d);
    return n->file;
}

/* The image below: as an option says, or as the image itself does. */
static bool open_backing(BlockNode *n, const QDict *opts, unsigned depth, Error **errp)
{
    QObject *o = qdict_get(opts, "backing");
    QDict *d = NULL, *file;
    char *path;

    if (o && qobject_type(o) == QTYPE_NULL) {
        return true;
    }
    if (qobject_to_string(o)) {
        if (!*qdict_str_or(opts, "backing", "")) {
            return true;
        }
        n->backing = named(n, opts, "backing", errp);
        return n->backing;
    }
    d = block_nested_options(opts, "backing");
    if (!d || (!qdict_has(d, "file") && !qdict_has(d, "file.filename") && n->backing_file)) {
        if (!n->backing_file) {
            qobject_unref(d);
            return true;
        }
        d = d ? d : qdict_new();
        path = block_backing_path(n->filename, n->backing_file);
        file = block_filename_options(path, errp);
        g_free(path);
        if (!file) {
            qobject_unref(d);
            return false;
        }
        if (g_str_has_prefix(n->backing_file, "json:") && qdict_has(file, "file")) {
            qobject_unref(d);
            d = file;
        } else {
            qdict_put(d, "file", file);
        }
        if (!qdict_has(d, "driver") && n->backing_format) {
            qdict_put_str(d, "driver", n->backing_format);
        }
    }
    inherit(d, n, true);
    n->backing = open_node(d, depth + 1, errp);
    if (!n->backing) {
        error_prepend(errp, "Could not open backing file of '%s': ", n->filename ? n->filename : n->name);
    }
    qobject_unref(d);
    return n->backing;
}

/* --- probing --- */

typedef struct Head {
    BlockNode *n;
    uint8_t bytes[512];
    int result;
} Head;

static void coroutine_fn read_head(void *opaque)
{
    Head *h = opaque;
    int64_t len = block_length(h->n);
    struct iovec v = { h->bytes, len < 0 ? 0 : MIN(len, (int64_t)sizeof(h->bytes)) };

    h->result = len < 0 ? len : block_co_preadv(h->n, 0, &v, 1);
}

const BlockDriver *block_probe(BlockNode *file, Error **errp)
{
    Head h = { .n = file };
    const BlockDriver *best = block_driver_find("raw");
    int score = 0;

    block_run(read_head, &h);
    if (h.result < 0) {
        error_set_errno(errp, -h.result, "Could not read image for determining its format");
        return NULL;
    }
    for (const BlockDriver *d = drivers; d; d = d->next) {
        int sure = d->probe ? d->probe(h.bytes, sizeof(h.bytes)) : 0;

        if (sure > score) {
            score = sure;
            best = d;
        }
    }
    return best;
}

static bool probe(BlockNode *n, Error **errp)
{
    n->drv = block_probe(n->file, errp);
    if (!n->drv) {
        return false;
    }
    n->probed = !strcmp(n->drv->name, "raw");
    return true;
}

/* --- opening --- */

static bool common(BlockNode *n, const QDict *opts, Error **errp)
{
    const char *discard = qdict_str_or(opts, "discard", "ignore");
    const char *zeroes = qdict_str_or(opts, "detect-zeroes", "off");
    const QDict *cache = qobject_to_dict(qdict_get(opts, "cache"));

    if (!flag(opts, "read-only", &n->read_only, errp) ||
        !flag(opts, "auto-read-only", &n->auto_read_only, errp) ||
        !flag(opts, "force-share", &n->force_share, errp) ||
        !flag(opts, "x-check-only", &n->check_only, errp) ||
        !flag(cache ? cache : opts, cache ? "direct" : "cache.direct", &n->direct, errp) ||
        !flag(cache ? cache : opts, cache ? "no-flush" : "cache.no-flush", &n->no_flush, errp)) {
        return false;
    }
    n->discard = !strcmp(discard, "unmap") || !strcmp(discard, "on");
    if (!n->discard && strcmp(discard, "ignore") && strcmp(discard, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid discard option");
        error_argument(errp, "discard", discard, "ignore, off, unmap, on");
        return false;
    }
    n->detect_zeroes = !strcmp(zeroes, "on") ? DETECT_ZEROES_ON
                       : !strcmp(zeroes, "unmap") ? DETECT_ZEROES_UNMAP : DETECT_ZEROES_OFF;
    if (!n->detect_zeroes && strcmp(zeroes, "off")) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'detect-zeroes' is '%s'; accepted: off, on, unmap",
                   zeroes);
        return false;
    }
    if (n->detect_zeroes == DETECT_ZEROES_UNMAP && !n->discard) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "setting detect-zeroes to unmap is not allowed without "
                   "setting discard operation to unmap");
        return false;
    }
    return true;
}

static bool open_parts(BlockNode *n, const QDict *opts, unsigned depth, Error **errp)
{
    static const char *const child_keys[] = { "file", "image" };

    if (!common(n, opts, errp)) {
        return false;
    }
    if (!n->drv && (!open_child(n, "file", opts, depth, errp) || !probe(n, errp))) {
        return false;
    }
    if (!check_options(n->drv, opts, errp)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(child_keys); i++) {
        if (!n->file && in_list(n->drv->options, child_keys[i]) &&
            !open_child(n, child_keys[i], opts, depth, errp)) {
            return false;
        }
    }
    n->state = g_malloc0(MAX(n->drv->state_size, 1));
    n->opts = qobject_to_dict(qobject_copy((const QObject *)opts));
    if (!block_driver_open(n, opts, errp)) {
        return false;
    }
    if (n->drv->has_backing && !open_backing(n, opts, depth, errp)) {
        block_driver_close(n);
        return false;
    }
    return true;
}

static const BlockDriver *find_driver(const char *driver, Error **errp)
{
    const BlockDriver *drv = block_driver_find(driver);

    if (!drv) {
        GString *list = g_string_new("");

        for (const BlockDriver *d = drivers; d; d = d->next) {
            g_string_append_printf(list, "%s%s", list->len ? ", " : "", d->name);
        }
        error_setf(errp, ERR_NO_SUCH_TYPE, "there is no block driver '%s'; accepted: %s", driver,
                   list->str);
        g_string_free(list, true);
    }
    return drv;
}

static BlockNode *open_node(const QDict *opts, unsigned depth, Error **errp)
{
    const char *driver = qdict_str_or(opts, "driver", NULL);
    const char *name = qdict_str_or(opts, "node-name", NULL);
    const BlockDriver *drv = driver ? find_driver(driver, errp) : NULL;
    BlockNode *n;

    if (driver && !drv) {
        return NULL;
    }
    if (name && (block_node_find(name) || strlen(name) > 31 || !*name || *name == '#')) {
        error_setf(errp, ERR_DUPLICATE_ID, block_node_find(name) ? "there is a node '%s' already"
                   : "Invalid node-name: '%s'", name);
        return NULL;
    }
    if (depth > DEPTH_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the chain of images is longer than %d, or a circle",
                   DEPTH_MAX);
        return NULL;
    }
    n = g_new0(BlockNode, 1);
    n->drv = drv;
    n->refs = 1;
    n->name = name ? g_strdup(name) : g_strdup_printf("#block%03u", anonymous++);
    if (!open_parts(n, opts, depth, errp)) {
        free_node(n);
        return NULL;
    }
    n->next = nodes;
    nodes = n;
    return n;
}

BlockNode *block_node_open(const QDict *opts, Error **errp)
{
    return open_node(opts, 0, errp);
}

bool blockdev_add(const QDict *opts, Error **errp)
{
    BlockNode *n;

    if (!qdict_has(opts, "node-name")) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'node-name' must be specified for the root node");
        return false;
    }
    if (!qdict_has(opts, "driver")) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'driver' is missing");
        return false;
    }
    n = block_node_open(opts, errp);
    if (n) {
        n->monitor_owned = true;
    }
    return n;
}

bool block_node_delete(const char *name, Error **errp)
{
    BlockNode *n = block_node_find(name);

    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "Failed to find node with node-name='%s'", name);
        return false;
    }
    if (!n->monitor_owned) {
        error_setf(errp, ERR_IN_USE, "Node %s is not owned by the monitor", name);
        return false;
    }
    if (n->refs > 1) {
        error_setf(errp, ERR_IN_USE, "Node %s is in use", name);
        return false;
    }
    block_node_unref(n);
    return true;
}
