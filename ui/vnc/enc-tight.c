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
#define MONO_MIN        16384           /* the same for two colors among more */
#define MONO_MIN_LINES  48
#define CELL            16              /* pixels a side, in which such areas are looked for */
#define PART_MAX        (256 * 1024)    /* pixels of a rectangle */
#define DIRECT_MAX      12              /* fewer bytes aren't compressed */

/* The colors of 16x16 pixels. */
typedef struct Cell {
    uint32_t a, b;
    unsigned n;                 /* 3: more than these two */
} Cell;

typedef struct Tight {
    EncOut *o;
    const EncParams *p;
    bool png;
    bool plain;                 /* without zlib: level 0, and the client knows that form */
    int level;
    const EncPicture *pic;      /* all of it */
    Cell *cells;
    int cells_x;
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
    uint8_t *buf = enc_scratch(t->o, SCRATCH_BYTES, n * f->t_bytes), *p = buf;

    for (int y = 0; y < pic->h; y++) {
        p = vnc_put_tpixels(f, p, enc_line(pic, y), pic->w);
    }
    basic(t, Z_COPY);
    data(t, Z_COPY, Z_DEFAULT_STRATEGY, buf, n * f->t_bytes);
}

static uint8_t *put_indices(uint8_t *p, const uint32_t *v, int w, const EncPalette *pal)
{
    uint32_t last = v[0];
    uint8_t index = enc_palette_index(pal, last);

    for (int x = 0; x < w; x++) {
        if (v[x] != last) {
            last = v[x];
            index = enc_palette_index(pal, last);
        }
        *p++ = index;
    }
    return p;
}

static void with_palette(Tight *t, const EncPicture *pic, const EncPalette *pal)
{
    const VncFormat *f = t->p->format;
    bool mono = pal->n == 2;
    unsigned stream = mono ? Z_MONO : Z_PALETTE;
    size_t size = (size_t)(mono ? (pic->w + 7) / 8 : pic->w) * pic->h;
    uint8_t *buf = enc_scratch(t->o, SCRATCH_BYTES, size), *p = buf;

    basic(t, CTL_FILTER | stream);
    enc_put_u8(t->o, FILTER_PALETTE);
    enc_put_u8(t->o, pal->n - 1);
    vnc_put_tpixels(f, enc_room(t->o, (size_t)pal->n * f->t_bytes), pal->value, pal->n);
    for (int y = 0; y < pic->h; y++) {
        p = mono ? enc_put_mono(p, enc_line(pic, y), pic->w, pal->value[1])
                 : put_indices(p, enc_line(pic, y), pic->w, pal);
    }
    data(t, stream, Z_DEFAULT_STRATEGY, buf, size);
}

/* Difference of one color to what the neighbours above and to the left make likely. */
static inline uint32_t surprise(uint32_t cur, uint32_t left, uint32_t up, uint32_t corner,
                                unsigned shift, int max)
{
    int a = (int)(left >> shift) & max, b = (int)(up >> shift) & max, c = (int)(corner >> shift) & max;
    int guess = MAX(0, MIN(a + b - c, max));

    return (uint32_t)(((int)(cur >> shift) - guess) & max) << shift;
}

static void gradient_line(const VncFormat *f, uint32_t *to, const uint32_t *cur, const uint32_t *up,
                          int w)
{
    for (int x = 0; x < w; x++) {
        uint32_t left = x ? cur[x - 1] : 0, corner = x ? up[x - 1] : 0;

        to[x] = surprise(cur[x], left, up[x], corner, f->red_shift, f->red_max) |
                surprise(cur[x], left, up[x], corner, f->green_shift, f->green_max) |
                surprise(cur[x], left, up[x], corner, f->blue_shift, f->blue_max);
    }
}

/* What is left is small numbers, in no order: searching long for matches costs more time than all
 * the rest, and finds little. */
static int gradient_level(const Tight *t)
{
    return t->level <= 6 ? 1 : t->level - 3;
}

