/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/ram.h"

#include <glib.h>
#include "hw/core/cpu.h"
#include "migration/ram-int.h"
#include "migration/userfault.h"
#include "qobject/qobject.h"
#include "util/bitmap.h"
#include "util/rcu.h"
#include "util/thread.h"

/* Zero pages cost nothing; don't scan the whole RAM for one record. */
#define RECORD_ENTRIES  4096
#define HUGE_BITS       (21 - MEM_PAGE_BITS)
/* One that is waited for brings its neighbours. */
#define REQUEST_PAGES   16
#define REQUESTS_MAX    65536
#define SNAPSHOT        "a background snapshot"

typedef struct SaveBlock {
    RamBlock *ram;
    uint64_t pages, left;
    uint64_t *todo;             /* owned; a bit for each page to send */
    uint64_t *gone;             /* owned; a bit for each page that the host has got back; NULL: none is given */
} SaveBlock;

/* Pages as they were sent last, one for each slot. */
typedef struct PageCache {
    uint8_t *data;
    uint64_t *owner;            /* RAM page number + 1; 0: free */
    size_t slots;               /* a power of two */
} PageCache;

typedef struct Request {
    uint32_t block;
    uint64_t page;
} Request;

struct RamSave {
    SaveBlock *blocks;
    unsigned n, at;             /* the block that is being sent */
    uint64_t next;              /* its next page */
    uint64_t total;
    bool first_sync_done;
    PageCache cache;
    bool use_cache;             /* from the second pass on */
    bool release;               /* pages are given back when they have been sent */
    RamCounters *counters;
    uint64_t entries[RECORD_ENTRIES];   /* of the record that is made */
    GByteArray *data;           /* its pages; empty without a cache: then they are copied from RAM at its end */
    uint8_t page[MEM_PAGE_SIZE];
    Mutex lock;
    GArray *requests;           /* lock: of Request, those that are waited for first */
    Userfault *guard;           /* writes to what hasn't been sent wait; NULL: they don't */
    RamBlock **guarded;         /* in the order of .blocks; owned */
    void (*wake)(void *opaque); /* of ram_save_guard() */
    void *wake_opaque;
};

static int count_block(RamBlock *b, void *opaque)
{
    (void)b;
    ++*(unsigned *)opaque;
    return 0;
}

typedef struct Adding {
    RamSave *s;
    const RamSaveOptions *opts;
} Adding;

static int add_block(RamBlock *b, void *opaque)
{
    Adding *a = opaque;
    SaveBlock *sb = &a->s->blocks[a->s->n];

    if (b->read_only || (a->opts->skip_shared && b->shared)) {
        return 0;
    }
    sb->ram = b;
    sb->pages = b->size >> MEM_PAGE_BITS;
    sb->todo = bitmap_new(sb->pages);
    sb->gone = a->opts->release ? bitmap_new(sb->pages) : NULL;
    ram_log_start(b, RAM_DIRTY_MIGRATION);
    a->s->total += b->size;
    a->s->n++;
    return 0;
}

RamSave *ram_save_new(const RamSaveOptions *opts, RamCounters *counters)
{
    RamSave *s = g_new0(RamSave, 1);
    unsigned count = 0;
    Adding a = { s, opts };

    s->counters = counters;
    mutex_init(&s->lock);
    s->requests = g_array_new(false, false, sizeof(Request));
    s->data = g_byte_array_new();
    ram_block_foreach(count_block, &count);
    s->blocks = g_new0(SaveBlock, count);
    ram_block_foreach(add_block, &a);
    if (opts->xbzrle_cache) {
        size_t slots = opts->xbzrle_cache >> MEM_PAGE_BITS;

        s->cache.slots = slots;
        s->cache.data = g_malloc(slots << MEM_PAGE_BITS);
        s->cache.owner = g_new0(uint64_t, slots);
    }
    return s;
}

