/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NBD client with a server that goes away and comes back, both in this program; and with one that answers what it
 * likes.
 */
#include "util/osdep.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "block/nbd.h"
#include "qapi/sockets.h"
#include "qobject/json.h"
#include "tests/lib/image.h"
#include "util/bswap.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum { DISK = 1024 * 1024 };

typedef struct Fixture {
    Test *t;
    char *image, *socket;
    BlockNode *served;
} Fixture;

static void fixture_init(Fixture *f, Test *t)
{
    uint8_t b[512];

    main_loop_init();
    *f = (Fixture){ .t = t, .image = g_build_filename(test_tmpdir(t), "disk", NULL),
                    .socket = g_build_filename(test_tmpdir(t), "socket", NULL) };
    image_create(t, f->image, DISK, NULL);
    f->served = image_open(t, f->image, "qcow2", NULL);
    memset(b, 0x11, sizeof(b));
    check_int(t, image_write(f->served, 65536, b, sizeof(b)), 0, "something is on the disk");
}

static void server_start(void *opaque)
{
    Fixture *f = opaque;
    NbdExportSpec spec = { .id = "e", .name = "disk", .node = f->served, .writable = true };
    char *text = g_strdup_printf("unix:%s", f->socket);
    SocketAddress *a = socket_address_parse(text, NULL);

    check_true(f->t, nbd_server_start(a, NULL, NULL, 0, NULL) && nbd_export_add(&spec, NULL), "the server is there");
    qapi_free_SocketAddress(a);
    g_free(text);
}

static void fixture_free(Fixture *f)
{
    if (nbd_server_running()) {
        nbd_server_stop();
    }
    block_node_unref(f->served);
    g_free(f->image);
    g_free(f->socket);
}

/* @more: further members, or "". */
static BlockNode *client(Fixture *f, const char *more, Error **errp)
{
    char *json = g_strdup_printf("{\"driver\": \"nbd\", \"server\": {\"type\": \"unix\", \"path\": \"%s\"}, "
                                 "\"export\": \"disk\"%s}", f->socket, more);
    QDict *d = json_parse_dict(json, errp);
    BlockNode *n = d ? block_node_open(d, errp) : NULL;

    qobject_unref(d);
    g_free(json);
    return n;
}

typedef struct Request {
    BlockNode *n;
    bool write, done;
    uint8_t b[512];
    int result;
} Request;

static void coroutine_fn request_entry(void *opaque)
{
    Request *r = opaque;
    struct iovec v = { r->b, sizeof(r->b) };

    r->result = r->write ? block_co_pwritev(r->n, 8192, &v, 1) : block_co_preadv(r->n, 65536, &v, 1);
    r->done = true;
}

static void wait_for(const Request *r)
{
    while (!r->done) {
        main_loop_iterate(true);
    }
}

typedef struct Look {
    BlockNode *n;
    uint64_t offset, len;
    BlockStatus st;
    int result;
} Look;

static void coroutine_fn look_entry(void *opaque)
{
    Look *l = opaque;

    l->result = block_co_status(l->n, l->offset, l->len, &l->st);
}

static void check_status(Test *t, BlockNode *n, uint64_t offset, uint64_t len, bool data, bool zero)
{
    Look l = { .n = n, .offset = offset, .len = DISK - offset };

    block_run(look_entry, &l);
    if (l.result || l.st.len != len || l.st.data != data || l.st.zero != zero) {
        test_fail(t, "status at %#" PRIx64 ": result %d, %" PRIu64 " bytes, data %d, zero %d", offset, l.result, l.st.len,
                  l.st.data, l.st.zero);
    }
}

TEST(nbd, status_and_holes)
{
    Fixture f;
    BlockNode *n;
    Error *err = NULL;
    uint8_t *b = g_malloc(DISK);

    fixture_init(&f, t);
    server_start(&f);
    n = client(&f, "", &err);
    if (check_true(t, n, "it is opened")) {
        check_status(t, n, 0, 65536, false, true);
        check_status(t, n, 65536, 65536, true, false);
        check_status(t, n, 131072, DISK - 131072, false, true);
        memset(b, 0xee, DISK);
        check_int(t, image_read(n, 0, b, DISK), 0, "data and holes in one answer");
        check_true(t, b[0] == 0 && b[65535] == 0 && b[65536] == 0x11 && b[65536 + 511] == 0x11 && b[65536 + 512] == 0 &&
                   b[DISK - 1] == 0, "each in its place");
    }
    block_node_unref(n);
    check_true(t, !client(&f, ", \"x-dirty-bitmap\": \"qemu:dirty-bitmap:b\"", &err), "no such context");
    check_str(t, error_message(err), "the server has no metadata context 'qemu:dirty-bitmap:b' for this export",
              "which is said");
    error_free(err);
    g_free(b);
    fixture_free(&f);
}

