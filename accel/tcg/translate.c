/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From guest bytes to an entry in the table: fetching, the target's front end,
 * optimiser, back end. One translation at a time, under the translation lock.
 */
#include "util/osdep.h"
#include "config.h"
#include "accel/tcg/disas.h"
#include "accel/tcg/icount.h"
#include "accel/tcg/profile.h"
#include "accel/tcg/region.h"
#include "accel/tcg/stats.h"
#include "memory/guest-ram.h"
#include "util/log.h"
#include "util/rcu.h"
#include "util/timer.h"

#define REGION_MAX_INSNS    128

#define GRANULE             64
#define MAX_DATA            32  /* patched operands of a region */

typedef struct FetchPage {
    TlbFull full;               /* a copy: the TLB may change meanwhile */
    bool valid;
    uint64_t have;              /* granules that are in @code */
    uint64_t hot;               /* those that aren't to be watched */
    uint8_t *code;              /* what was read of host memory: each byte once */
} FetchPage;

typedef struct Fetch {
    VcpuTcg *v;
    uint64_t address;           /* of the entry, as the MMU sees it */
    unsigned mmu;
    FetchPage page[2];
    struct { uint32_t delta, n; } data[MAX_DATA];       /* taken from memory when it runs */
    unsigned n_data;
} Fetch;

/* Calls of helpers in what was translated, by helper; under the translation lock. */
static struct {
    const IrHelper *helper[TCG_HELPERS_MAX];
    uint64_t places[TCG_HELPERS_MAX];
    unsigned n;
} calls;

static void count_call(const IrHelper *h)
{
    unsigned i = ((uintptr_t)h >> 4) % TCG_HELPERS_MAX;

    while (calls.helper[i] && calls.helper[i] != h) {
        i = (i + 1) % TCG_HELPERS_MAX;
    }
    if (!calls.helper[i]) {
        if (calls.n == TCG_HELPERS_MAX - 1) {
            return;             /* one place stays free, to end searches */
        }
        calls.helper[i] = h;
        calls.n++;
    }
    calls.places[i]++;
}

static void count_calls(const IrRegion *r)
{
    for (uint32_t i = 1; i < r->n_ops; i++) {
        if (r->ops[i].opcode == IR_CALL) {
            count_call(r->ops[i].helper);
        }
    }
}

static int more_places(const void *a, const void *b)
{
    uint64_t x = ((const TcgHelperCount *)a)->places, y = ((const TcgHelperCount *)b)->places;

    return x < y ? 1 : x > y ? -1 : 0;
}

unsigned tcg_helper_counts(TcgHelperCount list[TCG_HELPERS_MAX])
{
    unsigned n = 0;

    region_lock();
    for (unsigned i = 0; i < TCG_HELPERS_MAX; i++) {
        if (calls.helper[i]) {
            list[n++] = (TcgHelperCount){ calls.helper[i]->name, calls.places[i] };
        }
    }
    region_unlock();
    qsort(list, n, sizeof(*list), more_places);
    return n;
}

static IrRegion *ir;            /* reused; under the translation lock */
static uint8_t code_copy[2][TCG_PAGE_SIZE];     /* so is this */

static bool fetch_page(Fetch *f, unsigned i, bool raise)
{
    uint64_t addr = i ? (f->address & ~(uint64_t)(TCG_PAGE_SIZE - 1)) + TCG_PAGE_SIZE : f->address;
    TlbFull *full = tlb_get(f->v, addr, MMU_EXEC, f->mmu, raise);

    if (full) {
        f->page[i].full = *full;
        f->page[i].valid = true;
        f->page[i].have = 0;
        f->page[i].code = code_copy[i];
        f->page[i].hot = 0;
        if (full->host) {
            region_lock();
            f->page[i].hot = region_hot(full->ram->start + full->ram_offset);
            region_unlock();
        }
    }
    return full;
}

/* Read by granules, so that all who look at a byte see the same. */
static void copy_code(FetchPage *p, unsigned off, unsigned n)
{
    for (unsigned g = off / GRANULE; g <= (off + n - 1) / GRANULE; g++) {
        if (!(p->have >> g & 1)) {
            ram_copy(p->code + g * GRANULE, p->full.host + g * GRANULE, GRANULE);
            p->have |= BIT64(g);
        }
    }
}

