/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of memory modules by ACPI methods. */
#include "util/osdep.h"
#include "hw/acpi/memory-hotplug.h"

#include <glib.h>

enum { REG_SELECT = 0, REG_ADDR = 0, REG_OST_EVENT = 4, REG_SIZE = 8, REG_OST_STATUS = 8, REG_NODE = 16,
       REG_FLAGS = 20, REG_LAST = 24 };
enum { RES_MIN = 14, RES_MAX = 22, RES_LEN = 38 };     /* in a QWord address descriptor: ACPI 6.0, 6.4.3.5.1 */

static MemResult hotplug_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    AcpiSlots *s = opaque;
    PcDimm *d = s->selected < s->num ? pc_dimm_in_slot(s->selected) : NULL;
    uint64_t all = 0;
    hwaddr first = 0;

    if (addr >= REG_LAST) {
        all = d ? d->addr + pc_dimm_size(d) - 1 : 0;
        first = REG_LAST;
    } else if (addr >= REG_FLAGS) {
        all = acpi_slot_flags(s);
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
    AcpiSlots *s = opaque;

    if (addr == REG_SELECT) {
        s->selected = val;
        return MEM_OK;
    }
    if (!acpi_slot_valid(s)) {
        return MEM_OK;
    }
    if (addr == REG_FLAGS) {
        acpi_slot_write_flags(s, val);
    } else if (addr == REG_OST_EVENT) {
        acpi_slot_write_ost_event(s, val);
    } else if (addr == REG_OST_STATUS) {
        acpi_slot_write_ost_status(s, val);
    }
    return MEM_OK;
}

/* The methods use words; each register is one. */
static const MemOps hotplug_ops = {
    .read = hotplug_read, .write = hotplug_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 4, 4 },
};

/* --- the device --- */

static Device *dimm_at(unsigned slot)
{
    PcDimm *d = pc_dimm_in_slot(slot);

    return d ? &d->dev : NULL;
}

static const AcpiSlotsClass hotplug_class = {
    .type = ACPI_SLOT_TYPE_DIMM, .name = "acpi-memory-hotplug", .ops = &hotplug_ops,
    .len = MEMORY_HOTPLUG_LEN, .at = dimm_at,
};
static const DeviceType hotplug_type = {
    .name = TYPE_ACPI_MEMORY_HOTPLUG, .parent = TYPE_ACPI_SLOTS, .size = sizeof(AcpiSlots),
    .desc = "ACPI hot-plug of memory", .not_user_creatable = true, .data = &hotplug_class,
};
DEVICE_TYPE(hotplug_type)

/* --- the methods --- */

static void name_of(char *name, size_t len, unsigned n)
{
    snprintf(name, len, "MP%02X", n & 0xff);
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

    acpi_slots_put_sta(a, "MSTA", "MADL", "MFLG");

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

    acpi_slots_put_eject(a, "MEJ0", "MADL", "MFLG");

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
    acpi_slots_put_scan(a, "MSCN", "MADL", "MFLG", name_of, n);
}
