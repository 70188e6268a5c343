/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ivshmem: the largest memory, plugging, peers that are killed, servers that come back. */
#include "util/osdep.h"
#include "tests/hw/misc/ivshmem-fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include "libivshmem/server.h"
#include "tests/migration/move.h"
#include "util/thread.h"

#define LARGEST     (64 * GIB)
#define HIGH        (UINT64_C(1) << 37)

/* Memory that is there on paper; two devices see its last word. */
static void two_see_the_end(Test *t, const char *args)
{
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults %s", args);
    int one = map(q, 0), two = map(q, 1);

    check_u64(t, qpci_bar_size(q, (unsigned)one, 2), LARGEST, "BAR 2");
    qpci_map(q, (unsigned)one, 2, HIGH);
    qpci_map(q, (unsigned)two, 2, 2 * HIGH);
    qtest_writel(q, HIGH + LARGEST - 4, 0xcafe1234);
    check_u32(t, qtest_readl(q, 2 * HIGH + LARGEST - 4), 0xcafe1234, "the last word");
    check_u32(t, qtest_readl(q, 2 * HIGH), 0, "not the first");
    check_int(t, qtest_stop(q), 0, "ended");
}

/* Not every host promises so much memory (vm.overcommit_memory, ulimits). */
static bool host_can(void)
{
    int fd = memfd_create("x", MFD_CLOEXEC);
    void *p = ftruncate(fd, LARGEST) == 0 ? mmap(NULL, LARGEST, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (p != MAP_FAILED) {
        munmap(p, LARGEST);
    }
    close(fd);
    return p != MAP_FAILED;
}

TEST(ivshmem_life, the_largest_memory)
{
    g_autofree char *files = NULL, *path = g_strdup_printf("%s/mem", test_tmpdir(t));

    if (!host_can()) {
        test_skip(t, "the host doesn't map 64 GiB");
        return;
    }
    two_see_the_end(t, "-object ivshmem-broker,id=b,size=64G -device ivshmem-doorbell,broker=b -device ivshmem-doorbell,broker=b");
    files = g_strdup_printf("-object memory-backend-file,id=a,size=64G,share=on,mem-path=%s"
                            " -object memory-backend-file,id=b,size=64G,share=on,mem-path=%s"
                            " -device ivshmem-plain,memdev=a -device ivshmem-plain,memdev=b", path, path);
    two_see_the_end(t, files);
}

/* The server sees a plugged device come, and an unplugged one go; what is plugged rings and is rung. */
TEST(ivshmem_life, plugging_a_doorbell)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -object ivshmem-broker,id=b,size=1M,vectors=2"
                               " -device ivshmem-doorbell,broker=b,vectors=2");
    Bell b = { .q = q };
    Error *err = NULL;
    int plugged;

    b.bdf = (unsigned)find_and_map(t, q);
    qpci_map(q, b.bdf, 1, MSIX);
    bell_arm(&b, 2);
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add",
                             qdict_from_fmt("{'driver': 'ivshmem-doorbell', 'broker': 'b', 'vectors': 2, 'id': 'i'}"), &err),
               err ? error_message(err) : "plugged");
    plugged = map(q, 1);
    if (!check_true(t, plugged >= 0, "it is there")) {
        return;
    }
    qpci_map(q, (unsigned)plugged, 0, REGS + 0x1000);
    check_u32(t, qtest_readl(q, REGS + 0x1000 + IVPOSITION), 1, "the next id");
    while (!qtest_readl(q, MESSAGE(1))) {
        qtest_writel(q, REGS + 0x1000 + DOORBELL, 0u << 16 | 1);
    }
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'i'}"), NULL), "asked for");
    qtest_outl(q, 0xae10, 0);
    qtest_outl(q, 0xae08, 1u << (plugged >> 3));
    qobject_unref(qmp_wait_event(qtest_qmp(q), "DEVICE_DELETED", 10000, &err));
    check_true(t, !err, "unplugged");
    /* Its id is free. */
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add",
                             qdict_from_fmt("{'driver': 'ivshmem-doorbell', 'broker': 'b', 'vectors': 2, 'id': 'k'}"), &err),
               err ? error_message(err) : "plugged again");
    plugged = map(q, 1);
    qpci_map(q, (unsigned)plugged, 0, REGS + 0x1000);
    check_u32(t, qtest_readl(q, REGS + 0x1000 + IVPOSITION), 1, "the id of the one that left");
    check_int(t, qtest_stop(q), 0, "ended");
}

