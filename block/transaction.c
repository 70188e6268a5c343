/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/transaction.h"
#include <glib.h>
#include "qapi/commands-block-ops.h"

void block_action_done(BlockAction *d)
{
    if (d->job) {
        job_go(d->job);
    }
    block_bitmap_done(&d->bitmap);
    block_node_unref(d->node);
    block_node_unref(d->overlay);
    g_free(d->snapshot);
    *d = (BlockAction){ 0 };
}

void block_action_undo(BlockAction *d)
{
    if (d->job) {
        job_undo(d->job);
        d->job = NULL;
    }
    block_bitmap_undo(&d->bitmap);
    if (d->snapshot) {
        block_snapshot_delete(d->node, d->snapshot, NULL);
    } else if (d->overlay) {
        block_drain_begin(d->overlay);
        block_node_replace(d->overlay, d->node, NULL);
        block_node_unref(d->overlay->backing);
        d->overlay->backing = NULL;
        block_node_set_read_only(d->node, d->was_read_only, NULL);
        block_drain_end(d->node);
    }
    block_action_done(d);
}

static bool do_action(const TransactionAction *a, JobTxn *txn, BlockAction *d, Error **errp)
{
    switch (a->type) {
    case TRANSACTION_ACTION_KIND_BLOCKDEV_SNAPSHOT:
        return block_do_snapshot(a->u.blockdev_snapshot.data, d, errp);
    case TRANSACTION_ACTION_KIND_BLOCKDEV_SNAPSHOT_SYNC:
        return block_do_snapshot_sync(a->u.blockdev_snapshot_sync.data, d, errp);
    case TRANSACTION_ACTION_KIND_BLOCKDEV_SNAPSHOT_INTERNAL_SYNC:
        return block_do_internal_snapshot(a->u.blockdev_snapshot_internal_sync.data, d, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_ADD:
        return block_do_bitmap_add(a->u.block_dirty_bitmap_add.data, &d->bitmap, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_REMOVE:
        return block_do_bitmap_remove(a->u.block_dirty_bitmap_remove.data, &d->bitmap, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_CLEAR:
        return block_do_bitmap_clear(a->u.block_dirty_bitmap_clear.data, &d->bitmap, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_ENABLE:
        return block_do_bitmap_enable(a->u.block_dirty_bitmap_enable.data, &d->bitmap, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_DISABLE:
        return block_do_bitmap_disable(a->u.block_dirty_bitmap_disable.data, &d->bitmap, errp);
    case TRANSACTION_ACTION_KIND_BLOCK_DIRTY_BITMAP_MERGE:
        return block_do_bitmap_merge(a->u.block_dirty_bitmap_merge.data, &d->bitmap, errp);
    case TRANSACTION_ACTION_KIND_BLOCKDEV_BACKUP:
        d->job = block_qmp_backup(a->u.blockdev_backup.data, txn, true, errp);
        return d->job;
    case TRANSACTION_ACTION_KIND_DRIVE_BACKUP:
        d->job = block_qmp_drive_backup(a->u.drive_backup.data, txn, true, errp);
        return d->job;
    default:
        error_setf(errp, ERR_GENERIC, "Transaction aborted using Abort action");
        return false;
    }
}

/* All disks and jobs stand still from the first action to the last. */
bool qmp_transaction(const TransactionActionList *actions, const TransactionProperties *properties,
                     Error **errp)
{
    BlockAction *done = g_new0(BlockAction, actions->n + 1);
    bool grouped = properties && properties->has_completion_mode &&
                   properties->completion_mode == ACTION_COMPLETION_MODE_GROUPED;
    JobTxn *txn = grouped ? job_txn_new() : NULL;
    size_t n = 0, held = 0;
    BlockBackend **backends;
    bool ok = true;

    jobs_hold();
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        held++;
    }
    backends = g_new0(BlockBackend *, held + 1);
    held = 0;
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        blk_drain_begin(b);
        backends[held++] = b;
    }
    for (; n < actions->n && ok; n += ok) {
        ok = do_action(actions->items[n], txn, &done[n], errp);
    }
    if (ok) {
        for (size_t i = 0; i < n; i++) {
            block_action_done(&done[i]);
        }
    } else {
        while (n-- > 0) {
            block_action_undo(&done[n]);
        }
    }
    while (held-- > 0) {
        blk_drain_end(backends[held]);
    }
    jobs_let_go();
    job_txn_unref(txn);
    g_free(backends);
    g_free(done);
    return ok;
}
