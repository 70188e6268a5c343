/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SHA extensions (FIPS 180-4; SDM vol. 2). Dword 3 is the first word of a block. */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

static uint32_t rol(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }
static uint32_t ror(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }
static uint32_t choose(uint32_t x, uint32_t y, uint32_t z) { return (x & y) ^ (~x & z); }
static uint32_t parity(uint32_t x, uint32_t y, uint32_t z) { return x ^ y ^ z; }
static uint32_t majority(uint32_t x, uint32_t y, uint32_t z) { return (x & y) ^ (x & z) ^ (y & z); }

VEC_FN(SHA1NEXTE)
{
    VecReg r = *b;

    vec_set_l(&r, 3, vec_l(b, 3) + rol(vec_l(a, 3), 30));
    *d = r;
}

VEC_FN(SHA1MSG1)
{
    VecReg r;

    vec_set_l(&r, 3, vec_l(a, 3) ^ vec_l(a, 1));
    vec_set_l(&r, 2, vec_l(a, 2) ^ vec_l(a, 0));
    vec_set_l(&r, 1, vec_l(a, 1) ^ vec_l(b, 3));
    vec_set_l(&r, 0, vec_l(a, 0) ^ vec_l(b, 2));
    *d = r;
}

VEC_FN(SHA1MSG2)
{
    uint32_t w16 = rol(vec_l(a, 3) ^ vec_l(b, 2), 1);
    VecReg r;

    vec_set_l(&r, 3, w16);
    vec_set_l(&r, 2, rol(vec_l(a, 2) ^ vec_l(b, 1), 1));
    vec_set_l(&r, 1, rol(vec_l(a, 1) ^ vec_l(b, 0), 1));
    vec_set_l(&r, 0, rol(vec_l(a, 0) ^ w16, 1));
    *d = r;
}

/* Four rounds; b has E added to its first word. */
VEC_FN(SHA1RNDS4)
{
    static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    uint32_t (*f)(uint32_t, uint32_t, uint32_t) =
        (imm & 3) == 0 ? choose : (imm & 3) == 2 ? majority : parity;
    uint32_t s[5] = { vec_l(a, 3), vec_l(a, 2), vec_l(a, 1), vec_l(a, 0), 0 };
    VecReg r;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = f(s[1], s[2], s[3]) + rol(s[0], 5) + vec_l(b, 3 - i) + s[4] + k[imm & 3];

        s[4] = s[3];
        s[3] = s[2];
        s[2] = rol(s[1], 30);
        s[1] = s[0];
        s[0] = t;
    }
    for (unsigned i = 0; i < 4; i++) {
        vec_set_l(&r, 3 - i, s[i]);
    }
    *d = r;
}

/* a: C D G H, b: A B E F (from the top down), c: two words with their constants. */
VEC_FN(SHA256RNDS2)
{
    uint32_t s[8] = { vec_l(b, 3), vec_l(b, 2), vec_l(a, 3), vec_l(a, 2),
                      vec_l(b, 1), vec_l(b, 0), vec_l(a, 1), vec_l(a, 0) };
    VecReg r;

    for (unsigned i = 0; i < 2; i++) {
        uint32_t s1 = ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25);
        uint32_t s0 = ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22);
        uint32_t t = choose(s[4], s[5], s[6]) + s1 + vec_l(c, i) + s[7];

        memmove(s + 1, s, 7 * sizeof(*s));
        s[0] = t + majority(s[1], s[2], s[3]) + s0;
        s[4] += t;
    }
    vec_set_l(&r, 3, s[0]);
    vec_set_l(&r, 2, s[1]);
    vec_set_l(&r, 1, s[4]);
    vec_set_l(&r, 0, s[5]);
    *d = r;
}

VEC_FN(SHA256MSG1)
{
    VecReg r;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t w = i == 3 ? vec_l(b, 0) : vec_l(a, i + 1);

        vec_set_l(&r, i, vec_l(a, i) + (ror(w, 7) ^ ror(w, 18) ^ w >> 3));
    }
    *d = r;
}

VEC_FN(SHA256MSG2)
{
    uint32_t w[6] = { vec_l(b, 2), vec_l(b, 3) };
    VecReg r;

    for (unsigned i = 0; i < 4; i++) {
        w[i + 2] = vec_l(a, i) + (ror(w[i], 17) ^ ror(w[i], 19) ^ w[i] >> 10);
        vec_set_l(&r, i, w[i + 2]);
    }
    *d = r;
}
