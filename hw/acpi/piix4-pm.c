/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82371AB (PIIX4), function 3: ACPI power management, its timer, the SMI that
 * the APM ports make, and an SMBus host.
 *
 * Source: Intel 82371AB data sheet, 290562 ("DS"); ACPI 1.0b for the meaning
 * of the PM1 block.
 * Departures: the command port itself switches ACPI mode on and off (F1h and
 * F0h), which on boards is the firmware's SMI handler's work. Not modelled:
 * device monitors, clock throttling, the SMBus host's interrupt; their registers keep what is written.
 */
#include "util/osdep.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/piix4-pm.h"

#include "hw/acpi/pm1.h"
#include "hw/i2c/smbus-host.h"

/* DS 7.1: configuration registers. */
#define PCI_HOTPLUG_IO  0xae00
#define PM_PMBA         0x40
#define PM_DEVACTB      0x58
#define DEVACTB_APMC_EN BIT(25)
#define PM_PMREGMISC    0x80
#define PMREGMISC_IOSE  BIT(0)
#define PM_SMBBA        0x90
#define PM_SMBHSTCFG    0xd2
#define SMBHSTCFG_EN    BIT(0)

/* DS 7.2: I/O registers. */
enum {
    REG_PMSTS = 0x00, REG_PMEN = 0x02, REG_PMCNTRL = 0x04, REG_PMTMR = 0x08, REG_GPSTS = 0x0c,
    REG_GPEN = 0x0e, REG_PCNTRL = 0x10, REG_PLVL2 = 0x14, REG_PLVL3 = 0x15, REG_GLBSTS = 0x18,
    REG_DEVSTS = 0x1c, REG_GLBEN = 0x20, REG_GLBCTL = 0x28, REG_DEVCTL = 0x2c, REG_GPI = 0x30,
    REG_GPO = 0x34, PM_IO_SIZE = 0x40,
};
#define PMSTS_W1C       0x8d31
#define PMEN_MASK       0x0521
#define CNT_MASK        0x1c03
/* Bits 1, 2, 3 and 5 are reserved in the chip: here they are hot-plug of PCI functions, CPUs and memory, and
 * the generation id. */
#define GPSTS_W1C       0x0faf
#define GPEN_MASK       0x0f2f
#define GLBCTL_SMI_EN   BIT(0)
#define SMBHSTSTS_W1C   0x1e

typedef struct Piix4Pm {
    PCIDevice pci;
    MemRegion io, smb_io, apm_io;
    IrqLine *sci, *smi;
    AcpiPm1 pm1;
    PciHotplug hotplug;
    uint16_t gpsts, gpen;
    uint32_t other[PM_IO_SIZE / 4];     /* registers that only keep their value */
    SmbusHost smb;
    uint8_t apmc, apms;
    /* Properties: bits of what the DSDT offers; read by acpi-build. */
    uint8_t disable_s3, disable_s4;
    bool root_hotplug, bridge_hotplug;
    bool smm_enabled;
} Piix4Pm;

DEFINE_CAST(PIIX4_PM, Piix4Pm, TYPE_PIIX4_PM)

uint16_t piix4_pm_io_base(Device *pm)
{
    const uint8_t *c = PIIX4_PM(pm)->pci.config;

    return c[PM_PMREGMISC] & PMREGMISC_IOSE ? pci_get_word(c + PM_PMBA) & 0xffc0 : 0;
}

static void pm_update_sci(void *opaque)
{
    Piix4Pm *s = opaque;

    irq_set(s->sci, (pm1_pending(&s->pm1) || (s->gpsts & s->gpen)) && pm1_sci_enabled(&s->pm1));
}

static const Pm1Chip pm_chip = {
    .sts_w1c = PMSTS_W1C, .en_mask = PMEN_MASK, .cnt_mask = CNT_MASK,
    .sleep = { PM1_SLEEP_OFF, PM1_SLEEP_RAM, PM1_SLEEP_DISK },  /* soft off, to RAM, to disk (DS 7.2.3) */
    .changed = pm_update_sci,
};

