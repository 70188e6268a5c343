/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82371SB (PIIX3), function 0: PCI-to-ISA bridge, interrupt router, reset
 * control register.
 *
 * Source: Intel 82371SB data sheet, 290550 ("DS"). Its IDE and USB functions,
 * interrupt controllers, timer and DMA are devices of their own.
 */
#include "util/osdep.h"
#include "hw/isa/piix3.h"

#include "hw/core/runstate.h"

/* DS 2.2: configuration registers. */
#define PIIX_IORT       0x4c
#define PIIX_XBCS       0x4e
#define PIIX_PIRQRCA    0x60
#define PIIX_NUM_PIRQ   4
#define PIRQ_DISABLED   BIT(7)
#define PIRQ_ROUTE      0x0f
#define PIIX_TOM        0x69
#define PIIX_MSTAT      0x6a
#define PIIX_MBIRQ0     0x70
#define PIIX_MBDMA0     0x76
#define PIIX_PCSC       0x78
#define PIIX_APICBASE   0x80
#define PIIX_DLC        0x82
#define PIIX_SMICNTL    0xa0
#define PIIX_SMIEN      0xa2
#define PIIX_SEE        0xa4
#define PIIX_FTMR       0xa8
#define PIIX_SMIREQ     0xaa
#define PIIX_CTLTMR     0xac
/* DS 2.5.12: RCR. */
#define RCR_RESET       BIT(2)
#define RCR_HARD        BIT(1)

typedef struct Piix3State {
    PCIDevice pci;
    ISABus *isa;
    MemRegion *isa_mem, *isa_io;
    MemRegion rcr_io;
    IrqLine *irqs[ISA_NUM_IRQS];
    uint8_t rcr;
    /* Recomputed: level of each PCI interrupt line, and of what we drive. */
    uint8_t pirq_level;         /* one bit a line */
    uint16_t irq_level;
} Piix3State;

DEFINE_CAST(PIIX3, Piix3State, TYPE_PIIX3)

/* DS 2.2.8: PIRQ lines that share an interrupt are ORed. */
static void piix3_update_irqs(Piix3State *s)
{
    uint16_t level = 0, changed;

    for (unsigned i = 0; i < PIIX_NUM_PIRQ; i++) {
        uint8_t route = s->pci.config[PIIX_PIRQRCA + i];

        if ((s->pirq_level & BIT(i)) && !(route & PIRQ_DISABLED)) {
            level |= (uint16_t)BIT(route & PIRQ_ROUTE);
        }
    }
    changed = level ^ s->irq_level;
    s->irq_level = level;
    for (unsigned i = 0; i < ISA_NUM_IRQS; i++) {
        if (changed & BIT(i)) {
            irq_set(s->irqs[i], level >> i & 1);
        }
    }
}

static void piix3_set_pirq(void *opaque, int n, int level)
{
    Piix3State *s = opaque;
    uint8_t bit = (uint8_t)BIT(n);

    s->pirq_level = (uint8_t)(level ? s->pirq_level | bit : s->pirq_level & ~bit);
    piix3_update_irqs(s);
}

/* The board's wiring: INTA# of slot 1 is PIRQA, and each slot is one on. */
static int piix3_map_pirq(PCIDevice *pci, int pin)
{
    return (pin + PCI_SLOT(pci->devfn) - 1) & 3;
}

static void piix3_config_write(PCIDevice *pci, uint32_t addr, uint32_t val, unsigned len)
{
    pci_default_config_write(pci, addr, val, len);
    if (pci_config_touches(addr, len, PIIX_PIRQRCA, PIIX_NUM_PIRQ)) {
        piix3_update_irqs(PIIX3(pci));
    }
}

static MemResult rcr_read(void *opaque, UNUSED hwaddr addr, uint64_t *val, UNUSED unsigned size,
                          UNUSED MemAttrs attrs)
{
    *val = ((Piix3State *)opaque)->rcr;
    return MEM_OK;
}

static MemResult rcr_write(void *opaque, UNUSED hwaddr addr, uint64_t val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    Piix3State *s = opaque;

    /* DS 2.5.12: the reset starts when bit 2 is written as 1. */
    if (val & RCR_RESET) {
        system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        return MEM_OK;
    }
    s->rcr = val & RCR_HARD;
    return MEM_OK;
}

static const MemOps rcr_ops = {
    .read = rcr_read, .write = rcr_write, .order = MEM_LE,
    .valid = { 1, 4 }, .impl = { .min = 1, .max = 1 },
};

static void piix3_reset_hold(Device *dev)
{
    Piix3State *s = PIIX3(dev);
    uint8_t *c = s->pci.config;

    c[PIIX_IORT] = 0x4d;
    c[PIIX_XBCS] = 0x03;
    c[PIIX_XBCS + 1] = 0;
    memset(c + PIIX_PIRQRCA, PIRQ_DISABLED, PIIX_NUM_PIRQ);
    c[PIIX_TOM] = 0x02;
    memset(c + PIIX_MBIRQ0, PIRQ_DISABLED, 2);
    memset(c + PIIX_MBDMA0, 0x0c, 2);
    c[PIIX_PCSC] = 0x02;
    c[PIIX_PCSC + 1] = c[PIIX_APICBASE] = c[PIIX_DLC] = 0;
    c[PIIX_SMICNTL] = 0x08;
    memset(c + PIIX_SMIEN, 0, 2);
    memset(c + PIIX_SEE, 0, 4);
    c[PIIX_FTMR] = 0x0f;
    memset(c + PIIX_SMIREQ, 0, 2);
    memset(c + PIIX_CTLTMR, 0, 3);
    s->rcr = 0;
    piix3_update_irqs(s);
}

