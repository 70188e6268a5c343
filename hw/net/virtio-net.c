/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio network device: V 5.1. What the driver leaves to the device (checksums, TCP segmentation) goes on to a
 * back end that can do it, or is done here.
 *
 * Not modelled: receive-side scaling and coalescing, hash reports, UDP segmentation.
 */
#include "util/osdep.h"
#include "hw/net/virtio-net.h"
#include "vmstate/node.h"

#include <glib.h>
#include <limits.h>

/* V 5.1.4: offsets in the configuration. */
enum { CFG_MAC = 0, CFG_STATUS = 6, CFG_MAX_PAIRS = 8, CFG_MTU = 10, CFG_SPEED = 12,
       CFG_DUPLEX = 16, CFG_LEN = 17 };
enum { STATUS_LINK_UP = 1, STATUS_ANNOUNCE = 2 };

enum { OFFLOADS = BIT(F_GUEST_CSUM) | BIT(F_GUEST_TSO4) | BIT(F_GUEST_TSO6) | BIT(F_GUEST_ECN) |
                  BIT(F_GUEST_UFO) };

static void handle_queue(VirtIODevice *v, VirtQueue *vq)
{
    VirtioNet *s = VIRTIO_NET(v);
    unsigned ctrl = virtio_net_ctrl_index(s);
    NetPair *p = &s->pairs[vq->index / 2];

    if (vq->index == ctrl) {
        virtio_net_ctrl(v, vq);
    } else if (vq->index < ctrl && vq->index % 2 == 0) {
        virtio_net_handle_rx(p);
    } else if (vq->index < ctrl) {
        virtio_net_handle_tx(p);
    }
}

/* --- configuration --- */

static uint64_t net_features(VirtIODevice *v)
{
    VirtioNet *s = VIRTIO_NET(v);
    unsigned gives = !s->netdev ? 0 : s->vhost ? UINT_MAX : s->netdev->gives;
    uint64_t f = BIT64(F_MAC), never = BIT64(F_HOST_UFO);

    f |= s->host_mtu ? BIT64(F_MTU) : 0;
    f |= s->speed >= 0 || s->duplex ? BIT64(F_SPEED_DUPLEX) : 0;
    never |= gives & NET_CAN_TSO4 ? 0 : BIT64(F_GUEST_TSO4);
    never |= gives & NET_CAN_TSO6 ? 0 : BIT64(F_GUEST_TSO6);
    never |= gives & NET_CAN_ECN ? 0 : BIT64(F_GUEST_ECN);
    never |= gives & NET_CAN_UFO ? 0 : BIT64(F_GUEST_UFO);
    v->feature_props &= ~never;
    return f;
}

/* V 5.1.6.4.1: what the back end may leave undone in frames for us. */
void virtio_net_apply_offloads(VirtioNet *s)
{
    uint64_t on = s->v.guest_features & s->offloads;

    net_set_device_can(s->netdev, (on & BIT64(F_GUEST_CSUM) ? NET_CAN_CSUM : 0) |
                                  (on & BIT64(F_GUEST_TSO4) ? NET_CAN_TSO4 : 0) |
                                  (on & BIT64(F_GUEST_TSO6) ? NET_CAN_TSO6 : 0) |
                                  (on & BIT64(F_GUEST_ECN) ? NET_CAN_ECN : 0) |
                                  (on & BIT64(F_GUEST_UFO) ? NET_CAN_UFO : 0));
}

static uint64_t net_limit(VirtIODevice *v)
{
    VirtioNet *s = VIRTIO_NET(v);

    return s->vhost ? vhost_dev_limit(s->vhost) : UINT64_MAX;
}

/* The other process has the rings while the driver and the VM run. */
static void update_vhost(VirtioNet *s)
{
    if (!s->vhost) {
        return;
    }
    if (virtio_is_live(&s->v) && runstate_is_running()) {
        vhost_dev_start(s->vhost, virtio_net_ctrl_index(s), 2 * s->cur_pairs);
    } else {
        vhost_dev_stop(s->vhost);
    }
}

