/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio SCSI host device: V 5.6, also with legacy drivers. A host adapter for the units of this room. With an I/O
 * thread, its request queues are served and its requests end there; the other two queues stay in the main loop, as what
 * they ask for must wait for requests.
 *
 * Not modelled: bidirectional commands, protection information.
 */
#include "util/osdep.h"
#include "hw/core/iothread.h"
#include "hw/core/machine.h"
#include "hw/scsi/scsi.h"
#include "hw/virtio/virtio-pci.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/iov.h"

enum { F_HOTPLUG = 1, F_CHANGE = 2 };
enum { VQ_CONTROL, VQ_EVENT, VQ_REQUEST };

/* V 5.6.4: offsets in the configuration. */
enum { CFG_NUM_QUEUES = 0, CFG_SEG_MAX = 4, CFG_MAX_SECTORS = 8, CFG_CMD_PER_LUN = 12,
       CFG_EVENT_SIZE = 16, CFG_SENSE_SIZE = 20, CFG_CDB_SIZE = 24, CFG_MAX_CHANNEL = 28,
       CFG_MAX_TARGET = 30, CFG_MAX_LUN = 32, CFG_LEN = 36 };

/* V 5.6.6.1. */
#define REQ_HEAD        19              /* lun, id, task_attr, prio, crn; the CDB follows */
#define RESP_HEAD       12              /* sense_len, residual, qualifier, status, response */
enum { RESP_SENSE_LEN = 0, RESP_RESIDUAL = 4, RESP_STATUS = 10, RESP_RESPONSE = 11 };
enum { S_OK = 0, S_OVERRUN = 1, S_ABORTED = 2, S_BAD_TARGET = 3, S_RESET = 4, S_FAILURE = 9,
       S_FUNCTION_SUCCEEDED = 10, S_FUNCTION_REJECTED = 11, S_INCORRECT_LUN = 12 };

/* V 5.6.6.2. */
enum { T_TMF = 0, T_AN_QUERY = 1, T_AN_SUBSCRIBE = 2 };
enum { TMF_ABORT_TASK = 0, TMF_ABORT_TASK_SET = 1, TMF_CLEAR_ACA = 2, TMF_CLEAR_TASK_SET = 3,
       TMF_I_T_NEXUS_RESET = 4, TMF_LOGICAL_UNIT_RESET = 5, TMF_QUERY_TASK = 6,
       TMF_QUERY_TASK_SET = 7 };
/* V 5.6.6.3. */
enum { EVENT_TRANSPORT_RESET = 1, EVENT_PARAM_CHANGE = 3, EVENT_BYTES = 16 };
enum { RESET_RESCAN = 1, RESET_REMOVED = 2 };
#define EVENTS_MISSED   UINT32_C(0x80000000)

#define CDB_DEFAULT     32
#define SENSE_DEFAULT   96
#define SIZE_MOST       255             /* of CDB and sense that a driver may ask for */
#define MAX_TARGET      255
#define MAX_LUN         16383
#define NUM_QUEUES_AUTO UINT32_MAX

typedef struct VirtioScsi {
    VirtIODevice v;
    ScsiBus *bus;
    uint32_t num_queues, queue_size, max_sectors, cmd_per_lun;
    uint32_t sense_size, cdb_size;
    bool seg_max_adjust;
    bool events_missed;
    bool resetting;             /* nothing is begun, and what is cancelled now is told so */
    IOThread *iothread;
} VirtioScsi;
DEFINE_CAST(VIRTIO_SCSI, VirtioScsi, "virtio-scsi-device")

typedef struct Command {
    VirtqElem elem;
    VirtioScsi *s;
    VirtQueue *vq;
    struct iovec *data;         /* owned; the part behind the headers */
    size_t ndata;
    uint32_t data_bytes;
} Command;

/* --- commands --- */

