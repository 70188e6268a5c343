/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector operations on integers: arithmetic, comparisons, logic, shifts (SDM vol. 2). */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

static int32_t clamp(int64_t v, int32_t lo, int32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}
static int32_t s8(int64_t v) { return clamp(v, INT8_MIN, INT8_MAX); }
static int32_t s16(int64_t v) { return clamp(v, INT16_MIN, INT16_MAX); }
static int32_t u8(int64_t v) { return clamp(v, 0, UINT8_MAX); }
static int32_t u16(int64_t v) { return clamp(v, 0, UINT16_MAX); }

VEC_LANES(PADDB, b, uint8_t, x + y)
VEC_LANES(PADDW, w, uint16_t, x + y)
VEC_LANES(PADDD, l, uint32_t, x + y)
VEC_LANES(PADDQ, q, uint64_t, x + y)
VEC_LANES(PSUBB, b, uint8_t, x - y)
VEC_LANES(PSUBW, w, uint16_t, x - y)
VEC_LANES(PSUBD, l, uint32_t, x - y)
VEC_LANES(PSUBQ, q, uint64_t, x - y)
VEC_LANES(PADDSB, b, int8_t, s8(x + y))
VEC_LANES(PADDSW, w, int16_t, s16(x + y))
VEC_LANES(PADDUSB, b, uint8_t, u8(x + y))
VEC_LANES(PADDUSW, w, uint16_t, u16(x + y))
VEC_LANES(PSUBSB, b, int8_t, s8(x - y))
VEC_LANES(PSUBSW, w, int16_t, s16(x - y))
VEC_LANES(PSUBUSB, b, uint8_t, u8(x - y))
VEC_LANES(PSUBUSW, w, uint16_t, u16(x - y))
VEC_LANES(PMULLW, w, int16_t, x * y)
VEC_LANES(PMULHW, w, int16_t, x * y >> 16)
VEC_LANES(PMULHUW, w, uint16_t, (uint32_t)x * y >> 16)
VEC_LANES(PMULHRSW, w, int16_t, ((x * y >> 14) + 1) >> 1)
VEC_LANES(PMULLD, l, uint32_t, x * y)
VEC_LANES(PMULUDQ, q, uint64_t, (x & UINT32_MAX) * (y & UINT32_MAX))
VEC_LANES(PMULDQ, q, uint64_t, (int64_t)(int32_t)x * (int32_t)y)
VEC_LANES(PAVGB, b, uint8_t, (x + y + 1) >> 1)
VEC_LANES(PAVGW, w, uint16_t, (x + y + 1) >> 1)
VEC_LANES(PMINUB, b, uint8_t, MIN(x, y))
VEC_LANES(PMAXUB, b, uint8_t, MAX(x, y))
VEC_LANES(PMINSB, b, int8_t, MIN(x, y))
VEC_LANES(PMAXSB, b, int8_t, MAX(x, y))
VEC_LANES(PMINUW, w, uint16_t, MIN(x, y))
VEC_LANES(PMAXUW, w, uint16_t, MAX(x, y))
VEC_LANES(PMINSW, w, int16_t, MIN(x, y))
VEC_LANES(PMAXSW, w, int16_t, MAX(x, y))
VEC_LANES(PMINUD, l, uint32_t, MIN(x, y))
VEC_LANES(PMAXUD, l, uint32_t, MAX(x, y))
VEC_LANES(PMINSD, l, int32_t, MIN(x, y))
VEC_LANES(PMAXSD, l, int32_t, MAX(x, y))
VEC_LANES(PSIGNB, b, int8_t, y < 0 ? -x : y ? x : 0)
VEC_LANES(PSIGNW, w, int16_t, y < 0 ? -x : y ? x : 0)
VEC_LANES(PSIGND, l, uint32_t, (int32_t)y < 0 ? -x : y ? x : 0)
VEC_LANES(PABSB, b, int8_t, x < 0 ? -x : x)
VEC_LANES(PABSW, w, int16_t, x < 0 ? -x : x)
VEC_LANES(PABSD, l, uint32_t, (int32_t)x < 0 ? -x : x)

VEC_LANES(PCMPEQB, b, uint8_t, -(x == y))
VEC_LANES(PCMPEQW, w, uint16_t, -(x == y))
VEC_LANES(PCMPEQD, l, uint32_t, -(x == y))
VEC_LANES(PCMPEQQ, q, uint64_t, -(uint64_t)(x == y))
VEC_LANES(PCMPGTB, b, int8_t, -(x > y))
VEC_LANES(PCMPGTW, w, int16_t, -(x > y))
VEC_LANES(PCMPGTD, l, int32_t, -(x > y))
VEC_LANES(PCMPGTQ, q, int64_t, -(int64_t)(x > y))
VEC_LANES(PAND, q, uint64_t, x & y)
VEC_LANES(PANDN, q, uint64_t, ~x & y)
VEC_LANES(POR, q, uint64_t, x | y)
VEC_LANES(PXOR, q, uint64_t, x ^ y)

