/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio memory balloon: V 5.5. Pages that the guest gives are given to the host; those that it reports as
 * free too, without counting.
 *
 * Not modelled: free page hinting, page poison.
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/virtio/virtio-pci.h"

#include <glib.h>
#include "qapi/commands-balloon.h"
#include "qapi/events-balloon.h"
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/iov.h"
#include "util/rcu.h"
#include "util/timer.h"

enum { F_STATS_VQ = 1, F_DEFLATE_ON_OOM = 2, F_REPORTING = 5 };
enum { CFG_NUM_PAGES = 0, CFG_ACTUAL = 4, CFG_LEN = 8 };
enum { VQ_INFLATE, VQ_DEFLATE, VQ_STATS };
#define PAGE        4096
#define STAT_BYTES  10          /* tag, value; V 5.5.6.3 */

static const char *const stat_names[] = {
    "stat-swap-in", "stat-swap-out", "stat-major-faults", "stat-minor-faults", "stat-free-memory",
    "stat-total-memory", "stat-available-memory", "stat-disk-caches", "stat-htlb-pgalloc",
    "stat-htlb-pgfail",
};
#define NUM_STATS   ARRAY_SIZE(stat_names)

typedef struct VirtioBalloon {
    VirtIODevice v;
    uint32_t num_pages, actual; /* that the guest shall give, has given; of 4 KiB */
    uint64_t stats[NUM_STATS];  /* UINT64_MAX: not told */
    uint64_t stats_time;        /* seconds since 1970; 0: none yet */
    uint32_t interval;          /* seconds between questions; 0: none are asked */
    Timer timer;
    VirtqElem *stats_elem;      /* the guest's buffer, while it waits for a question */
} VirtioBalloon;
DEFINE_CAST(VIRTIO_BALLOON, VirtioBalloon, "virtio-balloon-device")

static VirtioBalloon *balloon;  /* the machine has one at most: query-balloon means it */

/* --- pages --- */

/* Guest-physical pages back to the host; what isn't RAM is left alone. */
static void give_back(VirtioBalloon *s, hwaddr addr, hwaddr len)
{
    while (len) {
        hwaddr n = len;
        uint8_t *host = address_space_map(s->v.as, addr, &n, true, s->v.attrs);
        uint64_t offset;
        RamBlock *block;

        if (!host) {
            return;
        }
        rcu_read_lock();
        block = ram_block_of_host(host, &offset);
        if (block) {
            ram_block_discard(block, offset, n);
        }
        rcu_read_unlock();
        address_space_unmap(s->v.as, host, n, true, block ? n : 0);
        addr += n;
        len -= n;
    }
}

static void serve_pages(VirtIODevice *v, VirtQueue *vq)
{
    VirtioBalloon *s = VIRTIO_BALLOON(v);
    VirtqElem *e;

    while ((e = virtq_pop(vq, sizeof(*e)))) {
        uint8_t pfn[4];

        for (size_t at = 0; vq->index == VQ_INFLATE &&
                            iov_to_buf(e->out, e->out_num, at, pfn, 4) == 4; at += 4) {
            give_back(s, (hwaddr)virtio_ld32(v, pfn) * PAGE, PAGE);
        }
        virtq_push(vq, e, 0);
        virtq_notify(vq);
        g_free(e);
    }
}

/* V 5.5.6.7: the buffers themselves are the free pages. */
static void serve_reports(VirtIODevice *v, VirtQueue *vq)
{
    VirtqElem *e;

    while ((e = virtq_pop(vq, sizeof(*e)))) {
        for (uint32_t i = 0; i < e->in_num; i++) {
            uint64_t offset;
            RamBlock *block;

            rcu_read_lock();
            block = ram_block_of_host(e->in[i].iov_base, &offset);
            if (block && !(offset % PAGE)) {
                ram_block_discard(block, offset, e->in[i].iov_len);
            }
            rcu_read_unlock();
        }
        virtq_push(vq, e, 0);
        virtq_notify(vq);
        g_free(e);
    }
    (void)v;
}

/* --- statistics --- */

static void arm(VirtioBalloon *s)
{
    if (s->interval) {
        timer_mod_ns(&s->timer, clock_get_ns(CLOCK_VIRTUAL) + s->interval * NS_PER_SECOND);
    } else {
        timer_del(&s->timer);
    }
}

static void forget_stats(VirtioBalloon *s)
{
    memset(s->stats, 0xff, sizeof(s->stats));
}

