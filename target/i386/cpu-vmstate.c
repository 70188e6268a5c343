/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved state of an x86 CPU: everything that the guest can see. */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "target/i386/xsave.h"
#include "vmstate/node.h"

static const VmField segment_fields[] = {
    VM_U16(X86Segment, selector), VM_U64(X86Segment, base), VM_U32(X86Segment, limit),
    VM_U32(X86Segment, flags), VM_END
};
static const VmMeaning segment_meanings[] = {
    { "selector", "selector", .flags = FLAGS({ "RPL", 3 }, { "TI", 4 }, { "INDEX", 0xfff8 }) }, { "base", "where it begins" },
    { "limit", "its last byte" },
    { "flags", "second word of the descriptor", .flags = FLAGS({ "TYPE", 0xf00 }, { "S", 0x1000 }, { "DPL", 0x6000 },
      { "P", 0x8000 },
      { "AVL", 0x100000 }, { "L", 0x200000 }, { "DB", 0x400000 }, { "G", 0x800000 }) },
    { .name = NULL }
};
static const VmState segment_vm = { .version = 1, .fields = segment_fields, .meanings = segment_meanings };

static const VmField table_fields[] = {
    VM_U64(X86Table, base), VM_U16(X86Table, limit), VM_END
};
static const VmMeaning table_meanings[] = {
    { "base", "where it begins" }, { "limit", "its last byte" }, { .name = NULL }
};
static const VmState table_vm = { .version = 1, .fields = table_fields, .meanings = table_meanings };

static const VmField f80_fields[] = { VM_U64(F80, m), VM_U16(F80, se), VM_END };
static const VmMeaning f80_meanings[] = {
    { "m", "mantissa" }, { "se", "sign and exponent", .flags = FLAGS({ "EXPONENT", 0x7fff }, { "SIGN", 0x8000 }) }, { .name = NULL }
};
static const VmState f80_vm = { .version = 1, .fields = f80_fields, .meanings = f80_meanings };

static const VmField env_fields[] = {
    VM_U64_ARRAY(X86State, regs),
    { .name = "rip", .kind = &vm_kind_u64, .offset = offsetof(X86State, tcg.pc),
      .size = sizeof(uint64_t), .num = 1 },
    VM_U32(X86State, cc_op), VM_U64(X86State, cc_dst), VM_U64(X86State, cc_src),
    VM_U64(X86State, cc_src2), VM_U64(X86State, df), VM_U32(X86State, eflags),
    VM_STRUCT_ARRAY(X86State, seg, segment_vm),
    VM_STRUCT(X86State, gdt, table_vm), VM_STRUCT(X86State, idt, table_vm),
    VM_U64_ARRAY(X86State, cr), VM_U64_ARRAY(X86State, dr),
    VM_U64(X86State, efer), VM_U64(X86State, star), VM_U64(X86State, lstar),
    VM_U64(X86State, cstar), VM_U64(X86State, fmask), VM_U64(X86State, kernel_gs_base),
    VM_U64(X86State, sysenter_cs), VM_U64(X86State, sysenter_esp),
    VM_U64(X86State, sysenter_eip),
    VM_U64(X86State, tsc_offset), VM_U64(X86State, tsc_aux), VM_U64(X86State, tsc_adjust),
    VM_U64(X86State, pat), VM_U64(X86State, misc_enable), VM_U64(X86State, mtrr_def),
    VM_U64_ARRAY(X86State, mtrr_fixed), VM_U64_ARRAY(X86State, mtrr_var),
    VM_U64(X86State, mcg_cap), VM_U64(X86State, mcg_status), VM_U64(X86State, mcg_ctl),
    VM_U64_ARRAY(X86State, mce_banks),
    VM_U64(X86State, smbase), VM_U64(X86State, smi_count), VM_U64(X86State, hwcr),
    VM_U64(X86State, xcr0), VM_U64(X86State, xss), VM_U32(X86State, pkru),
    VM_U32(X86State, a20_mask),
    VM_BOOL(X86State, ferr), VM_BOOL(X86State, ignne),
    VM_BOOL(X86State, smm), VM_BOOL(X86State, nmi_masked), VM_BOOL(X86State, smm_nmi_masked),
    VM_BOOL(X86State, int_shadow), VM_U8_RANGE(X86State, cpl, 0, 3),
    VM_BOOL(X86State, in_hlt), VM_BOOL(X86State, shutdown), VM_BOOL(X86State, wait_sipi),
    VM_STRUCT_ARRAY(X86State, st, f80_vm), VM_U8_ARRAY(X86State, fpu_tag_empty),
    VM_U8_RANGE(X86State, fpu_top, 0, 7), VM_U16(X86State, fpu_fcw), VM_U16(X86State, fpu_fsw),
    VM_U16(X86State, fpu_fop), VM_U16(X86State, fpu_fcs), VM_U16(X86State, fpu_fds),
    VM_U64(X86State, fpu_fip), VM_U64(X86State, fpu_fdp), VM_U32(X86State, mxcsr),
    VM_BUFFER(X86State, xmm),
    VM_INT(X86State, excp), VM_BOOL(X86State, excp_has_error), VM_BOOL(X86State, excp_is_soft),
    VM_BOOL(X86State, excp_is_int), VM_BOOL(X86State, excp_is_int1),
    VM_U8_RANGE(X86State, excp_insn_len, 0, 15), VM_U32(X86State, excp_error),
    VM_U64(X86State, excp_dr6),
    VM_END
};

