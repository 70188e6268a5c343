/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSE to SSE4.2, AES, PCLMULQDQ on XMM registers. Most instructions are one
 * vector operation of the IR under the same name (tcg/vec-ops.def), so that the table here is
 * made from that one; what moves data or touches general registers has a function of its own.
 * MMX forms of the same mnemonics go to mmx.c.
 */
#include "util/osdep.h"
#include "target/i386/sse.h"
#include "tcg/vec.h"

/* CR0.EM, CR4.OSFXSR, CR0.TS; for VEX encodings CR4.OSXSAVE and XCR0 instead of the former two
 * (SDM vol. 3, 2.5 and table 23-2; vol. 1, 14.5.3). False: it has raised. */
bool sse_enabled(X86Tr *tr)
{
    if (tr->insn.vex ? !(tr->mode & MW_AVX)
                     : (tr->mode & MW_EM) || !(tr->mode & MW_OSFXSR)) {
        x86_fault(tr, EXCP_UD);
        return false;
    }
    if (tr->mode & MW_TS) {
        x86_fault(tr, EXCP_NM);
        return false;
    }
    return true;
}

IrValue sse_get(X86Tr *tr, unsigned n, unsigned half)
{
    return ir_get(tr->ir, (half ? G_YMMH0 : G_XMM0) + n);
}

static IrValue get_xmm(X86Tr *tr, unsigned n)
{
    return sse_get(tr, n, 0);
}

void sse_put(X86Tr *tr, unsigned n, IrValue v)
{
    ir_put(tr->ir, G_XMM0 + n, v);
    if (tr->insn.vex) {
        ir_put(tr->ir, G_YMMH0 + n, ir_vconst(tr->ir, 0, 0));
    }
}

void sse_put_wide(X86Tr *tr, unsigned n, const IrValue v[2])
{
    ir_put(tr->ir, G_XMM0 + n, v[0]);
    ir_put(tr->ir, G_YMMH0 + n, v[1]);
}

/* Linear address of an operand of @bytes; #GP(0) if it isn't aligned and has to be. */
static IrValue vector_address(X86Tr *tr, const X86Insn *i, unsigned bytes, bool write, bool aligned)
{
    IrValue a = x86_address(tr, i, bytes, write);

    if (aligned) {
        x86_fault_if(tr, IR_TST_NZ, IR_I64, a, ir_i64(tr->ir, bytes - 1), EXCP_GP, true, 0);
    }
    return a;
}

static IrValue load16(X86Tr *tr, const X86Insn *i, bool aligned)
{
    IrValue a = vector_address(tr, i, 16, false, aligned);

    return ir_ld(tr->ir, IR_V128, a, x86_memop(tr, 16));
}

static void load32(X86Tr *tr, const X86Insn *i, bool aligned, IrValue v[2])
{
    IrValue a = vector_address(tr, i, 32, false, aligned);

    v[0] = ir_ld(tr->ir, IR_V128, a, x86_memop(tr, 16));
    a = ir_add(tr->ir, IR_I64, a, ir_i64(tr->ir, 16));
    v[1] = ir_ld(tr->ir, IR_V128, a, x86_memop(tr, 16));
}

static void store32(X86Tr *tr, const X86Insn *i, bool aligned, const IrValue v[2])
{
    IrValue a = vector_address(tr, i, 32, true, aligned);

    /* Nothing is written where the upper half can't be. */
    ir_probe(tr->ir, a, x86_memop(tr, 32), true);
    ir_st(tr->ir, a, v[0], x86_memop(tr, 16));
    ir_st(tr->ir, ir_add(tr->ir, IR_I64, a, ir_i64(tr->ir, 16)), v[1], x86_memop(tr, 16));
}

/* The memory operand of 1 to 8 bytes in the low lane, zeros above. */
IrValue sse_load_low(X86Tr *tr, const X86Insn *i, unsigned bytes)
{
    IrValue v = x86_load(tr, x86_address(tr, i, bytes, false), bytes);

    if (bytes == 8) {
        return ir_vec(tr->ir, IR_V_MOVQ_VQ, v, 0, 0, 0);
    }
    return ir_vec(tr->ir, IR_V_MOVD_VL, bytes == 4 ? v : ir_zext(tr->ir, IR_I32, v), 0, 0, 0);
}

/* Memory operands of 16 bytes are aligned, without VEX; AMD doesn't ask it of SHA's. */
static bool needs_alignment(const X86Tr *tr, const X86Insn *i)
{
    bool sha = i->arg >= IR_V_SHA1NEXTE && i->arg <= IR_V_SHA256MSG2;

    return !i->vex && !(sha && !strcmp(tr->s->cpuid_vendor, "AuthenticAMD"));
}

