/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtqueues: what both layouts have in common. */
#include "util/osdep.h"
#include "hw/virtio/virtio-int.h"

#include <glib.h>
#include <sys/eventfd.h>
#include "util/rcu.h"

static const RingOps *layout(const VirtQueue *vq)
{
    return vq->packed ? &ring_packed : &ring_split;
}

/* A driver before VERSION_1 may fill its queues before DRIVER_OK (V 3.1.2). */
static bool usable(const VirtQueue *vq)
{
    const VirtIODevice *v = vq->v;

    return vq->enabled && !v->broken &&
           (v->status & VIRTIO_S_DRIVER_OK || !virtio_has(v, VIRTIO_F_VERSION_1));
}

/* --- buffers --- */

void gather_undo(Gather *g)
{
    AddressSpace *as = g->vq->v->as;

    for (unsigned i = 0; i < g->num_out + g->num_in; i++) {
        address_space_unmap(as, g->iov[i].iov_base, g->iov[i].iov_len, i >= g->num_out, 0);
    }
    g->num_out = g->num_in = 0;
}

bool gather_add(Gather *g, const Desc *d)
{
    VirtIODevice *v = g->vq->v;
    bool write = d->flags & DESC_F_WRITE;
    uint64_t *sum = write ? &g->in_bytes : &g->out_bytes, done = 0;
    const char *wrong = NULL;

    if (!write && g->num_in) {
        wrong = "a readable descriptor behind writable ones";   /* V 2.7.4.2 */
    } else if (!d->len) {
        wrong = "a descriptor of no bytes";
    } else if (*sum + d->len > UINT32_MAX) {
        wrong = "an element of more than 4 GiB";
    }
    while (!wrong && done < d->len) {
        hwaddr n = d->len - done;
        void *host;

        if (g->num_out + g->num_in == VIRTQ_MAX_SIZE) {
            wrong = "an element in too many pieces";
            break;
        }
        host = address_space_map(v->as, d->addr + done, &n, write, v->attrs);
        if (!host) {
            wrong = "a descriptor points to no memory";
            break;
        }
        g->iov[g->num_out + g->num_in] = (struct iovec){ host, n };
        *(write ? &g->num_in : &g->num_out) += 1;
        done += n;
    }
    *sum += done;
    if (wrong) {
        virtio_broken(v, "queue %u: %s: 0x%" PRIx64 ", %u bytes", g->vq->index, wrong, d->addr,
                      d->len);
        gather_undo(g);
        return false;
    }
    return true;
}

bool gather_indirect(Gather *g, const Desc *d, bool chained)
{
    VirtIODevice *v = g->vq->v;
    uint32_t num = d->len / DESC_SIZE, at = 0;
    uint8_t table[VIRTQ_MAX_SIZE * DESC_SIZE];

    if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC) || !num || d->len % DESC_SIZE ||
        num > VIRTQ_MAX_SIZE) {
        virtio_broken(v, "queue %u: an indirect table of %u bytes", g->vq->index, d->len);
        goto fail;
    }
    if (address_space_read(v->as, d->addr, v->attrs, table, d->len)) {
        virtio_broken(v, "queue %u: the indirect table at 0x%" PRIx64 " can't be read",
                      g->vq->index, d->addr);
        goto fail;
    }
    for (uint32_t n = 0; n < num; n++) {
        Desc e;

        desc_decode(v, table + at * DESC_SIZE, &e);
        if (!chained) {
            uint16_t id = e.flags;

            e.flags = e.next & DESC_F_WRITE;    /* V 2.8.7: the others are reserved */
            e.next = id;
        }
        if (e.flags & DESC_F_INDIRECT) {
            virtio_broken(v, "queue %u: an indirect descriptor in an indirect table",
                          g->vq->index);
            goto fail;
        }
        if (!gather_add(g, &e)) {
            return false;
        }
        if (chained) {
            if (!(e.flags & DESC_F_NEXT)) {
                return true;
            }
            at = e.next;
            if (at >= num) {
                virtio_broken(v, "queue %u: next descriptor %u in a table of %u", g->vq->index, at,
                              num);
                goto fail;
            }
        } else {
            at++;
        }
    }
    if (!chained) {
        return true;
    }
    virtio_broken(v, "queue %u: descriptors of an indirect table go round", g->vq->index);
fail:
    gather_undo(g);
    return false;
}

/* --- elements --- */

