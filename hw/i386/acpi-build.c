/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables of the PC machines: FADT, FACS, MADT, HPET; the DSDT is in
 * acpi-dsdt.c.
 *
 * Sources: ACPI 3.0 ("ACPI") for the revision 3 FADT; IA-PC HPET 1.0a, 3.2.4.
 * They are made again when firmware reads them: by then it has placed the
 * power management ports.
 */
#include "util/osdep.h"
#include "hw/i386/acpi-build.h"

#include "hw/core/cpu.h"
#include "hw/core/numa.h"
#include "hw/i386/chipset.h"
#include "hw/i386/pc-hotplug.h"

/* ACPI 5.2.9, table 5-10: flags and boot architecture. */
#define FADT_WBINVD         BIT(0)
#define FADT_PROC_C1        BIT(2)
#define FADT_NO_SLEEP_BUTTON BIT(5)
#define FADT_RTC_S4         BIT(7)
#define FADT_RESET_REG      BIT(10)
#define BOOT_LEGACY         BIT(0)
#define BOOT_8042           BIT(1)
#define RESET_PORT          0xcf9
#define RESET_VALUE         0x06        /* hard reset (82371SB, RCR) */
#define CENTURY             0x32
#define NO_C_STATE          0xfff
/* ACPI 5.2.12: MADT. */
#define LOCAL_APIC_ADDR     0xfee00000u
#define MADT_PCAT           BIT(0)
enum { MADT_LOCAL_APIC, MADT_IOAPIC, MADT_OVERRIDE, MADT_NMI = 4 };
enum { AFFINITY_ENABLED = 1, AFFINITY_PLUGGABLE = 2 };         /* ACPI 5.2.16.2 */
#define OVERRIDE_LEVEL_HIGH 0x0d
#define LEVEL_IRQS          (BIT(5) | BIT(9) | BIT(10) | BIT(11))   /* PCI links and SCI */

static unsigned put_fadt(AcpiTables *t, PcMachine *pc, unsigned facs, unsigned dsdt)
{
    unsigned fadt = acpi_table_begin(t, "FACP", 3);
    PcPmInfo pm;

    pc_chipset(pc)->pm_info(pc, &pm);
    acpi_put(t, 0, 8);                          /* FACS, DSDT */
    acpi_put(t, 0, 1);
    acpi_put(t, 0, 1);                          /* profile: unspecified */
    acpi_put(t, pm.sci, 2);
    acpi_put(t, pm.smi_cmd, 4);
    acpi_put(t, pm.acpi_enable, 1);
    acpi_put(t, pm.acpi_disable, 1);
    acpi_put(t, 0, 2);
    acpi_put(t, pm.base + pm.evt, 4);
    acpi_put(t, 0, 4);
    acpi_put(t, pm.base + pm.cnt, 4);
    acpi_put(t, 0, 8);
    acpi_put(t, pm.base + pm.tmr, 4);
    acpi_put(t, pm.base + pm.gpe0, 4);
    acpi_put(t, 0, 4);
    acpi_put(t, 4, 1);                          /* lengths: PM1 events, ... */
    acpi_put(t, 2, 1);
    acpi_put(t, 0, 1);
    acpi_put(t, 4, 1);
    acpi_put(t, pm.gpe0_len, 1);
    acpi_put(t, 0, 3);
    acpi_put(t, NO_C_STATE, 2);
    acpi_put(t, NO_C_STATE, 2);
    acpi_put(t, 0, 8);                          /* flush, duty cycle, alarms */
    acpi_put(t, CENTURY, 1);
    acpi_put(t, BOOT_LEGACY | (pc->i8042 ? BOOT_8042 : 0), 2);
    acpi_put(t, 0, 1);
    acpi_put(t, FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_RTC_S4 | FADT_RESET_REG,
             4);
    acpi_put_io_address(t, RESET_PORT, 8);
    acpi_put(t, RESET_VALUE, 1);
    acpi_put(t, 0, 3);
    acpi_put(t, 0, 8);                          /* X_FIRMWARE_CTRL: the 32-bit one */
    acpi_put(t, 0, 8);                          /* X_DSDT */
    acpi_put_io_address(t, pm.base + pm.evt, 32);
    acpi_put_io_address(t, 0, 0);
    acpi_put_io_address(t, pm.base + pm.cnt, 16);
    acpi_put_io_address(t, 0, 0);
    acpi_put_io_address(t, 0, 0);
    acpi_put_io_address(t, pm.base + pm.tmr, 32);
    acpi_put_io_address(t, pm.base + pm.gpe0, (uint8_t)(pm.gpe0_len * 8));
    acpi_put_io_address(t, 0, 0);
    acpi_pointer(t, fadt + 36, 4, facs);
    acpi_pointer(t, fadt + 40, 4, dsdt);
    acpi_pointer(t, fadt + 140, 8, dsdt);
    acpi_table_end(t, fadt);
    return fadt;
}

