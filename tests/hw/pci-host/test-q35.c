/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 82Q35 MCH, and the 945GM's: PAM, SMRAM in its three places, config space as memory. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>

#define MCH     0x00
#define LPC     0xf8
#define TOP     0x4000000u          /* of 64 MiB */

enum { EXT_TSEG = 0x50, PCIEXBAR = 0x60, PAM0 = 0x90, SMBASE_CTL = 0x9c, SMRAM = 0x9d, ESMRAMC = 0x9e };

static QTest *q35(Test *t)
{
    return qtest_start(t, "-machine q35 -m 64 -nodefaults");
}

TEST(q35, identity)
{
    QTest *q = q35(t);

    check_u32(t, qpci_readl(q, MCH, 0), 0x29c08086, "82Q35");
    check_u32(t, qpci_readl(q, LPC, 0), 0x29188086, "ICH9 LPC");
    check_u32(t, qpci_readl(q, 0xfb, 0), 0x29308086, "ICH9 SMBus");
    check_u32(t, qpci_readl(q, 0x10, 0), UINT32_MAX, "an empty slot");
}

/* The board as firmware leaves it, and the places where the 945GM has its registers. */
TEST(q35, the_945gm)
{
    enum { GM_PCIEXBAR = 0x48, GM_TOLUD = 0x9c, GM_TOM = 0xa0 };
    QTest *q = qtest_start_qmp(t, "-machine intelmac,host-bridge=945gm -m 192 -nodefaults");
    uint32_t bios;

    check_u32(t, qpci_readl(q, MCH, 0), 0x27a08086, "945GM");
    check_u32(t, qpci_readl(q, LPC, 0), 0x27b98086, "ICH7 LPC");
    check_u32(t, qtest_readl(q, 0xb0000000), 0x27a08086, "config space is memory");
    check_u8(t, qpci_readb(q, MCH, GM_TOLUD), 0x10, "256 MiB, the least that hold 192");
    check_u16(t, qpci_readw(q, MCH, GM_TOM), 2, "in pieces of 128");
    check_u32(t, qpci_readl(q, LPC, 0x40), 0x601, "power management ports");
    bios = qtest_readl(q, 0xffff0);
    check_u32(t, bios, qtest_readl(q, 0xfffffff0), "the BIOS is below 1 MiB");
    qtest_writel(q, 0xffff0, ~bios);
    check_u32(t, qtest_readl(q, 0xffff0), ~bios, "in RAM");
    qpci_writel(q, MCH, GM_PCIEXBAR, 0xc4000005);
    check_u32(t, qtest_readl(q, 0xc4000000), 0x27a08086, "64 MiB elsewhere");
    qpci_writeb(q, MCH, SMRAM, 0x4a);
    qtest_writel(q, 0xa0000, 0x22222222);
    check_u32(t, qtest_readl(q, 0xa0000), 0x22222222, "D_OPEN: RAM for everybody");
    qtest_reload(q);
    check_u32(t, qtest_readl(q, 0xc4000000), 0x27a08086, "after a load");
    check_u32(t, qtest_readl(q, 0xa0000), 0x22222222, "SMRAM too");
    qpci_writeb(q, MCH, SMRAM, 0x1a);
    qpci_writeb(q, MCH, GM_TOLUD, 0x88);
    check_u8(t, qpci_readb(q, MCH, GM_TOLUD), 0x10, "locked");
    qmp_cmd_ok(qtest_qmp(q), "system_reset", NULL, NULL);
    while (qtest_readl(q, 0xb0000000) != 0x27a08086) {
        g_usleep(100);                  /* the rest as it was */
    }
    check_u32(t, qtest_readl(q, 0xffff0), bios, "a reset brings the BIOS back");
}

TEST(q35, pam)
{
    QTest *q = q35(t);
    uint32_t rom = qtest_readl(q, 0xf0000);

    qtest_writel(q, 0xf0000, 0x12345678);
    check_u32(t, qtest_readl(q, 0xf0000), rom, "reset: the ROM behind PCI");
    qpci_writeb(q, MCH, PAM0, 0x10);
    check_true(t, qtest_readl(q, 0xf0000) != 0x12345678, "nothing was written to RAM");
    qpci_writeb(q, MCH, PAM0, 0x30);
    qtest_writel(q, 0xf0000, 0x9abcdef0);
    check_u32(t, qtest_readl(q, 0xf0000), 0x9abcdef0, "read and write");
    qpci_writeb(q, MCH, PAM0 + 6, 0x33);
    qtest_writel(q, 0xec000, 0x11223344);
    check_u32(t, qtest_readl(q, 0xec000), 0x11223344, "PAM6's high half is EC000h");
}

TEST(q35, ecam)
{
    QTest *q = q35(t);

    check_u32(t, qpci_readl(q, MCH, PCIEXBAR), 0xe0000000, "off, at E0000000h");
    qpci_writel(q, MCH, PCIEXBAR, 0xb0000001);
    check_u32(t, qtest_readl(q, 0xb0000000), 0x29c08086, "00:00.0");
    check_u32(t, qtest_readl(q, 0xb00f8000), 0x29188086, "00:1f.0");
    check_u16(t, qtest_readw(q, 0xb00f8002), 0x2918, "narrow");
    check_u32(t, qtest_readl(q, 0xb00f8100), UINT32_MAX, "it is no Express function");
    check_u32(t, qtest_readl(q, 0xbff00000), UINT32_MAX, "no bus 255");
    qtest_writeb(q, 0xb0000000 + PAM0, 0x30);
    check_u8(t, qpci_readb(q, MCH, PAM0), 0x30, "written too");
    qpci_writel(q, MCH, PCIEXBAR, 0xc4000005);
    check_u32(t, qtest_readl(q, 0xc4000000), 0x29c08086, "64 MiB may be at a multiple of it");
    check_true(t, qtest_readl(q, 0xb0000000) != 0x29c08086, "gone from the old place");
    qpci_writel(q, MCH, PCIEXBAR + 4, 1);
    qpci_writel(q, MCH, PCIEXBAR, 0x00000001);
    check_u32(t, qtest_readl(q, 0x100000000), 0x29c08086, "above 4 GiB");
    qtest_reload(q);
    check_u32(t, qtest_readl(q, 0x1000f8000), 0x29188086, "after a load");
    qpci_writel(q, MCH, PCIEXBAR, 0);
    check_true(t, qtest_readl(q, 0x100000000) != 0x29c08086, "off");
}

