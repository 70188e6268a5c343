/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU as a device: reset, interrupt pins, and the tables by which the accelerator, devices and
 * the monitor reach it.
 */
#include "util/osdep.h"
#include "target/m68k/cpu.h"
#include "target/m68k/fp-double.h"

#define OFS(f)      offsetof(M68kState, f)
#define D(n)        [G_D##n] = { "d" #n, IR_I64, OFS(d[n]) }
#define A(n)        [G_A##n] = { "a" #n, IR_I64, OFS(a[n]) }
#define FD(n)       [G_FD0 + n] = { "fd" #n, IR_F64, OFS(fpd[n]) }

const uint8_t m68k_reg_var[16] = {
    G_D0, G_D1, G_D2, G_D3, G_D4, G_D5, G_D6, G_D7, G_A0, G_A1, G_A2, G_A3, G_A4, G_A5, G_A6, G_A7,
};
const IrGlobal m68k_globals[G_NUM] = {
    D(0), D(1), D(2), D(3), D(4), D(5), D(6), D(7), A(0), A(1), A(2), A(3), A(4), A(5), A(6), A(7),
    [G_CC_OP] = { "cc_op", IR_I32, OFS(cc_op) }, [G_CC_A] = { "cc_a", IR_I32, OFS(cc_a) },
    [G_CC_B] = { "cc_b", IR_I32, OFS(cc_b) }, [G_X_OP] = { "x_op", IR_I32, OFS(x_op) },
    [G_X_A] = { "x_a", IR_I32, OFS(x_a) }, [G_X_B] = { "x_b", IR_I32, OFS(x_b) },
    [G_PC_BIAS] = { "pc_bias", IR_I64, OFS(tcg.pc_bias) },
    FD(0), FD(1), FD(2), FD(3), FD(4), FD(5), FD(6), FD(7),
    [G_FL_A] = { "fl_a", IR_F64, OFS(fl_a) }, [G_FL_B] = { "fl_b", IR_F64, OFS(fl_b) },
    [G_FL_CMD] = { "fl_cmd", IR_I32, OFS(fl_cmd) }, [G_FPIAR] = { "fpiar", IR_I32, OFS(fpiar) },
};
static const IrGlobalTable global_table = { m68k_globals, G_NUM };

/* ----------------------------------------------------------------------- reset */

/* PRM appendix B, reset: SR, VBR, CACR and the MMU's enable bits; the rest is kept, and begins as
 * zeros. Initial stack pointer and PC come from the first two vectors. */
void m68k_reset_state(M68kState *s)
{
    M68kCpu *cpu = M68K_CPU(s->tcg.cpu);
    AddressSpace *as = cpu_address_space(&cpu->parent, 0);

    s->sr = SR_S | SR_IPL;
    m68k_set_ccr(s, 0);
    s->vbr = s->cacr = s->caar = 0;
    s->sfc = s->dfc = 0;
    s->tc = 0;
    for (unsigned i = 0; i < 2; i++) {
        s->itt[i] &= ~BIT(15);
        s->dtt[i] &= ~BIT(15);
        s->tt[i] &= ~BIT(15);
    }
    s->buscr = 0;
    s->pcr = m68k_has(s, M68K_060) ? 0x04300002 : 0;
    s->fpcr = s->fpsr = s->fpiar = 0;
    for (unsigned i = 0; i < 8; i++) {
        s->fp[i] = (F80){ UINT64_MAX, 0x7fff };
        s->fptag[i] = 0;
    }
    s->fp_null = true;
    s->fp_pending = 0;
    s->fl_cmd = 0;
    s->tcg.fp_mxcsr = 0;
    s->tcg.fp_fcw = 0x037f;             /* the host's unit as C has it */
    m68k_fp_mode(s);
    memset(&s->fpframe, 0, sizeof(s->fpframe));
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = s->stopped = s->dead = s->trace_pending = false;
    s->a[7] = s->isp = address_space_ld32_be(as, 0, MEM_ATTRS_NONE, NULL);
    s->tcg.pc = address_space_ld32_be(as, 4, MEM_ATTRS_NONE, NULL);
    tcg_tlb_flush(&s->tcg);
}

static void cpu_reset_exit(Device *dev)
{
    M68kCpu *cpu = M68K_CPU(dev);

    m68k_reset_state(cpu->env);
    cpu->parent.halted = cpu->parent.start_powered_off;
    m68k_mode_sync(cpu->env);
}

/* --------------------------------------------------------------- input lines */

static void ipl_in(void *opaque, UNUSED int n, int level)
{
    M68kCpu *cpu = opaque;
    M68kState *s = cpu->env;

    level = MAX(0, MIN(level, 7));
    if (level == 7 && s->ipl != 7) {
        s->nmi = true;                  /* PRM: level 7 is recognised at its edge */
    }
    s->ipl = (uint8_t)level;
    cpu_set_interrupt_line(&cpu->parent, CPU_INTR_HARD, level > 0);
}

static void cpu_init(Device *dev)
{
    M68kCpu *cpu = M68K_CPU(dev);

    cpu->env = aligned_alloc(64, ALIGN_UP(sizeof(M68kState), 64));
    tcg_env_clear(&cpu->env->tcg, sizeof(M68kState));
    cpu->env->tcg.cpu = cpu;
    cpu->env->excp = EXCP_NONE;
    cpu->model = m68k_model_of(cpu);
    cpu->env->features = cpu->model->features;
    cpu->env->model = cpu->model->number;
    device_init_irq_in_opaque(dev, "ipl", ipl_in, cpu, 1);
    device_init_irq_out(dev, "reset", &cpu->reset_out, 1);
}

