/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI Express: capabilities, the slots of ports, hot-plug by their registers and by ACPI's, switches. */
#include "util/osdep.h"
#include <glib.h>
#include <stdlib.h>
#include "qobject/json.h"
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

/* ------------------------------------------------------ error reporting */

#define ECAM    0xb0000000
enum { UNCOR = 0x04, UNCOR_MASK = 0x08, UNCOR_SEVERITY = 0x0c, COR = 0x10, COR_MASK = 0x14, CAP = 0x18, LOG = 0x1c,
       ROOT_COMMAND = 0x2c, ROOT_STATUS = 0x30, ROOT_SOURCE = 0x34, PREFIX_LOG = 0x38 };

/* A register of the capability AER, which ports have at 100h. */
static uint64_t aer(unsigned bdf, unsigned reg)
{
    return ECAM + (bdf << 12) + 0x100 + reg;
}

static bool inject(QTest *q, const char *args)
{
    return qmp_cmd_ok(qtest_qmp(q), "pcie-aer-inject-error", qobject_to_dict(json_parse(args, NULL)), NULL);
}

/* A root port, and below it a function that finds the errors. */
static QTest *start_aer_of(Test *t, const char *args)
{
    QTest *q = start(t, args);

    qpci_writel(q, 0, 0x60, ECAM | 1);
    qpci_writew(q, PORT, 0x3e, 0x0002);                 /* SERR# enable */
    qpci_writew(q, PORT, cap(q, PORT, 0x10) + 8, 0x0007);
    qpci_writew(q, BEHIND, cap(q, BEHIND, 0x10) + 8, 0x0007);
    qtest_writel(q, aer(PORT, ROOT_COMMAND), 7);
    return q;
}

static QTest *start_aer(Test *t)
{
    return start_aer_of(t, NATIVE ROOT "-device x3130-upstream,id=up,bus=rp");
}

static void endpoint_finds_errors(Test *t, const char *args)
{
    QTest *q = start_aer_of(t, args);

    check_u16(t, qtest_readl(q, aer(BEHIND, 0)) & 0xffff, 0x0001, "AER comes first");
    check_true(t, inject(q, "{\"id\": \"ep\", \"error\": \"BAD_DLLP\"}"), "a correctable error");
    check_u32(t, qtest_readl(q, aer(BEHIND, COR)), 0x80, "its bit");
    check_true(t, inject(q, "{\"id\": \"ep\", \"error\": \"COMP_TIME\", \"header\": [1, 2, 3, 4]}"), "not fatal");
    check_true(t, inject(q, "{\"id\": \"ep\", \"error\": \"MALF_TLP\"}"), "fatal");
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0x44000, "both bits");
    check_u32(t, qtest_readl(q, aer(BEHIND, LOG + 4)), 2, "the first one's header");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0x6d, "the root port was told all three");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_SOURCE)), 0x01000100, "by 01:00.0");
    qtest_reload(q);
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0x44000, "saved");
    qtest_writel(q, aer(BEHIND, UNCOR), 0x44000);
    qtest_writel(q, aer(BEHIND, COR), 0x80);
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)) | qtest_readl(q, aer(BEHIND, COR)), 0, "cleared by writing 1");
}

TEST(pcie, errors_of_endpoints)
{
    endpoint_finds_errors(t, NATIVE ROOT "-device virtio-rng-pci,id=ep,bus=rp,aer=on");
    endpoint_finds_errors(t, NATIVE ROOT "-device e1000e,id=ep,bus=rp");
}

TEST(pcie, no_errors_without_the_capability)
{
    QTest *q = start(t, NATIVE ROOT "-device virtio-rng-pci,id=ep,bus=rp -device virtio-rng-pci,id=flat,aer=on");

    check_true(t, !inject(q, "{\"id\": \"ep\", \"error\": \"BAD_DLLP\"}"), "aer=off is the default");
    check_true(t, !inject(q, "{\"id\": \"flat\", \"error\": \"BAD_DLLP\"}"), "and no function of pcie.0's has it");
}

