/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio network device: V 5.1. Checksums and TCP segmentation that the driver leaves to the device are done
 * here, and the checksums of received frames are checked for it.
 *
 * Not modelled: more than one pair of queues, receive-side scaling and coalescing, large received packets,
 * UDP segmentation.
 */
#include "util/osdep.h"
#include "hw/net/virtio-net.h"

#include <glib.h>
#include "hw/net/offload.h"
#include "util/bswap.h"
#include "util/iov.h"

/* V 5.1.4: offsets in the configuration. */
enum { CFG_MAC = 0, CFG_STATUS = 6, CFG_MAX_PAIRS = 8, CFG_MTU = 10, CFG_SPEED = 12,
       CFG_DUPLEX = 16, CFG_LEN = 17 };
enum { STATUS_LINK_UP = 1 };

/* V 5.1.6: the header before each frame. */
enum { HDR_FLAGS = 0, HDR_GSO_TYPE = 1, HDR_GSO_SIZE = 4, HDR_CSUM_START = 6, HDR_CSUM_OFFSET = 8,
       HDR_NUM_BUFFERS = 10, HDR_SHORT = 10, HDR_LONG = 12 };
enum { HDR_F_NEEDS_CSUM = 1, HDR_F_DATA_VALID = 2 };
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_ECN = 0x80 };

#define FRAME_MAX   65550       /* 64 KiB of IP packet behind an Ethernet header */

static size_t header_len(const VirtioNet *s)
{
    return virtio_has(&s->v, F_MRG_RXBUF) || virtio_has(&s->v, VIRTIO_F_VERSION_1) ? HDR_LONG
                                                                                  : HDR_SHORT;
}

/* --- to the driver --- */

static bool can_receive(void *opaque)
{
    VirtioNet *s = opaque;
    VirtQueue *vq = virtio_queue(&s->v, NET_VQ_RX);

    if (!virtio_is_live(&s->v) || !runstate_is_running()) {
        return false;
    }
    return !virtq_is_empty(vq) || virtq_want_notify(vq, true);
}

static void make_header(VirtioNet *s, uint8_t *h, const uint8_t *frame, size_t len)
{
    memset(h, 0, HDR_LONG);
    if (virtio_has(&s->v, F_GUEST_CSUM) && net_checksum_ok(frame, len)) {
        h[HDR_FLAGS] = HDR_F_DATA_VALID;
    }
}

/* Buffers for @need bytes, at most @max of them; how many, 0: there aren't enough. */
static unsigned take_buffers(VirtQueue *vq, size_t need, VirtqElem **e, unsigned max)
{
    size_t have = 0;
    unsigned n = 0;

    while (n < max && have < need && (e[n] = virtq_pop(vq, sizeof(**e)))) {
        have += e[n++]->in_bytes;
    }
    if (have >= need) {
        return n;
    }
    while (n) {
        virtq_unpop(vq, e[--n]);
        g_free(e[n]);
    }
    return 0;
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    VirtioNet *s = opaque;
    VirtQueue *vq = virtio_queue(&s->v, NET_VQ_RX);
    bool merge = virtio_has(&s->v, F_MRG_RXBUF);
    size_t head = header_len(s), at = 0;
    uint8_t header[HDR_LONG];
    VirtqElem *e[64];
    unsigned n;

    if (len < 14 || !virtio_is_live(&s->v) || !virtio_net_wanted(s, frame, len)) {
        return;
    }
    n = take_buffers(vq, head + len, e, merge ? ARRAY_SIZE(e) : 1);
    if (!n) {
        return;                                 /* dropped, as by a card without memory */
    }
    make_header(s, header, frame, len);
    virtio_st16(&s->v, header + HDR_NUM_BUFFERS, n);
    for (unsigned i = 0; i < n; i++) {
        size_t start = i ? 0 : head, part = 0;

        if (!i) {
            iov_from_buf(e[i]->in, e[i]->in_num, 0, header, head);
            if (e[i]->in_bytes < head) {
                virtio_broken(&s->v, "a receive buffer of %u bytes", e[i]->in_bytes);
            }
        }
        if (e[i]->in_bytes > start) {
            part = iov_from_buf(e[i]->in, e[i]->in_num, start, frame + at, len - at);
        }
        at += part;
        virtq_push(vq, e[i], start + part);
        g_free(e[i]);
    }
    virtq_notify(vq);
}

static void handle_rx(VirtIODevice *v, UNUSED VirtQueue *vq)
{
    net_flush(VIRTIO_NET(v)->netdev);
}

/* --- from the driver --- */

