/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices: their types, and from new to delete.
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/core-int.h"

#include "memory/memory.h"
#include "qobject/qobject.h"
#include "util/rcu.h"

static Device *all_first, *all_last;        /* realized, in that order */
static bool devices_ready;

/* --- types --- */

void device_type_register(const DeviceType *dt)
{
    TypeInfo info = {
        .name = dt->name, .parent = dt->parent ? dt->parent : TYPE_SYS_DEVICE,
        .desc = dt->desc, .size = dt->size, .abstract = dt->abstract,
        .props = dt->props, .data = dt,
    };

    type_register(&info);
}

const DeviceType *device_type_of(const Type *type)
{
    return type_is_a(type, TYPE_DEVICE) ? type_info(type)->data : NULL;
}

const DeviceType *device_type(const Device *dev)
{
    return type_info(dev->obj.type)->data;
}

unsigned device_type_chain(const Type *type, const DeviceType **chain)
{
    unsigned n = 0, i = 0;

    for (const Type *t = type; ; t = type_parent(t)) {
        assert(n < DEVICE_DEPTH_MAX);
        chain[n++] = type_info(t)->data;
        if (!strcmp(type_name(t), TYPE_DEVICE)) {
            break;
        }
    }
    for (unsigned j = n - 1; i < j; i++, j--) {
        const DeviceType *swap = chain[i];

        chain[i] = chain[j];
        chain[j] = swap;
    }
    return n;
}

/* The nearest type upwards that has this member set. */
#define NEAREST(type_, field) \
    ({ \
        const DeviceType *dt_ = NULL; \
        for (const Type *t_ = (type_); t_; t_ = type_parent(t_)) { \
            const DeviceType *d_ = device_type_of(t_); \
            if (!d_) { \
                break; \
            } \
            if (d_->field) { \
                dt_ = d_; \
                break; \
            } \
        } \
        dt_; \
    })

const void *device_data(const Device *dev)
{
    const DeviceType *dt = NEAREST(dev->obj.type, data);

    return dt ? dt->data : NULL;
}

EventLoop *device_io_loop(Device *dev)
{
    const DeviceType *dt = NEAREST(dev->obj.type, io_loop);

    return dt && dev->realized ? dt->io_loop(dev) : NULL;
}

const char *device_type_bus(const Type *type)
{
    const DeviceType *dt = NEAREST(type, bus_type);

    return dt ? dt->bus_type : NULL;
}

DeviceCategory device_type_category(const Type *type)
{
    const DeviceType *dt = NEAREST(type, category);

    return dt ? dt->category : DEVICE_MISC;
}

const VmState *device_type_vm(const Type *type)
{
    const DeviceType *dt = NEAREST(type, vm.fields);

    return dt ? &dt->vm : NULL;
}

bool device_type_is_hotpluggable(const Type *type)
{
    return NEAREST(type, hotpluggable) != NULL;
}

const char *device_category_name(DeviceCategory category)
{
    static const char *const names[DEVICE_CATEGORY__MAX] = {
        [DEVICE_MISC] = "Misc", [DEVICE_BRIDGE] = "Controller/Bridge/Hub",
        [DEVICE_USB] = "USB", [DEVICE_STORAGE] = "Storage", [DEVICE_NETWORK] = "Network",
        [DEVICE_INPUT] = "Input", [DEVICE_DISPLAY] = "Display", [DEVICE_SOUND] = "Sound",
        [DEVICE_CPU] = "CPU", [DEVICE_WATCHDOG] = "Watchdog",
    };
    return names[category];
}

typedef struct AliasSearch {
    const char *name;
    const Type *found;
} AliasSearch;

static void match_alias(const Type *type, void *opaque)
{
    AliasSearch *s = opaque;
    const DeviceType *dt = device_type_of(type);

    if (!s->found && dt->alias && !strcmp(dt->alias, s->name)) {
        s->found = type;
    }
}

