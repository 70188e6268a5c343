/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors and memory that users add to a PC and take away. */
#include "util/osdep.h"
#include "hw/i386/pc-hotplug.h"

#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/memory-hotplug.h"
#include "hw/core/cpu.h"
#include "hw/core/runstate.h"
#include "hw/i386/chipset.h"
#include "hw/intc/i8259.h"

#define SLOT_ROOM   (128 * MIB)         /* of alignment, for each slot */

/* --- the board's parts --- */

static void connect(PcMachine *pc, Device *controller, int event)
{
    device_connect_irq_out(controller, "event", 0, device_irq_in(pc->pm, "gpe", event));
}

bool pc_init_hotplug(PcMachine *pc, MemRegion *system, Error **errp)
{
    Machine *m = &pc->parent;

    if (m->smp.max_cpus > m->smp.cpus || (pc_chipset(pc)->cpu_hotplug_always && pc->pm)) {
        pc->cpu_hotplug = acpi_slots_create(TYPE_ACPI_CPU_HOTPLUG, system_io(), pc_chipset(pc)->cpu_hotplug_io,
                                            m->smp.max_cpus, errp);
        if (!pc->cpu_hotplug) {
            return false;
        }
        connect(pc, pc->cpu_hotplug, CPU_HOTPLUG_EVENT);
    }
    if (!m->ram_slots) {
        return true;
    }
    pc->mem_hotplug = acpi_slots_create(TYPE_ACPI_MEMORY_HOTPLUG, system_io(), MEMORY_HOTPLUG_IO, m->ram_slots,
                                        errp);
    if (!pc->mem_hotplug) {
        return false;
    }
    connect(pc, pc->mem_hotplug, MEMORY_HOTPLUG_EVENT);
    memory_region_init(&pc->plugged, pc, "plugged-memory", pc_plugged_end(pc) - pc_plugged_base(pc));
    memory_region_add(system, pc_plugged_base(pc), &pc->plugged);
    m->plugged_ram = &pc->plugged;
    return true;
}

uint64_t pc_plugged_base(const PcMachine *pc)
{
    return ALIGN_UP(4 * GIB + pc->ram_above_4g, GIB);
}

uint64_t pc_plugged_end(const PcMachine *pc)
{
    const Machine *m = &pc->parent;

    return m->ram_slots ? ALIGN_UP(pc_plugged_base(pc) + (m->max_ram_size - m->ram_size) +
                                   m->ram_slots * SLOT_ROOM, GIB) : pc_plugged_base(pc);
}

/* --- processors --- */

/* One of the numbers that say where it is; -1: not given. */
static bool get_place(Device *cpu, const char *prop, unsigned limit, int64_t otherwise, int64_t *n, Error **errp)
{
    if (!object_get_int(cpu, prop, n, errp)) {
        return false;
    }
    if (*n < 0) {
        *n = otherwise;
    }
    if (*n < 0) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "CPU %s is not set", prop);
        return false;
    }
    if (*n >= limit) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Invalid CPU %s: %" PRId64 " must be in range 0:%u", prop, *n,
                   limit - 1);
        return false;
    }
    return true;
}

/* The number of the place that the user has named. */
static bool find_place(PcMachine *pc, Device *cpu, uint64_t *place, Error **errp)
{
    const SmpConfig *smp = &pc->parent.smp;
    unsigned threads = MAX(smp->threads, 1), cores = MAX(smp->cores, 1), dies = MAX(smp->dies, 1);
    int64_t socket, die, core, thread;
    uint64_t apic_id;

    if (!object_get_uint(cpu, "apic-id", &apic_id, errp)) {
        return false;
    }
    if (apic_id != UINT32_MAX) {
        *place = apic_id;
    } else {
        if (!get_place(cpu, "socket-id", MAX(smp->sockets, 1), -1, &socket, errp) ||
            !get_place(cpu, "die-id", dies, 0, &die, errp) ||
            !get_place(cpu, "core-id", cores, -1, &core, errp) ||
            !get_place(cpu, "thread-id", threads, -1, &thread, errp)) {
            return false;
        }
        *place = ((socket * dies + die) * cores + core) * threads + thread;
    }
    if (*place >= MAX(smp->max_cpus, smp->cpus)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "there is no place %" PRIu64 " for a CPU; accepted: 0 to %u", *place,
                   MAX(smp->max_cpus, smp->cpus) - 1);
        error_hint(errp, "query-hotpluggable-cpus lists them");
        return false;
    }
    return true;
}

