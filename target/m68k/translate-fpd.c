/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU instructions on registers that hold doubles (fp-double.h), as host code.
 *
 * Each ends in one of two ways. The result is zero or well inside of its format's range: then it is what the 68k
 * computes too, and at most inexact. Else, and where an operand isn't a double, the instruction
 * is begun anew in a block that calls the helper, before anything has been stored.
 *
 * Single precision: the sum, product, quotient or root of two numbers of 24 bits, rounded to 53 bits and then to 24, is the
 * same as rounded once, as 53 >= 2 * 24 + 2.
 */
#include "util/osdep.h"
#include "target/m68k/fp-double.h"
#include "target/m68k/translate.h"

/*
 * Exponent fields of doubles. Results must be above those of the smallest normal number, where underflow depends on when it
 * is looked for, and below those of the largest, to which directed rounding takes an overflow.
 */
enum { E_INF = 0x7ff, E_D_MIN = 2, E_D_MAX = 0x7fe, E_S_MIN = 1023 - 126 + 1, E_S_MAX = 1023 + 127 };
#define BELOW_24    0x1fffffff          /* the bits of a double that a single hasn't */

static void begin(M68kTr *tr)
{
    memcpy(tr->before, tr->reg, sizeof(tr->before));
    if (tr->fp_block != tr->ir->cur || !tr->fp_checked) {
        tr->fp_block = tr->ir->cur;
        tr->fp_known = tr->fp_single = 0;
        tr->fcc_a = IR_NO_VALUE;
        tr->fl_cmd = 0;
        tr->fp_checked = true;
        m68k_slow_if(tr, (M68kCond){ IR_EQ, IR_I8, ir_ld_env(tr->ir, IR_I8, offsetof(M68kState, fp_fast)),
                                        ir_i8(tr->ir, 0) });
    }
}

/* Denormal operands are an exception, which becomes pending. */
static bool leaves_types(const M68kTr *tr)
{
    return (tr->features & M68K_040) && !(tr->mode & MW_FPSP_HOST);
}

void m68k_fpd_forget(M68kTr *tr, int dst)
{
    tr->fp_known &= dst < 0 ? 0 : ~(1u << dst);
    tr->fcc_a = IR_NO_VALUE;
    tr->fl_cmd = 0;
    tr->fp_checked &= dst >= 0 && !leaves_types(tr);
}

static void slow_if64(M68kTr *tr, IrCond c, IrValue a, uint64_t b)
{
    m68k_slow_if(tr, (M68kCond){ c, IR_I64, a, ir_i64(tr->ir, b) });
}

static int32_t tag_of(unsigned n)
{
    return (int32_t)(offsetof(M68kState, fptag) + n);
}

/* FPn, which must be a double. */
static IrValue get(M68kTr *tr, unsigned n)
{
    if (!(tr->fp_known >> n & 1)) {
        m68k_slow_if(tr, (M68kCond){ IR_EQ, IR_I8, ir_ld_env(tr->ir, IR_I8, tag_of(n)), ir_i8(tr->ir, 0) });
        tr->fp_known |= 1u << n;
        tr->fp_single &= ~(1u << n);
    }
    return ir_get(tr->ir, (IrVar)(G_FD0 + n));
}

static void put(M68kTr *tr, unsigned n, IrValue v, bool single)
{
    if (!(tr->fp_known >> n & 1)) {
        ir_st_env(tr->ir, tag_of(n), ir_i8(tr->ir, 1));
        tr->fp_known |= 1u << n;
    }
    ir_put(tr->ir, (IrVar)(G_FD0 + n), v);
    tr->fp_single = (tr->fp_single & ~(1u << n)) | (unsigned)single << n;
}

static IrValue bits_of(M68kTr *tr, IrValue v)
{
    return ir_fbits(tr->ir, IR_I64, v);
}

static IrValue twice(M68kTr *tr, IrValue bits)
{
    return ir_shl(tr->ir, IR_I64, bits, ir_i64(tr->ir, 1));
}

static IrValue exponent(M68kTr *tr, IrValue bits)
{
    return ir_extract(tr->ir, IR_I64, bits, 52, 11);
}