static void respond(Command *c, uint8_t response, const ScsiRequest *r)
{
    VirtioScsi *s = c->s;
    uint8_t head[RESP_HEAD + SIZE_MOST] = { 0 };
    uint32_t moved = 0;

    head[RESP_RESPONSE] = response;
    if (r) {
        uint32_t n = MIN(r->sense_len, s->sense_size);

        virtio_st32(&s->v, head + RESP_SENSE_LEN, n);
        virtio_st32(&s->v, head + RESP_RESIDUAL, c->data_bytes - MIN(r->moved, c->data_bytes));
        head[RESP_STATUS] = r->status;
        memcpy(head + RESP_HEAD, r->sense, n);
        moved = r->dir == SCSI_FROM_DEVICE ? r->moved : 0;
    }
    iov_from_buf(c->elem.in, c->elem.in_num, 0, head, RESP_HEAD + s->sense_size);
    virtq_push(c->vq, &c->elem, RESP_HEAD + s->sense_size + moved);
    virtq_notify(c->vq);
    g_free(c->data);
    g_free(c);
}

static void on_complete(ScsiRequest *r)
{
    respond(r->opaque, S_OK, r);
}

static void on_cancelled(ScsiRequest *r)
{
    Command *c = r->opaque;

    respond(c, c->s->resetting ? S_RESET : S_ABORTED, NULL);
}

/* V 5.6.6.1: byte 0 is 1, then the target and a single-level LUN. */
static ScsiDevice *find_unit(VirtioScsi *s, const uint8_t *lun, uint32_t *number)
{
    *number = (lun[2] << 8 | lun[3]) & 0x3fff;
    return lun[0] == 1 ? scsi_device_find(s->bus, 0, lun[1], *number) : NULL;
}

static void broken_command(VirtioScsi *s, Command *c)
{
    virtio_broken(&s->v, "a command of %u bytes, %u for the answer", c->elem.out_bytes,
                  c->elem.in_bytes);
    virtq_detach(c->vq, &c->elem);
    g_free(c);
}

static void handle_command(VirtioScsi *s, VirtQueue *vq, Command *c)
{
    uint8_t head[REQ_HEAD + SIZE_MOST];
    VirtqElem *e = &c->elem;
    uint32_t req = REQ_HEAD + s->cdb_size, resp = RESP_HEAD + s->sense_size, lun, dir_bytes;
    ScsiRequest *r;
    ScsiDevice *d;

    c->s = s;
    c->vq = vq;
    if (e->out_bytes < req || e->in_bytes < resp) {
        broken_command(s, c);
        return;
    }
    iov_to_buf(e->out, e->out_num, 0, head, req);
    if (e->out_bytes > req && e->in_bytes > resp) {
        respond(c, S_FAILURE, NULL);            /* both directions: not offered */
        return;
    }
    d = find_unit(s, head, &lun);
    if (!d) {
        respond(c, S_BAD_TARGET, NULL);
        return;
    }
    r = scsi_request_new(d, virtio_ld64(&s->v, head + 8), lun, head + REQ_HEAD,
                         MIN(s->cdb_size, SCSI_CDB_MAX), c);
    dir_bytes = r->dir == SCSI_TO_DEVICE ? e->out_bytes - req
                : r->dir == SCSI_FROM_DEVICE ? e->in_bytes - resp : 0;
    c->data_bytes = dir_bytes;
    if (r->xfer > dir_bytes) {
        respond(c, S_OVERRUN, NULL);
        scsi_request_unref(r);
        return;
    }
    if (dir_bytes) {
        uint32_t n = r->dir == SCSI_TO_DEVICE ? e->out_num : e->in_num;

        c->data = g_new(struct iovec, n);
        c->ndata = r->dir == SCSI_TO_DEVICE
                   ? iov_slice(c->data, n, e->out, e->out_num, req, dir_bytes)
                   : iov_slice(c->data, n, e->in, e->in_num, resp, dir_bytes);
        scsi_request_set_memory(r, c->data, c->ndata);
    }
    scsi_request_start(r);
    scsi_request_unref(r);
}

static void serve_requests(VirtIODevice *v, VirtQueue *vq)
{
    Command *c;

    do {
        virtq_want_notify(vq, false);
        while (!VIRTIO_SCSI(v)->resetting && (c = virtq_pop(vq, sizeof(*c)))) {
            handle_command(VIRTIO_SCSI(v), vq, c);
        }
    } while (virtq_want_notify(vq, true) && !VIRTIO_SCSI(v)->resetting);
}

