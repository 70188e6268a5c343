/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Software floating point against the host's own SSE and x87 units: random and
 * special operands under every rounding mode, FTZ, DAZ and precision control;
 * results and sticky flags have to be the same bits.
 */
#include "util/osdep.h"
#include "tcg/fpenv.h"
#include "tests/lib/test.h"
#include "tests/lib/fp-random.h"

#ifdef __x86_64__

#define ROUNDS  50000

typedef struct Env {
    FpEnv soft;
    uint32_t mxcsr;
    uint16_t fcw;
} Env;

static Env random_env(Random *r)
{
    unsigned round = random_below(r, 4), pc = random_below(r, 3);
    bool ftz = random_below(r, 3) == 0, daz = random_below(r, 3) == 0;
    static const uint8_t precision[3] = { 24, 53, 64 };
    static const uint8_t field[3] = { 0, 2, 3 };

    return (Env){
        .soft = { .round = round, .ftz = ftz, .daz = daz, .precision = precision[pc] },
        .mxcsr = 0x1f80 | round << 13 | (uint32_t)ftz << 15 | (uint32_t)daz << 6,
        .fcw = 0x7f | round << 10 | field[pc] << 8,
    };
}

/* One SSE instruction between a and b under @mxcsr; gives the flags. */
#define SSE_OP(name, insn) \
static uint32_t sse_##name(uint32_t mxcsr, uint64_t *a, uint64_t b) \
{ \
    uint32_t saved, out; \
    __asm__ volatile( \
        "stmxcsr %2\n ldmxcsr %4\n" \
        "movq %0, %%xmm0\n movq %3, %%xmm1\n" \
        insn " %%xmm1, %%xmm0\n" \
        "movq %%xmm0, %0\n stmxcsr %1\n ldmxcsr %2\n" \
        : "+r"(*a), "=m"(out), "=m"(saved) : "r"(b), "m"(mxcsr) : "xmm0", "xmm1"); \
    return out & 0x3f; \
}
SSE_OP(addss, "addss") SSE_OP(subss, "subss") SSE_OP(mulss, "mulss") SSE_OP(divss, "divss")
SSE_OP(addsd, "addsd") SSE_OP(subsd, "subsd") SSE_OP(mulsd, "mulsd") SSE_OP(divsd, "divsd")
SSE_OP(sqrtss, "sqrtss") SSE_OP(sqrtsd, "sqrtsd")
SSE_OP(cvtss2sd, "cvtss2sd") SSE_OP(cvtsd2ss, "cvtsd2ss")

#define SSE_CMP(name) \
static uint32_t sse_##name(uint32_t mxcsr, uint64_t *a, uint64_t b) \
{ \
    uint32_t saved, out; \
    uint64_t fl; \
    __asm__ volatile( \
        "stmxcsr %2\n ldmxcsr %5\n" \
        "movq %3, %%xmm0\n movq %4, %%xmm1\n" \
        #name " %%xmm1, %%xmm0\n lahf\n" \
        "stmxcsr %1\n ldmxcsr %2\n" \
        : "=&a"(fl), "=m"(out), "=m"(saved) : "r"(*a), "r"(b), "m"(mxcsr) \
        : "xmm0", "xmm1", "cc"); \
    *a = fl >> 8 & 0x45; \
    return out & 0x3f; \
}
SSE_CMP(ucomiss) SSE_CMP(ucomisd) SSE_CMP(comiss) SSE_CMP(comisd)

#define SSE_TO_INT(name, reg) \
static uint32_t sse_##name##_##reg(uint32_t mxcsr, uint64_t *a, UNUSED uint64_t b) \
{ \
    uint32_t saved, out; \
    uint64_t v = 0; \
    __asm__ volatile( \
        "stmxcsr %2\n ldmxcsr %4\n movq %3, %%xmm0\n" \
        #name " %%xmm0, %" #reg "0\n" \
        "stmxcsr %1\n ldmxcsr %2\n" \
        : "+&r"(v), "=m"(out), "=m"(saved) : "r"(*a), "m"(mxcsr) : "xmm0"); \
    *a = v; \
    return out & 0x3f; \
}
SSE_TO_INT(cvtss2si, k) SSE_TO_INT(cvttss2si, q) SSE_TO_INT(cvtsd2si, q)
SSE_TO_INT(cvttsd2si, k) SSE_TO_INT(cvtss2si, q) SSE_TO_INT(cvtsd2si, k)

