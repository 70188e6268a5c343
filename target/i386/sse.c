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

/* CR0.EM, CR4.OSFXSR, CR0.TS (SDM vol. 3, 2.5 and table 23-2). False: it has raised. */
bool sse_enabled(X86Tr *tr)
{
    if ((tr->mode & MW_EM) || !(tr->mode & MW_OSFXSR)) {
        x86_fault(tr, EXCP_UD);
        return false;
    }
    if (tr->mode & MW_TS) {
        x86_fault(tr, EXCP_NM);
        return false;
    }
    return true;
}

static IrValue get_xmm(X86Tr *tr, unsigned n)
{
    return ir_get(tr->ir, G_XMM0 + n);
}

static void put_xmm(X86Tr *tr, unsigned n, IrValue v)
{
    ir_put(tr->ir, G_XMM0 + n, v);
}

/* Linear address of a 16-byte operand; #GP(0) if it isn't aligned and has to be. */
static IrValue address16(X86Tr *tr, const X86Insn *i, bool write, bool aligned)
{
    IrValue a = x86_address(tr, i, 16, write);

    if (aligned) {
        x86_fault_if(tr, IR_TST_NZ, IR_I64, a, ir_i64(tr->ir, 15), EXCP_GP, true, 0);
    }
    return a;
}

static IrValue load16(X86Tr *tr, const X86Insn *i, bool aligned)
{
    IrValue a = address16(tr, i, false, aligned);

    return ir_ld(tr->ir, IR_V128, a, x86_memop(tr, 16));
}

/* The memory operand of 2, 4 or 8 bytes in the low lane, zeros above. */
static IrValue load_low(X86Tr *tr, const X86Insn *i, unsigned bytes)
{
    IrValue v = x86_load(tr, x86_address(tr, i, bytes, false), bytes);

    if (bytes == 8) {
        return ir_vec(tr->ir, IR_V_MOVQ_VQ, v, 0, 0, 0);
    }
    return ir_vec(tr->ir, IR_V_MOVD_VL, bytes == 4 ? v : ir_zext(tr->ir, IR_I32, v), 0, 0, 0);
}

/* XMM or memory operand as a vector; narrow ones have their value in the low lane. */
static IrValue source(X86Tr *tr, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];

    if (o->kind == XO_XMM) {
        return get_xmm(tr, o->reg);
    }
    return o->size == 16 ? load16(tr, i, true) : load_low(tr, i, o->size);
}

static uint8_t immediate(const X86Insn *i)
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
IrValue sse_vec(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, IrValue c, uint8_t imm)
{
    IrValue r;

    if (!may_raise(tr, op)) {
        return ir_vec(tr->ir, op, a, b, c, imm);
    }
    X86_CALL(tr, &helper_sse_begin);
    r = ir_vec(tr->ir, op, a, b, c, imm);
    X86_CALL(tr, &helper_sse_check);
    return r;
}

/* A register operand may be written by the helper's reload in no way: values stay. */
static void tr_vec(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = i->arg;
    const IrVecInfo *info = &ir_vec_info[op];
    unsigned d = i->op[0].reg;
    uint8_t imm = immediate(i);
    IrValue b, r;

    if (i->op[0].kind == XO_MMX || (i->n_ops > 1 && i->op[1].kind == XO_MMX)) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[1].kind == XO_IMM) {          /* shift by a constant: the row after eight others */
        put_xmm(tr, d, ir_vec(tr->ir, op - IR_V_PSLLW + IR_V_PSLLW_I, get_xmm(tr, d), 0, 0, imm));
        return;
    }
    b = source(tr, i, 1);
    switch (info->form & ~IR_VF_FP) {
    case IR_VF_MV:
    case IR_VF_MV_IMM:
        r = sse_vec(tr, op, b, 0, 0, imm);
        break;
    case IR_VF_FLAGS:
        r = sse_vec(tr, op, get_xmm(tr, d), b, 0, 0);
        x86_set_flags_value(tr, r);
        return;
    case IR_VF_VV_X0:
        r = ir_vec(tr->ir, op, get_xmm(tr, d), b, get_xmm(tr, 0), 0);
        break;
    default:
        r = sse_vec(tr, op, get_xmm(tr, d), b, 0, imm);
    }
    put_xmm(tr, d, r);
}

