/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NBD server's metadata contexts: what is allocated, in which image, and what bitmaps have marked. */
#include "util/osdep.h"
#include "block/nbd-int.h"
#include "block/track.h"

/* Of a request and context. Images without anything to wait for give one after the other. */
enum { LOOKUPS_MAX = 4096 };

unsigned nbd_contexts(const NbdExport *e)
{
    return NBD_CONTEXT_BITMAPS + e->n_bitmaps;
}

char *nbd_context_name(const NbdExport *e, unsigned id)
{
    switch (id) {
    case NBD_CONTEXT_ALLOCATION:
        return g_strdup("base:allocation");
    case NBD_CONTEXT_DEPTH:
        return e->allocation_depth ? g_strdup("qemu:allocation-depth") : NULL;
    default:
        return g_strconcat("qemu:dirty-bitmap:", e->bitmaps[id - NBD_CONTEXT_BITMAPS]->name, NULL);
    }
}

/* The bitmap may be of a smaller disk than the export is: what is past its end isn't marked. */
static NbdExtent bitmap_at(BlockBitmap *b, uint64_t offset, uint32_t len)
{
    uint64_t first = offset, marked;

    if (!block_bitmap_next(b, &first, len, &marked)) {
        return (NbdExtent){ len, 0 };
    }
    return first > offset ? (NbdExtent){ MIN(first - offset, len), 0 }
                          : (NbdExtent){ MIN(marked, len), NBD_STATE_DIRTY };
}

static int coroutine_fn extent_at(NbdExport *e, unsigned id, uint64_t offset, uint32_t len, NbdExtent *x)
{
    BlockStatus st;
    unsigned depth;
    int r;

    if (id >= NBD_CONTEXT_BITMAPS) {
        *x = bitmap_at(e->bitmaps[id - NBD_CONTEXT_BITMAPS], offset, len);
        return 0;
    }
    r = blk_co_status(e->blk, offset, len, &st, &depth);
    if (r < 0) {
        return r;
    }
    x->len = MIN(st.len, len);
    if (id == NBD_CONTEXT_DEPTH) {
        x->flags = st.allocated ? depth + 1 : 0;
    } else {
        x->flags = (st.data ? 0 : NBD_STATE_HOLE) | (st.zero ? NBD_STATE_ZERO : 0);
    }
    return x->len ? 0 : -EIO;
}

int coroutine_fn nbd_find_extents(NbdPeer *c, unsigned id, uint64_t offset, uint32_t len, unsigned max,
                                  GArray *extents)
{
    NbdExtent x, *last = NULL;

    for (unsigned i = 0; len > 0 && i < LOOKUPS_MAX && !c->gone; i++) {
        int r = extent_at(c->e, id, offset, len, &x);

        if (r < 0) {
            return last ? 0 : r;
        }
        if (last && last->flags == x.flags) {
            last->len += x.len;
        } else if (extents->len == max) {
            break;
        } else {
            g_array_append_val(extents, x);
            last = &g_array_index(extents, NbdExtent, extents->len - 1);
        }
        offset += x.len;
        len -= x.len;
    }
    return last ? 0 : -ESHUTDOWN;
}
