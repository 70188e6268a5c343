/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 68000-family CPU as an object: types "m68040-m68k-cpu" and so on, derived from TYPE_M68K_CPU.
 *
 * Lines for boards: input "ipl" carries the interrupt level, 0 to 7; output "reset" is pulsed by
 * RESET. CPUState.int_ack may answer an acknowledge cycle with a vector; -1 asks for the
 * autovector of the level.
 */
#ifndef TARGET_M68K_CPU_H
#define TARGET_M68K_CPU_H

#include "target/m68k/state.h"

#define TYPE_M68K_CPU   "m68k-cpu-base"

typedef struct M68kCpu {
    CPUState parent;
    M68kState *env;             /* owned; aligned as generated code wants it */
    const M68kModel *model;
    char *fpsp;                 /* property: "host" or "guest" */
    IrqLine *reset_out;
    uint32_t saved_lines;       /* of the parent, for vmstate */
    bool saved_halted;
    uint8_t saved_ipl;
} M68kCpu;

static inline M68kCpu *M68K_CPU(const void *obj)
{
    return (M68kCpu *)object_cast(obj, TYPE_M68K_CPU);
}

extern const CpuOps m68k_cpu_ops;
/* cpu-types.c */
const M68kModel *m68k_model_of(const M68kCpu *cpu);
extern const Property m68k_cpu_props[];
/* cpu-vmstate.c */
extern const VmField m68k_cpu_fields[];
extern const VmMeaning m68k_cpu_meanings[];
void m68k_cpu_gather(void *opaque);
bool m68k_cpu_post_load(void *opaque, Error **errp);
/* regs.c */
#define M68K_NUM_REGS   35
extern const CpuRegInfo m68k_reg_info[M68K_NUM_REGS];
bool m68k_get_reg(CPUState *cpu, unsigned n, uint64_t *value);
bool m68k_set_reg(CPUState *cpu, unsigned n, uint64_t value);
unsigned m68k_gdb_read(TcgEnv *env, unsigned reg, uint8_t *buf);
unsigned m68k_gdb_write(TcgEnv *env, unsigned reg, const uint8_t *buf);
const char *m68k_gdb_xml(TcgEnv *env, const char *annex);
char *m68k_dump(TcgEnv *env);

#endif
