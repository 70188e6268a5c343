/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What AVX, AVX2, FMA and F16C add, on 128 bits (SDM vol. 2). */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

VEC_LANES(VPERMILPS, l, uint32_t, vec_l(a, y & 3))
VEC_LANES(VPERMILPD, q, uint64_t, vec_q(a, y >> 1 & 1))
VEC_LANES(VPSRLVD, l, uint32_t, y > 31 ? 0 : x >> y)
VEC_LANES(VPSRLVQ, q, uint64_t, y > 63 ? 0 : x >> y)
VEC_LANES(VPSRAVD, l, uint32_t, (int32_t)x >> MIN(y, 31))
VEC_LANES(VPSLLVD, l, uint32_t, y > 31 ? 0 : x << y)
VEC_LANES(VPSLLVQ, q, uint64_t, y > 63 ? 0 : x << y)

VEC_FN(VCVTPH2PS)
{
    VecReg r;

    for (unsigned i = 0; i < 4; i++) {
        vec_set_l(&r, i, f16_to_f32(vec_w(a, i), e));
    }
    *d = r;
}

/* imm[1:0] is the rounding unless imm[2] says MXCSR's. */
VEC_FN(VCVTPS2PH)
{
    FpEnv r = *e;
    VecReg v = { .q = { 0 } };

    r.round = imm & 4 ? e->round : (FpRound)(imm & 3);
    for (unsigned i = 0; i < 4; i++) {
        vec_set_w(&v, i, f32_to_f16(vec_l(a, i), &r));
    }
    e->flags = r.flags;
    *d = v;
}

#define LANES3(sym, k, n, p, neg, sub) \
VEC_FN(sym) \
{ \
    VecReg r = *c; \
    for (unsigned i = 0; i < (n); i++) { \
        vec_set_##k(&r, i, p##_fma(vec_##k(a, i), vec_##k(b, i), vec_##k(c, i), neg, sub, e)); \
    } \
    *d = r; \
}
#define FMA(OP, neg, sub) \
LANES3(OP##PS, l, 4, f32, neg, sub) LANES3(OP##PD, q, 2, f64, neg, sub) \
LANES3(OP##SS, l, 1, f32, neg, sub) LANES3(OP##SD, q, 1, f64, neg, sub)
FMA(FMADD, false, false)
FMA(FMSUB, false, true)
FMA(FNMADD, true, false)
FMA(FNMSUB, true, true)
LANES3(FMADDSUBPS, l, 4, f32, false, !(i & 1))
LANES3(FMADDSUBPD, q, 2, f64, false, !(i & 1))
LANES3(FMSUBADDPS, l, 4, f32, false, i & 1)
LANES3(FMSUBADDPD, q, 2, f64, false, i & 1)
