/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Breakpoints, watchpoints and single steps for a debugger on the host side
 * (the gdb stub). Big lock, with the vCPU stopped, unless it says otherwise.
 */
#ifndef ACCEL_TCG_DEBUG_H
#define ACCEL_TCG_DEBUG_H

#include "hw/core/cpu.h"

struct VcpuTcg;

/* On every CPU. False: there was (insert) or wasn't (remove) one. */
bool tcg_breakpoint_insert(uint64_t pc);
bool tcg_breakpoint_remove(uint64_t pc);
bool tcg_watchpoint_insert(uint64_t addr, uint64_t len, bool read, bool write);
bool tcg_watchpoint_remove(uint64_t addr, uint64_t len, bool read, bool write);
void tcg_debug_remove_all(void);
/* One instruction whenever it runs, until switched off. */
void tcg_single_step(CPUState *cpu, bool on);

/* Called (big lock, vCPU thread) when a vCPU stops for the debugger; @watch_addr is where a
 * watchpoint hit, if @watch. The callee stops the machine. */
typedef void (*TcgDebugFn)(CPUState *cpu, bool watch, uint64_t watch_addr);
void tcg_debug_set_callback(TcgDebugFn fn);

/* For the vCPU's thread. */
void tcg_debug_stop(struct VcpuTcg *v);

#endif
