/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Posted writes. DMA that an I/O thread does may reach a device's registers. Their callbacks need the big lock, and may wait
 * until I/O threads stand still (event_loop_park): a thread that waited for another one, or for itself, would never
 * get there. So such writes are posted, as a bus may do with all writes to memory space (PCI Local Bus Specification 3.0,
 * 3.2.5): the master goes on, and the main loop does them, in their order.
 */
#include "util/osdep.h"
#include "memory/memory-int.h"

#include "util/log.h"
#include "util/main-loop.h"

#define POSTED_MAX  4096                /* a guest can make I/O threads post faster than the main loop writes */

typedef struct Posted {
    MemRegion *mr;                      /* NULL: it has gone */
    hwaddr addr;
    uint64_t val;
    unsigned size;
    MemOrder order;
    MemAttrs attrs;
    struct Posted *next;
} Posted;

static struct {
    Mutex lock;
    Posted *first, **last;
    unsigned count;
} queue = { .lock = MUTEX_INITIALIZER, .last = &queue.first };

/* The big lock keeps regions from going between this and the write. */
static Posted *take(void)
{
    Posted *p;
    MUTEX_GUARD(&queue.lock);

    p = queue.first;
    if (p) {
        queue.first = p->next;
        queue.last = queue.first ? queue.last : &queue.first;
        queue.count--;
    }
    return p;
}

/* As many as there are: what they make others post is for the next round. */
static void write_posted(UNUSED void *opaque)
{
    unsigned n;

    mutex_lock(&queue.lock);
    n = queue.count;
    mutex_unlock(&queue.lock);
    for (Posted *p; n && (p = take()); n--) {
        if (p->mr) {
            memory_region_dispatch_write(p->mr, p->addr, p->val, p->size, p->order, p->attrs);
        }
        g_free(p);
    }
}

MemResult posted_write(MemRegion *mr, hwaddr addr, uint64_t val, unsigned size, MemOrder order, MemAttrs attrs)
{
    Posted *p = g_new(Posted, 1);
    bool full, gone;

    *p = (Posted){ mr, addr, val, size, order, attrs, NULL };
    mutex_lock(&queue.lock);
    gone = mr->gone;
    full = queue.count == POSTED_MAX;
    if (!gone && !full) {
        *queue.last = p;
        queue.last = &p->next;
        queue.count++;
    }
    mutex_unlock(&queue.lock);
    if (gone || full) {
        g_free(p);
        if (full) {
            log_guest_error("memory", "more than %d writes to registers by DMA wait", POSTED_MAX);
        }
        return gone ? MEM_DECODE_ERROR : MEM_DEVICE_ERROR;
    }
    bh_once(NULL, write_posted, NULL);
    return MEM_OK;
}

void posted_forget(MemRegion *mr)
{
    MUTEX_GUARD(&queue.lock);

    __atomic_store_n(&mr->gone, true, __ATOMIC_RELAXED);
    for (Posted *p = queue.first; p; p = p->next) {
        p->mr = p->mr == mr ? NULL : p->mr;
    }
}
