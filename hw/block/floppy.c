/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floppy drives and the bus that they are on. */
#include "util/osdep.h"
#include "hw/block/floppy.h"

#include <glib.h>
#include "qobject/error.h"

/* What media there are: the first that fits the image's size counts. */
static const FloppyFormat formats[] = {
    { 18, 80, 2, 0, FLOPPY_144 },       /* 1.44M, and what is a little more or less of it */
    { 20, 80, 2, 0, FLOPPY_144 },
    { 21, 80, 2, 0, FLOPPY_144 },
    { 21, 82, 2, 0, FLOPPY_144 },
    { 21, 83, 2, 0, FLOPPY_144 },
    { 22, 80, 2, 0, FLOPPY_144 },
    { 23, 80, 2, 0, FLOPPY_144 },
    { 24, 80, 2, 0, FLOPPY_144 },
    { 36, 80, 2, 3, FLOPPY_288 },       /* 2.88M */
    { 39, 80, 2, 3, FLOPPY_288 },
    { 40, 80, 2, 3, FLOPPY_288 },
    { 44, 80, 2, 3, FLOPPY_288 },
    { 48, 80, 2, 3, FLOPPY_288 },
    { 9, 80, 2, 2, FLOPPY_144 },        /* 720K */
    { 10, 80, 2, 2, FLOPPY_144 },
    { 10, 82, 2, 2, FLOPPY_144 },
    { 10, 83, 2, 2, FLOPPY_144 },
    { 15, 80, 2, 0, FLOPPY_120 },       /* 1.2M */
    { 18, 80, 2, 0, FLOPPY_120 },
    { 9, 40, 2, 1, FLOPPY_120 },        /* 360K in a drive of 1.2M */
    { 9, 40, 1, 1, FLOPPY_120 },        /* 180K */
    { 8, 40, 2, 1, FLOPPY_120 },        /* 320K */
    { 8, 40, 1, 1, FLOPPY_120 },        /* 160K */
};

static uint64_t format_bytes(const FloppyFormat *f)
{
    return (uint64_t)f->sectors * f->tracks * f->heads * FLOPPY_SECTOR;
}

/* By size, for a drive of that type; else what the drive's own medium is. */
static const FloppyFormat *find_format(uint64_t bytes, int type)
{
    const FloppyFormat *own = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        const FloppyFormat *f = &formats[i];
        bool fits = type == FLOPPY_AUTO || f->drive == type ||
                    (type == FLOPPY_288 && f->drive == FLOPPY_144);

        if (fits && format_bytes(f) == bytes) {
            return f;
        }
        if (!own && (f->drive == type || (type == FLOPPY_AUTO && f->drive == FLOPPY_144))) {
            own = f;
        }
    }
    return own;
}

static void look_at_medium(FloppyDrive *d)
{
    BlockBackend *blk = d->conf.blk;

    d->format = NULL;
    d->read_only = true;
    if (blk && blk_has_medium(blk)) {
        d->format = find_format(blk_length(blk), d->type);
        d->read_only = blk_is_read_only(blk);
    }
}

static void media_changed(void *opaque, UNUSED bool loaded)
{
    FloppyDrive *d = opaque;
    FloppyBus *bus = FLOPPY_BUS(d->dev.bus);

    d->changed = true;
    look_at_medium(d);
    if (bus->changed) {
        bus->changed(bus, d->unit);
    }
}

static const BlockDeviceOps drive_ops = { .media_changed = media_changed };

void floppy_seek(FloppyDrive *d, uint8_t track)
{
    d->track = MIN(track, FLOPPY_TRACK_MAX);
    if (d->format) {
        d->changed = false;
    }
}

int64_t floppy_offset(const FloppyDrive *d, unsigned track, unsigned head, unsigned sector)
{
    const FloppyFormat *f = d->format;
    int64_t offset;

    if (!f || track >= f->tracks || head >= f->heads || sector < 1 || sector > f->sectors) {
        return -1;
    }
    offset = (((int64_t)track * f->heads + head) * f->sectors + sector - 1) * FLOPPY_SECTOR;
    /* The image may be shorter than its format. */
    return offset + FLOPPY_SECTOR <= (int64_t)blk_length(d->conf.blk) ? offset : -1;
}

unsigned floppy_cmos_type(const FloppyDrive *d)
{
    return d->type == FLOPPY_144 ? 4 : d->type == FLOPPY_288 ? 5 : d->type == FLOPPY_120 ? 2 : 0;
}

