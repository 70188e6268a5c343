/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How programs of the guest call the formats that the host knows, and what both kinds of screen need besides. */
#ifndef GUEST_CLIPBOARD_FORMATS_H
#define GUEST_CLIPBOARD_FORMATS_H

#include "guest/clipboard/port.h"

/* X11's targets and Wayland's types, in the order in which we'd rather have them. */
enum { FORMAT_TYPES = 8 };
typedef struct FormatType {
    const char *name;
    Format format;
} FormatType;
extern const FormatType format_types[FORMAT_TYPES];

/* Of a shell's command; -1: no such name. */
int format_by_name(const char *name);

/* A clock that isn't set. */
int64_t now_ms(void);

#endif
