/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/mem/pc-dimm.h"

#include <glib.h>
#include "hw/core/numa.h"
#include "qapi/commands-machine.h"
#include "qobject/qobject.h"

#define DIMM_ALIGN  (2 * MIB)
/* A block of memory that Linux can bring online, on x86 (SECTION_SIZE_BITS). */
#define DIMM_BLOCK  (128 * MIB)

uint64_t pc_dimm_size(const PcDimm *d)
{
    return d->memdev ? memory_backend_size(d->memdev) : 0;
}

/* All modules that are realized, in order of address. */
static int collect(Device *dev, void *opaque)
{
    if (object_is_a(dev, TYPE_PC_DIMM)) {
        g_ptr_array_add(opaque, dev);
    }
    return 0;
}

static gint by_address(gconstpointer a, gconstpointer b)
{
    const PcDimm *x = *(PcDimm *const *)a, *y = *(PcDimm *const *)b;

    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static GPtrArray *all_dimms(void)
{
    GPtrArray *a = g_ptr_array_new();

    device_foreach(collect, a);
    g_ptr_array_sort(a, by_address);
    return a;
}

PcDimm *pc_dimm_in_slot(unsigned slot)
{
    g_autoptr(GPtrArray) a = all_dimms();

    for (guint i = 0; i < a->len; i++) {
        PcDimm *d = g_ptr_array_index(a, i);

        if (d->slot == (int32_t)slot) {
            return d;
        }
    }
    return NULL;
}

static bool place_slot(Machine *m, PcDimm *d, Error **errp)
{
    if (d->slot >= (int32_t)m->ram_slots || d->slot < -1) {
        error_setf(errp, ERR_OUT_OF_RANGE, "invalid slot number %d; accepted: 0 to %u", d->slot,
                   m->ram_slots - 1);
        return false;
    }
    if (d->slot >= 0 && pc_dimm_in_slot(d->slot)) {
        error_setf(errp, ERR_IN_USE, "slot %d is busy", d->slot);
        return false;
    }
    for (unsigned i = 0; d->slot < 0 && i < m->ram_slots; i++) {
        if (!pc_dimm_in_slot(i)) {
            d->slot = i;
        }
    }
    if (d->slot < 0) {
        error_setf(errp, ERR_OUT_OF_RANGE, "no free slots available: all %u are taken", m->ram_slots);
    }
    return d->slot >= 0;
}

/* The first gap that is large enough, or the one that was asked for. */
static bool place_address(Machine *m, PcDimm *d, uint64_t base, Error **errp)
{
    uint64_t size = pc_dimm_size(d), end = base + memory_region_size(m->plugged_ram);
    uint64_t at = d->addr ? d->addr : base;
    g_autoptr(GPtrArray) a = all_dimms();

    if (d->addr && (d->addr < base || d->addr >= end || d->addr % DIMM_ALIGN)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "address 0x%" PRIx64 " of a memory module; accepted: 0x%" PRIx64
                   " to 0x%" PRIx64 ", multiples of 2 MiB", d->addr, base, end - 1);
        return false;
    }
    for (guint i = 0; i < a->len; i++) {
        const PcDimm *o = g_ptr_array_index(a, i);
        uint64_t o_end = o->addr + pc_dimm_size(o);

        if (at < o_end && o->addr < at + size) {
            if (d->addr) {
                error_setf(errp, ERR_IN_USE, "address range [0x%" PRIx64 ":0x%" PRIx64 "] conflicts with "
                           "memory device in slot %d", at, at + size - 1, o->slot);
                return false;
            }
            at = ALIGN_UP(o_end, DIMM_BLOCK);
        }
    }
    if (size > end - base || at > end - size) {
        error_setf(errp, ERR_OUT_OF_RANGE, "no place for %" PRIu64 " bytes between 0x%" PRIx64 " and 0x%" PRIx64,
                   size, at, end - 1);
        return false;
    }
    d->addr = at;
    return true;
}

