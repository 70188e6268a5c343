/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encoders: from a rectangle of pixels to the bytes of FramebufferUpdate rectangles.
 *
 * They run on worker threads and keep nothing: what they write is a list of pieces, some as they
 * go out, some to be compressed by one of a client's zlib streams. enc_finish() does the latter,
 * once for each client, so that clients that want the same share all but that.
 */
#ifndef UI_VNC_ENC_H
#define UI_VNC_ENC_H

#include <glib.h>
#include <zlib.h>
#include "ui/vnc/vnc-format.h"

/* Numbers: RFC 6143 7.7, the community's rfbproto.rst "Encodings". */
enum {
    ENC_RAW = 0, ENC_COPY_RECT = 1, ENC_RRE = 2, ENC_HEXTILE = 5, ENC_ZLIB = 6, ENC_TIGHT = 7,
    ENC_ZLIBHEX = 8, ENC_ZRLE = 16, ENC_ZYWRLE = 17, ENC_H264 = 50,
    ENC_TIGHT_PNG = -260,
};

/* A client's zlib streams. */
enum { STREAM_TIGHT = 0, STREAM_ZLIB = 4, STREAM_ZRLE, STREAM_ZLIBHEX_RAW, STREAM_ZLIBHEX, STREAM_NUM };

/* What a client (or several that want the same) has asked for. */
typedef struct EncParams {
    VncFormat *format;
    int32_t encoding;
    int8_t compress;            /* 0 to 9; -1: not said */
    int8_t quality;             /* JPEG and wavelets, 0 to 9; -1: no loss */
    int8_t fine_quality;        /* 0 to 100; -1: not said */
    int8_t subsampling;         /* index of the level, 0 none to 5; -1: not said */
    bool tight_plain;           /* Tight without zlib is understood */
    bool no_gradient;           /* Tight's gradient filter isn't */
    bool film;                  /* what moves may be sent as H.264 */
} EncParams;

typedef struct EncPicture {
    int x, y, w, h;             /* on the screen; w and h at most ENC_MAX_SIDE */
    const uint32_t *rgb;        /* our pixels, in lines of w */
    const uint32_t *values;     /* and as the client's values */
    int stride;                 /* from line to line of both */
} EncPicture;

static inline const uint32_t *enc_line(const EncPicture *pic, int y)
{
    return pic->values + (size_t)y * pic->stride;
}

/* A part of a picture; nothing is copied. */
EncPicture enc_part(const EncPicture *pic, int x, int y, int w, int h);

#define ENC_MAX_SIDE    2048            /* Tight's widest rectangle */
#define ENC_MAX_PIXELS  (256 * 1024)    /* of one picture */

/* How the length of compressed bytes is written before them. */
typedef enum { PIECE_PLAIN, PIECE_DEFLATE_U32, PIECE_DEFLATE_U16, PIECE_DEFLATE_COMPACT,
               PIECE_FILM } EncPieceKind;

typedef struct EncPiece {
    uint8_t kind, stream, level, strategy;
    size_t len;
} EncPiece;

/* Memory that is used again: fresh pages for each picture cost more than the encoding. */
enum { SCRATCH_RGB, SCRATCH_VALUES, SCRATCH_BYTES, SCRATCH_CELLS, SCRATCH_NUM };

typedef struct EncOut {
    GByteArray *bytes;          /* of all pieces */
    GArray *pieces;
    unsigned n_rects;
    size_t pixels;              /* that were encoded */
    void *scratch[SCRATCH_NUM];
    size_t scratch_size[SCRATCH_NUM];
} EncOut;

EncOut *enc_out_new(void);
/* Empty again, with the memory that it has. */
void enc_out_reset(EncOut *o);
/* At least @size bytes, until the same number is asked for again. */
void *enc_scratch(EncOut *o, unsigned number, size_t size);
void enc_out_free(EncOut *o);
/* Header of a rectangle (7.6.1). */
void enc_rect(EncOut *o, int x, int y, int w, int h, int32_t encoding);
void enc_put(EncOut *o, const void *data, size_t len);
void enc_put_u8(EncOut *o, uint8_t v);
void enc_put_u32(EncOut *o, uint32_t v);
/* @len bytes to be filled in before anything else is put. */
uint8_t *enc_room(EncOut *o, size_t len);
/* The last @len bytes of that weren't needed. */
void enc_give_back(EncOut *o, size_t len);
/* To be compressed by that stream. */
void enc_deflate(EncOut *o, EncPieceKind kind, unsigned stream, int level, int strategy,
                 const void *data, size_t len);
