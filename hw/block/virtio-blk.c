/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio block device: V 5.2, also with legacy drivers. With an I/O thread, its queues are served and
 * its requests end there.
 *
 * Not modelled: zoned devices, secure erase, lifetime, SCSI commands of legacy drivers.
 */
#include "util/osdep.h"
#include "hw/block/block-conf.h"
#include "hw/core/iothread.h"
#include "hw/core/machine.h"
#include "hw/virtio/virtio-pci.h"

#include <glib.h>
#include "memory/guest-ram.h"
#include "util/bswap.h"
#include "util/iov.h"

/* V 5.2.3. */
enum { F_SEG_MAX = 2, F_GEOMETRY = 4, F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9, F_TOPOLOGY = 10,
       F_CONFIG_WCE = 11, F_MQ = 12, F_DISCARD = 13, F_WRITE_ZEROES = 14 };

/* V 5.2.4: offsets in the configuration. */
enum { CFG_CAPACITY = 0, CFG_SEG_MAX = 12, CFG_CYLINDERS = 16, CFG_HEADS = 18, CFG_SECTORS = 19,
       CFG_BLK_SIZE = 20, CFG_PHYSICAL_EXP = 24, CFG_MIN_IO = 26, CFG_OPT_IO = 28,
       CFG_WRITEBACK = 32, CFG_NUM_QUEUES = 34, CFG_MAX_DISCARD = 36, CFG_MAX_DISCARD_SEG = 40,
       CFG_DISCARD_ALIGN = 44, CFG_MAX_ZEROES = 48, CFG_MAX_ZEROES_SEG = 52,
       CFG_ZEROES_UNMAP = 56, CFG_LEN = 60 };

/* V 5.2.6. */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
#define T_LEGACY_BARRIER    UINT32_C(0x80000000)
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

#define HEADER      16
#define SECTOR      512
#define ID_BYTES    20
#define SEGMENT     16                  /* of discard and write zeroes */
#define ZEROES_UNMAP    1               /* flag of a segment */
#define NUM_QUEUES_AUTO 65535
#define MAX_RANGE_SECTORS   (1u << 22)  /* of a discard or write zeroes: 2 GiB */

typedef struct VirtioBlk {
    VirtIODevice v;
    BlockConf conf;
    char *serial;
    bool config_wce, discard, write_zeroes, request_merging, seg_max_adjust;
    uint16_t num_queues, queue_size;
    uint32_t max_discard_sectors, max_write_zeroes_sectors;
    IOThread *iothread;
    bool writeback;                     /* the cache, as the driver has it */
} VirtioBlk;
DEFINE_CAST(VIRTIO_BLK, VirtioBlk, "virtio-blk-device")

typedef struct BlkRequest {
    VirtqElem elem;
    VirtioBlk *s;
    VirtQueue *vq;
    uint8_t *status;
    const struct iovec *iov;            /* data: the element's own or copy */
    size_t niov;
    struct iovec *copy;                 /* owned */
    uint32_t written;                   /* bytes of data for the driver, when it succeeds */
} BlkRequest;

/* --- requests --- */

static void finish(BlkRequest *r, uint8_t status)
{
    ram_store(r->status, status, 1);
    /* The status byte is the last one: all before it counts as written. */
    virtq_push(r->vq, &r->elem, status == S_OK ? r->written + 1 : r->elem.in_bytes);
    virtq_notify(r->vq);
    g_free(r->copy);
    g_free(r);
}

static void io_done(void *opaque, int result)
{
    finish(opaque, result < 0 ? S_IOERR : S_OK);
}

/* The part of @src from @offset on, @len bytes: without a copy if it consists of whole pieces. */
static void set_data(BlkRequest *r, const struct iovec *src, size_t n, size_t offset, size_t len)
{
    while (n && offset >= src->iov_len) {
        offset -= src->iov_len;
        src++;
        n--;
    }
    if (!offset && iov_size(src, n) == len) {
        r->iov = src;
        r->niov = n;
        return;
    }
    r->copy = g_new(struct iovec, n + 1);
    r->niov = iov_slice(r->copy, n, src, n, offset, len);
    r->iov = r->copy;
}

