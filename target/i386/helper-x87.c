/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87 in C: every instruction with its stack faults, masked responses and
 * unmasked exceptions, on the registers in memory (SDM vol. 1, chapter 8). Arithmetic is tcg/softfp's;
 * transcendental functions are the host's own x87's, or the C library's in long double.
 */
#include "util/osdep.h"
#include <math.h>
#include "target/i386/x87.h"

enum { C0 = 1 << 8, C1 = 1 << 9, C2 = 1 << 10, C3 = 1 << 14, SF = 1 << 6,
       CC = C0 | C1 | C2 | C3 };
static const F80 default_nan = { UINT64_C(0xc000000000000000), 0xffff };

typedef struct X87 {
    X86State *s;
    FpEnv e;
    uint16_t cc;            /* C0..C3 to be set */
    uint16_t cc_mask;       /* which of them change */
    bool stack_fault, withheld;
} X87;

static F80 *st(X86State *s, unsigned i)
{
    return &s->st[(s->fpu_top + i) & 7];
}

static bool empty(const X86State *s, unsigned i)
{
    return s->fpu_tag_empty[(s->fpu_top + i) & 7];
}

static void start(X87 *x, TcgEnv *env)
{
    static const uint8_t precision[] = { 24, 64, 53, 64 };
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    *x = (X87){ .s = s, .cc_mask = C1 };
    x->e.round = s->fpu_fcw >> 10 & 3;
    x->e.precision = precision[s->fpu_fcw >> 8 & 3];
    x->e.unmasked = ~s->fpu_fcw & 0x3f;
}

/* What is too large or too small for memory isn't stored, where that is unmasked; no PE then. */
static void withhold(X87 *x)
{
    if (x->e.flags & ~x->s->fpu_fcw & (FP_OE | FP_UE)) {
        x->e.flags &= ~FP_PE;
        x->withheld = true;
    }
}

/* Exceptions found before the operation that aren't masked: nothing is to be written. */
static bool suppressed(const X87 *x)
{
    return x->withheld || (x->e.flags & ~x->s->fpu_fcw & (FP_IE | FP_DE | FP_ZE));
}

static void finish(X87 *x)
{
    X86State *s = x->s;

    if (x->e.flags & (FP_IE | FP_ZE)) {
        x->e.flags &= ~FP_DE;                   /* SDM vol. 1, 4.9.2 */
    }
    if (x->e.flags & ~s->fpu_fcw & (FP_IE | FP_DE | FP_ZE)) {
        x->e.flags &= FP_IE | FP_DE | FP_ZE;    /* nothing was computed */
        x->cc &= x->stack_fault ? CC : CC & ~C1;
    }
    if (x->stack_fault) {
        x->e.flags = FP_IE;             /* nothing was found out of the operands */
    } else if ((x->e.flags & FP_PE) && x->e.rounded_up) {
        x->cc |= C1;
    }
    s->fpu_fsw = (s->fpu_fsw & ~x->cc_mask) | (x->cc & x->cc_mask) | x->e.flags |
                 (x->stack_fault ? SF : 0);
}

static void fault(X87 *x, bool overflow)
{
    x->stack_fault = true;
    x->e.flags = FP_IE;                 /* not what a memory operand had */
    x->cc = (x->cc & ~C1) | (overflow ? C1 : 0);
}

/* ST(i) for reading; empty: a stack fault, and the default NaN. */
static F80 operand(X87 *x, unsigned i)
{
    if (empty(x->s, i)) {
        fault(x, false);
        return default_nan;
    }
    return *st(x->s, i);
}

static void put(X87 *x, unsigned i, F80 v)
{
    *st(x->s, i) = v;
    x->s->fpu_tag_empty[(x->s->fpu_top + i) & 7] = 0;
}

static void push(X87 *x, F80 v)
{
    X86State *s = x->s;

    if (!s->fpu_tag_empty[(s->fpu_top - 1) & 7]) {
        if (!x->stack_fault) {          /* FLD of an empty register is that first */
            fault(x, true);
        }
        v = default_nan;
    }
    if (!(x->e.flags & ~s->fpu_fcw & FP_IE)) {  /* a denormal number is pushed in any case */
        s->fpu_top = (s->fpu_top - 1) & 7;
        put(x, 0, v);
    }
}

static void pop(X87 *x, unsigned n)
{
    for (unsigned i = 0; i < n && !suppressed(x); i++) {
        x->s->fpu_tag_empty[x->s->fpu_top] = 1;
        x->s->fpu_top = (x->s->fpu_top + 1) & 7;
    }
}

