/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -numa: nodes, distances, CPUs. */
#include "util/osdep.h"
#include "hw/core/numa.h"

#include <glib.h>
#include "memory/backend.h"
#include "qobject/qobject.h"

static bool bad(Error **errp, const char *key, const char *v, const char *accepted)
{
    error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: %s", key, v ? v : "", accepted);
    error_argument(errp, key, v, NULL);
    return false;
}

/* @otherwise below 0: it must be there. */
static bool number(const QDict *d, const char *key, long max, long otherwise, long *n, Error **errp)
{
    const char *v = qdict_str_or(d, key, NULL);
    char *end;

    *n = otherwise;
    if (!v && otherwise >= 0) {
        return true;
    }
    *n = v ? strtol(v, &end, 10) : -1;
    if (!v || end == v || *end || *n < 0 || *n > max) {
        g_autofree char *accepted = g_strdup_printf("0 to %ld", max);

        return bad(errp, key, v, accepted);
    }
    return true;
}

static bool known(const QDict *d, const char *what, const char *const *keys, Error **errp)
{
    QDICT_FOR_EACH(e, d) {
        const char *const *k = keys;

        while (*k && strcmp(*k, e->key)) {
            k++;
        }
        if (!*k && strcmp(e->key, "type")) {
            g_autofree char *list = g_strjoinv(", ", (char **)keys);

            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "'%s' has no '%s'", what, e->key);
            error_argument(errp, e->key, NULL, list);
            return false;
        }
    }
    return true;
}

static bool assign(NumaConfig *n, unsigned cpu, unsigned node, Error **errp)
{
    if (n->cpu_node[cpu] >= 0 && n->cpu_node[cpu] != (int)node) {
        error_setf(errp, ERR_IN_USE, "CPU %u is in node %d already", cpu, n->cpu_node[cpu]);
        return false;
    }
    n->cpu_node[cpu] = (int16_t)node;
    return true;
}

/* "4" or "0-3". */
static bool cpu_range(NumaConfig *n, unsigned node, const char *text, Error **errp)
{
    unsigned first, last;
    int end = 0;

    if (sscanf(text, "%u-%u%n", &first, &last, &end) != 2 || !end || text[end]) {
        end = 0;
        if (sscanf(text, "%u%n", &first, &end) != 1 || text[end]) {
            return bad(errp, "cpus", text, "N, FIRST-LAST");
        }
        last = first;
    }
    if (first > last || last >= n->n_cpus) {
        g_autofree char *accepted = g_strdup_printf("0 to %u, those of -smp", n->n_cpus - 1);

        return bad(errp, "cpus", text, accepted);
    }
    for (unsigned i = first; i <= last; i++) {
        if (!assign(n, i, node, errp)) {
            return false;
        }
    }
    return true;
}

static bool size(const char *text, uint64_t *bytes, Error **errp)
{
    static const char letters[] = "KMGT";
    char *end;
    uint64_t v = g_ascii_strtoull(text, &end, 10);
    const char *l = *end ? strchr(letters, g_ascii_toupper(*end)) : NULL;
    unsigned shift = !*end ? 20 : l ? 10 * (unsigned)(l - letters + 1) : 0;

    if (end == text || *text == '-' || (*end && (!l || end[1])) || v > UINT64_MAX >> shift) {
        return bad(errp, "mem", text, "a size in MiB, or with a suffix K, M, G, T");
    }
    *bytes = v << shift;
    return true;
}

