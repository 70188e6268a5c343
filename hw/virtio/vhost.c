/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/virtio/vhost.h"

#include <glib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "hw/virtio/virtio-int.h"
#include "util/rcu.h"
#include "vmstate/blocker.h"

/* What the other side does with rings and frames is its own affair: all but these are. */
#define OWN_FEATURES    (BIT64(3) | BIT64(5) | MASK64(16, 6) | BIT64(22) | BIT64(23) | BIT64(63))

struct VhostDev {
    VirtIODevice *v;
    VhostUser *u;
    unsigned rings, started;    /* made; of them given away */
    int *kick_fds, *call_fds;
    FdWatch **watches;          /* of call_fds */
    MemListener listener;
    VhostRegion regions[VHOST_USER_REGIONS_MAX];
    unsigned n_regions;
    MigrationBlocker *blocker;
};

/* --- the guest's memory: all that the CPUs see, since the other side has no IOMMU --- */

/* Room for @r: the smallest one goes when there are too many. */
static void add_region(VhostDev *d, const VhostRegion *r)
{
    VhostRegion *last = d->n_regions ? &d->regions[d->n_regions - 1] : NULL, *smallest = d->regions;

    if (last && last->fd == r->fd && last->guest_addr + last->size == r->guest_addr &&
        last->host_addr + last->size == r->host_addr) {
        last->size += r->size;
        return;
    }
    if (d->n_regions < VHOST_USER_REGIONS_MAX) {
        d->regions[d->n_regions++] = *r;
        return;
    }
    for (unsigned i = 1; i < d->n_regions; i++) {
        if (d->regions[i].size < smallest->size) {
            smallest = &d->regions[i];
        }
    }
    if (smallest->size < r->size) {
        memmove(smallest, smallest + 1, (char *)(d->regions + d->n_regions) - (char *)(smallest + 1));
        d->regions[d->n_regions - 1] = *r;
    }
}

static void collect_regions(VhostDev *d)
{
    const FlatView *view;

    RCU_READ_GUARD();
    view = rcu_load(&address_space_memory.view);
    d->n_regions = 0;
    for (uint32_t i = 0; i < view->num; i++) {
        const MemSection *s = &view->sections[i];

        if (s->host && s->ram && !s->readonly && s->ram->fd >= 0 && s->ram->shared) {
            add_region(d, &(VhostRegion){
                .guest_addr = s->start, .size = s->last - s->start + 1, .host_addr = (uintptr_t)s->host,
                .fd_offset = s->ram->fd_offset + s->ram_offset, .fd = s->ram->fd });
        }
    }
}

static void map_changed(MemListener *l)
{
    VhostDev *d = container_of(l, VhostDev, listener);
    VhostRegion old[VHOST_USER_REGIONS_MAX];
    unsigned n = d->n_regions;
    Error *err = NULL;

    memcpy(old, d->regions, sizeof(old));
    collect_regions(d);
    if (d->started && (n != d->n_regions || memcmp(old, d->regions, n * sizeof(old[0])))) {
        if (!vhost_user_set_memory(d->u, d->regions, d->n_regions, &err)) {
            error_report(err);
        }
    }
}

/* --- rings --- */

static void called(int fd, UNUSED unsigned events, void *opaque)
{
    VirtQueue *vq = opaque;
    uint64_t n;

    if (read(fd, &n, sizeof(n)) == sizeof(n)) {
        virtq_interrupt(vq);
    }
}

static bool start_ring(VhostDev *d, unsigned i, Error **errp)
{
    VirtQueue *vq = virtio_queue(d->v, i);
    VhostRing r = { .index = i, .num = vq->num, .base = vq->last_avail, .kick_fd = d->kick_fds[i],
                    .call_fd = d->call_fds[i] };

    rcu_read_lock();
    ring_refresh(vq);
    r.desc = (uintptr_t)vq->part[PART_DESC].host;
    r.avail = (uintptr_t)vq->part[PART_AVAIL].host;
    r.used = (uintptr_t)vq->part[PART_USED].host;
    rcu_read_unlock();
    if (!r.desc || !r.avail || !r.used) {
        error_setf(errp, ERR_STATE_INVALID, "queue %u isn't in memory that can be shared", i);
        return false;
    }
    if (!vhost_user_start_ring(d->u, &r, errp)) {
        return false;
    }
    d->watches[i] = fd_watch_new_on(main_event_loop(), d->call_fds[i], FD_READ, called, vq);
    virtio_queue_set_notify_fd(vq, d->kick_fds[i]);
    /* What the driver has put there before. */
    eventfd_write(d->kick_fds[i], 1);
    return true;
}

