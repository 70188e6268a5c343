/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 68030's MMU: PMOVE and PTEST as instructions, tables, limits, early termination, used and modified, transparent translation. */
#include "util/osdep.h"
#include "tests/target/m68k/machine.h"

#include "target/m68k/mmu.h"

#define CODE    0x1000u
#define ROOT    0x2000u
#define TABLE   0x3000u
#define DATA    0x8000u
#define NOP     0x4e71

static void start(Machine68 *m)
{
    machine68_start(m, CODE, 0x7000);
}

/* PMOVE of a register from DATA. */
static void pmove(Machine68 *m, uint16_t ext, uint32_t hi, uint32_t lo)
{
    put(DATA, hi, 4);
    put(DATA + 4, lo, 4);
    m->s->a[0] = DATA;
    run(m, 0xf010, ext, NOP, NOP);
}

/* Two levels of ten bits, short descriptors, pages of 4 Kbytes: the first 4 Mbytes as they are. */
static void tables(void)
{
    put(ROOT, TABLE | 2, 4);
    for (unsigned i = 1; i < 1024; i++) {
        put(ROOT + 4 * i, 0, 4);
    }
    for (unsigned i = 0; i < 1024; i++) {
        put(TABLE + 4 * i, i << 12 | 1, 4);
    }
}
#define TC_4K_10_10 0x80c0aa00u

TEST(m68k_mmu, pmove_and_translation)
{
    Machine68 *m = machine68_as(t, "m68030");
    M68kState *s;

    if (!m) {
        return;
    }
    s = m->s;
    start(m);
    tables();
    put(TABLE + 4 * 0x20, 0x9000 | 1, 4);               /* 20000 is 9000 */
    put(TABLE + 4 * 0x21, 0xa000 | 5, 4);               /* 21000 is A000, write-protected */
    put(TABLE + 4 * 0x22, 0, 4);                        /* 22000 is nowhere */
    pmove(m, 0x4c00, 0x7fff0002, ROOT);
    check_true(t, s->crp64 == (UINT64_C(0x7fff0002) << 32 | ROOT), "CRP");
    pmove(m, 0x4000, TC_4K_10_10, 0);
    check_u32(t, s->tc, TC_4K_10_10, "TC: it translates");
    put(0x9004, 0x12345678, 4);
    s->a[1] = 0x20004;
    run(m, 0x2211, NOP, NOP, NOP);             /* MOVE.L (A1),D1 */
    check_u32(t, (uint32_t)s->d[1], 0x12345678, "read where the table says");
    check_u32(t, get(TABLE + 4 * 0x20), 0x9009, "used");
    check_u32(t, get(ROOT) & 8, 8, "and the table too");
    run(m, 0x2281, NOP, NOP, NOP);             /* MOVE.L D1,(A1) */
    check_u32(t, get(TABLE + 4 * 0x20), 0x9019, "modified");
    s->a[1] = 0x21000;
    run(m, 0x2211, NOP, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc & 0xff00, CODE & 0xff00, "a protected page is read");
    s->a[0] = 0x21000;
    run(m, 0xf010, 0x9e15, NOP, NOP);             /* PTESTR #5,(A0),#7 */
    check_u32(t, s->mmusr, 0x0802, "MMUSR: W, two levels");
    run(m, 0x2281, NOP, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_ACCESS), "written: a bus error");
    check_u32(t, get((uint32_t)s->a[7] + 6) >> 16, 0xb008, "format B, vector 2");
    check_u32(t, get((uint32_t)s->a[7] + 16), 0x21000, "the address");
    check_u32(t, get((uint32_t)s->a[7] + 10) >> 16 & 0x17f, 0x105, "SSW: data, long, written by the supervisor");
    s->a[0] = 0x22000;
    run(m, 0xf010, 0x9e15, NOP, NOP);
    check_u32(t, s->mmusr, 0x0402, "MMUSR: invalid at the second level");
    pmove(m, 0x0800, 0x00ff8507, 0);                    /* TT0: 0000 0000 to FFFF FFFF, all function codes, reads and writes */
    check_u32(t, s->tt[0], 0x00ff8507, "TT0");
    s->a[0] = 0x22000;
    run(m, 0xf010, 0x9e15, NOP, NOP);
    check_u32(t, s->mmusr, 0x0040, "MMUSR: transparent");
    run(m, 0xf010, 0x6200, NOP, NOP);             /* PMOVE MMUSR,(A0): through TT0 now */
    check_u32(t, get(0x22000) >> 16, 0x0040, "stored where it says");
}

