/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Condition codes in translation: recipes, conditions (PRM table 3-19). */
#include "util/osdep.h"
#include "target/m68k/translate.h"

static uint64_t h_flags(uint32_t op, uint32_t a, uint32_t b)
{
    return m68k_cc_eval(op, a, b);
}
static uint64_t h_x(uint32_t op, uint32_t a, uint32_t b)
{
    return m68k_x_eval(op, a, b);
}
static const IrHelper flags_helper = { "m68k_flags", h_flags, "l:lll", IR_H_PURE, 0, 0 };
static const IrHelper x_helper = { "m68k_x", h_x, "l:lll", IR_H_PURE, 0, 0 };

static IrValue word(M68kTr *tr, IrValue v)
{
    return v ? ir_zext(tr->ir, IR_I32, v) : ir_i32(tr->ir, 0);
}

static void pend(M68kTr *tr, const Recipe *r, IrVar op)
{
    if (r->dynamic) {
        return;
    }
    ir_pend(tr->ir, op, ir_i32(tr->ir, CC_OP(r->kind, r->size)));
    ir_pend(tr->ir, op + 1, word(tr, r->a));
    if (r->b) {
        ir_pend(tr->ir, op + 2, word(tr, r->b));
    } else {
        ir_unpend(tr->ir, op + 2);
    }
}

void m68k_pend_codes(IrRegion *ir, void *opaque)
{
    M68kTr *tr = opaque;
    uint8_t due = tr->codes_due;

    (void)ir;
    tr->codes_due = 0;
    if (due & DUE_CC) {
        pend(tr, &tr->cc, G_CC_OP);
    }
    if (due & DUE_X) {
        pend(tr, &tr->x, G_X_OP);
    }
}

static void pend_later(M68kTr *tr, uint8_t which)
{
    tr->codes_due |= which;
    ir_pend_later(tr->ir);
}

void m68k_set_cc(M68kTr *tr, unsigned kind, unsigned size, IrValue a, IrValue b, IrValue res,
                 IrValue dst)
{
    tr->cc = (Recipe){ false, (uint8_t)kind, (uint8_t)size, a, b, res, dst };
    pend_later(tr, DUE_CC);
}

void m68k_set_cc_x(M68kTr *tr, unsigned kind, unsigned size, IrValue a, IrValue b, IrValue dst)
{
    m68k_set_cc(tr, kind, size, a, b, a, dst);
    tr->x = tr->cc;
    pend_later(tr, DUE_X);
}

void m68k_set_flags(M68kTr *tr, IrValue nzvc)
{
    m68k_set_cc(tr, CC_FLAGS, 0, nzvc, IR_NO_VALUE, IR_NO_VALUE, IR_NO_VALUE);
}

void m68k_set_x(M68kTr *tr, IrValue x)
{
    tr->x = (Recipe){ .kind = CC_FLAGS, .a = x };
    pend_later(tr, DUE_X);
}

/* ------------------------------------------------------------------ evaluation */

static IrValue at(M68kTr *tr, IrCond c, IrType t, IrValue a, IrValue b, unsigned bit)
{
    IrValue v = ir_zext(tr->ir, IR_I32, ir_setcond(tr->ir, c, t, a, b));

    return bit ? ir_shl(tr->ir, IR_I32, v, ir_i32(tr->ir, bit)) : v;
}

IrValue m68k_nz(M68kTr *tr, unsigned size, IrValue v)
{
    IrType t = m68k_type(size);
    IrValue zero = ir_const(tr->ir, t, 0);

    return ir_or(tr->ir, IR_I32, at(tr, IR_LT, t, v, zero, 3), at(tr, IR_EQ, t, v, zero, 2));
}

/* Minuend of a subtraction, one summand of an addition. */
static IrValue operand(M68kTr *tr, const Recipe *r)
{
    IrType t = m68k_type(r->size);

    if (r->kind == CC_CMP) {
        return r->a;
    }
    if (r->dst) {
        return r->dst;
    }
    return r->kind == CC_ADD ? ir_sub(tr->ir, t, r->a, r->b) : ir_add(tr->ir, t, r->a, r->b);
}

static IrValue result(M68kTr *tr, Recipe *r)
{
    if (r->kind == CC_CMP) {
        if (!r->res) {
            r->res = ir_sub(tr->ir, m68k_type(r->size), r->a, r->b);
        }
        return r->res;
    }
    return r->a;
}

