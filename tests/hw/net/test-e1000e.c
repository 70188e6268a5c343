/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 82574L: what it has beyond the 82540EM, with its transmitter looped back to its receiver. */
#include "util/osdep.h"
#include "tests/hw/usb/usb-pc.h"

enum { STATUS = 0x08, EERD = 0x14, CTRL_EXT = 0x18, MDIC = 0x20, ICR = 0xc0, ICS = 0xc8, IMS = 0xd0, EIAC = 0xdc,
       IAM = 0xe0, IVAR = 0xe4, QUEUE1 = 0x100, EITR = 0xe8, RCTL = 0x100, TCTL = 0x400, PSRCTL = 0x2170, RDBAL = 0x2800, RDLEN = 0x2808,
       RDH = 0x2810, RDT = 0x2818, TDBAL = 0x3800, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, RXCSUM = 0x5000,
       RFCTL = 0x5008, MRQC = 0x5818, RETA = 0x5c00, RSSRK = 0x5c80, SWSM = 0x5b50, SYSTIML = 0xb600, TIMINCA = 0xb608 };
enum { RXQ0 = BIT(20), RXQ1 = BIT(21), TXQ0 = BIT(22), TXQ1 = BIT(23), OTHER = BIT(24) };

#define BAR     0xe0000000u
#define MSIX    0xe0040000u
#define RX_RING 0x110000u
#define TX_RING 0x111000u
#define RX_BUF  0x120000u
#define TX_BUF  0x140000u
#define MSG     0x150000u       /* where messages are written to: a word for each vector */

static uint32_t get(unsigned reg)
{
    return mem_rd(BAR + reg);
}

static void put(unsigned reg, uint32_t v)
{
    mem_wr(BAR + reg, v);
}

static PCIDevice *card(Test *t)
{
    PCIDevice *pci = PCI_DEVICE(pc_add(t, "e1000e", "mac", "52:54:00:aa:bb:cc"));

    pc_map(pci, 0, BAR);
    pc_map(pci, 3, MSIX);
    return pci;
}

static uint32_t phy(unsigned reg)
{
    put(MDIC, 1u << 21 | reg << 16 | 2u << 26);
    return get(MDIC) & 0xffff;
}

TEST(e1000e, registers)
{
    PCIDevice *pci;
    uint32_t v;

    if (!pc_start(t)) {
        return;
    }
    pci = card(t);
    check_u32(t, pci_get_long(pci->config), 0x10d38086, "82574L");
    check_u32(t, get(STATUS) & 0x80083, 0x80083, "link up, full duplex, bus master");
    put(0, 1u << 2);
    check_u32(t, get(STATUS) & 0x80000, 0, "which GIO_MASTER_DISABLE ends");
    put(0, 0);
    put(EERD, 1);
    check_u32(t, get(EERD), 0x54520002, "NVM word 0: the address");
    put(EERD, 0x3f << 2 | 1);
    v = get(EERD) >> 16;
    for (uint32_t i = 0; i < 0x3f; i++) {
        put(EERD, i << 2 | 1);
        v += get(EERD) >> 16;
    }
    check_u16(t, (uint16_t)v, 0xbaba, "checksum");
    check_u32(t, phy(2) << 16 | phy(3), 0x01410cb1, "PHY");
    check_u32(t, get(SWSM) & 1, 0, "the semaphore is free");
    check_u32(t, get(SWSM) & 1, 1, "now it is taken");
    put(TIMINCA, 1u << 24 | 40);
    v = get(SYSTIML);
    pc_ms(1);
    check_u32(t, get(SYSTIML) - v, 1000000, "system time in ns");
    put(IAM, ~0u);
    put(CTRL_EXT, BIT(27));
    put(IMS, BIT(2));
    put(ICS, BIT(2));
    check_true(t, pci->irq_level, "INTA#");
    check_u32(t, get(ICR), BIT(2) | OTHER | BIT(31), "link status, as another cause, asserted");
    check_u32(t, get(IMS), 0, "and masked by being read (IAME)");
    put(0, BIT(26));
    check_u32(t, get(IAM), 0, "reset");
}

/* 16 descriptors each; frames come back (LBM). */
static void rings(uint32_t rctl)
{
    put(RDBAL, RX_RING);
    put(RDLEN, 256);
    put(RDH, 0);
    put(RDT, 8);
    put(TDBAL, TX_RING);
    put(TDLEN, 256);
    put(RCTL, rctl | 0x8002 | BIT(3) | BIT(6) | BIT(26));
    put(TCTL, 2);
}

