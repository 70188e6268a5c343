/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer arithmetic and logic (PRM 3.1.2, 3.1.3), BCD (3.1.6). */
#include "util/osdep.h"
#include "target/m68k/translate.h"

/* dst op src; the result, which isn't computed for CMP. Codes by set_alu, after the store. */
static IrValue alu(M68kTr *tr, unsigned op, unsigned size, IrValue dst, IrValue src)
{
    static const IrOpcode opcode[] = { IR_ADD, IR_SUB, IR_AND, IR_OR, IR_XOR };

    return op == ALU_CMP ? IR_NO_VALUE : ir_bin(tr->ir, opcode[op], m68k_type(size), dst, src);
}

static void set_alu(M68kTr *tr, unsigned op, unsigned size, IrValue dst, IrValue src, IrValue res)
{
    switch (op) {
    case ALU_ADD: m68k_set_cc_x(tr, CC_ADD, size, res, src, dst); break;
    case ALU_SUB: m68k_set_cc_x(tr, CC_SUB, size, res, src, dst); break;
    case ALU_CMP: m68k_set_cc(tr, CC_CMP, size, dst, src, IR_NO_VALUE, IR_NO_VALUE); break;
    default: m68k_set_logic(tr, size, res); break;
    }
}

static void alu_to_ea(M68kTr *tr, unsigned op, Ea *ea, IrValue src)
{
    IrValue dst = op == ALU_CMP ? m68k_get(tr, ea) : m68k_get_rmw(tr, ea);
    IrValue res = alu(tr, op, ea->size, dst, src);

    if (op != ALU_CMP) {
        m68k_put(tr, ea, res);
    }
    set_alu(tr, op, ea->size, dst, src, res);
}

void m68k_tr_alu_imm(M68kTr *tr);
void m68k_tr_alu_imm(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    IrValue imm = m68k_ea(tr, 7, 4, size).imm;
    Ea ea = m68k_ea_src(tr, size);

    alu_to_ea(tr, tr->row->arg, &ea, imm);
}

void m68k_tr_alu_reg(M68kTr *tr);
void m68k_tr_alu_reg(M68kTr *tr)
{
    unsigned size = m68k_size(tr), dn = tr->op >> 9 & 7, op = tr->row->arg;
    Ea ea = m68k_ea_src(tr, size);
    IrValue src, dst, res;

    if (ea.index == 1 && size == 0) {
        m68k_illegal(tr);
        return;
    }
    src = m68k_get(tr, &ea);
    dst = m68k_reg(tr, dn, size);
    res = alu(tr, op, size, dst, src);
    if (op != ALU_CMP) {
        m68k_put_reg(tr, dn, size, res);
    }
    set_alu(tr, op, size, dst, src, res);
}

void m68k_tr_alu_mem(M68kTr *tr);
void m68k_tr_alu_mem(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    IrValue src = m68k_reg(tr, tr->op >> 9 & 7, size);
    Ea ea = m68k_ea_src(tr, size);

    alu_to_ea(tr, tr->row->arg, &ea, src);
}

/* ADDA, SUBA, CMPA: the source is sign-extended. */
void m68k_tr_alu_addr(M68kTr *tr);
void m68k_tr_alu_addr(M68kTr *tr)
{
    unsigned an = 8 + (tr->op >> 9 & 7), size = tr->op & 0x100 ? 2 : 1, op = tr->row->arg;
    Ea ea = m68k_ea_src(tr, size);
    IrValue src = m68k_get(tr, &ea), dst;

    if (size == 1) {
        src = ir_sext(tr->ir, IR_I32, src);
    }
    dst = m68k_reg(tr, an, 2);
    if (op == ALU_CMP) {
        set_alu(tr, op, 2, dst, src, IR_NO_VALUE);
    } else {
        m68k_put_reg(tr, an, 2, alu(tr, op, 2, dst, src));
    }
}