#define SSE_FROM_INT(name) \
static uint32_t sse_##name(uint32_t mxcsr, uint64_t *a, UNUSED uint64_t b) \
{ \
    uint32_t saved, out; \
    __asm__ volatile( \
        "stmxcsr %2\n ldmxcsr %3\n xorps %%xmm0, %%xmm0\n" \
        #name "q %0, %%xmm0\n movq %%xmm0, %0\n" \
        "stmxcsr %1\n ldmxcsr %2\n" \
        : "+&r"(*a), "=m"(out), "=m"(saved) : "m"(mxcsr) : "xmm0"); \
    return out & 0x3f; \
}
SSE_FROM_INT(cvtsi2ss) SSE_FROM_INT(cvtsi2sd)

static uint64_t soft_sqrtss(UNUSED uint64_t a, uint64_t b, FpEnv *e) { return f32_sqrt(b, e); }
static uint64_t soft_sqrtsd(UNUSED uint64_t a, uint64_t b, FpEnv *e) { return f64_sqrt(b, e); }
static uint64_t soft_ss2sd(UNUSED uint64_t a, uint64_t b, FpEnv *e)
{
    return f32_to_f64(b, e);
}
static uint64_t soft_sd2ss(UNUSED uint64_t a, uint64_t b, FpEnv *e)
{
    return f64_to_f32(b, e);
}
#define SOFT_BIN(p, op) \
static uint64_t soft_##p##_##op(uint64_t a, uint64_t b, FpEnv *e) { return p##_##op(a, b, e); }
SOFT_BIN(f32, add) SOFT_BIN(f32, sub) SOFT_BIN(f32, mul) SOFT_BIN(f32, div)
SOFT_BIN(f64, add) SOFT_BIN(f64, sub) SOFT_BIN(f64, mul) SOFT_BIN(f64, div)
#define SOFT_CMP(p, name, sig) \
static uint64_t soft_##name(uint64_t a, uint64_t b, FpEnv *e) { return p##_cmp(a, b, sig, e); }
SOFT_CMP(f32, ucomiss, false) SOFT_CMP(f32, comiss, true)
SOFT_CMP(f64, ucomisd, false) SOFT_CMP(f64, comisd, true)
#define SOFT_INT(p, name, bits, trunc, T) \
static uint64_t soft_##name(uint64_t a, UNUSED uint64_t b, FpEnv *e) \
{ \
    return (T)p##_to_int(a, bits, trunc, e); \
}
SOFT_INT(f32, ss2si, 32, false, uint32_t) SOFT_INT(f32, tss2si, 64, true, uint64_t)
SOFT_INT(f64, sd2si, 64, false, uint64_t) SOFT_INT(f64, tsd2si, 32, true, uint32_t)
SOFT_INT(f32, ss2si64, 64, false, uint64_t) SOFT_INT(f64, sd2si32, 32, false, uint32_t)
static uint64_t soft_si2ss(uint64_t a, UNUSED uint64_t b, FpEnv *e)
{
    return f32_from_i64(a, e);
}
static uint64_t soft_si2sd(uint64_t a, UNUSED uint64_t b, FpEnv *e)
{
    return f64_from_i64(a, e);
}

/* Operand kinds: single, double, integer. The result's mask: single-precision results keep
 * the register's upper bits. */
