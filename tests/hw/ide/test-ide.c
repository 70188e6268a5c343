/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IDE through the ports of a PC: identification, PIO, bus-master DMA, packets, errors, saved state. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"
#include "util/bswap.h"

#include <glib.h>

#define IDE         0x1f0
#define CTRL        0x3f6
#define IDE_BDF     (1 << 3 | 1)
#define BM          0xc000
#define BUFFER      0x100000u
#define TABLE       0x200000u
#define SECTORS     2048

enum { ERR = 0x01, DRQ = 0x08, DRDY = 0x40, BSY = 0x80 };

static char *image(Test *t)
{
    char *path = g_strdup_printf("%s/disk.img", test_tmpdir(t));
    uint8_t *data = g_malloc(SECTORS * 512);

    for (unsigned i = 0; i < SECTORS * 512; i++) {
        data[i] = i / 512 + i * 7;
    }
    check_true(t, g_file_set_contents(path, (char *)data, SECTORS * 512, NULL), "the image");
    g_free(data);
    return path;
}

static uint8_t byte_of(unsigned sector, unsigned i)
{
    unsigned at = sector * 512 + i;

    return at / 512 + at * 7;
}

/* Until the drive isn't busy; each question lets the emulator's loop go round. */
static uint8_t ready(QTest *q)
{
    uint8_t s;

    do {
        s = qtest_inb(q, CTRL);
    } while (s & BSY);
    return s;
}

static void command(QTest *q, uint8_t drive, uint32_t lba, uint8_t count, uint8_t cmd)
{
    qtest_outb(q, IDE + 6, 0xe0 | drive << 4 | lba >> 24);
    qtest_outb(q, IDE + 2, count);
    qtest_outb(q, IDE + 3, lba);
    qtest_outb(q, IDE + 4, lba >> 8);
    qtest_outb(q, IDE + 5, lba >> 16);
    qtest_outb(q, IDE + 7, cmd);
}

static QTest *disk_pc(Test *t)
{
    g_autofree char *path = image(t);

    return qtest_start_qmp(t, "-machine pc -m 32 -nodefaults"
                              " -drive file=%s,format=raw,if=ide,index=0", path);
}

/* ACS 7.12: words 60-61 count the sectors, 27-46 are the model in swapped bytes. */
TEST(ide, identify)
{
    QTest *q = disk_pc(t);
    uint16_t w[256];

    command(q, 0, 0, 0, 0xec);
    check_u8(t, ready(q) & (DRQ | ERR), DRQ, "data waits");
    for (int i = 0; i < 256; i++) {
        w[i] = qtest_inw(q, IDE);
    }
    check_u32(t, w[60] | (uint32_t)w[61] << 16, SECTORS, "sectors");
    check_u32(t, w[27], 'Q' << 8 | 'E', "model");
    check_u8(t, ready(q) & DRQ, 0, "no more data");
    command(q, 1, 0, 0, 0xec);
    check_u8(t, qtest_inb(q, CTRL), 0, "there is no second drive");
}

TEST(ide, pio_read_and_write)
{
    QTest *q = disk_pc(t);

    command(q, 0, 5, 2, 0x20);
    for (unsigned s = 5; s < 7; s++) {
        check_u8(t, ready(q) & (DRQ | ERR), DRQ, "a sector waits");
        for (unsigned i = 0; i < 512; i += 2) {
            check_u16(t, qtest_inw(q, IDE), byte_of(s, i) | byte_of(s, i + 1) << 8, "data");
        }
    }
    command(q, 0, 9, 1, 0x30);
    check_u8(t, ready(q) & DRQ, DRQ, "a sector is wanted");
    for (unsigned i = 0; i < 256; i++) {
        qtest_outw(q, IDE, 0xa500 + i);
    }
    check_u8(t, ready(q) & (DRQ | ERR), 0, "written");
    command(q, 0, 9, 1, 0x20);
    ready(q);
    for (unsigned i = 0; i < 256; i++) {
        check_u16(t, qtest_inw(q, IDE), 0xa500 + i, "what was written");
    }
}

