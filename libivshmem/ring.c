/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ring. Offsets from its start, each word of what follows in a cache line of its own:
 *
 *       0  MAGIC, VERSION, SIZE      written once, MAGIC last
 *      64  HEAD       producer: bytes ever written, modulo 2^32
 *     128  TAIL       consumer: bytes ever released
 *     192  EMPTY      consumer: 1 while it waits for HEAD to move
 *     256  FULL       producer: 1 while it waits for TAIL to move
 *     320  SIZE bytes of data
 *
 * A message is its length (4 bytes, padded to 8) and its bytes, padded to 8, and never wraps: a length of all
 * ones says that the next message is at the start of the data. Since SIZE divides 2^32, an index modulo SIZE is
 * its place.
 */
#include "util/osdep.h"
#include "libivshmem/ivshmem.h"

#include <endian.h>

#define MAGIC       0x52765649u     /* "IVvR" */
#define VERSION     1u
enum { AT_MAGIC = 0, AT_VERSION = 4, AT_SIZE = 8, AT_HEAD = 64, AT_TAIL = 128, AT_EMPTY = 192, AT_FULL = 256 };
#define WRAP        UINT32_MAX
#define LENGTH      8u              /* bytes before a message */

static uint32_t get(const IvshmemRing *r, unsigned at, int order)
{
    return le32toh(__atomic_load_n((uint32_t *)(r->base + at), order));
}

static void put(const IvshmemRing *r, unsigned at, uint32_t v, int order)
{
    __atomic_store_n((uint32_t *)(r->base + at), htole32(v), order);
}

static uint8_t *data_at(const IvshmemRing *r, uint32_t index)
{
    return r->base + IVSHMEM_RING_HEADER + (index & (r->size - 1));
}

static uint32_t padded(uint32_t len)
{
    return LENGTH + ((len + 7) & ~7u);
}

uint32_t ivshmem_ring_fit(size_t bytes)
{
    uint32_t size = IVSHMEM_RING_DATA_MAX;

    if (bytes < IVSHMEM_RING_HEADER + IVSHMEM_RING_DATA_MIN) {
        return 0;
    }
    while (size > bytes - IVSHMEM_RING_HEADER) {
        size /= 2;
    }
    return size;
}

int ivshmem_ring_create(IvshmemRing *r, void *base, uint32_t size)
{
    if ((uintptr_t)base % 64 || !IS_POWER_OF_2(size) || size < IVSHMEM_RING_DATA_MIN ||
        size > IVSHMEM_RING_DATA_MAX) {
        return -EINVAL;
    }
    *r = (IvshmemRing){ .base = base, .size = size };
    put(r, AT_MAGIC, 0, __ATOMIC_RELAXED);
    put(r, AT_HEAD, 0, __ATOMIC_RELEASE);
    put(r, AT_TAIL, 0, __ATOMIC_RELAXED);
    put(r, AT_EMPTY, 0, __ATOMIC_RELAXED);
    put(r, AT_FULL, 0, __ATOMIC_RELAXED);
    put(r, AT_VERSION, VERSION, __ATOMIC_RELAXED);
    put(r, AT_SIZE, size, __ATOMIC_RELAXED);
    put(r, AT_MAGIC, MAGIC, __ATOMIC_RELEASE);
    return 0;
}

int ivshmem_ring_attach(IvshmemRing *r, void *base, size_t bytes, bool producer)
{
    if ((uintptr_t)base % 64 || bytes < IVSHMEM_RING_HEADER) {
        return -EINVAL;
    }
    *r = (IvshmemRing){ .base = base };
    if (get(r, AT_MAGIC, __ATOMIC_ACQUIRE) != MAGIC) {
        return -EAGAIN;
    }
    r->size = get(r, AT_SIZE, __ATOMIC_RELAXED);
    if (get(r, AT_VERSION, __ATOMIC_RELAXED) != VERSION || !IS_POWER_OF_2(r->size) ||
        r->size < IVSHMEM_RING_DATA_MIN || r->size > bytes - IVSHMEM_RING_HEADER) {
        return -EBADMSG;
    }
    r->mine = get(r, producer ? AT_HEAD : AT_TAIL, __ATOMIC_ACQUIRE);
    r->seen = get(r, producer ? AT_TAIL : AT_HEAD, __ATOMIC_ACQUIRE);
    return r->mine % 8 || r->seen % 8 ? -EBADMSG : 0;
}

/* --- the producer --- */

/* Bytes that can be written; -EBADMSG: TAIL is where it can't be. */
static int64_t space(IvshmemRing *r)
{
    uint32_t used;

    r->seen = get(r, AT_TAIL, __ATOMIC_ACQUIRE);
    used = r->mine - r->seen;
    return used > r->size || r->seen % 8 ? -EBADMSG : (int64_t)(r->size - used);
}

