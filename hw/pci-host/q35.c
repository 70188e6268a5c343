/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82Q35 memory controller hub (MCH), device 0: host bridge; and that of the 945GM, whose bases have 32 bits.
 *
 * Sources: Intel 3 Series Express Chipset Family data sheet, 316966 ("DS"), chapter 5; Mobile Intel 945 Express Chipset Family
 * data sheet, 309219 ("945").
 * Modelled: PAM, SMRAM in its three places (compatible, high, TSEG), PCIEXBAR. Memory-mapped register blocks of the
 * MCH, of DMI and of the egress port are not; DRAM and graphics registers keep what is written.
 * Additions to the Q35, which OVMF asks for: a TSEG of more than 8 MiB (register 50h), and SMRAM at the default SMBASE (9Ch).
 */
#include "util/osdep.h"
#include "hw/pci-host/q35.h"

#include "hw/core/runstate.h"
#include "hw/pci-host/pam.h"

/* DS 5.1: registers of function 0. */
enum { MCH_EPBAR = 0x40, MCH_MCHBAR = 0x48, MCH_EXT_TSEG = 0x50, MCH_GGC = 0x52, MCH_DEVEN = 0x54,
       MCH_PCIEXBAR = 0x60, MCH_DMIBAR = 0x68, MCH_PAM0 = 0x90, MCH_LAC = 0x97, MCH_REMAPBASE = 0x98,
       MCH_SMBASE_CTL = 0x9c, MCH_SMRAM = 0x9d, MCH_ESMRAMC = 0x9e, MCH_TOM = 0xa0, MCH_TOUUD = 0xa2,
       MCH_GBSM = 0xa4, MCH_BGSM = 0xa8, MCH_TSEGMB = 0xac, MCH_TOLUD = 0xb0, MCH_ERRSTS = 0xc8, MCH_ERRCMD = 0xca,
       MCH_SKPD = 0xdc, MCH_CAPID0 = 0xe0 };
/* 945: what is elsewhere, or of another width. */
enum { GM_EPBAR = 0x40, GM_MCHBAR = 0x44, GM_PCIEXBAR = 0x48, GM_DMIBAR = 0x4c, GM_TOLUD = 0x9c };
#define GM_DEVEN            0x1b        /* host, PCI Express, graphics */
#define GM_PCIEXBAR_MASK    0xfc000007u
#define CAPID0_LEN          0x0b
#define PCIEXBAR_EN         BIT(0)      /* DS 5.1.15 */
#define PCIEXBAR_LENGTH(v)  ((v) >> 1 & 3)
#define PCIEXBAR_RESET      UINT64_C(0xe0000000)
#define PCIEXBAR_MASK       UINT64_C(0xffc000007)
#define SMRAM_DOPEN         BIT(6)      /* DS 5.1.27 */
#define SMRAM_DCLS          BIT(5)
#define SMRAM_DLCK          BIT(4)
#define SMRAM_GSMRAME       BIT(3)
#define SMRAM_BASE_SEG      0x02
#define ESMRAMC_HSMRAME     BIT(7)      /* DS 5.1.28 */
#define ESMRAMC_ERR         BIT(6)
#define ESMRAMC_FIXED       0x38
#define ESMRAMC_TSEG_SZ(v)  ((v) >> 1 & 3)
#define ESMRAMC_TSEG_EN     BIT(0)
#define ESMRAMC_RW          (ESMRAMC_HSMRAME | 0x06 | ESMRAMC_TSEG_EN)
#define EXT_TSEG_QUERY      0xffff
#define EXT_TSEG_MAX        0xfff
#define SMBASE_QUERY        0xff
#define SMBASE_THERE        BIT(0)
#define SMBASE_LOCKED       BIT(1)

#define SMRAM_ADDR          0xa0000
#define SMRAM_SIZE          0x20000
#define HIGH_SMRAM_ADDR     0xfeda0000u
#define SMBASE_ADDR         0x30000
#define SMBASE_SIZE         0x20000

