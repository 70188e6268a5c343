/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option texts of the command line: "driver=x,a=b,flag" and JSON objects,
 * as dictionaries.
 */
#ifndef SYSTEM_OPTS_H
#define SYSTEM_OPTS_H

#include "qobject/qobject.h"

/*
 * @text is a JSON object if it begins with '{'; else key=value pairs between
 * commas, where ",," stands for a comma in a value. A first word without '=' is
 * the value of @implied (unless that is NULL); a later one means "on", and with "no" before it
 * "off" of the rest. Keys with dots stay as they are; a later value of a key replaces
 * the earlier one. Values are strings (JSON: as they are). NULL with @errp set if
 * it is malformed. The caller owns the result.
 */
QDict *opts_parse(const char *text, const char *implied, Error **errp);

/* The text of a member that is a string or a bool ("on", "off") or a number; NULL without it. The
 * caller frees with g_free(). */
char *opts_text(const QDict *d, const char *key);
/* "4G", "512M", "0x1000", with @unit multiplied where no suffix is given. */
bool opts_size(const char *text, uint64_t unit, uint64_t *value, Error **errp);
/* "on", "off", "yes", "no", "true", "false". */
bool opts_bool(const char *key, const char *text, bool *value, Error **errp);
/* Every key of @d is one of @known (NULL ends the list). @what: "-smp". */
bool opts_check_known(const QDict *d, const char *what, const char *const *known, Error **errp);

#endif