/* IPv4 and TCP with @payload bytes. */
static size_t fill(uint8_t *f, size_t payload)
{
    static const uint8_t mac[12] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, 2, 0, 0, 0, 0, 1 };

    memset(f, 0, 54);
    memcpy(f, mac, 12);
    store_be16(f + 12, 0x0800);
    f[14] = 0x45;
    store_be16(f + 16, (uint16_t)(40 + payload));
    f[22] = 64;
    f[23] = 6;
    f[46] = 5 << 4;
    for (size_t i = 0; i < payload; i++) {
        f[54 + i] = (uint8_t)(i * 7);
    }
    return 54 + payload;
}

static void send_one(uint32_t n, const uint8_t *frame, size_t len)
{
    mem_put(TX_BUF, frame, len);
    mem_wr(TX_RING + 16 * n, TX_BUF);
    mem_wr(TX_RING + 16 * n + 4, 0);
    mem_wr(TX_RING + 16 * n + 8, 0x0b000000 | (uint32_t)len);
    mem_wr(TX_RING + 16 * n + 12, 0);
    put(TDT, (n + 1) % 16);
}

static void vectors(PCIDevice *pci)
{
    uint8_t cap = pci_find_capability(pci, 0x11);

    for (uint32_t v = 0; v < 5; v++) {
        mem_wr(MSIX + 16 * v, MSG + 4 * v);
        mem_wr(MSIX + 16 * v + 4, 0);
        mem_wr(MSIX + 16 * v + 8, 0x1000 + v);
        mem_wr(MSIX + 16 * v + 12, 0);
        mem_wr(MSG + 4 * v, 0);
    }
    pci_default_config_write(pci, cap + 2u, 0x8000, 2);
    put(IVAR, 0x80000000 | 8 | 9 << 8 | 0xa << 16);
    put(CTRL_EXT, BIT(24));
    put(IAM, ~0u);
    put(EIAC, RXQ0 | TXQ0);
    put(IMS, RXQ0 | TXQ0 | OTHER | BIT(2));
}

static uint32_t message(unsigned v)
{
    uint32_t m = mem_rd(MSG + 4 * v);

    mem_wr(MSG + 4 * v, 0);
    return m;
}

TEST(e1000e, extended_descriptors_and_vectors)
{
    uint8_t frame[1500], back[1500];
    PCIDevice *pci;
    size_t len;

    if (!pc_start(t)) {
        return;
    }
    pci = card(t);
    for (uint32_t i = 0; i < 16; i++) {
        mem_wr(RX_RING + 16 * i, RX_BUF + 2048 * i);
        mem_wr(RX_RING + 16 * i + 4, 0);
        mem_wr(RX_RING + 16 * i + 8, 0);
    }
    put(RFCTL, BIT(15));
    put(RXCSUM, BIT(8) | BIT(9));
    rings(0);
    vectors(pci);
    len = fill(frame, 700);
    send_one(0, frame, len);
    check_u32(t, get(RDH), 1, "one frame came");
    check_u32(t, mem_rd(RX_RING + 8) & 7, 3, "DD, EOP, checksums looked at");
    check_u16(t, (uint16_t)mem_rd(RX_RING + 12), (uint16_t)len, "its length");
    mem_get(RX_BUF, back, len);
    check_mem(t, back, frame, len, "its bytes");
    check_u32(t, message(0), 0x1000, "vector 0: receive");
    check_u32(t, message(1), 0x1001, "vector 1: transmit");
    check_u32(t, message(2), 0, "nothing else");
    check_u32(t, get(IMS) & (RXQ0 | TXQ0), 0, "both are masked (EIAME)");
    send_one(1, frame, len);
    check_u32(t, message(0), 0, "no message meanwhile");
    save_load(t, &pci->dev);
    put(IMS, RXQ0);
    check_u32(t, message(0), 0x1000, "but when it is unmasked");
    check_u32(t, message(1), 0, "and that one only");
    put(EITR, 4000);            /* 1.024 ms */
    put(IMS, RXQ0);
    send_one(2, frame, len);
    check_u32(t, message(0), 0x1000, "the first one comes at once");
    put(IMS, RXQ0);
    send_one(3, frame, len);
    check_u32(t, message(0), 0, "the next one waits (EITR)");
    save_load(t, &pci->dev);
    pc_ms(2);
    check_u32(t, message(0), 0x1000, "for its time");
    put(ICS, BIT(2));
    check_u32(t, message(2), 0x1002, "vector 2: others");
    check_true(t, !pci->irq_level, "no INTA# with MSI-X");
}

