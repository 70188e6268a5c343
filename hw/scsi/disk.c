/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices scsi-hd and scsi-cd. */
#include "util/osdep.h"
#include "hw/scsi/disk.h"

#include "util/bswap.h"

uint64_t scsi_disk_blocks(const ScsiDisk *d)
{
    return d->mmc.tray_open ? 0 : blk_length(d->conf.blk) / d->conf.logical_block_size;
}

bool scsi_disk_read_only(const ScsiDisk *d)
{
    return d->is_cd || blk_is_read_only(d->conf.blk);
}

uint32_t scsi_device_block_size(const ScsiDevice *d)
{
    return object_is_a(d, TYPE_SCSI_DISK) ? SCSI_DISK(d)->conf.logical_block_size : 512;
}

/* --- commands --- */

static void mmc_reply(ScsiDisk *d, ScsiRequest *r)
{
    uint8_t *b = scsi_request_buffer(r, MMC_REPLY_MAX);
    int n = MMC_INVALID_FIELD;

    switch (r->cdb[0]) {
    case 0x43: n = mmc_read_toc(&d->mmc, r->cdb, b); break;
    case 0x46: n = mmc_get_configuration(&d->mmc, r->cdb, b); break;
    case 0x4a: n = mmc_event_status(&d->mmc, r->cdb, b); break;
    case 0x51: n = mmc_disc_information(&d->mmc, r->cdb, b); break;
    case 0x52: n = mmc_track_information(&d->mmc, r->cdb, b); break;
    case 0xad: n = mmc_disc_structure(&d->mmc, r->cdb, b); break;
    case 0xbd: n = mmc_mechanism_status(&d->mmc, r->cdb, b); break;
    }
    if (n == MMC_NO_MEDIUM) {
        scsi_request_fail(r, SENSE_NO_MEDIUM);
    } else if (n < 0) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
    } else {
        scsi_request_reply(r, n);
    }
}

static void read_capacity_10(ScsiDisk *d, ScsiRequest *r)
{
    uint8_t *b = scsi_request_buffer(r, 8);
    uint64_t last = scsi_disk_blocks(d) - 1;

    if (load_be32(r->cdb + 2) && !(r->cdb[8] & 1)) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    store_be32(b, MIN(last, UINT32_MAX));       /* SBC-3, 5.12.2 */
    store_be32(b + 4, d->conf.logical_block_size);
    scsi_request_reply(r, 8);
}

/* SERVICE ACTION IN(16): READ CAPACITY(16) only. */
static void read_capacity_16(ScsiDisk *d, ScsiRequest *r)
{
    uint8_t *b = scsi_request_buffer(r, 32);
    uint32_t ratio = d->conf.physical_block_size / d->conf.logical_block_size;

    if ((r->cdb[1] & 0x1f) != 0x10) {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
        return;
    }
    store_be64(b, scsi_disk_blocks(d) - 1);
    store_be32(b + 8, d->conf.logical_block_size);
    b[13] = ratio ? __builtin_ctz(ratio) & 15 : 0;
    b[14] = block_conf_discard_unit(&d->conf) ? 0x80 : 0;       /* LBPME */
    scsi_request_reply(r, 32);
}

/* What others are told of, or ask for: under the big lock, also in an I/O thread. */
static bool move_tray(ScsiDisk *d, uint8_t flags)
{
    bool locked = big_lock_held(), ok;

    if (!locked) {
        big_lock();
    }
    ok = mmc_start_stop(&d->mmc, flags);
    if (!locked) {
        big_unlock();
    }
    return ok;
}

static void start_stop(ScsiDisk *d, ScsiRequest *r)
{
    if (d->removable && !move_tray(d, r->cdb[4])) {
        scsi_request_fail(r, SENSE_REMOVAL_PREVENTED);
        return;
    }
    if (!(r->cdb[4] & 0xf2)) {                  /* no power condition, no LoEj */
        d->stopped = !(r->cdb[4] & 1);
    }
    scsi_request_good(r);
}

/* READ CD: user data of 2048 bytes only. */
static void read_cd(ScsiDisk *d, ScsiRequest *r)
{
    uint8_t what = r->cdb[9] & 0xf8;

    if (!r->xfer) {
        scsi_request_good(r);
    } else if (what == 0x10) {
        r->lba = load_be32(r->cdb + 2);
        scsi_disk_read_write(d, r, SCSI_OP_READ);
    } else {
        scsi_request_fail(r, SENSE_INVALID_FIELD);
    }
}

static ScsiSense no_medium(const ScsiDisk *d)
{
    return d->mmc.tray_open ? SENSE_NO_MEDIUM_OPEN : SENSE_NO_MEDIUM_CLOSED;
}