static void vhost_connected(void *opaque)
{
    update_vhost(opaque);
}

static void vhost_disconnected(void *opaque)
{
    vhost_dev_stop(((VirtioNet *)opaque)->vhost);
}

static const VhostUserOps vhost_ops = { vhost_connected, vhost_disconnected };

static void net_features_set(VirtIODevice *v)
{
    VirtioNet *s = VIRTIO_NET(v);

    s->offloads = OFFLOADS;
    virtio_net_apply_offloads(s);
}

void virtio_net_set_pairs(VirtioNet *s, unsigned n)
{
    s->cur_pairs = n;
    if (s->vhost) {
        vhost_dev_enable(s->vhost, 2 * n);
    }
    for (unsigned i = 0; i < s->max_pairs; i++) {
        net_enable_queue(s->pairs[i].net, i < n);
        if (i < n) {
            net_flush(s->pairs[i].net);
        }
    }
}

static void net_get_config(VirtIODevice *v, uint8_t *c)
{
    VirtioNet *s = VIRTIO_NET(v);

    memcpy(c + CFG_MAC, s->current_mac.a, 6);
    virtio_st16(v, c + CFG_STATUS, (s->link_up ? STATUS_LINK_UP : 0) |
                                   (s->announcing ? STATUS_ANNOUNCE : 0));
    virtio_st16(v, c + CFG_MAX_PAIRS, s->max_pairs);
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
        net_rx_filter_changed(s->netdev);
    }
}

static void net_reset(VirtIODevice *v)
{
    VirtioNet *s = VIRTIO_NET(v);

    virtio_net_filter_reset(s);
    s->current_mac = s->mac;
    s->link_up = !s->netdev || !s->netdev->link_down;
    s->tx_waiting = 0;
    s->announcing = false;
    s->offloads = 0;
    virtio_net_set_pairs(s, 1);
    net_set_device_can(s->netdev, 0);
    for (unsigned i = 0; i < s->max_pairs; i++) {
        bh_cancel(s->pairs[i].tx_bh);
    }
}

static void flush_all(VirtioNet *s)
{
    for (unsigned i = 0; i < s->cur_pairs; i++) {
        net_flush(s->pairs[i].net);
    }
}

static void net_status_changed(VirtIODevice *v, uint8_t old)
{
    update_vhost(VIRTIO_NET(v));
    if (v->status & ~old & VIRTIO_S_DRIVER_OK) {
        flush_all(VIRTIO_NET(v));
    }
}

static void schedule_waiting(VirtioNet *s)
{
    for (unsigned i = 0; i < s->max_pairs; i++) {
        if (s->tx_waiting & BIT64(i)) {
            bh_schedule(s->pairs[i].tx_bh);
        }
    }
}

static void net_running_changed(VirtIODevice *v, bool running)
{
    VirtioNet *s = VIRTIO_NET(v);

    update_vhost(s);
    if (running) {
        schedule_waiting(s);
        flush_all(s);
    }
}

void virtio_net_link_changed(void *opaque, bool up)
{
    VirtioNet *s = ((NetPair *)opaque)->s;

    s->link_up = up;
    virtio_config_changed(&s->v);
}

