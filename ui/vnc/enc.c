/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all encoders have in common: pieces, zlib streams, palettes. */
#include "util/osdep.h"
#include "config.h"
#include "ui/vnc/enc.h"
#include "util/bswap.h"

#define PIXEL_CHAIN_MAX 2600
#define KEEP_MAX    (4 * MIB)       /* bytes that an empty EncOut may hold */

EncOut *enc_out_new(void)
{
    EncOut *o = g_new0(EncOut, 1);

    o->bytes = g_byte_array_new();
    o->pieces = g_array_new(FALSE, FALSE, sizeof(EncPiece));
    return o;
}

void enc_out_reset(EncOut *o)
{
    if (o->bytes->len > KEEP_MAX) {
        g_byte_array_unref(o->bytes);
        o->bytes = g_byte_array_new();
    }
    g_byte_array_set_size(o->bytes, 0);
    g_array_set_size(o->pieces, 0);
    o->n_rects = 0;
    o->pixels = 0;
}

void *enc_scratch(EncOut *o, unsigned number, size_t size)
{
    if (o->scratch_size[number] < size) {
        g_free(o->scratch[number]);
        o->scratch[number] = g_malloc(size);
        o->scratch_size[number] = size;
    }
    return o->scratch[number];
}

void enc_out_free(EncOut *o)
{
    for (unsigned i = 0; i < SCRATCH_NUM; i++) {
        g_free(o->scratch[i]);
    }
    g_byte_array_unref(o->bytes);
    g_array_unref(o->pieces);
    g_free(o);
}

uint8_t *enc_room(EncOut *o, size_t len)
{
    EncPiece *last = o->pieces->len ? &g_array_index(o->pieces, EncPiece, o->pieces->len - 1) : NULL;
    size_t at = o->bytes->len;

    if (last && last->kind == PIECE_PLAIN) {
        last->len += len;
    } else {
        EncPiece piece = { .kind = PIECE_PLAIN, .len = len };

        g_array_append_val(o->pieces, piece);
    }
    g_byte_array_set_size(o->bytes, at + len);
    return o->bytes->data + at;
}

void enc_give_back(EncOut *o, size_t len)
{
    g_array_index(o->pieces, EncPiece, o->pieces->len - 1).len -= len;
    g_byte_array_set_size(o->bytes, o->bytes->len - len);
}

void enc_put(EncOut *o, const void *data, size_t len)
{
    memcpy(enc_room(o, len), data, len);
}

void enc_put_u8(EncOut *o, uint8_t v)
{
    *enc_room(o, 1) = v;
}

void enc_put_u32(EncOut *o, uint32_t v)
{
    store_be32(enc_room(o, 4), v);
}

void enc_rect(EncOut *o, int x, int y, int w, int h, int32_t encoding)
{
    uint8_t *p = enc_room(o, 12);

    store_be16(p, x);
    store_be16(p + 2, y);
    store_be16(p + 4, w);
    store_be16(p + 6, h);
    store_be32(p + 8, encoding);
    o->n_rects++;
}

void enc_deflate(EncOut *o, EncPieceKind kind, unsigned stream, int level, int strategy,
                 const void *data, size_t len)
{
    EncPiece piece = { .kind = kind, .stream = stream, .level = level, .strategy = strategy,
                       .len = len };

    g_array_append_val(o->pieces, piece);
    g_byte_array_append(o->bytes, data, len);
}

void enc_film(EncOut *o, const void *data, size_t len)
{
    EncPiece piece = { .kind = PIECE_FILM, .len = len };

    g_array_append_val(o->pieces, piece);
    g_byte_array_append(o->bytes, data, len);
}

unsigned enc_compact_length(uint8_t b[3], size_t len)
{
    b[0] = len & 0x7f;
    if (len < 0x80) {
        return 1;
    }
    b[0] |= 0x80;
    b[1] = len >> 7 & 0x7f;
    if (len < 0x4000) {
        return 2;
    }
    b[1] |= 0x80;
    b[2] = len >> 14;
    return 3;
}

