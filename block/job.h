/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Background jobs: work that a monitor starts, watches and forgets. A job runs
 * as a coroutine of the main loop, and pieces of it as others; it ends outside
 * of coroutines, together with the other jobs of its transaction. Big lock.
 *
 *   created - running - ready - waiting - pending - concluded - null
 *             paused    standby                aborting
 *
 * "waiting" for the others of the transaction, "pending" until job-finalize
 * unless auto_finalize, "concluded" until job-dismiss unless auto_dismiss.
 */
#ifndef BLOCK_JOB_H
#define BLOCK_JOB_H

#include "block/block.h"
#include "qapi/types-block-jobs.h"
#include "qapi/types-job.h"
#include "qobject/error.h"
#include "util/coroutine.h"

typedef struct Job Job;
typedef struct JobTxn JobTxn;

typedef struct JobOps {
    JobType type;
    bool block_job;                 /* query-block-jobs shows it, and it has BLOCK_JOB_ events */
    bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp);
    /* All of the transaction have run well: the last step that may fail. NULL: none. */
    bool (*prepare)(Job *j, void *opaque, Error **errp);
    void (*commit)(Job *j, void *opaque);       /* all are prepared; NULL: nothing */
    void (*abort)(Job *j, void *opaque);        /* this one or another has failed; NULL: nothing */
    void (*clean)(void *opaque);    /* last, in any case; after job_start has failed it isn't called */
    /* A cancelled job that is ready ends well. */
    bool ends_well_when_cancelled;
} JobOps;

typedef struct JobSpec {
    const char *id;
    const JobOps *ops;
    bool manual_finalize, manual_dismiss;
    uint64_t speed;                 /* bytes a second, 0: no limit */
    JobTxn *txn;                    /* NULL: alone */
} JobSpec;

/* Makes a job, which waits for job_go. NULL: the id is wrong or taken. */
Job *job_new(const JobSpec *spec, void *opaque, Error **errp);
void job_go(Job *j);
/* It never went. discard: its opaque is the caller's; undo: it is aborted and cleaned. */
void job_discard(Job *j);
void job_undo(Job *j);

/* Starts @run(job, opaque, errp) soon, then @done(opaque). False, with errp set and @done not called:
 * the id is wrong or taken. The job's result is the return value. It stays until job-dismiss. */
bool job_start(const char *id, JobType type, bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp),
               void (*done)(void *opaque), void *opaque, Error **errp);
/* All or none: while one runs the others wait, and one that fails takes the others with it. */
JobTxn *job_txn_new(void);
void job_txn_unref(JobTxn *t);

/* --- for run() --- */

void job_progress(Job *j, uint64_t current, uint64_t total);
void job_advance(Job *j, uint64_t done);
/* What is left to do, besides what is done. */
void job_set_left(Job *j, uint64_t left);
uint64_t job_left(const Job *j);
/* Whether job-cancel was asked for: @run ends soon, with an error. */
bool job_cancelled(const Job *j);
/* Between pieces: yields while the job is paused. False: it is to end. */
bool coroutine_fn job_pause_point(Job *j);
/* Up to @ns, or until something happens to the job: a piece has ended, somebody wants something. */
void coroutine_fn job_wait_ns(Job *j, int64_t ns);
void coroutine_fn job_wait(Job *j);
/* Until co_wake: its work is done outside of it, by somebody who may drain nodes. */
void coroutine_fn job_stand_aside(Job *j);
void job_wake(Job *j);
/* From now on job-complete is allowed; until then, and after, job_completing tells whether it came. */
void job_set_ready(Job *j);
bool job_completing(const Job *j);
bool job_ready(const Job *j);
/* Cancelled when it was ready, and what there is shall be whole. */
bool job_cancelled_softly(const Job *j);

/* Runs @fn(opaque, offset, len) beside others, as soon as fewer than JOB_PIECES run and the speed
 * allows it. False: the job is to end. */
enum { JOB_PIECES = 16 };
typedef void coroutine_fn JobPieceFn(Job *j, void *opaque, uint64_t offset, uint64_t len);
bool coroutine_fn job_piece(Job *j, JobPieceFn *fn, void *opaque, uint64_t offset, uint64_t len);
void coroutine_fn job_pieces_end(Job *j);

/* A piece couldn't be read or written: what is to follow. BLOCK_JOB_ERROR is sent; for STOP the job
 * pauses. */
BlockErrorAction job_failure(Job *j, BlockdevOnError policy, bool reading, int error);

/* --- nodes that jobs use --- */

/* Nobody else may change it until job_drop_node; takes a reference. */
void job_take_node(Job *j, BlockNode *n);
/* Only a reference. */
void job_keep_node(Job *j, BlockNode *n);
void job_drop_nodes(Job *j);
/* Whether no job uses it; errp says which one does. */
bool block_node_free(const BlockNode *n, Error **errp);
/* All stand still, but for those that come to their end. Big lock. In a job's coroutine: all others. */
void jobs_hold(void);
void jobs_let_go(void);
/* All are cancelled and have ended. */
void jobs_end_all(void);

/* --- for the monitor's commands --- */

Job *job_find(const char *id, bool block_job, Error **errp);
Job *job_first(void);
Job *job_next(const Job *j);
const JobOps *job_ops(const Job *j);
const char *job_id(const Job *j);
JobInfo *job_info(const Job *j);
struct BlockJobInfo *job_block_info(const Job *j);
/* Verbs of commands; errp says in which status it is. */
bool job_pause(Job *j, Error **errp);
bool job_resume(Job *j, Error **errp);
bool job_cancel(Job *j, bool force, Error **errp);
bool job_complete(Job *j, Error **errp);
bool job_finalize(Job *j, Error **errp);
bool job_dismiss(Job *j, Error **errp);
bool job_set_speed(Job *j, int64_t speed, Error **errp);
void *job_opaque(const Job *j);

#endif
