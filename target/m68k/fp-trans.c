/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The elementary functions of the 68881 and FMOVECR's constants (881UM chapter 4).
 *
 * Computed with the host's long double; the last bits may differ from a chip's, whose own errors
 * are of that size too (881UM chapter 4: less than one unit in the last place of double precision).
 */
#include "util/osdep.h"
#include <math.h>
#include "target/m68k/fp.h"

/* Where long double is the x87's, numbers are put together without arithmetic. */
#if defined(__x86_64__) || defined(__i386__)
#define HOST_X87 1
#else
#define HOST_X87 0
#endif
typedef union Host80 {
    long double v;
    struct { uint64_t m; uint16_t se; } x87;
} Host80;
enum { X87_BIAS = 16383 };

static long double to_host(Fp v)
{
    if (HOST_X87 && v.cls == FPC_NUM && v.exp > -X87_BIAS && v.exp <= X87_BIAS) {
        Host80 h = { .v = 0 };

        h.x87.m = v.m;
        h.x87.se = (uint16_t)((v.sign ? 0x8000 : 0) | (v.exp + X87_BIAS));
        return h.v;
    }
    long double x = v.cls == FPC_ZERO ? 0 : ldexpl((long double)v.m, v.exp - 63);

    return v.sign ? -x : x;
}

static Fp from_host(FpCtx *c, long double x)
{
    int e;
    bool sign = signbit(x);
    Fp v;

    if (isnan(x)) {
        return m68k_fp_operr(c);
    }
    if (isinf(x)) {
        c->exc |= FPX_OVFL | FPX_INEX2;
        return m68k_fp_inf(sign);
    }
    if (x == 0) {
        return m68k_fp_zero(sign);
    }
    if (HOST_X87) {
        Host80 h = { .v = x };

        if (h.x87.m >> 63) {            /* not a denormal */
            c->exc |= FPX_INEX2;
            return m68k_fp_round(c, (Fp){ FPC_NUM, sign, (h.x87.se & 0x7fff) - X87_BIAS, h.x87.m });
        }
    }
    x = frexpl(fabsl(x), &e);
    v = m68k_fp_from_int(0);
    v = (Fp){ FPC_NUM, sign, e - 1, (uint64_t)ldexpl(x, 64) };
    c->exc |= FPX_INEX2;
    return m68k_fp_round(c, v);
}

static Fp divide_by_zero(FpCtx *c, bool sign)
{
    c->exc |= FPX_DZ;
    return m68k_fp_inf(sign);
}

/* Results at infinities, zeros and outside of the domain. True: *res is it. */
static bool special(FpCtx *c, unsigned op, Fp v, Fp *res)
{
    bool zero = v.cls == FPC_ZERO, inf = v.cls == FPC_INF, one = false;
    Fp pi_2 = { FPC_NUM, v.sign, 0, 0xc90fdaa22168c235 }, unit = { FPC_NUM, false, 0, (uint64_t)1 << 63 };

    if (v.cls == FPC_NUM) {
        one = v.exp == 0 && v.m == (uint64_t)1 << 63;
    }
    switch (op) {
    case 0x02: case 0x08: case 0x09: case 0x0a: case 0x0c: case 0x0d: case 0x0e: case 0x0f: case 0x06:
        if (zero) {
            *res = v;
            return true;
        }
        break;
    case 0x10: case 0x11: case 0x12: case 0x19: case 0x1d:
        if (zero) {
            *res = unit;
            return true;
        }
        break;
    case 0x14: case 0x15: case 0x16:
        if (zero) {
            *res = divide_by_zero(c, true);
            return true;
        }
        break;
    default:
        break;
    }
    if (inf) {
        switch (op) {
        case 0x02: case 0x19: *res = m68k_fp_inf(op == 0x02 && v.sign); return true;
        case 0x08:
            *res = v.sign ? (Fp){ FPC_NUM, true, 0, (uint64_t)1 << 63 } : v;
            return true;
        case 0x09: *res = unit; res->sign = v.sign; return true;
        case 0x0a: *res = m68k_fp_round(c, pi_2); c->exc |= FPX_INEX2; return true;
        case 0x10: case 0x11: case 0x12: *res = v.sign ? m68k_fp_zero(false) : v; return true;
        case 0x06: case 0x14: case 0x15: case 0x16:
            *res = v.sign ? m68k_fp_operr(c) : v;
            return true;
        default: *res = m68k_fp_operr(c); return true;
        }
    }
    switch (op) {
    case 0x0c: case 0x1c:
        if (v.cls == FPC_NUM && v.exp >= 0 && !one) {
            *res = m68k_fp_operr(c);
            return true;
        }
        if (one && op == 0x1c && !v.sign) {
            *res = m68k_fp_zero(false);
            return true;
        }
        break;
    case 0x0d:
        if (v.cls == FPC_NUM && v.exp >= 0) {
            *res = one ? divide_by_zero(c, v.sign) : m68k_fp_operr(c);
            return true;
        }
        break;
    case 0x06:
        if (v.cls == FPC_NUM && v.sign && v.exp >= 0) {
            *res = one ? divide_by_zero(c, true) : m68k_fp_operr(c);
            return true;
        }
        break;
    case 0x14: case 0x15: case 0x16:
        if (v.sign) {
            *res = m68k_fp_operr(c);
            return true;
        }
        if (one) {
            *res = m68k_fp_zero(false);
            return true;
        }
        break;
    default:
        break;
    }
    return false;
}

