/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio over PCI and its block device, with rings driven by hand; also by a guest that means harm. */
#include "util/osdep.h"
#include "tests/hw/virtio/virtio-pc.h"

#include <glib.h>

#define SECTORS     2048
#define HEAD        0x200000u       /* request header */
#define DATA        0x201000u
#define STATUS      0x203000u
#define TABLE       0x204000u       /* indirect */
#define BAR         0xfe000000u
#define RINGS       0x100000u

static uint8_t byte_of(unsigned sector, unsigned i)
{
    unsigned at = sector * 512 + i;

    return at / 512 + at * 7;
}

static QTest *blk_pc(Test *t, const char *props)
{
    g_autofree char *path = g_strdup_printf("%s/disk.img", test_tmpdir(t));
    g_autofree uint8_t *data = g_malloc(SECTORS * 512);

    for (unsigned i = 0; i < SECTORS * 512; i++) {
        data[i] = byte_of(i / 512, i % 512);
    }
    check_true(t, g_file_set_contents(path, (char *)data, SECTORS * 512, NULL), "the image");
    return qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -object iothread,id=io"
                           " -drive file=%s,format=raw,if=none,id=d"
                           " -device virtio-blk-pci,drive=d,addr=4,id=blk,%s", path, props);
}

static void header(QTest *q, uint32_t type, uint64_t sector)
{
    qtest_writel(q, HEAD, type);
    qtest_writel(q, HEAD + 4, 0);
    qtest_writeq(q, HEAD + 8, sector);
    qtest_writeb(q, STATUS, 0xff);
}

/* Three descriptors in @table: header, data, status. */
static void chain(Vdev *d, uint64_t table, bool read, uint32_t len)
{
    put_desc(d, table, 0, HEAD, 16, D_NEXT, 1);
    put_desc(d, table, 1, DATA, len, D_NEXT | (read ? D_WRITE : 0), 2);
    put_desc(d, table, 2, STATUS, 1, D_WRITE, 0);
}

static uint8_t transfer(Test *t, Vdev *d, bool read, uint64_t sector, uint32_t len)
{
    header(d->q, read ? 0 : 1, sector);
    chain(d, d->rings, read, len);
    vdev_offer(d, 0, 0);
    check_true(t, vdev_wait(d, 0) > 0, "an answer");
    return qtest_readb(d->q, STATUS);
}

static void check_data(Test *t, QTest *q, unsigned sector, unsigned len)
{
    g_autofree uint8_t *got = g_malloc(len);

    qtest_read(q, DATA, got, len);
    for (unsigned i = 0; i < len; i++) {
        if (got[i] != byte_of(sector, i)) {
            check_u8(t, got[i], byte_of(sector, i), "data of the image");
            return;
        }
    }
}

static void io(Test *t, const char *props, uint64_t features)
{
    QTest *q = blk_pc(t, props);
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, features | F_VERSION_1, 1);
    check_u8(t, vdev_get_status(&d), 15, "V 3.1.1: the device accepts the features");
    check_u64(t, qtest_readq(q, BAR + 0x2000), SECTORS, "capacity");
    check_u8(t, transfer(t, &d, true, 3, 1024), 0, "a read");
    check_data(t, q, 3, 1024);
    qtest_memset(q, DATA, 0x5a, 512);
    check_u8(t, transfer(t, &d, false, 7, 512), 0, "a write");
    qtest_memset(q, DATA, 0, 1024);
    check_u8(t, transfer(t, &d, true, 7, 1024), 0, "read again");
    check_u8(t, qtest_readb(q, DATA + 511), 0x5a, "what was written");
    check_u8(t, qtest_readb(q, DATA + 512), byte_of(8, 0), "and none behind");
    check_u8(t, transfer(t, &d, true, SECTORS, 512), 1, "beyond the end: an error");
    check_u8(t, transfer(t, &d, true, 0, 100), 1, "no whole sector: an error");
    check_u8(t, vdev_get_status(&d), 15, "which breaks nothing");
    header(q, 99, 0);
    vdev_offer(&d, 0, 0);
    check_true(t, vdev_wait(&d, 0) > 0, "an answer");
    check_u8(t, qtest_readb(q, STATUS), 2, "an unknown request is unsupported");
}