const Type *device_type_find(const char *name, Error **errp)
{
    const Type *type = type_find(name);

    if (type && !device_type_of(type)) {
        type = NULL;
    }
    if (!type) {
        AliasSearch s = { name, NULL };

        type_foreach(TYPE_DEVICE, false, match_alias, &s);
        type = s.found;
    }
    if (!type) {
        error_setf(errp, ERR_NO_SUCH_TYPE, "'%s' is not a valid device model name", name);
        error_argument(errp, "driver", name, "a device that -device help lists");
    }
    return type;
}

/* --- instances --- */

static void device_init(Object *obj)
{
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n = device_type_chain(obj->type, chain);

    for (unsigned i = 0; i < n; i++) {
        if (chain[i]->init) {
            chain[i]->init((Device *)obj);
        }
    }
}

static void device_finalize(Object *obj)
{
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n = device_type_chain(obj->type, chain);
    Device *dev = (Device *)obj;

    assert(!dev->realized);
    while (n--) {
        if (chain[n]->finalize) {
            chain[n]->finalize(dev);
        }
    }
    device_free_irqs(dev);
    error_free(dev->global_error);
    g_free(dev->id);
}

static QObject *get_realized(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qbool_from(((Device *)obj)->realized);
}

static QObject *get_hotplugged(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qbool_from(((Device *)obj)->hotplugged);
}

static QObject *get_hotpluggable(Object *obj, UNUSED const Property *p,
                                 UNUSED Error **errp)
{
    return qbool_from(device_type_is_hotpluggable(obj->type));
}

static QObject *get_parent_bus(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    Bus *bus = ((Device *)obj)->bus;
    g_autofree char *path = bus ? object_canonical_path(bus) : NULL;

    return qstring_from(path ? path : "");
}

static const Property device_props[] = {
    PROP_CUSTOM("realized", "bool", get_realized, NULL, "part of the machine"),
    PROP_CUSTOM("hotplugged", "bool", get_hotplugged, NULL, "came while the VM ran"),
    PROP_CUSTOM("hotpluggable", "bool", get_hotpluggable, NULL, "may come and go"),
    PROP_CUSTOM("parent_bus", "link<bus>", get_parent_bus, NULL, "bus that it is on"),
    PROP_END
};

static const DeviceType device_base = { .name = TYPE_DEVICE, .abstract = true };
static const TypeInfo device_info = {
    .name = TYPE_DEVICE, .size = sizeof(Device), .abstract = true,
    .init = device_init, .finalize = device_finalize, .props = device_props,
    .data = &device_base,
};
TYPE(device_info)

static const DeviceType sys_device = {
    .name = TYPE_SYS_DEVICE, .parent = TYPE_DEVICE, .abstract = true,
    .bus_type = TYPE_SYSTEM_BUS,
};
DEVICE_TYPE(sys_device)

Device *device_new(const char *type)
{
    Device *dev = (Device *)object_new(type);

    assert(object_is_a(dev, TYPE_DEVICE));
    object_apply_globals(dev, &dev->global_error);
    return dev;
}

/* --- realize --- */

void devices_set_ready(bool ready)
{
    devices_ready = ready;
}

bool devices_are_ready(void)
{
    return devices_ready;
}

static void unref_late(void *dev)
{
    object_unref(dev);
}

static int undo_part(Object *child, UNUSED void *opaque)
{
    if (object_is_a(child, TYPE_DEVICE) && ((Device *)child)->part) {
        device_unrealize((Device *)child);
        object_unparent(child);
    }
    return 0;
}

/* Undo what @depth types of the chain, and their parts, have done. */
static void undo_realize(Device *dev, const DeviceType **chain, unsigned depth)
{
    while (depth--) {
        if (chain[depth]->unrealize) {
            chain[depth]->unrealize(dev);
        }
    }
    object_child_foreach(dev, undo_part, NULL);
    device_remove_buses(dev);
    device_drop_irqs(dev);
    /* Readers of the memory map may still hold its regions. */
    rcu_call_main(unref_late, object_ref(dev));
}

