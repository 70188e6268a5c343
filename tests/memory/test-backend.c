/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory back ends: what their options do to the host's memory. */
#include "util/osdep.h"
#include <glib.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>
#include "memory/memory.h"
#include "memory/ram.h"
#include "memory/thread-context.h"
#include "qapi/commands-objects.h"
#include "qobject/json.h"
#include "qom/object.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"
#include "util/thread.h"

/* @text: of the error that is expected; NULL: none is. */
static void add(Test *t, const char *json, const char *text)
{
    Error *err = NULL;
    char *copy = g_strdup(json);
    QDict *d = json_parse_dict(g_strdelimit(copy, "'", '"'), &err);
    bool ok = d && qmp_object_add(d, &err);

    if (ok != !text || (text && !strstr(error_message(err), text))) {
        test_fail(t, "%s: %s", json, ok ? "it is made" : error_message(err));
    }
    error_free(err);
    qobject_unref(d);
    g_free(copy);
}

static uint64_t pages_taken(const RamBlock *block)
{
    size_t page = sysconf(_SC_PAGESIZE), n = block->size / page;
    unsigned char *there = g_malloc0(n);
    uint64_t count = 0;

    mincore(block->host, block->size, there);
    for (size_t i = 0; i < n; i++) {
        count += there[i] & 1;
    }
    g_free(there);
    return count;
}

TEST(backend, memory_is_taken_at_once)
{
    static const char *const more[] = {
        "", ", 'prealloc-threads': 7", ", 'prealloc-context': 'tc'", ", 'prealloc-context': 'tc', 'prealloc-threads': 3",
        ", 'share': true, 'prealloc-threads': 2",
    };

    main_loop_init();
    add(t, "{'qom-type': 'thread-context', 'id': 'tc'}", NULL);
    add(t, "{'qom-type': 'memory-backend-ram', 'id': 'lazy', 'size': 8388608}", NULL);
    add(t, "{'qom-type': 'memory-backend-ram', 'id': 'p', 'size': 4096, 'x-use-canonical-path-for-ramblock-id': true}", NULL);
    check_true(t, ram_block_find("/objects/p") && !ram_block_find("p"), "a block has its object's path as its id");
    check_int(t, pages_taken(ram_block_find("lazy")), 0, "nothing is, without prealloc");
    for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
        char *json = g_strdup_printf("{'qom-type': 'memory-backend-ram', 'id': 'm%zu', 'size': 8388608, 'prealloc': true%s}", i, more[i]);
        char *id = g_strdup_printf("m%zu", i);
        RamBlock *block;

        add(t, json, NULL);
        block = ram_block_find(id);
        if (check_true(t, block, "it is there")) {
            check_int(t, pages_taken(block), block->size / sysconf(_SC_PAGESIZE), json);
        }
        g_free(id);
        g_free(json);
    }
    add(t, "{'qom-type': 'memory-backend-ram', 'id': 'x', 'size': 4096, 'prealloc-context': 'lazy'}", "thread-context");
}

typedef struct Where {
    cpu_set_t set;
    int tid;
} Where;

static void look(void *opaque)
{
    Where *w = opaque;

    sched_getaffinity(0, sizeof(w->set), &w->set);
    w->tid = thread_tid();
}

TEST(backend, thread_contexts_are_bound)
{
    Object *c;
    Where w;
    QObject *v;
    int64_t tid;

    main_loop_init();
    CPU_ZERO(&w.set);
    sched_getaffinity(0, sizeof(w.set), &w.set);
    if (!CPU_ISSET(0, &w.set)) {
        test_skip(t, "the first processor isn't ours");
        return;
    }
    add(t, "{'qom-type': 'thread-context', 'id': 'bound', 'cpu-affinity': [0]}", NULL);
    c = user_object_find("bound", TYPE_THREAD_CONTEXT, NULL);
    if (!check_true(t, c, "it is there")) {
        return;
    }
    thread_context_run((ThreadContext *)c, look, &w);
    check_true(t, CPU_COUNT(&w.set) == 1 && CPU_ISSET(0, &w.set), "it runs on that processor only");
    check_true(t, object_get_int(c, "thread-id", &tid, NULL) && tid == w.tid && tid != thread_tid(), "in a thread of its own");
    v = object_get(c, "cpu-affinity", NULL);
    check_true(t, v && qobject_to_list(v) && qlist_size(qobject_to_list(v)) == 1, "which it tells");
    qobject_unref(v);
    add(t, "{'qom-type': 'thread-context', 'id': 't2', 'cpu-affinity': [100000]}", "numbers below");
    add(t, "{'qom-type': 'thread-context', 'id': 't3', 'node-affinity': [127]}", "NUMA node 127");
}

TEST(backend, files)
{
    char *path = g_build_filename(test_tmpdir(t), "memory", NULL), *json;
    RamBlock *block;

    main_loop_init();
#define WITH(more) "{'qom-type': 'memory-backend-file', 'id': 'f', 'size': 4194304, 'mem-path': '%s'" more "}"
    json = g_strdup_printf(WITH(", 'align': 3"), path);
    add(t, json, "powers of two");
    g_free(json);
    json = g_strdup_printf(WITH(", 'align': 8388608"), path);
    add(t, json, "powers of two that the size");
    g_free(json);
    json = g_strdup_printf(WITH(", 'pmem': true"), path);
    add(t, json, "'share=on'");
    g_free(json);
    json = g_strdup_printf(WITH(", 'align': 4194304, 'share': true, 'prealloc': true"), path);
    add(t, json, NULL);
    block = ram_block_find("f");
    if (check_true(t, block, "it is there")) {
        check_int(t, (uintptr_t)block->host % (4 * MIB), 0, "at such an address");
        check_int(t, pages_taken(block), block->size / sysconf(_SC_PAGESIZE), "all of it");
    }
    g_free(json);
    g_free(path);
}
