/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel Gigabit Ethernet controllers: registers, EEPROM, PHY, interrupts; the 82540EM.
 *
 * Sources: SDM (see e1000.h); 88E1011 PHY registers as chapter 13.4 of it names them.
 * Not modelled: the flash, delays of interrupts but ITR (RDTR, TIDV and the like: they come at once).
 */
#include "util/osdep.h"
#include "hw/net/e1000.h"
#include "hw/core/boot.h"
#include "net/offload.h"
#include "util/bswap.h"
#include "util/log.h"

#define STATUS_RESET    0x80080781u     /* full duplex, 1000 Mb/s, 66 MHz PCI, bus type bits */

/* EECD (SDM 13.4.3) */
enum { EECD_SK = BIT(0), EECD_CS = BIT(1), EECD_DI = BIT(2), EECD_DO = BIT(3), EECD_REQ = BIT(6),
       EECD_GNT = BIT(7), EECD_PRES = BIT(8) };

#define ITR_UNIT_NS     256             /* SDM 13.4.18 */

/* --- interrupts (SDM 13.4.17 to 13.4.21) --- */

static void set_irq(E1000State *s)
{
    bool level = (s->reg[REG_ICR] & s->reg[REG_IMS]) != 0;

    if (!msi_enabled(&s->pci)) {
        pci_set_irq(&s->pci, level);
    } else if (level && !(s->told & 1)) {
        s->told = level;
        msi_notify(&s->pci, 0);
    }
    s->told = level;
}

static void itr_expired(void *opaque)
{
    E1000State *s = opaque;

    s->itr_waiting = false;
    set_irq(s);
}

void e1000_update_line(E1000State *s)
{
    bool level = (s->reg[REG_ICR] & s->reg[REG_IMS]) != 0;

    if (level && timer_pending(&s->itr)) {
        s->itr_waiting = true;                      /* it comes when the interval is over */
        return;
    }
    s->itr_waiting = false;
    set_irq(s);
}

/* The interval begins when the driver takes an interrupt. */
static void itr_start(E1000State *s)
{
    if (s->reg[REG_ITR] && !timer_pending(&s->itr)) {
        timer_mod_ns(&s->itr, clock_get_ns(CLOCK_VIRTUAL) + (int64_t)s->reg[REG_ITR] * ITR_UNIT_NS);
    }
}

static void update_irq(E1000State *s)
{
    s->model->update_irq(s);
}

void e1000_interrupt(E1000State *s, uint32_t causes)
{
    s->reg[REG_ICR] |= s->model->derive ? s->model->derive(causes) : causes;
    update_irq(s);
}

uint32_t e1000_icr_read(void *opaque)
{
    E1000State *s = opaque;
    uint32_t v = s->reg[REG_ICR];

    if (v & s->reg[REG_IMS]) {
        itr_start(s);
        if (s->model->derive) {                     /* 82574 10.2.4.1 */
            v |= E1000_INT_ASSERTED;
            s->reg[REG_IMS] &= s->reg[REG_CTRL_EXT] & E1000_CTRL_EXT_IAME ? ~s->reg[REG_IAM] : ~0u;
        }
    }
    s->reg[REG_ICR] = 0;
    update_irq(s);
    return v;
}

void e1000_icr_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_ICR] &= ~val;
    update_irq(s);
}

void e1000_ics_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    e1000_interrupt(opaque, val & ((E1000State *)opaque)->model->causes);
}

void e1000_ims_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_IMS] |= val & s->model->causes;
    update_irq(s);
}

void e1000_imc_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_IMS] &= ~val;
    update_irq(s);
}

/* --- statistics --- */

void e1000_count(E1000State *s, unsigned stat, uint32_t n)
{
    s->stats[stat] = s->stats[stat] > UINT32_MAX - n ? UINT32_MAX : s->stats[stat] + n;
}

void e1000_count64(E1000State *s, unsigned stat, uint32_t n)
{
    uint64_t v = s->stats[stat] | (uint64_t)s->stats[stat + 1] << 32;

    v = v > UINT64_MAX - n ? UINT64_MAX : v + n;
    s->stats[stat] = v;
    s->stats[stat + 1] = v >> 32;
}

/* --- EEPROM (SDM 5.6) --- */

