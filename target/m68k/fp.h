/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point of the 68881, 68882 and 68040: numbers taken apart, operations that round once,
 * formats in memory.
 *
 * What differs from other extended formats: an exponent field of zero stands for -16383, with or without
 * the integer bit; unnormal numbers are operands like others (881UM chapter 3); a default NaN is all
 * ones; of two NaNs the destination's goes on (881UM chapter 4).
 */
#ifndef TARGET_M68K_FP_H
#define TARGET_M68K_FP_H

#include "target/m68k/state.h"
#include "util/uint128.h"

/* FPSR (PRM 1.6.2). Exception byte, and FPCR's enable byte at the same places. */
enum {
    FPX_BSUN = BIT(15), FPX_SNAN = BIT(14), FPX_OPERR = BIT(13), FPX_OVFL = BIT(12),
    FPX_UNFL = BIT(11), FPX_DZ = BIT(10), FPX_INEX2 = BIT(9), FPX_INEX1 = BIT(8), FPX_ALL = 0xff00,
    FPA_IOP = BIT(7), FPA_OVFL = BIT(6), FPA_UNFL = BIT(5), FPA_DZ = BIT(4), FPA_INEX = BIT(3),
    FPCC_N = BIT(27), FPCC_Z = BIT(26), FPCC_I = BIT(25), FPCC_NAN = BIT(24), FPCC_ALL = 0x0f000000,
    FPSR_QUOTIENT = 0x00ff0000,
};
typedef enum FpMode { FPM_NEAREST, FPM_ZERO, FPM_MINUS, FPM_PLUS } FpMode;    /* FPCR bits 5-4 */
typedef enum FpPrec { FPP_X, FPP_S, FPP_D, FPP_SGL } FpPrec;    /* bits 7-6; SGL: FSGLMUL, FSGLDIV */
/* Source and destination formats, 3 bits of the command word. */
enum { FPF_L, FPF_S, FPF_X, FPF_P, FPF_W, FPF_D, FPF_B, FPF_P_DYN };

typedef enum M68kFpClass { FPC_ZERO, FPC_NUM, FPC_INF, FPC_NAN } M68kFpClass;
typedef struct Fp {
    uint8_t cls;                /* M68kFpClass */
    bool sign;
    int32_t exp;                /* NUM: the value is m * 2^(exp - 63) */
    uint64_t m;                 /* NUM: bit 63 set; NAN: the significand as it was */
} Fp;

typedef struct FpCtx {
    FpMode mode;
    FpPrec prec;
    uint32_t exc;               /* FPX_* collected */
} FpCtx;

Fp m68k_fp_unpack(F80 v);
F80 m68k_fp_pack(Fp v);                 /* exact: 64 bits fit */
Fp m68k_fp_from_s(uint32_t v);
Fp m68k_fp_from_d(uint64_t v);
Fp m68k_fp_from_int(int64_t v);
/* (m) * 2^(exp - 127), not zero, rounded to the precision. */
Fp m68k_fp_round128(FpCtx *c, bool sign, int32_t exp, U128 m);
Fp m68k_fp_round(FpCtx *c, Fp v);
static inline Fp m68k_fp_zero(bool sign) { return (Fp){ FPC_ZERO, sign, 0, 0 }; }
static inline Fp m68k_fp_inf(bool sign) { return (Fp){ FPC_INF, sign, 0, 0 }; }
static inline Fp m68k_fp_default_nan(void) { return (Fp){ FPC_NAN, false, 0, UINT64_MAX }; }
/* The result where one operand at least is a NaN; SNAN is noted. */
Fp m68k_fp_nan(FpCtx *c, const Fp *dst, const Fp *src);
Fp m68k_fp_operr(FpCtx *c);

Fp m68k_fp_add(FpCtx *c, Fp a, Fp b);
Fp m68k_fp_mul(FpCtx *c, Fp a, Fp b);
Fp m68k_fp_div(FpCtx *c, Fp a, Fp b);
Fp m68k_fp_sqrt(FpCtx *c, Fp a);
/* To an integral value. */
Fp m68k_fp_rint(FpCtx *c, Fp a, FpMode mode);
/* FMOD (@nearest: FREM); the quotient byte. */
Fp m68k_fp_rem(FpCtx *c, Fp a, Fp b, bool nearest, uint32_t *quotient);
Fp m68k_fp_scale(FpCtx *c, Fp a, Fp b);
uint32_t m68k_fp_cc(const Fp *v);       /* FPCC_* */
/* fp-trans.c: the functions that the 68040 lacks. False: no such operation. */
bool m68k_fp_transcendental(FpCtx *c, unsigned opmode, Fp src, Fp *res, Fp *second);
Fp m68k_fp_constant(FpCtx *c, unsigned offset);

/* fp-convert.c. To memory formats; exceptions in @c. */
uint32_t m68k_fp_to_s(FpCtx *c, F80 v);
uint64_t m68k_fp_to_d(FpCtx *c, F80 v);
int32_t m68k_fp_to_int(FpCtx *c, F80 v, unsigned bits);
/* Packed decimal: three long words. */
void m68k_fp_to_packed(FpCtx *c, F80 v, int k, uint32_t out[3]);
Fp m68k_fp_from_packed(FpCtx *c, const uint32_t in[3]);

#endif
