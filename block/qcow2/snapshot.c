/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: internal snapshots (Spec "Snapshots"). They touch many tables at once, so the dirty bit is set
 * meanwhile (version 3): who opens the image after a crash counts the references anew.
 */
#include "util/osdep.h"
#include "block/qcow2/qcow2.h"
#include "util/bswap.h"

#define ENTRY_BYTES     40
#define EXTRA_BYTES     24              /* vm state size, disk size, icount */

/* --- the table --- */

void qcow2_free_snapshots(Qcow2 *s)
{
    for (uint32_t i = 0; i < s->nb_snapshots && s->snapshots; i++) {
        g_free(s->snapshots[i].info.id);
        g_free(s->snapshots[i].info.name);
        g_free(s->snapshots[i].extra);
    }
    g_free(s->snapshots);
    s->snapshots = NULL;
}

static bool parse_entry(Qcow2 *s, Snapshot *e, const uint8_t *b, uint64_t left, uint64_t *len,
                        uint32_t i, Error **errp)
{
    uint64_t id = left >= ENTRY_BYTES ? load_be16(b + 12) : 0;
    uint64_t name = left >= ENTRY_BYTES ? load_be16(b + 14) : 0;
    uint64_t extra = left >= ENTRY_BYTES ? load_be32(b + 36) : 0;

    *len = ALIGN_UP(ENTRY_BYTES + extra + id + name, 8U);
    if (left < ENTRY_BYTES || extra > MAX_SNAPSHOT_EXTRA || ENTRY_BYTES + extra + id + name > left) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "snapshot %u of %u at offset 0x%" PRIx64 " is longer than "
                   "the table may be", i, s->nb_snapshots, s->snapshots_offset);
        return false;
    }
    e->l1_offset = load_be64(b);
    e->l1_size = load_be32(b + 8);
    e->info.date_sec = load_be32(b + 16);
    e->info.date_nsec = load_be32(b + 20);
    e->info.vm_clock_ns = load_be64(b + 24);
    e->info.vm_state_size = extra >= 8 ? load_be64(b + 40) : load_be32(b + 32);
    e->info.disk_size = extra >= 16 ? load_be64(b + 48) : s->size;
    e->info.icount = extra >= 24 ? load_be64(b + 56) : UINT64_MAX;
    e->extra_size = extra;
    e->extra = g_memdup2(b + ENTRY_BYTES, extra);
    e->info.id = g_strndup((const char *)b + ENTRY_BYTES + extra, id);
    e->info.name = g_strndup((const char *)b + ENTRY_BYTES + extra + id, name);
    if (e->l1_offset & (s->cluster_size - 1) || e->l1_size > MAX_L1_BYTES / 8 ||
        e->l1_offset > INT64_MAX - MAX_L1_BYTES || (e->l1_size && e->l1_offset < s->cluster_size) ||
        e->info.disk_size > BIT64(61) || qcow2_l1_for(s, e->info.disk_size) > MAX_L1_BYTES / 8) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "snapshot %u ('%s') has an L1 table at offset 0x%" PRIx64
                   " with %u entries and a disk of %" PRIu64 " bytes, which can't be", i, e->info.name,
                   e->l1_offset, e->l1_size, e->info.disk_size);
        return false;
    }
    return true;
}

