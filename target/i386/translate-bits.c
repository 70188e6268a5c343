/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shifts, rotates, bit tests and scans: SDM vol. 1, 7.3.6 and 7.3.7; vol. 2.
 * Counts are masked to 5 bits (6 for 64-bit operands). A count of 0 changes no flag, but a 32-bit
 * register's upper half is cleared all the same.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

extern const IrHelper x86_h_rc, x86_h_rc_flags, x86_h_crc32;

enum { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };

/* The count as a constant (true) or a masked value of type @t. */
static bool shift_count(X86Tr *tr, const X86Insn *i, unsigned n, IrType t, unsigned *imm,
                        IrValue *v)
{
    unsigned mask = i->op[0].size == 8 ? 63 : 31;

    if (i->op[n].kind == XO_IMM) {
        *imm = i->op[n].imm & mask;
        *v = ir_const(tr->ir, t, *imm);
        return true;
    }
    *v = ir_and(tr->ir, IR_I8, x86_reg(tr, R_CX, 1), ir_i8(tr->ir, mask));
    *v = ir_type_bits(t) == 8 ? *v : ir_zext(tr->ir, t, *v);
    return false;
}

static void tr_shift(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, imm = 1;
    IrType t = x86_type(size), wt = size < 4 ? IR_I32 : t;
    IrOpcode op = i->arg == CC_SHL ? IR_SHL : i->arg == CC_SHR ? IR_SHR : IR_SAR;
    IrRegion *ir = tr->ir;
    IrValue a = x86_get_rmw(tr, i, 0), n, w, res;
    bool fixed = shift_count(tr, i, 1, wt, &imm, &n);

    w = op == IR_SAR ? ir_sext(ir, wt, a) : ir_zext(ir, wt, a);
    res = imm ? ir_trunc(ir, t, ir_bin(ir, op, wt, w, n)) : a;
    x86_put(tr, i, 0, res);
    if (fixed) {
        if (imm) {
            x86_set_flags(tr, i->arg, size, a, ir_const(ir, t, imm), IR_NO_VALUE, res);
        }
    } else {
        X86Flags f = { .kind = i->arg, .size = x86_log2(size), .a = a,
                       .b = ir_trunc(ir, t, n) };

        x86_set_flags_if(tr, IR_NE, wt, n, ir_const(ir, wt, 0), &f);
    }
}

/* CF and OF from values that are 0 or 1 (I32); others stay. With @n: only if it isn't 0. */
static void set_cf_of(X86Tr *tr, IrValue cf, IrValue of, bool fixed, IrType nt, IrValue n)
{
    IrRegion *ir = tr->ir;

    x86_set_cf_of(tr, ir_or(ir, IR_I32, cf, ir_shl(ir, IR_I32, of, ir_i32(ir, 11))), cf, nt,
                  fixed ? IR_NO_VALUE : n);
}

static IrValue bit_of(X86Tr *tr, IrType t, IrValue v, unsigned pos)
{
    IrValue x = ir_extract(tr->ir, t, v, pos, 1);

    return t == IR_I64 ? ir_trunc(tr->ir, IR_I32, x) : ir_zext(tr->ir, IR_I32, x);
}

static void tr_rotate(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, width = size * 8, imm = 1;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue a = x86_get_rmw(tr, i, 0), n, res, cf, of;
    bool fixed = shift_count(tr, i, 1, t, &imm, &n);

    res = imm ? ir_bin(ir, i->arg, t, a, n) : a;
    x86_put(tr, i, 0, res);
    if (!imm) {
        return;
    }
    if (i->arg == IR_ROTL) {
        cf = bit_of(tr, t, res, 0);
        of = ir_xor(ir, IR_I32, cf, bit_of(tr, t, res, width - 1));
    } else {
        cf = bit_of(tr, t, res, width - 1);
        of = ir_xor(ir, IR_I32, cf, bit_of(tr, t, res, width - 2));
    }
    set_cf_of(tr, cf, of, fixed, t, n);
}

/* Through the carry. @arg: 1 to the right. */
static void tr_rotate_carry(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, width = size * 8, imm = 2;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue c = x86_carry(tr), a, n, res, cf, of;
    bool fixed;

    a = x86_get_rmw(tr, i, 0);
    fixed = shift_count(tr, i, 1, IR_I32, &imm, &n);
    if (fixed && imm == 0) {
        x86_put(tr, i, 0, a);
        return;
    }
    if (fixed && imm == 1) {
        IrValue one = ir_const(ir, t, 1), top = ir_const(ir, t, width - 1);

        if (i->arg) {
            res = ir_or(ir, t, ir_shr(ir, t, a, one), ir_shl(ir, t, ir_zext(ir, t, c), top));
            cf = bit_of(tr, t, a, 0);
            of = ir_xor(ir, IR_I32, bit_of(tr, t, res, width - 1),
                        bit_of(tr, t, res, width - 2));
        } else {
            res = ir_or(ir, t, ir_shl(ir, t, a, one), ir_zext(ir, t, c));
            cf = bit_of(tr, t, a, width - 1);
            of = ir_xor(ir, IR_I32, cf, bit_of(tr, t, res, width - 1));
        }
        x86_put(tr, i, 0, res);
        set_cf_of(tr, cf, of, true, IR_I32, n);
    } else {
        IrValue info = ir_i32(ir, width | i->arg << 8), wide = ir_zext(ir, IR_I64, a);
        IrValue flags;

        res = X86_CALL(tr, &x86_h_rc, wide, n, ir_zext(ir, IR_I32, c), info);
        flags = X86_CALL(tr, &x86_h_rc_flags, wide, n, ir_zext(ir, IR_I32, c), info);
        x86_put(tr, i, 0, ir_trunc(ir, t, res));
        set_cf_of(tr, ir_and(ir, IR_I32, flags, ir_i32(ir, 1)),
                  ir_shr(ir, IR_I32, flags, ir_i32(ir, 11)), fixed, IR_I32, n);
    }
}

