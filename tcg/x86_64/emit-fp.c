/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * F32 and F64 in vector registers. The host's MXCSR is the guest's while
 * generated code runs. F80: emit-x87.c.
 */
#include "util/osdep.h"
#include "tcg/x86_64/backend.h"

static uint32_t scalar(IrType t)
{
    return X_0F | (t == IR_F64 ? X_F2 : X_F3);
}

static void emit_arith(Cg *cg, IrValue i, IrOp *op)
{
    static const uint8_t code[] = { 0x58, 0x5c, 0x59, 0x5e };   /* ADD SUB MUL DIV */
    uint32_t o = code[op->opcode - IR_FADD] | scalar(op->type);
    int ra = ra_use(cg, op->arg[0]), rb = ra_use(cg, op->arg[1]);
    int d = ra_def(cg, i, ra, cg->a.has_avx || ra == rb ? 0 : 1u << rb);

    cg_vop(cg, o, d, ra, rb);
}

static void emit_sign(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    uint64_t sign = op->type == IR_F32 ? BIT64(31) : BIT64(63);
    int ra = ra_use(cg, op->arg[0]), d = ra_def(cg, i, ra, 0);
    uint32_t o = (op->opcode == IR_FNEG ? 0x57 : 0x54) | X_0F;      /* XORPS, ANDPS */
    Mem m = { R_NONE, R_NONE, 0, true, 0 };

    if (a->has_avx) {
        x_vrm(a, o, d & 15, ra & 15, m);
    } else {
        if (d != ra) {
            x_movaps(a, d, ra);
        }
        x_rm(a, o, d & 15, m);
    }
    cg_pool(cg, op->opcode == IR_FNEG ? sign : ~sign, 0);
}

/* d = f(a), the upper lanes of d being anybody's. */
static void one_operand(Cg *cg, uint32_t o, int d, int s)
{
    if (cg->a.has_avx) {
        x_vrr(&cg->a, o, d & 15, d & 15, s & 15);
    } else {
        x_rr(&cg->a, o, d & 15, s & 15);
    }
}

static void emit_fcvt(Cg *cg, IrValue i, IrOp *op, IrType from)
{
    Asm *a = &cg->a;
    int s = ra_use(cg, op->arg[0]);

    if (type_is_int(from)) {
        int d = ra_def(cg, i, R_NONE, 0);
        cg_load_v128(cg, d, 0, 0);              /* no dependency on the old value */
        uint32_t o = 0x2a | scalar(op->type) | (from == IR_I64 ? X_W : 0);
        if (a->has_avx) {
            x_vrr(a, o, d & 15, d & 15, s);
        } else {
            x_rr(a, o, d & 15, s);
        }
        return;
    }
    int d = ra_def(cg, i, s, 0);
    if (from == op->type) {
        cg_move(cg, IR_V128, d, s);
    } else {
        one_operand(cg, 0x5a | scalar(from), d, s);
    }
}

static void emit_ftoi(Cg *cg, IrValue i, IrOp *op, IrType from)
{
    Asm *a = &cg->a;
    int s = ra_use(cg, op->arg[0]), d = ra_def(cg, i, R_NONE, 0);
    uint32_t o = (op->cond ? 0x2c : 0x2d) | scalar(from) | (op->type == IR_I64 ? X_W : 0);

    if (a->has_avx) {
        x_vrr(a, o, d, R_NONE, s & 15);
    } else {
        x_rr(a, o, d, s & 15);
    }
    if (op->type == IR_I16) {
        /* Out of range: the integer indefinite. */
        int t = ra_scratch(cg);
        x_movsx(a, 2, false, t, d);
        x_alu_rr(a, ALU_CMP, false, t, d);
        x_mov_rr(a, false, t, d);
        a->flags.kind = FL_RESULT;              /* no XOR: the flags are in use */
        x_mov_ri(a, d, 0x8000);
        x_rr(a, 0x40 | X_E | X_0F, d, t);       /* CMOVE */
        x_flags_lost(a);
    }
}

bool emit_fp(Cg *cg, IrValue i, IrOp *op)
{
    Asm *a = &cg->a;
    IrType from = op->nargs ? cg_op(cg, op->arg[0])->type : IR_VOID;

    if (op->type == IR_F80 || from == IR_F80) {
        return false;
    }
    switch (op->opcode) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
        emit_arith(cg, i, op);
        return true;
    case IR_FSQRT:
    case IR_FRINT: {
        int s = ra_use(cg, op->arg[0]), d = ra_def(cg, i, s, 0);
        if (op->opcode == IR_FSQRT) {
            one_operand(cg, 0x51 | scalar(op->type), d, s);
        } else {                                /* ROUNDSS/SD, MXCSR's rounding (SSE4.1) */
            one_operand(cg, (op->type == IR_F64 ? 0x0b : 0x0a) | X_66 | X_0F3A, d, s);
            x_byte(a, 4);
        }
        return true;
    }
    case IR_FNEG:
    case IR_FABS:
        emit_sign(cg, i, op);
        return true;
    case IR_FCMP: {
        ra_fixed(cg, R_RAX);
        int ra = ra_use(cg, op->arg[0]), rb = ra_use(cg, op->arg[1]);
        uint32_t o = (op->cond ? 0x2f : 0x2e) | X_0F | (from == IR_F64 ? X_66 : 0);
        x_flags_lost(a);
        if (a->has_avx) {
            x_vrr(a, o, ra & 15, R_NONE, rb & 15);
        } else {
            x_rr(a, o, ra & 15, rb & 15);
        }
        cg_flags_value(cg, i);
        return true;
    }
    case IR_FCVT:
        emit_fcvt(cg, i, op, from);
        return true;
    case IR_FTOI:
        emit_ftoi(cg, i, op, from);
        return true;
    case IR_FBITS: {
        bool wide = ir_type_bits(op->type) == 64;
        int s = ra_use(cg, op->arg[0]), d = ra_def(cg, i, s, 0);
        uint32_t w = wide ? X_W : 0;
        if (type_is_int(op->type) == type_is_int(from)) {
            cg_move(cg, op->type, d, s);
        } else if (type_is_int(from)) {
            if (a->has_avx) {
                x_vrr(a, 0x6e | X_66 | X_0F | w, d & 15, R_NONE, s);
            } else {
                x_rr(a, 0x6e | X_66 | X_0F | w, d & 15, s);
            }
        } else if (a->has_avx) {
            x_vrr(a, 0x7e | X_66 | X_0F | w, s & 15, R_NONE, d);
        } else {
            x_rr(a, 0x7e | X_66 | X_0F | w, s & 15, d);
        }
        return true;
    }
    default:
        return false;
    }
}
