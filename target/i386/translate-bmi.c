/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BMI1 and BMI2 in VEX encoding (SDM vol. 2); TZCNT and the like: translate-bits.c. Flags
 * that the manual leaves undefined are cleared.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

static IrValue constant(X86Tr *tr, IrType t, uint64_t v)
{
    return ir_const(tr->ir, t, v);
}

/* SF and ZF of @res, CF as given (I8 0 or 1), the others 0. */
static void set_flags(X86Tr *tr, IrType t, IrValue res, IrValue cf)
{
    IrRegion *ir = tr->ir;
    IrValue zf = ir_zext(ir, IR_I32, ir_setcond(ir, IR_EQ, t, res, constant(tr, t, 0)));
    IrValue sf = ir_zext(ir, IR_I32, ir_setcond(ir, IR_LT, t, res, constant(tr, t, 0)));
    IrValue f = ir_or(ir, IR_I32, ir_shl(ir, IR_I32, zf, ir_i32(ir, 6)),
                      ir_shl(ir, IR_I32, sf, ir_i32(ir, 7)));

    x86_set_flags_value(tr, cf ? ir_or(ir, IR_I32, f, ir_zext(ir, IR_I32, cf)) : f);
}

static void tr_andn(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrValue b = x86_get(tr, i, 2);
    IrValue r = ir_and(tr->ir, t, ir_un(tr->ir, IR_NOT, t, x86_get(tr, i, 1)), b);

    x86_put(tr, i, 0, r);
    x86_set_flags_logic(tr, size, r);
}

enum { BLS_R, BLS_MSK, BLS_I };

/* CF: BLSI's is set for a source other than 0, the others' for 0. */
static void tr_bls(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrRegion *ir = tr->ir;
    IrValue v = x86_get(tr, i, 1), less = ir_sub(ir, t, v, constant(tr, t, 1)), r, cf;

    switch (i->arg) {
    case BLS_R: r = ir_and(ir, t, v, less); break;
    case BLS_MSK: r = ir_xor(ir, t, v, less); break;
    default: r = ir_and(ir, t, v, ir_un(ir, IR_NEG, t, v)); break;
    }
    cf = ir_setcond(ir, i->arg == BLS_I ? IR_NE : IR_EQ, t, v, constant(tr, t, 0));
    x86_put(tr, i, 0, r);
    set_flags(tr, t, r, cf);
}

/* The lowest @n bits of @v; all from the width on. @n < 256. */
static IrValue low_bits(X86Tr *tr, IrType t, IrValue v, IrValue n)
{
    IrRegion *ir = tr->ir;
    IrValue one = constant(tr, t, 1);
    IrValue mask = ir_sub(ir, t, ir_shl(ir, t, one, n), one);

    return ir_select(ir, IR_LTU, t, n, constant(tr, t, ir_type_bits(t)), t,
                     ir_and(ir, t, v, mask), v);
}

static void tr_bextr(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrRegion *ir = tr->ir;
    IrValue v = x86_get(tr, i, 1), control = x86_get(tr, i, 2), r;
    IrValue start = ir_and(ir, t, control, constant(tr, t, 0xff));

    r = ir_select(ir, IR_LTU, t, start, constant(tr, t, ir_type_bits(t)), t,
                  ir_shr(ir, t, v, start), constant(tr, t, 0));
    r = low_bits(tr, t, r, ir_extract(ir, t, control, 8, 8));
    x86_put(tr, i, 0, r);
    x86_set_flags_value(tr, ir_shl(ir, IR_I32, ir_zext(ir, IR_I32, ir_setcond(ir, IR_EQ, t, r,
                                               constant(tr, t, 0))), ir_i32(ir, 6)));
}

static void tr_bzhi(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrRegion *ir = tr->ir;
    IrValue v = x86_get(tr, i, 1);
    IrValue n = ir_and(ir, t, x86_get(tr, i, 2), constant(tr, t, 0xff));
    IrValue r = low_bits(tr, t, v, n);

    x86_put(tr, i, 0, r);
    set_flags(tr, t, r, ir_setcond(ir, IR_GTU, t, n, constant(tr, t, ir_type_bits(t) - 1)));
}

/* Bits of @mask gathered at the bottom (PEXT), and spread (PDEP). */
static uint64_t pext(uint64_t v, uint64_t mask)
{
    uint64_t r = 0;

    for (unsigned n = 0; mask; mask &= mask - 1, n++) {
        r |= v & (mask & -mask) ? UINT64_C(1) << n : 0;
    }
    return r;
}

static uint64_t pdep(uint64_t v, uint64_t mask)
{
    uint64_t r = 0;

    for (; mask; mask &= mask - 1, v >>= 1) {
        r |= v & 1 ? mask & -mask : 0;
    }
    return r;
}

static const IrHelper h_pext = { "pext", pext, "q:qq", IR_H_PURE, 0, 0 };
static const IrHelper h_pdep = { "pdep", pdep, "q:qq", IR_H_PURE, 0, 0 };

static void tr_pext(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrRegion *ir = tr->ir;
    IrValue mask = ir_zext(ir, IR_I64, x86_get(tr, i, 2));
    IrValue v = ir_zext(ir, IR_I64, x86_get(tr, i, 1));

    v = IR_CALL(ir, i->arg ? &h_pdep : &h_pext, v, mask);
    x86_put(tr, i, 0, ir_trunc(ir, t, v));
}

/* The upper half's register is written last, should they be the same. */
static void tr_mulx(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrRegion *ir = tr->ir;
    IrValue b = x86_get(tr, i, 2), a = x86_reg(tr, R_DX, i->op[0].size);
    IrValue low = ir_mul(ir, t, a, b), high = ir_mulhu(ir, t, a, b);

    x86_put(tr, i, 1, low);
    x86_put(tr, i, 0, high);
}

static void tr_shift_x(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrValue v = x86_get(tr, i, 1);
    IrValue n = i->op[2].kind == XO_IMM ? constant(tr, t, i->op[2].imm) : x86_get(tr, i, 2);

    n = ir_and(tr->ir, t, n, constant(tr, t, ir_type_bits(t) - 1));
    x86_put(tr, i, 0, ir_bin(tr->ir, i->arg, t, v, n));
}

static const X86Handler bmi_handlers[] = {
    { "ANDN", tr_andn, 0 }, { "BLSR", tr_bls, BLS_R }, { "BLSMSK", tr_bls, BLS_MSK },
    { "BLSI", tr_bls, BLS_I }, { "BEXTR", tr_bextr, 0 }, { "BZHI", tr_bzhi, 0 },
    { "PEXT", tr_pext, 0 }, { "PDEP", tr_pext, 1 }, { "MULX", tr_mulx, 0 },
    { "SHLX", tr_shift_x, IR_SHL }, { "SHRX", tr_shift_x, IR_SHR }, { "SARX", tr_shift_x, IR_SAR },
    { "RORX", tr_shift_x, IR_ROTR },
    { NULL, NULL, 0 }
};
X86_HANDLERS(bmi_handlers)
