/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What generated code calls for integer and system instructions. Each helper is a
 * function and the IrHelper that describes it to the translator.
 */
#include "util/osdep.h"
#include "memory/guest-ram.h"
#include "target/i386/cpu.h"
#include "target/i386/seg.h"
#include "target/i386/translate.h"
#include "util/guest-random.h"
#include "util/host-utils.h"

#define HELPER(name, sig, flags) \
    extern const IrHelper x86_h_##name; \
    const IrHelper x86_h_##name = { #name, (void *)h_##name, sig, flags, 0, 0 };
#define HELPER_RW(name, sig, flags, reads, writes) \
    extern const IrHelper x86_h_##name; \
    const IrHelper x86_h_##name = { #name, (void *)h_##name, sig, flags, reads, writes };
#define G(n) BIT64(G_##n)
#define BASES (G(ES_BASE) | G(CS_BASE) | G(SS_BASE) | G(DS_BASE) | G(FS_BASE) | G(GS_BASE))
/* Far transfers and the like: everything may be read and changed. */
#define ALL (IR_H_READS | IR_H_WRITES | IR_H_RAISES)

/* --------------------------------------------------------------- exceptions */

static void h_raise(X86State *s, uint32_t vector)
{
    if (vector == X86_RETRY_ALONE) {
        tcg_retry_alone(&s->tcg);
    }
    x86_raise(s, vector);
}
HELPER(raise, "v:el", IR_H_RAISES | IR_H_NORETURN)

static void h_raise_code(X86State *s, uint32_t vector, uint32_t error)
{
    x86_raise_error(s, vector, error);
}
HELPER(raise_code, "v:ell", IR_H_RAISES | IR_H_NORETURN)

/* After an instruction with TF set: PC is that of the next. */
static void h_step(X86State *s)
{
    uint64_t pc = s->tcg.pc;

    tcg_sync_state(&s->tcg);
    s->tcg.pc = pc;
    s->tcg.jit_ra = NULL;
    x86_queue_debug(s, 0x4000);
    tcg_raise(&s->tcg);
}
HELPER(step, "v:e", ALL)

static void h_soft_int(X86State *s, uint32_t vector, uint32_t len)
{
    x86_raise_soft(s, vector, len);
}
HELPER(soft_int, "v:ell", IR_H_RAISES | IR_H_NORETURN)

static void h_into(X86State *s, uint32_t of, uint32_t len)
{
    if (of) {
        x86_raise_soft(s, EXCP_OF, len);
    }
}
HELPER(into, "v:ell", IR_H_RAISES)

static void h_int1(X86State *s, uint32_t len)
{
    x86_raise_int1(s, len);
}
HELPER(int1, "v:el", IR_H_RAISES | IR_H_NORETURN)

/* The instruction's last byte lay beyond the limit when it was translated. */
static void h_cs_limit(X86State *s, uint32_t len)
{
    uint64_t limit = s->seg[S_CS].limit;

    tcg_sync_state(&s->tcg);
    if ((uint32_t)s->tcg.pc + (uint64_t)len - 1 > limit) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}
HELPER(cs_limit, "v:el", IR_H_RAISES)

/* Protected mode, a segment that isn't flat (SDM vol. 3A, 5.3 and 5.5). */
void x86_seg_check(X86State *s, unsigned n, uint64_t off, unsigned bytes, bool write)
{
    bool ok;
    const X86Segment *seg = &s->seg[n];
    uint32_t f = seg->flags;
    uint64_t last = off + bytes - 1;

    ok = (f & SEG_P) && (f & SEG_S) &&
         (write ? (f & (SEG_CODE | SEG_RW)) == SEG_RW : !(f & SEG_CODE) || (f & SEG_RW));
    if (ok && (f & (SEG_CODE | SEG_DC)) == SEG_DC) {
        ok = off > seg->limit && last <= (f & SEG_DB ? UINT32_MAX : 0xffff);
    } else if (ok) {
        ok = last <= seg->limit;
    }
    if (!ok) {
        x86_raise_error(s, n == S_SS ? EXCP_SS : EXCP_GP, 0);
    }
}

