/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Software floating point: taking apart, rounding, putting together, NaNs.
 * Sources: IEEE 754-2008; Intel SDM vol. 1, 4.8 (formats and NaN rules), 4.9
 * (exceptions: tininess is detected after rounding, DE), 10.2.3 (FTZ, DAZ), 8.1.5 (x87
 * precision control).
 */
#include "util/osdep.h"
#include "util/host-utils.h"
#include "tcg/softfp.h"

const FpFormat fp_f16 = { 11, -14, 15, false };
const FpFormat fp_f32 = { 24, -126, 127, false };
const FpFormat fp_f64 = { 53, -1022, 1023, false };
const FpFormat fp_f80_full = { 64, -16382, 16383, true };

FpFormat fp_f80(const FpEnv *e)
{
    FpFormat f = fp_f80_full;

    if (e->precision == 24 || e->precision == 53) {
        f.precision = e->precision;
    }
    return f;
}

/* @fraction is left-aligned below bit 63; @biased all ones is @ones. */
static FpNum unpack(bool sign, int32_t biased, int32_t ones, uint64_t fraction, bool daz)
{
    FpNum n = { .sign = sign };
    int32_t bias = ones >> 1;

    if (biased == ones) {
        n.cls = fraction ? FP_IS_NAN : FP_IS_INF;
        n.m = fraction;
    } else if (biased) {
        n.cls = FP_IS_NUM;
        n.m = fraction | BIT64(63);
        n.exp = biased - bias;
    } else if (fraction && !daz) {
        int shift = clz64(fraction);

        n.cls = FP_IS_NUM;
        n.denormal = true;
        n.m = fraction << shift;
        n.exp = 1 - bias - shift;
    } else {
        n.cls = FP_IS_ZERO;
    }
    return n;
}

FpNum fp_unpack16(uint16_t v)
{
    return unpack(v >> 15, v >> 10 & 0x1f, 0x1f, (uint64_t)(v & 0x3ff) << 53, false);
}

FpNum fp_unpack32(uint32_t v, const FpEnv *e)
{
    return unpack(v >> 31, v >> 23 & 0xff, 0xff, (uint64_t)(v & 0x7fffff) << 40, e->daz);
}

FpNum fp_unpack64(uint64_t v, const FpEnv *e)
{
    return unpack(v >> 63, v >> 52 & 0x7ff, 0x7ff, (v & MASK64(0, 52)) << 11, e->daz);
}

/* SDM vol. 1, 8.2.2: unnormals, pseudo-NaNs and pseudo-infinities are unsupported;
 * a pseudo-denormal is the number it says. */
FpNum fp_unpack80(F80 v)
{
    int32_t biased = v.se & 0x7fff;
    FpNum n;

    if (biased == 0 && v.m >> 63) {
        n = unpack(v.se >> 15, 1, 0x7fff, v.m & MASK64(0, 63), false);
        n.denormal = true;
        return n;
    }
    if (biased && !(v.m >> 63)) {
        return (FpNum){ .cls = FP_IS_UNSUPPORTED, .sign = v.se >> 15 };
    }
    return unpack(v.se >> 15, biased, 0x7fff, v.m & MASK64(0, 63), false);
}

uint16_t fp_pack16(FpPacked p)
{
    return p.sign << 15 | p.biased << 10 | (p.m >> 53 & 0x3ff);
}

uint32_t fp_pack32(FpPacked p)
{
    return (uint32_t)p.sign << 31 | p.biased << 23 | (p.m >> 40 & 0x7fffff);
}

uint64_t fp_pack64(FpPacked p)
{
    return (uint64_t)p.sign << 63 | (uint64_t)p.biased << 52 | (p.m >> 11 & MASK64(0, 52));
}

F80 fp_pack80(FpPacked p)
{
    return (F80){ p.m, p.sign << 15 | p.biased };
}

FpPacked fp_zero(bool sign)
{
    return (FpPacked){ sign, 0, 0 };
}

FpPacked fp_inf(const FpFormat *f, bool sign)
{
    return (FpPacked){ sign, f->emax * 2 + 1, BIT64(63) };
}

FpPacked fp_nan(const FpFormat *f, const FpNum *n)
{
    return (FpPacked){ n->sign, f->emax * 2 + 1, n->m | BIT64(63) | BIT64(62) };
}

FpPacked fp_invalid(const FpFormat *f, FpEnv *e)
{
    e->flags |= FP_IE;
    return (FpPacked){ true, f->emax * 2 + 1, BIT64(63) | BIT64(62) };
}