typedef struct MchChip {
    uint8_t pciexbar;
    bool gm;                    /* 945GM */
} MchChip;

typedef struct MchState {
    PCIDevice pci;
    const MchChip *chip;
    MemRegion *system, *ram, *pci_memory;
    PcHost *host;
    uint64_t low;               /* bytes of RAM below 4 GiB */
    uint16_t ext_tseg;          /* property, MiB; 0: no such register */
    bool smbase_smram;          /* property */
    Pam pam;
    MemRegion ecam;
    AddressSpace smm_as;
    MemRegion smm_root, smm_system;
    MemRegion vga_window;       /* A0000h: PCI, unless SMRAM is open there */
    MemRegion smm_low, smm_high, smm_tseg, smm_smbase;  /* RAM, for CPUs in SMM */
    MemRegion open_high;                /* the same for others while it is open */
    MemRegion tseg_hole, smbase_hole;   /* nothing, for others */
} MchState;

DEFINE_CAST(MCH, MchState, TYPE_MCH_COMMON)

/* --- SMRAM --- */

static MemResult hole_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    *val = UINT64_MAX;
    return MEM_OK;
}

static MemResult hole_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static const MemOps hole_ops = {
    .read = hole_read, .write = hole_write, .order = MEM_LE, .valid = { 1, 8 }, .impl = { .min = 1, .max = 8 },
};

static uint64_t tseg_size(const MchState *s)
{
    const uint8_t *c = s->pci.config;
    uint64_t mib = 0;

    if (c[MCH_ESMRAMC] & ESMRAMC_TSEG_EN) {
        switch (ESMRAMC_TSEG_SZ(c[MCH_ESMRAMC])) {
        case 0: mib = 1; break;
        case 1: mib = 2; break;
        case 2: mib = 8; break;
        case 3: mib = s->chip->gm ? 0 : s->ext_tseg; break;       /* reserved in the chip */
        }
    }
    return mib * MIB < s->low ? mib * MIB : 0;
}

/* DS 5.1.27, 5.1.28: open, it is there for everybody; else in SMM only. */
static void update_smram(MchState *s)
{
    const uint8_t *c = s->pci.config;
    bool enabled = c[MCH_SMRAM] & SMRAM_GSMRAME, open = enabled && c[MCH_SMRAM] & SMRAM_DOPEN;
    bool high = enabled && c[MCH_ESMRAMC] & ESMRAMC_HSMRAME, smbase = !s->chip->gm && c[MCH_SMBASE_CTL] & SMBASE_LOCKED;
    uint64_t tseg = enabled ? tseg_size(s) : 0;

    memory_transaction_begin();
    memory_region_set_enabled(&s->vga_window, !(open && !high));
    memory_region_set_enabled(&s->smm_low, enabled && !high);
    memory_region_set_enabled(&s->smm_high, high);
    memory_region_set_enabled(&s->open_high, high && open);
    memory_region_set_enabled(&s->smm_tseg, tseg);
    memory_region_set_enabled(&s->tseg_hole, tseg && !open);
    if (tseg) {
        memory_region_set_address(&s->smm_tseg, s->low - tseg);
        memory_region_set_alias_offset(&s->smm_tseg, s->low - tseg);
        memory_region_set_size(&s->smm_tseg, tseg);
        memory_region_set_address(&s->tseg_hole, s->low - tseg);
        memory_region_set_size(&s->tseg_hole, tseg);
    }
    memory_region_set_enabled(&s->smm_smbase, smbase);
    memory_region_set_enabled(&s->smbase_hole, smbase);
    memory_transaction_commit();
}

