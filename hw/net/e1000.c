/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82540EM Gigabit Ethernet controller: registers, EEPROM, PHY, interrupts,
 * receive. Transmit is in e1000-tx.c.
 *
 * Sources: SDM (see e1000.h); 88E1011 PHY registers as chapter 13.4 of it names them.
 * Not modelled: flow control frames, wake-up filters, the flash, delays of interrupts but ITR (RDTR,
 * TIDV and the like: they come at once), split headers.
 */
#include "util/osdep.h"
#include "hw/net/e1000.h"
#include "hw/core/boot.h"
#include "net/offload.h"
#include "util/bswap.h"
#include "util/log.h"

#define CTRL_RST        BIT(26)
#define CTRL_PHY_RST    BIT(31)
#define STATUS_LU       BIT(1)
#define STATUS_RESET    0x80080781u     /* full duplex, 1000 Mb/s, 66 MHz PCI, bus type bits */
#define RCTL_EN         BIT(1)
#define RCTL_UPE        BIT(3)
#define RCTL_MPE        BIT(4)
#define RCTL_LPE        BIT(5)
#define RCTL_BAM        BIT(15)
#define RCTL_VFE        BIT(18)
#define RCTL_BSEX       BIT(25)
#define RCTL_SECRC      BIT(26)
#define MANC_RESET      0x00002000u     /* ARP filter as left by the EEPROM */

/* EECD (SDM 13.4.3) */
enum { EECD_SK = BIT(0), EECD_CS = BIT(1), EECD_DI = BIT(2), EECD_DO = BIT(3), EECD_REQ = BIT(6),
       EECD_GNT = BIT(7), EECD_PRES = BIT(8) };

#define ITR_UNIT_NS     256             /* SDM 13.4.18 */

/* Receive descriptor (SDM 3.2.3): status */
enum { RXD_DD = 1, RXD_EOP = 2, RXD_IXSM = 4, RXD_VP = 8, RXD_TCPCS = 0x20, RXD_IPCS = 0x40 };
enum { RXD_E_TCPE = 0x20, RXD_E_IPE = 0x40 };   /* errors */
enum { RXCSUM_IPOFL = BIT(8), RXCSUM_TUOFL = BIT(9) };

/* --- interrupts (SDM 13.4.17 to 13.4.21) --- */

static void set_irq(E1000State *s)
{
    pci_set_irq(&s->pci, (s->reg[REG_ICR] & s->reg[REG_IMS]) != 0);
}

static void itr_expired(void *opaque)
{
    E1000State *s = opaque;

    s->itr_waiting = false;
    set_irq(s);
}

static void update_irq(E1000State *s)
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

void e1000_interrupt(E1000State *s, uint32_t causes)
{
    s->reg[REG_ICR] |= causes;
    update_irq(s);
}

static uint32_t icr_read(void *opaque)
{
    E1000State *s = opaque;
    uint32_t v = s->reg[REG_ICR];

    if (v & s->reg[REG_IMS]) {
        itr_start(s);
    }
    s->reg[REG_ICR] = 0;
    update_irq(s);
    return v;
}

static void icr_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_ICR] &= ~val;
    update_irq(s);
}

static void ics_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    e1000_interrupt(opaque, val & ICR_ALL);
}

static void ims_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    s->reg[REG_IMS] |= val & ICR_ALL;
    update_irq(s);
}

static void imc_write(void *opaque, uint32_t val, UNUSED uint32_t old)
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
    s->eeprom[0x0b] = 0x100e;       /* subsystem id */
    s->eeprom[0x0c] = 0x8086;       /* subsystem vendor */
    s->eeprom[0x0d] = 0x100e;
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
       PHY_EPSCR = 20 };
#define BMSR_LINK       0x0004
#define BMSR_AN_DONE    0x0020
#define PSSR_LINK       0x0400

