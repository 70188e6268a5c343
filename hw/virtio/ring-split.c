/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Split virtqueues: V 2.7. */
#include "util/osdep.h"
#include "hw/virtio/virtio-int.h"

/* Offsets in the available and the used ring (V 2.7.6, 2.7.8). */
enum { RING_FLAGS = 0, RING_IDX = 2, RING_ENTRIES = 4 };
enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

static uint32_t used_event_at(const VirtQueue *vq)
{
    return RING_ENTRIES + 2 * vq->num;
}

static uint32_t avail_event_at(const VirtQueue *vq)
{
    return RING_ENTRIES + 8 * vq->num;
}

/* How many elements wait; 0 also when the index can't be. */
static uint16_t available(VirtQueue *vq)
{
    uint16_t n = vq->shadow_avail - vq->last_avail;

    if (n) {
        return n;
    }
    vq->shadow_avail = ring_ld16(vq, PART_AVAIL, RING_IDX);
    n = vq->shadow_avail - vq->last_avail;
    if (n > vq->num) {
        virtio_broken(vq->v, "queue %u: available index went from %u to %u, the queue has %u",
                      vq->index, vq->last_avail, vq->shadow_avail, vq->num);
        vq->shadow_avail = vq->last_avail;
        return 0;
    }
    /* The entries are read after the index (V 2.7.13.3). */
    acquire_barrier();
    return n;
}

static bool split_is_empty(VirtQueue *vq)
{
    return available(vq) == 0;
}

static bool head_at(VirtQueue *vq, uint16_t place, uint16_t *head)
{
    *head = ring_ld16(vq, PART_AVAIL, RING_ENTRIES + 2 * (place % vq->num));
    if (*head >= vq->num) {
        virtio_broken(vq->v, "queue %u: head %u; accepted: 0 to %u", vq->index, *head,
                      vq->num - 1);
        return false;
    }
    return true;
}

static bool gather_chain(VirtQueue *vq, Gather *g, uint16_t head)
{
    uint16_t at = head;
    Desc d;

    for (unsigned n = 0; ; n++) {
        if (n >= vq->num) {
            virtio_broken(vq->v, "queue %u: descriptors from %u on go round", vq->index, head);
            break;
        }
        ring_desc(vq, at, &d);
        if (d.flags & DESC_F_INDIRECT) {
            if (d.flags & DESC_F_NEXT) {        /* V 2.7.5.3.1 */
                virtio_broken(vq->v, "queue %u: an indirect descriptor has a next one", vq->index);
                break;
            }
            return gather_indirect(g, &d, true);
        }
        if (!gather_add(g, &d)) {
            return false;
        }
        if (!(d.flags & DESC_F_NEXT)) {
            return true;
        }
        at = d.next;
        if (at >= vq->num) {
            virtio_broken(vq->v, "queue %u: next descriptor %u; accepted: 0 to %u", vq->index, at,
                          vq->num - 1);
            break;
        }
    }
    gather_undo(g);
    return false;
}

static bool split_pop(VirtQueue *vq, Gather *g, uint16_t *id, uint16_t *num_desc)
{
    if (!available(vq) || !head_at(vq, vq->last_avail, id)) {
        return false;
    }
    if (!gather_chain(vq, g, *id)) {
        return false;
    }
    *num_desc = 1;
    vq->last_avail++;
    if (virtio_has(vq->v, VIRTIO_F_EVENT_IDX) && !vq->suppressed) {
        ring_st16(vq, PART_USED, avail_event_at(vq), vq->last_avail);
    }
    return true;
}

static void split_unpop(VirtQueue *vq, UNUSED uint16_t num_desc)
{
    vq->last_avail--;
}

static void split_push(VirtQueue *vq, uint16_t id, UNUSED uint16_t num_desc, uint32_t len)
{
    uint32_t at = RING_ENTRIES + 8 * (vq->used_idx % vq->num);

    ring_st32(vq, PART_USED, at, id);
    ring_st32(vq, PART_USED, at + 4, len);
    release_barrier();
    vq->used_idx++;
    ring_st16(vq, PART_USED, RING_IDX, vq->used_idx);
    if ((int16_t)(vq->used_idx - vq->signalled) < 1) {
        vq->signalled_valid = false;    /* 32768 without a question */
    }
}

static bool split_should_notify(VirtQueue *vq)
{
    uint16_t old = vq->signalled, event;
    bool valid = vq->signalled_valid;

    /* Against the driver's store to the event and load of the index. */
    full_barrier();
    if (virtio_has(vq->v, VIRTIO_F_NOTIFY_ON_EMPTY) && !vq->in_use && !available(vq)) {
        return true;
    }
    if (!virtio_has(vq->v, VIRTIO_F_EVENT_IDX)) {
        return !(ring_ld16(vq, PART_AVAIL, RING_FLAGS) & AVAIL_NO_INTERRUPT);
    }
    vq->signalled = vq->used_idx;
    vq->signalled_valid = true;
    event = ring_ld16(vq, PART_AVAIL, used_event_at(vq));
    return !valid || ring_need_event(event, vq->used_idx, old);
}

static void split_want_notify(VirtQueue *vq, bool on)
{
    if (virtio_has(vq->v, VIRTIO_F_EVENT_IDX)) {
        if (on) {
            ring_st16(vq, PART_USED, avail_event_at(vq), vq->last_avail);
        }
    } else {
        ring_st16(vq, PART_USED, RING_FLAGS, on ? 0 : USED_NO_NOTIFY);
    }
}

const RingOps ring_split = {
    .is_empty = split_is_empty, .pop = split_pop, .unpop = split_unpop, .push = split_push,
    .should_notify = split_should_notify, .want_notify = split_want_notify,
};
