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
    tcg_exclusive_begin(env);           /* the bus is locked from the first access to the last */
    for (unsigned i = 0; i < 2; i++) {
        v[i] = ld(s, addr[i], (unsigned)size, m);
        cmp[i] = (uint32_t)s->d[e[i] & 7] & mask;
    }
    both = v[0] == cmp[0] && v[1] == cmp[1];
    if (both) {
        st(s, addr[0], (uint32_t)s->d[e[0] >> 6 & 7] & mask, (unsigned)size, m);
        st(s, addr[1], (uint32_t)s->d[e[1] >> 6 & 7] & mask, (unsigned)size, m);
    }
    tcg_exclusive_end(env);
    if (!both) {
        put_low(&s->d[e[1] & 7], v[1], (unsigned)size);
        put_low(&s->d[e[0] & 7], v[0], (unsigned)size);
    }
    s->cc_op = CC_OP(CC_CMP, (unsigned)size);
    s->cc_a = v[0] != cmp[0] ? v[0] : v[1];
    s->cc_b = v[0] != cmp[0] ? cmp[0] : cmp[1];
}
const IrHelper m68k_h_cas2 = { "m68k_cas2", h_cas2, "v:elll",
                               IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0 };

/*
 * Modules (020UM 9.7, 9.8): descriptor and frame are in memory. Type 0 changes no rights; type 1 asks hardware in CPU space, which
 * no board here has, so that its access ends in a bus error there.
 */
enum { MODULE_FRAME = 24, MODULE_OPT_ARGS = 0, MODULE_OPT_POINTER = 4 };

static void check_module(M68kState *s, uint32_t word)
{
    unsigned opt = word >> 29, type = word >> 24 & 31;

    if ((opt != MODULE_OPT_ARGS && opt != MODULE_OPT_POINTER) || type > 1) {
        m68k_raise(s, EXCP_FORMAT, 0);
    }
    if (type == 1) {
        m68k_raise_access_level(s);
    }
}

static uint64_t *any_register(M68kState *s, unsigned n)
{
    return n & 8 ? &s->a[n & 7] : &s->d[n];
}

static void h_callm(void *env, uint32_t at, uint32_t count, uint32_t next)
{
    M68kState *s = env;
    unsigned mmu = m68k_mmu_mode(s);
    uint32_t word = m68k_ld32(s, at, mmu), entry, data, sp = (uint32_t)s->a[7];
    uint64_t *reg;
    uint8_t f[MODULE_FRAME] = { 0 };

    check_module(s, word);
    entry = m68k_ld32(s, at + 4, mmu);
    data = m68k_ld32(s, at + 8, mmu);
    reg = any_register(s, m68k_ld16(s, entry, mmu) >> 12);
    f[0] = (uint8_t)(word >> 24);
    f[3] = (uint8_t)m68k_get_ccr(s);
    f[5] = (uint8_t)count;
    store_be32(f + 8, at);
    store_be32(f + 12, next);
    store_be32(f + 16, (uint32_t)*reg);
    store_be32(f + 20, sp);
    tcg_st_bytes(env, sp - MODULE_FRAME, f, sizeof(f), mmu);
    *reg = data;                        /* A7 for none: it is the stack pointer after all */
    s->a[7] = (uint32_t)(sp - MODULE_FRAME);
    s->tcg.pc = entry + 2;
}

static void h_rtm(void *env, uint32_t n)
{
    M68kState *s = env;
    uint32_t sp = (uint32_t)s->a[7];
    uint8_t f[MODULE_FRAME];

    tcg_ld_bytes(env, sp, f, sizeof(f), m68k_mmu_mode(s));
    check_module(s, load_be32(f));
    m68k_set_ccr(s, f[3]);
    *any_register(s, n) = load_be32(f + 16);
    s->a[7] = (uint32_t)(sp + MODULE_FRAME + f[5]);
    s->tcg.pc = load_be32(f + 12);
}
const IrHelper m68k_h_callm = { "m68k_callm", h_callm, "v:elll", IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0 };
const IrHelper m68k_h_rtm = { "m68k_rtm", h_rtm, "v:el", IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0 };