bool m68k_fp_transcendental(FpCtx *c, unsigned op, Fp v, Fp *res, Fp *second)
{
    long double x, y;
    bool sincos = (op & 0x78) == 0x30;

    if (!sincos && !((op >= 0x02 && op <= 0x1d) && op != 5 && op != 7 && op != 0x0b && op != 0x13 &&
                     op != 0x17 && op != 0x1b)) {
        return false;
    }
    if (v.cls == FPC_NAN) {
        *res = *second = m68k_fp_nan(c, NULL, &v);
        return true;
    }
    if (sincos) {
        FpCtx other = { c->mode, c->prec, 0 };

        m68k_fp_transcendental(&other, 0x1d, v, second, res);
        op = 0x0e;
    }
    if (special(c, op, v, res)) {
        return true;
    }
    x = to_host(v);
    switch (op) {
    case 0x02: y = sinhl(x); break;
    case 0x06: y = log1pl(x); break;
    case 0x08: y = expm1l(x); break;
    case 0x09: y = tanhl(x); break;
    case 0x0a: y = atanl(x); break;
    case 0x0c: y = asinl(x); break;
    case 0x0d: y = atanhl(x); break;
    case 0x0e: y = sinl(x); break;
    case 0x0f: y = tanl(x); break;
    case 0x10: y = expl(x); break;
    case 0x11: y = exp2l(x); break;
    case 0x12: y = powl(10, x); break;
    case 0x14: y = logl(x); break;
    case 0x15: y = log10l(x); break;
    case 0x16: y = log2l(x); break;
    case 0x19: y = coshl(x); break;
    case 0x1c: y = acosl(x); break;
    default: y = cosl(x); break;
    }
    if (y == 0 && op != 0x0e && op != 0x1d) {
        c->exc |= FPX_UNFL | FPX_INEX2;
    }
    *res = from_host(c, y);
    return true;
}

/* PRM, FMOVECR: the ROM of constants; other offsets give zero. */
Fp m68k_fp_constant(FpCtx *c, unsigned offset)
{
    static const struct { uint8_t offset; int16_t exp; uint64_t m; bool inexact; } rom[] = {
        { 0x00, 1, 0xc90fdaa22168c235, true },          /* pi */
        { 0x0b, -2, 0x9a209a84fbcff798, true },         /* log10(2) */
        { 0x0c, 1, 0xadf85458a2bb4a9a, true },          /* e */
        { 0x0d, 0, 0xb8aa3b295c17f0bc, true },          /* log2(e) */
        { 0x0e, -2, 0xde5bd8a937287195, false },        /* log10(e) */
        { 0x30, -1, 0xb17217f7d1cf79ac, true },         /* ln(2) */
        { 0x31, 1, 0x935d8dddaaa8ac17, true },          /* ln(10) */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rom); i++) {
        if (rom[i].offset == offset) {
            Fp v = { FPC_NUM, false, rom[i].exp, rom[i].m };

            v = m68k_fp_round(c, v);
            c->exc |= rom[i].inexact ? FPX_INEX2 : 0;
            return v;
        }
    }
    if (offset == 0x32) {
        return (Fp){ FPC_NUM, false, 0, (uint64_t)1 << 63 };
    }
    if (offset > 0x32 && offset <= 0x3f) {
        uint32_t ten[3] = { 0x00000001, 0, 0 };         /* 10^(2^n) */
        unsigned n = 1u << (offset - 0x33);
        Fp v;
        uint32_t exc;

        if (n <= 512) {
            ten[0] |= n / 100 << 24 | n / 10 % 10 << 20 | n % 10 << 16;
            v = m68k_fp_from_packed(c, ten);
        } else {
            FpCtx exact = { FPM_NEAREST, FPP_X, 0 };

            v = m68k_fp_constant(&exact, offset - 1);
            v = m68k_fp_mul(c, v, v);
        }
        exc = c->exc;
        c->exc = (exc & ~(uint32_t)FPX_INEX1) | (exc & FPX_INEX1 ? FPX_INEX2 : 0);
        return v;
    }
    return m68k_fp_zero(false);
}
