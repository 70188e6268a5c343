/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts: making one pending, combining two into a double
 * fault, and entering the handler through the IDT or the real-mode table.
 *
 * An exception is queued (x86_queue_exception and the x86_raise functions)
 * and entered by x86_take_exception(), from the execution loop, when the
 * state is that of an instruction boundary. Interrupts from outside are
 * queued the same way. While a handler is entered another exception may be
 * raised; then the first decides what becomes of both (SDM 3A table 6-5).
 *
 * Sources: SDM vol. 3A chapter 6 and 20.3; APM vol. 2 chapter 8.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "hw/core/runstate.h"
#include "util/log.h"

/* ------------------------------------------------------------------- queueing */

/* Faults are restarted with RF set in the pushed flags, so that a breakpoint
 * on the instruction isn't hit twice (SDM 3B 17.3.1.1). */
static bool is_fault(int vector)
{
    return vector != EXCP_DB && vector != EXCP_NMI && vector != EXCP_BP && vector != EXCP_OF &&
           vector != EXCP_DF && vector != EXCP_MC;
}

static bool is_contributory(int vector)
{
    return vector == EXCP_DE || (vector >= EXCP_TS && vector <= EXCP_GP);
}

static bool has_error_code(int vector)
{
    return vector == EXCP_DF || (vector >= EXCP_TS && vector <= EXCP_PF) || vector == EXCP_AC;
}

/* Three faults: the processor stops until it is reset (SDM 3A 6.15, #DF). A
 * PC's chip set answers the shutdown cycle with a reset. */
