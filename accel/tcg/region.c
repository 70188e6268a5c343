/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of translations and their invalidation; see region.h.
 *
 * Per physical page (looked up by RAM address) there is a list of the regions
 * that have bytes in it, and a word with a bit for each granule of 64 bytes
 * that one of them covers. The words live in a sparse two-level table, so that
 * stores can test them without a lock.
 */
#include "util/osdep.h"
#include "accel/tcg/region.h"
#include "util/rcu.h"
#include "util/timer.h"

#define HASH_BITS       16
#define LEAF_BITS       12
#define TOP_BITS        20      /* 16 TiB of RAM addresses */

#define HOT_COUNT       6       /* changes of a granule, ... */
#define HOT_WITHIN_NS   (20 * NS_PER_MS)        /* ... this long after each other at most */
#define COLD_AFTER_NS   (1000 * NS_PER_MS)
#define MAX_VARIANTS    8       /* of guarded regions with the same key */

/* Of a page whose code was changed. */
typedef struct PageHeat {
    uint64_t hot;               /* granules */
    int64_t last_ns;            /* the last change that was seen */
    uint8_t count[64];          /* changes, by granule */
    uint64_t changed[64];       /* and which of its bytes */
} PageHeat;

/*
 * Translations by the arena of the cache that their code is in. When an arena is begun, the next one that will be
 * needed is drained: with each new translation a few of its own are dropped; after the last one, and a grace
 * period in which all vCPUs pass an edge, they are freed, and it is empty.
 */
enum { ARENA_EMPTY, ARENA_FILLED /* or being filled */, ARENA_DRAINED, ARENA_GRACE };
#define DRAIN_STEP      4       /* of a kind with the old ones, new translations drain it in a quarter of their arena */

typedef struct Arena {
    int state;
    uint32_t turn;              /* how often it was emptied, so that a late call sees that it is */
    struct TcgRegion **all;     /* everything since then, to be freed */
    size_t n_all, cap_all, drained;
} Arena;

typedef struct CodePage {
    _Atomic uint64_t granules;  /* that are watched */
    PageHeat *heat;             /* or NULL */
    struct TcgRegion *regions;  /* chained by page_next[0 or 1] */
    RamBlock *ram;
    uint64_t ram_offset;
} CodePage;

static struct {
    Mutex lock;
    const TcgBackend *be;
    struct TcgRegion *_Atomic hash[1 << HASH_BITS];
    CodePage *_Atomic leaf[1 << TOP_BITS];
    Arena arenas[TCG_ARENAS_MAX];
    unsigned draining;          /* the one that will be filled next */
    _Atomic uint64_t epoch;     /* region_epoch() */
    PageHeat **heats;           /* all there are */
    size_t n_heats, cap_heats;
    RegionStats stats;
} cache;

void region_init(const TcgBackend *be)
{
    mutex_init_recursive(&cache.lock);
    cache.be = be;
}

void region_lock(void)
{
    mutex_lock(&cache.lock);
}

void region_unlock(void)
{
    mutex_unlock(&cache.lock);
}

static unsigned hash_of(ram_addr_t entry, uint32_t mode, bool one_insn)
{
    uint64_t h = (entry ^ (uint64_t)mode << 32 ^ mode ^ (uint64_t)one_insn << 63) *
                 UINT64_C(0x9e3779b97f4a7c15);
    return h >> (64 - HASH_BITS);
}

struct TcgRegion *region_find(ram_addr_t entry, uint32_t mode, bool one_insn,
                              struct TcgRegion *after)
{
    struct TcgRegion *r = after ? after->hash_next : cache.hash[hash_of(entry, mode, one_insn)];

    while (r && !(r->entry == entry && r->mode == mode && r->one_insn == one_insn &&
                  !r->invalid)) {
        r = r->hash_next;
    }
    return r;
}

static CodePage *code_page(ram_addr_t addr, bool create)
{
    uint64_t n = addr >> TCG_PAGE_BITS;
    size_t top = n >> LEAF_BITS;
    CodePage *leaf;

    if (top >= 1 << TOP_BITS) {
        return NULL;
    }
    leaf = cache.leaf[top];
    if (!leaf) {
        if (!create) {
            return NULL;
        }
        leaf = g_new0(CodePage, 1 << LEAF_BITS);
        cache.leaf[top] = leaf;
    }
    return &leaf[n & ((1 << LEAF_BITS) - 1)];
}

