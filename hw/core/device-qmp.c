/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about devices. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"
#include "qapi/commands-qdev.h"
#include "qapi/events-qdev.h"
#include "qobject/qobject.h"
#include "qom/type-list.h"
#include "vmstate/blocker.h"

QomPropertyInfoList *qmp_device_list_properties(const char *typename, Error **errp)
{
    const Type *type = device_type_find(typename, NULL);

    if (!type) {
        type = type_find(typename);
        if (type) {
            error_setf(errp, ERR_INVALID_ARGUMENT,
                       "Parameter 'typename' expects a non-abstract device type");
        } else {
            error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_TYPE,
                            "Device '%s' not found", typename);
        }
        error_argument(errp, "typename", typename, "a device type");
        return NULL;
    }
    if (type_is_abstract(type)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "Parameter 'typename' expects a non-abstract device type");
        error_argument(errp, "typename", typename, "a device type that isn't abstract");
        return NULL;
    }
    return qom_type_properties(type, TYPE_DEVICE);
}

/* Raw, since the arguments besides driver, bus and id are properties. */
bool qmp_device_add(const QDict *args, Error **errp)
{
    static const char *const strings[] = { "driver", "bus", "id" };

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        const QObject *o = qdict_get(args, strings[i]);

        if (o && !qobject_to_string(o)) {
            error_setf(errp, ERR_WRONG_TYPE, "Invalid parameter type for '%s', expected: string",
                       strings[i]);
            error_argument(errp, strings[i], NULL, "string");
            return false;
        }
    }
    return device_add(args, false, errp) != NULL;
}

void device_unplug_done(Device *dev)
{
    g_autofree char *name = g_strdup(dev->id), *path = object_canonical_path(dev);

    device_delete(dev);
    qapi_event_send_device_deleted(name, path);
}

bool qmp_device_del(const char *id, Error **errp)
{
    Device *dev = device_find(id);
    Machine *m = current_machine();
    Error *err = NULL;

    if (!dev) {
        error_set_class(errp, ERROR_CLASS_DEVICE_NOT_FOUND, ERR_NO_SUCH_DEVICE,
                        "Device '%s' not found", id);
        error_argument(errp, "id", id, "the id or path of a device");
        return false;
    }
    if (!device_type_is_hotpluggable(dev->obj.type)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Device '%s' does not support hotplugging",
                   object_type_name(dev));
        error_argument(errp, "id", id, NULL);
        return false;
    }
    if (dev->bus && bus_type(dev->bus)->fixed) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Bus '%s' does not support hotplugging", dev->bus->name);
        error_argument(errp, "id", id, NULL);
        return false;
    }
    if (dev->part) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Device '%s' is a part of another device", id);
        return false;
    }
    if (migration_is_busy()) {
        error_setf(errp, ERR_WRONG_STATE, "device_del not allowed while migrating");
        return false;
    }
    if (m && m->type->unplug_request && m->type->unplug_request(m, dev, &err)) {
        dev->pending_unplug = true;
        return true;
    }
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    /* Asked again, the guest is told again: it may not have listened. */
    dev->pending_unplug = true;
    if (!dev->bus || !bus_type(dev->bus)->unplug_request ||
        !bus_type(dev->bus)->unplug_request(dev)) {
        device_unplug_done(dev);
    }
    return true;
}