/* An operand of arithmetic: MXCSR.MM, where there is one, is looked at if it isn't aligned (APM vol. 1, 4.3.2). */
static IrValue load_operand(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue a, m;

    if (!needs_alignment(tr, i) || !x86_has(tr->s, FEAT_8000_0001_ECX, 7)) {
        return load16(tr, i, needs_alignment(tr, i));
    }
    a = x86_address(tr, i, 16, false);
    if (!tr->one) {
        x86_fault_if(tr, IR_TST_NZ, IR_I64, a, ir_i64(ir, 15), X86_RETRY_ALONE, false, 0);
    } else {
        m = ir_ld_env(ir, IR_I32, offsetof(X86State, mxcsr));
        m = ir_bin(ir, IR_SUB, IR_I32, ir_extract(ir, IR_I32, m, 17, 1), ir_i32(ir, 1));
        m = ir_and(ir, IR_I64, ir_and(ir, IR_I64, a, ir_i64(ir, 15)), ir_sext(ir, IR_I64, m));
        x86_fault_if(tr, IR_NE, IR_I64, m, ir_i64(ir, 0), EXCP_GP, true, 0);
    }
    return ir_ld(ir, IR_V128, a, x86_memop(tr, 16));
}

IrValue sse_source(X86Tr *tr, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];

    if (o->kind == XO_XMM) {
        return get_xmm(tr, o->reg);
    }
    return o->size == 16 ? load_operand(tr, i) : sse_load_low(tr, i, o->size);
}

void sse_source_wide(X86Tr *tr, const X86Insn *i, unsigned n, IrValue v[2])
{
    const X86Operand *o = &i->op[n];

    if (o->kind == XO_XMM) {
        v[0] = sse_get(tr, o->reg, 0);
        v[1] = sse_get(tr, o->reg, 1);
    } else {
        load32(tr, i, false, v);
    }
}

bool sse_is_wide(const X86Insn *i)
{
    for (unsigned n = 0; n < i->n_ops; n++) {
        if (i->op[n].size == 32) {
            return true;
        }
    }
    return false;
}

/* The first source: the destination, but for VEX encodings with VEX.vvvv. */
static IrValue first(X86Tr *tr, const X86Insn *i)
{
    return get_xmm(tr, i->op[i->has_h].reg);
}

uint8_t sse_immediate(const X86Insn *i)
{
    const X86Operand *o = &i->op[i->n_ops - 1];

    return o->kind == XO_IMM ? o->imm : 0;
}

static bool may_raise(const X86Tr *tr, IrVecOp op)
{
    return (tr->mode & MW_SSE_UNMASKED) && (ir_vec_info[op].form & IR_VF_FP);
}

/* Unmasked exceptions: the operation runs with clean sticky bits; new ones that aren't
 * masked raise #XM before anything is written (SDM vol. 1, 11.5.2). */
void sse_exc_begin(X86Tr *tr, IrVecOp op)
{
    if (may_raise(tr, op)) {
        X86_CALL(tr, &helper_sse_begin);
    }
}

void sse_exc_end(X86Tr *tr, IrVecOp op)
{
    if (may_raise(tr, op)) {
        X86_CALL(tr, &helper_sse_check);
    }
}

IrValue sse_op(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, IrValue c, uint8_t imm)
{
    return (may_raise(tr, op) ? ir_vec_soft : ir_vec)(tr->ir, op, a, b, c, imm);
}

IrValue sse_vec(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, IrValue c, uint8_t imm)
{
    IrValue r;

    sse_exc_begin(tr, op);
    r = sse_op(tr, op, a, b, c, imm);
    sse_exc_end(tr, op);
    return r;
}

/* The immediate of each half, where it names lanes of both. */
static uint8_t half_immediate(IrVecOp op, uint8_t imm, unsigned half)
{
    switch (op) {
    case IR_V_BLENDPS: return half ? imm >> 4 : imm & 15;
    case IR_V_BLENDPD: case IR_V_SHUFPD: return half ? imm >> 2 & 3 : imm & 3;
    case IR_V_MPSADBW: return half ? imm >> 3 & 7 : imm & 7;
    default: return imm;
    }
}

static bool is_shift(IrVecOp op)
{
    return op >= IR_V_PSLLW && op <= IR_V_PSRAD;
}

/* Of 256 bits: the operation on both halves. Sources of half the size are widened (PMOVSX,
 * CVTPS2PD), destinations of half the size are joined (CVTPD2PS). */
