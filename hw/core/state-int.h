/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of the device-state view only. */
#ifndef HW_CORE_STATE_INT_H
#define HW_CORE_STATE_INT_H

#include <glib.h>
#include "hw/core/device.h"

struct DeviceStateField;

/* The device at @path with its parts, those on the bus there, or all (NULL): references, freed with g_ptr_array_unref(). NULL with
 * errp set. */
GPtrArray *state_devices(const char *path, Error **errp);

/* What the device's printers say of its saved form and of the guest's memory now. The caller's. */
StateNode *state_device_printed(Device *dev, const void *data, size_t len);

/* What state_find() or state_diff() found, called @path when it is a number of an array. NULL for NULL. */
struct DeviceStateField *state_field_at(const StateNode *n, size_t index, const char *path);

#endif
