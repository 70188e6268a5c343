/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AVX, AVX2, FMA and F16C instructions that have no SSE counterpart. A YMM register is two
 * globals of 128 bits; what moves between the halves is made of operations on these.
 * Masked moves and gathers are helpers' (helper-avx.c). SDM vol. 2.
 */
#include "util/osdep.h"
#include "target/i386/sse.h"
#include "tcg/vec.h"

static IrValue vec(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, uint8_t imm)
{
    return ir_vec(tr->ir, op, a, b, 0, imm);
}

static IrValue zero(X86Tr *tr)
{
    return ir_vconst(tr->ir, 0, 0);
}

/* VZEROUPPER (0), VZEROALL (1): registers 0 to 7 outside 64-bit mode. */
static void tr_vzero(X86Tr *tr, const X86Insn *i)
{
    if (sse_enabled(tr)) {
        for (unsigned n = 0; n < (tr->code64 ? 16 : 8); n++) {
            if (i->arg) {
                ir_put(tr->ir, G_XMM0 + n, zero(tr));
            }
            ir_put(tr->ir, G_YMMH0 + n, zero(tr));
        }
    }
}

/* ------------------------------------------------- copies, and between halves */

/* One element of @i->arg bytes, everywhere. */
static void tr_broadcast(X86Tr *tr, const X86Insn *i)
{
    IrValue v[2];

    if (!sse_enabled(tr)) {
        return;
    }
    v[0] = i->op[1].kind == XO_XMM || i->arg == 16 ? sse_source(tr, i, 1)
                                                   : sse_load_low(tr, i, i->arg);
    switch (i->arg) {
    case 1:
        v[0] = vec(tr, IR_V_PSHUFB, v[0], zero(tr), 0);
        break;
    case 2:
        v[0] = vec(tr, IR_V_PSHUFD, vec(tr, IR_V_PSHUFLW, v[0], 0, 0), 0, 0);
        break;
    case 4:
        v[0] = vec(tr, IR_V_PSHUFD, v[0], 0, 0);
        break;
    case 8:
        v[0] = vec(tr, IR_V_PUNPCKLQDQ, v[0], v[0], 0);
        break;
    }
    v[1] = v[0];
    if (i->op[0].size == 32) {
        sse_put_wide(tr, i->op[0].reg, v);
    } else {
        sse_put(tr, i->op[0].reg, v[0]);
    }
}

static void tr_insert128(X86Tr *tr, const X86Insn *i)
{
    IrValue v[2];

    if (sse_enabled(tr)) {
        sse_source_wide(tr, i, 1, v);
        v[sse_immediate(i) & 1] = sse_source(tr, i, 2);
        sse_put_wide(tr, i->op[0].reg, v);
    }
}

static void tr_extract128(X86Tr *tr, const X86Insn *i)
{
    if (sse_enabled(tr)) {
        IrValue v = sse_get(tr, i->op[1].reg, sse_immediate(i) & 1);

        if (i->op[0].kind == XO_XMM) {
            sse_put(tr, i->op[0].reg, v);
        } else {
            ir_st(tr->ir, x86_address(tr, i, 16, true), v, x86_memop(tr, 16));
        }
    }
}

/* Each half: one of four, or zero. */
static void tr_perm2x128(X86Tr *tr, const X86Insn *i)
{
    uint8_t imm = sse_immediate(i);
    IrValue from[4], v[2];

    if (sse_enabled(tr)) {
        sse_source_wide(tr, i, 1, from);
        sse_source_wide(tr, i, 2, from + 2);
        v[0] = imm & 8 ? zero(tr) : from[imm & 3];
        v[1] = imm & 0x80 ? zero(tr) : from[imm >> 4 & 3];
        sse_put_wide(tr, i->op[0].reg, v);
    }
}

