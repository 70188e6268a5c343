/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of memory modules by ACPI methods. */
#include "util/osdep.h"
#include "hw/acpi/memory-hotplug.h"

#include <glib.h>
#include "hw/acpi/slot-report.h"
#include "util/log.h"
#include "util/main-loop.h"

enum { REG_SELECT = 0, REG_ADDR = 0, REG_OST_EVENT = 4, REG_SIZE = 8, REG_OST_STATUS = 8, REG_NODE = 16,
       REG_FLAGS = 20, REG_LAST = 24 };
enum { RES_MIN = 14, RES_MAX = 22, RES_LEN = 38 };     /* in a QWord address descriptor: ACPI 6.0, 6.4.3.5.1 */

typedef struct MemHotplug {
    Device dev;
    uint32_t num;               /* property: slots */
    MemRegion io;
    IrqLine *event;
    uint8_t flags[MACHINE_RAM_SLOTS];   /* SLOT_INSERTED, SLOT_WANTED_BACK */
    uint32_t ost_event[MACHINE_RAM_SLOTS], ost_status[MACHINE_RAM_SLOTS];
    uint32_t selected;
} MemHotplug;
static MemHotplug *MEM_HOTPLUG(const void *obj)
{
    return (MemHotplug *)object_cast(obj, TYPE_ACPI_MEMORY_HOTPLUG);
}

static Device *dimm_at(unsigned slot)
{
    PcDimm *d = pc_dimm_in_slot(slot);

    return d ? &d->dev : NULL;
}

static void remove_dimm(void *opaque)
{
    Device *dev = opaque;

    if (dev->realized) {
        device_unplug_done(dev);
    }
    object_unref(dev);
}

static void eject(MemHotplug *s)
{
    Device *dev = dimm_at(s->selected);

    if (dev && dev->pending_unplug) {
        s->flags[s->selected] = 0;
        bh_once(NULL, remove_dimm, object_ref(dev));
    }
}

static MemResult hotplug_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    MemHotplug *s = opaque;
    PcDimm *d = s->selected < s->num ? pc_dimm_in_slot(s->selected) : NULL;
    uint64_t all = 0;
    hwaddr first = 0;

    if (addr >= REG_LAST) {
        all = d ? d->addr + pc_dimm_size(d) - 1 : 0;
        first = REG_LAST;
    } else if (addr >= REG_FLAGS) {
        all = s->selected < s->num ? s->flags[s->selected] | (d ? SLOT_ENABLED : 0) : 0;
        first = REG_FLAGS;
    } else if (addr >= REG_NODE) {
        all = d ? d->node : 0;
        first = REG_NODE;
    } else if (addr >= REG_SIZE) {
        all = d ? pc_dimm_size(d) : 0;
        first = REG_SIZE;
    } else {
        all = d ? d->addr : 0;
    }
    *val = all >> (addr - first) * 8 & UINT32_MAX;
    return MEM_OK;
}

static MemResult hotplug_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    MemHotplug *s = opaque;

    if (addr == REG_SELECT) {
        s->selected = val;
        return MEM_OK;
    }
    if (s->selected >= s->num) {
        log_guest_error("memory-hotplug", "slot %u of %u", s->selected, s->num);
        return MEM_OK;
    }
    if (addr == REG_FLAGS) {
        s->flags[s->selected] &= ~(val & (SLOT_INSERTED | SLOT_WANTED_BACK));
        if (val & SLOT_EJECT) {
            eject(s);
        }
    } else if (addr == REG_OST_EVENT) {
        s->ost_event[s->selected] = val;
    } else if (addr == REG_OST_STATUS) {
        s->ost_status[s->selected] = val;
        slot_reported(ACPI_SLOT_TYPE_DIMM, s->selected, dimm_at(s->selected), s->ost_event[s->selected], val);
    }
    return MEM_OK;
}

/* The methods use words; each register is one. */
static const MemOps hotplug_ops = {
    .read = hotplug_read, .write = hotplug_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 4, 4 },
};

/* --- for the board --- */

static void tell(MemHotplug *s, const PcDimm *d, uint8_t flag)
{
    if (d->slot >= 0 && (uint32_t)d->slot < s->num) {
        s->flags[d->slot] |= flag;
        irq_pulse(s->event);
    }
}

