/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82441FX PCI and memory controller (PMC) of the 440FX.
 *
 * Source: Intel 440FX PCIset data sheet, 290549 ("DS").
 * Modelled: PCI host bridge, PAM, SMRAM control, CONFIG_ADDRESS/DATA. DRAM
 * timing and error registers read back what was written. Not modelled: SMRAM
 * "closed" (D_CLS, DS 3.2.20) makes no difference to data accesses.
 */
#include "util/osdep.h"
#include "hw/pci-host/i440fx.h"

#include "hw/core/runstate.h"
#include "hw/pci-host/pam.h"

/* DS 3.2: registers of function 0. */
#define I440FX_PMCCFG   0x50
#define I440FX_DETURBO  0x52
#define I440FX_DRAMC    0x57
#define I440FX_PAM0     0x59
#define I440FX_DRB0     0x60
#define I440FX_FDHC     0x68
#define I440FX_SMRAM    0x72
#define SMRAM_DOPEN     BIT(6)
#define SMRAM_DCLS      BIT(5)
#define SMRAM_DLCK      BIT(4)
#define SMRAM_ENABLE    BIT(3)
#define SMRAM_BASE_SEG  0x07
#define SMRAM_BASE_A    0x02
#define SMRAM_ADDR      0xa0000
#define SMRAM_SIZE      0x20000

typedef struct I440fxState {
    PCIDevice pci;
    MemRegion *system, *ram, *pci_memory;
    AddressSpace smm_as;
    MemRegion smm_root, smm_system, smm_ram;
    MemRegion vga_window;       /* A0000h: PCI, unless SMRAM is open there */
    Pam pam;
} I440fxState;

DEFINE_CAST(I440FX, I440fxState, TYPE_I440FX)

static void i440fx_update_memory(I440fxState *s)
{
    uint8_t smram = s->pci.config[I440FX_SMRAM];
    bool enabled = (smram & SMRAM_ENABLE) && (smram & SMRAM_BASE_SEG) == SMRAM_BASE_A;

    memory_transaction_begin();
    pam_update(&s->pam, s->pci.config + I440FX_PAM0);
    /* DS 3.2.20: open, it is there for everybody; else in SMM only. */
    memory_region_set_enabled(&s->vga_window, !(enabled && (smram & SMRAM_DOPEN)));
    memory_region_set_enabled(&s->smm_ram, enabled);
    memory_transaction_commit();
}

static void i440fx_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    I440fxState *s = I440FX(pci);
    uint8_t smram = pci->config[I440FX_SMRAM];

    pci_default_config_write(pci, addr, val, len);
    if (pci_config_touches(addr, len, I440FX_SMRAM, 1)) {
        /* DS 3.2.20: once locked, only a reset opens it; D_OPEN is zero. */
        if (smram & SMRAM_DLCK) {
            pci->config[I440FX_SMRAM] = smram;
        } else if (pci->config[I440FX_SMRAM] & SMRAM_DLCK) {
            pci->config[I440FX_SMRAM] &= (uint8_t)~SMRAM_DOPEN;
        }
    }
    if (pci_config_touches(addr, len, I440FX_SMRAM, 1) ||
        pci_config_touches(addr, len, I440FX_PAM0, PAM_REGS)) {
        i440fx_update_memory(s);
    }
}

static void i440fx_reset_hold(Device *dev)
{
    I440fxState *s = I440FX(dev);

    /* Waking from S3 is no reset of this chip: its registers and so the RAM
     * that firmware resumes in stay. */
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        memset(s->pci.config + I440FX_PAM0, 0, PAM_REGS);
        s->pci.config[I440FX_SMRAM] = SMRAM_BASE_A;
        i440fx_update_memory(s);
    }
}

static void i440fx_map(I440fxState *s)
{
    MemRegion *sys = s->system;

    memory_region_init_alias(&s->vga_window, s, "smram-region", s->pci_memory, SMRAM_ADDR,
                             SMRAM_SIZE);
    memory_region_add_overlap(sys, SMRAM_ADDR, &s->vga_window, 1);
    pam_init(&s->pam, s, sys, s->ram, s->pci_memory);
    memory_region_init(&s->smm_root, s, "smm", UINT64_MAX);
    memory_region_init_alias(&s->smm_system, s, "smm-system", sys, 0, UINT64_MAX);
    memory_region_add(&s->smm_root, 0, &s->smm_system);
    memory_region_init_alias(&s->smm_ram, s, "smram", s->ram, SMRAM_ADDR, SMRAM_SIZE);
    memory_region_set_enabled(&s->smm_ram, false);
    memory_region_add_overlap(&s->smm_root, SMRAM_ADDR, &s->smm_ram, 1);
    address_space_init(&s->smm_as, &s->smm_root, "cpu-smm");
}

