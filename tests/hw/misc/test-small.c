/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things on a PC's ISA bus: debug console and exit, port 92h, port 61h. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>

TEST(debugcon, bytes_go_to_its_stream)
{
    g_autofree char *path = g_strdup_printf("%s/out", test_tmpdir(t)), *text = NULL;
    QTest *q = qtest_start(t, "-machine pc -nodefaults -chardev file,id=c0,path=%s"
                              " -device isa-debugcon,iobase=0x402,chardev=c0", path);

    check_u8(t, qtest_inb(q, 0x402), 0xe9, "what firmware looks for");
    qtest_outb(q, 0x402, 'h');
    qtest_outb(q, 0x402, 'i');
    check_int(t, qtest_stop(q), 0, "ended");
    check_true(t, g_file_get_contents(path, &text, NULL, NULL), "the file is there");
    check_str(t, text, "hi", "its bytes");
}

TEST(debug_exit, status)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults"
                              " -device isa-debug-exit,iobase=0xf4,iosize=0x4");

    qtest_outl(q, 0xf4, 0x10);
    check_int(t, qtest_wait(q), 0x21, "twice the value plus one");
}

TEST(port92, a20_and_reset)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults");
    Error *err = NULL;
    QDict *event;

    qtest_outb(q, 0x92, 0xfe);
    check_u8(t, qtest_inb(q, 0x92), 2, "A20 is the only bit that stays");
    qtest_outb(q, 0x92, 3);
    event = qmp_wait_event(qtest_qmp(q), "RESET", 10000, &err);
    check_true(t, event, "bit 0 resets");
    check_true(t, qdict_bool_or(event, "data.guest", false), "by the guest");
    qobject_unref(event);
    error_free(err);
    check_u8(t, qtest_inb(q, 0x92), 0, "after which it is 0");
}

/* 82371SB 2.5.11: NMI status and control; counter 2 is the speaker's. */
TEST(port61, counter_2)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    qtest_outb(q, 0x61, 0);
    qtest_outb(q, 0x43, 0xb0);                  /* counter 2, mode 0 */
    qtest_outb(q, 0x42, 100);
    qtest_outb(q, 0x42, 0);
    qtest_clock_step(q, 1000000);
    check_u8(t, qtest_inb(q, 0x61) & 0x20, 0, "without its gate it doesn't count");
    qtest_outb(q, 0x61, 1);
    qtest_clock_step(q, 1000000);
    check_u8(t, qtest_inb(q, 0x61) & 0x21, 0x21, "with it the output rises");
}

TEST(pci, functions_of_the_board)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    for (unsigned devfn = 0; devfn < 0x100; devfn++) {
        uint32_t id = qpci_readl(q, devfn, 0);

        if (id == UINT32_MAX) {
            continue;
        }
        for (int n = 0; n < 6 && !(qpci_readb(q, devfn, 0x0e) & 0x7f); n++) {
            uint64_t size = qpci_bar_size(q, devfn, n);

            check_true(t, !size || IS_POWER_OF_2(size), "BARs are powers of two");
            n += size && (qpci_readl(q, devfn, 0x10 + 4 * (unsigned)n) & 7) == 4;
        }
        qpci_writel(q, devfn, 0, 0);
        check_u32(t, qpci_readl(q, devfn, 0), id, "ids are read-only");
        qpci_writew(q, devfn, 6, 0xffff);
        check_true(t, !(qpci_readw(q, devfn, 6) & 0xf900), "error bits clear by writing 1");
        if (qpci_readw(q, devfn, 6) & 0x10) {
            unsigned at = qpci_readb(q, devfn, 0x34), n = 0;

            for (; at && n < 48; n++) {
                check_true(t, at >= 0x40 && !(at & 3), "capabilities lie behind the header");
                at = qpci_readb(q, devfn, at + 1);
            }
            check_true(t, n < 48, "the list ends");
        }
    }
}

TEST(pvpanic, tells_of_a_panic)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults -action panic=none -device pvpanic"
                                  " -device pvpanic-pci,id=p,events=2");
    int bdf = qpci_find(q, 0x1b36, 0x0011);
    Error *err = NULL;
    QDict *event;

    check_u8(t, qtest_inb(q, 0x505), 3, "both events are offered");
    qtest_outb(q, 0x505, 1);
    event = qmp_wait_event(qtest_qmp(q), "GUEST_PANICKED", 10000, &err);
    check_true(t, event, "an event");
    qobject_unref(event);
    qpci_map(q, (unsigned)bdf, 0, 0xe0000000);
    check_u8(t, qtest_readb(q, 0xe0000000), 2, "one event is offered");
    qtest_writeb(q, 0xe0000000, 3);
    event = qmp_wait_event(qtest_qmp(q), "GUEST_CRASHLOADED", 10000, &err);
    check_true(t, event, "an event");
    qobject_unref(event);
}

