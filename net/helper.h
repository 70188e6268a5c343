/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of the project's own that a network starts, in a process beside the emulator. */
#ifndef NET_HELPER_H
#define NET_HELPER_H

#include "util/osdep.h"

/* Where program @name is: beside this one, where it is installed, or at @elsewhere (NULL: nowhere else). g_free(); NULL: not
 * found. */
char *net_helper_find(const char *name, const char *elsewhere);
/* In a child after fork(): becomes @argv[0], without descriptors but the standard ones and @keep (-1: none), with signals as a
 * program expects them. */
void NORETURN net_helper_exec(char *const *argv, int keep);
/* Waits for the end of a child; its exit status, -1 when it had none. */
int net_helper_wait(pid_t pid);

#endif
