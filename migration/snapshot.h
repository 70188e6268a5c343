/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots of the whole machine: its state and that of all writable disks,
 * inside of their images. The machine stands still meanwhile. Main thread, big lock.
 */
#ifndef MIGRATION_SNAPSHOT_H
#define MIGRATION_SNAPSHOT_H

#include "block/block.h"
#include "migration/channel.h"
#include "qapi/qapi-type.h"
#include "qobject/error.h"

/* Which disks: node names, NULL for all that are written to. The machine's state is in the image
 * of @vmstate (a node's name), NULL: in the first one. */
typedef struct SnapshotWhere {
    const char *vmstate;
    const strList *devices;
} SnapshotWhere;

/* @name NULL: made from the date. A snapshot of that name is replaced if @replace. */
bool snapshot_save(const char *name, bool replace, const SnapshotWhere *where, Error **errp);
/* The machine runs again if it did; after a failure it is paused, and maybe half loaded. */
bool snapshot_load(const char *name, const SnapshotWhere *where, Error **errp);
bool snapshot_delete(const char *name, const SnapshotWhere *where, Error **errp);

/* Those that all disks have, with the state of a machine. Freed with block_snapshot_list_free(). */
BlockSnapshot *snapshot_list(size_t *count, Error **errp);

/* The machine's state that the node shows, @size bytes, for reading. The node must outlive it. */
MigChannel *snapshot_channel(BlockNode *n, uint64_t size);

#endif
