/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fw_cfg by ports and by DMA. */
#include "util/osdep.h"

#include <glib.h>
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
