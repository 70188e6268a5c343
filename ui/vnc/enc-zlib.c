/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zlib: Raw, compressed by one stream of the connection (rfbproto.rst, "zlib Encoding").
 *
 * zlib finds what is at most 32 KiB away: of wide pictures that is a few lines. In strips it sees
 * more of them, and with them the same letters. How long it looks for them is tuned in enc.c.
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

/* Searching as little as these levels do, more of the same letters count; searching long, long lines. */
#define STRIP           160
#define STRIP_LEVEL     7

static void strip(EncOut *o, const EncParams *p, const EncPicture *pic, int level)
{
    size_t n = (size_t)pic->w * pic->h;
    uint8_t *raw = enc_scratch(o, SCRATCH_BYTES, n * p->format->bytes), *to = raw;

    for (int y = 0; y < pic->h; y++) {
        to = vnc_put_pixels(p->format, to, enc_line(pic, y), pic->w);
    }
    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_ZLIB);
    enc_deflate(o, PIECE_DEFLATE_U32, STREAM_ZLIB, level, Z_DEFAULT_STRATEGY, raw, n * p->format->bytes);
}

void enc_zlib(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    /* Who knows nothing better than this, and no levels, has a slow link: as small as it gets. */
    int level = p->compress < 0 ? 9 : p->compress, wide = pic->w;

    if (enc_is_smooth(pic)) {
        level = MIN(level, 1);          /* noise: no search finds more */
    } else if (level <= STRIP_LEVEL && pic->w > STRIP * 3 / 2) {
        wide = STRIP;
    }
    for (int x = 0; x < pic->w; x += wide) {
        EncPicture part = enc_part(pic, x, 0, MIN(wide, pic->w - x), pic->h);

        strip(o, p, &part, level);
    }
}