TEST(ide, addresses_past_the_end)
{
    QTest *q = disk_pc(t);

    command(q, 0, SECTORS - 1, 2, 0x20);
    check_u8(t, ready(q) & (ERR | DRQ), ERR, "refused");
    check_u8(t, qtest_inb(q, IDE + 1) & 0x10, 0x10, "IDNF");
    command(q, 0, 0, 0, 0xf7);
    check_u8(t, ready(q) & ERR, ERR, "no such command");
    check_u8(t, qtest_inb(q, IDE + 1), 0x04, "ABRT");
}

static void start_dma(QTest *q, bool to_memory)
{
    qpci_writel(q, IDE_BDF, 0x20, BM | 1);
    qpci_writew(q, IDE_BDF, 0x04, 5);                   /* I/O, bus master */
    qtest_outl(q, BM + 4, TABLE);
    qtest_outb(q, BM + 2, 6);
    qtest_outb(q, BM, to_memory ? 9 : 1);
}

/* Two regions: the second begins in the middle of a sector. */
static void regions(QTest *q, uint32_t bytes)
{
    qtest_writel(q, TABLE, BUFFER);
    qtest_writel(q, TABLE + 4, 768);
    qtest_writel(q, TABLE + 8, BUFFER + 768);
    qtest_writel(q, TABLE + 12, (bytes - 768) | 0x80000000u);
}

TEST(ide, dma_read_and_write)
{
    QTest *q = disk_pc(t);
    uint8_t b[4 * 512];

    qtest_irq_intercept_in(q, "ioapic");
    regions(q, sizeof(b));
    command(q, 0, 100, 4, 0xc8);
    start_dma(q, true);
    ready(q);
    while (!(qtest_inb(q, BM + 2) & 4)) {
    }
    check_u8(t, qtest_inb(q, BM + 2) & 7, 4, "interrupt, not active, no error");
    qtest_outb(q, BM, 0);
    qtest_read(q, BUFFER, b, sizeof(b));
    for (unsigned i = 0; i < sizeof(b); i++) {
        check_u8(t, b[i], byte_of(100 + i / 512, i % 512), "data");
    }
    memset(b, 0x3c, sizeof(b));
    qtest_write(q, BUFFER, b, sizeof(b));
    command(q, 0, 200, 4, 0xca);
    start_dma(q, false);
    ready(q);
    while (!(qtest_inb(q, BM + 2) & 4)) {
    }
    qtest_outb(q, BM, 0);
    command(q, 0, 203, 1, 0x20);
    ready(q);
    check_u16(t, qtest_inw(q, IDE), 0x3c3c, "written by DMA");
}

/* Ranges of sectors are freed; what can't be is refused (ACS 7.9). */
TEST(ide, trim)
{
    QTest *q = disk_pc(t);
    uint64_t ranges[64] = { 0 };

    store_le64(&ranges[0], 100 | UINT64_C(8) << 48);
    store_le64(&ranges[3], 4 | UINT64_C(1) << 48);
    qtest_write(q, BUFFER, ranges, sizeof(ranges));
    qtest_writel(q, TABLE, BUFFER);
    qtest_writel(q, TABLE + 4, 512 | 0x80000000u);
    qtest_outb(q, IDE + 1, 1);
    qtest_outb(q, IDE + 2, 0);                  /* the count has 16 bits */
    command(q, 0, 0, 1, 0x06);
    start_dma(q, false);
    check_u8(t, ready(q) & (ERR | DRQ), 0, "done");
    qtest_outb(q, BM, 0);
    command(q, 0, 50, 1, 0x20);
    ready(q);
    for (unsigned i = 0; i < 512; i += 2) {
        check_u16(t, qtest_inw(q, IDE), byte_of(50, i) | byte_of(50, i + 1) << 8, "other sectors stay");
    }

    store_le64(&ranges[0], (SECTORS - 1) | UINT64_C(2) << 48);
    qtest_write(q, BUFFER, ranges, sizeof(ranges));
    qtest_outb(q, IDE + 1, 1);
    qtest_outb(q, IDE + 2, 0);                  /* the count has 16 bits */
    command(q, 0, 0, 1, 0x06);
    start_dma(q, false);
    check_u8(t, ready(q) & ERR, ERR, "a range past the end");
    qtest_outb(q, BM, 0);
    qtest_outb(q, IDE + 1, 0);
    qtest_outb(q, IDE + 2, 0);
    command(q, 0, 0, 1, 0x06);
    check_u8(t, ready(q) & ERR, ERR, "no other data sets");
}

