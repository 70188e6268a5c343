/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of monitor/ share. */
#ifndef MONITOR_MONITOR_INT_H
#define MONITOR_MONITOR_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "chardev/chardev.h"
#include "monitor/monitor.h"

typedef struct Monitor Monitor;
typedef struct MonitorKind MonitorKind;

struct Monitor {
    const MonitorKind *kind;
    CharFrontend fe;
    GString *out;               /* not yet taken by the character device */
    Monitor *next;              /* in the list of all */
};

struct MonitorKind {
    /* An event's text; NULL: not interested. */
    void (*event)(Monitor *mon, const QDict *event);
    void (*free)(Monitor *mon);
};

extern Monitor *monitor_list;
/* Whose command is running; NULL outside of commands. */
extern Monitor *monitor_current;

void monitor_add(Monitor *mon);
/* Queue text for the client; sent as far as it is taken. Never blocks. */
void monitor_write(Monitor *mon, const char *text, size_t len);
void monitor_flush(Monitor *mon);
/* So much waits that no more commands should be read. */
bool monitor_is_congested(const Monitor *mon);

/* Hand an event to all monitors (main thread). */
void monitor_broadcast(const QDict *event);
void monitor_events_init(void);
void monitor_events_cleanup(void);

/* getfd: keep @fd (owned) under @name. */
void monitor_keep_fd(const char *name, int fd);
bool monitor_close_fd(const char *name);
void monitor_fds_cleanup(void);

/* qmp_capabilities of this monitor. */
/* permissions.c; the latter with *errp set where not. */
bool monitor_permissions_parse(const char *text, MonitorPermissions *p, Error **errp);
bool monitor_permits(MonitorPermissions p, const char *command, Error **errp);

/* Under -preconfig, while there is no machine: what then may be used only is marked so. */
bool monitor_is_early(void);

/* At start-up: answers that come later. */
void qmp_defer_init(void);
bool qmp_monitor_negotiate(Monitor *mon, bool oob, Error **errp);

#endif
