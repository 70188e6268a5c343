/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O APIC: registers; edge and level delivery seen by what is left behind. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define BASE    0xfec00000u

static uint32_t rd(QTest *q, uint8_t reg)
{
    qtest_writel(q, BASE, reg);
    return qtest_readl(q, BASE + 0x10);
}

static void wr(QTest *q, uint8_t reg, uint32_t val)
{
    qtest_writel(q, BASE, reg);
    qtest_writel(q, BASE + 0x10, val);
}

TEST(ioapic, registers)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    check_u32(t, rd(q, 1), 0x00170020, "version 20h, 24 entries");
    wr(q, 0, 0x0f000000);
    check_u32(t, rd(q, 0), 0x0f000000, "identity");
    check_u32(t, rd(q, 0x10), 0x00010000, "reset: masked");
    wr(q, 0x10, UINT32_MAX);
    check_u32(t, rd(q, 0x10), 0x0001afff, "read-only and reserved bits stay 0");
    wr(q, 0x3f, UINT32_MAX);
    check_u32(t, rd(q, 0x3f), 0xff000000, "last entry's destination");
    wr(q, 0x40, UINT32_MAX);
    check_u32(t, rd(q, 0x40), 0, "no more entries");
}

TEST(ioapic, level_needs_an_answer)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    wr(q, 0x10 + 2 * 20, 0x8030);               /* level, vector 30h */
    qtest_set_irq_in(q, "/machine/i440fx/ioapic", NULL, 20, 1);
    check_u32(t, rd(q, 0x10 + 2 * 20), 0xc030, "delivered: remote IRR");
    qtest_set_irq_in(q, "/machine/i440fx/ioapic", NULL, 20, 0);
    check_u32(t, rd(q, 0x10 + 2 * 20), 0xc030, "stays until the end of interrupt");
    qtest_writel(q, BASE + 0x40, 0x31);
    check_u32(t, rd(q, 0x10 + 2 * 20), 0xc030, "of its own vector");
    qtest_writel(q, BASE + 0x40, 0x30);
    check_u32(t, rd(q, 0x10 + 2 * 20), 0x8030, "answered");
    qtest_set_irq_in(q, "/machine/i440fx/ioapic", NULL, 20, 1);
    qtest_writel(q, BASE + 0x40, 0x30);
    check_u32(t, rd(q, 0x10 + 2 * 20), 0xc030, "a level that is still there comes again");
    wr(q, 0x10 + 2 * 20, 0x30);
    check_u32(t, rd(q, 0x10 + 2 * 20), 0x30, "edge mode has no remote IRR");
}

TEST(ioapic, masked_level_waits)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    wr(q, 0x10 + 2 * 21, 0x18031);
    qtest_set_irq_in(q, "/machine/i440fx/ioapic", NULL, 21, 1);
    check_u32(t, rd(q, 0x10 + 2 * 21), 0x18031, "masked");
    wr(q, 0x10 + 2 * 21, 0x8031);
    check_u32(t, rd(q, 0x10 + 2 * 21), 0xc031, "unmasked: delivered");
}
