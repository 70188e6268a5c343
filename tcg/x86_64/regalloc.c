/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register allocation. Per region: which variables live in a register. Per
 * block: one forward scan, values having known last uses; several values that
 * are the same bits share a register (a list through Val.next).
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

static const uint8_t temp_order[] = { R_RAX, R_RDX, R_RCX, R_R11, R_R10, R_R9 };
/* Resident integer variables; the second only where temporaries are few. */
static const uint8_t resident_ints[] = { R_R9, R_R10 };

#define ALL_XMM     0xffff0000u

/* ------------------------------------------------------------ region pass */

/* Expected executions of a block, in quarters. */
static unsigned loop_weight(unsigned depth, bool cold)
{
    static const unsigned w[] = { 4, 32, 160, 480 };

    return cold ? 1 : w[MIN(depth, ARRAY_SIZE(w) - 1)];
}

static void choose(Cg *cg, const int32_t *weight, unsigned n_vars, bool vec, unsigned n_regs,
                   const uint8_t *regs)
{
    for (unsigned k = 0; k < n_regs; k++) {
        unsigned best = UINT32_MAX;

        for (unsigned v = 0; v < n_vars; v++) {
            if (cg->var_reg[v] != R_NONE || weight[v] <= 0) {
                continue;
            }
            IrType t = ir_var_type(cg->r, (IrVar)v);
            if (vec ? !type_is_vec(t) : !type_is_int(t)) {
                continue;
            }
            if (best == UINT32_MAX || weight[v] > weight[best]) {
                best = v;
            }
        }
        if (best == UINT32_MAX) {
            return;
        }
        cg->var_reg[best] = (int8_t)regs[k];
        cg->reg_var[regs[k]] = (IrVar)best;
        cg->temps &= ~(1u << regs[k]);
        if (vec) {
            cg->uses_vregs = true;
        }
    }
}

void ra_region(Cg *cg)
{
    IrRegion *r = cg->r;
    unsigned n_vars = IR_MAX_GLOBALS + r->n_locals;
    int32_t weight[IR_MAX_GLOBALS + N_LOCAL_HOMES] = { 0 }, exits = 0;
    unsigned depth[64] = { 0 };
    bool many_temps = false;

    memset(cg->var_reg, R_NONE, sizeof(cg->var_reg));
    memset(cg->var_dirty, 0, sizeof(cg->var_dirty));
    for (unsigned i = 0; i < R_NUM; i++) {
        cg->reg_var[i] = IR_NO_VAR;
    }
    cg->temps = ALL_XMM;
    for (unsigned i = 0; i < ARRAY_SIZE(temp_order); i++) {
        cg->temps |= 1u << temp_order[i];
    }
    cg->uses_vregs = false;
    for (unsigned i = 0; i < cg->th->n_pinned; i++) {
        IrVar v = cg->th->pinned_var[i];
        cg->var_reg[v] = (int8_t)cg_pinned_regs[i];
        cg->reg_var[cg_pinned_regs[i]] = v;
    }
    if (r->quick || !tcg_switches.residents) {
        return;
    }
    /* Loops: whatever is laid out between a back edge's target and source. */
    for (unsigned k = 0; k < cg->n_layout; k++) {
        IrBlock *b = &r->blocks[cg->layout[k]];
        for (IrValue i = b->first; i <= b->last; i++) {
            IrOp *op = &r->ops[i];
            if ((op->opcode == IR_JMP || op->opcode == IR_BRCOND) &&
                cg->order[op->br.target] <= k) {
                for (unsigned j = cg->order[op->br.target]; j <= k && j < 64; j++) {
                    depth[j]++;
                }
            }
        }
    }
    for (unsigned k = 0; k < cg->n_layout; k++) {
        IrBlock *b = &r->blocks[cg->layout[k]];
        int32_t w = (int32_t)loop_weight(k < 64 ? MAX(depth[k], b->depth) : b->depth,
                                         b->flags & IR_BLOCK_COLD);

        for (IrValue i = b->first; i <= b->last; i++) {
            IrOp *op = &r->ops[i];
            if (op->opcode == IR_GET || op->opcode == IR_PUT) {
                weight[op->var] += w;
                cg->var_dirty[op->var] |= op->opcode == IR_PUT;
            }
            if (op->opcode >= IR_ATOMIC_XCHG && op->opcode <= IR_ATOMIC_CMPXCHG) {
                many_temps = true;
            }
            if (op->opcode == IR_CALL && op->helper->flags & (IR_H_READS | IR_H_WRITES)) {
                /* Storing and loading around the call costs what it saves. */
                for (unsigned v = 0; v < n_vars; v++) {
                    weight[v] -= 2 * w;
                }
            }
            if (op->opcode == IR_GOTO || op->opcode == IR_GOTO_IND || op->opcode == IR_EXIT) {
                exits += w;
            }
        }
    }
    /* Against an access to memory each time stand loading it at the entry, and
     * storing it at each exit when it was written. */
    for (unsigned v = 0; v < IR_MAX_GLOBALS; v++) {
        weight[v] -= 4 + (cg->var_dirty[v] ? exits : 0);
    }
    choose(cg, weight, n_vars, false, many_temps ? 1 : 2, resident_ints);
    static const uint8_t vregs[] = {
        R_XMM0 + 15, R_XMM0 + 14, R_XMM0 + 13, R_XMM0 + 12, R_XMM0 + 11, R_XMM0 + 10,
        R_XMM0 + 9, R_XMM0 + 8, R_XMM0 + 7, R_XMM0 + 6,
    };
    choose(cg, weight, n_vars, true, ARRAY_SIZE(vregs), vregs);
}