void region_alloc_tail(struct TcgRegion *r)
{
    size_t links = r->code.n_exits * sizeof(RegionLink);
    uint8_t *tail = g_malloc0(links + r->bytes + 1);

    r->links = (void *)tail;
    r->copy = tail + links;
}

void region_free(struct TcgRegion *r)
{
    cache.be->code_free(&r->code);
    g_free(r->links);
    g_free(r->guards);
    g_free(r);
}

/* Granule bits of bytes first..first+len-1 of a page. */
static uint64_t granule_mask(unsigned first, unsigned len)
{
    unsigned lo = first >> 6, hi = (first + len - 1) >> 6;

    return (UINT64_MAX >> (63 - (hi - lo))) << lo;
}

static inline ram_addr_t page_of(const struct TcgRegion *r, int i)
{
    return i ? r->page1 : r->entry & ~(ram_addr_t)(TCG_PAGE_SIZE - 1);
}

static uint64_t region_granules(const struct TcgRegion *r, int i)
{
    return r->guarded ? 0 : i ? granule_mask(0, r->bytes - r->bytes0)
                              : granule_mask(region_start(r) & (TCG_PAGE_SIZE - 1), r->bytes0);
}

static void page_add(struct TcgRegion *r, int i, RamBlock *ram, uint64_t ram_offset)
{
    CodePage *p = code_page(page_of(r, i), true);
    uint64_t granules = region_granules(r, i);

    p->ram = ram;
    p->ram_offset = ram_offset & ~(uint64_t)(TCG_PAGE_SIZE - 1);
    r->page_next[i] = p->regions;
    p->regions = r;
    if (p->granules == 0 && granules) {
        p->granules = granules;
        ram_code_mark(ram, p->ram_offset, TCG_PAGE_SIZE);
        r->unsettled = true;
    } else {
        p->granules |= granules;
    }
}

/* Byte @n of the region as it is in memory now. */
static uint8_t byte_now(const struct TcgRegion *r, uint32_t n)
{
    int i = n >= r->bytes0;
    const CodePage *p = code_page(page_of(r, i), false);
    unsigned off = i ? n - r->bytes0 : (region_start(r) & (TCG_PAGE_SIZE - 1)) + n;

    return __atomic_load_n(p->ram->host + p->ram_offset + off, __ATOMIC_RELAXED);
}

/* Bytes first..last-1 of the region: are they as they were? */
static bool bytes_same(const struct TcgRegion *r, uint32_t first, uint32_t last)
{
    for (int i = 0; i < 2; i++) {
        uint32_t start = i ? r->bytes0 : 0, end = i ? r->bytes : r->bytes0;
        uint32_t lo = MAX(first, start), hi = MIN(last, end);
        const CodePage *p;

        if (lo >= hi) {
            continue;
        }
        p = code_page(page_of(r, i), false);
        if (memcmp(p->ram->host + p->ram_offset + lo - start +
                   (i ? 0 : region_start(r) & (TCG_PAGE_SIZE - 1)), r->copy + lo, hi - lo)) {
            return false;
        }
    }
    return true;
}

/* --- heat --- */

static PageHeat *heat_of(CodePage *p)
{
    if (!p->heat) {
        p->heat = g_new0(PageHeat, 1);
        if (cache.n_heats == cache.cap_heats) {
            cache.cap_heats = cache.cap_heats ? cache.cap_heats * 2 : 64;
            cache.heats = g_renew(PageHeat *, cache.heats, cache.cap_heats);
        }
        cache.heats[cache.n_heats++] = p->heat;
    }
    return p->heat;
}

/* Note the bytes first..last-1 of the region that have changed. */
static void warm(struct TcgRegion *r, uint32_t first, uint32_t last, int64_t now)
{
    uint64_t seen = 0;
    int page = -1;
    PageHeat *h = NULL;

    for (uint32_t n = first; n < last; n++) {
        int i = n >= r->bytes0;
        unsigned off = i ? n - r->bytes0 : (region_start(r) & (TCG_PAGE_SIZE - 1)) + n;

        if (byte_now(r, n) == r->copy[n]) {
            continue;
        }
        if (i != page) {
            h = heat_of(code_page(page_of(r, i), false));
            if (now - h->last_ns > HOT_WITHIN_NS) {
                memset(h->count, 0, sizeof(h->count));
                if (!h->hot) {
                    memset(h->changed, 0, sizeof(h->changed));
                }
            }
            h->last_ns = now;
            page = i;
            seen = 0;
        }
        h->changed[off >> 6] |= BIT64(off & 63);
        if (!(seen >> (off >> 6) & 1) && h->count[off >> 6] < HOT_COUNT) {
            h->count[off >> 6]++;
        }
        seen |= BIT64(off >> 6);
    }
}

