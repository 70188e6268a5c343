/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: counting all references anew, comparing them with the refcounts, and
 * mending these. A refcount that is too high is a leak; one that is too low, a
 * wrong bit 63 or a reference that can't be is damage.
 */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

#define MAX_CLUSTERS    BIT64(31)
#define SPARE           65536           /* clusters that mending may take behind the end */

typedef struct Check {
    Qcow2 *s;
    BlockCheck *result;
    uint64_t clusters;                  /* of the file, rounded up */
    uint64_t last_host;                 /* of the cluster before, for fragmentation */
    bool active;
} Check;

static void PRINTF_LIKE(2, 3) say(Check *c, const char *fmt, ...)
{
    if (c->result->tell) {
        va_list ap;
        char *text;

        va_start(ap, fmt);
        text = g_strdup_vprintf(fmt, ap);
        va_end(ap);
        c->result->tell(c->result->opaque, text);
        g_free(text);
    }
}

static void count(Check *c, const char *what, uint64_t offset, uint64_t bytes)
{
    Qcow2 *s = c->s;
    uint64_t first = offset >> s->cluster_bits, last;

    if (!bytes) {
        return;
    }
    last = (offset + bytes - 1) >> s->cluster_bits;
    if (offset > INT64_MAX - bytes || last >= c->clusters) {
        say(c, "ERROR %s at offset 0x%" PRIx64 ", %" PRIu64 " bytes, is past the end of the file", what,
            offset, bytes);
        c->result->corruptions++;
        return;
    }
    for (uint64_t i = first; i <= last; i++) {
        uint32_t *n = qcow2_in_use(s, i, true);

        if (!n || *n == UINT32_MAX) {
            say(c, "ERROR cluster %" PRIu64 " is referenced too often", i);
            c->result->corruptions++;
        } else {
            ++*n;
        }
    }
}

/* --- L1, L2 --- */

static int coroutine_fn copied_right(Check *c, const char *what, uint64_t entry, uint64_t where)
{
    uint64_t refs;
    int r = qcow2_refcount_get(c->s, (entry & OFFSET_MASK) >> c->s->cluster_bits, &refs);

    if (r == 0 && (refs == 1) != !!(entry & FLAG_COPIED)) {
        say(c, "ERROR OFLAG_COPIED %s: guest offset 0x%" PRIx64 " entry=0x%" PRIx64 " refcount=%" PRIu64,
            what, where, entry, refs);
        c->result->corruptions++;
        c->result->flags_wrong++;
    }
    return r;
}

static int coroutine_fn check_entry(Check *c, uint64_t e, uint64_t guest)
{
    Qcow2 *s = c->s;
    uint64_t offset, len, host = e & OFFSET_MASK;

    if (e & FLAG_COMPRESSED) {
        qcow2_compressed_place(s, e, &offset, &len);
        count(c, "a compressed cluster", offset, len);
        if (c->active) {
            c->result->allocated++;
            c->result->compressed++;
            c->result->fragmented++;
        }
        return 0;
    }
    if (e & L2_RESERVED) {
        say(c, "ERROR L2 entry of guest offset 0x%" PRIx64 " has reserved bits: 0x%" PRIx64, guest, e);
        c->result->corruptions++;
    }
    if (!host) {
        return 0;
    }
    if (host & (s->cluster_size - 1)) {
        say(c, "ERROR the cluster of guest offset 0x%" PRIx64 " is not properly aligned; L2 entry "
            "corrupted: 0x%" PRIx64, guest, e);
        c->result->corruptions++;
        return 0;
    }
    count(c, "a data cluster", host, s->cluster_size);
    if (!c->active) {
        return 0;
    }
    c->result->allocated++;
    c->result->fragmented += c->last_host && host != c->last_host + s->cluster_size;
    c->last_host = host;
    return copied_right(c, "data cluster", e, guest);
}

static int coroutine_fn check_l2(Check *c, uint64_t offset, uint64_t guest)
{
    Qcow2 *s = c->s;
    Table *t;
    int r = qcow2_table_get(s, &s->l2_cache, offset, false, &t);

    if (r < 0) {
        return r;
    }
    for (uint32_t k = 0; k < 1U << s->l2_bits && r == 0; k++) {
        r = check_entry(c, qcow2_l2_entry(s, t, k), guest + ((uint64_t)k << s->cluster_bits));
    }
    qcow2_table_put(t);
    return r;
}

