/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing images: requests, by the map of the format. */
#include "util/osdep.h"
#include "block/growing/growing.h"
#include "util/iov.h"

static Growing *of(BlockNode *n)
{
    return n->state;                /* first in each format's state */
}

void grow_init(Growing *g, BlockNode *n, const GrowFormat *format)
{
    g->n = n;
    g->format = format;
    g->blocks = DIV_ROUND_UP(g->size, g->block_size);
    g->page = g_new0(uint8_t *, MAX(g->pages, UINT64_C(1)));
    g->page_dirty = g_malloc0(MAX(g->pages, UINT64_C(1)));
    co_mutex_init(&g->lock);
}

/* --- where blocks are --- */

/* Under the lock. What a place must be is the same for all formats. */
static int coroutine_fn find(Growing *g, uint64_t block, GrowPlace *p)
{
    int64_t length;
    int r = g->format->find(g, block, p);

    if (r < 0 || (p->kind != GROW_DATA && p->kind != GROW_PACKED)) {
        return r;
    }
    length = block_length(g->n->file);
    if (p->offset % 512 || p->offset < g->first || length < 0 || p->offset >= (uint64_t)length) {
        return grow_broken(g, "block %" PRIu64 " is at offset 0x%" PRIx64 ", which isn't a place for data in the file's %" PRId64
                           " bytes", block, p->offset, length);
    }
    return 0;
}

static int coroutine_fn find_locked(Growing *g, uint64_t block, GrowPlace *p)
{
    int r;

    co_mutex_lock(&g->lock);
    r = find(g, block, p);
    co_mutex_unlock(&g->lock);
    return r;
}

/* --- reading --- */

static int coroutine_fn read_packed(Growing *g, const GrowPlace *p, uint64_t in, const struct iovec *iov, size_t niov, size_t at,
                                    size_t len)
{
    uint8_t *out = g_malloc(g->block_size);
    int r;

    co_mutex_lock(&g->lock);
    r = g->format->unpack(g, p, out);
    co_mutex_unlock(&g->lock);
    if (r == 0) {
        iov_from_buf(iov, niov, at, out + in, len);
    }
    g_free(out);
    return r;
}

/* Bytes [@in, @in + @len) of a block that has a place; @at: in the buffers. */
static int coroutine_fn transfer(Growing *g, bool write, uint64_t offset, const struct iovec *iov, size_t niov, size_t at, size_t len)
{
    struct iovec *part = g_new(struct iovec, niov);
    size_t n = iov_slice(part, niov, iov, niov, at, len);
    int r = write ? block_co_pwritev(g->n->file, offset, part, n) : block_co_preadv(g->n->file, offset, part, n);

    g_free(part);
    return r;
}

int coroutine_fn grow_co_preadv(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    Growing *g = of(n);
    size_t len = iov_size(iov, niov), done = 0;
    int r = 0;

    while (done < len && r == 0) {
        uint64_t in = (offset + done) % g->block_size;
        size_t part = MIN(len - done, g->block_size - in);
        GrowPlace p;

        r = find_locked(g, (offset + done) / g->block_size, &p);
        if (r < 0) {
            break;
        }
        if (p.kind == GROW_DATA) {
            r = transfer(g, false, p.offset + in, iov, niov, done, part);
        } else if (p.kind == GROW_PACKED) {
            r = read_packed(g, &p, in, iov, niov, done, part);
        } else {
            iov_memset(iov, niov, done, 0, part);
        }
        done += part;
    }
    return r;
}

/* --- writing --- */

/* The file's space for a new block: zeros, whatever was left there. */
static int coroutine_fn clear_space(Growing *g, uint64_t offset, uint64_t len)
{
    BlockNode *file = g->n->file;
    int64_t length = block_length(file);
    int r = length < 0 ? length : 0;

    if (r == 0 && offset < (uint64_t)length) {
        r = block_co_zero(file, offset, MIN(len, length - offset), BLOCK_ZERO_UNMAP);
    }
    if (r == 0 && offset + len > (uint64_t)length) {
        r = file->drv->co_truncate ? file->drv->co_truncate(file, offset + len, NULL)
                                   : block_co_write_zeros(file, length, offset + len - length);
    }
    return r;
}

