/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zlib: Raw, compressed by one stream of the connection (rfbproto.rst, "zlib Encoding").
 *
 * zlib finds what is at most 32 KiB away: of wide pictures that is a few lines. In strips it sees
 * more of them, and with them the same letters.
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

#define STRIP   256

static void strip(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    size_t n = (size_t)pic->w * pic->h;
    uint8_t *raw = enc_scratch(o, SCRATCH_BYTES, n * p->format->bytes), *to = raw;

    for (int y = 0; y < pic->h; y++) {
        to = vnc_put_pixels(p->format, to, enc_line(pic, y), pic->w);
    }
    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_ZLIB);
    /* Who knows nothing better than this, and no levels, has a slow link: as small as it gets. */
    enc_deflate(o, PIECE_DEFLATE_U32, STREAM_ZLIB, p->compress < 0 ? 8 : p->compress,
                Z_DEFAULT_STRATEGY, raw, n * p->format->bytes);
}

void enc_zlib(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    int wide = enc_is_smooth(pic) ? pic->w : STRIP;

    for (int x = 0; x < pic->w; x += wide) {
        EncPicture part = enc_part(pic, x, 0, MIN(wide, pic->w - x), pic->h);

        strip(o, p, &part);
    }
}
