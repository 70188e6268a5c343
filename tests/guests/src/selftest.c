/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selftest.c - deterministic computations for comparing two emulators.
 *
 * Prints one line per test:   selftest <name> <hex digest>
 * The digest (64-bit FNV-1a) covers every intermediate result, so two runs of
 * the same binary on the same model of processor must print the same lines.
 *
 *   selftest             run everything
 *   selftest -l          list the tests
 *   selftest -v name...  print each item that goes into the digest, to find
 *                        the first operation that differs
 *   selftest name...     run only these; a trailing * matches a prefix
 *                        (tests named x_* run only when named)
 *   selftest -n          run the tests in one process (without -n each has its
 *                        own, and one that dies of signal N prints "killed-N")
 *
 * Results may legitimately differ between architectures, and between
 * processor models of one architecture (tests named hw_*).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__powerpc__) || defined(__arm__)
#include <sys/auxv.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <emmintrin.h>
#endif

#define NOINLINE __attribute__((noinline, noclone))

static uint64_t H;
static int verbose;
static const char *cur;
static unsigned long item;

static void hbyte(uint8_t b) { H = (H ^ b) * 0x100000001b3ull; }
static void h64(uint64_t v)
{
    for (int i = 0; i < 8; i++)
        hbyte(v >> (8 * i));
}
static void put(const char *what, uint64_t v)
{
    item++;
    if (verbose)
        printf("item %s %lu %s %016llx\n", cur, item, what, (unsigned long long)v);
    h64(v);
}
static void put2(const char *what, uint64_t a, uint64_t b, uint64_t r, uint64_t fl)
{
    item++;
    if (verbose)
        printf("item %s %lu %s %llx %llx -> %llx [%llx]\n", cur, item, what, (unsigned long long)a,
               (unsigned long long)b, (unsigned long long)r, (unsigned long long)fl);
    h64(r);
    h64(fl);
}

static uint32_t rs;
static uint32_t rnd(void)
{
    rs ^= rs << 13;
    rs ^= rs >> 17;
    rs ^= rs << 5;
    return rs;
}
static uint64_t rnd64(void) { uint64_t h = rnd(); return h << 32 | rnd(); }

/* ---------------------------------------------------------------- integer */

static const uint64_t iv[] = {
    0, 1, 2, 3, 7, 0x10, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678, 0x7fffffff,
    0x80000000u, 0x80000001u, 0xfffffffeu, 0xffffffffu, 0x100000000ull, 0x123456789abcdefull, 0x7fffffffffffffffull,
    0x8000000000000000ull, 0x8000000000000001ull, 0xfffffffffffffffeull, 0xffffffffffffffffull, 0xdeadbeefcafebabeull
};
enum { NIV = sizeof iv / sizeof *iv };

#define ARITH(T, S, name)                                                                     \
    static NOINLINE void name(void)                                                           \
    {                                                                                         \
        for (int i = 0; i < NIV; i++)                                                         \
            for (int j = 0; j < NIV; j++) {                                                   \
                volatile T a = (T)iv[i], b = (T)iv[j];                                        \
                T r;                                                                          \
                S sr;                                                                         \
                put2("add", a, b, (T)(a + b), __builtin_add_overflow((S)a, (S)b, &sr));       \
                put2("sub", a, b, (T)(a - b), __builtin_sub_overflow((S)a, (S)b, &sr));       \
                put2("uadd", a, b, (T)(a + b), __builtin_add_overflow(a, b, &r));             \
                put2("usub", a, b, (T)(a - b), __builtin_sub_overflow(a, b, &r));             \
                put2("mul", a, b, (T)((uint64_t)a * b), __builtin_mul_overflow((S)a, (S)b, &sr)); \
                put2("umul", a, b, (T)((uint64_t)a * b), __builtin_mul_overflow(a, b, &r));   \
                put2("logic", a, b, (T)((a & b) ^ (a | ~b)), (S)a < (S)b);                    \
                if (b) {                                                                      \
                    put2("udiv", a, b, (T)(a / b), (T)(a % b));                               \
                    if (!((S)b == -1))                                                        \
                        put2("sdiv", a, b, (T)((S)a / (S)b), (T)((S)a % (S)b));               \
                }                                                                             \
            }                                                                                 \
    }
ARITH(uint8_t, int8_t, t_int8)
ARITH(uint16_t, int16_t, t_int16)
ARITH(uint32_t, int32_t, t_int32)
ARITH(uint64_t, int64_t, t_int64)

#define SHIFTS(T, S, W, name)                                                        \
    static NOINLINE void name(void)                                                  \
    {                                                                                \
        for (int i = 0; i < NIV; i++)                                                \
            for (int j = 0; j < W; j++) {                                            \
                volatile T a = (T)iv[i];                                             \
                volatile int s = j;                                                  \
                put2("shl", a, s, (T)(a << s), 0);                                   \
                put2("shr", a, s, (T)(a >> s), 0);                                   \
                put2("sar", a, s, (T)((S)a >> s), 0);                                \
                put2("rol", a, s, (T)((a << s) | (a >> ((W - s) & (W - 1)))), 0);    \
                put2("ror", a, s, (T)((a >> s) | (a << ((W - s) & (W - 1)))), 0);    \
            }                                                                        \
    }
SHIFTS(uint8_t, int8_t, 8, t_shift8)
SHIFTS(uint16_t, int16_t, 16, t_shift16)
SHIFTS(uint32_t, int32_t, 32, t_shift32)
SHIFTS(uint64_t, int64_t, 64, t_shift64)

static NOINLINE void t_bits(void)
{
    for (int i = 0; i < NIV; i++) {
        volatile uint32_t a = (uint32_t)iv[i];
        volatile uint64_t b = iv[i];
        put("popc", __builtin_popcount(a) + 100 * __builtin_popcountll(b));
        put("bswap", __builtin_bswap32(a));
        put("bswap64", __builtin_bswap64(b));
        put("bswap16", __builtin_bswap16((uint16_t)a));
        put("parity", __builtin_parity(a));
        if (a)
            put("clz/ctz", __builtin_clz(a) * 64 + __builtin_ctz(a));
        if (b)
            put("clz/ctz64", __builtin_clzll(b) * 64 + __builtin_ctzll(b));
    }
}

