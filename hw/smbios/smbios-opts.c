/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -smbios: which fields there are, and files that hold one structure each. */
#include "util/osdep.h"
#include "hw/smbios/smbios.h"

#include <glib.h>
#include "qobject/qobject.h"
#include "util/bswap.h"
#include "util/uuid.h"

static const struct {
    int type;
    const char *fields[12];
} known[] = {
    { 0, { "vendor", "version", "date", "release", "uefi" } },
    { 1, { "manufacturer", "product", "version", "serial", "uuid", "sku", "family" } },
    { 2, { "manufacturer", "product", "version", "serial", "asset", "location" } },
    { 3, { "manufacturer", "version", "serial", "asset", "sku" } },
    { 4, { "sock_pfx", "manufacturer", "version", "serial", "asset", "part", "max-speed",
           "current-speed", "processor-id" } },
    { 11, { "value", "path" } },
    { 17, { "loc_pfx", "bank", "manufacturer", "serial", "asset", "part", "speed" } },
};

int smbios_option_type(const struct QDict *d)
{
    const char *text = qdict_str_or(d, "type", NULL);
    char *end;
    long n;

    if (!text) {
        return -1;
    }
    n = strtol(text, &end, 10);
    return end == text || *end || n < 0 || n > 255 ? -1 : (int)n;
}

static bool is_number(const char *text, uint64_t max)
{
    char *end;
    uint64_t v = g_ascii_strtoull(text, &end, 0);

    return *text && *end == 0 && *text != '-' && v <= max;
}

/* Those that aren't plain texts. */
static bool check_value(const char *key, const char *v, Error **errp)
{
    unsigned major, minor;
    uint8_t uuid[16];
    int n = 0;
    const char *accepted = NULL;

    if (!strcmp(key, "release") &&
        (sscanf(v, "%u.%u%n", &major, &minor, &n) != 2 || v[n] || major > 255 || minor > 255)) {
        accepted = "MAJOR.MINOR, 0 to 255 each";
    } else if (!strcmp(key, "uefi") && strcmp(v, "on") && strcmp(v, "off")) {
        accepted = "on, off";
    } else if (!strcmp(key, "uuid") && !uuid_parse(v, uuid)) {
        accepted = UUID_FORM;
    } else if ((!strcmp(key, "max-speed") || !strcmp(key, "current-speed") ||
                !strcmp(key, "speed")) && !is_number(v, UINT16_MAX)) {
        accepted = "0 to 65535";
    } else if (!strcmp(key, "processor-id") && !is_number(v, UINT64_MAX)) {
        accepted = "a number of 64 bits";
    }
    if (accepted) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is '%s'; accepted: %s", key, v, accepted);
        error_argument(errp, key, v, NULL);
    }
    return !accepted;
}

uint8_t *smbios_read_file(const char *path, size_t *len, Error **errp)
{
    g_autoptr(GError) gerr = NULL;
    char *data;
    gsize n;

    if (!g_file_get_contents(path, &data, &n, &gerr)) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "can't read '%s': %s", path, gerr->message);
        error_argument(errp, "file", path, NULL);
        return NULL;
    }
    /* SM 6.1.2, 6.1.3: a header with its length, then strings up to two zeros. */
    if (n < 4 || n > 65535 || (uint8_t)data[1] < 4 || (uint8_t)data[1] + 2u > n || data[n - 1] ||
        data[n - 2]) {
        error_setf(errp, ERR_FILE_FORMAT, "'%s' holds no SMBIOS structure", path);
        error_argument(errp, "file", path, "one structure: header, fields, strings, two zeros");
        g_free(data);
        return NULL;
    }
    *len = n;
    return (uint8_t *)data;
}

static bool check_file(const struct QDict *d, Error **errp)
{
    size_t len;
    uint8_t *data;

    QDICT_FOR_EACH(e, d) {
        if (strcmp(e->key, "file")) {
            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "'%s' doesn't go with 'file'", e->key);
            error_argument(errp, e->key, NULL, "file=F alone");
            return false;
        }
    }
    data = smbios_read_file(qdict_str_or(d, "file", ""), &len, errp);
    g_free(data);
    return data;
}

bool smbios_check_option(const struct QDict *d, Error **errp)
{
    const char *const *fields = NULL;
    int type = smbios_option_type(d);

    if (qdict_has(d, "file")) {
        return check_file(d, errp);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].type == type) {
            fields = known[i].fields;
        }
    }
    if (!fields) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'type' is '%s'; accepted: 0, 1, 2, 3, 4, 11, 17",
                   qdict_str_or(d, "type", ""));
        return false;
    }
    QDICT_FOR_EACH(e, d) {
        const char *v = qdict_str_or(d, e->key, NULL);
        const char *const *f = fields;

        while (*f && strcmp(*f, e->key)) {
            f++;
        }
        if (!*f && strcmp(e->key, "type")) {
            g_autofree char *list = g_strjoinv(", ", (char **)fields);

            error_setf(errp, ERR_UNKNOWN_ARGUMENT, "type %d has no field '%s'", type, e->key);
            error_argument(errp, e->key, NULL, list);
            return false;
        }
        if (v && !check_value(e->key, v, errp)) {
            return false;
        }
    }
    return true;
}
