/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware of a PC: a ROM from a file, or flash memories; and the room of option ROMs. */
#include "util/osdep.h"
#include "hw/i386/pc.h"

#include <glib.h>
#include "hw/block/pflash-cfi01.h"

#define FIRMWARE_DEFAULT    "bios-256k.bin"
#define FIRMWARE_MAX        (8 * MIB)
#define ISA_BIOS_SIZE       (128 * KIB)

/* The end of the firmware is below 1 MiB, too: @data of @len bytes. */
static bool map_isa_bios(PcMachine *pc, MemRegion *pci_memory, const uint8_t *data, uint64_t len, Error **errp)
{
    uint64_t size = MIN(len, ISA_BIOS_SIZE);

    if (!memory_region_init_rom(&pc->isa_bios, pc, "isa-bios", size, errp)) {
        return false;
    }
    memcpy(memory_region_ram_ptr(&pc->isa_bios), data + len - size, size);
    memory_region_add_overlap(pci_memory, MIB - size, &pc->isa_bios, 1);
    return true;
}

static bool map_rom(PcMachine *pc, MemRegion *pci_memory, Error **errp)
{
    const char *name = pc->parent.firmware ? pc->parent.firmware : FIRMWARE_DEFAULT;
    g_autofree char *path = firmware_find_checked(name, errp), *data = NULL;
    g_autoptr(GError) gerr = NULL;
    gsize len;

    if (!path) {
        return false;
    }
    if (!g_file_get_contents(path, &data, &len, &gerr)) {
        error_setf(errp, ERR_HOST, "could not read the firmware: %s", gerr->message);
        return false;
    }
    if (len == 0 || len % (64 * KIB) || len > FIRMWARE_MAX) {
        error_setf(errp, ERR_FILE_FORMAT, "firmware '%s' has %zu bytes; accepted: multiples of "
                   "64 KiB up to %d MiB", path, (size_t)len, (int)(FIRMWARE_MAX / MIB));
        return false;
    }
    pc->bios_size = len;
    if (!memory_region_init_rom(&pc->bios, pc, "pc.bios", len, errp)) {
        return false;
    }
    memcpy(memory_region_ram_ptr(&pc->bios), data, len);
    memory_region_add(pci_memory, 4 * GIB - len, &pc->bios);
    return map_isa_bios(pc, pci_memory, (const uint8_t *)data, len, errp);
}

/* From -drive if=pflash,unit=N, or -machine pflashN=NODE; NULL: there is none. */
static const char *flash_drive(PcMachine *pc, unsigned n)
{
    MachineDrive *d = machine_take_drive(&pc->parent, "pflash", 0, (int)n);

    return pc->pflash[n] && *pc->pflash[n] ? pc->pflash[n] : d ? d->blockdev : NULL;
}

/* The first one ends at 4 GiB, the next one is below it. */
static bool map_flashes(PcMachine *pc, MemRegion *pci_memory, bool *any, Error **errp)
{
    uint64_t end = 4 * GIB;

    for (unsigned i = 0; i < PC_FLASHES; i++) {
        const char *drive = flash_drive(pc, i);
        Device *flash;
        MemRegion *mr;

        if (!drive) {
            continue;
        }
        if (i && end == 4 * GIB) {
            error_setf(errp, ERR_MISSING_ARGUMENT, "pflash0 is not given, but pflash%u is", i);
            return false;
        }
        flash = pflash_cfi01_create(i, drive, errp);
        if (!flash) {
            return false;
        }
        mr = pflash_cfi01_region(flash);
        end -= memory_region_size(mr);
        if (4 * GIB - end > FIRMWARE_MAX) {
            error_setf(errp, ERR_OUT_OF_RANGE, "combined size of system firmware exceeds %d MiB",
                       (int)(FIRMWARE_MAX / MIB));
            return false;
        }
        memory_region_add(pci_memory, end, mr);
        if (i == 0 && !map_isa_bios(pc, pci_memory, memory_region_ram_ptr(mr), memory_region_size(mr), errp)) {
            return false;
        }
        *any = true;
    }
    return true;
}

bool pc_map_firmware(PcMachine *pc, MemRegion *pci_memory, Error **errp)
{
    if (!map_flashes(pc, pci_memory, &pc->flash, errp) || (!pc->flash && !map_rom(pc, pci_memory, errp)) ||
        !memory_region_init_rom(&pc->option_roms, pc, "pc.rom", PC_ROM_SIZE, errp)) {
        return false;
    }
    memory_region_add_overlap(pci_memory, PC_ROM_ADDR, &pc->option_roms, 1);
    return true;
}