static void eeprom_init(E1000State *s)
{
    uint16_t sum = 0;

    memset(s->eeprom, 0, sizeof(s->eeprom));
    for (int i = 0; i < 3; i++) {
        s->eeprom[i] = s->mac.a[2 * i] | s->mac.a[2 * i + 1] << 8;
    }
    s->eeprom[0x0a] = 0x4000;       /* signature in bits 15:14 */
    s->eeprom[0x0b] = s->pci.info.device;           /* subsystem id */
    s->eeprom[0x0c] = 0x8086;       /* subsystem vendor */
    s->eeprom[0x0d] = s->pci.info.device;
    s->eeprom[0x0e] = 0x8086;
    for (int i = 0; i < 63; i++) {
        sum += s->eeprom[i];
    }
    s->eeprom[63] = 0xbaba - sum;
}

/* Microwire: on rising clocks a start bit, two bits of opcode and six of address are taken; READ
 * then gives 16 bits, the highest first. */
static void eecd_write(void *opaque, uint32_t val, uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_EECD] = (s->reg[REG_EECD] & ~EECD_GNT) | (val & EECD_REQ ? EECD_GNT : 0) | EECD_PRES;
    if (!(val & EECD_CS)) {
        s->eecd_bits = 0;
        s->eecd_in = 0;
        s->eecd_reading = false;
        s->reg[REG_EECD] |= EECD_DO;
        return;
    }
    if (!(val & EECD_SK) || (old & EECD_SK)) {
        return;
    }
    if (s->eecd_reading) {
        s->reg[REG_EECD] = (s->reg[REG_EECD] & ~EECD_DO) | (s->eecd_out & 0x8000 ? EECD_DO : 0);
        s->eecd_out <<= 1;
        return;
    }
    if (s->eecd_bits == 0 && !(val & EECD_DI)) {
        return;                     /* leading zeros before the start bit */
    }
    s->eecd_in = s->eecd_in << 1 | !!(val & EECD_DI);
    if (++s->eecd_bits == 9) {
        s->eecd_reading = s->eecd_in >> 6 == 6;
        s->eecd_out = s->eeprom[s->eecd_in & 63];
        s->reg[REG_EECD] &= ~EECD_DO;       /* the dummy zero */
    }
}

static void eerd_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    if (val & BIT(0)) {             /* START: done at once */
        s->reg[REG_EERD] = (val & 0xff00) | BIT(4) | (uint32_t)s->eeprom[val >> 8 & 63] << 16;
    }
}

/* --- PHY --- */

enum { PHY_BMCR = 0, PHY_BMSR = 1, PHY_ID1 = 2, PHY_ID2 = 3, PHY_ANAR = 4, PHY_ANLPAR = 5,
       PHY_ANER = 6, PHY_GTCR = 9, PHY_GTSR = 10, PHY_ESR = 15, PHY_PSCR = 16, PHY_PSSR = 17,
       PHY_EPSCR = 20, PHY_PAGE = 22 };
#define BMSR_LINK       0x0004
#define BMSR_AN_DONE    0x0020
#define PSSR_LINK       0x0400

static void phy_reset(E1000State *s)
{
    static const struct { uint8_t n; uint16_t v; } init[] = {
        { PHY_BMCR, 0x1140 }, { PHY_BMSR, 0x7949 }, { PHY_ID1, 0x0141 }, 
        { PHY_ANAR, 0x0de1 }, { PHY_ANLPAR, 0x01e0 }, { PHY_ANER, 0x0001 }, { PHY_GTCR, 0x0e00 },
        { PHY_GTSR, 0x3c00 }, { PHY_ESR, 0x3000 }, { PHY_PSCR, 0x0360 }, { PHY_PSSR, 0xa800 },
        { PHY_EPSCR, 0x0d60 },
    };

    memset(s->phy, 0, sizeof(s->phy));
    for (size_t i = 0; i < ARRAY_SIZE(init); i++) {
        s->phy[init[i].n] = init[i].v;
    }
    s->phy[PHY_ID2] = s->model->phy_id2;
}

static void set_link(E1000State *s, bool up)
{
    s->link_up = up;
    if (up) {
        s->reg[REG_STATUS] |= E1000_STATUS_LU;
        s->phy[PHY_BMSR] |= BMSR_LINK | BMSR_AN_DONE;
        s->phy[PHY_PSSR] |= PSSR_LINK;
    } else {
        s->reg[REG_STATUS] &= ~E1000_STATUS_LU;
        s->phy[PHY_BMSR] &= ~(BMSR_LINK | BMSR_AN_DONE);
        s->phy[PHY_PSSR] &= ~PSSR_LINK;
    }
}

/* A page of the 82574's PHY that has nothing. */
static bool other_page(const E1000State *s, unsigned n)
{
    return s->model->derive && n >= 16 && n != PHY_PAGE && s->phy[PHY_PAGE];
}

