/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of libivshmem: messages of all lengths, two threads, indices that can't be. */
#include "util/osdep.h"
#include "libivshmem/ivshmem.h"
#include "tests/lib/test.h"

#include <glib.h>
#include "util/thread.h"

#define SIZE    1024u

static void *new_memory(Test *t, size_t bytes)
{
    void *p = aligned_alloc(64, bytes);

    memset(p, 0xee, bytes);
    test_at_end(t, free, p);
    return p;
}

static uint32_t *word(void *base, unsigned at)
{
    return (uint32_t *)((uint8_t *)base + at);
}

TEST(ivshmem_ring, formats)
{
    uint8_t *m = new_memory(t, IVSHMEM_RING_HEADER + SIZE);
    IvshmemRing r;

    check_u32(t, ivshmem_ring_fit(IVSHMEM_RING_HEADER + SIZE), SIZE, "fits exactly");
    check_u32(t, ivshmem_ring_fit(IVSHMEM_RING_HEADER + SIZE - 1), SIZE / 2, "doesn't fit");
    check_u32(t, ivshmem_ring_fit(10), 0, "no room for anything");
    check_int(t, ivshmem_ring_attach(&r, m, IVSHMEM_RING_HEADER + SIZE, false), -EAGAIN, "not formatted");
    check_int(t, ivshmem_ring_create(&r, m, 1000), -EINVAL, "no power of two");
    check_int(t, ivshmem_ring_create(&r, m + 8, SIZE), -EINVAL, "not aligned");
    check_int(t, ivshmem_ring_create(&r, m, SIZE), 0, "formatted");
    check_int(t, ivshmem_ring_attach(&r, m, IVSHMEM_RING_HEADER + SIZE, false), 0, "attached");
    check_int(t, ivshmem_ring_attach(&r, m, IVSHMEM_RING_HEADER + SIZE - 1, false), -EBADMSG, "larger than there is");
    *word(m, 4) = 2;
    check_int(t, ivshmem_ring_attach(&r, m, IVSHMEM_RING_HEADER + SIZE, false), -EBADMSG, "another version");
}

TEST(ivshmem_ring, messages_of_all_lengths)
{
    uint8_t *m = new_memory(t, IVSHMEM_RING_HEADER + SIZE);
    IvshmemRing p, c;
    uint32_t len, max = SIZE / 2 - 8;

    ivshmem_ring_create(&p, m, SIZE);
    ivshmem_ring_attach(&c, m, IVSHMEM_RING_HEADER + SIZE, false);
    check_true(t, !ivshmem_ring_peek(&c, &len) && errno == EAGAIN, "empty");
    check_true(t, !ivshmem_ring_reserve(&p, max + 1) && errno == EMSGSIZE, "never fits");
    for (uint32_t n = 0; n <= max; n++) {
        uint8_t *at = ivshmem_ring_reserve(&p, n);
        const uint8_t *got;

        if (!check_true(t, at, "room")) {
            return;
        }
        memset(at, (int)n, n);
        check_int(t, ivshmem_ring_commit(&p, n), 0, "nobody waits");
        got = ivshmem_ring_peek(&c, &len);
        if (!check_true(t, got && len == n, "the message")) {
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            if (got[i] != (uint8_t)n) {
                test_fail(t, "byte %u of %u", i, n);
                return;
            }
        }
        check_int(t, ivshmem_ring_release(&c), 0, "nobody waits");
    }
}

