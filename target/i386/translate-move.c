/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data transfer, stack, flag transfer: SDM vol. 1, 7.3.1, 7.3.13, 7.3.14; vol. 2.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

extern const IrHelper x86_h_load_seg, x86_h_cmpxchg16b, x86_h_popf, x86_h_popf_virtual;

static void tr_mov(X86Tr *tr, const X86Insn *i)
{
    x86_put(tr, i, 0, x86_get(tr, i, 1));
}

static void tr_lea(X86Tr *tr, const X86Insn *i)
{
    x86_put(tr, i, 0, ir_trunc(tr->ir, x86_type(i->op[0].size), x86_offset(tr, i)));
}

static void tr_movzx(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrValue v = x86_get(tr, i, 1);

    if (i->op[1].size > i->op[0].size) {
        v = ir_trunc(tr->ir, t, v);         /* MOVSXD with a 16-bit register */
    } else {
        v = i->arg ? ir_sext(tr->ir, t, v) : ir_zext(tr->ir, t, v);
    }
    x86_put(tr, i, 0, v);
}

static void tr_xchg(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrValue a, b = x86_get(tr, i, 1);

    if (i->op[0].kind == XO_MEM && tr->s->generation == X86_8086) {
        a = x86_get_rmw(tr, i, 0);
        x86_put(tr, i, 0, b);
        x86_put(tr, i, 1, a);
    } else if (i->op[0].kind == XO_MEM) {
        a = ir_atomic(tr->ir, IR_ATOMIC_XCHG, t, x86_address(tr, i, i->op[0].size, true), b,
                      x86_memop(tr, i->op[0].size) | IR_MO_ATOMIC);
        x86_put(tr, i, 1, a);
    } else if (i->op[0].reg != i->op[1].reg || i->op[0].high != i->op[1].high) {
        a = x86_get(tr, i, 0);
        x86_put(tr, i, 0, b);
        x86_put(tr, i, 1, a);
    } else if (i->op[0].size == 4 && i->n_ops == 2 && i->modrm) {
        x86_put(tr, i, 0, b);               /* 87 /r clears the upper half; 90 is NOP */
    }
}

static void tr_bswap(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);

    x86_put(tr, i, 0, t == IR_I16 ? ir_i16(tr->ir, 0)
                                  : ir_un(tr->ir, IR_BSWAP, t, x86_get(tr, i, 0)));
}

static void tr_movbe(X86Tr *tr, const X86Insn *i)
{
    x86_put(tr, i, 0, ir_un(tr->ir, IR_BSWAP, x86_type(i->op[0].size), x86_get(tr, i, 1)));
}

static void tr_cmov(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->op[0].size);
    IrValue v = x86_get(tr, i, 1);
    X86Cond c = x86_cond(tr, i->cond);

    x86_put(tr, i, 0, ir_select(tr->ir, c.c, c.t, c.a, c.b, t, v, x86_get(tr, i, 0)));
}

static void tr_setcc(X86Tr *tr, const X86Insn *i)
{
    X86Cond c = x86_cond(tr, i->cond);

    x86_put(tr, i, 0, ir_setcond(tr->ir, c.c, c.t, c.a, c.b));
}

/* CBW, CWDE, CDQE. */
static void tr_cbw(X86Tr *tr, const X86Insn *i)
{
    x86_put_reg(tr, R_AX, i->opsize, ir_sext(tr->ir, x86_type(i->opsize),
                                             x86_reg(tr, R_AX, i->opsize / 2)));
}

/* CWD, CDQ, CQO. */
static void tr_cwd(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->opsize);

    x86_put_reg(tr, R_DX, i->opsize, ir_sar(tr->ir, t, x86_reg(tr, R_AX, i->opsize),
                                            ir_const(tr->ir, t, i->opsize * 8 - 1)));
}

static void tr_xlat(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(i->adsize);
    IrValue off = ir_add(ir, t, x86_reg(tr, R_BX, i->adsize),
                         ir_zext(ir, t, x86_reg(tr, R_AX, 1)));
    unsigned seg = i->seg_override >= 0 ? i->seg_override : S_DS;
    IrValue lin = x86_linear_address(tr, seg, ir_zext(ir, IR_I64, off), 1, false);

    x86_put_reg(tr, R_AX, 1, x86_load(tr, lin, 1));
}

