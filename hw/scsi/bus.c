/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SCSI bus: places, attentions, resets, and what all units have in common. */
#include "util/osdep.h"
#include "hw/scsi/scsi.h"

static const ScsiDeviceOps *ops_of(ScsiDevice *d)
{
    return device_data(&d->dev);
}

static char *scsi_path(const Device *dev)
{
    const ScsiDevice *d = SCSI_DEVICE(dev);

    return g_strdup_printf("%u:%d:%d", d->channel, d->id, d->lun);
}

static char *scsi_fw_path(const Device *dev, const char *name)
{
    const ScsiDevice *d = SCSI_DEVICE(dev);

    return g_strdup_printf("channel@%x/%s@%x,%x", d->channel, name, d->id, d->lun);
}

static const BusType scsi_bus_type = {
    .name = TYPE_SCSI_BUS, .size = sizeof(ScsiBus), .device_path = scsi_path,
    .fw_path = scsi_fw_path,
};
BUS_TYPE(scsi_bus_type)

ScsiBus *scsi_bus_new(Device *owner, const char *name, const ScsiHostOps *ops, void *opaque)
{
    ScsiBus *bus = SCSI_BUS(bus_new(TYPE_SCSI_BUS, owner, name));

    bus->ops = ops;
    bus->opaque = opaque;
    return bus;
}

static ScsiDevice *find_exact(ScsiBus *bus, uint32_t channel, int32_t id, int32_t lun,
                              const ScsiDevice *not)
{
    for (Device *o = bus->bus.devices; o; o = o->sibling) {
        ScsiDevice *d = SCSI_DEVICE(o);

        if (d != not && d->channel == channel && d->id == id && (lun < 0 || d->lun == lun)) {
            return d;
        }
    }
    return NULL;
}

ScsiDevice *scsi_device_find(ScsiBus *bus, uint32_t channel, uint32_t target, uint32_t lun)
{
    ScsiDevice *other = NULL;

    if (target > INT32_MAX || lun > INT32_MAX) {
        return NULL;
    }
    for (ScsiDevice *d = bus->units; d; d = d->next_unit) {
        if (d->channel == channel && d->id == (int32_t)target) {
            if (d->lun == (int32_t)lun) {
                return d;
            }
            other = other ? other : d;
        }
    }
    return other;
}

/* The youngest of those that are in flight and go when that ends, NULL: all have gone. */
static const ScsiRequest *cancel_requests(ScsiDevice *d)
{
    ScsiRequest *r;
    LOOP_PARKED(scsi_bus(d)->loop);

    r = d->requests;
    while (r) {
        if (r->cancelled) {
            r = r->next;
        } else {
            scsi_request_cancel(r);
            r = d->requests;
        }
    }
    return d->requests;
}

void scsi_device_reset(ScsiDevice *d, ScsiSense attention)
{
    const ScsiDeviceOps *ops = ops_of(d);
    const ScsiRequest *was = NULL, *left;

    while ((left = cancel_requests(d)) && left != was) {
        ops->drain(d);
        was = left;
    }
    LOOP_PARKED(scsi_bus(d)->loop);
    if (ops->reset) {
        ops->reset(d);
    }
    d->sense = SENSE_OK;
    d->attention = attention;
}

void scsi_bus_reset(ScsiBus *bus)
{
    for (Device *o = bus->bus.devices; o; o = o->sibling) {
        scsi_device_reset(SCSI_DEVICE(o), SENSE_BUS_RESET);
    }
}

/* SAM-5, 5.14.1: which of two is told, when there is room for one. */
static int weight(ScsiSense s)
{
    return !s.key ? 0 : s.asc == 0x29 ? 3 : s.asc == 0x28 ? 2 : 1;
}

void scsi_device_attention(ScsiDevice *d, ScsiSense sense)
{
    ScsiBus *bus = scsi_bus(d);

    if (weight(sense) >= weight(d->attention)) {
        d->attention = sense;
    }
    if (bus && bus->ops->event) {
        bus->ops->event(bus, d, sense);
    }
}

/* --- the base of all units --- */

static bool in_range(const char *name, int64_t v, uint32_t most, Error **errp)
{
    if (v < -1 || v > most) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s' is %" PRId64 "; accepted: 0 to %u, or "
                   "-1 for what is free", name, v, most);
        return false;
    }
    return true;
}