static void phy_write(E1000State *s, unsigned n, uint16_t v)
{
    if (other_page(s, n)) {
        return;
    }
    switch (n) {
    case PHY_BMCR:
        if (v & 0x8000) {
            phy_reset(s);
            set_link(s, s->link_up);
        } else {
            s->phy[n] = v & 0x7f80 & ~0x0200;       /* restart of negotiation ends at once */
        }
        break;
    case PHY_ANAR:
    case PHY_GTCR:
    case PHY_PSCR:
    case PHY_EPSCR:
        s->phy[n] = v;
        break;
    default:
        if (n >= 18) {
            s->phy[n] = v;
        }
    }
}

/* SDM 13.4.10: one PHY, at address 1. */
void e1000_mdic_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;
    unsigned n = val >> 16 & 31, phy = val >> 21 & 31, op = val >> 26 & 3;

    val &= ~(BIT(28) | BIT(30));
    if (phy != 1) {
        val |= BIT(30);                             /* error */
    } else if (op == 2) {
        val = (val & 0xffff0000) | (other_page(s, n) ? 0 : s->phy[n]);
    } else if (op == 1) {
        phy_write(s, n, val);
    } else {
        val |= BIT(30);
    }
    s->reg[REG_MDIC] = val | BIT(28);               /* ready */
    if (val & BIT(29)) {
        e1000_interrupt(s, ICR_MDAC);
    }
}

void e1000_link_changed(void *opaque, bool up)
{
    E1000State *s = opaque;

    set_link(s, up);
    e1000_interrupt(s, ICR_LSC);
}

/* --- registers --- */

static void chip_reset(E1000State *s);

void e1000_ctrl_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    if (val & E1000_CTRL_RST) {
        chip_reset(s);
    } else if (val & E1000_CTRL_PHY_RST) {
        phy_reset(s);
        set_link(s, s->link_up);
        s->reg[REG_CTRL] &= ~E1000_CTRL_PHY_RST;
    }
}

void e1000_rctl_written(void *opaque)
{
    net_flush(((E1000State *)opaque)->netdev);
}

void e1000_tctl_written(void *opaque)
{
    e1000_transmit(opaque);
}

static const RegDef e1000_regs[REG_NUM] = {
    E1000_SHARED_REGS,
    [REG_STATUS]  = { 0x0008, "STATUS", .reset = STATUS_RESET, .hw = E1000_STATUS_LU,
                      .flags = FLAGS({ "FD", BIT(0) }, { "LU", E1000_STATUS_LU }) },
    [REG_EECD]    = { 0x0010, "EECD", .reset = EECD_PRES | EECD_DO,
                      .rw = EECD_SK | EECD_CS | EECD_DI | EECD_REQ, .hw = EECD_DO | EECD_GNT,
                      .write = eecd_write },
    [REG_EERD]    = { 0x0014, "EERD", .hw = UINT32_MAX, .write = eerd_write },
    [REG_RCTL]    = { 0x0100, "RCTL", .rw = 0x07fffffe, .written = e1000_rctl_written,
                      .flags = FLAGS({ "EN", E1000_RCTL_EN }, { "UPE", E1000_RCTL_UPE }, { "MPE", E1000_RCTL_MPE },
                                     { "BAM", E1000_RCTL_BAM }) },
    [REG_TCTL]    = { 0x0400, "TCTL", .rw = 0x03fffffa, .written = e1000_tctl_written,
                      .flags = FLAGS({ "EN", BIT(1) }, { "PSP", BIT(3) }) },
    [REG_RXDCTL]  = { 0x2828, "RXDCTL", .reset = 0x00010000, E1000_RW32 },
    [REG_TXDMAC]  = { 0x3000, "TXDMAC", .rw = 1 },
    [REG_RXCSUM]  = { 0x5000, "RXCSUM", .rw = 0x7ff },
    [REG_WUC]     = { 0x5800, "WUC", .rw = 0xf },
};

/* Blocks of equal words. */
static uint32_t *word_block(E1000State *s, hwaddr addr)
{
    static const struct { uint16_t start, bytes; } blocks[] = {
        { 0x5200, sizeof(s->mta) }, { 0x5400, sizeof(s->ra) }, { 0x5600, sizeof(s->vfta) },
    };
    uint32_t *const arrays[] = { s->mta, s->ra, s->vfta };

    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        if (addr >= blocks[i].start && addr < (hwaddr)blocks[i].start + blocks[i].bytes) {
            return &arrays[i][(addr - blocks[i].start) / 4];
        }
    }
    return s->model->words ? s->model->words(s, addr) : NULL;
}