/* --- resets --- */

static void set_resetting(VirtioScsi *s, bool resetting)
{
    LOOP_PARKED(s->v.loop);

    s->resetting = resetting;
}

/* Between the two no command is begun: one that comes is there when it is over. */
static void begin_reset(VirtioScsi *s)
{
    set_resetting(s, true);
}

static void end_reset(VirtioScsi *s)
{
    set_resetting(s, false);
    for (unsigned i = VQ_REQUEST; i < s->v.num_vqs && virtio_is_live(&s->v); i++) {
        virtio_queue_kicked(&s->v, i);
    }
}

/* --- task management (SAM-5, 7) --- */

static void cancel_all(ScsiDevice *d, uint32_t lun)
{
    LOOP_PARKED(scsi_bus(d)->loop);

    for (ScsiRequest *r = d->requests, *next; r; r = next) {
        next = r->next;
        if (r->lun == lun) {
            scsi_request_cancel(r);
        }
    }
}

static void cancel_one(ScsiDevice *d, uint64_t tag)
{
    ScsiRequest *r;
    LOOP_PARKED(scsi_bus(d)->loop);

    r = scsi_request_find(d, tag);
    if (r) {
        scsi_request_cancel(r);
    }
}

static uint8_t query(ScsiDevice *d, bool any, uint64_t tag)
{
    LOOP_PARKED(scsi_bus(d)->loop);

    return (any ? d->requests : scsi_request_find(d, tag)) ? S_FUNCTION_SUCCEEDED : S_OK;
}

static uint8_t reset_target(VirtioScsi *s, uint8_t target)
{
    begin_reset(s);
    for (Device *o = s->bus->bus.devices; o; o = o->sibling) {
        if (SCSI_DEVICE(o)->id == target) {
            scsi_device_reset(SCSI_DEVICE(o), SENSE_RESET);
        }
    }
    end_reset(s);
    return S_OK;
}

static uint8_t manage_task(VirtioScsi *s, const uint8_t *req)
{
    uint32_t lun, subtype = virtio_ld32(&s->v, req + 4);
    ScsiDevice *d = find_unit(s, req + 8, &lun);
    uint64_t tag = virtio_ld64(&s->v, req + 16);

    if (!d) {
        return S_BAD_TARGET;
    }
    if (subtype == TMF_I_T_NEXUS_RESET) {
        return reset_target(s, d->id);
    }
    if ((uint32_t)d->lun != lun) {
        return S_INCORRECT_LUN;
    }
    switch (subtype) {
    case TMF_ABORT_TASK:
        cancel_one(d, tag);
        return S_OK;
    case TMF_ABORT_TASK_SET: case TMF_CLEAR_TASK_SET:
        cancel_all(d, lun);
        return S_OK;
    case TMF_LOGICAL_UNIT_RESET:
        begin_reset(s);
        scsi_device_reset(d, SENSE_DEVICE_RESET);
        end_reset(s);
        return S_OK;
    case TMF_QUERY_TASK: return query(d, false, tag);
    case TMF_QUERY_TASK_SET: return query(d, true, 0);
    default: return S_FUNCTION_REJECTED;
    }
}

static void serve_control(VirtIODevice *v, VirtQueue *vq)
{
    VirtioScsi *s = VIRTIO_SCSI(v);
    VirtqElem *e;

    while ((e = virtq_pop(vq, sizeof(*e)))) {
        uint8_t req[24] = { 0 }, resp[5] = { 0 };
        size_t n = iov_to_buf(e->out, e->out_num, 0, req, sizeof(req)), len = 0;
        uint32_t type = virtio_ld32(v, req);

        if (n == 24 && type == T_TMF) {
            /* Those that end meanwhile go into other queues. */
            resp[0] = manage_task(s, req);
            len = 1;
        } else if (n >= 16 && (type == T_AN_QUERY || type == T_AN_SUBSCRIBE)) {
            uint32_t lun;

            resp[4] = find_unit(s, req + 4, &lun) ? S_OK : S_BAD_TARGET;
            len = 5;                            /* no asynchronous events of media */
        }
        if (!len || e->in_bytes < len) {
            virtio_broken(v, "a control request of type %u, %zu bytes, %u for the answer", type, n,
                          e->in_bytes);
            virtq_detach(vq, e);
            g_free(e);
            return;
        }
        iov_from_buf(e->in, e->in_num, 0, resp, len);
        virtq_push(vq, e, len);
        virtq_notify(vq);
        g_free(e);
    }
}

