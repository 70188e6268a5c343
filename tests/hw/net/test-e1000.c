/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 82540EM: registers, EEPROM, PHY, rings, filters, offloads (SDM 317453-006). */
#include "util/osdep.h"
#include "accel/accel.h"
#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "net/net.h"
#include "net/offload.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum { CTRL = 0x0000, STATUS = 0x0008, EECD = 0x0010, EERD = 0x0014, MDIC = 0x0020, ICR = 0x00c0,
       ICS = 0x00c8, IMS = 0x00d0, IMC = 0x00d8, RCTL = 0x0100, TCTL = 0x0400, RDBAL = 0x2800,
       RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, TDBAL = 0x3800, TDLEN = 0x3808,
       TDH = 0x3810, TDT = 0x3818, GPRC = 0x4074, GPTC = 0x4080, RAL0 = 0x5400, RAH0 = 0x5404 };

#define BAR     0xe0000000u
#define IO_BAR  0xc100u
#define RX_RING 0x10000u
#define TX_RING 0x11000u
#define RX_BUF  0x20000u
#define TX_BUF  0x40000u
#define A       MEM_ATTRS_NONE

/* --- a network that keeps what it gets --- */

static GPtrArray *sent;         /* GByteArray */

static bool keep_open(UNUSED NetBackend *n, UNUSED const QDict *opts, UNUSED Error **errp)
{
    return true;
}

static void keep_send(UNUSED NetBackend *n, const uint8_t *frame, size_t len)
{
    GByteArray *f = g_byte_array_new();

    g_byte_array_append(f, frame, (guint)len);
    g_ptr_array_add(sent, f);
}

static NetOffload last_offload;

static void keep_send_offload(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    last_offload = o ? *o : (NetOffload){ 0 };
    keep_send(n, frame, len);
}

static const char *const no_options[] = { NULL };
static NetBackendType keep_type = {
    .name = "keep", .options = no_options, .open = keep_open, .send = keep_send,
    .send_offload = keep_send_offload,
};

static const GByteArray *sent_frame(guint i)
{
    return g_ptr_array_index(sent, i);
}

/* --- a PC with the card --- */

typedef struct Card {
    Test *t;
    PCIDevice *pci;
    NetBackend *net;
} Card;

static uint32_t get(unsigned reg)
{
    return address_space_ld32_le(&address_space_memory, BAR + reg, A, NULL);
}

static void put(unsigned reg, uint32_t v)
{
    address_space_st32_le(&address_space_memory, BAR + reg, v, A, NULL);
}

static void put_mem(hwaddr at, const void *p, size_t len)
{
    address_space_write(&address_space_memory, at, A, p, len);
}

static uint8_t *mem(hwaddr at)
{
    static uint8_t buf[4096];

    address_space_read(&address_space_memory, at, A, buf, sizeof(buf));
    return buf;
}

static void make_machine(Test *t)
{
    QOBJECT_AUTO QDict *none = qdict_new();
    Error *err = NULL;
    Machine *m;

    main_loop_init();
    if (current_machine()) {
        return;
    }
    net_backend_type_register(&keep_type);
    m = machine_new(machine_type_find("pc", NULL));
    m->vga = g_strdup("none");
    m->ram_size = 16 * MIB;
    check_true(t, accel_use("qtest", none, &err) && machine_init(m, &err),
               err ? error_message(err) : "a PC");
    machine_reset(RESET_COLD);
}

static void card_end(void *opaque)
{
    Card *c = opaque;

    device_delete(&c->pci->dev);
    while (main_loop_iterate(false)) {
    }
    check_true(c->t, netdev_del("n0", NULL), "the network is free again");
    g_ptr_array_unref(sent);
    g_free(c);
}

static Card *card_new(Test *t)
{
    QOBJECT_AUTO QDict *net = qdict_from_fmt("{'type': 'keep', 'id': 'n0'}");
    QOBJECT_AUTO QDict *opts = qdict_from_fmt("{'driver': 'e1000', 'netdev': 'n0',"
                                              " 'mac': '52:54:00:aa:bb:cc', 'romfile': ''}");
    Card *c = g_new0(Card, 1);
    Error *err = NULL;

    make_machine(t);
    c->t = t;
    sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    check_true(t, netdev_add(net, false, &err), "a network");
    c->net = net_find("n0");
    c->pci = (PCIDevice *)device_add(opts, false, &err);
    check_true(t, c->pci, err ? error_message(err) : "a card");
    device_reset(&c->pci->dev, RESET_COLD);
    pci_default_config_write(c->pci, 0x10, BAR, 4);
    pci_default_config_write(c->pci, 0x14, IO_BAR, 4);
    pci_default_config_write(c->pci, PCI_COMMAND, 7, 2);
    test_at_end(t, card_end, c);
    return c;
}

