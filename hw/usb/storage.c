/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb-storage and usb-bot: mass storage, bulk-only transport, with SCSI units behind.
 *
 * Source: Universal Serial Bus Mass Storage Class, Bulk-Only Transport 1.0 ("BOT").
 *
 * usb-storage makes its one unit from its drive; usb-bot has a bus to which units are added.
 * When the host expects more data than the unit moves, the rest is filled with zeros (BOT
 * 6.7.2, 6.7.3); when it expects less, that is a phase error.
 */
#include "util/osdep.h"
#include "hw/usb/usb.h"

#include <glib.h>
#include "hw/block/block-conf.h"
#include "hw/scsi/scsi.h"
#include "util/bswap.h"

#define CBW_SIZE        31
#define CBW_SIGNATURE   0x43425355u     /* "USBC", BOT 5.1 */
#define CSW_SIZE        13
#define CSW_SIGNATURE   0x53425355u     /* "USBS", BOT 5.2 */
enum { CSW_PASSED = 0, CSW_FAILED = 1, CSW_PHASE_ERROR = 2 };
#define REQ_RESET       0xff            /* BOT 3.1 */
#define REQ_MAX_LUN     0xfe            /* BOT 3.2 */
#define LUN_MAX         15

typedef enum Stage { STAGE_CBW, STAGE_OUT, STAGE_IN, STAGE_CSW } Stage;

typedef struct UsbStorage {
    UsbDevice usb;
    BlockConf conf;
    bool removable;
    ScsiBus *bus;
    uint32_t stage;
    uint32_t tag;
    uint32_t expected;          /* bytes of the data stage by the CBW */
    uint32_t left;              /* of it, still to be moved over the wire */
    uint8_t status;             /* of the CSW */
    ScsiRequest *request;       /* the last one; a reference; NULL: none, or it has ended */
    bool phase_error;
    uint32_t step_pos;          /* in the request's step */
    uint64_t moved;             /* by the request that has ended */
    uint32_t skip;              /* bytes of the next OUT packet that came before */
    /* Not saved. */
    UsbPacket *packet;          /* waits */
    uint8_t *step;              /* buffer of the request's step; NULL: none */
    uint32_t step_len;
    bool advancing;
} UsbStorage;

#define TYPE_USB_STORAGE_BASE   "usb-storage-dev"
DEFINE_CAST(USB_STORAGE, UsbStorage, TYPE_USB_STORAGE_BASE)

/* --- descriptors --- */

#define ENDPOINTS(name, max, burst) \
    static const UsbEndpointDesc name[] = { \
        { .addr = USB_DIR_IN | 1, .attributes = USB_EP_BULK, .max_packet = max, \
          .max_burst = burst }, \
        { .addr = 2, .attributes = USB_EP_BULK, .max_packet = max, .max_burst = burst }, \
    }
ENDPOINTS(eps_full, 64, 0);
ENDPOINTS(eps_high, 512, 0);
ENDPOINTS(eps_super, 1024, 15);