/* The server goes with the request in its hands, or before it is sent, and comes back. */
TEST(nbd, requests_wait)
{
    Request r = { .b = { 0 } }, w = { .write = true, .b = { 0x22 } };
    Fixture f;
    uint8_t b[1] = { 0 };

    fixture_init(&f, t);
    server_start(&f);
    r.n = w.n = client(&f, ", \"reconnect-delay\": 1000", NULL);
    if (check_true(t, r.n, "it is opened")) {
        co_start(request_entry, &r);
        nbd_server_stop();
        co_start(request_entry, &w);
        for (int i = 0; i < 3; i++) {
            main_loop_iterate(false);
        }
        check_true(t, !w.done, "there is nobody to be written to");
        server_start(&f);
        wait_for(&r);
        wait_for(&w);
        check_int(t, r.result, 0, "what was asked for before is read");
        check_int(t, r.b[511], 0x11, "it is what is there");
        check_int(t, w.result, 0, "what came meanwhile is written");
        check_int(t, image_read(f.served, 8192, b, 1), 0, "the server's image");
        check_int(t, b[0], 0x22, "has it");
    }
    block_node_unref(r.n);
    fixture_free(&f);
}

TEST(nbd, requests_fail_after_the_delay)
{
    Request r = { .b = { 0 } }, second = { .b = { 0 } }, third = { .b = { 0 } };
    int64_t begin;
    Fixture f;

    fixture_init(&f, t);
    server_start(&f);
    r.n = second.n = third.n = client(&f, ", \"reconnect-delay\": 1", NULL);
    if (check_true(t, r.n, "it is opened")) {
        nbd_server_stop();
        begin = clock_get_ns(CLOCK_RT);
        co_start(request_entry, &r);
        wait_for(&r);
        check_int(t, r.result, -EIO, "nobody came");
        check_true(t, clock_get_ns(CLOCK_RT) - begin >= 900 * NS_PER_MS, "for a second");
        co_start(request_entry, &second);
        check_true(t, second.done && second.result == -EIO, "from then on it fails at once");
        server_start(&f);
        while (third.result || !third.done) {
            third.done = false;
            co_start(request_entry, &third);
            wait_for(&third);
            main_loop_iterate(third.result == 0);
        }
        check_int(t, third.b[0], 0x11, "and goes well when the server is back");
    }
    block_node_unref(r.n);
    fixture_free(&f);
}

/* Another disk of that name isn't the one that was opened. Closing ends the attempts. */
TEST(nbd, another_disk_is_not_taken)
{
    Request r = { .b = { 0 } };
    Fixture f;

    fixture_init(&f, t);
    server_start(&f);
    r.n = client(&f, ", \"reconnect-delay\": 1", NULL);
    if (check_true(t, r.n, "it is opened")) {
        nbd_server_stop();
        check_true(t, block_truncate(f.served, 2 * DISK, NULL), "it becomes longer");
        server_start(&f);
        co_start(request_entry, &r);
        wait_for(&r);
        check_int(t, r.result, -EIO, "it isn't read");
    }
    block_node_unref(r.n);
    fixture_free(&f);
}

TEST(nbd, opening_waits)
{
    Timer *later;
    BlockNode *n;
    Error *err = NULL;
    Fixture f;

    fixture_init(&f, t);
    later = timer_new_ns(CLOCK_RT, server_start, &f);
    check_true(t, !client(&f, "", &err), "nobody is there");
    check_true(t, strstr(error_message(err), "can't connect"), "which is said");
    error_free(err);
    err = NULL;
    check_true(t, !client(&f, ", \"open-timeout\": 1", &err), "nor comes");
    error_free(err);
    err = NULL;
    timer_mod_ns(later, clock_get_ns(CLOCK_RT) + 300 * NS_PER_MS);
    n = client(&f, ", \"open-timeout\": 1000", &err);
    check_true(t, n, "it comes later");
    timer_free(later);
    block_node_unref(n);
    fixture_free(&f);
}

/* --- a server that answers what it likes --- */

typedef struct Liar {
    int listener;
    const uint8_t *answer;          /* to the first request; its cookie is put in */
    size_t len;
} Liar;

static bool take(int fd, void *buf, size_t len)
{
    uint8_t b[256];

    return len == 0 || recv(fd, buf ? buf : b, len, MSG_WAITALL) == (ssize_t)len;
}

