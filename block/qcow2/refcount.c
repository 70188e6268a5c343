/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: refcounts, allocation of host clusters, freeing (Spec "Host cluster management"). */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

/* Entries narrower than a byte: the first one is in the least significant bits. */
uint64_t qcow2_refcount_read(const Qcow2 *s, const uint8_t *block, uint64_t index)
{
    switch (s->refcount_order) {
    case 6:
        return load_be64(block + index * 8);
    case 5:
        return load_be32(block + index * 4);
    case 4:
        return load_be16(block + index * 2);
    case 3:
        return block[index];
    default: {
        unsigned per_byte = 8 / s->refcount_bits;

        return block[index / per_byte] >> (index % per_byte * s->refcount_bits) & s->refcount_max;
    }
    }
}

void qcow2_refcount_write(const Qcow2 *s, uint8_t *block, uint64_t index, uint64_t count)
{
    switch (s->refcount_order) {
    case 6:
        store_be64(block + index * 8, count);
        break;
    case 5:
        store_be32(block + index * 4, count);
        break;
    case 4:
        store_be16(block + index * 2, count);
        break;
    case 3:
        block[index] = count;
        break;
    default: {
        unsigned per_byte = 8 / s->refcount_bits, shift = index % per_byte * s->refcount_bits;
        uint8_t *p = &block[index / per_byte];

        *p = (*p & ~(s->refcount_max << shift)) | count << shift;
    }
    }
}

static uint64_t max_cluster(const Qcow2 *s)
{
    return (OFFSET_MASK >> s->cluster_bits) + 1;        /* offsets have 56 bits */
}

static bool aligned(const Qcow2 *s, uint64_t offset)
{
    return (offset & (s->cluster_size - 1)) == 0;
}

/* The block with a cluster's refcount; NULL in *t: there is none, all of its refcounts are 0. */
static int coroutine_fn block_of(Qcow2 *s, uint64_t cluster, Table **t)
{
    uint64_t i = cluster >> s->rb_bits;

    *t = NULL;
    if (i >= s->rt_size || !s->rt[i]) {
        return 0;
    }
    if (!aligned(s, s->rt[i])) {
        return qcow2_broken(s, "refcount table entry %" PRIu64 " is 0x%" PRIx64
                            ", which isn't aligned to a cluster", i, s->rt[i]);
    }
    return qcow2_table_get(s, &s->rb_cache, s->rt[i], false, t);
}

static uint64_t index_in_block(const Qcow2 *s, uint64_t cluster)
{
    return cluster & ((UINT64_C(1) << s->rb_bits) - 1);
}

int coroutine_fn qcow2_refcount_get(Qcow2 *s, uint64_t cluster, uint64_t *count)
{
    Table *t;
    int r = block_of(s, cluster, &t);

    *count = 0;
    if (r == 0 && t) {
        *count = qcow2_refcount_read(s, t->data, index_in_block(s, cluster));
        qcow2_table_put(t);
    }
    return r;
}

static void set_in_block(Qcow2 *s, Table *t, uint64_t cluster, uint64_t count)
{
    uint64_t i = index_in_block(s, cluster), byte = i * s->refcount_bits / 8;

    qcow2_refcount_write(s, t->data, i, count);
    qcow2_table_dirty(&s->rb_cache, t, byte, byte + MAX(s->refcount_bits / 8, 1U));
}

/* --- growing --- */

static void rt_dirty(Qcow2 *s, uint32_t i)
{
    s->rt_lo = s->rt_lo < s->rt_hi ? MIN(s->rt_lo, i) : i;
    s->rt_hi = MAX(s->rt_hi, i + 1);
}

