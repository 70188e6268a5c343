/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Quadra's devices as its processor sees them: VIAs, clock chip, ADB, SCC, SONIC, SCSI, frame buffer. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <unistd.h>

#define VIA1        0x50f00000u
#define VIA2        0x50f02000u
#define SCC         0x50f0c020u
#define SONIC       0x50f0a000u
#define PROM        0x50f08000u
#define ESP         0x50f10000u
#define PDMA        0x50f10100u
#define DAFB        0xf9800000u
#define VRAM        0xf9000000u

/* 6522 registers lie 512 bytes apart. */
enum { ORB, ORA, DDRB, DDRA, T1CL, T1CH, T1LL, T1LH, T2CL, T2CH, SR, ACR, PCR, IFR, IER };

static QTest *start(Test *t)
{
    return qtest_start(t, "-machine q800 -m 16 -nodefaults");
}

static uint8_t via(QTest *q, uint32_t base, unsigned reg)
{
    return qtest_readb(q, base + reg * 512);
}

static void set_via(QTest *q, uint32_t base, unsigned reg, uint8_t v)
{
    qtest_writeb(q, base + reg * 512, v);
}

TEST(q800, via_timers)
{
    QTest *q = start(t);

    set_via(q, VIA1, IER, 0xc0);
    set_via(q, VIA1, ACR, 0x40);
    set_via(q, VIA1, T1CL, 0xff);
    set_via(q, VIA1, T1CH, 0x0f);
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0, "T1 has been loaded");
    qtest_clock_step(q, 4000 * 1277);
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0, "not yet");
    qtest_clock_step(q, 200 * 1277);
    check_u8(t, via(q, VIA1, IFR) & 0xc0, 0xc0, "T1 has run down, and is told");
    via(q, VIA1, T1CL);
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0, "reading its counter answers it");
    qtest_clock_step(q, 4098 * 1277);
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0x40, "it runs on by itself");
    qtest_reload(q);
    check_u8(t, via(q, VIA1, IER), 0xc0, "saved and loaded");
    check_u8(t, via(q, VIA1, T1LH), 0x0f, "the latch too");
    set_via(q, VIA1, T2CL, 0x10);
    set_via(q, VIA1, T2CH, 0);
    qtest_clock_step(q, 30 * 1277);
    check_u8(t, via(q, VIA1, IFR) & 0x20, 0x20, "T2 fires");
    set_via(q, VIA1, IFR, 0x7f);
    qtest_clock_step(q, 200000 * INT64_C(1277));
    check_u8(t, via(q, VIA1, IFR) & 0x20, 0, "once");
    set_via(q, VIA1, ACR, 0);
    set_via(q, VIA1, T1CL, 0xff);
    set_via(q, VIA1, T1CH, 0x0f);
    qtest_clock_step(q, 0x2000 * INT64_C(1277));
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0x40, "T1 fires");
    set_via(q, VIA1, IFR, 0x7f);
    qtest_clock_step(q, 0x20000 * INT64_C(1277));
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0, "once too");
    set_via(q, VIA1, ACR, 0x40);
    qtest_clock_step(q, 0x10000 * INT64_C(1277));
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0x40, "told to run on after its end, it does");
    set_via(q, VIA1, IFR, 0x7f);
    qtest_clock_step(q, 0x1100 * INT64_C(1277));
    check_u8(t, via(q, VIA1, IFR) & 0x40, 0x40, "with its own interval from then on");
    qtest_stop(q);
}

/* A byte to or from the clock chip: PB0 data, PB1 clock, PB2 enable (low). */
static void rtc_out(QTest *q, uint8_t v)
{
    for (int i = 7; i >= 0; i--) {
        uint8_t bit = v >> i & 1;

        set_via(q, VIA1, ORB, bit);
        set_via(q, VIA1, ORB, bit | 2);
    }
}

