/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input lines: which request is accepted when, in the order of priority of
 * SDM 3A table 6-2 (INIT, SMI, NMI, maskable interrupts).
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/log.h"

/* Vector of the maskable interrupt that is due; -1: it has gone away. */
static int acknowledge(X86State *s, CPUState *cpu, uint32_t req)
{
    int vector = -1;

    if (req & BIT(CPU_INTR_POLL)) {
        if (s->apic) {
            vector = local_apic_ops(s->apic)->intr_ack(s->apic);
        } else {
            cpu_lower(cpu, CPU_INTR_POLL);
        }
    }
    if (vector < 0 && (req & BIT(CPU_INTR_HARD))) {
        vector = cpu->int_ack ? cpu->int_ack(cpu->int_ack_opaque) : -1;
        if (vector < 0) {
            cpu_lower(cpu, CPU_INTR_HARD);
        }
    }
    return vector;
}

static void start_up(X86State *s, uint8_t vector)
{
    s->seg[S_CS].selector = vector << 8;
    s->seg[S_CS].base = (uint32_t)vector << 12;
    s->tcg.pc = 0;
    s->wait_sipi = false;
}

bool x86_take_interrupt(TcgEnv *env)
{
    X86State *s = x86_state(env);
    CPUState *cpu = env->cpu;
    uint32_t req = cpu->interrupt_request;

    if (req & BIT(CPU_INTR_DEBUG)) {            /* x86_post_debug */
        cpu_lower(cpu, CPU_INTR_DEBUG);
        if (s->excp != EXCP_NONE) {
            return x86_take_exception(env);
        }
    }
    if ((req & BIT(CPU_INTR_INIT)) && !s->smm) {
        cpu_lower(cpu, CPU_INTR_INIT);
        x86_init_state(s);
        if (s->apic) {
            local_apic_ops(s->apic)->init_reset(s->apic);
        }
        s->wait_sipi = !s->is_bsp;
        if (s->wait_sipi) {
            cpu->halted = true;
            cpu_exit(cpu);
        }
        x86_mode_sync(s);
        return true;
    }
    if (req & BIT(CPU_INTR_SIPI)) {
        cpu_lower(cpu, CPU_INTR_SIPI);
        if (s->wait_sipi && s->apic) {
            start_up(s, local_apic_ops(s->apic)->sipi_vector(s->apic));
            cpu->halted = false;
            x86_mode_sync(s);
            return true;
        }
    }
    if (s->wait_sipi) {
        return false;
    }
    if ((req & BIT(CPU_INTR_SMI)) && !s->smm) {
        cpu_lower(cpu, CPU_INTR_SMI);
        x86_enter_smm(s);
        return true;
    }
    if (req & BIT(CPU_INTR_MCHECK)) {           /* x86_inject_mce */
        cpu_lower(cpu, CPU_INTR_MCHECK);
        cpu->halted = false;
        x86_queue_interrupt(s, EXCP_MC);
        return x86_take_exception(env);
    }
    if ((req & BIT(CPU_INTR_NMI)) && !s->nmi_masked && !s->int_shadow) {
        cpu_lower(cpu, CPU_INTR_NMI);
        cpu->halted = false;
        s->shutdown = false;
        x86_queue_interrupt(s, EXCP_NMI);
        return x86_take_exception(env);
    }
    if ((req & (BIT(CPU_INTR_POLL) | BIT(CPU_INTR_HARD))) && (s->eflags & FL_IF) &&
        !s->int_shadow && !s->shutdown) {
        int vector = acknowledge(s, cpu, req);

        if (vector >= 0) {
            cpu->halted = false;
            x86_queue_interrupt(s, vector & 0xff);
            return x86_take_exception(env);
        }
    }
    return false;
}

/* Any thread may ask; what it reads is no more than a hint then. */
bool x86_has_work(const TcgEnv *env)
{
    const X86State *s = (const X86State *)env;
    const CPUState *cpu = env->cpu;
    uint32_t req = cpu->interrupt_request;

    if (s->wait_sipi) {
        return req & (BIT(CPU_INTR_INIT) | BIT(CPU_INTR_SIPI));
    }
    if ((req & BIT(CPU_INTR_INIT)) || ((req & BIT(CPU_INTR_SMI)) && !s->smm) ||
        ((req & BIT(CPU_INTR_NMI)) && !s->nmi_masked) || (req & BIT(CPU_INTR_MCHECK))) {
        return true;
    }
    return !s->shutdown && (s->eflags & FL_IF) &&
           (req & (BIT(CPU_INTR_POLL) | BIT(CPU_INTR_HARD)));
}

/* ------------------------------------------------------------ the x87's error */

static void set_ferr(X86State *s, bool level)
{
    X86Cpu *cpu = s->tcg.cpu;
    bool locked;

    if (s->ferr == level) {
        return;
    }
    s->ferr = level;
    locked = x86_lock();
    irq_set(cpu->ferr, level);
    x86_unlock(locked);
}

void x86_ferr_update(X86State *s)
{
    if (s->ferr && !(s->fpu_fsw & ~s->fpu_fcw & 0x3f)) {
        set_ferr(s, false);
    }
}

/* SDM vol. 1, 8.7; vol. 3A, 2.5 (NE). */
void x86_fpu_wait(X86State *s)
{
    if (!(s->fpu_fsw & ~s->fpu_fcw & 0x3f)) {
        return;
    }
    if (s->cr[0] & CR0_NE) {
        x86_raise(s, EXCP_MF);
    }
    set_ferr(s, true);
    if (__atomic_load_n(&s->ignne, __ATOMIC_SEQ_CST)) {
        return;
    }
    /* Before the instruction, until an interrupt comes; then it is tried again. */
    tcg_sync_state(&s->tcg);
    x86_hlt(s, s->tcg.pc);
    tcg_leave_next(&s->tcg);
}
