/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IR interpreter: the oracle that back ends are tested against, and the way to
 * run on hosts without one. Its "code" is a copy of the region. Variables live
 * in their homes all the time, so unwinding has only the pending values to store.
 *
 * Helpers are called with each integer argument in 64 bits, which the calling conventions of 64-bit hosts allow;
 * on 32-bit hosts by the words that the arguments come to (call_helper).
 */
#include "util/osdep.h"
#include "tcg/eval.h"
#include "tcg/interp.h"
#include "util/bswap.h"

/* All regions since the last flush; the contract gives back ends no instance. */
static struct {
    InterpRegion *regions;
    size_t used, size;
} cache;

/* --- translation --- */

static bool interp_init(UNUSED const IrGlobalTable *globals, UNUSED uint8_t *rw,
                        UNUSED uint8_t *rx, size_t size)
{
    cache.size = size;
    return true;
}

static bool interp_codegen(IrRegion *r, void *user, TcgCode *out)
{
    InterpRegion *x = calloc(1, sizeof(*x));
    TcgExit *exits = calloc(r->n_blocks + 1, sizeof(*exits));
    unsigned n = 0;

    if (!x || !exits || r->n_blocks > UINT16_MAX || (cache.size && cache.used >= cache.size)) {
        free(x);
        free(exits);
        *out = (TcgCode){ .full = true };
        return false;
    }
    x->ir = ir_region_clone(r);
    x->user = user;
    for (uint32_t i = 0; i < r->n_order; i++) {
        IrOp *o = &x->ir->ops[r->blocks[r->order[i]].last];

        if (o->opcode == IR_GOTO) {
            o->var = n;
            exits[n].same_page = o->pc_offset >= 0 && o->pc_offset < TCG_PAGE_SIZE;
            exits[n].pc_offset = exits[n].same_page ? (uint16_t)o->pc_offset : 0;
            n++;
        }
    }
    x->n_exits = n;
    x->linked = calloc(n + 1, sizeof(*x->linked));
    x->bytes = sizeof(*x) + r->n_ops * sizeof(IrOp);
    if (!x->linked) {
        ir_region_free(x->ir);
        free(x);
        free(exits);
        return false;
    }
    x->next = cache.regions;
    cache.regions = x;
    cache.used += x->bytes;
    *out = (TcgCode){
        .code = (uint8_t *)x, .full_entry = (uint8_t *)x, .size = x->bytes,
        .exits = exits, .n_exits = (uint16_t)n,
    };
    return true;
}

static void interp_link(TcgCode *from, unsigned n, TcgCode *to)
{
    InterpRegion *x = (InterpRegion *)from->code;

    atomic_store_explicit(&x->linked[n], to ? (InterpRegion *)to->code : NULL,
                          memory_order_release);
}

static void interp_flush(void)
{
    while (cache.regions) {
        InterpRegion *x = cache.regions;

        cache.regions = x->next;
        ir_region_free(x->ir);
        free(x->linked);
        free(x);
    }
    cache.used = 0;
}

static void interp_code_free(TcgCode *code)
{
    free((void *)code->exits);
    code->exits = NULL;
    code->n_exits = 0;
}

static size_t interp_used(void)
{
    return cache.used;
}

/* --- leaving by a fault --- */

static bool interp_unwind(TcgEnv *env, void *ra, uint32_t *icount, uint32_t *aux)
{
    InterpFrame *f = env->host_sp;
    const IrRegion *r;
    const IrSnapshot *s;

    if (!f || ra != f || !f->region->ir->ops[f->at].snap) {
        return false;
    }
    r = f->region->ir;
    s = &r->snaps[r->ops[f->at].snap];
    for (unsigned i = 0; i < s->n_pending; i++) {
        const IrGlobal *g = &r->globals->globals[s->pending[i].var];

        interp_put_home((char *)env + g->offset, g->type, &f->val[s->pending[i].value]);
    }
    env->pc = env->pc_bias + (int64_t)s->pc_offset;
    if (r->count_insns) {
        env->budget -= s->icount - r->blocks[f->block].icount;
    }
    *icount = s->icount;
    *aux = s->aux;
    return true;
}

