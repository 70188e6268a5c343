/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of any length in arrays of 64-bit words; bit n is bit n % 64 of word
 * n / 64. Ranges are (first bit, number of bits). The plain functions need the
 * caller's lock; those named _atomic may run beside each other on one map.
 */
#ifndef UTIL_BITMAP_H
#define UTIL_BITMAP_H

#include "util/osdep.h"

#define BITMAP_WORDS(nbits)         DIV_ROUND_UP((size_t)(nbits), 64)
#define BITMAP_DECLARE(name, nbits) uint64_t name[BITMAP_WORDS(nbits)]

/* All bits clear; free with free(). Does not return NULL. */
uint64_t *bitmap_new(size_t nbits);

static inline bool bitmap_test(const uint64_t *map, size_t n)
{
    return map[n / 64] >> n % 64 & 1;
}

static inline void bitmap_set_bit(uint64_t *map, size_t n)
{
    map[n / 64] |= BIT64(n % 64);
}

static inline void bitmap_clear_bit(uint64_t *map, size_t n)
{
    map[n / 64] &= ~BIT64(n % 64);
}

static inline void bitmap_set_bit_atomic(uint64_t *map, size_t n)
{
    __atomic_fetch_or(&map[n / 64], BIT64(n % 64), __ATOMIC_SEQ_CST);
}

void bitmap_set(uint64_t *map, size_t first, size_t count);
void bitmap_clear(uint64_t *map, size_t first, size_t count);
void bitmap_set_atomic(uint64_t *map, size_t first, size_t count);
/* Clears the range; true if any bit of it was set. */
bool bitmap_test_and_clear_atomic(uint64_t *map, size_t first, size_t count);
/* dst = src with src cleared, word by word; both hold @nbits. */
void bitmap_take_atomic(uint64_t *dst, uint64_t *src, size_t nbits);

/* The first bit at or after @from and below @nbits; @nbits if there is none. */
size_t bitmap_find_set(const uint64_t *map, size_t nbits, size_t from);
size_t bitmap_find_clear(const uint64_t *map, size_t nbits, size_t from);
size_t bitmap_count(const uint64_t *map, size_t nbits);
bool bitmap_any(const uint64_t *map, size_t first, size_t count);
bool bitmap_all(const uint64_t *map, size_t first, size_t count);
/* The start of the first @count clear bits in a row; @nbits if there is none. */
size_t bitmap_find_clear_run(const uint64_t *map, size_t nbits, size_t from, size_t count);

#define BITMAP_FOR_EACH(n, map, nbits) \
    for (size_t n = bitmap_find_set(map, nbits, 0); n < (size_t)(nbits); \
         n = bitmap_find_set(map, nbits, n + 1))

#endif
