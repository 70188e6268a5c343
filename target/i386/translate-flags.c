/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lazy flags while translating: setting, testing, materialising.
 * Sources: SDM vol. 1, 3.4.3.1 and appendix B.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

static uint32_t h_cc_eflags(uint32_t cc_op, uint64_t dst, uint64_t src, uint64_t src2)
{
    return x86_cc_eflags(cc_op, dst, src, src2);
}
static const IrHelper cc_eflags = { "cc_eflags", h_cc_eflags, "l:lqqq", IR_H_PURE, 0, 0 };

static IrValue wide(X86Tr *tr, IrValue v)
{
    return ir_zext(tr->ir, IR_I64, v);
}

/* Say to snapshots what tr->fl says. */
static void pend_flags(X86Tr *tr)
{
    const X86Flags *f = &tr->fl;
    IrRegion *ir = tr->ir;

    if (f->dynamic) {
        if (f->op) {
            ir_pend(ir, G_CC_OP, f->op);
            ir_pend(ir, G_CC_DST, f->a);
            ir_pend(ir, G_CC_SRC, f->b);
            ir_pend(ir, G_CC_SRC2, f->c);
        }
        return;
    }
    ir_pend(ir, G_CC_OP, ir_i32(ir, f->kind + (f->kind ? f->size : 0)));
    if (f->a) {
        ir_pend(ir, G_CC_DST, wide(tr, f->a));
    } else {
        ir_unpend(ir, G_CC_DST);
    }
    if (f->b) {
        ir_pend(ir, G_CC_SRC, wide(tr, f->b));
    } else {
        ir_unpend(ir, G_CC_SRC);
    }
    if (f->c) {
        ir_pend(ir, G_CC_SRC2, wide(tr, f->c));
    } else {
        ir_unpend(ir, G_CC_SRC2);
    }
}

void x86_set_flags(X86Tr *tr, unsigned kind, unsigned bytes, IrValue a, IrValue b, IrValue c,
                   IrValue res)
{
    tr->fl = (X86Flags){ .kind = kind, .size = x86_log2(bytes), .a = a, .b = b, .c = c,
                         .res = res };
    pend_flags(tr);
}

void x86_set_flags_value(X86Tr *tr, IrValue eflags)
{
    tr->fl = (X86Flags){ .kind = CC_EFLAGS, .size = 2, .b = eflags };
    pend_flags(tr);
}

void x86_set_flags_logic(X86Tr *tr, unsigned bytes, IrValue res)
{
    x86_set_flags(tr, CC_LOGIC, bytes, res, IR_NO_VALUE, IR_NO_VALUE, res);
}

static IrValue or_get(X86Tr *tr, IrValue v, IrVar g)
{
    return v ? v : ir_get(tr->ir, g);
}

/* The four values that stand for the flags, whatever form they have. */
static void flag_values(X86Tr *tr, const X86Flags *f, IrValue out[4])
{
    IrRegion *ir = tr->ir;

    if (f->dynamic) {
        out[0] = or_get(tr, f->op, G_CC_OP);
        out[1] = or_get(tr, f->a, G_CC_DST);
        out[2] = or_get(tr, f->b, G_CC_SRC);
        out[3] = or_get(tr, f->c, G_CC_SRC2);
    } else {
        out[0] = ir_i32(ir, f->kind + (f->kind ? f->size : 0));
        out[1] = f->a ? wide(tr, f->a) : ir_i64(ir, 0);
        out[2] = f->b ? wide(tr, f->b) : ir_i64(ir, 0);
        out[3] = f->c ? wide(tr, f->c) : ir_i64(ir, 0);
    }
}

void x86_set_flags_if(X86Tr *tr, IrCond c, IrType t, IrValue x, IrValue y, const X86Flags *new)
{
    IrValue old[4], now[4], v[4];

    flag_values(tr, &tr->fl, old);
    flag_values(tr, new, now);
    for (unsigned k = 0; k < 4; k++) {
        v[k] = ir_select(tr->ir, c, t, x, y, k ? IR_I64 : IR_I32, now[k], old[k]);
    }
    tr->fl = (X86Flags){ .dynamic = true, .op = v[0], .a = v[1], .b = v[2], .c = v[3] };
    pend_flags(tr);
}

