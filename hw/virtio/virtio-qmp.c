/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's view of virtio devices and their queues; reading changes nothing. */
#include "util/osdep.h"
#include "hw/virtio/vhost.h"
#include "hw/virtio/virtio-int.h"
#include "hw/virtio/virtio-state.h"
#include "qapi/commands-virtio.h"

#define CHAIN_MAX   VIRTQ_MAX_SIZE

typedef struct BitName {
    unsigned bit;
    const char *name;
} BitName;

/* V 2.1. */
static const BitName status_bits[] = {
    { 0, "VIRTIO_CONFIG_S_ACKNOWLEDGE: the guest has seen the device" },
    { 1, "VIRTIO_CONFIG_S_DRIVER: the guest has a driver for it" },
    { 2, "VIRTIO_CONFIG_S_DRIVER_OK: the driver is ready" },
    { 3, "VIRTIO_CONFIG_S_FEATURES_OK: the features are agreed upon" },
    { 6, "VIRTIO_CONFIG_S_NEEDS_RESET: the device can't go on without a reset" },
    { 7, "VIRTIO_CONFIG_S_FAILED: the guest has given it up" },
};

/* V 6. */
static const BitName ring_bits[] = {
    { VIRTIO_F_NOTIFY_ON_EMPTY, "VIRTIO_F_NOTIFY_ON_EMPTY: an interrupt when a queue runs empty" },
    { VIRTIO_F_ANY_LAYOUT, "VIRTIO_F_ANY_LAYOUT: any framing of requests" },
    { VIRTIO_F_INDIRECT_DESC, "VIRTIO_RING_F_INDIRECT_DESC: tables of descriptors" },
    { VIRTIO_F_EVENT_IDX, "VIRTIO_RING_F_EVENT_IDX: notification by index" },
    { VIRTIO_F_VERSION_1, "VIRTIO_F_VERSION_1: not the legacy interface" },
    { VIRTIO_F_ACCESS_PLATFORM, "VIRTIO_F_ACCESS_PLATFORM: the platform's DMA addresses" },
    { VIRTIO_F_RING_PACKED, "VIRTIO_F_RING_PACKED: packed rings" },
    { VIRTIO_F_RING_RESET, "VIRTIO_F_RING_RESET: single queues can be reset" },
};

/* V 5.1.3, 5.2.3, 5.3.3, 5.5.3, 5.6.3. */
static const BitName net_bits[] = {
    { 0, "VIRTIO_NET_F_CSUM" }, { 1, "VIRTIO_NET_F_GUEST_CSUM" },
    { 2, "VIRTIO_NET_F_CTRL_GUEST_OFFLOADS" }, { 3, "VIRTIO_NET_F_MTU" },
    { 5, "VIRTIO_NET_F_MAC" }, { 7, "VIRTIO_NET_F_GUEST_TSO4" },
    { 8, "VIRTIO_NET_F_GUEST_TSO6" }, { 9, "VIRTIO_NET_F_GUEST_ECN" },
    { 10, "VIRTIO_NET_F_GUEST_UFO" }, { 11, "VIRTIO_NET_F_HOST_TSO4" },
    { 12, "VIRTIO_NET_F_HOST_TSO6" }, { 13, "VIRTIO_NET_F_HOST_ECN" },
    { 14, "VIRTIO_NET_F_HOST_UFO" }, { 15, "VIRTIO_NET_F_MRG_RXBUF" },
    { 16, "VIRTIO_NET_F_STATUS" }, { 17, "VIRTIO_NET_F_CTRL_VQ" },
    { 18, "VIRTIO_NET_F_CTRL_RX" }, { 19, "VIRTIO_NET_F_CTRL_VLAN" },
    { 20, "VIRTIO_NET_F_CTRL_RX_EXTRA" }, { 21, "VIRTIO_NET_F_GUEST_ANNOUNCE" },
    { 22, "VIRTIO_NET_F_MQ" }, { 23, "VIRTIO_NET_F_CTRL_MAC_ADDR" },
};
static const BitName blk_bits[] = {
    { 1, "VIRTIO_BLK_F_SIZE_MAX" }, { 2, "VIRTIO_BLK_F_SEG_MAX" },
    { 4, "VIRTIO_BLK_F_GEOMETRY" }, { 5, "VIRTIO_BLK_F_RO" }, { 6, "VIRTIO_BLK_F_BLK_SIZE" },
    { 9, "VIRTIO_BLK_F_FLUSH" }, { 10, "VIRTIO_BLK_F_TOPOLOGY" },
    { 11, "VIRTIO_BLK_F_CONFIG_WCE" }, { 12, "VIRTIO_BLK_F_MQ" },
    { 13, "VIRTIO_BLK_F_DISCARD" }, { 14, "VIRTIO_BLK_F_WRITE_ZEROES" },
};
static const BitName console_bits[] = {
    { 0, "VIRTIO_CONSOLE_F_SIZE" }, { 1, "VIRTIO_CONSOLE_F_MULTIPORT" },
    { 2, "VIRTIO_CONSOLE_F_EMERG_WRITE" },
};
static const BitName balloon_bits[] = {
    { 0, "VIRTIO_BALLOON_F_MUST_TELL_HOST" }, { 1, "VIRTIO_BALLOON_F_STATS_VQ" },
    { 2, "VIRTIO_BALLOON_F_DEFLATE_ON_OOM" }, { 3, "VIRTIO_BALLOON_F_FREE_PAGE_HINT" },
    { 4, "VIRTIO_BALLOON_F_PAGE_POISON" }, { 5, "VIRTIO_BALLOON_F_REPORTING" },
};
static const BitName scsi_bits[] = {
    { 0, "VIRTIO_SCSI_F_INOUT" }, { 1, "VIRTIO_SCSI_F_HOTPLUG" },
    { 2, "VIRTIO_SCSI_F_CHANGE" }, { 3, "VIRTIO_SCSI_F_T10_PI" },
};

