/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management ports of the I/O controller hubs.
 *
 * Sources: Intel ICH9 data sheet, 316972 ("DS"), 13.8.3; ICH7 data sheet, 307013 ("ICH7"), 10.8.3.
 * Departures: general-purpose events 1 to 3 and 5 are hot-plug of PCI functions, CPUs and memory, and the
 * generation id; besides the data sheet's values of SLP_TYP those of the PIIX4 (0 off, 1 to RAM, 2 to disk) work,
 * which firmware and small kernels use. Not modelled: device monitors, the periodic and software SMI timers,
 * processor throttling.
 */
#include "util/osdep.h"
#include "hw/acpi/ich9-pm.h"

enum { REG_PM1_STS = 0x00, REG_PM1_EN = 0x02, REG_PM1_CNT = 0x04, REG_PM1_TMR = 0x08, REG_GPE0_STS = 0x20,
       REG_GPE0_EN = 0x28, REG_NONE = 0x18, REG_SMI_EN = 0x30, REG_SMI_STS = 0x34, REG_ALT_GP_SMI_EN = 0x38,
       REG_ALT_GP_SMI_STS = 0x3a, REG_PM2_CNT = 0x50, REG_TCO = 0x60 };
#define PM1_STS_W1C     0xcd31          /* DS 13.8.3.1 */
#define PM1_EN_MASK     0x4521          /* DS 13.8.3.2 */
#define PM1_CNT_MASK    0x1c03          /* DS 13.8.3.3 */
#define GPE0_STS_W1C    UINT64_C(0x00000000ffff3fef)   /* DS 13.8.3.6; with our events */
#define GPE0_EN_MASK    UINT64_C(0x00000000ffff3dff)
#define SMI_GBL_EN      BIT(0)          /* DS 13.8.3.8 */
#define SMI_EOS         BIT(1)
#define SMI_SLP_EN      BIT(4)
#define SMI_APMC_EN     BIT(5)
#define SMI_TCO_EN      BIT(13)
#define SMI_EN_MASK     UINT32_C(0x0006687d)
#define SMI_STS_W1C     UINT32_C(0x0003e070)           /* DS 13.8.3.9 */
#define SMI_STS_SLP     BIT(4)
#define SMI_STS_APM     BIT(5)
#define SMI_STS_TCO     BIT(13)

static void update_sci(void *opaque)
{
    Ich9Pm *s = opaque;
    bool level = (pm1_pending(&s->pm1) || (s->gpe_sts & s->gpe_en)) && pm1_sci_enabled(&s->pm1);

    if (level != s->sci_level) {
        s->sci_level = level;
        s->sci(s->opaque, level);
    }
}

static const Pm1Chip chip = {
    .sts_w1c = PM1_STS_W1C, .en_mask = PM1_EN_MASK, .cnt_mask = PM1_CNT_MASK,
    /* S3 is 5, S4 6, S5 7 (DS 13.8.3.3). */
    .sleep = { PM1_SLEEP_OFF, PM1_SLEEP_RAM, PM1_SLEEP_DISK, PM1_SLEEP_NONE, PM1_SLEEP_NONE, PM1_SLEEP_RAM,
               PM1_SLEEP_DISK, PM1_SLEEP_OFF },
    .changed = update_sci,
};

static void raise_smi(Ich9Pm *s, uint32_t enable, uint32_t status)
{
    if (s->smi_en & enable) {
        s->smi_sts |= status;
        if (s->smi_en & SMI_GBL_EN) {
            s->smi(s->opaque);
        }
    }
}

void ich9_pm_apm(Ich9Pm *s)
{
    raise_smi(s, SMI_APMC_EN, SMI_STS_APM);
}

static void tco_smi(void *opaque)
{
    raise_smi(opaque, SMI_TCO_EN, SMI_STS_TCO);
}

static bool tco_no_reboot(void *opaque)
{
    return ((Ich9Pm *)opaque)->no_reboot;
}

void ich9_pm_event(Ich9Pm *s, unsigned n)
{
    s->gpe_sts |= (UINT64_C(1) << n) & GPE0_STS_W1C;
    update_sci(s);
}

