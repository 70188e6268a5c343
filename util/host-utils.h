/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer arithmetic that C has no operators for. All functions are defined
 * for every argument: counts of zero bits of 0 are the width.
 */
#ifndef UTIL_HOST_UTILS_H
#define UTIL_HOST_UTILS_H

#include "util/uint128.h"

static inline int clz32(uint32_t v) { return v ? __builtin_clz(v) : 32; }
static inline int clz64(uint64_t v) { return v ? __builtin_clzll(v) : 64; }
static inline int ctz32(uint32_t v) { return v ? __builtin_ctz(v) : 32; }
static inline int ctz64(uint64_t v) { return v ? __builtin_ctzll(v) : 64; }
static inline int clo32(uint32_t v) { return clz32(~v); }
static inline int clo64(uint64_t v) { return clz64(~v); }
static inline int popcount32(uint32_t v) { return __builtin_popcount(v); }
static inline int popcount64(uint64_t v) { return __builtin_popcountll(v); }
/* 1 if the number of set bits is odd. */
static inline int parity64(uint64_t v) { return __builtin_parityll(v); }

#define HOST_UTILS_ROTATE(bits) \
    static inline uint##bits##_t rol##bits(uint##bits##_t v, unsigned n) \
    { \
        n &= bits - 1; \
        return n ? (uint##bits##_t)(v << n | v >> (bits - n)) : v; \
    } \
    static inline uint##bits##_t ror##bits(uint##bits##_t v, unsigned n) \
    { \
        return rol##bits(v, -n); \
    }
HOST_UTILS_ROTATE(8)
HOST_UTILS_ROTATE(16)
HOST_UTILS_ROTATE(32)
HOST_UTILS_ROTATE(64)
#undef HOST_UTILS_ROTATE

/* @len bits of @v from bit @lo; @len is 1 to 64, @lo + @len at most 64. */
static inline uint64_t extract64(uint64_t v, unsigned lo, unsigned len)
{
    return v >> lo & MASK64(0, len);
}

static inline int64_t sextract64(uint64_t v, unsigned lo, unsigned len)
{
    return (int64_t)(v << (64 - len - lo)) >> (64 - len);
}

static inline uint64_t deposit64(uint64_t v, unsigned lo, unsigned len, uint64_t field)
{
    uint64_t mask = MASK64(lo, len);

    return (v & ~mask) | (field << lo & mask);
}

static inline uint32_t extract32(uint32_t v, unsigned lo, unsigned len)
{
    return v >> lo & MASK(0, len);
}

static inline int32_t sextract32(uint32_t v, unsigned lo, unsigned len)
{
    return (int32_t)(v << (32 - len - lo)) >> (32 - len);
}

static inline uint32_t deposit32(uint32_t v, unsigned lo, unsigned len, uint32_t field)
{
    uint32_t mask = MASK(lo, len);

    return (v & ~mask) | (field << lo & mask);
}

static inline uint8_t bitrev8(uint8_t v)
{
    v = (v & 0xf0) >> 4 | (v & 0x0f) << 4;
    v = (v & 0xcc) >> 2 | (v & 0x33) << 2;
    return (v & 0xaa) >> 1 | (v & 0x55) << 1;
}

static inline uint32_t bitrev32(uint32_t v)
{
    v = __builtin_bswap32(v);
    v = (v & 0xf0f0f0f0) >> 4 | (v & 0x0f0f0f0f) << 4;
    v = (v & 0xcccccccc) >> 2 | (v & 0x33333333) << 2;
    return (v & 0xaaaaaaaa) >> 1 | (v & 0x55555555) << 1;
}

/* The product of two 64-bit numbers in two halves. */
static inline void mulu64(uint64_t *lo, uint64_t *hi, uint64_t a, uint64_t b)
{
    U128 p = u128_mul(a, b);

    *lo = u128_lo(p);
    *hi = u128_hi(p);
}

static inline void muls64(uint64_t *lo, uint64_t *hi, int64_t a, int64_t b)
{
    mulu64(lo, hi, (uint64_t)a, (uint64_t)b);
    *hi -= (a < 0 ? (uint64_t)b : 0) + (b < 0 ? (uint64_t)a : 0);
}

/*
 * (*hi:*lo) / @divisor: quotient to *lo, remainder to *hi. False, with nothing
 * changed, if the divisor is 0 or the quotient needs more than 64 bits.
 */
static inline bool divu128(uint64_t *lo, uint64_t *hi, uint64_t divisor)
{
    if (*hi >= divisor) {
        return false;
    }
    *lo = u128_lo(u128_div(u128(*hi, *lo), divisor, hi));
    return true;
}

/* As divu128() for signed numbers; the remainder has the dividend's sign. */
static inline bool divs128(uint64_t *lo, uint64_t *hi, int64_t divisor)
{
    bool neg = (int64_t)*hi < 0, qneg = neg != (divisor < 0);
    U128 n = neg ? u128_neg(u128(*hi, *lo)) : u128(*hi, *lo);
    uint64_t l = u128_lo(n), h = u128_hi(n);

    if (!divu128(&l, &h, divisor < 0 ? -(uint64_t)divisor : (uint64_t)divisor) ||
        l > (uint64_t)INT64_MAX + qneg) {
        return false;
    }
    *lo = qneg ? -l : l;
    *hi = neg ? -h : h;
    return true;
}

/* a * b / c with a 128-bit product; the result's low 64 bits. @c is not 0. */
static inline uint64_t muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t rest;

    return u128_lo(u128_div(u128_mul(a, b), c, &rest));
}

/* Rounded up. */
static inline uint64_t muldiv64_up(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t rest;

    return u128_lo(u128_div(u128_add(u128_mul(a, b), u128(0, c - 1)), c, &rest));
}

/* The largest power of two <= @v, and the smallest >= @v; 0 for 0 or none. */
static inline uint64_t pow2_floor(uint64_t v)
{
    return v ? BIT64(63 - clz64(v)) : 0;
}

static inline uint64_t pow2_ceil(uint64_t v)
{
    return v <= 1 ? v : v > BIT64(63) ? 0 : BIT64(64 - clz64(v - 1));
}

#endif
