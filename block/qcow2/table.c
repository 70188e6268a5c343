/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: the cache of L2 tables and refcount blocks, and the order in which metadata is written. */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

/* --- the cache --- */

static guint offset_hash(gconstpointer key)
{
    uint64_t v = *(const uint64_t *)key >> MIN_CLUSTER_BITS;

    return (guint)(v ^ v >> 32);
}

static gboolean offset_equal(gconstpointer a, gconstpointer b)
{
    return *(const uint64_t *)a == *(const uint64_t *)b;
}

static void table_free(gpointer p)
{
    Table *t = p;

    g_free(t->data);
    g_free(t);
}

void qcow2_cache_init(TableCache *c, size_t max, bool is_l2)
{
    c->by_offset = g_hash_table_new_full(offset_hash, offset_equal, NULL, table_free);
    c->max = MAX(max, (size_t)4);
    c->is_l2 = is_l2;
}

void qcow2_cache_free(TableCache *c)
{
    if (c->by_offset) {
        g_hash_table_destroy(c->by_offset);
    }
    *c = (TableCache){ 0 };
}

static void unlist(TableCache *c, Table *t)
{
    *(t->newer ? &t->newer->older : &c->newest) = t->older;
    *(t->older ? &t->older->newer : &c->oldest) = t->newer;
    t->newer = t->older = NULL;
}

static void list_newest(TableCache *c, Table *t)
{
    t->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = t;
    c->newest = t;
}

void qcow2_table_dirty(TableCache *c, Table *t, uint32_t lo, uint32_t hi)
{
    if (t->lo >= t->hi) {
        c->dirty++;
        t->lo = lo;
        t->hi = hi;
    } else {
        t->lo = MIN(t->lo, lo);
        t->hi = MAX(t->hi, hi);
    }
}

static void clean(TableCache *c, Table *t)
{
    if (t->lo < t->hi) {
        c->dirty--;
        t->lo = t->hi = 0;
    }
}

/* In sectors, as disks write them. */
static int coroutine_fn write_back(Qcow2 *s, TableCache *c, Table *t)
{
    uint32_t lo = ALIGN_DOWN(t->lo, 512U), hi = ALIGN_UP(t->hi, 512U);
    int r;

    if (t->lo >= t->hi) {
        return 0;
    }
    r = qcow2_write(s, t->offset + lo, t->data + lo, hi - lo);
    if (r == 0) {
        clean(c, t);
    }
    return r;
}

static int coroutine_fn write_cache(Qcow2 *s, TableCache *c)
{
    int r = 0;

    for (Table *t = c->oldest; t && c->dirty && r == 0; t = t->newer) {
        r = write_back(s, c, t);
    }
    return r;
}

static int coroutine_fn make_room(Qcow2 *s, TableCache *c)
{
    while (g_hash_table_size(c->by_offset) >= c->max) {
        Table *t = c->oldest;
        int r;

        while (t && t->pins) {
            t = t->newer;
        }
        if (!t) {
            return 0;               /* all in use: the cache is larger for a while */
        }
        if (t->lo < t->hi) {
            /* A refcount block may be written at any time, an L2 table only after them. */
            r = c->is_l2 ? qcow2_write_tables(s) : write_back(s, c, t);
            if (r < 0) {
                return r;
            }
        }
        unlist(c, t);
        g_hash_table_remove(c->by_offset, &t->offset);
    }
    return 0;
}

