/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware files: where they are, and loading them into ROM. */
#include "util/osdep.h"
#include "config.h"
#include "hw/core/machine.h"

#include <glib.h>
#include <unistd.h>

/* Where distributions put what we need; -L comes before. */
static const char *const builtin_dirs[] = {
    CONFIG_DATADIR, "/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe/qemu",
    "/usr/share/vgabios", "/usr/share/OVMF", "/usr/share/openbios",
    "/usr/share/openhackware", "/usr/share/slof",
};

static GPtrArray *dirs;

static GPtrArray *get_dirs(void)
{
    if (!dirs) {
        dirs = g_ptr_array_new_with_free_func(g_free);
    }
    return dirs;
}

void firmware_path_add(const char *dir)
{
    g_ptr_array_add(get_dirs(), g_strdup(dir));
}

int firmware_path_foreach(int (*fn)(const char *dir, void *opaque),
                          void *opaque)
{
    GPtrArray *own = get_dirs();
    int ret = 0;

    for (guint i = 0; i < own->len && !ret; i++) {
        ret = fn(g_ptr_array_index(own, i), opaque);
    }
    for (size_t i = 0; i < ARRAY_SIZE(builtin_dirs) && !ret; i++) {
        ret = fn(builtin_dirs[i], opaque);
    }
    return ret;
}

typedef struct Search {
    const char *name;
    char *found;
} Search;

static int try_dir(const char *dir, void *opaque)
{
    Search *s = opaque;
    g_autofree char *path = g_build_filename(dir, s->name, NULL);

    if (access(path, R_OK) == 0 && !g_file_test(path, G_FILE_TEST_IS_DIR)) {
        s->found = g_steal_pointer(&path);
        return 1;
    }
    return 0;
}

char *firmware_find(const char *name)
{
    Search s = { name, NULL };

    if (access(name, R_OK) == 0 && !g_file_test(name, G_FILE_TEST_IS_DIR)) {
        return g_strdup(name);
    }
    if (!strchr(name, '/')) {
        firmware_path_foreach(try_dir, &s);
    }
    return s.found;
}

static int append_dir(const char *dir, void *opaque)
{
    GString *text = opaque;

    g_string_append_printf(text, "%s%s", text->len ? ", " : "", dir);
    return 0;
}

/* Who has it, on Debian. */
static const struct { const char *prefix, *package; } packages[] = {
    { "bios", "seabios" }, { "vgabios", "seabios" }, { "efi-", "ipxe-qemu" },
    { "pxe-", "ipxe-qemu" }, { "OVMF", "ovmf" }, { "openbios", "qemu-system-data" },
};

char *firmware_find_checked(const char *name, Error **errp)
{
    char *path = firmware_find(name);
    g_autoptr(GString) dirs = g_string_new(NULL);

    if (path) {
        return path;
    }
    if (strchr(name, '/')) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "could not find the firmware '%s'", name);
        return NULL;
    }
    firmware_path_foreach(append_dir, dirs);
    error_setf(errp, ERR_FILE_NOT_FOUND, "could not find the firmware '%s'; looked in %s",
               name, dirs->str);
    for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
        if (g_str_has_prefix(name, packages[i].prefix)) {
            error_hint(errp, "Debian package %s has it; -L adds a directory",
                       packages[i].package);
            return NULL;
        }
    }
    error_hint(errp, "-L adds a directory");
    return NULL;
}

int64_t firmware_load(const char *name, MemRegion *mr, uint64_t offset,
                      uint64_t max, Error **errp)
{
    g_autofree char *path = firmware_find_checked(name, errp), *data = NULL;
    g_autoptr(GError) gerr = NULL;
    uint64_t size = memory_region_size(mr);
    uint8_t *host = memory_region_ram_ptr(mr);
    gsize len;

    if (!path) {
        return -1;
    }
    if (!g_file_get_contents(path, &data, &len, &gerr)) {
        error_setf(errp, ERR_HOST, "could not read firmware: %s", gerr->message);
        return -1;
    }
    if (!host || offset > size || len > MIN(max, size - offset)) {
        error_setf(errp, ERR_OUT_OF_RANGE,
                   "firmware '%s' has %zu bytes; accepted: at most %" PRIu64, path,
                   (size_t)len, offset > size ? 0 : MIN(max, size - offset));
        return -1;
    }
    memcpy(host + offset, data, len);
    memory_region_set_dirty(mr, offset, len);
    return (int64_t)len;
}