static void put_segment(void *opaque, const uint8_t *frame, size_t len)
{
    net_send(((VirtioNet *)opaque)->netdev, frame, len);
}

static void send_offloaded(VirtioNet *s, const uint8_t *h, uint8_t *frame, size_t len)
{
    uint8_t gso = h[HDR_GSO_TYPE] & ~GSO_ECN;

    if (gso == GSO_TCPV4 || gso == GSO_TCPV6) {
        net_segment_tcp(frame, len, virtio_ld16(&s->v, h + HDR_GSO_SIZE), put_segment, s);
        return;
    }
    if (h[HDR_FLAGS] & HDR_F_NEEDS_CSUM &&
        !net_checksum_fill(frame, len, virtio_ld16(&s->v, h + HDR_CSUM_START),
                           virtio_ld16(&s->v, h + HDR_CSUM_OFFSET))) {
        return;
    }
    net_send(s->netdev, frame, len);
}

static void send_element(VirtioNet *s, const VirtqElem *e)
{
    uint8_t header[HDR_LONG] = { 0 }, *copy;
    size_t head = header_len(s), len;
    bool offload;

    if (e->out_bytes < head + 14 || e->out_bytes - head > FRAME_MAX) {
        return;                                 /* no frame */
    }
    len = e->out_bytes - head;
    iov_to_buf(e->out, e->out_num, 0, header, head);
    offload = header[HDR_FLAGS] & HDR_F_NEEDS_CSUM || header[HDR_GSO_TYPE] != GSO_NONE;
    if (!offload && e->out_num == 2 && e->out[0].iov_len == head) {
        net_send(s->netdev, e->out[1].iov_base, len);
        return;
    }
    copy = g_malloc(len);
    iov_to_buf(e->out, e->out_num, head, copy, len);
    if (offload) {
        send_offloaded(s, header, copy, len);
    } else {
        net_send(s->netdev, copy, len);
    }
    g_free(copy);
}

static void transmit(void *opaque)
{
    VirtioNet *s = opaque;
    VirtQueue *vq = virtio_queue(&s->v, NET_VQ_TX);
    VirtqElem *e;
    unsigned n = 0;

    if (!runstate_is_running()) {
        return;                                 /* tx_waiting stays: see running_changed */
    }
    s->tx_waiting = false;
    while (n < s->tx_burst && (e = virtq_pop(vq, sizeof(*e)))) {
        send_element(s, e);
        virtq_push(vq, e, 0);
        g_free(e);
        n++;
    }
    if (n) {
        virtq_notify(vq);
    }
    if (n == s->tx_burst || virtq_want_notify(vq, true)) {
        s->tx_waiting = true;
        bh_schedule(s->tx_bh);
    }
}

/* Frames go out from the main loop, many at a time, while the driver goes on. */
static void handle_tx(VirtIODevice *v, VirtQueue *vq)
{
    VirtioNet *s = VIRTIO_NET(v);

    if (!s->tx_waiting) {
        s->tx_waiting = true;
        virtq_want_notify(vq, false);
        bh_schedule(s->tx_bh);
    }
}

/* --- configuration --- */

static uint64_t net_features(VirtIODevice *v)
{
    VirtioNet *s = VIRTIO_NET(v);
    uint64_t f = BIT64(F_MAC);

    f |= s->host_mtu ? BIT64(F_MTU) : 0;
    f |= s->speed >= 0 || s->duplex ? BIT64(F_SPEED_DUPLEX) : 0;
    return f;
}

static void net_get_config(VirtIODevice *v, uint8_t *c)
{
    VirtioNet *s = VIRTIO_NET(v);

    memcpy(c + CFG_MAC, s->current_mac.a, 6);
    virtio_st16(v, c + CFG_STATUS, s->link_up ? STATUS_LINK_UP : 0);
    virtio_st16(v, c + CFG_MAX_PAIRS, 1);
    virtio_st16(v, c + CFG_MTU, s->host_mtu);
    virtio_st32(v, c + CFG_SPEED, s->speed);
    c[CFG_DUPLEX] = !s->duplex ? 0xff : !strcmp(s->duplex, "full");
}

/* Legacy drivers write their address here. */
static void net_set_config(VirtIODevice *v, const uint8_t *c, unsigned offset, UNUSED unsigned len)
{
    VirtioNet *s = VIRTIO_NET(v);

    if (offset < 6 && !virtio_has(v, VIRTIO_F_VERSION_1) && !virtio_has(v, F_CTRL_MAC_ADDR)) {
        memcpy(s->current_mac.a, c + CFG_MAC, 6);
    }
}

