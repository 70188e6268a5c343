/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICH9 (82801IB), device 31 function 0: PCI-to-LPC bridge, interrupt router, power management, GPIO, reset control
 * register, chipset configuration registers (RCRB).
 *
 * Source: Intel ICH9 data sheet, 316972 ("DS"), chapters 10 and 13. The interrupt controllers, timers and DMA behind
 * it are devices of their own.
 * Not modelled: LPC decode ranges (the board decides what is there), SERIRQ's modes, BIOS_CNTL's write protection,
 * the SPI controller, the HPET's switch in RCRB; their registers keep what is written.
 */
#include "util/osdep.h"
#include "util/bswap.h"
#include "hw/isa/lpc-ich9.h"

#include "hw/acpi/pci-hotplug.h"
#include "hw/core/regs.h"
#include "hw/core/runstate.h"

/* DS 13.1: configuration registers. */
enum { LPC_PMBASE = 0x40, LPC_ACPI_CNTL = 0x44, LPC_GPIOBASE = 0x48, LPC_GC = 0x4c, LPC_SIRQ_CNTL = 0x64,
       LPC_IO_DEC = 0x80, LPC_GEN_PMCON_1 = 0xa0, LPC_GEN_PMCON_3 = 0xa4, LPC_GPI_ROUT = 0xb8, LPC_BIOS_CNTL = 0xdc,
       LPC_RCBA = 0xf0 };
#define PCI_HOTPLUG_IO  0xcc0
#define RTE             1               /* space indicator of an I/O base */
#define PMBASE_MASK     0xff80u
#define ACPI_EN         BIT(7)
#define SCI_IRQ_SEL     7
#define GPIO_EN         BIT(4)
#define GPIOBASE_MASK   0xffc0u
#define PIRQ_DISABLED   BIT(7)
#define PIRQ_ROUTE      0x0f
#define PMCON1_SMI_LOCK BIT(4)
#define RCBA_EN         BIT(0)
#define RCBA_MASK       UINT32_C(0xffffc000)
/* DS 10.1: chipset configuration registers. */
#define RCRB_SIZE       0x4000
enum { RCRB_D31IR = 0x3140, RCRB_D25IR = 0x3150, RCRB_RC = 0x3400, RCRB_HPTC = 0x3404, RCRB_GCS = 0x3410 };
#define DIR_RESET       0x3210
#define GCS_NR          BIT(5)
/* DS 13.7.5: RST_CNT. */
#define RST_CPU         BIT(2)
#define RST_RW          (BIT(1) | BIT(3))

/* DS 13.10: GPIO. */
enum { GPIO_USE_SEL, GP_IO_SEL, GP_LVL, GPO_BLINK, GPI_INV, GPIO_USE_SEL2, GP_IO_SEL2, GP_LVL2, GPIO_REGS };

typedef struct Ich9Lpc {
    PCIDevice pci;
    ISABus *isa;
    MemRegion *system, *isa_mem, *isa_io;
    MemRegion rst_io, apm_io, gpio_io, rcrb_mem;
    IrqLine *irqs[ICH9_NUM_IRQS], *smi;
    Ich9Pm pm;
    PciHotplug hotplug;
    uint8_t apmc, apms, rst_cnt;
    uint32_t gpio[GPIO_REGS];
    uint8_t rcrb[RCRB_SIZE];
    /* Recomputed: PIRQs that are pulled, what the SCI wants, and what we drive. */
    uint8_t pirq_level;
    uint32_t irq_level;
    /* Properties; the first two are read for the DSDT. */
    uint8_t disable_s3, disable_s4;
    bool smm_enabled, noreboot, acpi_hotplug;
} Ich9Lpc;

DEFINE_CAST(ICH9_LPC, Ich9Lpc, TYPE_ICH9_LPC)

/* --- interrupts --- */

static unsigned pirq_reg(unsigned n)
{
    return n < 4 ? ICH9_PIRQA_ROUT + n : ICH9_PIRQE_ROUT + n - 4;
}

unsigned ich9_lpc_sci(Device *lpc)
{
    static const uint8_t gsi[] = { 9, 10, 11, 9, 20, 21, 22, 23 };      /* DS 13.1.13 */

    return gsi[ICH9_LPC(lpc)->pci.config[LPC_ACPI_CNTL] & SCI_IRQ_SEL];
}

