/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 back end: code cache, and one region from IR to finished code.
 * The cache is a row of arenas of the same size, filled one after the other.
 * One thread compiles at a time; others look up finished regions without a
 * lock (Arena.n_regions is published last).
 */
#include "util/osdep.h"
#include <cpuid.h>
#include <setjmp.h>
#include "tcg/x86_64/backend.h"
#include "config.h"

#define MAX_TABLES      16
#define REGION_ALIGN    16
#define REGION_MIN      128             /* bytes: bounds the index */
#define ARENA_LEAST     (512 * KIB)

/* All in bytes from the cache's start. */
typedef struct Arena {
    size_t begin, end;
    size_t used;                        /* code goes there next */
    uint32_t *regions;                  /* offsets, ascending, of REGION_ALIGN */
    _Atomic uint32_t n_regions;
} Arena;

/* The process has one code cache; filled at start-up. */
static struct {
    uint8_t *rw, *rx;
    size_t size, arena_size;
    ThunkSet tables[MAX_TABLES];
    unsigned n_tables;
    Arena arenas[TCG_ARENAS_MAX];
    unsigned n_arenas, filling;
    uint32_t max_regions;               /* in an arena */
    Cg cg;
} cache;

void *cg_realloc(void *p, size_t n)
{
    void *q = realloc(p, n);

    if (!q) {
        fprintf(stderr, "out of memory for generated code\n");
        exit(1);
    }
    return q;
}

static void host_features(Asm *a)
{
    unsigned eax, ebx, ecx, edx;
    bool os_avx = false;

    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        a->has_popcnt = ecx >> 23 & 1;
        a->has_movbe = ecx >> 22 & 1;
        if (ecx >> 27 & 1) {                    /* OSXSAVE */
            uint32_t lo, hi;
            __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
            os_avx = (lo & 6) == 6;
        }
        a->has_avx = os_avx && (ecx >> 28 & 1);
        a->features = 1u << IR_VX_SSE2 | (ecx & 1) << IR_VX_SSE3 |
                      (ecx >> 9 & 1) << IR_VX_SSSE3 | (ecx >> 19 & 1) << IR_VX_SSE41 |
                      (ecx >> 20 & 1) << IR_VX_SSE42 | (ecx >> 25 & 1) << IR_VX_AES |
                      (ecx >> 1 & 1) << IR_VX_PCLMUL;
        if (a->has_avx) {
            a->features |= 1u << IR_VX_AVX | (ecx >> 12 & 1) << IR_VX_FMA |
                           (ecx >> 29 & 1) << IR_VX_F16C;
        }
    }
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        a->features |= (ebx >> 29 & 1) << IR_VX_SHA;
        a->features |= (a->has_avx ? ebx >> 5 & 1 : 0) << IR_VX_AVX2;
        a->has_bmi1 = ebx >> 3 & 1;
        a->has_bmi2 = os_avx && (ebx >> 8 & 1); /* VEX encoded */
    }
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx)) {
        a->has_lzcnt = ecx >> 5 & 1;
    }
}

static void asm_at(Asm *a, size_t offset)
{
    a->start = a->p = cache.rw + offset;
    a->end = cache.rw + cache.arenas[cache.filling].end;
    x_flags_lost(a);
}

static void make_arenas(size_t size)
{
    cache.size = size;
    cache.n_arenas = MIN(size / ARENA_LEAST, (size_t)TCG_ARENAS_MAX);
    cache.arena_size = size / cache.n_arenas & ~(size_t)(REGION_ALIGN - 1);
    cache.max_regions = (uint32_t)(cache.arena_size / REGION_MIN);
    cache.filling = 0;
    for (unsigned i = 0; i < cache.n_arenas; i++) {
        Arena *n = &cache.arenas[i];

        free(n->regions);
        n->begin = n->used = i * cache.arena_size;
        n->end = n->begin + cache.arena_size;
        n->regions = cg_realloc(NULL, cache.max_regions * sizeof(uint32_t));
        n->n_regions = 0;
    }
}

