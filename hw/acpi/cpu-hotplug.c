/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug of processors by ACPI methods. */
#include "util/osdep.h"
#include "hw/acpi/cpu-hotplug.h"

#include <glib.h>
#include "hw/acpi/slot-report.h"
#include "util/log.h"
#include "util/main-loop.h"

enum { REG_SELECT = 0, REG_FLAGS = 4, REG_COMMAND = 5, REG_DATA = 8 };
enum { CMD_NEXT = 0, CMD_OST_EVENT = 1, CMD_OST_STATUS = 2 };
#define CPUS_MAX    256

typedef struct CpuHotplug {
    Device dev;
    uint32_t num;               /* property: places */
    MemRegion io;
    IrqLine *event;
    uint8_t flags[CPUS_MAX];    /* SLOT_INSERTED, SLOT_WANTED_BACK */
    uint32_t ost_event[CPUS_MAX], ost_status[CPUS_MAX];
    uint32_t selected;
    uint8_t command;
    uint32_t data;              /* bytes as they are written */
} CpuHotplug;
static CpuHotplug *CPU_HOTPLUG(const void *obj)
{
    return (CpuHotplug *)object_cast(obj, TYPE_ACPI_CPU_HOTPLUG);
}

static Device *cpu_at(unsigned n)
{
    CPUState *cpu = cpu_by_index(n);

    return cpu ? &cpu->dev : NULL;
}

/* In the main loop: the guest's request may come from the very thread that goes. */
static void remove_cpu(void *opaque)
{
    Device *dev = opaque;

    if (dev->realized) {
        cpu_end_thread(CPU(dev));
        device_unplug_done(dev);
    }
    object_unref(dev);
}

static void eject(CpuHotplug *s)
{
    Device *dev = cpu_at(s->selected);

    /* Only what the user has asked for: a guest can't take the machine apart. */
    if (dev && dev->pending_unplug && s->selected) {
        s->flags[s->selected] = 0;
        bh_once(NULL, remove_cpu, object_ref(dev));
    }
}

static void select_next(CpuHotplug *s)
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
    CpuHotplug *s = opaque;

    *val = 0;
    if (s->selected >= s->num) {
        return MEM_OK;
    }
    if (addr == REG_FLAGS) {
        *val = s->flags[s->selected] | (cpu_at(s->selected) ? SLOT_ENABLED : 0);
    } else if (addr >= REG_DATA && s->command == CMD_NEXT) {
        *val = s->selected >> (addr - REG_DATA) * 8 & 0xff;
    }
    return MEM_OK;
}

static void data_written(CpuHotplug *s, unsigned byte, uint8_t val)
{
    s->data = (s->data & ~(0xffu << byte * 8)) | (uint32_t)val << byte * 8;
    if (s->command == CMD_OST_EVENT) {
        s->ost_event[s->selected] = s->data;
    } else if (s->command == CMD_OST_STATUS) {
        s->ost_status[s->selected] = s->data;
        if (byte == 3) {
            slot_reported(ACPI_SLOT_TYPE_CPU, s->selected, cpu_at(s->selected),
                          s->ost_event[s->selected], s->data);
        }
    }
}

static MemResult hotplug_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    CpuHotplug *s = opaque;

    if (addr < REG_FLAGS) {
        s->selected = (s->selected & ~(0xffu << addr * 8)) | (uint32_t)(val & 0xff) << addr * 8;
        return MEM_OK;
    }
    if (s->selected >= s->num) {
        log_guest_error("cpu-hotplug", "processor %u of %u", s->selected, s->num);
        return MEM_OK;
    }
    if (addr == REG_FLAGS) {
        s->flags[s->selected] &= ~(val & (SLOT_INSERTED | SLOT_WANTED_BACK));
        if (val & SLOT_EJECT) {
            eject(s);
        }
    } else if (addr == REG_COMMAND) {
        s->command = val;
        s->data = 0;
        if (s->command == CMD_NEXT) {
            select_next(s);
        }
    } else if (addr >= REG_DATA) {
        data_written(s, addr - REG_DATA, val);
    }
    return MEM_OK;
}

static const MemOps hotplug_ops = {
    .read = hotplug_read, .write = hotplug_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 1, 1 },
};

/* --- for the board --- */

static void tell(CpuHotplug *s, const CPUState *cpu, uint8_t flag)
{
    if (cpu->index >= 0 && (unsigned)cpu->index < s->num) {
        s->flags[cpu->index] |= flag;
        irq_pulse(s->event);
    }
}

void cpu_hotplug_plugged(Device *dev, CPUState *cpu)
{
    tell(CPU_HOTPLUG(dev), cpu, SLOT_INSERTED);
}

void cpu_hotplug_wanted_back(Device *dev, CPUState *cpu)
{
    tell(CPU_HOTPLUG(dev), cpu, SLOT_WANTED_BACK);
}

static void report(Device *dev, ACPIOSTInfoList *list)
{
    CpuHotplug *s = CPU_HOTPLUG(dev);

    for (unsigned i = 0; i < s->num; i++) {
        qapi_list_append(list, slot_report(ACPI_SLOT_TYPE_CPU, i, cpu_at(i), s->ost_event[i],
                                           s->ost_status[i]));
    }
}

/* --- the device --- */

static void hotplug_init(Device *dev)
{
    device_init_irq_out(dev, "event", &CPU_HOTPLUG(dev)->event, 1);
}

static bool hotplug_realize(Device *dev, UNUSED Error **errp)
{
    CpuHotplug *s = CPU_HOTPLUG(dev);

    memory_region_init_io(&s->io, s, &hotplug_ops, s, "acpi-cpu-hotplug", CPU_HOTPLUG_LEN);
    return true;
}

