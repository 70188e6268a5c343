/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What seg.c, far.c, excp.c and task.c share: descriptors, stacks, the TSS.
 * Every function may raise; callers change the state after the last one that
 * does, so that a fault finds the instruction's start.
 */
#ifndef TARGET_I386_SEG_H
#define TARGET_I386_SEG_H

#include "target/i386/state.h"

/* System descriptor types (SDM 3A table 3-2). */
enum {
    SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS16_BUSY = 3, SYS_CALL16 = 4,
    SYS_TASK_GATE = 5, SYS_INT16 = 6, SYS_TRAP16 = 7, SYS_TSS32 = 9,
    SYS_TSS32_BUSY = 11, SYS_CALL32 = 12, SYS_INT32 = 14, SYS_TRAP32 = 15,
};

typedef struct X86Desc {
    uint32_t lo, hi;
    uint64_t addr;              /* linear address, for the accessed and busy bits */
} X86Desc;

static inline bool x86_protected(const X86State *s)     /* and not virtual-8086 */
{
    return (s->cr[0] & CR0_PE) && !(s->eflags & FL_VM);
}
static inline bool x86_lma(const X86State *s)
{
    return s->efer & EFER_LMA;
}
static inline bool x86_code64(const X86State *s)
{
    return x86_lma(s) && (s->seg[S_CS].flags & SEG_L);
}
/* Protected mode: raises unless segment @n allows @bytes at @off. */
void x86_seg_check(X86State *s, unsigned n, uint64_t off, unsigned bytes, bool write);
static inline unsigned desc_dpl(uint32_t hi) { return hi >> SEG_DPL_SHIFT & 3; }
static inline unsigned desc_type(uint32_t hi) { return hi >> SEG_TYPE_SHIFT & 15; }
static inline bool desc_is_code(uint32_t hi)
{
    return (hi & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}
static inline bool desc_is_conforming(uint32_t hi)      /* of a code segment */
{
    return hi & SEG_DC;
}
/* Of 48 bits, with five levels of page tables of 57. */
static inline bool x86_canonical(const X86State *s, uint64_t addr)
{
    unsigned unused = s->cr[4] & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(addr << unused) >> unused) == addr;
}
/* A linear address as the mode has it: 32 bits outside long mode. */
static inline uint64_t x86_linear(const X86State *s, uint64_t addr)
{
    return x86_lma(s) ? addr : (uint32_t)addr;
}

/* False if the selector is outside its table (or null). */
bool x86_read_desc(X86State *s, uint16_t sel, X86Desc *d);
/* The second half of a 16-byte descriptor; false if outside the table. */
bool x86_read_desc_high(X86State *s, uint16_t sel, const X86Desc *d, uint32_t *base_hi);
/* Write the accessed bit back if it is clear. */
void x86_mark_accessed(X86State *s, X86Desc *d);
void x86_set_busy(X86State *s, const X86Desc *d, bool busy);
void x86_cache_desc(X86Segment *seg, uint16_t sel, const X86Desc *d);
void x86_null_segment(X86State *s, int seg, uint16_t sel);
/* After a change to an outer level: data segments that it may not use. */
void x86_drop_segments(X86State *s, unsigned cpl);
/* CS, CPL and PC; checks were made. */
void x86_enter_code(X86State *s, uint16_t sel, const X86Desc *d, unsigned cpl, uint64_t pc);
/* #GP(0) unless @pc may be executed in the code segment @d. */
void x86_check_target(X86State *s, const X86Desc *d, uint64_t pc);
/* A new SS for @cpl; errors of vector @vector (#TS or #GP) with @sel. */
void x86_check_stack_seg(X86State *s, uint16_t sel, unsigned cpl, int vector, X86Desc *d);

/* A stack that isn't committed until sp is written to RSP. */
typedef struct X86Stack {
    X86State *s;
    uint64_t base, sp, mask;    /* mask: 0xffff, 0xffffffff or all ones */
    uint32_t limit, flags;
    unsigned mmu;
    uint32_t error;             /* of #SS */
} X86Stack;

void x86_stack_current(X86State *s, X86Stack *st);
/* Of the segment @d at level @cpl; @d NULL: a flat 64-bit one. */
void x86_stack_new(X86State *s, X86Stack *st, const X86Desc *d, uint16_t sel,
                   uint64_t sp, unsigned cpl);
void x86_stack_push(X86Stack *st, uint64_t v, unsigned size);
uint64_t x86_stack_pop(X86Stack *st, unsigned size);
void x86_stack_commit(X86Stack *st);

/* SS:ESP or RSP of level @cpl from the current TSS. */
void x86_tss_stack(X86State *s, unsigned cpl, uint16_t *ss, uint64_t *sp);
/* IST @n (1..7). */
uint64_t x86_tss_ist(X86State *s, unsigned n);

/* Flags that POPF and IRET may change at this privilege. */
uint32_t x86_flags_mask(const X86State *s, unsigned opsize);

/* task.c */
typedef enum { TASK_JMP, TASK_CALL, TASK_IRET, TASK_INT } X86TaskReason;
/* @sel names a TSS whose descriptor is @d; the old task goes on at @next_pc.
 * @error: pushed on the new stack. */
void x86_task_switch(X86State *s, uint16_t sel, X86Desc *d, X86TaskReason why,
                     uint64_t next_pc, bool has_error, uint32_t error);
/* Through a task gate whose high and low words are @d. */
void x86_task_gate(X86State *s, const X86Desc *d, X86TaskReason why, uint64_t next_pc,
                   bool has_error, uint32_t error);

#endif
