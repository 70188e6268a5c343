/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What most floating-point instructions come to: normal operands, a normal result, rounding to nearest. In
 * integers, so that every host computes the same; all else is left to fp-arith.c.
 */
#ifndef TARGET_M68K_FP_FAST_H
#define TARGET_M68K_FP_FAST_H

#include "target/m68k/fp.h"

#define FP_TOP      ((uint64_t)1 << 63)

static inline bool fp_is_normal(F80 v)
{
    unsigned e = v.se & 0x7fff;

    return e - 1 < 0x7ffe && v.m >> 63;
}

static inline bool fp_is_zero(F80 v)
{
    return !v.m && !(v.se & 0x7fff);
}

/* A double or single that isn't a denormal, infinity or NaN; false otherwise. */
static inline bool fp_fast_from_d(uint64_t v, F80 *r)
{
    unsigned e = v >> 52 & 0x7ff;
    uint16_t s = (uint16_t)(v >> 48 & 0x8000);

    if (e - 1 < 0x7fe) {
        *r = (F80){ FP_TOP | v << 11, (uint16_t)(s | (e + 16383 - 1023)) };
        return true;
    }
    *r = (F80){ 0, s };
    return !(v << 1);
}

static inline bool fp_fast_from_s(uint32_t v, F80 *r)
{
    unsigned e = v >> 23 & 0xff;
    uint16_t s = (uint16_t)(v >> 16 & 0x8000);

    if (e - 1 < 0xfe) {
        *r = (F80){ FP_TOP | (uint64_t)v << 40, (uint16_t)(s | (e + 16383 - 127)) };
        return true;
    }
    *r = (F80){ 0, s };
    return !(v << 1);
}

/* @hi:@lo, bit 127 set, with the biased exponent @e, to @bits; false: out of @c's range. */
static inline bool fp_fast_round(FpCtx *c, unsigned bits, int32_t e, uint64_t hi, uint64_t lo, uint16_t sign,
                                 F80 *r)
{
    unsigned cut = 64 - bits;
    uint64_t rest = cut ? hi << bits | (lo != 0) : lo, top = cut ? hi >> cut << cut : hi;
    int32_t emin = bits == 64 ? 1 : bits == 53 ? 16383 - 1022 : 16383 - 126;
    int32_t emax = bits == 64 ? 0x7ffe : bits == 53 ? 16383 + 1023 : 16383 + 127;

    if (e < emin) {                     /* too small before it is rounded: an underflow */
        return false;
    }
    if (rest) {
        uint64_t up = (uint64_t)(rest > FP_TOP) | ((uint64_t)(rest == FP_TOP) & top >> cut);

        c->exc = FPX_INEX2;
        top += (up & 1) << cut;
        if (!(top >> 63)) {             /* carried out */
            top = FP_TOP;
            e++;
        }
    }
    if (e > emax) {
        c->exc = 0;
        return false;
    }
    *r = (F80){ top, (uint16_t)(sign | e) };
    return true;
}

static inline bool fp_fast_mul(FpCtx *c, unsigned bits, F80 a, F80 b, F80 *r)
{
    U128 p = u128_mul(a.m, b.m);
    int32_t e = (a.se & 0x7fff) + (b.se & 0x7fff) - 16383 + 1;
    unsigned n;

    /* Without branches, which nobody could predict, here and below. */
    n = (unsigned)(~u128_hi(p) >> 63);
    p = u128_shl(p, n);
    e -= (int32_t)n;
    return fp_fast_round(c, bits, e, u128_hi(p), u128_lo(p), (a.se ^ b.se) & 0x8000, r);
}

static inline bool fp_fast_add(FpCtx *c, unsigned bits, F80 a, F80 b, F80 *r)
{
    int32_t ea = a.se & 0x7fff, eb = b.se & 0x7fff;
    unsigned d;
    U128 x, y;

    if (ea < eb || (ea == eb && a.m < b.m)) {
        F80 t = a;

        a = b;
        b = t;
        d = (unsigned)(eb - ea);
        ea = eb;
    } else {
        d = (unsigned)(ea - eb);
    }
    if (d > 62) {
        return false;
    }
    x = u128_shl(u128(0, a.m), 63);     /* nothing of b is lost: 63 bits below */
    y = u128_shl(u128(0, b.m), 63 - d);
    if (!((a.se ^ b.se) & 0x8000)) {
        unsigned n;

        x = u128_add(x, y);
        n = (unsigned)(~u128_hi(x) >> 63);
        x = u128_shl(x, n);
        ea += 1 - (int32_t)n;
    } else {
        unsigned n;

        x = u128_sub(x, y);
        if (u128_is_zero(x)) {
            return false;
        }
        n = u128_hi(x) ? (unsigned)__builtin_clzll(u128_hi(x)) : 64 + (unsigned)__builtin_clzll(u128_lo(x));
        x = u128_shl(x, n);
        ea -= (int32_t)n - 1;
    }
    return fp_fast_round(c, bits, ea, u128_hi(x), u128_lo(x), a.se & 0x8000, r);
}

/* The quotient by one long division of the significands; @bits 64 at most. */
static inline bool fp_fast_div(FpCtx *c, unsigned bits, F80 a, F80 b, F80 *r)
{
    int32_t e = (a.se & 0x7fff) - (b.se & 0x7fff) + 16383;
    uint64_t hi = a.m, q, rem, lo;
    U128 n;

    if (hi >= b.m) {                    /* first bit of the quotient is 1: divide half of it */
        n = u128_shl(u128(0, hi), 63);
    } else {
        n = u128(hi, 0);
        e--;
    }
    q = u128_lo(u128_div(n, b.m, &rem));
    /* What is left decides the rounding: below, at, or above half of the last place. */
    lo = !rem ? 0 : rem > b.m - rem ? FP_TOP | 1 : rem == b.m - rem ? FP_TOP : 1;
    return fp_fast_round(c, bits, e, q, lo, (a.se ^ b.se) & 0x8000, r);
}

/* The square root of 128 bits rounded down: an estimate in double precision, one step of Newton's, at most a
 * few corrections. Then as for the quotient. */
static inline bool fp_fast_sqrt(FpCtx *c, unsigned bits, F80 a, F80 *r)
{
    int32_t exp = (a.se & 0x7fff) - 16383;
    U128 n = u128_shl(u128(0, a.m), exp & 1 ? 64 : 63), rest;
    double estimate = __builtin_sqrt((double)u128_hi(n)) * 4294967296.0;
    uint64_t x = estimate >= 18446744073709549568.0 ? UINT64_MAX : (uint64_t)estimate, lo;

    x = u128_lo(u128_shr(u128_add(u128(0, x), u128_div(n, x, &lo)), 1));
    while (u128_less(n, u128_mul(x, x))) {
        x--;
    }
    while (x != UINT64_MAX && !u128_less(n, u128_mul(x + 1, x + 1))) {
        x++;
    }
    rest = u128_sub(n, u128_mul(x, x));
    lo = u128_is_zero(rest) ? 0 : u128_less(u128(0, x), rest) ? FP_TOP | 1 : 1;
    return fp_fast_round(c, bits, (exp >> 1) + 16383, x, lo, 0, r);
}

#endif