/* DS 5.8.6, 13.1.17: each PIRQ is an input of the I/O APIC, and of the 8259s if it is routed there. */
static void update_irqs(Ich9Lpc *s)
{
    uint32_t level = (uint32_t)s->pirq_level << ICH9_PIRQ_GSI, changed;

    for (unsigned i = 0; i < ICH9_NUM_PIRQS; i++) {
        uint8_t route = s->pci.config[pirq_reg(i)];

        if ((s->pirq_level & BIT(i)) && !(route & PIRQ_DISABLED)) {
            level |= BIT(route & PIRQ_ROUTE);
        }
    }
    if (s->pm.sci_level) {
        level |= BIT(ich9_lpc_sci(&s->pci.dev));
    }
    changed = level ^ s->irq_level;
    s->irq_level = level;
    for (unsigned i = 0; i < ICH9_NUM_IRQS; i++) {
        if (changed & BIT(i)) {
            irq_set(s->irqs[i], level >> i & 1);
        }
    }
}

static void set_pirq(void *opaque, int n, int level)
{
    Ich9Lpc *s = opaque;
    uint8_t bit = (uint8_t)BIT(n);

    s->pirq_level = (uint8_t)(level ? s->pirq_level | bit : s->pirq_level & ~bit);
    update_irqs(s);
}

/* DS 10.1.34 ff.: functions of the hub itself are routed by DnnIR; slots outside of it are wired in turn to PIRQE to
 * PIRQH by the board. */
int ich9_lpc_pirq(PCIDevice *lpc, unsigned slot, unsigned pin)
{
    static const uint8_t ir[] = { 0x10, 0x0c, 0x08, 0x06, 0x04, 0x02, 0x00 };        /* D25IR to D31IR */

    if (slot < 25) {
        return 4 + (int)((slot + pin) & 3);
    }
    return load_le16(ICH9_LPC(lpc)->rcrb + RCRB_D31IR + ir[slot - 25]) >> pin * 4 & 7;
}

static int map_pirq(PCIDevice *pci, int pin)
{
    PCIDevice *lpc = pci_bus(pci)->devices[ICH9_LPC_DEVFN];

    return ich9_lpc_pirq(lpc, PCI_SLOT(pci->devfn), (unsigned)pin);
}

static void sci(void *opaque, UNUSED bool level)
{
    update_irqs(opaque);
}

static void smi(void *opaque)
{
    irq_pulse(((Ich9Lpc *)opaque)->smi);
}

static void set_gpe(void *opaque, int n, int level)
{
    if (level) {
        ich9_pm_event(&ICH9_LPC(opaque)->pm, (unsigned)n);
    }
}

static void hotplug_event(void *opaque)
{
    ich9_pm_event(&((Ich9Lpc *)opaque)->pm, PCI_HOTPLUG_EVENT);
}

struct PciHotplug *ich9_lpc_hotplug(Device *lpc)
{
    Ich9Lpc *s = ICH9_LPC(lpc);

    return s->acpi_hotplug ? &s->hotplug : NULL;
}

/* --- ports --- */

static MemResult apm_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Lpc *s = opaque;

    *val = addr ? s->apms : s->apmc;
    return MEM_OK;
}

/* DS 13.7.1. The port itself switches ACPI mode on and off, which on boards is the firmware's SMI handler's work. */
static MemResult apm_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Lpc *s = opaque;

    if (addr) {
        s->apms = (uint8_t)val;
        return MEM_OK;
    }
    s->apmc = (uint8_t)val;
    if (s->apmc == ICH9_ACPI_ENABLE || s->apmc == ICH9_ACPI_DISABLE) {
        pm1_set_sci_enable(&s->pm.pm1, s->apmc == ICH9_ACPI_ENABLE);
    }
    ich9_pm_apm(&s->pm);
    return MEM_OK;
}