/* SHLD (@arg 0), SHRD (1). */
static void tr_shift_double(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, width = size * 8, imm = 1;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue a = x86_get_rmw(tr, i, 0), b = x86_get(tr, i, 1), n, res, cf, f;
    bool fixed;

    if (size == 2) {
        /* Counts above 16 shift the first operand in again. */
        IrValue wa = ir_zext(ir, IR_I64, a), wb = ir_zext(ir, IR_I64, b), w;

        fixed = shift_count(tr, i, 2, IR_I64, &imm, &n);
        w = ir_or(ir, IR_I64, ir_shl(ir, IR_I64, wa, ir_i64(ir, 32)), wa);
        w = ir_or(ir, IR_I64, w, ir_shl(ir, IR_I64, wb, ir_i64(ir, 16)));
        if (i->arg) {
            res = ir_trunc(ir, t, ir_shr(ir, IR_I64, w, n));
            cf = ir_shr(ir, IR_I64, w, ir_sub(ir, IR_I64, n, ir_i64(ir, 1)));
        } else {
            res = ir_trunc(ir, t, ir_shr(ir, IR_I64, ir_shl(ir, IR_I64, w, n), ir_i64(ir, 32)));
            cf = ir_shr(ir, IR_I64, w, ir_sub(ir, IR_I64, ir_i64(ir, 48), n));
        }
        cf = ir_and(ir, IR_I32, ir_trunc(ir, IR_I32, cf), ir_i32(ir, 1));
        n = ir_trunc(ir, t, n);
    } else {
        IrValue rest;

        fixed = shift_count(tr, i, 2, t, &imm, &n);
        rest = ir_sub(ir, t, ir_const(ir, t, width), n);
        if (i->arg) {
            res = ir_or(ir, t, ir_shr(ir, t, a, n), ir_shl(ir, t, b, rest));
            cf = ir_shr(ir, t, a, ir_sub(ir, t, n, ir_const(ir, t, 1)));
        } else {
            res = ir_or(ir, t, ir_shl(ir, t, a, n), ir_shr(ir, t, b, rest));
            cf = ir_shr(ir, t, a, rest);
        }
        cf = bit_of(tr, t, cf, 0);
        if (!fixed) {
            res = ir_select(ir, IR_NE, t, n, ir_const(ir, t, 0), t, res, a);
        }
    }
    if (fixed && imm == 0) {
        x86_put(tr, i, 0, a);
        return;
    }
    x86_put(tr, i, 0, res);
    f = ir_x86flags(ir, IR_XF_LOGIC, t, res, IR_NO_VALUE, IR_NO_VALUE);
    f = ir_or(ir, IR_I32, f, cf);
    f = ir_or(ir, IR_I32, f, ir_shl(ir, IR_I32, bit_of(tr, t, ir_xor(ir, t, a, res), width - 1),
                                    ir_i32(ir, 11)));
    if (!fixed) {
        f = ir_select(ir, IR_NE, t, n, ir_const(ir, t, 0), IR_I32, f, x86_flags_value(tr));
    }
    x86_set_flags_value(tr, f);
}

/* ---------------------------------------------------------------- bit tests */

static void set_tested_bit(X86Tr *tr, IrType t, IrValue v, IrValue pos)
{
    IrRegion *ir = tr->ir;
    IrValue cf = ir_and(ir, t, ir_shr(ir, t, v, pos), ir_const(ir, t, 1));
    IrValue cf32 = t == IR_I64 ? ir_trunc(ir, IR_I32, cf) : ir_zext(ir, IR_I32, cf);

    x86_change_flags(tr, FL_CF, cf32, cf);
}

