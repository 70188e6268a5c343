/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio 9P transport: a request and room for its answer in each element of the one queue. Linux's
 * virtio_9p.h: the configuration is the mount tag. */
#include "util/osdep.h"
#include "hw/9p/p9.h"
#include "hw/virtio/virtio-pci.h"

#include <glib.h>

#define QUEUE_SIZE  128
#define TAG_MAX     32
enum { F_MOUNT_TAG = 0 };

typedef struct Virtio9p {
    VirtIODevice v;
    char *tag, *fsdev_id;
    FsDev *fs;
    P9 *p9;
    uint64_t generation;        /* another after each reset */
} Virtio9p;
DEFINE_CAST(VIRTIO_9P, Virtio9p, "virtio-9p-device")

typedef struct Request {
    VirtqElem elem;             /* first */
    P9Io io;
    Virtio9p *s;
} Request;

static void request_done(P9Io *io, size_t len)
{
    Request *q = container_of(io, Request, io);
    Virtio9p *s = q->s;
    VirtQueue *vq = virtio_queue(&s->v, 0);

    if (io->generation != s->generation || s->v.broken) {
        virtq_detach(vq, &q->elem);
    } else if (!len) {
        virtio_broken(&s->v, "a 9P message of %zu bytes, with room for an answer of %zu, is none", io->out_bytes,
                      io->in_bytes);
        virtq_detach(vq, &q->elem);
    } else {
        virtq_push(vq, &q->elem, (uint32_t)len);
        virtq_notify(vq);
    }
    g_free(q);
}

static void serve(VirtIODevice *v, VirtQueue *vq)
{
    Virtio9p *s = VIRTIO_9P(v);
    Request *q;

    while ((q = virtq_pop(vq, sizeof(*q)))) {
        q->s = s;
        q->io = (P9Io){ .out = q->elem.out, .n_out = q->elem.out_num, .out_bytes = q->elem.out_bytes,
                        .in = q->elem.in, .n_in = q->elem.in_num, .in_bytes = q->elem.in_bytes,
                        .done = request_done, .generation = s->generation };
        p9_request(s->p9, &q->io);
    }
}

static void p9_config(VirtIODevice *v, uint8_t *config)
{
    Virtio9p *s = VIRTIO_9P(v);
    size_t len = strlen(s->tag);

    virtio_st16(v, config, (uint16_t)len);
    memcpy(config + 2, s->tag, len);
}

static uint64_t p9_features(UNUSED VirtIODevice *v)
{
    return BIT64(F_MOUNT_TAG);
}

/* Requests under way end by themselves, and what they say is dropped. */
static void p9_device_reset(VirtIODevice *v)
{
    Virtio9p *s = VIRTIO_9P(v);

    s->generation++;
    p9_reset(s->p9);
}

static bool p9_realize(Device *dev, Error **errp)
{
    Virtio9p *s = VIRTIO_9P(dev);
    /* As the user has called it: the transport's name. */
    g_autofree char *label = device_label(dev->bus && dev->bus->parent ? dev->bus->parent : dev);

    if (!s->tag || !*s->tag || strlen(s->tag) > TAG_MAX - 1) {
        error_setf(errp, ERR_PROPERTY_RANGE, "mount tag '%s' %s; accepted: 1 to %d characters", s->tag ? s->tag : "",
                   s->tag && *s->tag ? "is too long" : "is missing", TAG_MAX - 1);
        return false;
    }
    if (!s->fsdev_id) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'fsdev' not set");
        error_argument(errp, "fsdev", NULL, "the id of an -fsdev");
        return false;
    }
    s->fs = fsdev_use(s->fsdev_id, errp);
    if (!s->fs) {
        return false;
    }
    s->p9 = p9_new(s->fs, label);
    virtio_add_queue(&s->v, QUEUE_SIZE, serve);
    return true;
}

static void p9_unrealize(Device *dev)
{
    Virtio9p *s = VIRTIO_9P(dev);

    s->generation++;
    while (p9_under_way(s->p9)) {
        if (in_main_thread()) {
            main_loop_iterate(true);
        } else {
            /* The main loop, or the workers, finish them. */
            big_lock_rest();
        }
    }
    p9_free(s->p9);
    s->p9 = NULL;
    fsdev_release(s->fs);
    s->fs = NULL;
}

static const VmField p9_fields[] = { VM_VIRTIO(Virtio9p, v), VM_END };

static const Property p9_props[] = {
    PROP_STR("mount_tag", Virtio9p, tag, NULL, "the name that the guest mounts"),
    PROP_STR("fsdev", Virtio9p, fsdev_id, NULL, "the id of an -fsdev"),
    VIRTIO_COMMON_PROPS(Virtio9p, v),
    PROP_END
};

static const VirtioOps p9_ops = {
    .id = VIRTIO_ID_9P, .config_len = 2 + TAG_MAX, .features = p9_features, .get_config = p9_config,
    .reset = p9_device_reset,
};

static const DeviceType p9_type = {
    .name = "virtio-9p-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio file system (9P)",
    .size = sizeof(Virtio9p), .category = DEVICE_STORAGE, .hotpluggable = true, .props = p9_props,
    .realize = p9_realize, .unrealize = p9_unrealize, .vm = { 1, p9_fields }, .data = &p9_ops,
};
DEVICE_TYPE(p9_type)

static const Property *const p9_tables[] = { p9_props, NULL };
static const VirtioPciInfo p9_pci = {
    .name = "virtio-9p-pci", .device = "virtio-9p-device", .desc = "virtio file system (9P)", .id = VIRTIO_ID_9P,
    .class_code = 0x000200, .vectors = 2, .category = DEVICE_STORAGE, .props = p9_tables,
};
VIRTIO_PCI(p9_pci)