TEST(virtio_blk, io)
{
    io(t, "disable-legacy=on", 0);
}

TEST(virtio_blk, io_in_an_io_thread)
{
    io(t, "iothread=io,vectors=0,page-per-vq=off", F_EVENT_IDX);
}

TEST(virtio_blk, indirect)
{
    QTest *q = blk_pc(t, "vectors=4");
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, F_VERSION_1 | F_INDIRECT, 1);
    header(q, 0, 5);
    chain(&d, TABLE, true, 512);
    put_desc(&d, d.rings, 3, TABLE, 48, D_INDIRECT, 0);
    vdev_offer(&d, 0, 3);
    check_int(t, vdev_wait(&d, 0), 513, "used length: data and status");
    check_data(t, q, 5, 512);
}

/* V 2.8: the driver sets AVAIL to its wrap counter, USED to the inverse. */
TEST(virtio_blk, packed)
{
    QTest *q = blk_pc(t, "packed=on");
    uint16_t flags = 0;
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, F_VERSION_1 | F_PACKED, 1);
    check_true(t, d.packed, "packed rings are offered");
    header(q, 0, 9);
    put_desc(&d, RINGS, 1, DATA, 512, D_NEXT | D_WRITE | 0x80, 0);
    put_desc(&d, RINGS, 2, STATUS, 1, D_WRITE | 0x80, 77);
    put_desc(&d, RINGS, 0, HEAD, 16, D_NEXT | 0x80, 0);
    vdev_kick(&d, 0);
    while (!(flags & 0x8000)) {
        flags = qtest_readw(q, RINGS + 14);
    }
    check_u16(t, flags & 0x8080, 0x8080, "AVAIL and USED are the wrap counter");
    check_u16(t, qtest_readw(q, RINGS + 12), 77, "the buffer's id");
    check_u32(t, qtest_readl(q, RINGS + 8), 513, "the length");
    check_data(t, q, 9, 512);
}

/* What can't be in a ring, and that the device recovers by a reset. */
static void hostile(Test *t, const char *what, void (*act)(Vdev *d))
{
    QTest *q = blk_pc(t, "vectors=2");
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, F_VERSION_1 | F_INDIRECT, 1);
    header(q, 0, 0);
    act(&d);
    check_true(t, vdev_get_status(&d) & S_NEEDS_RESET, what);
    check_u16(t, qtest_readw(q, RINGS + 0x802), 0, "nothing is given back");
    vdev_start(&d, F_VERSION_1, 1);
    check_u8(t, vdev_get_status(&d), 15, "V 2.1.2: a reset mends it");
    check_u8(t, transfer(t, &d, true, 1, 512), 0, "and it works");
}

