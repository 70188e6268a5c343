/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jumps, calls, returns, loops, software interrupts: SDM vol. 1, 7.3.8; vol. 2.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

extern const IrHelper x86_h_far_jump, x86_h_far_call, x86_h_far_ret, x86_h_iret, x86_h_soft_int,
                      x86_h_into, x86_h_int1;

static uint64_t target_of(X86Tr *tr, const X86Insn *i, int64_t disp)
{
    uint64_t pc = tr->next_pc + disp;

    return i->opsize == 2 ? pc & 0xffff : i->opsize == 4 ? pc & UINT32_MAX : pc;
}

static IrValue wide(X86Tr *tr, IrValue v)
{
    return ir_zext(tr->ir, IR_I64, v);
}

/* The target of a jump whose displacement is patched all the time, else IR_NO_VALUE. */
static IrValue patched_target(X86Tr *tr, const X86Insn *i)
{
    const X86Operand *o = &i->op[0];
    IrValue d = i->opsize == 8 ? x86_code_bytes(tr, o->at, o->enc, 8) : IR_NO_VALUE;

    return d ? ir_add(tr->ir, IR_I64, ir_pc(tr->ir, tcg_pc_offset(tr->t, tr->next_pc)), d) : d;
}

/* #GP(0) at the jump if @pc (I64) lies beyond the code segment (SDM vol. 2, JMP). */
static IrValue cs_limit(X86Tr *tr)
{
    return wide(tr, ir_ld_env(tr->ir, IR_I32, offsetof(X86State, seg[S_CS].limit)));
}

static void check_target(X86Tr *tr, IrValue pc)
{
    if (!tr->code64 && !(tr->mode & MW_CSFLAT)) {
        x86_fault_if(tr, IR_GTU, IR_I64, pc, cs_limit(tr), EXCP_GP, true, 0);
    }
}

/* The same of a direct jump, @c: if taken. What was inside when it was translated is taken to be so later. */
static void check_direct(X86Tr *tr, const X86Cond *c, uint64_t target)
{
    IrRegion *ir = tr->ir;
    IrValue pc;

    if (tr->code64 || tr->mode & MW_CSFLAT || target <= tr->s->seg[S_CS].limit) {
        return;
    }
    pc = ir_pc(ir, tcg_pc_offset(tr->t, target));
    if (!c) {
        check_target(tr, pc);
    } else {
        IrValue beyond = ir_setcond(ir, IR_GTU, IR_I64, pc, cs_limit(tr));

        beyond = ir_and(ir, IR_I8, beyond, ir_setcond(ir, c->c, c->t, c->a, c->b));
        x86_fault_if(tr, IR_NE, IR_I8, beyond, ir_i8(ir, 0), EXCP_GP, true, 0);
    }
}

static void tr_jmp(X86Tr *tr, const X86Insn *i)
{
    IrValue target = patched_target(tr, i);

    if (target) {
        x86_jump_value(tr, target, IR_JUMP_PLAIN);
        return;
    }
    check_direct(tr, NULL, target_of(tr, i, i->op[0].imm));
    x86_jump(tr, target_of(tr, i, i->op[0].imm));
}

static void tr_jcc(X86Tr *tr, const X86Insn *i)
{
    X86Cond c = x86_cond(tr, i->cond);
    uint64_t target = target_of(tr, i, i->op[0].imm);

    check_direct(tr, &c, target);
    x86_jump_if(tr, c, target);
    if (tr->one) {
        x86_leave(tr, tr->next_pc);
    }
}

/* JCXZ, LOOP, LOOPE, LOOPNE. */
enum { L_CXZ, L_LOOP, L_LOOPE, L_LOOPNE };
static void tr_loop(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->adsize;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue cx = x86_reg(tr, R_CX, size), zero = ir_const(ir, t, 0);
    X86Cond c = { IR_EQ, t, cx, zero };
    uint64_t target = target_of(tr, i, i->op[0].imm);

    if (i->arg != L_CXZ) {
        cx = ir_sub(ir, t, cx, ir_const(ir, t, 1));
        c = (X86Cond){ IR_NE, t, cx, zero };
    }
    if (i->arg == L_LOOPE || i->arg == L_LOOPNE) {
        X86Cond z = x86_cond(tr, i->arg == L_LOOPE ? 4 : 5);
        IrValue both = ir_and(ir, IR_I8, ir_setcond(ir, z.c, z.t, z.a, z.b),
                              ir_setcond(ir, c.c, c.t, c.a, c.b));

        c = (X86Cond){ IR_NE, IR_I8, both, ir_i8(ir, 0) };
    }
    check_direct(tr, &c, target);
    if (i->arg != L_CXZ) {
        x86_put_reg(tr, R_CX, size, cx);
    }
    x86_jump_if(tr, c, target);
    if (tr->one) {
        x86_leave(tr, tr->next_pc);
    }
}

static void tr_jmp_indirect(X86Tr *tr, const X86Insn *i)
{
    IrValue v = wide(tr, x86_get(tr, i, 0));

    check_target(tr, v);
    x86_jump_value(tr, v, IR_JUMP_PLAIN);
}

