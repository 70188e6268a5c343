/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices at an IDE cable: ide-hd and ide-cd, and the type of bus. */
#include "util/osdep.h"
#include "hw/ide/ide.h"
#include "hw/ide/ide-state.h"

/* As SeaBIOS names drives: the channel by its place at the controller, then the unit. */
static char *ide_fw_path(const Device *dev, UNUSED const char *name)
{
    unsigned channel = 0;

    for (const Bus *b = dev->bus->parent->buses; b && b != dev->bus; b = b->sibling) {
        channel++;
    }
    return g_strdup_printf("drive@%u/disk@%d", channel,
                           object_is_a(dev, TYPE_IDE_DRIVE) ? IDE_DRIVE(dev)->unit : 0);
}

static const BusType ide_bus_type = {
    .name = TYPE_IDE_BUS, .size = sizeof(Bus), .max_devices = 2, .fixed = true, .fw_path = ide_fw_path,
};
BUS_TYPE(ide_bus_type)

static const BusType sata_bus_type = {
    .name = TYPE_SATA_BUS, .parent = TYPE_IDE_BUS, .numbered_as = "ide", .size = sizeof(Bus), .max_devices = 1,
    .fw_path = ide_fw_path,
};
BUS_TYPE(sata_bus_type)

static void media_changed(void *opaque, bool loaded)
{
    IdeDrive *d = opaque;

    d->nb_sectors = blk_length(d->conf.blk) / d->sector;
    mmc_media_changed(&d->mmc, loaded);
    ide_notify(d);
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
    IdeDrive *d = opaque;

    mmc_eject_request(&d->mmc, force);
    ide_notify(d);
}

static void resized(void *opaque)
{
    IdeDrive *d = opaque;

    d->nb_sectors = blk_length(d->conf.blk) / d->sector;
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
IdeChannel *ide_channel_of(Bus *bus)
{
    IdeChannel *(*find)(Device *owner, Bus *bus) = device_data(bus->parent);

    return find(bus->parent, bus);
}

static bool place(IdeDrive *d, IdeChannel *c, Error **errp)
{
    if (d->unit < 0) {
        d->unit = c->drive[0] ? 1 : 0;
    }
    if (d->unit >= c->units) {
        error_setf(errp, ERR_PROPERTY_RANGE, "Can't create IDE unit %d, bus supports only %u units",
                   d->unit, c->units);
        return false;
    }
    if (c->drive[d->unit]) {
        error_setf(errp, ERR_IN_USE, "unit %d of bus '%s' is taken", d->unit, c->bus->name);
        return false;
    }
    return true;
}

static void set_power_on(IdeDrive *d)
{
    d->write_cache = block_conf_write_cache(&d->conf);
    blk_set_write_cache(d->conf.blk, d->write_cache);
    d->smart = d->smart_autosave = true;
    d->standby = d->asleep = false;
    d->identify[79] &= ~SATA_AN;
    d->mult_sectors = 0;
    d->udma_mode = d->mwdma_mode = 0xff;
}

/* An I/O thread may have commands for whoever is there. */
static void set_place(IdeChannel *c, unsigned unit, IdeDrive *d)
{
    bool lock = c->ops && c->ops->lock;

    if (lock) {
        c->ops->lock(c->opaque);
    }
    if (!d) {
        c->drive[unit]->io_serial++;
    }
    c->drive[unit] = d;
    if (!d && c->plugged) {
        c->plugged(c->opaque, false);
    }
    if (lock) {
        c->ops->unlock(c->opaque);
    }
}

static bool drive_realize(Device *dev, Error **errp)
{
    IdeDrive *d = IDE_DRIVE(dev);
    IdeChannel *c = ide_channel_of(dev->bus);
    static unsigned numbers;    /* of serial numbers made up */

    d->is_cd = object_is_a(dev, "ide-cd");
    if (!d->is_cd && !d->conf.blk) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "property 'drive' must be given");
        error_argument(errp, "drive", NULL, "the id of a drive or block node");
        return false;
    }
    if (!place(d, c, errp)) {
        return false;
    }
    if (!d->conf.blk) {
        char *id = g_strdup_printf("%s-cd%d", dev->bus->name, d->unit);

        d->conf.blk = blk_new(id, errp);
        g_free(id);
        if (!d->conf.blk) {
            return false;
        }
        d->conf.blk->owner = d;
        d->conf.blk->read_only = d->conf.blk->removable = true;
    }
    if (!d->is_cd && !blk_has_medium(d->conf.blk)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "drive '%s' has no image, and a disk needs one",
                   d->conf.blk->id);
        return false;
    }
    if (!block_conf_realize(&d->conf, IDE_SECTOR, errp)) {
        return false;
    }
    if (d->conf.logical_block_size > IDE_SECTOR_MAX) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'logical_block_size' is %u; accepted: up to %u",
                   d->conf.logical_block_size, IDE_SECTOR_MAX);
        return false;
    }
    d->sector = d->is_cd ? IDE_SECTOR : d->conf.logical_block_size;
    if (!boot_add(dev, d->conf.bootindex, NULL, errp)) {
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
    d->nb_sectors = blk_length(d->conf.blk) / d->sector;
    d->buffer = g_malloc0(IDE_STEP);
    d->channel = c;
    d->bad = UINT64_MAX;
    set_power_on(d);
    if (d->is_cd) {
        d->conf.blk->removable = true;          /* whatever -drive called it */
        d->mmc.blk = d->conf.blk;
        atapi_identify_init(d);
        blk_set_device_ops(d->conf.blk, &cd_ops, d);
    } else {
        ata_identify_init(d);
        blk_set_device_ops(d->conf.blk, &hd_ops, d);
    }
    ide_signature(d);
    set_place(c, d->unit, d);
    if (c->plugged) {
        c->plugged(c->opaque, true);
    }
    return true;
}

