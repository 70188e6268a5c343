/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPU's instructions as helpers: operands, what each operation does, FPSR, exceptions.
 *
 * An enabled exception waits (fp_pending) and is taken before the next FPU instruction
 * (881UM chapter 5; 040UM chapter 9: pre-instruction exceptions).
 */
#include "util/osdep.h"
#include "target/m68k/fp-double.h"
#include "target/m68k/fp-fast.h"
#include "target/m68k/helpers.h"

/* Exception bits by priority and their vectors (881UM chapter 6). */
static const struct { uint16_t bit; uint8_t vector; } vectors[] = {
    { FPX_BSUN, EXCP_FP_BSUN }, { FPX_SNAN, EXCP_FP_SNAN }, { FPX_OPERR, EXCP_FP_OPERR },
    { FPX_OVFL, EXCP_FP_OVFL }, { FPX_UNFL, EXCP_FP_UNFL }, { FPX_DZ, EXCP_FP_DZ },
    { FPX_INEX2, EXCP_FP_INEX }, { FPX_INEX1, EXCP_FP_INEX },
};

static unsigned enabled_vector(const M68kState *s)
{
    uint32_t on = s->fpsr & s->fpcr & FPX_ALL;

    for (unsigned i = 0; on && i < ARRAY_SIZE(vectors); i++) {
        if (on & vectors[i].bit) {
            return vectors[i].vector;
        }
    }
    return 0;
}

/* Exception byte of one instruction, and what accrues of it (881UM chapter 2). */
static void set_exceptions(M68kState *s, uint32_t exc)
{
    uint32_t acc = (exc & (FPX_BSUN | FPX_SNAN | FPX_OPERR) ? FPA_IOP : 0) |
                   (exc & FPX_OVFL ? FPA_OVFL : 0) |
                   ((exc & FPX_UNFL) && (exc & FPX_INEX2) ? FPA_UNFL : 0) |
                   (exc & FPX_DZ ? FPA_DZ : 0) |
                   (exc & (FPX_INEX1 | FPX_INEX2 | FPX_OVFL) ? FPA_INEX : 0);

    s->fpsr = (s->fpsr & ~(uint32_t)FPX_ALL) | exc | acc;
}

/* Before each instruction that may report: what an earlier one left. */
static void check_pending(M68kState *s)
{
    if (unlikely(s->fp_pending)) {
        unsigned vector = s->fp_pending;

        s->fp_pending = 0;
        if (s->fpframe.kind == 2 && s->fpframe.e1 && (s->fpframe.cmdreg & 0x2000)) {
            /* Of a store that the package has done; it may do so again. */
            tcg_sync_state(&s->tcg);
            m68k_raise_after(s, (int)vector, 3, 0, s->fpframe.ea);
        }
        m68k_raise(s, (int)vector, 0);
    }
}

/* FPSR isn't known before the package has done the instruction that waits for it. */
static void check_operand_pending(M68kState *s)
{
    if (unlikely(s->fp_pending == EXCP_FP_UNIMP)) {
        check_pending(s);
    }
}

static uint8_t tag_of(F80 v)
{
    unsigned e = v.se & 0x7fff;

    /* Normal (bit 4: the exponent is not above 1.0's), zero, infinity, NaN, denormal or unnormal: that is in the integer bit. */
    return e == 0x7fff ? (v.m << 1 ? 0x60 : 0x40) : v.m == 0 ? 0x20 : !(v.m >> 63) ? 0x80 :
           e <= 0x3fff ? 0x10 : 0;
}

/*
 * What FSAVE shows the software package: the command, its source, or what it has come to (for an
 * arithmetic exception), and the destination as it was.
 */
static void note_frame(M68kState *s, uint32_t cmd, F80 src, bool e1)
{
    struct M68kFpFrame *f = &s->fpframe;

    *f = (struct M68kFpFrame){
        .kind = 1, .cmdreg = (uint16_t)cmd, .etemp = src, .fptemp = s->fp[cmd >> 7 & 7],
        .stag = tag_of(src), .dtag = tag_of(s->fp[cmd >> 7 & 7]), .e1 = e1,
    };
}

/* A memory or data-register operand, as the translator hands it over. */
static Fp operand(FpCtx *c, unsigned format, uint64_t lo, uint32_t hi)
{
    uint32_t packed[3] = { hi, (uint32_t)(lo >> 32), (uint32_t)lo };

    switch (format) {
    case FPF_L: return m68k_fp_from_int((int32_t)lo);
    case FPF_W: return m68k_fp_from_int((int16_t)lo);
    case FPF_B: return m68k_fp_from_int((int8_t)lo);
    case FPF_S: return m68k_fp_from_s((uint32_t)lo);
    case FPF_D: return m68k_fp_from_d(lo);
    case FPF_X: return m68k_fp_unpack((F80){ lo, (uint16_t)(hi >> 16) });
    default: return m68k_fp_from_packed(c, packed);
    }
}

/* The decimal string as it is: its first long word in FPTEMP (FPSP's get_op). */
static void note_packed(M68kState *s, uint64_t lo, uint32_t hi)
{
    s->fpframe.etemp.m = lo;
    s->fpframe.fptemp.m = hi;
}

/* --- operands that the 68040 leaves to software (040UM chapter 9: unimplemented data types) --- */

