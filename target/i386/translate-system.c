/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System instructions: SDM vol. 3A, 2.8; vol. 2; APM vol. 3.
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

extern const IrHelper x86_h_get_cr8, x86_h_set_cr, x86_h_get_dr, x86_h_set_dr, x86_h_lmsw,
                      x86_h_invlpg, x86_h_cpuid, x86_h_rdtsc, x86_h_rdmsr, x86_h_wrmsr,
                      x86_h_lar_lsl, x86_h_ver, x86_h_lldt, x86_h_ltr, x86_h_syscall,
                      x86_h_sysret, x86_h_sysenter, x86_h_sysexit, x86_h_virtual_if, x86_h_wrpkru, x86_h_random, x86_h_rsm,
                      x86_h_invpcid, x86_h_hlt, x86_h_sti, x86_h_swapgs;

#define ENV(field) ((int32_t)offsetof(X86State, field))

static bool umip_blocks(X86Tr *tr)
{
    if ((tr->mode & MW_UMIP) && tr->cpl) {
        x86_fault_code(tr, EXCP_GP, 0);
        return true;
    }
    return false;
}

/* A 16-bit value to a register in operand size, or to memory. */
static void put_word(X86Tr *tr, const X86Insn *i, IrValue v)
{
    if (i->op[0].kind == XO_MEM) {
        x86_store(tr, x86_address(tr, i, 2, true), v);
    } else {
        x86_put(tr, i, 0, ir_zext(tr->ir, x86_type(i->op[0].size), v));
    }
}

static void tr_sldt(X86Tr *tr, const X86Insn *i)
{
    if (!umip_blocks(tr)) {
        put_word(tr, i, ir_ld_env(tr->ir, IR_I16, ENV(seg[i->arg].selector)));
    }
}

static IrValue selector(X86Tr *tr, const X86Insn *i, unsigned n)
{
    return ir_zext(tr->ir, IR_I32, x86_get(tr, i, n));
}

static void tr_lldt(X86Tr *tr, const X86Insn *i)
{
    X86_CALL(tr, i->arg == S_TR ? &x86_h_ltr : &x86_h_lldt, selector(tr, i, 0));
}

static void tr_ver(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue ok = X86_CALL(tr, &x86_h_ver, selector(tr, i, 0), ir_i32(ir, i->arg));

    x86_change_flags(tr, FL_ZF, ir_shl(ir, IR_I32, ok, ir_i32(ir, 6)), IR_NO_VALUE);
}

static void tr_lar_lsl(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrType t = x86_type(i->op[0].size);
    IrValue r = X86_CALL(tr, &x86_h_lar_lsl, selector(tr, i, 1), ir_i32(ir, i->arg));
    IrValue ok = ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, r, ir_i64(ir, 32)));
    IrValue v = ir_zext(ir, IR_I64, ir_trunc(ir, IR_I32, r));

    v = ir_select(ir, IR_NE, IR_I32, ok, ir_i32(ir, 0), t, ir_trunc(ir, t, v),
                  x86_get(tr, i, 0));
    x86_put(tr, i, 0, v);
    x86_change_flags(tr, FL_ZF, ir_shl(ir, IR_I32, ok, ir_i32(ir, 6)), IR_NO_VALUE);
}

/* SGDT, SIDT: always all of the base. */
static void tr_sgdt(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned size = tr->code64 ? 8 : 4;
    int32_t base = i->arg ? ENV(idt.base) : ENV(gdt.base);
    int32_t limit = i->arg ? ENV(idt.limit) : ENV(gdt.limit);
    IrValue lin, at_base;

    if (umip_blocks(tr)) {
        return;
    }
    lin = x86_address(tr, i, size + 2, true);
    at_base = ir_add(ir, IR_I64, lin, ir_i64(ir, 2));
    ir_probe(ir, at_base, x86_memop(tr, size), true);
    x86_store(tr, lin, ir_ld_env(ir, IR_I16, limit));
    x86_store(tr, at_base, ir_trunc(ir, x86_type(size), ir_ld_env(ir, IR_I64, base)));
}

