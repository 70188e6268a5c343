/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 instructions to IR. TOP is part of what a translation assumes, and known
 * at each instruction; what changes it stores the new one.
 */
#include "util/osdep.h"
#include "target/i386/x87.h"

void x87_put_top(X86Tr *tr, unsigned top)
{
    if (top == x87_top(tr)) {
        return;
    }
    ir_st_env(tr->ir, offsetof(X86State, fpu_top), ir_i8(tr->ir, top));
    x86_put_mode(tr, (tr->mode & ~(7u << MW_TOP_SHIFT)) | top << MW_TOP_SHIFT);
}

/*
 * The instruction is the last of the x87 (SDM vol. 1, 8.1.8): pending values, which snapshots
 * and leaving the region make good; only where the code lies goes to memory once a block. Real and
 * virtual-8086 mode have linear pointers, protected mode no selectors (as CPUs that deprecate
 * these, CPUID 7.0:EBX[13]).
 */
static void note(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    bool real = !(tr->mode & MW_PE) || (tr->mode & MW_VM);
    uint64_t fop = (i->opcode & 7) << 8 | i->modrm;
    int32_t off = tcg_pc_offset(tr->t, tr->pc);

    if (tr->x87_block != ir->cur) {
        IrValue bias = ir_pc(ir, 0);

        if (real) {
            bias = ir_add(ir, IR_I64, bias, ir_get(ir, G_CS_BASE));
        }
        ir_st_env(ir, offsetof(X86State, fpu_bias), bias);
        tr->x87_block = ir->cur;
        tr->x87_fdp = IR_NO_VALUE;
    }
    tr->x87_insn = ir_i64(ir, (uint32_t)off | fop << 32);
    ir_pend(ir, G_FPU_INSN, tr->x87_insn);
    if (i->n_ops && i->op[0].kind == XO_MEM) {
        tr->x87_fdp = x86_offset(tr, i);
        if (real) {
            tr->x87_fdp = x86_linear_address(tr, i->seg, tr->x87_fdp, 1, false);
        }
        ir_pend(ir, G_FPU_FDP, tr->x87_fdp);
    }
}

void x87_commit_pointers(X86Tr *tr)
{
    if (tr->x87_block == tr->ir->cur) {
        ir_put(tr->ir, G_FPU_INSN, tr->x87_insn);
        if (tr->x87_fdp) {
            ir_put(tr->ir, G_FPU_FDP, tr->x87_fdp);
        }
        tr->x87_block = IR_NO_BLOCK;
    }
}

/* #NM, and #MF of earlier instructions where @waits. False: it has raised. */
static bool x87_enabled(X86Tr *tr, bool waits)
{
    if (tr->mode & (MW_EM | MW_TS)) {
        x86_fault(tr, EXCP_NM);
        return false;
    }
    if (waits && (tr->mode & (MW_FPU_UNMASKED | MW_FPU_EXC))) {
        X86_CALL(tr, &helper_x87_wait);
    }
    return true;
}

/* With unmasked exceptions the reference decides whether TOP changed. */
static void after(X86Tr *tr, int delta)
{
    if (tr->mode & MW_FPU_UNMASKED) {
        x86_exit_next(tr, IR_EXIT_NEXT);
    } else if (delta) {
        x87_put_top(tr, (x87_top(tr) + delta) & 7);
    }
}

static IrValue mmu_index(X86Tr *tr)
{
    return ir_i32(tr->ir, (tr->mmu & IR_MO_MMU) >> IR_MO_MMU_SHIFT);
}

static X87Mem memory_kind(const X86Insn *i, bool integer)
{
    switch (i->op[0].size) {
    case 2:
        return X87_I16;
    case 4:
        return integer ? X87_I32 : X87_F32;
    case 8:
        return integer ? X87_I64 : X87_F64;
    default:
        return X87_F80;
    }
}

/* @arg of the table: operation, pops, whether integers in memory, pushes. */
enum { A_POP1 = 1 << 8, A_POP2 = 2 << 8, A_INT = 1 << 10, A_PUSH = 1 << 11, A_EFLAGS = 1 << 12,
       A_STORES = 1 << 13, A_N_SHIFT = 16 };

/* The number of the ST(i) operand; FADD and the like: which of the two it is. */
static unsigned stack_operand(const X86Insn *i, bool *to_i)
{
    *to_i = false;
    if (i->n_ops == 0) {
        return 1;
    }
    if (i->n_ops == 1) {
        return i->op[0].reg;
    }
    *to_i = i->op[1].reg == 0 && i->op[1].kind == XO_ST && (i->opcode == 0xdc || i->opcode == 0xde);
    return *to_i ? i->op[0].reg : i->op[1].reg;
}

