/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug registers DR0 to DR7 and the #DB traps (SDM vol. 3B 17.2, 17.3).
 *
 * Modelled: single step, instruction breakpoints (regions of one instruction
 * that look first), data breakpoints (through the accelerator's watched
 * pages), I/O breakpoints (IN and OUT ask), general detect, task switch trap.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"

#define DR6_FIXED   UINT64_C(0xffff0ff0)
#define DR6_BD      BIT64(13)
#define DR7_FIXED   UINT64_C(0x400)
#define DR7_GD      BIT64(13)

void x86_queue_debug(X86State *s, uint64_t dr6)
{
    x86_queue_exception(s, EXCP_DB, false, 0);
    s->excp_dr6 = dr6;
}

void x86_post_debug(X86State *s, uint64_t dr6)
{
    CPUState *cpu = s->tcg.cpu;

    x86_queue_debug(s, dr6);
    if (cpu) {
        cpu_raise(cpu, CPU_INTR_DEBUG);
    }
}

/* With CR4.DE clear, DR4 and DR5 are other names of DR6 and DR7. */
static unsigned check_access(X86State *s, unsigned n)
{
    if (n == 4 || n == 5) {
        if (s->cr[4] & CR4_DE) {
            x86_raise(s, EXCP_UD);
        }
        n += 2;
    }
    if (s->dr[7] & DR7_GD) {
        x86_queue_debug(s, DR6_BD);
        tcg_raise(&s->tcg);
    }
    return n;
}

uint64_t x86_get_dr(X86State *s, unsigned n)
{
    return s->dr[check_access(s, n)];
}

void x86_set_dr(X86State *s, unsigned n, uint64_t v)
{
    n = check_access(s, n);
    if (n >= 6 && v >> 32) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (n == 6) {
        v = (v & 0xe00f) | DR6_FIXED;
    } else if (n == 7) {
        v = (v & 0xffff2bff) | DR7_FIXED;
    }
    if (s->dr[n] != v && n != 6) {
        bool watched = (s->dr[7] | (n == 7 ? v : 0)) & 0xff;

        s->dr[n] = v;
        if (watched) {                  /* pages gain or lose their watch */
            tcg_tlb_flush(&s->tcg);
        }
        x86_mode_sync(s);
        return;
    }
    s->dr[n] = v;
}

/* Length of breakpoint @i in bytes: LEN bits of DR7, 8 is encoded as 2. */
static unsigned watch_length(uint64_t dr7, unsigned i)
{
    static const uint8_t len[4] = { 1, 2, 8, 4 };

    return len[dr7 >> (18 + i * 4) & 3];
}

static bool watch_enabled(uint64_t dr7, unsigned i)
{
    /* R/W: 1 writes, 3 reads and writes. */
    return (dr7 >> (i * 2) & 3) && (dr7 >> (16 + i * 4) & 1);
}

/* R/W field 0: instructions. */
static bool breakpoint_enabled(uint64_t dr7, unsigned i)
{
    return (dr7 >> (i * 2) & 3) && !(dr7 >> (16 + i * 4) & 3);
}

bool x86_has_breakpoints(const X86State *s)
{
    for (unsigned i = 0; i < 4; i++) {
        if (breakpoint_enabled(s->dr[7], i)) {
            return true;
        }
    }
    return false;
}

/* RF lets one instruction pass (SDM 3B 17.3.1.1). */
static void h_breakpoint(X86State *s, uint64_t pc)
{
    uint64_t addr = x86_code64(s) ? pc : (uint32_t)(s->seg[S_CS].base + pc), hit = 0;

    if (s->eflags & FL_RF) {
        s->eflags &= ~(uint32_t)FL_RF;
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (breakpoint_enabled(s->dr[7], i) && s->dr[i] == addr) {
            hit |= BIT64(i);
        }
    }
    if (hit) {
        x86_queue_debug(s, hit);
        tcg_raise(&s->tcg);
    }
}
const IrHelper x86_h_breakpoint = {
    "breakpoint", (void *)h_breakpoint, "v:eq", IR_H_READS | IR_H_RAISES, 0, 0,
};

bool x86_page_watched(const X86State *s, uint64_t addr)
{
    for (unsigned i = 0; i < 4; i++) {
        if (watch_enabled(s->dr[7], i) && (s->dr[i] & ~UINT64_C(0xfff)) == addr) {
            return true;
        }
    }
    return false;
}

void x86_debug_hit(TcgEnv *env, uint64_t addr, unsigned size, MmuAccess access)
{
    X86State *s = x86_state(env);
    uint64_t hit = 0;

    for (unsigned i = 0; i < 4; i++) {
        unsigned len = watch_length(s->dr[7], i);
        uint64_t start = s->dr[i] & ~(uint64_t)(len - 1);

        if (watch_enabled(s->dr[7], i) && addr < start + len && start < addr + size &&
            (access == MMU_WRITE || (s->dr[7] >> (17 + i * 4) & 1))) {
            hit |= BIT64(i);
        }
    }
    if (hit) {
        x86_post_debug(s, hit);
    }
}

/* Behind an access to ports. R/W field 2, with CR4.DE: a trap behind the instruction, or the round of a repeated one. */
static void h_io_hit(X86State *s, uint32_t port, uint32_t size)
{
    uint64_t hit = 0;

    for (unsigned i = 0; i < 4 && (s->cr[4] & CR4_DE); i++) {
        unsigned len = watch_length(s->dr[7], i);
        uint64_t start = s->dr[i] & ~(uint64_t)(len - 1);

        if ((s->dr[7] >> (i * 2) & 3) && (s->dr[7] >> (16 + i * 4) & 3) == 2 && port < start + len &&
            start < port + (uint64_t)size) {
            hit |= BIT64(i);
        }
    }
    if (hit) {
        x86_post_debug(s, hit);
    }
}
const IrHelper x86_h_io_hit = { "io_hit", (void *)h_io_hit, "v:ell", 0, 0, 0 };