static void tr_cmpxchg8b(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue lin = x86_address(tr, i, i->op[0].size, true), expect, v, old, eq;

    if (i->op[0].size == 16) {
        x86_fault_if(tr, IR_TST_NZ, IR_I64, lin, ir_i64(ir, 15), EXCP_GP, true, 0);
        eq = X86_CALL(tr, &x86_h_cmpxchg16b, lin);
        x86_change_flags(tr, FL_ZF, ir_shl(ir, IR_I32, eq, ir_i32(ir, 6)), IR_NO_VALUE);
        return;
    }
    expect = ir_or(ir, IR_I64, ir_zext(ir, IR_I64, x86_reg(tr, R_AX, 4)),
                   ir_shl(ir, IR_I64, x86_reg(tr, R_DX, 8), ir_i64(ir, 32)));
    v = ir_or(ir, IR_I64, ir_zext(ir, IR_I64, x86_reg(tr, R_BX, 4)),
              ir_shl(ir, IR_I64, x86_reg(tr, R_CX, 8), ir_i64(ir, 32)));
    old = ir_cmpxchg(ir, IR_I64, lin, expect, v, x86_memop(tr, 8) | IR_MO_ATOMIC);
    eq = ir_setcond(ir, IR_EQ, IR_I64, old, expect);
    /* EDX:EAX are written only if they differ. */
    x86_put_reg(tr, R_AX, 8, ir_select(ir, IR_EQ, IR_I64, old, expect, IR_I64,
                                       x86_reg(tr, R_AX, 8),
                                       ir_and(ir, IR_I64, old, ir_i64(ir, UINT32_MAX))));
    x86_put_reg(tr, R_DX, 8, ir_select(ir, IR_EQ, IR_I64, old, expect, IR_I64,
                                       x86_reg(tr, R_DX, 8),
                                       ir_shr(ir, IR_I64, old, ir_i64(ir, 32))));
    x86_change_flags(tr, FL_ZF, ir_shl(ir, IR_I32, ir_zext(ir, IR_I32, eq), ir_i32(ir, 6)),
                     IR_NO_VALUE);
}

/* ----------------------------------------------------------------- segments */

static IrValue selector_of(X86Tr *tr, unsigned seg)
{
    return ir_ld_env(tr->ir, IR_I16, offsetof(X86State, seg[seg].selector));
}

/* Behind the instruction that loads @seg: the helper has given the new mode word. */
static void segment_loaded(X86Tr *tr, unsigned seg, IrValue mode)
{
    tr->no_step = seg == S_SS;
    x86_exit_if_mode(tr, mode, seg != S_SS);
}

static void load_segment(X86Tr *tr, unsigned seg, IrValue sel)
{
    segment_loaded(tr, seg, X86_CALL(tr, &x86_h_load_seg, ir_i32(tr->ir, seg),
                                     ir_zext(tr->ir, IR_I32, sel)));
}

static void tr_mov_from_seg(X86Tr *tr, const X86Insn *i)
{
    IrValue v = selector_of(tr, i->op[1].reg);

    if (i->op[0].kind == XO_MEM) {
        x86_store(tr, x86_address(tr, i, 2, true), v);
    } else {
        x86_put(tr, i, 0, ir_zext(tr->ir, x86_type(i->op[0].size), v));
    }
}

static void tr_mov_to_seg(X86Tr *tr, const X86Insn *i)
{
    if (i->op[0].reg == S_CS) {
        x86_fault(tr, EXCP_UD);
        return;
    }
    load_segment(tr, i->op[0].reg, x86_get(tr, i, 1));
}

/* LDS and its kin: @arg is the segment. */
static void tr_load_far(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue off, sel, mode;

    x86_load_pointer(tr, i, &off, &sel);
    mode = X86_CALL(tr, &x86_h_load_seg, ir_i32(ir, i->arg), ir_zext(ir, IR_I32, sel));
    x86_put(tr, i, 0, off);
    segment_loaded(tr, i->arg, mode);
}