static const struct {
    const char *name;
    char operands;
    uint64_t mask;
    uint32_t (*host)(uint32_t mxcsr, uint64_t *a, uint64_t b);
    uint64_t (*soft)(uint64_t a, uint64_t b, FpEnv *e);
} sse_ops[] = {
    { "addss", 's', UINT32_MAX, sse_addss, soft_f32_add },
    { "subss", 's', UINT32_MAX, sse_subss, soft_f32_sub },
    { "mulss", 's', UINT32_MAX, sse_mulss, soft_f32_mul },
    { "divss", 's', UINT32_MAX, sse_divss, soft_f32_div },
    { "addsd", 'd', UINT64_MAX, sse_addsd, soft_f64_add },
    { "subsd", 'd', UINT64_MAX, sse_subsd, soft_f64_sub },
    { "mulsd", 'd', UINT64_MAX, sse_mulsd, soft_f64_mul },
    { "divsd", 'd', UINT64_MAX, sse_divsd, soft_f64_div },
    { "sqrtss", 's', UINT32_MAX, sse_sqrtss, soft_sqrtss },
    { "sqrtsd", 'd', UINT64_MAX, sse_sqrtsd, soft_sqrtsd },
    { "cvtss2sd", 's', UINT64_MAX, sse_cvtss2sd, soft_ss2sd },
    { "cvtsd2ss", 'd', UINT32_MAX, sse_cvtsd2ss, soft_sd2ss },
    { "ucomiss", 's', UINT64_MAX, sse_ucomiss, soft_ucomiss },
    { "ucomisd", 'd', UINT64_MAX, sse_ucomisd, soft_ucomisd },
    { "comiss", 's', UINT64_MAX, sse_comiss, soft_comiss },
    { "comisd", 'd', UINT64_MAX, sse_comisd, soft_comisd },
    { "cvtss2si", 's', UINT64_MAX, sse_cvtss2si_k, soft_ss2si },
    { "cvttss2si64", 's', UINT64_MAX, sse_cvttss2si_q, soft_tss2si },
    { "cvtss2si64", 's', UINT64_MAX, sse_cvtss2si_q, soft_ss2si64 },
    { "cvtsd2si64", 'd', UINT64_MAX, sse_cvtsd2si_q, soft_sd2si },
    { "cvtsd2si", 'd', UINT64_MAX, sse_cvtsd2si_k, soft_sd2si32 },
    { "cvttsd2si", 'd', UINT64_MAX, sse_cvttsd2si_k, soft_tsd2si },
    { "cvtsi2ss64", 'i', UINT32_MAX, sse_cvtsi2ss, soft_si2ss },
    { "cvtsi2sd64", 'i', UINT64_MAX, sse_cvtsi2sd, soft_si2sd },
};

TEST(softfp, sse)
{
    Random r = { 0x1234567 };

    for (unsigned n = 0; n < ARRAY_SIZE(sse_ops); n++) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            Env e = random_env(&r);
            char k = sse_ops[n].operands;
            uint64_t a = k == 's' ? random_f32(&r) : k == 'd' ? random_f64(&r)
                                                             : random_bits(&r);
            uint64_t b = k == 's' ? random_f32(&r) : random_f64(&r);
            uint64_t host = a, soft = sse_ops[n].soft(a, b, &e.soft);
            uint32_t flags = sse_ops[n].host(e.mxcsr, &host, b);

            host &= sse_ops[n].mask;
            if (host != soft || flags != e.soft.flags) {
                test_fail(t, "%s %016" PRIx64 " %016" PRIx64 " mxcsr %04x: %016" PRIx64
                          " flags %02x, the host %016" PRIx64 " %02x", sse_ops[n].name, a,
                          b, e.mxcsr, soft, e.soft.flags, host, flags);
                break;
            }
        }
    }
}

/* --- x87 --- */

static F80 random_f80(Random *r)
{
    F80 v;

    v.se = random_exponent(r, 0x7fff) | random_below(r, 2) << 15;
    v.m = random_below(r, 8) ? random_bits(r) : 0;
    if ((v.se & 0x7fff) && random_below(r, 32)) {
        v.m |= BIT64(63);               /* else an unsupported encoding */
    } else if (random_below(r, 8)) {
        v.m &= ~BIT64(63);
    }
    return v;
}

typedef struct __attribute__((packed)) F80Image { uint64_t m; uint16_t se; } F80Image;