TEST(e1000, address_and_eeprom)
{
    card_new(t);
    check_u32(t, get(RAL0), 0xaa005452, "RAL0 has the address after reset (13.5.2)");
    check_u32(t, get(RAH0), 0x8000ccbb, "RAH0 with address valid");
    put(EERD, 1 << 8 | 1);
    check_u32(t, get(EERD), 0xaa000110, "EEPROM word 1 by EERD (13.4.4)");
    put(CTRL, get(CTRL) | BIT(26));
    check_true(t, !(get(CTRL) & BIT(26)), "RST clears itself");
    address_space_st32_le(&address_space_io, IO_BAR, RAL0, A, NULL);
    check_u32(t, address_space_ld32_le(&address_space_io, IO_BAR + 4, A, NULL), 0xaa005452,
              "IOADDR and IODATA (13.3.1)");
}

/* 5.3: start bit, READ, six bits of address, then sixteen bits. */
TEST(e1000, eeprom_by_microwire)
{
    unsigned command = 6 << 6 | 2, word = 0;

    card_new(t);
    put(EECD, BIT(6));
    check_true(t, get(EECD) & BIT(7), "granted");
    for (int i = 8; i >= 0; i--) {
        uint32_t di = command >> i & 1 ? BIT(2) : 0;

        put(EECD, BIT(6) | BIT(1) | di);
        put(EECD, BIT(6) | BIT(1) | di | BIT(0));
    }
    for (int i = 0; i < 16; i++) {
        put(EECD, BIT(6) | BIT(1));
        put(EECD, BIT(6) | BIT(1) | BIT(0));
        word = word << 1 | (get(EECD) >> 3 & 1);
    }
    put(EECD, 0);
    check_u16(t, word, 0xccbb, "word 2");
}

TEST(e1000, phy)
{
    Card *c = card_new(t);

    put(MDIC, 2 << 26 | 1 << 21 | 2 << 16);
    check_u32(t, get(MDIC) & 0x1000ffff, 0x10000141, "PHY identifier, ready");
    put(MDIC, 2 << 26 | 2 << 21 | 2 << 16);
    check_true(t, get(MDIC) & BIT(30), "no PHY at address 2");
    check_true(t, get(STATUS) & BIT(1), "link is up");
    put(IMS, BIT(2));
    c->net->link_down = true;
    c->net->ops->link_changed(c->net->opaque, false);
    check_true(t, !(get(STATUS) & BIT(1)) && c->pci->irq_level, "link change interrupts");
    check_u32(t, get(ICR), BIT(2), "LSC");
    check_true(t, !c->pci->irq_level, "reading ICR lets go");
    c->net->link_down = false;
}

TEST(e1000, interrupt_masks)
{
    Card *c = card_new(t);

    put(ICS, 0x80);
    check_true(t, !c->pci->irq_level, "masked");
    put(IMS, 0x80);
    check_true(t, c->pci->irq_level, "unmasked");
    put(IMC, 0x80);
    check_true(t, !c->pci->irq_level, "masked again");
    check_u32(t, get(ICR), 0x80, "cause");
    check_u32(t, get(ICR), 0, "cleared by reading (13.4.17)");
}

/* SDM 13.4.18: an interval of 256 ns times ITR between interrupts. */
TEST(e1000, interrupt_throttling)
{
    Card *c = card_new(t);
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    put(0x00c4, 1000);
    put(IMS, 0x80);
    put(ICS, 0x80);
    check_true(t, c->pci->irq_level, "the first one comes at once");
    check_u32(t, get(ICR), 0x80, "it is taken");
    put(ICS, 0x80);
    check_true(t, !c->pci->irq_level, "the next one waits");
    virtual_clock_advance_to(now + 255000);
    check_true(t, !c->pci->irq_level, "and waits");
    virtual_clock_advance_to(now + 256000);
    check_true(t, c->pci->irq_level, "until the interval is over");
    check_u32(t, get(ICR), 0x80, "it is taken");
    put(ICS, 0x80);
    put(CTRL, BIT(26));
    virtual_clock_advance_to(now + 2560000);
    check_true(t, !c->pci->irq_level, "a reset forgets it");
}

static void tx_desc(unsigned n, uint64_t addr, uint32_t lower, uint32_t upper)
{
    uint8_t d[16];

    store_le64(d, addr);
    store_le32(d + 8, lower);
    store_le32(d + 12, upper);
    put_mem(TX_RING + 16 * n, d, 16);
}

