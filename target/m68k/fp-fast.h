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
    Fp128 p = (Fp128)a.m * b.m;
    int32_t e = (a.se & 0x7fff) + (b.se & 0x7fff) - 16383 + 1;
    unsigned n;

    /* Without branches, which nobody could predict, here and below. */
    n = (unsigned)(~(uint64_t)(p >> 64) >> 63);
    p <<= n;
    e -= (int32_t)n;
    return fp_fast_round(c, bits, e, (uint64_t)(p >> 64), (uint64_t)p, (a.se ^ b.se) & 0x8000, r);
}

static inline bool fp_fast_add(FpCtx *c, unsigned bits, F80 a, F80 b, F80 *r)
{
    int32_t ea = a.se & 0x7fff, eb = b.se & 0x7fff;
    unsigned d;
    Fp128 x, y;

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
    x = (Fp128)a.m << 63;               /* nothing of b is lost: 63 bits below */
    y = (Fp128)b.m << 63 >> d;
    if (!((a.se ^ b.se) & 0x8000)) {
        unsigned n;

        x += y;
        n = (unsigned)(~(uint64_t)(x >> 64) >> 63);
        x <<= n;
        ea += 1 - (int32_t)n;
    } else {
        unsigned n;

        x -= y;
        if (!x) {
            return false;
        }
        n = x >> 64 ? (unsigned)__builtin_clzll((uint64_t)(x >> 64))
                    : 64 + (unsigned)__builtin_clzll((uint64_t)x);
        x <<= n;
        ea -= (int32_t)n - 1;
    }
    return fp_fast_round(c, bits, ea, (uint64_t)(x >> 64), (uint64_t)x, a.se & 0x8000, r);
}

/* The quotient by one long division of the significands; @bits 64 at most. */
static inline bool fp_fast_div(FpCtx *c, unsigned bits, F80 a, F80 b, F80 *r)
{
    int32_t e = (a.se & 0x7fff) - (b.se & 0x7fff) + 16383;
    uint64_t hi = a.m, q, rem, lo;
    Fp128 n;

    if (hi >= b.m) {                    /* first bit of the quotient is 1: divide half of it */
        n = (Fp128)hi << 63;
    } else {
        n = (Fp128)hi << 64;
        e--;
    }
    q = (uint64_t)(n / b.m);
    rem = (uint64_t)(n % b.m);
    /* What is left decides the rounding: below, at, or above half of the last place. */
    lo = !rem ? 0 : rem > b.m - rem ? FP_TOP | 1 : rem == b.m - rem ? FP_TOP : 1;
    return fp_fast_round(c, bits, e, q, lo, (a.se ^ b.se) & 0x8000, r);
}

/* The square root of 128 bits rounded down: an estimate in double precision, one step of Newton's, at most a
 * few corrections. Then as for the quotient. */
static inline bool fp_fast_sqrt(FpCtx *c, unsigned bits, F80 a, F80 *r)
{
    int32_t exp = (a.se & 0x7fff) - 16383;
    Fp128 n = (Fp128)a.m << (exp & 1 ? 64 : 63), rest;
    double estimate = __builtin_sqrt((double)(uint64_t)(n >> 64)) * 4294967296.0;
    uint64_t x = estimate >= 18446744073709549568.0 ? UINT64_MAX : (uint64_t)estimate, lo;

    x = (uint64_t)(((Fp128)x + n / x) >> 1);
    while ((Fp128)x * x > n) {
        x--;
    }
    while (x != UINT64_MAX && (Fp128)(x + 1) * (x + 1) <= n) {
        x++;
    }
    rest = n - (Fp128)x * x;
    lo = !rest ? 0 : rest > x ? FP_TOP | 1 : 1;
    return fp_fast_round(c, bits, (exp >> 1) + 16383, x, lo, 0, r);
}

#endif
