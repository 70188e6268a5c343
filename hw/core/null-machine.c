/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine `none`: nothing but RAM, for management tools that only ask
 * questions.
 */
#include "util/osdep.h"
#include "hw/core/machine.h"

static bool null_init(Machine *m, UNUSED Error **errp)
{
    if (m->ram) {
        memory_region_add(system_memory(), 0, m->ram);
    }
    return true;
}

static const MachineType null_machine = {
    .name = "none", .desc = "empty machine", .max_cpus = 1, .default_ram_id = "ram",
    .no_serial = true, .no_parallel = true, .no_floppy = true, .no_cdrom = true,
    .no_sdcard = true, .init = null_init,
};
MACHINE_TYPE(null_machine)