/* -------------------------------------------------------------------- stack */

static void tr_push(X86Tr *tr, const X86Insn *i)
{
    IrType t = x86_type(i->opsize);
    const X86Operand *o = &i->op[0];

    if (o->kind == XO_SEG) {
        x86_push(tr, ir_zext(tr->ir, t, selector_of(tr, o->reg)));
    } else if (o->kind == XO_IMM) {
        x86_push(tr, ir_const(tr->ir, t, o->imm));
    } else {
        x86_push(tr, x86_get(tr, i, 0));
    }
}

static IrValue moved_sp(X86Tr *tr, int64_t delta)
{
    unsigned size = x86_stack_size(tr);

    return ir_add(tr->ir, x86_type(size), x86_reg(tr, R_SP, size),
                  ir_const(tr->ir, x86_type(size), delta));
}

static void tr_pop(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr);
    const X86Operand *o = &i->op[0];
    IrValue v, sp;

    v = x86_load(tr, x86_stack_address(tr, x86_reg(tr, R_SP, ss), 0, size, false), size);
    sp = moved_sp(tr, size);
    if (o->kind == XO_SEG) {
        IrValue mode = X86_CALL(tr, &x86_h_load_seg, ir_i32(tr->ir, o->reg),
                                ir_and(tr->ir, IR_I32, size == 8 ? ir_trunc(tr->ir, IR_I32, v)
                                                                 : ir_zext(tr->ir, IR_I32, v),
                                       ir_i32(tr->ir, 0xffff)));

        x86_put_reg(tr, R_SP, ss, sp);
        segment_loaded(tr, o->reg, mode);
    } else if (o->kind == XO_MEM && tr->s->generation == X86_286) {
        x86_put_reg(tr, R_SP, ss, sp);          /* stays moved if the store faults */
        ir_commit_pending(tr->ir);
        tr->ir->last_snap = 0;
        x86_store(tr, x86_address(tr, i, size, true), v);
    } else if (o->kind == XO_MEM) {
        /* An address with rSP has it after the increment; a fault leaves it as it was. */
        IrValue known[4], lin;

        memcpy(known, tr->reg[R_SP], sizeof(known));
        memset(tr->reg[R_SP], 0, sizeof(known));
        tr->reg[R_SP][3] = ss == 8 ? sp :
            ss == 4 ? ir_zext(tr->ir, IR_I64, sp) :
                      ir_deposit(tr->ir, IR_I64, known[3], ir_zext(tr->ir, IR_I64, sp), 0, 16);
        lin = x86_address(tr, i, size, true);
        memcpy(tr->reg[R_SP], known, sizeof(known));
        x86_store(tr, lin, v);
        x86_put_reg(tr, R_SP, ss, sp);
    } else {
        x86_put_reg(tr, R_SP, ss, sp);
        x86_put(tr, i, 0, v);
    }
}

static void tr_pusha(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr);
    IrValue sp = x86_reg(tr, R_SP, ss);

    /* All or nothing, as far as pages go: the last one first. */
    ir_probe(tr->ir, x86_stack_address(tr, sp, -(int64_t)(8 * size), size, true),
             x86_memop(tr, size), true);
    for (unsigned k = 0; k < 8; k++) {
        x86_store(tr, x86_stack_address(tr, sp, -(int64_t)((k + 1) * size), size, true),
                  x86_reg(tr, k, size));
    }
    x86_put_reg(tr, R_SP, ss, moved_sp(tr, -(int64_t)(8 * size)));
}

static void tr_popa(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr);
    IrValue sp = x86_reg(tr, R_SP, ss), v[8];

    /* From the lowest address on: a fault names the first that is missing. */
    for (unsigned k = 8; k-- > 0; ) {
        v[k] = k == R_SP ? IR_NO_VALUE :
            x86_load(tr, x86_stack_address(tr, sp, (7 - k) * size, size, false), size);
    }
    for (unsigned k = 0; k < 8; k++) {
        if (k != R_SP) {
            x86_put_reg(tr, k, size, v[k]);
        }
    }
    x86_put_reg(tr, R_SP, ss, ir_add(tr->ir, x86_type(ss), sp,
                                     ir_const(tr->ir, x86_type(ss), 8 * size)));
}