static bool is_nan(F80 v)
{
    return (v.se & 0x7fff) == 0x7fff && v.m >> 63 && (v.m << 1);
}

/* Unnormals and the like (SDM vol. 1, 8.2.2). */
static bool is_unsupported(F80 v)
{
    return (v.se & 0x7fff) && !(v.m >> 63);
}

static bool is_zero(F80 v)
{
    return !(v.se & 0x7fff) && !v.m;
}

static F80 from_ld(long double v)
{
    F80 r = { 0 };

    memcpy(&r, &v, 10);
    return r;
}

static long double to_ld(F80 v)
{
    long double r = 0;

    memcpy(&r, &v, 10);
    return r;
}

/* --- memory operands --- */

static F80 load(X87 *x, X87Mem mem, uint64_t addr, unsigned mmu)
{
    TcgEnv *env = &x->s->tcg;
    FpEnv exact = { .precision = 64 };
    F80 r = { 0 };

    switch (mem) {
    case X87_F32:
        return f32_to_f80(tcg_ldu32(env, addr, mmu), &x->e);
    case X87_F64:
        return f64_to_f80(tcg_ldu64(env, addr, mmu), &x->e);
    case X87_F80:
        tcg_ld_bytes(env, addr, &r, 10, mmu);
        return r;
    case X87_I16:
        return f80_from_i64((int16_t)tcg_ldu16(env, addr, mmu), &exact);
    case X87_I32:
        return f80_from_i64((int32_t)tcg_ldu32(env, addr, mmu), &exact);
    default:
        return f80_from_i64(tcg_ldu64(env, addr, mmu), &exact);
    }
}

/* Of arithmetic and compares: a signalling NaN is theirs to see. */
static F80 load_operand(X87 *x, X87Mem mem, uint64_t addr, unsigned mmu)
{
    TcgEnv *env = &x->s->tcg;

    switch (mem) {
    case X87_F32:
        return f32_operand(tcg_ldu32(env, addr, mmu), &x->e);
    case X87_F64:
        return f64_operand(tcg_ldu64(env, addr, mmu), &x->e);
    default:
        return load(x, mem, addr, mmu);
    }
}

static void store(X87 *x, X87Mem mem, F80 v, uint64_t addr, unsigned mmu, bool truncate)
{
    static const uint8_t sizes[] = { 0, 4, 8, 10, 2, 4, 8 };
    TcgEnv *env = &x->s->tcg;
    uint64_t n;

    tcg_probe(env, addr, sizes[mem], true, mmu);
    switch (mem) {
    case X87_F32:
        n = f80_to_f32(v, &x->e);
        withhold(x);
        break;
    case X87_F64:
        n = f80_to_f64(v, &x->e);
        withhold(x);
        break;
    case X87_F80:
        if (!suppressed(x)) {
            tcg_st_bytes(env, addr, &v, 10, mmu);
        }
        return;
    default:
        n = f80_to_int(v, 8 * sizes[mem], truncate, &x->e);
    }
    if (suppressed(x)) {
        return;
    }
    switch (sizes[mem]) {
    case 2:
        tcg_stu16(env, addr, n, mmu);
        break;
    case 4:
        tcg_stu32(env, addr, n, mmu);
        break;
    default:
        tcg_stu64(env, addr, n, mmu);
    }
}

/* --- FBLD, FBSTP: 18 decimal digits (SDM vol. 1, 4.7) --- */

static F80 load_bcd(X87 *x, uint64_t addr, unsigned mmu)
{
    FpEnv exact = { .precision = 64 };
    uint8_t b[10];
    int64_t n = 0;
    F80 r;

    tcg_ld_bytes(&x->s->tcg, addr, b, 10, mmu);
    for (int i = 8; i >= 0; i--) {
        n = n * 100 + (b[i] >> 4) * 10 + (b[i] & 15);
    }
    r = f80_from_i64(n, &exact);
    r.se |= (b[9] & 0x80) << 8;
    return r;
}

static void store_bcd(X87 *x, F80 v, uint64_t addr, unsigned mmu)
{
    uint8_t b[10] = { [7] = 0xc0, 0xff, 0xff };     /* indefinite */
    int64_t n = f80_to_int(v, 64, false, &x->e);
    uint64_t a = n < 0 ? -(uint64_t)n : (uint64_t)n;

    tcg_probe(&x->s->tcg, addr, 10, true, mmu);
    if (a >= UINT64_C(1000000000000000000)) {
        x->e.flags = (x->e.flags & ~FP_PE) | FP_IE;
    } else if (!(x->e.flags & FP_IE)) {
        for (int i = 0; i < 9; i++, a /= 100) {
            b[i] = a % 10 | a / 10 % 10 << 4;
        }
        b[9] = v.se >> 8 & 0x80;
    }
    if (!suppressed(x)) {
        tcg_st_bytes(&x->s->tcg, addr, b, 10, mmu);
    }
}

