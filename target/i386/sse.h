/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between sse.c, mmx.c, x87.c and their helpers (helper-sse.c, helper-x87.c). */
#ifndef TARGET_I386_SSE_H
#define TARGET_I386_SSE_H

#include "target/i386/translate.h"

/* Raises #UD or #NM, ending the block, if SSE can't be used: false then. */
bool sse_enabled(X86Tr *tr);
/* A vector operation; in a region with unmasked SSE exceptions it is checked for them. */
IrValue sse_vec(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, IrValue c, uint8_t imm);
/* An instruction of which an operand is an MMX register. */
void tr_mmx(X86Tr *tr, const X86Insn *i);
/* The x87's TOP is @top from here on: in the state and in the mode word. */
void x87_put_top(X86Tr *tr, unsigned top);
static inline unsigned x87_top(const X86Tr *tr) { return tr->mode >> MW_TOP_SHIFT & 7; }

extern const IrHelper helper_sse_begin, helper_sse_check, helper_ldmxcsr, helper_stmxcsr,
    helper_maskmov, helper_mmx_enter, helper_emms, helper_fxsave, helper_fxrstor, helper_xsave,
    helper_xrstor;

#endif