/* ------------------------------------------------------------- block pass */

static unsigned op_n_args(const IrOp *op)
{
    return op->opcode == IR_VCONST || op->opcode == IR_CONST ? 0 : op->nargs;
}

static IrValue op_arg(const IrOp *op, unsigned n)
{
    return n < 4 ? op->arg[n] : op->extra[n - 4];
}

/* May op @i be a part of its only user's address mode? */
static bool foldable(Cg *cg, IrValue i)
{
    IrOp *op = cg_op(cg, i);
    Val *v = &cg->val[i];
    uint64_t imm;

    if (v->n_uses != 1 || v->pended || !type_is_int(op->type) ||
        (op->opcode != IR_ADD && op->opcode != IR_SHL) ||
        cg_op(cg, v->user)->opcode != IR_ADD || !ir_is_const(cg->r, op->arg[1], &imm)) {
        return false;
    }
    IrValue root = v->user;
    while (cg->val[root].flags & V_FOLDED) {
        root = cg->val[root].user;
    }
    if (op->opcode == IR_SHL) {
        if (imm < 1 || imm > 3 || cg->val[root].has_shl) {
            return false;
        }
        cg->val[root].has_shl = true;
        return true;
    }
    return (int64_t)imm >= -(1 << 28) && (int64_t)imm < 1 << 28 &&
           !ir_is_const(cg->r, op->arg[0], &imm);
}

