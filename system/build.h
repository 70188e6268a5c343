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
/* Somebody is going to look at a display, where text consoles may be, and nobody has said what shall be there. */
bool config_has_text_consoles(const Config *c);
/* Then the human monitor is on the first of them. */
void build_text_monitor(Config *c);
/* The monitors alone, for -preconfig; then not with the front ends. */
void build_monitors(Config *c);
/* Instead of the latter, after mistakes: tells what else is wrong, and waits for nobody. */
void check_front_ends(Config *c);

/*
 * mistakes.c: make something from @opts, and the rest of it without each
 * option that an error names, so that all mistakes are told. False: it wasn't made as asked for.
 */
typedef bool ConfigMake(const QDict *opts, void *opaque, Error **errp);
bool config_make(Config *c, const char *option, const QDict *opts, ConfigMake *make, void *opaque);
void config_make_each(Config *c, const QList *list, const char *option, ConfigMake *make,
                      void *opaque);
/* What has this id failed: no errors about references to it. */
void config_failed(Config *c, const QDict *opts);
/* Without a machine, without opening anything: -device; texts as for -serial. */
void config_check_devices(Config *c);
void config_check_specs(Config *c, const char *option, const GPtrArray *specs);

/* qtest-server.c: @spec as for -serial ("unix:PATH"); @log: file that gets what is
 * said, NULL or "none": nowhere. Once a process. */
bool qtest_server_start(const char *spec, const char *log, Error **errp);

/* sandbox.c: are -sandbox, -chroot, -runas and -overcommit possible? Then, when all is made and before a
 * guest runs: do it. */
void privileges_check(Config *c);
bool privileges_drop(Config *c);

/*
 * preconfig.c, -preconfig: serve the monitors until the machine may be made. False: the emulator is to
 * end. Then tell who said so what came of it.
 */
bool preconfig_wait(Config *c);
void preconfig_answer(const Config *c);

/* daemon.c: -daemonize, -pidfile. */
bool daemonize_begin(Config *c);
void daemonize_ready(Config *c);

#endif