IrValue x86_flags_value(X86Tr *tr)
{
    static const uint8_t kinds[] = {
        [CC_ADD / 4] = IR_XF_ADD, [CC_ADC / 4] = IR_XF_ADC, [CC_SUB / 4] = IR_XF_SUB,
        [CC_SBB / 4] = IR_XF_SBB, [CC_LOGIC / 4] = IR_XF_LOGIC, [CC_INC / 4] = IR_XF_INC,
        [CC_DEC / 4] = IR_XF_DEC, [CC_SHL / 4] = IR_XF_SHL, [CC_SHR / 4] = IR_XF_SHR,
        [CC_SAR / 4] = IR_XF_SAR,
    };
    X86Flags *f = &tr->fl;
    IrValue v, x[4];

    if (!f->dynamic && f->kind == CC_EFLAGS) {
        return f->b;
    }
    if (f->over) {
        IrValue cf = f->cf;

        tr->fl = tr->fl_base;
        v = ir_and(tr->ir, IR_I32, x86_flags_value(tr), ir_i32(tr->ir, FL_ARITH & ~(FL_CF | FL_OF)));
        v = ir_or(tr->ir, IR_I32, v, tr->fl_over);
        x86_set_flags_value(tr, v);
        tr->fl.cf = cf;
        return v;
    }
    if (f->dynamic || f->kind == CC_MUL) {
        flag_values(tr, f, x);
        v = ir_call(tr->ir, &cc_eflags, 4, x);
    } else {
        IrType t = x86_type(1u << f->size);

        v = ir_x86flags(tr->ir, kinds[f->kind / 4], t, f->a, f->kind == CC_LOGIC ||
                        f->kind == CC_INC || f->kind == CC_DEC ? IR_NO_VALUE : f->b,
                        f->c ? ir_trunc(tr->ir, IR_I8, f->c) : IR_NO_VALUE);
    }
    x86_set_flags_value(tr, v);
    return v;
}

void x86_flags_store(X86Tr *tr)
{
    ir_commit_pending(tr->ir);
    tr->fl = (X86Flags){ .dynamic = true };
}

void x86_change_flags(X86Tr *tr, uint32_t mask, IrValue v, IrValue cf)
{
    IrRegion *ir = tr->ir;
    IrValue old = ir_and(ir, IR_I32, x86_flags_value(tr), ir_i32(ir, FL_ARITH & ~mask));

    x86_set_flags_value(tr, ir_or(ir, IR_I32, old, v));
    tr->fl.cf = cf;
}

void x86_set_cf_of(X86Tr *tr, IrValue bits, IrValue cf, IrType nt, IrValue n)
{
    IrRegion *ir = tr->ir;
    X86Flags base = tr->fl.over ? tr->fl_base : tr->fl;
    IrValue old[4], op;

    if (!tr->fl.dynamic && tr->fl.kind == CC_EFLAGS) {
        IrValue v = ir_and(ir, IR_I32, tr->fl.b, ir_i32(ir, FL_ARITH & ~(FL_CF | FL_OF)));

        v = ir_or(ir, IR_I32, v, bits);
        if (n) {
            v = ir_select(ir, IR_NE, nt, n, ir_const(ir, nt, 0), IR_I32, v, tr->fl.b);
        }
        x86_set_flags_value(tr, v);
        tr->fl.cf = n ? IR_NO_VALUE : cf;
        return;
    }
    flag_values(tr, &tr->fl, old);
    op = ir_or(ir, IR_I32, ir_and(ir, IR_I32, old[0], ir_i32(ir, CC_OVER - 1)), ir_i32(ir, CC_OVER));
    op = ir_or(ir, IR_I32, ir_shl(ir, IR_I32, bits, ir_i32(ir, 16)), op);
    if (n) {
        op = ir_select(ir, IR_NE, nt, n, ir_const(ir, nt, 0), IR_I32, op, old[0]);
    }
    tr->fl = (X86Flags){ .dynamic = true, .op = op, .a = old[1], .b = old[2], .c = old[3] };
    if (!n) {
        tr->fl.cf = cf;
        tr->fl.over = !base.dynamic;
        tr->fl_base = base;
        tr->fl_over = bits;
    }
    pend_flags(tr);
}

void x86_set_zf_only(X86Tr *tr, IrValue zero)
{
    IrRegion *ir = tr->ir;

    x86_set_flags_value(tr, ir_shl(ir, IR_I32, ir_zext(ir, IR_I32, zero), ir_i32(ir, 6)));
}

/* --------------------------------------------------------------- conditions */

static X86Cond never(X86Tr *tr)
{
    return (X86Cond){ IR_NE, IR_I32, ir_i32(tr->ir, 0), ir_i32(tr->ir, 0) };
}

static X86Cond against_zero(X86Tr *tr, IrCond c, IrType t, IrValue v)
{
    return (X86Cond){ c, t, v, ir_const(tr->ir, t, 0) };
}