/* Sixteen or thirty-two registers of 64 bytes, the lowest bytes first. */
static void show_vectors(StateNode *n)
{
    for (size_t i = 0; i + 64 <= n->num_bytes; i += 64) {
        g_autofree char *name = g_strdup_printf("zmm%zu", i / 64);

        state_add_bytes(n, name, n->bytes + i, 64);
    }
    n->kind = STATE_STRUCT;
    g_clear_pointer(&n->bytes, g_free);
    n->num_bytes = 0;
}

static const VmMeaning env_meanings[] = {
    { "rip", "instruction pointer" }, { "cc_op", "what the arithmetic flags are made of" }, { "cc_dst", "its result" },
    { "cc_src", "its operand" }, { "cc_src2", "its other operand" }, { "df", "direction of strings: 1, or -1 with DF set" },
    { "star", "IA32_STAR" }, { "lstar", "IA32_LSTAR" }, { "cstar", "IA32_CSTAR" }, { "fmask", "IA32_FMASK" },
    { "kernel_gs_base", "IA32_KERNEL_GS_BASE" }, { "sysenter_cs", "IA32_SYSENTER_CS" }, { "sysenter_esp", "IA32_SYSENTER_ESP" },
    { "sysenter_eip", "IA32_SYSENTER_EIP" }, { "tsc_offset", "time-stamp counter less the guest's clock" },
    { "tsc_aux", "IA32_TSC_AUX" },
    { "tsc_adjust", "IA32_TSC_ADJUST" }, { "pat", "IA32_PAT" }, { "misc_enable", "IA32_MISC_ENABLE" },
    { "mtrr_def", "IA32_MTRR_DEF_TYPE", .flags = FLAGS({ "TYPE", 0xff }, { "FE", 0x400 }, { "E", 0x800 }) },
    { "mcg_cap", "IA32_MCG_CAP", .flags = FLAGS({ "COUNT", 0xff }, { "CTL_P", 0x100 }, { "SER_P", 0x1000000 }) },
    { "mcg_status", "IA32_MCG_STATUS", .flags = FLAGS({ "RIPV", 1 }, { "EIPV", 2 }, { "MCIP", 4 }) }, { "mcg_ctl", "IA32_MCG_CTL" },
    { "smbase", "where SMM saves its state" }, { "smi_count", "MSR_SMI_COUNT" }, { "hwcr", "HWCR of AMD's processors" },
    { "xcr0", "XCR0", .flags = FLAGS({ "X87", 1 }, { "SSE", 2 }, { "AVX", 4 }, { "OPMASK", 0x20 }, { "ZMM_HI256", 0x40 },
      { "HI16_ZMM", 0x80 }, { "PKRU", 0x200 }) }, { "xss", "IA32_XSS" }, { "pkru", "rights of protection keys, two bits each" },
    { "a20_mask", "bits of addresses that get through" }, { "cpl", "current privilege level" },
    { "fpu_tag_empty", "registers of the stack that are empty" }, { "fpu_top", "top of the stack" },
    { "fpu_fcw", "control word", .flags = FLAGS({ "IM", 1 }, { "DM", 2 }, { "ZM", 4 }, { "OM", 8 }, { "UM", 0x10 }, { "PM", 0x20 },
      { "PC", 0x300 }, { "RC", 0xc00 }) },
    { "fpu_fsw", "status word, without the top", .flags = FLAGS({ "IE", 1 }, { "DE", 2 }, { "ZE", 4 }, { "OE", 8 }, { "UE", 0x10 },
      { "PE", 0x20 }, { "SF", 0x40 }, { "C0", 0x100 }, { "C1", 0x200 }, { "C2", 0x400 }, { "C3", 0x4000 }) },
    { "fpu_fop", "last opcode" }, { "fpu_fcs", "code segment of the last instruction" },
    { "fpu_fds", "data segment of its operand" },
    { "fpu_fip", "the last instruction" }, { "fpu_fdp", "its operand" },
    { "excp_insn_len", "of the instruction that raised it" }, { "excp_error", "its error code" },
    { "excp_dr6", "bits that it sets in DR6" },
    { "regs", "general registers", ELEMENTS("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10",
                                            "r11", "r12", "r13", "r14", "r15") },
    { "eflags", "without the arithmetic flags, which cc_op computes",
      .flags = FLAGS({ "TF", 0x100 }, { "IF", 0x200 }, { "IOPL", 0x3000 }, { "NT", 0x4000 }, { "RF", 0x10000 },
                     { "VM", 0x20000 }, { "AC", 0x40000 }, { "VIF", 0x80000 }, { "VIP", 0x100000 }, { "ID", 0x200000 }) },
    { "seg", "ES, CS, SS, DS, FS, GS and the system's" },
    { "cr", "control registers" }, { "dr", "debug registers" },
    { "efer", .flags = FLAGS({ "SCE", 1 }, { "LME", 0x100 }, { "LMA", 0x400 }, { "NXE", 0x800 }, { "SVME", 0x1000 }) },
    { "mtrr_fixed", "fixed MTRRs", ELEMENTS("64K_00000", "16K_80000", "16K_A0000", "4K_C0000", "4K_C8000", "4K_D0000",
                                            "4K_D8000", "4K_E0000", "4K_E8000", "4K_F0000", "4K_F8000") },
    { "mtrr_var", "variable MTRRs: base and mask of each" },
    { "mce_banks", "machine check banks: CTL, STATUS, ADDR, MISC of each" },
    { "mxcsr", .flags = FLAGS({ "IE", 1 }, { "DE", 2 }, { "ZE", 4 }, { "OE", 8 }, { "UE", 0x10 }, { "PE", 0x20 },
                              { "DAZ", 0x40 }, { "MASKS", 0x1f80 }, { "RC", 0x6000 }, { "FTZ", 0x8000 }) },
    { "xmm", "vector registers", .show = show_vectors }, { "excp", "exception on its way; -1: none" },
    { .name = NULL }
};

