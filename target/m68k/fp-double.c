/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FPU registers as doubles, and what FPSR says then: fp-double.h. */
#include "util/osdep.h"
#include "target/m68k/fp-double.h"

enum { HOST_PE = 0x20, HOST_FLAGS = 0x3f, HOST_RC_SHIFT = 13, FPCR_PREC = 0xc0 };

void m68k_fp_widen(M68kState *s, unsigned n)
{
    uint64_t v = s->fpd[n];
    uint16_t sign = (uint16_t)(v >> 48 & 0x8000);

    if (v << 1) {
        s->fp[n] = (F80){ BIT64(63) | v << 11, (uint16_t)(sign | ((v >> 52 & 0x7ff) + 16383 - 1023)) };
    } else {
        s->fp[n] = (F80){ 0, sign };
    }
}

void m68k_fp_narrow(M68kState *s, unsigned n)
{
    F80 v = s->fp[n];
    unsigned e = (v.se & 0x7fffu) - (16383 - 1023);
    uint64_t sign = (uint64_t)(v.se & 0x8000) << 48;

    if (s->fptag[n]) {
        return;
    }
    if (!v.m && !(v.se & 0x7fff)) {
        s->fpd[n] = sign;
        s->fptag[n] = 1;
    } else if (e - 1 < 0x7fe && v.m >> 63 && !(v.m & 0x7ff)) {
        s->fpd[n] = sign | (uint64_t)e << 52 | v.m << 1 >> 12;
        s->fptag[n] = 1;
    }
}

void m68k_fp_settle(M68kState *s)
{
    for (unsigned i = 0; i < 8; i++) {
        m68k_fp_need(s, i);
        s->fptag[i] = 0;
    }
    m68k_fp_fpsr(s);
}

uint32_t m68k_fp_fpsr(M68kState *s)
{
    m68k_fp_status(s);
    if (s->tcg.fp_mxcsr & HOST_PE) {
        s->fpsr |= FPA_INEX;
        s->tcg.fp_mxcsr &= ~(uint32_t)HOST_FLAGS;
    }
    return s->fpsr;
}

void m68k_fp_set_fpsr(M68kState *s, uint32_t v)
{
    s->fl_cmd = 0;
    s->tcg.fp_mxcsr &= ~(uint32_t)HOST_FLAGS;
    s->fpsr = v;
}

void m68k_fp_fast(M68kState *s)
{
    s->fp_fast = !s->fp_null && !s->fp_pending && !(s->fpcr & (FPX_ALL | FPCR_PREC));
}

void m68k_fp_mode(M68kState *s)
{
    static const uint8_t host[4] = {            /* MXCSR 14-13 by FPCR 5-4 */
        [FPM_NEAREST] = 0, [FPM_ZERO] = 3, [FPM_MINUS] = 1, [FPM_PLUS] = 2,
    };

    m68k_fp_fast(s);
    s->tcg.fp_mxcsr = (s->tcg.fp_mxcsr & HOST_FLAGS) | 0x1f80 |
                      (uint32_t)host[s->fpcr >> 4 & 3] << HOST_RC_SHIFT;
}