void ram_save_free(RamSave *s)
{
    if (!s) {
        return;
    }
    for (unsigned i = 0; i < s->n; i++) {
        ram_log_stop(s->blocks[i].ram, RAM_DIRTY_MIGRATION);
        free(s->blocks[i].todo);
        free(s->blocks[i].gone);
    }
    g_free(s->blocks);
    g_free(s->cache.data);
    g_free(s->cache.owner);
    g_byte_array_unref(s->data);
    g_array_unref(s->requests);
    mutex_destroy(&s->lock);
    g_free(s);
}

struct QList *ram_save_blocks(const RamSave *s)
{
    QList *l = qlist_new();

    for (unsigned i = 0; i < s->n; i++) {
        QDict *d = qdict_new();

        qdict_put_str(d, "id", s->blocks[i].ram->id);
        qdict_put_uint(d, "size", s->blocks[i].ram->size);
        qlist_append(l, d);
    }
    return l;
}

uint64_t ram_save_total(const RamSave *s)
{
    return s->total;
}

uint64_t ram_save_pending(const RamSave *s)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < s->n; i++) {
        pages += s->blocks[i].left;
    }
    return pages << MEM_PAGE_BITS;
}

uint64_t ram_save_sync(RamSave *s, bool stopped)
{
    bool any = false;

    for (unsigned i = 0; i < s->n; i++) {
        any |= ram_dirty_take(s->blocks[i].ram, RAM_DIRTY_MIGRATION, s->blocks[i].todo) != 0;
    }
    if (any && !stopped) {
        /* Whoever was about to store through a mapping that was just taken back has done so
         * when it has left generated code. */
        CPU_FOREACH(cpu) {
            cpu_kick(cpu);
        }
        rcu_synchronize();
    }
    for (unsigned i = 0; i < s->n; i++) {
        s->blocks[i].left = bitmap_count(s->blocks[i].todo, s->blocks[i].pages);
    }
    s->use_cache = s->first_sync_done && s->cache.slots;
    s->first_sync_done = true;
    s->at = 0;
    s->next = 0;
    s->counters->syncs++;
    return ram_save_pending(s);
}

bool page_is_zero(const uint8_t *page)
{
    /* Most pages differ early. */
    for (unsigned i = 0; i < MEM_PAGE_SIZE; i += 64) {
        uint64_t w[8], any;

        memcpy(w, page + i, sizeof(w));
        any = w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7];
        if (any) {
            return false;
        }
    }
    return true;
}

static uint8_t *cache_slot(RamSave *s, uint64_t page, bool *hit)
{
    size_t i = page & (s->cache.slots - 1);

    *hit = s->cache.owner[i] == page + 1;
    s->cache.owner[i] = page + 1;
    return s->cache.data + (i << MEM_PAGE_BITS);
}

/* What the destination has is known: send the difference. False: send it whole. */
static bool put_difference(RamSave *s, GByteArray *data, uint64_t ram_page)
{
    uint8_t diff[MEM_PAGE_SIZE], len[2];
    bool hit;
    uint8_t *old = cache_slot(s, ram_page, &hit);
    int n;

    if (!hit) {
        s->counters->xbzrle_misses++;
        memcpy(old, s->page, MEM_PAGE_SIZE);
        return false;
    }
    n = xbzrle_encode(old, s->page, MEM_PAGE_SIZE, diff, sizeof(diff));
    memcpy(old, s->page, MEM_PAGE_SIZE);
    if (n < 0) {
        s->counters->xbzrle_overflows++;
        return false;
    }
    len[0] = n >> 8;
    len[1] = n & 0xff;
    g_byte_array_append(data, len, 2);
    g_byte_array_append(data, diff, n);
    s->counters->xbzrle_pages++;
    s->counters->xbzrle_bytes += (unsigned)n + 2;
    return true;
}

