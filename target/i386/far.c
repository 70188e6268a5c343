/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Far jumps, calls and returns, and IRET, in every mode. Operand sizes are in bytes (2, 4, 8).
 *
 * Sources: SDM vol. 2, JMP, CALL, RET, IRET; SDM vol. 3A 5.8 and 20.2; APM
 * vol. 2, 4.11.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"

static uint64_t size_mask(unsigned size)
{
    return size == 2 ? 0xffff : size == 4 ? UINT32_MAX : UINT64_MAX;
}

/* Does the code descriptor let us go there without a gate? */
static void check_code(X86State *s, uint16_t sel, const X86Desc *d)
{
    unsigned dpl = desc_dpl(d->hi);

    if (desc_is_conforming(d->hi) ? dpl > s->cpl : ((sel & 3u) > s->cpl || dpl != s->cpl)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    if (x86_lma(s) && (d->hi & SEG_L) && (d->hi & SEG_DB)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    if (!(d->hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
}

/* Checks that hold for gates and TSSs named by a selector. */
static void check_system(X86State *s, uint16_t sel, const X86Desc *d)
{
    unsigned dpl = desc_dpl(d->hi);

    if (dpl < s->cpl || dpl < (sel & 3u)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    if (!(d->hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
}

typedef struct CallGate {
    uint16_t sel;               /* of the code segment */
    uint64_t offset;
    unsigned size, count;       /* of pushes in bytes; parameters */
    X86Desc code;
} CallGate;

/* @d is the gate named by @sel; reads and checks what it leads to. */
static void open_gate(X86State *s, uint16_t sel, const X86Desc *d, CallGate *g)
{
    bool lm = x86_lma(s);
    unsigned dpl;

    check_system(s, sel, d);
    g->sel = d->lo >> 16;
    g->offset = (d->lo & 0xffff) | (d->hi & 0xffff0000);
    g->count = d->hi & 31;
    g->size = desc_type(d->hi) == SYS_CALL16 ? 2 : 4;
    if (lm) {
        uint32_t hi;

        if (!x86_read_desc_high(s, sel, d, &hi)) {
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
        g->offset |= (uint64_t)hi << 32;
        g->count = 0;
        g->size = 8;
    } else if (g->size == 2) {
        g->offset &= 0xffff;
    }
    if (!(g->sel & ~3u)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (!x86_read_desc(s, g->sel, &g->code) || !desc_is_code(g->code.hi)) {
        x86_raise_error(s, EXCP_GP, g->sel & ~3u);
    }
    dpl = desc_dpl(g->code.hi);
    if (dpl > s->cpl || (lm && (g->code.hi & (SEG_L | SEG_DB)) != SEG_L)) {
        x86_raise_error(s, EXCP_GP, g->sel & ~3u);
    }
    if (!(g->code.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, g->sel & ~3u);
    }
}

/* JMP or CALL to a TSS, a task gate; false if @d is neither. */
static bool far_task(X86State *s, uint16_t sel, X86Desc *d, X86TaskReason why, uint64_t next_pc)
{
    unsigned type = desc_type(d->hi);

    if (x86_lma(s)) {
        return false;
    }
    switch (type) {
    case SYS_TSS16:
    case SYS_TSS32:
        check_system(s, sel, d);
        if (sel & 4) {
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
        x86_task_switch(s, sel, d, why, next_pc, false, 0);
        return true;
    case SYS_TASK_GATE:
        check_system(s, sel, d);
        x86_task_gate(s, d, why, next_pc, false, 0);
        return true;
    default:
        return false;
    }
}

static bool is_call_gate(const X86State *s, const X86Desc *d)
{
    unsigned type = desc_type(d->hi);

    return type == SYS_CALL32 || (type == SYS_CALL16 && !x86_lma(s));
}

static void jump_real(X86State *s, uint16_t sel, uint64_t off)
{
    if ((uint32_t)off > s->seg[S_CS].limit) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    x86_set_segment_real(s, S_CS, sel);
    s->tcg.pc = (uint32_t)off;
}

/* The target of a direct far jump or call: a selector of any descriptor. */
static void far_desc(X86State *s, uint16_t sel, X86Desc *d)
{
    if (!(sel & ~3u)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (!x86_read_desc(s, sel, d)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
}

void x86_far_jump(X86State *s, uint16_t sel, uint64_t off, unsigned opsize, uint64_t next_pc)
{
    X86Desc d;

    off &= size_mask(opsize);
    if (!x86_protected(s)) {
        jump_real(s, sel, off);
        x86_mode_sync(s);
        return;
    }
    far_desc(s, sel, &d);
    if (desc_is_code(d.hi)) {
        check_code(s, sel, &d);
        x86_check_target(s, &d, off);
        x86_mark_accessed(s, &d);
        x86_enter_code(s, sel, &d, s->cpl, off);
    } else if (d.hi & SEG_S) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    } else if (is_call_gate(s, &d)) {
        CallGate g;

        open_gate(s, sel, &d, &g);
        /* A jump can't change the privilege. */
        if (!desc_is_conforming(g.code.hi) && desc_dpl(g.code.hi) != s->cpl) {
            x86_raise_error(s, EXCP_GP, g.sel & ~3u);
        }
        x86_check_target(s, &g.code, g.offset);
        x86_mark_accessed(s, &g.code);
        x86_enter_code(s, g.sel, &g.code, s->cpl, g.offset);
    } else if (!far_task(s, sel, &d, TASK_JMP, next_pc)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    x86_mode_sync(s);
}

static void call_through_gate(X86State *s, CallGate *g, uint64_t next_pc)
{
    unsigned dpl = desc_dpl(g->code.hi), size = g->size;
    X86Stack st;
    X86Desc ssd;
    uint16_t ss = 0;
    uint64_t sp;
    bool inner = !desc_is_conforming(g->code.hi) && dpl < s->cpl;

    x86_check_target(s, &g->code, g->offset);
    if (inner) {
        X86Stack old;

        x86_stack_current(s, &old);
        x86_tss_stack(s, dpl, &ss, &sp);
        if (x86_lma(s)) {
            x86_stack_new(s, &st, NULL, 0, sp, dpl);
        } else {
            x86_check_stack_seg(s, ss, dpl, EXCP_TS, &ssd);
            x86_stack_new(s, &st, &ssd, ss, sp, dpl);
        }
        x86_stack_push(&st, s->seg[S_SS].selector, size);
        x86_stack_push(&st, s->regs[R_SP], size);
        if (g->count) {
            uint32_t param[31];

            for (unsigned i = 0; i < g->count; i++) {
                param[i] = x86_stack_pop(&old, size);
            }
            for (unsigned i = g->count; i-- > 0; ) {
                x86_stack_push(&st, param[i], size);
            }
        }
    } else {
        x86_stack_current(s, &st);
        dpl = s->cpl;
    }
    x86_stack_push(&st, s->seg[S_CS].selector, size);
    x86_stack_push(&st, next_pc, size);
    x86_mark_accessed(s, &g->code);
    if (inner) {
        if (x86_lma(s)) {
            x86_null_segment(s, S_SS, dpl);
        } else {
            x86_cache_desc(&s->seg[S_SS], ss, &ssd);
        }
    }
    x86_enter_code(s, g->sel, &g->code, dpl, g->offset);
    x86_stack_commit(&st);
}

void x86_far_call(X86State *s, uint16_t sel, uint64_t off, unsigned opsize, uint64_t next_pc)
{
    X86Stack st;
    X86Desc d;

    off &= size_mask(opsize);
    x86_stack_current(s, &st);
    if (!x86_protected(s)) {
        if ((uint32_t)off > s->seg[S_CS].limit) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        x86_stack_push(&st, s->seg[S_CS].selector, opsize);
        x86_stack_push(&st, next_pc, opsize);
        jump_real(s, sel, off);
        x86_stack_commit(&st);
        x86_mode_sync(s);
        return;
    }
    far_desc(s, sel, &d);
    if (desc_is_code(d.hi)) {
        check_code(s, sel, &d);
        x86_check_target(s, &d, off);
        x86_stack_push(&st, s->seg[S_CS].selector, opsize);
        x86_stack_push(&st, next_pc, opsize);
        x86_mark_accessed(s, &d);
        x86_enter_code(s, sel, &d, s->cpl, off);
        /* With the old stack's width, also where L of CS changes. */
        x86_stack_commit(&st);
    } else if (d.hi & SEG_S) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    } else if (is_call_gate(s, &d)) {
        CallGate g;

        open_gate(s, sel, &d, &g);
        call_through_gate(s, &g, next_pc);
    } else if (!far_task(s, sel, &d, TASK_CALL, next_pc)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    x86_mode_sync(s);
}

/* ------------------------------------------------------------------- returns */

/*
 * The common part of RETF and IRET in protected mode, after CS:PC were
 * popped: checks the code segment, pops SS:SP where the level changes.
 */
typedef struct FarReturn {
    uint16_t cs, ss;
    uint64_t pc, sp;
    unsigned cpl;               /* new one */
    bool outer;                 /* SS:SP were popped */
    bool ss_null;
    X86Desc code, stack;
} FarReturn;

static void return_code(X86State *s, FarReturn *r)
{
    unsigned rpl = r->cs & 3, dpl;

    if (!(r->cs & ~3u)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (!x86_read_desc(s, r->cs, &r->code) || !desc_is_code(r->code.hi) || rpl < s->cpl) {
        x86_raise_error(s, EXCP_GP, r->cs & ~3u);
    }
    dpl = desc_dpl(r->code.hi);
    if (desc_is_conforming(r->code.hi) ? dpl > rpl : dpl != rpl) {
        x86_raise_error(s, EXCP_GP, r->cs & ~3u);
    }
    if (x86_lma(s) && (r->code.hi & SEG_L) && (r->code.hi & SEG_DB)) {
        x86_raise_error(s, EXCP_GP, r->cs & ~3u);
    }
    if (!(r->code.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, r->cs & ~3u);
    }
    r->cpl = rpl;
}

static void return_stack(X86State *s, FarReturn *r)
{
    if (!(r->ss & ~3u)) {
        /* In 64-bit mode a null SS is fine at levels 0 to 2. */
        if (!x86_lma(s) || !(r->code.hi & SEG_L) || r->cpl == 3 || (r->ss & 3u) != r->cpl) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        r->ss_null = true;
        return;
    }
    x86_check_stack_seg(s, r->ss, r->cpl, EXCP_GP, &r->stack);
}

/* @st: the old stack, after all pops, in case it stays. */
static void return_commit(X86State *s, FarReturn *r, X86Stack *st, unsigned release)
{
    st->sp += release;
    x86_enter_code(s, r->cs, &r->code, r->cpl, r->pc);
    if (!r->outer) {
        x86_stack_commit(st);
        return;
    }
    if (r->ss_null) {
        x86_null_segment(s, S_SS, r->ss);
    } else {
        x86_cache_desc(&s->seg[S_SS], r->ss, &r->stack);
    }
    x86_stack_current(s, st);
    st->sp = r->sp + release;
    x86_stack_commit(st);
    x86_drop_segments(s, r->cpl);
}

void x86_far_ret(X86State *s, unsigned opsize, unsigned imm)
{
    FarReturn r = { 0 };
    X86Stack st;

    x86_stack_current(s, &st);
    r.pc = x86_stack_pop(&st, opsize);
    r.cs = x86_stack_pop(&st, opsize);
    if (!x86_protected(s)) {
        jump_real(s, r.cs, r.pc);
        st.sp += imm;
        x86_stack_commit(&st);
        x86_mode_sync(s);
        return;
    }
    return_code(s, &r);
    if (r.cpl > s->cpl) {
        st.sp += imm;
        r.sp = x86_stack_pop(&st, opsize);
        r.ss = x86_stack_pop(&st, opsize);
        r.outer = true;
        return_stack(s, &r);
    }
    x86_check_target(s, &r.code, r.pc);
    x86_mark_accessed(s, &r.code);
    return_commit(s, &r, &st, imm);
    x86_mode_sync(s);
}

uint32_t x86_flags_mask(const X86State *s, unsigned opsize)
{
    uint32_t m = FL_ARITH | FL_TF | FL_DF | FL_NT | FL_RF | FL_AC | FL_ID;

    if (s->cpl == 0) {
        m |= FL_IOPL | FL_VIF | FL_VIP;
    }
    if (s->cpl <= (s->eflags >> 12 & 3)) {
        m |= FL_IF;
    }
    m &= x86_flags_there(s);
    return opsize == 2 ? m & 0xffff : m;
}

/* RF holds for one instruction, whose check of breakpoints clears it; without any it would stay. */
static uint32_t without_stale_rf(const X86State *s, uint32_t flags)
{
    return x86_has_breakpoints(s) ? flags : flags & ~(uint32_t)FL_RF;
}

static void set_flags_masked(X86State *s, uint32_t v, uint32_t mask)
{
    v = without_stale_rf(s, v);
    x86_set_eflags(s, (x86_get_eflags(s) & ~mask) | (v & mask) | FL_1);
}

/* SDM 3A 20.2.2: from level 0, all of the virtual-8086 state is on the stack. */
static void iret_to_vm86(X86State *s, X86Stack *st, uint64_t pc, uint16_t cs, uint32_t flags)
{
    static const uint8_t order[] = { S_ES, S_DS, S_FS, S_GS };
    uint16_t sel[4];
    uint64_t sp = x86_stack_pop(st, 4);
    uint16_t ss = x86_stack_pop(st, 4);

    for (int i = 0; i < 4; i++) {
        sel[i] = x86_stack_pop(st, 4);
    }
    x86_set_eflags(s, (without_stale_rf(s, flags) & 0x003f7fd5) | FL_1 | FL_VM);
    x86_set_cpl(s, 3);
    x86_set_segment_real(s, S_CS, cs);
    x86_set_segment_real(s, S_SS, ss);
    for (int i = 0; i < 4; i++) {
        x86_set_segment_real(s, order[i], sel[i]);
    }
    s->regs[R_SP] = (uint32_t)sp;
    s->tcg.pc = pc & 0xffff;
}

static void iret_real(X86State *s, unsigned opsize)
{
    X86Stack st;
    uint64_t pc;
    uint16_t cs;
    uint32_t flags, mask;

    if ((s->eflags & FL_VM) && (s->eflags & FL_IOPL) != FL_IOPL &&
        !((s->cr[4] & CR4_VME) && opsize == 2)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    x86_stack_current(s, &st);
    pc = x86_stack_pop(&st, opsize);
    cs = x86_stack_pop(&st, opsize);
    flags = x86_stack_pop(&st, opsize);
    mask = FL_ARITH | FL_TF | FL_IF | FL_DF | FL_NT | FL_RF | FL_AC | FL_ID | FL_IOPL;
    mask &= x86_flags_there(s);
    if (s->eflags & FL_VM) {
        mask &= ~(uint32_t)FL_IOPL;
        if ((s->eflags & FL_IOPL) != FL_IOPL) {         /* VME: SDM 3A 20.3.3.4 */
            if ((flags & FL_TF) || ((flags & FL_IF) && (s->eflags & FL_VIP))) {
                x86_raise_error(s, EXCP_GP, 0);
            }
            mask &= ~(uint32_t)FL_IF;
            flags = (flags & ~(uint32_t)FL_VIF) | (flags & FL_IF ? FL_VIF : 0);
            set_flags_masked(s, flags, FL_VIF);
        }
    }
    jump_real(s, cs, pc);
    set_flags_masked(s, flags, opsize == 2 ? mask & 0xffff : mask);
    x86_stack_commit(&st);
}

static void iret_nested_task(X86State *s, uint64_t next_pc)
{
    uint64_t link = x86_linear(s, s->seg[S_TR].base);
    uint16_t sel = tcg_ldu16(&s->tcg, link, x86_mmu_system(s));
    unsigned type;
    X86Desc d;

    if ((sel & 4) || !x86_read_desc(s, sel, &d) || (d.hi & SEG_S)) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    type = desc_type(d.hi);
    if (type != SYS_TSS16_BUSY && type != SYS_TSS32_BUSY) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    x86_task_switch(s, sel, &d, TASK_IRET, next_pc, false, 0);
}

static void iret_protected(X86State *s, unsigned opsize)
{
    FarReturn r = { 0 };
    X86Stack st;
    uint32_t flags, mask;

    x86_stack_current(s, &st);
    r.pc = x86_stack_pop(&st, opsize);
    r.cs = x86_stack_pop(&st, opsize);
    flags = x86_stack_pop(&st, opsize);
    if (opsize == 4 && (flags & FL_VM) && s->cpl == 0 && !x86_lma(s)) {
        iret_to_vm86(s, &st, r.pc, r.cs, flags);
        return;
    }
    return_code(s, &r);
    /* 64-bit code always pops SS:RSP (APM vol. 2, 8.9.4). */
    if (r.cpl > s->cpl || x86_code64(s)) {
        r.sp = x86_stack_pop(&st, opsize);
        r.ss = x86_stack_pop(&st, opsize);
        r.outer = true;
        return_stack(s, &r);
    }
    x86_check_target(s, &r.code, r.pc);
    x86_mark_accessed(s, &r.code);
    mask = x86_flags_mask(s, opsize);
    return_commit(s, &r, &st, 0);
    set_flags_masked(s, flags, mask);
}

void x86_iret(X86State *s, unsigned opsize, uint64_t next_pc)
{
    if (!x86_protected(s)) {
        iret_real(s, opsize);
    } else if (s->eflags & FL_NT) {
        if (x86_lma(s)) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        iret_nested_task(s, next_pc);
    } else {
        iret_protected(s, opsize);
    }
    s->nmi_masked = false;
    x86_mode_sync(s);
}
