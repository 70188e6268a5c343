/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floating-point environment of software arithmetic (tcg/softfp*.c): used
 * by the interpreter, and by helpers for what the host's unit can't do.
 */
#ifndef TCG_FPENV_H
#define TCG_FPENV_H

#include "util/osdep.h"

/* As MXCSR bits 14:13 and x87 control word bits 11:10. */
typedef enum FpRound { FP_NEAREST, FP_DOWN, FP_UP, FP_TO_ZERO } FpRound;

/* Sticky exceptions, as in MXCSR and the x87 status word. */
enum { FP_IE = 1, FP_DE = 2, FP_ZE = 4, FP_OE = 8, FP_UE = 16, FP_PE = 32 };

typedef struct FpEnv {
    FpRound round;
    uint8_t flags;              /* FP_*, sticky */
    bool ftz, daz;
    uint8_t precision;          /* F80 results: 24, 53 or 64 bits */
    uint8_t unmasked;           /* FP_* whose masked response isn't taken for underflow: x87/SSE
                                   tininess rules with unmasked UE */
    uint8_t step[2];            /* out: @flags behind the first steps of an operation that has several (DPPS):
                                   an unmasked exception ends it there */
    bool rounded_up;            /* out: the last result's magnitude grew (x87 C1) */
} FpEnv;

typedef struct F80 { uint64_t m; uint16_t se; } F80;

/* The x86 NaN rules (SDM vol. 1, table 4-7): which operand's NaN wins is for SSE
 * (first operand) and x87 (larger significand) apart. */
#define FP_DECL(T, p) \
    T p##_add(T a, T b, FpEnv *e); T p##_sub(T a, T b, FpEnv *e); \
    T p##_mul(T a, T b, FpEnv *e); T p##_div(T a, T b, FpEnv *e); \
    T p##_sqrt(T a, FpEnv *e);     T p##_rint(T a, FpEnv *e); \
    T p##_from_i64(int64_t v, FpEnv *e); \
    /* To a signed integer of @bits 16, 32 or 64; out of range or NaN: the integer \
     * indefinite (only the sign bit) and IE. */ \
    int64_t p##_to_int(T a, unsigned bits, bool truncate, FpEnv *e); \
    /* UCOMI layout: unordered 0x45, greater 0, less 0x01, equal 0x40. */ \
    uint32_t p##_cmp(T a, T b, bool signaling, FpEnv *e);
FP_DECL(uint32_t, f32)
FP_DECL(uint64_t, f64)
FP_DECL(F80, f80)
#undef FP_DECL
/* a * b + c rounded once; with @sub - c, with @neg -(a * b). Of NaNs a's wins, then b's. */
uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, bool neg, bool sub, FpEnv *e);
uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, bool neg, bool sub, FpEnv *e);
/* Half precision, by F16C's rules (SDM vol. 2, VCVTPH2PS, VCVTPS2PH). */
uint32_t f16_to_f32(uint16_t a, FpEnv *e);
uint16_t f32_to_f16(uint32_t a, FpEnv *e);
uint32_t f64_to_f32(uint64_t a, FpEnv *e);
uint64_t f32_to_f64(uint32_t a, FpEnv *e);
F80 f32_to_f80(uint32_t a, FpEnv *e);
F80 f64_to_f80(uint64_t a, FpEnv *e);
/* An operand that the x87 reads narrow and doesn't load: exact, DE alone is told, signalling NaNs stay. */
F80 f32_operand(uint32_t a, FpEnv *e);
F80 f64_operand(uint64_t a, FpEnv *e);
bool f80_is_odd(F80 a);                 /* a NaN, or unsupported */
uint32_t f80_to_f32(F80 a, FpEnv *e);
uint64_t f80_to_f64(F80 a, FpEnv *e);

#endif
