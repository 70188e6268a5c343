/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FSAVE and FRESTORE: the frames by which an operating system keeps an FPU's inner state.
 *
 * Sources: 881UM chapter 6 (68881: 28, 68882: 60 bytes idle), 040UM 9.8 (idle 4, unimplemented 52, busy 100
 * bytes, version $41), 060UM chapter 6; for a busy frame that is to go on, what Motorola's FPSP hands back.
 */
#include "util/osdep.h"
#include "target/m68k/fp-double.h"
#include "target/m68k/helpers.h"
#include "util/bswap.h"

#define UNIMP_SIZE  52
#define BUSY_SIZE   100
#define NMC_UNSUP   0x10        /* NMCEXC */
#define CU_RESUME   0xfe        /* CU_SAVEPC: the command is to be run, with what ETEMP and FPTEMP hold */

/* Size and first long word of the idle frame. */
static unsigned idle_size(const M68kState *s)
{
    return m68k_has(s, M68K_060) ? 12 : m68k_has(s, M68K_040) ? 4 : m68k_has(s, M68K_030) ? 60 : 28;
}

static uint32_t version(const M68kState *s)
{
    return m68k_has(s, M68K_040) ? 0x41 : 0x1f;
}

static void put_f80(uint8_t *p, F80 v)
{
    store_be16(p, v.se);
    store_be16(p + 2, 0);
    store_be64(p + 4, v.m);
}

/* The command word as the rounding stage has it: as FPSP's gen_except makes it of CMDREG1B. */
static uint16_t cmdreg3b(uint16_t cmd)
{
    return (uint16_t)((cmd & 0x03c3) | (cmd >> 2 & 1) << 5 | (cmd >> 3 & 7) << 2);
}

static F80 get_f80(const uint8_t *p)
{
    return (F80){ load_be64(p + 4), load_be16(p) };
}

/* 040UM chapter 9, state frames: places are counted from the frame's end, which unimplemented and busy frames
 * share. */
static void fill_040(const M68kState *s, uint8_t *p, unsigned size)
{
    const struct M68kFpFrame *f = &s->fpframe;
    uint8_t *end = p + size;

    memset(p, 0, size);
    store_be32(p, version(s) << 24 | (size - 4) << 16);
    if (size == BUSY_SIZE) {
        store_be32(end - 84, f->ea);            /* in a place without a name */
        put_f80(end - 76, f->wbtemp);
        store_be16(end - 48, cmdreg3b(f->cmdreg));
    }
    end[-43] = f->unsup ? NMC_UNSUP : 0;
    end[-40] = f->stag;
    store_be16(end - 36, f->cmdreg);
    end[-32] = f->dtag;
    end[-28] = (uint8_t)((f->e1 ? 4 : 0) | (f->e3 ? 2 : 0));
    end[-27] = f->t ? 0x10 : 0;
    put_f80(end - 24, f->fptemp);
    put_f80(end - 12, f->etemp);
}

static void take_040(M68kState *s, const uint8_t *p, unsigned size)
{
    const uint8_t *end = p + size;
    struct M68kFpFrame *f = &s->fpframe;

    f->kind = size == BUSY_SIZE ? 2 : 1;
    f->unsup = end[-43] & NMC_UNSUP;
    f->stag = end[-40];
    f->cmdreg = load_be16(end - 36);
    f->dtag = end[-32];
    f->e1 = end[-28] & 4;
    f->e3 = end[-28] & 2;
    f->t = end[-27] & 0x10;
    f->ea = size == BUSY_SIZE ? load_be32(end - 84) : 0;
    f->wbtemp = size == BUSY_SIZE ? get_f80(end - 76) : (F80){ 0, 0 };
    f->fptemp = get_f80(end - 24);
    f->etemp = get_f80(end - 12);
}

static unsigned frame_size(const M68kState *s)
{
    return s->fp_null ? 4 : m68k_has(s, M68K_040) && s->fpframe.kind ?
           (s->fpframe.kind == 2 ? BUSY_SIZE : UNIMP_SIZE) : idle_size(s);
}