/* Leave C1 as it is. */
static bool keeps_c1(const X86Insn *i)
{
    static const char *const names[] = { "FNOP", "FFREE", "FNCLEX", "FLDCW", "FNSTCW", "FWAIT", "FCOMI", "FUCOMI", "FCOMIP",
                                         "FUCOMIP", "FNENI", "FNDISI", "FNSETPM" };

    if (!strncmp(i->mnemonic, "FCMOV", 5)) {
        return true;
    }
    for (unsigned k = 0; k < ARRAY_SIZE(names); k++) {
        if (!strcmp(i->mnemonic, names[k])) {
            return true;
        }
    }
    return false;
}

/* Is C1 stored by an instruction that follows, before another changes it? What rounding does to it
 * only the reference tells. */
static bool c1_is_read(X86Tr *tr)
{
    enum { FAR = 6 };
    uint64_t pc = tr->next_pc;
    X86Insn i;

    for (unsigned k = 0; k < FAR && x86_peek(tr, pc, &i); k++, pc += i.len) {
        if ((i.flags >> XI_FEAT_SHIFT & 0xff) != XF_FPU) {
            if (!strcmp(i.mnemonic, "FXSAVE") || !strncmp(i.mnemonic, "XSAVE", 5)) {
                return true;
            }
        } else if (!strcmp(i.mnemonic, "FNSTSW") || !strcmp(i.mnemonic, "FNSTENV") ||
                   !strcmp(i.mnemonic, "FNSAVE")) {
            return true;
        } else if (!keeps_c1(&i)) {
            return false;
        }
    }
    return false;
}

static bool is_compare(X87Op op)
{
    return op == X87_COM || op == X87_UCOM || op == X87_TST || op == X87_COMI || op == X87_UCOMI;
}

static void tr_x87(X86Tr *tr, const X86Insn *i)
{
    X87Op op = i->arg & 0xff;
    unsigned pops = i->arg >> 8 & 3, n;
    bool mem = i->n_ops && i->op[0].kind == XO_MEM, to_i;
    IrValue addr, r;
    uint32_t word;

    if (!x87_enabled(tr, true)) {
        return;
    }
    n = stack_operand(i, &to_i);
    if (i->arg >> A_N_SHIFT) {
        n = (i->arg >> A_N_SHIFT) - 1;
    }
    if ((is_compare(op) || !c1_is_read(tr)) &&
        x87_ir(tr, i, op, mem ? memory_kind(i, i->arg & A_INT) : X87_STACK, n, pops, to_i,
               i->arg & A_STORES)) {
        note(tr, i);
        return;
    }
    addr = mem ? x86_address(tr, i, i->op[0].size, i->arg & A_STORES) : ir_i64(tr->ir, 0);
    word = X87_WORD(op, mem ? memory_kind(i, i->arg & A_INT) : X87_STACK, n, pops, to_i);
    r = X86_CALL(tr, &helper_x87, ir_i32(tr->ir, word), addr, mmu_index(tr));
    if (i->arg & A_EFLAGS) {
        x86_set_flags_value(tr, r);
    }
    note(tr, i);
    if (op == X87_PTAN || op == X87_SINCOS) {
        x86_exit_next(tr, IR_EXIT_NEXT);        /* nothing is pushed where the operand is too large */
        return;
    }
    after(tr, (int)pops - (i->arg & A_PUSH ? 1 : 0) + (op == X87_INCSTP) - (op == X87_DECSTP));
}

static void tr_fcmov(X86Tr *tr, const X86Insn *i)
{
    if (!x87_enabled(tr, true)) {
        return;
    }
    x86_flags_store(tr);
    X86_CALL(tr, &helper_x87, ir_i32(tr->ir, X87_WORD(X87_CMOV, X87_STACK, i->op[1].reg, 0, i->arg)),
             ir_i64(tr->ir, 0), mmu_index(tr));
    note(tr, i);
    after(tr, 0);
}

/* --- control and images --- */

static void tr_fninit(X86Tr *tr, UNUSED const X86Insn *i)
{
    if (x87_enabled(tr, false)) {
        X86_CALL(tr, &helper_fninit);
        x86_exit_next(tr, IR_EXIT_NEXT);
    }
}

static void tr_fnclex(X86Tr *tr, UNUSED const X86Insn *i)
{
    if (x87_enabled(tr, false)) {
        X86_CALL(tr, &helper_fnclex);
        if (tr->mode & (MW_FPU_EXC | MW_FPU_UNMASKED)) {
            x86_exit_next(tr, IR_EXIT_NEXT);
        }
    }
}

