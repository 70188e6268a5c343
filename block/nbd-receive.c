/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver "nbd": answers, simple ones and those in chunks (P "Transmission phase"). */
#include "util/osdep.h"
#include <glib.h>
#include "block/nbd-client.h"
#include "util/bswap.h"
#include "util/iov.h"

/* Of what comes with an error, and of a block status' reply. */
enum { TEXT_MAX = 64 * 1024, STATUS_MAX = 1024 * 1024 };

static NbdWait **find(NbdWait **sent, uint64_t cookie)
{
    while (*sent && (*sent)->cookie != cookie) {
        sent = &(*sent)->next;
    }
    return sent;
}

/* Bytes [@offset, @offset + @len) of a read's answer; @zero: none of them come. */
static bool coroutine_fn piece(NbdLink *l, NbdWait *w, uint64_t offset, uint32_t len, bool zero)
{
    struct iovec *part;
    size_t n;
    bool ok = true;

    if (w->type != NBD_CMD_READ || offset < w->offset || len > w->len - w->got || offset - w->offset > w->len - len) {
        return false;
    }
    w->got += len;
    if (zero) {
        iov_memset(w->iov, w->niov, offset - w->offset, 0, len);
    } else if (len == w->len) {
        ok = nbd_readv(&l->st, w->iov, w->niov, NULL);
    } else {
        part = g_new(struct iovec, w->niov);
        n = iov_slice(part, w->niov, w->iov, w->niov, offset - w->offset, len);
        ok = nbd_readv(&l->st, part, n, NULL);
        g_free(part);
    }
    return ok;
}

/* The first extent is taken; the rest would be good for nothing. */
static bool coroutine_fn status(NbdLink *l, NbdWait *w, uint32_t len)
{
    uint8_t b[12];

    if (w->type != NBD_CMD_BLOCK_STATUS || w->got || len < sizeof(b) || (len - 4) % 8 || len > STATUS_MAX ||
        !nbd_read(&l->st, b, sizeof(b), NULL) || load_be32(b) != l->context || load_be32(b + 4) == 0) {
        return false;
    }
    *w->extent = (NbdExtent){ MIN(load_be32(b + 4), w->len), load_be32(b + 8) };
    w->got = 1;
    return nbd_skip(&l->st, len - sizeof(b), NULL);
}

/* An error, with text and perhaps a place. */
static bool coroutine_fn failure(NbdLink *l, NbdWait *w, uint32_t len)
{
    uint8_t b[4];

    if (len < sizeof(b) || len > TEXT_MAX || !nbd_read(&l->st, b, sizeof(b), NULL)) {
        return false;
    }
    w->result = -nbd_errno(load_be32(b));
    w->result = w->result ? w->result : -EIO;
    return nbd_skip(&l->st, len - sizeof(b), NULL);
}

static bool coroutine_fn chunk_data(NbdLink *l, NbdWait *w, uint16_t type, uint32_t len)
{
    uint8_t b[12];

    switch (type) {
    case NBD_CHUNK_NONE:
        return len == 0;
    case NBD_CHUNK_DATA:
        return len > 8 && nbd_read(&l->st, b, 8, NULL) && piece(l, w, load_be64(b), len - 8, false);
    case NBD_CHUNK_HOLE:
        return len == 12 && nbd_read(&l->st, b, 12, NULL) && piece(l, w, load_be64(b), load_be32(b + 8), true);
    case NBD_CHUNK_BLOCK_STATUS:
        return status(l, w, len);
    default:
        return type & NBD_CHUNK_IS_ERROR && failure(l, w, len);
    }
}

/* A request without an error must have got all that it asked for. */
static int outcome(const NbdWait *w)
{
    uint32_t wanted = w->type == NBD_CMD_READ ? w->len : w->type == NBD_CMD_BLOCK_STATUS ? 1 : 0;

    return w->result == 0 && w->got != wanted ? -EIO : w->result;
}

static bool coroutine_fn chunk(NbdLink *l, const uint8_t *head, NbdWait **sent, NbdWait **done)
{
    NbdWait **at = find(sent, load_be64(head + 8)), *w = *at;
    uint8_t more[NBD_CHUNK_BYTES - NBD_REPLY_BYTES];

    if (!l->structured || !w || !nbd_read(&l->st, more, sizeof(more), NULL) ||
        !chunk_data(l, w, load_be16(head + 6), load_be32(more))) {
        return false;
    }
    if (load_be16(head + 4) & NBD_CHUNK_DONE) {
        /* Others may have been sent meanwhile. */
        at = find(sent, w->cookie);
        *at = w->next;
        w->result = outcome(w);
        *done = w;
    }
    return true;
}

static bool coroutine_fn simple(NbdLink *l, const uint8_t *head, NbdWait **sent, NbdWait **done)
{
    NbdWait **at = find(sent, load_be64(head + 8)), *w = *at;

    /* P: with structured replies agreed on, reads and block status come so. */
    if (!w || (l->structured && (w->type == NBD_CMD_READ || w->type == NBD_CMD_BLOCK_STATUS))) {
        return false;
    }
    w->result = -nbd_errno(load_be32(head + 4));
    if (w->result == 0 && w->type == NBD_CMD_READ && !nbd_readv(&l->st, w->iov, w->niov, NULL)) {
        return false;
    }
    at = find(sent, w->cookie);
    *at = w->next;
    *done = w;
    return true;
}

bool coroutine_fn nbd_receive(NbdLink *l, NbdWait **sent, NbdWait **done)
{
    uint8_t head[NBD_REPLY_BYTES];

    *done = NULL;
    if (!nbd_read(&l->st, head, sizeof(head), NULL)) {
        return false;
    }
    switch (load_be32(head)) {
    case NBD_REPLY_MAGIC:
        return simple(l, head, sent, done);
    case NBD_CHUNK_MAGIC:
        return chunk(l, head, sent, done);
    default:
        return false;
    }
}