/* x if @bits are a zero's, else y. */
static IrValue if_zero(M68kTr *tr, IrValue bits, IrValue x, IrValue y)
{
    return ir_select(tr->ir, IR_EQ, IR_I64, twice(tr, bits), ir_i64(tr->ir, 0), IR_I64, x, y);
}

/* What the result of an operation must be; @zero: the exponent to pretend where it is zero (E_*_MIN: that is right). */
static void check_range(M68kTr *tr, IrValue r, bool single, IrValue zero)
{
    IrValue bits = bits_of(tr, r), e = exponent(tr, bits);
    uint64_t min = single ? E_S_MIN : E_D_MIN, max = single ? E_S_MAX : E_D_MAX;

    if (zero) {
        e = if_zero(tr, bits, zero, e);
    }
    slow_if64(tr, IR_GEU, ir_sub(tr->ir, IR_I64, e, ir_i64(tr->ir, min)), max - min);
}

static void check_24_bits(M68kTr *tr, IrValue v)
{
    slow_if64(tr, IR_TST_NZ, bits_of(tr, v), BELOW_24);
}

/* A number of @bits with a fraction of @frac bits must not be denormal; the smallest normal one may be refused too. */
static void check_normal(M68kTr *tr, IrValue lo, unsigned bits, unsigned frac)
{
    IrRegion *ir = tr->ir;
    IrValue v = ir_shl(ir, IR_I64, lo, ir_i64(ir, 65 - bits));

    v = ir_shr(ir, IR_I64, ir_sub(ir, IR_I64, v, ir_i64(ir, 1)), ir_i64(ir, 65 - bits + frac));
    slow_if64(tr, IR_EQ, v, 0);
}

typedef struct Source {
    IrValue v;                  /* F64 */
    bool single;                /* has 24 bits at most */
} Source;

/* Another register, or a number from elsewhere. @kept: it becomes a register's value, or is compared, and so must be
 * zero or normal. False: an exception was raised. */
static bool source(M68kTr *tr, uint16_t cmd, bool kept, Source *src)
{
    IrRegion *ir = tr->ir;
    unsigned format = cmd >> 10 & 7;
    IrValue lo, hi, i;
    Ea ea;

    if (!(cmd & 0x4000)) {
        src->v = get(tr, format);
        src->single = tr->fp_single >> format & 1;
        return true;
    }
    if (!m68k_fp_ea(tr, format, false, &ea)) {
        return false;
    }
    m68k_fp_load(tr, format, &ea, &lo, &hi);
    src->single = format != FPF_D && format != FPF_L;
    switch (format) {
    case FPF_D:
        if (kept) {
            IrValue e = exponent(tr, lo);

            slow_if64(tr, IR_EQ, e, E_INF);
            /* A denormal one: a fraction, but exponent 0. */
            slow_if64(tr, IR_EQ, if_zero(tr, lo, ir_i64(ir, 1), e), 0);
        } else if (leaves_types(tr)) {
            check_normal(tr, lo, 64, 52);
        }
        src->v = ir_fbits(ir, IR_F64, lo);
        return true;
    case FPF_S:
        if (kept) {
            slow_if64(tr, IR_EQ, ir_extract(ir, IR_I64, lo, 23, 8), 0xff);
        }
        if (leaves_types(tr)) {
            check_normal(tr, lo, 32, 23);
        }
        src->v = ir_fcvt(ir, IR_F64, ir_fbits(ir, IR_F32, ir_trunc(ir, IR_I32, lo)));
        return true;
    default:
        i = format == FPF_L ? ir_trunc(ir, IR_I32, lo)
            : ir_sext(ir, IR_I32, ir_trunc(ir, format == FPF_W ? IR_I16 : IR_I8, lo));
        src->v = ir_fcvt(ir, IR_F64, i);
        return true;
    }
}

/* Bookkeeping of a finished instruction: FPSR's recipe, FPIAR, the condition codes as a comparison. */
static void done(M68kTr *tr, uint16_t cmd, IrValue a, IrValue b, IrValue cc_a, IrValue cc_b)
{
    IrRegion *ir = tr->ir;

    if (a) {
        ir_put(ir, G_FL_A, a);
    }
    ir_put(ir, G_FL_B, b);
    tr->fl_cmd = cmd | FL_VALID;
    ir_put(ir, G_FL_CMD, ir_i32(ir, tr->fl_cmd));
    ir_put(ir, G_FPIAR, ir_trunc(ir, IR_I32, m68k_pc(tr, tr->pc)));
    tr->fcc_a = cc_a;
    tr->fcc_b = cc_b;
}