/* Negotiation as a server of one export of 1 MiB with structured replies and base:allocation has it. */
static bool greet(int fd)
{
    uint8_t head[16], b[64];
    bool went = false;

    store_be64(b, NBD_MAGIC);
    store_be64(b + 8, NBD_OPTS_MAGIC);
    store_be16(b + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
    if (write(fd, b, 18) != 18 || !take(fd, NULL, 4)) {
        return false;
    }
    while (!went && take(fd, head, 16) && take(fd, NULL, load_be32(head + 12))) {
        uint32_t option = load_be32(head + 8);
        size_t n = 0;

        store_be64(b, NBD_REP_MAGIC);
        store_be32(b + 8, option);
        if (option == NBD_OPT_SET_META_CONTEXT) {
            store_be32(b + 12, NBD_REP_META_CONTEXT);
            store_be32(b + 16, 4 + 15);
            store_be32(b + 20, 7);
            memcpy(b + 24, "base:allocation", 15);
            n = 39;
        } else if (option == NBD_OPT_GO) {
            store_be32(b + 12, NBD_REP_INFO);
            store_be32(b + 16, 12);
            store_be16(b + 20, NBD_INFO_EXPORT);
            store_be64(b + 22, DISK);
            store_be16(b + 30, NBD_HAS_FLAGS);
            n = 32;
            went = true;
        }
        if (n && write(fd, b, n) != (ssize_t)n) {
            return false;
        }
        store_be32(b + 12, NBD_REP_ACK);
        store_be32(b + 16, 0);
        if (write(fd, b, 20) != 20) {
            return false;
        }
    }
    return went;
}

static void *liar(void *opaque)
{
    Liar *l = opaque;
    int fd = accept(l->listener, NULL, NULL);
    uint8_t head[NBD_REQUEST_BYTES], *b = g_memdup2(l->answer, l->len);

    if (fd >= 0 && greet(fd) && take(fd, head, sizeof(head))) {
        memcpy(b + 8, head + 8, 8);
        while (send(fd, b, l->len, MSG_NOSIGNAL) > 0 && take(fd, NULL, 1)) {
        }
    }
    close(fd);
    g_free(b);
    return NULL;
}

/* Of bytes: a chunk's head (its length counted), then what it has. */
#define CHUNK(flags, type, len, ...) \
    { 0x66, 0x8e, 0x33, 0xef, 0, flags, (type) >> 8, (type) & 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (len) >> 8, (len) & 255, __VA_ARGS__ }

static const struct Lie {
    const char *what;
    uint8_t answer[64];
    size_t len;
} lies[] = {
    { "no magic", { 1, 2, 3, 4 }, 16 },
    { "a simple answer to a read", { 0x67, 0x44, 0x66, 0x98 }, 16 + 48 },
    { "nothing at all", CHUNK(1, 0, 0, 0), 20 },
    { "nothing, of a length", CHUNK(1, 0, 4, 0), 24 },
    { "data before the disk's part", CHUNK(1, 1, 12, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4), 32 },
    { "data past it", CHUNK(1, 1, 12, 0, 0, 0, 0, 0, 1, 1, 0xfe, 1, 2, 3, 4), 32 },
    { "data far away", CHUNK(1, 1, 12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4), 32 },
    { "data without data", CHUNK(1, 1, 8, 0, 0, 0, 0, 0, 1, 0, 0), 28 },
    { "less than was asked for", CHUNK(1, 2, 12, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0), 32 },
    { "a hole that is too long", CHUNK(1, 2, 12, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 1), 32 },
    { "a hole of a wrong form", CHUNK(1, 2, 11, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2), 31 },
    { "another kind of answer", CHUNK(1, 5, 12, 0, 0, 0, 7, 0, 0, 2, 0, 0, 0, 0, 0), 32 },
    { "an unknown kind", CHUNK(1, 9, 0, 0), 20 },
    { "an error", CHUNK(1, 0x8001, 6, 0, 0, 0, 22, 0, 0), 26 },
    { "an error of a wrong form", CHUNK(1, 0x8001, 2, 0, 0), 22 },
    { "an unknown error", CHUNK(1, 0x80ff, 4, 0, 0, 0, 0), 24 },
};

TEST(nbd, what_a_server_may_say)
{
    Fixture f;

    fixture_init(&f, t);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        Liar l = { socket(AF_UNIX, SOCK_STREAM, 0), lies[i].answer, lies[i].len };
        Request r = { .b = { 0 } };
        GThread *thread;

        g_strlcpy(un.sun_path, f.socket, sizeof(un.sun_path));
        unlink(f.socket);
        check_true(t, bind(l.listener, (struct sockaddr *)&un, sizeof(un)) == 0 && listen(l.listener, 1) == 0, "it listens");
        thread = g_thread_new("liar", liar, &l);
        r.n = client(&f, ", \"read-only\": true", NULL);
        close(l.listener);
        if (check_true(t, r.n, lies[i].what)) {
            co_start(request_entry, &r);
            wait_for(&r);
            check_int(t, r.result, strcmp(lies[i].what, "an error") ? -EIO : -EINVAL, lies[i].what);
        }
        block_node_unref(r.n);
        g_thread_join(thread);
    }
    fixture_free(&f);
}
