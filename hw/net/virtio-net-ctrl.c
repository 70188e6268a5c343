/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control queue of the virtio network device: V 5.1.6.5. */
#include "util/osdep.h"
#include "hw/net/virtio-net.h"

#include <glib.h>
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

static bool command(VirtioNet *s, const uint8_t *head, const uint8_t *data, size_t len)
{
    switch (head[0]) {
    case CTRL_RX: return rx_mode(s, head[1], data, len);
    case CTRL_MAC: return mac_command(s, head[1], data, len);
    case CTRL_VLAN: return vlan_command(s, head[1], data, len);
    case CTRL_MQ: return head[1] == 0 && len >= 2 && virtio_ld16(&s->v, data) == 1;
    /* None that could be switched are offered but the checksum, which costs nothing. */
    case CTRL_GUEST_OFFLOADS: return head[1] == 0 && len >= 8;
    case CTRL_ANNOUNCE: return true;
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
        }
        iov_from_buf(e->in, e->in_num, 0, &ack, 1);
        virtq_push(vq, e, 1);
        virtq_notify(vq);
        g_free(e);
    }
}