static void tr_lgdt(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned size = tr->code64 ? 8 : 4;
    IrValue lin = x86_address(tr, i, size + 2, false), limit, base;

    limit = x86_load(tr, lin, 2);
    base = ir_zext(ir, IR_I64, x86_load(tr, ir_add(ir, IR_I64, lin, ir_i64(ir, 2)), size));
    /* A 16-bit operand size takes 24 bits of the base. */
    if (!tr->code64 && (tr->bits == 16) != i->has_66) {
        base = ir_and(ir, IR_I64, base, ir_i64(ir, 0xffffff));
    }
    ir_st_env(ir, i->arg ? ENV(idt.base) : ENV(gdt.base), base);
    ir_st_env(ir, i->arg ? ENV(idt.limit) : ENV(gdt.limit), limit);
}

static void tr_smsw(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue cr0;

    if (umip_blocks(tr)) {
        return;
    }
    cr0 = ir_ld_env(ir, IR_I64, ENV(cr[0]));
    if (i->op[0].kind == XO_MEM) {
        put_word(tr, i, ir_trunc(ir, IR_I16, cr0));
    } else {
        x86_put(tr, i, 0, ir_trunc(ir, x86_type(i->op[0].size), cr0));
    }
}

static void tr_lmsw(X86Tr *tr, const X86Insn *i)
{
    X86_CALL(tr, &x86_h_lmsw, selector(tr, i, 0));
    x86_exit_next(tr, IR_EXIT_NEXT);
}

static void tr_mov_from_cr(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned n = i->op[1].reg, size = tr->code64 ? 8 : 4;
    IrValue v = n == 8 ? X86_CALL(tr, &x86_h_get_cr8)
                       : ir_ld_env(ir, IR_I64, (int32_t)(ENV(cr) + n * 8));

    x86_put_reg(tr, i->op[0].reg, size, ir_trunc(ir, x86_type(size), v));
}

static void tr_mov_to_cr(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue v = ir_zext(ir, IR_I64, x86_reg(tr, i->op[1].reg, tr->code64 ? 8 : 4));

    X86_CALL(tr, &x86_h_set_cr, ir_i32(ir, i->op[0].reg), v);
    x86_exit_next(tr, i->op[0].reg == 8 ? IR_EXIT_IRQ_CHECK : IR_EXIT_NEXT);
}

static void tr_mov_from_dr(X86Tr *tr, const X86Insn *i)
{
    unsigned size = tr->code64 ? 8 : 4;
    IrValue v = X86_CALL(tr, &x86_h_get_dr, ir_i32(tr->ir, i->op[1].reg));

    x86_put_reg(tr, i->op[0].reg, size, ir_trunc(tr->ir, x86_type(size), v));
}

static void tr_mov_to_dr(X86Tr *tr, const X86Insn *i)
{
    IrValue v = ir_zext(tr->ir, IR_I64, x86_reg(tr, i->op[1].reg, tr->code64 ? 8 : 4));

    X86_CALL(tr, &x86_h_set_dr, ir_i32(tr->ir, i->op[0].reg), v);
    x86_exit_next(tr, IR_EXIT_NEXT);
}

static void tr_clts(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue cr0 = ir_ld_env(ir, IR_I64, ENV(cr[0]));

    ir_st_env(ir, ENV(cr[0]), ir_and(ir, IR_I64, cr0, ir_i64(ir, ~(uint64_t)CR0_TS)));
    if (tr->mode & MW_TS) {
        x86_exit_next(tr, IR_EXIT_NEXT);
    }
}

static void tr_invlpg(X86Tr *tr, const X86Insn *i)
{
    IrValue off = x86_offset(tr, i), base;
    static const IrVar bases[] = { G_ES_BASE, G_CS_BASE, G_SS_BASE, G_DS_BASE, G_FS_BASE,
                                   G_GS_BASE };

    if (!tr->code64 || i->seg >= S_FS) {
        base = ir_get(tr->ir, bases[i->seg]);
        off = ir_add(tr->ir, IR_I64, off, base);
        if (!tr->code64) {
            off = ir_zext(tr->ir, IR_I64, ir_trunc(tr->ir, IR_I32, off));
        }
    }
    X86_CALL(tr, &x86_h_invlpg, off);
    x86_exit_next(tr, IR_EXIT_NEXT);
}

static void tr_invpcid(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue lin = x86_address(tr, i, 16, false);
    IrValue pcid = x86_load(tr, lin, 8);
    IrValue addr = x86_load(tr, ir_add(ir, IR_I64, lin, ir_i64(ir, 8)), 8);

    X86_CALL(tr, &x86_h_invpcid, ir_zext(ir, IR_I64, x86_get(tr, i, 0)), pcid, addr);
    x86_exit_next(tr, IR_EXIT_NEXT);
}

