/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segment registers: loading with protection checks, the descriptor tables,
 * LAR and its kin, stacks as exception entry and far transfers use them, the
 * TSS's inner stacks and I/O bitmap, SYSCALL and SYSENTER.
 *
 * Sources: SDM vol. 2 (operation sections), vol. 3A chapters 3, 5, 7; APM
 * vol. 2 chapter 4.
 */
#include "util/osdep.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "util/log.h"

#define SEG_FLAT_DATA  (SEG_P | SEG_S | SEG_RW | SEG_ACCESSED | SEG_G | SEG_DB)
#define SEG_FLAT_CODE  (SEG_FLAT_DATA | SEG_CODE)

unsigned x86_mmu_mode(const X86State *s)
{
    if (s->smm) {
        return X86_MMU_SMM;
    }
    if (s->cpl == 3) {
        return X86_MMU_USER;
    }
    return (s->cr[4] & CR4_SMAP) && !(s->eflags & FL_AC) ? X86_MMU_KERNEL_SMAP : X86_MMU_KERNEL;
}

unsigned x86_mmu_system(const X86State *s)
{
    if (s->smm) {
        return X86_MMU_SMM;
    }
    return s->cr[4] & CR4_SMAP ? X86_MMU_KERNEL_SMAP : X86_MMU_KERNEL;
}

static unsigned mmu_of_level(const X86State *s, unsigned cpl)
{
    return s->smm ? X86_MMU_SMM : cpl == 3 ? X86_MMU_USER : x86_mmu_system(s);
}

/* ------------------------------------------------------------ descriptors */

bool x86_read_desc(X86State *s, uint16_t sel, X86Desc *d)
{
    uint32_t index = sel & ~7u;
    uint64_t base;
    uint32_t limit;

    if (sel & 4) {
        base = s->seg[S_LDT].base;
        limit = s->seg[S_LDT].limit;
        if (!(s->seg[S_LDT].flags & SEG_P)) {
            return false;
        }
    } else {
        base = s->gdt.base;
        limit = s->gdt.limit;
        if (!index) {
            return false;
        }
    }
    if (index + 7 > limit) {
        return false;
    }
    d->addr = x86_linear(s, base + index);
    d->lo = tcg_ldu32(&s->tcg, d->addr, x86_mmu_system(s));
    d->hi = tcg_ldu32(&s->tcg, x86_linear(s, d->addr + 4), x86_mmu_system(s));
    if (s->generation == X86_286) {
        d->hi &= 0xffff;                        /* 24 bits of base, 16 of limit */
    }
    return true;
}

bool x86_read_desc_high(X86State *s, uint16_t sel, const X86Desc *d, uint32_t *base_hi)
{
    uint32_t limit = sel & 4 ? s->seg[S_LDT].limit : s->gdt.limit;

    if ((sel & ~7u) + 15 > limit) {
        return false;
    }
    *base_hi = tcg_ldu32(&s->tcg, d->addr + 8, x86_mmu_system(s));
    return true;
}

void x86_mark_accessed(X86State *s, X86Desc *d)
{
    if (!(d->hi & SEG_ACCESSED)) {
        d->hi |= SEG_ACCESSED;
        tcg_stu16(&s->tcg, x86_linear(s, d->addr + 4), d->hi, x86_mmu_system(s));
    }
}

void x86_set_busy(X86State *s, const X86Desc *d, bool busy)
{
    uint64_t addr = x86_linear(s, d->addr + 4);
    uint32_t hi = tcg_ldu32(&s->tcg, addr, x86_mmu_system(s));

    hi = busy ? hi | SEG_RW : hi & ~SEG_RW;
    tcg_stu32(&s->tcg, addr, hi, x86_mmu_system(s));
}

void x86_cache_desc(X86Segment *seg, uint16_t sel, const X86Desc *d)
{
    seg->selector = sel;
    seg->base = x86_desc_base(d->lo, d->hi);
    seg->limit = x86_desc_limit(d->lo, d->hi);
    seg->flags = d->hi & 0x00f0ff00;
}

void x86_null_segment(X86State *s, int seg, uint16_t sel)
{
    s->seg[seg] = (X86Segment){ .selector = sel };
}

/* ----------------------------------------------------------- the mode word */