static void phy_reset(E1000State *s)
{
    static const struct { uint8_t n; uint16_t v; } init[] = {
        { PHY_BMCR, 0x1140 }, { PHY_BMSR, 0x7949 }, { PHY_ID1, 0x0141 }, { PHY_ID2, 0x0c20 },
        { PHY_ANAR, 0x0de1 }, { PHY_ANLPAR, 0x01e0 }, { PHY_ANER, 0x0001 }, { PHY_GTCR, 0x0e00 },
        { PHY_GTSR, 0x3c00 }, { PHY_ESR, 0x3000 }, { PHY_PSCR, 0x0360 }, { PHY_PSSR, 0xa800 },
        { PHY_EPSCR, 0x0d60 },
    };

    memset(s->phy, 0, sizeof(s->phy));
    for (size_t i = 0; i < ARRAY_SIZE(init); i++) {
        s->phy[init[i].n] = init[i].v;
    }
}

static void set_link(E1000State *s, bool up)
{
    s->link_up = up;
    if (up) {
        s->reg[REG_STATUS] |= STATUS_LU;
        s->phy[PHY_BMSR] |= BMSR_LINK | BMSR_AN_DONE;
        s->phy[PHY_PSSR] |= PSSR_LINK;
    } else {
        s->reg[REG_STATUS] &= ~STATUS_LU;
        s->phy[PHY_BMSR] &= ~(BMSR_LINK | BMSR_AN_DONE);
        s->phy[PHY_PSSR] &= ~PSSR_LINK;
    }
}