enum { TAG_KIND = 0xe0, TAG_ZERO = 0x20, TAG_INF = 0x40, TAG_NAN = 0x60, TAG_DENORMAL = 0x80,
       TAG_SHORT_DENORMAL = 0xa0, TAG_EXP15 = 0x10 };

static bool leaves_types(const M68kState *s)
{
    return m68k_has(s, M68K_040) && !s->fpsp_host;
}

static bool is_dyadic(uint32_t cmd)
{
    return (cmd & 0x30) == 0x20 || (cmd & 0x7f) == 0x38;
}

/* The operand as ETEMP has it, and its tag. A short denormal number's exponent is left to the package. */
static uint8_t source_of(unsigned format, uint64_t lo, uint32_t hi, F80 *v)
{
    FpCtx c = { FPM_NEAREST, FPP_X, 0 };

    switch (format) {
    case FPF_S:
        if (!(lo >> 23 & 0xff) && (lo & 0x7fffff)) {
            *v = (F80){ (lo & 0x7fffff) << 40, (uint16_t)(lo >> 16 & 0x8000) };
            return TAG_SHORT_DENORMAL;
        }
        break;
    case FPF_D:
        if (!(lo >> 52 & 0x7ff) && lo << 12) {
            *v = (F80){ lo << 12 >> 1, (uint16_t)(lo >> 48 & 0x8000) };
            return TAG_SHORT_DENORMAL;
        }
        break;
    case FPF_X:
        *v = (F80){ lo, (uint16_t)(hi >> 16) };
        return tag_of(*v);
    default:
        break;
    }
    *v = m68k_fp_pack(operand(&c, format, lo, hi));
    return tag_of(*v);
}

/*
 * Is an operand denormal, unnormal or packed? The exception is pending then, and the frame ready: the instruction goes on when
 * the package hands it back by FRESTORE.
 */
static bool unsupported_type(M68kState *s, uint32_t cmd, uint64_t lo, uint32_t hi)
{
    bool packed = (cmd & 0x4000) && (cmd >> 10 & 7) == FPF_P;
    F80 src = { 0, 0 };
    uint8_t stag = 0;

    m68k_fp_need(s, cmd >> 7 & 7);
    if (!(cmd & 0x4000)) {
        m68k_fp_need(s, cmd >> 10 & 7);
        src = s->fp[cmd >> 10 & 7];
        stag = tag_of(src);
    } else if (!packed) {
        stag = source_of(cmd >> 10 & 7, lo, hi, &src);
    }
    if (!packed && stag < TAG_DENORMAL && !(is_dyadic(cmd) && tag_of(s->fp[cmd >> 7 & 7]) >= TAG_DENORMAL)) {
        return false;
    }
    m68k_fp_status(s);
    note_frame(s, (cmd & 0x7f) == 0x04 ? cmd | 1 : cmd, src, true);     /* FSQRT is 05 in CMDREG1B */
    s->fpframe.kind = 2;
    s->fpframe.unsup = true;
    s->fpframe.stag = stag;
    if (packed) {
        note_packed(s, lo, hi);
    }
    s->fp_pending = EXCP_FP_UNIMP;
    return true;
}

static void put_result(M68kState *s, uint32_t cmd, const FpCtx *c, const Fp *res)
{
    unsigned reg = cmd >> 7 & 7;

    set_exceptions(s, c->exc);
    s->fp_pending = (uint8_t)enabled_vector(s);
    if (s->fp_pending && m68k_has(s, M68K_040)) {
        note_frame(s, cmd, m68k_fp_pack(*res), true);
        if (s->fp_pending == EXCP_FP_OVFL || s->fp_pending == EXCP_FP_UNFL) {
            /* Found when the result was rounded: the package works on that. */
            s->fpframe.kind = 2;
            s->fpframe.e1 = false;
            s->fpframe.e3 = true;
            s->fpframe.wbtemp = m68k_fp_pack(*res);
        }
    }
    /* 881UM chapter 6: the destination stays when these are taken. */
    if (!(c->exc & s->fpcr & (FPX_SNAN | FPX_OPERR | FPX_DZ))) {
        s->fp[reg] = m68k_fp_pack(*res);
        s->fptag[reg] = 0;
        s->fpsr = (s->fpsr & ~(uint32_t)FPCC_ALL) | m68k_fp_cc(res);
    }
}

/* An enabled exception of what has no result: a signalling NaN. */
static void pend_compare(M68kState *s, uint32_t cmd, const Fp *v)
{
    s->fp_pending = (uint8_t)enabled_vector(s);
    if (s->fp_pending && m68k_has(s, M68K_040)) {
        note_frame(s, cmd, m68k_fp_pack(*v), true);
    }
}

