/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables: types 0, 1, 2, 3, 4, 11, 16, 17, 19, 32, 127, and structures from files.
 *
 * Source: DMTF DSP0134, SMBIOS Reference Specification 3.0 ("SM"). Firmware
 * moves the tables and fills in address and sums of the entry point.
 */
#include "util/osdep.h"
#include "hw/smbios/smbios.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/uuid.h"

#define FILE_ANCHOR     "etc/smbios/smbios-anchor"
#define FILE_TABLES     "etc/smbios/smbios-tables"
#define VERSION_MAJOR   2
#define VERSION_MINOR   8

/* Handles: the type in the upper byte, for a reader's sake. */
#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))
#define DIMM_SIZE       (16 * GIB)
#define MAX_DIMMS       255
#define NO_HANDLE       0xfffe
#define UNKNOWN16       0xffff

typedef struct Smbios {
    GByteArray *out;
    unsigned start;                     /* of the open structure */
    GString *strings;
    uint8_t num_strings;
    uint16_t count, largest;
} Smbios;

static void put(Smbios *s, uint64_t v, unsigned size)
{
    uint8_t raw[8];

    store_le64(raw, v);
    g_byte_array_append(s->out, raw, size);
}

/* SM 6.1.2: header; the length is known at the end. */
static void begin(Smbios *s, uint8_t type, uint16_t handle)
{
    s->start = s->out->len;
    s->num_strings = 0;
    g_string_truncate(s->strings, 0);
    put(s, type, 1);
    put(s, 0, 1);
    put(s, handle, 2);
}

/* Its number in the set after the formatted part (SM 6.1.3), 0 for none. */
static uint8_t add_string(Smbios *s, const char *text)
{
    if (!text || !*text || s->num_strings == UINT8_MAX) {
        return 0;
    }
    g_string_append_len(s->strings, text, (gssize)strlen(text) + 1);
    return ++s->num_strings;
}

static void put_string(Smbios *s, const char *text)
{
    put(s, add_string(s, text), 1);
}

static void end(Smbios *s)
{
    s->out->data[s->start + 1] = (uint8_t)(s->out->len - s->start);
    g_byte_array_append(s->out, (const uint8_t *)s->strings->str, (guint)s->strings->len);
    put(s, 0, s->num_strings ? 1 : 2);
    s->count++;
    s->largest = (uint16_t)MAX(s->largest, s->out->len - s->start);
}

/* What the last -smbios of this type says about @key. */
static const char *field(const SmbiosInfo *i, int type, const char *key, const char *otherwise)
{
    const char *v = otherwise;

    if (i->options) {
        QLIST_FOR_EACH(e, i->options) {
            const QDict *d = qobject_to_dict(e);

            if (smbios_option_type(d) == type) {
                v = qdict_str_or(d, key, v);
            }
        }
    }
    return v;
}

static uint64_t field_number(const SmbiosInfo *i, int type, const char *key, uint64_t otherwise)
{
    const char *v = field(i, type, key, NULL);

    return v ? g_ascii_strtoull(v, NULL, 0) : otherwise;
}

static bool has_type(const SmbiosInfo *i, int type)
{
    if (i->options) {
        QLIST_FOR_EACH(e, i->options) {
            if (smbios_option_type(qobject_to_dict(e)) == type) {
                return true;
            }
        }
    }
    return false;
}

static void put_bios(Smbios *s, const SmbiosInfo *i)                    /* SM 7.1 */
{
    const char *release = field(i, 0, "release", NULL);
    unsigned major = 0xff, minor = 0xff;
    bool uefi = !strcmp(field(i, 0, "uefi", "off"), "on");

    if (release && sscanf(release, "%u.%u", &major, &minor) != 2) {
        major = minor = 0xff;
    }
    begin(s, 0, HANDLE(0, 0));
    put_string(s, field(i, 0, "vendor", i->bios_vendor));
    put_string(s, field(i, 0, "version", i->bios_version));
    put(s, 0xe800, 2);                  /* segment */
    put_string(s, field(i, 0, "date", i->bios_date));
    put(s, 0, 1);
    put(s, BIT(3), 8);                  /* characteristics not supported */
    put(s, 0x1400 | (uefi ? 0x0800 : 0), 2);    /* virtual machine, targeted content, UEFI */
    put(s, major, 1);
    put(s, minor, 1);
    put(s, UINT16_MAX, 2);              /* embedded controller: none */
    end(s);
}