/* --- zlib --- */

void enc_streams_free(EncStreams *s)
{
    enc_video_free(s->video);
    s->video = NULL;
    for (unsigned i = 0; i < STREAM_NUM; i++) {
        if (s->z[i]) {
            deflateEnd(s->z[i]);
            g_free(s->z[i]);
            s->z[i] = NULL;
        }
    }
}

/*
 * Zlib's pixels are four bytes each: looking for something better behind each match costs time and finds nothing, and
 * zlib's levels search too little or too much. They are compressed the way of zlib's level 3, with every
 * place remembered and chains as long as what they find is worth. (A stream that goes from the ways of level
 * 4 and up to that of level 3 and below finds hardly any matches: zlib keeps the last one's length as the
 * least that counts.)
 */
static const struct {
    int good, insert, nice, chain;
} pixel_levels[10] = {
    { 0, 0, 0, 0 },             /* stored */
    { 4, 258, 8, 2 }, { 4, 258, 16, 8 }, { 4, 258, 32, 16 }, { 8, 258, 64, 24 }, { 8, 258, 64, 40 },
    { 8, 258, 128, 80 }, { 8, 258, 128, 200 }, { 32, 258, 258, 900 }, { 32, 258, 258, PIXEL_CHAIN_MAX },
};

static int level_of_zlib(const EncPiece *piece)
{
    return piece->stream == STREAM_ZLIB && piece->level ? 3 : piece->level;
}

static void tune(z_stream *z, const EncPiece *piece)
{
    if (piece->stream == STREAM_ZLIB && piece->level) {
        deflateTune(z, pixel_levels[piece->level].good, pixel_levels[piece->level].insert,
                    pixel_levels[piece->level].nice, pixel_levels[piece->level].chain);
    }
}

static z_stream *stream_for(EncStreams *s, const EncPiece *piece, GByteArray *to)
{
    z_stream *z = s->z[piece->stream];

    if (!z) {
        z = g_new0(z_stream, 1);
        if (deflateInit2(z, level_of_zlib(piece), Z_DEFLATED, MAX_WBITS, MAX_MEM_LEVEL,
                         piece->strategy) != Z_OK) {
            g_free(z);
            return NULL;
        }
        s->z[piece->stream] = z;
        tune(z, piece);
    } else if (s->level[piece->stream] != piece->level ||
               s->strategy[piece->stream] != piece->strategy) {
        /* May flush: the output must be there. Nothing is pending after a sync flush. */
        z->next_out = to->data;
        z->avail_out = 0;
        z->next_in = NULL;
        z->avail_in = 0;
        deflateParams(z, level_of_zlib(piece), piece->strategy);
        tune(z, piece);
    }
    s->level[piece->stream] = piece->level;
    s->strategy[piece->stream] = piece->strategy;
    return z;
}

static bool deflate_piece(EncStreams *s, const EncPiece *piece, const uint8_t *data,
                          GByteArray *to)
{
    static const uint8_t gap[] = { [PIECE_DEFLATE_U32] = 4, [PIECE_DEFLATE_U16] = 2,
                                   [PIECE_DEFLATE_COMPACT] = 3 };
    unsigned before = gap[piece->kind], used;
    z_stream *z = stream_for(s, piece, to);
    size_t at = to->len, room, len;
    uint8_t b[4];

    if (!z) {
        return false;
    }
    room = deflateBound(z, piece->len) + 64;
    g_byte_array_set_size(to, at + before + room);
    z->next_in = (Bytef *)data;
    z->avail_in = piece->len;
    z->next_out = to->data + at + before;
    z->avail_out = room;
    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in || !z->avail_out) {
        return false;
    }
    len = room - z->avail_out;
    switch (piece->kind) {
    case PIECE_DEFLATE_U32:
        store_be32(b, len);
        used = 4;
        break;
    case PIECE_DEFLATE_U16:
        if (len > UINT16_MAX) {
            return false;
        }
        store_be16(b, len);
        used = 2;
        break;
    default:
        used = enc_compact_length(b, len);
        break;
    }
    memcpy(to->data + at, b, used);
    if (used < before) {
        memmove(to->data + at + used, to->data + at + before, len);
    }
    g_byte_array_set_size(to, at + used + len);
    return true;
}

