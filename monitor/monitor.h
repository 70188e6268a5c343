/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitors: QMP for programs and HMP for people, each on a character device.
 * Any number of them, of either kind. Big lock, main thread.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "util/osdep.h"
#include "chardev/chardev.h"
#include "qobject/error.h"
#include "qobject/qobject.h"

/*
 * Once at start-up, before -chardev and -mon are looked at: events go to the
 * monitors from now on, "mon:" gets a human monitor, Ctrl-a x ends the emulator.
 */
void monitor_init(void);
/* Send what waits, free all monitors; before chardev_cleanup(). */
void monitor_cleanup(void);

/* What a QMP monitor may be used for. */
typedef enum { MONITOR_FULL, MONITOR_LIFE_CYCLE, MONITOR_READ_ONLY } MonitorPermissions;

/* A monitor on @chr; false with *errp set when it is in use. */
bool monitor_new_qmp(Chardev *chr, bool pretty, MonitorPermissions permissions, Error **errp);
/* @readline: line editing and a prompt, for a terminal. */
bool monitor_new_hmp(Chardev *chr, bool readline, Error **errp);

/*
 * -mon [chardev=]ID[,mode=readline|control][,pretty=on|off][,permissions=read-only|life-cycle|full];
 * @opts as key=value strings or JSON values.
 */
bool monitor_new_from_opts(const QDict *opts, Error **errp);
/* -monitor, -qmp, -qmp-pretty: @spec as for -serial, or the id of a chardev. */
typedef enum { MONITOR_HMP, MONITOR_QMP, MONITOR_QMP_PRETTY } MonitorMode;
bool monitor_new_from_spec(const char *spec, MonitorMode mode, Error **errp);

/* What the queries answer; set by system/, the strings are copied. */
void monitor_set_name(const char *name);
/* The parameters of all options, for query-command-line-options. */
struct CommandLineOptionInfoList;
void monitor_set_options_query(struct CommandLineOptionInfoList *(*query)(void));

/* What gdbserver does: system/ has the debugger's side. */
void monitor_set_gdb_hook(bool (*open_at)(const char *place, Error **errp));

/* What add_client does for @protocol (a literal); takes @fd on success. */
void monitor_set_client_hook(const char *protocol,
                             bool (*add)(int fd, bool skipauth, bool tls, Error **errp));

/* --- within monitor/ and for handlers that need the client --- */

/*
 * Take the file descriptor that was named by getfd (or is @name as a number,
 * which is duplicated); -1 with *errp set. The caller owns it.
 */
int monitor_take_fd(const char *name, Error **errp);
/* Run one line of the human monitor; the text is freed with g_free(). */
char *hmp_run(const char *line, int cpu_index);

#endif