void m68k_tr_addq(M68kTr *tr);
void m68k_tr_addq(M68kTr *tr)
{
    unsigned size = m68k_size(tr), n = tr->op >> 9 & 7, op = tr->row->arg;
    Ea ea = m68k_ea_src(tr, size);

    n = n ? n : 8;
    if (ea.index == 1) {                /* the whole register, no codes */
        if (size == 0) {
            m68k_illegal(tr);
        } else {
            m68k_put_reg64(tr, 8 + ea.reg, m68k_addr_add(tr, m68k_reg64(tr, 8 + ea.reg),
                                                         op == ALU_ADD ? (int)n : -(int)n));
        }
        return;
    }
    alu_to_ea(tr, op, &ea, m68k_const(tr, size, n));
}

/* CMPM's first (An)+. The 68000 adds two before each access to it; to the second one behind it. */
static IrValue next_of(M68kTr *tr, unsigned n, unsigned size)
{
    Ea ea = m68k_ea(tr, 3, n, size);
    IrValue v;

    ea.aux = (uint16_t)(ea.aux & ~AUX_PC);
    if (size == 2 && (tr->features & M68K_000)) {
        m68k_put_reg64(tr, 8 + n, m68k_addr_add(tr, ea.addr, 2));
        m68k_commit(tr);
    }
    v = m68k_get(tr, &ea);
    if (size == 2) {
        m68k_put_reg64(tr, 8 + n, m68k_addr_add(tr, ea.addr, 4));
    }
    return v;
}

void m68k_tr_cmpm(M68kTr *tr);
void m68k_tr_cmpm(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    IrValue src = next_of(tr, tr->op & 7, size);
    Ea x;

    m68k_commit_000(tr);
    x = m68k_ea(tr, 3, tr->op >> 9 & 7, size);
    set_alu(tr, ALU_CMP, size, m68k_ld(tr, x.addr, size, 0), src, IR_NO_VALUE);
}

void m68k_tr_neg(M68kTr *tr);
void m68k_tr_neg(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    Ea ea = m68k_ea_src(tr, size);
    IrValue src = m68k_get_rmw(tr, &ea), zero = m68k_const(tr, size, 0);
    IrValue res = ir_sub(tr->ir, m68k_type(size), zero, src);

    m68k_put(tr, &ea, res);
    set_alu(tr, ALU_SUB, size, zero, src, res);
}

void m68k_tr_not(M68kTr *tr);
void m68k_tr_not(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    Ea ea = m68k_ea_src(tr, size);
    IrValue res = ir_un(tr->ir, IR_NOT, m68k_type(size), m68k_get_rmw(tr, &ea));

    m68k_put(tr, &ea, res);
    m68k_set_logic(tr, size, res);
}

void m68k_tr_tst(M68kTr *tr);
void m68k_tr_tst(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    Ea ea = m68k_ea_src(tr, size);

    if (ea.index == 1 && size == 0) {
        m68k_illegal(tr);
        return;
    }
    m68k_set_logic(tr, size, m68k_get(tr, &ea));
}

void m68k_tr_scc(M68kTr *tr);
void m68k_tr_scc(M68kTr *tr)
{
    M68kCond c;
    Ea ea = m68k_ea_src(tr, 0);

    if ((tr->features & M68K_000) && m68k_ea_is_mem(&ea)) {
        m68k_get(tr, &ea);
    }
    c = m68k_cond(tr, tr->op >> 8 & 15);
    m68k_put(tr, &ea, ir_un(tr->ir, IR_NEG, IR_I8, m68k_bool(tr, c)));
}

/* ------------------------------------------------------------- with extend, and BCD */

