/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worker threads for what blocks or burns CPU. They hold no lock, start when
 * needed, up to a limit, and end after some idle seconds.
 */
#ifndef UTIL_THREAD_POOL_H
#define UTIL_THREAD_POOL_H

#include "util/osdep.h"

/* Runs in a worker; its result goes to whoever waits. */
typedef int ThreadPoolFn(void *arg);
/* Runs in the loop that was current at submission. */
typedef void ThreadPoolDone(void *opaque, int result);

typedef struct ThreadPoolJob ThreadPoolJob;

/* The job is valid until @done is called. @done may be NULL. */
ThreadPoolJob *thread_pool_submit(ThreadPoolFn *fn, void *arg,
                                  ThreadPoolDone *done, void *opaque);
/* If it hasn't begun, it won't: @done gets -ECANCELED. False: too late. */
bool thread_pool_cancel(ThreadPoolJob *job);
/* Run @fn(@arg) in a worker and yield until it has returned. */
int coroutine_fn thread_pool_co(ThreadPoolFn *fn, void *arg);
/* The same; one of the main loop may go on in the worker, under the big lock, as in a vCPU's thread:
 * that saves waking the main loop. */
int coroutine_fn thread_pool_co_fast(ThreadPoolFn *fn, void *arg);

#endif
