/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ivshmem-plain and ivshmem-doorbell: registers, memory, doorbells, and servers that break the protocol. */
#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/hw/misc/ivshmem-fixture.h"

TEST(ivshmem_plain, memory_of_a_file)
{
    g_autofree char *path = g_strdup_printf("%s/mem", test_tmpdir(t)), *text = NULL;
    QTest *q = qtest_start(t, "-machine pc -m 32 -nodefaults"
                           " -object memory-backend-file,id=a,size=1M,share=on,mem-path=%s"
                           " -object memory-backend-file,id=b,size=1M,share=on,mem-path=%s"
                           " -device ivshmem-plain,memdev=a,master=on -device ivshmem-plain,memdev=b",
                           path, path);
    int one = find_and_map(t, q), two = map(q, 1);
    gsize len;

    check_u8(t, qpci_readb(q, (unsigned)one, 8), 1, "revision 1");
    check_u32(t, qpci_readl(q, (unsigned)one, 8) >> 8, 0x050000, "a RAM controller");
    check_u8(t, qpci_readb(q, (unsigned)one, 0x3d), 0, "no interrupt");
    check_u64(t, qpci_bar_size(q, (unsigned)one, 0), 256, "BAR 0: 256 bytes of registers");
    check_u64(t, qpci_bar_size(q, (unsigned)one, 1), 0, "no BAR 1 without doorbells");
    check_u64(t, qpci_bar_size(q, (unsigned)one, 2), MEMORY, "BAR 2: the memory");
    check_u8(t, qpci_readb(q, (unsigned)one, 0x18) & 15, 12, "64 bits, prefetchable");
    check_u32(t, qtest_readl(q, REGS + IVPOSITION), 0, "not configured for interrupts");
    qtest_writel(q, REGS + DOORBELL, UINT32_MAX);
    qpci_map(q, (unsigned)two, 2, SHARED + MEMORY);
    qtest_writel(q, SHARED + 0x1234, 0xcafe1234);
    check_u32(t, qtest_readl(q, SHARED + MEMORY + 0x1234), 0xcafe1234, "the other device sees it");
    qtest_writeb(q, SHARED + MEMORY + 0xfffff, 0x55);
    qtest_reload(q);
    check_u8(t, qtest_readb(q, SHARED + 0xfffff), 0x55, "and the other way");
    check_int(t, qtest_stop(q), 0, "ended");
    check_true(t, g_file_get_contents(path, &text, &len, NULL) && len == MEMORY, "the file");
    check_mem(t, text + 0x1234, "\x34\x12\xfe\xca", 4, "has the bytes");
}

TEST(ivshmem_plain, mistakes_and_plugging)
{
    QTest *q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults"
                               " -object memory-backend-memfd,id=m,size=3M,share=on");
    Error *err = NULL;

    refuse(t, q, qdict_from_fmt("{'driver': 'ivshmem-plain'}"), "memdev");
    refuse(t, q, qdict_from_fmt("{'driver': 'ivshmem-plain', 'memdev': 'none'}"), "none");
    refuse(t, q, qdict_from_fmt("{'driver': 'ivshmem-doorbell'}"), "chardev");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_add",
                             qdict_from_fmt("{'driver': 'ivshmem-plain', 'memdev': 'm', 'id': 'i'}"), &err),
               err ? error_message(err) : "plugged");
    refuse(t, q, qdict_from_fmt("{'driver': 'ivshmem-plain', 'memdev': 'm'}"), "in use");
    check_true(t, !qmp_cmd_ok(qtest_qmp(q), "object-del", qdict_from_fmt("{'id': 'm'}"), NULL), "in use");
    find_and_map(t, q);
    check_u64(t, qpci_bar_size(q, (unsigned)map(q, 0), 2), 4 * MEMORY, "rounded up to a power of two");
    qtest_writel(q, SHARED + 3 * MEMORY - 4, 1);
    check_u32(t, qtest_readl(q, SHARED + 3 * MEMORY - 4), 1, "the last word");
    check_u32(t, qtest_readl(q, SHARED + 3 * MEMORY), UINT32_MAX, "nothing behind it");
    /* The guest lets go of its slot: ACPI's eject register. */
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "device_del", qdict_from_fmt("{'id': 'i'}"), NULL), "asked for");
    qtest_outl(q, 0xae10, 0);
    qtest_outl(q, 0xae08, 1u << (map(q, 0) >> 3));
    qobject_unref(qmp_wait_event(qtest_qmp(q), "DEVICE_DELETED", 10000, &err));
    check_true(t, !err, "unplugged");
    check_true(t, qmp_cmd_ok(qtest_qmp(q), "object-del", qdict_from_fmt("{'id': 'm'}"), NULL), "free again");
}