bool tcg_fetch(TcgTranslate *t, uint32_t delta, void *buf, unsigned n)
{
    Fetch *f = t->priv;
    unsigned off = (f->address & (TCG_PAGE_SIZE - 1)) + delta;
    uint8_t *out = buf;

    if (off + n > 2 * TCG_PAGE_SIZE) {
        return false;
    }
    for (unsigned i = 0; i < n; ) {
        unsigned p = (off + i) / TCG_PAGE_SIZE, o = (off + i) % TCG_PAGE_SIZE;
        unsigned k = MIN(n - i, TCG_PAGE_SIZE - o);
        TlbFull *full = &f->page[p].full;

        if (!f->page[p].valid && !fetch_page(f, p, false)) {
            return false;
        }
        if (full->host) {
            copy_code(&f->page[p], o, k);
            memcpy(out + i, f->page[p].code + o, k);
        } else {
            AddressSpace *as = cpu_address_space(f->v->cpu, full->as_index);
            MemAttrs attrs = full->attrs;

            attrs.instruction = true;
            address_space_read(as, full->phys + o, attrs, out + i, k);
        }
        i += k;
    }
    return true;
}

bool tcg_code_hot(const TcgTranslate *t, uint32_t delta, unsigned n)
{
    const Fetch *f = t->priv;
    unsigned off = t->entry_offset + delta;

    if (likely(!f->page[0].hot && !f->page[1].hot)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned p = (off + i) / TCG_PAGE_SIZE, o = (off + i) % TCG_PAGE_SIZE;

        if (p < 2 && f->page[p].hot >> (o / GRANULE) & 1) {
            return true;
        }
    }
    return false;
}

const void *tcg_code_patched(TcgTranslate *t, uint32_t delta, unsigned n)
{
    Fetch *f = t->priv;
    unsigned off = t->entry_offset + delta, p = off / TCG_PAGE_SIZE;
    const TlbFull *full = &f->page[p & 1].full;

    off %= TCG_PAGE_SIZE;
    if (p > 1 || off + n > TCG_PAGE_SIZE || f->n_data == MAX_DATA || !full->host ||
        !tcg_code_hot(t, delta, n) || !region_patched(full->ram->start + full->ram_offset + off, n)) {
        return NULL;
    }
    f->data[f->n_data].delta = delta;
    f->data[f->n_data++].n = n;
    return full->host + off;
}

static bool is_data(const Fetch *f, uint32_t delta)
{
    for (unsigned i = 0; i < f->n_data; i++) {
        if (delta - f->data[i].delta < f->data[i].n) {
            return true;
        }
    }
    return false;
}

/* Of a region of hot granules: compare all its bytes but those at each entry. */
static void add_guards(IrRegion *r, const TcgTranslate *t, const Fetch *f)
{
    for (uint32_t i = 0; i < t->bytes; ) {
        unsigned p = (t->entry_offset + i) / TCG_PAGE_SIZE, o = (t->entry_offset + i) % TCG_PAGE_SIZE;
        const uint8_t *b = f->page[p].code + o;
        unsigned n = 0, size;
        uint64_t v = 0;

        while (n < 8 && i + n < t->bytes && o + n < TCG_PAGE_SIZE && !is_data(f, i + n)) {
            n++;
        }
        size = n >= 8 ? 8 : n >= 4 ? 4 : n ? 1 : 0;
        if (!size) {
            i++;
            continue;
        }
        for (unsigned k = 0; k < size; k++) {
            v |= (uint64_t)b[k] << (8 * k);
        }
        ir_guard(r, f->page[p].full.host + o, size, v);
        i += size;
    }
}

void tcg_fetch_fault(TcgTranslate *t)
{
    Fetch *f = t->priv;

    region_unlock();
    fetch_page(f, 1, true);
    /* Now it can be fetched after all: another CPU has mapped it. Try again. */
    vcpu_leave(f->v);
}

