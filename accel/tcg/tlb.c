/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soft TLB: filling from the target's page walk, flushing, sizing.
 *
 * Flushing costs what was filled: the indices used since the last flush are
 * remembered, up to a limit. A table grows when it is filled more than half between
 * flushes, or several times over without one, and shrinks after many flushes that found it
 * nearly empty.
 */
#include "util/osdep.h"
#include "accel/tcg/vcpu.h"
#include "util/rcu.h"

static inline void fast_store(TlbTable *t, unsigned i, uint64_t r, uint64_t w, uint64_t addend)
{
    __atomic_store_n(&t->tag_read[i], r, __ATOMIC_RELAXED);
    __atomic_store_n(&t->addend[i], addend, __ATOMIC_RELAXED);
    __atomic_store_n(&t->tag_write[i], w, __ATOMIC_RELAXED);
}

static void table_alloc(VcpuTcg *v, unsigned m, unsigned bits)
{
    TlbMode *t = &v->tlb[m];
    size_t n = (size_t)1 << bits;

    g_free(t->full);
    t->full = g_malloc(n * sizeof(*t->full));
    t->bits = bits;
    for (size_t i = 0; i < n; i++) {
        fast_store(&v->env->tlb_table[m], i, TLB_NO_TAG, TLB_NO_TAG, 0);
        t->full[i].vpage = TLB_NO_TAG;
    }
    t->used[0].n = t->used[1].n = 0;
    t->n_global = 0;
    v->env->tlb[m] = tlb_fast(bits);
}

void tlb_init(VcpuTcg *v)
{
    mutex_init(&v->tlb_lock);
    for (unsigned m = 0; m < TLB_MODES; m++) {
        table_alloc(v, m, TLB_MIN_BITS);
    }
}

void tlb_cleanup(VcpuTcg *v)
{
    for (unsigned m = 0; m < TLB_MODES; m++) {
        g_free(v->tlb[m].full);
    }
    g_free(v->spaces);
    mutex_destroy(&v->tlb_lock);
}

static inline unsigned tlb_index(const TlbMode *t, uint64_t addr)
{
    return (addr >> TCG_PAGE_BITS) & ((1u << t->bits) - 1);
}

void tlb_hints_clear(VcpuTcg *v)
{
    for (unsigned m = 0; m < v->ops->mmu_modes; m++) {
        for (unsigned w = 0; w < 2; w++) {
            for (unsigned i = 0; i < TCG_HINTS; i++) {
                __atomic_store_n(&v->env->hint[m][w][i].limit, 0, __ATOMIC_RELAXED);
            }
        }
    }
}

static inline bool is_there(const TlbFull *f)
{
    return f->vpage != TLB_NO_TAG;
}

static void entry_clear(VcpuTcg *v, unsigned m, unsigned i)
{
    TlbMode *t = &v->tlb[m];
    TlbFull *f = &t->full[i];

    fast_store(&v->env->tlb_table[m], i, TLB_NO_TAG, TLB_NO_TAG, 0);
    t->n_global -= is_there(f) && f->global;
    f->vpage = TLB_NO_TAG;
}

/* Entry @i is going to be one for a page that is @global or not. */
static void note_used(TlbMode *t, unsigned i, bool global)
{
    const TlbFull *f = &t->full[i];
    bool was_global = is_there(f) && f->global;
    TlbUsed *u = &t->used[global];

    t->n_global += global - was_global;
    if (is_there(f) && f->global == global) {
        return;                 /* it is listed */
    }
    if (u->n < TLB_USED_MAX) {
        u->list[u->n] = i;
    }
    if (u->n <= TLB_USED_MAX) {
        u->n++;
    }
}

/* Clear the entries that aren't global, or those that are. */
static void clear_used(VcpuTcg *v, unsigned m, bool global)
{
    TlbMode *t = &v->tlb[m];
    TlbUsed *u = &t->used[global];
    bool all = u->n > TLB_USED_MAX;
    unsigned n = all ? 1u << t->bits : u->n;

    for (unsigned k = 0; k < n; k++) {
        unsigned i = all ? k : u->list[k];

        if (is_there(&t->full[i]) && t->full[i].global == global) {
            entry_clear(v, m, i);
        }
    }
    u->n = 0;
}

static void flush_mode(VcpuTcg *v, unsigned m)
{
    TlbMode *t = &v->tlb[m];
    unsigned n = 1u << t->bits;

    t->huge_mask = 0;
    memset(t->large, 0, sizeof(t->large));
    if (t->fills > n / 2 + n / 8 && t->bits < TLB_MAX_BITS) {
        table_alloc(v, m, t->bits + 1);
    } else if (t->fills < n / 16 && t->bits > TLB_MIN_BITS && ++t->flushes_sparse > 64) {
        table_alloc(v, m, t->bits - 1);
        t->flushes_sparse = 0;
    } else {
        if (t->fills >= n / 16) {
            t->flushes_sparse = 0;
        }
        clear_used(v, m, false);
        clear_used(v, m, true);
    }
    t->fills = 0;
}