TEST(ivshmem_doorbell, rings_peers)
{
    Bell b;
    int first, second, again;

    bell_hello(&b, 7, -1, 1);
    first = ivshmem_vector(b.sock, 65535);
    second = ivshmem_vector(b.sock, 65535);
    ivshmem_vector(b.sock, 65535);              /* more than the device is configured for */
    bell_start(t, &b, ",vectors=2");
    check_u32(t, qtest_readl(b.q, REGS + IVPOSITION), 7, "the id that the server gave");
    check_u64(t, qpci_bar_size(b.q, b.bdf, 1), 4096, "BAR 1: MSI-X");
    check_u64(t, qpci_bar_size(b.q, b.bdf, 2), MEMORY, "BAR 2: the server's memory");
    /* Messages are taken in order: what follows the own vector's first ring is known. */
    bell_arm(&b, 2);
    eventfd_write(b.own[0], 1);
    wait_for(&b, MESSAGE(0), 0x100);
    while (!rings(second, 10)) {
        qtest_writel(b.q, REGS + DOORBELL, 65535u << 16 | 1);
    }
    qtest_writel(b.q, REGS + DOORBELL, 65535u << 16);
    check_u64(t, rings(first, -1), 1, "vector 0");
    check_u64(t, rings(second, 0), 0, "no other vector");
    qtest_writel(b.q, REGS + DOORBELL, 65535u << 16 | 2);
    qtest_writel(b.q, REGS + DOORBELL, 65535u << 16 | 65535);
    qtest_writel(b.q, REGS + DOORBELL, 3u << 16);
    qtest_writew(b.q, REGS + DOORBELL, 1);
    check_u32(t, qtest_readl(b.q, REGS + DOORBELL), 0, "write-only");
    /* It leaves, and another comes with its id. */
    ivshmem_say(b.sock, 65535, -1);
    ivshmem_say(b.sock, 9, -1);                 /* whom nobody knows */
    again = ivshmem_vector(b.sock, 65535);
    while (!rings(again, 10)) {
        qtest_writel(b.q, REGS + DOORBELL, 65535u << 16);
    }
    rings(first, 0);
    qtest_writel(b.q, REGS + DOORBELL, 65535u << 16);
    check_u64(t, rings(again, -1), 1, "the new one is rung");
    check_u64(t, rings(first, 0), 0, "and not the old one");
    check_int(t, qtest_stop(b.q), 0, "ended");
}

TEST(ivshmem_doorbell, is_rung)
{
    Bell b;
    uint32_t *memory;

    bell_hello(&b, 0, -1, 2);
    bell_start(t, &b, ",vectors=3,ioeventfd=off");
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, b.memory, 0);
    qtest_writel(b.q, SHARED + 8, 0x12345678);
    check_u32(t, memory[2], 0x12345678, "the server's memory");
    munmap(memory, MEMORY);
    bell_arm(&b, 3);
    eventfd_write(b.own[1], 1);
    wait_for(&b, MESSAGE(1), 0x101);
    check_u32(t, qtest_readl(b.q, MESSAGE(0)), 0, "no other vector");
    /* Masked: it waits in the pending bits, over a save and load too. */
    qtest_writel(b.q, MSIX + 12, 1);
    qtest_writel(b.q, MESSAGE(0), 0);
    eventfd_write(b.own[0], 1);
    wait_for(&b, PBA, 1);
    eventfd_write(b.own[0], 5);
    qtest_writel(b.q, MESSAGE(1), 0);
    eventfd_write(b.own[1], 1);
    wait_for(&b, MESSAGE(1), 0x101);
    qtest_reload(b.q);
    check_u32(t, qtest_readl(b.q, PBA), 1, "still pending");
    check_u32(t, qtest_readl(b.q, MESSAGE(0)), 0, "not sent behind the mask");
    qtest_writel(b.q, MSIX + 12, 0);
    check_u32(t, qtest_readl(b.q, MESSAGE(0)), 0x100, "sent when the mask goes");
    check_u32(t, qtest_readl(b.q, PBA), 0, "and no longer pending");
    /* What is rung while the VM stands is told when it goes on. */
    check_true(t, qmp_cmd_ok(qtest_qmp(b.q), "stop", NULL, NULL), "stopped");
    qtest_writel(b.q, MESSAGE(0), 0);
    eventfd_write(b.own[0], 1);
    check_true(t, qmp_cmd_ok(qtest_qmp(b.q), "cont", NULL, NULL), "continued");
    wait_for(&b, MESSAGE(0), 0x100);
    /* Itself. */
    qtest_writel(b.q, MESSAGE(1), 0);
    qtest_writel(b.q, REGS + DOORBELL, 1);
    wait_for(&b, MESSAGE(1), 0x101);
    check_int(t, qtest_stop(b.q), 0, "ended");
}

