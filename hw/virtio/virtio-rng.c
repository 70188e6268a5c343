/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio entropy device: V 5.4. */
#include "util/osdep.h"
#include "hw/virtio/rng-backend.h"
#include "hw/virtio/virtio-pci.h"

#include <glib.h>
#include "util/iov.h"
#include "util/timer.h"

#define STEP    4096            /* bytes of one answer */

typedef struct VirtioRng {
    VirtIODevice v;
    RngBackend *rng;
    uint64_t max_bytes;         /* in a period */
    uint32_t period_ms;
    uint64_t quota;             /* bytes left of it */
    Timer timer;                /* the period's end */
    FdWatch *watch;             /* while the source is empty */
} VirtioRng;
DEFINE_CAST(VIRTIO_RNG, VirtioRng, "virtio-rng-device")

static void serve(VirtIODevice *v, VirtQueue *vq);

static void source_ready(UNUSED int fd, UNUSED unsigned events, void *opaque)
{
    VirtioRng *s = opaque;

    fd_watch_remove(s->watch);
    s->watch = NULL;
    serve(&s->v, virtio_queue(&s->v, 0));
}

/* As much as the quota allows, into buffers of any size. */
static void serve(VirtIODevice *v, VirtQueue *vq)
{
    VirtioRng *s = VIRTIO_RNG(v);
    VirtqElem *e;

    while (s->quota && !s->watch && runstate_is_running() && (e = virtq_pop(vq, sizeof(*e)))) {
        uint8_t buf[STEP];
        size_t want = MIN(MIN(e->in_bytes, sizeof(buf)), s->quota), n = rng_read(s->rng, buf, want);

        if (!n && want) {
            virtq_unpop(vq, e);
            g_free(e);
            s->watch = rng_wait(s->rng, source_ready, s);
            return;
        }
        if (s->quota == s->max_bytes && s->max_bytes < INT64_MAX) {
            timer_mod_ns(&s->timer, clock_get_ns(CLOCK_VIRTUAL) + s->period_ms * INT64_C(1000000));
        }
        s->quota -= n;
        iov_from_buf(e->in, e->in_num, 0, buf, n);
        virtq_push(vq, e, n);
        virtq_notify(vq);
        g_free(e);
    }
}

static void period_over(void *opaque)
{
    VirtioRng *s = opaque;

    s->quota = s->max_bytes;
    serve(&s->v, virtio_queue(&s->v, 0));
}

static void rng_running_changed(VirtIODevice *v, bool running)
{
    if (running) {
        serve(v, virtio_queue(v, 0));
    }
}

static void rng_reset(VirtIODevice *v)
{
    VirtioRng *s = VIRTIO_RNG(v);

    s->quota = s->max_bytes;
    timer_del(&s->timer);
    fd_watch_remove(s->watch);
    s->watch = NULL;
}

static bool rng_realize(Device *dev, Error **errp)
{
    VirtioRng *s = VIRTIO_RNG(dev);

    if (!s->period_ms || s->max_bytes > INT64_MAX) {
        error_setf(errp, ERR_PROPERTY_RANGE, "properties 'period' and 'max-bytes' accept 1 and up, and "
                   "up to %" PRId64, INT64_MAX);
        return false;
    }
    if (!s->rng) {
        s->rng = RNG_BACKEND(object_new("rng-builtin"));
    }
    timer_init_ns(&s->timer, CLOCK_VIRTUAL, period_over, s);
    s->quota = s->max_bytes;
    virtio_add_queue(&s->v, 8, serve);
    return true;
}

static void rng_unrealize(Device *dev)
{
    rng_reset(&VIRTIO_RNG(dev)->v);
}

static const VmField rng_fields[] = {
    VM_VIRTIO(VirtioRng, v), VM_U64(VirtioRng, quota), VM_TIMER(VirtioRng, timer), VM_END
};
static const VmMeaning rng_meanings[] = {
    { "quota", "bytes left of this period's" },
    { .name = NULL }
};

static const Property rng_dev_props[] = {
    PROP_LINK("rng", VirtioRng, rng, TYPE_RNG_BACKEND, "the source; default: rng-builtin"),
    PROP_U64("max-bytes", VirtioRng, max_bytes, INT64_MAX, "most bytes in a period"),
    PROP_U32("period", VirtioRng, period_ms, 65536, "length of a period in milliseconds"),
    VIRTIO_COMMON_PROPS(VirtioRng, v),
    PROP_END
};

static const VirtioOps rng_ops = {
    .id = VIRTIO_ID_RNG, .reset = rng_reset, .running_changed = rng_running_changed,
};

static const DeviceType rng_type = {
    .name = "virtio-rng-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio entropy source",
    .size = sizeof(VirtioRng), .category = DEVICE_MISC, .hotpluggable = true,
    .props = rng_dev_props, .realize = rng_realize, .unrealize = rng_unrealize,
    .vm = { 1, rng_fields, .meanings = rng_meanings }, .data = &rng_ops,
};
DEVICE_TYPE(rng_type)

static const Property *const rng_tables[] = { rng_dev_props, NULL };
static const VirtioPciInfo rng_pci = {
    .name = "virtio-rng-pci", .device = "virtio-rng-device", .desc = "virtio entropy source",
    .id = VIRTIO_ID_RNG, .class_code = 0x00ff00, .category = DEVICE_MISC, .props = rng_tables,
};
VIRTIO_PCI(rng_pci)
