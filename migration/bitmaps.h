/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty bitmaps of disks in the migration stream, with the capability dirty-bitmaps: which of them,
 * and by what names, the parameter block-bitmap-mapping says. Big lock, but where it says otherwise.
 */
#ifndef MIGRATION_BITMAPS_H
#define MIGRATION_BITMAPS_H

#include "migration/stream.h"
#include "qapi/types-migration.h"

typedef struct MigBitmaps MigBitmaps;

/* This machine's, whose guest stands still. NULL with *errp set: one is busy, or has no name that is
 * the same there. */
MigBitmaps *mig_bitmaps_save(Error **errp);
/* For streams that are read. */
MigBitmaps *mig_bitmaps_new(void);
void mig_bitmaps_free(MigBitmaps *m);           /* NULL is allowed */
/* BITM records. No lock. */
bool mig_bitmaps_write(const MigBitmaps *m, MigWriter *w, Error **errp);
/* A BITM record. No lock. */
bool mig_bitmaps_read(MigBitmaps *m, MigReader *r, Error **errp);
/* Into this machine's disks. One that is there already, from an image that both sides open, gets what the
 * stream has. */
bool mig_bitmaps_load(MigBitmaps *m, Error **errp);

/* block-bitmap-mapping: every name is given once, in both directions. */
bool mig_bitmap_mapping_check(const BitmapMigrationNodeAliasList *list, Error **errp);

#endif
