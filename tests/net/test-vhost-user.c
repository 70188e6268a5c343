/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhost-user: back ends that don't answer as they should, and one that does. */
#include "util/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "net/vhost-user.h"
#include "tests/net/net-fixture.h"
#include "util/thread.h"

enum { GET_FEATURES = 1, GET_VRING_BASE = 11, GET_PROTOCOL_FEATURES = 15, GET_QUEUE_NUM = 17 };

typedef struct Peer {
    const char *_Atomic fault;  /* NULL: none */
    int listen_fd, fds_seen;
    unsigned regions;
    char *chardev;              /* id */
    Thread thread;
} Peer;

static bool read_all(int fd, void *p, size_t n)
{
    while (n) {
        ssize_t r = read(fd, p, n);

        if (r <= 0) {
            return false;
        }
        p = (char *)p + r;
        n -= r;
    }
    return true;
}

/* One request; false: the end. */
static bool serve(Peer *peer, int fd)
{
    uint32_t h[3], answer[5];
    char control[CMSG_SPACE(16 * sizeof(int))];
    struct iovec iov = { h, sizeof(h) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    uint64_t payload[64] = { 0 }, value = 0;
    const char *f;

    if (recvmsg(fd, &msg, 0) != sizeof(h) || h[2] > sizeof(payload) || !read_all(fd, payload, h[2])) {
        return false;
    }
    f = atomic_load(&peer->fault);
    f = f ? f : "";
    c = CMSG_FIRSTHDR(&msg);
    for (size_t i = 0; c && i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
        int got;

        memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        peer->fds_seen++;
        close(got);
    }
    if (h[0] == 5) {
        peer->regions = (uint32_t)payload[0];
    }
    value = h[0] == GET_FEATURES ? 1ull << 32 | 1u << 30 | 1u << 15 : h[0] == GET_PROTOCOL_FEATURES ? 1 << 0 | 1 << 3
            : h[0] == GET_QUEUE_NUM ? 2 : h[0] == GET_VRING_BASE ? payload[0] : 0;
    if (h[0] == GET_VRING_BASE) {
        value |= (uint64_t)(strcmp(f, "base") ? 7 : 0x10000) << 32;
    }
    if (h[0] > 1 && h[0] != 11 && h[0] != 15 && h[0] != 17 && !(h[1] & 8)) {
        return true;
    }
    if (!strcmp(f, "closes")) {
        return false;
    }
    if (!strcmp(f, "refuses") && h[0] == 3) {
        value = 1;
    }
    answer[0] = strcmp(f, "request") ? h[0] : h[0] + 1;
    answer[1] = strcmp(f, "flags") ? 5 : 1;
    answer[2] = strcmp(f, "size") ? 8 : UINT32_MAX;
    memcpy(answer + 3, &value, 8);
    return write(fd, answer, strcmp(f, "short") ? sizeof(answer) : 13) > 0;
}

static void *peer_thread(void *opaque)
{
    Peer *peer = opaque;
    int fd = accept(peer->listen_fd, NULL, NULL);

    while (serve(peer, fd)) {
    }
    close(fd);
    return NULL;
}

static bool peer_start(Test *t, Peer *peer, const char *fault)
{
    static unsigned number;
    g_autofree char *path = g_strdup_printf("%s/%u", test_tmpdir(t), number);
    char *id = g_strdup_printf("c%u", number++);
    g_autofree char *spec = g_strdup_printf("unix:%s", path);
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    *peer = (Peer){ .fault = fault, .chardev = id, .listen_fd = socket(AF_UNIX, SOCK_STREAM, 0) };
    memcpy(un.sun_path, path, strlen(path));
    if (bind(peer->listen_fd, (struct sockaddr *)&un, sizeof(un)) || listen(peer->listen_fd, 1)) {
        test_fail(t, "no socket");
        return false;
    }
    thread_create(&peer->thread, "peer", peer_thread, peer);
    return check_true(t, chardev_new_from_spec(id, spec, NULL), "a character device");
}

static bool netdev(Test *t, Peer *peer, const char *queues, const char *fails)
{
    QOBJECT_AUTO QDict *d = qdict_from_fmt("{'type': 'vhost-user', 'id': 'v', 'chardev': %s, 'queues': %s}",
                                           peer->chardev, queues);
    Error *err = NULL;
    bool ok = netdev_add(d, true, &err);

    check_true(t, fails ? !ok && strstr(error_message(err), fails) : ok, err ? error_message(err) : queues);
    error_free(err);
    if (!ok) {
        chardev_remove(peer->chardev, NULL);
    }
    return ok;
}

static void peer_stop(Peer *peer)
{
    thread_join(&peer->thread);
    close(peer->listen_fd);
    g_free(peer->chardev);
}

TEST(vhost_user, wrong_answers)
{
    static const struct { const char *fault, *queues, *message; } cases[] = {
        { "request", "1", "answer 2 of 8 bytes" }, { "size", "1", "4294967295 bytes" },
        { "flags", "1", "flags 0x1" }, { "closes", "1", "is gone" }, { "refuses", "1", "refuses request 3" },
        { NULL, "3", "more queues" }, { NULL, "65", "range" },
    };

    main_loop_init();
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        Peer peer;

        if (!peer_start(t, &peer, cases[i].fault)) {
            return;
        }
        netdev(t, &peer, cases[i].queues, cases[i].message);
        settle();
        peer_stop(&peer);
    }
    check_true(t, !net_first(), "nothing is left");
}

