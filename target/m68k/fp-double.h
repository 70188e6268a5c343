/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU registers that hold doubles.
 *
 * Compiled code for the 68040 rounds nearly everything to single or double precision (FDADD, FSMUL ...). As long as
 * a register's value is a number that a double has, it may be kept as one (fptag[n]: fpd[n] is current, fp[n] isn't), and
 * generated code computes with it in the host's double precision: the result is the same, as FDxxx and
 * FSxxx round once, with the range of their format. A register so kept holds zero or a normal double.
 *
 * What such an instruction leaves in FPSR is found out when somebody asks: fl_cmd is its command word (0: FPSR is
 * current), fl_a and fl_b the operands. INEX accrues in the host's sticky flag meanwhile. Nothing else can
 * accrue: for results that aren't zero or well inside of the format's range generated code goes to fp-ops.c.
 *
 * vCPU's thread, or while it stands.
 */
#ifndef TARGET_M68K_FP_DOUBLE_H
#define TARGET_M68K_FP_DOUBLE_H

#include "target/m68k/fp.h"

/* fl_cmd: there is a command. */
#define FL_VALID    BIT(30)
/* fl_cmd: a FMOVE to memory came after it, without exceptions. With no command beside it: after what FPSR tells. */
#define FL_STORED   BIT(31)

/* Globals that all helpers of the FPU may read and write. */
#define FP_GLOBALS  (UINT64_C(0x0fff) << G_FD0)

/* fp[n] is current too. */
void m68k_fp_widen(M68kState *s, unsigned n);
/* Keep FPn as a double if that is possible. */
void m68k_fp_narrow(M68kState *s, unsigned n);
static inline void m68k_fp_need(M68kState *s, unsigned n)
{
    if (s->fptag[n]) {
        m68k_fp_widen(s, n);
    }
}
/* fp-ops.c, after FRESTORE of a 68040's frame: what was pending is so again; the command is run. */
void m68k_fp_pend_again(M68kState *s);
void m68k_fp_resume(M68kState *s);
/* FPSR's condition codes and exception byte are current. */
void m68k_fp_status(M68kState *s);
/* All of FPSR is; the host's sticky flag has been taken over. */
uint32_t m68k_fp_fpsr(M68kState *s);
void m68k_fp_set_fpsr(M68kState *s, uint32_t v);
/* Everything is in fp[] and fpsr, for those who don't know better. */
void m68k_fp_settle(M68kState *s);
/* After fp_pending or fp_null have changed: may generated code compute? */
void m68k_fp_fast(M68kState *s);
/* After FPCR has: also how the host rounds. */
void m68k_fp_mode(M68kState *s);

#endif