static uint8_t rtc_in(QTest *q)
{
    uint8_t v = 0;

    set_via(q, VIA1, DDRB, 0x06);
    for (int i = 0; i < 8; i++) {
        set_via(q, VIA1, ORB, 0);
        set_via(q, VIA1, ORB, 2);
        v = (uint8_t)(v << 1 | (via(q, VIA1, ORB) & 1));
    }
    set_via(q, VIA1, DDRB, 0x07);
    return v;
}

static void rtc_select(QTest *q)
{
    set_via(q, VIA1, DDRB, 0x07);
    set_via(q, VIA1, ORB, 0x06);
    set_via(q, VIA1, ORB, 0x02);
}

TEST(q800, clock_chip)
{
    QTest *q = start(t);
    uint32_t seconds = 0;

    rtc_select(q);
    rtc_out(q, 0x35);
    rtc_out(q, 0x55);                   /* not protected */
    rtc_select(q);
    rtc_out(q, 0x38 | 2);               /* extended: address 0x48 */
    rtc_out(q, 8 << 2);
    rtc_out(q, 0xa7);
    qtest_reload(q);
    rtc_select(q);
    rtc_out(q, 0xb8 | 2);
    rtc_out(q, 8 << 2);
    check_u8(t, rtc_in(q), 0xa7, "parameter RAM keeps what was written");
    for (unsigned i = 0; i < 4; i++) {
        rtc_select(q);
        rtc_out(q, (uint8_t)(0x81 | i << 2));
        seconds |= (uint32_t)rtc_in(q) << (8 * i);
    }
    check_true(t, seconds > 3786912000u, "seconds since 1904: later than 2023");
    qtest_stop(q);
}

static uint8_t pram(QTest *q, int write)
{
    uint8_t v;

    rtc_select(q);
    rtc_out(q, 0x35);
    rtc_out(q, 0x55);                   /* not protected */
    rtc_select(q);
    rtc_out(q, (uint8_t)((write >= 0 ? 0x38 : 0xb8) | 2));      /* extended: address 0x48 */
    rtc_out(q, 8 << 2);
    if (write >= 0) {
        rtc_out(q, (uint8_t)write);
        return 0;
    }
    v = rtc_in(q);
    return v;
}

TEST(q800, parameter_ram_in_a_file)
{
    g_autofree char *path = NULL, *args = NULL, *data = NULL;
    gsize len = 0;
    QTest *q;

    close(g_file_open_tmp("pram.XXXXXX", &path, NULL));
    args = g_strdup_printf("-M q800 -m 8 -global mos6522-q800-via1.pram=%s", path);
    q = qtest_start(t, args);
    pram(q, 0x5a);
    g_file_get_contents(path, &data, &len, NULL);
    check_u32(t, (uint32_t)len, 256, "bytes in the file");
    check_u8(t, len == 256 ? (uint8_t)data[0x48] : 0, 0x5a, "what was written is there at once");
    qtest_stop(q);
    q = qtest_start(t, args);
    check_u8(t, pram(q, -1), 0x5a, "another machine finds it");
    qtest_stop(q);
    unlink(path);
}

TEST(q800, clock_starts_where_rtc_says)
{
    QTest *q = qtest_start(t, "-M q800 -m 8 -rtc base=2004-05-06T07:08:09");
    uint32_t seconds = 0;

    for (unsigned i = 0; i < 4; i++) {
        rtc_select(q);
        rtc_out(q, (uint8_t)(0x81 | i << 2));
        seconds |= (uint32_t)rtc_in(q) << (8 * i);
    }
    check_true(t, seconds >= 1083827289u + 2082844800u && seconds < 1083827289u + 2082844800u + 600,
               "2004-05-06T07:08:09 UTC, a little later");
    qtest_stop(q);
}

/* A command to ADB: states 0 (command), 1, 2 (data), 3 (idle) on PB4 and PB5. */
static bool adb_state(QTest *q, uint8_t state)
{
    set_via(q, VIA1, IFR, 0x04);
    set_via(q, VIA1, ORB, (uint8_t)(state << 4 | 0x04));
    qtest_clock_step(q, 300000);
    return via(q, VIA1, IFR) & 0x04;
}