#define HOSTILE(name, what, ...) \
    static void act_##name(Vdev *d) { __VA_ARGS__ } \
    TEST(virtio_hostile, name) { hostile(t, what, act_##name); }

HOSTILE(head, "a head beyond the queue", vdev_offer(d, 0, QUEUE_SIZE);)
HOSTILE(index, "an index that ran ahead",
        qtest_writew(d->q, d->rings + 0x402, QUEUE_SIZE + 1); vdev_kick(d, 0);)
HOSTILE(loop, "a chain that goes round",
        put_desc(d, d->rings, 0, HEAD, 16, D_NEXT, 1);
        put_desc(d, d->rings, 1, HEAD, 16, D_NEXT, 0); vdev_offer(d, 0, 0);)
HOSTILE(next, "a next descriptor beyond the queue",
        put_desc(d, d->rings, 0, HEAD, 16, D_NEXT, 0xffff); vdev_offer(d, 0, 0);)
HOSTILE(empty, "a descriptor of no bytes",
        put_desc(d, d->rings, 0, HEAD, 0, 0, 0); vdev_offer(d, 0, 0);)
HOSTILE(nowhere, "no memory there",
        put_desc(d, d->rings, 0, UINT64_C(0x700000000000), 16, 0, 0); vdev_offer(d, 0, 0);)
HOSTILE(wrapping, "past the end of memory",
        put_desc(d, d->rings, 0, UINT64_MAX - 7, 16, 0, 0); vdev_offer(d, 0, 0);)
HOSTILE(huge, "more than 4 GiB",
        put_desc(d, d->rings, 0, HEAD, 0xffffffff, D_NEXT, 1);
        put_desc(d, d->rings, 1, HEAD, 0xffffffff, D_WRITE, 0); vdev_offer(d, 0, 0);)
HOSTILE(order, "a readable descriptor behind a writable one",
        put_desc(d, d->rings, 0, STATUS, 1, D_NEXT | D_WRITE, 1);
        put_desc(d, d->rings, 1, HEAD, 16, 0, 0); vdev_offer(d, 0, 0);)
HOSTILE(table_length, "a table of half a descriptor",
        put_desc(d, d->rings, 0, TABLE, 8, D_INDIRECT, 0); vdev_offer(d, 0, 0);)
HOSTILE(table_next, "an indirect descriptor with a next one",
        put_desc(d, d->rings, 0, TABLE, 16, D_INDIRECT | D_NEXT, 1); vdev_offer(d, 0, 0);)
HOSTILE(table_nested, "a table in a table",
        put_desc(d, TABLE, 0, TABLE, 16, D_INDIRECT, 0);
        put_desc(d, d->rings, 0, TABLE, 16, D_INDIRECT, 0); vdev_offer(d, 0, 0);)
HOSTILE(table_loop, "a table that goes round",
        put_desc(d, TABLE, 0, HEAD, 16, D_NEXT, 0);
        put_desc(d, d->rings, 0, TABLE, 16, D_INDIRECT, 0); vdev_offer(d, 0, 0);)
HOSTILE(no_status, "a request without room for a status",
        put_desc(d, d->rings, 0, HEAD, 16, 0, 0); vdev_offer(d, 0, 0);)
HOSTILE(short_header, "half a header",
        put_desc(d, d->rings, 0, HEAD, 8, D_NEXT, 1);
        put_desc(d, d->rings, 1, STATUS, 1, D_WRITE, 0); vdev_offer(d, 0, 0);)

/* Rings, data and buffers in the device's own registers. */
TEST(virtio_hostile, own_registers)
{
    QTest *q = blk_pc(t, "vectors=2");
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, F_VERSION_1, 1);
    header(q, 0, 0);
    put_desc(&d, d.rings, 0, HEAD, 16, D_NEXT, 1);
    put_desc(&d, d.rings, 1, BAR, 512, D_NEXT | D_WRITE, 2);
    put_desc(&d, d.rings, 2, STATUS, 1, D_WRITE, 0);
    vdev_offer(&d, 0, 0);
    vdev_wait(&d, 0);
    d.rings = BAR;
    vdev_start(&d, F_VERSION_1, 1);
    vdev_kick(&d, 0);
    d.rings = RINGS;
    vdev_start(&d, F_VERSION_1, 1);
    check_u8(t, transfer(t, &d, true, 1, 512), 0, "it still works after a reset");
}

/* V 4.1.4.9: registers through configuration space. */
TEST(virtio_pci, cfg_access)
{
    QTest *q = blk_pc(t, "vectors=2");
    unsigned bdf = 4 << 3, cap = qpci_readb(q, bdf, 0x34), found = 0;
    unsigned types = 0;

    for (int i = 0; cap && i < 20; i++) {
        if (qpci_readb(q, bdf, cap) == 9) {
            types |= 1u << qpci_readb(q, bdf, cap + 3);
            found = qpci_readb(q, bdf, cap + 3) == 5 ? cap : found;
        }
        cap = qpci_readb(q, bdf, cap + 1);
    }
    check_u32(t, types, 0x3e, "V 4.1.4: all five capabilities");
    qpci_writeb(q, bdf, found + 4, 4);
    qpci_writel(q, bdf, found + 12, 1);
    qpci_writel(q, bdf, found + 8, 0x14);
    qpci_writeb(q, bdf, found + 16, 3);
    check_u8(t, qpci_readb(q, bdf, found + 16), 3, "device status, written and read");
    qpci_writel(q, bdf, found + 12, 4);
    qpci_writel(q, bdf, found + 8, 0x2000);
    check_u32(t, qpci_readl(q, bdf, found + 16), SECTORS, "device configuration");
    qpci_writel(q, bdf, found + 8, 0xfffffffc);
    qpci_readl(q, bdf, found + 16);
    qpci_writel(q, bdf, found + 12, 0xffffffff);
    qpci_writel(q, bdf, found + 16, 1);
    check_u16(t, qpci_readw(q, bdf, 2), 0x1001, "a window beyond the BAR does nothing");
}

/* The legacy interface, and INTx with its status that is cleared by reading. */
TEST(virtio_pci, legacy)
{
    QTest *q = blk_pc(t, "vectors=0,disable-modern=on");
    unsigned bdf = 4 << 3;
    uint16_t io = 0xc000, num;
    uint64_t ring = RINGS, used;
    Vdev d = { .q = q, .rings = RINGS };

    qpci_map(q, bdf, 0, io);
    check_u16(t, qpci_readw(q, bdf, 0x2e), 2, "subsystem: the type");
    qtest_outb(q, io + 0x12, 3);
    qtest_outl(q, io + 4, 0);
    qtest_outw(q, io + 0xe, 0);
    num = qtest_inw(q, io + 0xc);
    check_u16(t, num, 256, "the queue's size");
    qtest_outl(q, io + 8, RINGS >> 12);
    qtest_outb(q, io + 0x12, 7);
    used = ((ring + 16 * num + 6 + 2 * num) + 4095) & ~UINT64_C(4095);
    header(q, 0, 4);
    chain(&d, ring, true, 512);
    qtest_writew(q, ring + 16 * num + 4, 0);
    qtest_writew(q, ring + 16 * num + 2, 1);
    qtest_outw(q, io + 0x10, 0);
    while (!qtest_readw(q, used + 2)) {
    }
    check_u16(t, qtest_readw(q, used + 2), 1, "used");
    check_data(t, q, 4, 512);
    check_u8(t, qtest_inb(q, io + 0x13), 1, "ISR: a queue");
    check_u8(t, qtest_inb(q, io + 0x13), 0, "cleared by reading");
    check_u64(t, qtest_inl(q, io + 0x14), SECTORS, "configuration without vectors");
}

TEST(virtio_pci, two)
{
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults -blockdev null-co,node-name=a,size=1M"
                           " -blockdev null-co,node-name=b,size=2M"
                           " -device virtio-blk-pci,drive=a,addr=4"
                           " -device virtio-blk-pci-non-transitional,drive=b,addr=5");
    Vdev a, b;

    vdev_find(&a, q, 4 << 3, BAR, RINGS);
    vdev_find(&b, q, 5 << 3, BAR + 0x10000, RINGS + 0x10000);
    check_u16(t, qpci_readw(q, 5 << 3, 2), 0x1042, "a modern device's id");
    vdev_start(&a, F_VERSION_1, 1);
    vdev_start(&b, F_VERSION_1, 1);
    check_u64(t, qtest_readq(q, b.bar + 0x2000), 4096, "its own capacity");
    check_u8(t, transfer(t, &b, true, 4000, 512), 0, "its own requests");
    check_u8(t, transfer(t, &a, true, 4000, 512), 1, "the other is smaller");
}

