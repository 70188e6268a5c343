/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 82441FX and PIIX3: PAM, SMRAM, reset control, interrupt routing. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define PMC     0x00
#define PIIX3   0x08

static QTest *pc(Test *t)
{
    return qtest_start(t, "-machine pc -m 32 -nodefaults");
}

TEST(i440fx, identity)
{
    QTest *q = pc(t);

    check_u32(t, qpci_readl(q, PMC, 0), 0x12378086, "82441FX");
    check_u32(t, qpci_readl(q, PIIX3, 0), 0x70008086, "PIIX3");
    check_u32(t, qpci_readl(q, 0x10, 0), UINT32_MAX, "an empty slot");
    qpci_writel(q, PMC, 0, 0);
    check_u32(t, qpci_readl(q, PMC, 0), 0x12378086, "read-only");
}

TEST(i440fx, pam)
{
    QTest *q = pc(t);
    uint32_t rom = qtest_readl(q, 0xf0000);

    qtest_writel(q, 0xf0000, 0x12345678);
    check_u32(t, qtest_readl(q, 0xf0000), rom, "reset: the ROM behind PCI");
    qpci_writeb(q, PMC, 0x59, 0x20);
    qtest_writel(q, 0xf0000, 0x12345678);
    check_u32(t, qtest_readl(q, 0xf0000), rom, "write only: reads go to PCI");
    qpci_writeb(q, PMC, 0x59, 0x10);
    check_u32(t, qtest_readl(q, 0xf0000), 0x12345678, "read only: what was written to RAM");
    qtest_writel(q, 0xf0000, 0);
    check_u32(t, qtest_readl(q, 0xf0000), 0x12345678, "writes don't reach it");
    qpci_writeb(q, PMC, 0x59, 0x30);
    qtest_writel(q, 0xf0000, 0x9abcdef0);
    check_u32(t, qtest_readl(q, 0xf0000), 0x9abcdef0, "read and write");
}

TEST(i440fx, pam_segments)
{
    QTest *q = pc(t);

    for (unsigned reg = 0x5a; reg <= 0x5f; reg++) {
        qpci_writeb(q, PMC, reg, 0x33);
    }
    for (uint32_t a = 0xc0000; a < 0xf0000; a += 0x4000) {
        qtest_writel(q, a, a);
    }
    for (uint32_t a = 0xc0000; a < 0xf0000; a += 0x4000) {
        check_u32(t, qtest_readl(q, a), a, "each segment is RAM of its own");
    }
    qpci_writeb(q, PMC, 0x5b, 0x30);
    check_true(t, qtest_readl(q, 0xc8000) != 0xc8000, "low half of PAM2 is C8000h");
    check_u32(t, qtest_readl(q, 0xcc000), 0xcc000, "high half is CC000h");
}

TEST(i440fx, smram)
{
    QTest *q = pc(t);

    qtest_writel(q, 0xa0000, 0x11111111);
    check_true(t, qtest_readl(q, 0xa0000) != 0x11111111, "closed: nothing but PCI");
    qpci_writeb(q, PMC, 0x72, 0x4a);
    qtest_writel(q, 0xa0000, 0x22222222);
    check_u32(t, qtest_readl(q, 0xa0000), 0x22222222, "D_OPEN: RAM for everybody");
    qpci_writeb(q, PMC, 0x72, 0x1a);
    check_true(t, qtest_readl(q, 0xa0000) != 0x22222222, "closed again");
    qpci_writeb(q, PMC, 0x72, 0x4a);
    check_u8(t, qpci_readb(q, PMC, 0x72), 0x1a, "D_LCK: no write changes it");
}

TEST(i440fx, reset_control)
{
    QTest *q = pc(t);

    qpci_writeb(q, PMC, 0x59, 0x30);
    qtest_outb(q, 0xcf9, 0x02);
    check_u8(t, qtest_inb(q, 0xcf9), 0x02, "byte access to CF9h is the south bridge's");
    qtest_outb(q, 0xcf9, 0x06);
    qtest_clock_step(q, 1000000);
    check_u8(t, qpci_readb(q, PMC, 0x59), 0x00, "the reset has reached the host bridge");
}

TEST(piix3, routing)
{
    QTest *q = pc(t);

    check_u8(t, qpci_readb(q, PIIX3, 0x60), 0x80, "reset: not routed");
    qpci_writeb(q, PIIX3, 0x60, 0xff);
    check_u8(t, qpci_readb(q, PIIX3, 0x60), 0x8f, "defined bits only");
}
