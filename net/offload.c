/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums (RFC 1071) and segmentation in software. */
#include "util/osdep.h"
#include "net/offload.h"

#include "util/bswap.h"

enum { ETH_IPV4 = 0x0800, ETH_IPV6 = 0x86dd, ETH_VLAN = 0x8100, ETH_QINQ = 0x88a8 };
enum { IP_TCP = 6, IP_UDP = 17 };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

uint16_t net_sum(const uint8_t *p, size_t n, uint32_t start)
{
    uint64_t sum = start;

    for (; n >= 4; p += 4, n -= 4) {
        sum += load_be32(p);
    }
    if (n >= 2) {
        sum += load_be16(p);
        p += 2;
        n -= 2;
    }
    if (n) {
        sum += (uint32_t)*p << 8;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

bool net_headers(const uint8_t *frame, size_t len, NetHeaders *h)
{
    unsigned at = 12, proto, tags = 0;
    const uint8_t *ip;
    uint32_t total;

    *h = (NetHeaders){ 0 };
    while (at + 2 <= len && tags++ < 3 &&
           (load_be16(frame + at) == ETH_VLAN || load_be16(frame + at) == ETH_QINQ)) {
        at += 4;
    }
    if (at + 2 + 20 > len) {
        return false;
    }
    h->l3 = at + 2;
    ip = frame + h->l3;
    if (load_be16(frame + at) == ETH_IPV4 && ip[0] >> 4 == 4) {
        unsigned head = (ip[0] & 15) * 4;

        total = load_be16(ip + 2);
        if (head < 20 || load_be16(ip + 6) & 0x3fff || total < head) {
            return false;
        }
        h->l4 = h->l3 + head;
        h->l4_len = total - head;
        proto = ip[9];
    } else if (load_be16(frame + at) == ETH_IPV6 && ip[0] >> 4 == 6) {
        h->v6 = true;
        h->l4 = h->l3 + 40;
        h->l4_len = load_be16(ip + 4);
        proto = ip[6];
    } else {
        return false;
    }
    h->tcp = proto == IP_TCP;
    h->udp = proto == IP_UDP;
    if (h->l4 + (h->tcp ? 20u : 8u) > len) {
        return false;
    }
    h->payload = h->l4 + (h->tcp ? (frame[h->l4 + 12] >> 4) * 4 : 8);
    return h->tcp ? h->payload >= h->l4 + 20 && h->payload <= len : h->udp;
}

uint16_t net_pseudo_sum(const uint8_t *frame, const NetHeaders *h, uint32_t l4_len)
{
    const uint8_t *ip = frame + h->l3;
    uint32_t proto = h->tcp ? IP_TCP : IP_UDP;
    uint32_t sum = proto + (l4_len >> 16) + (l4_len & 0xffff);

    return h->v6 ? net_sum(ip + 8, 32, sum) : net_sum(ip + 12, 8, sum);
}

bool net_checksum_ok(const uint8_t *frame, size_t len)
{
    NetHeaders h;

    if (!net_headers(frame, len, &h) || h.l4_len > len - h.l4 || h.l4_len < 8) {
        return false;
    }
    if (h.udp && !load_be16(frame + h.l4 + 6)) {
        return false;                           /* none was made */
    }
    return net_sum(frame + h.l4, h.l4_len, net_pseudo_sum(frame, &h, h.l4_len)) == 0xffff;
}

bool net_checksum_fill(uint8_t *frame, size_t len, unsigned start, unsigned offset)
{
    uint16_t sum;

    if (start >= len || len - start < 2 || offset > len - start - 2) {
        return false;
    }
    sum = ~net_sum(frame + start, len - start, 0);
    store_be16(frame + start + offset, sum ? sum : 0xffff);
    return true;
}

bool net_segment_tcp(const uint8_t *frame, size_t len, unsigned mss, NetSegment *fn, void *opaque)
{
    uint8_t out[65536 + 256], *ip, *tcp;
    NetHeaders h;
    size_t left, at;
    uint32_t seq;

    if (!net_headers(frame, len, &h) || !h.tcp || !mss || h.payload + mss > sizeof(out)) {
        return false;
    }
    memcpy(out, frame, h.payload);
    ip = out + h.l3;
    tcp = out + h.l4;
    seq = load_be32(tcp + 4);
    at = h.payload;
    left = len - at;
    for (unsigned n = 0; n == 0 || left; n++) {
        size_t data = MIN(left, mss), l4_len = h.payload - h.l4 + data;
        bool last = data == left;

        memcpy(out + h.payload, frame + at, data);
        if (h.v6) {
            store_be16(ip + 4, l4_len);
        } else {
            store_be16(ip + 2, h.l4 - h.l3 + l4_len);
            store_be16(ip + 4, load_be16(frame + h.l3 + 4) + n);
            store_be16(ip + 10, 0);
            store_be16(ip + 10, ~net_sum(ip, h.l4 - h.l3, 0));
        }
        store_be32(tcp + 4, seq);
        tcp[13] = frame[h.l4 + 13] & ~((last ? 0 : TCP_FIN | TCP_PSH) | (n ? TCP_CWR : 0));
        store_be16(tcp + 16, 0);
        store_be16(tcp + 16, ~net_sum(tcp, l4_len, net_pseudo_sum(out, &h, l4_len)));
        fn(opaque, out, h.payload + data);
        seq += data;
        at += data;
        left -= data;
    }
    return true;
}