static void h_seg_check(X86State *s, uint64_t off, uint32_t info)
{
    x86_seg_check(s, info & 0xff, off, info >> 8 & 0xff, info >> 16 & 1);
}
HELPER(seg_check, "v:eql", IR_H_RAISES)

/* --------------------------------------------------------------- arithmetic */

static void h_idiv64(X86State *s, uint64_t d)
{
    uint64_t lo = s->regs[R_AX], hi = s->regs[R_DX];

    /* A compiler's CQO; IDIV: 64 bits by 64. */
    if (hi == (uint64_t)((int64_t)lo >> 63) && d + 1 > 1) {
        s->regs[R_AX] = (int64_t)lo / (int64_t)d;
        s->regs[R_DX] = (int64_t)lo % (int64_t)d;
        return;
    }
    if (!divs128(&lo, &hi, d)) {
        x86_raise(s, EXCP_DE);
    }
    s->regs[R_AX] = lo;
    s->regs[R_DX] = hi;
}
HELPER_RW(idiv64, "v:eq", IR_H_RAISES, G(RAX) | G(RDX), G(RAX) | G(RDX))

/* AX and flags in, AX | flags << 16 out (SDM vol. 2, DAA, DAS, AAA, AAS). */
static uint32_t szp(uint8_t v)
{
    return (v == 0 ? FL_ZF : 0) | (v & 0x80 ? FL_SF : 0) | (parity64(v) ? 0 : FL_PF);
}

static uint32_t decimal(uint32_t ax, uint32_t f, bool sub)
{
    uint8_t old = ax, al = ax;
    bool cf = f & FL_CF, af = f & FL_AF, new_cf = false;

    if ((old & 0xf) > 9 || af) {
        new_cf = cf || (sub ? old < 6 : old > 0xf9);
        al += sub ? -6 : 6;
        af = true;
    }
    if (old > 0x99 || cf) {
        al += sub ? -0x60 : 0x60;
        new_cf = true;
    }
    f = szp(al) | (new_cf ? FL_CF : 0) | (af ? FL_AF : 0);
    return (ax & 0xff00) | al | f << 16;
}

static uint32_t ascii(uint32_t ax, uint32_t f, bool sub)
{
    bool adjust = (ax & 0xf) > 9 || (f & FL_AF);

    if (adjust) {
        ax = sub ? ax - 0x106 : ax + 0x106;
    }
    ax &= 0xff0f;
    f = szp(ax) | (adjust ? FL_CF | FL_AF : 0);
    return ax | f << 16;
}

static uint32_t h_daa(uint32_t ax, uint32_t f) { return decimal(ax, f, false); }
static uint32_t h_das(uint32_t ax, uint32_t f) { return decimal(ax, f, true); }
static uint32_t h_aaa(uint32_t ax, uint32_t f) { return ascii(ax, f, false); }
static uint32_t h_aas(uint32_t ax, uint32_t f) { return ascii(ax, f, true); }
HELPER(daa, "l:ll", IR_H_PURE)
HELPER(das, "l:ll", IR_H_PURE)
HELPER(aaa, "l:ll", IR_H_PURE)
HELPER(aas, "l:ll", IR_H_PURE)

/* RCL, RCR: @n places through the carry; @info: width | right << 8. *cf in, out. */
static uint64_t rotate_carry(uint64_t a, unsigned n, unsigned *cf, uint32_t info)
{
    unsigned width = info & 0xff;
    uint64_t mask = MASK64(0, width);

    a &= mask;
    n %= width + 1;
    for (; n; n--) {
        unsigned out;

        if (info >> 8) {
            out = a & 1;
            a = a >> 1 | (uint64_t)*cf << (width - 1);
        } else {
            out = a >> (width - 1) & 1;
            a = (a << 1 | *cf) & mask;
        }
        *cf = out;
    }
    return a;
}

