/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: requests. */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/iov.h"

static uint64_t size_of(const Qcow2 *s)
{
    return __atomic_load_n(&s->size, __ATOMIC_RELAXED);
}

/* --- who is there --- */

static void begin(Qcow2 *s, InFlight *f)
{
    *f = (InFlight){ .serial = ++s->serial };
    *s->newest = f;
    s->newest = &f->next;
}

static void end(Qcow2 *s, InFlight *f)
{
    InFlight **pp = &s->oldest;

    while (*pp != f) {
        pp = &(*pp)->next;
    }
    *pp = f->next;
    if (!f->next) {
        s->newest = pp;
    }
}

/* Until nobody is about to change the mapping of these clusters. */
static void coroutine_fn wait_for_allocs(Qcow2 *s, uint64_t guest, uint64_t len)
{
    uint64_t first = guest >> s->cluster_bits, last = (guest + len - 1) >> s->cluster_bits;
    Alloc *a;

    do {
        for (a = s->allocs; a && (a->first > last || a->end <= first); a = a->next) {
        }
        if (a) {
            co_queue_wait(&s->alloc_ended, &s->lock);
        }
    } while (a);
}

static void end_alloc(Qcow2 *s, Alloc *a)
{
    Alloc **pp = &s->allocs;

    while (*pp != a) {
        pp = &(*pp)->next;
    }
    *pp = a->next;
    co_queue_all(&s->alloc_ended);
}

/* --- reads --- */

/* What isn't in this image: the one below, or zeros where that ends. Machine state is never below. */
static int coroutine_fn read_below(Qcow2 *s, uint64_t guest, struct iovec *iov, size_t niov)
{
    BlockNode *backing = s->n->backing;
    size_t len = iov_size(iov, niov), have;
    int64_t length = backing ? block_length(backing) : 0;
    uint64_t limit = MIN((uint64_t)MAX(length, INT64_C(0)), size_of(s));

    if (length < 0) {
        return length;
    }
    have = guest >= limit ? 0 : MIN(len, limit - guest);
    iov_memset(iov, niov, have, 0, len - have);
    if (have == 0) {
        return 0;
    }
    iov_drop_back(iov, &niov, len - have);
    return block_co_preadv(backing, guest, iov, niov);
}

static int coroutine_fn read_packed(Qcow2 *s, uint64_t entry, uint64_t guest,
                                    const struct iovec *iov, size_t niov)
{
    uint8_t *buf = g_try_malloc(s->cluster_size);
    int r = buf ? qcow2_read_compressed(s, entry, buf) : -ENOMEM;

    if (r == 0) {
        iov_from_buf(iov, niov, 0, buf + (guest & (s->cluster_size - 1)), iov_size(iov, niov));
    }
    g_free(buf);
    return r;
}

int coroutine_fn qcow2_pread(Qcow2 *s, uint64_t guest, const struct iovec *iov, size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;
    struct iovec *slice = g_new(struct iovec, niov);
    InFlight f;
    int r = 0;

    co_mutex_lock(&s->lock);
    begin(s, &f);
    while (done < len && r == 0) {
        size_t n;
        Map m;

        r = qcow2_map(s, guest + done, len - done, &m);
        if (r < 0) {
            break;
        }
        co_mutex_unlock(&s->lock);
        n = iov_slice(slice, niov, iov, niov, done, m.len);
        switch (m.kind) {
        case Q_UNALLOCATED:
            r = read_below(s, guest + done, slice, n);
            break;
        case Q_ZERO:
            iov_memset(slice, n, 0, 0, m.len);
            break;
        case Q_NORMAL:
            r = qcow2_read_data(s, m.host, slice, n);
            break;
        case Q_COMPRESSED:
            r = read_packed(s, m.entry, guest + done, slice, n);
        }
        done += m.len;
        co_mutex_lock(&s->lock);
    }
    end(s, &f);
    co_mutex_unlock(&s->lock);
    g_free(slice);
    return r;
}

int coroutine_fn qcow2_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return qcow2_pread(n->state, offset, iov, niov);
}

/* --- writes --- */

/* The guest's data with what must be around it in the same cluster. */
typedef struct Cow {
    uint64_t start, host;           /* guest and host offset of all that is written */
    size_t head, tail;              /* bytes before and after the data */
    bool head_zero, tail_zero;
} Cow;

static bool coroutine_fn reads_as_zeros(Qcow2 *s, uint64_t guest, uint64_t len)
{
    Map m;

    return qcow2_map(s, guest, len, &m) == 0 && m.len >= len &&
           (m.kind == Q_ZERO || (m.kind == Q_UNALLOCATED && !s->n->backing));
}

