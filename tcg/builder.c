/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Construction of regions. What is cheap to know while a block is being filled is
 * used at once (simplify.c, forwarding of variables, sharing of equal operations),
 * so that the fast tier needs no forward pass of its own.
 *
 * Arrays grow without limit, but soft limits set r->overflow, on which a front end
 * ends the region before its next instruction.
 */
#include "util/osdep.h"
#include "tcg/build.h"
#include "tcg/exec.h"

void ir_grow(void **array, uint32_t *cap, uint32_t n, size_t elem)
{
    uint32_t want = *cap;

    if (n < want) {
        return;
    }
    while (n >= want) {
        want = want ? want * 2 : 64;
    }
    *array = realloc(*array, want * elem);
    if (!*array) {
        fprintf(stderr, "out of memory for a translation\n");
        exit(1);
    }
    memset((char *)*array + *cap * elem, 0, (want - *cap) * elem);
    *cap = want;
}
#define GROW(array, cap, n) \
    ir_grow((void **)&(array), &(cap), (n), sizeof(*(array)))

IrRegion *ir_region_new(void)
{
    IrRegion *r = calloc(1, sizeof(*r));
    IrBuild *b = calloc(1, sizeof(*b));

    if (!r || !b) {
        fprintf(stderr, "out of memory for a translation\n");
        exit(1);
    }
    r->build = b;
    r->cur = IR_NO_BLOCK;
    return r;
}

void ir_region_free(IrRegion *r)
{
    if (r) {
        free(r->ops);
        free(r->blocks);
        free(r->snaps);
        free(r->locals);
        free(r->order);
        free(r->guards);
        free(r->build);
        free(r);
    }
}

void ir_region_reset(IrRegion *r, const IrGlobalTable *globals)
{
    IrBuild *b = r->build;

    GROW(r->ops, r->cap_ops, 1023);
    GROW(r->blocks, r->cap_blocks, 0);
    GROW(r->snaps, r->cap_snaps, 0);
    GROW(r->locals, r->cap_locals, 0);
    GROW(r->order, r->cap_order, 0);
    r->globals = globals;
    r->n_ops = 1;
    r->n_blocks = 0;
    r->n_snaps = 1;
    r->n_locals = 0;
    r->n_order = 0;
    r->n_guards = 0;
    r->quick = false;
    r->heat = NULL;
    r->entry_offset = 0;
    r->n_insns = 0;
    r->count_insns = false;
    r->mode = 0;
    r->cur = IR_NO_BLOCK;
    r->state = (IrSnapshot){ 0 };
    r->last_snap = 0;
    r->pend_due = NULL;
    r->due = false;
    r->overflow = false;
    memset(b, 0, sizeof(*b));
    b->pc_bias = IR_NO_VAR;
    for (unsigned i = 0; i < globals->count; i++) {
        if (globals->globals[i].offset == offsetof(TcgEnv, pc_bias)) {
            b->pc_bias = i;
        }
    }
}

IrRegion *ir_region_clone(const IrRegion *r)
{
    IrRegion *c = ir_region_new();
    IrBuild *b = c->build;

    *c = *r;
    c->build = b;
    *b = *r->build;
#define CLONE(array, n, cap) \
    c->cap = c->n; c->array = malloc(c->n * sizeof(*c->array) + 1); \
    if (!c->array) { fprintf(stderr, "out of memory for a translation\n"); exit(1); } \
    if (c->n) { memcpy(c->array, r->array, c->n * sizeof(*c->array)); }
    CLONE(ops, n_ops, cap_ops);
    CLONE(blocks, n_blocks, cap_blocks);
    CLONE(snaps, n_snaps, cap_snaps);
    CLONE(locals, n_locals, cap_locals);
    CLONE(order, n_order, cap_order);
    CLONE(guards, n_guards, cap_guards);
#undef CLONE
    return c;
}

IrType ir_var_type(const IrRegion *r, IrVar v)
{
    return ir_var_is_global(v) ? r->globals->globals[v].type
                               : r->locals[v - IR_MAX_GLOBALS];
}

/* --- blocks, instructions, snapshots --- */

IrBlockId ir_block_new(IrRegion *r)
{
    IrBlockId b = r->n_blocks;

    if (r->n_blocks >= IR_SOFT_BLOCKS) {
        r->overflow = true;
    }
    if (r->n_blocks == IR_NO_BLOCK) {
        return b - 1;
    }
    GROW(r->blocks, r->cap_blocks, r->n_blocks);
    r->blocks[r->n_blocks++] = (IrBlock){ 0 };
    return b;
}