void x86_triple_fault(X86State *s)
{
    CPUState *cpu = s->tcg.cpu;

    log_printf(LOG_CPU_RESET | LOG_INT, "CPU %d: triple fault at %04x:%016" PRIx64 "\n",
               cpu ? cpu->index : 0, s->seg[S_CS].selector, s->tcg.pc);
    s->excp = EXCP_NONE;
    s->shutdown = true;
    if (cpu) {
        cpu->halted = true;
        cpu_exit(cpu);
        system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

void x86_queue_exception(X86State *s, int vector, bool has_error, uint32_t error)
{
    if (s->delivering) {
        int first = s->excp_old;

        s->delivering = false;
        if (s->delivering_ext && has_error && vector != EXCP_PF && vector != EXCP_AC) {
            error |= 1;
        }
        if (first == EXCP_DF && (is_contributory(vector) || vector == EXCP_PF)) {
            x86_triple_fault(s);
            return;
        }
        if ((is_contributory(first) && is_contributory(vector)) ||
            (first == EXCP_PF && (is_contributory(vector) || vector == EXCP_PF))) {
            log_printf(LOG_INT, "exception %d while entering %d: double fault\n", vector, first);
            vector = EXCP_DF;
            has_error = true;
            error = 0;
        }
    }
    s->excp = vector;
    s->excp_has_error = has_error;
    s->excp_error = error;
    s->excp_is_soft = s->excp_is_int = s->excp_is_int1 = false;
    s->excp_insn_len = 0;
}

void x86_raise(X86State *s, int vector)
{
    x86_queue_exception(s, vector, has_error_code(vector), 0);
    tcg_raise(&s->tcg);
}

void x86_raise_error(X86State *s, int vector, uint32_t error)
{
    x86_queue_exception(s, vector, true, error);
    tcg_raise(&s->tcg);
}

void x86_raise_soft(X86State *s, int vector, unsigned insn_len)
{
    s->excp = vector;
    s->excp_has_error = false;
    s->excp_is_soft = true;
    s->excp_is_int = s->excp_is_int1 = false;
    s->excp_insn_len = insn_len;
    tcg_raise(&s->tcg);
}

void x86_raise_int1(X86State *s, unsigned insn_len)
{
    s->excp = EXCP_DB;
    s->excp_has_error = false;
    s->excp_is_soft = s->excp_is_int = false;
    s->excp_is_int1 = true;
    s->excp_insn_len = insn_len;
    tcg_raise(&s->tcg);
}

void x86_queue_interrupt(X86State *s, int vector)
{
    s->excp = vector;
    s->excp_has_error = false;
    s->excp_is_soft = s->excp_is_int1 = false;
    s->excp_is_int = true;
    s->excp_insn_len = 0;
}

/* ------------------------------------------------------------------ real mode */

/* SDM 3A 20.1.4. Also INT n of virtual-8086 mode that VME redirects. */
static void deliver_real(X86State *s, int vector, uint64_t return_pc, uint32_t flags)
{
    uint64_t idt = s->eflags & FL_VM ? 0 : s->idt.base;
    uint64_t addr = x86_linear(s, idt + (unsigned)vector * 4);
    unsigned mmu = x86_mmu_mode(s);
    X86Stack st;
    uint16_t ip, cs;

    if (!(s->eflags & FL_VM) && (unsigned)vector * 4 + 3 > s->idt.limit) {
        x86_raise_error(s, EXCP_GP, (unsigned)vector * 8 + 2);
    }
    ip = tcg_ldu16(&s->tcg, addr, mmu);
    cs = tcg_ldu16(&s->tcg, x86_linear(s, addr + 2), mmu);
    x86_stack_current(s, &st);
    x86_stack_push(&st, flags, 2);
    x86_stack_push(&st, s->seg[S_CS].selector, 2);
    x86_stack_push(&st, return_pc, 2);
    x86_stack_commit(&st);
    x86_set_segment_real(s, S_CS, cs);
    s->tcg.pc = ip;
}

/* SDM 3A 20.3.3: the TSS's bitmap says which INT n stay in the 8086 program. */
static bool vme_redirects(X86State *s, int vector)
{
    const X86Segment *tr = &s->seg[S_TR];
    uint32_t map;

    if (!(s->cr[4] & CR4_VME) || !(desc_type(tr->flags) & 8) || tr->limit < 0x67) {
        return false;
    }
    map = tcg_ldu16(&s->tcg, x86_linear(s, tr->base + 0x66), x86_mmu_system(s));
    if (map < 32 || map > tr->limit) {
        return false;
    }
    map = map - 32 + (unsigned)vector / 8;
    return !(tcg_ldu8(&s->tcg, x86_linear(s, tr->base + map), x86_mmu_system(s)) >>
             (vector & 7) & 1);
}

/* ------------------------------------------------------------- protected mode */

typedef struct Gate {
    uint16_t sel;
    uint64_t offset;
    unsigned type, ist;
    uint32_t hi;
    X86Desc code;
} Gate;

#define IDT_ERROR(vector)   ((uint32_t)(vector) * 8 + 2)

static void read_gate(X86State *s, int vector, bool soft, Gate *g)
{
    bool lm = x86_lma(s);
    unsigned mmu = x86_mmu_system(s), size = lm ? 16 : 8;
    uint64_t addr = x86_linear(s, s->idt.base + (unsigned)vector * size);
    uint16_t valid = lm ? BIT(SYS_INT32) | BIT(SYS_TRAP32) :
                     BIT(SYS_TASK_GATE) | BIT(SYS_INT16) | BIT(SYS_TRAP16) |
                     BIT(SYS_INT32) | BIT(SYS_TRAP32);
    uint32_t lo;

    if ((unsigned)vector * size + size - 1 > s->idt.limit) {
        x86_raise_error(s, EXCP_GP, IDT_ERROR(vector));
    }
    lo = tcg_ldu32(&s->tcg, addr, mmu);
    g->hi = tcg_ldu32(&s->tcg, x86_linear(s, addr + 4), mmu);
    g->type = desc_type(g->hi);
    if ((g->hi & SEG_S) || !(valid >> g->type & 1) || (soft && desc_dpl(g->hi) < s->cpl)) {
        x86_raise_error(s, EXCP_GP, IDT_ERROR(vector));
    }
    if (!(g->hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, IDT_ERROR(vector));
    }
    g->sel = lo >> 16;
    g->offset = (lo & 0xffff) | (g->hi & 0xffff0000);
    g->ist = 0;
    if (lm) {
        g->offset |= (uint64_t)tcg_ldu32(&s->tcg, addr + 8, mmu) << 32;
        g->ist = g->hi & 7;
    } else if (!(g->type & 8)) {
        g->offset &= 0xffff;
    }
}

static void read_gate_code(X86State *s, Gate *g)
{
    if (!(g->sel & ~3u)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (!x86_read_desc(s, g->sel, &g->code) || !desc_is_code(g->code.hi) ||
        desc_dpl(g->code.hi) > s->cpl ||
        (x86_lma(s) && (g->code.hi & (SEG_L | SEG_DB)) != SEG_L)) {
        x86_raise_error(s, EXCP_GP, g->sel & ~3u);
    }
    if (!(g->code.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, g->sel & ~3u);
    }
}

static void deliver_protected(X86State *s, int vector, bool soft, bool has_error, uint32_t error,
                              uint64_t return_pc, uint32_t flags)
{
    bool lm = x86_lma(s), vm = s->eflags & FL_VM, inner;
    unsigned cpl, size;
    uint16_t ss = 0;
    uint64_t sp;
    X86Desc ssd = { 0 };
    X86Stack st;
    Gate g;

    read_gate(s, vector, soft, &g);
    if (g.type == SYS_TASK_GATE) {
        X86Desc gate = { .lo = (uint32_t)g.sel << 16, .hi = g.hi };

        x86_task_gate(s, &gate, TASK_INT, return_pc, has_error, error);
        return;
    }
    read_gate_code(s, &g);
    cpl = desc_dpl(g.code.hi);
    inner = !desc_is_conforming(g.code.hi) && cpl < s->cpl;
    if (!inner) {
        cpl = s->cpl;
    }
    if (vm && (!inner || cpl != 0)) {
        x86_raise_error(s, EXCP_GP, g.sel & ~3u);
    }
    x86_check_target(s, &g.code, g.offset);

    if (lm) {
        size = 8;
        if (g.ist) {
            sp = x86_tss_ist(s, g.ist);
        } else if (inner) {
            x86_tss_stack(s, cpl, &ss, &sp);
        } else {
            sp = s->regs[R_SP];
        }
        x86_stack_new(s, &st, NULL, 0, sp & ~UINT64_C(15), cpl);
    } else {
        size = g.type & 8 ? 4 : 2;
        if (inner) {
            x86_tss_stack(s, cpl, &ss, &sp);
            x86_check_stack_seg(s, ss, cpl, EXCP_TS, &ssd);
            x86_stack_new(s, &st, &ssd, ss, sp, cpl);
        } else {
            x86_stack_current(s, &st);
        }
    }
    if (vm) {
        x86_stack_push(&st, s->seg[S_GS].selector, size);
        x86_stack_push(&st, s->seg[S_FS].selector, size);
        x86_stack_push(&st, s->seg[S_DS].selector, size);
        x86_stack_push(&st, s->seg[S_ES].selector, size);
    }
    if (inner || lm) {
        x86_stack_push(&st, s->seg[S_SS].selector, size);
        x86_stack_push(&st, s->regs[R_SP], size);
    }
    x86_stack_push(&st, flags, size);
    x86_stack_push(&st, s->seg[S_CS].selector, size);
    x86_stack_push(&st, return_pc, size);
    if (has_error) {
        x86_stack_push(&st, error, size);
    }
    x86_mark_accessed(s, &g.code);

    /* No fault from here on. */
    if (vm) {
        x86_null_segment(s, S_GS, 0);
        x86_null_segment(s, S_FS, 0);
        x86_null_segment(s, S_DS, 0);
        x86_null_segment(s, S_ES, 0);
    }
    if (inner) {
        if (lm) {
            x86_null_segment(s, S_SS, cpl);
        } else {
            x86_cache_desc(&s->seg[S_SS], ss, &ssd);
        }
    }
    s->eflags &= ~(uint32_t)(FL_TF | FL_VM | FL_RF | FL_NT | (g.type & 1 ? 0 : FL_IF));
    x86_enter_code(s, g.sel, &g.code, cpl, g.offset);
    x86_stack_commit(&st);
}

void x86_deliver(X86State *s, int vector, bool soft, bool has_error, uint32_t error,
                 uint64_t return_pc)
{
    uint32_t flags = x86_get_eflags(s);

    if (s->delivering && s->excp_old != EXCP_NONE && is_fault(vector)) {
        flags |= FL_RF;
    } else if (!(s->tcg.mode_gen & MW_BP)) {
        flags &= ~(uint32_t)FL_RF;      /* cleared by each instruction, if anybody looked */
    }
    if (!(s->cr[0] & CR0_PE)) {
        deliver_real(s, vector, return_pc, flags);
        s->eflags &= ~(uint32_t)(FL_IF | FL_TF | FL_AC | FL_RF);
    } else if (soft && (s->eflags & FL_VM) && vme_redirects(s, vector)) {
        bool iopl3 = (s->eflags & FL_IOPL) == FL_IOPL;

        if (!iopl3) {           /* SDM 3A 20.3.3.4: IF's image is VIF, IOPL's is 3 */
            flags = (flags & ~(uint32_t)FL_IF) | FL_IOPL | (flags & FL_VIF ? FL_IF : 0);
        }
        deliver_real(s, vector, return_pc, flags);
        s->eflags &= ~(uint32_t)(FL_TF | (iopl3 ? FL_IF : FL_VIF));
    } else {
        deliver_protected(s, vector, soft, has_error, error, return_pc, flags);
    }
    x86_mode_sync(s);
}

/* -------------------------------------------------------------------- taking */

static void log_delivery(const X86State *s, int vector, uint64_t pc)
{
    log_printf(LOG_INT, "%s %02x%s error %04x at %04x:%016" PRIx64 " cpl %u sp %04x:%016" PRIx64
               " cr2 %016" PRIx64 " ax %016" PRIx64 "\n",
               s->excp_is_int ? "interrupt" : s->excp_is_soft ? "int" : "exception", vector,
               s->excp_has_error ? "" : " (no", s->excp_has_error ? s->excp_error : 0,
               s->seg[S_CS].selector, pc, s->cpl, s->seg[S_SS].selector, s->regs[R_SP],
               s->cr[2], s->regs[R_AX]);
}

bool x86_take_exception(TcgEnv *env)
{
    X86State *s = x86_state(env);
    CPUState *cpu = env->cpu;
    int vector = s->excp;
    bool soft = s->excp_is_soft, is_int = s->excp_is_int, int1 = s->excp_is_int1;
    uint64_t pc;

    if (vector == EXCP_NONE) {
        return false;
    }
    if (vector == EXCP_DE && s->generation == X86_8086 && !soft && !is_int) {
        s->excp_insn_len = x86_8086_length(s);  /* a trap there (80386 manual, 14.7) */
    }
    pc = s->tcg.pc + s->excp_insn_len;
    if (s->excp_insn_len && !x86_code64(s)) {
        pc = s->seg[S_CS].flags & SEG_DB ? (uint32_t)pc : pc & 0xffff;
    }
    if (log_is_on(LOG_INT)) {
        log_delivery(s, vector, pc);
    }
    if (cpu) {
        cpu->halted = false;
    }
    s->excp = EXCP_NONE;
    s->int_shadow = s->in_hlt = false;
    if (soft && vector != EXCP_BP && vector != EXCP_OF && (s->cr[0] & CR0_PE) &&
        (s->eflags & FL_VM) && (s->eflags & FL_IOPL) != FL_IOPL && !vme_redirects(s, vector)) {
        vector = EXCP_GP;
        pc = s->tcg.pc;
        soft = false;
        s->excp_has_error = true;
        s->excp_error = 0;
    }
    if (vector == EXCP_DB && !soft && !is_int) {
        s->dr[6] |= s->excp_dr6;
        s->excp_dr6 = 0;
        s->dr[7] &= ~UINT64_C(0x2000);          /* GD: SDM 3B 17.2.4 */
    }
    s->delivering = true;
    s->delivering_ext = !soft;
    s->excp_old = soft || is_int || int1 ? EXCP_NONE : vector;
    s->excp_insn_len = 0;
    if (vector == EXCP_NMI && is_int) {
        s->nmi_masked = true;
    }
    x86_deliver(s, vector, soft, s->excp_has_error && !soft && !is_int, s->excp_error, pc);
    s->delivering = false;
    s->excp_old = EXCP_NONE;
    return true;
}