static void phy_write(E1000State *s, unsigned n, uint16_t v)
{
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
static void mdic_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;
    unsigned n = val >> 16 & 31, phy = val >> 21 & 31, op = val >> 26 & 3;

    val &= ~(BIT(28) | BIT(30));
    if (phy != 1) {
        val |= BIT(30);                             /* error */
    } else if (op == 2) {
        val = (val & 0xffff0000) | s->phy[n];
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

/* --- receive (SDM 3.2) --- */

static uint32_t ring_count(const E1000State *s)
{
    return s->reg[REG_RDLEN] / 16;
}

static uint32_t free_descriptors(const E1000State *s)
{
    uint32_t n = ring_count(s), h = s->reg[REG_RDH], t = s->reg[REG_RDT];

    return !n || h >= n ? 0 : t >= h ? MIN(t, n) - h : n - h + t;
}

static uint32_t buffer_size(const E1000State *s)
{
    static const uint16_t sizes[] = { 2048, 1024, 512, 256 };
    unsigned i = s->reg[REG_RCTL] >> 16 & 3;

    return s->reg[REG_RCTL] & RCTL_BSEX && i ? sizes[i] * 16u : sizes[i];
}

static bool can_receive(void *opaque)
{
    E1000State *s = opaque;

    return (s->reg[REG_RCTL] & RCTL_EN) && s->link_up && free_descriptors(s) > 0;
}

/* SDM 10.5, 13.5: is the frame for us? */
static bool accepted(const E1000State *s, const uint8_t *p)
{
    static const uint8_t shifts[] = { 4, 3, 2, 0 };
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint32_t rctl = s->reg[REG_RCTL];

    if ((rctl & RCTL_VFE) && load_be16(p + 12) == 0x8100) {
        unsigned vid = load_be16(p + 14) & 0xfff;

        if (!(s->vfta[vid >> 5] & BIT(vid & 31))) {
            return false;
        }
    }
    if (memcmp(p, broadcast, 6) == 0) {
        return rctl & (RCTL_BAM | RCTL_MPE | RCTL_UPE);
    }
    if (p[0] & 1 ? rctl & RCTL_MPE : rctl & RCTL_UPE) {
        return true;
    }
    for (int i = 0; i < 16; i++) {
        uint32_t lo = s->ra[2 * i], hi = s->ra[2 * i + 1];

        if ((hi & BIT(31)) && load_le32(p) == lo && load_le16(p + 4) == (hi & 0xffff)) {
            return true;
        }
    }
    if (p[0] & 1) {
        unsigned h = (p[5] << 8 | p[4]) >> shifts[rctl >> 12 & 3] & 0xfff;

        return s->mta[h >> 5] & BIT(h & 31);
    }
    return false;
}

static void count_received(E1000State *s, const uint8_t *p, size_t len)
{
    e1000_count(s, STAT_GPRC, 1);
    e1000_count(s, STAT_TPR, 1);
    e1000_count64(s, STAT_GORCL, len + 4);
    e1000_count64(s, STAT_TORL, len + 4);
    if (p[0] & 1) {
        e1000_count(s, load_be32(p) == UINT32_MAX ? STAT_BPRC : STAT_MPRC, 1);
    }
}

/* What the last descriptor of a frame tells about it. */
typedef struct RxResult {
    uint8_t status, errors;
    uint16_t vlan, checksum;
} RxResult;

/* SDM 3.2.9: of IP and of TCP or UDP, where the driver wants them to be checked. */
static void check_sums(E1000State *s, const uint8_t *p, size_t len, RxResult *r)
{
    uint32_t rxcsum = s->reg[REG_RXCSUM];
    NetHeaders h;

    r->status |= RXD_IXSM;
    if (!(rxcsum & (RXCSUM_IPOFL | RXCSUM_TUOFL)) || !net_headers(p, len, &h)) {
        return;
    }
    r->status &= ~RXD_IXSM;
    if (rxcsum & RXCSUM_IPOFL && !h.v6) {
        r->status |= RXD_IPCS;
        r->errors |= net_sum(p + h.l3, h.l4 - h.l3, 0) == 0xffff ? 0 : RXD_E_IPE;
    }
    if (rxcsum & RXCSUM_TUOFL && !(h.udp && !load_be16(p + h.l4 + 6))) {
        r->status |= RXD_TCPCS;
        r->errors |= (s->netdev && s->netdev->checksums_good) || net_checksum_ok(p, len) ? 0 : RXD_E_TCPE;
    }
}

/* One descriptor's share of a frame; @r: of the last one, else NULL. False: memory couldn't be reached. */
static bool fill_descriptor(E1000State *s, const uint8_t *p, size_t n, const RxResult *r)
{
    hwaddr base = (uint64_t)s->reg[REG_RDBAH] << 32 | (s->reg[REG_RDBAL] & ~15u);
    hwaddr at = base + s->reg[REG_RDH] * 16;
    uint8_t d[16];

    if (pci_dma_read(&s->pci, at, d, sizeof(d)) != MEM_OK) {
        return false;
    }
    if (load_le64(d)) {
        pci_dma_write(&s->pci, load_le64(d), p, n);
    }
    store_le16(d + 8, n);
    store_le16(d + 10, r ? r->checksum : 0);
    d[12] = r ? RXD_DD | RXD_EOP | r->status : RXD_DD;
    d[13] = r ? r->errors : 0;
    store_le16(d + 14, r ? r->vlan : 0);
    pci_dma_write(&s->pci, at, d, sizeof(d));
    s->reg[REG_RDH] = s->reg[REG_RDH] + 1 == ring_count(s) ? 0 : s->reg[REG_RDH] + 1;
    return true;
}

void e1000_receive(void *opaque, const uint8_t *frame, size_t len)
{
    E1000State *s = opaque;
    uint8_t buf[NET_FRAME_MAX + 4];
    uint32_t size = buffer_size(s), causes = ICR_RXT0, threshold;
    size_t offset = 0, start;
    RxResult r = { 0 };

    if (!(s->reg[REG_RCTL] & RCTL_EN) || len > NET_FRAME_MAX) {
        return;
    }
    memcpy(buf, frame, len);
    if (len < 60) {
        memset(buf + len, 0, 60 - len);
        len = 60;
    }
    if ((len > 1518 && !(s->reg[REG_RCTL] & RCTL_LPE)) || len > 16384) {
        e1000_count(s, STAT_ROC, 1);
        return;
    }
    if (!accepted(s, buf)) {
        return;
    }
    count_received(s, buf, len);
    if (s->reg[REG_CTRL] & E1000_CTRL_VME && load_be16(buf + 12) == s->reg[REG_VET]) {     /* SDM 9.3 */
        r.status |= RXD_VP;
        r.vlan = load_be16(buf + 14);
        memmove(buf + 12, buf + 16, len - 16);
        len -= 4;
    }
    check_sums(s, buf, len, &r);
    start = s->reg[REG_RXCSUM] & 0xff;              /* PCSS */
    if (start < len) {
        r.checksum = net_sum(buf + start, len - start, 0);
    }
    if (!(s->reg[REG_RCTL] & RCTL_SECRC)) {
        memset(buf + len, 0, 4);                    /* nobody checks the FCS */
        len += 4;
    }
    if ((uint64_t)free_descriptors(s) * size < len) {
        e1000_count(s, STAT_RNBC, 1);
        e1000_count(s, STAT_MPC, 1);
        e1000_interrupt(s, ICR_RXO);
        return;
    }
    while (offset < len) {
        size_t n = MIN(len - offset, size);

        if (!fill_descriptor(s, buf + offset, n, offset + n == len ? &r : NULL)) {
            return;
        }
        offset += n;
    }
    threshold = ring_count(s) >> ((s->reg[REG_RCTL] >> 8 & 3) + 1);
    if (free_descriptors(s) <= threshold) {
        causes |= ICR_RXDMT0;
    }
    e1000_interrupt(s, causes);
}

static void link_changed(void *opaque, bool up)
{
    E1000State *s = opaque;

    set_link(s, up);
    e1000_interrupt(s, ICR_LSC);
}

static const MacAddr *own_mac(void *opaque)
{
    return &((E1000State *)opaque)->mac;
}

static const NetDeviceOps net_ops = {
    .can_receive = can_receive, .receive = e1000_receive, .link_changed = link_changed, .mac = own_mac,
};

/* --- registers --- */

static void chip_reset(E1000State *s);

static void ctrl_write(void *opaque, uint32_t val, UNUSED uint32_t old)
{
    E1000State *s = opaque;

    if (val & CTRL_RST) {
        chip_reset(s);
    } else if (val & CTRL_PHY_RST) {
        phy_reset(s);
        set_link(s, s->link_up);
        s->reg[REG_CTRL] &= ~CTRL_PHY_RST;
    }
}

static void rctl_written(void *opaque)
{
    net_flush(((E1000State *)opaque)->netdev);
}

static void tctl_written(void *opaque)
{
    e1000_transmit(opaque);
}

#define RW32 .rw = UINT32_MAX

static const RegDef e1000_regs[REG_NUM] = {
    [REG_CTRL]    = { 0x0000, "CTRL", .reset = 0x00140240, .rw = ~0u, .write = ctrl_write,
                      .flags = FLAGS({ "FD", BIT(0) }, { "SLU", BIT(6) }, { "RST", CTRL_RST }) },
    [REG_STATUS]  = { 0x0008, "STATUS", .reset = STATUS_RESET, .hw = STATUS_LU,
                      .flags = FLAGS({ "FD", BIT(0) }, { "LU", STATUS_LU }) },
    [REG_EECD]    = { 0x0010, "EECD", .reset = EECD_PRES | EECD_DO,
                      .rw = EECD_SK | EECD_CS | EECD_DI | EECD_REQ, .hw = EECD_DO | EECD_GNT,
                      .write = eecd_write },
    [REG_EERD]    = { 0x0014, "EERD", .hw = UINT32_MAX, .write = eerd_write },
    [REG_CTRL_EXT] = { 0x0018, "CTRL_EXT", RW32 },
    [REG_MDIC]    = { 0x0020, "MDIC", .hw = UINT32_MAX, .write = mdic_write },
    [REG_FCAL]    = { 0x0028, "FCAL", RW32 },
    [REG_FCAH]    = { 0x002c, "FCAH", .rw = 0xffff },
    [REG_FCT]     = { 0x0030, "FCT", .rw = 0xffff },
    [REG_VET]     = { 0x0038, "VET", .rw = 0xffff },
    [REG_ICR]     = { 0x00c0, "ICR", .hw = UINT32_MAX, .read = icr_read, .write = icr_write,
                      .flags = FLAGS({ "TXDW", ICR_TXDW }, { "LSC", ICR_LSC },
                                     { "RXDMT0", ICR_RXDMT0 }, { "RXO", ICR_RXO },
                                     { "RXT0", ICR_RXT0 }) },
    [REG_ITR]     = { 0x00c4, "ITR", .rw = 0xffff },
    [REG_ICS]     = { 0x00c8, "ICS", .write_only = true, .write = ics_write },
    [REG_IMS]     = { 0x00d0, "IMS", .hw = UINT32_MAX, .write = ims_write },
    [REG_IMC]     = { 0x00d8, "IMC", .write_only = true, .write = imc_write },
    [REG_RCTL]    = { 0x0100, "RCTL", .rw = 0x07fffffe, .written = rctl_written,
                      .flags = FLAGS({ "EN", RCTL_EN }, { "UPE", RCTL_UPE }, { "MPE", RCTL_MPE },
                                     { "BAM", RCTL_BAM }) },
    [REG_FCTTV]   = { 0x0170, "FCTTV", .rw = 0xffff },
    [REG_TXCW]    = { 0x0178, "TXCW", RW32 },
    [REG_RXCW]    = { 0x0180, "RXCW" },
    [REG_TCTL]    = { 0x0400, "TCTL", .rw = 0x03fffffa, .written = tctl_written,
                      .flags = FLAGS({ "EN", BIT(1) }, { "PSP", BIT(3) }) },
    [REG_TIPG]    = { 0x0410, "TIPG", .rw = 0x3fffffff },
    [REG_AIT]     = { 0x0458, "AIT", .rw = 0xffff },
    [REG_LEDCTL]  = { 0x0e00, "LEDCTL", .reset = 0x07068302, RW32 },
    [REG_PBA]     = { 0x1000, "PBA", .reset = 0x00100030, .rw = 0xffff },
    [REG_FCRTL]   = { 0x2160, "FCRTL", RW32 },
    [REG_FCRTH]   = { 0x2168, "FCRTH", RW32 },
    [REG_RDBAL]   = { 0x2800, "RDBAL", .rw = ~15u },
    [REG_RDBAH]   = { 0x2804, "RDBAH", RW32 },
    [REG_RDLEN]   = { 0x2808, "RDLEN", .rw = 0xfff80 },
    [REG_RDH]     = { 0x2810, "RDH", .rw = 0xffff },
    [REG_RDT]     = { 0x2818, "RDT", .rw = 0xffff, .written = rctl_written },
    [REG_RDTR]    = { 0x2820, "RDTR", .rw = 0xffff },
    [REG_RXDCTL]  = { 0x2828, "RXDCTL", .reset = 0x00010000, RW32 },
    [REG_RADV]    = { 0x282c, "RADV", .rw = 0xffff },
    [REG_RSRPD]   = { 0x2c00, "RSRPD", .rw = 0xfff },
    [REG_TXDMAC]  = { 0x3000, "TXDMAC", .rw = 1 },
    [REG_TDBAL]   = { 0x3800, "TDBAL", .rw = ~15u },
    [REG_TDBAH]   = { 0x3804, "TDBAH", RW32 },
    [REG_TDLEN]   = { 0x3808, "TDLEN", .rw = 0xfff80 },
    [REG_TDH]     = { 0x3810, "TDH", .rw = 0xffff },
    [REG_TDT]     = { 0x3818, "TDT", .rw = 0xffff, .written = tctl_written },
    [REG_TIDV]    = { 0x3820, "TIDV", .rw = 0xffff },
    [REG_TXDCTL]  = { 0x3828, "TXDCTL", RW32 },
    [REG_TADV]    = { 0x382c, "TADV", .rw = 0xffff },
    [REG_TSPMT]   = { 0x3830, "TSPMT", RW32 },
    [REG_RXCSUM]  = { 0x5000, "RXCSUM", .rw = 0x7ff },
    [REG_WUC]     = { 0x5800, "WUC", .rw = 0xf },
    [REG_WUFC]    = { 0x5808, "WUFC", .rw = 0xf00ff },
    [REG_WUS]     = { 0x5810, "WUS", .w1c = 0xf00ff },
    [REG_MANC]    = { 0x5820, "MANC", .reset = MANC_RESET, RW32 },
    [REG_IPAV]    = { 0x5838, "IPAV", .rw = 0xf000f },
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
    return NULL;
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
    } else if (addr + 4 <= regs_span(e1000_regs, REG_NUM)) {
        *val = regs_read(e1000_regs, REG_NUM, s->reg, s, addr, 4);
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
    } else if (addr + 4 <= regs_span(e1000_regs, REG_NUM) &&
               !(addr >= 0x4000 && addr < 0x4000 + sizeof(s->stats))) {
        regs_write(e1000_regs, REG_NUM, s->reg, s, addr, val, 4);
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
    regs_reset(s->reg, e1000_regs, REG_NUM);
    memset(s->stats, 0, sizeof(s->stats));
    memset(s->mta, 0, sizeof(s->mta));
    memset(s->ra, 0, sizeof(s->ra));
    memset(s->vfta, 0, sizeof(s->vfta));
    s->ra[0] = load_le32(s->mac.a);
    s->ra[1] = load_le16(s->mac.a + 4) | BIT(31);
    timer_del(&s->itr);
    s->itr_waiting = false;
    s->eecd_bits = 0;
    s->eecd_reading = false;
    s->tx_len = 0;
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

static bool e1000_realize(Device *dev, Error **errp)
{
    E1000State *s = E1000(dev);
    static const uint8_t none[6];

    if (memcmp(s->mac.a, none, 6) == 0) {
        s->mac = net_new_mac();
    }
    eeprom_init(s);
    timer_init_ns(&s->itr, CLOCK_VIRTUAL, itr_expired, s);
    memory_region_init_io(&s->mmio, s, &mmio_ops, s, "e1000-mmio", 0x20000);
    memory_region_init_io(&s->io, s, &io_ops, s, "e1000-io", 64);
    pci_register_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mmio);
    pci_register_bar(&s->pci, 1, PCI_BAR_IO, &s->io);
    if (!boot_add(dev, s->bootindex, "/ethernet-phy@0", errp)) {
        memory_region_cleanup(&s->mmio);
        memory_region_cleanup(&s->io);
        return false;
    }
    net_connect(s->netdev, &net_ops, s);
    return true;
}

static void e1000_unrealize(Device *dev)
{
    E1000State *s = E1000(dev);

    net_disconnect(s->netdev);
    timer_del(&s->itr);
    boot_remove(dev);
    memory_region_cleanup(&s->mmio);
    memory_region_cleanup(&s->io);
}

static bool e1000_post_load(void *opaque, Error **errp)
{
    E1000State *s = opaque;

    if (!regs_valid(s->reg, e1000_regs, REG_NUM, errp)) {
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
static const VmState context_vm = { 1, context_fields };

static const VmField e1000_fields[] = {
    VM_PCI(E1000State, pci), VM_REGS(E1000State, reg, e1000_regs),
    VM_U32_ARRAY(E1000State, stats), VM_U32_ARRAY(E1000State, mta), VM_U32_ARRAY(E1000State, ra),
    VM_U32_ARRAY(E1000State, vfta), VM_U32(E1000State, io_address),
    VM_U16_ARRAY(E1000State, eeprom), VM_U16_ARRAY(E1000State, phy),
    VM_U32(E1000State, eecd_in), VM_U8_RANGE(E1000State, eecd_bits, 0, 9),
    VM_BOOL(E1000State, eecd_reading), VM_U16(E1000State, eecd_out), VM_BOOL(E1000State, link_up),
    VM_STRUCT(E1000State, tso, context_vm), VM_STRUCT(E1000State, csum, context_vm),
    VM_TIMER(E1000State, itr), VM_BOOL(E1000State, itr_waiting),
    VM_U8(E1000State, tx_popts), VM_U8(E1000State, tx_dcmd), VM_U16(E1000State, tx_vlan), VM_BOOL(E1000State, tx_extended),
    VM_U32_RANGE(E1000State, tx_len, 0, E1000_TX_MAX), VM_VARRAY(E1000State, tx, tx_len, E1000_TX_MAX),
    VM_END
};

static const Property e1000_props[] = {
    PROP_MAC("mac", E1000State, mac, "MAC address; zeros: a new one"),
    PROP_NETDEV("netdev", E1000State, netdev, "the network behind it"),
    PROP_BOOTINDEX(E1000State, bootindex),
    PROP_END
};

static const DeviceType e1000_type = {
    .name = "e1000", .alias = "e1000-82540em", .parent = TYPE_PCI_DEVICE,
    .desc = "Intel Gigabit Ethernet (82540EM)", .size = sizeof(E1000State),
    .category = DEVICE_NETWORK, .hotpluggable = true,
    .pci = { .vendor = 0x8086, .device = 0x100e, .class_code = 0x020000, .revision = 3,
             .pin = PCI_PIN_A, .romfile = "efi-e1000.rom" },
    .props = e1000_props, .realize = e1000_realize, .unrealize = e1000_unrealize,
    .reset_hold = e1000_reset_hold,
    .vm = { 1, e1000_fields, .post_load = e1000_post_load, .meanings = e1000_meanings },
    .printers = e1000_printers,
};
DEVICE_TYPE(e1000_type)