/* VPERMQ, VPERMPD: four quadwords by two bits each. */
static void tr_permq(X86Tr *tr, const X86Insn *i)
{
    uint8_t imm = sse_immediate(i);
    IrValue from[2], v[2];

    if (!sse_enabled(tr)) {
        return;
    }
    sse_source_wide(tr, i, 1, from);
    for (unsigned k = 0; k < 2; k++, imm >>= 4) {
        unsigned lo = imm & 3, hi = imm >> 2 & 3;

        v[k] = vec(tr, IR_V_SHUFPD, from[lo >> 1], from[hi >> 1], (lo & 1) | (hi & 1) << 1);
    }
    sse_put_wide(tr, i->op[0].reg, v);
}

/* VPERMD, VPERMPS: eight doublewords by three bits each: of each half, then of the two. */
static void tr_permd(X86Tr *tr, const X86Insn *i)
{
    IrValue from[2], index[2], v[2];

    if (!sse_enabled(tr)) {
        return;
    }
    sse_source_wide(tr, i, 1, index);
    sse_source_wide(tr, i, 2, from);
    for (unsigned k = 0; k < 2; k++) {
        IrValue lo = vec(tr, IR_V_VPERMILPS, from[0], index[k], 0);
        IrValue hi = vec(tr, IR_V_VPERMILPS, from[1], index[k], 0);

        v[k] = ir_vec(tr->ir, IR_V_BLENDVPS, lo, hi, vec(tr, IR_V_PSLLD_I, index[k], 0, 29), 0);
    }
    sse_put_wide(tr, i->op[0].reg, v);
}

/* VPERMILPS, VPERMILPD by a constant are shuffles of a register with itself. */
static void permil_constant(X86Tr *tr, const X86Insn *i)
{
    bool dword = i->arg == IR_V_VPERMILPS, wide = sse_is_wide(i);
    uint8_t imm = sse_immediate(i);
    IrValue v[2];

    if (wide) {
        sse_source_wide(tr, i, 1, v);
    } else {
        v[0] = sse_source(tr, i, 1);
    }
    for (unsigned k = 0; k < 1u + wide; k++) {
        v[k] = dword ? vec(tr, IR_V_PSHUFD, v[k], 0, imm)
                     : vec(tr, IR_V_SHUFPD, v[k], v[k], imm >> 2 * k & 3);
    }
    if (wide) {
        sse_put_wide(tr, i->op[0].reg, v);
    } else {
        sse_put(tr, i->op[0].reg, v[0]);
    }
}

/* Lane by lane: @arg with both sources. */
static void tr_lanes(X86Tr *tr, const X86Insn *i)
{
    IrValue a[2], b[2], v[2];

    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[i->n_ops - 1].kind == XO_IMM && i->n_ops == 3) {
        permil_constant(tr, i);
    } else if (sse_is_wide(i)) {
        sse_source_wide(tr, i, 1, a);
        sse_source_wide(tr, i, 2, b);
        for (unsigned k = 0; k < 2; k++) {
            v[k] = vec(tr, i->arg, a[k], b[k], sse_immediate(i) >> 4 * k);
        }
        sse_put_wide(tr, i->op[0].reg, v);
    } else {
        a[0] = sse_source(tr, i, 1);
        b[0] = sse_source(tr, i, 2);
        sse_put(tr, i->op[0].reg, vec(tr, i->arg, a[0], b[0], sse_immediate(i)));
    }
}

/* VTESTPS, VTESTPD: PTEST of the sign bits. */
static void tr_vtest(X86Tr *tr, const X86Insn *i)
{
    uint64_t signs = i->arg == 4 ? UINT64_C(0x8000000080000000) : UINT64_C(1) << 63;
    IrValue a[2], b[2], mask, f;
    bool wide = sse_is_wide(i);

    if (!sse_enabled(tr)) {
        return;
    }
    mask = ir_vconst(tr->ir, signs, signs);
    sse_source_wide(tr, i, 0, a);
    if (wide) {
        sse_source_wide(tr, i, 1, b);
    } else {
        b[0] = sse_source(tr, i, 1);
    }
    f = vec(tr, IR_V_PTEST, a[0], vec(tr, IR_V_PAND, b[0], mask, 0), 0);
    if (wide) {
        f = ir_and(tr->ir, IR_I32, f,
                   vec(tr, IR_V_PTEST, a[1], vec(tr, IR_V_PAND, b[1], mask, 0), 0));
    }
    x86_set_flags_value(tr, f);
}

