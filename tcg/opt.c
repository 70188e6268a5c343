/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Optimisation of a finished region: a forward pass, which emits it again through
 * the builder with what is known across blocks, and a backward pass for what
 * nobody reads. Each looks at every operation once.
 */
#include "util/osdep.h"
#include "tcg/build.h"

/* --- backward: dead operations and dead PUTs --- */

/* Bits by variable; locals past the last word are always live. */
typedef struct Live {
    uint64_t w[4];
} Live;
#define LIVE_VARS   256
_Static_assert(IR_MAX_GLOBALS == 128, "globals are the first two words of Live");

static const Live live_all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

static bool is_live(const Live *l, IrVar v)
{
    return v >= LIVE_VARS || l->w[v / 64] >> (v % 64) & 1;
}

static void set_live(Live *l, IrVar v, bool on)
{
    if (v < LIVE_VARS) {
        l->w[v / 64] = (l->w[v / 64] & ~BIT64(v % 64)) | (uint64_t)on << (v % 64);
    }
}

static void add_live(Live *l, const Live *more)
{
    for (unsigned i = 0; i < ARRAY_SIZE(l->w); i++) {
        l->w[i] |= more->w[i];
    }
}

/* A fault would show the architected state: every global's, save where a pending value
 * stands for it. */
static void use_snapshot(const IrSnapshot *s, Live *live, uint8_t *used)
{
    Live fault = { { UINT64_MAX, UINT64_MAX } };

    for (unsigned i = 0; i < s->n_pending; i++) {
        used[s->pending[i].value] = 1;
        set_live(&fault, s->pending[i].var, false);
    }
    add_live(live, &fault);
}

/* What a branch's target wants. Where it isn't known yet, at back edges, all. */
static const Live *wanted_at(const IrRegion *r, const Live *at_top, IrValue from,
                             IrBlockId target)
{
    return r->blocks[target].first > from ? &at_top[target] : &live_all;
}

/* Control or a helper reads variables. */
static void flow(const IrRegion *r, IrValue v, Live *live, const Live *at_top)
{
    const IrOp *o = &r->ops[v];

    switch (o->opcode) {
    case IR_JMP:
        *live = *wanted_at(r, at_top, v, o->br.target);
        break;
    case IR_BRCOND:
        add_live(live, wanted_at(r, at_top, v, o->br.target));
        break;
    case IR_GOTO: case IR_GOTO_IND: case IR_EXIT:
        *live = (Live){ { UINT64_MAX, UINT64_MAX } };
        break;
    case IR_UNREACHABLE:
        *live = (Live){ { 0 } };
        break;
    case IR_CALL:
        if (o->helper->flags & IR_H_READS) {
            add_live(live, &(Live){ { UINT64_MAX, UINT64_MAX } });
        } else {
            live->w[0] |= o->helper->reads;
        }
        break;
    default:
        break;
    }
}

static void sweep_block(IrRegion *r, const IrBlock *b, Live *live, const Live *at_top,
                        uint8_t *used)
{
    for (IrValue v = b->last; v >= b->first; v--) {
        IrOp *o = &r->ops[v];
        unsigned flags = ir_op_flags(o);
        bool dead;

        if (o->opcode == IR_PUT) {
            dead = !is_live(live, o->var);
            set_live(live, o->var, false);
        } else {
            /* FP operations leave sticky flags behind. */
            dead = !used[v] && !(flags & (IR_F_SIDE | IR_F_FPENV));
        }
        if (dead) {
            *o = (IrOp){ .opcode = IR_NOP };
            continue;
        }
        flow(r, v, live, at_top);
        if (o->opcode == IR_GET) {
            set_live(live, o->var, true);
        }
        if (flags & IR_F_SNAP && o->snap) {
            use_snapshot(&r->snaps[o->snap], live, used);
        }
        for (unsigned i = 0; i < o->nargs; i++) {
            used[ir_arg(o, i)] = 1;
        }
    }
}

