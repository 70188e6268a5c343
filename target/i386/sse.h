/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between sse.c, mmx.c, x87.c and their helpers (helper-sse.c, helper-x87.c). */
#ifndef TARGET_I386_SSE_H
#define TARGET_I386_SSE_H

#include "target/i386/translate.h"

/* Raises #UD or #NM, ending the block, if SSE can't be used: false then. */
bool sse_enabled(X86Tr *tr);
/* Bits 0 to 127 (@half 0) or 128 to 255 of a register. Writing the former clears the latter if
 * the instruction is VEX encoded. */
IrValue sse_get(X86Tr *tr, unsigned n, unsigned half);
void sse_put(X86Tr *tr, unsigned n, IrValue v);
void sse_put_wide(X86Tr *tr, unsigned n, const IrValue v[2]);
/* XMM or memory operand as a vector; narrow ones have their value in the low lane, zeros above. */
IrValue sse_source(X86Tr *tr, const X86Insn *i, unsigned n);
IrValue sse_load_low(X86Tr *tr, const X86Insn *i, unsigned bytes);
/* Of 256 bits. */
void sse_source_wide(X86Tr *tr, const X86Insn *i, unsigned n, IrValue v[2]);
bool sse_is_wide(const X86Insn *i);
/* The last operand if it is an immediate, else 0. */
uint8_t sse_immediate(const X86Insn *i);
/* One operation, or several between begin and end, that may raise SIMD exceptions. */
IrValue sse_op(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, IrValue c, uint8_t imm);
void sse_exc_begin(X86Tr *tr, IrVecOp op);
void sse_exc_end(X86Tr *tr, IrVecOp op);
/* A vector operation; in a region with unmasked SSE exceptions it is checked for them. */
IrValue sse_vec(X86Tr *tr, IrVecOp op, IrValue a, IrValue b, IrValue c, uint8_t imm);
/* An instruction of which an operand is an MMX register. */
void tr_mmx(X86Tr *tr, const X86Insn *i);
/* After the last operation of an MMX instruction that may fault: TOP is 0, all tags say
 * valid; EMMS: all say empty. helper_mmx_check came first. */
void mmx_commit(X86Tr *tr, bool empty);
/* The x87's TOP is @top from here on: in the state and in the mode word. */
void x87_put_top(X86Tr *tr, unsigned top);
/* Before a branch inside the region: the pointers of the last x87 instruction to their homes. */
void x87_commit_pointers(X86Tr *tr);
static inline unsigned x87_top(const X86Tr *tr) { return tr->mode >> MW_TOP_SHIFT & 7; }

extern const IrHelper helper_sse_begin, helper_sse_check, helper_ldmxcsr, helper_stmxcsr,
    helper_maskmov, helper_mmx_check, helper_fxsave, helper_fxrstor,
    helper_maskmov_ld, helper_maskmov_st, helper_gather;

#endif
