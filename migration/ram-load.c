/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/ram.h"

#include <glib.h>
#include "migration/postcopy.h"
#include "migration/ram-int.h"
#include "migration/ram-place.h"
#include "qobject/qobject.h"
#include "util/bswap.h"

struct RamLoad {
    RamBlock **blocks;          /* in CONF's order */
    size_t n;
    Postcopy *postcopy;         /* NULL: nobody waits for pages */
    RamPlacer *placer;
    uint32_t at_block;          /* of the pages that are being placed, the last block and page */
    uint64_t at_page;
};

static RamBlock *find_block(const QObject *entry, Error **errp)
{
    const QDict *d = qobject_get_dict(entry, "ram", errp);
    const char *id = d ? qdict_get_str(d, "id", errp) : NULL;
    RamBlock *b;
    uint64_t size;

    if (!id || !qdict_get_uint(d, "size", &size, errp)) {
        return NULL;
    }
    b = ram_block_find(id);
    if (!b) {
        error_setf(errp, ERR_STATE_INVALID,
                   "the stream has a RAM block '%s', which this machine doesn't have", id);
    } else if (b->size != size) {
        error_setf(errp, ERR_STATE_INVALID,
                   "RAM block '%s' has %" PRIu64 " bytes in the stream and %" PRIu64 " here", id,
                   size, b->size);
        b = NULL;
    } else if (b->read_only) {
        error_setf(errp, ERR_STATE_INVALID, "RAM block '%s' can't be written here", id);
        b = NULL;
    }
    return b;
}

RamLoad *ram_load_new(const struct QList *list, Error **errp)
{
    RamLoad *l = g_new0(RamLoad, 1);

    l->blocks = g_new0(RamBlock *, qlist_size(list) + 1);
    l->placer = ram_placer_new();
    QLIST_FOR_EACH(e, list) {
        RamBlock *b = find_block(e, errp);

        for (size_t i = 0; b && i < l->n; i++) {
            if (l->blocks[i] == b) {
                error_setf(errp, ERR_STATE_INVALID, "RAM block '%s' is there twice", b->id);
                b = NULL;
            }
        }
        if (!b) {
            ram_load_free(l);
            return NULL;
        }
        l->blocks[l->n++] = b;
    }
    return l;
}

void ram_load_free(RamLoad *l)
{
    if (l) {
        postcopy_free(l->postcopy);
        ram_placer_free(l->placer);
        g_free(l->blocks);
        g_free(l);
    }
}

static bool load_difference(RamBlock *b, uint64_t page, MigReader *r, Error **errp)
{
    const uint8_t *data;
    uint16_t len;

    if (!mig_get_u16(r, &len, errp) || !(data = mig_get(r, len, errp))) {
        return false;
    }
    if (!xbzrle_decode(b->host + (page << MEM_PAGE_BITS), MEM_PAGE_SIZE, data, len)) {
        error_setf(errp, ERR_STATE_INVALID, "the difference of %u bytes doesn't fit", len);
        return false;
    }
    ram_written(b, page << MEM_PAGE_BITS, MEM_PAGE_SIZE);
    return true;
}

/* The guest runs, but nobody has seen this page. */
static bool place_page(RamLoad *l, uint32_t block, uint64_t page, unsigned kind, MigReader *r,
                       Error **errp)
{
    static const uint8_t zeros[MEM_PAGE_SIZE];
    const uint8_t *data = zeros;

    if (kind != RAM_PAGE_ZERO && kind != RAM_PAGE_PLAIN) {
        error_setf(errp, ERR_STATE_INVALID, "pages of kind %u can't be used in post-copy", kind);
        return false;
    }
    if (kind == RAM_PAGE_PLAIN && !(data = mig_get(r, MEM_PAGE_SIZE, errp))) {
        return false;
    }
    return postcopy_place(l->postcopy, block, page, data, errp);
}

