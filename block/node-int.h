/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of block/ that open, close and replace nodes. */
#ifndef BLOCK_NODE_INT_H
#define BLOCK_NODE_INT_H

#include "block/block.h"

/* inactive.c: the driver's open and close, for active and for inactive images. */
bool block_driver_open(BlockNode *n, const QDict *opts, Error **errp);
void block_driver_close(BlockNode *n);

/* backend.c: another node, with the reference that the caller has. A device in an I/O thread may be asking it for its
 * length just now. */
void blk_set_node(BlockBackend *b, BlockNode *n);

#endif