static void tr_none(UNUSED X86Tr *tr, UNUSED const X86Insn *i)
{
}

static void tr_cpuid(X86Tr *tr, UNUSED const X86Insn *i)
{
    X86_CALL(tr, &x86_h_cpuid);
}

static bool tsc_blocked(X86Tr *tr)
{
    if (tr->mode & MW_TSD_UMIP) {
        x86_fault_code(tr, EXCP_GP, 0);
        return true;
    }
    return false;
}

void x86_put_edx_eax(X86Tr *tr, IrValue v)
{
    IrRegion *ir = tr->ir;

    x86_put_reg(tr, R_AX, 4, ir_trunc(ir, IR_I32, v));
    x86_put_reg(tr, R_DX, 4, ir_trunc(ir, IR_I32, ir_shr(ir, IR_I64, v, ir_i64(ir, 32))));
}

IrValue x86_edx_eax(X86Tr *tr)
{
    IrRegion *ir = tr->ir;

    return ir_or(ir, IR_I64, ir_zext(ir, IR_I64, x86_reg(tr, R_AX, 4)),
                 ir_shl(ir, IR_I64, x86_reg(tr, R_DX, 8), ir_i64(ir, 32)));
}

/* @arg 1: RDTSCP. */
static void tr_rdtsc(X86Tr *tr, const X86Insn *i)
{
    if (tsc_blocked(tr)) {
        return;
    }
    x86_put_edx_eax(tr, X86_CALL(tr, &x86_h_rdtsc));
    if (i->arg) {
        x86_put_reg(tr, R_CX, 4, ir_trunc(tr->ir, IR_I32,
                                          ir_ld_env(tr->ir, IR_I64, ENV(tsc_aux))));
    }
}

static void tr_rdpid(X86Tr *tr, const X86Insn *i)
{
    IrValue v = ir_ld_env(tr->ir, IR_I64, ENV(tsc_aux));

    x86_put(tr, i, 0, ir_trunc(tr->ir, x86_type(i->op[0].size), v));
}

/* RDPKRU (0), WRPKRU (1): SDM vol. 2. */
static void tr_pkru(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue zero = ir_i32(ir, 0);

    x86_fault_if(tr, IR_TST_Z, IR_I64, ir_ld_env(ir, IR_I64, ENV(cr[4])), ir_i64(ir, CR4_PKE),
                 EXCP_UD, false, 0);
    x86_fault_if(tr, IR_NE, IR_I32, x86_reg(tr, R_CX, 4), zero, EXCP_GP, true, 0);
    if (i->arg) {
        x86_fault_if(tr, IR_NE, IR_I32, x86_reg(tr, R_DX, 4), zero, EXCP_GP, true, 0);
        X86_CALL(tr, &x86_h_wrpkru, x86_reg(tr, R_AX, 4));
    } else {
        x86_put_edx_eax(tr, ir_zext(ir, IR_I64, ir_ld_env(ir, IR_I32, ENV(pkru))));
    }
}

/* RDRAND (0), RDSEED (1): CF is set, the other flags are clear. */
static void tr_rdrand(X86Tr *tr, const X86Insn *i)
{
    IrValue v = X86_CALL(tr, &x86_h_random);

    x86_put(tr, i, 0, ir_trunc(tr->ir, x86_type(i->op[0].size), v));
    x86_set_flags_value(tr, ir_i32(tr->ir, FL_CF));
}

static void tr_rdpmc(X86Tr *tr, UNUSED const X86Insn *i)
{
    x86_fault_code(tr, EXCP_GP, 0);     /* no counters */
}

static void tr_rdmsr(X86Tr *tr, UNUSED const X86Insn *i)
{
    x86_put_edx_eax(tr, X86_CALL(tr, &x86_h_rdmsr, x86_reg(tr, R_CX, 4)));
}

static void tr_wrmsr(X86Tr *tr, UNUSED const X86Insn *i)
{
    X86_CALL(tr, &x86_h_wrmsr, x86_reg(tr, R_CX, 4), x86_edx_eax(tr));
    x86_exit_next(tr, IR_EXIT_IRQ_CHECK);
}