static uint32_t pm_read_word(Piix4Pm *s, unsigned reg)
{
    switch (reg) {
    case REG_PMSTS:
        return pm1_read_sts(&s->pm1);
    case REG_PMEN:
        return s->pm1.en;
    case REG_PMCNTRL:
        return s->pm1.cnt;
    case REG_PMTMR:
        return pm1_timer() & 0xffff;
    case REG_PMTMR + 2:
        return pm1_timer() >> 16;
    case REG_GPSTS:
        return s->gpsts;
    case REG_GPEN:
        return s->gpen;
    case REG_PLVL2:
        return 0;
    default:
        return s->other[reg / 4] >> (reg & 2) * 8 & 0xffff;
    }
}

static void pm_write_word(Piix4Pm *s, unsigned reg, uint16_t val)
{
    switch (reg) {
    case REG_PMSTS:
        pm1_write_sts(&s->pm1, val);
        break;
    case REG_PMEN:
        pm1_write_en(&s->pm1, val);
        break;
    case REG_PMCNTRL:
        pm1_write_cnt(&s->pm1, val);
        break;
    case REG_GPSTS:
        s->gpsts &= (uint16_t)~(val & GPSTS_W1C);
        break;
    case REG_GPEN:
        s->gpen = val & GPEN_MASK;
        break;
    case REG_PMTMR:
    case REG_PMTMR + 2:
        break;                          /* read-only */
    default:
        s->other[reg / 4] &= reg & 2 ? 0x0000ffffu : 0xffff0000u;
        s->other[reg / 4] |= (uint32_t)val << (reg & 2) * 8;
        break;
    }
    pm_update_sci(s);
}

static MemResult pm_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                         UNUSED MemAttrs attrs)
{
    Piix4Pm *s = opaque;
    unsigned reg = addr & ~1u;

    if (size == 4) {
        *val = addr == REG_PMTMR ? pm1_timer()
                                 : pm_read_word(s, reg) | pm_read_word(s, reg + 2) << 16;
    } else {
        *val = pm_read_word(s, reg) >> (addr & 1) * 8;
    }
    return MEM_OK;
}

static MemResult pm_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                          UNUSED MemAttrs attrs)
{
    Piix4Pm *s = opaque;
    unsigned reg = addr & ~1u;

    if (size == 1) {                    /* the other byte stays; status: zeros */
        uint16_t old = reg == REG_PMSTS || reg == REG_GPSTS ? 0 : (uint16_t)pm_read_word(s, reg);
        unsigned shift = (addr & 1) * 8;

        pm_write_word(s, reg, (uint16_t)((old & ~(0xffu << shift)) | (val & 0xff) << shift));
        return MEM_OK;
    }
    pm_write_word(s, reg, (uint16_t)val);
    if (size == 4) {
        pm_write_word(s, reg + 2, (uint16_t)(val >> 16));
    }
    return MEM_OK;
}

static void pm_event(Piix4Pm *s, unsigned n)
{
    s->gpsts |= (uint16_t)(BIT(n) & GPSTS_W1C);
    pm_update_sci(s);
}

static void pm_hotplug_event(void *opaque)
{
    pm_event(opaque, PCI_HOTPLUG_EVENT);
}

static void pm_set_gpe(void *opaque, int n, int level)
{
    if (level) {
        pm_event(opaque, (unsigned)n);
    }
}

static const MemOps pm_ops = {
    .read = pm_read, .write = pm_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* DS 7.2.14, APMC and APMS: ports B2h and B3h. */
static MemResult apm_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    Piix4Pm *s = opaque;

    *val = addr ? s->apms : s->apmc;
    return MEM_OK;
}

