/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSDT of the i440FX machines: processors, the PCI root with its windows
 * and interrupt routing, the links of the PIIX3, the ISA devices, sleep states.
 *
 * Source: ACPI 3.0, chapters 6 to 9 and 19.
 */
#include "util/osdep.h"
#include "hw/i386/acpi-build.h"

#include "hw/acpi/aml-build.h"
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/vmgenid.h"
#include "hw/acpi/piix4-pm.h"
#include "hw/i386/pc-hotplug.h"

#define NUM_LINKS       4
#define PCI_HOLE_END    0xfebfffffu     /* the IOAPIC is above */
#define PCI64_SIZE      (512 * GIB)
#define STA_PRESENT     0x0f
#define LINK_DISABLED   0x09
#define LINK_ENABLED    0x0b
#define INTERRUPT_AT    5               /* offset of the number in its descriptor */

static const char *const link_names[NUM_LINKS] = { "LNKA", "LNKB", "LNKC", "LNKD" };
static const char *const link_paths[NUM_LINKS] = {
    "\\_SB.LNKA", "\\_SB.LNKB", "\\_SB.LNKC", "\\_SB.LNKD",
};
static const char *const pirq_names[NUM_LINKS + 1] = {
    "PRQ0", "PRQ1", "PRQ2", "PRQ3", NULL,
};
/* As the links see them. */
static const char *const pirq_paths[NUM_LINKS] = {
    "\\_SB.PCI0.ISA.PRQ0", "\\_SB.PCI0.ISA.PRQ1", "\\_SB.PCI0.ISA.PRQ2",
    "\\_SB.PCI0.ISA.PRQ3",
};
static const uint32_t link_irqs[] = { 5, 10, 11 };
static const uint32_t sci_irq[] = { PIIX4_SCI };

static void put_hid(Aml *a, const char *id)
{
    aml_name(a, "_HID");
    aml_eisaid(a, id);
}

static void put_int(Aml *a, const char *name, uint64_t v)
{
    aml_name(a, name);
    aml_int(a, v);
}

static void put_processors(Aml *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char name[8];

        snprintf(name, sizeof(name), "C%03X", i & 0xfffu);
        aml_device(a, name);
        aml_name(a, "_HID");
        aml_string(a, "ACPI0007");
        put_int(a, "_UID", i);
        put_int(a, "_STA", STA_PRESENT);
        aml_end(a);
    }
}

static void put_root_resources(Aml *a, PcMachine *pc)
{
    GByteArray *r = g_byte_array_new();
    uint32_t hole = (uint32_t)MAX(pc->ram_below_4g, 0x80000000u);
    uint64_t hole64 = pc_plugged_end(pc);

    res_word(r, RES_BUS, 0, 0xff);
    res_io(r, 0xcf8, 0xcf8, 1, 8);
    res_word(r, RES_IO, 0, 0xcf7);
    res_word(r, RES_IO, 0xd00, 0xffff);
    res_dword(r, RES_MEMORY, 0xa0000, 0xbffff, true);
    res_dword(r, RES_MEMORY, hole, PCI_HOLE_END, false);
    res_qword(r, RES_MEMORY, hole64, hole64 + PCI64_SIZE - 1, true);
    aml_name(a, "_CRS");
    aml_resources(a, r);
}

/* As hw/isa/piix3.c wires the slots; the pins of slot 1 that the power
 * management function has are hard-wired to the SCI. */
static void put_routing(Aml *a)
{
    aml_name(a, "_PRT");
    aml_package(a, 32 * 4);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_ref(a, slot == 1 && pin == 0 ? "\\_SB.LNKS"
                                             : link_paths[(slot + pin + 3) & 3]);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

static void put_interrupts(Aml *a, const char *name, const uint32_t *irqs, uint8_t n)
{
    GByteArray *r = g_byte_array_new();

    res_interrupt(r, irqs, n);
    aml_name(a, name);
    aml_resources(a, r);
}

/* Status and current setting of a link from its PIRQ register. */
static void put_link_methods(Aml *a)
{
    static const uint32_t none[] = { 0 };

    aml_method(a, "IQST", 1, false);
    aml_if(a);
    aml_and(a);
    aml_arg(a, 0);
    aml_int(a, 0x80);
    aml_none(a);
    aml_return(a);
    aml_int(a, LINK_DISABLED);
    aml_end(a);
    aml_return(a);
    aml_int(a, LINK_ENABLED);
    aml_end(a);

    aml_method(a, "IQCR", 1, true);
    put_interrupts(a, "PRR0", none, 1);
    aml_create_dword_field(a);
    aml_ref(a, "PRR0");
    aml_int(a, INTERRUPT_AT);
    aml_ref(a, "PRRI");
    aml_if(a);
    aml_less(a);
    aml_arg(a, 0);
    aml_int(a, 0x80);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "PRRI");
    aml_end(a);
    aml_return(a);
    aml_ref(a, "PRR0");
    aml_end(a);
}

