/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats in memory: single, double, integers, packed decimal (PRM 1.6, 881UM chapter 3). */
#include "util/osdep.h"
#include "target/m68k/fp.h"

#define QUIET   ((uint64_t)1 << 62)

static uint64_t nan_fraction(FpCtx *c, Fp *v)
{
    if (!(v->m & QUIET)) {
        c->exc |= FPX_SNAN;
    }
    return v->m | QUIET;
}

uint32_t m68k_fp_to_s(FpCtx *c, F80 x)
{
    Fp v = m68k_fp_unpack(x);
    uint32_t s = (uint32_t)v.sign << 31;
    FpCtx to = { c->mode, FPP_S, 0 };

    if (v.cls == FPC_NAN) {
        return s | 0x7f800000 | (uint32_t)(nan_fraction(c, &v) << 1 >> 41);
    }
    v = m68k_fp_round(&to, v);
    c->exc |= to.exc;
    switch (v.cls) {
    case FPC_ZERO: return s;
    case FPC_INF: return s | 0x7f800000;
    default:
        return v.exp < -126 ? s | (uint32_t)(v.m >> 40 >> (-126 - v.exp))
                            : s | (uint32_t)(v.exp + 127) << 23 | (uint32_t)(v.m << 1 >> 41);
    }
}

uint64_t m68k_fp_to_d(FpCtx *c, F80 x)
{
    Fp v = m68k_fp_unpack(x);
    uint64_t s = (uint64_t)v.sign << 63, inf = (uint64_t)0x7ff << 52;
    FpCtx to = { c->mode, FPP_D, 0 };

    if (v.cls == FPC_NAN) {
        return s | inf | nan_fraction(c, &v) << 1 >> 12;
    }
    v = m68k_fp_round(&to, v);
    c->exc |= to.exc;
    switch (v.cls) {
    case FPC_ZERO: return s;
    case FPC_INF: return s | inf;
    default:
        return v.exp < -1022 ? s | v.m >> 11 >> (-1022 - v.exp)
                             : s | (uint64_t)(v.exp + 1023) << 52 | v.m << 1 >> 12;
    }
}

/* 881UM chapter 4: too large: the largest of that sign; a NaN: the upper bits of its significand. */
int32_t m68k_fp_to_int(FpCtx *c, F80 x, unsigned bits)
{
    Fp v = m68k_fp_unpack(x);
    FpCtx to = { c->mode, FPP_X, 0 };
    uint64_t max = ((uint64_t)1 << (bits - 1)) - 1, i;

    if (v.cls == FPC_NAN) {
        i = nan_fraction(c, &v);
        c->exc |= FPX_OPERR;
        return (int32_t)(i >> 32) >> (32 - bits);
    }
    v = m68k_fp_rint(&to, v, c->mode);
    if (v.cls == FPC_ZERO) {
        c->exc |= to.exc;
        return 0;
    }
    if (v.cls == FPC_INF || v.exp > 31 || (i = v.m >> (63 - v.exp)) > max + v.sign) {
        c->exc |= FPX_OPERR;
        return v.sign ? (int32_t)(-(int64_t)max - 1) : (int32_t)max;
    }
    c->exc |= to.exc;
    return v.sign ? (int32_t)-(int64_t)i : (int32_t)i;
}

/* ------------------------------------------------------------- packed decimal */

/* Whole numbers of any length that the range needs: 2^16446 has 4951 digits. */
#define BIG_WORDS   560
typedef struct Big {
    unsigned n;                 /* 32-bit words in use */
    uint32_t w[BIG_WORDS];
} Big;

static void big_set(Big *b, uint64_t v)
{
    b->w[0] = (uint32_t)v;
    b->w[1] = (uint32_t)(v >> 32);
    b->n = v >> 32 ? 2 : v ? 1 : 0;
}

