/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9 LPC: interrupt routing, power management, SMI, GPIO, chipset registers, TCO timer, SMBus. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define LPC     0xf8
#define SMB     0xfb
#define IO      0x600
#define TCO     (IO + 0x60)
#define GPIO    0x500
#define RCRB    0xfed1c000u
#define SMB_IO  0x700
#define NS      INT64_C(1000000000)

static QTest *lpc_with(Test *t, const char *args)
{
    QTest *q = qtest_start_qmp(t, "-machine q35 -m 64 -nodefaults %s", args);

    qpci_writel(q, LPC, 0x40, IO | 1);
    qpci_writeb(q, LPC, 0x44, 0x80);
    qpci_writel(q, LPC, 0xf0, RCRB | 1);
    qtest_irq_intercept_in(q, "/machine/q35/ioapic");
    return q;
}

static QTest *lpc(Test *t)
{
    return lpc_with(t, "");
}

TEST(ich9_lpc, registers)
{
    QTest *q = lpc(t);

    check_u8(t, qpci_readb(q, LPC, 0x60), 0x80, "reset: PIRQA is not routed");
    qpci_writel(q, LPC, 0x68, 0xffffffff);
    check_u32(t, qpci_readl(q, LPC, 0x68), 0x8f8f8f8f, "defined bits only");
    qpci_writel(q, LPC, 0x40, 0xffffffff);
    check_u32(t, qpci_readl(q, LPC, 0x40), 0xff81, "PMBASE");
    qtest_outb(q, 0xcf9, 0x02);
    check_u8(t, qtest_inb(q, 0xcf9), 0x02, "RST_CNT is between CF8h's bytes");
}

TEST(ich9_pm, timer_and_sci)
{
    QTest *q = lpc(t);
    uint32_t start = qtest_inl(q, IO + 8);

    qtest_clock_step(q, NS);
    check_u32(t, (qtest_inl(q, IO + 8) - start) & 0xffffff, 3579545, "3.579545 MHz");
    qtest_outw(q, IO, 0xffff);
    qtest_outw(q, IO + 2, 1);
    qtest_clock_step(q, 3 * NS);
    check_u16(t, qtest_inw(q, IO) & 1, 1, "TMROF");
    check_true(t, !qtest_irq_level(q, 9), "no SCI in legacy mode");
    qtest_outb(q, 0xb2, 2);
    check_u16(t, qtest_inw(q, IO + 4) & 1, 1, "the command 2 sets SCI_EN");
    check_true(t, qtest_irq_level(q, 9), "now it interrupts");
    qtest_reload(q);
    check_true(t, qtest_irq_level(q, 9), "after a load too");
    qpci_writeb(q, LPC, 0x44, 0x84);
    check_true(t, !qtest_irq_level(q, 9) && qtest_irq_level(q, 20), "SCI_IRQ_SEL 4 is IRQ 20");
    qtest_outw(q, IO, 1);
    check_true(t, !qtest_irq_level(q, 20), "until its status is cleared");
    qtest_outb(q, 0xb2, 3);
    check_u16(t, qtest_inw(q, IO + 4) & 1, 0, "3 goes back");
}

TEST(ich9_pm, power_button)
{
    QTest *q = lpc(t);

    qtest_outw(q, IO + 2, 0x0100);
    qtest_outb(q, 0xb2, 2);
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "system_powerdown", NULL, NULL), "system_powerdown");
    qtest_clock_step(q, 1000);
    check_true(t, qtest_irq_level(q, 9), "SCI");
    check_u16(t, qtest_inw(q, IO), 0x0100, "PWRBTN_STS");
    qtest_outb(q, IO + 1, 0x01);
    check_true(t, !qtest_irq_level(q, 9), "cleared by its byte");
}

TEST(ich9_pm, general_purpose_events)
{
    QTest *q = lpc(t);

    qtest_outl(q, IO + 0x28, 0xffffffff);
    check_u32(t, qtest_inl(q, IO + 0x2c), 0, "the upper half is reserved");
    qtest_outl(q, IO + 0x28, 0);
    qtest_outb(q, IO + 0x28, 0x04);
    check_u32(t, qtest_inl(q, IO + 0x28), 0x04, "enabled by a byte");
}