void memory_hotplug_plugged(Device *dev, PcDimm *dimm)
{
    tell(MEM_HOTPLUG(dev), dimm, SLOT_INSERTED);
}

void memory_hotplug_wanted_back(Device *dev, PcDimm *dimm)
{
    tell(MEM_HOTPLUG(dev), dimm, SLOT_WANTED_BACK);
}

static void report(Device *dev, ACPIOSTInfoList *list)
{
    MemHotplug *s = MEM_HOTPLUG(dev);

    for (unsigned i = 0; i < s->num; i++) {
        qapi_list_append(list, slot_report(ACPI_SLOT_TYPE_DIMM, i, dimm_at(i), s->ost_event[i],
                                           s->ost_status[i]));
    }
}

/* --- the device --- */

static void hotplug_init(Device *dev)
{
    device_init_irq_out(dev, "event", &MEM_HOTPLUG(dev)->event, 1);
}

static bool hotplug_realize(Device *dev, UNUSED Error **errp)
{
    MemHotplug *s = MEM_HOTPLUG(dev);

    memory_region_init_io(&s->io, s, &hotplug_ops, s, "acpi-memory-hotplug", MEMORY_HOTPLUG_LEN);
    return true;
}

static void hotplug_unrealize(Device *dev)
{
    memory_region_cleanup(&MEM_HOTPLUG(dev)->io);
}

static void hotplug_reset(Device *dev)
{
    MemHotplug *s = MEM_HOTPLUG(dev);

    memset(s->flags, 0, sizeof(s->flags));
    memset(s->ost_event, 0, sizeof(s->ost_event));
    memset(s->ost_status, 0, sizeof(s->ost_status));
    s->selected = 0;
}

static bool hotplug_post_load(void *opaque, Error **errp)
{
    MemHotplug *s = opaque;

    for (unsigned i = 0; i < MACHINE_RAM_SLOTS; i++) {
        if (s->flags[i] & ~(SLOT_INSERTED | SLOT_WANTED_BACK)) {
            error_setf(errp, ERR_STATE_INVALID, "flags 0x%x of slot %u", s->flags[i], i);
            s->flags[i] = 0;
            return false;
        }
    }
    return true;
}

static const VmField hotplug_fields[] = {
    VM_U8_ARRAY(MemHotplug, flags), VM_U32_ARRAY(MemHotplug, ost_event),
    VM_U32_ARRAY(MemHotplug, ost_status), VM_U32(MemHotplug, selected), VM_END
};
static const Property hotplug_props[] = {
    PROP_U32_RANGE("num", MemHotplug, num, 1, 1, MACHINE_RAM_SLOTS, "slots"),
    PROP_END
};
static const SlotReporter reporter = { report };
static const DeviceType hotplug_type = {
    .name = TYPE_ACPI_MEMORY_HOTPLUG, .parent = TYPE_ACPI_SLOTS, .size = sizeof(MemHotplug),
    .desc = "ACPI hot-plug of memory", .not_user_creatable = true, .props = hotplug_props,
    .init = hotplug_init, .realize = hotplug_realize, .unrealize = hotplug_unrealize,
    .reset_hold = hotplug_reset, .vm = { 1, hotplug_fields, .post_load = hotplug_post_load },
    .data = &reporter,
};
DEVICE_TYPE(hotplug_type)

Device *memory_hotplug_create(MemRegion *io, unsigned n, Error **errp)
{
    Device *dev = device_new(TYPE_ACPI_MEMORY_HOTPLUG);

    if (!object_set_uint(dev, "num", n, errp) || !device_realize_unref(dev, NULL, errp)) {
        return NULL;
    }
    memory_region_add(io, MEMORY_HOTPLUG_IO, &MEM_HOTPLUG(dev)->io);
    return dev;
}

/* --- the methods --- */

static void name_of(char *name, size_t len, unsigned n)
{
    snprintf(name, len, "MP%02X", n & 0xff);
}

static void put_store(Aml *a, uint64_t value, const char *field)
{
    aml_store(a);
    aml_int(a, value);
    aml_ref(a, field);
}

static void put_news(Aml *a, const char *name, unsigned bit, unsigned notice)
{
    aml_if(a);
    aml_and(a);
    aml_ref(a, "MFLG");
    aml_int(a, bit);
    aml_none(a);
    put_store(a, bit, "MFLG");
    aml_notify(a);
    aml_ref(a, name);
    aml_int(a, notice);
    aml_end(a);
}

