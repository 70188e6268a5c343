/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to rings. A part that lies in one piece of RAM is used as host memory until the memory map
 * changes; everything else goes through the address space.
 */
#include "util/osdep.h"
#include "hw/virtio/virtio-int.h"

#include "util/rcu.h"
#include "util/shared-mem.h"

static void map_part(VirtQueue *vq, RingPart *p, hwaddr addr, uint32_t len, bool write,
                     unsigned align)
{
    VirtIODevice *v = vq->v;
    hwaddr xlat, n = len;
    AddressSpace *target = NULL;
    const MemSection *s;

    *p = (RingPart){ .addr = addr, .len = len };
    if (addr & (align - 1)) {
        return;
    }
    s = memory_translate(v->as, addr, &xlat, &n, write, v->attrs, &target);
    /* Through an IOMMU the translation may change without the map changing. */
    if (!s || !s->host || !s->ram || n < len || (write && s->readonly) || target != v->as) {
        return;
    }
    p->host = memory_section_host(s, xlat);
    p->ram = s->ram;
    p->ram_offset = s->ram_offset + (xlat - s->offset);
    if ((uintptr_t)p->host & (align - 1)) {
        p->host = NULL;
    }
}

void ring_refresh(VirtQueue *vq)
{
    uint32_t now = atomic_load(&vq->v->map_generation), n = vq->num;

    if (likely(vq->map_generation == now)) {
        return;
    }
    vq->map_generation = now;
    if (vq->packed) {
        map_part(vq, &vq->part[PART_DESC], vq->desc, n * DESC_SIZE, true, 16);
        map_part(vq, &vq->part[PART_AVAIL], vq->avail, 4, false, 4);
        map_part(vq, &vq->part[PART_USED], vq->used, 4, true, 4);
    } else {
        map_part(vq, &vq->part[PART_DESC], vq->desc, n * DESC_SIZE, false, 16);
        map_part(vq, &vq->part[PART_AVAIL], vq->avail, 6 + 2 * n, false, 2);
        map_part(vq, &vq->part[PART_USED], vq->used, 6 + 8 * n, true, 4);
    }
}

void ring_forget(VirtQueue *vq)
{
    vq->map_generation = 0;
    memset(vq->part, 0, sizeof(vq->part));
}

uint64_t ring_load_slow(VirtQueue *vq, const RingPart *p, uint32_t at, unsigned size)
{
    VirtIODevice *v = vq->v;

    return address_space_load(v->as, p->addr + at, size, virtio_order(v), v->attrs, NULL);
}

void ring_store_slow(VirtQueue *vq, const RingPart *p, uint32_t at, uint64_t val, unsigned size)
{
    VirtIODevice *v = vq->v;

    address_space_store(v->as, p->addr + at, val, size, virtio_order(v), v->attrs, NULL);
}

void desc_decode(const VirtIODevice *v, const uint8_t *p, Desc *d)
{
    d->addr = virtio_ld64(v, p);
    d->len = virtio_ld32(v, p + 8);
    d->flags = virtio_ld16(v, p + 12);
    d->next = virtio_ld16(v, p + 14);
}

void ring_desc(VirtQueue *vq, uint32_t i, Desc *d)
{
    const RingPart *p = &vq->part[PART_DESC];
    uint8_t copy[DESC_SIZE] = { 0 };

    if (likely(p->host)) {
        ram_copy(copy, p->host + i * DESC_SIZE, DESC_SIZE);
    } else {
        address_space_read(vq->v->as, p->addr + i * DESC_SIZE, vq->v->attrs, copy, DESC_SIZE);
    }
    desc_decode(vq->v, copy, d);
}