/* ---------------------------------------------------------- halves of floats */

static void tr_cvtph2ps(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = IR_V_VCVTPH2PS;
    IrValue b, v[2];

    if (!sse_enabled(tr)) {
        return;
    }
    b = sse_source(tr, i, 1);
    sse_exc_begin(tr, op);
    v[0] = sse_op(tr, op, sse_is_wide(i) ? b : vec(tr, IR_V_MOVQ_VV, b, 0, 0), 0, 0, 0);
    if (sse_is_wide(i)) {
        v[1] = sse_op(tr, op, vec(tr, IR_V_PSRLDQ_I, b, 0, 8), 0, 0, 0);
    }
    sse_exc_end(tr, op);
    if (sse_is_wide(i)) {
        sse_put_wide(tr, i->op[0].reg, v);
    } else {
        sse_put(tr, i->op[0].reg, v[0]);
    }
}

static void tr_cvtps2ph(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = IR_V_VCVTPS2PH;
    bool wide = sse_is_wide(i);
    uint8_t imm = sse_immediate(i);
    IrValue v, a = IR_NO_VALUE;

    if (!sse_enabled(tr)) {
        return;
    }
    if (i->op[0].kind == XO_MEM) {      /* no flags where the store faults */
        a = x86_address(tr, i, wide ? 16 : 8, true);
        ir_probe(tr->ir, a, x86_memop(tr, wide ? 16 : 8), true);
    }
    sse_exc_begin(tr, op);
    v = sse_op(tr, op, sse_get(tr, i->op[1].reg, 0), 0, 0, imm);
    if (wide) {
        IrValue high = sse_op(tr, op, sse_get(tr, i->op[1].reg, 1), 0, 0, imm);

        v = vec(tr, IR_V_PUNPCKLQDQ, v, high, 0);
    }
    sse_exc_end(tr, op);
    if (i->op[0].kind != XO_MEM) {
        sse_put(tr, i->op[0].reg, v);
    } else if (wide) {
        ir_st(tr->ir, a, v, x86_memop(tr, 16));
    } else {
        x86_store(tr, a, vec(tr, IR_V_MOVQ_QV, v, 0, 0));
    }
}

/* ---------------------------------------------------------------------- FMA */

/* @arg: the operation's packed-single row, and which form. */
enum { FORM_132 = 0x1000, FORM_213 = 0x2000, FORM_231 = 0x3000 };

/* Multiplicands and addend by the form's digits, of which 1 is the destination. */
static void by_form(int form, IrValue one, IrValue two, IrValue three, IrValue v[3])
{
    v[0] = form == FORM_132 ? one : two;
    v[1] = form == FORM_213 ? one : three;
    v[2] = form == FORM_132 ? two : form == FORM_213 ? three : one;
}

