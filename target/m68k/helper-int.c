/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the integer instructions. */
#include "util/osdep.h"
#include "target/m68k/helpers.h"
#include "target/m68k/state.h"
#include "util/bswap.h"

static uint64_t h_bf_load(void *env, uint64_t addr, uint32_t n, uint32_t write, uint32_t mmu)
{
    uint64_t v = 0;

    if (write) {
        tcg_probe(env, addr, 1, true, (unsigned)mmu);
        tcg_probe(env, (uint32_t)(addr + n - 1), 1, true, (unsigned)mmu);
    }
    for (unsigned i = 0; i < n; i++) {
        v |= tcg_ldu8(env, (uint32_t)(addr + i), (unsigned)mmu) << (56 - 8 * i);
    }
    return v;
}

static void h_bf_store(void *env, uint64_t addr, uint64_t v, uint32_t n, uint32_t mmu)
{
    for (unsigned i = 0; i < n; i++) {
        tcg_stu8(env, (uint32_t)(addr + i), v >> (56 - 8 * i) & 0xff, (unsigned)mmu);
    }
}

const IrHelper m68k_h_bf_load = { "m68k_bf_load", h_bf_load, "q:eqlll", IR_H_RAISES, 0, 0 };
const IrHelper m68k_h_bf_store = { "m68k_bf_store", h_bf_store, "v:eqqll", IR_H_RAISES, 0, 0 };

static void h_chk(void *env, uint32_t v, uint32_t bound, uint32_t len)
{
    if ((int32_t)v < 0 || (int32_t)v > (int32_t)bound) {
        m68k_raise_format2(env, EXCP_CHK, (unsigned)len);
    }
}
const IrHelper m68k_h_chk = { "m68k_chk", h_chk, "v:elll", IR_H_RAISES, 0, 0 };

/* Z: on a bound; C: outside. Signed and unsigned bounds alike: all is modulo 2^32, the lower bound
 * first. */
static uint64_t h_cmp2(uint32_t v, uint32_t lo, uint32_t hi)
{
    uint32_t x = (uint32_t)v - (uint32_t)lo, range = (uint32_t)hi - (uint32_t)lo;

    return (uint64_t)((x == 0 || x == range ? CCR_Z : 0) | (x > range ? CCR_C : 0));
}
const IrHelper m68k_h_cmp2 = { "m68k_cmp2", h_cmp2, "l:lll", IR_H_PURE, 0, 0 };

static uint32_t ld(M68kState *s, uint32_t addr, unsigned size, unsigned mmu)
{
    return size == 0 ? (uint32_t)tcg_ldu8(&s->tcg, addr, mmu) :
           size == 1 ? m68k_ld16(s, addr, mmu) : m68k_ld32(s, addr, mmu);
}

static void st(M68kState *s, uint32_t addr, uint32_t v, unsigned size, unsigned mmu)
{
    if (size == 0) {
        tcg_stu8(&s->tcg, addr, v, mmu);
    } else if (size == 1) {
        m68k_st16(s, addr, v, mmu);
    } else {
        m68k_st32(s, addr, v, mmu);
    }
}

static void put_low(uint64_t *reg, uint32_t v, unsigned size)
{
    *reg = size == 2 ? v : (*reg & 0xffff0000) | (v & 0xffff);
}

/* PRM, CAS2. @ext: both extension words. */
static void h_cas2(void *env, uint32_t ext, uint32_t size, uint32_t mmu)
{
    M68kState *s = env;
    unsigned e[2] = { (unsigned)ext >> 16, (unsigned)ext & 0xffff }, m = (unsigned)mmu;
    uint32_t addr[2], v[2], cmp[2], mask = size == 1 ? 0xffff : UINT32_MAX;
    unsigned bytes = 1u << size;
    bool both;

    for (unsigned i = 0; i < 2; i++) {
        unsigned r = e[i] >> 12 & 7;

        addr[i] = (uint32_t)(e[i] & 0x8000 ? s->a[r] : s->d[r]);
        tcg_probe(env, addr[i], bytes, true, m);
    }
    for (unsigned i = 0; i < 2; i++) {
        v[i] = ld(s, addr[i], (unsigned)size, m);
        cmp[i] = (uint32_t)s->d[e[i] & 7] & mask;
    }
    both = v[0] == cmp[0] && v[1] == cmp[1];
    if (both) {
        st(s, addr[0], (uint32_t)s->d[e[0] >> 6 & 7] & mask, (unsigned)size, m);
        st(s, addr[1], (uint32_t)s->d[e[1] >> 6 & 7] & mask, (unsigned)size, m);
    } else {
        put_low(&s->d[e[1] & 7], v[1], (unsigned)size);
        put_low(&s->d[e[0] & 7], v[0], (unsigned)size);
    }
    s->cc_op = CC_OP(CC_CMP, (unsigned)size);
    s->cc_a = v[0] != cmp[0] ? v[0] : v[1];
    s->cc_b = v[0] != cmp[0] ? cmp[0] : cmp[1];
}
const IrHelper m68k_h_cas2 = { "m68k_cas2", h_cas2, "v:elll",
                               IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0 };

static uint64_t h_moves_ld(void *env, uint32_t addr, uint32_t size)
{
    M68kState *s = env;

    return ld(s, (uint32_t)addr, (unsigned)size, m68k_mmu_of_fc(s->sfc));
}

static void h_moves_st(void *env, uint32_t addr, uint32_t v, uint32_t size)
{
    M68kState *s = env;

    st(s, (uint32_t)addr, (uint32_t)v, (unsigned)size, m68k_mmu_of_fc(s->dfc));
}
const IrHelper m68k_h_moves_ld = { "m68k_moves_ld", h_moves_ld, "l:ell", IR_H_RAISES, 0, 0 };
const IrHelper m68k_h_moves_st = { "m68k_moves_st", h_moves_st, "v:elll", IR_H_RAISES, 0, 0 };