static bool arithmetic(M68kTr *tr, uint16_t cmd, unsigned op, bool single)
{
    static const uint8_t opcodes[] = { [0] = IR_FDIV, [2] = IR_FADD, [3] = IR_FMUL, [8] = IR_FSUB };
    IrRegion *ir = tr->ir;
    unsigned n = cmd >> 7 & 7;
    IrValue a = IR_NO_VALUE, r, zero = IR_NO_VALUE, min = ir_i64(ir, single ? E_S_MIN : E_D_MIN);
    Source src;

    begin(tr);
    if (op != 0x04) {
        a = get(tr, n);
        if (single && !(tr->fp_single >> n & 1)) {
            check_24_bits(tr, a);
        }
    }
    if (!source(tr, cmd, false, &src)) {
        return true;
    }
    if (single && !src.single) {
        check_24_bits(tr, src.v);
    }
    if (op == 0x04) {
        r = ir_un(ir, IR_FSQRT, IR_F64, src.v);
    } else {
        r = ir_bin(ir, (IrOpcode)opcodes[op & 15], IR_F64, a, src.v);
        if (op == 0x23) {               /* zero times a number; or else it is an underflow */
            zero = if_zero(tr, bits_of(tr, a), min, if_zero(tr, bits_of(tr, src.v), min, ir_i64(ir, 0)));
        } else if (op != 0x20) {
            zero = single ? if_zero(tr, bits_of(tr, r), min, ir_i64(ir, 0)) : min;
        }
    }
    if (single) {
        r = ir_fcvt(ir, IR_F64, ir_fcvt(ir, IR_F32, r));
    }
    check_range(tr, r, single, zero);
    put(tr, n, r, single);
    done(tr, cmd, a, src.v, r, ir_const(ir, IR_F64, 0));
    return true;
}

/* FMOVE, FABS, FNEG, rounded to single precision or as they are. */
static bool move(M68kTr *tr, uint16_t cmd, unsigned op, bool single)
{
    IrRegion *ir = tr->ir;
    Source src;
    IrValue r;

    begin(tr);
    if (!source(tr, cmd, true, &src)) {
        return true;
    }
    r = op == 0x18 ? ir_un(ir, IR_FABS, IR_F64, src.v) : op == 0x1a ? ir_un(ir, IR_FNEG, IR_F64, src.v) : src.v;
    if (single) {
        r = ir_fcvt(ir, IR_F64, ir_fcvt(ir, IR_F32, r));
        check_range(tr, r, true, if_zero(tr, bits_of(tr, src.v), ir_i64(ir, E_S_MIN), ir_i64(ir, 0)));
    }
    put(tr, cmd >> 7 & 7, r, single || src.single);
    done(tr, cmd, IR_NO_VALUE, src.v, r, ir_const(ir, IR_F64, 0));
    return true;
}

/* FCMP, FTST. */
static bool compare(M68kTr *tr, uint16_t cmd, unsigned op)
{
    IrValue a = IR_NO_VALUE;
    Source src;

    begin(tr);
    if (op == 0x38) {
        a = get(tr, cmd >> 7 & 7);
    }
    if (!source(tr, cmd, true, &src)) {
        return true;
    }
    done(tr, cmd, a, src.v, a ? a : src.v, a ? src.v : ir_const(tr->ir, IR_F64, 0));
    return true;
}

