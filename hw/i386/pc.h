/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the PC machines have in common: memory, the devices of the ISA bus,
 * CPUs, and what firmware is told. Big lock.
 */
#ifndef HW_I386_PC_H
#define HW_I386_PC_H

#include "hw/core/machine.h"
#include "hw/isa/isa.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "qom/property.h"

#define PC_FLASHES      2
enum { PC_BRIDGE_Q35, PC_BRIDGE_945GM };
#define PC_MAX_CPUS     255
#define PC_NUM_GSI      24
#define PC_IOAPIC_ADDR  0xfec00000u
#define PC_HPET_ADDR    0xfed00000u
#define PC_ROM_ADDR     0xc0000
#define PC_ROM_SIZE     0x20000

typedef struct PcMachine {
    Machine parent;
    /* Properties. */
    int acpi, smm;                      /* OnOffAuto */
    int smbios_entry_point;
    char *pcspk_audiodev;
    char *pflash[PC_FLASHES];   /* node names */
    int host_bridge;                    /* PC_BRIDGE_...; intelmac */
    bool hpet_enabled, pit_enabled, i8042_enabled;
    bool started_once;          /* the first reset is over */
    uint64_t max_ram_below_4g;
    /* Memory. */
    uint64_t ram_below_4g, ram_above_4g;
    MemRegion ram_low, ram_high, bios, isa_bios, option_roms, plugged;
    uint64_t bios_size;
    bool flash;                         /* the firmware is in flash memories */
    /* Parts; lent. */
    PCIBus *pci;
    PCIDevice *bridge, *south;          /* the host bridge's and the south bridge's functions */
    ISABus *isa;
    Device *pic, *pit, *rtc, *hpet, *ioapic, *i8042, *pm, *fdc;
    Device *cpu_hotplug, *mem_hotplug;          /* NULL: nothing can be added */
    FwCfg *fw_cfg;
    AddressSpace *smm_as;
    Device **cpus;                      /* smp.cpus of them; owned array */
    char *boot_rom_path;                /* boots first; or NULL; owned */
    IrqLine **gsi;                      /* PC_NUM_GSI lines */
    IrqLine *pic_lines[ISA_NUM_IRQS];
    IrqLine *ioapic_lines[PC_NUM_GSI];
} PcMachine;

static inline PcMachine *PC_MACHINE(const void *obj)
{
    return (PcMachine *)object_cast(obj, TYPE_MACHINE);
}

/* Properties of every PC machine. */
extern const char *const pc_entry_points[];
#define PC_MACHINE_PROPS \
    PROP_ON_OFF_AUTO("acpi", PcMachine, acpi, ON_OFF_AUTO_AUTO, "ACPI tables and PM function"), \
    PROP_ON_OFF_AUTO("smm", PcMachine, smm, ON_OFF_AUTO_AUTO, "system management mode"), \
    PROP_BOOL("hpet", PcMachine, hpet_enabled, true, "high precision event timer"), \
    PROP_BOOL("pit", PcMachine, pit_enabled, true, "8254 timer"), \
    PROP_BOOL("i8042", PcMachine, i8042_enabled, true, "keyboard controller"), \
    PROP_ENUM("smbios-entry-point-type", PcMachine, smbios_entry_point, 0, pc_entry_points, \
              "width of the SMBIOS entry point"), \
    PROP_STR("pcspk-audiodev", PcMachine, pcspk_audiodev, NULL, "sound back end of the speaker"), \
    PROP_STR("pflash0", PcMachine, pflash[0], NULL, "block node of the firmware's flash memory"), \
    PROP_STR("pflash1", PcMachine, pflash[1], NULL, "block node of the flash memory below, for variables"), \
    PROP_SIZE("max-ram-below-4g", PcMachine, max_ram_below_4g, 0, "split RAM at this address")
extern const Property pc_machine_props[];
bool pc_prepare(Machine *m, Error **errp);

/* The steps of a machine's .init, in this order. */
bool pc_new_cpus(PcMachine *pc, Error **errp);
void pc_map_ram(PcMachine *pc, MemRegion *system);
/* Into PCI memory: below 4 GiB and, its end, below 1 MiB. */
bool pc_map_firmware(PcMachine *pc, MemRegion *pci_memory, Error **errp);
void pc_init_gsi(PcMachine *pc);
bool pc_init_isa_devices(PcMachine *pc, Error **errp);
bool pc_init_slots(PcMachine *pc, Error **errp);        /* display, network */
bool pc_realize_cpus(PcMachine *pc, Error **errp);
bool pc_init_fw_cfg(PcMachine *pc, Error **errp);
/* An SMI to the first CPU; 0 does nothing. */
IrqLine *pc_smi_line(PcMachine *pc);
/* Raised when the guest goes to sleep (S3). */
IrqLine *pc_s3_line(PcMachine *pc);

/* --- pc-parts.c: what south bridges bring --- */

bool pc_create_ioapic(PcMachine *pc, Device *host, Error **errp);
/* -drive if=ide, on buses "ide.0" and so on. */
bool pc_attach_drives(PcMachine *pc, int buses, int units, Error **errp);
bool pc_create_spd(Bus *smbus, uint64_t ram_size, Error **errp);

/* .done: what depends on all devices. */
bool pc_done(Machine *m, Error **errp);
bool pc_set_boot(Machine *m, const char *order, Error **errp);
void pc_reset(Machine *m, ResetKind kind);

/* CMOS bytes that firmware reads (hw/i386/pc-cmos.c). */
void pc_cmos_init(PcMachine *pc);
void pc_cmos_set_cpus(PcMachine *pc, unsigned n);
/* How many CPUs there are now, for the next start of the firmware. */
void pc_tell_cpus(PcMachine *pc);
/* Boot order in the CMOS; false when a letter isn't one of "acdn". */
bool pc_cmos_set_boot(PcMachine *pc, const char *order, Error **errp);

static inline bool pc_acpi_enabled(const PcMachine *pc)
{
    return pc->acpi != ON_OFF_AUTO_OFF;
}
static inline bool pc_smm_enabled(const PcMachine *pc)
{
    return pc->smm != ON_OFF_AUTO_OFF;
}

#endif
