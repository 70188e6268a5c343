/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/qpool.h"

/* Counted before the pieces are known: the chunk stays while it is being used up. */
#define OPEN    (UINT32_C(1) << 31)

typedef struct Chunk {
    _Atomic uint32_t live;
} Chunk;

static void drop(Chunk *c, uint32_t n)
{
    if (n && atomic_fetch_sub_explicit(&c->live, n, memory_order_acq_rel) == n) {
        free(c);
    }
}

static Chunk *chunk_of(const void *p)
{
    return (Chunk *)((uintptr_t)p & ~(uintptr_t)(QPOOL_CHUNK - 1));
}

void qpool_release(const void *piece)
{
    drop(chunk_of(piece), 1);
}

void qpool_close(QPool *p)
{
    if (p->end) {
        drop(chunk_of(p->end - 1), OPEN - p->given);
    }
    *p = (QPool){ 0 };
}

void *qpool_refill(QPool *p, size_t size)
{
    Chunk *c = aligned_alloc(QPOOL_CHUNK, QPOOL_CHUNK);

    assert(size <= QPOOL_MAX);
    if (!c) {
        abort();
    }
    qpool_close(p);
    atomic_init(&c->live, OPEN);
    *p = (QPool){ .at = (char *)c + 16, .end = (char *)c + QPOOL_CHUNK };
    return qpool_alloc(p, size);
}