/* @dst +- @src +- X: result, and N V C of it at their places; C is X too. */
static IrValue extended(M68kTr *tr, bool sub, unsigned size, IrValue dst, IrValue src,
                        IrValue *nvc, IrValue *carry)
{
    IrRegion *ir = tr->ir;
    IrType t = m68k_type(size);
    IrOpcode op = sub ? IR_SUB : IR_ADD;
    unsigned bits = 8u << size;
    IrValue x64 = ir_zext(ir, IR_I64, m68k_x(tr));
    IrValue wide = ir_bin(ir, op, IR_I64, ir_bin(ir, op, IR_I64, ir_zext(ir, IR_I64, dst),
                                                 ir_zext(ir, IR_I64, src)), x64);
    IrValue res = ir_trunc(ir, t, wide), v;

    *carry = ir_trunc(ir, IR_I32, ir_extract(ir, IR_I64, wide, bits, 1));
    v = sub ? ir_and(ir, t, ir_xor(ir, t, dst, src), ir_xor(ir, t, dst, res))
            : ir_and(ir, t, ir_xor(ir, t, res, src), ir_xor(ir, t, res, dst));
    *nvc = ir_or(ir, IR_I32, *carry, ir_shl(ir, IR_I32, ir_zext(ir, IR_I32, ir_extract(ir, t, v, bits - 1, 1)),
                                            ir_i32(ir, 1)));
    *nvc = ir_or(ir, IR_I32, *nvc, ir_shl(ir, IR_I32, ir_zext(ir, IR_I32, ir_extract(ir, t, res, bits - 1, 1)),
                                          ir_i32(ir, 3)));
    return res;
}

/* Long words at -(An): the 68000 takes the lower half first, the register is changed behind that. */
static void low_first(const M68kTr *tr, Ea *ea)
{
    if (ea->index == 4 && ea->size == 2 && (tr->features & M68K_000)) {
        ea->aux = (uint16_t)((ea->aux & ~AUX_PC) | AUX_LOW_FIRST);
    }
}

void m68k_tr_addx(M68kTr *tr);
void m68k_tr_addx(M68kTr *tr)
{
    unsigned size = m68k_size(tr), mode = tr->op & 8 ? 4 : 0;
    Ea y = m68k_ea(tr, mode, tr->op & 7, size), x;
    IrValue src, dst, res, nvc, carry;

    low_first(tr, &y);
    src = m68k_get(tr, &y);
    m68k_commit_000(tr);
    x = m68k_ea(tr, mode, tr->op >> 9 & 7, size);
    low_first(tr, &x);
    dst = m68k_get_rmw(tr, &x);
    res = extended(tr, tr->row->arg == ALU_SUB, size, dst, src, &nvc, &carry);
    m68k_put(tr, &x, res);
    m68k_set_sticky_z(tr, size, res, nvc);
    m68k_set_x(tr, carry);
}

void m68k_tr_negx(M68kTr *tr);
void m68k_tr_negx(M68kTr *tr)
{
    unsigned size = m68k_size(tr);
    Ea ea = m68k_ea_src(tr, size);
    IrValue src = m68k_get_rmw(tr, &ea), res, nvc, carry;

    res = extended(tr, true, size, m68k_const(tr, size, 0), src, &nvc, &carry);
    m68k_put(tr, &ea, res);
    m68k_set_sticky_z(tr, size, res, nvc);
    m68k_set_x(tr, carry);
}

/*
 * Decimal arithmetic, with the results of real chips for digits above 9 and for N and V, which the
 * PRM leaves undefined: the chip adds in binary, and corrects each digit that carried or is above 9.
 * Result in bits 0-7, N V C at 8 and up (CCR's places).
 */
static uint32_t bcd_result(uint32_t res, uint32_t carry, uint32_t v)
{
    return (res & 0xff) | (uint32_t)((res & 0x80 ? CCR_N : 0) | (v & 0x80 ? CCR_V : 0) |
                                     (carry & 0x80 ? CCR_C : 0)) << 8;
}

static uint64_t h_abcd(uint32_t a, uint32_t b, uint32_t x)
{
    uint32_t sum = a + b + x, res;
    uint32_t carries = ((a & b) | (~sum & a) | (~sum & b)) & 0x88;
    uint32_t above9 = (((sum + 0x66) ^ sum) & 0x110) >> 1, digits = carries | above9;

    res = sum + digits - (digits >> 2);
    return bcd_result(res, carries | (sum & ~res), ~sum & res);
}