static void vec_wide(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = i->arg;
    unsigned form = ir_vec_info[op].form & ~IR_VF_FP;
    unsigned s = i->has_h + (i->n_ops > 1u + i->has_h && i->op[0].kind == XO_XMM), d = i->op[0].reg;
    unsigned h = i->op[i->has_h].reg;
    const X86Operand *o = &i->op[s];
    bool constant = is_shift(op) && i->op[i->n_ops - 1].kind == XO_IMM;
    uint8_t imm = sse_immediate(i);
    IrValue b[2], r[2];

    if (o->size == 32) {
        sse_source_wide(tr, i, s, b);
    } else {
        b[0] = b[1] = sse_source(tr, i, s);
        if (form == IR_VF_MV) {
            b[1] = ir_vec(tr->ir, IR_V_PSRLDQ_I, b[0], 0, 0, o->size / 2);
        }
    }
    sse_exc_begin(tr, op);
    for (unsigned k = 0; k < 2; k++) {
        uint8_t m = half_immediate(op, imm, k);

        if (constant) {
            r[k] = ir_vec(tr->ir, op - IR_V_PSLLW + IR_V_PSLLW_I, b[k], 0, 0, m);
        } else if (form == IR_VF_MV || form == IR_VF_MV_IMM || form == IR_VF_SHIFT_IMM) {
            r[k] = sse_op(tr, op, b[k], 0, 0, m);
        } else {
            IrValue c = form == IR_VF_VV_X0 ? sse_get(tr, i->op[3].reg, k) : IR_NO_VALUE;

            r[k] = sse_op(tr, op, sse_get(tr, h, k), b[k], c, m);
        }
    }
    sse_exc_end(tr, op);
    if (form == IR_VF_FLAGS) {          /* ZF and CF say something of all lanes */
        x86_set_flags_value(tr, ir_and(tr->ir, IR_I32, r[0], r[1]));
    } else if (i->op[0].size == 16) {
        sse_put(tr, d, ir_vec(tr->ir, IR_V_PUNPCKLQDQ, r[0], r[1], 0, 0));
    } else {
        sse_put_wide(tr, d, r);
    }
}

/* A register operand may be written by the helper's reload in no way: values stay. */
static void tr_vec(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = i->arg;
    const IrVecInfo *info = &ir_vec_info[op];
    unsigned d = i->op[0].reg, s = i->has_h + 1;
    uint8_t imm = sse_immediate(i);
    IrValue b, r;

    if (i->op[0].kind == XO_MMX || (i->n_ops > 1 && i->op[1].kind == XO_MMX)) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (sse_is_wide(i)) {
        vec_wide(tr, i);
        return;
    }
    if (is_shift(op) && i->op[i->n_ops - 1].kind == XO_IMM) {   /* the row after eight others */
        b = get_xmm(tr, i->op[i->n_ops - 2].reg);
        sse_put(tr, d, ir_vec(tr->ir, op - IR_V_PSLLW + IR_V_PSLLW_I, b, 0, 0, imm));
        return;
    }
    b = sse_source(tr, i, s);
    if (info->map == 0x0f && info->opcode == 0xc2) {
        imm &= i->vex ? 31 : 7;         /* predicates of CMPPS and its like */
    } else if (op == IR_V_INSERTPS && i->op[s].kind == XO_MEM) {
        imm &= 0x3f;                    /* one number, no choice */
    }
    switch (info->form & ~IR_VF_FP) {
    case IR_VF_MV:
    case IR_VF_MV_IMM:
        r = sse_vec(tr, op, b, 0, 0, imm);
        break;
    case IR_VF_FLAGS:
        r = sse_vec(tr, op, first(tr, i), b, 0, 0);
        x86_set_flags_value(tr, r);
        return;
    case IR_VF_VV_X0:
        r = ir_vec(tr->ir, op, first(tr, i), b, get_xmm(tr, i->vex ? i->op[3].reg : 0), 0);
        break;
    default:
        r = sse_vec(tr, op, first(tr, i), b, 0, imm);
    }
    sse_put(tr, d, r);
}

/* PSLLDQ and PSRLDQ exist with a constant only. */
static void tr_shift_bytes(X86Tr *tr, const X86Insn *i)
{
    if (!sse_enabled(tr)) {
        return;
    }
    if (sse_is_wide(i)) {
        vec_wide(tr, i);
    } else {
        IrValue v = get_xmm(tr, i->op[i->n_ops - 2].reg);

        sse_put(tr, i->op[0].reg, ir_vec(tr->ir, i->arg, v, 0, 0, sse_immediate(i)));
    }
}

/* --- moves --- */

enum { MOV_ALIGNED = 1 };

static void tr_mov16(X86Tr *tr, const X86Insn *i)
{
    bool aligned = i->arg & MOV_ALIGNED;
    IrValue v[2];

    if (!sse_enabled(tr)) {
        return;
    }
    if (sse_is_wide(i)) {
        if (i->op[1].kind == XO_MEM) {
            load32(tr, i, aligned, v);
        } else {
            sse_source_wide(tr, i, 1, v);
        }
        if (i->op[0].kind == XO_MEM) {
            store32(tr, i, aligned, v);
        } else {
            sse_put_wide(tr, i->op[0].reg, v);
        }
    } else if (i->op[0].kind == XO_MEM) {
        IrValue a = vector_address(tr, i, 16, true, aligned);

        ir_st(tr->ir, a, get_xmm(tr, i->op[1].reg), x86_memop(tr, 16));
    } else if (i->op[1].kind == XO_MEM) {
        sse_put(tr, i->op[0].reg, load16(tr, i, aligned));
    } else {
        sse_put(tr, i->op[0].reg, get_xmm(tr, i->op[1].reg));
    }
}

