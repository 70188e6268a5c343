/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hextile: tiles of 16x16, each raw or a background with rectangles on it (RFC 6143, 7.7.4).
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"

enum { TILE_RAW = 1, TILE_BG = 2, TILE_FG = 4, TILE_SUBRECTS = 8, TILE_COLORED = 16 };

/* Cover what isn't background by rectangles: from each uncovered pixel to the right and down, or
 * down and then to the right, whichever covers more. False if it gets longer than @limit. */
static bool cover(const VncFormat *f, uint8_t **pp, const uint8_t *limit, const uint32_t *values,
                  int stride, int w, int h, uint32_t bg, unsigned *count)
{
    uint16_t done[16] = { 0 };          /* bit x of line y */
    uint8_t *p = *pp;

    for (int y = 0; y < h; y++) {
        const uint32_t *line = values + y * stride;

        for (int x = 0; x < w; x++) {
            uint32_t v = line[x];
            int wide = 1, high = 1, w2, h2 = 1;
            uint16_t mask;

            if (v == bg || done[y] & BIT(x)) {
                continue;
            }
            while (x + wide < w && line[x + wide] == v && !(done[y] & BIT(x + wide))) {
                wide++;
            }
            w2 = wide;
            for (; y + high < h; high++) {
                const uint32_t *l = values + (y + high) * stride;
                int n = 0;

                while (n < wide && l[x + n] == v && !(done[y + high] & BIT(x + n))) {
                    n++;
                }
                if (n < wide) {
                    break;
                }
            }
            /* The other way: the column first, as narrow as its lines make it. */
            {
                int narrow = wide;

                for (; y + h2 < h; h2++) {
                    const uint32_t *l = values + (y + h2) * stride;
                    int n = 0;

                    while (n < narrow && l[x + n] == v && !(done[y + h2] & BIT(x + n))) {
                        n++;
                    }
                    if (n == 0) {
                        break;
                    }
                    narrow = n;
                }
                w2 = narrow;
            }
            if (w2 * h2 > wide * high) {
                wide = w2;
                high = h2;
            }
            if (p + f->bytes + 2 > limit) {
                return false;
            }
            p = vnc_put_pixels(f, p, &v, 1);
            *p++ = x << 4 | y;
            *p++ = (wide - 1) << 4 | (high - 1);
            ++*count;
            mask = (uint16_t)(MASK(0, wide) << x);
            for (int k = 0; k < high; k++) {
                done[y + k] |= mask;
            }
        }
    }
    *pp = p;
    return true;
}

/* The same for two colors, as bits: bit x of line y is set where it isn't background. */
static bool cover_bits(uint8_t **pp, const uint8_t *limit, uint16_t bits[16], int h, unsigned *count)
{
    uint8_t *p = *pp;

    for (int y = 0; y < h; y++) {
        while (bits[y]) {
            int x = __builtin_ctz(bits[y]), wide = __builtin_ctz(~((unsigned)bits[y] >> x)), high = 1;
            int narrow = wide, h2 = 1;
            unsigned mask = MASK(0, wide) << x;

            while (y + high < h && (bits[y + high] & mask) == mask) {
                high++;
            }
            for (; y + h2 < h; h2++) {
                int n = __builtin_ctz(~((unsigned)bits[y + h2] >> x));

                if (!n) {
                    break;
                }
                narrow = MIN(narrow, n);
            }
            if (narrow * h2 > wide * high) {
                wide = narrow;
                high = h2;
                mask = MASK(0, wide) << x;
            }
            if (p + 2 > limit) {
                return false;
            }
            *p++ = x << 4 | y;
            *p++ = (wide - 1) << 4 | (high - 1);
            ++*count;
            for (int k = 0; k < high; k++) {
                bits[y + k] &= ~mask;
            }
        }
    }
    *pp = p;
    return true;
}

/* A tile of two colors, as cover_bits() wants it; how many corners it has, see corners_of(). */
static unsigned bits_of(const uint32_t *values, int stride, int w, int h, uint32_t bg, uint16_t bits[16])
{
    unsigned n = 0;

    for (int y = 0; y < h; y++, values += stride) {
        unsigned acc = 0;

        for (int x = 0; x < w; x++) {
            acc |= (unsigned)(values[x] != bg) << x;
        }
        bits[y] = acc;
        n += __builtin_popcount(acc & ~(acc << 1) & ~(y ? bits[y - 1] : 0u));
    }
    return n;
}

