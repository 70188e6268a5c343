/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device tests from outside: the accelerator "qtest", under which no CPU ever
 * runs and guest time stands still until it is told to move, and the commands
 * of the -qtest socket, which drive devices in a CPU's place. The socket itself
 * is system/'s; it works beside any accelerator. Main loop, big lock.
 */
#ifndef ACCEL_QTEST_QTEST_H
#define ACCEL_QTEST_QTEST_H

#include "util/osdep.h"

/* One command line, without its line end; the answer, with one, is freed with
 * g_free(). For tests of the protocol, and the server itself. */
char *qtest_command(const char *line);

/* Called with "IRQ raise 3\n" and the like; NULL: nobody listens. */
void qtest_set_event_sink(void (*sink)(const char *text));

#endif
