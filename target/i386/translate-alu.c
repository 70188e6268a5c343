/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic and logic: SDM vol. 1, 7.3.2 to 7.3.5, operation sections of vol. 2.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/* LOCK: the address and the operation word of the memory operand. */
static IrValue locked_address(X86Tr *tr, const X86Insn *i, IrMemOp *mo)
{
    *mo = x86_memop(tr, i->op[0].size) | IR_MO_ATOMIC;
    return x86_address(tr, i, i->op[0].size, true);
}

static IrValue alu_result(X86Tr *tr, unsigned op, IrType t, IrValue a, IrValue b, IrValue c)
{
    IrRegion *ir = tr->ir;

    switch (op) {
    case ALU_ADD: return ir_add(ir, t, a, b);
    case ALU_OR: return ir_or(ir, t, a, b);
    case ALU_ADC: return ir_add(ir, t, ir_add(ir, t, a, b), ir_zext(ir, t, c));
    case ALU_SBB: return ir_sub(ir, t, ir_sub(ir, t, a, b), ir_zext(ir, t, c));
    case ALU_AND: return ir_and(ir, t, a, b);
    case ALU_XOR: return ir_xor(ir, t, a, b);
    default: return ir_sub(ir, t, a, b);
    }
}

static void alu_flags(X86Tr *tr, unsigned op, unsigned size, IrValue a, IrValue b, IrValue c,
                      IrValue res)
{
    switch (op) {
    case ALU_ADD: x86_set_flags(tr, CC_ADD, size, a, b, IR_NO_VALUE, res); break;
    case ALU_ADC: x86_set_flags(tr, CC_ADC, size, a, b, c, res); break;
    case ALU_SBB: x86_set_flags(tr, CC_SBB, size, a, b, c, res); break;
    case ALU_SUB:
    case ALU_CMP: x86_set_flags(tr, CC_SUB, size, a, b, IR_NO_VALUE, res); break;
    default: x86_set_flags_logic(tr, size, res); break;
    }
}

static void tr_alu(X86Tr *tr, const X86Insn *i)
{
    unsigned op = i->arg, size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue a, b, c = IR_NO_VALUE, res;

    b = x86_get(tr, i, 1);
    if (op == ALU_ADC || op == ALU_SBB) {
        c = x86_carry(tr);
    }
    if (i->lock) {
        IrMemOp mo;
        IrValue addr = locked_address(tr, i, &mo), v = b;

        if (op == ALU_ADC || op == ALU_SBB) {
            v = ir_add(ir, t, b, ir_zext(ir, t, c));
        }
        if (op == ALU_SUB || op == ALU_SBB) {
            v = ir_un(ir, IR_NEG, t, v);
        }
        a = ir_atomic(ir, op == ALU_AND ? IR_ATOMIC_AND : op == ALU_OR ? IR_ATOMIC_OR :
                      op == ALU_XOR ? IR_ATOMIC_XOR : IR_ATOMIC_ADD, t, addr, v, mo);
        alu_flags(tr, op, size, a, b, c, alu_result(tr, op, t, a, b, c));
        return;
    }
    a = op == ALU_CMP ? x86_get(tr, i, 0) : x86_get_rmw(tr, i, 0);
    if (op == ALU_CMP) {
        x86_set_flags(tr, CC_SUB, size, a, b, IR_NO_VALUE, IR_NO_VALUE);
        return;
    }
    res = alu_result(tr, op, t, a, b, c);
    x86_put(tr, i, 0, res);
    alu_flags(tr, op, size, a, b, c, res);
}

static void tr_test(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrValue a = x86_get(tr, i, 0);

    x86_set_flags_logic(tr, size, ir_and(tr->ir, x86_type(size), a, x86_get(tr, i, 1)));
}

/* CF is kept. */
static void tr_incdec(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue step = ir_const(ir, t, i->arg == CC_INC ? 1 : -1), c = x86_carry(tr), a, res;

    if (i->lock) {
        IrMemOp mo;
        IrValue addr = locked_address(tr, i, &mo);

        a = ir_atomic(ir, IR_ATOMIC_ADD, t, addr, step, mo);
        res = ir_add(ir, t, a, step);
    } else {
        a = x86_get_rmw(tr, i, 0);
        res = ir_add(ir, t, a, step);
        x86_put(tr, i, 0, res);
    }
    x86_set_flags(tr, i->arg, size, a, IR_NO_VALUE, c, res);
}

