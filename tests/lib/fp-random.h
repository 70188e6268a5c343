/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deterministic random numbers, with the special floating-point values often. */
#ifndef TESTS_LIB_FP_RANDOM_H
#define TESTS_LIB_FP_RANDOM_H

#include "util/osdep.h"

typedef struct Random { uint64_t s; } Random;

static inline uint64_t random_u64(Random *r)        /* xorshift64* */
{
    r->s ^= r->s >> 12;
    r->s ^= r->s << 25;
    r->s ^= r->s >> 27;
    return r->s * UINT64_C(0x2545f4914f6cdd1d);
}

static inline unsigned random_below(Random *r, unsigned n)
{
    return (random_u64(r) >> 33) % n;
}

/* Few bits set, or a run of ones at the top or bottom: makes exact and half-way cases. */
static inline uint64_t random_bits(Random *r)
{
    switch (random_below(r, 6)) {
    case 0:
        return BIT64(random_below(r, 64)) | BIT64(random_below(r, 64));
    case 1:
        return UINT64_MAX << random_below(r, 64);
    case 2:
        return UINT64_MAX >> random_below(r, 64);
    case 3:
        return random_u64(r) & UINT64_MAX << random_below(r, 64);
    default:
        return random_u64(r);
    }
}

/* A biased exponent below @ones + 1: the ends, the middle, or any. */
static inline uint32_t random_exponent(Random *r, uint32_t ones)
{
    switch (random_below(r, 8)) {
    case 0:
        return 0;
    case 1:
        return random_below(r, 4) ? 1 + random_below(r, 70) % ones : ones;
    case 2:
        return ones - random_below(r, 4);
    case 3: case 4: case 5:
        return (ones >> 1) - 35 + random_below(r, 100);
    default:
        return random_below(r, ones + 1);
    }
}

static inline uint64_t random_f64(Random *r)
{
    return random_u64(r) << 63 | (uint64_t)random_exponent(r, 0x7ff) << 52 |
           (random_below(r, 8) ? random_bits(r) >> 12 : 0);
}

static inline uint32_t random_f32(Random *r)
{
    return (uint32_t)random_u64(r) << 31 | random_exponent(r, 0xff) << 23 |
           (random_below(r, 8) ? random_bits(r) >> 41 : 0);
}

#endif
