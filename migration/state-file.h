/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole state of a stopped machine through a channel, in one go. Main thread, big lock. */
#ifndef MIGRATION_STATE_FILE_H
#define MIGRATION_STATE_FILE_H

#include "migration/channel.h"
#include "qapi/types-run-state.h"

/* @state: what the machine did before it was stopped. */
bool state_write(MigChannel *ch, RunState state, Error **errp);
/* Checked as far as it can be before the first change. */
bool state_read(MigChannel *ch, Error **errp);

#endif