/* SM 7.2.1: the first three fields of a UUID are little-endian. */
static void put_uuid(Smbios *s, const uint8_t *uuid)
{
    static const uint8_t zeros[16];
    const uint8_t *u = uuid ? uuid : zeros;

    put(s, load_be32(u), 4);
    put(s, load_be16(u + 4), 2);
    put(s, load_be16(u + 6), 2);
    g_byte_array_append(s->out, u + 8, 8);
}

static void put_system(Smbios *s, const SmbiosInfo *i)                  /* SM 7.2 */
{
    const char *uuid = field(i, 1, "uuid", NULL);
    uint8_t own[16];

    begin(s, 1, HANDLE(1, 0));
    put_string(s, field(i, 1, "manufacturer", i->manufacturer));
    put_string(s, field(i, 1, "product", i->product));
    put_string(s, field(i, 1, "version", i->version));
    put_string(s, field(i, 1, "serial", i->serial));
    put_uuid(s, uuid && uuid_parse(uuid, own) ? own : i->uuid);
    put(s, 6, 1);                       /* woken by the power switch */
    put_string(s, field(i, 1, "sku", i->sku));
    put_string(s, field(i, 1, "family", i->family));
    end(s);
}

static void put_board(Smbios *s, const SmbiosInfo *i)                   /* SM 7.3 */
{
    begin(s, 2, HANDLE(2, 0));
    put_string(s, field(i, 2, "manufacturer", i->manufacturer));
    put_string(s, field(i, 2, "product", i->product));
    put_string(s, field(i, 2, "version", i->version));
    put_string(s, field(i, 2, "serial", NULL));
    put_string(s, field(i, 2, "asset", NULL));
    put(s, 1, 1);                       /* a hosting board */
    put_string(s, field(i, 2, "location", NULL));
    put(s, HANDLE(3, 0), 2);
    put(s, 10, 1);                      /* motherboard */
    put(s, 0, 1);
    end(s);
}

static void put_chassis(Smbios *s, const SmbiosInfo *i)                 /* SM 7.4 */
{
    begin(s, 3, HANDLE(3, 0));
    put_string(s, field(i, 3, "manufacturer", i->chassis_manufacturer));
    put(s, 1, 1);                       /* other */
    put_string(s, field(i, 3, "version", i->version));
    put_string(s, field(i, 3, "serial", NULL));
    put_string(s, field(i, 3, "asset", NULL));
    put(s, 0x030303, 3);                /* boot, power, thermal state: safe */
    put(s, 2, 1);
    put(s, 0, 4);
    put(s, 0, 4);                       /* height, cords, contained elements */
    put_string(s, field(i, 3, "sku", NULL));
    end(s);
}

static void put_processor(Smbios *s, const SmbiosInfo *i, unsigned n)   /* SM 7.5 */
{
    g_autofree char *socket = g_strdup_printf("%s %u", field(i, 4, "sock_pfx", "CPU"), n);

    begin(s, 4, HANDLE(4, n));
    put_string(s, socket);
    put(s, 3, 1);                       /* central processor */
    put(s, 1, 1);                       /* family: other */
    put_string(s, field(i, 4, "manufacturer", i->manufacturer));
    put(s, field_number(i, 4, "processor-id", 0), 8);   /* as CPUID 1 has it; else unknown here */
    put_string(s, field(i, 4, "version", i->version));
    put(s, 0, 1);
    put(s, 0, 2);
    put(s, field_number(i, 4, "max-speed", 2000), 2);   /* MHz, nominal */
    put(s, field_number(i, 4, "current-speed", 2000), 2);
    put(s, 0x41, 1);                    /* populated, enabled */
    put(s, 1, 1);
    put(s, UNKNOWN16, 2);               /* caches */
    put(s, UNKNOWN16, 2);
    put(s, UNKNOWN16, 2);
    put_string(s, field(i, 4, "serial", NULL));
    put_string(s, field(i, 4, "asset", NULL));
    put_string(s, field(i, 4, "part", NULL));
    put(s, MIN(i->cores, 255), 1);
    put(s, MIN(i->cores, 255), 1);
    put(s, MIN(i->cores * i->threads, 255), 1);
    put(s, 2, 2);                       /* characteristics: unknown */
    put(s, 1, 2);
    put(s, i->cores, 2);
    put(s, i->cores, 2);
    put(s, i->cores * i->threads, 2);
    end(s);
}