static unsigned disconnections;

static void gone(UNUSED void *opaque)
{
    disconnections++;
}

TEST(vhost_user, protocol)
{
    static const VhostUserOps ops = { gone, gone };
    VhostRegion region = { .guest_addr = 0, .size = 4096, .host_addr = 0x1000 };
    VhostRing ring = { .index = 1, .num = 256, .base = 3, .desc = 0x1000, .avail = 0x1100, .used = 0x1200 };
    Error *err = NULL;
    VhostUser *u;
    uint32_t base;
    Peer peer;

    main_loop_init();
    if (!peer_start(t, &peer, NULL) || !netdev(t, &peer, "2", NULL)) {
        return;
    }
    u = vhost_user_of(net_find("v"));
    check_true(t, u && vhost_user_is_connected(u) && net_queues(net_find("v")) == 2, "two pairs of queues");
    check_u64(t, vhost_user_features(u), 1ull << 32 | 1u << 30 | 1u << 15, "what it can do");
    region.fd = ring.kick_fd = ring.call_fd = peer.listen_fd;
    check_true(t, vhost_user_set_features(u, 1ull << 32, &err) && vhost_user_set_memory(u, &region, 1, &err) &&
               vhost_user_start_ring(u, &ring, &err) && vhost_user_enable_ring(u, 1, true, &err),
               err ? error_message(err) : "a ring is given away");
    check_true(t, peer.fds_seen == 3 && peer.regions == 1, "with descriptors for memory and notifications");
    check_true(t, vhost_user_stop_ring(u, 1, &base, &err) && base == 7, "and comes back");
    peer.fault = "base";
    check_true(t, !vhost_user_stop_ring(u, 1, &base, &err) && strstr(error_message(err), "stopped at"),
               "at a place that can be");
    error_free(err);
    err = NULL;
    vhost_user_set_ops(u, &ops, NULL);
    peer.fault = "closes";
    check_true(t, !vhost_user_set_features(u, 0, &err), "it goes away");
    error_free(err);
    settle();
    check_true(t, disconnections == 1 && !vhost_user_is_connected(u) && net_find("v")->link_down,
               "the device hears of it, and has no link");
    check_true(t, netdev_del("v", NULL), "the back end goes");
    peer_stop(&peer);
}
