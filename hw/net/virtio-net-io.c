/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of the virtio network device, both ways: V 5.1.6. */
#include "util/osdep.h"
#include "hw/net/virtio-net.h"

#include <glib.h>
#include "net/offload.h"
#include "util/bswap.h"
#include "util/iov.h"

/* V 5.1.6: the header before each frame. */
enum { HDR_FLAGS = 0, HDR_GSO_TYPE = 1, HDR_LEN = 2, HDR_GSO_SIZE = 4, HDR_CSUM_START = 6,
       HDR_CSUM_OFFSET = 8, HDR_NUM_BUFFERS = 10, HDR_SHORT = 10, HDR_LONG = 12 };

static size_t header_len(const VirtioNet *s)
{
    return virtio_has(&s->v, F_MRG_RXBUF) || virtio_has(&s->v, VIRTIO_F_VERSION_1) ? HDR_LONG
                                                                                  : HDR_SHORT;
}

static VirtQueue *rx_queue(NetPair *p)
{
    return virtio_queue(&p->s->v, 2 * p->index);
}

static VirtQueue *tx_queue(NetPair *p)
{
    return virtio_queue(&p->s->v, 2 * p->index + 1);
}

/* --- to the driver --- */

static bool can_receive(void *opaque)
{
    NetPair *p = opaque;
    VirtQueue *vq = rx_queue(p);

    if (!virtio_is_live(&p->s->v) || !runstate_is_running() || p->index >= p->s->cur_pairs) {
        return false;
    }
    return !virtq_is_empty(vq) || virtq_want_notify(vq, true);
}