TEST(ich9_pm, smi_enable)
{
    QTest *q = lpc(t);

    check_u32(t, qtest_inl(q, IO + 0x30), 0x02, "reset: EOS");
    qtest_outl(q, IO + 0x30, 0x21);
    check_u32(t, qtest_inl(q, IO + 0x30), 0x23, "GBL_SMI_EN, APMC_EN");
    qtest_outb(q, 0xb2, 0x42);
    check_u32(t, qtest_inl(q, IO + 0x34), 0x20, "APM_STS");
    qtest_outl(q, IO + 0x34, 0x20);
    check_u32(t, qtest_inl(q, IO + 0x34), 0, "cleared by writing 1");
    qpci_writew(q, LPC, 0xa0, 0x10);
    qtest_outl(q, IO + 0x30, 0);
    check_u32(t, qtest_inl(q, IO + 0x30), 0x03, "SMI_LOCK: GBL_SMI_EN stays");
    qpci_writew(q, LPC, 0xa0, 0);
    check_u16(t, qpci_readw(q, LPC, 0xa0), 0x10, "and so does the lock");
    q = qtest_start(t, "-machine q35,smm=off -m 64 -nodefaults");
    qpci_writel(q, LPC, 0x40, IO | 1);
    qpci_writeb(q, LPC, 0x44, 0x80);
    check_u32(t, qtest_inl(q, IO + 0x30), 0x22, "without SMM firmware finds its set-up done");
}

TEST(ich9_lpc, apm_and_gpio)
{
    QTest *q = lpc(t);

    qtest_outb(q, 0xb3, 0x5a);
    qtest_outb(q, 0xb2, 0x42);
    check_u8(t, qtest_inb(q, 0xb3), 0x5a, "APM_STS");
    check_u8(t, qtest_inb(q, 0xb2), 0x42, "APM_CNT");
    qpci_writel(q, LPC, 0x48, GPIO | 1);
    qpci_writeb(q, LPC, 0x4c, 0x10);
    qtest_outl(q, GPIO + 0x0c, 0x12345678);
    check_u32(t, qtest_inl(q, GPIO + 0x0c), 0x12345678, "GP_LVL");
}

/* The bus master's interrupt: hostile writes to pins need a function that has one; the SMBus host does. */
TEST(ich9_lpc, routing)
{
    QTest *q = lpc(t);

    qpci_map(q, SMB, 4, SMB_IO);
    qpci_writeb(q, SMB, 0x40, 1);
    check_u16(t, qtest_readw(q, RCRB + 0x3140), 0x3210, "D31IR");
    check_u8(t, qpci_readb(q, SMB, 0x3d), 2, "INTB#");
    qtest_outb(q, SMB_IO + 4, 0x21);
    qtest_outb(q, SMB_IO + 2, 0x49);
    check_u8(t, qtest_inb(q, SMB_IO), 0x04, "nobody there: DEV_ERR");
    check_true(t, qtest_irq_level(q, 17), "PIRQB# is IRQ 17");
    qpci_writeb(q, LPC, 0x61, 10);
    check_true(t, qtest_irq_level(q, 10) && qtest_irq_level(q, 17), "and IRQ 10 when routed there");
    qtest_writew(q, RCRB + 0x3140, 0x3270);
    check_true(t, !qtest_irq_level(q, 17) && qtest_irq_level(q, 23), "D31IR leads it to PIRQH#");
    check_true(t, !qtest_irq_level(q, 10), "which isn't routed");
    qtest_reload(q);
    check_true(t, qtest_irq_level(q, 23), "after a load");
    qtest_outb(q, SMB_IO, 0xfe);
    check_true(t, !qtest_irq_level(q, 23), "cleared at its source");
}

TEST(ich9_smbus, spd)
{
    QTest *q = lpc(t);

    qpci_map(q, SMB, 4, SMB_IO);
    check_u8(t, qtest_inb(q, SMB_IO), 0xff, "disabled");
    qpci_writeb(q, SMB, 0x40, 1);
    qtest_outb(q, SMB_IO + 4, 0xa1);
    qtest_outb(q, SMB_IO + 3, 2);
    qtest_outb(q, SMB_IO + 2, 0x48);
    check_u8(t, qtest_inb(q, SMB_IO), 0x02, "INTR");
    check_u8(t, qtest_inb(q, SMB_IO + 5), 8, "DDR2");
}

static void start_tco(QTest *q)
{
    qtest_outw(q, TCO + 0x12, 10);
    qtest_outw(q, TCO + 0x08, 0);
    qtest_outw(q, TCO, 1);
}