static int coroutine_fn check_l1(Check *c, const uint64_t *l1, uint32_t size)
{
    Qcow2 *s = c->s;
    int r = 0;

    for (uint32_t i = 0; i < size && r == 0; i++) {
        uint64_t offset = l1[i] & OFFSET_MASK;
        uint64_t guest = (uint64_t)i << (s->cluster_bits + s->l2_bits);

        if (!offset) {
            continue;
        }
        if (offset & (s->cluster_size - 1) || l1[i] & L1_RESERVED) {
            say(c, "ERROR L1 entry %u is not properly aligned or has reserved bits: 0x%" PRIx64, i,
                l1[i]);
            c->result->corruptions++;
            continue;
        }
        if (offset >> s->cluster_bits >= c->clusters) {
            count(c, "an L2 table", offset, s->cluster_size);
            continue;
        }
        count(c, "an L2 table", offset, s->cluster_size);
        if (c->active) {
            r = copied_right(c, "L2 table", l1[i], guest);
        }
        if (r == 0) {
            r = check_l2(c, offset, guest);
        }
    }
    return r;
}

/* --- the rest of the metadata --- */

static int coroutine_fn check_snapshots(Check *c)
{
    Qcow2 *s = c->s;
    int r = 0;

    count(c, "the snapshot table", s->snapshots_offset, s->nb_snapshots ? s->snapshots_bytes : 0);
    for (uint32_t i = 0; i < s->nb_snapshots && r == 0; i++) {
        const Snapshot *e = &s->snapshots[i];
        uint64_t *l1 = g_try_malloc(MAX(e->l1_size, 1U) * UINT64_C(8));

        r = !l1 ? -ENOMEM : e->l1_size ? qcow2_read(s, e->l1_offset, l1, e->l1_size * UINT64_C(8)) : 0;
        for (uint32_t k = 0; k < e->l1_size && r == 0; k++) {
            l1[k] = load_be64(&l1[k]);
        }
        if (r == 0) {
            count(c, "a snapshot's L1 table", e->l1_offset, e->l1_size * UINT64_C(8));
            r = check_l1(c, l1, e->l1_size);
        }
        g_free(l1);
    }
    return r;
}

static void check_refcount_table(Check *c)
{
    Qcow2 *s = c->s;

    count(c, "the refcount table", s->rt_offset, s->rt_clusters * s->cluster_size);
    for (uint32_t i = 0; i < s->rt_size; i++) {
        if (s->rt[i] & (s->cluster_size - 1)) {
            say(c, "ERROR refcount block %u is not cluster aligned; refcount table entry corrupted", i);
            c->result->corruptions++;
            s->rt[i] = 0;
        } else if (s->rt[i] && s->rt[i] >> s->cluster_bits >= c->clusters) {
            say(c, "ERROR refcount block %u is outside image", i);
            c->result->corruptions++;
            s->rt[i] = 0;
        } else if (s->rt[i]) {
            count(c, "a refcount block", s->rt[i], s->cluster_size);
        }
    }
}

/* Dirty bitmaps aren't used here, but their clusters are theirs (Spec "Bitmaps extension"). */
static int coroutine_fn check_bitmap(Check *c, const uint8_t *dir)
{
    Qcow2 *s = c->s;
    uint64_t offset = load_be64(dir), entries = load_be32(dir + 8);
    uint64_t *t = entries <= 1 << 20 ? g_try_malloc(entries * 8 + 1) : NULL;
    int r = t ? entries ? qcow2_read(s, offset, t, entries * 8) : 0 : -ENOMEM;

    count(c, "a bitmap's table", offset, entries * 8);
    for (uint64_t k = 0; k < entries && r == 0; k++) {
        uint64_t e = load_be64(&t[k]) & OFFSET_MASK;

        count(c, "a bitmap's data", e, e ? s->cluster_size : 0);
    }
    g_free(t);
    return r;
}

static int coroutine_fn check_bitmaps(Check *c)
{
    Qcow2 *s = c->s;
    int r = 0;

    for (guint i = 0; i < s->extensions->len && r == 0; i++) {
        const Extension *e = &g_array_index(s->extensions, Extension, i);
        uint64_t size, offset;
        uint8_t *b;

        if (e->type != EXT_BITMAPS || e->len < 24) {
            continue;
        }
        size = load_be64(e->data + 8);
        offset = load_be64(e->data + 16);
        count(c, "the bitmap directory", offset, size);
        b = size < 64 * MIB ? g_try_malloc(size + 1) : NULL;
        r = b ? qcow2_read(s, offset, b, size) : -ENOMEM;
        for (uint64_t at = 0; r == 0 && at + 24 <= size; ) {
            r = check_bitmap(c, b + at);
            at += ALIGN_UP(24 + (uint64_t)load_be16(b + at + 18) + load_be32(b + at + 20), 8U);
        }
        g_free(b);
    }
    return r;
}

/* --- comparing and mending --- */

