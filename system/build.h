/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of system/ that carry out a Config. */
#ifndef SYSTEM_BUILD_H
#define SYSTEM_BUILD_H

#include "hw/core/machine.h"
#include "system/config.h"

/* backends.c: block, network, audio back ends; drives and NICs for the board.
 * front ends: monitors, displays, debugger. Errors go to @c. */
void build_backends(Config *c, Machine *m);
void build_front_ends(Config *c, Machine *m);

/* qtest-server.c: @spec as for -serial ("unix:PATH"); @log: file that gets what is
 * said, NULL or "none": nowhere. Once a process. */
bool qtest_server_start(const char *spec, const char *log, Error **errp);

/* daemon.c: -daemonize, -pidfile. */
bool daemonize_begin(Config *c);
void daemonize_ready(Config *c);

#endif
