/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 CPU as a device: reset, address spaces, local APIC, input lines,
 * and the tables by which the accelerator, devices and the monitor reach it.
 *
 * Sources: SDM vol. 3A table 9-1 (state after power-up, RESET, INIT).
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
void x86_translate(TcgTranslate *t);
#include "hw/core/machine.h"
#include "util/host-utils.h"

/* ------------------------------------------------------------------- globals */

#define OFS(f)              offsetof(X86State, f)
#define REG(name, n)        { name, IR_I64, OFS(regs[n]) }
#define XMM(n)              { "xmm" #n, IR_V128, OFS(xmm[n]) }
#define YMMH(n)             { "ymmh" #n, IR_V128, OFS(xmm[n]) + 16 }
#define FPR(n)              { "fpr" #n, IR_F80, OFS(st[n]) }

const IrGlobal x86_globals[G_NUM] = {
    [G_RAX] = REG("rax", R_AX), REG("rcx", R_CX), REG("rdx", R_DX), REG("rbx", R_BX),
    REG("rsp", R_SP), REG("rbp", R_BP), REG("rsi", R_SI), REG("rdi", R_DI),
    REG("r8", R_8), REG("r9", R_9), REG("r10", R_10), REG("r11", R_11),
    REG("r12", R_12), REG("r13", R_13), REG("r14", R_14), REG("r15", R_15),
    [G_CC_DST] = { "cc_dst", IR_I64, OFS(cc_dst) },
    [G_CC_SRC] = { "cc_src", IR_I64, OFS(cc_src) },
    [G_CC_SRC2] = { "cc_src2", IR_I64, OFS(cc_src2) },
    [G_CC_OP] = { "cc_op", IR_I32, OFS(cc_op) },
    [G_PC_BIAS] = { "pc_bias", IR_I64, OFS(tcg.pc_bias) },
    [G_DF] = { "df", IR_I64, OFS(df) },
    [G_FS_BASE] = { "fs_base", IR_I64, OFS(seg[S_FS].base) },
    [G_GS_BASE] = { "gs_base", IR_I64, OFS(seg[S_GS].base) },
    [G_DS_BASE] = { "ds_base", IR_I64, OFS(seg[S_DS].base) },
    [G_ES_BASE] = { "es_base", IR_I64, OFS(seg[S_ES].base) },
    [G_SS_BASE] = { "ss_base", IR_I64, OFS(seg[S_SS].base) },
    [G_CS_BASE] = { "cs_base", IR_I64, OFS(seg[S_CS].base) },
    [G_XMM0] = XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
    XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
    [G_ST0] = FPR(0), FPR(1), FPR(2), FPR(3), FPR(4), FPR(5), FPR(6), FPR(7),
    [G_FPU_INSN] = { "fpu_insn", IR_I64, OFS(fpu_insn) },
    [G_FPU_FDP] = { "fpu_fdp", IR_I64, OFS(fpu_fdp) },
    [G_YMMH0] = YMMH(0), YMMH(1), YMMH(2), YMMH(3), YMMH(4), YMMH(5), YMMH(6), YMMH(7),
    YMMH(8), YMMH(9), YMMH(10), YMMH(11), YMMH(12), YMMH(13), YMMH(14), YMMH(15),
};

static const IrGlobalTable global_table = { x86_globals, G_NUM };

/* --------------------------------------------------------------------- reset */

static void set_real_segments(X86State *s)
{
    for (int i = S_ES; i <= S_GS; i++) {
        s->seg[i] = (X86Segment){
            .limit = 0xffff, .flags = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED,
        };
    }
    s->seg[S_CS].flags |= SEG_CODE;
    s->seg[S_CS].selector = 0xf000;
    s->seg[S_CS].base = 0xffff0000;
    s->seg[S_LDT] = (X86Segment){ .limit = 0xffff, .flags = SEG_P | SYS_LDT << SEG_TYPE_SHIFT };
    s->seg[S_TR] = (X86Segment){
        .limit = 0xffff, .flags = SEG_P | SYS_TSS32_BUSY << SEG_TYPE_SHIFT,
    };
    s->gdt = s->idt = (X86Table){ .limit = 0xffff };
    if (s->generation == X86_8086) {
        s->seg[S_CS].selector = 0xffff;
        s->seg[S_CS].base = 0xffff0;
    } else if (s->generation == X86_286) {
        s->seg[S_CS].base = 0xf0000;            /* not FF0000: boards for later CPUs have no ROM there */
    }
}