/* FLDCW is common around conversions: the region goes on where masks stay as they were. */
static void tr_fldcw(X86Tr *tr, const X86Insn *i)
{
    IrValue v;

    if (x87_enabled(tr, true)) {
        v = ir_zext(tr->ir, IR_I32, x86_get(tr, i, 0));
        X86_CALL(tr, &helper_fldcw, v);
        if (tr->mode & (MW_FPU_EXC | MW_FPU_UNMASKED)) {
            x86_exit_next(tr, IR_EXIT_NEXT);
        } else {
            v = ir_and(tr->ir, IR_I32, v, ir_i32(tr->ir, 0x3f));
            x86_exit_if(tr, IR_NE, IR_I32, v, ir_i32(tr->ir, 0x3f), IR_EXIT_NEXT);
        }
    }
}

static void tr_fnstcw(X86Tr *tr, const X86Insn *i)
{
    if (x87_enabled(tr, false)) {
        x86_put(tr, i, 0, ir_ld_env(tr->ir, IR_I16, offsetof(X86State, fpu_fcw)));
    }
}

static void tr_fnstsw(X86Tr *tr, const X86Insn *i)
{
    if (x87_enabled(tr, false)) {
        x86_put(tr, i, 0, ir_trunc(tr->ir, IR_I16, X86_CALL(tr, &helper_fnstsw)));
    }
}

static void tr_image(X86Tr *tr, const X86Insn *i)
{
    static const IrHelper *const helpers[] = { &helper_fnstenv, &helper_fldenv, &helper_fnsave,
                                               &helper_frstor };
    unsigned small = i->opsize == 2;
    unsigned bytes = i->arg < 2 ? small ? 14 : 28 : small ? 94 : 108;

    if (x87_enabled(tr, i->arg & 1)) {
        IrValue a = x86_address(tr, i, bytes, !(i->arg & 1));

        X86_CALL(tr, helpers[i->arg], a, ir_i32(tr->ir, i->opsize), mmu_index(tr));
        x86_exit_next(tr, IR_EXIT_NEXT);
    }
}

/* WAIT raises #NM with MP and TS (SDM vol. 2). */
static void tr_fwait(X86Tr *tr, UNUSED const X86Insn *i)
{
    if ((tr->mode & MW_MP) && (tr->mode & MW_TS)) {
        x86_fault(tr, EXCP_NM);
    } else if (tr->mode & (MW_FPU_EXC | MW_FPU_UNMASKED)) {
        X86_CALL(tr, &helper_x87_wait);
    }
}

static void tr_nothing(UNUSED X86Tr *tr, UNUSED const X86Insn *i)
{
}