bool coroutine_fn qcow2_read_snapshots(Qcow2 *s, Error **errp)
{
    int64_t file = block_length(s->n->file);
    uint64_t room, at = 0;
    uint8_t *b;
    int r;
    bool ok = true;

    if (!s->nb_snapshots) {
        return true;
    }
    if (file < 0 || s->snapshots_offset >= (uint64_t)file) {
        error_setf(errp, ERR_IMAGE_CORRUPT, "the snapshot table (byte 64) is at offset 0x%" PRIx64
                   ", past the end of the file", s->snapshots_offset);
        return false;
    }
    room = MIN((uint64_t)file - s->snapshots_offset, MAX_SNAPSHOT_TABLE);
    room = MIN(room, s->nb_snapshots * (ENTRY_BYTES + MAX_SNAPSHOT_EXTRA + UINT64_C(131072)));
    b = g_try_malloc(room);
    r = b ? qcow2_read(s, s->snapshots_offset, b, room) : -ENOMEM;
    if (r < 0) {
        error_set_errno(errp, -r, "can't read the snapshot table at offset 0x%" PRIx64,
                        s->snapshots_offset);
        g_free(b);
        return false;
    }
    s->snapshots = g_new0(Snapshot, s->nb_snapshots);
    for (uint32_t i = 0; i < s->nb_snapshots && ok; i++) {
        uint64_t len = 0;

        ok = parse_entry(s, &s->snapshots[i], b + at, room - at, &len, i, errp);
        at = MIN(at + len, room);
    }
    s->snapshots_bytes = at;
    g_free(b);
    return ok;
}

static void put_entry(GByteArray *b, const Snapshot *e)
{
    uint8_t h[ENTRY_BYTES], extra[MAX_SNAPSHOT_EXTRA] = { 0 };
    static const uint8_t zeros[8];
    uint32_t extra_size = MAX(e->extra_size, e->info.icount != UINT64_MAX ? 24U : 16U);

    store_be64(h, e->l1_offset);
    store_be32(h + 8, e->l1_size);
    store_be16(h + 12, strlen(e->info.id));
    store_be16(h + 14, strlen(e->info.name));
    store_be32(h + 16, e->info.date_sec);
    store_be32(h + 20, e->info.date_nsec);
    store_be64(h + 24, e->info.vm_clock_ns);
    store_be32(h + 32, e->info.vm_state_size > UINT32_MAX ? 0 : e->info.vm_state_size);
    store_be32(h + 36, extra_size);
    if (e->extra_size) {
        memcpy(extra, e->extra, e->extra_size);
    }
    store_be64(extra, e->info.vm_state_size);
    store_be64(extra + 8, e->info.disk_size);
    if (extra_size >= 24) {
        store_be64(extra + 16, e->info.icount);
    }
    g_byte_array_append(b, h, sizeof(h));
    g_byte_array_append(b, extra, extra_size);
    g_byte_array_append(b, (const uint8_t *)e->info.id, strlen(e->info.id));
    g_byte_array_append(b, (const uint8_t *)e->info.name, strlen(e->info.name));
    g_byte_array_append(b, zeros, ALIGN_UP(b->len, 8U) - b->len);
}

/* A new table, then one write of the header that makes it count. */
static int coroutine_fn write_list(Qcow2 *s, const Snapshot *list, uint32_t count)
{
    uint64_t old = s->snapshots_offset, old_bytes = s->snapshots_bytes, offset = 0;
    GByteArray *b = g_byte_array_new();
    uint8_t h[12];
    int64_t r = 0;

    for (uint32_t i = 0; i < count; i++) {
        put_entry(b, &list[i]);
    }
    if (b->len > MAX_SNAPSHOT_TABLE) {
        r = -EFBIG;
    } else if (b->len) {
        r = qcow2_alloc(s, clusters_for(s, b->len), true, &offset);
        if (r >= 0) {
            r = qcow2_write(s, offset, b->data, b->len);
        }
    }
    if (r == 0) {
        r = qcow2_write_all(s);                 /* refcounts first */
    }
    if (r == 0) {
        r = format_barrier(s->n);
    }
    store_be32(h, count);
    store_be64(h + 4, offset);
    if (r == 0) {
        r = qcow2_write(s, HDR_NB_SNAPSHOTS, h, sizeof(h));
    }
    if (r == 0) {
        s->snapshots_offset = offset;
        s->snapshots_bytes = b->len;
        r = format_barrier(s->n);
        if (old_bytes) {
            qcow2_free_later(s, old, old_bytes, false);
        }
    }
    g_byte_array_unref(b);
    return r;
}