/* INIT: what RESET does, but for CR0's cache bits, the FPU and SSE state, MSRs. */
void x86_init_state(X86State *s)
{
    uint32_t cpuid1[4];

    memset(s->regs, 0, sizeof(s->regs));
    x86_cpuid(s, 1, 0, cpuid1);
    s->regs[R_DX] = cpuid1[0];
    s->tcg.pc = s->generation == X86_8086 ? 0 : 0xfff0;
    s->df = 1;
    x86_set_eflags(s, FL_1 | (s->generation == X86_8086 ? 0xf000 : 0));
    set_real_segments(s);
    s->cr[0] = (s->cr[0] & (CR0_CD | CR0_NW)) | CR0_ET;
    s->cr[2] = s->cr[3] = s->cr[4] = s->cr[8] = 0;
    s->efer = 0;
    memset(s->dr, 0, sizeof(s->dr));
    s->dr[6] = 0xffff0ff0;
    s->dr[7] = 0x400;
    x86_set_cpl(s, 0);
    s->smm = s->nmi_masked = s->smm_nmi_masked = s->int_shadow = false;
    s->in_hlt = s->shutdown = s->wait_sipi = false;
    s->excp = s->excp_old = EXCP_NONE;
    s->excp_dr6 = 0;
    s->delivering = s->delivering_ext = s->insn_is_stack = false;
    s->tcg.as_index = 0;
    if (s->tcg.cpu) {
        tcg_tlb_flush(&s->tcg);
    }
}

void x86_reset_state(X86State *s)
{
    s->cr[0] = CR0_CD | CR0_NW;
    x86_init_state(s);
    memset(s->xmm, 0, sizeof(s->xmm));
    memset(s->st, 0, sizeof(s->st));
    s->mxcsr = 0x1f80;
    x86_fpu_init(s);
    s->star = s->lstar = s->cstar = s->fmask = s->kernel_gs_base = 0;
    s->sysenter_cs = s->sysenter_esp = s->sysenter_eip = 0;
    s->tsc_aux = s->tsc_adjust = s->tsc_deadline = 0;
    s->tsc_offset = 0;
    s->pat = UINT64_C(0x0007040600070406);      /* SDM 3A table 12-12 */
    s->misc_enable = 1;                         /* fast strings */
    s->mtrr_def = 0;
    memset(s->mtrr_fixed, 0, sizeof(s->mtrr_fixed));
    memset(s->mtrr_var, 0, sizeof(s->mtrr_var));
    s->mcg_status = 0;
    /* Ten banks and MCG_CTL; SDM 3B 16.3.1.1: software may recover from some errors, of which AMD's processors know nothing. */
    s->mcg_cap = x86_has(s, FEAT_1_EDX, 7) && x86_has(s, FEAT_1_EDX, 14) ? BIT(8) | 10 : 0;
    if (s->mcg_cap && !strcmp(s->cpuid_vendor, "GenuineIntel")) {
        s->mcg_cap |= BIT(24);
    }
    s->mcg_ctl = s->mcg_cap & BIT(8) ? UINT64_MAX : 0;
    memset(s->mce_banks, 0, sizeof(s->mce_banks));
    for (unsigned i = 0; i < ARRAY_SIZE(s->mce_banks); i += 4) {
        s->mce_banks[i] = UINT64_MAX;
    }
    s->smbase = 0x30000;
    s->smi_count = 0;
    s->hwcr = s->spec_ctrl = s->feature_control = s->vm_hsave_pa = 0;
    s->xcr0 = 1;
    s->ferr = s->ignne = false;
    s->xss = 0;
    s->apic_disabled = false;
}