static IrValue low_of(X86Tr *tr, IrValue v, unsigned bytes)
{
    return ir_vec(tr->ir, bytes == 8 ? IR_V_MOVQ_QV : IR_V_MOVD_LV, v, 0, 0, 0);
}

static void store_low(X86Tr *tr, const X86Insn *i, IrValue v, unsigned bytes)
{
    x86_store(tr, x86_address(tr, i, bytes, true), low_of(tr, v, bytes));
}

/* MOVSS, MOVSD: registers merge, loads clear the rest. */
static void tr_mov_scalar(X86Tr *tr, const X86Insn *i)
{
    unsigned bytes = i->arg;
    IrVecOp merge = bytes == 4 ? IR_V_MOVSS_VV : IR_V_MOVSD_VV;

    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_MEM) {
        store_low(tr, i, get_xmm(tr, i->op[1].reg), bytes);
    } else if (i->op[1].kind == XO_MEM) {
        sse_put(tr, i->op[0].reg, sse_load_low(tr, i, bytes));
    } else {
        IrValue b = get_xmm(tr, i->op[i->has_h + 1].reg);

        sse_put(tr, i->op[0].reg, ir_vec(tr->ir, merge, first(tr, i), b, 0, 0));
    }
}

/* MOVLPS, MOVLPD: the low half, to or from memory; MOVNTSS and MOVNTSD are stores too. */
static void tr_mov_low(X86Tr *tr, const X86Insn *i)
{
    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_MEM) {
        store_low(tr, i, get_xmm(tr, i->op[1].reg), i->op[0].size);
    } else {
        unsigned d = i->op[0].reg;
        IrValue b = sse_load_low(tr, i, 8);

        sse_put(tr, d, ir_vec(tr->ir, IR_V_MOVSD_VV, first(tr, i), b, 0, 0));
    }
}

static void tr_mov_high(X86Tr *tr, const X86Insn *i)
{
    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_MEM) {
        IrValue v = get_xmm(tr, i->op[1].reg);

        store_low(tr, i, ir_vec(tr->ir, IR_V_PUNPCKHQDQ, v, v, 0, 0), 8);
    } else {
        unsigned d = i->op[0].reg;
        IrValue b = sse_load_low(tr, i, 8);

        sse_put(tr, d, ir_vec(tr->ir, IR_V_PUNPCKLQDQ, first(tr, i), b, 0, 0));
    }
}

/* MOVQ between XMM registers and memory. */
static void tr_movq(X86Tr *tr, const X86Insn *i)
{
    if (i->op[0].kind == XO_MMX || i->op[1].kind == XO_MMX) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_MEM) {
        store_low(tr, i, get_xmm(tr, i->op[1].reg), 8);
    } else if (i->op[1].kind == XO_MEM) {
        sse_put(tr, i->op[0].reg, sse_load_low(tr, i, 8));
    } else {
        sse_put(tr, i->op[0].reg, ir_vec(tr->ir, IR_V_MOVQ_VV, get_xmm(tr, i->op[1].reg), 0, 0, 0));
    }
}

/* MOVD, and MOVQ with general registers: Ey of 4 or 8 bytes. */
static void tr_movd(X86Tr *tr, const X86Insn *i)
{
    if (i->op[0].kind == XO_MMX || i->op[1].kind == XO_MMX) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_XMM) {
        IrValue v = x86_get(tr, i, 1);

        sse_put(tr, i->op[0].reg, ir_vec(tr->ir, i->op[1].size == 8 ? IR_V_MOVQ_VQ : IR_V_MOVD_VL,
                                         v, 0, 0, 0));
    } else {
        x86_put(tr, i, 0, low_of(tr, get_xmm(tr, i->op[1].reg), i->op[0].size));
    }
}

/* --- general registers --- */

/* The row gives I32; the destination may be wider (it is zero-extended by being 32 bits). */
static void put_gpr(X86Tr *tr, const X86Insn *i, IrValue v)
{
    unsigned bytes = ir_value_type(tr->ir, v) == IR_I64 ? 8 : 4;

    x86_put_reg(tr, i->op[0].reg, bytes, v);
}

/* Of 16 bytes. */
static unsigned lanes(IrVecOp op)
{
    return op == IR_V_PMOVMSKB ? 16 : op == IR_V_MOVMSKPS ? 4 : 2;
}

