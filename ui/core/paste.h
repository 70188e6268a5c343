/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text typed as keys, for guests that have no clipboard of ours. Big lock. */
#ifndef UI_CORE_PASTE_H
#define UI_CORE_PASTE_H

#include "qobject/error.h"
#include "ui/core/keymap.h"

#define PASTE_MAX       (64 * 1024)     /* characters */
#define PASTE_RATE      30              /* characters a second of guest time, if nothing is said */
#define PASTE_RATE_MAX  1000

/* Type @text (UTF-8) on a keyboard of that layout. Nothing is typed if one of its characters can't be, or while
 * another text is being typed. Takes @map. */
bool paste_text(const char *text, Keymap *map, unsigned rate, Error **errp);
void paste_cancel(void);
/* How many characters are left. */
size_t paste_left(void);

#endif
