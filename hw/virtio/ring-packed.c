/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packed virtqueues: V 2.8. */
#include "util/osdep.h"
#include "hw/virtio/virtio-int.h"

/* Event suppression structure (V 2.8.10). */
enum { EVENT_OFF_WRAP = 0, EVENT_FLAGS = 2 };
enum { EVENT_ENABLE = 0, EVENT_DISABLE = 1, EVENT_DESC = 2 };
#define WRAP_BIT    BIT(15)

/* Offsets of a descriptor's members. */
enum { DESC_ID = 12, DESC_FLAGS = 14 };

/* Descriptors here have id and flags in the other order (V 2.8.13). */
static void packed_desc(VirtQueue *vq, uint32_t i, Desc *d)
{
    uint16_t id;

    ring_desc(vq, i, d);
    id = d->flags;
    d->flags = d->next;
    d->next = id;
}

/* V 2.8.1: available when AVAIL is the driver's wrap counter and USED isn't. */
static bool is_available(uint16_t flags, bool wrap)
{
    return !!(flags & DESC_F_AVAIL) == wrap && !!(flags & DESC_F_USED) != wrap;
}

static bool packed_is_empty(VirtQueue *vq)
{
    uint16_t flags = ring_ld16(vq, PART_DESC, vq->last_avail * DESC_SIZE + DESC_FLAGS);

    return !is_available(flags, vq->avail_wrap);
}

/* The chain at @at; its length in the ring, 0: the device is broken. */
static uint16_t gather_chain(VirtQueue *vq, Gather *g, uint16_t at, uint16_t *id)
{
    Desc d;

    for (uint16_t n = 1; n <= vq->num; n++) {
        packed_desc(vq, at, &d);
        *id = d.next;
        if (d.flags & DESC_F_INDIRECT) {
            if (n > 1 || d.flags & DESC_F_NEXT) {       /* V 2.8.7 */
                virtio_broken(vq->v, "queue %u: an indirect descriptor in a list", vq->index);
                break;
            }
            return gather_indirect(g, &d, false) ? 1 : 0;
        }
        if (!gather_add(g, &d)) {
            return 0;
        }
        if (!(d.flags & DESC_F_NEXT)) {
            return n;
        }
        at = at + 1 == vq->num ? 0 : at + 1;
    }
    if (!vq->v->broken) {
        virtio_broken(vq->v, "queue %u: a list longer than the queue, %u", vq->index, vq->num);
    }
    gather_undo(g);
    return 0;
}

static bool packed_pop(VirtQueue *vq, Gather *g, uint16_t *id, uint16_t *num_desc)
{
    if (packed_is_empty(vq)) {
        return false;
    }
    /* The rest of the descriptor after its flags. */
    acquire_barrier();
    *num_desc = gather_chain(vq, g, vq->last_avail, id);
    if (!*num_desc) {
        return false;
    }
    vq->last_avail += *num_desc;
    if (vq->last_avail >= vq->num) {
        vq->last_avail -= vq->num;
        vq->avail_wrap = !vq->avail_wrap;
    }
    return true;
}

static void packed_unpop(VirtQueue *vq, uint16_t num_desc)
{
    if (vq->last_avail < num_desc) {
        vq->last_avail += vq->num;
        vq->avail_wrap = !vq->avail_wrap;
    }
    vq->last_avail -= num_desc;
}

static void packed_push(VirtQueue *vq, uint16_t id, uint16_t num_desc, uint32_t len)
{
    uint32_t at = vq->used_idx * DESC_SIZE;
    uint16_t flags = (vq->used_wrap ? DESC_F_AVAIL | DESC_F_USED : 0) | (len ? DESC_F_WRITE : 0);

    ring_st32(vq, PART_DESC, at + 8, len);
    ring_st16(vq, PART_DESC, at + DESC_ID, id);
    release_barrier();
    ring_st16(vq, PART_DESC, at + DESC_FLAGS, flags);
    vq->used_idx += num_desc;
    if (vq->used_idx >= vq->num) {
        vq->used_idx -= vq->num;
        vq->used_wrap = !vq->used_wrap;
    }
    vq->pushed = MIN(vq->pushed + num_desc, vq->num);
}

static bool packed_should_notify(VirtQueue *vq)
{
    uint16_t pushed = vq->pushed, flags, off_wrap, event;

    full_barrier();
    flags = ring_ld16(vq, PART_AVAIL, EVENT_FLAGS);
    vq->pushed = 0;
    if (flags != EVENT_DESC || !virtio_has(vq->v, VIRTIO_F_EVENT_IDX)) {
        return flags != EVENT_DISABLE;
    }
    off_wrap = ring_ld16(vq, PART_AVAIL, EVENT_OFF_WRAP);
    event = off_wrap & ~WRAP_BIT;
    if (!!(off_wrap & WRAP_BIT) != vq->used_wrap) {
        event -= vq->num;
    }
    return pushed >= vq->num || ring_need_event(event, vq->used_idx, vq->used_idx - pushed);
}

static void packed_want_notify(VirtQueue *vq, bool on)
{
    if (on && virtio_has(vq->v, VIRTIO_F_EVENT_IDX)) {
        ring_st16(vq, PART_USED, EVENT_OFF_WRAP,
                  vq->last_avail | (vq->avail_wrap ? WRAP_BIT : 0));
        release_barrier();
        ring_st16(vq, PART_USED, EVENT_FLAGS, EVENT_DESC);
    } else {
        ring_st16(vq, PART_USED, EVENT_FLAGS, on ? EVENT_ENABLE : EVENT_DISABLE);
    }
}

const RingOps ring_packed = {
    .is_empty = packed_is_empty, .pop = packed_pop, .unpop = packed_unpop, .push = packed_push,
    .should_notify = packed_should_notify, .want_notify = packed_want_notify,
};
