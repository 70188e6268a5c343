/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames on byte streams, as the socket and stream back ends and the mirroring filters send them: a
 * big-endian 32-bit length, for some another one with the length of an offload header, then the frame. The
 * other side is hostile: what is longer than a frame can be ends the stream.
 */
#ifndef NET_NET_FRAMES_H
#define NET_NET_FRAMES_H

#include "net/net.h"
#include "util/main-loop.h"

/* Lengths of struct virtio_net_hdr (1.2, 5.1.6) without and with num_buffers. */
enum { NET_HDR_MIN = 10, NET_HDR_MAX = 12 };
/* The header in the host's byte order, as the kernel's tap device has it. */
void net_hdr_encode(uint8_t *hdr, size_t len, const NetOffload *o);     /* @o may be NULL */
void net_hdr_decode(const uint8_t *hdr, NetOffload *o);

/* --- taking a stream apart --- */
typedef void NetFrameFn(void *opaque, const NetOffload *o, const uint8_t *frame, size_t len);
typedef struct NetReader {
    bool with_hdr;              /* there is a second length */
    uint8_t head[8];
    uint32_t head_len, len, have;       /* bytes of head; of the frame with its header */
    uint8_t *buf;
} NetReader;
void net_reader_init(NetReader *r, bool with_hdr);
void net_reader_cleanup(NetReader *r);
/* Calls @fn for each whole frame. False: the stream can't be understood. */
bool net_reader_feed(NetReader *r, const uint8_t *p, size_t n, NetFrameFn *fn, void *opaque);
/* The bytes that go before a frame of @len bytes; @head has room for 8 + NET_HDR_MIN. */
size_t net_frame_head(uint8_t *head, bool with_hdr, const NetOffload *o, size_t len);

/* --- a connected stream socket --- */
#define NET_LINK_BACKLOG    (1024 * 1024)       /* bytes that wait for the other side; more is dropped */
typedef struct NetLink NetLink;
typedef struct NetLinkOps {
    NetFrameFn *frame;
    bool (*busy)(void *opaque);         /* take no more now */
    void (*closed)(void *opaque);       /* the other side went; the link may be freed here */
} NetLinkOps;
/* Takes @fd, which doesn't block. */
NetLink *net_link_new(int fd, const NetLinkOps *ops, void *opaque);
void net_link_free(NetLink *l);         /* NULL is allowed */
void net_link_send(NetLink *l, const uint8_t *frame, size_t len);
/* No longer busy. */
void net_link_resume(NetLink *l);

#endif
