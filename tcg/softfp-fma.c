/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software floating point: fused multiply-add (SDM vol. 1, 14.5), and half precision. */
#include "util/osdep.h"
#include "tcg/softfp.h"

static FpPacked propagate3(const FpFormat *f, const FpNum *a, const FpNum *b, const FpNum *c,
                           FpEnv *e)
{
    if (fp_is_snan(c)) {
        e->flags |= FP_IE;
    }
    return fp_is_odd(a) || fp_is_odd(b) ? fp_propagate(f, a, b, e) : fp_propagate(f, c, c, e);
}

/* Of product and sum of numbers that aren't zero. */
static FpPacked fused(const FpFormat *f, bool sign, int32_t exp, U128 product, const FpNum *c,
                      FpEnv *e)
{
    /* Two places above for the carry; both are exact there: 53 bits each at most. */
    U128 x = u128_shr(product, 2), y = u128_shl(u128(0, c->m), 62);
    int32_t d = exp - c->exp;
    bool negative = sign;

    if (d > 0) {
        y = fp_shift_jam(y, MIN(d, 128));
    } else {
        x = fp_shift_jam(x, MIN(-d, 128));
        exp = c->exp;
    }
    if (sign == c->sign) {
        x = u128_add(x, y);
    } else if (!u128_less(x, y)) {
        x = u128_sub(x, y);
    } else {
        x = u128_sub(y, x);
        negative = !sign;
    }
    if (u128_is_zero(x)) {
        return fp_zero(e->round == FP_DOWN);
    }
    return fp_round(f, negative, exp + 2, x, e);
}

FpPacked fp_fma(const FpFormat *f, FpNum a, FpNum b, FpNum c, FpEnv *e)
{
    bool sign = a.sign ^ b.sign;
    bool infinite = a.cls == FP_IS_INF || b.cls == FP_IS_INF;
    bool zero = a.cls == FP_IS_ZERO || b.cls == FP_IS_ZERO;

    e->rounded_up = false;
    if (fp_is_odd(&a) || fp_is_odd(&b) || fp_is_odd(&c)) {
        return propagate3(f, &a, &b, &c, e);
    }
    if ((infinite && zero) || (infinite && c.cls == FP_IS_INF && c.sign != sign)) {
        return fp_invalid(f, e);
    }
    if (a.denormal || b.denormal || c.denormal) {
        e->flags |= FP_DE;
    }
    if (infinite || c.cls == FP_IS_INF) {
        return fp_inf(f, infinite ? sign : c.sign);
    }
    if (zero) {
        if (c.cls == FP_IS_ZERO) {
            return fp_zero(sign == c.sign ? sign : e->round == FP_DOWN);
        }
        return fp_round(f, c.sign, c.exp, u128(c.m, 0), e);
    }
    if (c.cls == FP_IS_ZERO) {
        return fp_round(f, sign, a.exp + b.exp + 1, u128_mul(a.m, b.m), e);
    }
    return fused(f, sign, a.exp + b.exp + 1, u128_mul(a.m, b.m), &c, e);
}

/* A NaN keeps its sign. */
static FpNum negate(FpNum n, bool yes)
{
    if (n.cls != FP_IS_NAN) {
        n.sign ^= yes;
    }
    return n;
}

uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, bool neg, bool sub, FpEnv *e)
{
    return fp_pack32(fp_fma(&fp_f32, negate(fp_unpack32(a, e), neg), fp_unpack32(b, e),
                            negate(fp_unpack32(c, e), sub), e));
}

uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, bool neg, bool sub, FpEnv *e)
{
    return fp_pack64(fp_fma(&fp_f64, negate(fp_unpack64(a, e), neg), fp_unpack64(b, e),
                            negate(fp_unpack64(c, e), sub), e));
}

uint32_t f16_to_f32(uint16_t a, FpEnv *e)
{
    return fp_pack32(fp_convert(&fp_f32, fp_unpack16(a), false, e));
}

/* FTZ isn't for halves: tiny results are denormal. */
uint16_t f32_to_f16(uint32_t a, FpEnv *e)
{
    FpEnv sub = *e;
    FpPacked p;

    sub.ftz = false;
    p = fp_convert(&fp_f16, fp_unpack32(a, e), true, &sub);
    e->flags = sub.flags;
    return fp_pack16(p);
}