/* 68030 walks that software sees by PTEST only. */
TEST(m68k_mmu, walks)
{
    Machine68 *m = machine68_as(t, "m68030");
    M68kWalk w;

    if (!m) {
        return;
    }
    start(m);
    tables();
    m->s->crp64 = UINT64_C(0x7fff0002) << 32 | ROOT;
    m->s->tc = TC_4K_10_10;
    put(ROOT + 4, 0x00c00000 | 1, 4);                   /* early termination: 4 Mbytes at 00C00000 */
    check_true(t, m68k_walk_030(m->s, 0x00512345, 5, false, true, 7, &w) && w.phys == 0x00d12000, "a page above its level");
    put(ROOT + 8, DATA | 3, 4);                         /* long descriptors with a limit */
    put(DATA, 0x00000001, 4);
    put(DATA + 4, 0x00abc000, 4);
    put(DATA + 8, 0x00000101, 4);
    put(DATA + 12, 0x00abd000, 4);
    check_true(t, m68k_walk_030(m->s, 0x00800000, 1, false, true, 7, &w) && w.phys == 0x00abc000, "a long page descriptor");
    check_true(t, m68k_walk_030(m->s, 0x00801000, 5, false, true, 7, &w) && w.supervisor_only, "for the supervisor");
    put(ROOT + 12, 0x0000c000 | 2, 4);
    put(0xc000, TABLE | 2, 4);                          /* indirect: the descriptor lies elsewhere */
    check_true(t, m68k_walk_030(m->s, 0x00c00000, 1, false, true, 7, &w) && w.phys == 0, "an indirect descriptor");
    m->s->crp64 = UINT64_C(0x00000002) << 32 | ROOT;    /* limit 0 */
    check_true(t, !m68k_walk_030(m->s, 0x00400000, 1, false, true, 7, &w) && (w.status & 0x4400) == 0x4400, "beyond the limit");
    check_true(t, m68k_walk_030(m->s, 0x00001000, 1, false, true, 7, &w) && w.phys == 0x1000, "inside of it");
    m->s->crp64 = UINT64_C(0x80010002) << 32 | ROOT;    /* a lower limit of 1 */
    check_true(t, !m68k_walk_030(m->s, 0x00001000, 1, false, true, 7, &w) && (w.status & 0x4400) == 0x4400, "below the limit");
    m->s->crp64 = UINT64_C(0x7fff0001) << 32;           /* no table: all of memory with an offset */
    check_true(t, m68k_walk_030(m->s, 0x00123456, 1, false, true, 7, &w) && w.phys == 0x00123000, "the root as a page");
    m->s->crp64 = UINT64_C(0x7fff0002) << 32 | 0xffff0000u;
    check_true(t, !m68k_walk_030(m->s, 0x00001000, 1, false, true, 7, &w) && (w.status & 0x8000), "a table where nothing is");
    m->s->tc = TC_4K_10_10 | 1 << 24;                   /* function codes first */
    m->s->crp64 = UINT64_C(0x7fff0002) << 32 | 0xe000;
    for (unsigned i = 0; i < 8; i++) {
        put(0xe000 + 4 * i, i == 5 ? ROOT | 2 : 0, 4);
    }
    check_true(t, m68k_walk_030(m->s, 0x00001000, 5, false, true, 7, &w) && !m68k_walk_030(m->s, 0x00001000, 1, false, true, 7, &w),
               "by function code");
}

TEST(m68k_mmu, configuration_error)
{
    Machine68 *m = machine68_as(t, "m68030");

    if (!m) {
        return;
    }
    start(m);
    tables();
    pmove(m, 0x4c00, 0x7fff0002, ROOT);
    pmove(m, 0x4000, 0x80c0aaa0, 0);                    /* 42 bits */
    check_u32(t, (uint32_t)m->s->tcg.pc, MACHINE68_HANDLER(EXCP_MMU_CONFIG), "vector 56");
    check_u32(t, m->s->tc & 0x80000000u, 0, "and it doesn't translate");
}
