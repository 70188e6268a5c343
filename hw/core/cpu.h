/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU as devices, machines, the monitor and gdb see it: input lines, reset,
 * named registers, address spaces, and work to be run on its thread. Each
 * architecture derives its types from TYPE_CPU (a DeviceType whose .data is
 * its CpuOps); the accelerator runs them.
 *
 * Any thread may raise and lower lines, kick, and queue work. Registers and
 * reset: on the CPU's thread, or under the big lock with the CPU stopped.
 */
#ifndef HW_CORE_CPU_H
#define HW_CORE_CPU_H

#include "hw/core/device.h"
#include "memory/memory.h"
#include "util/thread.h"

#define TYPE_CPU    "cpu"

typedef struct CPUState CPUState;
typedef struct CpuOps CpuOps;
typedef struct CpuWork CpuWork;
typedef struct CpuIdleWork CpuIdleWork;

/* Input lines; bits of CPUState.interrupt_request. The architecture decides
 * what each does and when it goes away. */
typedef enum CpuLine {
    CPU_INTR_HARD,              /* INTR, IRQ, external interrupt: a level */
    CPU_INTR_FIQ,               /* ARM's second level */
    CPU_INTR_NMI,               /* edge: cleared when taken */
    CPU_INTR_SMI,
    CPU_INTR_INIT,
    CPU_INTR_SIPI,
    CPU_INTR_MCHECK,
    CPU_INTR_POLL,              /* local APIC: look for deliverable vectors */
    CPU_INTR_TIMER,             /* decrementer */
    CPU_INTR_RESET,
    CPU_INTR_DEBUG,
    CPU_INTR_TARGET0,           /* and up: the architecture's own */
    CPU_INTR__MAX = 32,
} CpuLine;

/* What an architecture tells about a register, for people and tools. */
typedef struct CpuRegInfo {
    const char *name;           /* "rax" */
    uint8_t bits;               /* 1 to 64 */
    const struct RegFlag *flags;        /* may be NULL */
} CpuRegInfo;

/* A page that the MMU maps now, for "info mem" and "info tlb". */
typedef struct CpuMapping {
    uint64_t vaddr, size;
    hwaddr phys;
    bool user, write, exec, global, accessed, dirty;
} CpuMapping;

/* An error that the hardware tells of, for x86: into which bank, and its registers. */
typedef struct CpuMachineCheck {
    unsigned bank;
    uint64_t status, mcg_status, addr, misc;
} CpuMachineCheck;

struct CpuOps {
    const char *arch;           /* "x86_64", "i386", "arm", "m68k", "ppc" */
    const char *gdb_arch;
    MemOrder order;             /* data byte order at reset */
    uint8_t address_bits;       /* virtual */
    uint8_t page_bits;
    const CpuRegInfo *regs;
    unsigned num_regs;
    /* The pc is among the registers; these are for speed. */
    uint64_t (*get_pc)(const CPUState *cpu);
    void (*set_pc)(CPUState *cpu, uint64_t pc);
    bool (*get_reg)(CPUState *cpu, unsigned n, uint64_t *value);
    bool (*set_reg)(CPUState *cpu, unsigned n, uint64_t value);
    /* May it leave the halted state? Called with the CPU's own thread, or
     * any after a line was raised. */
    bool (*has_work)(CPUState *cpu);
    /* Virtual to physical without side effects, of one page; false if it
     * isn't mapped. */
    bool (*debug_translate)(CPUState *cpu, uint64_t vaddr, hwaddr *phys,
                            MemAttrs *attrs);
    /* All mappings by rising address, until @fn returns false. NULL: not
     * known. With the CPU stopped, or on its thread. */
    void (*list_mappings)(CPUState *cpu, bool (*fn)(const CpuMapping *m, void *opaque),
                          void *opaque);
    /* As if the hardware had found an error. NULL: the architecture has none that way. */
    bool (*inject_mce)(CPUState *cpu, const CpuMachineCheck *e, Error **errp);
    /* "info registers"; caller frees with g_free(). */
    char *(*state_text)(CPUState *cpu, bool with_fpu);
    /* The text after the model of -cpu ("+sse3,-apic,vendor=X"), for all CPUs of
     * @type made from now on: becomes global properties. NULL: plain
     * "property=value" pairs. */
    bool (*parse_features)(const char *type, const char *text, Error **errp);
    /* Is the property part of what a CPU model is (a feature, the vendor), under its main name?
     * NULL: the architecture has no models that can be written out. */
    bool (*is_model_property)(const Property *prop);
    const struct TargetOps *target;     /* for accel/ */
};

#define CPU_MAX_AS  4

struct CPUState {
    Device dev;
    const CpuOps *ops;
    int index;                          /* position in the list, from 0 */
    /* Address spaces by the MemAttrs-like index of the architecture: 0 is
     * the normal one, 1 SMM or secure. */
    AddressSpace *as[CPU_MAX_AS];
    int num_as;
    /* Bits of CpuLine. What generated code polls is exit_request. */
    _Atomic uint32_t interrupt_request;
    _Atomic uint32_t exit_request;      /* leave the run loop soon */
    _Atomic bool halted;                /* waits for an interrupt */
    bool start_powered_off;
    /* Run control, under the big lock. */
    bool created;                       /* its thread is up */
    _Atomic bool stop;                  /* asked to stop */
    bool stopped;
    bool unplug;
    bool crash_occurred;
    /* Thread, owned by the accelerator. */
    Thread thread;
    int thread_id;                      /* host's, for query-cpus-fast */
    Cond halt_cond;                     /* with the big lock */
    /* Work to be done on its thread; work_lock. */
    Mutex work_lock;
    CpuWork *work_first, *work_last;
    CpuIdleWork *idle_work;             /* big lock */
    int exception_index;                /* accel and target */
    /* Interrupt acknowledge cycle: what answers CPU_INTR_HARD with a vector
     * (8259A; a 68k's board). Set by the board; big lock. NULL: the
     * architecture's default vector. */
    int (*int_ack)(void *opaque);
    void *int_ack_opaque;
    void *accel;                        /* the accelerator's own */
    CPUState *next;
};

