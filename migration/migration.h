/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving a running machine to another process, or its state into a file.
 * Streams are written and read by threads of their own; what changes the
 * machine is done by the main thread on their behalf. Big lock for the
 * functions here.
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include "qapi/types-migration.h"
#include "qobject/error.h"

struct QDict;

/* ------------------------------------------------------------- outgoing */

bool outgoing_start(const char *uri, Error **errp);
/* Without effect when nothing is going on. */
void outgoing_cancel(void);
bool outgoing_continue(MigrationStatus state, Error **errp);
/* migrate-start-postcopy: the guest goes on at the other side as soon as possible. */
bool outgoing_start_postcopy(Error **errp);
/* migrate-pause: the connection of a post-copy is given up, and can be taken up again. False: there is none. */
bool outgoing_pause(void);
/* migrate with resume: go on with one that was interrupted. */
bool outgoing_resume(const char *uri, Error **errp);
/* Adds what there is to tell. */
void outgoing_query(MigrationInfo *info);
/* At the end of the emulator: gives up and waits for the thread. */
void outgoing_cleanup(void);

/* ------------------------------------------------------------- incoming */

/* -incoming: "defer", or an address. The machine was made and reset, and waits in the state
 * inmigrate. */
bool incoming_init(const char *uri, Error **errp);
/* migrate-incoming, after "defer". */
bool incoming_start(const char *uri, Error **errp);
void incoming_query(MigrationInfo *info);
/* The same at this side. */
bool incoming_pause(void);
/* migrate-recover: where to wait for the source. */
bool incoming_recover(const char *uri, Error **errp);
/* At the end of the emulator: what is interrupted isn't waited for any more. */
void incoming_cleanup(void);

/* --------------------------------------------------------------- shared */

/* CONF: what this machine is; @ram of ram_save_blocks(), taken. */
struct QDict *mig_conf(struct QList *ram);
/* False, saying what differs, when the stream is from another machine. */
bool mig_conf_check(const struct QDict *conf, Error **errp);

/* Run @fn in the main thread with the big lock, and wait until it is done. Not in the main
 * thread, and without the big lock. */
void mig_in_main_thread(void (*fn)(void *opaque), void *opaque);
/* MIGRATION, when events are on. */
void mig_send_status(MigrationStatus status);

/* Announce the guest's network cards as the parameters say. */
void mig_announce(void);

/* throttle.c: let vCPUs sleep @percent (0 to 99) of the time. */
void cpu_throttle_set(unsigned percent);
unsigned cpu_throttle_get(void);

#endif
