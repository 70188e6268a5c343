/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic on numbers taken apart: exact to 128 bits with what is lost kept as one low bit, then
 * rounded once.
 */
#include "util/osdep.h"
#include "target/m68k/fp.h"

static Fp number(bool sign, int32_t exp, uint64_t m)
{
    unsigned n;

    if (!m) {
        return m68k_fp_zero(sign);
    }
    n = (unsigned)__builtin_clzll(m);
    return (Fp){ FPC_NUM, sign, exp - (int32_t)n, m << n };
}

Fp m68k_fp_unpack(F80 v)
{
    bool sign = v.se >> 15;
    unsigned e = v.se & 0x7fff;

    if (e == 0x7fff) {
        return v.m << 1 ? (Fp){ FPC_NAN, sign, 0, v.m } : m68k_fp_inf(sign);
    }
    return number(sign, (int32_t)e - 16383, v.m);
}

F80 m68k_fp_pack(Fp v)
{
    uint16_t s = (uint16_t)(v.sign << 15);

    switch (v.cls) {
    case FPC_ZERO: return (F80){ 0, s };
    case FPC_INF: return (F80){ 0, s | 0x7fff };
    case FPC_NAN: return (F80){ v.m, s | 0x7fff };
    default:
        return v.exp < -16383 ? (F80){ v.m >> (-16383 - v.exp), s }
                              : (F80){ v.m, (uint16_t)(s | (v.exp + 16383)) };
    }
}

Fp m68k_fp_from_s(uint32_t v)
{
    bool sign = v >> 31;
    unsigned e = v >> 23 & 0xff;
    uint64_t f = (uint64_t)(v & 0x7fffff) << 40;

    if (e == 0xff) {
        return f ? (Fp){ FPC_NAN, sign, 0, f | (uint64_t)1 << 63 } : m68k_fp_inf(sign);
    }
    return e ? (Fp){ FPC_NUM, sign, (int32_t)e - 127, f | (uint64_t)1 << 63 } : number(sign, -126, f);
}

Fp m68k_fp_from_d(uint64_t v)
{
    bool sign = v >> 63;
    unsigned e = v >> 52 & 0x7ff;
    uint64_t f = (v & (((uint64_t)1 << 52) - 1)) << 11;

    if (e == 0x7ff) {
        return f ? (Fp){ FPC_NAN, sign, 0, f | (uint64_t)1 << 63 } : m68k_fp_inf(sign);
    }
    return e ? (Fp){ FPC_NUM, sign, (int32_t)e - 1023, f | (uint64_t)1 << 63 } : number(sign, -1022, f);
}