static Cow coroutine_fn plan_cow(Qcow2 *s, uint64_t guest, uint64_t len, const Plan *p,
                                 uint64_t host)
{
    uint64_t unit = UINT64_C(1) << (p->whole ? s->cluster_bits : s->sub_bits);
    uint64_t base = guest & ~(s->cluster_size - 1);
    Cow c = { .start = ALIGN_DOWN(guest, unit) };
    bool fresh = !s->crypt_method && p->what == PLAN_NEW && (int64_t)host >= block_length(s->n->file);

    c.head = guest - c.start;
    c.tail = ALIGN_UP(guest + len, unit) - (guest + len);
    c.head_zero = !c.head || reads_as_zeros(s, c.start, c.head);
    c.tail_zero = !c.tail || reads_as_zeros(s, guest + len, c.tail);
    /* Past the end of the file there are zeros already. */
    if (fresh && c.head_zero) {
        c.start = guest;
        c.head = 0;
    }
    if (fresh && c.tail_zero) {
        c.tail = 0;
    }
    c.host = host + (c.start - base);
    return c;
}

static int coroutine_fn fill(Qcow2 *s, uint64_t guest, uint8_t *buf, size_t len, bool zero)
{
    struct iovec v = { buf, len };

    if (zero || !len) {
        memset(buf, 0, len);
        return 0;
    }
    return qcow2_pread(s, guest, &v, 1);
}

/* Not under the lock. */
static int coroutine_fn write_cow(Qcow2 *s, const Cow *c, uint64_t guest, const struct iovec *iov,
                                  size_t niov)
{
    size_t len = iov_size(iov, niov);
    struct iovec *v = g_new(struct iovec, niov + 2);
    uint8_t *buf = g_try_malloc(MAX(c->head + c->tail, (size_t)1));
    int r = buf ? fill(s, c->start, buf, c->head, c->head_zero) : -ENOMEM;

    if (r == 0) {
        r = fill(s, guest + len, buf + c->head, c->tail, c->tail_zero);
    }
    if (r == 0) {
        size_t n = 0;

        if (c->head) {
            v[n++] = (struct iovec){ buf, c->head };
        }
        memcpy(v + n, iov, niov * sizeof(*iov));
        n += niov;
        if (c->tail) {
            v[n++] = (struct iovec){ buf + c->head, c->tail };
        }
        r = qcow2_write_data(s, c->host, v, n);
    }
    g_free(buf);
    g_free(v);
    return r;
}

/* Writes up to @*len bytes that need a change of tables; sets *@len to how many. */
static int coroutine_fn write_allocating(Qcow2 *s, uint64_t guest, const struct iovec *iov,
                                         size_t niov, size_t done, size_t *len, Plan *p)
{
    Alloc a = { .first = guest >> s->cluster_bits };
    uint64_t host = p->host, in_cluster = guest & (s->cluster_size - 1);
    struct iovec *slice;
    int64_t got = p->clusters;
    Cow c;
    int r;

    if (p->what == PLAN_NEW) {
        got = qcow2_alloc(s, p->clusters, false, &host);
        if (got < 0) {
            return got;
        }
    }
    *len = MIN(*len, ((uint64_t)got << s->cluster_bits) - in_cluster);
    a.end = a.first + got;
    a.next = s->allocs;
    s->allocs = &a;
    c = plan_cow(s, guest, *len, p, host);
    co_mutex_unlock(&s->lock);

    slice = g_new(struct iovec, niov);
    r = write_cow(s, &c, guest, slice, iov_slice(slice, niov, iov, niov, done, *len));
    g_free(slice);

    co_mutex_lock(&s->lock);
    if (r == 0) {
        r = qcow2_link(s, guest, *len, host, p->whole);
    }
    if (r < 0 && p->what == PLAN_NEW) {
        qcow2_refcount_add(s, host >> s->cluster_bits, got, -1);
    }
    end_alloc(s, &a);
    return r;
}

int coroutine_fn qcow2_pwrite(Qcow2 *s, uint64_t guest, const struct iovec *iov, size_t niov)
{
    size_t len = iov_size(iov, niov), done = 0;
    struct iovec *slice = g_new(struct iovec, niov);
    InFlight f;
    int r = 0;

    co_mutex_lock(&s->lock);
    begin(s, &f);
    if (s->lazy && !s->dirty_set) {
        r = qcow2_set_dirty(s, true);
    }
    while (done < len && r == 0) {
        uint64_t at = guest + done;
        size_t n = len - done;
        Plan p;

        wait_for_allocs(s, at, n);
        r = s->broken ? -EIO : qcow2_plan(s, at, n, &p);
        if (r < 0) {
            break;
        }
        n = MIN(n, (p.clusters << s->cluster_bits) - (at & (s->cluster_size - 1)));
        if (p.what == PLAN_IN_PLACE) {
            co_mutex_unlock(&s->lock);
            r = qcow2_write_data(s, p.host + (at & (s->cluster_size - 1)), slice,
                                 iov_slice(slice, niov, iov, niov, done, n));
            co_mutex_lock(&s->lock);
        } else {
            r = write_allocating(s, at, iov, niov, done, &n, &p);
        }
        done += n;
    }
    end(s, &f);
    co_mutex_unlock(&s->lock);
    g_free(slice);
    return r;
}

int coroutine_fn qcow2_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    return qcow2_pwrite(n->state, offset, iov, niov);
}