static uint64_t h_sbcd(uint32_t a, uint32_t b, uint32_t x)
{
    uint32_t diff = a - b - x, res;
    uint32_t borrows = ((~a & b) | (diff & ~a) | (diff & b)) & 0x88;

    res = diff - (borrows - (borrows >> 2));
    return bcd_result(res, borrows | (~diff & res), diff & ~res);
}
static const IrHelper abcd_helper = { "m68k_abcd", h_abcd, "l:lll", IR_H_PURE, 0, 0 };
static const IrHelper sbcd_helper = { "m68k_sbcd", h_sbcd, "l:lll", IR_H_PURE, 0, 0 };

static void bcd(M68kTr *tr, const IrHelper *h, Ea *ea, IrValue dst, IrValue src)
{
    IrRegion *ir = tr->ir;
    IrValue v = IR_CALL(ir, h, ir_zext(ir, IR_I32, dst), ir_zext(ir, IR_I32, src), m68k_x(tr));
    IrValue res = ir_trunc(ir, IR_I8, v), nvc = ir_extract(ir, IR_I32, v, 8, 4);

    m68k_put(tr, ea, res);
    m68k_set_sticky_z(tr, 0, res, nvc);
    m68k_set_x(tr, ir_and(ir, IR_I32, nvc, ir_i32(ir, 1)));
}

void m68k_tr_bcd(M68kTr *tr);
void m68k_tr_bcd(M68kTr *tr)
{
    unsigned mode = tr->op & 8 ? 4 : 0;
    Ea y = m68k_ea(tr, mode, tr->op & 7, 0), x;
    IrValue src = m68k_get(tr, &y);

    x = m68k_ea(tr, mode, tr->op >> 9 & 7, 0);
    bcd(tr, tr->row->arg ? &sbcd_helper : &abcd_helper, &x, m68k_get_rmw(tr, &x), src);
}

void m68k_tr_nbcd(M68kTr *tr);
void m68k_tr_nbcd(M68kTr *tr)
{
    Ea ea = m68k_ea_src(tr, 0);
    IrValue src = m68k_get_rmw(tr, &ea);

    bcd(tr, &sbcd_helper, &ea, m68k_const(tr, 0, 0), src);
}

/* PACK and UNPK (PRM): two digits in two bytes, or in one; the adjustment is added. */
void m68k_tr_pack(M68kTr *tr);
void m68k_tr_pack(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    bool unpack = tr->row->arg, mem = tr->op & 8;
    unsigned y = tr->op & 7, x = tr->op >> 9 & 7;
    IrValue adj = ir_i32(ir, m68k_word(tr)), v;

    if (unpack) {
        Ea src = m68k_ea(tr, mem ? 4 : 0, y, 0);

        v = ir_zext(ir, IR_I32, m68k_get(tr, &src));
        v = ir_or(ir, IR_I32, ir_shl(ir, IR_I32, ir_and(ir, IR_I32, v, ir_i32(ir, 0xf0)), ir_i32(ir, 4)),
                  ir_and(ir, IR_I32, v, ir_i32(ir, 15)));
        v = ir_add(ir, IR_I32, v, adj);
    } else if (mem) {
        Ea lo = m68k_ea(tr, 4, y, 0), hi;
        IrValue low = ir_zext(ir, IR_I32, m68k_get(tr, &lo));

        hi = m68k_ea(tr, 4, y, 0);
        v = ir_zext(ir, IR_I32, m68k_get(tr, &hi));
        v = ir_or(ir, IR_I32, ir_shl(ir, IR_I32, v, ir_i32(ir, 8)), low);
        v = ir_add(ir, IR_I32, v, adj);
    } else {
        v = ir_add(ir, IR_I32, ir_zext(ir, IR_I32, m68k_reg(tr, y, 1)), adj);
    }
    if (!unpack) {
        Ea dst = m68k_ea(tr, mem ? 4 : 0, x, 0);

        v = ir_or(ir, IR_I32, ir_and(ir, IR_I32, ir_shr(ir, IR_I32, v, ir_i32(ir, 4)), ir_i32(ir, 0xf0)),
                  ir_and(ir, IR_I32, v, ir_i32(ir, 15)));
        m68k_put(tr, &dst, ir_trunc(ir, IR_I8, v));
    } else if (mem) {
        Ea lo = m68k_ea(tr, 4, x, 0), hi;

        m68k_put(tr, &lo, ir_trunc(ir, IR_I8, v));
        hi = m68k_ea(tr, 4, x, 0);
        m68k_put(tr, &hi, ir_trunc(ir, IR_I8, ir_shr(ir, IR_I32, v, ir_i32(ir, 8))));
    } else {
        m68k_put_reg(tr, x, 1, ir_trunc(ir, IR_I16, v));
    }
}

