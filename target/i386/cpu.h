/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 CPU as an object: types "<model>-x86_64-cpu" and "<model>-i386-cpu",
 * derived from TYPE_X86_CPU.
 *
 * Input lines for boards (device_irq_in): "intr" (8259A's INTR; goes to LINT0
 * of the local APIC if there is one), "nmi" (LINT1), "smi", "init", "a20" (1: A20
 * passes). The board sets CPUState.int_ack for the acknowledge cycle, and
 * address space 1 (cpu_set_address_space) if system management RAM looks
 * different in SMM.
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include "hw/core/apic.h"
#include "target/i386/decode.h"
#include "target/i386/state.h"
#include "util/main-loop.h"

#define TYPE_X86_CPU    "x86_64-cpu-base"

typedef struct X86Model X86Model;       /* models.c */

typedef struct X86Cpu {
    CPUState parent;
    X86State *env;              /* owned; aligned as generated code wants it */
    const X86Model *model;
    bool is_i386;               /* a "-i386-cpu" type: no long mode */
    /* What the user asked for, over the model's. */
    uint32_t plus[FEAT_NUM], minus[FEAT_NUM];
    uint32_t filtered[FEAT_NUM];        /* asked for and not to be had */
    uint32_t family, cpu_model, stepping;
    uint32_t level, min_level, xlevel, min_xlevel, phys_bits;
    char *vendor, *model_id;
    uint64_t tsc_frequency;     /* Hz */
    bool enforce, check, hypervisor_leaf, l3_cache, migratable, kvm_leaf, pmu, host_phys_bits;
    uint32_t apic_id_prop;
    int32_t socket_id, die_id, core_id, thread_id, node_id;
    Device *apic;               /* child; NULL without one */
    MemRegion as_root[2], as_alias[2], apic_alias[2];
    AddressSpace as[2];
    uint64_t apic_mapped;       /* where the page is: base | 1; 0: nowhere yet */
    IrqLine *ferr;              /* FERR#: with CR0.NE clear */
    bool intr_level;
    uint32_t saved_lines;       /* of the parent, for vmstate */
    bool saved_halted;
} X86Cpu;

static inline X86Cpu *X86_CPU(const void *obj)
{
    return (X86Cpu *)object_cast(obj, TYPE_X86_CPU);
}
static inline X86Cpu *x86_cpu_of(const X86State *s)
{
    return s->tcg.cpu ? X86_CPU(s->tcg.cpu) : NULL;
}

/* cpu.c */
void x86_reset_state(X86State *s);              /* SDM 3A table 9-1 */
void x86_init_state(X86State *s);               /* INIT: leaves MSRs, FPU, caches */
extern const CpuOps x86_64_cpu_ops, x86_i386_cpu_ops;
/* IA32_APIC_BASE has changed: the page moves. Big lock. */
void x86_cpu_move_apic(X86Cpu *cpu);

/* cpu-vmstate.c */
extern const VmField x86_cpu_fields[];
extern const VmMeaning x86_cpu_meanings[];
void x86_cpu_gather(void *opaque);
bool x86_cpu_post_load(void *opaque, Error **errp);

/* cpu-types.c: the model of the object's type; property defaults. */
void x86_cpu_init_model(X86Cpu *cpu);

/* regs.c */
#define X86_NUM_REGS    47
extern const CpuRegInfo x86_reg_info[X86_NUM_REGS];
void x86_list_mappings(CPUState *cpu, bool (*fn)(const CpuMapping *m, void *opaque),
                       void *opaque);
bool x86_get_reg(CPUState *cpu, unsigned n, uint64_t *value);
bool x86_set_reg(CPUState *cpu, unsigned n, uint64_t value);

/* models.c */
typedef struct X86Feature {
    const char *name;           /* as the command line has it */
    const char *alias;
    uint8_t word, bit;
    bool implemented;
} X86Feature;
extern const X86Feature x86_features[];
extern const unsigned x86_num_features;
const char *x86_feature_word_name(unsigned word);       /* "CPUID.01H:EDX" */
struct X86Model {
    const char *name, *desc;
    const char *vendor;
    uint8_t family, model, stepping;
    uint32_t level, xlevel;
    uint32_t features[FEAT_NUM];
    const char *model_id;
    bool all_features;          /* "max": everything implemented */
    X86Gen generation;
};
extern const X86Model x86_models[];
extern const unsigned x86_num_models;
/* Model, plus, minus to env->features etc.; false if `enforce` fails. */
bool x86_apply_model(X86Cpu *cpu, Error **errp);
uint32_t x86_implemented(unsigned word);

/*
 * The text after the model of -cpu: "+feat,-feat,feat=on|off,prop=value", applied to
 * all CPUs of @type made from now on (as global properties).
 * Called by machine_new_cpu() users through CpuOps; see also hw/core/machine.h.
 */
bool x86_cpu_parse_features(const char *type, const char *text, Error **errp);
/* For CpuOps. */
bool x86_cpu_is_model_property(const Property *prop);

/* excp.c */
bool x86_take_exception(TcgEnv *env);
void x86_queue_interrupt(X86State *s, int vector);
/* #DB as a trap at the present PC. @dr6: BS (0x4000), BT (0x8000), B0..B3. */
void x86_queue_debug(X86State *s, uint64_t dr6);
/* The same where no tcg_raise() follows: taken before the next instruction. */
void x86_post_debug(X86State *s, uint64_t dr6);
/* mmu.c */
uint32_t x86_address_space(const TcgEnv *env);
bool x86_mmu_walk(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu, bool probe,
                  MmuResult *out, uint64_t fault[4]);
void x86_mmu_fault(TcgEnv *env, uint64_t addr, MmuAccess access, unsigned mmu,
                   const uint64_t fault[4]);
/* ctl.c */
void x86_set_efer(X86State *s, uint64_t v);
/* debug.c. Is a data breakpoint on the page at @addr? */
bool x86_page_watched(const X86State *s, uint64_t addr);
bool x86_has_breakpoints(const X86State *s);    /* of instructions */
void x86_debug_hit(TcgEnv *env, uint64_t addr, unsigned size, MmuAccess access);
/* smm.c: big lock held. */
void x86_enter_smm(X86State *s);
/* interrupt.c */
bool x86_take_interrupt(TcgEnv *env);
bool x86_has_work(const TcgEnv *env);
/* gdb.c */
unsigned x86_gdb_read(TcgEnv *env, unsigned reg, uint8_t *buf);
unsigned x86_gdb_write(TcgEnv *env, unsigned reg, const uint8_t *buf);
const char *x86_gdb_xml(TcgEnv *env, const char *annex);
char *x86_dump(TcgEnv *env);

/* For calls into the APIC and the like from generated code. */
static inline bool x86_lock(void)
{
    if (big_lock_held()) {
        return false;
    }
    big_lock();
    return true;
}
static inline void x86_unlock(bool locked)
{
    if (locked) {
        big_unlock();
    }
}

#endif