static void tr_fma(X86Tr *tr, const X86Insn *i)
{
    IrVecOp op = i->arg & 0xfff;
    int form = i->arg & 0x3000;
    bool wide = sse_is_wide(i), scalar = i->op[2].size < 16;
    unsigned d = i->op[0].reg;
    IrValue one[2], two[2], three[2], r[2], v[3];

    if (!sse_enabled(tr)) {
        return;
    }
    /* PS, PD, SS, SD stand in this order. */
    op += (scalar ? 2 : 0) + i->rex_w;
    sse_source_wide(tr, i, 0, one);
    sse_source_wide(tr, i, 1, two);
    if (wide) {
        sse_source_wide(tr, i, 2, three);
    } else {
        three[0] = sse_source(tr, i, 2);
    }
    sse_exc_begin(tr, op);
    for (unsigned k = 0; k < 1u + wide; k++) {
        by_form(form, one[k], two[k], three[k], v);
        r[k] = sse_op(tr, op, v[0], v[1], v[2], 0);
    }
    sse_exc_end(tr, op);
    if (wide) {
        sse_put_wide(tr, d, r);
    } else if (scalar) {
        sse_put(tr, d, vec(tr, i->rex_w ? IR_V_MOVSD_VV : IR_V_MOVSS_VV, one[0], r[0], 0));
    } else {
        sse_put(tr, d, r[0]);
    }
}

/* ------------------------------------------------------------------ by helpers */

static IrValue mmu_mode(X86Tr *tr)
{
    return ir_i32(tr->ir, (tr->mmu & IR_MO_MMU) >> IR_MO_MMU_SHIFT);
}

/* Of @of's memory operand in its segment; the elements' segment checks are the helper's. */
static IrValue offset(X86Tr *tr, const X86Insn *i, const X86Insn *of, unsigned bytes, bool write)
{
    IrValue off = x86_offset(tr, of);

    if (tr->code64) {
        x86_linear_address(tr, i->seg, off, bytes, write);      /* what isn't canonical raises */
    }
    return off;
}

/* @arg: bytes of an element. What the mask leaves out isn't accessed. */
static void tr_maskmov(X86Tr *tr, const X86Insn *i)
{
    bool store = i->op[0].kind == XO_MEM;
    unsigned m = store ? 0 : 2, size = i->op[m].size, bytes = i->rex_w || i->arg == 8 ? 8 : 4;
    IrValue a;

    if (sse_enabled(tr)) {
        a = offset(tr, i, i, bytes, store);
        X86_CALL(tr, store ? &helper_maskmov_st : &helper_maskmov_ld, a,
                 ir_i32(tr->ir, i->op[store ? 2 : 0].reg), ir_i32(tr->ir, i->op[1].reg),
                 ir_i32(tr->ir, size | bytes << 8 | (unsigned)i->seg << 16), mmu_mode(tr));
    }
}

enum { INDEX_4 = 4, INDEX_8 = 8 };

/* Elements one after the other, their mask cleared as they arrive, so that a fault goes on
 * where it was. */
static void tr_gather(X86Tr *tr, const X86Insn *i)
{
    unsigned d = i->op[0].reg, mask = i->op[2].reg, bytes = i->op[1].size, size = i->op[0].size;
    X86Insn base = *i;
    IrValue a;

    if (!sse_enabled(tr)) {
        return;
    }
    if (d == mask || d == i->index || mask == i->index || i->base == XM_RIP) {
        x86_fault(tr, EXCP_UD);
        return;
    }
    base.index = XM_NO_REG;
    a = offset(tr, i, &base, bytes, false);
    X86_CALL(tr, &helper_gather, a,
             ir_i32(tr->ir, d | mask << 4 | (unsigned)i->index << 8 | i->scale << 12 |
                    (i->arg == INDEX_8) << 14 | (bytes == 8) << 15 | (size == 32) << 16 |
                    (unsigned)i->adsize << 20 | (unsigned)i->seg << 24),
             mmu_mode(tr));
}

#define FMA(OP, row) \
    FMA_FORMS(OP, "PS", row) FMA_FORMS(OP, "PD", row)
#define FMA_SCALAR(OP, row) \
    FMA(OP, row) FMA_FORMS(OP, "SS", row) FMA_FORMS(OP, "SD", row)
#define FMA_FORMS(OP, t, row) \
    { OP "132" t, tr_fma, (row) | FORM_132 }, { OP "213" t, tr_fma, (row) | FORM_213 }, \
    { OP "231" t, tr_fma, (row) | FORM_231 },