static const MemOps apm_ops = {
    .read = apm_read, .write = apm_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static MemResult rst_read(void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = ((Ich9Lpc *)opaque)->rst_cnt;
    return MEM_OK;
}

static MemResult rst_write(void *opaque, UNUSED hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    Ich9Lpc *s = opaque;

    /* The reset starts when bit 2 is written as 1. */
    if (val & RST_CPU) {
        system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        return MEM_OK;
    }
    s->rst_cnt = val & RST_RW;
    return MEM_OK;
}

static const MemOps rst_ops = {
    .read = rst_read, .write = rst_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static const RegDef gpio_regs[GPIO_REGS] = {
    [GPIO_USE_SEL] = { 0x00, "GPIO_USE_SEL", .reset = 0x197e75ff, .rw = UINT32_MAX },
    [GP_IO_SEL] = { 0x04, "GP_IO_SEL", .reset = 0xe0ea6fff, .rw = UINT32_MAX },
    [GP_LVL] = { 0x0c, "GP_LVL", .reset = 0x02fe0100, .rw = UINT32_MAX },
    [GPO_BLINK] = { 0x18, "GPO_BLINK", .reset = 0x00040000, .rw = UINT32_MAX },
    [GPI_INV] = { 0x2c, "GPI_INV", .rw = UINT32_MAX },
    [GPIO_USE_SEL2] = { 0x30, "GPIO_USE_SEL2", .reset = 0x070300fe, .rw = UINT32_MAX },
    [GP_IO_SEL2] = { 0x34, "GP_IO_SEL2", .reset = 0x1b55fff0, .rw = UINT32_MAX },
    [GP_LVL2] = { 0x38, "GP_LVL2", .reset = 0x1fef0003, .rw = UINT32_MAX },
};

/* --- chipset configuration registers --- */

static bool is_no_reboot(const Ich9Lpc *s)
{
    return s->rcrb[RCRB_GCS] & GCS_NR;
}

static MemResult rcrb_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, UNUSED MemAttrs attrs)
{
    const uint8_t *r = ((Ich9Lpc *)opaque)->rcrb + addr;

    *val = size == 4 ? load_le32(r) : size == 2 ? load_le16(r) : *r;
    return MEM_OK;
}

static void rcrb_changed(Ich9Lpc *s)
{
    /* DS 10.1.76: the strap can't be overridden. */
    s->rcrb[RCRB_GCS] |= s->noreboot ? GCS_NR : 0;
    s->pm.no_reboot = is_no_reboot(s);
}

static MemResult rcrb_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, UNUSED MemAttrs attrs)
{
    Ich9Lpc *s = opaque;

    for (unsigned i = 0; i < size; i++) {
        s->rcrb[addr + i] = (uint8_t)(val >> i * 8);
    }
    rcrb_changed(s);
    if (addr >= RCRB_D31IR && addr < RCRB_D25IR + 4) {
        pci_bus_irq_changed(pci_bus(&s->pci));
    }
    return MEM_OK;
}

static const MemOps rcrb_ops = {
    .read = rcrb_read, .write = rcrb_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { .min = 1, .max = 4 },
};

static void rcrb_reset(Ich9Lpc *s)
{
    memset(s->rcrb, 0, sizeof(s->rcrb));
    for (unsigned r = RCRB_D31IR; r <= RCRB_D25IR; r += 2) {
        store_le16(s->rcrb + r, DIR_RESET);
    }
    rcrb_changed(s);
}

/* --- configuration space --- */

uint16_t ich9_lpc_pm_base(Device *lpc)
{
    const uint8_t *c = ICH9_LPC(lpc)->pci.config;

    return c[LPC_ACPI_CNTL] & ACPI_EN ? pci_get_word(c + LPC_PMBASE) & PMBASE_MASK : 0;
}

static void update_mapping(Ich9Lpc *s)
{
    const uint8_t *c = s->pci.config;
    uint32_t rcba = pci_get_long(c + LPC_RCBA);

    memory_transaction_begin();
    memory_region_set_enabled(&s->pm.io, c[LPC_ACPI_CNTL] & ACPI_EN);
    memory_region_set_address(&s->pm.io, pci_get_word(c + LPC_PMBASE) & PMBASE_MASK);
    memory_region_set_enabled(&s->gpio_io, c[LPC_GC] & GPIO_EN);
    memory_region_set_address(&s->gpio_io, pci_get_word(c + LPC_GPIOBASE) & GPIOBASE_MASK);
    memory_region_set_enabled(&s->rcrb_mem, rcba & RCBA_EN);
    memory_region_set_address(&s->rcrb_mem, rcba & RCBA_MASK);
    memory_transaction_commit();
    s->pm.smi_lock = c[LPC_GEN_PMCON_1] & PMCON1_SMI_LOCK;
}

static void lpc_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    Ich9Lpc *s = ICH9_LPC(pci);
    uint8_t lock = pci->config[LPC_GEN_PMCON_1] & PMCON1_SMI_LOCK;

    pci_default_config_write(pci, addr, val, len);
    pci->config[LPC_GEN_PMCON_1] |= lock;       /* DS 13.8.1.1: until a reset */
    update_mapping(s);
    update_irqs(s);
}

