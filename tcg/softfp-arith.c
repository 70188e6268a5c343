/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software floating point: sum, product, quotient, root. */
#include "util/osdep.h"
#include "tcg/softfp.h"

/* DE has a lower priority than invalid operands and division by zero, so each
 * operation raises it after those (SDM vol. 1, 4.9.2). */
static void note_denormals(const FpNum *a, const FpNum *b, FpEnv *e)
{
    if (a->denormal || b->denormal) {
        e->flags |= FP_DE;
    }
}

static FpPacked as_is(const FpFormat *f, const FpNum *a, FpEnv *e)
{
    return fp_round(f, a->sign, a->exp, u128(a->m, 0), e);
}

FpPacked fp_add(const FpFormat *f, FpNum a, FpNum b, FpEnv *e)
{
    U128 x, y;
    uint32_t d;

    e->rounded_up = false;
    if (fp_is_odd(&a) || fp_is_odd(&b)) {
        return fp_propagate(f, &a, &b, e);
    }
    if (a.cls == FP_IS_INF && b.cls == FP_IS_INF && a.sign != b.sign) {
        return fp_invalid(f, e);
    }
    note_denormals(&a, &b, e);
    if (a.cls == FP_IS_INF || b.cls == FP_IS_INF) {
        return fp_inf(f, a.cls == FP_IS_INF ? a.sign : b.sign);
    }
    if (a.cls == FP_IS_ZERO && b.cls == FP_IS_ZERO) {
        return fp_zero(a.sign == b.sign ? a.sign : e->round == FP_DOWN);
    }
    if (a.cls == FP_IS_ZERO || b.cls == FP_IS_ZERO) {
        return as_is(f, a.cls == FP_IS_ZERO ? &b : &a, e);
    }
    if (a.exp < b.exp || (a.exp == b.exp && a.m < b.m)) {
        FpNum t = a;

        a = b;
        b = t;
    }
    /* Two places above for the carry, 62 below for the smaller operand's bits. */
    x = u128_shl(u128(0, a.m), 62);
    d = a.exp - b.exp;
    y = fp_shift_jam(u128_shl(u128(0, b.m), 62), MIN(d, 127));
    x = a.sign == b.sign ? u128_add(x, y) : u128_sub(x, y);
    if (u128_is_zero(x)) {
        return fp_zero(e->round == FP_DOWN);
    }
    return fp_round(f, a.sign, a.exp + 2, x, e);
}

FpPacked fp_mul(const FpFormat *f, FpNum a, FpNum b, FpEnv *e)
{
    bool sign = a.sign ^ b.sign;

    e->rounded_up = false;
    if (fp_is_odd(&a) || fp_is_odd(&b)) {
        return fp_propagate(f, &a, &b, e);
    }
    if ((a.cls == FP_IS_INF && b.cls == FP_IS_ZERO) ||
        (a.cls == FP_IS_ZERO && b.cls == FP_IS_INF)) {
        return fp_invalid(f, e);
    }
    note_denormals(&a, &b, e);
    if (a.cls == FP_IS_INF || b.cls == FP_IS_INF) {
        return fp_inf(f, sign);
    }
    if (a.cls == FP_IS_ZERO || b.cls == FP_IS_ZERO) {
        return fp_zero(sign);
    }
    return fp_round(f, sign, a.exp + b.exp + 1, u128_mul(a.m, b.m), e);
}