/* BOT 4.3: SCSI transparent command set, bulk-only. */
#define CONFIG(name, eps_) \
    static const UsbInterfaceDesc name##_if = { \
        .class_code = 8, .subclass = 6, .protocol = 0x50, .n_eps = 2, .eps = eps_ }; \
    static const UsbConfigDesc name = { \
        .value = 1, .string = 4, .attributes = USB_CFG_ONE | USB_CFG_SELF_POWERED, \
        .n_interfaces = 1, .n = 1, .interfaces = &name##_if }
CONFIG(config_full, eps_full);
CONFIG(config_high, eps_high);
CONFIG(config_super, eps_super);

static const UsbDeviceDesc device_full = {
    .usb_version = 0x0200, .max_packet0 = 8, .n_configs = 1, .configs = &config_full,
};
static const UsbDeviceDesc device_high = {
    .usb_version = 0x0200, .max_packet0 = 64, .n_configs = 1, .configs = &config_high,
};
static const UsbDeviceDesc device_super = {
    .usb_version = 0x0300, .max_packet0 = 9, .n_configs = 1, .configs = &config_super,
};
static const char *const strings[] = { "", "QEMU", "QEMU USB HARDDRIVE", "1", "Mass Storage", NULL };
static const UsbDescriptors storage_desc = {
    .vendor = 0x46f4, .product = 0x0001, .manufacturer = 1, .product_string = 2, .serial = 3,
    .strings = strings,
    .speeds = { [USB_SPEED_FULL] = &device_full, [USB_SPEED_HIGH] = &device_high,
                [USB_SPEED_SUPER] = &device_super },
};

/* --- a command's life --- */

static void forget_request(UsbStorage *s)
{
    ScsiRequest *r = s->request;

    s->request = NULL;
    s->step = NULL;
    s->step_len = s->step_pos = 0;
    if (r) {
        scsi_request_cancel(r);
        scsi_request_unref(r);
    }
}

static void to_cbw(UsbStorage *s)
{
    forget_request(s);
    s->stage = STAGE_CBW;
    s->left = s->expected = s->skip = 0;
    s->phase_error = false;
    s->status = CSW_PASSED;
    s->moved = 0;
}

static UsbStatus advance(UsbStorage *s);

/* The unit has done something: the packet that waits may go on. */
static void progress(UsbStorage *s)
{
    UsbPacket *p = s->packet;
    UsbStatus status;

    if (s->advancing || !p) {
        return;
    }
    status = advance(s);
    if (status != USB_ASYNC) {
        s->packet = NULL;
        p->status = status;
        usb_packet_complete(&s->usb, p);
    }
}

static void unit_data(ScsiRequest *r, uint8_t *buf, uint32_t len)
{
    UsbStorage *s = r->opaque;

    if (r != s->request) {
        return;
    }
    if (!s->left) {                     /* BOT 6.7: more than the host expects */
        s->phase_error = true;
        scsi_request_cancel(r);
        return;
    }
    s->step = buf;
    s->step_len = len;
    s->step_pos = 0;
    progress(s);
}

static void request_ended(UsbStorage *s, ScsiRequest *r, uint8_t status)
{
    if (r != s->request) {
        return;
    }
    s->status = s->phase_error ? CSW_PHASE_ERROR : status;
    s->moved = r->moved;
    s->step = NULL;
    s->step_len = s->step_pos = 0;
    s->request = NULL;
    scsi_request_unref(r);
    progress(s);
}

static void unit_complete(ScsiRequest *r)
{
    request_ended(r->opaque, r, r->status == SCSI_GOOD ? CSW_PASSED : CSW_FAILED);
}

static void unit_cancelled(ScsiRequest *r)
{
    request_ended(r->opaque, r, CSW_FAILED);
}

static void unit_loaded(ScsiBus *bus, ScsiRequest *r)
{
    UsbStorage *s = bus->opaque;

    r->opaque = s;
    if (r->in_step) {
        s->step = r->buf;
        s->step_len = r->step;
    }
}

static const ScsiHostOps host_ops = {
    .max_lun = LUN_MAX, .data = unit_data, .complete = unit_complete,
    .cancelled = unit_cancelled, .loaded = unit_loaded,
};

/* BOT 6.2: valid and meaningful, or nothing works until the reset recovery. */
static UsbStatus take_cbw(UsbStorage *s, UsbPacket *p)
{
    const uint8_t *c = p->data;
    ScsiDevice *unit;
    ScsiRequest *r;
    ScsiDir dir;

    if (p->len != CBW_SIZE || load_le32(c) != CBW_SIGNATURE || (c[13] & 0x0f) > LUN_MAX ||
        c[14] < 1 || c[14] > 16) {
        usb_set_halt(&s->usb, USB_DIR_IN | 1, true);
        return USB_STALL;
    }
    to_cbw(s);
    p->actual = p->len;
    s->tag = load_le32(c + 4);
    s->expected = s->left = load_le32(c + 8);
    dir = c[12] & 0x80 ? SCSI_FROM_DEVICE : SCSI_TO_DEVICE;
    s->stage = !s->left ? STAGE_CSW : dir == SCSI_FROM_DEVICE ? STAGE_IN : STAGE_OUT;
    unit = scsi_device_find(s->bus, 0, 0, c[13] & 0x0f);
    if (!unit) {
        s->status = CSW_FAILED;
        return USB_OK;
    }
    r = scsi_request_new(unit, s->tag, c[13] & 0x0f, c + 15, c[14], s);
    if (s->left && r->xfer && r->dir != SCSI_NO_DATA && r->dir != dir) {
        s->status = CSW_PHASE_ERROR;
        scsi_request_unref(r);
        return USB_OK;
    }
    s->request = scsi_request_ref(r);   /* dropped when it ends */
    scsi_request_start(r);
    scsi_request_unref(r);
    return USB_OK;
}

/* Between the packet and the unit's step; true if something moved. */
static bool move(UsbStorage *s, UsbPacket *p)
{
    uint32_t n = MIN(p->len - p->actual, s->left), k;

    if (s->stage == STAGE_OUT && s->skip) {
        k = MIN(n, s->skip);
        s->skip -= k;
        p->actual += k;
        return k != 0;
    }
    if (s->step) {
        k = MIN(n, s->step_len - s->step_pos);
        if (s->stage == STAGE_IN) {
            memcpy(p->data + p->actual, s->step + s->step_pos, k);
        } else {
            memcpy(s->step + s->step_pos, p->data + p->actual, k);
        }
        s->step_pos += k;
    } else if (!s->request) {           /* it has ended: the rest is padding */
        k = n;
        if (s->stage == STAGE_IN) {
            memset(p->data + p->actual, 0, k);
        }
    } else {
        return false;
    }
    p->actual += k;
    s->left -= k;
    if (s->step && s->step_pos == s->step_len) {
        ScsiRequest *r = scsi_request_ref(s->request);

        s->step = NULL;
        s->step_len = s->step_pos = 0;
        scsi_request_continue(r);
        scsi_request_unref(r);
    }
    return true;
}

static UsbStatus move_data(UsbStorage *s, UsbPacket *p)
{
    while (p->actual < p->len && s->left) {
        if (!move(s, p)) {
            return USB_ASYNC;
        }
    }
    if (!s->left) {
        /* A step with room beyond what the host sends will never be filled. */
        if (s->step) {
            s->phase_error = true;
            scsi_request_cancel(s->request);
            s->moved = s->expected;
        }
        s->stage = STAGE_CSW;
    }
    return USB_OK;
}

static UsbStatus send_csw(UsbStorage *s, UsbPacket *p)
{
    uint8_t csw[CSW_SIZE];

    if (s->request) {
        return USB_ASYNC;
    }
    store_le32(csw, CSW_SIGNATURE);
    store_le32(csw + 4, s->tag);
    store_le32(csw + 8, (uint32_t)(s->expected - MIN(s->moved, s->expected)));
    csw[12] = s->status;
    to_cbw(s);
    return usb_packet_put(p, csw, sizeof(csw));
}

static UsbStatus advance(UsbStorage *s)
{
    UsbPacket *p = s->packet;
    bool in = p->pid == USB_PID_IN;
    UsbStatus status = USB_STALL;

    s->advancing = true;
    switch (s->stage) {
    case STAGE_CBW:
        status = in ? USB_STALL : take_cbw(s, p);
        break;
    case STAGE_OUT:
    case STAGE_IN:
        if (in == (s->stage == STAGE_IN)) {
            status = move_data(s, p);
        }
        break;
    case STAGE_CSW:
        if (in) {
            status = send_csw(s, p);
        } else if (!s->request) {       /* the host gave up on the status */
            status = take_cbw(s, p);
        }
        break;
    }
    s->advancing = false;
    return status;
}

/* --- the USB side --- */

static UsbStatus storage_transfer(UsbDevice *d, UsbPacket *p)
{
    UsbStorage *s = USB_STORAGE(d);
    UsbStatus status;

    if (s->packet) {
        return USB_NAK;                 /* the other endpoint's goes first */
    }
    s->packet = p;
    status = advance(s);
    if (status != USB_ASYNC) {
        s->packet = NULL;
    }
    return status;
}

static void storage_cancel(UsbDevice *d, UsbPacket *p)
{
    UsbStorage *s = USB_STORAGE(d);

    if (s->packet == p) {
        s->skip = p->pid == USB_PID_OUT ? p->actual : 0;
        s->packet = NULL;
    }
}

static UsbStatus storage_control(UsbDevice *d, const UsbSetup *r, uint8_t *data, uint32_t *actual)
{
    UsbStorage *s = USB_STORAGE(d);
    uint8_t most = 0;

    switch (USB_REQ(r->type, r->request)) {
    case USB_REQ(USB_TYPE_CLASS | USB_RECIP_INTERFACE, REQ_RESET):
        to_cbw(s);
        return USB_OK;
    case USB_REQ(USB_DIR_IN | USB_TYPE_CLASS | USB_RECIP_INTERFACE, REQ_MAX_LUN):
        for (Device *o = s->bus->bus.devices; o; o = o->sibling) {
            most = MAX(most, (uint8_t)SCSI_DEVICE(o)->lun);
        }
        data[0] = most;
        *actual = MIN(r->length, 1);
        return USB_OK;
    default:
        return USB_STALL;
    }
}

static void storage_reset(UsbDevice *d)
{
    to_cbw(USB_STORAGE(d));
}

/* The drive goes to the unit, which is made here. */
static bool create_unit(UsbStorage *s, Error **errp)
{
    BlockBackend *blk = s->conf.blk;
    bool cd = blk->removable && blk_is_read_only(blk);
    Device *unit = device_new(cd ? "scsi-cd" : "scsi-hd");
    bool ok;

    s->conf.blk = NULL;
    blk->owner = NULL;
    ok = object_set_str(unit, "drive", blk->id, errp) &&
         (s->conf.bootindex < 0 || object_set_int(unit, "bootindex", s->conf.bootindex, errp)) &&
         (!s->usb.serial || object_set_str(unit, "serial", s->usb.serial, errp)) &&
         (cd || object_set_bool(unit, "removable", s->removable, errp)) &&
         object_set_uint(unit, "logical_block_size", s->conf.logical_block_size, errp) &&
         object_set_uint(unit, "physical_block_size", s->conf.physical_block_size, errp) &&
         object_set_uint(unit, "min_io_size", s->conf.min_io_size, errp) &&
         object_set_uint(unit, "opt_io_size", s->conf.opt_io_size, errp) &&
         object_set_uint(unit, "discard_granularity", s->conf.discard_granularity, errp) &&
         object_set_bool(unit, "share-rw", s->conf.share_rw, errp) &&
         object_set_str(unit, "write-cache", on_off_auto_names[s->conf.write_cache], errp) &&
         object_set_str(unit, "rerror", block_error_names[s->conf.rerror], errp) &&
         object_set_str(unit, "werror", block_error_names[s->conf.werror], errp) &&
         device_realize_child(unit, &s->usb.dev, "unit", &s->bus->bus, errp);
    if (!ok) {
        object_release_backends(unit);
    }
    object_unref(unit);
    return ok;
}

static bool bot_realize(Device *dev, UNUSED Error **errp)
{
    UsbStorage *s = USB_STORAGE(dev);

    s->bus = scsi_bus_new(dev, NULL, &host_ops, s);
    return true;
}

static bool storage_realize(Device *dev, Error **errp)
{
    UsbStorage *s = USB_STORAGE(dev);

    if (!s->conf.blk) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "drive property not set");
        error_argument(errp, "drive", NULL, "the id of a drive or block node");
        return false;
    }
    return create_unit(s, errp);
}