/* Once locked, only a reset opens it. */
static void lock_smram(MchState *s)
{
    uint8_t *w = s->pci.wmask;
    bool locked = s->pci.config[MCH_SMRAM] & SMRAM_DLCK;

    if (locked) {
        s->pci.config[MCH_SMRAM] &= (uint8_t)~SMRAM_DOPEN;
    }
    w[MCH_SMRAM] = locked ? SMRAM_DCLS : SMRAM_DOPEN | SMRAM_DCLS | SMRAM_DLCK | SMRAM_GSMRAME;
    w[MCH_ESMRAMC] = locked ? 0 : ESMRAMC_RW;
    if (s->chip->gm) {
        w[GM_TOLUD] = locked ? 0 : 0xf8;
        return;
    }
    pci_set_word(w + MCH_TOLUD, locked ? 0 : 0xfff0);
    pci_set_long(w + MCH_TSEGMB, locked ? 0 : 0xfff00000);
}

/* --- PCIEXBAR --- */

bool q35_ecam(PCIDevice *mch, uint64_t *base, uint64_t *size)
{
    const MchChip *chip = MCH(mch)->chip;
    const uint8_t *c = mch->config + chip->pciexbar;
    uint64_t val = pci_get_long(c) | (chip->gm ? 0 : (uint64_t)pci_get_long(c + 4) << 32);

    *size = 256 * MIB >> PCIEXBAR_LENGTH(val);
    *base = val & PCIEXBAR_MASK & ~(*size - 1) & ~UINT64_C(7);
    return val & PCIEXBAR_EN && PCIEXBAR_LENGTH(val) != 3;
}

static void update_ecam(MchState *s)
{
    uint64_t base, size;
    bool on = q35_ecam(&s->pci, &base, &size);

    memory_transaction_begin();
    memory_region_set_enabled(&s->ecam, on);
    if (on) {
        memory_region_set_size(&s->ecam, size);
        memory_region_set_address(&s->ecam, base);
    }
    memory_transaction_commit();
}

/* --- configuration space --- */

static void smbase_written(MchState *s, uint8_t old)
{
    uint8_t *ctl = s->pci.config + MCH_SMBASE_CTL, val = *ctl;

    *ctl = old;
    if (!s->smbase_smram || old & SMBASE_LOCKED) {
        return;
    }
    if (val == SMBASE_QUERY) {
        *ctl = SMBASE_THERE;
    } else if (val & SMBASE_LOCKED && old == SMBASE_THERE) {
        *ctl = SMBASE_LOCKED;
    }
}

static void mch_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    MchState *s = MCH(pci);
    uint8_t smbase = pci->config[MCH_SMBASE_CTL];

    pci_default_config_write(pci, addr, val, len);
    if (pci_config_touches(addr, len, s->chip->pciexbar, s->chip->gm ? 4 : 8)) {
        update_ecam(s);
    }
    if (pci_config_touches(addr, len, MCH_PAM0, PAM_REGS)) {
        memory_transaction_begin();
        pam_update(&s->pam, pci->config + MCH_PAM0);
        memory_transaction_commit();
    }
    if (!s->chip->gm && pci_config_touches(addr, len, MCH_EXT_TSEG, 2)) {
        pci_set_word(pci->config + MCH_EXT_TSEG,
                     pci_get_word(pci->config + MCH_EXT_TSEG) == EXT_TSEG_QUERY && s->ext_tseg ? s->ext_tseg : 0);
    }
    if (!s->chip->gm && pci_config_touches(addr, len, MCH_SMBASE_CTL, 1)) {
        smbase_written(s, smbase);
    }
    if (pci_config_touches(addr, len, MCH_SMBASE_CTL, 3)) {
        lock_smram(s);
        update_smram(s);
    }
}

