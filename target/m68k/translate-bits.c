/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shifts and rotates (PRM 3.1.4), single bits and bit fields (3.1.5), TAS. */
#include "util/osdep.h"
#include "target/m68k/translate.h"
#include "target/m68k/helpers.h"

enum { SH_AS, SH_LS, SH_ROX, SH_RO };

/*
 * Any shift by a count that isn't known, 0 to 63 (PRM, ASL and following). Result in bits 0-31,
 * N Z V C at 32, X at 36.
 */
static uint64_t shift(unsigned kind, bool left, unsigned bits, uint32_t v, unsigned n, uint32_t x)
{
    uint64_t mask = UINT64_MAX >> (64 - bits), u = v & mask, res = u, c = 0, over = 0;
    uint64_t top = (uint64_t)1 << (bits - 1);

    switch (kind) {
    case SH_AS: case SH_LS:
        if (n == 0) {
            break;
        }
        if (left) {
            c = n <= bits ? u >> (bits - n) & 1 : 0;
            res = n < bits ? u << n & mask : 0;
            if (kind == SH_AS) {
                /* Did the sign change at any time? */
                uint64_t seen = n < bits ? mask & ~(mask >> (n + 1)) : mask;

                over = n >= bits ? u != 0 : (u & seen) != 0 && (u & seen) != seen;
            }
        } else if (kind == SH_AS) {
            int64_t s = (int64_t)(u ^ top) - (int64_t)top;

            c = (uint64_t)(s >> (n - 1)) & 1;
            res = (uint64_t)(s >> n) & mask;
        } else {
            c = n <= bits ? u >> (n - 1) & 1 : 0;
            res = n < bits ? u >> n : 0;
        }
        x = (uint32_t)c;
        break;
    case SH_ROX: {
        /* Bits + 1 places, X on top. */
        unsigned m = n % (bits + 1);
        uint64_t wide = u | (uint64_t)x << bits, all = mask << 1 | 1;

        if (m) {
            wide = (left ? wide << m | wide >> (bits + 1 - m) : wide >> m | wide << (bits + 1 - m)) & all;
        }
        res = wide & mask;
        x = wide >> bits & 1;
        c = x;
        break;
    }
    default: {
        unsigned m = n % bits;

        if (m) {
            res = (left ? u << m | u >> (bits - m) : u >> m | u << (bits - m)) & mask;
        }
        c = n ? (left ? res & 1 : res >> (bits - 1)) : 0;
        break;
    }
    }
    return res | (uint64_t)((res & top ? CCR_N : 0) | (res ? 0 : CCR_Z) | (over ? CCR_V : 0) |
                            (c ? CCR_C : 0) | (x ? CCR_X : 0)) << 32;
}

static uint64_t h_shift(uint32_t how, uint32_t v, uint32_t n, uint32_t x)
{
    return shift(how & 3, how & 4, how >> 8, v, n, x & 1);
}
static const IrHelper shift_helper = { "m68k_shift", h_shift, "q:llll", IR_H_PURE, 0, 0 };

static IrValue by_helper(M68kTr *tr, unsigned kind, bool left, unsigned size, IrValue v, IrValue n)
{
    IrRegion *ir = tr->ir;
    IrValue r = IR_CALL(ir, &shift_helper, ir_i32(ir, kind | (left ? 4u : 0) | 8u << size << 8),
                        ir_zext(ir, IR_I32, v), n, m68k_x(tr));
    IrValue f = ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, r, ir_i64(ir, 32)));

    m68k_set_flags(tr, ir_and(ir, IR_I32, f, ir_i32(ir, 15)));
    if (kind != SH_RO) {
        m68k_set_x(tr, ir_extract(ir, IR_I32, f, 4, 1));
    }
    return ir_trunc(ir, m68k_type(size), r);
}

/*
 * By a count 0 to 63 in a register, without a loop: the operand moves through 64 bits, of which one catches
 * C. Not for ASL, whose V needs all that went out, nor for ROXL, ROXR.
 */