void ra_block(Cg *cg, IrBlockId b)
{
    IrRegion *r = cg->r;
    IrBlock *bl = &r->blocks[b];

    for (unsigned i = 0; i < R_NUM; i++) {
        cg->head[i] = 0;
    }
    memset(cg->slot_until, 0, sizeof(cg->slot_until));
    cg->n_lazy = 0;
    cg->locked = 0;
    ra_drop_page(cg);
    cg->block = b;
    cg->block_end = bl->last + 1;
    memset(&cg->val[bl->first], 0, (bl->last + 1 - bl->first) * sizeof(Val));
    for (IrValue i = bl->first; i <= bl->last; i++) {
        IrOp *op = &r->ops[i];
        Val *x = &cg->val[i];

        x->reg = R_NONE;
        x->slot = -1;
        x->hint_var = x->var = IR_NO_VAR;
        x->zbits = 64;
        if (op->opcode == IR_CONST || op->opcode == IR_VCONST) {
            x->flags = V_CONST | V_DEFINED;
        }
        for (unsigned n = 0; n < op_n_args(op); n++) {
            IrValue v = op_arg(op, n);
            if (v) {
                cg->val[v].n_uses++;
                cg->val[v].user = i;
            }
        }
        if (op->snap) {
            IrSnapshot *s = &r->snaps[op->snap];
            for (unsigned n = 0; n < s->n_pending; n++) {
                cg->val[s->pending[n].value].n_uses++;
                cg->val[s->pending[n].value].n_pended++;
                cg->val[s->pending[n].value].pended = true;
            }
        }
    }
    for (IrValue i = bl->last; i >= bl->first; i--) {
        IrOp *op = &r->ops[i];
        Val *v = &cg->val[i];
        bool fold = foldable(cg, i);

        if (fold) {
            v->flags |= V_FOLDED;
        }
        v->epos = fold ? cg->val[v->user].epos : i;
        if ((op->opcode == IR_ZEXT || op->opcode == IR_EXTRACT) && v->n_pended && v->n_pended == v->n_uses) {
            v->flags |= V_SNAP;
            v->epos = v->last_use;
            cg->val[op->arg[0]].pended = true;
            cg->val[op->arg[0]].n_pended++;
        }
        for (unsigned n = 0; n < op_n_args(op); n++) {
            IrValue x = op_arg(op, n);
            if (x) {
                cg->val[x].last_use = MAX(cg->val[x].last_use, v->epos);
            }
        }
        if (op->snap) {
            IrSnapshot *s = &r->snaps[op->snap];
            for (unsigned n = 0; n < s->n_pending; n++) {
                Val *x = &cg->val[s->pending[n].value];
                x->last_use = MAX(x->last_use, i);
            }
        }
        if (op->opcode == IR_PUT && cg->var_reg[op->var] != R_NONE) {
            cg->val[op->arg[0]].hint_var = op->var;
            cg->val[op->arg[0]].hint_pos = i;
        } else if (op->opcode == IR_SECOND) {
            cg->val[op->arg[0]].second = i;
        } else if ((op->opcode == IR_ZEXT || op->opcode == IR_TRUNC) &&
                   v->hint_var != IR_NO_VAR) {
            cg->val[op->arg[0]].hint_var = v->hint_var;
            cg->val[op->arg[0]].hint_pos = v->hint_pos;
        }
    }
}

/* ------------------------------------------------------- register contents */

static void attach(Cg *cg, IrValue v, int r)
{
    cg->val[v].reg = (int8_t)r;
    cg->val[v].next = cg->head[r];
    cg->val[v].flags |= V_DEFINED;
    cg->head[r] = v;
}

static void detach(Cg *cg, IrValue v)
{
    uint32_t *link = &cg->head[cg->val[v].reg];

    while (*link != v) {
        link = &cg->val[*link].next;
    }
    *link = cg->val[v].next;
    cg->val[v].reg = R_NONE;
}

/* Forget values whose last use lies before @pos; is a later one left? */
static bool live_from(Cg *cg, int r, uint32_t pos)
{
    uint32_t v = cg->head[r], next;
    bool live = false;

    for (; v; v = next) {
        next = cg->val[v].next;
        if (cg->val[v].last_use < cg->pos) {
            detach(cg, v);
        } else if (cg->val[v].last_use >= pos) {
            live = true;
        }
    }
    return live;
}

static uint32_t last_use_of(Cg *cg, int r)
{
    uint32_t last = 0;

    for (uint32_t v = cg->head[r]; v; v = cg->val[v].next) {
        last = MAX(last, cg->val[v].last_use);
    }
    return last;
}

static int slot_alloc(Cg *cg, unsigned n, uint32_t until)
{
    for (unsigned i = 0; i + n <= N_SPILL; i += n) {
        bool free = true;
        for (unsigned k = 0; k < n; k++) {
            free &= cg->slot_until[i + k] < cg->pos;
        }
        if (free) {
            for (unsigned k = 0; k < n; k++) {
                cg->slot_until[i + k] = until;
            }
            return (int)i;
        }
    }
    cg->fail = true;
    return 0;
}

static Mem slot_mem(int slot)
{
    return mem_b(R_RSP, FR_SPILL + 8 * slot);
}

int ra_slot(Cg *cg, IrValue v, unsigned bytes)
{
    Val *x = &cg->val[v];

    if (x->slot < 0) {
        x->slot = (int16_t)slot_alloc(cg, bytes > 8 ? 2 : 1, x->last_use);
        x->flags |= V_DEFINED;
    }
    return FR_SPILL + 8 * x->slot;
}

