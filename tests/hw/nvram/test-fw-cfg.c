/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fw_cfg by ports and by DMA. */
#include "util/osdep.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>
#include "tests/lib/qtest.h"
#include "util/bswap.h"

#define DESC    0x1000
#define BUF     0x2000

static uint32_t dma(QTest *q, uint32_t control, uint32_t len, uint64_t addr)
{
    uint8_t d[16];

    store_be32(d, control);
    store_be32(d + 4, len);
    store_be64(d + 8, addr);
    qtest_write(q, DESC, d, sizeof(d));
    qtest_outl(q, 0x514, 0);
    qtest_outl(q, 0x518, bswap32(DESC));
    qtest_read(q, DESC, d, 4);
    return load_be32(d);
}

TEST(fw_cfg, ports)
{
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults");
    char sig[5] = "";

    qtest_outw(q, 0x510, 0);
    for (int i = 0; i < 4; i++) {
        sig[i] = (char)qtest_inb(q, 0x511);
    }
    check_str(t, sig, "QEMU", "signature");
    check_u8(t, qtest_inb(q, 0x511), 0, "zeros after the end");
    qtest_outw(q, 0x510, 1);
    check_u8(t, qtest_inb(q, 0x511), 3, "both interfaces");
    qtest_outw(q, 0x510, 3);
    qtest_inb(q, 0x511);
    qtest_inb(q, 0x511);
    qtest_inb(q, 0x511);
    check_u8(t, qtest_inb(q, 0x511), 4, "RAM size, little-endian");
    qtest_outw(q, 0x510, 0x3fff);
    check_u8(t, qtest_inb(q, 0x511), 0, "no such item");
}

TEST(fw_cfg, dma)
{
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults");
    char buf[8] = "";

    check_u32(t, qtest_inl(q, 0x514), bswap32(0x51454d55), "its signature is big-endian");
    qtest_memset(q, BUF, 0xee, 16);
    check_u32(t, dma(q, 0x0000000a, 6, BUF), 0, "select and read: done");
    qtest_read(q, BUF, buf, 7);
    check_mem(t, buf, "QEMU\0\0\xee", 7, "the item, zeros after it, and nothing else");
    check_u32(t, dma(q, 0x00000008, 0, 0), 0, "select alone");
    check_u32(t, dma(q, 0x04, 2, 0), 0, "skip");
    check_u32(t, dma(q, 0x02, 2, BUF), 0, "read goes on");
    qtest_read(q, BUF, buf, 2);
    check_mem(t, buf, "MU", 2, "after what was skipped");
    check_u32(t, dma(q, 0x00000018, 4, BUF), 1, "a read-only item can't be written");
}

TEST(fw_cfg, directory)
{
    QTest *q = qtest_start(t, "-machine pc -m 64 -nodefaults");
    uint8_t head[4], e[64];
    bool found = false;

    dma(q, 0x0019000a, 4, BUF);
    qtest_read(q, BUF, head, 4);
    for (uint32_t i = 0; i < load_be32(head) && i < 128; i++) {
        dma(q, 0x02, 64, BUF);
        qtest_read(q, BUF, e, sizeof(e));
        check_u16(t, load_be16(e + 4), 0x20 + i, "keys from 20h");
        found |= !strcmp((char *)e + 8, "etc/e820") && load_be32(e) == 20;
    }
    check_true(t, found, "etc/e820 with one range is among them");
}

/* A kernel and an initial RAM disk are read from their files when the guest asks. */
#define KERNEL_DATA     0x11
#define INITRD_DATA     0x12
#define SETUP           (5 * 512)
#define KERNEL_LEN      (SETUP + 200000)

TEST(fw_cfg, files)
{
    g_autofree char *dir = g_dir_make_tmp("fw-cfg-XXXXXX", NULL);
    g_autofree char *kernel = g_strdup_printf("%s/kernel", dir), *initrd = g_strdup_printf("%s/initrd", dir);
    g_autofree uint8_t *image = g_malloc0(KERNEL_LEN), *got = g_malloc(KERNEL_LEN);
    QTest *q;

    for (unsigned i = SETUP; i < KERNEL_LEN; i++) {
        image[i] = (uint8_t)(i * 7 + i / 251);
    }
    image[0x1f1] = 4;                           /* Documentation/x86/boot: setup_sects, "HdrS", 2.03, loaded high */
    store_le16(image + 0x1fe, 0xaa55);
    memcpy(image + 0x202, "HdrS", 4);
    store_le16(image + 0x206, 0x203);
    image[0x211] = 1;
    store_le32(image + 0x22c, 0x37ffffff);
    check_true(t, g_file_set_contents(kernel, (char *)image, KERNEL_LEN, NULL) &&
               g_file_set_contents(initrd, (char *)image + SETUP, 3000, NULL), "files");
    q = qtest_start(t, "-machine pc -m 64 -nodefaults -kernel %s -initrd %s", kernel, initrd);
    check_u32(t, dma(q, KERNEL_DATA << 16 | 0x0a, KERNEL_LEN - SETUP + 16, 0x100000), 0, "all of it, and more");
    qtest_read(q, 0x100000, got, KERNEL_LEN - SETUP + 16);
    check_mem(t, got, image + SETUP, KERNEL_LEN - SETUP, "the kernel behind its setup");
    check_mem(t, got + KERNEL_LEN - SETUP, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "zeros after the end");
    check_u32(t, dma(q, KERNEL_DATA << 16 | 0x0c, 65530, 0), 0, "skip");
    check_u32(t, dma(q, 0x02, 100, BUF), 0, "read");
    qtest_read(q, BUF, got, 100);
    check_mem(t, got, image + SETUP + 65530, 100, "across what is read at a time");
    qtest_outw(q, 0x510, INITRD_DATA);
    check_u8(t, qtest_inb(q, 0x511), image[SETUP], "by the port");
    check_u8(t, qtest_inb(q, 0x511), image[SETUP + 1], "and the next");
    check_u32(t, dma(q, INITRD_DATA << 16 | 0x18, 4, BUF), 0x01, "not to be written");
    check_int(t, truncate(kernel, SETUP + 1000), 0, "the file becomes shorter");
    check_u32(t, dma(q, KERNEL_DATA << 16 | 0x0a, 4, BUF), 0, "read again");
    check_u32(t, dma(q, KERNEL_DATA << 16 | 0x0c, 150000, 0), 0, "behind its end");
    check_u32(t, dma(q, 0x02, 8, BUF), 0, "read");
    qtest_read(q, BUF, got, 8);
    check_mem(t, got, "\0\0\0\0\0\0\0", 8, "zeros");
    g_unlink(kernel);
    g_unlink(initrd);
    g_rmdir(dir);
}
