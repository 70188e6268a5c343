/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands that start jobs on block devices. */
#include "util/osdep.h"
#include <glib.h>
#include "block/block-qmp.h"
#include "block/copy.h"
#include "block/transaction.h"
#include "qapi/commands-block-jobs.h"

/* "device" of these commands: a back end's id or a node's name. */
static BlockNode *root_of(const char *device, Error **errp)
{
    BlockNode *n;

    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (strcmp(b->id, device) == 0) {
            if (!b->node) {
                error_setf(errp, ERR_WRONG_STATE, "Device '%s' has no medium", device);
            }
            return b->node;
        }
    }
    n = block_node_find(device);
    if (!n) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE,
                        "Cannot find device=\'%s\' nor node-name=\'%s\'", device, device);
        error_argument(errp, "device", device, "a block device or a node");
    }
    return n;
}

static BlockNode *node_in_chain(BlockNode *root, const char *name, Error **errp)
{
    BlockNode *n = block_qmp_node(NULL, name, errp);

    if (n && (!root || !block_node_uses(root, n))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Node '%s' is not a backing image of '%s'", name,
                   root ? root->name : "");
        return NULL;
    }
    return n;
}

static BlockNode *file_in_chain(BlockNode *root, const char *file, Error **errp)
{
    BlockNode *n = block_find_in_chain(root, file);

    if (!n) {
        error_setf(errp, ERR_NO_SUCH_BACKEND, "Can't find '%s' in the backing chain", file);
    }
    return n;
}

/* --- stream, commit --- */

static bool stream_base(BlockNode *root, const char *base, const char *base_node, const char *bottom,
                        BlockNode **n, Error **errp)
{
    BlockNode *last;

    if (!!base + !!base_node + !!bottom > 1) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'base', 'base-node' and 'bottom' cannot be specified at the "
                   "same time");
        return false;
    }
    *n = NULL;
    if (base) {
        *n = file_in_chain(block_below(root), base, errp);
        return *n;
    }
    if (base_node) {
        *n = node_in_chain(block_below(root), base_node, errp);
        return *n;
    }
    if (bottom) {
        last = node_in_chain(block_below(root), bottom, errp);
        *n = last ? block_below(last) : NULL;
        return last;
    }
    return true;
}

static bool may_write(const BlockNode *root, Error **errp)
{
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        if (b->node && block_skip_filters(b->node) == root && blk_is_read_only(b)) {
            error_setf(errp, ERR_PERMISSION, "Block node is read-only");
            return false;
        }
    }
    return true;
}

bool qmp_block_stream(const char *job_id, const char *device, const char *base, const char *base_node,
                      const char *backing_file, const char *bottom, UNUSED bool has_speed, int64_t speed,
                      bool has_on_error, BlockdevOnError on_error, UNUSED const char *filter_node_name,
                      bool has_auto_finalize, bool auto_finalize, bool has_auto_dismiss, bool auto_dismiss,
                      Error **errp)
{
    BlockNode *root = root_of(device, errp), *below;
    BlockJobSpec s = { .id = job_id, .device = device, .speed = speed,
                       .manual_finalize = has_auto_finalize && !auto_finalize,
                       .manual_dismiss = has_auto_dismiss && !auto_dismiss,
                       .on_source_error = has_on_error ? on_error : BLOCKDEV_ON_ERROR_REPORT };

    root = block_skip_filters(root);
    if (!root || !stream_base(root, base, base_node, bottom, &below, errp) || !may_write(root, errp)) {
        return false;
    }
    if (backing_file && !below) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "backing file specified, but streaming the entire chain");
        return false;
    }
    return block_stream_start(&s, root, below, backing_file, errp);
}

bool qmp_block_commit(const char *job_id, const char *device, const char *base_node, const char *base,
                      const char *top_node, const char *top, const char *backing_file, UNUSED bool has_speed,
                      int64_t speed, bool has_on_error, BlockdevOnError on_error,
                      UNUSED const char *filter_node_name, bool has_auto_finalize, bool auto_finalize,
                      bool has_auto_dismiss, bool auto_dismiss, Error **errp)
{
    BlockNode *root = root_of(device, errp), *t, *b;
    BlockJobSpec s = { .id = job_id, .device = device, .speed = speed,
                       .manual_finalize = has_auto_finalize && !auto_finalize,
                       .manual_dismiss = has_auto_dismiss && !auto_dismiss };

    s.on_source_error = s.on_target_error = has_on_error ? on_error : BLOCKDEV_ON_ERROR_REPORT;
    root = block_skip_filters(root);
    if (!root) {
        return false;
    }
    if ((top_node && top) || (base_node && base)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s-node' and '%s' are mutually exclusive",
                   top ? "top" : "base", top ? "top" : "base");
        return false;
    }
    t = top_node ? node_in_chain(root, top_node, errp) : top ? file_in_chain(root, top, errp) : root;
    t = block_skip_filters(t);
    if (!t) {
        return false;
    }
    b = base_node ? node_in_chain(root, base_node, errp) : base ? file_in_chain(t, base, errp) : t;
    if (!base_node && !base) {
        while (block_below(b)) {
            b = block_skip_filters(block_below(b));
        }
    }
    b = block_skip_filters(b);
    if (!b) {
        return false;
    }
    if (t == b) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "cannot commit an image into itself");
        return false;
    }
    if (!block_node_uses(t, b)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Node '%s' is not in the backing chain of '%s'", b->name, t->name);
        return false;
    }
    if (t == root) {
        BlockMirrorSpec m = { .from = t, .to = b, .replaces = t, .end = b, .sync = MIRROR_SYNC_MODE_TOP,
                              .unmap = true, .commit = true };

        if (backing_file) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "'backing-file' specified, but 'top' is the active layer");
            return false;
        }
        return block_mirror_start(&s, &m, errp);
    }
    return block_commit_start(&s, root, t, b, backing_file, errp);
}