TEST(q35, smram)
{
    QTest *q = q35(t);

    qpci_writeb(q, MCH, SMRAM, 0x4a);
    qtest_writel(q, 0xa0000, 0x22222222);
    check_u32(t, qtest_readl(q, 0xa0000), 0x22222222, "D_OPEN: RAM for everybody");
    qpci_writeb(q, MCH, ESMRAMC, 0x80);
    check_u32(t, qtest_readl(q, 0xfeda0000), 0x22222222, "H_SMRAME: at FEDA0000h");
    check_true(t, qtest_readl(q, 0xa0000) != 0x22222222, "and not at A0000h");
    qpci_writeb(q, MCH, SMRAM, 0x0a);
    check_true(t, qtest_readl(q, 0xfeda0000) != 0x22222222, "closed");
    qpci_writeb(q, MCH, SMRAM, 0x5a);
    check_u8(t, qpci_readb(q, MCH, SMRAM), 0x1a, "D_LCK clears D_OPEN");
    qpci_writeb(q, MCH, SMRAM, 0x42);
    check_u8(t, qpci_readb(q, MCH, SMRAM), 0x1a, "and keeps all");
    qpci_writeb(q, MCH, ESMRAMC, 0x01);
    check_u8(t, qpci_readb(q, MCH, ESMRAMC), 0xb8, "of ESMRAMC too");
}

TEST(q35, tseg)
{
    QTest *q = q35(t);

    qtest_writel(q, TOP - 4, 0x33333333);
    qtest_writel(q, TOP - 0x200004, 0x44444444);
    qpci_writeb(q, MCH, ESMRAMC, 0x03);
    check_u32(t, qtest_readl(q, TOP - 4), 0x33333333, "not without G_SMRAME");
    qpci_writeb(q, MCH, SMRAM, 0x0a);
    check_u32(t, qtest_readl(q, TOP - 4), UINT32_MAX, "2 MiB below the top are SMM's");
    check_u32(t, qtest_readl(q, TOP - 0x200004), 0x44444444, "no more");
    qtest_writel(q, TOP - 4, 0);
    qpci_writeb(q, MCH, SMRAM, 0x4a);
    check_u32(t, qtest_readl(q, TOP - 4), 0x33333333, "open; what was written is lost");
    qpci_writeb(q, MCH, SMRAM, 0x1a);
    qtest_reload(q);
    check_u32(t, qtest_readl(q, TOP - 4), UINT32_MAX, "after a load");
    qpci_writeb(q, MCH, ESMRAMC, 0x00);
    check_u32(t, qtest_readl(q, TOP - 4), UINT32_MAX, "locked");
}

TEST(q35, extended_tseg)
{
    QTest *q = q35(t);

    qpci_writew(q, MCH, EXT_TSEG, 0xffff);
    check_u16(t, qpci_readw(q, MCH, EXT_TSEG), 16, "MiB");
    qtest_writel(q, TOP - 0x1000000, 0x55555555);
    qpci_writeb(q, MCH, SMRAM, 0x0a);
    qpci_writeb(q, MCH, ESMRAMC, 0x07);
    check_u32(t, qtest_readl(q, TOP - 0x1000000), UINT32_MAX, "TSEG_SZ 3");
    q = qtest_start(t, "-machine q35 -m 64 -nodefaults -global mch.extended-tseg-mbytes=0");
    qpci_writew(q, MCH, EXT_TSEG, 0xffff);
    check_u16(t, qpci_readw(q, MCH, EXT_TSEG), 0, "not offered");
}

TEST(q35, smram_at_the_default_smbase)
{
    QTest *q = q35(t);

    qtest_writel(q, 0x38000, 0x66666666);
    qpci_writeb(q, MCH, SMBASE_CTL, 0xff);
    check_u8(t, qpci_readb(q, MCH, SMBASE_CTL), 0x01, "offered");
    check_u32(t, qtest_readl(q, 0x38000), 0x66666666, "RAM until it is locked");
    qpci_writeb(q, MCH, SMBASE_CTL, 0x02);
    check_u8(t, qpci_readb(q, MCH, SMBASE_CTL), 0x02, "locked");
    check_u32(t, qtest_readl(q, 0x38000), UINT32_MAX, "SMM's only");
    qpci_writeb(q, MCH, SMBASE_CTL, 0x00);
    check_u32(t, qtest_readl(q, 0x38000), UINT32_MAX, "until a reset");
}

TEST(q35, memory_above_the_hole)
{
    QTest *q = qtest_start(t, "-machine q35 -m 3G -nodefaults -accel qtest");

    qtest_writel(q, 0x7ffffffc, 0x77777777);
    qtest_writel(q, 0x100000000, 0x88888888);
    check_u32(t, qtest_readl(q, 0x7ffffffc), 0x77777777, "2 GiB below");
    check_u32(t, qtest_readl(q, 0x100000000), 0x88888888, "the rest from 4 GiB");
    check_true(t, qtest_readl(q, 0x80000000) != 0x88888888, "the hole is PCI's");
}
