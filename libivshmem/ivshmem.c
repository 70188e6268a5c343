/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "libivshmem/ivshmem-int.h"

#include <sys/mman.h>
#include <time.h>

void ivshmem_err(char *err, const char *fmt, ...)
{
    va_list ap;

    if (err) {
        va_start(ap, fmt);
        vsnprintf(err, IVSHMEM_ERR_LEN, fmt, ap);
        va_end(ap);
    }
}

void ivshmem_close(Ivshmem *iv)
{
    if (iv) {
        if (iv->memory) {
            munmap(iv->memory, iv->size);
        }
        iv->ops->close(iv);
    }
}

void *ivshmem_memory(const Ivshmem *iv, size_t *size)
{
    if (size) {
        *size = iv->size;
    }
    return iv->memory;
}

unsigned ivshmem_id(const Ivshmem *iv)
{
    return iv->id;
}

int ivshmem_peers(Ivshmem *iv, uint16_t *ids, int max)
{
    return iv->ops->peers(iv, ids, max);
}

int ivshmem_peer_vectors(const Ivshmem *iv, unsigned peer)
{
    return iv->ops->peer_vectors(iv, peer);
}

int ivshmem_notify(Ivshmem *iv, unsigned peer, unsigned vector)
{
    atomic_thread_fence(memory_order_seq_cst);
    return iv->ops->notify(iv, peer, vector);
}

int ivshmem_wait(Ivshmem *iv, int timeout_ms, uint32_t *vectors)
{
    uint32_t none;

    return iv->ops->wait(iv, timeout_ms, vectors ? vectors : &none);
}

int ivshmem_fd(const Ivshmem *iv)
{
    return iv->ops->fd(iv);
}

/* --- rings of pairs --- */

#define DIRECTORY   4096        /* bytes at the start that no ring has */

void *ivshmem_ring_place(const Ivshmem *iv, unsigned peers, unsigned from, unsigned to, size_t *bytes)
{
    size_t each;

    if (!peers || from >= peers || to >= peers || iv->size < DIRECTORY) {
        return NULL;
    }
    each = (iv->size - DIRECTORY) / peers / peers / 64 * 64;
    if (!ivshmem_ring_fit(each)) {
        return NULL;
    }
    *bytes = each;
    return iv->memory + DIRECTORY + ((size_t)from * peers + to) * each;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A ring before the other's device knows of us is rung nowhere: look again now and then. */
#define LOOK_AGAIN_MS   100

/* Until there may be something, or @deadline (-1: for ever) has passed: -ETIMEDOUT. */
static int wait_until(Ivshmem *iv, int64_t deadline)
{
    int64_t left = deadline < 0 ? LOOK_AGAIN_MS : deadline - now_ms();
    int r;

    if (left <= 0) {
        return -ETIMEDOUT;
    }
    r = ivshmem_wait(iv, (int)MIN(left, LOOK_AGAIN_MS), NULL);
    return r < 0 ? r : 0;
}

/* One that isn't there yet will look for itself. */
static int ring_peer(Ivshmem *iv, unsigned peer)
{
    int r = ivshmem_notify(iv, peer, 0);

    return r == -ENOENT ? 0 : r;
}

int ivshmem_send(Ivshmem *iv, IvshmemRing *r, unsigned peer, const void *data, uint32_t len, int timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    void *at;
    int n;

    while (!(at = ivshmem_ring_reserve(r, len))) {
        if (errno != EAGAIN) {
            return -errno;
        }
        if (ivshmem_ring_sleep_full(r, len)) {
            n = wait_until(iv, deadline);
            if (n < 0) {
                return n;
            }
        }
    }
    memcpy(at, data, len);
    n = ivshmem_ring_commit(r, len);
    return n > 0 ? ring_peer(iv, peer) : n;
}

int ivshmem_receive(Ivshmem *iv, IvshmemRing *r, unsigned peer, void *data, uint32_t room, int timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    const void *at;
    uint32_t len;
    int n;

    while (!(at = ivshmem_ring_peek(r, &len))) {
        if (errno != EAGAIN) {
            return -errno;
        }
        if (ivshmem_ring_sleep_empty(r)) {
            n = wait_until(iv, deadline);
            if (n < 0) {
                return n;
            }
        }
    }
    if (len > room) {
        return -EMSGSIZE;
    }
    memcpy(data, at, len);
    n = ivshmem_ring_release(r);
    if (n > 0) {
        n = ring_peer(iv, peer);
    }
    return n < 0 ? n : (int)len;
}