uint64_t region_hot(ram_addr_t page)
{
    CodePage *p = tcg_options.guarded_code ? code_page(page, false) : NULL;

    if (!p || !p->heat || !p->heat->hot) {
        return 0;
    }
    if (clock_get_ns(CLOCK_RT) - p->heat->last_ns > COLD_AFTER_NS) {
        p->heat->hot = 0;
    }
    return p->heat->hot;
}

bool region_patched(ram_addr_t addr, unsigned len)
{
    CodePage *p = code_page(addr, false);
    unsigned off = addr & (TCG_PAGE_SIZE - 1);

    for (unsigned i = 0; p && p->heat && i < len && off + i < TCG_PAGE_SIZE; i++) {
        if (p->heat->changed[(off + i) >> 6] >> ((off + i) & 63) & 1) {
            return true;
        }
    }
    return false;
}

static void region_drop(struct TcgRegion *r);

/* There is going to be one more: drop the oldest if they are many. */
static void limit_variants(const struct TcgRegion *r)
{
    struct TcgRegion *o = NULL, *oldest = NULL;
    unsigned n = 0;

    while ((o = region_find(r->entry, r->mode, r->one_insn, o)) != NULL) {
        n++;
        oldest = o;
    }
    if (n >= MAX_VARIANTS) {
        region_drop(oldest);
    }
}

void region_insert(struct TcgRegion *r, RamBlock *b0, uint64_t off0, RamBlock *b1, uint64_t off1)
{
    unsigned h = hash_of(r->entry, r->mode, r->one_insn);
    Arena *a = &cache.arenas[r->code.arena];

    if (r->guarded) {
        limit_variants(r);
        cache.stats.guarded++;
    }
    page_add(r, 0, b0, off0);
    if (r->page1 != RAM_ADDR_INVALID) {
        page_add(r, 1, b1, off1);
    }
    r->hash_next = cache.hash[h];
    cache.hash[h] = r;
    if (a->n_all == a->cap_all) {
        a->cap_all = a->cap_all ? a->cap_all * 2 : 4096;
        a->all = g_renew(struct TcgRegion *, a->all, a->cap_all);
    }
    a->all[a->n_all++] = r;
    cache.stats.live++;
    region_published(r);
    /* From page_add on a store is noticed; was there one before it? */
    full_barrier();
    if (!r->guarded && !bytes_same(r, 0, r->bytes)) {
        region_drop(r);
    }
}

void region_count(const struct TcgRegion *r, int64_t ns)
{
    TcgTierInfo *t = &cache.stats.tier[r->optimised];

    t->regions++;
    t->guest_insns += r->n_insns;
    t->guest_bytes += r->bytes;
    t->code_bytes += r->code.size;
    t->ns += ns;
}

void region_link(struct TcgRegion *from, unsigned n, struct TcgRegion *to)
{
    RegionLink *l = &from->links[n];

    region_lock();
    if (!from->invalid && !to->invalid && !l->to) {
        cache.be->link(&from->code, n, &to->code);
        *l = (RegionLink){ to, to->incoming, from };
        to->incoming = l;
    }
    region_unlock();
}

static unsigned exit_of(const RegionLink *l)
{
    return (unsigned)(l - l->from->links);
}

static void unlink_incoming(struct TcgRegion *r)
{
    while (r->incoming) {
        RegionLink *l = r->incoming;

        r->incoming = l->next;
        cache.be->link(&l->from->code, exit_of(l), NULL);
        l->to = NULL;
    }
}

static void unlink_outgoing(struct TcgRegion *r)
{
    for (unsigned i = 0; i < r->code.n_exits; i++) {
        RegionLink *l = &r->links[i], **pp;

        if (!l->to) {
            continue;
        }
        for (pp = &l->to->incoming; *pp != l; ) {
            pp = &(*pp)->next;
        }
        *pp = l->next;
        cache.be->link(&r->code, i, NULL);
        l->to = NULL;
    }
}

