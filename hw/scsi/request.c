/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a request: start, data phases, sense, cancelling, and its saved state. */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"

#include "util/bswap.h"
#include "util/iov.h"
#include "vmstate/node.h"

static const ScsiDeviceOps *ops_of(ScsiDevice *d)
{
    return device_data(&d->dev);
}

ScsiRequest *scsi_request_new(ScsiDevice *d, uint64_t tag, uint32_t lun, const uint8_t *cdb,
                              size_t cdb_len, void *opaque)
{
    ScsiRequest *r = g_new0(ScsiRequest, 1);

    r->refs = 1;
    r->dev = object_ref(d);
    r->tag = tag;
    r->lun = lun;
    r->opaque = opaque;
    r->cdb_len = MIN(cdb_len, SCSI_CDB_MAX);
    memcpy(r->cdb, cdb, r->cdb_len);
    scsi_cdb_parse(r, d->type, scsi_device_block_size(d));
    return r;
}

ScsiRequest *scsi_request_ref(ScsiRequest *r)
{
    r->refs++;
    return r;
}

void scsi_request_unref(ScsiRequest *r)
{
    if (r && --r->refs == 0) {
        object_unref(r->dev);
        g_free(r->buf);
        g_free(r->io);
        g_free(r);
    }
}

static void enlist(ScsiRequest *r)
{
    r->next = r->dev->requests;
    r->dev->requests = scsi_request_ref(r);
}

/* The unit's reference goes. */
static void delist(ScsiRequest *r)
{
    for (ScsiRequest **p = &r->dev->requests; *p; p = &(*p)->next) {
        if (*p == r) {
            *p = r->next;
            r->next = NULL;
            scsi_request_unref(r);
            return;
        }
    }
}

void scsi_request_set_memory(ScsiRequest *r, const struct iovec *iov, size_t niov)
{
    r->iov = iov;
    r->niov = niov;
    r->iov_bytes = iov_size(iov, niov);
}

uint8_t *scsi_request_buffer(ScsiRequest *r, uint32_t bytes)
{
    assert(bytes <= SCSI_STEP);
    if (bytes > r->buf_size) {
        g_free(r->buf);
        r->buf = g_malloc0(bytes);
        r->buf_size = bytes;
    } else if (bytes) {
        memset(r->buf, 0, bytes);
    }
    return r->buf;
}

ScsiRequest *scsi_request_find(ScsiDevice *d, uint64_t tag)
{
    for (ScsiRequest *r = d->requests; r; r = r->next) {
        if (r->tag == tag && !r->cancelled) {
            return r;
        }
    }
    return NULL;
}

/* --- the end --- */

static void end(ScsiRequest *r, uint8_t status)
{
    ScsiBus *bus = scsi_bus(r->dev);

    if (r->ended) {
        return;
    }
    r->ended = true;
    r->status = status;
    scsi_request_ref(r);
    delist(r);
    bus->ops->complete(r);
    scsi_request_unref(r);
}

void scsi_request_good(ScsiRequest *r)
{
    end(r, SCSI_GOOD);
}

void scsi_sense_fixed(uint8_t *p, ScsiSense sense)
{
    memset(p, 0, SCSI_SENSE_LEN);
    p[0] = 0x70;                /* SPC-4, 4.5.3: current, fixed */
    p[2] = sense.key;
    p[7] = SCSI_SENSE_LEN - 8;
    p[12] = sense.asc;
    p[13] = sense.ascq;
}

void scsi_request_fail(ScsiRequest *r, ScsiSense sense)
{
    scsi_sense_fixed(r->sense, sense);
    r->sense_len = SCSI_SENSE_LEN;
    r->dev->sense = sense;
    end(r, SCSI_CHECK_CONDITION);
}

static void confirm_cancel(ScsiRequest *r)
{
    ScsiBus *bus = scsi_bus(r->dev);

    r->ended = true;
    scsi_request_ref(r);
    delist(r);
    if (bus->ops->cancelled) {
        bus->ops->cancelled(r);
    }
    scsi_request_unref(r);
}

void scsi_request_cancel(ScsiRequest *r)
{
    if (r->ended || r->cancelled) {
        return;
    }
    r->cancelled = true;
    if (!r->in_flight) {
        confirm_cancel(r);
    }
}

void scsi_request_io_begin(ScsiRequest *r)
{
    r->in_flight = true;
    scsi_request_ref(r);
}

bool scsi_request_io_end(ScsiRequest *r)
{
    bool alive = !r->cancelled;

    r->in_flight = false;
    if (!alive) {
        confirm_cancel(r);
    }
    /* The unit's list holds it while it is alive. */
    scsi_request_unref(r);
    return alive;
}

/* --- data phases --- */

static void step_done(ScsiRequest *r)
{
    r->in_step = false;
    r->moved += r->step;
    if (r->reply) {
        scsi_request_good(r);
    } else {
        ops_of(r->dev)->more(r->dev, r);
    }
}