void *virtq_pop(VirtQueue *vq, size_t size)
{
    size_t head = ALIGN_UP(size, _Alignof(struct iovec));
    uint16_t id, num_desc;
    VirtqElem *e;
    Gather g;

    if (!usable(vq)) {
        return NULL;
    }
    g.vq = vq;
    g.num_out = g.num_in = 0;
    g.out_bytes = g.in_bytes = 0;
    RCU_READ_GUARD();
    ring_refresh(vq);
    if (!layout(vq)->pop(vq, &g, &id, &num_desc)) {
        return NULL;
    }
    if (vq->in_use + num_desc > vq->num) {
        virtio_broken(vq->v, "queue %u: more elements than its %u descriptors", vq->index, vq->num);
        gather_undo(&g);
        return NULL;
    }
    vq->in_use += num_desc;
    e = g_malloc(head + (g.num_out + g.num_in) * sizeof(struct iovec));
    memset(e, 0, size);
    e->id = id;
    e->num_desc = num_desc;
    e->out_num = g.num_out;
    e->in_num = g.num_in;
    e->out_bytes = g.out_bytes;
    e->in_bytes = g.in_bytes;
    e->out = (struct iovec *)((char *)e + head);
    e->in = e->out + g.num_out;
    memcpy(e->out, g.iov, (g.num_out + g.num_in) * sizeof(struct iovec));
    return e;
}

bool virtq_is_empty(VirtQueue *vq)
{
    if (!usable(vq)) {
        return true;
    }
    RCU_READ_GUARD();
    ring_refresh(vq);
    return layout(vq)->is_empty(vq);
}

/* @len bytes of in were written. */
static void unmap(VirtQueue *vq, VirtqElem *e, uint32_t len)
{
    AddressSpace *as = vq->v->as;

    for (uint32_t i = 0; i < e->out_num; i++) {
        address_space_unmap(as, e->out[i].iov_base, e->out[i].iov_len, false, e->out[i].iov_len);
    }
    for (uint32_t i = 0; i < e->in_num; i++) {
        uint32_t n = MIN(len, e->in[i].iov_len);

        address_space_unmap(as, e->in[i].iov_base, e->in[i].iov_len, true, n);
        len -= n;
    }
}

void virtq_push(VirtQueue *vq, VirtqElem *e, uint32_t len)
{
    unmap(vq, e, len);
    if (!vq->enabled || vq->v->broken) {
        return;
    }
    RCU_READ_GUARD();
    ring_refresh(vq);
    vq->in_use -= MIN(vq->in_use, e->num_desc);
    layout(vq)->push(vq, e->id, e->num_desc, len);
}

void virtq_detach(VirtQueue *vq, VirtqElem *e)
{
    unmap(vq, e, 0);
    vq->in_use -= MIN(vq->in_use, e->num_desc);
}

void virtq_unpop(VirtQueue *vq, VirtqElem *e)
{
    virtq_detach(vq, e);
    layout(vq)->unpop(vq, e->num_desc);
}

void virtq_notify(VirtQueue *vq)
{
    VirtIODevice *v = vq->v;
    bool notify;

    if (!vq->enabled || v->broken) {
        return;
    }
    rcu_read_lock();
    ring_refresh(vq);
    notify = layout(vq)->should_notify(vq);
    rcu_read_unlock();
    if (notify && v->transport) {
        v->transport->interrupt(v->transport_opaque, vq->vector, false);
    }
}

void virtq_interrupt(VirtQueue *vq)
{
    VirtIODevice *v = vq->v;

    if (vq->enabled && !v->broken && v->transport) {
        v->transport->interrupt(v->transport_opaque, vq->vector, false);
    }
}

void virtq_resume_at(VirtQueue *vq, uint16_t avail)
{
    RCU_READ_GUARD();
    ring_refresh(vq);
    vq->last_avail = vq->shadow_avail = avail;
    vq->used_idx = ring_ld16(vq, PART_USED, 2);     /* V 2.7.8: flags, idx */
    vq->in_use = 0;
    vq->signalled_valid = false;
}

void virtq_resume_at_used(VirtQueue *vq)
{
    virtq_resume_at(vq, 0);
    vq->last_avail = vq->shadow_avail = vq->used_idx;
}

bool virtq_want_notify(VirtQueue *vq, bool on)
{
    if (!usable(vq)) {
        return false;
    }
    RCU_READ_GUARD();
    ring_refresh(vq);
    vq->suppressed = !on;
    layout(vq)->want_notify(vq, on);
    if (!on) {
        return false;
    }
    /* Against the driver's store to the ring and load of what we have just written. */
    full_barrier();
    return !layout(vq)->is_empty(vq);
}