TEST(q800, adb_keyboard_answers)
{
    QTest *q = start(t);

    set_via(q, VIA1, DDRB, 0x36);
    set_via(q, VIA1, ORB, 0x34);
    set_via(q, VIA1, ACR, 0x1c);
    set_via(q, VIA1, SR, 0x2f);         /* Talk register 3 of address 2 */
    check_true(t, adb_state(q, 0), "the command is shifted out");
    set_via(q, VIA1, ACR, 0x0c);
    check_true(t, adb_state(q, 1), "a byte comes");
    check_u8(t, via(q, VIA1, SR), 0x62, "flags and the address");
    check_true(t, adb_state(q, 2), "and another");
    check_u8(t, via(q, VIA1, SR), 2, "the handler");
    check_true(t, adb_state(q, 1), "then the end");
    check_u8(t, via(q, VIA1, ORB) & 8, 0, "is told on PB3");
    qtest_stop(q);
}

static void press(Test *t, QTest *q, const char *key)
{
    QObject *answer = qmp_cmd_fmt(qtest_qmp(q), NULL, "input-send-event",
                                  "{'events': [{'type': 'key', 'data': {'down': true, "
                                  "'key': {'type': 'qcode', 'data': %s}}}]}", key);

    check_true(t, answer, "the key is taken");
    qobject_unref(answer);
}

/* What was asked for while idle waits for the host, whatever comes in the meantime. */
TEST(q800, adb_answer_waits)
{
    QTest *q = qtest_start_qmp(t, "-machine q800 -m 16 -nodefaults");

    set_via(q, VIA1, DDRB, 0x36);
    set_via(q, VIA1, ORB, 0x34);
    set_via(q, VIA1, ACR, 0x1c);
    set_via(q, VIA1, SR, 0x2c);         /* Talk register 0 of address 2 */
    check_true(t, adb_state(q, 0), "the command is shifted out");
    set_via(q, VIA1, ACR, 0x0c);
    check_true(t, adb_state(q, 1) && adb_state(q, 2) && adb_state(q, 1), "there is nothing");
    adb_state(q, 3);
    press(t, q, "h");
    qtest_clock_step(q, 12000000);
    check_u8(t, via(q, VIA1, IFR) & 0x04, 4, "asked again by itself");
    check_u8(t, via(q, VIA1, ORB) & 8, 0, "an answer is there");
    press(t, q, "e");
    qtest_clock_step(q, 24000000);
    /* The host sends a command all the same. */
    set_via(q, VIA1, ACR, 0x1c);
    set_via(q, VIA1, SR, 0x3c);
    check_true(t, adb_state(q, 0), "the command is shifted out");
    check_u8(t, via(q, VIA1, ORB) & 8, 0, "but the answer is to be read");
    set_via(q, VIA1, ACR, 0x0c);
    check_true(t, adb_state(q, 1), "a byte comes");
    check_u8(t, via(q, VIA1, SR), 4, "H");
    check_true(t, adb_state(q, 2), "and another");
    check_u8(t, via(q, VIA1, SR), 0xff, "no more");
    check_true(t, adb_state(q, 1), "the end");
    adb_state(q, 3);
    qtest_clock_step(q, 12000000);
    check_u8(t, via(q, VIA1, IFR) & 0x04, 4, "and again");
    check_true(t, adb_state(q, 1), "a byte comes");
    check_u8(t, via(q, VIA1, SR), 0x0e, "E");
    qtest_stop(q);
}

static void scc_write(QTest *q, unsigned channel_a, uint8_t reg, uint8_t v)
{
    qtest_writeb(q, SCC + 2 * channel_a, reg);
    qtest_writeb(q, SCC + 2 * channel_a, v);
}