/* The 8086 has twenty address lines. */
static uint32_t a20_open(const X86State *s)
{
    return s->generation == X86_8086 ? ~BIT(20) : UINT32_MAX;
}

static void cpu_reset_hold(Device *dev)
{
    X86Cpu *cpu = X86_CPU(dev);
    X86State *s = cpu->env;

    s->a20_mask = a20_open(s);
    x86_reset_state(s);
    if (cpu->apic) {
        local_apic_ops(cpu->apic)->set_tsc(cpu->apic, s->tsc_hz, 0);
    }
    s->wait_sipi = !s->is_bsp;
    cpu->parent.halted = s->wait_sipi || cpu->parent.start_powered_off;
    x86_mode_sync(s);
}

/* --------------------------------------------------------------- input lines */

static void intr_in(void *opaque, UNUSED int n, int level)
{
    X86Cpu *cpu = opaque;

    cpu->intr_level = level;
    if (cpu->apic) {
        local_apic_ops(cpu->apic)->set_lint(cpu->apic, 0, level);
    } else {
        cpu_set_interrupt_line(&cpu->parent, CPU_INTR_HARD, level);
    }
}

static void nmi_in(void *opaque, UNUSED int n, int level)
{
    X86Cpu *cpu = opaque;

    if (cpu->apic) {
        local_apic_ops(cpu->apic)->set_lint(cpu->apic, 1, level);
    } else if (level) {
        cpu_raise(&cpu->parent, CPU_INTR_NMI);
    }
}

static void smi_in(void *opaque, UNUSED int n, int level)
{
    if (level) {
        cpu_raise(opaque, CPU_INTR_SMI);
    }
}

static void init_in(void *opaque, UNUSED int n, int level)
{
    if (level) {
        cpu_raise(opaque, CPU_INTR_INIT);
    }
}

static void set_a20(CPUState *cpu, void *data)
{
    X86State *s = X86_CPU(cpu)->env;
    uint32_t mask = data ? a20_open(s) : ~BIT(20);

    if (s->a20_mask != mask) {
        s->a20_mask = mask;
        tcg_tlb_flush(&s->tcg);
    }
}

/* Only the CPU's thread looks at it, after the device's write or interrupt. */
static void ignne_in(void *opaque, UNUSED int n, int level)
{
    X86Cpu *cpu = opaque;

    __atomic_store_n(&cpu->env->ignne, level != 0, __ATOMIC_SEQ_CST);
}

static void a20_in(void *opaque, UNUSED int n, int level)
{
    CPUState *cpu = opaque;

    if (cpu->created) {
        async_run_on_cpu(cpu, set_a20, level ? cpu : NULL);
    } else {
        set_a20(cpu, level ? cpu : NULL);
    }
}

/* -------------------------------------------------------------------- realize */

static void cpu_init(Device *dev)
{
    X86Cpu *cpu = X86_CPU(dev);

    cpu->env = aligned_alloc(64, ALIGN_UP(sizeof(X86State), 64));
    tcg_env_clear(&cpu->env->tcg, sizeof(X86State));
    cpu->env->tcg.cpu = cpu;
    cpu->env->excp = cpu->env->excp_old = EXCP_NONE;
    cpu->env->a20_mask = UINT32_MAX;
    device_init_irq_in_opaque(dev, "intr", intr_in, cpu, 1);
    device_init_irq_in_opaque(dev, "nmi", nmi_in, cpu, 1);
    device_init_irq_in_opaque(dev, "smi", smi_in, cpu, 1);
    device_init_irq_in_opaque(dev, "init", init_in, cpu, 1);
    device_init_irq_in_opaque(dev, "a20", a20_in, cpu, 1);
    device_init_irq_in_opaque(dev, "ignne", ignne_in, cpu, 1);
    device_init_irq_out(dev, "ferr", &cpu->ferr, 1);
    x86_cpu_init_model(cpu);
}