static bool choose_bus(Device *dev, Bus **bus, Error **errp)
{
    const char *want = device_type_bus(dev->obj.type);
    const BusType *bt;

    if (!*bus) {
        if (want && strcmp(want, TYPE_SYSTEM_BUS)) {
            error_setf(errp, ERR_NO_SUCH_BUS, "No '%s' bus found for device '%s'", want,
                       object_type_name(dev));
            return false;
        }
        *bus = bus_system();
        return true;
    }
    if (!want || !object_is_a(*bus, want)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Device '%s' can't go on %s bus",
                   object_type_name(dev), object_type_name(*bus));
        error_argument(errp, "bus", (*bus)->name, want);
        return false;
    }
    bt = bus_type(*bus);
    if (bt->max_devices && (*bus)->num_devices >= bt->max_devices) {
        error_setf(errp, ERR_IN_USE, "Bus '%s' is full", (*bus)->name);
        error_argument(errp, "bus", (*bus)->name, NULL);
        return false;
    }
    if (devices_ready && bt->fixed) {
        error_setf(errp, ERR_NOT_SUPPORTED, "Bus '%s' does not support hotplugging", (*bus)->name);
        error_argument(errp, "bus", (*bus)->name, NULL);
        return false;
    }
    return !bt->check || bt->check(*bus, dev, errp);
}

