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

#include "hw/core/runstate.h"
#include "hw/i2c/smbus.h"
#include "util/timer.h"

/* DS 7.1: configuration registers. */
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
#define PM_TMR          BIT(0)          /* PMSTS and PMEN */
#define PM_GBL          BIT(5)
#define PM_PWRBTN       BIT(8)
#define PM_RTC          BIT(10)
#define PMSTS_WAK       BIT(15)
#define PMSTS_W1C       0x8d31
#define PMEN_MASK       0x0521
#define CNT_SCI_EN      BIT(0)
#define CNT_SUS_EN      BIT(13)
#define CNT_SUS_TYP(v)  ((v) >> 10 & 7)
#define CNT_MASK        0x1c03
/* Bits 1, 2, 3 and 5 are reserved in the chip: here they are hot-plug of PCI functions, CPUs and memory, and
 * the generation id. */
#define GPSTS_W1C       0x0faf
#define GPEN_MASK       0x0f2f
#define GLBCTL_SMI_EN   BIT(0)
#define SUS_SOFT_OFF    0
#define SUS_TO_RAM      1
#define SUS_TO_DISK     2

#define PMTMR_HZ        3579545
#define PMTMR_MASK      0xffffffu
#define PMTMR_HALF      0x800000

/* DS 7.3: SMBus host registers. */
#define SMB_IO_SIZE     16
enum { SMBHSTSTS = 0x00, SMBHSTCNT = 0x02, SMBHSTCMD = 0x03, SMBHSTADD = 0x04, SMBHSTDAT0 = 0x05,
       SMBHSTDAT1 = 0x06, SMBBLKDAT = 0x07 };
#define SMBHSTSTS_W1C   0x1e
#define SMBHSTSTS_INTER BIT(1)
#define SMBHSTSTS_DEV_ERR BIT(2)
#define SMBHSTCNT_START BIT(6)
#define SMBHSTCNT_PROTOCOL(v)   ((v) >> 2 & 7)
enum { SMB_QUICK = 0, SMB_BYTE = 1, SMB_BYTE_DATA = 2, SMB_WORD_DATA = 3, SMB_BLOCK = 5 };

typedef struct Piix4Pm {
    PCIDevice pci;
    MemRegion io, smb_io, apm_io;
    IrqLine *sci, *smi, *s3;
    Timer overflow;
    PowerListener power;
    PciHotplug hotplug;
    uint16_t pmsts, pmen, pmcntrl, gpsts, gpen;
    uint32_t other[PM_IO_SIZE / 4];     /* registers that only keep their value */
    uint8_t smb[SMB_IO_SIZE];
    uint8_t smb_block[SMBUS_BLOCK_MAX], smb_index;
    Bus *smbus;
    uint8_t apmc, apms;
    int64_t half_periods;               /* of the timer, when PMSTS.TMR was set last */
    /* Properties: bits of what the DSDT offers; read by acpi-build. */
    uint8_t disable_s3, disable_s4;
    bool smm_enabled;
} Piix4Pm;

DEFINE_CAST(PIIX4_PM, Piix4Pm, TYPE_PIIX4_PM)

uint16_t piix4_pm_io_base(Device *pm)
{
    const uint8_t *c = PIIX4_PM(pm)->pci.config;

    return c[PM_PMREGMISC] & PMREGMISC_IOSE ? pci_get_word(c + PM_PMBA) & 0xffc0 : 0;
}

static int64_t pm_timer_count(void)
{
    return (int64_t)((__int128)clock_get_ns(CLOCK_VIRTUAL) * PMTMR_HZ / NS_PER_SECOND);
}

static void pm_update_sci(Piix4Pm *s)
{
    bool sci = ((s->pmsts & s->pmen & (PM_TMR | PM_GBL | PM_PWRBTN | PM_RTC)) ||
                (s->gpsts & s->gpen)) && (s->pmcntrl & CNT_SCI_EN);

    irq_set(s->sci, sci);
}

/* TMROF_STS: bit 23 has changed since it was cleared (DS 7.2.1). */
static void pm_update_timer_status(Piix4Pm *s)
{
    int64_t half = pm_timer_count() / PMTMR_HALF;

    if (half > s->half_periods) {
        s->pmsts |= PM_TMR;
    }
}