/* Features after FEATURES_OK, sizes that can't be, enabled queues. */
TEST(virtio_pci, negotiation)
{
    QTest *q = blk_pc(t, "vectors=2");
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, 0, 1);
    check_true(t, !(vdev_get_status(&d) & S_FEATURES_OK), "V 6.1: VERSION_1 must be accepted");
    vdev_start(&d, F_VERSION_1, 0);
    qtest_writel(q, BAR + 8, 0);
    qtest_writel(q, BAR + 0xc, UINT32_MAX);
    check_u32(t, qtest_readl(q, BAR + 0xc), 0, "features stand after FEATURES_OK");
    qtest_writew(q, BAR + 0x18, 3);
    check_u16(t, qtest_readw(q, BAR + 0x18), 256, "no power of two");
    qtest_writew(q, BAR + 0x18, 512);
    check_u16(t, qtest_readw(q, BAR + 0x18), 256, "too large");
    qtest_writew(q, BAR + 0x1a, 7);
    check_u16(t, qtest_readw(q, BAR + 0x1a), 0xffff, "V 4.1.5.1.2: no such vector");
    vdev_queue(&d, 0);
    qtest_writel(q, BAR + 0x20, 0x12345000);
    check_u32(t, qtest_readl(q, BAR + 0x20), RINGS, "an enabled queue's address stands");
    qtest_writew(q, BAR + 0x16, 500);
    check_u16(t, qtest_readw(q, BAR + 0x18), 0, "V 4.1.4.3: size 0: no such queue");
}