static MemResult apm_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    Piix4Pm *s = opaque;

    if (addr) {
        s->apms = (uint8_t)val;
        return MEM_OK;
    }
    s->apmc = (uint8_t)val;
    if (s->apmc == PIIX4_ACPI_ENABLE || s->apmc == PIIX4_ACPI_DISABLE) {
        pm1_set_sci_enable(&s->pm1, s->apmc == PIIX4_ACPI_ENABLE);
    }
    if ((pci_get_long(s->pci.config + PM_DEVACTB) & DEVACTB_APMC_EN) &&
        (s->other[REG_GLBCTL / 4] & GLBCTL_SMI_EN)) {
        irq_pulse(s->smi);
    }
    return MEM_OK;
}

static const MemOps apm_ops = {
    .read = apm_read, .write = apm_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static MemResult smb_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = smbus_host_read(&((Piix4Pm *)opaque)->smb, (unsigned)addr);
    return MEM_OK;
}

static MemResult smb_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    smbus_host_write(&((Piix4Pm *)opaque)->smb, (unsigned)addr, (uint8_t)val);
    return MEM_OK;
}

static const MemOps smb_ops = {
    .read = smb_read, .write = smb_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void pm_update_mapping(Piix4Pm *s)
{
    const uint8_t *c = s->pci.config;

    memory_transaction_begin();
    memory_region_set_enabled(&s->io, c[PM_PMREGMISC] & PMREGMISC_IOSE);
    memory_region_set_address(&s->io, pci_get_word(c + PM_PMBA) & 0xffc0);
    memory_region_set_enabled(&s->smb_io, c[PM_SMBHSTCFG] & SMBHSTCFG_EN);
    memory_region_set_address(&s->smb_io, pci_get_word(c + PM_SMBBA) & 0xfff0);
    memory_transaction_commit();
}

static void pm_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    pci_default_config_write(pci, addr, val, len);
    pm_update_mapping(PIIX4_PM(pci));
}

static void pm_reset_hold(Device *dev)
{
    Piix4Pm *s = PIIX4_PM(dev);
    uint8_t *c = s->pci.config;

    /* Where the ports are and what wakes is kept in the resume well: firmware
     * uses it before it sets up PCI again. */
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        pci_set_long(c + PM_PMBA, 1);
        c[PM_PMREGMISC] = 0;
        pci_set_long(c + PM_SMBBA, 1);
        c[PM_SMBHSTCFG] = 0;
        s->gpsts = s->gpen = 0;
    }
    pci_hotplug_reset(&s->hotplug);
    /* Without SMM firmware finds its set-up done, and makes no SMI. */
    pci_set_long(c + PM_DEVACTB, s->smm_enabled ? 0 : DEVACTB_APMC_EN);
    pm1_reset(&s->pm1);
    s->apmc = s->apms = 0;
    memset(s->other, 0, sizeof(s->other));
    smbus_host_reset(&s->smb);
    pm_update_mapping(s);
    pm_update_sci(s);
}

static void pm_init(Device *dev)
{
    Piix4Pm *s = PIIX4_PM(dev);

    device_init_irq_out(dev, "sci", &s->sci, 1);
    device_init_irq_out(dev, "smi", &s->smi, 1);
    device_init_irq_out(dev, "s3", &s->pm1.s3, 1);
    pm1_init(&s->pm1, &pm_chip, s);
}