/* --- references of a whole L1 table --- */

static int coroutine_fn add_entry_refs(Qcow2 *s, uint64_t e, int delta)
{
    uint64_t offset, len, first;

    if (e & FLAG_COMPRESSED) {
        qcow2_compressed_place(s, e, &offset, &len);
        first = offset >> s->cluster_bits;
        return qcow2_refcount_add(s, first, ((offset + len - 1) >> s->cluster_bits) - first + 1, delta);
    }
    if (e & OFFSET_MASK & (s->cluster_size - 1)) {
        return qcow2_broken(s, "L2 entry 0x%" PRIx64 " isn't aligned to a cluster", e);
    }
    return e & OFFSET_MASK ? qcow2_refcount_add(s, (e & OFFSET_MASK) >> s->cluster_bits, 1, delta) : 0;
}

/* Adds @delta to all that a table references: L2 tables and clusters. */
static int coroutine_fn add_refs(Qcow2 *s, const uint64_t *l1, uint32_t size, int delta)
{
    int r = 0;

    for (uint32_t i = 0; i < size && r == 0; i++) {
        uint64_t offset = l1[i] & OFFSET_MASK;
        Table *t;

        if (!offset) {
            continue;
        }
        if (offset & (s->cluster_size - 1)) {
            return qcow2_broken(s, "L1 entry %u is 0x%" PRIx64 "; expected an aligned offset", i, l1[i]);
        }
        r = qcow2_table_get(s, &s->l2_cache, offset, false, &t);
        if (r < 0) {
            return r;
        }
        for (uint32_t k = 0; k < 1U << s->l2_bits && r == 0; k++) {
            r = add_entry_refs(s, qcow2_l2_entry(s, t, k), delta);
        }
        qcow2_table_put(t);
        if (r == 0) {
            r = qcow2_refcount_add(s, offset >> s->cluster_bits, 1, delta);
        }
    }
    return r;
}

/* Bit 63 of the active tables, from the refcounts; @clear: all off, before they rise. */
int coroutine_fn qcow2_set_copied(Qcow2 *s, bool clear)
{
    int r = 0;

    for (uint32_t i = 0; i < s->l1_size && r == 0; i++) {
        uint64_t offset = s->l1[i] & OFFSET_MASK, count = 0, l1;
        Table *t;

        if (!offset) {
            continue;
        }
        r = clear ? 0 : qcow2_refcount_get(s, offset >> s->cluster_bits, &count);
        if (r == 0) {
            r = qcow2_table_get(s, &s->l2_cache, offset, false, &t);
        }
        if (r < 0) {
            break;
        }
        l1 = offset | (count == 1 ? FLAG_COPIED : 0);
        for (uint32_t k = 0; k < 1U << s->l2_bits && r == 0; k++) {
            uint64_t e = qcow2_l2_entry(s, t, k), n = e & ~FLAG_COPIED;

            if (e & FLAG_COMPRESSED || !(e & OFFSET_MASK)) {
                continue;
            }
            if (!clear) {
                uint64_t c;

                r = qcow2_refcount_get(s, (e & OFFSET_MASK) >> s->cluster_bits, &c);
                n |= c == 1 ? FLAG_COPIED : 0;
            }
            if (r == 0 && n != e) {
                qcow2_l2_set(s, t, k, n, qcow2_l2_bitmap(s, t, k));
            }
        }
        qcow2_table_put(t);
        if (l1 != s->l1[i]) {
            s->l1[i] = l1;
            qcow2_l1_dirty(s, i, i + 1);
        }
    }
    return r;
}

static int coroutine_fn begin(Qcow2 *s)
{
    int r = s->broken ? -EIO : qcow2_write_tables(s);

    if (r == 0) {
        r = qcow2_set_dirty(s, true);
    }
    return r;
}

