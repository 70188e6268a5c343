/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DSDT's parts for i440FX and PIIX3. */
#include "util/osdep.h"
#include "hw/i386/chipset.h"

#include "hw/acpi/piix4-pm.h"

#define NUM_LINKS   4

void piix_put_root(Aml *a, UNUSED PcMachine *pc)
{
    aml_put_hid(a, "_HID", "PNP0A03");
    aml_put_int(a, "_UID", 0);
}

void piix_put_router(Aml *a)
{
    static const char *const fields[] = { "PRQ0", "PRQ1", "PRQ2", "PRQ3", NULL };

    aml_op_region(a, "P40C", AML_SPACE_PCI_CONFIG, 0x60, NUM_LINKS);
    aml_field(a, "P40C", fields, 8);
}

void piix_put_links(Aml *a, UNUSED PcMachine *pc)
{
    acpi_put_link_methods(a);
    for (unsigned i = 0; i < NUM_LINKS; i++) {
        acpi_put_link(a, i);
    }
    acpi_put_fixed_link(a, "LNKS", NUM_LINKS, PIIX4_SCI);
}

/* As hw/isa/piix3.c wires the slots; the pins of slot 1 that the power
 * management function has are hard-wired to the SCI. */
void piix_put_routing(Aml *a, UNUSED PcMachine *pc)
{
    aml_name(a, "_PRT");
    aml_package(a, 32 * 4);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            acpi_put_route(a, slot, pin, slot == 1 && pin == 0 ? "\\_SB.LNKS" : acpi_link_paths[(slot + pin + 3) & 3]);
        }
    }
    aml_end(a);
}