FpPacked fp_propagate(const FpFormat *f, const FpNum *a, const FpNum *b, FpEnv *e)
{
    const FpNum *pick;

    if (a->cls == FP_IS_UNSUPPORTED || b->cls == FP_IS_UNSUPPORTED) {
        return fp_invalid(f, e);
    }
    if (fp_is_snan(a) || fp_is_snan(b)) {
        e->flags |= FP_IE;
    }
    if (a->cls != FP_IS_NAN || b->cls != FP_IS_NAN) {
        pick = a->cls == FP_IS_NAN ? a : b;
    } else if (f->x87) {
        /* The larger significand; of equal ones the positive. */
        pick = a->m != b->m ? (a->m > b->m ? a : b) : a->sign ? b : a;
    } else {
        pick = a;
    }
    return fp_nan(f, pick);
}

/* Whether a magnitude is increased when what is left below the last place is @rest
 * (left-aligned: the top bit is one half). */
static bool rounds_up(FpRound mode, bool sign, bool odd, U128 rest)
{
    U128 half = u128(BIT64(63), 0);

    if (u128_is_zero(rest)) {
        return false;
    }
    switch (mode) {
    case FP_NEAREST:
        return u128_less(half, rest) || (u128_equal(half, rest) && odd);
    case FP_DOWN:
        return sign;
    case FP_UP:
        return !sign;
    default:
        return false;
    }
}

/* Top @p bits of @m (bit 127 set or, for denormals, not), rounded; *carry: to 2^128. */
static uint64_t round_bits(U128 m, unsigned p, const FpEnv *e, bool sign, bool *inexact,
                           bool *up, bool *carry)
{
    U128 rest = u128_shl(m, p);
    uint64_t top = u128_hi(m);
    uint64_t unit = BIT64(64 - p);
    uint64_t v = top & ~(unit - 1);

    *inexact = !u128_is_zero(rest);
    *up = rounds_up(e->round, sign, v & unit, rest);
    *carry = false;
    if (*up) {
        v += unit;
        *carry = v == 0;
    }
    return v;
}

U128 fp_shift_jam(U128 m, unsigned n)
{
    if (n == 0) {
        return m;
    }
    if (n > 127) {
        return u128(0, !u128_is_zero(m));
    }
    return u128_or(u128_shr(m, n), u128(0, !u128_is_zero(u128_shl(m, 128 - n))));
}

static FpPacked overflow(const FpFormat *f, bool sign, FpEnv *e)
{
    bool inf = e->round == FP_NEAREST || e->round == (sign ? FP_DOWN : FP_UP);

    e->rounded_up = inf;
    if (inf) {
        return fp_inf(f, sign);
    }
    return (FpPacked){ sign, f->emax * 2, UINT64_MAX << (64 - f->precision) };
}

/* What unmasked overflow and underflow take from the exponent, or add. */
enum { X87_SCALE = 24576 };

FpPacked fp_round(const FpFormat *f, bool sign, int32_t exp, U128 m, FpEnv *e)
{
    unsigned p = f->precision;
    int shift = u128_hi(m) ? clz64(u128_hi(m)) : 64 + clz64(u128_lo(m));
    bool inexact, up, carry;
    uint64_t v;

    m = u128_shl(m, shift);
    exp -= shift;
    v = round_bits(m, p, e, sign, &inexact, &up, &carry);
    if (carry) {
        v = BIT64(63);
    }
    if (exp + carry >= f->emin) {
        if (exp + carry > f->emax) {
            FpPacked max = overflow(f, sign, e);

            if (f->x87 && (e->unmasked & FP_OE)) {      /* SDM vol. 1, 8.5.4: scaled down */
                max = (FpPacked){ sign, exp + carry + f->emax - X87_SCALE, v };
                e->rounded_up = up;
            }
            e->flags |= FP_OE | (inexact || !(e->unmasked & FP_OE) ? FP_PE : 0);
            return max;
        }
        e->flags |= inexact ? FP_PE : 0;
        e->rounded_up = up;
        return (FpPacked){ sign, exp + carry + f->emax, v };
    }
    /* Tiny after rounding. */
    if (e->ftz && !f->x87 && !(e->unmasked & FP_UE)) {
        e->flags |= FP_UE | FP_PE;
        return fp_zero(sign);
    }
    if (e->unmasked & FP_UE) {
        /* Whether or not something is lost; PE as without a least exponent. */
        e->flags |= FP_UE | (inexact ? FP_PE : 0);
        if (f->x87) {                           /* 8.5.5: scaled up */
            e->rounded_up = up;
            return (FpPacked){ sign, exp + carry + f->emax + X87_SCALE, v };
        }
        v = round_bits(fp_shift_jam(m, f->emin - exp), p, e, sign, &inexact, &up, &carry);
        e->rounded_up = up;
        return (FpPacked){ sign, v >> 63, v };
    }
    v = round_bits(fp_shift_jam(m, f->emin - exp), p, e, sign, &inexact, &up, &carry);
    e->flags |= inexact ? FP_PE | FP_UE : 0;
    e->rounded_up = up;
    return (FpPacked){ sign, v >> 63, v };
}