static const ThunkSet *thunks_for(const IrGlobalTable *g)
{
    for (unsigned i = 0; i < cache.n_tables; i++) {
        if (cache.tables[i].globals == g) {
            return &cache.tables[i];
        }
    }
    return NULL;
}

static bool x86_64_init(const IrGlobalTable *globals, uint8_t *rw, uint8_t *rx, size_t size)
{
    Asm *a = &cache.cg.a;

    if (cache.rw != rw) {
        if (size < MIB || size > GIB) {
            return false;
        }
        cache.rw = rw;
        cache.rx = rx;
        make_arenas(size);
        cache.n_tables = 0;
        host_features(a);
    }
    if (thunks_for(globals)) {
        return true;
    }
    /* Thunks come before all code: nothing frees them. */
    Arena *first = &cache.arenas[0];
    if (cache.n_tables == MAX_TABLES || cache.filling || first->n_regions) {
        return false;
    }
    asm_at(a, first->begin);
    ThunkSet *t = &cache.tables[cache.n_tables++];
    thunks_emit(t, globals, a, cache.rx - cache.rw);
    first->begin = first->used = ALIGN_UP(first->begin + asm_pos(a), (size_t)REGION_ALIGN);
    x86_64_leave_c = t->leave_c;
    return true;
}

const RegionHead *cache_find(const void *ra)
{
    const uint8_t *p = ra;

    if (p < cache.rx || p >= cache.rx + cache.n_arenas * cache.arena_size) {
        return NULL;
    }
    const Arena *in = &cache.arenas[(size_t)(p - cache.rx) / cache.arena_size];
    uint32_t off = (uint32_t)((size_t)(p - cache.rx) / REGION_ALIGN), lo = 0;
    uint32_t hi = atomic_load_explicit(&in->n_regions, memory_order_acquire);
    if (!hi) {
        return NULL;
    }
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (in->regions[mid] <= off) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    const RegionHead *h = (const void *)(cache.rx + (size_t)in->regions[lo] * REGION_ALIGN);
    const uint8_t *code = (const uint8_t *)(h + 1);
    return p > code && p <= code + h->code_size ? h : NULL;
}

/* ------------------------------------------------------------- one region */

static bool layout(Cg *cg)
{
    IrRegion *r = cg->r;

    if (r->n_blocks > cg->cap_blocks) {
        cg->cap_blocks = r->n_blocks + 64;
        cg->order = cg_realloc(cg->order, cg->cap_blocks * sizeof(*cg->order));
        cg->block_pos = cg_realloc(cg->block_pos, cg->cap_blocks * sizeof(*cg->block_pos));
        cg->layout = cg_realloc(cg->layout, cg->cap_blocks * sizeof(*cg->layout));
    }
    if (r->n_ops > cg->cap_val) {
        cg->cap_val = r->n_ops + 256;
        cg->val = cg_realloc(cg->val, cg->cap_val * sizeof(*cg->val));
    }
    for (uint32_t b = 0; b < r->n_blocks; b++) {
        cg->order[b] = UINT32_MAX;
    }
    cg->n_layout = 0;
    for (uint32_t k = 0; k < r->n_order; k++) {
        if (r->blocks[r->order[k]].last) {      /* still there */
            cg->order[r->order[k]] = cg->n_layout;
            cg->layout[cg->n_layout++] = r->order[k];
        }
    }
    return r->n_locals <= N_LOCAL_HOMES;
}