static void put_override(AcpiTables *t, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    acpi_put(t, MADT_OVERRIDE, 1);
    acpi_put(t, 10, 1);
    acpi_put(t, 0, 1);                          /* bus: ISA */
    acpi_put(t, irq, 1);
    acpi_put(t, gsi, 4);
    acpi_put(t, flags, 2);
}

/* For processors, there or to come. */
static unsigned places(const PcMachine *pc)
{
    return pc->cpu_hotplug ? pc->parent.smp.max_cpus : pc->parent.smp.cpus;
}

/* ACPI 5.2.16.2: one range of a node's memory. */
static void put_memory_affinity(AcpiTables *t, unsigned node, uint64_t base, uint64_t size, uint32_t flags)
{
    acpi_put(t, 1, 1);
    acpi_put(t, 40, 1);
    acpi_put(t, node, 4);
    acpi_put(t, 0, 2);
    acpi_put(t, base, 8);
    acpi_put(t, size, 8);
    acpi_put(t, 0, 4);
    acpi_put(t, flags, 4);
    acpi_put(t, 0, 8);
}

/* ACPI 5.2.16: which node each processor and each range of RAM belongs to. */
static unsigned put_srat(AcpiTables *t, PcMachine *pc)
{
    const NumaConfig *numa = pc->parent.numa;
    unsigned srat = acpi_table_begin(t, "SRAT", 1);
    uint64_t at = 0, below = pc->ram_below_4g;

    acpi_put(t, 1, 4);
    acpi_put(t, 0, 8);
    for (unsigned i = 0; i < places(pc); i++) {
        acpi_put(t, 0, 1);
        acpi_put(t, 16, 1);
        acpi_put(t, numa_node_of(&pc->parent, i), 1);
        acpi_put(t, i, 1);                      /* APIC */
        acpi_put(t, 1, 4);                      /* enabled */
        acpi_put(t, 0, 8);
    }
    for (unsigned i = 0; i < numa->n_nodes; i++) {
        uint64_t size = numa->node[i].mem, low = at < below ? MIN(size, below - at) : 0;

        if (low) {
            put_memory_affinity(t, i, at, low, AFFINITY_ENABLED);
        }
        if (size > low) {
            put_memory_affinity(t, i, 4 * GIB + MAX(at, below) - below, size - low, AFFINITY_ENABLED);
        }
        at += size;
    }
    if (pc_plugged_end(pc) > pc_plugged_base(pc)) {
        put_memory_affinity(t, numa->n_nodes - 1, pc_plugged_base(pc), pc_plugged_end(pc) - pc_plugged_base(pc),
                            AFFINITY_ENABLED | AFFINITY_PLUGGABLE);
    }
    acpi_table_end(t, srat);
    return srat;
}

/* ACPI 5.2.17: distances. */
static unsigned put_slit(AcpiTables *t, const NumaConfig *numa)
{
    unsigned slit = acpi_table_begin(t, "SLIT", 1);

    acpi_put(t, numa->n_nodes, 8);
    for (unsigned i = 0; i < numa->n_nodes; i++) {
        for (unsigned k = 0; k < numa->n_nodes; k++) {
            acpi_put(t, numa->distance[i][k], 1);
        }
    }
    acpi_table_end(t, slit);
    return slit;
}