/* --- comparisons --- */

/* UCOMI layout to C3, C2, C0. */
static uint16_t condition(uint32_t fl)
{
    return (fl & 0x40 ? C3 : 0) | (fl & 4 ? C2 : 0) | (fl & 1 ? C0 : 0);
}

static uint32_t compare(X87 *x, F80 a, F80 b, bool signaling)
{
    return x->stack_fault ? 0x45 : f80_cmp(a, b, signaling, &x->e);
}

static void examine(X87 *x)
{
    F80 v = *st(x->s, 0);
    unsigned exp = v.se & 0x7fff;
    uint16_t c;

    if (empty(x->s, 0)) {
        c = C3 | C0;
    } else if (exp == 0x7fff) {
        c = !(v.m >> 63) ? 0 : v.m << 1 ? C0 : C2 | C0;
    } else if (exp == 0) {
        c = v.m ? C3 | C2 : C3;
    } else {
        c = v.m >> 63 ? C2 : 0;
    }
    x->cc_mask = CC;
    x->cc = c | (v.se & 0x8000 ? C1 : 0);
}

/* --- others --- */

static F80 quiet(X87 *x, F80 v)
{
    if (!(v.m >> 62 & 1)) {
        x->e.flags |= FP_IE;
        v.m |= UINT64_C(1) << 62;
    }
    return v;
}

/*
 * Where the host has an x87 it computes these functions itself, under the
 * guest's rounding: the same last bit and the same flags as the guest's own
 * would give. @top is ST0, @below ST1; @insn leaves its one result on the stack.
 */
#if defined(__x86_64__) || defined(__i386__)
#define HAVE_HOST_X87 1
/* @before and @after leave one number below the stack's top, and one result. Unmasked overflow and
 * underflow scale the result; they are cleared before an instruction that would wait for them. */
#define HOST_FUNCTION(name, before, insn, after) \
    static F80 host_##name(X87 *x, F80 top, F80 below) \
    { \
        long double t = to_ld(top), b = to_ld(below), r; \
        uint16_t saved, sw, cw = 0x33f | x->e.round << 10; \
        cw &= ~(x->e.unmasked & (FP_OE | FP_UE)); \
        __asm__ volatile("fnstcw %1\n\tfnclex\n\tfldcw %5\n\tfldt %4\n\tfldt %3\n\t" before insn \
                         "\n\tfnstsw %2\n\tfnclex\n\t" after "fstpt %0\n\tfldcw %1" \
                         : "=m"(r), "=m"(saved), "=m"(sw) : "m"(t), "m"(b), "m"(cw) \
                         : "st", "st(1)", "st(2)", "memory"); \
        x->e.flags |= sw & 0x3f; \
        x->e.rounded_up = sw & C1; \
        x->cc |= sw & CC;                       /* of those that the instruction sets */ \
        return from_ld(r); \
    }
/* Two results: what it leaves in ST(1), and in ST(0). */
static F80 host_fsincos(X87 *x, F80 a, F80 *second)
{
    long double t = to_ld(a), r, r2;
    uint16_t saved, sw, cw = 0x33f | x->e.round << 10;

    cw &= ~(x->e.unmasked & (FP_OE | FP_UE));
    __asm__ volatile("fnstcw %2\n\tfnclex\n\tfldcw %5\n\tfldt %4\n\tfsincos\n\tfnstsw %3\n\t"
                     "fnclex\n\tfstpt %1\n\tfstpt %0\n\tfldcw %2"
                     : "=m"(r), "=m"(r2), "=m"(saved), "=m"(sw) : "m"(t), "m"(cw)
                     : "st", "st(1)", "memory");
    x->e.flags |= sw & 0x3f;
    x->e.rounded_up = sw & C1;
    *second = from_ld(r2);
    return from_ld(r);
}
#else
#define HAVE_HOST_X87 0
#define HOST_FUNCTION(name, before, insn, after) \
    static F80 host_##name(UNUSED X87 *x, F80 top, UNUSED F80 below) { return top; }