/* @addr is where the frame goes, or for -(An) what lies behind it. The result: where it is. */
static uint32_t h_fsave(void *env, uint32_t addr, uint32_t dec, uint32_t mmu)
{
    M68kState *s = env;
    unsigned size = frame_size(s);
    uint8_t frame[BUSY_SIZE] = { 0 };

    if (dec) {
        addr -= size;
    }
    if (s->fp_null) {
        /* a null frame: zeros */
    } else if (m68k_has(s, M68K_060)) {
        store_be16(frame + 2, 0x6000);
    } else if (m68k_has(s, M68K_040)) {
        if (size == 4) {
            store_be32(frame, version(s) << 24);
        } else {
            fill_040(s, frame, size);
        }
    } else {
        store_be32(frame, version(s) << 24 | (size - 4) << 16);
        store_be32(frame + size - 4, 0x70000000);       /* BIU: no exception, no operand wanted */
    }
    tcg_st_bytes(&s->tcg, addr, frame, size, mmu);
    s->fpframe.kind = 0;
    s->fp_pending = 0;
    m68k_fp_fast(s);
    return addr;
}
const IrHelper m68k_h_fsave = { "m68k_fsave", h_fsave, "l:elll", IR_H_RAISES, FP_GLOBALS, FP_GLOBALS };

static void reset_fpu(M68kState *s)
{
    for (unsigned i = 0; i < 8; i++) {
        s->fp[i] = (F80){ UINT64_MAX, 0x7fff };
        s->fptag[i] = 0;
    }
    m68k_fp_set_fpsr(s, 0);
    s->fpcr = s->fpiar = 0;
    s->fp_null = true;
    s->fpframe.kind = 0;
    s->fp_pending = 0;
    m68k_fp_mode(s);
}

/* The result: bytes of the frame. */
static uint32_t h_frestore(void *env, uint32_t addr, uint32_t mmu)
{
    M68kState *s = env;
    uint32_t head = m68k_ld32(s, addr, mmu), size;
    uint8_t frame[BUSY_SIZE];
    bool resume = false;

    if (m68k_has(s, M68K_060)) {
        unsigned kind = head >> 8 & 0xff;

        if (kind != 0 && kind != 0x60 && kind != 0xe0) {
            m68k_raise(s, EXCP_FORMAT, 0);
        }
        if (kind == 0) {
            reset_fpu(s);
        }
        s->fp_null = kind == 0;
        m68k_fp_fast(s);
        return 12;
    }
    if (!(head >> 24)) {
        reset_fpu(s);
        return 4;
    }
    size = (head >> 16 & 0xff) + 4;
    if (m68k_has(s, M68K_040)) {
        if (head >> 24 != version(s) || (size != 4 && size != UNIMP_SIZE && size != BUSY_SIZE)) {
            m68k_raise(s, EXCP_FORMAT, 0);
        }
        tcg_ld_bytes(&s->tcg, addr, frame, size, mmu);
        s->fpframe.kind = 0;
        if (size > 4) {
            take_040(s, frame, size);
        }
        resume = size == BUSY_SIZE && frame[BUSY_SIZE - 92] == CU_RESUME && !s->fpframe.e1 && !s->fpframe.e3;
    } else if (head >> 24 != version(s) || size != idle_size(s)) {
        m68k_raise(s, EXCP_FORMAT, 0);
    }
    s->fp_null = false;
    s->fp_pending = 0;
    if (resume) {
        m68k_fp_resume(s);
    } else {
        if (!s->fpframe.e1 && !s->fpframe.e3) {
            s->fpframe.kind = 0;        /* nothing is left to tell of */
        }
        m68k_fp_pend_again(s);
    }
    m68k_fp_fast(s);
    return size;
}
const IrHelper m68k_h_frestore = {
    "m68k_frestore", h_frestore, "l:ell", IR_H_RAISES | IR_H_FPENV, FP_GLOBALS, FP_GLOBALS,
};
