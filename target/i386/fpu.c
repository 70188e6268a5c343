/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 and SSE state: the live floating-point environment of generated code,
 * status and tag words, and the memory images of FNSTENV, FNSAVE and FXSAVE
 * (XSAVE: xsave.c).
 *
 * Sources: SDM vol. 1, 8.1 and 10.5, figures 8-9 to 8-12, table 10-2.
 */
#include "util/osdep.h"
#include "target/i386/seg.h"
#include "util/bswap.h"

#define FSW_ES      0x80
#define FSW_B       0x8000
#define FSW_TOP     0x3800
#define MXCSR_MASKS 0x1f80

/* ---------------------------------------------------------- live environment */

void x86_fp_update_env(X86State *s)
{
    s->tcg.fp_mxcsr = (s->mxcsr & 0xffff) | MXCSR_MASKS;    /* not MM: the host may lack it */
    s->tcg.fp_unmasked = ~s->mxcsr >> 7 & 0x3f;
    s->tcg.fp_fcw = s->fpu_fcw | 0x3f;
    s->tcg.fp_fsw = 0;
}

void x86_fp_collect(X86State *s)
{
    s->mxcsr |= s->tcg.fp_mxcsr & 0x3f;
    s->fpu_fsw |= s->tcg.fp_fsw & 0x3f;
    s->tcg.fp_fsw = 0;
    s->fpu_fip = s->fpu_bias + (int32_t)s->fpu_insn;
    s->fpu_fop = s->fpu_insn >> 32 & 0x7ff;
}

void x86_fpu_set_pointers(X86State *s)
{
    s->fpu_bias = s->fpu_fip;
    s->fpu_insn = (uint64_t)(s->fpu_fop & 0x7ff) << 32;
}

/* FNINIT (SDM vol. 2). The registers' contents stay, tagged empty. */
void x86_fpu_init(X86State *s)
{
    s->fpu_fcw = 0x37f;
    s->fpu_fsw = 0;
    s->tcg.fp_fsw = 0;
    s->fpu_top = 0;
    memset(s->fpu_tag_empty, 1, sizeof(s->fpu_tag_empty));
    s->fpu_fop = s->fpu_fcs = s->fpu_fds = 0;
    s->fpu_fip = s->fpu_fdp = 0;
    x86_fpu_set_pointers(s);
    x86_fp_update_env(s);
}

/* -------------------------------------------------------- status and tag word */

uint16_t x86_fpu_status(const X86State *s)
{
    uint16_t v = (s->fpu_fsw & ~(FSW_TOP | FSW_ES | FSW_B)) | s->fpu_top << 11;

    if (v & ~s->fpu_fcw & 0x3f) {
        v |= FSW_ES | FSW_B;
    }
    return v;
}

void x86_fpu_set_status(X86State *s, uint16_t fsw)
{
    s->fpu_top = fsw >> 11 & 7;
    s->fpu_fsw = fsw & ~(FSW_TOP | FSW_ES | FSW_B);
    s->tcg.fp_fsw = 0;
}

/* 00 valid, 01 zero, 10 special, 11 empty. */
static unsigned classify(const F80 *v)
{
    unsigned exp = v->se & 0x7fff;

    if (exp == 0) {
        return v->m ? 2 : 1;
    }
    return exp == 0x7fff || !(v->m >> 63) ? 2 : 0;
}

uint16_t x86_fpu_tag_word(const X86State *s)
{
    uint16_t tw = 0;

    for (unsigned i = 0; i < 8; i++) {
        tw |= (s->fpu_tag_empty[i] ? 3 : classify(&s->st[i])) << (i * 2);
    }
    return tw;
}

static void set_tag_word(X86State *s, uint16_t tw)
{
    for (unsigned i = 0; i < 8; i++) {
        s->fpu_tag_empty[i] = (tw >> (i * 2) & 3) == 3;
    }
}

static F80 *stack_reg(X86State *s, unsigned i)
{
    return &s->st[(s->fpu_top + i) & 7];
}

static void put_f80(uint8_t *p, const F80 *v)
{
    store_le64(p, v->m);
    store_le16(p + 8, v->se);
}

