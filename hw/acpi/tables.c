/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables for firmware to link: ACPI 6.0 chapter 5, and the commands of
 * etc/table-loader. */
#include "util/osdep.h"
#include "hw/acpi/tables.h"

#include "util/bswap.h"

#define FILE_TABLES     "etc/acpi/tables"
#define FILE_RSDP       "etc/acpi/rsdp"
#define FILE_LOADER     "etc/table-loader"
#define FILE_NAME_SIZE  56
#define COMMAND_SIZE    128

enum { COMMAND_ALLOCATE = 1, COMMAND_ADD_POINTER, COMMAND_ADD_CHECKSUM };
enum { ZONE_HIGH = 1, ZONE_FSEG };

#define HEADER_LENGTH   4               /* offsets in a table's header */
#define HEADER_SUM      9
#define HEADER_SIZE     36
#define FACS_SIZE       64
#define FILE_UNIT       4096
#define FACS_ALIGN      64
#define RSDP_SIZE       20
#define RSDP_SUM        8
#define RSDP_RSDT       16
/* OEM ids that guests show; six and eight characters. */
#define OEM_ID          "BOCHS "
#define OEM_TABLE_ID    "BXPC    "
#define CREATOR_ID      "BXPC"

static void command(AcpiTables *t, const uint8_t body[COMMAND_SIZE])
{
    g_byte_array_append(t->loader, body, COMMAND_SIZE);
}

static void put_file(uint8_t *at, const char *file)
{
    memcpy(at, file, strlen(file) + 1);
}

static void command_allocate(AcpiTables *t, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t c[COMMAND_SIZE] = { COMMAND_ALLOCATE };

    put_file(c + 4, file);
    store_le32(c + 4 + FILE_NAME_SIZE, align);
    c[4 + FILE_NAME_SIZE + 4] = zone;
    command(t, c);
}

static void command_pointer(AcpiTables *t, const char *in, const char *to, uint32_t at,
                            uint8_t size)
{
    uint8_t c[COMMAND_SIZE] = { COMMAND_ADD_POINTER };

    put_file(c + 4, in);
    put_file(c + 4 + FILE_NAME_SIZE, to);
    store_le32(c + 4 + 2 * FILE_NAME_SIZE, at);
    c[4 + 2 * FILE_NAME_SIZE + 4] = size;
    command(t, c);
}

static void command_checksum(AcpiTables *t, const char *file, uint32_t at, uint32_t start,
                             uint32_t len)
{
    uint8_t c[COMMAND_SIZE] = { COMMAND_ADD_CHECKSUM };

    put_file(c + 4, file);
    store_le32(c + 4 + FILE_NAME_SIZE, at);
    store_le32(c + 4 + FILE_NAME_SIZE + 4, start);
    store_le32(c + 4 + FILE_NAME_SIZE + 8, len);
    command(t, c);
}

AcpiTables *acpi_tables_new(void)
{
    AcpiTables *t = g_new(AcpiTables, 1);

    t->tables = g_byte_array_new();
    t->rsdp = g_byte_array_new();
    t->loader = g_byte_array_new();
    command_allocate(t, FILE_RSDP, 16, ZONE_FSEG);
    command_allocate(t, FILE_TABLES, FACS_ALIGN, ZONE_HIGH);
    return t;
}

void acpi_tables_free(AcpiTables *t)
{
    g_byte_array_unref(t->tables);
    g_byte_array_unref(t->rsdp);
    g_byte_array_unref(t->loader);
    g_free(t);
}

void acpi_put(AcpiTables *t, uint64_t val, unsigned size)
{
    uint8_t raw[8];

    store_le64(raw, val);
    g_byte_array_append(t->tables, raw, size);
}

void acpi_put_io_address(AcpiTables *t, uint32_t port, uint8_t bits)
{
    acpi_put(t, port ? 1 : 0, 1);       /* system I/O */
    acpi_put(t, port ? bits : 0, 1);
    acpi_put(t, 0, 2);
    acpi_put(t, port, 8);
}

static void put_text(AcpiTables *t, const char *text)
{
    g_byte_array_append(t->tables, (const uint8_t *)text, (guint)strlen(text));
}

