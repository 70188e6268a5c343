/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmgenid: a number that changes when the machine's past is used again: a snapshot is loaded, or the
 * state is received by another process. Guests then make their random numbers anew.
 *
 * Source: Microsoft, "Virtual Machine Generation ID" (2012). The 16 bytes lie in a page of their
 * own, which the DSDT's device VGEN names; an ACPI event tells of a change.
 */
#include "util/osdep.h"
#include "hw/acpi/vmgenid.h"

#include <glib.h>
#include "memory/memory.h"
#include "qapi/commands-machine.h"
#include "util/bswap.h"

#define PAGE        4096

typedef struct VmGenId {
    Device dev;
    MemRegion page;
    char *text;                         /* property: a UUID, or "auto" */
    uint8_t id[16];                     /* as in memory */
    uint8_t saved[16];                  /* of the process that the state is from */
    IrqLine *changed;
} VmGenId;
DEFINE_CAST(VMGENID, VmGenId, TYPE_VMGENID)

static int match(Device *dev, void *opaque)
{
    Device **found = opaque;

    if (object_is_a(dev, TYPE_VMGENID)) {
        *found = dev;
    }
    return *found != NULL;
}

Device *vmgenid_find(void)
{
    Device *found = NULL;

    device_foreach(match, &found);
    return found;
}

/* The first three fields of a GUID are little-endian in memory. */
static bool parse(const char *text, uint8_t *id)
{
    static const uint8_t places[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    unsigned n = 0;

    if (!g_uuid_string_is_valid(text)) {
        return false;
    }
    for (const char *p = text; *p && n < 16; p++) {
        if (*p != '-') {
            id[places[n++]] = (uint8_t)(g_ascii_xdigit_value(p[0]) << 4 |
                                        g_ascii_xdigit_value(p[1]));
            p++;
        }
    }
    return true;
}

static bool vmgenid_realize(Device *dev, Error **errp)
{
    VmGenId *s = VMGENID(dev);
    g_autofree char *fresh = g_uuid_string_random();

    if (vmgenid_find()) {
        error_setf(errp, ERR_IN_USE, "at most one vmgenid device is permitted");
        return false;
    }
    if (!parse(strcmp(s->text, "auto") ? s->text : fresh, s->id)) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "property 'guid' is '%s'; accepted: a UUID, or auto",
                   s->text);
        error_argument(errp, "guid", s->text, "a UUID, or auto");
        return false;
    }
    device_init_irq_out(dev, "changed", &s->changed, 1);
    if (!memory_region_init_rom(&s->page, s, "vmgenid", PAGE, errp)) {
        return false;
    }
    memcpy(memory_region_ram_ptr(&s->page), s->id, sizeof(s->id));
    memory_region_add_overlap(system_memory(), VMGENID_ADDR, &s->page, 1);
    return true;
}

static void vmgenid_unrealize(Device *dev)
{
    memory_region_cleanup(&VMGENID(dev)->page);
}

static void vmgenid_gather(void *opaque)
{
    VmGenId *s = opaque;

    memcpy(s->saved, s->id, sizeof(s->saved));
}

/* The page came with the state: the number is this process's. */
static bool vmgenid_post_load(void *opaque, UNUSED Error **errp)
{
    VmGenId *s = opaque;

    memcpy(memory_region_ram_ptr(&s->page), s->id, sizeof(s->id));
    memory_region_set_dirty(&s->page, 0, sizeof(s->id));
    if (memcmp(s->saved, s->id, sizeof(s->id))) {
        irq_pulse(s->changed);
    }
    return true;
}

GuidInfo *qmp_query_vm_generation_id(Error **errp)
{
    Device *dev = vmgenid_find();
    const uint8_t *b = dev ? VMGENID(dev)->id : NULL;
    GuidInfo *info;
    char text[40];

    if (!dev) {
        error_setf(errp, ERR_NOT_SUPPORTED, "VM Generation ID device not found");
        return NULL;
    }
    snprintf(text, sizeof(text), "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", load_le32(b),
             load_le16(b + 4), load_le16(b + 6), b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    info = qapi_new(GuidInfo);
    info->guid = strdup(text);
    return info;
}

static const VmField vmgenid_fields[] = { VM_U8_ARRAY(VmGenId, saved), VM_END };

static const Property vmgenid_props[] = {
    PROP_STR("guid", VmGenId, text, "auto", "the number, a UUID; auto: a random one"),
    PROP_END
};

static const VmMeaning vmgenid_meanings[] = {
    { "saved", "the number, as in memory" },
    { .name = NULL }
};

static const DeviceType vmgenid_type = {
    .name = TYPE_VMGENID, .size = sizeof(VmGenId), .desc = "VM generation id",
    .category = DEVICE_MISC, .props = vmgenid_props, .realize = vmgenid_realize,
    .unrealize = vmgenid_unrealize, .vm = { 1, vmgenid_fields, .gather = vmgenid_gather,
            .post_load = vmgenid_post_load, .meanings = vmgenid_meanings },
};
DEVICE_TYPE(vmgenid_type)
