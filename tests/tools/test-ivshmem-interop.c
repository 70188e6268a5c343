/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server with three clients: our device, a program of the host, and the distribution's emulator where it
 * is installed. Each writes to the memory and rings each other one.
 */
#include "util/osdep.h"
#include "libivshmem/ivshmem.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER   "/usr/bin/qemu-system-x86_64"
#define MEMORY  (UINT64_C(1) << 20)
#define REGS    0xfe000000u
#define MSIX    0xfe010000u
#define SHARED  0xe0000000u
#define MESSAGE(n)  (0x10000u + 4 * (n))

typedef struct World {
    pid_t server;
    char *path;
} World;

static void world_end(void *opaque)
{
    World *w = opaque;

    kill(w->server, SIGTERM);
    waitpid(w->server, NULL, 0);
    g_free(w->path);
    g_free(w);
}

static World *world_new(Test *t)
{
    const char *build = g_getenv("BUILD_DIR");
    g_autofree char *program = g_strdup_printf("%s/ivshmem-server", build ? build : ".");
    World *w = g_new0(World, 1);

    w->path = g_strdup_printf("%s/s", test_tmpdir(t));
    w->server = fork();
    if (w->server == 0) {
        execl(program, program, "-F", "-a", "-S", w->path, "-l", "1M", "-n", "2", NULL);
        _exit(127);
    }
    test_at_end(t, world_end, w);
    while (!test_has_server(w->path) && waitpid(w->server, NULL, WNOHANG) == 0) {
        g_usleep(10000);
    }
    return w;
}

typedef struct Guest {
    QTest *q;
    unsigned id;
} Guest;

/* A machine with the device, its vectors armed. */
static Guest guest_new(Test *t, World *w, const char *options)
{
    Guest g = { .q = qtest_start(t, "-machine pc -m 32 -nodefaults -chardev socket,id=c,path=%s"
                                 " -device ivshmem-doorbell,chardev=c,vectors=2 %s", w->path, options) };
    int bdf = qpci_find(g.q, 0x1af4, 0x1110);
    uint8_t at;

    if (!check_true(t, bdf >= 0, "1af4:1110")) {
        return g;
    }
    qpci_map(g.q, (unsigned)bdf, 0, REGS);
    qpci_map(g.q, (unsigned)bdf, 1, MSIX);
    qpci_map(g.q, (unsigned)bdf, 2, SHARED);
    g.id = qtest_readl(g.q, REGS + 8);
    at = qpci_readb(g.q, (unsigned)bdf, 0x34);
    while (at && qpci_readb(g.q, (unsigned)bdf, at) != 0x11) {
        at = qpci_readb(g.q, (unsigned)bdf, at + 1u);
    }
    for (unsigned i = 0; i < 2; i++) {
        qtest_writel(g.q, MSIX + 16 * i, MESSAGE(i));
        qtest_writel(g.q, MSIX + 16 * i + 4, 0);
        qtest_writel(g.q, MSIX + 16 * i + 8, 0x100 + i);
        qtest_writel(g.q, MSIX + 16 * i + 12, 0);
    }
    qpci_writew(g.q, (unsigned)bdf, at + 2u, 0x8000);
    return g;
}

/* Rings until it is heard: the other side may still be reading who is there. */
static void guest_rings_guest(Test *t, const Guest *a, const Guest *b, unsigned vector)
{
    uint32_t v;

    qtest_writel(b->q, MESSAGE(vector), 0);
    qtest_writel(a->q, SHARED + 64, 0xabc00000 + a->id);
    do {
        qtest_writel(a->q, REGS + 12, b->id << 16 | vector);
        v = qtest_readl(b->q, MESSAGE(vector));
    } while (v == 0);
    check_u32(t, v, 0x100 + vector, "the message of that vector");
    check_u32(t, qtest_readl(b->q, SHARED + 64), 0xabc00000 + a->id, "the memory");
}

static void host_rings_guest(Test *t, Ivshmem *host, const Guest *g)
{
    uint32_t v;

    *(volatile uint32_t *)((uint8_t *)ivshmem_memory(host, NULL) + 8) = 77;
    while (ivshmem_notify(host, g->id, 1) == -ENOENT) {
        ivshmem_wait(host, 100, NULL);
    }
    do {
        v = qtest_readl(g->q, MESSAGE(1));
    } while (v == 0);
    check_u32(t, v, 0x101, "the host rings a guest");
    check_u32(t, qtest_readl(g->q, SHARED + 8), 77, "the memory");
}

static void guest_rings_host(Test *t, const Guest *g, Ivshmem *host)
{
    uint32_t vectors = 0;

    while (!vectors) {
        qtest_writel(g->q, REGS + 12, ivshmem_id(host) << 16 | 1);
        ivshmem_wait(host, 10, &vectors);
    }
    check_u32(t, vectors, 2, "a guest rings the host");
    while (ivshmem_wait(host, 0, &vectors) > 0) {
    }
}

static void all_with_all(Test *t, World *w, Guest *g, unsigned n)
{
    char err[IVSHMEM_ERR_LEN];
    Ivshmem *host = ivshmem_connect(w->path, err);

    if (!check_true(t, host, "the host's program connects")) {
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        host_rings_guest(t, host, &g[i]);
        guest_rings_host(t, &g[i], host);
        for (unsigned k = 0; k < n; k++) {
            if (k != i) {
                guest_rings_guest(t, &g[i], &g[k], 0);
                guest_rings_guest(t, &g[i], &g[k], 1);
            }
        }
    }
    ivshmem_close(host);
}

TEST(ivshmem_interop, our_devices)
{
    World *w = world_new(t);
    Guest g[2] = { guest_new(t, w, ""), guest_new(t, w, "") };

    check_u32(t, g[1].id, 1, "the second id");
    all_with_all(t, w, g, 2);
}

TEST(ivshmem_interop, the_distributions_device)
{
    g_autofree char *ours = g_strdup(g_getenv("QEMU_BIN"));
    World *w;
    Guest g[3];

    if (access(OTHER, X_OK) < 0) {
        test_skip(t, "package qemu-system-x86 isn't installed");
        return;
    }
    w = world_new(t);
    g[0] = guest_new(t, w, "");
    g_setenv("QEMU_BIN", OTHER, true);
    /* It has no accelerator for tests: its CPU doesn't run. */
    g[1] = guest_new(t, w, "-accel tcg -S");
    g_setenv("QEMU_BIN", ours ? ours : "", true);
    g[2] = guest_new(t, w, "");
    all_with_all(t, w, g, 3);
}