/* --- mirror --- */

static bool mirror_replaces(BlockMirrorSpec *m, const char *replaces, Error **errp)
{
    m->replaces = replaces ? block_qmp_node(NULL, replaces, errp) : m->from;
    if (m->sync == MIRROR_SYNC_MODE_TOP && !block_below(m->from)) {
        m->sync = MIRROR_SYNC_MODE_FULL;
    }
    m->end = m->sync == MIRROR_SYNC_MODE_TOP ? block_below(m->from) : NULL;
    return m->replaces;
}

bool qmp_blockdev_mirror(const char *job_id, const char *device, const char *target, const char *replaces,
                         MirrorSyncMode sync, UNUSED bool has_speed, int64_t speed, UNUSED bool has_granularity,
                         uint32_t granularity, UNUSED bool has_buf_size, UNUSED int64_t buf_size,
                         bool has_on_source_error, BlockdevOnError on_source_error, bool has_on_target_error,
                         BlockdevOnError on_target_error, UNUSED const char *filter_node_name,
                         bool has_copy_mode, MirrorCopyMode copy_mode, bool has_auto_finalize,
                         bool auto_finalize, bool has_auto_dismiss, bool auto_dismiss, Error **errp)
{
    BlockMirrorSpec m = { .sync = sync, .granularity = granularity, .unmap = true,
                          .blocking = has_copy_mode && copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING };
    BlockJobSpec s = { .id = job_id, .device = device, .speed = speed,
                       .manual_finalize = has_auto_finalize && !auto_finalize,
                       .manual_dismiss = has_auto_dismiss && !auto_dismiss,
                       .on_source_error = has_on_source_error ? on_source_error : BLOCKDEV_ON_ERROR_REPORT,
                       .on_target_error = has_on_target_error ? on_target_error : BLOCKDEV_ON_ERROR_REPORT };

    m.from = root_of(device, errp);
    m.to = m.from ? block_qmp_node(NULL, target, errp) : NULL;
    return m.to && mirror_replaces(&m, replaces, errp) && block_mirror_start(&s, &m, errp);
}

bool qmp_drive_mirror(const DriveMirror *a, Error **errp)
{
    BlockMirrorSpec m = { .sync = a->sync, .granularity = a->granularity,
                          .unmap = !a->has_unmap || a->unmap,
                          .blocking = a->has_copy_mode && a->copy_mode == MIRROR_COPY_MODE_WRITE_BLOCKING };
    BlockJobSpec s = { .id = a->job_id, .device = a->device, .speed = a->speed,
                       .manual_finalize = a->has_auto_finalize && !a->auto_finalize,
                       .manual_dismiss = a->has_auto_dismiss && !a->auto_dismiss,
                       .on_source_error = a->has_on_source_error ? a->on_source_error : BLOCKDEV_ON_ERROR_REPORT,
                       .on_target_error = a->has_on_target_error ? a->on_target_error : BLOCKDEV_ON_ERROR_REPORT };
    bool make = !a->has_mode || a->mode == NEW_IMAGE_MODE_ABSOLUTE_PATHS;
    Job *j;

    m.from = root_of(a->device, errp);
    if (!m.from || !mirror_replaces(&m, a->replaces, errp)) {
        return false;
    }
    m.backing = m.sync == MIRROR_SYNC_MODE_FULL ? NULL
                : m.sync == MIRROR_SYNC_MODE_TOP ? block_below(m.from) : make ? m.from : NULL;
    m.to = block_open_target(m.from, a->target, a->format, make, m.backing, a->node_name, errp);
    if (!m.to) {
        return false;
    }
    if (m.sync == MIRROR_SYNC_MODE_NONE) {
        m.backing = NULL;
    }
    j = block_mirror_start(&s, &m, errp);
    block_node_unref(m.to);
    return j;
}

/* --- backup --- */


