/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "block/job.h"
#include <glib.h>
#include "qapi/commands-job.h"
#include "qapi/events-job.h"
#include "qom/object.h"
#include "util/coroutine.h"
#include "util/main-loop.h"

struct Job {
    char *id;
    JobType type;
    JobStatus status;
    uint64_t current, total;
    char *error;
    bool cancelled;
    bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp);
    void (*done)(void *opaque);
    void *opaque;
    Job *next;
};

static Job *jobs;                       /* registry, oldest first */

static void go_on(Job *j, JobStatus status)
{
    j->status = status;
    qapi_event_send_job_status_change(j->id, status);
}

static void coroutine_fn job_entry(void *opaque)
{
    Job *j = opaque;
    Error *err = NULL;

    go_on(j, JOB_STATUS_RUNNING);
    if (j->run(j, j->opaque, &err)) {
        go_on(j, JOB_STATUS_WAITING);
        go_on(j, JOB_STATUS_PENDING);
    } else {
        j->error = g_strdup(error_message(err));
        error_free(err);
        go_on(j, JOB_STATUS_ABORTING);
    }
    if (j->done) {
        j->done(j->opaque);
    }
    go_on(j, JOB_STATUS_CONCLUDED);
}

static void begin(void *opaque)
{
    co_start(job_entry, opaque);
}

bool job_start(const char *id, JobType type, bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp),
               void (*done)(void *opaque), void *opaque, Error **errp)
{
    Job *j, **end = &jobs;

    if (!id_is_valid(id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid job ID '%s'", id);
        return false;
    }
    for (; *end; end = &(*end)->next) {
        if (strcmp((*end)->id, id) == 0) {
            error_setf(errp, ERR_DUPLICATE_ID, "Job ID '%s' already in use", id);
            return false;
        }
    }
    j = g_new0(Job, 1);
    *j = (Job){ .id = g_strdup(id), .type = type, .run = run, .done = done, .opaque = opaque };
    *end = j;
    go_on(j, JOB_STATUS_CREATED);
    bh_once(NULL, begin, j);
    return true;
}

void job_progress(Job *j, uint64_t current, uint64_t total)
{
    j->current = current;
    j->total = total;
}

bool job_cancelled(const Job *j)
{
    return j->cancelled;
}

/* --- the monitor's commands --- */

static Job **find(const char *id, Error **errp)
{
    Job **pp = &jobs;

    while (*pp && strcmp((*pp)->id, id)) {
        pp = &(*pp)->next;
    }
    if (!*pp) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "Job not found");
        error_argument(errp, "id", id, "an id that query-jobs lists");
        return NULL;
    }
    return pp;
}

JobInfoList *qmp_query_jobs(Error **errp)
{
    JobInfoList *list = qapi_new(JobInfoList);

    (void)errp;
    for (Job *j = jobs; j; j = j->next) {
        JobInfo *info = qapi_new(JobInfo);

        info->id = strdup(j->id);
        info->type = j->type;
        info->status = j->status;
        info->current_progress = j->current;
        info->total_progress = j->total;
        info->error = j->error ? strdup(j->error) : NULL;
        qapi_list_append(list, info);
    }
    return list;
}

bool qmp_job_dismiss(const char *id, Error **errp)
{
    Job **pp = find(id, errp), *j = pp ? *pp : NULL;

    if (!j) {
        return false;
    }
    if (j->status != JOB_STATUS_CONCLUDED) {
        error_setf(errp, ERR_WRONG_STATE, "Job '%s' in state '%s' cannot accept command verb 'dismiss'", id,
                   j->status == JOB_STATUS_RUNNING ? "running" : "created");
        return false;
    }
    go_on(j, JOB_STATUS_NULL);
    *pp = j->next;
    g_free(j->id);
    g_free(j->error);
    g_free(j);
    return true;
}

bool qmp_job_cancel(const char *id, Error **errp)
{
    Job **pp = find(id, errp);

    if (!pp) {
        return false;
    }
    if ((*pp)->status == JOB_STATUS_CONCLUDED) {
        error_setf(errp, ERR_WRONG_STATE, "Job '%s' in state 'concluded' cannot accept command verb "
                   "'cancel'", id);
        return false;
    }
    (*pp)->cancelled = true;
    return true;
}
