/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the 68040 leaves to its software package: exceptions, their frames, what FSAVE shows, and what becomes of the frame that
 * the package hands back by FRESTORE. Places in a frame are counted from its end, as in the manual.
 */
#include "util/osdep.h"
#include "tests/target/m68k/machine.h"

#include "target/m68k/fp-double.h"

#define CODE        0x1000u
#define STACK       0x7000u
#define DATA        0x8000u
#define NOP         0x4e71
#define BUSY        100u
enum { CU_SAVEPC = 92, NMC = 44, STAG = 40, CMDREG1B = 36, DTAG = 32, E_BYTE = 28, FPTEMP = 24, ETEMP = 12 };

static Machine68 *start(Test *t)
{
    Machine68 *m = machine68_as(t, "m68040");
    M68kState *s;

    if (!m) {
        return NULL;
    }
    machine68_start(m, CODE, STACK);
    s = m->s;
    for (unsigned i = 0; i < 8; i++) {
        s->fp[i] = (F80){ BIT64(63), 0x3fff };
        s->fptag[i] = 0;
    }
    s->fpcr = 0;
    s->fpsr = 0;
    s->fp_null = false;
    s->fp_pending = 0;
    s->fpframe.kind = 0;
    s->fpsp_host = false;
    m68k_fp_mode(s);
    m68k_mode_sync(s);
    return m;
}

/* The exception is taken by the next instruction of the FPU: FNOP. */
static void take(Test *t, Machine68 *m, const char *what)
{
    uint32_t at = (uint32_t)m->s->tcg.pc;

    run(m, 0xf280, 0, NOP, NOP);
    check_u32(t, (uint32_t)m->s->tcg.pc, MACHINE68_HANDLER(EXCP_FP_UNIMP), what);
    check_u32(t, get((uint32_t)m->s->a[7] + 2), at, "the stacked PC is that of the next instruction");
    check_u32(t, get((uint32_t)m->s->a[7] + 6) >> 16, EXCP_FP_UNIMP * 4, "format 0");
}

/* FSAVE -(A7); the frame's end. */
static uint32_t save(Test *t, Machine68 *m, uint32_t first)
{
    run(m, 0xf327, NOP, NOP, NOP);
    check_u32(t, get((uint32_t)m->s->a[7]), first, "the frame's first long word");
    return (uint32_t)m->s->a[7] + (first >> 16 & 0xff) + 4;
}

static void restore(Machine68 *m)
{
    run(m, 0xf35f, NOP, NOP, NOP);
}

/* As the package leaves a frame with which the processor is to go on. */
static void let_go_on(uint32_t end)
{
    put(end - CU_SAVEPC, 0xfe, 1);
    put(end - NMC, 0, 2);
    put(end - E_BYTE, 0, 1);
}

TEST(m68k_fpsp, denormal_source)
{
    Machine68 *m = start(t);
    M68kState *s;
    uint32_t end;

    if (!m) {
        return;
    }
    s = m->s;
    s->fp[1] = (F80){ 0x1000, 0x8000 };
    run(m, 0xf200, 0x0422, NOP, NOP);                   /* FADD.X FP1,FP0 */
    check_u32(t, (uint32_t)s->tcg.pc, CODE + 4, "the instruction is over");
    run(m, 0x7005, NOP, NOP, NOP);                      /* MOVEQ #5,D0 */
    check_u32(t, (uint32_t)s->d[0], 5, "others go on");
    take(t, m, "vector 55");
    check_u32(t, s->fpiar, CODE, "FPIAR tells which instruction it was");
    check_true(t, s->fp[0].m == BIT64(63), "the destination is as it was");
    end = save(t, m, 0x41600000);
    check_u32(t, get(end - STAG) >> 24, 0x80, "STAG: denormal");
    check_u32(t, get(end - DTAG) >> 24, 0x10, "DTAG: normal, exponent below 4000");
    check_u32(t, get(end - CMDREG1B) >> 16, 0x0422, "CMDREG1B");
    check_u32(t, get(end - E_BYTE) >> 24, 4, "E1");
    check_u32(t, get(end - NMC) >> 16, 0x10, "NMCEXC: unsupported");
    check_u32(t, get(end - ETEMP), 0x80000000, "ETEMP");
    check_u32(t, get(end - ETEMP + 8), 0x1000, "and its significand");
    check_u32(t, get(end - FPTEMP), 0x3fff0000, "FPTEMP");
    check_u32(t, get(end - FPTEMP + 4), 0x80000000, "and its significand");
    check_u32(t, s->fp_pending, 0, "FSAVE leaves nothing pending");
    restore(m);
    check_u32(t, s->fp_pending, EXCP_FP_UNIMP, "FRESTORE of the same brings it back");
    s->a[7] = end - BUSY;
    let_go_on(end);
    /* Normalized: an exponent of -51. */
    put(end - ETEMP, 0xffcd0000, 4);
    put(end - ETEMP + 4, 0x80000000, 4);
    put(end - ETEMP + 8, 0, 4);
    put(end - STAG, 0x10, 1);
    s->fp[0] = (F80){ UINT64_MAX, 0x7ffe };             /* FPTEMP counts */
    s->fpcr = 0x10;                                     /* toward zero */
    m68k_fp_mode(s);
    restore(m);
    check_u32(t, (uint32_t)s->a[7], end, "all of it was taken");
    m68k_fp_settle(s);
    check_true(t, s->fp[0].se == 0x3ffe && s->fp[0].m == UINT64_MAX, "the sum, rounded as FPCR says by now");
    check_u32(t, s->fpsr, FPX_INEX2 | FPA_INEX, "inexact");
    check_u32(t, s->fp_pending, 0, "nothing is pending");
    save(t, m, 0x41000000);
}