static void pm_arm_timer(Piix4Pm *s)
{
    int64_t next;

    if ((s->pmsts & PM_TMR) || !(s->pmen & PM_TMR)) {
        timer_del(&s->overflow);
        return;
    }
    next = (s->half_periods + 1) * PMTMR_HALF;
    timer_mod_ns(&s->overflow, (int64_t)(((__int128)next * NS_PER_SECOND + PMTMR_HZ - 1) /
                                         PMTMR_HZ));
}

static void pm_overflow(void *opaque)
{
    Piix4Pm *s = opaque;

    pm_update_timer_status(s);
    pm_update_sci(s);
    pm_arm_timer(s);
}

static void pm_write_status(Piix4Pm *s, uint16_t val)
{
    pm_update_timer_status(s);
    s->pmsts &= (uint16_t)~(val & PMSTS_W1C);
    if (val & PM_TMR) {
        s->half_periods = pm_timer_count() / PMTMR_HALF;
    }
    pm_arm_timer(s);
}

/* DS 7.2.3: SUS_EN starts what SUS_TYP names. */
static void pm_write_control(Piix4Pm *s, uint16_t val)
{
    s->pmcntrl = (uint16_t)(val & CNT_MASK);
    if (!(val & CNT_SUS_EN)) {
        return;
    }
    switch (CNT_SUS_TYP(val)) {
    case SUS_SOFT_OFF:
    case SUS_TO_DISK:
        system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        break;
    case SUS_TO_RAM:
        irq_pulse(s->s3);
        system_suspend_request();
        break;
    }
}

