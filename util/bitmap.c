/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "util/bitmap.h"

uint64_t *bitmap_new(size_t nbits)
{
    uint64_t *map = calloc(MAX(BITMAP_WORDS(nbits), 1), sizeof(*map));

    if (!map) {
        abort();
    }
    return map;
}

/* The bits of [first, end) that are in the word of @first. */
static uint64_t mask_in_word(size_t first, size_t end)
{
    size_t lo = first % 64;

    return MASK64(lo, MIN(end - first, 64 - lo));
}

#define FOR_WORDS(i, mask, first, count) \
    for (uint64_t at_ = (first), end_ = at_ + (count), i = at_ / 64, mask; \
         at_ < end_ && (mask = mask_in_word(at_, end_), true); \
         at_ = ++i * 64)

void bitmap_set(uint64_t *map, size_t first, size_t count)
{
    FOR_WORDS(i, mask, first, count) {
        map[i] |= mask;
    }
}

void bitmap_clear(uint64_t *map, size_t first, size_t count)
{
    FOR_WORDS(i, mask, first, count) {
        map[i] &= ~mask;
    }
}

void bitmap_set_atomic(uint64_t *map, size_t first, size_t count)
{
    FOR_WORDS(i, mask, first, count) {
        if ((__atomic_load_n(&map[i], __ATOMIC_RELAXED) & mask) != mask) {
            __atomic_fetch_or(&map[i], mask, __ATOMIC_SEQ_CST);
        }
    }
    /* Whoever sees the bits sees what was written before they were set, also
     * those that were set already. */
    full_barrier();
}

bool bitmap_test_and_clear_atomic(uint64_t *map, size_t first, size_t count)
{
    uint64_t seen = 0;

    full_barrier();
    FOR_WORDS(i, mask, first, count) {
        if (__atomic_load_n(&map[i], __ATOMIC_RELAXED) & mask) {
            seen |= __atomic_fetch_and(&map[i], ~mask, __ATOMIC_SEQ_CST) & mask;
        }
    }
    return seen;
}

void bitmap_take_atomic(uint64_t *dst, uint64_t *src, size_t nbits)
{
    for (size_t i = 0; i < BITMAP_WORDS(nbits); i++) {
        dst[i] = __atomic_load_n(&src[i], __ATOMIC_RELAXED) ?
                 __atomic_exchange_n(&src[i], 0, __ATOMIC_SEQ_CST) : 0;
    }
}

static size_t find(const uint64_t *map, size_t nbits, size_t from, uint64_t invert)
{
    size_t i = from / 64;
    uint64_t w;

    if (from >= nbits) {
        return nbits;
    }
    w = (__atomic_load_n(&map[i], __ATOMIC_RELAXED) ^ invert) & UINT64_MAX << from % 64;
    while (!w) {
        if (++i >= BITMAP_WORDS(nbits)) {
            return nbits;
        }
        w = __atomic_load_n(&map[i], __ATOMIC_RELAXED) ^ invert;
    }
    return MIN(i * 64 + __builtin_ctzll(w), nbits);
}

size_t bitmap_find_set(const uint64_t *map, size_t nbits, size_t from)
{
    return find(map, nbits, from, 0);
}

size_t bitmap_find_clear(const uint64_t *map, size_t nbits, size_t from)
{
    return find(map, nbits, from, UINT64_MAX);
}

size_t bitmap_count(const uint64_t *map, size_t nbits)
{
    size_t n = 0;

    FOR_WORDS(i, mask, 0, nbits) {
        n += __builtin_popcountll(map[i] & mask);
    }
    return n;
}

bool bitmap_any(const uint64_t *map, size_t first, size_t count)
{
    return find(map, first + count, first, 0) < first + count;
}

bool bitmap_all(const uint64_t *map, size_t first, size_t count)
{
    return find(map, first + count, first, UINT64_MAX) == first + count;
}

size_t bitmap_find_clear_run(const uint64_t *map, size_t nbits, size_t from, size_t count)
{
    size_t start = bitmap_find_clear(map, nbits, from), end;

    while (start < nbits && count <= nbits - start) {
        end = bitmap_find_set(map, start + count, start);
        if (end == start + count) {
            return start;
        }
        start = bitmap_find_clear(map, nbits, end);
    }
    return nbits;
}