/* What the package does to both operands of FDMUL, and FSQRT. */
TEST(m68k_fpsp, exponents_below_zero)
{
    Machine68 *m = start(t);
    M68kState *s;
    uint32_t end;

    if (!m) {
        return;
    }
    s = m->s;
    s->fp[2] = (F80){ 1, 0 };
    put(DATA, 0x43e00000, 4);                           /* 2^63 */
    put(DATA + 4, 0, 4);
    s->a[0] = DATA;
    run(m, 0xf218, 0x5523, NOP, NOP);                   /* FMUL.D (A0)+,FP2 */
    check_u32(t, (uint32_t)s->a[0], DATA + 8, "A0 has gone on");
    take(t, m, "a denormal destination");
    end = save(t, m, 0x41600000);
    check_u32(t, get(end - STAG) >> 24, 0, "STAG: normal");
    check_u32(t, get(end - DTAG) >> 24, 0x80, "DTAG: denormal");
    let_go_on(end);
    put(end - FPTEMP, 0x7fc10000, 4);                   /* -63 */
    put(end - FPTEMP + 4, 0x80000000, 4);
    put(end - FPTEMP + 8, 0, 4);
    put(end - DTAG, 0x10, 1);
    restore(m);
    m68k_fp_settle(s);
    check_true(t, s->fp[2].se == 0 && s->fp[2].m == BIT64(63), "2^-16383");

    m = start(t);
    s->fp[3] = (F80){ BIT64(60), 0x3fff };
    run(m, 0xf200, 0x0f04, NOP, NOP);                   /* FSQRT.X FP3,FP6 */
    take(t, m, "an unnormal operand");
    end = save(t, m, 0x41600000);
    check_u32(t, get(end - CMDREG1B) >> 16, 0x0f05, "CMDREG1B: FSQRT is 05 there");
    let_go_on(end);
    put(end - ETEMP, 0x3ffc0000, 4);
    put(end - ETEMP + 4, 0x90000000, 4);                /* 9/64 */
    put(end - STAG, 0x10, 1);
    restore(m);
    m68k_fp_settle(s);
    check_true(t, s->fp[6].se == 0x3ffd && s->fp[6].m == (uint64_t)3 << 62, "3/8");
}

TEST(m68k_fpsp, short_formats)
{
    static const struct { uint16_t cmd; uint32_t v[2]; uint32_t hi, lo; } sources[] = {
        { 0x4400, { 0x80000003, 0 }, 0x00000300, 0 },   /* FMOVE.S (A0)+,FP0 */
        { 0x5422, { 0x000fffff, 0xfffffffe }, 0x7fffffff, 0xfffff000 },         /* FADD.D */
    };
    Machine68 *m;

    for (unsigned i = 0; i < ARRAY_SIZE(sources); i++) {
        uint32_t end;

        m = start(t);
        if (!m) {
            return;
        }
        put(DATA, sources[i].v[0], 4);
        put(DATA + 4, sources[i].v[1], 4);
        m->s->a[0] = DATA;
        run(m, 0xf218, sources[i].cmd, NOP, NOP);
        take(t, m, "a short denormal operand");
        end = save(t, m, 0x41600000);
        check_u32(t, get(end - STAG) >> 24, 0xa0, "STAG: of single or double precision");
        check_u32(t, get(end - ETEMP) & 0x80000000, sources[i].v[0] & 0x80000000, "its sign");
        check_u32(t, get(end - ETEMP + 4), sources[i].hi, "the fraction behind the integer bit");
        check_u32(t, get(end - ETEMP + 8), sources[i].lo, "all of it");
    }
}

