/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reasons why the machine's state can't be saved now, so that neither a
 * migration nor a snapshot can be made. Who has state that no table describes
 * says so for as long as that is true. Big lock.
 */
#ifndef VMSTATE_BLOCKER_H
#define VMSTATE_BLOCKER_H

#include "util/osdep.h"
#include "qobject/error.h"

typedef struct MigrationBlocker MigrationBlocker;

/*
 * @reason: a sentence that names the device, such as "device 'fs0' (virtio-9p) has
 * files open"; copied. Fails, with NULL, while a migration is going on: the caller
 * must then not get into that state.
 */
MigrationBlocker *migration_add_blocker(const char *reason, Error **errp);
void migration_del_blocker(MigrationBlocker *b);        /* NULL is allowed */

/* False with the first reason as the error, if there is one. */
bool migration_is_possible(Error **errp);
/* All of them, oldest first, until @fn returns other than 0. */
int migration_blocker_foreach(int (*fn)(const char *reason, void *opaque), void *opaque);

/* For migration/: while the state is being saved the machine keeps its shape, and
 * blockers and devices can't be added. */
void migration_set_busy(bool busy);
bool migration_is_busy(void);

#endif
