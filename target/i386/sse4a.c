/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What AMD's processors have beside: SSE4a (APM vol. 4, EXTRQ, INSERTQ; MOVNTSS and MOVNTSD are sse.c's) and CLZERO (vol. 3).
 */
#include "util/osdep.h"
#include "target/i386/sse.h"

/* Length (0: 64) and first bit of a field, as the low bytes of @control have them. */
static uint64_t field_mask(uint32_t control)
{
    unsigned length = control & 63;

    return length ? MASK64(0, length) : UINT64_MAX;
}

static uint64_t extrq(uint64_t v, uint32_t control)
{
    return v >> (control >> 8 & 63) & field_mask(control);
}

static uint64_t insertq(uint64_t v, uint64_t field, uint32_t control)
{
    uint64_t mask = field_mask(control);
    unsigned at = control >> 8 & 63;

    return (v & ~(mask << at)) | (field & mask) << at;
}

static const IrHelper h_extrq = { "extrq", (void *)extrq, "q:ql", IR_H_PURE, 0, 0 };
static const IrHelper h_insertq = { "insertq", (void *)insertq, "q:qql", IR_H_PURE, 0, 0 };

static IrValue low(X86Tr *tr, unsigned reg)
{
    return ir_vec(tr->ir, IR_V_PEXTRQ, sse_get(tr, reg, 0), 0, 0, 0);
}

/* Immediates, or the low or high quadword of operand 1. @arg: 1 INSERTQ. */
static void tr_field(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned d = i->op[0].reg, first = i->arg ? 2 : 1;
    IrValue control, v;

    if (!sse_enabled(tr)) {
        return;
    }
    if (i->n_ops > 2) {
        control = ir_i32(ir, (i->op[first].imm & 0xff) | (i->op[first + 1].imm & 0xff) << 8);
    } else {
        v = ir_vec(ir, IR_V_PEXTRQ, sse_get(tr, i->op[1].reg, 0), 0, 0, i->arg);
        control = ir_trunc(ir, IR_I32, v);
    }
    if (i->arg) {
        v = X86_CALL(tr, &h_insertq, low(tr, d), low(tr, i->op[1].reg), control);
    } else {
        v = X86_CALL(tr, &h_extrq, low(tr, d), control);
    }
    /* The upper half is undefined; it becomes 0, as on family 17h. */
    sse_put(tr, d, ir_vec(ir, IR_V_MOVQ_VQ, v, 0, 0, 0));
}

/* The line of 64 bytes at rAX. */
static void tr_clzero(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue off = ir_and(ir, IR_I64, ir_zext(ir, IR_I64, x86_reg(tr, R_AX, i->adsize)), ir_i64(ir, ~UINT64_C(63)));
    IrValue a = x86_linear_address(tr, i->seg_override >= 0 ? i->seg_override : S_DS, off, 64, true);
    IrValue zero = ir_vconst(ir, 0, 0);

    for (unsigned k = 0; k < 64; k += 16) {
        ir_st(ir, k ? ir_add(ir, IR_I64, a, ir_i64(ir, k)) : a, zero, x86_memop(tr, 16));
    }
}

static const X86Handler amd_handlers[] = {
    { "EXTRQ", tr_field, 0 }, { "INSERTQ", tr_field, 1 }, { "CLZERO", tr_clzero, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(amd_handlers)
