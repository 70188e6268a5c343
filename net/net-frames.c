/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "net/net-frames.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "util/bswap.h"

#define READ_SIZE   65536

/* --- offload headers --- */

void net_hdr_encode(uint8_t *hdr, size_t len, const NetOffload *o)
{
    uint16_t nums[4] = { 0 };

    memset(hdr, 0, len);
    if (o) {
        hdr[0] = o->flags;
        hdr[1] = o->gso_type;
        nums[0] = o->hdr_len;
        nums[1] = o->gso_size;
        nums[2] = o->csum_start;
        nums[3] = o->csum_offset;
        memcpy(hdr + 2, nums, sizeof(nums));
    }
}

void net_hdr_decode(const uint8_t *hdr, NetOffload *o)
{
    uint16_t nums[4];

    memcpy(nums, hdr + 2, sizeof(nums));
    *o = (NetOffload){ .flags = hdr[0], .gso_type = hdr[1], .hdr_len = nums[0], .gso_size = nums[1],
                       .csum_start = nums[2], .csum_offset = nums[3] };
}

/* --- streams --- */

void net_reader_init(NetReader *r, bool with_hdr)
{
    *r = (NetReader){ .with_hdr = with_hdr };
}

void net_reader_cleanup(NetReader *r)
{
    g_free(r->buf);
    r->buf = NULL;
    r->head_len = r->len = r->have = 0;
}

/* The lengths are there. */
static bool start_frame(NetReader *r)
{
    uint32_t hdr = r->with_hdr ? load_be32(r->head + 4) : 0;

    r->len = load_be32(r->head);
    if (r->len > NET_FRAME_MAX || (hdr && hdr != NET_HDR_MIN && hdr != NET_HDR_MAX)) {
        return false;
    }
    r->len += hdr;
    r->have = 0;
    if (!r->buf) {
        r->buf = g_malloc(NET_FRAME_MAX + NET_HDR_MAX);
    }
    return true;
}

static void end_frame(NetReader *r, NetFrameFn *fn, void *opaque)
{
    uint32_t hdr = r->with_hdr ? load_be32(r->head + 4) : 0;
    NetOffload o;

    if (hdr) {
        net_hdr_decode(r->buf, &o);
    }
    r->head_len = 0;
    fn(opaque, hdr ? &o : NULL, r->buf + hdr, r->len - hdr);
}

bool net_reader_feed(NetReader *r, const uint8_t *p, size_t n, NetFrameFn *fn, void *opaque)
{
    uint32_t head = r->with_hdr ? 8 : 4;

    while (n) {
        size_t part;

        if (r->head_len < head) {
            part = MIN(n, head - r->head_len);
            memcpy(r->head + r->head_len, p, part);
            r->head_len += part;
            if (r->head_len == head && !start_frame(r)) {
                return false;
            }
        } else {
            part = MIN(n, r->len - r->have);
            memcpy(r->buf + r->have, p, part);
            r->have += part;
        }
        p += part;
        n -= part;
        if (r->head_len == head && r->have == r->len) {
            end_frame(r, fn, opaque);
        }
    }
    return true;
}

size_t net_frame_head(uint8_t *head, bool with_hdr, const NetOffload *o, size_t len)
{
    store_be32(head, len);
    if (!with_hdr) {
        return 4;
    }
    store_be32(head + 4, NET_HDR_MIN);
    net_hdr_encode(head + 8, NET_HDR_MIN, o);
    return 8 + NET_HDR_MIN;
}

/* --- links --- */

struct NetLink {
    int fd;
    FdWatch *watch;
    const NetLinkOps *ops;
    void *opaque;
    NetReader reader;
    GByteArray *out;
    bool paused, reading;
    bool freed;                 /* while reading */
};

static void update_watch(NetLink *l)
{
    fd_watch_set(l->watch, (l->paused ? 0 : FD_READ) | (l->out->len ? FD_WRITE : 0));
}

static void destroy(NetLink *l)
{
    net_reader_cleanup(&l->reader);
    g_byte_array_unref(l->out);
    g_free(l);
}

void net_link_free(NetLink *l)
{
    if (!l || l->freed) {
        return;
    }
    fd_watch_remove(l->watch);
    close(l->fd);
    l->freed = true;
    if (!l->reading) {
        destroy(l);
    }
}

static void got_frame(void *opaque, const NetOffload *o, const uint8_t *frame, size_t len)
{
    NetLink *l = opaque;

    if (!l->freed && len) {
        l->ops->frame(l->opaque, o, frame, len);
    }
}

static void read_some(NetLink *l)
{
    uint8_t buf[READ_SIZE];
    ssize_t n = recv(l->fd, buf, sizeof(buf), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    l->reading = true;
    if (n <= 0 || !net_reader_feed(&l->reader, buf, n, got_frame, l)) {
        if (!l->freed) {
            l->ops->closed(l->opaque);
        }
    }
    l->reading = false;
}

/* What the other side takes of what waits. */
static void flush(NetLink *l)
{
    while (l->out->len) {
        ssize_t n = send(l->fd, l->out->data, l->out->len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != EAGAIN) {
            g_byte_array_set_size(l->out, 0);           /* reading finds out that it's over */
        }
        if (n <= 0) {
            break;
        }
        g_byte_array_remove_range(l->out, 0, n);
    }
}

static void link_ready(UNUSED int fd, unsigned events, void *opaque)
{
    NetLink *l = opaque;

    if (events & FD_WRITE) {
        flush(l);
    }
    if (events & (FD_READ | FD_HANGUP)) {
        read_some(l);
    }
    if (l->freed) {
        destroy(l);
        return;
    }
    l->paused = l->ops->busy && l->ops->busy(l->opaque);
    update_watch(l);
}

NetLink *net_link_new(int fd, const NetLinkOps *ops, void *opaque)
{
    NetLink *l = g_new0(NetLink, 1);

    l->fd = fd;
    l->ops = ops;
    l->opaque = opaque;
    l->out = g_byte_array_new();
    net_reader_init(&l->reader, false);
    l->watch = fd_watch_new_on(main_event_loop(), fd, FD_READ, link_ready, l);
    return l;
}

void net_link_send(NetLink *l, const uint8_t *frame, size_t len)
{
    uint8_t head[4];
    struct iovec iov[] = { { head, sizeof(head) }, { (void *)frame, len } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    ssize_t n = 0;

    if (l->out->len > NET_LINK_BACKLOG) {
        return;
    }
    store_be32(head, len);
    if (!l->out->len) {
        n = sendmsg(l->fd, &msg, MSG_NOSIGNAL);
        n = MAX(n, 0);
    }
    if ((size_t)n < sizeof(head)) {
        g_byte_array_append(l->out, head + n, sizeof(head) - n);
        n = sizeof(head);
    }
    if ((size_t)n < sizeof(head) + len) {
        n -= sizeof(head);
        g_byte_array_append(l->out, frame + n, len - n);
        update_watch(l);
    }
}

void net_link_resume(NetLink *l)
{
    if (l && l->paused) {
        l->paused = false;
        update_watch(l);
    }
}
