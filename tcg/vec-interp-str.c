/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE4.2's string comparisons (SDM vol. 2B, 4.1 "Imm8 control byte operation"). */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

enum { AGG_EQUAL_ANY, AGG_RANGES, AGG_EQUAL_EACH, AGG_EQUAL_ORDERED };

static int32_t element(const VecReg *v, unsigned i, uint8_t imm)
{
    switch (imm & 3) {
    case 0:
        return vec_b(v, i);
    case 1:
        return vec_w(v, i);
    case 2:
        return (int8_t)vec_b(v, i);
    default:
        return (int16_t)vec_w(v, i);
    }
}

static unsigned elements(uint8_t imm)
{
    return imm & 1 ? 8 : 16;
}

static unsigned implicit_length(const VecReg *v, uint8_t imm)
{
    unsigned i = 0;

    while (i < elements(imm) && element(v, i, imm)) {
        i++;
    }
    return i;
}

static unsigned explicit_length(int32_t n, uint8_t imm)
{
    uint32_t m = n < 0 ? -(uint32_t)n : (uint32_t)n;

    return MIN(m, elements(imm));
}

/* Is b's element j like a's element i? With the override for those past the ends. */
static bool alike(const VecReg *a, const VecReg *b, unsigned i, unsigned j, unsigned la,
                  unsigned lb, uint8_t imm)
{
    unsigned agg = imm >> 2 & 3;
    int32_t x, y;

    if (i >= la || j >= lb) {
        return agg == AGG_EQUAL_EACH ? i >= la && j >= lb
             : agg == AGG_EQUAL_ORDERED ? i >= la : false;
    }
    x = element(a, i, imm);
    y = element(b, j, imm);
    return agg != AGG_RANGES ? x == y : i & 1 ? y <= x : y >= x;
}

/* IntRes2 of the manual. */
static unsigned compare(const VecReg *a, const VecReg *b, unsigned la, unsigned lb,
                        uint8_t imm)
{
    unsigned n = elements(imm), res = 0;

    for (unsigned j = 0; j < n; j++) {
        bool r = false;

        switch (imm >> 2 & 3) {
        case AGG_EQUAL_ANY:
            for (unsigned i = 0; i < n; i++) {
                r |= alike(a, b, i, j, la, lb, imm);
            }
            break;
        case AGG_RANGES:
            for (unsigned i = 0; i < n; i += 2) {
                r |= alike(a, b, i, j, la, lb, imm) && alike(a, b, i + 1, j, la, lb, imm);
            }
            break;
        case AGG_EQUAL_EACH:
            r = alike(a, b, j, j, la, lb, imm);
            break;
        default:
            r = true;
            for (unsigned i = 0; i + j < n; i++) {
                r &= alike(a, b, i, i + j, la, lb, imm);
            }
            break;
        }
        /* Polarity: negated everywhere, or where b has an element. */
        r ^= (imm >> 4 & 3) == 1 || ((imm >> 4 & 3) == 3 && j < lb);
        res |= (unsigned)r << j;
    }
    return res;
}

/* ECX, and the flags from bit 16 on. */
static void give_index(VecReg *d, unsigned res, unsigned la, unsigned lb, uint8_t imm)
{
    unsigned n = elements(imm), flags;
    unsigned index = !res ? n : imm & 0x40 ? 31u - __builtin_clz(res)
                                                  : (unsigned)__builtin_ctz(res);

    flags = (res != 0) | (lb < n) << 6 | (la < n) << 7 | (res & 1) << 11;
    vec_gpr(d, index | flags << 16);
}

static void give_mask(VecReg *d, unsigned res, uint8_t imm)
{
    VecReg r = { .q = { 0 } };

    if (imm & 0x40) {
        for (unsigned i = 0; i < 16; i++) {
            r.b[i] = res >> (imm & 1 ? i / 2 : i) & 1 ? 0xff : 0;
        }
    } else {
        vec_set_w(&r, 0, res);
    }
    *d = r;
}

VEC_FN(PCMPISTRI)
{
    unsigned la = implicit_length(a, imm), lb = implicit_length(b, imm);

    give_index(d, compare(a, b, la, lb, imm), la, lb, imm);
}

VEC_FN(PCMPISTRM)
{
    unsigned la = implicit_length(a, imm), lb = implicit_length(b, imm);

    give_mask(d, compare(a, b, la, lb, imm), imm);
}

VEC_FN(PCMPESTRI)
{
    unsigned la = explicit_length(c->q[0], imm), lb = explicit_length(c->q[0] >> 32, imm);

    give_index(d, compare(a, b, la, lb, imm), la, lb, imm);
}

VEC_FN(PCMPESTRM)
{
    unsigned la = explicit_length(c->q[0], imm), lb = explicit_length(c->q[0] >> 32, imm);

    give_mask(d, compare(a, b, la, lb, imm), imm);
}
