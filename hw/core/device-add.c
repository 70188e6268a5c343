/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -device and device_add: a device from what a user wrote. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/core-int.h"
#include "hw/core/machine.h"

#include "qobject/qobject.h"
#include "vmstate/blocker.h"

static const Type *type_of(const QDict *opts, Error **errp)
{
    const char *driver = qdict_str_or(opts, "driver", NULL);
    const Type *type;

    if (!driver) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "Parameter 'driver' is missing");
        error_argument(errp, "driver", NULL, "a device type");
        return NULL;
    }
    type = device_type_find(driver, errp);
    if (type && (type_is_abstract(type) || device_type_of(type)->not_user_creatable)) {
        error_setf(errp, ERR_INVALID_ARGUMENT,
                   "Parameter 'driver' expects a pluggable device type");
        error_argument(errp, "driver", driver, "a device that -device help lists");
        return NULL;
    }
    return type;
}

static void drop(Device *dev)
{
    object_release_backends(dev);
    object_unparent(dev);
    object_unref(dev);
}

/* With all properties set, not realized. */
static Device *new_from(const Type *type, const QDict *opts, bool from_text, Error **errp)
{
    Device *dev = device_new(type_name(type));

    if (!device_set_id(dev, qdict_str_or(opts, "id", NULL), errp)) {
        object_unref(dev);
        return NULL;
    }
    QDICT_FOR_EACH(e, opts) {
        if (strcmp(e->key, "driver") && strcmp(e->key, "id") && strcmp(e->key, "bus")) {
            bool ok = from_text && qobject_type(e->value) == QTYPE_STRING
                      ? object_set_str(dev, e->key, qstring_value(e->value), errp)
                      : object_set(dev, e->key, e->value, errp);

            if (!ok) {
                drop(dev);
                return NULL;
            }
        }
    }
    return dev;
}

bool device_check(const QDict *opts, bool from_text, Error **errp)
{
    const Type *type = type_of(opts, errp);
    Device *dev = type ? new_from(type, opts, from_text, errp) : NULL;

    if (dev) {
        drop(dev);
    }
    return dev;
}

Device *device_add(const QDict *opts, bool from_text, Error **errp)
{
    const char *bus_name = qdict_str_or(opts, "bus", NULL), *want;
    const Type *type = type_of(opts, errp);
    Machine *m = current_machine();
    Bus *bus = NULL;
    Device *dev;

    if (!type) {
        return NULL;
    }
    want = device_type_bus(type);
    if (bus_name) {
        bus = bus_find(bus_name, errp);
        if (!bus) {
            error_argument(errp, "bus", bus_name, NULL);
            return NULL;
        }
    } else if (want && strcmp(want, TYPE_SYSTEM_BUS)) {
        bus = bus_find_type(want);
        if (!bus) {
            error_setf(errp, ERR_NO_SUCH_BUS, "No '%s' bus found for device '%s'", want,
                       qdict_str_or(opts, "driver", ""));
            return NULL;
        }
    }
    if (devices_are_ready() && !device_type_is_hotpluggable(type)) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Device '%s' does not support hotplugging",
                   qdict_str_or(opts, "driver", ""));
        error_argument(errp, "driver", qdict_str_or(opts, "driver", ""), NULL);
        return NULL;
    }
    if (devices_are_ready() && migration_is_busy()) {
        error_setf(errp, ERR_WRONG_STATE, "device_add not allowed while migrating");
        return NULL;
    }
    dev = new_from(type, opts, from_text, errp);
    if (!dev) {
        return NULL;
    }
    if (!bus && m && m->type->pre_plug && !m->type->pre_plug(m, dev, errp)) {
        drop(dev);
        return NULL;
    }
    if (!device_realize(dev, bus, errp)) {
        drop(dev);
        return NULL;
    }
    if (!bus && m && m->type->plugged) {
        m->type->plugged(m, dev);
    }
    object_unref(dev);
    return dev;
}
