/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX4 power management: timer, SCI, power button, APM, SMBus probing. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define PM      0x0b
#define IO      0x600

static QTest *pm(Test *t)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults");

    qpci_writel(q, PM, 0x40, IO | 1);
    qpci_writeb(q, PM, 0x80, 1);
    qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
    return q;
}

TEST(piix4_pm, timer)
{
    QTest *q = pm(t);
    uint32_t start = qtest_inl(q, IO + 8);

    qtest_clock_step(q, 1000000000);
    check_u32(t, (qtest_inl(q, IO + 8) - start) & 0xffffff, 3579545, "3.579545 MHz");
    qtest_clock_step(q, 2000000000);
    check_u16(t, qtest_inw(q, IO) & 1, 1, "TMROF when bit 23 changes");
    qtest_outw(q, IO, 1);
    check_u16(t, qtest_inw(q, IO) & 1, 0, "cleared by writing 1");
}

TEST(piix4_pm, timer_interrupt)
{
    QTest *q = pm(t);

    qtest_outw(q, IO, 0xffff);
    qtest_outw(q, IO + 2, 1);
    qtest_clock_step(q, 3000000000);
    check_true(t, !qtest_irq_level(q, 9), "no SCI in legacy mode");
    qtest_outb(q, 0xb2, 0xf1);
    check_u16(t, qtest_inw(q, IO + 4) & 1, 1, "the command F1h sets SCI_EN");
    check_true(t, qtest_irq_level(q, 9), "now the pending event interrupts");
    qtest_outw(q, IO, 1);
    check_true(t, !qtest_irq_level(q, 9), "until its status is cleared");
    qtest_outb(q, 0xb2, 0xf0);
    check_u16(t, qtest_inw(q, IO + 4) & 1, 0, "F0h goes back to legacy mode");
}

TEST(piix4_pm, ports_follow_the_base)
{
    QTest *q = pm(t);

    qtest_outw(q, IO + 2, 0x0100);
    qpci_writel(q, PM, 0x40, 0xb001);
    check_u16(t, qtest_inw(q, IO + 2), 0xffff, "gone from the old place");
    check_u16(t, qtest_inw(q, 0xb002), 0x0100, "here now");
    qpci_writeb(q, PM, 0x80, 0);
    check_u16(t, qtest_inw(q, 0xb002), 0xffff, "disabled");
}

TEST(piix4_pm, apm_ports)
{
    QTest *q = pm(t);

    qtest_outb(q, 0xb3, 0x5a);
    qtest_outb(q, 0xb2, 0x42);
    check_u8(t, qtest_inb(q, 0xb3), 0x5a, "APMS");
    check_u8(t, qtest_inb(q, 0xb2), 0x42, "APMC");
}

TEST(piix4_pm, smbus_is_empty)
{
    QTest *q = pm(t);

    qpci_writel(q, PM, 0x90, 0x701);
    qpci_writeb(q, PM, 0xd2, 1);
    qtest_outb(q, 0x704, 0xa1);
    qtest_outb(q, 0x702, 0x48);
    check_u8(t, qtest_inb(q, 0x700), 0x04, "no device answers");
    qtest_outb(q, 0x700, 0x1e);
    check_u8(t, qtest_inb(q, 0x700), 0x00, "status is cleared by writing 1");
}
