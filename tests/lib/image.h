/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images for tests: made, opened, read and written synchronously, and looked at by the distribution's qemu-img. */
#ifndef TESTS_LIB_IMAGE_H
#define TESTS_LIB_IMAGE_H

#include <glib.h>
#include "block/block.h"
#include "tests/lib/test.h"

/* @opts: members of the creation options besides size, as JSON members: "'compat': '0.10'". */
bool image_create(Test *t, const char *path, uint64_t size, const char *opts);     /* qcow2 */
bool image_create_format(Test *t, const char *path, const char *format, uint64_t size, const char *opts);
/* @opts: members of the node's options; may be NULL. */
BlockNode *image_open(Test *t, const char *path, const char *format, const char *opts);
/* Why a node isn't opened, freed by the caller; NULL: it is. Takes @opts. */
char *image_refusal(QDict *opts);
/* The main loop, and secret objects "s0" and "s1" with the passwords "open sesame" and "open barley". */
void image_secrets(void);
/* As x-blockdev-amend does it. Takes @opts. */
bool image_amend(BlockNode *n, QDict *opts, bool force, Error **errp);
/* Overwrite bytes of a file. */
void image_patch(const char *path, uint64_t offset, const void *bytes, size_t len);
/* What query-block tells of the format is what the distribution's qemu-img finds, run with "info --output=json ARGS". */
void image_must_have_facts(Test *t, BlockNode *n, const char *args, const char *what);
int image_read(BlockNode *n, uint64_t offset, void *buf, size_t len);
int image_write(BlockNode *n, uint64_t offset, const void *buf, size_t len);
int image_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags);
int image_discard(BlockNode *n, uint64_t offset, uint64_t len);
int image_flush(BlockNode *n);
/* Our own check: @result is filled. */
int image_check(BlockNode *n, unsigned fix, BlockCheck *result);
/* Runs "qemu-img ARGS..." of the distribution; its exit status, -1: there is none. */
int distribution_qemu_img(const char *args, char **output);
/* What must be so whenever an image is closed. @leaks: leaks are allowed. */
void image_must_be_sound(Test *t, const char *path, bool leaks, const char *what);

#endif
