/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O threads. */
#include "util/osdep.h"
#include "hw/core/iothread.h"

#include <glib.h>

#include "qapi/commands-machine.h"
#include "util/thread.h"

typedef struct Errand {
    void (*fn)(void *opaque);
    void *opaque;
    Event done;
} Errand;

static void do_errand(void *opaque)
{
    Errand *e = opaque;

    e->fn(e->opaque);
    event_set(&e->done);
}

void iothread_run(EventLoop *loop, void (*fn)(void *opaque), void *opaque)
{
    Errand e = { .fn = fn, .opaque = opaque };

    assert(!in_io_thread());
    event_init(&e.done, false);
    bh_once(loop, do_errand, &e);
    big_unlock();
    event_wait(&e.done);
    big_lock();
}

static void note_thread(void *opaque)
{
    ((IOThread *)opaque)->thread_id = thread_tid();
}

static bool iothread_complete(Object *obj, Error **errp)
{
    IOThread *t = IOTHREAD(obj);

    if (t->poll_max_ns < 0 || t->poll_grow < 0 || t->poll_shrink < 0 || t->aio_max_batch < 0) {
        error_setf(errp, ERR_PROPERTY_RANGE, "properties 'poll-max-ns', 'poll-grow', 'poll-shrink' "
                   "and 'aio-max-batch' accept no negative numbers");
        return false;
    }
    t->loop = event_loop_new(obj->name ? obj->name : "iothread");
    event_loop_set_max_batch(t->loop, MIN(t->aio_max_batch, (int64_t)UINT32_MAX));
    iothread_run(t->loop, note_thread, t);
    return true;
}

static bool iothread_can_go(Object *obj, Error **errp)
{
    if (IOTHREAD(obj)->users) {
        error_setf(errp, ERR_IN_USE, "iothread '%s' is used by a device", obj->name);
        return false;
    }
    return true;
}

static void iothread_finalize(Object *obj)
{
    IOThread *t = IOTHREAD(obj);

    if (t->loop) {
        event_loop_free(t->loop);
    }
}

EventLoop *iothread_attach(IOThread *t)
{
    t->users++;
    return t->loop;
}

void iothread_detach(IOThread *t)
{
    t->users--;
}

/* Busy waiting isn't done: the numbers are kept for those who ask. */
static const Property iothread_props[] = {
    PROP_I64("poll-max-ns", IOThread, poll_max_ns, 32768, "most nanoseconds of busy waiting"),
    PROP_I64("poll-grow", IOThread, poll_grow, 0, "how that grows; 0: by the default"),
    PROP_I64("poll-shrink", IOThread, poll_shrink, 0, "how that shrinks; 0: by the default"),
    PROP_I64("aio-max-batch", IOThread, aio_max_batch, 0, "most requests in a batch; 0: the default"),
    PROP_I64("thread-pool-min", IOThread, thread_pool_min, 0, "workers that stay"),
    PROP_I64("thread-pool-max", IOThread, thread_pool_max, 64, "most workers"),
    PROP_END
};

static const TypeInfo iothread_info = {
    .name = TYPE_IOTHREAD, .desc = "a thread with an event loop for devices",
    .size = sizeof(IOThread), .user_creatable = true, .props = iothread_props,
    .complete = iothread_complete, .can_be_deleted = iothread_can_go,
    .finalize = iothread_finalize,
};
TYPE(iothread_info)

static int add_info(Object *obj, void *opaque)
{
    if (object_is_a(obj, TYPE_IOTHREAD)) {
        IOThreadInfoList *list = opaque;
        IOThread *t = IOTHREAD(obj);
        IOThreadInfo *info = qapi_new(IOThreadInfo);

        info->id = g_strdup(obj->name);
        info->thread_id = t->thread_id;
        info->poll_max_ns = t->poll_max_ns;
        info->poll_grow = t->poll_grow;
        info->poll_shrink = t->poll_shrink;
        info->aio_max_batch = t->aio_max_batch;
        qapi_list_append(list, info);
    }
    return 0;
}

IOThreadInfoList *qmp_query_iothreads(UNUSED Error **errp)
{
    IOThreadInfoList *list = qapi_new(IOThreadInfoList);

    object_child_foreach(object_container("/objects"), add_info, list);
    return list;
}