/* Under the lock: a block without a place gets one, with @len bytes of the buffers at byte @in of it. */
static int coroutine_fn write_new(Growing *g, uint64_t block, uint64_t in, const struct iovec *iov, size_t niov, size_t at, size_t len)
{
    uint64_t start = ALIGN_UP(g->end, g->align), data = start + g->lead;
    int r = 0;

    if (start > INT64_MAX - g->lead - g->block_size) {
        return -EFBIG;
    }
    if (!g->begun && g->format->begin) {
        r = g->format->begin(g);
    }
    if (r == 0) {
        g->begun = true;
        r = clear_space(g, start, g->lead + g->block_size);
    }
    if (r == 0 && g->format->lead) {
        r = g->format->lead(g, start);
    }
    if (r == 0) {
        r = transfer(g, true, data + in, iov, niov, at, len);
    }
    if (r == 0) {
        r = g->format->place(g, block, data);
    }
    if (r == 0) {
        g->end = MAX(g->end, data + g->block_size);
        g->finish_due = true;
    }
    return r;
}

static int coroutine_fn write_piece(Growing *g, uint64_t offset, const struct iovec *iov, size_t niov, size_t at, size_t len)
{
    uint64_t block = offset / g->block_size, in = offset % g->block_size;
    GrowPlace p;
    int r;

    co_mutex_lock(&g->lock);
    r = g->broken ? -EIO : find(g, block, &p);
    if (r == 0 && p.kind == GROW_PACKED) {
        r = -ENOTSUP;
    }
    if (r == 0 && p.kind == GROW_DATA && !g->begun && g->format->begin) {
        r = g->format->begin(g);
        g->begun = r == 0;
    }
    if (r == 0 && p.kind != GROW_DATA) {
        r = write_new(g, block, in, iov, niov, at, len);
        co_mutex_unlock(&g->lock);
        return r;
    }
    co_mutex_unlock(&g->lock);
    return r < 0 ? r : transfer(g, true, p.offset + in, iov, niov, at, len);
}

int coroutine_fn grow_co_pwritev(BlockNode *n, uint64_t offset, const struct iovec *iov, size_t niov)
{
    Growing *g = of(n);
    size_t len = iov_size(iov, niov), done = 0;
    int r = 0;

    while (done < len && r == 0) {
        size_t part = MIN(len - done, g->block_size - (offset + done) % g->block_size);

        r = write_piece(g, offset + done, iov, niov, done, part);
        done += part;
    }
    return r;
}

/* Blocks that have no place read as zeros already. */
int coroutine_fn grow_co_zero(BlockNode *n, uint64_t offset, uint64_t len, UNUSED unsigned flags)
{
    Growing *g = of(n);
    int r = 0;

    while (len > 0 && r == 0) {
        uint64_t in = offset % g->block_size, part = MIN(len, g->block_size - in);
        GrowPlace p;

        co_mutex_lock(&g->lock);
        r = g->broken ? -EIO : find(g, offset / g->block_size, &p);
        if (r == 0 && p.kind == GROW_DATA && !g->begun && g->format->begin) {
            r = g->format->begin(g);
            g->begun = r == 0;
        }
        co_mutex_unlock(&g->lock);
        if (r == 0 && p.kind == GROW_PACKED) {
            r = -ENOTSUP;
        } else if (r == 0 && p.kind == GROW_DATA) {
            r = block_co_zero(n->file, p.offset + in, part, 0);
        }
        offset += part;
        len -= part;
    }
    /* "Not supported" would have the zeros written as data. */
    return r == -ENOTSUP ? -EROFS : r;
}

int coroutine_fn grow_co_flush(BlockNode *n)
{
    Growing *g = of(n);
    int r;

    co_mutex_lock(&g->lock);
    r = n->read_only ? 0 : grow_write_map(g);
    co_mutex_unlock(&g->lock);
    return r;
}

/* --- what the block layer asks for --- */

int64_t grow_length(BlockNode *n)
{
    return of(n)->size;
}