static F80 host_fsincos(UNUSED X87 *x, F80 a, F80 *second)
{
    *second = a;
    return a;
}
#endif
HOST_FUNCTION(fprem, "", "fprem", "fstp %%st(1)\n\t")
HOST_FUNCTION(fprem1, "", "fprem1", "fstp %%st(1)\n\t")
HOST_FUNCTION(fyl2x, "", "fyl2x", "")
HOST_FUNCTION(fyl2xp1, "", "fyl2xp1", "")
HOST_FUNCTION(fpatan, "", "fpatan", "")
HOST_FUNCTION(fscale, "", "fscale", "fstp %%st(1)\n\t")
HOST_FUNCTION(f2xm1, "fstp %%st(1)\n\t", "f2xm1", "")
HOST_FUNCTION(fsin, "fstp %%st(1)\n\t", "fsin", "")
HOST_FUNCTION(fcos, "fstp %%st(1)\n\t", "fcos", "")
HOST_FUNCTION(fptan, "fstp %%st(1)\n\t", "fptan", "fstp %%st(0)\n\t")

/* --- remainders (SDM vol. 2, FPREM and FPREM1): exact, 32 to 63 quotient bits at a time --- */

static void normalize(F80 *v, int exp)
{
    if (!v->m) {
        v->se &= 0x8000;
        return;
    }
    while (!(v->m >> 63) && exp > 1) {
        v->m <<= 1;
        exp--;
    }
    v->se = (v->se & 0x8000) | (v->m >> 63 ? exp : 0);
}

static int exponent(F80 *v)
{
    int exp = v->se & 0x7fff;

    if (!exp) {
        exp = 1;
        while (v->m && !(v->m >> 63)) {
            v->m <<= 1;
            exp--;
        }
    }
    return exp;
}

static F80 remainder_of(X87 *x, F80 a, F80 b, bool nearest)
{
    F80 r = a;
    int ea, eb, d, n;
    uint64_t q = 0, rem;
    bool partial, carry = false;

    if (is_unsupported(a) || is_unsupported(b) || is_nan(a) || is_nan(b) ||
        (a.se & 0x7fff) == 0x7fff || is_zero(b)) {
        FpEnv e = x->e;

        if (is_unsupported(a) || is_unsupported(b) || (!is_nan(a) && !is_nan(b))) {
            x->e.flags |= FP_IE;
            return default_nan;
        }
        r = f80_add(a, b, &e);          /* picks the NaN */
        x->e.flags |= e.flags & FP_IE;
        return r;
    }
    x->cc_mask = CC;
    if (HAVE_HOST_X87) {
        return nearest ? host_fprem1(x, a, b) : host_fprem(x, a, b);
    }
    if (is_zero(a) || (b.se & 0x7fff) == 0x7fff) {
        return a;
    }
    x->e.flags |= (!(a.se & 0x7fff) || !(b.se & 0x7fff)) ? FP_DE : 0;
    r.se |= !(a.se & 0x7fff) && a.m >> 63;      /* a pseudo-denormal becomes the number it is */
    ea = exponent(&a);
    eb = exponent(&b);
    d = ea - eb;
    if (d < -1 || (d < 0 && !nearest)) {
        return r;
    }
    partial = d >= 64;
    n = partial ? 32 + d % 32 : d;
    rem = a.m;
    if (d < 0) {                        /* a is at least b/2 in exponent: compare at half an ulp */
        if (rem > b.m) {
            q = 1;
            r = (F80){ 2 * b.m - rem, a.se ^ 0x8000 };
            normalize(&r, ea);
        }
        goto done;
    }
    for (int i = n; ; i--) {
        q <<= 1;
        if (carry || rem >= b.m) {
            rem -= b.m;
            q |= 1;
        }
        if (i == 0) {
            break;
        }
        carry = rem >> 63;
        rem <<= 1;
    }
    r = (F80){ rem, a.se & 0x8000 };
    if (nearest && !partial && (rem > b.m - rem || (rem == b.m - rem && (q & 1)))) {
        r.m = b.m - rem;
        r.se ^= 0x8000;
        q++;
    }
    normalize(&r, partial ? ea - n : eb);
done:
    if ((x->e.unmasked & FP_UE) && r.m && !(r.se & 0x7fff)) {   /* tiny: scaled up */
        ea = exponent(&r) + 24576;
        r.se = (r.se & 0x8000) | ea;
        x->e.flags |= FP_UE;
    }
    x->cc = partial ? C2 : (q & 1 ? C1 : 0) | (q & 2 ? C3 : 0) | (q & 4 ? C0 : 0);
    return r;
}