/* --------------------------------------------------------------- multiply, divide */

void m68k_tr_mul_w(M68kTr *tr);
void m68k_tr_mul_w(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    Ea ea = m68k_ea_src(tr, 1);
    IrValue a = m68k_get(tr, &ea), b = m68k_reg(tr, tr->op >> 9 & 7, 1), v;

    v = tr->row->arg ? ir_mul(ir, IR_I32, ir_sext(ir, IR_I32, a), ir_sext(ir, IR_I32, b))
                     : ir_mul(ir, IR_I32, ir_zext(ir, IR_I32, a), ir_zext(ir, IR_I32, b));
    m68k_put_reg(tr, tr->op >> 9 & 7, 2, v);
    m68k_set_logic(tr, 2, v);
}

void m68k_tr_mul_l(M68kTr *tr);
void m68k_tr_mul_l(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    uint16_t ext = m68k_word(tr);
    bool is_signed = ext & 0x800, wide = ext & 0x400;
    unsigned dl = ext >> 12 & 7, dh = ext & 7;
    Ea ea = m68k_ea_src(tr, 2);
    IrValue a = m68k_get(tr, &ea), b = m68k_reg(tr, dl, 2), p, lo, hi, v, n, z;

    if (wide && (tr->features & M68K_060)) {
        m68k_except(tr, EXCP_UNIMP_INT, tr->pc);
        return;
    }
    p = is_signed ? ir_mul(ir, IR_I64, ir_sext(ir, IR_I64, a), ir_sext(ir, IR_I64, b))
                  : ir_mul(ir, IR_I64, ir_zext(ir, IR_I64, a), ir_zext(ir, IR_I64, b));
    lo = ir_trunc(ir, IR_I32, p);
    hi = ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, p, ir_i64(ir, 32)));
    if (wide) {
        IrValue zero = ir_i64(ir, 0);

        m68k_put_reg(tr, dl, 2, lo);
        m68k_put_reg(tr, dh, 2, hi);
        n = ir_zext(ir, IR_I32, ir_setcond(ir, IR_LT, IR_I64, p, zero));
        z = ir_zext(ir, IR_I32, ir_setcond(ir, IR_EQ, IR_I64, p, zero));
        m68k_set_flags(tr, ir_or(ir, IR_I32, ir_shl(ir, IR_I32, n, ir_i32(ir, 3)),
                                 ir_shl(ir, IR_I32, z, ir_i32(ir, 2))));
        return;
    }
    m68k_put_reg(tr, dl, 2, lo);
    v = ir_zext(ir, IR_I32, ir_setcond(ir, IR_NE, IR_I32, hi, is_signed
                                       ? ir_sar(ir, IR_I32, lo, ir_i32(ir, 31)) : ir_i32(ir, 0)));
    m68k_set_flags(tr, ir_or(ir, IR_I32, m68k_nz(tr, 2, lo), ir_shl(ir, IR_I32, v, ir_i32(ir, 1))));
}

/*
 * Division. The helpers give the quotient in bits 0-31, the remainder in 32-63, and raise for a divisor of
 * zero. On overflow (OVERFLOWN in the flags) the registers stay, and V is set; N and Z are
 * what the chips leave there.
 */