static void tr_neg(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue a, res;

    if (i->lock) {
        IrBlockId again;
        IrMemOp mo;
        IrValue addr, old;

        x86_flags_store(tr);
        again = ir_block_new(ir);
        x86_begin_block(tr, again);
        addr = locked_address(tr, i, &mo);
        a = ir_ld(ir, t, addr, x86_memop(tr, size) | IR_MO_PROBE_W);
        res = ir_un(ir, IR_NEG, t, a);
        old = ir_cmpxchg(ir, t, addr, a, res, mo);
        ir_brcond(ir, IR_NE, t, old, a, again);
    } else {
        a = x86_get_rmw(tr, i, 0);
        res = ir_un(ir, IR_NEG, t, a);
        x86_put(tr, i, 0, res);
    }
    x86_set_flags(tr, CC_SUB, size, ir_const(ir, t, 0), a, IR_NO_VALUE, res);
}

static void tr_not(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);

    if (i->lock) {
        IrMemOp mo;
        IrValue addr = locked_address(tr, i, &mo);

        ir_atomic(tr->ir, IR_ATOMIC_XOR, t, addr, ir_const(tr->ir, t, -1), mo);
        return;
    }
    x86_put(tr, i, 0, ir_un(tr->ir, IR_NOT, t, x86_get_rmw(tr, i, 0)));
}

static void tr_xadd(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrValue b = x86_get(tr, i, 1), a, res;

    if (i->lock) {
        IrMemOp mo;
        IrValue addr = locked_address(tr, i, &mo);

        a = ir_atomic(tr->ir, IR_ATOMIC_ADD, t, addr, b, mo);
        res = ir_add(tr->ir, t, a, b);
        x86_put(tr, i, 1, a);
    } else {
        a = x86_get_rmw(tr, i, 0);
        res = ir_add(tr->ir, t, a, b);
        if (i->op[0].kind == XO_MEM) {
            x86_put(tr, i, 0, res);
            x86_put(tr, i, 1, a);
        } else {
            x86_put(tr, i, 1, a);
            x86_put(tr, i, 0, res);
        }
    }
    x86_set_flags(tr, CC_ADD, size, a, b, IR_NO_VALUE, res);
}

static void tr_cmpxchg(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue acc = x86_reg(tr, R_AX, size), src = x86_get(tr, i, 1), old;
    IrValue full = x86_reg(tr, R_AX, 8);

    if (i->lock) {
        IrMemOp mo;
        IrValue addr = locked_address(tr, i, &mo);

        old = ir_cmpxchg(ir, t, addr, acc, src, mo);
    } else {
        IrValue v;

        old = x86_get_rmw(tr, i, 0);
        v = ir_select(ir, IR_EQ, t, acc, old, t, src, old);
        if (i->op[0].kind == XO_MEM) {
            x86_put(tr, i, 0, v);
        } else if (i->op[0].reg == R_AX && !i->op[0].high) {
            /* The accumulator equals itself. */
            x86_put(tr, i, 0, v);
            x86_set_flags(tr, CC_SUB, size, acc, old, IR_NO_VALUE, IR_NO_VALUE);
            return;
        } else if (size == 4) {
            /* So is a destination register: its upper half stays if they differ. */
            x86_put_reg(tr, i->op[0].reg, 8,
                        ir_select(ir, IR_EQ, t, acc, old, IR_I64, ir_zext(ir, IR_I64, src),
                                  x86_reg(tr, i->op[0].reg, 8)));
        } else {
            if (size == 4) {
                /* A register that isn't exchanged keeps its upper half. */
                IrValue d = x86_reg(tr, i->op[0].reg, 8);

                x86_put_reg(tr, i->op[0].reg, 8, ir_select(ir, IR_EQ, t, acc, old, IR_I64,
                                                           ir_zext(ir, IR_I64, src), d));
            } else {
                x86_put(tr, i, 0, v);
            }
            full = x86_reg(tr, R_AX, 8);
        }
    }
    if (size == 4) {
        /* RAX is written only if they differ. */
        x86_put_reg(tr, R_AX, 8, ir_select(ir, IR_EQ, t, acc, old, IR_I64, full,
                                           ir_zext(ir, IR_I64, old)));
    } else {
        IrValue now = i->op[0].high && i->op[0].reg == R_AX ? x86_reg(tr, R_AX, size) : acc;

        x86_put_reg(tr, R_AX, size, ir_select(ir, IR_EQ, t, acc, old, t, now, old));
    }
    x86_set_flags(tr, CC_SUB, size, acc, old, IR_NO_VALUE, IR_NO_VALUE);
}

