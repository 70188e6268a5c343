/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities and parameters of migrations. Big lock; numbers may be read by any thread. */
#ifndef MIGRATION_OPTIONS_H
#define MIGRATION_OPTIONS_H

#include "qapi/types-migration.h"
#include "qobject/error.h"

bool mig_cap(MigrationCapability cap);
/* All of @list or none. */
bool mig_caps_set(const MigrationCapabilityStatusList *list, Error **errp);

/* Every member is there. Borrowed. Big lock: what threads need without it they get from these, or are told at their beginning. */
const MigrationParameters *mig_params(void);
uint64_t mig_max_bandwidth(bool postcopy);
uint64_t mig_downtime_limit(void);
/* All of @set or none. */
bool mig_params_set(const MigrateSetParameters *set, Error **errp);

#endif