/* SBC-3: those that need a medium that is there and turns. */
static bool not_ready(ScsiDisk *d, ScsiRequest *r)
{
    switch (r->cdb[0]) {
    case 0x12: case 0x1a: case 0x5a: case 0x15: case 0x55: case 0x1b: case 0x1e: case 0x46:
    case 0x4a: case 0xbd: case 0xa3: case 0x1d: case 0x16: case 0x17: case 0x56: case 0x57:
        return false;
    }
    if (d->mmc.tray_open || !scsi_disk_blocks(d)) {
        scsi_request_fail(r, no_medium(d));
        return true;
    }
    if (d->stopped) {
        scsi_request_fail(r, SENSE_NOT_STARTED);
        return true;
    }
    return false;
}

static bool cd_command(ScsiDisk *d, ScsiRequest *r)
{
    switch (r->cdb[0]) {
    case 0x43: case 0x46: case 0x4a: case 0x51: case 0x52: case 0xad: case 0xbd:
        mmc_reply(d, r);
        return true;
    case 0xbb:                                  /* SET CD SPEED */
        scsi_request_good(r);
        return true;
    case 0xbe:
        read_cd(d, r);
        return true;
    default:
        return false;
    }
}

static bool disk_only_command(ScsiDisk *d, ScsiRequest *r)
{
    switch (r->cdb[0]) {
    case 0x04:                                  /* FORMAT UNIT: nothing is to be done */
        if (r->cdb[1] & 0x10) {
            scsi_request_fail(r, SENSE_INVALID_FIELD);
        } else {
            scsi_request_good(r);
        }
        return true;
    case 0x0a: case 0x2a: case 0xaa: case 0x8a: case 0x2e: case 0xae: case 0x8e:
        scsi_disk_read_write(d, r, SCSI_OP_WRITE);
        return true;
    case 0x41: case 0x93:
        scsi_disk_write_same(d, r);
        return true;
    case 0x42:
        scsi_disk_unmap(d, r);
        return true;
    case 0x16: case 0x17: case 0x56: case 0x57: /* RESERVE, RELEASE: there is one initiator */
    case 0x01:                                  /* REZERO UNIT */
        scsi_request_good(r);
        return true;
    default:
        return false;
    }
}

static void disk_command(ScsiDevice *dev, ScsiRequest *r)
{
    ScsiDisk *d = SCSI_DISK(dev);

    if (not_ready(d, r) || (d->is_cd ? cd_command(d, r) : disk_only_command(d, r))) {
        return;
    }
    switch (r->cdb[0]) {
    case 0x00: scsi_request_good(r); break;                     /* TEST UNIT READY */
    case 0x08: case 0x28: case 0xa8: case 0x88: scsi_disk_read_write(d, r, SCSI_OP_READ); break;
    case 0x0b: case 0x2b: scsi_request_good(r); break;          /* SEEK */
    case 0x12: scsi_disk_inquiry(d, r); break;
    case 0x15: case 0x55:
        r->op = SCSI_OP_PARAMETERS;
        if (r->xfer) {
            scsi_request_buffer(r, r->xfer);
            scsi_request_step(r, r->xfer);
        } else {
            scsi_request_good(r);
        }
        break;
    case 0x1a: case 0x5a: scsi_disk_mode_sense(d, r); break;
    case 0x1b: start_stop(d, r); break;
    case 0x1d:                                                  /* SEND DIAGNOSTIC: self-test */
        if (r->cdb[1] & 4 && !r->xfer) {
            scsi_request_good(r);
        } else {
            scsi_request_fail(r, SENSE_INVALID_FIELD);
        }
        break;
    case 0x1e: d->mmc.tray_locked = r->cdb[4] & 1; scsi_request_good(r); break;
    case 0x25: read_capacity_10(d, r); break;
    case 0x2f: case 0xaf: case 0x8f: scsi_disk_verify(d, r); break;
    case 0x35: case 0x91: scsi_disk_flush(d, r); break;         /* SYNCHRONIZE CACHE */
    case 0x9e: read_capacity_16(d, r); break;
    default: scsi_request_fail(r, SENSE_INVALID_COMMAND);
    }
}

static void disk_more(ScsiDevice *dev, ScsiRequest *r)
{
    scsi_disk_io_more(SCSI_DISK(dev), r);
}

static EventLoop *loop_of(const ScsiDisk *d)
{
    return scsi_bus(&d->scsi)->loop;
}

static void disk_drain(ScsiDevice *dev)
{
    BlockBackend *b = SCSI_DISK(dev)->conf.blk;

    blk_cancel_held(b);
    blk_drain(b);
}