struct bf { unsigned a : 3, b : 7; int c : 5; unsigned d : 17; int e : 11; uint64_t f : 37; int64_t g : 27; };
static NOINLINE void t_bitfield(void)
{
    volatile struct bf x = { 0 };
    rs = 777;
    for (int i = 0; i < 500; i++) {
        uint64_t r = rnd64();
        x.a += (unsigned)r; x.b ^= (unsigned)(r >> 3); x.c = (int)(r >> 9) & 15; x.d = (unsigned)(r >> 13);
        x.e = (int)((r >> 20) & 1023) - 512; x.f = r * 3; x.g = (int64_t)(r >> 38);
        put("bf", x.a + x.b * 8ull + (uint64_t)(int64_t)x.c * 3 + x.d * 5ull);
        put("bf2", x.f ^ (uint64_t)(int64_t)x.e ^ (uint64_t)x.g << 20);
    }
}

static NOINLINE void t_mulwide(void)
{
    rs = 31337;
    for (int i = 0; i < 2000; i++) {
        uint32_t a = rnd(), b = rnd() >> (rnd() & 31);
        uint64_t q = rnd64() >> (rnd() & 63), d = (rnd64() >> (rnd() & 63)) | 1;
        put2("umull", a, b, (uint64_t)a * b, 0);
        put2("smull", a, b, (uint64_t)((int64_t)(int32_t)a * (int32_t)b), 0);
        put2("udiv64", q, d, q / d, q % d);
        if ((int64_t)d != -1)
            put2("sdiv64", q, d, (uint64_t)((int64_t)q / (int64_t)d), (uint64_t)((int64_t)q % (int64_t)d));
#ifdef __SIZEOF_INT128__
        unsigned __int128 p = (unsigned __int128)q * d;
        put2("umul128", q, d, (uint64_t)p, (uint64_t)(p >> 64));
        p = p / ((unsigned __int128)a << 20 | 1);
        put2("udiv128", q, d, (uint64_t)p, (uint64_t)(p >> 64));
#endif
    }
}

/* ------------------------------------------------------------ memory order */