TEST(m68k_fpsp, packed_source)
{
    Machine68 *m = start(t);
    uint32_t end;

    if (!m) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        put(DATA + 4 * i, 0x00010002 + i * 0x11111111, 4);
    }
    m->s->a[0] = DATA;
    run(m, 0xf218, 0x4c22, NOP, NOP);                   /* FADD.P (A0)+,FP0 */
    check_u32(t, (uint32_t)m->s->a[0], DATA + 12, "A0 has gone on");
    take(t, m, "vector 55");
    end = save(t, m, 0x41600000);
    check_u32(t, get(end - FPTEMP + 8), 0x00010002, "the first long word is in FPTEMP");
    check_u32(t, get(end - ETEMP + 4), 0x11121113, "the others");
    check_u32(t, get(end - ETEMP + 8), 0x22232224, "in ETEMP");
}

/* FMOVE to memory ends in an exception behind it, with the place in the frame. */
TEST(m68k_fpsp, stores)
{
    static const struct { uint16_t op, cmd; uint32_t a0, ea, after; } rows[] = {
        { 0xf218, 0x6880, DATA, DATA, DATA + 12 },              /* FMOVE.X FP1,(A0)+ */
        { 0xf220, 0x7480, DATA + 8, DATA, DATA },               /* FMOVE.D FP1,-(A0) */
        { 0xf210, 0x6c91, DATA, DATA, DATA },                   /* FMOVE.P FP1,(A0){#17} */
        { 0xf203, 0x6080, DATA, 0, DATA },                      /* FMOVE.L FP1,D3 */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        Machine68 *m = start(t);
        M68kState *s;
        uint32_t sp, end;

        if (!m) {
            return;
        }
        s = m->s;
        put(DATA, 0xdeadbeef, 4);
        s->a[0] = rows[i].a0;
        s->d[3] = 0x33333333;
        s->fp[1] = i == 2 ? (F80){ BIT64(63), 0x3fff } : (F80){ BIT64(62), 0x3fff };
        run(m, rows[i].op, rows[i].cmd, NOP, NOP);
        sp = (uint32_t)s->a[7];
        check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FP_UNIMP), "vector 55 at once");
        check_u32(t, get(sp + 2), CODE + 4, "behind the instruction");
        check_u32(t, get(sp + 6) >> 16, 0x3000 | EXCP_FP_UNIMP * 4, "format 3");
        check_u32(t, get(sp + 8), rows[i].ea, "where it was to go");
        check_u32(t, (uint32_t)s->a[0], rows[i].after, "A0");
        check_u32(t, s->fpiar, CODE, "FPIAR");
        check_u32(t, get(DATA), 0xdeadbeef, "nothing was stored");
        check_u32(t, (uint32_t)s->d[3], 0x33333333, "nowhere");
        end = save(t, m, 0x41600000);
        check_u32(t, get(end - CMDREG1B) >> 16, rows[i].cmd, "CMDREG1B");
        check_u32(t, get(end - STAG) >> 24, i == 2 ? 0x10 : 0x80, "STAG");
        check_u32(t, get(end - ETEMP) >> 16, 0x3fff, "ETEMP is what was to be stored");
    }
}

/* An elementary function is an unimplemented instruction; its operand has been fetched. */
TEST(m68k_fpsp, unimplemented_instruction)
{
    Machine68 *m = start(t);
    uint32_t sp, end;

    if (!m) {
        return;
    }
    put(DATA + 0, 0x3ff80000, 4);
    put(DATA + 4, 0, 4);
    m->s->a[0] = DATA;
    run(m, 0xf218, 0x540e, NOP, NOP);                   /* FSIN.D (A0)+,FP0 */
    sp = (uint32_t)m->s->a[7];
    check_u32(t, (uint32_t)m->s->tcg.pc, MACHINE68_HANDLER(EXCP_LINE_F), "vector 11");
    check_u32(t, get(sp + 2), CODE + 4, "behind the instruction");
    check_u32(t, get(sp + 6) >> 16, 0x2000 | EXCP_LINE_F * 4, "format 2");
    check_u32(t, (uint32_t)m->s->a[0], DATA + 8, "A0 has gone on");
    end = save(t, m, 0x41300000);
    check_u32(t, get(end - ETEMP), 0x3fff0000, "ETEMP");
    check_u32(t, get(end - ETEMP + 4), 0xc0000000, "1.5");
}

