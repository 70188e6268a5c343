/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices at an IDE cable: ide-hd and ide-cd, and the type of bus. */
#include "util/osdep.h"
#include "hw/ide/ide.h"

static const BusType ide_bus_type = { .name = TYPE_IDE_BUS, .size = sizeof(Bus), .max_devices = 2 };
BUS_TYPE(ide_bus_type)

static void media_changed(void *opaque, bool loaded)
{
    IdeDrive *d = opaque;

    d->nb_sectors = blk_length(d->blk) / IDE_SECTOR;
    mmc_media_changed(&d->mmc, loaded);
}

static bool is_locked(void *opaque)
{
    return ((IdeDrive *)opaque)->mmc.tray_locked;
}

static bool tray_open(void *opaque)
{
    return ((IdeDrive *)opaque)->mmc.tray_open;
}

static void eject_request(void *opaque, bool force)
{
    mmc_eject_request(&((IdeDrive *)opaque)->mmc, force);
}

static void resized(void *opaque)
{
    IdeDrive *d = opaque;

    d->nb_sectors = blk_length(d->blk) / IDE_SECTOR;
}

static void set_tray(void *opaque, bool open)
{
    mmc_set_tray(&((IdeDrive *)opaque)->mmc, open);
}

static const BlockDeviceOps hd_ops = { .resized = resized };
static const BlockDeviceOps cd_ops = {
    .media_changed = media_changed, .is_locked = is_locked, .tray_open = tray_open,
    .eject_request = eject_request, .set_tray = set_tray,
};

/* The cable of a bus: the controller that owns it has the channels in its struct; it tells which by
 * the bus's pointer when the drive is realized. */
static IdeChannel *channel_of(Bus *bus)
{
    IdeChannel *(*find)(Device *owner, Bus *bus) = device_type(bus->parent)->data;

    return find(bus->parent, bus);
}

static bool place(IdeDrive *d, IdeChannel *c, Error **errp)
{
    if (d->unit < 0) {
        d->unit = c->drive[0] ? 1 : 0;
    }
    if (d->unit > 1) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'unit' is %d; accepted: 0, 1", d->unit);
        return false;
    }
    if (c->drive[d->unit]) {
        error_setf(errp, ERR_IN_USE, "unit %d of bus '%s' is taken", d->unit, c->bus->name);
        return false;
    }
    return true;
}

static bool drive_realize(Device *dev, Error **errp)
{
    IdeDrive *d = IDE_DRIVE(dev);
    IdeChannel *c = channel_of(dev->bus);
    static unsigned numbers;    /* of serial numbers made up */

    d->is_cd = object_is_a(dev, "ide-cd");
    if (!d->is_cd && !d->blk) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'drive' must be given");
        error_argument(errp, "drive", NULL, "the id of a drive or block node");
        return false;
    }
    if (!place(d, c, errp)) {
        return false;
    }
    if (!d->blk) {
        char *id = g_strdup_printf("%s-cd%d", dev->bus->name, d->unit);

        d->blk = blk_new(id, errp);
        g_free(id);
        if (!d->blk) {
            return false;
        }
        d->blk->owner = d;
        d->blk->read_only = d->blk->removable = true;
    }
    if (!d->is_cd && !blk_has_medium(d->blk)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "drive '%s' has no image, and a disk needs one",
                   d->blk->id);
        return false;
    }
    if (!d->serial) {
        d->serial = g_strdup_printf("QM%05u", ++numbers);
    }
    if (!d->model) {
        d->model = g_strdup(d->is_cd ? "QEMU DVD-ROM" : "QEMU HARDDISK");
    }
    if (!d->version) {
        d->version = g_strdup("2.5+");
    }
    d->nb_sectors = blk_length(d->blk) / IDE_SECTOR;
    d->buffer = g_malloc0(IDE_STEP);
    d->write_cache = true;
    d->udma_mode = d->mwdma_mode = 0xff;
    if (d->is_cd) {
        d->mmc.blk = d->blk;
        d->mmc.owner = d;
        atapi_identify_init(d);
        blk_set_device_ops(d->blk, &cd_ops, d);
    } else {
        ata_identify_init(d);
        blk_set_device_ops(d->blk, &hd_ops, d);
    }
    d->channel = c;
    c->drive[d->unit] = d;
    ide_signature(d);
    return true;
}

static void drive_unrealize(Device *dev)
{
    IdeDrive *d = IDE_DRIVE(dev);

    d->io_serial++;
    if (d->blk) {
        blk_cancel_held(d->blk);
        blk_drain(d->blk);
        blk_set_device_ops(d->blk, NULL, NULL);
    }
    if (d->channel) {
        d->channel->drive[d->unit] = NULL;
        d->channel = NULL;
    }
    g_free(d->buffer);
    d->buffer = NULL;
}