static uint8_t scc_read(QTest *q, unsigned channel_a, uint8_t reg)
{
    qtest_writeb(q, SCC + 2 * channel_a, reg);
    return qtest_readb(q, SCC + 2 * channel_a);
}

TEST(q800, scc_loopback)
{
    QTest *q = start(t);

    scc_write(q, 1, 9, 0x80);
    scc_write(q, 1, 14, 0x11);          /* loopback */
    scc_write(q, 1, 3, 0xc1);
    scc_write(q, 1, 5, 0x68);
    scc_write(q, 1, 1, 0x12);           /* interrupts: all received, sent */
    scc_write(q, 1, 9, 0x08);
    qtest_writeb(q, SCC + 6, 0x5a);
    check_u8(t, scc_read(q, 1, 0) & 1, 1, "a byte is there");
    check_u8(t, scc_read(q, 1, 3), 0x30, "both are pending, of channel A");
    check_u8(t, scc_read(q, 0, 2), 0x0c, "the vector tells of the received one");
    qtest_reload(q);
    check_u8(t, qtest_readb(q, SCC + 6), 0x5a, "it is the one that was sent");
    check_u8(t, scc_read(q, 1, 3), 0x10, "that one is answered");
    scc_write(q, 1, 0, 0x28);
    check_u8(t, scc_read(q, 1, 3), 0, "so is the other");
    qtest_stop(q);
}

static void sonic(QTest *q, unsigned reg, uint16_t v)
{
    qtest_writew(q, SONIC + reg * 4 + 2, v);
}

static uint16_t get_sonic(QTest *q, unsigned reg)
{
    return qtest_readw(q, SONIC + reg * 4 + 2);
}

TEST(q800, sonic_cam_and_loopback)
{
    static const uint8_t mac[6] = { 0x08, 0x00, 0x07, 1, 2, 3 };
    QTest *q = start(t);
    uint8_t prom[3], frame[64] = { 0 };

    qtest_read(q, PROM, prom, 3);
    check_true(t, prom[0] == 0x10 && prom[1] == 0 && prom[2] == 0xe0, "an Apple address, bits reversed");
    check_u16(t, get_sonic(q, 0), 0x94, "CR after reset");
    sonic(q, 0, 0);
    sonic(q, 1, 0x20);                          /* 32-bit descriptors */
    sonic(q, 20, 0);                            /* URRA */
    /* One CAM entry: number, three words, the enable word. */
    qtest_writel(q, 0x1000, 0);
    for (unsigned i = 0; i < 3; i++) {
        qtest_writel(q, 0x1004 + 4 * i, (uint32_t)mac[2 * i] | (uint32_t)mac[2 * i + 1] << 8);
    }
    qtest_writel(q, 0x1010, 1);
    sonic(q, 38, 0x1000);
    sonic(q, 39, 1);
    sonic(q, 0, 0x200);
    check_u16(t, get_sonic(q, 5), 0x1000, "LCD");
    /* A buffer of 1024 words, two descriptors. */
    qtest_writel(q, 0x2000, 0x4000);
    qtest_writel(q, 0x2004, 0);
    qtest_writel(q, 0x2008, 1024);
    qtest_writel(q, 0x200c, 0);
    sonic(q, 21, 0x2000);
    sonic(q, 22, 0x2020);
    sonic(q, 23, 0x2000);
    sonic(q, 24, 0x2018);
    sonic(q, 0, 0x100);
    qtest_writel(q, 0x3000 + 20, 0x3101);       /* link: the end */
    qtest_writel(q, 0x3000 + 24, 1);
    sonic(q, 14, 0x3000);
    sonic(q, 2, 0x0200);                        /* MAC loopback */
    sonic(q, 0, 0x08);
    memcpy(frame, mac, 6);
    frame[20] = 0x77;
    qtest_write(q, 0x5000, frame, sizeof(frame));
    qtest_writel(q, 0x6008, 64);
    qtest_writel(q, 0x600c, 1);
    qtest_writel(q, 0x6010, 0x5000);
    qtest_writel(q, 0x6014, 0);
    qtest_writel(q, 0x6018, 64);
    qtest_writel(q, 0x601c, 0x6101);
    sonic(q, 7, 0x6000);
    sonic(q, 0, 0x02);
    check_u32(t, qtest_readl(q, 0x6000), 1, "sent");
    check_u32(t, qtest_readl(q, 0x3004), 68, "received, with its check sum");
    check_u32(t, qtest_readl(q, 0x3000) & 3, 3, "by loopback");
    check_u8(t, qtest_readb(q, 0x4014), 0x77, "its bytes");
    check_u16(t, get_sonic(q, 5) & 0x0640, 0x0240, "TXDN, RDE, no PKTRX");
    check_u32(t, qtest_readl(q, 0x3018), 1, "the last descriptor stays the chip's");
    qtest_reload(q);
    check_u16(t, get_sonic(q, 14), 0x3101, "saved and loaded");
    /* The list goes on: its end has moved. */
    sonic(q, 5, 0x7fff);
    qtest_writel(q, 0x3100 + 20, 0x3001);
    qtest_writel(q, 0x3100 + 24, 1);
    qtest_writel(q, 0x3000 + 20, 0x3100);
    sonic(q, 7, 0x6000);
    sonic(q, 0, 0x02);
    check_u32(t, qtest_readl(q, 0x3018), 0, "now the host has it");
    check_u32(t, qtest_readl(q, 0x3104), 68, "the second frame");
    check_u32(t, qtest_readl(q, 0x3118), 1, "kept in its turn");
    check_u16(t, get_sonic(q, 5) & 0x0640, 0x0640, "PKTRX for the first, TXDN, RDE");
    qtest_stop(q);
}