/* PSLLDQ and PSRLDQ exist with a constant only. */
static void tr_shift_bytes(X86Tr *tr, const X86Insn *i)
{
    if (sse_enabled(tr)) {
        unsigned d = i->op[0].reg;

        put_xmm(tr, d, ir_vec(tr->ir, i->arg, get_xmm(tr, d), 0, 0, immediate(i)));
    }
}

/* ANDPS and the like are the integer operations. */
static void tr_logic(X86Tr *tr, const X86Insn *i)
{
    if (sse_enabled(tr)) {
        IrValue b = source(tr, i, 1);
        unsigned d = i->op[0].reg;

        put_xmm(tr, d, ir_vec(tr->ir, i->arg, get_xmm(tr, d), b, 0, 0));
    }
}

/* --- moves --- */

enum { MOV_ALIGNED = 1 };

static void tr_mov16(X86Tr *tr, const X86Insn *i)
{
    bool aligned = i->arg & MOV_ALIGNED;

    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_MEM) {
        IrValue a = address16(tr, i, true, aligned);

        ir_st(tr->ir, a, get_xmm(tr, i->op[1].reg), x86_memop(tr, 16));
    } else if (i->op[1].kind == XO_MEM) {
        put_xmm(tr, i->op[0].reg, load16(tr, i, aligned));
    } else {
        put_xmm(tr, i->op[0].reg, get_xmm(tr, i->op[1].reg));
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
        put_xmm(tr, i->op[0].reg, load_low(tr, i, bytes));
    } else {
        unsigned d = i->op[0].reg;

        put_xmm(tr, d, ir_vec(tr->ir, merge, get_xmm(tr, d), get_xmm(tr, i->op[1].reg), 0, 0));
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
        IrValue b = load_low(tr, i, 8);

        put_xmm(tr, d, ir_vec(tr->ir, IR_V_MOVSD_VV, get_xmm(tr, d), b, 0, 0));
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
        IrValue b = load_low(tr, i, 8);

        put_xmm(tr, d, ir_vec(tr->ir, IR_V_PUNPCKLQDQ, get_xmm(tr, d), b, 0, 0));
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
        put_xmm(tr, i->op[0].reg, load_low(tr, i, 8));
    } else {
        put_xmm(tr, i->op[0].reg, ir_vec(tr->ir, IR_V_MOVQ_VV, get_xmm(tr, i->op[1].reg), 0, 0, 0));
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

        put_xmm(tr, i->op[0].reg, ir_vec(tr->ir, i->op[1].size == 8 ? IR_V_MOVQ_VQ : IR_V_MOVD_VL,
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

static void tr_mask(X86Tr *tr, const X86Insn *i)
{
    if (i->op[1].kind == XO_MMX) {
        tr_mmx(tr, i);
    } else if (sse_enabled(tr)) {
        put_gpr(tr, i, ir_vec(tr->ir, i->arg, get_xmm(tr, i->op[1].reg), 0, 0, 0));
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
    if (op == IR_V_PEXTRD && i->rex_w) {
        op = IR_V_PEXTRQ;
    }
    v = ir_vec(tr->ir, op, get_xmm(tr, i->op[1].reg), 0, 0, immediate(i));
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
    unsigned d = i->op[0].reg;
    IrValue v;

    if (i->op[0].kind == XO_MMX) {
        tr_mmx(tr, i);
        return;
    }
    if (!sse_enabled(tr)) {
        return;
    }
    if (op == IR_V_PINSRD && i->rex_w) {
        op = IR_V_PINSRQ;
    }
    if (i->op[1].kind == XO_MEM) {
        v = x86_load(tr, x86_address(tr, i, i->op[1].size, false), i->op[1].size);
        if (i->op[1].size < 4) {
            v = ir_zext(tr->ir, IR_I32, v);
        }
    } else {
        v = x86_reg(tr, i->op[1].reg, op == IR_V_PINSRQ ? 8 : 4);
    }
    put_xmm(tr, d, ir_vec(tr->ir, op, get_xmm(tr, d), v, 0, immediate(i)));
}

/* @arg: the row for 32 bits; the one for 64 stands three rows further in each group of conversions. */
static void tr_cvt_from_int(X86Tr *tr, const X86Insn *i)
{
    unsigned d = i->op[0].reg;
    bool wide = i->op[1].size == 8;
    IrVecOp op = i->arg == 4 ? wide ? IR_V_CVTSI2SS_Q : IR_V_CVTSI2SS_L
                             : wide ? IR_V_CVTSI2SD_Q : IR_V_CVTSI2SD_L;
    IrValue v;

    if (!sse_enabled(tr)) {
        return;
    }
    v = x86_get(tr, i, 1);
    put_xmm(tr, d, sse_vec(tr, op, get_xmm(tr, d), v, 0, 0));
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
        IrValue b = source(tr, i, 1);

        put_gpr(tr, i, sse_vec(tr, ops[i->arg][i->op[0].size == 8], b, 0, 0, 0));
    }
}

/* --- by helpers --- */

enum { STR_EXPLICIT = 1, STR_MASK = 2 };

/* The lengths of explicit forms in EAX and EDX, as the rows want them. */
static IrValue lengths(X86Tr *tr)
{
    IrValue a = ir_zext(tr->ir, IR_I64, x86_reg(tr, R_AX, 4));
    IrValue d = ir_zext(tr->ir, IR_I64, x86_reg(tr, R_DX, 4));

    return ir_or(tr->ir, IR_I64, a, ir_shl(tr->ir, IR_I64, d, ir_i64(tr->ir, 32)));
}

/* The index row gives the index, and the flags from bit 16 up. */
static void tr_strcmp(X86Tr *tr, const X86Insn *i)
{
    bool explicit = i->arg & STR_EXPLICIT;
    IrVecOp index_op = explicit ? IR_V_PCMPESTRI : IR_V_PCMPISTRI;
    uint8_t imm = immediate(i);
    IrValue a, b, c, r;

    if (!sse_enabled(tr)) {
        return;
    }
    /* These alone don't ask for alignment (SDM vol. 2, PCMPISTRI). */
    b = i->op[1].kind == XO_MEM ? load16(tr, i, false) : get_xmm(tr, i->op[1].reg);
    a = get_xmm(tr, i->op[0].reg);
    c = explicit ? lengths(tr) : IR_NO_VALUE;
    r = ir_vec(tr->ir, index_op, a, b, c, imm);
    if (i->arg & STR_MASK) {
        put_xmm(tr, 0, ir_vec(tr->ir, explicit ? IR_V_PCMPESTRM : IR_V_PCMPISTRM, a, b, c, imm));
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
        X86_CALL(tr, &helper_mmx_enter);
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

/* XSAVE, XSAVEOPT, XRSTOR: components in EDX:EAX. */
static void tr_xsave(X86Tr *tr, const X86Insn *i)
{
    IrValue a, mask;

    if (!(tr->mode & MW_OSXSAVE)) {
        x86_fault(tr, EXCP_UD);
        return;
    }
    if (tr->mode & MW_TS) {
        x86_fault(tr, EXCP_NM);
        return;
    }
    a = x86_address(tr, i, 576, !i->arg);
    x86_fault_if(tr, IR_TST_NZ, IR_I64, a, ir_i64(tr->ir, 63), EXCP_GP, true, 0);
    mask = ir_or(tr->ir, IR_I64, ir_zext(tr->ir, IR_I64, x86_reg(tr, R_AX, 4)),
                 ir_shl(tr->ir, IR_I64, ir_zext(tr->ir, IR_I64, x86_reg(tr, R_DX, 4)),
                        ir_i64(tr->ir, 32)));
    X86_CALL(tr, i->arg ? &helper_xrstor : &helper_xsave, a, mask, ir_i32(tr->ir, i->rex_w),
             ir_i32(tr->ir, (tr->mmu & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
    if (i->arg) {
        x86_exit_next(tr, IR_EXIT_NEXT);
    }
}

/* --- the table --- */

#define SAME(M)     { #M, tr_vec, IR_V_##M },
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
    { "AESKEYGENASSIST", tr_vec, IR_V_AESKEYGENASSIST },
    { "PSLLDQ", tr_shift_bytes, IR_V_PSLLDQ_I }, { "PSRLDQ", tr_shift_bytes, IR_V_PSRLDQ_I },
    { "ANDPS", tr_logic, IR_V_PAND }, { "ANDPD", tr_logic, IR_V_PAND },
    { "ANDNPS", tr_logic, IR_V_PANDN }, { "ANDNPD", tr_logic, IR_V_PANDN },
    { "ORPS", tr_logic, IR_V_POR }, { "ORPD", tr_logic, IR_V_POR },
    { "XORPS", tr_logic, IR_V_PXOR }, { "XORPD", tr_logic, IR_V_PXOR },
    { "MOVUPS", tr_mov16, 0 }, { "MOVUPD", tr_mov16, 0 }, { "MOVDQU", tr_mov16, 0 },
    { "LDDQU", tr_mov16, 0 }, { "MOVAPS", tr_mov16, MOV_ALIGNED },
    { "MOVAPD", tr_mov16, MOV_ALIGNED }, { "MOVDQA", tr_mov16, MOV_ALIGNED },
    { "MOVNTPS", tr_mov16, MOV_ALIGNED }, { "MOVNTPD", tr_mov16, MOV_ALIGNED },
    { "MOVNTDQ", tr_mov16, MOV_ALIGNED }, { "MOVNTDQA", tr_mov16, MOV_ALIGNED },
    { "MOVSS", tr_mov_scalar, 4 }, { "MOVSD", tr_mov_scalar, 8 },
    { "MOVLPS", tr_mov_low, 0 }, { "MOVLPD", tr_mov_low, 0 },
    { "MOVHPS", tr_mov_high, 0 }, { "MOVHPD", tr_mov_high, 0 },
    { "MOVQ", tr_movq, 0 }, { "MOVD", tr_movd, 0 },
    { "PMOVMSKB", tr_mask, IR_V_PMOVMSKB }, { "MOVMSKPS", tr_mask, IR_V_MOVMSKPS },
    { "MOVMSKPD", tr_mask, IR_V_MOVMSKPD },
    { "PEXTRB", tr_extract, IR_V_PEXTRB }, { "PEXTRW", tr_extract, IR_V_PEXTRW },
    { "PEXTRD", tr_extract, IR_V_PEXTRD }, { "EXTRACTPS", tr_extract, IR_V_PEXTRD },
    { "PINSRB", tr_insert, IR_V_PINSRB }, { "PINSRW", tr_insert, IR_V_PINSRW },
    { "PINSRD", tr_insert, IR_V_PINSRD },
    { "CVTSI2SS", tr_cvt_from_int, 4 }, { "CVTSI2SD", tr_cvt_from_int, 8 },
    { "CVTSS2SI", tr_cvt_to_int, CVT_SS }, { "CVTTSS2SI", tr_cvt_to_int, CVT_TSS },
    { "CVTSD2SI", tr_cvt_to_int, CVT_SD }, { "CVTTSD2SI", tr_cvt_to_int, CVT_TSD },
    { "PCMPESTRM", tr_strcmp, STR_EXPLICIT | STR_MASK }, { "PCMPESTRI", tr_strcmp, STR_EXPLICIT },
    { "PCMPISTRM", tr_strcmp, STR_MASK }, { "PCMPISTRI", tr_strcmp, 0 },
    { "MASKMOVDQU", tr_maskmov, 0 }, { "MASKMOVQ", tr_maskmov, 0 }, { "LDMXCSR", tr_ldmxcsr, 0 }, { "STMXCSR", tr_stmxcsr, 0 },
    { "FXSAVE", tr_fxsave, 0 }, { "FXRSTOR", tr_fxsave, 1 }, { "XSAVE", tr_xsave, 0 },
    { "XSAVEOPT", tr_xsave, 0 }, { "XRSTOR", tr_xsave, 1 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(sse_handlers)

_Static_assert(IR_V_PSRAD - IR_V_PSLLW == IR_V_PSRAD_I - IR_V_PSLLW_I,
               "tr_vec computes the row of a shift by a constant");