static void tr_call(X86Tr *tr, const X86Insn *i)
{
    IrValue target = patched_target(tr, i);

    check_direct(tr, NULL, target_of(tr, i, i->op[0].imm));
    x86_push(tr, x86_next_pc(tr, i->opsize));
    if (target) {
        x86_jump_value(tr, target, IR_JUMP_CALL);
        return;
    }
    x86_leave(tr, target_of(tr, i, i->op[0].imm));
}

static void tr_call_indirect(X86Tr *tr, const X86Insn *i)
{
    IrValue v = wide(tr, x86_get(tr, i, 0));

    check_target(tr, v);
    x86_push(tr, x86_next_pc(tr, i->opsize));
    x86_jump_value(tr, v, IR_JUMP_CALL);
}

static void tr_ret(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr);
    unsigned drop = i->n_ops ? i->op[0].imm & 0xffff : 0;
    IrType t = x86_type(ss);
    IrValue sp = x86_reg(tr, R_SP, ss);
    IrValue v = x86_load(tr, x86_stack_address(tr, sp, 0, size, false), size);

    check_target(tr, wide(tr, v));
    x86_put_reg(tr, R_SP, ss, ir_add(tr->ir, t, sp, ir_const(tr->ir, t, size + drop)));
    x86_jump_value(tr, wide(tr, v), IR_JUMP_RET);
}

/* ---------------------------------------------------------------- far ones */

static void far(X86Tr *tr, const X86Insn *i, const IrHelper *h, IrValue sel, IrValue off)
{
    X86_CALL(tr, h, sel, off, ir_i32(tr->ir, i->opsize), x86_next_pc(tr, 8));
    x86_go_on(tr);
}

static void tr_far_direct(X86Tr *tr, const X86Insn *i)
{
    far(tr, i, i->arg ? &x86_h_far_call : &x86_h_far_jump, ir_i32(tr->ir, i->sel),
        ir_i64(tr->ir, i->op[0].imm));
}

static void tr_far_indirect(X86Tr *tr, const X86Insn *i)
{
    IrValue off, sel;

    x86_load_pointer(tr, i, &off, &sel);
    far(tr, i, i->arg ? &x86_h_far_call : &x86_h_far_jump, ir_zext(tr->ir, IR_I32, sel),
        wide(tr, off));
}

static void tr_far_ret(X86Tr *tr, const X86Insn *i)
{
    X86_CALL(tr, &x86_h_far_ret, ir_i32(tr->ir, i->opsize),
             ir_i32(tr->ir, i->n_ops ? i->op[0].imm & 0xffff : 0));
    x86_go_on(tr);
}

static void tr_iret(X86Tr *tr, const X86Insn *i)
{
    X86_CALL(tr, &x86_h_iret, ir_i32(tr->ir, i->opsize), x86_next_pc(tr, 8));
    tr->no_step = true;
    x86_go_on(tr);
}

static void soft_int(X86Tr *tr, const X86Insn *i, unsigned vector)
{
    X86_CALL(tr, &x86_h_soft_int, ir_i32(tr->ir, vector), ir_i32(tr->ir, i->len));
    ir_unreachable(tr->ir);
    tr->ended = true;
}

static void tr_int(X86Tr *tr, const X86Insn *i)
{
    soft_int(tr, i, i->op[0].imm & 0xff);
}

static void tr_int3(X86Tr *tr, const X86Insn *i)
{
    soft_int(tr, i, EXCP_BP);
}

static void tr_into(X86Tr *tr, const X86Insn *i)
{
    X86Cond c = x86_cond(tr, 0);

    X86_CALL(tr, &x86_h_into, ir_zext(tr->ir, IR_I32, ir_setcond(tr->ir, c.c, c.t, c.a, c.b)),
             ir_i32(tr->ir, i->len));
}

static void tr_int1(X86Tr *tr, const X86Insn *i)
{
    X86_CALL(tr, &x86_h_int1, ir_i32(tr->ir, i->len));
    ir_unreachable(tr->ir);
    tr->ended = true;
}

static void tr_ud(X86Tr *tr, UNUSED const X86Insn *i)
{
    x86_fault(tr, EXCP_UD);
}

static const X86Handler control_handlers[] = {
    { "JMP", tr_jmp, 0 }, { "JCC", tr_jcc, 0 }, { "JCXZ", tr_loop, L_CXZ },
    { "LOOP", tr_loop, L_LOOP }, { "LOOPE", tr_loop, L_LOOPE }, { "LOOPNE", tr_loop, L_LOOPNE },
    { "JMPI", tr_jmp_indirect, 0 }, { "CALL", tr_call, 0 }, { "CALLI", tr_call_indirect, 0 },
    { "RET", tr_ret, 0 }, { "JMPF", tr_far_direct, 0 }, { "CALLF", tr_far_direct, 1 },
    { "JMPFI", tr_far_indirect, 0 }, { "CALLFI", tr_far_indirect, 1 }, { "RETF", tr_far_ret, 0 },
    { "IRET", tr_iret, 0 }, { "INT", tr_int, 0 }, { "INT3", tr_int3, 0 }, { "INTO", tr_into, 0 },
    { "INT1", tr_int1, 0 }, { "UD0", tr_ud, 0 }, { "UD1", tr_ud, 0 }, { "UD2", tr_ud, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(control_handlers)