int coroutine_fn qcow2_co_flush(BlockNode *n)
{
    Qcow2 *s = n->state;
    int r;

    if (n->read_only) {
        return 0;
    }
    co_mutex_lock(&s->lock);
    r = qcow2_write_tables(s);
    co_mutex_unlock(&s->lock);
    return r < 0 ? r : block_co_flush(n->file);
}

/* --- discard, zeros --- */

static int coroutine_fn drop(Qcow2 *s, uint64_t guest, uint64_t len, bool zero, bool unmap)
{
    int r = 0;

    co_mutex_lock(&s->lock);
    if (s->lazy && !s->dirty_set) {
        r = qcow2_set_dirty(s, true);
    }
    if (r == 0) {
        wait_for_allocs(s, guest, len);
        r = s->broken ? -EIO : qcow2_drop(s, guest, clusters_for(s, len), zero, unmap);
    }
    co_mutex_unlock(&s->lock);
    return r;
}

/* The whole clusters inside of a range; the last one of the disk may be short. False: none. */
static bool whole_clusters(const Qcow2 *s, uint64_t offset, uint64_t len, uint64_t *first,
                           uint64_t *last)
{
    uint64_t end = offset + len;

    *first = ALIGN_UP(offset, s->cluster_size);
    *last = end == size_of(s) ? ALIGN_UP(end, s->cluster_size) : ALIGN_DOWN(end, s->cluster_size);
    return *first < *last;
}

int coroutine_fn qcow2_co_discard(BlockNode *n, uint64_t offset, uint64_t len)
{
    Qcow2 *s = n->state;
    uint64_t first, last;

    /* Version 2 can't say "reads as zeros", and what lies below must not come back. */
    if ((s->version < 3 && n->backing) || !whole_clusters(s, offset, len, &first, &last)) {
        return 0;
    }
    return drop(s, first, last - first, false, true);
}

static int coroutine_fn write_zeros(Qcow2 *s, uint64_t offset, uint64_t len)
{
    struct iovec v = { NULL, len };
    bool already;
    int r;

    if (len == 0) {
        return 0;
    }
    co_mutex_lock(&s->lock);
    wait_for_allocs(s, offset, len);
    already = reads_as_zeros(s, offset, len);
    co_mutex_unlock(&s->lock);
    if (already) {
        return 0;
    }
    v.iov_base = g_malloc0(len);
    r = qcow2_pwrite(s, offset, &v, 1);
    g_free(v.iov_base);
    return r;
}

int coroutine_fn qcow2_co_zero(BlockNode *n, uint64_t offset, uint64_t len, unsigned flags)
{
    Qcow2 *s = n->state;
    bool unmap = flags & BLOCK_ZERO_UNMAP;
    uint64_t first, last, end = offset + len;
    int r;

    if (s->version < 3 && (n->backing || !unmap)) {
        return -ENOTSUP;
    }
    if (!whole_clusters(s, offset, len, &first, &last)) {
        uint64_t middle = MIN(first, end);

        r = write_zeros(s, offset, middle - offset);
        return r < 0 ? r : write_zeros(s, middle, end - middle);
    }
    r = write_zeros(s, offset, first - offset);
    if (r == 0) {
        r = drop(s, first, last - first, s->version >= 3, unmap);
    }
    return r < 0 || end <= last ? r : write_zeros(s, last, end - last);
}

/* --- the rest --- */

int coroutine_fn qcow2_co_vmstate(BlockNode *n, bool write, uint64_t pos, const struct iovec *iov,
                                  size_t niov)
{
    Qcow2 *s = n->state;
    uint64_t at = qcow2_vmstate_offset(s) + pos, end = at + iov_size(iov, niov);
    int r = 0;

    if (pos > BIT64(55) || end > BIT64(56)) {
        return -EFBIG;
    }
    if (!write) {
        return qcow2_pread(s, at, iov, niov);
    }
    co_mutex_lock(&s->lock);
    if (qcow2_l1_for(s, end) > s->l1_size) {
        r = qcow2_grow_l1(s, qcow2_l1_for(s, end), false);
    }
    co_mutex_unlock(&s->lock);
    return r < 0 ? r : qcow2_pwrite(s, at, iov, niov);
}

int coroutine_fn qcow2_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    Qcow2 *s = n->state;
    Map m;
    int r;

    co_mutex_lock(&s->lock);
    r = qcow2_map(s, offset, len, &m);
    co_mutex_unlock(&s->lock);
    if (r < 0) {
        return r;
    }
    *st = (BlockStatus){
        .len = m.len, .allocated = m.kind != Q_UNALLOCATED, .compressed = m.kind == Q_COMPRESSED,
        .data = m.kind == Q_NORMAL || m.kind == Q_COMPRESSED,
        .zero = m.kind == Q_ZERO || (m.kind == Q_UNALLOCATED && !n->backing),
        .has_offset = !s->crypt_method && (m.kind == Q_NORMAL || (m.kind == Q_ZERO && m.host)),
        .offset = m.kind == Q_ZERO ? m.host + (offset & (s->cluster_size - 1)) : m.host,
    };
    return 0;
}