bool enc_finish(EncStreams *s, const EncOut *o, GByteArray *to)
{
    const uint8_t *data = o->bytes->data;

    for (unsigned i = 0; i < o->pieces->len; i++) {
        const EncPiece *piece = &g_array_index(o->pieces, EncPiece, i);

        if (piece->kind == PIECE_PLAIN) {
            g_byte_array_append(to, data, piece->len);
        } else if (piece->kind == PIECE_FILM ? !enc_h264_finish(&s->video, data, piece->len, to)
                                             : !deflate_piece(s, piece, data, to)) {
            return false;
        }
        data += piece->len;
    }
    return true;
}

bool enc_is_plain(int32_t encoding)
{
    return encoding == ENC_RAW || encoding == ENC_RRE || encoding == ENC_HEXTILE || encoding == ENC_TIGHT_PNG;
}

GByteArray *enc_out_take(EncOut *o)
{
    GByteArray *a = o->bytes;

    for (unsigned i = 0; i < o->pieces->len; i++) {
        if (g_array_index(o->pieces, EncPiece, i).kind != PIECE_PLAIN) {
            return NULL;
        }
    }
    o->bytes = g_byte_array_new();
    g_array_set_size(o->pieces, 0);
    return a;
}

int enc_zlib_level(const EncParams *p)
{
    return p->compress < 0 ? 5 : p->compress;
}

/* --- which encoder --- */

static const struct {
    int32_t number;
    EncFn *fn;
    const char *name;
} encoders[] = {
    { ENC_RAW, enc_raw, "raw" },
    { ENC_RRE, enc_rre, "rre" },
    { ENC_HEXTILE, enc_hextile, "hextile" },
    { ENC_ZLIB, enc_zlib, "zlib" },
    { ENC_TIGHT, enc_tight, "tight" },
    { ENC_ZLIBHEX, enc_zlibhex, "zlibhex" },
    { ENC_ZRLE, enc_zrle, "zrle" },
    { ENC_ZYWRLE, enc_zywrle, "zywrle" },
#ifdef CONFIG_PNG
    { ENC_TIGHT_PNG, enc_tight_png, "tight-png" },
#endif
};

EncFn *enc_function(int32_t encoding)
{
    for (unsigned i = 0; i < ARRAY_SIZE(encoders); i++) {
        if (encoders[i].number == encoding) {
            return encoders[i].fn;
        }
    }
    return NULL;
}

const char *enc_name(int32_t encoding)
{
    for (unsigned i = 0; i < ARRAY_SIZE(encoders); i++) {
        if (encoders[i].number == encoding) {
            return encoders[i].name;
        }
    }
    return "none";
}

/* --- colors --- */

static unsigned hash_of(uint32_t v)
{
    return v * 2654435761u >> 22;
}

/* The slot of @v: where it is, or where it would be. */
static unsigned slot_of(const EncPalette *pal, uint32_t v)
{
    unsigned h = hash_of(v);

    while (pal->hash[h] && pal->value[pal->hash[h] - 1] != v) {
        h = (h + 1) & 1023;
    }
    return h;
}

static void add_color(EncPalette *pal, uint32_t v)
{
    pal->value[pal->n] = v;
    pal->count[pal->n++] = 0;
    pal->hash[slot_of(pal, v)] = pal->n;
}

