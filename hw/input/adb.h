/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apple Desktop Bus: up to 16 addresses, devices that answer Talk and take Listen, and collide only at
 * reset. The controller (a transceiver on a VIA, Egret, Cuda, a PMU) calls adb_request().
 *
 * Source: Guide to the Macintosh Family Hardware, 2nd ed., chapter 8; Inside Macintosh vol. V,
 * chapter 20. Big lock.
 */
#ifndef HW_INPUT_ADB_H
#define HW_INPUT_ADB_H

#include "hw/core/device.h"

#define TYPE_ADB_BUS        "apple-desktop-bus"
#define TYPE_ADB_DEVICE     "adb-device"
#define ADB_MAX_DATA        8

typedef struct AdbDevice AdbDevice;

typedef struct AdbBus {
    Bus bus;
    /* A device has something to tell (or has it no more). */
    void (*changed)(void *opaque);
    void *opaque;
} AdbBus;

/* .data of a device's DeviceType. */
typedef struct AdbDeviceOps {
    uint8_t address, handler;       /* at reset */
    /* Register @reg 0 to 2 into @buf; bytes, 0: no answer. */
    unsigned (*talk)(AdbDevice *d, unsigned reg, uint8_t buf[ADB_MAX_DATA]);
    void (*listen)(AdbDevice *d, unsigned reg, const uint8_t *data, unsigned len);
    void (*flush)(AdbDevice *d);
    bool (*has_data)(const AdbDevice *d);
    /* May the handler become @handler? */
    bool (*set_handler)(AdbDevice *d, uint8_t handler);
} AdbDeviceOps;

struct AdbDevice {
    Device dev;
    uint8_t address, handler;
    bool srq_enabled;
};
static inline AdbDevice *ADB_DEVICE(const void *obj)
{
    return (AdbDevice *)object_cast(obj, TYPE_ADB_DEVICE);
}

AdbBus *adb_bus_new(Device *owner, const char *name, void (*changed)(void *opaque), void *opaque);
/* A command byte with @len bytes of Listen data; the answer to Talk goes to @out, its length is the
 * result. 0: nobody answers. */
unsigned adb_request(AdbBus *bus, uint8_t cmd, const uint8_t *data, unsigned len,
                     uint8_t out[ADB_MAX_DATA]);
/* Does any device but @address want to be asked? (16: any) */
bool adb_service_request(const AdbBus *bus, unsigned address);
/* For devices: has_data() may have changed. */
void adb_changed(AdbDevice *d);
extern const VmState adb_device_vm;

#endif