/* All values of @r that are needed from the operation at hand on, to memory. */
static void spill(Cg *cg, int r)
{
    uint32_t v, next;
    int slot = -1;
    uint32_t last = 0;

    live_from(cg, r, cg->pos);
    for (v = cg->head[r]; v; v = cg->val[v].next) {
        if (!(cg->val[v].flags & V_CONST)) {
            last = MAX(last, cg->val[v].last_use);
            slot = cg->val[v].slot >= 0 ? cg->val[v].slot : slot;
        }
    }
    if (last) {
        unsigned n = reg_is_xmm(r) ? 2 : 1;
        if (slot >= 0) {
            for (unsigned k = 0; k < n; k++) {
                cg->slot_until[slot + k] = MAX(cg->slot_until[slot + k], last);
            }
        } else {
            slot = slot_alloc(cg, n, last);
            cg_store(cg, reg_is_xmm(r) ? IR_V128 : IR_I64, r, slot_mem(slot));
        }
    }
    for (v = cg->head[r]; v; v = next) {
        next = cg->val[v].next;
        if (!(cg->val[v].flags & V_CONST)) {
            cg->val[v].slot = (int16_t)slot;
        }
        detach(cg, v);
    }
}

static uint32_t class_mask(bool vec)
{
    return vec ? ALL_XMM : ~ALL_XMM;
}

static int next_temp(bool vec, unsigned k)
{
    if (vec) {
        return k < 16 ? R_XMM0 + (int)k : R_NONE;
    }
    return k < ARRAY_SIZE(temp_order) ? temp_order[k] : R_NONE;
}

/*
 * A register for temporaries with nothing live from @pos on. Registers of
 * @avoid are out, and so are locked ones unless (@reuse) an operand lies there.
 */
static int pick(Cg *cg, bool vec, uint32_t pos, uint32_t avoid, bool reuse)
{
    int r, victim = R_NONE;
    uint32_t far = 0;

    avoid |= cg->held;

    for (unsigned k = 0; (r = next_temp(vec, k)) != R_NONE; k++) {
        if (!(cg->temps & 1u << r) || avoid & 1u << r) {
            continue;
        }
        bool live = live_from(cg, r, pos);
        if (cg->locked & 1u << r && !(reuse && cg->head[r])) {
            continue;
        }
        if (!live) {
            return r;
        }
        if (!(cg->locked & 1u << r) && last_use_of(cg, r) >= far) {
            far = last_use_of(cg, r);
            victim = r;
        }
    }
    if (!vec && cg->held & ~cg->locked) {
        /* Rather look pages up again than spill. */
        avoid &= ~cg->held;
        ra_drop_page(cg);
        return pick(cg, vec, pos, avoid, reuse);
    }
    if (victim == R_NONE) {
        cg->fail = true;            /* the emitters never lock so many */
        return vec ? R_XMM0 : R_RAX;
    }
    spill(cg, victim);
    return victim;
}

/*
 * May @v be made in the register of the variable that it is PUT to? Not if
 * somebody might look at the variable between.
 */
static bool coalesces(Cg *cg, IrValue v, uint32_t avoid)
{
    Val *x = &cg->val[v];

    if (x->hint_var == IR_NO_VAR) {
        return false;
    }
    int r = cg->var_reg[x->hint_var];
    if (r == R_NONE || avoid & 1u << r || x->hint_pos - cg->pos > 40 ||
        reg_is_xmm(r) != type_is_vec(cg_op(cg, v)->type)) {
        return false;
    }
    for (uint32_t i = cg->pos + 1; i < x->hint_pos; i++) {
        IrOp *op = cg_op(cg, i);
        if (op->snap || op->opcode == IR_BRCOND || op->opcode == IR_CALL ||
            ((op->opcode == IR_GET || op->opcode == IR_PUT) && op->var == x->hint_var)) {
            return false;
        }
    }
    return true;
}

void ra_drop_page(Cg *cg)
{
    cg->held = 0;
    cg->tc_root = 0;
}

