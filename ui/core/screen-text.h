/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written on screens of text, for guests that have no clipboard of ours. Big lock. */
#ifndef UI_CORE_SCREEN_TEXT_H
#define UI_CORE_SCREEN_TEXT_H

#include "qobject/error.h"
#include "ui/core/console.h"

/* The lines of a rectangle of cells; spaces at their ends and empty lines at the end are left out. UTF-8, the caller's (g_free); NULL
 * with errp set if the screen shows a picture, or the rectangle isn't on it. @columns and @rows 0: as many as there are. */
char *screen_text(Console *c, unsigned x, unsigned y, unsigned columns, unsigned rows, Error **errp);
/* Have the clipboard that viewers share own a copy of it. */
void screen_text_to_clipboard(const char *text);

#endif
