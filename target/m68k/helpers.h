/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers that generated code calls, by the file that has them. */
#ifndef TARGET_M68K_HELPERS_H
#define TARGET_M68K_HELPERS_H

#include "tcg/ir.h"

/* helper-int.c. Bit fields: address, bytes 1 to 5, whether it will be written, MMU mode; the bytes
 * stand at the top of the result. */
extern const IrHelper m68k_h_bf_load, m68k_h_bf_store;
extern const IrHelper m68k_h_chk, m68k_h_cmp2, m68k_h_cas, m68k_h_cas2, m68k_h_callm, m68k_h_rtm;
/* helper-system.c */
extern const IrHelper m68k_h_odd_target;          /* the 68000's; excp.c */
extern const IrHelper m68k_h_enter;               /* exception: vector, bytes from the instruction to the stacked PC; sets PC */
extern const IrHelper m68k_h_set_sr, m68k_h_movec_to, m68k_h_movec_from, m68k_h_rte, m68k_h_stop,
                      m68k_h_reset, m68k_h_pflush, m68k_h_ptest, m68k_h_pmmu;

/* fp-ops.c, fp-frame.c */
/* Of an arithmetic command word. */
const IrHelper *m68k_fop_helper(uint32_t cmd);
extern const IrHelper m68k_h_fstore, m68k_h_fcond, m68k_h_fmovem, m68k_h_fset_ctl, m68k_h_fget_fpsr,
                      m68k_h_fsave, m68k_h_frestore;

#endif
