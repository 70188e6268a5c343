/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What monitors ask of jobs. */
#include "util/osdep.h"
#include <glib.h>
#include "block/job-int.h"
#include "qapi/commands-block-jobs.h"
#include "qapi/commands-job.h"

Job *job_find(const char *id, bool block_job, Error **errp)
{
    for (Job *j = job_first(); j; j = j->next) {
        if (strcmp(j->id, id) == 0 && (j->ops->block_job || !block_job)) {
            return j;
        }
    }
    if (block_job) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE, ERR_NO_SUCH_OBJECT, "Block job '%s' not found", id);
    } else {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Job not found");
    }
    error_argument(errp, block_job ? "device" : "id", id, "an id that query-jobs lists");
    return NULL;
}

bool job_refuse(const Job *j, const char *verb, Error **errp)
{
    error_setf(errp, ERR_WRONG_STATE, "Job '%s' in state '%s' cannot accept command verb '%s'", j->id,
               JobStatus_name(j->status), verb);
    return false;
}

static bool in_status(const Job *j, unsigned statuses)
{
    return statuses >> j->status & 1;
}

#define S(name) (1U << JOB_STATUS_##name)

bool job_pause(Job *j, Error **errp)
{
    if (!in_status(j, S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY))) {
        return job_refuse(j, "pause", errp);
    }
    if (j->user_paused) {
        error_setf(errp, ERR_WRONG_STATE, "Job is already paused");
        return false;
    }
    j->user_paused = true;
    job_wake(j);
    return true;
}

bool job_resume(Job *j, Error **errp)
{
    if (!in_status(j, S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY))) {
        return job_refuse(j, "resume", errp);
    }
    if (!j->user_paused) {
        error_setf(errp, ERR_WRONG_STATE, "Can't resume a job that was not paused");
        return false;
    }
    j->user_paused = false;
    j->io_status = 0;
    job_wake(j);
    return true;
}

bool job_cancel(Job *j, bool force, Error **errp)
{
    if (!in_status(j, S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY) | S(WAITING) | S(PENDING))) {
        return job_refuse(j, "cancel", errp);
    }
    j->force |= force || !j->ready;
    j->cancelled = true;
    if (j->has_run) {
        j->force = true;
        j->ok = false;
        if (j->status == JOB_STATUS_PENDING) {
            job_abort_pending(j);
        }
    } else {
        j->user_paused = false;
        job_wake(j);
    }
    return true;
}

bool job_complete(Job *j, Error **errp)
{
    if (j->status != JOB_STATUS_READY) {
        return job_refuse(j, "complete", errp);
    }
    if (j->user_paused || j->cancelled) {
        error_setf(errp, ERR_WRONG_STATE, "The active block job '%s' cannot be completed", j->id);
        return false;
    }
    j->completing = true;
    job_wake(j);
    return true;
}

bool job_dismiss(Job *j, Error **errp)
{
    if (j->status != JOB_STATUS_CONCLUDED) {
        return job_refuse(j, "dismiss", errp);
    }
    job_enter_status(j, JOB_STATUS_NULL);
    job_free(j);
    return true;
}

bool job_set_speed(Job *j, int64_t speed, Error **errp)
{
    if (speed < 0) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Parameter 'speed' expects a non-negative value");
        error_argument(errp, "speed", NULL, "0 and more");
        return false;
    }
    if (j->has_run) {
        return job_refuse(j, "set-speed", errp);
    }
    j->speed = speed;
    j->allowed_ns = 0;
    job_wake(j);
    return true;
}

/* --- query --- */

JobInfo *job_info(const Job *j)
{
    JobInfo *info = qapi_new(JobInfo);

    info->id = strdup(j->id);
    info->type = j->ops->type;
    info->status = j->status;
    info->current_progress = j->current;
    info->total_progress = j->current + j->left;
    info->error = j->error ? strdup(j->error) : NULL;
    return info;
}