void scsi_request_continue(ScsiRequest *r)
{
    if (r->in_step && !r->ended && !r->cancelled) {
        step_done(r);
    }
}

void scsi_request_step(ScsiRequest *r, uint32_t len)
{
    ScsiBus *bus = scsi_bus(r->dev);

    assert(len <= r->buf_size);
    r->step = len;
    r->in_step = true;
    if (r->iov) {
        if (r->dir == SCSI_FROM_DEVICE) {
            r->step = iov_from_buf(r->iov, r->niov, r->moved, r->buf, len);
        } else {
            r->step = iov_to_buf(r->iov, r->niov, r->moved, r->buf, len);
        }
        step_done(r);
    } else {
        bus->ops->data(r, r->buf, len);
    }
}

void scsi_request_reply(ScsiRequest *r, uint32_t len)
{
    len = MIN(len, r->xfer);
    if (!len) {
        scsi_request_good(r);
        return;
    }
    r->reply = true;
    scsi_request_step(r, len);
}

/* --- commands that the target itself answers --- */

enum { CMD_REQUEST_SENSE = 0x03, CMD_INQUIRY = 0x12, CMD_REPORT_LUNS = 0xa0 };

/* SPC-4, 6.33; the list begins with LUN 0. */
static void report_luns(ScsiRequest *r)
{
    ScsiDevice *d = r->dev;
    uint8_t select = r->cdb[2];
    uint32_t n = 16, most = SCSI_STEP - 8;
    uint8_t *b;

    if (r->xfer < 16 || select > 2) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    b = scsi_request_buffer(r, SCSI_STEP);
    if (select == 1) {                          /* well-known units: none */
        n = 8;
    } else {
        for (ScsiDevice *other = scsi_bus(d)->units; other; other = other->next_unit) {
            if (other->channel == d->channel && other->id == d->id && other->lun && n <= most) {
                b[n] = other->lun > 255 ? 0x40 | other->lun >> 8 : 0;
                b[n + 1] = other->lun;
                n += 8;
            }
        }
    }
    store_be32(b, n - 8);
    scsi_request_reply(r, n);
}

static void request_sense(ScsiRequest *r, ScsiSense sense)
{
    uint8_t *b = scsi_request_buffer(r, SCSI_SENSE_LEN);

    if (r->cdb[1] & 1) {                        /* DESC: descriptor format, SPC-4 4.5.2 */
        b[0] = 0x72;
        b[1] = sense.key;
        b[2] = sense.asc;
        b[3] = sense.ascq;
        scsi_request_reply(r, 8);
        return;
    }
    scsi_sense_fixed(b, sense);
    scsi_request_reply(r, SCSI_SENSE_LEN);
}

/* A unit that isn't there (SPC-4, 6.6.1 and 5.3). */
static void no_such_lun(ScsiRequest *r)
{
    switch (r->cdb[0]) {
    case CMD_REQUEST_SENSE:
        request_sense(r, SENSE_LUN_UNSUPPORTED);
        break;
    case CMD_INQUIRY:
        if (r->cdb[1] & 1) {
            scsi_request_fail(r, SENSE_INVALID_FIELD);
            break;
        }
        scsi_request_buffer(r, 36);
        /* LUN 0 may be reported: a unit could be there. */
        r->buf[0] = r->lun ? 0x7f : 0x20;
        r->buf[2] = 5;
        r->buf[3] = 2;
        r->buf[4] = 31;
        scsi_request_reply(r, 36);
        break;
    case CMD_REPORT_LUNS:
        report_luns(r);
        break;
    default:
        scsi_request_fail(r, SENSE_LUN_UNSUPPORTED);
    }
}

static ScsiSense take(ScsiSense *s)
{
    ScsiSense was = *s;

    *s = SENSE_OK;
    return was;
}

void scsi_request_start(ScsiRequest *r)
{
    ScsiDevice *d = r->dev;
    uint8_t op = r->cdb[0];
    ScsiSense last;

    assert(!r->started);
    r->started = true;
    enlist(r);
    if (r->lun != (uint32_t)d->lun) {
        no_such_lun(r);
        return;
    }
    if (op == CMD_REQUEST_SENSE) {
        last = take(&d->sense);
        request_sense(r, last.key ? last : take(&d->attention));
        return;
    }
    d->sense = SENSE_OK;
    if (op == CMD_REPORT_LUNS) {
        if (d->attention.asc == 0x3f) {         /* SPC-4 6.33: it clears LUNS CHANGED */
            d->attention = SENSE_OK;
        }
        report_luns(r);
        return;
    }
    /* SAM-5, 5.14: INQUIRY doesn't report it; MMC-6 4.1.6.1: nor do these of CD drives. */
    if (d->attention.key && op != CMD_INQUIRY && !(d->type == 5 && (op == 0x46 || op == 0x4a))) {
        scsi_request_fail(r, take(&d->attention));
        return;
    }
    ops_of(d)->command(d, r);
}