/* What the message takes, with the rest of the data that it skips. */
static uint32_t cost(const IvshmemRing *r, uint32_t len)
{
    uint32_t to_end = r->size - (r->mine & (r->size - 1));

    return padded(len) > to_end ? to_end + padded(len) : padded(len);
}

void *ivshmem_ring_reserve(IvshmemRing *r, uint32_t len)
{
    uint32_t used = r->mine - r->seen;
    int64_t room = used <= r->size ? r->size - used : 0;
    uint32_t to_end = r->size - (r->mine & (r->size - 1));

    if (len > r->size / 2 - LENGTH) {
        errno = EMSGSIZE;           /* it could never be had beside what it skips */
        return NULL;
    }
    if (room < cost(r, len)) {
        room = space(r);
        if (room < cost(r, len)) {
            errno = room < 0 ? EBADMSG : EAGAIN;
            return NULL;
        }
    }
    if (padded(len) > to_end) {
        *(uint32_t *)data_at(r, r->mine) = WRAP;
        r->mine += to_end;
    }
    r->pending = padded(len);
    return data_at(r, r->mine) + LENGTH;
}

/* Tell the other side's flag @at: 1 if it was set. */
static int waits(IvshmemRing *r, unsigned at)
{
    /* Our index is written before its flag is read, as it writes its flag before it reads our index. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!get(r, at, __ATOMIC_RELAXED)) {
        return 0;
    }
    put(r, at, 0, __ATOMIC_RELAXED);
    return 1;
}

int ivshmem_ring_commit(IvshmemRing *r, uint32_t len)
{
    if (!r->pending || padded(len) > r->pending) {
        return -EINVAL;
    }
    *(uint32_t *)data_at(r, r->mine) = htole32(len);
    r->mine += padded(len);
    r->pending = 0;
    put(r, AT_HEAD, r->mine, __ATOMIC_RELEASE);
    return waits(r, AT_EMPTY);
}

bool ivshmem_ring_sleep_full(IvshmemRing *r, uint32_t len)
{
    int64_t room;

    put(r, AT_FULL, 1, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_seq_cst);
    room = space(r);
    if (room >= 0 && room < cost(r, len)) {
        return true;
    }
    put(r, AT_FULL, 0, __ATOMIC_RELAXED);
    return false;
}

/* --- the consumer --- */

const void *ivshmem_ring_peek(IvshmemRing *r, uint32_t *len)
{
    uint32_t used, to_end, n;
    bool wrapped = false;

    r->pending = 0;
    if (r->mine == r->seen) {
        r->seen = get(r, AT_HEAD, __ATOMIC_ACQUIRE);
    }
    for (;;) {
        used = r->seen - r->mine;
        if (!used) {
            errno = EAGAIN;
            return NULL;
        }
        if (used > r->size || used % 8) {
            errno = EBADMSG;
            return NULL;
        }
        to_end = r->size - (r->mine & (r->size - 1));
        /* Read once: it may change under our eyes. */
        n = le32toh(__atomic_load_n((uint32_t *)data_at(r, r->mine), __ATOMIC_RELAXED));
        if (n != WRAP) {
            break;
        }
        /* Twice in a row says nothing, but might for ever. */
        if (to_end > used || wrapped) {
            errno = EBADMSG;
            return NULL;
        }
        wrapped = true;
        r->mine += to_end;
        if (r->mine == r->seen) {
            r->seen = get(r, AT_HEAD, __ATOMIC_ACQUIRE);
        }
    }
    if (n > r->size || padded(n) > used || padded(n) > to_end) {
        errno = EBADMSG;
        return NULL;
    }
    r->pending = padded(n);
    *len = n;
    return data_at(r, r->mine) + LENGTH;
}

int ivshmem_ring_release(IvshmemRing *r)
{
    if (!r->pending) {
        return -EINVAL;
    }
    r->mine += r->pending;
    r->pending = 0;
    put(r, AT_TAIL, r->mine, __ATOMIC_RELEASE);
    /* Room for one message more isn't worth a doorbell: a producer that woke for it would soon sleep again. */
    return r->seen - r->mine <= r->size / 2 ? waits(r, AT_FULL) : 0;
}

bool ivshmem_ring_sleep_empty(IvshmemRing *r)
{
    put(r, AT_EMPTY, 1, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_seq_cst);
    r->seen = get(r, AT_HEAD, __ATOMIC_ACQUIRE);
    if (r->seen == r->mine) {
        return true;
    }
    put(r, AT_EMPTY, 0, __ATOMIC_RELAXED);
    return false;
}
