/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include <glib.h>
#include <sched.h>
#include "memory/host-set.h"
#include "memory/thread-context.h"
#include "util/main-loop.h"
#include "util/thread.h"

enum { HOST_CPUS = CPU_SETSIZE, HOST_NODES = 128 };

struct ThreadContext {
    Object obj;
    Thread thread;
    bool runs;
    int tid;                        /* of the host */
    uint64_t cpus[HOST_CPUS / 64];
    bool bound;                     /* to @cpus */
    uint64_t nodes[HOST_NODES / 64];
    Event wanted, done;
    void (*fn)(void *opaque);       /* NULL: it ends */
    void *opaque;
};
DEFINE_CAST(THREAD_CONTEXT, ThreadContext, TYPE_THREAD_CONTEXT)

static void *serve(void *opaque)
{
    ThreadContext *c = opaque;

    c->tid = thread_tid();
    event_set(&c->done);
    for (;;) {
        event_wait(&c->wanted);
        event_reset(&c->wanted);
        if (!c->fn) {
            return NULL;
        }
        c->fn(c->opaque);
        event_set(&c->done);
    }
}

void thread_context_run(ThreadContext *c, void (*fn)(void *opaque), void *opaque)
{
    c->fn = fn;
    c->opaque = opaque;
    event_reset(&c->done);
    event_set(&c->wanted);
    event_wait(&c->done);
}

static bool bind_thread(ThreadContext *c, Error **errp)
{
    cpu_set_t set;
    int r;

    if (!c->bound || !c->runs) {
        return true;
    }
    CPU_ZERO(&set);
    for (unsigned i = 0; i < HOST_CPUS; i++) {
        if (c->cpus[i / 64] >> i % 64 & 1) {
            CPU_SET(i, &set);
        }
    }
    r = pthread_setaffinity_np(c->thread.id, sizeof(set), &set);
    if (r) {
        error_set_errno(errp, r, "thread context '%s' can't be bound to these processors", c->obj.name);
    }
    return r == 0;
}

static bool complete(Object *obj, Error **errp)
{
    ThreadContext *c = THREAD_CONTEXT(obj);

    event_init(&c->wanted, false);
    event_init(&c->done, false);
    thread_create(&c->thread, "TC", serve, c);
    c->runs = true;
    event_wait(&c->done);
    return bind_thread(c, errp);
}

static void finalize(Object *obj)
{
    ThreadContext *c = THREAD_CONTEXT(obj);

    if (c->runs) {
        c->fn = NULL;
        event_set(&c->wanted);
        thread_join(&c->thread);
    }
}

/* --- properties --- */

/* The set that the thread has, whoever gave it. */
static QObject *get_cpus(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    ThreadContext *c = THREAD_CONTEXT(obj);
    uint64_t cpus[HOST_CPUS / 64];
    cpu_set_t set;

    memcpy(cpus, c->cpus, sizeof(cpus));
    if (c->runs && pthread_getaffinity_np(c->thread.id, sizeof(set), &set) == 0) {
        memset(cpus, 0, sizeof(cpus));
        for (unsigned i = 0; i < HOST_CPUS; i++) {
            cpus[i / 64] |= (uint64_t)!!CPU_ISSET(i, &set) << i % 64;
        }
    }
    return host_set_get(cpus, HOST_CPUS);
}

static bool set_cpus(Object *obj, const Property *p, const QObject *v, Error **errp)
{
    ThreadContext *c = THREAD_CONTEXT(obj);

    if (!host_set_put(c->cpus, HOST_CPUS, p->name, v, errp)) {
        return false;
    }
    c->bound = true;
    return bind_thread(c, errp);
}

static QObject *get_nodes(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return host_set_get(THREAD_CONTEXT(obj)->nodes, HOST_NODES);
}

/* "0-3,8" of a file in /sys. */
static bool add_cpus_of(unsigned node, uint64_t *cpus)
{
    char *path = g_strdup_printf("/sys/devices/system/node/node%u/cpulist", node), *text = NULL;
    bool ok = g_file_get_contents(path, &text, NULL, NULL);

    for (char *s = text, *end; ok && s && g_ascii_isdigit(*s); s = *end == ',' ? end + 1 : NULL) {
        uint64_t first = g_ascii_strtoull(s, &end, 10), last = first;

        if (*end == '-') {
            last = g_ascii_strtoull(end + 1, &end, 10);
        }
        ok = host_set_add(cpus, HOST_CPUS, first, last);
    }
    g_free(text);
    g_free(path);
    return ok;
}

static bool set_nodes(Object *obj, const Property *p, const QObject *v, Error **errp)
{
    ThreadContext *c = THREAD_CONTEXT(obj);

    if (!host_set_put(c->nodes, HOST_NODES, p->name, v, errp)) {
        return false;
    }
    memset(c->cpus, 0, sizeof(c->cpus));
    for (unsigned i = 0; i < HOST_NODES; i++) {
        if (c->nodes[i / 64] >> i % 64 & 1 && !add_cpus_of(i, c->cpus)) {
            error_setf(errp, ERR_PROPERTY_RANGE, "property 'node-affinity': the host doesn't tell of a NUMA node %u", i);
            return false;
        }
    }
    c->bound = true;
    return bind_thread(c, errp);
}

static QObject *get_tid(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return QOBJECT(qnum_from_int(THREAD_CONTEXT(obj)->tid));
}

static const Property props[] = {
    PROP_CUSTOM("cpu-affinity", "list", get_cpus, set_cpus, "the host's processors that its threads run on"),
    PROP_CUSTOM("node-affinity", "list", get_nodes, set_nodes, "the same by NUMA nodes of the host"),
    PROP_CUSTOM("thread-id", "int", get_tid, NULL, "the host's number of its thread"),
    PROP_END
};

static const TypeInfo info = {
    .name = TYPE_THREAD_CONTEXT, .size = sizeof(ThreadContext), .user_creatable = true, .props = props,
    .complete = complete, .finalize = finalize, .desc = "a thread of the host that others are made in",
};
TYPE(info)