static void compare(M68kState *s, FpCtx *c, uint32_t cmd, const Fp *d, const Fp *v)
{
    uint32_t cc;

    if (d->cls == FPC_NAN || v->cls == FPC_NAN) {
        Fp n = m68k_fp_nan(c, d, v);

        cc = FPCC_NAN | (n.sign ? FPCC_N : 0);
    } else if (d->cls == v->cls && d->cls != FPC_NUM && (d->sign == v->sign || d->cls == FPC_ZERO)) {
        cc = FPCC_Z | (d->sign ? FPCC_N : 0);           /* PRM, FCMP: the destination's sign */
    } else {
        FpCtx exact = { FPM_ZERO, FPP_X, 0 };
        Fp neg = *v, diff;

        neg.sign = !neg.sign;
        diff = m68k_fp_add(&exact, *d, neg);
        cc = m68k_fp_cc(&diff) & (FPCC_N | FPCC_Z);
        if (cc & FPCC_Z) {
            cc = FPCC_Z;
        }
    }
    set_exceptions(s, c->exc);
    pend_compare(s, cmd, v);
    s->fpsr = (s->fpsr & ~(uint32_t)FPCC_ALL) | cc;
}

static Fp get_exponent(FpCtx *c, Fp v)
{
    if (v.cls == FPC_INF) {
        return m68k_fp_operr(c);
    }
    return v.cls == FPC_NUM ? m68k_fp_from_int(v.exp) : v;
}

/* 24 bits of each factor count (PRM, FSGLMUL). */
static Fp single_factor(Fp v)
{
    v.m = v.cls == FPC_NUM ? v.m & 0xffffff0000000000 : v.m;
    return v;
}

/* The precision that an opmode of the 68040's own rounds to. */
static FpPrec precision(const M68kState *s, unsigned *opmode)
{
    FpPrec p = (FpPrec)(s->fpcr >> 6 & 3);

    if (p == FPP_SGL) {
        p = FPP_D;
    }
    if (*opmode & 0x40) {
        p = *opmode & 4 ? FPP_D : FPP_S;
        *opmode &= ~0x44u;
        if (*opmode == 1) {
            *opmode = 4;                /* FSSQRT, FDSQRT */
        }
    }
    return p;
}

static void arithmetic(M68kState *s, FpCtx *c, uint32_t cmd, Fp d, Fp v)
{
    unsigned opmode = cmd & 0x7f;
    Fp res, second = { 0 };
    uint32_t q = 0;

    c->prec = precision(s, &opmode);
    switch (opmode) {
    case 0x00: case 0x18: case 0x1a:    /* FMOVE, FABS, FNEG */
        if (v.cls == FPC_NAN) {
            v = m68k_fp_nan(c, NULL, &v);
        }
        if (opmode && v.cls != FPC_NAN) {
            v.sign = opmode == 0x1a && !v.sign;         /* PRM: the result is rounded */
        }
        res = m68k_fp_round(c, v);
        break;
    case 0x01: res = m68k_fp_rint(c, v, c->mode); res = m68k_fp_round(c, res); break;
    case 0x03: res = m68k_fp_rint(c, v, FPM_ZERO); res = m68k_fp_round(c, res); break;
    case 0x04: res = m68k_fp_sqrt(c, v); break;
    case 0x1e:
        res = v.cls == FPC_NAN ? m68k_fp_nan(c, NULL, &v) : get_exponent(c, v);
        break;
    case 0x1f:
        res = v.cls == FPC_NAN ? m68k_fp_nan(c, NULL, &v) : v.cls == FPC_INF ? m68k_fp_operr(c) : v;
        res.exp = 0;
        break;
    case 0x20: res = m68k_fp_div(c, d, v); break;
    case 0x21: case 0x25:
        res = m68k_fp_rem(c, d, v, opmode == 0x25, &q);
        s->fpsr = (s->fpsr & ~(uint32_t)FPSR_QUOTIENT) | q << 16;
        break;
    case 0x22: res = m68k_fp_add(c, d, v); break;
    case 0x23: res = m68k_fp_mul(c, d, v); break;
    case 0x24: c->prec = FPP_SGL; res = m68k_fp_div(c, d, v); break;
    case 0x26: res = m68k_fp_scale(c, d, v); break;
    case 0x27: c->prec = FPP_SGL; res = m68k_fp_mul(c, single_factor(d), single_factor(v)); break;
    case 0x28:
        v.sign ^= v.cls != FPC_NAN;
        res = m68k_fp_add(c, d, v);
        break;
    case 0x38: compare(s, c, cmd, &d, &v); return;
    case 0x3a:                          /* FTST */
        if (v.cls == FPC_NAN) {
            m68k_fp_nan(c, NULL, &v);
        }
        set_exceptions(s, c->exc);
        pend_compare(s, cmd, &v);
        s->fpsr = (s->fpsr & ~(uint32_t)FPCC_ALL) | m68k_fp_cc(&v);
        return;
    default:
        if (!m68k_fp_transcendental(c, opmode, v, &res, &second)) {
            m68k_raise(s, EXCP_LINE_F, 0);
        }
        if ((opmode & 0x78) == 0x30) {
            s->fp[opmode & 7] = m68k_fp_pack(second);   /* FSINCOS: the cosine */
            s->fptag[opmode & 7] = 0;
        }
        break;
    }
    put_result(s, cmd, c, &res);
}

/* The registers that an instruction reads are in fp[]; FPSR is, if it isn't to be written anew. */
static inline void fp_begin(M68kState *s, uint32_t cmd)
{
    if (!(cmd & 0x4000)) {
        m68k_fp_need(s, cmd >> 10 & 7);
    }
    m68k_fp_need(s, cmd >> 7 & 7);
    if (unlikely(!s->fp_fast)) {
        m68k_fp_status(s);
    }
    s->fl_cmd = 0;
}

