/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot kernels with their modules.
 *
 * Source: Multiboot Specification 0.6.96 ("MB").
 * The memory map is the board's, with what SeaBIOS may keep left out.
 */
#include "util/osdep.h"
#include "hw/i386/boot.h"

#include <glib.h>
#include "util/bswap.h"

/* MB 3.1: header. */
#define MB_MAGIC            0x1badb002
#define MB_SEARCH           8192
#define MB_FLAG_ADDRESSES   BIT(16)
/* MB 3.3: information. */
enum {
    INFO_FLAGS = 0, INFO_MEM_LOWER = 4, INFO_MEM_UPPER = 8, INFO_BOOT_DEVICE = 12,
    INFO_CMDLINE = 16, INFO_MODS_COUNT = 20, INFO_MODS_ADDR = 24, INFO_MMAP_LENGTH = 44,
    INFO_MMAP_ADDR = 48, INFO_LOADER_NAME = 64, INFO_SIZE = 96,
};
#define INFO_HAS            (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(6) | BIT(9))
#define BOOT_DEVICE_HD      0x8000ffff
#define MODULE_SIZE         16
#define MMAP_SIZE           24
#define LOADER_NAME         "qemu"

long image_multiboot_header(const uint8_t *image, size_t len)
{
    for (size_t at = 0; at + 12 <= MIN(len, MB_SEARCH); at += 4) {
        if (load_le32(image + at) == MB_MAGIC &&
            load_le32(image + at) + load_le32(image + at + 4) + load_le32(image + at + 8) == 0) {
            return (long)at;
        }
    }
    return -1;
}

/* MB 3.1.3: the address fields, for images that aren't ELF. */
static bool flatten_by_header(const char *path, const uint8_t *image, size_t len, size_t header,
                              FlatImage *flat, Error **errp)
{
    const uint8_t *h = image + header;
    uint64_t header_addr, load, load_end, bss_end, offset, n;

    if (header + 32 > len) {
        error_setf(errp, ERR_FILE_FORMAT, "the multiboot header of '%s' is cut short", path);
        return false;
    }
    header_addr = load_le32(h + 12);
    load = load_le32(h + 16);
    load_end = load_le32(h + 20);
    bss_end = load_le32(h + 24);
    offset = header - (header_addr - load);
    if (load > header_addr || header_addr - load > header || offset > len) {
        error_setf(errp, ERR_FILE_FORMAT, "the multiboot header of '%s' has wrong addresses", path);
        return false;
    }
    n = load_end ? load_end - load : len - offset;
    bss_end = MAX(bss_end, load + n);
    if (n > len - offset || bss_end > UINT32_MAX || bss_end - load > GIB) {
        error_setf(errp, ERR_FILE_FORMAT, "the multiboot header of '%s' has wrong addresses", path);
        return false;
    }
    flat->addr = load;
    flat->size = bss_end - load;
    flat->entry = load_le32(h + 28);
    flat->data = g_malloc0(flat->size ? flat->size : 1);
    memcpy(flat->data, image + offset, n);
    return true;
}

static void put_map(GByteArray *out, uint64_t addr, uint64_t size)
{
    uint8_t raw[MMAP_SIZE];

    store_le32(raw, MMAP_SIZE - 4);
    store_le64(raw + 4, addr);
    store_le64(raw + 12, size);
    store_le32(raw + 20, 1);
    g_byte_array_append(out, raw, sizeof(raw));
}

static uint32_t put_string(GByteArray *out, uint32_t base, const char *text)
{
    uint32_t at = base + out->len;

    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text) + 1);
    return at;
}

/* "file arguments": modules are whole pages (MB 3.1.2). */
static bool put_module(GByteArray *out, uint32_t base, const char *spec, uint8_t entry[MODULE_SIZE],
                       Error **errp)
{
    g_auto(GStrv) words = g_strsplit(spec, " ", 2);
    g_autofree uint8_t *data = NULL;
    size_t len;

    data = boot_read_file("module", words[0], &len, errp);
    if (!data) {
        return false;
    }
    store_le32(entry + 8, put_string(out, base, spec));
    g_byte_array_set_size(out, (guint)ALIGN_UP(out->len, MEM_PAGE_SIZE));
    store_le32(entry, base + out->len);
    g_byte_array_append(out, data, (guint)len);
    store_le32(entry + 4, base + out->len);
    return true;
}

bool pc_load_multiboot(PcMachine *pc, const char *path, const uint8_t *image, size_t len,
                       Error **errp)
{
    const Machine *m = &pc->parent;
    size_t header = (size_t)image_multiboot_header(image, len);
    uint32_t flags = load_le32(image + header + 4), base, map;
    g_auto(GStrv) modules = g_strsplit(m->initrd ? m->initrd : "", ",", -1);
    g_autofree char *cmdline = g_strdup_printf("%s%s%s", path, m->append ? " " : "",
                                               m->append ? m->append : "");
    g_autoptr(GByteArray) info = g_byte_array_new();
    uint64_t low_end = pc->ram_below_4g - PC_FIRMWARE_RESERVE;
    guint n_modules = g_strv_length(modules);
    FlatImage flat = { 0 };
    uint8_t *p;
    bool ok;

    if (flags & MB_FLAG_ADDRESSES) {
        ok = flatten_by_header(path, image, len, header, &flat, errp);
    } else {
        ok = elf_flatten(path, image, len, &flat, errp);
    }
    if (!ok) {
        return false;
    }
    base = (uint32_t)ALIGN_UP(flat.addr + flat.size, MEM_PAGE_SIZE);
    g_byte_array_set_size(info, INFO_SIZE + n_modules * MODULE_SIZE);
    memset(info->data, 0, info->len);
    map = info->len;
    put_map(info, 0, 0x9fc00);
    put_map(info, MIB, low_end - MIB);
    if (pc->ram_above_4g) {
        put_map(info, 4 * GIB, pc->ram_above_4g);
    }
    p = info->data;
    store_le32(p + INFO_FLAGS, INFO_HAS);
    store_le32(p + INFO_MEM_LOWER, 639);
    store_le32(p + INFO_MEM_UPPER, (uint32_t)((low_end - MIB) / KIB));
    store_le32(p + INFO_BOOT_DEVICE, BOOT_DEVICE_HD);
    store_le32(p + INFO_MODS_COUNT, n_modules);
    store_le32(p + INFO_MODS_ADDR, base + INFO_SIZE);
    store_le32(p + INFO_MMAP_ADDR, base + map);
    store_le32(p + INFO_MMAP_LENGTH, info->len - map);
    map = put_string(info, base, cmdline);
    store_le32(info->data + INFO_CMDLINE, map);
    map = put_string(info, base, LOADER_NAME);
    store_le32(info->data + INFO_LOADER_NAME, map);
    for (guint i = 0; ok && i < n_modules; i++) {
        uint8_t entry[MODULE_SIZE] = { 0 };

        ok = put_module(info, base, modules[i], entry, errp);
        memcpy(info->data + INFO_SIZE + i * MODULE_SIZE, entry, sizeof(entry));
    }
    ok = ok && pc_set_elf_boot(pc, &flat, base, info->data, info->len, (uint32_t)flat.entry, errp);
    g_free(flat.data);
    return ok;
}
