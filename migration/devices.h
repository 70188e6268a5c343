/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of devices, and of what vm_register() knows, in the migration
 * stream: one record each, found by name when it is loaded. Big lock.
 */
#ifndef MIGRATION_DEVICES_H
#define MIGRATION_DEVICES_H

#include <glib.h>
#include "migration/stream.h"

struct QList;

/* All states, saved to memory. */
typedef struct MigDevices MigDevices;
/* NULL with *errp set: a device that can't be saved is named. */
MigDevices *mig_devices_save(Error **errp);
/* For streams that are read: nothing is there yet. */
MigDevices *mig_devices_new(void);
void mig_devices_free(MigDevices *d);           /* NULL is allowed */
/* DEVI records and DESC. No lock. */
bool mig_devices_write(const MigDevices *d, MigWriter *w, Error **errp);
/* A DEVI record. No lock. */
bool mig_devices_read(MigDevices *d, MigReader *r, Error **errp);
/* All of them into this machine, which must have exactly these. */
bool mig_devices_load(MigDevices *d, Error **errp);

/* What was read, in the order of the stream; sections as vm_save() made them. */
void mig_devices_foreach(const MigDevices *d, void (*fn)(const char *name, const void *data, size_t len, void *opaque),
                         void *opaque);

/* For CONF: names of all sections of this machine. */
struct QList *mig_device_names(void);
/* False when this machine's are others than @names; the error names one. */
bool mig_device_names_check(const struct QList *names, Error **errp);

#endif
