/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What printers of devices make of registers and of guest memory. */
#include "util/osdep.h"
#include <glib.h>
#include "tests/lib/qtest.h"
#include "util/bswap.h"

static char *state(Test *t, QTest *q, const char *path)
{
    QDict *args = qdict_from_fmt("{'command-line': %p}", qstring_from_printf("info device-state %s", path));
    Error *err = NULL;
    QObject *result = qmp_cmd(qtest_qmp(q), "human-monitor-command", args, &err);
    char *text = g_strdup(qobject_to_string(result) ? qstring_value(result) : "");

    check_true(t, result && !strstr(text, "Error:") && !strstr(text, "can't be shown"), path);
    error_free(err);
    qobject_unref(result);
    return text;
}

/* Each of the texts, in this order. */
static void has(Test *t, const char *text, const char *const *parts)
{
    const char *at = text;

    for (const char *const *p = parts; *p; p++) {
        const char *found = strstr(at, *p);

        if (!check_true(t, found, *p)) {
            test_note(t, "%s", at);
            return;
        }
        at = found + strlen(*p);
    }
}
#define HAS(t, text, ...) has(t, text, (const char *const[]){ __VA_ARGS__, NULL })

TEST(state_printers, interrupt_controllers)
{
    QTest *q = qtest_start_qmp(t, "-machine pc,hpet=off -m 16 -nodefaults");
    g_autofree char *pic = NULL, *ioapic = NULL, *apic = NULL;

    qtest_outb(q, 0x43, 0x30);                  /* timer 0, mode 0: its output is low */
    for (unsigned i = 0; i < 2; i++) {
        uint16_t port = i ? 0xa0 : 0x20;

        qtest_outb(q, port, 0x11);
        qtest_outb(q, port + 1, i ? 0x70 : 0x08);
        qtest_outb(q, port + 1, i ? 0x02 : 0x04);
        qtest_outb(q, port + 1, 0x01);
        qtest_outb(q, port + 1, 0xff);
    }
    qtest_outb(q, 0x40, 0x10);
    qtest_outb(q, 0x40, 0x00);
    qtest_clock_step(q, 100000);
    pic = state(t, q, "/machine/unattached/device[3]");
    HAS(t, pic, "irr:", "[IR0]", "imr:", "[IR0 IR1", "vectors - ", "pending:", "input:", "0", "vector:", "8", "masked:", "true");
    qtest_writel(q, 0xfec00000, 0x14);
    qtest_writel(q, 0xfec00010, 0x8931);
    ioapic = state(t, q, "/machine/i440fx/ioapic");
    HAS(t, ioapic, "redir:", "[2]:", "LOGICAL REMOTE_IRR LEVEL", "lowest priority, to logical 0x00, level", "inputs - ",
        "input2:", "asserted:", "true");
    qtest_writel(q, 0xfee00320, 0x20040);
    qtest_writel(q, 0xfee003e0, 0xb);
    qtest_writel(q, 0xfee00380, 1000000);
}

TEST(state_printers, timers_and_clock)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults");
    g_autofree char *pit = NULL, *rtc = NULL;

    qtest_outb(q, 0x43, 0x34);
    qtest_outb(q, 0x40, 0x9c);
    qtest_outb(q, 0x40, 0x2e);
    pit = state(t, q, "/machine/unattached/device[5]");
    HAS(t, pit, "rate generator", "timer0 (IRQ0)", "0x00002e9c (11932)", "99.99");
    qtest_outb(q, 0x70, 0x0a);
    qtest_outb(q, 0x71, 0x26);
    qtest_outb(q, 0x70, 0x0b);
    qtest_outb(q, 0x71, 0x42);
    qtest_outb(q, 0x70, 0x05);
    qtest_outb(q, 0x71, 0xc0);
    rtc = state(t, q, "/machine/unattached/device[6]");
    if (strstr(rtc, "mc146818rtc")) {
        HAS(t, rtc, "control - ", "periodic interrupt at 1024 Hz", "[PIE 24H]", "alarm", "**:");
    }
}