/* Version 2 says so to the guest: state 0 and an interrupt. */
TEST(ivshmem_life, a_peer_is_killed)
{
    g_autofree char *path = g_strdup_printf("%s/broker", test_tmpdir(t));
    QTest *victim;
    Bell a;
    int bdf;

    a.q = qtest_start(t, "-machine pc -m 32 -nodefaults -object ivshmem-broker,id=br,size=1M,vectors=2,path=%s"
                      " -device ivshmem-v2,broker=br,vectors=2", path);
    victim = qtest_start(t, "-machine pc -m 32 -nodefaults -chardev socket,id=c,path=%s -device ivshmem-v2,chardev=c,vectors=2",
                         path);
    a.bdf = (unsigned)qpci_find(a.q, 0x110a, 0x4106);
    qpci_map(a.q, a.bdf, 0, REGS);
    qpci_map(a.q, a.bdf, 1, MSIX);
    qpci_map(a.q, a.bdf, 2, SHARED);
    bell_arm(&a, 2);
    qtest_writel(a.q, REGS + 8, 1);                         /* Interrupt Control */
    bdf = qpci_find(victim, 0x110a, 0x4106);
    qpci_map(victim, (unsigned)bdf, 0, REGS);
    for (uint32_t state = 1; qtest_readl(a.q, MESSAGE(0)) == 0; state++) {
        qtest_writel(victim, REGS + 0x10, state);           /* State */
    }
    check_true(t, qtest_readl(a.q, SHARED + 4) != 0, "its state");
    qtest_writel(a.q, MESSAGE(0), 0);
    kill(qtest_pid(victim), SIGKILL);
    wait_for(&a, SHARED + 4, 0);
    wait_for(&a, MESSAGE(0), 0x100);
    check_int(t, qtest_wait(victim), -1, "killed");
    check_int(t, qtest_stop(a.q), 0, "ended");
}

#define MASTER  PC "-object ivshmem-broker,id=b,size=1M,vectors=2 -device ivshmem-doorbell,broker=b,vectors=2,master=on "

/* The one who takes the memory along arrives with what is in it and with the ring that waits behind a mask; whoever is plugged there
 * then sees it. */
TEST(ivshmem_life, the_master_takes_the_memory_along)
{
    g_autofree char *path = path_of(t, "m.sock"), *uri = g_strdup_printf("unix:%s", path);
    QTest *there = qtest_start_qmp(t, MASTER "-incoming %s", uri);
    Bell b = { .q = qtest_start_qmp(t, MASTER) };
    int second;

    b.bdf = (unsigned)find_and_map(t, b.q);
    qpci_map(b.q, b.bdf, 1, MSIX);
    bell_arm(&b, 2);
    qtest_writel(b.q, MSIX + 16 + 12, 1);
    while (!qtest_readl(b.q, PBA)) {
        qtest_writel(b.q, REGS + DOORBELL, 1);              /* itself, vector 1 */
    }
    qtest_writel(b.q, SHARED + 0x1234, 0xcafe1234);
    qtest_writel(b.q, SHARED + MEMORY - 4, 0x5a5a5a5a);
    migrate(t, b.q, uri);
    expect_status(t, b.q, "completed");
    wait_run_state(t, there, "running");
    b.q = there;
    check_u32(t, qtest_readl(there, SHARED + 0x1234), 0xcafe1234, "the memory");
    check_u32(t, qtest_readl(there, SHARED + MEMORY - 4), 0x5a5a5a5a, "to its end");
    check_u32(t, qtest_readl(there, PBA), 2, "the ring behind the mask");
    check_u32(t, qtest_readl(there, MESSAGE(1)), 0, "not told yet");
    qtest_writel(there, MSIX + 16 + 12, 0);
    check_u32(t, qtest_readl(there, MESSAGE(1)), 0x101, "told");
    run(t, there, "device_add", qdict_from_fmt("{'driver': 'ivshmem-doorbell', 'broker': 'b', 'vectors': 2, 'id': 'i'}"));
    second = map(there, 1);
    qpci_map(there, (unsigned)second, 0, REGS + 0x1000);
    qpci_map(there, (unsigned)second, 2, SHARED + MEMORY);
    check_u32(t, qtest_readl(there, SHARED + MEMORY + 0x1234), 0xcafe1234, "a peer who comes sees it");
    qtest_writel(there, MESSAGE(0), 0);
    while (!qtest_readl(there, MESSAGE(0))) {
        qtest_writel(there, REGS + 0x1000 + DOORBELL, 0);
    }
    check_int(t, qtest_stop(there), 0, "ended");
}

