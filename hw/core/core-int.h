/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared between the files of hw/core/ only. */
#ifndef HW_CORE_CORE_INT_H
#define HW_CORE_CORE_INT_H

#include "util/osdep.h"
#include <glib.h>
#include "hw/core/device.h"

#define DEVICE_DEPTH_MAX    16      /* of a type below TYPE_DEVICE */

/* The DeviceTypes of an instance, TYPE_DEVICE's own first. */
unsigned device_type_chain(const Type *type, const DeviceType **chain);

/* One array of a device's lines. */
struct IrqGroup {
    char *name;                 /* NULL: the unnamed one */
    GPtrArray *lines;           /* inputs: IrqLine *, owned */
    GPtrArray *pins;            /* outputs: IrqLine **, in the device */
    GPtrArray *taps;            /* owned: of interception */
    bool from_realize;          /* goes out of use when unrealized */
    bool dropped;               /* kept for those who hold its lines */
    IrqGroup *next;
};
void device_drop_irqs(Device *dev);         /* on unrealize */
void device_free_irqs(Device *dev);         /* on finalize */

void bus_link_device(Bus *bus, Device *dev);
void bus_unlink_device(Device *dev);
void device_remove_buses(Device *dev);

/* After the machine is complete, devices are reset when realized. */
void devices_set_ready(bool ready);
bool devices_are_ready(void);

#endif
