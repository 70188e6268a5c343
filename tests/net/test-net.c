/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network back ends that connect emulators, hubs, and what all have in common. */
#include "util/osdep.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/net/net-fixture.h"
#include "util/bswap.h"
#include "util/timer.h"

static int free_port(int type)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type, 0);

    bind(fd, (struct sockaddr *)&a, sizeof(a));
    getsockname(fd, (struct sockaddr *)&a, &len);
    close(fd);
    return ntohs(a.sin_port);
}

/* Adds both, waits for the connection, sends frames of all sizes each way, removes both. */
static void exchange(Test *t, const char *a, const char *b)
{
    static const size_t sizes[] = { 14, 60, 1514, 9000, 60000 };
    FakeDevice da, db;

    if (!add(t, a) || !add(t, b)) {
        return;
    }
    device_on(&da, "a");
    device_on(&db, "b");
    settle();
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        send_frame(&da, i, sizes[i]);
        send_frame(&db, i + 100, sizes[i]);
    }
    check_true(t, wait_frames(&db, 5) && wait_frames(&da, 5), "all frames arrive");
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        check_true(t, is_frame(&db, i, i, sizes[i]), "from a to b, unchanged and in order");
        check_true(t, is_frame(&da, i, i + 100, sizes[i]), "from b to a");
    }
    device_off(&da);
    device_off(&db);
    check_true(t, netdev_del("b", NULL) && netdev_del("a", NULL), "both go");
}

TEST(net, socket_tcp)
{
    int port = free_port(SOCK_STREAM);
    g_autofree char *a = g_strdup_printf("{'type': 'socket', 'id': 'a', 'listen': '127.0.0.1:%d'}", port);
    g_autofree char *b = g_strdup_printf("{'type': 'socket', 'id': 'b', 'connect': '127.0.0.1:%d'}", port);

    main_loop_init();
    exchange(t, a, b);
}

TEST(net, socket_udp)
{
    int p = free_port(SOCK_DGRAM), q = free_port(SOCK_DGRAM);
    g_autofree char *a = g_strdup_printf("{'type': 'socket', 'id': 'a', 'udp': '127.0.0.1:%d',"
                                         " 'localaddr': '127.0.0.1:%d'}", p, q);
    g_autofree char *b = g_strdup_printf("{'type': 'socket', 'id': 'b', 'udp': '127.0.0.1:%d',"
                                         " 'localaddr': '127.0.0.1:%d'}", q, p);

    main_loop_init();
    exchange(t, a, b);
}

TEST(net, socket_mcast)
{
    int port = free_port(SOCK_DGRAM);
    g_autofree char *a = g_strdup_printf("{'type': 'socket', 'id': 'a', 'mcast': '230.0.0.1:%d',"
                                         " 'localaddr': '127.0.0.1'}", port);
    g_autofree char *b = g_strdup_printf("{'type': 'socket', 'id': 'b', 'mcast': '230.0.0.1:%d',"
                                         " 'localaddr': '127.0.0.1'}", port);
    FakeDevice da, db;

    main_loop_init();
    if (!add(t, a) || !add(t, b)) {
        return;
    }
    device_on(&da, "a");
    device_on(&db, "b");
    send_frame(&da, 3, 100);
    check_true(t, wait_frames(&db, 1) && is_frame(&db, 0, 3, 100), "a member hears another");
    device_off(&da);
    device_off(&db);
    netdev_del("a", NULL);
    netdev_del("b", NULL);
}

TEST(net, stream_unix)
{
    g_autofree char *a = g_strdup_printf("{'type': 'stream', 'id': 'a', 'server': 'on', 'addr.type': 'unix',"
                                         " 'addr.path': '%s/s'}", test_tmpdir(t));
    g_autofree char *b = g_strdup_printf("{'type': 'stream', 'id': 'b', 'server': false,"
                                         " 'addr': {'type': 'unix', 'path': '%s/s'}}", test_tmpdir(t));

    main_loop_init();
    exchange(t, a, b);
    exchange(t, a, b);          /* the server's file is gone, or replaced */
}