static const X86Handler avx_handlers[] = {
    { "VZEROUPPER", tr_vzero, 0 }, { "VZEROALL", tr_vzero, 1 },
    { "VBROADCASTSS", tr_broadcast, 4 }, { "VBROADCASTSD", tr_broadcast, 8 },
    { "VBROADCASTF128", tr_broadcast, 16 }, { "VBROADCASTI128", tr_broadcast, 16 },
    { "VPBROADCASTB", tr_broadcast, 1 }, { "VPBROADCASTW", tr_broadcast, 2 },
    { "VPBROADCASTD", tr_broadcast, 4 }, { "VPBROADCASTQ", tr_broadcast, 8 },
    { "VINSERTF128", tr_insert128, 0 }, { "VINSERTI128", tr_insert128, 0 },
    { "VEXTRACTF128", tr_extract128, 0 }, { "VEXTRACTI128", tr_extract128, 0 },
    { "VPERM2F128", tr_perm2x128, 0 }, { "VPERM2I128", tr_perm2x128, 0 },
    { "VPERMQ", tr_permq, 0 }, { "VPERMPD", tr_permq, 0 },
    { "VPERMD", tr_permd, 0 }, { "VPERMPS", tr_permd, 0 },
    { "VPERMILPS", tr_lanes, IR_V_VPERMILPS }, { "VPERMILPD", tr_lanes, IR_V_VPERMILPD },
    { "VPBLENDD", tr_lanes, IR_V_BLENDPS },
    { "VPSRLVD", tr_lanes, IR_V_VPSRLVD }, { "VPSRLVQ", tr_lanes, IR_V_VPSRLVQ },
    { "VPSRAVD", tr_lanes, IR_V_VPSRAVD }, { "VPSLLVD", tr_lanes, IR_V_VPSLLVD },
    { "VPSLLVQ", tr_lanes, IR_V_VPSLLVQ },
    { "VTESTPS", tr_vtest, 4 }, { "VTESTPD", tr_vtest, 8 },
    { "VCVTPH2PS", tr_cvtph2ps, 0 }, { "VCVTPS2PH", tr_cvtps2ph, 0 },
    { "VMASKMOVPS", tr_maskmov, 4 }, { "VMASKMOVPD", tr_maskmov, 8 },
    { "VPMASKMOVD", tr_maskmov, 4 }, { "VPMASKMOVQ", tr_maskmov, 8 },
    { "VPGATHERDD", tr_gather, INDEX_4 }, { "VPGATHERDQ", tr_gather, INDEX_4 },
    { "VPGATHERQD", tr_gather, INDEX_8 }, { "VPGATHERQQ", tr_gather, INDEX_8 },
    { "VGATHERDPS", tr_gather, INDEX_4 }, { "VGATHERDPD", tr_gather, INDEX_4 },
    { "VGATHERQPS", tr_gather, INDEX_8 }, { "VGATHERQPD", tr_gather, INDEX_8 },
    FMA_SCALAR("VFMADD", IR_V_FMADDPS) FMA_SCALAR("VFMSUB", IR_V_FMSUBPS)
    FMA_SCALAR("VFNMADD", IR_V_FNMADDPS) FMA_SCALAR("VFNMSUB", IR_V_FNMSUBPS)
    FMA("VFMADDSUB", IR_V_FMADDSUBPS) FMA("VFMSUBADD", IR_V_FMSUBADDPS)
    { NULL, NULL, 0 }
};
X86_HANDLERS(avx_handlers)

_Static_assert(IR_V_FMADDSD == IR_V_FMADDPS + 3 && IR_V_FMADDSUBPD == IR_V_FMADDSUBPS + 1,
               "tr_fma computes the row");
_Static_assert((int)IR_VEC_NUM < FORM_132, "the row fits beside the form");