static void tr_mask(X86Tr *tr, const X86Insn *i)
{
    if (i->op[1].kind == XO_MMX) {
        tr_mmx(tr, i);
    } else if (sse_enabled(tr)) {
        IrValue v = ir_vec(tr->ir, i->arg, get_xmm(tr, i->op[1].reg), 0, 0, 0), high;

        if (sse_is_wide(i)) {
            high = ir_vec(tr->ir, i->arg, sse_get(tr, i->op[1].reg, 1), 0, 0, 0);
            v = ir_or(tr->ir, IR_I32, v, ir_shl(tr->ir, IR_I32, high, ir_i32(tr->ir, lanes(i->arg))));
        }
        put_gpr(tr, i, v);
    }
}

static void tr_extract(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = i->arg;
    IrValue v;

    if (i->op[1].kind == XO_MMX) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].size == 8) {           /* EXTRACTPS has no such form */
        op = IR_V_PEXTRQ;
    }
    v = ir_vec(tr->ir, op, get_xmm(tr, i->op[1].reg), 0, 0, sse_immediate(i));
    if (i->op[0].kind == XO_MEM) {
        unsigned bytes = i->op[0].size;

        if (bytes < 4) {
            v = ir_trunc(tr->ir, x86_type(bytes), v);
        }
        x86_store(tr, x86_address(tr, i, bytes, true), v);
    } else {
        put_gpr(tr, i, v);
    }
}

static void tr_insert(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = i->arg;
    const X86Operand *o = &i->op[i->has_h + 1];
    IrValue v;

    if (i->op[0].kind == XO_MMX) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (o->size == 8) {
        op = IR_V_PINSRQ;
    }
    if (o->kind == XO_MEM) {
        v = x86_load(tr, x86_address(tr, i, o->size, false), o->size);
        if (o->size < 4) {
            v = ir_zext(tr->ir, IR_I32, v);
        }
    } else {
        v = x86_reg(tr, o->reg, op == IR_V_PINSRQ ? 8 : 4);
    }
    sse_put(tr, i->op[0].reg, ir_vec(tr->ir, op, first(tr, i), v, 0, sse_immediate(i)));
}

/* @arg: the row for 32 bits; the one for 64 stands three rows further in each group of conversions. */
static void tr_cvt_from_int(X86Tr *tr, const X86Insn *i)
{
    bool wide = i->op[i->has_h + 1].size == 8;
    IrVecOp op = i->arg == 4 ? wide ? IR_V_CVTSI2SS_Q : IR_V_CVTSI2SS_L
                             : wide ? IR_V_CVTSI2SD_Q : IR_V_CVTSI2SD_L;
    IrValue v;

    if (!sse_enabled(tr)) {
        return;
    }
    v = x86_get(tr, i, i->has_h + 1);
    sse_put(tr, i->op[0].reg, sse_vec(tr, op, first(tr, i), v, 0, 0));
}

enum { CVT_SS, CVT_TSS, CVT_SD, CVT_TSD };

static void tr_cvt_to_int(X86Tr *tr, const X86Insn *i)
{
    static const IrVecOp ops[][2] = {
        [CVT_SS] = { IR_V_CVTSS2SI_L, IR_V_CVTSS2SI_Q },
        [CVT_TSS] = { IR_V_CVTTSS2SI_L, IR_V_CVTTSS2SI_Q },
        [CVT_SD] = { IR_V_CVTSD2SI_L, IR_V_CVTSD2SI_Q },
        [CVT_TSD] = { IR_V_CVTTSD2SI_L, IR_V_CVTTSD2SI_Q },
    };

    if (sse_enabled(tr)) {
        IrValue b = sse_source(tr, i, 1);

        put_gpr(tr, i, sse_vec(tr, ops[i->arg][i->op[0].size == 8], b, 0, 0, 0));
    }
}

/* --- by helpers --- */

enum { STR_EXPLICIT = 1, STR_MASK = 2 };

/* A length in EAX or EDX, or with REX.W in all of the register, cut to 32 bits. */
static IrValue length(X86Tr *tr, const X86Insn *i, unsigned reg)
{
    IrRegion *ir = tr->ir;
    IrValue v, max = ir_i64(ir, INT32_MAX), min = ir_i64(ir, -(int64_t)INT32_MAX);

    if (!i->rex_w || !tr->code64) {
        return ir_zext(ir, IR_I64, x86_reg(tr, reg, 4));
    }
    v = x86_reg(tr, reg, 8);
    v = ir_select(ir, IR_GT, IR_I64, v, max, IR_I64, max, v);
    v = ir_select(ir, IR_LT, IR_I64, v, min, IR_I64, min, v);
    return ir_and(ir, IR_I64, v, ir_i64(ir, UINT32_MAX));
}

/* The lengths of explicit forms, as the rows want them. */
static IrValue lengths(X86Tr *tr, const X86Insn *i)
{
    return ir_or(tr->ir, IR_I64, length(tr, i, R_AX),
                 ir_shl(tr->ir, IR_I64, length(tr, i, R_DX), ir_i64(tr->ir, 32)));
}