static int coroutine_fn compare_range(Check *c, uint64_t from, uint64_t to, unsigned fix)
{
    Qcow2 *s = c->s;
    BlockCheck *b = c->result;
    int r = 0;

    for (uint64_t i = from; i < MIN(to, c->clusters) && r == 0; i++) {
        const uint32_t *n = qcow2_in_use(s, i, false);
        uint32_t want = n ? *n : 0;
        uint64_t refs;
        bool leak;

        r = qcow2_refcount_get(s, i, &refs);
        if (r < 0) {
            break;
        }
        if (want) {
            b->end_offset = (i + 1) << s->cluster_bits;
        }
        if (refs == want) {
            continue;
        }
        leak = refs > want;
        say(c, "%s cluster %" PRIu64 " refcount=%" PRIu64 " reference=%u", !leak ? "ERROR" : "Leaked", i,
            refs, want);
        b->leaks += leak;
        b->corruptions += !leak;
        if (fix & (leak ? BLOCK_FIX_LEAKS : BLOCK_FIX_ERRORS)) {
            r = want > s->refcount_max ? -EOVERFLOW : qcow2_refcount_set(s, i, want);
            b->leaks_fixed += leak && r == 0;
            b->corruptions_fixed += !leak && r == 0;
        }
    }
    return r;
}

/* A file may have far holes: where nothing is counted and nothing referenced, nothing can differ. */
static int coroutine_fn compare(Check *c, unsigned fix)
{
    Qcow2 *s = c->s;
    int r = 0;

    for (uint64_t chunk = 0; chunk < s->in_use_chunks && r == 0; chunk++) {
        uint64_t from = chunk << IN_USE_BITS, end = from + (1 << IN_USE_BITS);

        if (s->in_use[chunk]) {
            r = compare_range(c, from, end, fix);
            continue;
        }
        while (from < end && from >> s->rb_bits < s->rt_size && r == 0) {
            uint64_t next = MIN(((from >> s->rb_bits) + 1) << s->rb_bits, end);

            if (s->rt[from >> s->rb_bits]) {
                r = compare_range(c, from, next, fix);
            }
            from = next;
        }
    }
    return r;
}

static int coroutine_fn check(Check *c, unsigned fix)
{
    Qcow2 *s = c->s;
    int r;

    count(c, "the header", 0, s->cluster_size);
    count(c, "the L1 table", s->l1_offset, s->l1_size * UINT64_C(8));
    if (s->crypt_method) {
        count(c, "the encryption header", s->crypt_offset, s->crypt_length);
    }
    check_refcount_table(c);
    c->active = true;
    r = check_l1(c, s->l1, s->l1_size);
    c->active = false;
    if (r == 0) {
        r = check_snapshots(c);
    }
    if (r == 0) {
        r = check_bitmaps(c);
    }
    if (r == 0) {
        r = compare(c, fix);
    }
    if (r == 0 && fix & BLOCK_FIX_ERRORS) {
        c->result->corruptions_fixed += c->result->flags_wrong;
        r = qcow2_set_copied(s, false);
    }
    if (r == 0 && fix) {
        r = qcow2_write_all(s);
    }
    return r;
}

int coroutine_fn qcow2_co_check(BlockNode *n, unsigned fix, BlockCheck *result, Error **errp)
{
    Qcow2 *s = n->state;
    Check c = { .s = s, .result = result };
    int64_t file = block_length(n->file);
    int r;

    c.clusters = file < 0 ? 0 : clusters_for(s, file);
    if (file < 0 || c.clusters > MAX_CLUSTERS) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'%s' has %" PRId64 " bytes, too many to be checked",
                   n->filename, file);
        return -EFBIG;
    }
    result->total = clusters_for(s, s->size);
    co_mutex_lock(&s->lock);
    r = fix ? qcow2_write_tables(s) : 0;
    s->in_use_chunks = ((c.clusters + SPARE) >> IN_USE_BITS) + 1;
    s->in_use = g_try_new0(uint32_t *, s->in_use_chunks);
    r = r < 0 ? r : s->in_use ? check(&c, fix) : -ENOMEM;
    for (uint64_t i = 0; s->in_use && i < s->in_use_chunks; i++) {
        g_free(s->in_use[i]);
    }
    g_free(s->in_use);
    s->in_use = NULL;
    if (r == 0 && fix & BLOCK_FIX_ERRORS && result->corruptions == result->corruptions_fixed &&
        s->incompat & (INCOMPAT_CORRUPT | INCOMPAT_DIRTY)) {
        uint64_t v = s->incompat & ~(uint64_t)(INCOMPAT_CORRUPT | INCOMPAT_DIRTY);

        r = format_barrier(s->n);
        if (r == 0) {
            r = qcow2_write_be64(s, HDR_INCOMPAT, v);
        }
        s->incompat = r == 0 ? v : s->incompat;
    }
    s->free_hint = 1;
    co_mutex_unlock(&s->lock);
    if (r < 0) {
        error_set_errno(errp, -r, "can't check '%s'", n->filename);
    }
    return r;
}
