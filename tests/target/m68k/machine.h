/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One CPU of the 68000 family with 16 Mbytes of RAM, which steps when the test says so. */
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

#endif
