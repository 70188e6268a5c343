/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses from C to host memory that holds guest RAM, which vCPUs and devices may
 * access at the same time: relaxed atomics where size and alignment allow. Copies race with the
 * guest by design; what it sees while they run is undefined on hardware too, so
 * ThreadSanitizer doesn't look at them.
 */
#ifndef MEMORY_GUEST_RAM_H
#define MEMORY_GUEST_RAM_H

#include "util/osdep.h"
#include "util/bswap.h"

#ifdef __SANITIZE_THREAD__

__attribute__((no_sanitize("thread"), noinline, unused))
static void ram_copy(void *dst, const void *src, size_t len)
{
    volatile uint8_t *d = dst;
    const volatile uint8_t *s = src;

    if ((uintptr_t)dst <= (uintptr_t)src) {
        for (size_t i = 0; i < len; i++) {
            d[i] = s[i];
        }
    } else {
        while (len-- > 0) {
            d[len] = s[len];
        }
    }
}

__attribute__((no_sanitize("thread"), noinline, unused))
static void ram_fill(void *dst, uint8_t byte, size_t len)
{
    volatile uint8_t *d = dst;

    for (size_t i = 0; i < len; i++) {
        d[i] = byte;
    }
}

#else

/* They may overlap. */
static inline void ram_copy(void *dst, const void *src, size_t len)
{
    memmove(dst, src, len);
}

static inline void ram_fill(void *dst, uint8_t byte, size_t len)
{
    memset(dst, byte, len);
}

#endif

/* Little-endian values of 1, 2, 4 or 8 bytes. */
static inline uint64_t ram_load(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    if (likely(!((uintptr_t)p & (size - 1)))) {
        switch (size) {
        case 1: return __atomic_load_n(p, __ATOMIC_RELAXED);
        case 2: return le16_to_host(__atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED));
        case 4: return le32_to_host(__atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED));
        case 8: return le64_to_host(__atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED));
        }
    }
    ram_copy(&v, p, size);
    return le64_to_host(v);
}

static inline void ram_store(uint8_t *p, uint64_t v, unsigned size)
{
    if (likely(!((uintptr_t)p & (size - 1)))) {
        switch (size) {
        case 1:
            __atomic_store_n(p, (uint8_t)v, __ATOMIC_RELAXED);
            return;
        case 2:
            __atomic_store_n((uint16_t *)p, host_to_le16((uint16_t)v), __ATOMIC_RELAXED);
            return;
        case 4:
            __atomic_store_n((uint32_t *)p, host_to_le32((uint32_t)v), __ATOMIC_RELAXED);
            return;
        case 8:
            __atomic_store_n((uint64_t *)p, host_to_le64(v), __ATOMIC_RELAXED);
            return;
        }
    }
    v = host_to_le64(v);
    ram_copy(p, &v, size);
}

#endif