/* The used ring lies where writing notifies: each answer is a notification. */
TEST(virtio_hostile, notifies_itself)
{
    QTest *q = blk_pc(t, "vectors=2");
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, F_VERSION_1, 0);
    vdev_queue(&d, 0);
    qtest_writew(q, BAR + 0x3a, 1);             /* reset of the queue, when that is accepted */
    vdev_start(&d, F_VERSION_1, 0);
    qtest_writew(q, BAR + 0x16, 0);
    qtest_writew(q, BAR + 0x18, QUEUE_SIZE);
    qtest_writel(q, BAR + 0x20, RINGS);
    qtest_writel(q, BAR + 0x28, RINGS + 0x400);
    qtest_writel(q, BAR + 0x30, BAR + 0x3000);
    qtest_memset(q, RINGS, 0, 0x1000);
    qtest_writew(q, BAR + 0x1c, 1);
    header(q, 99, 0);
    chain(&d, RINGS, true, 512);
    qtest_writew(q, RINGS + 0x402, QUEUE_SIZE);
    vdev_kick(&d, 0);
    check_u8(t, vdev_get_status(&d), 15, "it is alive");
    vdev_start(&d, F_VERSION_1, 1);
    check_u8(t, transfer(t, &d, true, 1, 512), 0, "and works after a reset");
}

/* Data of zeros into the status register: the device's own DMA resets it. */
static void resets_itself(Test *t, const char *props)
{
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults -object iothread,id=io"
                           " -blockdev null-co,node-name=a,size=1M"
                           " -device virtio-blk-pci,drive=a,addr=4,%s", props);
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    for (int i = 0; i < 3; i++) {
        vdev_start(&d, F_VERSION_1, 1);
        header(q, 0, 0);
        put_desc(&d, RINGS, 0, HEAD, 16, D_NEXT, 1);
        put_desc(&d, RINGS, 1, BAR, 512, D_NEXT | D_WRITE, 2);
        put_desc(&d, RINGS, 2, STATUS, 1, D_WRITE, 0);
        vdev_offer(&d, 0, 0);
        while (vdev_get_status(&d)) {
        }
        check_u8(t, vdev_get_status(&d), 0, "it was reset");
    }
    vdev_start(&d, F_VERSION_1, 1);
    check_u8(t, transfer(t, &d, true, 1, 512), 0, "and works");
}

TEST(virtio_hostile, resets_itself)
{
    resets_itself(t, "vectors=2");
}

TEST(virtio_hostile, resets_itself_in_an_io_thread)
{
    resets_itself(t, "vectors=2,iothread=io");
}

/* Saved with a request that the driver has not notified about yet. */
static void reload(Test *t, const char *props)
{
    QTest *q = blk_pc(t, props);
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, F_VERSION_1 | F_EVENT_IDX, 1);
    check_u8(t, transfer(t, &d, true, 3, 512), 0, "a request before");
    header(q, 0, 5);
    chain(&d, RINGS, true, 512);
    qtest_writew(q, RINGS + 0x404 + 2 * (d.avail % QUEUE_SIZE), 0);
    qtest_writew(q, RINGS + 0x402, ++d.avail);
    qtest_reload(q);
    check_u8(t, vdev_get_status(&d), 15, "the status is as it was");
    vdev_kick(&d, 0);
    check_int(t, vdev_wait(&d, 0), 513, "the next element is the second one");
    check_data(t, q, 5, 512);
    check_u8(t, transfer(t, &d, true, 6, 512), 0, "and one behind");
}

TEST(virtio_blk, reload)
{
    reload(t, "vectors=2");
}

TEST(virtio_blk, reload_in_an_io_thread)
{
    reload(t, "vectors=2,iothread=io");
}