static RamPageKind put_page(RamSave *s, const SaveBlock *b, GByteArray *data, uint64_t page)
{
    const uint8_t *host = b->ram->host + (page << MEM_PAGE_BITS);
    uint64_t ram_page = (b->ram->start >> MEM_PAGE_BITS) + page;

    if (page_is_zero(host)) {
        if (s->cache.slots) {
            bool hit;

            memset(cache_slot(s, ram_page, &hit), 0, MEM_PAGE_SIZE);
        }
        s->counters->zero++;
        return RAM_PAGE_ZERO;
    }
    if (s->use_cache) {
        /* It may change while we look: what is sent and what is remembered must be the same. */
        memcpy(s->page, host, MEM_PAGE_SIZE);
        if (put_difference(s, data, ram_page)) {
            return RAM_PAGE_XBZRLE;
        }
        g_byte_array_append(data, s->page, MEM_PAGE_SIZE);
    } else if (s->cache.slots) {
        bool hit;

        g_byte_array_append(data, host, MEM_PAGE_SIZE);
        memcpy(cache_slot(s, ram_page, &hit), data->data + data->len - MEM_PAGE_SIZE, MEM_PAGE_SIZE);
    }
    s->counters->normal++;
    return RAM_PAGE_PLAIN;
}

/* The next block with something to send; NULL: the pass is over. */
static SaveBlock *next_block(RamSave *s)
{
    while (s->at < s->n) {
        SaveBlock *b = &s->blocks[s->at];

        s->next = b->left ? bitmap_find_set(b->todo, b->pages, s->next) : b->pages;
        if (s->next < b->pages) {
            return b;
        }
        s->at++;
        s->next = 0;
    }
    return NULL;
}

/* They may be written now, by whoever waits for it. */
static void let_go(RamSave *s, unsigned block, uint64_t first, uint64_t pages)
{
    Error *err = NULL;

    if (pages && !userfault_protect(s->guard, block, first, pages, false, &err)) {
        error_report(err);
    }
}

static void give_back(SaveBlock *b, uint64_t first, uint64_t pages)
{
    if (pages) {
        ram_block_discard(b->ram, first << MEM_PAGE_BITS, pages << MEM_PAGE_BITS);
        bitmap_set(b->gone, first, pages);
    }
}

/* They are in the record that is made, and aren't needed any more: neighbours together. */
static void have_copied(RamSave *s, unsigned block, unsigned n)
{
    const uint64_t *entries = s->entries;

    for (unsigned i = 0, run; i < n; i += run) {
        uint64_t first = entries[i] >> RAM_PAGE_KIND_BITS;

        for (run = 1; i + run < n && entries[i + run] >> RAM_PAGE_KIND_BITS == first + run; run++) {
        }
        if (s->release) {
            give_back(&s->blocks[block], first, run);
        } else {
            let_go(s, block, first, run);
        }
    }
}

static void put_pages(RamSave *s, MigWriter *w, const SaveBlock *b, unsigned n, unsigned plain)
{
    uint8_t *to;

    if (s->cache.slots) {
        mig_put(w, s->data->data, s->data->len);
        return;
    }
    to = mig_put_space(w, (size_t)plain << MEM_PAGE_BITS);
    for (unsigned i = 0; i < n; i++) {
        uint64_t page = s->entries[i] >> RAM_PAGE_KIND_BITS;

        if (s->entries[i] == (page << RAM_PAGE_KIND_BITS | RAM_PAGE_PLAIN)) {
            memcpy(to, b->ram->host + (page << MEM_PAGE_BITS), MEM_PAGE_SIZE);
            to += MEM_PAGE_SIZE;
        }
    }
}