/* Move what is needed from @pos on out of @r; its bits stay in @r too. */
static void relocate(Cg *cg, int r, uint32_t pos)
{
    uint32_t v, next;
    bool vec = reg_is_xmm(r);
    int to = R_NONE;

    if (!live_from(cg, r, pos)) {
        return;
    }
    bool all_const = true;
    for (v = cg->head[r]; v; v = cg->val[v].next) {
        all_const &= (cg->val[v].flags & V_CONST) != 0;
    }
    if (!all_const) {
        /* A free register, else memory. */
        int t;
        for (v = cg->head[r]; v && to == R_NONE; v = cg->val[v].next) {
            /* Or where a PUT wants it, if this operation doesn't look there. */
            IrOp *op = cg_op(cg, cg->pos);
            if (!op->snap && op->opcode != IR_CALL && op->opcode != IR_BRCOND &&
                cg->val[v].last_use >= pos && cg->val[v].hint_pos > cg->pos &&
                coalesces(cg, v, 1u << r | cg->locked)) {
                t = cg->var_reg[cg->val[v].hint_var];
                to = live_from(cg, t, cg->pos) ? R_NONE : t;
            }
        }
        for (unsigned k = 0; to == R_NONE && (t = next_temp(vec, k)) != R_NONE; k++) {
            if (cg->temps & ~cg->held & 1u << t && t != r && !(cg->locked & 1u << t) &&
                !live_from(cg, t, cg->pos)) {
                to = t;
                break;
            }
        }
        if (to == R_NONE) {
            spill(cg, r);
            return;
        }
        cg_move(cg, vec ? IR_V128 : IR_I64, to, r);
    }
    for (v = cg->head[r]; v; v = next) {
        next = cg->val[v].next;
        if (cg->val[v].last_use < pos) {
            continue;
        }
        detach(cg, v);
        if (!(cg->val[v].flags & V_CONST)) {
            attach(cg, v, to);
        }
    }
}

static uint32_t live_mask(Cg *cg, uint32_t pos)
{
    uint32_t mask = 0;

    for (int r = 0; r < R_NUM; r++) {
        if (cg->reg_var[r] != IR_NO_VAR || live_from(cg, r, pos)) {
            mask |= 1u << r;
        }
    }
    return mask;
}

uint32_t ra_live_now(Cg *cg)
{
    return live_mask(cg, cg->pos);
}

uint32_t ra_live_after(Cg *cg)
{
    return live_mask(cg, cg->pos + 1);
}

bool ra_dies(Cg *cg, IrValue v)
{
    return cg->val[v].last_use <= cg->pos;
}

void ra_done(Cg *cg)
{
    cg->locked = 0;
}

/* --------------------------------------------------------------- operands */

bool ra_const(Cg *cg, IrValue v, uint64_t *imm)
{
    return ir_is_const(cg->r, v, imm);
}

static uint64_t sign_extend(uint64_t v, IrType t)
{
    unsigned s = 64 - ir_type_bits(t);

    return s ? (uint64_t)((int64_t)(v << s) >> s) : v;
}

bool ra_imm32(Cg *cg, IrValue v, IrType type, int32_t *imm)
{
    uint64_t x;

    if (!v || !ra_const(cg, v, &x)) {
        return false;
    }
    x = sign_extend(x, type);
    *imm = (int32_t)x;
    return (int64_t)x == *imm;
}

bool ra_mem(Cg *cg, IrValue v, Mem *m)
{
    Val *x = &cg->val[v];

    if (x->reg != R_NONE || x->flags & (V_FOLDED | V_CONST)) {
        return false;
    }
    if (x->slot >= 0) {
        *m = slot_mem(x->slot);
        return true;
    }
    if (x->flags & V_HOME && ra_dies(cg, v) &&
        ir_var_type(cg->r, x->var) == cg_op(cg, v)->type) {
        *m = ra_home(cg, x->var);
        return true;
    }
    return false;
}

static void unlazy(Cg *cg, IrValue v)
{
    cg->val[v].flags &= (uint8_t)~V_HOME;
    for (uint32_t i = 0; i < cg->n_lazy; i++) {
        if (cg->lazy[i] == v) {
            cg->lazy[i] = cg->lazy[--cg->n_lazy];
            return;
        }
    }
}

/* Load @v, which is in no register, into @r. */
static void fill(Cg *cg, IrValue v, int r)
{
    Val *x = &cg->val[v];
    IrOp *op = cg_op(cg, v);

    if (x->flags & V_CONST) {
        if (op->opcode == IR_VCONST) {
            cg_load_v128(cg, r, op->imm, op->arg[0] | (uint64_t)op->arg[1] << 32);
        } else if (type_is_vec(op->type)) {
            cg_load_v128(cg, r, op->type == IR_F32 ? (uint32_t)op->imm : op->imm, 0);
        } else {
            uint64_t imm = op->imm & (UINT64_MAX >> (64 - ir_type_bits(op->type)));
            x_mov_ri(&cg->a, r, imm);
            x->zbits = (uint8_t)ir_type_bits(op->type);
        }
    } else if (x->slot >= 0) {
        cg_load(cg, reg_is_xmm(r) ? IR_V128 : IR_I64, r, slot_mem(x->slot));
    } else if (x->flags & V_FOLDED) {
        x_lea(&cg->a, op->type == IR_I64, r, ra_address(cg, v));
    } else {
        cg_load(cg, op->type, r, ra_home(cg, x->var));
        if (type_is_int(op->type)) {
            x->zbits = (uint8_t)ir_type_bits(op->type);
        }
    }
}