static void emit_op(Cg *cg, IrValue i)
{
    IrOp *op = cg_op(cg, i);
    Val *v = &cg->val[i];

    if (v->flags & (V_FOLDED | V_SNAP) || (!v->n_uses && !(ir_op_flags(op) & (IR_F_SIDE | IR_F_FPENV)))) {
        return;
    }
    cg->pos = i;
    if (cg->x87_top && (op->opcode == IR_CALL || op->opcode == IR_BRCOND ||
                        ir_op_flags(op) & IR_F_TERM)) {
        x87_drop(cg);
    }
    if (!emit_int(cg, i, op) && !emit_mem(cg, i, op) && !emit_control(cg, i, op) &&
        !emit_call(cg, i, op) && !emit_fp(cg, i, op) && !emit_vec(cg, i, op) &&
        !emit_x87(cg, i, op)) {
        cg->fail = true;
    }
    ra_done(cg);
}

/* The pool of vector constants, and the displacements that name them. */
static void emit_pool(Cg *cg)
{
    Asm *a = &cg->a;

    while (cg->n_pool && asm_pos(a) & 15) {
        x_byte(a, 0xcc);
    }
    for (uint32_t k = 0; k < cg->n_pool; k++) {
        if (a->end - a->p < 64) {
            cg->fail = true;
            return;
        }
        asm_patch32(a, cg->pool[k].at, asm_pos(a) - (cg->pool[k].at + 4));
        x_imm64(a, cg->pool[k].lo);
        x_imm64(a, cg->pool[k].hi);
    }
}

static bool x86_64_codegen(IrRegion *r, void *user, TcgCode *out)
{
    Cg *cg = &cache.cg;
    Asm *a = &cg->a;
    uint32_t chained, n_resident = 0;
    Arena *arena = &cache.arenas[cache.filling];
    uint8_t *head_rw = cache.rw + arena->used;
    RegionHead h = { 0 };
    SnapItem residents[R_NUM];

    cg->r = r;
    cg->user = user;
    cg->th = thunks_for(r->globals);
    cg->fail = false;
    cg->n_fix = cg->n_stubs = cg->n_snaps = cg->n_items = cg->n_exits = cg->n_pool = cg->n_stale = 0;
    *out = (TcgCode){ .full = atomic_load(&arena->n_regions) == cache.max_regions ||
                              arena->end - arena->used < 16 * KIB };
    if (!cg->th || out->full || !layout(cg)) {
        return false;
    }
    asm_at(a, arena->used + sizeof(h));
    cg->rw = a->start;
    cg->rx = cache.rx + (a->start - cache.rw);
    ra_region(cg);
    if (!r->quick) {
        hint_region(cg);
    }
    emit_entry(cg, &chained);
    for (uint32_t k = 0; k < cg->n_layout && !cg->fail; k++) {
        IrBlockId b = (IrBlockId)cg->layout[k];
        x_flags_lost(a);
        if (r->blocks[b].flags & IR_BLOCK_LOOP_HEADER) {
            x_nops(a, -asm_pos(a) & 15);
        }
        cg->block_pos[b] = asm_pos(a);
        cg->x87_top = 0;
        ra_block(cg, b);
        for (IrValue i = r->blocks[b].first; i <= r->blocks[b].last && !cg->fail; i++) {
            if (a->end - a->p < 2048) {
                cg->fail = true;
                break;
            }
            emit_op(cg, i);
        }
    }
    if (!cg->fail) {
        emit_stubs(cg);
    }
    if (!cg->fail) {
        emit_pool(cg);
    }
    h.code_size = asm_pos(a);
    for (int i = 0; i < R_NUM; i++) {
        IrVar v = cg->reg_var[i];
        if (v != IR_NO_VAR && ir_var_is_global(v)) {
            residents[n_resident++] = (SnapItem){
                .var = v, .kind = reg_is_xmm(i) ? PL_VREG : PL_REG, .reg = (uint8_t)(i & 15), .bits = 64,
            };
        }
    }
    if (!cg->fail) {
        h.thunks = cg->th;
        h.user = user;
        cg->fail = !tables_write(cg, &h, head_rw, residents, n_resident);
    }
    if (cg->fail) {
        out->full = a->end - a->p < 64 * (ptrdiff_t)KIB;
        return false;
    }
    memcpy(head_rw, &h, sizeof(h));

    size_t size = MAX((size_t)(a->p - head_rw), (size_t)REGION_MIN);
    uint32_t n = atomic_load(&arena->n_regions);
    arena->regions[n] = (uint32_t)(arena->used / REGION_ALIGN);
    arena->used = ALIGN_UP(arena->used + size, (size_t)REGION_ALIGN);
    atomic_store_explicit(&arena->n_regions, n + 1, memory_order_release);

    *out = (TcgCode){
        .code = cg->rx + chained, .full_entry = cg->rx,
        .size = h.code_size - chained, .arena = (uint8_t)cache.filling,
        .n_exits = h.n_exits, .tables = cache.rx + (head_rw - cache.rw),
    };
    out->exits = (const void *)(tables_exits(out->tables) + h.n_exits);
    return true;
}