static int coroutine_fn finish(Qcow2 *s, int r)
{
    /* Refcounts that fell are written too, so that the image is whole when the bit goes. */
    int r2 = qcow2_write_all(s);

    r = r < 0 ? r : r2;
    if (r == 0) {
        r = format_barrier(s->n);
    }
    if (r < 0) {
        s->keep_dirty = true;
    }
    return r < 0 || s->lazy ? r : qcow2_set_dirty(s, false);
}

/* --- the operations --- */

static Snapshot *find(Qcow2 *s, const char *id)
{
    for (uint32_t i = 0; i < s->nb_snapshots; i++) {
        if (strcmp(s->snapshots[i].info.id, id) == 0) {
            return &s->snapshots[i];
        }
    }
    return NULL;
}

static char *new_id(Qcow2 *s)
{
    unsigned long max = 0;

    for (uint32_t i = 0; i < s->nb_snapshots; i++) {
        unsigned long v = strtoul(s->snapshots[i].info.id, NULL, 10);

        max = v < UINT32_MAX ? MAX(max, v) : max;
    }
    return g_strdup_printf("%lu", max + 1);
}

/* An L1 table's copy for a snapshot. */
static int coroutine_fn save_l1(Qcow2 *s, uint64_t *offset)
{
    uint64_t bytes = ALIGN_UP(s->l1_size * UINT64_C(8), s->cluster_size);
    int64_t r = qcow2_alloc(s, bytes >> s->cluster_bits, true, offset);
    uint8_t *raw;

    if (r < 0) {
        return r;
    }
    raw = g_malloc0(bytes);
    for (uint32_t i = 0; i < s->l1_size; i++) {
        store_be64(raw + i * 8, s->l1[i] & OFFSET_MASK);
    }
    r = qcow2_write(s, *offset, raw, bytes);
    g_free(raw);
    return r;
}

/* Machine state belongs to the snapshot now; the active table has no use for it. */
static int coroutine_fn drop_vmstate(Qcow2 *s)
{
    uint64_t first = qcow2_l1_for(s, s->size);
    int r = 0;

    if (first < s->l1_size) {
        r = add_refs(s, s->l1 + first, s->l1_size - first, -1);
        memset(s->l1 + first, 0, (s->l1_size - first) * 8);
        qcow2_l1_dirty(s, first, s->l1_size);
    }
    return r;
}

static int coroutine_fn create(Qcow2 *s, Snapshot *e)
{
    Snapshot *list;
    int r = begin(s);

    if (r == 0) {
        r = qcow2_set_copied(s, true);
    }
    if (r == 0) {
        r = qcow2_write_tables(s);
    }
    if (r == 0) {
        r = save_l1(s, &e->l1_offset);
    }
    if (r == 0) {
        r = add_refs(s, s->l1, s->l1_size, 1);
    }
    if (r < 0) {
        return r;
    }
    e->l1_size = s->l1_size;
    list = g_new0(Snapshot, s->nb_snapshots + 1);
    if (s->nb_snapshots) {
        memcpy(list, s->snapshots, s->nb_snapshots * sizeof(*list));
    }
    list[s->nb_snapshots] = *e;
    r = write_list(s, list, s->nb_snapshots + 1);
    if (r < 0) {
        g_free(list);
        return r;
    }
    g_free(s->snapshots);
    s->snapshots = list;
    s->nb_snapshots++;
    r = drop_vmstate(s);
    return r < 0 ? r : qcow2_set_copied(s, false);
}

static bool done(Qcow2 *s, int r, const char *what, const char *name, Error **errp)
{
    co_mutex_unlock(&s->lock);
    if (r < 0) {
        error_set_errno(errp, -r, "can't %s snapshot '%s' of '%s'", what, name,
                        s->n->filename ? s->n->filename : s->n->name);
    }
    return r == 0;
}

