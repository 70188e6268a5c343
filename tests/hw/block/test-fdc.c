/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 82077AA: commands, DMA and programmed transfers, formats, disk change, hostile guests (DS 290166). */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>

enum { DOR = 0x3f2, MSR = 0x3f4, DSR = 0x3f4, FIFO = 0x3f5, DIR_REG = 0x3f7, CCR = 0x3f7 };
#define BUF     0x20000

static char *image(Test *t, const char *name, uint32_t sectors)
{
    char *path = g_strdup_printf("%s/%s.img", test_tmpdir(t), name);
    g_autofree uint8_t *data = g_malloc(sectors * 512);

    for (uint32_t i = 0; i < sectors * 512; i++) {
        data[i] = (uint8_t)(i / 512 * 3 + i % 7);
    }
    g_file_set_contents(path, (char *)data, sectors * 512, NULL);
    return path;
}

static void put(QTest *q, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        qtest_outb(q, FIFO, bytes[i]);
    }
}
#define COMMAND(q, ...) \
    put(q, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void get(QTest *q, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = qtest_inb(q, FIFO);
    }
}

/* Until the result phase, or a byte of a programmed transfer. */
static void wait_rqm(QTest *q)
{
    while (!(qtest_inb(q, MSR) & 0x80)) {
        g_usleep(500);
    }
}

static void dma(QTest *q, bool to_memory, uint32_t bytes)
{
    qtest_outb(q, 0x0a, 6);
    qtest_outb(q, 0x0c, 0);
    qtest_outb(q, 0x0b, to_memory ? 0x46 : 0x4a);
    qtest_outb(q, 0x04, BUF & 0xff);
    qtest_outb(q, 0x04, BUF >> 8 & 0xff);
    qtest_outb(q, 0x81, BUF >> 16);
    qtest_outb(q, 0x05, (uint8_t)(bytes - 1));
    qtest_outb(q, 0x05, (uint8_t)((bytes - 1) >> 8));
    qtest_outb(q, 0x0a, 2);
}

static void reset(Test *t, QTest *q, uint8_t rate)
{
    uint8_t r[2];

    qtest_outb(q, DOR, 0x08);
    qtest_outb(q, DOR, 0x1c);
    for (int i = 0; i < 4; i++) {
        COMMAND(q, 0x08);
        get(q, r, 2);
        check_u8(t, r[0], 0xc0 | i, "four sense interrupts after a reset (5.2.3)");
    }
    COMMAND(q, 0x03, 0xaf, 0x02);
    qtest_outb(q, CCR, rate);
}

static QTest *start(Test *t, const char *path, const char *more)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -nodefaults -drive if=floppy,id=f0,format=raw,file=%s %s",
                               path, more);

    reset(t, q, 0);
    return q;
}

static void seek(QTest *q, uint8_t track)
{
    uint8_t r[2];

    COMMAND(q, 0x0f, 0, track);
    COMMAND(q, 0x08);
    get(q, r, 2);
}

TEST(fdc, commands)
{
    g_autofree char *path = image(t, "a", 2880);
    QTest *q = start(t, path, "");
    uint8_t r[10];

    check_u8(t, qtest_inb(q, MSR), 0x80, "ready for a command");
    COMMAND(q, 0x10);
    check_u8(t, qtest_inb(q, MSR), 0xd0, "a result waits");
    get(q, r, 1);
    check_u8(t, r[0], 0x90, "VERSION");
    COMMAND(q, 0x1f);
    get(q, r, 1);
    check_u8(t, r[0], 0x80, "an invalid command");
    COMMAND(q, 0x08);
    get(q, r, 1);
    check_u8(t, r[0], 0x80, "SENSE INTERRUPT without one is invalid");
    check_u8(t, qtest_inb(q, DIR_REG) & 0x80, 0x80, "the disk was changed");
    COMMAND(q, 0x0f, 0, 5);
    COMMAND(q, 0x08);
    get(q, r, 2);
    check_u8(t, r[0], 0x20, "seek end");
    check_u8(t, r[1], 5, "at cylinder 5");
    check_u8(t, qtest_inb(q, DIR_REG) & 0x80, 0, "a step clears the disk change");
    COMMAND(q, 0x4a, 4);
    get(q, r, 7);
    check_mem(t, r, "\x04\0\0\5\1\1\2", 7, "READ ID: the track, head 1");
    COMMAND(q, 0x07, 0);
    COMMAND(q, 0x08);
    get(q, r, 2);
    check_u8(t, r[1], 0, "RECALIBRATE");
    COMMAND(q, 0x04, 0);
    get(q, r, 1);
    check_u8(t, r[0], 0x38, "SENSE DRIVE STATUS: track 0, writable");
    COMMAND(q, 0x13, 0, 0x57, 0);
    COMMAND(q, 0x94);
    get(q, r, 1);
    check_u8(t, r[0], 0x10, "LOCK");
    COMMAND(q, 0x0e);
    get(q, r, 10);
    check_u8(t, r[8], 0x57, "DUMPREG has the configuration");
    check_u8(t, r[7] & 0x80, 0x80, "and the lock");
    qtest_outb(q, 0x70, 0x10);
    check_u8(t, qtest_inb(q, 0x71), 0x40, "CMOS: a drive of 1.44M");
}

