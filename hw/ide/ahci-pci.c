/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AHCI as PCI functions: those of the ICH7 (data sheet 307013) and ICH9 (316972) families. Memory BAR 5,
 * an index and data pair in I/O BAR 4 (AHCI 2.4.1), one MSI vector.
 */
#include "util/osdep.h"
#include "hw/ide/ahci-int.h"
#include "hw/ide/ide-state.h"
#include "hw/pci/pci.h"

#define MSI_AT          0x80
#define SATA_CAP_AT     0xa8
#define SATA_CAP_ID     0x12
#define IDP_AT          0x10            /* of the pair, in its BAR */
#define IDP_BAR         4
#define IDP_SIZE        32

typedef struct AhciPci {
    PCIDevice pci;
    AhciState ahci;
    MemRegion idp;
    uint32_t index;
} AhciPci;
DEFINE_CAST(AHCI_PCI, AhciPci, TYPE_AHCI_PCI)

static AhciPci *of(AhciState *s)
{
    return container_of(s, AhciPci, ahci);
}

static MemAttrs attrs(AhciState *s)
{
    return pci_attrs(&of(s)->pci);
}

static void set_irq(AhciState *s, bool level)
{
    pci_set_irq(&of(s)->pci, level);
}

static bool msi(AhciState *s, bool send)
{
    PCIDevice *pci = &of(s)->pci;

    if (send) {
        msi_notify(pci, 0);
    }
    return msi_enabled(pci);
}

/* Index: of a double word in the memory BAR. */
static MemResult idp_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, MemAttrs a)
{
    AhciPci *s = opaque;

    if (addr == IDP_AT + 4 && s->index < ahci_bar_size(&s->ahci)) {
        return ahci_read(&s->ahci, s->index, val, size, a);
    }
    *val = addr == IDP_AT ? s->index : 0;
    return MEM_OK;
}

static MemResult idp_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, MemAttrs a)
{
    AhciPci *s = opaque;

    if (addr == IDP_AT) {
        s->index = val & 0x1ffc;
    } else if (addr == IDP_AT + 4 && s->index < ahci_bar_size(&s->ahci)) {
        return ahci_write(&s->ahci, s->index, val, size, a);
    }
    return MEM_OK;
}

static const MemOps idp_ops = {
    .read = idp_read, .write = idp_write, .order = MEM_LE, .valid = { 1, 4 }, .impl = { 4, 4 },
};

static IdeChannel *find_channel(Device *owner, Bus *bus)
{
    return ahci_channel(&AHCI_PCI(owner)->ahci, bus);
}

static bool ahci_pci_realize(Device *dev, Error **errp)
{
    AhciPci *s = AHCI_PCI(dev);
    uint8_t *c = s->pci.config;

    s->ahci.as = pci_dma_as(&s->pci);
    s->ahci.attrs = attrs;
    s->ahci.set_irq = set_irq;
    s->ahci.msi = msi;
    if (!msi_init(&s->pci, MSI_AT, 1, true, false, errp) ||
        !pci_add_capability(&s->pci, SATA_CAP_ID, SATA_CAP_AT, 8, errp)) {
        return false;
    }
    pci_set_word(c + SATA_CAP_AT + 2, 0x0010);                          /* revision 1.0 */
    pci_set_long(c + SATA_CAP_AT + 4, (IDP_AT / 4) << 4 | (IDP_BAR + 4));   /* AHCI 2.4 */
    c[PCI_CACHE_LINE_SIZE] = 8;
    c[0x90] = 1 << 6;                           /* MAP: AHCI mode (316972, 15.1.28) */
    if (!ahci_init(&s->ahci, dev, errp)) {
        return false;
    }
    memory_region_init_io(&s->idp, s, &idp_ops, s, "ahci-idp", IDP_SIZE);
    pci_register_bar(&s->pci, IDP_BAR, PCI_BAR_IO, &s->idp);
    pci_register_bar(&s->pci, 5, PCI_BAR_MEM32, &s->ahci.mmio);
    return true;
}

static void ahci_pci_unrealize(Device *dev)
{
    AhciPci *s = AHCI_PCI(dev);

    memory_region_cleanup(&s->idp);
    ahci_cleanup(&s->ahci);
}

static void ahci_pci_finalize(Device *dev)
{
    ahci_finalize(&AHCI_PCI(dev)->ahci);
}

static void ahci_pci_reset(Device *dev)
{
    AHCI_PCI(dev)->index = 0;
    ahci_reset(&AHCI_PCI(dev)->ahci);
}

static EventLoop *ahci_pci_io_loop(Device *dev)
{
    return AHCI_PCI(dev)->ahci.loop;
}

static const VmField ahci_pci_fields[] = {
    VM_PCI(AhciPci, pci), VM_U32_RANGE(AhciPci, index, 0, 0x1ffc), VM_STRUCT(AhciPci, ahci, ahci_vm), VM_END
};
static const VmMeaning ahci_pci_meanings[] = {
    { "index", "AHCI register that the index and data ports reach" },
    { .name = NULL }
};

static const Property ahci_props[] = {
    PROP_U32_RANGE("ports", AhciPci, ahci.num_ports, 6, 1, AHCI_MAX_PORTS, "ports, 1 to 32"),
    PROP_BOOL("64bit", AhciPci, ahci.wide, true, "64-bit addresses of memory; else 32"),
    PROP_BOOL("staggered-spin-up", AhciPci, ahci.staggered, false, "drives start when software says so"),
    PROP_LINK("iothread", AhciPci, ahci.iothread, TYPE_IOTHREAD, "the I/O thread that serves its disks"),
    PROP_END
};

static const DeviceType ahci_pci_type = {
    .name = TYPE_AHCI_PCI, .parent = TYPE_PCI_DEVICE, .abstract = true, .desc = "AHCI controller",
    .size = sizeof(AhciPci), .category = DEVICE_STORAGE, .props = ahci_props,
    .pci = { .vendor = 0x8086, .class_code = 0x010601 }, .realize = ahci_pci_realize,
    .unrealize = ahci_pci_unrealize, .finalize = ahci_pci_finalize, .reset_hold = ahci_pci_reset,
    .vm = { 1, ahci_pci_fields, .meanings = ahci_pci_meanings }, .data = find_channel, .printers = ahci_printers,
    .io_loop = ahci_pci_io_loop,
};
DEVICE_TYPE(ahci_pci_type)

static const DeviceType ich9_type = {
    .name = TYPE_ICH9_AHCI, .parent = TYPE_AHCI_PCI, .alias = "ahci", .desc = "ICH9 AHCI controller",
    .hotpluggable = true,
    .pci = { .vendor = 0x8086, .device = 0x2922, .class_code = 0x010601, .revision = 2 },
};
DEVICE_TYPE(ich9_type)

#define ICH7(var, type, id, text) \
    static const DeviceType var = { \
        .name = type, .parent = TYPE_AHCI_PCI, .desc = text, .hotpluggable = true, \
        .pci = { .vendor = 0x8086, .device = id, .class_code = 0x010601, .revision = 1 }, \
    }; \
    DEVICE_TYPE(var)
ICH7(ich7_type, TYPE_ICH7_AHCI, 0x27c1, "ICH7 AHCI controller")
ICH7(ich7r_type, TYPE_ICH7R_AHCI, 0x27c3, "ICH7R AHCI controller")
ICH7(ich7m_type, TYPE_ICH7M_AHCI, 0x27c5, "ICH7-M AHCI controller")
