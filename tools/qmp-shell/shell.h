/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp-shell: QMP for people.
 *
 * main.c       options, connecting, the terminal and scripts
 * line.c       a line to a command: NAME key=value ..., or JSON
 * complete.c   words that may come next, by the server's own schema
 */
#ifndef TOOLS_QMP_SHELL_SHELL_H
#define TOOLS_QMP_SHELL_SHELL_H

#include "util/osdep.h"
#include <glib.h>
#include "libqmp/qmp-client.h"

/*
 * "NAME a=1 b.c=x d='[1, 2]'" to {"execute": NAME, "arguments": {...}}; a line that begins with a brace
 * is that object itself. Values are JSON where they are ("5", "true", "[...]", "{...}", "\"x\""),
 * else text. NULL with *errp set.
 */
QDict *shell_parse_line(const char *line, Error **errp);

/* What query-qmp-schema answers; borrowed for the shell's life. NULL: no completion. */
void shell_set_schema(const QList *schema);
/* Candidates for the last word of @text; freed with g_ptr_array_unref(). */
GPtrArray *shell_complete(const char *text);

#endif