static void tr_enter(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr), level = i->op[1].imm & 31;
    unsigned alloc = i->op[0].imm & 0xffff;
    IrRegion *ir = tr->ir;
    IrType t = x86_type(ss);
    IrValue sp = x86_reg(tr, R_SP, ss), bp = x86_reg(tr, R_BP, ss), frame, f;
    int64_t down = -(int64_t)size;

    x86_store(tr, x86_stack_address(tr, sp, down, size, true), x86_reg(tr, R_BP, size));
    frame = ir_add(ir, t, sp, ir_const(ir, t, down));
    for (unsigned k = 1; k < level; k++) {
        IrValue v = x86_load(tr, x86_stack_address(tr, bp, -(int64_t)(k * size), size, false),
                             size);

        down -= size;
        x86_store(tr, x86_stack_address(tr, sp, down, size, true), v);
    }
    /* As wide as the operand: ESP with a 16-bit stack keeps its upper half. */
    f = size == ss ? frame : size < ss ? ir_trunc(ir, x86_type(size), frame)
        : ir_deposit(ir, x86_type(size), x86_reg(tr, R_SP, size),
                     ir_zext(ir, x86_type(size), frame), 0, 8 * ss);
    if (level) {
        down -= size;
        x86_store(tr, x86_stack_address(tr, sp, down, size, true), f);
    }
    down -= alloc;
    /* The new top must be writable (SDM vol. 2, ENTER). */
    ir_probe(ir, x86_stack_address(tr, sp, down, size, true), x86_memop(tr, size), true);
    x86_put_reg(tr, R_SP, ss, ir_add(ir, t, sp, ir_const(ir, t, down)));
    x86_put_reg(tr, R_BP, size, f);
}

static void tr_leave(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr);
    IrType t = x86_type(ss);
    IrValue bp = x86_reg(tr, R_BP, ss);
    IrValue v = x86_load(tr, x86_stack_address(tr, bp, 0, size, false), size);

    x86_put_reg(tr, R_SP, ss, ir_add(tr->ir, t, bp, ir_const(tr->ir, t, size)));
    x86_put_reg(tr, R_BP, size, v);
}

/* -------------------------------------------------------------------- flags */

/* Virtual-8086 mode with IOPL below 3: CR4.VME makes the 16-bit forms work on VIF. False: it raises. */
static bool vme_allows(X86Tr *tr, const X86Insn *i)
{
    IrValue cr4 = ir_ld_env(tr->ir, IR_I64, offsetof(X86State, cr[4]));

    if (i->opsize != 2) {
        x86_fault_code(tr, EXCP_GP, 0);
        return false;
    }
    x86_fault_if(tr, IR_TST_Z, IR_I64, cr4, ir_i64(tr->ir, CR4_VME), EXCP_GP, true, 0);
    return true;
}

static void tr_pushf(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue f, df;
    bool virtual = (tr->mode & MW_VM) && !(tr->mode & MW_IOPL_OK);

    if (virtual && !vme_allows(tr, i)) {
        return;
    }
    f = ir_and(ir, IR_I32, ir_ld_env(ir, IR_I32, offsetof(X86State, eflags)),
               ir_i32(ir, ~(uint32_t)(FL_RF | FL_VM | FL_ARITH | FL_DF)));
    df = ir_and(ir, IR_I32, ir_trunc(ir, IR_I32, ir_get(ir, G_DF)), ir_i32(ir, FL_DF));
    f = ir_or(ir, IR_I32, ir_or(ir, IR_I32, f, df), ir_i32(ir, FL_1));
    f = ir_or(ir, IR_I32, f, x86_flags_value(tr));
    if (virtual) {                      /* IOPL 3, and VIF in IF's place */
        IrValue vif = ir_and(ir, IR_I32, ir_shr(ir, IR_I32, f, ir_i32(ir, 10)), ir_i32(ir, FL_IF));

        f = ir_or(ir, IR_I32, ir_and(ir, IR_I32, f, ir_i32(ir, ~(uint32_t)FL_IF)),
                  ir_or(ir, IR_I32, vif, ir_i32(ir, FL_IOPL)));
    }
    x86_push(tr, i->opsize == 2 ? ir_trunc(ir, IR_I16, f) : ir_zext(ir, x86_type(i->opsize), f));
}