static void net_reset(VirtIODevice *v)
{
    VirtioNet *s = VIRTIO_NET(v);

    virtio_net_filter_reset(s);
    s->current_mac = s->mac;
    s->link_up = !s->netdev || !s->netdev->link_down;
    s->tx_waiting = false;
    if (s->tx_bh) {
        bh_cancel(s->tx_bh);
    }
}

static void net_status_changed(VirtIODevice *v, uint8_t old)
{
    if (v->status & ~old & VIRTIO_S_DRIVER_OK) {
        net_flush(VIRTIO_NET(v)->netdev);
    }
}

static void net_running_changed(VirtIODevice *v, bool running)
{
    VirtioNet *s = VIRTIO_NET(v);

    if (running) {
        if (s->tx_waiting) {
            bh_schedule(s->tx_bh);
        }
        net_flush(s->netdev);
    }
}

static void link_changed(void *opaque, bool up)
{
    VirtioNet *s = opaque;

    s->link_up = up;
    virtio_config_changed(&s->v);
}

static const NetDeviceOps net_dev_ops = { .can_receive = can_receive, .receive = receive,
                                          .link_changed = link_changed };

/* --- life --- */

static bool check_size(const char *name, uint16_t size, Error **errp)
{
    if (size < 64 || size > VIRTQ_MAX_SIZE || !IS_POWER_OF_2(size)) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s' is %u; accepted: a power of two from 64 "
                   "to %u", name, size, VIRTQ_MAX_SIZE);
        return false;
    }
    return true;
}

static bool check_text(const char *name, const char *text, const char *a, const char *b,
                       Error **errp)
{
    if (text && strcmp(text, a) && strcmp(text, b)) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property '%s' is '%s'; accepted: %s, %s", name, text,
                   a, b);
        return false;
    }
    return true;
}

static bool net_realize(Device *dev, Error **errp)
{
    VirtioNet *s = VIRTIO_NET(dev);
    static const uint8_t none[6];

    if (!check_size("rx_queue_size", s->rx_queue_size, errp) ||
        !check_size("tx_queue_size", s->tx_queue_size, errp) ||
        !check_text("duplex", s->duplex, "half", "full", errp) ||
        !check_text("tx", s->tx, "bh", "timer", errp)) {
        return false;
    }
    if (s->speed < -1) {
        error_setf(errp, ERR_PROPERTY_RANGE, "property 'speed' is %d; accepted: 0 to 2147483647, or "
                   "-1", s->speed);
        return false;
    }
    if (!memcmp(s->mac.a, none, 6)) {
        s->mac = net_new_mac();
    }
    virtio_add_queue(&s->v, s->rx_queue_size, handle_rx);
    virtio_add_queue(&s->v, s->tx_queue_size, handle_tx);
    if (s->v.feature_props & BIT64(F_CTRL_VQ)) {
        virtio_add_queue(&s->v, 64, virtio_net_ctrl);
    }
    if (!boot_add(dev, s->bootindex, "/ethernet-phy@0", errp)) {
        return false;
    }
    s->tx_bh = bh_new_on(main_event_loop(), transmit, s);
    net_reset(&s->v);
    net_connect(s->netdev, &net_dev_ops, s);
    return true;
}

static void net_unrealize(Device *dev)
{
    VirtioNet *s = VIRTIO_NET(dev);

    net_disconnect(s->netdev);
    boot_remove(dev);
    bh_delete(s->tx_bh);
    s->tx_bh = NULL;
}

static bool net_post_load(void *opaque, Error **errp)
{
    VirtioNet *s = opaque;

    if (s->first_multi > s->mac_in_use) {
        error_setf(errp, ERR_STATE_INVALID, "multicast addresses from %u of %u", s->first_multi,
                   s->mac_in_use);
        s->first_multi = s->mac_in_use = 0;
        return false;
    }
    if (s->tx_waiting) {
        bh_schedule(s->tx_bh);
    }
    return true;
}

static const VmField mac_fields[] = { VM_BUFFER(MacAddr, a), VM_END };
static const VmState mac_vm = { 1, mac_fields };