TEST(ivshmem_doorbell, without_vectors)
{
    Bell b;

    bell_hello(&b, 1, -1, 1);
    bell_start(t, &b, ",vectors=0");
    check_u8(t, qpci_readb(b.q, b.bdf, 0x3d), 1, "INTA#");
    check_u64(t, qpci_bar_size(b.q, b.bdf, 1), 0, "no MSI-X");
    qtest_writel(b.q, REGS + INTRMASK, 1);
    eventfd_write(b.own[0], 1);
    while (!(qpci_readw(b.q, b.bdf, 6) & 8)) {
    }
    qtest_reload(b.q);
    check_u32(t, qpci_readw(b.q, b.bdf, 6) & 8, 8, "still asserted");
    qtest_writel(b.q, REGS + INTRMASK, 0);
    check_u32(t, qpci_readw(b.q, b.bdf, 6) & 8, 0, "masked");
    qtest_writel(b.q, REGS + INTRMASK, 0xffffffff);
    check_u32(t, qpci_readw(b.q, b.bdf, 6) & 8, 8, "unmasked");
    check_u32(t, qtest_readl(b.q, REGS + INTRSTATUS), 1, "a peer rang");
    check_u32(t, qtest_readl(b.q, REGS + INTRSTATUS), 0, "reading clears it");
    check_u32(t, qpci_readw(b.q, b.bdf, 6) & 8, 0, "and the line");
}

/* Two guests and what a server does between them. */
TEST(ivshmem_doorbell, two_emulators)
{
    Bell a, b;

    bell_hello(&a, 0, -1, 1);
    bell_start(t, &a, "");
    bell_hello(&b, 1, a.memory, 0);
    ivshmem_say(b.sock, 0, a.own[0]);
    b.own[0] = ivshmem_vector(b.sock, 1);
    ivshmem_say(a.sock, 1, b.own[0]);
    bell_start(t, &b, "");
    bell_arm(&a, 1);
    bell_arm(&b, 1);
    for (uint32_t i = 1; i < 20; i++) {
        qtest_writel(a.q, SHARED, i);
        qtest_writel(b.q, MESSAGE(0), 0);
        while (qtest_readl(b.q, MESSAGE(0)) == 0) {
            qtest_writel(a.q, REGS + DOORBELL, 1u << 16);
        }
        check_u32(t, qtest_readl(b.q, SHARED), i, "the other guest's memory");
        qtest_writel(b.q, SHARED + 4, i);
        qtest_writel(a.q, MESSAGE(0), 0);
        while (qtest_readl(a.q, MESSAGE(0)) == 0) {
            qtest_writel(b.q, REGS + DOORBELL, 0u << 16);
        }
        check_u32(t, qtest_readl(a.q, SHARED + 4), i, "and back");
    }
}

