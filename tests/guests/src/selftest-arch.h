/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor-specific part of selftest.c: instructions a C compiler seldom emits. */

#if defined(__x86_64__) || defined(__i386__)
/* ---------------------------------------------------------------------- x86 */

#define FL_ALL 0x8d5u   /* OF SF ZF AF PF CF */
#define FL_NOAF 0x8c5u
#define FL_CO 0x801u
#ifdef __x86_64__
#define SETF "pushq %q3; popfq; "
#define GETF "; pushfq; popq %q1"
#else
#define SETF "pushl %3; popfl; "
#define GETF "; pushfl; popl %1"
#endif
#define X86_2(name, ins, T, mod, mask)                                                          \
    static void name(T a0, T b0, unsigned long fin)                                             \
    {                                                                                           \
        T a = a0;                                                                               \
        unsigned long f;                                                                        \
        __asm__ volatile(SETF ins " %" mod "2, %" mod "0" GETF                                  \
                         : "+a"(a), "=&d"(f) : "c"(b0), "r"(fin) : "cc", "memory");            \
        put2(#name, a0, b0, a, f & (mask));                                                     \
    }
#define X86_SET(op)                                 \
    X86_2(op##_8, #op "b", uint8_t, "b", FL_ALL)    \
    X86_2(op##_16, #op "w", uint16_t, "w", FL_ALL)  \
    X86_2(op##_32, #op "l", uint32_t, "k", FL_ALL)
X86_SET(add) X86_SET(adc) X86_SET(sub) X86_SET(sbb) X86_SET(cmp)
#define X86_SETL(op)                                   \
    X86_2(op##_8, #op "b", uint8_t, "b", FL_NOAF)      \
    X86_2(op##_16, #op "w", uint16_t, "w", FL_NOAF)    \
    X86_2(op##_32, #op "l", uint32_t, "k", FL_NOAF)
X86_SETL(and) X86_SETL(or) X86_SETL(xor) X86_SETL(test)
X86_2(imul_16, "imulw", uint16_t, "w", FL_CO)
X86_2(imul_32, "imull", uint32_t, "k", FL_CO)
X86_2(xadd_32x, "xaddl", uint32_t, "k", 0)
#ifdef __x86_64__
X86_2(add_64, "addq", uint64_t, "q", FL_ALL)
X86_2(adc_64, "adcq", uint64_t, "q", FL_ALL)
X86_2(sbb_64, "sbbq", uint64_t, "q", FL_ALL)
X86_2(imul_64, "imulq", uint64_t, "q", FL_CO)
#endif
/* Shift by cl: carry always defined for counts 1..width; overflow for 1 only. */
#define X86_SH(name, ins, T, mod, W)                                                            \
    static void name(T a0, unsigned c, unsigned long fin)                                       \
    {                                                                                           \
        T a = a0;                                                                               \
        unsigned long f, m = c == 0 ? FL_ALL : c == 1 ? FL_NOAF : c <= W ? 0xc5u : 0xc4u;       \
        if (#ins[0] == 'r') m = c == 0 ? FL_ALL : c == 1 ? FL_CO : 1;                           \
        __asm__ volatile(SETF #ins " %%cl, %" mod "0" GETF                                      \
                         : "+a"(a), "=&d"(f) : "c"(c), "r"(fin) : "cc", "memory");             \
        put2(#name, a0, c, a, f & m);                                                           \
    }
#define X86_SHS(op)                          \
    X86_SH(op##_8, op##b, uint8_t, "b", 8)   \
    X86_SH(op##_16, op##w, uint16_t, "w", 16) \
    X86_SH(op##_32, op##l, uint32_t, "k", 32)
X86_SHS(shl) X86_SHS(shr) X86_SHS(sar) X86_SHS(rol) X86_SHS(ror) X86_SHS(rcl) X86_SHS(rcr)

static NOINLINE void x86_alu(void)
{
    for (int i = 0; i < NIV; i++)
        for (int j = 0; j < NIV; j++)
            for (unsigned long f = 0; f < 2; f++) {
#define R3(op) op##_8((uint8_t)iv[i], (uint8_t)iv[j], f), op##_16((uint16_t)iv[i], (uint16_t)iv[j], f), \
               op##_32((uint32_t)iv[i], (uint32_t)iv[j], f)
                R3(add); R3(adc); R3(sub); R3(sbb); R3(cmp); R3(and); R3(or); R3(xor); R3(test);
                imul_16((uint16_t)iv[i], (uint16_t)iv[j], f);
                imul_32((uint32_t)iv[i], (uint32_t)iv[j], f);
#ifdef __x86_64__
                add_64(iv[i], iv[j], f); adc_64(iv[i], iv[j], f); sbb_64(iv[i], iv[j], f); imul_64(iv[i], iv[j], f);
#endif
            }
    (void)xadd_32x;
}
static NOINLINE void x86_shift(void)
{
    for (int i = 0; i < NIV; i++)
        for (unsigned c = 0; c < 32; c++)
            for (unsigned long f = 0; f < 2; f++) {
#define S3(op) do { if (c <= 8) op##_8((uint8_t)iv[i], c, f); if (c <= 16) op##_16((uint16_t)iv[i], c, f); \
                    op##_32((uint32_t)iv[i], c, f); } while (0)
                S3(shl); S3(shr); S3(sar); S3(rol); S3(ror); S3(rcl); S3(rcr);
            }
    for (int i = 0; i < NIV; i++)
        for (unsigned c = 1; c < 32; c++) {
            uint32_t a = (uint32_t)iv[i], b = (uint32_t)(iv[NIV - 1 - i] ^ 0x5a5a5a5a), x = a, y = a;
            uint8_t cf1, cf2;
            __asm__ volatile("shldl %%cl, %3, %0; setc %1" : "+r"(x), "=q"(cf1) : "c"(c), "r"(b) : "cc");
            __asm__ volatile("shrdl %%cl, %3, %0; setc %1" : "+r"(y), "=q"(cf2) : "c"(c), "r"(b) : "cc");
            put2("shld/shrd", a, b, (uint64_t)x << 32 | y, cf1 * 2u + cf2);
        }
}
static NOINLINE void x86_bits(void)
{
    for (int i = 0; i < NIV; i++) {
        uint32_t a = (uint32_t)iv[i], r = 0;
        uint8_t z;
        if (a) {
            __asm__ volatile("bsfl %2, %0; setz %1" : "=r"(r), "=q"(z) : "r"(a) : "cc");
            put2("bsf", a, 0, r, z);
            __asm__ volatile("bsrl %2, %0; setz %1" : "=r"(r), "=q"(z) : "r"(a) : "cc");
            put2("bsr", a, 0, r, z);
        }
        for (uint32_t b = 0; b < 35; b++) {
            uint8_t c;
            uint32_t x = a;
            __asm__ volatile("btl %2, %0; setc %1" : "+r"(x), "=q"(c) : "r"(b) : "cc"); put2("bt", a, b, x, c);
            __asm__ volatile("btsl %2, %0; setc %1" : "+r"(x), "=q"(c) : "r"(b) : "cc"); put2("bts", a, b, x, c);
            __asm__ volatile("btcl %2, %0; setc %1" : "+r"(x), "=q"(c) : "r"(b + 3) : "cc"); put2("btc", a, b, x, c);
            __asm__ volatile("btrl %2, %0; setc %1" : "+r"(x), "=q"(c) : "r"(b + 5) : "cc"); put2("btr", a, b, x, c);
        }
        uint32_t mem[4] = { a, ~a, a ^ 0x55555555, 0 };
        uint8_t c;
        int bit = 37 + i;
        __asm__ volatile("btsl %2, %0; setc %1" : "+m"(mem), "=q"(c) : "r"(bit) : "cc", "memory");
        put2("btsm", mem[1], mem[2], mem[0], c);
        uint32_t lo = a, hi = 0x1234567, q;
        __asm__ volatile("mull %3" : "=a"(lo), "=d"(q) : "0"(a), "r"(hi) : "cc"); put2("mul", a, hi, lo, q);
        __asm__ volatile("imull %3" : "=a"(lo), "=d"(q) : "0"(a), "r"(0x87654321) : "cc"); put2("imul", a, 0, lo, q);
        __asm__ volatile("divl %4" : "=a"(lo), "=d"(q) : "0"(a), "1"(0x1234u), "r"(0x89abcdefu) : "cc"); put2("div", a, 0, lo, q);
        __asm__ volatile("idivl %4" : "=a"(lo), "=d"(q) : "0"(a), "1"(0x1234u), "r"(0x79abcdefu) : "cc"); put2("idiv", a, 0, lo, q);
        uint16_t w = (uint16_t)a;
        w %= 0xfe00;
        __asm__ volatile("divb %b1" : "+a"(w) : "q"((uint8_t)0xff) : "cc"); put("divb", w);
        uint32_t t = a;
        __asm__ volatile("cbtw; cwtl; cltd" : "+a"(t), "=d"(q)); put2("cwd", a, 0, t, q);
#ifdef __i386__
        uint32_t ax = a & 0xffff;
        unsigned long f;
        for (unsigned k = 0; k < 4; k++) {
            unsigned long fi = (k & 1) | (k & 2 ? 0x10 : 0);
#define BCD(ins, m) { uint32_t v = ax; __asm__ volatile("pushl %2; popfl; " ins "; pushfl; popl %1" : "+a"(v), "=&r"(f) : "r"(fi) : "cc"); put2(ins, ax, fi, v, f & (m)); }
            BCD("daa", 0xd5) BCD("das", 0xd5) BCD("aaa", 0x11) BCD("aas", 0x11) BCD("aam", 0xc4) BCD("aad", 0xc4)
        }
#endif
        uint64_t m8 = iv[i];
        uint32_t ea = (uint32_t)(i & 1 ? iv[i] : 1), ed = (uint32_t)(iv[i] >> 32);
        __asm__ volatile("lock; cmpxchg8b %0; setz %1" : "+m"(m8), "=q"(z), "+a"(ea), "+d"(ed)
#ifdef __x86_64__
                         : "b"(11), "c"(22) : "cc", "memory");
#else
                         : "b"(11), "c"(22) : "cc", "memory");
#endif
        put2("cmpxchg8b", ea, ed, m8, z);
    }
}
static NOINLINE void x86_string(void)
{
    static uint8_t a[512], b[512];
    rs = 68000;
    for (int i = 0; i < 512; i++)
        a[i] = (uint8_t)rnd() & 31;
    for (int i = 0; i < 60; i++) {
        unsigned long n = rnd() % 60, c;
        void *s = a + rnd() % 300 + 100, *d = b + rnd() % 300 + 100, *p;
        uint8_t z;
        c = n; p = d; void *q = s;
        __asm__ volatile("rep movsb" : "+c"(c), "+S"(q), "+D"(p) :: "memory");
        put("movsb", (uint64_t)((uint8_t *)p - b) << 16 | (uint64_t)((uint8_t *)q - a));
        c = n / 8; p = d; q = s;
        __asm__ volatile("std; rep movsl; cld" : "+c"(c), "+S"(q), "+D"(p) :: "memory");
        put("movsl-", (uint64_t)((uint8_t *)p - b) << 16 | (uint64_t)((uint8_t *)q - a));
        c = n; p = s;
        __asm__ volatile("repne scasb; setz %2" : "+c"(c), "+D"(p), "=q"(z) : "a"(7) : "cc", "memory");
        put2("scasb", n, 0, c, z);
        c = n + 1; p = d; q = s;
        __asm__ volatile("cmpl %%eax,%%eax; repe cmpsb; setc %3" : "+c"(c), "+S"(q), "+D"(p), "=q"(z) :: "cc", "memory");
        put2("cmpsb", n, 0, c, z);
        c = n / 2; p = d;
        __asm__ volatile("rep stosw" : "+c"(c), "+D"(p) : "a"(n * 257) : "memory");
        b[(i * 5) & 511] ^= (uint8_t)i;
    }
    for (int i = 0; i < 512; i++)
        hbyte(b[i]);
    put("buf", H);
}
static NOINLINE void x86_x87(void)
{
    static const uint16_t cws[] = { 0x037f, 0x0f7f, 0x0b7f, 0x077f, 0x027f, 0x007f };
    for (unsigned w = 0; w < 6; w++)
        for (int i = 0; i < NDV; i++) {
            double a = fb64(dv[i]), b = fb64(dv[(i * 7 + 5) % NDV]);
            long double x = (long double)a + (long double)a * 3e-18L, r, r2;
            uint16_t sw, cw = cws[w], cwd = 0x37f;
            uint64_t hi, lo;
            int32_t s32; int64_t s64; int16_t s16;
#define X1(ins) __asm__ volatile("fnclex; fldcw %2; " ins "; fnstsw %1; fldcw %4" : "=t"(r), "=a"(sw) : "m"(cw), "0"(x), "m"(cwd)); \
            lo = bld(r, &hi); put2(ins, dv[i], w, lo, hi << 16 | (sw & 0xff))
            X1("fsqrt"); X1("frndint"); X1("fabs"); X1("fchs");
            __asm__ volatile("fnclex; ftst; fnstsw %0" : "=a"(sw) : "t"(x)); put2("ftst", dv[i], 0, sw & 0x45ff, 0);
            __asm__ volatile("fnclex; fxam; fnstsw %0" : "=a"(sw) : "t"(x)); put2("fxam", dv[i], 0, sw & 0x4700, 0);
            if (a != 0 && isfinite(a)) {
                __asm__ volatile("fnclex; fxtract; fnstsw %2" : "=t"(r), "=u"(r2), "=a"(sw) : "0"(x));
                lo = bld(r, &hi); put2("fxtract", dv[i], 0, lo, hi);
                lo = bld(r2, &hi); put2("fxtract-e", dv[i], 0, lo, hi << 16 | (sw & 0xff));
            }
            /* second operand instructions; only fprem and fprem1 define C0, C2, C3 */
#define X2(ins) __asm__ volatile("fnclex; fldcw %3; " ins "; fnstsw %1; fldcw %5" : "=t"(r), "=a"(sw) : "0"(x), "m"(cw), "u"((long double)b), "m"(cwd)); \
            lo = bld(r, &hi); put2(ins, dv[i], bf64(b), lo, hi << 16 | (sw & (ins[2] == 'r' && r == r ? 0x47ff : 0xff)))
            X2("fscale"); X2("fprem"); X2("fprem1");
#define XI(ins, v) __asm__ volatile("fnclex; fldcw %2; " ins " %0; fnstsw %1; fldcw %4" : "=m"(v), "=a"(sw) : "m"(cw), "t"(x), "m"(cwd) : "st", "memory"); \
            put2(ins, dv[i], w, (uint64_t)(int64_t)v, sw & 0xff)
            XI("fistpl", s32); XI("fistpq", s64); XI("fistps", s16);
            double dd; float ff;
            __asm__ volatile("fnclex; fldcw %2; fstpl %0; fnstsw %1; fldcw %4" : "=m"(dd), "=a"(sw) : "m"(cw), "t"(x), "m"(cwd) : "st"); put2("fstpl", dv[i], w, bf64(dd), sw & 0xff);
            __asm__ volatile("fnclex; fldcw %2; fstps %0; fnstsw %1; fldcw %4" : "=m"(ff), "=a"(sw) : "m"(cw), "t"(x), "m"(cwd) : "st"); put2("fstps", dv[i], w, bf32(ff), sw & 0xff);
            uint8_t bcd[10];
            __asm__ volatile("fnclex; fldcw %2; fbstp %0; fnstsw %1; fldcw %4" : "=m"(bcd), "=a"(sw) : "m"(cw), "t"(x), "m"(cwd) : "st");
            for (int k = 0; k < 10; k++) hbyte(bcd[k]);
            put2("fbstp", dv[i], w, bcd[0], sw & 0xff);
            __asm__ volatile("fnclex; fcomi %3, %2; fnstsw %1; setb %b0" : "=q"(s16), "=a"(sw) : "t"(x), "u"((long double)b) : "cc"); put2("fcomi", dv[i], bf64(b), s16 & 1, sw & 1);
        }
}
/* Transcendentals: results depend on the implementation. */
static NOINLINE void hw_x87_trans(void)
{
    for (int i = 0; i < 200; i++) {
        long double x = (i - 100) * 0.0099L, y = i * 0.13L + 0.01L, r, r2;
        uint64_t hi, lo;
#define XT(ins, v) __asm__ volatile(ins : "=t"(r) : "0"(v)); lo = bld(r, &hi); put2(ins, (unsigned)i, 0, lo, hi)
        XT("fsin", y); XT("fcos", y); XT("f2xm1", x);
        __asm__ volatile("fptan; fstp %%st(0)" : "=t"(r) : "0"(y)); lo = bld(r, &hi); put2("fptan", (unsigned)i, 0, lo, hi);
        __asm__ volatile("fsincos" : "=t"(r), "=u"(r2) : "0"(y)); lo = bld(r, &hi); put2("fsincos", (unsigned)i, 0, lo, hi);
        __asm__ volatile("fyl2x" : "=t"(r) : "0"(y), "u"(x) : "st(1)"); lo = bld(r, &hi); put2("fyl2x", (unsigned)i, 0, lo, hi);
        __asm__ volatile("fyl2xp1" : "=t"(r) : "0"(x * 0.25L), "u"(y) : "st(1)"); lo = bld(r, &hi); put2("fyl2xp1", (unsigned)i, 0, lo, hi);
        __asm__ volatile("fpatan" : "=t"(r) : "0"(y), "u"(x) : "st(1)"); lo = bld(r, &hi); put2("fpatan", (unsigned)i, 0, lo, hi);
    }
}
#ifdef __i386__
#define SSET __attribute__((target("sse2")))
#else
#define SSET
#endif
SSET static void hv(const char *n, __m128i v)
{
    uint64_t t[2];
    memcpy(t, &v, 16);
    put2(n, 0, 0, t[0], t[1]);
}
SSET static NOINLINE void x86_sse2(void)
{
    if (!__builtin_cpu_supports("sse2"))
        return;
    rs = 1999;
    for (int i = 0; i < 300; i++) {
        uint32_t w[8];
        for (int k = 0; k < 8; k++)
            w[k] = i < 40 ? (uint32_t)iv[(i * 5 + k * 3) % NIV] : rnd();
        __m128i a, b;
        memcpy(&a, w, 16);
        memcpy(&b, w + 4, 16);
#define V(f) hv(#f, _mm_##f(a, b))
        V(add_epi8); V(add_epi16); V(add_epi32); V(add_epi64); V(adds_epi8); V(adds_epi16); V(adds_epu8); V(adds_epu16);
        V(sub_epi8); V(sub_epi32); V(sub_epi64); V(subs_epi8); V(subs_epi16); V(subs_epu8); V(subs_epu16); V(avg_epu8);
        V(avg_epu16); V(madd_epi16); V(max_epi16); V(max_epu8); V(min_epi16); V(min_epu8); V(mulhi_epi16); V(mulhi_epu16);
        V(mullo_epi16); V(mul_epu32); V(sad_epu8); V(cmpeq_epi8); V(cmpgt_epi16); V(cmpgt_epi32); V(packs_epi16);
        V(packs_epi32); V(packus_epi16); V(unpackhi_epi8); V(unpacklo_epi16); V(unpackhi_epi32); V(unpacklo_epi64);
        V(andnot_si128); V(xor_si128);
        hv("slli", _mm_slli_epi16(a, 5)); hv("srai", _mm_srai_epi32(a, 9)); hv("srli", _mm_srli_epi64(a, 33));
        hv("sll", _mm_sll_epi32(a, _mm_and_si128(b, _mm_set_epi32(0, 0, 0, 63)))); hv("shuf", _mm_shuffle_epi32(a, 0x6c));
        hv("shufl", _mm_shufflelo_epi16(a, 0x1b)); hv("bslli", _mm_slli_si128(a, 3)); hv("bsrli", _mm_srli_si128(a, 7));
        put("movmskb", (unsigned)_mm_movemask_epi8(a));
        /* packed floating point */
        uint64_t q[4] = { dv[i % NDV], dv[(i * 3) % NDV], dv[(i * 5) % NDV], dv[(i * 11) % NDV] };
        uint32_t s[8];
        for (int k = 0; k < 8; k++)
            s[k] = fv[(i * (k + 1) + k) % NFV];
        __m128d c, d;
        __m128 e, f;
        memcpy(&c, q, 16); memcpy(&d, q + 2, 16); memcpy(&e, s, 16); memcpy(&f, s + 4, 16);
        for (unsigned m = 0; m < 4; m++) {
            _mm_setcsr(0x1f80 | m << 13);
#define D(x) { __m128i t = _mm_castpd_si128(x); hv(#x, t); }
#define S(x) { __m128i t = _mm_castps_si128(x); hv(#x, t); }
            D(_mm_add_pd(c, d)); D(_mm_mul_pd(c, d)); D(_mm_div_pd(c, d)); D(_mm_sqrt_pd(c)); D(_mm_min_pd(c, d));
            D(_mm_max_pd(c, d)); D(_mm_cmplt_pd(c, d)); D(_mm_cmpunord_pd(c, d)); D(_mm_cmpneq_sd(c, d));
            S(_mm_add_ps(e, f)); S(_mm_sub_ps(e, f)); S(_mm_mul_ps(e, f)); S(_mm_div_ps(e, f)); S(_mm_sqrt_ps(e));
            S(_mm_min_ps(e, f)); S(_mm_max_ps(e, f)); S(_mm_cmple_ps(e, f)); S(_mm_shuffle_ps(e, f, 0x4e));
            S(_mm_cvtpd_ps(c)); D(_mm_cvtps_pd(e)); hv("cvtps", _mm_cvtps_epi32(e)); hv("cvttps", _mm_cvttps_epi32(e));
            hv("cvtpd", _mm_cvtpd_epi32(c)); hv("cvttpd", _mm_cvttpd_epi32(c)); S(_mm_cvtepi32_ps(a)); D(_mm_cvtepi32_pd(a));
            put("cvtsd", (uint32_t)_mm_cvtsd_si32(c));
            put("comisd", (unsigned)(_mm_comilt_sd(c, d) | _mm_comieq_sd(c, d) << 1 | _mm_ucomigt_sd(c, d) << 2));
            put("mxcsr", _mm_getcsr() & 63);
        }
        _mm_setcsr(0x1f80 | 0x8040); /* flush to zero, denormals are zero */
        D(_mm_mul_pd(c, d)); S(_mm_add_ps(e, f)); S(_mm_div_ps(e, f));
        put("mxcsr", _mm_getcsr() & 63);
        _mm_setcsr(0x1f80);
    }
}
SSET static NOINLINE void hw_sse_approx(void)
{
    for (int i = 0; i < NFV; i++) {
        __m128 e = _mm_set1_ps(fb32(fv[i]));
        S(_mm_rcp_ps(e)); S(_mm_rsqrt_ps(e));
    }
}
static NOINLINE void hw_cpuid(void)
{
    unsigned a, b, c, d;
    for (unsigned l = 0; l < 2; l++) {
        __cpuid(l * 0x80000000u, a, b, c, d);
        put("max", a);
        put2("vendor", 0, 0, (uint64_t)b << 32 | d, c);
    }
    __cpuid(1, a, b, c, d);
    put("sig", a);
    put("edx", d);
    put("ecx", c & ~(1u << 31));
}
#define ARCH_TESTS T(x86_alu), T(x86_shift), T(x86_bits), T(x86_string), T(x86_x87), T(hw_x87_trans), T(x86_sse2), T(hw_sse_approx), T(hw_cpuid)

#elif defined(__m68k__)
/* --------------------------------------------------------------------- m68k */

/* Runs an instruction with a given condition code register and returns it. */
#define M2(name, mask, ...)                                                                       \
    {                                                                                             \
        uint32_t d = a, s = b;                                                                    \
        uint16_t cc = (uint16_t)ci;                                                               \
        __asm__ volatile("move.w %2, %%ccr\n\t" __VA_ARGS__ "\n\tmove.w %%ccr, %2"                \
                         : "+d"(d), "+d"(s), "+d"(cc)::"cc");                                     \
        put2(name, a, b, d ^ (uint64_t)s << 32, cc & (mask));                                     \
    }
static NOINLINE void m68k_alu(void)
{
    for (int i = 0; i < NIV; i++)
        for (int j = 0; j < NIV; j++)
            for (int ci = 0; ci < 32; ci += 5) {
                uint32_t a = (uint32_t)iv[i], b = (uint32_t)iv[j];
                M2("add.b", 31, "add.b %1,%0") M2("add.w", 31, "add.w %1,%0") M2("add.l", 31, "add.l %1,%0")
                M2("sub.b", 31, "sub.b %1,%0") M2("sub.w", 31, "sub.w %1,%0") M2("sub.l", 31, "sub.l %1,%0")
                M2("addx.b", 31, "addx.b %1,%0") M2("addx.l", 31, "addx.l %1,%0") M2("subx.w", 31, "subx.w %1,%0")
                M2("subx.l", 31, "subx.l %1,%0") M2("cmp.b", 31, "cmp.b %1,%0") M2("cmp.l", 31, "cmp.l %1,%0")
                M2("neg.l", 31, "neg.l %0") M2("negx.b", 31, "negx.b %0") M2("negx.l", 31, "negx.l %0")
                M2("and.w", 31, "and.w %1,%0") M2("or.b", 31, "or.b %1,%0") M2("eor.l", 31, "eor.l %1,%0")
                M2("not.w", 31, "not.w %0") M2("clr.b", 31, "clr.b %0") M2("tst.w", 31, "tst.w %0")
                M2("ext.w", 31, "ext.w %0") M2("ext.l", 31, "ext.l %0") M2("extb.l", 31, "extb.l %0")
                M2("swap", 31, "swap %0") M2("mulu.w", 31, "mulu.w %1,%0") M2("muls.w", 31, "muls.w %1,%0")
                M2("mulu.l", 31, "mulu.l %1,%0") M2("muls.l", 31, "muls.l %1,%0")
                M2("abcd", 21, "abcd %1,%0") M2("sbcd", 21, "sbcd %1,%0") M2("nbcd", 21, "nbcd %0")
                M2("exg", 31, "exg %1,%0") M2("btst", 31, "btst %1,%0") M2("bset", 31, "bset %1,%0")
                M2("bchg", 31, "bchg %1,%0") M2("bclr", 31, "bclr %1,%0") M2("scc", 31, "sls %0\n\tsge %1")
                if (b) {
                    M2("divul", 31, "divul.l %1,%0:%0")
                    if (a != 0x80000000u || b != 0xffffffffu)
                        M2("divsl", 30, "divsl.l %1,%0:%0")
                    if (b & 0xffff) {
                        M2("divu.w", 18, "divu.w %1,%0")
                        if (a != 0x80000000u || (b & 0xffff) != 0xffff)
                            M2("divs.w", 18, "divs.w %1,%0")
                    }
                }
            }
}
/* Overflow: V set, operand unchanged. Only on request, as it stops QEMU 7.2 (host SIGFPE). */
static NOINLINE void x_m68k_divovf(void)
{
    uint32_t a = 0x80000000u, b = 0xffffffffu;
    for (int ci = 0; ci < 32; ci += 31) {
        M2("divsl", 3, "divs.l %1,%0")
        M2("divs.w", 3, "divs.w %1,%0")
    }
}
/* Apart, because QEMU 7.2 does not decode these two. */
static NOINLINE void hw_m68k_pack(void)
{
    for (int i = 0; i < NIV; i++)
        for (int ci = 0; ci < 32; ci += 31) {
            uint32_t a = (uint32_t)iv[i], b = (uint32_t)iv[NIV - 1 - i];
            M2("pack", 31, "pack %0,%1,#0x1234") M2("unpk", 31, "unpk %0,%1,#0x3030")
        }
}
static NOINLINE void m68k_shift(void)
{
    for (int i = 0; i < NIV; i++)
        for (int j = 0; j < 70; j++)
            for (int ci = 0; ci < 32; ci += 16) {
                uint32_t a = (uint32_t)iv[i], b = (uint32_t)j;
                M2("lsl.b", 31, "lsl.b %1,%0") M2("lsl.w", 31, "lsl.w %1,%0") M2("lsl.l", 31, "lsl.l %1,%0")
                M2("lsr.b", 31, "lsr.b %1,%0") M2("lsr.w", 31, "lsr.w %1,%0") M2("lsr.l", 31, "lsr.l %1,%0")
                M2("asl.b", 31, "asl.b %1,%0") M2("asl.w", 31, "asl.w %1,%0") M2("asl.l", 31, "asl.l %1,%0")
                M2("asr.b", 31, "asr.b %1,%0") M2("asr.w", 31, "asr.w %1,%0") M2("asr.l", 31, "asr.l %1,%0")
                M2("rol.b", 31, "rol.b %1,%0") M2("rol.l", 31, "rol.l %1,%0") M2("ror.w", 31, "ror.w %1,%0")
                M2("ror.l", 31, "ror.l %1,%0") M2("roxl.b", 31, "roxl.b %1,%0") M2("roxl.w", 31, "roxl.w %1,%0")
                M2("roxl.l", 31, "roxl.l %1,%0") M2("roxr.b", 31, "roxr.b %1,%0") M2("roxr.w", 31, "roxr.w %1,%0")
                M2("roxr.l", 31, "roxr.l %1,%0")
            }
}
static NOINLINE void m68k_bitfield(void)
{
    static uint8_t mem[64];
    rs = 68040;
    for (int i = 0; i < 800; i++) {
        uint32_t a = rnd(), b = rnd(), ci = i & 31;
        int32_t off = (int32_t)(rnd() % 200) - 60, w = rnd() & 31;
        for (int k = 0; k < 64; k++)
            mem[k] = (uint8_t)rnd();
        uint8_t *m = mem + 16;
#define BF(ins, fmt)                                                                              \
        {                                                                                         \
            uint32_t d = a; uint16_t cc = (uint16_t)ci;                                           \
            __asm__ volatile("move.w %1,%%ccr\n\t" fmt "\n\tmove.w %%ccr,%1" : "+d"(d), "+d"(cc)   \
                             : "a"(m), "d"(off), "d"(w) : "cc", "memory");                         \
            put2(ins, a, (uint32_t)off * 64u + (uint32_t)w, d, cc & 31);                           \
        }
        BF("bfextu", "bfextu (%2){%3:%4},%0") BF("bfexts", "bfexts (%2){%3:%4},%0") BF("bfffo", "bfffo (%2){%3:%4},%0")
        BF("bftst", "bftst (%2){%3:%4}") BF("bfset", "bfset (%2){%3:%4}") BF("bfclr", "bfclr (%2){%3:%4}")
        BF("bfchg", "bfchg (%2){%3:%4}") BF("bfins", "bfins %0,(%2){%3:%4}")
        BF("bfextur", "bfextu %0{%3:%4},%0") BF("bfextsr", "bfexts %0{%3:%4},%0") BF("bfffor", "bfffo %0{%3:%4},%0")
        BF("bfinsr", "bfins %4,%0{%3:%4}") BF("bfchgr", "bfchg %0{%3:%4}")
        for (int k = 0; k < 64; k++)
            hbyte(mem[k]);
        uint32_t hi, lo, q, r;
        __asm__("mulu.l %3,%0:%1" : "=&d"(hi), "=&d"(lo) : "1"(a), "d"(b) : "cc"); put2("mulu64", a, b, lo, hi);
        __asm__("muls.l %3,%0:%1" : "=&d"(hi), "=&d"(lo) : "1"(a), "d"(b) : "cc"); put2("muls64", a, b, lo, hi);
        b |= 0x40000000;
        __asm__("divu.l %4,%0:%1" : "=&d"(r), "=&d"(q) : "0"(a >> 3), "1"(b * 3), "d"(b) : "cc"); put2("divu64", a, b, q, r);
        /* cas, cas2, tas, movep-free memory forms */
        uint32_t o = i & 1 ? *(uint32_t *)m : a;
        uint16_t cc = 0;
        __asm__ volatile("cas.l %0,%3,(%2)\n\tmove.w %%ccr,%1" : "+d"(o), "=d"(cc) : "a"(m), "d"(a) : "cc", "memory");
        put2("cas.l", a, 0, o, cc & 31);
        __asm__ volatile("tas (%1)\n\tmove.w %%ccr,%0" : "=d"(cc) : "a"(m + 3) : "cc", "memory");
        put("tas", (uint64_t)cc << 8 | m[3]);
        uint8_t *x = m + 12, *y = m + 24;
        __asm__ volatile("move.w %2,%%ccr\n\tabcd -(%0),-(%1)\n\taddx.l -(%0),-(%1)\n\tmove.w %%ccr,%2" : "+a"(x), "+a"(y), "+d"(cc)::"cc", "memory");
        put2("addx-mem", 0, 0, *(uint32_t *)y, cc & 21);
    }
}
static NOINLINE void m68k_fpu(void)
{
    for (unsigned rm = 0; rm < 4; rm++)
        for (unsigned pr = 0; pr < 3; pr++)
            for (int i = 0; i < NDV; i++) {
                uint32_t cr = rm << 4 | pr << 6, sr, zero = 0;
                double a = fb64(dv[i]), b = fb64(dv[(i * 7 + 5) % NDV]);
                long double x = (long double)a * 1.00000000000000001L, r;
                uint64_t hi, lo;
#define FU(ins)                                                                                   \
                __asm__ volatile("fmove.l %2,%%fpcr\n\tfmove.l %4,%%fpsr\n\t" ins ".x %3,%0\n\tfmove.l %%fpsr,%1\n\tfmove.l %4,%%fpcr" \
                                 : "=&f"(r), "=d"(sr) : "d"(cr), "f"(x), "d"(zero));               \
                lo = bld(r, &hi); put2(ins, dv[i], cr, lo, hi << 32 | sr);
                FU("fmove") FU("fabs") FU("fneg") FU("fsqrt") FU("fint") FU("fintrz") FU("fgetexp") FU("fgetman")
                FU("fsmove") FU("fdmove") FU("fssqrt") FU("fdsqrt")
#define FB(ins)                                                                                   \
                r = x;                                                                            \
                __asm__ volatile("fmove.l %2,%%fpcr\n\tfmove.l %4,%%fpsr\n\t" ins ".x %3,%0\n\tfmove.l %%fpsr,%1\n\tfmove.l %4,%%fpcr" \
                                 : "+f"(r), "=d"(sr) : "d"(cr), "f"((long double)b), "d"(zero));   \
                lo = bld(r, &hi); put2(ins, dv[i], bf64(b), lo, hi << 32 | sr);
                FB("fadd") FB("fsub") FB("fmul") FB("fdiv") FB("fmod") FB("frem") FB("fscale") FB("fsgldiv") FB("fsglmul")
                FB("fsadd") FB("fdmul") FB("fcmp")
                int32_t l; int16_t w; int8_t c; float f; double d;
#define FS(ins, v, k)                                                                             \
                __asm__ volatile("fmove.l %2,%%fpcr\n\tfmove.l %4,%%fpsr\n\t" ins " %3,%0\n\tfmove.l %%fpsr,%1\n\tfmove.l %4,%%fpcr" \
                                 : "=m"(v), "=d"(sr) : "d"(cr), "f"(x), "d"(zero));                \
                put2(ins, dv[i], cr, k, sr);
                FS("fmove.l", l, (uint32_t)l) FS("fmove.w", w, (uint16_t)w) FS("fmove.b", c, (uint8_t)c)
                FS("fmove.s", f, bf32(f)) FS("fmove.d", d, bf64(d))
            }
}
static NOINLINE void hw_m68k_trans(void)
{
    for (int i = 0; i < 200; i++) {
        long double x = (i - 100) * 0.0099L, r;
        uint64_t hi, lo;
#define FT(ins) __asm__ volatile(ins ".x %1,%0" : "=f"(r) : "f"(x)); lo = bld(r, &hi); put2(ins, (unsigned)i, 0, lo, hi);
        FT("fsin") FT("fcos") FT("ftan") FT("fasin") FT("facos") FT("fatan") FT("fsinh") FT("fcosh") FT("ftanh") FT("fatanh")
        FT("fetox") FT("fetoxm1") FT("ftwotox") FT("ftentox")
        x = i * 0.13L + 0.01L;
        FT("flogn") FT("flognp1") FT("flog2") FT("flog10") FT("fsin") FT("fetox")
        long double c, s;
        __asm__ volatile("fsincos.x %2,%0,%1" : "=f"(c), "=f"(s) : "f"(x));
        lo = bld(c, &hi); put2("fsincos-c", (unsigned)i, 0, lo, hi);
        lo = bld(s, &hi); put2("fsincos-s", (unsigned)i, 0, lo, hi);
        for (int k = 0; k < 64; k += 5) { /* constant ROM */
            switch (k) {
            case 0: __asm__ volatile("fmovecr #0,%0" : "=f"(r)); break;
            case 10: __asm__ volatile("fmovecr #11,%0" : "=f"(r)); break;
            case 15: __asm__ volatile("fmovecr #15,%0" : "=f"(r)); break;
            case 30: __asm__ volatile("fmovecr #0x30,%0" : "=f"(r)); break;
            default: __asm__ volatile("fmovecr #0x3f,%0" : "=f"(r)); break;
            }
            lo = bld(r, &hi); put2("fmovecr", (unsigned)k, 0, lo, hi);
        }
    }
}
#define ARCH_TESTS T(m68k_alu), T(hw_m68k_pack), T(x_m68k_divovf), T(m68k_shift), T(m68k_bitfield), T(m68k_fpu), T(hw_m68k_trans)

#elif defined(__powerpc__)
/* ---------------------------------------------------------------------- ppc */

#define P2(ins, ops)                                                                              \
    {                                                                                             \
        uint32_t r = c, xer = (uint32_t)ca << 29, cr;                                             \
        __asm__ volatile("mtxer %1\n\t" ins " " ops "\n\tmfxer %1\n\tmfcr %2"                     \
                         : "+r"(r), "+r"(xer), "=&r"(cr) : "r"(a), "r"(b) : "cc", "xer");         \
        put2(ins, a, b, r, (uint64_t)(xer & 0xe0000000) << 4 | (cr >> 28));                       \
    }
static NOINLINE void ppc_alu(void)
{
    for (int i = 0; i < NIV; i++)
        for (int j = 0; j < NIV; j++)
            for (int ca = 0; ca < 2; ca++) {
                uint32_t a = (uint32_t)iv[i], b = (uint32_t)iv[j], c = 0x55aa33cc;
                P2("addo.", "%0,%3,%4") P2("addco.", "%0,%3,%4") P2("addeo.", "%0,%3,%4") P2("addmeo.", "%0,%3")
                P2("addzeo.", "%0,%3") P2("subfo.", "%0,%3,%4") P2("subfco.", "%0,%3,%4") P2("subfeo.", "%0,%3,%4")
                P2("subfmeo.", "%0,%3") P2("subfzeo.", "%0,%3") P2("nego.", "%0,%3") P2("mullwo.", "%0,%3,%4")
                P2("mulhw.", "%0,%3,%4") P2("mulhwu.", "%0,%3,%4") P2("and.", "%0,%3,%4") P2("andc.", "%0,%3,%4")
                P2("orc.", "%0,%3,%4") P2("nand.", "%0,%3,%4") P2("nor.", "%0,%3,%4") P2("eqv.", "%0,%3,%4")
                P2("slw.", "%0,%3,%4") P2("srw.", "%0,%3,%4") P2("sraw.", "%0,%3,%4") P2("cntlzw.", "%0,%3")
                P2("extsb.", "%0,%3") P2("extsh.", "%0,%3") P2("rlwnm.", "%0,%3,%4,3,27") P2("rlwnm.", "%0,%3,%4,27,3")
                P2("rlwimi.", "%0,%3,7,5,19") P2("rlwimi.", "%0,%3,29,28,2") P2("rlwinm.", "%0,%3,13,30,1")
                P2("srawi.", "%0,%3,1") P2("srawi.", "%0,%3,31") P2("srawi.", "%0,%3,0")
                P2("addic.", "%0,%3,-1") P2("subfic", "%0,%3,77") P2("mulli", "%0,%3,-300")
                if (b && !(a == 0x80000000u && b == 0xffffffffu)) {
                    P2("divwo.", "%0,%3,%4")
                    P2("divwuo.", "%0,%3,%4")
                }
                uint32_t cr;
                __asm__ volatile("cmpw 0,%1,%2\n\tcmplw 5,%1,%2\n\tcrxor 9,0,21\n\tcrnor 31,1,22\n\tcreqv 14,2,20\n\tcrandc 17,9,31\n\tcrorc 2,20,9\n\tmfcr %0"
                                 : "=r"(cr) : "r"(a), "r"(b) : "cr0", "cr2", "cr3", "cr4", "cr5", "cr7");
                put2("cr", a, b, cr & 0xf0f00000u, 0);
                (void)c;
            }
}
static NOINLINE void ppc_mem(void)
{
    static uint8_t m[256] __attribute__((aligned(32)));
    rs = 601;
    for (int i = 0; i < 300; i++) {
        uint32_t a = rnd(), r, r2, o = rnd() % 100 + 32, cr;
        uint8_t *p = m + o;
        m[i & 255] = (uint8_t)a;
        __asm__ volatile("lhbrx %0,0,%1" : "=r"(r) : "r"(p) : "memory"); put("lhbrx", r);
        __asm__ volatile("lwbrx %0,0,%1" : "=r"(r) : "r"(p) : "memory"); put("lwbrx", r);
        __asm__ volatile("sthbrx %0,0,%1\n\tstwbrx %0,%2,%1" :: "r"(a), "r"(p), "b"(7) : "memory");
        __asm__ volatile("lha %0,1(%1)" : "=r"(r) : "b"(p)); put("lha", r);
        __asm__ volatile("lwzu %0,4(%1)" : "=r"(r), "+b"(p) :: "memory"); put2("lwzu", 0, 0, r, (uint64_t)(p - m));
        __asm__ volatile("lswi 20,%2,7\n\tmr %0,20\n\tmr %1,21" : "=r"(r), "=r"(r2) : "b"(p) : "r20", "r21", "memory"); put2("lswi", 0, 0, r, r2);
        __asm__ volatile("mr 20,%0\n\tmr 21,%1\n\tstswi 20,%2,6" :: "r"(a), "r"(~a), "b"(p + 3) : "r20", "r21", "memory");
        __asm__ volatile("lmw 28,0(%1)\n\tadd %0,28,31" : "=r"(r) : "b"((uintptr_t)p & ~3ul) : "r28", "r29", "r30", "r31", "memory"); put("lmw", r);
        uint32_t *w = (uint32_t *)(m + 4 * (i & 31));
        __asm__ volatile("1: lwarx %0,0,%2\n\taddi %0,%0,3\n\tstwcx. %0,0,%2\n\tbne- 1b\n\tmfcr %1" : "=&r"(r), "=r"(cr) : "r"(w) : "cr0", "memory"); put2("stwcx", 0, 0, r, cr >> 28 & 3);
        if (i % 50 == 49)
            __asm__ volatile("dcbz 0,%0" :: "r"(m + 64) : "memory");
        if (i % 20 == 0)
            for (int k = 0; k < 256; k++)
                hbyte(m[k]);
    }
    put("mem", H);
}
static NOINLINE void ppc_fpu(void)
{
    for (unsigned rm = 0; rm < 4; rm++)
        for (int i = 0; i < NDV; i++)
            for (int j = 0; j < NDV; j += 3) {
                double a = fb64(dv[i]), b = fb64(dv[j]), c = fb64(dv[(i + j) % NDV]), r;
                double sr;
                double in = fb64(rm);
                uint32_t cr;
#define PF(ins, ops)                                                                              \
                __asm__ volatile("mtfsf 255,%3\n\t" ins " " ops "\n\tmffs %1\n\tmcrfs 0,3\n\tmfcr %2" \
                                 : "=&f"(r), "=&f"(sr), "=r"(cr) : "f"(in), "f"(a), "f"(b), "f"(c) : "cr0", "cr1"); \
                put2(ins, dv[i], dv[j], bf64(r), (uint32_t)bf64(sr));
                PF("fadd", "%0,%4,%5") PF("fsub", "%0,%4,%5") PF("fmul", "%0,%4,%5") PF("fdiv", "%0,%4,%5")
                PF("fadds", "%0,%4,%5") PF("fmuls", "%0,%4,%5") PF("fdivs", "%0,%4,%5") PF("fmadd", "%0,%4,%5,%6")
                PF("fmsub", "%0,%4,%5,%6") PF("fnmadd", "%0,%4,%5,%6") PF("fnmsub", "%0,%4,%5,%6") PF("fmadds", "%0,%4,%5,%6")
                PF("frsp", "%0,%4") PF("fctiw", "%0,%4") PF("fctiwz", "%0,%4") PF("fsel", "%0,%4,%5,%6")
                PF("fneg", "%0,%4") PF("fabs", "%0,%4") PF("fnabs", "%0,%4") PF("fmr.", "%0,%4")
                __asm__ volatile("mtfsf 255,%1\n\tfcmpu 0,%2,%3\n\tfcmpo 5,%2,%3\n\tmfcr %0" : "=r"(cr) : "f"(in), "f"(a), "f"(b) : "cr0", "cr5");
                put2("fcmp", dv[i], dv[j], cr & 0xf0000f00u, 0);
                float s;
                __asm__ volatile("stfs%U0%X0 %1,%0" : "=m"(s) : "f"(a)); put2("stfs", dv[i], 0, bf32(s), 0);
                uint32_t iw;
                __asm__ volatile("stfiwx %1,0,%2" : "=m"(iw) : "f"(a), "r"(&iw)); put("stfiwx", iw);
            }
    double z = 0;
    __asm__ volatile("mtfsf 255,%0" :: "f"(z));
}
static NOINLINE void hw_ppc_estimates(void)
{
    for (int i = 0; i < NDV; i++) {
        double a = fb64(dv[i]), r;
        __asm__ volatile("fres %0,%1" : "=f"(r) : "f"(a)); put2("fres", dv[i], 0, bf64(r), 0);
        __asm__ volatile("frsqrte %0,%1" : "=f"(r) : "f"(a)); put2("frsqrte", dv[i], 0, bf64(r), 0);
    }
    double z = 0;
    __asm__ volatile("mtfsf 255,%0" :: "f"(z));
}
static NOINLINE void hw_altivec(void)
{
    static uint32_t m[16] __attribute__((aligned(16))), o[4] __attribute__((aligned(16)));
    if (!(getauxval(AT_HWCAP) & 0x10000000)) {
        put("absent", 0);
        return;
    }
    rs = 7400;
    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < 12; k++)
            m[k] = i < 60 ? (uint32_t)iv[(i * 5 + k * 3) % NIV] : i < 120 ? fv[(i * 3 + k * 5) % NFV] : rnd();
        uint32_t cr;
#define AV(ins, ops)                                                                              \
        __asm__ volatile(".machine push\n\t.machine altivec\n\tlvx 0,0,%1\n\tlvx 1,0,%2\n\tlvx 2,0,%3\n\t" ins " " ops    \
                         "\n\tstvx 3,0,%4\n\tmfcr %0\n\t.machine pop" : "=&r"(cr)                  \
                         : "r"(m), "r"(m + 4), "r"(m + 8), "r"(o) : "cr6", "memory");              \
        put2(ins, 0, 0, (uint64_t)o[0] << 32 | o[1], (uint64_t)o[2] << 32 | o[3]);
        AV("vaddubm", "3,0,1") AV("vadduhm", "3,0,1") AV("vadduwm", "3,0,1") AV("vaddsbs", "3,0,1") AV("vadduhs", "3,0,1")
        AV("vsubuws", "3,0,1") AV("vsubshs", "3,0,1") AV("vaddcuw", "3,0,1") AV("vsubcuw", "3,0,1") AV("vavgsb", "3,0,1")
        AV("vavguw", "3,0,1") AV("vmaxsw", "3,0,1") AV("vminub", "3,0,1") AV("vmuleub", "3,0,1") AV("vmulosh", "3,0,1")
        AV("vmhaddshs", "3,0,1,2") AV("vmladduhm", "3,0,1,2") AV("vmsumshm", "3,0,1,2") AV("vmsumubm", "3,0,1,2")
        AV("vsumsws", "3,0,1") AV("vsum4ubs", "3,0,1") AV("vperm", "3,0,1,2") AV("vsel", "3,0,1,2") AV("vsldoi", "3,0,1,5")
        AV("vslb", "3,0,1") AV("vsrah", "3,0,1") AV("vrlw", "3,0,1") AV("vsl", "3,0,1") AV("vpkshus", "3,0,1")
        AV("vpkswss", "3,0,1") AV("vupkhsb", "3,0") AV("vupklsh", "3,0") AV("vmrghb", "3,0,1") AV("vmrglw", "3,0,1")
        AV("vspltb", "3,0,5") AV("vcmpgtsb.", "3,0,1") AV("vcmpequw.", "3,0,1") AV("vand", "3,0,1") AV("vnor", "3,0,1")
        AV("vaddfp", "3,0,1") AV("vsubfp", "3,0,1") AV("vmaddfp", "3,0,1,2") AV("vnmsubfp", "3,0,1,2") AV("vmaxfp", "3,0,1")
        AV("vrfin", "3,0") AV("vrfiz", "3,0") AV("vctsxs", "3,0,3") AV("vctuxs", "3,0,0") AV("vcfsx", "3,0,4")
        AV("vcmpgefp.", "3,0,1") AV("vcmpbfp.", "3,0,1")
        put("cr6", cr >> 4 & 15);
    }
}
#define ARCH_TESTS T(ppc_alu), T(ppc_mem), T(ppc_fpu), T(hw_ppc_estimates), T(hw_altivec)

#elif defined(__arm__)
/* ---------------------------------------------------------------------- arm */

#define A2(ins, ops)                                                                              \
    {                                                                                             \
        uint32_t r = c, f;                                                                        \
        __asm__ volatile("msr cpsr_f, %2\n\t" ins " " ops "\n\tmrs %1, cpsr"                      \
                         : "+&r"(r), "=&r"(f) : "r"(fi), "r"(a), "r"(b) : "cc");                   \
        put2(ins, a, b, r, f >> 28);                                                              \
    }
static NOINLINE void arm_alu(void)
{
    for (int i = 0; i < NIV; i++)
        for (int j = 0; j < NIV; j++)
            for (uint32_t fi = 0; fi < 0x40000000u; fi += 0x20000000u) {
                uint32_t a = (uint32_t)iv[i], b = (uint32_t)iv[j], c = 0x55aa33cc;
                A2("adds", "%0,%3,%4") A2("adcs", "%0,%3,%4") A2("subs", "%0,%3,%4") A2("sbcs", "%0,%3,%4")
                A2("rsbs", "%0,%3,%4") A2("rscs", "%0,%3,%4") A2("ands", "%0,%3,%4") A2("eors", "%0,%3,%4")
                A2("orrs", "%0,%3,%4") A2("bics", "%0,%3,%4") A2("movs", "%0,%3,lsl %4") A2("movs", "%0,%3,lsr %4")
                A2("movs", "%0,%3,asr %4") A2("movs", "%0,%3,ror %4") A2("movs", "%0,%3,rrx") A2("movs", "%0,%3,lsr #32")
                A2("adds", "%0,%3,%4,asr #7") A2("ands", "%0,%3,%4,ror #13") A2("mvns", "%0,%3,lsl #1") A2("muls", "%0,%3,%4")
                A2("cmp", "%3,%4") A2("cmn", "%3,%4") A2("tst", "%3,%4") A2("teq", "%3,%4,lsl #3") A2("mla", "%0,%3,%4,%0")
                A2("clz", "%0,%3") A2("addlt", "%0,%3,%4") A2("subhi", "%0,%3,%4")
                uint32_t lo = 0x12345678, hi = 0x9abcdef0;
                __asm__ volatile("umlal %0,%1,%2,%3" : "+&r"(lo), "+&r"(hi) : "r"(a), "r"(b)); put2("umlal", a, b, lo, hi);
                __asm__ volatile("smlal %0,%1,%2,%3" : "+&r"(lo), "+&r"(hi) : "r"(a), "r"(b)); put2("smlal", a, b, lo, hi);
                uint32_t r, f;
#define AQ(ins, ops) __asm__ volatile("msr cpsr_f, %2\n\t" ins " " ops "\n\tmrs %1, cpsr" : "=&r"(r), "=&r"(f) : "r"(0), "r"(a), "r"(b) : "cc"); put2(ins, a, b, r, f >> 27);
                AQ("qadd", "%0,%3,%4") AQ("qsub", "%0,%3,%4") AQ("qdadd", "%0,%3,%4") AQ("qdsub", "%0,%3,%4")
                AQ("smulbb", "%0,%3,%4") AQ("smultb", "%0,%3,%4") AQ("smulwt", "%0,%3,%4") AQ("smlabb", "%0,%3,%4,%3")
#if __ARM_ARCH >= 7
                AQ("ssat", "%0,#12,%3") AQ("usat", "%0,#9,%3,asr #3") AQ("rev", "%0,%3") AQ("rev16", "%0,%3") AQ("revsh", "%0,%3")
                AQ("rbit", "%0,%3") AQ("ubfx", "%0,%3,#5,#13") AQ("sbfx", "%0,%3,#3,#7") AQ("uxtah", "%0,%3,%4,ror #8")
                AQ("sxtb", "%0,%3,ror #16") AQ("pkhbt", "%0,%3,%4,lsl #5") AQ("smmul", "%0,%3,%4") AQ("smlad", "%0,%3,%4,%3")
                AQ("qadd8", "%0,%3,%4") AQ("uqsub16", "%0,%3,%4") AQ("shadd16", "%0,%3,%4") AQ("usad8", "%0,%3,%4")
                __asm__ volatile("uadd8 %0,%1,%2\n\tsel %0,%1,%0" : "=&r"(r) : "r"(a), "r"(b) : "cc"); put2("uadd8/sel", a, b, r, 0);
#endif
            }
}
static NOINLINE void arm_mem(void)
{
    static uint32_t m[64] __attribute__((aligned(8)));
    rs = 926;
    for (int i = 0; i < 64; i++)
        m[i] = rnd();
    for (int i = 0; i < 100; i++) {
        uint32_t *p = m + (i & 31), r, a, b;
        __asm__ volatile("ldmia %2!,{r4-r7}\n\teor %0,r4,r7\n\tadd %1,r5,r6" : "=&r"(a), "=&r"(b), "+r"(p) :: "r4", "r5", "r6", "r7", "memory");
        put2("ldmia", (uint64_t)(p - m), 0, a, b);
        __asm__ volatile("mov r4,%1\n\tmov r5,%2\n\tstmdb %0!,{r4,r5}" : "+r"(p) : "r"(a), "r"(b) : "r4", "r5", "memory");
        put("stmdb", (uint64_t)(p - m));
        __asm__ volatile("ldrsb %0,[%1,#3]" : "=r"(r) : "r"(p)); put("ldrsb", r);
        __asm__ volatile("ldrsh %0,[%1,#2]" : "=r"(r) : "r"(p)); put("ldrsh", r);
        __asm__ volatile("ldr %0,[%1],#4" : "=&r"(r), "+r"(p)); put2("ldr-post", 0, 0, r, (uint64_t)(p - m));
        __asm__ volatile("ldr %0,[%1,%2,lsl #2]!" : "=&r"(r), "+r"(p) : "r"(-1)); put2("ldr-pre", 0, 0, r, (uint64_t)(p - m));
        uint32_t *q = (uint32_t *)((uintptr_t)p & ~7ul);
        __asm__ volatile("ldrd r4,r5,[%2]\n\tmov %0,r4\n\tmov %1,r5" : "=&r"(a), "=&r"(b) : "r"(q) : "r4", "r5", "memory"); put2("ldrd", 0, 0, a, b);
#if __ARM_ARCH >= 7
        uint32_t st;
        __asm__ volatile("1: ldrex %0,[%2]\n\tadd %0,%0,#9\n\tstrex %1,%0,[%2]\n\tcmp %1,#0\n\tbne 1b" : "=&r"(r), "=&r"(st) : "r"(p) : "cc", "memory"); put2("strex", 0, 0, r, st);
        __asm__ volatile("ldr %0,[%1,#1]" : "=r"(r) : "r"(p) : "memory"); put("ldr-unaligned", r);
        __asm__ volatile("ldrexd r4,r5,[%2]\n\teor r4,r4,r5\n\tstrexd %0,r4,r5,[%2]\n\tmov %1,r4" : "=&r"(st), "=&r"(r) : "r"(q) : "r4", "r5", "memory"); put2("strexd", 0, 0, r, st);
#else
        __asm__ volatile("swp %0,%1,[%2]" : "=&r"(r) : "r"(a), "r"(p) : "memory"); put("swp", r);
#endif
    }
    for (int i = 0; i < 64; i++)
        h64(m[i]);
    put("mem", H);
}
#if __ARM_ARCH >= 7 && defined(__ARM_FP)
static NOINLINE void arm_vfp(void)
{
    for (uint32_t rm = 0; rm < 6; rm++)
        for (int i = 0; i < NDV; i++)
            for (int j = 0; j < NDV; j += 3) {
                uint64_t r;
                uint32_t f, mode = rm < 4 ? rm << 22 : rm == 4 ? 1u << 24 : 1u << 25; /* then flush-to-zero, default NaN */
#define VD(ins, ops) __asm__ volatile("vmsr fpscr,%2\n\tvmov d0,%Q3,%R3\n\tvmov d1,%Q4,%R4\n\tvmov.f64 d2,d0\n\t" ins " " ops "\n\tvmov %Q0,%R0,d2\n\tvmrs %1,fpscr" \
                : "=&r"(r), "=&r"(f) : "r"(mode), "r"(dv[i]), "r"(dv[j]) : "d0", "d1", "d2", "cc"); put2(ins, dv[i], dv[j], r, f & 0xf000009f);
                VD("vadd.f64", "d2,d0,d1") VD("vsub.f64", "d2,d0,d1") VD("vmul.f64", "d2,d0,d1") VD("vdiv.f64", "d2,d0,d1")
                VD("vmla.f64", "d2,d0,d1") VD("vnmls.f64", "d2,d0,d1") VD("vsqrt.f64", "d2,d0") VD("vabs.f64", "d2,d0")
                VD("vcmp.f64", "d0,d1") VD("vcmpe.f64", "d0,d1") VD("vcvt.f32.f64", "s4,d0") VD("vcvt.s32.f64", "s4,d0")
                VD("vcvtr.s32.f64", "s4,d0") VD("vcvt.u32.f64", "s4,d0") VD("vcvt.f64.f32", "d2,s0") VD("vcvt.f64.s32", "d2,s1")
                VD("vadd.f32", "s4,s0,s2") VD("vmul.f32", "s4,s1,s3") VD("vdiv.f32", "s5,s1,s3")
            }
    __asm__ volatile("vmsr fpscr,%0" :: "r"(0));
}
static NOINLINE void hw_neon(void)
{
    static uint32_t m[12] __attribute__((aligned(16))), o[4] __attribute__((aligned(16)));
    if (!(getauxval(AT_HWCAP) & (1 << 12))) {
        put("absent", 0);
        return;
    }
    rs = 15;
    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < 12; k++)
            m[k] = i < 60 ? (uint32_t)iv[(i * 5 + k * 3) % NIV] : i < 120 ? fv[(i * 3 + k * 5) % NFV] : rnd();
#define NE(ins, ops) __asm__ volatile(".fpu neon\n\tvld1.32 {q0},[%0]\n\tvld1.32 {q1},[%1]\n\tvld1.32 {q2},[%2]\n\t" ins " " ops "\n\tvst1.32 {q2},[%3]\n\t.fpu vfpv3-d16" \
        :: "r"(m), "r"(m + 4), "r"(m + 8), "r"(o) : "d0", "d1", "d2", "d3", "d4", "d5", "memory"); \
        put2(ins, 0, 0, (uint64_t)o[0] << 32 | o[1], (uint64_t)o[2] << 32 | o[3]);
        NE("vadd.i8", "q2,q0,q1") NE("vqadd.s16", "q2,q0,q1") NE("vqsub.u32", "q2,q0,q1") NE("vqadd.s64", "q2,q0,q1")
        NE("vhadd.s8", "q2,q0,q1") NE("vrhadd.u16", "q2,q0,q1") NE("vmul.i32", "q2,q0,q1") NE("vmul.p8", "q2,q0,q1")
        NE("vmla.i16", "q2,q0,q1") NE("vmull.s16", "q2,d0,d2") NE("vqdmulh.s32", "q2,q0,q1") NE("vqrdmulh.s16", "q2,q0,q1")
        NE("vabd.u8", "q2,q0,q1") NE("vaba.s32", "q2,q0,q1") NE("vmax.s8", "q2,q0,q1") NE("vpadd.i16", "d4,d0,d2")
        NE("vpaddl.u8", "q2,q0") NE("vshl.s32", "q2,q0,q1") NE("vqshl.u16", "q2,q0,q1") NE("vrshl.s8", "q2,q0,q1")
        NE("vshrn.i32", "d4,q0,#5") NE("vqrshrun.s32", "d4,q0,#3") NE("vsri.8", "q2,q0,#3") NE("vceq.i32", "q2,q0,q1")
        NE("vcgt.s16", "q2,q0,q1") NE("vtst.8", "q2,q0,q1") NE("vbsl", "q2,q0,q1") NE("vext.8", "q2,q0,q1,#5")
        NE("vtbl.8", "d4,{d0,d1},d2") NE("vzip.8", "q0,q2") NE("vuzp.16", "q1,q2") NE("vtrn.32", "q0,q2") NE("vrev64.8", "q2,q0")
        NE("vcnt.8", "q2,q0") NE("vclz.i16", "q2,q0") NE("vcls.s32", "q2,q0") NE("vqabs.s8", "q2,q0") NE("vqneg.s32", "q2,q0")
        NE("vmovn.i32", "d4,q0") NE("vqmovun.s16", "d4,q0") NE("vmovl.s8", "q2,d0") NE("vdup.16", "q2,d0[2]")
        NE("vadd.f32", "q2,q0,q1") NE("vmul.f32", "q2,q0,q1") NE("vmla.f32", "q2,q0,q1") NE("vmax.f32", "q2,q0,q1")
        NE("vcge.f32", "q2,q0,q1") NE("vrecpe.f32", "q2,q0") NE("vrsqrte.f32", "q2,q0") NE("vrecps.f32", "q2,q0,q1")
        NE("vcvt.s32.f32", "q2,q0") NE("vcvt.f32.u32", "q2,q0,#7")
    }
}
#define ARCH_TESTS T(arm_alu), T(arm_mem), T(arm_vfp), T(hw_neon)
#else
#define ARCH_TESTS T(arm_alu), T(arm_mem)
#endif
#else
#define ARCH_TESTS T(t_calls)
#endif
