/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTL8139C: registers, EEPROM, loop-back through both directions, the timer, hostile use. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MEM     0xe0000000u
#define RING    0x100000u
#define TX      0x110000u

static unsigned bdf;

static QTest *start_with(Test *t, const char *args)
{
    QTest *q = qtest_start(t, "-machine pc -nodefaults -device rtl8139,mac=52:54:00:aa:bb:cc%s", args);

    bdf = (unsigned)qpci_find(q, 0x10ec, 0x8139);
    qpci_map(q, bdf, 0, 0xd000);
    qpci_map(q, bdf, 1, MEM);
    return q;
}

static QTest *start(Test *t)
{
    return start_with(t, "");
}

static uint16_t eeprom(QTest *q, unsigned word)
{
    uint16_t v = 0;
    uint32_t cmd = 6u << 6 | word;

    qtest_outb(q, 0xd050, 0x80);
    qtest_outb(q, 0xd050, 0x88);
    for (int i = 8; i >= 0; i--) {
        uint8_t di = cmd >> i & 1 ? 2 : 0;

        qtest_outb(q, 0xd050, 0x88 | di);
        qtest_outb(q, 0xd050, 0x8c | di);
    }
    qtest_outb(q, 0xd050, 0x88);
    for (int i = 0; i < 16; i++) {
        qtest_outb(q, 0xd050, 0x8c);
        v = (uint16_t)(v << 1 | (qtest_inb(q, 0xd050) & 1));
        qtest_outb(q, 0xd050, 0x88);
    }
    qtest_outb(q, 0xd050, 0);
    return v;
}

TEST(rtl8139, registers_and_eeprom)
{
    QTest *q = start(t);

    check_u32(t, qtest_readl(q, MEM), 0xaa005452, "the address");
    check_u8(t, qtest_inb(q, 0xd037), 1, "receive buffer empty");
    check_u32(t, qtest_inl(q, 0xd040) & 0x7cc00000, 0x74000000, "it is an RTL8139C");
    check_u16(t, eeprom(q, 0), 0x8129, "EEPROM's mark (7)");
    check_u16(t, eeprom(q, 7), 0x5452, "and the address in it");
    check_u16(t, eeprom(q, 9), 0xccbb, "to its end");
    qtest_writeb(q, MEM + 0x52, 0xff);
    check_u8(t, qtest_readb(q, MEM + 0x52), 0x0c, "CONFIG1 is locked");
    qtest_writeb(q, MEM + 0x50, 0xc0);
    qtest_writeb(q, MEM + 0x52, 0x0d);
    check_u8(t, qtest_readb(q, MEM + 0x52), 0x0d, "until 9346CR unlocks it");
    qtest_writeb(q, MEM + 0x37, 0x10);
    check_u8(t, qtest_readb(q, MEM + 0x52), 0x0c, "reset");
}