static bool piix3_realize(Device *dev, UNUSED Error **errp)
{
    Piix3State *s = PIIX3(dev);
    uint8_t *wmask = s->pci.wmask;

    pci_set_word(s->pci.config + PCI_COMMAND,
                 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_word(wmask + PCI_COMMAND, PCI_COMMAND_SPECIAL);
    pci_set_word(s->pci.config + PCI_STATUS, PCI_STATUS_DEVSEL_MED);
    wmask[PIIX_IORT] = 0x7f;
    memset(wmask + PIIX_XBCS, 0xff, 2);
    memset(wmask + PIIX_PIRQRCA, PIRQ_DISABLED | PIRQ_ROUTE, PIIX_NUM_PIRQ);
    wmask[PIIX_TOM] = 0xfe;
    memset(wmask + PIIX_MBIRQ0, 0xef, 2);
    memset(wmask + PIIX_MBDMA0, 0x8f, 2);
    memset(wmask + PIIX_PCSC, 0xff, 2);
    wmask[PIIX_APICBASE] = 0x7f;
    wmask[PIIX_DLC] = 0x0f;
    wmask[PIIX_SMICNTL] = 0x1f;
    memset(wmask + PIIX_SMIEN, 0xff, 2);
    memset(wmask + PIIX_SEE, 0xff, 4);
    wmask[PIIX_FTMR] = 0xff;
    memset(wmask + PIIX_CTLTMR, 0xff, 3);
    s->isa = isa_bus_new(dev, "isa.0", s->isa_mem, s->isa_io);
    memory_region_init_io(&s->rcr_io, s, &rcr_ops, s, "piix3-reset-control", 1);
    pci_bus_set_irqs(pci_bus(&s->pci), piix3_set_pirq, piix3_map_pirq, s, PIIX_NUM_PIRQ);
    return true;
}

static bool piix3_post_load(void *opaque, UNUSED Error **errp)
{
    Piix3State *s = opaque;

    s->irq_level = 0xffff;      /* drive them all */
    piix3_update_irqs(s);
    return true;
}

static const VmField piix3_fields[] = {
    VM_PCI(Piix3State, pci), VM_U8(Piix3State, rcr),
    VM_U8_RANGE(Piix3State, pirq_level, 0, 15), VM_END
};

#define ROUTE_FLAGS FLAGS({ "DISABLED", PIRQ_DISABLED }, { "IRQ", PIRQ_ROUTE })

/* DS 2.2, for people. */
static const RegDef config_regs[] = {
    { PIIX_IORT, "IORT", .width = 1 }, { PIIX_XBCS, "XBCS", .width = 2 },
    { 0x60, "PIRQRCA", .width = 1, .flags = ROUTE_FLAGS }, { 0x61, "PIRQRCB", .width = 1, .flags = ROUTE_FLAGS },
    { 0x62, "PIRQRCC", .width = 1, .flags = ROUTE_FLAGS }, { 0x63, "PIRQRCD", .width = 1, .flags = ROUTE_FLAGS },
    { 0x69, "TOM", .width = 1 }, { 0x6a, "MSTAT", .width = 2 }, { 0x70, "MBIRQ0", .width = 1 },
    { 0x71, "MBIRQ1", .width = 1 }, { 0x76, "MBDMA0", .width = 1 }, { 0x77, "MBDMA1", .width = 1 },
    { 0x78, "PCSC", .width = 2 }, { 0x82, "DLC", .width = 1 }, { 0xa0, "SMICNTL", .width = 1 },
    { 0xa2, "SMIEN", .width = 2 }, { 0xa4, "SEE", .width = 4 }, { 0xa8, "FTMR", .width = 1 },
    { 0xaa, "SMIREQ", .width = 2 }, { 0xac, "CTLTMR", .width = 1 }, { 0xae, "CTHTMR", .width = 1 },
};

static void show_config(StateNode *pci)
{
    pci_state_name_registers(pci, config_regs, ARRAY_SIZE(config_regs));
}

static const VmMeaning piix3_meanings[] = {
    { "pci", .show = show_config }, { "rcr", "reset control" }, { "pirq_level", "levels of PIRQA# to PIRQD#" },
    { .name = NULL }
};

static const DeviceType piix3_type = {
    .name = TYPE_PIIX3, .parent = TYPE_PCI_DEVICE, .size = sizeof(Piix3State),
    .desc = "PCI-to-ISA bridge", .not_user_creatable = true, .category = DEVICE_BRIDGE,
    .pci = { .vendor = 0x8086, .device = 0x7000, .class_code = 0x060100,
             .pin = PCI_PIN_NONE, .multifunction = true, .config_write = piix3_config_write },
    .realize = piix3_realize, .reset_hold = piix3_reset_hold,
    .vm = { 1, piix3_fields, .post_load = piix3_post_load, .meanings = piix3_meanings },
};
DEVICE_TYPE(piix3_type)

PCIDevice *piix3_create(PCIBus *bus, MemRegion *mem, MemRegion *io, ISABus **isa, Error **errp)
{
    PCIDevice *pci = pci_new(PCI_DEVFN(1, 0), TYPE_PIIX3);
    Piix3State *s = PIIX3(pci);
    bool ok;

    s->isa_mem = mem;
    s->isa_io = io;
    pci->multifunction = true;
    ok = pci_realize(pci, bus, errp);
    object_unref(pci);          /* the bus has one */
    if (!ok) {
        return NULL;
    }
    *isa = s->isa;
    return pci;
}

void piix3_set_irqs(PCIDevice *piix3, IrqLine *const *lines)
{
    memcpy(PIIX3(piix3)->irqs, lines, sizeof(PIIX3(piix3)->irqs));
}

MemRegion *piix3_reset_control(PCIDevice *piix3)
{
    return &PIIX3(piix3)->rcr_io;
}
