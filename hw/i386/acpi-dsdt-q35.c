/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSDT's parts for Q35 and ICH9: a PCI Express root, eight interrupt links for the 8259s, and as many fixed ones
 * for the I/O APIC.
 *
 * Source: ACPI 3.0; PCI Firmware Specification 3.0, 4.5.
 */
#include "util/osdep.h"
#include "hw/i386/chipset.h"

#include "hw/isa/lpc-ich9.h"

#define OSC_UNKNOWN_UUID    BIT(2)      /* PCI Firmware 3.0, table 4-4 */
#define OSC_UNKNOWN_REV     BIT(3)
#define OSC_MASKED          BIT(4)
#define OSC_NATIVE_HOTPLUG  BIT(0)      /* table 4-5 */
#define OSC_ALL             0x1f        /* hot-plug of Express and SHPC, PME, AER, capability structure */
#define OSC_SHPC            BIT(1)

static const char *const gsi_names[ICH9_NUM_PIRQS] = { "GSIA", "GSIB", "GSIC", "GSID", "GSIE", "GSIF", "GSIG", "GSIH" };
static const char *const gsi_paths[ICH9_NUM_PIRQS] = {
    "\\_SB.GSIA", "\\_SB.GSIB", "\\_SB.GSIC", "\\_SB.GSID", "\\_SB.GSIE", "\\_SB.GSIF", "\\_SB.GSIG", "\\_SB.GSIH",
};

static void create_field(Aml *a, unsigned offset, const char *name)
{
    aml_create_dword_field(a);
    aml_arg(a, 3);
    aml_int(a, offset);
    aml_ref(a, name);
}

static void set_bits(Aml *a, const char *name, uint32_t bits)
{
    aml_or(a);
    aml_ref(a, name);
    aml_int(a, bits);
    aml_ref(a, name);
}

/* _OSC (UUID, revision, count, buffer): what of PCI Express the operating system may control. */
static void put_osc(Aml *a, uint32_t granted)
{
    /* 33DB4D5B-1FF7-401C-9657-7441C03DD766 */
    static const uint8_t uuid[16] = { 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40,
                                      0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66 };

    aml_method(a, "_OSC", 4, false);
    create_field(a, 0, "CDW1");
    aml_if(a);
    aml_equal(a);
    aml_arg(a, 0);
    aml_buffer(a, uuid, sizeof(uuid));
    create_field(a, 8, "CDW3");
    aml_and(a);
    aml_ref(a, "CDW3");
    aml_int(a, granted);
    aml_local(a, 0);
    aml_if(a);
    aml_not(a);
    aml_equal(a);
    aml_arg(a, 1);
    aml_int(a, 1);
    set_bits(a, "CDW1", OSC_UNKNOWN_REV);
    aml_end(a);
    aml_if(a);
    aml_not(a);
    aml_equal(a);
    aml_ref(a, "CDW3");
    aml_local(a, 0);
    set_bits(a, "CDW1", OSC_MASKED);
    aml_end(a);
    aml_store(a);
    aml_local(a, 0);
    aml_ref(a, "CDW3");
    aml_end(a);
    aml_else(a);
    set_bits(a, "CDW1", OSC_UNKNOWN_UUID);
    aml_end(a);
    aml_return(a);
    aml_arg(a, 3);
    aml_end(a);
}

void q35_put_root(Aml *a, PcMachine *pc)
{
    bool bridges;
    bool native = !pc_chipset(pc)->pci_hotplug(pc, &bridges);

    aml_put_hid(a, "_HID", "PNP0A08");
    aml_put_hid(a, "_CID", "PNP0A03");
    aml_put_int(a, "_UID", 0);
    put_osc(a, OSC_ALL & ~OSC_SHPC & ~(native ? 0 : OSC_NATIVE_HOTPLUG));
}

void q35_put_router(Aml *a)
{
    static const char *const low[] = { "PRQ0", "PRQ1", "PRQ2", "PRQ3", NULL };
    static const char *const high[] = { "PRQ4", "PRQ5", "PRQ6", "PRQ7", NULL };

    aml_op_region(a, "PIRL", AML_SPACE_PCI_CONFIG, ICH9_PIRQA_ROUT, 4);
    aml_field(a, "PIRL", low, 8);
    aml_op_region(a, "PIRH", AML_SPACE_PCI_CONFIG, ICH9_PIRQE_ROUT, 4);
    aml_field(a, "PIRH", high, 8);
}

void q35_put_links(Aml *a, UNUSED PcMachine *pc)
{
    acpi_put_link_methods(a);
    for (unsigned i = 0; i < ICH9_NUM_PIRQS; i++) {
        acpi_put_link(a, i);
    }
    for (unsigned i = 0; i < ICH9_NUM_PIRQS; i++) {
        acpi_put_fixed_link(a, gsi_names[i], ICH9_NUM_PIRQS + i, ICH9_PIRQ_GSI + i);
    }
}

static void put_table(Aml *a, PcMachine *pc, const char *name, const char *const *links)
{
    aml_name(a, name);
    aml_package(a, 32 * 4);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            acpi_put_route(a, slot, pin, links[ich9_lpc_pirq(pc->south, slot, pin)]);
        }
    }
    aml_end(a);
}

/* _PIC (ACPI 3.0, 5.8.1) tells which interrupt controllers are in use. */
void q35_put_routing(Aml *a, PcMachine *pc)
{
    put_table(a, pc, "PRTP", acpi_link_paths);
    put_table(a, pc, "PRTA", gsi_paths);
    aml_put_int(a, "PICF", 0);
    aml_method(a, "\\_PIC", 1, false);
    aml_store(a);
    aml_arg(a, 0);
    aml_ref(a, "\\_SB.PCI0.PICF");
    aml_end(a);
    aml_method(a, "_PRT", 0, false);
    aml_if(a);
    aml_equal(a);
    aml_ref(a, "PICF");
    aml_int(a, 0);
    aml_return(a);
    aml_ref(a, "PRTP");
    aml_end(a);
    aml_return(a);
    aml_ref(a, "PRTA");
    aml_end(a);
}
