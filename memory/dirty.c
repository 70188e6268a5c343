/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty tracking: one bitmap a client in each RAM block.
 *
 * A page whose bit is set already needs no work for display and migration; a
 * page whose code bit is clear needs none for code. Whoever makes one of
 * these conditions false tells the accelerator (track_writes), which drops
 * its direct write mappings of the page.
 */
#include "util/osdep.h"
#include "memory/ram.h"
#include "memory/ram-int.h"

#include "util/bitmap.h"

struct RamDirtySnapshot {
    uint64_t first_page, num_pages;
    uint64_t bits[];
};

#define SEEN_CLIENTS    (BIT(RAM_DIRTY_DISPLAY) | BIT(RAM_DIRTY_MIGRATION))

const RamAccelHooks *ram_accel_hooks;

void ram_set_accel_hooks(const RamAccelHooks *hooks)
{
    ram_accel_hooks = hooks;
}

static inline uint64_t page_of(uint64_t offset)
{
    return offset >> MEM_PAGE_BITS;
}

/* Number of pages that @len (not 0) bytes touch. */
static inline uint64_t pages_in(uint64_t offset, uint64_t len)
{
    return page_of(offset + len - 1) - page_of(offset) + 1;
}

static bool in_block(const RamBlock *block, uint64_t offset, uint64_t len)
{
    return len && offset < block->size && len <= block->size - offset;
}

static void track(RamBlock *block, uint64_t offset, uint64_t len)
{
    if (ram_accel_hooks && ram_accel_hooks->track_writes) {
        ram_accel_hooks->track_writes(block->start + offset, len);
    }
}

static inline uint32_t tracking(const RamBlock *block)
{
    return atomic_load_explicit(&block->tracking, memory_order_relaxed);
}

void ram_log_start(RamBlock *block, RamDirtyClient client)
{
    if (block->log_users[client]++ == 0) {
        if (client != RAM_DIRTY_CODE) {
            bitmap_set_atomic(block->dirty[client], 0, page_of(block->size));
        }
        atomic_fetch_or(&block->tracking, BIT(client));
    }
}

void ram_log_stop(RamBlock *block, RamDirtyClient client)
{
    assert(block->log_users[client] > 0);
    if (--block->log_users[client] == 0) {
        atomic_fetch_and(&block->tracking, ~BIT(client));
    }
}

bool ram_needs_tracking(const RamBlock *block, uint64_t offset, uint64_t len)
{
    uint32_t on = tracking(block);
    uint64_t first, num;

    if (!on || !in_block(block, offset, len)) {
        return false;
    }
    first = page_of(offset);
    num = pages_in(offset, len);
    for (int c = 0; c < RAM_DIRTY_NUM; c++) {
        if (!(on & BIT(c))) {
            continue;
        }
        if (c == RAM_DIRTY_CODE ? bitmap_any(block->dirty[c], first, num)
                                : !bitmap_all(block->dirty[c], first, num)) {
            return true;
        }
    }
    return false;
}

void ram_written(RamBlock *block, uint64_t offset, uint64_t len)
{
    uint32_t on = tracking(block);
    uint64_t first, num;

    if (likely(!on) || !in_block(block, offset, len)) {
        return;
    }
    first = page_of(offset);
    num = pages_in(offset, len);
    for (int c = 0; c < RAM_DIRTY_NUM; c++) {
        if ((on & SEEN_CLIENTS & BIT(c)) &&
            !bitmap_all(block->dirty[c], first, num)) {
            bitmap_set_atomic(block->dirty[c], first, num);
        }
    }
    if ((on & BIT(RAM_DIRTY_CODE)) &&
        bitmap_any(block->dirty[RAM_DIRTY_CODE], first, num) &&
        ram_accel_hooks && ram_accel_hooks->code_written) {
        ram_accel_hooks->code_written(block->start + offset, len);
    }
}

bool ram_dirty_test(const RamBlock *block, RamDirtyClient client,
                    uint64_t offset, uint64_t len)
{
    return in_block(block, offset, len) &&
           bitmap_any(block->dirty[client], page_of(offset), pages_in(offset, len));
}

