/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changes the processor's state as a whole: module calls of the 68020, traps and returns, CAS2, spaces of MOVES. */
#include "util/osdep.h"
#include "tests/target/m68k/machine.h"

#define CODE        0x1000u
#define STACK       0x7000u
#define DESC        0x8000u
#define MODULE      0x9000u
#define HANDLER     0x4000u

static void put(uint32_t addr, uint32_t v, unsigned size)
{
    address_space_store(&address_space_memory, addr, v, size, MEM_BE, MEM_ATTRS_NONE, NULL);
}
static uint32_t get(uint32_t addr)
{
    return (uint32_t)address_space_load(&address_space_memory, addr, 4, MEM_BE, MEM_ATTRS_NONE, NULL);
}

/* The CPU as the model @name. */
static Machine68 *machine_as(Test *t, const char *name)
{
    Machine68 *m = machine68(t, "m68020-m68k-cpu");

    for (unsigned i = 0; m && i < m68k_num_models; i++) {
        if (!strcmp(m68k_models[i].name, name)) {
            m->s->features = m68k_models[i].features;
            m->s->model = m68k_models[i].number;
        }
    }
    return m;
}

static void start(Machine68 *m)
{
    M68kState *s = m->s;

    memset(s->d, 0, sizeof(s->d));
    memset(s->a, 0, sizeof(s->a));
    s->a[7] = STACK;
    s->sr = SR_S | SR_IPL;
    m68k_set_ccr(s, 0);
    s->usp = 0x6000;
    s->vbr = 0;
    s->excp = EXCP_NONE;
    s->delivering = s->in_group0 = s->dead = s->stopped = false;
    s->tcg.pc = CODE;
    m->cpu->parent.halted = false;
    for (unsigned v = 2; v < 64; v++) {
        put(4 * v, HANDLER + 16 * v, 4);
    }
    tcg_mode_changed(&s->tcg);
}

static void run(Machine68 *m, uint16_t w0, uint16_t w1, uint16_t w2)
{
    const uint16_t w[] = { w0, w1, w2, 0x4e71 };

    for (unsigned i = 0; i < 4; i++) {
        put((uint32_t)m->s->tcg.pc + 2 * i, w[i], 2);
    }
    tcg_mode_changed(&m->s->tcg);
    vcpu_exec(m->v);
}

/* CALLM #8,(A0) and RTM D3, of a module that takes its data area in A4. */
TEST(m68k_system, modules)
{
    Machine68 *m = machine_as(t, "m68020");
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
        run(m, 0x06d0, 8, 0x4e71);
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
        run(m, 0x06cc, 0x4e71, 0x4e71);                 /* RTM A4 */
        check_u32(t, (uint32_t)s->tcg.pc, CODE + 4, "back");
        check_u32(t, (uint32_t)s->a[7], STACK + 8, "without the arguments");
        check_u32(t, (uint32_t)s->a[4], 0x44444444, "A4 is back");
        check_u32(t, m68k_get_ccr(s), 0x15, "and the codes");
    }
    start(m);
    put(DESC, 2u << 24, 4);
    s->a[0] = DESC;
    run(m, 0x06d0, 0, 0x4e71);
    check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * EXCP_FORMAT, "type 2: a format error");
    check_u32(t, get((uint32_t)s->a[7] + 2), CODE, "at CALLM");
    start(m);
    put(DESC, 1u << 24, 4);
    s->a[0] = DESC;
    run(m, 0x06d0, 0, 0x4e71);
    check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * EXCP_ACCESS, "type 1: no hardware for access levels");
    check_u32(t, get((uint32_t)s->a[7] + 10) >> 16 & 7, 7, "CPU space");
    start(m);
    put(STACK, 0x20000000, 4);
    run(m, 0x06cc, 0x4e71, 0x4e71);
    check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * EXCP_FORMAT, "RTM from no such frame");
    check_u32(t, (uint32_t)s->a[7] + 8, STACK, "nothing was taken off");
}

TEST(m68k_system, trap_and_return)
{
    static const char *const models[] = { "m68000", "m68010", "m68020", "m68040" };

    for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
        Machine68 *m = machine_as(t, models[i]);
        unsigned size = i == 0 ? 6 : 8;
        M68kState *s;

        if (!m) {
            return;
        }
        s = m->s;
        start(m);
        m68k_set_sr(s, 0x0004);                         /* user, Z */
        check_u32(t, (uint32_t)s->a[7], 0x6000, "the user's stack");
        run(m, 0x4e43, 0x4e71, 0x4e71);                 /* TRAP #3 */
        check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * 35, "its vector");
        check_u32(t, (uint32_t)s->a[7], STACK - size, "its frame");
        check_u32(t, get(STACK - size), 0x00040000, "SR, and the PC's upper half");
        check_u32(t, get(STACK - size + 2), CODE + 2, "the PC behind it");
        check_u32(t, m68k_get_sr(s), 0x2004, "supervisor");
        run(m, 0x4e73, 0x4e71, 0x4e71);                 /* RTE */
        check_u32(t, (uint32_t)s->tcg.pc, CODE + 2, "back");
        check_u32(t, m68k_get_sr(s), 0x0004, "as a user");
        check_u32(t, (uint32_t)s->a[7], 0x6000, "on the user's stack");
        check_u32(t, s->isp, STACK, "and the supervisor's is empty");
        run(m, 0x4e73, 0x4e71, 0x4e71);
        check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * EXCP_PRIVILEGE, "RTE is for the supervisor");
        check_u32(t, get((uint32_t)s->a[7] + 2), CODE + 2, "at the instruction");
        run(m, 0xa123, 0x4e71, 0x4e71);
        check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * EXCP_LINE_A, "line A");
        if (i) {
            start(m);
            s->a[7] = STACK - 8;
            put(STACK - 8, 0x20000000, 4);
            put(STACK - 4, 0x0000f000, 4);
            run(m, 0x4e73, 0x4e71, 0x4e71);
            check_u32(t, (uint32_t)s->tcg.pc, HANDLER + 16 * EXCP_FORMAT, "no such format");
            check_u32(t, (uint32_t)s->a[7], STACK - 16, "the bad frame stays");
        }
    }
}

TEST(m68k_system, cas2)
{
    Machine68 *m = machine_as(t, "m68040");
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
    run(m, 0x0efc, 0x8080, 0x90c1);                     /* CAS2.L D0:D1,D2:D3,(A0):(A1) */
    check_u32(t, get(DESC), 11, "the first is exchanged");
    check_u32(t, get(DESC + 4), 22, "the second");
    check_u32(t, m68k_get_ccr(s) & 15, CCR_Z, "equal");
    run(m, 0x0efc, 0x8080, 0x90c1);
    check_u32(t, get(DESC), 11, "another value: nothing");
    check_u32(t, (uint32_t)s->d[0], 11, "but read");
    check_u32(t, (uint32_t)s->d[1], 22, "both");
    check_u32(t, m68k_get_ccr(s) & CCR_Z, 0, "not equal");
}
