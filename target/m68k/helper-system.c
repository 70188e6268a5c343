/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of system control: SR, control registers (PRM, MOVEC), STOP, RESET. */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "target/m68k/cpu.h"
#include "target/m68k/helpers.h"

static void h_set_sr(void *env, uint32_t sr)
{
    m68k_set_sr(env, sr);
}
const IrHelper m68k_h_set_sr = { "m68k_set_sr", h_set_sr, "v:el", IR_H_READS | IR_H_WRITES, 0, 0 };

static void h_stop(void *env, uint32_t sr)
{
    M68kState *s = env;
    CPUState *cpu = s->tcg.cpu;

    m68k_set_sr(s, sr);
    s->stopped = true;
    cpu->halted = true;
}
const IrHelper m68k_h_stop = { "m68k_stop", h_stop, "v:el", IR_H_READS | IR_H_WRITES, 0, 0 };

/* RESET drives the pin for a while: the devices are reset, the CPU is not. */
static void h_reset(void *env)
{
    M68kState *s = env;
    M68kCpu *cpu = M68K_CPU(s->tcg.cpu);
    bool locked = m68k_lock();

    irq_pulse(cpu->reset_out);
    m68k_unlock(locked);
}
const IrHelper m68k_h_reset = { "m68k_reset", h_reset, "v:e", IR_H_RAISES, 0, 0 };

/* MOVEC's registers by model (PRM, MOVEC). */
typedef struct Control {
    uint16_t code;
    uint8_t models;
    uint32_t mask;              /* bits that exist */
    uint32_t offset;
    uint8_t size;
} Control;
#define C(code, models, mask, f) { code, models, mask, offsetof(M68kState, f), sizeof(((M68kState *)0)->f) }
static const Control controls[] = {
    C(0x000, M68K_010UP, 7, sfc), C(0x001, M68K_010UP, 7, dfc),
    C(0x002, M68K_020, 0x0000000f, cacr), C(0x002, M68K_030, 0x00003f1f, cacr),
    C(0x002, M68K_040, 0x80008000, cacr), C(0x002, M68K_060, 0xf8e0e000, cacr),
    C(0x003, M68K_040, 0xc000, tc), C(0x003, M68K_060, 0xffff, tc),
    C(0x004, M68K_040UP, 0xffffe364, itt[0]), C(0x005, M68K_040UP, 0xffffe364, itt[1]),
    C(0x006, M68K_040UP, 0xffffe364, dtt[0]), C(0x007, M68K_040UP, 0xffffe364, dtt[1]),
    C(0x008, M68K_060, 0xf0000000, buscr),
    C(0x800, M68K_010UP, UINT32_MAX, usp), C(0x801, M68K_010UP, UINT32_MAX, vbr),
    C(0x802, M68K_020 | M68K_030, UINT32_MAX, caar),
    C(0x803, M68K_020UP & ~M68K_060, UINT32_MAX, msp),
    C(0x804, M68K_020UP & ~M68K_060, UINT32_MAX, isp),
    C(0x805, M68K_040, UINT32_MAX, mmusr),
    C(0x806, M68K_040UP, 0xfffffe00, urp), C(0x807, M68K_040UP, 0xfffffe00, srp),
    C(0x808, M68K_060, 0x83, pcr),
};
#undef C

static const Control *find(const M68kState *s, unsigned code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(controls); i++) {
        if (controls[i].code == code && (controls[i].models & s->features)) {
            return &controls[i];
        }
    }
    return NULL;
}

/* A stack pointer that is in use now is A7. */
static uint64_t *active_sp(M68kState *s, unsigned code)
{
    uint32_t *now = m68k_banked_sp(s, s->sr);

    return (code == 0x803 && now == &s->msp) || (code == 0x804 && now == &s->isp) ? &s->a[7] : NULL;
}

static uint64_t h_movec_from(void *env, uint32_t code)
{
    M68kState *s = env;
    const Control *c = find(s, code);

    if (!c) {
        m68k_raise(s, EXCP_ILLEGAL, 0);
    }
    if (active_sp(s, code)) {
        return *active_sp(s, code);
    }
    return c->size == 1 ? *((uint8_t *)env + c->offset) : *(uint32_t *)((char *)env + c->offset);
}

static void h_movec_to(void *env, uint32_t code, uint32_t v)
{
    M68kState *s = env;
    const Control *c = find(s, code);
    bool changed;

    if (!c) {
        m68k_raise(s, EXCP_ILLEGAL, 0);
    }
    v &= c->mask;
    if (active_sp(s, code)) {
        *active_sp(s, code) = v;
        return;
    }
    if (code == 0x002 && m68k_has(s, M68K_020 | M68K_030)) {
        v &= ~UINT32_C(0x0c0c);         /* CEI, CI: read as zeros */
    }
    if (code == 0x808) {
        v |= 0x04300000;                /* 68060's identification */
    }
    changed = c->size == 4 && *(uint32_t *)((char *)env + c->offset) != v;
    if (c->size == 1) {
        *((uint8_t *)env + c->offset) = (uint8_t)v;
    } else {
        *(uint32_t *)((char *)env + c->offset) = v;
    }
    /* The chip forgets nothing by itself; software that changes the user's tables doesn't mean its global pages. */
    if (changed && code == 0x806) {
        tcg_tlb_flush_non_global(&s->tcg);
    } else if (changed && ((code >= 3 && code <= 7) || code == 0x807)) {
        tcg_tlb_flush(&s->tcg);
    }
}
const IrHelper m68k_h_movec_from = {
    "m68k_movec_from", h_movec_from, "l:el", IR_H_RAISES | IR_H_READS, 0, 0,
};
const IrHelper m68k_h_movec_to = {
    "m68k_movec_to", h_movec_to, "v:ell", IR_H_RAISES | IR_H_READS | IR_H_WRITES, 0, 0,
};