static void drive_pre_save(void *opaque)
{
    IdeDrive *d = opaque;

    /* What is in flight ends first, so that the state has no request in it. */
    blk_drain(d->blk);
}

static bool drive_post_load(void *opaque, Error **errp)
{
    IdeDrive *d = opaque;

    if (d->pos > d->end || d->end > IDE_BUFFER || d->block > (d->dma ? IDE_STEP : IDE_BUFFER) / IDE_SECTOR ||
        d->fetched > (IDE_BUFFER - d->end) / IDE_SECTOR || d->fetched > d->left) {
        error_setf(errp, ERR_STATE_INVALID, "the data phase is from byte %u to %u of %u", d->pos,
                   d->end, IDE_BUFFER);
        return false;
    }
    if (!d->is_cd && (!d->sectors || !d->heads)) {
        d->sectors = 63;
        d->heads = 16;
    }
    d->busy_io = false;
    return true;
}

static const VmField regs_fields[] = {
    VM_U8(IdeRegs, feature), VM_U8(IdeRegs, count), VM_U8(IdeRegs, lba_low),
    VM_U8(IdeRegs, lba_mid), VM_U8(IdeRegs, lba_high), VM_U8(IdeRegs, device),
    VM_U8(IdeRegs, hob_feature), VM_U8(IdeRegs, hob_count), VM_U8(IdeRegs, hob_low),
    VM_U8(IdeRegs, hob_mid), VM_U8(IdeRegs, hob_high), VM_END
};
static const VmState regs_vm = { 1, regs_fields };

static const VmField drive_fields[] = {
    VM_STRUCT(IdeDrive, r, regs_vm), VM_U8(IdeDrive, status), VM_U8(IdeDrive, error),
    VM_U8_RANGE(IdeDrive, mult_sectors, 0, IDE_MAX_MULT), VM_U16_ARRAY(IdeDrive, identify),
    VM_U32(IdeDrive, cylinders), VM_U32_RANGE(IdeDrive, heads, 0, 16),
    VM_U32_RANGE(IdeDrive, sectors, 0, 255), VM_U8(IdeDrive, udma_mode),
    VM_U8(IdeDrive, mwdma_mode), VM_BOOL(IdeDrive, write_cache),
    VM_U32_RANGE(IdeDrive, phase, 0, IDE_PHASE__LAST), VM_U32_RANGE(IdeDrive, dma, 0, IDE_DMA__LAST),
    VM_U64(IdeDrive, lba), VM_U32(IdeDrive, left), VM_U32(IdeDrive, block),
    VM_U32(IdeDrive, fetched), VM_U32(IdeDrive, pos), VM_U32(IdeDrive, end),
    VM_BUFFER_PTR(IdeDrive, buffer, IDE_BUFFER), VM_BOOL(IdeDrive, lba48),
    VM_BUFFER(IdeDrive, packet), VM_U32(IdeDrive, packet_left), VM_U32(IdeDrive, packet_limit),
    VM_U8(IdeDrive, sense), VM_U8(IdeDrive, asc), VM_U8(IdeDrive, ascq),
    VM_BOOL(IdeDrive, packet_dma), VM_STRUCT(IdeDrive, mmc, mmc_vm), VM_END
};

static const Property drive_props[] = {
    PROP_DRIVE("drive", IdeDrive, blk, "the image"),
    PROP_I32("unit", IdeDrive, unit, -1, "0: first drive of the cable, 1: second; -1: what is free"),
    PROP_STR("serial", IdeDrive, serial, NULL, "serial number, up to 20 characters"),
    PROP_STR("model", IdeDrive, model, NULL, "model, up to 40 characters"),
    PROP_STR("ver", IdeDrive, version, NULL, "firmware revision, up to 8 characters"),
    PROP_U64("wwn", IdeDrive, wwn, 0, "world wide name; 0: none"),
    PROP_I32("bootindex", IdeDrive, boot_index, -1, "place in the boot order; -1: none"),
    PROP_END
};

static const DeviceType drive_type = {
    .name = TYPE_IDE_DRIVE, .parent = TYPE_DEVICE, .abstract = true, .size = sizeof(IdeDrive),
    .bus_type = TYPE_IDE_BUS, .category = DEVICE_STORAGE, .props = drive_props,
    .realize = drive_realize, .unrealize = drive_unrealize,
    .vm = { 1, drive_fields, .pre_save = drive_pre_save, .post_load = drive_post_load },
};
DEVICE_TYPE(drive_type)

static const DeviceType hd_type = {
    .name = "ide-hd", .parent = TYPE_IDE_DRIVE, .desc = "virtual IDE disk",
};
DEVICE_TYPE(hd_type)

static const DeviceType cd_type = {
    .name = "ide-cd", .parent = TYPE_IDE_DRIVE, .desc = "virtual IDE CD-ROM",
};
DEVICE_TYPE(cd_type)
