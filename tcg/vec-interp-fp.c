/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector operations on floating-point numbers (SDM vol. 2; vol. 1, 11.5 for exceptions). */
#include "util/osdep.h"
#include "tcg/vec-interp.h"

#define SIGN32  BIT(31)
#define SIGN64  BIT64(63)

static bool nan32(uint32_t v) { return (v & ~SIGN32) > 0x7f800000; }
static uint32_t daz32(uint32_t v, const FpEnv *e)
{
    return e->daz && !(v & 0x7f800000) ? v & SIGN32 : v;
}
static uint64_t daz64(uint64_t v, const FpEnv *e)
{
    return e->daz && !(v & UINT64_C(0x7ff0000000000000)) ? v & SIGN64 : v;
}

/* MIN and MAX give the second operand for NaNs and for two zeros. */
static uint32_t f32_min(uint32_t x, uint32_t y, FpEnv *e)
{
    return daz32(f32_cmp(x, y, true, e) == 1 ? x : y, e);
}
static uint32_t f32_max(uint32_t x, uint32_t y, FpEnv *e)
{
    return daz32(f32_cmp(x, y, true, e) == 0 ? x : y, e);
}
static uint64_t f64_min(uint64_t x, uint64_t y, FpEnv *e)
{
    return daz64(f64_cmp(x, y, true, e) == 1 ? x : y, e);
}
static uint64_t f64_max(uint64_t x, uint64_t y, FpEnv *e)
{
    return daz64(f64_cmp(x, y, true, e) == 0 ? x : y, e);
}

