/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel Gigabit Ethernet, receive: which frames are taken, and how descriptors are filled (SDM 3.2).
 * Not modelled: flow control frames, wake-up filters.
 */
#include "util/osdep.h"
#include "hw/net/e1000.h"

#include "net/offload.h"
#include "util/bswap.h"

#define RCTL_LPE        BIT(5)
#define RCTL_VFE        BIT(18)
#define RCTL_BSEX       BIT(25)
#define RCTL_SECRC      BIT(26)

/* Receive descriptor (SDM 3.2.3): status */
enum { RXD_DD = 1, RXD_EOP = 2, RXD_IXSM = 4, RXD_VP = 8, RXD_TCPCS = 0x20, RXD_IPCS = 0x40 };
enum { RXD_E_TCPE = 0x20, RXD_E_IPE = 0x40 };   /* errors */
enum { RXCSUM_IPOFL = BIT(8), RXCSUM_TUOFL = BIT(9) };

/* RDH, RDT and this count 16 bytes, whatever the descriptors' size is. */
static uint32_t ring_count(E1000State *s, unsigned q)
{
    return *e1000_rx_reg(s, q, REG_RDLEN) / E1000_RX_LEGACY;
}

static uint32_t units_of(const E1000State *s)
{
    uint32_t buffers;

    return s->model->rx_size(s, &buffers) / E1000_RX_LEGACY;
}

static uint32_t free_descriptors(E1000State *s, unsigned q)
{
    uint32_t n = ring_count(s, q), h = *e1000_rx_reg(s, q, REG_RDH), t = *e1000_rx_reg(s, q, REG_RDT);

    return !n || h >= n ? 0 : (t >= h ? MIN(t, n) - h : n - h + t) / units_of(s);
}

uint32_t e1000_buffer_size(const E1000State *s)
{
    static const uint16_t sizes[] = { 2048, 1024, 512, 256 };
    unsigned i = s->reg[REG_RCTL] >> 16 & 3;

    return s->reg[REG_RCTL] & RCTL_BSEX && i ? sizes[i] * 16u : sizes[i];
}

/* With two queues: to one of them. Which a frame goes to isn't known before it is here. */
static bool can_receive(void *opaque)
{
    E1000State *s = opaque;
    uint32_t room = free_descriptors(s, 0);

    if (s->reg[REG_MRQC] & E1000_MRQC_TWO) {
        room += free_descriptors(s, 1);
    }
    return (s->reg[REG_RCTL] & E1000_RCTL_EN) && s->link_up && room > 0;
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
        return rctl & (E1000_RCTL_BAM | E1000_RCTL_MPE | E1000_RCTL_UPE);
    }
    if (p[0] & 1 ? rctl & E1000_RCTL_MPE : rctl & E1000_RCTL_UPE) {
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

/* SDM 3.2.9: of IP and of TCP or UDP, where the driver wants them to be checked. */
static void check_sums(E1000State *s, const uint8_t *p, size_t len, E1000RxResult *r)
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

uint32_t e1000_rx_size(const E1000State *s, uint32_t *buffers)
{
    *buffers = e1000_buffer_size(s);
    return E1000_RX_LEGACY;
}

void e1000_rx_fill(E1000State *s, uint8_t *d, const uint8_t *p, size_t n, const E1000RxResult *r)
{
    if (load_le64(d)) {
        pci_dma_write(&s->pci, load_le64(d), p, n);
    }
    store_le16(d + 8, n);
    store_le16(d + 10, r ? r->checksum : 0);
    d[12] = r ? RXD_DD | RXD_EOP | r->status : RXD_DD;
    d[13] = r ? r->errors : 0;
    store_le16(d + 14, r ? r->vlan : 0);
}

/* One descriptor's share of a frame; @r: of the last one, else NULL. False: memory couldn't be reached. */
static bool fill_descriptor(E1000State *s, unsigned q, const uint8_t *p, size_t n, const E1000RxResult *r)
{
    hwaddr base = (uint64_t)*e1000_rx_reg(s, q, REG_RDBAH) << 32 | (*e1000_rx_reg(s, q, REG_RDBAL) & ~15u);
    uint32_t buffers, size = s->model->rx_size(s, &buffers), *head = e1000_rx_reg(s, q, REG_RDH);
    hwaddr at = base + (hwaddr)*head * E1000_RX_LEGACY;
    uint8_t d[E1000_RX_DESC_MAX];

    if (pci_dma_read(&s->pci, at, d, size) != MEM_OK) {
        return false;
    }
    s->model->rx_fill(s, d, p, n, r);
    pci_dma_write(&s->pci, at, d, size);
    *head += units_of(s);
    *head = *head >= ring_count(s, q) ? 0 : *head;
    return true;
}

void e1000_receive(void *opaque, const uint8_t *frame, size_t len)
{
    E1000State *s = opaque;
    uint8_t buf[NET_FRAME_MAX + 4];
    uint32_t size, causes = ICR_RXT0, threshold;
    size_t offset = 0, start;
    E1000RxResult r = { 0 };

    if (!(s->reg[REG_RCTL] & E1000_RCTL_EN) || len > NET_FRAME_MAX) {
        return;
    }
    s->model->rx_size(s, &size);
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
    if (s->model->rx_hash) {
        s->model->rx_hash(s, buf, len, &r);
    }
    start = s->reg[REG_RXCSUM] & 0xff;              /* PCSS */
    if (start < len) {
        r.checksum = net_sum(buf + start, len - start, 0);
    }
    if (!(s->reg[REG_RCTL] & RCTL_SECRC)) {
        memset(buf + len, 0, 4);                    /* nobody checks the FCS */
        len += 4;
    }
    if (!size || (uint64_t)free_descriptors(s, r.queue) * size < len) {
        e1000_count(s, STAT_RNBC, 1);
        e1000_count(s, STAT_MPC, 1);
        e1000_interrupt(s, ICR_RXO);
        return;
    }
    while (offset < len) {
        size_t n = MIN(len - offset, size);

        if (!fill_descriptor(s, r.queue, buf + offset, n, offset + n == len ? &r : NULL)) {
            return;
        }
        offset += n;
    }
    threshold = ring_count(s, r.queue) / units_of(s) >> ((s->reg[REG_RCTL] >> 8 & 3) + 1);
    if (free_descriptors(s, r.queue) <= threshold) {
        causes |= ICR_RXDMT0;
    }
    causes |= r.queue ? ICR_RXQ1 : 0;
    e1000_interrupt(s, causes);
}

static const MacAddr *own_mac(void *opaque)
{
    return &((E1000State *)opaque)->mac;
}

const NetDeviceOps e1000_net_ops = {
    .can_receive = can_receive, .receive = e1000_receive, .link_changed = e1000_link_changed, .mac = own_mac,
};