static MemResult mmio_read(void *opaque, hwaddr addr, uint64_t *val, UNUSED unsigned size,
                           UNUSED MemAttrs attrs)
{
    E1000State *s = opaque;
    uint32_t *w = word_block(s, addr);

    *val = 0;
    if (w) {
        *val = *w;
    } else if (addr >= 0x4000 && addr < 0x4000 + sizeof(s->stats)) {
        *val = s->stats[(addr - 0x4000) / 4];
        s->stats[(addr - 0x4000) / 4] = 0;          /* SDM 13.7: cleared by reading */
    } else if (addr + 4 <= regs_span(s->model->regs, REG_NUM)) {
        *val = regs_read(s->model->regs, REG_NUM, s->reg, s, addr, 4);
    }
    return MEM_OK;
}

static MemResult mmio_write(void *opaque, hwaddr addr, uint64_t val, UNUSED unsigned size,
                            UNUSED MemAttrs attrs)
{
    E1000State *s = opaque;
    uint32_t *w = word_block(s, addr);

    if (w) {
        *w = val;
    } else if (addr + 4 <= regs_span(s->model->regs, REG_NUM) &&
               !(addr >= 0x4000 && addr < 0x4000 + sizeof(s->stats))) {
        regs_write(s->model->regs, REG_NUM, s->reg, s, addr, val, 4);
    }
    return MEM_OK;
}

static const MemOps mmio_ops = {
    .read = mmio_read, .write = mmio_write, .order = MEM_LE, .valid = { 1, 8 }, .impl = { 4, 4 },
};

/* SDM 13.3.1: IOADDR and IODATA. */
static MemResult io_read(void *opaque, hwaddr addr, uint64_t *val, unsigned size, MemAttrs attrs)
{
    E1000State *s = opaque;

    *val = 0;
    if (addr == 0) {
        *val = s->io_address;
    } else if (addr == 4 && s->io_address < 0x20000) {
        return mmio_read(s, s->io_address & ~3u, val, size, attrs);
    }
    return MEM_OK;
}

static MemResult io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size, MemAttrs attrs)
{
    E1000State *s = opaque;

    if (addr == 0) {
        s->io_address = val;
    } else if (addr == 4 && s->io_address < 0x20000) {
        return mmio_write(s, s->io_address & ~3u, val, size, attrs);
    }
    return MEM_OK;
}

static const MemOps io_ops = {
    .read = io_read, .write = io_write, .order = MEM_LE, .valid = { 4, 4 }, .impl = { 4, 4 },
};

/* --- device --- */

static void chip_reset(E1000State *s)
{
    regs_reset(s->reg, s->model->regs, REG_NUM);
    memset(s->stats, 0, sizeof(s->stats));
    memset(s->mta, 0, sizeof(s->mta));
    memset(s->ra, 0, sizeof(s->ra));
    memset(s->vfta, 0, sizeof(s->vfta));
    s->ra[0] = load_le32(s->mac.a);
    s->ra[1] = load_le16(s->mac.a + 4) | BIT(31);
    timer_del(&s->itr);
    s->itr_waiting = false;
    for (unsigned i = 0; i < E1000_VECTORS; i++) {
        timer_del(&s->eitr[i]);
    }
    s->told = 0;
    memset(s->reta, 0, sizeof(s->reta));
    memset(s->rssrk, 0, sizeof(s->rssrk));
    s->systim_ns = clock_get_ns(CLOCK_VIRTUAL);
    s->eecd_bits = 0;
    s->eecd_reading = false;
    s->tx_len = 0;
    s->tx_queue = 0;
    s->tx_popts = 0;
    phy_reset(s);
    set_link(s, s->link_up);
    update_irq(s);
}

static void e1000_reset_hold(Device *dev)
{
    E1000State *s = E1000(dev);

    s->link_up = !s->netdev || !s->netdev->link_down;
    s->io_address = 0;
    chip_reset(s);
}

static void eitr_expired(void *opaque)
{
    update_irq(opaque);
}

static bool e1000_base_realize(Device *dev, Error **errp)
{
    E1000State *s = E1000(dev);
    static const uint8_t none[6];

    s->model = device_data(dev);
    if (memcmp(s->mac.a, none, 6) == 0) {
        s->mac = net_new_mac();
    }
    eeprom_init(s);
    timer_init_ns(&s->itr, CLOCK_VIRTUAL, itr_expired, s);
    for (unsigned i = 0; i < E1000_VECTORS; i++) {
        timer_init_ns(&s->eitr[i], CLOCK_VIRTUAL, eitr_expired, s);
    }
    if (!boot_add(dev, s->bootindex, "/ethernet-phy@0", errp)) {
        return false;
    }
    memory_region_init_io(&s->mmio, s, &mmio_ops, s, "e1000-mmio", 0x20000);
    memory_region_init_io(&s->io, s, &io_ops, s, "e1000-io", s->model->derive ? 32 : 64);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mmio);
    net_connect(s->netdev, &e1000_net_ops, s);
    return true;
}

