/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often the inputs of interrupt controllers rose, for people. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "qapi/commands-machine.h"

/* A controller of another machine adds its type here. */
static const char *const controllers[] = { "ioapic", "isa-i8259" };

static int add_device(Device *dev, void *opaque)
{
    GString *s = opaque;
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        known |= object_is_a(dev, controllers[i]);
    }
    if (!known) {
        return 0;
    }
    g_string_append_printf(s, "IRQ statistics for %s:\n", object_type_name(dev));
    for (int i = 0; i < device_num_irq_in(dev, NULL); i++) {
        const IrqLine *line = device_irq_in(dev, NULL, i);

        if (line->raised) {
            g_string_append_printf(s, "%2d: %" PRIu64 "\n", i, line->raised);
        }
    }
    return 0;
}

HumanReadableText *qmp_x_query_irq(UNUSED Error **errp)
{
    HumanReadableText *t = qapi_new(HumanReadableText);
    GString *s = g_string_new("");

    device_foreach(add_device, s);
    t->human_readable_text = strdup(s->str);
    g_string_free(s, true);
    return t;
}
