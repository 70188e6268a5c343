/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot order that devices ask for. */
#include "util/osdep.h"
#include "hw/core/boot.h"

#include <glib.h>

typedef struct BootEntry {
    int32_t index;
    Device *dev;                /* borrowed: it removes itself */
    char *suffix;
} BootEntry;

static GArray *entries;         /* by index */

bool boot_add(Device *dev, int32_t index, const char *suffix, Error **errp)
{
    BootEntry e = { index, dev, g_strdup(suffix ? suffix : "") };
    guint at = 0;

    if (index < 0) {
        g_free(e.suffix);
        return true;
    }
    if (!entries) {
        entries = g_array_new(FALSE, FALSE, sizeof(BootEntry));
    }
    while (at < entries->len && g_array_index(entries, BootEntry, at).index < index) {
        at++;
    }
    if (at < entries->len && g_array_index(entries, BootEntry, at).index == index) {
        error_setf(errp, ERR_IN_USE, "The bootindex %d has already been used", index);
        error_argument(errp, "bootindex", NULL, "an index that no other device has");
        g_free(e.suffix);
        return false;
    }
    g_array_insert_val(entries, at, e);
    return true;
}

void boot_remove(Device *dev)
{
    for (guint i = entries ? entries->len : 0; i--; ) {
        BootEntry *e = &g_array_index(entries, BootEntry, i);

        if (e->dev == dev) {
            g_free(e->suffix);
            g_array_remove_index(entries, i);
        }
    }
}

char *boot_order_text(void)
{
    GString *text;

    if (!entries || !entries->len) {
        return NULL;
    }
    text = g_string_new(NULL);
    for (guint i = 0; i < entries->len; i++) {
        const BootEntry *e = &g_array_index(entries, BootEntry, i);
        g_autofree char *path = device_fw_path(e->dev);

        g_string_append_printf(text, "%s%s%s", i ? "\n" : "", path, e->suffix);
    }
    return g_string_free(text, FALSE);
}
