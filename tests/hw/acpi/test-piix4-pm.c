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

TEST(piix4_pm, smbus_status)
{
    QTest *q = pm(t);

    qpci_writel(q, PM, 0x90, 0x701);
    qpci_writeb(q, PM, 0xd2, 1);
    qtest_outb(q, 0x704, 0x21);
    qtest_outb(q, 0x702, 0x48);
    check_u8(t, qtest_inb(q, 0x700), 0x04, "no device answers");
    qtest_outb(q, 0x700, 0x1e);
    check_u8(t, qtest_inb(q, 0x700), 0x00, "status is cleared by writing 1");
}

/* One transaction; its end status. */
static uint8_t smb(QTest *q, uint8_t protocol, uint8_t address, uint8_t command)
{
    qtest_outb(q, 0xb100, 0x1e);
    qtest_outb(q, 0xb104, address);
    qtest_outb(q, 0xb103, command);
    qtest_outb(q, 0xb102, 0x40 | protocol << 2);
    return qtest_inb(q, 0xb100);
}

TEST(piix4_smbus, eeproms)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -m 512");
    unsigned bdf = 1 << 3 | 3;
    uint8_t sum = 0;

    qpci_writel(q, bdf, 0x90, 0xb101);
    qpci_writeb(q, bdf, 0xd2, 9);
    check_u8(t, smb(q, 0, 0x20, 0), 4, "nobody is at 10h: DEV_ERR (7.3.1)");
    check_u8(t, smb(q, 0, 0xa0, 0), 2, "an EEPROM is at 50h");
    for (int i = 0; i < 63; i++) {
        check_u8(t, smb(q, 2, 0xa1, (uint8_t)i), 2, "read byte data");
        sum = (uint8_t)(sum + qtest_inb(q, 0xb105));
    }
    smb(q, 2, 0xa1, 63);
    check_u8(t, qtest_inb(q, 0xb105), sum, "the checksum of the SPD");
    smb(q, 2, 0xa1, 31);
    check_u8(t, qtest_inb(q, 0xb105), 0x80, "a rank of 512 MiB");
    smb(q, 3, 0xa1, 2);
    check_u16(t, (uint16_t)(qtest_inb(q, 0xb105) | qtest_inb(q, 0xb106) << 8), 0x0e08,
              "read word: DDR2, 14 rows");
    qtest_outb(q, 0xb105, 0x5a);
    smb(q, 2, 0xae, 7);
    qtest_outb(q, 0xb105, 0);
    smb(q, 1, 0xae, 7);
    smb(q, 1, 0xaf, 0);
    check_u8(t, qtest_inb(q, 0xb105), 0x5a, "written to the last EEPROM, read by receive byte");
    check_u8(t, smb(q, 4, 0xa0, 0), 4, "a protocol that isn't there");
    /* A block: its length is what the EEPROM has at that place. */
    qtest_inb(q, 0xb102);
    for (int i = 0; i < 5; i++) {
        qtest_outb(q, 0xb107, (uint8_t)(0x10 + i));
    }
    qtest_outb(q, 0xb105, 5);
    check_u8(t, smb(q, 5, 0xac, 0x20), 2, "write block");
    check_u8(t, smb(q, 5, 0xad, 0x20), 2, "read block");
    check_u8(t, qtest_inb(q, 0xb105), 5, "its length");
    qtest_inb(q, 0xb102);
    for (int i = 0; i < 5; i++) {
        check_u8(t, qtest_inb(q, 0xb107), 0x10 + i, "its bytes");
    }
}