static F80 scale(X87 *x, F80 a, F80 b)
{
    FpEnv e = x->e;
    int exp = (b.se & 0x7fff) - 0x3fff, n;
    bool negative = b.se & 0x8000, infinite = (b.se & 0x7fff) == 0x7fff;

    if (is_unsupported(a) || is_unsupported(b)) {
        x->e.flags |= FP_IE;
        return default_nan;
    }
    if (is_nan(a) || is_nan(b)) {
        a = f80_add(a, b, &e);
        x->e.flags |= e.flags & FP_IE;
        return a;
    }
    if (infinite && (negative ? (a.se & 0x7fff) == 0x7fff : is_zero(a))) {
        x->e.flags |= FP_IE;
        return default_nan;
    }
    if (HAVE_HOST_X87) {
        return host_fscale(x, a, b);
    }
    /* Cut to an integer by its bits: that it is inexact isn't told. */
    n = exp < 0 ? 0 : exp > 16 ? 65536 : (int)(b.m >> (63 - exp));
    return from_ld(scalbnl(to_ld(a), negative ? -n : n));
}

/* A function of one or two operands, from the C library. */
static F80 transcendental(X87 *x, long double v, bool inexact)
{
    F80 r = from_ld(v);

    if (is_nan(r)) {
        x->e.flags |= FP_IE;
        return default_nan;
    }
    x->e.flags |= inexact ? FP_PE : 0;
    return r;
}

static F80 log2_times(X87 *x, F80 y, F80 a, bool plus1)
{
    long double v = to_ld(a), l;

    if (is_unsupported(a) || is_unsupported(y)) {
        x->e.flags |= FP_IE;
        return default_nan;
    }
    if (is_nan(a) || is_nan(y)) {
        FpEnv e = x->e;
        F80 r = f80_add(y, a, &e);

        x->e.flags |= e.flags & FP_IE;
        return r;
    }
    if (!plus1 && v == 0) {
        if (is_zero(y)) {
            x->e.flags |= FP_IE;
            return default_nan;
        }
        /* SDM vol. 2, FYL2X: infinity times infinity is no division by zero. */
        x->e.flags |= (y.se & 0x7fff) != 0x7fff ? FP_ZE : 0;
        return (F80){ UINT64_C(1) << 63, 0x7fff | ((y.se ^ 0x8000) & 0x8000) };
    }
    if (HAVE_HOST_X87) {
        return plus1 ? host_fyl2xp1(x, a, y) : host_fyl2x(x, a, y);
    }
    l = plus1 ? log1pl(v) * M_LOG2El : log2l(v);
    return transcendental(x, to_ld(y) * l, l != 0 && to_ld(y) != 0);
}

static bool in_range(X87 *x, F80 v)
{
    bool ok = (v.se & 0x7fff) < 0x3fff + 63 || (v.se & 0x7fff) == 0x7fff;

    x->cc_mask |= C2;
    x->cc |= ok ? 0 : C2;
    return ok;
}

static void one_operand(X87 *x, X87Op op)
{
    F80 a = operand(x, 0), r = a;

    x->cc_mask |= op == X87_SIN || op == X87_COS ? C2 : 0;
    if (x->stack_fault) {
        r = default_nan;
    } else if (is_unsupported(a)) {
        x->e.flags |= FP_IE;
        r = default_nan;
    } else if (op == X87_SQRT) {
        r = f80_sqrt(a, &x->e);
    } else if (op == X87_RNDINT) {
        r = f80_rint(a, &x->e);
    } else if (is_nan(a)) {
        r = quiet(x, a);
    } else if (op == X87_F2XM1) {
        r = HAVE_HOST_X87 ? host_f2xm1(x, a, a) : transcendental(x, expm1l(to_ld(a) * M_LN2l), !is_zero(a));
    } else if ((a.se & 0x7fff) == 0x7fff) {
        x->e.flags |= FP_IE;
        r = default_nan;
    } else if (in_range(x, a)) {
        if (HAVE_HOST_X87) {
            r = op == X87_SIN ? host_fsin(x, a, a) : host_fcos(x, a, a);
        } else {
            r = transcendental(x, op == X87_SIN ? sinl(to_ld(a)) : cosl(to_ld(a)), !is_zero(a));
        }
    }
    if (!suppressed(x)) {
        put(x, 0, r);
    }
}