TEST(net, stream_inet)
{
    int port = free_port(SOCK_STREAM);
    g_autofree char *a = g_strdup_printf("{'type': 'stream', 'id': 'a', 'server': 'on', 'addr.type': 'inet',"
                                         " 'addr.host': '127.0.0.1', 'addr.port': '%d'}", port);
    g_autofree char *b = g_strdup_printf("{'type': 'stream', 'id': 'b', 'addr.type': 'inet',"
                                         " 'addr.host': '127.0.0.1', 'addr.port': '%d'}", port);

    main_loop_init();
    exchange(t, a, b);
}

TEST(net, dgram)
{
    const char *dir = test_tmpdir(t);
    int p = free_port(SOCK_DGRAM), q = free_port(SOCK_DGRAM);
    g_autofree char *a = g_strdup_printf("{'type': 'dgram', 'id': 'a', 'local.type': 'unix', 'local.path':"
                                         " '%s/a', 'remote.type': 'unix', 'remote.path': '%s/b'}", dir, dir);
    g_autofree char *b = g_strdup_printf("{'type': 'dgram', 'id': 'b', 'local.type': 'unix', 'local.path':"
                                         " '%s/b', 'remote.type': 'unix', 'remote.path': '%s/a'}", dir, dir);
    g_autofree char *c = g_strdup_printf("{'type': 'dgram', 'id': 'a', 'local.type': 'inet', 'local.host':"
                                         " '127.0.0.1', 'local.port': '%d', 'remote.type': 'inet',"
                                         " 'remote.host': '127.0.0.1', 'remote.port': '%d'}", p, q);
    g_autofree char *d = g_strdup_printf("{'type': 'dgram', 'id': 'b', 'local.type': 'inet', 'local.host':"
                                         " '127.0.0.1', 'local.port': '%d', 'remote.type': 'inet',"
                                         " 'remote.host': '127.0.0.1', 'remote.port': '%d'}", q, p);

    main_loop_init();
    exchange(t, a, b);
    exchange(t, c, d);
}

/* A client that is there before its server, and stays when the server goes. */
TEST(net, stream_reconnects)
{
    g_autofree char *a = g_strdup_printf("{'type': 'stream', 'id': 'a', 'server': 'on', 'addr.type': 'unix',"
                                         " 'addr.path': '%s/s'}", test_tmpdir(t));
    g_autofree char *b = g_strdup_printf("{'type': 'stream', 'id': 'b', 'addr.type': 'unix', 'addr.path':"
                                         " '%s/s', 'reconnect': '1'}", test_tmpdir(t));
    FakeDevice da, db;

    main_loop_init();
    if (!add(t, b) || !add(t, a)) {
        return;
    }
    device_on(&db, "b");
    for (unsigned i = 0; i < 2; i++) {
        device_on(&da, "a");
        while (!da.got->len) {
            send_frame(&db, 5, 64);
            g_usleep(50000);
            settle();
        }
        check_true(t, is_frame(&da, 0, 5, 64), "the client is connected");
        device_off(&da);
        netdev_del("a", NULL);
        settle();
        if (!i && !add(t, a)) {
            break;
        }
    }
    device_off(&db);
    netdev_del("b", NULL);
}

/* --- hostile peers --- */

TEST(net, stream_length_is_bounded)
{
    g_autofree char *path = g_strdup_printf("%s/s", test_tmpdir(t));
    g_autofree char *a = g_strdup_printf("{'type': 'stream', 'id': 'a', 'server': 'on', 'addr.type': 'unix',"
                                         " 'addr.path': '%s'}", path);
    static const uint32_t lengths[] = { NET_FRAME_MAX + 1, INT32_MAX, UINT32_MAX };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    uint8_t good[4 + 20] = { 0, 0, 0, 20 };
    FakeDevice da;

    main_loop_init();
    if (!add(t, a)) {
        return;
    }
    device_on(&da, "a");
    memcpy(un.sun_path, path, strlen(path));
    for (unsigned i = 0; i < ARRAY_SIZE(lengths) + 2; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        uint8_t head[4], byte;

        connect(fd, (struct sockaddr *)&un, sizeof(un));
        if (i < ARRAY_SIZE(lengths)) {
            store_be32(head, lengths[i]);
            check_int(t, write(fd, head, 4), 4, "a length is sent");
            settle();
            check_int(t, read(fd, &byte, 1), 0, "and the connection is closed");
        } else {
            /* One byte at a time, and no frame of no bytes. */
            check_int(t, write(fd, (uint8_t[4]){ 0 }, 4), 4, "a frame of no bytes");
            for (size_t k = 0; k < sizeof(good); k++) {
                check_int(t, write(fd, good + k, 1), 1, "a byte");
                main_loop_iterate(false);
            }
            check_true(t, wait_frames(&da, i - 2), "the next client is served");
        }
        close(fd);
        settle();
    }
    device_off(&da);
    netdev_del("a", NULL);
}

