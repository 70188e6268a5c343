/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16550A: registers, FIFOs, interrupts, loopback, and bytes both ways. */
#include "util/osdep.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/lib/qtest.h"

#define COM1    0x3f8
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static QTest *uart(Test *t)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -serial null");

    qtest_irq_intercept_in(q, "/machine/i440fx/ioapic");
    return q;
}

static uint8_t rd(QTest *q, unsigned reg)
{
    return qtest_inb(q, (uint16_t)(COM1 + reg));
}

static void wr(QTest *q, unsigned reg, uint8_t val)
{
    qtest_outb(q, (uint16_t)(COM1 + reg), val);
}

TEST(serial, registers)
{
    QTest *q = uart(t);

    check_u8(t, rd(q, LSR), 0x60, "reset: transmitter empty (DS table III)");
    check_u8(t, rd(q, IIR), 0x01, "reset: no interrupt");
    wr(q, SCR, 0x5a);
    check_u8(t, rd(q, SCR), 0x5a, "scratch register");
    wr(q, LCR, 0x83);
    wr(q, DATA, 0x34);
    wr(q, IER, 0x12);
    check_u8(t, rd(q, DATA), 0x34, "DLAB: divisor, low");
    check_u8(t, rd(q, IER), 0x12, "DLAB: divisor, high");
    wr(q, LCR, 0x03);
    wr(q, IER, 0xff);
    check_u8(t, rd(q, IER), 0x0f, "IER has four bits");
    wr(q, FCR, 0x01);
    check_u8(t, rd(q, IIR) & 0xc0, 0xc0, "IIR says that FIFOs are on");
    check_u8(t, rd(q, MSR) & 0xb0, 0xb0, "the other side is there: CTS, DSR, DCD");
}

TEST(serial, transmit_interrupt)
{
    QTest *q = uart(t);

    wr(q, IER, 0x02);
    check_true(t, qtest_irq_level(q, 4), "enabling THRE while empty interrupts (DS 8.6)");
    check_u8(t, rd(q, IIR), 0x02, "THRE");
    check_u8(t, rd(q, IIR), 0x01, "reading IIR answers it");
    check_true(t, !qtest_irq_level(q, 4), "the line falls");
    wr(q, DATA, 'x');
    check_u8(t, rd(q, IIR), 0x02, "the byte is out");
}

TEST(serial, loopback)
{
    QTest *q = uart(t);

    wr(q, LCR, 0x03);
    wr(q, MCR, 0x1f);
    check_u8(t, rd(q, MSR) & 0xf0, 0xf0, "modem outputs are the inputs (DS 8.7)");
    wr(q, MCR, 0x10);
    check_u8(t, rd(q, MSR), 0x0f, "all four changed, RI by its trailing edge");
    check_u8(t, rd(q, MSR), 0x00, "deltas are cleared by the read");
    wr(q, IER, 0x01);
    wr(q, DATA, 0xa5);
    check_u8(t, rd(q, IIR), 0x04, "received data");
    check_u8(t, rd(q, LSR) & 1, 1, "data ready");
    check_u8(t, rd(q, DATA), 0xa5, "what was sent");
    check_u8(t, rd(q, LSR) & 1, 0, "and no more");
    wr(q, DATA, 1);
    wr(q, DATA, 2);
    check_u8(t, rd(q, LSR) & 2, 2, "overrun without FIFO");
    check_u8(t, rd(q, DATA), 2, "the later byte stays");
}

TEST(serial, fifo_trigger_and_timeout)
{
    QTest *q = uart(t);

    wr(q, LCR, 0x83);
    wr(q, DATA, 12);                            /* 9600 baud */
    wr(q, IER, 0);
    wr(q, LCR, 0x03);
    wr(q, FCR, 0x41);                           /* trigger at 4 */
    wr(q, MCR, 0x10);
    wr(q, IER, 0x01);
    for (int i = 0; i < 3; i++) {
        wr(q, DATA, (uint8_t)i);
    }
    check_u8(t, rd(q, IIR) & 0x0f, 0x01, "below the trigger level");
    qtest_clock_step(q, 5000000);
    check_u8(t, rd(q, IIR) & 0x0f, 0x0c, "character timeout after four characters' time");
    wr(q, DATA, 3);
    check_u8(t, rd(q, IIR) & 0x0f, 0x04, "at the trigger level");
    for (int i = 4; i < 20; i++) {
        wr(q, DATA, (uint8_t)i);
    }
    check_u8(t, rd(q, LSR) & 2, 2, "sixteen fit, the rest is lost");
    for (int i = 0; i < 16; i++) {
        check_u8(t, rd(q, DATA), i, "in order");
    }
    check_u8(t, rd(q, LSR) & 1, 0, "empty");
}

TEST(serial, to_and_from_a_socket)
{
    g_autofree char *path = g_build_filename(test_tmpdir(t), "s", NULL);
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    QTest *q = qtest_start(t, "-machine pc -nodefaults -serial unix:%s,server=on,wait=off", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char buf[8] = "";

    rd(q, LSR);                                 /* its answer: the machine is there */
    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    if (!check_true(t, connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0, "connects")) {
        close(fd);
        return;
    }
    wr(q, DATA, 'o');
    while (!(rd(q, MSR) & 0x80)) {
        g_usleep(1000);                         /* until the other process has accepted */
    }
    wr(q, DATA, 'k');
    check_true(t, poll(&p, 1, -1) == 1 && read(fd, buf, sizeof(buf)) >= 1, "a byte arrives");
    check_true(t, strchr(buf, 'k') != NULL, "the one that was sent");
    check_true(t, write(fd, "in", 2) == 2, "the other way");
    while (!(rd(q, LSR) & 1)) {
        g_usleep(1000);
    }
    check_u8(t, rd(q, DATA), 'i', "first byte");
    while (!(rd(q, LSR) & 1)) {
        g_usleep(1000);
    }
    check_u8(t, rd(q, DATA), 'n', "second byte");
    close(fd);
}
