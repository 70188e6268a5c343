/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts that the PC machines' south bridges bring: interrupt controller, drives, memory modules' EEPROMs. */
#include "util/osdep.h"
#include "hw/i386/pc.h"

#include <glib.h>
#include "hw/i2c/smbus.h"
#include "hw/intc/ioapic.h"

bool pc_attach_drives(PcMachine *pc, int buses, int units, Error **errp)
{
    for (int i = 0; i < buses * units; i++) {
        MachineDrive *d = machine_take_drive(&pc->parent, "ide", i / units, i % units);
        g_autofree char *bus_name = g_strdup_printf("ide.%d", i / units);
        Device *dev;
        Bus *bus;

        if (!d) {
            continue;
        }
        bus = bus_find(bus_name, errp);
        if (!bus) {
            return false;
        }
        dev = device_new(d->cdrom ? "ide-cd" : "ide-hd");
        if (!object_set_uint(dev, "unit", (unsigned)i % units, errp) ||
            (d->blockdev && !object_set_str(dev, "drive", d->blockdev, errp))) {
            object_unref(dev);
            return false;
        }
        if (!device_realize_unref(dev, bus, errp)) {
            return false;
        }
    }
    return true;
}

bool pc_create_ioapic(PcMachine *pc, Device *host, Error **errp)
{
    pc->ioapic = ioapic_create(host, system_memory(), PC_IOAPIC_ADDR, errp);
    for (int i = 0; pc->ioapic && i < PC_NUM_GSI; i++) {
        pc->ioapic_lines[i] = device_irq_in(pc->ioapic, NULL, i);
    }
    return pc->ioapic != NULL;
}

/* One memory module is told of; the other seven places have empty EEPROMs. */
bool pc_create_spd(Bus *smbus, uint64_t ram_size, Error **errp)
{
    uint8_t data[256];
    bool ok = true;

    spd_fill(data, ram_size);
    for (uint8_t i = 0; ok && i < 8; i++) {
        ok = smbus_eeprom_create(smbus, 0x50 + i, data, errp);
        memset(data, 0, sizeof(data));
    }
    return ok;
}