static void tr_popf(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->opsize, ss = x86_stack_size(tr);
    IrRegion *ir = tr->ir;
    IrValue v, mode;
    bool virtual = (tr->mode & MW_VM) && !(tr->mode & MW_IOPL_OK);

    if (virtual && !vme_allows(tr, i)) {
        return;
    }
    v = x86_load(tr, x86_stack_address(tr, x86_reg(tr, R_SP, ss), 0, size, false), size);
    v = size == 8 ? ir_trunc(ir, IR_I32, v) : ir_zext(ir, IR_I32, v);
    if (virtual) {
        X86_CALL(tr, &x86_h_popf_virtual, v);
        x86_put_reg(tr, R_SP, ss, moved_sp(tr, size));
        x86_set_flags_value(tr, ir_and(ir, IR_I32, v, ir_i32(ir, FL_ARITH)));
        return;
    }
    x86_put_reg(tr, R_SP, ss, moved_sp(tr, size));
    mode = X86_CALL(tr, &x86_h_popf, v, ir_i32(ir, size));
    x86_set_flags_value(tr, ir_and(ir, IR_I32, v, ir_i32(ir, FL_ARITH)));
    /* The helper's result isn't the mode word either if an interrupt can be taken now. */
    x86_exit_if(tr, IR_NE, IR_I32, mode, ir_i32(ir, tr->mode), IR_EXIT_IRQ_CHECK);
}

static bool has_lahf(X86Tr *tr)
{
    if (tr->code64 && !x86_insn_has(tr->s, XF_LAHF)) {
        x86_fault(tr, EXCP_UD);
        return false;
    }
    return true;
}

static void tr_lahf(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue f;

    if (has_lahf(tr)) {
        f = ir_or(ir, IR_I32, ir_and(ir, IR_I32, x86_flags_value(tr), ir_i32(ir, 0xd5)),
                  ir_i32(ir, FL_1));
        x86_put_reg(tr, R_AX, 8, ir_deposit(ir, IR_I64, x86_reg(tr, R_AX, 8),
                                            ir_zext(ir, IR_I64, f), 8, 8));
    }
}

static void tr_sahf(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue ah;

    if (has_lahf(tr)) {
        ah = ir_trunc(ir, IR_I32, ir_extract(ir, IR_I64, x86_reg(tr, R_AX, 8), 8, 8));
        x86_change_flags(tr, FL_ARITH & ~FL_OF, ir_and(ir, IR_I32, ah, ir_i32(ir, 0xd5)),
                         IR_NO_VALUE);
    }
}

/* CLC, STC, CMC: @arg 0, 1, 2. */
static void tr_carry(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue c;

    if (i->arg < 2) {
        x86_change_flags(tr, FL_CF, ir_i32(ir, i->arg), ir_i32(ir, i->arg));
        return;
    }
    c = ir_xor(ir, IR_I32, ir_zext(ir, IR_I32, x86_carry(tr)), ir_i32(ir, 1));
    x86_change_flags(tr, FL_CF, c, c);
}

static void tr_direction(X86Tr *tr, const X86Insn *i)
{
    ir_put(tr->ir, G_DF, ir_i64(tr->ir, i->arg));
}

static void tr_salc(X86Tr *tr, UNUSED const X86Insn *i)
{
    x86_put_reg(tr, R_AX, 1, ir_un(tr->ir, IR_NEG, IR_I8, x86_carry(tr)));
}