static uint32_t pm_read_word(Piix4Pm *s, unsigned reg)
{
    switch (reg) {
    case REG_PMSTS:
        pm_update_timer_status(s);
        return s->pmsts;
    case REG_PMEN:
        return s->pmen;
    case REG_PMCNTRL:
        return s->pmcntrl;
    case REG_PMTMR:
        return (uint32_t)pm_timer_count() & 0xffff;
    case REG_PMTMR + 2:
        return (uint32_t)pm_timer_count() >> 16 & 0xff;
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
        pm_write_status(s, val);
        break;
    case REG_PMEN:
        pm_update_timer_status(s);
        s->pmen = val & PMEN_MASK;
        system_wakeup_enable(WAKEUP_RTC, val & PM_RTC);
        system_wakeup_enable(WAKEUP_PM_TIMER, val & PM_TMR);
        pm_arm_timer(s);
        break;
    case REG_PMCNTRL:
        pm_write_control(s, val);
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
        *val = addr == REG_PMTMR ? (uint32_t)pm_timer_count() & PMTMR_MASK
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
    if (s->apmc == PIIX4_ACPI_ENABLE) {
        s->pmcntrl |= CNT_SCI_EN;
    } else if (s->apmc == PIIX4_ACPI_DISABLE) {
        s->pmcntrl &= (uint16_t)~CNT_SCI_EN;
    }
    pm_update_sci(s);
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

/* A transaction ends at once (DS 7.3.1). */
static bool smb_run(Piix4Pm *s)
{
    uint8_t address = s->smb[SMBHSTADD] >> 1, out[2 + SMBUS_BLOCK_MAX], in[1 + SMBUS_BLOCK_MAX];
    bool read = s->smb[SMBHSTADD] & 1;
    unsigned n;

    out[0] = s->smb[SMBHSTCMD];
    out[1] = s->smb[SMBHSTDAT0];
    out[2] = s->smb[SMBHSTDAT1];
    switch (SMBHSTCNT_PROTOCOL(s->smb[SMBHSTCNT])) {
    case SMB_QUICK:
        return smbus_transfer(s->smbus, address, NULL, 0, NULL, 0);
    case SMB_BYTE:
        return read ? smbus_transfer(s->smbus, address, NULL, 0, &s->smb[SMBHSTDAT0], 1)
                    : smbus_transfer(s->smbus, address, out, 1, NULL, 0);
    case SMB_BYTE_DATA:
        return read ? smbus_transfer(s->smbus, address, out, 1, &s->smb[SMBHSTDAT0], 1)
                    : smbus_transfer(s->smbus, address, out, 2, NULL, 0);
    case SMB_WORD_DATA:
        return read ? smbus_transfer(s->smbus, address, out, 1, &s->smb[SMBHSTDAT0], 2)
                    : smbus_transfer(s->smbus, address, out, 3, NULL, 0);
    case SMB_BLOCK:
        s->smb_index = 0;
        if (!read) {
            n = MIN(s->smb[SMBHSTDAT0], SMBUS_BLOCK_MAX);
            memcpy(out + 2, s->smb_block, n);
            return smbus_transfer(s->smbus, address, out, 2 + n, NULL, 0);
        }
        if (!smbus_transfer(s->smbus, address, out, 1, in, sizeof(in))) {
            return false;
        }
        s->smb[SMBHSTDAT0] = MIN(in[0], SMBUS_BLOCK_MAX);
        memcpy(s->smb_block, in + 1, SMBUS_BLOCK_MAX);
        return true;
    default:
        return false;
    }
}

static MemResult smb_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    Piix4Pm *s = opaque;

    *val = s->smb[addr];
    if (addr == SMBHSTCNT) {            /* DS 7.3.3: reading it rewinds the block */
        s->smb_index = 0;
    } else if (addr == SMBBLKDAT) {
        *val = s->smb_block[s->smb_index];
        s->smb_index = (s->smb_index + 1) % SMBUS_BLOCK_MAX;
    }
    return MEM_OK;
}

static MemResult smb_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    Piix4Pm *s = opaque;

    if (addr == SMBHSTSTS) {
        s->smb[addr] &= (uint8_t)~(val & SMBHSTSTS_W1C);
    } else if (addr == SMBHSTCNT) {
        s->smb[addr] = (uint8_t)(val & ~SMBHSTCNT_START);
        if (val & SMBHSTCNT_START) {
            s->smb[SMBHSTSTS] |= smb_run(s) ? SMBHSTSTS_INTER : SMBHSTSTS_DEV_ERR;
        }
    } else if (addr == SMBBLKDAT) {
        s->smb_block[s->smb_index] = (uint8_t)val;
        s->smb_index = (s->smb_index + 1) % SMBUS_BLOCK_MAX;
    } else {
        s->smb[addr] = (uint8_t)val;
    }
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

static void pm_powerdown(PowerListener *l)
{
    Piix4Pm *s = container_of(l, Piix4Pm, power);

    s->pmsts |= PM_PWRBTN;
    pm_update_sci(s);
}

static void pm_wakeup(PowerListener *l, WakeupReason reason)
{
    Piix4Pm *s = container_of(l, Piix4Pm, power);

    s->pmsts |= PMSTS_WAK;
    if (reason == WAKEUP_RTC) {
        s->pmsts |= PM_RTC;
    } else if (reason == WAKEUP_PM_TIMER) {
        s->pmsts |= PM_TMR;
    } else {
        s->pmsts |= PM_PWRBTN;
    }
    pm_update_sci(s);
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
        s->pmsts = s->pmen = s->gpsts = s->gpen = 0;
    }
    pci_hotplug_reset(&s->hotplug);
    /* Without SMM firmware finds its set-up done, and makes no SMI. */
    pci_set_long(c + PM_DEVACTB, s->smm_enabled ? 0 : DEVACTB_APMC_EN);
    s->pmcntrl = 0;
    s->apmc = s->apms = 0;
    memset(s->other, 0, sizeof(s->other));
    memset(s->smb, 0, sizeof(s->smb));
    memset(s->smb_block, 0, sizeof(s->smb_block));
    s->smb_index = 0;
    s->half_periods = pm_timer_count() / PMTMR_HALF;
    pm_arm_timer(s);
    pm_update_mapping(s);
    pm_update_sci(s);
}