/* A broker serves two devices of its emulator and one of another. */
TEST(ivshmem_broker, three_devices)
{
    g_autofree char *path = g_strdup_printf("%s/broker", test_tmpdir(t));
    Bell a, b;
    int bdf[2];

    a.q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -object ivshmem-broker,id=br,size=1M,vectors=2,path=%s"
                          " -device ivshmem-doorbell,broker=br,vectors=2"
                          " -device ivshmem-doorbell,broker=br,vectors=2,id=second", path);
    b.q = qtest_start(t, "-machine pc -m 32 -nodefaults -chardev socket,id=c,path=%s"
                      " -device ivshmem-doorbell,chardev=c", path);
    refuse(t, a.q, qdict_from_fmt("{'driver': 'ivshmem-doorbell'}"), "broker");
    bdf[0] = map(a.q, 0);
    bdf[1] = map(a.q, 1);
    qpci_map(a.q, (unsigned)bdf[1], 0, REGS + 0x1000);
    qpci_map(a.q, (unsigned)bdf[1], 2, SHARED + MEMORY);
    a.bdf = (unsigned)find_and_map(t, a.q);
    qpci_map(a.q, a.bdf, 1, MSIX);
    bell_arm(&a, 2);
    b.bdf = (unsigned)find_and_map(t, b.q);
    qpci_map(b.q, b.bdf, 1, MSIX);
    bell_arm(&b, 1);
    check_u32(t, qtest_readl(a.q, REGS + 0x1000 + IVPOSITION), 1, "the second device");
    check_u32(t, qtest_readl(b.q, REGS + IVPOSITION), 2, "the other emulator's");
    qtest_writel(a.q, SHARED + MEMORY + 16, 99);
    check_u32(t, qtest_readl(b.q, SHARED + 16), 99, "one memory");
    do {
        qtest_writel(a.q, REGS + 0x1000 + DOORBELL, 1);
    } while (!qtest_readl(a.q, MESSAGE(1)));
    while (!qtest_readl(b.q, MESSAGE(0))) {
        qtest_writel(a.q, REGS + DOORBELL, 2u << 16);
    }
    qtest_writel(a.q, MESSAGE(0), 0);
    while (!qtest_readl(a.q, MESSAGE(0))) {
        qtest_writel(b.q, REGS + DOORBELL, 0);
    }
    check_int(t, qtest_stop(b.q), 0, "ended");
    check_int(t, qtest_stop(a.q), 0, "ended");
    check_true(t, access(path, F_OK) < 0, "its socket goes with it");
}

/* --- version 2: Jailhouse's specification ("V2") --- */

enum { V2_ID = 0, V2_MAX_PEERS = 4, V2_INT_CONTROL = 8, V2_STATE = 0x10 };

static void v2_map(Test *t, Bell *b)
{
    int bdf = qpci_find(b->q, 0x110a, 0x4106);

    if (check_true(t, bdf >= 0, "110a:4106")) {
        b->bdf = (unsigned)bdf;
        qpci_map(b->q, b->bdf, 0, REGS);
        qpci_map(b->q, b->bdf, 1, MSIX);
        qpci_map(b->q, b->bdf, 2, SHARED);
        bell_arm(b, 2);
    }
}

