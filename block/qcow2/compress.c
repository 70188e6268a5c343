/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: compressed clusters. Raw deflate with a window of 4 KiB, or zstd frames. */
#include "util/osdep.h"
#include <zlib.h>
#include "config.h"
#include "block/qcow2/qcow2.h"
#include "util/thread-pool.h"
#ifdef CONFIG_ZSTD
#include <zstd.h>
#endif

#define DEFLATE_WINDOW_BITS     (-12)

typedef struct Job {
    const uint8_t *in;
    uint8_t *out;
    size_t in_len, out_len;         /* out_len: the room */
    bool zstd;
} Job;

static int inflate_raw(const Job *j)
{
    z_stream z = { .next_in = (Bytef *)j->in, .avail_in = j->in_len, .next_out = j->out,
                   .avail_out = j->out_len };
    int r;

    if (inflateInit2(&z, DEFLATE_WINDOW_BITS) != Z_OK) {
        return -ENOMEM;
    }
    r = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    /* The data ends where a cluster is full, whatever follows in the sector. */
    return (r == Z_STREAM_END || r == Z_BUF_ERROR || r == Z_OK) && z.avail_out == 0 ? 0 : -EIO;
}

#ifdef CONFIG_ZSTD
static int zstd_unpack(const Job *j)
{
    ZSTD_outBuffer out = { j->out, j->out_len, 0 };
    ZSTD_inBuffer in = { j->in, j->in_len, 0 };
    ZSTD_DCtx *d = ZSTD_createDCtx();
    size_t r = 1;

    while (d && out.pos < out.size && r != 0) {
        size_t before = in.pos + out.pos;

        r = ZSTD_decompressStream(d, &out, &in);
        if (ZSTD_isError(r) || in.pos + out.pos == before) {
            break;
        }
    }
    ZSTD_freeDCtx(d);
    return !d ? -ENOMEM : out.pos == out.size ? 0 : -EIO;
}
#endif

static int unpack(void *arg)
{
    Job *j = arg;

#ifdef CONFIG_ZSTD
    if (j->zstd) {
        return zstd_unpack(j);
    }
#endif
    return inflate_raw(j);
}

/* How many bytes came out; -ENOSPC: it doesn't get smaller. */
static int pack(void *arg)
{
    Job *j = arg;
    z_stream z = { .next_in = (Bytef *)j->in, .avail_in = j->in_len, .next_out = j->out,
                   .avail_out = j->out_len };
    int r;

#ifdef CONFIG_ZSTD
    if (j->zstd) {
        size_t n = ZSTD_compress(j->out, j->out_len, j->in, j->in_len, ZSTD_CLEVEL_DEFAULT);

        return ZSTD_isError(n) ? -ENOSPC : (int)n;
    }
#endif
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, DEFLATE_WINDOW_BITS, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return -ENOMEM;
    }
    r = deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return r == Z_STREAM_END ? (int)(j->out_len - z.avail_out) : -ENOSPC;
}

int coroutine_fn qcow2_read_compressed(Qcow2 *s, uint64_t entry, uint8_t *cluster)
{
    uint64_t offset, len;
    int64_t file = block_length(s->n->file);
    Job j = { .out = cluster, .out_len = s->cluster_size, .zstd = s->compression == 1 };
    uint8_t *in;
    int r;

    qcow2_compressed_place(s, entry, &offset, &len);
    if (file < 0 || offset >= (uint64_t)file) {
        return qcow2_broken(s, "a compressed cluster at 0x%" PRIx64 " is past the end of the file",
                            offset);
    }
    /* Of the last sector only what was written is there. */
    len = MIN(len, (uint64_t)file - offset);
    in = g_try_malloc(len);
    if (!in) {
        return -ENOMEM;
    }
    r = qcow2_read(s, offset, in, len);
    j.in = in;
    j.in_len = len;
    if (r == 0) {
        r = thread_pool_co(unpack, &j);
    }
    g_free(in);
    return r;
}

/* --- writing --- */

/* Room for @len bytes behind what was written last, or in new clusters. Each cluster counts once for
 * each compressed one in it. */
static int64_t coroutine_fn alloc_bytes(Qcow2 *s, uint64_t len)
{
    uint64_t at = s->free_byte, room = at ? s->cluster_size - (at & (s->cluster_size - 1)) : 0;
    uint64_t count = 0, offset;
    int64_t r;

    if (room == s->cluster_size) {
        room = 0;
    }
    if (room) {
        r = qcow2_refcount_get(s, at >> s->cluster_bits, &count);
        if (r < 0) {
            return r;
        }
        if (count == 0 || count >= s->refcount_max) {
            room = 0;
        }
    }
    if (room && len <= room) {
        r = qcow2_refcount_add(s, at >> s->cluster_bits, 1, 1);
        s->free_byte = at + len;
        return r < 0 ? r : (int64_t)at;
    }
    r = qcow2_alloc(s, 1, true, &offset);
    if (r < 0) {
        return r;
    }
    if (room && offset == at + room) {          /* it goes on in the next one */
        r = qcow2_refcount_add(s, at >> s->cluster_bits, 1, 1);
    } else {
        at = offset;
    }
    s->free_byte = at + len;
    return r < 0 ? r : (int64_t)at;
}

static int coroutine_fn link_compressed(Qcow2 *s, uint64_t guest, uint64_t at, uint64_t len)
{
    unsigned x = 62 - (s->cluster_bits - 8);
    uint64_t sectors = ((at + len - 1) >> 9) - (at >> 9);
    uint32_t i = l2_index_of(s, guest);
    Table *t;
    int r = qcow2_l2_get(s, guest, &t);

    if (r == 0) {
        qcow2_free_entry(s, qcow2_l2_entry(s, t, i), false);
        qcow2_l2_set(s, t, i, FLAG_COMPRESSED | sectors << x | at, 0);
        qcow2_table_put(t);
    }
    return r;
}

int coroutine_fn qcow2_co_write_compressed(BlockNode *n, uint64_t offset, const void *buf, size_t len)
{
    Qcow2 *s = n->state;
    uint8_t *in = (uint8_t *)buf, *own = NULL, *out;
    Job j = { .in_len = s->cluster_size, .out_len = s->cluster_size - 1, .zstd = s->compression == 1 };
    int64_t at;
    int r;

    if (offset & (s->cluster_size - 1) || len > s->cluster_size) {
        return -EINVAL;
    }
    if (s->crypt_method) {
        return -ENOTSUP;            /* compressed clusters aren't encrypted */
    }
    if (len < s->cluster_size) {                /* the end of the disk */
        in = own = g_malloc0(s->cluster_size);
        memcpy(own, buf, len);
    }
    j.in = in;
    j.out = out = g_malloc(s->cluster_size);
    r = thread_pool_co(pack, &j);
    if (r >= 0) {
        size_t packed = r;

        co_mutex_lock(&s->lock);
        at = alloc_bytes(s, packed);
        r = at < 0 ? at : qcow2_write(s, at, out, packed);
        if (r == 0 && (uint64_t)at + packed > BIT64(62 - (s->cluster_bits - 8))) {
            r = -EFBIG;
        }
        if (r == 0) {
            r = link_compressed(s, offset, at, packed);
        }
        co_mutex_unlock(&s->lock);
    } else if (r == -ENOSPC) {
        struct iovec v = { (void *)buf, len };

        r = qcow2_pwrite(s, offset, &v, 1);
    }
    g_free(out);
    g_free(own);
    return r;
}