static void put_link(Aml *a, unsigned n)
{
    aml_device(a, link_names[n]);
    put_hid(a, "PNP0C0F");
    put_int(a, "_UID", n);
    put_interrupts(a, "_PRS", link_irqs, ARRAY_SIZE(link_irqs));
    aml_method(a, "_STA", 0, false);
    aml_return(a);
    aml_ref(a, "IQST");
    aml_ref(a, pirq_paths[n]);
    aml_end(a);
    aml_method(a, "_DIS", 0, false);
    aml_or(a);
    aml_ref(a, pirq_paths[n]);
    aml_int(a, 0x80);
    aml_ref(a, pirq_paths[n]);
    aml_end(a);
    aml_method(a, "_CRS", 0, false);
    aml_return(a);
    aml_ref(a, "IQCR");
    aml_ref(a, pirq_paths[n]);
    aml_end(a);
    aml_method(a, "_SRS", 1, false);
    aml_create_dword_field(a);
    aml_arg(a, 0);
    aml_int(a, INTERRUPT_AT);
    aml_ref(a, "PRRI");
    aml_store(a);
    aml_ref(a, "PRRI");
    aml_ref(a, pirq_paths[n]);
    aml_end(a);
    aml_end(a);
}

static void put_sci_link(Aml *a)
{
    aml_device(a, "LNKS");
    put_hid(a, "PNP0C0F");
    put_int(a, "_UID", NUM_LINKS);
    put_interrupts(a, "_PRS", sci_irq, 1);
    put_interrupts(a, "_CRS", sci_irq, 1);
    put_int(a, "_STA", LINK_ENABLED);
    aml_method(a, "_DIS", 0, false);
    aml_end(a);
    aml_method(a, "_SRS", 1, false);
    aml_end(a);
    aml_end(a);
}

/* A device with up to two runs of ports and an interrupt (0: none). */
static void put_isa(Aml *a, const char *name, const char *hid, unsigned uid, uint16_t io1,
                    uint8_t len1, uint16_t io2, uint8_t len2, unsigned irq)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, name);
    put_hid(a, hid);
    if (uid) {
        put_int(a, "_UID", uid);
    }
    put_int(a, "_STA", STA_PRESENT);
    if (len1) {
        res_io(r, io1, io1, 1, len1);
    }
    if (len2) {
        res_io(r, io2, io2, 1, len2);
    }
    if (irq) {
        res_irq(r, (uint16_t)BIT(irq), false);
    }
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
}

static void put_isa_devices(Aml *a, PcMachine *pc)
{
    static const struct { uint16_t io; uint8_t irq; } com[] = {
        { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 },
    };

    put_isa(a, "RTC", "PNP0B00", 0, 0x70, 2, 0, 0, 8);
    if (pc->i8042) {
        put_isa(a, "KBD", "PNP0303", 0, 0x60, 1, 0x64, 1, 1);
        put_isa(a, "MOU", "PNP0F13", 0, 0, 0, 0, 0, 12);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(com); i++) {
        char name[8];

        if (pc->parent.serial[i]) {
            snprintf(name, sizeof(name), "COM%u", i + 1);
            put_isa(a, name, "PNP0501", i + 1, com[i].io, 8, 0, 0, com[i].irq);
        }
    }
}

static void put_hpet_device(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, "HPET");
    put_hid(a, "PNP0103");
    put_int(a, "_UID", 0);
    put_int(a, "_STA", STA_PRESENT);
    res_memory32(r, PC_HPET_ADDR, 0x400);
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
}

/* The firmware's configuration device, for drivers in the guest. */
static void put_fw_cfg_device(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    aml_device(a, "FWCF");
    aml_name(a, "_HID");
    aml_string(a, "QEMU0002");
    put_int(a, "_STA", 0x0b);
    res_io(r, 0x510, 0x510, 1, 12);
    aml_name(a, "_CRS");
    aml_resources(a, r);
    aml_end(a);
}

/* Where the generation id is ("Virtual Machine Generation ID", 2012). */
static void put_vmgenid(Aml *a)
{
    aml_device(a, "VGEN");
    aml_name(a, "_HID");
    aml_string(a, "QEMUVGID");
    aml_name(a, "_CID");
    aml_string(a, "VM_Gen_Counter");
    aml_name(a, "_DDN");
    aml_string(a, "VM_Gen_Counter");
    aml_name(a, "ADDR");
    aml_package(a, 2);
    aml_int(a, VMGENID_ADDR);
    aml_int(a, 0);
    aml_end(a);
    aml_end(a);
}

static void slot_name(char *name, size_t n, unsigned slot)
{
    snprintf(name, n, "S%02X_", slot << 3);
}

/* Functions that may come and go: a device for each slot, with _EJ0, and what the event calls
 * (ACPI 3.0, 6.3 and 5.6.4). */
