/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-ivshmem SOCKET SECONDS: the host's part of the benchmark. It is peer 0; two guests (ivshmem-guest.c) come as 1 and 2. Rows
 * "NAME NUMBER", larger is better.
 */
#include "util/osdep.h"
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include "libivshmem/ivshmem.h"

enum { NOTHING, PING_GUEST, PING_HOST, STREAM };
#define RING    4096
/* Words of what is counted, see ivshmem-guest.c. */
#define ROUNDS  32
#define BYTES   33

static volatile uint32_t *mem;
static Ivshmem *iv;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ring(unsigned peer)
{
    while (ivshmem_notify(iv, peer, 0) == -ENOENT) {
        ivshmem_wait(iv, 10, NULL);
    }
}

static void stop(void)
{
    mem[0] = NOTHING;
    for (int i = 0; i < 20; i++) {
        ring(1);
        ring(2);
        poll(NULL, 0, 5);
    }
}

static void guest_to_guest(double seconds)
{
    double begin;
    uint32_t before;

    mem[0] = PING_GUEST;
    ring(1);
    poll(NULL, 0, 300);
    before = mem[ROUNDS];
    begin = now();
    poll(NULL, 0, (int)(seconds * 1000));
    printf("doorbell-guest-guest-round-trips/s %.0f\n", (mem[ROUNDS] - before) / (now() - begin));
    fflush(stdout);
    stop();
}

static void guest_to_host(double seconds)
{
    double begin = now(), end = begin + seconds;
    uint32_t vectors, n = 0;

    while (ivshmem_wait(iv, 0, &vectors) > 0) {
    }
    mem[0] = PING_HOST;
    while (now() < end) {
        ring(1);
        do {
            if (ivshmem_wait(iv, 1000, &vectors) <= 0) {
                break;
            }
        } while (!vectors);
        n += vectors != 0;
    }
    printf("doorbell-guest-host-round-trips/s %.0f\n", n / (now() - begin));
    fflush(stdout);
    stop();
}

static void stream(uint32_t len, double seconds)
{
    uint32_t before[2];
    double begin;

    memset((uint8_t *)mem + RING, 0, 65536 + 320);
    mem[6] = len;
    mem[0] = STREAM;
    ring(2);
    ring(1);
    poll(NULL, 0, 300);
    before[0] = mem[ROUNDS];
    before[1] = mem[BYTES];
    begin = now();
    poll(NULL, 0, (int)(seconds * 1000));
    if (len < 1024) {
        printf("ring-%u-bytes-messages/s %.0f\n", len, (mem[ROUNDS] - before[0]) / (now() - begin));
    } else {
        printf("ring-%u-bytes-mib/s %.1f\n", len, (mem[BYTES] - before[1]) / 1048576.0 / (now() - begin));
    }
    stop();
}

int main(int argc, char **argv)
{
    double seconds = argc > 2 ? atof(argv[2]) : 2;
    char err[IVSHMEM_ERR_LEN];

    iv = argc > 1 ? ivshmem_connect(argv[1], err) : NULL;
    if (!iv) {
        fprintf(stderr, "bench-ivshmem: %s\n", argc > 1 ? err : "SOCKET SECONDS");
        return 1;
    }
    mem = ivshmem_memory(iv, NULL);
    alarm((unsigned)(10 * seconds) + 60);       /* a guest that doesn't answer ends the round */
    printf("host-ready\n");
    fflush(stdout);
    while (!mem[1] || !mem[2]) {
        if (ivshmem_wait(iv, 100, NULL) < 0) {
            return 1;
        }
    }
    guest_to_guest(seconds);
    guest_to_host(seconds);
    stream(64, seconds);
    stream(4096, seconds);
    return 0;
}