/* ST0 op= ST1. @fsw: the status word. */
#define X87_OP(name, insn) \
static void x87_##name(uint16_t fcw, F80 *a, const F80 *b, uint16_t *fsw) \
{ \
    F80Image x = { a->m, a->se }, y = { b->m, b->se }; \
    uint16_t saved; \
    __asm__ volatile( \
        "fnstcw %2\n fninit\n fldt %3\n fldt %0\n fldcw %4\n" insn "\n" \
        "fnstsw %1\n fstpt %0\n fninit\n fldcw %2\n" \
        : "+m"(x), "=m"(*fsw), "=m"(saved) : "m"(y), "m"(fcw) \
        : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); \
    *a = (F80){ x.m, x.se }; \
}
X87_OP(add, "fadd %%st(1), %%st") X87_OP(sub, "fsub %%st(1), %%st")
X87_OP(mul, "fmul %%st(1), %%st") X87_OP(div, "fdiv %%st(1), %%st")
X87_OP(sqrt, "fsqrt") X87_OP(rint, "frndint")

/* Results in memory: FST m32, FST m64, FIST m16, m32, m64, FISTTP m64; in a->m. */
#define X87_ST(name, insn) \
static void x87_##name(uint16_t fcw, F80 *a, UNUSED const F80 *b, uint16_t *fsw) \
{ \
    F80Image x = { a->m, a->se }; \
    uint64_t out = 0; \
    uint16_t saved; \
    __asm__ volatile( \
        "fnstcw %2\n fninit\n fldt %3\n fldcw %4\n" insn " %0\n" \
        "fnstsw %1\n fninit\n fldcw %2\n" \
        : "+m"(out), "=m"(*fsw), "=m"(saved) : "m"(x), "m"(fcw) \
        : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); \
    *a = (F80){ out, 0 }; \
}
X87_ST(fst32, "fstps") X87_ST(fst64, "fstpl") X87_ST(fist16, "fistps")
X87_ST(fist32, "fistpl") X87_ST(fist64, "fistpq") X87_ST(fisttp64, "fisttpq")

#define X87_LD(name, insn) \
static void x87_##name(uint16_t fcw, F80 *a, UNUSED const F80 *b, uint16_t *fsw) \
{ \
    uint64_t in = a->m; \
    F80Image x; \
    uint16_t saved; \
    __asm__ volatile( \
        "fnstcw %2\n fninit\n fldcw %4\n" insn " %3\n" \
        "fnstsw %1\n fstpt %0\n fninit\n fldcw %2\n" \
        : "=m"(x), "=m"(*fsw), "=m"(saved) : "m"(in), "m"(fcw) \
        : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); \
    *a = (F80){ x.m, x.se }; \
}
X87_LD(fld32, "flds") X87_LD(fld64, "fldl") X87_LD(fild64, "fildq")