static void log_region(const TcgTranslate *t, const struct TcgRegion *r, unsigned stage)
{
    FILE *out = log_begin(stage);

    if (!out) {
        return;
    }
    if (stage == LOG_IN_ASM) {
        uint8_t *bytes = g_malloc(r->bytes);

        fprintf(out, "IN: pc %016" PRIx64 " mode %08" PRIx32 "\n", t->pc, r->mode);
        if (tcg_fetch((TcgTranslate *)t, -t->below, bytes, r->bytes)) {
            disas_guest(out, vcpu_of(t->env)->ops, t->mode, bytes, r->bytes, t->pc - t->below);
        }
        g_free(bytes);
    } else if (stage == LOG_OUT_ASM) {
        fprintf(out, "OUT: size %" PRIu32 "\n", r->code.size);
        disas_host(out, r->code.code, r->code.size);
    } else {
        fprintf(out, stage == LOG_OP ? "OP:\n" : "OP after optimisation:\n");
        ir_print(ir, out);
    }
    log_end(out);
}

/* A line for perf(1): where the code is, and which guest code it stands for. */
static void perf_line(FILE *f, const struct TcgRegion *r)
{
    uint64_t off;
    const char *symbol = tcg_symbol(r->pc, &off);

    fprintf(f, "%" PRIxPTR " %" PRIx32 " ", (uintptr_t)r->code.full_entry, r->code.size);
    if (symbol) {
        fprintf(f, "%s+0x%" PRIx64 "_", symbol, off);
    }
    fprintf(f, "guest_%" PRIx64 "_mode_%" PRIx32 "_insns_%u\n", r->pc, r->mode, r->n_insns);
    fflush(f);
}

/* Everything out of the cache; lock held, kept. */
static void flush_all(VcpuTcg *v)
{
    region_unlock();
    exclusive_begin(v);
    region_lock();
    region_flush_all();
    region_unlock();
    exclusive_end(v);
    region_lock();
}

static void set_pages(struct TcgRegion *r, const TcgTranslate *t, const Fetch *f)
{
    const TlbFull *p0 = &f->page[0].full, *p1 = &f->page[1].full;
    unsigned off = t->entry_offset;

    r->bytes = t->bytes;
    r->below = t->below;
    r->bytes0 = MIN(t->bytes, TCG_PAGE_SIZE - (off - t->below));
    r->page1 = RAM_ADDR_INVALID;
    r->transient = !p0->host;
    if (p0->host) {
        r->entry = p0->ram->start + p0->ram_offset + off;
    }
    if (t->bytes > r->bytes0) {
        if (p1->host) {
            r->page1 = p1->ram->start + p1->ram_offset;
        }
        /* Twice the same page would be in its list twice. */
        if (!p1->host || r->page1 == r->entry - off) {
            r->transient = true;
        }
    }
}

static void keep_bytes(struct TcgRegion *r, Fetch *f)
{
    /* Between its blocks there may be bytes that nobody has looked at. */
    unsigned off = region_start(r) & (TCG_PAGE_SIZE - 1);

    copy_code(&f->page[0], off, r->bytes0);
    memcpy(r->copy, f->page[0].code + off, r->bytes0);
    if (r->bytes > r->bytes0) {
        memcpy(r->copy + r->bytes0, f->page[1].code, r->bytes - r->bytes0);
    }
    if (r->guarded) {
        r->n_guards = ir->n_guards;
        r->guards = g_memdup2(ir->guards, ir->n_guards * sizeof(*ir->guards));
    }
}

/* Count entries, to see whether it is worth more? The whole of it is settled. */
static void set_heat(IrRegion *i, struct TcgRegion *r)
{
    r->heat = tcg_options.hot_entries;
    i->heat = r->optimised || r->one_insn || r->transient || r->guarded ? NULL : &r->heat;
}