static void get_f80(F80 *v, const uint8_t *p)
{
    v->m = load_le64(p);
    v->se = load_le16(p + 8);
}

/* -------------------------------------------------------------------- FXSAVE */

void x86_save_x87(const X86State *s, uint8_t *img, bool wide)
{
    uint8_t valid = 0;

    for (unsigned i = 0; i < 8; i++) {
        valid |= !s->fpu_tag_empty[i] << i;
    }
    store_le16(img, s->fpu_fcw);
    store_le16(img + 2, x86_fpu_status(s));
    img[4] = valid;
    img[5] = 0;
    store_le16(img + 6, s->fpu_fop);
    if (wide) {
        store_le64(img + 8, s->fpu_fip);
        store_le64(img + 16, s->fpu_fdp);
    } else {
        store_le32(img + 8, s->fpu_fip);
        store_le32(img + 12, s->fpu_fcs);
        store_le32(img + 16, s->fpu_fdp);
        store_le32(img + 20, s->fpu_fds);
    }
    for (unsigned i = 0; i < 8; i++) {
        put_f80(img + 32 + i * 16, &s->st[(s->fpu_top + i) & 7]);
        memset(img + 32 + i * 16 + 10, 0, 6);
    }
}

void x86_load_x87(X86State *s, const uint8_t *img, bool wide)
{
    s->fpu_fcw = x86_fcw(load_le16(img));
    x86_fpu_set_status(s, load_le16(img + 2));
    for (unsigned i = 0; i < 8; i++) {
        s->fpu_tag_empty[i] = !(img[4] >> i & 1);
    }
    s->fpu_fop = load_le16(img + 6) & 0x7ff;
    if (wide) {
        s->fpu_fip = load_le64(img + 8);
        s->fpu_fdp = load_le64(img + 16);
        s->fpu_fcs = s->fpu_fds = 0;
    } else {
        s->fpu_fip = load_le32(img + 8);
        s->fpu_fcs = load_le16(img + 12);
        s->fpu_fdp = load_le32(img + 16);
        s->fpu_fds = load_le16(img + 20);
    }
    x86_fpu_set_pointers(s);
    for (unsigned i = 0; i < 8; i++) {
        get_f80(stack_reg(s, i), img + 32 + i * 16);
    }
}

static unsigned xmm_count(const X86State *s)
{
    return x86_code64(s) ? 16 : 8;
}

static void save_xmm(const X86State *s, uint8_t *img)
{
    for (unsigned i = 0; i < xmm_count(s); i++) {
        memcpy(img + 160 + i * 16, s->xmm[i], 16);
    }
}

static void load_xmm(X86State *s, const uint8_t *img)
{
    for (unsigned i = 0; i < xmm_count(s); i++) {
        memcpy(s->xmm[i], img + 160 + i * 16, 16);
    }
}

void x86_fxsave_image(const X86State *s, uint8_t img[512], bool wide, bool xmm)
{
    x86_save_x87(s, img, wide);
    store_le32(img + 24, s->mxcsr);
    store_le32(img + 28, x86_mxcsr_mask(s));
    if (xmm) {
        save_xmm(s, img);
    }
}

bool x86_fxrstor_image(X86State *s, const uint8_t img[512], bool wide, bool xmm)
{
    uint32_t mxcsr = load_le32(img + 24);

    if (xmm && (mxcsr & ~x86_mxcsr_mask(s))) {
        return false;
    }
    x86_load_x87(s, img, wide);
    if (xmm) {
        s->mxcsr = mxcsr;
        load_xmm(s, img);
    }
    x86_fp_update_env(s);
    return true;
}

/* ------------------------------------------------------------ FNSTENV, FNSAVE */

/* Real and virtual-8086 mode have linear pointers, with the opcode beside the
 * upper bits (SDM vol. 1, figures 8-10 and 8-12). */
