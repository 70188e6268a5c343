/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of memory that somebody else may write at the same time: the guest's, by its vCPUs and devices. What comes out then is
 * undefined, on hardware too; who needs to know what it was looks at the copy. ThreadSanitizer doesn't look at them.
 */
#ifndef UTIL_SHARED_MEM_H
#define UTIL_SHARED_MEM_H

#include "util/osdep.h"

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

#endif
