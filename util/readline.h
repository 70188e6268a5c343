/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line editor on a byte stream: keys in, echo out. The keys are those of
 * GNU readline's emacs mode and of an ECMA-48 terminal.
 */
#ifndef UTIL_READLINE_H
#define UTIL_READLINE_H

#include "util/osdep.h"
#include <glib.h>

typedef struct Readline Readline;

typedef struct ReadlineOps {
    void (*write)(void *opaque, const char *text, size_t len);
    /* A whole line; it isn't shown again. */
    void (*line)(void *opaque, const char *line);
    /* What the last word of @text (up to the cursor) may be; freed by the caller. */
    GPtrArray *(*complete)(void *opaque, const char *text);
} ReadlineOps;

Readline *readline_new(const char *prompt, const ReadlineOps *ops, void *opaque);
void readline_free(Readline *rl);
void readline_input(Readline *rl, uint8_t byte);
/* Show the prompt and what has been typed so far (after other output). */
void readline_redraw(Readline *rl);
/* The lines that were typed before, the oldest first. */
void readline_history(const Readline *rl, void (*fn)(const char *line, void *opaque), void *opaque);
/* Forget what has been typed. */
void readline_reset(Readline *rl);

#endif
