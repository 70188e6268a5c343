/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One CPU of the 68000 family with 16 Mbytes of RAM, which steps when the test says so; big-endian accesses to its memory. */
#ifndef TESTS_TARGET_M68K_MACHINE_H
#define TESTS_TARGET_M68K_MACHINE_H

#include "util/osdep.h"
#include <glib.h>
#include "accel/tcg/region.h"
#include "accel/tcg/vcpu.h"
#include "hw/core/runstate.h"
#include "target/m68k/cpu.h"
#include "tests/lib/test.h"
#include "util/main-loop.h"

#define RAM_SIZE    (16 * MIB)

typedef struct Machine68 {
    M68kCpu *cpu;
    M68kState *s;
    VcpuTcg *v;
} Machine68;

static inline bool machine68_no_interrupt(UNUSED TcgEnv *env)
{
    return false;
}

/* The first call makes it, of the type @type; no interrupts and no trace exceptions are taken. NULL: the test has failed. */
static inline Machine68 *machine68(Test *t, const char *type)
{
    static Machine68 m;
    static MemRegion ram;
    static TargetOps ops;
    Error *err = NULL;

    if (m.cpu) {
        return &m;
    }
    main_loop_init();
    memory_region_init_ram(&ram, NULL, "test.ram", RAM_SIZE, NULL);
    memory_region_add(system_memory(), 0, &ram);
    m.cpu = M68K_CPU(device_new(type));
    if (!device_realize(&m.cpu->parent.dev, NULL, &err)) {
        test_fail(t, "no CPU: %s", error_message(err));
        error_free(err);
        return NULL;
    }
    m.s = m.cpu->env;
    m.v = g_new0(VcpuTcg, 1);
    m.v->cpu = &m.cpu->parent;
    ops = m68k_target_ops;
    ops.take_interrupt = machine68_no_interrupt;
    m.v->ops = &ops;
    m.v->be = &tcg_backend_interp;
    m.v->env = &m.s->tcg;
    m.v->jc = g_new0(JumpCacheEntry, JC_SIZE);
    m.s->tcg.jc = m.v->jc;
    m.v->generation = 1;
    m.v->single_step = true;
    m.v->be->init(m68k_target_ops.globals, NULL, NULL, 0);
    tlb_init(m.v);
    region_init(m.v->be);
    softmmu_init();
    m.cpu->parent.accel = m.v;
    return &m;
}

/* The CPU becomes the model @name. */
static inline Machine68 *machine68_as(Test *t, const char *name)
{
    Machine68 *m = machine68(t, "m68040-m68k-cpu");

    for (unsigned i = 0; m && i < m68k_num_models; i++) {
        if (!strcmp(m68k_models[i].name, name)) {
            m->s->features = m68k_models[i].features;
            m->s->model = m68k_models[i].number;
        }
    }
    return m;
}

static inline void put(uint32_t addr, uint32_t v, unsigned size)
{
    address_space_store(&address_space_memory, addr, v, size, MEM_BE, MEM_ATTRS_NONE, NULL);
}

static inline uint32_t get(uint32_t addr)
{
    return (uint32_t)address_space_load(&address_space_memory, addr, 4, MEM_BE, MEM_ATTRS_NONE, NULL);
}

/* Vector n's handler. */
#define MACHINE68_HANDLER(n)    (0x4000u + 0x10u * (unsigned)(n))

/* In supervisor mode at @pc, everything zero, nothing translated; vectors at 0. */
static inline void machine68_start(Machine68 *m, uint32_t pc, uint32_t sp)
{
    M68kState *s = m->s;

    memset(s->d, 0, sizeof(s->d));
    memset(s->a, 0, sizeof(s->a));
    s->a[7] = sp;
    s->sr = SR_S | SR_IPL;
    m68k_set_ccr(s, 0);
    s->usp = 0x6000;
    s->vbr = s->tc = s->tt[0] = s->tt[1] = s->mmusr = 0;
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = s->dead = s->stopped = s->trace_pending = false;
    s->tcg.pc = pc;
    m->cpu->parent.halted = false;
    for (unsigned v = 2; v < 64; v++) {
        put(4 * v, MACHINE68_HANDLER(v), 4);
    }
    tcg_tlb_flush(&s->tcg);
    tcg_mode_changed(&s->tcg);
}

/* One instruction of up to four words, at the PC. */
static inline void run(Machine68 *m, uint16_t w0, uint16_t w1, uint16_t w2, uint16_t w3)
{
    const uint16_t w[] = { w0, w1, w2, w3 };

    for (unsigned i = 0; i < 4; i++) {
        put((uint32_t)m->s->tcg.pc + 2 * i, w[i], 2);
    }
    tcg_mode_changed(&m->s->tcg);
    vcpu_exec(m->v);
}

#endif