TEST(tco, counts)
{
    QTest *q = lpc(t);

    start_tco(q);
    check_u16(t, qtest_inw(q, TCO), 10, "loaded");
    qtest_clock_step(q, 3 * NS);
    check_u16(t, qtest_inw(q, TCO), 5, "0.6 s a tick");
    qtest_reload(q);
    check_u16(t, qtest_inw(q, TCO), 5, "after a load");
    qtest_clock_step(q, 3 * NS);
    check_u16(t, qtest_inw(q, TCO + 4), 0x08, "TIMEOUT");
    check_u16(t, qtest_inw(q, TCO), 10, "loaded again");
    qtest_outw(q, TCO + 4, 0x08);
    qtest_clock_step(q, 3 * NS);
    qtest_outw(q, TCO, 1);
    qtest_clock_step(q, 4 * NS);
    check_u16(t, qtest_inw(q, TCO + 4), 0, "reloaded in time");
    qtest_outw(q, TCO + 8, 0x1800);
    qtest_clock_step(q, 20 * NS);
    check_u16(t, qtest_inw(q, TCO + 4), 0, "halted");
    qtest_outw(q, TCO + 8, 0);
    check_u16(t, qtest_inw(q, TCO + 8), 0x1800, "TCO_LOCK");
}

TEST(tco, smi)
{
    QTest *q = lpc(t);

    qtest_outl(q, IO + 0x30, 0x2000);
    start_tco(q);
    qtest_clock_step(q, 7 * NS);
    check_u32(t, qtest_inl(q, IO + 0x34), 0x2000, "TCO_STS");
    qtest_outb(q, TCO + 2, 0x77);
    check_u8(t, qtest_inb(q, TCO + 4), 0x0a, "SW_TCO_SMI");
}

TEST(tco, second_timeout)
{
    QTest *q = lpc(t);

    check_u32(t, qtest_readl(q, RCRB + 0x3410) & 0x20, 0x20, "the strap sets NO_REBOOT");
    qtest_writel(q, RCRB + 0x3410, 0);
    check_u32(t, qtest_readl(q, RCRB + 0x3410) & 0x20, 0x20, "for good");
    start_tco(q);
    qtest_clock_step(q, 13 * NS);
    check_u16(t, qtest_inw(q, TCO + 6), 0x02, "SECOND_TO_STS");
    q = lpc_with(t, "-global ICH9-LPC.noreboot=false -watchdog-action poweroff");
    start_tco(q);
    qtest_clock_step(q, 7 * NS);
    check_u16(t, qtest_inw(q, TCO + 4), 0x08, "the first time");
    qtest_ask(q, NULL, "clock_step %" PRId64, 7 * NS);
    check_true(t, qtest_wait(q) == 0, "the watchdog has expired");
}

/* ICH7 data sheet 307013, 10.8.3: GPE0 is at 28h, 32 bits of status and of enables. */
TEST(ich7, functions_and_gpe0)
{
    static const struct { uint8_t devfn; uint32_t id; } functions[] = {
        { 0xf8, 0x27b98086 }, { 0xf9, 0x27df8086 }, { 0xfa, 0x27c58086 }, { 0xfb, 0x27da8086 }, { 0xd8, 0x27d88086 },
        { 0xe8, 0x27c88086 }, { 0xe9, 0x27c98086 }, { 0xea, 0x27ca8086 }, { 0xef, 0x27cc8086 },
    };
    QTest *q = lpc_with(t, "-machine intelmac");

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        check_u32(t, qpci_readl(q, functions[i].devfn, 0), functions[i].id, "the ICH7's");
    }
    qtest_outl(q, IO + 0x2c, 0xffffffff);
    check_u32(t, qtest_inl(q, IO + 0x2c), 0xffff3dff, "GPE0_EN");
    qtest_outw(q, IO + 0x2e, 0);
    check_u32(t, qtest_inl(q, IO + 0x2c), 0x3dff, "its halves");
    check_u32(t, qtest_inl(q, IO + 0x20), 0, "nothing where the ICH9 has it");
    qtest_outl(q, IO + 0x20, 0xffffffff);
    qtest_reload(q);
    check_u32(t, qtest_inl(q, IO + 0x2c), 0x3dff, "saved");
    qtest_outb(q, 0x304, 0x10);
    check_u8(t, qtest_inb(q, 0x304), 4, "the System Management Controller takes a command");
}
