/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Software floating point: integers, other formats, comparison. */
#include "util/osdep.h"
#include "util/host-utils.h"
#include "tcg/softfp.h"

/* |a| rounded to an integer; *up as the magnitude grew. @a is below 2^64. */
static uint64_t to_integer(const FpNum *a, FpRound mode, bool *inexact, bool *up,
                           bool *carry)
{
    uint64_t v, rest;

    *carry = false;
    if (a->exp >= 63) {
        *inexact = *up = false;
        return a->m;
    }
    if (a->exp < -1) {
        v = 0;
        rest = 1;               /* below one half */
    } else if (a->exp == -1) {
        v = 0;
        rest = a->m;
    } else {
        v = a->m >> (63 - a->exp);
        rest = a->m << (a->exp + 1);
    }
    *inexact = rest != 0;
    switch (mode) {
    case FP_NEAREST:
        *up = rest > BIT64(63) || (rest == BIT64(63) && (v & 1));
        break;
    case FP_DOWN:
        *up = rest && a->sign;
        break;
    case FP_UP:
        *up = rest && !a->sign;
        break;
    default:
        *up = false;
        break;
    }
    v += *up;
    *carry = *up && v == 0;
    return v;
}

/* SSE4.1's ROUND* and x87's FRNDINT; only the latter knows DE. */
FpPacked fp_rint(const FpFormat *f, FpNum a, FpEnv *e)
{
    bool inexact, up, carry;
    uint64_t v;

    e->rounded_up = false;
    if (fp_is_odd(&a)) {
        return fp_propagate(f, &a, &a, e);
    }
    if (a.cls == FP_IS_ZERO) {
        return fp_zero(a.sign);
    }
    if (a.cls == FP_IS_INF) {
        return fp_inf(f, a.sign);
    }
    if (a.denormal && f->x87) {
        e->flags |= FP_DE;
    }
    if (a.exp >= 63) {
        return fp_round(f, a.sign, a.exp, u128(a.m, 0), e);
    }
    v = to_integer(&a, e->round, &inexact, &up, &carry);
    e->flags |= inexact ? FP_PE : 0;
    e->rounded_up = up;
    if (v == 0) {
        return fp_zero(a.sign);
    } else {
        FpEnv quiet = { .precision = 64 };

        return fp_round(f, a.sign, 127, u128(0, v), &quiet);
    }
}

int64_t fp_to_int(FpNum a, unsigned bits, bool truncate, FpEnv *e)
{
    uint64_t limit = BIT64(bits - 1), v = 0;
    int64_t indefinite = -limit;
    bool inexact = false, up = false, carry = false;

    e->rounded_up = false;
    if (a.cls == FP_IS_ZERO) {
        return 0;
    }
    if (a.cls != FP_IS_NUM || a.exp >= 64) {
        e->flags |= FP_IE;
        return indefinite;
    }
    v = to_integer(&a, truncate ? FP_TO_ZERO : e->round, &inexact, &up, &carry);
    if (carry || v > limit - !a.sign) {
        e->flags |= FP_IE;
        return indefinite;
    }
    e->flags |= inexact ? FP_PE : 0;
    e->rounded_up = up;
    return a.sign ? -v : v;
}

FpPacked fp_from_i64(const FpFormat *f, int64_t v, FpEnv *e)
{
    e->rounded_up = false;
    if (v == 0) {
        return fp_zero(false);
    }
    return fp_round(f, v < 0, 127, u128(0, v < 0 ? -(uint64_t)v : (uint64_t)v), e);
}

FpPacked fp_convert(const FpFormat *f, FpNum a, bool denormal_flag, FpEnv *e)
{
    e->rounded_up = false;
    if (fp_is_odd(&a)) {
        return fp_propagate(f, &a, &a, e);
    }
    if (a.cls == FP_IS_ZERO) {
        return fp_zero(a.sign);
    }
    if (a.cls == FP_IS_INF) {
        return fp_inf(f, a.sign);
    }
    if (a.denormal && denormal_flag) {
        e->flags |= FP_DE;
    }
    return fp_round(f, a.sign, a.exp, u128(a.m, 0), e);
}

enum { CMP_GREATER = 0, CMP_LESS = 1, CMP_EQUAL = 0x40, CMP_UNORDERED = 0x45 };