struct TcgRegion *tcg_translate(VcpuTcg *v, uint64_t pc, uint64_t address, struct TcgRegion *hot)
{
    Fetch f = { .v = v, .address = address, .mmu = v->ops->code_mmu(v->env) };
    TcgTranslate t = {
        .env = v->env, .mode = (uint32_t)v->env->mode_gen, .pc = pc,
        .entry_offset = address & (TCG_PAGE_SIZE - 1),
        .max_insns = v->single_insn || v->single_step || cpus_singlestep() ? 1 : REGION_MAX_INSNS,
        .straight = !tcg_options.regions || (tcg_options.tiers && !hot),
        .breakpoints = v->breakpoints, .n_breakpoints = v->n_breakpoints, .priv = &f,
    };
    struct TcgRegion *r;
    bool flushed = false;
    int64_t began;

    fetch_page(&f, 0, true);
    began = clock_get_ns(CLOCK_RT);
    region_lock();
    if (!ir) {
        ir = ir_region_new();
    }
    r = g_new0(struct TcgRegion, 1);
    r->mode = t.mode;
    r->one_insn = t.max_insns == 1;
    r->optimised = !tcg_options.tiers || hot;
    r->pc = pc;
    for (;;) {
        ir_region_reset(ir, v->ops->globals);
        ir->entry_offset = t.entry_offset;
        ir->mode = t.mode;
        ir->count_insns = tcg_icount;
        ir->quick = !r->optimised;
        t.ir = ir;
        t.bytes = t.below = 0;
        f.n_data = 0;
        if (!f.page[0].full.host) {
            t.max_insns = 1;
            r->one_insn = true;
        }
        v->ops->translate(&t);
        if (ir->overflow && t.max_insns > 1) {
            t.max_insns /= 2;
            continue;
        }
        r->n_insns = ir->n_insns;
        set_pages(r, &t, &f);
        r->guarded = !r->transient && tcg_code_hot(&t, -t.below, r->bytes);
        if (r->guarded && !t.straight && !tcg_code_hot(&t, 0, 1)) {
            t.straight = true;          /* hot bytes between its blocks mustn't make it unwatched */
            continue;
        }
        if (r->guarded) {
            add_guards(ir, &t, &f);
        }
        if (log_is_on(LOG_IN_ASM)) {
            log_region(&t, r, LOG_IN_ASM);
        }
        if (log_is_on(LOG_OP)) {
            log_region(&t, r, LOG_OP);
        }
#ifdef CONFIG_DEBUG
        char why[256];

        if (unlikely(!ir_verify(ir, why, sizeof(why)))) {
            fprintf(stderr, "translation at pc %" PRIx64 " is not well-formed: %s\n", pc, why);
            ir_print(ir, stderr);
            abort();
        }
#endif
        if (r->optimised && tcg_options.optimise) {
            ir_optimise(ir);
        } else {
            ir_optimise_fast(ir);
        }
        if (log_is_on(LOG_OP_OPT)) {
            log_region(&t, r, LOG_OP_OPT);
        }
        set_heat(ir, r);
        count_calls(ir);
        if (v->be->codegen(ir, r, &r->code)) {
            break;
        }
        /* The cache is full, or the region too large for the back end. */
        if (r->code.full && region_next_arena()) {
            continue;
        } else if (r->code.full && !flushed) {
            flush_all(v);
            flushed = true;
        } else if (t.max_insns > 1) {
            t.max_insns /= 2;
        } else {
            fprintf(stderr, "no code for the instruction at pc %" PRIx64 "\n", pc);
            ir_print(ir, stderr);
            exit(1);
        }
    }
    if (log_is_on(LOG_OUT_ASM) && r->code.code) {
        log_region(&t, r, LOG_OUT_ASM);
    }
    if (tcg_options.perf_map && r->code.code) {
        perf_line(tcg_options.perf_map, r);
    }
    region_alloc_tail(r);
    region_drain();
    tcg_cache_trim();
    region_count(r, clock_get_ns(CLOCK_RT) - began);
    if (!r->transient) {
        keep_bytes(r, &f);
        region_insert(r, f.page[0].full.ram, f.page[0].full.ram_offset,
                      f.page[1].full.ram, f.page[1].full.ram_offset);
        if (hot && !flushed) {
            region_replace(hot, r);
        }
    } else {
        r->invalid = true;
    }
    region_unlock();
    return r;
}