/* --- set-up and notifications by the driver --- */

VirtQueue *virtio_queue(VirtIODevice *v, unsigned index)
{
    return index < v->num_vqs ? &v->vq[index] : NULL;
}

static void run_handler(void *opaque)
{
    VirtQueue *vq = opaque;

    if (usable(vq)) {
        vq->handler(vq->v, vq);
    }
}

/*
 * Under the big lock. A ring or a buffer may lie in a device's own registers, so that giving an
 * element back notifies: such a notification waits until the handler has returned, else a guest
 * could nest them without end.
 */
static void run_locked(void *opaque)
{
    VirtQueue *vq = opaque;
    VirtIODevice *v = vq->v;

    if (v->handling) {
        if (!vq->later) {
            vq->later = bh_new_on(main_event_loop(), run_locked, vq);
        }
        bh_schedule(vq->later);
        return;
    }
    v->handling = true;
    run_handler(vq);
    v->handling = false;
}

/* True if the queue's own loop, or another process, will look. Unplugging may be under way in another thread. */
static bool kick_own_loop(VirtIODevice *v, unsigned index)
{
    VirtQueue *vq;

    MUTEX_GUARD(&v->kick_lock);
    vq = virtio_queue(v, index);
    if (!vq || !vq->handler) {
        return true;            /* nobody wants it */
    }
    if (vq->kick) {
        bh_schedule(vq->kick);
    } else if (vq->notify_fd) {
        eventfd_write(vq->notify_fd, 1);
    }
    return vq->kick || vq->notify_fd;
}

void virtio_queue_kicked(VirtIODevice *v, unsigned index)
{
    bool locked = big_lock_held();
    VirtQueue *vq;

    if (kick_own_loop(v, index)) {
        return;
    }
    if (!locked) {
        big_lock();
    }
    vq = virtio_queue(v, index);
    if (vq) {
        run_locked(vq);
    }
    if (!locked) {
        big_unlock();
    }
}

void virtio_set_loop(VirtIODevice *v, EventLoop *loop, unsigned first)
{
    LOOP_PARKED(v->loop);
    MUTEX_GUARD(&v->kick_lock);

    for (unsigned i = 0; i < v->num_vqs; i++) {
        VirtQueue *vq = &v->vq[i];

        bh_delete(vq->kick);
        vq->kick = loop && i >= first ? bh_new_on(loop, run_handler, vq) : NULL;
    }
    v->loop = loop;
}

void virtio_queue_set_notify_fd(VirtQueue *vq, int fd)
{
    MUTEX_GUARD(&vq->v->kick_lock);
    vq->notify_fd = fd;
}

bool virtio_queue_set_num(VirtQueue *vq, uint16_t num)
{
    bool packed = virtio_has(vq->v, VIRTIO_F_RING_PACKED);

    if (!num || num > vq->num_default || (!packed && !IS_POWER_OF_2(num))) {
        return false;
    }
    vq->num = num;
    return true;
}

static void start_over(VirtQueue *vq)
{
    vq->packed = virtio_has(vq->v, VIRTIO_F_RING_PACKED);
    vq->last_avail = vq->shadow_avail = vq->used_idx = 0;
    vq->avail_wrap = vq->used_wrap = true;
    vq->in_use = vq->signalled = vq->pushed = 0;
    vq->signalled_valid = vq->suppressed = false;
    ring_forget(vq);
}

void virtio_queue_enable(VirtQueue *vq)
{
    LOOP_PARKED(vq->v->loop);

    start_over(vq);
    vq->enabled = true;
}

void virtio_queue_set_legacy_addr(VirtQueue *vq, hwaddr addr)
{
    LOOP_PARKED(vq->v->loop);

    vq->desc = addr;
    vq->avail = addr + vq->num * DESC_SIZE;
    vq->used = ALIGN_UP(vq->avail + 6 + 2 * vq->num, 4096);     /* V 2.7.2 */
    start_over(vq);
    vq->enabled = addr;
}

void virtio_queue_reset(VirtQueue *vq)
{
    LOOP_PARKED(vq->v->loop);

    vq->enabled = false;
    vq->num = vq->num_default;
    vq->desc = vq->avail = vq->used = 0;
    start_over(vq);
}