static RamBlock *get_block(RamLoad *l, MigReader *r, uint32_t *block, Error **errp)
{
    if (!mig_get_u32(r, block, errp)) {
        return NULL;
    }
    if (*block >= l->n) {
        error_setf(errp, ERR_STATE_INVALID, "the stream has pages of RAM block %u of %zu", *block,
                   l->n);
        return NULL;
    }
    return l->blocks[*block];
}

typedef struct Entries {
    const uint8_t *at;
    uint32_t n, with_data;
    bool differences;           /* there are some */
    uint64_t lowest, highest;   /* pages */
} Entries;

static uint64_t entry_page(const Entries *e, uint32_t i, unsigned *kind)
{
    uint64_t v = load_be64(e->at + 8 * (size_t)i);

    *kind = v & ((1 << RAM_PAGE_KIND_BITS) - 1);
    return v >> RAM_PAGE_KIND_BITS;
}

static bool get_entries(const RamBlock *b, Entries *e, MigReader *r, Error **errp)
{
    if (!mig_get_u32(r, &e->n, errp)) {
        return false;
    }
    if (e->n > mig_left(r) / 8) {
        error_setf(errp, ERR_STATE_INVALID, "RAM block '%s': %u pages don't fit into the record",
                   b->id, e->n);
        return false;
    }
    e->at = mig_get(r, (size_t)e->n * 8, errp);
    e->with_data = 0;
    e->differences = false;
    e->lowest = UINT64_MAX;
    e->highest = 0;
    for (uint32_t i = 0; i < e->n; i++) {
        unsigned kind;
        uint64_t page = entry_page(e, i, &kind);

        if (page >= b->size >> MEM_PAGE_BITS) {
            error_setf(errp, ERR_STATE_INVALID,
                       "RAM block '%s' has no page %" PRIu64 ": it has %" PRIu64, b->id, page,
                       b->size >> MEM_PAGE_BITS);
            return false;
        }
        if (kind > RAM_PAGE_XBZRLE) {
            error_setf(errp, ERR_STATE_INVALID, "RAM block '%s', page %" PRIu64 ": pages of kind %u are not known", b->id,
                       page, kind);
            return false;
        }
        e->with_data += kind == RAM_PAGE_PLAIN;
        e->differences |= kind == RAM_PAGE_XBZRLE;
        e->lowest = MIN(e->lowest, page);
        e->highest = MAX(e->highest, page);
    }
    return true;
}

/* How many entries from @from on are no differences, and how many of them have contents. */
static uint32_t plain_run(const Entries *e, uint32_t from, size_t *with_data)
{
    uint32_t i = from;

    *with_data = 0;
    for (unsigned kind; i < e->n; i++) {
        entry_page(e, i, &kind);
        if (kind == RAM_PAGE_XBZRLE) {
            break;
        }
        *with_data += kind == RAM_PAGE_PLAIN;
    }
    return i - from;
}

/* Contents of @n pages. */
static const uint8_t *get_contents(const RamBlock *b, size_t n, MigReader *r, Error **errp)
{
    const uint8_t *data = mig_get(r, MIN(n, mig_left(r) / MEM_PAGE_SIZE + 1) * MEM_PAGE_SIZE, errp);

    if (!data) {
        error_prepend(errp, "RAM block '%s': ", b->id);
    }
    return data;
}

static bool load_entries(RamBlock *b, const Entries *e, MigReader *r, Error **errp)
{
    for (uint32_t i = 0, run; i < e->n; i += run) {
        size_t with_data;

        run = plain_run(e, i, &with_data);
        if (run) {
            RamPages p = { .block = b, .entries = e->at + 8 * (size_t)i, .n = run };

            p.data = get_contents(b, with_data, r, errp);
            if (!p.data) {
                return false;
            }
            ram_place(&p);
        } else {
            unsigned kind;
            uint64_t page = entry_page(e, i, &kind);

            run = 1;
            if (!load_difference(b, page, r, errp)) {
                error_prepend(errp, "RAM block '%s', page %" PRIu64 ": ", b->id, page);
                return false;
            }
        }
    }
    return true;
}

