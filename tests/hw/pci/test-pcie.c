/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI Express: capabilities, the slots of ports, hot-plug by their registers and by ACPI's, switches. */
#include "util/osdep.h"
#include <glib.h>
#include <stdlib.h>
#include "qobject/qobject.h"
#include "tests/lib/qtest.h"

#define PORT    0x20                    /* 04.0 */
#define BEHIND  0x100                   /* 01:00.0 */
#define NATIVE  "-M q35 -m 64 -nodefaults -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
#define ROOT    "-device pcie-root-port,id=rp,addr=4,chassis=1,slot=7 "

enum { SLTCAP = 0x14, SLTCTL = 0x18, SLTSTA = 0x1a, LNKSTA = 0x12 };
enum { ABP = 0x0001, PDC = 0x0008, CC = 0x0010, PDS = 0x0040, DLLSC = 0x0100 };        /* of SLTSTA */
enum { ON = 0x01c0, OFF = 0x07c0, HPIE = 0x0020 };                                      /* of SLTCTL */

static QTest *start(Test *t, const char *args)
{
    QTest *q = qtest_start_qmp(t, "%s", args);

    qpci_writel(q, PORT, 0x18, 0x00010100);             /* primary 0, secondary 1, subordinate 1 */
    qtest_irq_intercept_in(q, "/machine/q35/ioapic");
    return q;
}

static unsigned cap(QTest *q, unsigned bdf, uint8_t id)
{
    unsigned at = qpci_readb(q, bdf, 0x34);

    for (unsigned n = 0; at && n < 48 && qpci_readb(q, bdf, at) != id; n++) {
        at = qpci_readb(q, bdf, at + 1);
    }
    return at;
}

static bool add(Test *t, QTest *q, const char *bus)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(qtest_qmp(q), "device_add", qdict_from_fmt("{'driver': 'virtio-rng-pci', 'id': 'rng', "
                         "'bus': %s}", bus), &err);

    if (err) {
        test_note(t, "%s", error_message(err));
        error_free(err);
    }
    return ok;
}

static bool del(QTest *q)
{
    return qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'rng'}"), NULL);
}

static bool gone(QTest *q)
{
    QDict *event = qmp_wait_event(qtest_qmp(q), "DEVICE_DELETED", 10000, NULL);
    bool ok = event != NULL;

    qobject_unref(event);
    return ok;
}

TEST(pcie, capabilities)
{
    QTest *q = start(t, NATIVE ROOT "-device virtio-rng-pci,bus=rp");
    unsigned at = cap(q, PORT, 0x10), slot = at + SLTCAP;

    check_u16(t, qpci_readw(q, PORT, at + 2), 0x0142, "version 2, root port, slot");
    check_u32(t, qpci_readl(q, PORT, slot), 7 << 19 | 0x5b, "slot 7: button, indicators, power, hot-plug");
    check_true(t, cap(q, PORT, 0x11) && cap(q, PORT, 0x01), "MSI-X and power management");
    check_u16(t, qpci_readw(q, PORT, at + LNKSTA) & 0x2000, 0x2000, "the link is active");
    at = cap(q, BEHIND, 0x10);
    check_u16(t, qpci_readw(q, BEHIND, at + 2), 0x0002, "endpoint");
    check_u32(t, qpci_readl(q, BEHIND, 0), 0x10441af4, "behind a port virtio has no legacy interface");
    qpci_writel(q, 0, 0x60, 0xb0000001);
    check_u32(t, qtest_readl(q, 0xb0000000 + (PORT << 12) + 0x100), 0x14820001, "AER, then what is at 148h");
    check_u32(t, qtest_readl(q, 0xb0000000 + (PORT << 12) + 0x148), 0x0001000d, "ACS");
    check_u32(t, qtest_readl(q, 0xb0000000 + (BEHIND << 12) + 0x100), 0, "no extended capability");
}

TEST(pcie, root_bus)
{
    QTest *q = qtest_start_qmp(t, "-M q35 -nodefaults -device virtio-rng-pci,addr=3");

    check_u32(t, qpci_readl(q, 0x18, 0), 0x10051af4, "on the root bus virtio is transitional");
    check_true(t, !cap(q, 0x18, 0x10), "and conventional");
    check_true(t, !add(t, q, "pcie.0"), "nothing comes there while the guest runs");
}

TEST(pcie, native_plug)
{
    QTest *q = start(t, NATIVE ROOT);
    unsigned at = cap(q, PORT, 0x10);

    check_u16(t, qpci_readw(q, PORT, at + SLTCTL), OFF, "empty: off");
    qpci_writew(q, PORT, at + SLTCTL, OFF | HPIE | PDC | ABP);
    check_u16(t, qpci_readw(q, PORT, at + SLTSTA), CC, "the command is completed");
    qpci_writew(q, PORT, at + SLTSTA, CC);
    check_true(t, add(t, q, "rp"), "device_add");
    check_u16(t, qpci_readw(q, PORT, at + SLTSTA), PDS | PDC | ABP, "presence, and the attention button");
    check_true(t, qtest_irq_level(q, 20), "interrupt");
    check_u32(t, qpci_readl(q, BEHIND, 0), UINT32_MAX, "without power nobody answers");
    qpci_writew(q, PORT, at + SLTSTA, PDC | ABP);
    check_true(t, !qtest_irq_level(q, 20), "acknowledged");
    qpci_writew(q, PORT, at + SLTCTL, ON | HPIE | PDC | ABP);
    check_u16(t, qpci_readw(q, PORT, at + SLTSTA), PDS | CC | DLLSC, "power: the link comes up");
    check_u32(t, qpci_readl(q, BEHIND, 0), 0x10441af4, "it answers");
    qtest_reload(q);
    check_u16(t, qpci_readw(q, PORT, at + SLTCTL), ON | HPIE | PDC | ABP, "after a load");
    check_u32(t, qpci_readl(q, BEHIND, 0), 0x10441af4, "it answers");
    qpci_writew(q, PORT, at + SLTSTA, 0xffff);
    check_true(t, del(q), "device_del");
    check_u16(t, qpci_readw(q, PORT, at + SLTSTA), PDS | ABP, "the attention button");
    check_true(t, qtest_irq_level(q, 20), "interrupt");
    qpci_writew(q, PORT, at + SLTSTA, ABP);
    qpci_writew(q, PORT, at + SLTCTL, OFF | HPIE | PDC | ABP);
    check_true(t, gone(q), "power off: it goes");
    check_u16(t, qpci_readw(q, PORT, at + SLTSTA) & (PDS | PDC), PDC, "absent");
}

