/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HPET: counter, one-shot and periodic timers, legacy replacement. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define BASE    0xfed00000u

static QTest *hpet(Test *t)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
    qtest_outb(q, 0x43, 0x30);
    return q;
}

TEST(hpet, counter)
{
    QTest *q = hpet(t);

    check_u32(t, qtest_readl(q, BASE), 0x8086a201, "GCAP_ID: vendor, three timers, 64 bits");
    check_u32(t, qtest_readl(q, BASE + 4), 10000000, "period in femtoseconds");
    qtest_clock_step(q, 1000);
    check_u64(t, qtest_readq(q, BASE + 0xf0), 0, "stands still until enabled");
    qtest_writel(q, BASE + 0x10, 1);
    qtest_clock_step(q, 1000);
    check_u64(t, qtest_readq(q, BASE + 0xf0), 100, "10 ns a tick");
    qtest_writel(q, BASE + 0x10, 0);
    qtest_clock_step(q, 1000);
    check_u64(t, qtest_readq(q, BASE + 0xf0), 100, "keeps its value when halted");
    qtest_writeq(q, BASE + 0xf0, 0xfffffffff0);
    check_u64(t, qtest_readq(q, BASE + 0xf0), 0xfffffffff0, "can be set then");
}

TEST(hpet, one_shot)
{
    QTest *q = hpet(t);

    qtest_writel(q, BASE + 0x140, 20 << 9 | 4);     /* timer 2 to interrupt 20 */
    qtest_writeq(q, BASE + 0x148, 1000);
    qtest_writel(q, BASE + 0x10, 1);
    qtest_clock_step(q, 9990);
    check_int(t, qtest_irq_count(q, 20), 0, "not before the comparator");
    qtest_clock_step(q, 20);
    check_int(t, qtest_irq_count(q, 20), 1, "at the comparator");
    qtest_clock_step(q, 1000000);
    check_int(t, qtest_irq_count(q, 20), 1, "once");
}

TEST(hpet, periodic)
{
    QTest *q = hpet(t);

    qtest_writel(q, BASE + 0x100, 20 << 9 | 0x14c); /* periodic, 32 bits, value set */
    qtest_writel(q, BASE + 0x108, 5000);
    qtest_writel(q, BASE + 0x108, 1000);
    qtest_writel(q, BASE + 0x10, 1);
    qtest_clock_step(q, 50010);
    check_int(t, qtest_irq_count(q, 20), 1, "first at the accumulator");
    qtest_clock_step(q, 30000);
    check_int(t, qtest_irq_count(q, 20), 4, "then each period");
    check_u32(t, qtest_readl(q, BASE + 0x108), 9000, "the comparator shows the next");
}

TEST(hpet, level)
{
    QTest *q = hpet(t);

    qtest_writel(q, BASE + 0x120, 21 << 9 | 6);
    qtest_writel(q, BASE + 0x128, 100);
    qtest_writel(q, BASE + 0x12c, 0);
    qtest_writel(q, BASE + 0x10, 1);
    qtest_clock_step(q, 2000);
    check_true(t, qtest_irq_level(q, 21), "a level-triggered one stays");
    check_u32(t, qtest_readl(q, BASE + 0x20), 2, "its status bit");
    qtest_writel(q, BASE + 0x20, 2);
    check_true(t, !qtest_irq_level(q, 21), "until it is cleared");
}

TEST(hpet, legacy_replacement)
{
    QTest *q = hpet(t);

    qtest_writel(q, BASE + 0x100, 4);
    qtest_writeq(q, BASE + 0x108, 1000);
    qtest_writel(q, BASE + 0x10, 3);
    qtest_outb(q, 0x43, 0x34);
    qtest_outb(q, 0x40, 0x10);
    qtest_outb(q, 0x40, 0x00);
    qtest_clock_step(q, 1000000);
    check_int(t, qtest_irq_count(q, 2), 1, "timer 0 is interrupt 0, the 8254 is cut off");
}
