/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs while they run: progress, pauses, pieces side by side, speed, errors, the nodes that they use. */
#include "util/osdep.h"
#include <glib.h>
#include "block/job-int.h"
#include "qapi/events-block-jobs.h"

static unsigned hold;                   /* jobs_hold less jobs_let_go */

/* --- progress --- */

void job_progress(Job *j, uint64_t current, uint64_t total)
{
    j->current = current;
    j->left = total - MIN(current, total);
}

void job_advance(Job *j, uint64_t done)
{
    j->current += done;
    j->left -= MIN(j->left, done);
}

void job_set_left(Job *j, uint64_t left)
{
    j->left = left;
}

uint64_t job_left(const Job *j)
{
    return j->left;
}

bool job_cancelled(const Job *j)
{
    return j->cancelled;
}

bool job_completing(const Job *j)
{
    return j->completing;
}

bool job_ready(const Job *j)
{
    return j->ready;
}

bool job_cancelled_softly(const Job *j)
{
    return j->cancelled && !j->force && j->ready && j->ops->ends_well_when_cancelled;
}

void job_set_ready(Job *j)
{
    if (!j->ready) {
        j->ready = true;
        job_enter_status(j, JOB_STATUS_READY);
        if (j->ops->block_job) {
            qapi_event_send_block_job_ready(j->ops->type, j->id, j->current + j->left, j->current, j->speed);
        }
    }
}

/* --- waiting --- */

void job_wake(Job *j)
{
    if (j->sleeping) {
        j->sleeping = false;
        timer_del(&j->timer);
        co_wake(j->co);
    }
}

void coroutine_fn job_wait(Job *j)
{
    j->sleeping = true;
    co_yield();
}

void coroutine_fn job_stand_aside(Job *j)
{
    j->parked = true;
    co_yield();
    j->parked = false;
}

void coroutine_fn job_wait_ns(Job *j, int64_t ns)
{
    timer_mod_ns(&j->timer, clock_get_ns(CLOCK_RT) + ns);
    job_wait(j);
}

bool coroutine_fn job_pause_point(Job *j)
{
    bool told = false;

    while (!j->cancelled && (j->user_paused || hold)) {
        if (j->pieces) {
            job_wait(j);
            continue;
        }
        if (j->user_paused && !told) {
            told = true;
            job_enter_status(j, j->ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED);
        }
        j->parked = true;
        job_wait(j);
        j->parked = false;
    }
    if (told) {
        job_enter_status(j, j->ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING);
    }
    return !j->cancelled;
}

/* --- pieces --- */

typedef struct Piece {
    Job *j;
    JobPieceFn *fn;
    void *opaque;
    uint64_t offset, len;
} Piece;

static void coroutine_fn piece_entry(void *opaque)
{
    Piece *p = opaque;
    Job *j = p->j;

    p->fn(j, p->opaque, p->offset, p->len);
    g_free(p);
    j->pieces--;
    job_wake(j);
}

/* At 0 bytes a second there is no limit. A piece is let through when the ones before have had their
 * time. */
static void coroutine_fn wait_for_speed(Job *j, uint64_t len)
{
    int64_t now = clock_get_ns(CLOCK_RT);

    while (j->speed && now < j->allowed_ns && !j->cancelled && !j->user_paused && !hold) {
        job_wait_ns(j, j->allowed_ns - now);
        now = clock_get_ns(CLOCK_RT);
    }
    if (j->speed) {
        j->allowed_ns = MAX(now, j->allowed_ns) +
                        (int64_t)((double)len * NS_PER_SECOND / (double)j->speed);
    }
}

bool coroutine_fn job_piece(Job *j, JobPieceFn *fn, void *opaque, uint64_t offset, uint64_t len)
{
    Piece *p;

    wait_for_speed(j, len);
    if (!job_pause_point(j)) {
        return false;
    }
    while (j->pieces >= JOB_PIECES) {
        job_wait(j);
        if (!job_pause_point(j)) {
            return false;
        }
    }
    p = g_new(Piece, 1);
    *p = (Piece){ j, fn, opaque, offset, len };
    j->pieces++;
    co_start(piece_entry, p);
    return true;
}

void coroutine_fn job_pieces_end(Job *j)
{
    while (j->pieces) {
        job_wait(j);
    }
}

/* --- errors --- */

BlockErrorAction job_failure(Job *j, BlockdevOnError policy, bool reading, int error)
{
    BlockErrorAction a;

    switch (policy) {
    case BLOCKDEV_ON_ERROR_IGNORE:
        a = BLOCK_ERROR_IGNORE;
        break;
    case BLOCKDEV_ON_ERROR_STOP:
        a = BLOCK_ERROR_STOP;
        break;
    case BLOCKDEV_ON_ERROR_ENOSPC:
    case BLOCKDEV_ON_ERROR_AUTO:
        a = error == ENOSPC ? BLOCK_ERROR_STOP : BLOCK_ERROR_REPORT;
        break;
    default:
        a = BLOCK_ERROR_REPORT;
    }
    qapi_event_send_block_job_error(j->id, reading ? IO_OPERATION_TYPE_READ : IO_OPERATION_TYPE_WRITE,
                                    a == BLOCK_ERROR_STOP ? BLOCK_IO_ERROR_ACTION_STOP
                                    : a == BLOCK_ERROR_IGNORE ? BLOCK_IO_ERROR_ACTION_IGNORE
                                    : BLOCK_IO_ERROR_ACTION_REPORT);
    if (a == BLOCK_ERROR_STOP) {
        j->user_paused = true;
        j->io_status = error;
    }
    return a;
}

/* --- nodes --- */

static void add_node(Job *j, BlockNode *n, bool taken)
{
    JobNode *jn = g_new(JobNode, 1);

    *jn = (JobNode){ block_node_ref(n), taken, j->nodes };
    j->nodes = jn;
    n->job_refs++;
    if (taken) {
        n->job = j;
    }
}

void job_take_node(Job *j, BlockNode *n)
{
    add_node(j, n, true);
}

void job_keep_node(Job *j, BlockNode *n)
{
    add_node(j, n, false);
}

void job_drop_nodes(Job *j)
{
    JobNode *list = j->nodes, *next;

    j->nodes = NULL;
    for (; list; list = next) {
        next = list->next;
        if (list->taken) {
            list->n->job = NULL;
        }
        list->n->job_refs--;
        block_node_unref(list->n);
        g_free(list);
    }
}

bool block_node_free(const BlockNode *n, Error **errp)
{
    if (n->job) {
        error_setf(errp, ERR_IN_USE, "Node '%s' is busy: block device is in use by block job: %s", n->name,
                   JobType_name(n->job->ops->type));
        return false;
    }
    return true;
}

/* Other jobs change images themselves (snapshot-save), and mustn't wait for their own end. */
void jobs_hold(void)
{
    hold++;
    for (Job *j = job_first(); j; j = j->next) {
        job_wake(j);
        while (!j->parked && j->ops->block_job) {
            if (in_main_thread()) {
                main_loop_iterate(true);
            } else {
                big_lock_rest();
            }
        }
    }
}

void jobs_let_go(void)
{
    hold--;
    for (Job *j = job_first(); j && !hold; j = j->next) {
        job_wake(j);
    }
}