static void stop_ring(VhostDev *d, unsigned i)
{
    VirtQueue *vq = virtio_queue(d->v, i);
    Error *err = NULL;
    uint32_t base;

    if (!d->watches[i]) {
        return;
    }
    virtio_queue_set_notify_fd(vq, 0);
    if (vhost_user_is_connected(d->u) && vhost_user_stop_ring(d->u, i, &base, &err)) {
        virtq_resume_at(vq, base);
    } else {
        /* It's gone: what it had taken and not given back is done again. */
        virtq_resume_at_used(vq);
        error_free(err);
    }
    fd_watch_remove(d->watches[i]);
    d->watches[i] = NULL;
    called(d->call_fds[i], 0, vq);              /* a last word */
}

void vhost_dev_enable(VhostDev *d, unsigned enabled)
{
    Error *err = NULL;

    for (unsigned i = 0; i < d->started && vhost_user_is_connected(d->u); i++) {
        if (d->watches[i] && !vhost_user_enable_ring(d->u, i, i < enabled, &err)) {
            error_report(err);
            return;
        }
    }
}

void vhost_dev_start(VhostDev *d, unsigned rings, unsigned enabled)
{
    Error *err = NULL;

    if (d->started || !vhost_user_is_connected(d->u)) {
        return;
    }
    collect_regions(d);
    if (!vhost_user_set_features(d->u, d->v->guest_features & vhost_user_features(d->u) & ~OWN_FEATURES,
                                 &err) ||
        !vhost_user_set_memory(d->u, d->regions, d->n_regions, &err)) {
        goto fail;
    }
    d->blocker = migration_add_blocker("a vhost-user back end has the guest's memory", NULL);
    d->started = MIN(rings, d->rings);
    for (unsigned i = 0; i < d->started; i++) {
        if (virtio_queue(d->v, i)->enabled && !start_ring(d, i, &err)) {
            vhost_dev_stop(d);
            goto fail;
        }
    }
    vhost_dev_enable(d, enabled);
    return;
fail:
    error_prepend(&err, "%s: ", object_type_name(d->v));
    error_report(err);
}

void vhost_dev_stop(VhostDev *d)
{
    if (d->started) {
        vhost_dev_enable(d, 0);
        for (unsigned i = 0; i < d->started; i++) {
            stop_ring(d, i);
        }
        d->started = 0;
        migration_del_blocker(d->blocker);
        d->blocker = NULL;
    }
}

bool vhost_dev_is_started(const VhostDev *d)
{
    return d->started;
}

bool vhost_dev_ring(const VhostDev *d, unsigned i, VhostRingInfo *info)
{
    VirtQueue *vq;

    if (i >= d->started || !d->watches[i]) {
        return false;
    }
    vq = virtio_queue(d->v, i);
    *info = (VhostRingInfo){ d->kick_fds[i], d->call_fds[i], { NULL } };
    RCU_READ_GUARD();
    ring_refresh(vq);
    info->part[0] = vq->part[PART_DESC].host;
    info->part[1] = vq->part[PART_AVAIL].host;
    info->part[2] = vq->part[PART_USED].host;
    return true;
}

const VhostUser *vhost_dev_peer(const VhostDev *d, unsigned *rings, unsigned *regions)
{
    if (rings) {
        *rings = d->rings;
    }
    if (regions) {
        *regions = d->n_regions;
    }
    return d->u;
}

/* --- life --- */

uint64_t vhost_dev_limit(const VhostDev *d)
{
    return (vhost_user_features(d->u) | OWN_FEATURES) & ~BIT64(VIRTIO_F_RING_PACKED);
}

VhostDev *vhost_dev_new(VirtIODevice *v, VhostUser *u, unsigned rings, Error **errp)
{
    VhostDev *d = g_new0(VhostDev, 1);

    d->v = v;
    d->u = u;
    d->rings = rings;
    d->kick_fds = g_new(int, rings);
    d->call_fds = g_new(int, rings);
    d->watches = g_new0(FdWatch *, rings);
    for (unsigned i = 0; i < rings; i++) {
        d->kick_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        d->call_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    d->listener = (MemListener){ .name = "vhost", .commit = map_changed };
    memory_listener_add(&address_space_memory, &d->listener);
    collect_regions(d);
    if (!d->n_regions) {
        error_setf(errp, ERR_NOT_SUPPORTED, "no memory of the guest can be shared with the other process");
        error_hint(errp, "-object memory-backend-memfd,id=m,size=...,share=on -machine memory-backend=m");
        vhost_dev_free(d);
        return NULL;
    }
    v->vhost = d;
    return d;
}

void vhost_dev_free(VhostDev *d)
{
    if (!d) {
        return;
    }
    vhost_dev_stop(d);
    d->v->vhost = NULL;
    memory_listener_del(&d->listener);
    for (unsigned i = 0; i < d->rings; i++) {
        close(d->kick_fds[i]);
        close(d->call_fds[i]);
    }
    g_free(d->kick_fds);
    g_free(d->call_fds);
    g_free(d->watches);
    g_free(d);
}
