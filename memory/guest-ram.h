/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses from C to host memory that holds guest RAM, which vCPUs and devices may
 * access at the same time: relaxed atomics where size and alignment allow.
 */
#ifndef MEMORY_GUEST_RAM_H
#define MEMORY_GUEST_RAM_H

#include "util/osdep.h"
#include "util/bswap.h"
#include "util/shared-mem.h"

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