static void drive_unrealize(Device *dev)
{
    IdeDrive *d = IDE_DRIVE(dev);

    /* From here on nothing new begins. */
    set_place(d->channel, d->unit, NULL);
    blk_cancel_held(d->conf.blk);
    blk_drain(d->conf.blk);
    blk_set_device_ops(d->conf.blk, NULL, NULL);
    blk_set_loop(d->conf.blk, NULL);
    boot_remove(dev);
    d->channel = NULL;
    g_free(d->buffer);
    d->buffer = NULL;
    ide_faults_clear(d);
}

/* What commands chose is as it was when the power came. */
static void drive_reset(Device *dev)
{
    set_power_on(IDE_DRIVE(dev));
}

static void drive_pre_save(void *opaque)
{
    IdeDrive *d = opaque;

    /* What is in flight ends first, so that the state has no request in it. */
    blk_drain(d->conf.blk);
}

static bool drive_post_load(void *opaque, Error **errp)
{
    IdeDrive *d = opaque;

    if (d->pos > d->end || d->end > IDE_BUFFER || d->block > (d->dma ? IDE_STEP : IDE_BUFFER) / d->sector ||
        d->fetched > (IDE_BUFFER - d->end) / d->sector || d->fetched > d->left) {
        error_setf(errp, ERR_STATE_INVALID, "the data phase is from byte %u to %u of %u", d->pos,
                   d->end, IDE_BUFFER);
        return false;
    }
    if (!d->is_cd && (!d->sectors || !d->heads)) {
        d->sectors = 63;
        d->heads = 16;
    }
    d->busy_io = false;
    blk_set_write_cache(d->conf.blk, d->write_cache);
    return true;
}

static const VmField regs_fields[] = {
    VM_U8(IdeRegs, feature), VM_U8(IdeRegs, count), VM_U8(IdeRegs, lba_low),
    VM_U8(IdeRegs, lba_mid), VM_U8(IdeRegs, lba_high), VM_U8(IdeRegs, device),
    VM_U8(IdeRegs, hob_feature), VM_U8(IdeRegs, hob_count), VM_U8(IdeRegs, hob_low),
    VM_U8(IdeRegs, hob_mid), VM_U8(IdeRegs, hob_high), VM_U8_V(IdeRegs, command, 2), VM_END
};
static const VmState regs_vm = { 2, regs_fields, .min_version = 1, .meanings = ide_regs_meanings };

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
    VM_BOOL(IdeDrive, packet_dma), VM_STRUCT(IdeDrive, mmc, mmc_vm), VM_BOOL_V(IdeDrive, fua, 2),
    VM_BOOL_V(IdeDrive, smart, 2), VM_BOOL_V(IdeDrive, smart_autosave, 2), VM_BOOL_V(IdeDrive, standby, 2),
    VM_BOOL_V(IdeDrive, asleep, 2), VM_BOOL_V(IdeDrive, ncq_stopped, 2), VM_BUFFER_V(IdeDrive, ncq_log, 2),
    VM_END
};

static const Property drive_props[] = {
    BLOCK_CONF_PROPS(IdeDrive, conf),
    PROP_I32("unit", IdeDrive, unit, -1, "0: first drive of the cable, 1: second; -1: what is free"),
    PROP_STR("serial", IdeDrive, serial, NULL, "serial number, up to 20 characters"),
    PROP_STR("model", IdeDrive, model, NULL, "model, up to 40 characters"),
    PROP_STR("ver", IdeDrive, version, NULL, "firmware revision, up to 8 characters"),
    PROP_U64("wwn", IdeDrive, wwn, 0, "world wide name; 0: none"),
    PROP_END
};

/* AHCI's disks are its thread's. */
static EventLoop *drive_io_loop(Device *dev)
{
    return device_io_loop(dev->bus->parent);
}

static const DeviceType drive_type = {
    .name = TYPE_IDE_DRIVE, .parent = TYPE_DEVICE, .abstract = true, .size = sizeof(IdeDrive),
    .printers = ide_drive_printers, .io_loop = drive_io_loop,
    .bus_type = TYPE_IDE_BUS, .category = DEVICE_STORAGE, .hotpluggable = true, .props = drive_props,
    .realize = drive_realize, .unrealize = drive_unrealize,
    .reset_hold = drive_reset,
    .vm = { 2, drive_fields, .min_version = 1, .pre_save = drive_pre_save, .post_load = drive_post_load,
            .meanings = ide_drive_meanings },
};
DEVICE_TYPE(drive_type)

static const Property hd_props[] = {
    BLOCK_GEOMETRY_PROPS(IdeDrive, conf),
    PROP_U16("rotation_rate", IdeDrive, rotation_rate, 1, "turns a minute; 1: it doesn't turn, 0: not told"),
    PROP_END
};

static const DeviceType hd_type = {
    .name = "ide-hd", .parent = TYPE_IDE_DRIVE, .desc = "virtual IDE disk", .props = hd_props,
};
DEVICE_TYPE(hd_type)

static const DeviceType cd_type = {
    .name = "ide-cd", .parent = TYPE_IDE_DRIVE, .desc = "virtual IDE CD-ROM",
};
DEVICE_TYPE(cd_type)