static void hotplug_unrealize(Device *dev)
{
    memory_region_cleanup(&CPU_HOTPLUG(dev)->io);
}

/* What the guest was asked for goes with its consent only; it will see all processors anew. */
static void hotplug_reset(Device *dev)
{
    CpuHotplug *s = CPU_HOTPLUG(dev);

    memset(s->flags, 0, sizeof(s->flags));
    memset(s->ost_event, 0, sizeof(s->ost_event));
    memset(s->ost_status, 0, sizeof(s->ost_status));
    s->selected = s->data = 0;
    s->command = 0;
}

static bool hotplug_post_load(void *opaque, Error **errp)
{
    CpuHotplug *s = opaque;

    for (unsigned i = 0; i < CPUS_MAX; i++) {
        if (s->flags[i] & ~(SLOT_INSERTED | SLOT_WANTED_BACK)) {
            error_setf(errp, ERR_STATE_INVALID, "flags 0x%x of processor %u", s->flags[i], i);
            s->flags[i] = 0;
            return false;
        }
    }
    return true;
}

static const VmField hotplug_fields[] = {
    VM_U8_ARRAY(CpuHotplug, flags), VM_U32_ARRAY(CpuHotplug, ost_event),
    VM_U32_ARRAY(CpuHotplug, ost_status), VM_U32(CpuHotplug, selected), VM_U8(CpuHotplug, command),
    VM_U32(CpuHotplug, data), VM_END
};
static const Property hotplug_props[] = {
    PROP_U32_RANGE("num", CpuHotplug, num, 1, 1, CPUS_MAX, "places for processors"),
    PROP_END
};
static const SlotReporter reporter = { report };
static const DeviceType hotplug_type = {
    .name = TYPE_ACPI_CPU_HOTPLUG, .parent = TYPE_ACPI_SLOTS, .size = sizeof(CpuHotplug),
    .desc = "ACPI hot-plug of processors", .not_user_creatable = true, .props = hotplug_props,
    .init = hotplug_init, .realize = hotplug_realize, .unrealize = hotplug_unrealize,
    .reset_hold = hotplug_reset, .vm = { 1, hotplug_fields, .post_load = hotplug_post_load },
    .data = &reporter,
};
DEVICE_TYPE(hotplug_type)

Device *cpu_hotplug_create(MemRegion *io, unsigned n, Error **errp)
{
    Device *dev = device_new(TYPE_ACPI_CPU_HOTPLUG);

    if (!object_set_uint(dev, "num", n, errp) || !device_realize_unref(dev, NULL, errp)) {
        return NULL;
    }
    memory_region_add(io, CPU_HOTPLUG_IO, &CPU_HOTPLUG(dev)->io);
    return dev;
}

/* --- the methods --- */

static void name_of(char *name, size_t len, unsigned n)
{
    snprintf(name, len, "C%03X", n & 0xfffu);
}

/* "Store (value, field)" */
static void put_store(Aml *a, uint64_t value, const char *field)
{
    aml_store(a);
    aml_int(a, value);
    aml_ref(a, field);
}

/* "If (And (CFLG, bit)) { Notify (C..., notice); Store (bit, CFLG) }" */
static void put_news(Aml *a, const char *name, unsigned bit, unsigned notice)
{
    aml_if(a);
    aml_and(a);
    aml_ref(a, "CFLG");
    aml_int(a, bit);
    aml_none(a);
    put_store(a, bit, "CFLG");
    aml_notify(a);
    aml_ref(a, name);
    aml_int(a, notice);
    aml_end(a);
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
    aml_method(a, "CSTA", 1, true);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "CSEL");
    aml_if(a);
    aml_and(a);
    aml_ref(a, "CFLG");
    aml_int(a, SLOT_ENABLED);
    aml_none(a);
    aml_return(a);
    aml_int(a, 0xf);
    aml_end(a);
    aml_return(a);
    aml_int(a, 0);
    aml_end(a);

    aml_method(a, "CEJ0", 1, true);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "CSEL");
    put_store(a, SLOT_EJECT, "CFLG");
    aml_end(a);

    aml_method(a, "COST", 3, true);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "CSEL");
    put_store(a, CMD_OST_EVENT, "CCMD");
    aml_store(a);
    aml_arg(a, 1);
    aml_ref(a, "CDAT");
    put_store(a, CMD_OST_STATUS, "CCMD");
    aml_store(a);
    aml_arg(a, 2);
    aml_ref(a, "CDAT");
    aml_end(a);
}

void cpu_hotplug_put_aml(Aml *a, unsigned n)
{
    static const char *const words[] = { "CSEL", "CRS1", "CDAT", NULL };
    static const char *const bytes[] = { "CSB0", "CSB1", "CSB2", "CSB3", "CFLG", "CCMD", NULL };

    aml_op_region(a, "CPRG", AML_SPACE_IO, CPU_HOTPLUG_IO, CPU_HOTPLUG_LEN);
    aml_field(a, "CPRG", words, 32);
    aml_field(a, "CPRG", bytes, 8);
    put_methods(a);
    for (unsigned i = 0; i < n; i++) {
        put_cpu(a, i);
    }
    aml_method(a, "CSCN", 0, true);
    for (unsigned i = 0; i < n; i++) {
        char name[8];

        name_of(name, sizeof(name), i);
        put_store(a, i, "CSEL");
        put_news(a, name, SLOT_INSERTED, 1);            /* device check */
        put_news(a, name, SLOT_WANTED_BACK, 3);         /* eject request */
    }
    aml_end(a);
}
