/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "vmdk": disks whose descriptor is a file of its own, with extents in others. */
#ifndef BLOCK_GROWING_VMDK_H
#define BLOCK_GROWING_VMDK_H

#include "block/format.h"

#define VMDK_EXTENTS_MAX    512
typedef struct VmdkExtents VmdkExtents;

/* @text: the descriptor that the node's file holds. NULL with errp set. The extents' nodes are the result's. */
VmdkExtents *vmdk_extents_open(BlockNode *n, const char *text, Error **errp);
void vmdk_extents_close(VmdkExtents *e);        /* NULL is allowed */
uint64_t vmdk_extents_size(const VmdkExtents *e);
int coroutine_fn vmdk_extents_rw(VmdkExtents *e, bool write, uint64_t offset, const struct iovec *iov, size_t niov);
int coroutine_fn vmdk_extents_flush(VmdkExtents *e);
int coroutine_fn vmdk_extents_zero(VmdkExtents *e, uint64_t offset, uint64_t len, unsigned flags);
int coroutine_fn vmdk_extents_status(VmdkExtents *e, uint64_t offset, uint64_t len, BlockStatus *st);
int coroutine_fn vmdk_extents_check(VmdkExtents *e, unsigned fix, BlockCheck *result, Error **errp);
bool vmdk_extents_reopen(VmdkExtents *e, bool read_only, Error **errp);
/* For query-block. */
struct ImageInfoList *vmdk_extents_info(const VmdkExtents *e);
uint64_t vmdk_extents_cluster_size(const VmdkExtents *e);
uint64_t vmdk_extents_actual_size(const VmdkExtents *e);        /* bytes of the host that they take */

#endif