static NOINLINE void t_unaligned(void)
{
    long ps = sysconf(_SC_PAGESIZE);
    uint8_t *m = mmap(0, 3 * ps, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;
    rs = 5150;
    for (long i = 0; i < 3 * ps; i++)
        m[i] = (uint8_t)(rnd() >> 7);
    for (int k = 0; k < 2; k++) /* across a cache line; across a page */
        for (int o = -17; o < 9; o++) {
            p = m + (k ? ps : 64 * 5) + o;
            /* packed members: gcc emits single unaligned accesses where the
               target allows them */
            struct __attribute__((packed, may_alias)) u { uint16_t a; };
            struct __attribute__((packed, may_alias)) v { uint32_t a; };
            struct __attribute__((packed, may_alias)) w { uint64_t a; };
            put("u16", ((volatile struct u *)p)->a);
            put("u32", ((volatile struct v *)p)->a);
            put("u64", ((volatile struct w *)p)->a);
            ((volatile struct u *)p)->a += 0x1357;
            ((volatile struct v *)(p + 1))->a ^= 0xa5a5c3c3;
            ((volatile struct w *)(p + 3))->a -= 0x123456789abcdefull;
#if !defined(__arm__)
            struct __attribute__((packed, may_alias)) x { double a; };
            struct __attribute__((packed, may_alias)) y { float a; };
            volatile struct y *fp = (void *)(p + 2);
            volatile float f = 1.5f;
            fp->a = f;
            volatile struct x *dp = (void *)(p + 5);
            volatile double d = -2.25;
            dp->a = d;
#endif
            for (int i = -8; i < 24; i++)
                hbyte(p[i]);
            put("mem", H);
        }
    munmap(m, 3 * ps);
}

static NOINLINE void t_strings(void)
{
    static uint8_t a[4200], b[4200];
    static void *(*volatile mm)(void *, const void *, size_t) = memmove;
    static void *(*volatile mc)(void *, const void *, size_t) = memcpy;
    static void *(*volatile ms)(void *, int, size_t) = memset;
    static int (*volatile cmp)(const void *, const void *, size_t) = memcmp;
    rs = 4711;
    for (unsigned i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)rnd() | 1;
    for (int i = 0; i < 600; i++) {
        unsigned s = rnd() % 2000, d = rnd() % 2000, n = rnd() % (i & 7 ? 70 : 2100);
        mm(a + d, a + s, n);
        mc(b + (rnd() % 2000), a + (rnd() % 2000), n);
        ms(a + rnd() % 4000, (int)rnd(), rnd() % 64);
        int c = cmp(a + s, b + s, n);
        put("memcmp", c < 0 ? 1 : c > 0 ? 2 : 0);
        void *q = memchr(a + s, (int)(rnd() & 255), n);
        put("memchr", q ? (uint64_t)((uint8_t *)q - a) : 9999);
    }
    a[4199] = 0;
    put("strlen", strlen((char *)a + 3));
    for (unsigned i = 0; i < sizeof a; i++) {
        hbyte(a[i]);
        hbyte(b[i]);
    }
    put("buf", H);
}

/* --------------------------------------------------------- floating point */

static int excepts(void)
{
    int r = 0;
#ifdef FE_INVALID
    if (fetestexcept(FE_INVALID)) r |= 1;
#endif
#ifdef FE_DIVBYZERO
    if (fetestexcept(FE_DIVBYZERO)) r |= 2;
#endif
#ifdef FE_OVERFLOW
    if (fetestexcept(FE_OVERFLOW)) r |= 4;
#endif
#ifdef FE_UNDERFLOW
    if (fetestexcept(FE_UNDERFLOW)) r |= 8;
#endif
#ifdef FE_INEXACT
    if (fetestexcept(FE_INEXACT)) r |= 16;
#endif
    feclearexcept(FE_ALL_EXCEPT);
    return r;
}
static const int modes[] = {
    FE_TONEAREST,
#ifdef FE_UPWARD
    FE_UPWARD,
#endif
#ifdef FE_DOWNWARD
    FE_DOWNWARD,
#endif
#ifdef FE_TOWARDZERO
    FE_TOWARDZERO,
#endif
};
enum { NMODES = sizeof modes / sizeof *modes };

static uint32_t bf32(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }
static uint64_t bf64(double f) { uint64_t u; memcpy(&u, &f, 8); return u; }
static float fb32(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static double fb64(uint64_t u) { double f; memcpy(&f, &u, 8); return f; }
static uint64_t bld(long double f, uint64_t *hi)
{
    uint8_t b[sizeof f];
    uint64_t lo = 0, h = 0;
    int n = sizeof f;
    memset(b, 0, sizeof b);
    memcpy(b, &f, sizeof b);
#if defined(__x86_64__) || defined(__i386__)
    n = 10; /* the rest is padding */
#elif defined(__m68k__)
    b[2] = b[3] = 0;
#endif
    for (int i = 0; i < n; i++)
        if (i < 8)
            lo |= (uint64_t)b[i] << (8 * i);
        else
            h |= (uint64_t)b[i] << (8 * (i - 8));
    *hi = h;
    return lo;
}

static const uint32_t fv[] = {
    0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff, 0x40490fdb, 0x00000001, 0x80000001,
    0x007fffff, 0x00800000, 0x00800001, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
    0xffc12345, 0x7f800001, 0xffa00000, 0x4f000000, 0xcf000000, 0x5f000000, 0x4effffff, 0x3effffff, 0x33800000,
    0x1a2b3c4d, 0x6a5b4c3d
};
static const uint64_t dv[] = {
    0, 0x8000000000000000ull, 0x3ff0000000000000ull, 0xbff0000000000000ull, 0x3ff0000000000001ull,
    0x3fefffffffffffffull, 0x400921fb54442d18ull, 1, 0x8000000000000001ull, 0x000fffffffffffffull,
    0x0010000000000000ull, 0x0010000000000001ull, 0x8010000000000000ull, 0x7fefffffffffffffull, 0xffefffffffffffffull,
    0x7ff0000000000000ull, 0xfff0000000000000ull, 0x7ff8000000000000ull, 0xfff8000012345678ull, 0x7ff0000000000001ull,
    0xfff4000000000000ull, 0x41dfffffffc00000ull, 0xc1e0000000000000ull, 0x43e0000000000000ull, 0x43f0000000000000ull,
    0x3fe0000000000000ull, 0x4004000000000000ull, 0xc00c000000000000ull, 0x36a0000000000000ull, 0x380fffffffffffffull,
    0x47efffffefffffffull, 0x3ca0000000000000ull, 0x1a2b3c4d5e6f7081ull, 0x5a5b4c3d2e1f0011ull
};
enum { NFV = sizeof fv / sizeof *fv, NDV = sizeof dv / sizeof *dv };

#define FPARITH(T, N, V, FROM, TO, pfx)                                                       \
    static NOINLINE void pfx##_op(int op)                                                     \
    {                                                                                         \
        for (int m = 0; m < NMODES; m++)                                                      \
            for (int i = 0; i < N; i++)                                                       \
                for (int j = 0; j < N; j++) {                                                 \
                    volatile T a = FROM(V[i]), b = FROM(V[j]), r = 0;                         \
                    int ok = fesetround(modes[m]), fl;                                        \
                    feclearexcept(FE_ALL_EXCEPT);                                             \
                    switch (op) {                                                             \
                    case 0: r = a + b; break;                                                 \
                    case 1: r = a - b; break;                                                 \
                    case 2: r = a * b; break;                                                 \
                    case 3: r = a / b; break;                                                 \
                    }                                                                         \
                    fl = excepts();                                                           \
                    fesetround(FE_TONEAREST);                                                 \
                    put2(ok ? "norm" : "op", V[i], V[j], TO(r), (uint64_t)(fl | m << 8));     \
                }                                                                             \
    }                                                                                         \
    static void pfx##_add(void) { pfx##_op(0); }                                              \
    static void pfx##_sub(void) { pfx##_op(1); }                                              \
    static void pfx##_mul(void) { pfx##_op(2); }                                              \
    static void pfx##_div(void) { pfx##_op(3); }                                              \
    static NOINLINE void pfx##_cmp(void)                                                      \
    {                                                                                         \
        for (int i = 0; i < N; i++)                                                           \
            for (int j = 0; j < N; j++) {                                                     \
                volatile T a = FROM(V[i]), b = FROM(V[j]);                                    \
                int r = 0, fl;                                                                \
                feclearexcept(FE_ALL_EXCEPT);                                                 \
                if (a == b) r |= 1;                                                           \
                if (a != b) r |= 2;                                                           \
                fl = excepts();                                                               \
                if (a < b) r |= 4;                                                            \
                if (a <= b) r |= 8;                                                           \
                if (a > b) r |= 16;                                                           \
                if (a >= b) r |= 32;                                                          \
                fl |= excepts() << 8;                                                         \
                if (isunordered(a, b)) r |= 64;                                               \
                if (isless(a, b)) r |= 128;                                                   \
                fl |= excepts() << 16;                                                        \
                put2("cmp", V[i], V[j], (uint64_t)r, (uint64_t)fl);                           \
            }                                                                                 \
    }                                                                                         \
    static NOINLINE void pfx##_class(void)                                                    \
    {                                                                                         \
        for (int i = 0; i < N; i++) {                                                         \
            volatile T a = FROM(V[i]);                                                        \
            put("cls", (uint64_t)((isnan(a) ? 1 : 0) + (isinf(a) ? 2 : 0) +                   \
                                  (isfinite(a) ? 4 : 0) + (isnormal(a) ? 8 : 0) +             \
                                  (signbit(a) ? 16 : 0)));                                    \
            volatile T n = -a;                                                                \
            put("neg", TO(n));                                                                \
        }                                                                                     \
    }
FPARITH(float, NFV, fv, fb32, bf32, flt)
FPARITH(double, NDV, dv, fb64, bf64, dbl)

static NOINLINE void ld_arith(void)
{
    for (int m = 0; m < NMODES; m++)
        for (int i = 0; i < NDV; i++)
            for (int j = 0; j < NDV; j++) {
                volatile long double a = (long double)fb64(dv[i]) * 1.0000000000000000001L, b = fb64(dv[j]), r;
                uint64_t lo, hi;
                fesetround(modes[m]);
                feclearexcept(FE_ALL_EXCEPT);
                for (int op = 0; op < 4; op++) {
                    r = op == 0 ? a + b : op == 1 ? a - b : op == 2 ? a * b : a / b;
                    int fl = excepts();
                    lo = bld(r, &hi);
                    put2("ld", dv[i], dv[j], lo, hi << 8 | (unsigned)fl);
                }
                fesetround(FE_TONEAREST);
                put("ldcmp", (uint64_t)((a < b) | (a == b) << 1 | (a > b) << 2));
                feclearexcept(FE_ALL_EXCEPT);
            }
}

static NOINLINE void t_sqrt_round(void)
{
    for (int m = 0; m < NMODES; m++)
        for (int i = 0; i < NDV; i++) {
            volatile double a = fb64(dv[i]), r;
            volatile float f = fb32(fv[i % NFV]), g;
            fesetround(modes[m]);
            feclearexcept(FE_ALL_EXCEPT);
            r = sqrt(a); put2("sqrt", dv[i], 0, bf64(r), (uint64_t)excepts());
            r = rint(a); put2("rint", dv[i], 0, bf64(r), (uint64_t)excepts());
            r = nearbyint(a); put2("nearbyint", dv[i], 0, bf64(r), (uint64_t)excepts());
            r = floor(a); put2("floor", dv[i], 0, bf64(r), 0); excepts();
            r = ceil(a); put2("ceil", dv[i], 0, bf64(r), 0); excepts();
            r = trunc(a); put2("trunc", dv[i], 0, bf64(r), 0); excepts();
            g = sqrtf(f); put2("sqrtf", fv[i % NFV], 0, bf32(g), (uint64_t)excepts());
            g = rintf(f); put2("rintf", fv[i % NFV], 0, bf32(g), (uint64_t)excepts());
            fesetround(FE_TONEAREST);
        }
}

static NOINLINE void t_fpconv(void)
{
    for (int m = 0; m < NMODES; m++)
        for (int i = 0; i < NDV; i++) {
            volatile double a = fb64(dv[i]);
            volatile float f;
            volatile int32_t s;
            volatile uint32_t u;
            volatile int64_t l;
            uint64_t hi, lo;
            fesetround(modes[m]);
            feclearexcept(FE_ALL_EXCEPT);
            f = (float)a; put2("d2f", dv[i], 0, bf32(f), (uint64_t)excepts());
            if (fabs(a) < 2147483648.0) {
                s = (int32_t)a; put2("d2i", dv[i], 0, (uint32_t)s, (uint64_t)excepts());
                if (a > -1) {
                    u = (uint32_t)a; put2("d2u", dv[i], 0, u, 0); excepts();
                }
            }
            if (fabs(a) < 9e18) {
                l = (int64_t)a; put2("d2l", dv[i], 0, (uint64_t)l, 0); excepts();
                l = llrint(a); put2("llrint", dv[i], 0, (uint64_t)l, 0); excepts();
            }
            lo = bld((long double)a, &hi);
            put2("d2ld", dv[i], 0, lo, hi);
            excepts();
            volatile long double x = (long double)a * 1.00000000001L;
            a = (double)x; put2("ld2d", dv[i], 0, bf64(a), 0); excepts();
            a = fb32(fv[i % NFV]); put2("f2d", fv[i % NFV], 0, bf64(a), (uint64_t)excepts());
            if (i < NIV) {
                s = (int32_t)iv[i]; a = s; put2("i2d", iv[i], 0, bf64(a), (uint64_t)excepts());
                f = s; put2("i2f", iv[i], 0, bf32(f), (uint64_t)excepts());
                u = (uint32_t)iv[i]; a = u; put2("u2d", iv[i], 0, bf64(a), 0);
                f = u; put2("u2f", iv[i], 0, bf32(f), 0);
                l = (int64_t)iv[i]; a = l; put2("l2d", iv[i], 0, bf64(a), 0);
                f = l; put2("l2f", iv[i], 0, bf32(f), 0);
                a = (uint64_t)iv[i]; put2("ul2d", iv[i], 0, bf64(a), 0);
                excepts();
            }
            fesetround(FE_TONEAREST);
        }
}
/* Out-of-range conversions: undefined in C, defined by each processor. */
static NOINLINE void hw_fpconv_range(void)
{
    for (int i = 0; i < NDV; i++) {
        volatile double a = fb64(dv[i]);
        volatile float f = fb32(fv[i % NFV]);
        volatile int32_t s;
        volatile uint32_t u;
        volatile int64_t l;
        feclearexcept(FE_ALL_EXCEPT);
        s = (int32_t)a; put2("d2i", dv[i], 0, (uint32_t)s, (uint64_t)excepts());
        u = (uint32_t)a; put2("d2u", dv[i], 0, u, 0); excepts();
        l = (int64_t)a; put2("d2l", dv[i], 0, (uint64_t)l, 0); excepts();
        s = (int32_t)f; put2("f2i", fv[i % NFV], 0, (uint32_t)s, (uint64_t)excepts());
        l = (int64_t)f; put2("f2l", fv[i % NFV], 0, (uint64_t)l, 0); excepts();
    }
}

static NOINLINE void t_fma(void)
{
    rs = 1234;
    for (int i = 0; i < 400; i++) {
        uint64_t x = i < NDV ? dv[i] : rnd64(), y = i < 2 * NDV ? dv[(i * 7) % NDV] : rnd64(), z = i < 3 * NDV ? dv[(i * 5) % NDV] : rnd64();
        volatile double a = fb64(x), b = fb64(y), c = fb64(z), r;
        feclearexcept(FE_ALL_EXCEPT);
        r = fma(a, b, c);
        if (isnan(r))
            put2("fma", x, y, 0x7ff8, 0);
        else
            put2("fma", x, y, bf64(r), 0);
        excepts();
        /* contracted by the compiler where the processor has a fused form */
        volatile float p = fb32(fv[i % NFV]), q = fb32(fv[(i * 3) % NFV]), s = fb32(fv[(i * 11) % NFV]), t;
        t = p * q + s;
        put2("mac", bf32(p), bf32(q), bf32(t), (uint64_t)excepts());
        r = a * b - c;
        put2("macd", x, y, bf64(r), (uint64_t)excepts());
    }
}

#define LIBM1(fn)                                                                    \
    static NOINLINE void m_##fn(void)                                                \
    {                                                                                \
        rs = 2718;                                                                   \
        for (int i = 0; i < 600; i++) {                                              \
            volatile double a = i < 200 ? (i - 100) * 0.07 : i < 500 ?               \
                (double)(int32_t)rnd() * 1e-7 : fb64(dv[i % NDV]);                   \
            volatile double r = fn(a);                                               \
            put2(#fn, bf64(a), 0, isnan(r) ? 0x7ff8 : bf64(r), 0);                   \
        }                                                                            \
        excepts();                                                                   \
    }
LIBM1(sin) LIBM1(cos) LIBM1(tan) LIBM1(exp) LIBM1(log) LIBM1(atan) LIBM1(asin) LIBM1(sinh) LIBM1(tanh) LIBM1(exp2)
LIBM1(log2) LIBM1(log10) LIBM1(log1p) LIBM1(expm1) LIBM1(cbrt) LIBM1(erf) LIBM1(tgamma)
static NOINLINE void m_two(void)
{
    rs = 1618;
    for (int i = 0; i < 600; i++) {
        volatile double a = i < 300 ? (double)(int32_t)rnd() * 1e-8 : fb64(dv[i % NDV]);
        volatile double b = i < 300 ? (double)(int32_t)rnd() * 1e-8 : fb64(dv[(i * 5 + 3) % NDV]);
        double r[7] = { pow(a, b), atan2(a, b), fmod(a, b), remainder(a, b), hypot(a, b), fmax(a, b), copysign(a, b) };
        int e;
        for (int k = 0; k < 7; k++)
            put2("two", bf64(a), bf64(b), isnan(r[k]) ? 0x7ff8u : bf64(r[k]), (uint64_t)k);
        r[0] = frexp(a, &e);
        if (isfinite(a))
            put2("frexp", bf64(a), 0, bf64(r[0]), (uint64_t)(int64_t)e);
        r[0] = ldexp(a, i - 300);
        put2("ldexp", bf64(a), 0, isnan(r[0]) ? 0x7ff8 : bf64(r[0]), 0);
    }
    excepts();
}
#define LIBML(fn)                                                                    \
    static NOINLINE void ml_##fn(void)                                               \
    {                                                                                \
        rs = 3141;                                                                   \
        for (int i = 0; i < 300; i++) {                                              \
            volatile long double a = i < 200 ? (long double)(int32_t)rnd() * 3e-8L   \
                                             : (long double)fb64(dv[i % NDV]);       \
            volatile long double r = fn##l(a);                                       \
            uint64_t hi, lo = bld(r, &hi);                                           \
            put2(#fn "l", bf64((double)a), 0, isnan(r) ? 1 : lo, isnan(r) ? 0 : hi); \
        }                                                                            \
        excepts();                                                                   \
    }
LIBML(sin) LIBML(cos) LIBML(tan) LIBML(exp) LIBML(log) LIBML(atan) LIBML(sqrt) LIBML(log2) LIBML(expm1)

static NOINLINE void t_printf(void)
{
    char s[400];
    for (int i = 0; i < NDV; i++) {
        double a = fb64(dv[i]);
        if (isnan(a))
            continue;
        snprintf(s, sizeof s, "%.17g|%a|%.3f|%e|%Lg", a, a, fabs(a) < 1e20 ? a : 0, a, (long double)a * 3);
        if (verbose)
            printf("item %s %d %s\n", cur, i, s);
        for (char *p = s; *p; p++)
            hbyte((uint8_t)*p);
        double b = strtod(s, 0);
        put("strtod", bf64(b));
    }
    excepts();
}

/* ---------------------------------------------------------------- atomics */

static volatile uint32_t at32;
static volatile uint16_t at16;
static volatile uint8_t at8;
static NOINLINE void t_atomic(void)
{
    at32 = 5; at16 = 7; at8 = 9;
    rs = 8086;
    for (int i = 0; i < 300; i++) {
        uint32_t v = rnd(), e;
        put("xadd", __atomic_fetch_add(&at32, v, __ATOMIC_SEQ_CST));
        put("xsub", __atomic_fetch_sub(&at16, (uint16_t)v, __ATOMIC_SEQ_CST));
        put("and", __atomic_fetch_and(&at32, v | 0xff00ff, __ATOMIC_SEQ_CST));
        put("or", __atomic_fetch_or(&at8, (uint8_t)(v & 0x11), __ATOMIC_SEQ_CST));
        put("xor", __atomic_xor_fetch(&at8, (uint8_t)v, __ATOMIC_SEQ_CST));
        put("nand", __atomic_fetch_nand(&at32, v, __ATOMIC_SEQ_CST));
        put("xchg", __atomic_exchange_n(&at16, (uint16_t)(v >> 3), __ATOMIC_SEQ_CST));
        e = i & 1 ? at32 : v;
        put("cas", __atomic_compare_exchange_n(&at32, &e, v * 3, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
        put("cas-e", e);
        uint8_t e8 = i & 1 ? at8 : (uint8_t)v;
        put("cas8", __atomic_compare_exchange_n(&at8, &e8, (uint8_t)(v * 5), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
#if defined(__x86_64__) || defined(__i386__)
        static volatile uint64_t at64 __attribute__((aligned(8)));
        put("xadd64", __sync_fetch_and_add(&at64, (uint64_t)v << 20));
        put("cas64", __sync_bool_compare_and_swap(&at64, i & 1 ? at64 : 0, (uint64_t)v * 0x100000003ull));
        put("v64", at64);
#endif
    }
}

static volatile uint32_t tcount;
static pthread_mutex_t tmx = PTHREAD_MUTEX_INITIALIZER;
static uint64_t tsum;
static void *thr(void *arg)
{
    unsigned id = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < 20000; i++)
        __atomic_fetch_add(&tcount, id + 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 500; i++) {
        pthread_mutex_lock(&tmx);
        tsum += i * (id + 1);
        pthread_mutex_unlock(&tmx);
    }
    return (void *)(uintptr_t)(id * 7 + 1);
}
static void t_threads(void)
{
    pthread_t t[4];
    tcount = 0;
    tsum = 0;
    for (unsigned i = 0; i < 4; i++)
        put("create", (uint64_t)pthread_create(&t[i], 0, thr, (void *)(uintptr_t)i));
    for (int i = 0; i < 4; i++) {
        void *r;
        pthread_join(t[i], &r);
        put("join", (uintptr_t)r);
    }
    put("count", tcount);
    put("sum", tsum);
}
static void t_forkshm(void)
{
    volatile uint32_t *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t priv = 1;
    for (int k = 0; k < 3; k++) {
        pid_t pid = fork();
        if (!pid) {
            priv += 100; /* copy on write: must not reach the parent */
            for (int i = 0; i < 10000; i++)
                __atomic_fetch_add((uint32_t *)p, 1, __ATOMIC_SEQ_CST);
            _exit(k + (int)priv);
        }
    }
    uint64_t st = 0;
    for (int k = 0; k < 3; k++) {
        int w;
        wait(&w);
        st += WEXITSTATUS(w);
    }
    put("status", st);
    put("count", p[0]);
    put("priv", priv);
    munmap((void *)p, 4096);
}

/* ---------------------------------------------------------------- signals */

static sigjmp_buf sj;
static volatile int got_sig, got_code;
static volatile uintptr_t got_addr;
static void on_fault(int s, siginfo_t *si, void *uc)
{
    (void)uc;
    got_sig = s;
    got_code = si->si_code;
    got_addr = (uintptr_t)si->si_addr;
    siglongjmp(sj, 1);
}
static void catch(int s, int on)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO;
    if (!on)
        sa.sa_handler = SIG_DFL, sa.sa_flags = 0;
    sigaction(s, &sa, 0);
}
static void report(const char *what, uintptr_t base)
{
    put(what, (uint64_t)got_sig << 8 | (uint8_t)got_code);
    /* the distance to the expected address, so it does not depend on layout */
    put("addr", base ? (uint64_t)(int64_t)(intptr_t)(got_addr - base) : 0);
    got_sig = got_code = 0;
    got_addr = 0;
}
#define TRY(what, base, stmt)                  \
    do {                                       \
        if (!sigsetjmp(sj, 1)) {               \
            stmt;                              \
            put("no-signal", 1);               \
        } else                                 \
            report(what, (uintptr_t)(base));   \
    } while (0)

static NOINLINE void t_sigsegv(void)
{
    long ps = sysconf(_SC_PAGESIZE);
    volatile uint8_t *m = mmap(0, 4 * ps, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), v;
    memset((void *)m, 0x5a, 4 * ps);
    mprotect((void *)(m + ps), ps, PROT_NONE);
    mprotect((void *)(m + 2 * ps), ps, PROT_READ);
    catch(SIGSEGV, 1);
    catch(SIGBUS, 1);
    TRY("read-none", m, v = m[ps + 5]);
    TRY("write-none", m, m[ps + 77] = 1);
    TRY("write-ro", m, m[2 * ps + 1234] = 1);
    TRY("rmw-ro", m, m[2 * ps + 8]++);
    TRY("read-ro", m, v = m[2 * ps + 9]);
    TRY("atomic-ro", m, __atomic_fetch_add((uint32_t *)(m + 2 * ps + 16), 1, __ATOMIC_SEQ_CST));
    TRY("null", 0, v = *(volatile uint8_t *)(uintptr_t)(v & 0));
    /* an access that straddles into the forbidden page; si_addr is reported
       as the faulting byte on some processors and as the start on others */
    struct __attribute__((packed, may_alias)) w { uint32_t a; };
    volatile struct w *p = (volatile void *)(m + ps - 2);
    TRY("straddle", 0, v = (uint8_t)p->a);
    p = (volatile void *)(m + 2 * ps - 2);
    mprotect((void *)(m + ps), ps, PROT_READ | PROT_WRITE);
    m[2 * ps - 2] = 1; m[2 * ps - 1] = 2;
    TRY("straddle-write", 0, p->a = 0x99999999);
#if !defined(__powerpc__) && !defined(__arm__)
    /* no partial write may be left behind */
    put("partial", m[2 * ps - 2] * 256u + m[2 * ps - 1]);
#endif
    munmap((void *)(m + 3 * ps), ps);
    TRY("unmapped", m, v = m[3 * ps]);
    mprotect((void *)(m + ps), ps, PROT_READ | PROT_WRITE);
    put("after", m[ps + 5] + m[2 * ps + 8] * 256u);
    /* beyond the end of a mapped file */
    int fd = open("/tmp/selftest.map", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && ftruncate(fd, ps) == 0) {
        volatile uint8_t *f = mmap(0, 2 * ps, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        f[3] = 7;
        TRY("bus", f, v = f[ps + 3]);
        put("file", f[3]);
        munmap((void *)f, 2 * ps);
        close(fd);
        unlink("/tmp/selftest.map");
    }
    catch(SIGSEGV, 0);
    catch(SIGBUS, 0);
    munmap((void *)m, 4 * ps);
}

static NOINLINE void t_sigfpe(void)
{
    volatile int a = 5, z = 0, r = 0;
    catch(SIGFPE, 1);
#if defined(__x86_64__) || defined(__i386__) || defined(__m68k__)
    volatile int mn = INT32_MIN, m1 = -1;
    TRY("div0", 0, r = a / z);
    TRY("mod0", 0, r = a % z);
    TRY("udiv0", 0, r = (int)((unsigned)a / (unsigned)z));
#if !defined(__m68k__)
    TRY("min/-1", 0, r = mn / m1);
#endif
    (void)mn; (void)m1;
#else
    TRY("raise", 0, r = a; raise(SIGFPE));
    (void)z;
#endif
    (void)r;
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__i386__) || defined(__m68k__) || defined(__powerpc__))
    static const int ex[] = { FE_DIVBYZERO, FE_INVALID, FE_OVERFLOW };
    for (int i = 0; i < 3; i++) {
        volatile double x = i == 2 ? 1e308 : i, y = i == 2 ? 1e308 : 0.0, q = 0;
        feclearexcept(FE_ALL_EXCEPT);
        int old = feenableexcept(ex[i]);
        if (i == 0)
            x = 3;
        if (i == 1)
            x = 0;
        TRY("fpe", 0, { q = i == 2 ? x * y : x / y; q = q + 1; volatile double w = q; (void)w; });
        fedisableexcept(FE_ALL_EXCEPT);
        feclearexcept(FE_ALL_EXCEPT);
        put("old", (uint64_t)!!old);
    }
#endif
    catch(SIGFPE, 0);
}

static NOINLINE void t_sigill_trap(void)
{
    catch(SIGILL, 1);
    catch(SIGTRAP, 1);
    catch(SIGSEGV, 1);
    catch(SIGBUS, 1);
#if defined(__x86_64__) || defined(__i386__)
    TRY("ud2", 0, __asm__ volatile("ud2"));
    TRY("int3", 0, __asm__ volatile("int3"));
    TRY("hlt", 0, __asm__ volatile("hlt"));
    TRY("cli", 0, __asm__ volatile("cli"));
    TRY("inb", 0, { uint8_t c; __asm__ volatile("inb $0x80, %0" : "=a"(c)); });
    TRY("int20", 0, __asm__ volatile("int $0x20"));
#elif defined(__m68k__)
    TRY("illegal", 0, __asm__ volatile("illegal"));
    TRY("trap15", 0, __asm__ volatile("trap #15"));
    TRY("priv", 0, __asm__ volatile("move.w #0x2000, %%sr" ::: "cc"));
    TRY("fline", 0, __asm__ volatile(".short 0xf7ff"));
    TRY("aline", 0, __asm__ volatile(".short 0xa123"));
#elif defined(__powerpc__)
    TRY("illegal", 0, __asm__ volatile(".long 0"));
    TRY("trap", 0, __asm__ volatile("trap"));
    TRY("priv", 0, __asm__ volatile("mfmsr 9" ::: "9"));
    TRY("tw", 0, __asm__ volatile("li 9,5\n twlgei 9,5" ::: "9"));
#elif defined(__arm__)
    TRY("udf", 0, __asm__ volatile(".inst 0xe7f000f3"));
#if __ARM_ARCH >= 7 /* on ARMv5 Linux takes it for a page fault and retries for ever */
    TRY("bkpt", 0, __asm__ volatile("bkpt #0"));
#endif
#endif
    catch(SIGILL, 0);
    catch(SIGTRAP, 0);
    catch(SIGSEGV, 0);
    catch(SIGBUS, 0);
}

static volatile int hits, nest;
static void on_usr(int s)
{
    /* clobber the floating-point state: it must come back on return */
    volatile double d = 1.0 / 3.0;
    for (int i = 0; i < 10; i++)
        d = d * 1.7 + 0.1;
    fesetround(FE_TONEAREST);
    hits++;
    if (s == SIGUSR1 && nest++ < 3)
        raise(SIGUSR2);
}
static NOINLINE void t_signals(void)
{
    struct sigaction sa;
    stack_t ss, old;
    static char alt[65536];
    hits = nest = 0;
    memset(&ss, 0, sizeof ss);
    ss.ss_sp = alt;
    ss.ss_size = sizeof alt;
    put("altstack", (uint64_t)(int64_t)sigaltstack(&ss, &old));
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_usr;
    sa.sa_flags = SA_ONSTACK;
    sigaction(SIGUSR1, &sa, 0);
    sigaction(SIGUSR2, &sa, 0);
    double acc = 0.1;
    pid_t me = getpid();
    for (int i = 0; i < 50; i++) {
        acc = acc * 1.01 + 0.3;
        kill(me, i & 1 ? SIGUSR1 : SIGUSR2);
        acc = acc / 1.003;
    }
    put("hits", (uint64_t)hits);
    put("acc", bf64(acc));
    sigset_t set, pend;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, 0);
    kill(me, SIGUSR2);
    sigpending(&pend);
    put("pending", (uint64_t)sigismember(&pend, SIGUSR2) << 16 | (unsigned)hits);
    sigprocmask(SIG_UNBLOCK, &set, 0);
    put("delivered", (uint64_t)hits);
    sa.sa_handler = on_usr;
    sigaction(SIGALRM, &sa, 0);
    struct itimerval it = { { 0, 0 }, { 0, 30000 } };
    int before = hits;
    setitimer(ITIMER_REAL, &it, 0);
    volatile double d = 1;
    while (hits == before)
        d = d * 1.0000001;
    put("alarm", (uint64_t)(hits - before));
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, 0);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
}

/* ------------------------------------------------------ self-modifying code */

static NOINLINE void t_selfmod(void)
{
    uint8_t *m = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) {
        put("mmap", (uint64_t)errno);
        return;
    }
    rs = 6502;
    for (int i = 0; i < 2000; i++) {
        uint32_t v = rnd() & 0x7fff;
        uint8_t *p = m + (i & 1 ? 4090 : 64 * (i % 50)); /* also across a page */
        uint32_t (*f)(void);
#if defined(__x86_64__) || defined(__i386__)
        p[0] = 0xb8; memcpy(p + 1, &v, 4); p[5] = 0xc3;
#elif defined(__m68k__)
        uint16_t c[4] = { 0x203c, (uint16_t)(v >> 16), (uint16_t)v, 0x4e75 };
        p = (uint8_t *)((uintptr_t)p & ~1ul);
        memcpy(p, c, 8);
#elif defined(__powerpc__)
        uint32_t c[2] = { 0x38600000 | v, 0x4e800020 };
        p = (uint8_t *)((uintptr_t)p & ~3ul);
        memcpy(p, c, 8);
#elif defined(__arm__)
        uint32_t c[3] = { 0xe3a00000 | (v & 255), 0xe3800c00 | (v >> 8 & 255), 0xe12fff1e };
        p = (uint8_t *)((uintptr_t)p & ~3ul);
        memcpy(p, c, 12);
#endif
        __builtin___clear_cache((char *)p, (char *)p + 16);
        memcpy(&f, &p, sizeof f);
        put("smc", f());
    }
    munmap(m, 8192);
}

/* ---------------------------------------------------------- calls and jumps */

struct big { uint32_t a[13]; double d; };
static NOINLINE struct big mkbig(int x, double d, uint64_t q, float f, ...)
{
    struct big b;
    va_list ap;
    va_start(ap, f);
    for (int i = 0; i < 13; i++)
        b.a[i] = (uint32_t)va_arg(ap, int) + (uint32_t)x * (uint32_t)i + (uint32_t)q;
    b.d = d * f + va_arg(ap, double);
    va_end(ap);
    return b;
}
static NOINLINE uint32_t ack(uint32_t m, uint32_t n)
{
    return m == 0 ? n + 1 : n == 0 ? ack(m - 1, 1) : ack(m - 1, ack(m, n - 1));
}
static void t_calls(void)
{
    struct big b = mkbig(3, 1.25, 0x123456789ull, 0.5f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 2.5);
    for (int i = 0; i < 13; i++)
        put("big", b.a[i]);
    put("bigd", bf64(b.d));
    put("ack", ack(2, 300));
    jmp_buf j;
    volatile int n = 0;
    if (setjmp(j) < 20) {
        n++;
        longjmp(j, n);
    }
    put("longjmp", (uint64_t)n);
    rs = 1000;
    for (int i = 0; i < 500; i++) { /* a dense switch */
        uint32_t v = rnd(), r;
        switch (v & 15) {
        case 0: r = v * 3; break; case 1: r = v ^ 77; break; case 2: r = v >> 3; break;
        case 3: r = v + 5; break; case 4: r = ~v; break; case 5: r = v << 5; break;
        case 6: r = v / 7; break; case 7: r = v % 11; break; case 8: r = v - 9; break;
        case 9: r = v | 0xf0f0; break; case 10: r = v & 0xffff; break; default: r = v;
        }
        put("switch", r);
    }
}
static void t_vm(void)
{
    long ps = sysconf(_SC_PAGESIZE);
    uint8_t *p = mmap(0, 64 * ps, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    rs = 333;
    for (int i = 0; i < 64; i++)
        p[i * ps + (i * 37) % ps] = (uint8_t)(i * 3);
    for (int i = 0; i < 200; i++) {
        int pg = (int)(rnd() & 63);
        mprotect(p + pg * ps, ps, rnd() & 1 ? PROT_READ : PROT_READ | PROT_WRITE);
        put("v", p[pg * ps + (pg * 37) % ps]);
    }
    mprotect(p, 64 * ps, PROT_READ | PROT_WRITE);
    uint8_t *q = mremap(p, 64 * ps, 256 * ps, MREMAP_MAYMOVE);
    for (int i = 0; i < 64; i++)
        put("mremap", q[i * ps + (i * 37) % ps]);
    madvise(q, 32 * ps, MADV_DONTNEED);
    put("dontneed", q[5 * ps + (5 * 37) % ps] + 256u * q[40 * ps + (40 * 37) % ps]);
    munmap(q, 256 * ps);
}
static void t_time(void)
{
    struct timespec a, b;
    int bad = 0;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < 2000; i++) {
        clock_gettime(CLOCK_MONOTONIC, &b);
        if (b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec))
            bad++;
        a = b;
    }
    put("backwards", (uint64_t)bad);
    struct timespec d = { 0, 50000000 };
    clock_gettime(CLOCK_MONOTONIC, &a);
    nanosleep(&d, 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long long ns = (b.tv_sec - a.tv_sec) * 1000000000ll + b.tv_nsec - a.tv_nsec;
    put("slept", ns >= 49000000 && ns < 5000000000ll);
}
#include "selftest-arch.h"

/* -------------------------------------------------------------------- main */

struct test { const char *name; void (*fn)(void); };
#define T(f) { #f, f }
static const struct test tests[] = {
    T(t_int8), T(t_int16), T(t_int32), T(t_int64), T(t_shift8), T(t_shift16), T(t_shift32), T(t_shift64), T(t_bits),
    T(t_bitfield), T(t_mulwide), T(t_unaligned), T(t_strings),
    T(flt_add), T(flt_sub), T(flt_mul), T(flt_div), T(flt_cmp), T(flt_class),
    T(dbl_add), T(dbl_sub), T(dbl_mul), T(dbl_div), T(dbl_cmp), T(dbl_class), T(ld_arith),
    T(t_sqrt_round), T(t_fpconv), T(hw_fpconv_range), T(t_fma),
    T(m_sin), T(m_cos), T(m_tan), T(m_exp), T(m_log), T(m_atan), T(m_asin), T(m_sinh), T(m_tanh), T(m_exp2), T(m_log2),
    T(m_log10), T(m_log1p), T(m_expm1), T(m_cbrt), T(m_erf), T(m_tgamma), T(m_two),
    T(ml_sin), T(ml_cos), T(ml_tan), T(ml_exp), T(ml_log), T(ml_atan), T(ml_sqrt), T(ml_log2), T(ml_expm1), T(t_printf),
    T(t_atomic), T(t_threads), T(t_forkshm), T(t_sigsegv), T(t_sigfpe), T(t_sigill_trap), T(t_signals), T(t_selfmod),
    T(t_calls), T(t_vm), T(t_time),
    ARCH_TESTS
};
enum { NT = sizeof tests / sizeof *tests };

static int wanted(const char *name, char **av, int n)
{
    if (n == 0)
        return strncmp(name, "x_", 2) != 0; /* x_*: only when asked for */
    for (int i = 0; i < n; i++) {
        size_t l = strlen(av[i]);
        if (!strcmp(av[i], name) || (l && av[i][l - 1] == '*' && !strncmp(av[i], name, l - 1)))
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int c, n = 0, nofork = 0, bad = 0;
    while ((c = getopt(argc, argv, "lnv")) != -1)
        switch (c) {
        case 'l':
            for (int i = 0; i < NT; i++)
                puts(tests[i].name);
            return 0;
        case 'n': nofork = 1; break;
        case 'v': verbose = 1; break;
        default: return 2;
        }
    setvbuf(stdout, 0, _IOLBF, 0);
    for (int i = 0; i < NT; i++) {
        if (!wanted(tests[i].name, argv + optind, argc - optind))
            continue;
        cur = tests[i].name;
        H = 0xcbf29ce484222325ull;
        item = 0;
        n++;
        fflush(stdout);
        pid_t pid = nofork ? 0 : fork();
        if (pid) {
            int st = 0;
            waitpid(pid, &st, 0);
            if (WIFSIGNALED(st)) {
                printf("selftest %s killed-%d\n", cur, WTERMSIG(st));
                bad++;
            }
            continue;
        }
        tests[i].fn();
        fesetround(FE_TONEAREST);
        feclearexcept(FE_ALL_EXCEPT);
        printf("selftest %s %016llx\n", cur, (unsigned long long)H);
        fflush(stdout);
        if (!nofork)
            _exit(0);
    }
    printf("selftest-count %d killed %d\n", n, bad);
    return bad != 0;
}