/* ------------------------------------------------- multiplication, division */

static void mul_flags(X86Tr *tr, unsigned size, IrValue low, IrValue over)
{
    x86_set_flags(tr, CC_MUL, size, low, over, IR_NO_VALUE, IR_NO_VALUE);
}

/* MUL, IMUL with one operand: @arg is 1 for signed. */
static void tr_mul(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, width = size * 8;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    bool sgn = i->arg;
    IrValue a = x86_get(tr, i, 0), b = x86_reg(tr, R_AX, size), lo, hi, over;

    if (size == 8) {
        lo = ir_mul(ir, t, a, b);
        hi = sgn ? ir_mulhs(ir, t, a, b) : ir_mulhu(ir, t, a, b);
    } else {
        IrValue p = sgn ? ir_mul(ir, IR_I64, ir_sext(ir, IR_I64, a), ir_sext(ir, IR_I64, b))
                        : ir_mul(ir, IR_I64, ir_zext(ir, IR_I64, a), ir_zext(ir, IR_I64, b));

        lo = ir_trunc(ir, t, p);
        hi = ir_trunc(ir, t, ir_shr(ir, IR_I64, p, ir_i64(ir, width)));
        if (size == 1) {
            x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, p));
        }
    }
    over = sgn ? ir_xor(ir, t, hi, ir_sar(ir, t, lo, ir_const(ir, t, width - 1))) : hi;
    if (size != 1) {
        x86_put_reg(tr, R_AX, size, lo);
        x86_put_reg(tr, R_DX, size, hi);
    }
    mul_flags(tr, size, lo, over);
}

static void imul_truncated(X86Tr *tr, const X86Insn *i, IrValue a, IrValue b)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue lo, over;

    if (size == 8) {
        lo = ir_mul(ir, t, a, b);
        over = ir_xor(ir, t, ir_mulhs(ir, t, a, b), ir_sar(ir, t, lo, ir_i64(ir, 63)));
    } else {
        IrValue p = ir_mul(ir, IR_I64, ir_sext(ir, IR_I64, a), ir_sext(ir, IR_I64, b));

        lo = ir_mul(ir, t, a, b);
        over = ir_zext(ir, t, ir_setcond(ir, IR_NE, IR_I64, p, ir_sext(ir, IR_I64, lo)));
    }
    x86_put(tr, i, 0, lo);
    mul_flags(tr, size, lo, over);
}

static void tr_imul2(X86Tr *tr, const X86Insn *i)
{
    IrValue a = x86_get(tr, i, 0);

    imul_truncated(tr, i, a, x86_get(tr, i, 1));
}

static void tr_imul3(X86Tr *tr, const X86Insn *i)
{
    IrValue a = x86_get(tr, i, 1);

    imul_truncated(tr, i, a, x86_get(tr, i, 2));
}

/* #DE if the quotient doesn't fit; the flags are undefined and stay. */
static void tr_div(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = size < 4 ? IR_I32 : x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue d = x86_get(tr, i, 0), hi, lo, q, r;

    if (size == 1) {
        IrValue ax = x86_reg(tr, R_AX, 2);

        lo = ir_zext(ir, t, ax);
        hi = ir_shr(ir, t, lo, ir_i32(ir, 8));
        d = ir_zext(ir, t, d);
    } else if (size == 2) {
        d = ir_zext(ir, t, d);
        hi = ir_zext(ir, t, x86_reg(tr, R_DX, 2));
        lo = ir_or(ir, t, ir_shl(ir, t, hi, ir_i32(ir, 16)),
                   ir_zext(ir, t, x86_reg(tr, R_AX, 2)));
    } else {
        hi = x86_reg(tr, R_DX, size);
        lo = x86_reg(tr, R_AX, size);
    }
    x86_fault_if(tr, IR_GEU, t, hi, d, EXCP_DE, false, 0);      /* and d == 0 */
    q = ir_div2(ir, false, t, size < 4 ? ir_i32(ir, 0) : hi, lo, d);
    r = ir_second(ir, q);
    if (size == 1) {
        q = ir_and(ir, t, q, ir_i32(ir, 0xff));
        r = ir_shl(ir, t, r, ir_i32(ir, 8));
        x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, ir_or(ir, t, q, r)));
    } else {
        x86_put_reg(tr, R_AX, size, ir_trunc(ir, x86_type(size), q));
        x86_put_reg(tr, R_DX, size, ir_trunc(ir, x86_type(size), r));
    }
}

