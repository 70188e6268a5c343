/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: from guest offsets to host offsets and back into the tables (Spec "Cluster mapping"). */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

uint64_t qcow2_vmstate_offset(const Qcow2 *s)
{
    return qcow2_l1_for(s, __atomic_load_n(&s->size, __ATOMIC_RELAXED))
           << (s->cluster_bits + s->l2_bits);
}

uint64_t qcow2_l1_for(const Qcow2 *s, uint64_t size)
{
    unsigned shift = s->cluster_bits + s->l2_bits;

    return (size >> shift) + ((size & ((UINT64_C(1) << shift) - 1)) != 0);
}

uint64_t qcow2_l2_entry(const Qcow2 *s, const Table *t, uint32_t index)
{
    return load_be64(t->data + index * s->l2_entry_size);
}

/* Without extended entries: what a bitmap would be, for one subcluster. */
uint64_t qcow2_l2_bitmap(const Qcow2 *s, const Table *t, uint32_t index)
{
    uint64_t e = qcow2_l2_entry(s, t, index);

    if (extended_l2(s)) {
        return load_be64(t->data + index * 16 + 8);
    }
    return e & FLAG_COMPRESSED ? 0 : e & FLAG_ZERO ? BIT64(32) : (e & OFFSET_MASK) != 0;
}

void qcow2_l2_set(Qcow2 *s, Table *t, uint32_t index, uint64_t entry, uint64_t bitmap)
{
    uint32_t at = index * s->l2_entry_size;

    store_be64(t->data + at, entry);
    if (extended_l2(s)) {
        store_be64(t->data + at + 8, bitmap);
    }
    qcow2_table_dirty(&s->l2_cache, t, at, at + s->l2_entry_size);
}

static int check_entry(Qcow2 *s, uint64_t guest, uint64_t entry, uint64_t bitmap)
{
    uint64_t host = entry & OFFSET_MASK;

    if (entry & FLAG_COMPRESSED) {
        return 0;
    }
    if (entry & L2_RESERVED || (entry & FLAG_ZERO && (s->version < 3 || extended_l2(s)))) {
        return qcow2_broken(s, "the L2 entry of guest offset 0x%" PRIx64 " is 0x%" PRIx64
                            ", with reserved bits", guest, entry);
    }
    if (host & (s->cluster_size - 1)) {
        return qcow2_broken(s, "guest offset 0x%" PRIx64 " is at host offset 0x%" PRIx64
                            ", which isn't aligned to a cluster", guest, host);
    }
    if (extended_l2(s) && ((bitmap >> 32 & bitmap & UINT32_MAX) ||
                           (!host && bitmap & UINT32_MAX))) {
        return qcow2_broken(s, "the subclusters of guest offset 0x%" PRIx64 " are 0x%" PRIx64
                            ", which can't be", guest, bitmap);
    }
    return 0;
}

/* The L2 table that an L1 entry names; NULL: none. */
static int coroutine_fn table_of(Qcow2 *s, uint64_t guest, Table **t)
{
    uint64_t i = l1_index_of(s, guest), e;

    *t = NULL;
    if (i >= s->l1_size || !(s->l1[i] & OFFSET_MASK)) {
        return 0;
    }
    e = s->l1[i];
    if (e & L1_RESERVED || e & OFFSET_MASK & (s->cluster_size - 1)) {
        return qcow2_broken(s, "L1 entry %" PRIu64 " is 0x%" PRIx64 "; expected an aligned offset",
                            i, e);
    }
    return qcow2_table_get(s, &s->l2_cache, e & OFFSET_MASK, false, t);
}

static Kind sub_kind(uint64_t entry, uint64_t bitmap, unsigned sub)
{
    return entry & FLAG_COMPRESSED ? Q_COMPRESSED : bitmap >> sub & 1 ? Q_NORMAL
           : bitmap >> (32 + sub) & 1 ? Q_ZERO : Q_UNALLOCATED;
}