/* To be made a frame of the client's film. */
void enc_film(EncOut *o, const void *data, size_t len);
/* Tight's length of one to three bytes; how many. */
unsigned enc_compact_length(uint8_t b[3], size_t len);

typedef struct EncVideo EncVideo;

/* One client's streams; in one thread at a time. */
typedef struct EncStreams {
    z_stream *z[STREAM_NUM];    /* NULL: not used yet */
    uint8_t level[STREAM_NUM], strategy[STREAM_NUM];
    EncVideo *video;            /* NULL: none yet */
} EncStreams;

void enc_streams_free(EncStreams *s);
/* An encoding of which no byte needs a stream. */
bool enc_is_plain(int32_t encoding);
/* The bytes of @o, which has others then; NULL if some are to be compressed. */
GByteArray *enc_out_take(EncOut *o);
/* Append what is in @o to @to. False: zlib is out of memory. */
bool enc_finish(EncStreams *s, const EncOut *o, GByteArray *to);

typedef void EncFn(EncOut *o, const EncParams *p, const EncPicture *pic);
EncFn enc_raw, enc_rre, enc_hextile, enc_zlib, enc_zlibhex, enc_tight, enc_tight_png, enc_zrle,
     enc_zywrle;
/* NULL: none of ours. */
EncFn *enc_function(int32_t encoding);
const char *enc_name(int32_t encoding);
/* Level of zlib for what the client said. */
int enc_zlib_level(const EncParams *p);

/* The colors of a picture: at most @max; returns how many, @max + 1 if there are more. */
typedef struct EncPalette {
    unsigned n;
    uint32_t value[256];
    uint32_t count[256];
    int16_t hash[1024];         /* index + 1 by hash */
} EncPalette;
unsigned enc_palette(EncPalette *pal, const EncPicture *pic, unsigned max);
/* The index of a value that is in it. */
unsigned enc_palette_index(const EncPalette *pal, uint32_t value);

/* @w pixels as bits, the first in the uppermost, set where a pixel is @set; whole bytes. */
uint8_t *enc_put_mono(uint8_t *p, const uint32_t *v, int w, uint32_t set);

/* Whether neighbours are mostly near but not the same: a photograph, not text or a drawing. Looks
 * at every fourth line. */
bool enc_is_smooth(const EncPicture *pic);

/* enc-hextile.c: one tile of up to 16x16 with @stride between lines; at most enc_hextile_max()
 * bytes, the end is returned. @bg, @fg: what the client remembers, -1 for nothing. */
typedef struct HextileState {
    int64_t bg, fg;
} HextileState;
uint8_t *enc_hextile_tile(const VncFormat *f, uint8_t *p, const uint32_t *values, int stride, int w,
                          int h, HextileState *st);
#define ENC_HEXTILE_MAX     (1 + 16 * 16 * 4)

/* enc-h264.c: whether this build can; a picture of any size up to the screen's. */
bool enc_h264_available(void);
void enc_h264(EncOut *o, const EncParams *p, const EncPicture *pic);
void enc_video_free(EncVideo *v);                   /* NULL is allowed */
/* What enc_h264() has put, as the next frame of @v, which is made when it is the first. */
bool enc_h264_finish(EncVideo **v, const uint8_t *data, size_t len, GByteArray *to);

/* enc-zywrle.c: how many times the picture is halved; the viewer counts the same. */
unsigned enc_zywrle_levels(const EncParams *p);

/* enc-jpeg.c: false if this build has no libjpeg. @quality: 0 to 100, @subsampling as above. */
bool enc_jpeg(GByteArray *to, const EncPicture *pic, int quality, int subsampling);
/* enc-png.c: as PNG (ISO/IEC 15948), false without libpng; with @pal indexed, else @smooth or not. */
bool enc_png(GByteArray *to, const EncPicture *pic, int level, const EncPalette *pal, bool smooth,
             const VncFormat *f);

#endif