/* V 5.1.6.5.4 */
void virtio_net_announce(void *opaque)
{
    VirtioNet *s = ((NetPair *)opaque)->s;

    if (virtio_has(&s->v, F_GUEST_ANNOUNCE) && virtio_has(&s->v, F_CTRL_VQ) && virtio_is_live(&s->v)) {
        s->announcing = true;
        virtio_config_changed(&s->v);
    }
}

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
    s->max_pairs = s->netdev ? net_queues(s->netdev) : 1;
    if (s->max_pairs > NET_PAIRS_MAX) {
        error_setf(errp, ERR_OUT_OF_RANGE, "network back end '%s' has %u queues; accepted: up to %d",
                   s->netdev->id, s->max_pairs, NET_PAIRS_MAX);
        return false;
    }
    for (unsigned i = 0; i < s->max_pairs; i++) {
        virtio_add_queue(&s->v, s->rx_queue_size, handle_queue);
        virtio_add_queue(&s->v, s->tx_queue_size, handle_queue);
    }
    if (s->v.feature_props & BIT64(F_CTRL_VQ)) {
        virtio_add_queue(&s->v, 64, handle_queue);
    }
    if (!boot_add(dev, s->bootindex, "/ethernet-phy@0", errp)) {
        return false;
    }
    if (s->netdev && s->netdev->vhost) {
        s->vhost = vhost_dev_new(&s->v, vhost_user_of(s->netdev), 2 * s->max_pairs, errp);
        if (!s->vhost) {
            boot_remove(dev);
            return false;
        }
        vhost_user_set_ops(vhost_user_of(s->netdev), &vhost_ops, s);
    }
    s->scratch = g_malloc(NET_TX_MAX);
    s->pairs = g_new0(NetPair, s->max_pairs);
    for (unsigned i = 0; i < s->max_pairs; i++) {
        NetPair *p = &s->pairs[i];

        *p = (NetPair){ .s = s, .index = i, .net = net_queue(s->netdev, i) };
        p->tx_bh = bh_new_on(main_event_loop(), virtio_net_transmit, p);
        net_connect(p->net, &virtio_net_dev_ops, p);
    }
    net_reset(&s->v);
    return true;
}

static void net_unrealize(Device *dev)
{
    VirtioNet *s = VIRTIO_NET(dev);

    if (s->vhost) {
        vhost_dev_free(s->vhost);
        s->vhost = NULL;
        if (vhost_user_of(s->netdev)) {
            vhost_user_set_ops(vhost_user_of(s->netdev), NULL, NULL);
        }
    }
    for (unsigned i = 0; i < s->max_pairs; i++) {
        net_disconnect(s->pairs[i].net);
        bh_delete(s->pairs[i].tx_bh);
    }
    boot_remove(dev);
    g_free(s->pairs);
    g_free(s->scratch);
    s->pairs = NULL;
    s->scratch = NULL;
    s->max_pairs = 0;
}

static bool net_post_load(void *opaque, Error **errp)
{
    VirtioNet *s = opaque;
    const char *wrong = s->first_multi > s->mac_in_use ? "multicast addresses"
                        : !s->cur_pairs || s->cur_pairs > s->max_pairs ? "pairs of queues"
                        : s->max_pairs < 64 && s->tx_waiting >> s->max_pairs ? "queues that wait" : NULL;

    if (wrong) {
        error_setf(errp, ERR_STATE_INVALID, "%s that can't be: %u of %u, %u of %u, 0x%" PRIx64, wrong,
                   s->first_multi, s->mac_in_use, s->cur_pairs, s->max_pairs, s->tx_waiting);
        s->first_multi = s->mac_in_use = 0;
        s->cur_pairs = 1;
        s->tx_waiting = 0;
        return false;
    }
    virtio_net_set_pairs(s, s->cur_pairs);
    virtio_net_apply_offloads(s);
    schedule_waiting(s);
    return true;
}

static const VmField mac_fields[] = { VM_BUFFER(MacAddr, a), VM_END };
static void show_mac(StateNode *n)
{
    state_mean(n, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)state_number(n, 0), (unsigned)state_number(n, 1),
               (unsigned)state_number(n, 2), (unsigned)state_number(n, 3), (unsigned)state_number(n, 4),
               (unsigned)state_number(n, 5));
}

static const VmMeaning mac_meanings[] = {
    { "a", "address", .show = show_mac },
    { .name = NULL }
};
static const VmState mac_vm = { 1, mac_fields, .meanings = mac_meanings };