void region_note_jc(struct TcgRegion *r, unsigned index)
{
    region_lock();
    for (unsigned i = 0; i < r->n_jc; i++) {
        if (r->jc[i] == index) {
            region_unlock();
            return;
        }
    }
    if (r->n_jc == REGION_MAX_JC) {
        r->jc_overflow = true;
    } else {
        r->jc[r->n_jc] = index;
        __atomic_store_n(&r->n_jc, r->n_jc + 1, __ATOMIC_RELEASE);      /* jc_fill() looks too */
    }
    region_unlock();
}

/* Its vCPU may be filling it with another region meanwhile: whose name then stays. */
static void jc_drop_entry(JumpCacheEntry *e, struct TcgRegion *r)
{
    void *was = r;

    if (__atomic_load_n(&e->region, __ATOMIC_RELAXED) == r) {
        __atomic_store_n(&e->mode_gen, 0, __ATOMIC_RELEASE);
        __atomic_compare_exchange_n(&e->region, &was, NULL, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    }
}

static void jc_drop(struct TcgRegion *r)
{
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (!v) {
            continue;
        }
        if (r->jc_overflow) {
            for (unsigned i = 0; i < JC_SIZE; i++) {
                jc_drop_entry(&v->jc[i], r);
            }
        } else {
            for (unsigned i = 0; i < r->n_jc; i++) {
                jc_drop_entry(&v->jc[r->jc[i]], r);
            }
        }
    }
}

static void hash_remove(struct TcgRegion *r)
{
    struct TcgRegion *_Atomic *pp = &cache.hash[hash_of(r->entry, r->mode, r->one_insn)];

    while (*pp != r) {
        pp = &(*pp)->hash_next;
    }
    *pp = r->hash_next;
}

static void page_remove(struct TcgRegion *r, int i)
{
    CodePage *p = code_page(page_of(r, i), false);
    struct TcgRegion **pp = &p->regions;
    uint64_t granules = 0;

    while (*pp != r) {
        pp = &(*pp)->page_next[(*pp)->page1 == page_of(r, i)];
    }
    *pp = r->page_next[i];
    for (struct TcgRegion *o = p->regions; o; ) {
        int k = o->page1 == page_of(r, i);

        granules |= region_granules(o, k);
        o = o->page_next[k];
    }
    p->granules = granules;
    if (granules == 0) {
        ram_code_unmark(p->ram, p->ram_offset, TCG_PAGE_SIZE);
    }
}

static void region_drop(struct TcgRegion *r)
{
    r->invalid = true;
    hash_remove(r);
    page_remove(r, 0);
    if (r->page1 != RAM_ADDR_INVALID) {
        page_remove(r, 1);
    }
    unlink_incoming(r);
    unlink_outgoing(r);
    jc_drop(r);
    cache.stats.live--;
    cache.stats.invalidated++;
}

void region_settle(struct TcgRegion *r)
{
    region_lock();
    if (!r->invalid && !bytes_same(r, 0, r->bytes)) {
        region_drop(r);
    }
    r->unsettled = false;
    region_unlock();
}

void region_replace(struct TcgRegion *old, struct TcgRegion *new)
{
    if (old->invalid || new->invalid) {
        return;
    }
    if (new->page1 == RAM_ADDR_INVALID) {
        for (RegionLink *l = old->incoming, *next; l; l = next) {
            next = l->next;
            cache.be->link(&l->from->code, exit_of(l), &new->code);
            l->to = new;
            l->next = new->incoming;
            new->incoming = l;
        }
        old->incoming = NULL;
    }
    region_drop(old);
    cache.stats.replaced++;
    cache.stats.invalidated--;
}

bool region_watches(ram_addr_t addr, unsigned len)
{
    CodePage *p = code_page(addr, false);

    return p && (p->granules & granule_mask(addr & (TCG_PAGE_SIZE - 1), len));
}

bool region_watches_page(ram_addr_t addr)
{
    CodePage *p = code_page(addr, false);

    return p && p->granules;
}

