/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM records compressed with zlib or zstd. */
#include "util/osdep.h"
#include "migration/multifd.h"

#include "config.h"
#include <glib.h>
#include <zlib.h>
#ifdef CONFIG_ZSTD
#include <zstd.h>
#endif

/* What a record of pages has at most, amply: nobody makes us allocate more. */
#define CONTENTS_MAX    (2 * RAM_RECORD_MOST)
#define RECORD_HEAD     8       /* tag and length, in a writer's buffer */

bool mig_compression_is_there(MultiFDCompression method)
{
#ifndef CONFIG_ZSTD
    if (method == MULTI_FD_COMPRESSION_ZSTD) {
        return false;
    }
#endif
    return method < MULTI_FD_COMPRESSION__MAX;
}

static size_t deflate_to(uint8_t *out, size_t room, const uint8_t *in, size_t len, int level)
{
    uLongf n = room;

    return compress2(out, &n, in, len, level) == Z_OK ? n : 0;
}

static size_t zstd_to(uint8_t *out, size_t room, const uint8_t *in, size_t len, int level)
{
#ifdef CONFIG_ZSTD
    size_t n = ZSTD_compress(out, room, in, len, level);

    return ZSTD_isError(n) ? 0 : n;
#else
    (void)out;
    (void)room;
    (void)in;
    (void)len;
    (void)level;
    return 0;
#endif
}

bool mig_compress(MigWriter *to, const MigWriter *from, MultiFDCompression method, int level)
{
    const uint8_t *in = from->buf + RECORD_HEAD;
    size_t len = mig_record_len(from), room = compressBound(len), n;
    uint8_t *out;

#ifdef CONFIG_ZSTD
    room = MAX(room, ZSTD_compressBound(len));
#endif
    mig_begin(to, MIG_RAMZ);
    mig_put_u32(to, (uint32_t)len);
    mig_put_u8(to, method);
    out = mig_put_space(to, room);
    n = method == MULTI_FD_COMPRESSION_ZLIB ? deflate_to(out, room, in, len, level)
                                            : zstd_to(out, room, in, len, level);
    to->len -= room - n;
    return n;
}

static bool expand(uint8_t *out, size_t len, unsigned method, const uint8_t *in, size_t in_len)
{
    uLongf n = len;

    switch (method) {
    case MULTI_FD_COMPRESSION_ZLIB:
        return uncompress(out, &n, in, in_len) == Z_OK && n == len;
#ifdef CONFIG_ZSTD
    case MULTI_FD_COMPRESSION_ZSTD:
        return ZSTD_decompress(out, len, in, in_len) == len;
#endif
    default:
        return false;
    }
}

bool mig_uncompress(MigReader *r, Error **errp)
{
    uint32_t len;
    uint8_t method, *out;
    const void *in;
    size_t in_len;

    if (!mig_get_u32(r, &len, errp) || !mig_get_u8(r, &method, errp)) {
        return false;
    }
    if (len > CONTENTS_MAX) {
        error_setf(errp, ERR_STATE_INVALID, "compressed pages of %u bytes; accepted: up to %u", len,
                   (unsigned)CONTENTS_MAX);
        return false;
    }
    in_len = mig_left(r);
    in = mig_get(r, in_len, errp);
    out = g_malloc(MAX(len, 1));
    if (!expand(out, len, method, in, in_len)) {
        error_setf(errp, ERR_STATE_INVALID, "compressed pages (method %u) can't be read", method);
        g_free(out);
        return false;
    }
    mig_replace(r, MIG_RAMP, out, len, MAX(len, 1));
    return true;
}