/* Writable data, expand-up, all 4 GiB. */
static bool spans_all(const X86Segment *seg)
{
    return seg->limit == UINT32_MAX &&
           (seg->flags & (SEG_P | SEG_S | SEG_CODE | SEG_DC | SEG_RW)) ==
               (SEG_P | SEG_S | SEG_RW);
}

static bool is_flat(const X86Segment *seg)
{
    return seg->base == 0 && spans_all(seg);
}

/* What loading data segments changes of it, outside 64-bit code. */
#define MW_DATA (MW_FLAT | MW_FSFLAT | MW_GSFLAT | MW_SS32)

static uint32_t data_mode(const X86State *s)
{
    uint32_t mw = 0;

    if (is_flat(&s->seg[S_DS]) && is_flat(&s->seg[S_ES]) && is_flat(&s->seg[S_SS])) {
        mw |= MW_FLAT;
    }
    mw |= spans_all(&s->seg[S_FS]) ? MW_FSFLAT : 0;
    /* 32-bit kernels leave a process's GS where it is, flat or null, and don't use it: it must not
     * make two modes of the same code. */
    mw |= (s->cpl == 3 || !(s->cr[0] & CR0_PE)) && spans_all(&s->seg[S_GS]) ? MW_GSFLAT : 0;
    mw |= s->seg[S_SS].flags & SEG_DB ? MW_SS32 : 0;
    return mw;
}

uint32_t x86_mode_word(const X86State *s)
{
    uint32_t cs = s->seg[S_CS].flags;
    uint32_t iopl = s->eflags >> 12 & 3;
    uint32_t mw = s->cpl;
    bool pe = s->cr[0] & CR0_PE, code64 = x86_code64(s);

    if (code64) {
        /* Whatever the descriptors say: a null SS, as an interrupt leaves it, is the same mode. */
        mw |= MW_CS64 | MW_CS32 | MW_CSFLAT | MW_DATA;
    } else {
        mw |= cs & SEG_DB ? MW_CS32 : 0;
        if (s->seg[S_CS].base == 0 && s->seg[S_CS].limit == UINT32_MAX &&
            (!pe || (s->eflags & FL_VM) || (cs & SEG_RW))) {
            mw |= MW_CSFLAT;
        }
        mw |= data_mode(s);
    }
    mw |= pe ? MW_PE : 0;
    mw |= s->eflags & FL_VM ? MW_VM : 0;
    mw |= x86_lma(s) ? MW_LMA : 0;
    mw |= s->eflags & FL_TF ? MW_TF : 0;
    mw |= s->cr[0] & CR0_TS ? MW_TS : 0;
    mw |= s->cr[0] & CR0_EM ? MW_EM : 0;
    mw |= s->cr[0] & CR0_MP ? MW_MP : 0;
    mw |= s->cr[4] & CR4_OSFXSR ? MW_OSFXSR : 0;
    mw |= (s->cr[4] & CR4_OSXSAVE) && (s->xcr0 & 6) == 6 ? MW_AVX : 0;
    mw |= s->smm ? MW_SMM : 0;
    mw |= s->cpl <= iopl ? MW_IOPL_OK : 0;
    mw |= s->cpl == 3 && (s->cr[0] & CR0_AM) && (s->eflags & FL_AC) ? MW_AC : 0;
    mw |= s->int_shadow ? MW_SHADOW : 0;
    mw |= (uint32_t)s->fpu_top << MW_TOP_SHIFT;
    mw |= s->fpu_fsw & ~s->fpu_fcw & 0x3f ? MW_FPU_EXC : 0;
    mw |= ~s->fpu_fcw & 0x3f ? MW_FPU_UNMASKED : 0;
    mw |= ~s->mxcsr & 0x1f80 ? MW_SSE_UNMASKED : 0;
    mw |= (s->cr[4] & CR4_TSD) && s->cpl ? MW_TSD_UMIP : 0;
    mw |= (s->cr[4] & CR4_UMIP) && s->cpl ? MW_UMIP : 0;
    mw |= (s->dr[7] & 0xff) && x86_has_breakpoints(s) ? MW_BP : 0;
    mw |= s->cpl < 3 && (s->cr[4] & CR4_SMAP) && !(s->eflags & FL_AC) ? MW_SMAP_AC : 0;
    return mw;
}

void x86_mode_sync(X86State *s)
{
    tcg_mode_changed(&s->tcg);          /* sees a new CS base as well */
}

void x86_set_cpl(X86State *s, unsigned cpl)
{
    s->cpl = cpl;
}