/* All lanes, or the lowest with the rest of a kept. */
#define PACKED_SCALAR(OP, fn) \
VEC_LANES(OP##PS, l, uint32_t, f32_##fn(x, y, e)) \
VEC_LANES(OP##PD, q, uint64_t, f64_##fn(x, y, e)) \
VEC_FN(OP##SS) \
{ \
    uint32_t v = f32_##fn(vec_l(a, 0), vec_l(b, 0), e); \
    *d = *a; \
    vec_set_l(d, 0, v); \
} \
VEC_FN(OP##SD) \
{ \
    uint64_t v = f64_##fn(vec_q(a, 0), vec_q(b, 0), e); \
    *d = *a; \
    vec_set_q(d, 0, v); \
}
PACKED_SCALAR(ADD, add)
PACKED_SCALAR(SUB, sub)
PACKED_SCALAR(MUL, mul)
PACKED_SCALAR(DIV, div)
PACKED_SCALAR(MIN, min)
PACKED_SCALAR(MAX, max)

/* Of one operand: packed of a, scalar of b with the rest of a kept. */
#define SCALAR(sym, k, expr) \
VEC_FN(sym) \
{ \
    UNUSED uint32_t xl = vec_l(b, 0); \
    UNUSED uint64_t xq = vec_q(b, 0); \
    VecReg r = *a; \
    vec_set_##k(&r, 0, (expr)); \
    *d = r; \
}
VEC_LANES(SQRTPS, l, uint32_t, f32_sqrt(x, e))
VEC_LANES(SQRTPD, q, uint64_t, f64_sqrt(x, e))
SCALAR(SQRTSS, l, f32_sqrt(xl, e))
SCALAR(SQRTSD, q, f64_sqrt(xq, e))

/* CMP*'s 32 predicates (SDM vol. 2, CMPPD table 3-1): less, equal, greater, unordered; the
 * upper sixteen are the same with the other answer to whether quiet NaNs signal. */
static bool holds(uint32_t flags, unsigned predicate)
{
    enum { LT = 1, EQ = 2, GT = 4, UN = 8 };
    static const uint8_t when[16] = {
        EQ, LT, LT | EQ, UN, LT | GT | UN, EQ | GT | UN, GT | UN, LT | EQ | GT,
        EQ | UN, LT | UN, LT | EQ | UN, 0, LT | GT, EQ | GT, GT, LT | EQ | GT | UN,
    };
    unsigned is = flags == 0x45 ? UN : flags == 0x40 ? EQ : flags ? LT : GT;

    return when[predicate & 15] & is;
}

static bool signals(unsigned predicate)
{
    return ((predicate & 3) == 1 || (predicate & 3) == 2) != (predicate >> 4 & 1);
}

static uint32_t compare32(uint32_t x, uint32_t y, unsigned imm, FpEnv *e)
{
    return -(uint32_t)holds(f32_cmp(x, y, signals(imm), e), imm);
}

static uint64_t compare64(uint64_t x, uint64_t y, unsigned imm, FpEnv *e)
{
    return -(uint64_t)holds(f64_cmp(x, y, signals(imm), e), imm);
}

VEC_LANES(CMPPS, l, uint32_t, compare32(x, y, imm & 31, e))
VEC_LANES(CMPPD, q, uint64_t, compare64(x, y, imm & 31, e))
SCALAR(CMPSS, l, compare32(vec_l(a, 0), xl, imm & 31, e))
SCALAR(CMPSD, q, compare64(vec_q(a, 0), xq, imm & 31, e))

VEC_FN(UCOMISS) { vec_gpr(d, f32_cmp(vec_l(a, 0), vec_l(b, 0), false, e)); }
VEC_FN(UCOMISD) { vec_gpr(d, f64_cmp(vec_q(a, 0), vec_q(b, 0), false, e)); }
VEC_FN(COMISS) { vec_gpr(d, f32_cmp(vec_l(a, 0), vec_l(b, 0), true, e)); }
VEC_FN(COMISD) { vec_gpr(d, f64_cmp(vec_q(a, 0), vec_q(b, 0), true, e)); }

VEC_LANES(ADDSUBPS, l, uint32_t, i & 1 ? f32_add(x, y, e) : f32_sub(x, y, e))
VEC_LANES(ADDSUBPD, q, uint64_t, i & 1 ? f64_add(x, y, e) : f64_sub(x, y, e))

#define HORIZONTAL(sym, k, n, fn) \
VEC_FN(sym) \
{ \
    VecReg r; \
    for (unsigned i = 0; i < (n); i++) { \
        const VecReg *s = i < (n) / 2 ? a : b; \
        vec_set_##k(&r, i, fn(vec_##k(s, 2 * i % (n)), vec_##k(s, 2 * i % (n) + 1), e)); \
    } \
    *d = r; \
}
HORIZONTAL(HADDPS, l, 4, f32_add)
HORIZONTAL(HADDPD, q, 2, f64_add)
HORIZONTAL(HSUBPS, l, 4, f32_sub)
HORIZONTAL(HSUBPD, q, 2, f64_sub)

/* Between the steps of an operation: does an unmasked exception end it? (SDM vol. 2, DPPS: each add and each
 * multiply has its own) */
static bool step_raises(FpEnv *e, unsigned step)
{
    e->step[step] = e->flags;
    return e->flags & e->unmasked;
}

/* Products chosen by imm[7:4], summed in pairs, put where imm[3:0] says. */
VEC_FN(DPPS)
{
    uint32_t p[4], sum;

    for (unsigned i = 0; i < 4; i++) {
        p[i] = imm >> (4 + i) & 1 ? f32_mul(vec_l(a, i), vec_l(b, i), e) : 0;
    }
    if (step_raises(e, 0)) {
        *d = *a;
        return;
    }
    p[0] = f32_add(p[0], p[1], e);
    p[2] = f32_add(p[2], p[3], e);
    if (step_raises(e, 1)) {
        *d = *a;
        return;
    }
    sum = f32_add(p[0], p[2], e);
    for (unsigned i = 0; i < 4; i++) {
        vec_set_l(d, i, imm >> i & 1 ? sum : 0);
    }
}

VEC_FN(DPPD)
{
    uint64_t p[2], sum;

    for (unsigned i = 0; i < 2; i++) {
        p[i] = imm >> (4 + i) & 1 ? f64_mul(vec_q(a, i), vec_q(b, i), e) : 0;
    }
    if (step_raises(e, 0)) {
        *d = *a;
        return;
    }
    sum = f64_add(p[0], p[1], e);
    for (unsigned i = 0; i < 2; i++) {
        vec_set_q(d, i, imm >> i & 1 ? sum : 0);
    }
}

/* imm[1:0] rounding unless imm[2] says MXCSR's; imm[3]: no PE. */
static FpEnv round_env(uint8_t imm, const FpEnv *e)
{
    FpEnv r = *e;

    r.flags = 0;
    if (!(imm & 4)) {
        r.round = imm & 3;
    }
    return r;
}

static void round_flags(uint8_t imm, const FpEnv *r, FpEnv *e)
{
    e->flags |= imm & 8 ? r->flags & ~FP_PE : r->flags;
}

static uint32_t round32(uint32_t x, uint8_t imm, FpEnv *e)
{
    FpEnv r = round_env(imm, e);
    uint32_t v = f32_rint(x, &r);

    round_flags(imm, &r, e);
    return v;
}

static uint64_t round64(uint64_t x, uint8_t imm, FpEnv *e)
{
    FpEnv r = round_env(imm, e);
    uint64_t v = f64_rint(x, &r);

    round_flags(imm, &r, e);
    return v;
}

VEC_LANES(ROUNDPS, l, uint32_t, round32(x, imm, e))
VEC_LANES(ROUNDPD, q, uint64_t, round64(x, imm, e))
SCALAR(ROUNDSS, l, round32(xl, imm, e))
SCALAR(ROUNDSD, q, round64(xq, imm, e))

/* --- approximations: 12 bits, no exceptions, denormals as zeros --- */

/* Rounded to 12 bits of significand; tiny results flushed. */
static uint32_t twelve_bits(uint32_t v)
{
    if ((v & 0x7f800000) == 0x7f800000) {
        return v;
    }
    v = (v + 0x400) & ~(uint32_t)0x7ff;
    return v & 0x7f800000 ? v : v & SIGN32;
}

static uint32_t rcp(uint32_t x)
{
    FpEnv e = { .daz = true, .ftz = true, .precision = 64 };

    return nan32(x) ? x | 0x400000 : twelve_bits(f32_div(0x3f800000, x, &e));
}

static uint32_t rsqrt(uint32_t x)
{
    FpEnv e = { .daz = true, .ftz = true, .precision = 64 };

    return nan32(x) ? x | 0x400000
                    : twelve_bits(f32_div(0x3f800000, f32_sqrt(x, &e), &e));
}

VEC_LANES(RCPPS, l, uint32_t, rcp(x))
VEC_LANES(RSQRTPS, l, uint32_t, rsqrt(x))
SCALAR(RCPSS, l, rcp(xl))
SCALAR(RSQRTSS, l, rsqrt(xl))

/* --- conversions --- */

VEC_FN(CVTPS2PD)
{
    uint64_t lo = f32_to_f64(vec_l(a, 0), e), hi = f32_to_f64(vec_l(a, 1), e);

    vec_set_q(d, 0, lo);
    vec_set_q(d, 1, hi);
}

VEC_FN(CVTDQ2PD)
{
    uint64_t lo = f64_from_i64((int32_t)vec_l(a, 0), e);
    uint64_t hi = f64_from_i64((int32_t)vec_l(a, 1), e);

    vec_set_q(d, 0, lo);
    vec_set_q(d, 1, hi);
}

/* Two lanes into the low half. */
#define NARROW(sym, expr) \
VEC_FN(sym) \
{ \
    VecReg r = { .q = { 0 } }; \
    for (unsigned i = 0; i < 2; i++) { \
        uint64_t x = vec_q(a, i); \
        vec_set_l(&r, i, (expr)); \
    } \
    *d = r; \
}
NARROW(CVTPD2PS, f64_to_f32(x, e))
NARROW(CVTPD2DQ, f64_to_int(x, 32, false, e))
NARROW(CVTTPD2DQ, f64_to_int(x, 32, true, e))
VEC_LANES(CVTDQ2PS, l, uint32_t, f32_from_i64((int32_t)x, e))
VEC_LANES(CVTPS2DQ, l, uint32_t, f32_to_int(x, 32, false, e))
VEC_LANES(CVTTPS2DQ, l, uint32_t, f32_to_int(x, 32, true, e))
SCALAR(CVTSS2SD, q, f32_to_f64(xl, e))
SCALAR(CVTSD2SS, l, f64_to_f32(xq, e))
SCALAR(CVTSI2SS_L, l, f32_from_i64((int32_t)b->q[0], e))
SCALAR(CVTSI2SS_Q, l, f32_from_i64(b->q[0], e))
SCALAR(CVTSI2SD_L, q, f64_from_i64((int32_t)b->q[0], e))
SCALAR(CVTSI2SD_Q, q, f64_from_i64(b->q[0], e))
VEC_FN(CVTSS2SI_L) { vec_gpr(d, (uint32_t)f32_to_int(vec_l(a, 0), 32, false, e)); }
VEC_FN(CVTSS2SI_Q) { vec_gpr(d, f32_to_int(vec_l(a, 0), 64, false, e)); }
VEC_FN(CVTTSS2SI_L) { vec_gpr(d, (uint32_t)f32_to_int(vec_l(a, 0), 32, true, e)); }
VEC_FN(CVTTSS2SI_Q) { vec_gpr(d, f32_to_int(vec_l(a, 0), 64, true, e)); }
VEC_FN(CVTSD2SI_L) { vec_gpr(d, (uint32_t)f64_to_int(vec_q(a, 0), 32, false, e)); }
VEC_FN(CVTSD2SI_Q) { vec_gpr(d, f64_to_int(vec_q(a, 0), 64, false, e)); }
VEC_FN(CVTTSD2SI_L) { vec_gpr(d, (uint32_t)f64_to_int(vec_q(a, 0), 32, true, e)); }
VEC_FN(CVTTSD2SI_Q) { vec_gpr(d, f64_to_int(vec_q(a, 0), 64, true, e)); }
