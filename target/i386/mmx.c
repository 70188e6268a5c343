/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MMX: the vector operations of the IR on the low halves of vectors. The registers
 * are the significands of the x87's (SDM vol. 1, 9.2.3); each instruction first calls a
 * helper that looks for exceptions, and so makes all x87 registers current in memory; the x87
 * state is that of MMX at the instruction's end.
 */
#include "util/osdep.h"
#include "target/i386/sse.h"
#include "tcg/vec.h"

static IrValue get_mmx(X86Tr *tr, unsigned n)
{
    return ir_vec(tr->ir, IR_V_MOVQ_VQ,
                  ir_ld_env(tr->ir, IR_I64, offsetof(X86State, st[n].m)), 0, 0, 0);
}

static void put_mmx_bits(X86Tr *tr, unsigned n, IrValue q)
{
    ir_st_env(tr->ir, offsetof(X86State, st[n].m), q);
    ir_st_env(tr->ir, offsetof(X86State, st[n].se), ir_i16(tr->ir, 0xffff));
}

static void put_mmx(X86Tr *tr, unsigned n, IrValue v)
{
    put_mmx_bits(tr, n, ir_vec(tr->ir, IR_V_MOVQ_QV, v, 0, 0, 0));
}

static IrValue vec(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, uint8_t imm)
{
    return ir_vec(tr->ir, op, a, b, 0, imm);
}

static IrValue join(X86Tr *tr, IrValue low, IrValue high)
{
    return vec(tr, IR_V_PUNPCKLQDQ, low, high, 0);
}

static IrValue high_half(X86Tr *tr, IrValue v)
{
    return vec(tr, IR_V_PSRLDQ_I, v, 0, 8);
}

/* MMX register or memory operand of 8 (or 4) bytes as the low half of a vector. */
static IrValue source(X86Tr *tr, const X86Insn *i, unsigned n)
{
    const X86Operand *o = &i->op[n];
    IrValue v;

    if (o->kind == XO_MMX) {
        return get_mmx(tr, o->reg);
    }
    if (o->kind == XO_XMM) {
        return ir_get(tr->ir, G_XMM0 + o->reg);
    }
    if (o->size == 16) {                /* CVTPD2PI */
        return sse_source(tr, i, n);
    }
    v = x86_load(tr, x86_address(tr, i, o->size, false), o->size);
    return vec(tr, o->size == 4 ? IR_V_MOVD_VL : IR_V_MOVQ_VQ, v, 0, 0);
}

/* Operations that don't work lane by lane on halves of vectors. */
static IrValue special(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, uint8_t imm)
{
    IrValue ab;

    switch (op) {
    case IR_V_PACKSSWB: case IR_V_PACKSSDW: case IR_V_PACKUSWB: case IR_V_PHADDW:
    case IR_V_PHADDD: case IR_V_PHADDSW: case IR_V_PHSUBW: case IR_V_PHSUBD: case IR_V_PHSUBSW:
        ab = join(tr, a, b);
        return vec(tr, op, ab, ab, 0);
    case IR_V_PUNPCKHBW:
        return high_half(tr, vec(tr, IR_V_PUNPCKLBW, a, b, 0));
    case IR_V_PUNPCKHWD:
        return high_half(tr, vec(tr, IR_V_PUNPCKLWD, a, b, 0));
    case IR_V_PUNPCKHDQ:
        return high_half(tr, vec(tr, IR_V_PUNPCKLDQ, a, b, 0));
    case IR_V_PSHUFB:       /* three bits of an index */
        b = vec(tr, IR_V_PAND, b, ir_vconst(tr->ir, UINT64_C(0x8787878787878787), 0), 0);
        return vec(tr, op, a, b, 0);
    case IR_V_PALIGNR:
        return vec(tr, IR_V_PSRLDQ_I, join(tr, b, a), 0, imm);
    default:
        return IR_NO_VALUE;
    }
}

static void to_xmm(X86Tr *tr, unsigned d, IrVecOp op, IrValue b)
{
    IrValue r = sse_vec(tr, op, b, 0, 0, 0);

    if (op == IR_V_CVTDQ2PS) {
        r = vec(tr, IR_V_MOVSD_VV, sse_get(tr, d, 0), r, 0);
    }
    sse_put(tr, d, r);
}

static void conversion(X86Tr *tr, const X86Insn *i, IrVecOp op, IrValue b)
{
    unsigned d = i->op[0].reg;

    mmx_commit(tr, false);              /* also where #XM follows */
    if (i->op[0].kind == XO_MMX) {
        if (op == IR_V_CVTPS2DQ || op == IR_V_CVTTPS2DQ) {
            b = vec(tr, IR_V_MOVQ_VV, b, 0, 0);         /* no flags from the upper lanes */
        }
        put_mmx(tr, d, sse_vec(tr, op, b, 0, 0, 0));
    } else {
        to_xmm(tr, d, op, b);
    }
}