/* Filled several times over since the last flush: entries push each other out. */
static bool crowded(const TlbMode *t)
{
    return t->fills >= 2u << t->bits && t->bits < TLB_MAX_BITS;
}

void tlb_grow(VcpuTcg *v)
{
    mutex_lock(&v->tlb_lock);
    for (unsigned m = 0; m < TLB_MODES; m++) {
        TlbMode *t = &v->tlb[m];

        if (crowded(t)) {
            table_alloc(v, m, t->bits + 1);
            t->fills = 0;
        }
    }
    mutex_unlock(&v->tlb_lock);
}

/* Jump-cache entries of before can't match any more. */
void tlb_new_generation(VcpuTcg *v)
{
    if (++v->generation == 0) {
        memset(v->jc, 0, JC_SIZE * sizeof(*v->jc));
        v->generation = 1;
    }
    v->env->mode_gen = (uint32_t)v->env->mode_gen | (uint64_t)v->generation << 32;
    v->n_jc_local = 0;
    memset(v->jc_pages, 0, sizeof(v->jc_pages));
    memset(v->jc_local_pages, 0, sizeof(v->jc_local_pages));
}

static uint64_t *filter_word(uint64_t *filter, unsigned bits, uint64_t number, uint64_t *bit)
{
    unsigned h = (number * UINT64_C(0x9e3779b97f4a7c15)) >> 40 & (bits - 1);

    *bit = BIT64(h & 63);
    return &filter[h / 64];
}

static void filter_add(uint64_t *filter, unsigned bits, uint64_t number)
{
    uint64_t bit, *w = filter_word(filter, bits, number, &bit);

    *w |= bit;
}

static bool filter_has(uint64_t *filter, unsigned bits, uint64_t number)
{
    uint64_t bit, *w = filter_word(filter, bits, number, &bit);

    return *w & bit;
}

void tlb_note_code(VcpuTcg *v, unsigned index, uint64_t address, bool global)
{
    if (!global && v->n_jc_local <= JC_LOCAL_MAX) {
        if (v->n_jc_local < JC_LOCAL_MAX) {
            v->jc_local[v->n_jc_local] = index;
        }
        v->n_jc_local++;
    }
    filter_add(global ? v->jc_pages : v->jc_local_pages, CODE_FILTER, address >> TCG_PAGE_BITS);
}