/* --- events --- */

static void send_event(VirtioScsi *s, const ScsiDevice *d, uint32_t event, uint32_t reason)
{
    VirtQueue *vq = virtio_queue(&s->v, VQ_EVENT);
    uint8_t b[EVENT_BYTES] = { 0 };
    VirtqElem *e;

    if (!virtio_is_live(&s->v)) {
        return;
    }
    e = virtq_pop(vq, sizeof(*e));
    if (!e || e->in_bytes < EVENT_BYTES) {
        s->events_missed = true;
        if (e) {
            virtio_broken(&s->v, "an event buffer of %u bytes", e->in_bytes);
            virtq_detach(vq, e);
            g_free(e);
        }
        return;
    }
    if (s->events_missed) {
        event |= EVENTS_MISSED;
        s->events_missed = false;
    }
    virtio_st32(&s->v, b, event);
    virtio_st32(&s->v, b + 12, reason);
    if (d) {
        b[4] = 1;
        b[5] = d->id;
        b[6] = d->lun > 255 ? 0x40 | d->lun >> 8 : 0;
        b[7] = d->lun;
    }
    iov_from_buf(e->in, e->in_num, 0, b, EVENT_BYTES);
    virtq_push(vq, e, EVENT_BYTES);
    virtq_notify(vq);
    g_free(e);
}

static void serve_events(VirtIODevice *v, UNUSED VirtQueue *vq)
{
    VirtioScsi *s = VIRTIO_SCSI(v);

    if (s->events_missed) {
        send_event(s, NULL, 0, 0);
    }
}

static void on_plugged(ScsiBus *bus, ScsiDevice *d)
{
    VirtioScsi *s = bus->opaque;

    if (virtio_has(&s->v, F_HOTPLUG)) {
        send_event(s, d, EVENT_TRANSPORT_RESET, RESET_RESCAN);
    }
}

static void on_unplugged(ScsiBus *bus, ScsiDevice *d)
{
    VirtioScsi *s = bus->opaque;

    if (virtio_has(&s->v, F_HOTPLUG)) {
        send_event(s, d, EVENT_TRANSPORT_RESET, RESET_REMOVED);
    }
}

static void on_event(ScsiBus *bus, ScsiDevice *d, ScsiSense what)
{
    VirtioScsi *s = bus->opaque;

    if (virtio_has(&s->v, F_CHANGE) && d->type != 5) {
        send_event(s, d, EVENT_PARAM_CHANGE, what.asc | what.ascq << 8);
    }
}

static const ScsiHostOps host_ops = {
    .max_target = MAX_TARGET, .max_lun = MAX_LUN, .complete = on_complete,
    .cancelled = on_cancelled, .plugged = on_plugged, .unplugged = on_unplugged,
    .event = on_event,
};

/* --- configuration --- */

static void scsi_get_config(VirtIODevice *v, uint8_t *c)
{
    VirtioScsi *s = VIRTIO_SCSI(v);

    virtio_st32(v, c + CFG_NUM_QUEUES, s->num_queues);
    virtio_st32(v, c + CFG_SEG_MAX, s->seg_max_adjust ? s->queue_size - 2 : 128 - 2);
    virtio_st32(v, c + CFG_MAX_SECTORS, s->max_sectors);
    virtio_st32(v, c + CFG_CMD_PER_LUN, s->cmd_per_lun);
    virtio_st32(v, c + CFG_EVENT_SIZE, EVENT_BYTES);
    virtio_st32(v, c + CFG_SENSE_SIZE, s->sense_size);
    virtio_st32(v, c + CFG_CDB_SIZE, s->cdb_size);
    virtio_st16(v, c + CFG_MAX_TARGET, MAX_TARGET);
    virtio_st32(v, c + CFG_MAX_LUN, MAX_LUN);
}