static void tr_syscall(X86Tr *tr, UNUSED const X86Insn *i)
{
    X86_CALL(tr, &x86_h_syscall, x86_next_pc(tr, 8));
    tr->no_step = true;
    x86_go_on(tr);
}

static void tr_sysret(X86Tr *tr, const X86Insn *i)
{
    X86_CALL(tr, i->arg ? &x86_h_sysexit : &x86_h_sysret, ir_i32(tr->ir, i->opsize));
    tr->no_step = true;
    x86_go_on(tr);
}

static void tr_sysenter(X86Tr *tr, UNUSED const X86Insn *i)
{
    X86_CALL(tr, &x86_h_sysenter);
    tr->no_step = true;
    x86_go_on(tr);
}

static void tr_swapgs(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue gs = ir_get(ir, G_GS_BASE), other = ir_ld_env(ir, IR_I64, ENV(kernel_gs_base));

    ir_st_env(ir, ENV(kernel_gs_base), gs);
    ir_put(ir, G_GS_BASE, other);
}

/* RDFSBASE (0), RDGSBASE (1), WRFSBASE (2), WRGSBASE (3). */
static void tr_fsgsbase(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    unsigned size = i->op[0].size;
    IrVar base = i->arg & 1 ? G_GS_BASE : G_FS_BASE;

    x86_fault_if(tr, IR_TST_Z, IR_I64, ir_ld_env(ir, IR_I64, ENV(cr[4])),
                 ir_i64(ir, CR4_FSGSBASE), EXCP_UD, false, 0);
    if (i->arg < 2) {
        x86_put(tr, i, 0, ir_trunc(ir, x86_type(size), ir_get(ir, base)));
    } else {
        IrValue v = ir_zext(ir, IR_I64, x86_get(tr, i, 0));

        if (size == 8) {
            IrValue cr4 = ir_ld_env(ir, IR_I64, ENV(cr[4]));
            IrValue n = ir_select(ir, IR_TST_NZ, IR_I64, cr4, ir_i64(ir, CR4_LA57), IR_I64,
                                  ir_i64(ir, 7), ir_i64(ir, 16));
            IrValue s = ir_sar(ir, IR_I64, ir_shl(ir, IR_I64, v, n), n);

            x86_fault_if(tr, IR_NE, IR_I64, v, s, EXCP_GP, true, 0);
        }
        ir_put(ir, base, v);
    }
}

static void tr_hlt(X86Tr *tr, UNUSED const X86Insn *i)
{
    X86_CALL(tr, &x86_h_hlt, x86_next_pc(tr, 8));
    x86_exit(tr, IR_EXIT_HALT);
}

static void tr_cli(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue f;

    if (!(tr->mode & MW_IOPL_OK) && (tr->mode & MW_PE)) {
        X86_CALL(tr, &x86_h_virtual_if, ir_i32(ir, 0));
        return;
    }
    f = ir_ld_env(ir, IR_I32, ENV(eflags));
    ir_st_env(ir, ENV(eflags), ir_and(ir, IR_I32, f, ir_i32(ir, ~(uint32_t)FL_IF)));
}

/*
 * Interrupts wait for one instruction more. If none is pending, that instruction just
 * follows in this block, before anything looks for interrupts.
 */
static void tr_sti(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue pending;

    if (!(tr->mode & MW_IOPL_OK) && (tr->mode & MW_PE)) {
        X86_CALL(tr, &x86_h_virtual_if, ir_i32(ir, 1));
        return;
    }
    pending = X86_CALL(tr, &x86_h_sti, ir_i32(ir, tr->one));
    x86_exit_if(tr, IR_NE, IR_I32, pending, ir_i32(ir, 0), IR_EXIT_NEXT);
    tr->hold = !tr->one;
}

/*
 * CLAC (0), STAC (1): the MMU mode changes, in the middle of the region. Whether CR4 has SMAP is known
 * where it was in force at the entry; else it is taken to be so later as it was when this was translated.
 */