/* The key and the results that Microsoft gives for implementations to be checked with. */
TEST(e1000e, hash_of_a_packet)
{
    static const uint8_t key[40] = {
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
        0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    };
    static const uint8_t addresses[8] = { 66, 9, 149, 187, 161, 142, 100, 80 };
    uint8_t frame[200];
    size_t len;

    if (!pc_start(t)) {
        return;
    }
    card(t);
    for (uint32_t i = 0; i < 16; i++) {
        mem_wr(RX_RING + 16 * i, RX_BUF + 2048 * i);
        mem_wr(RX_RING + 16 * i + 4, 0);
    }
    for (uint32_t i = 0; i < 10; i++) {
        put(RSSRK + 4 * i, load_le32(key + 4 * i));
    }
    put(RFCTL, BIT(15));
    put(RXCSUM, BIT(13));
    rings(0);
    len = fill(frame, 60);
    memcpy(frame + 26, addresses, 8);
    store_be16(frame + 34, 2794);
    store_be16(frame + 36, 1766);
    send_one(0, frame, len);
    check_u32(t, mem_rd(RX_RING), 0, "no field is asked for: no hash");
    put(MRQC, BIT(16) | BIT(17));
    send_one(1, frame, len);
    check_u32(t, mem_rd(RX_RING + 16), 1, "TCP over IPv4");
    check_u32(t, mem_rd(RX_RING + 20), 0x51ccc178, "its hash");
    put(MRQC, BIT(17));
    send_one(2, frame, len);
    check_u32(t, mem_rd(RX_RING + 32), 2, "IPv4");
    check_u32(t, mem_rd(RX_RING + 36), 0x323e8fc2, "of the addresses");
    put(RXCSUM, 0);
    send_one(3, frame, len);
    check_u32(t, mem_rd(RX_RING + 48), 0, "the checksum is wanted");
}

/* Both rings, empty; the second receive ring has what the redirection table gives it. */
static void two_queues(void)
{
    for (uint32_t i = 0; i < 32; i++) {
        mem_wr(RX_RING + 16 * i, RX_BUF + 2048 * i);
        mem_wr(RX_RING + 16 * i + 4, 0);
        mem_wr(RX_RING + 16 * i + 8, 0);
    }
    for (uint32_t i = 0; i < 10; i++) {
        put(RSSRK + 4 * i, 0x5a5a0102 * (i + 1));
    }
    put(RFCTL, BIT(15));
    put(RXCSUM, BIT(13));
    put(MRQC, BIT(0) | BIT(16) | BIT(17));
    put(RDBAL + QUEUE1, RX_RING + 256);
    put(RDLEN + QUEUE1, 256);
    put(RDT + QUEUE1, 8);
    put(TDBAL + QUEUE1, TX_RING + 256);
    put(TDLEN + QUEUE1, 256);
    rings(0);
}

static void descriptor(uint32_t at, uint32_t buffer, uint32_t len, uint32_t command)
{
    mem_wr(at, buffer);
    mem_wr(at + 4, 0);
    mem_wr(at + 8, command << 24 | len);
    mem_wr(at + 12, 0);
}

/* 82574 7.1.11: the redirection table leads to one of two queues, each with its ring, causes and vector. */
TEST(e1000e, two_queues)
{
    uint8_t frame[200], back[200];
    PCIDevice *pci;
    uint32_t hash;
    size_t len;

    if (!pc_start(t)) {
        return;
    }
    pci = card(t);
    two_queues();
    vectors(pci);
    put(IVAR, 0x80000000 | 8 | 0xb << 4 | 9 << 8 | 0xc << 12 | 0xa << 16);
    put(EIAC, RXQ0 | RXQ1 | TXQ0 | TXQ1);
    put(IMS, RXQ1 | TXQ1);
    len = fill(frame, 60);
    send_one(0, frame, len);
    check_u32(t, get(RDH), 1, "a table of zeros: the first queue");
    check_u32(t, mem_rd(RX_RING), 1, "MRQ: TCP over IPv4, queue 0");
    hash = mem_rd(RX_RING + 4);
    check_u32(t, message(0), 0x1000, "vector 0: receive");
    check_u32(t, message(1), 0x1001, "vector 1: transmit");
    check_u32(t, message(3) | message(4), 0, "the second queues have nothing to tell");
    put(IMS, RXQ0 | TXQ0);

    put(RETA + hash % 128 / 4 * 4, 0x80u << 8 * (hash % 4));
    save_load(t, &pci->dev);
    mem_put(TX_BUF, frame, len);
    descriptor(TX_RING + 256, TX_BUF, (uint32_t)len, 0x0b);
    put(TDT + QUEUE1, 1);
    check_u32(t, get(TDH + QUEUE1), 1, "the second transmit queue sends");
    check_u32(t, mem_rd(TX_RING + 256 + 12), 1, "DD");
    check_u32(t, get(RDH), 1, "nothing for the first queue");
    check_u32(t, get(RDH + QUEUE1), 1, "but for the second");
    check_u32(t, mem_rd(RX_RING + 256), 0x101, "MRQ: queue 1");
    check_u32(t, mem_rd(RX_RING + 256 + 4), hash, "the same hash");
    mem_get(RX_BUF + 2048 * 16, back, len);
    check_mem(t, back, frame, len, "its bytes");
    check_u32(t, message(3), 0x1003, "vector 3: receive, second queue");
    check_u32(t, message(4), 0x1004, "vector 4: transmit, second queue");
    check_u32(t, message(0) | message(1), 0, "the first queues have nothing to tell");

    frame[12] = 0x88;
    frame[13] = 0xb5;
    send_one(1, frame, len);
    check_u32(t, get(RDH), 2, "what has no hash comes to the first queue");
    frame[12] = 8;
    frame[13] = 0;
    put(RDT + QUEUE1, 1);
    send_one(2, frame, len);
    check_u32(t, get(RDH), 2, "a full queue's frames don't go to the other one");
    check_u32(t, get(RDH + QUEUE1), 1, "they are lost");
}

