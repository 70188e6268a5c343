/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -numa and set-numa-node: nodes, distances, CPUs. */
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

static bool assign(NumaConfig *n, unsigned cpu, unsigned node, Error **errp)
{
    if (n->cpu_node[cpu] >= 0 && n->cpu_node[cpu] != (int)node) {
        error_setf(errp, ERR_IN_USE, "CPU %u is in node %d already", cpu, n->cpu_node[cpu]);
        return false;
    }
    n->cpu_node[cpu] = (int16_t)node;
    return true;
}

/* "4" or "0-3", appended to @list. */
static bool expand_range(const NumaConfig *n, QList *list, const char *text, Error **errp)
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
        qlist_append_int(list, i);
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

static bool add_node(NumaConfig *n, const NumaNodeOptions *o, Error **errp)
{
    uint64_t bytes = o->has_mem ? o->mem : 0;
    unsigned id = o->has_nodeid ? o->nodeid : n->n_nodes;

    if (n->n_nodes == NUMA_MAX_NODES) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there are at most %d nodes", NUMA_MAX_NODES);
        return false;
    }
    if (id != n->n_nodes) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'nodeid' is %u; accepted: %u, the next one", id,
                   n->n_nodes);
        return false;
    }
    if (o->has_mem && o->memdev) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'mem' and 'memdev' exclude each other");
        return false;
    }
    if (o->memdev) {
        Object *obj = user_object_find(o->memdev, TYPE_MEMORY_BACKEND, errp);

        if (!obj) {
            return false;
        }
        bytes = memory_backend_size(obj);
    }
    /* All are looked at before the first is assigned: a refused node leaves nothing behind. */
    for (size_t i = 0; o->cpus && i < o->cpus->n; i++) {
        uint16_t cpu = o->cpus->items[i];

        if (cpu >= n->n_cpus) {
            error_setf(errp, ERR_OUT_OF_RANGE, "'cpus' has %u; accepted: 0 to %u, those of -smp", cpu,
                       n->n_cpus - 1);
            return false;
        }
        if (n->cpu_node[cpu] >= 0) {
            error_setf(errp, ERR_IN_USE, "CPU %u is in node %d already", cpu, n->cpu_node[cpu]);
            return false;
        }
    }
    for (size_t i = 0; o->cpus && i < o->cpus->n; i++) {
        n->cpu_node[o->cpus->items[i]] = (int16_t)id;
    }
    n->node[n->n_nodes++] = (NumaNode){ bytes, g_strdup(o->memdev) };
    return true;
}

/* @n things are numbered from 0. */
static bool in_range(const char *key, int64_t value, unsigned n, Error **errp)
{
    g_autofree char *text = g_strdup_printf("%" PRId64, value);
    g_autofree char *accepted = NULL;

    if (value >= 0 && value < n) {
        return true;
    }
    accepted = n ? g_strdup_printf("0 to %u", n - 1) : g_strdup("a number of what was told before");
    error_setf(errp, ERR_OUT_OF_RANGE, "'%s' is '%s'; accepted: %s", key, text, accepted);
    error_argument(errp, key, text, accepted);
    return false;
}

static bool add_distance(NumaConfig *n, const NumaDistOptions *o, Error **errp)
{
    if (!in_range("src", o->src, n->n_nodes, errp) || !in_range("dst", o->dst, n->n_nodes, errp)) {
        return false;
    }
    if (o->val < NUMA_LOCAL || (o->src == o->dst) != (o->val == NUMA_LOCAL)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'val' is %u; accepted: 10 of a node to itself, 11 to 255 to "
                   "another", o->val);
        return false;
    }
    n->distance[o->src][o->dst] = o->val;
    return true;
}