static void bot_unrealize(Device *dev)
{
    forget_request(USB_STORAGE(dev));
}

static bool storage_post_load(void *opaque, Error **errp)
{
    UsbStorage *s = opaque;
    uint32_t pos = s->step_pos;

    if (!s->request || !s->request->in_step) {
        s->step = NULL;
        s->step_len = 0;
    }
    if (pos > s->step_len || s->left > s->expected ||
        (s->step && (s->step_len == pos || s->stage == STAGE_CBW || s->stage == STAGE_CSW)) ||
        (s->request && s->stage == STAGE_CBW) ||
        ((s->stage == STAGE_IN || s->stage == STAGE_OUT) && !s->left)) {
        error_setf(errp, ERR_STATE_INVALID, "'%s': stage %u with %u of %u bytes left, %u of %u in "
                   "the step", object_type_name(s), s->stage, s->left, s->expected, pos,
                   s->step_len);
        to_cbw(s);
        return false;
    }
    return true;
}

static void storage_pre_save(void *opaque)
{
    UsbStorage *s = opaque;

    if (s->packet) {                    /* it comes again */
        s->skip = s->packet->pid == USB_PID_OUT ? s->packet->actual : 0;
    }
}

static const VmField storage_fields[] = {
    VM_USB(UsbStorage, usb), VM_U32_RANGE(UsbStorage, stage, 0, STAGE_CSW),
    VM_U32(UsbStorage, tag), VM_U32(UsbStorage, expected), VM_U32(UsbStorage, left),
    VM_U8_RANGE(UsbStorage, status, 0, CSW_PHASE_ERROR), VM_BOOL(UsbStorage, phase_error),
    VM_U32(UsbStorage, step_pos), VM_U64(UsbStorage, moved), VM_U32(UsbStorage, skip),
    VM_SCSI_REQUEST(UsbStorage, request, bus), VM_END
};
static const VmMeaning storage_meanings[] = {
    { "stage", "of the bulk-only transport", VALUES("command", "data out", "data in", "status") },
    { "tag", "dCBWTag" }, { "expected", "dCBWDataTransferLength" }, { "left", "of it, still to be moved" },
    { "status", "bCSWStatus", VALUES("passed", "failed", "phase error") },
    { "step_pos", "bytes of the request's step that are moved" },
    { "moved", "bytes that the request that has ended has moved" }, { "skip", "bytes of the next packet that came before" },
    { .name = NULL }
};

