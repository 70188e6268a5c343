/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of processors by ACPI methods. */
#include "util/osdep.h"
#include "hw/acpi/cpu-hotplug.h"

#include "hw/core/cpu.h"

enum { REG_SELECT = 0, REG_FLAGS = 4, REG_COMMAND = 5, REG_DATA = 8 };
enum { CMD_NEXT = 0, CMD_OST_EVENT = 1, CMD_OST_STATUS = 2, CMD_ARCH_ID = 3 };

typedef struct CpuHotplug {
    AcpiSlots slots;
    uint8_t command;
    uint32_t data;              /* bytes as they are written */
} CpuHotplug;
DEFINE_CAST(CPU_HOTPLUG, CpuHotplug, TYPE_ACPI_CPU_HOTPLUG)

static void select_next(AcpiSlots *s)
{
    for (uint32_t i = 0; i < s->num; i++) {
        uint32_t n = (s->selected + i) % s->num;

        if (s->flags[n]) {
            s->selected = n;
            return;
        }
    }
}

static MemResult hotplug_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                              UNUSED MemAttrs attrs)
{
    const CpuHotplug *c = opaque;
    const AcpiSlots *s = &c->slots;

    *val = 0;
    if (addr == REG_FLAGS) {
        *val = acpi_slot_flags(s);
    } else if (s->selected < s->num && addr >= REG_DATA &&
               (c->command == CMD_NEXT || c->command == CMD_ARCH_ID)) {
        *val = s->selected >> (addr - REG_DATA) * 8 & 0xff;
    }
    return MEM_OK;
}

static void data_written(CpuHotplug *c, unsigned byte, uint8_t val)
{
    c->data = (c->data & ~(0xffu << byte * 8)) | (uint32_t)val << byte * 8;
    if (c->command == CMD_OST_EVENT) {
        acpi_slot_write_ost_event(&c->slots, c->data);
    } else if (c->command == CMD_OST_STATUS && byte == 3) {
        acpi_slot_write_ost_status(&c->slots, c->data);
    }
}

static MemResult hotplug_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    CpuHotplug *c = opaque;
    AcpiSlots *s = &c->slots;

    if (addr < REG_FLAGS) {
        s->selected = (s->selected & ~(0xffu << addr * 8)) | (uint32_t)(val & 0xff) << addr * 8;
        return MEM_OK;
    }
    if (!acpi_slot_valid(s)) {
        return MEM_OK;
    }
    if (addr == REG_FLAGS) {
        acpi_slot_write_flags(s, val);
    } else if (addr == REG_COMMAND) {
        c->command = val;
        c->data = 0;
        if (c->command == CMD_NEXT) {
            select_next(s);
        }
    } else if (addr >= REG_DATA) {
        data_written(c, addr - REG_DATA, val);
    }
    return MEM_OK;
}

static const MemOps hotplug_ops = {
    .read = hotplug_read, .write = hotplug_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 1, 1 },
};

/* --- the device --- */

static Device *cpu_at(unsigned n)
{
    CPUState *cpu = cpu_by_index(n);

    return cpu ? &cpu->dev : NULL;
}

static void cpu_leaves(Device *dev)
{
    cpu_end_thread(CPU(dev));
}

static void hotplug_reset(Device *dev)
{
    CpuHotplug *c = CPU_HOTPLUG(dev);

    c->data = 0;
    c->command = 0;
}

static const VmField hotplug_fields[] = {
    VM_STRUCT(CpuHotplug, slots, acpi_slots_vm), VM_U8(CpuHotplug, command), VM_U32(CpuHotplug, data), VM_END
};
static const VmMeaning hotplug_meanings[] = {
    { "command", "what the data register means" }, { "data", "data register" },
    { .name = NULL }
};
/* The processor that boots stays. */
static const AcpiSlotsClass hotplug_class = {
    .type = ACPI_SLOT_TYPE_CPU, .name = "acpi-cpu-hotplug", .ops = &hotplug_ops, .len = CPU_HOTPLUG_LEN,
    .fixed = 1, .at = cpu_at, .leaves = cpu_leaves,
};
static const DeviceType hotplug_type = {
    .name = TYPE_ACPI_CPU_HOTPLUG, .parent = TYPE_ACPI_SLOTS, .size = sizeof(CpuHotplug),
    .desc = "ACPI hot-plug of processors", .not_user_creatable = true, .reset_hold = hotplug_reset,
    .vm = { 1, hotplug_fields, .meanings = hotplug_meanings }, .data = &hotplug_class,
};
DEVICE_TYPE(hotplug_type)

/* --- the methods --- */

static void name_of(char *name, size_t len, unsigned n)
{
    snprintf(name, len, "C%03X", n & 0xfffu);
}

/* ACPI 6.0, 8.4 and 5.2.12.2: a processor, with its entry of the MADT. */
static void put_cpu(Aml *a, unsigned n)
{
    const uint8_t lapic[8] = { 0, 8, n, n, 1, 0, 0, 0 };
    char name[8];

    name_of(name, sizeof(name), n);
    aml_device(a, name);
    aml_name(a, "_HID");
    aml_string(a, "ACPI0007");
    aml_name(a, "_UID");
    aml_int(a, n);
    aml_name(a, "_MAT");
    aml_buffer(a, lapic, sizeof(lapic));
    aml_method(a, "_STA", 0, false);
    aml_return(a);
    aml_call(a, "CSTA");
    aml_int(a, n);
    aml_end(a);
    if (n) {                    /* the one that boots stays */
        aml_method(a, "_EJ0", 1, false);
        aml_call(a, "CEJ0");
        aml_int(a, n);
        aml_end(a);
    }
    aml_method(a, "_OST", 3, false);
    aml_call(a, "COST");
    aml_int(a, n);
    aml_arg(a, 0);
    aml_arg(a, 1);
    aml_end(a);
    aml_end(a);
}

static void put_methods(Aml *a)
{
    acpi_slots_put_sta(a, "CSTA", "CSEL", "CFLG");
    acpi_slots_put_eject(a, "CEJ0", "CSEL", "CFLG");

    aml_method(a, "COST", 3, true);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "CSEL");
    acpi_slots_put_store(a, CMD_OST_EVENT, "CCMD");
    aml_store(a);
    aml_arg(a, 1);
    aml_ref(a, "CDAT");
    acpi_slots_put_store(a, CMD_OST_STATUS, "CCMD");
    aml_store(a);
    aml_arg(a, 2);
    aml_ref(a, "CDAT");
    aml_end(a);
}

void cpu_hotplug_put_aml(Aml *a, uint16_t port, unsigned n)
{
    static const char *const words[] = { "CSEL", "CRS1", "CDAT", NULL };
    static const char *const bytes[] = { "CSB0", "CSB1", "CSB2", "CSB3", "CFLG", "CCMD", NULL };

    aml_op_region(a, "CPRG", AML_SPACE_IO, port, CPU_HOTPLUG_LEN);
    aml_field(a, "CPRG", words, 32);
    aml_field(a, "CPRG", bytes, 8);
    put_methods(a);
    for (unsigned i = 0; i < n; i++) {
        put_cpu(a, i);
    }
    acpi_slots_put_scan(a, "CSCN", "CSEL", "CFLG", name_of, n);
}
