/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apple Desktop Bus: commands, addresses, register 3 of every device. */
#include "util/osdep.h"
#include "hw/input/adb.h"

/* Command byte: address, then the command's two bits and the register (GMFH chapter 8). */
enum { ADB_RESET = 0x00, ADB_FLUSH = 0x01, ADB_LISTEN = 0x08, ADB_TALK = 0x0c };

static const AdbDeviceOps *ops_of(const AdbDevice *d)
{
    return device_data(&d->dev);
}

static AdbDevice *find(const AdbBus *bus, unsigned address)
{
    for (Device *dev = bus->bus.devices; dev; dev = dev->sibling) {
        AdbDevice *d = ADB_DEVICE(dev);

        if (d->address == address) {
            return d;
        }
    }
    return NULL;
}

static void device_restart(AdbDevice *d)
{
    const AdbDeviceOps *ops = ops_of(d);

    d->address = ops->address;
    d->handler = ops->handler;
    d->srq_enabled = true;
    if (ops->flush) {
        ops->flush(d);
    }
}

/* Register 3: flags and address, handler (GMFH chapter 8). @address: where a Listen moves it. */
static void listen_reg3(AdbDevice *d, const uint8_t *data, unsigned len)
{
    const AdbDeviceOps *ops = ops_of(d);

    if (len < 2) {
        return;
    }
    switch (data[1]) {
    case 0x00: case 0xfe:           /* another address; FE: if there was no collision */
        d->address = data[0] & 15;
        if (data[1] == 0x00) {
            d->srq_enabled = data[0] & 0x20;
        }
        break;
    case 0xfd: case 0xff:           /* self test, activator */
        break;
    default:
        if (ops->set_handler && ops->set_handler(d, data[1])) {
            d->handler = data[1];
        }
        d->address = data[0] & 15;
        d->srq_enabled = data[0] & 0x20;
        break;
    }
}

unsigned adb_request(AdbBus *bus, uint8_t cmd, const uint8_t *data, unsigned len,
                     uint8_t out[ADB_MAX_DATA])
{
    unsigned reg = cmd & 3;
    AdbDevice *d;

    if ((cmd & 15) == ADB_RESET) {
        for (Device *dev = bus->bus.devices; dev; dev = dev->sibling) {
            device_restart(ADB_DEVICE(dev));
        }
        return 0;
    }
    d = find(bus, cmd >> 4);
    if (!d) {
        return 0;
    }
    switch (cmd & 0x0c) {
    case ADB_TALK:
        if (reg == 3) {
            out[0] = (uint8_t)(0x40 | (d->srq_enabled ? 0x20 : 0) | d->address);
            out[1] = d->handler;
            return 2;
        }
        return ops_of(d)->talk(d, reg, out);
    case ADB_LISTEN:
        if (reg == 3) {
            listen_reg3(d, data, len);
        } else if (ops_of(d)->listen) {
            ops_of(d)->listen(d, reg, data, len);
        }
        return 0;
    default:
        if ((cmd & 15) == ADB_FLUSH && ops_of(d)->flush) {
            ops_of(d)->flush(d);
        }
        return 0;
    }
}

bool adb_service_request(const AdbBus *bus, unsigned address)
{
    for (Device *dev = bus->bus.devices; dev; dev = dev->sibling) {
        const AdbDevice *d = ADB_DEVICE(dev);

        if (d->address != address && d->srq_enabled && ops_of(d)->has_data(d)) {
            return true;
        }
    }
    return false;
}

void adb_changed(AdbDevice *d)
{
    AdbBus *bus = (AdbBus *)d->dev.bus;

    if (bus && bus->changed) {
        bus->changed(bus->opaque);
    }
}

AdbBus *adb_bus_new(Device *owner, const char *name, void (*changed)(void *opaque), void *opaque)
{
    AdbBus *bus = (AdbBus *)bus_new(TYPE_ADB_BUS, owner, name);

    bus->changed = changed;
    bus->opaque = opaque;
    return bus;
}

static void adb_device_reset_hold(Device *dev)
{
    device_restart(ADB_DEVICE(dev));
}

static const VmField adb_device_fields[] = {
    VM_U8_RANGE(AdbDevice, address, 0, 15), VM_U8(AdbDevice, handler), VM_BOOL(AdbDevice, srq_enabled),
    VM_END
};
static const VmMeaning adb_device_meanings[] = {
    { "address", "on the bus" }, { "handler", "handler ID" }, { "srq_enabled", "it may ask for service" },
    { .name = NULL }
};
const VmState adb_device_vm = { 1, adb_device_fields, .name = "adb-device", .meanings = adb_device_meanings };

static const BusType adb_bus_type = { .name = TYPE_ADB_BUS, .size = sizeof(AdbBus) };
BUS_TYPE(adb_bus_type)

static const DeviceType adb_device_type = {
    .name = TYPE_ADB_DEVICE, .size = sizeof(AdbDevice), .abstract = true, .category = DEVICE_INPUT,
    .bus_type = TYPE_ADB_BUS, .reset_hold = adb_device_reset_hold,
};
DEVICE_TYPE(adb_device_type)
