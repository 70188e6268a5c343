/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82540EM, transmit: descriptors (SDM 3.3), checksum insertion (3.5), segmentation (3.6).
 */
#include "util/osdep.h"
#include "hw/net/e1000.h"
#include "net/offload.h"
#include "util/bswap.h"

enum { DCMD_EOP = 0x01, DCMD_IFCS = 0x02, DCMD_IC_TSE = 0x04, DCMD_RS = 0x08, DCMD_RPS = 0x10,
       DCMD_DEXT = 0x20, DCMD_VLE = 0x40, DCMD_IDE = 0x80 };
enum { TUCMD_TCP = 1, TUCMD_IP = 2, TUCMD_TSE = 4 };
enum { POPTS_IXSM = 1, POPTS_TXSM = 2 };
#define TCTL_EN     BIT(1)
#define TX_PER_RUN  4096        /* descriptors: no ring is longer */

typedef struct TxDesc {
    uint64_t addr;
    uint32_t lower, upper;      /* little-endian words 2 and 3 */
} TxDesc;

uint16_t e1000_checksum(const uint8_t *p, size_t n, uint32_t sum)
{
    return ~net_sum(p, n, sum);
}

/* Over bytes css..cse (0: to the end), stored at cso; what is stored there before takes part. */
static void insert_checksum(uint8_t *p, size_t len, unsigned css, unsigned cso, unsigned cse)
{
    size_t end = cse && cse < len ? cse + 1u : len;

    if (cso + 2 <= len && css < end) {
        uint16_t sum = e1000_checksum(p + css, end - css, 0);

        store_be16(p + cso, sum);
    }
}

static bool loopback(const E1000State *s)
{
    return s->reg[REG_RCTL] & MASK(6, 2);           /* LBM */
}

/* @packets frames of @len bytes in all, the first at @p. */
static void count_sent(E1000State *s, const uint8_t *p, unsigned packets, size_t len)
{
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    e1000_count(s, STAT_GPTC, packets);
    e1000_count(s, STAT_TPT, packets);
    e1000_count64(s, STAT_GOTCL, len + 4 * packets);
    e1000_count64(s, STAT_TOTL, len + 4 * packets);
    if (len >= 6 && memcmp(p, broadcast, 6) == 0) {
        e1000_count(s, STAT_BPTC, packets);
    } else if (p[0] & 1) {
        e1000_count(s, STAT_MPTC, packets);
    }
}

static bool tagged(const E1000State *s)
{
    return s->tx_dcmd & DCMD_VLE && s->reg[REG_CTRL] & E1000_CTRL_VME;
}

static void put_on_wire(E1000State *s, const uint8_t *p, size_t len)
{
    uint8_t buf[E1000_TX_MAX + 4];

    if (tagged(s) && len <= E1000_TX_MAX) {         /* SDM 9.2 */
        memcpy(buf, p, 12);
        store_be16(buf + 12, s->reg[REG_VET]);
        store_be16(buf + 14, s->tx_vlan);
        memcpy(buf + 16, p + 12, len - 12);
        p = buf;
        len += 4;
    }
    if (loopback(s)) {
        e1000_receive(s, p, len);
    } else {
        net_send(s->netdev, p, len);
    }
    count_sent(s, p, 1, len);
}

static void finish(E1000State *s, uint8_t *p, size_t len, const E1000Context *c, uint8_t popts)
{
    if (popts & POPTS_TXSM) {
        insert_checksum(p, len, c->tucss, c->tucso, c->tucse);
    }
    if (popts & POPTS_IXSM) {
        insert_checksum(p, len, c->ipcss, c->ipcso, c->ipcse);
    }
    put_on_wire(s, p, len);
}