static void *interp_find(TcgEnv *env, void *ra)
{
    InterpFrame *f = env->host_sp;

    return f && ra == f ? f->region->user : NULL;
}

static void NORETURN interp_leave(TcgEnv *env, uint32_t reason)
{
    InterpFrame *f = env->host_sp;

    f->leave = (TcgLeave){ .reason = reason };
    longjmp(f->out, 1);
}

/* --- execution --- */

#if UINTPTR_MAX > UINT32_MAX
typedef uint64_t HelperFn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                          uint64_t);

static uint64_t call_helper_fn(const IrHelper *h, const char *args UNUSED, const uint64_t *a)
{
    return ((HelperFn *)h->fn)(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}
#else
/*
 * A 64-bit argument is two words, the half at the lower address first; it begins at an even one where the convention wants that:
 * ARM (AAPCS 6.5), PowerPC and MIPS (o32), but not i386 (System V, figure 3-15).
 */
#ifdef __i386__
enum { EVEN_PAIRS = false };
#else
enum { EVEN_PAIRS = true };
#endif
typedef uint64_t HelperFn(uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                          uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);

static uint64_t call_helper_fn(const IrHelper *h, const char *args, const uint64_t *a)
{
    uint32_t w[2 * IR_MAX_ARGS + 2] = { 0 };
    unsigned n = 0;

    for (; *args; args++, a++) {
        if (*args == 'q') {
            n += EVEN_PAIRS && (n & 1);
            memcpy(w + n, a, 8);
            n += 2;
        } else {
            w[n++] = (uint32_t)*a;
        }
    }
    return ((HelperFn *)h->fn)(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13]);
}
#endif

static void call_helper(InterpFrame *f, const IrOp *o, InterpValue *d)
{
    const IrHelper *h = o->helper;
    uint64_t a[IR_MAX_ARGS + 1] = { 0 }, v;
    unsigned n = 0;
    const char *args = h->sig[1] == ':' ? h->sig + 2 : h->sig + 1;

    if (*args == 'e') {
        a[n++] = (uintptr_t)f->env;
    }
    for (unsigned i = 0; i < o->nargs; i++) {
        a[n++] = f->val[ir_arg(o, i)].i;
    }
    f->env->jit_ra = f;
    v = call_helper_fn(h, args, a);
    f->env->jit_ra = NULL;
    if (o->type != IR_VOID) {
        d->i = ir_zext_of(o->type, v);
    }
}

static void *var_home(InterpFrame *f, IrVar v, InterpValue *locals)
{
    return ir_var_is_global(v)
        ? (char *)f->env + f->region->ir->globals->globals[v].offset
        : (char *)&locals[v - IR_MAX_GLOBALS];
}

static bool must_leave(const InterpFrame *f)
{
    const IrRegion *r = f->region->ir;

    return __atomic_load_n(&f->env->exit_request, __ATOMIC_RELAXED) ||
           (r->count_insns && f->env->budget < (int32_t)r->n_insns);
}

/* Room for the values of @r, and of its locals behind them. */
static InterpValue *make_room(InterpFrame *f, const IrRegion *r)
{
    uint32_t need = r->n_ops + r->n_locals;

    if (need > f->n_val) {
        free(f->val);
        f->n_val = need * 2;
        f->val = malloc(f->n_val * sizeof(*f->val));
        if (!f->val) {
            fprintf(stderr, "out of memory for the interpreter\n");
            exit(1);
        }
    }
    memset(f->val + r->n_ops, 0, r->n_locals * sizeof(*f->val));
    return f->val + r->n_ops;
}

/* How a block was left. */
typedef enum Left { LEFT_TO_BLOCK, LEFT_TO_REGION, LEFT_CODE } Left;