TEST(state_printers, timers_of_q35)
{
    QTest *q = qtest_start_qmp(t, "-machine q35 -m 16 -nodefaults");
    g_autofree char *all = NULL;

    qtest_writel(q, 0xfed00108, 1000);
    qtest_writel(q, 0xfed00100, 0x104 | 20 << 9);
    qtest_writel(q, 0xfed00010, 1);
    qtest_outw(q, 0x600 + 0x60 + 0x12, 4);
    all = state(t, q, "");
    HAS(t, all, "(hpet)", "config:", "[ENABLE_CNF]", "INT_ENB", "32MODE", "INT_ROUTE=20", "compare:", "0x00000000000003e8 (1000)");
    HAS(t, all, "(ICH9-LPC)", "gpe_sts:", "tco:", "cnt1:");
}

TEST(state_printers, express_functions)
{
    QTest *q = qtest_start_qmp(t, "-machine q35 -m 16 -nodefaults -device pcie-root-port,id=rp,addr=4 "
                                  "-device e1000e,id=nic,bus=rp,mac=52:54:00:12:34:56");
    QDict *args = qdict_from_fmt("{'id': 'nic', 'error': 'POISON_TLP', 'header': [%d, 0, 0, 3]}", 0x12345678);
    QObject *r = qmp_cmd(qtest_qmp(q), "pcie-aer-inject-error", args, NULL);
    g_autofree char *nic = NULL, *port = NULL;

    check_true(t, r, "it finds an error");
    qobject_unref(r);
    nic = state(t, q, "nic");
    HAS(t, nic, "express", "device-status:", "[NONFATAL]", "extended-capabilities:", "advanced-error-reporting", "uncorrectable-status:",
        "[POISON_TLP]", "control:", "[FIRST=12]", "header-log-0:", "0x12345678", "serial-number", "number:");
    port = state(t, q, "rp");
    HAS(t, port, "express", "[VERSION=2 TYPE=4 SLOT", "slot-status:", "PRESENT", "advanced-error-reporting", "root-status:",
        "access-control-services", "VALIDATION");
}

TEST(state_printers, sound_in_memory)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults -audiodev none,id=a -device intel-hda,id=h "
                                  "-device hda-duplex,audiodev=a -device AC97,id=ac,audiodev=a");
    int bdf = qpci_find(q, 0x8086, 0x2668), ac97 = qpci_find(q, 0x8086, 0x2415);
    uint8_t d[32] = { 0 };
    g_autofree char *hda = NULL, *ac = NULL;

    if (!check_true(t, bdf >= 0 && ac97 >= 0, "they are there")) {
        return;
    }
    qpci_map(q, (unsigned)bdf, 0, 0xe0000000);
    qtest_writel(q, 0xe0000008, 1);
    store_le32(d, 0x400000);
    store_le32(d + 8, 0x1000);
    store_le32(d + 16, 0x401000);
    store_le32(d + 24, 0x800);
    store_le32(d + 28, 1);
    qtest_write(q, 0x200000, d, sizeof(d));
    qtest_writel(q, 0xe0000118, 0x200000);
    qtest_writew(q, 0xe000010c, 1);
    qtest_writew(q, 0xe0000112, 0x4011);
    qtest_writel(q, 0x300004, 0x202a0000 | 0xf00);
    qtest_writel(q, 0xe0000040, 0x300000);
    qtest_writew(q, 0xe0000048, 1);
    qtest_writel(q, 0xe0000050, 0x300800);
    hda = state(t, q, "h --all");
    HAS(t, hda, "streams - ", "out0:", "running:", "false", "44100 Hz, 16 bits, 2 channels", "buffers:", "[0]:",
        "0x0000000000400000 -> pc.ram+0x400000 (RAM)", "[1]:", "0x00000800 (2048)", "[IOC]", "command-ring - ", "[0]:", "codec:", "2",
        "node:", "2", "0xa0f00", "response-ring - ");
    qtest_writel(q, 0xe0000040, 0x80000000);
    g_free(hda);
    hda = state(t, q, "h");
    HAS(t, hda, "isn't in memory that the device reaches");

    qpci_map(q, (unsigned)ac97, 1, 0xc400);
    qtest_writel(q, 0x200000, 0x500000);
    qtest_writel(q, 0x200004, 0x80000100);
    qtest_outl(q, 0xc410, 0x200000);
    ac = state(t, q, "ac");
    HAS(t, ac, "channels - ", "pcm-out:", "buffers:", "0x00500000 -> pc.ram+0x500000 (RAM)", "samples:", "0x0100 (256)", "[IOC]");
}