TEST(fdc, dma_transfers)
{
    g_autofree char *path = image(t, "a", 2880), *now = NULL;
    QTest *q = start(t, path, "");
    uint8_t r[7], data[1024], want[1024];

    qtest_irq_intercept_in(q, "ioapic");
    for (int i = 0; i < 1024; i++) {
        want[i] = (uint8_t)((i / 512 + 17) * 3 + (i + 17 * 512) % 7);
    }
    seek(q, 0);
    dma(q, true, 1024);
    COMMAND(q, 0xe6, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_mem(t, r, "\4\0\0\0\1\2\2", 7, "multi-track: sector 18, then head 1 sector 1; 2 is next");
    qtest_read(q, BUF, data, 1024);
    check_mem(t, data, want, 1024, "the data");
    seek(q, 3);
    memset(data, 0x5a, 512);
    qtest_write(q, BUF, data, 512);
    dma(q, false, 512);
    COMMAND(q, 0x45, 4, 3, 1, 7, 2, 18, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[0] & 0xc0, 0, "written");
    g_file_get_contents(path, &now, NULL, NULL);
    check_mem(t, now + ((3 * 2 + 1) * 18 + 6) * 512, data, 512, "it is in the image");
    /* DS 5.1.5: FORMAT takes four bytes for each sector. */
    for (int i = 0; i < 18; i++) {
        qtest_write(q, BUF + 4 * i, (const uint8_t[]){ 3, 0, (uint8_t)(i + 1), 2 }, 4);
    }
    dma(q, false, 72);
    COMMAND(q, 0x4d, 0, 2, 18, 0x50, 0xf6);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[0] & 0xc0, 0, "formatted");
    g_free(now);
    g_file_get_contents(path, &now, NULL, NULL);
    memset(data, 0xf6, 512);
    check_mem(t, now + (3 * 36 + 17) * 512, data, 512, "the fill byte in the last sector");
    /* Errors. */
    dma(q, true, 512);
    COMMAND(q, 0x46, 0, 3, 0, 19, 2, 19, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[0] & 0xc0, 0x40, "no sector 19: abnormal end");
    check_u8(t, r[1], 4, "no data");
    COMMAND(q, 0x46, 0, 9, 0, 1, 2, 18, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[2], 0x10, "wrong cylinder");
    dma(q, true, 1024);
    COMMAND(q, 0x46, 0, 3, 0, 18, 2, 18, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[1], 0x80, "past the end of the track without TC");
    qtest_outb(q, CCR, 2);
    COMMAND(q, 0x46, 0, 3, 0, 1, 2, 18, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[1], 1, "the wrong data rate finds no address mark");
}

TEST(fdc, programmed_transfers)
{
    g_autofree char *path = image(t, "b", 1440);
    QTest *q = start(t, path, "");
    uint8_t r[7], data[512];

    COMMAND(q, 0x03, 0xaf, 0x03);
    qtest_outb(q, CCR, 2);
    seek(q, 2);
    COMMAND(q, 0x46, 0, 2, 0, 9, 2, 9, 0x1b, 0xff);
    for (int i = 0; i < 512; i++) {
        wait_rqm(q);
        check_u8(t, qtest_inb(q, MSR) & 0xf0, 0xf0, "a byte is there (NON DMA)");
        data[i] = qtest_inb(q, FIFO);
    }
    check_u8(t, data[0], (uint8_t)((2 * 18 + 8) * 3 + (44 * 512) % 7), "the data of 720K");
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[1], 0x80, "end of the track, there is no TC");
    COMMAND(q, 0x45, 0, 2, 0, 9, 2, 9, 0x1b, 0xff);
    for (int i = 0; i < 512; i++) {
        wait_rqm(q);
        qtest_outb(q, FIFO, (uint8_t)i);
    }
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[1], 0x80, "written");
}

TEST(fdc, no_medium_and_two_drives)
{
    g_autofree char *path = image(t, "c", 5760), *more = NULL, *b = image(t, "d", 720);
    QTest *q;
    uint8_t r[7];

    more = g_strdup_printf("-drive if=floppy,index=1,format=raw,readonly=on,file=%s", b);
    q = start(t, path, more);
    qtest_outb(q, 0x70, 0x10);
    check_u8(t, qtest_inb(q, 0x71), 0x52, "CMOS: 2.88M and 1.2M");
    COMMAND(q, 0x04, 1);
    get(q, r, 1);
    check_u8(t, r[0] & 0x40, 0x40, "B: is write-protected");
    qtest_outb(q, DOR, 0x2d);
    qtest_outb(q, CCR, 1);
    dma(q, false, 512);
    COMMAND(q, 0x45, 1, 0, 0, 1, 2, 9, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[1], 2, "not writable");
    COMMAND(q, 0x4a, 2);
    get(q, r, 7);
    check_u8(t, r[0] & 0xc0, 0x40, "there is no third drive");
}

TEST(fdc, hostile)
{
    g_autofree char *path = image(t, "e", 2880);
    QTest *q = start(t, path, "");
    g_autoptr(GRand) rnd = g_rand_new_with_seed(7);
    uint8_t r[7];

    for (int i = 0; i < 20000; i++) {
        uint16_t port = (uint16_t)(0x3f0 + g_rand_int_range(rnd, 0, 8));

        if (port == 0x3f6) {
            continue;
        }
        if (i % 3) {
            qtest_outb(q, port, (uint8_t)g_rand_int(rnd));
        } else {
            qtest_inb(q, port);
        }
    }
    /* A reset in the middle of a transfer, then it works again. */
    reset(t, q, 0);
    seek(q, 0);
    dma(q, true, 512);
    COMMAND(q, 0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    qtest_outb(q, DOR, 0x08);
    reset(t, q, 0);
    dma(q, true, 512);
    seek(q, 0);
    COMMAND(q, 0x46, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    wait_rqm(q);
    get(q, r, 7);
    check_u8(t, r[0] & 0xc0, 0, "it reads");
}