bool pc_dimm_place(Machine *m, PcDimm *d, uint64_t base, Error **errp)
{
    uint64_t size = pc_dimm_size(d), room = m->max_ram_size - m->ram_size;
    unsigned nodes = m->numa ? m->numa->n_nodes : 0;

    if (!m->plugged_ram) {
        error_setf(errp, ERR_NOT_SUPPORTED, "memory hotplug is not enabled: missing maxmem for -m");
        error_hint(errp, "-m SIZE,slots=N,maxmem=SIZE");
        return false;
    }
    if (!d->memdev) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'memdev' property is not set");
        return false;
    }
    if (d->node && d->node >= nodes) {
        error_setf(errp, ERR_OUT_OF_RANGE, "'node' is %u; accepted: 0 to %u", d->node, MAX(nodes, 1) - 1);
        return false;
    }
    if (!size || size % DIMM_ALIGN) {
        error_setf(errp, ERR_OUT_OF_RANGE, "backend memory size must be a multiple of 2 MiB, not %" PRIu64, size);
        return false;
    }
    if (size > room || m->plugged_bytes > room - size) {
        error_setf(errp, ERR_OUT_OF_RANGE, "not enough space, currently 0x%" PRIx64 " in use of total space for "
                   "memory devices 0x%" PRIx64, m->plugged_bytes, room);
        return false;
    }
    return place_slot(m, d, errp) && place_address(m, d, base, errp);
}

/* --- the device --- */

static bool dimm_realize(Device *dev, Error **errp)
{
    PcDimm *d = PC_DIMM(dev);

    if (!d->memdev) {
        error_setf(errp, ERR_MISSING_ARGUMENT, "'memdev' property is not set");
        return false;
    }
    d->ram = memory_backend_use(d->memdev, errp);
    return d->ram;
}

static void dimm_unrealize(Device *dev)
{
    PcDimm *d = PC_DIMM(dev);
    Machine *m = current_machine();

    if (m && m->plugged_ram && memory_region_is_mapped(d->ram)) {
        memory_region_del(m->plugged_ram, d->ram);
        m->plugged_bytes -= pc_dimm_size(d);
    }
    memory_backend_release(d->memdev);
    d->ram = NULL;
}

static QObject *get_size(Object *obj, UNUSED const Property *p, UNUSED Error **errp)
{
    return qnum_from_uint(pc_dimm_size(PC_DIMM(obj)));
}

static const Property dimm_props[] = {
    PROP_LINK("memdev", PcDimm, memdev, TYPE_MEMORY_BACKEND, "the memory back end"),
    PROP_U64("addr", PcDimm, addr, 0, "guest address; 0: the board chooses"),
    PROP_I32("slot", PcDimm, slot, -1, "number of the slot; -1: the board chooses"),
    PROP_U32("node", PcDimm, node, 0, "NUMA node"),
    PROP_CUSTOM("size", "uint64", get_size, NULL, "bytes"),
    PROP_END
};
static const DeviceType dimm_type = {
    .name = TYPE_PC_DIMM, .parent = TYPE_DEVICE, .desc = "DIMM memory module", .size = sizeof(PcDimm),
    .category = DEVICE_MISC, .hotpluggable = true, .props = dimm_props, .realize = dimm_realize,
    .unrealize = dimm_unrealize,
};
DEVICE_TYPE(dimm_type)

/* --- the monitor --- */

MemoryDeviceInfoList *qmp_query_memory_devices(UNUSED Error **errp)
{
    MemoryDeviceInfoList *list = qapi_new(MemoryDeviceInfoList);
    g_autoptr(GPtrArray) a = all_dimms();

    for (guint i = 0; i < a->len; i++) {
        PcDimm *d = g_ptr_array_index(a, i);
        MemoryDeviceInfo *info = qapi_new(MemoryDeviceInfo);
        PCDIMMDeviceInfo *p = qapi_new(PCDIMMDeviceInfo);
        g_autofree char *memdev = object_canonical_path(d->memdev);

        info->type = MEMORY_DEVICE_INFO_KIND_DIMM;
        info->u.dimm.data = p;
        p->id = d->dev.id ? strdup(d->dev.id) : NULL;
        p->addr = d->addr;
        p->size = pc_dimm_size(d);
        p->slot = d->slot;
        p->node = d->node;
        p->memdev = strdup(memdev ? memdev : "");
        p->hotplugged = d->dev.hotplugged;
        p->hotpluggable = true;
        qapi_list_append(list, info);
    }
    return list;
}