/* FMOVE to memory or a data register, of a value that the format has. */
static bool store(M68kTr *tr, uint16_t cmd)
{
    IrRegion *ir = tr->ir;
    unsigned format = cmd >> 10 & 7;
    IrValue v, r, bits;
    Ea ea;

    begin(tr);
    v = get(tr, cmd >> 7 & 7);
    bits = bits_of(tr, v);
    switch (format) {
    case FPF_D:
        r = bits;
        break;
    case FPF_S:
        if (!(tr->fp_single >> (cmd >> 7 & 7) & 1)) {
            check_24_bits(tr, v);
        }
        check_range(tr, v, true, ir_i64(ir, E_S_MIN));
        r = ir_zext(ir, IR_I64, ir_fbits(ir, IR_I32, ir_fcvt(ir, IR_F32, v)));
        break;
    default:
        if (format != FPF_L) {          /* out of range it is an operand error, and not inexact */
            slow_if64(tr, IR_GEU, exponent(tr, bits), format == FPF_W ? 1023 + 14 : 1023 + 6);
        }
        r = ir_ftoi(ir, IR_I32, v, false);
        m68k_slow_if(tr, (M68kCond){ IR_NE, IR_I32, ir_fcmp(ir, IR_F64, ir_fcvt(ir, IR_F64, r), v, false),
                                        ir_i32(ir, 0x40) });
        r = ir_zext(ir, IR_I64, r);
        break;
    }
    if (!m68k_fp_ea(tr, format, true, &ea)) {
        return true;
    }
    m68k_fp_store(tr, format, &ea, r);
    ir_put(ir, G_FL_CMD, tr->fl_cmd ? ir_i32(ir, tr->fl_cmd | FL_STORED)
                         : ir_or(ir, IR_I32, ir_get(ir, G_FL_CMD), ir_i32(ir, FL_STORED)));
    ir_put(ir, G_FPIAR, ir_trunc(ir, IR_I32, m68k_pc(tr, tr->pc)));
    return true;
}

bool m68k_fpd_gen(M68kTr *tr, uint16_t cmd)
{
    unsigned op = cmd & 0x7f, format = cmd >> 10 & 7;
    bool rounded = op & 0x40, single = rounded && !(op & 4);

    if (tr->one || tr->hot || tr->slow || (cmd & 0x8000) || (cmd >> 13) == 1 ||
        ((cmd & 0x4000) && (format == FPF_X || format == FPF_P || format == FPF_P_DYN))) {
        return false;
    }
    if (cmd >> 13 == 3) {
        return store(tr, cmd);
    }
    if (rounded) {                      /* FSxxx, FDxxx: 68040 and 68060 */
        if (!(tr->features & M68K_040UP)) {
            return false;
        }
        op = (op & ~0x44u) == 1 ? 0x04 : op & ~0x44u;
    }
    switch (op) {
    case 0x04: case 0x20: case 0x22: case 0x23: case 0x28:
        return rounded && arithmetic(tr, cmd, op, single);
    case 0x00: case 0x18: case 0x1a:
        return move(tr, cmd, op, single);
    case 0x38: case 0x3a:
        return !rounded && compare(tr, cmd, op);
    default:
        return false;
    }
}

/* 881UM chapter 4, of operands that aren't NaNs: nothing is unordered. */
bool m68k_fpd_cond(M68kTr *tr, unsigned pred, M68kCond *c)
{
    static const struct { uint8_t cond, mask; } by_flags[16] = {    /* FCMP's: 40 equal, 01 less */
        [1] = { IR_TST_NZ, 0x40 }, [2] = { IR_TST_Z, 0x41 }, [3] = { IR_TST_Z, 0x01 }, [4] = { IR_TST_NZ, 0x01 },
        [5] = { IR_TST_NZ, 0x41 }, [6] = { IR_TST_Z, 0x40 }, [9] = { IR_TST_NZ, 0x40 }, [10] = { IR_TST_Z, 0x41 },
        [11] = { IR_TST_Z, 0x01 }, [12] = { IR_TST_NZ, 0x01 }, [13] = { IR_TST_NZ, 0x41 }, [14] = { IR_TST_Z, 0x40 },
    };
    IrRegion *ir = tr->ir;
    unsigned p = pred & 15;

    if (tr->slow || tr->fp_block != ir->cur || !tr->fp_checked || !tr->fcc_a) {
        return false;
    }
    *c = by_flags[p].mask
         ? (M68kCond){ (IrCond)by_flags[p].cond, IR_I32, ir_fcmp(ir, IR_F64, tr->fcc_a, tr->fcc_b, false),
                       ir_i32(ir, by_flags[p].mask) }
         : (M68kCond){ p == 7 || p == 15 ? IR_EQ : IR_NE, IR_I32, ir_i32(ir, 0), ir_i32(ir, 0) };
    return true;
}
