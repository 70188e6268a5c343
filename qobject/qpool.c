/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "qobject/qpool.h"
#include <sys/mman.h>

/* Counted before the pieces are known: the chunk stays while it is being used up. */
#define OPEN    (UINT32_C(1) << 31)

/* After so many bytes in small chunks come large ones, for which the host may have a page in one. */
enum { SMALL_BITS = 16, LARGE_BITS = 21, SMALL_CHUNKS = 24 };

typedef struct Chunk {
    _Atomic uint32_t live;
} Chunk;

static void drop(Chunk *c, uint32_t n)
{
    if (n && atomic_fetch_sub_explicit(&c->live, n, memory_order_acq_rel) == n) {
        free(c);
    }
}

static Chunk *chunk_of(const void *p, unsigned bits)
{
    return (Chunk *)((uintptr_t)p & ~(((uintptr_t)1 << bits) - 1));
}

void qpool_release(const void *piece, unsigned bits)
{
    drop(chunk_of(piece, bits), 1);
}

static void close_chunk(QPool *p)
{
    if (p->end) {
        drop(chunk_of(p->end - 1, p->bits), OPEN - p->given);
    }
}

void qpool_close(QPool *p)
{
    close_chunk(p);
    *p = (QPool){ 0 };
}

void *qpool_refill(QPool *p, size_t size)
{
    unsigned bits = p->chunks < SMALL_CHUNKS ? SMALL_BITS : LARGE_BITS;
    size_t bytes = (size_t)1 << bits;
    Chunk *c = aligned_alloc(bytes, bytes);

    assert(size <= QPOOL_MAX);
    if (!c) {
        abort();
    }
#ifdef MADV_HUGEPAGE
    if (bits == LARGE_BITS) {
        madvise(c, bytes, MADV_HUGEPAGE);       /* a wish: small pages will do */
    }
#endif
    close_chunk(p);
    atomic_init(&c->live, OPEN);
    *p = (QPool){ (char *)c + 16, (char *)c + bytes, 0, bits, p->chunks + 1 };
    return qpool_alloc(p, size);
}