static uint8_t esp(QTest *q, unsigned reg)
{
    return qtest_readb(q, ESP + reg * 16);
}

static void set_esp(QTest *q, unsigned reg, uint8_t v)
{
    qtest_writeb(q, ESP + reg * 16, v);
}

/* INQUIRY with pseudo-DMA, saved and loaded in the middle of the data. */
TEST(q800, scsi_inquiry)
{
    static const uint8_t cdb[] = { 0xc0, 0x12, 0, 0, 0, 36, 0 };
    QTest *q = qtest_start(t, "-machine q800 -m 16 -nodefaults -blockdev null-co,node-name=d,size=1M "
                              "-device scsi-hd,drive=d,scsi-id=2");
    uint8_t data[36];

    set_esp(q, 4, 5);
    set_esp(q, 2, 0xc0);
    set_esp(q, 3, 0x42);
    check_u8(t, esp(q, 5), 0x20, "nobody at 5: disconnected");
    set_esp(q, 4, 2);
    for (size_t i = 0; i < sizeof(cdb); i++) {
        set_esp(q, 2, cdb[i]);
    }
    set_esp(q, 3, 0x42);
    check_u8(t, esp(q, 4) & 0x87, 0x81, "interrupt, data in");
    check_u8(t, esp(q, 6), 4, "all of the sequence");
    check_u8(t, esp(q, 5), 0x18, "FC and BS");
    check_u8(t, esp(q, 4) & 0x80, 0, "answered by reading");
    set_esp(q, 0, 36);
    set_esp(q, 1, 0);
    set_esp(q, 3, 0x90);
    for (unsigned i = 0; i < 10; i += 2) {
        uint16_t w = qtest_readw(q, PDMA);

        data[i] = (uint8_t)(w >> 8);
        data[i + 1] = (uint8_t)w;
    }
    qtest_reload(q);
    for (unsigned i = 10; i < 36; i++) {
        data[i] = qtest_readb(q, PDMA);
    }
    check_mem_at(t, data + 8, "QEMU    ", 8, "the vendor", __FILE__, __LINE__);
    check_u8(t, esp(q, 4) & 0x97, 0x93, "counter at zero, status phase");
    esp(q, 5);
    set_esp(q, 3, 0x11);
    check_u8(t, esp(q, 5), 0x08, "status and message are there");
    check_u8(t, esp(q, 7) & 31, 2, "two bytes");
    check_u8(t, esp(q, 2), 0, "GOOD");
    set_esp(q, 3, 0x12);
    check_u8(t, esp(q, 5), 0x20, "disconnected");
    qtest_stop(q);
}