/* SM 7.12: texts of whoever built the machine. */
static void put_oem_strings(Smbios *s, const SmbiosInfo *i)
{
    unsigned at;

    begin(s, 11, HANDLE(11, 0));
    at = s->out->len;
    put(s, 0, 1);                       /* count */
    QLIST_FOR_EACH(e, i->options) {
        const QDict *d = qobject_to_dict(e);
        const QList *many = qobject_to_list(qdict_get(d, "value"));
        const char *one = qdict_str_or(d, "value", NULL);
        const char *path = qdict_str_or(d, "path", NULL);
        g_autofree char *text = NULL;

        if (smbios_option_type(d) != 11) {
            continue;
        }
        for (size_t k = 0; many && k < qlist_size(many); k++) {
            add_string(s, qobject_get_str(qlist_get(many, k), NULL, NULL));
        }
        add_string(s, one);
        if (path && g_file_get_contents(path, &text, NULL, NULL)) {
            add_string(s, text);
        }
    }
    s->out->data[at] = s->num_strings;
    end(s);
}

static unsigned num_dimms(const SmbiosInfo *i)
{
    return (unsigned)MIN(DIV_ROUND_UP(i->ram_size, DIMM_SIZE), MAX_DIMMS);
}

static void put_memory_array(Smbios *s, const SmbiosInfo *i)            /* SM 7.17 */
{
    uint64_t kib = DIV_ROUND_UP(i->ram_size, KIB);

    begin(s, 16, HANDLE(16, 0));
    put(s, 1, 1);                       /* location: other */
    put(s, 3, 1);                       /* system memory */
    put(s, 6, 1);                       /* multi-bit ECC */
    put(s, MIN(kib, 0x80000000u), 4);
    put(s, NO_HANDLE, 2);
    put(s, num_dimms(i), 2);
    put(s, kib >= 0x80000000u ? i->ram_size : 0, 8);
    end(s);
}

static void put_memory_device(Smbios *s, const SmbiosInfo *i, unsigned n)   /* SM 7.18 */
{
    g_autofree char *locator = g_strdup_printf("%s %u", field(i, 17, "loc_pfx", "DIMM"), n);
    uint16_t speed = (uint16_t)field_number(i, 17, "speed", 0);
    uint64_t mib = DIV_ROUND_UP(MIN(i->ram_size - n * DIMM_SIZE, DIMM_SIZE), MIB);

    begin(s, 17, HANDLE(17, n));
    put(s, HANDLE(16, 0), 2);
    put(s, NO_HANDLE, 2);
    put(s, UNKNOWN16, 2);               /* widths */
    put(s, UNKNOWN16, 2);
    put(s, MIN(mib, 0x7fff), 2);
    put(s, 9, 1);                       /* DIMM */
    put(s, 0, 1);
    put_string(s, locator);
    put_string(s, field(i, 17, "bank", NULL));
    put(s, 7, 1);                       /* RAM */
    put(s, 2, 2);
    put(s, speed, 2);
    put_string(s, field(i, 17, "manufacturer", i->manufacturer));
    put_string(s, field(i, 17, "serial", NULL));
    put_string(s, field(i, 17, "asset", NULL));
    put_string(s, field(i, 17, "part", NULL));
    put(s, 0, 1);
    put(s, mib >= 0x7fff ? mib : 0, 4);
    put(s, speed, 2);
    put(s, 0, 6);                       /* voltages */
    end(s);
}

static void put_memory_range(Smbios *s, unsigned n, uint64_t start, uint64_t size)  /* SM 7.20 */
{
    uint64_t last = start + size - 1;
    bool wide = last / KIB >= UINT32_MAX;

    begin(s, 19, HANDLE(19, n));
    put(s, wide ? UINT32_MAX : start / KIB, 4);
    put(s, wide ? UINT32_MAX : last / KIB, 4);
    put(s, HANDLE(16, 0), 2);
    put(s, 1, 1);
    put(s, wide ? start : 0, 8);
    put(s, wide ? last : 0, 8);
    end(s);
}