static uint64_t h_divs_w(void *env, uint32_t a, uint32_t b, uint32_t len)
{
    int64_t n = (int32_t)a, d = (int16_t)b, q;

    if (!d) {
        m68k_raise_format2(env, EXCP_DIV0, len);
    }
    q = n / d;
    return q != (int16_t)q ? (uint64_t)1 << 32
                           : (uint64_t)((uint32_t)(q & 0xffff) | (uint32_t)(n % d) << 16);
}
static const IrHelper divs_w_helper = { "m68k_divs_w", h_divs_w, "q:elll", IR_H_RAISES, 0, 0 };

void m68k_tr_div_w(M68kTr *tr);
void m68k_tr_div_w(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    unsigned dn = tr->op >> 9 & 7;
    Ea ea = m68k_ea_src(tr, 1);
    IrValue d = m68k_get(tr, &ea), n = m68k_reg(tr, dn, 2), r, res, over, f;

    if (!tr->row->arg) {
        IrValue d32 = ir_zext(ir, IR_I32, d), q, keep;

        m68k_except2_if(tr, (M68kCond){ IR_EQ, IR_I32, d32, ir_i32(ir, 0) }, EXCP_DIV0);
        q = ir_div2(ir, false, IR_I32, ir_i32(ir, 0), n, d32);
        r = ir_second(ir, q);
        over = ir_i32(ir, 0xffff);
        keep = ir_or(ir, IR_I32, q, ir_shl(ir, IR_I32, r, ir_i32(ir, 16)));
        f = m68k_nz(tr, 1, ir_trunc(ir, IR_I16, q));
        m68k_put_reg(tr, dn, 2, ir_select(ir, IR_GTU, IR_I32, q, over, IR_I32, n, keep));
        m68k_set_flags(tr, ir_select(ir, IR_GTU, IR_I32, q, over, IR_I32, ir_i32(ir, CCR_V | CCR_N), f));
        return;
    }

    r = M68K_CALL(tr, &divs_w_helper, n, ir_zext(ir, IR_I32, d),
                  ir_i32(ir, tr->next - tr->pc));
    over = ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, r, ir_i64(ir, 32)));
    res = ir_trunc(ir, IR_I32, r);
    f = m68k_nz(tr, 1, ir_trunc(ir, IR_I16, res));
    m68k_put_reg(tr, dn, 2, ir_select(ir, IR_NE, IR_I32, over, ir_i32(ir, 0), IR_I32, n, res));
    m68k_set_flags(tr, ir_select(ir, IR_NE, IR_I32, over, ir_i32(ir, 0), IR_I32,
                                 ir_i32(ir, CCR_V | CCR_N), f));
}

/* A dividend of 64 bits by a long word. */
static uint64_t h_divs_l(void *env, uint64_t a, uint32_t b, uint32_t len)
{
    int64_t n = (int64_t)a, d = (int32_t)b, q;

    if (!d) {
        m68k_raise_format2(env, EXCP_DIV0, len);
    }
    if (n == INT64_MIN && d == -1) {
        ((M68kState *)env)->div_overflow = true;
        return 0;
    }
    q = n / d;
    ((M68kState *)env)->div_overflow = q != (int32_t)q;
    return (uint32_t)q | (uint64_t)(n % d) << 32;
}
static const IrHelper divs_l_helper = { "m68k_divs_l", h_divs_l, "q:eqll", IR_H_RAISES, 0, 0 };

