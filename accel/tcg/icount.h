/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -icount: guest time is the number of instructions executed, and the same input gives the same run.
 *
 * CPUs run by turns, a slice each, on their own threads of which one has the turn. A slice ends when its
 * instructions are used up, at the next timer's deadline to the instruction, or when the CPU halts. Only between
 * slices do timers fire and does the main loop work (main_loop_hold), and nobody goes on before it has done what
 * the guest has asked for; so all of that comes at the same instruction each time. An instruction that
 * does I/O or reads the time is a region of its own, for devices to see the exact time.
 *
 * When no CPU has anything to do, time goes on to the next deadline: after as long a sleep (sleep=on), or at once.
 *
 * Big lock for all, but tcg_io_alone().
 */
#ifndef ACCEL_TCG_ICOUNT_H
#define ACCEL_TCG_ICOUNT_H

#include "qobject/error.h"
#include "accel/tcg/vcpu.h"

typedef struct IcountOptions {
    bool on;
    bool automatic;             /* the shift follows the host's speed: not the same each time */
    bool align;                 /* guest time doesn't run ahead of the host's */
    bool sleep;
    unsigned shift;             /* nanoseconds of an instruction: 2 to this power */
} IcountOptions;

#define ICOUNT_SHIFT_MAX    10

extern bool tcg_icount;         /* set before any vCPU runs */

/* Before the accelerator makes CPUs. */
void icount_start(const IcountOptions *o);
/* Instructions so far. */
int64_t icount_executed(void);
/* What the main loop waits for besides its own: requests that the guest has made, say. */
void icount_set_busy(bool (*busy)(void));

/* --- for tcg-accel.c and exec.c --- */

/* Has @cpu the turn? Takes it if nobody has. */
bool icount_has_turn(CPUState *cpu);
/* One slice (vcpu_exec in between); false: the CPU has nothing to do. */
bool icount_begin(VcpuTcg *v);
void icount_end(VcpuTcg *v, bool halted);
/* A device has had a look at the time, or set a timer: the slice may have become shorter. */
void icount_look_again(VcpuTcg *v);
/* Somebody wants something of some CPU. Any thread. */
void icount_kick(void);
/* The machine stops, or a CPU is no more: it gives its turn away. */
void icount_leave(CPUState *cpu);

#endif