static void gradient(Tight *t, const EncPicture *pic)
{
    static const uint32_t black[ENC_MAX_SIDE];
    const VncFormat *f = t->p->format;
    size_t size = (size_t)pic->w * pic->h * f->t_bytes;
    uint8_t *buf = enc_scratch(t->o, SCRATCH_BYTES, size), *p = buf;
    uint32_t line[ENC_MAX_SIDE];
    int level = t->level;

    for (int y = 0; y < pic->h; y++) {
        gradient_line(f, line, enc_line(pic, y), y ? enc_line(pic, y - 1) : black, pic->w);
        p = vnc_put_tpixels(f, p, line, pic->w);
    }
    basic(t, CTL_FILTER | Z_GRADIENT);
    enc_put_u8(t->o, FILTER_GRADIENT);
    t->level = gradient_level(t);
    data(t, Z_GRADIENT, Z_DEFAULT_STRATEGY, buf, size);
    t->level = level;
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
    bool ok = enc_jpeg(bytes, pic, quality, subsampling);

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

    if (enc_png(bytes, pic, MIN(t->level, 9), pal, !pal && enc_is_smooth(pic), t->p->format)) {
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

    colors = enc_palette(&pal, pic, max);
    if (colors == 1) {
        fill(t, pic->x, pic->y, pic->w, pic->h, pic->values[0]);
        return;
    }
    enc_rect(t->o, pic->x, pic->y, pic->w, pic->h, number(t));
    if (colors > max && lossy && n >= 64 && enc_is_smooth(pic) && jpeg(t, pic)) {
        return;
    }
    if (t->png) {
        png(t, pic, colors <= max ? &pal : NULL);
    } else if (colors <= max) {
        with_palette(t, pic, &pal);
    } else if (p->format->bits != 8 && !p->no_gradient && t->level >= 1 && enc_is_smooth(pic)) {
        gradient(t, pic);
    } else {
        full_color(t, pic);
    }
}

static void in_parts(Tight *t, int x, int y, int w, int h)
{
    int lines = MAX(1, PART_MAX / w);

    for (int k = 0; k < h; k += lines) {
        EncPicture sub = enc_part(t->pic, x, y + k, w, MIN(lines, h - k));

        part(t, &sub);
    }
}

/* --- areas of one color or two --- */

typedef struct Area {
    int x, y, w, h;             /* in the picture */
    uint32_t a, b;              /* its colors, twice the same if there is one only */
} Area;

static bool has_only(const EncPicture *pic, int x, int y, int w, int h, uint32_t a, uint32_t b)
{
    for (int k = y; k < y + h; k++) {
        const uint32_t *line = enc_line(pic, k) + x;
        unsigned others = 0;

        for (int i = 0; i < w; i++) {
            others |= (line[i] ^ a) & -(uint32_t)(line[i] != b);
        }
        if (others) {
            return false;
        }
    }
    return true;
}

static Cell cell_of(const EncPicture *pic, int x, int y)
{
    int w = MIN(CELL, pic->w - x), h = MIN(CELL, pic->h - y);
    Cell c = { .a = enc_line(pic, y)[x] };

    c.b = c.a;
    for (int k = y; k < y + h; k++) {
        const uint32_t *line = enc_line(pic, k) + x;
        uint32_t others = 0;

        for (int i = 0; i < w; i++) {
            others |= line[i] ^ c.a;
        }
        for (int i = 0; others && i < w; i++) {
            if (line[i] != c.a) {
                c.b = line[i];
                c.n = has_only(pic, x, y, w, h, c.a, c.b) ? 2 : 3;
                return c;
            }
        }
    }
    c.n = 1;
    return c;
}

/* The colors of @r with those of a cell, if there aren't more than @max. */
static bool take_colors(Area *r, const Cell *c, unsigned max)
{
    const uint32_t of_cell[2] = { c->a, c->b };
    Area with = *r;

    for (unsigned i = 0; i < c->n; i++) {
        if (c->n > 2 || (of_cell[i] != with.a && of_cell[i] != with.b && (max < 2 || with.a != with.b))) {
            return false;
        }
        if (of_cell[i] != with.a) {
            with.b = of_cell[i];
        }
    }
    r->a = with.a;
    r->b = with.b;
    return true;
}

/* The largest area of at most @max colors that starts with the cell at @x, @y: grown in cells to
 * the right and down, then pixel by pixel in all directions within @in. */
static Area grow(const Tight *t, const Area *in, int x, int y, unsigned max)
{
    int x1 = in->x + in->w, y1 = in->y + in->h, limit = x1;
    const Cell *first = &t->cells[y / CELL * t->cells_x + x / CELL];
    Area r = { .x = x, .y = y, .a = first->a, .b = first->b }, best = r;

    for (int cy = y; cy + CELL <= y1; cy += CELL) {
        int cx = x;

        while (cx + CELL <= limit &&
               take_colors(&r, &t->cells[cy / CELL * t->cells_x + cx / CELL], max)) {
            cx += CELL;
        }
        if (cx == x) {
            break;
        }
        limit = cx;
        r.w = cx - x;
        r.h = cy + CELL - y;
        if (r.w * r.h > best.w * best.h) {
            best = r;
        }
    }
    r = best;
    while (r.y > in->y && has_only(t->pic, r.x, r.y - 1, r.w, 1, r.a, r.b)) {
        r.y--;
        r.h++;
    }
    while (r.y + r.h < y1 && has_only(t->pic, r.x, r.y + r.h, r.w, 1, r.a, r.b)) {
        r.h++;
    }
    while (r.x > in->x && has_only(t->pic, r.x - 1, r.y, 1, r.h, r.a, r.b)) {
        r.x--;
        r.w++;
    }
    while (r.x + r.w < x1 && has_only(t->pic, r.x + r.w, r.y, 1, r.h, r.a, r.b)) {
        r.w++;
    }
    return r;
}

/* An area worth a rectangle of its own. */
static bool find_simple(const Tight *t, const Area *in, Area *found)
{
    int x0 = ALIGN_UP(in->x, CELL), x1 = in->x + in->w, y1 = in->y + in->h;

    for (int y = ALIGN_UP(in->y, CELL); y + CELL <= y1; y += CELL) {
        for (int x = x0; x + CELL <= x1; x += CELL) {
            const Cell *c = &t->cells[y / CELL * t->cells_x + x / CELL];

            for (unsigned max = c->n; max <= 2; max++) {
                Area r = grow(t, in, x, y, max);
                size_t size = (size_t)r.w * r.h;

                if (max == 1 ? size >= SOLID_MIN : size >= MONO_MIN && r.h >= MONO_MIN_LINES) {
                    *found = r;
                    return true;
                }
                x = max == 2 ? MAX(x, ALIGN_DOWN(r.x + r.w, CELL) - CELL) : x;   /* too small: go on behind it */
            }
        }
    }
    return false;
}

/* Find simple areas, send what is above, left, right and below of each separately. */
static void area(Tight *t, int x, int y, int w, int h)
{
    Area in = { .x = x, .y = y, .w = w, .h = h }, r;
    EncPalette pal;

    if (w <= 0 || h <= 0) {
        return;
    }
    if ((size_t)w * h > MONO_MIN) {
        EncPicture pic = enc_part(t->pic, x, y, w, h);

        if (enc_palette(&pal, &pic, 2) > 2 && find_simple(t, &in, &r)) {
            if (r.y > y) {
                in_parts(t, x, y, w, r.y - y);
            }
            area(t, x, r.y, r.x - x, r.h);
            in_parts(t, r.x, r.y, r.w, r.h);
            area(t, r.x + r.w, r.y, x + w - r.x - r.w, r.h);
            area(t, x, r.y + r.h, w, y + h - r.y - r.h);
            return;
        }
    }
    in_parts(t, x, y, w, h);
}

static void tight(EncOut *o, const EncParams *p, const EncPicture *pic, bool as_png)
{
    Tight t = { .o = o, .p = p, .png = as_png, .level = enc_zlib_level(p), .pic = pic,
                .cells_x = DIV_ROUND_UP(pic->w, CELL) };

    t.plain = !as_png && p->tight_plain && t.level == 0;
    t.cells = enc_scratch(o, SCRATCH_CELLS, sizeof(Cell) * t.cells_x * DIV_ROUND_UP(pic->h, CELL));
    for (int y = 0; y < pic->h; y += CELL) {
        for (int x = 0; x < pic->w; x += CELL) {
            t.cells[y / CELL * t.cells_x + x / CELL] = cell_of(pic, x, y);
        }
    }
    area(&t, 0, 0, pic->w, pic->h);
}

void enc_tight(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    tight(o, p, pic, false);
}

void enc_tight_png(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    tight(o, p, pic, true);
}
