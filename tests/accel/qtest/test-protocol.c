/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The qtest line protocol, and the client library of the device tests. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

TEST(qtest, numbers_and_blocks)
{
    QTest *q = qtest_start(t, "-machine pc -m 16 -nodefaults");
    uint8_t buf[5] = { 1, 2, 3, 4, 5 }, back[5];
    char *got, *fail;

    qtest_writel(q, 0x1000, 0x12345678);
    check_u8(t, qtest_readb(q, 0x1000), 0x78, "little endian");
    check_u64(t, qtest_readq(q, 0x1000), 0x12345678, "eight bytes");
    qtest_write(q, 0x2000, buf, 5);
    qtest_read(q, 0x2000, back, 5);
    check_mem(t, back, buf, 5, "a block");
    qtest_memset(q, 0x2001, 0xee, 3);
    got = qtest_ask(q, NULL, "read 0x2000 5");
    check_str(t, got, "0x01eeeeee05", "in hex");
    free(got);
    free(qtest_ask(q, NULL, "write 0x3000 3 0xaabbcc"));
    check_u32(t, qtest_readl(q, 0x3000), 0xccbbaa, "written in hex");
    got = qtest_ask(q, NULL, "endianness");
    check_str(t, got, "little", "endianness");
    free(got);
    got = qtest_ask(q, &fail, "nonsense 1 2");
    check_true(t, !got, "unknown");
    check_str(t, fail, "FAIL Unknown command 'nonsense'", "says so");
    free(fail);
    got = qtest_ask(q, &fail, "readb");
    check_true(t, !got && fail && !strncmp(fail, "FAIL", 4), "too few words");
    free(fail);
    got = qtest_ask(q, &fail, "read 0 0xffffffffffffffff");
    check_true(t, !got, "not that much");
    free(fail);
    got = qtest_ask(q, &fail, "set_irq_in /nothing a 0 1");
    check_str(t, fail, "FAIL Unknown device", "no such device");
    free(fail);
    check_int(t, qtest_stop(q), 0, "ends when asked to");
}

TEST(qtest, time_moves_when_told)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");
    int64_t now = qtest_clock_step(q, 0);

    check_int(t, qtest_clock_step(q, 1000), now + 1000, "a step");
    check_int(t, qtest_clock_set(q, now + 5000), now + 5000, "a jump");
    check_int(t, qtest_clock_set(q, now), now + 5000, "never back");
}

/* 8254 channel 0 in mode 0 raises IRQ 0 of the 8259A after its count. */
TEST(qtest, interrupts)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");
    char *path = qtest_ask(q, NULL, "irq_intercept_in ioapic");

    free(path);
    check_u32(t, qpci_readl(q, 0, 0), 0x12378086, "82441FX by mechanism #1");
    check_int(t, qpci_find(q, 0x8086, 0x7000), 8, "PIIX3 at slot 1");
    check_int(t, qpci_find(q, 0x1234, 0xffff), -1, "nobody");
}

TEST(qtest, with_qmp)
{
    QTest *q = qtest_start_qmp(t, "-machine none");
    Error *err = NULL;
    QObject *r;

    if (!qtest_qmp(q)) {
        return;
    }
    r = qmp_cmd(qtest_qmp(q), "query-status", NULL, &err);
    check_true(t, r, err ? error_message(err) : "an answer");
    qobject_unref(r);
    error_free(err);
}
