/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smaller virtio devices with rings driven by hand: console, entropy, balloon, network, SCSI, input. */
#include "util/osdep.h"
#include "tests/hw/virtio/virtio-pc.h"

#include <glib.h>
#include "qobject/qobject.h"

#define BAR     0xfe000000u
#define RINGS   0x100000u
#define OUT     0x200000u
#define IN      0x201000u
#define MORE    0x202000u

static Vdev start(Test *t, unsigned queues, const char *args)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults %s", args);
    Vdev d;

    vdev_find(&d, q, 4 << 3, BAR, RINGS);
    vdev_start(&d, ~UINT64_C(0) & ~F_PACKED & ~F_EVENT_IDX, queues);
    check_u8(t, vdev_get_status(&d), 15, "the device runs");
    return d;
}

/* One buffer of each kind in queue @n. @first: elements of that queue so far. */
static void give(Vdev *d, unsigned n, unsigned first, uint32_t out, uint32_t in)
{
    uint64_t table = d->rings + n * 0x1000;

    if (out) {
        put_desc(d, table, 0, OUT, out, in ? D_NEXT : 0, 1);
    }
    if (in) {
        put_desc(d, table, out ? 1 : 0, IN, in, D_WRITE, 0);
    }
    d->avail = d->used = first;
    vdev_offer(d, n, 0);
}

/* The same; waits for its use. */
static int64_t exchange(Vdev *d, unsigned n, unsigned first, uint32_t out, uint32_t in)
{
    give(d, n, first, out, in);
    return vdev_wait(d, n);
}

TEST(virtio_rng, bytes)
{
    Vdev d = start(t, 1, "-device virtio-rng-pci,addr=4");
    uint8_t b[32], zeros[32] = { 0 };

    check_int(t, exchange(&d, 0, 0, 0, 32), 32, "all bytes");
    qtest_read(d.q, IN, b, 32);
    check_true(t, memcmp(b, zeros, 32), "and not zeros");
}

static void control(Vdev *d, unsigned nth, uint32_t port, uint16_t event, uint16_t value)
{
    qtest_writel(d->q, OUT, port);
    qtest_writew(d->q, OUT + 4, event);
    qtest_writew(d->q, OUT + 6, value);
    exchange(d, 3, nth, 8, 0);
}

TEST(virtio_serial, port)
{
    Vdev d = start(t, 6, "-device virtio-serial-pci,addr=4,id=vs -chardev ringbuf,id=r,size=64"
                         " -device virtserialport,bus=vs.0,nr=1,chardev=r,name=port.1,id=p");
    QObject *answer;
    Error *err = NULL;

    /* A buffer for each message to come. */
    for (int i = 0; i < 4; i++) {
        put_desc(&d, RINGS + 2 * 0x1000, i, IN + i * 64, 64, D_WRITE, 0);
        d.avail = i;
        vdev_offer(&d, 2, i);
    }
    control(&d, 0, 0, 0, 1);
    check_u16(t, qtest_readw(d.q, IN + 4), 1, "DEVICE_READY is answered by DEVICE_ADD");
    check_u32(t, qtest_readl(d.q, IN), 1, "of port 1");
    control(&d, 1, 1, 3, 1);
    check_u16(t, qtest_readw(d.q, IN + 64 + 4), 7, "PORT_READY by the name");
    check_u8(t, qtest_readb(d.q, IN + 64 + 8), 'p', "port.1");
    control(&d, 2, 1, 6, 1);
    qtest_write(d.q, OUT, "hello", 5);
    qtest_reload(d.q);
    check_int(t, exchange(&d, 5, 0, 5, 0), 0, "bytes go out");
    answer = qmp_cmd_fmt(qtest_qmp(d.q), &err, "ringbuf-read", "{'device': 'r', 'size': 64}");
    check_str(t, answer && qobject_type(answer) == QTYPE_STRING ? qstring_value(answer) : NULL,
              "hello", "to the back end");
    qobject_unref(answer);
}

TEST(virtio_balloon, pages)
{
    Vdev d = start(t, 3, "-device virtio-balloon-pci,addr=4");

    qtest_memset(d.q, 0x300000, 0x5a, 8192);
    qtest_writel(d.q, OUT, 0x300);
    qtest_writel(d.q, OUT + 4, 0xfffffff);      /* no RAM there */
    check_int(t, exchange(&d, 0, 0, 8, 0), 0, "inflate");
    check_u8(t, qtest_readb(d.q, 0x300fff), 0, "the page is gone");
    check_u8(t, qtest_readb(d.q, 0x301000), 0x5a, "its neighbour isn't");
    qtest_writel(d.q, BAR + 0x2004, 1);
    check_u32(t, qtest_readl(d.q, BAR + 0x2004), 1, "actual");
}

