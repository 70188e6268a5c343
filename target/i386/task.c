/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware task switches (SDM vol. 3A 7.3): by a far jump or call to a TSS or a task
 * gate, by an interrupt through a task gate, and by IRET with NT set.
 *
 * All that can fault before the switch commits raises in the old task; what
 * the new task's segments are wrong in raises in the new one.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/log.h"

typedef struct Tss {
    uint32_t cr3, eip, eflags, reg[8];
    uint16_t sel[6], ldt;
    bool trap;
} Tss;

typedef struct TssAt {
    X86State *s;
    uint64_t base;
    bool wide;                  /* 32-bit format */
    unsigned mmu;
} TssAt;

static uint32_t ld16(const TssAt *t, uint32_t off)
{
    return tcg_ldu16(&t->s->tcg, x86_linear(t->s, t->base + off), t->mmu);
}

static uint32_t ld32(const TssAt *t, uint32_t off)
{
    return tcg_ldu32(&t->s->tcg, x86_linear(t->s, t->base + off), t->mmu);
}

static void st16(const TssAt *t, uint32_t off, uint32_t v)
{
    tcg_stu16(&t->s->tcg, x86_linear(t->s, t->base + off), v, t->mmu);
}

static void st32(const TssAt *t, uint32_t off, uint32_t v)
{
    tcg_stu32(&t->s->tcg, x86_linear(t->s, t->base + off), v, t->mmu);
}

/* SDM 3A figures 7-2 (32-bit) and 7-10 (16-bit). */
static void load_tss(const TssAt *t, Tss *n)
{
    memset(n, 0, sizeof(*n));
    if (t->wide) {
        n->cr3 = ld32(t, 0x1c);
        n->eip = ld32(t, 0x20);
        n->eflags = ld32(t, 0x24);
        for (unsigned i = 0; i < 8; i++) {
            n->reg[i] = ld32(t, 0x28 + i * 4);
        }
        for (unsigned i = 0; i < 6; i++) {
            n->sel[i] = ld16(t, 0x48 + i * 4);
        }
        n->ldt = ld16(t, 0x60);
        n->trap = ld16(t, 0x64) & 1;
    } else {
        n->eip = ld16(t, 0x0e);
        n->eflags = ld16(t, 0x10);
        for (unsigned i = 0; i < 8; i++) {
            n->reg[i] = ld16(t, 0x12 + i * 2) | 0xffff0000;
        }
        for (unsigned i = 0; i < 4; i++) {
            n->sel[i] = ld16(t, 0x22 + i * 2);
        }
        n->ldt = ld16(t, 0x2a);
    }
}

static void save_tss(const TssAt *t, uint32_t eip, uint32_t eflags)
{
    X86State *s = t->s;

    if (t->wide) {
        st32(t, 0x20, eip);
        st32(t, 0x24, eflags);
        for (unsigned i = 0; i < 8; i++) {
            st32(t, 0x28 + i * 4, s->regs[i]);
        }
        for (unsigned i = 0; i < 6; i++) {
            st16(t, 0x48 + i * 4, s->seg[i].selector);
        }
    } else {
        st16(t, 0x0e, eip);
        st16(t, 0x10, eflags);
        for (unsigned i = 0; i < 8; i++) {
            st16(t, 0x12 + i * 2, s->regs[i]);
        }
        for (unsigned i = 0; i < 4; i++) {
            st16(t, 0x22 + i * 2, s->seg[i].selector);
        }
    }
}

/* CS, SS and data segments of the new task; errors are #TS in it. */
static void load_code(X86State *s, uint16_t sel)
{
    X86Desc d;
    unsigned rpl = sel & 3, dpl;

    if (!(sel & ~3u) || !x86_read_desc(s, sel, &d) || !desc_is_code(d.hi)) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    dpl = desc_dpl(d.hi);
    if (desc_is_conforming(d.hi) ? dpl > rpl : dpl != rpl) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    x86_mark_accessed(s, &d);
    x86_cache_desc(&s->seg[S_CS], sel, &d);
}

static void load_data(X86State *s, int seg, uint16_t sel)
{
    X86Desc d;
    unsigned dpl;

    if (!(sel & ~3u)) {
        x86_null_segment(s, seg, sel);
        return;
    }
    if (!x86_read_desc(s, sel, &d) || !(d.hi & SEG_S) ||
        (d.hi & (SEG_CODE | SEG_RW)) == SEG_CODE) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    dpl = desc_dpl(d.hi);
    if ((d.hi & (SEG_CODE | SEG_DC)) != (SEG_CODE | SEG_DC) &&
        ((sel & 3u) > dpl || s->cpl > dpl)) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    x86_mark_accessed(s, &d);
    x86_cache_desc(&s->seg[seg], sel, &d);
}