static bool in_range(VirtioBlk *s, uint64_t sector, uint64_t bytes)
{
    uint64_t total = blk_length(s->conf.blk) / SECTOR, n = bytes / SECTOR;

    return !(bytes % s->conf.logical_block_size) &&
           !(sector % (s->conf.logical_block_size / SECTOR)) && sector <= total &&
           n <= total - sector;
}

static void read_or_write(BlkRequest *r, bool write, uint64_t sector)
{
    VirtqElem *e = &r->elem;
    uint32_t bytes = write ? e->out_bytes - HEADER : e->in_bytes - 1;
    int result;

    if (!in_range(r->s, sector, bytes) || (write && blk_is_read_only(r->s->conf.blk))) {
        finish(r, S_IOERR);
        return;
    }
    if (!bytes) {
        finish(r, S_OK);
        return;
    }
    if (write) {
        set_data(r, e->out, e->out_num, HEADER, bytes);
    } else {
        /* The status byte is mostly a piece of its own. */
        bool own = e->in[e->in_num - 1].iov_len == 1;

        set_data(r, e->in, own ? e->in_num - 1 : e->in_num, 0, bytes);
        r->written = bytes;
    }
    if (blk_aio_rw_now(r->s->conf.blk, write, sector * SECTOR, r->iov, r->niov, io_done, r, &result)) {
        io_done(r, result);
    }
}

static void get_id(BlkRequest *r)
{
    VirtioBlk *s = r->s;
    char id[ID_BYTES] = { 0 };

    if (s->serial) {
        memcpy(id, s->serial, MIN(strlen(s->serial), ID_BYTES));
    }
    r->written = iov_from_buf(r->elem.in, r->elem.in_num, 0, id,
                              MIN(r->elem.in_bytes - 1, ID_BYTES));
    finish(r, S_OK);
}

/* V 5.2.6.2: one segment a request. */
static void zero_or_discard(BlkRequest *r, uint32_t type)
{
    VirtioBlk *s = r->s;
    BlockBackend *b = s->conf.blk;
    uint8_t seg[SEGMENT];
    uint64_t sector, bytes;
    uint32_t sectors, flags;

    if (type == T_DISCARD ? !s->discard : !s->write_zeroes) {
        finish(r, S_UNSUPP);
        return;
    }
    if (r->elem.out_bytes - HEADER != SEGMENT) {
        finish(r, S_UNSUPP);
        return;
    }
    iov_to_buf(r->elem.out, r->elem.out_num, HEADER, seg, SEGMENT);
    sector = virtio_ld64(&s->v, seg);
    sectors = virtio_ld32(&s->v, seg + 8);
    flags = virtio_ld32(&s->v, seg + 12);
    bytes = (uint64_t)sectors * SECTOR;
    if (flags & ~(uint32_t)ZEROES_UNMAP || (type == T_DISCARD && flags)) {
        finish(r, S_UNSUPP);
        return;
    }
    if (sectors > (type == T_DISCARD ? s->max_discard_sectors : s->max_write_zeroes_sectors) ||
        !in_range(s, sector, bytes) || blk_is_read_only(b)) {
        finish(r, S_IOERR);
        return;
    }
    if (type == T_DISCARD) {
        blk_aio_discard(b, sector * SECTOR, bytes, io_done, r);
    } else {
        blk_aio_zero(b, sector * SECTOR, bytes, flags & ZEROES_UNMAP, io_done, r);
    }
}

static void handle_request(VirtioBlk *s, VirtQueue *vq, BlkRequest *r)
{
    VirtqElem *e = &r->elem;
    uint8_t head[HEADER];
    struct iovec *last;
    uint32_t type;

    r->s = s;
    r->vq = vq;
    if (e->out_bytes < HEADER || !e->in_bytes) {
        virtio_broken(&s->v, "a request without header or status: %u and %u bytes", e->out_bytes,
                      e->in_bytes);
        virtq_detach(vq, e);
        g_free(r);
        return;
    }
    iov_to_buf(e->out, e->out_num, 0, head, HEADER);
    last = &e->in[e->in_num - 1];
    r->status = (uint8_t *)last->iov_base + last->iov_len - 1;
    type = virtio_ld32(&s->v, head) & ~T_LEGACY_BARRIER;
    switch (type) {
    case T_IN: case T_OUT: read_or_write(r, type == T_OUT, virtio_ld64(&s->v, head + 8)); break;
    case T_FLUSH: blk_aio_flush(s->conf.blk, io_done, r); break;
    case T_GET_ID: get_id(r); break;
    case T_DISCARD: case T_WRITE_ZEROES: zero_or_discard(r, type); break;
    default: finish(r, S_UNSUPP);
    }
}

