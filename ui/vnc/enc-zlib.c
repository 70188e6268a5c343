/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zlib: Raw, compressed by one stream of the connection (rfbproto.rst, "zlib Encoding"). */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

void enc_zlib(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    size_t n = (size_t)pic->w * pic->h;
    uint8_t *raw = g_malloc(n * p->format->bytes);

    vnc_put_pixels(p->format, raw, pic->values, n);
    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_ZLIB);
    enc_deflate(o, PIECE_DEFLATE_U32, STREAM_ZLIB, enc_zlib_level(p), Z_DEFAULT_STRATEGY, raw,
                n * p->format->bytes);
    g_free(raw);
}