static void lpc_reset_hold(Device *dev)
{
    Ich9Lpc *s = ICH9_LPC(dev);
    uint8_t *c = s->pci.config;

    /* Where the ports are is kept during sleep: firmware uses them before it sets up PCI again. */
    if (!runstate_check(RUN_STATE_SUSPENDED)) {
        pci_set_long(c + LPC_PMBASE, RTE);
        c[LPC_ACPI_CNTL] = 0;
        pci_set_long(c + LPC_GPIOBASE, RTE);
        c[LPC_GC] = 0;
    }
    for (unsigned i = 0; i < ICH9_NUM_PIRQS; i++) {
        c[pirq_reg(i)] = PIRQ_DISABLED;
    }
    c[LPC_SIRQ_CNTL] = 0x10;
    memset(c + LPC_IO_DEC, 0, 0x20);
    memset(c + LPC_GEN_PMCON_1, 0, 6);
    memset(c + LPC_GPI_ROUT, 0, 4);
    c[LPC_BIOS_CNTL] = 0;
    pci_set_long(c + LPC_RCBA, 0);
    s->apmc = s->apms = s->rst_cnt = 0;
    regs_reset(s->gpio, gpio_regs, GPIO_REGS);
    rcrb_reset(s);
    update_mapping(s);
    ich9_pm_reset(&s->pm, !s->smm_enabled);
    pci_hotplug_reset(&s->hotplug);
    update_irqs(s);
}

