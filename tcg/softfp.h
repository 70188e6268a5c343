/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the software arithmetic: numbers of all formats taken apart. Used by
 * tcg/softfp*.c only; the functions for others are in tcg/fpenv.h.
 */
#ifndef TCG_SOFTFP_H
#define TCG_SOFTFP_H

#include "tcg/fpenv.h"
#include "util/uint128.h"

typedef enum FpClass {
    FP_IS_ZERO, FP_IS_NUM, FP_IS_INF, FP_IS_NAN,
    FP_IS_UNSUPPORTED,          /* F80 encodings that the 387 and later refuse */
} FpClass;

typedef struct FpNum {
    FpClass cls;
    bool sign;
    bool denormal;              /* was one, and DAZ is off */
    int32_t exp;                /* FP_IS_NUM: the value is m * 2^(exp - 63) */
    uint64_t m;                 /* FP_IS_NUM: bit 63 set. FP_IS_NAN: the fraction
                                   below bit 63, quiet bit 62 */
} FpNum;

typedef struct FpFormat {
    uint8_t precision;          /* bits of the significand */
    int16_t emin, emax;         /* of normal numbers */
    bool x87;                   /* NaN rules and no FTZ */
} FpFormat;

extern const FpFormat fp_f16, fp_f32, fp_f64;
/* F80 under the environment's precision control; and whole. */
FpFormat fp_f80(const FpEnv *e);
extern const FpFormat fp_f80_full;

/* A finished result: @biased exponent (0: zero or denormal), explicit integer bit. */
typedef struct FpPacked {
    bool sign;
    uint32_t biased;
    uint64_t m;                 /* integer bit at 63 */
} FpPacked;

FpNum fp_unpack16(uint16_t v);          /* DAZ isn't for these */
FpNum fp_unpack32(uint32_t v, const FpEnv *e);
FpNum fp_unpack64(uint64_t v, const FpEnv *e);
FpNum fp_unpack80(F80 v);
uint16_t fp_pack16(FpPacked p);
uint32_t fp_pack32(FpPacked p);
uint64_t fp_pack64(FpPacked p);
F80 fp_pack80(FpPacked p);

/* (hi:lo) * 2^(exp - 127), not 0, rounded to @f; hi:lo need not be normalised. Sets
 * PE, UE, OE. */
FpPacked fp_round(const FpFormat *f, bool sign, int32_t exp, U128 m, FpEnv *e);
U128 fp_shift_jam(U128 m, unsigned n);      /* what falls off is kept as one low bit */
FpPacked fp_zero(bool sign);
FpPacked fp_inf(const FpFormat *f, bool sign);
FpPacked fp_nan(const FpFormat *f, const FpNum *n);     /* quieted */
FpPacked fp_invalid(const FpFormat *f, FpEnv *e);       /* default NaN and IE */
/* Where one operand at least is a NaN or unsupported: the result by the rules. */
FpPacked fp_propagate(const FpFormat *f, const FpNum *a, const FpNum *b, FpEnv *e);

static inline bool fp_is_odd(const FpNum *n)
{
    return n->cls >= FP_IS_NAN;
}

static inline bool fp_is_snan(const FpNum *n)
{
    return n->cls == FP_IS_NAN && !(n->m & BIT64(62));
}

/* softfp-arith.c, softfp-fma.c */
FpPacked fp_add(const FpFormat *f, FpNum a, FpNum b, FpEnv *e);
FpPacked fp_mul(const FpFormat *f, FpNum a, FpNum b, FpEnv *e);
/* a * b + c, rounded once. @f: F32 or F64. */
FpPacked fp_fma(const FpFormat *f, FpNum a, FpNum b, FpNum c, FpEnv *e);
FpPacked fp_div(const FpFormat *f, FpNum a, FpNum b, FpEnv *e);
FpPacked fp_sqrt(const FpFormat *f, FpNum a, FpEnv *e);
/* softfp-convert.c */
FpPacked fp_rint(const FpFormat *f, FpNum a, FpEnv *e);
int64_t fp_to_int(FpNum a, unsigned bits, bool truncate, FpEnv *e);
FpPacked fp_from_i64(const FpFormat *f, int64_t v, FpEnv *e);
FpPacked fp_convert(const FpFormat *f, FpNum a, bool denormal_flag, FpEnv *e);
uint32_t fp_cmp(FpNum a, FpNum b, bool signaling, FpEnv *e);

#endif
