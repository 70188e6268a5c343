/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UUIDs as text (RFC 4122 section 3). */
#ifndef UTIL_UUID_H
#define UTIL_UUID_H

#include "util/osdep.h"

#define UUID_FORM "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

/* False if it isn't one; hyphens may be left out. @uuid: in the text's order. */
bool uuid_parse(const char *text, uint8_t uuid[16]);

#endif