/* ICH7 10.8.3: GPE0_STS at 28h, GPE0_EN at 2Ch; @reg as the ICH9 has them. */
static unsigned canonical(const Ich9Pm *s, unsigned reg)
{
    if (!s->ich7 || reg < REG_GPE0_STS || reg >= REG_SMI_EN) {
        return reg;
    }
    return reg < ICH7_GPE0 ? REG_NONE : reg < ICH7_GPE0 + 4 ? reg - ICH7_GPE0 + REG_GPE0_STS
                                                            : reg - (ICH7_GPE0 + 4) + REG_GPE0_EN;
}

static uint16_t read_word(Ich9Pm *s, unsigned reg)
{
    reg = canonical(s, reg);
    switch (reg) {
    case REG_PM1_STS: return pm1_read_sts(&s->pm1);
    case REG_PM1_EN: return s->pm1.en;
    case REG_PM1_CNT: return s->pm1.cnt;
    case REG_PM1_TMR: return (uint16_t)pm1_timer();
    case REG_PM1_TMR + 2: return (uint16_t)(pm1_timer() >> 16);
    case REG_GPE0_STS ... REG_GPE0_STS + 7: return (uint16_t)(s->gpe_sts >> (reg - REG_GPE0_STS) * 8);
    case REG_GPE0_EN ... REG_GPE0_EN + 7: return (uint16_t)(s->gpe_en >> (reg - REG_GPE0_EN) * 8);
    case REG_SMI_EN ... REG_SMI_EN + 3: return (uint16_t)(s->smi_en >> (reg - REG_SMI_EN) * 8);
    case REG_SMI_STS ... REG_SMI_STS + 3: return (uint16_t)(s->smi_sts >> (reg - REG_SMI_STS) * 8);
    case REG_ALT_GP_SMI_EN: return s->alt_smi_en;
    case REG_ALT_GP_SMI_STS: return s->alt_smi_sts;
    case REG_PM2_CNT: return s->pm2_cnt;
    case REG_TCO ... ICH9_PM_IO_SIZE - 1:
        return (uint16_t)(tco_read(&s->tco, reg - REG_TCO) | tco_read(&s->tco, reg - REG_TCO + 1) << 8);
    default: return 0;
    }
}

/* DS 13.8.3.8: with GEN_PMCON_1's SMI_LOCK GBL_SMI_EN can't be changed. */
static void write_smi_en(Ich9Pm *s, uint32_t val)
{
    uint32_t mask = SMI_EN_MASK & ~(s->smi_lock ? SMI_GBL_EN : 0);

    s->smi_en = (s->smi_en & ~mask) | (val & mask) | SMI_EOS;
}

/* DS 13.8.3.9: while SLP_SMI_EN is set, SLP_EN makes an SMI instead of sleep. */
static void write_control(Ich9Pm *s, uint16_t val)
{
    bool trap = val & PM1_SLP_EN && s->smi_en & SMI_SLP_EN;

    pm1_write_cnt(&s->pm1, trap ? (uint16_t)(val & ~PM1_SLP_EN) : val);
    if (trap) {
        raise_smi(s, SMI_SLP_EN, SMI_STS_SLP);
    }
}