static bool pm_realize(Device *dev, UNUSED Error **errp)
{
    Piix4Pm *s = PIIX4_PM(dev);
    uint8_t *c = s->pci.config, *w = s->pci.wmask;
    MemRegion *io = pci_bus(&s->pci)->io;

    pci_set_word(c + PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MED);
    pci_set_long(w + PM_PMBA, 0xffc0);
    memset(w + 0x44, 0xff, PM_DEVACTB + 4 - 0x44);      /* CNTA to DEVACTB */
    memset(w + 0x5c, 0xff, PM_PMREGMISC - 0x5c);        /* DEVRESA to DEVRESJ */
    w[PM_PMREGMISC] = PMREGMISC_IOSE;
    pci_set_long(w + PM_SMBBA, 0xfff0);
    w[PM_SMBHSTCFG] = 0x0f;
    memset(w + PM_SMBHSTCFG + 1, 0xff, 3);
    memory_region_init_io(&s->io, s, &pm_ops, s, "piix4-pm", PM_IO_SIZE);
    memory_region_set_enabled(&s->io, false);
    memory_region_add_overlap(io, 0, &s->io, 1);
    s->smb.bus = smbus_new(dev, "i2c");
    s->smb.sts_w1c = SMBHSTSTS_W1C;
    device_init_irq_in(dev, "gpe", pm_set_gpe, 16);
    memory_region_init_io(&s->smb_io, s, &smb_ops, s, "pm-smbus", SMBUS_HOST_REGS);
    memory_region_set_enabled(&s->smb_io, false);
    memory_region_add_overlap(io, 0, &s->smb_io, 1);
    memory_region_init_io(&s->apm_io, s, &apm_ops, s, "apm-io", 2);
    memory_region_add(io, PIIX4_SMI_CMD, &s->apm_io);
    pci_hotplug_init(&s->hotplug, dev, pci_bus(&s->pci), s->root_hotplug, io, PCI_HOTPLUG_IO, pm_hotplug_event, s);
    pm1_realize(&s->pm1, s->disable_s3);
    return true;
}

static void pm_unrealize(Device *dev)
{
    Piix4Pm *s = PIIX4_PM(dev);

    pm1_unrealize(&s->pm1);
    pci_hotplug_cleanup(&s->hotplug);
    memory_region_cleanup(&s->io);
    memory_region_cleanup(&s->smb_io);
    memory_region_cleanup(&s->apm_io);
}

static bool pm_post_load(void *opaque, Error **errp)
{
    Piix4Pm *s = opaque;

    if (!pm1_post_load(&s->pm1, errp)) {
        return false;
    }
    pm_update_mapping(s);
    pm_update_sci(s);
    return true;
}

static const VmField pm_fields[] = {
    VM_PCI(Piix4Pm, pci), VM_U16(Piix4Pm, pm1.sts), VM_U16(Piix4Pm, pm1.en),
    VM_U16(Piix4Pm, pm1.cnt), VM_U16(Piix4Pm, gpsts), VM_U16(Piix4Pm, gpen),
    VM_U32_ARRAY(Piix4Pm, other), VM_U8_ARRAY(Piix4Pm, smb.reg), VM_U8(Piix4Pm, apmc),
    VM_U8(Piix4Pm, apms), VM_I64(Piix4Pm, pm1.half_periods),
    VM_U32(Piix4Pm, hotplug.up[0]), VM_U32(Piix4Pm, hotplug.down[0]),
    VM_ARRAY_(Piix4Pm, smb.block, uint8_t, vm_kind_u8, .since = 2),
    VM_SCALAR_(Piix4Pm, smb.index, uint8_t, vm_kind_u8, .max = SMBUS_BLOCK_MAX - 1, .since = 2),
    VM_ARRAY_(Piix4Pm, hotplug.up, uint32_t, vm_kind_u32, .since = 3),
    VM_ARRAY_(Piix4Pm, hotplug.down, uint32_t, vm_kind_u32, .since = 3),
    VM_SCALAR_(Piix4Pm, hotplug.selected, uint32_t, vm_kind_u32, .since = 3),
    VM_END
};

PciHotplug *piix4_pm_hotplug(Device *pm, bool *bridges)
{
    *bridges = PIIX4_PM(pm)->bridge_hotplug;
    return &PIIX4_PM(pm)->hotplug;
}

Bus *piix4_pm_smbus(Device *pm)
{
    return PIIX4_PM(pm)->smb.bus;
}