static void tr_bit(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size, width = size * 8;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue off = x86_get(tr, i, 1), pos, mask, v, res;
    bool mem = i->op[0].kind == XO_MEM;

    pos = ir_and(ir, t, off, ir_const(ir, t, width - 1));
    mask = ir_shl(ir, t, ir_const(ir, t, 1), pos);
    if (mem) {
        IrValue ea = x86_offset(tr, i);

        if (i->op[1].kind == XO_REG) {
            /* The bit string goes on to both sides of the operand. */
            IrValue step = ir_sar(ir, t, off, ir_const(ir, t, x86_log2(size) + 3));

            step = ir_sext(ir, IR_I64, step);
            ea = ir_add(ir, IR_I64, ea, ir_shl(ir, IR_I64, step, ir_i64(ir, x86_log2(size))));
            if (i->adsize < 8) {
                ea = ir_zext(ir, IR_I64, ir_trunc(ir, x86_type(i->adsize), ea));
            }
        }
        tr->addr = x86_linear_address(tr, i->seg, ea, size, i->arg != BT_TEST);
    }
    if (i->lock) {
        static const IrOpcode ops[] = { 0, IR_ATOMIC_OR, IR_ATOMIC_AND, IR_ATOMIC_XOR };

        v = ir_atomic(ir, ops[i->arg], t, tr->addr,
                      i->arg == BT_RESET ? ir_un(ir, IR_NOT, t, mask) : mask,
                      x86_memop(tr, size) | IR_MO_ATOMIC);
        set_tested_bit(tr, t, v, pos);
        return;
    }
    if (mem) {
        v = ir_ld(ir, t, tr->addr, x86_memop(tr, size) |
                  (i->arg == BT_TEST ? 0 : IR_MO_PROBE_W));
    } else {
        v = x86_get(tr, i, 0);
    }
    switch (i->arg) {
    case BT_SET: res = ir_or(ir, t, v, mask); break;
    case BT_RESET: res = ir_and(ir, t, v, ir_un(ir, IR_NOT, t, mask)); break;
    case BT_COMPLEMENT: res = ir_xor(ir, t, v, mask); break;
    default: res = v; break;
    }
    if (i->arg != BT_TEST) {
        x86_put(tr, i, 0, res);
    }
    set_tested_bit(tr, t, v, pos);
}

/* BSF (@arg 0), BSR (1): ZF says that the source is 0; the destination stays then. */
static void bit_scan(X86Tr *tr, const X86Insn *i, bool reverse)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue v = x86_get(tr, i, 1), old = x86_get(tr, i, 0), n;

    n = reverse ? ir_sub(ir, t, ir_const(ir, t, size * 8 - 1), ir_un(ir, IR_CLZ, t, v))
                : ir_un(ir, IR_CTZ, t, v);
    n = ir_select(ir, IR_NE, t, v, ir_const(ir, t, 0), t, n, old);
    x86_put(tr, i, 0, n);
    x86_set_flags_logic(tr, size, v);
}

static void tr_bit_scan(X86Tr *tr, const X86Insn *i)
{
    bit_scan(tr, i, i->arg);
}

/* TZCNT (0), LZCNT (1): CPUs without them ignore the prefix. */
static void tr_zero_count(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue v, n, cf, zf, zero = ir_const(ir, t, 0);

    if (!x86_insn_has(tr->s, i->arg ? XF_LZCNT : XF_BMI1)) {
        bit_scan(tr, i, i->arg);
        return;
    }
    v = x86_get(tr, i, 1);
    n = ir_un(ir, i->arg ? IR_CLZ : IR_CTZ, t, v);
    x86_put(tr, i, 0, n);
    cf = ir_zext(ir, IR_I32, ir_setcond(ir, IR_EQ, t, v, zero));
    zf = ir_zext(ir, IR_I32, ir_setcond(ir, IR_EQ, t, n, zero));
    x86_set_flags_value(tr, ir_or(ir, IR_I32, cf, ir_shl(ir, IR_I32, zf, ir_i32(ir, 6))));
}

static void tr_popcnt(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrRegion *ir = tr->ir;
    IrValue v = x86_get(tr, i, 1);

    x86_put(tr, i, 0, ir_un(ir, IR_POPCNT, t, v));
    x86_set_zf_only(tr, ir_setcond(ir, IR_EQ, t, v, ir_const(ir, t, 0)));
}

static void tr_crc32(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue v = ir_zext(ir, IR_I64, x86_get(tr, i, 1));
    IrValue crc = X86_CALL(tr, &x86_h_crc32, x86_reg(tr, i->op[0].reg, 4), v,
                           ir_i32(ir, i->op[1].size));

    x86_put_reg(tr, i->op[0].reg, 4, crc);
}

static const X86Handler bit_handlers[] = {
    { "SHL", tr_shift, CC_SHL }, { "SHR", tr_shift, CC_SHR }, { "SAR", tr_shift, CC_SAR },
    { "ROL", tr_rotate, IR_ROTL }, { "ROR", tr_rotate, IR_ROTR },
    { "RCL", tr_rotate_carry, 0 }, { "RCR", tr_rotate_carry, 1 },
    { "SHLD", tr_shift_double, 0 }, { "SHRD", tr_shift_double, 1 },
    { "BT", tr_bit, BT_TEST }, { "BTS", tr_bit, BT_SET }, { "BTR", tr_bit, BT_RESET },
    { "BTC", tr_bit, BT_COMPLEMENT },
    { "BSF", tr_bit_scan, 0 }, { "BSR", tr_bit_scan, 1 },
    { "TZCNT", tr_zero_count, 0 }, { "LZCNT", tr_zero_count, 1 }, { "POPCNT", tr_popcnt, 0 },
    { "CRC32", tr_crc32, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(bit_handlers)