TEST(watchdog, ib700)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults -watchdog-action none -device ib700");
    Error *err = NULL;
    QDict *event;

    qtest_outb(q, 0x443, 14);           /* 2 seconds */
    qtest_clock_step(q, 1900000000);
    qtest_outb(q, 0x443, 14);
    qtest_clock_step(q, 1900000000);
    qtest_outb(q, 0x441, 0);
    qtest_clock_step(q, 10000000000);
    qtest_outb(q, 0x443, 13);           /* 4 seconds */
    qtest_clock_step(q, 4100000000);
    event = qmp_wait_event(qtest_qmp(q), "WATCHDOG", 10000, &err);
    check_true(t, event, "it expires when it isn't fed");
    qobject_unref(event);
}

static void esb_unlocked(QTest *q, uint32_t reg, uint32_t val)
{
    qtest_writew(q, 0xe000000c, 0x80);
    qtest_writew(q, 0xe000000c, 0x86);
    qtest_writel(q, 0xe0000000 + reg, val);
}

TEST(watchdog, i6300esb)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults -watchdog-action none -device i6300esb");
    int bdf = qpci_find(q, 0x8086, 0x25ab);
    Error *err = NULL;
    QDict *event;

    qpci_map(q, (unsigned)bdf, 0, 0xe0000000);
    qpci_writew(q, (unsigned)bdf, 0x60, 0x03);  /* no interrupt, output enabled, 1 kHz */
    esb_unlocked(q, 0, 512);
    esb_unlocked(q, 4, 512);
    qpci_writeb(q, (unsigned)bdf, 0x68, 2);
    qtest_clock_step(q, 900000000);
    check_u16(t, qtest_readw(q, 0xe000000c) & 0x200, 0, "not yet");
    esb_unlocked(q, 0xc, 0x100);
    qtest_clock_step(q, 900000000);
    check_u16(t, qtest_readw(q, 0xe000000c) & 0x200, 0, "it was fed");
    check_u8(t, qtest_readb(q, 0xe0000008) & 1, 1, "the first stage has ended (16.4.3)");
    qtest_clock_step(q, 300000000);
    event = qmp_wait_event(qtest_qmp(q), "WATCHDOG", 10000, &err);
    check_true(t, event, "the second has too");
    check_u16(t, qtest_readw(q, 0xe000000c) & 0x200, 0x200, "and it is remembered");
    qobject_unref(event);
    qpci_writeb(q, (unsigned)bdf, 0x68, 1);
    qpci_writeb(q, (unsigned)bdf, 0x68, 2);
    check_u8(t, qpci_readb(q, (unsigned)bdf, 0x68), 1, "locked until a reset");
}

TEST(testdev, pc_and_pci)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -device pc-testdev -device pci-testdev");
    int bdf = qpci_find(q, 0x1b36, 0x0005);

    qtest_outl(q, 0xe0, 0x12345678);
    check_u32(t, qtest_inw(q, 0xe2), 0x1234, "scratch ports");
    qtest_writel(q, 0xff000ff0, 0xcafe);
    check_u32(t, qtest_readl(q, 0xff000ff0), 0xcafe, "scratch memory");
    qtest_irq_intercept_in(q, "ioapic");
    qtest_outb(q, 0x2005, 1);
    check_true(t, qtest_irq_level(q, 5), "interrupt 5 goes up");
    qtest_outb(q, 0x2005, 0);
    check_true(t, !qtest_irq_level(q, 5), "and down");
    qpci_map(q, (unsigned)bdf, 0, 0xe0000000);
    qtest_writeb(q, 0xe0000000, 0);
    check_u8(t, qtest_readb(q, 0xe0000001), 1, "width of the access");
    for (int i = 0; i < 3; i++) {
        qtest_writeb(q, 0xe0000000 + qtest_readl(q, 0xe0000004),
                     (uint8_t)qtest_readl(q, 0xe0000008));
    }
    check_u32(t, qtest_readl(q, 0xe000000c), 3, "they are counted");
    check_u8(t, qtest_readb(q, 0xe0000010), 'm', "the name");
}

TEST(parallel, bytes_are_printed)
{
    g_autofree char *path = g_strdup_printf("%s/out", test_tmpdir(t)), *text = NULL;
    QTest *q = qtest_start(t, "-machine pc -nodefaults -parallel file:%s", path);

    check_u8(t, qtest_inb(q, 0x379) & 0xf8, 0xd8, "selected, not busy, no error");
    for (const char *p = "hello"; *p; p++) {
        qtest_outb(q, 0x378, (uint8_t)*p);
        qtest_outb(q, 0x37a, 0x0d);
        qtest_outb(q, 0x37a, 0x0c);
    }
    check_u8(t, qtest_inb(q, 0x378), 'o', "the data register reads back");
    check_int(t, qtest_stop(q), 0, "ended");
    check_true(t, g_file_get_contents(path, &text, NULL, NULL), "the file is there");
    check_str(t, text, "hello", "its bytes");
}

