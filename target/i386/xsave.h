/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The XSAVE area: legacy region (512 bytes, as FXSAVE), header (64), then components, at the places
 * that CPUID leaf 0xd tells (standard format) or one after the other (compacted). The caller
 * collects the live FP environment first and moves the bytes.
 * Source: SDM vol. 1, chapter 13.
 */
#ifndef TARGET_I386_XSAVE_H
#define TARGET_I386_XSAVE_H

#include "target/i386/state.h"

enum {
    XSTATE_X87 = 1 << 0, XSTATE_SSE = 1 << 1, XSTATE_AVX = 1 << 2, XSTATE_PKRU = 1 << 9,
    XSAVE_COMPACT = 1,          /* flags: XSAVEC's format, */
    XSAVE_WIDE = 2,             /* REX.W */
    XSAVE_OPT = 4,              /* what is in its initial state isn't written; so XSAVEC too */
};
#define XSAVE_HEADER    512u
#define XSAVE_EXTENDED  576u            /* behind the header */
#define XSAVE_MAX_SIZE  2696u

typedef struct XsaveComponent {
    uint8_t bit;
    uint16_t offset, size;      /* in the standard format */
} XsaveComponent;
/* Those behind the header, of this CPU or not; NULL after the last. */
const XsaveComponent *x86_xsave_component(unsigned n);

uint64_t x86_xcr0_mask(const X86State *s);      /* what XSETBV accepts: what the CPU has */
uint64_t x86_xinuse(const X86State *s);         /* what isn't in its initial state */
/* Bytes of an area for @components. */
unsigned x86_xsave_size(uint64_t components, bool compact);

/* The components of @rfbm into @img, where the standard or the compacted format has them;
 * gives those that were written. XSTATE_BV's old value in
 * the header counts in the standard format. */
uint64_t x86_xsave_image(const X86State *s, uint8_t img[XSAVE_MAX_SIZE], unsigned flags,
                         uint64_t rfbm);
/* What lies where: for each piece of @components @fn(opaque, offset, size). */
typedef void XsavePieceFn(void *opaque, unsigned offset, unsigned size);
void x86_xsave_pieces(uint64_t components, uint64_t format, bool compact, XsavePieceFn *fn, void *opaque);
/* False: #GP(0), nothing was changed. The format is in the header. */
bool x86_xrstor_image(X86State *s, const uint8_t img[XSAVE_MAX_SIZE], bool wide, uint64_t rfbm);

#endif
