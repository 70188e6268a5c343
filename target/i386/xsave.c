/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The XSAVE area and the instructions on it: XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS. */
#include "util/osdep.h"
#include "target/i386/xsave.h"
#include "target/i386/seg.h"
#include "target/i386/sse.h"
#include "util/bswap.h"

/* CPUID leaf 0xd; nothing is aligned in the compacted format. */
static const XsaveComponent components[] = {
    { 2, XSAVE_EXTENDED, 256 },         /* upper halves of YMM0 to YMM15 */
    { 9, 2688, 8 },                     /* PKRU */
};

const XsaveComponent *x86_xsave_component(unsigned n)
{
    return n < ARRAY_SIZE(components) ? &components[n] : NULL;
}

uint64_t x86_xcr0_mask(const X86State *s)
{
    uint64_t mask = XSTATE_X87 | XSTATE_SSE;

    mask |= x86_has(s, FEAT_1_ECX, 28) ? XSTATE_AVX : 0;
    mask |= x86_has(s, FEAT_7_0_ECX, 3) ? XSTATE_PKRU : 0;
    return mask;
}

static unsigned offset_of(const XsaveComponent *c, uint64_t format, bool compact)
{
    unsigned at = XSAVE_EXTENDED;

    if (!compact) {
        return c->offset;
    }
    for (const XsaveComponent *k = components; k < c; k++) {
        at += format >> k->bit & 1 ? k->size : 0;
    }
    return at;
}

unsigned x86_xsave_size(uint64_t which, bool compact)
{
    unsigned size = XSAVE_EXTENDED;

    for (size_t n = 0; n < ARRAY_SIZE(components); n++) {
        const XsaveComponent *c = &components[n];

        if (which >> c->bit & 1) {
            size = MAX(size, offset_of(c, which, compact) + c->size);
        }
    }
    return size;
}

void x86_xsave_pieces(uint64_t which, uint64_t format, bool compact, XsavePieceFn *fn, void *opaque)
{
    if (which & XSTATE_X87) {
        fn(opaque, 0, 24);
        fn(opaque, 32, 128);
    }
    if (which & XSTATE_SSE) {
        fn(opaque, 160, 256);
    }
    for (size_t n = 0; n < ARRAY_SIZE(components); n++) {
        const XsaveComponent *c = &components[n];

        if (which >> c->bit & 1) {
            fn(opaque, offset_of(c, format, compact), c->size);
        }
    }
}

static bool all_zero(const void *p, size_t n)
{
    const uint8_t *b = p;

    while (n && !*b) {
        b++;
        n--;
    }
    return n == 0;
}

static bool x87_initial(const X86State *s)
{
    return s->fpu_fcw == 0x37f && !s->fpu_fsw && !s->fpu_top && !s->fpu_fop && !s->fpu_fip &&
           !s->fpu_fdp && !s->fpu_fcs && !s->fpu_fds && x86_fpu_tag_word(s) == 0xffff &&
           all_zero(s->st, sizeof(s->st));
}

uint64_t x86_xinuse(const X86State *s)
{
    uint64_t in_use = s->pkru ? XSTATE_PKRU : 0;

    in_use |= x87_initial(s) ? 0 : XSTATE_X87;
    for (unsigned i = 0; i < 16; i++) {
        in_use |= all_zero(s->xmm[i], 16) ? 0 : XSTATE_SSE;
        in_use |= all_zero(s->xmm[i] + 16, 16) ? 0 : XSTATE_AVX;
    }
    return in_use;
}

/* Outside 64-bit mode registers 8 to 15 are left alone. */
static unsigned registers(const X86State *s)
{
    return x86_code64(s) ? 16 : 8;
}

