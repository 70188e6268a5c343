/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes the processor's state as a whole: module calls of the 68020, traps and returns, CAS2, spaces of MOVES. */
#include "util/osdep.h"
#include "tests/target/m68k/machine.h"

#define CODE        0x1000u
#define STACK       0x7000u
#define DESC        0x8000u
#define MODULE      0x9000u
#define NOP         0x4e71

static void start(Machine68 *m)
{
    machine68_start(m, CODE, STACK);
}

/* CALLM #8,(A0) and RTM D3, of a module that takes its data area in A4. */
TEST(m68k_system, modules)
{
    Machine68 *m = machine68_as(t, "m68020");
    M68kState *s;

    if (!m) {
        return;
    }
    s = m->s;
    for (unsigned opt = 0; opt <= 4; opt += 4) {
        start(m);
        put(DESC, opt << 29, 4);
        put(DESC + 4, MODULE, 4);
        put(DESC + 8, 0xdada0000, 4);
        put(MODULE, 0xc000, 2);                         /* A4 */
        s->a[0] = DESC;
        s->a[4] = 0x44444444;
        m68k_set_ccr(s, 0x15);
        run(m, 0x06d0, 8, NOP, NOP);
        check_u32(t, (uint32_t)s->tcg.pc, MODULE + 2, "behind the entry word");
        check_u32(t, (uint32_t)s->a[7], STACK - 24, "the frame");
        check_u32(t, (uint32_t)s->a[4], 0xdada0000, "the module's data area");
        check_u32(t, get(STACK - 24), opt << 29 | 0x15, "option, type, codes");
        check_u32(t, get(STACK - 20), 8u << 16, "argument count");
        check_u32(t, get(STACK - 16), DESC, "descriptor");
        check_u32(t, get(STACK - 12), CODE + 4, "the PC behind CALLM");
        check_u32(t, get(STACK - 8), 0x44444444, "A4 as it was");
        check_u32(t, get(STACK - 4), STACK, "the stack pointer as it was");
        m68k_set_ccr(s, 0);
        run(m, 0x06cc, NOP, NOP, NOP);                 /* RTM A4 */
        check_u32(t, (uint32_t)s->tcg.pc, CODE + 4, "back");
        check_u32(t, (uint32_t)s->a[7], STACK + 8, "without the arguments");
        check_u32(t, (uint32_t)s->a[4], 0x44444444, "A4 is back");
        check_u32(t, m68k_get_ccr(s), 0x15, "and the codes");
    }
    start(m);
    put(DESC, 2u << 24, 4);
    s->a[0] = DESC;
    run(m, 0x06d0, 0, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FORMAT), "type 2: a format error");
    check_u32(t, get((uint32_t)s->a[7] + 2), CODE, "at CALLM");
    start(m);
    put(DESC, 1u << 24, 4);
    s->a[0] = DESC;
    run(m, 0x06d0, 0, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_ACCESS), "type 1: no hardware for access levels");
    check_u32(t, get((uint32_t)s->a[7] + 10) >> 16 & 7, 7, "CPU space");
    start(m);
    put(STACK, 0x20000000, 4);
    run(m, 0x06cc, NOP, NOP, NOP);
    check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FORMAT), "RTM from no such frame");
    check_u32(t, (uint32_t)s->a[7] + 8, STACK, "nothing was taken off");
}

TEST(m68k_system, trap_and_return)
{
    static const char *const models[] = { "m68000", "m68010", "m68020", "m68040" };

    for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
        Machine68 *m = machine68_as(t, models[i]);
        unsigned size = i == 0 ? 6 : 8;
        M68kState *s;

        if (!m) {
            return;
        }
        s = m->s;
        start(m);
        m68k_set_sr(s, 0x0004);                         /* user, Z */
        check_u32(t, (uint32_t)s->a[7], 0x6000, "the user's stack");
        run(m, 0x4e43, NOP, NOP, NOP);                 /* TRAP #3 */
        check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(35), "its vector");
        check_u32(t, (uint32_t)s->a[7], STACK - size, "its frame");
        check_u32(t, get(STACK - size), 0x00040000, "SR, and the PC's upper half");
        check_u32(t, get(STACK - size + 2), CODE + 2, "the PC behind it");
        check_u32(t, m68k_get_sr(s), 0x2004, "supervisor");
        run(m, 0x4e73, NOP, NOP, NOP);                 /* RTE */
        check_u32(t, (uint32_t)s->tcg.pc, CODE + 2, "back");
        check_u32(t, m68k_get_sr(s), 0x0004, "as a user");
        check_u32(t, (uint32_t)s->a[7], 0x6000, "on the user's stack");
        check_u32(t, s->isp, STACK, "and the supervisor's is empty");
        run(m, 0x4e73, NOP, NOP, NOP);
        check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_PRIVILEGE), "RTE is for the supervisor");
        check_u32(t, get((uint32_t)s->a[7] + 2), CODE + 2, "at the instruction");
        run(m, 0xa123, NOP, NOP, NOP);
        check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_LINE_A), "line A");
        if (i) {
            start(m);
            s->a[7] = STACK - 8;
            put(STACK - 8, 0x20000000, 4);
            put(STACK - 4, 0x0000f000, 4);
            run(m, 0x4e73, NOP, NOP, NOP);
            check_u32(t, (uint32_t)s->tcg.pc, MACHINE68_HANDLER(EXCP_FORMAT), "no such format");
            check_u32(t, (uint32_t)s->a[7], STACK - 16, "the bad frame stays");
        }
    }
}

TEST(m68k_system, cas2)
{
    Machine68 *m = machine68_as(t, "m68040");
    M68kState *s;

    if (!m) {
        return;
    }
    s = m->s;
    start(m);
    put(DESC, 1, 4);
    put(DESC + 4, 2, 4);
    s->a[0] = DESC;
    s->a[1] = DESC + 4;
    s->d[0] = 1;
    s->d[1] = 2;
    s->d[2] = 11;
    s->d[3] = 22;
    run(m, 0x0efc, 0x8080, 0x90c1, NOP);                     /* CAS2.L D0:D1,D2:D3,(A0):(A1) */
    check_u32(t, get(DESC), 11, "the first is exchanged");
    check_u32(t, get(DESC + 4), 22, "the second");
    check_u32(t, m68k_get_ccr(s) & 15, CCR_Z, "equal");
    run(m, 0x0efc, 0x8080, 0x90c1, NOP);
    check_u32(t, get(DESC), 11, "another value: nothing");
    check_u32(t, (uint32_t)s->d[0], 11, "but read");
    check_u32(t, (uint32_t)s->d[1], 22, "both");
    check_u32(t, m68k_get_ccr(s) & CCR_Z, 0, "not equal");
}
