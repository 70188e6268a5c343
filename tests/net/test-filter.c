/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects between devices and back ends. */
#include "util/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "net/filter.h"
#include "net/net-frames.h"
#include "tests/net/net-fixture.h"
#include "util/bswap.h"
#include "util/timer.h"

/* --- a network that keeps what it gets --- */

static GPtrArray *sent;         /* GBytes */
static unsigned last_can;

static bool keep_open(NetBackend *n, UNUSED const QDict *opts, UNUSED Error **errp)
{
    n->can = NET_CAN_CSUM;
    sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    return true;
}

static void keep_close(UNUSED NetBackend *n)
{
    g_ptr_array_unref(sent);
}

static void keep_send(UNUSED NetBackend *n, const uint8_t *frame, size_t len)
{
    g_ptr_array_add(sent, g_bytes_new(frame, len));
}

static void keep_send_offload(NetBackend *n, const NetOffload *o, const uint8_t *frame, size_t len)
{
    last_can = o->csum_start;
    keep_send(n, frame, len);
}

static const char *const no_options[] = { NULL };
static NetBackendType keep_type = {
    .name = "keep", .options = no_options, .open = keep_open, .close = keep_close, .send = keep_send,
    .send_offload = keep_send_offload,
};

static void start(Test *t, FakeDevice *d)
{
    static bool known;

    main_loop_init();
    clock_enable(true);
    if (!known) {
        net_backend_type_register(&keep_type);
        known = true;
    }
    add(t, "{'type': 'keep', 'id': 'n0'}");
    device_on(d, "n0");
}

static void stop(FakeDevice *d)
{
    device_off(d);
    netdev_del("n0", NULL);
}

static bool object(Test *t, const char *type, const char *id, const char *props, const char *fails)
{
    QOBJECT_AUTO QDict *p = options(props);
    Error *err = NULL;
    bool ok = user_object_new(type, id, p, true, &err);

    check_true(t, fails ? !ok && strstr(error_message(err), fails) : ok, err ? error_message(err) : props);
    error_free(err);
    return ok;
}

/* Frames of 60 bytes each way; how many came through. */
static void both_ways(FakeDevice *d, uint8_t number, guint *to_device, guint *to_backend)
{
    uint8_t p[60];
    guint a = d->got->len, b = sent->len;

    send_frame(d, number, sizeof(p));
    memset(p, number, sizeof(p));
    net_deliver(d->net, p, sizeof(p));
    *to_device = d->got->len - a;
    *to_backend = sent->len - b;
}

TEST(filter, dump)
{
    g_autofree char *path = g_strdup_printf("%s/a.pcap", test_tmpdir(t));
    g_autofree char *rx = g_strdup_printf("{'netdev': 'n0', 'file': '%s', 'queue': 'rx', 'maxlen': '32'}", path);
    g_autofree uint8_t *file = NULL;
    guint in, out;
    FakeDevice d;
    gsize len;

    start(t, &d);
    object(t, "filter-dump", "f", "{'netdev': 'n0'}", "file");
    object(t, "filter-dump", "f", "{'file': '/x'}", "netdev");
    object(t, "filter-dump", "f", "{'file': '/nowhere/x', 'netdev': 'n0'}", "/nowhere/x");
    object(t, "filter-dump", "f", "{'file': '/x', 'netdev': 'n1'}", "n1");
    object(t, "netfilter", "f", "{'netdev': 'n0'}", "netfilter");
    if (object(t, "filter-dump", "f", rx, NULL)) {
        both_ways(&d, 1, &in, &out);
        check_true(t, in == 1 && out == 1, "frames pass");
        object_set_str(user_object_find("f", NULL, NULL), "status", "off", NULL);
        both_ways(&d, 2, &in, &out);
        check_true(t, user_object_delete("f", NULL), "the filter goes");
        both_ways(&d, 3, &in, &out);
    }
    check_true(t, g_file_get_contents(path, (char **)&file, &len, NULL) && len == 24 + 16 + 32,
               "a header and one frame, cut to 32 bytes");
    if (file && len == 24 + 16 + 32) {
        uint32_t words[4];

        memcpy(words, file, 4);
        check_u32(t, words[0], 0xa1b2c3d4, "the magic number in the host's order");
        memcpy(words, file + 24, 16);
        check_true(t, words[2] == 32 && words[3] == 60, "kept and real length");
        check_u8(t, file[40 + 1], 8, "the frame's bytes");
    }
    stop(&d);
}

TEST(filter, buffer)
{
    guint in, out;
    FakeDevice d;

    start(t, &d);
    object(t, "filter-buffer", "b", "{'netdev': 'n0'}", "interval");
    if (object(t, "filter-buffer", "b", "{'netdev': 'n0', 'queue': 'tx', 'interval': '30000'}", NULL)) {
        both_ways(&d, 1, &in, &out);
        check_true(t, in == 0 && out == 1, "only frames to the device wait");
        check_true(t, wait_frames(&d, 1), "until the time is up");
        both_ways(&d, 2, &in, &out);
        check_int(t, in, 0, "the next ones too");
        object_set_str(user_object_find("b", NULL, NULL), "status", "off", NULL);
        check_int(t, d.got->len, 2, "off: what waits is let go");
        both_ways(&d, 3, &in, &out);
        check_int(t, in, 1, "and nothing waits");
        object_set_str(user_object_find("b", NULL, NULL), "status", "on", NULL);
        for (unsigned i = 0; i < 6000; i++) {
            both_ways(&d, 4, &in, &out);
        }
        check_true(t, user_object_delete("b", NULL), "the filter goes");
        check_true(t, d.got->len > 3 && d.got->len <= 3 + 4096 + NET_QUEUE_MAX, "what is kept is bounded");
    }
    stop(&d);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(un.sun_path, path, strlen(path));
    if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        close(fd);
        return -1;
    }
    settle();
    return fd;
}