static void disk_settle(ScsiDevice *dev)
{
    ScsiDisk *d = SCSI_DISK(dev);

    /* What is being started is in flight then. */
    event_loop_park(loop_of(d));
    event_loop_unpark(loop_of(d));
    blk_drain(d->conf.blk);
}

static void disk_reset(ScsiDevice *dev)
{
    ScsiDisk *d = SCSI_DISK(dev);

    d->mmc.tray_locked = false;
    d->stopped = false;
    d->write_cache = block_conf_write_cache(&d->conf);
    if (d->conf.blk) {              /* not if realize has failed */
        blk_set_write_cache(d->conf.blk, d->write_cache);
    }
}

static const ScsiDeviceOps disk_ops = {
    .command = disk_command, .more = disk_more, .drain = disk_drain, .settle = disk_settle,
    .reset = disk_reset,
};

/* --- media --- */

static void media_changed(void *opaque, bool loaded)
{
    ScsiDisk *d = opaque;
    LOOP_PARKED(loop_of(d));

    mmc_media_changed(&d->mmc, loaded);
    scsi_device_attention(&d->scsi, SENSE_MEDIUM_CHANGED);
}

static bool is_locked(void *opaque)
{
    ScsiDisk *d = opaque;
    LOOP_PARKED(loop_of(d));

    return d->mmc.tray_locked;
}

static bool tray_open(void *opaque)
{
    return ((ScsiDisk *)opaque)->mmc.tray_open;         /* changes under the big lock only */
}

static void eject_request(void *opaque, bool force)
{
    ScsiDisk *d = opaque;
    LOOP_PARKED(loop_of(d));

    mmc_eject_request(&d->mmc, force);
}

static void set_tray(void *opaque, bool open)
{
    ScsiDisk *d = opaque;
    LOOP_PARKED(loop_of(d));

    mmc_set_tray(&d->mmc, open);
    if (!open && blk_has_medium(d->conf.blk)) {
        scsi_device_attention(&d->scsi, SENSE_MEDIUM_CHANGED);
    }
}

static void resized(void *opaque)
{
    ScsiDisk *d = opaque;
    LOOP_PARKED(loop_of(d));

    scsi_device_attention(&d->scsi, SENSE_CAPACITY_CHANGED);
}

static const BlockDeviceOps removable_ops = {
    .media_changed = media_changed, .is_locked = is_locked, .tray_open = tray_open,
    .eject_request = eject_request, .resized = resized, .set_tray = set_tray,
};
static const BlockDeviceOps fixed_ops = { .resized = resized };

/* --- device --- */

static void default_text(char **s, const char *text)
{
    if (!*s) {
        *s = g_strdup(text);
    }
}

static bool take_drive(ScsiDisk *d, Error **errp)
{
    if (!d->is_cd && !d->conf.blk) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'drive' must be given");
        error_argument(errp, "drive", NULL, "the id of a drive or block node");
        error_argument(errp, "drive", NULL, "the id of a drive or block node");
        return false;
    }
    if (!d->conf.blk) {
        g_autofree char *id = g_strdup_printf("%s-cd%u-%d-%d", d->scsi.dev.bus->name,
                                              d->scsi.channel, d->scsi.id, d->scsi.lun);

        d->conf.blk = blk_new(id, errp);
        if (!d->conf.blk) {
            return false;
        }
        d->conf.blk->owner = d;
        d->conf.blk->read_only = d->conf.blk->removable = true;
    }
    if (!d->removable && !blk_has_medium(d->conf.blk)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "drive '%s' has no image, and a disk needs one",
                   d->conf.blk->id);
        return false;
    }
    return true;
}

static bool disk_realize(Device *dev, Error **errp)
{
    ScsiDisk *d = SCSI_DISK(dev);

    d->is_cd = object_is_a(dev, "scsi-cd");
    d->removable |= d->is_cd;
    d->scsi.type = d->is_cd ? 5 : 0;
    if (!take_drive(d, errp) || !block_conf_realize(&d->conf, d->is_cd ? CD_SECTOR : 512, errp)) {
        return false;
    }
    if (d->conf.logical_block_size > 32 * KIB) {
        error_setf(errp, ERR_PROPERTY_RANGE,
                   "property 'logical_block_size' is %u; accepted: up to 32768",
                   d->conf.logical_block_size);
        return false;
    }
    default_text(&d->serial, "");
    default_text(&d->vendor, "QEMU");
    default_text(&d->product, d->is_cd ? "QEMU CD-ROM" : "QEMU HARDDISK");
    default_text(&d->version, "2.5+");
    default_text(&d->device_id, *d->serial ? d->serial : d->conf.blk->id);
    d->conf.blk->removable |= d->removable;     /* whatever -drive called it */
    d->mmc.blk = d->conf.blk;
    disk_reset(&d->scsi);
    if (!boot_add(dev, d->conf.bootindex, NULL, errp)) {
        return false;
    }
    blk_set_device_ops(d->conf.blk, d->removable ? &removable_ops : &fixed_ops, d);
    if (loop_of(d)) {
        blk_set_loop(d->conf.blk, loop_of(d));
    }
    return true;
}

