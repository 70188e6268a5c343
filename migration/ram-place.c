/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/ram-place.h"

#include <glib.h>
#include <unistd.h>
#include "migration/ram-int.h"
#include "util/bswap.h"
#include "util/thread.h"

#define WORKERS_MAX     4
/* Bytes that wait to be placed. */
#define QUEUE_MAX       (8 * MIB)
/* What one thread takes at a time: pages that the host may clear together. */
#define GROUP_BITS      (21 - MEM_PAGE_BITS)

typedef struct Batch {
    struct Batch *next;
    uint8_t *buf;               /* owned: what .pages points into */
    size_t room, len;
    RamPages rest;              /* that nobody has taken */
    unsigned busy;              /* threads that place something of it */
} Batch;

struct RamPlacer {
    unsigned workers;           /* 0: there is no processor for them */
    bool started;
    Thread threads[WORKERS_MAX];
    Mutex lock;                 /* all that follows */
    Cond more, less;
    Batch *first, **last;       /* in the order in which they came */
    Batch *spare;
    size_t queued;
    bool end;
};

static uint64_t entry_at(const RamPages *p, uint32_t i, unsigned *kind)
{
    uint64_t e = load_be64(p->entries + 8 * (size_t)i);

    *kind = e & ((1 << RAM_PAGE_KIND_BITS) - 1);
    return e >> RAM_PAGE_KIND_BITS;
}

/* Contents first: reading memory that nobody has written gives it the host's page of zeros, and no huge page later. */
void ram_place(const RamPages *p)
{
    const uint8_t *data = p->data;
    unsigned kind;

    for (uint32_t i = 0; i < p->n; i++) {
        uint64_t offset = entry_at(p, i, &kind) << MEM_PAGE_BITS;

        if (kind == RAM_PAGE_PLAIN) {
            memcpy(p->block->host + offset, data, MEM_PAGE_SIZE);
            data += MEM_PAGE_SIZE;
            ram_written(p->block, offset, MEM_PAGE_SIZE);
        }
    }
    for (uint32_t i = 0; i < p->n; i++) {
        uint64_t offset = entry_at(p, i, &kind) << MEM_PAGE_BITS;
        uint8_t *host = p->block->host + offset;

        /* Untouched memory stays so. */
        if (kind == RAM_PAGE_ZERO && !page_is_zero(host)) {
            memset(host, 0, MEM_PAGE_SIZE);
            ram_written(p->block, offset, MEM_PAGE_SIZE);
        }
    }
}

/* ------------------------------------------------------------- in their time */

/* The next group, which is in batch *@from; false: nobody has to do anything. Lock held. */
static bool take(RamPlacer *p, RamPages *group, Batch **from)
{
    Batch *b = p->first;
    uint64_t huge;
    unsigned kind;

    while (b && !b->rest.n) {
        b = b->next;
    }
    if (!b) {
        return false;
    }
    *from = b;
    *group = b->rest;
    huge = entry_at(group, 0, &kind) >> GROUP_BITS;
    for (group->n = 0; group->n < b->rest.n && entry_at(&b->rest, group->n, &kind) >> GROUP_BITS == huge; group->n++) {
        b->rest.data += kind == RAM_PAGE_PLAIN ? MEM_PAGE_SIZE : 0;
    }
    b->rest.entries += 8 * (size_t)group->n;
    b->rest.n -= group->n;
    b->busy++;
    return true;
}

/* Batches that are through. Lock held. */
static void clear_away(RamPlacer *p)
{
    for (Batch **at = &p->first; *at; ) {
        Batch *b = *at;

        if (b->rest.n || b->busy) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        p->queued -= b->len;
        b->next = p->spare;
        p->spare = b;
    }
    p->last = &p->first;
    while (*p->last) {
        p->last = &(*p->last)->next;
    }
    cond_broadcast(&p->less);
}

static void *work(void *opaque)
{
    RamPlacer *p = opaque;
    RamPages group;
    Batch *b;
    MUTEX_GUARD(&p->lock);

    for (;;) {
        while (!take(p, &group, &b)) {
            if (p->end) {
                return NULL;
            }
            cond_wait(&p->more, &p->lock);
        }
        mutex_unlock(&p->lock);
        ram_place(&group);
        mutex_lock(&p->lock);
        if (!--b->busy && !b->rest.n) {
            clear_away(p);
        }
    }
}

RamPlacer *ram_placer_new(void)
{
    RamPlacer *p = g_new0(RamPlacer, 1);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    mutex_init(&p->lock);
    cond_init(&p->more);
    cond_init(&p->less);
    p->last = &p->first;
    p->workers = cpus < 2 ? 0 : (unsigned)MIN(cpus, WORKERS_MAX);
    return p;
}

void ram_placer_wait(RamPlacer *p)
{
    MUTEX_GUARD(&p->lock);
    while (p->first) {
        cond_wait(&p->less, &p->lock);
    }
}

void ram_placer_free(RamPlacer *p)
{
    if (!p) {
        return;
    }
    mutex_lock(&p->lock);
    p->end = true;
    cond_broadcast(&p->more);
    mutex_unlock(&p->lock);
    for (unsigned i = 0; p->started && i < p->workers; i++) {
        thread_join(&p->threads[i]);
    }
    for (Batch *b; (b = p->spare); ) {
        p->spare = b->next;
        g_free(b->buf);
        g_free(b);
    }
    cond_destroy(&p->more);
    cond_destroy(&p->less);
    mutex_destroy(&p->lock);
    g_free(p);
}

void ram_place_later(RamPlacer *p, const RamPages *pages, MigReader *r)
{
    Batch *b;

    if (!p->workers || !pages->n) {
        ram_place(pages);
        return;
    }
    for (unsigned i = 0; !p->started && i < p->workers; i++) {
        thread_create(&p->threads[i], "mig-place", work, p);
    }
    p->started = true;
    MUTEX_GUARD(&p->lock);
    while (p->queued > QUEUE_MAX) {
        cond_wait(&p->less, &p->lock);
    }
    b = p->spare ? p->spare : g_new0(Batch, 1);
    p->spare = p->spare ? p->spare->next : NULL;
    b->len = r->len;
    mig_exchange(r, &b->buf, &b->room);
    b->rest = *pages;
    b->next = NULL;
    *p->last = b;
    p->last = &b->next;
    p->queued += b->len;
    cond_broadcast(&p->more);
}
