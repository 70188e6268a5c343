/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drivers of image formats, and others that have a node below, share. */
#ifndef BLOCK_FORMAT_H
#define BLOCK_FORMAT_H

#include "block/block.h"

/* --- parts of the file, in one buffer --- */

int coroutine_fn format_read(BlockNode *file, uint64_t offset, void *buf, size_t len);
int coroutine_fn format_write(BlockNode *file, uint64_t offset, const void *buf, size_t len);
/* The same for opening and making images: false with errp set. */
bool coroutine_fn format_load(BlockNode *file, uint64_t offset, void *buf, size_t len, Error **errp);
bool coroutine_fn format_store(BlockNode *file, uint64_t offset, const void *buf, size_t len, Error **errp);
/* The file, of a new image, becomes so long. What can't be resized must have as many bytes, or takes zeros behind its end. */
bool coroutine_fn format_set_length(BlockNode *file, uint64_t length, Error **errp);
/* The node's file becomes so long, as the driver's co_truncate has it; -ENOTSUP with errp set: it can't. */
int coroutine_fn format_truncate_file(BlockNode *n, uint64_t length, Error **errp);
int coroutine_fn format_barrier(BlockNode *n);  /* what was written before is on the disk then, unless the user doesn't care */

/* --- opening, and damage --- */

/* Has @read look at the image in the node's file. Errors begin with "@what image 'NAME': ". */
bool format_open(BlockNode *n, const char *what, bool coroutine_fn (*read)(BlockNode *n, Error **errp), Error **errp);
/* The image of @n is damaged: the first time, with *@broken not set yet, it is told on stderr and by an event. The driver writes
 * no more then. Returns -EIO. */
int format_damaged(BlockNode *n, bool *broken, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What couldn't be written when the node was closed is told on stderr. */
void format_close_failed(const BlockNode *n, int result);

#endif