int ra_use(Cg *cg, IrValue v)
{
    Val *x = &cg->val[v];

    if (x->reg == R_NONE) {
        int r = pick(cg, type_is_vec(cg_op(cg, v)->type), cg->pos, 0, false);
        cg->locked |= 1u << r;
        fill(cg, v, r);
        if (x->flags & V_HOME) {
            unlazy(cg, v);
        }
        attach(cg, v, r);
    }
    cg->locked |= 1u << x->reg;
    return x->reg;
}

int ra_scratch(Cg *cg)
{
    int r = pick(cg, false, cg->pos, 0, false);

    cg->locked |= 1u << r;
    return r;
}

int ra_spare(Cg *cg)
{
    uint32_t open = cg->temps & 0xffff & ~cg->locked & ~cg->held;

    /* The result may want one. */
    for (int r = 0; r < 16 && open & (open - 1); r++) {
        if (open >> r & 1 && !cg->head[r]) {
            cg->locked |= 1u << r;
            return r;
        }
    }
    return R_NONE;
}

int ra_scratch_v(Cg *cg)
{
    int r = pick(cg, true, cg->pos, 0, false);

    cg->locked |= 1u << r;
    return r;
}

void ra_fixed(Cg *cg, int r)
{
    uint32_t was = cg->locked;

    if (cg->held >> r & 1) {
        ra_drop_page(cg);
    }
    cg->locked |= 1u << r;
    relocate(cg, r, cg->pos);
    cg->locked = was | 1u << r;
    /* What only waits to be forgotten must not be found here any more. */
    while (cg->head[r]) {
        detach(cg, cg->head[r]);
    }
}

void ra_use_fixed(Cg *cg, IrValue v, int r)
{
    Val *x = &cg->val[v];
    int from;

    if (x->reg == r) {
        /* The bits stay; what is still needed of them goes elsewhere too. */
        IrOp *op = cg_op(cg, cg->pos);
        unsigned times = 0;
        for (unsigned n = 0; n < op_n_args(op); n++) {
            times += op_arg(op, n) == v;
        }
        if (x->last_use == cg->pos && times == 1 && !x->pended) {
            detach(cg, v);
        }
        ra_fixed(cg, r);
        return;
    }
    ra_fixed(cg, r);
    from = x->reg;
    if (from == R_NONE) {
        fill(cg, v, r);
    } else {
        cg_move(cg, reg_is_xmm(r) ? IR_V128 : IR_I64, r, from);
    }
}

Mem ra_address(Cg *cg, IrValue v)
{
    IrOp *op = cg_op(cg, v);
    Mem m = { R_NONE, R_NONE, 0, false, 0 };
    uint64_t imm = 0;

    if (!(cg->val[v].flags & V_FOLDED) && cg->pos != v) {
        m.base = (int8_t)ra_use(cg, v);
        return m;
    }
    if (op->opcode == IR_SHL) {
        ra_const(cg, op->arg[1], &imm);
        m.index = (int8_t)ra_use(cg, op->arg[0]);
        m.scale = (uint8_t)imm;
        return m;
    }
    /* A constant comes last: if its sum with the others' is too large, it is
     * a register like any other. */
    int32_t disp = 0;
    unsigned first = ra_imm32(cg, op->arg[0], op->type, &disp) ? 1 : 0;
    for (unsigned k = 0; k < 2; k++) {
        IrValue x = op->arg[first ^ k];

        if (k == 1 && ra_imm32(cg, x, op->type, &disp) &&
            (int64_t)m.disp + disp == (int32_t)((uint32_t)m.disp + (uint32_t)disp)) {
            m.disp += disp;
            continue;
        }
        Mem s = ra_address(cg, x);
        m.disp += s.disp;
        if (s.index != R_NONE) {
            /* A scaled index; what base came before stays one. */
            m.index = s.index;
            m.scale = s.scale;
        }
        if (s.base != R_NONE) {
            if (m.base == R_NONE) {
                m.base = s.base;
            } else {
                m.index = s.base;
                m.scale = 0;
            }
        }
    }
    return m;
}