/* FPTAN and FSINCOS push a second result. */
static void two_results(X87 *x, X87Op op)
{
    F80 a = operand(x, 0), first = default_nan, second = default_nan;

    x->cc_mask |= C2;
    if (!x->stack_fault && !empty(x->s, 7)) {
        fault(x, true);
    }
    if (!x->stack_fault) {
        if (is_unsupported(a)) {
            x->e.flags |= FP_IE;
        } else if (is_nan(a)) {
            first = second = quiet(x, a);
        } else if ((a.se & 0x7fff) == 0x7fff) {
            x->e.flags |= FP_IE;
        } else if (!in_range(x, a)) {
            return;
        } else if (op == X87_PTAN) {
            first = HAVE_HOST_X87 ? host_fptan(x, a, a) :
                                    transcendental(x, tanl(to_ld(a)), !is_zero(a));
            second = from_ld(1);
        } else {
            if (HAVE_HOST_X87) {
                first = host_fsincos(x, a, &second);
            } else {
                first = transcendental(x, sinl(to_ld(a)), !is_zero(a));
                second = from_ld(cosl(to_ld(a)));
            }
        }
    }
    if (!suppressed(x)) {
        put(x, 0, first);
        x->s->fpu_top = (x->s->fpu_top - 1) & 7;
        put(x, 0, second);
    }
}

static void extract(X87 *x)
{
    F80 a = operand(x, 0), significand = default_nan, e = default_nan;
    FpEnv exact = { .precision = 64 };

    if (!x->stack_fault && !empty(x->s, 7)) {
        fault(x, true);
    }
    if (!x->stack_fault) {
        if (is_unsupported(a)) {
            x->e.flags |= FP_IE;
        } else if (is_nan(a)) {
            significand = e = quiet(x, a);
        } else if ((a.se & 0x7fff) == 0x7fff) {
            significand = a;
            e = (F80){ UINT64_C(1) << 63, 0x7fff };
        } else if (is_zero(a)) {
            x->e.flags |= FP_ZE;
            significand = a;
            e = (F80){ UINT64_C(1) << 63, 0xffff };
        } else {
            x->e.flags |= a.se & 0x7fff ? 0 : FP_DE;
            significand = a;
            e = f80_from_i64(exponent(&significand) - 0x3fff, &exact);
            significand.se = (a.se & 0x8000) | 0x3fff;
        }
    }
    if (!suppressed(x)) {
        put(x, 0, e);
        x->s->fpu_top = (x->s->fpu_top - 1) & 7;
        put(x, 0, significand);
    }
}

static F80 arithmetic(X87 *x, X87Op op, F80 a, F80 b)
{
    switch (op) {
    case X87_ADD:
        return f80_add(a, b, &x->e);
    case X87_MUL:
        return f80_mul(a, b, &x->e);
    case X87_SUB:
        return f80_sub(a, b, &x->e);
    case X87_SUBR:
        return f80_sub(b, a, &x->e);
    case X87_DIV:
        return f80_div(a, b, &x->e);
    default:
        return f80_div(b, a, &x->e);
    }
}

static void two_operands(X87 *x, X87Op op)
{
    F80 a = operand(x, 0), b = operand(x, 1), r = default_nan;
    bool pops = op == X87_YL2X || op == X87_YL2XP1 || op == X87_PATAN;

    if (op == X87_PREM || op == X87_PREM1) {
        x->cc_mask |= C2;               /* complete, where there is nothing to reduce */
    }
    if (!x->stack_fault) {
        switch (op) {
        case X87_YL2X:
        case X87_YL2XP1:
            r = log2_times(x, b, a, op == X87_YL2XP1);
            break;
        case X87_PATAN:
            if (is_unsupported(a) || is_unsupported(b) || is_nan(a) || is_nan(b)) {
                r = arithmetic(x, X87_ADD, b, a);
            } else {
                r = HAVE_HOST_X87 ? host_fpatan(x, a, b) :
                                    transcendental(x, atan2l(to_ld(b), to_ld(a)), !is_zero(b));
            }
            break;
        case X87_SCALE:
            r = scale(x, a, b);
            break;
        default:
            r = remainder_of(x, a, b, op == X87_PREM1);
        }
    }
    if (!suppressed(x)) {
        put(x, pops ? 1 : 0, r);
    } else if (x->cc_mask == CC) {
        x->cc_mask = C1 | C2;           /* no remainder: C3 and C0 stay, as host CPUs have it */
        x->cc = 0;
    }
    pop(x, pops);
}

static F80 constant(unsigned n, FpRound round)
{
    /* FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: to nearest, and what is added to the
     * last place in other directions (SDM vol. 1, 8.3.8). */
    static const F80 values[] = {
        { UINT64_C(0x8000000000000000), 0x3fff }, { UINT64_C(0xd49a784bcd1b8afe), 0x4000 },
        { UINT64_C(0xb8aa3b295c17f0bc), 0x3fff }, { UINT64_C(0xc90fdaa22168c235), 0x4000 },
        { UINT64_C(0x9a209a84fbcff799), 0x3ffd }, { UINT64_C(0xb17217f7d1cf79ac), 0x3ffe },
        { 0, 0 },
    };
    static const int8_t above[] = { 0, 0, 1, 1, 1, 1, 0 };  /* nearest is above the value */
    F80 v = values[n];

    if (n == 1) {
        v.m += round == FP_UP;
    } else if (above[n] && (round == FP_DOWN || round == FP_TO_ZERO)) {
        v.m--;
    }
    return v;
}