static void q35_reset(MchState *s)
{
    uint8_t *c = s->pci.config;

    memset(c + MCH_EPBAR, 0, 16);
    pci_set_word(c + MCH_EXT_TSEG, 0);
    pci_set_long(c + MCH_DEVEN, 0x000003db);
    memset(c + MCH_DMIBAR, 0, 8);
    pci_set_long(c + MCH_REMAPBASE, 0x000003ff);
    c[MCH_SMBASE_CTL] = 0;
    pci_set_word(c + MCH_TOM, (uint16_t)(memory_region_size(s->ram) / (64 * MIB)));
    pci_set_word(c + MCH_TOUUD, 0);
    memset(c + MCH_GBSM, 0, MCH_TOLUD - MCH_GBSM);
    pci_set_word(c + MCH_TOLUD, (uint16_t)(s->low / MIB << 4 & 0xfff0));
}

/* Memory comes in pieces of 128 MiB there. */
static void gm_reset(MchState *s)
{
    uint8_t *c = s->pci.config;

    memset(c + GM_EPBAR, 0, 8);
    pci_set_long(c + GM_DMIBAR, 0);
    pci_set_long(c + MCH_DEVEN, GM_DEVEN);
    c[GM_TOLUD] = (uint8_t)(DIV_ROUND_UP(s->low, 128 * MIB) << 3);
    pci_set_word(c + MCH_TOM, (uint16_t)DIV_ROUND_UP(memory_region_size(s->ram), 128 * MIB));
}

static void mch_reset_hold(Device *dev)
{
    MchState *s = MCH(dev);
    uint8_t *c = s->pci.config;

    /* On the way out of S3 SeaBIOS runs in RAM that PAM shows, and opens SMRAM through config space in memory. */
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        memset(c + MCH_PAM0, 0, PAM_REGS);
        pci_set_long(c + s->chip->pciexbar, (uint32_t)PCIEXBAR_RESET);
        if (!s->chip->gm) {
            pci_set_long(c + MCH_PCIEXBAR + 4, 0);
        }
    }
    if (s->chip->gm) {
        gm_reset(s);
    } else {
        q35_reset(s);
    }
    pci_set_word(c + MCH_GGC, 0x0030);
    c[MCH_LAC] = 0;
    c[MCH_SMRAM] = SMRAM_BASE_SEG;
    c[MCH_ESMRAMC] = ESMRAMC_FIXED;
    memset(c + MCH_ERRSTS, 0, 8);
    pci_set_long(c + MCH_SKPD, 0);
    lock_smram(s);
    memory_transaction_begin();
    pam_update(&s->pam, c + MCH_PAM0);
    update_smram(s);
    update_ecam(s);
    memory_transaction_commit();
}

static void q35_init_config(MchState *s)
{
    uint8_t *w = s->pci.wmask;

    pci_set_long(w + MCH_EPBAR, 0xfffff001);
    pci_set_long(w + MCH_EPBAR + 4, 0xf);
    pci_set_long(w + MCH_MCHBAR, 0xffffc001);
    pci_set_long(w + MCH_MCHBAR + 4, 0xf);
    pci_set_word(w + MCH_EXT_TSEG, 0xffff);
    pci_set_long(w + MCH_DEVEN, 0x000003db);
    pci_set_long(w + MCH_PCIEXBAR, (uint32_t)PCIEXBAR_MASK);
    pci_set_long(w + MCH_PCIEXBAR + 4, (uint32_t)(PCIEXBAR_MASK >> 32));
    pci_set_long(w + MCH_DMIBAR, 0xfffff001);
    pci_set_long(w + MCH_DMIBAR + 4, 0xf);
    pci_set_long(w + MCH_REMAPBASE, 0x03ff03ff);
    w[MCH_SMBASE_CTL] = 0xff;
    pci_set_word(w + MCH_TOM, 0x03ff);
    pci_set_word(w + MCH_TOUUD, 0xffff);
    pci_set_long(w + MCH_GBSM, 0xfff00000);
    pci_set_long(w + MCH_BGSM, 0xfff00000);
}