static IrValue by_register(M68kTr *tr, unsigned kind, bool left, unsigned size, IrValue v, IrValue n)
{
    IrRegion *ir = tr->ir;
    IrType t = m68k_type(size);
    unsigned bits = 8u << size;
    IrValue zero = ir_i32(ir, 0), one = ir_i64(ir, 1), n64 = ir_zext(ir, IR_I64, n), wide, res, c;

    if (kind == SH_RO) {
        res = ir_bin(ir, left ? IR_ROTL : IR_ROTR, t, v, ir_trunc(ir, t, n));
        m68k_set_cc(tr, left ? CC_ROTL : CC_ROTR, size, res, m68k_reg(tr, tr->op >> 9 & 7, 2), res, IR_NO_VALUE);
        return res;
    } else if (left) {
        wide = ir_shl(ir, IR_I64, ir_zext(ir, IR_I64, v), n64);
        res = ir_trunc(ir, t, wide);
        c = ir_trunc(ir, IR_I32, ir_extract(ir, IR_I64, wide, bits, 1));
    } else {
        wide = ir_shl(ir, IR_I64, kind == SH_AS ? ir_sext(ir, IR_I64, v) : ir_zext(ir, IR_I64, v), one);
        wide = ir_bin(ir, kind == SH_AS ? IR_SAR : IR_SHR, IR_I64, wide, n64);
        res = ir_trunc(ir, t, ir_shr(ir, IR_I64, wide, one));
        c = ir_and(ir, IR_I32, ir_trunc(ir, IR_I32, wide), ir_i32(ir, 1));
    }
    m68k_set_x(tr, ir_select(ir, IR_EQ, IR_I32, n, zero, IR_I32, m68k_x(tr), c));
    m68k_set_cc(tr, CC_SHIFT, size, res, c, res, IR_NO_VALUE);
    return res;
}

/* By a constant, 1 or more; below the operand's width without the helper. */
static IrValue by_constant(M68kTr *tr, unsigned kind, bool left, unsigned size, IrValue v, unsigned n)
{
    IrRegion *ir = tr->ir;
    IrType t = m68k_type(size);
    unsigned bits = 8u << size;
    IrValue count = ir_const(ir, t, n), res, c;

    if (n >= bits || kind == SH_ROX) {
        return by_helper(tr, kind, left, size, v, ir_i32(ir, n));
    }
    if (kind == SH_RO) {
        res = ir_bin(ir, left ? IR_ROTL : IR_ROTR, t, v, count);
        m68k_set_cc(tr, left ? CC_ROTL : CC_ROTR, size, res, ir_i32(ir, n), res, IR_NO_VALUE);
        return res;
    }
    c = ir_zext(ir, IR_I32, ir_extract(ir, t, v, left ? bits - n : n - 1, 1));
    res = ir_bin(ir, left ? IR_SHL : kind == SH_AS ? IR_SAR : IR_SHR, t, v, count);
    if (kind == SH_AS && left) {
        /* V: the n + 1 upper bits aren't all alike. */
        IrValue up = ir_sar(ir, t, v, ir_const(ir, t, bits - 1 - n));
        IrValue sign = ir_sar(ir, t, v, ir_const(ir, t, bits - 1));
        IrValue over = ir_zext(ir, IR_I32, ir_setcond(ir, IR_NE, t, up, sign));

        m68k_set_flags(tr, ir_or(ir, IR_I32, ir_or(ir, IR_I32, m68k_nz(tr, size, res), c),
                                 ir_shl(ir, IR_I32, over, ir_i32(ir, 1))));
    } else {
        m68k_set_cc(tr, CC_SHIFT, size, res, c, res, IR_NO_VALUE);
    }
    m68k_set_x(tr, c);
    return res;
}

