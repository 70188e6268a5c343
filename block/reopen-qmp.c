/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blockdev-reopen: other options for nodes that are in use. What may change: read-only, backing. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block-qmp.h"
#include "block/copy.h"
#include "qapi/commands-block.h"
#include "qobject/json.h"

typedef struct Change {
    BlockNode *n;
    bool read_only, was_read_only, new_backing, backing_done;
    BlockNode *backing, *was_backing;       /* borrowed; a reference once it is done */
} Change;

/* "read-only", "cache.direct" ...: what a node has for a common option that isn't given. */
static bool is_default(const char *key, const QObject *value)
{
    const char *text = qobject_get_str(value, key, NULL);
    bool on = true;

    if (!strcmp(key, "discard")) {
        return text && !strcmp(text, "ignore");
    }
    if (!strcmp(key, "detect-zeroes")) {
        return text && !strcmp(text, "off");
    }
    return qobject_get_bool(value, key, &on, NULL) && !on;
}

static bool same_option(const BlockNode *n, const char *key, const QObject *value)
{
    const QObject *now = qdict_get(n->opts, key);

    if (!now) {
        return is_default(key, value);
    }
    return qobject_equal(now, value);
}

static bool plan_backing(Change *c, const QObject *value, Error **errp)
{
    const char *name = qobject_to_string(value) ? qobject_get_str(value, "backing", NULL) : NULL;

    if (qobject_type(value) != QTYPE_NULL && !name) {
        error_setf(errp, ERR_NOT_SUPPORTED, "'backing' of '%s' must be a node's name or null", c->n->name);
        return false;
    }
    if (!c->n->drv->has_backing) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Driver '%s' of node '%s' does not support backing files",
                   c->n->drv->name, c->n->name);
        return false;
    }
    c->backing = name ? block_qmp_node(NULL, name, errp) : NULL;
    if (name && !c->backing) {
        return false;
    }
    if (c->backing && block_node_uses(c->backing, c->n)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Making '%s' a backing child of '%s' would create a cycle", name,
                   c->n->name);
        return false;
    }
    c->new_backing = c->backing != c->n->backing;
    return true;
}

static bool plan(Change *c, const QDict *opts, Error **errp)
{
    const char *name = qdict_get_str(opts, "node-name", errp);
    const char *driver = name ? qdict_get_str(opts, "driver", errp) : NULL;

    c->n = driver ? block_node_find(name) : NULL;
    if (!driver) {
        return false;
    }
    if (!c->n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "Failed to find node with node-name='%s'", name);
        return false;
    }
    if (strcmp(c->n->drv->name, driver)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Cannot change the option 'driver'");
        return false;
    }
    c->was_read_only = c->n->read_only;
    c->read_only = qdict_bool_or(opts, "read-only", false);
    QDICT_FOR_EACH(e, opts) {
        const char *text = qobject_to_string(e->value) ? qobject_get_str(e->value, e->key, NULL) : NULL;
        bool ok;

        if (!strcmp(e->key, "backing")) {
            ok = plan_backing(c, e->value, errp);
            if (!ok) {
                return false;
            }
        } else if (!strcmp(e->key, "file") && text) {
            ok = c->n->file && !strcmp(c->n->file->name, text);
        } else {
            ok = !strcmp(e->key, "node-name") || !strcmp(e->key, "driver") || !strcmp(e->key, "read-only") ||
                 !strcmp(e->key, "auto-read-only") || same_option(c->n, e->key, e->value);
        }
        if (!ok) {
            error_setf(errp, ERR_NOT_SUPPORTED, "Cannot change the option '%s'", e->key);
            return false;
        }
    }
    return (!c->new_backing && c->read_only == c->was_read_only) || block_node_free(c->n, errp);
}

static bool apply(Change *c, Error **errp)
{
    if (c->read_only != c->was_read_only && !block_node_set_read_only(c->n, c->read_only, errp)) {
        return false;
    }
    if (c->new_backing) {
        c->was_backing = c->n->backing;
        c->n->backing = c->backing ? block_node_ref(c->backing) : NULL;
        c->backing_done = true;
    }
    return true;
}

static void undo(Change *c)
{
    if (c->backing_done) {
        block_node_unref(c->n->backing);
        c->n->backing = c->was_backing;
    }
    if (c->read_only != c->was_read_only) {
        block_node_set_read_only(c->n, c->was_read_only, NULL);
    }
}

/* All of the list, or nothing. */
bool qmp_blockdev_reopen(const QDict *args, Error **errp)
{
    QList *list = qdict_get_list(args, "options", errp);
    Change *changes;
    size_t n = 0, done = 0;
    bool ok = true;
    BlockHold *holds;

    if (!list) {
        return false;
    }
    changes = g_new0(Change, qlist_size(list) + 1);
    QLIST_FOR_EACH(e, list) {
        const QDict *opts = qobject_to_dict(e);

        if (ok && !opts) {
            error_setf(errp, ERR_WRONG_TYPE, "'options' is a list of objects");
        }
        ok = ok && opts && plan(&changes[n], opts, errp);
        n += ok;
    }
    holds = g_new0(BlockHold, n + 1);
    for (size_t i = 0; i < n && ok; i++) {
        block_hold(changes[i].n, &holds[i]);
    }
    for (; done < n && ok; done += ok) {
        ok = apply(&changes[done], errp);
    }
    for (size_t i = 0; i < done; i++) {
        if (!ok) {
            undo(&changes[i]);
        } else if (changes[i].backing_done) {
            block_node_unref(changes[i].was_backing);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (holds[i].held) {
            block_release(&holds[i]);
        }
    }
    g_free(holds);
    g_free(changes);
    return ok;
}
