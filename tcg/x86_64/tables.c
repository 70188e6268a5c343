/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables behind a region's code (RegionHead.tables), packed, as a guest's boot makes some hundred thousand
 * snapshots that are hardly ever looked at:
 *
 *   HostExit[n_exits], TcgExit[n_exits]
 *   index: n_snaps pairs (return address, place in the bytes), ascending, of 16 bits each or of 32 (@wide)
 *   bytes: items of resident globals; snapshots
 *
 * A snapshot: flags and number of items, PC offset, instruction count, aux and charge if not 0, then its items, or
 * where the same items are already. Numbers are base 128, low digits first, signed ones
 * with the sign in bit 0.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

enum { S_COUNT = 7, S_AT_HOME = 8, S_AUX = 16, S_CHARGE = 32, S_SHARED = 64 };
enum { I_KIND = 7, I_REG_SHIFT = 3, I_NARROW = 128, I_SHIFTED = 64 /* of the bits */ };
_Static_assert(IR_SNAP_MAX_PENDING <= S_COUNT, "the count of a snapshot");
_Static_assert(sizeof(RegionHead) % 16 == 0, "code is aligned behind it");

static void put(Asm *a, uint64_t v)
{
    for (; v > 127; v >>= 7) {
        x_byte(a, (uint8_t)(v | 128));
    }
    x_byte(a, (uint8_t)v);
}

