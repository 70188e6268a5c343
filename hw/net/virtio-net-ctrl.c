/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control queue of the virtio network device: V 5.1.6.5. */
#include "util/osdep.h"
#include "hw/net/virtio-net.h"

#include <glib.h>
#include "qapi/types-net.h"
#include "util/bswap.h"
#include "util/iov.h"

enum { CTRL_RX = 0, CTRL_MAC = 1, CTRL_VLAN = 2, CTRL_ANNOUNCE = 3, CTRL_MQ = 4,
       CTRL_GUEST_OFFLOADS = 5 };
enum { MAC_TABLE_SET = 0, MAC_ADDR_SET = 1, VLAN_ADD = 0, VLAN_DEL = 1 };
#define CTRL_MAX    4096        /* bytes of a command that are looked at */

void virtio_net_filter_reset(VirtioNet *s)
{
    s->promisc = true;          /* until a driver that knows the commands says otherwise */
    s->allmulti = s->alluni = s->nomulti = s->nouni = s->nobcast = 0;
    s->uni_overflow = s->multi_overflow = 0;
    s->mac_in_use = s->first_multi = 0;
    memset(s->macs, 0, sizeof(s->macs));
    memset(s->vlans, 0, sizeof(s->vlans));
}

static bool in_table(const VirtioNet *s, const uint8_t *mac, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (!memcmp(s->macs[i].a, mac, 6)) {
            return true;
        }
    }
    return false;
}

bool virtio_net_wanted(const VirtioNet *s, const uint8_t *frame, size_t len)
{
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    if (s->promisc) {
        return true;
    }
    if (load_be16(frame + 12) == 0x8100 && virtio_has(&s->v, F_CTRL_VLAN) && len >= 16) {
        unsigned vid = load_be16(frame + 14) & 0xfff;

        if (!(s->vlans[vid / 32] & BIT(vid % 32))) {
            return false;
        }
    }
    if (frame[0] & 1) {
        if (!memcmp(frame, broadcast, 6)) {
            return !s->nobcast;
        }
        return !s->nomulti && (s->allmulti || s->multi_overflow ||
                               in_table(s, frame, s->first_multi, s->mac_in_use));
    }
    return !s->nouni && (s->alluni || s->uni_overflow ||
                         !memcmp(frame, s->current_mac.a, 6) ||
                         in_table(s, frame, 0, s->first_multi));
}

static bool rx_mode(VirtioNet *s, uint8_t cmd, const uint8_t *data, size_t len)
{
    uint8_t *const modes[] = { &s->promisc, &s->allmulti, &s->alluni, &s->nomulti, &s->nouni,
                               &s->nobcast };

    if (cmd >= ARRAY_SIZE(modes) || len < 1) {
        return false;
    }
    *modes[cmd] = !!data[0];
    return true;
}

/* One of the two lists: takes what fits; false: cut off. */
static bool take_list(VirtioNet *s, const uint8_t **p, size_t *len, uint8_t *overflow)
{
    uint32_t n;

    if (*len < 4) {
        return false;
    }
    n = virtio_ld32(&s->v, *p);
    *p += 4;
    *len -= 4;
    if (n > *len / 6) {
        return false;
    }
    *overflow = n > NET_MAC_TABLE - s->mac_in_use;
    for (uint32_t i = 0; i < n && !*overflow; i++) {
        memcpy(s->macs[s->mac_in_use++].a, *p + 6 * i, 6);
    }
    *p += 6 * n;
    *len -= 6 * n;
    return true;
}

static bool mac_command(VirtioNet *s, uint8_t cmd, const uint8_t *data, size_t len)
{
    if (cmd == MAC_ADDR_SET && len >= 6) {
        memcpy(s->current_mac.a, data, 6);
        return true;
    }
    if (cmd != MAC_TABLE_SET) {
        return false;
    }
    s->mac_in_use = s->first_multi = 0;
    if (!take_list(s, &data, &len, &s->uni_overflow)) {
        s->mac_in_use = 0;
        return false;
    }
    s->first_multi = s->mac_in_use;
    if (!take_list(s, &data, &len, &s->multi_overflow)) {
        s->mac_in_use = s->first_multi;
        return false;
    }
    return true;
}

static bool vlan_command(VirtioNet *s, uint8_t cmd, const uint8_t *data, size_t len)
{
    uint16_t vid;

    if (len < 2 || cmd > VLAN_DEL) {
        return false;
    }
    vid = virtio_ld16(&s->v, data);
    if (vid >= NET_MAX_VLAN) {
        return false;
    }
    if (cmd == VLAN_ADD) {
        s->vlans[vid / 32] |= BIT(vid % 32);
    } else {
        s->vlans[vid / 32] &= ~BIT(vid % 32);
    }
    return true;
}