static bool pre_plug_cpu(PcMachine *pc, Device *dev, Error **errp)
{
    const char *want = pc->parent.cpu_type;
    CPUState *cpu = CPU(dev);
    uint64_t place;

    if (want && strcmp(object_type_name(dev), want)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Invalid CPU type, expected cpu type: '%s'", want);
        return false;
    }
    if (!pc->cpu_hotplug) {
        error_setf(errp, ERR_NOT_SUPPORTED, "there is no place for another CPU");
        error_hint(errp, "-smp N,maxcpus=M with M above N makes some, with ACPI");
        return false;
    }
    if (!find_place(pc, dev, &place, errp)) {
        return false;
    }
    if (cpu_by_index(place)) {
        error_setf(errp, ERR_IN_USE, "CPU[%" PRIu64 "] with APIC ID %" PRIu64 " exists", place, place);
        return false;
    }
    cpu->index = place;
    pc_connect_cpu(pc, cpu);
    return object_set_uint(dev, "apic-id", place, errp);
}

void pc_connect_cpu(PcMachine *pc, CPUState *cpu)
{
    if (pc_smm_enabled(pc)) {
        cpu_set_address_space(cpu, 1, pc->smm_as);
    }
    cpu->int_ack = i8259_ack;
    cpu->int_ack_opaque = pc->pic;
}

/* --- for the core --- */

bool pc_pre_plug(Machine *m, Device *dev, Error **errp)
{
    PcMachine *pc = PC_MACHINE(m);

    if (object_is_a(dev, TYPE_CPU)) {
        return pre_plug_cpu(pc, dev, errp);
    }
    if (object_is_a(dev, TYPE_PC_DIMM)) {
        return pc_dimm_place(m, PC_DIMM(dev), pc_plugged_base(pc), errp);
    }
    return true;
}

void pc_plugged(Machine *m, Device *dev)
{
    PcMachine *pc = PC_MACHINE(m);

    if (object_is_a(dev, TYPE_CPU)) {
        pc_tell_cpus(pc);
        if (m->ready) {
            device_reset(dev, RESET_COLD);
            if (runstate_is_running()) {
                cpu_start_plugged(CPU(dev));
            }
            acpi_slot_plugged(pc->cpu_hotplug, CPU(dev)->index);
        }
    } else if (object_is_a(dev, TYPE_PC_DIMM)) {
        PcDimm *d = PC_DIMM(dev);

        memory_region_add(m->plugged_ram, d->addr - pc_plugged_base(pc), d->ram);
        m->plugged_bytes += pc_dimm_size(d);
        if (m->ready) {
            acpi_slot_plugged(pc->mem_hotplug, d->slot);
        }
    }
}

bool pc_unplug_request(Machine *m, Device *dev, Error **errp)
{
    PcMachine *pc = PC_MACHINE(m);

    if (object_is_a(dev, TYPE_CPU)) {
        if (CPU(dev)->index == 0) {
            error_setf(errp, ERR_NOT_SUPPORTED, "Boot CPU is unpluggable");
            return false;
        }
        if (!pc->cpu_hotplug) {
            error_setf(errp, ERR_NOT_SUPPORTED, "this machine can't ask its guest for a CPU");
            return false;
        }
        acpi_slot_wanted_back(pc->cpu_hotplug, CPU(dev)->index);
        return true;
    }
    if (object_is_a(dev, TYPE_PC_DIMM)) {
        acpi_slot_wanted_back(pc->mem_hotplug, PC_DIMM(dev)->slot);
        return true;
    }
    return false;
}
