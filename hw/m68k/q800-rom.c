/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "hw/m68k/q800-rom.h"

#include <glib.h>
#include "hw/core/machine.h"
#include "hw/core/runstate.h"
#include "util/bswap.h"

bool mac_rom_init(MacRom *r, void *owner, const char *name, Error **errp)
{
    g_autofree char *path = firmware_find_checked(name, errp), *data = NULL;
    GError *gerr = NULL;
    gsize size;
    uint32_t pc;

    if (!path) {
        return false;
    }
    if (!g_file_get_contents(path, &data, &size, &gerr)) {
        error_setf(errp, ERR_HOST, "could not read the ROM: %s", gerr->message);
        g_error_free(gerr);
        return false;
    }
    if (size < MAC_ROM_MIN || size > MAC_ROM_MAX || (size & (size - 1))) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' has %zu bytes and is no Macintosh ROM; accepted: 256 KiB to 4 MiB, "
                   "a power of two", path, (size_t)size);
        return false;
    }
    pc = load_be32((const uint8_t *)data + 4);
    if (pc - MAC_ROM_SPACE >= MAC_ROM_SPACE_SIZE) {
        error_setf(errp, ERR_INVALID_ARGUMENT, "'%s' is no ROM of a Quadra: it starts at %08x; accepted: 40000000 to 40ffffff",
                   path, pc);
        return false;
    }
    if (!memory_region_init_rom(&r->rom, owner, "q800.rom", size, errp)) {
        return false;
    }
    memcpy(memory_region_ram_ptr(&r->rom), data, size);
    memory_region_add(system_memory(), MAC_ROM_SPACE, &r->rom);
    for (uint32_t i = 1; i < MAC_ROM_SPACE_SIZE / size; i++) {
        memory_region_init_alias(&r->copy[i], owner, "q800.rom-copy", &r->rom, 0, size);
        memory_region_add(system_memory(), MAC_ROM_SPACE + i * size, &r->copy[i]);
    }
    memory_region_init_alias(&r->overlay, owner, "q800.rom-overlay", &r->rom, 0, size);
    memory_region_set_enabled(&r->overlay, false);
    memory_region_add_overlap(system_memory(), 0, &r->overlay, 1);
    r->loaded = true;
    return true;
}

#define STAND_IN        0x40800000u     /* where system software takes the ROM to be */
#define STAND_IN_SIZE   4096
#define RESTART         0xffc           /* a write there asks for a reset */

static MemResult restart_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = 0;
    return MEM_OK;
}

static MemResult restart_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val, UNUSED unsigned size,
                               UNUSED MemAttrs attrs)
{
    system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    return MEM_OK;
}

bool mac_rom_stand_in(MacRom *r, void *owner, Error **errp)
{
    /* move.w #$2700,sr; clr.b $40800ffc; 1: bra 1b */
    static const uint16_t code[] = { 0x46fc, 0x2700, 0x4239, STAND_IN >> 16, RESTART, 0x60fe };
    static const MemOps ops = {
        .read = restart_read, .write = restart_write, .order = MEM_BE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
    };

    if (!memory_region_init_rom(&r->rom, owner, "q800.rom", STAND_IN_SIZE, errp)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(code); i++) {
        store_be16((uint8_t *)memory_region_ram_ptr(&r->rom) + 0xa + 2 * i, code[i]);
    }
    memory_region_init_io(&r->restart, owner, &ops, r, "q800.restart", 4);
    memory_region_add(system_memory(), STAND_IN, &r->rom);
    memory_region_add_overlap(system_memory(), STAND_IN + RESTART, &r->restart, 1);
    return true;
}

void mac_rom_overlay(MacRom *r, bool on)
{
    if (r->loaded) {
        memory_region_set_enabled(&r->overlay, on);
    }
}