static Left leave_code(InterpFrame *f, uint32_t reason)
{
    f->leave.reason = reason;
    return LEFT_CODE;
}

static Left take_branch(InterpFrame *f, const IrOp *o, IrBlockId *next)
{
    const IrRegion *r = f->region->ir;
    const IrBlock *to = &r->blocks[o->br.target];

    *next = o->br.target;
    if (r->count_insns) {
        f->env->budget -= o->opcode == IR_JMP ? r->blocks[f->block].n_insns : o->br.icount;
    }
    if (to->first <= f->at && !(to->flags & IR_BLOCK_NO_EXIT) && must_leave(f)) {
        const IrSnapshot *s = &r->snaps[o->snap];

        for (unsigned i = 0; i < s->n_pending; i++) {
            const IrGlobal *g = &r->globals->globals[s->pending[i].var];

            interp_put_home((char *)f->env + g->offset, g->type,
                            &f->val[s->pending[i].value]);
        }
        f->env->pc = f->env->pc_bias + (int64_t)s->pc_offset;
        return leave_code(f, TCG_LEAVE_REQUEST);
    }
    return LEFT_TO_BLOCK;
}

/* Into the region at env->pc, if the jump cache knows it. */
static Left jump_cache(InterpFrame *f)
{
    TcgEnv *env = f->env;
    const JumpCacheEntry *e = env->jc ? &env->jc[jc_index(env->pc)] : NULL;

    if (!e || e->pc != env->pc || e->mode_gen != env->mode_gen || !e->code) {
        return leave_code(f, TCG_LEAVE_LOOKUP);
    }
    f->region = e->code;
    env->pc_bias = env->pc - f->region->ir->entry_offset;
    return LEFT_TO_REGION;
}

static Left leave_region(InterpFrame *f, const IrOp *o)
{
    TcgEnv *env = f->env;
    const InterpRegion *x = f->region;
    InterpRegion *to;

    if (x->ir->count_insns) {
        env->budget -= x->ir->blocks[f->block].n_insns;
    }
    switch (o->opcode) {
    case IR_GOTO:
        to = atomic_load_explicit(&x->linked[o->var], memory_order_acquire);
        if (to) {
            f->region = to;
            return LEFT_TO_REGION;
        }
        env->pc = env->pc_bias + o->pc_offset;
        if (o->pc_offset < 0 || o->pc_offset >= TCG_PAGE_SIZE) {
            return jump_cache(f);
        }
        f->leave.from = x->user;
        f->leave.exit_index = o->var;
        return leave_code(f, TCG_LEAVE_GOTO);
    case IR_GOTO_IND:
        env->pc = f->val[o->arg[0]].i;
        return jump_cache(f);
    case IR_EXIT:
        return leave_code(f, o->imm);
    default:
        /* A helper came back that had promised not to: go on where it was called. */
        env->pc = env->pc_bias + (int64_t)x->ir->blocks[f->block].pc_offset;
        return leave_code(f, IR_EXIT_NEXT);
    }
}

/* Another CPU may be writing it: whole where it is aligned. */
static uint64_t ld_code(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    if (n == 4 && !((uintptr_t)p & 3)) {
        uint32_t w = __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_RELAXED);

        return load_le32(&w);
    }
    if (n == 8 && !((uintptr_t)p & 7)) {
        v = __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED);
        return load_le64(&v);
    }
    while (n--) {
        v = v << 8 | __atomic_load_n(p + n, __ATOMIC_RELAXED);
    }
    return v;
}

static bool is_stale(const IrRegion *r)
{
    for (uint32_t i = 0; i < r->n_guards; i++) {
        const IrGuard *g = &r->guards[i];

        if (ld_code(g->host, g->size) != g->value) {
            return true;
        }
    }
    return false;
}