uint32_t *qcow2_in_use(Qcow2 *s, uint64_t cluster, bool make)
{
    uint32_t **chunk;

    if (!s->in_use || cluster >> IN_USE_BITS >= s->in_use_chunks) {
        return NULL;
    }
    chunk = &s->in_use[cluster >> IN_USE_BITS];
    if (!*chunk && make) {
        *chunk = g_try_new0(uint32_t, 1 << IN_USE_BITS);
    }
    return *chunk ? *chunk + (cluster & ((1 << IN_USE_BITS) - 1)) : NULL;
}

/* While refcounts are mended: they aren't to be trusted, what was found to be referenced is. */
static void mark_used(Qcow2 *s, uint64_t cluster)
{
    uint32_t *n = qcow2_in_use(s, cluster, true);

    if (n) {
        *n = MAX(*n, 1U);
    }
}

static bool known_used(Qcow2 *s, uint64_t cluster)
{
    const uint32_t *n = qcow2_in_use(s, cluster, false);

    return n && *n;
}

/* A block for @cluster, which is free since there was none: the block lies in that cluster itself. */
static int coroutine_fn new_block(Qcow2 *s, uint64_t cluster)
{
    Table *t;
    int r = qcow2_table_get(s, &s->rb_cache, cluster << s->cluster_bits, true, &t);

    if (r < 0) {
        return r;
    }
    set_in_block(s, t, cluster, 1);
    qcow2_table_put(t);
    mark_used(s, cluster);
    s->rt[cluster >> s->rb_bits] = cluster << s->cluster_bits;
    rt_dirty(s, cluster >> s->rb_bits);
    return 0;
}

/* The header's change of table is one write. */
static int coroutine_fn switch_table(Qcow2 *s, uint64_t offset, uint32_t clusters)
{
    uint8_t b[12];

    store_be64(b, offset);
    store_be32(b + 8, clusters);
    return qcow2_write(s, HDR_RT_OFFSET, b, sizeof(b));
}

/* The blocks that cover the new table and themselves. */
static int coroutine_fn cover(Qcow2 *s, uint64_t *rt, uint64_t first, uint64_t table_clusters,
                              uint64_t blocks)
{
    uint64_t used = table_clusters + blocks;
    int r = 0;

    for (uint64_t i = 0; i < blocks && r == 0; i++) {
        uint64_t from = first + (i << s->rb_bits), at = first + table_clusters + i;
        Table *t;

        r = qcow2_table_get(s, &s->rb_cache, at << s->cluster_bits, true, &t);
        if (r == 0) {
            for (uint64_t c = from; c < MIN(first + used, from + (UINT64_C(1) << s->rb_bits)); c++) {
                set_in_block(s, t, c, 1);
            }
            qcow2_table_put(t);
            rt[from >> s->rb_bits] = at << s->cluster_bits;
        }
    }
    return r;
}

