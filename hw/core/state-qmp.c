/* SPDX-License-Identifier: GPL-2.0-or-later */
/* query-device-state. */
#include "util/osdep.h"
#include "hw/core/state-view.h"

#include "hw/core/state-int.h"
#include "qapi/commands-device-state.h"

static int take_device(Device *dev, void *opaque)
{
    g_ptr_array_add(opaque, object_ref(dev));
    return 0;
}

/* With its parts: a virtio device is behind its transport. */
static void take_with_parts(Device *dev, GPtrArray *out)
{
    take_device(dev, out);
    for (const Bus *b = dev->buses; b; b = b->sibling) {
        for (Device *d = b->devices; d; d = d->sibling) {
            if (d->obj.parent == &dev->obj && d->realized) {
                take_with_parts(d, out);
            }
        }
    }
}

/* Those on @bus, and behind them. */
static void take_bus(const Bus *bus, GPtrArray *out)
{
    for (Device *dev = bus->devices; dev; dev = dev->sibling) {
        if (dev->realized) {
            take_device(dev, out);
        }
        for (const Bus *b = dev->buses; b; b = b->sibling) {
            take_bus(b, out);
        }
    }
}

GPtrArray *state_devices(const char *path, Error **errp)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(object_unref);
    Device *dev;
    Bus *bus;

    if (!path) {
        device_foreach(take_device, out);
        return out;
    }
    dev = device_find(path);
    if (dev) {
        take_with_parts(dev, out);
        return out;
    }
    bus = bus_find(path, NULL);
    if (bus) {
        take_bus(bus, out);
        return out;
    }
    error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE, "Device '%s' not found", path);
    error_argument(errp, "path", path, "the id or path of a device or bus");
    error_hint(errp, "info qtree shows devices and buses");
    g_ptr_array_unref(out);
    return NULL;
}

DeviceStateInfoList *qmp_query_device_state(const char *path, bool has_all, bool all, Error **errp)
{
    g_autoptr(GPtrArray) devices = state_devices(path, errp);
    DeviceStateInfoList *list;

    if (!devices) {
        return NULL;
    }
    list = qapi_new(DeviceStateInfoList);
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = devices->pdata[i];

        /* Another one's view may have waited for a CPU, and this one has gone meanwhile. */
        if (dev->realized || devices->len == 1) {
            qapi_list_append(list, device_state_info(dev, has_all && all));
        }
    }
    return list;
}