TEST(q800, frame_buffer_palette)
{
    QTest *q = start(t);

    qtest_writel(q, DAFB + 0x200, 0);
    for (unsigned i = 0; i < 6; i++) {
        qtest_writeb(q, DAFB + 0x213, (uint8_t)(i * 40));
    }
    qtest_writel(q, VRAM, 0x01020304);
    check_u32(t, qtest_readl(q, VRAM), 0x01020304, "video memory");
    qtest_writel(q, DAFB + 0x104, 4);
    qtest_clock_step(q, 20000000);
    check_u32(t, qtest_readl(q, DAFB + 0x108), 4, "vertical blanking");
    check_u8(t, via(q, VIA2, ORA) & 0x40, 0, "at its slot's line");
    qtest_writel(q, DAFB + 0x10c, 0);
    check_u8(t, via(q, VIA2, ORA) & 0x40, 0x40, "answered");
    qtest_stop(q);
}

/* Every word of the I/O space and of the frame buffer's registers, read and written with odd values. */
TEST(q800, hostile_guest)
{
    /* VIA2's port B switches the power off. */
    QTest *q = qtest_start(t, "-machine q800 -m 16 -nodefaults -no-shutdown");

    for (uint32_t at = 0; at < 0x20000; at += 16) {
        qtest_writeb(q, 0x50f00000 + at, (uint8_t)(at * 37));
        qtest_writew(q, 0x50f00000 + at + 2, (uint16_t)(at * 977));
        qtest_readb(q, 0x50f00000 + at);
    }
    qtest_clock_step(q, 100000000);
    qtest_reload(q);
    check_u16(t, get_sonic(q, 0x28), 4, "it is still there");
    qtest_stop(q);
}

#define ASC         0x50f14000u

static uint8_t asc(QTest *q, unsigned reg)
{
    return qtest_readb(q, ASC + reg);
}
static void set_asc(QTest *q, unsigned reg, uint8_t v)
{
    qtest_writeb(q, ASC + reg, v);
}

/* As a real Quadra 800's chip answers the program ASCTester. */
TEST(q800, sound)
{
    g_autofree char *path = NULL, *wav = NULL;
    unsigned low = 0, high = 0;
    gsize len = 0;
    QTest *q;

    close(g_file_open_tmp("easc.XXXXXX", &path, NULL));
    q = qtest_start(t, "-machine q800 -m 16 -nodefaults -audiodev wav,id=w,path=%s", path);
    check_u8(t, asc(q, 0x800), 0xbb, "the version");
    check_u8(t, asc(q, 0x804), 0x0e, "idle");
    check_u8(t, asc(q, 0xf29), 1, "no interrupt at first");
    set_asc(q, 0x801, 2);
    check_u8(t, asc(q, 0x801), 0, "there is no mode 2");
    set_asc(q, 0x802, 0);
    set_asc(q, 0x806, 0xe0);
    set_asc(q, 0x803, 0x80);
    set_asc(q, 0x803, 0);
    for (unsigned i = 0; i < 0x400; i++) {
        set_asc(q, i, i / 20 & 1 ? 0xf0 : 0x10);
        set_asc(q, 0x400, i / 20 & 1 ? 0xf0 : 0x10);
    }
    check_u8(t, asc(q, 0x804), 0x0a, "both are full");
    set_asc(q, 0x400, 1);
    check_u8(t, asc(q, 0x802), 0x80, "one too many");
    set_via(q, VIA2, IFR, 0x10);
    set_asc(q, 0xf29, 0);
    check_u8(t, via(q, VIA2, IFR) & 0x10, 0, "no interrupt yet");
    set_asc(q, 0x801, 1);
    qtest_clock_step(q, 15000000);
    check_u8(t, asc(q, 0x804), 0x02, "some of it has been played");
    qtest_reload(q);
    qtest_clock_step(q, 20000000);
    check_u8(t, asc(q, 0x804), 0x06, "half empty");
    check_u8(t, via(q, VIA2, IFR) & 0x10, 0x10, "which interrupts");
    set_via(q, VIA2, IFR, 0x10);
    qtest_clock_step(q, 30000000);
    check_u8(t, asc(q, 0x804), 0x0e, "empty");
    check_u8(t, via(q, VIA2, IFR) & 0x10, 0, "once");
    set_asc(q, 0x801, 0);
    qtest_stop(q);
    check_true(t, g_file_get_contents(path, &wav, &len, NULL) && len > 44 + 4 * 1024, "the sound was played");
    for (gsize i = 44; i + 2 <= len; i += 2) {
        int16_t v = (int16_t)((uint8_t)wav[i] | (uint8_t)wav[i + 1] << 8);

        low += v < -20000;
        high += v > 20000;
    }
    check_true(t, low > 1000 && high > 1000, "both halves of the wave");
    unlink(path);
}

