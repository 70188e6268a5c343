/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server and clients of libivshmem: who is told what, many clients, bad clients, sockets left behind. */
#include "util/osdep.h"
#include "libivshmem/server.h"
#include "tests/lib/test.h"

#include <glib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "libivshmem/proto.h"
#include "util/thread.h"

typedef struct World {
    Test *t;
    char *path;
    IvshmemServer *server;
    int memory;
    Thread thread;
    _Atomic bool stop;
} World;

/* The server runs as a program of its own would. */
static void *serve(void *opaque)
{
    World *w = opaque;

    while (!atomic_load(&w->stop)) {
        struct pollfd p = { ivshmem_server_fd(w->server), POLLIN, 0 };

        poll(&p, 1, 20);
        ivshmem_server_run(w->server);
    }
    return NULL;
}

static void world_end(void *opaque)
{
    World *w = opaque;

    atomic_store(&w->stop, true);
    thread_join(&w->thread);
    ivshmem_server_free(w->server);
    check_true(w->t, access(w->path, F_OK) < 0, "the socket is gone");
    close(w->memory);
    g_free(w->path);
    g_free(w);
}

static World *world_new(Test *t, unsigned vectors, unsigned clients)
{
    World *w = g_new0(World, 1);
    IvshmemServerOptions o = { .vectors = vectors, .clients = clients };
    char err[IVSHMEM_ERR_LEN];

    w->t = t;
    w->path = g_strdup_printf("%s/socket", test_tmpdir(t));
    o.socket = w->path;
    o.memory = w->memory = ivshmem_memory_new(IVSHMEM_MEMORY_MEMFD, NULL, 65536, err);
    w->server = ivshmem_server_new(&o, err);
    if (!w->server) {
        g_error("%s", err);
    }
    thread_create(&w->thread, "server", serve, w);
    test_at_end(t, world_end, w);
    return w;
}

static Ivshmem *client(World *w)
{
    char err[IVSHMEM_ERR_LEN];
    Ivshmem *iv = ivshmem_connect(w->path, err);

    if (!iv) {
        g_error("%s", err);
    }
    return iv;
}

static void until_peers(Ivshmem *iv, int n)
{
    while (ivshmem_peers(iv, NULL, 0) != n && ivshmem_wait(iv, -1, NULL) > 0) {
    }
}

TEST(ivshmem_server, three_clients)
{
    World *w = world_new(t, 3, 100);
    Ivshmem *a = client(w), *b = client(w), *c = client(w);
    uint16_t ids[4];
    uint32_t vectors = 0;
    size_t size;

    check_u32(t, ivshmem_id(a), 0, "the first id");
    check_u32(t, ivshmem_id(c), 2, "the third id");
    until_peers(a, 2);
    check_int(t, ivshmem_peers(c, ids, 4), 2, "the others");
    check_true(t, ids[0] == 0 && ids[1] == 1, "their ids");
    while (ivshmem_peer_vectors(a, 2) < 3) {
        ivshmem_wait(a, -1, NULL);
    }
    *(uint32_t *)ivshmem_memory(a, &size) = 0x12345678;
    check_u64(t, size, 65536, "the memory");
    check_u32(t, *(uint32_t *)ivshmem_memory(c, NULL), 0x12345678, "is the same");
    check_int(t, ivshmem_notify(a, 2, 1), 0, "rung");
    while (!vectors && ivshmem_wait(c, -1, &vectors) > 0) {
    }
    check_u32(t, vectors, 2, "vector 1");
    check_int(t, ivshmem_notify(a, 2, 3), -ENOENT, "no such vector");
    check_int(t, ivshmem_notify(a, 7, 0), -ENOENT, "no such peer");
    ivshmem_close(b);
    until_peers(a, 1);
    check_int(t, ivshmem_notify(a, 1, 0), -ENOENT, "it has left");
    b = client(w);
    check_u32(t, ivshmem_id(b), 1, "its id is free again");
    until_peers(a, 2);
    ivshmem_close(a);
    ivshmem_close(b);
    ivshmem_close(c);
}

