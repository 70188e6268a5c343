/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 8237A pair: flip-flop, masks, pages. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

TEST(i8237, address_and_count)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    qtest_outb(q, 0x0c, 0);
    qtest_outb(q, 0x04, 0x34);
    qtest_outb(q, 0x04, 0x12);
    qtest_outb(q, 0x05, 0xff);
    qtest_outb(q, 0x05, 0x01);
    qtest_outb(q, 0x0c, 0);
    check_u8(t, qtest_inb(q, 0x04), 0x34, "low byte first");
    check_u8(t, qtest_inb(q, 0x04), 0x12, "then the high one");
    check_u8(t, qtest_inb(q, 0x05), 0xff, "count");
    qtest_outb(q, 0x0c, 0);
    check_u8(t, qtest_inb(q, 0x05), 0xff, "clearing the flip-flop starts at the low byte");
}

TEST(i8237, masks)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    check_u8(t, qtest_inb(q, 0x0f), 0xff, "reset: all masked");
    qtest_outb(q, 0x0e, 0);
    check_u8(t, qtest_inb(q, 0x0f), 0xf0, "clear mask register");
    qtest_outb(q, 0x0a, 0x06);
    check_u8(t, qtest_inb(q, 0x0f), 0xf4, "one channel");
    qtest_outb(q, 0x0d, 0);
    check_u8(t, qtest_inb(q, 0x0f), 0xff, "master clear masks all");
    qtest_outb(q, 0xd4, 0x01);
    check_u8(t, qtest_inb(q, 0xde), 0xfd, "the second one has a stride of two");
}

TEST(i8237, pages)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults");

    for (uint16_t p = 0x80; p < 0x90; p++) {
        qtest_outb(q, p, (uint8_t)p);
    }
    for (uint16_t p = 0x80; p < 0x90; p++) {
        check_u8(t, qtest_inb(q, p), p, "page and scratch registers keep what is written");
    }
}