extern const IrHelper x86_h_idiv64;

/*
 * What CDQ and CQO made: the dividend is as wide as the divisor, which is neither 0 (#DE) nor -1
 * (overflow). Other cases run alone, as the general one.
 */
static void idiv_narrow(X86Tr *tr, unsigned size, IrValue d)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(size);
    IrValue lo = x86_reg(tr, R_AX, size), hi = x86_reg(tr, R_DX, size), q, r;
    IrValue sign = ir_sar(ir, t, lo, ir_const(ir, t, 8 * size - 1));

    x86_fault_if(tr, IR_NE, t, hi, sign, X86_RETRY_ALONE, false, 0);
    x86_fault_if(tr, IR_LEU, t, ir_add(ir, t, d, ir_const(ir, t, 1)), ir_const(ir, t, 1),
                 X86_RETRY_ALONE, false, 0);
    q = ir_div2(ir, true, t, sign, lo, d);
    r = ir_second(ir, q);
    x86_put_reg(tr, R_AX, size, q);
    x86_put_reg(tr, R_DX, size, r);
}

static void tr_idiv(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType n_t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue d = x86_get(tr, i, 0), n, q, r, low;

    if (size >= 4 && !tr->one) {
        idiv_narrow(tr, size, d);
        return;
    }
    if (size == 8) {
        X86_CALL(tr, &x86_h_idiv64, d);
        return;
    }
    /* In 64 bits: only -2^63 / -1 can't be done, and is too large anyway. */
    d = ir_sext(ir, IR_I64, d);
    if (size == 1) {
        n = ir_sext(ir, IR_I64, x86_reg(tr, R_AX, 2));
    } else if (size == 2) {
        n = ir_or(ir, IR_I32, ir_shl(ir, IR_I32, ir_zext(ir, IR_I32, x86_reg(tr, R_DX, 2)),
                                     ir_i32(ir, 16)),
                  ir_zext(ir, IR_I32, x86_reg(tr, R_AX, 2)));
        n = ir_sext(ir, IR_I64, n);
    } else {
        IrValue hi = ir_shl(ir, IR_I64, x86_reg(tr, R_DX, 8), ir_i64(ir, 32));

        n = ir_or(ir, IR_I64, hi, ir_zext(ir, IR_I64, x86_reg(tr, R_AX, 4)));
    }
    x86_fault_if(tr, IR_EQ, IR_I64, d, ir_i64(ir, 0), EXCP_DE, false, 0);
    if (size == 4) {
        IrValue not_min = ir_xor(ir, IR_I64, n, ir_i64(ir, BIT64(63)));
        IrValue not_m1 = ir_un(ir, IR_NOT, IR_I64, d);

        x86_fault_if(tr, IR_EQ, IR_I64, ir_or(ir, IR_I64, not_min, not_m1), ir_i64(ir, 0),
                     EXCP_DE, false, 0);
    }
    q = ir_div2(ir, true, IR_I64, ir_sar(ir, IR_I64, n, ir_i64(ir, 63)), n, d);
    r = ir_second(ir, q);
    low = ir_trunc(ir, n_t, q);
    x86_fault_if(tr, IR_NE, IR_I64, ir_sext(ir, IR_I64, low), q, EXCP_DE, false, 0);
    if (size == 1) {
        IrValue ah = ir_shl(ir, IR_I64, r, ir_i64(ir, 8));

        q = ir_and(ir, IR_I64, q, ir_i64(ir, 0xff));
        x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, ir_or(ir, IR_I64, q, ah)));
    } else {
        x86_put_reg(tr, R_AX, size, low);
        x86_put_reg(tr, R_DX, size, ir_trunc(ir, n_t, r));
    }
}

/* ------------------------------------------------------ decimal adjustments */

extern const IrHelper x86_h_daa, x86_h_das, x86_h_aaa, x86_h_aas;