/* Registers become doubles again, unless the instruction is of extended arithmetic. */
static inline void fp_end(M68kState *s, uint32_t cmd)
{
    unsigned op = cmd & 0x7f;

    if (op & 0x40 || op == 0x38 || op == 0x3a || op == 0x00 || op == 0x18 || op == 0x1a) {
        if (!(cmd & 0x4000)) {
            m68k_fp_narrow(s, cmd >> 10 & 7);
        }
        m68k_fp_narrow(s, cmd >> 7 & 7);
    }
}

/*
 * The instruction that fl_cmd tells of is done once more, for its exceptions and condition codes. Only the
 * exception byte and the codes change: what accrues has been noted (PE), and nothing can have been enabled.
 */
void m68k_fp_status(M68kState *s)
{
    uint32_t cmd = s->fl_cmd;
    unsigned reg = cmd >> 7 & 7;
    FpCtx c = { (FpMode)(s->fpcr >> 4 & 3), FPP_X, 0 };
    F80 kept;
    uint8_t tag;

    if (!cmd) {
        return;
    }
    s->fl_cmd = 0;
    if (cmd & FL_VALID) {
        kept = s->fp[reg];
        tag = s->fptag[reg];
        arithmetic(s, &c, cmd & 0xffff, m68k_fp_from_d(s->fl_a), m68k_fp_from_d(s->fl_b));
        s->fp[reg] = kept;
        s->fptag[reg] = tag;
    }
    if (cmd & FL_STORED) {
        s->fpsr &= ~(uint32_t)FPX_ALL;
    }
}

/* Is it one that the 68040 leaves to software (040UM table E-?)? */
static bool left_to_software(const M68kState *s, uint32_t cmd)
{
    static const uint8_t done[] = {
        0x00, 0x04, 0x18, 0x1a, 0x20, 0x22, 0x23, 0x24, 0x27, 0x28, 0x38, 0x3a, 0x40, 0x41, 0x44, 0x45,
        0x58, 0x5a, 0x5c, 0x5e, 0x60, 0x62, 0x63, 0x64, 0x66, 0x67, 0x68, 0x6c,
    };

    if (s->fpsp_host || !m68k_has(s, M68K_040UP)) {
        return false;
    }
    if ((cmd & 0xe000) == 0x4000 && (cmd >> 10 & 7) == FPF_P_DYN) {
        return true;                    /* FMOVECR */
    }
    if (m68k_has(s, M68K_060) && ((cmd & 0x7f) == 1 || (cmd & 0x7f) == 3)) {
        return false;                   /* FINT, FINTRZ are back in the 68060 */
    }
    return !memchr(done, (int)(cmd & 0x7f), sizeof(done));
}

static void __attribute__((noinline)) h_fop(void *env, uint32_t cmd, uint64_t lo, uint32_t hi, uint32_t pc,
                                            uint32_t after)
{
    M68kState *s = env;
    FpCtx c = { (FpMode)(s->fpcr >> 4 & 3), FPP_X, 0 };
    bool from_reg = !(cmd & 0x4000), constant = !from_reg && (cmd >> 10 & 7) == FPF_P_DYN;
    Fp v;

    check_pending(s);
    if (s->fp_null) {
        s->fp_null = false;
        m68k_fp_fast(s);
    }
    if (m68k_has(s, M68K_040UP) && left_to_software(s, cmd)) {
        tcg_sync_state(&s->tcg);        /* what is noted now stays */
        m68k_fp_status(s);
    } else if (leaves_types(s) && unsupported_type(s, cmd, lo, hi)) {
        s->fpiar = pc;
        m68k_fp_fast(s);
        return;
    }
    fp_begin(s, cmd);
    if (m68k_has(s, M68K_040UP) && left_to_software(s, cmd)) {
        F80 src = from_reg ? s->fp[cmd >> 10 & 7] : constant ? (F80){ 0, 0 }
                  : m68k_fp_pack(operand(&c, cmd >> 10 & 7, lo, hi));

        s->fpiar = pc;
        note_frame(s, cmd, src, false);
        if (!from_reg && (cmd >> 10 & 7) == FPF_P) {
            s->fpframe.e1 = true;
            note_packed(s, lo, hi);
        }
        m68k_raise_after(s, EXCP_LINE_F, 2, after, 0);
    }
    s->fpiar = pc;
    if (constant) {
        Fp k;

        c.prec = (FpPrec)(s->fpcr >> 6 & 3);
        k = m68k_fp_constant(&c, cmd & 0x7f);
        put_result(s, cmd, &c, &k);
    } else {
        v = from_reg ? m68k_fp_unpack(s->fp[cmd >> 10 & 7]) : operand(&c, cmd >> 10 & 7, lo, hi);
        arithmetic(s, &c, cmd, m68k_fp_unpack(s->fp[cmd >> 7 & 7]), v);
        fp_end(s, cmd);
    }
    m68k_fp_fast(s);
}
static const IrHelper slow_helper = {
    "m68k_fop", h_fop, "v:elqlll", IR_H_RAISES, FP_GLOBALS, FP_GLOBALS,
};
/* The same for the elementary functions, which are computed with the C library. */
static const IrHelper library_helper = {
    "m68k_ftrans", h_fop, "v:elqlll", IR_H_RAISES | IR_H_FP, FP_GLOBALS, FP_GLOBALS,
};