/* One segment of a large send: header of the whole with lengths and numbers of its own. */
static void send_segment(E1000State *s, unsigned n, const uint8_t *payload, size_t len, bool last)
{
    const E1000Context *c = &s->tso;
    uint8_t frame[65536];
    size_t total = c->hdrlen + len, l4 = total - c->tucss;
    uint8_t *ip = frame + c->ipcss, *tu = frame + c->tucss;

    if (total > sizeof(frame)) {
        return;
    }
    memcpy(frame, s->tx, c->hdrlen);
    memcpy(frame + c->hdrlen, payload, len);
    if (c->tucmd & TUCMD_IP) {
        store_be16(ip + 2, total - c->ipcss);
        store_be16(ip + 4, load_be16(ip + 4) + n);
    } else {
        store_be16(ip + 4, l4);
    }
    if (c->tucmd & TUCMD_TCP) {
        store_be32(tu + 4, load_be32(tu + 4) + n * c->mss);
        if (!last) {
            tu[13] &= ~0x09;                        /* PSH, FIN */
        }
    } else {
        store_be16(tu + 4, l4);
    }
    if ((s->tx_popts & POPTS_TXSM) && c->tucso + 2u <= total) {
        /* The driver's pseudo-header sum lacks the length. */
        uint32_t sum = load_be16(frame + c->tucso) + l4;

        store_be16(frame + c->tucso, (sum & 0xffff) + (sum >> 16));
    }
    finish(s, frame, total, c, s->tx_popts);
}

/* The whole packet as one, for a back end that cuts it itself or needs no cutting. */
static bool send_whole(E1000State *s)
{
    const E1000Context *c = &s->tso;
    bool v4 = c->tucmd & TUCMD_IP;
    unsigned need = NET_CAN_CSUM | (v4 ? NET_CAN_TSO4 : NET_CAN_TSO6);
    size_t l4 = s->tx_len - c->tucss;
    uint8_t *ip = s->tx + c->ipcss, *sum = s->tx + c->tucso;
    NetOffload o = { .flags = NET_NEEDS_CSUM, .gso_type = v4 ? NET_GSO_TCPV4 : NET_GSO_TCPV6,
                     .hdr_len = c->hdrlen, .gso_size = c->mss, .csum_start = c->tucss,
                     .csum_offset = c->tucso - c->tucss };
    uint32_t pseudo;

    if (!(c->tucmd & TUCMD_TCP) || !(s->tx_popts & POPTS_TXSM) || loopback(s) || tagged(s) ||
        (net_can(s->netdev) & need) != need || c->tucso < c->tucss || c->tucso + 2u > c->hdrlen ||
        (v4 && (c->ipcso != c->ipcss + 10 || !(s->tx_popts & POPTS_IXSM))) ||
        s->tx_len - c->ipcss > UINT16_MAX || s->tx_len <= c->hdrlen) {
        return false;
    }
    if (v4) {
        store_be16(ip + 2, s->tx_len - c->ipcss);
        store_be16(ip + 10, 0);
        store_be16(ip + 10, e1000_checksum(ip, c->tucss - c->ipcss, 0));
    } else {
        store_be16(ip + 4, l4);
    }
    pseudo = load_be16(sum) + l4;                   /* which the driver's sum lacks */
    store_be16(sum, (pseudo & 0xffff) + (pseudo >> 16));
    net_send_offload(s->netdev, &o, s->tx, s->tx_len);
    count_sent(s, s->tx, DIV_ROUND_UP(s->tx_len - c->hdrlen, c->mss), s->tx_len);
    return true;
}

static void send_large(E1000State *s)
{
    const E1000Context *c = &s->tso;
    size_t left, offset = c->hdrlen;

    /* What can't be a header for the fields that are changed isn't sent. */
    if (!c->mss || c->hdrlen > s->tx_len || c->ipcss + 20u > c->hdrlen ||
        c->tucss + (c->tucmd & TUCMD_TCP ? 20u : 8u) > c->hdrlen || c->tucss < c->ipcss) {
        return;
    }
    left = s->tx_len - c->hdrlen;
    if (send_whole(s)) {
        left = 0;
    }
    for (unsigned n = 0; left > 0; n++) {
        size_t len = MIN(left, c->mss);

        send_segment(s, n, s->tx + offset, len, len == left);
        offset += len;
        left -= len;
    }
    e1000_count(s, STAT_TSCTC, 1);
}

static void send_packet(E1000State *s)
{
    if (s->tx_len < 14) {
        /* too short for Ethernet: dropped */
    } else if (s->tx_extended && (s->tx_dcmd & DCMD_IC_TSE) && (s->tso.tucmd & TUCMD_TSE)) {
        send_large(s);
    } else {
        finish(s, s->tx, s->tx_len, &s->csum, s->tx_extended ? s->tx_popts : 0);
    }
    s->tx_len = 0;
    s->tx_popts = 0;
}

