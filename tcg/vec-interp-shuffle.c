/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector operations that move lanes: packing, shuffling, blending, widening, and between
 * vectors and general registers (SDM vol. 2).
 */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

/* Lanes of a, then of b, narrowed with saturation to [lo, hi]. */
#define PACK(sym, k, from, k2, lo, hi) \
VEC_FN(sym) \
{ \
    const unsigned n = 16 / sizeof(from); \
    VecReg r; \
    for (unsigned i = 0; i < 2 * n; i++) { \
        from v = vec_##k(i < n ? a : b, i % n); \
        vec_set_##k2(&r, i, v < (lo) ? (lo) : v > (hi) ? (hi) : v); \
    } \
    *d = r; \
}
PACK(PACKSSWB, w, int16_t, b, INT8_MIN, INT8_MAX)
PACK(PACKSSDW, l, int32_t, w, INT16_MIN, INT16_MAX)
PACK(PACKUSWB, w, int16_t, b, 0, UINT8_MAX)
PACK(PACKUSDW, l, int32_t, w, 0, UINT16_MAX)

/* Lanes of the low or high halves in turns. */
#define UNPACK(sym, k, n, high) \
VEC_FN(sym) \
{ \
    VecReg r; \
    for (unsigned i = 0; i < (n); i++) { \
        vec_set_##k(&r, i, vec_##k(i & 1 ? b : a, i / 2 + ((high) ? (n) / 2 : 0))); \
    } \
    *d = r; \
}
UNPACK(PUNPCKLBW, b, 16, false)
UNPACK(PUNPCKLWD, w, 8, false)
UNPACK(PUNPCKLDQ, l, 4, false)
UNPACK(PUNPCKLQDQ, q, 2, false)
UNPACK(PUNPCKHBW, b, 16, true)
UNPACK(PUNPCKHWD, w, 8, true)
UNPACK(PUNPCKHDQ, l, 4, true)
UNPACK(PUNPCKHQDQ, q, 2, true)
UNPACK(UNPCKLPS, l, 4, false)
UNPACK(UNPCKHPS, l, 4, true)
UNPACK(UNPCKLPD, q, 2, false)
UNPACK(UNPCKHPD, q, 2, true)

