/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tight and Tight PNG (rfbproto.rst, "Tight Encoding", "Tight PNG Encoding").
 *
 * A picture is cut: large areas of one color are found and filled; the rest goes out as two colors,
 * as a palette, as full color, through the gradient filter, or as JPEG, by what it looks like.
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

enum { CTL_FILTER = 4, CTL_FILL = 8, CTL_JPEG = 9, CTL_PNG = 10, CTL_PLAIN = 10 };     /* bits 7-4 */
enum { FILTER_COPY, FILTER_PALETTE, FILTER_GRADIENT };
enum { Z_COPY, Z_MONO, Z_PALETTE, Z_GRADIENT };                            /* our use of streams */

#define SOLID_MIN       32768           /* pixels that are worth a rectangle of their own */
#define BLOCK           16              /* in which solid areas are looked for */
#define PART_MAX        (256 * 1024)    /* pixels of a rectangle */
#define DIRECT_MAX      12              /* fewer bytes aren't compressed */

typedef struct Tight {
    EncOut *o;
    const EncParams *p;
    bool png;
    bool plain;                 /* without zlib: level 0, and the client knows that form */
    int level;
} Tight;

static int32_t number(const Tight *t)
{
    return t->png ? ENC_TIGHT_PNG : ENC_TIGHT;
}

static void data(Tight *t, unsigned stream, int strategy, const uint8_t *bytes, size_t len)
{
    if (len < DIRECT_MAX || t->plain) {
        enc_put(t->o, bytes, len);
    } else {
        enc_deflate(t->o, PIECE_DEFLATE_COMPACT, STREAM_TIGHT + stream, t->level, strategy, bytes,
                    len);
    }
}

/* The control byte of BasicCompression, with or without zlib. */
static void basic(Tight *t, unsigned bits)
{
    enc_put_u8(t->o, (t->plain ? CTL_PLAIN | (bits & CTL_FILTER) : bits) << 4);
}

static void fill(Tight *t, int x, int y, int w, int h, uint32_t value)
{
    enc_rect(t->o, x, y, w, h, number(t));
    enc_put_u8(t->o, CTL_FILL << 4);
    vnc_put_tpixels(t->p->format, enc_room(t->o, t->p->format->t_bytes), &value, 1);
}

static void full_color(Tight *t, const EncPicture *pic)
{
    const VncFormat *f = t->p->format;
    size_t n = (size_t)pic->w * pic->h;
    uint8_t *buf = g_malloc(n * f->t_bytes);

    vnc_put_tpixels(f, buf, pic->values, n);
    basic(t, Z_COPY);
    data(t, Z_COPY, Z_DEFAULT_STRATEGY, buf, n * f->t_bytes);
    g_free(buf);
}

static void with_palette(Tight *t, const EncPicture *pic, const EncPalette *pal)
{
    const VncFormat *f = t->p->format;
    unsigned stream = pal->n == 2 ? Z_MONO : Z_PALETTE;
    size_t size = pal->n == 2 ? (size_t)(pic->w + 7) / 8 * pic->h : (size_t)pic->w * pic->h;
    uint8_t *buf = g_malloc(size), *p = buf;
    const uint32_t *v = pic->values;

    basic(t, CTL_FILTER | stream);
    enc_put_u8(t->o, FILTER_PALETTE);
    enc_put_u8(t->o, pal->n - 1);
    vnc_put_tpixels(f, enc_room(t->o, (size_t)pal->n * f->t_bytes), pal->value, pal->n);
    if (pal->n == 2) {
        for (int y = 0; y < pic->h; y++, v += pic->w) {
            for (int x = 0; x < pic->w; x += 8) {
                unsigned acc = 0;

                for (int k = 0; k < 8; k++) {
                    acc = acc << 1 | (x + k < pic->w && v[x + k] == pal->value[1]);
                }
                *p++ = acc;
            }
        }
    } else {
        uint32_t last = v[0];
        uint8_t index = enc_palette_index(pal, last);

        for (size_t i = 0; i < size; i++) {
            if (v[i] != last) {
                last = v[i];
                index = enc_palette_index(pal, last);
            }
            *p++ = index;
        }
    }
    data(t, stream, Z_DEFAULT_STRATEGY, buf, size);
    g_free(buf);
}

