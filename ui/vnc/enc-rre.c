/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RRE: a background and rectangles on it (RFC 6143, 7.7.3). Large pictures are cut, so that each
 * part has a background of its own; a part that gets longer than its pixels is sent raw.
 */
#include "util/osdep.h"
#include "ui/vnc/enc.h"
#include "util/bswap.h"

#define PART    64

static uint32_t commonest(const EncPicture *pic)
{
    EncPalette pal;
    unsigned best = 0;

    enc_palette(&pal, pic, 255);
    for (unsigned i = 1; i < pal.n; i++) {
        if (pal.count[i] > pal.count[best]) {
            best = i;
        }
    }
    return pal.value[best];
}

/* The subrectangles of a part; how many, or -1 if they take more than @limit. */
static int subrects(const VncFormat *f, uint8_t *p, const uint8_t *limit, const uint32_t *v, int stride,
                    int w, int h, uint32_t bg, uint8_t **end)
{
    uint64_t done[PART] = { 0 };        /* bit x of line y */
    int n = 0;

    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            uint32_t c = v[y * stride + x];
            int wide = 1, high = 1;
            bool more = true;

            if (c == bg || done[y] >> x & 1) {
                continue;
            }
            while (x + wide < w && v[y * stride + x + wide] == c && !(done[y] >> (x + wide) & 1)) {
                wide++;
            }
            while (more && y + high < h) {
                for (int k = 0; k < wide && more; k++) {
                    more = v[(y + high) * stride + x + k] == c && !(done[y + high] >> (x + k) & 1);
                }
                high += more;
            }
            for (int k = 0; k < high; k++) {
                done[y + k] |= MASK64(0, wide) << x;
            }
            if (p + f->bytes + 8 > limit) {
                return -1;
            }
            p = vnc_put_pixels(f, p, &c, 1);
            store_be16(p, x);
            store_be16(p + 2, y);
            store_be16(p + 4, wide);
            store_be16(p + 6, high);
            p += 8;
            n++;
        }
    }
    *end = p;
    return n;
}

void enc_rre(EncOut *o, const EncParams *p, const EncPicture *pic)
{
    uint8_t buf[PART * PART * 4], *end;

    for (int y = 0; y < pic->h; y += PART) {
        for (int x = 0; x < pic->w; x += PART) {
            EncPicture part = enc_part(pic, x, y, MIN(PART, pic->w - x), MIN(PART, pic->h - y));
            size_t n = (size_t)part.w * part.h;
            uint32_t bg;
            int count;

            bg = commonest(&part);
            count = subrects(p->format, buf, buf + n * p->format->bytes, part.values, part.stride,
                             part.w, part.h, bg, &end);
            if (count < 0) {
                enc_raw(o, p, &part);
                continue;
            }
            enc_rect(o, part.x, part.y, part.w, part.h, ENC_RRE);
            enc_put_u32(o, count);
            vnc_put_pixels(p->format, enc_room(o, p->format->bytes), &bg, 1);
            enc_put(o, buf, end - buf);
        }
    }
}