/* @lanes: bytes that the access has. */
static void write_word(Ich9Pm *s, unsigned asked, uint16_t val, uint16_t lanes)
{
    unsigned reg = canonical(s, asked), shift = (reg & 7) * 8;
    uint64_t wide = (uint64_t)val << shift, wide_lanes = (uint64_t)lanes << shift;
    uint16_t merged;

    switch (reg) {                      /* written as ones to clear: other bytes are zeros */
    case REG_PM1_STS:
        pm1_write_sts(&s->pm1, val);
        return;
    case REG_GPE0_STS ... REG_GPE0_STS + 7:
        s->gpe_sts &= ~(wide & GPE0_STS_W1C);
        update_sci(s);
        return;
    case REG_SMI_STS ... REG_SMI_STS + 3:
        s->smi_sts &= ~((uint32_t)val << (reg & 2) * 8 & SMI_STS_W1C);
        return;
    case REG_ALT_GP_SMI_STS:
        s->alt_smi_sts &= (uint16_t)~val;
        return;
    case REG_TCO ... ICH9_PM_IO_SIZE - 1:
        if (lanes == 0xffff) {
            tco_write(&s->tco, reg - REG_TCO, val, 2);
        } else {
            tco_write(&s->tco, reg - REG_TCO + (lanes == 0xff00), (uint16_t)(lanes == 0xff00 ? val >> 8 : val), 1);
        }
        return;
    }
    merged = (uint16_t)((read_word(s, asked) & ~lanes) | (val & lanes));
    switch (reg) {
    case REG_PM1_EN:
        pm1_write_en(&s->pm1, merged);
        break;
    case REG_PM1_CNT:
        write_control(s, merged);
        break;
    case REG_GPE0_EN ... REG_GPE0_EN + 7:
        s->gpe_en = ((s->gpe_en & ~wide_lanes) | (wide & wide_lanes)) & GPE0_EN_MASK;
        update_sci(s);
        break;
    case REG_SMI_EN:
        write_smi_en(s, (s->smi_en & 0xffff0000u) | merged);
        break;
    case REG_SMI_EN + 2:
        write_smi_en(s, (s->smi_en & 0xffffu) | (uint32_t)merged << 16);
        break;
    case REG_ALT_GP_SMI_EN:
        s->alt_smi_en = merged;
        break;
    case REG_PM2_CNT:
        s->pm2_cnt = merged & 1;
        break;
    }
}

static MemResult pm_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Pm *s = opaque;
    unsigned reg = addr & ~1u;

    if (size == 4) {
        *val = addr == REG_PM1_TMR ? pm1_timer() : read_word(s, reg) | (uint32_t)read_word(s, reg + 2) << 16;
    } else {
        *val = read_word(s, reg) >> (addr & 1) * 8;
    }
    return MEM_OK;
}

static MemResult pm_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Pm *s = opaque;
    unsigned reg = addr & ~1u, shift = (addr & 1) * 8;

    if (size == 1) {
        write_word(s, reg, (uint16_t)((val & 0xff) << shift), (uint16_t)(0xff << shift));
        return MEM_OK;
    }
    /* As one: GBL_SMI_EN and the others come together. */
    write_word(s, reg, (uint16_t)val, 0xffff);
    if (size == 4) {
        write_word(s, reg + 2, (uint16_t)(val >> 16), 0xffff);
    }
    return MEM_OK;
}

static const MemOps pm_ops = {
    .read = pm_read, .write = pm_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

void ich9_pm_reset(Ich9Pm *s, bool no_smm)
{
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        s->gpe_sts = s->gpe_en = 0;
    }
    pm1_reset(&s->pm1);
    tco_reset(&s->tco);
    s->smi_en = SMI_EOS | (no_smm ? SMI_APMC_EN : 0);
    s->smi_sts = 0;
    s->alt_smi_en = s->alt_smi_sts = 0;
    s->pm2_cnt = 0;
    update_sci(s);
}

void ich9_pm_init(Ich9Pm *s, Device *owner)
{
    device_init_irq_out(owner, "s3", &s->pm1.s3, 1);
    pm1_init(&s->pm1, &chip, s);
    tco_init(&s->tco, tco_smi, tco_no_reboot, s);
}

void ich9_pm_realize(Ich9Pm *s, Device *owner, bool no_s3)
{
    memory_region_init_io(&s->io, owner, &pm_ops, s, "ich9-pm", ICH9_PM_IO_SIZE);
    pm1_realize(&s->pm1, no_s3);
}

void ich9_pm_unrealize(Ich9Pm *s)
{
    pm1_unrealize(&s->pm1);
    tco_cleanup(&s->tco);
    memory_region_cleanup(&s->io);
}

bool ich9_pm_post_load(Ich9Pm *s, Error **errp)
{
    if (s->gpe_sts & ~GPE0_STS_W1C || s->gpe_en & ~GPE0_EN_MASK || s->smi_en & ~(SMI_EN_MASK | SMI_EOS)) {
        error_setf(errp, ERR_STATE_INVALID, "reserved bits are set in GPE0 or SMI_EN");
        return false;
    }
    if (!pm1_post_load(&s->pm1, errp) || !tco_post_load(&s->tco, errp)) {
        return false;
    }
    s->sci(s->opaque, false);           /* drive it anew */
    s->sci_level = false;
    update_sci(s);
    return true;
}