BlockJobInfo *job_block_info(const Job *j)
{
    BlockJobInfo *info = qapi_new(BlockJobInfo);

    info->type = j->ops->type;
    info->device = strdup(j->id);
    info->len = j->current + j->left;
    info->offset = j->current;
    info->busy = !j->parked && (!j->sleeping || j->pieces);
    info->paused = j->user_paused;
    info->speed = j->speed;
    info->io_status = j->io_status == 0 ? BLOCK_DEVICE_IO_STATUS_OK
                      : j->io_status == ENOSPC ? BLOCK_DEVICE_IO_STATUS_NOSPACE
                      : BLOCK_DEVICE_IO_STATUS_FAILED;
    info->ready = j->ready;
    info->status = j->status;
    info->auto_finalize = !j->manual_finalize;
    info->auto_dismiss = !j->manual_dismiss;
    info->error = j->error ? strdup(j->error) : NULL;
    return info;
}

JobInfoList *qmp_query_jobs(UNUSED Error **errp)
{
    JobInfoList *list = qapi_new(JobInfoList);

    for (Job *j = job_first(); j; j = j->next) {
        qapi_list_append(list, job_info(j));
    }
    return list;
}

BlockJobInfoList *qmp_query_block_jobs(UNUSED Error **errp)
{
    BlockJobInfoList *list = qapi_new(BlockJobInfoList);

    for (Job *j = job_first(); j; j = j->next) {
        if (j->ops->block_job) {
            qapi_list_append(list, job_block_info(j));
        }
    }
    return list;
}

/* --- commands: any job, by job- names --- */

bool qmp_job_pause(const char *id, Error **errp)
{
    Job *j = job_find(id, false, errp);

    return j && job_pause(j, errp);
}

bool qmp_job_resume(const char *id, Error **errp)
{
    Job *j = job_find(id, false, errp);

    return j && job_resume(j, errp);
}

bool qmp_job_cancel(const char *id, Error **errp)
{
    Job *j = job_find(id, false, errp);

    return j && job_cancel(j, true, errp);
}

bool qmp_job_complete(const char *id, Error **errp)
{
    Job *j = job_find(id, false, errp);

    return j && job_complete(j, errp);
}

bool qmp_job_finalize(const char *id, Error **errp)
{
    Job *j = job_find(id, false, errp);

    return j && job_finalize(j, errp);
}

bool qmp_job_dismiss(const char *id, Error **errp)
{
    Job *j = job_find(id, false, errp);

    return j && job_dismiss(j, errp);
}

/* --- block jobs --- */

bool qmp_block_job_set_speed(const char *device, int64_t speed, Error **errp)
{
    Job *j = job_find(device, true, errp);

    return j && job_set_speed(j, speed, errp);
}

bool qmp_block_job_cancel(const char *device, bool has_force, bool force, Error **errp)
{
    Job *j = job_find(device, true, errp);

    force = has_force && force;
    if (j && j->user_paused && !force) {
        error_setf(errp, ERR_WRONG_STATE, "The block job for device '%s' is currently paused", device);
        return false;
    }
    return j && job_cancel(j, force, errp);
}

bool qmp_block_job_pause(const char *device, Error **errp)
{
    Job *j = job_find(device, true, errp);

    return j && job_pause(j, errp);
}

bool qmp_block_job_resume(const char *device, Error **errp)
{
    Job *j = job_find(device, true, errp);

    return j && job_resume(j, errp);
}

bool qmp_block_job_complete(const char *device, Error **errp)
{
    Job *j = job_find(device, true, errp);

    return j && job_complete(j, errp);
}

bool qmp_block_job_finalize(const char *id, Error **errp)
{
    Job *j = job_find(id, true, errp);

    return j && job_finalize(j, errp);
}

bool qmp_block_job_dismiss(const char *id, Error **errp)
{
    Job *j = job_find(id, true, errp);

    return j && job_dismiss(j, errp);
}
