/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about snapshots of the machine: jobs. */
#include "util/osdep.h"
#include "migration/snapshot.h"

#include <glib.h>
#include "block/job.h"
#include "qapi/commands-migration.h"
#include "util/coroutine.h"
#include "util/main-loop.h"

typedef struct SnapshotJob {
    JobType type;
    char *tag, *vmstate;
    strList *devices;           /* owned */
    Coroutine *co;
    bool ok;
    Error *err;
} SnapshotJob;

/* Outside of coroutines: it stops the machine and waits for its disks. */
static void work(void *opaque)
{
    SnapshotJob *j = opaque;
    const SnapshotWhere where = { j->vmstate, j->devices };

    switch (j->type) {
    case JOB_TYPE_SNAPSHOT_SAVE:
        j->ok = snapshot_save(j->tag, false, &where, &j->err);
        break;
    case JOB_TYPE_SNAPSHOT_LOAD:
        j->ok = snapshot_load(j->tag, &where, &j->err);
        break;
    default:
        j->ok = snapshot_delete(j->tag, &where, &j->err);
    }
    co_wake(j->co);
}

static bool coroutine_fn job_run(Job *job, void *opaque, Error **errp)
{
    SnapshotJob *j = opaque;

    job_progress(job, 0, 1);
    j->co = co_self();
    bh_once(NULL, work, j);
    job_stand_aside(job);
    job_progress(job, 1, 1);
    error_propagate(errp, j->err);
    j->err = NULL;
    return j->ok;
}

static void job_free(void *opaque)
{
    SnapshotJob *j = opaque;

    g_free(j->tag);
    g_free(j->vmstate);
    qapi_free_strList(j->devices);
    g_free(j);
}

static bool start(JobType type, const char *id, const char *tag, const char *vmstate,
                  const strList *devices, Error **errp)
{
    SnapshotJob *j = g_new0(SnapshotJob, 1);

    j->type = type;
    j->tag = g_strdup(tag);
    j->vmstate = g_strdup(vmstate);
    j->devices = qapi_clone(&qapi_type_strList, devices);
    if (!job_start(id, type, job_run, job_free, j, errp)) {
        job_free(j);
        return false;
    }
    return true;
}

bool qmp_snapshot_save(const char *job_id, const char *tag, const char *vmstate,
                       const strList *devices, Error **errp)
{
    return start(JOB_TYPE_SNAPSHOT_SAVE, job_id, tag, vmstate, devices, errp);
}

bool qmp_snapshot_load(const char *job_id, const char *tag, const char *vmstate,
                       const strList *devices, Error **errp)
{
    return start(JOB_TYPE_SNAPSHOT_LOAD, job_id, tag, vmstate, devices, errp);
}

bool qmp_snapshot_delete(const char *job_id, const char *tag, const strList *devices, Error **errp)
{
    return start(JOB_TYPE_SNAPSHOT_DELETE, job_id, tag, NULL, devices, errp);
}