static void cpu_finalize(Device *dev)
{
    free(X86_CPU(dev)->env);
}

static unsigned width_of(unsigned n)
{
    return n > 1 ? 32 - clz32(n - 1) : 0;
}

/* The APIC id says where the CPU sits: thread, core, die, socket from the
 * lowest bit upwards, each in as many bits as it needs. */
static void set_topology(X86Cpu *cpu)
{
    Machine *m = current_machine();
    X86State *s = cpu->env;
    unsigned i = cpu->parent.index, t, c, d;
    unsigned tw, cw, dw;

    s->nr_threads = m && m->smp.threads ? m->smp.threads : 1;
    s->nr_cores = m && m->smp.cores ? m->smp.cores : 1;
    s->nr_dies = m && m->smp.dies ? m->smp.dies : 1;
    t = i % s->nr_threads;
    c = i / s->nr_threads % s->nr_cores;
    d = i / s->nr_threads / s->nr_cores % s->nr_dies;
    i = i / s->nr_threads / s->nr_cores / s->nr_dies;
    tw = width_of(s->nr_threads);
    cw = width_of(s->nr_cores);
    dw = width_of(s->nr_dies);
    if (cpu->thread_id >= 0 && cpu->core_id >= 0 && cpu->socket_id >= 0) {
        t = cpu->thread_id;
        c = cpu->core_id;
        d = MAX(cpu->die_id, 0);
        i = cpu->socket_id;
    } else {
        cpu->thread_id = t;
        cpu->core_id = c;
        cpu->die_id = d;
        cpu->socket_id = i;
    }
    if (cpu->apic_id_prop == UINT32_MAX) {
        cpu->apic_id_prop = t | c << tw | d << (tw + cw) | i << (tw + cw + dw);
    }
    s->apic_id = cpu->apic_id_prop;
    s->is_bsp = cpu->parent.index == 0;
}

static bool make_apic(X86Cpu *cpu, Error **errp)
{
    Device *apic;

    if (!x86_has(cpu->env, FEAT_1_EDX, 9)) {
        return true;
    }
    apic = device_new(TYPE_LOCAL_APIC);
    if (!object_set_link(apic, "cpu", cpu, errp) ||
        !object_set_uint(apic, "id", cpu->env->apic_id, errp) ||
        !object_set_bool(apic, "bsp", cpu->env->is_bsp, errp) ||
        !device_realize_child(apic, &cpu->parent.dev, "lapic", NULL, errp)) {
        object_unref(apic);
        return false;
    }
    object_unref(apic);
    cpu->apic = apic;
    cpu->env->apic = apic;
    return true;
}

/* What the CPU sees: the board's memory with its own APIC's page over it; the
 * same again in SMM, where the board may show more. */
static void make_address_spaces(X86Cpu *cpu)
{
    static const char *const names[] = { "cpu-memory", "cpu-smm" };

    for (int i = 0; i < 2; i++) {
        AddressSpace *board = cpu_address_space(&cpu->parent, i);
        g_autofree char *name = g_strdup_printf("%s-%d", names[i], cpu->parent.index);

        memory_region_init(&cpu->as_root[i], cpu, name, UINT64_MAX);
        memory_region_init_alias(&cpu->as_alias[i], cpu, "board", board->root, 0, UINT64_MAX);
        memory_region_add(&cpu->as_root[i], 0, &cpu->as_alias[i]);
        if (cpu->apic) {
            MemRegion *page = local_apic_ops(cpu->apic)->mmio(cpu->apic);

            memory_region_init_alias(&cpu->apic_alias[i], cpu, "apic", page, 0,
                                     memory_region_size(page));
            memory_region_add_overlap(&cpu->as_root[i], 0, &cpu->apic_alias[i], 1);
        }
    }
    x86_cpu_move_apic(cpu);
    for (int i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("%s-%d", names[i], cpu->parent.index);

        address_space_init(&cpu->as[i], &cpu->as_root[i], name);
        cpu_set_address_space(&cpu->parent, i, &cpu->as[i]);
    }
}