/* Of the arithmetic flags as bits; @pair: condition number / 2. */
static X86Cond cond_of_bits(X86Tr *tr, unsigned pair, IrValue f)
{
    static const uint16_t mask[] = { FL_OF, FL_CF, FL_ZF, FL_CF | FL_ZF, FL_SF, FL_PF };
    IrRegion *ir = tr->ir;
    IrValue x;

    if (pair < 6) {
        return (X86Cond){ IR_TST_NZ, IR_I32, f, ir_i32(ir, mask[pair]) };
    }
    /* SF != OF: bit 7 of f ^ f >> 4; with ZF at bit 6 for LE. */
    x = ir_xor(ir, IR_I32, f, ir_shr(ir, IR_I32, f, ir_i32(ir, 4)));
    if (pair == 6) {
        return (X86Cond){ IR_TST_NZ, IR_I32, x, ir_i32(ir, FL_SF) };
    }
    x = ir_and(ir, IR_I32, x, ir_i32(ir, FL_SF));
    x = ir_or(ir, IR_I32, x, ir_and(ir, IR_I32, f, ir_i32(ir, FL_ZF)));
    return against_zero(tr, IR_NE, IR_I32, x);
}

/* The result of the operation, for ZF and SF. */
static IrValue flags_result(X86Tr *tr)
{
    X86Flags *f = &tr->fl;
    IrRegion *ir = tr->ir;
    IrType t = x86_type(1u << f->size);

    if (f->res) {
        return f->res;
    }
    switch (f->kind) {
    case CC_ADD: return f->res = ir_add(ir, t, f->a, f->b);
    case CC_SUB: return f->res = ir_sub(ir, t, f->a, f->b);
    case CC_INC: return f->res = ir_add(ir, t, f->a, ir_const(ir, t, 1));
    case CC_DEC: return f->res = ir_sub(ir, t, f->a, ir_const(ir, t, 1));
    case CC_LOGIC: return f->a;
    default: return IR_NO_VALUE;
    }
}

static X86Cond cond_pair(X86Tr *tr, unsigned pair)
{
    enum { O, B, Z, BE, S, P, L, LE };
    const X86Flags *f = &tr->fl;
    IrType t = x86_type(1u << f->size);
    IrValue res;

    if (pair == B && f->cf) {
        return against_zero(tr, IR_NE, ir_value_type(tr->ir, f->cf), f->cf);
    }
    if (f->dynamic) {
        return cond_of_bits(tr, pair, x86_flags_value(tr));
    }
    switch (f->kind) {
    case CC_SUB:
        switch (pair) {
        case B: return (X86Cond){ IR_LTU, t, f->a, f->b };
        case Z: return (X86Cond){ IR_EQ, t, f->a, f->b };
        case BE: return (X86Cond){ IR_LEU, t, f->a, f->b };
        case L: return (X86Cond){ IR_LT, t, f->a, f->b };
        case LE: return (X86Cond){ IR_LE, t, f->a, f->b };
        case S: return against_zero(tr, IR_LT, t, flags_result(tr));
        }
        break;
    case CC_LOGIC:
        switch (pair) {
        case O: case B: return never(tr);
        case Z: case BE: return against_zero(tr, IR_EQ, t, f->a);
        case S: case L: return against_zero(tr, IR_LT, t, f->a);
        case LE: return against_zero(tr, IR_LE, t, f->a);
        }
        break;
    case CC_ADD:
        if (pair == B) {
            return (X86Cond){ IR_LTU, t, flags_result(tr), f->b };
        }
        /* fall through */
    case CC_ADC: case CC_SBB: case CC_SHL: case CC_SHR: case CC_SAR: case CC_INC: case CC_DEC:
        if (pair == B && (f->kind == CC_INC || f->kind == CC_DEC)) {
            return against_zero(tr, IR_NE, ir_value_type(tr->ir, f->c), f->c);
        }
        if (pair == Z || pair == S) {
            res = flags_result(tr);
            if (res) {
                return against_zero(tr, pair == Z ? IR_EQ : IR_LT, t, res);
            }
        }
        break;
    case CC_MUL:
        if (pair == O || pair == B) {
            return against_zero(tr, IR_NE, ir_value_type(tr->ir, f->b), f->b);
        }
        break;
    }
    return cond_of_bits(tr, pair, x86_flags_value(tr));
}

X86Cond x86_cond(X86Tr *tr, unsigned cond)
{
    X86Cond c = cond_pair(tr, cond >> 1);

    if (cond & 1) {
        c.c = ir_cond_invert(c.c);
    }
    return c;
}

IrValue x86_carry(X86Tr *tr)
{
    X86Cond c = x86_cond(tr, 2);

    return ir_setcond(tr->ir, c.c, c.t, c.a, c.b);
}