static const VmField net_fields[] = {
    VM_VIRTIO(VirtioNet, v), VM_BOOL(VirtioNet, tx_waiting), VM_BOOL(VirtioNet, link_up),
    VM_STRUCT(VirtioNet, current_mac, mac_vm), VM_U8(VirtioNet, promisc),
    VM_U8(VirtioNet, allmulti), VM_U8(VirtioNet, alluni), VM_U8(VirtioNet, nomulti),
    VM_U8(VirtioNet, nouni), VM_U8(VirtioNet, nobcast), VM_U8(VirtioNet, uni_overflow),
    VM_U8(VirtioNet, multi_overflow), VM_U32_RANGE(VirtioNet, mac_in_use, 0, NET_MAC_TABLE),
    VM_U32_RANGE(VirtioNet, first_multi, 0, NET_MAC_TABLE),
    VM_STRUCT_ARRAY(VirtioNet, macs, mac_vm), VM_U32_ARRAY(VirtioNet, vlans), VM_END
};

#define NET_FEATURE(name, bit, text) \
    PROP_BIT64(name, VirtioNet, v.feature_props, bit, true, text)

static const Property net_props[] = {
    PROP_MAC("mac", VirtioNet, mac, "MAC address; zeros: a new one"),
    PROP_NETDEV("netdev", VirtioNet, netdev, "the network behind it"),
    PROP_BOOTINDEX(VirtioNet, bootindex),
    NET_FEATURE("csum", F_CSUM, "checksums of sent packets are done for the driver"),
    NET_FEATURE("guest_csum", F_GUEST_CSUM, "checksums of received packets are checked"),
    NET_FEATURE("host_tso4", F_HOST_TSO4, "TCP over IPv4 is cut into segments"),
    NET_FEATURE("host_tso6", F_HOST_TSO6, "TCP over IPv6 is cut into segments"),
    NET_FEATURE("host_ecn", F_HOST_ECN, "the same with congestion notification"),
    NET_FEATURE("mrg_rxbuf", F_MRG_RXBUF, "a frame may take several receive buffers"),
    NET_FEATURE("status", F_STATUS, "the state of the link is told"),
    NET_FEATURE("ctrl_vq", F_CTRL_VQ, "there is a control queue"),
    NET_FEATURE("ctrl_rx", F_CTRL_RX, "receive modes by the control queue"),
    NET_FEATURE("ctrl_vlan", F_CTRL_VLAN, "VLAN filter by the control queue"),
    NET_FEATURE("ctrl_rx_extra", F_CTRL_RX_EXTRA, "more receive modes by the control queue"),
    NET_FEATURE("ctrl_mac_addr", F_CTRL_MAC_ADDR, "the address by the control queue"),
    NET_FEATURE("ctrl_guest_offloads", F_CTRL_GUEST_OFFLOADS, "offloads by the control queue"),
    PROP_BIT64("mq", VirtioNet, v.feature_props, F_MQ, false, "several queues are offered; of one pair"),
    PROP_U16("rx_queue_size", VirtioNet, rx_queue_size, 256, "receive buffers, a power of two"),
    PROP_U16("tx_queue_size", VirtioNet, tx_queue_size, 256, "send descriptors, a power of two"),
    PROP_U16("host_mtu", VirtioNet, host_mtu, 0, "largest packet that the driver is told; 0: none"),
    PROP_I32("speed", VirtioNet, speed, -1, "of the link in Mbit/s; -1: not told"),
    PROP_STR("duplex", VirtioNet, duplex, NULL, "half, full; default: not told"),
    PROP_STR("tx", VirtioNet, tx, NULL, "bh or timer: both send as soon as the main loop runs"),
    PROP_U32_RANGE("x-txburst", VirtioNet, tx_burst, 256, 1, INT32_MAX,
                   "frames that are sent at once"),
    VIRTIO_COMMON_PROPS(VirtioNet, v),
    PROP_END
};

static const VirtioOps net_ops = {
    .id = VIRTIO_ID_NET, .config_len = CFG_LEN, .features = net_features,
    .get_config = net_get_config, .set_config = net_set_config, .reset = net_reset,
    .status_changed = net_status_changed, .running_changed = net_running_changed,
};

static const DeviceType net_type = {
    .name = "virtio-net-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio network device",
    .size = sizeof(VirtioNet), .category = DEVICE_NETWORK, .hotpluggable = true,
    .props = net_props, .realize = net_realize, .unrealize = net_unrealize,
    .vm = { 1, net_fields, .post_load = net_post_load }, .data = &net_ops,
};
DEVICE_TYPE(net_type)

static const Property *const net_tables[] = { net_props, NULL };
static const VirtioPciInfo net_pci = {
    .name = "virtio-net-pci", .device = "virtio-net-device", .desc = "virtio network device",
    .id = VIRTIO_ID_NET, .class_code = 0x020000, .category = DEVICE_NETWORK,
    .romfile = "efi-virtio.rom", .props = net_tables,
};
VIRTIO_PCI(net_pci)