static Left run_block(InterpFrame *f, InterpValue *locals, IrBlockId *next)
{
    const IrRegion *r = f->region->ir;
    TcgEnv *env = f->env;

    for (f->at = r->blocks[f->block].first; ; f->at++) {
        const IrOp *o = &r->ops[f->at];
        InterpValue *d = &f->val[f->at];

        switch (o->opcode) {
        case IR_NOP:
            break;
        case IR_GET:
            interp_get_home(var_home(f, o->var, locals), o->type, d);
            break;
        case IR_PUT:
            interp_put_home(var_home(f, o->var, locals), o->type, &f->val[o->arg[0]]);
            break;
        case IR_LD_ENV:
            interp_get_home((char *)env + (int64_t)o->imm, o->type, d);
            break;
        case IR_LD_CODE:
            d->i = ld_code((const uint8_t *)(uintptr_t)o->imm, ir_type_bits(o->type) / 8);
            break;
        case IR_ST_ENV:
            interp_put_home((char *)env + (int64_t)o->imm, o->type, &f->val[o->arg[0]]);
            break;
        case IR_LD: case IR_ST: case IR_PROBE:
        case IR_ATOMIC_XCHG: case IR_ATOMIC_ADD: case IR_ATOMIC_AND: case IR_ATOMIC_OR:
        case IR_ATOMIC_XOR: case IR_ATOMIC_CMPXCHG: case IR_COPY: case IR_FILL:
            interp_mem_op(f, o, d);
            break;
        case IR_FENCE:
            full_barrier();
            break;
        case IR_CALL:
            call_helper(f, o, d);
            break;
        case IR_BRCOND:
            if (ir_eval_cond(o->cond, o->type, f->val[o->arg[0]].i, f->val[o->arg[1]].i)) {
                return take_branch(f, o, next);
            }
            break;
        case IR_JMP:
            return take_branch(f, o, next);
        case IR_GOTO: case IR_GOTO_IND: case IR_EXIT: case IR_UNREACHABLE:
            return leave_region(f, o);
        default:
            interp_pure_op(f, o, d);
            break;
        }
    }
}

/* Regions from f->region on, until something leaves. */
static void run(InterpFrame *f)
{
    for (;;) {
        InterpValue *locals = make_room(f, f->region->ir);
        IrBlockId next = 0;
        Left left;

        if (must_leave(f)) {
            f->env->pc = f->env->pc_bias + f->region->ir->entry_offset;
            leave_code(f, TCG_LEAVE_REQUEST);
            return;
        }
        if (is_stale(f->region->ir)) {
            f->env->pc = f->env->pc_bias + f->region->ir->entry_offset;
            f->leave.from = f->region->user;
            leave_code(f, TCG_LEAVE_STALE);
            return;
        }
        if (f->region->ir->heat && --*f->region->ir->heat < 0) {
            f->env->pc = f->env->pc_bias + f->region->ir->entry_offset;
            f->leave.from = f->region->user;
            leave_code(f, TCG_LEAVE_HOT);
            return;
        }
        do {
            f->block = next;
            left = run_block(f, locals, &next);
        } while (left == LEFT_TO_BLOCK);
        if (left == LEFT_CODE) {
            return;
        }
    }
}

static void interp_enter(TcgEnv *env, const TcgCode *code, TcgLeave *leave)
{
    InterpFrame f = { .env = env, .region = (const InterpRegion *)code->full_entry };

    env->host_sp = &f;
    env->pc_bias = env->pc - f.region->ir->entry_offset;
    if (setjmp(f.out) == 0) {
        run(&f);
    }
    env->jit_ra = NULL;
    env->host_sp = NULL;
    free(f.val);
    *leave = f.leave;
}

const TcgBackend tcg_backend_interp = {
    .name = "interp",
    .init = interp_init,
    .codegen = interp_codegen,
    .enter = interp_enter,
    .link = interp_link,
    .unwind = interp_unwind,
    .find = interp_find,
    .flush = interp_flush,
    .code_free = interp_code_free,
    .leave = interp_leave,
    .used = interp_used,
};
