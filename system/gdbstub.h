/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gdb stub: a debugger connects (target remote) and sees each vCPU as a thread.
 * Source: "Debugging with GDB", appendix E, Remote Serial Protocol. Big lock, main thread.
 */
#ifndef SYSTEM_GDBSTUB_H
#define SYSTEM_GDBSTUB_H

#include "qobject/error.h"

/* -gdb: a place as for -serial ("tcp::1234", "unix:F"), where it listens; "none" closes. A second call
 * replaces the place. */
bool gdbstub_open(const char *spec, Error **errp);
void gdbstub_close(void);

#endif
