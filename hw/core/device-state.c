/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved state of devices: one section each, named by where the device is. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/core-int.h"

#include "qobject/qobject.h"
#include "util/bswap.h"

char *device_section_name(const Device *dev)
{
    g_autofree char *path = device_bus_path(dev);

    if (!path) {
        path = object_canonical_path(dev);
    }
    return g_strdup_printf("%s/%s", path ? path : "", object_type_name(dev));
}

bool device_save(Device *dev, GByteArray *out, Error **errp)
{
    const VmState *vm = device_type_vm(dev->obj.type);
    g_autofree char *name = device_section_name(dev);

    return !vm || vm_save(vm, name, dev, out, errp);
}

static bool load_one(Device *dev, const void *data, size_t len, size_t *used,
                     Error **errp)
{
    const VmState *vm = device_type_vm(dev->obj.type);
    g_autofree char *name = device_section_name(dev);

    *used = 0;
    return !vm || vm_load(vm, name, dev, data, len, used, errp);
}

bool device_load(Device *dev, const void *data, size_t len, Error **errp)
{
    size_t used;

    if (!load_one(dev, data, len, &used, errp)) {
        return false;
    }
    if (used != len) {
        error_setf(errp, ERR_STATE_INVALID, "%zu bytes too many for device '%s'", len - used,
                   object_type_name(dev));
        return false;
    }
    return true;
}

struct QObject *device_state_json(Device *dev)
{
    const VmState *vm = device_type_vm(dev->obj.type);

    return vm ? vm_to_json(vm, dev) : QOBJECT(qdict_new());
}

char *device_state_text(Device *dev)
{
    const VmState *vm = device_type_vm(dev->obj.type);

    return vm ? vm_to_text(vm, dev) : g_strdup("");
}

/* --- all of them, in order of realizing --- */

typedef struct SaveAll {
    GByteArray *out;
    Error **errp;
} SaveAll;

static int save_registered(const char *name, const VmState *vm, void *opaque, void *user)
{
    SaveAll *a = user;

    return vm_save(vm, name, opaque, a->out, a->errp) ? 0 : -1;
}

static int save_device(Device *dev, void *user)
{
    SaveAll *a = user;

    return device_save(dev, a->out, a->errp) ? 0 : -1;
}

bool devices_save_all(GByteArray *out, Error **errp)
{
    SaveAll a = { out, errp };

    return vm_registered_foreach(save_registered, &a) == 0 &&
           device_foreach(save_device, &a) == 0;
}

typedef struct LoadAll {
    const uint8_t *data;
    size_t len;
    Error **errp;
} LoadAll;

static int load_registered(const char *name, const VmState *vm, void *opaque, void *user)
{
    LoadAll *a = user;
    size_t used;

    if (!vm_load(vm, name, opaque, a->data, a->len, &used, a->errp)) {
        return -1;
    }
    a->data += used;
    a->len -= used;
    return 0;
}

static int load_device(Device *dev, void *user)
{
    LoadAll *a = user;
    size_t used;

    if (!load_one(dev, a->data, a->len, &used, a->errp)) {
        return -1;
    }
    a->data += used;
    a->len -= used;
    return 0;
}

bool devices_load_all(const void *data, size_t len, Error **errp)
{
    LoadAll a = { data, len, errp };

    if (vm_registered_foreach(load_registered, &a) || device_foreach(load_device, &a)) {
        return false;
    }
    if (a.len) {
        error_setf(errp, ERR_STATE_INVALID,
                   "the state has %zu bytes more than the machine's devices", a.len);
        return false;
    }
    return true;
}