static void put_rest(Smbios *s)                         /* SM 7.33, 7.45 */
{
    begin(s, 32, HANDLE(32, 0));
    put(s, 0, 6);
    put(s, 0, 1);                       /* no errors */
    end(s);
    begin(s, 127, HANDLE(127, 0));
    end(s);
}

/* SM 5.2.1 and 5.2.2; address and sums are the firmware's. */
static void put_entry_point(const Smbios *s, bool is64, GByteArray *out)
{
    uint8_t e32[31] = "_SM_", e64[24] = "_SM3_";

    if (is64) {
        e64[6] = sizeof(e64);
        e64[7] = 3;
        e64[10] = 1;
        store_le32(e64 + 12, s->out->len);
        g_byte_array_append(out, e64, sizeof(e64));
        return;
    }
    e32[5] = sizeof(e32);
    e32[6] = VERSION_MAJOR;
    e32[7] = VERSION_MINOR;
    store_le16(e32 + 8, s->largest);
    memcpy(e32 + 16, "_DMI_", 5);
    store_le16(e32 + 22, (uint16_t)s->out->len);
    store_le16(e32 + 28, s->count);
    e32[30] = VERSION_MAJOR << 4 | VERSION_MINOR;
    g_byte_array_append(out, e32, sizeof(e32));
}

/* -smbios file=F: they go in front, and ours of the same types don't come. */
static bool put_files(Smbios *s, const SmbiosInfo *i, bool have[256], Error **errp)
{
    if (!i->options) {
        return true;
    }
    QLIST_FOR_EACH(e, i->options) {
        const char *path = qdict_str_or(qobject_to_dict(e), "file", NULL);
        g_autofree uint8_t *data = NULL;
        size_t len;

        if (path) {
            data = smbios_read_file(path, &len, errp);
            if (!data) {
                return false;
            }
            have[data[0]] = true;
            g_byte_array_append(s->out, data, (guint)len);
            s->count++;
            s->largest = (uint16_t)MAX(s->largest, len);
        }
    }
    return true;
}

bool smbios_add_tables(const SmbiosInfo *i, FwCfg *f, Error **errp)
{
    g_autoptr(GByteArray) tables = g_byte_array_new(), anchor = g_byte_array_new();
    Smbios s = { .out = tables, .strings = g_string_new(NULL) };
    bool is64 = i->entry_point_64, have[256] = { false };

    if (!put_files(&s, i, have, errp)) {
        g_string_free(s.strings, TRUE);
        return false;
    }
    if (!have[0] && (i->bios_vendor || i->bios_version || i->bios_date || has_type(i, 0))) {
        put_bios(&s, i);
    }
    if (!have[1]) {
        put_system(&s, i);
    }
    if (!have[2] && (i->board || has_type(i, 2))) {
        put_board(&s, i);
    }
    if (!have[3]) {
        put_chassis(&s, i);
    }
    for (unsigned n = 0; !have[4] && n < i->sockets && n < 256; n++) {
        put_processor(&s, i, n);
    }
    if (!have[11] && has_type(i, 11)) {
        put_oem_strings(&s, i);
    }
    put_memory_array(&s, i);
    for (unsigned n = 0; !have[17] && n < num_dimms(i); n++) {
        put_memory_device(&s, i, n);
    }
    put_memory_range(&s, 0, 0, i->ram_below_4g);
    if (i->ram_size > i->ram_below_4g) {
        put_memory_range(&s, 1, 4 * GIB, i->ram_size - i->ram_below_4g);
    }
    put_rest(&s);
    g_string_free(s.strings, TRUE);
    /* The old entry point has 16 bits for the length. */
    put_entry_point(&s, is64 || tables->len > UINT16_MAX, anchor);
    return fw_cfg_add_file(f, FILE_TABLES, tables->data, tables->len, errp) &&
           fw_cfg_add_file(f, FILE_ANCHOR, anchor->data, anchor->len, errp);
}
