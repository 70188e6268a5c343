/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: from their making to their end. */
#include "util/osdep.h"
#include <glib.h>
#include "block/job-int.h"
#include "qapi/events-block-jobs.h"
#include "qapi/events-job.h"
#include "qom/object.h"

static Job *jobs;                       /* registry, oldest first */

Job *job_first(void)
{
    return jobs;
}

Job *job_next(const Job *j)
{
    return j->next;
}

const JobOps *job_ops(const Job *j)
{
    return j->ops;
}

const char *job_id(const Job *j)
{
    return j->id;
}

void *job_opaque(const Job *j)
{
    return j->opaque;
}

void job_enter_status(Job *j, JobStatus status)
{
    j->status = status;
    qapi_event_send_job_status_change(j->id, status);
}

/* --- transactions --- */

JobTxn *job_txn_new(void)
{
    JobTxn *t = g_new0(JobTxn, 1);

    t->refs = 1;
    return t;
}

void job_txn_unref(JobTxn *t)
{
    if (t && --t->refs == 0) {
        g_free(t);
    }
}

/* --- the beginning --- */

static void coroutine_fn job_entry(void *opaque)
{
    Job *j = opaque;
    Error *err = NULL;

    if (job_pause_point(j)) {
        j->ok = j->ops->run(j, j->opaque, &err);
    }
    job_pieces_end(j);
    if (!j->ok && !j->error) {
        j->error = g_strdup(err ? error_message(err) : j->cancelled ? "Operation canceled"
                            : "Input/output error");
    }
    error_free(err);
    j->co = NULL;
    j->parked = true;
    bh_once(NULL, job_has_run, j);
}

static void begin(void *opaque)
{
    Job *j = opaque;

    if (j->cancelled) {
        j->error = g_strdup("Operation canceled");
        job_has_run(j);
        return;
    }
    j->parked = false;
    j->co = co_new(job_entry, j);
    job_enter_status(j, JOB_STATUS_RUNNING);
    co_enter(j->co);
}

static void timer_fired(void *opaque)
{
    job_wake(opaque);
}

Job *job_new(const JobSpec *spec, void *opaque, Error **errp)
{
    Job *j, **end = &jobs;

    if (!id_is_valid(spec->id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid job ID '%s'", spec->id);
        return NULL;
    }
    for (; *end; end = &(*end)->next) {
        if (strcmp((*end)->id, spec->id) == 0) {
            error_setf(errp, ERR_DUPLICATE_ID, "Job ID '%s' already in use", spec->id);
            return NULL;
        }
    }
    j = g_new0(Job, 1);
    *j = (Job){ .id = g_strdup(spec->id), .ops = spec->ops, .opaque = opaque, .parked = true,
                .manual_finalize = spec->manual_finalize, .manual_dismiss = spec->manual_dismiss,
                .speed = spec->speed, .txn = spec->txn ? spec->txn : job_txn_new() };
    if (spec->txn) {
        j->txn->refs++;
    }
    timer_init_ns(&j->timer, CLOCK_RT, timer_fired, j);
    *end = j;
    job_enter_status(j, JOB_STATUS_CREATED);
    return j;
}

void job_go(Job *j)
{
    bh_once(NULL, begin, j);
}

void job_free(Job *j)
{
    Job **pp = &jobs;

    while (*pp != j) {
        pp = &(*pp)->next;
    }
    *pp = j->next;
    timer_del(&j->timer);
    job_drop_nodes(j);
    job_txn_unref(j->txn);
    if (j->free_opaque) {
        j->free_opaque(j->opaque);
    }
    g_free(j->id);
    g_free(j->error);
    g_free(j);
}

void job_discard(Job *j)
{
    job_enter_status(j, JOB_STATUS_NULL);
    job_free(j);
}

void job_undo(Job *j)
{
    if (j->ops->abort) {
        j->ops->abort(j, j->opaque);
    }
    if (j->ops->clean) {
        j->ops->clean(j->opaque);
    }
    job_discard(j);
}

typedef struct Simple {
    JobOps ops;
    bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp);
    void (*done)(void *opaque);
    void *opaque;
} Simple;

static bool coroutine_fn simple_run(Job *j, void *opaque, Error **errp)
{
    Simple *s = opaque;

    return s->run(j, s->opaque, errp);
}

static void simple_clean(void *opaque)
{
    Simple *s = opaque;

    if (s->done) {
        s->done(s->opaque);
    }
}

static void simple_free(void *opaque)
{
    g_free(opaque);
}

bool job_start(const char *id, JobType type, bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp),
               void (*done)(void *opaque), void *opaque, Error **errp)
{
    Simple *s = g_new0(Simple, 1);
    JobSpec spec = { .id = id, .ops = &s->ops, .manual_dismiss = true };
    Job *j;

    *s = (Simple){ { .type = type, .run = simple_run, .clean = simple_clean }, run, done, opaque };
    j = job_new(&spec, s, errp);
    if (!j) {
        g_free(s);
        return false;
    }
    j->free_opaque = simple_free;
    job_go(j);
    return true;
}

/* --- the end --- */

