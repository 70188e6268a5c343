/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux bzImage: splits the image, fills in the header that a boot loader
 * fills in, and puts the parts where firmware/linuxboot.S finds them.
 *
 * Source: Linux, Documentation/x86/boot ("The Linux/x86 Boot Protocol").
 */
#include "util/osdep.h"
#include "hw/i386/boot.h"

#include <glib.h>
#include "util/bswap.h"

/* Offsets in the setup header. */
enum {
    HDR_SETUP_SECTS = 0x1f1, HDR_VID_MODE = 0x1fa, HDR_MAGIC = 0x202, HDR_VERSION = 0x206,
    HDR_TYPE_OF_LOADER = 0x210, HDR_LOADFLAGS = 0x211, HDR_RAMDISK_IMAGE = 0x218,
    HDR_RAMDISK_SIZE = 0x21c, HDR_HEAP_END_PTR = 0x224, HDR_CMD_LINE_PTR = 0x228,
    HDR_INITRD_ADDR_MAX = 0x22c, HDR_CMDLINE_SIZE = 0x238, HDR_MIN_SIZE = 0x250,
};
#define MAGIC               0x53726448      /* "HdrS" */
#define LOADFLAGS_HIGH      BIT(0)
#define LOADFLAGS_HEAP      BIT(7)
#define LOADER_OURS         0xb0            /* the type assigned to QEMU-like loaders */
#define INITRD_MAX_OLD      0x37ffffff
#define SECTOR              512

/* The classic layout ("Memory layout"), with room for heap and stack. */
#define SETUP_ADDR          0x10000
#define CMDLINE_ADDR        0x20000
#define KERNEL_ADDR         0x100000
#define HEAP_END            (CMDLINE_ADDR - SETUP_ADDR - 0x200)

bool image_is_bzimage(const uint8_t *image, size_t len)
{
    return len > HDR_MIN_SIZE && load_le32(image + HDR_MAGIC) == MAGIC;
}

/* "vga=": a mode for the setup code, which the kernel can't parse in time. */
static void set_video_mode(uint8_t *setup, const char *cmdline)
{
    const char *p = strstr(cmdline, "vga=");
    unsigned mode;

    if (!p || (p != cmdline && p[-1] != ' ')) {
        return;
    }
    p += strlen("vga=");
    mode = g_str_has_prefix(p, "normal") ? 0xffff : g_str_has_prefix(p, "ext") ? 0xfffe :
           g_str_has_prefix(p, "ask") ? 0xfffd : (unsigned)strtoul(p, NULL, 0);
    store_le16(setup + HDR_VID_MODE, (uint16_t)mode);
}

/* As high as the kernel allows, below what firmware keeps. */
/* The end of a file that has been read: from there if it can be read again. */
static void add_image(FwCfg *f, unsigned key, const char *path, const uint8_t *data, size_t at, size_t len)
{
    if (!fw_cfg_add_from_file(f, key, path, at, len - at)) {
        fw_cfg_add_bytes(f, key, data + at, len - at);
    }
}

static bool place_initrd(PcMachine *pc, uint8_t *setup, const char *path, size_t kernel_size,
                         Error **errp)
{
    uint64_t max = load_le16(setup + HDR_VERSION) >= 0x203 ? load_le32(setup + HDR_INITRD_ADDR_MAX)
                                                           : INITRD_MAX_OLD;
    uint64_t end = MIN(max + 1, pc->ram_below_4g - PC_FIRMWARE_RESERVE), addr;
    g_autofree uint8_t *data = NULL;
    size_t len;

    data = boot_read_file("initial RAM disk", path, &len, errp);
    if (!data) {
        return false;
    }
    if (len > end || ALIGN_DOWN(end - len, MEM_PAGE_SIZE) < KERNEL_ADDR + kernel_size) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the initial RAM disk '%s' has %zu bytes and does not "
                   "fit beside the kernel into %" PRIu64 " MiB of RAM", path, len,
                   pc->ram_below_4g / MIB);
        return false;
    }
    addr = ALIGN_DOWN(end - len, MEM_PAGE_SIZE);
    store_le32(setup + HDR_RAMDISK_IMAGE, (uint32_t)addr);
    store_le32(setup + HDR_RAMDISK_SIZE, (uint32_t)len);
    fw_cfg_add_i32(pc->fw_cfg, FW_CFG_INITRD_ADDR, (uint32_t)addr);
    fw_cfg_add_i32(pc->fw_cfg, FW_CFG_INITRD_SIZE, (uint32_t)len);
    add_image(pc->fw_cfg, FW_CFG_INITRD_DATA, path, data, 0, len);
    return true;
}