void m68k_tr_shift_reg(M68kTr *tr);
void m68k_tr_shift_reg(M68kTr *tr)
{
    unsigned size = m68k_size(tr), r = tr->op & 7, n = tr->op >> 9 & 7, kind = tr->op >> 3 & 3;
    bool left = tr->op & 0x100;
    IrValue v = m68k_reg(tr, r, size);

    if (tr->op & 0x20) {
        IrValue count = ir_and(tr->ir, IR_I32, m68k_reg(tr, n, 2), ir_i32(tr->ir, 63));

        uint64_t imm;

        if (ir_is_const(tr->ir, count, &imm) && imm) {
            v = by_constant(tr, kind, left, size, v, (unsigned)imm);
        } else if (kind == SH_ROX || (kind == SH_AS && left)) {
            v = by_helper(tr, kind, left, size, v, count);
        } else {
            v = by_register(tr, kind, left, size, v, count);
        }
    } else {
        v = by_constant(tr, kind, left, size, v, n ? n : 8);
    }
    m68k_put_reg(tr, r, size, v);
}

void m68k_tr_shift_mem(M68kTr *tr);
void m68k_tr_shift_mem(M68kTr *tr)
{
    Ea ea = m68k_ea_src(tr, 1);
    IrValue v = m68k_get_rmw(tr, &ea);
    IrRegion *ir = tr->ir;
    unsigned kind = tr->op >> 9 & 3;
    bool left = tr->op & 0x100;
    IrValue r, f;

    /* The codes change after the store: computed by the helper, set then. */
    r = IR_CALL(ir, &shift_helper, ir_i32(ir, kind | (left ? 4u : 0) | 16u << 8),
                ir_zext(ir, IR_I32, v), ir_i32(ir, 1), m68k_x(tr));
    m68k_put(tr, &ea, ir_trunc(ir, IR_I16, r));
    f = ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, r, ir_i64(ir, 32)));
    m68k_set_flags(tr, ir_and(ir, IR_I32, f, ir_i32(ir, 15)));
    if (kind != SH_RO) {
        m68k_set_x(tr, ir_extract(ir, IR_I32, f, 4, 1));
    }
}

/* ----------------------------------------------------------------- single bits */

/* Z becomes the complement of the bit; the other codes stay. @bit: the bit, 0 or 1, I32. */
static void set_z(M68kTr *tr, IrValue bit)
{
    IrRegion *ir = tr->ir;
    IrValue f = ir_and(ir, IR_I32, m68k_flags(tr), ir_i32(ir, 15 & ~CCR_Z));
    IrValue z = ir_shl(ir, IR_I32, ir_xor(ir, IR_I32, bit, ir_i32(ir, 1)), ir_i32(ir, 2));

    m68k_set_flags(tr, ir_or(ir, IR_I32, f, z));
}

static void bit_op(M68kTr *tr, Ea *ea, IrValue n)
{
    IrRegion *ir = tr->ir;
    unsigned op = tr->row->arg, size = ea->size;
    IrType t = m68k_type(size);
    IrValue v = op == BIT_TST ? m68k_get(tr, ea) : m68k_get_rmw(tr, ea), mask, res;

    n = ir_and(ir, t, ir_trunc(ir, t, n), ir_const(ir, t, size == 2 ? 31 : 7));
    if (op != BIT_TST) {
        mask = ir_shl(ir, t, ir_const(ir, t, 1), n);
        res = op == BIT_CHG ? ir_xor(ir, t, v, mask) : op == BIT_SET ? ir_or(ir, t, v, mask)
              : ir_and(ir, t, v, ir_un(ir, IR_NOT, t, mask));
        m68k_put(tr, ea, res);
    }
    set_z(tr, ir_zext(ir, IR_I32, ir_and(ir, t, ir_shr(ir, t, v, n), ir_const(ir, t, 1))));
}

void m68k_tr_bit_imm(M68kTr *tr);
void m68k_tr_bit_imm(M68kTr *tr)
{
    uint16_t n = m68k_word(tr) & 0xff;
    Ea ea = m68k_ea_src(tr, (tr->op & 0x38) == 0 ? 2 : 0);

    bit_op(tr, &ea, ir_i32(tr->ir, n));
}

void m68k_tr_bit_reg(M68kTr *tr);
void m68k_tr_bit_reg(M68kTr *tr)
{
    IrValue n = m68k_reg(tr, tr->op >> 9 & 7, 2);
    Ea ea = m68k_ea_src(tr, (tr->op & 0x38) == 0 ? 2 : 0);

    bit_op(tr, &ea, n);
}

