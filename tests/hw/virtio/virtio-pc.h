/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver of virtio devices through qtest: registers, and rings filled by hand. */
#ifndef TESTS_HW_VIRTIO_VIRTIO_PC_H
#define TESTS_HW_VIRTIO_VIRTIO_PC_H

#include "tests/lib/qtest.h"

#define QUEUE_SIZE  8
enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };
enum { S_ACK = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64 };
#define F_INDIRECT  (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)
#define F_PACKED    (UINT64_C(1) << 34)

typedef struct Vdev {
    QTest *q;
    unsigned bdf;
    uint64_t bar, rings;        /* rings: queue n at rings + n * 0x1000 */
    bool packed;
    uint16_t avail, used;       /* of queue 0 */
} Vdev;

static inline void vdev_status(Vdev *d, uint8_t v)
{
    qtest_writeb(d->q, d->bar + 0x14, v);
}

static inline uint8_t vdev_get_status(Vdev *d)
{
    return qtest_readb(d->q, d->bar + 0x14);
}

static inline void vdev_queue(Vdev *d, unsigned n)
{
    uint64_t at = d->rings + n * 0x1000;

    qtest_memset(d->q, at, 0, 0x1000);
    qtest_writew(d->q, d->bar + 0x16, n);
    qtest_writew(d->q, d->bar + 0x18, QUEUE_SIZE);
    qtest_writel(d->q, d->bar + 0x20, at);
    qtest_writel(d->q, d->bar + 0x24, 0);
    qtest_writel(d->q, d->bar + 0x28, at + 0x400);
    qtest_writel(d->q, d->bar + 0x2c, 0);
    qtest_writel(d->q, d->bar + 0x30, at + 0x800);
    qtest_writel(d->q, d->bar + 0x34, 0);
    qtest_writew(d->q, d->bar + 0x1c, 1);
}

/* Reset, negotiate @features (of those offered), queues 0 to @queues - 1. */
static inline void vdev_start(Vdev *d, uint64_t features, unsigned queues)
{
    uint64_t offered = 0;

    vdev_status(d, 0);
    vdev_status(d, S_ACK | S_DRIVER);
    for (unsigned w = 0; w < 2; w++) {
        qtest_writel(d->q, d->bar, w);
        offered |= (uint64_t)qtest_readl(d->q, d->bar + 4) << (32 * w);
    }
    for (unsigned w = 0; w < 2; w++) {
        qtest_writel(d->q, d->bar + 8, w);
        qtest_writel(d->q, d->bar + 0xc, (offered & features) >> (32 * w));
    }
    vdev_status(d, S_ACK | S_DRIVER | S_FEATURES_OK);
    d->packed = offered & features & F_PACKED;
    d->avail = d->used = 0;
    for (unsigned n = 0; n < queues; n++) {
        vdev_queue(d, n);
    }
    vdev_status(d, S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

/* Puts the modern BAR at @bar. */
static inline void vdev_find(Vdev *d, QTest *q, unsigned bdf, uint64_t bar, uint64_t rings)
{
    *d = (Vdev){ .q = q, .bdf = bdf, .bar = bar, .rings = rings };
    qpci_map(q, bdf, 4, bar);
    qpci_writel(q, bdf, 0x24, 0);
}

static inline void put_desc(Vdev *d, uint64_t table, unsigned i, uint64_t addr, uint32_t len,
                            uint16_t flags, uint16_t next)
{
    qtest_writeq(d->q, table + i * 16, addr);
    qtest_writel(d->q, table + i * 16 + 8, len);
    qtest_writew(d->q, table + i * 16 + 12, d->packed ? next : flags);
    qtest_writew(d->q, table + i * 16 + 14, d->packed ? flags : next);
}

static inline void vdev_kick(Vdev *d, unsigned queue)
{
    qtest_writew(d->q, d->bar + 0x3000 + queue * 4, queue);
}

/* Split: the chain that begins at @head is available in @queue. */
static inline void vdev_offer(Vdev *d, unsigned queue, uint16_t head)
{
    uint64_t ring = d->rings + queue * 0x1000 + 0x400;

    qtest_writew(d->q, ring + 4 + 2 * (d->avail % QUEUE_SIZE), head);
    qtest_writew(d->q, ring + 2, ++d->avail);
    vdev_kick(d, queue);
}

/* Split: give the device the time to do something; false: nothing was used. */
static inline bool vdev_look(Vdev *d, unsigned queue)
{
    uint64_t ring = d->rings + queue * 0x1000 + 0x800;
    bool used = false;

    for (int i = 0; i < 2000 && !used; i++) {
        used = qtest_readw(d->q, ring + 2) != d->used;
    }
    d->used += used;
    return used;
}

/* Split: wait for one more used element; its length. */
static inline int64_t vdev_wait(Vdev *d, unsigned queue)
{
    uint64_t ring = d->rings + queue * 0x1000 + 0x800;

    /* The harness ends what never comes. */
    while (qtest_readw(d->q, ring + 2) == d->used) {
    }
    return qtest_readl(d->q, ring + 4 + 8 * (d->used++ % QUEUE_SIZE) + 4);
}

#endif