void ir_block_begin(IrRegion *r, IrBlockId b)
{
    IrBlock *blk;

    if (r->cur != IR_NO_BLOCK) {
        ir_jmp(r, b);
    }
    blk = &r->blocks[b];
    blk->first = r->n_ops;
    blk->pc_offset = r->state.pc_offset;
    blk->aux = r->state.aux;
    blk->icount = r->n_insns;
    GROW(r->order, r->cap_order, r->n_order);
    r->order[r->n_order++] = b;
    r->cur = b;
    r->state.n_pending = 0;
    r->last_snap = 0;
}

IrVar ir_local_new(IrRegion *r, IrType t)
{
    if (r->n_locals >= IR_SOFT_LOCALS) {
        r->overflow = true;
    }
    GROW(r->locals, r->cap_locals, r->n_locals);
    r->locals[r->n_locals] = t;
    return IR_MAX_GLOBALS + r->n_locals++;
}

void ir_insn_at(IrRegion *r, int32_t pc_offset, uint32_t aux)
{
    r->state.pc_offset = pc_offset;
    r->state.aux = aux;
    r->last_snap = 0;
    if (r->cur != IR_NO_BLOCK && r->n_ops == r->blocks[r->cur].first) {
        r->blocks[r->cur].pc_offset = pc_offset;
        r->blocks[r->cur].aux = aux;
    }
}

void ir_insn_start(IrRegion *r, int32_t pc_offset, uint32_t aux)
{
    ir_insn_at(r, pc_offset, aux);
    r->state.icount = r->n_insns++;
    if (r->cur != IR_NO_BLOCK) {
        r->blocks[r->cur].n_insns++;
    }
}

IrPending *ir_find_pending(IrRegion *r, IrVar v)
{
    for (unsigned i = 0; i < r->state.n_pending; i++) {
        if (r->state.pending[i].var == v) {
            return &r->state.pending[i];
        }
    }
    return NULL;
}

void ir_pend(IrRegion *r, IrVar global, IrValue v)
{
    IrPending *p = ir_find_pending(r, global);
    IrValue home;

    if (!p && ir_avail(r, global, &home) && home == v) {
        return;                         /* the home has it */
    }
    if (!p && r->state.n_pending == IR_SNAP_MAX_PENDING) {
        ir_put(r, global, v);
        return;
    }
    r->last_snap = 0;
    if (!p) {
        p = &r->state.pending[r->state.n_pending++];
    }
    *p = (IrPending){ global, v };
}

void ir_unpend(IrRegion *r, IrVar global)
{
    IrPending *p = ir_find_pending(r, global);

    if (p) {
        *p = r->state.pending[--r->state.n_pending];
        r->last_snap = 0;
    }
}

void ir_ask_due(IrRegion *r)
{
    if (r->due) {
        r->due = false;
        r->pend_due(r, r->pend_opaque);
    }
}

void ir_commit_pending(IrRegion *r)
{
    ir_ask_due(r);
    while (r->state.n_pending) {
        IrPending p = r->state.pending[0];

        ir_put(r, p.var, p.value);
    }
}

uint32_t ir_snapshot(IrRegion *r)
{
    ir_ask_due(r);
    if (!r->last_snap) {
        GROW(r->snaps, r->cap_snaps, r->n_snaps);
        r->snaps[r->n_snaps] = r->state;
        r->last_snap = r->n_snaps++;
    }
    return r->last_snap;
}

/* --- emission --- */

bool ir_avail(const IrRegion *r, IrVar v, IrValue *x)
{
    const IrBuild *b = r->build;

    if (v >= IR_BUILD_VARS || r->raw || r->cur == IR_NO_BLOCK || !b->avail[v] ||
        b->avail_at[v] < r->blocks[r->cur].first ||
        (ir_var_is_global(v) && b->avail_at[v] < b->vars_changed)) {
        return false;
    }
    *x = b->avail[v];
    return true;
}

static void note_avail(IrRegion *r, IrVar v, IrValue x)
{
    if (v < IR_BUILD_VARS) {
        r->build->avail[v] = x;
        r->build->avail_at[v] = r->n_ops;
    }
}

