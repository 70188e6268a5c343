/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all encoders have in common: pieces, zlib streams, palettes. */
#include "util/osdep.h"
#include "ui/vnc/enc.h"
#include "util/bswap.h"

EncOut *enc_out_new(void)
{
    EncOut *o = g_new0(EncOut, 1);

    o->bytes = g_byte_array_new();
    o->pieces = g_array_new(FALSE, FALSE, sizeof(EncPiece));
    return o;
}

void enc_out_free(EncOut *o)
{
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
    for (unsigned i = 0; i < STREAM_NUM; i++) {
        if (s->z[i]) {
            deflateEnd(s->z[i]);
            g_free(s->z[i]);
            s->z[i] = NULL;
        }
    }
}

static z_stream *stream_for(EncStreams *s, const EncPiece *piece, GByteArray *to)
{
    z_stream *z = s->z[piece->stream];

    if (!z) {
        z = g_new0(z_stream, 1);
        if (deflateInit2(z, piece->level, Z_DEFLATED, MAX_WBITS, MAX_MEM_LEVEL,
                         piece->strategy) != Z_OK) {
            g_free(z);
            return NULL;
        }
        s->z[piece->stream] = z;
    } else if (s->level[piece->stream] != piece->level ||
               s->strategy[piece->stream] != piece->strategy) {
        /* May flush: the output must be there. Nothing is pending after a sync flush. */
        z->next_out = to->data;
        z->avail_out = 0;
        z->next_in = NULL;
        z->avail_in = 0;
        deflateParams(z, piece->level, piece->strategy);
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
        } else if (!deflate_piece(s, piece, data, to)) {
            return false;
        }
        data += piece->len;
    }
    return true;
}

int enc_zlib_level(const EncParams *p)
{
    return p->compress < 0 ? 6 : p->compress;
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
    { ENC_TIGHT_PNG, enc_tight_png, "tight-png" },
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

unsigned enc_palette(EncPalette *pal, const uint32_t *values, size_t n, unsigned max)
{
    pal->n = 0;
    memset(pal->hash, 0, sizeof(pal->hash));
    for (size_t i = 0; i < n; ) {
        uint32_t v = values[i];
        size_t run = 1;
        unsigned h;

        while (i + run < n && values[i + run] == v) {
            run++;
        }
        i += run;
        h = slot_of(pal, v);
        if (!pal->hash[h]) {
            if (pal->n == max) {
                return max + 1;
            }
            pal->value[pal->n] = v;
            pal->count[pal->n++] = 0;
            pal->hash[h] = pal->n;
        }
        pal->count[pal->hash[h] - 1] += run;
    }
    return pal->n;
}

unsigned enc_palette_index(const EncPalette *pal, uint32_t value)
{
    return pal->hash[slot_of(pal, value)] - 1;
}