/* V 5.1.6.5: receive modes and addresses; a frame out needs no network. */
TEST(virtio_net, control)
{
    Vdev d = start(t, 3, "-device virtio-net-pci,addr=4,mac=52:54:00:01:02:03");

    check_u32(t, qtest_readl(d.q, BAR + 0x2000), 0x01005452, "the address");
    qtest_writel(d.q, OUT, 0x00000000);         /* RX, PROMISC, off */
    check_int(t, exchange(&d, 2, 0, 3, 1), 1, "an answer");
    check_u8(t, qtest_readb(d.q, IN), 0, "OK");
    qtest_writel(d.q, OUT, 0x00ff0009);
    exchange(&d, 2, 1, 3, 1);
    check_u8(t, qtest_readb(d.q, IN), 1, "no such class");
    qtest_writel(d.q, OUT, 0x00000001);         /* MAC, TABLE_SET; counts that are not there */
    qtest_writel(d.q, OUT + 2, 0x20000000);
    exchange(&d, 2, 2, 20, 1);
    check_u8(t, qtest_readb(d.q, IN), 1, "more addresses than bytes");
    qtest_memset(d.q, OUT, 0, 80);
    qtest_writeb(d.q, OUT, 1);                  /* NEEDS_CSUM from the end on */
    qtest_writew(d.q, OUT + 6, 0xffff);
    qtest_writeb(d.q, OUT + 1, 1);
    check_int(t, exchange(&d, 1, 0, 80, 0), 0, "a frame with a header that lies");
}

TEST(virtio_scsi, inquiry)
{
    Vdev d = start(t, 3, "-blockdev null-co,node-name=a,size=1M -device virtio-scsi-pci,addr=4,id=s"
                         " -device scsi-hd,drive=a,bus=s.0,scsi-id=3,lun=0");

    qtest_memset(d.q, OUT, 0, 64);
    qtest_writeb(d.q, OUT, 1);
    qtest_writeb(d.q, OUT + 1, 3);
    qtest_writeb(d.q, OUT + 19, 0x12);
    qtest_writeb(d.q, OUT + 23, 36);
    check_int(t, exchange(&d, 2, 0, 51, 108 + 36), 144, "all of the answer");
    check_u8(t, qtest_readb(d.q, IN + 11), 0, "OK");
    check_u8(t, qtest_readb(d.q, IN + 108 + 8), 'Q', "the vendor");
    qtest_writeb(d.q, OUT + 23, 255);
    exchange(&d, 2, 1, 51, 108 + 36);
    check_u8(t, qtest_readb(d.q, IN + 11), 1, "OVERRUN: the answer doesn't fit");
    qtest_writeb(d.q, OUT + 1, 9);
    exchange(&d, 2, 2, 51, 108);
    check_u8(t, qtest_readb(d.q, IN + 11), 3, "BAD_TARGET");
    give(&d, 2, 3, 20, 108);
    while (!(vdev_get_status(&d) & S_NEEDS_RESET)) {    /* half a command breaks it */
    }
}

TEST(virtio_input, key)
{
    Vdev d = start(t, 2, "-device virtio-keyboard-pci,addr=4");
    QObject *answer;

    qtest_writeb(d.q, BAR + 0x2000, 1);
    check_u8(t, qtest_readb(d.q, BAR + 0x2002), 20, "V 5.8.2: length of the name");
    for (int i = 0; i < 4; i++) {
        put_desc(&d, RINGS, i, IN + i * 8, 8, D_WRITE, 0);
        d.avail = i;
        vdev_offer(&d, 0, i);
    }
    answer = qmp_cmd_fmt(qtest_qmp(d.q), NULL, "input-send-event",
                         "{'events': [{'type': 'key', 'data': {'down': true, 'key':"
                         " {'type': 'qcode', 'data': 'a'}}}]}");
    qobject_unref(answer);
    check_int(t, vdev_wait(&d, 0), 8, "an event");
    check_u32(t, qtest_readl(d.q, IN), 30 << 16 | 1, "EV_KEY, KEY_A");
    check_u32(t, qtest_readl(d.q, IN + 4), 1, "down");
    check_u32(t, qtest_readl(d.q, IN + 8), 0, "SYN");
}
