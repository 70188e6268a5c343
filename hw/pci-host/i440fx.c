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

/* DS 3.2: registers of function 0. */
#define I440FX_PMCCFG   0x50
#define I440FX_DETURBO  0x52
#define I440FX_DRAMC    0x57
#define I440FX_PAM0     0x59
#define I440FX_NUM_PAM  7
#define I440FX_DRB0     0x60
#define I440FX_FDHC     0x68
#define I440FX_SMRAM    0x72
#define SMRAM_DOPEN     BIT(6)
#define SMRAM_DCLS      BIT(5)
#define SMRAM_DLCK      BIT(4)
#define SMRAM_ENABLE    BIT(3)
#define SMRAM_BASE_SEG  0x07
#define SMRAM_BASE_A    0x02
#define PAM_READ        BIT(0)
#define PAM_WRITE       BIT(1)

#define NUM_SEGMENTS    13
#define SMRAM_ADDR      0xa0000
#define SMRAM_SIZE      0x20000

/* One range of PAM, three of its four states; the fourth is plain RAM, which
 * lies below. */
typedef struct PamSegment {
    MemRegion pci;              /* reads and writes go to PCI */
    MemRegion read_only;        /* reads from RAM */
    MemRegion write_only;       /* writes to RAM, reads from PCI */
    struct I440fxState *pmc;
    uint32_t addr;
} PamSegment;

typedef struct I440fxHost {
    PCIHost parent;
    MemRegion pci_memory;
    MemRegion nobody;           /* what no device answers below 1 MiB */
    MemRegion *io;
    MemRegion conf_io;          /* CF8h to CFBh */
    MemRegion *narrow;          /* what CF9h is on PCI; may be NULL */
} I440fxHost;

typedef struct I440fxState {
    PCIDevice pci;
    MemRegion *system, *ram, *pci_memory;
    AddressSpace pci_as;        /* for reads of write-only segments */
    AddressSpace smm_as;
    MemRegion smm_root, smm_system, smm_ram;
    MemRegion vga_window;       /* A0000h: PCI, unless SMRAM is open there */
    PamSegment seg[NUM_SEGMENTS];
} I440fxState;

DEFINE_CAST(I440FX, I440fxState, TYPE_I440FX)
DEFINE_CAST(I440FX_HOST, I440fxHost, TYPE_I440FX_HOST)

/* DS 3.2.18, table 1: F0000h is one, above C0000h there are twelve. */
static uint32_t segment_addr(unsigned n)
{
    return n == 0 ? 0xf0000 : 0xc0000 + (n - 1) * 0x4000;
}

static unsigned segment_attr(const I440fxState *s, unsigned n)
{
    const uint8_t *pam = s->pci.config + I440FX_PAM0;

    return n == 0 ? pam[0] >> 4 & 3 : pam[(n + 1) / 2] >> (n & 1 ? 0 : 4) & 3;
}

static MemResult pam_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                          MemAttrs attrs)
{
    PamSegment *seg = opaque;
    MemResult r;

    *val = address_space_load(&seg->pmc->pci_as, seg->addr + addr, size, MEM_LE, attrs, &r);
    return r;
}

static MemResult pam_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                           MemAttrs attrs)
{
    PamSegment *seg = opaque;

    return memory_region_dispatch_write(seg->pmc->ram, seg->addr + addr, val, size, MEM_LE, attrs);
}

static const MemOps pam_write_only_ops = {
    .read = pam_read, .write = pam_write, .order = MEM_LE,
    .valid = { 1, 8 }, .impl = { .min = 1, .max = 8 },
};

static void i440fx_update_memory(I440fxState *s)
{
    uint8_t smram = s->pci.config[I440FX_SMRAM];
    bool enabled = (smram & SMRAM_ENABLE) && (smram & SMRAM_BASE_SEG) == SMRAM_BASE_A;

    memory_transaction_begin();
    for (unsigned i = 0; i < NUM_SEGMENTS; i++) {
        unsigned attr = segment_attr(s, i);

        memory_region_set_enabled(&s->seg[i].pci, attr == 0);
        memory_region_set_enabled(&s->seg[i].read_only, attr == PAM_READ);
        memory_region_set_enabled(&s->seg[i].write_only, attr == PAM_WRITE);
    }
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
        pci_config_touches(addr, len, I440FX_PAM0, I440FX_NUM_PAM)) {
        i440fx_update_memory(s);
    }
}