/* ------------------------------------------------------------- what is mostly done */

#define ALWAYS_INLINE   inline __attribute__((always_inline))
#define FAST_REG        8       /* format: another FPU register */

/* The source, if it is a plain number; false otherwise. */
static ALWAYS_INLINE bool fast_source(const M68kState *s, unsigned format, uint32_t cmd, uint64_t lo,
                                      uint32_t hi, F80 *v)
{
    switch (format) {
    case FAST_REG:
        *v = s->fp[cmd >> 10 & 7];
        return true;
    case FPF_D: return fp_fast_from_d(lo, v);
    case FPF_S: return fp_fast_from_s((uint32_t)lo, v);
    case FPF_X:
        *v = (F80){ lo, (uint16_t)(hi >> 16) };
        return true;
    case FPF_L: case FPF_W: case FPF_B: {
        int64_t i = format == FPF_L ? (int32_t)lo : format == FPF_W ? (int16_t)lo : (int8_t)lo;
        uint64_t m = i < 0 ? -(uint64_t)i : (uint64_t)i;
        unsigned n;

        if (!i) {
            *v = (F80){ 0, 0 };
            return true;
        }
        n = (unsigned)__builtin_clzll(m);
        *v = (F80){ m << n, (uint16_t)((i < 0 ? 0x8000 : 0) | (16383 + 63 - n)) };
        return true;
    }
    default: return false;
    }
}

/* FPSR after a plain result. */
static inline void fast_status(M68kState *s, uint32_t exc, uint32_t cc)
{
    s->fpsr = (s->fpsr & ~(uint32_t)(FPX_ALL | FPCC_ALL)) | exc | cc | (exc ? FPA_INEX : 0);
}

/* Most instructions by fp-fast.h; false: by the whole arithmetic. */
static ALWAYS_INLINE bool fast_operation(M68kState *s, unsigned op, unsigned format, unsigned precision,
                                         uint32_t cmd, uint64_t lo, uint32_t hi)
{
    static const uint8_t precisions[4] = { 64, 24, 53, 53 };
    unsigned bits = precision ? precision : precisions[s->fpcr >> 6 & 3];
    F80 *d = &s->fp[cmd >> 7 & 7], v, r;
    FpCtx c = { FPM_NEAREST, FPP_X, 0 };
    bool ok;

    /* Rounding to nearest, no enabled inexact exception. */
    if ((s->fpcr & (0x30 | FPX_INEX2)) || !fast_source(s, format, cmd, lo, hi, &v)) {
        return false;
    }
    if (!fp_is_normal(v)) {
        /* Zeros: moved, compared with, or added to a number. */
        if (!fp_is_zero(v)) {
            return false;
        }
        switch (op) {
        case 0x00:
            *d = v;
            fast_status(s, 0, FPCC_Z | (v.se & 0x8000 ? FPCC_N : 0));
            return true;
        case 0x3a:
            fast_status(s, 0, FPCC_Z | (v.se & 0x8000 ? FPCC_N : 0));
            return true;
        case 0x38:
            if (!fp_is_normal(*d)) {
                return false;
            }
            fast_status(s, 0, d->se & 0x8000 ? FPCC_N : 0);
            return true;
        default:
            return false;
        }
    }
    switch (op) {
    case 0x00: case 0x18: case 0x1a:
        if (op == 0x18) {
            v.se &= 0x7fff;
        } else if (op == 0x1a) {
            v.se ^= 0x8000;
        }
        ok = bits == 64 || fp_fast_round(&c, bits, v.se & 0x7fff, v.m, 0, v.se & 0x8000, &v);
        r = v;
        break;
    case 0x04:
        if (v.se & 0x8000) {
            return false;
        }
        ok = fp_fast_sqrt(&c, bits, v, &r);
        break;
    case 0x3a:
        fast_status(s, 0, v.se & 0x8000 ? FPCC_N : 0);
        return true;
    case 0x38: {
        bool less;

        if (!fp_is_normal(*d)) {
            if (!fp_is_zero(*d)) {
                return false;
            }
            less = !(v.se & 0x8000);
        } else if ((d->se ^ v.se) & 0x8000) {
            less = d->se & 0x8000;
        } else if (d->se == v.se && d->m == v.m) {
            fast_status(s, 0, FPCC_Z);
            return true;
        } else {
            bool smaller = d->se != v.se ? d->se < v.se : d->m < v.m;

            less = smaller ^ (d->se >> 15);
        }
        fast_status(s, 0, less ? FPCC_N : 0);
        return true;
    }
    case 0x20: case 0x22: case 0x23: case 0x28:
        if (!fp_is_normal(*d)) {
            if ((op != 0x22 && op != 0x28) || !fp_is_zero(*d)) {
                return false;
            }
            v.se ^= op == 0x28 ? 0x8000 : 0;
            ok = bits == 64 || fp_fast_round(&c, bits, v.se & 0x7fff, v.m, 0, v.se & 0x8000, &v);
            r = v;
            break;
        }
        v.se ^= op == 0x28 ? 0x8000 : 0;
        ok = op == 0x20 ? fp_fast_div(&c, bits, *d, v, &r) : op == 0x23 ? fp_fast_mul(&c, bits, *d, v, &r)
             : fp_fast_add(&c, bits, *d, v, &r);
        break;
    default:
        return false;
    }
    if (!ok) {
        return false;
    }
    *d = r;
    fast_status(s, c.exc, r.se & 0x8000 ? FPCC_N : 0);
    return true;
}

