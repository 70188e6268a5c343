/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors and memory that come and go: what the machines' types name, and their .init. Big lock. */
#ifndef HW_I386_PC_HOTPLUG_H
#define HW_I386_PC_HOTPLUG_H

#include "hw/core/cpu.h"
#include "hw/i386/pc.h"

/* After the power management function: the controllers, and a place for memory. */
bool pc_init_hotplug(PcMachine *pc, MemRegion *system, Error **errp);
/* Guest addresses of the place; equal when there is none. */
uint64_t pc_plugged_base(const PcMachine *pc);
uint64_t pc_plugged_end(const PcMachine *pc);
/* Before a CPU is realized: what it is connected to. */
void pc_connect_cpu(PcMachine *pc, CPUState *cpu);

bool pc_pre_plug(Machine *m, Device *dev, Error **errp);
void pc_plugged(Machine *m, Device *dev);
bool pc_unplug_request(Machine *m, Device *dev, Error **errp);

#endif