/* A CPU is named by its place; what isn't given means all there. */
static bool add_cpus(Machine *m, const NumaCpuOptions *o, Error **errp)
{
    NumaConfig *n = m->numa;
    unsigned threads = MAX(m->smp.threads, 1), cores = MAX(m->smp.cores, 1) * MAX(m->smp.dies, 1);
    unsigned sockets = MAX(n->n_cpus / (cores * threads), 1);

    if (!o->has_node_id) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'node-id' is missing");
        error_argument(errp, "node-id", NULL, NULL);
        return false;
    }
    if (!in_range("node-id", o->node_id, n->n_nodes, errp) ||
        (o->has_socket_id && !in_range("socket-id", o->socket_id, sockets, errp)) ||
        (o->has_core_id && !in_range("core-id", o->core_id, cores, errp)) ||
        (o->has_thread_id && !in_range("thread-id", o->thread_id, threads, errp))) {
        return false;
    }
    for (unsigned i = 0; i < n->n_cpus; i++) {
        if ((!o->has_socket_id || o->socket_id == i / (cores * threads)) &&
            (!o->has_core_id || o->core_id == i / threads % cores) &&
            (!o->has_thread_id || o->thread_id == i % threads) &&
            !assign(n, i, (unsigned)o->node_id, errp)) {
            return false;
        }
    }
    return true;
}

static NumaConfig *config_of(Machine *m)
{
    NumaConfig *n = m->numa;

    if (!n) {
        n = m->numa = g_new0(NumaConfig, 1);
        n->n_cpus = MAX(MAX(m->smp.max_cpus, m->smp.cpus), 1);
        n->cpu_node = g_new(int16_t, n->n_cpus);
        for (unsigned i = 0; i < n->n_cpus; i++) {
            n->cpu_node[i] = -1;
        }
    }
    return n;
}

bool numa_set(Machine *m, const NumaOptions *o, Error **errp)
{
    NumaConfig *n = config_of(m);

    switch (o->type) {
    case NUMA_OPTIONS_TYPE_NODE:
        return add_node(n, &o->u.node, errp);
    case NUMA_OPTIONS_TYPE_DIST:
        return add_distance(n, &o->u.dist, errp);
    case NUMA_OPTIONS_TYPE_CPU:
        return add_cpus(m, &o->u.cpu, errp);
    default:
        return bad(errp, "type", NULL, "node, dist, cpu");
    }
}

/* The text's ranges of CPUs, one or a list of them, as numbers. */
static bool expand_cpus(const NumaConfig *n, QDict *d, Error **errp)
{
    const char *one = qdict_str_or(d, "cpus", NULL);
    const QList *many = qobject_to_list(qdict_get(d, "cpus"));
    QList *list = qlist_new();
    bool ok = !one || expand_range(n, list, one, errp);

    for (size_t i = 0; ok && many && i < qlist_size(many); i++) {
        const char *text = qobject_get_str(qlist_get(many, i), "cpus", errp);

        ok = text && expand_range(n, list, text, errp);
    }
    if (ok && (one || many)) {
        qdict_put(d, "cpus", list);
    } else {
        qobject_unref(list);
    }
    return ok;
}

bool numa_option(Machine *m, const QDict *options, Error **errp)
{
    QOBJECT_AUTO QDict *d = qobject_to_dict(qobject_copy((const QObject *)options));
    const char *mem = qdict_str_or(d, "mem", NULL), *type = qdict_str_or(d, "type", "");
    NumaOptions o = { 0 };
    uint64_t bytes;
    bool ok;

    if (qapi_enum_parse(&qapi_type_NumaOptionsType, type, "type", NULL) < 0) {
        return bad(errp, "type", type, "node, dist, cpu");
    }
    if (!expand_cpus(config_of(m), d, errp) || (mem && !size(mem, &bytes, errp))) {
        return false;
    }
    if (mem) {
        qdict_put(d, "mem", qnum_from_uint(bytes));
    }
    if (!qapi_decode_struct(&qapi_type_NumaOptions, d, QAPI_DECODE_KEYVAL, &o, errp)) {
        return false;
    }
    ok = numa_set(m, &o, errp);
    qapi_clear_struct(&qapi_type_NumaOptions, &o);
    return ok;
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