/* ------------------------------------------------------------- loading them */

/* Real and virtual-8086 mode (SDM 3A 20.1): the base is the selector's. In
 * real mode the limit stays what it was ("unreal" mode relies on it). */
void x86_set_segment_real(X86State *s, int seg, uint16_t selector)
{
    X86Segment *sg = &s->seg[seg];

    sg->selector = selector;
    sg->base = (uint32_t)selector << 4;
    if (s->eflags & FL_VM) {
        sg->limit = 0xffff;
        sg->flags = SEG_P | 3 << SEG_DPL_SHIFT | SEG_S | SEG_RW | SEG_ACCESSED;
    } else {
        sg->flags = (sg->flags & (SEG_DB | SEG_G)) | SEG_P | SEG_S | SEG_RW | SEG_ACCESSED;
    }
}

/* MOV, POP, LDS ... of ES, SS, DS, FS, GS (SDM vol. 2, MOV). */
static void load_protected(X86State *s, int seg, uint16_t sel)
{
    unsigned rpl = sel & 3, dpl;
    X86Desc d;

    if (!(sel & ~3u)) {
        if (seg == S_SS && !(x86_code64(s) && s->cpl < 3 && rpl == s->cpl)) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        x86_null_segment(s, seg, sel);
        return;
    }
    if (!x86_read_desc(s, sel, &d) || !(d.hi & SEG_S)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    dpl = desc_dpl(d.hi);
    if (seg == S_SS) {
        if (rpl != s->cpl || dpl != s->cpl || (d.hi & SEG_CODE) || !(d.hi & SEG_RW)) {
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
        if (!(d.hi & SEG_P)) {
            x86_raise_error(s, EXCP_SS, sel & ~3u);
        }
    } else {
        if ((d.hi & (SEG_CODE | SEG_RW)) == SEG_CODE) {     /* not readable */
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
        if ((d.hi & (SEG_CODE | SEG_DC)) != (SEG_CODE | SEG_DC) &&
            (rpl > dpl || s->cpl > dpl)) {
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
        if (!(d.hi & SEG_P)) {
            x86_raise_error(s, EXCP_NP, sel & ~3u);
        }
    }
    x86_mark_accessed(s, &d);
    x86_cache_desc(&s->seg[seg], sel, &d);
}

void x86_load_segment(X86State *s, int seg, uint16_t selector)
{
    if (x86_protected(s)) {
        load_protected(s, seg, selector);
    } else {
        x86_set_segment_real(s, seg, selector);
    }
    if (!x86_code64(s)) {
        s->tcg.mode_gen = (s->tcg.mode_gen & ~(uint64_t)MW_DATA) | data_mode(s);
    }
}

void x86_drop_segments(X86State *s, unsigned cpl)
{
    static const uint8_t data[] = { S_ES, S_DS, S_FS, S_GS };

    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        X86Segment *sg = &s->seg[data[i]];

        if ((sg->flags & (SEG_CODE | SEG_DC)) != (SEG_CODE | SEG_DC) &&
            desc_dpl(sg->flags) < cpl && (sg->flags & SEG_P)) {
            x86_null_segment(s, data[i], 0);
        }
    }
}

void x86_enter_code(X86State *s, uint16_t sel, const X86Desc *d, unsigned cpl, uint64_t pc)
{
    x86_cache_desc(&s->seg[S_CS], (sel & ~3u) | cpl, d);
    x86_set_cpl(s, cpl);
    s->tcg.pc = x86_code64(s) ? pc : (uint32_t)pc;
}

void x86_check_target(X86State *s, const X86Desc *d, uint64_t pc)
{
    if (x86_lma(s) && (d->hi & SEG_L)) {
        if (!x86_canonical(s, pc)) {
            x86_raise_error(s, EXCP_GP, 0);
        }
    } else if ((uint32_t)pc > x86_desc_limit(d->lo, d->hi)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

void x86_check_stack_seg(X86State *s, uint16_t sel, unsigned cpl, int vector, X86Desc *d)
{
    if (!(sel & ~3u)) {
        x86_raise_error(s, vector, vector == EXCP_TS ? sel & ~3u : 0);
    }
    if (!x86_read_desc(s, sel, d) || (sel & 3) != cpl || desc_dpl(d->hi) != cpl ||
        (d->hi & (SEG_S | SEG_CODE | SEG_RW)) != (SEG_S | SEG_RW)) {
        x86_raise_error(s, vector, sel & ~3u);
    }
    if (!(d->hi & SEG_P)) {
        x86_raise_error(s, EXCP_SS, sel & ~3u);
    }
    x86_mark_accessed(s, d);
}

/* ------------------------------------------------------------------- stacks */

void x86_stack_current(X86State *s, X86Stack *st)
{
    const X86Segment *ss = &s->seg[S_SS];

    st->s = s;
    st->sp = s->regs[R_SP];
    st->base = x86_code64(s) ? 0 : ss->base;
    st->mask = x86_code64(s) ? UINT64_MAX : ss->flags & SEG_DB ? UINT32_MAX : 0xffff;
    st->limit = ss->limit;
    st->flags = ss->flags;
    st->mmu = x86_mmu_mode(s);
    st->error = 0;
}

void x86_stack_new(X86State *s, X86Stack *st, const X86Desc *d, uint16_t sel, uint64_t sp,
                   unsigned cpl)
{
    st->s = s;
    st->sp = sp;
    st->mmu = mmu_of_level(s, cpl);
    if (d) {
        st->base = x86_desc_base(d->lo, d->hi);
        st->mask = d->hi & SEG_DB ? UINT32_MAX : 0xffff;
        st->limit = x86_desc_limit(d->lo, d->hi);
        st->flags = d->hi;
        st->error = sel & ~3u;
    } else {
        st->base = 0;
        st->mask = UINT64_MAX;
        st->limit = UINT32_MAX;
        st->flags = SEG_FLAT_DATA;
        st->error = 0;
    }
}

/* The 8086's segments have no end: what runs over it goes on at the beginning. */
static uint64_t wrapped(const X86Stack *st, uint64_t sp)
{
    return st->base + (sp & 0xffff);
}

static uint64_t stack_address(const X86Stack *st, uint64_t sp, unsigned size)
{
    uint64_t off = sp & st->mask;
    /* The 286 says in real mode that it is the segment (as chips have been seen to). */
    int vector = st->s->generation == X86_286 && !(st->s->cr[0] & CR0_PE) ? EXCP_GP : EXCP_SS;

    if (st->mask == UINT64_MAX) {
        if (!x86_canonical(st->s, off) || !x86_canonical(st->s, off + size - 1)) {
            x86_raise_error(st->s, EXCP_SS, 0);
        }
        return off;
    }
    if ((st->flags & (SEG_CODE | SEG_DC)) == SEG_DC) {      /* expand-down */
        uint64_t top = st->flags & SEG_DB ? UINT32_MAX : 0xffff;

        if (off <= st->limit || off + size - 1 > top) {
            x86_raise_error(st->s, EXCP_SS, st->error);
        }
    } else if (off + size - 1 > st->limit) {
        x86_raise_error(st->s, vector, st->error);
    }
    return (uint32_t)(st->base + off);
}

void x86_stack_push(X86Stack *st, uint64_t v, unsigned size)
{
    uint64_t sp = st->sp - size, addr;

    if (unlikely(st->s->generation == X86_8086)) {
        tcg_stu8(&st->s->tcg, wrapped(st, sp), v, st->mmu);
        tcg_stu8(&st->s->tcg, wrapped(st, sp + 1), v >> 8, st->mmu);
        st->sp = sp;
        return;
    }
    addr = stack_address(st, sp, size);
    switch (size) {
    case 2:
        tcg_stu16(&st->s->tcg, addr, v, st->mmu);
        break;
    case 4:
        tcg_stu32(&st->s->tcg, addr, v, st->mmu);
        break;
    default:
        tcg_stu64(&st->s->tcg, addr, v, st->mmu);
        break;
    }
    st->sp = sp;
}

uint64_t x86_stack_pop(X86Stack *st, unsigned size)
{
    uint64_t addr;

    if (unlikely(st->s->generation == X86_8086)) {
        st->sp += 2;
        return tcg_ldu8(&st->s->tcg, wrapped(st, st->sp - 2), st->mmu) |
               tcg_ldu8(&st->s->tcg, wrapped(st, st->sp - 1), st->mmu) << 8;
    }
    addr = stack_address(st, st->sp, size);
    st->sp += size;
    switch (size) {
    case 2:
        return tcg_ldu16(&st->s->tcg, addr, st->mmu);
    case 4:
        return tcg_ldu32(&st->s->tcg, addr, st->mmu);
    default:
        return tcg_ldu64(&st->s->tcg, addr, st->mmu);
    }
}

/* Of a 16-bit stack only SP changes; ESP's write clears the upper half. */
void x86_stack_commit(X86Stack *st)
{
    uint64_t *rsp = &st->s->regs[R_SP];

    if (st->mask == 0xffff) {
        *rsp = (*rsp & ~UINT64_C(0xffff)) | (st->sp & 0xffff);
    } else {
        *rsp = st->sp & st->mask;
    }
}

/* ---------------------------------------------------------- task state segment */

static uint64_t tss_load(X86State *s, uint32_t offset, unsigned size)
{
    uint64_t addr = x86_linear(s, s->seg[S_TR].base + offset);
    unsigned mmu = x86_mmu_system(s);

    if (offset + size - 1 > s->seg[S_TR].limit) {
        x86_raise_error(s, EXCP_TS, s->seg[S_TR].selector & ~3u);
    }
    return size == 2 ? tcg_ldu16(&s->tcg, addr, mmu) :
           size == 4 ? tcg_ldu32(&s->tcg, addr, mmu) : tcg_ldu64(&s->tcg, addr, mmu);
}

/* SDM 3A figures 7-2, 7-10 and 7-11. */
void x86_tss_stack(X86State *s, unsigned cpl, uint16_t *ss, uint64_t *sp)
{
    if (x86_lma(s)) {
        *ss = cpl;
        *sp = tss_load(s, 4 + cpl * 8, 8);
        if (!x86_canonical(s, *sp)) {
            x86_raise_error(s, EXCP_SS, 0);
        }
    } else if (desc_type(s->seg[S_TR].flags) & 8) {
        *sp = tss_load(s, 4 + cpl * 8, 4);
        *ss = tss_load(s, 8 + cpl * 8, 2);
    } else {
        *sp = tss_load(s, 2 + cpl * 4, 2);
        *ss = tss_load(s, 4 + cpl * 4, 2);
    }
}

uint64_t x86_tss_ist(X86State *s, unsigned n)
{
    uint64_t sp = tss_load(s, 0x24 + (n - 1) * 8, 8);

    if (!x86_canonical(s, sp)) {
        x86_raise_error(s, EXCP_SS, 0);
    }
    return sp;
}

/* SDM vol. 1, 19.5.2. */
void x86_check_io(X86State *s, uint16_t port, unsigned size)
{
    const X86Segment *tr = &s->seg[S_TR];
    uint32_t map, bits;

    if (!(s->cr[0] & CR0_PE) ||
        (!(s->eflags & FL_VM) && s->cpl <= (s->eflags >> 12 & 3))) {
        return;
    }
    if (!(tr->flags & SEG_P) || !(desc_type(tr->flags) & 8) || tr->limit < 0x67) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    map = tcg_ldu16(&s->tcg, x86_linear(s, tr->base + 0x66), x86_mmu_system(s)) + port / 8;
    if (map + 1 > tr->limit) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    bits = tcg_ldu16(&s->tcg, x86_linear(s, tr->base + map), x86_mmu_system(s));
    if (bits >> (port & 7) & ((1u << size) - 1)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}

/* ------------------------------------------------ LAR, LSL, VERR, VERW, LLDT, LTR */

/* A descriptor that LAR and its kin may look at. */
static bool visible_desc(X86State *s, uint16_t sel, X86Desc *d)
{
    unsigned dpl;

    if (!(sel & ~3u) || !x86_read_desc(s, sel, d)) {
        return false;
    }
    dpl = desc_dpl(d->hi);
    if (desc_is_code(d->hi) && desc_is_conforming(d->hi)) {
        return true;
    }
    return dpl >= s->cpl && dpl >= (sel & 3u);
}

uint32_t x86_lar(X86State *s, uint16_t sel, bool *ok)
{
    X86Desc d;

    *ok = false;
    if (!visible_desc(s, sel, &d)) {
        return 0;
    }
    if (!(d.hi & SEG_S)) {
        static const uint16_t legacy = BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(9) |
                                       BIT(11) | BIT(12);
        static const uint16_t longm = BIT(2) | BIT(9) | BIT(11) | BIT(12);

        if (!((x86_lma(s) ? longm : legacy) >> desc_type(d.hi) & 1)) {
            return 0;
        }
    }
    *ok = true;
    return d.hi & 0x00f0ff00;
}

uint32_t x86_lsl(X86State *s, uint16_t sel, bool *ok)
{
    X86Desc d;

    *ok = false;
    if (!visible_desc(s, sel, &d)) {
        return 0;
    }
    if (!(d.hi & SEG_S)) {
        static const uint16_t legacy = BIT(1) | BIT(2) | BIT(3) | BIT(9) | BIT(11);
        static const uint16_t longm = BIT(2) | BIT(9) | BIT(11);

        if (!((x86_lma(s) ? longm : legacy) >> desc_type(d.hi) & 1)) {
            return 0;
        }
    }
    *ok = true;
    return x86_desc_limit(d.lo, d.hi);
}

bool x86_verr(X86State *s, uint16_t sel)
{
    X86Desc d;

    return visible_desc(s, sel, &d) && (d.hi & SEG_S) &&
           (!(d.hi & SEG_CODE) || (d.hi & SEG_RW));
}

bool x86_verw(X86State *s, uint16_t sel)
{
    X86Desc d;

    return visible_desc(s, sel, &d) &&
           (d.hi & (SEG_S | SEG_CODE | SEG_RW)) == (SEG_S | SEG_RW);
}

/* Bases of system descriptors have 64 bits in long mode. */
static uint64_t system_base(X86State *s, uint16_t sel, const X86Desc *d)
{
    uint64_t base = x86_desc_base(d->lo, d->hi);

    if (x86_lma(s)) {
        uint32_t hi;

        if (!x86_read_desc_high(s, sel, d, &hi)) {
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
        base |= (uint64_t)hi << 32;
        if (!x86_canonical(s, base)) {
            x86_raise_error(s, EXCP_GP, sel & ~3u);
        }
    }
    return base;
}

void x86_lldt(X86State *s, uint16_t sel)
{
    X86Desc d;
    uint64_t base;

    if (!(sel & ~3u)) {
        x86_null_segment(s, S_LDT, sel);
        return;
    }
    if ((sel & 4) || !x86_read_desc(s, sel, &d) || (d.hi & SEG_S) ||
        desc_type(d.hi) != SYS_LDT) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    base = system_base(s, sel, &d);
    x86_cache_desc(&s->seg[S_LDT], sel, &d);
    s->seg[S_LDT].base = base;
}

void x86_ltr(X86State *s, uint16_t sel)
{
    X86Desc d;
    uint64_t base;
    unsigned type;

    if (!(sel & ~3u)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if ((sel & 4) || !x86_read_desc(s, sel, &d) || (d.hi & SEG_S)) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    type = desc_type(d.hi);
    if (type != SYS_TSS32 && (type != SYS_TSS16 || x86_lma(s))) {
        x86_raise_error(s, EXCP_GP, sel & ~3u);
    }
    if (!(d.hi & SEG_P)) {
        x86_raise_error(s, EXCP_NP, sel & ~3u);
    }
    base = system_base(s, sel, &d);
    x86_set_busy(s, &d, true);
    d.hi |= SEG_RW;
    x86_cache_desc(&s->seg[S_TR], sel, &d);
    s->seg[S_TR].base = base;
}

/* --------------------------------------------------- SYSCALL, SYSENTER, SWAPGS */

static void set_flat(X86State *s, int seg, uint16_t sel, uint32_t flags, unsigned dpl)
{
    s->seg[seg] = (X86Segment){
        .selector = sel, .base = 0, .limit = UINT32_MAX,
        .flags = flags | dpl << SEG_DPL_SHIFT,
    };
}

/* APM vol. 3, SYSCALL. */
void x86_syscall(X86State *s, uint64_t next_pc)
{
    uint16_t sel = s->star >> 32 & 0xfffc;
    uint32_t flags;

    if (!(s->efer & EFER_SCE) || !(s->cr[0] & CR0_PE)) {
        x86_raise(s, EXCP_UD);
    }
    flags = x86_get_eflags(s);
    if (x86_lma(s)) {
        bool from64 = x86_code64(s);

        s->regs[R_CX] = next_pc;
        s->regs[R_11] = flags & ~(uint32_t)FL_RF;
        set_flat(s, S_CS, sel, (SEG_FLAT_CODE & ~SEG_DB) | SEG_L, 0);
        set_flat(s, S_SS, sel + 8, SEG_FLAT_DATA, 0);
        x86_set_eflags(s, flags & ~((uint32_t)s->fmask | FL_RF));
        s->tcg.pc = from64 ? s->lstar : s->cstar;
    } else {
        s->regs[R_CX] = (uint32_t)next_pc;
        set_flat(s, S_CS, sel, SEG_FLAT_CODE, 0);
        set_flat(s, S_SS, sel + 8, SEG_FLAT_DATA, 0);
        x86_set_eflags(s, flags & ~(uint32_t)(FL_IF | FL_VM | FL_RF));
        s->tcg.pc = (uint32_t)s->star;
    }
    x86_set_cpl(s, 0);
    x86_mode_sync(s);
}

/* APM vol. 3, SYSRET: @opsize 8 returns to 64-bit code. */
void x86_sysret(X86State *s, unsigned opsize)
{
    uint16_t sel = s->star >> 48;

    if (!(s->efer & EFER_SCE) || !(s->cr[0] & CR0_PE)) {
        x86_raise(s, EXCP_UD);
    }
    if (s->cpl != 0) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (x86_lma(s)) {
        if (opsize == 8) {
            if (!x86_canonical(s, s->regs[R_CX])) {
                x86_raise_error(s, EXCP_GP, 0);
            }
            set_flat(s, S_CS, (sel + 16) | 3, (SEG_FLAT_CODE & ~SEG_DB) | SEG_L, 3);
            s->tcg.pc = s->regs[R_CX];
        } else {
            set_flat(s, S_CS, sel | 3, SEG_FLAT_CODE, 3);
            s->tcg.pc = (uint32_t)s->regs[R_CX];
        }
        x86_set_eflags(s, (s->regs[R_11] & 0x3c7fd7) | FL_1);
    } else {
        set_flat(s, S_CS, sel | 3, SEG_FLAT_CODE, 3);
        s->tcg.pc = (uint32_t)s->regs[R_CX];
        x86_set_eflags(s, x86_get_eflags(s) | FL_IF);
    }
    set_flat(s, S_SS, (sel + 8) | 3, SEG_FLAT_DATA, 3);
    x86_set_cpl(s, 3);
    x86_mode_sync(s);
}

/* SDM vol. 2, SYSENTER. */
void x86_sysenter(X86State *s)
{
    uint16_t sel = s->sysenter_cs & 0xfffc;
    bool lm = x86_lma(s);

    if (!(s->cr[0] & CR0_PE) || !sel) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    x86_set_eflags(s, x86_get_eflags(s) & ~(uint32_t)(FL_VM | FL_IF | FL_RF));
    set_flat(s, S_CS, sel, lm ? (SEG_FLAT_CODE & ~SEG_DB) | SEG_L : SEG_FLAT_CODE, 0);
    set_flat(s, S_SS, sel + 8, SEG_FLAT_DATA, 0);
    s->regs[R_SP] = lm ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
    s->tcg.pc = lm ? s->sysenter_eip : (uint32_t)s->sysenter_eip;
    x86_set_cpl(s, 0);
    x86_mode_sync(s);
}

void x86_sysexit(X86State *s, unsigned opsize)
{
    uint16_t sel = s->sysenter_cs & 0xfffc;

    if (!(s->cr[0] & CR0_PE) || !sel || s->cpl != 0) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (opsize == 8) {
        if (!x86_canonical(s, s->regs[R_CX]) || !x86_canonical(s, s->regs[R_DX])) {
            x86_raise_error(s, EXCP_GP, 0);
        }
        set_flat(s, S_CS, (sel + 32) | 3, (SEG_FLAT_CODE & ~SEG_DB) | SEG_L, 3);
        set_flat(s, S_SS, (sel + 40) | 3, SEG_FLAT_DATA, 3);
        s->regs[R_SP] = s->regs[R_CX];
        s->tcg.pc = s->regs[R_DX];
    } else {
        set_flat(s, S_CS, (sel + 16) | 3, SEG_FLAT_CODE, 3);
        set_flat(s, S_SS, (sel + 24) | 3, SEG_FLAT_DATA, 3);
        s->regs[R_SP] = (uint32_t)s->regs[R_CX];
        s->tcg.pc = (uint32_t)s->regs[R_DX];
    }
    x86_set_cpl(s, 3);
    x86_mode_sync(s);
}

void x86_swapgs(X86State *s)
{
    uint64_t base = s->seg[S_GS].base;

    s->seg[S_GS].base = s->kernel_gs_base;
    s->kernel_gs_base = base;
}