/* What @o, just emitted, does to the builder's knowledge. */
static void note_effects(IrRegion *r, const IrOp *o)
{
    IrBuild *b = r->build;

    switch (o->opcode) {
    case IR_GET:
        note_avail(r, o->var, r->n_ops - 1);
        break;
    case IR_PUT:
        note_avail(r, o->var, o->arg[0]);
        break;
    case IR_ST_ENV:
        b->env_changed = r->n_ops;
        break;
    case IR_CALL:
        if (o->helper->flags & IR_H_PURE) {
            break;
        }
        b->env_changed = r->n_ops;
        if (o->helper->flags & IR_H_FPENV) {
            b->fp_changed = r->n_ops;
        }
        if (o->helper->flags & IR_H_WRITES) {
            b->vars_changed = r->n_ops;
        } else {
            for (uint64_t w = o->helper->writes; w; w &= w - 1) {
                b->avail[__builtin_ctzll(w)] = 0;
            }
        }
        break;
    default:
        break;
    }
}

static unsigned op_hash(const IrOp *o)
{
    uint64_t h = o->opcode | o->type << 8 | o->cond << 16 | (uint64_t)o->vop << 24;

    h = (h ^ o->imm) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ o->arg[0] ^ (uint64_t)o->arg[1] << 32) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ o->arg[2] ^ (uint64_t)o->arg[3] << 32) * UINT64_C(0x9e3779b97f4a7c15);
    return h >> 32 & (IR_BUILD_HASH - 1);
}

/* An equal operation earlier in the block whose value still holds, or 0. */
static IrValue find_shared(IrRegion *r, const IrOp *o, unsigned flags, unsigned hash)
{
    const IrBuild *b = r->build;
    IrValue v = b->share[hash];
    const IrOp *p = &r->ops[v];

    if (v == 0 || v < r->blocks[r->cur].first ||
        p->opcode != o->opcode || p->type != o->type || p->cond != o->cond ||
        p->vop != o->vop || p->imm != o->imm || memcmp(p->arg, o->arg, sizeof(o->arg))) {
        return 0;
    }
    if ((o->opcode == IR_LD_ENV && v < b->env_changed) ||
        ((flags & IR_F_FPENV) && v < b->fp_changed)) {
        return 0;
    }
    return v;
}

/* GETs are shared by the table of variables, calls by nobody. */
static bool sharable(const IrOp *o, unsigned flags)
{
    return !(flags & IR_F_SIDE) && o->opcode != IR_GET && o->opcode != IR_CALL &&
           o->opcode != IR_NOP;
}

IrValue ir_emit(IrRegion *r, IrOp *o)
{
    unsigned flags, hash = 0;
    bool share = false, vanished = false;
    IrValue v;

    if (r->cur == IR_NO_BLOCK) {
        /* After a terminator: nothing gets here; kept well-formed until the next block. */
        ir_block_begin(r, ir_block_new(r));
    }
    if (!r->raw) {
        v = ir_simplify(r, o, &vanished);
        if (v || vanished) {
            return v;
        }
        flags = ir_op_flags(o);
        share = sharable(o, flags);
        if (share) {
            hash = op_hash(o);
            v = find_shared(r, o, flags, hash);
            if (v) {
                return v;
            }
        }
    } else {
        flags = ir_op_flags(o);
    }
    GROW(r->ops, r->cap_ops, r->n_ops);
    v = r->n_ops;
    r->ops[r->n_ops++] = *o;
    if (r->n_ops >= IR_SOFT_OPS) {
        r->overflow = true;
    }
    if (share) {
        r->build->share[hash] = v;
    }
    note_effects(r, o);
    if (flags & IR_F_TERM) {
        r->blocks[r->cur].last = v;
        r->cur = IR_NO_BLOCK;
        r->state.n_pending = 0;
        r->last_snap = 0;
        r->due = false;
    }
    return v;
}

/* Count predecessors and mark loop headers, from the branches. */
void ir_finish(IrRegion *r)
{
    if (r->cur != IR_NO_BLOCK) {
        /* A front end's slip, kept harmless: fall out to the loop at this PC. */
        ir_put_pc(r, r->state.pc_offset);
        ir_exit(r, IR_EXIT_NEXT);
    }
    for (uint32_t i = 0; i < r->n_blocks; i++) {
        r->blocks[i].n_preds = i == 0;
        r->blocks[i].flags &= ~IR_BLOCK_LOOP_HEADER;
    }
    for (uint32_t n = 0; n < r->n_order; n++) {
        const IrBlock *b = &r->blocks[r->order[n]];

        for (IrValue v = b->first; v <= b->last; v++) {
            const IrOp *o = &r->ops[v];

            if (ir_op_info[o->opcode].flags & IR_F_BRANCH) {
                IrBlock *to = &r->blocks[o->br.target];

                to->n_preds++;
                if (to->first <= b->first) {
                    to->flags |= IR_BLOCK_LOOP_HEADER;
                }
            }
        }
    }
}