uint32_t fp_cmp(FpNum a, FpNum b, bool signaling, FpEnv *e)
{
    bool smaller;

    if (fp_is_odd(&a) || fp_is_odd(&b)) {
        if (signaling || fp_is_snan(&a) || fp_is_snan(&b) ||
            a.cls == FP_IS_UNSUPPORTED || b.cls == FP_IS_UNSUPPORTED) {
            e->flags |= FP_IE;
        }
        return CMP_UNORDERED;
    }
    if (a.denormal || b.denormal) {
        e->flags |= FP_DE;
    }
    if (a.cls == FP_IS_ZERO && b.cls == FP_IS_ZERO) {
        return CMP_EQUAL;
    }
    if (a.cls == FP_IS_ZERO) {
        return b.sign ? CMP_GREATER : CMP_LESS;
    }
    if (b.cls == FP_IS_ZERO || a.sign != b.sign) {
        return a.sign ? CMP_LESS : CMP_GREATER;
    }
    if (a.cls == b.cls && (a.cls == FP_IS_INF || (a.exp == b.exp && a.m == b.m))) {
        return CMP_EQUAL;
    }
    smaller = a.cls != b.cls ? b.cls == FP_IS_INF
            : a.exp != b.exp ? a.exp < b.exp : a.m < b.m;
    return smaller != a.sign ? CMP_LESS : CMP_GREATER;
}

#define CONVERT(T, p, unpack_a, unpack_b, pack, fmt) \
T p##_rint(T a, FpEnv *e) \
{ \
    return pack(fp_rint(&fmt, unpack_a, e)); \
} \
T p##_from_i64(int64_t v, FpEnv *e) \
{ \
    return pack(fp_from_i64(&fmt, v, e)); \
} \
int64_t p##_to_int(T a, unsigned bits, bool truncate, FpEnv *e) \
{ \
    return fp_to_int(unpack_a, bits, truncate, e); \
} \
uint32_t p##_cmp(T a, T b, bool signaling, FpEnv *e) \
{ \
    return fp_cmp(unpack_a, unpack_b, signaling, e); \
}
CONVERT(uint32_t, f32, fp_unpack32(a, e), fp_unpack32(b, e), fp_pack32, fp_f32)
CONVERT(uint64_t, f64, fp_unpack64(a, e), fp_unpack64(b, e), fp_pack64, fp_f64)
CONVERT(F80, f80, fp_unpack80(a), fp_unpack80(b), fp_pack80, fp_f80_full)

uint32_t f64_to_f32(uint64_t a, FpEnv *e)
{
    return fp_pack32(fp_convert(&fp_f32, fp_unpack64(a, e), true, e));
}

uint64_t f32_to_f64(uint32_t a, FpEnv *e)
{
    return fp_pack64(fp_convert(&fp_f64, fp_unpack32(a, e), true, e));
}

F80 f32_to_f80(uint32_t a, FpEnv *e)
{
    return fp_pack80(fp_convert(&fp_f80_full, fp_unpack32(a, e), true, e));
}

F80 f64_to_f80(uint64_t a, FpEnv *e)
{
    return fp_pack80(fp_convert(&fp_f80_full, fp_unpack64(a, e), true, e));
}

static F80 as_operand(FpNum n, FpEnv *e)
{
    FpEnv own = { .precision = 64 };
    F80 v = fp_pack80(fp_convert(&fp_f80_full, n, true, &own));

    if (fp_is_snan(&n)) {
        v.m &= ~BIT64(62);
    }
    e->flags |= own.flags & FP_DE;
    return v;
}

F80 f32_operand(uint32_t a, FpEnv *e)
{
    return as_operand(fp_unpack32(a, e), e);
}

F80 f64_operand(uint64_t a, FpEnv *e)
{
    return as_operand(fp_unpack64(a, e), e);
}

bool f80_is_odd(F80 a)
{
    FpNum n = fp_unpack80(a);

    return fp_is_odd(&n);
}

/* FST: no DE, no FTZ (SDM vol. 2). */
uint32_t f80_to_f32(F80 a, FpEnv *e)
{
    return fp_pack32(fp_convert(&fp_f32, fp_unpack80(a), false, e));
}

uint64_t f80_to_f64(F80 a, FpEnv *e)
{
    return fp_pack64(fp_convert(&fp_f64, fp_unpack80(a), false, e));
}