static uint64_t h_rc(uint64_t a, uint32_t n, uint32_t cf, uint32_t info)
{
    return rotate_carry(a, n, &cf, info);
}
HELPER(rc, "q:qlll", IR_H_PURE)

static uint32_t h_rc_flags(uint64_t a, uint32_t n, uint32_t cf, uint32_t info)
{
    unsigned top = (info & 0xff) - 1;
    uint64_t r = rotate_carry(a, n, &cf, info);
    uint32_t of = info >> 8 ? (r >> top ^ r >> (top - 1)) & 1 : (r >> top & 1) ^ cf;

    return cf | (of ? FL_OF : 0);
}
HELPER(rc_flags, "l:qlll", IR_H_PURE)

/* CRC-32C, reflected polynomial 0x82f63b78 (SDM vol. 2, CRC32). */
static uint32_t h_crc32(uint32_t crc, uint64_t v, uint32_t bytes)
{
    for (unsigned k = 0; k < bytes * 8; k++) {
        uint32_t bit = (crc ^ (uint32_t)(v >> k)) & 1;

        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    return crc;
}
HELPER(crc32, "l:lql", IR_H_PURE)

static uint32_t h_cmpxchg16b(X86State *s, uint64_t addr)
{
    unsigned mmu = x86_mmu_mode(s), n = 16;
    uint64_t *p = tcg_host_ptr(&s->tcg, addr, &n, true, mmu);
    uint64_t lo = s->regs[R_AX], hi = s->regs[R_DX];
    uint64_t new_lo = s->regs[R_BX], new_hi = s->regs[R_CX];
    bool equal;

    if (p && n >= 16) {
#ifdef __x86_64__
        __asm__ volatile("lock cmpxchg16b %1"
                         : "=@ccz"(equal), "+m"(*(unsigned __int128 *)p), "+a"(lo), "+d"(hi)
                         : "b"(new_lo), "c"(new_hi) : "memory");
#else
        /* Not atomic against other virtual CPUs on these hosts. */
        uint64_t a = p[0], b = p[1];

        equal = a == lo && b == hi;
        p[0] = equal ? new_lo : a;
        p[1] = equal ? new_hi : b;
        lo = a;
        hi = b;
#endif
    } else {
        uint64_t a, b;

        tcg_probe(&s->tcg, addr, 16, true, mmu);
        a = tcg_ldu64(&s->tcg, addr, mmu);
        b = tcg_ldu64(&s->tcg, addr + 8, mmu);
        equal = a == lo && b == hi;
        tcg_stu64(&s->tcg, addr, equal ? new_lo : a, mmu);
        tcg_stu64(&s->tcg, addr + 8, equal ? new_hi : b, mmu);
        lo = a;
        hi = b;
    }
    if (!equal) {
        s->regs[R_AX] = lo;
        s->regs[R_DX] = hi;
    }
    return equal;
}
HELPER_RW(cmpxchg16b, "l:eq", IR_H_RAISES, G(RAX) | G(RBX) | G(RCX) | G(RDX), G(RAX) | G(RDX))

/* ------------------------------------------------------------------ strings */

static uint64_t get_masked(const X86State *s, unsigned reg, unsigned adsize)
{
    return s->regs[reg] & MASK64(0, adsize * 8);
}

static void put_masked(X86State *s, unsigned reg, unsigned adsize, uint64_t v)
{
    if (adsize == 2) {
        s->regs[reg] = (s->regs[reg] & ~UINT64_C(0xffff)) | (v & 0xffff);
    } else {
        s->regs[reg] = v & MASK64(0, adsize * 8);
    }
}

/* Bytes from @off on, at most @want, before the address size wraps. */
static uint64_t no_wrap(uint64_t off, unsigned adsize, uint64_t want)
{
    uint64_t room = MASK64(0, adsize * 8) - off;        /* less one */

    return want - 1 > room ? room + 1 : want;
}

static uint64_t load_element(X86State *s, uint64_t addr, unsigned size, unsigned mmu)
{
    return size == 1 ? tcg_ldu8(&s->tcg, addr, mmu) : size == 2 ? tcg_ldu16(&s->tcg, addr, mmu) :
           size == 4 ? tcg_ldu32(&s->tcg, addr, mmu) : tcg_ldu64(&s->tcg, addr, mmu);
}

static void store_element(X86State *s, uint64_t addr, uint64_t v, unsigned size, unsigned mmu)
{
    switch (size) {
    case 1: tcg_stu8(&s->tcg, addr, v, mmu); break;
    case 2: tcg_stu16(&s->tcg, addr, v, mmu); break;
    case 4: tcg_stu32(&s->tcg, addr, v, mmu); break;
    default: tcg_stu64(&s->tcg, addr, v, mmu); break;
    }
}

static void copy_up(uint8_t *d, const uint8_t *s, unsigned bytes, unsigned size)
{
    if (d <= s || d >= s + bytes) {
        ram_copy(d, s, bytes);
        return;
    }
    /* Overlapping upwards: what was stored is read again. */
    for (unsigned k = 0; k < bytes; k += size) {
        ram_copy(d + k, s + k, size);
    }
}

/* @info: element size | address size << 8 | memory operation word << 16. A round of
 * at least one element; RCX isn't 0. Faults come before anything is changed. */
static void h_rep_movs(X86State *s, uint32_t info, uint64_t src_base)
{
    unsigned size = info & 0xff, ad = info >> 8 & 0xff, shift = (unsigned)ctz32(size);
    unsigned mmu = (info >> 16 & IR_MO_MMU) >> IR_MO_MMU_SHIFT;
    uint64_t n = get_masked(s, R_CX, ad), src = get_masked(s, R_SI, ad);
    uint64_t dst = get_masked(s, R_DI, ad), done = 1;

    if ((int64_t)s->df > 0) {
        uint64_t want = MIN(n, UINT64_C(4096)) * size;
        unsigned in, out;
        uint8_t *from, *to;

        want = no_wrap(dst, ad, no_wrap(src, ad, want));
        in = want;
        from = tcg_host_ptr(&s->tcg, src_base + src, &in, false, mmu);
        if (from && in >= size) {
            out = in >> shift << shift;
            to = tcg_host_ptr(&s->tcg, dst, &out, true, mmu);
            if (to && out >= size) {
                done = out >> shift;
                copy_up(to, from, done << shift, size);
                goto advance;
            }
        }
    }
    store_element(s, dst, load_element(s, src_base + src, size, mmu), size, mmu);
advance:
    put_masked(s, R_SI, ad, src + s->df * done * size);
    put_masked(s, R_DI, ad, dst + s->df * done * size);
    put_masked(s, R_CX, ad, n - done);
}
HELPER_RW(rep_movs, "v:elq", IR_H_RAISES, G(RCX) | G(RSI) | G(RDI) | G(DF),
          G(RCX) | G(RSI) | G(RDI))

static void fill(uint8_t *to, uint64_t v, unsigned size, uint64_t n)
{
    uint8_t le[8];
    uint64_t k = size;

    for (unsigned b = 0; b < 8; b++) {
        le[b] = v >> (8 * b);
    }
    if (size == 1 || !memcmp(le, le + 1, size - 1)) {
        ram_fill(to, le[0], n * size);
        return;
    }
    ram_copy(to, le, size);
    for (n *= size; k < n; k *= 2) {
        ram_copy(to + k, to, MIN(k, n - k));
    }
}

static void h_rep_stos(X86State *s, uint32_t info)
{
    unsigned size = info & 0xff, ad = info >> 8 & 0xff;
    unsigned mmu = (info >> 16 & IR_MO_MMU) >> IR_MO_MMU_SHIFT;
    uint64_t n = get_masked(s, R_CX, ad), dst = get_masked(s, R_DI, ad), v = s->regs[R_AX];
    uint64_t done = 1;

    if ((int64_t)s->df > 0) {
        unsigned out = no_wrap(dst, ad, MIN(n, UINT64_C(4096)) * size);
        uint8_t *to = tcg_host_ptr(&s->tcg, dst, &out, true, mmu);

        if (to && out >= size) {
            done = out / size;
            fill(to, v, size, done);
            goto advance;
        }
    }
    store_element(s, dst, v, size, mmu);
advance:
    put_masked(s, R_DI, ad, dst + s->df * done * size);
    put_masked(s, R_CX, ad, n - done);
}
HELPER_RW(rep_stos, "v:el", IR_H_RAISES, G(RAX) | G(RCX) | G(RDI) | G(DF), G(RCX) | G(RDI))

/* ----------------------------------------------------------------- port I/O */

static void h_check_io(X86State *s, uint32_t port, uint32_t size)
{
    x86_check_io(s, port, size);
}
HELPER(check_io, "v:ell", IR_H_RAISES)

static uint32_t h_in(X86State *s, uint32_t port, uint32_t size)
{
    uint8_t b[4] = { 0xff, 0xff, 0xff, 0xff };

    tcg_io_alone(&s->tcg);
    address_space_read(&address_space_io, port, (MemAttrs){ 0 }, b, size);
    return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}
HELPER(in, "l:ell", IR_H_RAISES)

static void h_out(X86State *s, uint32_t port, uint32_t v, uint32_t size)
{
    uint8_t b[4] = { v, v >> 8, v >> 16, v >> 24 };

    tcg_io_alone(&s->tcg);
    address_space_write(&address_space_io, port, (MemAttrs){ 0 }, b, size);
}
HELPER(out, "v:elll", IR_H_RAISES)

/* -------------------------------------------------- segments, far transfers */

static bool interrupt_waits(const X86State *s)
{
    const CPUState *cpu = s->tcg.cpu;

    return cpu && cpu->interrupt_request;
}

/* What this instruction has let in is taken at the next region's entry. */
static void let_interrupts_in(X86State *s)
{
    if (interrupt_waits(s)) {
        __atomic_store_n(&s->tcg.exit_request, 1, __ATOMIC_SEQ_CST);
    }
}


/* Gives the mode word; the shadow of SS isn't in TcgEnv.mode_gen yet. */
static uint32_t h_load_seg(X86State *s, uint32_t seg, uint32_t sel)
{
    x86_load_segment(s, seg, sel);
    if (seg == S_SS) {
        s->int_shadow = true;
        return x86_mode_word(s);
    }
    return (uint32_t)s->tcg.mode_gen;
}
HELPER_RW(load_seg, "l:ell", IR_H_RAISES, BASES, BASES)

static void h_far_jump(X86State *s, uint32_t sel, uint64_t off, uint32_t opsize, uint64_t next)
{
    x86_far_jump(s, sel, off, opsize, next);
}
HELPER(far_jump, "v:elqlq", ALL)

static void h_far_call(X86State *s, uint32_t sel, uint64_t off, uint32_t opsize, uint64_t next)
{
    x86_far_call(s, sel, off, opsize, next);
}
HELPER(far_call, "v:elqlq", ALL)

static void h_far_ret(X86State *s, uint32_t opsize, uint32_t imm)
{
    x86_far_ret(s, opsize, imm);
}
HELPER(far_ret, "v:ell", ALL)

static void h_iret(X86State *s, uint32_t opsize, uint64_t next)
{
    x86_iret(s, opsize, next);
    s->nmi_masked = false;
    let_interrupts_in(s);
}
HELPER(iret, "v:elq", ALL)

static void h_syscall(X86State *s, uint64_t next) { x86_syscall(s, next); }
HELPER(syscall, "v:eq", ALL)
static void h_sysret(X86State *s, uint32_t opsize)
{
    x86_sysret(s, opsize);
    let_interrupts_in(s);
}
HELPER(sysret, "v:el", ALL)
static void h_sysenter(X86State *s) { x86_sysenter(s); }
HELPER(sysenter, "v:e", ALL)
static void h_sysexit(X86State *s, uint32_t opsize) { x86_sysexit(s, opsize); }
HELPER(sysexit, "v:el", ALL)
static void h_rsm(X86State *s) { x86_rsm(s); }
HELPER(rsm, "v:e", ALL)
static void h_hlt(X86State *s, uint64_t next) { x86_hlt(s, next); }
HELPER(hlt, "v:eq", ALL)

static void h_lldt(X86State *s, uint32_t sel) { x86_lldt(s, sel); }
HELPER(lldt, "v:el", ALL)
static void h_ltr(X86State *s, uint32_t sel) { x86_ltr(s, sel); }
HELPER(ltr, "v:el", ALL)

static uint32_t h_ver(X86State *s, uint32_t sel, uint32_t write)
{
    return write ? x86_verw(s, sel) : x86_verr(s, sel);
}
HELPER(ver, "l:ell", IR_H_RAISES)

/* The value, bit 32: it is one. */
static uint64_t h_lar_lsl(X86State *s, uint32_t sel, uint32_t lsl)
{
    bool ok = false;
    uint32_t v = lsl ? x86_lsl(s, sel, &ok) : x86_lar(s, sel, &ok);

    return v | (uint64_t)ok << 32;
}
HELPER(lar_lsl, "q:ell", IR_H_RAISES)

/* -------------------------------------------------------------------- flags */

/* Gives the mode word, or something else if an interrupt could be taken. */
static uint32_t h_popf(X86State *s, uint32_t v, uint32_t opsize)
{
    uint32_t mask = x86_flags_mask(s, opsize) & ~(uint32_t)(FL_ARITH | FL_RF | FL_VIF | FL_VIP);
    uint32_t old = s->eflags, mode;

    s->eflags = (old & ~(mask | FL_DF | FL_RF)) | (v & mask & ~(uint32_t)FL_DF);
    s->df = v & FL_DF ? UINT64_MAX : 1;
    mode = (s->eflags ^ old) & ~(uint32_t)(FL_IF | FL_RF | FL_ID) ? x86_mode_word(s)
                                                                 : (uint32_t)s->tcg.mode_gen;
    return (s->eflags & ~old & FL_IF) && interrupt_waits(s) ? ~mode : mode;
}
HELPER_RW(popf, "l:ell", IR_H_RAISES, 0, G(DF))

/* 1: interrupts are to be looked for after the next instruction. */
static uint32_t h_sti(X86State *s, uint32_t one)
{
    if (s->eflags & FL_IF) {
        return 0;
    }
    s->eflags |= FL_IF;
    if (one || interrupt_waits(s)) {
        s->int_shadow = true;
        return 1;
    }
    return 0;
}
HELPER(sti, "l:el", IR_H_RAISES)

/* CLI and STI where IOPL forbids them: VIF stands for IF in virtual-8086 mode with VME and at
 * CPL 3 with PVI, else #GP(0) (SDM vol. 3B, 21.3 and 21.4). */
static void h_virtual_if(X86State *s, uint32_t set)
{
    bool virtual = s->eflags & FL_VM ? s->cr[4] & CR4_VME : s->cpl == 3 && (s->cr[4] & CR4_PVI);

    if (!virtual || (set && (s->eflags & FL_VIP))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    s->eflags = set ? s->eflags | FL_VIF : s->eflags & ~FL_VIF;
}
HELPER(virtual_if, "v:el", IR_H_RAISES)

/* POPF of 16 bits in virtual-8086 mode with VME and an IOPL below 3. @v was read, nothing was
 * written; IOPL and IF stay. */
static void h_popf_virtual(X86State *s, uint32_t v)
{
    uint32_t mask = FL_NT;

    if (!(s->cr[4] & CR4_VME) || (v & FL_TF) || ((v & FL_IF) && (s->eflags & FL_VIP))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    s->eflags = (s->eflags & ~(mask | FL_TF | FL_VIF | FL_RF)) | (v & mask) | (v & FL_IF ? FL_VIF : 0);
    s->df = v & FL_DF ? UINT64_MAX : 1;
}
HELPER_RW(popf_virtual, "v:el", IR_H_RAISES, 0, G(DF))

/* -------------------------------------------------------- control registers */

static uint64_t h_get_cr8(X86State *s) { return x86_get_cr8(s); }
HELPER(get_cr8, "q:e", IR_H_RAISES)

static void h_set_cr(X86State *s, uint32_t n, uint64_t v)
{
    switch (n) {
    case 0: x86_set_cr0(s, v); break;
    case 2: s->cr[2] = v; break;
    case 3: x86_set_cr3(s, v); break;
    case 4: x86_set_cr4(s, v); break;
    default: x86_set_cr8(s, v); break;
    }
}
HELPER(set_cr, "v:elq", ALL)

static uint64_t h_get_dr(X86State *s, uint32_t n) { return x86_get_dr(s, n); }
HELPER(get_dr, "q:el", IR_H_RAISES)
static void h_set_dr(X86State *s, uint32_t n, uint64_t v) { x86_set_dr(s, n, v); }
HELPER(set_dr, "v:elq", ALL)
static void h_lmsw(X86State *s, uint32_t v) { x86_lmsw(s, v); }
HELPER(lmsw, "v:el", ALL)
static void h_invlpg(X86State *s, uint64_t addr) { x86_invlpg(s, addr); }
HELPER(invlpg, "v:eq", IR_H_RAISES)

static void h_invpcid(X86State *s, uint64_t type, uint64_t pcid, uint64_t addr)
{
    if (type > 3) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    x86_invpcid(s, type, pcid, addr);
}
HELPER(invpcid, "v:eqqq", IR_H_RAISES)

static void h_wrpkru(X86State *s, uint32_t v)
{
    if (s->pkru != v) {
        s->pkru = v;
        x86_pkru_changed(s);
    }
}
HELPER(wrpkru, "v:el", 0)

/* ----------------------------------------------------- identification, MSRs */

static uint64_t h_random(UNUSED X86State *s)
{
    return guest_random_u64();
}
HELPER(random, "q:e", 0)

static void h_cpuid(X86State *s)
{
    uint32_t out[4];

    x86_cpuid(s, s->regs[R_AX], s->regs[R_CX], out);
    s->regs[R_AX] = out[0];
    s->regs[R_BX] = out[1];
    s->regs[R_CX] = out[2];
    s->regs[R_DX] = out[3];
}
HELPER_RW(cpuid, "v:e", IR_H_RAISES, G(RAX) | G(RCX), G(RAX) | G(RBX) | G(RCX) | G(RDX))

static uint64_t h_rdtsc(X86State *s)
{
    tcg_io_alone(&s->tcg);
    return x86_rdtsc(s);
}
HELPER(rdtsc, "q:e", IR_H_RAISES)

static uint64_t h_rdmsr(X86State *s, uint32_t index)
{
    uint64_t v = 0;

    tcg_io_alone(&s->tcg);
    if (!x86_rdmsr(s, index, &v)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    return v;
}
HELPER(rdmsr, "q:el", IR_H_RAISES | IR_H_READS)

static void h_wrmsr(X86State *s, uint32_t index, uint64_t v)
{
    tcg_io_alone(&s->tcg);
    if (!x86_wrmsr(s, index, v)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
}
HELPER(wrmsr, "v:elq", ALL)