void x86_cpu_move_apic(X86Cpu *cpu)
{
    uint64_t base;

    if (!cpu->apic) {
        return;
    }
    base = local_apic_ops(cpu->apic)->get_base(cpu->apic);
    if (cpu->apic_mapped == (base | 1)) {
        return;
    }
    cpu->apic_mapped = base | 1;
    memory_transaction_begin();
    for (int i = 0; i < 2; i++) {
        memory_region_set_address(&cpu->apic_alias[i], base & ~UINT64_C(0xfff));
        /* In x2APIC mode, and disabled, the page isn't there. */
        memory_region_set_enabled(&cpu->apic_alias[i],
                                  (base & (BIT(11) | BIT(10))) == BIT(11));
    }
    memory_transaction_commit();
    tcg_tlb_flush(&cpu->env->tcg);
}

static bool cpu_realize(Device *dev, Error **errp)
{
    X86Cpu *cpu = X86_CPU(dev);

    set_topology(cpu);
    if (!x86_apply_model(cpu, errp)) {
        return false;
    }
    cpu->env->tsc_hz = cpu->tsc_frequency ? cpu->tsc_frequency : (uint64_t)NS_PER_SECOND;
    if (!make_apic(cpu, errp)) {
        return false;
    }
    make_address_spaces(cpu);
    cpu_reset_hold(dev);
    return true;
}

static void cpu_unrealize(Device *dev)
{
    X86Cpu *cpu = X86_CPU(dev);

    for (int i = 1; i >= 0; i--) {
        address_space_cleanup(&cpu->as[i]);
        memory_region_cleanup(&cpu->apic_alias[i]);
        memory_region_cleanup(&cpu->as_alias[i]);
        memory_region_cleanup(&cpu->as_root[i]);
    }
    cpu->env->apic = NULL;
    cpu->apic = NULL;
}

/* ----------------------------------------------------------------- TargetOps */

static TcgEnv *env_of(CPUState *cpu)
{
    return &X86_CPU(cpu)->env->tcg;
}

static uint64_t code_address(const TcgEnv *env, uint64_t pc)
{
    const X86State *s = (const X86State *)env;

    return x86_code64(s) ? pc : (uint32_t)(s->seg[S_CS].base + pc);
}

static unsigned code_mmu(const TcgEnv *env)
{
    const X86State *s = (const X86State *)env;

    return s->smm ? X86_MMU_SMM : s->cpl == 3 ? X86_MMU_USER : X86_MMU_KERNEL;
}

static uint32_t mode_word(const TcgEnv *env)
{
    return x86_mode_word((const X86State *)env);
}

static bool bus_fault(UNUSED TcgEnv *env, UNUSED uint64_t addr, UNUSED uint64_t phys,
                      UNUSED MmuAccess access, UNUSED MemResult res)
{
    return false;               /* nobody answers: all ones are read */
}

static void unaligned(TcgEnv *env, UNUSED uint64_t addr, UNUSED MmuAccess access,
                      UNUSED unsigned mmu)
{
    x86_queue_exception(x86_state(env), EXCP_AC, true, 0);
}

static void fp_collect(TcgEnv *env)
{
    x86_fp_collect(x86_state(env));
}

/* Capstone's CS_ARCH_X86; CS_MODE_16, 32, 64. */
static int capstone_mode(uint64_t mode)
{
    return mode & MW_CS64 ? 1 << 3 : mode & MW_CS32 ? 1 << 2 : 1 << 1;
}

/* The translator's word: the access is to the stack segment. */
static void restore_aux(TcgEnv *env, uint32_t aux)
{
    x86_state(env)->insn_is_stack = aux;
}