static bool backup_bitmap(BlockBackupSpec *b, const char *name, bool has_mode, BitmapSyncMode mode, Error **errp)
{
    if (b->sync == MIRROR_SYNC_MODE_INCREMENTAL) {
        if (has_mode && mode != BITMAP_SYNC_MODE_ON_SUCCESS) {
            error_setf(errp, ERR_INVALID_ARGUMENT, "Bitmap sync mode must be 'on-success' when using sync mode "
                       "'incremental'");
            return false;
        }
        b->bitmap_mode = BITMAP_SYNC_MODE_ON_SUCCESS;
    } else if (name && !has_mode) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Bitmap sync mode must be given when providing a bitmap");
        return false;
    } else if (has_mode && !name) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Cannot specify bitmap sync mode without a bitmap");
        return false;
    } else if (name && b->sync != MIRROR_SYNC_MODE_BITMAP) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Sync mode '%s' with a bitmap isn't supported; accepted: "
                   "incremental, bitmap", MirrorSyncMode_name(b->sync));
        return false;
    } else {
        b->bitmap_mode = mode;
    }
    b->bitmap = name ? block_bitmap_find(b->from, name, errp) : NULL;
    return !name || b->bitmap;
}

#define BACKUP_JOB_SPEC(a) { .id = (a)->job_id, .device = (a)->device, .speed = (a)->speed,                    \
    .manual_finalize = (a)->has_auto_finalize && !(a)->auto_finalize,                                        \
    .manual_dismiss = (a)->has_auto_dismiss && !(a)->auto_dismiss,                                           \
    .on_source_error = (a)->has_on_source_error ? (a)->on_source_error : BLOCKDEV_ON_ERROR_REPORT,            \
    .on_target_error = (a)->has_on_target_error ? (a)->on_target_error : BLOCKDEV_ON_ERROR_REPORT }

Job *block_qmp_backup(const BlockdevBackup *a, JobTxn *txn, bool wait, Error **errp)
{
    BlockBackupSpec b = { .sync = a->sync, .compress = a->has_compress && a->compress };
    BlockJobSpec s = BACKUP_JOB_SPEC(a);

    s.txn = txn;
    s.wait = wait;
    b.from = root_of(a->device, errp);
    b.to = b.from ? block_qmp_node(NULL, a->target, errp) : NULL;
    if (!b.to || !backup_bitmap(&b, a->bitmap, a->has_bitmap_mode, a->bitmap_mode, errp)) {
        return NULL;
    }
    return block_backup_start(&s, &b, errp);
}

Job *block_qmp_drive_backup(const DriveBackup *a, JobTxn *txn, bool wait, Error **errp)
{
    BlockBackupSpec b = { .sync = a->sync, .compress = a->has_compress && a->compress };
    BlockJobSpec s = BACKUP_JOB_SPEC(a);
    bool make = !a->has_mode || a->mode == NEW_IMAGE_MODE_ABSOLUTE_PATHS;
    BlockNode *backing;
    Job *j;

    s.txn = txn;
    s.wait = wait;
    b.from = root_of(a->device, errp);
    if (!b.from || !backup_bitmap(&b, a->bitmap, a->has_bitmap_mode, a->bitmap_mode, errp)) {
        return NULL;
    }
    backing = a->sync == MIRROR_SYNC_MODE_TOP ? block_below(b.from)
              : a->sync == MIRROR_SYNC_MODE_NONE ? b.from : NULL;
    b.to = block_open_target(b.from, a->target, a->format, make, make ? backing : NULL, NULL, errp);
    if (!b.to) {
        return NULL;
    }
    j = block_backup_start(&s, &b, errp);
    block_node_unref(b.to);
    return j;
}

bool qmp_blockdev_backup(const BlockdevBackup *a, Error **errp)
{
    return block_qmp_backup(a, NULL, false, errp);
}

bool qmp_drive_backup(const DriveBackup *a, Error **errp)
{
    return block_qmp_drive_backup(a, NULL, false, errp);
}

/* --- chains --- */

bool qmp_change_backing_file(const char *device, const char *image_node_name, const char *backing_file,
                             Error **errp)
{
    BlockNode *root = root_of(device, errp);
    BlockNode *n = root ? block_qmp_node(NULL, image_node_name, errp) : NULL;
    BlockHold h;
    bool was, ok;

    if (!n || !block_node_free(n, errp)) {
        return false;
    }
    if (!block_node_uses(root, n)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' and image file are not in the same chain", device);
        return false;
    }
    if (!n->backing) {
        error_setf(errp, ERR_WRONG_STATE, "not allowing backing file change on an image without a backing file");
        return false;
    }
    block_hold(n, &h);
    was = n->read_only;
    ok = block_node_set_read_only(n, false, errp);
    if (ok) {
        ok = block_change_backing(n, n->backing, backing_file, errp);
        if (was) {
            ok = block_node_set_read_only(n, true, ok ? errp : NULL) && ok;
        }
    }
    block_release(&h);
    return ok;
}