static void load_ldt(X86State *s, uint16_t sel)
{
    X86Desc d;

    x86_null_segment(s, S_LDT, sel);
    if (!(sel & ~3u)) {
        return;
    }
    if ((sel & 4) || !x86_read_desc(s, sel, &d) || (d.hi & SEG_S) ||
        desc_type(d.hi) != SYS_LDT || !(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    x86_cache_desc(&s->seg[S_LDT], sel, &d);
}

static void load_segments(X86State *s, const Tss *n)
{
    static const uint8_t data[] = { S_DS, S_ES, S_FS, S_GS };
    X86Desc ssd;

    load_ldt(s, n->ldt);
    if (s->eflags & FL_VM) {
        for (int i = 0; i < 6; i++) {
            x86_set_segment_real(s, i, n->sel[i]);
        }
        return;
    }
    load_code(s, n->sel[S_CS]);
    x86_check_stack_seg(s, n->sel[S_SS], s->cpl, EXCP_TS, &ssd);
    x86_cache_desc(&s->seg[S_SS], n->sel[S_SS], &ssd);
    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        load_data(s, data[i], n->sel[data[i]]);
    }
    if (s->tcg.pc > s->seg[S_CS].limit) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

void x86_task_switch(X86State *s, uint16_t sel, X86Desc *d, X86TaskReason why, uint64_t next_pc,
                     bool has_error, uint32_t error)
{
    unsigned type = desc_type(d->hi);
    bool wide = type & 8;
    uint32_t limit = x86_desc_limit(d->lo, d->hi), eflags, old_pc = next_pc;
    TssAt old = {
        .s = s, .base = s->seg[S_TR].base, .wide = desc_type(s->seg[S_TR].flags) & 8,
        .mmu = x86_mmu_system(s),
    };
    TssAt new = { .s = s, .base = x86_desc_base(d->lo, d->hi), .wide = wide, .mmu = old.mmu };
    uint16_t old_sel = s->seg[S_TR].selector;
    X86Desc old_desc;
    bool old_there;
    Tss n;

    if (!(d->hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    if (limit < (wide ? 0x67u : 0x2bu)) {
        x86_raise_error(s, EXCP_TS, sel & ~3u);
    }
    load_tss(&new, &n);
    eflags = x86_get_eflags(s);
    if (why == TASK_IRET) {
        eflags &= ~(uint32_t)FL_NT;
    }
    /* Both must be there for the writes that follow. */
    tcg_probe(&s->tcg, x86_linear(s, old.base), old.wide ? 0x68 : 0x2c, true, old.mmu);
    tcg_probe(&s->tcg, x86_linear(s, new.base), wide ? 0x68 : 0x2c, true, new.mmu);
    old_there = x86_read_desc(s, old_sel & ~7u, &old_desc);
    save_tss(&old, old_pc, eflags);
    if (old_there && (why == TASK_JMP || why == TASK_IRET)) {
        x86_set_busy(s, &old_desc, false);
    }
    if (why == TASK_CALL || why == TASK_INT) {
        st16(&new, 0, old_sel);
        n.eflags |= FL_NT;
    }
    if (why != TASK_IRET) {
        x86_set_busy(s, d, true);
    }
    d->hi |= SEG_RW;

    /* The switch: from here on faults belong to the new task. */
    s->cr[0] |= CR0_TS;
    x86_cache_desc(&s->seg[S_TR], sel, d);
    if (wide && (s->cr[0] & CR0_PG)) {
        s->cr[3] = n.cr3;
        tcg_tlb_flush_non_global(&s->tcg);
    }
    s->tcg.pc = n.eip;
    x86_set_eflags(s, (n.eflags & 0x003f7fd5) | FL_1);
    for (unsigned i = 0; i < 8; i++) {
        s->regs[i] = n.reg[i];
    }
    for (int i = 0; i < 6; i++) {               /* in case one of them faults */
        s->seg[i] = (X86Segment){ .selector = n.sel[i] };
    }
    x86_set_cpl(s, s->eflags & FL_VM ? 3 : n.sel[S_CS] & 3);
    s->dr[7] &= ~UINT64_C(0x55);                /* local breakpoints */
    load_segments(s, &n);
    if (has_error) {
        X86Stack st;

        x86_stack_current(s, &st);
        x86_stack_push(&st, error, wide ? 4 : 2);
        x86_stack_commit(&st);
    }
    if (n.trap) {
        x86_post_debug(s, 0x8000);              /* BT */
    }
    x86_mode_sync(s);
}

void x86_task_gate(X86State *s, const X86Desc *gate, X86TaskReason why, uint64_t next_pc,
                   bool has_error, uint32_t error)
{
    uint16_t sel = gate->lo >> 16;
    unsigned type;
    X86Desc d;

    if (!(sel & ~3u) || (sel & 4) || !x86_read_desc(s, sel, &d) || (d.hi & SEG_S)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    type = desc_type(d.hi);
    if (type != SYS_TSS16 && type != SYS_TSS32) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    x86_task_switch(s, sel, &d, why, next_pc, has_error, error);
}