static void init_config(Ich9Lpc *s)
{
    uint8_t *c = s->pci.config, *w = s->pci.wmask;

    pci_set_word(c + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_word(w + PCI_COMMAND, PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
    pci_set_word(c + PCI_STATUS, PCI_STATUS_DEVSEL_MED);
    pci_set_long(w + LPC_PMBASE, PMBASE_MASK);
    w[LPC_ACPI_CNTL] = ACPI_EN | SCI_IRQ_SEL;
    pci_set_long(w + LPC_GPIOBASE, GPIOBASE_MASK);
    w[LPC_GC] = GPIO_EN | 1;
    for (unsigned i = 0; i < ICH9_NUM_PIRQS; i++) {
        w[pirq_reg(i)] = PIRQ_DISABLED | PIRQ_ROUTE;
    }
    w[LPC_SIRQ_CNTL] = 0xff;
    memset(w + LPC_IO_DEC, 0xff, 0x20);
    memset(w + LPC_GEN_PMCON_1, 0xff, 6);
    memset(w + LPC_GPI_ROUT, 0xff, 4);
    w[LPC_BIOS_CNTL] = 0x1f;
    pci_set_long(w + LPC_RCBA, RCBA_MASK | RCBA_EN);
}

/* --- life --- */

static void lpc_init(Device *dev)
{
    Ich9Lpc *s = ICH9_LPC(dev);

    device_init_irq_out(dev, "smi", &s->smi, 1);
    s->pm.sci = sci;
    s->pm.smi = smi;
    s->pm.opaque = s;
    ich9_pm_init(&s->pm, dev);
}

static bool lpc_realize(Device *dev, UNUSED Error **errp)
{
    Ich9Lpc *s = ICH9_LPC(dev);

    init_config(s);
    s->pm.ich7 = object_is_a(dev, TYPE_ICH7_LPC);
    s->isa = isa_bus_new(dev, "isa.0", s->isa_mem, s->isa_io);
    device_init_irq_in(dev, "gpe", set_gpe, 16);
    ich9_pm_realize(&s->pm, dev, s->disable_s3);
    memory_region_set_enabled(&s->pm.io, false);
    memory_region_add_overlap(s->isa_io, 0, &s->pm.io, 1);
    regs_init_region_full(&s->gpio_io, s, "ich9-gpio", 0x40, gpio_regs, GPIO_REGS, s->gpio, s,
                          LITTLE_ENDIAN_REGS, 1);
    memory_region_set_enabled(&s->gpio_io, false);
    memory_region_add_overlap(s->isa_io, 0, &s->gpio_io, 1);
    memory_region_init_io(&s->apm_io, s, &apm_ops, s, "apm-io", 2);
    memory_region_add(s->isa_io, ICH9_SMI_CMD, &s->apm_io);
    memory_region_init_io(&s->rst_io, s, &rst_ops, s, "ich9-reset-control", 1);
    memory_region_init_io(&s->rcrb_mem, s, &rcrb_ops, s, "ich9-rcrb", RCRB_SIZE);
    memory_region_set_enabled(&s->rcrb_mem, false);
    memory_region_add_overlap(s->system, 0, &s->rcrb_mem, 1);
    if (s->acpi_hotplug) {
        pci_hotplug_init(&s->hotplug, dev, pci_bus(&s->pci), false, s->isa_io, PCI_HOTPLUG_IO, hotplug_event, s);
    }
    pci_bus_set_irqs(pci_bus(&s->pci), set_pirq, map_pirq, s, ICH9_NUM_PIRQS);
    return true;
}

static bool lpc_post_load(void *opaque, Error **errp)
{
    Ich9Lpc *s = opaque;

    rcrb_changed(s);
    update_mapping(s);
    if (!ich9_pm_post_load(&s->pm, errp)) {
        return false;
    }
    s->irq_level = UINT32_MAX;          /* drive them all */
    update_irqs(s);
    pci_bus_irq_changed(pci_bus(&s->pci));
    return true;
}

static const VmField lpc_fields[] = {
    VM_PCI(Ich9Lpc, pci), VM_U8(Ich9Lpc, apmc), VM_U8(Ich9Lpc, apms), VM_U8(Ich9Lpc, rst_cnt),
    VM_REGS(Ich9Lpc, gpio, gpio_regs), VM_BUFFER(Ich9Lpc, rcrb),
    VM_STRUCT(Ich9Lpc, pm, ich9_pm_vm), VM_U32_ARRAY(Ich9Lpc, hotplug.up), VM_U32_ARRAY(Ich9Lpc, hotplug.down),
    VM_U32(Ich9Lpc, hotplug.selected), VM_END
};

static const Property lpc_props[] = {
    PROP_U8_RANGE("disable_s3", Ich9Lpc, disable_s3, 0, 0, 1, "1: do not offer sleep to RAM"),
    PROP_U8_RANGE("disable_s4", Ich9Lpc, disable_s4, 0, 0, 1, "1: do not offer sleep to disk"),
    PROP_BOOL("smm-enabled", Ich9Lpc, smm_enabled, false, "the CPUs have system management mode"),
    PROP_BOOL("acpi-pci-hotplug-with-bridge-support", Ich9Lpc, acpi_hotplug, true,
              "functions come and go by ACPI behind ports and bridges; off: by the ports' own registers"),
    PROP_BOOL("noreboot", Ich9Lpc, noreboot, true, "strap: the TCO timer doesn't reset"),
    PROP_END
};

static const VmMeaning lpc_meanings[] = {
    { "hotplug.selected", "BNUM: the bus whose slots the registers show" },
    { "rcrb", .payload = "chipset configuration registers, by offset" },
    { "apmc", "APM control" }, { "apms", "APM status" }, { "rst_cnt", "reset control" },
    { "hotplug.up", "slots where something came, a bit each, for each number of a bus (BNUM)" },
    { "hotplug.down", "slots whose function the user wants back, the same way" },
    { .name = NULL }
};

static const DeviceType lpc_type = {
    .name = TYPE_ICH9_LPC, .parent = TYPE_PCI_DEVICE, .size = sizeof(Ich9Lpc),
    .desc = "ICH9 LPC bridge", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x2918, .class_code = 0x060100, .revision = 2,
             .pin = PCI_PIN_NONE, .multifunction = true, .config_write = lpc_config_write },
    .props = lpc_props, .init = lpc_init, .realize = lpc_realize, .reset_hold = lpc_reset_hold,
    .vm = { 1, lpc_fields, .post_load = lpc_post_load, .meanings = lpc_meanings },
};
DEVICE_TYPE(lpc_type)

/* ICH7 10: what is modelled is the same but for the place of GPE0. */
static const DeviceType ich7_lpc_type = {
    .name = TYPE_ICH7_LPC, .parent = TYPE_ICH9_LPC, .desc = "ICH7-M LPC bridge", .not_user_creatable = true,
    .pci = { .device = 0x27b9, .revision = 2 },
};
DEVICE_TYPE(ich7_lpc_type)

PCIDevice *ich9_lpc_create(const char *type, PCIBus *bus, MemRegion *system, MemRegion *mem, MemRegion *io, bool smm,
                           ISABus **isa, Error **errp)
{
    PCIDevice *pci = pci_new(ICH9_LPC_DEVFN, type);
    Ich9Lpc *s = ICH9_LPC(pci);
    bool ok;

    s->system = system;
    s->isa_mem = mem;
    s->isa_io = io;
    pci->multifunction = true;
    ok = object_set_bool(pci, "smm-enabled", smm, errp) && pci_realize(pci, bus, errp);
    object_unref(pci);          /* the bus has one */
    if (!ok) {
        return NULL;
    }
    *isa = s->isa;
    return pci;
}

void ich9_lpc_set_irqs(PCIDevice *lpc, IrqLine *const *lines)
{
    memcpy(ICH9_LPC(lpc)->irqs, lines, sizeof(ICH9_LPC(lpc)->irqs));
}

MemRegion *ich9_lpc_reset_control(PCIDevice *lpc)
{
    return &ICH9_LPC(lpc)->rst_io;
}