TEST(q800, which_machine_it_is)
{
    QTest *q = start(t);

    check_u32(t, qtest_readl(q, 0x5ffffffc), 0xa55a2bad, "a Quadra 610, 650 or 800");
    check_u8(t, via(q, VIA1, ORA) & 0x56, 0x12, "and of these the 800");
    qtest_stop(q);
}

#define DJMEMC      0x50f0e000u

/* RAM as the ROM sizes it: a bank where its register says, repeating in its window; saved and loaded; all of it at 0 after a
 * reset. */
TEST(q800, memory_banks)
{
    QTest *q = qtest_start_qmp(t, "-machine q800 -m 24 -nodefaults");
    QObject *answer;

    qtest_writel(q, 0, 0x11111111);
    qtest_writel(q, 16 << 20, 0x22222222);
    check_u32(t, qtest_readl(q, DJMEMC), 0xffffffe0, "unused bits are ones");
    for (unsigned n = 0; n < 10; n++) {         /* 32 Mbytes apart, as when it looks for them */
        qtest_writel(q, DJMEMC + 4 + 4 * n, 8 * n);
    }
    check_u32(t, qtest_readl(q, DJMEMC + 8), 0xfffffe08, "bank 1's register");
    check_u32(t, qtest_readl(q, 0), 0x11111111, "bank 0");
    check_u32(t, qtest_readl(q, 16 << 20), 0x11111111, "and once more: it has 16 Mbytes");
    check_u32(t, qtest_readl(q, 32 << 20), 0x22222222, "bank 1");
    qtest_writel(q, (32 << 20) + 4, 0x33333333);
    check_u32(t, qtest_readl(q, (56 << 20) + 4), 0x33333333, "8 Mbytes");
    qtest_writel(q, DJMEMC + 8, 4);
    qtest_reload(q);
    check_u32(t, qtest_readl(q, (16 << 20) + 4), 0x11111111 * 0, "bank 0 lies above it");
    qtest_writel(q, DJMEMC + 4, 2);
    qtest_writel(q, DJMEMC + 8, 0);
    check_u32(t, qtest_readl(q, 4), 0x33333333, "bank 1 first, the other behind it");
    check_u32(t, qtest_readl(q, 8 << 20), 0x11111111, "without a gap");
    answer = qmp_cmd(qtest_qmp(q), "system_reset", NULL, NULL);
    check_true(t, answer, "reset");
    qobject_unref(answer);
    while (qtest_readl(q, 0) != 0x11111111) {
        g_usleep(100);
    }
    check_u32(t, qtest_readl(q, (16 << 20) + 4), 0x33333333, "all of it at 0 again");
    qtest_stop(q);
}
