/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing what lies on what: other nodes in the place of old ones, read-only and back, new images. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"
#include "block/job.h"
#include "block/nbd.h"
#include "block/node-int.h"

bool block_node_set_read_only(BlockNode *n, bool read_only, Error **errp)
{
    BlockNode *file = n->file;

    if (n->read_only == read_only) {
        return true;
    }
    if (!read_only && file && !block_node_set_read_only(file, false, errp)) {
        return false;
    }
    if (n->drv->reopen && !n->drv->reopen(n, read_only, errp)) {
        return false;
    }
    n->read_only = read_only;
    if (read_only && file && file->refs == (file->monitor_owned ? 2U : 1U)) {
        Error *err = NULL;

        /* The file may stay writable: nobody writes to it. */
        if (!block_node_set_read_only(file, true, &err)) {
            error_free(err);
        }
    }
    return true;
}

void block_node_replace(BlockNode *old, BlockNode *with, const BlockNode *except)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (b->node == old) {
            blk_set_node(b, block_node_ref(with));
            block_node_unref(old);
        }
    }
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        if (n == except || n == with) {
            continue;
        }
        if (n->file == old) {
            n->file = block_node_ref(with);
            block_node_unref(old);
        }
        if (n->backing == old) {
            n->backing = block_node_ref(with);
            block_node_unref(old);
        }
    }
}

/* --- new images --- */

typedef struct Create {
    BlockNode *file;
    const QDict *opts;
    Error **errp;
    bool ok;
} Create;

static void coroutine_fn create_file(void *opaque)
{
    Create *c = opaque;

    c->ok = block_driver_find("file")->co_create(NULL, c->opts, c->errp);
}

static void coroutine_fn create_image(void *opaque)
{
    Create *c = opaque;

    c->ok = block_driver_find("qcow2")->co_create(c->file, c->opts, c->errp);
}

bool block_create_qcow2(const char *path, uint64_t size, const char *backing_file,
                        const char *backing_format, Error **errp)
{
    QDict *file = qdict_from_fmt("{'filename': %s}", path), *opts;
    Create c = { .opts = file, .errp = errp };

    block_run(create_file, &c);
    qobject_unref(file);
    if (!c.ok) {
        return false;
    }
    file = qdict_from_fmt("{'driver': 'file', 'filename': %s}", path);
    c.file = block_node_open(file, errp);
    qobject_unref(file);
    if (!c.file) {
        return false;
    }
    opts = qdict_from_fmt("{'size': %llu}", (unsigned long long)size);
    if (backing_file) {
        qdict_put_str(opts, "backing_file", backing_file);
        qdict_put_str(opts, "backing_fmt", backing_format);
    }
    c.opts = opts;
    block_run(create_image, &c);
    qobject_unref(opts);
    block_node_unref(c.file);
    return c.ok;
}

/* --- the end --- */

static void coroutine_fn flush_entry(void *opaque)
{
    block_co_flush(opaque);
}

void block_close_all(void)
{
    bool again = true;

    nbd_server_stop();
    jobs_end_all();
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        BlockNode *n = b->node;

        blk_cancel_held(b);
        blk_drain_begin(b);             /* for good: no request comes after this */
        blk_set_node(b, NULL);
        block_node_unref(n);
    }
    /* What the monitor made; then whatever is left is at least flushed. */
    while (again) {
        again = false;
        for (BlockNode *n = block_node_first(); n && !again; n = n->next) {
            if (n->monitor_owned) {
                n->monitor_owned = false;
                block_node_unref(n);
                again = true;
            }
        }
    }
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        if (!n->read_only) {
            block_run(flush_entry, n);
        }
    }
}