TEST(pcie, errors_are_logged_and_told)
{
    QTest *q = start_aer(t);
    unsigned line = 0;
    QObject *place;

    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"BAD_TLP\"}"), "a correctable one");
    check_u32(t, qtest_readl(q, aer(BEHIND, COR)), 0x40, "its bit");
    check_u16(t, qpci_readw(q, BEHIND, cap(q, BEHIND, 0x10) + 10) & 0xf, 1, "device status");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0x01, "the root port has the message");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_SOURCE)), 0x0100, "from there");
    for (unsigned i = 0; i < 24; i++) {
        line |= qtest_irq_level(q, i) ? 1u << i : 0;
    }
    check_true(t, line, "INTA#");
    check_true(t, inject(q, "{\"id\": \"rp\", \"error\": \"RCVR\"}"), "and its own");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0x03, "more than one");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_SOURCE)), 0x0100, "the first counts");
    qtest_writel(q, aer(PORT, ROOT_STATUS), 0x03);
    for (unsigned i = 0; i < 24; i++) {
        check_true(t, !(line >> i & 1 && qtest_irq_level(q, i)), "seen: INTA# falls");
    }
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"POISON_TLP\", \"header\": [1, 2, 3, 4294967295]}"), "not fatal");
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"0x40000\", \"header\": [5, 6, 7, 8]}"), "fatal");
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0x41000, "both bits");
    check_u32(t, qtest_readl(q, aer(BEHIND, CAP)) & 0x1f, 12, "the first");
    check_u32(t, qtest_readl(q, aer(BEHIND, LOG)), 1, "and its header");
    check_u32(t, qtest_readl(q, aer(BEHIND, LOG + 12)), 0xffffffff, "whole");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0x6c, "one of each, the first not fatal");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_SOURCE)), 0x01000100, "from there");
    qtest_reload(q);
    check_u32(t, qtest_readl(q, aer(BEHIND, LOG + 12)), 0xffffffff, "saved");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0x6c, "all of it");
    qtest_writel(q, aer(BEHIND, UNCOR), 0x1000);
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"UNSUP\", \"header\": [9, 9, 9, 9], \"prefix\": [1, 2, 3, 4]}"),
               "another");
    check_u32(t, qtest_readl(q, aer(BEHIND, CAP)) & 0x81f, 0x814, "the log is free again");
    check_u32(t, qtest_readl(q, aer(BEHIND, PREFIX_LOG + 4)), 2, "prefixes");
    check_u16(t, qpci_readw(q, BEHIND, cap(q, BEHIND, 0x10) + 10) & 0xf, 0xf, "device status: each kind");
    place = qmp_cmd(qtest_qmp(q), "pcie-aer-inject-error", qdict_from_fmt("{'id': 'up', 'error': 'RCVR'}"), NULL);
    check_int(t, qdict_int_or(qobject_to_dict(place), "bus", -1), 1, "where");
    check_str(t, qdict_str_or(qobject_to_dict(place), "root-bus", ""), "pcie.0", "behind which bus");
    qobject_unref(place);
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "system_reset", NULL, NULL), "reset");
    qobject_unref(qmp_wait_event(qtest_qmp(q), "RESET", 10000, NULL));
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0xffffffff, "reset: no ECAM");
    qpci_writel(q, 0, 0x60, ECAM | 1);
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0, "and nothing in the registers");
}

TEST(pcie, errors_masked_and_advisory)
{
    QTest *q = start_aer(t);

    qtest_writel(q, aer(BEHIND, UNCOR_MASK), 0x1000);
    qtest_writel(q, aer(BEHIND, COR_MASK), 0x2001);
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"POISON_TLP\"}") &&
                  inject(q, "{\"id\": \"up\", \"error\": \"1\", \"correctable\": true}"), "masked");
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0x1000, "logged");
    check_u32(t, qtest_readl(q, aer(BEHIND, COR)), 0x1, "both");
    check_u32(t, qtest_readl(q, aer(BEHIND, LOG)), 0, "without a header");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0, "nobody is told");
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"COMP_TIME\", \"advisory\": true}"), "advisory, masked");
    check_u32(t, qtest_readl(q, aer(BEHIND, COR)), 0x2001, "as a correctable one");
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0x1000, "no more");
    qtest_writel(q, aer(BEHIND, COR_MASK), 0);
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"COMP_TIME\", \"advisory\": true}"), "not masked");
    check_u32(t, qtest_readl(q, aer(BEHIND, UNCOR)), 0x5000, "its own bit, too");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0x01, "told as a correctable one");
    qtest_writel(q, aer(PORT, ROOT_STATUS), 0x7f);
    qpci_writew(q, PORT, 0x3e, 0);
    check_true(t, inject(q, "{\"id\": \"up\", \"error\": \"DLP\"}"), "fatal");
    check_u32(t, qtest_readl(q, aer(PORT, ROOT_STATUS)), 0, "the bridge passes nothing on");
    check_u16(t, qpci_readw(q, PORT, 0x1e) & 0x4000, 0x4000, "but has seen it");
    check_true(t, !inject(q, "{\"id\": \"up\", \"error\": \"3\"}") && !inject(q, "{\"id\": \"up\", \"error\": \"WHAT\"}") &&
                  !inject(q, "{\"id\": \"up\", \"error\": \"DLP\", \"correctable\": true}") &&
                  !inject(q, "{\"id\": \"up\", \"error\": \"DLP\", \"header\": [1]}") &&
                  !inject(q, "{\"id\": \"none\", \"error\": \"DLP\"}") &&
                  !inject(q, "{\"id\": \"/machine/q35/mch\", \"error\": \"DLP\"}"), "refused");
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