TEST(state_printers, e1000_rings)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults -device e1000,id=n,mac=52:54:00:12:34:56");
    int bdf = qpci_find(q, 0x8086, 0x100e);
    uint8_t d[16] = { 0 };
    g_autofree char *text = NULL, *all = NULL;

    if (!check_true(t, bdf >= 0, "it is there")) {
        return;
    }
    qpci_map(q, (unsigned)bdf, 0, 0xe0000000);
    for (unsigned i = 0; i < 8; i++) {
        store_le64(d, 0x300000 + 0x1000 * i);
        store_le32(d + 8, 0x2b000000 | 0x40 * (i + 1));         /* EOP IFCS RS DEXT */
        qtest_write(q, 0x200000 + 16 * i, d, sizeof(d));
    }
    qtest_writel(q, 0xe0003800, 0x200000);
    qtest_writel(q, 0xe0003808, 0x80);
    qtest_writel(q, 0xe0003810, 2);
    qtest_writel(q, 0xe0003818, 4);
    text = state(t, q, "n");
    HAS(t, text, "52:54:00:12:34:56", "tx-ring - ", "head:", "2", "tail:", "4", "hardware's: 2 of 8", "[0]:", "index:",
        "2", "buffer:", "0x0000000000302000 -> pc.ram+0x302000 (RAM)", "[EOP IFCS RS DEXT]", "[1]:", "0x0000000000303000");
    qtest_writel(q, 0xe0003818, 0xffff);
    all = state(t, q, "n --all");
    HAS(t, all, "tx-ring - ", "head or tail is behind the end", "[7]:", "0x0000000000307000");
    /* A ring in no memory, a ring of the largest size. */
    qtest_writel(q, 0xe0003804, 0xffffffff);
    qtest_writel(q, 0xe0003808, 0xfff80);
    g_free(all);
    all = state(t, q, "n --all");
    HAS(t, all, "isn't in memory that the device reaches");
}

TEST(state_printers, what_changed_in_a_ring)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults -device e1000,id=n,mac=52:54:00:12:34:56");
    int bdf = qpci_find(q, 0x8086, 0x100e);
    uint8_t d[16] = { 0 };
    g_autofree char *text = NULL, *same = NULL;
    QDict *args;
    QObject *r;

    if (!check_true(t, bdf >= 0, "it is there")) {
        return;
    }
    qpci_map(q, (unsigned)bdf, 0, 0xe0000000);
    for (unsigned i = 0; i < 8; i++) {
        store_le64(d, 0x300000 + 0x1000 * i);
        store_le32(d + 8, 0x2b000000 | 0x40);
        qtest_write(q, 0x200000 + 16 * i, d, sizeof(d));
    }
    qtest_writel(q, 0xe0003800, 0x200000);
    qtest_writel(q, 0xe0003808, 0x80);
    qtest_writel(q, 0xe0003810, 2);
    qtest_writel(q, 0xe0003818, 4);
    r = qmp_cmd(qtest_qmp(q), "device-state-snapshot", qdict_from_fmt("{'name': 'a'}"), NULL);
    check_true(t, r, "kept");
    qobject_unref(r);
    same = state(t, q, "n --diff a");
    HAS(t, same, "Nothing has changed");
    /* In the guest's memory alone. */
    qtest_writel(q, 0x200000 + 16 * 3 + 12, 0x1);
    text = state(t, q, "n --diff a");
    HAS(t, text, "(e1000)", "  tx-ring", "hardware's[1].status: 0 -> 1 [DD]");
    args = qdict_from_fmt("{'from': 'a', 'path': 'n'}");
    r = qmp_cmd(qtest_qmp(q), "compare-device-state", args, NULL);
    check_str(t, qdict_str_or(qobject_to_dict(qobject_get_path(r, "[0].changes[0]")), "printer", ""), "tx-ring", "by whom");
    qobject_unref(r);
    /* An entry goes, and a register changes. */
    qtest_writel(q, 0xe0003818, 3);
    g_free(text);
    text = state(t, q, "n --diff a");
    HAS(t, text, "reg.TDT: ", "4", "3", "  tx-ring", "    tail: 4 -> 3", "hardware's[1]:", "buffer 0x0000000000303000",
        "nothing");
}

