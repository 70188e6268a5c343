/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object iothread: a thread with an event loop, in which devices that have a property "iothread"
 * serve their queues without the big lock. It can go when no device uses it. Big lock.
 */
#ifndef HW_CORE_IOTHREAD_H
#define HW_CORE_IOTHREAD_H

#include "qom/object.h"
#include "util/main-loop.h"

#define TYPE_IOTHREAD   "iothread"

typedef struct IOThread {
    Object obj;
    EventLoop *loop;            /* owned; from .complete on */
    int thread_id;              /* of the host */
    unsigned users;             /* devices */
    int64_t poll_max_ns, poll_grow, poll_shrink, aio_max_batch;
    int64_t thread_pool_min, thread_pool_max;
} IOThread;
DEFINE_CAST(IOTHREAD, IOThread, TYPE_IOTHREAD)

/* A device begins and ends to use it; the reference stays the caller's property's. */
EventLoop *iothread_attach(IOThread *t);
void iothread_detach(IOThread *t);
/* Run @fn in the loop's thread and wait until it has returned. The big lock is released meanwhile,
 * since the thread may need it. Not in an I/O thread. */
void iothread_run(EventLoop *loop, void (*fn)(void *opaque), void *opaque);

#endif
