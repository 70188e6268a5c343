/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as host memory, for DMA. RAM is handed out as it is; for
 * anything else a bounce buffer stands in, filled on map and written back on
 * unmap. Bounced bytes are limited, since a guest decides how many there are.
 */
#include "util/osdep.h"
#include "memory/memory.h"
#include "memory/memory-int.h"

#include "util/rcu.h"

/* In front of the bytes that the caller gets. */
typedef struct Bounce {
    AddressSpace *as;
    hwaddr addr, len;
    MemAttrs attrs;
    _Alignas(16) uint8_t data[];
} Bounce;

static _Atomic uint64_t bounce_used;

static void *bounce_map(AddressSpace *as, hwaddr addr, hwaddr *len,
                        bool is_write, MemAttrs attrs)
{
    hwaddr n = MIN(*len, (hwaddr)MEM_BOUNCE_MAX);
    uint64_t used = atomic_load(&bounce_used);
    Bounce *b;

    do {
        if (used >= MEM_BOUNCE_MAX) {
            *len = 0;
            return NULL;
        }
        n = MIN(n, MEM_BOUNCE_MAX - used);
    } while (!atomic_compare_exchange_weak(&bounce_used, &used, used + n));

    b = calloc(1, sizeof(*b) + n);
    if (!b) {
        atomic_fetch_sub(&bounce_used, n);
        *len = 0;
        return NULL;
    }
    *b = (Bounce){ .as = as, .addr = addr, .len = n, .attrs = attrs };
    if (!is_write && address_space_read(as, addr, attrs, b->data, n)) {
        atomic_fetch_sub(&bounce_used, n);
        free(b);
        *len = 0;
        return NULL;
    }
    *len = n;
    return b->data;
}

void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *len,
                        bool is_write, MemAttrs attrs)
{
    hwaddr xlat, n = *len, total;
    const MemSection *s;
    uint8_t *host;
    RCU_READ_GUARD();

    if (!n) {
        return NULL;
    }
    s = memory_translate(as, addr, &xlat, &n, is_write, attrs, NULL);
    if (!s || s == &memory_unassigned_section) {
        *len = 0;
        return NULL;
    }
    if (!s->host || (is_write && s->readonly)) {
        *len = n;
        return bounce_map(as, addr, len, is_write, attrs);
    }
    host = memory_section_host(s, xlat);
    /* Through an IOMMU each page is a translation of its own; pages that
     * follow each other in host memory are one mapping all the same. */
    for (total = n; total < *len; total += n) {
        n = *len - total;
        s = memory_translate(as, addr + total, &xlat, &n, is_write, attrs, NULL);
        if (!s || !s->host || (is_write && s->readonly) ||
            memory_section_host(s, xlat) != host + total) {
            break;
        }
    }
    *len = total;
    return host;
}

void address_space_unmap(UNUSED AddressSpace *as, void *host, hwaddr len,
                         bool is_write, hwaddr access_len)
{
    uint64_t offset;
    RamBlock *block;
    Bounce *b;

    access_len = MIN(access_len, len);
    rcu_read_lock();
    block = ram_block_of_host(host, &offset);
    if (block) {
        if (is_write && access_len) {
            ram_written(block, offset, access_len);
        }
        rcu_read_unlock();
        return;
    }
    rcu_read_unlock();

    b = container_of(host, Bounce, data);
    if (is_write && access_len) {
        address_space_write(b->as, b->addr, b->attrs, b->data, access_len);
    }
    atomic_fetch_sub(&bounce_used, b->len);
    free(b);
}