/* 5.2.6: system description table header. */
unsigned acpi_table_begin(AcpiTables *t, const char *signature, uint8_t revision)
{
    unsigned at = t->tables->len;

    put_text(t, signature);
    acpi_put(t, 0, 4);
    acpi_put(t, revision, 1);
    acpi_put(t, 0, 1);
    put_text(t, OEM_ID);
    put_text(t, OEM_TABLE_ID);
    acpi_put(t, 1, 4);
    put_text(t, CREATOR_ID);
    acpi_put(t, 1, 4);
    return at;
}

void acpi_table_end(AcpiTables *t, unsigned table)
{
    uint32_t len = t->tables->len - table;

    store_le32(t->tables->data + table + HEADER_LENGTH, len);
    command_checksum(t, FILE_TABLES, table + HEADER_SUM, table, len);
}

void acpi_pointer(AcpiTables *t, unsigned at, unsigned size, unsigned target)
{
    store_le(t->tables->data + at, size, target);
    command_pointer(t, FILE_TABLES, FILE_TABLES, at, (uint8_t)size);
}

unsigned acpi_put_facs(AcpiTables *t)
{
    unsigned at = (unsigned)ALIGN_UP(t->tables->len, FACS_ALIGN);

    g_byte_array_set_size(t->tables, at + FACS_SIZE);
    memset(t->tables->data + at, 0, FACS_SIZE);
    memcpy(t->tables->data + at, "FACS", 4);
    store_le32(t->tables->data + at + HEADER_LENGTH, FACS_SIZE);
    return at;
}

/* 5.2.7 and 5.2.5.3. */
void acpi_put_root(AcpiTables *t, const unsigned *tables, unsigned n)
{
    unsigned rsdt = acpi_table_begin(t, "RSDT", 1);
    uint8_t rsdp[RSDP_SIZE] = "RSD PTR ";

    for (unsigned i = 0; i < n; i++) {
        acpi_put(t, 0, 4);
        acpi_pointer(t, rsdt + HEADER_SIZE + 4 * i, 4, tables[i]);
    }
    acpi_table_end(t, rsdt);
    memcpy(rsdp + RSDP_SUM + 1, OEM_ID, 6);
    store_le32(rsdp + RSDP_RSDT, rsdt);
    g_byte_array_append(t->rsdp, rsdp, sizeof(rsdp));
    command_pointer(t, FILE_RSDP, FILE_TABLES, RSDP_RSDT, 4);
    command_checksum(t, FILE_RSDP, RSDP_SUM, 0, RSDP_SIZE);
}

/* Firmware learns a file's size before it places devices, which makes the tables longer or shorter: they have room. */
static void pad(GByteArray *a, size_t size)
{
    guint old = a->len;

    if (size > old) {
        g_byte_array_set_size(a, (guint)size);
        memset(a->data + old, 0, size - old);
    }
}

static void update(FwCfg *f, const char *name, GByteArray *a)
{
    size_t size = 0;

    fw_cfg_get_file(f, name, &size);
    pad(a, size);
    fw_cfg_set_file(f, name, a->data, a->len);
}

bool acpi_tables_publish(AcpiTables *t, FwCfg *f, void (*build)(FwCfg *f, void *opaque),
                         void *opaque, Error **errp)
{
    pad(t->tables, ALIGN_UP(t->tables->len, FILE_UNIT) + FILE_UNIT);
    pad(t->loader, ALIGN_UP(t->loader->len, FILE_UNIT));
    return fw_cfg_add_file_callback(f, FILE_TABLES, t->tables->data, t->tables->len, false, build,
                                    opaque, errp) &&
           fw_cfg_add_file_callback(f, FILE_RSDP, t->rsdp->data, t->rsdp->len, false, build,
                                    opaque, errp) &&
           fw_cfg_add_file_callback(f, FILE_LOADER, t->loader->data, t->loader->len, false, build,
                                    opaque, errp);
}

void acpi_tables_update(AcpiTables *t, FwCfg *f)
{
    update(f, FILE_TABLES, t->tables);
    update(f, FILE_RSDP, t->rsdp);
    update(f, FILE_LOADER, t->loader);
}