/* V 5.1.6.5.5 */
static bool mq_command(VirtioNet *s, unsigned pairs)
{
    if (!virtio_has(&s->v, F_MQ) || !pairs || pairs > s->max_pairs) {
        return false;
    }
    virtio_net_set_pairs(s, pairs);
    return true;
}

/* V 5.1.6.5.6.1 */
static bool offloads_command(VirtioNet *s, uint64_t on)
{
    const uint64_t known = BIT64(F_GUEST_CSUM) | BIT64(F_GUEST_TSO4) | BIT64(F_GUEST_TSO6) |
                           BIT64(F_GUEST_ECN) | BIT64(F_GUEST_UFO);

    if (on & ~(s->v.guest_features & known) || !virtio_has(&s->v, F_CTRL_GUEST_OFFLOADS)) {
        return false;
    }
    s->offloads = on;
    virtio_net_apply_offloads(s);
    return true;
}

static bool announced(VirtioNet *s)
{
    bool was = s->announcing;

    s->announcing = false;
    return was;
}

static bool command(VirtioNet *s, const uint8_t *head, const uint8_t *data, size_t len)
{
    switch (head[0]) {
    case CTRL_RX: return rx_mode(s, head[1], data, len);
    case CTRL_MAC: return mac_command(s, head[1], data, len);
    case CTRL_VLAN: return vlan_command(s, head[1], data, len);
    case CTRL_MQ: return head[1] == 0 && len >= 2 && mq_command(s, virtio_ld16(&s->v, data));
    case CTRL_GUEST_OFFLOADS: return head[1] == 0 && len >= 8 && offloads_command(s, virtio_ld64(&s->v, data));
    case CTRL_ANNOUNCE: return head[1] == 0 && announced(s);
    default: return false;
    }
}

void virtio_net_ctrl(VirtIODevice *v, VirtQueue *vq)
{
    VirtqElem *e;

    while ((e = virtq_pop(vq, sizeof(*e)))) {
        uint8_t data[CTRL_MAX], ack = 1;                /* VIRTIO_NET_ERR */
        size_t len = iov_to_buf(e->out, e->out_num, 0, data, sizeof(data));

        if (!e->in_bytes || len < 2) {
            virtio_broken(v, "a control command of %zu bytes, %u for the answer", len,
                          e->in_bytes);
            virtq_detach(vq, e);
            g_free(e);
            return;
        }
        if (command(VIRTIO_NET(v), data, data + 2, len - 2)) {
            ack = 0;
            if (data[0] <= CTRL_VLAN) {
                net_rx_filter_changed(VIRTIO_NET(v)->netdev);
            }
        }
        iov_from_buf(e->in, e->in_num, 0, &ack, 1);
        virtq_push(vq, e, 1);
        virtq_notify(vq);
        g_free(e);
    }
}

/* --- for management --- */

static char *mac_text(const MacAddr *m)
{
    g_autofree char *text = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", m->a[0], m->a[1], m->a[2],
                                            m->a[3], m->a[4], m->a[5]);

    return strdup(text);
}

static RxState rx_state(bool none, bool all)
{
    return none ? RX_STATE_NONE : all ? RX_STATE_ALL : RX_STATE_NORMAL;
}

RxFilterInfo *virtio_net_rx_filter(void *opaque)
{
    const VirtioNet *s = ((const NetPair *)opaque)->s;
    RxFilterInfo *info = qapi_new(RxFilterInfo);

    info->promiscuous = s->promisc;
    info->unicast = rx_state(s->nouni, s->alluni);
    info->multicast = rx_state(s->nomulti, s->allmulti);
    info->broadcast_allowed = !s->nobcast;
    info->multicast_overflow = s->multi_overflow;
    info->unicast_overflow = s->uni_overflow;
    info->main_mac = mac_text(&s->current_mac);
    info->vlan = virtio_has(&s->v, F_CTRL_VLAN) ? RX_STATE_NORMAL : RX_STATE_ALL;
    info->vlan_table = qapi_new(intList);
    for (unsigned i = 0; i < NET_MAX_VLAN; i++) {
        if (s->vlans[i / 32] & BIT(i % 32)) {
            qapi_list_append(info->vlan_table, i);
        }
    }
    info->unicast_table = qapi_new(strList);
    info->multicast_table = qapi_new(strList);
    for (uint32_t i = 0; i < s->mac_in_use; i++) {
        qapi_list_append(i < s->first_multi ? info->unicast_table : info->multicast_table,
                         mac_text(&s->macs[i]));
    }
    return info;
}