int coroutine_fn qcow2_map(Qcow2 *s, uint64_t guest, uint64_t len, Map *m)
{
    uint64_t table_end = ((l1_index_of(s, guest) + 1) << (s->cluster_bits + s->l2_bits));
    uint64_t end = guest + MIN(len, table_end - guest), at = guest, next_host = 0;
    Table *t;
    int r = table_of(s, guest, &t);

    *m = (Map){ .kind = Q_UNALLOCATED, .len = end - guest };
    if (r < 0 || !t) {
        return r;
    }
    while (at < end) {
        uint32_t i = l2_index_of(s, at);
        uint64_t e = qcow2_l2_entry(s, t, i), bitmap = qcow2_l2_bitmap(s, t, i);
        uint64_t in_cluster = at & (s->cluster_size - 1);
        uint64_t sub_end = (at >> s->sub_bits) + 1, host = 0;
        Kind k = sub_kind(e, bitmap, in_cluster >> s->sub_bits);

        r = check_entry(s, at, e, bitmap);
        if (r < 0) {
            break;
        }
        if (k == Q_NORMAL) {
            host = (e & OFFSET_MASK) + in_cluster;
        }
        if (at == guest) {
            m->kind = k;
            m->host = k == Q_ZERO ? e & OFFSET_MASK : host;
            m->entry = e;
        } else if (k != m->kind || k == Q_COMPRESSED || (k == Q_NORMAL && host != next_host)) {
            break;
        }
        sub_end = k == Q_COMPRESSED ? (at - in_cluster) + s->cluster_size : sub_end << s->sub_bits;
        next_host = host + (sub_end - at);
        at = sub_end;
    }
    m->len = MIN(at, end) - guest;
    qcow2_table_put(t);
    return r;
}

/* --- changing --- */

/* The entry in L1 appears on the disk after the table does. */
static int coroutine_fn new_table(Qcow2 *s, uint64_t i, Table *old, Table **t)
{
    uint64_t offset;
    int64_t n = qcow2_alloc(s, 1, true, &offset);
    int r;

    if (n < 0) {
        return n;
    }
    r = qcow2_table_get(s, &s->l2_cache, offset, true, t);
    if (r < 0) {
        return r;
    }
    if (old) {
        memcpy((*t)->data, old->data, s->cluster_size);
        qcow2_free_later(s, old->offset, s->cluster_size, false);
    }
    s->l1[i] = offset | FLAG_COPIED;
    qcow2_l1_dirty(s, i, i + 1);
    return 0;
}

int coroutine_fn qcow2_l2_get(Qcow2 *s, uint64_t guest, Table **t)
{
    uint64_t i = l1_index_of(s, guest);
    Table *old;
    int r;

    if (i >= s->l1_size) {
        return -EFBIG;
    }
    r = table_of(s, guest, &old);
    if (r < 0) {
        return r;
    }
    if (old && s->l1[i] & FLAG_COPIED) {
        *t = old;
        return 0;
    }
    r = new_table(s, i, old, t);
    if (old) {
        qcow2_table_put(old);
    }
    return r;
}

void qcow2_compressed_place(const Qcow2 *s, uint64_t entry, uint64_t *offset, uint64_t *len)
{
    unsigned x = 62 - (s->cluster_bits - 8);

    *offset = entry & (BIT64(x) - 1) & (BIT64(56) - 1);
    *len = ((entry & (BIT64(62) - 1)) >> x) * 512 + 512 - (*offset & 511);
}

void qcow2_free_entry(Qcow2 *s, uint64_t entry, bool discard)
{
    if (entry & FLAG_COMPRESSED) {
        uint64_t offset, len, first;

        qcow2_compressed_place(s, entry, &offset, &len);
        first = ALIGN_DOWN(offset, s->cluster_size);
        qcow2_free_later(s, first, ALIGN_UP(offset + len, s->cluster_size) - first, false);
    } else if (entry & OFFSET_MASK) {
        qcow2_free_later(s, entry & OFFSET_MASK, s->cluster_size, discard);
    }
}

/* Bits of the subclusters in [from, to) of a cluster. */
static uint64_t sub_mask(const Qcow2 *s, uint64_t from, uint64_t to)
{
    unsigned first = from >> s->sub_bits, last = (to - 1) >> s->sub_bits;

    return (BIT64(last - first + 1) - 1) << first;
}