uint64_t x86_xsave_image(const X86State *s, uint8_t img[XSAVE_MAX_SIZE], unsigned flags, uint64_t rfbm)
{
    bool compact = flags & XSAVE_COMPACT;
    uint64_t bv = load_le64(img + XSAVE_HEADER), in_use = rfbm & x86_xinuse(s);
    uint64_t written;
    uint8_t *p;

    if (compact && (rfbm & XSTATE_SSE) && s->mxcsr != 0x1f80) {
        in_use |= XSTATE_SSE;           /* there MXCSR belongs to SSE's component */
    }
    written = flags & (XSAVE_COMPACT | XSAVE_OPT) ? in_use : rfbm;
    if (written & XSTATE_X87) {
        x86_save_x87(s, img, flags & XSAVE_WIDE);
    }
    store_le32(img + 24, s->mxcsr);
    store_le32(img + 28, x86_mxcsr_mask(s));
    for (unsigned i = 0; i < registers(s); i++) {
        memcpy(img + 160 + 16 * i, s->xmm[i], 16);
    }
    p = img + offset_of(&components[0], rfbm, compact);
    for (unsigned i = 0; (written & XSTATE_AVX) && i < registers(s); i++) {
        memcpy(p + 16 * i, s->xmm[i] + 16, 16);
    }
    if (written & XSTATE_PKRU) {
        store_le64(img + offset_of(&components[1], rfbm, compact), s->pkru);
    }
    if (compact) {
        memset(img + XSAVE_HEADER, 0, 64);
        store_le64(img + XSAVE_HEADER, in_use);
        store_le64(img + XSAVE_HEADER + 8, rfbm | BIT64(63));
    } else {
        store_le64(img + XSAVE_HEADER, (bv & ~rfbm) | in_use);
    }
    return written;
}

/* SDM vol. 1, 13.8. */
static bool header_ok(const X86State *s, const uint8_t *h)
{
    uint64_t bv = load_le64(h), format = load_le64(h + 8);

    if (!(format >> 63)) {
        return !format && !load_le64(h + 16) && !(bv & ~s->xcr0);
    }
    format &= ~BIT64(63);
    return x86_has(s, FEAT_XSAVE, 1) && !(format & ~s->xcr0) && !(bv & ~format) &&
           all_zero(h + 16, 48);
}

bool x86_xrstor_image(X86State *s, const uint8_t img[XSAVE_MAX_SIZE], bool wide, uint64_t rfbm)
{
    uint64_t bv = load_le64(img + XSAVE_HEADER), format = load_le64(img + XSAVE_HEADER + 8);
    bool compact = format >> 63;
    /* The standard format loads MXCSR whether or not SSE's bit is set. */
    uint64_t has_mxcsr = compact ? rfbm & bv & XSTATE_SSE : rfbm & (XSTATE_SSE | XSTATE_AVX);
    uint32_t mxcsr = load_le32(img + 24);
    const uint8_t *p;

    if (!header_ok(s, img + XSAVE_HEADER) || (has_mxcsr && (mxcsr & ~x86_mxcsr_mask(s)))) {
        return false;
    }
    if (rfbm & XSTATE_X87) {
        if (bv & XSTATE_X87) {
            x86_load_x87(s, img, wide);
        } else {
            x86_fpu_init(s);
            memset(s->st, 0, sizeof(s->st));
        }
    }
    if (has_mxcsr) {
        s->mxcsr = mxcsr;
    } else if (compact && (rfbm & XSTATE_SSE)) {
        s->mxcsr = 0x1f80;
    }
    p = img + offset_of(&components[0], format, compact);
    for (unsigned i = 0; i < registers(s); i++) {
        if (rfbm & bv & XSTATE_SSE) {
            memcpy(s->xmm[i], img + 160 + 16 * i, 16);
        } else if (rfbm & XSTATE_SSE) {
            memset(s->xmm[i], 0, 16);
        }
        if (rfbm & bv & XSTATE_AVX) {
            memcpy(s->xmm[i] + 16, p + 16 * i, 16);
        } else if (rfbm & XSTATE_AVX) {
            memset(s->xmm[i] + 16, 0, 16);
        }
    }
    if (rfbm & XSTATE_PKRU) {
        s->pkru = bv & XSTATE_PKRU ? load_le32(img + offset_of(&components[1], format, compact)) : 0;
    }
    x86_fp_update_env(s);
    return true;
}

/* ------------------------------------------------------------- instructions */

enum { RESTORE = 0x100, SUPERVISOR = 0x200 };      /* beside XSAVE_COMPACT ... */

typedef struct Move {
    TcgEnv *env;
    uint64_t addr;
    uint8_t *img;
    unsigned mmu;
} Move;