static bool add_node(NumaConfig *n, const QDict *d, Error **errp)
{
    static const char *const keys[] = { "nodeid", "mem", "memdev", "cpus", NULL };
    const char *mem = qdict_str_or(d, "mem", NULL), *memdev = qdict_str_or(d, "memdev", NULL);
    const char *cpus = qdict_str_or(d, "cpus", NULL);
    const QList *many = qobject_to_list(qdict_get(d, "cpus"));
    uint64_t bytes = 0;
    long id;

    if (!known(d, "node", keys, errp) ||
        !number(d, "nodeid", NUMA_MAX_NODES - 1, n->n_nodes, &id, errp) ||
        (mem && !size(mem, &bytes, errp))) {
        return false;
    }
    if (id != n->n_nodes) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'nodeid' is %ld; accepted: %u, the next one", id,
                   n->n_nodes);
        return false;
    }
    if (mem && memdev) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'mem' and 'memdev' exclude each other");
        return false;
    }
    if (memdev) {
        Object *obj = user_object_find(memdev, TYPE_MEMORY_BACKEND, errp);

        if (!obj) {
            return false;
        }
        bytes = memory_backend_size(obj);
    }
    if (cpus && !cpu_range(n, (unsigned)id, cpus, errp)) {
        return false;
    }
    for (size_t i = 0; many && i < qlist_size(many); i++) {
        const char *text = qobject_get_str(qlist_get(many, i), "cpus", errp);

        if (!text || !cpu_range(n, (unsigned)id, text, errp)) {
            return false;
        }
    }
    n->node[n->n_nodes++] = (NumaNode){ bytes, g_strdup(memdev) };
    return true;
}

static bool add_distance(NumaConfig *n, const QDict *d, Error **errp)
{
    static const char *const keys[] = { "src", "dst", "val", NULL };
    long src, dst, val, last = (long)n->n_nodes - 1;

    if (!known(d, "dist", keys, errp) || !number(d, "src", last, -1, &src, errp) ||
        !number(d, "dst", last, -1, &dst, errp) || !number(d, "val", 255, -1, &val, errp)) {
        return false;
    }
    if (val < NUMA_LOCAL || (src == dst) != (val == NUMA_LOCAL)) {
        return bad(errp, "val", qdict_str_or(d, "val", NULL),
                   "10 of a node to itself, 11 to 255 to another");
    }
    n->distance[src][dst] = (uint8_t)val;
    return true;
}

/* A CPU is named by its place; what isn't given means all there. */
static bool add_cpus(Machine *m, const QDict *d, Error **errp)
{
    static const char *const keys[] = { "node-id", "socket-id", "die-id", "core-id", "thread-id", NULL };
    NumaConfig *n = m->numa;
    unsigned threads = MAX(m->smp.threads, 1), cores = MAX(m->smp.cores, 1) * MAX(m->smp.dies, 1);
    long node, socket, core, thread, any = 0, last = (long)n->n_cpus - 1;

    if (!known(d, "cpu", keys, errp) ||
        !number(d, "node-id", (long)n->n_nodes - 1, -1, &node, errp) ||
        !number(d, "socket-id", last, n->n_cpus + 1, &socket, errp) ||
        !number(d, "core-id", last, n->n_cpus + 1, &core, errp) ||
        !number(d, "thread-id", last, n->n_cpus + 1, &thread, errp)) {
        return false;
    }
    for (unsigned i = 0; i < n->n_cpus; i++) {
        if ((socket > n->n_cpus || socket == i / (cores * threads)) &&
            (core > n->n_cpus || core == i / threads % cores) &&
            (thread > n->n_cpus || thread == i % threads)) {
            any++;
            if (!assign(n, i, (unsigned)node, errp)) {
                return false;
            }
        }
    }
    if (!any) {
        error_setf(errp, ERR_NO_SUCH_OBJECT, "there is no CPU at that place; accepted: sockets 0 to %u, "
                   "cores 0 to %u, threads 0 to %u", n->n_cpus / (cores * threads) - 1, cores - 1,
                   threads - 1);
    }
    return any > 0;
}

bool numa_option(Machine *m, const QDict *d, Error **errp)
{
    const char *type = qdict_str_or(d, "type", "");
    NumaConfig *n = m->numa;

    if (!n) {
        n = m->numa = g_new0(NumaConfig, 1);
        n->n_cpus = MAX(MAX(m->smp.max_cpus, m->smp.cpus), 1);
        n->cpu_node = g_new(int16_t, n->n_cpus);
        for (unsigned i = 0; i < n->n_cpus; i++) {
            n->cpu_node[i] = -1;
        }
    }
    if (!strcmp(type, "node")) {
        if (n->n_nodes == NUMA_MAX_NODES) {
            error_setf(errp, ERR_OUT_OF_RANGE, "there are at most %d nodes", NUMA_MAX_NODES);
            return false;
        }
        return add_node(n, d, errp);
    }
    if (!strcmp(type, "dist") && n->n_nodes) {
        return add_distance(n, d, errp);
    }
    if (!strcmp(type, "cpu") && n->n_nodes) {
        return add_cpus(m, d, errp);
    }
    return bad(errp, "type", type, "node; dist and cpu behind the nodes");
}