static void env_pre_save(void *opaque)
{
    X86State *s = opaque;

    if (s->cc_op & CC_OVER) {
        x86_set_eflags(s, x86_get_eflags(s));
    }
}

/* Values that no processor can hold are refused; what is derived is computed. */
static bool env_post_load(void *opaque, Error **errp)
{
    X86State *s = opaque;

    if (s->cc_op >= CC_NUM || (s->df != 1 && s->df != UINT64_MAX) || s->excp < EXCP_NONE ||
        s->excp > 255 || (s->mxcsr & ~x86_mxcsr_mask(s)) || (s->xcr0 & ~x86_xcr0_mask(s)) ||
        (s->a20_mask != UINT32_MAX && s->a20_mask != ~BIT(20))) {
        error_setf(errp, ERR_STATE_INVALID, "the CPU's state holds values that it can't have");
        return false;
    }
    if ((s->efer & EFER_LMA) && !((s->efer & EFER_LME) && (s->cr[0] & CR0_PG) &&
                                  (s->cr[4] & CR4_PAE))) {
        error_setf(errp, ERR_STATE_INVALID, "long mode is active without paging");
        return false;
    }
    for (unsigned i = 0; i < 8; i++) {
        s->fpu_tag_empty[i] = s->fpu_tag_empty[i] != 0;
    }
    s->fpu_fsw &= 0x477f;
    s->delivering = s->delivering_ext = false;
    s->excp_old = EXCP_NONE;
    s->tcg.as_index = s->smm;
    x86_fpu_set_pointers(s);
    x86_fp_update_env(s);
    return true;
}

static const VmState env_vm = {
    .version = 1, .fields = env_fields, .pre_save = env_pre_save, .post_load = env_post_load, .meanings = env_meanings,
};

const VmMeaning x86_cpu_meanings[] = {
    { "saved_lines", "requests that wait for the processor, a bit each" }, { "saved_halted", "it doesn't run" }, { .name = NULL }
};

const VmField x86_cpu_fields[] = {
    VM_U32(X86Cpu, saved_lines), VM_BOOL(X86Cpu, saved_halted), VM_BOOL(X86Cpu, intr_level),
    VM_STRUCT_PTR(X86Cpu, env, env_vm),
    VM_END
};

void x86_cpu_gather(void *opaque)
{
    X86Cpu *cpu = opaque;

    x86_fp_collect(cpu->env);
    cpu->saved_lines = cpu->parent.interrupt_request;
    cpu->saved_halted = cpu->parent.halted;
}

bool x86_cpu_post_load(void *opaque, UNUSED Error **errp)
{
    X86Cpu *cpu = opaque;
    X86State *s = cpu->env;

    cpu->parent.interrupt_request = cpu->saved_lines;
    cpu->parent.halted = cpu->saved_halted;
    if (cpu->apic) {
        local_apic_ops(cpu->apic)->set_tsc(cpu->apic, s->tsc_hz, s->tsc_offset);
        s->apic_disabled = !(local_apic_ops(cpu->apic)->get_base(cpu->apic) & BIT(11));
        x86_cpu_move_apic(cpu);
    }
    tcg_tlb_flush(&s->tcg);
    x86_mode_sync(s);
    return true;
}