static void serve_queue(VirtIODevice *v, VirtQueue *vq)
{
    BlkRequest *r;

    do {
        virtq_want_notify(vq, false);
        while ((r = virtq_pop(vq, sizeof(*r)))) {
            handle_request(VIRTIO_BLK(v), vq, r);
        }
    } while (virtq_want_notify(vq, true));
}

/* --- configuration --- */

static uint64_t blk_features(VirtIODevice *v)
{
    VirtioBlk *s = VIRTIO_BLK(v);
    uint64_t f = BIT64(F_SEG_MAX) | BIT64(F_GEOMETRY) | BIT64(F_BLK_SIZE) | BIT64(F_FLUSH) |
                 BIT64(F_TOPOLOGY);

    if (blk_is_read_only(s->conf.blk)) {
        f |= BIT64(F_RO);
    }
    f |= s->config_wce ? BIT64(F_CONFIG_WCE) : 0;
    f |= s->num_queues > 1 ? BIT64(F_MQ) : 0;
    f |= s->discard ? BIT64(F_DISCARD) : 0;
    f |= s->write_zeroes ? BIT64(F_WRITE_ZEROES) : 0;
    return f;
}

static void blk_get_config(VirtIODevice *v, uint8_t *c)
{
    VirtioBlk *s = VIRTIO_BLK(v);
    uint64_t length = blk_length(s->conf.blk);
    uint32_t block = s->conf.logical_block_size, unit = block_conf_discard_unit(&s->conf);
    uint8_t heads = s->conf.heads ? s->conf.heads : 16, secs = s->conf.secs ? s->conf.secs : 63;
    uint64_t cyls = s->conf.cyls ? s->conf.cyls : length / SECTOR / (heads * secs);

    virtio_st64(v, c + CFG_CAPACITY, length / SECTOR);
    virtio_st32(v, c + CFG_SEG_MAX, s->seg_max_adjust ? s->queue_size - 2 : 128 - 2);
    virtio_st16(v, c + CFG_CYLINDERS, MIN(cyls, 65535));
    c[CFG_HEADS] = heads;
    c[CFG_SECTORS] = secs;
    virtio_st32(v, c + CFG_BLK_SIZE, block);
    c[CFG_PHYSICAL_EXP] = __builtin_ctz(s->conf.physical_block_size / block);
    virtio_st16(v, c + CFG_MIN_IO, MIN(s->conf.min_io_size / block, 65535));
    virtio_st32(v, c + CFG_OPT_IO, s->conf.opt_io_size / block);
    c[CFG_WRITEBACK] = s->writeback;
    virtio_st16(v, c + CFG_NUM_QUEUES, s->num_queues);
    if (s->discard) {
        virtio_st32(v, c + CFG_MAX_DISCARD, s->max_discard_sectors);
        virtio_st32(v, c + CFG_MAX_DISCARD_SEG, 1);
        virtio_st32(v, c + CFG_DISCARD_ALIGN, MAX(unit, block) / SECTOR);
    }
    if (s->write_zeroes) {
        virtio_st32(v, c + CFG_MAX_ZEROES, s->max_write_zeroes_sectors);
        virtio_st32(v, c + CFG_MAX_ZEROES_SEG, 1);
        c[CFG_ZEROES_UNMAP] = 1;
    }
}

static void set_cache(VirtioBlk *s, bool on)
{
    s->writeback = on;
    blk_set_write_cache(s->conf.blk, on);
}

/* V 5.2.5: only the switch of the cache can be written. */
static void blk_set_config(VirtIODevice *v, const uint8_t *c, unsigned offset, unsigned len)
{
    VirtioBlk *s = VIRTIO_BLK(v);

    if (s->config_wce && offset <= CFG_WRITEBACK && offset + len > CFG_WRITEBACK) {
        set_cache(s, c[CFG_WRITEBACK] & 1);
    }
}