static bool place_entries(RamLoad *l, uint32_t block, const Entries *e, MigReader *r, Error **errp)
{
    for (uint32_t i = 0; i < e->n; i++) {
        unsigned kind;
        uint64_t page = entry_page(e, i, &kind);

        if (!place_page(l, block, page, kind, r, errp)) {
            error_prepend(errp, "RAM block '%s', page %" PRIu64 ": ", l->blocks[block]->id, page);
            return false;
        }
    }
    return true;
}

bool ram_load_record(RamLoad *l, MigReader *r, Error **errp)
{
    uint32_t block;
    Entries e;
    RamBlock *b = get_block(l, r, &block, errp);

    return b && get_entries(b, &e, r, errp) &&
           (l->postcopy ? place_entries(l, block, &e, r, errp) : load_entries(b, &e, r, errp)) &&
           mig_get_end(r, errp);
}

void ram_load_settle(RamLoad *l)
{
    ram_placer_wait(l->placer);
    l->at_block = 0;
    l->at_page = 0;
}

bool ram_load_record_later(RamLoad *l, MigReader *r, Error **errp)
{
    uint32_t block;
    Entries e;
    RamBlock *b = get_block(l, r, &block, errp);
    RamPages p = { .block = b };

    if (!b || !get_entries(b, &e, r, errp)) {
        return false;
    }
    /* A page that comes twice has what came last, and a difference is to what it had before. */
    if (l->postcopy || e.differences || block < l->at_block || (block == l->at_block && e.lowest <= l->at_page)) {
        ram_load_settle(l);
    }
    if (l->postcopy || e.differences) {
        return (l->postcopy ? place_entries(l, block, &e, r, errp) : load_entries(b, &e, r, errp)) && mig_get_end(r, errp);
    }
    p.entries = e.at;
    p.n = e.n;
    p.data = get_contents(b, e.with_data, r, errp);
    if (!p.data || !mig_get_end(r, errp)) {
        return false;
    }
    l->at_block = block;
    l->at_page = MAX(e.highest, e.n ? 0 : l->at_page);
    ram_place_later(l->placer, &p, r);
    return true;
}

/* -------------------------------------------------------------- post-copy */

bool ram_load_can_post_copy(const RamLoad *l, Error **errp)
{
    return postcopy_check(l->blocks, l->n, errp);
}

bool ram_load_discard(RamLoad *l, MigReader *r,
                      void (*request)(void *opaque, uint32_t block, uint64_t page), void *opaque,
                      Error **errp)
{
    uint32_t block, n;
    RamBlock *b = get_block(l, r, &block, errp);
    uint64_t first, pages;

    if (!b || !mig_get_u32(r, &n, errp)) {
        return false;
    }
    if (!l->postcopy && !(l->postcopy = postcopy_new(l->blocks, l->n, request, opaque, errp))) {
        return false;
    }
    while (n--) {
        uint64_t all = b->size >> MEM_PAGE_BITS;

        if (!mig_get_u64(r, &first, errp) || !mig_get_u64(r, &pages, errp)) {
            return false;
        }
        if (first > all || pages > all - first) {
            error_setf(errp, ERR_STATE_INVALID, "RAM block '%s' has no pages %" PRIu64 " to %" PRIu64
                       ": it has %" PRIu64, b->id, first, first + pages, all);
            return false;
        }
        postcopy_discard(l->postcopy, block, first, pages);
    }
    return mig_get_end(r, errp);
}

bool ram_load_send_missing(RamLoad *l, MigWriter *w, Error **errp)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!ram_put_ranges(w, (uint32_t)i, postcopy_missing(l->postcopy, (uint32_t)i),
                            l->blocks[i]->size >> MEM_PAGE_BITS, errp)) {
            return false;
        }
    }
    return true;
}

void ram_load_ask_again(RamLoad *l)
{
    postcopy_ask_again(l->postcopy);
}

void ram_load_end_post_copy(RamLoad *l)
{
    postcopy_free(l->postcopy);
    l->postcopy = NULL;
}