static void scsi_set_config(VirtIODevice *v, const uint8_t *c, unsigned offset, UNUSED unsigned len)
{
    VirtioScsi *s = VIRTIO_SCSI(v);
    uint32_t sense = virtio_ld32(v, c + CFG_SENSE_SIZE), cdb = virtio_ld32(v, c + CFG_CDB_SIZE);

    if (offset < CFG_SENSE_SIZE || offset >= CFG_MAX_CHANNEL) {
        return;
    }
    if (sense > SIZE_MOST || !cdb || cdb > SIZE_MOST) {
        virtio_broken(v, "sense of %u and CDB of %u bytes; accepted: up to %u", sense, cdb,
                      SIZE_MOST);
        return;
    }
    LOOP_PARKED(v->loop);
    s->sense_size = sense;
    s->cdb_size = cdb;
}

/* --- life --- */

static void scsi_reset(VirtIODevice *v)
{
    VirtioScsi *s = VIRTIO_SCSI(v);

    begin_reset(s);
    scsi_bus_reset(s->bus);
    end_reset(s);
    LOOP_PARKED(v->loop);
    s->sense_size = SENSE_DEFAULT;
    s->cdb_size = CDB_DEFAULT;
    s->events_missed = false;
}

/* Elements whose notification came while the state was elsewhere. */
static void scsi_running_changed(VirtIODevice *v, bool running)
{
    for (unsigned i = 0; i < v->num_vqs && running && virtio_is_live(v); i++) {
        virtio_queue_kicked(v, i);
    }
}

static void scsi_queue_reset(VirtIODevice *v, VirtQueue *vq)
{
    VirtioScsi *s = VIRTIO_SCSI(v);

    if (vq->index >= VQ_REQUEST) {
        {
            LOOP_PARKED(v->loop);

            vq->enabled = false;
        }
        begin_reset(s);
        scsi_bus_reset(s->bus);
        end_reset(s);
    }
}

static bool virtio_scsi_realize(Device *dev, Error **errp)
{
    VirtioScsi *s = VIRTIO_SCSI(dev);
    Device *function = dev->bus->parent;
    const Machine *m = current_machine();
    g_autofree char *name = NULL;

    if (s->num_queues == NUM_QUEUES_AUTO) {
        s->num_queues = m && m->smp.cpus ? MIN(m->smp.cpus, 64) : 1;
    }
    if (!s->num_queues || s->num_queues > VIRTIO_MAX_QUEUES - VQ_REQUEST) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'num_queues' is %u; accepted: 1 to %u",
                   s->num_queues, VIRTIO_MAX_QUEUES - VQ_REQUEST);
        return false;
    }
    if (s->queue_size < 4 || s->queue_size > VIRTQ_MAX_SIZE || !IS_POWER_OF_2(s->queue_size)) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'virtqueue_size' is %u; accepted: a power of "
                   "two from 4 to %u", s->queue_size, VIRTQ_MAX_SIZE);
        return false;
    }
    virtio_add_queue(&s->v, s->queue_size, serve_control);
    virtio_add_queue(&s->v, s->queue_size, serve_events);
    for (unsigned i = 0; i < s->num_queues; i++) {
        virtio_add_queue(&s->v, s->queue_size, serve_requests);
    }
    s->sense_size = SENSE_DEFAULT;
    s->cdb_size = CDB_DEFAULT;
    name = function->id ? g_strdup_printf("%s.0", function->id) : NULL;
    s->bus = scsi_bus_new(dev, name, &host_ops, s);
    if (s->iothread) {
        s->bus->loop = iothread_attach(s->iothread);
        virtio_set_loop(&s->v, s->bus->loop, VQ_REQUEST);
    }
    return true;
}

