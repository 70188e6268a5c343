/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ordinary x87 instructions as IR on F80 values: loads, stores, arithmetic,
 * compares. With all exceptions masked, and where the registers are tagged as
 * the instruction wants; tags are tested as far as they aren't known from earlier
 * in the block, and else the instruction is run alone by the reference
 * (helper-x87.c), which knows about stack faults.
 * C1 is changed by compares only: what rounding does to it only the reference tells, which x87.c calls where that is
 * stored soon.
 */
#include "util/osdep.h"
#include "target/i386/x87.h"

enum { C3_C2_C1_C0 = 0x4700 };

static unsigned phys(const X86Tr *tr, unsigned i)
{
    return (x87_top(tr) + i) & 7;
}

static IrVar st_var(const X86Tr *tr, unsigned i)
{
    return (IrVar)(G_ST0 + phys(tr, i));
}

static int32_t tag_offset(unsigned reg)
{
    return (int32_t)(offsetof(X86State, fpu_tag_empty) + reg);
}

static void know(X86Tr *tr, unsigned reg, bool empty)
{
    if (tr->st_block != tr->ir->cur) {
        tr->st_block = tr->ir->cur;
        tr->st_known = 0;
    }
    tr->st_known |= 1u << reg;
    tr->st_empty = (tr->st_empty & ~(1u << reg)) | (unsigned)empty << reg;
}

/* ST(i) must be empty, or not. False: it is known to be otherwise. */
static bool want(X86Tr *tr, unsigned i, bool empty, bool emit)
{
    unsigned reg = phys(tr, i);

    if (tr->st_block == tr->ir->cur && tr->st_known >> reg & 1) {
        return (tr->st_empty >> reg & 1) == empty;
    }
    if (emit) {
        IrValue tag = ir_ld_env(tr->ir, IR_I8, tag_offset(reg));

        x86_fault_if(tr, empty ? IR_EQ : IR_NE, IR_I8, tag, ir_i8(tr->ir, 0),
                     X86_RETRY_ALONE, false, 0);
        know(tr, reg, empty);
    }
    return true;
}

static void set_tag(X86Tr *tr, unsigned reg, bool empty)
{
    ir_st_env(tr->ir, tag_offset(reg), ir_i8(tr->ir, empty));
    know(tr, reg, empty);
}

static void pop(X86Tr *tr, unsigned n)
{
    for (; n > 0; n--) {
        set_tag(tr, phys(tr, 0), true);
        x87_put_top(tr, phys(tr, 1));
    }
}

static void push(X86Tr *tr, IrValue v)
{
    x87_put_top(tr, phys(tr, 7));
    ir_put(tr->ir, st_var(tr, 0), v);
    set_tag(tr, phys(tr, 0), false);
}

static IrValue load(X86Tr *tr, X87Mem mem, IrValue addr)
{
    IrRegion *ir = tr->ir;

    switch (mem) {
    case X87_F32:
        return ir_fcvt(ir, IR_F80, ir_ld(ir, IR_F32, addr, x86_memop(tr, 4)));
    case X87_F64:
        return ir_fcvt(ir, IR_F80, ir_ld(ir, IR_F64, addr, x86_memop(tr, 8)));
    case X87_F80:
        return ir_ld(ir, IR_F80, addr, x86_memop(tr, 10));
    case X87_I16:
        return ir_fcvt(ir, IR_F80, ir_ld(ir, IR_I32, addr, x86_memop(tr, 2) | IR_MO_SIGN));
    case X87_I32:
        return ir_fcvt(ir, IR_F80, ir_ld(ir, IR_I32, addr, x86_memop(tr, 4)));
    default:
        return ir_fcvt(ir, IR_F80, ir_ld(ir, IR_I64, addr, x86_memop(tr, 8)));
    }
}

/* Numbers of arithmetic and compares stay narrow: the operation itself sees a signalling NaN. */
static IrValue load_operand(X86Tr *tr, X87Mem mem, IrValue addr)
{
    switch (mem) {
    case X87_F32:
        return ir_ld(tr->ir, IR_F32, addr, x86_memop(tr, 4));
    case X87_F64:
        return ir_ld(tr->ir, IR_F64, addr, x86_memop(tr, 8));
    default:
        return load(tr, mem, addr);
    }
}

static void store(X86Tr *tr, X87Mem mem, IrValue addr, IrValue v, bool truncate)
{
    IrRegion *ir = tr->ir;

    if (mem != X87_F80) {               /* no flags where it faults */
        static const uint8_t sizes[] = { [X87_F32] = 4, [X87_F64] = 8, [X87_I16] = 2, [X87_I32] = 4,
                                         [X87_I64] = 8 };

        ir_probe(ir, addr, x86_memop(tr, sizes[mem]), true);
    }
    switch (mem) {
    case X87_F32:
        ir_st(ir, addr, ir_fcvt(ir, IR_F32, v), x86_memop(tr, 4));
        break;
    case X87_F64:
        ir_st(ir, addr, ir_fcvt(ir, IR_F64, v), x86_memop(tr, 8));
        break;
    case X87_F80:
        ir_st(ir, addr, v, x86_memop(tr, 10));
        break;
    case X87_I16:
        ir_st(ir, addr, ir_ftoi(ir, IR_I16, v, truncate), x86_memop(tr, 2));
        break;
    case X87_I32:
        ir_st(ir, addr, ir_ftoi(ir, IR_I32, v, truncate), x86_memop(tr, 4));
        break;
    default:
        ir_st(ir, addr, ir_ftoi(ir, IR_I64, v, truncate), x86_memop(tr, 8));
        break;
    }
}