static inline CPUState *CPU(const void *obj)
{
    return (CPUState *)object_cast(obj, TYPE_CPU);
}

/* All realized CPUs, by index. The list is read without lock. */
extern CPUState *_Atomic cpu_list_head;
#define CPU_FOREACH(cpu) \
    for (CPUState *cpu = cpu_list_head; cpu; cpu = cpu->next)
CPUState *cpu_by_index(int index);
int cpu_count(void);
/* The CPU that this thread runs; NULL in other threads. */
extern _Thread_local CPUState *current_cpu;

/* One that was plugged while the others run joins them. Big lock. */
void cpu_start_plugged(CPUState *cpu);
/* It executes nothing from now on, for one that is about to go. Main thread, big lock. */
void cpu_end_thread(CPUState *cpu);

/* Realize helpers: a region as an address space of this CPU (before
 * realize; 0 defaults to address_space_memory). */
void cpu_set_address_space(CPUState *cpu, int index, AddressSpace *as);
static inline AddressSpace *cpu_address_space(const CPUState *cpu, int index)
{
    return cpu->as[index < cpu->num_as ? index : 0];
}

/* Lines. Raising one wakes the CPU; level lines stay until lowered. */
void cpu_raise(CPUState *cpu, CpuLine line);
void cpu_lower(CPUState *cpu, CpuLine line);
static inline void cpu_set_interrupt_line(CPUState *cpu, CpuLine line,
                                          int level)
{
    if (level) {
        cpu_raise(cpu, line);
    } else {
        cpu_lower(cpu, line);
    }
}
static inline bool cpu_line_is_raised(const CPUState *cpu, CpuLine line)
{
    return cpu->interrupt_request & BIT(line);
}
/* An IrqLine that drives @line of @cpu; lives as long as the CPU. */
IrqLine *cpu_irq_line(CPUState *cpu, CpuLine line);

void cpu_reset(CPUState *cpu);
bool cpu_has_work(CPUState *cpu);

/* Registers by name ("pc" always works); false with errp set. */
bool cpu_get_register(CPUState *cpu, const char *name, uint64_t *value,
                      Error **errp);
bool cpu_set_register(CPUState *cpu, const char *name, uint64_t value,
                      Error **errp);
/* Guest memory by virtual address, for debuggers. */
bool cpu_memory_rw_debug(CPUState *cpu, uint64_t vaddr, void *buf, size_t len,
                         bool is_write, Error **errp);

/* Make @cpu leave generated code and look at its requests. */
void cpu_kick(CPUState *cpu);
/* -singlestep: all translations from now on are one instruction long. Slow; for looking at -d. */
void cpus_set_singlestep(bool on);
bool cpus_singlestep(void);
void cpu_exit(CPUState *cpu);   /* sets exit_request, then kicks */

/* Work on the CPU's thread, with the big lock held. run_on_cpu() waits (and
 * lets go of the big lock while it does); called on that thread, or with no
 * accelerator running, it calls @fn at once. _safe: all CPUs stand outside
 * generated code meanwhile. */
typedef void (*CpuWorkFn)(CPUState *cpu, void *data);
void run_on_cpu(CPUState *cpu, CpuWorkFn fn, void *data);
void async_run_on_cpu(CPUState *cpu, CpuWorkFn fn, void *data);
void async_safe_run_on_cpu(CPUState *cpu, CpuWorkFn fn, void *data);
/* For the accelerator's loop; big lock held. */
void cpu_process_work(CPUState *cpu);
bool cpu_has_queued_work(CPUState *cpu);

/*
 * What a device puts off for as long as the guest may give it more of the same: @fn runs once, on the CPU's thread
 * with the big lock, when the CPU has halted and before its thread sleeps. A guest that is never idle doesn't halt:
 * there has to be a timer too. Embedded in the device's state. Big lock.
 */
struct CpuIdleWork {
    CpuIdleWork *next;
    CPUState *cpu;                              /* on which it waits; NULL: it doesn't */
    void (*fn)(void *opaque);
    void *opaque;
};
void cpu_idle_work_init(CpuIdleWork *w, void (*fn)(void *opaque), void *opaque);
/* On another CPU it waits no more. */
void cpu_before_idle(CPUState *cpu, CpuIdleWork *w);
/* It needn't wait. */
void cpu_idle_work_forget(CpuIdleWork *w);
/* For the accelerator's loop. */
void cpu_run_idle_work(CPUState *cpu);
void cpu_forget_idle_work(CPUState *cpu);

/* What the accelerator in use does for CPUs; set before any is realized.
 * Without one, CPUs are objects that never run. */
typedef struct CpuAccelOps {
    const char *name;                           /* "tcg", "qtest" */
    bool (*create)(CPUState *cpu, Error **errp);        /* on realize */
    void (*destroy)(CPUState *cpu);
    void (*kick)(CPUState *cpu);                /* any thread */
    void (*interrupt)(CPUState *cpu);           /* a line was raised */
    void (*reset)(CPUState *cpu);               /* after the CPU's own */
    /* Run @fn when all CPUs are outside generated code. */
    void (*run_exclusive)(CPUState *cpu, CpuWorkFn fn, void *data);
} CpuAccelOps;
void cpu_set_accel(const CpuAccelOps *ops);
const CpuAccelOps *cpu_accel(void);

#endif