static bool i440fx_realize(Device *dev, UNUSED Error **errp)
{
    I440fxState *s = I440FX(dev);
    uint8_t *config = s->pci.config, *wmask = s->pci.wmask;

    pci_set_word(config + PCI_STATUS, PCI_STATUS_DEVSEL_MED | PCI_STATUS_FAST_BACK);
    /* The bridge answers memory cycles and is master, always (DS 3.2.3). */
    pci_set_word(wmask + PCI_COMMAND, PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
    pci_set_word(config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    memset(wmask + I440FX_PMCCFG, 0xff, 2);
    wmask[I440FX_DETURBO] = 0xff;
    wmask[I440FX_DRAMC] = 0xff;
    pam_init_wmask(wmask + I440FX_PAM0);
    memset(wmask + I440FX_DRB0, 0xff, 8);
    wmask[I440FX_FDHC] = 0x80;
    wmask[I440FX_SMRAM] = SMRAM_DOPEN | SMRAM_DCLS | SMRAM_DLCK | SMRAM_ENABLE | SMRAM_BASE_SEG;
    i440fx_map(s);
    i440fx_update_memory(s);
    return true;
}

static bool i440fx_post_load(void *opaque, UNUSED Error **errp)
{
    i440fx_update_memory(opaque);
    return true;
}

static const VmField i440fx_fields[] = { VM_PCI(I440fxState, pci), VM_END };

#define PAM_FLAGS   FLAGS({ "LOW_READ", 1 }, { "LOW_WRITE", 2 }, { "HIGH_READ", 0x10 }, { "HIGH_WRITE", 0x20 })

/* DS 3.2, for people. */
static const RegDef config_regs[] = {
    { I440FX_PMCCFG, "PMCCFG", .width = 2 }, { I440FX_DETURBO, "DETURBO", .width = 1 },
    { I440FX_DRAMC, "DRAMC", .width = 1 },
    { 0x59, "PAM0", .width = 1, .flags = FLAGS({ "READ", 0x10 }, { "WRITE", 0x20 }) },
    { 0x5a, "PAM1", .width = 1, .flags = PAM_FLAGS },
    { 0x5b, "PAM2", .width = 1, .flags = PAM_FLAGS },
    { 0x5c, "PAM3", .width = 1, .flags = PAM_FLAGS },
    { 0x5d, "PAM4", .width = 1, .flags = PAM_FLAGS },
    { 0x5e, "PAM5", .width = 1, .flags = PAM_FLAGS },
    { 0x5f, "PAM6", .width = 1, .flags = PAM_FLAGS },
    { 0x60, "DRB0", .width = 1 }, { 0x61, "DRB1", .width = 1 }, { 0x62, "DRB2", .width = 1 },
    { 0x63, "DRB3", .width = 1 }, { 0x64, "DRB4", .width = 1 }, { 0x65, "DRB5", .width = 1 },
    { 0x66, "DRB6", .width = 1 }, { 0x67, "DRB7", .width = 1 }, { I440FX_FDHC, "FDHC", .width = 1 },
    { I440FX_SMRAM, "SMRAM", .width = 1, .flags = FLAGS({ "OPEN", SMRAM_DOPEN }, { "CLOSED", SMRAM_DCLS },
                                                       { "LOCKED", SMRAM_DLCK }, { "ENABLE", SMRAM_ENABLE },
                                                       { "BASE", SMRAM_BASE_SEG }) },
};

static void show_config(StateNode *pci)
{
    pci_state_name_registers(pci, config_regs, ARRAY_SIZE(config_regs));
}

static const VmMeaning i440fx_meanings[] = { { "pci", .show = show_config }, { .name = NULL } };

static const DeviceType i440fx_type = {
    .name = TYPE_I440FX, .parent = TYPE_PCI_DEVICE, .size = sizeof(I440fxState),
    .desc = "440FX host bridge, function 0", .not_user_creatable = true,
    .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x1237, .class_code = 0x060000, .revision = 2,
             .pin = PCI_PIN_NONE, .config_write = i440fx_config_write },
    .realize = i440fx_realize, .reset_hold = i440fx_reset_hold,
    .vm = { 1, i440fx_fields, .post_load = i440fx_post_load, .meanings = i440fx_meanings },
};
DEVICE_TYPE(i440fx_type)

static bool i440fx_host_realize(Device *dev, UNUSED Error **errp)
{
    PcHost *s = PC_HOST(dev);

    s->parent.bus = pci_root_bus_new(dev, TYPE_PCI_BUS, "pci.0", &s->pci_memory, s->io, 0);
    return true;
}

static const DeviceType i440fx_host_type = {
    .name = TYPE_I440FX_HOST, .parent = TYPE_PC_PCI_HOST, .size = sizeof(PcHost),
    .desc = "440FX host bridge", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .fw_name = "pci@i0cf8",
    .realize = i440fx_host_realize,
};
DEVICE_TYPE(i440fx_host_type)

bool i440fx_create(PcHostBoard *board, Error **errp)
{
    PcHost *h = pc_host_create(board, TYPE_I440FX_HOST, "i440fx", errp);
    PCIDevice *pci;
    I440fxState *s;

    if (!h) {
        return false;
    }
    pci = pci_new(PCI_DEVFN(0, 0), TYPE_I440FX);
    s = I440FX(pci);
    s->system = board->system;
    s->ram = board->ram;
    s->pci_memory = board->pci;
    if (!pci_realize(pci, board->bus, errp)) {
        object_unref(pci);
        return false;
    }
    object_unref(pci);
    board->smm = &s->smm_as;
    board->bridge = pci;
    return true;
}