int coroutine_fn grow_co_status(BlockNode *n, uint64_t offset, uint64_t len, BlockStatus *st)
{
    Growing *g = of(n);
    uint64_t block = offset / g->block_size, in = offset % g->block_size;
    GrowPlace p, next;
    int r;

    *st = (BlockStatus){ .len = MIN(len, g->block_size - in) };
    co_mutex_lock(&g->lock);
    r = find(g, block, &p);
    /* The run goes on as long as blocks are alike, and follow each other in the file. */
    while (r == 0 && st->len < len && p.kind != GROW_PACKED && find(g, ++block, &next) == 0 && next.kind == p.kind &&
           (p.kind != GROW_DATA || next.offset == p.offset + in + st->len)) {
        st->len = MIN(len, st->len + g->block_size);
    }
    co_mutex_unlock(&g->lock);
    if (r < 0) {
        return r;
    }
    st->allocated = p.kind != GROW_HOLE || !n->drv->has_backing;
    st->data = p.kind == GROW_DATA || p.kind == GROW_PACKED;
    st->zero = !st->data;
    st->compressed = p.kind == GROW_PACKED;
    st->has_offset = p.kind == GROW_DATA;
    st->offset = st->has_offset ? p.offset + in : 0;
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void finding(BlockCheck *c, const char *fmt, ...)
{
    char *text;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    c->corruptions++;
    if (c->tell) {
        c->tell(c->opaque, text);
    }
    g_free(text);
}

int coroutine_fn grow_co_check(BlockNode *n, UNUSED unsigned fix, BlockCheck *c, Error **errp)
{
    Growing *g = of(n);
    GArray *places = g_array_new(false, false, sizeof(uint64_t));
    int64_t length = block_length(n->file);
    uint64_t last = 0, size = 0;
    int r = 0;

    co_mutex_lock(&g->lock);
    c->total = g->blocks;
    for (uint64_t b = 0; b < g->blocks; b++) {
        GrowPlace p;

        r = g->format->find(g, b, &p);
        if (r < 0 && g->broken) {
            finding(c, "ERROR: block %" PRIu64 " has an impossible entry in the map", b);
            g->broken = false;
            continue;
        }
        if (r < 0) {
            error_set_errno(errp, -r, "can't read the map of '%s'", n->filename);
            break;
        }
        if (p.kind == GROW_HOLE || p.kind == GROW_ZERO) {
            continue;
        }
        c->allocated++;
        c->compressed += p.kind == GROW_PACKED;
        size = p.kind == GROW_DATA ? g->block_size : 512;
        if (p.offset % 512 || p.offset < g->first || p.offset >= (uint64_t)MAX(length, INT64_C(0))) {
            finding(c, "ERROR: block %" PRIu64 " is at offset 0x%" PRIx64 ", which isn't a place for data", b, p.offset);
            continue;
        }
        c->fragmented += last && p.offset != last + g->block_size + g->lead;
        last = p.offset;
        c->end_offset = MAX(c->end_offset, p.offset + size);
        g_array_append_val(places, p.offset);
    }
    co_mutex_unlock(&g->lock);
    g_array_sort(places, by_offset);
    for (guint i = 1; i < places->len; i++) {
        uint64_t before = g_array_index(places, uint64_t, i - 1), at = g_array_index(places, uint64_t, i);

        if (at - before < (c->compressed ? 1 : g->block_size)) {
            finding(c, "ERROR: two blocks are at offset 0x%" PRIx64, at);
        }
    }
    g_array_free(places, true);
    return r < 0 && !c->corruptions ? r : 0;
}

typedef struct Write {
    Growing *g;
    int result;
} Write;

static void coroutine_fn write_entry(void *opaque)
{
    Write *w = opaque;

    co_mutex_lock(&w->g->lock);
    w->result = grow_write_map(w->g);
    co_mutex_unlock(&w->g->lock);
}

static int write_all(Growing *g)
{
    Write w = { .g = g };

    if (g->any_dirty || g->finish_due) {
        block_run(write_entry, &w);
    }
    return w.result;
}

void grow_close(Growing *g)
{
    format_close_failed(g->n, g->n->read_only ? 0 : write_all(g));
    grow_map_free(g);
    co_mutex_destroy(&g->lock);
}

bool grow_inactivate(BlockNode *n, Error **errp)
{
    int r = write_all(of(n));

    if (r < 0) {
        error_set_errno(errp, -r, "the image '%s' can't be written", n->filename);
    }
    return r == 0;
}

bool grow_reopen(BlockNode *n, bool read_only, Error **errp)
{
    return !read_only || grow_inactivate(n, errp);
}

void grow_limits(UNUSED BlockNode *n, BlockLimits *l)
{
    l->request_alignment = l->memory_alignment = 0;
}

void grow_info(BlockNode *n, BlockFormatInfo *info)
{
    *info = (BlockFormatInfo){ .cluster_size = of(n)->block_size, .corrupt = of(n)->broken };
}