unsigned x86_fstenv_image(const X86State *s, uint8_t img[28], unsigned opsize)
{
    bool prot = x86_protected(s);
    uint32_t fip = s->fpu_fip, fdp = s->fpu_fdp;

    if (!prot) {
        fip += (uint32_t)s->fpu_fcs << 4;
        fdp += (uint32_t)s->fpu_fds << 4;
    }
    if (opsize == 2) {
        store_le16(img, s->fpu_fcw);
        store_le16(img + 2, x86_fpu_status(s));
        store_le16(img + 4, x86_fpu_tag_word(s));
        store_le16(img + 6, fip);
        store_le16(img + 8, prot ? s->fpu_fcs : (fip >> 4 & 0xf000) | (s->fpu_fop & 0x7ff));
        store_le16(img + 10, fdp);
        store_le16(img + 12, prot ? s->fpu_fds : fdp >> 4 & 0xf000);
        return 14;
    }
    store_le32(img, 0xffff0000 | s->fpu_fcw);
    store_le32(img + 4, 0xffff0000 | x86_fpu_status(s));
    store_le32(img + 8, 0xffff0000 | x86_fpu_tag_word(s));
    if (prot) {
        store_le32(img + 12, fip);
        store_le32(img + 16, s->fpu_fcs | (uint32_t)(s->fpu_fop & 0x7ff) << 16);
        store_le32(img + 20, fdp);
        store_le32(img + 24, 0xffff0000 | s->fpu_fds);
    } else {
        store_le32(img + 12, 0xffff0000 | (fip & 0xffff));
        store_le32(img + 16, (fip >> 16) << 12 | (s->fpu_fop & 0x7ff));
        store_le32(img + 20, 0xffff0000 | (fdp & 0xffff));
        store_le32(img + 24, (fdp >> 16) << 12);
    }
    return 28;
}

unsigned x86_fldenv_image(X86State *s, const uint8_t img[28], unsigned opsize)
{
    bool prot = x86_protected(s);

    if (opsize == 2) {
        s->fpu_fcw = x86_fcw(load_le16(img));
        x86_fpu_set_status(s, load_le16(img + 2));
        set_tag_word(s, load_le16(img + 4));
        s->fpu_fip = load_le16(img + 6);
        s->fpu_fdp = load_le16(img + 10);
        if (prot) {
            s->fpu_fcs = load_le16(img + 8);
            s->fpu_fds = load_le16(img + 12);
        } else {
            s->fpu_fop = load_le16(img + 8) & 0x7ff;
            s->fpu_fip |= (load_le16(img + 8) & 0xf000) << 4;
            s->fpu_fdp |= (load_le16(img + 12) & 0xf000) << 4;
            s->fpu_fcs = s->fpu_fds = 0;
        }
    } else {
        uint32_t w4 = load_le32(img + 16), w6 = load_le32(img + 24);

        s->fpu_fcw = x86_fcw(load_le16(img));
        x86_fpu_set_status(s, load_le16(img + 4));
        set_tag_word(s, load_le16(img + 8));
        if (prot) {
            s->fpu_fip = load_le32(img + 12);
            s->fpu_fcs = w4;
            s->fpu_fop = w4 >> 16 & 0x7ff;
            s->fpu_fdp = load_le32(img + 20);
            s->fpu_fds = w6;
        } else {
            s->fpu_fip = load_le16(img + 12) | (w4 >> 12 & 0xffff) << 16;
            s->fpu_fop = w4 & 0x7ff;
            s->fpu_fdp = load_le16(img + 20) | (w6 >> 12 & 0xffff) << 16;
            s->fpu_fcs = s->fpu_fds = 0;
        }
    }
    x86_fpu_set_pointers(s);
    x86_fp_update_env(s);
    return opsize == 2 ? 14 : 28;
}

unsigned x86_fsave_image(const X86State *s, uint8_t img[108], unsigned opsize)
{
    unsigned n = x86_fstenv_image(s, img, opsize);

    for (unsigned i = 0; i < 8; i++) {
        put_f80(img + n + i * 10, &s->st[(s->fpu_top + i) & 7]);
    }
    return n + 80;
}

unsigned x86_frstor_image(X86State *s, const uint8_t img[108], unsigned opsize)
{
    unsigned n = x86_fldenv_image(s, img, opsize);

    for (unsigned i = 0; i < 8; i++) {
        get_f80(stack_reg(s, i), img + n + i * 10);
    }
    return n + 80;
}