/* --- the bus --- */

static char *floppy_fw_path(const Device *dev, const char *name)
{
    return g_strdup_printf("%s@%x", name, FLOPPY(dev)->unit);
}

static const BusType floppy_bus_type = {
    .name = TYPE_FLOPPY_BUS, .size = sizeof(FloppyBus), .max_devices = 2,
    .fw_path = floppy_fw_path,
};
BUS_TYPE(floppy_bus_type)

FloppyBus *floppy_bus_new(Device *controller)
{
    return FLOPPY_BUS(bus_new(TYPE_FLOPPY_BUS, controller, NULL));
}

FloppyDrive *floppy_drive(FloppyBus *bus, unsigned unit)
{
    for (Device *o = bus->bus.devices; o; o = o->sibling) {
        FloppyDrive *d = FLOPPY(o);

        if ((o->realized || o->realizing) && d->unit == unit) {
            return d;
        }
    }
    return NULL;
}

/* --- the drive --- */

static bool floppy_realize(Device *dev, Error **errp)
{
    FloppyDrive *d = FLOPPY(dev);
    FloppyBus *bus = FLOPPY_BUS(dev->bus);
    uint32_t unit = d->unit;

    if (unit == UINT32_MAX) {
        bool taken = false;

        for (Device *o = bus->bus.devices; o; o = o->sibling) {
            taken |= o != dev && FLOPPY(o)->unit == 0;
        }
        unit = taken;
    }
    for (Device *o = bus->bus.devices; o; o = o->sibling) {
        if (o != dev && FLOPPY(o)->unit == unit) {
            error_setf(errp, ERR_IN_USE, "Floppy unit %u is in use", unit);
            return false;
        }
    }
    if (unit > 1) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'unit' is %u; accepted: 0 and 1", unit);
        return false;
    }
    d->unit = unit;
    if (d->conf.blk && !block_conf_realize(&d->conf, FLOPPY_SECTOR, errp)) {
        return false;
    }
    look_at_medium(d);
    if (d->type == FLOPPY_AUTO) {
        /* What writes the medium; a drive without one is of the latest kind. */
        d->type = d->format ? d->format->drive : bus->fallback;
    }
    d->changed = d->format != NULL;
    if (d->conf.blk) {
        blk_set_device_ops(d->conf.blk, &drive_ops, d);
    }
    return boot_add(dev, d->conf.bootindex, NULL, errp);
}

static void floppy_unrealize(Device *dev)
{
    FloppyDrive *d = FLOPPY(dev);

    boot_remove(dev);
    if (d->conf.blk) {
        blk_set_device_ops(d->conf.blk, NULL, NULL);
    }
}

static bool floppy_post_load(void *opaque, UNUSED Error **errp)
{
    look_at_medium(opaque);
    return true;
}

static const VmField floppy_fields[] = {
    VM_U8_RANGE(FloppyDrive, track, 0, FLOPPY_TRACK_MAX), VM_BOOL(FloppyDrive, changed), VM_END
};
static const VmMeaning floppy_meanings[] = {
    { "track", "where the head is" }, { "changed", "DSKCHG: the medium was changed and the head hasn't moved since" },
    { .name = NULL }
};

static const char *const type_names[] = { "144", "288", "120", "none", "auto", NULL };

static const Property floppy_props[] = {
    PROP_U32("unit", FloppyDrive, unit, UINT32_MAX, "0 (A:) or 1 (B:); default: the first free one"),
    BLOCK_CONF_PROPS(FloppyDrive, conf),
    PROP_ENUM("drive-type", FloppyDrive, type, FLOPPY_AUTO, type_names,
              "kind of drive; auto: what writes the medium that is in"),
    PROP_END
};

static const DeviceType floppy_type = {
    .name = TYPE_FLOPPY, .parent = TYPE_DEVICE, .size = sizeof(FloppyDrive),
    .desc = "virtual floppy drive", .bus_type = TYPE_FLOPPY_BUS, .category = DEVICE_STORAGE,
    .fw_name = "floppy", .props = floppy_props, .realize = floppy_realize,
    .unrealize = floppy_unrealize, .vm = { 1, floppy_fields, .post_load = floppy_post_load, .meanings = floppy_meanings },
};
DEVICE_TYPE(floppy_type)
