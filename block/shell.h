/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a back end by lines of text, as the program qemu-io knows them: "read -P 0xcd 0 4k". For tests and
 * for looking into a machine that runs. Main thread; events are handled while a request is under way.
 */
#ifndef BLOCK_SHELL_H
#define BLOCK_SHELL_H

#include <glib.h>
#include "block/block.h"

enum { BLOCK_SHELL_MAX = 16 * 1024 * 1024 };        /* bytes of a request */

/* What is there to tell is appended to @out. False: the command has failed; @out says why. */
bool block_shell_run(BlockBackend *b, const char *line, GString *out);

#endif