/* A larger refcount table, behind all that the old one covers, which is all that is in use. */
static int coroutine_fn grow_table(Qcow2 *s)
{
    uint64_t first = (uint64_t)s->rt_size << s->rb_bits;
    uint64_t want = s->rt_size + MAX(s->rt_size / 2, 1U), clusters, blocks = 1, old = s->rt_offset;
    uint32_t old_clusters = s->rt_clusters;
    uint64_t *rt;
    uint8_t *raw;
    int r;

    clusters = clusters_for(s, (want + 2) * 8);
    while (blocks << s->rb_bits < clusters + blocks) {
        blocks++;
    }
    clusters = MAX(clusters, clusters_for(s, (s->rt_size + blocks + 1) * 8));
    if (clusters * s->cluster_size > MAX_REFTABLE_BYTES || first + clusters + blocks > max_cluster(s)) {
        return -EFBIG;
    }
    rt = g_try_malloc0(clusters * s->cluster_size);
    raw = g_try_malloc0(clusters * s->cluster_size);
    if (!rt || !raw) {
        g_free(rt);
        g_free(raw);
        return -ENOMEM;
    }
    memcpy(rt, s->rt, s->rt_size * 8);
    r = cover(s, rt, first, clusters, blocks);
    for (uint64_t i = 0; i < clusters * s->cluster_size / 8; i++) {
        store_be64(raw + i * 8, rt[i]);
    }
    if (r == 0) {
        for (Table *t = s->rb_cache.oldest; t && r == 0; t = t->newer) {
            if (t->lo < t->hi) {
                r = qcow2_write(s, t->offset + ALIGN_DOWN(t->lo, 512U), t->data + ALIGN_DOWN(t->lo, 512U),
                                ALIGN_UP(t->hi, 512U) - ALIGN_DOWN(t->lo, 512U));
            }
        }
    }
    if (r == 0) {
        r = qcow2_write(s, first << s->cluster_bits, raw, clusters * s->cluster_size);
    }
    if (r == 0) {
        r = format_barrier(s->n);
    }
    if (r == 0) {
        r = switch_table(s, first << s->cluster_bits, clusters);
    }
    g_free(raw);
    if (r < 0) {
        g_free(rt);
        return r;
    }
    g_free(s->rt);
    s->rt = rt;
    s->rt_size = clusters * s->cluster_size / 8;
    s->rt_clusters = clusters;
    s->rt_offset = first << s->cluster_bits;
    s->rt_lo = s->rt_hi = 0;
    r = format_barrier(s->n);
    /* Only the header named the old one. */
    return r < 0 ? r : qcow2_refcount_add(s, old >> s->cluster_bits, old_clusters, -1);
}

/* --- changing --- */

static int coroutine_fn ensure_block(Qcow2 *s, uint64_t cluster, Table **t)
{
    int r = block_of(s, cluster, t);

    while (r == 0 && !*t) {
        if (cluster >> s->rb_bits >= s->rt_size) {
            r = grow_table(s);
        } else {
            uint64_t offset;
            int64_t n = qcow2_alloc(s, 1, true, &offset);

            if (n < 0) {
                return n;
            }
            if (s->rt[cluster >> s->rb_bits]) {     /* the allocation has made it meanwhile */
                r = qcow2_refcount_add(s, offset >> s->cluster_bits, 1, -1);
            } else {
                Table *fresh;

                r = qcow2_table_get(s, &s->rb_cache, offset, true, &fresh);
                if (r == 0) {
                    qcow2_table_put(fresh);
                    mark_used(s, offset >> s->cluster_bits);
                    s->rt[cluster >> s->rb_bits] = offset;
                    rt_dirty(s, cluster >> s->rb_bits);
                }
            }
        }
        if (r == 0) {
            r = block_of(s, cluster, t);
        }
    }
    return r;
}

int coroutine_fn qcow2_refcount_set(Qcow2 *s, uint64_t cluster, uint64_t count)
{
    Table *t;
    int r = ensure_block(s, cluster, &t);

    if (r == 0) {
        set_in_block(s, t, cluster, count);
        qcow2_table_put(t);
        if (count == 0) {
            s->free_hint = MIN(s->free_hint, cluster);
        }
    }
    return r;
}