/* ---------------------------------------------------------------- results */

int ra_def(Cg *cg, IrValue v, int prefer, uint32_t avoid)
{
    IrType t = cg_op(cg, v)->type;
    bool vec = type_is_vec(t);
    int r;

    if (coalesces(cg, v, avoid)) {
        r = cg->var_reg[cg->val[v].hint_var];
        uint32_t was = cg->locked;
        relocate(cg, r, cg->pos + 1);
        cg->locked = was;
    } else if (prefer != R_NONE && cg->temps & class_mask(vec) & ~avoid & ~cg->held & 1u << prefer &&
               !live_from(cg, prefer, cg->pos + 1)) {
        r = prefer;
    } else {
        r = pick(cg, vec, cg->pos + 1, avoid, true);
    }
    while (cg->head[r]) {
        detach(cg, cg->head[r]);
    }
    cg->locked |= 1u << r;
    cg->val[v].zbits = 64;
    attach(cg, v, r);
    return r;
}

void ra_def_at(Cg *cg, IrValue v, int r)
{
    cg->val[v].zbits = 64;
    attach(cg, v, r);
}

void ra_alias(Cg *cg, IrValue v, IrValue of)
{
    uint64_t imm;

    if (ra_const(cg, of, &imm)) {
        int r = ra_def(cg, v, R_NONE, 0);
        x_mov_ri(&cg->a, r, imm & (UINT64_MAX >> (64 - ir_type_bits(cg_op(cg, of)->type))));
        return;
    }
    attach(cg, v, ra_use(cg, of));
    cg->val[v].zbits = cg->val[of].zbits;
    if (cg->val[v].slot < 0 && cg->val[of].slot >= 0) {
        /* The same bits: a spill needs no second store. */
        cg->val[v].slot = cg->val[of].slot;
        cg->slot_until[cg->val[v].slot] = MAX(cg->slot_until[cg->val[v].slot],
                                              cg->val[v].last_use);
    }
}

/* -------------------------------------------------------------- variables */

Mem ra_home(Cg *cg, IrVar var)
{
    if (ir_var_is_global(var)) {
        return mem_b(R_RBP, cg->r->globals->globals[var].offset);
    }
    return mem_b(R_RSP, FR_LOCALS + 16 * (var - IR_MAX_GLOBALS));
}

void ra_get(Cg *cg, IrValue v, IrVar var)
{
    Val *x = &cg->val[v];
    int r = cg->var_reg[var];

    if (r != R_NONE) {
        live_from(cg, r, cg->pos);
        attach(cg, v, r);
        return;
    }
    /* Read when used, or when the variable is about to be overwritten. */
    x->flags |= V_HOME | V_DEFINED;
    x->var = var;
    GROW(cg->lazy, cg->n_lazy, cg->cap_lazy);
    cg->lazy[cg->n_lazy++] = v;
}

void ra_force_lazy(Cg *cg, IrVar var)
{
    for (uint32_t i = 0; i < cg->n_lazy; ) {
        IrValue v = cg->lazy[i];
        Val *x = &cg->val[v];

        if (x->last_use < cg->pos) {
            cg->lazy[i] = cg->lazy[--cg->n_lazy];
        } else if (var == IR_NO_VAR || x->var == var) {
            IrType t = cg_op(cg, v)->type;
            if (t == IR_F80) {
                int slot = ra_slot(cg, v, 16), s = ra_scratch_v(cg);
                cg_load(cg, IR_V128, s, ra_home(cg, x->var));
                cg_store(cg, IR_V128, s, mem_b(R_RSP, slot));
                unlazy(cg, v);
            } else {
                uint32_t was = cg->locked;
                ra_use(cg, v);                  /* takes it off the list */
                cg->locked = was;
            }
        } else {
            i++;
        }
    }
}