bool coroutine_fn qcow2_co_snapshot_create(BlockNode *n, BlockSnapshot *info, Error **errp)
{
    Qcow2 *s = n->state;
    Snapshot e = { .info = *info };
    int r;

    if (s->nb_snapshots >= MAX_SNAPSHOTS || strlen(info->name) > UINT16_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there are %u snapshots already, or the name is longer than "
                   "%d", s->nb_snapshots, UINT16_MAX);
        return false;
    }
    co_mutex_lock(&s->lock);
    e.info.id = new_id(s);
    e.info.name = g_strdup(info->name);
    e.info.disk_size = s->size;
    r = create(s, &e);
    r = finish(s, r);
    if (r < 0 && !find(s, e.info.id)) {
        g_free(e.info.id);
        g_free(e.info.name);
    } else {
        info->disk_size = s->size;
        g_free(info->id);
        info->id = g_strdup(e.info.id);
    }
    return done(s, r, "make", info->name, errp);
}

static int coroutine_fn load_l1(Qcow2 *s, const Snapshot *e, uint64_t **l1, uint32_t *size)
{
    uint64_t room;
    int r;

    *size = MAX((uint64_t)e->l1_size, qcow2_l1_for(s, e->info.disk_size));
    room = ALIGN_UP(MAX(*size, 1U) * UINT64_C(8), s->cluster_size);
    *l1 = g_try_malloc0(room);
    r = !*l1 ? -ENOMEM : e->l1_size ? qcow2_read(s, e->l1_offset, *l1, e->l1_size * UINT64_C(8)) : 0;
    for (uint32_t i = 0; i < e->l1_size && r == 0; i++) {
        (*l1)[i] = load_be64(&(*l1)[i]) & OFFSET_MASK;
    }
    return r;
}

/* The snapshot's table becomes the active one, in a new place. */
static int coroutine_fn go_to(Qcow2 *s, const Snapshot *e)
{
    uint64_t *l1 = NULL, *old = s->l1, offset, old_offset = s->l1_offset;
    uint32_t size, old_size = s->l1_size;
    uint8_t b[12];
    int64_t r = begin(s);

    if (r == 0) {
        r = load_l1(s, e, &l1, &size);
    }
    if (r == 0) {
        r = add_refs(s, l1, size, 1);
    }
    if (r == 0) {
        r = qcow2_alloc(s, clusters_for(s, MAX(size, 1U) * UINT64_C(8)), true, &offset);
    }
    if (r < 0) {
        g_free(l1);
        return r;
    }
    s->l1 = l1;                                 /* written to its own place first */
    s->l1_size = size;
    s->l1_offset = offset;
    s->l1_lo = s->l1_hi = 0;
    qcow2_l1_dirty(s, 0, size);
    r = qcow2_write_tables(s);
    if (r == 0) {
        r = format_barrier(s->n);
    }
    store_be32(b, size);
    store_be64(b + 4, offset);
    if (r == 0) {
        r = qcow2_write(s, HDR_L1_SIZE, b, sizeof(b));
    }
    if (r < 0) {
        s->l1 = old;
        s->l1_size = old_size;
        s->l1_offset = old_offset;
        g_free(l1);
        return r;
    }
    if (e->info.disk_size != s->size) {
        r = qcow2_write_be64(s, HDR_SIZE, e->info.disk_size);
        __atomic_store_n(&s->size, e->info.disk_size, __ATOMIC_RELAXED);
    }
    if (r == 0) {
        r = format_barrier(s->n);
    }
    if (r == 0) {
        r = add_refs(s, old, old_size, -1);
    }
    if (r == 0 && old_size) {
        qcow2_free_later(s, old_offset, old_size * UINT64_C(8), false);
    }
    g_free(old);
    return r < 0 ? r : qcow2_set_copied(s, false);
}

bool coroutine_fn qcow2_co_snapshot_goto(BlockNode *n, const BlockSnapshot *info, Error **errp)
{
    Qcow2 *s = n->state;
    Snapshot *e = find(s, info->id);
    int r;

    co_mutex_lock(&s->lock);
    r = e ? go_to(s, e) : -ENOENT;
    r = e ? finish(s, r) : r;
    return done(s, r, "go to", info->name, errp);
}