Fp m68k_fp_from_int(int64_t v)
{
    return number(v < 0, 63, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* ------------------------------------------------------------------- rounding */

static const struct { uint8_t bits; int16_t emin, emax; } formats[] = {
    [FPP_X] = { 64, -16383, 16383 }, [FPP_S] = { 24, -126, 127 }, [FPP_D] = { 53, -1022, 1023 },
    [FPP_SGL] = { 24, -16383, 16383 },
};

static U128 shift_jam(U128 m, unsigned n)
{
    if (n == 0) {
        return m;
    }
    return n > 127 ? u128(0, !u128_is_zero(m))
                   : u128_or(u128_shr(m, n), u128(0, !u128_is_zero(u128_shl(m, 128 - n))));
}

static unsigned clz128(U128 m)
{
    return u128_hi(m) ? (unsigned)__builtin_clzll(u128_hi(m)) : 64 + (unsigned)__builtin_clzll(u128_lo(m));
}

/* Does the magnitude grow? @rest: what is cut off, left-aligned; not zero. */
static bool rounds_up(FpMode mode, bool sign, bool odd, U128 rest)
{
    U128 half = u128((uint64_t)1 << 63, 0);

    switch (mode) {
    case FPM_NEAREST: return u128_less(half, rest) || (u128_equal(half, rest) && odd);
    case FPM_MINUS: return sign;
    case FPM_PLUS: return !sign;
    default: return false;
    }
}

Fp m68k_fp_round128(FpCtx *c, bool sign, int32_t exp, U128 m)
{
    unsigned bits = formats[c->prec].bits, n = clz128(m);
    int32_t emin = formats[c->prec].emin, emax = formats[c->prec].emax;
    U128 rest;
    uint64_t top;

    m = u128_shl(m, n);
    exp -= (int32_t)n;
    if (exp < emin) {
        c->exc |= FPX_UNFL;
        m = shift_jam(m, (unsigned)MIN(emin - exp, 200));
        exp = emin;
    }
    rest = u128_shl(m, bits);
    top = u128_hi(m) >> (64 - bits) << (64 - bits);
    if (!u128_is_zero(rest)) {
        c->exc |= FPX_INEX2;
        if (rounds_up(c->mode, sign, top >> (64 - bits) & 1, rest)) {
            uint64_t ulp = (uint64_t)1 << (64 - bits);

            top += ulp;
            if (top < ulp) {            /* carried out */
                top = (uint64_t)1 << 63;
                exp++;
            }
        }
    }
    if (exp > emax) {
        bool to_inf = c->mode == FPM_NEAREST || (c->mode == FPM_MINUS && sign) ||
                      (c->mode == FPM_PLUS && !sign);

        c->exc |= FPX_OVFL | FPX_INEX2;
        return to_inf ? m68k_fp_inf(sign)
                      : (Fp){ FPC_NUM, sign, emax, bits == 64 ? UINT64_MAX : ~(UINT64_MAX >> bits) };
    }
    return number(sign, exp, top);
}

Fp m68k_fp_round(FpCtx *c, Fp v)
{
    return v.cls == FPC_NUM ? m68k_fp_round128(c, v.sign, v.exp, u128(v.m, 0)) : v;
}

/* --------------------------------------------------------------------- NaNs */

#define QUIET   ((uint64_t)1 << 62)

Fp m68k_fp_nan(FpCtx *c, const Fp *dst, const Fp *src)
{
    Fp r = dst && dst->cls == FPC_NAN ? *dst : *src;

    if ((dst && dst->cls == FPC_NAN && !(dst->m & QUIET)) ||
        (src->cls == FPC_NAN && !(src->m & QUIET))) {
        c->exc |= FPX_SNAN;
    }
    r.m |= QUIET;
    return r;
}

Fp m68k_fp_operr(FpCtx *c)
{
    c->exc |= FPX_OPERR;
    return m68k_fp_default_nan();
}

/* ----------------------------------------------------------------- operations */

Fp m68k_fp_add(FpCtx *c, Fp a, Fp b)
{
    U128 x, y;
    unsigned d;

    if (a.cls == FPC_NAN || b.cls == FPC_NAN) {
        return m68k_fp_nan(c, &a, &b);
    }
    if (a.cls == FPC_INF || b.cls == FPC_INF) {
        if (a.cls == b.cls && a.sign != b.sign) {
            return m68k_fp_operr(c);
        }
        return a.cls == FPC_INF ? a : b;
    }
    if (a.cls == FPC_ZERO && b.cls == FPC_ZERO) {
        return m68k_fp_zero(a.sign == b.sign ? a.sign : c->mode == FPM_MINUS);
    }
    if (a.cls == FPC_ZERO || b.cls == FPC_ZERO) {
        return m68k_fp_round(c, a.cls == FPC_ZERO ? b : a);
    }
    if (a.exp < b.exp || (a.exp == b.exp && a.m < b.m)) {
        Fp t = a;

        a = b;
        b = t;
    }
    d = (unsigned)MIN(a.exp - b.exp, 200);
    x = u128_shl(u128(0, a.m), 63);
    y = shift_jam(u128_shl(u128(0, b.m), 63), d);
    if (a.sign == b.sign) {
        x = u128_add(x, y);
    } else {
        x = u128_sub(x, y);
        if (u128_is_zero(x)) {
            return m68k_fp_zero(c->mode == FPM_MINUS);
        }
    }
    return m68k_fp_round128(c, a.sign, a.exp + 1, x);
}

Fp m68k_fp_mul(FpCtx *c, Fp a, Fp b)
{
    bool sign = a.sign ^ b.sign;

    if (a.cls == FPC_NAN || b.cls == FPC_NAN) {
        return m68k_fp_nan(c, &a, &b);
    }
    if (a.cls == FPC_INF || b.cls == FPC_INF) {
        return a.cls == FPC_ZERO || b.cls == FPC_ZERO ? m68k_fp_operr(c) : m68k_fp_inf(sign);
    }
    if (a.cls == FPC_ZERO || b.cls == FPC_ZERO) {
        return m68k_fp_zero(sign);
    }
    return m68k_fp_round128(c, sign, a.exp + b.exp + 1, u128_mul(a.m, b.m));
}

Fp m68k_fp_div(FpCtx *c, Fp a, Fp b)
{
    bool sign = a.sign ^ b.sign;
    uint64_t hi, lo, rest;

    if (a.cls == FPC_NAN || b.cls == FPC_NAN) {
        return m68k_fp_nan(c, &a, &b);
    }
    if (a.cls == b.cls && a.cls != FPC_NUM) {
        return m68k_fp_operr(c);        /* 0/0, inf/inf */
    }
    if (a.cls == FPC_INF || b.cls == FPC_ZERO) {
        if (a.cls != FPC_INF) {
            c->exc |= FPX_DZ;
        }
        return m68k_fp_inf(sign);
    }
    if (a.cls == FPC_ZERO || b.cls == FPC_INF) {
        return m68k_fp_zero(sign);
    }
    /* Two steps of long division give 65 and 64 bits of quotient. */
    hi = u128_lo(u128_div(u128(a.m >> 1, a.m << 63), b.m, &rest));
    lo = u128_lo(u128_div(u128(rest, 0), b.m, &rest));
    return m68k_fp_round128(c, sign, a.exp - b.exp, u128(hi, lo | (rest != 0)));
}

Fp m68k_fp_sqrt(FpCtx *c, Fp a)
{
    U128 n, root = u128(0, 0), rest = root, one = u128(0, 1);
    int32_t e;

    if (a.cls == FPC_NAN) {
        return m68k_fp_nan(c, NULL, &a);
    }
    if (a.cls == FPC_ZERO) {
        return a;
    }
    if (a.sign) {
        return m68k_fp_operr(c);
    }
    if (a.cls == FPC_INF) {
        return a;
    }
    /* The value is n * 2^(2e - 126), n of 127 or 128 bits; digit by digit, 66 bits of root. */
    e = a.exp >> 1;
    n = u128_shl(u128(0, a.m), a.exp & 1 ? 64 : 63);
    for (int i = 0; i < 66; i++) {
        U128 trial;

        rest = u128_or(u128_shl(rest, 2), u128_shr(n, 126));
        n = u128_shl(n, 2);
        trial = u128_or(u128_shl(root, 2), one);
        root = u128_shl(root, 1);
        if (!u128_less(rest, trial)) {
            rest = u128_sub(rest, trial);
            root = u128_or(root, one);
        }
    }
    return m68k_fp_round128(c, false, e, u128_or(u128_shl(root, 62), u128(0, !u128_is_zero(rest))));
}

Fp m68k_fp_rint(FpCtx *c, Fp a, FpMode mode)
{
    U128 rest;
    unsigned n;
    uint64_t i;

    if (a.cls == FPC_NAN) {
        return m68k_fp_nan(c, NULL, &a);
    }
    if (a.cls != FPC_NUM || a.exp >= 63) {
        return a;
    }
    n = (unsigned)MIN(63 - a.exp, 66);
    i = n < 64 ? a.m >> n : 0;
    rest = u128_shl(shift_jam(u128(a.m, 0), n), 64);
    if (!u128_is_zero(rest)) {
        c->exc |= FPX_INEX2;
        if (rounds_up(mode, a.sign, i & 1, rest)) {
            i++;
            if (!i) {
                return (Fp){ FPC_NUM, a.sign, 64, (uint64_t)1 << 63 };
            }
        }
    }
    return number(a.sign, 63, i);
}

/* Exact, bit by bit: at most 32767 steps. */
Fp m68k_fp_rem(FpCtx *c, Fp a, Fp b, bool nearest, uint32_t *quotient)
{
    bool qsign = a.sign ^ b.sign, carry = false;
    uint64_t r, q = 0;
    int32_t d;
    Fp res;

    *quotient = 0;
    if (a.cls == FPC_NAN || b.cls == FPC_NAN) {
        return m68k_fp_nan(c, &a, &b);
    }
    if (a.cls == FPC_INF || b.cls == FPC_ZERO) {
        return m68k_fp_operr(c);
    }
    *quotient = (uint32_t)qsign << 7;
    if (a.cls == FPC_ZERO || b.cls == FPC_INF) {
        return m68k_fp_round(c, a);
    }
    d = a.exp - b.exp;
    if (d < -1 || (d < 0 && !nearest)) {
        return m68k_fp_round(c, a);
    }
    r = a.m;
    if (d < 0) {
        /* a is below b: above half of it, if its significand is greater. */
        if (a.m <= b.m) {
            return m68k_fp_round(c, a);
        }
        *quotient |= 1;
        /* a - b, with the sign turned. */
        b.sign = !a.sign;
        return m68k_fp_add(c, a, b);
    }
    for (int32_t i = d; ; i--) {
        q <<= 1;
        if (carry || r >= b.m) {
            r -= b.m;
            q |= 1;
        }
        if (i == 0) {
            break;
        }
        carry = r >> 63;
        r <<= 1;
    }
    res = number(a.sign, b.exp, r);
    if (nearest && r) {
        uint64_t twice = r << 1;
        bool more = r >> 63 || twice > b.m, same = !(r >> 63) && twice == b.m;

        if (more || (same && (q & 1))) {
            q++;
            res = number(!a.sign, b.exp, b.m - r);
        }
    }
    *quotient |= q & 0x7f;
    return res.cls == FPC_NUM ? m68k_fp_round(c, res) : res;
}

Fp m68k_fp_scale(FpCtx *c, Fp a, Fp b)
{
    int32_t n;

    if (a.cls == FPC_NAN || b.cls == FPC_NAN) {
        return m68k_fp_nan(c, &a, &b);
    }
    if (b.cls == FPC_INF) {
        return m68k_fp_operr(c);
    }
    if (a.cls != FPC_NUM) {
        return a;
    }
    n = b.cls == FPC_ZERO || b.exp < 0 ? 0 : b.exp >= 14 ? 1 << 15 : (int32_t)(b.m >> (63 - b.exp));
    a.exp += b.sign ? -n : n;
    return m68k_fp_round(c, a);
}

uint32_t m68k_fp_cc(const Fp *v)
{
    return (v->sign ? FPCC_N : 0) | (v->cls == FPC_ZERO ? FPCC_Z : 0) |
           (v->cls == FPC_INF ? FPCC_I : 0) | (v->cls == FPC_NAN ? FPCC_NAN : 0);
}