TEST(rtl8139, loopback)
{
    QTest *q = start(t);
    uint8_t frame[100] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, 8, 0 };
    uint8_t got[104];

    for (int i = 14; i < 100; i++) {
        frame[i] = (uint8_t)(i * 3);
    }
    qtest_writel(q, MEM + 0x30, RING);
    qtest_writeb(q, MEM + 0x37, 0x0c);
    qtest_writel(q, MEM + 0x40, 3u << 17);
    qtest_writel(q, MEM + 0x44, 0x0000000e);
    qtest_writew(q, MEM + 0x3c, 0x0005);
    for (int n = 0; n < 200; n++) {     /* around the ring of 8 KiB twice */
        uint32_t at = (uint32_t)(n * 108) % 8192, slot = (uint32_t)n % 4;
        uint16_t status;

        frame[20] = (uint8_t)n;
        qtest_write(q, TX, frame, sizeof(frame));
        qtest_writel(q, MEM + 0x20 + 4 * slot, TX);
        qtest_writel(q, MEM + 0x10 + 4 * slot, sizeof(frame));
        check_u32(t, qtest_readl(q, MEM + 0x10 + 4 * slot) & 0xa000, 0xa000, "sent");
        status = qtest_readw(q, MEM + 0x3e);
        check_u16(t, status, 5, "sent and received");
        check_u8(t, qtest_readb(q, MEM + 0x37) & 1, 0, "not empty");
        for (uint32_t i = 0; i < 104; i++) {
            got[i] = qtest_readb(q, RING + (at + i) % 8192);
        }
        check_mem(t, got, "\x01\x40\x68\0", 4, "the header");
        check_mem(t, got + 4, frame, 100, "the frame");
        qtest_writew(q, MEM + 0x38, (uint16_t)((at + 108) % 8192 - 16));
        qtest_writew(q, MEM + 0x3e, 5);
        check_u8(t, qtest_readb(q, MEM + 0x37) & 1, 1, "empty again");
    }
    for (int n = 0; n < 100; n++) {     /* nobody reads */
        qtest_writel(q, MEM + 0x10, sizeof(frame));
    }
    check_u16(t, qtest_readw(q, MEM + 0x3e) & 0x10, 0x10, "overflow");
    check_true(t, qtest_readl(q, MEM + 0x4c) != 0, "missed frames are counted");
    qtest_writel(q, MEM + 0x10, 0x1fff);
    check_u16(t, qtest_readw(q, MEM + 0x3e) & 8, 8, "a frame that is too long is an error");
    frame[0] = 0x54;
    qtest_write(q, TX, frame, sizeof(frame));
    qtest_writeb(q, MEM + 0x37, 0x00);
    qtest_writeb(q, MEM + 0x37, 0x0c);
    qtest_writel(q, MEM + 0x10, sizeof(frame));
    check_u8(t, qtest_readb(q, MEM + 0x37) & 1, 1, "another's address isn't taken");
    qtest_writel(q, MEM + 0x44, 0x0000000f);
    qtest_writel(q, MEM + 0x10, sizeof(frame));
    check_u8(t, qtest_readb(q, MEM + 0x37) & 1, 0, "but in promiscuous mode");
}

/* A full ring: what comes then waits, and the driver is told until it has made room. */
TEST(rtl8139, overflow)
{
    g_autofree char *own = g_strdup_printf("%s/own", test_tmpdir(t)), *far = g_strdup_printf("%s/far", test_tmpdir(t));
    g_autofree char *args = g_strdup_printf(",netdev=n -netdev dgram,id=n,local.type=unix,local.path=%s,"
                                            "remote.type=unix,remote.path=%s", far, own);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    uint8_t frame[1514] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    QTest *q = start_with(t, args);
    uint16_t isr = 0;

    g_strlcpy(un.sun_path, far, sizeof(un.sun_path));
    qtest_writel(q, MEM + 0x30, RING);
    qtest_writeb(q, MEM + 0x37, 0x08);                  /* RE, ring of 8 KiB */
    qtest_writel(q, MEM + 0x44, 0x8a);                  /* WRAP, AB, APM */
    for (unsigned i = 0; i < 8; i++) {
        check_int(t, sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&un, sizeof(un)), sizeof(frame), "sent");
    }
    while (!(isr & 0x10)) {
        isr = qtest_readw(q, MEM + 0x3e);
        g_usleep(1000);
    }
    check_u16(t, isr, 0x11, "ROK and RXOVW");
    check_u16(t, qtest_readw(q, MEM + 0x3a), 5 * 1524, "five frames are in the ring");
    qtest_writew(q, MEM + 0x3e, 0x11);
    check_u16(t, qtest_readw(q, MEM + 0x3e), 0x10, "acknowledged without room for more: it stays");
    qtest_writew(q, MEM + 0x38, 5 * 1524 - 16);
    check_u16(t, qtest_readw(q, MEM + 0x3a), 8 * 1524 % 8192, "the others come when there is room");
    qtest_writew(q, MEM + 0x38, 8 * 1524 % 8192 - 16);
    qtest_writew(q, MEM + 0x3e, 0x11);
    check_u16(t, qtest_readw(q, MEM + 0x3e), 0, "and all is well");
    close(fd);
}

TEST(rtl8139, timer)
{
    QTest *q = start(t);

    qtest_writel(q, MEM + 0x54, 33000);
    qtest_writel(q, MEM + 0x48, 0);
    qtest_clock_step(q, 900000);
    check_u16(t, qtest_readw(q, MEM + 0x3e), 0, "not yet");
    qtest_clock_step(q, 100000);
    check_u16(t, qtest_readw(q, MEM + 0x3e), 0x4000, "33000 clocks of 33 MHz are a millisecond");
}
