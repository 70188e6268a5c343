/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine is connected to: disks and networks before it, monitors and screens after. */
#include "util/osdep.h"
#include "block/block.h"
#include "system/build.h"
#include "system/opts.h"

static int index_of(const DriveSpec *d, const Machine *m)
{
    int units = MAX(m->type->units_per_default_bus, 1);

    return d->index >= 0 ? d->index : d->bus >= 0 || d->unit >= 0
           ? MAX(d->bus, 0) * units + MAX(d->unit, 0) : -1;
}

static bool taken(const Machine *m, const char *interface, int bus, int unit)
{
    for (unsigned i = 0; i < m->n_drives; i++) {
        const MachineDrive *d = &m->drives[i];

        if (!strcmp(d->interface, interface) && d->bus == bus && d->unit == unit) {
            return true;
        }
    }
    return false;
}

/* A place on one of the board's own controllers: as asked for, or the next free one. */
static void place_drive(Config *c, Machine *m, const DriveSpec *d)
{
    unsigned units = strcmp(d->interface, "ide") == 0 ? 2 : 0;
    int index = index_of(d, m), bus, unit;
    MachineDrive *md;

    for (int i = index >= 0 ? index : d->cdrom && units ? 2 : 0; ; i++) {
        bus = d->index < 0 && d->bus >= 0 ? d->bus : units ? i / (int)units : 0;
        unit = d->index < 0 && d->unit >= 0 ? d->unit : units ? i % (int)units : i;
        if (!taken(m, d->interface, bus, unit)) {
            break;
        }
        if (index >= 0 || i > 255) {
            Error *err = NULL;

            error_setf(&err, ERR_IN_USE, "there is a drive at interface %s, bus %d, unit %d already",
                       d->interface, bus, unit);
            config_error(c, "drive", err);
            return;
        }
    }
    m->drives = g_renew(MachineDrive, m->drives, m->n_drives + 1);
    md = &m->drives[m->n_drives++];
    *md = (MachineDrive){ .interface = g_strdup(d->interface), .bus = bus, .unit = unit,
                          .blockdev = g_strdup(d->blockdev), .cdrom = d->cdrom };
}

static void build_drives(Config *c, Machine *m)
{
    const char *own = m->type->default_block_interface;
    Error *err = NULL;

    QLIST_FOR_EACH(e, c->blockdevs) {
        if (!blockdev_add(qobject_to_dict(e), &err)) {
            config_error(c, "blockdev", err);
            err = NULL;
        }
    }
    QLIST_FOR_EACH(e, c->drives) {
        DriveSpec d;

        if (!drive_add(qobject_to_dict(e), own ? own : "none", &d, &err)) {
            config_error(c, "drive", err);
            err = NULL;
            continue;
        }
        if (strcmp(d.interface, "none")) {
            place_drive(c, m, &d);
        }
        drive_spec_cleanup(&d);
    }
}

void build_backends(Config *c, Machine *m)
{
    build_drives(c, m);
}

void build_front_ends(UNUSED Config *c, UNUSED Machine *m)
{
}