void ir_optimise_fast(IrRegion *r)
{
    uint8_t *used = calloc(r->n_ops, 1);
    Live *at_top = calloc(r->n_blocks, sizeof(*at_top));

    if (used && at_top) {
        for (uint32_t n = r->n_order; n-- > 0; ) {
            IrBlockId b = r->order[n];
            Live live = { { 0 } };

            sweep_block(r, &r->blocks[b], &live, at_top, used);
            at_top[b] = live;
        }
    }
    free(used);
    free(at_top);
}

/* --- forward --- */

typedef struct Known {          /* a variable's constant on the way into a block */
    IrVar var;
    IrType type;
    uint64_t value;
} Known;

typedef struct Rebuild {
    IrRegion *r;
    const IrOp *old;
    IrBlock *old_blocks;
    IrValue *map;               /* old value: new value */
    bool *snap_done;
    Known *known;
    uint32_t n_known, cap_known;
    struct { uint32_t first, n; } *known_at;    /* by block */
    bool *reached;
} Rebuild;

/* Remember the constants that a block with this one predecessor begins with. */
static void note_edge(Rebuild *x, IrValue from, IrBlockId target)
{
    IrRegion *r = x->r;
    unsigned n_vars = r->globals->count;
    uint32_t first = x->n_known;

    x->reached[target] = true;
    if (x->old_blocks[target].n_preds != 1 || x->old_blocks[target].first <= from) {
        return;
    }
    for (unsigned i = 0; i < n_vars + r->n_locals; i++) {
        IrVar var = i < n_vars ? i : IR_MAX_GLOBALS + i - n_vars;
        IrValue v;
        uint64_t k;

        if (ir_avail(r, var, &v) && ir_is_const(r, v, &k)) {
            ir_grow((void **)&x->known, &x->cap_known, x->n_known, sizeof(*x->known));
            x->known[x->n_known++] = (Known){ var, r->ops[v].type, k };
        }
    }
    x->known_at[target].first = first;
    x->known_at[target].n = x->n_known - first;
}

static void map_snapshot(Rebuild *x, uint32_t n)
{
    IrSnapshot *s = &x->r->snaps[n];

    if (n && !x->snap_done[n]) {
        x->snap_done[n] = true;
        for (unsigned i = 0; i < s->n_pending; i++) {
            s->pending[i].value = x->map[s->pending[i].value];
        }
    }
}

/* A decided branch ends its block. */
static void branch_to_jump(IrRegion *r, IrBlockId b, IrValue v)
{
    IrOp *o = &r->ops[v];

    o->opcode = IR_JMP;
    o->type = IR_VOID;
    o->cond = 0;
    o->nargs = 0;
    o->arg[0] = o->arg[1] = 0;
    r->blocks[b].n_insns = o->br.icount;
    r->blocks[b].last = v;
    r->cur = IR_NO_BLOCK;
}

static bool always_taken(const IrRegion *r, const IrOp *o)
{
    return o->opcode == IR_BRCOND && o->cond == IR_EQ && o->arg[0] == o->arg[1] &&
           r->ops[o->arg[0]].opcode == IR_CONST;
}

static void rebuild_op(Rebuild *x, IrBlockId b, IrValue old)
{
    IrRegion *r = x->r;
    IrOp o = x->old[old];
    IrValue v;

    for (unsigned i = 0; i < o.nargs; i++) {
        *ir_arg_ptr(&o, i) = x->map[ir_arg(&o, i)];
    }
    map_snapshot(x, o.snap);
    if (o.opcode == IR_GET && ir_avail(r, o.var, &v)) {
        x->map[old] = v;
        return;
    }
    if (o.opcode == IR_PUT && ir_avail(r, o.var, &v) && v == o.arg[0]) {
        return;
    }
    if (o.opcode == IR_JMP) {
        note_edge(x, old, o.br.target);
    }
    v = ir_emit(r, &o);
    x->map[old] = v;
    if (o.opcode == IR_BRCOND && v) {
        note_edge(x, old, o.br.target);
        if (always_taken(r, &r->ops[v])) {
            branch_to_jump(r, b, v);
        }
    }
}