static void disk_unrealize(Device *dev)
{
    ScsiDisk *d = SCSI_DISK(dev);

    scsi_device_leave(&d->scsi);
    if (loop_of(d)) {
        blk_set_loop(d->conf.blk, NULL);
    }
    boot_remove(dev);
    blk_set_device_ops(d->conf.blk, NULL, NULL);
}

static void disk_reset_hold(Device *dev)
{
    ScsiDisk *d = SCSI_DISK(dev);
    LOOP_PARKED(loop_of(d));

    d->mmc.tray_open = false;
}

/* What is in flight ends first, so that the state has no access in it. */
static void disk_pre_save(void *opaque)
{
    disk_settle(&((ScsiDisk *)opaque)->scsi);
}

static bool disk_post_load(void *opaque, UNUSED Error **errp)
{
    ScsiDisk *d = opaque;

    blk_set_write_cache(d->conf.blk, d->write_cache);
    return true;
}

static const VmField disk_fields[] = {
    VM_STRUCT(ScsiDisk, scsi, scsi_device_vm), VM_STRUCT(ScsiDisk, mmc, mmc_vm),
    VM_BOOL(ScsiDisk, write_cache), VM_BOOL(ScsiDisk, stopped), VM_END
};

static const Property disk_props[] = {
    BLOCK_CONF_PROPS(ScsiDisk, conf),
    PROP_STR("serial", ScsiDisk, serial, NULL, "serial number, up to 36 characters"),
    PROP_STR("vendor", ScsiDisk, vendor, NULL, "vendor, up to 8 characters"),
    PROP_STR("product", ScsiDisk, product, NULL, "product, up to 16 characters"),
    PROP_STR("ver", ScsiDisk, version, NULL, "revision, up to 4 characters"),
    PROP_STR("device_id", ScsiDisk, device_id, NULL,
             "text of the identification page; default: the serial number or the drive's id"),
    PROP_U64("wwn", ScsiDisk, wwn, 0, "world wide name; 0: none"),
    PROP_U64("port_wwn", ScsiDisk, port_wwn, 0, "world wide name of the port; 0: none"),
    PROP_U16("port_index", ScsiDisk, port_index, 0, "number of the port; 0: not told"),
    { .name = "scsi_version", .desc = "VERSION of INQUIRY: 5 is SPC-3", .kind = PROP_KIND_I32,
      .offset = PROP_AT(ScsiDisk, scsi_version, int32_t), .def.i = 5 },
    PROP_END
};

static const DeviceType disk_type = {
    .name = TYPE_SCSI_DISK, .parent = TYPE_SCSI_DEVICE, .abstract = true,
    .size = sizeof(ScsiDisk), .props = disk_props, .realize = disk_realize,
    .unrealize = disk_unrealize, .reset_hold = disk_reset_hold,
    .vm = { 1, disk_fields, .pre_save = disk_pre_save, .post_load = disk_post_load }, .data = &disk_ops,
};
DEVICE_TYPE(disk_type)

static const Property hd_props[] = {
    BLOCK_GEOMETRY_PROPS(ScsiDisk, conf),
    PROP_BOOL("removable", ScsiDisk, removable, false, "the medium can be taken out"),
    PROP_BOOL("dpofua", ScsiDisk, dpofua, false, "DPO and FUA bits are offered"),
    PROP_U16("rotation_rate", ScsiDisk, rotation_rate, 0,
             "turns a minute; 1: it doesn't turn, 0: not told"),
    PROP_SIZE("max_unmap_size", ScsiDisk, max_unmap_size, 1 * GIB, "most bytes of one UNMAP range"),
    PROP_SIZE("max_io_size", ScsiDisk, max_io_size, INT32_MAX, "most bytes of one transfer"),
    PROP_END
};

static const DeviceType hd_type = {
    .name = "scsi-hd", .parent = TYPE_SCSI_DISK, .desc = "virtual SCSI disk", .props = hd_props,
};
DEVICE_TYPE(hd_type)

static const Property cd_props[] = {
    PROP_SIZE("max_io_size", ScsiDisk, max_io_size, INT32_MAX, "most bytes of one transfer"),
    PROP_END
};

static const DeviceType cd_type = {
    .name = "scsi-cd", .parent = TYPE_SCSI_DISK, .desc = "virtual SCSI CD-ROM", .props = cd_props,
};
DEVICE_TYPE(cd_type)