static unsigned put_madt(AcpiTables *t, PcMachine *pc)
{
    unsigned madt = acpi_table_begin(t, "APIC", 1);

    acpi_put(t, LOCAL_APIC_ADDR, 4);
    acpi_put(t, MADT_PCAT, 4);
    for (unsigned i = 0; i < places(pc); i++) {
        acpi_put(t, MADT_LOCAL_APIC, 1);
        acpi_put(t, 8, 1);
        acpi_put(t, i, 1);                      /* processor */
        acpi_put(t, i, 1);                      /* APIC */
        acpi_put(t, cpu_by_index(i) != NULL, 4);        /* enabled; others may come */
    }
    acpi_put(t, MADT_IOAPIC, 1);
    acpi_put(t, 12, 1);
    acpi_put(t, 0, 2);
    acpi_put(t, PC_IOAPIC_ADDR, 4);
    acpi_put(t, 0, 4);                          /* first interrupt */
    put_override(t, 0, 2, 0);                   /* the timer is on pin 2 */
    for (uint8_t i = 0; i < ISA_NUM_IRQS; i++) {
        if (LEVEL_IRQS & BIT(i)) {
            put_override(t, i, i, OVERRIDE_LEVEL_HIGH);
        }
    }
    acpi_put(t, MADT_NMI, 1);
    acpi_put(t, 6, 1);
    acpi_put(t, 0xff, 1);                       /* all processors */
    acpi_put(t, 0, 2);
    acpi_put(t, 1, 1);                          /* LINT1 */
    acpi_table_end(t, madt);
    return madt;
}

static unsigned put_hpet(AcpiTables *t)
{
    unsigned hpet = acpi_table_begin(t, "HPET", 1);

    acpi_put(t, 0x8086a201, 4);                 /* GCAP_ID's low half */
    acpi_put(t, 0, 4);                          /* memory space */
    acpi_put(t, PC_HPET_ADDR, 8);
    acpi_put(t, 0, 4);                          /* number, minimum tick, protection */
    acpi_table_end(t, hpet);
    return hpet;
}

/* PCI Firmware Specification 3.0, 4.1.2: config space as memory. */
static unsigned put_mcfg(AcpiTables *t, uint64_t base, uint64_t size)
{
    unsigned mcfg = acpi_table_begin(t, "MCFG", 1);

    acpi_put(t, 0, 8);
    acpi_put(t, base, 8);
    acpi_put(t, 0, 2);                          /* segment */
    acpi_put(t, 0, 1);                          /* buses */
    acpi_put(t, size / MIB - 1, 1);
    acpi_put(t, 0, 4);
    acpi_table_end(t, mcfg);
    return mcfg;
}

AcpiTables *pc_build_acpi_tables(PcMachine *pc)
{
    AcpiTables *t = acpi_tables_new();
    const PcChipset *chipset = pc_chipset(pc);
    uint64_t ecam, ecam_size;
    unsigned root[6], n = 0;
    unsigned facs = acpi_put_facs(t);
    unsigned dsdt = pc_put_dsdt(t, pc);

    root[n++] = put_fadt(t, pc, facs, dsdt);
    root[n++] = put_madt(t, pc);
    if (pc->parent.numa && pc->parent.numa->n_nodes) {
        root[n++] = put_srat(t, pc);
        root[n++] = put_slit(t, pc->parent.numa);
    }
    if (pc->hpet) {
        root[n++] = put_hpet(t);
    }
    if (chipset->ecam && chipset->ecam(pc, &ecam, &ecam_size)) {
        root[n++] = put_mcfg(t, ecam, ecam_size);
    }
    acpi_put_root(t, root, n);
    return t;
}

static void rebuild(FwCfg *f, void *opaque)
{
    AcpiTables *t = pc_build_acpi_tables(opaque);

    acpi_tables_update(t, f);
    acpi_tables_free(t);
}

bool pc_add_acpi_tables(PcMachine *pc, Error **errp)
{
    AcpiTables *t = pc_build_acpi_tables(pc);
    bool ok = acpi_tables_publish(t, pc->fw_cfg, rebuild, pc, errp);

    acpi_tables_free(t);
    return ok;
}