static void take_context(E1000State *s, const TxDesc *d)
{
    E1000Context c = {
        .ipcss = d->addr, .ipcso = d->addr >> 8, .ipcse = d->addr >> 16,
        .tucss = d->addr >> 32, .tucso = d->addr >> 40, .tucse = d->addr >> 48,
        .paylen = d->lower & 0xfffff, .tucmd = d->lower >> 24,
        .hdrlen = d->upper >> 8, .mss = d->upper >> 16,
    };

    if (c.tucmd & TUCMD_TSE) {
        s->tso = c;
    } else {
        s->csum = c;
    }
}

static void take_data(E1000State *s, unsigned q, const TxDesc *d, uint8_t cmd)
{
    uint32_t len = cmd & DCMD_DEXT ? d->lower & 0xfffff : d->lower & 0xffff;

    if (s->tx_len == 0) {
        s->tx_queue = q;
        s->tx_extended = cmd & DCMD_DEXT;
        s->tx_dcmd = cmd;
        s->tx_vlan = d->upper >> 16;
        if (s->tx_extended) {
            s->tx_popts = d->upper >> 8;
        }
    }
    len = MIN(len, E1000_TX_MAX - s->tx_len);
    if (len && pci_dma_read(&s->pci, d->addr, s->tx + s->tx_len, len) != MEM_OK) {
        memset(s->tx + s->tx_len, 0, len);
    }
    s->tx_len += len;
    if (!(cmd & DCMD_EOP)) {
        return;
    }
    if (!s->tx_extended && (cmd & DCMD_IC_TSE)) {   /* IC: CSO and CSS of a legacy descriptor */
        insert_checksum(s->tx, s->tx_len, d->upper >> 8 & 0xff, d->lower >> 16 & 0xff, 0);
    }
    send_packet(s);
}

/* What queue @q has, but while a packet of the other one isn't complete. Causes of interrupts. */
static uint32_t run_queue(E1000State *s, unsigned q)
{
    hwaddr base = (uint64_t)*e1000_tx_reg(s, q, REG_TDBAH) << 32 | (*e1000_tx_reg(s, q, REG_TDBAL) & ~15u);
    uint32_t count = *e1000_tx_reg(s, q, REG_TDLEN) / 16, causes = 0, *head = e1000_tx_reg(s, q, REG_TDH);

    if (!count || (s->tx_len && s->tx_queue != q)) {
        return 0;
    }
    for (unsigned n = 0; n < TX_PER_RUN && *head != *e1000_tx_reg(s, q, REG_TDT); n++) {
        hwaddr at = base + (*head % count) * 16;
        uint8_t raw[16], cmd;
        TxDesc d;

        if (pci_dma_read(&s->pci, at, raw, sizeof(raw)) != MEM_OK) {
            break;
        }
        d = (TxDesc){ load_le64(raw), load_le32(raw + 8), load_le32(raw + 12) };
        cmd = d.lower >> 24;
        if ((cmd & DCMD_DEXT) && (d.lower >> 20 & 15) == 0) {
            take_context(s, &d);
        } else {
            take_data(s, q, &d, cmd);
        }
        if (cmd & (DCMD_RS | DCMD_RPS)) {
            raw[12] |= 1;                           /* DD */
            pci_dma_write(&s->pci, at + 12, raw + 12, 1);
            causes |= ICR_TXDW | (q ? ICR_TXQ1 : 0);
        }
        *head = (*head + 1) % count;
    }
    return causes;
}

void e1000_transmit(E1000State *s)
{
    unsigned first = s->tx_len ? s->tx_queue : 0;
    uint32_t causes = 0, of_queue;

    /* Loopback may lead back here through the driver's interrupt. */
    if (!(s->reg[REG_TCTL] & TCTL_EN) || (!s->reg[REG_TDLEN] && !s->reg[REG_TDLEN1]) || s->tx_busy) {
        return;
    }
    s->tx_busy = true;
    for (unsigned i = 0; i < s->model->queues; i++) {
        of_queue = run_queue(s, (first + i) % s->model->queues);
        if (of_queue && causes) {
            e1000_interrupt(s, causes);             /* each with its queue's own cause */
            causes = 0;
        }
        causes |= of_queue;
    }
    s->tx_busy = false;
    e1000_interrupt(s, causes | ICR_TXQE);
}
