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