static void break_off(VirtIODevice *v)
{
    LOOP_PARKED(v->loop);

    v->broken = true;
    virtio_set_loop(v, NULL, 0);
}

/* Units come and go with their bus; nothing is in flight any more. */
static void virtio_scsi_unrealize(Device *dev)
{
    VirtioScsi *s = VIRTIO_SCSI(dev);

    break_off(&s->v);
    s->bus->loop = NULL;
    s->bus = NULL;
    if (s->iothread) {
        iothread_detach(s->iothread);
    }
}

/* What is in flight ends first, so that the state has no command in it. */
static void scsi_pre_save(void *opaque)
{
    VirtioScsi *s = opaque;

    for (Device *o = s->bus->bus.devices; o; o = o->sibling) {
        const ScsiDeviceOps *ops = device_data(o);

        if (ops->settle) {
            ops->settle(SCSI_DEVICE(o));
        }
    }
}

static const VmField virtio_scsi_fields[] = {
    VM_VIRTIO(VirtioScsi, v), VM_U32_RANGE(VirtioScsi, sense_size, 0, SIZE_MOST),
    VM_U32_RANGE(VirtioScsi, cdb_size, 1, SIZE_MOST), VM_BOOL(VirtioScsi, events_missed), VM_END
};
static const VmMeaning virtio_scsi_meanings[] = {
    { "sense_size", "bytes of sense data that the driver has room for" }, { "cdb_size", "bytes of its commands" },
    { "events_missed", "there was no buffer for an event" },
    { .name = NULL }
};

static const Property virtio_scsi_props[] = {
    PROP_U32("num_queues", VirtioScsi, num_queues, NUM_QUEUES_AUTO,
             "request queues; 4294967295: one for each CPU"),
    PROP_U32("virtqueue_size", VirtioScsi, queue_size, 256, "descriptors of a queue"),
    PROP_BOOL("seg_max_adjust", VirtioScsi, seg_max_adjust, true,
              "as many pieces of a command as the queue has room for"),
    PROP_U32("max_sectors", VirtioScsi, max_sectors, 0xffff, "most sectors of a command"),
    PROP_U32("cmd_per_lun", VirtioScsi, cmd_per_lun, 128, "most commands of a unit at a time"),
    PROP_BIT64("hotplug", VirtioScsi, v.feature_props, F_HOTPLUG, true,
               "the driver hears of units that come and go"),
    PROP_BIT64("param_change", VirtioScsi, v.feature_props, F_CHANGE, true,
               "the driver hears of changed parameters"),
    PROP_LINK("iothread", VirtioScsi, iothread, TYPE_IOTHREAD, "the I/O thread that serves its requests"),
    VIRTIO_COMMON_PROPS(VirtioScsi, v),
    PROP_END
};

static const VirtioOps virtio_scsi_ops = {
    .id = VIRTIO_ID_SCSI, .config_len = CFG_LEN, .get_config = scsi_get_config,
    .set_config = scsi_set_config, .reset = scsi_reset, .queue_reset = scsi_queue_reset,
    .running_changed = scsi_running_changed,
};

static const DeviceType virtio_scsi_type = {
    .name = "virtio-scsi-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio SCSI adapter",
    .size = sizeof(VirtioScsi), .category = DEVICE_STORAGE, .hotpluggable = true,
    .props = virtio_scsi_props, .realize = virtio_scsi_realize,
    .unrealize = virtio_scsi_unrealize,
    .vm = { 1, virtio_scsi_fields, .pre_save = scsi_pre_save, .meanings = virtio_scsi_meanings }, .data = &virtio_scsi_ops,
};
DEVICE_TYPE(virtio_scsi_type)

static const Property *const virtio_scsi_tables[] = { virtio_scsi_props, NULL };
static const VirtioPciInfo scsi_pci = {
    .name = "virtio-scsi-pci", .device = "virtio-scsi-device", .desc = "virtio SCSI adapter",
    .id = VIRTIO_ID_SCSI, .class_code = 0x010000, .category = DEVICE_STORAGE,
    .props = virtio_scsi_tables,
};
VIRTIO_PCI(scsi_pci)