static void cpu_finalize(Device *dev)
{
    free(M68K_CPU(dev)->env);
}

static bool cpu_realize(Device *dev, Error **errp)
{
    M68kCpu *cpu = M68K_CPU(dev);

    if (cpu->fpsp && strcmp(cpu->fpsp, "host") && strcmp(cpu->fpsp, "guest")) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'fpsp' is '%s'; accepted: guest, host",
                   cpu->fpsp);
        return false;
    }
    cpu->env->fpsp_host = cpu->fpsp && !strcmp(cpu->fpsp, "host");
    return true;
}

/* ------------------------------------------------------------------- TargetOps */

static TcgEnv *env_of(CPUState *cpu)
{
    return &M68K_CPU(cpu)->env->tcg;
}

static uint64_t code_address(UNUSED const TcgEnv *env, uint64_t pc)
{
    return (uint32_t)pc;
}

static unsigned code_mmu(const TcgEnv *env)
{
    return m68k_mmu_mode((const M68kState *)env);
}

static uint32_t mode_word(const TcgEnv *env)
{
    return m68k_mode_word((const M68kState *)env);
}

/* Capstone's CS_ARCH_M68K; CS_MODE_BIG_ENDIAN with the model's bit. */
static int capstone_mode(uint64_t mode)
{
    unsigned n = (mode & MW_MODEL) >> MW_MODEL_SHIFT;
    uint32_t f = n && n <= m68k_num_models ? m68k_models[n - 1].features : M68K_040;

    return (int)(1u << 31 | (f & M68K_000 ? 1u << 1 : f & M68K_010 ? 1u << 2 : f & M68K_020 ? 1u << 3 :
                             f & M68K_030 ? 1u << 4 : f & M68K_040 ? 1u << 5 : 1u << 6));
}

const TargetOps m68k_target_ops = {
    .name = "m68k", .env_of = env_of, .globals = &global_table, .big_endian = true,
    .mmu_modes = M68K_MMU_NUM, .pc_mask = UINT32_MAX,
    .translate = m68k_translate, .restore_aux = m68k_restore_aux, .code_address = code_address,
    .code_mmu = code_mmu, .mode_word = mode_word, .mmu_walk = m68k_mmu_walk,
    .mmu_fault = m68k_mmu_fault, .bus_fault = m68k_bus_fault, .unaligned = m68k_unaligned,
    .take_exception = m68k_take_exception, .take_interrupt = m68k_take_interrupt,
    .has_work = m68k_has_work, .gdb_read = m68k_gdb_read, .gdb_write = m68k_gdb_write,
    .gdb_xml = m68k_gdb_xml, .dump = m68k_dump, .capstone_arch = 8, .capstone_mode = capstone_mode,
};

/* ---------------------------------------------------------------------- CpuOps */

static uint64_t get_pc(const CPUState *cpu)
{
    return M68K_CPU(cpu)->env->tcg.pc;
}

static void set_pc(CPUState *cpu, uint64_t pc)
{
    M68K_CPU(cpu)->env->tcg.pc = (uint32_t)pc;
}

static bool has_work(CPUState *cpu)
{
    return m68k_has_work(&M68K_CPU(cpu)->env->tcg);
}

static bool debug_translate(CPUState *cpu, uint64_t vaddr, hwaddr *phys, MemAttrs *attrs)
{
    M68kState *s = M68K_CPU(cpu)->env;
    uint64_t fault[4];
    MmuResult r = { 0 };

    if (!m68k_mmu_walk(&s->tcg, vaddr, MMU_READ, m68k_mmu_mode(s), true, &r, fault) &&
        !m68k_mmu_walk(&s->tcg, vaddr, MMU_EXEC, m68k_mmu_mode(s), true, &r, fault)) {
        return false;
    }
    *phys = r.phys | (vaddr & 0xfff);
    *attrs = r.attrs;
    attrs->debug = true;
    return true;
}

static char *state_text(CPUState *cpu, UNUSED bool with_fpu)
{
    return m68k_dump(&M68K_CPU(cpu)->env->tcg);
}

const CpuOps m68k_cpu_ops = {
    .arch = "m68k", .gdb_arch = "m68k", .order = MEM_BE, .address_bits = 32, .page_bits = 12,
    .regs = m68k_reg_info, .num_regs = M68K_NUM_REGS, .get_pc = get_pc, .set_pc = set_pc,
    .get_reg = m68k_get_reg, .set_reg = m68k_set_reg, .has_work = has_work,
    .debug_translate = debug_translate, .state_text = state_text, .target = &m68k_target_ops,
};

static const DeviceType m68k_cpu_base = {
    .name = TYPE_M68K_CPU, .parent = TYPE_CPU, .size = sizeof(M68kCpu), .abstract = true,
    .desc = "68000-family processor", .category = DEVICE_CPU,
    .init = cpu_init, .finalize = cpu_finalize, .realize = cpu_realize,
    .reset_exit = cpu_reset_exit, .props = m68k_cpu_props,
    .vm = {
        .version = 1, .fields = m68k_cpu_fields, .meanings = m68k_cpu_meanings, .gather = m68k_cpu_gather,
        .post_load = m68k_cpu_post_load,
    },
    .data = &m68k_cpu_ops,
};
DEVICE_TYPE(m68k_cpu_base)