FpPacked fp_div(const FpFormat *f, FpNum a, FpNum b, FpEnv *e)
{
    bool sign = a.sign ^ b.sign;
    U128 n;
    uint64_t hi, lo, rest;
    int32_t exp;

    e->rounded_up = false;
    if (fp_is_odd(&a) || fp_is_odd(&b)) {
        return fp_propagate(f, &a, &b, e);
    }
    if (a.cls == b.cls && (a.cls == FP_IS_INF || a.cls == FP_IS_ZERO)) {
        return fp_invalid(f, e);
    }
    if (b.cls == FP_IS_ZERO && a.cls != FP_IS_INF) {
        e->flags |= FP_ZE;
        return fp_inf(f, sign);
    }
    note_denormals(&a, &b, e);
    if (a.cls == FP_IS_INF) {
        return fp_inf(f, sign);
    }
    if (a.cls == FP_IS_ZERO || b.cls == FP_IS_INF) {
        return fp_zero(sign);
    }
    /* 64 bits of quotient with the top one set, then 64 more with the rest jammed. */
    exp = a.exp - b.exp;
    n = u128_shl(u128(0, a.m), 63);
    if (a.m < b.m) {
        n = u128_shl(n, 1);
        exp--;
    }
    hi = u128_lo(u128_div(n, b.m, &rest));
    lo = u128_lo(u128_div(u128(rest, 0), b.m, &rest));
    lo |= rest != 0;
    return fp_round(f, sign, exp, u128(hi, lo), e);
}

/* The root's 64 bits, and whether more follows: below or above one half. */
static U128 wide_sqrt(U128 n)
{
    U128 rest = u128(0, 0);
    uint64_t root = 0;

    for (unsigned i = 0; i < 64; i++) {
        U128 trial = u128(root >> 62, root << 2 | 1);

        rest = u128_or(u128_shl(rest, 2), u128(0, u128_hi(n) >> 62));
        n = u128_shl(n, 2);
        root <<= 1;
        if (!u128_less(rest, trial)) {
            rest = u128_sub(rest, trial);
            root |= 1;
        }
    }
    return u128(root, u128_is_zero(rest) ? 0 : u128_less(u128(0, root), rest) ? MASK64(62, 2) : BIT64(62));
}

FpPacked fp_sqrt(const FpFormat *f, FpNum a, FpEnv *e)
{
    e->rounded_up = false;
    if (fp_is_odd(&a)) {
        return fp_propagate(f, &a, &a, e);
    }
    if (a.cls == FP_IS_ZERO) {
        return fp_zero(a.sign);
    }
    if (a.sign) {
        return fp_invalid(f, e);
    }
    note_denormals(&a, &a, e);
    if (a.cls == FP_IS_INF) {
        return fp_inf(f, false);
    }
    /* m * 2^(exp - 63), with the power of two made even. */
    if (a.exp & 1) {
        return fp_round(f, false, (a.exp - 1) / 2, wide_sqrt(u128(a.m, 0)), e);
    }
    return fp_round(f, false, a.exp / 2, wide_sqrt(u128_shl(u128(0, a.m), 63)), e);
}

#define ARITH(T, p, unpack_a, unpack_b, pack, fmt) \
T p##_add(T a, T b, FpEnv *e) \
{ \
    FpFormat f = fmt; \
    return pack(fp_add(&f, unpack_a, unpack_b, e)); \
} \
T p##_sub(T a, T b, FpEnv *e) \
{ \
    FpFormat f = fmt; \
    FpNum y = unpack_b; \
    if (y.cls != FP_IS_NAN) { \
        y.sign = !y.sign; \
    } \
    return pack(fp_add(&f, unpack_a, y, e)); \
} \
T p##_mul(T a, T b, FpEnv *e) \
{ \
    FpFormat f = fmt; \
    return pack(fp_mul(&f, unpack_a, unpack_b, e)); \
} \
T p##_div(T a, T b, FpEnv *e) \
{ \
    FpFormat f = fmt; \
    return pack(fp_div(&f, unpack_a, unpack_b, e)); \
} \
T p##_sqrt(T a, FpEnv *e) \
{ \
    FpFormat f = fmt; \
    return pack(fp_sqrt(&f, unpack_a, e)); \
}
ARITH(uint32_t, f32, fp_unpack32(a, e), fp_unpack32(b, e), fp_pack32, fp_f32)
ARITH(uint64_t, f64, fp_unpack64(a, e), fp_unpack64(b, e), fp_pack64, fp_f64)
ARITH(F80, f80, fp_unpack80(a), fp_unpack80(b), fp_pack80, fp_f80(e))