static void tx_start(void)
{
    put(TDBAL, TX_RING);
    put(TDLEN, 8 * 16);
    put(TDH, 0);
    put(TDT, 0);
    put(TCTL, BIT(1) | BIT(3));
}

TEST(e1000, transmit)
{
    Card *c = card_new(t);
    uint8_t frame[100];

    for (int i = 0; i < 100; i++) {
        frame[i] = (uint8_t)i;
    }
    put_mem(TX_BUF, frame, 100);
    tx_start();
    put(IMS, 1);
    tx_desc(0, TX_BUF, 60, 0);
    tx_desc(1, TX_BUF + 60, 40 | 0x0b000000, 0);        /* EOP, IFCS, RS */
    put(TDT, 2);
    check_int(t, sent->len, 1, "two descriptors, one frame");
    check_true(t, sent_frame(0)->len == 100 && !memcmp(sent_frame(0)->data, frame, 100),
               "all its bytes");
    check_u32(t, get(TDH), 2, "head follows");
    check_true(t, mem(TX_RING)[28] & 1 && !(mem(TX_RING)[12] & 1), "DD where RS asked for it");
    check_true(t, c->pci->irq_level, "TXDW");
    check_u32(t, get(GPTC), 1, "counted");
    check_u32(t, get(GPTC), 0, "cleared by reading (13.7)");
}

/* 3.5: checksums by a context and a data descriptor. */
TEST(e1000, checksum_offload)
{
    uint8_t f[60] = { [12] = 8, [14] = 0x45, [17] = 46, [22] = 64, [23] = 17 };
    uint32_t sum = 0;

    card_new(t);
    put_mem(TX_BUF, f, sizeof(f));
    tx_start();
    tx_desc(0, 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)40 << 40,
            0x20000000 | 2 << 24, 0);
    tx_desc(1, TX_BUF, sizeof(f) | 1 << 20 | 0x29000000, 1 << 8);
    put(TDT, 2);
    check_int(t, sent->len, 1, "sent");
    for (int i = 14; i < 34; i += 2) {
        sum += load_be16(sent_frame(0)->data + i);
    }
    check_u32(t, (sum & 0xffff) + (sum >> 16), 0xffff, "the IP header's sum is right");
}

/* 3.6: segmentation. */
TEST(e1000, segmentation)
{
    uint8_t f[54 + 250] = { [12] = 8, [14] = 0x45, [18] = 0, [19] = 7, [23] = 6,
                            [41] = 100, [46] = 0x50, [47] = 0x19 };

    card_new(t);
    for (unsigned i = 54; i < sizeof(f); i++) {
        f[i] = (uint8_t)i;
    }
    put_mem(TX_BUF, f, sizeof(f));
    tx_start();
    tx_desc(0, 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40,
            250 | 0x20000000 | 7 << 24, 54 << 8 | 100 << 16);
    tx_desc(1, TX_BUF, sizeof(f) | 1 << 20 | 0x2d000000, 3 << 8);
    put(TDT, 2);
    if (!check_int(t, sent->len, 3, "250 bytes in segments of 100")) {
        return;
    }
    check_int(t, sent_frame(2)->len, 54 + 50, "the last one is shorter");
    check_u16(t, load_be16(sent_frame(1)->data + 16), 140, "IP length of each");
    check_u16(t, load_be16(sent_frame(2)->data + 18), 9, "IP identification counts");
    check_u32(t, load_be32(sent_frame(1)->data + 38), 200, "TCP sequence");
    check_u8(t, sent_frame(0)->data[47], 0x10, "no FIN, no PSH before the last");
    check_u8(t, sent_frame(2)->data[47], 0x19, "but there");
    check_u8(t, sent_frame(2)->data[54], (uint8_t)(54 + 200), "payload goes on");
}