static void e1000_base_unrealize(Device *dev)
{
    E1000State *s = E1000(dev);

    net_disconnect(s->netdev);
    timer_del(&s->itr);
    for (unsigned i = 0; i < E1000_VECTORS; i++) {
        timer_del(&s->eitr[i]);
    }
    boot_remove(dev);
    memory_region_cleanup(&s->mmio);
    memory_region_cleanup(&s->io);
}

static bool e1000_realize(Device *dev, UNUSED Error **errp)
{
    E1000State *s = E1000(dev);

    pci_register_bar(&s->pci, 1, PCI_BAR_IO, &s->io);
    return true;
}

bool e1000_post_load(void *opaque, Error **errp)
{
    E1000State *s = opaque;

    if (!regs_valid(s->reg, s->model->regs, REG_NUM, errp)) {
        return false;
    }
    s->tx_busy = false;
    update_irq(s);
    return true;
}

static const VmField context_fields[] = {
    VM_U8(E1000Context, ipcss), VM_U8(E1000Context, ipcso), VM_U8(E1000Context, tucss),
    VM_U8(E1000Context, tucso), VM_U8(E1000Context, hdrlen), VM_U8(E1000Context, tucmd),
    VM_U16(E1000Context, ipcse), VM_U16(E1000Context, tucse), VM_U16(E1000Context, mss),
    VM_U32(E1000Context, paylen), VM_END
};
static const VmMeaning context_meanings[] = {
    { "ipcss", "IPCSS: where the IP checksum begins" }, { "ipcso", "IPCSO: where it goes" }, { "ipcse", "IPCSE: where it ends" },
    { "tucss", "TUCSS: where the TCP or UDP checksum begins" }, { "tucso", "TUCSO: where it goes" },
    { "tucse", "TUCSE: where it ends" },
    { "hdrlen", "HDRLEN: bytes of the headers" }, { "mss", "MSS: bytes of data a segment" },
    { "paylen", "PAYLEN: bytes of data in all" },
    { "tucmd", "TUCMD", .flags = FLAGS({ "TCP", 1 }, { "IP", 2 }, { "TSE", 4 }, { "RS", 8 }, { "DEXT", 0x20 }, { "IDE", 0x80 }) },
    { .name = NULL }
};
const VmState e1000_context_vm = { 1, context_fields, .meanings = context_meanings };

static const VmField e1000_fields[] = { E1000_FIELDS(e1000_regs), VM_END };

static const Property e1000_props[] = {
    PROP_MAC("mac", E1000State, mac, "MAC address; zeros: a new one"),
    PROP_NETDEV("netdev", E1000State, netdev, "the network behind it"),
    PROP_BOOTINDEX(E1000State, bootindex),
    PROP_END
};

static const E1000Model e1000_model = {
    .regs = e1000_regs, .phy_id2 = 0x0c20, .causes = ICR_ALL, .update_irq = e1000_update_line,
    .rx_size = e1000_rx_size, .rx_fill = e1000_rx_fill, .queues = 1,
};

static const DeviceType e1000_base_type = {
    .name = TYPE_E1000_BASE, .parent = TYPE_PCI_DEVICE, .size = sizeof(E1000State), .abstract = true,
    .category = DEVICE_NETWORK, .hotpluggable = true,
    .pci = { .vendor = 0x8086, .class_code = 0x020000, .pin = PCI_PIN_A },
    .props = e1000_props, .realize = e1000_base_realize, .unrealize = e1000_base_unrealize,
    .reset_hold = e1000_reset_hold, .printers = e1000_printers,
};
DEVICE_TYPE(e1000_base_type)

static const DeviceType e1000_type = {
    .name = "e1000", .alias = "e1000-82540em", .parent = TYPE_E1000_BASE,
    .desc = "Intel Gigabit Ethernet (82540EM)", .hotpluggable = true,
    .pci = { .device = 0x100e, .revision = 3, .romfile = "efi-e1000.rom" },
    .realize = e1000_realize, .data = &e1000_model,
    .vm = { 1, e1000_fields, .post_load = e1000_post_load, .meanings = e1000_meanings },
};
DEVICE_TYPE(e1000_type)