static bool cmov_holds(const X86State *s, unsigned n)
{
    uint32_t fl = x86_cc_eflags(s->cc_op, s->cc_dst, s->cc_src, s->cc_src2);
    static const uint32_t masks[] = { FL_CF, FL_ZF, FL_CF | FL_ZF, FL_PF };

    return !!(fl & masks[n & 3]) ^ (n >> 2);
}

/* A denormal number from memory doesn't count beside an operand that is invalid or a NaN. */
static void forget_denormal(X87 *x, F80 other)
{
    if (is_nan(other) || is_unsupported(other)) {
        x->e.flags &= ~FP_DE;
    }
}

/* @word: see X87_WORD. For CMOV, the popping field's place holds nothing and to_i the condition. */
static uint32_t x87(TcgEnv *env, uint32_t word, uint64_t addr, uint32_t mmu)
{
    X87Op op = word & 0xff;
    X87Mem mem = word >> 8 & 15;
    unsigned i = word >> 12 & 7, pops = word >> 16 & 3, cond = word >> 18;
    bool to_i = cond & 1;
    uint32_t flags = 0;
    X87 x;
    F80 a, b;

    start(&x, env);
    switch (op) {
    case X87_ADD: case X87_MUL: case X87_SUB: case X87_SUBR: case X87_DIV: case X87_DIVR:
        b = mem ? load_operand(&x, mem, addr, mmu) : operand(&x, to_i ? 0 : i);
        a = operand(&x, to_i ? i : 0);
        forget_denormal(&x, a);
        if (!x.stack_fault) {
            a = arithmetic(&x, op, a, b);
        } else {
            a = default_nan;
        }
        if (x.e.flags & FP_ZE) {
            x.e.flags &= ~FP_DE;        /* a denormal divided by zero: unmasked DE stops nothing */
        }
        if (!suppressed(&x)) {
            put(&x, to_i ? i : 0, a);
        }
        pop(&x, pops);
        break;
    case X87_COM: case X87_UCOM: case X87_COMI: case X87_UCOMI: case X87_TST:
        b = op == X87_TST ? (F80){ 0 } : mem ? load_operand(&x, mem, addr, mmu) : operand(&x, i);
        a = operand(&x, 0);
        forget_denormal(&x, a);
        flags = compare(&x, a, b, op == X87_COM || op == X87_COMI || op == X87_TST);
        if (op == X87_COMI || op == X87_UCOMI) {
            x.cc_mask = x.stack_fault ? C1 : 0;
        } else {
            x.cc_mask = CC;
            x.cc |= condition(flags);
        }
        pop(&x, pops);
        break;
    case X87_XAM:
        examine(&x);
        break;
    case X87_LD:
        push(&x, mem ? load(&x, mem, addr, mmu) : operand(&x, i));
        break;
    case X87_BLD:
        push(&x, load_bcd(&x, addr, mmu));
        break;
    case X87_LDC:
        push(&x, constant(i, x.e.round));
        break;
    case X87_ST:
    case X87_ISTT:
        a = operand(&x, 0);
        if (mem) {
            store(&x, mem, a, addr, mmu, op == X87_ISTT);
        } else if (!suppressed(&x)) {
            put(&x, i, a);
        }
        pop(&x, pops);
        break;
    case X87_BSTP:
        store_bcd(&x, operand(&x, 0), addr, mmu);
        pop(&x, 1);
        break;
    case X87_XCH:
        a = operand(&x, 0);
        b = operand(&x, i);
        if (!suppressed(&x)) {
            put(&x, 0, b);
            put(&x, i, a);
        }
        break;
    case X87_CHS:
    case X87_ABS:
        a = operand(&x, 0);
        if (!x.stack_fault) {
            a.se = op == X87_CHS ? a.se ^ 0x8000 : a.se & 0x7fff;
        }
        if (!suppressed(&x)) {
            put(&x, 0, a);
        }
        break;
    case X87_SQRT: case X87_RNDINT: case X87_F2XM1: case X87_SIN: case X87_COS:
        one_operand(&x, op);
        break;
    case X87_PTAN: case X87_SINCOS:
        two_results(&x, op);
        break;
    case X87_XTRACT:
        extract(&x);
        break;
    case X87_YL2X: case X87_YL2XP1: case X87_PATAN: case X87_SCALE: case X87_PREM: case X87_PREM1:
        two_operands(&x, op);
        break;
    case X87_DECSTP:
        x.s->fpu_top = (x.s->fpu_top - 1) & 7;
        break;
    case X87_INCSTP:
        x.s->fpu_top = (x.s->fpu_top + 1) & 7;
        break;
    case X87_FREE:
        x.s->fpu_tag_empty[(x.s->fpu_top + i) & 7] = 1;
        pop(&x, pops);
        break;
    case X87_CMOV:
        a = operand(&x, 0);
        b = operand(&x, i);
        x.cc_mask = x.stack_fault ? C1 : 0;
        if (x.stack_fault) {
            b = default_nan;
        }
        if ((x.stack_fault || cmov_holds(x.s, cond)) && !suppressed(&x)) {
            put(&x, 0, b);
        }
        break;
    case X87_NOP:
        x.cc_mask = 0;
        break;
    }
    finish(&x);
    return flags;
}

