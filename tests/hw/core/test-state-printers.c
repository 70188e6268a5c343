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
    HAS(t, drive, "command:", "READ DMA", "status:", "dma:", "command - ", "READ DMA", "in progress",
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