bool ram_dirty_test_and_clear(RamBlock *block, RamDirtyClient client,
                              uint64_t offset, uint64_t len)
{
    if (!ram_dirty_test(block, client, offset, len)) {
        return false;
    }
    bitmap_test_and_clear_atomic(block->dirty[client], page_of(offset),
                                 pages_in(offset, len));
    track(block, offset, len);
    return true;
}

void ram_dirty_set(RamBlock *block, RamDirtyClient client, uint64_t offset,
                   uint64_t len)
{
    if (in_block(block, offset, len)) {
        bitmap_set_atomic(block->dirty[client], page_of(offset),
                          pages_in(offset, len));
    }
}

uint64_t ram_dirty_take(RamBlock *block, RamDirtyClient client, uint64_t *into)
{
    size_t words = BITMAP_WORDS(page_of(block->size));
    uint64_t *map = block->dirty[client], count = 0;

    for (size_t i = 0; i < words; i++) {
        if (__atomic_load_n(&map[i], __ATOMIC_RELAXED)) {
            uint64_t bits = __atomic_exchange_n(&map[i], 0, __ATOMIC_SEQ_CST);

            into[i] |= bits;
            count += (uint64_t)__builtin_popcountll(bits);
        }
    }
    if (count) {
        track(block, 0, block->size);
    }
    return count;
}

RamDirtySnapshot *ram_dirty_snapshot(RamBlock *block, RamDirtyClient client,
                                     uint64_t offset, uint64_t len)
{
    RamDirtySnapshot *snap;
    uint64_t first, num;
    bool any = false;

    len = offset < block->size ? MIN(len, block->size - offset) : 0;
    first = page_of(offset);
    num = len ? pages_in(offset, len) : 0;
    snap = calloc(1, sizeof(*snap) + BITMAP_WORDS(num) * sizeof(uint64_t));
    if (!snap) {
        return NULL;
    }
    snap->first_page = first;
    snap->num_pages = num;
    for (uint64_t i = 0; i < num; ) {
        /* Whole words at once where the map has them clear. */
        uint64_t page = first + i;

        if (page % 64 == 0 && num - i >= 64 &&
            !__atomic_load_n(&block->dirty[client][page / 64], __ATOMIC_RELAXED)) {
            i += 64;
            continue;
        }
        if (bitmap_test(block->dirty[client], page) &&
            bitmap_test_and_clear_atomic(block->dirty[client], page, 1)) {
            bitmap_set_bit(snap->bits, i);
            any = true;
        }
        i++;
    }
    if (any) {
        track(block, offset, len);
    }
    return snap;
}

bool ram_dirty_snapshot_get(const RamDirtySnapshot *snap, uint64_t offset,
                            uint64_t len)
{
    uint64_t first = page_of(offset), num = len ? pages_in(offset, len) : 0;

    if (!num || first < snap->first_page) {
        return false;
    }
    first -= snap->first_page;
    if (first >= snap->num_pages) {
        return false;
    }
    return bitmap_any(snap->bits, first, MIN(num, snap->num_pages - first));
}

void ram_dirty_snapshot_free(RamDirtySnapshot *snap)
{
    free(snap);
}

void ram_code_mark(RamBlock *block, uint64_t offset, uint64_t len)
{
    uint64_t first = page_of(offset), num;

    if (!in_block(block, offset, len)) {
        return;
    }
    num = pages_in(offset, len);
    if (!(tracking(block) & BIT(RAM_DIRTY_CODE))) {
        atomic_fetch_or(&block->tracking, BIT(RAM_DIRTY_CODE));
    }
    if (!bitmap_all(block->dirty[RAM_DIRTY_CODE], first, num)) {
        bitmap_set_atomic(block->dirty[RAM_DIRTY_CODE], first, num);
        track(block, offset, len);
    }
}

void ram_code_unmark(RamBlock *block, uint64_t offset, uint64_t len)
{
    if (in_block(block, offset, len)) {
        bitmap_test_and_clear_atomic(block->dirty[RAM_DIRTY_CODE],
                                     page_of(offset), pages_in(offset, len));
    }
}