void m68k_tr_div_l(M68kTr *tr);
void m68k_tr_div_l(M68kTr *tr)
{
    IrRegion *ir = tr->ir;
    uint16_t ext = m68k_word(tr);
    bool is_signed = ext & 0x800, wide = ext & 0x400;
    unsigned dq = ext >> 12 & 7, dr = ext & 7;
    Ea ea = m68k_ea_src(tr, 2);
    IrValue d = m68k_get(tr, &ea), lo = m68k_reg(tr, dq, 2), n, r, q, rem, over, zero;

    if (wide && (tr->features & M68K_060)) {
        m68k_except(tr, EXCP_UNIMP_INT, tr->pc);
        return;
    }
    if (wide) {
        n = ir_or(ir, IR_I64, ir_shl(ir, IR_I64, m68k_reg64(tr, dr), ir_i64(ir, 32)),
                  m68k_reg64(tr, dq));
    } else {
        n = is_signed ? ir_sext(ir, IR_I64, lo) : ir_zext(ir, IR_I64, lo);
    }
    if (!wide) {                /* 64 bits: nothing overflows there */
        IrValue d64 = is_signed ? ir_sext(ir, IR_I64, d) : ir_zext(ir, IR_I64, d), q64, v;

        m68k_except2_if(tr, (M68kCond){ IR_EQ, IR_I32, d, ir_i32(ir, 0) }, EXCP_DIV0);
        if (is_signed) {
            q64 = ir_div2(ir, true, IR_I64, ir_sar(ir, IR_I64, n, ir_i64(ir, 63)), n, d64);
            r = ir_second(ir, q64);
            q = ir_trunc(ir, IR_I32, q64);
            rem = ir_trunc(ir, IR_I32, r);
            v = ir_sext(ir, IR_I64, q);
            m68k_put_reg(tr, dr, 2, ir_select(ir, IR_NE, IR_I64, v, q64, IR_I32, m68k_reg(tr, dr, 2), rem));
            m68k_put_reg(tr, dq, 2, ir_select(ir, IR_NE, IR_I64, v, q64, IR_I32, lo, q));
            m68k_set_flags(tr, ir_select(ir, IR_NE, IR_I64, v, q64, IR_I32, ir_i32(ir, CCR_V),
                                         m68k_nz(tr, 2, q)));
        } else {
            q = ir_div2(ir, false, IR_I32, ir_i32(ir, 0), lo, d);
            rem = ir_second(ir, q);
            m68k_put_reg(tr, dr, 2, rem);
            m68k_put_reg(tr, dq, 2, q);
            m68k_set_flags(tr, m68k_nz(tr, 2, q));
        }
        return;
    }
    zero = ir_i32(ir, 0);
    if (!is_signed) {
        /* Too large a quotient is divided as one that isn't, and thrown away. */
        IrValue hi = m68k_reg(tr, dr, 2);

        m68k_except2_if(tr, (M68kCond){ IR_EQ, IR_I32, d, zero }, EXCP_DIV0);
        q = ir_div2(ir, false, IR_I32, ir_select(ir, IR_GEU, IR_I32, hi, d, IR_I32, zero, hi), lo, d);
        rem = ir_second(ir, q);
        m68k_put_reg(tr, dr, 2, ir_select(ir, IR_GEU, IR_I32, hi, d, IR_I32, hi, rem));
        m68k_put_reg(tr, dq, 2, ir_select(ir, IR_GEU, IR_I32, hi, d, IR_I32, lo, q));
        m68k_set_flags(tr, ir_select(ir, IR_GEU, IR_I32, hi, d, IR_I32, ir_i32(ir, CCR_V), m68k_nz(tr, 2, q)));
        return;
    }
    r = M68K_CALL(tr, &divs_l_helper, n, d, ir_i32(ir, tr->next - tr->pc));
    over = ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I8, offsetof(M68kState, div_overflow)));
    q = ir_trunc(ir, IR_I32, r);
    rem = ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, r, ir_i64(ir, 32)));
    m68k_put_reg(tr, dr, 2, ir_select(ir, IR_NE, IR_I32, over, zero, IR_I32, m68k_reg(tr, dr, 2), rem));
    m68k_put_reg(tr, dq, 2, ir_select(ir, IR_NE, IR_I32, over, zero, IR_I32, lo, q));
    m68k_set_flags(tr, ir_select(ir, IR_NE, IR_I32, over, zero, IR_I32, ir_i32(ir, CCR_V),
                                 m68k_nz(tr, 2, q)));
}