/* The index row gives the index, and the flags from bit 16 up. */
static void tr_strcmp(X86Tr *tr, const X86Insn *i)
{
    bool explicit = i->arg & STR_EXPLICIT;
    IrVecOp index_op = explicit ? IR_V_PCMPESTRI : IR_V_PCMPISTRI;
    uint8_t imm = sse_immediate(i);
    IrValue a, b, c, r;

    if (!sse_enabled(tr)) {
        return;
    }
    /* These alone don't ask for alignment (SDM vol. 2, PCMPISTRI). */
    b = i->op[1].kind == XO_MEM ? load16(tr, i, false) : get_xmm(tr, i->op[1].reg);
    a = get_xmm(tr, i->op[0].reg);
    c = explicit ? lengths(tr, i) : IR_NO_VALUE;
    r = ir_vec(tr->ir, index_op, a, b, c, imm);
    if (i->arg & STR_MASK) {
        sse_put(tr, 0, ir_vec(tr->ir, explicit ? IR_V_PCMPESTRM : IR_V_PCMPISTRM, a, b, c, imm));
    } else {
        x86_put_reg(tr, R_CX, 4, ir_and(tr->ir, IR_I32, r, ir_i32(tr->ir, 0xffff)));
    }
    x86_set_flags_value(tr, ir_shr(tr->ir, IR_I32, r, ir_i32(tr->ir, 16)));
}

