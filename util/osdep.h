/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First include of every source file: the C library's basics and the small
 * macros that the whole program uses. Nothing here depends on GLib, so that
 * qobject/ and libqmp/ may include it; nothing here knows about machines.
 */
#ifndef UTIL_OSDEP_H
#define UTIL_OSDEP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a)       (sizeof(a) / sizeof((a)[0]))
#define BIT(n)              (1U << (n))
#define BIT64(n)            (1ULL << (n))
/* @len bits from bit @lo; @len is 1 to 32 (64 for MASK64). */
#define MASK(lo, len)       ((UINT32_MAX >> (32 - (len))) << (lo))
#define MASK64(lo, len)     ((UINT64_MAX >> (64 - (len))) << (lo))
#undef MIN                   /* GLib has the same two */
#undef MAX
#define MIN(a, b)           ((a) < (b) ? (a) : (b))
#define MAX(a, b)           ((a) > (b) ? (a) : (b))
#define KIB                 UINT64_C(1024)
#define MIB                 (1024 * KIB)
#define GIB                 (1024 * MIB)
#define NS_PER_SECOND       INT64_C(1000000000)

/* Power-of-two alignment. */
#define ALIGN_DOWN(n, a)    ((n) & ~((typeof(n))(a) - 1))
#define ALIGN_UP(n, a)      ALIGN_DOWN((n) + ((a) - 1), a)
#define IS_POWER_OF_2(n)    ((n) != 0 && ((n) & ((n) - 1)) == 0)
#define DIV_ROUND_UP(n, d)  (((n) + (d) - 1) / (d))

#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr) - offsetof(type, member)))

#define likely(x)           __builtin_expect(!!(x), 1)
#define unlikely(x)         __builtin_expect(!!(x), 0)

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK          __attribute__((warn_unused_result))
#define UNUSED              __attribute__((unused))
#define NORETURN            __attribute__((noreturn))
#define PACKED              __attribute__((packed))
#define CONSTRUCTOR         __attribute__((constructor))

/* Marks a function that may yield: call it from a coroutine only. */
#define coroutine_fn

/* Orders all that is before against all that is behind. gcc's ThreadSanitizer knows no fences. */
static inline void full_barrier(void)
{
#ifdef __SANITIZE_THREAD__
    int word = 0;

    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

#endif
