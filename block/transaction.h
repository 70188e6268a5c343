/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Actions of transactions: what was done, and how it is undone. Big lock. */
#ifndef BLOCK_TRANSACTION_H
#define BLOCK_TRANSACTION_H

#include "block/bitmap-qmp.h"
#include "block/job.h"
#include "qapi/types-block-ops.h"

typedef struct BlockAction {
    BlockNode *node, *overlay;          /* references; an image was put on top */
    char *snapshot;                     /* id of one inside of node's image */
    bool was_read_only;
    BitmapUndo bitmap;
    Job *job;                           /* made, not yet going */
} BlockAction;

/* One or the other, after an action that has succeeded. */
void block_action_done(BlockAction *d);
void block_action_undo(BlockAction *d);

/* --- snapshot-qmp.c --- */
bool block_do_snapshot(const BlockdevSnapshot *a, BlockAction *d, Error **errp);
bool block_do_snapshot_sync(const BlockdevSnapshotSync *a, BlockAction *d, Error **errp);
bool block_do_internal_snapshot(const BlockdevSnapshotInternal *a, BlockAction *d, Error **errp);

/* --- jobs-qmp.c: NULL with errp set; @wait: job_go is the caller's --- */
Job *block_qmp_backup(const BlockdevBackup *a, JobTxn *txn, bool wait, Error **errp);
Job *block_qmp_drive_backup(const DriveBackup *a, JobTxn *txn, bool wait, Error **errp);

#endif
