/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved state of devices: one section each, named by where the device is. */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "hw/core/core-int.h"

#include "hw/core/cpu.h"
#include "hw/core/state-view.h"
#include "hw/core/state-int.h"

char *device_section_name(const Device *dev)
{
    g_autofree char *path = device_bus_path(dev);

    if (!path) {
        path = object_canonical_path(dev);
    }
    return g_strdup_printf("%s/%s", path ? path : "", object_type_name(dev));
}

bool device_save(Device *dev, GByteArray *out, Error **errp)
{
    const VmState *vm = device_type_vm(dev->obj.type);
    g_autofree char *name = device_section_name(dev);

    return !vm || vm_save(vm, name, dev, out, errp);
}

static bool load_one(Device *dev, const void *data, size_t len, size_t *used,
                     Error **errp)
{
    const VmState *vm = device_type_vm(dev->obj.type);
    g_autofree char *name = device_section_name(dev);

    *used = 0;
    return !vm || vm_load(vm, name, dev, data, len, used, errp);
}

bool device_load(Device *dev, const void *data, size_t len, Error **errp)
{
    size_t used;

    if (!load_one(dev, data, len, &used, errp)) {
        return false;
    }
    if (used != len) {
        error_setf(errp, ERR_STATE_INVALID, "%zu bytes too many for device '%s'", len - used,
                   object_type_name(dev));
        return false;
    }
    return true;
}

/* --- all of them, in order of realizing --- */

typedef struct SaveAll {
    GByteArray *out;
    Error **errp;
} SaveAll;

static int save_registered(const char *name, const VmState *vm, void *opaque, void *user)
{
    SaveAll *a = user;

    return vm_save(vm, name, opaque, a->out, a->errp) ? 0 : -1;
}

static int save_device(Device *dev, void *user)
{
    SaveAll *a = user;

    return device_save(dev, a->out, a->errp) ? 0 : -1;
}

bool devices_save_all(GByteArray *out, Error **errp)
{
    SaveAll a = { out, errp };

    return vm_registered_foreach(save_registered, &a) == 0 &&
           device_foreach(save_device, &a) == 0;
}

typedef struct LoadAll {
    const uint8_t *data;
    size_t len;
    Error **errp;
} LoadAll;

static int load_registered(const char *name, const VmState *vm, void *opaque, void *user)
{
    LoadAll *a = user;
    size_t used;

    if (!vm_load(vm, name, opaque, a->data, a->len, &used, a->errp)) {
        return -1;
    }
    a->data += used;
    a->len -= used;
    return 0;
}

static int load_device(Device *dev, void *user)
{
    LoadAll *a = user;
    size_t used;

    if (!load_one(dev, a->data, a->len, &used, a->errp)) {
        return -1;
    }
    a->data += used;
    a->len -= used;
    return 0;
}

bool devices_load_all(const void *data, size_t len, Error **errp)
{
    LoadAll a = { data, len, errp };

    if (vm_registered_foreach(load_registered, &a) || device_foreach(load_device, &a)) {
        return false;
    }
    if (a.len) {
        error_setf(errp, ERR_STATE_INVALID,
                   "the state has %zu bytes more than the machine's devices", a.len);
        return false;
    }
    return true;
}

/* --- who has state, for the view and for streams --- */

typedef struct Collect {
    GPtrArray *owners;
    GHashTable *seen;           /* name to how often */
} Collect;

static void owner_free(void *p)
{
    StateOwner *o = p;

    object_unref(o->dev);
    g_free(o->name);
    g_free(o);
}

static void add_owner(Collect *c, char *name, const VmState *vm, void *opaque, Device *dev)
{
    StateOwner *o = g_new(StateOwner, 1);
    unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(c->seen, name));

    g_hash_table_insert(c->seen, g_strdup(name), GUINT_TO_POINTER(n + 1));
    if (n) {
        char *numbered = g_strdup_printf("%s#%u", name, n);

        g_free(name);
        name = numbered;
    }
    *o = (StateOwner){ name, vm, opaque, dev ? object_ref(dev) : NULL };
    g_ptr_array_add(c->owners, o);
}

static int collect_registered(const char *name, const VmState *vm, void *opaque, void *user)
{
    add_owner(user, g_strdup(name), vm, opaque, NULL);
    return 0;
}

static int collect_device(Device *dev, void *user)
{
    add_owner(user, device_section_name(dev), device_type_vm(dev->obj.type), dev, dev);
    return 0;
}

GPtrArray *state_owners(void)
{
    Collect c = { g_ptr_array_new_with_free_func(owner_free),
                  g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) };

    vm_registered_foreach(collect_registered, &c);
    device_foreach(collect_device, &c);
    g_hash_table_unref(c.seen);
    return c.owners;
}

typedef struct Peek {
    const StateOwner *owner;
    GByteArray *out;
    StateNode **printed;
    Error **errp;
    bool ok;
} Peek;

static void peek(Peek *p)
{
    p->ok = !p->owner->vm || vm_peek(p->owner->vm, p->owner->name, p->owner->opaque, p->out, p->errp);
    if (p->ok && p->printed && p->owner->dev) {
        *p->printed = state_device_printed(p->owner->dev, p->out->data, p->out->len);
    }
}

static void peek_on_cpu(UNUSED CPUState *cpu, void *data)
{
    peek(data);
}

bool state_owner_peek(const StateOwner *o, GByteArray *out, StateNode **printed, Error **errp)
{
    Peek p = { o, out, printed, errp, true };

    if (o->dev && object_is_a(o->dev, TYPE_CPU)) {
        run_on_cpu(CPU(o->dev), peek_on_cpu, &p);
    } else {
        LOOP_PARKED(o->dev ? device_io_loop(o->dev) : NULL);

        peek(&p);
    }
    return p.ok;
}