bool device_realize(Device *dev, Bus *bus, Error **errp)
{
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n = device_type_chain(dev->obj.type, chain), done;
    bool adopted = false;

    if (dev->realized) {
        error_setf(errp, ERR_WRONG_STATE, "device '%s' is realized already",
                   object_type_name(dev));
        return false;
    }
    if (dev->global_error) {
        error_propagate(errp, error_copy(dev->global_error));
        return false;
    }
    if (!choose_bus(dev, &bus, errp)) {
        return false;
    }
    if (!dev->obj.parent) {
        object_add_child(object_container("/machine/unattached"), "device[*]", dev);
        adopted = true;
    }
    bus_link_device(bus, dev);
    dev->realizing = true;
    memory_transaction_begin();
    for (done = 0; done < n; done++) {
        if (chain[done]->realize && !chain[done]->realize(dev, errp)) {
            goto fail;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (chain[i]->realize_done && !chain[i]->realize_done(dev, errp)) {
            goto fail;
        }
    }
    memory_transaction_commit();
    dev->realizing = false;
    dev->realized = true;
    dev->obj.props_fixed = true;
    dev->all_next = NULL;
    if (all_last) {
        all_last->all_next = dev;
    } else {
        all_first = dev;
    }
    all_last = dev;
    if (devices_ready) {
        dev->hotplugged = true;
        device_reset(dev, RESET_COLD);
        if (bus_type(bus)->plugged) {
            bus_type(bus)->plugged(dev);
        }
    }
    return true;
fail:
    undo_realize(dev, chain, done);
    memory_transaction_commit();
    dev->realizing = false;
    bus_unlink_device(dev);
    if (adopted) {
        object_unparent(dev);
    }
    return false;
}

bool device_realize_unref(Device *dev, Bus *bus, Error **errp)
{
    bool ok = device_realize(dev, bus, errp);

    if (!ok) {
        object_release_backends(dev);
    }
    object_unref(dev);
    return ok;
}

bool device_realize_child(Device *dev, Device *owner, const char *name,
                          Bus *bus, Error **errp)
{
    bool adopted = !dev->obj.parent;

    if (adopted) {
        object_add_child(owner, name, dev);
    }
    if (!device_realize(dev, bus, errp)) {
        if (adopted) {
            object_unparent(dev);
        }
        return false;
    }
    dev->part = true;
    return true;
}

static void unlist(Device *dev)
{
    Device *prev = NULL;

    for (Device *d = all_first; d; prev = d, d = d->all_next) {
        if (d == dev) {
            if (prev) {
                prev->all_next = d->all_next;
            } else {
                all_first = d->all_next;
            }
            if (all_last == d) {
                all_last = prev;
            }
            d->all_next = NULL;
            return;
        }
    }
}

void device_unrealize(Device *dev)
{
    const DeviceType *chain[DEVICE_DEPTH_MAX];
    unsigned n;

    if (!dev->realized) {
        return;
    }
    n = device_type_chain(dev->obj.type, chain);
    memory_transaction_begin();
    /* What hangs on its buses goes first. */
    for (Bus *b = dev->buses; b; b = b->sibling) {
        while (b->devices) {
            device_delete(b->devices);
        }
    }
    unlist(dev);
    dev->realized = false;
    undo_realize(dev, chain, n);
    memory_transaction_commit();
    bus_unlink_device(dev);
    dev->obj.props_fixed = false;
}

void device_delete(Device *dev)
{
    object_ref(dev);
    device_unrealize(dev);
    /* The object may stay for a grace period; what it used is free now. */
    object_release_backends(dev);
    object_unparent(dev);
    object_unref(dev);
}

int device_foreach(int (*fn)(Device *dev, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) devs = g_ptr_array_new_with_free_func(object_unref);
    int ret = 0;

    for (Device *d = all_first; d; d = d->all_next) {
        g_ptr_array_add(devs, object_ref(d));
    }
    for (guint i = 0; i < devs->len && !ret; i++) {
        Device *d = g_ptr_array_index(devs, i);

        if (d->realized) {
            ret = fn(d, opaque);
        }
    }
    return ret;
}

/* --- names --- */

bool device_set_id(Device *dev, const char *id, Error **errp)
{
    Object *dir;

    assert(!dev->obj.parent);
    if (!id) {
        object_add_child(object_container("/machine/peripheral-anon"), "device[*]", dev);
        return true;
    }
    if (!id_is_valid(id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "Parameter 'id' expects an identifier");
        error_argument(errp, "id", id, "a letter, then letters, digits, '-', '.', '_'");
        return false;
    }
    dir = object_container("/machine/peripheral");
    if (object_child(dir, id)) {
        error_setf(errp, ERR_DUPLICATE_ID, "Duplicate device ID '%s'", id);
        error_argument(errp, "id", id, NULL);
        return false;
    }
    object_add_child(dir, id, dev);
    g_free(dev->id);
    dev->id = g_strdup(id);
    return true;
}

Device *device_find(const char *id)
{
    Object *obj = object_child(object_container("/machine/peripheral"), id);

    if (!obj) {
        obj = object_resolve_path_type(id, TYPE_DEVICE, NULL);
    }
    return obj && object_is_a(obj, TYPE_DEVICE) ? (Device *)obj : NULL;
}

char *device_bus_path(const Device *dev)
{
    const BusType *bt = dev->bus ? bus_type(dev->bus) : NULL;

    return bt && bt->device_path ? bt->device_path(dev) : NULL;
}

char *device_fw_path(const Device *dev)
{
    const DeviceType *dt = NEAREST(dev->obj.type, fw_name);
    const char *name = dt ? dt->fw_name : object_type_name(dev);
    const BusType *bt = dev->bus ? bus_type(dev->bus) : NULL;
    g_autofree char *own = bt && bt->fw_path ? bt->fw_path(dev, name) : g_strdup(name);
    g_autofree char *up = dev->bus && dev->bus->parent ? device_fw_path(dev->bus->parent)
                                                       : g_strdup("");

    /* A bus may have nothing to add: a part that its owner stands for. */
    return *own ? g_strconcat(up, "/", own, NULL) : g_steal_pointer(&up);
}

char *device_label(const Device *dev)
{
    char *path;

    if (dev->id) {
        return g_strdup(dev->id);
    }
    path = object_canonical_path(dev);
    return path ? path : g_strdup(object_type_name(dev));
}

/* RAM blocks are named by where their device is. */
static char *ram_id_prefix(Object *owner)
{
    return object_is_a(owner, TYPE_DEVICE) ? device_bus_path((Device *)owner) : NULL;
}

CONSTRUCTOR static void device_start(void)
{
    memory_set_id_prefix(ram_id_prefix);
}
