/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/acpi/slots.h"

#include <glib.h>
#include "qapi/commands-machine.h"
#include "qapi/events-machine.h"
#include "qapi/events-qdev.h"
#include "util/log.h"
#include "util/main-loop.h"

/* ACPI 6.0, 6.3.5: events that _OST reports about; its status 0 is success, 0x84 that it is under way. */
enum { OST_EJECT_REQUEST = 0x3, OST_EJECT = 0x103, OST_IN_PROGRESS = 0x84 };
/* ACPI 6.0, 5.6.6: what a notification says. */
enum { NOTIFY_DEVICE_CHECK = 1, NOTIFY_EJECT_REQUEST = 3 };

static const AcpiSlotsClass *class_of(const AcpiSlots *s)
{
    return device_data(&s->dev);
}

static Device *selected(const AcpiSlots *s)
{
    return class_of(s)->at(s->selected);
}

/* --- reports --- */

static ACPIOSTInfo *report_of(const AcpiSlots *s, unsigned slot)
{
    ACPIOSTInfo *info = qapi_new(ACPIOSTInfo);
    const Device *dev = class_of(s)->at(slot);
    g_autofree char *number = g_strdup_printf("%u", slot);

    info->device = dev && dev->id ? strdup(dev->id) : NULL;
    info->slot = strdup(number);
    info->slot_type = class_of(s)->type;
    info->source = s->ost_event[slot];
    info->status = s->ost_status[slot];
    return info;
}

void acpi_slot_write_ost_event(AcpiSlots *s, uint32_t val)
{
    s->ost_event[s->selected] = val;
}

void acpi_slot_write_ost_status(AcpiSlots *s, uint32_t val)
{
    uint32_t event = s->ost_event[s->selected];
    Device *dev = selected(s);
    ACPIOSTInfo *info;

    s->ost_status[s->selected] = val;
    info = report_of(s, s->selected);
    qapi_event_send_acpi_device_ost(info);
    qapi_free_ACPIOSTInfo(info);
    if (dev && dev->pending_unplug && (event == OST_EJECT_REQUEST || event == OST_EJECT) && val &&
        val != OST_IN_PROGRESS) {
        g_autofree char *path = object_canonical_path(dev);

        dev->pending_unplug = false;
        qapi_event_send_device_unplug_guest_error(dev->id, path);
        if (class_of(s)->type == ACPI_SLOT_TYPE_DIMM) {
            qapi_event_send_mem_unplug_error(dev->id ? dev->id : "", "the guest keeps the memory");
        }
    }
}

static int add_reports(Device *dev, void *opaque)
{
    if (object_is_a(dev, TYPE_ACPI_SLOTS)) {
        const AcpiSlots *s = ACPI_SLOTS(dev);

        for (unsigned i = 0; i < s->num; i++) {
            qapi_list_append((ACPIOSTInfoList *)opaque, report_of(s, i));
        }
    }
    return 0;
}

ACPIOSTInfoList *qmp_query_acpi_ospm_status(UNUSED Error **errp)
{
    ACPIOSTInfoList *list = qapi_new(ACPIOSTInfoList);

    device_foreach(add_reports, list);
    return list;
}

/* --- flags --- */

bool acpi_slot_valid(const AcpiSlots *s)
{
    if (s->selected >= s->num) {
        log_guest_error(class_of(s)->name, "slot %u of %u", s->selected, s->num);
    }
    return s->selected < s->num;
}

uint8_t acpi_slot_flags(const AcpiSlots *s)
{
    return s->selected < s->num ? s->flags[s->selected] | (selected(s) ? SLOT_ENABLED : 0) : 0;
}

typedef struct Leaver {
    Device *dev;
    const AcpiSlotsClass *class;
} Leaver;

/* In the main loop: the guest's request may come from the very processor's thread that goes. */
static void leave(void *opaque)
{
    g_autofree Leaver *l = opaque;

    if (l->dev->realized) {
        if (l->class->leaves) {
            l->class->leaves(l->dev);
        }
        device_unplug_done(l->dev);
    }
    object_unref(l->dev);
}

/* Only what the user has asked for: a guest can't take the machine apart. */
static void eject(AcpiSlots *s)
{
    Device *dev = selected(s);

    if (dev && dev->pending_unplug && s->selected >= class_of(s)->fixed) {
        Leaver *l = g_new(Leaver, 1);

        *l = (Leaver) { object_ref(dev), class_of(s) };
        s->flags[s->selected] = 0;
        bh_once(NULL, leave, l);
    }
}

void acpi_slot_write_flags(AcpiSlots *s, uint8_t val)
{
    s->flags[s->selected] &= ~(val & (SLOT_INSERTED | SLOT_WANTED_BACK));
    if (val & SLOT_EJECT) {
        eject(s);
    }
}

static void tell(Device *controller, int slot, uint8_t flag)
{
    AcpiSlots *s = ACPI_SLOTS(controller);

    if (slot >= 0 && (uint32_t)slot < s->num) {
        s->flags[slot] |= flag;
        irq_pulse(s->event);
    }
}

void acpi_slot_plugged(Device *controller, int slot)
{
    tell(controller, slot, SLOT_INSERTED);
}

void acpi_slot_wanted_back(Device *controller, int slot)
{
    tell(controller, slot, SLOT_WANTED_BACK);
}

/* --- the device --- */