static IrValue arithmetic(X86Tr *tr, X87Op op, IrValue a, IrValue b)
{
    switch (op) {
    case X87_ADD:
        return ir_bin(tr->ir, IR_FADD, IR_F80, a, b);
    case X87_MUL:
        return ir_bin(tr->ir, IR_FMUL, IR_F80, a, b);
    case X87_SUB:
        return ir_bin(tr->ir, IR_FSUB, IR_F80, a, b);
    case X87_SUBR:
        return ir_bin(tr->ir, IR_FSUB, IR_F80, b, a);
    case X87_DIV:
        return ir_bin(tr->ir, IR_FDIV, IR_F80, a, b);
    default:
        return ir_bin(tr->ir, IR_FDIV, IR_F80, b, a);
    }
}

static void compare(X86Tr *tr, X87Op op, IrValue a, IrValue b)
{
    IrRegion *ir = tr->ir;
    IrValue f = ir_fcmp(ir, IR_F80, a, b, op != X87_UCOM && op != X87_UCOMI), w;
    int32_t fsw = offsetof(X86State, fpu_fsw);

    if (op == X87_COMI || op == X87_UCOMI) {
        x86_set_flags_value(tr, f);
        return;
    }
    /* C3 C2 C0 are ZF PF CF, eight places up (SDM vol. 1, table 8-2). */
    w = ir_and(ir, IR_I32, ir_zext(ir, IR_I32, ir_ld_env(ir, IR_I16, fsw)),
               ir_i32(ir, ~(uint32_t)C3_C2_C1_C0));
    w = ir_or(ir, IR_I32, w, ir_shl(ir, IR_I32, f, ir_i32(ir, 8)));
    ir_st_env(ir, fsw, ir_trunc(ir, IR_I16, w));
}

/* What the instruction wants of the registers' tags. */
static bool tags(X86Tr *tr, X87Op op, X87Mem mem, unsigned i, bool emit)
{
    switch (op) {
    case X87_LD:
        return want(tr, 7, true, emit) && (mem || want(tr, i, false, emit));
    case X87_LDC:
        return want(tr, 7, true, emit);
    case X87_ST: case X87_ISTT: case X87_CHS: case X87_ABS: case X87_SQRT: case X87_RNDINT:
    case X87_TST:
        return want(tr, 0, false, emit);
    default:
        return want(tr, 0, false, emit) && (mem || want(tr, i, false, emit));
    }
}

static bool supported(X87Op op, X87Mem mem, unsigned i)
{
    switch (op) {
    case X87_LD:
        return mem || i != 7;                   /* ST(7) is where it would be pushed */
    case X87_ADD: case X87_MUL: case X87_SUB: case X87_SUBR: case X87_DIV: case X87_DIVR:
    case X87_COM: case X87_UCOM: case X87_COMI: case X87_UCOMI: case X87_TST:
    case X87_ST: case X87_ISTT: case X87_XCH: case X87_CHS: case X87_ABS: case X87_SQRT:
    case X87_RNDINT:
        return true;
    case X87_LDC:
        return i == 0 || i == 6;                /* FLD1, FLDZ: independent of rounding */
    default:
        return false;
    }
}

bool x87_ir(X86Tr *tr, const X86Insn *insn, X87Op op, X87Mem mem, unsigned i, unsigned pops,
            bool to_i, bool writes)
{
    IrRegion *ir = tr->ir;
    IrValue a, b, addr = IR_NO_VALUE;

    if (tr->one || tr->mode & (MW_FPU_UNMASKED | MW_FPU_EXC) || !supported(op, mem, i) ||
        !tags(tr, op, mem, i, false)) {
        return false;
    }
    if (mem) {
        addr = x86_address(tr, insn, insn->op[0].size, writes);
    }
    tags(tr, op, mem, i, true);
    switch (op) {
    case X87_LD:
        push(tr, mem ? load(tr, mem, addr) : ir_get(ir, st_var(tr, i)));
        return true;
    case X87_LDC:
        push(tr, ir_fcvt(ir, IR_F80, ir_i32(ir, i == 0)));
        return true;
    case X87_ST:
    case X87_ISTT:
        a = ir_get(ir, st_var(tr, 0));
        if (mem) {
            store(tr, mem, addr, a, op == X87_ISTT);
        } else {
            ir_put(ir, st_var(tr, i), a);
            set_tag(tr, phys(tr, i), false);
        }
        break;
    case X87_XCH:
        a = ir_get(ir, st_var(tr, 0));
        b = ir_get(ir, st_var(tr, i));
        ir_put(ir, st_var(tr, 0), b);
        ir_put(ir, st_var(tr, i), a);
        break;
    case X87_CHS: case X87_ABS: case X87_SQRT: case X87_RNDINT:
        a = ir_get(ir, st_var(tr, 0));
        ir_put(ir, st_var(tr, 0),
               ir_un(ir, op == X87_CHS ? IR_FNEG : op == X87_ABS ? IR_FABS
                         : op == X87_SQRT ? IR_FSQRT : IR_FRINT, IR_F80, a));
        break;
    case X87_TST:
        compare(tr, op, ir_get(ir, st_var(tr, 0)), ir_fcvt(ir, IR_F80, ir_i32(ir, 0)));
        break;
    case X87_COM: case X87_UCOM: case X87_COMI: case X87_UCOMI:
        b = mem ? load_operand(tr, mem, addr) : ir_get(ir, st_var(tr, i));
        compare(tr, op, ir_get(ir, st_var(tr, 0)), b);
        break;
    default:
        b = mem ? load_operand(tr, mem, addr) : ir_get(ir, st_var(tr, to_i ? 0 : i));
        a = ir_get(ir, st_var(tr, to_i ? i : 0));
        ir_put(ir, st_var(tr, to_i ? i : 0), arithmetic(tr, op, a, b));
        break;
    }
    pop(tr, pops);
    return true;
}
