/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes: opening from options, the list of all, requests checked against the node. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "util/iov.h"

static BlockDriver *drivers;            /* registry */
static BlockNode *nodes;                /* registry of all open nodes */
static unsigned anonymous;              /* numbers of names made up */

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
    if (n->drv->close) {
        n->drv->close(n);
    }
    block_node_unref(n->file);
    g_free(n->state);
    g_free(n->name);
    g_free(n->filename);
    g_free(n);
}

/* --- options --- */

static const char *const common_options[] = {
    "driver", "node-name", "read-only", "auto-read-only", "discard", "detect-zeroes", "cache",
    "cache.direct", "cache.no-flush", "force-share", NULL,
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

static bool check_options(const BlockDriver *drv, const QDict *opts, Error **errp)
{
    QDICT_FOR_EACH(e, opts) {
        if (!in_list(common_options, e->key) && !in_list(drv->options, e->key) &&
            strcmp(e->key, "file") && strncmp(e->key, "file.", 5)) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "block driver '%s' has no option '%s'",
                       drv->name, e->key);
            return false;
        }
    }
    return true;
}

/* The child "file": a node's name, a nested object, or keys "file.x". */
static bool open_child(BlockNode *n, const QDict *opts, Error **errp)
{
    QObject *o = qdict_get(opts, "file");
    const char *name = o ? qobject_get_str(o, "file", NULL) : NULL;
    QDict *nested = o ? qobject_to_dict(o) : NULL;
    QDict *own = NULL;

    if (name) {
        n->file = block_node_find(name);
        if (!n->file) {
            error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no node '%s' (option 'file' of '%s')",
                       name, n->name);
            return false;
        }
        block_node_ref(n->file);
        return true;
    }
    if (!nested) {
        own = qdict_new();
        QDICT_FOR_EACH(e, opts) {
            if (strncmp(e->key, "file.", 5) == 0) {
                qdict_put(own, e->key + 5, qobject_ref(e->value));
            }
        }
        nested = own;
    }
    if (qdict_size(nested) > 0) {
        if (!own) {
            own = qobject_to_dict(qobject_copy((QObject *)nested));
        }
        if (!qdict_has(own, "driver")) {
            qdict_put_str(own, "driver", "file");
        }
        if (!qdict_has(own, "read-only")) {
            qdict_put_bool(own, "read-only", n->read_only);
        }
        if (!qdict_has(own, "auto-read-only")) {
            qdict_put_bool(own, "auto-read-only", n->auto_read_only);
        }
        n->file = block_node_open(own, errp);
    } else {
        error_setf(errp, ERR_MISSING_ARGUMENT, "block driver '%s' needs 'file'", n->drv->name);
    }
    qobject_unref(own);
    return n->file;
}

static bool open_node(BlockNode *n, const QDict *opts, Error **errp)
{
    const char *discard = qdict_str_or(opts, "discard", "ignore");

    if (!check_options(n->drv, opts, errp) ||
        !flag(opts, "read-only", &n->read_only, errp) ||
        !flag(opts, "auto-read-only", &n->auto_read_only, errp) ||
        !flag(opts, "cache.direct", &n->direct, errp) ||
        !flag(opts, "cache.no-flush", &n->no_flush, errp)) {
        return false;
    }
    n->discard = strcmp(discard, "unmap") == 0 || strcmp(discard, "on") == 0;
    if (in_list(n->drv->options, "file") && !open_child(n, opts, errp)) {
        return false;
    }
    return n->drv->open(n, opts, errp);
}

BlockNode *block_node_open(const QDict *opts, Error **errp)
{
    const char *driver = qdict_get_str(opts, "driver", errp);
    const char *name = qdict_str_or(opts, "node-name", NULL);
    const BlockDriver *drv;
    BlockNode *n;

    if (!driver) {
        return NULL;
    }
    drv = block_driver_find(driver);
    if (!drv) {
        GString *list = g_string_new("");

        for (const BlockDriver *d = drivers; d; d = d->next) {
            g_string_append_printf(list, "%s%s", list->len ? ", " : "", d->name);
        }
        error_setf(errp, ERR_NO_SUCH_TYPE, "there is no block driver '%s'; accepted: %s", driver,
                   list->str);
        g_string_free(list, true);
        return NULL;
    }
    if (name && block_node_find(name)) {
        error_setf(errp, ERR_DUPLICATE_ID, "there is a node '%s' already", name);
        return NULL;
    }
    n = g_new0(BlockNode, 1);
    n->drv = drv;
    n->refs = 1;
    n->name = name ? g_strdup(name) : g_strdup_printf("#block%u", anonymous++);
    n->state = g_malloc0(MAX(drv->state_size, 1));
    if (!open_node(n, opts, errp)) {
        block_node_unref(n->file);
        g_free(n->state);
        g_free(n->name);
        g_free(n->filename);
        g_free(n);
        return NULL;
    }
    n->next = nodes;
    nodes = n;
    return n;
}

bool blockdev_add(const QDict *opts, Error **errp)
{
    if (!qdict_has(opts, "node-name")) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'node-name' is missing");
        return false;
    }
    return block_node_open(opts, errp);
}

bool block_node_delete(const char *name, Error **errp)
{
    BlockNode *n = block_node_find(name);

    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "there is no node '%s'", name);
        return false;
    }
    if (n->refs > 1) {
        error_setf(errp, ERR_IN_USE, "node '%s' is in use", name);
        return false;
    }
    block_node_unref(n);
    return true;
}
