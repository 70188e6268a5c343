/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Background jobs: work that a monitor starts, watches and forgets. A job runs
 * as a coroutine of the main loop; when it has ended it stays as "concluded"
 * until job-dismiss. Big lock.
 */
#ifndef BLOCK_JOB_H
#define BLOCK_JOB_H

#include "qapi/types-job.h"
#include "qobject/error.h"

typedef struct Job Job;

/* Starts @run(job, opaque, errp) soon, then @done(opaque). False, with errp set and @done not called:
 * the id is wrong or taken. The job's result is the return value. */
bool job_start(const char *id, JobType type, bool coroutine_fn (*run)(Job *j, void *opaque, Error **errp),
               void (*done)(void *opaque), void *opaque, Error **errp);
void job_progress(Job *j, uint64_t current, uint64_t total);
/* Whether job-cancel was asked for: @run ends soon, with an error. */
bool job_cancelled(const Job *j);

#endif
