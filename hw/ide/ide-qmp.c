/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults of drives, as the user asks for them: where an access meets one, it fails before it begins. */
#include "util/osdep.h"
#include "hw/ide/ide.h"

#include <glib.h>
#include "qapi/commands-ide.h"

#define FAULTS_MAX  1024                /* of a drive */

typedef struct IdeFaultEntry {
    IdeFault fault;
    struct IdeFaultEntry *next;
} IdeFaultEntry;

static uint64_t sectors_of(const IdeDrive *d)
{
    return d->is_cd ? mmc_sectors(&d->mmc) : d->nb_sectors;
}

IdeFaultResult ide_fault(IdeDrive *d, bool write, uint64_t lba, uint64_t count, uint64_t *where)
{
    for (IdeFaultEntry **p = &d->faults, *e = *p; e; p = &e->next, e = *p) {
        IdeFault *f = &e->fault;
        IdeFaultResult r = f->kind == IDE_FAULT_KIND_UNC ? IDE_FAULT_UNC
                           : f->kind == IDE_FAULT_KIND_CRC ? IDE_FAULT_CRC : IDE_FAULT_TIMEOUT;

        if (lba >= f->lba + f->count || f->lba >= lba + count || (r == IDE_FAULT_UNC && write)) {
            continue;
        }
        *where = MAX(lba, f->lba);
        if (f->has_times && --f->times == 0) {
            *p = e->next;
            g_free(e);
        }
        return r;
    }
    return IDE_FAULT_NONE;
}

void ide_faults_clear(IdeDrive *d)
{
    while (d->faults) {
        IdeFaultEntry *e = d->faults;

        d->faults = e->next;
        g_free(e);
    }
}

static IdeDrive *find_drive(const char *id, Error **errp)
{
    Device *dev = device_find(id);

    if (!dev || !object_is_a(dev, TYPE_IDE_DRIVE) || !dev->realized) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE,
                        "Device '%s' is no IDE or SATA drive", id);
        error_argument(errp, "id", id, "the id or path of an ide-hd or ide-cd");
        return NULL;
    }
    return IDE_DRIVE(dev);
}

static void lock(IdeDrive *d, bool on)
{
    const IdeTransport *t = d->channel->ops;

    if (t && t->lock) {
        (on ? t->lock : t->unlock)(d->channel->opaque);
    }
}

static bool add_fault(IdeDrive *d, IdeFaultEntry *e, Error **errp)
{
    IdeFaultEntry **p = &d->faults;
    unsigned n = 0;

    for (; *p; p = &(*p)->next) {
        n++;
    }
    if (n >= FAULTS_MAX) {
        error_setf(errp, ERR_IN_USE, "the drive has %u faults already, and that is as many as there may be", n);
        return false;
    }
    *p = e;
    return true;
}

bool qmp_x_ide_inject_fault(const char *id, uint64_t lba, bool has_count, uint64_t count, IdeFaultKind kind,
                            bool has_times, uint32_t times, Error **errp)
{
    IdeDrive *d = find_drive(id, errp);
    IdeFaultEntry *e;
    bool ok;

    if (!d) {
        return false;
    }
    count = has_count ? count : 1;
    if (!count || lba >= sectors_of(d) || count > sectors_of(d) - lba) {
        error_setf(errp, ERR_OUT_OF_RANGE, "drive '%s' has no sectors %" PRIu64 " to %" PRIu64
                   "; accepted: 0 to %" PRIu64, id, lba, lba + count - 1, sectors_of(d) - 1);
        error_argument(errp, "lba", NULL, NULL);
        return false;
    }
    if (has_times && !times) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'times' is 0; accepted: 1 and more");
        error_argument(errp, "times", "0", "1 and more");
        return false;
    }
    e = g_new(IdeFaultEntry, 1);
    *e = (IdeFaultEntry){ .fault = { .lba = lba, .count = count, .kind = kind, .has_times = has_times,
                                     .times = times } };
    lock(d, true);
    ok = add_fault(d, e, errp);
    lock(d, false);
    if (!ok) {
        g_free(e);
    }
    return ok;
}

bool qmp_x_ide_clear_faults(const char *id, Error **errp)
{
    IdeDrive *d = find_drive(id, errp);

    if (d) {
        lock(d, true);
        ide_faults_clear(d);
        lock(d, false);
    }
    return d;
}

IdeFaultList *qmp_x_query_ide_faults(const char *id, Error **errp)
{
    IdeDrive *d = find_drive(id, errp);
    IdeFaultList *list = d ? qapi_new(IdeFaultList) : NULL;

    if (!d) {
        return NULL;
    }
    lock(d, true);
    for (const IdeFaultEntry *e = d->faults; e; e = e->next) {
        IdeFault *f = qapi_new(IdeFault);

        *f = e->fault;
        qapi_list_append(list, f);
    }
    lock(d, false);
    return list;
}
