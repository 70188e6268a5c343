/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of jobs: what job.c (their life), job-run.c (running) and job-qmp.c (commands) share. */
#ifndef BLOCK_JOB_INT_H
#define BLOCK_JOB_INT_H

#include "block/job.h"
#include "util/timer.h"

struct JobTxn {
    unsigned refs;
};

typedef struct JobNode {
    BlockNode *n;                   /* a reference */
    bool taken;                     /* nobody else may change it */
    struct JobNode *next;
} JobNode;

struct Job {
    char *id;
    const JobOps *ops;
    void *opaque;
    void (*free_opaque)(void *opaque);      /* with the job; NULL: clean did it */
    JobTxn *txn;
    JobStatus status;
    bool manual_finalize, manual_dismiss;
    uint64_t current, left;         /* progress */
    char *error;                    /* why it has failed */

    bool ok;                        /* what run() returned */
    bool has_run, aborted, concluded;
    bool cancelled, force, failed_before_cancel;
    bool ready, completing;
    bool user_paused;
    int io_status;                  /* 0, or the error that paused it */

    Coroutine *co;                  /* of run(); NULL: it doesn't run */
    bool parked;                    /* nothing of it is under way */
    bool sleeping;                  /* job_wake() enters it */
    Timer timer;
    unsigned pieces;                /* that run */

    uint64_t speed;                 /* bytes a second, 0: no limit */
    int64_t allowed_ns;             /* CLOCK_RT when the next piece may start */

    JobNode *nodes;
    Job *next;
};

void job_enter_status(Job *j, JobStatus status);
void job_has_run(void *job);
void job_free(Job *j);
void job_abort_pending(Job *j);
bool job_refuse(const Job *j, const char *verb, Error **errp);

#endif