/* A device that takes nothing makes the back end stop reading; nothing is lost then. */
TEST(net, stream_waits_for_the_device)
{
    g_autofree char *a = g_strdup_printf("{'type': 'stream', 'id': 'a', 'server': 'on', 'addr.type': 'unix',"
                                         " 'addr.path': '%s/s'}", test_tmpdir(t));
    g_autofree char *b = g_strdup_printf("{'type': 'stream', 'id': 'b', 'addr.type': 'unix', 'addr.path':"
                                         " '%s/s'}", test_tmpdir(t));
    FakeDevice da, db;

    main_loop_init();
    if (!add(t, a) || !add(t, b)) {
        return;
    }
    device_on(&da, "a");
    device_on(&db, "b");
    settle();
    da.busy = true;
    for (unsigned i = 0; i < 400; i++) {
        send_frame(&db, i, 1514);
        main_loop_iterate(false);
    }
    settle();
    check_int(t, da.got->len, 0, "the device has nothing");
    check_true(t, net_find("a")->queued <= NET_QUEUE_MAX && net_find("a")->rx_dropped == 0,
               "no more waits than may, and nothing is lost");
    da.busy = false;
    net_flush(da.net);
    check_true(t, wait_frames(&da, 400) && is_frame(&da, 399, (uint8_t)399, 1514), "all come later");
    /* The VM is stopped: as a device that takes nothing. */
    net_set_running(false);
    send_frame(&db, 1, 100);
    settle();
    check_int(t, da.got->len, 400, "no frame reaches a stopped VM");
    net_set_running(true);
    check_true(t, wait_frames(&da, 401), "and all come when it goes on");
    device_off(&da);
    device_off(&db);
    netdev_del("a", NULL);
    netdev_del("b", NULL);
}

/* --- hubs --- */

TEST(net, hub)
{
    g_autofree char *s = g_strdup_printf("{'type': 'stream', 'id': 's', 'server': 'on', 'addr.type': 'unix',"
                                         " 'addr.path': '%s/s'}", test_tmpdir(t));
    g_autofree char *c = g_strdup_printf("{'type': 'stream', 'id': 'c', 'addr.type': 'unix', 'addr.path':"
                                         " '%s/s'}", test_tmpdir(t));
    FakeDevice a, b, other, far;

    main_loop_init();
    if (!add(t, "{'type': 'hubport', 'id': 'a', 'hubid': '0'}") ||
        !add(t, "{'type': 'hubport', 'id': 'b', 'hubid': 0}") ||
        !add(t, "{'type': 'hubport', 'id': 'other', 'hubid': 1}") || !add(t, s) || !add(t, c) ||
        !add(t, "{'type': 'hubport', 'id': 'p', 'hubid': 0, 'netdev': 'c'}")) {
        return;
    }
    device_on(&a, "a");
    device_on(&b, "b");
    device_on(&other, "other");
    device_on(&far, "s");
    settle();
    send_frame(&a, 1, 60);
    check_true(t, is_frame(&b, 0, 1, 60), "another port of the hub has it");
    check_true(t, wait_frames(&far, 1) && is_frame(&far, 0, 1, 60), "so has what is behind a port");
    check_true(t, !a.got->len && !other.got->len, "not the sender, nor another hub");
    send_frame(&far, 2, 70);
    check_true(t, wait_frames(&a, 1) && wait_frames(&b, 1) && is_frame(&a, 0, 2, 70) && b.got->len == 2,
               "from behind a port to all");
    check_int(t, far.got->len, 1, "but not back");
    refuse(t, "{'type': 'hubport', 'id': 'q', 'hubid': 0, 'netdev': 'c'}", "in use");
    refuse(t, "{'type': 'hubport', 'id': 'q', 'hubid': 0, 'netdev': 'nobody'}", "no network back end");
    refuse(t, "{'type': 'hubport', 'id': 'q'}", "hubid");
    check_true(t, !netdev_del("c", NULL), "what is behind a port stays");
    device_off(&a);
    device_off(&b);
    device_off(&other);
    device_off(&far);
    for (const char *const *id = (const char *const[]){ "p", "c", "s", "a", "b", "other", NULL }; *id; id++) {
        check_true(t, netdev_del(*id, NULL), *id);
    }
}