static uint64_t all_subs(const Qcow2 *s)
{
    return extended_l2(s) ? UINT32_MAX : 1;
}

int coroutine_fn qcow2_plan(Qcow2 *s, uint64_t guest, uint64_t len, Plan *p)
{
    uint64_t table_end = ((l1_index_of(s, guest) + 1) << (s->cluster_bits + s->l2_bits));
    uint64_t at = guest, end = guest + MIN(len, table_end - guest);
    Table *t;
    int r = table_of(s, guest, &t);

    *p = (Plan){ .what = PLAN_NEW,
                 .clusters = ((end - 1) >> s->cluster_bits) - (guest >> s->cluster_bits) + 1 };
    if (r < 0 || !t) {
        return r;
    }
    p->clusters = 0;
    while (at < end) {
        uint32_t i = l2_index_of(s, at);
        uint64_t e = qcow2_l2_entry(s, t, i), bitmap = qcow2_l2_bitmap(s, t, i);
        uint64_t base = at & ~(s->cluster_size - 1), host = 0;
        uint64_t touched = sub_mask(s, at - base, MIN(end - base, s->cluster_size));
        bool whole = false;
        int what = PLAN_NEW;

        r = check_entry(s, at, e, bitmap);
        if (r < 0) {
            break;
        }
        /* A table that is shared has shared clusters: bit 63 counts in the active ones only. */
        if (!(e & FLAG_COMPRESSED) && e & FLAG_COPIED && e & OFFSET_MASK &&
            s->l1[l1_index_of(s, guest)] & FLAG_COPIED) {
            host = e & OFFSET_MASK;
            what = (bitmap & touched) == touched ? PLAN_IN_PLACE : PLAN_REUSE;
        } else if (extended_l2(s)) {
            whole = e & FLAG_COMPRESSED || (bitmap & UINT32_MAX & ~touched);
        }
        if (at == guest) {
            p->what = what;
            p->host = host;
            p->whole = whole;
        } else if (what != (int)p->what || whole || p->whole ||
                   (host && host != p->host + (p->clusters << s->cluster_bits))) {
            break;
        }
        p->clusters++;
        at = base + s->cluster_size;
    }
    qcow2_table_put(t);
    return r;
}

int coroutine_fn qcow2_link(Qcow2 *s, uint64_t guest, uint64_t len, uint64_t host, bool whole)
{
    uint64_t at = guest, end = guest + len;
    Table *t;
    int r = qcow2_l2_get(s, guest, &t);

    if (r < 0) {
        return r;
    }
    while (at < end) {
        uint32_t i = l2_index_of(s, at);
        uint64_t e = qcow2_l2_entry(s, t, i), bitmap = qcow2_l2_bitmap(s, t, i);
        uint64_t base = at & ~(s->cluster_size - 1);
        uint64_t touched = whole ? all_subs(s)
                           : sub_mask(s, at - base, MIN(end - base, s->cluster_size));

        if (e & FLAG_COMPRESSED) {
            bitmap = 0;
        }
        qcow2_l2_set(s, t, i, host | FLAG_COPIED, (bitmap | touched) & ~(touched << 32));
        if (e & FLAG_COMPRESSED || (e & OFFSET_MASK) != host) {
            qcow2_free_entry(s, e, false);
        }
        host += s->cluster_size;
        at = base + s->cluster_size;
    }
    qcow2_table_put(t);
    return 0;
}

/* What an entry becomes when its cluster's data is worthless. */
static void dropped(const Qcow2 *s, uint64_t *entry, uint64_t *bitmap, bool zero, bool unmap)
{
    uint64_t e = *entry;
    bool keep = zero && !unmap && !(e & FLAG_COMPRESSED) && e & FLAG_COPIED;

    /* What lies below must not show through. */
    zero |= s->n->backing != NULL;
    *entry = keep ? e & (OFFSET_MASK | FLAG_COPIED) : 0;
    *bitmap = zero || keep ? (uint64_t)UINT32_MAX << 32 : 0;
    if (!extended_l2(s) && (zero || keep)) {
        *entry |= FLAG_ZERO;
    }
}

