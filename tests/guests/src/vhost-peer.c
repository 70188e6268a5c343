/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small vhost-user network back end, for the tests:
 *   vhost-peer VHOST-SOCKET STREAM-SOCKET
 * Listens on the first for an emulator with -netdev vhost-user, on the second for one with -netdev stream, and
 * carries frames between the two: what the guest sends on any queue goes out on the stream (a big-endian length,
 * then the frame), what comes goes into receive queue 0. Split rings, no offloads. Ends when the first goes.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REGIONS 8
#define RINGS   4
#define HDR     12
#define FRAME   65536

struct msg { uint32_t request, flags, size; } ;
struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct region { uint64_t guest, size, user, offset; };
static struct { struct region r; uint8_t *map; } regions[REGIONS];
static int n_regions;
static struct ring {
    uint32_t num;
    uint16_t last;
    struct desc *desc;
    volatile uint16_t *avail, *used;    /* flags, idx, ring */
    int kick, call, enabled;
} rings[RINGS];
static uint8_t frame[HDR + FRAME];

static int die(const char *what)
{
    fprintf(stderr, "vhost-peer: %s\n", what);
    return -1;
}

static void *by_user(uint64_t a)
{
    for (int i = 0; i < n_regions; i++)
        if (a - regions[i].r.user < regions[i].r.size)
            return regions[i].map + regions[i].r.offset + (a - regions[i].r.user);
    return 0;
}

static uint8_t *by_guest(uint64_t a, uint32_t len)
{
    for (int i = 0; i < n_regions; i++)
        if (a - regions[i].r.guest < regions[i].r.size && len <= regions[i].r.size - (a - regions[i].r.guest))
            return regions[i].map + regions[i].r.offset + (a - regions[i].r.guest);
    return 0;
}

/* Copies between @buf and the chain at @head; the bytes done. */
static uint32_t chain(struct ring *r, uint16_t head, uint8_t *buf, uint32_t room, int to_guest)
{
    uint32_t at = 0;

    for (unsigned n = 0, i = head; n < r->num && i < r->num; n++) {
        struct desc *d = &r->desc[i];
        uint32_t part = d->len < room - at ? d->len : room - at;
        uint8_t *p = by_guest(d->addr, d->len);

        if (!p)
            break;
        memcpy(to_guest ? p : buf + at, to_guest ? buf + at : p, part);
        at += part;
        if (!(d->flags & 1))
            break;
        i = d->next;
    }
    return at;
}

static int pop(struct ring *r, uint16_t *head)
{
    if (!r->enabled || !r->avail || r->last == r->avail[1])
        return 0;
    __sync_synchronize();
    *head = r->avail[2 + r->last++ % r->num];
    return 1;
}

static void push(struct ring *r, uint16_t head, uint32_t len)
{
    uint32_t *e = (uint32_t *)((uint8_t *)r->used + 4 + r->used[1] % r->num * 8);

    e[0] = head;
    e[1] = len;
    __sync_synchronize();
    r->used[1]++;
    __sync_synchronize();
    if (!(r->avail[0] & 1) && r->call >= 0)
        eventfd_write(r->call, 1);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);

        if (w <= 0)
            return -1;
        p += w;
        n -= w;
    }
    return 0;
}

static int read_all(int fd, void *p, size_t n)
{
    while (n) {
        ssize_t r = read(fd, p, n);

        if (r <= 0)
            return -1;
        p = (uint8_t *)p + r;
        n -= r;
    }
    return 0;
}

static int from_guest(struct ring *r, int stream)
{
    uint16_t head;

    while (pop(r, &head)) {
        uint32_t n = chain(r, head, frame, sizeof frame, 0), len = htonl(n - HDR);

        push(r, head, 0);
        if (n > HDR && stream >= 0 && (write_all(stream, (uint8_t *)&len, 4) || write_all(stream, frame + HDR, n - HDR)))
            return -1;
    }
    return 0;
}

static int to_guest(int stream)
{
    uint32_t len;
    uint16_t head;

    if (read_all(stream, &len, 4))
        return -1;
    len = ntohl(len);
    if (len > FRAME || read_all(stream, frame + HDR, len))
        return -1;
    memset(frame, 0, HDR);
    frame[10] = 1;                      /* num_buffers */
    if (pop(&rings[0], &head))
        push(&rings[0], head, chain(&rings[0], head, frame, HDR + len, 1));
    return 0;
}