TEST(vmgenid, number_in_memory)
{
    static const uint8_t want[16] = { 0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd1, 0xf6, 0x4b, 0xbf, 0x41,
                                      0xb9, 0xbb, 0x6c, 0x91, 0xfb, 0x87 };
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults -device vmgenid,id=v,"
                                  "guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87");
    uint8_t got[16];
    Error *err = NULL;
    bool answer = qmp_cmd_ok(qtest_qmp(q), "query-vm-generation-id", NULL, &err);

    qtest_read(q, 0xfef00000, got, sizeof(got));
    check_mem(t, got, want, sizeof(got), "the first three fields are little-endian");
    qtest_writel(q, 0xfef00000, 0);
    qtest_read(q, 0xfef00000, got, sizeof(got));
    check_mem(t, got, want, sizeof(got), "the guest can't change it");
    check_true(t, answer, "a client is told too");
    error_free(err);
}

/* A command with its key and length, and what it answers; false: it didn't take @len bytes, or gave more or less. */
static bool smc_command(QTest *q, uint8_t command, const char *key, uint8_t *data, uint8_t len, bool write)
{
    qtest_outb(q, 0x304, command);
    for (int i = 0; i < 5; i++) {
        if ((qtest_inb(q, 0x304) & 6) != 4) {
            return false;
        }
        qtest_outb(q, 0x300, i < 4 ? (uint8_t)key[i] : len);
    }
    for (unsigned i = 0; i < len; i++) {
        if (qtest_inb(q, 0x304) != (write ? 4 : 5)) {
            return false;
        }
        if (write) {
            qtest_outb(q, 0x300, data[i]);
        } else {
            data[i] = qtest_inb(q, 0x300);
        }
    }
    return qtest_inb(q, 0x304) == 0;
}

TEST(applesmc, keys)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -device isa-applesmc");
    uint8_t d[32] = { 0 };

    check_true(t, smc_command(q, 0x10, "#KEY", d, 4, false), "the number of keys");
    check_u8(t, d[3], 17, "without those of the operating system");
    check_true(t, smc_command(q, 0x12, "\0\0\0\1", d, 4, false), "a key by its index");
    check_mem(t, d, "EPCI", 4, "its name");
    check_true(t, smc_command(q, 0x13, "F0Tg", d, 6, false), "a key's type");
    check_mem(t, d, "\2fpe2\xc0", 6, "length, type, attributes");
    check_true(t, smc_command(q, 0x11, "F0Tg", (uint8_t[]){ 0x20, 0x40 }, 2, true), "written");
    qtest_outb(q, 0x304, 0x10);
    qtest_outb(q, 0x300, 'F');
    qtest_outb(q, 0x300, '0');
    qtest_reload(q);
    qtest_outb(q, 0x300, 'T');
    qtest_outb(q, 0x300, 'g');
    qtest_outb(q, 0x300, 2);
    check_u8(t, qtest_inb(q, 0x304), 5, "saved in the middle of a command it goes on");
    check_u8(t, qtest_inb(q, 0x300), 0x20, "and has what was written");
    check_u8(t, qtest_inb(q, 0x300), 0x40, "both bytes");
    check_u8(t, qtest_inb(q, 0x300), 0, "no more");
}

TEST(applesmc, mistakes)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -device isa-applesmc");
    uint8_t d[32] = { 0 };

    check_true(t, !smc_command(q, 0x10, "none", d, 1, false), "no such key");
    check_u8(t, qtest_inb(q, 0x31e), 0x84, "is an error");
    check_true(t, !smc_command(q, 0x10, "OSK0", d, 32, false), "no OSK0 unless the user gives it");
    check_true(t, !smc_command(q, 0x11, "FNum", d, 1, true), "this one can't be written");
    check_u8(t, qtest_inb(q, 0x31e), 0x86, "another error");
    check_true(t, !smc_command(q, 0x11, "F0Tg", d, 1, true), "a wrong length");
    check_true(t, !smc_command(q, 0x12, "\xff\xff\xff\xff", d, 4, false), "no such index");
    check_u8(t, qtest_inb(q, 0x31e), 0x89, "a third");
    check_true(t, !smc_command(q, 0x55, "#KEY", d, 4, false), "no such command");
    qtest_outb(q, 0x300, 1);
    check_u8(t, qtest_inb(q, 0x31e), 0x81, "data that nobody wants");
    qtest_outb(q, 0x304, 0x10);
    check_true(t, smc_command(q, 0x10, "FNum", d, 1, false), "a command ends the one before");
    check_u8(t, d[0], 1, "a fan");
}

TEST(applesmc, osk)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -device isa-applesmc,osk="
                              "abcdefghijklmnopqrstuvwxyz012345ABCDEFGHIJKLMNOPQRSTUVWXYZ678901");
    QTest *bad = qtest_start(t, "-machine pc -nodefaults -device isa-applesmc,osk=short");
    uint8_t d[32] = { 0 };

    check_true(t, smc_command(q, 0x10, "OSK1", d, 32, false), "OSK1");
    check_mem(t, d, "ABCDEFGHIJKLMNOPQRSTUVWXYZ678901", 32, "is the second half");
    check_int(t, qtest_wait(bad), 1, "other lengths are refused");
}