static void i440fx_reset_hold(Device *dev)
{
    I440fxState *s = I440FX(dev);

    /* Waking from S3 is no reset of this chip: its registers and so the RAM
     * that firmware resumes in stay. */
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        memset(s->pci.config + I440FX_PAM0, 0, I440FX_NUM_PAM);
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
    for (unsigned i = 0; i < NUM_SEGMENTS; i++) {
        PamSegment *seg = &s->seg[i];
        uint32_t size = i == 0 ? 0x10000 : 0x4000;

        seg->pmc = s;
        seg->addr = segment_addr(i);
        memory_region_init_alias(&seg->pci, s, "pam-pci", s->pci_memory, seg->addr, size);
        memory_region_add_overlap(sys, seg->addr, &seg->pci, 1);
        memory_region_init_alias(&seg->read_only, s, "pam-rom", s->ram, seg->addr, size);
        memory_region_set_readonly(&seg->read_only, true);
        memory_region_set_enabled(&seg->read_only, false);
        memory_region_add_overlap(sys, seg->addr, &seg->read_only, 1);
        memory_region_init_io(&seg->write_only, s, &pam_write_only_ops, seg, "pam-wo", size);
        memory_region_set_enabled(&seg->write_only, false);
        memory_region_add_overlap(sys, seg->addr, &seg->write_only, 1);
    }
    address_space_init(&s->pci_as, s->pci_memory, "pci-memory");
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
    memset(wmask + I440FX_PAM0, 0x33, I440FX_NUM_PAM);
    wmask[I440FX_PAM0] = 0x30;
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

static const DeviceType i440fx_type = {
    .name = TYPE_I440FX, .parent = TYPE_PCI_DEVICE, .size = sizeof(I440fxState),
    .desc = "440FX host bridge, function 0", .not_user_creatable = true,
    .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x1237, .class_code = 0x060000, .revision = 2,
             .pin = PCI_PIN_NONE, .config_write = i440fx_config_write },
    .realize = i440fx_realize, .reset_hold = i440fx_reset_hold,
    .vm = { 1, i440fx_fields, .post_load = i440fx_post_load },
};
DEVICE_TYPE(i440fx_type)

/* DS 3.1.1: only a full dword is CONFIG_ADDRESS; the rest goes on to PCI,
 * where the south bridge has its reset control register. */
static MemResult conf_io_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size,
                              MemAttrs attrs)
{
    I440fxHost *s = opaque;

    if (size == 4) {
        return memory_region_dispatch_read(&s->parent.conf, 0, val, 4, MEM_LE, attrs);
    }
    if (s->narrow && addr == 1 && size == 1) {
        return memory_region_dispatch_read(s->narrow, 0, val, 1, MEM_LE, attrs);
    }
    *val = UINT64_MAX;
    return MEM_OK;
}

static MemResult conf_io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size,
                               MemAttrs attrs)
{
    I440fxHost *s = opaque;

    if (size == 4) {
        return memory_region_dispatch_write(&s->parent.conf, 0, val, 4, MEM_LE, attrs);
    }
    if (s->narrow && addr == 1 && size == 1) {
        return memory_region_dispatch_write(s->narrow, 0, val, 1, MEM_LE, attrs);
    }
    return MEM_OK;
}

static const MemOps conf_io_ops = {
    .read = conf_io_read, .write = conf_io_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

/* A master abort (PCI 3.2.2.3.4). It is a region so that the RAM underneath
 * doesn't show. */
static MemResult nobody_read(UNUSED void *opaque, UNUSED hwaddr addr, uint64_t *val,
                             UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    *val = UINT64_MAX;
    return MEM_OK;
}

static MemResult nobody_write(UNUSED void *opaque, UNUSED hwaddr addr, UNUSED uint64_t val,
                              UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    return MEM_OK;
}

static const MemOps nobody_ops = {
    .read = nobody_read, .write = nobody_write, .order = MEM_LE,
    .valid = { 1, 8 }, .impl = { .min = 1, .max = 8 },
};

void i440fx_set_cf9(Device *host, MemRegion *mr)
{
    I440FX_HOST(host)->narrow = mr;
}

static bool i440fx_host_realize(Device *dev, UNUSED Error **errp)
{
    I440fxHost *s = I440FX_HOST(dev);

    memory_region_init(&s->pci_memory, s, "pci", UINT64_MAX);
    memory_region_init_io(&s->nobody, s, &nobody_ops, s, "pci-low-hole", MIB - SMRAM_ADDR);
    memory_region_add_overlap(&s->pci_memory, SMRAM_ADDR, &s->nobody, -1000);
    s->parent.bus = pci_root_bus_new(dev, TYPE_PCI_BUS, "pci.0", &s->pci_memory, s->io, 0);
    memory_region_init_io(&s->conf_io, s, &conf_io_ops, s, "pci-conf-idx", 4);
    memory_region_add(s->io, 0xcf8, &s->conf_io);
    memory_region_add(s->io, 0xcfc, &s->parent.data);
    return true;
}

static const DeviceType i440fx_host_type = {
    .name = TYPE_I440FX_HOST, .parent = TYPE_PCI_HOST, .size = sizeof(I440fxHost),
    .desc = "440FX host bridge", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .fw_name = "pci@i0cf8",
    .realize = i440fx_host_realize,
};
DEVICE_TYPE(i440fx_host_type)

bool i440fx_create(I440fxBoard *board, Error **errp)
{
    Device *host = device_new(TYPE_I440FX_HOST);
    I440fxHost *h = I440FX_HOST(host);
    PCIDevice *pci;
    I440fxState *s;

    h->io = board->io;
    object_add_child(object_container("/machine"), "i440fx", host);
    if (!device_realize_unref(host, NULL, errp)) {
        return false;
    }
    /* What no RAM answers goes to PCI. */
    memory_region_add_overlap(board->system, 0, &h->pci_memory, -1);
    pci = pci_new(PCI_DEVFN(0, 0), TYPE_I440FX);
    s = I440FX(pci);
    s->system = board->system;
    s->ram = board->ram;
    s->pci_memory = &h->pci_memory;
    if (!pci_realize(pci, h->parent.bus, errp)) {
        object_unref(pci);
        return false;
    }
    object_unref(pci);
    board->pci = &h->pci_memory;
    board->smm = &s->smm_as;
    board->host = host;
    board->bus = h->parent.bus;
    return true;
}