static void serve_stats(VirtIODevice *v, VirtQueue *vq)
{
    VirtioBalloon *s = VIRTIO_BALLOON(v);
    uint8_t stat[STAT_BYTES];
    VirtqElem *e = virtq_pop(vq, sizeof(*e));

    if (!e) {
        return;
    }
    if (s->stats_elem) {                        /* V 5.5.6.3: there is one */
        virtio_broken(v, "two buffers for statistics");
        virtq_detach(vq, e);
        g_free(e);
        return;
    }
    s->stats_elem = e;
    forget_stats(s);
    for (size_t at = 0; iov_to_buf(e->out, e->out_num, at, stat, STAT_BYTES) == STAT_BYTES;
         at += STAT_BYTES) {
        uint16_t tag = virtio_ld16(v, stat);

        if (tag < NUM_STATS) {
            s->stats[tag] = virtio_ld64(v, stat + 2);
        }
    }
    s->stats_time = g_get_real_time() / G_USEC_PER_SEC;
    arm(s);
}

/* To ask is to give the buffer back. */
static void ask(void *opaque)
{
    VirtioBalloon *s = opaque;
    VirtQueue *vq = virtio_queue(&s->v, VQ_STATS);

    VirtqElem *e = s->stats_elem;

    if (e && virtio_is_live(&s->v)) {
        s->stats_elem = NULL;
        virtq_push(vq, e, 0);
        virtq_notify(vq);
        g_free(e);
    } else {
        arm(s);
    }
}

static QObject *get_stats(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    VirtioBalloon *s = VIRTIO_BALLOON(obj);
    QDict *stats = qdict_new(), *d = qdict_new();

    for (size_t i = 0; i < NUM_STATS; i++) {
        qdict_put(stats, stat_names[i], qnum_from_uint(s->stats[i]));
    }
    qdict_put(d, "stats", stats);
    qdict_put(d, "last-update", qnum_from_uint(s->stats_time));
    return QOBJECT(d);
}

static QObject *get_interval(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qnum_from_uint(VIRTIO_BALLOON(obj)->interval);
}

static bool set_interval(Object *obj, const Property *p, const QObject *v, Error **errp)
{
    VirtioBalloon *s = VIRTIO_BALLOON(obj);
    int64_t i = -1;

    if (qobject_to_num(v)) {
        qnum_to_int(qobject_to_num(v), &i);
    } else if (qobject_type(v) == QTYPE_STRING) {
        i = g_ascii_strtoll(qstring_value(v), NULL, 0);
    }
    if (i < 0 || i > INT32_MAX) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s' accepts 0 to %d seconds", p->name,
                   INT32_MAX);
        return false;
    }
    s->interval = i;
    if (s->v.dev.realized) {
        if (i && s->stats_elem) {
            ask(s);
        } else {
            arm(s);
        }
    }
    return true;
}

/* --- configuration (little-endian also for legacy drivers, V 5.5.4) --- */

static void balloon_get_config(VirtIODevice *v, uint8_t *c)
{
    store_le32(c + CFG_NUM_PAGES, VIRTIO_BALLOON(v)->num_pages);
    store_le32(c + CFG_ACTUAL, VIRTIO_BALLOON(v)->actual);
}

static uint64_t actual_bytes(const VirtioBalloon *s)
{
    uint64_t ram = current_machine() ? current_machine()->ram_size : 0;

    return ram - MIN((uint64_t)s->actual * PAGE, ram);
}

static void balloon_set_config(VirtIODevice *v, const uint8_t *c, UNUSED unsigned offset,
                               UNUSED unsigned len)
{
    VirtioBalloon *s = VIRTIO_BALLOON(v);
    uint32_t actual = load_le32(c + CFG_ACTUAL);

    if (actual != s->actual) {
        s->actual = actual;
        qapi_event_send_balloon_change(actual_bytes(s));
    }
}

/* --- monitor --- */

static bool no_balloon(Error **errp)
{
    error_set_class(errp, ERROR_CLASS_DEVICE_NOT_ACTIVE, ERR_NO_SUCH_DEVICE,
                    "No balloon device has been activated");
    return false;
}

BalloonInfo *qmp_query_balloon(Error **errp)
{
    BalloonInfo *info;

    if (!balloon) {
        no_balloon(errp);
        return NULL;
    }
    info = qapi_new(BalloonInfo);
    info->actual = actual_bytes(balloon);
    return info;
}

bool qmp_balloon(int64_t value, Error **errp)
{
    uint64_t ram = current_machine() ? current_machine()->ram_size : 0;

    if (!balloon) {
        return no_balloon(errp);
    }
    if (value <= 0) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Parameter 'target' expects a size");
        error_argument(errp, "value", NULL, "bytes of memory that the guest keeps");
        return false;
    }
    balloon->num_pages = (ram - MIN((uint64_t)value, ram)) / PAGE;
    virtio_config_changed(&balloon->v);
    return true;
}

/* --- life --- */

static void rewind_stats(void *opaque)
{
    VirtioBalloon *s = opaque;

    if (s->stats_elem) {
        virtq_unpop(virtio_queue(&s->v, VQ_STATS), s->stats_elem);
        g_clear_pointer(&s->stats_elem, g_free);
    }
}