/* --- wrong options --- */

static void set_true(void *opaque)
{
    *(bool *)opaque = true;
}

/* A forwarded port is polled all the time: the loop sleeps all the same. */
TEST(net, user_sleeps)
{
    int port = free_port(SOCK_STREAM);
    g_autofree char *a = g_strdup_printf("{'type': 'user', 'id': 'a', 'hostfwd': 'tcp:127.0.0.1:%d-:22'}", port);
    unsigned rounds = 0;
    bool over = false;
    Timer *timer;

    main_loop_init();
    if (!add(t, a)) {
        return;
    }
    timer = timer_new_ns(CLOCK_RT, set_true, &over);
    timer_mod_ns(timer, clock_get_ns(CLOCK_RT) + 200 * NS_PER_MS);
    for (; !over; rounds++) {
        main_loop_iterate(true);
    }
    check_true(t, rounds < 100, "it is woken by what happens only");
    timer_free(timer);
    check_true(t, netdev_del("a", NULL), "it goes");
}

TEST(net, options)
{
    main_loop_init();
    refuse(t, "{'type': 'vde', 'id': 'x'}", "there is no network back end 'vde'");
    refuse(t, "{'type': 'socket', 'id': 'x'}", "exactly one");
    refuse(t, "{'type': 'socket', 'id': 'x', 'listen': ':1', 'connect': ':2'}", "exactly one");
    refuse(t, "{'type': 'socket', 'id': 'x', 'udp': '127.0.0.1:1'}", "localaddr");
    refuse(t, "{'type': 'socket', 'id': 'x', 'mcast': '10.0.0.1:1'}", "multicast");
    refuse(t, "{'type': 'socket', 'id': 'x', 'listen': 'nonsense'}", "nonsense");
    refuse(t, "{'type': 'socket', 'id': 'x', 'colour': 'red'}", "colour");
    refuse(t, "{'type': 'stream', 'id': 'x'}", "addr");
    refuse(t, "{'type': 'stream', 'id': 'x', 'addr.type': 'unix', 'addr': 'y'}", "beside");
    refuse(t, "{'type': 'stream', 'id': 'x', 'addr.type': 'unix', 'addr.path': '/nowhere/s'}", "/nowhere/s");
    refuse(t, "{'type': 'stream', 'id': 'x', 'server': 'on', 'reconnect': 1, 'addr.type': 'unix',"
              " 'addr.path': '/nowhere/s'}", "reconnect");
    refuse(t, "{'type': 'dgram', 'id': 'x'}", "local");
    refuse(t, "{'type': 'dgram', 'id': 'x', 'local.type': 'unix', 'local.path': '/x'}", "remote");
    refuse(t, "{'type': 'tap', 'id': 'x', 'vhost': 'on'}", "vhost");
    refuse(t, "{'type': 'tap', 'id': 'x', 'ifname': 'a-name-that-is-too-long'}", "ifname");
    refuse(t, "{'type': 'tap', 'id': 'x', 'fd': '3', 'ifname': 'y'}", "not used");
    refuse(t, "{'type': 'tap', 'id': 'x', 'queues': '1000'}", "queues");
    refuse(t, "{'type': 'user', 'id': 'x', 'net': 'y'}", "net");
    refuse(t, "{'type': 'user', 'id': 'x', 'hostfwd': 'tcp::99999-:1'}", "hostfwd");
    refuse(t, "{'type': 'user', 'id': 'x', 'guestfwd': 'tcp:10.0.2.100:1-chardev:none'}", "none");
    refuse(t, "{'type': 'user', 'id': 'x', 'ipv4': 'off', 'ipv6': 'off'}", "disabled");
    refuse(t, "{'type': 'user', 'id': 'x', 'ipv6-prefixlen': '127'}", "ipv6-prefixlen");
    check_true(t, !net_first(), "nothing is left");
}
