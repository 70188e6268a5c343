/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ZYWRLE: ZRLE in which tiles that would be sent as pixels are sent as wavelet coefficients, of which
 * small ones are dropped (N. Yamazaki, "ZYWRLE: Enhanced VNC codec for Motion picture", 2007).
 *
 * Color transform: JPEG 2000's reversible one, halved where it needs nine bits. Wavelet: the reversible
 * Haar-like one of eight bits to eight bits (Senecal et al., "An Improved N-Bit to N-Bit Reversible
 * Haar-Like Transform", 2004), in place. How coarse coefficients are is the encoder's choice: a viewer
 * transforms back what it gets. Both sides derive the number of levels from the quality that
 * the viewer has asked for.
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"
#include "ui/vnc/enc-zrle.h"

#define SIDE    64

enum { LUMA, BLUE, RED, COMPONENTS };

typedef struct Tile {
    int8_t at[COMPONENTS][SIDE * SIDE];     /* lines of @w */
    int w, h;                               /* what is transformed: multiples of the widest step */
} Tile;

/* Bits of a coefficient that a pixel has no room for. */
typedef struct Room {
    uint8_t luma, chroma;
} Room;

/* Quantization step of each level's bands, finest first; 0: dropped. By the number of levels. */
static const struct {
    uint8_t luma, chroma;
} steps[3][3] = {
    { { 16, 0 } },
    { { 32, 0 }, { 8, 16 } },
    { { 64, 0 }, { 32, 32 }, { 8, 16 } },
};

static int clipped(int v, unsigned mask)
{
    v &= ~(int)mask;
    return v == -128 ? v + (int)mask + 1 : v;       /* -128 has no opposite */
}

/* A pair becomes its low part and its high part; done twice it is the pair again. */
static void haar(int8_t *first, int8_t *second)
{
    int a = *first, b = *second;

    if ((a < 0) == (b < 0)) {
        *first = abs(a) > abs(b) ? a : b;
        *second = a - b;
    } else {
        *first = a + b;
        *second = (a + b < 0) == (b < 0) ? -b : a;
    }
}

static void analyze(int8_t *c, int w, int h, unsigned level)
{
    int step = 1 << level;

    for (int y = 0; y < h; y += step) {
        for (int x = 0; x < w; x += 2 * step) {
            haar(&c[y * w + x], &c[y * w + x + step]);
        }
    }
    for (int y = 0; y < h; y += 2 * step) {
        for (int x = 0; x < w; x += step) {
            haar(&c[y * w + x], &c[(y + step) * w + x]);
        }
    }
}

static int8_t quantized(int8_t v, int step)
{
    int size = step ? MIN((abs(v) + step / 2) / step * step, 128 - step) : 0;

    return v < 0 ? -size : size;
}

/* The three bands that a level has split off. */
static void quantize(int8_t *c, int w, int h, unsigned level, int step)
{
    int half = 1 << level;

    for (int y = 0; y < h; y += half) {
        for (int x = y & half ? 0 : half; x < w; x += y & half ? half : 2 * half) {
            c[y * w + x] = quantized(c[y * w + x], step);
        }
    }
}

static void split_colors(Tile *t, const uint32_t *v, int stride, const VncFormat *f, Room room)
{
    bool wide = f->bits == 32, six = !wide && f->green_max == 63;
    unsigned upper = six ? 8 : 7, middle = six ? 3 : 2;

    for (int y = 0; y < t->h; y++) {
        for (int x = 0; x < t->w; x++) {
            uint32_t p = v[y * stride + x];
            int r = wide ? p >> 16 & 255 : p >> upper & 0xf8;
            int g = wide ? p >> 8 & 255 : p >> middle & (six ? 0xfc : 0xf8);
            int b = wide ? p & 255 : p << 3 & 0xf8;
            int i = y * t->w + x;

            t->at[LUMA][i] = clipped(((r + 2 * g + b) >> 2) - 128, room.luma);
            t->at[BLUE][i] = clipped((b - g) >> 1, room.chroma);
            t->at[RED][i] = clipped((r - g) >> 1, room.chroma);
        }
    }
}

/* Coefficients as if they were the colors of a pixel. */
static uint32_t as_value(const Tile *t, int i, const VncFormat *f)
{
    uint8_t y = t->at[LUMA][i], u = t->at[BLUE][i], v = t->at[RED][i];

    if (f->bits == 32) {
        return (uint32_t)v << 16 | y << 8 | u;
    }
    return f->green_max == 63 ? (v & 0xf8u) << 8 | (y & 0xfcu) << 3 | u >> 3
                              : (v & 0xf8u) << 7 | (y & 0xf8u) << 2 | u >> 3;
}

static uint32_t *put_band(const Tile *t, uint32_t *to, int x0, int y0, int step, const VncFormat *f)
{
    for (int y = y0; y < t->h; y += step) {
        for (int x = x0; x < t->w; x += step) {
            *to++ = as_value(t, y * t->w + x, f);
        }
    }
    return to;
}

/* What the transform leaves out: right, below, and the corner. */
static uint32_t *put_rest(uint32_t *to, const uint32_t *v, int w, int x0, int x1, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            *to++ = v[y * w + x];
        }
    }
    return to;
}

