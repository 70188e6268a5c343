/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: numbered items and named files that
 * firmware and loaders read. Boards add them, at the latest in
 * machine_done(). Items may be added once only, in any order. Big lock.
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "hw/core/device.h"
#include "memory/memory.h"

#define TYPE_FW_CFG_IO  "fw_cfg_io"

/* Items that firmware knows by number. */
enum {
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04, FW_CFG_NB_CPUS = 0x05, FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07, FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a, FW_CFG_INITRD_SIZE = 0x0b, FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d, FW_CFG_BOOT_MENU = 0x0e, FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10, FW_CFG_KERNEL_DATA = 0x11, FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13, FW_CFG_CMDLINE_SIZE = 0x14, FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16, FW_CFG_SETUP_SIZE = 0x17, FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19, FW_CFG_FILE_FIRST = 0x20, FW_CFG_FILE_SLOTS = 0x80,
    FW_CFG_ARCH_LOCAL = 0x8000, FW_CFG_ACPI_TABLES = 0x8000, FW_CFG_SMBIOS_ENTRIES = 0x8001,
    FW_CFG_IRQ0_OVERRIDE = 0x8002, FW_CFG_E820_TABLE = 0x8003,
};
#define FW_CFG_MAX_NAME 56          /* with the zero at the end */

typedef struct FwCfg FwCfg;
static inline FwCfg *FW_CFG(const void *obj)
{
    return (FwCfg *)obj;
}

/* Ports 510h to 51Bh of the I/O space, DMA into @dma. Lent; NULL with errp. */
FwCfg *fw_cfg_create_io(MemRegion *io, AddressSpace *dma, Error **errp);
/* The machine's; NULL if it has none. */
FwCfg *fw_cfg_find(void);

/* A copy is made. Numbers are little-endian. */
void fw_cfg_add_bytes(FwCfg *s, unsigned key, const void *data, size_t len);
/*
 * An item, not there yet, that is @len bytes from @at on of a file, which stays open: large images needn't lie in
 * memory. False if @path isn't a regular file of that size.
 */
bool fw_cfg_add_from_file(FwCfg *s, unsigned key, const char *path, uint64_t at, size_t len);
void fw_cfg_add_string(FwCfg *s, unsigned key, const char *text);
void fw_cfg_add_i16(FwCfg *s, unsigned key, uint16_t val);
void fw_cfg_add_i32(FwCfg *s, unsigned key, uint32_t val);
void fw_cfg_add_i64(FwCfg *s, unsigned key, uint64_t val);
/* False when the name is too long or taken, or all slots are. */
bool fw_cfg_add_file(FwCfg *s, const char *name, const void *data, size_t len, Error **errp);
/*
 * A file made when firmware selects it for the first time since the reset:
 * @build (may be NULL) calls fw_cfg_set_file(). @writable: through DMA.
 */
bool fw_cfg_add_file_callback(FwCfg *s, const char *name, const void *data, size_t len,
                              bool writable, void (*build)(FwCfg *s, void *opaque),
                              void *opaque, Error **errp);
/* New content of a file that exists; a copy is made. */
void fw_cfg_set_file(FwCfg *s, const char *name, const void *data, size_t len);
/* Lent until the next change; NULL if there is none. */
const void *fw_cfg_get_file(FwCfg *s, const char *name, size_t *len);

#endif