TEST(ide, reset_in_the_middle)
{
    QTest *q = disk_pc(t);

    command(q, 0, 0, 4, 0x20);
    ready(q);
    qtest_inw(q, IDE);
    qtest_outb(q, CTRL, 4);
    check_u8(t, qtest_inb(q, CTRL) & BSY, BSY, "busy while SRST is set");
    qtest_outb(q, CTRL, 0);
    check_u8(t, ready(q), DRDY | 0x10, "ready, no data");
    check_u8(t, qtest_inb(q, IDE + 2), 1, "signature");
    check_u8(t, qtest_inb(q, IDE + 4), 0, "of a disk");
}

/* --- CD --- */

static void packet(Test *t, QTest *q, const uint8_t p[12], uint16_t limit)
{
    qtest_outb(q, IDE + 6, 0xa0);
    qtest_outb(q, IDE + 1, 0);
    qtest_outb(q, IDE + 4, limit);
    qtest_outb(q, IDE + 5, limit >> 8);
    qtest_outb(q, IDE + 7, 0xa0);
    check_u8(t, ready(q) & DRQ, DRQ, "the packet is wanted");
    for (int i = 0; i < 12; i += 2) {
        qtest_outw(q, IDE, p[i] | p[i + 1] << 8);
    }
}

TEST(ide, cd)
{
    static const uint8_t test_unit[12] = { 0x00 }, sense[12] = { 0x03, 0, 0, 0, 18 },
                         capacity[12] = { 0x25 }, bad[12] = { 0xfe };
    static const uint8_t read[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 1 };
    g_autofree char *path = image(t);
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults"
                              " -drive file=%s,format=raw,if=ide,index=0,media=cdrom", path);

    check_u8(t, qtest_inb(q, IDE + 4), 0x14, "signature");
    check_u8(t, qtest_inb(q, IDE + 5), 0xeb, "of a packet device");
    packet(t, q, test_unit, 0);
    check_u8(t, ready(q) & ERR, 0, "a medium is there");
    packet(t, q, bad, 0);
    check_u8(t, ready(q) & ERR, ERR, "no such command");
    packet(t, q, sense, 18);
    ready(q);
    qtest_inw(q, IDE);
    check_u16(t, qtest_inw(q, IDE) & 0xff, 5, "illegal request");
    for (int i = 4; i < 18; i += 2) {
        qtest_inw(q, IDE);
    }
    packet(t, q, capacity, 8);
    ready(q);
    check_u16(t, qtest_inw(q, IDE), 0, "last sector");
    check_u16(t, qtest_inw(q, IDE), (SECTORS / 4 - 1) >> 8 | ((SECTORS / 4 - 1) & 0xff) << 8,
              "in big-endian order");
    qtest_inl(q, IDE);
    packet(t, q, read, 1024);
    for (unsigned i = 0; i < 2048; i += 2) {
        if (i % 1024 == 0) {
            check_u8(t, ready(q) & DRQ, DRQ, "a data phase of the byte count limit");
        }
        check_u16(t, qtest_inw(q, IDE), byte_of(12 + i / 512, i % 512) |
                  byte_of(12 + i / 512, i % 512 + 1) << 8, "data");
    }
    check_u8(t, ready(q) & (DRQ | ERR), 0, "done");
}

/* A list of regions that is nowhere, and one that never ends: the machine lives on. */
TEST(ide, hostile_regions)
{
    QTest *q = disk_pc(t);

    command(q, 0, 0, 8, 0xc8);
    qtest_memset(q, TABLE, 0, 64);
    start_dma(q, true);
    qtest_outl(q, BM + 4, 0xfffffffc);
    ready(q);
    qtest_outb(q, BM, 0);
    qtest_outb(q, CTRL, 4);
    qtest_outb(q, CTRL, 0);
    check_u8(t, ready(q) & DRDY, DRDY, "after a reset it works again");
    command(q, 0, 5, 1, 0x20);
    check_u8(t, ready(q) & DRQ, DRQ, "and reads");
}
