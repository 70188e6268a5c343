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

#define HASH_BITS       16
#define LEAF_BITS       12
#define TOP_BITS        20      /* 16 TiB of RAM addresses */

typedef struct CodePage {
    _Atomic uint64_t granules;
    struct TcgRegion *regions;  /* chained by page_next[0 or 1] */
    RamBlock *ram;
    uint64_t ram_offset;
} CodePage;

static struct {
    Mutex lock;
    const TcgBackend *be;
    struct TcgRegion *_Atomic hash[1 << HASH_BITS];
    CodePage *_Atomic leaf[1 << TOP_BITS];
    struct TcgRegion **all;     /* everything since the last flush, to be freed */
    size_t n_all, cap_all;
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
    return i ? granule_mask(0, r->bytes - r->bytes0)
             : granule_mask(r->entry & (TCG_PAGE_SIZE - 1), r->bytes0);
}

static void page_add(struct TcgRegion *r, int i, RamBlock *ram, uint64_t ram_offset)
{
    CodePage *p = code_page(page_of(r, i), true);

    p->ram = ram;
    p->ram_offset = ram_offset & ~(uint64_t)(TCG_PAGE_SIZE - 1);
    r->page_next[i] = p->regions;
    p->regions = r;
    if (p->granules == 0) {
        p->granules = region_granules(r, i);
        ram_code_mark(ram, p->ram_offset, TCG_PAGE_SIZE);
    } else {
        p->granules |= region_granules(r, i);
    }
}

void region_insert(struct TcgRegion *r, RamBlock *b0, uint64_t off0, RamBlock *b1, uint64_t off1)
{
    unsigned h = hash_of(r->entry, r->mode, r->one_insn);

    page_add(r, 0, b0, off0);
    if (r->page1 != RAM_ADDR_INVALID) {
        page_add(r, 1, b1, off1);
    }
    r->hash_next = cache.hash[h];
    cache.hash[h] = r;
    if (cache.n_all == cache.cap_all) {
        cache.cap_all = cache.cap_all ? cache.cap_all * 2 : 4096;
        cache.all = g_renew(struct TcgRegion *, cache.all, cache.cap_all);
    }
    cache.all[cache.n_all++] = r;
    cache.stats.live++;
}

void region_count(uint32_t insns, uint32_t bytes, uint32_t code_size)
{
    cache.stats.regions++;
    cache.stats.guest_insns += insns;
    cache.stats.guest_bytes += bytes;
    cache.stats.code_bytes += code_size;
}

void region_link(struct TcgRegion *from, unsigned n, struct TcgRegion *to)
{
    RegionLink *l;

    region_lock();
    if (!from->invalid && !to->invalid && !from->linked[n]) {
        from->be->link(&from->code, n, &to->code);
        from->linked[n] = to;
        l = g_new(RegionLink, 1);
        *l = (RegionLink){ from, n, to->incoming };
        to->incoming = l;
    }
    region_unlock();
}

static void unlink_incoming(struct TcgRegion *r)
{
    while (r->incoming) {
        RegionLink *l = r->incoming;

        r->incoming = l->next;
        l->from->be->link(&l->from->code, l->exit, NULL);
        l->from->linked[l->exit] = NULL;
        g_free(l);
    }
}

static void unlink_outgoing(struct TcgRegion *r)
{
    for (unsigned i = 0; i < r->code.n_exits; i++) {
        RegionLink **pp;

        if (!r->linked[i]) {
            continue;
        }
        for (pp = &r->linked[i]->incoming; *pp; pp = &(*pp)->next) {
            if ((*pp)->from == r && (*pp)->exit == i) {
                RegionLink *l = *pp;

                *pp = l->next;
                g_free(l);
                break;
            }
        }
        r->be->link(&r->code, i, NULL);
        r->linked[i] = NULL;
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
        r->jc[r->n_jc++] = index;
    }
    region_unlock();
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
                if (v->jc[i].region == r) {
                    __atomic_store_n(&v->jc[i].mode_gen, 0, __ATOMIC_RELEASE);
                }
            }
        } else {
            for (unsigned i = 0; i < r->n_jc; i++) {
                if (v->jc[r->jc[i]].region == r) {
                    __atomic_store_n(&v->jc[r->jc[i]].mode_gen, 0, __ATOMIC_RELEASE);
                }
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

bool region_watches(ram_addr_t addr, unsigned len)
{
    CodePage *p = code_page(addr, false);

    return p && (p->granules & granule_mask(addr & (TCG_PAGE_SIZE - 1), len));
}

bool region_contains(const struct TcgRegion *r, ram_addr_t addr, uint64_t len)
{
    if (addr < r->entry + r->bytes0 && addr + len > r->entry) {
        return true;
    }
    return r->page1 != RAM_ADDR_INVALID && addr < r->page1 + (r->bytes - r->bytes0) &&
           addr + len > r->page1;
}

static void invalidate_in_page(ram_addr_t addr, unsigned len)
{
    CodePage *p = code_page(addr, false);
    ram_addr_t base = addr & ~(ram_addr_t)(TCG_PAGE_SIZE - 1);
    struct TcgRegion *next;

    if (!p || !(p->granules & granule_mask(addr & (TCG_PAGE_SIZE - 1), len))) {
        return;
    }
    for (struct TcgRegion *r = p->regions; r; r = next) {
        next = r->page_next[r->page1 == base];
        if (region_contains(r, addr, len)) {
            region_drop(r);
        }
    }
}

void region_invalidate(ram_addr_t addr, uint64_t len)
{
    region_lock();
    while (len) {
        unsigned n = MIN(len, TCG_PAGE_SIZE - (addr & (TCG_PAGE_SIZE - 1)));

        invalidate_in_page(addr, n);
        addr += n;
        len -= n;
    }
    region_unlock();
}

uint64_t region_flushes(void)
{
    return cache.stats.flushes;
}

void region_flush_all(void)
{
    for (size_t i = 0; i < cache.n_all; i++) {
        struct TcgRegion *r = cache.all[i];

        if (!r->invalid) {
            for (int k = 0; k < 2; k++) {
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
    for (size_t i = 0; i < cache.n_all; i++) {
        struct TcgRegion *r = cache.all[i];

        while (r->incoming) {
            RegionLink *l = r->incoming;

            r->incoming = l->next;
            g_free(l);
        }
        r->be->code_free(&r->code);
        g_free(r->linked);
        g_free(r);
    }
    cache.n_all = 0;
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
}

RegionStats region_stats(void)
{
    RegionStats s;

    region_lock();
    s = cache.stats;
    region_unlock();
    return s;
}