static void make_header(NetPair *p, uint8_t *h, const NetOffload *o, const uint8_t *frame, size_t len)
{
    VirtioNet *s = p->s;

    memset(h, 0, HDR_LONG);
    if (o) {
        h[HDR_FLAGS] = o->flags & (NET_NEEDS_CSUM | NET_DATA_VALID);
        h[HDR_GSO_TYPE] = o->gso_type;
        virtio_st16(&s->v, h + HDR_LEN, o->hdr_len);
        virtio_st16(&s->v, h + HDR_GSO_SIZE, o->gso_size);
        virtio_st16(&s->v, h + HDR_CSUM_START, o->csum_start);
        virtio_st16(&s->v, h + HDR_CSUM_OFFSET, o->csum_offset);
    } else if (s->offloads & BIT64(F_GUEST_CSUM) && virtio_has(&s->v, F_GUEST_CSUM) &&
               (p->net->checksums_good || net_checksum_ok(frame, len))) {
        h[HDR_FLAGS] = NET_DATA_VALID;
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

static void put_frame(NetPair *p, const NetOffload *o, const uint8_t *frame, size_t len)
{
    VirtioNet *s = p->s;
    VirtQueue *vq = rx_queue(p);
    bool merge = virtio_has(&s->v, F_MRG_RXBUF);
    size_t head = header_len(s), at = 0;
    uint8_t header[HDR_LONG];
    VirtqElem *e[64];
    unsigned n;

    n = take_buffers(vq, head + len, e, merge ? ARRAY_SIZE(e) : 1);
    if (!n) {
        return;                                 /* dropped, as by a card without memory */
    }
    make_header(p, header, o, frame, len);
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

static void put_plain(void *opaque, const uint8_t *frame, size_t len)
{
    put_frame(opaque, NULL, frame, len);
}

static bool has(const VirtioNet *s, unsigned feature)
{
    return s->v.guest_features & s->offloads & BIT64(feature);
}

/* The driver takes what is left to do over; it may have changed its mind since the frame set out. */
static bool driver_can(const VirtioNet *s, const NetOffload *o)
{
    switch (o->gso_type & ~NET_GSO_ECN) {
    case NET_GSO_NONE: return !(o->flags & NET_NEEDS_CSUM) || has(s, F_GUEST_CSUM);
    case NET_GSO_TCPV4: return has(s, F_GUEST_TSO4) && (!(o->gso_type & NET_GSO_ECN) || has(s, F_GUEST_ECN));
    case NET_GSO_TCPV6: return has(s, F_GUEST_TSO6) && (!(o->gso_type & NET_GSO_ECN) || has(s, F_GUEST_ECN));
    default: return has(s, F_GUEST_UFO);
    }
}

static void receive_offload(void *opaque, const NetOffload *o, const uint8_t *frame, size_t len)
{
    NetPair *p = opaque;
    VirtioNet *s = p->s;
    g_autofree uint8_t *copy = NULL;

    if (len < 14 || !virtio_is_live(&s->v) || !virtio_net_wanted(s, frame, len)) {
        return;
    }
    if (!o || driver_can(s, o)) {
        put_frame(p, o, frame, len);
    } else if ((o->gso_type & ~NET_GSO_ECN) != NET_GSO_NONE) {
        net_segment_tcp(frame, len, o->gso_size, put_plain, p);
    } else {
        copy = g_memdup2(frame, len);
        if (net_checksum_fill(copy, len, o->csum_start, o->csum_offset)) {
            put_frame(p, NULL, copy, len);
        }
    }
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    receive_offload(opaque, NULL, frame, len);
}

void virtio_net_handle_rx(NetPair *p)
{
    net_flush(p->net);
}

/* --- from the driver --- */

static void put_segment(void *opaque, const uint8_t *frame, size_t len)
{
    net_send(((NetPair *)opaque)->net, frame, len);
}

static bool back_end_can(const NetBackend *n, const NetOffload *o)
{
    unsigned need = NET_CAN_CSUM | (o->gso_type & NET_GSO_ECN ? NET_CAN_ECN : 0);

    switch (o->gso_type & ~NET_GSO_ECN) {
    case NET_GSO_NONE: break;
    case NET_GSO_TCPV4: need |= NET_CAN_TSO4; break;
    case NET_GSO_TCPV6: need |= NET_CAN_TSO6; break;
    default: need |= NET_CAN_UFO;
    }
    return (net_can(n) & need) == need;
}

static void send_offloaded(NetPair *p, const NetOffload *o, uint8_t *frame, size_t len)
{
    uint8_t gso = o->gso_type & ~NET_GSO_ECN;

    if (back_end_can(p->net, o)) {
        net_send_offload(p->net, o, frame, len);
        return;
    }
    if (gso == NET_GSO_TCPV4 || gso == NET_GSO_TCPV6) {
        net_segment_tcp(frame, len, o->gso_size, put_segment, p);
        return;
    }
    if (o->flags & NET_NEEDS_CSUM && !net_checksum_fill(frame, len, o->csum_start, o->csum_offset)) {
        return;
    }
    net_send(p->net, frame, len);
}

static void send_element(NetPair *p, const VirtqElem *e)
{
    VirtioNet *s = p->s;
    uint8_t h[HDR_LONG] = { 0 };
    size_t head = header_len(s), len;
    NetOffload o;

    if (e->out_bytes < head + 14 || e->out_bytes - head > NET_TX_MAX) {
        return;                                 /* no frame */
    }
    len = e->out_bytes - head;
    iov_to_buf(e->out, e->out_num, 0, h, head);
    o = (NetOffload){ .flags = h[HDR_FLAGS] & NET_NEEDS_CSUM, .gso_type = h[HDR_GSO_TYPE],
                      .hdr_len = virtio_ld16(&s->v, h + HDR_LEN),
                      .gso_size = virtio_ld16(&s->v, h + HDR_GSO_SIZE),
                      .csum_start = virtio_ld16(&s->v, h + HDR_CSUM_START),
                      .csum_offset = virtio_ld16(&s->v, h + HDR_CSUM_OFFSET) };
    if (!o.flags && o.gso_type == NET_GSO_NONE && e->out_num == 2 && e->out[0].iov_len == head) {
        net_send(p->net, e->out[1].iov_base, len);
        return;
    }
    iov_to_buf(e->out, e->out_num, head, s->scratch, len);
    if (o.flags || o.gso_type != NET_GSO_NONE) {
        send_offloaded(p, &o, s->scratch, len);
    } else {
        net_send(p->net, s->scratch, len);
    }
}

void virtio_net_transmit(void *opaque)
{
    NetPair *p = opaque;
    VirtioNet *s = p->s;
    VirtQueue *vq = tx_queue(p);
    VirtqElem *e;
    unsigned n = 0;

    if (!runstate_is_running()) {
        return;                                 /* tx_waiting stays: see running_changed */
    }
    s->tx_waiting &= ~BIT64(p->index);
    while (n < s->tx_burst && (e = virtq_pop(vq, sizeof(*e)))) {
        send_element(p, e);
        virtq_push(vq, e, 0);
        g_free(e);
        n++;
    }
    if (n) {
        virtq_notify(vq);
    }
    if (n == s->tx_burst || virtq_want_notify(vq, true)) {
        s->tx_waiting |= BIT64(p->index);
        bh_schedule(p->tx_bh);
    }
}

/* Frames go out from the main loop, many at a time, while the driver goes on. */
void virtio_net_handle_tx(NetPair *p)
{
    VirtioNet *s = p->s;

    if (!(s->tx_waiting & BIT64(p->index))) {
        s->tx_waiting |= BIT64(p->index);
        virtq_want_notify(tx_queue(p), false);
        bh_schedule(p->tx_bh);
    }
}

static const MacAddr *own_mac(void *opaque)
{
    return &((NetPair *)opaque)->s->current_mac;
}

const NetDeviceOps virtio_net_dev_ops = {
    .can_receive = can_receive, .receive = receive, .receive_offload = receive_offload,
    .link_changed = virtio_net_link_changed, .mac = own_mac, .announce = virtio_net_announce,
    .rx_filter = virtio_net_rx_filter,
};