bool region_contains(const struct TcgRegion *r, ram_addr_t addr, uint64_t len)
{
    if (addr < region_start(r) + r->bytes0 && addr + len > region_start(r)) {
        return true;
    }
    return r->page1 != RAM_ADDR_INVALID && addr < r->page1 + (r->bytes - r->bytes0) &&
           addr + len > r->page1;
}

/* Bytes of @r that lie in addr..addr+len-1 of one page: first..last-1. */
static void overlap(const struct TcgRegion *r, ram_addr_t addr, unsigned len, uint32_t *first,
                    uint32_t *last)
{
    ram_addr_t base = addr & ~(ram_addr_t)(TCG_PAGE_SIZE - 1);
    int i = r->page1 == base;
    uint32_t before = i ? r->bytes0 : 0, n = i ? r->bytes - r->bytes0 : r->bytes0;
    ram_addr_t start = i ? r->page1 : region_start(r);

    *first = before + (addr > start ? MIN(addr - start, n) : 0);
    *last = before + (addr + len > start ? MIN(addr + len - start, n) : 0);
}

/* Granules that were changed often enough now: what was made of them goes. */
static void make_hot(CodePage *p, ram_addr_t base)
{
    uint64_t hot = 0;
    struct TcgRegion *next;

    for (unsigned g = 0; g < 64; g++) {
        hot |= (uint64_t)(p->heat->count[g] >= HOT_COUNT) << g;
    }
    hot &= ~p->heat->hot;
    if (!hot) {
        return;
    }
    p->heat->hot |= hot;
    for (struct TcgRegion *r = p->regions; r; r = next) {
        int i = r->page1 == base;

        next = r->page_next[i];
        if (region_granules(r, i) & hot) {
            region_drop(r);
        }
    }
}

static void invalidate_in_page(ram_addr_t addr, unsigned len)
{
    CodePage *p = code_page(addr, false);
    ram_addr_t base = addr & ~(ram_addr_t)(TCG_PAGE_SIZE - 1);
    struct TcgRegion *next;
    int64_t now = 0;

    if (!p || !(p->granules & granule_mask(addr & (TCG_PAGE_SIZE - 1), len))) {
        return;
    }
    for (struct TcgRegion *r = p->regions; r; r = next) {
        uint32_t first, last;

        next = r->page_next[r->page1 == base];
        overlap(r, addr, len, &first, &last);
        if (r->guarded || first >= last || bytes_same(r, first, last)) {
            continue;
        }
        now = now ? now : clock_get_ns(CLOCK_RT);
        warm(r, first, last, now);
        region_drop(r);
    }
    if (now && p->heat && tcg_options.guarded_code) {
        make_hot(p, base);
    }
}

static void forget_in_page(ram_addr_t addr, unsigned len)
{
    CodePage *p = code_page(addr, false);
    ram_addr_t base = addr & ~(ram_addr_t)(TCG_PAGE_SIZE - 1);
    struct TcgRegion *next;

    for (struct TcgRegion *r = p ? p->regions : NULL; r; r = next) {
        next = r->page_next[r->page1 == base];
        if (region_contains(r, addr, len)) {
            region_drop(r);
        }
    }
}

static void by_pages(ram_addr_t addr, uint64_t len, void (*fn)(ram_addr_t addr, unsigned len))
{
    region_lock();
    while (len) {
        unsigned n = MIN(len, TCG_PAGE_SIZE - (addr & (TCG_PAGE_SIZE - 1)));

        fn(addr, n);
        addr += n;
        len -= n;
    }
    region_unlock();
}

void region_invalidate(ram_addr_t addr, uint64_t len)
{
    by_pages(addr, len, invalidate_in_page);
}

void region_forget(ram_addr_t addr, uint64_t len)
{
    by_pages(addr, len, forget_in_page);
}

void region_stale(struct TcgRegion *r)
{
    region_lock();
    cache.stats.stale++;
    if (!r->invalid) {
        warm(r, 0, r->bytes, clock_get_ns(CLOCK_RT));
        unlink_incoming(r);
        jc_drop(r);
    }
    region_unlock();
}

bool region_holds(const struct TcgRegion *r)
{
    for (uint32_t i = 0; i < r->n_guards; i++) {
        const IrGuard *g = &r->guards[i];

        for (unsigned k = 0; k < g->size; k++) {
            if (__atomic_load_n(&g->host[k], __ATOMIC_RELAXED) != (uint8_t)(g->value >> (8 * k))) {
                return false;
            }
        }
    }
    return true;
}