TEST(ivshmem_v2, sections_states_and_doorbells)
{
    enum { OUTPUT = 0x10000, TABLE = 0x1000, COMMON = (int)MEMORY - 3 * OUTPUT - TABLE };
    const uint64_t out0 = SHARED + TABLE + COMMON, out1 = out0 + OUTPUT;
    g_autofree char *path = g_strdup_printf("%s/broker", test_tmpdir(t));
    const char *options = "vectors=2,max-peers=3,output-size=64K,protocol=0x4001";
    Bell a, b;
    uint8_t cap;

    a.q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -object ivshmem-broker,id=br,size=1M,vectors=2,path=%s"
                          " -device ivshmem-v2,broker=br,%s", path, options);
    b.q = qtest_start(t, "-machine pc -m 32 -nodefaults -chardev socket,id=c,path=%s"
                      " -device ivshmem-v2,chardev=c,%s", path, options);
    v2_map(t, &a);
    v2_map(t, &b);              /* now it is known to be there */
    refuse(t, a.q, qdict_from_fmt("{'driver': 'ivshmem-v2', 'broker': 'br', 'max-peers': 2}"), "id 2");
    refuse(t, a.q, qdict_from_fmt("{'driver': 'ivshmem-v2', 'broker': 'br', 'max-peers': 3, 'output-size': 100}"),
           "output-size");
    refuse(t, a.q, qdict_from_fmt("{'driver': 'ivshmem-v2', 'broker': 'br', 'max-peers': 3, 'output-size': 524288}"),
           "at least");
    check_u32(t, qpci_readl(a.q, a.bdf, 8), 0xff400100, "class, protocol, revision");
    check_u64(t, qpci_bar_size(a.q, a.bdf, 0), 4096, "a page of registers");
    for (cap = qpci_readb(a.q, a.bdf, 0x34); cap && qpci_readb(a.q, a.bdf, cap) != 9;) {
        cap = qpci_readb(a.q, a.bdf, cap + 1u);
    }
    check_u8(t, qpci_readb(a.q, a.bdf, cap + 2u), 0x18, "length of the capability");
    check_u32(t, qpci_readl(a.q, a.bdf, cap + 4u), TABLE, "state table");
    check_u32(t, qpci_readl(a.q, a.bdf, cap + 8u), COMMON, "read/write section");
    check_u32(t, qpci_readl(a.q, a.bdf, cap + 16u), OUTPUT, "output sections");
    check_u32(t, qtest_readl(b.q, REGS + V2_ID), 1, "ID");
    check_u32(t, qtest_readl(b.q, REGS + V2_MAX_PEERS), 3, "Maximum Peers");
    qtest_writel(b.q, REGS + V2_ID, 7);
    check_u32(t, qtest_readl(b.q, REGS + V2_ID), 1, "is read-only");
    /* Who may write where. */
    qtest_writel(a.q, SHARED + TABLE, 11);
    check_u32(t, qtest_readl(b.q, SHARED + TABLE), 11, "the common section");
    qtest_writel(a.q, SHARED, 12);
    check_u32(t, qtest_readl(b.q, SHARED), 0, "the table is read-only");
    qtest_writel(a.q, out0, 13);
    check_u32(t, qtest_readl(b.q, out0), 13, "its output");
    qtest_writel(b.q, out0, 14);
    check_u32(t, qtest_readl(a.q, out0), 13, "is nobody else's");
    qtest_writel(b.q, out1 + OUTPUT - 4, 15);
    check_u32(t, qtest_readl(a.q, out1 + OUTPUT - 4), 15, "the other's output, to its end");
    /* States; the table is looked at, the interrupt says when. */
    qtest_writel(a.q, REGS + V2_INT_CONTROL, 0xffffffff);
    check_u32(t, qtest_readl(a.q, REGS + V2_INT_CONTROL), 1, "reserved bits");
    for (uint32_t state = 1; qtest_readl(a.q, MESSAGE(0)) == 0; state++) {
        qtest_writel(b.q, REGS + V2_STATE, state);      /* until b has heard who is there */
        check_u32(t, qtest_readl(a.q, SHARED + 4), state, "b's state");
    }
    qtest_writel(b.q, REGS + V2_STATE, 0x5a5a);
    qtest_reload(b.q);
    check_u32(t, qtest_readl(b.q, REGS + V2_STATE), 0x5a5a, "saved");
    check_u32(t, qtest_readl(a.q, SHARED + 4), 0x5a5a, "and told again");
    /* A doorbell, one-shot: the second ring is not delivered. */
    qpci_writeb(a.q, a.bdf, cap + 3u, 0xff);
    check_u8(t, qpci_readb(a.q, a.bdf, cap + 3u), 1, "Privileged Control");
    qtest_writel(a.q, MESSAGE(1), 0);
    qtest_writel(a.q, REGS + V2_INT_CONTROL, 1);
    do {
        qtest_writel(b.q, REGS + DOORBELL, 1);
    } while (qtest_readl(a.q, REGS + V2_INT_CONTROL));
    qpci_writeb(a.q, a.bdf, cap + 3u, 0);
    /* It ends: its state is zero, and the others are told. */
    qtest_writel(a.q, MESSAGE(0), 0);
    qtest_writel(a.q, REGS + V2_INT_CONTROL, 1);
    check_int(t, qtest_stop(b.q), 0, "ended");
    wait_for(&a, SHARED + 4, 0);
    wait_for(&a, MESSAGE(0), 0x100);
    qtest_writel(a.q, REGS + V2_STATE, 3);
    check_int(t, qtest_stop(a.q), 0, "ended");
}

/* --- servers that break the protocol --- */

typedef struct Said {
    int64_t number;
    enum { NO_FD, MEMORY_FD, EMPTY_FD, EVENT_FD, SOCKET_FD } fd;
} Said;
static const struct { const char *what; Said said[4]; unsigned n; unsigned tail; } lies[] = {
    { "version", { { 1, NO_FD } }, 1, 0 },
    { "version", { { 0, EVENT_FD } }, 1, 0 },
    { "an id", { { 0, NO_FD }, { 65536, NO_FD } }, 2, 0 },
    { "an id", { { 0, NO_FD }, { -1, NO_FD } }, 2, 0 },
    { "instead of the shared memory", { { 0, NO_FD }, { 0, NO_FD }, { -1, NO_FD } }, 3, 0 },
    { "instead of the shared memory", { { 0, NO_FD }, { 0, NO_FD }, { 5, EVENT_FD } }, 3, 0 },
    { "without a size", { { 0, NO_FD }, { 0, NO_FD }, { -1, EMPTY_FD } }, 3, 0 },
    { "without a size", { { 0, NO_FD }, { 0, NO_FD }, { -1, EVENT_FD } }, 3, 0 },
    { "is gone", { { 0, NO_FD } }, 1, 3 },
    { "is gone", { { 0, NO_FD } }, 0, 0 },
};