/* A read-modify-write that nobody else may come between. */
void m68k_tr_tas(M68kTr *tr);
void m68k_tr_tas(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    Ea ea = m68k_ea_src(tr, 0);
    IrValue v;

    if (ea.index == 0) {
        v = m68k_get(tr, &ea);
        m68k_put(tr, &ea, ir_or(ir, IR_I8, v, ir_const(ir, IR_I8, 0x80)));
    } else {
        ir->state.aux = (uint32_t)tr->op << AUX_OPCODE_SHIFT | AUX_LOCKED | ea.aux;
        ir->last_snap = 0;
        v = ir_atomic(ir, IR_ATOMIC_OR, IR_I8, ea.addr, ir_const(ir, IR_I8, 0x80), tr->mo | IR_MO_8);
    }
    m68k_set_logic(tr, 0, v);
}

/* ------------------------------------------------------------------- bit fields */

/* PRM, BFxxx: offset (from the most significant bit, signed for memory) and width 1 to 32. */
typedef struct Field {
    IrValue offset, width;      /* I32 */
    unsigned c_offset, c_width;
    bool known;                 /* both are constants */
} Field;

static Field field_of(M68kTr *tr, uint16_t ext)
{
    IrRegion *ir = tr->ir;
    Field f = { .c_offset = ext >> 6 & 31, .c_width = ((ext - 1u) & 31) + 1 };

    f.known = !(ext & 0x820);
    f.offset = ext & 0x800 ? m68k_reg(tr, ext >> 6 & 7, 2) : ir_i32(ir, f.c_offset);
    f.width = ext & 0x20
        ? ir_add(ir, IR_I32, ir_and(ir, IR_I32, ir_sub(ir, IR_I32, m68k_reg(tr, ext & 7, 2), ir_i32(ir, 1)),
                                    ir_i32(ir, 31)), ir_i32(ir, 1))
        : ir_i32(ir, f.c_width);
    return f;
}

/* Codes by the field (as it was), which stands at the top of @top (I32): N and Z. */
static IrValue new_field(M68kTr *tr, unsigned op, IrValue top, IrValue mask, IrValue insert)
{
    IrRegion *ir = tr->ir;

    switch (op) {
    case BF_CHG: return ir_and(ir, IR_I32, ir_un(ir, IR_NOT, IR_I32, top), mask);
    case BF_SET: return mask;
    case BF_INS: return insert;
    default: return ir_i32(ir, 0);
    }
}

static void field_result(M68kTr *tr, unsigned op, uint16_t ext, const Field *f, IrValue top)
{
    IrRegion *ir = tr->ir;
    IrValue right = ir_sub(ir, IR_I32, ir_i32(ir, 32), f->width), v;

    switch (op) {
    case BF_EXTU: v = ir_shr(ir, IR_I32, top, right); break;
    case BF_EXTS: v = ir_sar(ir, IR_I32, top, right); break;
    case BF_FFO:
        v = ir_un(ir, IR_CLZ, IR_I32, top);
        v = ir_select(ir, IR_LTU, IR_I32, v, f->width, IR_I32, v, f->width);
        v = ir_add(ir, IR_I32, v, f->offset);
        break;
    default: return;
    }
    m68k_put_reg(tr, ext >> 12 & 7, 2, v);
}