int coroutine_fn qcow2_refcount_add(Qcow2 *s, uint64_t cluster, uint64_t n, int delta)
{
    for (uint64_t c = cluster; c < cluster + n; c++) {
        uint64_t count;
        int r = qcow2_refcount_get(s, c, &count);

        if (r < 0) {
            return r;
        }
        if (delta < 0 && count == 0) {
            return qcow2_broken(s, "cluster 0x%" PRIx64 " is freed, but its refcount is 0",
                                c << s->cluster_bits);
        }
        if (delta > 0 && count == s->refcount_max) {
            /* What was counted before stays: it leaks, which is harmless. */
            return -EOVERFLOW;
        }
        r = qcow2_refcount_set(s, c, count + (int64_t)delta);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* --- allocation --- */

/* Whether @c is free. Blocks and the table grow on the way, which may take @c itself. */
static int coroutine_fn is_free(Qcow2 *s, uint64_t c, bool *free)
{
    uint64_t count;
    int r;

    *free = false;
    if (c >= max_cluster(s)) {
        return -EFBIG;
    }
    if (c >> s->rb_bits >= s->rt_size) {
        r = grow_table(s);
        if (r < 0) {
            return r;
        }
    }
    if (known_used(s, c)) {
        return 0;
    }
    if (!s->rt[c >> s->rb_bits]) {
        return new_block(s, c);
    }
    r = qcow2_refcount_get(s, c, &count);
    *free = count == 0;
    return r;
}

/* Clusters past the end of the file that may be counted before they are written. */
#define AHEAD_MAX   (UINT64_C(1) << 20)

int64_t coroutine_fn qcow2_alloc(Qcow2 *s, uint64_t want, bool all, uint64_t *offset)
{
    int64_t file = block_length(s->n->file);
    uint64_t far = clusters_for(s, MAX(file, INT64_C(0))) + AHEAD_MAX + want;
    uint64_t c = MAX(s->free_hint, UINT64_C(1)), start = 0, n = 0;
    bool hint = true;
    int r;

    if (s->broken) {
        return -EIO;
    }
    while (n < want) {
        bool free;

        r = is_free(s, c, &free);
        if (r < 0) {
            return r;
        }
        if (!free && c > far) {
            return qcow2_broken(s, "the cluster at 0x%" PRIx64 " has a refcount, far past the end of the "
                                "file", c << s->cluster_bits);
        }
        if (free) {
            start = n ? start : c;
            n++;
            hint = false;
        } else {
            if (n && !all) {
                break;
            }
            n = 0;
        }
        c++;
        if (hint) {
            s->free_hint = c;
        }
    }
    for (uint64_t i = start; i < start + n; i++) {
        r = qcow2_refcount_set(s, i, 1);
        if (r < 0) {
            return r;
        }
    }
    if (s->free_hint == start) {
        s->free_hint = start + n;
    }
    *offset = start << s->cluster_bits;
    return n;
}

/* --- freeing --- */

void qcow2_free_later(Qcow2 *s, uint64_t offset, uint64_t bytes, bool discard)
{
    FreeLater f = { offset >> s->cluster_bits, clusters_for(s, bytes), s->serial, discard };
    FreeLater *last = s->frees->len ? &g_array_index(s->frees, FreeLater, s->frees->len - 1) : NULL;

    if (last && last->cluster + last->count == f.cluster && last->discard == discard) {
        last->count += f.count;
        last->serial = f.serial;
    } else {
        g_array_append_val(s->frees, f);
    }
}

/* Space of clusters that nobody uses goes back to the host, if the user wants that. */
static int coroutine_fn free_run(Qcow2 *s, const FreeLater *f)
{
    int r = qcow2_refcount_add(s, f->cluster, f->count, -1);

    for (uint64_t c = f->cluster; r == 0 && f->discard && c < f->cluster + f->count; ) {
        uint64_t n = 0, count;

        while (c + n < f->cluster + f->count && (r = qcow2_refcount_get(s, c + n, &count)) == 0 &&
               count == 0) {
            n++;
        }
        if (n) {
            /* Freeing is a favour: it may fail. */
            block_co_discard(s->n->file, c << s->cluster_bits, n << s->cluster_bits);
        }
        c += MAX(n, UINT64_C(1));
    }
    return r;
}

int coroutine_fn qcow2_apply_frees(Qcow2 *s)
{
    uint64_t oldest = s->oldest ? s->oldest->serial : UINT64_MAX;
    unsigned done = 0;
    int r = 0;

    while (done < s->frees->len && r == 0) {
        FreeLater f = g_array_index(s->frees, FreeLater, done);

        if (oldest <= f.serial) {
            break;
        }
        done++;
        r = free_run(s, &f);
    }
    if (done) {
        g_array_remove_range(s->frees, 0, done);
    }
    return r;
}