static void gm_init_config(MchState *s)
{
    uint8_t *w = s->pci.wmask;

    pci_set_long(w + GM_EPBAR, 0xfffff001);
    pci_set_long(w + GM_MCHBAR, 0xffffc001);
    pci_set_long(w + GM_PCIEXBAR, GM_PCIEXBAR_MASK);
    pci_set_long(w + GM_DMIBAR, 0xfffff001);
    pci_set_long(w + MCH_DEVEN, GM_DEVEN);
    pci_set_word(w + MCH_TOM, 0x01ff);
}

static void init_config(MchState *s)
{
    uint8_t *c = s->pci.config, *w = s->pci.wmask;

    pci_set_word(c + PCI_STATUS, PCI_STATUS_FAST_BACK);
    /* The bridge answers memory cycles and is master, always (DS 5.1.3). */
    pci_set_word(c + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_word(w + PCI_COMMAND, PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
    if (s->chip->gm) {
        gm_init_config(s);
    } else {
        q35_init_config(s);
    }
    pci_set_word(w + MCH_GGC, 0x0072);
    pam_init_wmask(w + MCH_PAM0);
    w[MCH_LAC] = 0x01;
    s->pci.w1cmask[MCH_ESMRAMC] = ESMRAMC_ERR;
    pci_set_word(s->pci.w1cmask + MCH_ERRSTS, 0x1ff3);
    pci_set_long(w + MCH_ERRCMD, 0x0fff0fff);
    pci_set_long(w + MCH_SKPD, UINT32_MAX);
}

/* --- life --- */

static void init_alias(MchState *s, MemRegion *mr, const char *name, MemRegion *root, hwaddr at, hwaddr ram,
                       uint64_t size)
{
    memory_region_init_alias(mr, s, name, s->ram, ram, size);
    memory_region_set_enabled(mr, false);
    memory_region_add_overlap(root, at, mr, 2);
}

static void init_hole(MchState *s, MemRegion *mr, const char *name, hwaddr at, uint64_t size)
{
    memory_region_init_io(mr, s, &hole_ops, s, name, size);
    memory_region_set_enabled(mr, false);
    memory_region_add_overlap(s->system, at, mr, 1);
}

static bool mch_realize(Device *dev, Error **errp)
{
    MchState *s = MCH(dev);

    if (s->ext_tseg > EXT_TSEG_MAX) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'extended-tseg-mbytes' is %u; accepted: 0 to %u", s->ext_tseg,
                   EXT_TSEG_MAX);
        return false;
    }
    s->chip = device_data(dev);
    init_config(s);
    memory_region_init_alias(&s->vga_window, s, "smram-region", s->pci_memory, SMRAM_ADDR, SMRAM_SIZE);
    memory_region_add_overlap(s->system, SMRAM_ADDR, &s->vga_window, 1);
    pam_init(&s->pam, s, s->system, s->ram, s->pci_memory);
    pcie_init_ecam(&s->ecam, s, &s->host->parent, 256 * MIB);
    memory_region_set_enabled(&s->ecam, false);
    memory_region_add_overlap(s->system, PCIEXBAR_RESET, &s->ecam, 1);
    memory_region_init(&s->smm_root, s, "smm", UINT64_MAX);
    memory_region_init_alias(&s->smm_system, s, "smm-system", s->system, 0, UINT64_MAX);
    memory_region_add(&s->smm_root, 0, &s->smm_system);
    init_alias(s, &s->smm_low, "smram-low", &s->smm_root, SMRAM_ADDR, SMRAM_ADDR, SMRAM_SIZE);
    init_alias(s, &s->smm_high, "smram-high", &s->smm_root, HIGH_SMRAM_ADDR, SMRAM_ADDR, SMRAM_SIZE);
    init_alias(s, &s->smm_tseg, "smram-tseg", &s->smm_root, 0, 0, MIB);
    init_alias(s, &s->smm_smbase, "smram-smbase", &s->smm_root, SMBASE_ADDR, SMBASE_ADDR, SMBASE_SIZE);
    init_alias(s, &s->open_high, "smram-open-high", s->system, HIGH_SMRAM_ADDR, SMRAM_ADDR, SMRAM_SIZE);
    init_hole(s, &s->tseg_hole, "tseg-hole", 0, MIB);
    init_hole(s, &s->smbase_hole, "smbase-hole", SMBASE_ADDR, SMBASE_SIZE);
    address_space_init(&s->smm_as, &s->smm_root, "cpu-smm");
    return true;
}