/* Pages to send of block @n_block from *next on, at most @max, of which @max_data have contents. */
static void make_record(RamSave *s, MigWriter *w, unsigned n_block, uint64_t *next, unsigned max, unsigned max_data)
{
    SaveBlock *b = &s->blocks[n_block];
    unsigned n = 0, data = 0, plain = 0;

    g_byte_array_set_size(s->data, 0);
    mig_begin(w, MIG_RAMP);
    mig_put_u32(w, n_block);
    mig_put_u32(w, 0);
    while (*next < b->pages && n < max && data < max_data) {
        uint64_t page = *next;
        RamPageKind kind;

        bitmap_clear_bit(b->todo, page);
        b->left--;
        kind = put_page(s, b, s->data, page);
        s->entries[n] = page << RAM_PAGE_KIND_BITS | kind;
        mig_put_u64(w, s->entries[n++]);
        data += kind != RAM_PAGE_ZERO;
        plain += kind == RAM_PAGE_PLAIN;
        *next = bitmap_find_set(b->todo, b->pages, page + 1);
        /* Pages of one huge page aren't torn apart without need: it is put into its place by one thread. */
        if ((page ^ *next) >> HUGE_BITS && data > max_data / 2) {
            break;
        }
    }
    mig_patch_u32(w, 4, n);
    put_pages(s, w, b, n, plain);
    if (s->release || s->guard) {
        have_copied(s, n_block, n);
    }
}

/* What is waited for; false: nothing. */
static bool take_request(RamSave *s, Request *r)
{
    MUTEX_GUARD(&s->lock);
    while (s->requests->len) {
        *r = g_array_index(s->requests, Request, 0);
        g_array_remove_index(s->requests, 0);
        if (bitmap_test(s->blocks[r->block].todo, r->page)) {
            s->counters->requests++;
            return true;
        }
    }
    return false;
}

bool ram_save_some(RamSave *s, MigWriter *w, uint64_t bytes)
{
    unsigned pages = (unsigned)MAX(MIN(bytes, RAM_RECORD_MOST) >> MEM_PAGE_BITS, UINT64_C(1));
    Request r;

    if (take_request(s, &r)) {
        make_record(s, w, r.block, &r.page, REQUEST_PAGES, REQUEST_PAGES);
    } else if (next_block(s)) {
        make_record(s, w, s->at, &s->next, RECORD_ENTRIES, pages);
    } else {
        return false;
    }
    return true;
}

/* ----------------------------------------------------- background snapshots */

static void wants_to_write(void *opaque, uint32_t block, uint64_t page)
{
    RamSave *s = opaque;

    ram_save_request(s, block, page);
    s->wake(s->wake_opaque);
}

bool ram_save_guard(RamSave *s, void (*wake)(void *opaque), void *opaque, Error **errp)
{
    bool ok;

    s->guarded = g_new(RamBlock *, s->n);
    for (unsigned i = 0; i < s->n; i++) {
        s->guarded[i] = s->blocks[i].ram;
        s->guarded[i]->kept = true;
    }
    s->wake = wake;
    s->wake_opaque = opaque;
    s->guard = userfault_new(s->guarded, s->n, USERFAULT_WRITE, SNAPSHOT, wants_to_write, s, errp);
    ok = s->guard;
    for (unsigned i = 0; ok && i < s->n; i++) {
        ok = userfault_protect(s->guard, i, 0, s->blocks[i].pages, true, errp);
    }
    if (!ok) {
        ram_save_unguard(s);
    }
    return ok;
}

void ram_save_unguard(RamSave *s)
{
    userfault_free(s->guard);
    s->guard = NULL;
    for (unsigned i = 0; s->guarded && i < s->n; i++) {
        s->guarded[i]->kept = false;
    }
    g_free(s->guarded);
    s->guarded = NULL;
}

static int add_to_array(RamBlock *b, void *opaque)
{
    if (!b->read_only) {
        g_ptr_array_add(opaque, b);
    }
    return 0;
}

bool ram_save_can_guard(Error **errp)
{
    g_autoptr(GPtrArray) blocks = g_ptr_array_new();

    ram_block_foreach(add_to_array, blocks);
    return userfault_check((RamBlock *const *)blocks->pdata, blocks->len, USERFAULT_WRITE, SNAPSHOT, errp);
}