int coroutine_fn qcow2_drop(Qcow2 *s, uint64_t guest, uint64_t clusters, bool zero, bool unmap)
{
    while (clusters) {
        Table *t;
        uint64_t left = (1U << s->l2_bits) - l2_index_of(s, guest);
        bool shared, none;
        int r = table_of(s, guest, &t);

        left = MIN(left, clusters);
        if (r < 0) {
            return r;
        }
        shared = t && !(s->l1[l1_index_of(s, guest)] & FLAG_COPIED);
        none = !t;
        if (t) {
            qcow2_table_put(t);
        }
        if (none && !s->n->backing) {
            guest += left << s->cluster_bits;   /* reads as zeros already */
            clusters -= left;
            continue;
        }
        r = qcow2_l2_get(s, guest, &t);
        if (r < 0) {
            return r;
        }
        for (uint64_t k = 0; k < left; k++, guest += s->cluster_size) {
            uint32_t i = l2_index_of(s, guest);
            uint64_t e = qcow2_l2_entry(s, t, i), bitmap = qcow2_l2_bitmap(s, t, i);
            uint64_t ne = e & ~(shared ? FLAG_COPIED : 0), nb = bitmap;

            r = check_entry(s, guest, e, bitmap);
            if (r < 0) {
                break;
            }
            dropped(s, &ne, &nb, zero, unmap);
            if ((ne | FLAG_COPIED) == (e | FLAG_COPIED) && nb == bitmap) {
                continue;
            }
            if (!e && !zero && !(bitmap >> 32)) {
                continue;                       /* a discard of nothing */
            }
            qcow2_l2_set(s, t, i, ne, nb);
            if (e & FLAG_COMPRESSED || !(ne & OFFSET_MASK)) {
                qcow2_free_entry(s, e, s->discard_passes);
            }
        }
        qcow2_table_put(t);
        if (r < 0) {
            return r;
        }
        clusters -= left;
    }
    return 0;
}

/* --- a larger L1 table --- */

int coroutine_fn qcow2_grow_l1(Qcow2 *s, uint64_t entries, bool exact)
{
    uint64_t want = exact ? entries : MAX(entries, (uint64_t)s->l1_size + s->l1_size / 2);
    uint64_t bytes = ALIGN_UP(MIN(want, MAX_L1_BYTES / 8) * 8, s->cluster_size), offset, old = s->l1_offset;
    uint64_t old_bytes = s->l1_size * UINT64_C(8);
    uint64_t *l1;
    uint8_t *raw, b[12];
    int64_t r;

    if (entries <= s->l1_size) {
        return 0;
    }
    if (entries > MAX_L1_BYTES / 8) {
        return -EFBIG;
    }
    want = MIN(want, MAX_L1_BYTES / 8);
    r = qcow2_write_tables(s);
    if (r == 0) {
        r = qcow2_alloc(s, bytes >> s->cluster_bits, true, &offset);
    }
    if (r < 0) {
        return r;
    }
    l1 = g_malloc0(bytes);
    raw = g_malloc0(bytes);
    memcpy(l1, s->l1, old_bytes);
    for (uint32_t i = 0; i < s->l1_size; i++) {
        store_be64(raw + i * 8, l1[i]);
    }
    /* The new table is counted and written before the header names it, in one write. */
    r = qcow2_write_all(s);
    if (r == 0) {
        r = qcow2_write(s, offset, raw, bytes);
    }
    if (r == 0) {
        r = format_barrier(s->n);
    }
    if (r == 0) {
        store_be32(b, want);
        store_be64(b + 4, offset);
        r = qcow2_write(s, HDR_L1_SIZE, b, sizeof(b));
    }
    g_free(raw);
    if (r < 0) {
        g_free(l1);
        return r;
    }
    g_free(s->l1);
    s->l1 = l1;
    s->l1_size = want;
    s->l1_offset = offset;
    r = format_barrier(s->n);
    if (r == 0 && old_bytes) {
        qcow2_free_later(s, old, old_bytes, false);
    }
    return r;
}
