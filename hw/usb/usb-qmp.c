/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x-query-usb: the devices of all buses, as text for people. */
#include "util/osdep.h"
#include "hw/usb/usb.h"
#include "hw/usb/usb-int.h"

#include <glib.h>
#include "qapi/commands-machine.h"

static int show_bus(UsbBus *bus, void *opaque)
{
    static const char *const speeds[] = { "1.5", "12", "480", "5000" };
    GString *text = opaque;

    for (const UsbPort *p = bus->ports; p; p = p->next) {
        const UsbDevice *d = p->dev;
        const char *product;

        if (!d) {
            continue;
        }
        product = d->desc->strings ? d->desc->strings[d->desc->product_string] : "";
        g_string_append_printf(text, "  Device %u.%u, Port %s, Speed %s Mb/s, Product %s%s%s\n",
                               bus->number, d->addr, p->path, speeds[d->speed], product,
                               d->dev.id ? ", ID: " : "", d->dev.id ? d->dev.id : "");
    }
    return 0;
}

static int count_bus(UNUSED UsbBus *bus, void *opaque)
{
    (*(unsigned *)opaque)++;
    return 0;
}

HumanReadableText *qmp_x_query_usb(Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    HumanReadableText *result;
    unsigned buses = 0;

    usb_bus_foreach(count_bus, &buses);
    if (!buses) {
        error_setf(errp, ERR_NOT_SUPPORTED, "USB support not enabled");
        return NULL;
    }
    usb_bus_foreach(show_bus, text);
    result = qapi_new(HumanReadableText);
    result->human_readable_text = strdup(text->str);
    return result;
}