/* An entry isn't believed any more: the execution loop asks the TLB again (generation 0 is nobody's). */
static void jc_drop(JumpCacheEntry *e)
{
    uint64_t was = __atomic_load_n(&e->mode_gen, __ATOMIC_RELAXED);

    /* Another thread may empty it meanwhile: that stays. */
    __atomic_compare_exchange_n(&e->mode_gen, &was, (uint32_t)was, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Of mappings that aren't global. */
static void jc_drop_local(VcpuTcg *v)
{
    if (v->n_jc_local > JC_LOCAL_MAX) {
        tlb_new_generation(v);
        return;
    }
    for (unsigned i = 0; i < v->n_jc_local; i++) {
        jc_drop(&v->jc[v->jc_local[i]]);
    }
    v->n_jc_local = 0;
    memset(v->jc_local_pages, 0, sizeof(v->jc_local_pages));
}

/* Entries that lead to @page, or begin in the page before it, which may go on there. */
static void jc_drop_page(VcpuTcg *v, uint64_t page)
{
    if (!filter_has(v->jc_local_pages, CODE_FILTER, page >> TCG_PAGE_BITS)) {
        return;
    }
    if (v->n_jc_local > JC_LOCAL_MAX) {
        tlb_new_generation(v);
        return;
    }
    for (unsigned i = 0; i < v->n_jc_local; i++) {
        JumpCacheEntry *e = &v->jc[v->jc_local[i]];

        if (page - (v->ops->code_address(v->env, e->pc) & ~(uint64_t)(TCG_PAGE_SIZE - 1)) <= TCG_PAGE_SIZE) {
            jc_drop(e);
        }
    }
}

void tcg_tlb_flush(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);

    if (!v) {
        return;
    }
    mutex_lock(&v->tlb_lock);
    for (unsigned m = 0; m < TLB_MODES; m++) {
        flush_mode(v, m);
    }
    mutex_unlock(&v->tlb_lock);
    tlb_kept_forget_all(v);
    tlb_hints_clear(v);
    tlb_new_generation(v);
    v->stats.tlb_flushes++;
}

void tlb_drop_local(VcpuTcg *v)
{
    mutex_lock(&v->tlb_lock);
    for (unsigned m = 0; m < TLB_MODES; m++) {
        TlbMode *t = &v->tlb[m];
        unsigned n = 1u << t->bits;

        if (t->fills > n / 2 + n / 8 && t->bits < TLB_MAX_BITS) {
            flush_mode(v, m);   /* it grows */
            continue;
        }
        clear_used(v, m, false);
        t->fills = t->n_global;
        if (t->large[0].any) {
            memset(&t->large[0], 0, sizeof(t->large[0]));
        }
    }
    mutex_unlock(&v->tlb_lock);
    tlb_hints_clear(v);
    jc_drop_local(v);
    v->stats.tlb_flushes++;
}

void tcg_tlb_flush_non_global(TcgEnv *env)
{
    VcpuTcg *v = vcpu_of(env);

    if (v) {
        tlb_drop_local(v);
        tlb_kept_forget_all(v);
    }
}

static void clear_range(VcpuTcg *v, unsigned m, uint64_t start, uint64_t size)
{
    const TlbMode *t = &v->tlb[m];

    for (uint64_t page = start; page - start < size; page += TCG_PAGE_SIZE) {
        unsigned i = tlb_index(t, page);

        if (t->full[i].vpage == page) {
            entry_clear(v, m, i);
        }
    }
}

/* Is @addr in a large page of the mode? Then no entry of that stays. */
static bool flush_large(VcpuTcg *v, unsigned m, uint64_t addr)
{
    TlbMode *t = &v->tlb[m];
    bool any = false;

    if (t->huge_mask && (addr & t->huge_mask) == t->huge_start) {
        flush_mode(v, m);
        return true;
    }
    for (unsigned g = 0; g < 2; g++) {
        TlbLarge *l = &t->large[g];

        if (l->any && filter_has(l->filter, LARGE_FILTER, addr >> 21)) {
            clear_range(v, m, addr & ~(l->any - 1), l->any);
            any = true;
        }
    }
    return any;
}

void tcg_tlb_flush_page(TcgEnv *env, uint64_t addr)
{
    VcpuTcg *v = vcpu_of(env);
    uint64_t page = addr & ~(uint64_t)(TCG_PAGE_SIZE - 1);
    bool code;

    if (!v) {
        return;
    }
    code = filter_has(v->jc_pages, CODE_FILTER, page >> TCG_PAGE_BITS);
    mutex_lock(&v->tlb_lock);
    for (unsigned m = 0; m < TLB_MODES; m++) {
        TlbMode *t = &v->tlb[m];
        unsigned i = tlb_index(t, page);

        if (flush_large(v, m, addr)) {
            code = true;
        } else if (t->full[i].vpage == page) {
            entry_clear(v, m, i);
        }
    }
    mutex_unlock(&v->tlb_lock);
    tlb_kept_forget_page(v, page);
    tlb_hints_clear(v);
    if (code) {
        tlb_new_generation(v);
    } else {
        jc_drop_page(v, page);
    }
    v->stats.page_flushes++;
}

static void untag_write(VcpuTcg *v, unsigned m, unsigned i, ram_addr_t addr, uint64_t len)
{
    const TlbFull *f = &v->tlb[m].full[i];
    ram_addr_t a;

    if (!is_there(f) || !f->ram) {
        return;
    }
    a = f->ram->start + f->ram_offset;
    if (a < addr + len && a + TCG_PAGE_SIZE > addr) {
        __atomic_store_n(&v->env->tlb_table[m].tag_write[i], TLB_NO_TAG, __ATOMIC_RELAXED);
    }
}

void tlb_untag_writes(VcpuTcg *v, ram_addr_t addr, uint64_t len)
{
    mutex_lock(&v->tlb_lock);
    for (unsigned m = 0; m < TLB_MODES; m++) {
        const TlbMode *t = &v->tlb[m];
        bool all = t->used[0].n > TLB_USED_MAX || t->used[1].n > TLB_USED_MAX;

        for (unsigned k = 0; all && k < 1u << t->bits; k++) {
            untag_write(v, m, k, addr, len);
        }
        for (unsigned g = 0; !all && g < 2; g++) {
            for (unsigned k = 0; k < t->used[g].n; k++) {
                untag_write(v, m, t->used[g].list[k], addr, len);
            }
        }
    }
    mutex_unlock(&v->tlb_lock);
    tlb_hints_clear(v);
    if (v->cpu != current_cpu) {
        /* It may be filling a hint from what it has just seen in the TLB. */
        atomic_store(&v->hints_stale, true);
        __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_SEQ_CST);
    }
}