void ra_put(Cg *cg, IrVar var, IrValue v)
{
    Val *x = &cg->val[v];
    IrType t = cg_op(cg, v)->type;
    int r = cg->var_reg[var];
    int32_t imm;

    if (r == R_NONE) {
        if (!(x->flags & V_HOME && x->var == var)) {
            ra_force_lazy(cg, var);
        }
        if (t == IR_F80) {
            x87_put(cg, var, v);
        } else if (type_is_int(t) && x->reg == R_NONE && ra_imm32(cg, v, t, &imm)) {
            x_st_imm(&cg->a, type_bytes(t), (uint64_t)(int64_t)imm, ra_home(cg, var));
        } else {
            cg_store(cg, t, ra_use(cg, v), ra_home(cg, var));
        }
        return;
    }
    if (x->reg == r) {
        return;                     /* made there, or unchanged */
    }
    uint32_t was = cg->locked;
    if (x->reg != R_NONE) {
        cg->locked |= 1u << x->reg;
    }
    cg->locked |= 1u << r;
    relocate(cg, r, cg->pos + 1);
    cg->locked = was;
    while (cg->head[r]) {
        detach(cg, cg->head[r]);
    }
    if (x->reg == R_NONE) {
        fill(cg, v, r);
        if (x->flags & V_HOME) {
            unlazy(cg, v);
        }
        attach(cg, v, r);
        return;
    }
    /* All of the register: wider values may share it. */
    cg_move(cg, type_is_int(t) ? IR_I64 : IR_V128, r, x->reg);
    /* From now on it is in the variable's register alone. */
    int from = x->reg;
    if (cg->reg_var[from] == IR_NO_VAR) {
        while (cg->head[from]) {
            IrValue y = cg->head[from];
            detach(cg, y);
            attach(cg, y, r);
        }
    }
}

void ra_overwritten(Cg *cg, int r)
{
    relocate(cg, r, cg->pos + 1);
}

/* --------------------------------------------------------------- snapshots */

/* What is pending is often what it was at the snapshot before. */
static void share_items(Cg *cg)
{
    SnapRec *s = &cg->snaps[cg->n_snaps];

    if (cg->n_snaps && s->n && s->n == s[-1].n &&
        !memcmp(&cg->items[s->first], &cg->items[s[-1].first], s->n * sizeof(SnapItem))) {
        cg->n_items = s->first;
        s->first = s[-1].first;
    }
}

uint32_t ra_snapshot(Cg *cg, uint32_t snap)
{
    IrSnapshot *s = &cg->r->snaps[snap];

    GROW(cg->snaps, cg->n_snaps, cg->cap_snaps);
    cg->snaps[cg->n_snaps] = (SnapRec){
        .ra = 0, .pc_offset = s->pc_offset, .aux = s->aux, .icount = s->icount,
        .charge = cg->r->count_insns ? s->icount - cg->r->blocks[cg->block].icount : 0,
        .first = cg->n_items, .n = s->n_pending,
    };
    for (unsigned n = 0; n < s->n_pending; n++) {
        IrValue v = s->pending[n].value;
        Val *x = &cg->val[v];
        SnapItem it = { .var = s->pending[n].var, .bits = 64 };
        uint64_t imm;

        while (x->flags & V_SNAP) {
            const IrOp *op = cg_op(cg, v);
            unsigned len;

            v = op->arg[0];
            x = &cg->val[v];
            len = op->opcode == IR_ZEXT ? ir_type_bits(cg_op(cg, v)->type) : op->imm >> 8 & 0xff;
            it.bits = MIN(it.bits, len > it.shift ? len - it.shift : 0);
            it.shift += op->opcode == IR_ZEXT ? 0 : op->imm & 0xff;
        }

        if (ra_const(cg, v, &imm)) {
            it.kind = PL_CONST;
            it.val = (int64_t)imm;
        } else if (x->reg != R_NONE) {
            it.kind = reg_is_xmm(x->reg) ? PL_VREG : PL_REG;
            it.reg = (uint8_t)(x->reg & 15);
        } else if (x->slot >= 0) {
            it.kind = PL_SLOT;
            it.val = FR_SPILL + 8 * x->slot;
        } else if (x->flags & V_HOME && ir_var_is_global(x->var)) {
            it.kind = PL_HOME;
            it.val = ra_home(cg, x->var).disp;
        } else {                    /* a local's home, in the frame */
            it.kind = PL_SLOT;
            it.val = ra_home(cg, x->var).disp;
        }
        GROW(cg->items, cg->n_items, cg->cap_items);
        cg->items[cg->n_items++] = it;
    }
    share_items(cg);
    return cg->n_snaps++;
}
