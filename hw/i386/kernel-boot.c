/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands the boot ROMs and what they load to the firmware. */
#include "util/osdep.h"
#include "hw/i386/boot.h"

#include <glib.h>

#define ROM_CHECKSUM    6           /* a byte that firmware/option-rom.inc keeps */

extern const uint8_t rom_linuxboot[], rom_linuxboot_end[], rom_elfboot[], rom_elfboot_end[];

bool pc_add_boot_rom(PcMachine *pc, BootRom rom, Error **errp)
{
    const uint8_t *start = rom == BOOT_ROM_LINUX ? rom_linuxboot : rom_elfboot;
    const uint8_t *end = rom == BOOT_ROM_LINUX ? rom_linuxboot_end : rom_elfboot_end;
    const char *file = rom == BOOT_ROM_LINUX ? "genroms/linuxboot.bin" : "genroms/elfboot.bin";
    g_autofree uint8_t *copy = g_malloc((size_t)(end - start));
    g_autofree char *order = g_strdup_printf("/rom@%s", file);
    size_t len = (size_t)(end - start);
    uint8_t sum = 0;

    memcpy(copy, start, len);
    for (size_t i = 0; i < len; i++) {
        sum += copy[i];
    }
    copy[ROM_CHECKSUM] = (uint8_t)-sum;
    pc->boot_rom_path = g_steal_pointer(&order);
    return fw_cfg_add_file(pc->fw_cfg, file, copy, len, errp);
}

bool pc_set_elf_boot(PcMachine *pc, const FlatImage *flat, uint32_t info_addr, const void *info,
                     size_t info_len, uint32_t entry, Error **errp)
{
    FwCfg *f = pc->fw_cfg;

    if (info_addr + info_len > pc->ram_below_4g - PC_FIRMWARE_RESERVE) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the kernel and what goes with it need %" PRIu64
                   " MiB of RAM below 4 GiB", (info_addr + info_len) / MIB + 1);
        return false;
    }
    fw_cfg_add_i32(f, FW_CFG_KERNEL_ENTRY, entry);
    fw_cfg_add_i32(f, FW_CFG_KERNEL_ADDR, (uint32_t)flat->addr);
    fw_cfg_add_i32(f, FW_CFG_KERNEL_SIZE, (uint32_t)flat->size);
    fw_cfg_add_bytes(f, FW_CFG_KERNEL_DATA, flat->data, flat->size);
    fw_cfg_add_i32(f, FW_CFG_INITRD_ADDR, info_addr);
    fw_cfg_add_i32(f, FW_CFG_INITRD_SIZE, (uint32_t)info_len);
    fw_cfg_add_bytes(f, FW_CFG_INITRD_DATA, info, info_len);
    return pc_add_boot_rom(pc, BOOT_ROM_ELF, errp);
}

uint8_t *boot_read_file(const char *what, const char *path, size_t *len, Error **errp)
{
    g_autoptr(GError) gerr = NULL;
    char *data;
    gsize n;

    if (!g_file_get_contents(path, &data, &n, &gerr)) {
        error_setf(errp, ERR_FILE_NOT_FOUND, "could not load the %s: %s", what, gerr->message);
        return NULL;
    }
    if (n > UINT32_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "%s '%s' is larger than 4 GiB", what, path);
        g_free(data);
        return NULL;
    }
    *len = n;
    return (uint8_t *)data;
}

bool pc_load_kernel(PcMachine *pc, Error **errp)
{
    const Machine *m = &pc->parent;
    g_autofree uint8_t *image = NULL;
    size_t len;

    if (!m->kernel) {
        if (m->initrd || m->append) {
            error_setf(errp, ERR_MISSING_ARGUMENT, "-%s needs -kernel",
                       m->initrd ? "initrd" : "append");
            return false;
        }
        return true;
    }
    image = boot_read_file("kernel", m->kernel, &len, errp);
    if (!image) {
        return false;
    }
    if (len + 2 * MIB > pc->ram_below_4g) {
        error_setf(errp, ERR_OUT_OF_RANGE, "kernel '%s' does not fit into %" PRIu64
                   " MiB of RAM", m->kernel, pc->ram_below_4g / MIB);
        return false;
    }
    if (image_is_bzimage(image, len)) {
        return pc_load_bzimage(pc, m->kernel, image, len, errp);
    }
    if (image_multiboot_header(image, len) >= 0 && !image_pvh_entry(image, len)) {
        return pc_load_multiboot(pc, m->kernel, image, len, errp);
    }
    if (image_pvh_entry(image, len)) {
        return pc_load_pvh(pc, m->kernel, image, len, errp);
    }
    error_setf(errp, ERR_FILE_FORMAT, "'%s' is no kernel that a PC can start; accepted: Linux "
               "bzImage, multiboot, ELF with a PVH note", m->kernel);
    return false;
}
