/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a CPU is known whatever its architecture: registers by name, input lines, what its MMU maps. */
#include "util/osdep.h"
#include "hw/core/cpu-state.h"

#include "hw/core/cpu.h"

static void print_registers(StateView *v, StateNode *into)
{
    CPUState *cpu = v->dev ? CPU(v->dev) : NULL;

    for (unsigned i = 0; cpu && cpu->ops->get_reg && i < cpu->ops->num_regs; i++) {
        const CpuRegInfo *r = &cpu->ops->regs[i];
        uint64_t value;

        if (cpu->ops->get_reg(cpu, i, &value)) {
            state_add_flags(state_add_uint(into, r->name, value, r->bits), r->flags);
        }
    }
}

static void print_lines(StateView *v, StateNode *into)
{
    static const char *const names[] = {
        [CPU_INTR_HARD] = "HARD", [CPU_INTR_FIQ] = "FIQ", [CPU_INTR_NMI] = "NMI", [CPU_INTR_SMI] = "SMI",
        [CPU_INTR_INIT] = "INIT", [CPU_INTR_SIPI] = "SIPI", [CPU_INTR_MCHECK] = "MCHECK", [CPU_INTR_POLL] = "POLL",
        [CPU_INTR_TIMER] = "TIMER", [CPU_INTR_RESET] = "RESET", [CPU_INTR_DEBUG] = "DEBUG",
    };
    CPUState *cpu = v->dev ? CPU(v->dev) : NULL;
    StateNode *n;

    if (!cpu) {
        return;
    }
    n = state_add_uint(into, "lines", cpu->interrupt_request, 32);
    for (unsigned i = 0; i < 32; i++) {
        if (n->u >> i & 1) {
            state_add_flag(n, i < ARRAY_SIZE(names) && names[i] ? names[i] : "TARGET", 1);
        }
    }
    state_add_bool(into, "halted", cpu->halted)->help = "waits for an interrupt";
}

/* Neighbours that are mapped alike, virtually and physically, are one range. */
typedef struct Map {
    StateNode *ranges;
    CpuMapping run;
    unsigned n, most;
    bool more;
} Map;

static void add_range(Map *m)
{
    const CpuMapping *r = &m->run;
    StateNode *n;

    if (!r->size) {
        return;
    }
    n = state_add_element(m->ranges, STATE_STRUCT);
    state_add_uint(n, "virtual", r->vaddr, 64);
    state_add_uint(n, "size", r->size, 64);
    state_add_address(n, "physical", r->phys, 64);
    state_mean(n, "%016" PRIx64 "-%016" PRIx64 " %c%c%c%c%s", r->vaddr, r->vaddr + (r->size - 1), r->user ? 'u' : '-',
               'r', r->write ? 'w' : '-', r->exec ? 'x' : '-', r->global ? " global" : "");
}

static bool add_page(const CpuMapping *p, void *opaque)
{
    Map *m = opaque;
    CpuMapping *r = &m->run;

    if (r->size && r->vaddr + r->size == p->vaddr && r->phys + r->size == p->phys && r->user == p->user &&
        r->write == p->write && r->exec == p->exec && r->global == p->global) {
        r->size += p->size;
        return true;
    }
    add_range(m);
    *r = *p;
    if (++m->n > m->most) {
        r->size = 0;
        m->more = true;
        return false;
    }
    return true;
}

static void print_mappings(StateView *v, StateNode *into)
{
    CPUState *cpu = v->dev ? CPU(v->dev) : NULL;
    Map m = { .most = v->all ? 16384 : 64 };

    if (!cpu || !cpu->ops->list_mappings) {
        return;
    }
    m.ranges = state_add(into, "ranges", STATE_ARRAY);
    cpu->ops->list_mappings(cpu, add_page, &m);
    add_range(&m);
    if (m.more) {
        state_mean(m.ranges, "the first %u", m.most);
    } else if (!m.n) {
        state_mean(m.ranges, "none: the MMU is off, or maps nothing");
    }
}

const StatePrinter cpu_printers[] = {
    { "registers", "by their names", print_registers }, { "lines", "input lines that are raised", print_lines },
    { "page-tables", "what the MMU maps, as ranges", print_mappings }, { NULL, NULL, NULL }
};