static int lie_fd(const Said *s)
{
    int fd = -1, other;

    if (s->fd == MEMORY_FD || s->fd == EMPTY_FD) {
        fd = memfd_create("x", MFD_CLOEXEC);
        if (s->fd == MEMORY_FD && ftruncate(fd, 4096) < 0) {
            abort();
        }
    } else if (s->fd == EVENT_FD) {
        fd = eventfd(0, EFD_CLOEXEC);
    } else if (s->fd == SOCKET_FD) {
        ivshmem_pair(&fd, &other);
        close(other);
    }
    return fd;
}

static void say(int sock, const Said *s)
{
    int fd = lie_fd(s);

    ivshmem_say(sock, s->number, fd);
    if (fd >= 0) {
        close(fd);
    }
}

TEST(ivshmem_hostile, servers_that_lie)
{
    GString *args = g_string_new("-machine pc -m 32 -nodefaults");
    int client[ARRAY_SIZE(lies)];
    QTest *q;

    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        int sock;

        ivshmem_pair(&sock, &client[i]);
        for (unsigned n = 0; n < lies[i].n; n++) {
            say(sock, &lies[i].said[n]);
        }
        check_int(t, send(sock, "abc", lies[i].tail, 0), lies[i].tail, "half a message");
        shutdown(sock, SHUT_WR);
        g_string_append_printf(args, " -chardev socket,id=c%zu,server=off,fd=%d", i, client[i]);
    }
    q = qtest_start_qmp(t, "%s", args->str);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        g_autofree char *id = g_strdup_printf("c%zu", i);

        close(client[i]);
        refuse(t, q, qdict_from_fmt("{'driver': 'ivshmem-doorbell', 'chardev': %s, 'vectors': 2}", id),
               lies[i].what);
    }
    check_int(t, qtest_stop(q), 0, "ended");
    g_string_free(args, TRUE);
}

/* After a good start. The device stays, the server is hung up on. */
static const Said later[] = {
    { -1, MEMORY_FD }, { 65536, NO_FD }, { INT64_MIN, EVENT_FD }, { 4, MEMORY_FD }, { 4, SOCKET_FD }, { 3, NO_FD },
};

TEST(ivshmem_hostile, servers_that_lie_later)
{
    for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
        Bell b;
        char c;

        bell_hello(&b, 3, -1, 1);
        bell_start(t, &b, "");
        say(b.sock, &later[i]);
        check_int(t, recv(b.sock, &c, 1, 0), 0, "it hangs up");
        bell_arm(&b, 1);
        eventfd_write(b.own[0], 1);
        wait_for(&b, MESSAGE(0), 0x100);
        check_int(t, qtest_stop(b.q), 0, "ended");
        close(b.sock);
    }
}

/* --- migration --- */

static void migrate(Test *t, Bell *b, const char *refusal)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(qtest_qmp(b->q), "migrate", qdict_from_fmt("{'uri': 'exec:cat > /dev/null'}"), &err);

    if (refusal) {
        check_true(t, !ok && strstr(error_message(err), refusal), ok ? "not refused" : error_message(err));
    } else {
        check_true(t, ok, ok ? "begun" : error_message(err));
    }
    error_free(err);
}

TEST(ivshmem_migration, only_a_master_can)
{
    static const struct { uint16_t id; const char *options, *refusal; } cases[] = {
        { 0, "", "peer of the shared memory" },
        { 0, ",master=off", "peer of the shared memory" },
        { 5, ",master=on", NULL },
        { 0, ",master=auto", NULL },
        { 5, ",master=auto", "peer of the shared memory" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Bell b;

        bell_hello(&b, cases[i].id, -1, 1);
        bell_start(t, &b, cases[i].options);
        migrate(t, &b, cases[i].refusal);
        check_int(t, qtest_stop(b.q), 0, "ended");
        close(b.sock);
    }
}