static void tr_stac(X86Tr *tr, const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    bool known = tr->t->mode & MW_SMAP_AC, smap = known || tr->s->cr[4] & CR4_SMAP;
    IrValue f;

    if (tr->cpl) {
        x86_fault(tr, EXCP_UD);
        return;
    }
    f = ir_ld_env(ir, IR_I32, ENV(eflags));
    f = i->arg ? ir_or(ir, IR_I32, f, ir_i32(ir, FL_AC))
               : ir_and(ir, IR_I32, f, ir_i32(ir, ~(uint32_t)FL_AC));
    ir_st_env(ir, ENV(eflags), f);
    if (tr->one) {
        x86_exit_next(tr, IR_EXIT_NEXT);
        return;
    }
    if (!i->arg && !known) {
        IrValue bit = ir_and(ir, IR_I64, ir_ld_env(ir, IR_I64, ENV(cr[4])), ir_i64(ir, CR4_SMAP));

        x86_exit_if(tr, IR_NE, IR_I64, bit, ir_i64(ir, smap ? CR4_SMAP : 0), IR_EXIT_NEXT);
    }
    x86_put_mode(tr, i->arg || !smap ? tr->mode & ~(uint32_t)MW_SMAP_AC : tr->mode | MW_SMAP_AC);
}

/* MONITOR has no effect; MWAIT returns at once, as it may. */
static void tr_monitor(X86Tr *tr, const X86Insn *i)
{
    if (tr->cpl) {
        x86_fault(tr, EXCP_UD);
    } else if (i->arg) {
        x86_exit_next(tr, IR_EXIT_IRQ_CHECK);
    }
}

static void tr_rsm(X86Tr *tr, UNUSED const X86Insn *i)
{
    if (!(tr->mode & MW_SMM)) {
        x86_fault(tr, EXCP_UD);
        return;
    }
    X86_CALL(tr, &x86_h_rsm);
    tr->no_step = true;
    x86_exit(tr, IR_EXIT_IRQ_CHECK);
}

static const X86Handler system_handlers[] = {
    { "SLDT", tr_sldt, S_LDT }, { "STR", tr_sldt, S_TR }, { "LLDT", tr_lldt, S_LDT },
    { "LTR", tr_lldt, S_TR }, { "VERR", tr_ver, 0 }, { "VERW", tr_ver, 1 },
    { "LAR", tr_lar_lsl, 0 }, { "LSL", tr_lar_lsl, 1 },
    { "SGDT", tr_sgdt, 0 }, { "SIDT", tr_sgdt, 1 }, { "LGDT", tr_lgdt, 0 },
    { "LIDT", tr_lgdt, 1 }, { "SMSW", tr_smsw, 0 }, { "LMSW", tr_lmsw, 0 },
    { "MOVFROMCR", tr_mov_from_cr, 0 }, { "MOVTOCR", tr_mov_to_cr, 0 },
    { "MOVFROMDR", tr_mov_from_dr, 0 }, { "MOVTODR", tr_mov_to_dr, 0 },
    { "CLTS", tr_clts, 0 }, { "INVLPG", tr_invlpg, 0 }, { "INVPCID", tr_invpcid, 0 },
    { "INVD", tr_none, 0 }, { "WBINVD", tr_none, 0 },
    { "CPUID", tr_cpuid, 0 }, { "RDTSC", tr_rdtsc, 0 }, { "RDTSCP", tr_rdtsc, 1 },
    { "RDPID", tr_rdpid, 0 }, { "RDPKRU", tr_pkru, 0 }, { "WRPKRU", tr_pkru, 1 },
    { "RDRAND", tr_rdrand, 0 }, { "RDSEED", tr_rdrand, 1 }, { "RDPMC", tr_rdpmc, 0 }, { "RDMSR", tr_rdmsr, 0 },
    { "WRMSR", tr_wrmsr, 0 }, { "SYSCALL", tr_syscall, 0 }, { "SYSRET", tr_sysret, 0 },
    { "SYSENTER", tr_sysenter, 0 }, { "SYSEXIT", tr_sysret, 1 }, { "SWAPGS", tr_swapgs, 0 },
    { "RDFSBASE", tr_fsgsbase, 0 }, { "RDGSBASE", tr_fsgsbase, 1 },
    { "WRFSBASE", tr_fsgsbase, 2 }, { "WRGSBASE", tr_fsgsbase, 3 },
    { "HLT", tr_hlt, 0 }, { "CLI", tr_cli, 0 }, { "STI", tr_sti, 0 }, { "CLAC", tr_stac, 0 },
    { "STAC", tr_stac, 1 },
    { "MONITOR", tr_monitor, 0 }, { "MWAIT", tr_monitor, 1 }, { "RSM", tr_rsm, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(system_handlers)
