/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI tables of the PC machines. */
#ifndef HW_I386_ACPI_BUILD_H
#define HW_I386_ACPI_BUILD_H

#include "hw/acpi/tables.h"
#include "hw/i386/pc.h"

/* Into fw_cfg; from .done. */
bool pc_add_acpi_tables(PcMachine *pc, Error **errp);
/* For tests; free with acpi_tables_free(). */
AcpiTables *pc_build_acpi_tables(PcMachine *pc);
/* The differentiated description (hw/i386/acpi-dsdt.c); the whole table. */
unsigned pc_put_dsdt(AcpiTables *t, PcMachine *pc);

#endif
