/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables that firmware puts into place: one file with all of them, one
 * with the RSDP, and the script that says how to link and sum them (the
 * interface of fw_cfg's etc/table-loader, 128 bytes a command).
 */
#ifndef HW_ACPI_TABLES_H
#define HW_ACPI_TABLES_H

#include <glib.h>
#include "hw/nvram/fw_cfg.h"

typedef struct AcpiTables {
    GByteArray *tables, *rsdp, *loader;
} AcpiTables;

AcpiTables *acpi_tables_new(void);
void acpi_tables_free(AcpiTables *t);

/* Opens a table: its header, with room for length and sum. Its offset. */
unsigned acpi_table_begin(AcpiTables *t, const char *signature, uint8_t revision);
void acpi_table_end(AcpiTables *t, unsigned table);
/* Numbers of @size bytes at the end of the tables. */
void acpi_put(AcpiTables *t, uint64_t val, unsigned size);
/* A generic address of I/O space (ACPI 6.0, 5.2.3.2); zeros for port 0. */
void acpi_put_io_address(AcpiTables *t, uint32_t port, uint8_t bits);
/* The @size bytes at @at become the address of what is at @target. */
void acpi_pointer(AcpiTables *t, unsigned at, unsigned size, unsigned target);
/* FACS (5.2.10), which has no common header; its offset. */
unsigned acpi_put_facs(AcpiTables *t);
/* RSDT of @n tables, and the RSDP. */
void acpi_put_root(AcpiTables *t, const unsigned *tables, unsigned n);

/* As fw_cfg files; @build makes them anew when firmware asks. */
bool acpi_tables_publish(AcpiTables *t, FwCfg *f, void (*build)(FwCfg *f, void *opaque),
                         void *opaque, Error **errp);
void acpi_tables_update(AcpiTables *t, FwCfg *f);

#endif