static void big_mul_add(Big *b, uint32_t f, uint32_t add)
{
    uint64_t carry = add;

    for (unsigned i = 0; i < b->n; i++) {
        carry += (uint64_t)b->w[i] * f;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        b->w[b->n++] = (uint32_t)carry;
    }
}

static void big_pow10(Big *b, unsigned n)
{
    for (; n >= 9; n -= 9) {
        big_mul_add(b, 1000000000, 0);
    }
    while (n--) {
        big_mul_add(b, 10, 0);
    }
}

static void big_shl(Big *b, unsigned n)
{
    unsigned words = n / 32, bits = n % 32;

    if (!b->n) {
        return;
    }
    if (bits) {
        big_mul_add(b, 1u << bits, 0);
    }
    memmove(b->w + words, b->w, b->n * sizeof(*b->w));
    memset(b->w, 0, words * sizeof(*b->w));
    b->n += words;
}

static int big_cmp(const Big *a, const Big *b)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (unsigned i = a->n; i--; ) {
        if (a->w[i] != b->w[i]) {
            return a->w[i] < b->w[i] ? -1 : 1;
        }
    }
    return 0;
}

static void big_sub(Big *a, const Big *b)
{
    int64_t borrow = 0;

    for (unsigned i = 0; i < a->n; i++) {
        borrow += (int64_t)a->w[i] - (i < b->n ? b->w[i] : 0);
        a->w[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (a->n && !a->w[a->n - 1]) {
        a->n--;
    }
}

/* |v| as the fraction num / den. */
static void fraction(const Fp *v, Big *num, Big *den)
{
    int32_t e = v->exp - 63;

    big_set(num, v->m);
    big_set(den, 1);
    if (e > 0) {
        big_shl(num, (unsigned)e);
    } else {
        big_shl(den, (unsigned)-e);
    }
}

/* The digit num / den (below 10), taken off num. */
static unsigned take_digit(Big *num, const Big *den)
{
    unsigned d = 0;

    while (big_cmp(num, den) >= 0) {
        big_sub(num, den);
        d++;
    }
    return d;
}

/*
 * 881UM chapter 3: k > 0: significant digits; k <= 0: digits right of the decimal point. One digit before the
 * point, 16 after it, three of exponent.
 */
void m68k_fp_to_packed(FpCtx *c, F80 x, int k, uint32_t out[3])
{
    Fp v = m68k_fp_unpack(x);
    Big num, den;
    int e10, digits;
    uint8_t d[18] = { 0 };
    uint64_t frac = 0;
    bool up;

    out[0] = (uint32_t)v.sign << 31;
    out[1] = out[2] = 0;
    if (v.cls == FPC_ZERO) {
        return;
    }
    if (v.cls == FPC_INF || v.cls == FPC_NAN) {
        out[0] |= 0x7fff0000;
        if (v.cls == FPC_NAN) {
            uint64_t m = nan_fraction(c, &v);

            out[1] = (uint32_t)(m >> 32);
            out[2] = (uint32_t)m;
        }
        return;
    }
    /* An estimate of the decimal exponent, corrected below: log10(2) is 1233 / 4096. */
    e10 = (v.exp * 1233) >> 12;
    fraction(&v, &num, &den);
    if (e10 > 0) {
        big_pow10(&den, (unsigned)e10);
    } else {
        big_pow10(&num, (unsigned)-e10);
    }
    while (big_cmp(&num, &den) < 0) {
        big_mul_add(&num, 10, 0);
        e10--;
    }
    for (;;) {
        Big ten = den;

        big_mul_add(&ten, 10, 0);
        if (big_cmp(&num, &ten) < 0) {
            break;
        }
        den = ten;
        e10++;
    }
    if (k > 17) {
        c->exc |= FPX_OPERR;
        k = 17;
    }
    digits = k > 0 ? k : e10 + 1 - k;
    digits = MAX(0, MIN(digits, 17));
    for (int i = 0; i < digits; i++) {
        d[i] = (uint8_t)take_digit(&num, &den);
        big_mul_add(&num, 10, 0);
    }
    /* num / (10 den) is what is left, as a part of the last digit. */
    if (num.n) {
        Big twice = num, ten = den;
        int cmp;

        c->exc |= FPX_INEX2;
        big_mul_add(&twice, 2, 0);
        big_mul_add(&ten, 10, 0);
        cmp = big_cmp(&twice, &ten);
        up = c->mode == FPM_NEAREST ? cmp > 0 || (cmp == 0 && (digits ? d[digits - 1] & 1 : 0))
             : c->mode == FPM_MINUS ? v.sign : c->mode == FPM_PLUS ? !v.sign : false;
        for (int i = digits - 1; up && i >= 0; i--) {
            up = ++d[i] == 10;
            if (up) {
                d[i] = 0;
            }
        }
        if (up) {
            memmove(d + 1, d, 16);
            d[0] = 1;
            e10++;
        }
    }
    for (int i = 1; i < 17; i++) {
        frac = frac << 4 | d[i];
    }
    if (e10 > 999 || e10 < -999) {
        c->exc |= FPX_OPERR;            /* the fourth digit goes to bits 15-12 */
    }
    out[0] |= d[0] | (uint32_t)(e10 < 0) << 30;
    e10 = e10 < 0 ? -e10 : e10;
    out[0] |= (uint32_t)(e10 / 100 % 10) << 24 | (uint32_t)(e10 / 10 % 10) << 20 |
              (uint32_t)(e10 % 10) << 16 | (uint32_t)(e10 / 1000) << 12;
    out[1] = (uint32_t)(frac >> 32);
    out[2] = (uint32_t)frac;
}

Fp m68k_fp_from_packed(FpCtx *c, const uint32_t in[3])
{
    bool sign = in[0] >> 31;
    uint64_t frac = (uint64_t)in[1] << 32 | in[2], m;
    int e10 = (int)((in[0] >> 24 & 15) * 100 + (in[0] >> 20 & 15) * 10 + (in[0] >> 16 & 15));
    FpCtx to = { c->mode, c->prec, 0 };
    Big num, den;
    U128 q = u128(0, 0);
    int32_t exp = 127;
    Fp v;

    if ((in[0] & 0x7fff0000) == 0x7fff0000) {
        return frac ? (Fp){ FPC_NAN, sign, 0, frac } : m68k_fp_inf(sign);
    }
    m = in[0] & 15;
    for (int i = 60; i >= 0; i -= 4) {
        m = m * 10 + (frac >> i & 15);
    }
    if (!m) {
        return m68k_fp_zero(sign);
    }
    e10 = (in[0] & BIT(30) ? -e10 : e10) - 16;
    big_set(&num, m);
    big_set(&den, 1);
    if (e10 > 0) {
        big_pow10(&num, (unsigned)e10);
    } else {
        big_pow10(&den, (unsigned)-e10);
    }
    /* Scale so that num / den is below 2 and at least 1, then take 127 bits. */
    while (big_cmp(&num, &den) < 0) {
        big_shl(&num, 1);
        exp--;
    }
    for (;;) {
        Big two = den;

        big_shl(&two, 1);
        if (big_cmp(&num, &two) < 0) {
            break;
        }
        den = two;
        exp++;
    }
    for (int i = 0; i < 126; i++) {
        q = u128_shl(q, 1);
        if (big_cmp(&num, &den) >= 0) {
            big_sub(&num, &den);
            q = u128_or(q, u128(0, 1));
        }
        big_shl(&num, 1);
    }
    q = u128_or(u128_shl(q, 1), u128(0, num.n != 0));
    /* q has its first bit at 126: the value is q * 2^(exp - 127 - 126). */
    v = m68k_fp_round128(&to, sign, exp - 127 + 1, q);
    c->exc |= (to.exc & ~(uint32_t)FPX_INEX2) | (to.exc & FPX_INEX2 ? FPX_INEX1 : 0);
    return v;
}