static void balloon_reset(VirtIODevice *v)
{
    VirtioBalloon *s = VIRTIO_BALLOON(v);

    if (s->stats_elem) {
        virtq_detach(virtio_queue(v, VQ_STATS), s->stats_elem);
        g_clear_pointer(&s->stats_elem, g_free);
    }
    s->actual = 0;
}

static void balloon_queue_reset(VirtIODevice *v, VirtQueue *vq)
{
    VirtioBalloon *s = VIRTIO_BALLOON(v);

    if (vq->index == VQ_STATS && s->stats_elem) {
        virtq_detach(vq, s->stats_elem);
        g_clear_pointer(&s->stats_elem, g_free);
    }
}

/* The buffer that saving has put back. */
static void balloon_running_changed(VirtIODevice *v, bool running)
{
    VirtioBalloon *s = VIRTIO_BALLOON(v);

    if (running && !s->stats_elem && virtio_has(v, F_STATS_VQ)) {
        serve_stats(v, virtio_queue(v, VQ_STATS));
    }
}

static bool balloon_realize(Device *dev, Error **errp)
{
    VirtioBalloon *s = VIRTIO_BALLOON(dev);

    if (balloon) {
        error_setf(errp, ERR_IN_USE, "Only one balloon device is supported");
        return false;
    }
    virtio_add_queue(&s->v, 128, serve_pages);
    virtio_add_queue(&s->v, 128, serve_pages);
    virtio_add_queue(&s->v, 128, serve_stats);
    if (s->v.feature_props & BIT64(F_REPORTING)) {
        virtio_add_queue(&s->v, 32, serve_reports);
    }
    timer_init_ns(&s->timer, CLOCK_VIRTUAL, ask, s);
    forget_stats(s);
    balloon = s;
    return true;
}

static void balloon_unrealize(Device *dev)
{
    VirtioBalloon *s = VIRTIO_BALLOON(dev);

    if (balloon == s) {
        balloon_reset(&s->v);
        timer_del(&s->timer);
        balloon = NULL;
    }
}

static uint64_t balloon_features(UNUSED VirtIODevice *v)
{
    return BIT64(F_STATS_VQ);
}

static const VmField balloon_fields[] = {
    VM_VIRTIO(VirtioBalloon, v), VM_U32(VirtioBalloon, num_pages), VM_U32(VirtioBalloon, actual),
    VM_TIMER(VirtioBalloon, timer), VM_END
};
static const VmMeaning balloon_meanings[] = {
    { "num_pages", "pages of 4 KiB that the guest shall give" }, { "actual", "that it has given" },
    { .name = NULL }
};

static const Property balloon_props[] = {
    PROP_BIT64("deflate-on-oom", VirtioBalloon, v.feature_props, F_DEFLATE_ON_OOM, false,
               "the guest may take pages back when it runs out of memory"),
    PROP_BIT64("free-page-reporting", VirtioBalloon, v.feature_props, F_REPORTING, false,
               "the guest reports free pages"),
    PROP_CUSTOM("guest-stats", "guest statistics", get_stats, NULL, "what the guest told last"),
    { .name = "guest-stats-polling-interval", .desc = "seconds between questions; 0: none",
      .kind = PROP_KIND_CUSTOM, .type = "int", .get = get_interval, .set = set_interval,
      .flags = PROP_F_RUNTIME },
    VIRTIO_COMMON_PROPS(VirtioBalloon, v),
    PROP_END
};

static const VirtioOps balloon_ops = {
    .id = VIRTIO_ID_BALLOON, .config_len = CFG_LEN, .features = balloon_features,
    .get_config = balloon_get_config, .set_config = balloon_set_config, .reset = balloon_reset,
    .queue_reset = balloon_queue_reset, .running_changed = balloon_running_changed,
};

static const DeviceType balloon_type = {
    .name = "virtio-balloon-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio memory balloon",
    .size = sizeof(VirtioBalloon), .category = DEVICE_MISC, .hotpluggable = true,
    .props = balloon_props, .realize = balloon_realize, .unrealize = balloon_unrealize,
    .vm = { 1, balloon_fields, .pre_save = rewind_stats, .meanings = balloon_meanings }, .data = &balloon_ops,
};
DEVICE_TYPE(balloon_type)

static const Property *const balloon_tables[] = { balloon_props, NULL };
static const VirtioPciInfo balloon_pci = {
    .name = "virtio-balloon-pci", .device = "virtio-balloon-device",
    .desc = "virtio memory balloon", .id = VIRTIO_ID_BALLOON, .class_code = 0x00ff00,
    .category = DEVICE_MISC, .props = balloon_tables,
};
VIRTIO_PCI(balloon_pci)