static bool mch_post_load(void *opaque, UNUSED Error **errp)
{
    MchState *s = opaque;

    lock_smram(s);
    memory_transaction_begin();
    pam_update(&s->pam, s->pci.config + MCH_PAM0);
    update_smram(s);
    update_ecam(s);
    memory_transaction_commit();
    return true;
}

static const VmField mch_fields[] = { VM_PCI(MchState, pci), VM_END };

static const Property mch_props[] = {
    PROP_U16("extended-tseg-mbytes", MchState, ext_tseg, 16, "MiB of TSEG that firmware may ask for; 0: no more than 8"),
    PROP_BOOL("smbase-smram", MchState, smbase_smram, true, "SMRAM at the default SMBASE is offered to firmware"),
    PROP_END
};

static const DeviceType mch_common_type = {
    .name = TYPE_MCH_COMMON, .parent = TYPE_PCI_DEVICE, .size = sizeof(MchState), .abstract = true,
    .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .class_code = 0x060000, .pin = PCI_PIN_NONE, .config_write = mch_config_write },
    .realize = mch_realize, .reset_hold = mch_reset_hold, .vm = { 1, mch_fields, .post_load = mch_post_load },
};
DEVICE_TYPE(mch_common_type)

static const MchChip q35_chip = { .pciexbar = MCH_PCIEXBAR };
static const DeviceType mch_type = {
    .name = TYPE_MCH, .parent = TYPE_MCH_COMMON, .size = sizeof(MchState),
    .desc = "Q35 host bridge, function 0", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x29c0, .class_code = 0x060000, .pin = PCI_PIN_NONE,
             .config_write = mch_config_write },
    .props = mch_props, .data = &q35_chip,
};
DEVICE_TYPE(mch_type)

static const MchChip gm_chip = { .pciexbar = GM_PCIEXBAR, .gm = true };
static const DeviceType mch_945gm_type = {
    .name = TYPE_MCH_945GM, .parent = TYPE_MCH_COMMON, .size = sizeof(MchState),
    .desc = "945GM host bridge, function 0", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x27a0, .class_code = 0x060000, .pin = PCI_PIN_NONE, .revision = 3,
             .config_write = mch_config_write },
    .data = &gm_chip,
};
DEVICE_TYPE(mch_945gm_type)

static bool q35_host_realize(Device *dev, UNUSED Error **errp)
{
    PcHost *s = PC_HOST(dev);

    s->parent.bus = pci_root_bus_new(dev, TYPE_PCIE_BUS, "pcie.0", &s->pci_memory, s->io, 0);
    return true;
}

static const DeviceType q35_host_type = {
    .name = TYPE_Q35_HOST, .parent = TYPE_PC_PCI_HOST, .size = sizeof(PcHost),
    .desc = "Q35 host bridge", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .fw_name = "pci@i0cf8",
    .realize = q35_host_realize,
};
DEVICE_TYPE(q35_host_type)

bool q35_create(PcHostBoard *board, const char *type, uint64_t low, Error **errp)
{
    PcHost *h = pc_host_create(board, TYPE_Q35_HOST, "q35", errp);
    PCIDevice *pci;
    MchState *s;
    bool ok;

    if (!h) {
        return false;
    }
    pci = pci_new(PCI_DEVFN(0, 0), type);
    s = MCH(pci);
    s->system = board->system;
    s->ram = board->ram;
    s->pci_memory = board->pci;
    s->host = h;
    s->low = low;
    ok = pci_realize(pci, board->bus, errp);
    object_unref(pci);
    board->smm = &s->smm_as;
    board->bridge = pci;
    return ok;
}