/* A packet that isn't complete keeps the other queue waiting. */
TEST(e1000e, queues_take_turns)
{
    uint8_t frame[200], back[200];
    PCIDevice *pci;
    size_t len;

    if (!pc_start(t)) {
        return;
    }
    pci = card(t);
    two_queues();
    len = fill(frame, 60);
    mem_put(TX_BUF, frame, len);
    descriptor(TX_RING + 256, TX_BUF, 40, 0x02);
    put(TDT + QUEUE1, 1);
    check_u32(t, get(TDH + QUEUE1), 1, "half of a packet");
    save_load(t, &pci->dev);
    send_one(0, frame, len);
    check_u32(t, get(TDH), 0, "the first queue waits");
    descriptor(TX_RING + 272, TX_BUF + 40, (uint32_t)len - 40, 0x0b);
    put(TDT + QUEUE1, 2);
    check_u32(t, get(TDH + QUEUE1), 2, "the other half");
    check_u32(t, get(TDH), 1, "then the first queue's packet");
    check_u32(t, get(RDH), 2, "both have come");
    for (uint32_t i = 0; i < 2; i++) {
        mem_get(RX_BUF + 2048 * i, back, len);
        check_mem(t, back, frame, len, "whole");
    }
    descriptor(TX_RING + 288, TX_BUF, 40, 0x02);
    put(TDT + QUEUE1, 3);
    put(0, BIT(26));
    two_queues();
    descriptor(TX_RING, TX_BUF, (uint32_t)len, 0x0b);
    put(TDT, 1);
    check_u32(t, get(TDH), 1, "a reset forgets it");
}

TEST(e1000e, packet_split)
{
    uint8_t frame[1500], back[1500];
    uint32_t d = RX_RING;
    size_t len;

    if (!pc_start(t)) {
        return;
    }
    card(t);
    for (uint32_t i = 0; i < 8; i++) {
        mem_wr(RX_RING + 32 * i, RX_BUF + 4096 * i);
        mem_wr(RX_RING + 32 * i + 4, 0);
        for (uint32_t k = 1; k < 4; k++) {
            mem_wr(RX_RING + 32 * i + 8 * k, RX_BUF + 4096 * i + 1024 * k);
            mem_wr(RX_RING + 32 * i + 8 * k + 4, 0);
        }
    }
    put(RFCTL, BIT(15));
    put(PSRCTL, 1 | 1 << 8 | 1 << 16);  /* 128 bytes, 1 KiB, 1 KiB, none */
    rings(BIT(10));
    len = fill(frame, 1200);
    send_one(0, frame, len);
    check_u32(t, get(RDH), 2, "32 bytes are two units");
    check_u32(t, mem_rd(d + 8) & 3, 3, "DD, EOP");
    check_u16(t, (uint16_t)mem_rd(d + 12), 54, "the headers");
    check_u16(t, (uint16_t)mem_rd(d + 16), 0x8000 | 54, "are split off");
    check_u32(t, mem_rd(d + 16) >> 16 | mem_rd(d + 20) << 16, 1024 | 176 << 16, "the rest is in two buffers");
    mem_get(RX_BUF, back, 54);
    mem_get(RX_BUF + 1024, back + 54, 1200);
    check_mem(t, back, frame, len, "and all there");
    frame[12] = 0x12;
    send_one(1, frame, 300);
    check_u16(t, (uint16_t)mem_rd(d + 32 + 12), 128, "unknown headers: from the first buffer on");
    check_u32(t, mem_rd(d + 32 + 16), 172u << 16, "no header");
    put(PSRCTL, 0);
    send_one(2, frame, 300);
    check_u32(t, get(RDH), 4, "no buffers: nothing comes");
}
