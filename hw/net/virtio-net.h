/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of the virtio network device (V 5.1), shared by virtio-net.c (the device), virtio-net-io.c (frames) and
 * virtio-net-ctrl.c (control queue, receive filter). Big lock.
 */
#ifndef HW_NET_VIRTIO_NET_H
#define HW_NET_VIRTIO_NET_H

#include "hw/core/boot.h"
#include "hw/virtio/vhost.h"
#include "hw/virtio/virtio-pci.h"
#include "net/net.h"

/* V 5.1.3. */
enum { F_CSUM = 0, F_GUEST_CSUM = 1, F_CTRL_GUEST_OFFLOADS = 2, F_MTU = 3, F_MAC = 5,
       F_GUEST_TSO4 = 7, F_GUEST_TSO6 = 8, F_GUEST_ECN = 9, F_GUEST_UFO = 10, F_HOST_TSO4 = 11,
       F_HOST_TSO6 = 12, F_HOST_ECN = 13, F_HOST_UFO = 14, F_MRG_RXBUF = 15, F_STATUS = 16,
       F_CTRL_VQ = 17, F_CTRL_RX = 18, F_CTRL_VLAN = 19, F_CTRL_RX_EXTRA = 20,
       F_GUEST_ANNOUNCE = 21, F_MQ = 22, F_CTRL_MAC_ADDR = 23, F_SPEED_DUPLEX = 63 };

#define NET_MAC_TABLE   64
#define NET_MAX_VLAN    4096
#define NET_PAIRS_MAX   64
#define NET_TX_MAX      65550   /* 64 KiB of IP packet behind an Ethernet header */

typedef struct VirtioNet VirtioNet;

/* A receive and a send queue (V 5.1.2): queues 2 * index and 2 * index + 1. */
typedef struct NetPair {
    VirtioNet *s;
    unsigned index;
    NetBackend *net;            /* the back end's queue; NULL: none */
    BottomHalf *tx_bh;
} NetPair;

struct VirtioNet {
    VirtIODevice v;
    NetBackend *netdev;
    unsigned max_pairs;
    NetPair *pairs;             /* max_pairs of them */
    uint16_t cur_pairs;         /* that the driver uses */
    uint64_t offloads;          /* features by bit number that the driver has switched on */
    uint8_t *scratch;           /* NET_TX_MAX bytes: the frame being sent */
    VhostDev *vhost;            /* another process has the queues; NULL: no */
    MacAddr mac;                /* property */
    int32_t bootindex;
    uint16_t rx_queue_size, tx_queue_size, host_mtu;
    int32_t speed;              /* Mbit/s; -1: not told */
    char *duplex, *tx;
    uint32_t tx_burst;
    uint64_t tx_waiting;        /* BIT64(pair): its bottom half will look at the queue */
    bool link_up, announcing;
    MacAddr current_mac;        /* as the driver has set it */
    /* Receive filter (V 5.1.6.5). */
    uint8_t promisc, allmulti, alluni, nomulti, nouni, nobcast;
    uint8_t uni_overflow, multi_overflow;       /* more addresses than fit */
    uint32_t mac_in_use;        /* entries of macs; unicast first */
    uint32_t first_multi;
    MacAddr macs[NET_MAC_TABLE];
    uint32_t vlans[NET_MAX_VLAN / 32];
};
DEFINE_CAST(VIRTIO_NET, VirtioNet, "virtio-net-device")

/* With several pairs the control queue is behind them, if the driver knows that there are (V 5.1.2). */
static inline unsigned virtio_net_ctrl_index(const VirtioNet *s)
{
    return virtio_has(&s->v, F_MQ) ? 2 * s->max_pairs : 2;
}
void virtio_net_ctrl(VirtIODevice *v, VirtQueue *vq);
/* The driver's choice of features, or of offloads among them, has changed. */
void virtio_net_apply_offloads(VirtioNet *s);
void virtio_net_set_pairs(VirtioNet *s, unsigned n);
struct RxFilterInfo *virtio_net_rx_filter(void *opaque);

/* --- virtio-net-io.c --- */
extern const NetDeviceOps virtio_net_dev_ops;       /* its opaque is a NetPair */
void virtio_net_handle_rx(NetPair *p);
void virtio_net_handle_tx(NetPair *p);
void virtio_net_transmit(void *pair);

void virtio_net_filter_reset(VirtioNet *s);
void virtio_net_link_changed(void *pair, bool up);
void virtio_net_announce(void *pair);
/* The frame, of at least 14 bytes, is for us. */
bool virtio_net_wanted(const VirtioNet *s, const uint8_t *frame, size_t len);

#endif
