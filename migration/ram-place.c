/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/osdep.h"
#include "migration/ram-place.h"

#include <glib.h>
#include <unistd.h>
#include "migration/ram-int.h"
#include "util/bswap.h"
#include "util/thread.h"

/* What one thread takes at a time: pages that the host may clear together. */
#define GROUP_BITS      (21 - MEM_PAGE_BITS)

typedef struct Group {
    const uint8_t *entries, *data;
    uint32_t n;
} Group;

typedef struct Work {
    RamBlock *block;
    Group *groups;
    unsigned n;
    atomic_uint next;           /* the first group that nobody has taken */
} Work;

struct RamPlacer {
    Mutex lock;                 /* whoever has work for the helper holds it */
    Thread helper;
    bool started;               /* lock */
    bool alone;                 /* there is no processor for a helper */
    Work *work;                 /* the helper's, between go and done; NULL: end */
    Event go, done;
};

static void place_group(RamBlock *b, const Group *g)
{
    const uint8_t *data = g->data;

    for (uint32_t i = 0; i < g->n; i++) {
        uint64_t e = load_be64(g->entries + 8 * (size_t)i), offset = e >> RAM_PAGE_KIND_BITS << MEM_PAGE_BITS;
        uint8_t *host = b->host + offset;

        if ((e & ((1 << RAM_PAGE_KIND_BITS) - 1)) == RAM_PAGE_PLAIN) {
            memcpy(host, data, MEM_PAGE_SIZE);
            data += MEM_PAGE_SIZE;
        } else if (!page_is_zero(host)) {
            memset(host, 0, MEM_PAGE_SIZE);
        } else {
            continue;           /* untouched memory stays so */
        }
        ram_written(b, offset, MEM_PAGE_SIZE);
    }
}

static void place_groups(Work *w)
{
    unsigned i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->n) {
        place_group(w->block, &w->groups[i]);
    }
}

static void *helper(void *opaque)
{
    RamPlacer *p = opaque;

    for (;;) {
        event_wait(&p->go);
        event_reset(&p->go);
        if (!p->work) {
            return NULL;
        }
        place_groups(p->work);
        event_set(&p->done);
    }
}

RamPlacer *ram_placer_new(void)
{
    RamPlacer *p = g_new0(RamPlacer, 1);

    mutex_init(&p->lock);
    event_init(&p->go, false);
    event_init(&p->done, false);
    p->alone = sysconf(_SC_NPROCESSORS_ONLN) < 2;
    return p;
}

void ram_placer_free(RamPlacer *p)
{
    if (!p) {
        return;
    }
    if (p->started) {
        p->work = NULL;
        event_set(&p->go);
        thread_join(&p->helper);
    }
    mutex_destroy(&p->lock);
    g_free(p);
}

/* Entries of one huge page together. */
static Group *make_groups(const uint8_t *entries, uint32_t n, const uint8_t *data, unsigned *count)
{
    GArray *a = g_array_new(false, false, sizeof(Group));
    uint64_t now = UINT64_MAX;

    for (uint32_t i = 0; i < n; i++, entries += 8) {
        uint64_t e = load_be64(entries);

        if (e >> (RAM_PAGE_KIND_BITS + GROUP_BITS) != now) {
            now = e >> (RAM_PAGE_KIND_BITS + GROUP_BITS);
            g_array_append_val(a, ((Group){ .entries = entries, .data = data }));
        }
        g_array_index(a, Group, a->len - 1).n++;
        if ((e & ((1 << RAM_PAGE_KIND_BITS) - 1)) == RAM_PAGE_PLAIN) {
            data += MEM_PAGE_SIZE;
        }
    }
    *count = a->len;
    return (Group *)(void *)g_array_free(a, false);
}

void ram_place(RamPlacer *p, RamBlock *b, const uint8_t *entries, uint32_t n, const uint8_t *data)
{
    Work w = { .block = b };

    w.groups = make_groups(entries, n, data, &w.n);
    /* Another channel's thread that has the helper is help enough. */
    if (w.n > 1 && !p->alone && mutex_trylock(&p->lock)) {
        if (!p->started) {
            thread_create(&p->helper, "mig-place", helper, p);
            p->started = true;
        }
        p->work = &w;
        event_set(&p->go);
        place_groups(&w);
        event_wait(&p->done);
        event_reset(&p->done);
        mutex_unlock(&p->lock);
    } else {
        place_groups(&w);
    }
    g_free(w.groups);
}