static void put_signed(Asm *a, int64_t v)
{
    put(a, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static uint64_t get(const uint8_t **p)
{
    uint64_t v = 0;
    unsigned shift = 0;

    do {
        v |= (uint64_t)(**p & 127) << shift;
        shift += 7;
    } while (*(*p)++ & 128);
    return v;
}

static int64_t get_signed(const uint8_t **p)
{
    uint64_t v = get(p);

    return (int64_t)(v >> 1 ^ -(v & 1));
}

static void put_item(Asm *a, const SnapItem *it)
{
    bool narrow = it->bits < 64;

    put(a, it->var);
    x_byte(a, (uint8_t)(it->kind | it->reg << I_REG_SHIFT | (narrow ? I_NARROW : 0)));
    if (narrow) {
        x_byte(a, (uint8_t)(it->bits | (it->shift ? I_SHIFTED : 0)));
        if (it->shift) {
            x_byte(a, it->shift);
        }
    }
    if (it->kind != PL_REG && it->kind != PL_VREG) {
        put_signed(a, it->val);
    }
}

static SnapItem get_item(const uint8_t **p)
{
    SnapItem it = { .var = (uint16_t)get(p), .bits = 64 };
    uint8_t b = *(*p)++;

    it.kind = b & I_KIND;
    it.reg = b >> I_REG_SHIFT & 15;
    if (b & I_NARROW) {
        it.bits = *(*p)++;
        if (it.bits & I_SHIFTED) {
            it.bits &= I_SHIFTED - 1;
            it.shift = *(*p)++;
        }
    }
    if (it.kind != PL_REG && it.kind != PL_VREG) {
        it.val = get_signed(p);
    }
    return it;
}

static int by_ra(const void *a, const void *b)
{
    const SnapRec *x = a, *y = b;

    return x->ra < y->ra ? -1 : x->ra > y->ra;
}

/* @at: by item, where it is in the bytes, or 0, where none is. */
static void put_snap(Cg *cg, const SnapRec *s, const uint8_t *bytes, uint32_t *at)
{
    Asm *a = &cg->a;
    bool shared = s->n && at[s->first];

    x_byte(a, (uint8_t)(s->n | (s->at_home ? S_AT_HOME : 0) | (s->aux ? S_AUX : 0) |
                        (s->charge ? S_CHARGE : 0) | (shared ? S_SHARED : 0)));
    put_signed(a, s->pc_offset);
    put(a, s->icount);
    if (s->aux) {
        put(a, s->aux);
    }
    if (s->charge) {
        put_signed(a, s->charge);
    }
    if (shared) {
        put(a, at[s->first]);
        return;
    }
    if (s->n) {
        at[s->first] = (uint32_t)(a->p - bytes);
    }
    for (unsigned n = 0; n < s->n; n++) {
        put_item(a, &cg->items[s->first + n]);
    }
}

static void put_index(uint8_t *index, bool wide, uint32_t n, uint32_t ra, uint32_t at)
{
    if (wide) {
        memcpy(index + 8 * n, (const uint32_t[]){ ra, at }, 8);
    } else {
        memcpy(index + 4 * n, (const uint16_t[]){ (uint16_t)ra, (uint16_t)at }, 4);
    }
}

static uint32_t index_word(const RegionHead *h, const uint8_t *index, uint32_t n)
{
    return h->wide ? ((const uint32_t *)(const void *)index)[n]
                   : ((const uint16_t *)(const void *)index)[n];
}

/* More bytes than one item or a snapshot without items take. */
#define MOST        32

bool tables_write(Cg *cg, RegionHead *h, const uint8_t *head, const SnapItem *residents, unsigned n_residents)
{
    Asm *a = &cg->a;
    size_t most = cg->n_exits * (sizeof(HostExit) + sizeof(TcgExit)) + 8 +
                  (size_t)(cg->n_snaps + cg->n_items + n_residents) * (MOST + 8);
    uint8_t *index, *bytes;
    uint32_t entry;

    if (cg->n_snaps > UINT16_MAX || cg->n_exits > UINT16_MAX || (size_t)(a->end - a->p) < most) {
        return false;
    }
    if (cg->n_snaps) {
        qsort(cg->snaps, cg->n_snaps, sizeof(*cg->snaps), by_ra);
    }
    while ((a->p - head) & 3) {
        x_byte(a, 0);
    }
    h->tables = (uint32_t)(a->p - head);
    h->n_exits = (uint16_t)cg->n_exits;
    h->n_snaps = (uint16_t)cg->n_snaps;
    h->n_residents = (uint8_t)n_residents;
    h->wide = h->code_size > UINT16_MAX || most > UINT16_MAX;
    if (cg->n_exits) {
        memcpy(a->p, cg->host_exits, cg->n_exits * sizeof(HostExit));
        memcpy(a->p + cg->n_exits * sizeof(HostExit), cg->exits, cg->n_exits * sizeof(TcgExit));
    }
    index = a->p + cg->n_exits * (sizeof(HostExit) + sizeof(TcgExit));
    entry = h->wide ? 8 : 4;
    bytes = a->p = index + cg->n_snaps * entry;
    for (unsigned n = 0; n < n_residents; n++) {
        put_item(a, &residents[n]);
    }
    if (cg->n_items > cg->cap_item_at) {
        cg->cap_item_at = cg->cap_items;
        cg->item_at = cg_realloc(cg->item_at, cg->cap_item_at * sizeof(*cg->item_at));
    }
    if (cg->n_items) {
        memset(cg->item_at, 0, cg->n_items * sizeof(*cg->item_at));
    }
    for (uint32_t n = 0; n < cg->n_snaps; n++) {
        put_index(index, h->wide, n, cg->snaps[n].ra, (uint32_t)(a->p - bytes));
        put_snap(cg, &cg->snaps[n], bytes, cg->item_at);
    }
    return true;
}

const HostExit *tables_exits(const RegionHead *h)
{
    return (const void *)((const uint8_t *)h + h->tables);
}

bool tables_find(const RegionHead *h, uint32_t ra, SnapView *v)
{
    const uint8_t *index = (const uint8_t *)h + h->tables + h->n_exits * (sizeof(HostExit) + sizeof(TcgExit));
    const uint8_t *bytes = index + h->n_snaps * (h->wide ? 8u : 4u), *p = bytes;
    uint32_t lo = 0, hi = h->n_snaps;
    uint8_t flags;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (index_word(h, index, 2 * mid) < ra) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (lo == h->n_snaps || index_word(h, index, 2 * lo) != ra) {
        return false;
    }
    v->n_residents = h->n_residents;
    for (unsigned n = 0; n < v->n_residents; n++) {
        v->residents[n] = get_item(&p);
    }
    p = bytes + index_word(h, index, 2 * lo + 1);
    flags = *p++;
    v->n = flags & S_COUNT;
    v->at_home = flags & S_AT_HOME;
    v->pc_offset = (int32_t)get_signed(&p);
    v->icount = (uint32_t)get(&p);
    v->aux = flags & S_AUX ? (uint32_t)get(&p) : 0;
    v->charge = flags & S_CHARGE ? (int32_t)get_signed(&p) : 0;
    if (flags & S_SHARED) {
        p = bytes + get(&p);
    }
    for (unsigned n = 0; n < v->n; n++) {
        v->items[n] = get_item(&p);
    }
    return true;
}