static void tr_maskmov(X86Tr *tr, const X86Insn *i)
{
    unsigned seg = i->seg_override >= 0 ? i->seg_override : S_DS;
    bool mmx = i->op[0].kind == XO_MMX;
    IrValue a;

    if (mmx) {
        X86_CALL(tr, &helper_mmx_check);
        mmx_commit(tr, false);          /* also where it faults, as CPUs do */
    } else if (!sse_enabled(tr)) {
        return;
    }
    a = x86_linear_address(tr, seg, ir_zext(tr->ir, IR_I64, x86_reg(tr, R_DI, i->adsize)),
                           mmx ? 8 : 16, true);
    X86_CALL(tr, &helper_maskmov, a, ir_i32(tr->ir, i->op[0].reg), ir_i32(tr->ir, i->op[1].reg),
             ir_i32(tr->ir, mmx), ir_i32(tr->ir, (tr->mmu & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
}

static void tr_ldmxcsr(X86Tr *tr, const X86Insn *i)
{
    if (sse_enabled(tr)) {
        X86_CALL(tr, &helper_ldmxcsr, x86_get(tr, i, 0));
        x86_exit_next(tr, IR_EXIT_NEXT);        /* masks are in the mode word */
    }
}

static void tr_stmxcsr(X86Tr *tr, const X86Insn *i)
{
    if (sse_enabled(tr)) {
        x86_put(tr, i, 0, X86_CALL(tr, &helper_stmxcsr));
    }
}

/* FXSAVE and its kin: images are moved by helpers. @arg: whether it loads. */
static bool fx_enabled(X86Tr *tr)
{
    if (tr->mode & (MW_EM | MW_TS)) {
        x86_fault(tr, EXCP_NM);
        return false;
    }
    return true;
}

static void tr_fxsave(X86Tr *tr, const X86Insn *i)
{
    IrValue a;

    if (!fx_enabled(tr)) {
        return;
    }
    a = x86_address(tr, i, 512, !i->arg);
    x86_fault_if(tr, IR_TST_NZ, IR_I64, a, ir_i64(tr->ir, 15), EXCP_GP, true, 0);
    X86_CALL(tr, i->arg ? &helper_fxrstor : &helper_fxsave, a, ir_i32(tr->ir, i->rex_w),
             ir_i32(tr->ir, (tr->mmu & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
    if (i->arg) {
        x86_exit_next(tr, IR_EXIT_NEXT);        /* TOP, masks */
    }
}

/* --- the table --- */

#define ONLY(M)             { #M, tr_vec, IR_V_##M },
#define BOTH(m, fn, arg)    { m, fn, arg }, { "V" m, fn, arg },
#define SAME(M)             BOTH(#M, tr_vec, IR_V_##M)
static const X86Handler sse_handlers[] = {
    SAME(PADDB) SAME(PADDW) SAME(PADDD) SAME(PADDQ) SAME(PSUBB) SAME(PSUBW) SAME(PSUBD)
    SAME(PSUBQ) SAME(PADDSB) SAME(PADDSW) SAME(PADDUSB) SAME(PADDUSW) SAME(PSUBSB) SAME(PSUBSW)
    SAME(PSUBUSB) SAME(PSUBUSW) SAME(PMULLW) SAME(PMULHW) SAME(PMULHUW) SAME(PMULUDQ)
    SAME(PMADDWD) SAME(PSADBW) SAME(PAVGB) SAME(PAVGW) SAME(PMINUB) SAME(PMAXUB) SAME(PMINSW)
    SAME(PMAXSW) SAME(PMINSB) SAME(PMAXSB) SAME(PMINUW) SAME(PMAXUW) SAME(PMINSD) SAME(PMAXSD)
    SAME(PMINUD) SAME(PMAXUD) SAME(PMULLD) SAME(PMULDQ) SAME(PHADDW) SAME(PHADDD) SAME(PHADDSW)
    SAME(PHSUBW) SAME(PHSUBD) SAME(PHSUBSW) SAME(PMADDUBSW) SAME(PMULHRSW) SAME(PSIGNB)
    SAME(PSIGNW) SAME(PSIGND) SAME(PABSB) SAME(PABSW) SAME(PABSD) SAME(PHMINPOSUW) SAME(MPSADBW)
    SAME(PCMPEQB) SAME(PCMPEQW) SAME(PCMPEQD) SAME(PCMPGTB) SAME(PCMPGTW) SAME(PCMPGTD)
    SAME(PAND) SAME(PANDN) SAME(POR) SAME(PXOR) SAME(PCMPEQQ) SAME(PCMPGTQ) SAME(PTEST)
    SAME(PSLLW) SAME(PSLLD) SAME(PSLLQ) SAME(PSRLW) SAME(PSRLD) SAME(PSRLQ) SAME(PSRAW)
    SAME(PSRAD) SAME(PACKSSWB) SAME(PACKSSDW) SAME(PACKUSWB) SAME(PUNPCKLBW) SAME(PUNPCKLWD)
    SAME(PUNPCKLDQ) SAME(PUNPCKLQDQ) SAME(PUNPCKHBW) SAME(PUNPCKHWD) SAME(PUNPCKHDQ)
    SAME(PUNPCKHQDQ) SAME(PACKUSDW) SAME(PSHUFB) SAME(PSHUFD) SAME(PSHUFLW) SAME(PSHUFHW)
    SAME(PALIGNR) SAME(SHUFPS) SAME(SHUFPD) SAME(UNPCKLPS) SAME(UNPCKHPS) SAME(UNPCKLPD)
    SAME(UNPCKHPD) SAME(MOVHLPS) SAME(MOVLHPS) SAME(MOVDDUP) SAME(MOVSLDUP) SAME(MOVSHDUP)
    SAME(PBLENDW) SAME(BLENDPS) SAME(BLENDPD) SAME(INSERTPS) SAME(PBLENDVB) SAME(BLENDVPS)
    SAME(BLENDVPD) SAME(PMOVSXBW) SAME(PMOVSXBD) SAME(PMOVSXBQ) SAME(PMOVSXWD) SAME(PMOVSXWQ)
    SAME(PMOVSXDQ) SAME(PMOVZXBW) SAME(PMOVZXBD) SAME(PMOVZXBQ) SAME(PMOVZXWD) SAME(PMOVZXWQ)
    SAME(PMOVZXDQ) SAME(ADDPS) SAME(ADDPD) SAME(ADDSS) SAME(ADDSD) SAME(MULPS) SAME(MULPD)
    SAME(MULSS) SAME(MULSD) SAME(SUBPS) SAME(SUBPD) SAME(SUBSS) SAME(SUBSD) SAME(MINPS)
    SAME(MINPD) SAME(MINSS) SAME(MINSD) SAME(DIVPS) SAME(DIVPD) SAME(DIVSS) SAME(DIVSD)
    SAME(MAXPS) SAME(MAXPD) SAME(MAXSS) SAME(MAXSD) SAME(SQRTPS) SAME(SQRTPD) SAME(SQRTSS)
    SAME(SQRTSD) SAME(CMPPS) SAME(CMPPD) SAME(CMPSS) SAME(CMPSD) SAME(UCOMISS) SAME(UCOMISD)
    SAME(COMISS) SAME(COMISD) SAME(ADDSUBPS) SAME(ADDSUBPD) SAME(HADDPS) SAME(HADDPD)
    SAME(HSUBPS) SAME(HSUBPD) SAME(DPPS) SAME(DPPD) SAME(ROUNDPS) SAME(ROUNDPD) SAME(ROUNDSS)
    SAME(ROUNDSD) SAME(RCPPS) SAME(RSQRTPS) SAME(RCPSS) SAME(RSQRTSS) SAME(CVTPS2PD)
    SAME(CVTPD2PS) SAME(CVTSS2SD) SAME(CVTSD2SS) SAME(CVTDQ2PS) SAME(CVTPS2DQ) SAME(CVTTPS2DQ)
    SAME(CVTDQ2PD) SAME(CVTPD2DQ) SAME(CVTTPD2DQ) SAME(AESENC) SAME(AESENCLAST) SAME(AESDEC)
    SAME(AESDECLAST) SAME(AESIMC) SAME(PCLMULQDQ)
    ONLY(SHA1NEXTE) ONLY(SHA1MSG1) ONLY(SHA1MSG2) ONLY(SHA1RNDS4) ONLY(SHA256RNDS2)
    ONLY(SHA256MSG1) ONLY(SHA256MSG2)
    BOTH("AESKEYGENASSIST", tr_vec, IR_V_AESKEYGENASSIST)
    BOTH("PSLLDQ", tr_shift_bytes, IR_V_PSLLDQ_I) BOTH("PSRLDQ", tr_shift_bytes, IR_V_PSRLDQ_I)
    
    /* The integer operations. */
    BOTH("ANDPS", tr_vec, IR_V_PAND) BOTH("ANDPD", tr_vec, IR_V_PAND)
    BOTH("ANDNPS", tr_vec, IR_V_PANDN) BOTH("ANDNPD", tr_vec, IR_V_PANDN)
    BOTH("ORPS", tr_vec, IR_V_POR) BOTH("ORPD", tr_vec, IR_V_POR)
    BOTH("XORPS", tr_vec, IR_V_PXOR) BOTH("XORPD", tr_vec, IR_V_PXOR)
    BOTH("MOVUPS", tr_mov16, 0) BOTH("MOVUPD", tr_mov16, 0) BOTH("MOVDQU", tr_mov16, 0)
    BOTH("LDDQU", tr_mov16, 0) BOTH("MOVAPS", tr_mov16, MOV_ALIGNED)
    BOTH("MOVAPD", tr_mov16, MOV_ALIGNED) BOTH("MOVDQA", tr_mov16, MOV_ALIGNED)
    BOTH("MOVNTPS", tr_mov16, MOV_ALIGNED) BOTH("MOVNTPD", tr_mov16, MOV_ALIGNED)
    BOTH("MOVNTDQ", tr_mov16, MOV_ALIGNED) BOTH("MOVNTDQA", tr_mov16, MOV_ALIGNED)
    BOTH("MOVSS", tr_mov_scalar, 4) BOTH("MOVSD", tr_mov_scalar, 8)
    BOTH("MOVLPS", tr_mov_low, 0) BOTH("MOVLPD", tr_mov_low, 0)
    BOTH("MOVHPS", tr_mov_high, 0) BOTH("MOVHPD", tr_mov_high, 0)
    BOTH("MOVQ", tr_movq, 0) BOTH("MOVD", tr_movd, 0)
    BOTH("PMOVMSKB", tr_mask, IR_V_PMOVMSKB) BOTH("MOVMSKPS", tr_mask, IR_V_MOVMSKPS)
    BOTH("MOVMSKPD", tr_mask, IR_V_MOVMSKPD)
    BOTH("PEXTRB", tr_extract, IR_V_PEXTRB) BOTH("PEXTRW", tr_extract, IR_V_PEXTRW)
    BOTH("PEXTRD", tr_extract, IR_V_PEXTRD) BOTH("EXTRACTPS", tr_extract, IR_V_PEXTRD)
    BOTH("PINSRB", tr_insert, IR_V_PINSRB) BOTH("PINSRW", tr_insert, IR_V_PINSRW)
    BOTH("PINSRD", tr_insert, IR_V_PINSRD)
    BOTH("CVTSI2SS", tr_cvt_from_int, 4) BOTH("CVTSI2SD", tr_cvt_from_int, 8)
    BOTH("CVTSS2SI", tr_cvt_to_int, CVT_SS) BOTH("CVTTSS2SI", tr_cvt_to_int, CVT_TSS)
    BOTH("CVTSD2SI", tr_cvt_to_int, CVT_SD) BOTH("CVTTSD2SI", tr_cvt_to_int, CVT_TSD)
    BOTH("PCMPESTRM", tr_strcmp, STR_EXPLICIT | STR_MASK) BOTH("PCMPESTRI", tr_strcmp, STR_EXPLICIT)
    BOTH("PCMPISTRM", tr_strcmp, STR_MASK) BOTH("PCMPISTRI", tr_strcmp, 0)
    { "MOVNTSS", tr_mov_low, 0 }, { "MOVNTSD", tr_mov_low, 0 },
    BOTH("MASKMOVDQU", tr_maskmov, 0) { "MASKMOVQ", tr_maskmov, 0 },
    BOTH("LDMXCSR", tr_ldmxcsr, 0) BOTH("STMXCSR", tr_stmxcsr, 0)
    { "FXSAVE", tr_fxsave, 0 }, { "FXRSTOR", tr_fxsave, 1 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(sse_handlers)

_Static_assert(IR_V_PSRAD - IR_V_PSLLW == IR_V_PSRAD_I - IR_V_PSLLW_I,
               "tr_vec computes the row of a shift by a constant");
