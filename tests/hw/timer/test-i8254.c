/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 8254: every mode's count and output, latches, read-back; port 61h. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define HZ      1193182
#define TICKS(n) ((int64_t)(n) * 1000000000 / HZ + 1)

static QTest *pit(Test *t)
{
    return qtest_start(t, "-machine pc,hpet=off -nodefaults");
}

static void load(QTest *q, unsigned ch, unsigned mode, uint16_t n)
{
    qtest_outb(q, 0x43, (uint8_t)(ch << 6 | 0x30 | mode << 1));
    qtest_outb(q, (uint16_t)(0x40 + ch), (uint8_t)n);
    qtest_outb(q, (uint16_t)(0x40 + ch), (uint8_t)(n >> 8));
}

static uint16_t count(QTest *q, unsigned ch)
{
    uint8_t low;

    qtest_outb(q, 0x43, (uint8_t)(ch << 6));
    low = qtest_inb(q, (uint16_t)(0x40 + ch));
    return (uint16_t)(low | qtest_inb(q, (uint16_t)(0x40 + ch)) << 8);
}

static uint8_t status(QTest *q, unsigned ch)
{
    qtest_outb(q, 0x43, (uint8_t)(0xe0 | 2 << ch));
    return qtest_inb(q, (uint16_t)(0x40 + ch));
}

TEST(i8254, mode_0)
{
    QTest *q = pit(t);

    load(q, 0, 0, 1000);
    check_u8(t, status(q, 0), 0x30, "OUT is low after the count was written");
    qtest_clock_step(q, TICKS(400));
    check_u16(t, count(q, 0), 600, "it counts down");
    qtest_clock_step(q, TICKS(600));
    check_u8(t, status(q, 0) & 0x80, 0x80, "OUT goes high at zero");
    qtest_clock_step(q, TICKS(100));
    check_true(t, count(q, 0) > 0xff00, "and it counts on");
}

TEST(i8254, mode_2_and_interrupt)
{
    QTest *q = pit(t);

    load(q, 0, 2, 1193);
    qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
    check_u8(t, status(q, 0) & 0x80, 0x80, "OUT is high");
    qtest_clock_step(q, 10500000);
    check_int(t, qtest_irq_count(q, 2), 10, "one edge a period, on pin 2");
    load(q, 1, 2, 100);
    qtest_clock_step(q, TICKS(130));
    check_u16(t, count(q, 1), 70, "the count is loaded anew at each period");
}

TEST(i8254, mode_3)
{
    QTest *q = pit(t);

    load(q, 0, 3, 1000);
    qtest_clock_step(q, TICKS(100));
    check_u16(t, count(q, 0), 800, "counts by two");
    check_u8(t, status(q, 0) & 0x80, 0x80, "high for the first half");
    qtest_clock_step(q, TICKS(500));
    check_u8(t, status(q, 0) & 0x80, 0x00, "low for the second");
}

TEST(i8254, gate_of_timer_2)
{
    QTest *q = pit(t);

    load(q, 2, 0, 1000);
    qtest_clock_step(q, TICKS(100));
    check_u16(t, count(q, 2), 1000, "mode 0: a low gate stops it");
    qtest_outb(q, 0x61, 0x01);
    qtest_clock_step(q, TICKS(300));
    check_u16(t, count(q, 2), 700, "a high one lets it go on");
    check_u8(t, qtest_inb(q, 0x61) & 0x21, 0x01, "port 61h shows gate and OUT2");
    qtest_clock_step(q, TICKS(700));
    check_u8(t, qtest_inb(q, 0x61) & 0x21, 0x21, "OUT2 is high at the end");
}

TEST(i8254, mode_1_is_triggered)
{
    QTest *q = pit(t);

    load(q, 2, 1, 500);
    qtest_clock_step(q, TICKS(100));
    check_u8(t, status(q, 2) & 0x80, 0x80, "OUT is high before the trigger");
    qtest_outb(q, 0x61, 0x01);
    qtest_clock_step(q, TICKS(100));
    check_u8(t, status(q, 2) & 0x80, 0x00, "low after it");
    check_u16(t, count(q, 2), 400, "it counts from the trigger");
    qtest_outb(q, 0x61, 0x00);
    qtest_outb(q, 0x61, 0x01);
    check_true(t, count(q, 2) >= 498, "a new trigger starts it again");
    qtest_clock_step(q, TICKS(501));
    check_u8(t, status(q, 2) & 0x80, 0x80, "high at the end");
}

TEST(i8254, mode_4_strobe)
{
    QTest *q = pit(t);

    load(q, 0, 4, 100);
    qtest_clock_step(q, TICKS(50));
    check_u8(t, status(q, 0) & 0x80, 0x80, "OUT is high until the count ends");
    qtest_clock_step(q, TICKS(60));
    check_u8(t, status(q, 0) & 0x80, 0x80, "and after the strobe");
}

TEST(i8254, bcd_and_halves)
{
    QTest *q = pit(t);

    qtest_outb(q, 0x43, 0x31);
    qtest_outb(q, 0x40, 0x00);
    qtest_outb(q, 0x40, 0x10);
    qtest_clock_step(q, TICKS(1));
    check_u16(t, count(q, 0), 0x0999, "1000 in BCD, one down");
    qtest_outb(q, 0x43, 0x50);
    qtest_outb(q, 0x41, 0x80);
    check_u8(t, qtest_inb(q, 0x41), 0x80, "low byte only");
}

TEST(i8254, read_back)
{
    QTest *q = pit(t);
    uint8_t low;

    load(q, 0, 0, 2000);
    qtest_outb(q, 0x43, 0xc2);
    qtest_clock_step(q, TICKS(500));
    check_u8(t, qtest_inb(q, 0x40), 0x30, "status comes first");
    low = qtest_inb(q, 0x40);
    check_u16(t, low | qtest_inb(q, 0x40) << 8, 2000, "then the count as latched");
    qtest_outb(q, 0x43, 0x34);
    check_u8(t, status(q, 0) & 0x40, 0x40, "null count after a control word");
}
