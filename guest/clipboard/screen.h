/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What shows a clipboard in the guest: runs until it or the host ends. Returns an exit status. */
#ifndef GUEST_CLIPBOARD_SCREEN_H
#define GUEST_CLIPBOARD_SCREEN_H

#include <stdbool.h>

/* x11.c: @primary: the selection PRIMARY too. */
int x11_run(const char *path, bool primary);
/* wayland.c: the same; -1: there is no compositor, or none that lets us. */
int wayland_run(const char *path, bool primary);
/* console.c: commands for a shell. @format: a name such as "text"; copy serves until something else is
 * copied, in the background. */
int console_paste(const char *path, const char *format);
int console_copy(const char *path, const char *format);

#endif