static void moves(X86Tr *tr, const X86Insn *i)
{
    const X86Operand *d = &i->op[0], *s = &i->op[1];
    IrValue q;

    switch (d->kind) {
    case XO_MMX:
        if (s->kind == XO_MEM || s->kind == XO_REG) {
            q = x86_get(tr, i, 1);
            put_mmx_bits(tr, d->reg, s->size == 4 ? ir_zext(tr->ir, IR_I64, q) : q);
        } else {
            put_mmx(tr, d->reg, source(tr, i, 1));
        }
        break;
    case XO_XMM:
        ir_put(tr->ir, G_XMM0 + d->reg, get_mmx(tr, s->reg));
        break;
    default:
        q = ir_ld_env(tr->ir, IR_I64, offsetof(X86State, st[s->reg].m));
        x86_put(tr, i, 0, d->size == 4 ? ir_trunc(tr->ir, IR_I32, q) : q);
    }
}


static void operate(X86Tr *tr, const X86Insn *i, int op)
{
    const X86Operand *d = &i->op[0], *last = &i->op[i->n_ops - 1];
    uint8_t imm = last->kind == XO_IMM ? last->imm : 0;
    IrValue a, b, r;

    switch (op) {
    case IR_V_PMOVMSKB:
        x86_put_reg(tr, d->reg, 4, vec(tr, op, get_mmx(tr, i->op[1].reg), 0, 0));
        return;
    case IR_V_PEXTRW:
        x86_put_reg(tr, d->reg, 4, vec(tr, op, get_mmx(tr, i->op[1].reg), 0, imm & 3));
        return;
    case IR_V_PINSRW:
        b = i->op[1].kind == XO_MEM
            ? ir_zext(tr->ir, IR_I32, x86_load(tr, x86_address(tr, i, 2, false), 2))
            : x86_reg(tr, i->op[1].reg, 4);
        put_mmx(tr, d->reg, vec(tr, op, get_mmx(tr, d->reg), b, imm & 3));
        return;
    case IR_V_PSHUFLW:
        put_mmx(tr, d->reg, vec(tr, op, source(tr, i, 1), 0, imm));
        return;
    default:
        break;
    }
    if (i->op[1].kind == XO_IMM) {
        put_mmx(tr, d->reg, vec(tr, op - IR_V_PSLLW + IR_V_PSLLW_I, get_mmx(tr, d->reg), 0, imm));
        return;
    }
    b = source(tr, i, 1);
    if ((ir_vec_info[op].form & ~IR_VF_FP) == IR_VF_MV) {
        put_mmx(tr, d->reg, vec(tr, op, b, 0, 0));
        return;
    }
    a = get_mmx(tr, d->reg);
    r = special(tr, op, a, b, imm);
    put_mmx(tr, d->reg, r ? r : vec(tr, op, a, b, imm));
}

void mmx_commit(X86Tr *tr, bool empty)
{
    ir_st_env(tr->ir, offsetof(X86State, fpu_tag_empty),
              ir_i64(tr->ir, empty ? UINT64_C(0x0101010101010101) : 0));
    x87_put_top(tr, 0);
}

void tr_mmx(X86Tr *tr, const X86Insn *i)
{
    if (i->op[0].kind == XO_XMM && i->op[1].kind == XO_MEM) {
        if (sse_enabled(tr)) {          /* CVTPI2PS, CVTPI2PD: no MMX register, no MMX state */
            to_xmm(tr, i->op[0].reg, i->arg, sse_load_low(tr, i, 8));
        }
        return;
    }
    X86_CALL(tr, &helper_mmx_check);
    if (strncmp(i->mnemonic, "MOV", 3) == 0) {
        moves(tr, i);
    } else if (strncmp(i->mnemonic, "CVT", 3) == 0) {
        conversion(tr, i, i->arg, source(tr, i, 1));
        return;
    } else {
        operate(tr, i, i->arg);
    }
    mmx_commit(tr, false);
}

static void tr_emms(X86Tr *tr, UNUSED const X86Insn *i)
{
    X86_CALL(tr, &helper_mmx_check);
    mmx_commit(tr, true);
}

static const X86Handler mmx_handlers[] = {
    { "PSHUFW", tr_mmx, IR_V_PSHUFLW }, { "MOVNTQ", tr_mmx, 0 }, { "MOVQ2DQ", tr_mmx, 0 },
    { "MOVDQ2Q", tr_mmx, 0 }, { "CVTPI2PS", tr_mmx, IR_V_CVTDQ2PS },
    { "CVTPI2PD", tr_mmx, IR_V_CVTDQ2PD }, { "CVTPS2PI", tr_mmx, IR_V_CVTPS2DQ },
    { "CVTTPS2PI", tr_mmx, IR_V_CVTTPS2DQ }, { "CVTPD2PI", tr_mmx, IR_V_CVTPD2DQ },
    { "CVTTPD2PI", tr_mmx, IR_V_CVTTPD2DQ }, { "EMMS", tr_emms, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(mmx_handlers)