/* RPL of the first selector at least that of the second; ZF if it changed. */
static void tr_arpl(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue a = x86_get_rmw(tr, i, 0), b = x86_get(tr, i, 1), three = ir_i16(ir, 3), ra, rb, v;

    ra = ir_and(ir, IR_I16, a, three);
    rb = ir_and(ir, IR_I16, b, three);
    v = ir_or(ir, IR_I16, ir_and(ir, IR_I16, a, ir_i16(ir, 0xfffc)), rb);
    x86_put(tr, i, 0, ir_select(ir, IR_LTU, IR_I16, ra, rb, IR_I16, v, a));
    v = ir_zext(ir, IR_I32, ir_setcond(ir, IR_LTU, IR_I16, ra, rb));
    x86_change_flags(tr, FL_ZF, ir_shl(ir, IR_I32, v, ir_i32(ir, 6)), IR_NO_VALUE);
}

static void tr_bound(X86Tr *tr, const X86Insn *i)
{
    unsigned size = i->op[0].size;
    IrType t = x86_type(size);
    IrRegion *ir = tr->ir;
    IrValue lin, lo, hi, v = x86_get(tr, i, 0);

    if (x86_wraps_words(tr)) {
        x86_load_words(tr, i, &lo, &hi);
    } else {
        lin = x86_address(tr, i, 2 * size, false);
        lo = x86_load(tr, lin, size);
        hi = x86_load(tr, ir_add(ir, IR_I64, lin, ir_i64(ir, size)), size);
    }
    x86_fault_if(tr, IR_LT, t, v, lo, EXCP_BR, false, 0);
    x86_fault_if(tr, IR_GT, t, v, hi, EXCP_BR, false, 0);
}

static void tr_nop(UNUSED X86Tr *tr, UNUSED const X86Insn *i)
{
}

static void tr_fence(X86Tr *tr, UNUSED const X86Insn *i)
{
    ir_fence(tr->ir);
}

static const X86Handler move_handlers[] = {
    { "MOV", tr_mov, 0 }, { "MOVNTI", tr_mov, 0 }, { "LEA", tr_lea, 0 }, { "MOVZX", tr_movzx, 0 },
    { "MOVSX", tr_movzx, 1 }, { "MOVSXD", tr_movzx, 1 }, { "XCHG", tr_xchg, 0 },
    { "BSWAP", tr_bswap, 0 }, { "MOVBE", tr_movbe, 0 }, { "CMOVCC", tr_cmov, 0 },
    { "SETCC", tr_setcc, 0 }, { "CBW", tr_cbw, 0 }, { "CWD", tr_cwd, 0 }, { "XLAT", tr_xlat, 0 },
    { "CMPXCHG8B", tr_cmpxchg8b, 0 }, { "CMPXCHG16B", tr_cmpxchg8b, 0 },
    { "MOVFROMSEG", tr_mov_from_seg, 0 }, { "MOVTOSEG", tr_mov_to_seg, 0 },
    { "LES", tr_load_far, S_ES }, { "LDS", tr_load_far, S_DS }, { "LSS", tr_load_far, S_SS },
    { "LFS", tr_load_far, S_FS }, { "LGS", tr_load_far, S_GS },
    { "PUSH", tr_push, 0 }, { "POP", tr_pop, 0 }, { "PUSHA", tr_pusha, 0 },
    { "POPA", tr_popa, 0 }, { "ENTER", tr_enter, 0 }, { "LEAVE", tr_leave, 0 },
    { "PUSHF", tr_pushf, 0 }, { "POPF", tr_popf, 0 }, { "LAHF", tr_lahf, 0 },
    { "SAHF", tr_sahf, 0 }, { "CLC", tr_carry, 0 }, { "STC", tr_carry, 1 }, { "CMC", tr_carry, 2 },
    { "CLD", tr_direction, 1 }, { "STD", tr_direction, -1 }, { "SALC", tr_salc, 0 },
    { "ARPL", tr_arpl, 0 }, { "BOUND", tr_bound, 0 },
    { "NOP", tr_nop, 0 }, { "PAUSE", tr_nop, 0 }, { "PREFETCH", tr_nop, 0 },
    { "CLFLUSH", tr_nop, 0 },
    { "LFENCE", tr_fence, 0 }, { "SFENCE", tr_fence, 0 }, { "MFENCE", tr_fence, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(move_handlers)
