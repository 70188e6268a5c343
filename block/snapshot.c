/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and machine state inside of images, for formats that have them. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block.h"

/* Filters hold none: what they show does. */
static BlockNode *holder(BlockNode *n)
{
    while (n->drv->is_filter && n->file) {
        n = n->file;
    }
    return n;
}

bool block_can_snapshot(BlockNode *n, Error **errp)
{
    n = holder(n);
    if (!n->drv->co_snapshot_create) {
        error_setf(errp, ERR_NOT_SUPPORTED,
                   "node '%s': format '%s' does not support internal snapshots", n->name,
                   n->drv->name);
        return false;
    }
    if (n->read_only) {
        error_setf(errp, ERR_PERMISSION, "node '%s' is read-only", n->name);
        return false;
    }
    return true;
}

void block_snapshot_list_free(BlockSnapshot *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_free(list[i].id);
        g_free(list[i].name);
    }
    g_free(list);
}

BlockSnapshot *block_snapshot_list(BlockNode *n, size_t *count, Error **errp)
{
    n = holder(n);
    *count = 0;
    if (!n->drv->snapshot_list) {
        error_setf(errp, ERR_NOT_SUPPORTED,
                   "node '%s': format '%s' does not support internal snapshots", n->name,
                   n->drv->name);
        return NULL;
    }
    return n->drv->snapshot_list(n, count);
}

const BlockSnapshot *block_snapshot_find(const BlockSnapshot *list, size_t count,
                                         const char *id_or_name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].id, id_or_name) == 0) {
            return &list[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, id_or_name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

/* --- what changes the image --- */

typedef struct Op {
    BlockNode *n;
    BlockSnapshot *create;
    const BlockSnapshot *snapshot;
    bool delete, ok;
    Error **errp;
} Op;

static void coroutine_fn op_entry(void *opaque)
{
    Op *op = opaque;
    const BlockDriver *drv = op->n->drv;

    op->ok = op->create ? drv->co_snapshot_create(op->n, op->create, op->errp)
             : op->delete ? drv->co_snapshot_delete(op->n, op->snapshot, op->errp)
             : drv->co_snapshot_goto(op->n, op->snapshot, op->errp);
}

static bool run(Op *op)
{
    block_drain_begin(op->n);
    block_run(op_entry, op);
    block_drain_end(op->n);
    return op->ok;
}

bool block_snapshot_create(BlockNode *n, BlockSnapshot *s, Error **errp)
{
    Op op = { .n = holder(n), .create = s, .errp = errp };

    return block_can_snapshot(n, errp) && run(&op);
}

static bool change(BlockNode *n, const char *id_or_name, bool delete, Error **errp)
{
    Op op = { .n = holder(n), .delete = delete, .errp = errp };
    BlockSnapshot *list;
    size_t count;
    bool ok = false;

    if (!block_can_snapshot(n, errp)) {
        return false;
    }
    list = block_snapshot_list(n, &count, NULL);
    op.snapshot = block_snapshot_find(list, count, id_or_name);
    if (op.snapshot) {
        ok = run(&op);
    } else {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "node '%s' has no snapshot '%s'", n->name, id_or_name);
    }
    block_snapshot_list_free(list, count);
    return ok;
}

bool block_snapshot_goto(BlockNode *n, const char *id_or_name, Error **errp)
{
    int64_t before = block_length(n);

    if (!change(n, id_or_name, false, errp)) {
        return false;
    }
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (b->node == n && block_length(n) != before && b->ops && b->ops->resized) {
            b->ops->resized(b->opaque);
        }
    }
    return true;
}

bool block_snapshot_delete(BlockNode *n, const char *id_or_name, Error **errp)
{
    return change(n, id_or_name, true, errp);
}

/* --- looking at one --- */

typedef struct LookOp {
    BlockNode *n;
    const BlockSnapshot *snapshot;
    int result;
} LookOp;

static void coroutine_fn look_entry(void *opaque)
{
    LookOp *op = opaque;

    op->result = op->n->drv->co_snapshot_look(op->n, op->snapshot);
}

bool block_snapshot_look(BlockNode *n, const char *id_or_name, Error **errp)
{
    LookOp op = { .n = holder(n) };
    BlockSnapshot *list;
    size_t count;

    if (!op.n->drv->co_snapshot_look || !op.n->read_only) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s': format '%s' has no snapshots that can be looked at", n->name,
                   op.n->drv->name);
        return false;
    }
    list = block_snapshot_list(op.n, &count, NULL);
    op.snapshot = block_snapshot_find(list, count, id_or_name);
    if (op.snapshot) {
        block_run(look_entry, &op);
        if (op.result < 0) {
            error_set_errno(errp, -op.result, "node '%s': can't read snapshot '%s'", n->name, id_or_name);
        }
    } else {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "node '%s' has no snapshot '%s'", n->name, id_or_name);
        op.result = -ENOENT;
    }
    block_snapshot_list_free(list, count);
    return op.result >= 0;
}

/* --- machine state --- */

typedef struct VmStateOp {
    BlockNode *n;
    bool write;
    uint64_t pos;
    struct iovec v;
    int result;
} VmStateOp;

static void coroutine_fn vmstate_entry(void *opaque)
{
    VmStateOp *op = opaque;

    op->result = op->n->drv->co_vmstate(op->n, op->write, op->pos, &op->v, 1);
}

static bool vmstate(VmStateOp *op, Error **errp)
{
    op->n = holder(op->n);
    if (!op->n->drv->co_vmstate) {
        error_setf(errp, ERR_NOT_SUPPORTED, "node '%s': format '%s' holds no machine state",
                   op->n->name, op->n->drv->name);
        return false;
    }
    if (op->v.iov_len == 0) {
        return true;
    }
    block_run(vmstate_entry, op);
    if (op->result < 0) {
        error_set_errno(errp, -op->result, "node '%s': can't %s machine state at byte %" PRIu64,
                        op->n->name, op->write ? "write" : "read", op->pos);
        return false;
    }
    return true;
}

bool block_vmstate_write(BlockNode *n, const void *buf, uint64_t pos, size_t len, Error **errp)
{
    VmStateOp op = { .n = n, .write = true, .pos = pos, .v = { (void *)buf, len } };

    return vmstate(&op, errp);
}

bool block_vmstate_read(BlockNode *n, void *buf, uint64_t pos, size_t len, Error **errp)
{
    VmStateOp op = { .n = n, .pos = pos, .v = { buf, len } };

    return vmstate(&op, errp);
}