static void pm_init(Device *dev)
{
    Piix4Pm *s = PIIX4_PM(dev);

    device_init_irq_out(dev, "sci", &s->sci, 1);
    device_init_irq_out(dev, "smi", &s->smi, 1);
    device_init_irq_out(dev, "s3", &s->s3, 1);
    timer_init_ns(&s->overflow, CLOCK_VIRTUAL, pm_overflow, s);
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
    s->smbus = smbus_new(dev, "i2c");
    device_init_irq_in(dev, "gpe", pm_set_gpe, 16);
    memory_region_init_io(&s->smb_io, s, &smb_ops, s, "pm-smbus", SMB_IO_SIZE);
    memory_region_set_enabled(&s->smb_io, false);
    memory_region_add_overlap(io, 0, &s->smb_io, 1);
    memory_region_init_io(&s->apm_io, s, &apm_ops, s, "apm-io", 2);
    memory_region_add(io, PIIX4_SMI_CMD, &s->apm_io);
    pci_hotplug_init(&s->hotplug, dev, pci_bus(&s->pci), io, pm_hotplug_event, s);
    s->power.powerdown = pm_powerdown;
    s->power.wakeup = pm_wakeup;
    power_add_listener(&s->power);
    if (!s->disable_s3) {
        system_wakeup_set_supported();
    }
    return true;
}

static void pm_unrealize(Device *dev)
{
    Piix4Pm *s = PIIX4_PM(dev);

    power_remove_listener(&s->power);
    pci_hotplug_cleanup(&s->hotplug);
    timer_del(&s->overflow);
    memory_region_cleanup(&s->io);
    memory_region_cleanup(&s->smb_io);
    memory_region_cleanup(&s->apm_io);
}

static bool pm_post_load(void *opaque, Error **errp)
{
    Piix4Pm *s = opaque;

    if (s->half_periods < 0 || s->half_periods > INT64_MAX / PMTMR_HALF / 2) {
        error_setf(errp, ERR_STATE_INVALID, "the timer's count is out of range");
        return false;
    }
    pm_update_mapping(s);
    pm_arm_timer(s);
    pm_update_sci(s);
    return true;
}

static const VmField pm_fields[] = {
    VM_PCI(Piix4Pm, pci), VM_U16(Piix4Pm, pmsts), VM_U16(Piix4Pm, pmen),
    VM_U16(Piix4Pm, pmcntrl), VM_U16(Piix4Pm, gpsts), VM_U16(Piix4Pm, gpen),
    VM_U32_ARRAY(Piix4Pm, other), VM_U8_ARRAY(Piix4Pm, smb), VM_U8(Piix4Pm, apmc),
    VM_U8(Piix4Pm, apms), VM_I64(Piix4Pm, half_periods),
    VM_U32(Piix4Pm, hotplug.up), VM_U32(Piix4Pm, hotplug.down),
    VM_ARRAY_(Piix4Pm, smb_block, uint8_t, vm_kind_u8, .since = 2),
    VM_SCALAR_(Piix4Pm, smb_index, uint8_t, vm_kind_u8, .max = SMBUS_BLOCK_MAX - 1, .since = 2),
    VM_END
};

Bus *piix4_pm_smbus(Device *pm)
{
    return PIIX4_PM(pm)->smbus;
}

static const Property pm_props[] = {
    PROP_U8_RANGE("disable_s3", Piix4Pm, disable_s3, 0, 0, 1, "1: do not offer sleep to RAM"),
    PROP_U8_RANGE("disable_s4", Piix4Pm, disable_s4, 0, 0, 1, "1: do not offer sleep to disk"),
    PROP_BOOL("smm-enabled", Piix4Pm, smm_enabled, true, "the CPUs have system management mode"),
    PROP_END
};

static const DeviceType pm_type = {
    .name = TYPE_PIIX4_PM, .parent = TYPE_PCI_DEVICE, .size = sizeof(Piix4Pm),
    .desc = "ACPI power management", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .props = pm_props,
    .pci = { .vendor = 0x8086, .device = 0x7113, .class_code = 0x068000, .revision = 3,
             .pin = PCI_PIN_A, .config_write = pm_config_write },
    .init = pm_init, .realize = pm_realize, .unrealize = pm_unrealize,
    .reset_hold = pm_reset_hold,
    .vm = { 2, pm_fields, .min_version = 1, .post_load = pm_post_load },
};
DEVICE_TYPE(pm_type)
