/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of ivshmem share: the device's places, and the server's end of its connection. */
#ifndef TESTS_HW_MISC_IVSHMEM_FIXTURE_H
#define TESTS_HW_MISC_IVSHMEM_FIXTURE_H

#include "util/osdep.h"
#include "tests/lib/qtest.h"

#include <glib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "qobject/qobject.h"
#include "tests/lib/ivshmem-peer.h"

#define MEMORY  (UINT64_C(1) << 20)
#define REGS    0xfe000000u
#define MSIX    0xfe010000u
#define SHARED  0xe0000000u
enum { INTRMASK = 0, INTRSTATUS = 4, IVPOSITION = 8, DOORBELL = 12 };
enum { PBA = MSIX + 0x800 };
/* Where messages of vector n land. */
#define MESSAGE(n)  (0x10000u + 4 * (n))

static inline int map(QTest *q, unsigned n)
{
    int bdf = qpci_find(q, 0x1af4, 0x1110);

    while (bdf >= 0 && n--) {
        bdf++;
        while (bdf < 256 && qpci_readl(q, (unsigned)bdf, 0) != 0x11101af4) {
            bdf++;
        }
    }
    return bdf;
}

static inline int find_and_map(Test *t, QTest *q)
{
    int bdf = map(q, 0);

    if (check_true(t, bdf >= 0, "1af4:1110")) {
        qpci_map(q, (unsigned)bdf, 0, REGS);
        qpci_map(q, (unsigned)bdf, 2, SHARED);
    }
    return bdf;
}

static inline void refuse(Test *t, QTest *q, QDict *args, const char *part)
{
    Error *err = NULL;
    bool ok = qmp_cmd_ok(qtest_qmp(q), "device_add", args, &err);

    check_true(t, !ok && strstr(error_message(err), part), ok ? part : error_message(err));
    error_free(err);
}

/* --- a doorbell device and the server's end of its connection --- */

typedef struct Bell {
    QTest *q;
    int sock, client, memory, own[3];
    unsigned bdf;
} Bell;

static inline void bell_hello(Bell *b, uint16_t id, int memory, unsigned vectors)
{
    ivshmem_pair(&b->sock, &b->client);
    b->memory = ivshmem_hello(b->sock, id, memory, MEMORY);
    for (unsigned i = 0; i < vectors; i++) {
        b->own[i] = ivshmem_vector(b->sock, id);
    }
}

static inline void bell_start(Test *t, Bell *b, const char *options)
{
    b->q = qtest_start_qmp(t, "-machine pc -m 32 -nodefaults -chardev socket,id=c,fd=%d,server=off"
                           " -device ivshmem-doorbell,chardev=c,id=dut%s", b->client, options);
    close(b->client);
    b->bdf = (unsigned)find_and_map(t, b->q);
    if (qpci_bar_size(b->q, b->bdf, 1)) {
        qpci_map(b->q, b->bdf, 1, MSIX);
    }
}

/* Vectors 0 to @n - 1 write 0x100 and up into memory. */
static inline void bell_arm(Bell *b, unsigned n)
{
    uint8_t at = qpci_readb(b->q, b->bdf, 0x34);

    while (at && qpci_readb(b->q, b->bdf, at) != 0x11) {
        at = qpci_readb(b->q, b->bdf, at + 1u);
    }
    for (unsigned i = 0; i < n; i++) {
        qtest_writel(b->q, MSIX + 16 * i, MESSAGE(i));
        qtest_writel(b->q, MSIX + 16 * i + 4, 0);
        qtest_writel(b->q, MSIX + 16 * i + 8, 0x100 + i);
        qtest_writel(b->q, MSIX + 16 * i + 12, 0);
    }
    qpci_writew(b->q, b->bdf, at + 2u, 0x8000);
}

/* Until the emulator's main loop has seen it; the harness knows how long that may take. */
static inline void wait_for(Bell *b, uint64_t addr, uint32_t value)
{
    uint32_t v;

    do {
        v = qtest_readl(b->q, addr);
    } while (v != value && v != UINT32_MAX);
}

static inline uint64_t rings(int fd, int wait_ms)
{
    struct pollfd p = { fd, POLLIN, 0 };
    eventfd_t n = 0;

    if (poll(&p, 1, wait_ms) > 0) {
        eventfd_read(fd, &n);
    }
    return n;
}

#endif