static const struct { uint16_t id; const BitName *bits; size_t n; } kinds[] = {
    { VIRTIO_ID_NET, net_bits, ARRAY_SIZE(net_bits) },
    { VIRTIO_ID_BLOCK, blk_bits, ARRAY_SIZE(blk_bits) },
    { VIRTIO_ID_CONSOLE, console_bits, ARRAY_SIZE(console_bits) },
    { VIRTIO_ID_BALLOON, balloon_bits, ARRAY_SIZE(balloon_bits) },
    { VIRTIO_ID_SCSI, scsi_bits, ARRAY_SIZE(scsi_bits) },
};

const char *virtio_feature_name(uint16_t id, unsigned bit)
{
    for (size_t i = 0; i < ARRAY_SIZE(ring_bits); i++) {
        if (ring_bits[i].bit == bit) {
            return ring_bits[i].name;
        }
    }
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t i = 0; kinds[k].id == id && i < kinds[k].n; i++) {
            if (kinds[k].bits[i].bit == bit) {
                return kinds[k].bits[i].name;
            }
        }
    }
    return NULL;
}

/* Names of the bits that are set in @bits, which they are taken from. */
static strList *take_names(uint64_t *bits, const BitName *names, size_t n)
{
    strList *list = qapi_new(strList);

    for (size_t i = 0; i < n; i++) {
        if (*bits >> names[i].bit & 1) {
            qapi_list_append(list, strdup(names[i].name));
            *bits &= ~(UINT64_C(1) << names[i].bit);
        }
    }
    return list;
}

static VirtioDeviceFeatures *features_of(const VirtIODevice *v, uint64_t bits)
{
    VirtioDeviceFeatures *f = qapi_new(VirtioDeviceFeatures);

    f->transports = take_names(&bits, ring_bits, ARRAY_SIZE(ring_bits));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].id == v->ops->id) {
            f->dev_features = take_names(&bits, kinds[i].bits, kinds[i].n);
        }
    }
    if (bits) {
        QAPI_SET(f, unknown_dev_features, bits);
    }
    return f;
}

static int add_device(Device *dev, void *opaque)
{
    VirtioInfoList *list = opaque;

    if (object_is_a(dev, TYPE_VIRTIO_DEVICE) && dev->realized) {
        VirtioInfo *info = qapi_new(VirtioInfo);
        g_autofree char *path = object_canonical_path(dev);

        info->path = strdup(path ? path : "");
        info->name = strdup(object_type_name(dev));
        qapi_list_append(list, info);
    }
    return 0;
}

VirtioInfoList *qmp_x_query_virtio(UNUSED Error **errp)
{
    VirtioInfoList *list = qapi_new(VirtioInfoList);

    device_foreach(add_device, list);
    return list;
}

static VirtIODevice *find_device(const char *path, Error **errp)
{
    Object *obj = object_resolve_path(path, NULL);

    if (!obj || !object_is_a(obj, TYPE_VIRTIO_DEVICE) || !((Device *)obj)->realized) {
        error_setf(errp, ERR_NO_SUCH_DEVICE, "Path %s is not a VirtIODevice", path);
        error_argument(errp, "path", path, "a path that x-query-virtio shows");
        return NULL;
    }
    return VIRTIO_DEVICE(obj);
}