/* Of a read-only node: nothing is written, so the table needs no place and no references. */
int coroutine_fn qcow2_co_snapshot_look(BlockNode *n, const BlockSnapshot *info)
{
    Qcow2 *s = n->state;
    Snapshot *e = find(s, info->id);
    uint64_t *l1 = NULL;
    uint32_t size;
    int r;

    co_mutex_lock(&s->lock);
    r = e ? load_l1(s, e, &l1, &size) : -ENOENT;
    if (r == 0) {
        g_free(s->l1);
        s->l1 = l1;
        s->l1_size = size;
        __atomic_store_n(&s->size, e->info.disk_size, __ATOMIC_RELAXED);
    } else {
        g_free(l1);
    }
    co_mutex_unlock(&s->lock);
    return r;
}

static int coroutine_fn drop_snapshot(Qcow2 *s, uint32_t i)
{
    Snapshot gone = s->snapshots[i], *list = g_new0(Snapshot, s->nb_snapshots);
    uint64_t *l1 = NULL;
    uint32_t size;
    int r = begin(s);

    memcpy(list, s->snapshots, i * sizeof(*list));
    memcpy(list + i, s->snapshots + i + 1, (s->nb_snapshots - i - 1) * sizeof(*list));
    if (r == 0) {
        r = load_l1(s, &gone, &l1, &size);
    }
    if (r == 0) {
        r = write_list(s, list, s->nb_snapshots - 1);
    }
    if (r < 0) {
        g_free(list);
        g_free(l1);
        return r;
    }
    g_free(s->snapshots);
    s->snapshots = list;
    s->nb_snapshots--;
    r = add_refs(s, l1, size, -1);
    if (r == 0 && gone.l1_size) {
        qcow2_free_later(s, gone.l1_offset, gone.l1_size * UINT64_C(8), false);
    }
    g_free(l1);
    g_free(gone.info.id);
    g_free(gone.info.name);
    g_free(gone.extra);
    return r < 0 ? r : qcow2_set_copied(s, false);
}

bool coroutine_fn qcow2_co_snapshot_delete(BlockNode *n, const BlockSnapshot *info, Error **errp)
{
    Qcow2 *s = n->state;
    Snapshot *e = find(s, info->id);
    int r;

    co_mutex_lock(&s->lock);
    r = e ? drop_snapshot(s, e - s->snapshots) : -ENOENT;
    r = e ? finish(s, r) : r;
    return done(s, r, "delete", info->name, errp);
}

BlockSnapshot *qcow2_snapshot_list(BlockNode *n, size_t *count)
{
    Qcow2 *s = n->state;
    BlockSnapshot *list = g_new0(BlockSnapshot, s->nb_snapshots + 1);

    *count = s->nb_snapshots;
    for (uint32_t i = 0; i < s->nb_snapshots; i++) {
        list[i] = s->snapshots[i].info;
        list[i].id = g_strdup(list[i].id);
        list[i].name = g_strdup(list[i].name);
    }
    return list;
}

int coroutine_fn qcow2_co_make_empty(BlockNode *n)
{
    Qcow2 *s = n->state;
    uint64_t *old;
    int r;

    co_mutex_lock(&s->lock);
    old = g_memdup2(s->l1, s->l1_size * 8);
    r = begin(s);
    if (r == 0) {
        memset(s->l1, 0, s->l1_size * 8);
        qcow2_l1_dirty(s, 0, s->l1_size);
        r = qcow2_write_tables(s);
    }
    if (r == 0) {
        r = format_barrier(s->n);
    }
    if (r == 0) {
        r = add_refs(s, old, s->l1_size, -1);
    }
    r = finish(s, r);
    co_mutex_unlock(&s->lock);
    g_free(old);
    return r;
}