static void send_end(Job *j)
{
    int64_t len = j->current + j->left, offset = j->current, speed = j->speed;
    bool soft = job_cancelled_softly(j);

    if (!j->ops->block_job) {
        return;
    }
    if (j->cancelled && !soft && (!j->failed_before_cancel || j->force)) {
        qapi_event_send_block_job_cancelled(j->ops->type, j->id, len, offset, speed);
    } else {
        qapi_event_send_block_job_completed(j->ops->type, j->id, len, offset, speed,
                                            j->aborted ? j->error : NULL);
    }
}

static void conclude(Job *j)
{
    if (j->ops->clean) {
        j->ops->clean(j->opaque);
    }
    job_drop_nodes(j);
    send_end(j);
    if (!j->free_opaque) {              /* it may hold the ops */
        j->opaque = NULL;
    }
    j->concluded = true;
    job_enter_status(j, JOB_STATUS_CONCLUDED);
    if (!j->manual_dismiss) {
        job_enter_status(j, JOB_STATUS_NULL);
        job_free(j);
    }
}

static void abort_one(Job *j)
{
    j->aborted = true;
    if (!j->error) {
        j->error = g_strdup("Operation canceled");
    }
    job_enter_status(j, JOB_STATUS_ABORTING);
    if (j->ops->abort) {
        j->ops->abort(j, j->opaque);
    }
}

/* The transaction's jobs in @which state of their end; a copy, since they go meanwhile. */
static GPtrArray *of_txn(const JobTxn *t)
{
    GPtrArray *list = g_ptr_array_new();

    for (Job *j = jobs; j; j = j->next) {
        if (j->txn == t && !j->concluded) {
            g_ptr_array_add(list, j);
        }
    }
    return list;
}

/* All have run, some may have failed. */
static void abort_all(JobTxn *t)
{
    GPtrArray *list = of_txn(t);

    for (guint i = 0; i < list->len; i++) {
        abort_one(list->pdata[i]);
    }
    for (guint i = 0; i < list->len; i++) {
        conclude(list->pdata[i]);
    }
    g_ptr_array_free(list, true);
}

static void finalize_all(JobTxn *t)
{
    GPtrArray *list = of_txn(t);
    bool ok = true;

    for (guint i = 0; i < list->len && ok; i++) {
        Job *j = list->pdata[i];
        Error *err = NULL;

        ok = !j->ops->prepare || j->ops->prepare(j, j->opaque, &err);
        if (!ok) {
            j->error = g_strdup(error_message(err));
            error_free(err);
        }
    }
    if (!ok) {
        abort_all(t);
    } else {
        for (guint i = 0; i < list->len; i++) {
            Job *j = list->pdata[i];

            if (j->ops->commit) {
                j->ops->commit(j, j->opaque);
            }
        }
        for (guint i = 0; i < list->len; i++) {
            conclude(list->pdata[i]);
        }
    }
    g_ptr_array_free(list, true);
}

/* Everybody of the transaction waits: on to the end, or to pending. */
static void all_wait(JobTxn *t)
{
    GPtrArray *list = of_txn(t);
    bool all = true;

    for (guint i = 0; i < list->len; i++) {
        Job *j = list->pdata[i];

        job_enter_status(j, JOB_STATUS_PENDING);
        if (j->manual_finalize) {
            all = false;
            if (j->ops->block_job) {
                qapi_event_send_block_job_pending(j->ops->type, j->id);
            }
        }
    }
    g_ptr_array_free(list, true);
    if (all) {
        finalize_all(t);
    }
}

bool job_finalize(Job *j, Error **errp)
{
    if (j->status != JOB_STATUS_PENDING || !j->manual_finalize) {
        return job_refuse(j, "finalize", errp);
    }
    finalize_all(j->txn);
    return true;
}

/* Main loop; the coroutine has ended. */
void job_has_run(void *opaque)
{
    Job *j = opaque;
    JobTxn *t = j->txn;
    bool all = true, failed = false;

    j->has_run = true;
    if (j->cancelled && !job_cancelled_softly(j)) {
        j->failed_before_cancel = !j->ok && j->error && strcmp(j->error, "Operation canceled");
        j->ok = false;
    }
    if (j->ok) {
        job_enter_status(j, JOB_STATUS_WAITING);
    }
    for (Job *o = jobs; o; o = o->next) {
        if (o->txn == t && !o->concluded) {
            if (!j->ok && !o->has_run && !o->cancelled) {
                o->cancelled = o->force = true;
                job_wake(o);
            }
            all &= o->has_run;
            failed |= o->has_run && !o->ok;
        }
    }
    if (all && failed) {
        abort_all(t);
    } else if (all) {
        all_wait(t);
    }
}

/* Cancelled while it is pending. */
void job_abort_pending(Job *j)
{
    abort_all(j->txn);
}

void jobs_end_all(void)
{
    for (Job *j = jobs; j;) {
        Job *next = j->next;

        if (j->concluded) {
            j->manual_dismiss = true;
        } else if (j->status == JOB_STATUS_PENDING) {
            j->cancelled = j->force = j->manual_dismiss = true;
            job_abort_pending(j);
            next = jobs;
        } else {
            j->cancelled = j->force = j->manual_dismiss = true;
            job_wake(j);
        }
        j = next;
    }
    for (Job *j = jobs; j; j = j->next) {
        while (!j->concluded) {
            main_loop_iterate(true);
        }
    }
}
