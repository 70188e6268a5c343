/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 8259A: priorities, end of interrupt, special modes, poll, ELCR, cascade. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#define MASTER  0x20
#define SLAVE   0xa0

static void start(QTest *q, uint8_t icw4)
{
    static const uint16_t port[] = { MASTER, SLAVE };

    for (unsigned i = 0; i < 2; i++) {
        qtest_outb(q, port[i], 0x11);
        qtest_outb(q, port[i] + 1, i ? 0x70 : 0x08);
        qtest_outb(q, port[i] + 1, i ? 0x02 : 0x04);
        qtest_outb(q, port[i] + 1, icw4);
        qtest_outb(q, port[i] + 1, 0x00);
    }
}

static QTest *pic(Test *t, uint8_t icw4)
{
    QTest *q = qtest_start(t, "-machine pc,hpet=off -nodefaults");

    qtest_outb(q, 0x43, 0x30);                  /* timer 0, mode 0: quiet */
    start(q, icw4);
    return q;
}


static uint8_t irr(QTest *q, uint16_t port)
{
    qtest_outb(q, port, 0x0a);
    return qtest_inb(q, port);
}

static uint8_t isr(QTest *q, uint16_t port)
{
    qtest_outb(q, port, 0x0b);
    return qtest_inb(q, port);
}

static uint8_t poll(QTest *q, uint16_t port)
{
    qtest_outb(q, port, 0x0c);
    return qtest_inb(q, port);
}

/* The timer is interrupt 0, the clock 8: they make real requests. */
static void timer_edge(QTest *q)
{
    qtest_outb(q, 0x43, 0x30);
    qtest_outb(q, 0x40, 0x10);
    qtest_outb(q, 0x40, 0x00);
    qtest_clock_step(q, 100000);
}

static void clock_request(QTest *q)
{
    qtest_outb(q, 0x70, 0x0b);
    qtest_outb(q, 0x71, 0x42);
    qtest_outb(q, 0x70, 0x0c);
    qtest_inb(q, 0x71);
    qtest_clock_step(q, 2000000);
}

TEST(i8259, edge_request_and_poll)
{
    QTest *q = pic(t, 0x01);

    timer_edge(q);
    check_u8(t, irr(q, MASTER), 0x01, "an edge sets IRR");
    check_u8(t, poll(q, MASTER), 0x80, "poll: bit 7 and the level of highest priority");
    check_u8(t, irr(q, MASTER), 0x00, "the acknowledge clears an edge request");
    check_u8(t, isr(q, MASTER), 0x01, "and sets ISR");
    timer_edge(q);
    check_u8(t, poll(q, MASTER), 0x00, "a level in service holds up itself");
    qtest_outb(q, MASTER, 0x20);
    check_u8(t, isr(q, MASTER), 0x00, "non-specific EOI clears the highest ISR bit");
    check_u8(t, poll(q, MASTER), 0x80, "then the next one comes");
}

TEST(i8259, mask)
{
    QTest *q = pic(t, 0x01);

    qtest_outb(q, MASTER + 1, 0x01);
    timer_edge(q);
    check_u8(t, qtest_inb(q, MASTER + 1), 0x01, "IMR reads back");
    check_u8(t, irr(q, MASTER), 0x01, "a masked request is latched");
    check_u8(t, poll(q, MASTER), 0x00, "and not seen");
    qtest_outb(q, MASTER + 1, 0x00);
    check_u8(t, poll(q, MASTER), 0x80, "until it is unmasked");
}

TEST(i8259, cascade)
{
    QTest *q = pic(t, 0x01);

    clock_request(q);
    check_u8(t, irr(q, SLAVE), 0x01, "interrupt 8 is input 0 of the slave");
    check_u8(t, irr(q, MASTER) & 4, 0x04, "the slave requests at input 2");
    timer_edge(q);
    check_u8(t, poll(q, MASTER), 0x80, "interrupt 0 is before the slave");
    qtest_outb(q, MASTER, 0x60);
    check_u8(t, isr(q, MASTER), 0x00, "specific EOI of level 0");
    check_u8(t, poll(q, MASTER), 0x82, "then the slave");
    check_u8(t, poll(q, SLAVE), 0x80, "its level 0");
    qtest_outb(q, SLAVE, 0x20);
    qtest_outb(q, MASTER, 0x62);
    check_u8(t, isr(q, MASTER) | isr(q, SLAVE), 0x00, "both are done");
}

TEST(i8259, rotation)
{
    QTest *q = pic(t, 0x01);

    qtest_outb(q, MASTER, 0xc0);                /* lowest: level 0 */
    clock_request(q);
    timer_edge(q);
    check_u8(t, poll(q, MASTER), 0x82, "set priority: level 0 is the lowest now");
    check_u8(t, poll(q, MASTER), 0x00, "which waits while 2 is in service");
    qtest_outb(q, MASTER, 0xa0);                /* rotate on non-specific EOI */
    check_u8(t, poll(q, MASTER), 0x80, "2 is the lowest now");
}

TEST(i8259, automatic_end)
{
    QTest *q = pic(t, 0x03);

    timer_edge(q);
    check_u8(t, poll(q, MASTER), 0x80, "acknowledged");
    check_u8(t, isr(q, MASTER), 0x00, "AEOI: ISR isn't set");
}

TEST(i8259, special_mask)
{
    QTest *q = pic(t, 0x01);

    timer_edge(q);
    check_u8(t, poll(q, MASTER), 0x80, "level 0 is in service");
    clock_request(q);
    check_u8(t, poll(q, MASTER), 0x00, "and holds up level 2");
    qtest_outb(q, MASTER + 1, 0x01);
    qtest_outb(q, MASTER, 0x68);
    check_u8(t, poll(q, MASTER), 0x82, "special mask mode: a masked level holds nothing up");
}

TEST(i8259, initialisation)
{
    QTest *q = pic(t, 0x01);

    timer_edge(q);
    qtest_outb(q, MASTER + 1, 0xff);
    start(q, 0x01);
    check_u8(t, irr(q, MASTER), 0x00, "ICW1 resets the edge sense circuit");
    check_u8(t, qtest_inb(q, MASTER + 1), 0x00, "and clears IMR");
}

TEST(i8259, elcr)
{
    QTest *q = pic(t, 0x01);

    qtest_outb(q, 0x4d0, 0xff);
    qtest_outb(q, 0x4d1, 0xff);
    check_u8(t, qtest_inb(q, 0x4d0), 0xf8, "0 to 2 are always edge-triggered");
    check_u8(t, qtest_inb(q, 0x4d1), 0xde, "8 and 13 are always edge-triggered");
}
