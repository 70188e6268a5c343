/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AES rounds (FIPS 197; SDM vol. 2) and carry-less multiplication. */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

/* FIPS 197, 4.2: modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t gf_mul(uint8_t x, uint8_t y)
{
    uint8_t r = 0;

    for (; y; y >>= 1) {
        r ^= y & 1 ? x : 0;
        x = x << 1 ^ (x & 0x80 ? 0x1b : 0);
    }
    return r;
}

/* x^254, the inverse, and 0 for 0. */
static uint8_t gf_inverse(uint8_t x)
{
    uint8_t r = 1;

    for (unsigned i = 0; i < 7; i++) {
        x = gf_mul(x, x);
        r = gf_mul(r, x);
    }
    return r;
}

static uint8_t rol(uint8_t x, unsigned n)
{
    return x << n | x >> (8 - n);
}

/* FIPS 197, 5.1.1. */
static uint8_t sub_byte(uint8_t x)
{
    x = gf_inverse(x);
    return x ^ rol(x, 1) ^ rol(x, 2) ^ rol(x, 3) ^ rol(x, 4) ^ 0x63;
}

static uint8_t inv_sub_byte(uint8_t x)
{
    return gf_inverse(rol(x, 1) ^ rol(x, 3) ^ rol(x, 6) ^ 0x05);
}

/* Byte @row of column @col is b[4 * col + row]. */
static VecReg shift_rows(const VecReg *s, bool inverse)
{
    VecReg r;

    for (unsigned i = 0; i < 16; i++) {
        unsigned row = i % 4, col = i / 4;

        r.b[i] = s->b[4 * ((inverse ? col + 4 - row : col + row) % 4) + row];
    }
    return r;
}

static VecReg mix_columns(const VecReg *s, bool inverse)
{
    static const uint8_t forward[4] = { 2, 3, 1, 1 }, backward[4] = { 14, 11, 13, 9 };
    const uint8_t *m = inverse ? backward : forward;
    VecReg r = { .q = { 0 } };

    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 4; k++) {
            r.b[i] ^= gf_mul(m[k], s->b[(i & 12) + (i + k) % 4]);
        }
    }
    return r;
}

static void aes_round(VecReg *d, const VecReg *state, const VecReg *key, bool inverse,
                      bool last)
{
    VecReg s = shift_rows(state, inverse);

    for (unsigned i = 0; i < 16; i++) {
        s.b[i] = inverse ? inv_sub_byte(s.b[i]) : sub_byte(s.b[i]);
    }
    if (!last) {
        s = mix_columns(&s, inverse);
    }
    for (unsigned i = 0; i < 16; i++) {
        s.b[i] ^= key->b[i];
    }
    *d = s;
}

VEC_FN(AESENC) { aes_round(d, a, b, false, false); }
VEC_FN(AESENCLAST) { aes_round(d, a, b, false, true); }
VEC_FN(AESDEC) { aes_round(d, a, b, true, false); }
VEC_FN(AESDECLAST) { aes_round(d, a, b, true, true); }
VEC_FN(AESIMC) { *d = mix_columns(a, true); }

VEC_FN(AESKEYGENASSIST)
{
    VecReg r;

    for (unsigned half = 0; half < 2; half++) {
        for (unsigned i = 0; i < 4; i++) {
            uint8_t x = sub_byte(a->b[8 * half + 4 + i]);

            r.b[8 * half + i] = x;
            r.b[8 * half + 4 + (i + 3) % 4] = x;        /* RotWord */
        }
        r.b[8 * half + 4] ^= imm;
    }
    *d = r;
}

VEC_FN(PCLMULQDQ)
{
    uint64_t x = vec_q(a, imm & 1), y = vec_q(b, imm >> 4 & 1), lo = 0, hi = 0;

    for (unsigned i = 0; i < 64; i++) {
        if (y >> i & 1) {
            lo ^= x << i;
            hi ^= i ? x >> (64 - i) : 0;
        }
    }
    vec_set_q(d, 0, lo);
    vec_set_q(d, 1, hi);
}