/* The place that was asked for, or the first that is free. */
static bool place(ScsiDevice *d, ScsiBus *bus, Error **errp)
{
    const ScsiHostOps *ops = bus->ops;

    if (!in_range("channel", d->channel, ops->max_channel, errp) ||
        !in_range("scsi-id", d->id, ops->max_target, errp) ||
        !in_range("lun", d->lun, ops->max_lun, errp)) {
        return false;
    }
    if (d->id < 0) {
        int32_t lun = MAX(d->lun, 0);

        d->id = 0;
        while (d->id < (int32_t)ops->max_target && find_exact(bus, d->channel, d->id, lun, d)) {
            d->id++;
        }
        d->lun = lun;
    } else if (d->lun < 0) {
        d->lun = 0;
        while (d->lun < (int32_t)ops->max_lun && find_exact(bus, d->channel, d->id, d->lun, d)) {
            d->lun++;
        }
    }
    if (find_exact(bus, d->channel, d->id, d->lun, d)) {
        error_setf(errp, ERR_IN_USE, "unit %u:%d:%d of bus '%s' is taken", d->channel, d->id,
                   d->lun, bus->bus.name);
        error_argument(errp, "lun", NULL, "a place where no other device is");
        return false;
    }
    return true;
}

static bool scsi_realize(Device *dev, Error **errp)
{
    ScsiDevice *d = SCSI_DEVICE(dev);

    if (!place(d, SCSI_BUS(dev->bus), errp)) {
        return false;
    }
    d->attention = SENSE_RESET;
    return true;
}

static void enlist(ScsiBus *bus, ScsiDevice *d)
{
    ScsiDevice **p = &bus->units;
    LOOP_PARKED(bus->loop);

    while (*p) {
        p = &(*p)->next_unit;
    }
    d->next_unit = NULL;
    *p = d;
}

static void delist(ScsiBus *bus, const ScsiDevice *d)
{
    LOOP_PARKED(bus->loop);

    for (ScsiDevice **p = &bus->units; *p; p = &(*p)->next_unit) {
        if (*p == d) {
            *p = d->next_unit;
            break;
        }
    }
}

static bool scsi_realize_done(Device *dev, UNUSED Error **errp)
{
    ScsiBus *bus = SCSI_BUS(dev->bus);

    enlist(bus, SCSI_DEVICE(dev));
    SCSI_DEVICE(dev)->plugged = true;
    if (bus->ops->plugged) {
        bus->ops->plugged(bus, SCSI_DEVICE(dev));
    }
    return true;
}

void scsi_device_leave(ScsiDevice *d)
{
    delist(scsi_bus(d), d);
    scsi_device_reset(d, SENSE_OK);
}

static void scsi_unrealize(Device *dev)
{
    ScsiDevice *d = SCSI_DEVICE(dev);
    ScsiBus *bus = SCSI_BUS(dev->bus);

    scsi_device_leave(d);
    if (d->plugged && bus->ops->unplugged) {
        bus->ops->unplugged(bus, d);
    }
    d->plugged = false;
}

static EventLoop *scsi_io_loop(Device *dev)
{
    return SCSI_BUS(dev->bus)->loop;
}

static void scsi_reset_hold(Device *dev)
{
    scsi_device_reset(SCSI_DEVICE(dev), SENSE_RESET);
}

static const VmField sense_fields[] = {
    VM_U8(ScsiSense, key), VM_U8(ScsiSense, asc), VM_U8(ScsiSense, ascq), VM_END
};
static const VmState sense_vm = { 1, sense_fields, .meanings = scsi_sense_meanings };
static const VmField device_fields[] = {
    VM_STRUCT(ScsiDevice, attention, sense_vm), VM_STRUCT(ScsiDevice, sense, sense_vm), VM_END
};
const VmState scsi_device_vm = { 1, device_fields };

static const Property scsi_props[] = {
    PROP_U32("channel", ScsiDevice, channel, 0, "channel of the adapter"),
    PROP_I32("scsi-id", ScsiDevice, id, -1, "number of the target; -1: the first that is free"),
    PROP_I32("lun", ScsiDevice, lun, -1, "number of the unit; -1: the first that is free"),
    PROP_END
};

static const DeviceType scsi_device_type = {
    .name = TYPE_SCSI_DEVICE, .parent = TYPE_DEVICE, .abstract = true, .size = sizeof(ScsiDevice),
    .bus_type = TYPE_SCSI_BUS, .category = DEVICE_STORAGE, .props = scsi_props,
    .hotpluggable = true, .fw_name = "disk", .realize = scsi_realize,
    .realize_done = scsi_realize_done, .unrealize = scsi_unrealize, .reset_hold = scsi_reset_hold,
    .io_loop = scsi_io_loop,
};
DEVICE_TYPE(scsi_device_type)
