/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the NBD server does with requests (P "Transmission"). */
#include "util/osdep.h"
#include "block/nbd-int.h"
#include "util/bswap.h"

/* PIECES_MAX: of a read's reply, EXTENTS_MAX: of one context's in a reply, CACHE_STEP: bytes at a time. */
enum { REQUESTS_MAX = 16, PIECES_MAX = 1024, EXTENTS_MAX = 4096, CACHE_STEP = 1024 * 1024 };

typedef struct Request {
    NbdPeer *c;
    uint16_t flags, type;
    uint64_t cookie, offset;
    uint32_t len;
    uint8_t *data;                  /* owned */
} Request;

/* Before anything is done: 0, or what is wrong with it. */
static int check(const Request *r)
{
    const NbdExport *e = r->c->e;
    bool writes = r->type == NBD_CMD_WRITE || r->type == NBD_CMD_WRITE_ZEROES;
    uint16_t flags = NBD_CMD_FUA;       /* P: fits all */

    switch (r->type) {
    case NBD_CMD_READ:
        flags |= r->c->structured ? NBD_CMD_DF : 0;
        break;
    case NBD_CMD_WRITE_ZEROES:
        flags |= NBD_CMD_NO_HOLE;
        break;
    case NBD_CMD_BLOCK_STATUS:
        flags |= NBD_CMD_REQ_ONE;
        if (!r->c->contexts || r->len == 0) {
            return -EINVAL;
        }
    }
    if (r->flags & ~flags) {
        return -EINVAL;
    }
    if (r->type != NBD_CMD_FLUSH && (r->offset > blk_length(e->blk) || r->len > blk_length(e->blk) - r->offset)) {
        return writes ? -ENOSPC : -EINVAL;
    }
    return !e->writable && (writes || r->type == NBD_CMD_TRIM) ? -EPERM : 0;
}

/* What is read is in the host's cache then. */
static int coroutine_fn cache(BlockBackend *b, uint64_t offset, uint32_t len)
{
    struct iovec v = { g_malloc(CACHE_STEP), 0 };
    int r = 0;

    len = MIN(len, (uint32_t)NBD_DATA_MAX);
    for (uint32_t done = 0; r == 0 && done < len; done += v.iov_len) {
        v.iov_len = MIN(len - done, (uint32_t)CACHE_STEP);
        r = blk_co_preadv(b, offset + done, &v, 1);
    }
    g_free(v.iov_base);
    return r;
}

static int coroutine_fn serve(Request *r)
{
    BlockBackend *b = r->c->e->blk;
    struct iovec v = { r->data, r->len };
    int result;

    switch (r->type) {
    case NBD_CMD_READ:
        return blk_co_preadv(b, r->offset, &v, 1);
    case NBD_CMD_FLUSH:
        return blk_co_flush(b);
    case NBD_CMD_CACHE:
        return cache(b, r->offset, r->len);
    case NBD_CMD_WRITE:
        result = blk_co_pwritev(b, r->offset, &v, 1);
        break;
    case NBD_CMD_TRIM:
        result = blk_co_discard(b, r->offset, r->len);
        break;
    case NBD_CMD_WRITE_ZEROES:
        result = blk_co_zero(b, r->offset, r->len, r->flags & NBD_CMD_NO_HOLE ? 0 : BLOCK_ZERO_UNMAP);
        break;
    default:
        return -EINVAL;
    }
    return result == 0 && r->flags & NBD_CMD_FUA ? blk_co_flush(b) : result;
}

/* --- replies --- */

/* False: the client is gone. */
static bool coroutine_fn send(NbdPeer *c, const struct iovec *v, size_t n)
{
    bool ok;

    co_mutex_lock(&c->sending);
    ok = !c->gone && nbd_writev(&c->st, v, n, NULL);
    if (!ok && !c->gone) {
        nbd_shut(&c->st);
    }
    co_mutex_unlock(&c->sending);
    return ok;
}

static void coroutine_fn send_simple(Request *r, int result)
{
    uint8_t head[NBD_REPLY_BYTES];
    struct iovec v[2] = { { head, sizeof(head) }, { r->data, r->len } };

    store_be32(head, NBD_REPLY_MAGIC);
    store_be32(head + 4, nbd_error_code(-result));
    store_be64(head + 8, r->cookie);
    send(r->c, v, r->type == NBD_CMD_READ && result == 0 ? 2 : 1);
}

/* P "Structured reply chunk message": @fixed comes before @data; both may be of no bytes. */
static bool coroutine_fn send_chunk(Request *r, uint16_t type, bool done, const void *fixed, uint32_t fixed_len,
                                    const void *data, uint32_t len)
{
    uint8_t head[NBD_CHUNK_BYTES];
    struct iovec v[3] = { { head, sizeof(head) }, { (void *)fixed, fixed_len }, { (void *)data, len } };

    store_be32(head, NBD_CHUNK_MAGIC);
    store_be16(head + 4, done ? NBD_CHUNK_DONE : 0);
    store_be16(head + 6, type);
    store_be64(head + 8, r->cookie);
    store_be32(head + 16, fixed_len + len);
    return send(r->c, v, 3);
}

/* The reply ends with it. No text goes along. */
static void coroutine_fn send_error(Request *r, int result)
{
    uint8_t b[6] = { 0 };

    store_be32(b, nbd_error_code(-result));
    send_chunk(r, NBD_CHUNK_ERROR, true, b, sizeof(b), NULL, 0);
}