/* Difference to what the neighbours above and to the left make likely. */
static void gradient(Tight *t, const EncPicture *pic)
{
    const VncFormat *f = t->p->format;
    const unsigned shift[3] = { f->red_shift, f->green_shift, f->blue_shift };
    const int max[3] = { f->red_max, f->green_max, f->blue_max };
    size_t n = (size_t)pic->w * pic->h;
    uint32_t *diff = g_new(uint32_t, n);
    uint8_t *buf = g_malloc(n * f->t_bytes);

    for (int y = 0; y < pic->h; y++) {
        const uint32_t *cur = pic->values + (size_t)y * pic->w, *up = cur - pic->w;

        for (int x = 0; x < pic->w; x++) {
            uint32_t d = 0;

            for (unsigned c = 0; c < 3; c++) {
                int left = x ? (int)(cur[x - 1] >> shift[c]) & max[c] : 0;
                int above = y ? (int)(up[x] >> shift[c]) & max[c] : 0;
                int corner = x && y ? (int)(up[x - 1] >> shift[c]) & max[c] : 0;
                int guess = MAX(0, MIN(left + above - corner, max[c]));
                int v = (int)(cur[x] >> shift[c]) & max[c];

                d |= (uint32_t)((v - guess) & max[c]) << shift[c];
            }
            diff[(size_t)y * pic->w + x] = d;
        }
    }
    vnc_put_tpixels(f, buf, diff, n);
    basic(t, CTL_FILTER | Z_GRADIENT);
    enc_put_u8(t->o, FILTER_GRADIENT);
    data(t, Z_GRADIENT, Z_FILTERED, buf, n * f->t_bytes);
    g_free(diff);
    g_free(buf);
}

/* Whether neighbours are mostly near but not the same: a photograph, not text or a drawing.
 * Looks at every fourth line. */