static int chardev(Test *t, const char *id)
{
    g_autofree char *path = g_strdup_printf("%s/%s", test_tmpdir(t), id);
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);

    check_true(t, chardev_new_from_spec(id, spec, NULL), "a character device");
    return connect_unix(path);
}

TEST(filter, mirror_and_redirector)
{
    uint8_t buf[200], head[4], offload[8 + 10 + 60] = { 0 };
    int m, r, i;
    guint in, out;
    FakeDevice d;

    start(t, &d);
    m = chardev(t, "m");
    r = chardev(t, "r");
    i = chardev(t, "i");
    object(t, "filter-mirror", "x", "{'netdev': 'n0'}", "outdev");
    object(t, "filter-redirector", "x", "{'netdev': 'n0'}", "indev");
    object(t, "filter-redirector", "x", "{'netdev': 'n0', 'indev': 'm', 'outdev': 'm'}", "same");
    object(t, "filter-mirror", "fm", "{'netdev': 'n0', 'queue': 'rx', 'outdev': 'm'}", NULL);
    both_ways(&d, 1, &in, &out);
    check_true(t, in == 1 && out == 1, "frames pass the mirror");
    check_true(t, read(m, buf, sizeof(buf)) == 64 && load_be32(buf) == 60 && buf[5] == 8,
               "and go to the character device with their length");
    object(t, "filter-redirector", "fr",
           "{'netdev': 'n0', 'queue': 'tx', 'outdev': 'r', 'indev': 'i', 'vnet_hdr_support': 'on'}", NULL);
    both_ways(&d, 2, &in, &out);
    check_true(t, in == 0 && out == 1, "what is redirected doesn't pass");
    check_true(t, read(r, buf, sizeof(buf)) == 78 && load_be32(buf) == 60 && load_be32(buf + 4) == 10,
               "it goes to its character device, with an offload header");
    store_be32(offload, 60);
    store_be32(offload + 4, 10);
    offload[8] = NET_NEEDS_CSUM;
    check_int(t, write(i, offload, sizeof(offload)), sizeof(offload), "another comes back");
    settle();
    check_true(t, d.got->len == 2 && d.last.flags == NET_NEEDS_CSUM, "and goes on from there");
    /* Hostile lengths end the connection. */
    store_be32(head, UINT32_MAX);
    check_int(t, write(i, head, 4), 4, "a length that can't be");
    check_int(t, write(i, head, 4), 4, "and another");
    settle();
    check_int(t, read(i, buf, 1), 0, "are hung up on");
    check_true(t, user_object_delete("fr", NULL) && user_object_delete("fm", NULL), "they go");
    close(m);
    close(r);
    close(i);
    settle();
    stop(&d);
    check_true(t, chardev_remove("m", NULL) && chardev_remove("r", NULL) && chardev_remove("i", NULL),
               "the character devices are free");
}

/* Order: frames to the device pass from head to tail, the others the other way round. */
TEST(filter, position)
{
    guint in, out;
    FakeDevice d;
    int a, b;
    uint8_t buf[100];

    start(t, &d);
    a = chardev(t, "a");
    b = chardev(t, "b");
    object(t, "filter-redirector", "f1", "{'netdev': 'n0', 'outdev': 'a'}", NULL);
    object(t, "filter-redirector", "f2", "{'netdev': 'n0', 'outdev': 'b', 'position': 'id=f1', 'insert': 'x'}",
           "insert");
    object(t, "filter-redirector", "f2", "{'netdev': 'n0', 'outdev': 'b', 'position': 'id=no'}", "position");
    object(t, "filter-redirector", "f2", "{'netdev': 'n0', 'outdev': 'b', 'position': 'id=f1', 'insert': 'before'}",
           NULL);
    both_ways(&d, 1, &in, &out);
    check_true(t, in == 0 && out == 0, "both directions are taken");
    check_true(t, read(a, buf, sizeof(buf)) == 64 && buf[5] == 8, "the nearer one to the device: its frames");
    check_true(t, read(b, buf, sizeof(buf)) == 64 && buf[5] == 1, "the nearer one to the back end: its frames");
    /* The back end goes before its filters do. */
    stop(&d);
    check_true(t, user_object_delete("f1", NULL) && user_object_delete("f2", NULL), "filters of nothing go");
    close(a);
    close(b);
    settle();
    chardev_remove("a", NULL);
    chardev_remove("b", NULL);
}

TEST(filter, offload_reaches_back_ends_that_can)
{
    NetOffload o = { .flags = NET_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16 };
    uint8_t p[60] = { 0 };
    FakeDevice d;

    start(t, &d);
    check_true(t, net_can(d.net) == NET_CAN_CSUM && net_can(NULL) == 0, "what the back end can");
    net_send_offload(d.net, &o, p, sizeof(p));
    check_int(t, last_can, 34, "the back end gets what is left to do");
    d.busy = true;
    net_deliver_offload(d.net, &o, p, sizeof(p));
    d.busy = false;
    net_flush(d.net);
    check_true(t, d.got->len == 1 && d.last.csum_offset == 16, "so does a device, even later");
    check_true(t, netdev_del("n0", NULL) == true, "the back end goes");
    g_ptr_array_unref(d.got);
}
