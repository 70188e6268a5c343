/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands for looking into block devices: latencies, thresholds, the graph, bitmaps. */
#include "util/osdep.h"
#include <glib.h>
#include "block/bitmap-qmp.h"
#include "block/block-qmp.h"
#include "block/job-int.h"
#include "block/latency.h"
#include "block/track.h"
#include "qapi/commands-block-ops.h"
#include "qom/object.h"

enum { MAX_BOUNDARIES = 4096 };

/* --- latencies --- */

static bool check_boundaries(const char *name, const uint64List *l, Error **errp)
{
    bool rising = true;

    if (!l) {
        return true;
    }
    for (size_t i = 1; i < l->n; i++) {
        rising &= l->items[i - 1] < l->items[i];
    }
    if (!rising || (l->n && !l->items[0]) || l->n > MAX_BOUNDARIES) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' aren't boundaries of bins; accepted: up to %d numbers "
                   "above 0, each larger than the one before", name, MAX_BOUNDARIES);
        error_argument(errp, name, NULL, NULL);
        return false;
    }
    return true;
}

static void set_histogram(BlockLatency *l, LatencyKind kind, const uint64List *all, const uint64List *own)
{
    const uint64List *b = own ? own : all;

    if (b) {
        latency_set(&l->kind[kind], b->items, b->n);
    }
}

bool qmp_block_latency_histogram_set(const char *id, const uint64List *boundaries,
                                     const uint64List *boundaries_read,
                                     const uint64List *boundaries_write,
                                     const uint64List *boundaries_flush, Error **errp)
{
    BlockBackend *b = block_qmp_backend(NULL, id, errp);
    bool none = !boundaries && !boundaries_read && !boundaries_write && !boundaries_flush;

    if (!b || !check_boundaries("boundaries", boundaries, errp) ||
        !check_boundaries("boundaries-read", boundaries_read, errp) ||
        !check_boundaries("boundaries-write", boundaries_write, errp) ||
        !check_boundaries("boundaries-flush", boundaries_flush, errp)) {
        return false;
    }
    MUTEX_GUARD(&b->lock);
    for (unsigned k = 0; none && k < LATENCY_NUM; k++) {
        latency_clear(&b->latency.kind[k]);
    }
    set_histogram(&b->latency, LATENCY_READ, boundaries, boundaries_read);
    set_histogram(&b->latency, LATENCY_WRITE, boundaries, boundaries_write);
    set_histogram(&b->latency, LATENCY_FLUSH, boundaries, boundaries_flush);
    return true;
}

/* --- thresholds --- */

bool qmp_block_set_write_threshold(const char *node_name, uint64_t write_threshold, Error **errp)
{
    BlockNode *n = block_qmp_node(NULL, node_name, errp);

    if (!n) {
        return false;
    }
    atomic_store(&n->write_threshold, write_threshold);
    return true;
}

/* --- bitmaps --- */

BlockDirtyBitmapSha256 *qmp_x_debug_block_dirty_bitmap_sha256(const char *node, const char *name,
                                                              Error **errp)
{
    BlockBitmap *b = block_qmp_bitmap(node, name, errp);
    BlockDirtyBitmapSha256 *result;
    uint64_t *copy;
    char *sum;

    if (!b) {
        return NULL;
    }
    copy = block_bitmap_copy(b);
    for (size_t i = 0; i < BITMAP_WORDS(block_bitmap_bits(b)); i++) {
        copy[i] = GUINT64_TO_LE(copy[i]);       /* the same sum everywhere */
    }
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)copy,
                                      BITMAP_WORDS(block_bitmap_bits(b)) * sizeof(*copy));
    result = qapi_new(BlockDirtyBitmapSha256);
    result->sha256 = strdup(sum);
    g_free(sum);
    g_free(copy);
    return result;
}

/* --- the graph --- */

typedef struct Graph {
    XDbgBlockGraph *g;
    GHashTable *ids;            /* from a back end, a node or a job to its number */
} Graph;

static void add_vertex(Graph *g, const void *what, XDbgBlockGraphNodeType type, const char *name)
{
    XDbgBlockGraphNode *v = qapi_new(XDbgBlockGraphNode);

    v->id = g->g->nodes->n + 1;
    v->type = type;
    v->name = strdup(name ? name : "");
    g_hash_table_insert(g->ids, (void *)what, GUINT_TO_POINTER((unsigned)v->id));
    qapi_list_append(g->g->nodes, v);
}

/* What is asked for follows from whether the node is written to: nothing else is refused to others. */
static BlockPermissionList *permissions(bool write, bool shared)
{
    BlockPermissionList *l = qapi_new(BlockPermissionList);

    qapi_list_append(l, BLOCK_PERMISSION_CONSISTENT_READ);
    if (write) {
        qapi_list_append(l, BLOCK_PERMISSION_WRITE);
    }
    if (shared) {
        qapi_list_append(l, BLOCK_PERMISSION_WRITE_UNCHANGED);
        qapi_list_append(l, BLOCK_PERMISSION_RESIZE);
    }
    return l;
}

static void add_edge(Graph *g, const void *parent, const BlockNode *child, const char *name, bool write)
{
    XDbgBlockGraphEdge *e = qapi_new(XDbgBlockGraphEdge);

    e->parent = GPOINTER_TO_UINT(g_hash_table_lookup(g->ids, parent));
    e->child = GPOINTER_TO_UINT(g_hash_table_lookup(g->ids, child));
    e->name = strdup(name);
    e->perm = permissions(write, false);
    e->shared_perm = permissions(!write, true);
    qapi_list_append(g->g->edges, e);
}

XDbgBlockGraph *qmp_x_debug_query_block_graph(Error **errp)
{
    Graph g = { .g = qapi_new(XDbgBlockGraph), .ids = g_hash_table_new(NULL, NULL) };

    (void)errp;
    g.g->nodes = qapi_new(XDbgBlockGraphNodeList);
    g.g->edges = qapi_new(XDbgBlockGraphEdgeList);
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        add_vertex(&g, n, X_DBG_BLOCK_GRAPH_NODE_TYPE_BLOCK_DRIVER, n->name);
        if (n->job && !g_hash_table_contains(g.ids, n->job)) {
            add_vertex(&g, n->job, X_DBG_BLOCK_GRAPH_NODE_TYPE_BLOCK_JOB, n->job->id);
        }
    }
    for (BlockBackend *b = blk_first(); b; b = b->next) {
        g_autofree char *path = b->owner ? object_canonical_path(b->owner) : NULL;

        add_vertex(&g, b, X_DBG_BLOCK_GRAPH_NODE_TYPE_BLOCK_BACKEND, b->anonymous && path ? path : b->id);
        if (b->node) {
            add_edge(&g, b, b->node, "root", !blk_is_read_only(b));
        }
    }
    for (BlockNode *n = block_node_first(); n; n = n->next) {
        if (n->file) {
            add_edge(&g, n, n->file, "file", !n->read_only);
        }
        if (n->backing) {
            add_edge(&g, n, n->backing, "backing", false);
        }
        if (n->job) {
            add_edge(&g, n->job, n, "main node", false);
        }
    }
    g_hash_table_unref(g.ids);
    return g.g;
}
