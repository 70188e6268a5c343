/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What network devices do for their drivers and back ends can't: checksums and segmentation of TCP over
 * IPv4 and IPv6, with any number of VLAN tags up to two. Frames are the guest's and hostile.
 */
#ifndef NET_OFFLOAD_H
#define NET_OFFLOAD_H

#include "util/osdep.h"

/* Where the headers of a frame are; offsets in bytes. */
typedef struct NetHeaders {
    uint16_t l3, l4, payload;   /* payload: behind a TCP or UDP header */
    bool v6, tcp, udp;          /* neither: l4 isn't known */
    uint32_t l4_len;            /* bytes from l4 to the packet's end, as IP says */
} NetHeaders;
/* False: no IP packet, a fragment, or cut off. */
bool net_headers(const uint8_t *frame, size_t len, NetHeaders *h);

/* The ones' complement sum of @n bytes added to @sum, folded to 16 bits, not inverted. */
uint16_t net_sum(const uint8_t *p, size_t n, uint32_t sum);
/* The sum of the pseudo header for @l4_len bytes. */
uint16_t net_pseudo_sum(const uint8_t *frame, const NetHeaders *h, uint32_t l4_len);
/* The TCP or UDP checksum of the frame is right. */
bool net_checksum_ok(const uint8_t *frame, size_t len);
/* Put the checksum of [start, end of frame) at start + offset; false: it doesn't lie there. */
bool net_checksum_fill(uint8_t *frame, size_t len, unsigned start, unsigned offset);

/* A TCP packet of any size as segments of up to @mss bytes of data, each with right lengths, numbers and
 * checksums, in a buffer that is the callee's again afterwards. False: it isn't one. */
typedef void NetSegment(void *opaque, const uint8_t *frame, size_t len);
bool net_segment_tcp(const uint8_t *frame, size_t len, unsigned mss, NetSegment *fn, void *opaque);

#endif
