/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine `pc`: i440FX host bridge, PIIX3 south bridge.
 *
 *   CPUs -- 82441FX -- PCI 0 -- 1.0 PIIX3 (ISA: 8259s, 8254, RTC, 8042, COM)
 *              |             `- 1.1 IDE, 1.2 USB, 1.3 PIIX4 power management, display,
 *             RAM                   network, what -device adds
 */
#include "util/osdep.h"
#include "hw/i386/pc.h"
#include "hw/i386/pc-hotplug.h"

#include <glib.h>
#include "hw/acpi/piix4-pm.h"
#include "hw/i386/boot.h"
#include "hw/i386/chipset.h"
#include "hw/i2c/smbus.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"

#define IDE_BUSES   2
#define IDE_UNITS   2

static bool create_ide(PcMachine *pc, Error **errp)
{
    if (!type_find("piix3-ide")) {
        return true;
    }
    if (!pci_create(pc->pci, PCI_DEVFN(1, 1), "piix3-ide", errp)) {
        return false;
    }
    return pc_attach_drives(pc, IDE_BUSES, IDE_UNITS, errp);
}

static bool create_pm(PcMachine *pc, Error **errp)
{
    PCIDevice *pm = pci_new(PCI_DEVFN(1, 3), TYPE_PIIX4_PM);

    pc->pm = &pm->dev;
    if (!object_set_bool(pm, "smm-enabled", pc_smm_enabled(pc), errp)) {
        object_unref(pm);
        return false;
    }
    device_connect_irq_out(pc->pm, "sci", 0, pc->gsi[PIIX4_SCI]);
    device_connect_irq_out(pc->pm, "s3", 0, pc_s3_line(pc));
    if (pc_smm_enabled(pc)) {
        device_connect_irq_out(pc->pm, "smi", 0, pc_smi_line(pc));
    }
    return device_realize_unref(pc->pm, &pc->pci->bus, errp) &&
           pc_create_spd(piix4_pm_smbus(pc->pm), pc->parent.ram_size, errp);
}

static bool create_usb(PcMachine *pc, Error **errp)
{
    return !pc->parent.usb || pci_create(pc->pci, PCI_DEVFN(1, 2), "piix3-usb-uhci", errp);
}

static bool pc_piix_init(Machine *m, Error **errp)
{
    PcMachine *pc = PC_MACHINE(m);
    PcHostBoard nb = { .system = system_memory(), .io = system_io(), .ram = m->ram };

    if (!pc_new_cpus(pc, errp)) {
        return false;
    }
    pc_map_ram(pc, nb.system);
    if (!i440fx_create(&nb, errp)) {
        return false;
    }
    pc->pci = nb.bus;
    pc->smm_as = nb.smm;
    if (!pc_map_firmware(pc, nb.pci, errp)) {
        return false;
    }
    pc->south = piix3_create(pc->pci, nb.pci, nb.io, &pc->isa, errp);
    if (!pc->south) {
        return false;
    }
    pc_host_set_cf9(nb.host, piix3_reset_control(pc->south));
    pc_init_gsi(pc);
    piix3_set_irqs(pc->south, pc->gsi);
    return pc_create_ioapic(pc, nb.host, errp) && pc_init_isa_devices(pc, errp) &&
           pc_init_fw_cfg(pc, errp) && pc_load_kernel(pc, errp) && create_ide(pc, errp) &&
           create_usb(pc, errp) && (!pc_acpi_enabled(pc) || (create_pm(pc, errp) && pc_init_hotplug(pc, nb.system, errp))) &&
           pc_init_slots(pc, errp) &&
           pc_realize_cpus(pc, errp);
}

static void piix_pm_info(PcMachine *pc, PcPmInfo *info)
{
    *info = (PcPmInfo){
        .base = pc->pm ? piix4_pm_io_base(pc->pm) : 0, .evt = PIIX4_PM1_EVT, .cnt = PIIX4_PM1_CNT,
        .tmr = PIIX4_PM_TMR, .gpe0 = PIIX4_GPE0, .gpe0_len = 4, .smi_cmd = PIIX4_SMI_CMD,
        .acpi_enable = PIIX4_ACPI_ENABLE, .acpi_disable = PIIX4_ACPI_DISABLE, .sci = PIIX4_SCI,
    };
}

static struct PciHotplug *piix_hotplug(PcMachine *pc, bool *bridges)
{
    return pc->pm ? piix4_pm_hotplug(pc->pm, bridges) : NULL;
}

static const PcChipset piix_chipset = {
    .low_max = 0xe0000000, .low_split = 0xc0000000, .cpu_hotplug_io = 0xaf00,
    .slp_typ_s3 = 1, .slp_typ_s4 = 2, .slp_typ_s5 = 0,          /* 82371AB 7.2.3 */
    .isa_adr = 0x10000, .pci_hotplug = piix_hotplug, .pm_info = piix_pm_info,
    .put_root = piix_put_root, .put_router = piix_put_router, .put_links = piix_put_links,
    .put_routing = piix_put_routing,
};

static const char *const pc_arch[] = { "x86_64", "i386", NULL };
static const char *const pc_arch_cpus[] = { "i386", "qemu32-i386-cpu", NULL };

static const MachineType pc_i440fx_7_2 = {
    .name = "pc-i440fx-7.2", .alias = "pc",
    .desc = "Standard PC (i440FX + PIIX, 1996)",
    .size = sizeof(PcMachine), .arch = pc_arch, .default_for = pc_arch,
    .default_cpu = "qemu64-x86_64-cpu", .arch_cpus = pc_arch_cpus,
    .max_cpus = PC_MAX_CPUS,
    .default_ram_id = "pc.ram", .default_boot_order = "cad",
    .default_display = "std", .default_nic = "e1000",
    .default_block_interface = "ide", .units_per_default_bus = IDE_UNITS, .has_fw_cfg = true,
    .props = pc_machine_props, .prepare = pc_prepare, .init = pc_piix_init, .done = pc_done,
    .reset = pc_reset, .set_boot = pc_set_boot, .hotplug_cpus = true, .pre_plug = pc_pre_plug,
    .plugged = pc_plugged, .unplug_request = pc_unplug_request, .data = &piix_chipset,
};
MACHINE_TYPE(pc_i440fx_7_2)