static void slots_init(Device *dev)
{
    device_init_irq_out(dev, "event", &ACPI_SLOTS(dev)->event, 1);
}

static bool slots_realize(Device *dev, UNUSED Error **errp)
{
    AcpiSlots *s = ACPI_SLOTS(dev);
    const AcpiSlotsClass *c = class_of(s);

    memory_region_init_io(&s->io, s, c->ops, s, c->name, c->len);
    return true;
}

static void slots_unrealize(Device *dev)
{
    memory_region_cleanup(&ACPI_SLOTS(dev)->io);
}

/* What the guest was asked for goes with its consent only; it will see all that is there anew. */
static void slots_reset(Device *dev)
{
    AcpiSlots *s = ACPI_SLOTS(dev);

    memset(s->flags, 0, sizeof(s->flags));
    memset(s->ost_event, 0, sizeof(s->ost_event));
    memset(s->ost_status, 0, sizeof(s->ost_status));
    s->selected = 0;
}

static bool slots_post_load(void *opaque, Error **errp)
{
    AcpiSlots *s = opaque;

    for (unsigned i = 0; i < ACPI_SLOTS_MAX; i++) {
        if (s->flags[i] & ~(SLOT_INSERTED | SLOT_WANTED_BACK)) {
            error_setf(errp, ERR_STATE_INVALID, "flags 0x%x of slot %u", s->flags[i], i);
            s->flags[i] = 0;
            return false;
        }
    }
    return true;
}

static const VmField slots_fields[] = {
    VM_U8_ARRAY(AcpiSlots, flags), VM_U32_ARRAY(AcpiSlots, ost_event), VM_U32_ARRAY(AcpiSlots, ost_status),
    VM_U32(AcpiSlots, selected), VM_END
};
static const VmMeaning slots_meanings[] = {
    { "selected", "the slot that the registers show" },
    { "flags", "of each slot", .payload = "a byte for each slot" },
    { "ost_event", "last _OST of each slot", .payload = "an event for each slot" },
    { "ost_status", "its status", .payload = "a status for each slot" }, { .name = NULL }
};
const VmState acpi_slots_vm = { 1, slots_fields, .post_load = slots_post_load, .meanings = slots_meanings };

static const Property slots_props[] = {
    PROP_U32_RANGE("num", AcpiSlots, num, 1, 1, ACPI_SLOTS_MAX, "slots"),
    PROP_END
};
static const DeviceType slots_type = {
    .name = TYPE_ACPI_SLOTS, .parent = TYPE_SYS_DEVICE, .abstract = true, .size = sizeof(AcpiSlots),
    .not_user_creatable = true, .props = slots_props, .init = slots_init, .realize = slots_realize,
    .unrealize = slots_unrealize, .reset_hold = slots_reset,
    .vm = { 1, slots_fields, .post_load = slots_post_load, .meanings = slots_meanings },
};
DEVICE_TYPE(slots_type)

Device *acpi_slots_create(const char *type, MemRegion *io, uint16_t base, unsigned n, Error **errp)
{
    Device *dev = device_new(type);

    if (!object_set_uint(dev, "num", n, errp) || !device_realize_unref(dev, NULL, errp)) {
        return NULL;
    }
    memory_region_add(io, base, &ACPI_SLOTS(dev)->io);
    return dev;
}

/* --- the methods --- */

void acpi_slots_put_store(Aml *a, uint64_t value, const char *field)
{
    aml_store(a);
    aml_int(a, value);
    aml_ref(a, field);
}

static void put_select(Aml *a, const char *select)
{
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, select);
}

/* "If (And (flags, bit))" */
static void put_if_flag(Aml *a, const char *flags, unsigned bit)
{
    aml_if(a);
    aml_and(a);
    aml_ref(a, flags);
    aml_int(a, bit);
    aml_none(a);
}

void acpi_slots_put_sta(Aml *a, const char *name, const char *select, const char *flags)
{
    aml_method(a, name, 1, true);
    put_select(a, select);
    put_if_flag(a, flags, SLOT_ENABLED);
    aml_return(a);
    aml_int(a, 0xf);
    aml_end(a);
    aml_return(a);
    aml_int(a, 0);
    aml_end(a);
}

void acpi_slots_put_eject(Aml *a, const char *name, const char *select, const char *flags)
{
    aml_method(a, name, 1, true);
    put_select(a, select);
    acpi_slots_put_store(a, SLOT_EJECT, flags);
    aml_end(a);
}

/* "If (And (flags, bit)) { Store (bit, flags); Notify (device, notice) }" */
static void put_news(Aml *a, const char *flags, const char *device, unsigned bit, unsigned notice)
{
    put_if_flag(a, flags, bit);
    acpi_slots_put_store(a, bit, flags);
    aml_notify(a);
    aml_ref(a, device);
    aml_int(a, notice);
    aml_end(a);
}

void acpi_slots_put_scan(Aml *a, const char *name, const char *select, const char *flags,
                         void (*name_of)(char *name, size_t len, unsigned slot), unsigned n)
{
    aml_method(a, name, 0, true);
    for (unsigned i = 0; i < n; i++) {
        char device[8];

        name_of(device, sizeof(device), i);
        acpi_slots_put_store(a, i, select);
        put_news(a, flags, device, SLOT_INSERTED, NOTIFY_DEVICE_CHECK);
        put_news(a, flags, device, SLOT_WANTED_BACK, NOTIFY_EJECT_REQUEST);
    }
    aml_end(a);
}