/* V 5.2.5.2: a driver that can't flush gets a write-through cache. */
static void blk_features_set(VirtIODevice *v)
{
    VirtioBlk *s = VIRTIO_BLK(v);

    if (!virtio_has(v, F_CONFIG_WCE)) {
        set_cache(s, virtio_has(v, F_FLUSH) && block_conf_write_cache(&s->conf));
    }
}

/* --- life --- */

/* No handler begins any more: nothing is in flight afterwards. */
static void quiesce(VirtioBlk *s)
{
    blk_cancel_held(s->conf.blk);
    blk_drain(s->conf.blk);
}

static void blk_reset(VirtIODevice *v)
{
    VirtioBlk *s = VIRTIO_BLK(v);

    quiesce(s);
    set_cache(s, block_conf_write_cache(&s->conf));
}

static void blk_queue_reset(VirtIODevice *v, VirtQueue *vq)
{
    {
        LOOP_PARKED(v->loop);

        vq->enabled = false;
    }
    quiesce(VIRTIO_BLK(v));
}

static void resized(void *opaque)
{
    virtio_config_changed(&((VirtioBlk *)opaque)->v);
}

static const BlockDeviceOps block_ops = { .resized = resized };

static bool check_numbers(VirtioBlk *s, Error **errp)
{
    const Machine *m = current_machine();
    uint32_t most = MAX_RANGE_SECTORS;

    if (s->num_queues == NUM_QUEUES_AUTO) {
        s->num_queues = m && m->smp.cpus ? MIN(m->smp.cpus, 64) : 1;
    }
    if (!s->num_queues || s->num_queues > VIRTIO_MAX_QUEUES) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'num-queues' is %u; accepted: 1 to %u",
                   s->num_queues, VIRTIO_MAX_QUEUES);
        return false;
    }
    if (s->queue_size < 4 || s->queue_size > VIRTQ_MAX_SIZE || !IS_POWER_OF_2(s->queue_size)) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'queue-size' is %u; accepted: a power of two "
                   "from 4 to %u", s->queue_size, VIRTQ_MAX_SIZE);
        return false;
    }
    if (!s->max_discard_sectors || s->max_discard_sectors > most ||
        !s->max_write_zeroes_sectors || s->max_write_zeroes_sectors > most) {
        error_setf(errp, ERR_PROPERTY_RANGE, "properties 'max-discard-sectors' and "
                   "'max-write-zeroes-sectors' are %u and %u; accepted: 1 to %u",
                   s->max_discard_sectors, s->max_write_zeroes_sectors, most);
        return false;
    }
    return true;
}

static bool blk_realize(Device *dev, Error **errp)
{
    VirtioBlk *s = VIRTIO_BLK(dev);

    if (!s->conf.blk) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'drive' must be given");
        error_argument(errp, "drive", NULL, "the id of a drive or block node");
        return false;
    }
    if (!blk_has_medium(s->conf.blk)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "drive '%s' has no image, and a disk needs one",
                   s->conf.blk->id);
        return false;
    }
    if (!check_numbers(s, errp) || !block_conf_realize(&s->conf, SECTOR, errp)) {
        return false;
    }
    if (s->conf.discard_granularity == 0) {
        s->discard = false;
    }
    for (unsigned i = 0; i < s->num_queues; i++) {
        virtio_add_queue(&s->v, s->queue_size, serve_queue);
    }
    if (!boot_add(dev, s->conf.bootindex, "/disk@0,0", errp)) {
        return false;
    }
    blk_set_device_ops(s->conf.blk, &block_ops, s);
    if (s->iothread) {
        EventLoop *loop = iothread_attach(s->iothread);

        blk_set_loop(s->conf.blk, loop);
        virtio_set_loop(&s->v, loop, 0);
    }
    return true;
}

static void break_off(VirtIODevice *v)
{
    LOOP_PARKED(v->loop);

    v->broken = true;
    virtio_set_loop(v, NULL, 0);
}