/* Vhost-user protocol, "Protocol features": those that the emulator uses. */
static const BitName protocol_bits[] = {
    { 0, "VHOST_USER_PROTOCOL_F_MQ: it has several pairs of queues" },
    { 3, "VHOST_USER_PROTOCOL_F_REPLY_ACK: it acknowledges requests" },
};

static VhostStatus *vhost_status(const VirtIODevice *v)
{
    VhostStatus *st = qapi_new(VhostStatus);
    unsigned regions;
    const VhostUser *u = vhost_dev_peer(v->vhost, &st->nvqs, &regions);
    uint64_t protocol = vhost_user_protocol(u);

    st->n_mem_sections = regions;
    st->features = features_of(v, vhost_user_features(u));
    st->acked_features = features_of(v, vhost_user_features(u) & v->guest_features);
    st->backend_features = features_of(v, vhost_user_backend_features(u));
    st->protocol_features = qapi_new(VhostDeviceProtocols);
    st->protocol_features->protocols = take_names(&protocol, protocol_bits, ARRAY_SIZE(protocol_bits));
    if (protocol) {
        QAPI_SET(st->protocol_features, unknown_protocols, protocol);
    }
    st->max_queues = vhost_user_pairs(u);
    return st;
}

VirtioStatus *qmp_x_query_virtio_status(const char *path, Error **errp)
{
    VirtIODevice *v = find_device(path, errp);
    VirtioStatus *st;
    uint64_t bits;

    if (!v) {
        return NULL;
    }
    st = qapi_new(VirtioStatus);
    st->name = strdup(object_type_name(v));
    st->device_id = v->ops->id;
    st->device_endian = strdup(virtio_order(v) == MEM_LE ? "little" : "big");
    st->guest_features = features_of(v, v->guest_features);
    st->host_features = features_of(v, v->host_features);
    st->backend_features = features_of(v, v->vhost ? vhost_user_features(vhost_dev_peer(v->vhost, NULL, NULL)) : 0);
    for (unsigned i = 0; i < v->num_vqs; i++) {
        st->num_vqs += v->vq[i].num != 0;
    }
    bits = v->status;
    st->status = qapi_new(VirtioDeviceStatus);
    st->status->statuses = take_names(&bits, status_bits, ARRAY_SIZE(status_bits));
    if (bits) {
        QAPI_SET(st->status, unknown_statuses, (uint8_t)bits);
    }
    st->vm_running = runstate_is_running();
    st->vhost_started = v->vhost && vhost_dev_is_started(v->vhost);
    if (st->vhost_started) {
        st->vhost_dev = vhost_status(v);
    }
    st->broken = v->broken;
    st->use_started = true;
    st->started = v->status & VIRTIO_S_DRIVER_OK;
    st->bus_name = strdup(v->dev.bus ? v->dev.bus->obj.name : "");
    return st;
}

static VirtQueue *find_queue(VirtIODevice *v, uint16_t index, Error **errp)
{
    VirtQueue *vq = v ? virtio_queue(v, index) : NULL;

    if (v && (!vq || !vq->num)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "Invalid virtqueue number %u", index);
        error_argument(errp, "queue", NULL, "the number of a queue of the device");
        return NULL;
    }
    return vq;
}

VirtQueueStatus *qmp_x_query_virtio_queue_status(const char *path, uint16_t queue, Error **errp)
{
    VirtIODevice *v = find_device(path, errp);
    VirtQueue *vq = find_queue(v, queue, errp);
    VirtQueueStatus *st;

    if (!vq) {
        return NULL;
    }
    st = qapi_new(VirtQueueStatus);
    st->name = strdup(object_type_name(v));
    st->queue_index = queue;
    st->inuse = vq->in_use;
    st->vring_num = vq->num;
    st->vring_num_default = vq->num_default;
    st->vring_align = 4096;                     /* V 2.7.2 */
    st->vring_desc = vq->desc;
    st->vring_avail = vq->avail;
    st->vring_used = vq->used;
    QAPI_SET(st, last_avail_idx, vq->last_avail);
    QAPI_SET(st, shadow_avail_idx, vq->shadow_avail);
    st->used_idx = vq->used_idx;
    st->signalled_used = vq->signalled;
    st->signalled_used_valid = vq->signalled_valid;
    return st;
}

/* Sizes of a split ring's parts (V 2.7). */
enum { AVAIL_HEAD = 4, AVAIL_ENTRY = 2, USED_HEAD = 4, USED_ENTRY = 8 };