static const Property pm_props[] = {
    PROP_U8_RANGE("disable_s3", Piix4Pm, disable_s3, 0, 0, 1, "1: do not offer sleep to RAM"),
    PROP_U8_RANGE("disable_s4", Piix4Pm, disable_s4, 0, 0, 1, "1: do not offer sleep to disk"),
    PROP_BOOL("acpi-root-pci-hotplug", Piix4Pm, root_hotplug, true, "functions come and go on the root bus"),
    PROP_BOOL("acpi-pci-hotplug-with-bridge-support", Piix4Pm, bridge_hotplug, true, "and behind bridges"),
    PROP_BOOL("smm-enabled", Piix4Pm, smm_enabled, true, "the CPUs have system management mode"),
    PROP_END
};

#define GPE_FLAGS FLAGS({ "USB", 1 }, { "PCI_HOTPLUG", 2 }, { "CPU_HOTPLUG", 4 }, { "MEM_HOTPLUG", 8 }, { "VMGENID", 0x20 }, \
                        { "RI", 0x100 }, { "LID", 0x800 })
static const VmMeaning pm_meanings[] = {
    { "hotplug.up[0]", "slots of bus 0 where something came, a bit each" },
    { "hotplug.down[0]", "slots of bus 0 whose function the user wants back, a bit each" },
    { "pm1.half_periods", "how often bit 23 of the timer had changed when TMROF was cleared" },
    { "gpsts", "GPSTS", .flags = GPE_FLAGS },
    { "gpen", "GPEN", .flags = GPE_FLAGS },
    { "apmc", "APMC: last byte written to port B2h" },
    { "apms", "APMS: port B3h" },
    { "smb.index", "which byte of the block comes next" },
    { "hotplug.selected", "BNUM: the bus whose slots the registers show" },
    { "other", "registers that only keep their value, by a quarter of their offset" },
    { "smb.reg", "SMBus host registers", ELEMENTS("SMBHSTSTS", "SMBSLVSTS", "SMBHSTCNT", "SMBHSTCMD", "SMBHSTADD",
      "SMBHSTDAT0", "SMBHSTDAT1", "SMBBLKDAT", "SMBSLVCNT", "SMBSHDWCMD", "SMBSLVEVT", NULL, "SMBSLVDAT") },
    { "hotplug.up", "slots where something came, a bit each, for each number of a bus (BNUM)" },
    { "hotplug.down", "slots whose function the user wants back, the same way" },
    { "smb.block", "the block", .payload = "bytes of an SMBus block transfer" },
    { "pm1.sts", "PM1 status", .flags = FLAGS({ "TMROF", 1 }, { "BM", 0x10 }, { "GBL", 0x20 }, { "PWRBTN", 0x100 },
                                              { "RTC", 0x400 }, { "WAK", 0x8000 }) },
    { "pm1.en", "PM1 enable", .flags = FLAGS({ "TMROF", 1 }, { "GBL", 0x20 }, { "PWRBTN", 0x100 }, { "RTC", 0x400 }) },
    { "pm1.cnt", "PM1 control", .flags = FLAGS({ "SCI", 1 }, { "BM_RLD", 2 }, { "SLP_TYP", 0x1c00 },
                                               { "SLP_EN", 0x2000 }) },
    { .name = NULL }
};

static const DeviceType pm_type = {
    .name = TYPE_PIIX4_PM, .parent = TYPE_PCI_DEVICE, .size = sizeof(Piix4Pm),
    .desc = "ACPI power management", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .props = pm_props,
    .pci = { .vendor = 0x8086, .device = 0x7113, .class_code = 0x068000, .revision = 3,
             .pin = PCI_PIN_A, .config_write = pm_config_write },
    .init = pm_init, .realize = pm_realize, .unrealize = pm_unrealize,
    .reset_hold = pm_reset_hold,
    .vm = { 3, pm_fields, .min_version = 1, .post_load = pm_post_load, .meanings = pm_meanings },
};
DEVICE_TYPE(pm_type)
