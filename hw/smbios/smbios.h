/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables for firmware. */
#ifndef HW_SMBIOS_SMBIOS_H
#define HW_SMBIOS_SMBIOS_H

#include "hw/nvram/fw_cfg.h"

struct QDict;
struct QList;

/* What the tables say. Strings may be NULL: left out. Lent. */
typedef struct SmbiosInfo {
    /* Type 0, which is there only when one of these is: else firmware
     * describes itself. */
    const char *bios_vendor, *bios_version, *bios_date;
    /* Type 1. */
    const char *manufacturer, *product, *version, *serial, *sku, *family;
    const uint8_t *uuid;                /* 16 bytes, big-endian fields; NULL: zeros */
    const char *chassis_manufacturer;   /* type 3 */
    bool board;                         /* type 2 too, also where no option asks for it; with the names of type 1 */
    unsigned sockets, cores, threads;   /* type 4: a socket each */
    /* Types 16, 17, 19: bytes. */
    uint64_t ram_size, ram_below_4g;
    bool entry_point_64;                /* the 3.0 form of the entry point */
    /* Dicts of -smbios, each checked; what they say goes before the above. NULL: none. */
    const struct QList *options;
} SmbiosInfo;

/* "type=N,field=value,..." or "file=F": known fields with possible values. */
bool smbios_check_option(const struct QDict *d, Error **errp);
/* For smbios.c: the number, -1 without one; a file's structure, freed with g_free(). */
int smbios_option_type(const struct QDict *d);
uint8_t *smbios_read_file(const char *path, size_t *len, Error **errp);

bool smbios_add_tables(const SmbiosInfo *info, FwCfg *f, Error **errp);

#endif