static const Property storage_props[] = {
    BLOCK_CONF_PROPS(UsbStorage, conf),
    PROP_BOOL("removable", UsbStorage, removable, false, "the medium can be taken out"),
    PROP_END
};

static const UsbClass storage_class = {
    .desc = &storage_desc, .reset = storage_reset, .control = storage_control,
    .transfer = storage_transfer, .cancel = storage_cancel,
};

static const DeviceType base_type = {
    .name = TYPE_USB_STORAGE_BASE, .parent = TYPE_USB_DEVICE, .size = sizeof(UsbStorage),
    .abstract = true, .category = DEVICE_STORAGE, .fw_name = "storage", .realize = bot_realize,
    .unrealize = bot_unrealize, .data = &storage_class,
    .vm = { 1, storage_fields, .pre_save = storage_pre_save, .post_load = storage_post_load, .meanings = storage_meanings },
};
DEVICE_TYPE(base_type)

static const DeviceType bot_type = {
    .name = "usb-bot", .parent = TYPE_USB_STORAGE_BASE,
    .desc = "USB mass storage with a SCSI bus for its units",
};
DEVICE_TYPE(bot_type)

static const DeviceType storage_type = {
    .name = "usb-storage", .parent = TYPE_USB_STORAGE_BASE, .desc = "USB disk",
    .props = storage_props, .realize = storage_realize,
};
DEVICE_TYPE(storage_type)