TEST(state_printers, ide_and_bus_master)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults -blockdev driver=null-co,node-name=d,size=1M "
                                  "-device ide-hd,drive=d,id=hd");
    uint8_t prd[16] = { 0 };
    g_autofree char *drive = NULL, *piix = NULL;
    int bdf = qpci_find(q, 0x8086, 0x7010);

    qtest_outb(q, 0x1f6, 0xe0);
    qtest_outb(q, 0x1f2, 2);
    qtest_outb(q, 0x1f3, 0x34);
    qtest_outb(q, 0x1f4, 0x02);
    qtest_outb(q, 0x1f5, 0);
    qtest_outb(q, 0x1f7, 0xc8);                 /* READ DMA: waits for the engine */
    drive = state(t, q, "hd");
    HAS(t, drive, "command:", "READ DMA", "status:", "DRDY", "dma:", "read", "command - ", "READ DMA", "in progress",
        "task-file-lba:", "0x0000234");
    store_le32(prd, 0x100000);
    store_le16(prd + 4, 0x200);
    store_le32(prd + 8, 0x110000);
    prd[15] = 0x80;
    qtest_write(q, 0x90000, prd, sizeof(prd));
    qpci_map(q, (unsigned)bdf, 4, 0xc000);
    qtest_outl(q, 0xc004, 0x90000);
    piix = state(t, q, "/machine/unattached/device[8]");
    if (strstr(piix, "piix3-ide")) {
        HAS(t, piix, "tables - ", "channel0", "[0]:", "pc.ram+0x100000", "0x00200 (512)", "[1]:", "the last", "0x10000");
    }
}

/* Everything of every machine can be shown, under a guest that wrote nonsense too. */
static void whole(Test *t, const char *machine, const char *word)
{
    QTest *q = qtest_start_qmp(t, "%s", machine);
    g_autofree char *text = state(t, q, ""), *all = state(t, q, "--all");

    HAS(t, text, word);
    check_true(t, strlen(all) > strlen(text), "--all shows more");
}

TEST(state_printers, whole_machines)
{
    whole(t, "-machine pc -m 16 -nodefaults -device qemu-xhci -device usb-ehci -device piix3-usb-uhci "
             "-device rtl8139 -device virtio-rng-pci -device AC97 -device ahci", "registers - by their names");
    whole(t, "-machine q800 -m 16", "registers - by their names");
}

TEST(state_printers, q800)
{
    QTest *q = qtest_start_qmp(t, "-machine q800 -m 16");
    g_autofree char *text = state(t, q, "");

    HAS(t, text, "(esp)", "phase:", "BUS FREE");
    HAS(t, text, "(dp8393x)", "CR:", "ISR:", "CRDA:", "cam:");
    HAS(t, text, "(escc)", "WR0:", "WR15:", "lines - ", "time constant");
    HAS(t, text, "(mos6522-q800-via1)", "ifr:", "ier:");
}

/* --- virtio: rings that a driver has filled, without a device that takes from them --- */

enum { CFG = 0xe0000000, DESC = 0x100000, AVAIL = 0x110000, USED = 0x120000, BUF = 0x200000 };

static void desc(QTest *q, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
    uint8_t d[16];

    store_le64(d, addr);
    store_le32(d + 8, len);
    store_le16(d + 12, flags);
    store_le16(d + 14, next);
    qtest_write(q, DESC + 16 * i, d, sizeof(d));
}