/* -------------------------------------------------------------- post-copy */

bool ram_save_request(RamSave *s, uint32_t block, uint64_t page)
{
    Request r = { block, page };

    if (block >= s->n || page >= s->blocks[block].pages) {
        return false;
    }
    MUTEX_GUARD(&s->lock);
    if (s->requests->len < REQUESTS_MAX) {
        g_array_append_val(s->requests, r);     /* others come in their turn */
    }
    return true;
}

bool ram_save_is_waited_for(RamSave *s)
{
    MUTEX_GUARD(&s->lock);
    return s->requests->len;
}

bool ram_put_ranges(MigWriter *w, uint32_t block, const uint64_t *map, uint64_t pages, Error **errp)
{
    uint64_t from = bitmap_find_set(map, pages, 0);

    do {
        unsigned n = 0;

        mig_begin(w, MIG_DISC);
        mig_put_u32(w, block);
        mig_put_u32(w, 0);
        for (; from < pages && n < RECORD_ENTRIES; n++) {
            uint64_t to = bitmap_find_clear(map, pages, from);

            mig_put_u64(w, from);
            mig_put_u64(w, to - from);
            from = bitmap_find_set(map, pages, to);
        }
        mig_patch_u32(w, 4, n);
        if (!mig_end(w, errp)) {
            return false;
        }
    } while (from < pages);
    return true;
}

bool ram_save_discards(RamSave *s, MigWriter *w, Error **errp)
{
    s->use_cache = false;
    for (unsigned i = 0; i < s->n; i++) {
        if (!ram_put_ranges(w, i, s->blocks[i].todo, s->blocks[i].pages, errp)) {
            return false;
        }
    }
    return true;
}

void ram_save_release(RamSave *s)
{
    for (unsigned i = 0; i < s->n && s->blocks[i].gone; i++) {
        SaveBlock *b = &s->blocks[i];

        for (uint64_t from = bitmap_find_clear(b->todo, b->pages, 0), to; from < b->pages;
             from = bitmap_find_clear(b->todo, b->pages, to)) {
            to = bitmap_find_set(b->todo, b->pages, from);
            give_back(b, from, to - from);
        }
        s->release = true;
    }
}

void ram_save_resume(RamSave *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        bitmap_clear(s->blocks[i].todo, 0, s->blocks[i].pages);
        s->blocks[i].left = 0;
    }
    g_array_set_size(s->requests, 0);
    s->at = 0;
    s->next = 0;
}

bool ram_save_missing(RamSave *s, MigReader *r, Error **errp)
{
    uint32_t block, n;
    uint64_t first, pages;

    if (!mig_get_u32(r, &block, errp) || !mig_get_u32(r, &n, errp)) {
        return false;
    }
    for (; n--; ) {
        if (!mig_get_u64(r, &first, errp) || !mig_get_u64(r, &pages, errp)) {
            return false;
        }
        if (block >= s->n || first > s->blocks[block].pages || pages > s->blocks[block].pages - first) {
            error_setf(errp, ERR_STATE_INVALID, "the destination has no pages %" PRIu64 " to %" PRIu64
                       " of RAM block %u, and neither has the source", first, first + pages, block);
            return false;
        }
        if (s->blocks[block].gone &&
            bitmap_find_set(s->blocks[block].gone, first + pages, first) < first + pages) {
            error_setf(errp, ERR_STATE_INVALID, "of the pages %" PRIu64 " to %" PRIu64 " of RAM block '%s', which were "
                       "sent and haven't arrived, some were given back to the host (release-ram)", first,
                       first + pages, s->blocks[block].ram->id);
            return false;
        }
        bitmap_set(s->blocks[block].todo, first, pages);
    }
    if (block < s->n) {
        s->blocks[block].left = bitmap_count(s->blocks[block].todo, s->blocks[block].pages);
    }
    return mig_get_end(r, errp);
}