/* --- control --- */

static void fninit(TcgEnv *env)
{
    x86_fpu_init(x86_state(env));
    x86_ferr_update(x86_state(env));
}

static void fnclex(TcgEnv *env)
{
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    s->fpu_fsw &= CC;
    x86_ferr_update(s);
}

static void fldcw(TcgEnv *env, uint32_t v)
{
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    s->fpu_fcw = x86_fcw(v);
    x86_fp_update_env(s);
    x86_ferr_update(s);
}

static uint32_t fnstsw(TcgEnv *env)
{
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    return x86_fpu_status(s);
}

static void wait(TcgEnv *env)
{
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    x86_fpu_wait(s);
}

static void fnstenv(TcgEnv *env, uint64_t addr, uint32_t opsize, uint32_t mmu)
{
    X86State *s = x86_state(env);
    uint8_t img[28];
    unsigned n;

    x86_fp_collect(s);
    n = x86_fstenv_image(s, img, opsize);
    tcg_st_bytes(env, addr, img, n, mmu);
    s->fpu_fcw |= 0x3f;
    x86_fp_update_env(s);
    x86_ferr_update(s);
}

static void fldenv(TcgEnv *env, uint64_t addr, uint32_t opsize, uint32_t mmu)
{
    uint8_t img[28];

    x86_fp_collect(x86_state(env));
    tcg_ld_bytes(env, addr, img, opsize == 2 ? 14 : 28, mmu);
    x86_fldenv_image(x86_state(env), img, opsize);
    x86_ferr_update(x86_state(env));
}

static void fnsave(TcgEnv *env, uint64_t addr, uint32_t opsize, uint32_t mmu)
{
    X86State *s = x86_state(env);
    uint8_t img[108];
    unsigned n;

    x86_fp_collect(s);
    n = x86_fsave_image(s, img, opsize);
    tcg_st_bytes(env, addr, img, n, mmu);
    x86_fpu_init(s);
    x86_ferr_update(s);
}

static void frstor(TcgEnv *env, uint64_t addr, uint32_t opsize, uint32_t mmu)
{
    uint8_t img[108];

    x86_fp_collect(x86_state(env));
    tcg_ld_bytes(env, addr, img, opsize == 2 ? 94 : 108, mmu);
    x86_frstor_image(x86_state(env), img, opsize);
    x86_ferr_update(x86_state(env));
}

#define ALL (IR_H_RAISES | IR_H_READS | IR_H_WRITES | IR_H_FPENV)
const IrHelper helper_x87 = { "x87", x87, "l:elql", ALL, 0, 0 };
const IrHelper helper_fninit = { "fninit", fninit, "v:e", ALL, 0, 0 };
const IrHelper helper_fnclex = { "fnclex", fnclex, "v:e", IR_H_FPENV, 0, 0 };
const IrHelper helper_fldcw = { "fldcw", fldcw, "v:el", IR_H_FPENV, 0, 0 };
const IrHelper helper_fnstsw = { "fnstsw", fnstsw, "l:e", IR_H_FPENV, 0, 0 };
const IrHelper helper_x87_wait = { "x87_wait", wait, "v:e", IR_H_FPENV | IR_H_RAISES, 0, 0 };
const IrHelper helper_fnstenv = { "fnstenv", fnstenv, "v:eqll", ALL, 0, 0 };
const IrHelper helper_fldenv = { "fldenv", fldenv, "v:eqll", ALL, 0, 0 };
const IrHelper helper_fnsave = { "fnsave", fnsave, "v:eqll", ALL, 0, 0 };
const IrHelper helper_frstor = { "frstor", frstor, "v:eqll", ALL, 0, 0 };