static void filter(const VncFormat *f, unsigned levels, uint32_t *values, int w, int h)
{
    Room room = f->bits == 32 ? (Room){ 0, 0 } : (Room){ f->green_max == 63 ? 3 : 7, 7 };
    Tile t = { .w = ALIGN_DOWN(w, 1 << levels), .h = ALIGN_DOWN(h, 1 << levels) };
    uint32_t out[SIDE * SIDE], *to = out;

    if (!t.w || !t.h) {
        return;
    }
    split_colors(&t, values, w, f, room);
    for (unsigned l = 0; l < levels; l++) {
        for (unsigned k = 0; k < COMPONENTS; k++) {
            analyze(t.at[k], t.w, t.h, l);
            quantize(t.at[k], t.w, t.h, l,
                     k == LUMA ? steps[levels - 1][l].luma : steps[levels - 1][l].chroma);
        }
    }
    for (unsigned l = 0; l < levels; l++) {
        int half = 1 << l;

        to = put_band(&t, to, half, half, 2 * half, f);
        to = put_band(&t, to, 0, half, 2 * half, f);
        to = put_band(&t, to, half, 0, 2 * half, f);
        if (l == levels - 1) {
            to = put_band(&t, to, 0, 0, 2 * half, f);
        }
    }
    to = put_rest(to, values, w, t.w, w, 0, t.h);
    to = put_rest(to, values, w, 0, t.w, t.h, h);
    put_rest(to, values, w, t.w, w, t.h, h);
    memcpy(values, out, 4 * (size_t)w * h);
}

/* Viewers count bits, whatever the format says of shifts: only where these are usual is it the same. */
static bool can_filter(const VncFormat *f)
{
    unsigned low = MIN(f->red_shift, f->blue_shift), high = MAX(f->red_shift, f->blue_shift);

    if (!f->true_color || low != 0 || f->red_max != f->blue_max) {
        return false;
    }
    if (f->bits == 32) {
        return f->red_max == 255 && f->green_max == 255 && f->green_shift == 8 && high == 16;
    }
    return f->bits == 16 && f->red_max == 31 && f->green_shift == 5 &&
           (f->green_max == 63 ? high == 11 : f->green_max == 31 && high == 10);
}

/* As LibVNCClient counts them: none with the best quality. */
unsigned enc_zywrle_levels(const EncParams *p)
{
    return p->quality < 0 ? 3 : 3 - p->quality / 3;
}

void enc_zywrle(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    ZrleForm form = { .levels = enc_zywrle_levels(p) };

    if (p->quality >= 0 && can_filter(p->format)) {
        form.filter = form.levels ? filter : NULL;
    } else {
        form.no_pixels = p->format->bits != 8;
    }
    enc_zrle_tiles(o, p, pic, ENC_ZYWRLE, &form);
}
