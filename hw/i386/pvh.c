/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels with a PVH entry: an ELF image and a start-of-day structure.
 *
 * Source: Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h
 * ("SI"). The RSDP is left to be found in the BIOS area.
 */
#include "util/osdep.h"
#include "hw/i386/boot.h"

#include <glib.h>
#include "util/bswap.h"

#define START_MAGIC     0x336ec578
#define START_SIZE      56
#define MODULE_SIZE     32
#define MEMMAP_SIZE     24
#define TYPE_RAM        1
#define TYPE_RESERVED   2

static void put_range(GByteArray *out, uint64_t addr, uint64_t size, uint32_t type)
{
    uint8_t raw[MEMMAP_SIZE] = { 0 };

    store_le64(raw, addr);
    store_le64(raw + 8, size);
    store_le32(raw + 16, type);
    g_byte_array_append(out, raw, sizeof(raw));
}

static uint32_t put_memory_map(GByteArray *out, const PcMachine *pc)
{
    uint64_t low_end = pc->ram_below_4g - PC_FIRMWARE_RESERVE;
    guint before = out->len;

    put_range(out, 0, 0x9fc00, TYPE_RAM);
    put_range(out, 0x9fc00, 0x400, TYPE_RESERVED);
    put_range(out, 0xf0000, 0x10000, TYPE_RESERVED);
    put_range(out, MIB, low_end - MIB, TYPE_RAM);
    put_range(out, low_end, PC_FIRMWARE_RESERVE, TYPE_RESERVED);
    if (pc->ram_above_4g) {
        put_range(out, 4 * GIB, pc->ram_above_4g, TYPE_RAM);
    }
    return (out->len - before) / MEMMAP_SIZE;
}

bool pc_load_pvh(PcMachine *pc, const char *path, const uint8_t *image, size_t len, Error **errp)
{
    const Machine *m = &pc->parent;
    const char *cmdline = m->append ? m->append : "";
    g_autoptr(GByteArray) info = g_byte_array_new();
    g_autofree uint8_t *initrd = NULL;
    uint8_t head[START_SIZE + MODULE_SIZE] = { 0 };
    FlatImage flat = { 0 };
    size_t initrd_len = 0;
    uint32_t base, entries;
    bool ok;

    if (!elf_flatten(path, image, len, &flat, errp)) {
        return false;
    }
    if (m->initrd) {
        initrd = boot_read_file("initial RAM disk", m->initrd, &initrd_len, errp);
        if (!initrd) {
            g_free(flat.data);
            return false;
        }
    }
    /* SI: header, module list, memory map, command line, then the module. */
    base = (uint32_t)ALIGN_UP(flat.addr + flat.size, MEM_PAGE_SIZE);
    g_byte_array_append(info, head, sizeof(head));
    entries = put_memory_map(info, pc);
    store_le32(head, START_MAGIC);
    store_le32(head + 4, 1);                            /* version */
    store_le32(head + 12, initrd ? 1 : 0);
    store_le64(head + 16, base + START_SIZE);           /* modlist_paddr */
    store_le64(head + 24, base + info->len);            /* cmdline_paddr */
    store_le64(head + 40, base + sizeof(head));         /* memmap_paddr */
    store_le32(head + 48, entries);
    g_byte_array_append(info, (const uint8_t *)cmdline, (guint)strlen(cmdline) + 1);
    if (initrd) {
        g_byte_array_set_size(info, (guint)ALIGN_UP(info->len, MEM_PAGE_SIZE));
        store_le64(head + START_SIZE, base + info->len);
        store_le64(head + START_SIZE + 8, initrd_len);
        g_byte_array_append(info, initrd, (guint)initrd_len);
    }
    memcpy(info->data, head, sizeof(head));
    ok = pc_set_elf_boot(pc, &flat, base, info->data, info->len, image_pvh_entry(image, len),
                         errp);
    g_free(flat.data);
    return ok;
}
