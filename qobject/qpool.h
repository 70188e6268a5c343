/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for the values of a large document: pieces of chunks, one behind the other. A chunk goes when all of its
 * pieces have been given back, in any order and by any thread; getting pieces is for one thread. What holds
 * one piece holds 64 KiB, or 2 MiB of a document that is larger than that, so this is for what is read and dropped together.
 */
#ifndef QOBJECT_QPOOL_H
#define QOBJECT_QPOOL_H

#include "util/osdep.h"
#include "qobject/qobject.h"

#define QPOOL_MAX       4096        /* bytes of a piece */

typedef struct QPool {
    char *at, *end;                 /* what is left of the chunk; NULL: there is none */
    uint32_t given;                 /* pieces of it */
    unsigned bits;                  /* log2 of its size, which its pieces must remember */
    unsigned chunks;                /* begun since the last close */
} QPool;

/* The current chunk is full, or no more is wanted. */
void qpool_close(QPool *p);
void *qpool_refill(QPool *p, size_t size);
/* Give back one piece of a chunk of 1 << @bits bytes. */
void qpool_release(const void *piece, unsigned bits);

/* @size up to QPOOL_MAX; not zeroed. */
static inline void *qpool_alloc(QPool *p, size_t size)
{
    char *piece = p->at;

    size = (size + 7) & ~(size_t)7;
    if (size > (size_t)(p->end - piece)) {
        return qpool_refill(p, size);
    }
    p->at = piece + size;
    p->given++;
    return piece;
}

/* Values whose content is known already, from @pool or (NULL) from the heap. The references become theirs. */
QObject *qstring_from_pool(QPool *pool, const char *s, size_t len);
QDict *qdict_from_entries(QPool *pool, const QDictEntry *entries, size_t n);
QList *qlist_from_entries(QPool *pool, const QDictEntry *entries, size_t n);
QObject *qnum_from_pool(QPool *pool, int64_t value);

#endif
