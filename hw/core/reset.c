/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three-phase reset of a part of the machine, or all of it. */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/core/core-int.h"

typedef enum Phase { PHASE_ENTER, PHASE_HOLD, PHASE_EXIT } Phase;

typedef struct Handler {
    ResetHandler fn;
    void *opaque;
} Handler;

static GArray *handlers;
static ResetKind current_kind;

ResetKind reset_kind(void)
{
    return current_kind;
}

static void bus_phase(Bus *bus, Phase phase);

static void device_phase(Device *dev, Phase phase)
{
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n;

    for (Bus *b = dev->buses; b; b = b->sibling) {
        bus_phase(b, phase);
    }
    if (!dev->realized) {
        return;
    }
    n = device_type_chain(dev->obj.type, chain);
    for (unsigned i = 0; i < n; i++) {
        void (*fn)(Device *) = phase == PHASE_ENTER ? chain[i]->reset_enter :
                               phase == PHASE_HOLD ? chain[i]->reset_hold :
                               chain[i]->reset_exit;

        if (fn) {
            fn(dev);
        }
    }
}

static void bus_phase(Bus *bus, Phase phase)
{
    for (Device *d = bus->devices; d; d = d->sibling) {
        device_phase(d, phase);
    }
    if (phase == PHASE_HOLD) {
        for (const Type *t = bus->obj.type; type_info(t)->data; t = type_parent(t)) {
            const BusType *bt = type_info(t)->data;

            if (bt->reset_hold) {
                bt->reset_hold(bus);
            }
        }
    }
}

void device_reset(Device *dev, ResetKind kind)
{
    ResetKind outer = current_kind;

    current_kind = kind;
    for (Phase p = PHASE_ENTER; p <= PHASE_EXIT; p++) {
        device_phase(dev, p);
    }
    current_kind = outer;
}

void bus_reset(Bus *bus, ResetKind kind)
{
    ResetKind outer = current_kind;

    current_kind = kind;
    for (Phase p = PHASE_ENTER; p <= PHASE_EXIT; p++) {
        bus_phase(bus, p);
    }
    current_kind = outer;
}

void system_reset(ResetKind kind)
{
    ResetKind outer = current_kind;
    Bus *bus = bus_system();

    current_kind = kind;
    bus_phase(bus, PHASE_ENTER);
    bus_phase(bus, PHASE_HOLD);
    for (guint i = 0; handlers && i < handlers->len; i++) {
        const Handler *h = &g_array_index(handlers, Handler, i);

        h->fn(h->opaque);
    }
    bus_phase(bus, PHASE_EXIT);
    current_kind = outer;
}

void system_reset_register(ResetHandler handler, void *opaque)
{
    Handler h = { handler, opaque };

    if (!handlers) {
        handlers = g_array_new(FALSE, FALSE, sizeof(Handler));
    }
    g_array_append_val(handlers, h);
}

void system_reset_unregister(ResetHandler handler, void *opaque)
{
    for (guint i = 0; handlers && i < handlers->len; i++) {
        const Handler *h = &g_array_index(handlers, Handler, i);

        if (h->fn == handler && h->opaque == opaque) {
            g_array_remove_index(handlers, i);
            return;
        }
    }
}