/* FUCOMI and FCOMI: the flags in a->m. */
#define X87_CMP(name) \
static void x87_##name(uint16_t fcw, F80 *a, const F80 *b, uint16_t *fsw) \
{ \
    F80Image x = { a->m, a->se }, y = { b->m, b->se }; \
    uint16_t saved; \
    uint64_t fl; \
    __asm__ volatile( \
        "fnstcw %2\n fninit\n fldt %4\n fldt %3\n fldcw %5\n" #name " %%st(1), %%st\n" \
        "lahf\n fnstsw %1\n fninit\n fldcw %2\n" \
        : "=&a"(fl), "=m"(*fsw), "=m"(saved) : "m"(x), "m"(y), "m"(fcw) \
        : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc"); \
    *a = (F80){ fl >> 8 & 0x45, 0 }; \
}
X87_CMP(fucomi) X87_CMP(fcomi)

#define SOFT80(name, expr) \
static F80 soft80_##name(F80 a, UNUSED F80 b, FpEnv *e) { return expr; }
SOFT80(add, f80_add(a, b, e)) SOFT80(sub, f80_sub(a, b, e)) SOFT80(mul, f80_mul(a, b, e))
SOFT80(div, f80_div(a, b, e)) SOFT80(sqrt, f80_sqrt(a, e)) SOFT80(rint, f80_rint(a, e))
#define INT80(x) ((F80){ x, 0 })
SOFT80(fst32, INT80(f80_to_f32(a, e))) SOFT80(fst64, INT80(f80_to_f64(a, e)))
SOFT80(fist16, INT80((uint16_t)f80_to_int(a, 16, false, e)))
SOFT80(fist32, INT80((uint32_t)f80_to_int(a, 32, false, e)))
SOFT80(fist64, INT80(f80_to_int(a, 64, false, e)))
SOFT80(fisttp64, INT80(f80_to_int(a, 64, true, e)))
SOFT80(fld32, f32_to_f80(a.m, e)) SOFT80(fld64, f64_to_f80(a.m, e))
SOFT80(fild64, f80_from_i64(a.m, e))
SOFT80(fucomi, INT80(f80_cmp(a, b, false, e))) SOFT80(fcomi, INT80(f80_cmp(a, b, true, e)))

static const struct {
    const char *name;
    char operand;
    bool c1;                    /* C1 says whether it was rounded up */
    void (*host)(uint16_t fcw, F80 *a, const F80 *b, uint16_t *fsw);
    F80 (*soft)(F80 a, F80 b, FpEnv *e);
} x87_ops[] = {
    { "fadd", 'x', true, x87_add, soft80_add },
    { "fsub", 'x', true, x87_sub, soft80_sub },
    { "fmul", 'x', true, x87_mul, soft80_mul },
    { "fdiv", 'x', true, x87_div, soft80_div },
    { "fsqrt", 'x', true, x87_sqrt, soft80_sqrt },
    { "frndint", 'x', true, x87_rint, soft80_rint },
    { "fst m32", 'x', true, x87_fst32, soft80_fst32 },
    { "fst m64", 'x', true, x87_fst64, soft80_fst64 },
    { "fist m16", 'x', true, x87_fist16, soft80_fist16 },
    { "fist m32", 'x', true, x87_fist32, soft80_fist32 },
    { "fist m64", 'x', true, x87_fist64, soft80_fist64 },
    { "fisttp m64", 'x', false, x87_fisttp64, soft80_fisttp64 },
    { "fld m32", 's', false, x87_fld32, soft80_fld32 },
    { "fld m64", 'd', false, x87_fld64, soft80_fld64 },
    { "fild m64", 'i', false, x87_fild64, soft80_fild64 },
    { "fucomi", 'x', false, x87_fucomi, soft80_fucomi },
    { "fcomi", 'x', false, x87_fcomi, soft80_fcomi },
};

TEST(softfp, x87)
{
    Random r = { 0x7654321 };

    for (unsigned n = 0; n < ARRAY_SIZE(x87_ops); n++) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            Env e = random_env(&r);
            F80 a = random_f80(&r), b = random_f80(&r), host, soft;
            uint16_t fsw;

            e.soft.ftz = e.soft.daz = false;
            switch (x87_ops[n].operand) {
            case 's':
                a = (F80){ random_f32(&r), 0 };
                break;
            case 'd':
                a = (F80){ random_f64(&r), 0 };
                break;
            case 'i':
                a = (F80){ random_bits(&r), 0 };
                break;
            }
            host = a;
            x87_ops[n].host(e.fcw, &host, &b, &fsw);
            soft = x87_ops[n].soft(a, b, &e.soft);
            if (host.m != soft.m || host.se != soft.se || (fsw & 0x3f) != e.soft.flags ||
                (x87_ops[n].c1 && (fsw & FP_PE) && !!(fsw & 0x200) != e.soft.rounded_up)) {
                test_fail(t, "%s %04x:%016" PRIx64 " %04x:%016" PRIx64 " fcw %04x: "
                          "%04x:%016" PRIx64 " flags %02x%s, the host %04x:%016" PRIx64
                          " %04x", x87_ops[n].name, a.se, a.m, b.se, b.m, e.fcw, soft.se,
                          soft.m, e.soft.flags, e.soft.rounded_up ? " up" : "", host.se,
                          host.m, fsw);
                break;
            }
        }
    }
}

#else

TEST(softfp, host)
{
    test_skip(t, "the host has no x86 floating-point unit to compare with");
}

#endif