TEST(ivshmem_server, many_clients)
{
    enum { MANY = 16 };
    World *w = world_new(t, 4, MANY);
    Ivshmem *iv[MANY], *more;

    for (int i = 0; i < MANY; i++) {
        iv[i] = client(w);
        check_u32(t, ivshmem_id(iv[i]), (unsigned)i, "ids in order");
    }
    for (int i = 0; i < MANY; i++) {
        until_peers(iv[i], MANY - 1);
    }
    more = ivshmem_connect(w->path, NULL);
    check_true(t, !more, "there is no place for another");
    for (int i = 0; i < MANY; i += 2) {
        ivshmem_close(iv[i]);
    }
    for (int i = 1; i < MANY; i += 2) {
        until_peers(iv[i], MANY / 2 - 1);
    }
    for (int i = 1; i < MANY; i += 2) {
        ivshmem_close(iv[i]);
    }
}

static int raw_client(World *w)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(a.sun_path, w->path, sizeof(a.sun_path));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        g_error("connect");
    }
    return fd;
}

/* In order: version, id, memory, the others' vectors, our own. */
TEST(ivshmem_server, messages_in_order)
{
    World *w = world_new(t, 2, 10);
    Ivshmem *first = client(w);
    int fd = raw_client(w), with;
    IvshmemReader r;
    int64_t n;
    static const struct { int64_t number; bool fd; } expect[] = {
        { 0, false }, { 1, false }, { -1, true }, { 0, true }, { 0, true }, { 1, true }, { 1, true },
    };

    ivshmem_reader_init(&r);
    for (size_t i = 0; i < ARRAY_SIZE(expect); i++) {
        check_int(t, ivshmem_read(&r, fd, &n, &with), 1, "a message");
        check_int(t, n, expect[i].number, "its number");
        check_int(t, with >= 0, expect[i].fd, "its descriptor");
        close(with);
    }
    ivshmem_close(first);
    check_int(t, ivshmem_read(&r, fd, &n, &with), 1, "a message");
    check_true(t, n == 0 && with < 0, "a disconnection");
    close(fd);
}

TEST(ivshmem_server, bad_clients)
{
    World *w = world_new(t, 1, 2000);
    Ivshmem *good = client(w);
    int deaf, talker;
    char byte;

    talker = raw_client(w);
    until_peers(good, 1);
    check_int(t, send(talker, "x", 1, 0), 1, "it speaks");
    until_peers(good, 0);
    while (recv(talker, &byte, 1, 0) > 0) {
    }
    check_true(t, true, "and is hung up on");
    /* One that never reads; others come and go, more often than a socket holds messages. */
    deaf = raw_client(w);
    until_peers(good, 1);
    for (int i = 0; i < 400; i++) {
        Ivshmem *other = client(w);

        ivshmem_close(other);
    }
    until_peers(good, 1);
    close(talker);
    close(deaf);
    until_peers(good, 0);
    ivshmem_close(good);
}

TEST(ivshmem_server, sockets_and_mistakes)
{
    g_autofree char *path = g_strdup_printf("%s/s", test_tmpdir(t));
    char err[IVSHMEM_ERR_LEN];
    int memory = ivshmem_memory_new(IVSHMEM_MEMORY_MEMFD, NULL, 1, err);
    IvshmemServerOptions o = { .socket = path, .memory = memory, .vectors = 0, .clients = 5 };
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    IvshmemServer *s;
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);

    check_true(t, !ivshmem_server_new(&o, err) && strstr(err, "vectors"), "no vectors");
    o.vectors = 1;
    o.clients = 0;
    check_true(t, !ivshmem_server_new(&o, err) && strstr(err, "clients"), "no clients");
    o.clients = 5;
    o.socket = "/nonexistent/socket";
    check_true(t, !ivshmem_server_new(&o, err) && strstr(err, "/nonexistent/socket"), "no folder");
    o.socket = path;
    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    check_int(t, bind(stale, (struct sockaddr *)&a, sizeof(a)), 0, "a socket");
    close(stale);
    s = ivshmem_server_new(&o, err);
    check_true(t, s, "one that was left behind is replaced");
    check_true(t, !ivshmem_server_new(&o, err), "one that is used is not");
    check_true(t, access(path, F_OK) == 0, "and stays");
    ivshmem_server_free(s);
    check_true(t, access(path, F_OK) < 0, "it goes with the server");
    check_true(t, ftruncate(memory, 0) < 0, "the memory can't be shrunk");
    check_int(t, ivshmem_memory_new(IVSHMEM_MEMORY_DIR, "/nonexistent", 1, err), -1, "no such folder");
    close(memory);
    memory = ivshmem_memory_new(IVSHMEM_MEMORY_DIR, test_tmpdir(t), 8192, err);
    check_true(t, memory >= 0 && lseek(memory, 0, SEEK_END) == 8192, "a file in a folder");
    close(memory);
}