static const VmField net_fields[] = {
    VM_VIRTIO(VirtioNet, v), VM_U64(VirtioNet, tx_waiting), VM_BOOL(VirtioNet, link_up),
    VM_BOOL(VirtioNet, announcing), VM_U16(VirtioNet, cur_pairs), VM_U64_RANGE(VirtioNet, offloads, 0, OFFLOADS),
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
    NET_FEATURE("host_ufo", F_HOST_UFO, "accepted; UDP isn't cut"),
    NET_FEATURE("guest_tso4", F_GUEST_TSO4, "large TCP packets over IPv4 are received, where the back end has them"),
    NET_FEATURE("guest_tso6", F_GUEST_TSO6, "the same over IPv6"),
    NET_FEATURE("guest_ecn", F_GUEST_ECN, "the same with congestion notification"),
    NET_FEATURE("guest_ufo", F_GUEST_UFO, "the same for UDP"),
    NET_FEATURE("guest_announce", F_GUEST_ANNOUNCE, "the driver announces itself after a migration"),
    NET_FEATURE("mrg_rxbuf", F_MRG_RXBUF, "a frame may take several receive buffers"),
    NET_FEATURE("status", F_STATUS, "the state of the link is told"),
    NET_FEATURE("ctrl_vq", F_CTRL_VQ, "there is a control queue"),
    NET_FEATURE("ctrl_rx", F_CTRL_RX, "receive modes by the control queue"),
    NET_FEATURE("ctrl_vlan", F_CTRL_VLAN, "VLAN filter by the control queue"),
    NET_FEATURE("ctrl_rx_extra", F_CTRL_RX_EXTRA, "more receive modes by the control queue"),
    NET_FEATURE("ctrl_mac_addr", F_CTRL_MAC_ADDR, "the address by the control queue"),
    NET_FEATURE("ctrl_guest_offloads", F_CTRL_GUEST_OFFLOADS, "offloads by the control queue"),
    PROP_BIT64("mq", VirtioNet, v.feature_props, F_MQ, false,
               "as many pairs of queues are offered as the back end has"),
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
    .features_set = net_features_set, .limit = net_limit,
    .get_config = net_get_config, .set_config = net_set_config, .reset = net_reset,
    .status_changed = net_status_changed, .running_changed = net_running_changed,
};

static const VmMeaning net_meanings[] = {
    { "tx_waiting", "pairs whose back end is busy, a bit each" }, { "cur_pairs", "pairs of queues in use" },
    { "offloads", "offloads that the driver wants, by feature bit" },
    { "promisc", "all frames are received" }, { "allmulti", "all multicasts" }, { "alluni", "all unicasts" },
    { "nomulti", "no multicast" },
    { "nouni", "no unicast" }, { "nobcast", "no broadcast" }, { "uni_overflow", "more unicast addresses than the table has" },
    { "multi_overflow", "more multicast addresses than the table has" }, { "mac_in_use", "addresses in the table" },
    { "first_multi", "the first multicast address in it" },
    { "vlans", "VLANs that are received, a bit each" },
    { .name = NULL }
};

static const DeviceType net_type = {
    .name = "virtio-net-device", .parent = TYPE_VIRTIO_DEVICE, .desc = "virtio network device",
    .size = sizeof(VirtioNet), .category = DEVICE_NETWORK, .hotpluggable = true,
    .props = net_props, .realize = net_realize, .unrealize = net_unrealize,
    .vm = { 1, net_fields, .post_load = net_post_load, .meanings = net_meanings }, .data = &net_ops,
};
DEVICE_TYPE(net_type)

static const Property *const net_tables[] = { net_props, NULL };
static const VirtioPciInfo net_pci = {
    .name = "virtio-net-pci", .device = "virtio-net-device", .desc = "virtio network device",
    .id = VIRTIO_ID_NET, .class_code = 0x020000, .category = DEVICE_NETWORK,
    .romfile = "efi-virtio.rom", .props = net_tables,
};
VIRTIO_PCI(net_pci)