static void rebuild_block(Rebuild *x, IrBlockId b)
{
    IrRegion *r = x->r;
    const IrBlock *old = &x->old_blocks[b];

    r->blocks[b].first = r->n_ops;
    r->cur = b;
    for (uint32_t i = 0; i < x->known_at[b].n; i++) {
        const Known *k = &x->known[x->known_at[b].first + i];
        IrValue v = ir_const(r, k->type, k->value);

        r->build->avail[k->var] = v;
        r->build->avail_at[k->var] = r->n_ops;
    }
    for (IrValue v = old->first; v <= old->last && r->cur != IR_NO_BLOCK; v++) {
        if (x->old[v].opcode != IR_NOP) {
            rebuild_op(x, b, v);
        }
    }
}

/* Blocks that a walk from the entry meets. */
static void find_reachable(const IrRegion *r, bool *reached, IrBlockId *stack)
{
    uint32_t n = 0;

    reached[0] = true;
    stack[n++] = 0;
    while (n) {
        const IrBlock *b = &r->blocks[stack[--n]];

        for (IrValue v = b->first; v <= b->last; v++) {
            const IrOp *o = &r->ops[v];

            if (ir_op_info[o->opcode].flags & IR_F_BRANCH && !reached[o->br.target]) {
                reached[o->br.target] = true;
                stack[n++] = o->br.target;
            }
        }
    }
}

static void drop_unreachable(IrRegion *r, const bool *reached)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_order; i++) {
        IrBlockId b = r->order[i];

        if (reached[b]) {
            r->order[n++] = b;
        } else {
            r->blocks[b].first = r->blocks[b].last = 0;
        }
    }
    r->n_order = n;
}

static void rebuild(Rebuild *x, IrBlockId *stack)
{
    IrRegion *r = x->r;
    IrBuild *b = r->build;
    IrVar pc_bias = b->pc_bias;
    bool raw = r->raw, overflow = r->overflow;

    find_reachable(r, x->reached, stack);
    drop_unreachable(r, x->reached);
    memcpy(x->old_blocks, r->blocks, r->n_blocks * sizeof(*r->blocks));
    x->old = r->ops;
    r->ops = NULL;
    r->cap_ops = 0;
    ir_grow((void **)&r->ops, &r->cap_ops, r->n_ops, sizeof(*r->ops));
    r->n_ops = 1;
    r->raw = false;
    memset(b, 0, sizeof(*b));
    b->pc_bias = pc_bias;
    for (uint32_t i = 0; i < r->n_order; i++) {
        rebuild_block(x, r->order[i]);
    }
    r->raw = raw;
    r->overflow = overflow;
    /* Branches that were decided on the way may have cut off more. */
    memset(x->reached, 0, r->n_blocks);
    find_reachable(r, x->reached, stack);
    drop_unreachable(r, x->reached);
    ir_finish(r);
    free((void *)x->old);
}

static void rebuild_all(IrRegion *r)
{
    uint32_t nb = r->n_blocks;
    Rebuild x = {
        .r = r,
        .old_blocks = calloc(nb, sizeof(IrBlock)),
        .map = calloc(r->n_ops, sizeof(IrValue)),
        .snap_done = calloc(r->n_snaps, sizeof(bool)),
        .known_at = calloc(nb, sizeof(*x.known_at)),
        .reached = calloc(nb, sizeof(bool)),
    };
    IrBlockId *stack = calloc(nb, sizeof(*stack));

    if (r->n_order && x.old_blocks && x.map && x.snap_done && x.known_at && x.reached &&
        stack) {
        rebuild(&x, stack);
    }
    free(x.old_blocks);
    free(x.map);
    free(x.snap_done);
    free(x.known_at);
    free(x.reached);
    free(x.known);
    free(stack);
}

void ir_optimise(IrRegion *r)
{
    /* One block, built with everything: there is nothing to be seen across blocks. */
    if (r->n_order == 1 && !r->raw) {
        ir_optimise_fast(r);
        return;
    }
    rebuild_all(r);
    ir_optimise_fast(r);
}