/* @n lanes of kind @k, lane i being @expr. */
#define MOVE(sym, k, n, expr) \
VEC_FN(sym) \
{ \
    VecReg r = { .q = { 0 } }; \
    for (unsigned i = 0; i < (n); i++) { \
        vec_set_##k(&r, i, (expr)); \
    } \
    *d = r; \
}
MOVE(PSHUFB, b, 16, b->b[i] & 0x80 ? 0 : a->b[b->b[i] & 15])
MOVE(PSHUFD, l, 4, vec_l(a, imm >> 2 * i & 3))
MOVE(PSHUFLW, w, 8, vec_w(a, i < 4 ? imm >> 2 * i & 3u : i))
MOVE(PSHUFHW, w, 8, vec_w(a, i < 4 ? i : 4 + (imm >> 2 * (i - 4) & 3u)))
MOVE(SHUFPS, l, 4, vec_l(i < 2 ? a : b, imm >> 2 * i & 3))
MOVE(SHUFPD, q, 2, vec_q(i < 1 ? a : b, imm >> i & 1))
MOVE(MOVHLPS, q, 2, i ? vec_q(a, 1) : vec_q(b, 1))
MOVE(MOVLHPS, q, 2, i ? vec_q(b, 0) : vec_q(a, 0))
MOVE(MOVSS_VV, l, 4, vec_l(i ? a : b, i))
MOVE(MOVSD_VV, q, 2, vec_q(i ? a : b, i))
MOVE(MOVQ_VV, q, 1, vec_q(a, i))
MOVE(MOVDDUP, q, 2, vec_q(a, 0))
MOVE(MOVSLDUP, l, 4, vec_l(a, i & 2))
MOVE(MOVSHDUP, l, 4, vec_l(a, i | 1))
MOVE(PBLENDW, w, 8, vec_w(imm >> i & 1 ? b : a, i))
MOVE(BLENDPS, l, 4, vec_l(imm >> i & 1 ? b : a, i))
MOVE(BLENDPD, q, 2, vec_q(imm >> i & 1 ? b : a, i))
MOVE(PBLENDVB, b, 16, (c->b[i] >> 7 ? b : a)->b[i])
MOVE(BLENDVPS, l, 4, vec_l(vec_l(c, i) >> 31 ? b : a, i))
MOVE(BLENDVPD, q, 2, vec_q(vec_q(c, i) >> 63 ? b : a, i))
MOVE(PMOVSXBW, w, 8, (int8_t)vec_b(a, i))
MOVE(PMOVSXBD, l, 4, (int8_t)vec_b(a, i))
MOVE(PMOVSXBQ, q, 2, (int8_t)vec_b(a, i))
MOVE(PMOVSXWD, l, 4, (int16_t)vec_w(a, i))
MOVE(PMOVSXWQ, q, 2, (int16_t)vec_w(a, i))
MOVE(PMOVSXDQ, q, 2, (int32_t)vec_l(a, i))
MOVE(PMOVZXBW, w, 8, vec_b(a, i))
MOVE(PMOVZXBD, l, 4, vec_b(a, i))
MOVE(PMOVZXBQ, q, 2, vec_b(a, i))
MOVE(PMOVZXWD, l, 4, vec_w(a, i))
MOVE(PMOVZXWQ, q, 2, vec_w(a, i))
MOVE(PMOVZXDQ, q, 2, vec_l(a, i))
MOVE(PINSRB, b, 16, i == (imm & 15) ? b->q[0] : a->b[i])
MOVE(PINSRW, w, 8, i == (imm & 7u) ? b->q[0] : vec_w(a, i))
MOVE(PINSRD, l, 4, i == (imm & 3u) ? b->q[0] : vec_l(a, i))
MOVE(PINSRQ, q, 2, i == (imm & 1u) ? b->q[0] : vec_q(a, i))
MOVE(MOVD_VL, l, 1, a->q[0])
MOVE(MOVQ_VQ, q, 1, a->q[0])

/* a above b, shifted right by bytes. */
VEC_FN(PALIGNR)
{
    VecReg r;

    for (unsigned i = 0; i < 16; i++) {
        unsigned from = i + imm;

        r.b[i] = from < 16 ? b->b[from] : from < 32 ? a->b[from - 16] : 0;
    }
    *d = r;
}

VEC_FN(INSERTPS)
{
    VecReg r = *a;

    vec_set_l(&r, imm >> 4 & 3, vec_l(b, imm >> 6));
    for (unsigned i = 0; i < 4; i++) {
        if (imm >> i & 1) {
            vec_set_l(&r, i, 0);
        }
    }
    *d = r;
}

VEC_FN(MOVD_LV) { vec_gpr(d, vec_l(a, 0)); }
VEC_FN(MOVQ_QV) { vec_gpr(d, vec_q(a, 0)); }
VEC_FN(PEXTRB) { vec_gpr(d, a->b[imm & 15]); }
VEC_FN(PEXTRW) { vec_gpr(d, vec_w(a, imm & 7)); }
VEC_FN(PEXTRD) { vec_gpr(d, vec_l(a, imm & 3)); }
VEC_FN(PEXTRQ) { vec_gpr(d, vec_q(a, imm & 1)); }

VEC_FN(PMOVMSKB)
{
    unsigned m = 0;

    for (unsigned i = 0; i < 16; i++) {
        m |= (unsigned)(a->b[i] >> 7) << i;
    }
    vec_gpr(d, m);
}

VEC_FN(MOVMSKPS)
{
    unsigned m = 0;

    for (unsigned i = 0; i < 4; i++) {
        m |= vec_l(a, i) >> 31 << i;
    }
    vec_gpr(d, m);
}

VEC_FN(MOVMSKPD)
{
    vec_gpr(d, vec_q(a, 0) >> 63 | vec_q(a, 1) >> 63 << 1);
}