static bool is_smooth(const EncPicture *pic)
{
    unsigned equal = 0, near = 0, far = 0;

    if (pic->w < 8 || pic->h < 8) {
        return false;
    }
    for (int y = 1; y < pic->h; y += 4) {
        const uint32_t *cur = pic->rgb + (size_t)y * pic->w;

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

/* JPEG's quality and subsampling for the ten levels. */
static const struct {
    uint8_t quality, subsampling;
} levels[10] = {
    { 15, 1 }, { 29, 1 }, { 41, 1 }, { 42, 2 }, { 62, 2 }, { 77, 2 }, { 79, 0 }, { 86, 0 },
    { 92, 0 }, { 100, 0 },
};

static void compact(Tight *t, const GByteArray *bytes)
{
    uint8_t b[3];

    enc_put(t->o, b, enc_compact_length(b, bytes->len));
    enc_put(t->o, bytes->data, bytes->len);
}

static bool jpeg(Tight *t, const EncPicture *pic)
{
    const EncParams *p = t->p;
    int level = p->quality < 0 ? 0 : p->quality;
    int quality = p->fine_quality >= 0 ? MAX(1, p->fine_quality) : levels[level].quality;
    int subsampling = p->subsampling >= 0 ? p->subsampling : levels[level].subsampling;
    GByteArray *bytes = g_byte_array_new();
    bool ok = enc_jpeg(bytes, pic->rgb, pic->w, pic->h, quality, subsampling);

    if (ok) {
        enc_put_u8(t->o, CTL_JPEG << 4);
        compact(t, bytes);
    }
    g_byte_array_unref(bytes);
    return ok;
}

static void png(Tight *t, const EncPicture *pic, const EncPalette *pal)
{
    GByteArray *bytes = g_byte_array_new();

    if (enc_png(bytes, pic->rgb, pic->w, pic->h, MIN(t->level, 9), pic, pal, t->p->format)) {
        enc_put_u8(t->o, CTL_PNG << 4);
        compact(t, bytes);
    } else {                            /* no memory: something must follow the header */
        enc_put_u8(t->o, CTL_FILL << 4);
        vnc_put_tpixels(t->p->format, enc_room(t->o, t->p->format->t_bytes), pic->values, 1);
    }
    g_byte_array_unref(bytes);
}

/* A rectangle of at most PART_MAX pixels. */
static void part(Tight *t, const EncPicture *pic)
{
    const EncParams *p = t->p;
    size_t n = (size_t)pic->w * pic->h;
    bool lossy = p->quality >= 0 && p->format->bits != 8;
    /* Many colors in a small rectangle: the palette itself is too long. */
    unsigned max = MAX(2, MIN(256, n / (lossy ? 64 : 8))), colors;
    EncPalette pal;

    colors = enc_palette(&pal, pic->values, n, max);
    if (colors == 1) {
        fill(t, pic->x, pic->y, pic->w, pic->h, pic->values[0]);
        return;
    }
    enc_rect(t->o, pic->x, pic->y, pic->w, pic->h, number(t));
    if (colors > max && lossy && n >= 64 && is_smooth(pic) && jpeg(t, pic)) {
        return;
    }
    if (t->png) {
        png(t, pic, colors <= max ? &pal : NULL);
    } else if (colors <= max) {
        with_palette(t, pic, &pal);
    } else if (p->format->bits != 8 && !p->no_gradient && t->level >= 1 && is_smooth(pic)) {
        gradient(t, pic);
    } else {
        full_color(t, pic);
    }
}

/* Copies a part out, so that lines follow each other. */
static void cut(Tight *t, const EncPicture *pic, int x, int y, int w, int h)
{
    EncPicture sub = { pic->x + x, pic->y + y, w, h, NULL, NULL };
    size_t n = (size_t)w * h;
    uint32_t *rgb = g_new(uint32_t, 2 * n), *v = rgb + n;

    for (int k = 0; k < h; k++) {
        size_t from = (size_t)(y + k) * pic->w + x;

        memcpy(rgb + (size_t)k * w, pic->rgb + from, 4 * (size_t)w);
        memcpy(v + (size_t)k * w, pic->values + from, 4 * (size_t)w);
    }
    sub.rgb = rgb;
    sub.values = v;
    part(t, &sub);
    g_free(rgb);
}

static void in_parts(Tight *t, const EncPicture *pic, int x, int y, int w, int h)
{
    int lines = MAX(1, PART_MAX / w);

    for (int k = 0; k < h; k += lines) {
        cut(t, pic, x, y + k, w, MIN(lines, h - k));
    }
}

static bool all_of(const EncPicture *pic, int x, int y, int w, int h, uint32_t value)
{
    const uint32_t *line = pic->values + (size_t)y * pic->w + x;

    for (int k = 0; k < h; k++, line += pic->w) {
        for (int i = 0; i < w; i++) {
            if (line[i] != value) {
                return false;
            }
        }
    }
    return true;
}

/* The largest solid rectangle that starts with the block at @x, @y: grown in blocks to the right
 * and down, then pixel by pixel in all directions within @x0 and @y0 and the area. */
static void grow(const EncPicture *pic, int x0, int y0, int x1, int y1, int *x, int *y, int *w,
                 int *h)
{
    uint32_t value = pic->values[(size_t)*y * pic->w + *x];
    int best_w = 0, best_h = 0, limit = x1 - *x;

    for (int dy = 0; *y + dy < y1; ) {
        int high = MIN(BLOCK, y1 - *y - dy), wide = 0;

        while (wide < limit) {
            int step = MIN(BLOCK, limit - wide);

            if (!all_of(pic, *x + wide, *y + dy, step, high, value)) {
                break;
            }
            wide += step;
        }
        if (!wide) {
            break;
        }
        limit = wide;
        dy += high;
        if (wide * dy > best_w * best_h) {
            best_w = wide;
            best_h = dy;
        }
    }
    while (*y > y0 && all_of(pic, *x, *y - 1, best_w, 1, value)) {
        --*y;
        best_h++;
    }
    while (*y + best_h < y1 && all_of(pic, *x, *y + best_h, best_w, 1, value)) {
        best_h++;
    }
    while (*x > x0 && all_of(pic, *x - 1, *y, 1, best_h, value)) {
        --*x;
        best_w++;
    }
    while (*x + best_w < x1 && all_of(pic, *x + best_w, *y, 1, best_h, value)) {
        best_w++;
    }
    *w = best_w;
    *h = best_h;
}

/* Find solid areas, send what is above, left, right and below of each separately. */
static void area(Tight *t, const EncPicture *pic, int x0, int y0, int w, int h)
{
    int x1 = x0 + w, y1 = y0 + h;

    if (w <= 0 || h <= 0) {
        return;
    }
    if ((size_t)w * h < SOLID_MIN) {
        in_parts(t, pic, x0, y0, w, h);
        return;
    }
    for (int y = y0; y + BLOCK <= y1; y += BLOCK) {
        for (int x = x0; x + BLOCK <= x1; x += BLOCK) {
            uint32_t value = pic->values[(size_t)y * pic->w + x];
            int sx = x, sy = y, sw, sh;

            if (!all_of(pic, x, y, BLOCK, BLOCK, value)) {
                continue;
            }
            grow(pic, x0, y0, x1, y1, &sx, &sy, &sw, &sh);
            if ((size_t)sw * sh < SOLID_MIN && (size_t)sw * sh < (size_t)w * h) {
                x = MAX(x, sx + sw - BLOCK);        /* too small: go on behind it */
                continue;
            }
            if (sy > y0) {
                in_parts(t, pic, x0, y0, w, sy - y0);
            }
            area(t, pic, x0, sy, sx - x0, sh);
            fill(t, pic->x + sx, pic->y + sy, sw, sh, value);
            area(t, pic, sx + sw, sy, x1 - sx - sw, sh);
            area(t, pic, x0, sy + sh, w, y1 - sy - sh);
            return;
        }
    }
    in_parts(t, pic, x0, y0, w, h);
}

static void tight(EncOut *o, const EncParams *p, const EncPicture *pic, bool as_png)
{
    Tight t = { .o = o, .p = p, .png = as_png, .level = enc_zlib_level(p) };

    t.plain = !as_png && p->tight_plain && t.level == 0;

    area(&t, pic, 0, 0, pic->w, pic->h);
}

void enc_tight(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    tight(o, p, pic, false);
}

void enc_tight_png(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    tight(o, p, pic, true);
}
