/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State of the virtio network device (V 5.1), shared by virtio-net.c (frames, device) and
 * virtio-net-ctrl.c (control queue, receive filter). Big lock.
 */
#ifndef HW_NET_VIRTIO_NET_H
#define HW_NET_VIRTIO_NET_H

#include "hw/core/boot.h"
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
enum { NET_VQ_RX, NET_VQ_TX, NET_VQ_CTRL };

typedef struct VirtioNet {
    VirtIODevice v;
    NetBackend *netdev;
    MacAddr mac;                /* property */
    int32_t bootindex;
    uint16_t rx_queue_size, tx_queue_size, host_mtu;
    int32_t speed;              /* Mbit/s; -1: not told */
    char *duplex, *tx;
    uint32_t tx_burst;
    BottomHalf *tx_bh;
    bool tx_waiting;            /* the bottom half will look at the queue */
    bool link_up;
    MacAddr current_mac;        /* as the driver has set it */
    /* Receive filter (V 5.1.6.5). */
    uint8_t promisc, allmulti, alluni, nomulti, nouni, nobcast;
    uint8_t uni_overflow, multi_overflow;       /* more addresses than fit */
    uint32_t mac_in_use;        /* entries of macs; unicast first */
    uint32_t first_multi;
    MacAddr macs[NET_MAC_TABLE];
    uint32_t vlans[NET_MAX_VLAN / 32];
} VirtioNet;
DEFINE_CAST(VIRTIO_NET, VirtioNet, "virtio-net-device")

void virtio_net_ctrl(VirtIODevice *v, VirtQueue *vq);
void virtio_net_filter_reset(VirtioNet *s);
/* The frame, of at least 14 bytes, is for us. */
bool virtio_net_wanted(const VirtioNet *s, const uint8_t *frame, size_t len);

#endif