static ALWAYS_INLINE void fop(M68kState *s, uint32_t cmd, uint64_t lo, uint32_t hi, uint32_t pc, uint32_t after,
                              unsigned op, unsigned format, unsigned precision)
{
    if (likely(s->fp_fast)) {
        fp_begin(s, cmd);
    }
    if (likely(s->fp_fast && fast_operation(s, op, format, precision, cmd, lo, hi))) {
        if (op != 0x38 && op != 0x3a) {
            s->fptag[cmd >> 7 & 7] = 0;
        }
        fp_end(s, cmd);
        s->fpiar = pc;
    } else {
        h_fop(s, cmd, lo, hi, pc, after);
    }
}

/* A helper for each operation, source and precision (0: FPCR's), so that none of them is looked at again. */
#define FAST_OPS(X)     X(00) X(04) X(18) X(1a) X(20) X(22) X(23) X(28) X(38) X(3a)
#define EACH_SOURCE(X, op) X(op, 8, 0) X(op, 8, 24) X(op, 8, 53) X(op, 5, 0) X(op, 5, 24) X(op, 5, 53) \
                           X(op, 1, 0) X(op, 1, 24) X(op, 1, 53) X(op, 0, 0) X(op, 0, 24) X(op, 0, 53)
#define DEFINE(op, format, precision) \
static void h_f##op##_##format##_##precision(void *env, uint32_t cmd, uint64_t lo, uint32_t hi, uint32_t pc, \
                                             uint32_t after) \
{ \
    fop(env, cmd, lo, hi, pc, after, 0x##op, format, precision); \
}
#define DEFINE_ALL(op)  EACH_SOURCE(DEFINE, op)
FAST_OPS(DEFINE_ALL)

typedef struct FastHelper {
    uint8_t op, format, precision;
    IrHelper helper;
} FastHelper;
static const FastHelper fast_helpers[] = {
#define ROW(op, format, precision) \
    { 0x##op, format, precision, { "m68k_f" #op "_" #format "_" #precision, h_f##op##_##format##_##precision, \
                                   "v:elqlll", IR_H_RAISES | (0x##op == 4 ? IR_H_FP : 0), \
                                   FP_GLOBALS, FP_GLOBALS } },
#define ROWS(op)        EACH_SOURCE(ROW, op)
    FAST_OPS(ROWS)
};

const IrHelper *m68k_fop_helper(uint32_t cmd)
{
    unsigned op = cmd & 0x7f, format = cmd & 0x4000 ? cmd >> 10 & 7 : FAST_REG, precision = 0;
    bool simple = op == 0x00 || op == 0x01 || op == 0x03 || op == 0x04 || op == 0x18 || op == 0x1a ||
                  op == 0x1e || op == 0x1f || (op >= 0x20 && op <= 0x28) || op >= 0x38;

    if (op & 0x40) {
        precision = op & 4 ? 53 : 24;
        op = (op & ~0x44u) == 1 ? 4 : op & ~0x44u;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(fast_helpers); i++) {
        const FastHelper *f = &fast_helpers[i];

        if (f->op == op && f->format == format && f->precision == precision) {
            return &f->helper;
        }
    }
    return simple ? &slow_helper : &library_helper;
}

/* --- FRESTORE of a 68040's frame --- */

void m68k_fp_pend_again(M68kState *s)
{
    const struct M68kFpFrame *f = &s->fpframe;

    m68k_fp_status(s);
    s->fp_pending = f->kind && f->e1 && f->unsup ? EXCP_FP_UNIMP
                    : f->kind && (f->e1 || f->e3) ? (uint8_t)enabled_vector(s) : 0;
}

/*
 * An operand as the package leaves it: the exponent may have become negative, where ETE15, FPTE15 says so beside its bit 14.
 * The tag tells a number from what its exponent looks like.
 */
static Fp resumed(F80 v, uint8_t tag)
{
    unsigned e = v.se & 0x7fff;
    Fp r;

    switch (tag & TAG_KIND) {
    case 0:
        r = m68k_fp_unpack((F80){ v.m, (uint16_t)(v.se & 0x8000) });
        if (r.cls == FPC_NUM) {
            r.exp += (int32_t)e - ((tag & TAG_EXP15) && (e & 0x4000) ? 0x8000 : 0);
        }
        return r;
    case TAG_ZERO: return m68k_fp_zero(v.se >> 15);
    case TAG_INF: return m68k_fp_inf(v.se >> 15);
    case TAG_NAN: return (Fp){ FPC_NAN, v.se >> 15, 0, v.m };
    default: return m68k_fp_unpack(v);
    }
}

void m68k_fp_resume(M68kState *s)
{
    struct M68kFpFrame f = s->fpframe;
    uint32_t cmd = f.cmdreg;
    FpCtx c = { (FpMode)(s->fpcr >> 4 & 3), FPP_X, 0 };

    cmd = (cmd & 0x7f) == 0x05 ? cmd & ~UINT32_C(1) : cmd;
    if ((cmd & 0xa000) || left_to_software(s, cmd)) {
        return;                         /* FMOVE to memory, FMOVEM; nothing that the chip goes on with */
    }
    m68k_fp_settle(s);
    c.exc = s->fpsr & FPX_ALL;          /* what the package has found: of a decimal string */
    s->fpframe.kind = 0;
    arithmetic(s, &c, cmd, resumed(f.fptemp, f.dtag), resumed(f.etemp, f.stag));
}

/* FMOVE of a number that the 68040 doesn't store, or as a decimal string: an exception when all but the store is done. */
static void unsupported_store(M68kState *s, uint32_t cmd, F80 v, uint32_t pc, uint32_t after, uint32_t ea)
{
    unsigned format = cmd >> 10 & 7;

    if (format != FPF_P && format != FPF_P_DYN && tag_of(v) < TAG_DENORMAL) {
        return;
    }
    tcg_sync_state(&s->tcg);            /* what is noted now stays */
    m68k_fp_need(s, cmd >> 7 & 7);
    m68k_fp_status(s);
    s->fp_null = false;
    s->fpiar = pc;
    note_frame(s, cmd, v, true);
    s->fpframe.kind = 2;
    s->fpframe.unsup = true;
    s->fpframe.ea = ea;
    m68k_fp_fast(s);
    m68k_raise_after(s, EXCP_FP_UNIMP, 3, after, ea);
}

/*
 * An enabled exception of FMOVE to memory. Overflow, underflow, and a signalling NaN that is to become an integer, are behind the
 * instruction, and the package stores; others wait, as those of arithmetic do.
 */
static void exception_of_store(M68kState *s, uint32_t cmd, uint32_t exc, uint32_t pc, uint32_t after, uint32_t ea)
{
    unsigned vector = s->fp_pending;
    unsigned format = cmd >> 10 & 7;
    bool integer = format == FPF_L || format == FPF_W || format == FPF_B;
    F80 v = s->fp[cmd >> 7 & 7];

    if (vector == EXCP_FP_OVFL || vector == EXCP_FP_UNFL || (vector == EXCP_FP_SNAN && integer)) {
        tcg_sync_state(&s->tcg);        /* what is noted now stays */
        m68k_fp_need(s, cmd >> 7 & 7);
        m68k_fp_status(s);
        set_exceptions(s, exc);
        s->fpiar = pc;
        s->fp_pending = 0;
        note_frame(s, cmd, v, true);
        s->fpframe.fptemp = v;
        m68k_fp_fast(s);
        m68k_raise_after(s, (int)vector, 3, after, ea);
    }
    note_frame(s, cmd, v, true);
}

/* FMOVE to memory: up to 64 bits in the result, the upper long word of extended and packed values in
 * fp_out. @k: the factor of packed decimal; @ea: where to, 0: a data register. */
static uint64_t h_fstore(void *env, uint32_t cmd, uint32_t k, uint32_t pc, uint32_t after, uint32_t ea)
{
    M68kState *s = env;
    FpCtx c = { (FpMode)(s->fpcr >> 4 & 3), FPP_X, 0 };
    F80 v;
    uint32_t out[3];
    uint64_t r;
    Fp f;

    check_pending(s);
    m68k_fp_need(s, cmd >> 7 & 7);
    v = s->fp[cmd >> 7 & 7];
    if (leaves_types(s)) {
        unsupported_store(s, cmd, v, pc, after, ea);
    }
    m68k_fp_status(s);
    s->fp_null = false;
    m68k_fp_fast(s);
    s->fpiar = pc;
    if ((cmd >> 10 & 7) == FPF_D && !(s->fpcr & (0x30 | FPX_INEX2)) && fp_is_normal(v) &&
        fp_fast_round(&c, 53, v.se & 0x7fff, v.m, 0, v.se & 0x8000, &v)) {
        s->fpsr = (s->fpsr & ~(uint32_t)FPX_ALL) | c.exc | (c.exc ? FPA_INEX : 0);
        return (uint64_t)(v.se & 0x8000) << 48 | (uint64_t)((v.se & 0x7fff) - 16383 + 1023) << 52 |
               v.m << 1 >> 12;
    }
    switch (cmd >> 10 & 7) {
    case FPF_L: r = (uint32_t)m68k_fp_to_int(&c, v, 32); break;
    case FPF_W: r = (uint16_t)m68k_fp_to_int(&c, v, 16); break;
    case FPF_B: r = (uint8_t)m68k_fp_to_int(&c, v, 8); break;
    case FPF_S: r = m68k_fp_to_s(&c, v); break;
    case FPF_D: r = m68k_fp_to_d(&c, v); break;
    case FPF_X:
        f = m68k_fp_unpack(v);
        if (f.cls == FPC_NAN) {
            f = m68k_fp_nan(&c, NULL, &f);
            v.m = f.m;
        }
        s->fp_out = (uint32_t)v.se << 16;
        r = v.m;
        break;
    default:
        m68k_fp_to_packed(&c, v, (int32_t)(k << 25) >> 25, out);
        s->fp_out = out[0];
        r = (uint64_t)out[1] << 32 | out[2];
        break;
    }
    set_exceptions(s, c.exc);
    s->fp_pending = (uint8_t)enabled_vector(s);
    if (unlikely(s->fp_pending && m68k_has(s, M68K_040))) {
        exception_of_store(s, cmd, c.exc, pc, after, ea);
    }
    m68k_fp_fast(s);
    return r;
}
const IrHelper m68k_h_fstore = {
    "m68k_fstore", h_fstore, "q:elllll", IR_H_RAISES, FP_GLOBALS, FP_GLOBALS,
};

/* 881UM chapter 4: the 32 predicates on N Z I NAN; those with bit 4 raise BSUN for NaNs. */
static uint32_t h_fcond(void *env, uint32_t pred, uint32_t pc)
{
    M68kState *s = env;
    bool n, z, u, r;

    check_pending(s);
    m68k_fp_status(s);
    n = s->fpsr & FPCC_N;
    z = s->fpsr & FPCC_Z;
    u = s->fpsr & FPCC_NAN;
    s->fp_null = false;
    m68k_fp_fast(s);
    if ((pred & 0x10) && u) {
        s->fpsr |= FPX_BSUN | FPA_IOP;
        if (s->fpcr & FPX_BSUN) {
            s->fpiar = pc;
            m68k_raise(s, EXCP_FP_BSUN, 0);
        }
    }
    switch (pred & 15) {
    case 0: r = false; break;
    case 1: r = z; break;
    case 2: r = !(u || z || n); break;
    case 3: r = z || !(u || n); break;
    case 4: r = n && !(u || z); break;
    case 5: r = z || (n && !u); break;
    case 6: r = !(u || z); break;
    case 7: r = !u; break;
    case 8: r = u; break;
    case 9: r = u || z; break;
    case 10: r = u || !(n || z); break;
    case 11: r = u || z || !n; break;
    case 12: r = u || (n && !z); break;
    case 13: r = u || z || n; break;
    case 14: r = !z; break;
    default: r = true; break;
    }
    return r;
}
const IrHelper m68k_h_fcond = {
    "m68k_fcond", h_fcond, "l:ell", IR_H_RAISES, FP_GLOBALS, FP_GLOBALS,
};

/* FMOVEM of data registers: @list from FP0 at bit 7, by rising address. */
static void h_fmovem(void *env, uint32_t addr, uint32_t list, uint32_t store, uint32_t mmu)
{
    M68kState *s = env;
    F80 v[8];
    unsigned n = 0;

    check_pending(s);
    s->fp_null = false;
    m68k_fp_fast(s);
    if (store && list) {
        tcg_probe(&s->tcg, addr, 1, true, mmu);
        tcg_probe(&s->tcg, addr + 12 * (unsigned)__builtin_popcount(list) - 1, 1, true, mmu);
    }
    for (unsigned i = 0; i < 8; i++) {
        if (!(list & 0x80u >> i)) {
            continue;
        }
        if (store) {
            m68k_fp_need(s, i);
            m68k_st32(s, addr + 12 * n, (uint32_t)s->fp[i].se << 16, mmu);
            m68k_st32(s, addr + 12 * n + 4, (uint32_t)(s->fp[i].m >> 32), mmu);
            m68k_st32(s, addr + 12 * n + 8, (uint32_t)s->fp[i].m, mmu);
        } else {
            v[i].se = (uint16_t)(m68k_ld32(s, addr + 12 * n, mmu) >> 16);
            v[i].m = (uint64_t)m68k_ld32(s, addr + 12 * n + 4, mmu) << 32;
            v[i].m |= m68k_ld32(s, addr + 12 * n + 8, mmu);
        }
        n++;
    }
    for (unsigned i = 0; !store && i < 8; i++) {
        if (list & 0x80u >> i) {
            s->fp[i] = v[i];
            s->fptag[i] = 0;
            m68k_fp_narrow(s, i);
        }
    }
}
const IrHelper m68k_h_fmovem = {
    "m68k_fmovem", h_fmovem, "v:ellll", IR_H_RAISES, FP_GLOBALS, FP_GLOBALS,
};

/* @which: 4 FPCR, 2 FPSR, 1 FPIAR. */
static void h_fset_ctl(void *env, uint32_t which, uint32_t v)
{
    M68kState *s = env;

    check_operand_pending(s);
    s->fp_null = false;
    if (which == 4) {
        m68k_fp_status(s);              /* as it was rounded */
        s->fpcr = v & 0xfff0;
    } else if (which == 2) {
        m68k_fp_set_fpsr(s, v & 0x0ffffff8);
    } else {
        s->fpiar = v;
    }
    m68k_fp_mode(s);
}
const IrHelper m68k_h_fset_ctl = {
    "m68k_fset_ctl", h_fset_ctl, "v:ell", IR_H_RAISES | IR_H_FPENV, FP_GLOBALS, FP_GLOBALS,
};

static uint32_t h_fget_fpsr(void *env)
{
    check_operand_pending(env);
    return m68k_fp_fpsr(env);
}
const IrHelper m68k_h_fget_fpsr = {
    "m68k_fget_fpsr", h_fget_fpsr, "l:e", IR_H_RAISES | IR_H_FPENV, FP_GLOBALS, FP_GLOBALS,
};