/* How many pixels of a tile are @v. */
static unsigned count_of(const uint32_t *values, int stride, int w, int h, uint32_t v)
{
    unsigned n = 0;

    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            n += values[y * stride + x] == v;
        }
    }
    return n;
}

/* The commoner of a tile's first two values, and how many it has: 1, 2, or 3 for more. */
static unsigned colors_of(const uint32_t *values, int stride, int w, int h, uint32_t *bg,
                          uint32_t *fg)
{
    uint32_t a = values[0], b = a;
    unsigned na = count_of(values, stride, w, h, a), nb;

    *bg = *fg = a;
    if (na == (unsigned)(w * h)) {
        return 1;
    }
    for (int i = 0; b == a; i++) {
        b = values[i / w * stride + i % w];
    }
    nb = count_of(values, stride, w, h, b);
    *bg = na >= nb ? a : b;
    *fg = na >= nb ? b : a;
    return na + nb == (unsigned)(w * h) ? 2 : 3;
}

/* Each rectangle of a cover has a corner like these: no cover has fewer. Counted up to more than @enough. */
static unsigned corners_of(const uint32_t *values, int stride, int w, int h, uint32_t bg, unsigned enough)
{
    unsigned n = values[0] != bg;

    for (int x = 1; x < w; x++) {
        n += values[x] != bg && values[x] != values[x - 1];
    }
    for (int y = 1; y < h && n <= enough; y++) {
        const uint32_t *line = values + y * stride, *up = line - stride;

        n += line[0] != bg && line[0] != up[0];
        for (int x = 1; x < w; x++) {
            n += (line[x] != bg) & (line[x] != up[x]) & (line[x] != line[x - 1]);
        }
    }
    return n;
}

static uint8_t *raw_tile(const VncFormat *f, uint8_t *p, const uint32_t *values, int stride, int w,
                         int h, HextileState *st)
{
    *p++ = TILE_RAW;
    for (int y = 0; y < h; y++) {
        p = vnc_put_pixels(f, p, values + y * stride, w);
    }
    /* Neither is carried over a raw tile. */
    st->bg = st->fg = -1;
    return p;
}

uint8_t *enc_hextile_tile(const VncFormat *f, uint8_t *p, const uint32_t *values, int stride, int w,
                          int h, HextileState *st)
{
    uint8_t *start = p++, *limit = start + 1 + (size_t)w * h * f->bytes, *count;
    uint32_t bg, fg;
    unsigned n = colors_of(values, stride, w, h, &bg, &fg), rects = 0;
    uint16_t bits[16];
    uint8_t mask = 0;

    if (limit - start < 8 + 2 * (int)f->bytes && n > 1) {       /* a sliver at the edge */
        return raw_tile(f, start, values, stride, w, h, st);
    }
    if (st->bg != bg) {
        mask |= TILE_BG;
        p = vnc_put_pixels(f, p, &bg, 1);
    }
    if (n == 2 && st->fg != fg) {
        mask |= TILE_FG;
        p = vnc_put_pixels(f, p, &fg, 1);
    }
    if (n > 1) {
        mask |= TILE_SUBRECTS | (n > 2 ? TILE_COLORED : 0);
        count = p++;
        if (n == 2 ? bits_of(values, stride, w, h, bg, bits) * 2 > (size_t)(limit - p) ||
                     !cover_bits(&p, limit, bits, h, &rects)
                   : corners_of(values, stride, w, h, bg, (limit - p) / (f->bytes + 2)) * (f->bytes + 2u) >
                     (size_t)(limit - p) ||
                     !cover(f, &p, limit, values, stride, w, h, bg, &rects) || rects > 255) {
            return raw_tile(f, start, values, stride, w, h, st);
        }
        *count = rects;
    }
    st->bg = bg;
    if (n == 2) {
        st->fg = fg;
    } else if (n > 2) {
        st->fg = -1;                    /* nor is the foreground over a colored one */
    }
    *start = mask;
    return p;
}

void enc_hextile(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    HextileState st = { -1, -1 };
    size_t room = (size_t)DIV_ROUND_UP(pic->w, 16) * ENC_HEXTILE_MAX + 16;

    enc_rect(o, pic->x, pic->y, pic->w, pic->h, ENC_HEXTILE);
    for (int y = 0; y < pic->h; y += 16) {
        uint8_t *start = enc_room(o, room), *end = start;

        for (int x = 0; x < pic->w; x += 16) {
            end = enc_hextile_tile(p->format, end, enc_line(pic, y) + x, pic->stride, MIN(16, pic->w - x),
                                   MIN(16, pic->h - y), &st);
        }
        enc_give_back(o, room - (end - start));
    }
}