static void x86_64_enter(TcgEnv *env, const TcgCode *code, TcgLeave *leave)
{
    const RegionHead *h = code->tables;
    void (*fn)(TcgEnv *, const void *, TcgLeave *) =
        (void (*)(TcgEnv *, const void *, TcgLeave *))(uintptr_t)h->thunks->enter;

#ifdef CONFIG_TSAN
    /* What x86_64_leave() passes over stays on the sanitizer's list of frames; a jump to here cuts it. */
    sigjmp_buf here;

    if (sigsetjmp(here, 0)) {
        return;
    }
    fn(env, code->full_entry, leave);
    siglongjmp(here, 1);
#else
    fn(env, code->full_entry, leave);
#endif
}

static void x86_64_link(TcgCode *from, unsigned n, TcgCode *to)
{
    const RegionHead *h = from->tables;
    const HostExit *e = tables_exits(h) + n;
    uint8_t *at = from->full_entry + e->at;
    uint32_t rel = to ? (uint32_t)(to->code - (at + 4)) : e->unlinked;

    atomic_store_explicit((_Atomic uint32_t *)(at - cache.rx + cache.rw), rel,
                          memory_order_release);
}

static void *x86_64_find(TcgEnv *env, void *ra)
{
    const RegionHead *h = cache_find(ra);

    (void)env;
    return h ? h->user : NULL;
}

static unsigned x86_64_arenas(unsigned *filling)
{
    *filling = cache.filling;
    return cache.n_arenas;
}

static void x86_64_arena_free(unsigned n)
{
    atomic_store(&cache.arenas[n].n_regions, 0);
    cache.arenas[n].used = cache.arenas[n].begin;
}

static void x86_64_arena_fill(unsigned n)
{
    cache.filling = n;
}

static void x86_64_flush(void)
{
    for (unsigned i = 0; i < cache.n_arenas; i++) {
        x86_64_arena_free(i);
    }
    cache.filling = 0;
}

static void x86_64_code_free(TcgCode *code)
{
    code->exits = NULL;                 /* they are in the cache */
    code->n_exits = 0;
}

static size_t x86_64_used(void)
{
    size_t n = cache.arenas[0].begin;

    for (unsigned i = 0; i < cache.n_arenas; i++) {
        n += cache.arenas[i].used - cache.arenas[i].begin;
    }
    return n;
}

static size_t x86_64_position(void)
{
    return cache.arenas[cache.filling].used;
}

const TcgBackend tcg_backend_x86_64 = {
    .name = "x86_64", .pinned = N_PINNED, .init = x86_64_init, .codegen = x86_64_codegen,
    .enter = x86_64_enter, .link = x86_64_link, .unwind = x86_64_unwind, .find = x86_64_find,
    .flush = x86_64_flush, .code_free = x86_64_code_free, .leave = x86_64_leave,
    .used = x86_64_used, .position = x86_64_position, .arenas = x86_64_arenas,
    .arena_free = x86_64_arena_free, .arena_fill = x86_64_arena_fill,
};
