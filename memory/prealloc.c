/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's memory is taken for a RAM block at once. */
#include "util/osdep.h"
#include <glib.h>
#include <sys/mman.h>
#include "memory/memory.h"
#include "memory/thread-context.h"
#include "util/thread.h"

/* Since Linux 5.14, and not in all headers. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

typedef struct Part {
    Thread thread;
    uint8_t *host;
    uint64_t size;
    int error;
} Part;

typedef struct Prealloc {
    Part *parts;
    unsigned n;
} Prealloc;

static void *take(void *opaque)
{
    Part *p = opaque;

    if (!p->size || madvise(p->host, p->size, MADV_POPULATE_WRITE) == 0) {
        return NULL;
    }
    if (errno != EINVAL) {
        p->error = errno;
        return NULL;
    }
    for (uint64_t at = 0; at < p->size; at += MEM_PAGE_SIZE) {
        volatile uint8_t *b = p->host + at;

        *b = *b;
    }
    return NULL;
}

static void take_all(void *opaque)
{
    Prealloc *a = opaque;

    for (unsigned i = 0; i < a->n; i++) {
        thread_create(&a->parts[i].thread, "touch pages", take, &a->parts[i]);
    }
    for (unsigned i = 0; i < a->n; i++) {
        thread_join(&a->parts[i].thread);
    }
}

bool ram_prealloc(RamBlock *block, unsigned threads, ThreadContext *c, Error **errp)
{
    uint64_t piece = ALIGN_UP(DIV_ROUND_UP(block->size, MAX(threads, 1U)), UINT64_C(2) * MIB), done = 0;
    Prealloc a = { .n = MAX(threads, 1U) };
    int error = 0;

    a.parts = g_new0(Part, a.n);
    for (unsigned i = 0; i < a.n; i++) {
        a.parts[i].host = block->host + done;
        a.parts[i].size = MIN(piece, block->size - done);
        done += a.parts[i].size;
    }
    if (c) {
        thread_context_run(c, take_all, &a);
    } else {
        take_all(&a);
    }
    for (unsigned i = 0; i < a.n; i++) {
        error = error ? error : a.parts[i].error;
    }
    g_free(a.parts);
    if (error) {
        error_set_errno(errp, error, "the host has no %" PRIu64 " bytes of memory for '%s'", block->size, block->id);
    }
    return !error;
}
