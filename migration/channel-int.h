/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between channels on descriptors and what wraps them. */
#ifndef MIGRATION_CHANNEL_INT_H
#define MIGRATION_CHANNEL_INT_H

#include "migration/channel.h"

int mig_fd_of(const MigChannel *c);
/* Until it is ready for @events of poll(); false with *errp set when it was interrupted. */
bool mig_fd_wait(MigChannel *c, short events, Error **errp);

#endif