uint64_t region_flushes(void)
{
    return cache.stats.flushes;
}

uint64_t region_epoch(void)
{
    return cache.epoch;
}

/* --- room for new ones --- */

static void free_list(struct TcgRegion **list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        region_free(list[i]);
    }
    g_free(list);
}

/* Nobody can be in one of its translations any more. On a thread that isn't a vCPU's. */
static void grace_is_over(void *opaque)
{
    unsigned n = (uintptr_t)opaque % TCG_ARENAS_MAX;
    Arena *a = &cache.arenas[n];
    struct TcgRegion **list = NULL;
    size_t n_list = 0;

    region_lock();
    if (a->state == ARENA_GRACE && a->turn == (uint32_t)((uintptr_t)opaque / TCG_ARENAS_MAX)) {
        list = a->all;
        n_list = a->n_all;
        *a = (Arena){ .state = ARENA_EMPTY, .turn = a->turn + 1 };
        cache.be->arena_free(n);
        cache.stats.reclaimed++;
    }
    region_unlock();
    free_list(list, n_list);
}

void region_drain(void)
{
    Arena *a = &cache.arenas[cache.draining];

    if (likely(a->state != ARENA_DRAINED)) {
        return;
    }
    for (unsigned n = 0; n < DRAIN_STEP && a->drained < a->n_all; n++) {
        struct TcgRegion *r = a->all[a->drained++];

        if (!r->invalid) {
            region_drop(r);
            cache.stats.invalidated--;
        }
    }
    if (a->drained < a->n_all) {
        return;
    }
    a->state = ARENA_GRACE;
    cache.epoch++;
    rcu_call(grace_is_over, (void *)(cache.draining + (uintptr_t)a->turn * TCG_ARENAS_MAX));
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (v) {
            __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_SEQ_CST);
        }
    }
}

bool region_next_arena(void)
{
    unsigned filling, count = cache.be->arenas ? cache.be->arenas(&filling) : 1;
    unsigned next = count < 3 ? 0 : (filling + 1) % count;

    if (count < 3 || cache.arenas[next].state != ARENA_EMPTY) {
        return false;
    }
    cache.be->arena_fill(next);
    cache.arenas[filling].state = cache.arenas[next].state = ARENA_FILLED;
    cache.draining = (next + 1) % count;
    if (cache.arenas[cache.draining].state == ARENA_FILLED) {
        cache.arenas[cache.draining].state = ARENA_DRAINED;
    }
    return true;
}

static void forget_arena(Arena *a)
{
    for (size_t i = 0; i < a->n_all; i++) {
        struct TcgRegion *r = a->all[i];

        for (int k = 0; !r->invalid && k < 2; k++) {
            CodePage *p;

            if (k && r->page1 == RAM_ADDR_INVALID) {
                break;
            }
            p = code_page(page_of(r, k), false);
            p->regions = NULL;
            if (p->granules) {
                p->granules = 0;
                ram_code_unmark(p->ram, p->ram_offset, TCG_PAGE_SIZE);
            }
        }
    }
}

void region_flush_all(void)
{
    for (unsigned n = 0; n < TCG_ARENAS_MAX; n++) {
        forget_arena(&cache.arenas[n]);
    }
    for (unsigned n = 0; n < TCG_ARENAS_MAX; n++) {
        Arena *a = &cache.arenas[n];

        free_list(a->all, a->n_all);
        *a = (Arena){ .state = ARENA_EMPTY, .turn = a->turn + 1 };
    }
    for (size_t i = 0; i < cache.n_heats; i++) {
        memset(cache.heats[i], 0, sizeof(*cache.heats[i]));
    }
    memset((void *)cache.hash, 0, sizeof(cache.hash));
    CPU_FOREACH(cpu) {
        VcpuTcg *v = cpu->accel;

        if (v) {
            memset(v->jc, 0, JC_SIZE * sizeof(*v->jc));
        }
    }
    cache.be->flush();
    cache.stats.live = 0;
    cache.stats.flushes++;
    cache.epoch++;
}

RegionStats region_stats(void)
{
    RegionStats s;

    region_lock();
    s = cache.stats;
    region_unlock();
    return s;
}
