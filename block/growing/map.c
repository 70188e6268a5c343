/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing images: the pages of the map, and the order in which they are written. */
#include "util/osdep.h"
#include "block/growing/growing.h"

#define PAGES_BYTES_MAX     (32 * MIB)      /* of pages in memory that could be dropped */

static uint64_t page_at(Growing *g, uint64_t page)
{
    return g->format->page_at ? g->format->page_at(g, page) : g->map_offset + page * g->page_bytes;
}

/* The next page that isn't to be written goes. */
static void make_room(Growing *g)
{
    for (uint64_t i = 0; i < g->pages && g->loaded * g->page_bytes >= PAGES_BYTES_MAX; i++) {
        g->hand = (g->hand + 1) % g->pages;
        if (g->page[g->hand] && !g->page_dirty[g->hand]) {
            g_free(g->page[g->hand]);
            g->page[g->hand] = NULL;
            g->loaded--;
        }
    }
}

int coroutine_fn grow_map_get(Growing *g, uint64_t at, uint8_t **p)
{
    uint64_t page = at / g->page_bytes, offset;
    uint8_t *data;
    int r = 0;

    if (page >= g->pages) {
        return -EIO;
    }
    if (!g->page[page]) {
        make_room(g);
        data = g_malloc0(g->page_bytes);
        offset = page_at(g, page);
        if (offset) {
            r = format_read(g->n->file, offset, data, g->page_bytes);
        }
        if (r < 0) {
            g_free(data);
            return r;
        }
        g->page[page] = data;
        g->loaded++;
    }
    *p = g->page[page] + at % g->page_bytes;
    return 0;
}

void grow_map_changed(Growing *g, uint64_t at)
{
    g->page_dirty[at / g->page_bytes] = g->any_dirty = true;
}

int coroutine_fn grow_write_map(Growing *g)
{
    int r;

    if (g->broken) {
        return -EIO;
    }
    r = format_barrier(g->n);
    if (!g->any_dirty && !g->finish_due) {
        return r;
    }
    for (uint64_t i = 0; i < g->pages && r == 0; i++) {
        uint64_t copy = g->page_dirty[i] && g->format->copy_at ? g->format->copy_at(g, i) : 0;

        if (!g->page_dirty[i]) {
            continue;
        }
        r = format_write(g->n->file, page_at(g, i), g->page[i], g->page_bytes);
        if (r == 0 && copy) {
            r = format_write(g->n->file, copy, g->page[i], g->page_bytes);
        }
        if (r == 0) {
            g->page_dirty[i] = false;
        }
    }
    if (r == 0 && g->format->finish) {
        r = g->format->finish(g);
    }
    if (r == 0) {
        g->any_dirty = g->finish_due = false;
        r = format_barrier(g->n);
    }
    return r;
}

void grow_map_free(Growing *g)
{
    for (uint64_t i = 0; i < g->pages; i++) {
        g_free(g->page[i]);
    }
    g_clear_pointer(&g->page, g_free);
    g_clear_pointer(&g->page_dirty, g_free);
}
