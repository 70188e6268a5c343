/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the handlers of the monitor's block commands share. Big lock. */
#ifndef BLOCK_BLOCK_QMP_H
#define BLOCK_BLOCK_QMP_H

#include "block/block.h"
#include "qapi/types-block.h"

/* Exactly one of @device (a back end's id) and @id (a guest device's id or path). */
BlockBackend *block_qmp_backend(const char *device, const char *id, Error **errp);
/* Exactly one of @device (a back end's id, or a node's name) and @node_name. */
BlockNode *block_qmp_node(const char *device, const char *node_name, Error **errp);
/* What query-block and qemu-img info tell of an image; @chain: and of those below. */
ImageInfo *block_qmp_image_info(BlockNode *n, bool chain);
SnapshotInfoList *block_qmp_snapshots(BlockNode *n);

#endif