TEST(pcie, power_off_alone)
{
    QTest *q = start(t, NATIVE ROOT "-device virtio-rng-pci,bus=rp,id=rng");
    unsigned at = cap(q, PORT, 0x10);

    check_u16(t, qpci_readw(q, PORT, at + SLTCTL), ON, "occupied: on");
    qpci_writew(q, BEHIND, 4, 7);
    qpci_writew(q, PORT, at + SLTCTL, OFF);
    check_u32(t, qpci_readl(q, BEHIND, 0), UINT32_MAX, "off");
    qpci_writew(q, PORT, at + SLTCTL, ON);
    check_u32(t, qpci_readl(q, BEHIND, 0), 0x10441af4, "on again: a guest can't take away what no user asked for");
    check_u16(t, qpci_readw(q, BEHIND, 4), 0, "it was reset");
}

TEST(pcie, unplug_without_power)
{
    QTest *q = start(t, NATIVE ROOT);

    check_true(t, add(t, q, "rp") && del(q) && gone(q), "it goes at once");
}

TEST(pcie, acpi_plug)
{
    QTest *q = start(t, "-M q35 -m 64 -nodefaults " ROOT);

    qpci_writel(q, 0xf8, 0x40, 0x601);
    qpci_writeb(q, 0xf8, 0x44, 0x80);
    qtest_outb(q, 0xb2, 2);
    qtest_outb(q, 0x628, 0x02);
    check_true(t, add(t, q, "rp"), "device_add");
    check_u8(t, qtest_inb(q, 0x620), 0x02, "event 1");
    check_true(t, qtest_irq_level(q, 9), "SCI");
    check_u32(t, qpci_readl(q, BEHIND, 0), 0x10441af4, "it answers");
    qtest_outl(q, 0xcd0, 1);
    check_u32(t, qtest_inl(q, 0xcc0), 0, "there is no second bus");
    qtest_outl(q, 0xcd0, 0);
    qtest_reload(q);
    check_u32(t, qtest_inl(q, 0xcc0), 1, "PCIU");
    check_u32(t, qtest_inl(q, 0xcc0), 0, "cleared by reading");
    check_u32(t, qtest_inl(q, 0xccc), 1, "PRMV");
    check_true(t, del(q), "device_del");
    check_u32(t, qtest_inl(q, 0xcc4), 1, "PCID");
    qtest_outl(q, 0xcc8, 1);
    check_true(t, gone(q), "ejected");
}

TEST(pcie, fixed_slot)
{
    QTest *q = start(t, "-M q35 -m 64 -nodefaults -device pcie-root-port,id=rp,addr=4,hotplug=off");

    check_true(t, !add(t, q, "rp"), "hotplug=off");
    check_u32(t, qpci_readl(q, PORT, cap(q, PORT, 0x10) + SLTCAP), 0, "no hot-plug capability");
}

TEST(pcie, switch_and_bridge)
{
    QTest *q = start(t, NATIVE "-device ioh3420,id=rp,addr=4 -device x3130-upstream,id=up,bus=rp "
                        "-device xio3130-downstream,id=down,bus=up,addr=1 -device pcie-pci-bridge,id=pci.9,bus=down "
                        "-device virtio-rng-pci,bus=pci.9,addr=3");

    qpci_writel(q, PORT, 0x18, 0x00040100);
    qpci_writel(q, 0x100, 0x18, 0x00040201);
    qpci_writel(q, 0x208, 0x18, 0x00040302);
    qpci_writel(q, 0x300, 0x18, 0x00040403);
    check_u32(t, qpci_readl(q, PORT, 0), 0x34208086, "ioh3420");
    check_u32(t, qpci_readl(q, 0x100, 0), 0x8232104c, "upstream port");
    check_u32(t, qpci_readl(q, 0x208, 0), 0x8233104c, "downstream port");
    check_u32(t, qpci_readl(q, 0x300, 0), 0x000e1b36, "bridge");
    check_u32(t, qpci_readl(q, 0x418, 0), 0x10051af4, "a conventional function");
}

TEST(pcie, refused)
{
    static const char *const args[] = {
        "-M q35 -device pcie-root-port,id=rp -device virtio-rng-pci,bus=rp,addr=1",
        "-M pc -device pcie-root-port",
        "-M q35 -device x3130-upstream",
        "-M q35 -device pcie-root-port,id=rp -device xio3130-downstream,bus=rp",
        "-M q35 -device pcie-root-port,pref32-reserve=1M,pref64-reserve=1M",
    };

    for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
        g_autofree char *command = g_strdup_printf("%s -nodefaults -display none -accel qtest %s > /dev/null 2>&1",
                                                   test_qemu_bin(), args[i]);

        check_true(t, system(command) != 0, args[i]);
    }
}
