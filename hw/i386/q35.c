/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine `q35`: Q35 host bridge, ICH9 south bridge; and `intelmac`, which has the functions of the ICH7 instead, and a Mac's
 * System Management Controller.
 *
 *   CPUs -- MCH -- PCI Express 0 -- 1f.0 ICH9 LPC (ISA: 8259s, 8254, RTC, 8042, COM; power management)
 *            |                   |- 1f.2 AHCI, 1f.3 SMBus, 1d.* USB
 *           RAM                   `- display, network, root ports and what else -device adds
 */
#include "util/osdep.h"
#include "hw/i386/chipset.h"
#include "hw/i386/pc-hotplug.h"

#include <glib.h>
#include "hw/core/runstate.h"
#include "hw/i386/boot.h"
#include "hw/i2c/smbus-ich9.h"
#include "hw/isa/lpc-ich9.h"
#include "hw/pci-host/q35.h"

#define AHCI_DEVFN  PCI_DEVFN(31, 2)
#define AHCI_PORTS  6
#define USB_SLOT    29
#define IDE_DEVFN   PCI_DEVFN(31, 1)

static const PcHub *hub(const PcMachine *pc)
{
    return pc_chipset(pc)->hub;
}

static bool create_lpc(PcMachine *pc, const PcHostBoard *nb, Error **errp)
{
    pc->south = ich9_lpc_create(hub(pc)->lpc, pc->pci, nb->system, nb->pci, nb->io, pc_smm_enabled(pc), &pc->isa, errp);
    if (!pc->south) {
        return false;
    }
    pc_host_set_cf9(nb->host, ich9_lpc_reset_control(pc->south));
    pc_init_gsi(pc);
    ich9_lpc_set_irqs(pc->south, pc->gsi);
    device_connect_irq_out(&pc->south->dev, "s3", 0, pc_s3_line(pc));
    if (pc_smm_enabled(pc)) {
        device_connect_irq_out(&pc->south->dev, "smi", 0, pc_smi_line(pc));
    }
    if (pc_acpi_enabled(pc)) {
        pc->pm = &pc->south->dev;
    }
    return true;
}

static PCIDevice *create_function(PcMachine *pc, int devfn, const char *type, Error **errp)
{
    PCIDevice *pci = pci_new(devfn, type);
    bool ok;

    pci->multifunction = true;
    ok = pci_realize(pci, pc->pci, errp);
    object_unref(pci);          /* the bus has one */
    return ok ? pci : NULL;
}

static bool create_ahci(PcMachine *pc, Error **errp)
{
    return !type_find(hub(pc)->ahci) ||
           (create_function(pc, AHCI_DEVFN, hub(pc)->ahci, errp) && pc_attach_drives(pc, AHCI_PORTS, 1, errp));
}

/* -usb: the first EHCI controller and its companions. */
static bool create_usb(PcMachine *pc, Error **errp)
{
    PCIDevice *ehci;

    if (!pc->parent.usb && !hub(pc)->usb_always) {
        return true;
    }
    ehci = create_function(pc, PCI_DEVFN(USB_SLOT, 7), hub(pc)->ehci, errp);
    for (unsigned i = 0; ehci && i < ARRAY_SIZE(hub(pc)->uhci); i++) {
        PCIDevice *uhci = pci_new(PCI_DEVFN(USB_SLOT, i), hub(pc)->uhci[i]);
        bool ok;

        uhci->multifunction = true;
        ok = object_set_str(uhci, "masterbus", ehci->dev.buses->name, errp) &&
             object_set_uint(uhci, "firstport", 2 * i, errp) && pci_realize(uhci, pc->pci, errp);
        object_unref(uhci);
        if (!ok) {
            return false;
        }
    }
    return ehci != NULL;
}

static bool create_smbus(PcMachine *pc, Error **errp)
{
    PCIDevice *smbus = create_function(pc, ICH9_SMBUS_DEVFN, hub(pc)->smbus, errp);

    return smbus && pc_create_spd(ich9_smbus_bus(smbus), pc->parent.ram_size, errp);
}

/* What q35 leaves to -device. */
static bool create_mac_parts(PcMachine *pc, Error **errp)
{
    PCIDevice *hda;

    if (hub(pc)->ide && !create_function(pc, IDE_DEVFN, hub(pc)->ide, errp)) {
        return false;
    }
    if (hub(pc)->hda) {
        hda = pci_create(pc->pci, PCI_DEVFN(hub(pc)->hda_slot, 0), hub(pc)->hda, errp);
        if (!hda || !device_realize_unref(device_new(hub(pc)->codec), hda->dev.buses, errp)) {
            return false;
        }
    }
    return !pc_chipset(pc)->smc || isa_create(pc->isa, "isa-applesmc", errp);
}

static bool q35_init(Machine *m, Error **errp)
{
    PcMachine *pc = PC_MACHINE(m);
    PcHostBoard nb = { .system = system_memory(), .io = system_io(), .ram = m->ram };

    if (!pc_new_cpus(pc, errp)) {
        return false;
    }
    pc_map_ram(pc, nb.system);
    if (!q35_create(&nb, pc->host_bridge == PC_BRIDGE_945GM ? TYPE_MCH_945GM : TYPE_MCH, pc->ram_below_4g, errp)) {
        return false;
    }
    pc->pci = nb.bus;
    pc->bridge = nb.bridge;
    pc->smm_as = nb.smm;
    return pc_map_firmware(pc, nb.pci, errp) && create_lpc(pc, &nb, errp) && pc_create_ioapic(pc, nb.host, errp) &&
           pc_init_isa_devices(pc, errp) && pc_init_fw_cfg(pc, errp) && pc_load_kernel(pc, errp) &&
           create_ahci(pc, errp) && create_usb(pc, errp) && create_smbus(pc, errp) && create_mac_parts(pc, errp) &&
           (!pc_acpi_enabled(pc) || pc_init_hotplug(pc, nb.system, errp)) && pc_init_slots(pc, errp) &&
           pc_realize_cpus(pc, errp);
}

/* --- host-bridge=945gm: a board as its maker's firmware leaves it --- */

#define MAC_PMBASE      0x600
#define MAC_ECAM        0xb0000000u
#define MAC_RCBA        0xfed1c000u
#define MAC_SHADOW_MAX  (256 * KIB)     /* of the BIOS below 1 MiB */

static void out(uint16_t port, uint32_t val, unsigned size)
{
    address_space_store(&address_space_io, port, val, size, MEM_LE, MEM_ATTRS_NONE, NULL);
}

static void set_config(int devfn, unsigned reg, uint32_t val, unsigned size)
{
    out(0xcf8, BIT(31) | (uint32_t)devfn << 8 | (reg & 0xfc), 4);
    out((uint16_t)(0xcfc + reg % 4), val, size);
}

/*
 * SeaBIOS knows the chip sets of pc and q35 only: shadow RAM, config space in memory, power management ports and interrupt routing must
 * be there before it, as on a board of which it isn't the first program.
 */
static void set_up_945gm(const PcMachine *pc)
{
    uint64_t len = MIN(pc->bios_size, MAC_SHADOW_MAX);
    g_autofree uint8_t *bios = g_malloc(len);

    address_space_read(&address_space_memory, 4 * GIB - len, MEM_ATTRS_NONE, bios, len);
    set_config(0, 0x90, 0x33333330, 4);         /* PAM0 to PAM6: RAM, to read and to write */
    set_config(0, 0x94, 0x3333, 2);
    set_config(0, 0x96, 0x33, 1);
    address_space_write(&address_space_memory, MIB - len, MEM_ATTRS_NONE, bios, len);
    set_config(0, 0x48, MAC_ECAM | 1, 4);
    set_config(ICH9_LPC_DEVFN, 0x40, MAC_PMBASE | 1, 4);
    set_config(ICH9_LPC_DEVFN, 0x44, 0x80, 1);
    set_config(ICH9_LPC_DEVFN, 0xf0, MAC_RCBA | 1, 4);
    set_config(ICH9_LPC_DEVFN, ICH9_PIRQA_ROUT, 0x0b0b0a0a, 4);
    set_config(ICH9_LPC_DEVFN, ICH9_PIRQE_ROUT, 0x0b0b0a0a, 4);
    out(0x4d1, 0x0e, 1);                        /* 9, 10 and 11 are levels */
}

static void mac_reset(Machine *m, ResetKind kind)
{
    PcMachine *pc = PC_MACHINE(m);
    bool asleep = runstate_check(RUN_STATE_SUSPENDED);

    pc_reset(m, kind);
    if (pc->host_bridge == PC_BRIDGE_945GM && !pc->flash && !asleep) {
        set_up_945gm(pc);
    }
}

static void q35_pm_info(PcMachine *pc, PcPmInfo *info)
{
    *info = (PcPmInfo){
        .base = ich9_lpc_pm_base(&pc->south->dev), .evt = ICH9_PM1_EVT, .cnt = ICH9_PM1_CNT, .tmr = ICH9_PM_TMR,
        .gpe0 = hub(pc)->gpe0, .gpe0_len = hub(pc)->gpe0_len, .smi_cmd = ICH9_SMI_CMD, .acpi_enable = ICH9_ACPI_ENABLE,
        .acpi_disable = ICH9_ACPI_DISABLE, .sci = (uint8_t)ich9_lpc_sci(&pc->south->dev),
    };
}

static bool ecam(PcMachine *pc, uint64_t *base, uint64_t *size)
{
    return q35_ecam(pc->bridge, base, size);
}

static struct PciHotplug *q35_hotplug(PcMachine *pc, bool *bridges)
{
    *bridges = pc->pm;
    return *bridges ? ich9_lpc_hotplug(pc->pm) : NULL;
}

static const PcHub ich9 = {
    .lpc = TYPE_ICH9_LPC, .ahci = "ich9-ahci", .smbus = TYPE_ICH9_SMBUS, .ehci = "ich9-usb-ehci1",
    .uhci = { "ich9-usb-uhci1", "ich9-usb-uhci2", "ich9-usb-uhci3" }, .gpe0 = ICH9_GPE0, .gpe0_len = ICH9_GPE0_LEN,
};

static const PcHub ich7 = {
    .lpc = TYPE_ICH7_LPC, .ide = "ich7-ide", .ahci = "ich7m-ahci", .smbus = TYPE_ICH7_SMBUS, .hda = "ich7-intel-hda",
    .codec = "hda-duplex", .hda_slot = 27, .ehci = "ich7-usb-ehci", .usb_always = true,
    .uhci = { "ich7-usb-uhci1", "ich7-usb-uhci2", "ich7-usb-uhci3" }, .gpe0 = ICH7_GPE0, .gpe0_len = ICH7_GPE0_LEN,
};

#define Q35_CHIPSET \
    .low_max = 0xb0000000, .low_split = 0x80000000, .cpu_hotplug_io = 0x0cd8, .cpu_hotplug_always = true, \
    .slp_typ_s3 = 5, .slp_typ_s4 = 6, .slp_typ_s5 = 7,          /* ICH9 13.8.3.3 */ \
    .isa_adr = 0x1f0000, .pci_hotplug = q35_hotplug, .pm_info = q35_pm_info, .ecam = ecam, \
    .put_root = q35_put_root, .put_router = q35_put_router, .put_links = q35_put_links, \
    .put_routing = q35_put_routing

static const PcChipset q35_chipset = { Q35_CHIPSET, .hub = &ich9 };
static const PcChipset mac_chipset = {
    Q35_CHIPSET, .hub = &ich7, .smc = true, .maker = "Apple Inc.", .product = "Macmini1,1", .product_version = "1.0",
};

static const char *const q35_arch[] = { "x86_64", "i386", NULL };
static const char *const q35_arch_cpus[] = { "i386", "qemu32-i386-cpu", NULL };

static const char *const host_bridges[] = { "q35", "945gm", NULL };
static const Property mac_props[] = {
    PC_MACHINE_PROPS,
    PROP_ENUM("host-bridge", PcMachine, host_bridge, PC_BRIDGE_Q35, host_bridges,
              "q35, which OVMF knows; 945gm, a Mac's, for SeaBIOS and kernels"),
    PROP_END
};

#define Q35_MACHINE \
    .size = sizeof(PcMachine), .arch = q35_arch, \
    .default_cpu = "qemu64-x86_64-cpu", .arch_cpus = q35_arch_cpus, \
    .max_cpus = PC_MAX_CPUS, \
    .default_ram_id = "pc.ram", .default_boot_order = "cad", \
    .default_display = "std", .default_nic = "e1000e", \
    .default_block_interface = "ide", .units_per_default_bus = 1, .has_fw_cfg = true, \
    .prepare = pc_prepare, .init = q35_init, .done = pc_done, .set_boot = pc_set_boot, .hotplug_cpus = true, .pre_plug = pc_pre_plug, \
    .plugged = pc_plugged, \
    .unplug_request = pc_unplug_request

static const MachineType pc_q35_7_2 = {
    .name = "pc-q35-7.2", .alias = "q35", .desc = "Standard PC (Q35 + ICH9, 2009)", .data = &q35_chipset, .props = pc_machine_props,
    .reset = pc_reset, Q35_MACHINE,
};
MACHINE_TYPE(pc_q35_7_2)

static const MachineType intelmac = {
    .name = "intelmac", .desc = "Intel Mac (Q35 or 945GM host bridge, ICH7, System Management Controller)",
    .data = &mac_chipset, .props = mac_props, .reset = mac_reset, Q35_MACHINE,
};
MACHINE_TYPE(intelmac)