void m68k_tr_bitfield(M68kTr *tr);
void m68k_tr_bitfield(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned op = tr->row->arg, dn = tr->op & 7;
    bool writes = op == BF_CHG || op == BF_CLR || op == BF_SET || op == BF_INS;
    uint16_t ext = m68k_word(tr);
    Field f = field_of(tr, ext);
    /* Ones at the top, as many as the field is wide. */
    IrValue mask = ir_shl(ir, IR_I32, ir_i32(ir, UINT32_MAX), ir_and(ir, IR_I32, ir_sub(ir, IR_I32, ir_i32(ir, 32),
                                                                               f.width), ir_i32(ir, 31)));
    IrValue insert = IR_NO_VALUE, top, cc;

    if (op == BF_INS) {
        insert = ir_shl(ir, IR_I32, m68k_reg(tr, ext >> 12 & 7, 2),
                        ir_and(ir, IR_I32, ir_sub(ir, IR_I32, ir_i32(ir, 32), f.width), ir_i32(ir, 31)));
    }
    if ((tr->op & 0x38) == 0) {
        IrValue v = m68k_reg(tr, dn, 2), turned = ir_rotl(ir, IR_I32, v, f.offset);

        top = ir_and(ir, IR_I32, turned, mask);
        if (writes) {
            IrValue n = ir_or(ir, IR_I32, ir_and(ir, IR_I32, turned, ir_un(ir, IR_NOT, IR_I32, mask)),
                              new_field(tr, op, top, mask, insert));

            m68k_put_reg(tr, dn, 2, ir_rotr(ir, IR_I32, n, f.offset));
        }
    } else {
        Ea ea = m68k_ea_control(tr);
        IrValue addr = ir_zext(ir, IR_I64, ir_add(ir, IR_I32, ir_trunc(ir, IR_I32, ea.addr),
                                                  ir_sar(ir, IR_I32, f.offset, ir_i32(ir, 3))));
        IrValue bit = ir_and(ir, IR_I32, f.offset, ir_i32(ir, 7)), bit64 = ir_zext(ir, IR_I64, bit);
        IrValue mask64 = ir_shl(ir, IR_I64, ir_zext(ir, IR_I64, mask), ir_i64(ir, 32)), v, wide;
        unsigned last = f.known ? (f.c_offset & 7) + f.c_width : 40;
        IrMemOp rmw = writes ? IR_MO_PROBE_W : 0;

        /* No byte outside of the field's is touched. */
        if (!f.known) {
            IrValue n = ir_shr(ir, IR_I32, ir_add(ir, IR_I32, ir_add(ir, IR_I32, bit, f.width),
                                                  ir_i32(ir, 7)), ir_i32(ir, 3));

            v = M68K_CALL(tr, &m68k_h_bf_load, addr, n, ir_i32(ir, writes),
                          ir_i32(ir, (tr->mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
        } else {
            v = ir_i64(ir, 0);
            for (unsigned i = 0; i < last; i += 8) {
                IrValue b = ir_ld(ir, IR_I8, m68k_addr_add(tr, addr, (int)i / 8), tr->mo | IR_MO_8 | rmw);

                v = ir_or(ir, IR_I64, v, ir_shl(ir, IR_I64, ir_zext(ir, IR_I64, b), ir_i64(ir, 56 - i)));
            }
        }
        wide = ir_shl(ir, IR_I64, v, bit64);
        top = ir_and(ir, IR_I32, ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, wide, ir_i64(ir, 32))), mask);
        if (writes) {
            IrValue nf = ir_shl(ir, IR_I64, ir_zext(ir, IR_I64, new_field(tr, op, top, mask, insert)),
                                ir_i64(ir, 32));
            IrValue hole = ir_un(ir, IR_NOT, IR_I64, ir_shr(ir, IR_I64, mask64, bit64));

            v = ir_or(ir, IR_I64, ir_and(ir, IR_I64, v, hole), ir_shr(ir, IR_I64, nf, bit64));
            if (f.known) {
                for (unsigned i = 0; i < last; i += 8) {
                    m68k_st(tr, m68k_addr_add(tr, addr, (int)i / 8), 0,
                            ir_trunc(ir, IR_I8, ir_shr(ir, IR_I64, v, ir_i64(ir, 56 - i))), 0);
                }
            } else {
                IrValue n = ir_shr(ir, IR_I32, ir_add(ir, IR_I32, ir_add(ir, IR_I32, bit, f.width),
                                                      ir_i32(ir, 7)), ir_i32(ir, 3));

                M68K_CALL(tr, &m68k_h_bf_store, addr, v, n,
                          ir_i32(ir, (tr->mo & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
            }
        }
    }
    field_result(tr, op, ext, &f, top);
    cc = op == BF_INS ? insert : top;
    m68k_set_logic(tr, 2, cc);
}