static int reply(int fd, struct msg *m, const void *payload, uint32_t size)
{
    m->flags = 1 | 4;
    m->size = size;
    return write_all(fd, (uint8_t *)m, sizeof *m) || write_all(fd, payload, size) ? -1 : 0;
}

static int set_memory(uint64_t *p, int *fds)
{
    for (int i = 0; i < n_regions; i++)
        munmap(regions[i].map, regions[i].r.size + regions[i].r.offset);
    n_regions = (uint32_t)p[0];
    if (n_regions > REGIONS)
        return die("regions");
    for (int i = 0; i < n_regions; i++) {
        memcpy(&regions[i].r, p + 1 + 4 * i, sizeof regions[i].r);
        regions[i].map = mmap(0, regions[i].r.size + regions[i].r.offset, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
        if (regions[i].map == MAP_FAILED)
            return die("mmap");
        close(fds[i]);
    }
    return 0;
}

static int message(int fd)
{
    struct msg m;
    uint64_t p[64] = { 0 }, v;
    uint32_t *w = (uint32_t *)p;
    char control[CMSG_SPACE(16 * sizeof(int))];
    struct iovec iov = { &m, sizeof m };
    struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *c;
    int fds[16] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 }, need_reply;
    struct ring *r;

    if (recvmsg(fd, &h, 0) != sizeof m || m.size > sizeof p || read_all(fd, p, m.size))
        return -1;
    c = CMSG_FIRSTHDR(&h);
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    need_reply = m.flags & 8;
    r = &rings[w[0] < RINGS ? w[0] : RINGS - 1];
    switch (m.request) {
    case 1: v = 1ull << 32 | 1u << 30; return reply(fd, &m, &v, 8);
    case 15: v = 1 << 0 | 1 << 3; return reply(fd, &m, &v, 8);
    case 17: v = RINGS / 2; return reply(fd, &m, &v, 8);
    case 5:
        if (set_memory(p, fds))
            return -1;
        break;
    case 8: r->num = w[1]; break;
    case 9:
        r->desc = by_user(p[1]);
        r->used = by_user(p[2]);
        r->avail = by_user(p[3]);
        break;
    case 10: r->last = w[1]; break;
    case 11:
        w[1] = r->last;
        r->enabled = 0;
        printf("stopped %u\n", w[0]);
        return reply(fd, &m, p, 8);
    case 12: r = &rings[p[0] & 3]; if (r->kick > 0) close(r->kick); r->kick = fds[0]; break;
    case 13: r = &rings[p[0] & 3]; if (r->call > 0) close(r->call); r->call = fds[0]; break;
    case 18: r->enabled = w[1]; if (w[1]) printf("enabled %u\n", w[0]); break;
    }
    fflush(stdout);
    v = 0;
    return need_reply ? reply(fd, &m, &v, 8) : 0;
}

static int listen_on(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    unlink(path);
    return bind(fd, (struct sockaddr *)&un, sizeof un) || listen(fd, 1) ? die(path) : fd;
}

int main(int argc, char **argv)
{
    int l1, l2, stream = -1, vhost;

    if (argc != 3 || (l1 = listen_on(argv[1])) < 0 || (l2 = listen_on(argv[2])) < 0)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    vhost = accept(l1, 0, 0);
    for (;;) {
        struct pollfd p[3 + RINGS] = { { vhost, POLLIN, 0 }, { stream < 0 ? l2 : stream, POLLIN, 0 } };

        for (int i = 0; i < RINGS; i++)
            p[2 + i] = (struct pollfd){ rings[i].kick > 0 ? rings[i].kick : -1, POLLIN, 0 };
        if (poll(p, 2 + RINGS, -1) < 0)
            return 1;
        if (p[0].revents && message(vhost))
            return 0;
        for (int i = 0; i < RINGS; i++)
            if (p[2 + i].revents & POLLIN) {
                eventfd_t n;

                eventfd_read(rings[i].kick, &n);
                if (i % 2 && from_guest(&rings[i], stream)) {
                    close(stream);
                    stream = -1;
                }
            }
        if (p[1].revents && stream < 0)
            stream = accept(l2, 0, 0);
        else if (p[1].revents && to_guest(stream)) {
            close(stream);
            stream = -1;
        }
    }
}