static void blk_unrealize(Device *dev)
{
    VirtioBlk *s = VIRTIO_BLK(dev);

    break_off(&s->v);
    quiesce(s);
    if (s->iothread) {
        blk_set_loop(s->conf.blk, NULL);
        iothread_detach(s->iothread);
    }
    blk_set_device_ops(s->conf.blk, NULL, NULL);
    boot_remove(dev);
}

static void blk_pre_save(void *opaque)
{
    VirtioBlk *s = opaque;

    /* A handler that runs may make requests yet. */
    event_loop_park(s->v.loop);
    event_loop_unpark(s->v.loop);
    blk_drain(s->conf.blk);
}

static bool blk_post_load(void *opaque, UNUSED Error **errp)
{
    VirtioBlk *s = opaque;

    blk_set_write_cache(s->conf.blk, s->writeback);
    return true;
}

/* Elements whose notification came while the state was elsewhere. */
static void blk_running_changed(VirtIODevice *v, bool running)
{
    for (unsigned i = 0; i < v->num_vqs && running && virtio_is_live(v); i++) {
        virtio_queue_kicked(v, i);
    }
}

static const VmField blk_fields[] = {
    VM_VIRTIO(VirtioBlk, v), VM_BOOL(VirtioBlk, writeback), VM_END
};

static const Property blk_props[] = {
    BLOCK_CONF_PROPS(VirtioBlk, conf), BLOCK_GEOMETRY_PROPS(VirtioBlk, conf),
    PROP_STR("serial", VirtioBlk, serial, NULL, "serial number, up to 20 characters"),
    PROP_BOOL("config-wce", VirtioBlk, config_wce, true, "the driver may switch the write cache"),
    PROP_BOOL("request-merging", VirtioBlk, request_merging, true,
              "accepted for compatibility: requests are never merged"),
    PROP_BOOL("seg-max-adjust", VirtioBlk, seg_max_adjust, true,
              "as many pieces of a request as the queue has room for"),
    PROP_BOOL("discard", VirtioBlk, discard, true, "discarding is offered"),
    PROP_BOOL("write-zeroes", VirtioBlk, write_zeroes, true, "writing of zeros is offered"),
    PROP_U16("num-queues", VirtioBlk, num_queues, NUM_QUEUES_AUTO,
             "queues; 65535: one for each CPU"),
    PROP_U16("queue-size", VirtioBlk, queue_size, 256, "descriptors of a queue, a power of two"),
    PROP_U32("max-discard-sectors", VirtioBlk, max_discard_sectors, MAX_RANGE_SECTORS,
             "most sectors of a discard"),
    PROP_U32("max-write-zeroes-sectors", VirtioBlk, max_write_zeroes_sectors, MAX_RANGE_SECTORS,
             "most sectors of a write of zeros"),
    PROP_LINK("iothread", VirtioBlk, iothread, TYPE_IOTHREAD, "the I/O thread that serves it"),
    VIRTIO_COMMON_PROPS(VirtioBlk, v),
    PROP_END
};

static const VirtioOps blk_ops = {
    .id = VIRTIO_ID_BLOCK, .config_len = CFG_LEN, .features = blk_features,
    .features_set = blk_features_set, .get_config = blk_get_config, .set_config = blk_set_config,
    .reset = blk_reset, .queue_reset = blk_queue_reset,
    .running_changed = blk_running_changed,
};

static const DeviceType blk_type = {
    .name = "virtio-blk-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio block device",
    .size = sizeof(VirtioBlk), .category = DEVICE_STORAGE, .hotpluggable = true,
    .props = blk_props, .realize = blk_realize, .unrealize = blk_unrealize,
    .vm = { 1, blk_fields, .pre_save = blk_pre_save, .post_load = blk_post_load },
    .data = &blk_ops,
};
DEVICE_TYPE(blk_type)

static const Property *const blk_tables[] = { blk_props, NULL };
static const VirtioPciInfo blk_pci = {
    .name = "virtio-blk-pci", .device = "virtio-blk-device", .desc = "virtio block device",
    .id = VIRTIO_ID_BLOCK, .class_code = 0x010000, .category = DEVICE_STORAGE,
    .props = blk_tables,
};
VIRTIO_PCI(blk_pci)