static void put_hotplug(Aml *a, const PCIBus *bus)
{
    static const char *const fields[] = { "PCIU", "PCID", "B0EJ", "PRMV", NULL };
    static const struct { const char *field; unsigned notice; } causes[] = {
        { "PCIU", 1 }, { "PCID", 3 },           /* device check, eject request */
    };
    char name[8];

    aml_op_region(a, "PCST", AML_SPACE_IO, PCI_HOTPLUG_IO, PCI_HOTPLUG_LEN);
    aml_field(a, "PCST", fields, 32);
    for (unsigned slot = 1; slot < 32; slot++) {
        if (!pci_hotplug_removable(bus, slot)) {
            continue;
        }
        slot_name(name, sizeof(name), slot);
        aml_device(a, name);
        put_int(a, "_SUN", slot);
        put_int(a, "_ADR", slot << 16);
        aml_method(a, "_EJ0", 1, true);
        aml_store(a);
        aml_int(a, UINT64_C(1) << slot);
        aml_ref(a, "B0EJ");
        aml_end(a);
        aml_end(a);
    }
    aml_method(a, "DVNT", 2, false);
    for (unsigned slot = 1; slot < 32; slot++) {
        if (pci_hotplug_removable(bus, slot)) {
            slot_name(name, sizeof(name), slot);
            aml_if(a);
            aml_and(a);
            aml_arg(a, 0);
            aml_int(a, UINT64_C(1) << slot);
            aml_none(a);
            aml_notify(a);
            aml_ref(a, name);
            aml_arg(a, 1);
            aml_end(a);
        }
    }
    aml_end(a);
    aml_method(a, "PCNT", 0, true);
    for (unsigned i = 0; i < ARRAY_SIZE(causes); i++) {
        aml_call(a, "DVNT");
        aml_ref(a, causes[i].field);
        aml_int(a, causes[i].notice);
    }
    aml_end(a);
}

/* What a general-purpose event of a controller, if there is one, calls. */
static void put_event(Aml *a, const Device *controller, const char *event, const char *method)
{
    if (controller) {
        aml_method(a, event, 0, false);
        aml_call(a, method);
        aml_end(a);
    }
}

/* Values for SUS_TYP of both PM1 control registers (82371AB 7.2.3). */
static void put_sleep_state(Aml *a, const char *name, unsigned type)
{
    aml_name(a, name);
    aml_package(a, 4);
    aml_int(a, type);
    aml_int(a, type);
    aml_int(a, 0);
    aml_int(a, 0);
    aml_end(a);
}

static bool pm_disables(PcMachine *pc, const char *prop)
{
    uint64_t off = 0;

    return object_get_uint(pc->pm, prop, &off, NULL) && off;
}

unsigned pc_put_dsdt(AcpiTables *t, PcMachine *pc)
{
    unsigned dsdt = acpi_table_begin(t, "DSDT", 1);
    Aml aml, *a = &aml;

    aml_init(a, t->tables);
    aml_scope(a, "\\_SB");
    if (pc->cpu_hotplug) {
        cpu_hotplug_put_aml(a, pc->parent.smp.max_cpus);
    } else {
        put_processors(a, pc->parent.smp.cpus);
    }
    if (pc->mem_hotplug) {
        memory_hotplug_put_aml(a, pc->parent.ram_slots);
    }
    aml_device(a, "PCI0");
    put_hid(a, "PNP0A03");
    put_int(a, "_UID", 0);
    put_root_resources(a, pc);
    aml_device(a, "ISA");
    put_int(a, "_ADR", 0x10000);
    aml_op_region(a, "P40C", AML_SPACE_PCI_CONFIG, 0x60, NUM_LINKS);
    aml_field(a, "P40C", pirq_names, 8);
    put_isa_devices(a, pc);
    aml_end(a);
    put_fw_cfg_device(a);
    aml_end(a);
    if (pc->hpet) {
        put_hpet_device(a);
    }
    aml_end(a);

    aml_scope(a, "\\_SB");
    put_link_methods(a);
    for (unsigned i = 0; i < NUM_LINKS; i++) {
        put_link(a, i);
    }
    put_sci_link(a);
    aml_end(a);
    aml_scope(a, "\\_SB.PCI0");
    put_routing(a);
    if (pc->pm) {
        put_hotplug(a, pc->pci);
    }
    aml_end(a);
    if (vmgenid_find()) {
        aml_scope(a, "\\_SB");
        put_vmgenid(a);
        aml_end(a);
    }
    if (pc->pm) {
        aml_scope(a, "\\_GPE");
        aml_method(a, "_E01", 0, false);
        aml_call(a, "\\_SB.PCI0.PCNT");
        aml_end(a);
        put_event(a, pc->cpu_hotplug, "_E02", "\\_SB.CSCN");
        put_event(a, pc->mem_hotplug, "_E03", "\\_SB.MSCN");
        if (vmgenid_find()) {
            aml_method(a, "_E05", 0, false);
            aml_notify(a);
            aml_ref(a, "\\_SB.VGEN");
            aml_int(a, 0x80);
            aml_end(a);
        }
        aml_end(a);
    }
    if (pc->pm && !pm_disables(pc, "disable_s3")) {
        put_sleep_state(a, "\\_S3", 1);
    }
    if (pc->pm && !pm_disables(pc, "disable_s4")) {
        put_sleep_state(a, "\\_S4", 2);
    }
    put_sleep_state(a, "\\_S5", 0);
    acpi_table_end(t, dsdt);
    return dsdt;
}