static IrValue carry(M68kTr *tr, const Recipe *r)
{
    IrType t = m68k_type(r->size);
    IrValue m;

    switch (r->kind) {
    case CC_ADD: return ir_zext(tr->ir, IR_I32, ir_setcond(tr->ir, IR_LTU, t, r->a, r->b));
    case CC_SUB: case CC_CMP:
        return ir_zext(tr->ir, IR_I32, ir_setcond(tr->ir, IR_LTU, t, operand(tr, r), r->b));
    case CC_SHIFT: return r->b;
    case CC_ROTL: case CC_ROTR:
        m = ir_zext(tr->ir, IR_I32, ir_extract(tr->ir, t, r->a, r->kind == CC_ROTL ? 0 : (8u << r->size) - 1, 1));
        return ir_select(tr->ir, IR_TST_Z, IR_I32, r->b, ir_i32(tr->ir, 63), IR_I32, ir_i32(tr->ir, 0), m);
    case CC_FLAGS: return ir_and(tr->ir, IR_I32, r->a, ir_i32(tr->ir, 1));
    default: return ir_i32(tr->ir, 0);
    }
}

static IrValue overflow(M68kTr *tr, Recipe *r)
{
    IrRegion *ir = tr->ir;
    IrType t = m68k_type(r->size);
    IrValue m, x;

    switch (r->kind) {
    case CC_ADD:
        m = operand(tr, r);
        x = ir_and(ir, t, ir_xor(ir, t, r->a, r->b), ir_xor(ir, t, r->a, m));
        break;
    case CC_SUB: case CC_CMP:
        m = operand(tr, r);
        x = ir_and(ir, t, ir_xor(ir, t, m, r->b), ir_xor(ir, t, m, result(tr, r)));
        break;
    case CC_FLAGS:
        return ir_extract(ir, IR_I32, r->a, 1, 1);
    default:
        return ir_i32(ir, 0);
    }
    return ir_zext(ir, IR_I32, ir_setcond(ir, IR_LT, t, x, ir_const(ir, t, 0)));
}

IrValue m68k_flags(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    Recipe *r = &tr->cc;
    IrValue v;

    if (r->dynamic) {
        v = IR_CALL(ir, &flags_helper, ir_get(ir, G_CC_OP), ir_get(ir, G_CC_A), ir_get(ir, G_CC_B));
        m68k_set_flags(tr, v);
        return v;
    }
    if (r->kind == CC_FLAGS) {
        return r->a;
    }
    v = ir_or(ir, IR_I32, m68k_nz(tr, r->size, result(tr, r)), carry(tr, r));
    if (r->kind <= CC_CMP) {
        v = ir_or(ir, IR_I32, v, ir_shl(ir, IR_I32, overflow(tr, r), ir_i32(ir, 1)));
    }
    return v;
}

IrValue m68k_x(M68kTr *tr)
{
    IrRegion *ir = tr->ir;

    if (tr->x.dynamic) {
        m68k_set_x(tr, IR_CALL(ir, &x_helper, ir_get(ir, G_X_OP), ir_get(ir, G_X_A),
                               ir_get(ir, G_X_B)));
    }
    return tr->x.kind == CC_FLAGS ? tr->x.a : carry(tr, &tr->x);
}

IrValue m68k_ccr(M68kTr *tr)
{
    IrValue f = m68k_flags(tr);

    return ir_or(tr->ir, IR_I32, f, ir_shl(tr->ir, IR_I32, m68k_x(tr), ir_i32(tr->ir, 4)));
}

void m68k_put_ccr(M68kTr *tr, IrValue ccr)
{
    m68k_set_flags(tr, ir_and(tr->ir, IR_I32, ccr, ir_i32(tr->ir, 15)));
    m68k_set_x(tr, ir_extract(tr->ir, IR_I32, ccr, 4, 1));
}

void m68k_set_sticky_z(M68kTr *tr, unsigned size, IrValue res, IrValue nvc)
{
    IrRegion *ir = tr->ir;
    IrType t = m68k_type(size);
    IrValue z = ir_and(ir, IR_I32, m68k_flags(tr), ir_i32(ir, CCR_Z));

    z = ir_select(ir, IR_EQ, t, res, ir_const(ir, t, 0), IR_I32, z, ir_i32(ir, 0));
    m68k_set_flags(tr, ir_or(ir, IR_I32, z, nvc));
}

/* ------------------------------------------------------------------ conditions */

/* For each condition with its lowest bit set: which bits of N Z V C make it true, where that
 * is simple. */
