/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Condition codes and the status register (PRM 1.1.4, 3.1.8 table 3-18). */
#include "util/osdep.h"
#include "target/m68k/state.h"

uint32_t m68k_cc_eval(uint32_t op, uint32_t a, uint32_t b)
{
    unsigned bits = 8u << (op & 3);
    uint32_t mask = UINT32_MAX >> (32 - bits), res = a & mask, ccr = 0, top = 1u << (bits - 1), m;

    switch (op >> 2) {
    case CC_FLAGS:
        return a & (CCR_N | CCR_Z | CCR_V | CCR_C);
    case CC_ADD:
        b &= mask;
        m = (res - b) & mask;
        ccr = (res < b ? CCR_C : 0) | ((res ^ b) & (res ^ m) & top ? CCR_V : 0);
        break;
    case CC_SUB:
        b &= mask;
        m = (res + b) & mask;
        ccr = (m < b ? CCR_C : 0) | ((m ^ b) & (m ^ res) & top ? CCR_V : 0);
        break;
    case CC_CMP:
        b &= mask;
        m = res;
        res = (m - b) & mask;
        ccr = (m < b ? CCR_C : 0) | ((m ^ b) & (m ^ res) & top ? CCR_V : 0);
        break;
    case CC_SHIFT:
        ccr = b & 1 ? CCR_C : 0;
        break;
    case CC_ROTL:
        ccr = (b & 63) && (res & 1) ? CCR_C : 0;
        break;
    case CC_ROTR:
        ccr = (b & 63) && (res & top) ? CCR_C : 0;
        break;
    default:
        break;
    }
    return ccr | (res & top ? CCR_N : 0) | (res ? 0 : CCR_Z);
}

uint32_t m68k_x_eval(uint32_t op, uint32_t a, uint32_t b)
{
    return op >> 2 == CC_FLAGS ? a & 1 : m68k_cc_eval(op, a, b) & CCR_C;
}

uint32_t m68k_get_ccr(const M68kState *s)
{
    return m68k_cc_eval(s->cc_op, s->cc_a, s->cc_b) |
           (m68k_x_eval(s->x_op, s->x_a, s->x_b) ? CCR_X : 0);
}

void m68k_set_ccr(M68kState *s, uint32_t ccr)
{
    s->cc_op = s->x_op = CC_OP(CC_FLAGS, 0);
    s->cc_a = ccr & (CCR_N | CCR_Z | CCR_V | CCR_C);
    s->x_a = ccr >> 4 & 1;
    s->cc_b = s->x_b = 0;
}

uint32_t m68k_get_sr(const M68kState *s)
{
    return s->sr | m68k_get_ccr(s);
}

uint32_t *m68k_banked_sp(M68kState *s, uint32_t sr)
{
    return !(sr & SR_S) ? &s->usp : sr & SR_M ? &s->msp : &s->isp;
}

/* Bits that the model has: the M bit came with the 68020 and went with the 68060, T0 likewise. */
static uint32_t sr_mask(const M68kState *s)
{
    return m68k_has(s, M68K_000 | M68K_010) ? SR_T1 | SR_S | SR_IPL :
           m68k_has(s, M68K_060) ? SR_T1 | SR_S | SR_M | SR_IPL : SR_SYSTEM;
}

void m68k_set_sr(M68kState *s, uint32_t sr)
{
    uint32_t *old = m68k_banked_sp(s, m68k_has(s, M68K_060) ? s->sr & ~SR_M : s->sr);
    uint32_t *new;

    m68k_set_ccr(s, sr);
    s->sr = sr & sr_mask(s);
    new = m68k_banked_sp(s, m68k_has(s, M68K_060) ? s->sr & ~SR_M : s->sr);
    if (old != new) {
        *old = (uint32_t)s->a[7];
        s->a[7] = *new;
    }
    m68k_mode_sync(s);
}

uint32_t m68k_mode_word(const M68kState *s)
{
    return MW_M68K | (s->sr & SR_S ? MW_S : 0) | (s->sr & (SR_T0 | SR_T1) ? MW_TRACE : 0) |
           (s->fpsp_host ? MW_FPSP_HOST : 0) | (uint32_t)s->model << MW_MODEL_SHIFT |
           (s->sfc & 4 ? MW_SFC_S : 0) | (s->dfc & 4 ? MW_DFC_S : 0);
}

void m68k_mode_sync(M68kState *s)
{
    /* What tcg_mode_changed() comes to, as addresses of code don't depend on the mode. */
    s->tcg.mode_gen = (s->tcg.mode_gen & ~(uint64_t)UINT32_MAX) | m68k_mode_word(s);
}