static void coroutine_fn send_error_at(Request *r, int result, uint64_t offset)
{
    uint8_t b[14] = { 0 };

    store_be32(b, nbd_error_code(-result));
    store_be64(b + 6, offset);
    send_chunk(r, NBD_CHUNK_ERROR_OFFSET, true, b, sizeof(b), NULL, 0);
}

/* --- those with structured replies --- */

static bool coroutine_fn read_piece(Request *r, uint64_t offset, uint32_t len, bool zero, bool last)
{
    struct iovec v = { r->data, len };
    uint8_t b[12];
    int result;

    store_be64(b, offset);
    if (zero) {
        store_be32(b + 8, len);
        return send_chunk(r, NBD_CHUNK_HOLE, last, b, 12, NULL, 0);
    }
    result = blk_co_preadv(r->c->e->blk, offset, &v, 1);
    if (result < 0) {
        send_error_at(r, result, offset);
        return false;
    }
    return send_chunk(r, NBD_CHUNK_DATA, last, b, 8, r->data, len);
}

/* What is known to be zeros is told as a hole; what can't be looked up, or is too much in pieces, is data. */
static void coroutine_fn read_pieces(Request *r)
{
    GArray *pieces = g_array_new(false, false, sizeof(NbdExtent));
    uint32_t done = 0;
    bool ok = true;

    if (r->len == 0) {
        send_chunk(r, NBD_CHUNK_NONE, true, NULL, 0, NULL, 0);
    } else if (!(r->flags & NBD_CMD_DF)) {
        nbd_find_extents(r->c, NBD_CONTEXT_ALLOCATION, r->offset, r->len, PIECES_MAX, pieces);
    }
    for (unsigned i = 0; ok && done < r->len; i++) {
        NbdExtent x = { r->len - done, 0 };

        if (i < pieces->len) {
            x = g_array_index(pieces, NbdExtent, i);
        }
        ok = read_piece(r, r->offset + done, x.len, x.flags & NBD_STATE_ZERO, done + x.len == r->len);
        done += x.len;
    }
    g_array_unref(pieces);
}

/* One chunk for each context that was chosen. */
static void coroutine_fn block_status(Request *r)
{
    NbdPeer *c = r->c;
    unsigned n = nbd_contexts(c->e), last = n;
    bool ok = true;

    for (unsigned id = 0; id < n; id++) {
        last = c->contexts[id] ? id : last;
    }
    if (last == n) {
        send_error(r, -EINVAL);
        return;
    }
    for (unsigned id = 0; id <= last && ok; id++) {
        GArray *extents;
        uint8_t b[4];
        int result;

        if (!c->contexts[id]) {
            continue;
        }
        extents = g_array_new(false, false, sizeof(NbdExtent));
        result = nbd_find_extents(c, id, r->offset, r->len, r->flags & NBD_CMD_REQ_ONE ? 1 : EXTENTS_MAX, extents);
        for (unsigned i = 0; i < extents->len; i++) {
            NbdExtent *x = &g_array_index(extents, NbdExtent, i), host = *x;

            store_be32(&x->len, host.len);
            store_be32(&x->flags, host.flags);
        }
        store_be32(b, id);
        if (result < 0) {
            send_error(r, result);
            ok = false;
        } else {
            ok = send_chunk(r, NBD_CHUNK_BLOCK_STATUS, id == last, b, 4, extents->data,
                            extents->len * sizeof(NbdExtent));
        }
        g_array_unref(extents);
    }
}

static void coroutine_fn request_entry(void *opaque)
{
    Request *r = opaque;
    NbdPeer *c = r->c;
    bool chunks = c->structured && (r->type == NBD_CMD_READ || r->type == NBD_CMD_BLOCK_STATUS);
    int result = check(r);

    if (!chunks) {
        send_simple(r, result < 0 ? result : serve(r));
    } else if (result < 0) {
        send_error(r, result);
    } else if (r->type == NBD_CMD_READ) {
        read_pieces(r);
    } else {
        block_status(r);
    }
    g_free(r->data);
    g_free(r);
    c->requests--;
    if (c->waiting) {
        Coroutine *co = c->waiting;

        c->waiting = NULL;
        co_wake(co);
    }
}

void coroutine_fn nbd_wait_for_requests(NbdPeer *c, unsigned most)
{
    while (c->requests > most) {
        c->waiting = co_self();
        co_yield();
    }
}

bool coroutine_fn nbd_one_request(NbdPeer *c, Error **errp)
{
    uint8_t head[NBD_REQUEST_BYTES];
    Request *r;

    nbd_wait_for_requests(c, REQUESTS_MAX - 1);
    if (!nbd_read(&c->st, head, sizeof(head), errp)) {
        return false;
    }
    if (load_be32(head) != NBD_REQUEST_MAGIC) {
        error_setf(errp, ERR_PROTOCOL, "a wrong magic number");
        return false;
    }
    r = g_new0(Request, 1);
    *r = (Request){ .c = c, .flags = load_be16(head + 4), .type = load_be16(head + 6),
                    .cookie = load_be64(head + 8), .offset = load_be64(head + 16), .len = load_be32(head + 24) };
    if (r->type == NBD_CMD_DISC || ((r->type == NBD_CMD_READ || r->type == NBD_CMD_WRITE) &&
                                    r->len > NBD_DATA_MAX)) {
        g_free(r);
        return false;
    }
    if (r->type == NBD_CMD_READ || r->type == NBD_CMD_WRITE) {
        r->data = g_malloc(MAX(r->len, 1U));
        if (r->type == NBD_CMD_WRITE && !nbd_read(&c->st, r->data, r->len, errp)) {
            g_free(r->data);
            g_free(r);
            return false;
        }
    }
    c->requests++;
    co_start(request_entry, r);
    return true;
}