/* --- a server that is started again --- */

typedef struct Server {
    const char *path;
    int memory;
    IvshmemServer *server;
    Thread thread;
    _Atomic bool stop;
} Server;

static void *serve(void *opaque)
{
    Server *s = opaque;

    while (!atomic_load(&s->stop)) {
        struct pollfd p = { ivshmem_server_fd(s->server), POLLIN, 0 };

        poll(&p, 1, 20);
        ivshmem_server_run(s->server);
    }
    return NULL;
}

static void server_start(Server *s)
{
    IvshmemServerOptions o = { .socket = s->path, .memory = s->memory, .vectors = 1, .clients = 10 };
    char err[IVSHMEM_ERR_LEN];

    s->server = ivshmem_server_new(&o, err);
    if (!s->server) {
        g_error("%s", err);
    }
    s->stop = false;
    thread_create(&s->thread, "server", serve, s);
}

static void server_end(Server *s)
{
    atomic_store(&s->stop, true);
    thread_join(&s->thread);
    ivshmem_server_free(s->server);
}

TEST(ivshmem_life, a_server_comes_back)
{
    g_autofree char *path = g_strdup_printf("%s/server", test_tmpdir(t));
    char err[IVSHMEM_ERR_LEN];
    Server s = { .path = path };
    Ivshmem *peer;
    Bell b = { 0 };
    unsigned id;

    s.memory = ivshmem_memory_new(IVSHMEM_MEMORY_MEMFD, NULL, MEMORY, err);
    server_start(&s);
    peer = ivshmem_connect(path, err);
    b.q = qtest_start(t, "-machine pc -m 32 -nodefaults -chardev socket,id=c,path=%s,reconnect=1"
                      " -device ivshmem-doorbell,chardev=c", path);
    b.bdf = (unsigned)find_and_map(t, b.q);
    qpci_map(b.q, b.bdf, 1, MSIX);
    bell_arm(&b, 1);
    check_u32(t, qtest_readl(b.q, REGS + IVPOSITION), 1, "its first id");
    while (ivshmem_notify(peer, 1, 0) == -ENOENT) {
        ivshmem_wait(peer, -1, NULL);
    }
    wait_for(&b, MESSAGE(0), 0x100);
    qtest_writel(b.q, SHARED + 8, 77);
    ivshmem_close(peer);
    server_end(&s);
    /* The guest goes on with its memory, while nobody is there and after. */
    check_u32(t, qtest_readl(b.q, SHARED + 8), 77, "the memory stays");
    qtest_writel(b.q, MESSAGE(0), 0);
    server_start(&s);
    peer = ivshmem_connect(path, err);
    if (!check_true(t, peer, "the server is back")) {
        return;
    }
    /* The device may have been the first. */
    id = 1 - ivshmem_id(peer);
    while (ivshmem_notify(peer, id, 0) == -ENOENT) {
        ivshmem_wait(peer, -1, NULL);
    }
    wait_for(&b, MESSAGE(0), 0x100);
    check_u32(t, qtest_readl(b.q, REGS + IVPOSITION), id, "its new id");
    check_mem(t, (uint8_t *)ivshmem_memory(peer, NULL) + 8, "\x4d\0\0\0", 4, "the same memory");
    do {
        qtest_writel(b.q, REGS + DOORBELL, ivshmem_id(peer) << 16);
    } while (ivshmem_wait(peer, 10, NULL) == 0);
    check_int(t, qtest_stop(b.q), 0, "ended");
    ivshmem_close(peer);
    server_end(&s);
    close(s.memory);
}