VEC_FN(PTEST)
{
    bool zf = !(vec_q(a, 0) & vec_q(b, 0)) && !(vec_q(a, 1) & vec_q(b, 1));
    bool cf = !(~vec_q(a, 0) & vec_q(b, 0)) && !(~vec_q(a, 1) & vec_q(b, 1));

    vec_gpr(d, zf << 6 | cf);
}

VEC_FN(PMADDWD)
{
    VecReg r;

    for (unsigned i = 0; i < 4; i++) {
        int32_t lo = (int16_t)vec_w(a, 2 * i) * (int16_t)vec_w(b, 2 * i);
        int32_t hi = (int16_t)vec_w(a, 2 * i + 1) * (int16_t)vec_w(b, 2 * i + 1);

        vec_set_l(&r, i, (uint32_t)lo + (uint32_t)hi);
    }
    *d = r;
}

VEC_FN(PMADDUBSW)
{
    VecReg r;

    for (unsigned i = 0; i < 8; i++) {
        vec_set_w(&r, i, s16(a->b[2 * i] * (int8_t)b->b[2 * i] +
                             a->b[2 * i + 1] * (int8_t)b->b[2 * i + 1]));
    }
    *d = r;
}

static unsigned abs_diff(uint8_t x, uint8_t y)
{
    return x > y ? x - y : y - x;
}

VEC_FN(PSADBW)
{
    unsigned sum[2] = { 0 };

    for (unsigned i = 0; i < 16; i++) {
        sum[i / 8] += abs_diff(a->b[i], b->b[i]);
    }
    vec_set_q(d, 0, sum[0]);
    vec_set_q(d, 1, sum[1]);
}

VEC_FN(MPSADBW)
{
    unsigned from_a = imm & 4, from_b = (imm & 3) * 4;
    VecReg r;

    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;

        for (unsigned k = 0; k < 4; k++) {
            sum += abs_diff(a->b[from_a + i + k], b->b[from_b + k]);
        }
        vec_set_w(&r, i, sum);
    }
    *d = r;
}

/* Neighbours in a, then in b. */
#define HORIZONTAL(sym, k, T, expr) \
VEC_FN(sym) \
{ \
    const unsigned n = 16 / sizeof(T); \
    VecReg r; \
    for (unsigned i = 0; i < n; i++) { \
        const VecReg *s = i < n / 2 ? a : b; \
        T x = vec_##k(s, 2 * i % n), y = vec_##k(s, 2 * i % n + 1); \
        vec_set_##k(&r, i, (expr)); \
    } \
    *d = r; \
}
HORIZONTAL(PHADDW, w, int16_t, x + y)
HORIZONTAL(PHADDD, l, uint32_t, x + y)
HORIZONTAL(PHADDSW, w, int16_t, s16(x + y))
HORIZONTAL(PHSUBW, w, int16_t, x - y)
HORIZONTAL(PHSUBD, l, uint32_t, x - y)
HORIZONTAL(PHSUBSW, w, int16_t, s16(x - y))

VEC_FN(PHMINPOSUW)
{
    unsigned best = 0;

    for (unsigned i = 1; i < 8; i++) {
        if (vec_w(a, i) < vec_w(a, best)) {
            best = i;
        }
    }
    best = best << 16 | vec_w(a, best);
    vec_set_q(d, 0, best);
    vec_set_q(d, 1, 0);
}

/* Counts of the width and more give 0, or the sign everywhere. */
#define SHIFTS(sym, k, T, expr) \
static void shift_##sym(VecReg *d, const VecReg *a, uint64_t n) \
{ \
    VecReg r = { .q = { 0 } }; \
    for (unsigned i = 0; i < 16 / sizeof(T); i++) { \
        T x = vec_##k(a, i); \
        vec_set_##k(&r, i, (expr)); \
    } \
    *d = r; \
} \
VEC_FN(sym) { shift_##sym(d, a, vec_q(b, 0)); } \
VEC_FN(sym##_I) { shift_##sym(d, a, imm); }
SHIFTS(PSLLW, w, uint16_t, n > 15 ? 0 : x << n)
SHIFTS(PSLLD, l, uint32_t, n > 31 ? 0 : x << n)
SHIFTS(PSLLQ, q, uint64_t, n > 63 ? 0 : x << n)
SHIFTS(PSRLW, w, uint16_t, n > 15 ? 0 : x >> n)
SHIFTS(PSRLD, l, uint32_t, n > 31 ? 0 : x >> n)
SHIFTS(PSRLQ, q, uint64_t, n > 63 ? 0 : x >> n)
SHIFTS(PSRAW, w, int16_t, x >> (n > 15 ? 15 : n))
SHIFTS(PSRAD, l, int32_t, x >> (n > 31 ? 31 : n))

VEC_FN(PSLLDQ_I)
{
    VecReg r = { .q = { 0 } };

    for (unsigned i = imm; i < 16; i++) {
        r.b[i] = a->b[i - imm];
    }
    *d = r;
}

VEC_FN(PSRLDQ_I)
{
    VecReg r = { .q = { 0 } };

    for (unsigned i = imm; i < 16; i++) {
        r.b[i - imm] = a->b[i];
    }
    *d = r;
}