static void load_piece(void *opaque, unsigned offset, unsigned size)
{
    Move *m = opaque;

    tcg_ld_bytes(m->env, m->addr + offset, m->img + offset, size, m->mmu);
}

static void probe_piece(void *opaque, unsigned offset, unsigned size)
{
    Move *m = opaque;

    tcg_probe(m->env, m->addr + offset, size, true, m->mmu);
}

static void store_piece(void *opaque, unsigned offset, unsigned size)
{
    Move *m = opaque;

    tcg_st_bytes(m->env, m->addr + offset, m->img + offset, size, m->mmu);
}

/* Outside 64-bit mode the upper half of the registers is left as it is in memory too. */
static void piece_of_mode(Move *m, uint64_t written, uint64_t format, bool compact, XsavePieceFn *fn)
{
    const X86State *s = x86_state(m->env);
    unsigned at = offset_of(&components[0], format, compact);

    if (x86_code64(s)) {
        x86_xsave_pieces(written, format, compact, fn, m);
        return;
    }
    x86_xsave_pieces(written & ~(uint64_t)(XSTATE_SSE | XSTATE_AVX), format, compact, fn, m);
    if (written & XSTATE_SSE) {
        fn(m, 160, 128);
    }
    if (written & XSTATE_AVX) {
        fn(m, at, 128);
    }
}

static void xsave(TcgEnv *env, uint64_t addr, uint64_t mask, uint32_t flags, uint32_t mmu)
{
    X86State *s = x86_state(env);
    uint8_t img[XSAVE_MAX_SIZE];
    Move m = { env, addr, img, mmu };
    bool compact = flags & XSAVE_COMPACT;
    uint64_t written;

    x86_fp_collect(s);
    mask &= s->xcr0;
    tcg_probe(env, addr + XSAVE_HEADER, 64, true, mmu);
    load_piece(&m, XSAVE_HEADER, 64);
    written = x86_xsave_image(s, img, flags, mask);
    piece_of_mode(&m, written, mask, compact, probe_piece);
    if (mask & (XSTATE_SSE | XSTATE_AVX)) {
        probe_piece(&m, 24, 8);
    }
    piece_of_mode(&m, written, mask, compact, store_piece);
    if (compact ? written & XSTATE_SSE : mask & (XSTATE_SSE | XSTATE_AVX)) {
        store_piece(&m, 24, 8);
    }
    store_piece(&m, XSAVE_HEADER, compact ? 64 : 8);
}

static void xrstor(TcgEnv *env, uint64_t addr, uint64_t mask, uint32_t flags, uint32_t mmu)
{
    X86State *s = x86_state(env);
    uint8_t img[XSAVE_MAX_SIZE];
    Move m = { env, addr, img, mmu };
    uint64_t bv, format;
    uint32_t pkru = s->pkru;

    mask &= s->xcr0;
    load_piece(&m, XSAVE_HEADER, 64);
    if (!header_ok(s, img + XSAVE_HEADER) ||
        ((flags & SUPERVISOR) && !(load_le64(img + XSAVE_HEADER + 8) >> 63))) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    bv = load_le64(img + XSAVE_HEADER);
    format = load_le64(img + XSAVE_HEADER + 8);
    load_piece(&m, 24, 8);
    x86_xsave_pieces(mask & bv, format, format >> 63, load_piece, &m);
    x86_fp_collect(s);
    if (!x86_xrstor_image(s, img, flags & XSAVE_WIDE, mask)) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    if (s->pkru != pkru) {
        x86_pkru_changed(s);
    }
}

/* XGETBV(1): what is in use of what is enabled. */
static uint64_t xinuse(TcgEnv *env)
{
    X86State *s = x86_state(env);

    x86_fp_collect(s);
    return s->xcr0 & x86_xinuse(s);
}

#define ALL (IR_H_RAISES | IR_H_READS | IR_H_WRITES | IR_H_FPENV)
static const IrHelper h_xsave = { "xsave", xsave, "v:eqqll", ALL & ~IR_H_WRITES, 0, 0 };
static const IrHelper h_xrstor = { "xrstor", xrstor, "v:eqqll", ALL, 0, 0 };
static const IrHelper h_xinuse = { "xinuse", xinuse, "q:e", IR_H_READS | IR_H_FPENV, 0, 0 };

