/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/acpi/slot-report.h"

#include <glib.h>
#include "qapi/commands-machine.h"
#include "qapi/events-machine.h"
#include "qapi/events-qdev.h"

/* ACPI 6.0, 6.3.5: events that _OST reports about; its status 0 is success. */
enum { OST_EJECT_REQUEST = 0x3, OST_EJECT = 0x103 };

ACPIOSTInfo *slot_report(ACPISlotType type, unsigned slot, const Device *dev, uint32_t event, uint32_t status)
{
    ACPIOSTInfo *info = qapi_new(ACPIOSTInfo);
    g_autofree char *number = g_strdup_printf("%u", slot);

    info->device = dev && dev->id ? strdup(dev->id) : NULL;
    info->slot = strdup(number);
    info->slot_type = type;
    info->source = event;
    info->status = status;
    return info;
}

void slot_reported(ACPISlotType type, unsigned slot, Device *dev, uint32_t event, uint32_t status)
{
    ACPIOSTInfo *info = slot_report(type, slot, dev, event, status);

    qapi_event_send_acpi_device_ost(info);
    qapi_free_ACPIOSTInfo(info);
    /* 0x80 to 0x83 and the like: in progress is 0x84, all else is a refusal. */
    if (dev && dev->pending_unplug && (event == OST_EJECT_REQUEST || event == OST_EJECT) && status &&
        status != 0x84) {
        g_autofree char *path = object_canonical_path(dev);

        dev->pending_unplug = false;
        qapi_event_send_device_unplug_guest_error(dev->id, path);
    }
}

static int add_reports(Device *dev, void *opaque)
{
    if (object_is_a(dev, TYPE_ACPI_SLOTS)) {
        ((const SlotReporter *)device_data(dev))->report(dev, opaque);
    }
    return 0;
}

ACPIOSTInfoList *qmp_query_acpi_ospm_status(UNUSED Error **errp)
{
    ACPIOSTInfoList *list = qapi_new(ACPIOSTInfoList);

    device_foreach(add_reports, list);
    return list;
}

static const DeviceType slots_type = {
    .name = TYPE_ACPI_SLOTS, .parent = TYPE_SYS_DEVICE, .abstract = true, .size = sizeof(Device),
};
DEVICE_TYPE(slots_type)