const TargetOps x86_64_target_ops = {
    .name = "x86_64", .env_of = env_of, .globals = &global_table,
    .mmu_modes = X86_MMU_NUM, .pc_mask = UINT64_MAX,
    .translate = x86_translate, .restore_aux = restore_aux, .code_address = code_address,
    .code_mmu = code_mmu,
    .mode_word = mode_word, .address_space = x86_address_space, .mmu_walk = x86_mmu_walk, .mmu_fault = x86_mmu_fault,
    .bus_fault = bus_fault, .unaligned = unaligned,
    .take_exception = x86_take_exception, .take_interrupt = x86_take_interrupt,
    .has_work = x86_has_work, .debug_hit = x86_debug_hit, .fp_collect = fp_collect,
    .gdb_read = x86_gdb_read, .gdb_write = x86_gdb_write, .gdb_xml = x86_gdb_xml,
    .dump = x86_dump, .capstone_arch = 3, .capstone_mode = capstone_mode,
};

/* -------------------------------------------------------------------- CpuOps */

static uint64_t get_pc(const CPUState *cpu)
{
    return X86_CPU(cpu)->env->tcg.pc;
}

static void set_pc(CPUState *cpu, uint64_t pc)
{
    X86_CPU(cpu)->env->tcg.pc = pc;
}

static bool has_work(CPUState *cpu)
{
    return x86_has_work(&X86_CPU(cpu)->env->tcg);
}

static bool debug_translate(CPUState *cpu, uint64_t vaddr, hwaddr *phys, MemAttrs *attrs)
{
    TcgEnv *env = &X86_CPU(cpu)->env->tcg;
    uint64_t fault[4];
    MmuResult r;

    if (!x86_mmu_walk(env, vaddr, MMU_READ, env->as_index ? X86_MMU_SMM : X86_MMU_KERNEL, true,
                      &r, fault)) {
        return false;
    }
    *phys = r.phys | (vaddr & 0xfff);
    *attrs = r.attrs;
    attrs->debug = true;
    return true;
}

static char *state_text(CPUState *cpu, UNUSED bool with_fpu)
{
    return x86_dump(&X86_CPU(cpu)->env->tcg);
}

const CpuOps x86_64_cpu_ops = {
    .arch = "x86_64", .gdb_arch = "i386:x86-64", .order = MEM_LE, .address_bits = 64,
    .page_bits = 12, .regs = x86_reg_info, .num_regs = X86_NUM_REGS,
    .get_pc = get_pc, .set_pc = set_pc, .get_reg = x86_get_reg, .set_reg = x86_set_reg,
    .has_work = has_work, .debug_translate = debug_translate, .state_text = state_text,
    .list_mappings = x86_list_mappings, .inject_mce = x86_inject_mce,
    .parse_features = x86_cpu_parse_features, .is_model_property = x86_cpu_is_model_property,
    .target = &x86_64_target_ops,
};

const CpuOps x86_i386_cpu_ops = {
    .arch = "i386", .gdb_arch = "i386", .order = MEM_LE, .address_bits = 32,
    .page_bits = 12, .regs = x86_reg_info, .num_regs = X86_NUM_REGS,
    .get_pc = get_pc, .set_pc = set_pc, .get_reg = x86_get_reg, .set_reg = x86_set_reg,
    .has_work = has_work, .debug_translate = debug_translate, .state_text = state_text,
    .list_mappings = x86_list_mappings, .inject_mce = x86_inject_mce,
    .parse_features = x86_cpu_parse_features, .is_model_property = x86_cpu_is_model_property,
    .target = &x86_64_target_ops,
};

static const DeviceType x86_cpu_base = {
    .name = TYPE_X86_CPU, .parent = TYPE_CPU, .hotpluggable = true, .size = sizeof(X86Cpu), .abstract = true,
    .desc = "x86 processor", .category = DEVICE_CPU,
    .init = cpu_init, .finalize = cpu_finalize, .realize = cpu_realize,
    .unrealize = cpu_unrealize, .reset_hold = cpu_reset_hold,
    .vm = {
        .version = 1, .fields = x86_cpu_fields, .meanings = x86_cpu_meanings, .gather = x86_cpu_gather,
        .post_load = x86_cpu_post_load,
    },
    .data = &x86_64_cpu_ops,
};
DEVICE_TYPE(x86_cpu_base)