/* A back end that does the work itself gets the packet in one piece, with right lengths and sums. */
TEST(e1000, large_packet_as_a_whole)
{
    uint8_t f[54 + 250] = { [12] = 8, [14] = 0x45, [19] = 7, [23] = 6, [26] = 10, [30] = 10, [33] = 2,
                            [46] = 0x50, [47] = 0x19 };
    Card *c = card_new(t);
    uint8_t *p;

    /* As Linux leaves it: the sum of the pseudo header without the length. */
    store_be16(f + 50, net_sum(f + 26, 8, 6));
    put_mem(TX_BUF, f, sizeof(f));
    c->net->can = NET_CAN_CSUM | NET_CAN_TSO4;
    tx_start();
    tx_desc(0, 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40,
            250 | 0x20000000 | 7 << 24, 54 << 8 | 100 << 16);
    tx_desc(1, TX_BUF, sizeof(f) | 1 << 20 | 0x2d000000, 3 << 8);
    put(TDT, 2);
    if (!check_int(t, sent->len, 1, "one frame")) {
        return;
    }
    p = sent_frame(0)->data;
    check_true(t, sent_frame(0)->len == sizeof(f) && load_be16(p + 16) == 290, "whole, with the IP length");
    check_u16(t, net_sum(p + 14, 20, 0), 0xffff, "the IP checksum is right");
    check_true(t, last_offload.gso_type == NET_GSO_TCPV4 && last_offload.gso_size == 100 &&
               last_offload.hdr_len == 54 && last_offload.csum_start == 34 && last_offload.csum_offset == 16,
               "what is left to do");
    check_true(t, net_checksum_fill(p, sizeof(f), 34, 16) && net_checksum_ok(p, sizeof(f)),
               "the TCP checksum can be completed");
    check_u32(t, get(GPTC), 3, "it counts as three packets");
}

static void rx_start(unsigned n, uint32_t rctl)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t d[16] = { 0 };

        store_le64(d, RX_BUF + 0x1000 * i);
        put_mem(RX_RING + 16 * i, d, 16);
    }
    put(RDBAL, RX_RING);
    put(RDLEN, 8 * 16);
    put(RDH, 0);
    put(RDT, n);
    put(RCTL, rctl | BIT(1));
}

static const struct { const char *what; uint8_t to[6]; uint32_t rctl; bool taken; } filters[] = {
    { "own address", { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc }, 0, true },
    { "another one", { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcd }, 0, false },
    { "another one, promiscuous", { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcd }, BIT(3), true },
    { "broadcast", { 255, 255, 255, 255, 255, 255 }, 0, false },
    { "broadcast, accepted", { 255, 255, 255, 255, 255, 255 }, BIT(15), true },
    { "multicast", { 1, 0, 0x5e, 0, 0, 1 }, 0, false },
    { "multicast, all", { 1, 0, 0x5e, 0, 0, 1 }, BIT(4), true },
};

TEST(e1000, receive_filters)
{
    Card *c = card_new(t);

    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        uint8_t frame[64] = { 0 };

        memcpy(frame, filters[i].to, 6);
        rx_start(4, filters[i].rctl);
        net_deliver(c->net, frame, sizeof(frame));
        check_true(t, (get(RDH) == 1) == filters[i].taken, filters[i].what);
    }
}

TEST(e1000, receive)
{
    Card *c = card_new(t);
    uint8_t frame[3000] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc };

    frame[1000] = 0x77;
    put(IMS, 0x80);
    rx_start(4, BIT(26));                               /* SECRC */
    net_deliver(c->net, frame, 42);
    check_u16(t, load_le16(mem(RX_RING) + 8), 60, "padded");
    check_u8(t, mem(RX_RING)[12] & 3, 3, "DD and EOP");
    check_true(t, c->pci->irq_level, "RXT0");
    get(ICR);
    net_deliver(c->net, frame, 3000);
    check_u32(t, get(RDH), 1, "too long without LPE");
    put(RCTL, BIT(1) | BIT(5) | BIT(26));
    net_deliver(c->net, frame, 3000);
    check_u32(t, get(RDH), 3, "two buffers of 2048");
    check_true(t, (mem(RX_RING)[28] & 3) == 1 && (mem(RX_RING)[44] & 3) == 3, "EOP on the last");
    check_u8(t, mem(RX_BUF + 0x1000)[1000], 0x77, "its bytes");
    net_deliver(c->net, frame, 60);
    check_u32(t, get(RDH), 4, "the last free one");
    net_deliver(c->net, frame, 60);
    check_u32(t, get(RDH), 4, "no room: it waits");
    put(RDT, 6);
    check_u32(t, get(RDH), 5, "taken when there is room again");
    check_u32(t, get(GPRC), 4, "counted");
}