bool pc_load_bzimage(PcMachine *pc, const char *path, const uint8_t *image, size_t len,
                     Error **errp)
{
    const Machine *m = &pc->parent;
    const char *cmdline = m->append ? m->append : "";
    unsigned version = load_le16(image + HDR_VERSION);
    size_t setup_len = ((image[HDR_SETUP_SECTS] ? image[HDR_SETUP_SECTS] : 4) + 1u) * SECTOR;
    size_t cmdline_max = version >= 0x206 ? load_le32(image + HDR_CMDLINE_SIZE) : 255;
    g_autofree uint8_t *setup = NULL;
    FwCfg *f = pc->fw_cfg;

    if (version < 0x202 || !(image[HDR_LOADFLAGS] & LOADFLAGS_HIGH)) {
        error_setf(errp, ERR_FILE_FORMAT, "kernel '%s' has boot protocol %u.%02u; accepted: 2.02 "
                   "and up, loaded high", path, version >> 8, version & 0xff);
        return false;
    }
    if (setup_len > len || setup_len > HEAP_END) {
        error_setf(errp, ERR_FILE_FORMAT, "kernel '%s' is cut short", path);
        return false;
    }
    if (strlen(cmdline) > MIN(cmdline_max, 0xffff)) {
        error_setf(errp, ERR_OUT_OF_RANGE, "the command line has %zu bytes; this kernel takes "
                   "at most %zu", strlen(cmdline), cmdline_max);
        return false;
    }
    setup = g_malloc(MAX(setup_len, HDR_MIN_SIZE));
    memcpy(setup, image, setup_len);
    setup[HDR_TYPE_OF_LOADER] = LOADER_OURS;
    setup[HDR_LOADFLAGS] |= LOADFLAGS_HEAP;
    store_le16(setup + HDR_HEAP_END_PTR, HEAP_END);
    store_le32(setup + HDR_CMD_LINE_PTR, CMDLINE_ADDR);
    set_video_mode(setup, cmdline);
    if (m->initrd ? !place_initrd(pc, setup, m->initrd, len - setup_len, errp) : false) {
        return false;
    }
    fw_cfg_add_i32(f, FW_CFG_SETUP_ADDR, SETUP_ADDR);
    fw_cfg_add_i32(f, FW_CFG_SETUP_SIZE, (uint32_t)setup_len);
    fw_cfg_add_bytes(f, FW_CFG_SETUP_DATA, setup, setup_len);
    fw_cfg_add_i32(f, FW_CFG_CMDLINE_ADDR, CMDLINE_ADDR);
    fw_cfg_add_i32(f, FW_CFG_CMDLINE_SIZE, (uint32_t)strlen(cmdline) + 1);
    fw_cfg_add_string(f, FW_CFG_CMDLINE_DATA, cmdline);
    fw_cfg_add_i32(f, FW_CFG_KERNEL_ADDR, KERNEL_ADDR);
    fw_cfg_add_i32(f, FW_CFG_KERNEL_SIZE, (uint32_t)(len - setup_len));
    add_image(f, FW_CFG_KERNEL_DATA, path, image, setup_len, len);
    return pc_add_boot_rom(pc, BOOT_ROM_LINUX, errp);
}