TEST(ivshmem_ring, full_and_waiting)
{
    uint8_t *m = new_memory(t, IVSHMEM_RING_HEADER + SIZE);
    IvshmemRing p, c;
    uint32_t len, n = 0;

    ivshmem_ring_create(&p, m, SIZE);
    ivshmem_ring_attach(&c, m, IVSHMEM_RING_HEADER + SIZE, false);
    check_true(t, ivshmem_ring_sleep_empty(&c), "nothing to read");
    check_true(t, ivshmem_ring_reserve(&p, 8), "room");
    check_int(t, ivshmem_ring_commit(&p, 8), 1, "the consumer is to be rung");
    check_true(t, !ivshmem_ring_sleep_empty(&c), "something to read");
    while (ivshmem_ring_reserve(&p, 8)) {
        check_int(t, ivshmem_ring_commit(&p, 8), 0, "only once");
        n++;
    }
    check_u32(t, n, SIZE / 16 - 1, "as many as fit");
    check_int(t, errno, EAGAIN, "full");
    check_true(t, ivshmem_ring_sleep_full(&p, 8), "no room");
    check_true(t, ivshmem_ring_peek(&c, &len), "a message");
    check_int(t, ivshmem_ring_release(&c), 1, "the producer is to be rung");
    check_true(t, !ivshmem_ring_sleep_full(&p, 8), "room again");
    check_int(t, ivshmem_ring_commit(&p, 8), -EINVAL, "nothing reserved");
    check_int(t, ivshmem_ring_release(&c), -EINVAL, "nothing shown");
}

#define MESSAGES 200000u

static void *producer(void *opaque)
{
    IvshmemRing *p = opaque;

    for (uint32_t i = 0; i < MESSAGES; i++) {
        uint32_t len = 4 + i * 7 % 200, *at;

        while (!(at = ivshmem_ring_reserve(p, len))) {
            sched_yield();
        }
        memset(at, (int)i, len);
        *at = i;
        ivshmem_ring_commit(p, len);
    }
    return NULL;
}

/* Large enough that not every other message has to wait for the scheduler of a busy host. */
#define LARGE 32768

TEST(ivshmem_ring, two_threads)
{
    uint8_t *m = new_memory(t, IVSHMEM_RING_HEADER + LARGE);
    IvshmemRing p, c;
    Thread thread;

    ivshmem_ring_create(&p, m, LARGE);
    ivshmem_ring_attach(&c, m, IVSHMEM_RING_HEADER + LARGE, false);
    thread_create(&thread, "producer", producer, &p);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const uint32_t *at;
        uint32_t len;

        while (!(at = ivshmem_ring_peek(&c, &len))) {
            sched_yield();
        }
        if (*at != i || len != 4 + i * 7 % 200 || (len > 4 && ((const uint8_t *)at)[len - 1] != (uint8_t)i)) {
            test_fail(t, "message %u is %u of %u bytes", i, *at, len);
            break;
        }
        ivshmem_ring_release(&c);
    }
    thread_join(&thread);
}

/* The other side writes what it likes: no answer but a message inside the ring, or an error. */
TEST(ivshmem_ring, hostile_neighbour)
{
    uint8_t *m = new_memory(t, IVSHMEM_RING_HEADER + SIZE);
    g_autoptr(GRand) rnd = g_rand_new_with_seed(1);
    IvshmemRing p, c;
    uint32_t len;

    for (int i = 0; i < 200000; i++) {
        const uint8_t *got;

        ivshmem_ring_create(&p, m, SIZE);
        ivshmem_ring_attach(&c, m, IVSHMEM_RING_HEADER + SIZE, false);
        for (int n = 0; n < 4; n++) {
            unsigned at = (unsigned[]){ 64, 128, 320, 328, 320 + 8 * g_rand_int_range(rnd, 0, 128) }[g_rand_int_range(rnd, 0, 5)];

            *word(m, at) = (uint32_t[]){ 0, 8, 16, 1000, UINT32_MAX, 1024, 1016, g_rand_int(rnd) }[g_rand_int_range(rnd, 0, 8)];
            got = ivshmem_ring_peek(&c, &len);
            if (got && (got < m + IVSHMEM_RING_HEADER || len > SIZE || got + len > m + IVSHMEM_RING_HEADER + SIZE)) {
                test_fail(t, "%u bytes at %td", len, got - m);
                return;
            }
            if (got && g_rand_boolean(rnd)) {
                ivshmem_ring_release(&c);
            }
            got = ivshmem_ring_reserve(&p, (uint32_t)g_rand_int_range(rnd, 0, 512));
            if (got) {
                memset((void *)(uintptr_t)got, 0, p.pending - 8);
                ivshmem_ring_commit(&p, p.pending - 8);
            }
        }
    }
}