/* Common configuration of the modern interface (virtio 1.2, 4.1.4.3) in BAR 4. */
static QTest *driver(Test *t, bool packed)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 16 -nodefaults -device virtio-balloon-pci,id=b,disable-legacy=on%s",
                               packed ? ",packed=on" : "");
    int bdf = qpci_find(q, 0x1af4, 0x1045);

    if (!check_true(t, bdf >= 0, "it is there")) {
        return q;
    }
    qpci_map(q, (unsigned)bdf, 4, CFG);
    qtest_writeb(q, CFG + 0x14, 1);
    qtest_writeb(q, CFG + 0x14, 3);
    qtest_writel(q, CFG + 0x08, 0);
    qtest_writel(q, CFG + 0x0c, 1u << 28);              /* INDIRECT_DESC */
    qtest_writel(q, CFG + 0x08, 1);
    qtest_writel(q, CFG + 0x0c, packed ? 5 : 1);        /* VERSION_1, RING_PACKED */
    qtest_writeb(q, CFG + 0x14, 11);
    qtest_writew(q, CFG + 0x16, 0);
    qtest_writew(q, CFG + 0x18, 8);
    qtest_writel(q, CFG + 0x20, DESC);
    qtest_writel(q, CFG + 0x28, AVAIL);
    qtest_writel(q, CFG + 0x30, USED);
    qtest_writew(q, CFG + 0x1c, 1);
    return q;
}

TEST(state_printers, split_ring)
{
    QTest *q = driver(t, false);
    g_autofree char *text = NULL, *ring = NULL, *wild = NULL;

    desc(q, 3, BUF, 0x40, 1, 5);                        /* a chain: 3, 5 */
    desc(q, 5, BUF + 0x1000, 0x200, 2, 0);
    desc(q, 1, 0x130000, 32, 4, 0);                     /* a table with two, linked */
    qtest_writew(q, AVAIL + 4, 3);
    qtest_writew(q, AVAIL + 6, 1);
    qtest_writew(q, AVAIL + 2, 2);
    text = state(t, q, "b");
    HAS(t, text, "vendor", "common: BAR 4", "features - ", "VIRTIO_RING_F_INDIRECT_DESC", "VIRTIO_F_VERSION_1", "rings - ",
        "queue0: split, 8 descriptors", "2 elements that the device hasn't taken", "head 3",
        "0x0000000000200000 -> pc.ram+0x200000 (RAM)", "[NEXT]", "0x0000000000201000", "[WRITE]", "head 1",
        "[INDIRECT]", "table:");
    /* A chain that is a ring, and an index that is too far ahead. */
    desc(q, 3, BUF, 0x40, 1, 5);
    desc(q, 5, BUF, 0x40, 1, 3);
    ring = state(t, q, "/machine/peripheral/b/virtio-backend --all");
    HAS(t, ring, "head 3");
    check_true(t, strlen(ring) < 100000, "it ends");
    qtest_writew(q, AVAIL + 2, 4000);
    wild = state(t, q, "/machine/peripheral/b/virtio-backend --all");
    HAS(t, wild, "is 4000 ahead, of 8 descriptors: it is wrong");
}

TEST(state_printers, packed_ring)
{
    QTest *q = driver(t, true);
    g_autofree char *text = NULL;

    desc(q, 0, BUF, 0x40, 1 | 1 << 7, 7);               /* AVAIL is 1, as the wrap counter */
    desc(q, 1, BUF + 0x1000, 0x80, 2 | 1 << 7, 7);
    desc(q, 2, BUF + 0x2000, 0x80, 1 << 7 | 1 << 15, 9);        /* used */
    text = state(t, q, "/machine/peripheral/b/virtio-backend");
    HAS(t, text, "VIRTIO_F_RING_PACKED", "queue0: packed, 8 descriptors", "2 descriptors that the device hasn't taken",
        "[0]:", "0x0000000000200000", "[NEXT AVAIL]", "id:", "7", "[1]:", "[WRITE AVAIL]");
}
