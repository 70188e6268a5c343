/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unsigned integers of 128 bits. Where the compiler has them (hosts of 64 bits), they are its own; elsewhere two halves. All is
 * modulo 2^128 and defined for every argument in the ranges given.
 */
#ifndef UTIL_UINT128_H
#define UTIL_UINT128_H

#include "util/osdep.h"

/* UINT128_PORTABLE: the second way, for its test. */
#if defined(__SIZEOF_INT128__) && !defined(UINT128_PORTABLE)

typedef unsigned __int128 U128;

static inline U128 u128(uint64_t hi, uint64_t lo) { return (U128)hi << 64 | lo; }
static inline uint64_t u128_hi(U128 v) { return (uint64_t)(v >> 64); }
static inline uint64_t u128_lo(U128 v) { return (uint64_t)v; }
static inline U128 u128_add(U128 a, U128 b) { return a + b; }
static inline U128 u128_sub(U128 a, U128 b) { return a - b; }
static inline U128 u128_or(U128 a, U128 b) { return a | b; }
static inline bool u128_less(U128 a, U128 b) { return a < b; }
/* @n: 0 to 127. */
static inline U128 u128_shl(U128 v, unsigned n) { return v << n; }
static inline U128 u128_shr(U128 v, unsigned n) { return v >> n; }
/* The product of two 64-bit numbers. */
static inline U128 u128_mul(uint64_t a, uint64_t b) { return (U128)a * b; }

/* Quotient; the remainder in *@rem. @d is not 0. */
static inline U128 u128_div(U128 n, uint64_t d, uint64_t *rem)
{
    *rem = (uint64_t)(n % d);
    return n / d;
}

#else

typedef struct U128 {
    uint64_t hi, lo;
} U128;

static inline U128 u128(uint64_t hi, uint64_t lo) { return (U128){ hi, lo }; }
static inline uint64_t u128_hi(U128 v) { return v.hi; }
static inline uint64_t u128_lo(U128 v) { return v.lo; }

static inline U128 u128_add(U128 a, U128 b)
{
    uint64_t lo = a.lo + b.lo;

    return u128(a.hi + b.hi + (lo < a.lo), lo);
}

static inline U128 u128_sub(U128 a, U128 b)
{
    return u128(a.hi - b.hi - (a.lo < b.lo), a.lo - b.lo);
}

static inline U128 u128_or(U128 a, U128 b)
{
    return u128(a.hi | b.hi, a.lo | b.lo);
}

static inline bool u128_less(U128 a, U128 b)
{
    return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

static inline U128 u128_shl(U128 v, unsigned n)
{
    return n >= 64 ? u128(v.lo << (n - 64), 0) : n ? u128(v.hi << n | v.lo >> (64 - n), v.lo << n) : v;
}

static inline U128 u128_shr(U128 v, unsigned n)
{
    return n >= 64 ? u128(0, v.hi >> (n - 64)) : n ? u128(v.hi >> n, v.lo >> n | v.hi << (64 - n)) : v;
}

static inline U128 u128_mul(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, mid = a1 * b0 + (low >> 32), more = a0 * b1 + (uint32_t)mid;

    return u128(a1 * b1 + (mid >> 32) + (more >> 32), more << 32 | (uint32_t)low);
}

/* A digit of 32 bits of (@rest:@next) / @d, whose top bit is set; @rest < @d. Knuth, The Art of Computer Programming, vol. 2, 4.3.1. */
static inline uint32_t u128_digit(uint64_t *rest, uint32_t next, uint64_t d)
{
    uint64_t q = *rest / (d >> 32), r = *rest % (d >> 32);

    while (q >> 32 || q * (uint32_t)d > (r << 32 | next)) {
        q--;
        r += d >> 32;
        if (r >> 32) {
            break;
        }
    }
    *rest = (*rest << 32 | next) - q * d;
    return (uint32_t)q;
}

static inline U128 u128_div(U128 n, uint64_t d, uint64_t *rem)
{
    unsigned shift = (unsigned)__builtin_clzll(d);
    uint64_t hi = n.hi / d, rest = n.hi % d, q;
    U128 r = u128_shl(u128(rest, n.lo), shift);

    d <<= shift;
    rest = r.hi;
    q = (uint64_t)u128_digit(&rest, (uint32_t)(r.lo >> 32), d) << 32;
    q |= u128_digit(&rest, (uint32_t)r.lo, d);
    *rem = rest >> shift;
    return u128(hi, q);
}

#endif

static inline U128 u128_neg(U128 v) { return u128_sub(u128(0, 0), v); }
static inline bool u128_is_zero(U128 v) { return !(u128_hi(v) | u128_lo(v)); }
static inline bool u128_equal(U128 a, U128 b) { return !((u128_hi(a) ^ u128_hi(b)) | (u128_lo(a) ^ u128_lo(b))); }

#endif
