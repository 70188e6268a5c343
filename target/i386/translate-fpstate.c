/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that load, store or initialise the state of the x87 and SSE
 * units as a whole: control and status words, FNSAVE, FXSAVE, XSAVE. Each is a
 * call; the region ends where TOP or a control word may have changed.
 *
 * Sources: SDM vol. 2, the instructions by name; vol. 3A table 2-2 (#NM, #UD).
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "target/i386/translate.h"
#include "util/bswap.h"

typedef enum StateOp {
    OP_FNINIT, OP_FNCLEX, OP_FLDCW, OP_FNSTCW, OP_FNSTSW, OP_FNSTENV, OP_FLDENV, OP_FNSAVE,
    OP_FRSTOR, OP_LDMXCSR, OP_STMXCSR, OP_FXSAVE, OP_FXRSTOR, OP_XSAVE, OP_XRSTOR,
    OP_XGETBV, OP_XSETBV, OP_EMMS, OP_NUM
} StateOp;

enum { X87 = 1, SSE = 2, XSV = 4, LOADS = 8 };
static const uint8_t op_flags[OP_NUM] = {
    [OP_FNINIT] = X87 | LOADS, [OP_FNCLEX] = X87 | LOADS, [OP_FLDCW] = X87 | LOADS,
    [OP_FNSTCW] = X87, [OP_FNSTSW] = X87, [OP_FNSTENV] = X87 | LOADS, [OP_FLDENV] = X87 | LOADS,
    [OP_FNSAVE] = X87 | LOADS, [OP_FRSTOR] = X87 | LOADS, [OP_LDMXCSR] = SSE | LOADS,
    [OP_STMXCSR] = SSE, [OP_FXSAVE] = 0, [OP_FXRSTOR] = LOADS, [OP_XSAVE] = XSV,
    [OP_XRSTOR] = XSV | LOADS, [OP_XGETBV] = XSV, [OP_XSETBV] = XSV | LOADS,
    [OP_EMMS] = X87 | LOADS,
};

static void load(X86State *s, uint64_t addr, void *buf, unsigned n)
{
    tcg_ld_bytes(&s->tcg, addr, buf, n, x86_mmu_mode(s));
}

static void store(X86State *s, uint64_t addr, const void *buf, unsigned n)
{
    tcg_st_bytes(&s->tcg, addr, buf, n, x86_mmu_mode(s));
}

static void check_aligned(X86State *s, uint64_t addr, unsigned n)
{
    if (addr & (n - 1)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

static void x87_memory(X86State *s, StateOp op, uint64_t addr, unsigned opsize)
{
    uint8_t img[108];
    unsigned env = opsize == 2 ? 14 : 28;

    switch (op) {
    case OP_FNSTENV:
        x86_fstenv_image(s, img, opsize);
        store(s, addr, img, env);
        s->fpu_fcw |= 0x3f;                     /* all masked */
        break;
    case OP_FLDENV:
        load(s, addr, img, env);
        x86_fldenv_image(s, img, opsize);
        break;
    case OP_FNSAVE:
        x86_fsave_image(s, img, opsize);
        store(s, addr, img, env + 80);
        x86_fpu_init(s);
        break;
    default:
        load(s, addr, img, env + 80);
        x86_frstor_image(s, img, opsize);
        break;
    }
}

/* FXSAVE and XSAVE; wide: REX.W. */
static void fxsave(X86State *s, uint64_t addr, bool wide)
{
    uint8_t img[512];

    check_aligned(s, addr, 16);
    memset(img, 0, sizeof(img));
    x86_fxsave_image(s, img, wide, true);
    store(s, addr, img, 416);
}

static void fxrstor(X86State *s, uint64_t addr, bool wide)
{
    uint8_t img[512];

    check_aligned(s, addr, 16);
    load(s, addr, img, sizeof(img));
    if (!x86_fxrstor_image(s, img, wide, true)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

static uint64_t edx_eax(const X86State *s)
{
    return (uint32_t)s->regs[R_AX] | s->regs[R_DX] << 32;
}

static void xsave(X86State *s, uint64_t addr, bool wide)
{
    uint64_t rfbm = edx_eax(s) & s->xcr0;
    uint8_t img[X86_XSAVE_SIZE];

    check_aligned(s, addr, 64);
    load(s, addr, img, sizeof(img));
    x86_xsave_image(s, img, wide, rfbm);
    /* Only what was asked for is written. */
    if (rfbm & 1) {
        store(s, addr, img, 24);
        store(s, addr + 32, img + 32, 128);
    }
    if (rfbm & 2) {
        store(s, addr + 24, img + 24, 8);
        store(s, addr + 160, img + 160, x86_code64(s) ? 256 : 128);
    }
    store(s, addr + 512, img + 512, 8);
}

static void xrstor(X86State *s, uint64_t addr, bool wide)
{
    uint8_t img[X86_XSAVE_SIZE];

    check_aligned(s, addr, 64);
    load(s, addr, img, sizeof(img));
    if (!x86_xrstor_image(s, img, wide, edx_eax(s))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

/* XCR0: x87 can't be off; SSE as it likes. */
static void xsetbv(X86State *s)
{
    uint64_t v = edx_eax(s);

    if (s->cpl || (uint32_t)s->regs[R_CX] || !(v & 1) || (v & ~(uint64_t)X86_XCR0_MASK)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    s->xcr0 = v;
}

static void h_fpstate(X86State *s, uint32_t op, uint64_t addr, uint32_t opsize)
{
    uint8_t b[4];

    x86_fp_collect(s);
    switch (op) {
    case OP_FNINIT:
        x86_fpu_init(s);
        break;
    case OP_FNCLEX:
        s->fpu_fsw &= 0x7f00;
        break;
    case OP_FLDCW:
        load(s, addr, b, 2);
        s->fpu_fcw = (load_le16(b) & 0x1f7f) | 0x40;
        break;
    case OP_FNSTCW:
        store_le16(b, s->fpu_fcw);
        store(s, addr, b, 2);
        break;
    case OP_FNSTSW:
        store_le16(b, x86_fpu_status(s));
        store(s, addr, b, 2);
        break;
    case OP_LDMXCSR:
        load(s, addr, b, 4);
        if (load_le32(b) & ~X86_MXCSR_MASK) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        s->mxcsr = load_le32(b);
        break;
    case OP_STMXCSR:
        store_le32(b, s->mxcsr);
        store(s, addr, b, 4);
        break;
    case OP_FXSAVE:
        fxsave(s, addr, opsize == 8);
        break;
    case OP_FXRSTOR:
        fxrstor(s, addr, opsize == 8);
        break;
    case OP_XSAVE:
        xsave(s, addr, opsize == 8);
        break;
    case OP_XRSTOR:
        xrstor(s, addr, opsize == 8);
        break;
    case OP_XGETBV:
        if ((uint32_t)s->regs[R_CX]) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        s->regs[R_AX] = (uint32_t)s->xcr0;
        s->regs[R_DX] = s->xcr0 >> 32;
        break;
    case OP_XSETBV:
        xsetbv(s);
        break;
    case OP_EMMS:
        s->fpu_top = 0;
        memset(s->fpu_tag_empty, 1, sizeof(s->fpu_tag_empty));
        break;
    default:
        x87_memory(s, op, addr, opsize);
        break;
    }
    x86_fp_update_env(s);
}
static const IrHelper helper_fpstate = {
    "fpstate", (void *)h_fpstate, "v:elql",
    IR_H_READS | IR_H_WRITES | IR_H_RAISES | IR_H_FPENV, 0, 0,
};

static uint32_t h_fnstsw(X86State *s)
{
    x86_fp_collect(s);
    x86_fp_update_env(s);
    return x86_fpu_status(s);
}
static const IrHelper helper_fnstsw = {
    "fnstsw", (void *)h_fnstsw, "l:e", IR_H_READS | IR_H_WRITES | IR_H_FPENV, 0, 0,
};

/* True if the instruction can't run in this mode: the block has ended. */
static bool blocked(X86Tr *tr, unsigned flags)
{
    if ((flags & SSE) && ((tr->mode & MW_EM) || !(tr->mode & MW_OSFXSR))) {
        x86_fault(tr, EXCP_UD);
        return true;
    }
    if ((flags & XSV) && !(tr->mode & MW_OSXSAVE)) {
        x86_fault(tr, EXCP_UD);
        return true;
    }
    if (tr->mode & ((flags & (SSE | XSV)) ? MW_TS : MW_TS | MW_EM)) {
        x86_fault(tr, EXCP_NM);
        return true;
    }
    return false;
}

static void tr_fpstate(X86Tr *tr, const X86Insn *i)
{
    StateOp op = i->arg;
    IrRegion *ir = tr->ir;
    IrValue addr = ir_i64(ir, 0);

    if (op == OP_XGETBV || op == OP_XSETBV) {
        if (!(tr->mode & MW_OSXSAVE)) {
            x86_fault(tr, EXCP_UD);
            return;
        }
    } else if (blocked(tr, op_flags[op])) {
        return;
    }
    if (op != OP_FNINIT && op != OP_FNCLEX && op != OP_XGETBV && op != OP_XSETBV &&
        op != OP_EMMS) {
        unsigned n = op == OP_FNSTSW || op == OP_FNSTCW || op == OP_FLDCW ? 2 : 4;

        addr = x86_address(tr, i, n, !(op_flags[op] & LOADS));
    }
    X86_CALL(tr, &helper_fpstate, ir_i32(ir, op), addr, ir_i32(ir, i->opsize));
    if (op_flags[op] & LOADS) {
        x86_exit_next(tr, IR_EXIT_NEXT);
    }
}

static void tr_fnstsw_ax(X86Tr *tr, UNUSED const X86Insn *i)
{
    if (!blocked(tr, X87)) {
        x86_put_reg(tr, R_AX, 2, ir_trunc(tr->ir, IR_I16, X86_CALL(tr, &helper_fnstsw)));
    }
}

/* FNSTSW m16 and FNSTSW AX are one mnemonic. */
static void tr_fnstsw(X86Tr *tr, const X86Insn *i)
{
    if (i->op[0].kind == XO_MEM) {
        tr_fpstate(tr, i);
    } else {
        tr_fnstsw_ax(tr, i);
    }
}

/* WAIT looks at MP, not EM (SDM 3A table 2-3), and for pending exceptions. */
static void tr_fwait(X86Tr *tr, UNUSED const X86Insn *i)
{
    if ((tr->mode & (MW_MP | MW_TS)) == (MW_MP | MW_TS)) {
        x86_fault(tr, EXCP_NM);
    } else if (tr->mode & MW_FPU_EXC) {
        x86_fault(tr, EXCP_MF);
    }
}

static const X86Handler fpstate_handlers[] = {
    { "FNINIT", tr_fpstate, OP_FNINIT }, { "FNCLEX", tr_fpstate, OP_FNCLEX },
    { "FLDCW", tr_fpstate, OP_FLDCW }, { "FNSTCW", tr_fpstate, OP_FNSTCW },
    { "FNSTSW", tr_fnstsw, OP_FNSTSW }, { "FNSTENV", tr_fpstate, OP_FNSTENV },
    { "FLDENV", tr_fpstate, OP_FLDENV }, { "FNSAVE", tr_fpstate, OP_FNSAVE },
    { "FRSTOR", tr_fpstate, OP_FRSTOR }, { "LDMXCSR", tr_fpstate, OP_LDMXCSR },
    { "STMXCSR", tr_fpstate, OP_STMXCSR }, { "FXSAVE", tr_fpstate, OP_FXSAVE },
    { "FXRSTOR", tr_fpstate, OP_FXRSTOR }, { "XSAVE", tr_fpstate, OP_XSAVE },
    { "XRSTOR", tr_fpstate, OP_XRSTOR }, { "XGETBV", tr_fpstate, OP_XGETBV },
    { "XSETBV", tr_fpstate, OP_XSETBV }, { "EMMS", tr_fpstate, OP_EMMS },
    { "FWAIT", tr_fwait, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(fpstate_handlers)
