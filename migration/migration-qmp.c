/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about migration. */
#include "util/osdep.h"
#include "migration/migration.h"

#include "migration/options.h"
#include "net/announce.h"
#include "qapi/commands-migration.h"
#include "vmstate/blocker.h"

static int add_reason(const char *reason, void *opaque)
{
    strList *list = opaque;

    qapi_list_append(list, strdup(reason));
    return 0;
}

MigrationInfo *qmp_query_migrate(Error **errp)
{
    MigrationInfo *info = qapi_new(MigrationInfo);
    strList *reasons = qapi_new(strList);

    (void)errp;
    outgoing_query(info);
    if (!info->has_status) {
        incoming_query(info);
    }
    migration_blocker_foreach(add_reason, reasons);
    if (reasons->n) {
        info->blocked_reasons = reasons;
    } else {
        qapi_free_strList(reasons);
    }
    return info;
}

bool qmp_migrate(const char *uri, bool has_blk, bool blk, bool has_inc, bool inc, bool has_detach,
                 bool detach, bool has_resume, bool resume, Error **errp)
{
    (void)has_detach;
    (void)detach;
    if ((has_blk && blk) || (has_inc && inc)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "migrate doesn't copy disks");
        error_hint(errp, "use blockdev-mirror, and shared storage");
        return false;
    }
    if (has_resume && resume) {
        return outgoing_resume(uri, errp);
    }
    return outgoing_start(uri, errp);
}

bool qmp_migrate_incoming(const char *uri, Error **errp)
{
    return incoming_start(uri, errp);
}

bool qmp_migrate_cancel(Error **errp)
{
    (void)errp;
    outgoing_cancel();
    return true;
}

bool qmp_migrate_continue(MigrationStatus state, Error **errp)
{
    return outgoing_continue(state, errp);
}

bool qmp_migrate_pause(Error **errp)
{
    if (outgoing_pause() || incoming_pause()) {
        return true;
    }
    error_setf(errp, ERR_WRONG_STATE,
               "migrate-pause is currently only supported during postcopy-active state");
    return false;
}

bool qmp_migrate_recover(const char *uri, Error **errp)
{
    return incoming_recover(uri, errp);
}

bool qmp_migrate_start_postcopy(Error **errp)
{
    return outgoing_start_postcopy(errp);
}

bool qmp_migrate_set_capabilities(const MigrationCapabilityStatusList *capabilities, Error **errp)
{
    return mig_caps_set(capabilities, errp);
}

MigrationCapabilityStatusList *qmp_query_migrate_capabilities(Error **errp)
{
    MigrationCapabilityStatusList *list = qapi_new(MigrationCapabilityStatusList);

    (void)errp;
    for (int c = 0; c < MIGRATION_CAPABILITY__MAX; c++) {
        MigrationCapabilityStatus *s = qapi_new(MigrationCapabilityStatus);

        s->capability = c;
        s->state = mig_cap(c);
        qapi_list_append(list, s);
    }
    return list;
}

bool qmp_migrate_set_parameters(const MigrateSetParameters *arg, Error **errp)
{
    return mig_params_set(arg, errp);
}

MigrationParameters *qmp_query_migrate_parameters(Error **errp)
{
    (void)errp;
    return qapi_clone(&qapi_type_MigrationParameters, mig_params());
}

void mig_announce(void)
{
    const MigrationParameters *p = mig_params();

    net_announce((int64_t)p->announce_initial, (int64_t)p->announce_max, (unsigned)p->announce_rounds,
                 (int64_t)p->announce_step, NULL);
}