static M68kCond test_flags(M68kTr *tr, unsigned cond)
{
    IrRegion *ir = tr->ir;
    IrValue f = m68k_flags(tr), n_v;

    switch (cond & ~1u) {
    case 2:                     /* HI, LS */
        return (M68kCond){ cond & 1 ? IR_TST_NZ : IR_TST_Z, IR_I32, f, ir_i32(ir, CCR_C | CCR_Z) };
    case 4:                     /* CC, CS */
        return (M68kCond){ cond & 1 ? IR_TST_NZ : IR_TST_Z, IR_I32, f, ir_i32(ir, CCR_C) };
    case 6:                     /* NE, EQ */
        return (M68kCond){ cond & 1 ? IR_TST_NZ : IR_TST_Z, IR_I32, f, ir_i32(ir, CCR_Z) };
    case 8:                     /* VC, VS */
        return (M68kCond){ cond & 1 ? IR_TST_NZ : IR_TST_Z, IR_I32, f, ir_i32(ir, CCR_V) };
    case 10:                    /* PL, MI */
        return (M68kCond){ cond & 1 ? IR_TST_NZ : IR_TST_Z, IR_I32, f, ir_i32(ir, CCR_N) };
    default:
        break;
    }
    /* N xor V at N's place. */
    n_v = ir_xor(ir, IR_I32, f, ir_shl(ir, IR_I32, f, ir_i32(ir, 2)));
    if (cond < 14) {            /* GE, LT */
        return (M68kCond){ cond & 1 ? IR_TST_NZ : IR_TST_Z, IR_I32, n_v, ir_i32(ir, CCR_N) };
    }
    n_v = ir_or(ir, IR_I32, ir_and(ir, IR_I32, n_v, ir_i32(ir, CCR_N)),
                ir_and(ir, IR_I32, f, ir_i32(ir, CCR_Z)));
    return (M68kCond){ cond & 1 ? IR_NE : IR_EQ, IR_I32, n_v, ir_i32(ir, 0) };
}

M68kCond m68k_cond(M68kTr *tr, unsigned cond)
{
    /* Of a comparison a ? b, by condition. */
    static const IrCond of_compare[16] = {
        [2] = IR_GTU, [3] = IR_LEU, [4] = IR_GEU, [5] = IR_LTU, [6] = IR_NE, [7] = IR_EQ,
        [12] = IR_GE, [13] = IR_LT, [14] = IR_GT, [15] = IR_LE,
    };
    static const IrCond of_result[16] = {
        [6] = IR_NE, [7] = IR_EQ, [10] = IR_GE, [11] = IR_LT, [12] = IR_GE, [13] = IR_LT,
        [14] = IR_GT, [15] = IR_LE,
    };
    IrRegion *ir = tr->ir;
    Recipe *r = &tr->cc;
    IrType t = m68k_type(r->size);
    IrValue zero;

    if (cond < 2) {             /* T, F */
        return (M68kCond){ cond ? IR_NE : IR_EQ, IR_I32, ir_i32(ir, 0), ir_i32(ir, 0) };
    }
    if (r->dynamic || r->kind == CC_FLAGS) {
        return test_flags(tr, cond);
    }
    zero = ir_const(ir, t, 0);
    if (cond == 8 || cond == 9) {
        return (M68kCond){ cond == 9 ? IR_NE : IR_EQ, IR_I32, overflow(tr, r), ir_i32(ir, 0) };
    }
    switch (r->kind) {
    case CC_SUB: case CC_CMP:
        if (cond == 10 || cond == 11) {
            return (M68kCond){ of_result[cond], t, result(tr, r), zero };
        }
        if (r->kind == CC_SUB && cond <= 7 && cond >= 6) {
            return (M68kCond){ of_result[cond], t, r->a, zero };
        }
        return (M68kCond){ of_compare[cond], t, operand(tr, r), r->b };
    case CC_ADD:
        if (cond == 6 || cond == 7 || cond == 10 || cond == 11) {
            return (M68kCond){ of_result[cond], t, r->a, zero };
        }
        if (cond == 4 || cond == 5) {
            return (M68kCond){ cond == 5 ? IR_LTU : IR_GEU, t, r->a, r->b };
        }
        return test_flags(tr, cond);
    case CC_SHIFT: case CC_ROTL: case CC_ROTR:
        if (cond == 4 || cond == 5) {
            return (M68kCond){ cond == 5 ? IR_NE : IR_EQ, IR_I32, carry(tr, r), ir_i32(ir, 0) };
        }
        if (cond == 2 || cond == 3) {
            return test_flags(tr, cond);
        }
        break;
    default:
        if (cond == 4 || cond == 5) {           /* C = 0 */
            return (M68kCond){ cond == 5 ? IR_NE : IR_EQ, IR_I32, ir_i32(ir, 0), ir_i32(ir, 0) };
        }
        if (cond == 2 || cond == 3) {
            return (M68kCond){ cond == 3 ? IR_EQ : IR_NE, t, r->a, zero };
        }
        break;
    }
    return (M68kCond){ of_result[cond], t, r->a, zero };       /* V = 0 */
}

IrValue m68k_bool(M68kTr *tr, M68kCond c)
{
    return ir_setcond(tr->ir, c.c, c.t, c.a, c.b);
}

void m68k_store_flags(M68kTr *tr)
{
    ir_commit_pending(tr->ir);
    tr->cc = tr->x = (Recipe){ .dynamic = true };
}