static void default_cpus(Machine *m)
{
    NumaConfig *n = m->numa;
    unsigned per_socket = MAX(m->smp.cores, 1) * MAX(m->smp.dies, 1) * MAX(m->smp.threads, 1);
    bool any = false;

    for (unsigned i = 0; i < n->n_cpus; i++) {
        any |= n->cpu_node[i] >= 0;
    }
    for (unsigned i = 0; i < n->n_cpus; i++) {
        if (n->cpu_node[i] < 0) {
            n->cpu_node[i] = any ? 0 : (int16_t)(i / per_socket % n->n_nodes);
        }
    }
}

bool numa_complete(Machine *m, Error **errp)
{
    NumaConfig *n = m->numa;
    unsigned backends = 0, sized = 0;
    uint64_t sum = 0;

    if (!n || !n->n_nodes) {
        return true;
    }
    for (unsigned i = 0; i < n->n_nodes; i++) {
        sum += n->node[i].mem;
        backends += n->node[i].memdev != NULL;
        sized += n->node[i].mem && !n->node[i].memdev;
    }
    if (backends && (sized || m->ram_memdev)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "-numa: 'memdev' goes neither with 'mem' nor with "
                   "-machine memory-backend=");
        return false;
    }
    if (!backends && !sized && n->n_nodes == 1) {
        sum = n->node[0].mem = m->ram_size;
    }
    if (sum != m->ram_size) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "total memory for NUMA nodes (0x%" PRIx64
                   ") should equal RAM size (0x%" PRIx64 ")", sum, m->ram_size);
        return false;
    }
    default_cpus(m);
    for (unsigned i = 0; i < n->n_nodes; i++) {
        for (unsigned k = 0; k < n->n_nodes; k++) {
            uint8_t back = n->distance[k][i];

            if (!n->distance[i][k]) {
                n->distance[i][k] = i == k ? NUMA_LOCAL : back ? back : NUMA_REMOTE;
            }
        }
    }
    return true;
}

bool numa_has_backends(const Machine *m)
{
    for (unsigned i = 0; m->numa && i < m->numa->n_nodes; i++) {
        if (m->numa->node[i].memdev) {
            return true;
        }
    }
    return false;
}

MemRegion *numa_ram(Machine *m, Error **errp)
{
    MemRegion *all = g_new0(MemRegion, 1);
    uint64_t at = 0;

    memory_region_init(all, m, m->type->default_ram_id, m->ram_size);
    for (unsigned i = 0; i < m->numa->n_nodes; i++) {
        const NumaNode *node = &m->numa->node[i];
        Object *obj;
        MemRegion *ram;

        if (!node->memdev) {
            continue;
        }
        obj = user_object_find(node->memdev, TYPE_MEMORY_BACKEND, errp);
        ram = obj ? memory_backend_use(obj, errp) : NULL;
        if (!ram) {
            return NULL;                /* nothing goes on after it */
        }
        memory_region_add(all, at, ram);
        at += node->mem;
    }
    return all;
}

unsigned numa_node_of(const Machine *m, unsigned cpu)
{
    return m->numa && cpu < m->numa->n_cpus && m->numa->cpu_node[cpu] >= 0
           ? (unsigned)m->numa->cpu_node[cpu] : 0;
}

void numa_free(NumaConfig *n)
{
    if (!n) {
        return;
    }
    for (unsigned i = 0; i < n->n_nodes; i++) {
        g_free(n->node[i].memdev);
    }
    g_free(n->cpu_node);
    g_free(n);
}
