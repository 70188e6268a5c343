/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ZRLE: tiles of 64x64, each as pixels, with a palette, or as runs, all compressed by one stream of
 * the connection (RFC 6143, 7.7.6).
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"
#include "ui/vnc/enc-zrle.h"

#define SIDE    64
#define PALETTE_MAX     127
#define TILE_MAX        (2 + SIDE * SIDE * 5)       /* runs of one pixel each */

static uint8_t *put_run(uint8_t *p, unsigned len)
{
    for (len--; len >= 255; len -= 255) {
        *p++ = 255;
    }
    *p++ = len;
    return p;
}

/* Bytes that the length of a run takes. */
static unsigned run_bytes(unsigned len)
{
    return 1 + (len - 1) / 255;
}

static unsigned packed_bits(unsigned n)
{
    return n <= 2 ? 1 : n <= 4 ? 2 : 4;
}

static uint8_t *packed(uint8_t *p, const EncPalette *pal, const uint32_t *v, int w, int h)
{
    unsigned bits = packed_bits(pal->n);

    for (int y = 0; y < h; y++, v += w) {
        unsigned acc = 0, have = 0, index = enc_palette_index(pal, v[0]);

        if (bits == 1) {
            p = enc_put_mono(p, v, w, pal->value[1]);
            continue;
        }
        for (int x = 0; x < w; x++) {
            index = x == 0 || v[x] == v[x - 1] ? index : enc_palette_index(pal, v[x]);
            acc = acc << bits | index;
            have += bits;
            if (have == 8) {
                *p++ = acc;
                acc = have = 0;
            }
        }
        if (have) {
            *p++ = acc << (8 - have);
        }
    }
    return p;
}

static size_t count_runs(const uint32_t *v, size_t n)
{
    unsigned runs = 1;

    for (size_t i = 1; i < n; i++) {
        runs += v[i] != v[i - 1];
    }
    return runs;
}

/* How many bytes the runs take: with a palette, and without. */
static void measure_runs(const uint32_t *v, size_t n, unsigned c_bytes, size_t *plain,
                         size_t *indexed)
{
    *plain = *indexed = 0;
    for (size_t i = 0; i < n; ) {
        size_t run = 1;

        while (i + run < n && v[i + run] == v[i]) {
            run++;
        }
        *plain += c_bytes + run_bytes(run);
        *indexed += run == 1 ? 1 : 1 + run_bytes(run);
        i += run;
    }
}

static uint8_t *runs(const VncFormat *f, uint8_t *p, const EncPalette *pal, const uint32_t *v,
                     size_t n)
{
    for (size_t i = 0; i < n; ) {
        size_t run = 1;

        while (i + run < n && v[i + run] == v[i]) {
            run++;
        }
        if (!pal) {
            p = vnc_put_cpixels(f, p, &v[i], 1);
            p = put_run(p, run);
        } else if (run == 1) {
            *p++ = enc_palette_index(pal, v[i]);
        } else {
            *p++ = enc_palette_index(pal, v[i]) | 128;
            p = put_run(p, run);
        }
        i += run;
    }
    return p;
}

/* The shortest form before zlib, at most TILE_MAX. Tells by its first byte which. @v is overwritten if @form has
 * a filter. */
static uint8_t *tile(const VncFormat *f, uint8_t *p, uint32_t *v, int w, int h, const ZrleForm *form)
{
    EncPicture pic = { .w = w, .h = h, .values = v, .stride = w };
    size_t n = (size_t)w * h, best = n * f->c_bytes, plain, indexed;
    unsigned colors, mode = 0;
    EncPalette pal;

    colors = enc_palette(&pal, &pic, PALETTE_MAX);
    if (colors == 1) {
        *p++ = 1;
        return vnc_put_cpixels(f, p, v, 1);
    }
    if (form) {
        best = form->no_pixels ? SIZE_MAX : form->filter ? best >> form->levels : best;
    }
    if (colors <= 16) {
        indexed = (size_t)DIV_ROUND_UP(w * packed_bits(colors), 8) * h + (size_t)colors * f->c_bytes;
        if (indexed < best) {
            best = indexed;
            mode = colors;
        }
    }
    if (count_runs(v, n) < best) {      /* each takes a byte or more */
        measure_runs(v, n, f->c_bytes, &plain, &indexed);
        indexed += (size_t)colors * f->c_bytes;
        if (plain < best) {
            best = plain;
            mode = 128;
        }
        if (colors <= PALETTE_MAX && indexed < best) {
            best = indexed;
            mode = 128 + colors;
        }
    }
    *p++ = mode;
    if (mode == 0 && form && form->filter) {
        form->filter(f, form->levels, v, w, h);
        return tile(f, p, v, w, h, NULL);
    }
    if (mode == 0) {
        return vnc_put_cpixels(f, p, v, n);
    }
    if (mode == 128) {
        return runs(f, p, NULL, v, n);
    }
    p = vnc_put_cpixels(f, p, pal.value, pal.n);
    return mode < 128 ? packed(p, &pal, v, w, h) : runs(f, p, &pal, v, n);
}

void enc_zrle_tiles(EncOut *o, const EncParams *p, const EncPicture *pic, int32_t encoding,
                    const ZrleForm *form)
{
    size_t n_tiles = (size_t)DIV_ROUND_UP(pic->w, SIDE) * DIV_ROUND_UP(pic->h, SIDE);
    uint8_t *buf = enc_scratch(o, SCRATCH_BYTES, 2 * n_tiles + (size_t)pic->w * pic->h * 5 + TILE_MAX);
    uint8_t *end = buf, *first;
    size_t raw = 0;
    /* Palettes and runs have done much of the work: one level less is nearly as small. */
    int level = p->compress > 1 && p->compress < 9 ? p->compress - 1 : enc_zlib_level(p);
    uint32_t v[SIDE * SIDE];

    for (int y = 0; y < pic->h; y += SIDE) {
        for (int x = 0; x < pic->w; x += SIDE) {
            int w = MIN(SIDE, pic->w - x), h = MIN(SIDE, pic->h - y);

            for (int k = 0; k < h; k++) {
                memcpy(v + k * w, enc_line(pic, y + k) + x, 4 * w);
            }
            first = end;
            end = tile(p->format, end, v, w, h, form);
            raw += *first == 0 && !form ? end - first : 0;
        }
    }
    enc_rect(o, pic->x, pic->y, pic->w, pic->h, encoding);
    /* Among pixels that are all different, matches are few and short. */
    enc_deflate(o, PIECE_DEFLATE_U32, STREAM_ZRLE, level,
                raw > (size_t)(end - buf) / 4 * 3 ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY, buf,
                end - buf);
}

void enc_zrle(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    enc_zrle_tiles(o, p, pic, ENC_ZRLE, NULL);
}