/* #UD unless CR4.OSXSAVE is set: asked when it runs, as it isn't in the mode word. */
static void need_osxsave(X86Tr *tr)
{
    IrValue cr4 = ir_ld_env(tr->ir, IR_I64, offsetof(X86State, cr[4]));

    x86_fault_if(tr, IR_TST_Z, IR_I64, cr4, ir_i64(tr->ir, CR4_OSXSAVE), EXCP_UD, false, 0);
}

static void tr_xsave(X86Tr *tr, const X86Insn *i)
{
    const IrHelper *h = i->arg & RESTORE ? &h_xrstor : &h_xsave;
    IrValue a;

    need_osxsave(tr);
    if (tr->mode & MW_TS) {
        x86_fault(tr, EXCP_NM);
        return;
    }
    a = x86_address(tr, i, XSAVE_EXTENDED, !(i->arg & RESTORE));
    x86_fault_if(tr, IR_TST_NZ, IR_I64, a, ir_i64(tr->ir, 63), EXCP_GP, true, 0);
    X86_CALL(tr, h, a, x86_edx_eax(tr),
             ir_i32(tr->ir, (i->arg & (XSAVE_COMPACT | XSAVE_OPT | SUPERVISOR)) | (i->rex_w ? XSAVE_WIDE : 0)),
             ir_i32(tr->ir, (tr->mmu & IR_MO_MMU) >> IR_MO_MMU_SHIFT));
    if (i->arg & RESTORE) {
        x86_exit_next(tr, IR_EXIT_NEXT);        /* TOP, masks */
    }
}

static void tr_xgetbv(X86Tr *tr, UNUSED const X86Insn *i)
{
    IrRegion *ir = tr->ir;
    IrValue n = x86_reg(tr, R_CX, 4), v;
    bool has_1 = x86_has(tr->s, FEAT_XSAVE, 2);

    need_osxsave(tr);
    x86_fault_if(tr, IR_GTU, IR_I32, n, ir_i32(ir, has_1), EXCP_GP, true, 0);
    v = ir_ld_env(ir, IR_I64, offsetof(X86State, xcr0));
    if (has_1) {
        v = ir_select(ir, IR_EQ, IR_I32, n, ir_i32(ir, 0), IR_I64, v, X86_CALL(tr, &h_xinuse));
    }
    x86_put_edx_eax(tr, v);
}

/* SDM vol. 2, XSETBV. */
static void xsetbv(TcgEnv *env, uint32_t index, uint64_t v)
{
    X86State *s = x86_state(env);

    if (index || !(v & XSTATE_X87) || (v & ~x86_xcr0_mask(s)) ||
        (v & (XSTATE_SSE | XSTATE_AVX)) == XSTATE_AVX) {
        x86_raise_error(s, EXCP_GP, 0);
    }
    s->xcr0 = v;
    x86_mode_sync(s);
}

static const IrHelper h_xsetbv = { "xsetbv", xsetbv, "v:elq", IR_H_RAISES, 0, 0 };

static void tr_xsetbv(X86Tr *tr, UNUSED const X86Insn *i)
{
    need_osxsave(tr);
    if (tr->cpl) {
        x86_fault_code(tr, EXCP_GP, 0);
        return;
    }
    X86_CALL(tr, &h_xsetbv, x86_reg(tr, R_CX, 4), x86_edx_eax(tr));
    x86_exit_next(tr, IR_EXIT_NEXT);
}

static const X86Handler xsave_handlers[] = {
    { "XSAVE", tr_xsave, 0 }, { "XSAVEOPT", tr_xsave, XSAVE_OPT }, { "XSAVEC", tr_xsave, XSAVE_COMPACT },
    /* There are no components of the supervisor: IA32_XSS is 0. */
    { "XSAVES", tr_xsave, XSAVE_COMPACT | SUPERVISOR }, { "XRSTORS", tr_xsave, RESTORE | SUPERVISOR },
    { "XRSTOR", tr_xsave, RESTORE }, { "XGETBV", tr_xgetbv, 0 }, { "XSETBV", tr_xsetbv, 0 },
    { NULL, NULL, 0 }
};
X86_HANDLERS(xsave_handlers)
