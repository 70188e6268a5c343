/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct kernel boot on a PC: the loader puts the kernel into fw_cfg, an
 * option ROM takes it from there once the firmware has run. Big lock.
 */
#ifndef HW_I386_BOOT_H
#define HW_I386_BOOT_H

#include "hw/i386/pc.h"

/* RAM below 4 GiB that firmware keeps for its tables at the top. */
#define PC_FIRMWARE_RESERVE (256 * KIB)

/* -kernel, -initrd, -append; nothing without a kernel. After fw_cfg is there. */
bool pc_load_kernel(PcMachine *pc, Error **errp);

/* The kinds. @image is @len bytes of @path. */
bool pc_load_bzimage(PcMachine *pc, const char *path, const uint8_t *image, size_t len,
                     Error **errp);
bool pc_load_multiboot(PcMachine *pc, const char *path, const uint8_t *image, size_t len,
                       Error **errp);
bool pc_load_pvh(PcMachine *pc, const char *path, const uint8_t *image, size_t len, Error **errp);
bool image_is_bzimage(const uint8_t *image, size_t len);
/* Offset of the multiboot header; -1: none. */
long image_multiboot_header(const uint8_t *image, size_t len);
/* Entry of the PVH note; 0: none. */
uint32_t image_pvh_entry(const uint8_t *image, size_t len);

/* A boot ROM of firmware/, which is booted before everything else. */
typedef enum BootRom { BOOT_ROM_LINUX, BOOT_ROM_ELF } BootRom;
bool pc_add_boot_rom(PcMachine *pc, BootRom rom, Error **errp);

/* An ELF image laid out flat: @data is @size bytes for guest address @addr. */
typedef struct FlatImage {
    uint8_t *data;              /* g_free() */
    uint64_t addr, size;
    uint64_t entry;
} FlatImage;
/* From the physical addresses of a 32-bit or 64-bit little-endian ELF. */
bool elf_flatten(const char *path, const uint8_t *image, size_t len, FlatImage *flat,
                 Error **errp);

/* What elfboot.S is given: the image, the information block, the entry. */
bool pc_set_elf_boot(PcMachine *pc, const FlatImage *flat, uint32_t info_addr, const void *info,
                     size_t info_len, uint32_t entry, Error **errp);
/* Whole file; NULL with errp set. g_free(). */
uint8_t *boot_read_file(const char *what, const char *path, size_t *len, Error **errp);

#endif
