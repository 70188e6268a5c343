/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real-time clock: formats, SET, interrupts, alarm, -rtc base. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

static uint8_t rd(QTest *q, uint8_t reg)
{
    qtest_outb(q, 0x70, reg);
    return qtest_inb(q, 0x71);
}

static void wr(QTest *q, uint8_t reg, uint8_t val)
{
    qtest_outb(q, 0x70, reg);
    qtest_outb(q, 0x71, val);
}

#define CLOCK "-global mc146818rtc.clock=vm -global mc146818rtc.base=2024-02-29T23:59:58 "

static QTest *rtc(Test *t)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults " CLOCK);

    qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
    return q;
}

TEST(rtc, shows_the_base)
{
    QTest *q = rtc(t);

    check_u8(t, rd(q, 0x0d), 0x80, "VRT: the battery is good");
    check_u8(t, rd(q, 0x0b), 0x02, "BCD, 24 hours");
    check_u8(t, rd(q, 9), 0x24, "year");
    check_u8(t, rd(q, 0x32), 0x20, "century");
    check_u8(t, rd(q, 8), 0x02, "month");
    check_u8(t, rd(q, 7), 0x29, "day");
    check_u8(t, rd(q, 6), 5, "weekday: Thursday, Sunday is 1");
    check_u8(t, rd(q, 4), 0x23, "hour");
    check_u8(t, rd(q, 2), 0x59, "minute");
    check_u8(t, rd(q, 0), 0x58, "second");
    qtest_clock_step(q, 3000000000);
    check_u8(t, rd(q, 7), 0x01, "the day after a leap day");
    check_u8(t, rd(q, 8), 0x03, "is in March");
    check_u8(t, rd(q, 0), 0x01, "one second in");
}

TEST(rtc, formats)
{
    QTest *q = rtc(t);

    wr(q, 0x0b, 0x06);
    check_u8(t, rd(q, 4), 23, "DM: binary");
    wr(q, 0x0b, 0x00);
    check_u8(t, rd(q, 4), 0x91, "12 hours: bit 7 is PM");
    wr(q, 0x0b, 0x04);
    check_u8(t, rd(q, 4), 0x8b, "12 hours in binary");
}

TEST(rtc, set_stops_time)
{
    QTest *q = rtc(t);

    wr(q, 0x0b, 0x82);
    qtest_clock_step(q, 5000000000);
    check_u8(t, rd(q, 0), 0x58, "SET: no updates");
    wr(q, 0, 0x10);
    wr(q, 4, 0x07);
    check_u8(t, rd(q, 0), 0x10, "what was written");
    wr(q, 0x0b, 0x02);
    qtest_clock_step(q, 2000000000);
    check_u8(t, rd(q, 0), 0x12, "goes on from there");
    check_u8(t, rd(q, 4), 0x07, "with the hour that was set");
}

TEST(rtc, periodic_interrupt)
{
    QTest *q = rtc(t);

    wr(q, 0x0a, 0x26);                          /* 1024 Hz */
    rd(q, 0x0c);
    wr(q, 0x0b, 0x42);
    qtest_clock_step(q, 1000000);
    check_true(t, qtest_irq_level(q, 8), "PIE: IRQ is asserted");
    check_u8(t, rd(q, 0x0c) & 0xc0, 0xc0, "IRQF and PF");
    check_true(t, !qtest_irq_level(q, 8), "reading C lets it go");
    check_u8(t, rd(q, 0x0c), 0x00, "and clears the flags");
    for (int i = 0; i < 10; i++) {
        qtest_clock_step(q, 976563);
        rd(q, 0x0c);
    }
    check_int(t, qtest_irq_count(q, 8), 11, "1024 a second");
}

TEST(rtc, update_and_alarm)
{
    QTest *q = rtc(t);

    rd(q, 0x0c);
    wr(q, 0x0b, 0x12);
    qtest_clock_step(q, 1000000000);
    check_u8(t, rd(q, 0x0c) & 0x90, 0x90, "UIE: an interrupt each second");
    wr(q, 0x0b, 0x22);
    wr(q, 1, 0x05);
    wr(q, 3, 0xc0);
    wr(q, 5, 0xff);
    rd(q, 0x0c);
    qtest_clock_step(q, 5000000000);
    check_u8(t, rd(q, 0x0c) & 0xa0, 0x00, "not yet");
    qtest_clock_step(q, 1000000000);
    check_u8(t, rd(q, 0x0c) & 0xa0, 0xa0, "AIE: at the second, any minute and hour");
}

TEST(rtc, reset_keeps_time_and_ram)
{
    QTest *q = rtc(t);

    wr(q, 0x50, 0xa5);
    wr(q, 0x0b, 0x72);
    qtest_outb(q, 0x64, 0xfe);
    qtest_clock_step(q, 1000000);
    check_u8(t, rd(q, 0x50), 0xa5, "CMOS RAM");
    check_u8(t, rd(q, 0x0b) & 0x02, 0x02, "the format stays");
}

TEST(rtc, index)
{
    QTest *q = rtc(t);

    wr(q, 0x7f, 1);
    check_u8(t, rd(q, 0xff), 1, "bit 7 of the index is no part of it");
}

/* -rtc driftfix=slew: what the guest couldn't take comes as soon as it reads register C. */
TEST(rtc, lost_ticks)
{
    static const char *const policies[] = { "none", "slew" };

    for (unsigned slew = 0; slew < 2; slew++) {
        QTest *q = qtest_start(t, "-machine pc -nodefaults -rtc driftfix=%s,clock=vm", policies[slew]);
        unsigned n = 0;

        qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
        wr(q, 0x0a, 0x26);                      /* 1024 Hz */
        wr(q, 0x0b, 0x42);
        rd(q, 0x0c);
        for (unsigned i = 0; i < 16; i++) {
            qtest_clock_step(q, 976563);
        }
        while (rd(q, 0x0c) & 0x40 && n < 100) {
            n++;
        }
        check_int(t, n, slew ? 16 : 1, policies[slew]);
        qtest_stop(q);
    }
}
