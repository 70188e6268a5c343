/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buses, and the system bus that everything hangs on in the end. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/core-int.h"

void bus_type_register(const BusType *bt)
{
    TypeInfo info = {
        .name = bt->name, .parent = bt->parent ? bt->parent : TYPE_BUS,
        .size = bt->size, .data = bt,
    };

    type_register(&info);
}

const BusType *bus_type(const Bus *bus)
{
    return type_info(bus->obj.type)->data;
}

static void bus_finalize(Object *obj)
{
    Bus *bus = (Bus *)obj;

    for (const Type *t = obj->type; type_info(t)->data; t = type_parent(t)) {
        const BusType *bt = type_info(t)->data;

        if (bt->finalize) {
            bt->finalize(bus);
        }
    }
    assert(!bus->devices);
    g_free(bus->name);
}

static const TypeInfo bus_info = {
    .name = TYPE_BUS, .size = sizeof(Bus), .abstract = true, .finalize = bus_finalize,
};
TYPE(bus_info)

static const BusType system_bus_type = { .name = TYPE_SYSTEM_BUS, .size = sizeof(Bus) };
BUS_TYPE(system_bus_type)

Bus *bus_system(void)
{
    static Bus *bus;

    if (!bus) {
        bus = (Bus *)object_new(TYPE_SYSTEM_BUS);
        bus->name = g_strdup("main-system-bus");
        object_add_child(object_container("/machine/unattached"), "sysbus", bus);
    }
    return bus;
}

void bus_link_device(Bus *bus, Device *dev)
{
    Device **p = &bus->devices;

    while (*p) {
        p = &(*p)->sibling;
    }
    *p = dev;
    dev->sibling = NULL;
    dev->bus = object_ref(bus);
    bus->num_devices++;
}

void bus_unlink_device(Device *dev)
{
    Bus *bus = dev->bus;

    if (!bus) {
        return;
    }
    for (Device **p = &bus->devices; *p; p = &(*p)->sibling) {
        if (*p == dev) {
            *p = dev->sibling;
            bus->num_devices--;
            break;
        }
    }
    dev->sibling = NULL;
    dev->bus = NULL;
    object_unref(bus);
}

/* "ide.0", "ide.1": the next number that no bus has. */
static char *free_name(const BusType *bt)
{
    g_autofree char *lower = g_ascii_strdown(bt->numbered_as ? bt->numbered_as : bt->name, -1);

    for (unsigned n = 0; ; n++) {
        char *name = g_strdup_printf("%s.%u", lower, n);

        if (!bus_find(name, NULL)) {
            return name;
        }
        g_free(name);
    }
}

Bus *bus_new(const char *type, Device *owner, const char *name)
{
    Bus *bus = (Bus *)object_new(type);
    Bus **p = &owner->buses;
    unsigned n = 0;

    for (; *p; p = &(*p)->sibling) {
        n++;
    }
    if (name) {
        bus->name = g_strdup(name);
    } else if (owner->id) {
        bus->name = g_strdup_printf("%s.%u", owner->id, n);
    } else {
        bus->name = free_name(bus_type(bus));
    }
    bus->parent = owner;
    object_add_child(owner, bus->name, bus);
    *p = bus;                   /* takes the reference of object_new() */
    return bus;
}

void device_remove_buses(Device *dev)
{
    while (dev->buses) {
        Bus *bus = dev->buses;

        while (bus->devices) {
            device_delete(bus->devices);
        }
        dev->buses = bus->sibling;
        bus->sibling = NULL;
        bus->parent = NULL;
        object_unparent(bus);
        object_unref(bus);
    }
}

/* Breadth first: all buses of one level before those behind them. */
int bus_foreach(int (*fn)(Bus *bus, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) queue = g_ptr_array_new();
    int ret = 0;

    g_ptr_array_add(queue, bus_system());
    for (guint i = 0; i < queue->len && !ret; i++) {
        Bus *bus = g_ptr_array_index(queue, i);

        for (Device *d = bus->devices; d; d = d->sibling) {
            for (Bus *b = d->buses; b; b = b->sibling) {
                g_ptr_array_add(queue, b);
            }
        }
        ret = fn(bus, opaque);
    }
    return ret;
}

typedef struct BusSearch {
    const char *key;
    Bus *found;
} BusSearch;

static int match_name(Bus *bus, void *opaque)
{
    BusSearch *s = opaque;

    if (!strcmp(bus->name, s->key)) {
        s->found = bus;
    }
    return s->found != NULL;
}

static int match_type(Bus *bus, void *opaque)
{
    BusSearch *s = opaque;
    const BusType *bt = bus_type(bus);

    if (object_is_a(bus, s->key) &&
        (!bt->max_devices || bus->num_devices < bt->max_devices)) {
        s->found = bus;
    }
    return s->found != NULL;
}

Bus *bus_find(const char *name, Error **errp)
{
    BusSearch s = { name, NULL };

    if (name[0] == '/') {
        s.found = (Bus *)object_resolve_path_type(name, TYPE_BUS, NULL);
    } else {
        bus_foreach(match_name, &s);
    }
    if (!s.found) {
        error_setf(errp, ERR_NO_SUCH_BUS, "Bus '%s' not found", name);
        error_argument(errp, "bus", name, NULL);
    }
    return s.found;
}

Bus *bus_find_type(const char *type)
{
    BusSearch s = { type, NULL };

    bus_foreach(match_type, &s);
    return s.found;
}