VirtVhostQueueStatus *qmp_x_query_virtio_vhost_queue_status(const char *path, uint16_t queue, Error **errp)
{
    VirtIODevice *v = find_device(path, errp);
    VirtQueue *vq = find_queue(v, queue, errp);
    VirtVhostQueueStatus *st;
    VhostRingInfo ring;

    if (!vq) {
        return NULL;
    }
    if (!v->vhost || !vhost_dev_ring(v->vhost, queue, &ring)) {
        error_setf(errp, ERR_STATE_INVALID, "'%s': no other process serves queue %u now", path, queue);
        error_hint(errp, "x-query-virtio-status tells whether vhost-started");
        return NULL;
    }
    st = qapi_new(VirtVhostQueueStatus);
    st->name = strdup(object_type_name(v));
    st->kick = ring.kick_fd;
    st->call = ring.call_fd;
    st->desc = (uintptr_t)ring.part[0];
    st->avail = (uintptr_t)ring.part[1];
    st->used = (uintptr_t)ring.part[2];
    st->num = (int64_t)vq->num;
    st->desc_phys = vq->desc;
    st->desc_size = vq->num * DESC_SIZE;
    st->avail_phys = vq->avail;
    st->avail_size = AVAIL_HEAD + vq->num * AVAIL_ENTRY;
    st->used_phys = vq->used;
    st->used_size = USED_HEAD + vq->num * USED_ENTRY;
    return st;
}

/* ------------------------------------------------------------- elements */

static uint64_t load(const VirtIODevice *v, hwaddr addr, unsigned size)
{
    return address_space_load(v->as, addr, size, virtio_order(v), MEM_ATTRS_DEBUG, NULL);
}

static VirtioRingDesc *load_desc(const VirtIODevice *v, hwaddr table, unsigned i, uint16_t *next)
{
    VirtioRingDesc *d = qapi_new(VirtioRingDesc);
    hwaddr at = table + (hwaddr)i * DESC_SIZE;
    uint16_t flags = load(v, at + 12, 2);

    d->addr = load(v, at, 8);
    d->len = load(v, at + 8, 4);
    d->flags = qapi_new(strList);
    if (flags & DESC_F_NEXT) {
        qapi_list_append(d->flags, strdup("next"));
    }
    if (flags & DESC_F_WRITE) {
        qapi_list_append(d->flags, strdup("write"));
    }
    if (flags & DESC_F_INDIRECT) {
        qapi_list_append(d->flags, strdup("indirect"));
    }
    *next = flags & DESC_F_NEXT ? load(v, at + 14, 2) : UINT16_MAX;
    return d;
}

/* V 2.7.5: a chain from @head, in the table or in the one that its first descriptor names. */
static VirtioRingDescList *load_chain(const VirtQueue *vq, unsigned head)
{
    VirtioRingDescList *list = qapi_new(VirtioRingDescList);
    const VirtIODevice *v = vq->v;
    hwaddr table = vq->desc;
    unsigned num = vq->num, i = head;
    uint16_t flags = load(v, table + (hwaddr)i * DESC_SIZE + 12, 2), next;

    if (flags & DESC_F_INDIRECT) {
        num = MIN((uint64_t)CHAIN_MAX, load(v, table + (hwaddr)i * DESC_SIZE + 8, 4) / DESC_SIZE);
        table = load(v, table + (hwaddr)i * DESC_SIZE, 8);
        i = 0;
    }
    while (i < num && list->n < num) {
        qapi_list_append(list, load_desc(v, table, i, &next));
        i = next;
    }
    return list;
}

VirtioQueueElement *qmp_x_query_virtio_queue_element(const char *path, uint16_t queue,
                                                     bool has_index, uint16_t index, Error **errp)
{
    VirtIODevice *v = find_device(path, errp);
    VirtQueue *vq = find_queue(v, queue, errp);
    VirtioQueueElement *e;
    unsigned at;

    if (!vq) {
        return NULL;
    }
    if (virtio_has(v, VIRTIO_F_RING_PACKED)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Packed ring not supported");
        return NULL;
    }
    if (!vq->desc) {
        error_setf(errp, ERR_WRONG_STATE, "virtqueue %u is not ready", queue);
        return NULL;
    }
    at = (has_index ? index : vq->last_avail) % vq->num;
    e = qapi_new(VirtioQueueElement);
    e->name = strdup(object_type_name(v));
    e->index = at;
    e->avail = qapi_new(VirtioRingAvail);
    e->avail->flags = load(v, vq->avail, 2);
    e->avail->idx = load(v, vq->avail + 2, 2);
    e->avail->ring = load(v, vq->avail + 4 + 2 * at, 2);
    e->used = qapi_new(VirtioRingUsed);
    e->used->flags = load(v, vq->used, 2);
    e->used->idx = load(v, vq->used + 2, 2);
    e->descs = load_chain(vq, e->avail->ring % vq->num);
    return e;
}