static const VmField pm_fields[] = {
    VM_U16(Ich9Pm, pm1.sts), VM_U16(Ich9Pm, pm1.en), VM_U16(Ich9Pm, pm1.cnt), VM_I64(Ich9Pm, pm1.half_periods),
    VM_U64(Ich9Pm, gpe_sts), VM_U64(Ich9Pm, gpe_en), VM_U32(Ich9Pm, smi_en), VM_U32(Ich9Pm, smi_sts),
    VM_U16(Ich9Pm, alt_smi_en), VM_U16(Ich9Pm, alt_smi_sts), VM_U8_RANGE(Ich9Pm, pm2_cnt, 0, 1),
    VM_STRUCT(Ich9Pm, tco, tco_vm), VM_END
};
/* DS 13.8.3.6; events of this machine's are PCI, processor and memory hot-plug. */
#define GPE0_FLAGS FLAGS({ "PCI_HOTPLUG", 2 }, { "CPU_HOTPLUG", 4 }, { "MEM_HOTPLUG", 8 }, { "SMB_WAK", 0x80 }, { "PME", 0x800 }, \
                         { "PME_B0", 0x2000 }, { "GPI", 0xffff0000 })
static const VmMeaning pm_meanings[] = {
    { "pm1.sts", "PM1_STS", .flags = FLAGS({ "TMROF", 1 }, { "BM", 0x10 }, { "GBL", 0x20 }, { "PWRBTN", 0x100 }, { "RTC", 0x400 },
      { "PRBTNOR", 0x800 }, { "PCIEXPWAK", 0x4000 }, { "WAK", 0x8000 }) },
    { "pm1.en", "PM1_EN", .flags = FLAGS({ "TMROF", 1 }, { "GBL", 0x20 }, { "PWRBTN", 0x100 }, { "RTC", 0x400 },
      { "PCIEXPWAK_DIS", 0x4000 }) },
    { "pm1.cnt", "PM1_CNT", .flags = FLAGS({ "SCI_EN", 1 }, { "BM_RLD", 2 }, { "GBL_RLS", 4 }, { "SLP_TYP", 0x1c00 },
      { "SLP_EN", 0x2000 }) },
    { "pm1.half_periods", "how often bit 23 of the timer had changed when TMROF was cleared" },
    { "gpe_sts", "GPE0_STS", .flags = GPE0_FLAGS },
    { "gpe_en", "GPE0_EN", .flags = GPE0_FLAGS },
    { "smi_en", "SMI_EN", .flags = FLAGS({ "GBL_SMI_EN", 1 }, { "EOS", 2 }, { "BIOS_EN", 4 }, { "LEGACY_USB_EN", 8 },
      { "SLP_SMI_EN", 0x10 }, { "APMC_EN", 0x20 }, { "SWSMI_TMR_EN", 0x40 }, { "MCSMI_EN", 0x800 }, { "TCO_EN", 0x2000 },
      { "PERIODIC_EN", 0x4000 }, { "LEGACY_USB2_EN", 0x20000 }, { "INTEL_USB2_EN", 0x40000 }) },
    { "smi_sts", "SMI_STS", .flags = FLAGS({ "BIOS", 4 }, { "LEGACY_USB", 8 }, { "SLP", 0x10 }, { "APM", 0x20 },
      { "SWSMI_TMR", 0x40 }, { "PM1", 0x100 }, { "GPE0", 0x200 }, { "MCSMI", 0x800 }, { "DEVMON", 0x1000 }, { "TCO", 0x2000 },
      { "PERIODIC", 0x4000 }, { "SERIRQ", 0x8000 }, { "SMBUS", 0x10000 }, { "LEGACY_USB2", 0x20000 }) },
    { "alt_smi_en", "ALT_GP_SMI_EN: GPI0 to GPI15, a bit each" },
    { "alt_smi_sts", "ALT_GP_SMI_STS: GPI0 to GPI15, a bit each" },
    { "pm2_cnt", "PM2_CNT", .flags = FLAGS({ "ARB_DIS", 1 }) },
    { .name = NULL }
};
const VmState ich9_pm_vm = { 1, pm_fields, .name = "ich9-pm", .meanings = pm_meanings };
