/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the virtqueue only. */
#ifndef HW_VIRTIO_VIRTIO_INT_H
#define HW_VIRTIO_VIRTIO_INT_H

#include "hw/virtio/virtio.h"
#include "util/bswap.h"

/* V 2.7.13.1: what was loaded before, what is stored behind. See full_barrier(). */
#ifdef __SANITIZE_THREAD__
#define acquire_barrier()   full_barrier()
#define release_barrier()   full_barrier()
#else
#define acquire_barrier()   __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define release_barrier()   __atomic_thread_fence(__ATOMIC_RELEASE)
#endif

enum { PART_DESC, PART_AVAIL, PART_USED };

/* V 2.7.5, 2.8.8. */
enum { DESC_F_NEXT = 1, DESC_F_WRITE = 2, DESC_F_INDIRECT = 4, DESC_F_AVAIL = 1 << 7,
       DESC_F_USED = 1 << 15 };

typedef struct Desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;       /* next: of a packed one its id */
} Desc;
#define DESC_SIZE   16

/* --- ring-memory.c --- */
/* Inside an RCU read section: the parts are what the memory map says now. */
void ring_refresh(VirtQueue *vq);
void ring_forget(VirtQueue *vq);
uint64_t ring_load_slow(VirtQueue *vq, const RingPart *p, uint32_t at, unsigned size);
void ring_store_slow(VirtQueue *vq, const RingPart *p, uint32_t at, uint64_t val, unsigned size);
/* Host memory was written. */
static inline void ring_wrote(const RingPart *p, uint32_t at, uint32_t len)
{
    ram_written(p->ram, p->ram_offset + at, len);
}

static inline uint16_t ring_ld16(VirtQueue *vq, int part, uint32_t at)
{
    const RingPart *p = &vq->part[part];
    uint16_t v;

    if (unlikely(!p->host)) {
        return ring_load_slow(vq, p, at, 2);
    }
    v = __atomic_load_n((const uint16_t *)(p->host + at), __ATOMIC_RELAXED);
    return virtio_order(vq->v) == MEM_LE ? le16_to_host(v) : be16_to_host(v);
}

static inline void ring_st16(VirtQueue *vq, int part, uint32_t at, uint16_t val)
{
    const RingPart *p = &vq->part[part];

    if (unlikely(!p->host)) {
        ring_store_slow(vq, p, at, val, 2);
        return;
    }
    val = virtio_order(vq->v) == MEM_LE ? host_to_le16(val) : host_to_be16(val);
    __atomic_store_n((uint16_t *)(p->host + at), val, __ATOMIC_RELAXED);
    ring_wrote(p, at, 2);
}

static inline void ring_st32(VirtQueue *vq, int part, uint32_t at, uint32_t val)
{
    const RingPart *p = &vq->part[part];

    if (unlikely(!p->host)) {
        ring_store_slow(vq, p, at, val, 4);
        return;
    }
    val = virtio_order(vq->v) == MEM_LE ? host_to_le32(val) : host_to_be32(val);
    __atomic_store_n((uint32_t *)(p->host + at), val, __ATOMIC_RELAXED);
    ring_wrote(p, at, 4);
}
/* Descriptor @i of the table at @p, in the queue's order. */
void ring_desc(VirtQueue *vq, uint32_t i, Desc *d);
void desc_decode(const VirtIODevice *v, const uint8_t *p, Desc *d);

/* --- virtqueue.c --- */
/* Buffers being collected. */
typedef struct Gather {
    VirtQueue *vq;
    unsigned num_out, num_in;
    uint64_t out_bytes, in_bytes;
    struct iovec iov[VIRTQ_MAX_SIZE];
} Gather;
/* False: the device is broken; the mappings are undone. */
bool gather_add(Gather *g, const Desc *d);
void gather_undo(Gather *g);
/* The indirect table of @d: its descriptors one after the other (@chained: by their next). */
bool gather_indirect(Gather *g, const Desc *d, bool chained);

/* --- the layouts --- */
typedef struct RingOps {
    bool (*is_empty)(VirtQueue *vq);
    /* Collects the next element's buffers; sets *id and *num_desc. False: there is none. */
    bool (*pop)(VirtQueue *vq, Gather *g, uint16_t *id, uint16_t *num_desc);
    void (*unpop)(VirtQueue *vq, uint16_t num_desc);
    void (*push)(VirtQueue *vq, uint16_t id, uint16_t num_desc, uint32_t len);
    bool (*should_notify)(VirtQueue *vq);
    void (*want_notify)(VirtQueue *vq, bool on);
} RingOps;
extern const RingOps ring_split, ring_packed;

/* V 2.7.7.2. */
static inline bool ring_need_event(uint16_t event, uint16_t new, uint16_t old)
{
    return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

#endif
