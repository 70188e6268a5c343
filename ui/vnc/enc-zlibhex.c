/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ZlibHex: Hextile whose tiles may be compressed, raw ones by one stream and others by a second
 * (rfbproto.rst, "zlibhex Encoding").
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

enum { TILE_RAW = 1, TILE_ZLIB_RAW = 32, TILE_ZLIB = 64 };

/* A flush costs some bytes: less isn't worth it. */
#define WORTH   32

void enc_zlibhex(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    HextileState st = { -1, -1 };
    uint8_t tile[ENC_HEXTILE_MAX + 16];

    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_ZLIBHEX);
    for (int y = 0; y < pic->h; y += 16) {
        for (int x = 0; x < pic->w; x += 16) {
            uint8_t *end = enc_hextile_tile(p->format, tile, enc_line(pic, y) + x, pic->stride,
                                            MIN(16, pic->w - x), MIN(16, pic->h - y), &st);
            bool raw = tile[0] & TILE_RAW;

            if (end - tile < WORTH) {
                enc_put(o, tile, end - tile);
                continue;
            }
            enc_put_u8(o, raw ? TILE_ZLIB_RAW : tile[0] | TILE_ZLIB);
            enc_deflate(o, PIECE_DEFLATE_U16, raw ? STREAM_ZLIBHEX_RAW : STREAM_ZLIBHEX,
                        enc_zlib_level(p), Z_DEFAULT_STRATEGY, tile + 1, end - tile - 1);
        }
    }
}
