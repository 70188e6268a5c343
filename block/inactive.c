/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images while a machine moves from one process to another on the same
 * storage: the one that doesn't run has them inactive. It holds no lock, doesn't
 * write, and believes nothing that it has read when it becomes active.
 */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "block/node-int.h"

static bool inactive_mode;      /* of images that are opened */

void block_open_inactive(void)
{
    inactive_mode = true;
}

bool block_driver_open(BlockNode *n, const QDict *opts, Error **errp)
{
    bool read_only = n->read_only;

    if (!inactive_mode || read_only) {
        return n->drv->open(n, opts, errp);
    }
    /* Nothing is mended, cleared or locked now. */
    n->inactive = n->read_only = true;
    if (!n->drv->open(n, opts, errp)) {
        return false;
    }
    n->read_only = n->file && n->file->read_only;
    return true;
}

void block_driver_close(BlockNode *n)
{
    if (n->inactive) {
        n->read_only = true;    /* what it has isn't ours */
    }
    if (n->drv->close) {
        n->drv->close(n);
    }
}

/* A format: all that it knows of the image is read again. */
static bool open_again(BlockNode *n, Error **errp)
{
    n->read_only = true;
    n->drv->close(n);
    memset(n->state, 0, n->drv->state_size);
    n->read_only = false;
    g_clear_pointer(&n->filename, g_free);
    g_clear_pointer(&n->backing_file, g_free);
    g_clear_pointer(&n->backing_format, g_free);
    if (!n->drv->open(n, n->opts, errp)) {
        /* It can't be used, but must be there for its devices: as it was. */
        n->read_only = true;
        if (n->drv->open(n, n->opts, NULL)) {
            n->read_only = false;
        }
        return false;
    }
    return true;
}

/* A protocol: for writing, or as auto-read-only has it, as when it is opened at first. */
static bool reopen(BlockNode *n, Error **errp)
{
    Error *err = NULL;

    if (n->drv->reopen(n, false, &err)) {
        return true;
    }
    if (n->auto_read_only && n->drv->reopen(n, true, NULL)) {
        error_free(err);
        n->read_only = true;
        return true;
    }
    error_propagate(errp, err);
    return false;
}

static bool activate(BlockNode *n, Error **errp)
{
    bool ok = true;

    if ((n->file && !activate(n->file, errp)) || (n->backing && !activate(n->backing, errp))) {
        return false;
    }
    if (!n->inactive) {
        return true;
    }
    if (n->drv->has_map) {
        ok = open_again(n, errp);
    } else if (n->drv->inactivate && n->drv->reopen) {
        ok = reopen(n, errp);
    }
    n->read_only |= ok && n->file && n->file->read_only;
    n->inactive = !ok;
    return ok;
}

bool block_activate_all(Error **errp)
{
    inactive_mode = false;
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        if (!activate(n, errp)) {
            return false;
        }
    }
    return true;
}

bool block_inactivate_all(Error **errp)
{
    /* Parents stand before their children, which they write to. */
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        if (n->read_only || n->inactive) {
            continue;
        }
        if (n->drv->inactivate && !n->drv->inactivate(n, errp)) {
            block_activate_all(NULL);
            return false;
        }
        n->inactive = true;
    }
    return true;
}