int coroutine_fn qcow2_table_get(Qcow2 *s, TableCache *c, uint64_t offset, bool fresh, Table **out)
{
    Table *t = g_hash_table_lookup(c->by_offset, &offset);
    int r;

    if (!t) {
        r = make_room(s, c);
        if (r < 0) {
            return r;
        }
        t = g_new0(Table, 1);
        t->offset = offset;
        t->data = g_try_malloc0(s->cluster_size);
        r = !t->data ? -ENOMEM : fresh ? 0 : qcow2_read(s, offset, t->data, s->cluster_size);
        if (r < 0) {
            table_free(t);
            return r;
        }
        g_hash_table_insert(c->by_offset, &t->offset, t);
    } else {
        unlist(c, t);
        if (fresh) {
            memset(t->data, 0, s->cluster_size);
        }
    }
    list_newest(c, t);
    t->pins++;
    if (fresh) {
        qcow2_table_dirty(c, t, 0, s->cluster_size);
    }
    *out = t;
    return 0;
}

void qcow2_table_put(Table *t)
{
    t->pins--;
}

void qcow2_table_forget(TableCache *c, uint64_t offset)
{
    Table *t = g_hash_table_lookup(c->by_offset, &offset);

    if (t && !t->pins) {
        clean(c, t);
        unlist(c, t);
        g_hash_table_remove(c->by_offset, &offset);
    }
}

/* --- the order of writes --- */

void qcow2_l1_dirty(Qcow2 *s, uint32_t first, uint32_t end)
{
    s->l1_lo = s->l1_lo < s->l1_hi ? MIN(s->l1_lo, first) : first;
    s->l1_hi = MAX(s->l1_hi, end);
}

/* Entries [lo, hi) of a table that is kept in memory in the host's order. */
static int coroutine_fn write_entries(Qcow2 *s, uint64_t offset, const uint64_t *table,
                                      uint32_t size, uint32_t lo, uint32_t hi)
{
    uint64_t *buf;
    int r;

    lo = ALIGN_DOWN(lo, 64U);                   /* sectors of 512 bytes */
    hi = MIN(ALIGN_UP(hi, 64U), size);
    buf = g_new(uint64_t, hi - lo);
    for (uint32_t i = lo; i < hi; i++) {
        store_be64(&buf[i - lo], table[i]);
    }
    r = qcow2_write(s, offset + lo * UINT64_C(8), buf, (hi - lo) * 8);
    g_free(buf);
    return r;
}

static int coroutine_fn write_refcounts(Qcow2 *s)
{
    int r;

    if (s->rb_cache.dirty) {
        r = write_cache(s, &s->rb_cache);
        if (r == 0) {
            r = format_barrier(s->n);
        }
        if (r < 0) {
            return r;
        }
    }
    if (s->rt_lo < s->rt_hi) {
        r = write_entries(s, s->rt_offset, s->rt, s->rt_size, s->rt_lo, s->rt_hi);
        if (r == 0) {
            s->rt_lo = s->rt_hi = 0;
            r = format_barrier(s->n);
        }
        return r;
    }
    return 0;
}

int coroutine_fn qcow2_write_tables(Qcow2 *s)
{
    bool l1 = s->l1_lo < s->l1_hi, l2 = s->l2_cache.dirty;
    int r;

    if (s->broken) {
        return -EIO;
    }
    if (!l1 && !l2 && s->frees->len == 0) {
        return 0;                   /* refcounts that only fell may wait */
    }
    if (!s->lazy || !s->dirty_set) {
        r = write_refcounts(s);
        if (r < 0) {
            return r;
        }
    }
    if (l2) {
        r = write_cache(s, &s->l2_cache);
        if (r == 0 && (l1 || s->frees->len)) {
            r = format_barrier(s->n);
        }
        if (r < 0) {
            return r;
        }
    }
    if (l1) {
        r = write_entries(s, s->l1_offset, s->l1, s->l1_size, s->l1_lo, s->l1_hi);
        if (r == 0) {
            s->l1_lo = s->l1_hi = 0;
            r = s->frees->len ? format_barrier(s->n) : 0;
        }
        if (r < 0) {
            return r;
        }
    }
    return qcow2_apply_frees(s);
}

int coroutine_fn qcow2_write_all(Qcow2 *s)
{
    int r = qcow2_write_tables(s);

    return r < 0 ? r : write_refcounts(s);
}