/* FPSR is read after the package has done what waits for it; and what fpsp=host, or another model, does at once. */
TEST(m68k_fpsp, who_traps)
{
    Machine68 *m = start(t);
    M68kState *s;

    if (!m) {
        return;
    }
    s = m->s;
    s->fp[1] = (F80){ 1, 0 };
    run(m, 0xf200, 0x0400, NOP, NOP);                   /* FMOVE.X FP1,FP0 */
    run(m, 0xf200, 0xa800, NOP, NOP);                   /* FMOVE.L FPSR,D0 */
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FP_UNIMP), "FPSR waits");
    m = start(t);
    s->fpsp_host = true;
    m68k_mode_sync(s);
    s->fp[1] = (F80){ 1, 0 };
    run(m, 0xf200, 0x0400, NOP, NOP);
    run(m, 0xf200, 0xa800, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, CODE + 8, "fpsp=host");
    check_true(t, s->fp[0].m == 1 && !s->fp[0].se, "moved");
    m = start(t);
    machine68_as(t, "m68030");
    m68k_mode_sync(s);
    s->fp[1] = (F80){ 1, 0 };
    run(m, 0xf200, 0x0400, NOP, NOP);
    run(m, 0xf200, 0xa800, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, CODE + 8, "a 68882");
    m = start(t);
    s->fp[1] = (F80){ BIT64(63), 0 };
    run(m, 0xf200, 0x0422, NOP, NOP);
    check_u32(t, s->fp_pending, 0, "with its integer bit, exponent 0 is normal");
}

/* Enabled exceptions: what is shown of them, and that nothing is left when the handler has cleared them. */
TEST(m68k_fpsp, enabled_exceptions)
{
    Machine68 *m = start(t);
    M68kState *s;
    uint32_t end, sp;

    if (!m) {
        return;
    }
    s = m->s;
    s->fpcr = FPX_DZ;
    m68k_fp_mode(s);
    s->fp[1] = (F80){ 0, 0 };
    run(m, 0xf200, 0x0420, NOP, NOP);                   /* FDIV.X FP1,FP0 */
    run(m, 0xf280, 0, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FP_DZ), "division by zero, at the next instruction");
    end = save(t, m, 0x41300000);
    check_u32(t, get(end - E_BYTE) >> 24, 4, "E1");
    restore(m);
    check_u32(t, s->fp_pending, EXCP_FP_DZ, "given back as it was: pending again");
    s->a[7] = end - 52;
    put(end - E_BYTE, 0, 1);
    restore(m);
    check_u32(t, s->fp_pending, 0, "cleared");
    save(t, m, 0x41000000);                             /* idle: Linux's sigreturn takes no other that isn't busy */

    m = start(t);
    s->fpcr = FPX_OVFL;
    m68k_fp_mode(s);
    s->fp[1] = (F80){ BIT64(63), 0x7ffe };
    s->fp[3] = (F80){ BIT64(63), 0xfffe };
    run(m, 0xf200, 0x05a3, NOP, NOP);                   /* FMUL.X FP1,FP3 */
    run(m, 0xf280, 0, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FP_OVFL), "overflow");
    end = save(t, m, 0x41600000);
    check_u32(t, get(end - E_BYTE) >> 24, 2, "E3");
    check_u32(t, get(end - 48) >> 16, 0x0193, "CMDREG3B: of FP3");
    check_u32(t, get(end - 76) >> 16, 0xffff, "WBTEMP: what it came to");

    m = start(t);
    s->fpcr = FPX_OVFL;
    m68k_fp_mode(s);
    s->fp[1] = (F80){ BIT64(63), 0x7ffe };
    s->a[0] = DATA;
    put(DATA, 0xdeadbeef, 4);
    run(m, 0xf218, 0x6480, NOP, NOP);                   /* FMOVE.S FP1,(A0)+ */
    sp = (uint32_t)s->a[7];
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FP_OVFL), "overflow of what is to be stored: at once");
    check_u32(t, get(sp + 6) >> 16, 0x3000 | EXCP_FP_OVFL * 4, "format 3");
    check_u32(t, get(sp + 8), DATA, "where it was to go");
    check_u32(t, (uint32_t)s->a[0], DATA + 4, "A0 has gone on");
    check_u32(t, get(DATA), 0xdeadbeef, "the package stores");
    check_u32(t, s->fpsr, FPX_OVFL | FPX_INEX2 | FPA_OVFL | FPA_INEX, "FPSR");
}