/* How many pixels of a line are @b; -1 if some are neither @a nor @b. */
static int count_of_two(const uint32_t *line, int w, uint32_t a, uint32_t b)
{
    unsigned others = 0, n = 0;

    for (int x = 0; x < w; x++) {
        unsigned is_b = line[x] == b;

        others |= (line[x] ^ a) & (is_b - 1);
        n += is_b;
    }
    return others ? -1 : (int)n;
}

/* The lines that have the first two colors only, as text has them. */
static int lines_of_two(EncPalette *pal, const EncPicture *pic)
{
    int y = 0, x = 0;
    uint32_t a = pic->values[0];

    add_color(pal, a);
    while (y < pic->h) {
        const uint32_t *line = enc_line(pic, y);
        int n = count_of_two(line, pic->w, a, pal->n > 1 ? pal->value[1] : a);

        if (n < 0 && pal->n == 1) {
            for (x = 0; line[x] == a; x++) {
            }
            add_color(pal, line[x]);
            continue;
        }
        if (n < 0) {
            break;
        }
        if (pal->n > 1) {
            pal->count[1] += n;
        }
        y++;
    }
    pal->count[0] = pic->w * y - (pal->n > 1 ? pal->count[1] : 0);
    return y;
}

unsigned enc_palette(EncPalette *pal, const EncPicture *pic, unsigned max)
{
    pal->n = 0;
    memset(pal->hash, 0, sizeof(pal->hash));
    for (int y = lines_of_two(pal, pic); y < pic->h; y++) {
        const uint32_t *line = enc_line(pic, y);

        for (int x = 0; x < pic->w; ) {
            uint32_t v = line[x];
            int from = x;
            unsigned h;

            while (x < pic->w && line[x] == v) {
                x++;
            }
            h = slot_of(pal, v);
            if (!pal->hash[h]) {
                if (pal->n == max) {
                    return max + 1;
                }
                add_color(pal, v);
            }
            pal->count[pal->hash[h] - 1] += x - from;
        }
    }
    return pal->n;
}

EncPicture enc_part(const EncPicture *pic, int x, int y, int w, int h)
{
    size_t at = (size_t)y * pic->stride + x;

    return (EncPicture){ pic->x + x, pic->y + y, w, h, pic->rgb + at, pic->values + at,
                         pic->stride };
}

unsigned enc_palette_index(const EncPalette *pal, uint32_t value)
{
    return pal->hash[slot_of(pal, value)] - 1;
}

bool enc_is_smooth(const EncPicture *pic)
{
    unsigned equal = 0, near = 0, far = 0;

    if (pic->w < 8 || pic->h < 8) {
        return false;
    }
    for (int y = 1; y < pic->h; y += 4) {
        const uint32_t *cur = pic->rgb + (size_t)y * pic->stride;

        for (int x = 1; x < pic->w; x += 2) {
            uint32_t a = cur[x], b = cur[x - 1];
            int d = MAX(MAX(abs((int)(a >> 16 & 255) - (int)(b >> 16 & 255)),
                            abs((int)(a >> 8 & 255) - (int)(b >> 8 & 255))),
                        abs((int)(a & 255) - (int)(b & 255)));

            if (d == 0) {
                equal++;
            } else if (d < 40) {
                near++;
            } else {
                far++;
            }
        }
    }
    return near > 4 * far && 2 * near > equal;
}

uint8_t *enc_put_mono(uint8_t *p, const uint32_t *v, int w, uint32_t set)
{
    int x = 0;

    for (; x + 8 <= w; x += 8, v += 8) {
        *p++ = (v[0] == set) << 7 | (v[1] == set) << 6 | (v[2] == set) << 5 | (v[3] == set) << 4 |
               (v[4] == set) << 3 | (v[5] == set) << 2 | (v[6] == set) << 1 | (v[7] == set);
    }
    if (x < w) {
        unsigned acc = 0;

        for (int k = 0; x + k < w; k++) {
            acc |= (unsigned)(v[k] == set) << (7 - k);
        }
        *p++ = acc;
    }
    return p;
}