/* helper(AX, flags) = AX | flags << 16. */
static void tr_adjust(X86Tr *tr, const X86Insn *i)
{
    static const IrHelper *const helpers[] = { &x86_h_daa, &x86_h_das, &x86_h_aaa, &x86_h_aas };
    IrRegion *ir = tr->ir;
    IrValue v = X86_CALL(tr, helpers[i->arg], ir_zext(ir, IR_I32, x86_reg(tr, R_AX, 2)),
                         x86_flags_value(tr));

    x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, v));
    x86_set_flags_value(tr, ir_shr(ir, IR_I32, v, ir_i32(ir, 16)));
}

static void tr_aam(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned base = i->op[0].imm & 0xff;
    IrValue al = ir_zext(ir, IR_I32, x86_reg(tr, R_AX, 1)), q, r;

    if (base == 0) {
        x86_fault(tr, EXCP_DE);
        return;
    }
    q = ir_div2(ir, false, IR_I32, ir_i32(ir, 0), al, ir_i32(ir, base));
    r = ir_second(ir, q);
    q = ir_shl(ir, IR_I32, q, ir_i32(ir, 8));
    x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, ir_or(ir, IR_I32, q, r)));
    x86_set_flags_logic(tr, 1, ir_trunc(ir, IR_I8, r));
}

static void tr_aad(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue ax = ir_zext(ir, IR_I32, x86_reg(tr, R_AX, 2)), v;

    v = ir_mul(ir, IR_I32, ir_shr(ir, IR_I32, ax, ir_i32(ir, 8)),
               ir_i32(ir, i->op[0].imm & 0xff));
    v = ir_and(ir, IR_I32, ir_add(ir, IR_I32, v, ax), ir_i32(ir, 0xff));
    x86_put_reg(tr, R_AX, 2, ir_trunc(ir, IR_I16, v));
    x86_set_flags_logic(tr, 1, ir_trunc(ir, IR_I8, v));
}

static void tr_adcx(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, bit = i->arg;        /* FL_CF or FL_OF */
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    X86Cond k = x86_cond(tr, bit == FL_CF ? 2 : 0);
    IrValue c = ir_setcond(ir, k.c, k.t, k.a, k.b);
    IrValue a = x86_get(tr, i, 0), b = x86_get(tr, i, 1), s, res, out;

    s = ir_add(ir, t, a, b);
    res = ir_add(ir, t, s, ir_zext(ir, t, c));
    out = ir_bin(ir, IR_OR, IR_I8, ir_setcond(ir, IR_LTU, t, s, a),
                 ir_setcond(ir, IR_LTU, t, res, s));
    out = ir_zext(ir, IR_I32, out);
    x86_put(tr, i, 0, res);
    x86_change_flags(tr, bit, ir_mul(ir, IR_I32, out, ir_i32(ir, bit)), IR_NO_VALUE);
}

static const X86Handler alu_handlers[] = {
    { "ADD", tr_alu, ALU_ADD }, { "OR", tr_alu, ALU_OR }, { "ADC", tr_alu, ALU_ADC },
    { "SBB", tr_alu, ALU_SBB }, { "AND", tr_alu, ALU_AND }, { "SUB", tr_alu, ALU_SUB },
    { "XOR", tr_alu, ALU_XOR }, { "CMP", tr_alu, ALU_CMP },
    { "TEST", tr_test, 0 }, { "INC", tr_incdec, CC_INC }, { "DEC", tr_incdec, CC_DEC },
    { "NEG", tr_neg, 0 }, { "NOT", tr_not, 0 }, { "XADD", tr_xadd, 0 },
    { "CMPXCHG", tr_cmpxchg, 0 },
    { "MUL", tr_mul, 0 }, { "IMUL1", tr_mul, 1 }, { "IMUL2", tr_imul2, 0 },
    { "IMUL3", tr_imul3, 0 }, { "DIV", tr_div, 0 }, { "IDIV", tr_idiv, 0 },
    { "DAA", tr_adjust, 0 }, { "DAS", tr_adjust, 1 }, { "AAA", tr_adjust, 2 },
    { "AAS", tr_adjust, 3 }, { "AAM", tr_aam, 0 }, { "AAD", tr_aad, 0 },
    { "ADCX", tr_adcx, FL_CF }, { "ADOX", tr_adcx, FL_OF },
    { NULL, NULL, 0 }
};
X86_HANDLERS(alu_handlers)