/* SDM 9: tags are inserted into what is sent, and taken out of what is received. */
TEST(e1000, vlan_tags)
{
    uint8_t f[64] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, [12] = 8, [14] = 0x99 };
    uint8_t tagged[68] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, [12] = 0x81, [14] = 0x20, [15] = 7, [16] = 8, [18] = 0x99 };
    Card *c = card_new(t);

    put(0x0038, 0x8100);                                /* VET */
    put(CTRL, get(CTRL) | BIT(30));
    put_mem(TX_BUF, f, sizeof(f));
    tx_start();
    tx_desc(0, TX_BUF, sizeof(f) | 1 << 20 | 0x69000000, 0x2007u << 16);        /* DEXT, VLE, EOP, RS */
    tx_desc(1, TX_BUF, sizeof(f) | 1 << 20 | 0x29000000, 0x2007u << 16);
    put(TDT, 2);
    if (check_int(t, sent->len, 2, "two frames")) {
        check_true(t, sent_frame(0)->len == 68 && !memcmp(sent_frame(0)->data, tagged, 68), "with the tag");
        check_int(t, sent_frame(1)->len, 64, "without VLE without");
    }
    rx_start(4, BIT(26));
    net_deliver(c->net, tagged, sizeof(tagged));
    check_u16(t, load_le16(mem(RX_RING) + 8), 64, "the tag is taken out");
    check_true(t, mem(RX_RING)[12] & 8 && load_le16(mem(RX_RING) + 14) == 0x2007, "and told");
    check_mem(t, mem(RX_BUF), f, 64, "the frame");
    put(CTRL, get(CTRL) & ~BIT(30));
    net_deliver(c->net, tagged, sizeof(tagged));
    check_true(t, load_le16(mem(RX_RING + 16) + 8) == 68 && !(mem(RX_RING + 16)[12] & 8), "without VME it stays");
}

/* SDM 3.2.9 */
TEST(e1000, receive_checksums)
{
    uint8_t f[60] = { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc, [12] = 8, [14] = 0x45, [17] = 46, [22] = 64, [23] = 17,
                      [26] = 10, [30] = 10, [33] = 1, [39] = 26, [50] = 0x12 };
    Card *c = card_new(t);

    store_be16(f + 24, ~net_sum(f + 14, 20, 0));
    store_be16(f + 40, ~net_sum(f + 34, 26, net_sum(f + 26, 8, 17 + 26)));
    rx_start(6, BIT(26));
    net_deliver(c->net, f, sizeof(f));
    check_u8(t, mem(RX_RING)[12] & 0x64, 4, "nothing is checked: IXSM");
    put(0x5000, BIT(8) | BIT(9));                       /* RXCSUM: IPOFL, TUOFL */
    net_deliver(c->net, f, sizeof(f));
    check_true(t, (mem(RX_RING + 16)[12] & 0x64) == 0x60 && !mem(RX_RING + 16)[13], "both are right");
    f[50]++;
    net_deliver(c->net, f, sizeof(f));
    check_true(t, (mem(RX_RING + 32)[12] & 0x64) == 0x60 && mem(RX_RING + 32)[13] == 0x20, "TCPE");
    f[50]--;
    f[22]--;
    net_deliver(c->net, f, sizeof(f));
    check_true(t, mem(RX_RING + 48)[13] == 0x40, "IPE");
    f[12] = 9;
    net_deliver(c->net, f, sizeof(f));
    check_u8(t, mem(RX_RING + 64)[12] & 0x64, 4, "no IP: IXSM");
}

TEST(e1000, state_in_mid_operation)
{
    Card *c = card_new(t);
    g_autoptr(GByteArray) one = g_byte_array_new(), two = g_byte_array_new();
    uint8_t frame[80] = { 1, 2, 3 };
    Error *err = NULL;

    put_mem(TX_BUF, frame, sizeof(frame));
    tx_start();
    tx_desc(0, TX_BUF, 50, 0);                          /* no EOP: half a packet */
    put(TDT, 1);
    put(IMS, 1);
    put(ICS, 1);
    check_true(t, device_save(&c->pci->dev, one, &err), "saved");
    device_reset(&c->pci->dev, RESET_COLD);
    check_true(t, device_load(&c->pci->dev, one->data, one->len, &err),
               err ? error_message(err) : "loaded");
    check_true(t, c->pci->irq_level, "its interrupt is there again");
    device_save(&c->pci->dev, two, &err);
    check_mem(t, two->data, one->data, one->len, "saved again it is the same");
    tx_desc(1, TX_BUF + 50, 30 | 0x01000000, 0);
    put(TDT, 2);
    check_true(t, sent->len == 1 && sent_frame(0)->len == 80, "the packet is completed");
}

TEST(e1000, boot_place)
{
    QOBJECT_AUTO QDict *opts = qdict_from_fmt("{'driver': 'e1000', 'bootindex': 3,"
                                              " 'addr': '7', 'romfile': ''}");
    Error *err = NULL;
    Device *dev;
    g_autofree char *path = NULL;

    make_machine(t);
    dev = device_add(opts, false, &err);
    check_true(t, dev, err ? error_message(err) : "a second card");
    path = device_fw_path(dev);
    check_str(t, path, "/pci@i0cf8/ethernet@7", "as firmware calls it");
    device_delete(dev);
    while (main_loop_iterate(false)) {
    }
}