static void note_large(TlbMode *t, uint64_t addr, uint64_t size, bool global)
{
    uint64_t mask = ~(size - 1);

    if (size <= 4 * MIB) {
        TlbLarge *l = &t->large[global];

        l->any = MAX(l->any, size);
        for (uint64_t a = addr & mask, n = 0; n < size; n += 2 * MIB) {
            filter_add(l->filter, LARGE_FILTER, (a + n) >> 21);
        }
        return;
    }
    if (t->huge_mask) {
        mask &= t->huge_mask;
        while (((t->huge_start ^ addr) & mask) != 0) {
            mask <<= 1;
        }
    }
    t->huge_start = addr & mask;
    t->huge_mask = mask;
}

static bool watched(const VcpuTcg *v, uint64_t page)
{
    for (unsigned i = 0; i < v->n_watches; i++) {
        const TcgWatch *w = &v->watches[i];

        if (w->addr < page + TCG_PAGE_SIZE && w->addr + w->len > page) {
            return true;
        }
    }
    return false;
}

/* What a walk's result says of a page. */
static TlbFull full_of(VcpuTcg *v, uint64_t page, const MmuResult *r)
{
    uint64_t phys = r->phys & ~(uint64_t)(TCG_PAGE_SIZE - 1);
    AddressSpace *as = cpu_address_space(v->cpu, r->as_index);
    hwaddr xlat, len = TCG_PAGE_SIZE;
    const MemSection *s = memory_lookup(as, phys, &xlat, &len);
    TlbFull f = { .vpage = page, .phys = phys, .attrs = r->attrs, .prot = r->prot,
                  .global = r->global, .as_index = r->as_index, .guest_watch = r->watch,
                  .watch = r->watch || (v->n_watches && watched(v, page)) };

    if (len == TCG_PAGE_SIZE) {
        if (s->host) {
            f.host = memory_section_host(s, xlat);
            f.ram = s->ram;
            f.ram_offset = s->ram_offset + (xlat - s->offset);
            f.readonly = s->readonly;
        }
        f.mr = s->mr;
        f.mr_offset = xlat;
    }
    return f;
}

/* Put @new into the TLB. */
static TlbFull *fill(VcpuTcg *v, unsigned mmu, const TlbFull *new, uint64_t page_size)
{
    TlbMode *t = &v->tlb[mmu];
    uint64_t page = new->vpage, tr = TLB_NO_TAG, tw = TLB_NO_TAG, addend = 0;
    unsigned i = tlb_index(t, page);
    TlbFull *f = &t->full[i];
    TlbTable *e = &v->env->tlb_table[mmu];
    bool replaced;

    mutex_lock(&v->tlb_lock);
    replaced = f->vpage == page;
    note_used(t, i, new->global);
    *f = *new;
    if (f->host && !f->watch) {
        addend = (uintptr_t)f->host - page;
        if (f->prot & 1 << MMU_READ) {
            tr = page;
        }
        if ((f->prot & 1 << MMU_WRITE) && tr == page && !f->readonly &&
            !ram_needs_tracking(f->ram, f->ram_offset, TCG_PAGE_SIZE)) {
            tw = page;
        }
    }
    if (replaced && (e->addend[i] != addend || (e->tag_read[i] == page && tr != page) ||
                     (e->tag_write[i] == page && tw != page))) {
        tlb_hints_clear(v);
    }
    fast_store(e, i, tr, tw, addend);
    t->fills++;
    if (unlikely(crowded(t))) {
        /* Not here: callers hold pointers into the table. */
        v->tlb_crowded = true;
        __atomic_store_n(&v->env->exit_request, 1, __ATOMIC_RELAXED);
    }
    if (page_size > TCG_PAGE_SIZE) {
        note_large(t, page, page_size, f->global);
    }
    mutex_unlock(&v->tlb_lock);
    v->stats.tlb_fills++;
    return f;
}

TlbFull *tlb_get(VcpuTcg *v, uint64_t addr, MmuAccess access, unsigned mmu, bool raise)
{
    TlbMode *t = &v->tlb[mmu];
    uint64_t page = addr & ~(uint64_t)(TCG_PAGE_SIZE - 1);
    TlbFull *f = &t->full[tlb_index(t, page)], new;
    const TlbFull *kept;
    MmuResult r = { 0 };
    uint64_t fault[4] = { 0 };

    if (likely(f->vpage == page && (f->prot & 1 << access))) {
        return f;
    }
    kept = tlb_kept(v, page, mmu);
    if (kept && (kept->prot & 1 << access)) {
        v->stats.tlb_kept++;
        return fill(v, mmu, kept, TCG_PAGE_SIZE);
    }
    if (!v->ops->mmu_walk(v->env, addr, access, mmu, false, &r, fault)) {
        if (raise) {
            vcpu_unwind(v);
            v->ops->mmu_fault(v->env, addr, access, mmu, fault);
            tcg_raise(v->env);
        }
        return NULL;
    }
    new = full_of(v, page, &r);
    if (r.page_size <= TCG_PAGE_SIZE) {
        tlb_keep(v, mmu, &new);
    }
    return fill(v, mmu, &new, r.page_size);
}