#define N(n) ((n) + 1) << A_N_SHIFT
static const X86Handler x87_handlers[] = {
    { "FADD", tr_x87, X87_ADD }, { "FADDP", tr_x87, X87_ADD | A_POP1 },
    { "FIADD", tr_x87, X87_ADD | A_INT }, { "FMUL", tr_x87, X87_MUL },
    { "FMULP", tr_x87, X87_MUL | A_POP1 }, { "FIMUL", tr_x87, X87_MUL | A_INT },
    { "FSUB", tr_x87, X87_SUB }, { "FSUBP", tr_x87, X87_SUB | A_POP1 },
    { "FISUB", tr_x87, X87_SUB | A_INT }, { "FSUBR", tr_x87, X87_SUBR },
    { "FSUBRP", tr_x87, X87_SUBR | A_POP1 }, { "FISUBR", tr_x87, X87_SUBR | A_INT },
    { "FDIV", tr_x87, X87_DIV }, { "FDIVP", tr_x87, X87_DIV | A_POP1 },
    { "FIDIV", tr_x87, X87_DIV | A_INT }, { "FDIVR", tr_x87, X87_DIVR },
    { "FDIVRP", tr_x87, X87_DIVR | A_POP1 }, { "FIDIVR", tr_x87, X87_DIVR | A_INT },
    { "FCOM", tr_x87, X87_COM }, { "FCOMP", tr_x87, X87_COM | A_POP1 },
    { "FICOM", tr_x87, X87_COM | A_INT }, { "FICOMP", tr_x87, X87_COM | A_INT | A_POP1 },
    { "FCOMPP", tr_x87, X87_COM | A_POP2 | N(1) }, { "FUCOM", tr_x87, X87_UCOM },
    { "FUCOMP", tr_x87, X87_UCOM | A_POP1 }, { "FUCOMPP", tr_x87, X87_UCOM | A_POP2 | N(1) },
    { "FCOMI", tr_x87, X87_COMI | A_EFLAGS }, { "FUCOMI", tr_x87, X87_UCOMI | A_EFLAGS },
    { "FCOMIP", tr_x87, X87_COMI | A_EFLAGS | A_POP1 },
    { "FUCOMIP", tr_x87, X87_UCOMI | A_EFLAGS | A_POP1 }, { "FTST", tr_x87, X87_TST },
    { "FXAM", tr_x87, X87_XAM }, { "FLD", tr_x87, X87_LD | A_PUSH },
    { "FILD", tr_x87, X87_LD | A_INT | A_PUSH }, { "FST", tr_x87, X87_ST | A_STORES },
    { "FSTP", tr_x87, X87_ST | A_POP1 | A_STORES },
    { "FIST", tr_x87, X87_ST | A_INT | A_STORES },
    { "FISTP", tr_x87, X87_ST | A_INT | A_POP1 | A_STORES },
    { "FISTTP", tr_x87, X87_ISTT | A_INT | A_POP1 | A_STORES },
    { "FBLD", tr_x87, X87_BLD | A_PUSH }, { "FBSTP", tr_x87, X87_BSTP | A_POP1 | A_STORES },
    { "FXCH", tr_x87, X87_XCH }, { "FCHS", tr_x87, X87_CHS }, { "FABS", tr_x87, X87_ABS },
    { "FSQRT", tr_x87, X87_SQRT }, { "FRNDINT", tr_x87, X87_RNDINT },
    { "FLD1", tr_x87, X87_LDC | A_PUSH | N(0) }, { "FLDL2T", tr_x87, X87_LDC | A_PUSH | N(1) },
    { "FLDL2E", tr_x87, X87_LDC | A_PUSH | N(2) }, { "FLDPI", tr_x87, X87_LDC | A_PUSH | N(3) },
    { "FLDLG2", tr_x87, X87_LDC | A_PUSH | N(4) }, { "FLDLN2", tr_x87, X87_LDC | A_PUSH | N(5) },
    { "FLDZ", tr_x87, X87_LDC | A_PUSH | N(6) }, { "F2XM1", tr_x87, X87_F2XM1 },
    { "FYL2X", tr_x87, X87_YL2X | A_POP1 }, { "FYL2XP1", tr_x87, X87_YL2XP1 | A_POP1 },
    { "FPTAN", tr_x87, X87_PTAN | A_PUSH }, { "FPATAN", tr_x87, X87_PATAN | A_POP1 },
    { "FXTRACT", tr_x87, X87_XTRACT | A_PUSH }, { "FPREM", tr_x87, X87_PREM },
    { "FPREM1", tr_x87, X87_PREM1 }, { "FSCALE", tr_x87, X87_SCALE }, { "FSIN", tr_x87, X87_SIN },
    { "FCOS", tr_x87, X87_COS }, { "FSINCOS", tr_x87, X87_SINCOS | A_PUSH },
    { "FDECSTP", tr_x87, X87_DECSTP }, { "FINCSTP", tr_x87, X87_INCSTP },
    { "FFREE", tr_x87, X87_FREE }, { "FFREEP", tr_x87, X87_FREE | A_POP1 },
    { "FNOP", tr_x87, X87_NOP }, { "FCMOVB", tr_fcmov, 0 }, { "FCMOVE", tr_fcmov, 1 },
    { "FCMOVBE", tr_fcmov, 2 }, { "FCMOVU", tr_fcmov, 3 }, { "FCMOVNB", tr_fcmov, 4 },
    { "FCMOVNE", tr_fcmov, 5 }, { "FCMOVNBE", tr_fcmov, 6 }, { "FCMOVNU", tr_fcmov, 7 },
    { "FNINIT", tr_fninit, 0 }, { "FNCLEX", tr_fnclex, 0 }, { "FLDCW", tr_fldcw, 0 },
    { "FNSTCW", tr_fnstcw, 0 }, { "FNSTSW", tr_fnstsw, 0 }, { "FNSTENV", tr_image, 0 },
    { "FLDENV", tr_image, 1 }, { "FNSAVE", tr_image, 2 }, { "FRSTOR", tr_image, 3 },
    { "FWAIT", tr_fwait, 0 }, { "FNENI", tr_nothing, 0 }, { "FNDISI", tr_nothing, 0 },
    { "FNSETPM", tr_nothing, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(x87_handlers)