/* --- saved state --- */

typedef struct SavedRequest {
    uint32_t channel, target, unit, lun, op, left, buf_size, step;
    uint64_t tag, moved, lba;
    uint8_t cdb[SCSI_CDB_MAX], cdb_len;
    bool in_step, reply;
} SavedRequest;

static const VmField saved_fields[] = {
    VM_U32(SavedRequest, channel), VM_U32(SavedRequest, target), VM_U32(SavedRequest, unit),
    VM_U32(SavedRequest, lun), VM_U32(SavedRequest, op), VM_U32(SavedRequest, left),
    VM_U32_RANGE(SavedRequest, buf_size, 0, SCSI_STEP), VM_U32(SavedRequest, step),
    VM_U64(SavedRequest, tag), VM_U64(SavedRequest, moved), VM_U64(SavedRequest, lba),
    VM_BUFFER(SavedRequest, cdb), VM_U8_RANGE(SavedRequest, cdb_len, 1, SCSI_CDB_MAX),
    VM_BOOL(SavedRequest, in_step), VM_BOOL(SavedRequest, reply),
    VM_END
};
static const VmState saved_vm = { 1, saved_fields, .meanings = scsi_request_meanings };

static bool save_request(VmWriter *w, UNUSED const VmField *f, const void *elem, Error **errp)
{
    const ScsiRequest *r = *(ScsiRequest *const *)elem;
    SavedRequest s;

    vm_put_u8(w, r != NULL);
    if (!r) {
        return true;
    }
    s = (SavedRequest){
        .channel = r->dev->channel, .target = r->dev->id, .unit = r->dev->lun, .lun = r->lun,
        .op = r->op, .left = r->left, .buf_size = r->buf_size, .step = r->step, .tag = r->tag,
        .moved = r->moved, .lba = r->lba, .cdb_len = r->cdb_len, .in_step = r->in_step,
        .reply = r->reply,
    };
    memcpy(s.cdb, r->cdb, sizeof(s.cdb));
    if (!vm_put_struct(w, &saved_vm, &s, errp)) {
        return false;
    }
    vm_put_bytes(w, r->buf, r->buf_size);
    return true;
}

static bool load_request(VmReader *rd, const VmField *f, void *elem, Error **errp)
{
    ScsiRequest **slot = elem, *r;
    ScsiBus *bus = *(ScsiBus **)((char *)elem - (ptrdiff_t)f->arg);
    SavedRequest s = { 0 };
    ScsiDevice *d;
    uint8_t there;

    if (*slot) {
        /* The state before loading; nobody is told of its end. */
        (*slot)->cancelled = (*slot)->ended = true;
        delist(*slot);
        scsi_request_unref(*slot);
        *slot = NULL;
    }
    if (!vm_get_u8(rd, &there, errp)) {
        return false;
    }
    if (!there) {
        return true;
    }
    if (there > 1 || !vm_get_struct(rd, &saved_vm, &s, errp)) {
        return false;
    }
    d = scsi_device_find(bus, s.channel, s.target, s.unit);
    if (!d || d->lun != (int32_t)s.unit || s.step > s.buf_size) {
        error_setf(errp, ERR_STATE_INVALID, "a request of %u:%u:%u with a step of %u bytes in %u",
                   s.channel, s.target, s.unit, s.step, s.buf_size);
        return false;
    }
    r = scsi_request_new(d, s.tag, s.lun, s.cdb, s.cdb_len, NULL);
    scsi_request_buffer(r, s.buf_size);
    if (!vm_get_bytes(rd, r->buf, s.buf_size, errp)) {
        scsi_request_unref(r);
        return false;
    }
    r->op = s.op;
    r->left = s.left;
    r->lba = s.lba;
    r->step = s.step;
    r->moved = s.moved;
    r->in_step = s.in_step;
    r->reply = s.reply;
    r->started = true;
    enlist(r);
    *slot = r;
    if (bus->ops->loaded) {
        bus->ops->loaded(bus, r);
    }
    return true;
}

static bool show_request(VmReader *r, UNUSED const VmField *f, UNUSED size_t bytes, StateNode *into,
                         Error **errp)
{
    StateNode data = { 0 };
    uint8_t there;

    into->kind = STATE_STRUCT;
    if (!vm_get_u8(r, &there, errp)) {
        return false;
    }
    if (!there) {
        state_mean(into, "none in flight");
        return true;
    }
    if (!vm_show_struct(r, &saved_vm, into, errp) ||
        !vm_kind_buffer.show(r, NULL, state_get(into, "buf_size", 0), &data, errp)) {
        return false;
    }
    state_add_bytes(into, "buffer", data.bytes, data.num_bytes)->payload = "data of the step that is moved";
    g_free(data.bytes);
    return true;
}

const VmKind vm_kind_scsi_request = {
    .name = "scsi-request", .save = save_request, .load = load_request, .show = show_request,
};
