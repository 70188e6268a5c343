/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt links of the DSDT: methods over a byte per link of the router (82371SB 2.2.8, ICH9 13.1.17), whose
 * fields the bridge to ISA has: PRQ0 and so on.
 *
 * Source: ACPI 3.0, 6.2.
 */
#include "util/osdep.h"
#include "hw/i386/chipset.h"

#define LINK_DISABLED   0x09
#define LINK_ENABLED    0x0b
#define INTERRUPT_AT    5               /* offset of the number in its descriptor */

static const char *const link_names[8] = { "LNKA", "LNKB", "LNKC", "LNKD", "LNKE", "LNKF", "LNKG", "LNKH" };
const char *const acpi_link_paths[8] = {
    "\\_SB.LNKA", "\\_SB.LNKB", "\\_SB.LNKC", "\\_SB.LNKD", "\\_SB.LNKE", "\\_SB.LNKF", "\\_SB.LNKG", "\\_SB.LNKH",
};
/* As the links see them. */
static const char *const pirq_paths[8] = {
    "\\_SB.PCI0.ISA.PRQ0", "\\_SB.PCI0.ISA.PRQ1", "\\_SB.PCI0.ISA.PRQ2", "\\_SB.PCI0.ISA.PRQ3",
    "\\_SB.PCI0.ISA.PRQ4", "\\_SB.PCI0.ISA.PRQ5", "\\_SB.PCI0.ISA.PRQ6", "\\_SB.PCI0.ISA.PRQ7",
};
static const uint32_t link_irqs[] = { 5, 10, 11 };

void aml_put_hid(Aml *a, const char *name, const char *id)
{
    aml_name(a, name);
    aml_eisaid(a, id);
}

void aml_put_int(Aml *a, const char *name, uint64_t v)
{
    aml_name(a, name);
    aml_int(a, v);
}

static void put_interrupts(Aml *a, const char *name, const uint32_t *irqs, uint8_t n)
{
    GByteArray *r = g_byte_array_new();

    res_interrupt(r, irqs, n);
    aml_name(a, name);
    aml_resources(a, r);
}

/* Status and current setting of a link from its PIRQ register. */
void acpi_put_link_methods(Aml *a)
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

void acpi_put_link(Aml *a, unsigned n)
{
    aml_device(a, link_names[n]);
    aml_put_hid(a, "_HID", "PNP0C0F");
    aml_put_int(a, "_UID", n);
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

void acpi_put_fixed_link(Aml *a, const char *name, unsigned uid, uint32_t gsi)
{
    aml_device(a, name);
    aml_put_hid(a, "_HID", "PNP0C0F");
    aml_put_int(a, "_UID", uid);
    put_interrupts(a, "_PRS", &gsi, 1);
    put_interrupts(a, "_CRS", &gsi, 1);
    aml_put_int(a, "_STA", LINK_ENABLED);
    aml_method(a, "_DIS", 0, false);
    aml_end(a);
    aml_method(a, "_SRS", 1, false);
    aml_end(a);
    aml_end(a);
}

void acpi_put_route(Aml *a, unsigned slot, unsigned pin, const char *link)
{
    aml_package(a, 4);
    aml_int(a, slot << 16 | 0xffff);
    aml_int(a, pin);
    aml_ref(a, link);
    aml_int(a, 0);
    aml_end(a);
}