static void put_select(Aml *a)
{
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "MADL");
}

/* "CreateDWordField (MRBF, offset, name); Store (field, name)" */
static void put_part(Aml *a, unsigned offset, const char *name, const char *field)
{
    aml_create_dword_field(a);
    aml_ref(a, "MRBF");
    aml_int(a, offset);
    aml_ref(a, name);
    aml_store(a);
    aml_ref(a, field);
    aml_ref(a, name);
}

static void put_methods(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    aml_method(a, "MSTA", 1, true);
    put_select(a);
    aml_if(a);
    aml_and(a);
    aml_ref(a, "MFLG");
    aml_int(a, SLOT_ENABLED);
    aml_none(a);
    aml_return(a);
    aml_int(a, 0xf);
    aml_end(a);
    aml_return(a);
    aml_int(a, 0);
    aml_end(a);

    aml_method(a, "MCRS", 1, true);
    put_select(a);
    res_qword(r, RES_MEMORY, 0, 0xfffffffffffffffe, true);
    aml_name(a, "MRBF");
    aml_resources(a, r);
    put_part(a, RES_MIN, "MIL0", "MADL");
    put_part(a, RES_MIN + 4, "MIH0", "MADH");
    put_part(a, RES_MAX, "MAL0", "MLAL");
    put_part(a, RES_MAX + 4, "MAH0", "MLAH");
    put_part(a, RES_LEN, "LEL0", "MSZL");
    put_part(a, RES_LEN + 4, "LEH0", "MSZH");
    aml_return(a);
    aml_ref(a, "MRBF");
    aml_end(a);

    aml_method(a, "MPXM", 1, true);
    put_select(a);
    aml_return(a);
    aml_ref(a, "MNOD");
    aml_end(a);

    aml_method(a, "MEJ0", 1, true);
    put_select(a);
    put_store(a, SLOT_EJECT, "MFLG");
    aml_end(a);

    aml_method(a, "MOST", 3, true);
    put_select(a);
    aml_store(a);
    aml_arg(a, 1);
    aml_ref(a, "MADH");
    aml_store(a);
    aml_arg(a, 2);
    aml_ref(a, "MSZL");
    aml_end(a);
}

static void put_call(Aml *a, const char *method, unsigned args, const char *calls, unsigned n, bool returns)
{
    aml_method(a, method, args, false);
    if (returns) {
        aml_return(a);
    }
    aml_call(a, calls);
    aml_int(a, n);
}

/* ACPI 6.0, 9.11: a memory device. */
static void put_slot(Aml *a, unsigned n)
{
    char name[8];

    name_of(name, sizeof(name), n);
    aml_device(a, name);
    aml_name(a, "_HID");
    aml_eisaid(a, "PNP0C80");
    aml_name(a, "_UID");
    aml_int(a, n);
    put_call(a, "_STA", 0, "MSTA", n, true);
    aml_end(a);
    put_call(a, "_CRS", 0, "MCRS", n, true);
    aml_end(a);
    put_call(a, "_PXM", 0, "MPXM", n, true);
    aml_end(a);
    put_call(a, "_EJ0", 1, "MEJ0", n, false);
    aml_end(a);
    put_call(a, "_OST", 3, "MOST", n, false);
    aml_arg(a, 0);
    aml_arg(a, 1);
    aml_end(a);
    aml_end(a);
}

void memory_hotplug_put_aml(Aml *a, unsigned n)
{
    static const char *const words[] = { "MADL", "MADH", "MSZL", "MSZH", "MNOD", "MFLG", "MLAL", "MLAH", NULL };

    aml_op_region(a, "MHRG", AML_SPACE_IO, MEMORY_HOTPLUG_IO, MEMORY_HOTPLUG_LEN);
    aml_dword_field(a, "MHRG", words);
    put_methods(a);
    for (unsigned i = 0; i < n; i++) {
        put_slot(a, i);
    }
    aml_method(a, "MSCN", 0, true);
    for (unsigned i = 0; i < n; i++) {
        char name[8];

        name_of(name, sizeof(name), i);
        put_store(a, i, "MADL");
        put_news(a, name, SLOT_INSERTED, 1);
        put_news(a, name, SLOT_WANTED_BACK, 3);
    }
    aml_end(a);
}
