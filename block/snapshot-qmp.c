/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands that make snapshots. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block-qmp.h"
#include "block/copy.h"
#include "block/transaction.h"
#include "qapi/commands-block-ops.h"
#include "util/timer.h"

/* @overlay is a reference that is taken over. */
static bool put_on_top(BlockNode *node, BlockNode *overlay, BlockAction *d, Error **errp)
{
    if (!block_node_free(node, errp)) {
        /* It is copied, or written into another. */
    } else if (overlay->backing) {
        error_setf(errp, ERR_IN_USE, "The overlay already has a backing image");
    } else if (!overlay->drv->has_backing) {
        error_setf(errp, ERR_NOT_SUPPORTED, "The overlay does not support backing images");
    } else if (overlay->read_only) {
        error_setf(errp, ERR_PERMISSION, "The overlay is read-only");
    } else if (block_node_uses(node, overlay) || block_node_uses(overlay, node)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Making '%s' a backing child of '%s' would create a cycle",
                   node->name, overlay->name);
    } else if (overlay->refs > 2 + overlay->job_refs) {
        error_setf(errp, ERR_IN_USE, "The overlay is already in use");
    } else {
        *d = (BlockAction){ .node = block_node_ref(node), .overlay = overlay,
                            .was_read_only = node->read_only };
        block_drain_begin(node);
        block_node_replace(node, overlay, overlay);
        overlay->backing = block_node_ref(node);
        if (!block_node_set_read_only(node, true, errp)) {
            block_drain_end(overlay);
            block_action_undo(d);
            return false;
        }
        block_drain_end(overlay);
        return true;
    }
    block_node_unref(overlay);
    return false;
}

bool block_do_snapshot(const BlockdevSnapshot *a, BlockAction *d, Error **errp)
{
    BlockNode *node = block_qmp_node(NULL, a->node, errp);
    BlockNode *overlay = node ? block_qmp_node(NULL, a->overlay, errp) : NULL;

    return overlay && put_on_top(node, block_node_ref(overlay), d, errp);
}

bool block_do_snapshot_sync(const BlockdevSnapshotSync *a, BlockAction *d, Error **errp)
{
    BlockNode *node = block_qmp_node(a->device, a->node_name, errp), *overlay;
    const char *format = a->format ? a->format : "qcow2";
    bool make = !a->has_mode || a->mode == NEW_IMAGE_MODE_ABSOLUTE_PATHS;
    char *path;
    QDict *opts;
    bool ok = true;

    if (!node || !block_node_free(node, errp)) {
        return false;
    }
    if (make && strcmp(format, "qcow2")) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Invalid snapshot format '%s'", format);
        return false;
    }
    if (make) {
        path = node->filename ? g_canonicalize_filename(node->filename, NULL) : NULL;
        ok = path ? block_create_qcow2(a->snapshot_file, block_length(node), path, node->drv->name, errp)
                  : (error_setf(errp, ERR_NOT_SUPPORTED, "node '%s' has no file name", node->name), false);
        g_free(path);
    }
    if (!ok) {
        return false;
    }
    opts = qdict_from_fmt("{'driver': %s, 'backing': null, 'file': {'driver': 'file', 'filename': %s}}",
                          format, a->snapshot_file);
    qdict_put_bool(opts, "cache.direct", node->direct);
    qdict_put_bool(opts, "cache.no-flush", node->no_flush);
    qdict_put_str(opts, "discard", node->discard ? "unmap" : "ignore");
    if (a->snapshot_node_name) {
        qdict_put_str(opts, "node-name", a->snapshot_node_name);
    }
    overlay = block_node_open(opts, errp);
    qobject_unref(opts);
    return overlay && put_on_top(node, overlay, d, errp);
}

bool block_do_internal_snapshot(const BlockdevSnapshotInternal *a, BlockAction *d, Error **errp)
{
    BlockNode *node = block_qmp_node(a->device, NULL, errp);
    int64_t now = clock_get_ns(CLOCK_HOST);
    BlockSnapshot s = { .name = a->name, .date_sec = now / NS_PER_SECOND,
                        .date_nsec = now % NS_PER_SECOND, .vm_clock_ns = clock_get_ns(CLOCK_VIRTUAL),
                        .icount = UINT64_MAX };
    BlockSnapshot *list;
    size_t count;
    bool taken;

    if (!node || !block_can_snapshot(node, errp) || !block_node_free(node, errp)) {
        return false;
    }
    if (!*a->name) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Name is empty");
        return false;
    }
    list = block_snapshot_list(node, &count, NULL);
    taken = block_snapshot_find(list, count, a->name);
    block_snapshot_list_free(list, count);
    if (taken) {
        error_setf(errp, ERR_DUPLICATE_ID, "Snapshot with name '%s' already exists on device '%s'", a->name,
                   a->device);
        return false;
    }
    if (!block_snapshot_create(node, &s, errp)) {
        return false;
    }
    *d = (BlockAction){ .node = block_node_ref(node), .snapshot = s.id };
    return true;
}

/* --- commands --- */

bool qmp_blockdev_snapshot(const BlockdevSnapshot *arg, Error **errp)
{
    BlockAction d = { 0 };
    bool ok = block_do_snapshot(arg, &d, errp);

    block_action_done(&d);
    return ok;
}

bool qmp_blockdev_snapshot_sync(const BlockdevSnapshotSync *arg, Error **errp)
{
    BlockAction d = { 0 };
    bool ok = block_do_snapshot_sync(arg, &d, errp);

    block_action_done(&d);
    return ok;
}

bool qmp_blockdev_snapshot_internal_sync(const BlockdevSnapshotInternal *arg, Error **errp)
{
    BlockAction d = { 0 };
    bool ok = block_do_internal_snapshot(arg, &d, errp);

    block_action_done(&d);
    return ok;
}

SnapshotInfo *qmp_blockdev_snapshot_delete_internal_sync(const char *device, const char *id,
                                                         const char *name, Error **errp)
{
    BlockNode *node = block_qmp_node(device, NULL, errp);
    BlockSnapshot *list, *found = NULL;
    SnapshotInfo *info = NULL;
    size_t count;

    if (!node || !block_can_snapshot(node, errp)) {
        return NULL;
    }
    if (!id && !name) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Name or id must be provided");
        return NULL;
    }
    list = block_snapshot_list(node, &count, NULL);
    for (size_t i = 0; i < count && !found; i++) {
        if ((!id || !strcmp(list[i].id, id)) && (!name || !strcmp(list[i].name, name))) {
            found = &list[i];
        }
    }
    if (!found) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Snapshot with id '%s' and name '%s' does not exist on device "
                   "'%s'", id ? id : "null", name ? name : "null", device);
    } else if (block_snapshot_delete(node, found->id, errp)) {
        info = qapi_new(SnapshotInfo);
        info->id = strdup(found->id);
        info->name = strdup(found->name);
        info->vm_state_size = found->vm_state_size;
        info->date_sec = found->date_sec;
        info->date_nsec = found->date_nsec;
        info->vm_clock_sec = found->vm_clock_ns / NS_PER_SECOND;
        info->vm_clock_nsec = found->vm_clock_ns % NS_PER_SECOND;
    }
    block_snapshot_list_free(list, count);
    return info;
}
